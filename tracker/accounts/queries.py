"""Queries for people, their roles and invitations.

In one file: people, roles and invitations are read by the same conditions on who has which role
when.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from tracker.access.actor import POWERS, Actor, ActorMembership, Confirmation, Role
from tracker.accounts.factors import binding
from tracker.accounts.labels import InvitationState
from tracker.accounts.models import Invitation, Membership, User
from tracker.accounts.policy import Holders, PersonFacts, RoleFacts, can_see_people, runs_from_to
from tracker.activity import queries as trail
from tracker.activity import verbs
from tracker.core import clock
from tracker.core.db import db
from tracker.core.services import Slot
from tracker.mail import addresses
from tracker.organisations.models import Organisation

# How many pending roles My work lists.
MOST_WAITING = 50


@dataclass(frozen=True, slots=True)
class PersonOf:
    """A person of an organisation, as a choice for others, with their roles on that day."""

    user_id: UUID
    name: str
    office: str
    roles: frozenset[Role]
    outside_expert: bool
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class Signatory:
    """A person who signs for an organisation, with office and power."""

    user_id: UUID
    name: str
    office: str
    power: str
    # The first and last day of the power, if it has any.
    power_from: dt.date | None = None
    power_until: dt.date | None = None

    def holds_on(self, day: dt.date) -> bool:
        """Return whether the power is recorded and valid on a day."""
        return bool(self.power) and runs_from_to(self.power_from, self.power_until, day)


@dataclass(frozen=True, slots=True)
class Contact:
    """How to write to a person: address, name and language."""

    user_id: UUID
    name: str
    email: str
    language: str
    # How often they want emails about notifications, as stored.
    notification_choices: str | None = None

    @property
    def id(self) -> UUID:
        """The person's id, as User has it."""
        return self.user_id


@dataclass(frozen=True, slots=True)
class PersonRole:
    """One role of a person as listed."""

    membership_id: UUID
    role: Role
    organisation_id: UUID | None
    organisation_name: str
    starts_on: dt.date
    ends_on: dt.date | None
    ended_at: dt.datetime | None
    outside_expert: bool
    power: str
    office: str
    runs: bool
    power_from: dt.date | None = None
    power_until: dt.date | None = None
    # For a signatory or manager: whether it awaits confirmation or acceptance, and who confirmed
    # it.
    waits: bool = False
    confirmed_how: Confirmation | None = None
    confirmed_by: str = ""
    confirmed_at: dt.datetime | None = None
    # Whether it isn't current yet: it awaits confirmation or acceptance, or begins later.
    is_to_come: bool = False

    def facts_of(self, person: UUID) -> RoleFacts:
        """Return this role's plain values for the rules."""
        return RoleFacts(
            person=person,
            organisation_id=self.organisation_id,
            role=self.role,
            has_begun=not self.waits,
            confirmed_how=self.confirmed_how,
        )


@dataclass(frozen=True, slots=True)
class WaitingPower:
    """A signatory or manager role that has not begun yet, as My work lists it."""

    membership_id: UUID
    user_id: UUID
    name: str
    role: Role
    organisation_id: UUID | None
    organisation_name: str
    is_confirmed: bool
    # Whether another signatory or manager of the organisation can confirm it.
    has_colleague: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A person as listed, with the roles that the reader may see."""

    id: UUID
    name: str
    email: str
    active: bool
    suspended_at: dt.datetime | None
    suspended_reason: str
    has_second_factor: bool
    created_at: dt.datetime
    roles: tuple[PersonRole, ...] = ()

    @property
    def signs_in(self) -> bool:
        """Whether the person has an address, and with it an account to sign in to."""
        return not addresses.is_of_nobody(self.email)

    @property
    def running(self) -> tuple[PersonRole, ...]:
        """The roles that are current today."""
        return tuple(role for role in self.roles if role.runs)

    @property
    def to_come(self) -> tuple[PersonRole, ...]:
        """The roles that aren't current yet."""
        return tuple(role for role in self.roles if role.is_to_come)


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """An invitation as listed."""

    id: UUID
    email: str
    name: str
    organisation_id: UUID | None
    organisation_name: str
    roles: tuple[Role, ...]
    state: InvitationState
    created_at: dt.datetime
    expires_at: dt.datetime
    invited_by_id: UUID | None = None


