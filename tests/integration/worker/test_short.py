"""No transaction of the worker makes people who write wait, however much is due."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, SessionTransaction

from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import hands
from tests.factories.visits import Scene, planned
from tracker.access.actor import Role
from tracker.accounts.models import Attempt, Membership
from tracker.agreements.service import WHO_SIGNS
from tracker.checklists.models import Assignment, Notice, NoticeKind
from tracker.comments.models import CommentTask
from tracker.cooperations.models import Clearance
from tracker.core import clock
from tracker.core.db import Base, db, will_write
from tracker.mail.transport import from_url
from tracker.signoff.models import RequestState, SignatureRequest
from tracker.worker import failures, jobs
from tracker.worker.one_by_one import Job, each

# What a transaction may take of the processor, in seconds. Nobody waits longer than 0.1 s where
# the machine has nothing else to do; here other tests run beside it, which costs each its caches.
MOST = 0.2
VISITS = 6
DUE = 20
DAY = dt.timedelta(days=1)


class Stopwatch:
    """Each transaction that holds the write lock: its job, seconds by the clock and of work."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, float, float]] = []
        self.job = "other"
        self._began: tuple[float, float] | None = None

    def begin(self, _connection: Connection) -> None:
        if will_write.get():
            self._began = (time.perf_counter(), time.thread_time())

    def end(self, _session: Session, transaction: SessionTransaction) -> None:
        if self._began is not None and transaction.parent is None:
            seconds, work = self._began
            self.taken.append((self.job, time.perf_counter() - seconds, time.thread_time() - work))
            self._began = None

    def longest(self) -> dict[str, tuple[int, float, float]]:
        """Return of each job: how many transactions, the longest by the clock and in work."""
        found: dict[str, tuple[int, float, float]] = {}
        for job, seconds, work in self.taken:
            count, most, hardest = found.get(job, (0, 0.0, 0.0))
            found[job] = (count + 1, max(most, seconds), max(hardest, work))
        return found


@contextmanager
def watched() -> Iterator[Stopwatch]:
    watch = Stopwatch()
    event.listen(Engine, "begin", watch.begin)
    event.listen(Session, "after_transaction_end", watch.end)
    try:
        yield watch
    finally:
        event.remove(Engine, "begin", watch.begin)
        event.remove(Session, "after_transaction_end", watch.end)


def copies(
    connection: Connection, model: type[Base], where: Any, count: int, **values: Any
) -> None:
    """Put in copies of a row, each with ids of its own where values name none."""
    table = cast("sa.Table", model.__table__)
    row: Mapping[str, Any] = dict(
        connection.execute(sa.select(table).where(where).limit(1)).mappings().one()
    )
    ids = [name for name in ("id", *values) if values.get(name) is None]
    connection.execute(
        sa.insert(table),
        [{**row, **values, **{name: uuid4() for name in ids}} for _ in range(count)],
    )


@pytest.fixture
def scene(session: Session, demonstration: Demonstration) -> Scene:
    return Scene(session, demonstration)


def make_due(scene: Scene, visits: int, count: int) -> None:
    """Let much become due, in a cooperation with many visits that are prepared and in others."""
    for _ in range(visits):
        planned(scene)
    scene.session.commit()
    yesterday, today, now = clock.today() - DAY, clock.today(), clock.now()
    is_open = Clearance.closed_at.is_(None)
    is_running = sa.and_(Membership.role == Role.MEMBER, Membership.ended_at.is_(None))
    with hands() as connection:
        # Of undertakings that are not there, since one that ends closes all that it opened.
        copies(connection, Clearance, is_open, count, until_on=yesterday, undertaking_id=None)
        connection.execute(sa.update(Clearance).where(is_open).values(until_on=yesterday))
        copies(connection, Membership, is_running, count, ends_on=yesterday)
        # Suspensions: the first takes the text out of force.
        values = {"from_on": today, "kind": NoticeKind.SUSPENDED}
        copies(connection, Notice, Notice.taken_effect_at.is_(None), count, **values)
        copies(connection, CommentTask, CommentTask.done_at.is_(None), count, due_on=yesterday)
        connection.execute(sa.update(Assignment).values(due_on=yesterday, reminded_on=None))
        connection.execute(
            sa.update(SignatureRequest)
            .where(SignatureRequest.state == RequestState.WAITING)
            .values(remind_every=1, remind_whom=[WHO_SIGNS], sent_at=now - 10 * DAY)
        )
        connection.execute(
            sa.insert(Attempt),
            [{"id": uuid4(), "key": "old", "at": now - DAY} for _ in range(10 * count)],
        )


def a_day(watch: Stopwatch, folder: Path) -> None:
    """Have the worker do what it does once a day, with a round that looks at dates."""
    jobs.run_once(from_url(f"file://{folder}"), with_dates=True)
    jobs.renew_texts()
    jobs.judge_visits()
    watch.job = "compare texts"
    jobs.compare_texts()
    watch.job = "check accounts"
    jobs.check_accounts()
    watch.job = "other"


def test_no_transaction_of_the_worker_makes_others_wait(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_due(scene, VISITS, DUE)
    day = clock.today()
    found = {job.name: list(job.find(day)) for job in jobs.DATED}
    db.session.rollback()
    with watched() as watch:

        def timed(job: Job, day: dt.date) -> set[UUID]:
            watch.job = job.name
            left = each(job, day)
            watch.job = "other"
            return left

        monkeypatch.setattr(jobs, "each", timed)
        a_day(watch, tmp_path)
        with hands() as connection:
            connection.execute(
                sa.update(SignatureRequest)
                .where(SignatureRequest.state == RequestState.WAITING)
                .values(expires_on=clock.today() - DAY)
            )
        jobs.run_once(from_url(f"file://{tmp_path}"), with_dates=True)
    longest = watch.longest()
    assert {job.name for job in (*jobs.DATED, jobs.JUDGE)} <= set(longest)
    assert list(failures.known()) == []
    told = [
        f"{job}: {count} transactions, {seconds * 1000:.0f} ms, {work * 1000:.0f} ms of work"
        for job, (count, seconds, work) in sorted(longest.items())
    ]
    assert max(work for _count, _seconds, work in longest.values()) < MOST, "\n".join(told)
    # Of each, what was done is not done again by another copy that found it too.
    db.session.rollback()
    for job in jobs.DATED:
        assert [job.act(one, day) for one in found[job.name]] == [False] * len(found[job.name])
    db.session.rollback()
