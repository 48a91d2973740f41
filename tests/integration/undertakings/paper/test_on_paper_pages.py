"""The pages on which an undertaking on paper is printed, recorded, compared and confirmed."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories import paper as scans
from tests.factories import undertakings
from tests.factories import undertakings_on_paper as on_paper
from tests.factories.evidence.tampering import table_of
from tests.factories.undertakings import TOLD, Clearing
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tests.integration.signoff.test_written_by_hand import REFUSED, write
from tests.pages import Page
from tracker.accounts.models import User
from tracker.activity.models import ReadLogEntry
from tracker.cooperations import keys
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.undertakings import queries
from tracker.undertakings.models import UndertakingState
from tracker.undertakings.paper import service

Browser = Callable[[str], CheckedClient]
OUTSIDE = ["greta", "celia", "samira", "henrik", "dina", "leyla", "nadia", "pavo"]


@pytest.fixture
def driver(app: Flask, clearing: Clearing) -> Clearing:
    """The cooperation, with a driver of the NPM who has no account and was asked."""
    on_paper.with_driver(app, clearing)
    return clearing


@pytest.fixture
def browser(app: Flask, driver: Clearing) -> Browser:
    return lambda key: driver.browser(app, key)


def list_of(clearing: Clearing) -> str:
    return f"/cooperations/{clearing.cooperation.reference}/undertakings"


def address(clearing: Clearing, key: str = DRIVER) -> str:
    return f"{list_of(clearing)}/{clearing.undertaking(key).id}/paper"


def send(
    browser: CheckedClient, where: str, scan: bytes, confirmed: list[str], **fields: str
) -> TestResponse:
    """Fill in the form as the coordinator would, and send it with a file."""
    form = browser.page(where).form()
    today = clock.today().isoformat()
    values = {"signed_on": today, "briefed": "y", "briefed_on": today, "has_interests": "none"}
    ticked = dict.fromkeys(confirmed, "y")
    body, kind = scans.as_sent(form.filled_in(**values | ticked | fields), scan, "scan.pdf")
    return browser.open(
        where, method="POST", data=body, content_type=kind, csrf=False, follow_redirects=True
    )


def points(clearing: Clearing) -> list[str]:
    questions = queries.questions_of(queries.load(clearing.undertaking(DRIVER)))
    return [point.name for point in questions.points]


def state(clearing: Clearing) -> UndertakingState:
    db.session.rollback()
    return clearing.undertaking(DRIVER).state


def test_the_way_from_the_list_to_a_confirmed_scan(driver: Clearing, browser: Browser) -> None:
    where, names = address(driver), points(driver)
    coordinator = browser("ilena")
    assert f"{where}/blank" in coordinator.page(list_of(driver)).addresses()
    blank = coordinator.page(f"{where}/blank")
    assert "I, Bruno Keel, have read revision 1" in blank.text
    assert f"{where}/record?language=en" in blank.addresses()
    terms = f"/checklists/{driver.checklist.id}/record/1"
    assert terms in blank.addresses()
    # The paper promises only what is true: whoever takes it reads it.
    assert "and the coordinator who takes this paper" in blank.text
    page = Page.of(send(coordinator, f"{where}/record", scans.pdf(), names))
    assert "The scan is recorded. Somebody else from the NPM now has to confirm it." in page.text
    assert where in coordinator.page(list_of(driver)).addresses()
    second = browser("milan")
    assert f"Confirm the undertaking of {NAME}, signed on paper" in second.page("/").text
    answer = second.submit(where, compared=True)
    assert "You confirmed the scan. The NPM now has to countersign it." in answer.text
    checked = second.page(f"{list_of(driver)}/{driver.undertaking(DRIVER).id}")
    assert "Scan recorded by Ilena Dorvath" in checked.text
    assert state(driver) is UndertakingState.SIGNED


def test_a_missing_answer_is_reported_beside_its_field_and_nothing_is_saved(
    driver: Clearing, browser: Browser
) -> None:
    where = f"{address(driver)}/record"
    page = Page.of(send(browser("ilena"), where, b"<html>", points(driver)))
    assert "isn't a complete PDF, JPEG or PNG" in page.text
    page = Page.of(send(browser("ilena"), where, scans.pdf(), points(driver)[1:]))
    assert "Confirm “" in page.text
    page = Page.of(send(browser("ilena"), where, scans.pdf(), points(driver), signed_on=""))
    assert "Date on the paper" in page.text
    assert state(driver) is UndertakingState.ASKED


def test_confirming_needs_the_tick_and_happens_once(driver: Clearing, browser: Browser) -> None:
    on_paper.record(driver)
    where = address(driver)
    second = browser("milan")
    second.submit(where)
    assert state(driver) is UndertakingState.ON_PAPER
    form = second.page(where).form()
    data = form.filled_in(compared=True)
    assert second.post(where, data=data, csrf=False).status_code == 303
    again = second.post(where, data=data, csrf=False)
    assert again.status_code == 403
    assert "no longer waiting to be confirmed" in again.text


def test_the_page_names_no_confirmer_whose_name_was_changed_by_hand(
    driver: Clearing, browser: Browser
) -> None:
    on_paper.record(driver)
    where = address(driver)
    write(User, table_of(User).c.id == driver.demo_people.users["milan"].id, name="Mila Osterin")
    assert REFUSED in browser("milan").page(where, 403).text
    # The one who recorded it isn't asked, and still reads what became of it.
    assert "Waiting to be confirmed" in browser("ilena").page(where).text


def test_whoever_recorded_it_sees_its_status_but_does_not_confirm(
    driver: Clearing, browser: Browser
) -> None:
    on_paper.record(driver, draft=on_paper.filled_in(driver, TOLD))
    where = address(driver)
    page = browser("ilena").page(where)
    assert "Waiting to be confirmed" in page.text
    assert TOLD not in page.text
    assert TOLD in browser("milan").page(where).text
    refused = browser("ilena").post(where, data={"compared": "y"})
    assert refused.status_code == 403


@pytest.mark.parametrize("key", OUTSIDE)
def test_nobody_else_finds_any_of_its_pages(driver: Clearing, browser: Browser, key: str) -> None:
    on_paper.record(driver)
    client = browser(key)
    where = address(driver)
    for page in ("", "/blank", "/record", "/refuse", "/withdraw", "/scan"):
        assert client.get(where + page).status_code == 404


def test_it_is_not_found_under_another_cooperation(driver: Clearing, browser: Browser) -> None:
    on_paper.record(driver)
    other = undertakings.clearing(driver.demo_people, "od", in_force=False)
    undertaking_id = driver.undertaking(DRIVER).id
    where = f"{list_of(other)}/{undertaking_id}/paper"
    for key in ("ilena", "milan"):
        assert browser(key).get(where).status_code == 404


def test_there_is_no_paper_for_a_person_with_an_account(driver: Clearing, browser: Browser) -> None:
    where = address(driver, "leyla")
    for page in ("/blank", "/record"):
        answer = browser("ilena").get(where + page)
        assert answer.status_code == 403
        assert "has an account and signs for themselves" in answer.text
    assert browser("milan").get(where).status_code == 404


def test_the_scan_is_handed_out_as_a_file_and_the_reading_is_noted(
    driver: Clearing, browser: Browser
) -> None:
    on_paper.record(driver)
    undertaking_id = driver.undertaking(DRIVER).id
    answer = browser("milan").get(f"{address(driver)}/scan")
    assert answer.data == scans.pdf()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    read = db.session.scalars(
        sa.select(ReadLogEntry.user_id).where(ReadLogEntry.subject_id == undertaking_id)
    ).all()
    assert read == [driver.id("milan")]


@pytest.mark.parametrize(("act", "key"), [("refuse", "tomas"), ("withdraw", "ilena")])
def test_a_scan_is_refused_or_withdrawn_with_a_reason(
    driver: Clearing, browser: Browser, act: str, key: str
) -> None:
    on_paper.record(driver)
    where = f"{address(driver)}/{act}"
    browser(key).submit(where, reason="")
    assert state(driver) is UndertakingState.ON_PAPER
    browser(key).submit(where, reason="Page 2 is missing.")
    assert state(driver) is UndertakingState.ASKED


def test_a_reason_to_refuse_a_scan_stays_when_it_was_withdrawn_meanwhile(
    driver: Clearing, browser: Browser
) -> None:
    """product.md, 4.7."""
    on_paper.record(driver)
    where, manager = f"{address(driver)}/refuse", browser("milan")
    data = manager.page(where).form().filled_in(reason="Page 2 is missing.")
    service.withdraw(driver.actor("ilena"), driver.undertaking(DRIVER).id, reason="Wrong file.")
    db.session.commit()
    again = manager.open(where, method="POST", data=data, csrf=False)
    assert again.status_code == 403
    assert Page.of(again).form().values["reason"] == ["Page 2 is missing."]


def test_a_paper_is_frozen_in_the_language_in_which_it_was_printed(
    driver: Clearing, browser: Browser
) -> None:
    driver.demo_people.users[DRIVER].language = "ar"
    db.session.commit()
    coordinator, where = browser("ilena"), address(driver)
    blank = coordinator.page(f"{where}/blank")
    assert blank.root.attrib["lang"] == "ar"
    assert "النص بهذه اللغة:" in blank.text
    english = f"{where}/blank?language=en"
    assert english in blank.addresses()
    assert "The text is in this language: English." in coordinator.page(english).text
    (onward,) = [page for page in blank.addresses() if "/paper/record" in page]
    send(coordinator, onward, scans.pdf(), points(driver))
    assert state(driver) is UndertakingState.ON_PAPER
    revision = db.session.get_one(Revision, driver.undertaking(DRIVER).revision_id)
    text = signoff.document_of(revision, keys.key_of(driver.cooperation.id))
    assert text["languages"] == ["ar", "en"]
    assert list(text["sentence"]) == ["ar"]
    assert text["sentence"]["ar"].startswith("أنا")
