"""Upkeep of the cooperations' entries, by which lists find, order and count them."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import OrganisationKind
from tracker.activity import verbs
from tracker.activity.service import DomainEvent
from tracker.cooperations.models import ChecklistKind, Cooperation, CooperationEntry, Party
from tracker.core.db import db
from tracker.core.services import Slot
from tracker.organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class NoticeDays:
    """The first days without the agreed terms by notices that haven't been applied yet."""

    suspends_on: dt.date | None = None
    ends_on: dt.date | None = None

    def columns(self) -> dict[str, dt.date | None]:
        """Return them as columns of an entry."""
        return {"notice_suspends_on": self.suspends_on, "notice_ends_on": self.ends_on}


# The reader of a cooperation's notices: checklists is a higher package.
NOTICE_DAYS_READER: Slot[Callable[[UUID], NoticeDays]] = Slot(
    "notice_days_reader", lambda _id: NoticeDays()
)

# The details that name whose notices a text replaced before they took effect.
_REPLACED = ("suspensions_replaced", "ends_replaced")
_PARTIES = (
    sa.select(
        Party.organisation_id,
        Party.side,
        Party.left_on,
        Party.is_joining,
        Organisation.name,
        Cooperation.opened_at,
        Cooperation.reference,
        Cooperation.title,
        Cooperation.stage,
        Cooperation.starts_on,
        Cooperation.ends_on,
    )
    .join(Organisation, Organisation.id == Party.organisation_id)
    .join(Cooperation, Cooperation.id == Party.cooperation_id)
    .where(Party.cooperation_id == sa.bindparam("cooperation_id"))
    .order_by(Party.position)
)
_THERE = sa.select(*CooperationEntry.__table__.columns).where(
    CooperationEntry.cooperation_id == sa.bindparam("cooperation_id")
)
_STAGE = (
    sa.select(Cooperation.stage)
    .where(Cooperation.id == CooperationEntry.cooperation_id)
    .scalar_subquery()
)


def follow(event: DomainEvent) -> None:
    """Update the entries of a cooperation whose head or parties changed. A handler."""
    if event.cooperation_id is not None:
        refresh(event.cooperation_id)


def follow_stage(event: DomainEvent) -> None:
    """Update the stage in a cooperation's entries. A handler."""
    db.session.execute(
        sa.update(CooperationEntry)
        .where(CooperationEntry.cooperation_id == event.cooperation_id)
        .values(stage=_STAGE)
    )


def follow_notices(event: DomainEvent) -> None:
    """Update the days of notices on the agreed terms in a cooperation's entries. A handler.

    A text that comes into force changes them only if it replaces such notices.
    """
    if event.details.get("kind") != ChecklistKind.TERMS.value:
        return
    if event.verb is verbs.CAME_INTO_FORCE and event.details.keys().isdisjoint(_REPLACED):
        return
    if event.cooperation_id is None:
        return
    days = NOTICE_DAYS_READER.get()(event.cooperation_id)
    db.session.execute(
        sa.update(CooperationEntry)
        .where(CooperationEntry.cooperation_id == event.cooperation_id)
        .values(**days.columns())
    )


def refresh(cooperation_id: UUID) -> None:
    """Recompute the entries of a cooperation, one for each of its parties."""
    of_cooperation = {"cooperation_id": cooperation_id}
    notice_days = NOTICE_DAYS_READER.get()(cooperation_id).columns()
    parties = db.session.execute(_PARTIES, of_cooperation).all()
    names = [party.name for party in parties]
    wanted: dict[UUID, dict[str, Any]] = {
        party.organisation_id: {
            "organisation_id": party.organisation_id,
            "cooperation_id": cooperation_id,
            "is_of_npm": party.side is OrganisationKind.NPM and not party.is_joining,
            "left_on": party.left_on,
            "opened_at": party.opened_at,
            "reference": party.reference,
            "stage": party.stage,
            "starts_on": party.starts_on,
            "ends_on": party.ends_on,
            **notice_days,
            "words": "\n".join([party.reference, party.title, *names]).casefold(),
        }
        for party in parties
    }
    entries = {
        row["organisation_id"]: dict(row)
        for row in db.session.execute(_THERE, of_cooperation).mappings()
    }
    if gone := entries.keys() - wanted.keys():
        db.session.execute(
            sa.delete(CooperationEntry).where(
                CooperationEntry.cooperation_id == cooperation_id,
                CooperationEntry.organisation_id.in_(gone),
            )
        )
    new = [entry for key, entry in wanted.items() if key not in entries]
    if new:
        db.session.execute(sa.insert(CooperationEntry), new)
    changed = [entry for key, entry in wanted.items() if entries.get(key, entry) != entry]
    if changed:
        db.session.execute(sa.update(CooperationEntry), changed)


def fill_missing() -> int:
    """Create the entries of cooperations that lack one; return how many. Commits after each."""
    waiting = db.session.scalars(
        sa.select(Party.cooperation_id)
        .where(
            ~sa.exists().where(
                CooperationEntry.cooperation_id == Party.cooperation_id,
                CooperationEntry.organisation_id == Party.organisation_id,
            )
        )
        .distinct()
        .order_by(Party.cooperation_id)
    ).all()
    for cooperation_id in waiting:
        refresh(cooperation_id)
        db.session.commit()
    db.session.rollback()
    return len(waiting)
