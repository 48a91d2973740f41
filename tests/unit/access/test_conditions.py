"""Conditions are built once in a request for a person and a day, queries for all people alike."""

import datetime as dt
from collections.abc import Iterator
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


def test_for_who_audits_or_acts_for_nobody_it_is_built_each_time() -> None:
    for actor in (somebody(Role.AUDITOR), Actor(uuid4(), "Admin")):
        query, values = own(actor)
        assert query is not own(actor)[0]
        assert values == {}
        assert [actor.user_id] in query.compile().params.values()
