"""Derived values an event made stale, recomputed once just before the commit.

A request that does several things recomputes each count, stage and readiness once, after everything
they depend on has been written, in the order of Stale. The worker stores what its jobs make stale
of many objects (put_off) and recomputes it afterwards, each value in its own transaction.
"""

import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from tracker.access.actor import Actor
from tracker.activity.stale_models import DueRecomputation
from tracker.core.db import db
from tracker.core.services import Slot


class Stale(enum.IntEnum):
    """The kinds of derived values, by the id of a checklist, cooperation or visit, in order."""

    TEAM = 1
    CHECKLIST = 2
    CLEARANCES = 3
    BARS = 4
    VISIT = 5
    COOPERATION = 6
    REGISTER = 7


# What a job of the worker can make stale for very many objects, and what depends on it. Who may
# sign or send is checked each time anyway; a person who drops off a visit's list with a new day has
# had no role or no party there since midnight.
PUT_OFF = (Stale.TEAM, Stale.CHECKLIST, Stale.VISIT, Stale.COOPERATION, Stale.REGISTER)


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


def put_off() -> None:
    """Store the stale values of which there may be many; recompute the others. For the worker.

    What is stored is recomputed by recompute_stored, in transactions of their own, also if the
    worker or the database stops in the meantime.
    """
    session = db.session()
    session.flush()
    work_out(session, but=PUT_OFF)
    marked: dict[tuple[Stale, UUID], Actor | None] = session.info.pop(_KEY, {})
    rows = [{"kind": kind.name, "object_id": identity} for kind, identity in sorted(marked)]
    if rows:
        session.execute(sa.insert(DueRecomputation), rows)


def stored(kind: Stale | None = None) -> list[tuple[str, UUID]]:
    """Return the stored stale values, of all kinds or of one: the kind's name and the id."""
    if kind is not None:
        return _stored(DueRecomputation.kind == kind.name)
    return _stored(sa.true())


def stored_unknown() -> list[tuple[str, UUID]]:
    """Return stored values of a kind that put_off never stores: somebody else wrote them."""
    return _stored(DueRecomputation.kind.not_in([kind.name for kind in PUT_OFF]))


def _stored(condition: sa.ColumnElement[bool]) -> list[tuple[str, UUID]]:
    rows = sa.select(DueRecomputation.kind, DueRecomputation.object_id).where(condition).distinct()
    return sorted((row.kind, row.object_id) for row in db.session.execute(rows))


def recompute_stored(kind: str, object_id: UUID) -> bool:
    """Recompute a stored stale value and delete it; return False if that was already done.

    Anything stored while it is recomputed is kept, since it may have come too late to be included.
    Raise KeyError for an unknown kind.
    """
    ids = db.session.scalars(
        sa.select(DueRecomputation.id).where(
            DueRecomputation.kind == kind, DueRecomputation.object_id == object_id
        )
    ).all()
    if not ids:
        return False
    RECOMPUTATIONS.get()[Stale[kind]](object_id, None)
    db.session.execute(sa.delete(DueRecomputation).where(DueRecomputation.id.in_(ids)))
    return True


def work_out(session: Session, *, but: Collection[Stale] = ()) -> None:
    """Recompute a session's stale values until none is left except those of some kinds."""
    marked: dict[tuple[Stale, UUID], Actor | None] = session.info.get(_KEY, {})
    while due := [mark for mark in marked if mark[0] not in but]:
        kind, identity = min(due)
        actor = marked.pop((kind, identity))
        RECOMPUTATIONS.get()[kind](identity, actor)
