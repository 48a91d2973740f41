"""People who record paper for their party have read exactly the text that is frozen or signed."""

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories import checklists
from tests.factories import paper as scans
from tests.factories.cooperations import signed_in
from tests.factories.evidence.leaves import shown_on, unseen
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.test_paper import refused
from tests.integration.agreements.test_prior_agreements import attempt, document, page_now
from tests.pages import Page
from tracker.access.page_tokens import NotShownError
from tracker.agreements import frozen_text
from tracker.agreements import service as agreements
from tracker.agreements.paper import service as paper
from tracker.checklists.models import ChecklistState
from tracker.core import clock
from tracker.signoff import shown
from tracker.signoff.paper_models import PaperRecord

CHANGED = "The text changed after you opened it, so nothing was done."
UNKNOWN = "We don't know which text you read."
PAGES = {"Record an earlier agreement": "former", "Record a signature on paper": "paper"}
WORDS = "The NPM asks Open Door before it publishes."


@pytest.fixture
def known(negotiation: Negotiation) -> Negotiation:
    """One answer is known and agreed."""
    negotiation.settle("M1")
    return negotiation


def records(negotiation: Negotiation) -> int:
    total = negotiation.session.scalar(sa.select(sa.func.count()).select_from(PaperRecord)) or 0
    negotiation.session.rollback()
    return total


def send(negotiation: Negotiation, browser: CheckedClient, page: Page, **fields: object) -> Page:
    """Send the form of a page that somebody opened before, with a scan."""
    address = f"/checklists/{negotiation.checklist().id}/{PAGES[page.h1]}"
    body, kind = scans.as_sent(page.form().filled_in(**fields), scans.pdf(), "scan.pdf")
    answer = browser.open(
        address, method="POST", data=body, content_type=kind, csrf=False, follow_redirects=True
    )
    return Page.of(answer)


def typed(page: Page) -> dict[str, object]:
    """Return what somebody fills in on the page of an earlier agreement."""
    signers = {name: "Ada Former, Head" for name in page.form().names if "signers" in name}
    return {"signed_on": "2021-03-09", "ends_on": "2031-03-09", **signers}


# Earlier agreements


def test_an_earlier_agreement_is_not_recorded_with_an_answer_that_changed_unseen(
    known: Negotiation,
) -> None:
    page = page_now(known)
    known.save("samira", "M6", words=WORDS)
    refused(known, lambda: attempt(known, page=page), CHANGED, NotShownError)
    assert known.checklist().state is ChecklistState.DRAFTING
    attempt(known, page=page_now(known))


def test_an_earlier_agreement_is_not_recorded_without_a_page_that_showed_it(
    known: Negotiation,
) -> None:
    refused(known, lambda: attempt(known, page=None), UNKNOWN, NotShownError)
    other = shown.page_with("b" * 64)
    refused(known, lambda: attempt(known, page=other), CHANGED, NotShownError)


def test_what_the_cooperation_says_of_itself_is_part_of_the_text_that_was_read(
    known: Negotiation,
) -> None:
    page = page_now(known)
    known.cooperation.review_on = clock.today() + dt.timedelta(days=3)
    known.session.commit()
    refused(known, lambda: attempt(known, page=page), CHANGED, NotShownError)


def test_the_page_shows_all_that_is_frozen_of_an_earlier_agreement(
    known: Negotiation, app: Flask
) -> None:
    address = f"/checklists/{known.checklist().id}/former"
    ilena = signed_in(app, known.country.users["ilena"])
    texts = [shown_on(ilena.page(f"{address}?language={code}")) for code in ("en", "fr", "ar")]
    attempt(known)
    known.session.commit()
    text = document(known)
    # What the form adds, and the number and time that freezing adds.
    own = ("signatories", "made_before", "frozen_at", "revision")
    read = {key: value for key, value in text.items() if key not in own}
    read["signatories"] = []
    for code, words in zip(("en", "fr", "ar"), texts, strict=True):
        if code in frozen_text.languages_of(text):
            assert unseen(read, words, code, "en") == []
    assert "As ilena writes it." in texts[0]


