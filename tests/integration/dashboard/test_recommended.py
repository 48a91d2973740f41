"""Recommended checklists are started with a click, and are nobody's task (product.md, 6)."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.agreements import checklist_of, send
from tests.factories.cooperations import Country, copied_country, open_one
from tests.factories.demonstration import Demonstration
from tests.integration.dashboard.test_pages import states
from tests.pages import Page
from tracker.activity.stale import recompute
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as answers
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation, Mode
from tracker.cooperations.modes import STANDING_PLAN
from tracker.lifecycle import service as lifecycle_service
from tracker.lifecycle.queries import own_checklists

TERMS = ChecklistKind.TERMS
PLAN = "Agree the urgent-action plan"
LINE = "Urgent-action plan"


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


def next_step(page: Page) -> str:
    """Return what the page says has to be done next."""
    (section,) = [
        section
        for section in page.root.iter("section")
        if section.attrib.get("aria-labelledby") == "next-step"
    ]
    return " ".join("".join(section.itertext()).split())


def settle_all_but_recommended(session: Session, cooperation: Cooperation) -> None:
    """Leave nothing to do on the terms and on confidentiality."""
    for kind, checklist in own_checklists(cooperation.id).items():
        if kind is not ChecklistKind.URGENT_PLAN:
            for party in checklist.parties:
                party.waiting_count = 0
    session.commit()


@pytest.mark.both_databases
def test_a_recommended_checklist_is_started_by_a_click_and_is_never_the_next_step(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, "door", modes=(Mode.VISIT, Mode.INFO_F))
    session.commit()
    url = f"/cooperations/{cooperation.reference}"
    client = country.browser(app, "samira")
    page = client.page(url)
    assert "Recommended" in page.text
    assert "Urgent-action plan of the cooperation: recommended" in page.text
    assert PLAN not in states(page)
    assert LINE not in states(client.page("/"))
    started = client.post(f"{url}/start/urgent_plan")
    plan = checklist_of(cooperation, ChecklistKind.URGENT_PLAN)
    assert started.location == f"/checklists/{plan.id}"
    settle_all_but_recommended(session, cooperation)
    page = client.page(url)
    assert states(page)[PLAN] == "In progress"
    assert "urgent" not in next_step(page)
    assert LINE not in states(client.page("/"))
    assert client.post(f"{url}/start/urgent_plan").location == f"/checklists/{plan.id}"


def test_a_recommended_checklist_sent_for_signature_waits_for_its_signatory(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, "door", modes=(Mode.INFO_F,))
    lifecycle_service.start_recommended(country.actor("ilena"), cooperation, STANDING_PLAN)
    plan = checklist_of(cooperation, ChecklistKind.URGENT_PLAN)
    send(country, plan, {"npm": "tomas", "door": "henrik"})
    session.commit()
    work = states(country.browser(app, "henrik").page("/"))
    label = "Sign the urgent-action plan for Open Door Legal Aid"
    assert work[label] == "Waiting for your signature"


def test_a_standing_plan_that_is_required_is_a_task(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, "door", modes=(Mode.OMB_PLUS,))
    session.commit()
    client = country.browser(app, "samira")
    page = client.page(f"/cooperations/{cooperation.reference}")
    assert states(page)[PLAN] == "Waiting for us"
    assert states(client.page("/"))[LINE] == "Waiting for you"


def test_confidentiality_terms_that_are_no_longer_needed_are_nobodys_task(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, "door", modes=(Mode.INFO_F,))
    public = {"npm_passes_restricted": "no", "cso_passes_restricted": "no"}
    cooperations.set_modes(
        country.actor("ilena"), cooperation, version=1, modes=[Mode.INFO_F], questions=public
    )
    recompute()
    session.commit()
    client = country.browser(app, "samira")
    page = client.page(f"/cooperations/{cooperation.reference}")
    assert "Confidentiality: not needed" in page.text
    assert states(page)["Agree the confidentiality terms"] == "In progress"
    assert "Confidentiality" not in states(client.page("/"))
    terms = checklist_of(cooperation, TERMS)
    answers.save_answer(
        country.actor("ilena"),
        terms,
        "M9",
        AnswerScope.SHARED,
        {"access": "possible"},
        base_version=0,
    )
    recompute()
    session.commit()
    assert states(client.page("/"))["Confidentiality"] == "Waiting for you"


@pytest.mark.parametrize(
    ("first", "kind", "status"),
    [
        ("henrik", "urgent_plan", 403),
        ("ada", "urgent_plan", 403),
        ("petra", "urgent_plan", 404),
        ("root", "urgent_plan", 404),
        ("ilena", "visit_roles", 404),
        ("ilena", "anything", 404),
    ],
)
def test_who_may_not_start_a_recommended_checklist_gets_no_button_and_no_checklist(
    app: Flask, country: Country, session: Session, first: str, kind: str, status: int
) -> None:
    cooperation = open_one(country, "door", modes=(Mode.INFO_F,))
    session.commit()
    client = country.browser(app, first)
    url = f"/cooperations/{cooperation.reference}"
    assert client.post(f"{url}/start/{kind}").status_code == status
    reasons = {"henrik": "Only a coordinator", "ada": "Only people acting for one of the parties"}
    if reason := reasons.get(first):
        page = client.page(url)
        assert "Start this checklist" not in page.text
        assert reason in page.text


@pytest.mark.parametrize("key", ["ilena", "samira", "henrik", "pavo", "greta"])
def test_nothing_of_a_recommended_plan_waits_in_the_finished_cooperation(
    app: Flask, demonstration: Demonstration, key: str
) -> None:
    client = demonstration.browser(app, key)
    page = client.page(f"/cooperations/{demonstration.references['complete']}")
    assert "Urgent-action plan of the cooperation: recommended" in page.text
    assert "urgent" not in next_step(page)
    assert PLAN not in states(page)
    assert LINE not in states(client.page("/"))
