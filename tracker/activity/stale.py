"""Derived values an event made stale, recomputed once just before the commit.

A request that does several things recomputes each count, stage and readiness once, after everything
they depend on has been written, in the order of Stale.
"""

import enum
from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from tracker.access.actor import Actor
from tracker.core.db import db
from tracker.core.services import Slot


class Stale(enum.IntEnum):
    """The kinds of derived values, by the id of a checklist, cooperation or visit, in order."""

    CHECKLIST = 1
    CLEARANCES = 2
    BARS = 3
    VISIT = 4
    COOPERATION = 5
    REGISTER = 6


# Recomputes one of them; events it records name the actor.
Recomputation = Callable[[UUID, Actor | None], object]
_KEY = "stale"


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_KEY, None)


# The functions that recompute them belong to higher packages; app lists them in one table.
RECOMPUTATIONS: Slot[Mapping[Stale, Recomputation]] = Slot("recomputations", {})


def mark(kind: Stale, ids: Iterable[UUID], actor: Actor | None = None) -> None:
    """Mark values as stale, to be recomputed before this transaction is committed."""
    marked: dict[tuple[Stale, UUID], Actor | None] = db.session.info.setdefault(_KEY, {})
    for stale_id in ids:
        marked.setdefault((kind, stale_id), actor)


def recompute() -> None:
    """Recompute stale values now, until none is left.

    This happens automatically before each commit; call it in verbs that continue with the result.
    """
    work_out(db.session())


def put_off(kind: Stale) -> list[UUID]:
    """Recompute all stale values but one kind; return and unmark those of that kind.

    For the worker, which recomputes them in transactions of their own. The caller makes sure that
    all of them are recomputed, even if the database goes away in the meantime.
    """
    session = db.session()
    session.flush()
    work_out(session, but=kind)
    marked: dict[tuple[Stale, UUID], Actor | None] = session.info.pop(_KEY, {})
    return sorted(identity for _kind, identity in marked)


def work_out(session: Session, *, but: Stale | None = None) -> None:
    """Recompute stale values of a session, until none is left, or only those of one kind."""
    marked: dict[tuple[Stale, UUID], Actor | None] = session.info.get(_KEY, {})
    while due := [mark for mark in marked if mark[0] is not but]:
        kind, identity = min(due)
        actor = marked.pop((kind, identity))
        RECOMPUTATIONS.get()[kind](identity, actor)
