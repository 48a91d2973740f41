"""Reading class K2 to K7 needs a second factor; a mailed code opens one's own part in a visit."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.accounts import take_app
from tests.factories.demonstration import PASSWORD
from tests.factories.visits import JointVisit, planned
from tests.pages import Page
from tests.services import put
from tracker.access.actor import Role
from tracker.accounts.factors.credentials import COMPULSORY_ROLES
from tracker.accounts.models import User
from tracker.activity.models import ReadLogEntry
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations.models import ClearanceScope
from tracker.demo import checklists as demo_checklists
from tracker.mail.models import OutboxMessage
from tracker.undertakings import service as undertakings
from tracker.visits.models import TeamMember

HARBOUR = "Lower Harbour police station"
NEEDED = "/account/second-factor/needed"
PART = "/my-part"


@pytest.fixture(autouse=True)
def compulsory(app: Flask, joint_visit: JointVisit) -> None:
    """The setting of an instance; once the application is on its database."""
    put(app, COMPULSORY_ROLES.holding(frozenset({Role.SIGNATORY})))


def without_factor(app: Flask, joint_visit: JointVisit, key: str) -> CheckedClient:
    """Return the browser of a person who has only a password now."""
    take_app(joint_visit.user(key))
    joint_visit.session.commit()
    return joint_visit.demonstration.browser(app, key)


def allow_codes(joint_visit: JointVisit) -> None:
    undertakings.allow_mailed_codes(
        joint_visit.actor("milan"),
        joint_visit.cooperation,
        allowed=True,
        reason="Interpreters for one day",
    )
    joint_visit.session.commit()


def address(joint_visit: JointVisit, page: str = "", number: int = 1) -> str:
    return f"/cooperations/{joint_visit.reference}/visits/{number}{page}"


def latest_code(joint_visit: JointVisit, key: str) -> str:
    joint_visit.session.rollback()
    email = joint_visit.session.get_one(User, joint_visit.user(key)).email
    mails = sa.select(OutboxMessage).where(
        OutboxMessage.kind == "code_for_signing", OutboxMessage.recipient == email
    )
    body = joint_visit.session.scalars(mails.order_by(OutboxMessage.created_at.desc())).first()
    assert body is not None
    (code,) = re.findall(r"\b\d{6}\b", body.body)
    joint_visit.session.rollback()
    return str(code)


def give_code(browser: CheckedClient, page: str, code: str) -> Page:
    sent = {"password": PASSWORD, "mailed_code": code}
    return Page.of(browser.post(page, data=sent, follow_redirects=True))


@pytest.mark.parametrize("key", ["ilena", "samira", "marek"])
def test_whoever_has_only_a_password_reads_nothing_of_class_k2_whatever_their_role(
    app: Flask, joint_visit: JointVisit, key: str
) -> None:
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    browser = without_factor(app, joint_visit, key)
    pages = [address(joint_visit, page) for page in ("", "/ready", PART)]
    pages += [f"/checklists/{roles.id}", f"/checklists/{roles.id}/comments"]
    for page in pages:
        assert browser.page(page).where == NEEDED, page
    shown = browser.page(f"/cooperations/{joint_visit.reference}/visits").text
    assert HARBOUR not in shown
    assert "you need more than your password" in shown
    reads = sa.select(ReadLogEntry).where(ReadLogEntry.user_id == joint_visit.user(key))
    assert joint_visit.session.scalars(reads).all() == []
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    assert browser.get(f"/checklists/{terms.id}").status_code == 200


def test_evidence_is_not_exported_with_only_a_password(app: Flask, joint_visit: JointVisit) -> None:
    browser = without_factor(app, joint_visit, "milan")
    page = f"/cooperations/{joint_visit.reference}/evidence"
    assert Page.of(browser.submit(page)).where == NEEDED


def test_a_mailed_code_opens_an_interpreters_own_part_and_nothing_more(
    app: Flask, joint_visit: JointVisit
) -> None:
    other = planned(joint_visit, members=("samira", "marek")).number
    allow_codes(joint_visit)
    browser = without_factor(app, joint_visit, "marek")
    asked_at = browser.page(address(joint_visit, PART))
    assert asked_at.h1 == "Open your part in this visit"
    to_open = address(joint_visit, "/my-part/open")
    assert asked_at.where == to_open
    browser.submit(to_open, action=address(joint_visit, "/my-part/code"))
    code = latest_code(joint_visit, "marek")
    # For one visit only.
    refused = give_code(browser, address(joint_visit, "/my-part/open", other), code)
    assert "Ask for a new one by email" in refused.text
    part = give_code(browser, to_open, code)
    assert part.where == address(joint_visit, PART)
    assert HARBOUR in part.text
    plan = joint_visit.checklist(ChecklistKind.URGENT_PLAN)
    assert browser.page(part.links()["Read the urgent-action plan of this visit"]).where == (
        f"/checklists/{plan.id}/record"
    )
    for page in (
        address(joint_visit),
        address(joint_visit, "/ready"),
        address(joint_visit, PART, other),
    ):
        assert browser.page(page).h1 == "Open your part in this visit"
    assert browser.page(f"/checklists/{plan.id}").where == NEEDED
    assert HARBOUR not in browser.page(f"/cooperations/{joint_visit.reference}/visits").text
    # Used up, and closed again with the session.
    assert "Ask for a new one by email" in give_code(browser, to_open, code).text
    browser.post("/sign-out")
    joint_visit.session.rollback()
    email = joint_visit.session.get_one(User, joint_visit.user("marek")).email
    joint_visit.session.rollback()
    browser.submit("/sign-in", email=email, password=PASSWORD)
    assert browser.page(address(joint_visit, PART)).where == to_open


@pytest.mark.parametrize("by", ["npm", "team"])
def test_what_a_mailed_code_opened_closes_when_it_would_open_it_no_more(
    app: Flask, joint_visit: JointVisit, by: str
) -> None:
    allow_codes(joint_visit)
    browser = without_factor(app, joint_visit, "marek")
    to_open = address(joint_visit, "/my-part/open")
    browser.submit(to_open, action=address(joint_visit, "/my-part/code"))
    part = give_code(browser, to_open, latest_code(joint_visit, "marek"))
    plan = part.links()["Read the urgent-action plan of this visit"]
    if by == "npm":
        undertakings.allow_mailed_codes(
            joint_visit.actor("milan"),
            joint_visit.cooperation,
            allowed=False,
            reason="All have an app now",
        )
    else:
        joint_visit.session.execute(
            sa.delete(TeamMember).where(TeamMember.user_id == joint_visit.user("marek"))
        )
    joint_visit.session.commit()
    for page in (address(joint_visit, PART), plan):
        assert browser.page(page).where == NEEDED


def test_an_undertakings_certificate_needs_a_second_factor_unless_it_is_ones_own(
    app: Flask, joint_visit: JointVisit
) -> None:
    undertaking = joint_visit.undertaking("samira")
    page = f"/undertakings/{undertaking.id}/certificate/en"
    assert without_factor(app, joint_visit, "samira").get(page).status_code != 303
    assert Page.of(
        without_factor(app, joint_visit, "milan").get(page, follow_redirects=True)
    ).where == (NEEDED)


def test_the_last_day_of_a_clearance_for_one_visit_needs_a_second_factor(
    app: Flask, joint_visit: JointVisit
) -> None:
    clearance = joint_visit.clearance("leyla")
    clearance.scope, clearance.until_on = ClearanceScope.VISIT, dt.date(2027, 1, 8)
    joint_visit.session.commit()
    signed_in = joint_visit.demonstration.browser(app, "leyla")
    page = f"/undertakings/{joint_visit.undertaking('leyla').id}"
    with_factor = signed_in.page(page).text
    without = without_factor(app, joint_visit, "leyla").page(page).text
    assert "8 January 2027" not in without
    assert "8 January 2027" in with_factor or "does not agree" in with_factor


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("samira", "Your role needs more than a code by email"),
        ("pavo", "You have a second factor"),
        ("ilena", "You aren't on the team of this visit"),
    ],
)
def test_a_mailed_code_opens_nothing_for_others(
    app: Flask, joint_visit: JointVisit, key: str, reason: str
) -> None:
    allow_codes(joint_visit)
    browser = (
        joint_visit.demonstration.browser(app, key)
        if key in {"pavo", "ilena"}
        else without_factor(app, joint_visit, key)
    )
    for response in (
        browser.get(address(joint_visit, "/my-part/open")),
        browser.post(address(joint_visit, "/my-part/code")),
    ):
        assert response.status_code == 403
        assert reason in Page.of(response).text


def test_no_code_is_mailed_where_the_npm_does_not_allow_it(
    app: Flask, joint_visit: JointVisit
) -> None:
    browser = without_factor(app, joint_visit, "marek")
    assert browser.page(address(joint_visit, PART)).where == NEEDED
    assert browser.post(address(joint_visit, "/my-part/code")).status_code == 403


# What the roles of the demonstration's visit say of a person on the team (V5).
OF_A_TASK = "Reads registers and files"


def _both_waiting(joint_visit: JointVisit) -> list[Checklist]:
    """The two texts of a visit, changed and sent for signature again."""
    texts = [
        joint_visit.checklist(ChecklistKind.VISIT_ROLES),
        joint_visit.checklist(ChecklistKind.URGENT_PLAN),
    ]
    for checklist, item in zip(texts, ("V6", "U4"), strict=True):
        agreements.amend(joint_visit.actor("ilena"), checklist, reason="Another way.", items=[item])
        demo_checklists.send(joint_visit.demo_people, checklist)
    joint_visit.session.commit()
    return texts


def test_texts_of_a_visit_are_read_and_signed_together_only_with_a_second_factor(
    app: Flask, joint_visit: JointVisit
) -> None:
    put(app, COMPULSORY_ROLES.holding(frozenset({Role.MANAGER})))
    _both_waiting(joint_visit)
    address_of_all = f"/cooperations/{joint_visit.reference}/sign"
    browser = without_factor(app, joint_visit, "tomas")
    page = browser.page(address_of_all)
    assert OF_A_TASK not in page.text
    assert page.where == NEEDED


def test_reading_texts_of_a_visit_to_sign_them_together_is_logged_on_both_pages(
    app: Flask, joint_visit: JointVisit
) -> None:
    texts = _both_waiting(joint_visit)
    address_of_all = f"/cooperations/{joint_visit.reference}/sign"
    browser = joint_visit.demonstration.browser(app, "tomas")
    page = browser.page(address_of_all)
    assert OF_A_TASK in page.text
    boxes = [box for box in page.root.iter("input") if box.attrib.get("name") == "opened"]
    marks = "".join(f"&opened={box.attrib['value']}" for box in boxes)
    browser.page(f"{address_of_all}?chosen=1{marks}")
    reads = sa.select(ReadLogEntry).where(ReadLogEntry.user_id == joint_visit.user("tomas"))
    logged = {(row.subject_id, row.page) for row in joint_visit.session.scalars(reads)}
    ids = {checklist.id for checklist in texts}
    assert logged == {(text_id, page) for text_id in ids for page in ("read_to_sign", "sign")}
