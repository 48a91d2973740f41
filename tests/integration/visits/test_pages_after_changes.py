"""What a visit's pages name after a notice or a move, to those listed alone."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.visits import JointVisit
from tests.pages import Page
from tracker.activity.models import Event
from tracker.agreements import notices
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.labels import KINDS
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, Notice, NoticeKind
from tracker.ui.locale import as_date
from tracker.visits import service
from tracker.visits.encryption import Plan, plan_of

WARNING = "A notice takes effect before this visit is over."
ONE_DAY = dt.timedelta(days=1)
HOME = "The children's home of Ommelmark"

Browser = Callable[[str], CheckedClient]


@pytest.fixture
def browser(app: Flask, joint_visit: JointVisit) -> Browser:
    joint_visit.session.commit()
    return lambda key: joint_visit.demonstration.browser(app, key)


def address(joint_visit: JointVisit, page: str = "") -> str:
    return f"/cooperations/{joint_visit.reference}/visits/1{page}"


def give_notice(joint_visit: JointVisit, text: Checklist, from_on: dt.date) -> Notice:
    notice = notices.give_notice(
        joint_visit.actor("tomas"), text, NoticeKind.SUSPENDED, reason="A leak.", from_on=from_on
    )
    joint_visit.session.commit()
    return notice


@pytest.mark.parametrize("kind", [ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY])
def test_a_notice_before_the_last_day_is_named_to_those_listed_and_changes_no_stage(
    browser: Browser, joint_visit: JointVisit, kind: ChecklistKind
) -> None:
    """Otherwise people who aren't listed could find out the days by giving notices (K2)."""
    last = plan_of(joint_visit.visit()).ends_on
    before = (joint_visit.visit().stage, joint_visit.visit().is_ready, _of_visits(joint_visit))
    give_notice(joint_visit, joint_visit.checklist(kind, None), last)
    with_day = f"It stops “{KINDS[kind]}” from {as_date(last)}."
    for key in ("pavo", "leyla"):
        for page in ("", "/ready"):
            shown = browser(key).page(address(joint_visit, page)).text
            assert WARNING in shown
            assert with_day in shown
    assert (
        joint_visit.visit().stage,
        joint_visit.visit().is_ready,
        _of_visits(joint_visit),
    ) == before
    browser("nadia").page(address(joint_visit), 404)
    listing = browser("nadia").page(f"/cooperations/{joint_visit.reference}/visits").text
    assert WARNING not in listing


def test_a_notice_after_the_last_day_or_one_that_was_withdrawn_is_not_named(
    browser: Browser, joint_visit: JointVisit
) -> None:
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    last = plan_of(joint_visit.visit()).ends_on
    for from_on, is_named in ((last + ONE_DAY, False), (last, True)):
        notice = give_notice(joint_visit, terms, from_on)
        assert (WARNING in browser("pavo").page(address(joint_visit)).text) is is_named
        notices.close_notice(joint_visit.actor("tomas"), terms, notice.id, reason="It was stopped.")
        joint_visit.session.commit()
        assert WARNING not in browser("pavo").page(address(joint_visit, "/ready")).text


def test_a_visit_that_moved_names_no_type_of_place_until_it_is_said_again(
    browser: Browser, joint_visit: JointVisit
) -> None:
    kind = (
        browser("pavo")
        .page(address(joint_visit))
        .text.split("Type of place")[1]
        .split("Kind of")[0]
    )
    assert kind.strip()
    move(joint_visit)
    shown = browser("pavo").page(address(joint_visit)).text
    assert kind.strip() not in shown.split("Type of place")[1].split("Kind of")[0]
    assert "To be answered again: the place has changed" in shown


def test_a_visit_that_moved_names_no_meeting_point_until_it_is_said_again(
    browser: Browser, joint_visit: JointVisit
) -> None:
    """Else somebody waits on the day where nobody comes (V13)."""
    point = "car park of the Office of the People's Advocate"
    for page in ("", "/my-part"):
        assert (
            f"The team meets08:00, {point}"
            in browser("leyla").page(address(joint_visit, page)).text
        )
    move(joint_visit)
    for page in ("", "/my-part"):
        shown = browser("leyla").page(address(joint_visit, page)).text
        assert point not in shown
        assert "The team meetsTo be answered again: the place has changed" in shown


def test_a_type_of_place_that_was_typed_before_the_visit_moved_is_not_taken_for_the_new_place(
    browser: Browser, joint_visit: JointVisit
) -> None:
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    agreements.amend(joint_visit.actor("ilena"), roles, reason="Another place.", items=["V1"])
    joint_visit.session.commit()
    item = f"/checklists/{roles.id}/items/V1/answer"
    ilena = browser("ilena")
    typed = ilena.page(item).form().filled_in()
    move(joint_visit)
    page = Page.of(ilena.post(item, data=typed, csrf=False))
    assert page.title.startswith("Problem: ")
    current = load(joint_visit.checklist(ChecklistKind.VISIT_ROLES)).sheet.shared("V1")
    assert current is not None
    asked_at = plan_of(joint_visit.visit()).kind_asked_at
    assert asked_at is not None
    assert current.saved_at <= asked_at
    assert ilena.post(item, data=page.form().filled_in(), csrf=False).status_code == 303


def move(joint_visit: JointVisit) -> None:
    """Move the first visit to a place of another type."""
    visit = joint_visit.visit()
    plan = plan_of(visit)
    service.change_plan(
        joint_visit.actor("pavo"),
        visit,
        version=visit.version,
        plan=Plan(HOME, plan.starts_on, plan.ends_on),
    )
    joint_visit.session.commit()


def _of_visits(joint_visit: JointVisit) -> int:
    joint_visit.session.expire_all()
    return (
        joint_visit.session.scalar(
            sa.select(sa.func.count(Event.id)).where(Event.subject_type == "visit")
        )
        or 0
    )
