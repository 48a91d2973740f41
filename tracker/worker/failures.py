"""Failures of the worker's jobs: which object, why, how often, and when it is tried again."""

import datetime as dt
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from tracker.core import clock
from tracker.core.db import db
from tracker.worker.models import JobFailure

# How long to wait after each failed attempt; the last value applies from then on.
_HOUR = dt.timedelta(hours=1)
WAITS = (_HOUR / 60, _HOUR / 12, _HOUR / 2, 2 * _HOUR, 6 * _HOUR)
KEPT_ERROR = 200


def of(job: str) -> dict[str, bool]:
    """Return the objects a job failed on, and whether each has to wait for its next attempt.

    None waits longer than the last of WAITS: a row that says it does was written by hand.
    """
    now = clock.now()
    rows = db.session.execute(
        sa.select(JobFailure.object, JobFailure.next_try_at).where(JobFailure.job == job)
    )
    return {row.object: now < row.next_try_at <= now + WAITS[-1] for row in rows}


def note(job: str, object_name: str, error: str) -> None:
    """Record that a job failed on an object; the delay until the next attempt grows each time."""
    now = clock.now()
    row = db.session.get(JobFailure, (job, object_name))
    if row is None:
        row = JobFailure(job=job, object=object_name, tries=0)
        db.session.add(row)
    row.tries += 1
    row.error = error[:KEPT_ERROR]
    row.failed_at = now
    row.next_try_at = now + WAITS[min(row.tries, len(WAITS)) - 1]
    db.session.flush()


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


def is_any() -> bool:
    """Return whether there is any current failure, including rows written by hand."""
    return bool(db.session.scalar(sa.select(sa.exists().where(JobFailure.job.is_not(None)))))
