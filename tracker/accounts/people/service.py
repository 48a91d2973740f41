"""Service functions for people: profile, roles, leaving, suspension, second-factor reset.

In one file: each verb on a person or a role ends sessions and tells people in the same way.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from tracker.access.actor import POWERS, Actor, OrganisationKind, Role
from tracker.accounts import messages, policy, queries
from tracker.accounts.factors import binding, credentials, seals
from tracker.accounts.factors.binding import Change
from tracker.accounts.models import Membership, User
from tracker.accounts.people import (
    invitations,
    names,
    power_ends,
    powers,
    sessions,
    telephones,
    without_email,
)
from tracker.activity import service as trail
from tracker.activity.service import DomainEvent
from tracker.activity.verbs import (
    PERSON_CHANGED,
    PERSON_RESTORED,
    PERSON_SUSPENDED,
    ROLE_ENDED,
    ROLE_GIVEN,
    SECOND_FACTOR_RESET,
    SECOND_FACTOR_SET,
    SESSIONS_ENDED,
)
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.names import tidied
from tracker.notifications import service as notifications
from tracker.organisations.models import Organisation

TERM_RAN_OUT = "term ran out"
LEFT = "left"
RESET = "second factor reset"


@dataclass(frozen=True, slots=True)
class NewRole:
    """A role to give: until when, and for a signatory by what power and in which office."""

    role: Role
    organisation_id: UUID | None
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    power: str = ""
    power_from: dt.date | None = None
    power_until: dt.date | None = None
    office: str = ""
    outside_expert: bool = False
    audits_id: UUID | None = None


def change_profile(actor: Actor, *, name: str, language: str, telephone: str) -> None:
    """Change the actor's own name, language and telephone number.

    Raise RuleBrokenError with the field name. Those who sign, manage or coordinate don't change
    their own name (names.rename).
    """
    user = queries.hold(actor.user_id)
    tidy = tidied(name, former=user.name)
    if not tidy:
        raise RuleBrokenError(_l("Enter your name"), "name")
    wanted = {"name": tidy, "language": language}
    changed = [field for field, value in wanted.items() if getattr(user, field) != value]
    if "name" in changed and not (may := names.can_rename(actor, user.id)):
        raise RuleBrokenError(may.reason, "name")
    for field in changed:
        setattr(user, field, wanted[field])
    telephones.change(actor, " ".join(telephone.split()))
    if changed:
        trail.record(
            PERSON_CHANGED,
            actor=actor,
            subject_type="user",
            subject_id=user.id,
            changed=changed,
        )


def give_role(actor: Actor, user_id: UUID, new: NewRole) -> Membership:
    """Give another person a role in an organisation.

    Coordinators give roles only to people of their own organisation. A signatory or manager role
    may stay pending until it is confirmed (powers.begin); so may one that widens or extends a role
    the person has, and replaces it. Raises RefusedError, or RuleBrokenError with the field: role,
    organisation, power, office, ends_on, audits. Somebody who never signs in is a member only.
    """
    policy.can_give_to(actor, user_id).require()
    organisation = invitations.check_roles(actor, new.organisation_id, {new.role})
    user = powers.hold(user_id, new.organisation_id)
    person = _facts(user_id)
    if not actor.is_administrator and not person.is_in(actor.organisation_id):
        raise RuleBrokenError(_l("Invite the person first."))
    if not user.signs_in and new.role is not without_email.ROLE:
        raise RuleBrokenError(
            _l("A person without email never signs in, so they can only be a member."), "role"
        )
    _check_new(new, organisation)
    _check_not_held(user_id, new)
    membership = Membership(
        id=uuid4(),
        user_id=user_id,
        organisation_id=new.organisation_id,
        role=new.role,
        starts_on=new.starts_on or clock.today(),
        ends_on=new.ends_on,
        outside_expert=new.outside_expert,
        power=new.power if new.role is Role.SIGNATORY else "",
        power_from=new.power_from if new.role is Role.SIGNATORY else None,
        power_until=new.power_until if new.role is Role.SIGNATORY else None,
        office=new.office,
        audits_id=new.audits_id if new.role is Role.AUDITOR else None,
        created_at=clock.now(),
        begun_at=None if new.role in POWERS else clock.now(),
    )
    powers.require_holdable(user_id, membership)
    db.session.add(membership)
    trail.record(
        ROLE_GIVEN,
        actor=actor,
        subject_type="user",
        subject_id=user_id,
        person=user.name,
        organisation=organisation.name if organisation else "",
        organisation_id=str(new.organisation_id or ""),
        role=new.role.value,
        since=membership.starts_on.isoformat(),
        until=membership.ends_on.isoformat() if membership.ends_on else "",
    )
    powers.begin(actor, membership)
    messages.roles_changed(user)
    return membership


def end_role(actor: Actor, membership_id: UUID, *, reason: str) -> None:
    """End somebody's role immediately; with the last role in an organisation sessions end too.

    A signatory's or manager's role is ended by another signatory or manager, the last one's by an
    administrator. Raises RefusedError, or RuleBrokenError if it has already ended, no reason is
    given, or it is the last administrator's.
    """
    membership = powers.lock_role(membership_id)
    policy.can_end_role(
        actor, powers.facts_of(membership), queries.holders_of_power(membership.organisation_id)
    ).require()
    if not reason.strip():
        raise RuleBrokenError(_l("Say why the role ends"), "reason")
    if membership.role is Role.ADMINISTRATOR:
        _check_not_last_administrator(membership.user_id)
    _end([membership], actor, reason)
    messages.roles_changed(membership.user)


def leave(actor: Actor, organisation_id: UUID) -> None:
    """End all of the actor's roles in an organisation, and their sessions.

    Raises RefusedError for its last signatory or manager, RuleBrokenError if the actor has none
    there.
    """
    powers.hold(actor.user_id, organisation_id)
    memberships = _not_ended(actor.user_id, organisation_id)
    if not memberships:
        raise RuleBrokenError(_l("You don't have a role in this organisation."))
    policy.can_leave(actor.user_id, queries.holders_of_power(organisation_id)).require()
    _end(memberships, actor, LEFT)


def roles_run_out(day: dt.date) -> Sequence[UUID]:
    """Return the roles whose last day was before a day and that were not ended; for the worker."""
    return db.session.scalars(
        sa.select(Membership.id).where(_has_run_out(day)).order_by(Membership.ends_on)
    ).all()


def follow_last_role(event: DomainEvent) -> None:
    """End a person's notifications once they have no role left in any organisation.

    Handler of ROLE_ENDED, whose subject is the person. A role that begins later counts.
    """
    still = sa.exists().where(
        Membership.user_id == event.subject_id, queries.runs_on_or_later(clock.today())
    )
    if not db.session.scalar(sa.select(still)):
        notifications.end_all(event.subject_id)


def end_role_run_out(membership_id: UUID, day: dt.date) -> bool:
    """End a role whose last day has passed; False if it was ended or extended in the meantime.

    The role no longer gave access; ending it closes what depended on it. A signatory or manager is
    told, and if nobody is left who signs or decides, those who can change that. For the worker.
    """
    whose = sa.select(Membership.user_id, Membership.organisation_id)
    user_id, organisation_id = db.session.execute(whose.where(Membership.id == membership_id)).one()
    powers.hold(user_id, organisation_id)
    membership = db.session.scalar(
        _roles()
        .where(Membership.id == membership_id, _has_run_out(day))
        .execution_options(populate_existing=True)
    )
    if membership is None:
        return False
    _end([membership], None, TERM_RAN_OUT)
    power_ends.tell_of_last_day(membership, day)
    return True


def _has_run_out(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(Membership.ended_at.is_(None), Membership.ends_on < day)


def suspend(actor: Actor, user_id: UUID, *, reason: str) -> None:
    """Suspend an account immediately, in open sessions too; its roles stay for its return.

    Its telephone number is deleted.

    Raises RefusedError, or RuleBrokenError if it is already suspended, no reason is given, or it is
    the last administrator's.
    """
    user = queries.hold(user_id)
    policy.can_suspend(actor, _facts(user_id)).require()
    if not user.active:
        raise RuleBrokenError(_l("This account is already suspended."))
    if not reason.strip():
        raise RuleBrokenError(_l("Say why the account is suspended"), "reason")
    _check_not_last_administrator(user_id)
    with binding.keeping(actor, user, Change.SUSPENDED):
        user.active = False
        user.suspended_at = clock.now()
        user.suspended_reason = reason.strip()
        _forget_sessions(user)
    telephones.erase(user.id)
    trail.record(
        PERSON_SUSPENDED,
        actor=actor,
        subject_type="user",
        subject_id=user.id,
        person=user.name,
        reason=user.suspended_reason,
    )
    messages.suspended(user)


def restore(actor: Actor, user_id: UUID) -> None:
    """Restore a suspended account; what the suspension closed stays closed.

    Raises RefusedError, or RuleBrokenError if it is not suspended.
    """
    user = queries.hold(user_id)
    policy.can_restore(actor, _facts(user_id)).require()
    if user.active:
        raise RuleBrokenError(_l("This account is open."))
    with binding.keeping(actor, user, Change.RESTORED):
        user.active = True
        user.suspended_at = None
        user.suspended_reason = ""
    trail.record(
        PERSON_RESTORED,
        actor=actor,
        subject_type="user",
        subject_id=user.id,
        person=user.name,
    )
    messages.restored(user)


def reset_second_factor(actor: Actor, user_id: UUID, *, reason: str) -> None:
    """Delete a lost second factor, including passkeys, so that the person sets up a new one.

    Done by a second person. If the credentials were changed outside the application, the password
    is deleted too: the person chooses a new one by a link to their address, which has to be the one
    the account was created for. Raises RefusedError, or RuleBrokenError if there is none or no
    reason is given.
    """
    user = queries.hold(user_id)
    policy.can_reset_second_factor(actor, _facts(user_id)).require()
    if not user.has_second_factor and not needs_reset(user_id):
        raise RuleBrokenError(_l("This person has no second factor."))
    _reset(actor, user, reason)


def reset_by_command(user_id: UUID, *, reason: str) -> None:
    """Reset a person's credentials from the command line.

    For an administrator whom nobody else can reset. Raises as reset_second_factor() does.
    """
    _reset(None, queries.hold(user_id), reason)


def needs_reset(user_id: UUID) -> bool:
    """Return whether a person's credentials were changed outside the application."""
    return binding.fault_of(db.session.get_one(User, user_id)) is not None


