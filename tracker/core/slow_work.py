"""Slow work that a transaction turns out to need, done while others can write.

SQLite has one writer, and a request that writes has the write lock from its first query on. Work
that takes seconds, and of which only the result is needed, isn't done meanwhile: the transaction is
rolled back, the work done, and everything run again from the beginning.
"""

import datetime as dt
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session

from tracker.core import clock
from tracker.core.db import db, will_write

T = TypeVar("T")
# How many times something runs again. Each costs as much as all that was done until then, so an act
# on many texts does the rest on the spot.
MOST_AGAIN = 5


class NeededFirstError(Exception):
    """Raised when slow work has to be done before a transaction, which then runs again."""

    def __init__(self, name: Hashable, work: Callable[[], object]) -> None:
        super().__init__()
        self.name = name
        self.work = work


@dataclass(slots=True)
class _Run:
    """What is being run: the work already done for it, and whether something was committed."""

    begun_at: dt.datetime
    done: set[Hashable] = field(default_factory=set)
    has_committed: bool = False


_run: ContextVar[_Run | None] = ContextVar("run_with_slow_work", default=None)


@event.listens_for(Session, "after_commit")
def _note_commit(session: Session) -> None:
    run = _run.get()
    if run is not None and not session.in_nested_transaction():
        run.has_committed = True


def can_be_first() -> bool:
    """Return whether slow work can still be done first: nothing was committed, even apart.

    Nor was too much done first already (MOST_AGAIN).
    """
    run = _run.get()
    return (
        run is not None
        and will_write.get()
        and not run.has_committed
        and len(run.done) < MOST_AGAIN
    )


def times_begun_again() -> int:
    """Return how often what is being run has begun again."""
    run = _run.get()
    return 0 if run is None else len(run.done)


def begun_at() -> dt.datetime:
    """Return when what is being run first began, such as when a request arrived; else now.

    A code that was right when its form was sent is still right if the request begins again.
    """
    run = _run.get()
    return clock.now() if run is None else run.begun_at


def do_first(name: Hashable, work: Callable[[], object]) -> None:
    """Have slow work done before the transaction, which runs again; once for each name.

    If that isn't possible, or was done already, return: the caller does the work itself. The work
    must not need the database, and its result must be remembered elsewhere.
    """
    run = _run.get()
    if run is not None and can_be_first() and name not in run.done:
        raise NeededFirstError(name, work)


def run_again_after(action: Callable[[], T], undo: Callable[[], object]) -> T:
    """Run an action, again from the beginning after each slow work that it needs first.

    undo undoes what the action changed outside the database.
    """
    run = _Run(clock.now())
    token = _run.set(run)
    try:
        while True:
            try:
                return action()
            except NeededFirstError as needed:
                first = needed
            db.session.rollback()
            undo()
            run.done.add(first.name)
            first.work()
    finally:
        _run.reset(token)
