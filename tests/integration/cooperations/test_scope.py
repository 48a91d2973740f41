"""Who sees a cooperation, and who is on its lists."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.cooperations import Country, bring_in, copied_country, open_one
from tracker.activity import queries as trail
from tracker.checklists import queries as checklists
from tracker.comments import scope as comments
from tracker.cooperations import audiences, people, queries, scope, service
from tracker.cooperations.models import AudienceMember, Cooperation, Party
from tracker.core import clock
from tracker.undertakings import scope as undertakings
from tracker.visits import queries as visits

pytestmark = pytest.mark.both_databases

DAY = dt.timedelta(days=1)


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


SEE_IT = ["ilena", "tomas", "nadia", "samira", "henrik", "ada"]
DO_NOT = ["oren", "petra", "dora", "joana", "leyla", "marek", "vesna", "root"]


@pytest.mark.few_on_postgresql(2)
@pytest.mark.parametrize("first", SEE_IT)
def test_parties_and_their_auditor_see_the_cooperation(country: Country, first: str) -> None:
    cooperation = open_one(country, "door")
    actor = country.actor(first)
    assert queries.find(actor, cooperation.reference)
    assert queries.find_by_id(actor, cooperation.id)
    assert queries.listing(actor).total == 1
    assert queries.state_counts(actor)[""] == 1
    assert set(queries.find_all(actor, [cooperation.id])) == {cooperation.id}


@pytest.mark.few_on_postgresql(2)
@pytest.mark.parametrize("first", DO_NOT)
def test_nobody_else_sees_it_in_any_way(country: Country, first: str) -> None:
    cooperation = open_one(country, "door")
    actor = country.actor(first)
    assert queries.find(actor, cooperation.reference) is None
    assert queries.find_by_id(actor, cooperation.id) is None
    assert queries.listing(actor, words=cooperation.reference).total == 0
    assert queries.state_counts(actor) == {"": 0}
    assert queries.find_all(actor, [cooperation.id]) == {}


@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize("first", ["oren", "petra", "dora"])
def test_a_member_sees_it_while_taking_part(country: Country, first: str) -> None:
    cooperation = open_one(country, "door")
    bring_in(country, cooperation, first)
    actor = country.actor(first)
    assert queries.find(actor, cooperation.reference)
    home = country.homes[first]
    assert home is not None
    row = next(
        person for person in people.people(cooperation.id) if person.user_id == actor.user_id
    )
    coordinator = "ilena" if home.id == country.id("npm") else "samira"
    service.end_person(
        country.actor(coordinator),
        cooperation,
        user_id=row.user_id,
        organisation_id=row.organisation_id,
    )
    assert queries.find(actor, cooperation.reference) is None


def test_an_auditor_of_another_npm_sees_nothing(country: Country) -> None:
    open_one(country, "door")
    other = open_one(country, "door", by="vesna")
    listing = queries.listing(country.actor("ada"))
    assert other.reference not in [cooperation.reference for cooperation in listing.cooperations]
    assert listing.total == 1


def test_the_list_sends_as_many_queries_for_many_rows_as_for_one(
    country: Country,
    session: Session,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    actor = country.actor("ilena")

    def count() -> int:
        session.flush()
        session.expunge_all()
        with statements() as sent:
            for cooperation in queries.listing(actor).cooperations:
                assert [party.organisation.name for party in people.parties(cooperation)]
            queries.state_counts(actor)
        return len(sent)

    open_one(country, "door")
    with_one = count()
    for key in ("lantern", "bridge", "other_npm"):
        open_one(country, "door", key)
    assert count() == with_one


# Audiences


def listed(actor_of: Country, first: str, subject_id: object) -> bool:
    column = sa.literal(subject_id, sa.Uuid())
    condition = audiences.listed(actor_of.actor(first), "visit", column)
    return bool(actor_of.session.scalar(sa.select(condition)))


def set_audience(cooperation: Cooperation, subject_id: object, *rows: object) -> bool:
    return audiences.set_audience(
        cooperation.id,
        "visit",
        subject_id,  # type: ignore[arg-type] # an id
        rows,  # type: ignore[arg-type] # rows of (user, day, leads)
        number=1,
    )


def test_people_are_listed_from_their_day_on_and_the_lead_always(country: Country) -> None:
    cooperation, visit_id = open_one(country, "door"), uuid4()
    today = clock.today()
    set_audience(
        cooperation,
        visit_id,
        (country.users["ilena"].id, today + 5 * DAY, True),
        (country.users["oren"].id, today + DAY, False),
        (country.users["dora"].id, today, False),
    )
    assert [listed(country, first, visit_id) for first in ("ilena", "oren", "dora", "samira")] == [
        True,
        False,
        True,
        False,
    ]
    assert audiences.standing(country.actor("ilena"), "visit", visit_id).leads
    assert not audiences.is_listed(country.actor("oren"), "visit", visit_id)
    assert not listed(country, "dora", uuid4())
    names = {row.user.name for row in audiences.audience("visit", visit_id)}
    assert names == {"Ilena Dorvath", "Oren Maki", "Dora Lund"}


def test_a_changed_audience_is_recorded_without_how_many(
    country: Country, session: Session
) -> None:
    cooperation, visit_id = open_one(country, "door"), uuid4()
    today = clock.today()
    first = (country.users["ilena"].id, today, True)
    second = (country.users["dora"].id, today, False)
    assert set_audience(cooperation, visit_id, first, second)
    assert not set_audience(cooperation, visit_id, second, first)
    assert set_audience(cooperation, visit_id, first)
    changes = [line for line in trail.history(cooperation.id)[1] if line.verb == "audience_changed"]
    assert [(line.details, line.who) for line in changes] == [({"number": 1}, None)] * 2
    assert session.scalar(sa.select(sa.func.count(AudienceMember.id))) == 1


def test_visibility_is_a_condition_on_the_row(country: Country) -> None:
    open_one(country, "door")
    for first in ("ilena", "leyla", "ada"):
        actor = country.actor(first)
        for condition in (
            scope.visible(actor, Party.cooperation_id),
            checklists.visible(actor),
            checklists.is_worked_on(actor),
            undertakings.states_seen(actor),
            undertakings.decided_by(actor),
            visits.planning_visible(actor),
            comments.visible(actor),
        ):
            assert "IN (SELECT" not in str(condition.compile())