def has_own_address(user_id: UUID) -> bool:
    """Return whether a person's address is the one the account was created for."""
    return seals.has_own_address(db.session.get_one(User, user_id))


def _reset(actor: Actor | None, user: User, reason: str) -> None:
    if not reason.strip():
        raise RuleBrokenError(_l("Say why, and how you made sure who is asking"), "reason")
    if not seals.has_own_address(user):
        raise RuleBrokenError(
            _l(
                "The email address of this account was changed outside this application. It has "
                "to be put back in the database before anything can be reset."
            )
        )
    if needs_reset(user.id):
        user.password = None
    user.tf_primary_method = None
    user.tf_totp_secret = None
    user.totp_last_step = None
    user.mf_recovery_codes = None
    credentials.remove_all(actor, user, reason=RESET)
    _forget_sessions(user)
    binding.bind(actor, user, Change.RESET)
    trail.record(
        SECOND_FACTOR_RESET,
        actor=actor,
        subject_type="user",
        subject_id=user.id,
        person=user.name,
        reason=reason.strip(),
    )
    messages.second_factor_reset(user)


def note_second_factor_set(actor: Actor | None, user: User) -> None:
    """Record that a person set up a second factor, and tell them."""
    trail.record(SECOND_FACTOR_SET, actor=actor, subject_type="user", subject_id=user.id)
    messages.second_factor_set(user)


