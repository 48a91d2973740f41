"""The pages on which interests are added after signing, and decided on."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.undertakings import Clearing
from tests.pages import Page
from tracker.activity.models import ReadLogEntry
from tracker.core.db import db
from tracker.undertakings import added_interests, adding, service
from tracker.undertakings.models import AddedInterest, InterestsDecision, Reach
from tracker.undertakings.places import Places

Browser = Callable[[str], CheckedClient]
TEXT = "My brother works for the Quillfen guards since May."
NOT_DECIDERS = ["dina", "otto", "joana", "henrik", "samira", "ilena", "nadia", "greta", "celia"]


@pytest.fixture
def browser(app: Flask, clearing: Clearing) -> Browser:
    return lambda key: clearing.browser(app, key)


@pytest.fixture
def own(clearing: Clearing) -> str:
    """The page of an undertaking that opened a clearance."""
    clearing.clear("leyla")
    return f"/undertakings/{clearing.undertaking('leyla').id}"


def added(clearing: Clearing, own: str) -> str:
    """Add an interest; return the NPM's page about it."""
    interest = adding.add(
        clearing.actor("leyla"), clearing.undertaking("leyla").id, TEXT, Places(Reach.ALL)
    )
    address = f"/cooperations/{clearing.cooperation.reference}{own}/interests/{interest.id}"
    db.session.commit()
    return address


def test_a_person_adds_an_interest_and_reads_what_became_of_it(
    browser: Browser, clearing: Clearing, own: str
) -> None:
    client = browser("leyla")
    assert f"{own}/interests/new" in client.get("/undertakings").text
    assert f"{own}/interests/new" in client.get(own).text
    done = client.submit(f"{own}/interests/new", interest=TEXT, reach="all")
    page = Page.of(done).text
    for words in ("The NPM has been asked", TEXT, "Not decided yet", "Paused until the NPM"):
        assert words in page
    interest = db.session.scalars(sa.select(AddedInterest)).one()
    tomas = browser("tomas")
    assert "added to their interests" in tomas.page("/").text
    place = f"/cooperations/{clearing.cooperation.reference}{own}/interests/{interest.id}"
    assert TEXT in tomas.page(place).text
    # Its event has no details, and nothing of it was erased.
    for reader in (tomas, client):
        history = reader.page(f"/cooperations/{clearing.cooperation.reference}/history").text
        assert "A person added to what they declared" in history
        assert "The details of this event were erased." not in history
    tomas.submit(
        place,
        decision="limit",
        reach="named",
        place="Quillfen",
        kind="",
        reason="Never in Quillfen.",
    )
    page = browser("leyla").page(own).text
    for words in ("Accepted with a limit", "Barred from", "Quillfen", "with a limit"):
        assert words in page
    assert TEXT in tomas.page(f"/cooperations/{clearing.cooperation.reference}{own}").text


def test_while_some_places_are_closed_the_page_does_not_promise_access_to_all(
    browser: Browser, clearing: Clearing, own: str
) -> None:
    client = browser("leyla")
    everything, the_rest = "You now have access.", "You have access, except to the places"
    assert everything in client.page(own).text
    client.submit(f"{own}/interests/new", interest=TEXT, reach="named", place="Quillfen", kind="")
    undecided = client.page(own).text
    assert the_rest in undecided
    assert everything not in undecided
    interest = db.session.scalars(sa.select(AddedInterest)).one()
    browser("tomas").submit(
        f"/cooperations/{clearing.cooperation.reference}{own}/interests/{interest.id}",
        decision="limit",
        reach="named",
        place="Quillfen",
        kind="",
        reason="Not there.",
    )
    limited = client.page(own).text
    assert the_rest in limited
    assert everything not in limited


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"reach": "all"}, "Write what you declare"),
        ({"interest": TEXT}, "Say which places it concerns"),
        ({"interest": TEXT, "reach": "kind"}, "Choose the kind of place"),
        ({"interest": TEXT, "reach": "named"}, "Enter the name of the place"),
        ({"interest": TEXT, "reach": "kind", "kind": "other"}, "Choose one of the answers offered"),
    ],
)
def test_a_missing_answer_is_reported_and_nothing_closes(
    browser: Browser, clearing: Clearing, own: str, sent: dict[str, str], message: str
) -> None:
    response = browser("leyla").post(f"{own}/interests/new", data=sent)
    assert message in Page.of(response).text
    assert sent.get("interest", "") in response.text
    assert clearing.is_cleared("leyla")


def test_nobody_opens_the_page_for_another(browser: Browser, own: str) -> None:
    for key in ("dina", "tomas", "samira"):
        assert browser(key).get(f"{own}/interests/new").status_code == 404


