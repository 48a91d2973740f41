"""The people who take part in a cooperation, as plain values."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from tracker.access.actor import POWERS, TAKE_NO_PART, OrganisationKind, Role
from tracker.accounts.models import Membership, User
from tracker.accounts.queries import runs_on as held_on
from tracker.accounts.queries import runs_on_or_later as held_on_or_later
from tracker.cooperations.models import Cooperation, CooperationPerson, Party, Stage
from tracker.cooperations.scope import (
    FOR_THE_ORGANISATION,
    has_not_left,
    is_party_or_joining,
    runs_on,
)
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.models import Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Somebody who takes part today, for one party."""

    user_id: UUID
    name: str
    organisation_id: UUID
    organisation_name: str
    side: OrganisationKind
    function: str = ""
    outside_expert: bool = False
    # Whether their party has yet to sign the terms in force (adr 70).
    is_joining: bool = False
    # If they take part for several parties: all that aren't joining, in the order of by_user().
    party_ids: tuple[UUID, ...] = ()

    @property
    def is_of_npm(self) -> bool:
        """Whether they take part for a body that decides with the NPM (Party.is_of_npm)."""
        return self.side is OrganisationKind.NPM and not self.is_joining

    @property
    def is_npm_staff(self) -> bool:
        """Whether they are the NPM's own: its outside experts aren't (E02)."""
        return self.is_of_npm and not self.outside_expert

    @property
    def needs_clearance(self) -> bool:
        """Whether they need a clearance for class K2 to K7 (S11)."""
        return self.side is not OrganisationKind.NPM or self.outside_expert

    def counts_for(self, named: Collection[UUID | None]) -> UUID:
        """Return for which party they are on a team, if these are named there (V4).

        One of them, if they take part for it; else the one that counts by itself.
        """
        return next((party for party in self.party_ids if party in named), self.organisation_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Participant):
    """Somebody who takes part today, for one party, with their roles there."""

    id: UUID
    roles: frozenset[Role] = frozenset()
    power: str = ""
    office: str = ""
    # Their last day, if one is known: of their part, their party's or their roles'.
    until_on: dt.date | None = None


Somebody = TypeVar("Somebody", bound=Participant)


# Sent with nearly every action and page; built once, since building takes as long as sending.
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_DAY = sa.bindparam("day", type_=sa.Date())
# Only columns are read, since there are many rows: one for each role of each person.
_PEOPLE = (
    sa.select(
        CooperationPerson.id,
        CooperationPerson.cooperation_id,
        CooperationPerson.user_id,
        CooperationPerson.organisation_id,
        CooperationPerson.function,
        CooperationPerson.until_on,
        User.name,
        Organisation.name.label("organisation_name"),
        Party.side,
        Party.left_on,
        Party.is_joining.label("is_joining"),
        Membership.role,
        Membership.starts_on,
        Membership.ends_on,
        Membership.outside_expert,
        Membership.power,
        Membership.office,
    )
    .join(
        Party,
        sa.and_(
            Party.cooperation_id == CooperationPerson.cooperation_id,
            Party.organisation_id == CooperationPerson.organisation_id,
        ),
    )
    .join(CooperationPerson.user)
    .join(CooperationPerson.organisation)
    .outerjoin(
        Membership,
        sa.and_(
            Membership.user_id == CooperationPerson.user_id,
            Membership.organisation_id == CooperationPerson.organisation_id,
            held_on_or_later(_DAY),
        ),
    )
    .where(
        CooperationPerson.cooperation_id.in_(_IDS),
        runs_on(_DAY),
        has_not_left(_DAY),
        User.active.is_(True),
    )
    .order_by(Party.position, User.name, User.id)
)


class _Role(Protocol):
    """A role of a person with its days, in a row of memberships or of _PEOPLE."""

    role: Role
    starts_on: dt.date
    ends_on: dt.date | None


def people(cooperation_id: UUID) -> list[Person]:
    """Return who takes part today, party by party in order, then by name.

    The caller has found the cooperation with a query scoped to the actor.
    """
    return people_of([cooperation_id]).get(cooperation_id, [])


