"""Once a cooperation's key was destroyed, lists go on, and nobody opens its visits any more."""

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus

import pytest
from flask import Flask

from tests.factories.cooperations import signed_in
from tests.factories.visits import JointVisit
from tests.pages import Page
from tests.starting_points import noon_in
from tracker.accounts.models import User
from tracker.agreements import notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import NoticeKind
from tracker.cooperations.models import CooperationKey
from tracker.core import clock
from tracker.visits import queries, service
from tracker.visits.policy import Outline

DAYS = 60


@pytest.fixture
def erased(
    joint_visit: JointVisit, frozen_time: Callable[[dt.datetime | None], None]
) -> JointVisit:
    """A visit after a notice stopped it, before the worker ran, and without its key."""
    frozen_time(noon_in(5))
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    day = clock.today() + dt.timedelta(days=DAYS)
    notices.give_notice(
        joint_visit.actor("tomas"), terms, NoticeKind.ENDED, reason="It is over.", from_on=day
    )
    joint_visit.session.commit()
    assert joint_visit.visit().is_ready
    frozen_time(noon_in(5 + DAYS))
    joint_visit.session.get_one(CooperationKey, joint_visit.cooperation.id).wrapped = None
    joint_visit.session.commit()
    return joint_visit


def browse(app: Flask, joint_visit: JointVisit, key: str, address: str) -> Page:
    return signed_in(app, joint_visit.session.get_one(User, joint_visit.user(key))).page(address)


def test_the_register_and_the_lists_are_shown(app: Flask, erased: JointVisit) -> None:
    for key, address in (
        ("milan", "/register"),
        ("ilena", f"/cooperations/{erased.reference}/visits"),
        ("ilena", "/"),
    ):
        assert browse(app, erased, key, address).h1


def test_its_visit_is_a_number_and_a_stage(app: Flask, erased: JointVisit) -> None:
    (line,) = queries.lines(erased.actor("pavo"), [erased.cooperation.id])
    assert (line.outline, line.is_over) == (Outline.STATE, None)
    assert queries.not_ready_today([erased.visit()]) == set()
    pavo = signed_in(app, erased.session.get_one(User, erased.user("pavo")))
    address = f"/cooperations/{erased.reference}/visits/1"
    assert pavo.get(address).status_code == HTTPStatus.NOT_FOUND


def test_the_daily_run_leaves_it_as_it_is(erased: JointVisit) -> None:
    visit = erased.visit()
    before = (visit.stage, visit.is_ready)
    service.judge_today(visit.id)
    assert (visit.stage, visit.is_ready) == before


@pytest.mark.parametrize(
    ("key", "kind", "rest"),
    [
        ("pavo", ChecklistKind.VISIT_ROLES, ""),
        ("pavo", ChecklistKind.VISIT_ROLES, "/record"),
        ("tomas", ChecklistKind.URGENT_PLAN, "/read"),
    ],
)
def test_the_pages_of_its_texts_say_that_they_were_erased(
    app: Flask, erased: JointVisit, key: str, kind: ChecklistKind, rest: str
) -> None:
    address = f"/checklists/{erased.checklist(kind, 1).id}{rest}"
    browser = signed_in(app, erased.session.get_one(User, erased.user(key)))
    page = browser.page(address, HTTPStatus.GONE)
    assert page.h1 == "This was erased"
    assert "nobody can read what it protected" in page.text


def test_whoever_may_not_see_it_is_not_told_that_it_was_erased(
    app: Flask, erased: JointVisit
) -> None:
    address = f"/checklists/{erased.checklist(ChecklistKind.VISIT_ROLES, 1).id}"
    for key in ("dina", "milan", "henrik"):
        browser = signed_in(app, erased.session.get_one(User, erased.user(key)))
        assert browser.get(address).status_code == HTTPStatus.NOT_FOUND


def test_what_somebody_typed_is_shown_though_it_can_not_be_saved(
    app: Flask, erased: JointVisit
) -> None:
    address = f"/checklists/{erased.checklist(ChecklistKind.VISIT_ROLES, 1).id}/items/V1/answer"
    browser = signed_in(app, erased.session.get_one(User, erased.user("pavo")))
    sent = {"words": "We go in by the gate."}
    page = Page.of(browser.post(address, data=sent, headers={"Origin": "http://localhost"}))
    assert page.h1 == "This was erased"
    assert "We go in by the gate." in page.text
