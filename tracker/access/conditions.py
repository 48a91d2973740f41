"""Conditions and queries about a person, built once in a request or once for all people alike."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID

import sqlalchemy as sa
from flask import g, has_request_context

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.core import clock

P = ParamSpec("P")
Condition = sa.ColumnElement[bool]


def built_once(
    build: Callable[Concatenate[Actor, P], Condition],
) -> Callable[Concatenate[Actor, P], Condition]:
    """Return a function that builds a condition once per request for the same arguments.

    My work asks a dozen queries for the same condition, and building it takes longer than running
    it. The condition may depend only on its arguments and on the day. It is cached for the request
    and used only by its thread: two threads can't compile with the same alias at the same time
    (adr 51).
    """

    @wraps(build)
    def condition(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> Condition:
        if not has_request_context() or kwargs:
            return build(actor, *args, **kwargs)
        conditions: dict[Any, tuple[Any, Condition]] = g.setdefault("conditions", {})
        # By identity, since columns compared with == are conditions themselves. The arguments are
        # cached with the condition, so that no other object gets their identity meanwhile.
        key = (build, clock.today(), id(actor), *map(id, args))
        if key not in conditions:
            conditions[key] = ((actor, args), build(actor, *args, **kwargs))
        return conditions[key][1]

    return condition


_Query = TypeVar("_Query", bound=sa.SelectBase)
_Values = dict[str, UUID | None]
# How many kinds of people a query is kept for, on one day: few combinations of roles are common.
_MOST = 16
_USER, _ORGANISATION, _AUDITED = (
    cast("UUID", sa.bindparam(name, type_=sa.Uuid()))
    for name in ("reader_id", "reader_organisation_id", "reader_audited_id")
)


def built_for_all(
    build: Callable[[Actor], _Query],
) -> Callable[[Actor], tuple[_Query, _Values]]:
    """Return a function that returns a query and its parameters, built once for people alike.

    Alike are those with the same roles, in an organisation of the same kind if in any, on the same
    day. For them the query is the same object, which takes a fraction of the time to send. The
    person that build() gets has these roles only, and parameters as ids, so it may compare ids only
    with columns. The query must not depend on anything else, such as clearances, nor load a
    relation through an alias of its own (adr 51). For somebody who audits several NPMs it is built
    each time.
    """

    @lru_cache(maxsize=_MOST)
    def built(kind: _Kind, _day: dt.date) -> _Query:
        return build(kind.person())

    @wraps(build)
    def query(actor: Actor) -> tuple[_Query, _Values]:
        audited_ids = actor.audited_ids
        if len(audited_ids) > 1:
            return build(actor), {}
        return built(_kind_of(actor), clock.today()), {
            "reader_id": actor.user_id,
            "reader_organisation_id": actor.organisation_id,
            "reader_audited_id": next(iter(audited_ids), None),
        }

    return query


@dataclass(frozen=True, slots=True)
class _Role:
    """A role of the organisation that people act for, as far as conditions depend on it."""

    role: Role
    organisation_kind: OrganisationKind | None
    is_expert: bool
    # Whether it audits an NPM other than the organisation acted for.
    audits_another: bool


@dataclass(frozen=True, slots=True)
class _Kind:
    """All that people who are alike have in common."""

    has_organisation: bool
    roles: frozenset[_Role]
    is_administrator: bool

    def person(self) -> Actor:
        """Return any person of this kind, with parameters as ids."""
        organisation_id = _ORGANISATION if self.has_organisation else None
        memberships = [
            ActorMembership(
                own.role,
                organisation_id,
                organisation_kind=own.organisation_kind,
                outside_expert=own.is_expert,
                audits_id=_AUDITED if own.audits_another else None,
            )
            for own in sorted(self.roles, key=lambda own: own.role)
        ]
        if self.is_administrator:
            # As of the organisation: a parameter can't be compared with the None of the instance.
            memberships.append(ActorMembership(Role.ADMINISTRATOR, organisation_id))
        return Actor(_USER, "", memberships=tuple(memberships), organisation_id=organisation_id)


def _kind_of(actor: Actor) -> _Kind:
    return _Kind(
        has_organisation=actor.organisation_id is not None,
        roles=frozenset(
            _Role(
                membership.role,
                membership.organisation_kind,
                is_expert=membership.outside_expert,
                audits_another=membership.audits_id is not None,
            )
            for membership in actor.acting
            if membership.role is not Role.ADMINISTRATOR
        ),
        is_administrator=actor.is_administrator,
    )
