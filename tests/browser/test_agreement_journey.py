"""From ten differing items to one text, in the browsers of three parties."""

import re

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.bargaining import Side
from tests.browser.conftest import NewContext
from tests.browser.instances import StartingPoint
from tests.browser.negotiation import Browsers, Laid, lay
from tests.factories.agreements import checklist_of
from tests.factories.checklists import complete_answers, whole
from tests.factories.cooperations import Country
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import service
from tracker.checklists.loading import load
from tracker.cooperations.models import ChecklistKind, Cooperation

TITLE = "Joint monitoring of police custody"
# Who wrote the first answer to each of the ten items on which the parties differ.
WROTE = {
    "M2": "ilena",
    "M7": "ilena",
    "M10": "ilena",
    "M12": "ilena",
    "M13": "ilena",
    "M14": "ilena",
    "M15": "samira",
    "M17": "samira",
    "M18": "joana",
    "M20": "joana",
}


def differ(country: Country, cooperation: Cooperation) -> None:
    """Agree on all but ten items; write those without anybody else accepting them."""
    terms = checklist_of(cooperation, ChecklistKind.TERMS)
    writers = {
        country.id("npm"): "ilena",
        country.id("door"): "samira",
        country.id("lantern"): "joana",
    }
    complete_answers(
        load(terms),
        {body: country.actor(first) for body, first in writers.items()},
        leave=WROTE,
        chosen={"M5": {"second_reader": str(country.users["oren"].id)}},
    )
    for code, first in WROTE.items():
        values = whole(load(terms), code)
        service.save_answer(
            country.actor(first), terms, code, AnswerScope.SHARED, values, base_version=0
        )


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[Laid]:
    """An instance whose parties differ on ten items."""
    people = ("samira", "joana", "leyla", "oren", "tomas", "henrik", "otto")
    return lay("differing", [TITLE], people, differ)


def test_three_parties_settle_ten_differing_items_on_one_text(
    starting_point: StartingPoint[Laid], inside: Flask, new_context: NewContext
) -> None:
    laid = starting_point.value
    terms = laid.terms[TITLE]
    browsers = Browsers(laid, inside, new_context)
    npm, door, lantern = (Side(browsers.page(name), terms) for name in ("ilena", "samira", "joana"))
    assert [side.count("Waiting for us") for side in (npm, door, lantern)] == [4, 8, 8]

    leave_to_somebody_else("M12", lantern, Side(browsers.page("leyla"), terms), door)
    bargain_over_answers_of_the_npm(npm, door, lantern)
    bargain_over_answers_of_the_partners(npm, door, lantern)

    for side in (npm, door, lantern):
        for name in ("Waiting for us", "Waiting for others", "Open differences", "Flagged"):
            assert side.count(name) == 0, name
    read_as_second_reader(browsers.page("oren"), terms)
    send(npm)
    texts = {side.frozen_text() for side in (npm, door, lantern)}
    assert len(texts) == 1
    assert "Reports are discussed within ten days." in texts.pop()

    change_one_item_of_what_was_sent(npm, door, lantern)
    read_as_second_reader(browsers.page("oren"), terms)
    send(npm)
    for side in (npm, door, lantern):
        expect_only_one_item_differs(side)


def leave_to_somebody_else(code: str, coordinator: Side, colleague: Side, others: Side) -> None:
    """Assign an item, first to the coordinator, then to a colleague, who does it."""
    coordinator.assign(code, "Joana Pires")
    coordinator.assign(code, "Leyla Marchetti")
    colleague.page.goto("/")
    colleague.page.get_by_role("link", name="Do 1 item assigned to you").click()
    expect(colleague.page.locator("article.item-line")).to_have_count(1)
    expect(others.item(code)).not_to_contain_text("Assigned")
    colleague.accept(code)
    for side in (coordinator, colleague):
        side.page.goto("/")
        expect(side.page.get_by_role("link", name="assigned to you")).to_have_count(0)


