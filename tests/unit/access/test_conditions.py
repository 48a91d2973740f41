"""Conditions are built once in a request for a person and a day, queries for all people alike."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.moments import standing_at, using
from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.access.conditions import built_for_all, built_once

FIRST, SECOND = sa.column("first", sa.Uuid()), sa.column("second", sa.Uuid())
NOON = dt.datetime(2027, 3, 1, 12, 0, tzinfo=dt.UTC)
built: list[str] = []


@built_once
def is_own(actor: Actor, column: sa.ColumnElement[UUID] = FIRST) -> sa.ColumnElement[bool]:
    built.append(str(column))
    return column == actor.user_id


@pytest.fixture(autouse=True)
def nothing_built() -> Iterator[None]:
    built.clear()
    with using(standing_at(NOON)):
        yield


@pytest.fixture
def app() -> Flask:
    return Flask("bare")


def test_in_a_request_it_is_built_once_for_the_same_person_and_columns(app: Flask) -> None:
    actor = Actor(uuid4(), "Ilena Dorvath")
    with app.test_request_context():
        assert is_own(actor) is is_own(actor)
        assert is_own(actor, SECOND) is is_own(actor, SECOND)
    assert built == ["first", "second"]


def test_for_somebody_else_it_is_another_one(app: Flask) -> None:
    """Even for the same person after something about them has changed."""
    user_id = uuid4()
    with app.test_request_context():
        first, second = (is_own(Actor(user_id, "Ilena Dorvath")) for _ in range(2))
    assert first is not second


def test_who_is_forgotten_leaves_no_condition_to_the_next(app: Flask) -> None:
    """Another object may get the id() of one that is gone."""
    with app.test_request_context():
        for _ in range(200):
            user_id = uuid4()
            condition = is_own(Actor(user_id, "Somebody"))
            assert condition.compile().params == {"first_1": user_id}


def test_each_request_has_its_own(app: Flask) -> None:
    actor = Actor(uuid4(), "Ilena Dorvath")
    for _ in range(2):
        with app.test_request_context():
            is_own(actor)
    assert len(built) == 2


def test_a_new_day_has_its_own(app: Flask) -> None:
    actor = Actor(uuid4(), "Ilena Dorvath")
    with app.test_request_context():
        is_own(actor)
        with using(standing_at(NOON + dt.timedelta(days=1))):
            is_own(actor)
    assert len(built) == 2


def test_outside_a_request_nothing_is_kept() -> None:
    """The worker runs for months."""
    actor = Actor(uuid4(), "Ilena Dorvath")
    assert is_own(actor) is not is_own(actor)


# Queries built once for all people alike ----------------------------------------------------------


@built_for_all
def own(actor: Actor) -> sa.Select[UUID]:
    built.append(",".join(sorted(actor.roles)))
    of_organisation = SECOND.in_([actor.organisation_id])
    is_managed = of_organisation if actor.has(Role.MANAGER) else sa.false()
    return sa.select(FIRST).where(sa.or_(FIRST.in_([actor.user_id]), is_managed))


@built_for_all
def audited(actor: Actor) -> sa.Select[UUID]:
    return sa.select(FIRST).where(SECOND.in_(actor.audited_ids))


def auditor_of(*npm_ids: UUID) -> Actor:
    body, kind = uuid4(), OrganisationKind.OTHER
    return Actor(
        uuid4(),
        "Auditor",
        memberships=tuple(
            ActorMembership(Role.AUDITOR, body, "Court of Audit", kind, audits_id=npm_id)
            for npm_id in npm_ids
        ),
        organisation_id=body,
    )


def somebody(*roles: Role) -> Actor:
    organisation_id, npm = uuid4(), OrganisationKind.NPM
    return Actor(
        uuid4(),
        "Ilena Dorvath",
        memberships=tuple(ActorMembership(role, organisation_id, "NPM", npm) for role in roles),
        organisation_id=organisation_id,
    )


def test_people_with_the_same_roles_share_a_query_and_have_their_own_values() -> None:
    first, second = somebody(Role.MANAGER), somebody(Role.MANAGER)
    (query, values), (same, others) = own(first), own(second)
    assert query is same
    assert values == {
        "reader_id": first.user_id,
        "reader_organisation_id": first.organisation_id,
        "reader_audited_id": None,
    }
    assert others["reader_id"] == second.user_id
    assert "reader_organisation_id" in query.compile().params


def test_people_with_other_roles_have_another_query() -> None:
    query, _values = own(somebody(Role.COORDINATOR))
    assert query is not own(somebody(Role.MANAGER))[0]
    assert "reader_organisation_id" not in query.compile().params


def test_on_the_next_day_it_is_built_again() -> None:
    query, _values = own(somebody(Role.MEMBER))
    with using(standing_at(NOON + dt.timedelta(days=1))):
        assert own(somebody(Role.MEMBER))[0] is not query


@pytest.mark.parametrize("other", [{"outside_expert": True}, {"audits_id": uuid4()}])
def test_people_with_the_same_roles_of_another_kind_have_another_query(
    other: dict[str, Any],
) -> None:
    member = somebody(Role.AUDITOR)
    [membership] = member.memberships
    other_kind = replace(member, memberships=(replace(membership, **other),))
    assert own(other_kind)[0] is not own(member)[0]


def test_who_administers_the_instance_has_another_query() -> None:
    built.clear()
    member = somebody(Role.MEMBER)
    of_instance = ActorMembership(Role.ADMINISTRATOR)
    administrator = replace(member, memberships=(*member.memberships, of_instance))
    assert own(administrator)[0] is own(administrator)[0]
    assert "administrator,member" in built


def test_who_acts_for_nobody_has_a_query_without_an_organisation() -> None:
    built.clear()
    first, second = (
        Actor(uuid4(), "Admin", memberships=(ActorMembership(Role.ADMINISTRATOR),))
        for _ in range(2)
    )
    (query, values), (same, _others) = own(first), own(second)
    assert query is same
    assert values["reader_organisation_id"] is None


def test_who_audits_another_npm_has_its_id_as_a_value() -> None:
    first, second = auditor_of(uuid4()), auditor_of(uuid4())
    (query, values), (same, others) = audited(first), audited(second)
    assert query is same
    assert [values["reader_audited_id"]] == [*first.audited_ids]
    assert [others["reader_audited_id"]] == [*second.audited_ids]
    assert "reader_audited_id" in query.compile().params


def test_for_who_audits_several_npms_it_is_built_each_time() -> None:
    actor = auditor_of(uuid4(), uuid4())
    query, values = audited(actor)
    assert query is not audited(actor)[0]
    assert values == {}