def end_sessions(actor: Actor | None, user: User) -> None:
    """End all sessions and password links of a person from the next request on."""
    person = queries.hold(user.id)
    with binding.keeping(actor, person, Change.SESSIONS):
        _forget_sessions(person)


def end_own_sessions(actor: Actor) -> None:
    """End all the person's own sessions, on every device and however they were started."""
    user = queries.hold(actor.user_id)
    end_sessions(actor, user)
    trail.record(SESSIONS_ENDED, actor=actor, subject_type="user", subject_id=user.id)


def end_sessions_of(actor: Actor, user_id: UUID, *, reason: str) -> None:
    """End all sessions of somebody else, on every device; the account stays active.

    Raises RefusedError, or RuleBrokenError if no reason is given.
    """
    user = queries.hold(user_id)
    policy.can_end_sessions(actor, _facts(user_id)).require()
    if not reason.strip():
        raise RuleBrokenError(_l("Say why the sessions end"), "reason")
    end_sessions(actor, user)
    trail.record(
        SESSIONS_ENDED,
        actor=actor,
        subject_type="user",
        subject_id=user.id,
        person=user.name,
        reason=reason.strip(),
    )
    messages.sessions_ended(user)


def _forget_sessions(user: User) -> None:
    """End a person's sessions, with a new session marker; the caller binds it."""
    user.fs_uniquifier = uuid4().hex
    sessions.end_all(user.id)