def people_of(cooperation_ids: Iterable[UUID]) -> dict[UUID, list[Person]]:
    """Return who takes part today in each of some cooperations, in one query."""
    today = clock.today()
    wanted = {"ids": list(cooperation_ids), "day": today}
    rows_by_person: dict[UUID, list[Any]] = {}
    # One row for each role of a person, those that begin later too, or one without any.
    for row in db.session.execute(_PEOPLE, wanted):
        rows_by_person.setdefault(row.id, []).append(row)
    people: dict[UUID, list[Person]] = {}
    for rows in rows_by_person.values():
        people.setdefault(rows[0].cooperation_id, []).append(_person(rows, today))
    return people


def last_day(memberships: Iterable[_Role], today: dt.date) -> dt.date | None:
    """Return the last day of somebody's roles that follow each other without a gap from today.

    None if none is known: one of them has no end, or they have no role that lets them take part.
    """
    counting = [role for role in memberships if role.role not in TAKE_NO_PART]
    last: dt.date | None = None
    for role in sorted(counting, key=lambda role: role.starts_on):
        if role.starts_on > (today if last is None else last + dt.timedelta(days=1)):
            break
        if role.ends_on is None:
            return None
        last = role.ends_on if last is None else max(last, role.ends_on)
    return last


def by_user(rows: Iterable[Somebody]) -> dict[UUID, Somebody]:
    """Return each person once: who takes part for several parties, for the one that counts.

    One that isn't joining, and among those one for which they need a clearance: they are never the
    NPM's own by their other party. Otherwise the first one in the order given.
    """
    own: dict[UUID, list[Somebody]] = {}
    for row in rows:
        own.setdefault(row.user_id, []).append(row)
    return {user_id: _counting(several) for user_id, several in own.items()}


def _counting(several: list[Somebody]) -> Somebody:
    if len(several) == 1:  # as nearly everybody
        return several[0]
    ordered = sorted(several, key=lambda row: (row.is_joining, not row.needs_clearance))
    joined = tuple(row.organisation_id for row in ordered if not row.is_joining)
    return replace(ordered[0], party_ids=joined)


def npm_user_ids(cooperation_id: UUID) -> frozenset[UUID]:
    """Return the people who take part today for an NPM, without its external experts."""
    return frozenset(person.user_id for person in people(cooperation_id) if person.is_npm_staff)


def coordinators_for_npm(cooperation_id: UUID) -> list[Person]:
    """Return the people who take part today as coordinators of an NPM (G1)."""
    return [
        person
        for person in people(cooperation_id)
        if person.is_of_npm and Role.COORDINATOR in person.roles
    ]


def takes_part(cooperation_id: UUID, user_id: UUID, organisation_id: UUID) -> bool:
    """Return whether a person takes part today for an organisation."""
    condition = (
        sa.exists()
        .where(
            CooperationPerson.cooperation_id == cooperation_id,
            CooperationPerson.user_id == user_id,
            CooperationPerson.organisation_id == organisation_id,
            runs_on(clock.today()),
        )
        .select()
    )
    return bool(db.session.scalar(condition))


def could_join(cooperation_id: UUID, organisation_id: UUID) -> list[tuple[UUID, str]]:
    """Return who in an organisation could be added: id and name of those not taking part yet.

    Without auditors and people who may not sign in.
    """
    today = clock.today()
    already = sa.select(CooperationPerson.user_id).where(
        CooperationPerson.cooperation_id == cooperation_id,
        CooperationPerson.organisation_id == organisation_id,
        runs_on(today),
    )
    rows = db.session.execute(
        sa.select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organisation_id == organisation_id,
            membership_counts(),
            User.id.not_in(already),
        )
        .distinct()
        .order_by(User.name, User.id)
    )
    return [(row.id, row.name) for row in rows]


def membership_counts() -> sa.ColumnElement[bool]:
    """Return the condition over Membership and User that it lets a person take part today."""
    today = clock.today()
    return sa.and_(
        Membership.role.not_in(TAKE_NO_PART),
        held_on(today),
        User.active.is_(True),
        User.suspended_at.is_(None),
    )


def _person(rows: Sequence[Any], today: dt.date) -> Person:
    """Return a person from their rows of _PEOPLE, which differ in the columns of their roles."""
    row = rows[0]
    memberships = [membership for membership in rows if membership.role is not None]
    current = [membership for membership in memberships if membership.starts_on <= today]
    last_days = (row.until_on, row.left_on, last_day(memberships, today))
    return Person(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        organisation_id=row.organisation_id,
        organisation_name=row.organisation_name,
        side=row.side,
        function=row.function,
        roles=frozenset(membership.role for membership in current),
        outside_expert=any(membership.outside_expert for membership in current),
        power=next((membership.power for membership in current if membership.power), ""),
        office=next((membership.office for membership in current if membership.office), ""),
        until_on=min((day for day in last_days if day), default=None),
        is_joining=row.is_joining,
    )


