"""Audiences: who is listed for a visit (V2), a class (C11) or a case (U10), and from when."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.cooperations.models import AudienceMember
from tracker.core import clock
from tracker.core.db import db, load_joined

Listing = tuple[UUID, dt.date, bool]


@dataclass(frozen=True, slots=True)
class Listed:
    """Whether a person is on an audience list today, and whether as the lead."""

    listed: bool = False
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Days:
    """From which day each person listed for a subject may know of it, and who leads."""

    # The lead may know from the beginning.
    first: Mapping[UUID, dt.date]
    leads: frozenset[UUID]
    rows: tuple[AudienceMember, ...]


def set_audience(
    cooperation_id: UUID,
    subject_type: str,
    subject_id: UUID,
    members: Iterable[Listing],
    *,
    number: int | None = None,
) -> bool:
    """Replace an audience with these people: (user, from which day, whether lead).

    Unchanged rows stay. Records AUDIENCE_CHANGED, with the visit's number if it is a visit's, and
    returns True if anything changed. The caller asks the policy.
    """
    wanted = {user_id: (from_on, leads) for user_id, from_on, leads in members}
    rows = {row.user_id: row for row in db.session.scalars(_ROWS, _of(subject_type, subject_id))}
    changed = False
    for user_id in rows.keys() - wanted.keys():
        db.session.delete(rows[user_id])
        changed = True
    for user_id, (from_on, leads) in wanted.items():
        row = rows.get(user_id)
        if row is None:
            row = AudienceMember(
                cooperation_id=cooperation_id,
                subject_type=subject_type,
                subject_id=subject_id,
                user_id=user_id,
            )
            db.session.add(row)
        elif (row.from_on, row.leads) == (from_on, leads):
            continue
        row.from_on, row.leads = from_on, leads
        changed = True
    if changed:
        record(
            verbs.AUDIENCE_CHANGED,
            # Without an actor: whoever may change it may be on the team (class K2).
            actor=None,
            subject_type=subject_type,
            subject_id=subject_id,
            cooperation_id=cooperation_id,
            **({} if number is None else {"number": number}),  # type: ignore[arg-type] # a detail
        )
    return changed


def listed(
    actor: Actor, subject_type: str, subject_id: sa.SQLColumnExpression[UUID]
) -> sa.ColumnElement[bool]:
    """Return the condition that a person is listed today, for the column with the subject's id.

    The lead always is. Being listed is one half of seeing class K2; the clearance is the other.
    """
    return sa.exists().where(
        AudienceMember.subject_type == subject_type,
        AudienceMember.subject_id == subject_id,
        AudienceMember.user_id == actor.user_id,
        sa.or_(AudienceMember.leads.is_(True), AudienceMember.from_on <= clock.today()),
    )


def standing(actor: Actor, subject_type: str, subject_id: UUID) -> Listed:
    """Return whether and how a person is listed for a subject today."""
    row = db.session.scalar(_OF_PERSON, {**_of(subject_type, subject_id), "user_id": actor.user_id})
    if row is None:
        return Listed()
    return Listed(listed=row.leads or row.from_on <= clock.today(), leads=row.leads)


def is_listed(actor: Actor, subject_type: str, subject_id: UUID) -> bool:
    """Return whether a person is listed for a subject today."""
    return standing(actor, subject_type, subject_id).listed


def audience(subject_type: str, subject_id: UUID) -> list[AudienceMember]:
    """Return everybody listed for a subject, with their names; for pages of class K2."""
    return list(db.session.scalars(_WITH_NAMES, _of(subject_type, subject_id)))


def days(subject_type: str, subject_id: UUID) -> Days:
    """Return from which day each person listed for a subject may know of it, and who leads."""
    rows = db.session.scalars(_ROWS, _of(subject_type, subject_id)).all()
    return Days(
        first={row.user_id: dt.date.min if row.leads else row.from_on for row in rows},
        leads=frozenset(row.user_id for row in rows if row.leads),
        rows=tuple(rows),
    )


def _of(subject_type: str, subject_id: UUID) -> dict[str, object]:
    return {"subject_type": subject_type, "subject_id": subject_id}


_ROWS = sa.select(AudienceMember).where(
    AudienceMember.subject_type == sa.bindparam("subject_type"),
    AudienceMember.subject_id == sa.bindparam("subject_id"),
)
_OF_PERSON = _ROWS.where(AudienceMember.user_id == sa.bindparam("user_id"))
_WITH_NAMES = _ROWS.options(load_joined(AudienceMember.user, User.name))
