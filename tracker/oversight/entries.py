"""Upkeep of the register's entries: recomputed once an event has changed an agreement."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor, OrganisationKind
from tracker.activity.service import DomainEvent
from tracker.activity.stale import Stale, mark
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.checklists.queries import SIGNED_BY_NEWCOMERS
from tracker.cooperations.models import Party
from tracker.core.db import db
from tracker.oversight import queries
from tracker.oversight.models import RegisterEntry

# The texts that a joining party has to sign; it knows of no visit yet (adr 70).
_FOR_NEWCOMERS = {list(ChecklistKind).index(kind) for kind in SIGNED_BY_NEWCOMERS}
_KEY = ("organisation_id", "checklist_id")
_PARTIES = sa.select(Party.organisation_id, Party.side, Party.left_on, Party.is_joining).where(
    Party.cooperation_id == sa.bindparam("cooperation_id")
)
_THERE = sa.select(*RegisterEntry.__table__.columns).where(
    RegisterEntry.cooperation_id == sa.bindparam("cooperation_id")
)


def follow(event: DomainEvent) -> None:
    """Mark the register's entries of the cooperation as stale. A handler."""
    if event.cooperation_id is not None:
        mark(Stale.REGISTER, [event.cooperation_id], event.actor)


def refresh(cooperation_id: UUID, _actor: Actor | None = None) -> None:
    """Recompute the entries of a cooperation's agreements, for each of its parties."""
    of_cooperation = {"cooperation_id": cooperation_id}
    computed = queries.entries_of(cooperation_id)
    wanted = {
        (party.organisation_id, entry["checklist_id"]): {
            **entry,
            "organisation_id": party.organisation_id,
            "cooperation_id": cooperation_id,
            "is_of_npm": party.side is OrganisationKind.NPM and not party.is_joining,
            "left_on": party.left_on,
        }
        for party in db.session.execute(_PARTIES, of_cooperation)
        for entry in computed
        if not party.is_joining or entry["kind_place"] in _FOR_NEWCOMERS
    }
    entries = {
        (row["organisation_id"], row["checklist_id"]): dict(row)
        for row in db.session.execute(_THERE, of_cooperation).mappings()
    }
    for key in entries.keys() - wanted.keys():
        db.session.execute(sa.delete(RegisterEntry).where(*_is(key)))
    new = [entry for key, entry in wanted.items() if key not in entries]
    if new:
        db.session.execute(sa.insert(RegisterEntry), new)
    changed = [entry for key, entry in wanted.items() if entries.get(key, entry) != entry]
    if changed:
        db.session.execute(sa.update(RegisterEntry), changed)


def fill_missing() -> int:
    """Create the entries of cooperations that have none; return how many. Commits after each."""
    waiting = db.session.scalars(
        sa.select(Checklist.cooperation_id)
        .where(~sa.exists().where(RegisterEntry.checklist_id == Checklist.id))
        .distinct()
        .order_by(Checklist.cooperation_id)
    ).all()
    for cooperation_id in waiting:
        refresh(cooperation_id)
        db.session.commit()
    db.session.rollback()
    return len(waiting)


def _is(key: tuple[UUID, UUID]) -> list[Any]:
    return [getattr(RegisterEntry, name) == value for name, value in zip(_KEY, key, strict=True)]