# People of organisations -------------------------------------------------------------------------


def memberships_of(user_id: UUID, day: dt.date) -> tuple[ActorMembership, ...]:
    """Return the roles of a person that are current on a day, in one query."""
    return as_memberships(db.session.execute(_MEMBERSHIPS, {"user_id": user_id, "day": day}))


def memberships_of_several(
    user_ids: Collection[UUID], day: dt.date
) -> dict[UUID, tuple[ActorMembership, ...]]:
    """Return the current roles of each of some people, none of suspended ones, in one query."""
    rows = db.session.execute(
        sa.select(User.id, *MEMBERSHIP)
        .join(Membership.user)
        .outerjoin(Membership.organisation)
        .where(User.id.in_(user_ids), User.active, runs_on(day))
        .order_by(User.id, Organisation.name, Membership.role)
    ).all()
    return {
        user_id: as_memberships([row for row in rows if row[0] == user_id]) for user_id in user_ids
    }


def as_memberships(rows: Iterable[Any]) -> tuple[ActorMembership, ...]:
    """Return the roles in rows that end with MEMBERSHIP, without a row that has none."""
    return tuple(
        ActorMembership(
            role=role,
            organisation_id=organisation_id,
            organisation_name=name or "",
            organisation_kind=kind,
            outside_expert=outside_expert,
            audits_id=audits_id,
            power=power,
            office=office,
            power_from=power_from,
            power_until=power_until,
            confirmed_how=confirmed_how,
            confirmed_by=confirmed_by,
            confirmed_at=confirmed_at,
            membership_id=membership_id,
        )
        for (
            *_before,
            role,
            organisation_id,
            name,
            kind,
            outside_expert,
            audits_id,
            power,
            office,
            power_from,
            power_until,
            confirmed_how,
            confirmed_by,
            confirmed_at,
            membership_id,
        ) in rows
        if membership_id is not None
    )


def organisations_of(user_id: UUID) -> frozenset[UUID]:
    """Return where a person has a role, or was given one that begins later."""
    rows = db.session.scalars(
        sa.select(Membership.organisation_id).where(
            Membership.user_id == user_id,
            Membership.organisation_id.is_not(None),
            Membership.ended_at.is_(None),
            sa.or_(Membership.ends_on.is_(None), Membership.ends_on >= clock.today()),
        )
    )
    return frozenset(organisation_id for organisation_id in rows if organisation_id)


def names_of_organisations(ids: Collection[UUID]) -> tuple[str, ...]:
    """Return the names and short names of organisations."""
    rows = db.session.execute(
        sa.select(Organisation.name, Organisation.short_name).where(Organisation.id.in_(ids))
    )
    return tuple(name for row in rows for name in row)


def people_of(organisation_id: UUID, day: dt.date | None = None) -> tuple[PersonOf, ...]:
    """Return the people of an organisation on a day (today) by name, without suspended ones."""
    return _people(Membership.organisation_id == organisation_id, day or clock.today())


def names_by_organisation(
    organisation_ids: Iterable[UUID], roles: Collection[Role], *, can_act: bool = False
) -> dict[UUID | None, dict[UUID, str]]:
    """Return who has any of some roles today in each of some organisations: names by id, by name.

    Without suspended people, in one query; with can_act, without signatories whose power isn't
    current.
    """
    today = clock.today()
    may_be_idle = sa.false() if can_act else sa.true()
    counts = sa.or_(may_be_idle, Membership.role.not_in(POWERS), is_current_power(today))
    people: dict[UUID | None, dict[UUID, str]] = {
        organisation_id: {} for organisation_id in organisation_ids
    }
    rows = db.session.execute(
        sa.select(Membership.organisation_id, User.id, User.name)
        .join(Membership.user)
        .where(
            Membership.organisation_id.in_(people),
            Membership.role.in_(roles),
            runs_on(today),
            User.active,
            counts,
        )
        .order_by(User.name, User.id)
    )
    for organisation_id, user_id, name in rows:
        people[organisation_id][user_id] = name
    return people


def people_with_role(
    organisation_ids: Iterable[UUID], roles: Collection[Role], *, can_act: bool = False
) -> set[UUID]:
    """Return who has any of some roles today in any of some organisations, in one query.

    As names_by_organisation().
    """
    by_organisation = names_by_organisation(organisation_ids, roles, can_act=can_act)
    return {user_id for names in by_organisation.values() for user_id in names}