def _end(memberships: Sequence[Membership], actor: Actor | None, reason: str) -> None:
    """End roles of one person in one organisation, and record the consequences."""
    for membership in memberships:
        membership.ended_at = clock.now()
    db.session.flush()
    user, organisation = memberships[0].user, memberships[0].organisation
    last = not _running(user.id, memberships[0].organisation_id)
    if last:
        end_sessions(actor, user)
        if not _has_any_role(user.id):
            telephones.erase(user.id)
    for membership in memberships:
        trail.record(
            ROLE_ENDED,
            actor=actor,
            subject_type="user",
            subject_id=user.id,
            person=user.name,
            organisation=organisation.name if organisation else "",
            organisation_id=str(membership.organisation_id or ""),
            role=membership.role.value,
            last=last,
            reason=reason,
        )
        powers.tell_of_end(actor, membership)


def _has_any_role(user_id: UUID) -> bool:
    """Return whether a person has a current or pending role in any organisation."""
    own = sa.exists().where(Membership.user_id == user_id, Membership.ended_at.is_(None))
    return bool(db.session.scalar(sa.select(own)))


def _facts(user_id: UUID) -> policy.PersonFacts:
    facts = queries.facts_of(user_id)
    if facts is None:
        message = f"There is no person {user_id}."
        raise LookupError(message)
    return facts


def _roles() -> "sa.Select[Membership]":
    return (
        sa.select(Membership)
        .options(joinedload(Membership.user), joinedload(Membership.organisation))
        .with_for_update(of=Membership)
    )


def _not_ended(user_id: UUID, organisation_id: UUID | None) -> Sequence[Membership]:
    """Return a person's current and pending roles in an organisation."""
    return db.session.scalars(
        _roles().where(
            Membership.user_id == user_id,
            Membership.organisation_id == organisation_id,
            sa.or_(queries.runs_on(clock.today()), queries.waits()),
        )
    ).all()


def _running(user_id: UUID, organisation_id: UUID | None) -> Sequence[Membership]:
    """Return a person's roles in an organisation that have not ended."""
    return db.session.scalars(
        _roles().where(
            Membership.user_id == user_id,
            Membership.organisation_id == organisation_id,
            queries.runs_on(clock.today()),
        )
    ).all()


def _check_new(new: NewRole, organisation: Organisation | None) -> None:
    """Check power and office of a signatory, the NPM of an auditor, and the order of dates."""
    if new.role is Role.SIGNATORY and not new.office.strip():
        raise RuleBrokenError(_l("Enter the office of the signatory"), "office")
    if new.role is Role.SIGNATORY and not new.power.strip():
        raise RuleBrokenError(_l("Say under what power the person signs"), "power")
    if new.role is Role.SIGNATORY:
        invitations.check_power_days(new.power_from, new.power_until)
    if new.ends_on is not None and new.ends_on < (new.starts_on or clock.today()):
        raise RuleBrokenError(_l("The last day is before the first"), "ends_on")
    is_npm = organisation is not None and organisation.kind is OrganisationKind.NPM
    invitations.check_expert(organisation, outside_expert=new.outside_expert)
    if new.role is Role.AUDITOR and not is_npm:
        audited = db.session.get(Organisation, new.audits_id) if new.audits_id else None
        if audited is None or audited.kind is not OrganisationKind.NPM:
            raise RuleBrokenError(_l("Choose the NPM that is audited"), "audits")


def _check_not_held(user_id: UUID, new: NewRole) -> None:
    """Refuse a role that the person has, and a second pending signatory or manager role."""
    in_the_way = queries.waits() if new.role in POWERS else sa.true()
    membership_id = db.session.scalar(
        sa.select(Membership.id).where(
            in_the_way,
            Membership.user_id == user_id,
            Membership.organisation_id == new.organisation_id,
            Membership.role == new.role,
            Membership.ended_at.is_(None),
            sa.or_(Membership.ends_on.is_(None), Membership.ends_on >= clock.today()),
        )
    )
    if membership_id is not None and new.role in POWERS:
        raise RuleBrokenError(
            _l(
                "This person already has a role waiting to be confirmed. Confirm it or end it first"
            ),
            "role",
        )
    if membership_id is not None:
        raise RuleBrokenError(_l("The person already has this role"), "role")


def _check_not_last_administrator(user_id: UUID) -> None:
    """Refuse to end the last administrator; locks the rows, so two can't go at the same moment."""
    # A separate query, which sees what was changed while the first one waited for the lock.
    db.session.execute(
        sa.select(Membership.id)
        .where(Membership.role == Role.ADMINISTRATOR)
        .order_by(Membership.id)
        .with_for_update()
    ).all()
    administrators = db.session.scalars(
        sa.select(Membership.user_id)
        .join(Membership.user)
        .where(Membership.role == Role.ADMINISTRATOR, queries.runs_on(clock.today()), User.active)
    ).all()
    if set(administrators) == {user_id}:
        raise RuleBrokenError(_l("This is the last administrator. Add another one first."))
