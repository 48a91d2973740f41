"""Reminders before a power to sign or decide ends, and what is recorded once it has run out.

A role as signatory or manager ends on its last day, and a signatory can't act after the last day of
their power (signoff.policy.decides). No verb changes these days in place (adr 45), so an event for
each role says what was sent. The worker looks for such roles once a day.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from tracker.access.actor import POWERS, Role
from tracker.accounts import messages, queries
from tracker.accounts.models import Membership, User
from tracker.accounts.people import powers
from tracker.activity import service as trail
from tracker.activity.models import Event
from tracker.activity.verbs import POWER_END_REMINDED, POWER_RAN_OUT, Verb
from tracker.activity.witness import NotSoundError, are_of_instance_as_recorded
from tracker.core.db import db

SUBJECT = "membership"
# How long before its last day people are reminded: a new role has to be decided and confirmed.
AHEAD = dt.timedelta(days=30)
_DAY = dt.timedelta(days=1)
_Other = aliased(Membership)


def ending(day: dt.date) -> Sequence[UUID]:
    """Return the signatory and manager roles whose end people are to be reminded of."""
    return _membership_ids(_is_ending(day))


def remind(membership_id: UUID, day: dt.date) -> bool:
    """Remind a person that their power ends soon, and those who can confirm a new role.

    These are the organisation's other signatories and managers; administrators if there are none.
    For the worker. Return False if it isn't due any more, or if a confirmed role follows without a
    gap. Raise NotSoundError if the role isn't the one that events bind.
    """
    membership = _take(membership_id, _is_ending(day))
    if membership is None:
        return False
    last = min(day for day in (membership.ends_on, membership.power_until) if day is not None)
    if _continues(membership, last + _DAY):
        return False
    others = queries.holders_of_power(membership.organisation_id).without(membership.user_id).open
    _record(POWER_END_REMINDED, membership, last)
    messages.power_ends(membership.user, membership.role, last)
    confirming = queries.contacts(others or queries.administrators()).values()
    messages.power_to_confirm_ends(confirming, membership.user_id, last)
    return True


def run_out(day: dt.date) -> Sequence[UUID]:
    """Return the signatory roles whose power ran out before a day, which no event says yet."""
    return _membership_ids(_has_run_out(day))


def note(membership_id: UUID, day: dt.date) -> bool:
    """Record that a signatory's power has run out while their role continues, and tell people.

    For the worker. Return False if that is recorded already, or if another role replaces it. Raise
    NotSoundError if the role isn't the one that events bind.
    """
    membership = _take(membership_id, _has_run_out(day))
    if membership is None or membership.power_until is None or _continues(membership, day):
        return False
    left = queries.holders_of_power(membership.organisation_id).open
    _record(POWER_RAN_OUT, membership, membership.power_until, nobody_left=not left)
    others = queries.contacts(left - {membership.user_id}).values()
    messages.power_of_other_ended(others, membership.user_id, membership.power_until)
    _tell(membership, membership.power_until)
    return True


def tell_of_last_day(membership: Membership, day: dt.date) -> None:
    """Tell people that a signatory or manager role has ended with its last day.

    The organisation's other signatories and managers get an email anyway (powers.tell_of_end).
    """
    if membership.role in POWERS and membership.ends_on and not _continues(membership, day):
        _tell(membership, membership.ends_on)


def _tell(membership: Membership, last: dt.date) -> None:
    """Tell the person, and if nobody is left who signs or decides, those who can change that."""
    if membership.user.active:
        messages.power_ended(membership.user, membership.role, last)
    if queries.holders_of_power(membership.organisation_id).open:
        return
    where = [membership.organisation_id] if membership.organisation_id else []
    coordinators = queries.people_with_role(where, [Role.COORDINATOR])
    people = (coordinators | queries.administrators()) - {membership.user_id}
    messages.power_of_last_ended(queries.contacts(people).values(), membership.user_id, last)


def _record(verb: Verb, membership: Membership, last: dt.date, **more: Any) -> None:
    trail.record(
        verb,
        actor=None,
        subject_type=SUBJECT,
        subject_id=membership.id,
        **powers.named(membership),
        person_id=str(membership.user_id),
        until=last.isoformat(),
        **more,
    )


def _membership_ids(condition: sa.ColumnElement[bool]) -> Sequence[UUID]:
    return db.session.scalars(sa.select(Membership.id).where(condition)).all()


def _take(membership_id: UUID, condition: sa.ColumnElement[bool]) -> Membership | None:
    """Lock a role with its person and the organisation's powers; None if it isn't due any more.

    Raise NotSoundError if the row isn't the one that events bind: no event repeats its days.
    """
    whose = sa.select(Membership.user_id, Membership.organisation_id)
    user_id, organisation_id = db.session.execute(whose.where(Membership.id == membership_id)).one()
    powers.hold(user_id, organisation_id)
    membership = db.session.scalar(
        sa.select(Membership)
        .options(joinedload(Membership.user))
        .where(Membership.id == membership_id, condition)
        .with_for_update(of=Membership)
        .execution_options(populate_existing=True)
    )
    if membership is not None and not are_of_instance_as_recorded(
        [membership], [("user", user_id)]
    ):
        raise NotSoundError
    return membership


def _is_ending(day: dt.date) -> sa.ColumnElement[bool]:
    near = day + AHEAD
    return sa.and_(
        Membership.role.in_(sorted(POWERS)),
        Membership.begun_at.is_not(None),
        Membership.ended_at.is_(None),
        sa.or_(Membership.ends_on <= near, Membership.power_until <= near),
        sa.or_(Membership.ends_on.is_(None), Membership.ends_on >= day),
        sa.or_(Membership.power_until.is_(None), Membership.power_until >= day),
        sa.exists().where(User.id == Membership.user_id, User.active),
        _is_unrecorded(POWER_END_REMINDED),
    )


def _has_run_out(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(
        Membership.role == Role.SIGNATORY,
        Membership.begun_at.is_not(None),
        Membership.ended_at.is_(None),
        sa.or_(Membership.ends_on.is_(None), Membership.ends_on >= day),
        Membership.power_until < day,
        _is_unrecorded(POWER_RAN_OUT),
    )


def _is_unrecorded(verb: Verb) -> sa.ColumnElement[bool]:
    """Return the condition over Membership that no event of a kind is about it."""
    # Counted, since PostgreSQL may answer EXISTS by reading all events.
    events = (
        sa.select(sa.func.count())
        .where(
            Event.subject_type == SUBJECT,
            Event.subject_id == Membership.id,
            Event.verb == verb.name,
        )
        .correlate(Membership)
        .scalar_subquery()
    )
    return events == 0


def _continues(membership: Membership, day: dt.date) -> bool:
    """Return whether another role gives the same person the same power on a day."""
    other = sa.exists().where(
        _Other.id != membership.id,
        _Other.user_id == membership.user_id,
        _Other.organisation_id == membership.organisation_id,
        _Other.role == membership.role,
        queries.is_current_power(day, _Other),
    )
    return bool(db.session.scalar(sa.select(other)))
