"""Query conditions built once in a request for a person, and queries built once for all alike."""

import datetime as dt
from collections.abc import Callable
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


# A role of the organisation that people act for, its kind, and whether it is an outside expert's.
_Role = tuple[Role, OrganisationKind | None, bool]
_Query = TypeVar("_Query", bound=sa.SelectBase)
# How many kinds of people a query is kept for, on one day: few combinations of roles are common.
_MOST = 16
_USER = cast("UUID", sa.bindparam("reader_id", type_=sa.Uuid()))
_ORGANISATION = cast("UUID", sa.bindparam("reader_organisation_id", type_=sa.Uuid()))


def built_for_all(
    build: Callable[[Actor], _Query],
) -> Callable[[Actor], tuple[_Query, dict[str, UUID | None]]]:
    """Return a function that returns a query and its parameters, built once for people alike.

    Alike are those with the same roles in an organisation of the same kind, on the same day. For
    them the query is the same object, which takes a fraction of the time to send. The person that
    build() gets has these roles only, and parameters as ids, so it may compare ids only with
    columns. The query must not depend on anything else, such as clearances, nor load relations by
    joins (adr 51). For auditors and people without an organisation it is built each time.
    """

    @lru_cache(maxsize=_MOST)
    def built(roles: frozenset[_Role], _day: dt.date) -> _Query:
        memberships = tuple(
            ActorMembership(
                role, _ORGANISATION, organisation_kind=kind, outside_expert=outside_expert
            )
            for role, kind, outside_expert in sorted(roles)
        )
        return build(Actor(_USER, "", memberships=memberships, organisation_id=_ORGANISATION))

    @wraps(build)
    def query(actor: Actor) -> tuple[_Query, dict[str, UUID | None]]:
        if actor.organisation_id is None or actor.audited_ids:
            return build(actor), {}
        roles = frozenset(
            (membership.role, membership.organisation_kind, membership.outside_expert)
            for membership in actor.acting
        )
        return built(roles, clock.today()), {
            "reader_id": actor.user_id,
            "reader_organisation_id": actor.organisation_id,
        }

    return query
