"""Parties that began with the model text: they disagree, agree and sign in one sitting."""

import re
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.bargaining import Side
from tests.browser.conftest import NewContext
from tests.browser.devices import Device, set_up
from tests.browser.instances import StartingPoint
from tests.browser.negotiation import DOOR, LANTERN, NPM, Browsers, Laid, lay
from tests.browser.signing.test_several_texts import signatures
from tests.browser.test_agreement_journey import read_as_second_reader, send
from tests.factories import powers
from tests.factories.agreements import checklist_of
from tests.factories.checklists import accept, complete_answers, shown_answers, whole
from tests.factories.cooperations import Country
from tests.servers.application import Application
from tracker.access.actor import Actor, Role
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.checklists.reuse import beginning, copying
from tracker.cooperations.models import Cooperation

SITTING, ROWS = "Joint monitoring of police custody", "Joint monitoring of prisons"
# Who negotiates for each party; in the sitting they sign for it too.
WRITERS = {
    SITTING: {"npm": "tomas", "door": "henrik", "lantern": "otto"},
    ROWS: {"npm": "ilena", "door": "samira", "lantern": "joana"},
}
DIFFER = ("M2", "M17", "M20")


def begin(country: Country, cooperation: Cooperation) -> None:
    """Begin with the model text, and settle everything but three items of one cooperation.

    In the other one each party has written its own row of M4, and all have accepted everything.
    """
    writers = WRITERS[cooperation.title]
    if cooperation.title == SITTING:
        for key, first in writers.items():
            powers.hold(country.users[first].id, country.id(key), Role.COORDINATOR)
    terms = checklist_of(cooperation, ChecklistKind.TERMS)
    actors = {country.id(key): country.actor(first) for key, first in writers.items()}
    npm = country.actor(writers["npm"])
    (text,) = beginning.beginnings(npm, load(terms), ["en"])
    beginning.begin(npm, terms, "en", seen=text.seen)
    second_reader: dict[str, Any] = {"second_reader": str(country.users["oren"].id)}
    differ = DIFFER if cooperation.title == SITTING else ()
    for item in load(terms).template.items:
        loaded = load(terms)
        answer = loaded.sheet.shared(item.code)
        if answer is None or item.code in differ:
            continue
        if loaded.standing().items[item.code].problems:
            values = whole(loaded, item.code, **(second_reader if item.code == "M5" else {}))
            service.save_answer(
                npm, terms, item.code, AnswerScope.SHARED, values, base_version=answer.version
            )
        for actor in actors.values():
            read(actor, terms, item.code)
        accept(terms, item.code, actors)
    complete_answers(load(terms), actors, leave=differ, chosen={"M5": second_reader})


def read(actor: Actor, terms: Checklist, code: str) -> None:
    """Say that an answer of the model text was read, as it is now."""
    loaded = load(terms)
    answer = loaded.sheet.shared(code)
    if answer is not None:
        copying.say_read(actor, terms, shown_answers(loaded, actor, [answer.answer_id]))


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[Laid]:
    """Two cooperations that began with the model text."""
    people = ("samira", "joana", "oren", *WRITERS[SITTING].values())
    return lay("model_text", [SITTING, ROWS], people, begin)


