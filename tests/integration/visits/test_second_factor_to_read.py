"""Reading class K2 to K7 needs a second factor; a mailed code opens one's own part in a visit."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.accounts import take_app
from tests.factories.demonstration import PASSWORD
from tests.factories.visits import Scene, planned
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
def compulsory(app: Flask, scene: Scene) -> None:
    """The setting of an instance; once the application is on its database."""
    put(app, COMPULSORY_ROLES.holding(frozenset({Role.SIGNATORY})))


def without_factor(app: Flask, scene: Scene, key: str) -> CheckedClient:
    """Return the browser of a person who has only a password now."""
    take_app(scene.user(key))
    scene.session.commit()
    return scene.demonstration.browser(app, key)


def allow_codes(scene: Scene) -> None:
    undertakings.allow_mailed_codes(
        scene.actor("milan"), scene.cooperation, allowed=True, reason="Interpreters for one day"
    )
    scene.session.commit()


def address(scene: Scene, page: str = "", number: int = 1) -> str:
    return f"/cooperations/{scene.reference}/visits/{number}{page}"


def latest_code(scene: Scene, key: str) -> str:
    scene.session.rollback()
    email = scene.session.get_one(User, scene.user(key)).email
    mails = sa.select(OutboxMessage).where(
        OutboxMessage.kind == "code_for_signing", OutboxMessage.recipient == email
    )
    body = scene.session.scalars(mails.order_by(OutboxMessage.created_at.desc())).first()
    assert body is not None
    (code,) = re.findall(r"\b\d{6}\b", body.body)
    scene.session.rollback()
    return str(code)


def give_code(browser: CheckedClient, page: str, code: str) -> Page:
    sent = {"password": PASSWORD, "mailed_code": code}
    return Page.of(browser.post(page, data=sent, follow_redirects=True))


@pytest.mark.parametrize("key", ["ilena", "samira", "marek"])
def test_whoever_has_only_a_password_reads_nothing_of_class_k2_whatever_their_role(
    app: Flask, scene: Scene, key: str
) -> None:
    roles = scene.checklist(ChecklistKind.VISIT_ROLES)
    browser = without_factor(app, scene, key)
    pages = [address(scene, page) for page in ("", "/ready", PART)]
    pages += [f"/checklists/{roles.id}", f"/checklists/{roles.id}/comments"]
    for page in pages:
        assert browser.page(page).where == NEEDED, page
    shown = browser.page(f"/cooperations/{scene.reference}/visits").text
    assert HARBOUR not in shown
    assert "you need more than your password" in shown
    reads = sa.select(ReadLogEntry).where(ReadLogEntry.user_id == scene.user(key))
    assert scene.session.scalars(reads).all() == []
    terms = scene.checklist(ChecklistKind.TERMS, None)
    assert browser.get(f"/checklists/{terms.id}").status_code == 200


def test_evidence_is_not_exported_with_only_a_password(app: Flask, scene: Scene) -> None:
    browser = without_factor(app, scene, "milan")
    page = f"/cooperations/{scene.reference}/evidence"
    assert Page.of(browser.submit(page)).where == NEEDED


def test_a_mailed_code_opens_an_interpreters_own_part_and_nothing_more(
    app: Flask, scene: Scene
) -> None:
    other = planned(scene, members=("samira", "marek")).number
    allow_codes(scene)
    browser = without_factor(app, scene, "marek")
    asked_at = browser.page(address(scene, PART))
    assert asked_at.h1 == "Open your part in this visit"
    to_open = address(scene, "/my-part/open")
    assert asked_at.where == to_open
    browser.submit(to_open, action=address(scene, "/my-part/code"))
    code = latest_code(scene, "marek")
    # For one visit only.
    refused = give_code(browser, address(scene, "/my-part/open", other), code)
    assert "Ask for a new one by email" in refused.text
    part = give_code(browser, to_open, code)
    assert part.where == address(scene, PART)
    assert HARBOUR in part.text
    plan = scene.checklist(ChecklistKind.URGENT_PLAN)
    assert browser.page(part.links()["Read the urgent-action plan of this visit"]).where == (
        f"/checklists/{plan.id}/record"
    )
    for page in (address(scene), address(scene, "/ready"), address(scene, PART, other)):
        assert browser.page(page).h1 == "Open your part in this visit"
    assert browser.page(f"/checklists/{plan.id}").where == NEEDED
    assert HARBOUR not in browser.page(f"/cooperations/{scene.reference}/visits").text
    # Used up, and closed again with the session.
    assert "Ask for a new one by email" in give_code(browser, to_open, code).text
    browser.post("/sign-out")
    scene.session.rollback()
    email = scene.session.get_one(User, scene.user("marek")).email
    scene.session.rollback()
    browser.submit("/sign-in", email=email, password=PASSWORD)
    assert browser.page(address(scene, PART)).where == to_open


@pytest.mark.parametrize("by", ["npm", "team"])
def test_what_a_mailed_code_opened_closes_when_it_would_open_it_no_more(
    app: Flask, scene: Scene, by: str
) -> None:
    allow_codes(scene)
    browser = without_factor(app, scene, "marek")
    to_open = address(scene, "/my-part/open")
    browser.submit(to_open, action=address(scene, "/my-part/code"))
    part = give_code(browser, to_open, latest_code(scene, "marek"))
    plan = part.links()["Read the urgent-action plan of this visit"]
    if by == "npm":
        undertakings.allow_mailed_codes(
            scene.actor("milan"), scene.cooperation, allowed=False, reason="All have an app now"
        )
    else:
        scene.session.execute(
            sa.delete(TeamMember).where(TeamMember.user_id == scene.user("marek"))
        )
    scene.session.commit()
    for page in (address(scene, PART), plan):
        assert browser.page(page).where == NEEDED


def test_an_undertakings_certificate_needs_a_second_factor_unless_it_is_ones_own(
    app: Flask, scene: Scene
) -> None:
    undertaking = scene.undertaking("samira")
    page = f"/undertakings/{undertaking.id}/certificate/en"
    assert without_factor(app, scene, "samira").get(page).status_code != 303
    assert Page.of(without_factor(app, scene, "milan").get(page, follow_redirects=True)).where == (
        NEEDED
    )


def test_the_last_day_of_a_clearance_for_one_visit_needs_a_second_factor(
    app: Flask, scene: Scene
) -> None:
    clearance = scene.clearance("leyla")
    clearance.scope, clearance.until_on = ClearanceScope.VISIT, dt.date(2027, 1, 8)
    scene.session.commit()
    signed_in = scene.demonstration.browser(app, "leyla")
    page = f"/undertakings/{scene.undertaking('leyla').id}"
    with_factor = signed_in.page(page).text
    without = without_factor(app, scene, "leyla").page(page).text
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
    app: Flask, scene: Scene, key: str, reason: str
) -> None:
    allow_codes(scene)
    browser = (
        scene.demonstration.browser(app, key)
        if key in {"pavo", "ilena"}
        else without_factor(app, scene, key)
    )
    for response in (
        browser.get(address(scene, "/my-part/open")),
        browser.post(address(scene, "/my-part/code")),
    ):
        assert response.status_code == 403
        assert reason in Page.of(response).text


def test_no_code_is_mailed_where_the_npm_does_not_allow_it(app: Flask, scene: Scene) -> None:
    browser = without_factor(app, scene, "marek")
    assert browser.page(address(scene, PART)).where == NEEDED
    assert browser.post(address(scene, "/my-part/code")).status_code == 403


# What the roles of the demonstration's visit say of a person on the team (V5).
OF_A_TASK = "Reads registers and files"


def _both_waiting(scene: Scene) -> list[Checklist]:
    """The two texts of a visit, changed and sent for signature again."""
    texts = [scene.checklist(ChecklistKind.VISIT_ROLES), scene.checklist(ChecklistKind.URGENT_PLAN)]
    for checklist, item in zip(texts, ("V6", "U4"), strict=True):
        agreements.amend(scene.actor("ilena"), checklist, reason="Another way.", items=[item])
        demo_checklists.send(scene.cast, checklist)
    scene.session.commit()
    return texts


def test_texts_of_a_visit_are_read_and_signed_together_only_with_a_second_factor(
    app: Flask, scene: Scene
) -> None:
    put(app, COMPULSORY_ROLES.holding(frozenset({Role.MANAGER})))
    _both_waiting(scene)
    address_of_all = f"/cooperations/{scene.reference}/sign"
    browser = without_factor(app, scene, "tomas")
    page = browser.page(address_of_all)
    assert OF_A_TASK not in page.text
    assert page.where == NEEDED


def test_reading_texts_of_a_visit_to_sign_them_together_is_logged_on_both_pages(
    app: Flask, scene: Scene
) -> None:
    texts = _both_waiting(scene)
    address_of_all = f"/cooperations/{scene.reference}/sign"
    browser = scene.demonstration.browser(app, "tomas")
    page = browser.page(address_of_all)
    assert OF_A_TASK in page.text
    boxes = [box for box in page.root.iter("input") if box.attrib.get("name") == "opened"]
    marks = "".join(f"&opened={box.attrib['value']}" for box in boxes)
    browser.page(f"{address_of_all}?chosen=1{marks}")
    reads = sa.select(ReadLogEntry).where(ReadLogEntry.user_id == scene.user("tomas"))
    logged = {(row.subject_id, row.page) for row in scene.session.scalars(reads)}
    ids = {checklist.id for checklist in texts}
    assert logged == {(text_id, page) for text_id in ids for page in ("read_to_sign", "sign")}
