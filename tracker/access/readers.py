"""What query conditions depend on about a person, as values or as parameters."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import TAKE_NO_PART, Actor, Role
from tracker.core import clock

# An id or a day, or its parameter in a statement that is built once.
Id = UUID | sa.BindParameter[UUID]
Day = dt.date | sa.BindParameter[dt.date]

# How many statements to cache for each kind of query: people have few combinations of roles.
KINDS = 32

_USER: sa.BindParameter[UUID] = sa.bindparam("reader_id", type_=sa.Uuid())
_ORGANISATION: sa.BindParameter[UUID] = sa.bindparam("reader_organisation_id", type_=sa.Uuid())
_AUDITED: sa.BindParameter[Any] = sa.bindparam("reader_audited_ids", expanding=True)
_DAY: sa.BindParameter[dt.date] = sa.bindparam("reader_day", type_=sa.Date())


@dataclass(frozen=True, slots=True)
class Reader:
    """A person on a day, as the conditions of queries see them."""

    user_id: Id
    # None for somebody who acts for no organisation.
    organisation_id: Id | None
    # None for somebody who audits nobody.
    audited_ids: Collection[UUID] | sa.BindParameter[Any] | None
    day: Day
    roles: frozenset[Role]
    needs_clearance: bool

    def has(self, *roles: Role) -> bool:
        """Return whether the person has any of these roles in the organisation acted for."""
        return not self.roles.isdisjoint(roles)

    @property
    def takes_part(self) -> bool:
        """Whether the person has a role in which people take part in cooperations."""
        return not self.roles <= TAKE_NO_PART


@dataclass(frozen=True, slots=True)
class ReaderKind:
    """All that decides the shape of a person's conditions; the rest are values."""

    has_organisation: bool
    audits: bool
    roles: frozenset[Role]
    needs_clearance: bool

    def reader(self) -> Reader:
        """Return any person of this kind, for a statement that is built once for all of them.

        Such a statement is sent with values_of() the person.
        """
        return Reader(
            user_id=_USER,
            organisation_id=_ORGANISATION if self.has_organisation else None,
            audited_ids=_AUDITED if self.audits else None,
            day=_DAY,
            roles=self.roles,
            needs_clearance=self.needs_clearance,
        )


def reader_of(actor: Actor) -> Reader:
    """Return a person as they are today, for a statement that is built for them."""
    return Reader(
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        audited_ids=actor.audited_ids or None,
        day=clock.today(),
        roles=actor.roles,
        needs_clearance=actor.needs_clearance,
    )


def kind_of(actor: Actor) -> ReaderKind:
    """Return the kind of reader a person is."""
    return ReaderKind(
        has_organisation=actor.organisation_id is not None,
        audits=bool(actor.audited_ids),
        roles=actor.roles,
        needs_clearance=actor.needs_clearance,
    )


def values_of(actor: Actor) -> dict[str, Any]:
    """Return the values of the parameters of ReaderKind.reader() for a person today."""
    return {
        _USER.key: actor.user_id,
        _ORGANISATION.key: actor.organisation_id,
        _AUDITED.key: sorted(actor.audited_ids),
        _DAY.key: clock.today(),
    }
