"""Failures of the worker's jobs: which object, why, how often, and when it is tried again."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.core import clock
from tracker.core.db import apart, db, get_or_add
from tracker.worker.models import JobFailure

# How long to wait after each failed attempt; the last value applies from then on.
_HOUR = dt.timedelta(hours=1)
WAITS = (_HOUR / 60, _HOUR / 12, _HOUR / 2, 2 * _HOUR, 6 * _HOUR)
KEPT_ERROR = 200
# The job that tries the command that checks uploaded files, and its only object.
MALWARE_COMMAND = ("check files for malware", "TRACKER_MALWARE_COMMAND")


@dataclass(frozen=True, slots=True)
class Summary:
    """How a job fails at present: on how many objects, how often on one of them, since when."""

    job: str
    objects: int
    most_tries: int
    last_at: dt.datetime


def of(job: str) -> dict[str, bool]:
    """Return the objects a job failed on, and whether each has to wait for its next attempt.

    None waits longer than the last of WAITS: a row that says it does was written by hand.
    """
    now = clock.now()
    rows = db.session.execute(
        sa.select(JobFailure.object, JobFailure.next_try_at).where(JobFailure.job == job)
    )
    return {row.object: now < row.next_try_at <= now + WAITS[-1] for row in rows}


def note(job: str, object_name: str, error: str, session: Session | None = None) -> None:
    """Record that a job failed on an object; the delay until the next attempt grows each time."""
    now = clock.now()
    session = session or db.session()
    new = JobFailure(job=job, object=object_name, tries=0, error="", failed_at=now, next_try_at=now)
    row = get_or_add(session, new)
    row.tries += 1
    row.error = error[:KEPT_ERROR]
    row.failed_at = now
    row.next_try_at = now + WAITS[min(row.tries, len(WAITS)) - 1]
    session.flush()


def note_malware_command(why: str) -> None:
    """Record, in a transaction of its own, that the command couldn't check an uploaded file.

    The worker tries it again a minute after the first failure.
    """
    with apart() as session:
        if session.get(JobFailure, MALWARE_COMMAND) is None:
            note(*MALWARE_COMMAND, why, session)


def forget(job: str, some: Collection[str]) -> None:
    """Delete the failures of a job on some objects: it succeeded, or is no longer due."""
    db.session.execute(
        sa.delete(JobFailure)
        .where(JobFailure.job == job, JobFailure.object.in_(some))
        .execution_options(synchronize_session=False)
    )


def known() -> Sequence[JobFailure]:
    """Return the current failures of the worker's jobs, the oldest first."""
    return db.session.scalars(
        sa.select(JobFailure).order_by(JobFailure.failed_at, JobFailure.job, JobFailure.object)
    ).all()


def summary() -> list[Summary]:
    """Return the jobs that fail, in the order of their names; nothing says on which objects."""
    rows = db.session.execute(
        sa.select(
            JobFailure.job,
            sa.func.count(),
            sa.func.max(JobFailure.tries),
            sa.func.max(JobFailure.failed_at),
        )
        .group_by(JobFailure.job)
        .order_by(JobFailure.job)
    )
    return [Summary(*row) for row in rows]


def is_any() -> bool:
    """Return whether there is any current failure, including rows written by hand."""
    return bool(db.session.scalar(sa.select(sa.exists().where(JobFailure.job.is_not(None)))))