def test_three_parties_agree_on_a_model_text_and_sign_it_in_one_sitting(
    live: Application,
    starting_point: StartingPoint[Laid],
    inside: Flask,
    new_context: NewContext,
) -> None:
    laid = starting_point.value
    browsers = Browsers(laid, inside, new_context)
    npm, door, lantern = (
        Side(with_passkey(browsers, new_context().new_page(), first), laid.terms[SITTING])
        for first in WRITERS[SITTING].values()
    )
    for side in (npm, door, lantern):
        assert side.count("Waiting for us") == len(DIFFER)

    npm.read("M2")
    door.propose("M2", "Fewer people are at risk, and we can show it.", "It can be measured.")
    npm.accept_proposal("M2")
    lantern.accept("M2")

    npm.read("M17")
    lantern.propose("M17", "Each side proposes people.", "Both answer for them.")
    npm.answer_with("M17", "Each side proposes people in writing.", "So that we keep a record.")
    lantern.accept_proposal("M17")
    door.accept("M17")

    npm.read("M20")
    door.propose("M20", "Either side may end it in writing.", "So that there is a date.")
    lantern.answer_with("M20", "Either side may end it, with its reason.", "We want to learn.")
    npm.accept_proposal("M20")
    door.accept("M20")

    for side in (npm, door, lantern):
        for name in ("Waiting for us", "Open differences"):
            assert side.count(name) == 0, name
    read_as_second_reader(browsers.page("oren"), npm.terms)
    send(npm)
    assert len({side.frozen_text() for side in (npm, door, lantern)}) == 1
    for side, party in zip((npm, door, lantern), (NPM, DOOR, LANTERN), strict=True):
        sign(side.page, party)
    rows = signatures(live)
    assert len(rows) == len(WRITERS[SITTING])
    assert len({row["document_digest"] for row in rows}) == 1


def with_passkey(browsers: Browsers, page: Page, first: str) -> Page:
    """Return a page on which somebody is signed in and has set up a passkey."""
    page.goto("/sign-in")
    browsers.sign_in(page, first)
    Device.of(page)
    set_up(page, "Telephone")
    expect(page.get_by_text("The passkey Telephone is set up.")).to_be_visible()
    return page


def sign(page: Page, party: str) -> None:
    """Sign the text that waits in My work, with the passkey."""
    page.goto("/")
    page.get_by_role("link", name=re.compile("^Sign")).first.click()
    page.get_by_role("link", name="Continue to sign").click()
    page.get_by_role("button", name=f"Sign for {party}, with a passkey").click()
    expect(page.get_by_text("You signed.")).to_be_visible()


def test_only_the_acceptances_of_a_changed_row_reopen(
    starting_point: StartingPoint[Laid], inside: Flask, new_context: NewContext
) -> None:
    laid = starting_point.value
    browsers = Browsers(laid, inside, new_context)
    npm, door, lantern = (
        Side(browsers.page(first), laid.terms[ROWS]) for first in WRITERS[ROWS].values()
    )
    for side in (npm, door, lantern):
        assert side.count("Waiting for us") == 0
    for side in (npm, door, lantern):
        expect_positions(side, ["Accepts", "Accepts", "Accepts"])

    lantern.item("M4").get_by_role("link", name=re.compile(r"^Change our own row\s*: ")).click()
    lantern.page.get_by_role("textbox", name=re.compile("^Can offer")).fill("Two physicians.")
    lantern.page.get_by_role("button", name="Save answer").click()
    lantern.expect("is saved.")
    reopened = "Not accepted yet: the row of Lantern Health Network."
    expect_positions(npm, [f"Waiting for us {reopened}", f"Not yet reviewed {reopened}", "Accepts"])
    expect_positions(
        door, [f"Not yet reviewed {reopened}", f"Waiting for us {reopened}", "Accepts"]
    )
    assert [side.count("Waiting for us") for side in (npm, door, lantern)] == [1, 1, 0]

    door.accept("M4")
    expect_positions(npm, [f"Waiting for us {reopened}", "Accepts", "Accepts"])
    npm.accept("M4")
    for side in (npm, door, lantern):
        expect_positions(side, ["Accepts", "Accepts", "Accepts"])
    expect(lantern.item("M4").get_by_role("table")).to_contain_text("Two physicians.")
    read_as_second_reader(browsers.page("oren"), npm.terms)
    npm.page.goto(f"{npm.terms}/send")
    expect(npm.page.get_by_role("button", name="Send for signature")).to_be_visible()


def expect_positions(side: Side, states: list[str]) -> None:
    """Read what the NPM, Open Door and Lantern say about M4, as one party sees it."""
    listed = side.item("M4").get_by_role("list", name=re.compile("^Positions on "))
    positions = listed.get_by_role("listitem")
    expect(positions).to_have_count(len(states))
    for position, state in zip(positions.all(), states, strict=True):
        expect(position).to_contain_text(re.compile(re.escape(state).replace(r"\ ", r"\s*")))
