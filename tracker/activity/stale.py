"""Derived values an event made stale, recomputed once just before the commit.

So a request that does several things works out each count, stage and readiness once, when all is
written that they rest on. The order is that of Stale.
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
    """What is worked out, by the id of its checklist, cooperation or visit, and in this order."""

    CHECKLIST = 1
    CLEARANCES = 2
    VISIT = 3
    COOPERATION = 4
    REGISTER = 5


# Works out one of them; who acts is named in what it records.
Recomputation = Callable[[UUID, Actor | None], object]
_KEY = "stale"


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_KEY, None)


# How each is worked out further up the house; app lists it in one table.
RECOMPUTATIONS: Slot[Mapping[Stale, Recomputation]] = Slot("recomputations", {})


def mark(kind: Stale, ids: Iterable[UUID], actor: Actor | None = None) -> None:
    """Note what has to be worked out again before this transaction is committed."""
    marked: dict[tuple[Stale, UUID], Actor | None] = db.session.info.setdefault(_KEY, {})
    for stale_id in ids:
        marked.setdefault((kind, stale_id), actor)


def recompute() -> None:
    """Work out what is stale now, until nothing is.

    Happens before each commit by itself; for verbs that go on with what is worked out.
    """
    work_out(db.session())


def put_off(kind: Stale) -> list[UUID]:
    """Work out what is stale but of one kind; return what of that is left, marked no more.

    For the worker, which works that out in transactions of their own. Whoever calls this sees to
    it that all of it is worked out, also when the database goes away meanwhile.
    """
    session = db.session()
    session.flush()
    work_out(session, but=kind)
    marked: dict[tuple[Stale, UUID], Actor | None] = session.info.pop(_KEY, {})
    return sorted(identity for _kind, identity in marked)


def work_out(session: Session, *, but: Stale | None = None) -> None:
    """Work out what is stale in a session, until nothing is, or nothing but of one kind."""
    marked: dict[tuple[Stale, UUID], Actor | None] = session.info.get(_KEY, {})
    while due := [mark for mark in marked if mark[0] is not but]:
        kind, identity = min(due)
        actor = marked.pop((kind, identity))
        RECOMPUTATIONS.get()[kind](identity, actor)