def bargain_over_answers_of_the_npm(npm: Side, door: Side, lantern: Side) -> None:
    lantern.propose("M2", "To see whether safeguards are kept.", "It can be measured.")
    npm.accept_proposal("M2")
    door.accept("M2")

    door.propose("M7", "Every month, by turns.", "So that each side prepares one.")
    npm.answer_with("M7", "Every second month, by turns.", "Each month is too often.")
    door.accept_proposal("M7")
    # That was on the rest of the answer; the rows of the parties aren't accepted yet.
    door.accept("M7")
    lantern.accept("M7")

    lantern.propose("M10", "The partner is named first.", "Our members expect it.")
    npm.turn_down("M10", "The report is the NPM's own.")
    expect(lantern.item("M10")).to_contain_text("The report is the NPM's own.")
    lantern.accept("M10")
    door.accept("M10")

    door.flag("M12", "Does the donor see the list of places beforehand?")
    assert npm.count("Flagged") == 1
    npm.explain("M12", "The donor sees the yearly report, and nothing before.")
    door.accept("M12")

    door.ask_to_talk("M13", "Our insurer asks for other words.")
    npm.change("M13", "Each insures its own people.")
    door.accept("M13")
    lantern.accept("M13")

    door.propose("M14", "Interests are told every year.", "They change.")
    lantern.propose("M14", "Interests are told before each visit.", "They change quickly.")
    expect(npm.item("M14").locator(".answer.proposal")).to_have_count(2)
    npm.accept_proposal("M14")
    for side in (door, lantern):
        if side.item("M14").get_by_role("button", name=re.compile(r"^Accept\s*: ")).count():
            side.accept("M14")


def bargain_over_answers_of_the_partners(npm: Side, door: Side, lantern: Side) -> None:
    npm.propose("M15", "The NPM asks the authorities at once.", "It may do so by law.")
    door.accept_proposal("M15")
    npm.accept("M15")
    lantern.accept("M15")

    lantern.propose("M17", "Each side proposes people.", "Both answer for them.")
    door.accept_proposal("M17")
    npm.accept("M17")

    npm.propose("M18", "Reports are discussed within five days.", "The law gives us thirty.")
    lantern.answer_with("M18", "Reports are discussed within ten days.", "Our board needs a week.")
    npm.accept_proposal("M18")
    door.accept("M18")

    door.propose("M20", "Either side may suspend in writing.", "So that there is a date.")
    lantern.accept_proposal("M20")
    npm.accept("M20")


def read_as_second_reader(page: Page, terms: str) -> None:
    """Confirm the review of independence and flexibility once it is a task."""
    page.goto(terms)
    link = page.get_by_role("link", name="Read as second reader")
    if link.count():
        link.click()
        page.get_by_role("button", name="Confirm the review").click()
        expect(page.locator(".flashes")).to_contain_text("You confirmed the review")


def send(npm: Side) -> None:
    """Freeze the text and send it to one signatory of each party."""
    npm.page.goto(f"{npm.terms}/send")
    for group in npm.page.locator("main form fieldset:has(input[type=radio])").all():
        group.locator("input[type=radio]").first.check()
    npm.page.get_by_role("button", name="Send for signature").click()
    npm.expect("The text is frozen and sent.")


def change_one_item_of_what_was_sent(npm: Side, door: Side, lantern: Side) -> None:
    """Call the text back and agree on other words for M2."""
    npm.page.goto(f"{npm.terms}/call-back")
    npm.page.get_by_label("Reason", exact=True).fill("A word about children is missing.")
    npm.page.get_by_role("button", name="Call back").click()
    npm.expect("The text is called back")
    lantern.propose("M2", "To see whether safeguards for children are kept.", "As we said.")
    door.accept_proposal("M2")
    npm.accept("M2")


def expect_only_one_item_differs(side: Side) -> None:
    """Compare both revisions, as a party sees them."""
    page = side.page
    page.goto(f"{side.terms}/revisions")
    expect(page.get_by_role("heading", name="From Revision 1 to Revision 2")).to_be_visible()
    expect(page.get_by_text("1 item differs.")).to_be_visible()
    changed = page.get_by_role("article")
    expect(changed).to_have_count(1)
    expect(changed.get_by_role("heading", level=3)).to_contain_text("Objectives")
    assert changed.locator("del").all_inner_texts() == []
    expect(changed.locator("ins")).to_contain_text("for children")
    expect(page.get_by_role("table")).to_contain_text("A word about children is missing.")