def test_before_signing_the_person_is_sent_to_the_undertaking(
    browser: Browser, clearing: Clearing
) -> None:
    path = f"/undertakings/{clearing.undertaking('leyla').id}"
    response = browser("leyla").get(f"{path}/interests/new", follow_redirects=True)
    assert "Interests are declared in it" in Page.of(response).text
    link = f"/cooperations/{clearing.cooperation.reference}/interests/new"
    assert browser("leyla").get(link).status_code == 404


@pytest.mark.parametrize("key", NOT_DECIDERS)
def test_only_who_decides_for_the_npm_reads_what_was_added(
    browser: Browser, clearing: Clearing, own: str, key: str
) -> None:
    address = added(clearing, own)
    client = browser(key)
    assert client.get(address).status_code == 404
    assert client.post(address, data={"decision": "accept"}).status_code == 404
    listing = client.get(f"/cooperations/{clearing.cooperation.reference}/undertakings").text
    assert "Quillfen" not in listing
    assert "Interests wait" not in listing


def test_the_person_does_not_decide_on_their_own(
    browser: Browser, clearing: Clearing, own: str
) -> None:
    assert browser("leyla").get(added(clearing, own)).status_code == 404


def test_reading_what_was_added_is_noted(browser: Browser, clearing: Clearing, own: str) -> None:
    address = added(clearing, own)
    browser("tomas").get(address)
    noted = db.session.scalars(sa.select(ReadLogEntry.user_id)).all()
    assert clearing.id("tomas") in noted


def test_a_form_that_shows_it_again_is_noted_as_a_reading(
    browser: Browser, clearing: Clearing, own: str
) -> None:
    address = added(clearing, own)

    def readers() -> list[UUID]:
        rows = list(db.session.scalars(sa.select(ReadLogEntry.user_id)))
        db.session.rollback()
        return rows

    shown = browser("tomas").post(address, data={"decision": "limit"})
    assert TEXT in shown.text
    assert readers() == [clearing.id("tomas")]
    accepted = browser("tomas").post(address, data={"decision": "accept"})
    assert accepted.status_code == 303
    assert readers() == [clearing.id("tomas")]


@pytest.mark.parametrize("which", ["unknown", "of another"])
def test_an_address_put_together_by_hand_is_not_found(
    browser: Browser, clearing: Clearing, own: str, which: str
) -> None:
    address = added(clearing, own)
    clearing.clear("dina")
    if which == "unknown":
        address = f"{address.rpartition('/')[0]}/{uuid4()}"
    else:
        address = address.replace(own, f"/undertakings/{clearing.undertaking('dina').id}")
    assert browser("tomas").get(address).status_code == 404


def test_a_decision_that_lacks_its_places_is_shown_again(
    browser: Browser, clearing: Clearing, own: str
) -> None:
    address = added(clearing, own)
    tomas = browser("tomas")
    tomas.page(address)
    response = tomas.submit(address, decision="limit", reason="Not there.")
    assert "Name the place or the kind of place" in Page.of(response).text
    interest = db.session.scalars(sa.select(AddedInterest)).one()
    assert interest.decision is None


def test_once_the_undertaking_is_closed_nothing_is_decided(
    browser: Browser, clearing: Clearing, own: str
) -> None:
    address = added(clearing, own)
    service.withdraw(clearing.actor("leyla"), clearing.undertaking("leyla").id)
    tomas = browser("tomas")
    assert "This undertaking was closed" in tomas.page(address).text
    assert tomas.post(address, data={"decision": "accept"}).status_code == 403
    another = {"interest": "My sister works there.", "reach": "all"}
    late = browser("leyla").post(f"{own}/interests/new", data=another)
    assert late.status_code == 403
    assert "This undertaking is closed and gives no access." in Page.of(late).text
    assert another["interest"] in Page.of(late).html
    assert "Add an interest" not in browser("leyla").get(own).text


def test_a_hostile_text_is_shown_as_text(browser: Browser, clearing: Clearing, own: str) -> None:
    client = browser("leyla")
    client.submit(f"{own}/interests/new", interest="<script>alert(1)</script>", reach="all")
    assert "<script>alert(1)" not in client.get(own).text
    interest = db.session.scalars(sa.select(AddedInterest)).one()
    assert added_interests.text_of(interest) == "<script>alert(1)</script>"


def test_a_decision_may_be_changed(browser: Browser, clearing: Clearing, own: str) -> None:
    address = added(clearing, own)
    tomas = browser("tomas")
    for decision in (InterestsDecision.ACCEPT, InterestsDecision.REPLACE):
        tomas.page(address)
        tomas.submit(address, decision=decision.value, reason="As we agreed.")
    assert not clearing.is_cleared("leyla")
