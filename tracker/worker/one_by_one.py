"""Work of the worker done one object at a time, each in its own short transaction."""

import datetime as dt
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click
from sqlalchemy.exc import DBAPIError

from tracker.activity import stale
from tracker.core import clock
from tracker.core.db import BATCH, db, will_write
from tracker.worker import failures

Found = TypeVar("Found")

# Others get their turn after each transaction: SQLite has no queue for its write lock, whoever
# waits looks again after at most a tenth of a second.
LONGEST_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Job:
    """Work on objects that a day makes due.

    find returns what names each of them, read from the database by an index, with nothing locked.
    act takes one of these, locks it, looks whether it is still due, and does the work: another
    copy of the worker, or a person, may have been first.
    """

    name: str
    find: Callable[[dt.date], Sequence[Any]]
    act: Callable[[Any, dt.date], object]


def each(job: Job, day: dt.date) -> set[UUID]:
    """Do a job for each object that is due, and commit after each.

    One that fails is rolled back, named in the log, and tried again, each time later; the others
    are done. Return the visits that have to be judged again because of what was done: there may be
    many, each takes a transaction of its own. Raise SQLAlchemyError when the database can't be
    reached.
    """
    visit_ids: set[UUID] = set()
    objects, failed = _due(job, day)
    for work in objects:
        name = named(work)
        if name in failed and failed[name] > clock.now():
            continue
        began = time.monotonic()
        try:
            job.act(work, day)
            if name in failed:
                failures.forget(job.name, [name])
            stale_ids = stale.put_off(stale.Stale.VISIT)
            db.session.commit()
            visit_ids.update(stale_ids)
        except Exception as error:  # whatever is wrong with one object, the others are done
            db.session.rollback()
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            click.echo(f"worker: {job.name} {name}: {what_failed(error)}", err=True)
            failures.note(job.name, name, what_failed(error))
            db.session.commit()
        let_others_write(began)
    if done := failed.keys() - map(named, objects):
        failures.forget(job.name, done)
        db.session.commit()
    return visit_ids


def reading(look: Callable[[], Found]) -> Found:
    """Return what a look at the database finds, in a transaction that keeps nobody waiting."""
    db.session.rollback()
    token = will_write.set(False)
    try:
        return look()
    finally:
        db.session.rollback()
        will_write.reset(token)


def until_none_is_left(delete: Callable[[], int]) -> None:
    """Delete in batches, each in its own transaction, until one is not full (db.delete_batch)."""
    is_full = True
    while is_full:
        began = time.monotonic()
        is_full = delete() >= BATCH
        db.session.commit()
        let_others_write(began)


def let_others_write(began: float) -> None:
    """Pause for as long as a transaction took that began at a moment of time.monotonic()."""
    time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))


def named(work: Any) -> str:
    """Return the name of an object in the log: its id, or its ids."""
    return " ".join(map(str, work)) if isinstance(work, tuple) else str(work)


def what_failed(error: Exception) -> str:
    """Return the kind of an error and where it arose, never its words: they may be a text's."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}"


def _due(job: Job, day: dt.date) -> tuple[Sequence[Any], Mapping[str, dt.datetime]]:
    """Return what is due; and what failed, with until when it is left alone."""
    return reading(lambda: (job.find(day), failures.of(job.name)))