def signatories_of(organisation_id: UUID, day: dt.date) -> tuple[Signatory, ...]:
    """Return who may sign for an organisation on a day, by name."""
    rows = db.session.execute(
        sa.select(
            User.id,
            User.name,
            Membership.office,
            Membership.power,
            Membership.power_from,
            Membership.power_until,
        )
        .join(Membership.user)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.role == Role.SIGNATORY,
            runs_on(day),
            User.active,
        )
        .order_by(User.name, User.id)
    )
    return tuple(Signatory(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class SigningRole:
    """A signatory's role, current or past, with what was recorded of it."""

    user_id: UUID
    office: str
    power: str
    power_from: dt.date | None
    power_until: dt.date | None
    starts_on: dt.date
    ends_on: dt.date | None
    begun_at: dt.datetime | None
    ended_at: dt.datetime | None
    # Since when the person is suspended, if they are.
    suspended_at: dt.datetime | None
    confirmed_how: Confirmation | None
    confirmed_by: str
    confirmed_at: dt.datetime | None
    membership_id: UUID

    def runs_on(self, day: dt.date) -> bool:
        """Return whether the role was current on a day, if only for a part of it."""
        if self.begun_at is None or day < _day_of(self.begun_at):
            return False
        in_term = runs_from_to(self.starts_on, self.ends_on, day)
        ends = (moment for moment in (self.ended_at, self.suspended_at) if moment)
        return in_term and all(day <= _day_of(moment) for moment in ends)

    def holds_on(self, day: dt.date) -> bool:
        """Return whether the role was current on a day, with a power recorded and valid then."""
        in_term = runs_from_to(self.power_from, self.power_until, day)
        return bool(self.power) and in_term and self.runs_on(day)


def _day_of(moment: dt.datetime) -> dt.date:
    return moment.astimezone(clock.zone()).date()


def signing_roles(organisation_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, list[SigningRole]]:
    """Return people's roles as signatories of an organisation, past ones too, oldest first."""
    rows = db.session.execute(
        sa.select(
            Membership.user_id,
            Membership.office,
            Membership.power,
            Membership.power_from,
            Membership.power_until,
            Membership.starts_on,
            Membership.ends_on,
            Membership.begun_at,
            Membership.ended_at,
            User.suspended_at,
            Membership.confirmed_how,
            Membership.confirmed_by,
            Membership.confirmed_at,
            Membership.id,
        )
        .join(Membership.user)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.user_id.in_(list(user_ids)),
            Membership.role == Role.SIGNATORY,
            Membership.begun_at.is_not(None),
        )
        .order_by(Membership.begun_at, Membership.id)
    )
    roles: dict[UUID, list[SigningRole]] = {}
    for row in rows:
        roles.setdefault(row.user_id, []).append(SigningRole(*list(row)))
    return roles


def contacts(user_ids: Iterable[UUID]) -> dict[UUID, Contact]:
    """Return how to write to people, by id, without suspended ones."""
    wanted = set(user_ids)
    if not wanted:
        return {}
    rows = db.session.execute(
        sa.select(User.id, User.name, User.email, User.language, User.notification_choices).where(
            User.id.in_(wanted), User.active
        )
    )
    return {row.id: Contact(*row) for row in rows}


def names(user_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of people by id, including suspended and former ones."""
    wanted = set(user_ids)
    if not wanted:
        return {}
    rows = db.session.execute(sa.select(User.id, User.name).where(User.id.in_(wanted)))
    return dict(rows.all())


def _people(where: sa.ColumnElement[bool], day: dt.date) -> tuple[PersonOf, ...]:
    rows = db.session.execute(
        sa.select(User, Membership.role, Membership.office, Membership.outside_expert)
        .join(Membership.user)
        .where(where, runs_on(day), User.active)
        .order_by(User.name, User.id)
    ).all()
    people: dict[UUID, PersonOf] = {}
    for user, role, office, outside_expert in rows:
        known = people.get(user.id)
        people[user.id] = PersonOf(
            user_id=user.id,
            name=user.name,
            office=(known.office if known else "") or office,
            roles=(known.roles if known else frozenset()) | {role},
            outside_expert=outside_expert or (known is not None and known.outside_expert),
            has_second_factor=user.has_second_factor,
        )
    return tuple(people.values())


def hold(user_id: UUID) -> User:
    """Lock and return a person until the transaction ends; for changes of accounts."""
    return binding.hold(user_id)


# Lists and pages of people ----------------------------------------------------------------------


def people(
    actor: Actor, *, words: str = "", suspended: bool = False, offset: int = 0, limit: int = 25
) -> tuple[int, list[Person]]:
    """Return the number of people the actor may see, and one page of them by name.

    Administrators see everybody; coordinators and managers the people of their own organisation,
    with their roles there.
    """
    wanted = sa.and_(_seen_by(actor), _matching(words), User.active.is_(not suspended))
    total = db.session.scalar(sa.select(sa.func.count()).select_from(User).where(wanted))
    users = db.session.scalars(
        sa.select(User).where(wanted).order_by(User.name, User.id).offset(offset).limit(limit)
    ).all()
    roles = _roles_of(actor, [user.id for user in users])
    return total or 0, [_person(user, roles.get(user.id, ())) for user in users]


def counts(actor: Actor, words: str = "") -> tuple[int, int]:
    """Return how many matching people have an active, and how many a suspended account."""
    rows = db.session.execute(
        sa.select(User.active, sa.func.count())
        .where(_seen_by(actor), _matching(words))
        .group_by(User.active)
    )
    counts_by_state = dict(rows.all())
    return counts_by_state.get(True, 0), counts_by_state.get(False, 0)


def find_user_for_actor(actor: Actor, user_id: UUID) -> Person | None:
    """Return a person the actor may see, with the roles the actor may see, or None."""
    user = db.session.scalar(sa.select(User).where(User.id == user_id, _seen_by(actor)))
    if user is None:
        return None
    return _person(user, _roles_of(actor, [user.id]).get(user.id, ()))


def own_roles(actor: Actor) -> tuple[PersonRole, ...]:
    """Return all roles of the person that are current, or await confirmation or acceptance."""
    rows = db.session.execute(
        _role_columns().where(
            Membership.user_id == actor.user_id, sa.or_(runs_on(clock.today()), waits())
        )
    )
    return tuple(_role(membership, name) for membership, name in rows)


def facts_of(user_id: UUID) -> PersonFacts | None:
    """Return what the rules ask about a person."""
    user = db.session.get(User, user_id)
    if user is None:
        return None
    today = clock.today()
    rows = db.session.execute(
        sa.select(Membership.organisation_id, Membership.role, Membership.starts_on).where(
            Membership.user_id == user_id,
            Membership.begun_at.is_not(None),
            Membership.ended_at.is_(None),
            sa.or_(Membership.ends_on.is_(None), Membership.ends_on >= today),
        )
    ).all()
    return PersonFacts(
        user_id=user.id,
        active=user.active,
        roles=frozenset((row.organisation_id, row.role) for row in rows if row.starts_on <= today),
        has_power=any(row.role in POWERS for row in rows),
        suspended_for=None if user.active else _suspended_for(user.id),
    )


def _suspended_for(user_id: UUID) -> UUID | None:
    """Return for which organisation somebody suspended a person, according to the trail.

    None if it was an administrator, or if the trail doesn't say.
    """
    who = trail.who_did_last(verbs.PERSON_SUSPENDED, "user", user_id)
    if who is None or who.user_id in administrators():
        return None
    return who.organisation_id


def administrators() -> frozenset[UUID]:
    """Return the instance's administrators of today."""
    rows = db.session.scalars(
        sa.select(Membership.user_id)
        .join(Membership.user)
        .where(Membership.role == Role.ADMINISTRATOR, runs_on(clock.today()), User.active)
    )
    return frozenset(rows)


def find_user_by_mark(mark: str | None) -> User | None:
    """Return the person with a session marker; for signing in."""
    return db.session.scalar(sa.select(User).where(User.fs_uniquifier == (mark or "")))


def find_user_by_email(email: str) -> User | None:
    """Return the account for an address; for signing in, invitations and the command line."""
    return db.session.scalar(sa.select(User).where(User.email == email.strip().lower()))


# Roles of signatory and manager ------------------------------------------------------------------


def holders_by_organisation(
    organisation_ids: Iterable[UUID | None],
) -> dict[UUID | None, Holders]:
    """Return who has a signatory or manager role with a current power, by organisation.

    The role is confirmed and current today, and the days of a signatory's power include today.
    """
    wanted = set(organisation_ids)
    rows = db.session.execute(
        sa.select(Membership.organisation_id, Membership.user_id, User.active)
        .join(Membership.user)
        .where(Membership.organisation_id.in_(wanted - {None}), is_current_power(clock.today()))
    ).all()

    def those(organisation_id: UUID | None, *, active: bool) -> frozenset[UUID]:
        return frozenset(
            row.user_id
            for row in rows
            if row.organisation_id == organisation_id and row.active is active
        )

    return {
        organisation_id: Holders(
            those(organisation_id, active=True), those(organisation_id, active=False)
        )
        for organisation_id in wanted
    }


def holders_of_power(organisation_id: UUID | None) -> Holders:
    """Return who in one organisation has such a role."""
    return holders_by_organisation([organisation_id])[organisation_id]


# Returns whether a person without a role is asked to read a text: checklists is a higher package.
OUTSIDE_READERS: Slot[Callable[[UUID], bool]] = Slot("outside_readers", lambda _user_id: False)


def may_come_in(user_id: UUID) -> bool:
    """Return whether a person has a role that is current today, or one to accept.

    A person without any role may also be asked to read a text as outside reader.
    """
    wanted = (
        sa.exists()
        .where(Membership.user_id == user_id, sa.or_(runs_on(clock.today()), waits()))
        .select()
    )
    return bool(db.session.scalar(wanted)) or OUTSIDE_READERS.get()(user_id)


# Built once, since building them takes longer than running the query.
_HOLDER, _COLLEAGUE = aliased(Membership), aliased(User)


def waiting_powers(actor: Actor) -> tuple[WaitingPower, ...]:
    """Return the pending signatory and manager roles that concern a person, oldest first.

    Their own; those of the organisation they act for as signatory or manager; all for
    administrators.
    """
    statement = _OWN_POWERS
    if actor.is_administrator:
        statement = _ALL_POWERS
    elif actor.has(*POWERS):
        statement = _POWERS_OF_ORGANISATION
    rows = db.session.execute(
        statement,
        {
            "user_id": actor.user_id,
            "organisation_id": actor.organisation_id,
            "day": clock.today(),
        },
    )
    return tuple(WaitingPower(*row) for row in rows)


def find_waiting_power(actor: Actor, membership_id: UUID) -> Membership | None:
    """Return one of the actor's own roles that awaits confirmation or acceptance."""
    return db.session.scalar(
        sa.select(Membership)
        .options(joinedload(Membership.organisation), joinedload(Membership.user))
        .where(Membership.id == membership_id, Membership.user_id == actor.user_id, waits())
    )


# Invitations ------------------------------------------------------------------------------------


def has_people() -> bool:
    """Return whether anybody has an account; for commands."""
    return bool(db.session.scalar(sa.select(sa.exists().where(User.id.is_not(None)))))


def invitations(
    actor: Actor, *, offset: int = 0, limit: int = 25
) -> tuple[int, list[InvitationLine]]:
    """Return the number of unanswered invitations, and one page of them, newest first.

    Expired ones count, since they can be sent again. Administrators see all, coordinators and
    managers those of their own organisation.
    """
    wanted = sa.and_(
        _invitations_seen_by(actor),
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
    )
    total = db.session.scalar(sa.select(sa.func.count()).select_from(Invitation).where(wanted))
    rows = db.session.scalars(
        sa.select(Invitation)
        .options(joinedload(Invitation.organisation))
        .where(wanted)
        .order_by(Invitation.created_at.desc(), Invitation.id)
        .offset(offset)
        .limit(limit)
    )
    return total or 0, [_invitation_line(row) for row in rows]


def find_invitation(actor: Actor, invitation_id: UUID) -> InvitationLine | None:
    """Return an invitation the actor may see."""
    invitation = db.session.scalar(
        sa.select(Invitation)
        .options(joinedload(Invitation.organisation))
        .where(Invitation.id == invitation_id, _invitations_seen_by(actor))
    )
    return _invitation_line(invitation) if invitation else None


def invitation_by_token(token: str, *, lock: bool = False) -> Invitation | None:
    """Return the invitation for a token, which proves that it is meant for the reader."""
    wanted = sa.select(Invitation).where(Invitation.token_digest == token_digest(token))
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    invitation = db.session.scalar(wanted)
    if invitation is not None:
        db.session.refresh(invitation, ["organisation"])
    return invitation


def state_of(invitation: Invitation) -> InvitationState:
    """Return the current status of an invitation."""
    if invitation.accepted_at is not None:
        return InvitationState.ACCEPTED
    if invitation.revoked_at is not None:
        return InvitationState.REVOKED
    if invitation.expires_at <= clock.now():
        return InvitationState.EXPIRED
    return InvitationState.OPEN


def token_digest(token: str) -> str:
    """Return the stored digest of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


# Parts ------------------------------------------------------------------------------------------


def runs_on(
    day: dt.date | sa.BindParameter[dt.date], membership: type[Membership] = Membership
) -> sa.ColumnElement[bool]:
    """Return the condition that a role is current on a day, its last day included.

    A signatory's or manager's role is not current before it is confirmed.
    """
    return sa.and_(runs_on_or_later(day, membership), membership.starts_on <= day)


def runs_on_or_later(
    day: dt.date | sa.BindParameter[dt.date], membership: type[Membership] = Membership
) -> sa.ColumnElement[bool]:
    """Return the condition that a role is current on a day, or begins later."""
    return sa.and_(
        membership.begun_at.is_not(None),
        sa.or_(membership.ends_on.is_(None), membership.ends_on >= day),
        membership.ended_at.is_(None),
    )


def waits(day: dt.date | sa.BindParameter[dt.date] | None = None) -> sa.ColumnElement[bool]:
    """Return the condition that a role was given and has not begun, on a day or today."""
    return sa.and_(
        Membership.begun_at.is_(None),
        Membership.ended_at.is_(None),
        sa.or_(
            Membership.ends_on.is_(None),
            Membership.ends_on >= (clock.today() if day is None else day),
        ),
    )


def is_current_power(
    day: dt.date | sa.BindParameter[dt.date], membership: type[Membership] = Membership
) -> sa.ColumnElement[bool]:
    """Return the condition that a role is a signatory's or manager's with a power current on a day.

    Like signoff.policy.decides() for somebody's roles. The account may be suspended.
    """
    within = sa.and_(
        sa.or_(membership.role != Role.SIGNATORY, membership.power != ""),
        sa.or_(membership.power_from.is_(None), membership.power_from <= day),
        sa.or_(membership.power_until.is_(None), membership.power_until >= day),
    )
    return sa.and_(
        membership.role.in_(sorted(POWERS)),
        runs_on(day, membership),
        within,
    )


_DAY: sa.BindParameter[dt.date] = sa.bindparam("day", type_=sa.Date())
_HAS_COLLEAGUE = (
    sa.exists()
    .where(
        _HOLDER.organisation_id == Membership.organisation_id,
        _HOLDER.user_id != Membership.user_id,
        _COLLEAGUE.id == _HOLDER.user_id,
        is_current_power(_DAY, _HOLDER),
        _COLLEAGUE.active,
    )
    .correlate(Membership)
)
_ALL_POWERS = (
    sa.select(
        Membership.id,
        Membership.user_id,
        User.name,
        Membership.role,
        Membership.organisation_id,
        Organisation.name,
        Membership.confirmed_how.is_not(None),
        _HAS_COLLEAGUE,
    )
    .join(Membership.user)
    .join(Membership.organisation)
    .where(waits(_DAY), User.active)
    .order_by(Membership.created_at, Membership.id)
    .limit(MOST_WAITING)
)
_IS_OWN: sa.ColumnElement[bool] = Membership.user_id == sa.bindparam("user_id")
_OWN_POWERS = _ALL_POWERS.where(_IS_OWN)
_POWERS_OF_ORGANISATION = _ALL_POWERS.where(
    sa.or_(_IS_OWN, Membership.organisation_id == sa.bindparam("organisation_id"))
)
# Sent with every page; built once, since building it takes as long as running it.
# What as_memberships() needs of a role and its organisation.
MEMBERSHIP = (
    Membership.role,
    Membership.organisation_id,
    Organisation.name,
    Organisation.kind,
    Membership.outside_expert,
    Membership.audits_id,
    Membership.power,
    Membership.office,
    Membership.power_from,
    Membership.power_until,
    Membership.confirmed_how,
    Membership.confirmed_by,
    Membership.confirmed_at,
    Membership.id,
)
_MEMBERSHIPS = (
    sa.select(*MEMBERSHIP)
    .outerjoin(Membership.organisation)
    .where(
        Membership.user_id == sa.bindparam("user_id"),
        runs_on(sa.bindparam("day", type_=sa.Date())),
    )
    .order_by(Organisation.name, Membership.role)
)


def _seen_by(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition for the people an actor may see.

    All, their own organisation's, or nobody. Somebody who left stays visible there, so that the
    history can be read.
    """
    if actor.is_administrator:
        return sa.true()
    if not can_see_people(actor) or actor.organisation_id is None:
        return sa.false()
    # Of one organisation: few, however many people there are in the instance.
    return User.id.in_(
        sa.select(Membership.user_id).where(Membership.organisation_id == actor.organisation_id)
    )


def _invitations_seen_by(actor: Actor) -> sa.ColumnElement[bool]:
    if actor.is_administrator:
        return sa.true()
    if not can_see_people(actor) or actor.organisation_id is None:
        return sa.false()
    return Invitation.organisation_id == actor.organisation_id


def _matching(words: str) -> sa.ColumnElement[bool]:
    terms = [
        sa.or_(
            User.name.icontains(word, autoescape=True), User.email.icontains(word, autoescape=True)
        )
        for word in words.split()[:8]
    ]
    return sa.and_(sa.true(), *terms)


def _role_columns() -> sa.Select[Membership, str]:
    return (
        sa.select(Membership, Organisation.name)
        .outerjoin(Membership.organisation)
        .order_by(Organisation.name, Membership.role, Membership.starts_on)
    )


def _roles_of(actor: Actor, user_ids: Collection[UUID]) -> dict[UUID, tuple[PersonRole, ...]]:
    wanted = _role_columns().where(Membership.user_id.in_(user_ids))
    if not actor.is_administrator:
        wanted = wanted.where(Membership.organisation_id == actor.organisation_id)
    roles: dict[UUID, tuple[PersonRole, ...]] = {}
    for membership, name in db.session.execute(wanted):
        earlier = roles.get(membership.user_id, ())
        roles[membership.user_id] = (*earlier, _role(membership, name))
    return roles


def _role(membership: Membership, organisation_name: str | None) -> PersonRole:
    today = clock.today()
    last_day = membership.ends_on
    is_open = membership.ended_at is None and (last_day is None or last_day >= today)
    has_begun = membership.begun_at is not None and membership.starts_on <= today
    return PersonRole(
        membership_id=membership.id,
        role=membership.role,
        organisation_id=membership.organisation_id,
        organisation_name=organisation_name or "",
        starts_on=membership.starts_on,
        ends_on=last_day,
        ended_at=membership.ended_at,
        outside_expert=membership.outside_expert,
        power=membership.power,
        office=membership.office,
        runs=is_open and has_begun,
        power_from=membership.power_from,
        power_until=membership.power_until,
        waits=membership.begun_at is None and membership.ended_at is None,
        confirmed_how=membership.confirmed_how,
        confirmed_by=membership.confirmed_by,
        confirmed_at=membership.confirmed_at,
        is_to_come=is_open and not has_begun,
    )


def _person(user: User, roles: tuple[PersonRole, ...]) -> Person:
    return Person(
        id=user.id,
        name=user.name,
        email=user.email,
        active=user.active,
        suspended_at=user.suspended_at,
        suspended_reason=user.suspended_reason,
        has_second_factor=user.has_second_factor,
        created_at=user.created_at,
        roles=roles,
    )


def _invitation_line(invitation: Invitation) -> InvitationLine:
    return InvitationLine(
        id=invitation.id,
        email=invitation.email,
        name=invitation.name,
        organisation_id=invitation.organisation_id,
        organisation_name=invitation.organisation.name if invitation.organisation else "",
        roles=tuple(Role(role) for role in invitation.roles),
        state=state_of(invitation),
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
        invited_by_id=invitation.invited_by_id,
    )
