"""Measurement of CPU time, and of the transactions that hold the write lock."""

import gc
import pprint
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, SessionTransaction

from tracker.core.db import will_write


@dataclass(frozen=True, slots=True)
class Hold:
    """A transaction that held the write lock: whose it was, and its cost; times in seconds."""

    job: str
    seconds: float
    work: float
    statements: int


@dataclass(frozen=True, slots=True)
class Longest:
    """The highest cost of one transaction of a job, and how many there were; times in seconds."""

    count: int
    seconds: float
    work: float
    statements: int


class Stopwatch:
    """Each transaction that held the write lock while it watched; job names the current job."""

    def __init__(self) -> None:
        self.holds: list[Hold] = []
        self.job = "other"
        self._began: tuple[float, float] | None = None
        self._statements = 0

    def begin(self, _connection: Connection) -> None:
        """Begin a transaction; SQLite takes its write lock now."""
        if will_write.get():
            self._began = (time.perf_counter(), time.thread_time())
            self._statements = 0

    def count(self, *_args: Any) -> None:
        """Count a statement."""
        self._statements += 1

    def end(self, _session: Session, transaction: SessionTransaction) -> None:
        """Record the cost of a transaction that has ended."""
        if self._began is not None and transaction.parent is None:
            seconds, work = self._began
            self.holds.append(
                Hold(
                    self.job,
                    time.perf_counter() - seconds,
                    time.thread_time() - work,
                    self._statements,
                )
            )
            self._began = None

    def longest(self) -> dict[str, Longest]:
        """Return the highest cost of one transaction of each job."""
        by_job: dict[str, list[Hold]] = {}
        for hold in self.holds:
            by_job.setdefault(hold.job, []).append(hold)
        return {
            job: Longest(
                len(holds),
                max(hold.seconds for hold in holds),
                max(hold.work for hold in holds),
                max(hold.statements for hold in holds),
            )
            for job, holds in by_job.items()
        }


@dataclass(slots=True)
class CpuTime:
    """The CPU time that a block took, in seconds, once it has ended."""

    seconds: float = 0.0


@contextmanager
def without_collection() -> Iterator[None]:
    """Keep the garbage of other tests from being collected in the block.

    A full collection late in a run takes seconds, and begins in whichever code comes next.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def measured() -> Iterator[CpuTime]:
    """Measure the CPU time of the block."""
    taken = CpuTime()
    with without_collection():
        begun = time.process_time()
        yield taken
        taken.seconds = time.process_time() - begun


@contextmanager
def watched() -> Iterator[Stopwatch]:
    """Watch the transactions of this process in the block."""
    watch = Stopwatch()
    event.listen(Engine, "begin", watch.begin)
    event.listen(Engine, "before_cursor_execute", watch.count)
    event.listen(Session, "after_transaction_end", watch.end)
    try:
        with without_collection():
            yield watch
    finally:
        event.remove(Engine, "begin", watch.begin)
        event.remove(Engine, "before_cursor_execute", watch.count)
        event.remove(Session, "after_transaction_end", watch.end)


def piece_of_work() -> float:
    """Return the seconds that this machine now takes for a fixed piece of work.

    Limits are given in these pieces: machines differ, and other processes use their caches.
    """
    document = {str(number): {"key": number, "values": list(range(20))} for number in range(60)}
    taken = []
    with without_collection():
        for _ in range(9):
            begun = time.thread_time()
            pprint.pformat(document)
            taken.append(time.thread_time() - begun)
    return statistics.median(taken)
