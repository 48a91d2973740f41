"""Text typed on a page of a visit stays if a rule refuses it (product.md, 4.7)."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.client import CheckedClient
from tests.factories.visits import JointVisit, planned
from tests.pages import Page
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, ChecklistState
from tracker.visits import service
from tracker.visits.models import Visit, VisitStage

ROLES = ChecklistKind.VISIT_ROLES
STOPPED = "This visit is stopped or under way."

Browser = Callable[[str | None], CheckedClient]


@pytest.fixture
def browser(app: Flask, joint_visit: JointVisit) -> Browser:
    joint_visit.session.commit()
    return lambda key: joint_visit.demonstration.browser(app, key)


@pytest.fixture
def second(joint_visit: JointVisit) -> Visit:
    visit = planned(joint_visit, members=("leyla",), audience=("leyla", "milan", "joana"))
    joint_visit.session.commit()
    return visit


def address(joint_visit: JointVisit, page: str) -> str:
    return f"/cooperations/{joint_visit.reference}/visits/2{page}"


def set_stage(joint_visit: JointVisit, stage: VisitStage) -> None:
    joint_visit.visit(2).stage = stage
    joint_visit.session.commit()


@pytest.mark.usefixtures("second")
def test_a_reason_to_stop_stays_when_the_visit_is_under_way_by_then(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person = browser("ilena")
    sent = person.page(address(joint_visit, "/stop")).form().filled_in(reason="The lead is ill.")
    set_stage(joint_visit, VisitStage.ON_SITE)
    response = person.open(address(joint_visit, "/stop"), method="POST", data=sent, csrf=False)
    assert response.status_code == 403
    page = Page.of(response)
    assert STOPPED in page.text
    assert page.form().values["reason"] == ["The lead is ill."]
    assert joint_visit.events("visit_stopped") == []


@pytest.mark.usefixtures("second")
def test_a_chosen_team_stays_when_the_visit_is_stopped_by_then(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person = browser("ilena")
    sent = person.page(address(joint_visit, "/team")).form().filled_in(gaps="No physician.")
    service.stop(joint_visit.actor("pavo"), joint_visit.visit(2), reason="No car.")
    joint_visit.session.commit()
    response = person.open(address(joint_visit, "/team"), method="POST", data=sent, csrf=False)
    assert response.status_code == 403
    page = Page.of(response)
    assert STOPPED in page.text
    assert page.form().values["gaps"] == ["No physician."]


@pytest.mark.usefixtures("second")
def test_a_chosen_team_stays_when_the_roles_are_sent_for_signature_by_then(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person = browser("ilena")
    sent = person.page(address(joint_visit, "/team")).form().filled_in(gaps="No physician.")
    roles: Checklist = joint_visit.checklist(ROLES, 2)
    roles.state = ChecklistState.SENT
    joint_visit.session.commit()
    page = Page.of(person.open(address(joint_visit, "/team"), method="POST", data=sent, csrf=False))
    assert "The text has been sent for signature and can't be changed now." in page.text
    assert page.form().values["gaps"] == ["No physician."]


@pytest.mark.usefixtures("second")
def test_a_place_and_a_reason_to_override_stay_when_the_visit_is_stopped_by_then(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person, manager = browser("ilena"), browser("milan")
    sent = person.page(address(joint_visit, "/plan")).form().filled_in(place="Upper Harbour")
    service.stop(joint_visit.actor("pavo"), joint_visit.visit(2), reason="No car.")
    joint_visit.session.commit()
    response = person.open(address(joint_visit, "/plan"), method="POST", data=sent, csrf=False)
    assert response.status_code == 403
    assert Page.of(response).form().values["place"] == ["Upper Harbour"]
    response = manager.post(address(joint_visit, "/override"), data={"reason": "It can't wait."})
    assert response.status_code == 403
    assert Page.of(response).form().values["reason"] == ["It can't wait."]
    assert joint_visit.events("gate_overridden") == []


def test_a_new_visit_stays_on_the_page_when_none_may_be_planned_by_then(
    browser: Browser, joint_visit: JointVisit
) -> None:
    url = f"/cooperations/{joint_visit.reference}/visits/plan"
    person = browser("ilena")
    page = person.page(url)
    assert "The NPM can always visit under its own mandate, with only its own people." in page.text
    assert "outside this cooperation" not in page.text
    sent = page.form().filled_in(place="Upper Harbour")
    joint_visit.cooperation.modes = ["INFO_F"]
    joint_visit.session.commit()
    response = person.open(url, method="POST", data=sent, csrf=False)
    assert response.status_code == 403
    page = Page.of(response)
    assert page.form().values["place"] == ["Upper Harbour"]
    assert "Now it can plan such a visit only outside this cooperation." in page.text
    assert joint_visit.events("visit_planned")[1:] == []


@pytest.mark.usefixtures("second")
def test_a_partner_who_sends_a_form_of_the_npm_is_not_shown_its_page(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person = browser("leyla")
    for page, data in (
        ("/stop", {"reason": "Because."}),
        ("/team", {"gaps": "No physician."}),
        ("/plan", {"place": "Upper Harbour"}),
        ("/override", {"reason": "Because."}),
    ):
        response = person.post(address(joint_visit, page), data=data)
        assert response.status_code == 403
        assert next(iter(data.values())) not in response.text