def test_a_page_that_is_out_of_date_shows_the_new_text_and_keeps_what_was_typed(
    known: Negotiation, app: Flask
) -> None:
    address = f"/checklists/{known.checklist().id}/former"
    browser = signed_in(app, known.country.users["ilena"])
    page = browser.page(address)
    assert "choose the file again" in page.text
    known.save("samira", "M6", words=WORDS)
    again = send(known, browser, page, **typed(page))
    assert CHANGED in again.text
    assert again.text.count(CHANGED) == 1
    assert WORDS in again.text
    assert records(known) == 0
    values = again.form().filled_in()
    assert values["signed_on"] == ["2021-03-09"]
    assert values["ends_on"] == ["2031-03-09"]
    assert [value for name, value in values.items() if "signers" in name] == [
        ["Ada Former, Head"]
    ] * 3
    assert "Earlier agreement on paper" in send(known, browser, again).text
    assert records(known) == 1
    assert WORDS in str(document(known))


def test_a_form_with_a_mistake_says_too_that_the_text_changed(
    known: Negotiation, app: Flask
) -> None:
    """The page that comes back shows another text, so it says so, whatever else is wrong."""
    address = f"/checklists/{known.checklist().id}/former"
    browser = signed_in(app, known.country.users["ilena"])
    page = browser.page(address)
    known.save("samira", "M6", words=WORDS)
    again = send(known, browser, page, **typed(page) | {"signed_on": ""})
    assert CHANGED in again.text
    assert WORDS in again.text


def test_a_page_that_somebody_else_opened_records_nothing(known: Negotiation, app: Flask) -> None:
    address = f"/checklists/{known.checklist().id}/former"
    browser = signed_in(app, known.country.users["ilena"])
    page = browser.page(address)
    token = shown.token_of(known["samira"], page_now(known))
    again = send(known, browser, page, **typed(page) | {"page_token": token})
    assert UNKNOWN in again.text
    assert records(known) == 0


# Texts written here


@pytest.fixture
def sent(negotiation: Negotiation) -> Negotiation:
    """The terms, agreed, frozen and sent; nobody has signed."""
    negotiation.send()
    negotiation.session.commit()
    return negotiation


def send_again(negotiation: Negotiation) -> None:
    """Call the text back and send it again on the same day, with the same signatories."""
    agreements.call_back(negotiation["ilena"], negotiation.checklist(), reason="A date is wrong.")
    checklists.send(negotiation.checklist(), negotiation["ilena"], negotiation.signatories)
    negotiation.session.commit()


def test_a_scan_of_one_revision_is_not_recorded_for_the_next(sent: Negotiation) -> None:
    page = agreements.page_with(sent.checklist())
    send_again(sent)
    refused(
        sent,
        lambda: scans.record(sent["samira"], sent.checklist(), page=page),
        CHANGED,
        NotShownError,
    )
    scans.record(sent["samira"], sent.checklist())


def test_a_scan_is_not_recorded_without_a_page_that_names_its_revision(sent: Negotiation) -> None:
    day, people = clock.today(), {sent["henrik"].user_id: "Director"}
    refused(
        sent,
        lambda: paper.record(
            sent["samira"],
            sent.checklist(),
            page=None,
            signed_on=day,
            offices=people,
            scan=scans.pdf(),
        ),
        UNKNOWN,
        NotShownError,
    )


def test_a_page_open_since_the_last_revision_records_no_scan_and_keeps_what_was_typed(
    sent: Negotiation, app: Flask
) -> None:
    browser = signed_in(app, sent.country.users["samira"])
    page = browser.page(f"/checklists/{sent.checklist().id}/paper")
    office = next(name for name in page.form().names if "office" in name)
    send_again(sent)
    values = {"signed_on": clock.today().isoformat(), office: "Chair of the board"}
    again = send(sent, browser, page, **values)
    assert again.text.count(CHANGED) == 1
    assert "What changed since you opened revision 1" in again.text
    assert records(sent) == 0
    assert again.form().filled_in()[office] == ["Chair of the board"]
    assert "The scan is recorded" in send(sent, browser, again).text
    assert records(sent) == 1


def test_a_page_of_a_text_that_was_called_back_says_so_and_keeps_what_was_typed(
    sent: Negotiation, app: Flask
) -> None:
    browser = signed_in(app, sent.country.users["samira"])
    page = browser.page(f"/checklists/{sent.checklist().id}/paper")
    office = next(name for name in page.form().names if "office" in name)
    agreements.call_back(sent["ilena"], sent.checklist(), reason="A date is wrong.")
    sent.session.commit()
    values = {"signed_on": clock.today().isoformat(), office: "Chair of the board"}
    again = send(sent, browser, page, **values)
    assert "This text was called back after you opened it, so nothing was done." in again.text
    assert again.form().filled_in()[office] == ["Chair of the board"]
    assert records(sent) == 0
