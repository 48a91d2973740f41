"""A CSO of three parties leaves: its people's access, the visit they are on, their copies."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import due
from tests.factories.visits import JointVisit
from tests.integration.closing.test_service import cleared, returns
from tracker.agreements import departures, notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import ChecklistParty, ChecklistState
from tracker.closing.models import ReturnState
from tracker.cooperations.models import CooperationPerson, Stage
from tracker.core import clock
from tracker.oversight import integrity
from tracker.signoff.models import Revision
from tracker.undertakings import handlers as undertakings
from tracker.undertakings import queries as undertaking_queries
from tracker.undertakings.facts import Listed
from tracker.undertakings.models import UndertakingEnd

DAY = dt.timedelta(days=1)
Clock = Callable[[dt.datetime | None], None]


@pytest.fixture(autouse=True)
def short_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terms ask for three days of notice, so that a party can leave before the visit."""
    monkeypatch.setattr(notices, "agreed_notice", lambda _terms: 3)


@pytest.fixture
def notice(joint_visit: JointVisit) -> dt.date:
    """Lantern gives notice; the first day without it."""
    party = departures.give_notice(
        joint_visit.actor("otto"), joint_visit.cooperation, reason="Our board has other plans."
    )
    last = party.left_on
    joint_visit.session.commit()
    assert last is not None
    return last + DAY


@pytest.fixture
def left(joint_visit: JointVisit, notice: dt.date, frozen_time: Clock) -> JointVisit:
    """The joint visit on the first day without Lantern, after the worker has run."""
    frozen_time(clock.now() + (notice - clock.today()))
    due.leave_due(clock.today())
    joint_visit.session.commit()
    return joint_visit


def people_of(joint_visit: JointVisit, body: str) -> set[str]:
    keys = {user_id: key for key, user_id in joint_visit.demonstration.users.items()}
    rows = joint_visit.session.scalars(
        sa.select(CooperationPerson.user_id).where(
            CooperationPerson.cooperation_id == joint_visit.cooperation.id,
            CooperationPerson.organisation_id == joint_visit.body(body),
        )
    )
    return {keys[user_id] for user_id in rows}


def test_a_visit_beyond_the_last_day_of_a_party_is_not_ready(joint_visit: JointVisit) -> None:
    """The day is known in advance: J2 says who on the team leaves."""
    assert joint_visit.visit().is_ready
    departures.give_notice(
        joint_visit.actor("otto"), joint_visit.cooperation, reason="Other plans."
    )
    joint_visit.session.commit()
    assert not joint_visit.visit().is_ready
    departures.take_back(joint_visit.actor("otto"), joint_visit.cooperation, reason="We stay.")
    joint_visit.session.commit()
    assert joint_visit.visit().is_ready


@pytest.mark.both_databases
def test_the_access_of_its_people_closes_and_they_are_asked_for_their_copies(
    joint_visit: JointVisit, notice: dt.date, frozen_time: Clock
) -> None:
    own = people_of(joint_visit, "lh")
    before, asked_before = cleared(joint_visit), set(returns(joint_visit))
    assert "leyla" in own & before
    frozen_time(clock.now() + (notice - clock.today()))
    due.leave_due(clock.today())
    joint_visit.session.commit()
    assert cleared(joint_visit) == before - own
    asked_for = {
        key for key, row in returns(joint_visit).items() if row.state is ReturnState.REQUESTED
    }
    assert asked_for == (own & before) | asked_before
    assert joint_visit.cooperation.stage is Stage.ACTIVE
    assert integrity.check_all().finding is None


@pytest.mark.parametrize("asked_anew", [True, False])
def test_who_had_access_on_earlier_terms_is_asked_for_their_copies_too(
    joint_visit: JointVisit, notice: dt.date, frozen_time: Clock, *, asked_anew: bool
) -> None:
    """New terms closed the access; whether they were asked to sign again makes no difference."""
    earlier = undertaking_queries.locked(joint_visit.undertaking("leyla").id)
    undertakings.close(None, earlier, UndertakingEnd.NEW_TERMS)
    if asked_anew:
        revision = joint_visit.session.get_one(Revision, earlier.terms_revision_id)
        person = Listed(earlier.user_id, earlier.organisation_id, earlier.function)
        undertakings.ask(None, revision, person)
    joint_visit.session.commit()
    assert "leyla" not in returns(joint_visit)
    frozen_time(clock.now() + (notice - clock.today()))
    due.leave_due(clock.today())
    joint_visit.session.commit()
    request = returns(joint_visit)["leyla"]
    assert (request.state, request.undertaking_id) == (ReturnState.REQUESTED, earlier.id)


def test_who_has_left_stays_named_on_the_visits_page_until_taken_off(
    app: Flask, left: JointVisit
) -> None:
    assert not left.visit().is_ready
    page = left.demonstration.browser(app, "pavo").page(
        f"/cooperations/{left.reference}/visits/1/ready"
    )
    assert "no longer take" in page.text
    roles = left.checklist(ChecklistKind.VISIT_ROLES)
    party_ids = set(
        left.session.scalars(
            sa.select(ChecklistParty.organisation_id).where(ChecklistParty.checklist_id == roles.id)
        )
    )
    assert left.body("lh") not in party_ids
    assert left.checklist(ChecklistKind.TERMS, None).state is ChecklistState.IN_FORCE


def test_the_items_that_name_who_has_left_are_listed(app: Flask, left: JointVisit) -> None:
    """By the party and its people, and in words; the rest of the agreement stays as it is."""
    cooperation = left.cooperation
    party = next(row for row in cooperation.parties if row.organisation_id == left.body("lh"))
    texts = departures.still_naming(cooperation, party, "en")
    codes = {text.checklist.kind: [item.code for item in text.items] for text in texts}
    assert "M1" in codes[ChecklistKind.TERMS]
    assert "M19" not in codes[ChecklistKind.TERMS]
    page = left.demonstration.browser(app, "ilena").page(
        f"/cooperations/{left.reference}/departures/{left.body('lh')}"
    )
    assert "Parties" in page.text


def test_the_people_of_a_party_that_left_confirm_their_copies(app: Flask, left: JointVisit) -> None:
    browser = left.demonstration.browser(app, "leyla")
    address = browser.page("/").links()["Confirm what became of your copies"]
    browser.submit(address, disposal="destroyed")
    assert returns(left)["leyla"].state is ReturnState.CONFIRMED
    page = browser.page(f"/cooperations/{left.reference}/departures/{left.body('lh')}")
    assert page.h1 == "Lantern Health Network has left"