def other_sides(organisation_id: UUID) -> dict[UUID, str]:
    """Return the people responsible on the other sides of an organisation's open cooperations.

    Their coordinators, managers and signatories, each with the reference of one cooperation.
    """
    today = clock.today()
    own, other = aliased(Party), aliased(Party)
    rows = db.session.execute(
        sa.select(Membership.user_id, sa.func.min(Cooperation.reference))
        .join(User, User.id == Membership.user_id)
        .join(other, other.organisation_id == Membership.organisation_id)
        .join(own, own.cooperation_id == other.cooperation_id)
        .join(Cooperation, Cooperation.id == own.cooperation_id)
        .where(
            own.organisation_id == organisation_id,
            other.organisation_id != organisation_id,
            sa.or_(own.left_on.is_(None), own.left_on >= today),
            sa.or_(other.left_on.is_(None), other.left_on >= today),
            Cooperation.stage != Stage.CLOSED,
            Membership.role.in_([Role.COORDINATOR, *sorted(POWERS)]),
            held_on(today),
            User.active.is_(True),
        )
        .group_by(Membership.user_id)
    )
    return dict(rows.all())


def current(cooperation_id: UUID) -> list[Party]:
    """Return the parties that have not left, joining ones too, in order, with organisations."""
    return list(
        db.session.scalars(
            sa.select(Party)
            .where(Party.cooperation_id == cooperation_id, has_not_left(clock.today()))
            .order_by(Party.position)
            .options(joinedload(Party.organisation))
        )
    )


def parties(cooperation: Cooperation) -> list[Party]:
    """Return the parties that have not left, in order; they are loaded with the head.

    Includes joining ones, which are shown, and name their people.
    """
    today = clock.today()
    return [party for party in cooperation.parties if not party.left_on or party.left_on >= today]


def is_joining(cooperation: Cooperation, organisation_id: UUID | None) -> bool:
    """Return whether an organisation was invited and still has to sign the terms (adr 70)."""
    return any(
        party.is_joining
        for party in parties(cooperation)
        if party.organisation_id == organisation_id
    )


def joined_parties(cooperation: Cooperation) -> list[Party]:
    """Return the parties that have not left and are not joining: what is in force binds them."""
    return [party for party in parties(cooperation) if not party.is_joining]


def bodies(cooperation: Cooperation, organisation_id: UUID | None) -> frozenset[UUID]:
    """Return an organisation and those whose place it took in a cooperation (N13).

    One after another, however many there were: what they signed and what is in force binds it.
    """
    former: dict[UUID, set[UUID]] = {}
    for party in cooperation.parties:
        if party.replaced_by_id is not None:
            former.setdefault(party.replaced_by_id, set()).add(party.organisation_id)
    body_ids: set[UUID] = set()
    next_ids = {organisation_id} if organisation_id is not None else set()
    while next_ids:
        body_ids |= next_ids
        next_ids = {earlier for body in next_ids for earlier in former.get(body, ())} - body_ids
    return frozenset(body_ids)


def left_ids(cooperation_id: UUID) -> list[UUID]:
    """Return the ids of people who took part in a cooperation, and can't open it any more.

    Coordinators, signatories and managers of a party still can. Not scoped: for what ends with
    their part in it.
    """
    today = clock.today()
    running = aliased(CooperationPerson)
    open_to_them = sa.exists().where(
        Membership.user_id == CooperationPerson.user_id,
        Membership.role.in_(FOR_THE_ORGANISATION),
        held_on_or_later(today),
        is_party_or_joining(Membership.organisation_id, today, CooperationPerson.cooperation_id),
    )
    still = sa.exists().where(
        running.cooperation_id == CooperationPerson.cooperation_id,
        running.user_id == CooperationPerson.user_id,
        runs_on(today, running),
    )
    return list(
        db.session.scalars(
            sa.select(CooperationPerson.user_id)
            .where(CooperationPerson.cooperation_id == cooperation_id, ~still, ~open_to_them)
            .distinct()
        )
    )
