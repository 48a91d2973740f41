"""How the worker runs a job: one object at a time, each in its own short transaction."""

import datetime as dt
import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tracker.activity import stale
from tracker.core import logs, slow_work
from tracker.core.db import BATCH, db, is_away, will_write
from tracker.worker import failures

Found = TypeVar("Found")

# Others get their turn after each transaction: SQLite has no queue for its write lock, and a
# connection that wants it tries again at most a tenth of a second later.
LONGEST_PAUSE = 0.1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the worker: how to find the objects that are due on a day, and what to do with one.

    find returns the ids of these objects, through an index and without locking anything. act takes
    one of them, locks it, checks that it is still due, and does the work: another worker, or a
    person, may have been first.
    """

    name: str
    find: Callable[[dt.date], Sequence[Any]]
    act: Callable[[Any, dt.date], object]


def each(job: Job, day: dt.date) -> None:
    """Run a job for each object that is due, and commit after each.

    An object that fails is rolled back, logged, and retried after growing delays; the others are
    still processed. What the job made stale of many objects is stored (stale.put_off); the caller
    recomputes it afterwards. Raise SQLAlchemyError if the database can't be reached.
    """
    objects, failed = _due(job, day)
    for work in objects:
        name = named(work)
        if failed.get(name):
            continue
        began = time.monotonic()
        try:
            slow_work.run_again_after(partial(job.act, work, day), _nothing)
            if name in failed:
                failures.forget(job.name, [name])
            stale.put_off()
            db.session.commit()
        except Exception as error:  # whatever is wrong with one object, the others are processed
            db.session.rollback()
            if is_away(error):
                raise
            work_named = logs.fields(job=job.name, object=name)
            logger.exception("a job has failed", extra=work_named)
            failures.note(job.name, name, what_failed(error))
            db.session.commit()
        let_others_write(began)
    if done := failed.keys() - map(named, objects):
        failures.forget(job.name, done)
        db.session.commit()


def reading(look: Callable[[], Found]) -> Found:
    """Return the result of a read, made in a transaction that takes no write lock."""
    db.session.rollback()
    token = will_write.set(False)
    try:
        return look()
    finally:
        db.session.rollback()
        will_write.reset(token)


def until_none_is_left(delete: Callable[[], int]) -> None:
    """Delete in batches, each in its own transaction, until one isn't full (db.delete_batch)."""
    is_full = True
    while is_full:
        began = time.monotonic()
        is_full = delete() >= BATCH
        db.session.commit()
        let_others_write(began)


def let_others_write(began: float) -> None:
    """Pause for as long as the last transaction took; began is its time.monotonic()."""
    time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))


def named(work: Any) -> str:
    """Return the name of an object for the log: its id or ids."""
    return " ".join(map(str, work)) if isinstance(work, tuple) else str(work)


def what_failed(error: Exception) -> str:
    """Return an error's type and line, never its message, which may quote a text."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}"


def _nothing() -> None:
    """Undo nothing: a job changes only the database."""


def _due(job: Job, day: dt.date) -> tuple[Sequence[Any], Mapping[str, bool]]:
    """Return the objects that are due, and whether those that failed have to wait."""
    return reading(lambda: (job.find(day), failures.of(job.name)))
