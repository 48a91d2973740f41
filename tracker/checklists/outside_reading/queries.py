"""Queries for outside second readers, and the condition that gives them access to a text."""

import datetime as dt
from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from tracker.access.actor import Actor, Role
from tracker.accounts import queries as accounts
from tracker.accounts.models import Invitation, Membership, User
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    OutsideReading,
    ReadingEnd,
)
from tracker.checklists.outside_reading.policy import Candidate
from tracker.cooperations.models import Cooperation, CooperationPerson, Party
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.models import Organisation

_TEXT, _ROLE, _PARTY = aliased(Checklist), aliased(Membership), aliased(Party)


def open_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over OutsideReading that the person may read its text now.

    Until its last day, while the text is being drafted, and only as long as they have no role with
    any party; never for an administrator. It gives access to this text and nothing else in the
    cooperation.
    """
    if actor.is_administrator:
        return sa.false()
    today = clock.today()
    is_drafted = sa.exists().where(
        _TEXT.id == OutsideReading.checklist_id, _TEXT.state == ChecklistState.DRAFTING
    )
    has_role = sa.exists().where(
        _ROLE.user_id == actor.user_id,
        _is_running(_ROLE, today),
        _TEXT.id == OutsideReading.checklist_id,
        _PARTY.cooperation_id == _TEXT.cooperation_id,
        _is_with(_ROLE, _PARTY),
    )
    return sa.and_(
        OutsideReading.reader_id == actor.user_id,
        OutsideReading.ended_at.is_(None),
        OutsideReading.until_on >= today,
        is_drafted,
        ~has_role,
    )


def find(actor: Actor, reading_id: UUID) -> OutsideReading | None:
    """Return the invitation by which a person may read a text now, with the text, or None."""
    return db.session.scalar(
        sa.select(OutsideReading)
        .where(OutsideReading.id == reading_id, open_to(actor))
        .options(joinedload(OutsideReading.checklist).joinedload(Checklist.template))
        .execution_options(populate_existing=True)
    )


def is_open_to(actor: Actor, reading: OutsideReading) -> bool:
    """Return whether a person may read a text now."""
    query = sa.select(OutsideReading.id).where(OutsideReading.id == reading.id, open_to(actor))
    return db.session.scalar(query) is not None


def of_reader(actor: Actor) -> list[OutsideReading]:
    """Return the texts that a person may read now, the earliest last day first."""
    query = (
        sa.select(OutsideReading)
        .where(open_to(actor))
        .order_by(OutsideReading.until_on, OutsideReading.id)
    )
    return list(db.session.scalars(query))


def may_come_in(user_id: UUID) -> bool:
    """Return whether somebody without a role may sign in because they are asked to read a text.

    Until the last day, also after confirming, so that they see that they did; the text is then
    closed to them.
    """
    return bool(
        db.session.scalar(
            sa.exists()
            .where(
                OutsideReading.reader_id == user_id,
                OutsideReading.until_on >= clock.today(),
                sa.or_(OutsideReading.ended_at.is_(None), OutsideReading.end == ReadingEnd.READ),
            )
            .select()
        )
    )


def not_accepted(email: str) -> list[OutsideReading]:
    """Return the open invitations to an address that nobody has accepted, with their texts.

    Not scoped: for the person who proved that the address is theirs.
    """
    query = (
        sa.select(OutsideReading)
        .where(
            OutsideReading.email == email,
            OutsideReading.reader_id.is_(None),
            OutsideReading.ended_at.is_(None),
            OutsideReading.until_on >= clock.today(),
        )
        .options(joinedload(OutsideReading.checklist))
        .order_by(OutsideReading.asked_at)
    )
    return list(db.session.scalars(query))


def open_on(checklist_id: UUID) -> OutsideReading | None:
    """Return the open invitation for a text that a scoped query found."""
    query = sa.select(OutsideReading).where(
        OutsideReading.checklist_id == checklist_id, OutsideReading.ended_at.is_(None)
    )
    return db.session.scalar(query)


def run_out(day: dt.date) -> list[UUID]:
    """Return the open invitations whose last day has passed; for the worker."""
    query = (
        sa.select(OutsideReading.id)
        .where(OutsideReading.ended_at.is_(None), OutsideReading.until_on < day)
        .order_by(OutsideReading.until_on)
    )
    return list(db.session.scalars(query))


def held_if_run_out(reading_id: UUID, day: dt.date) -> Checklist | None:
    """Lock and return the text of an invitation whose last day has passed; for the worker.

    None if it has already ended, or if the text is locked.
    """
    return db.session.scalar(
        sa.select(Checklist)
        .join(OutsideReading, OutsideReading.checklist_id == Checklist.id)
        .where(
            OutsideReading.id == reading_id,
            OutsideReading.ended_at.is_(None),
            OutsideReading.until_on < day,
        )
        .with_for_update(of=Checklist, skip_locked=True)
    )


def candidate(cooperation: Cooperation, authors: Collection[UUID], email: str) -> Candidate:
    """Return what is known about the person with an address; the caller may ask people to read."""
    user = accounts.find_user_by_email(email)
    party = db.session.scalar(
        sa.select(Organisation.name)
        .join(Party, Party.organisation_id == Organisation.id)
        .where(Party.cooperation_id == cooperation.id, _belongs(user, email))
        .order_by(Party.joined_on, Organisation.name)
        .limit(1)
    )
    if user is None:
        return Candidate(party=party or "")
    took_part = db.session.scalar(
        sa.select(
            sa.exists().where(
                CooperationPerson.cooperation_id == cooperation.id,
                CooperationPerson.user_id == user.id,
            )
        )
    )
    is_administrator = db.session.scalar(
        sa.select(
            sa.exists().where(
                _ROLE.user_id == user.id,
                _ROLE.role == Role.ADMINISTRATOR,
                _ROLE.ended_at.is_(None),
            )
        )
    )
    return Candidate(
        party=party or "",
        took_part=bool(took_part) or user.id in authors,
        is_administrator=bool(is_administrator),
        is_suspended=not user.active,
    )


def _belongs(user: User | None, email: str) -> sa.ColumnElement[bool]:
    """Return the condition over Party that a person has a role with it, or is invited to one."""
    invited = sa.exists().where(
        Invitation.email == email,
        Invitation.organisation_id == Party.organisation_id,
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > clock.now(),
    )
    if user is None:
        return invited
    has_role = sa.exists().where(
        _ROLE.user_id == user.id, _is_running(_ROLE, clock.today()), _is_with(_ROLE, Party)
    )
    return sa.or_(invited, has_role)


def _is_running(role: type[Membership], day: dt.date) -> sa.ColumnElement[bool]:
    """Return the condition that a role has not ended, including one that has yet to begin."""
    return sa.and_(role.ended_at.is_(None), sa.or_(role.ends_on.is_(None), role.ends_on >= day))


def _is_with(role: type[Membership], party: type[Party]) -> sa.ColumnElement[bool]:
    """Return the condition that a role is with a party, or audits it."""
    return sa.or_(
        role.organisation_id == party.organisation_id, role.audits_id == party.organisation_id
    )
