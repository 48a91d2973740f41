"""The history reveals no more about people's undertakings to anybody than the lists do."""

import datetime as dt
from uuid import uuid4

import pytest
from flask import Flask

from tests.factories import undertakings
from tests.factories.undertakings import TOLD, Clearing
from tests.services import put
from tracker.activity import queries as trail
from tracker.activity.queries import HistoryLine
from tracker.cooperations import clearances
from tracker.core import clock
from tracker.core.db import db
from tracker.demo.people import DemoPeople
from tracker.undertakings import adding
from tracker.undertakings import service as service_of_undertakings
from tracker.undertakings.models import InterestsDecision, Reach
from tracker.undertakings.places import Places
from tracker.undertakings.queries import VISIT_READER, VisitChoice

DAY = dt.timedelta(days=1)
INTERESTS = {"interest_added", "interests_decided"}
ENDINGS = {"clearance_opened", "clearance_closed", "undertaking_closed"}


def shown(clearing: Clearing, key: str) -> list[HistoryLine]:
    return trail.story(clearing.cooperation.id, clearing.actor(key), limit=1000)[0]


def verbs_of(clearing: Clearing, key: str) -> set[str]:
    """Return the verbs of what a person sees about Leyla, or about nobody."""
    return {
        line.verb
        for line in shown(clearing, key)
        if line.details.get("person") in {None, "Leyla Marchetti"}
    }


@pytest.mark.both_databases
def test_a_cso_sees_no_undertaking_of_another_csos_people(clearing: Clearing) -> None:
    clearing.clear("leyla")
    clearing.clear("dina")
    service_of_undertakings.withdraw(clearing.actor("leyla"), clearing.undertaking("leyla").id)

    def people(key: str) -> set[str]:
        about = ("undertaking_", "clearance_", "return_")
        return {
            str(line.details["person"])
            for line in shown(clearing, key)
            if line.verb.startswith(about) and "person" in line.details
        }

    # Samira and Henrik are of Dina's organisation, Joana of Leyla's; a member sees only their own.
    assert "Dina Faro" in people("samira") & people("henrik")
    assert "Leyla Marchetti" in people("joana")
    assert people("samira").isdisjoint({"Leyla Marchetti", "Otto Brandis"})
    assert "Dina Faro" not in people("joana")
    assert people("dina") == {"Dina Faro"}
    for key in ("ilena", "greta"):
        assert {"Dina Faro", "Leyla Marchetti"} <= people(key)
    assert {"undertaking_closed", "return_requested"} <= verbs_of(clearing, "joana")


@pytest.fixture
def expired(app: Flask, demo_people: DemoPeople) -> Clearing:
    """A cooperation in which Leyla's clearance for one visit has expired."""
    visit = VisitChoice(uuid4(), 1)
    put(app, VISIT_READER.holding(lambda _cooperation_id: [visit]))
    until = clock.today() + 90 * DAY
    covers = {"scope": "one_visit", "which": "The first", "until": until.isoformat()}
    clearing = undertakings.clearing(demo_people, covers=covers)
    clearing.sign("leyla")
    clearance = clearing.countersign("leyla", visit_id=visit.id, until=clock.today())
    assert clearances.close_expired(clearance.id, clock.today() + DAY)
    db.session.flush()
    return clearing


@pytest.mark.parametrize("key", ["joana", "ilena", "greta", "samira"])
def test_the_day_a_clearance_for_one_visit_ends_is_not_told(expired: Clearing, key: str) -> None:
    """It would reveal when the visit was to an auditor, a coordinator and another CSO."""
    assert not verbs_of(expired, key) & {*ENDINGS, "return_requested"}


@pytest.mark.parametrize("key", ["leyla", "tomas"])
def test_its_person_and_who_decides_on_it_read_when_it_ended(expired: Clearing, key: str) -> None:
    assert verbs_of(expired, key) >= ENDINGS


def test_the_end_of_a_clearance_for_all_visits_is_shown(clearing: Clearing) -> None:
    until = clearing.clear("leyla").until_on
    closing_day = until + DAY
    assert clearances.close_expired(clearances.expired(closing_day)[0], closing_day)
    assert verbs_of(clearing, "greta") >= ENDINGS


@pytest.mark.both_databases
def test_only_the_person_and_the_deciders_see_interests_before_a_closing(
    clearing: Clearing,
) -> None:
    """Followed directly by a named closing, a decision would reveal whose interests they were."""
    clearing.clear("leyla", TOLD)
    undertaking = clearing.undertaking("leyla")
    interest = adding.add(
        clearing.actor("leyla"), undertaking.id, "My brother is a guard.", Places(Reach.ALL)
    )
    adding.decide(
        clearing.actor("tomas"),
        undertaking.id,
        interest.id,
        InterestsDecision.REPLACE,
        "Too close.",
        None,
        seen=adding.mark(interest),
    )
    for key in ("greta", "ilena", "henrik", "otto"):
        assert not verbs_of(clearing, key) & INTERESTS, key
    for key in ("leyla", "tomas"):
        assert verbs_of(clearing, key) >= INTERESTS, key
    declared = [line for line in shown(clearing, "leyla") if line.verb == "interests_decided"]
    assert len(declared) == 2, "what was declared on signing, and what was added"
