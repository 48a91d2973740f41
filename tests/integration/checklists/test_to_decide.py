"""A form with places to decide: typed fields are empty, and beside each it says what to decide."""

from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.negotiations import set_out
from tests.factories.templates import KINDS, a_column, a_field, a_table, a_template, an_item
from tests.pages import Page
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.model_texts import library
from tracker.checklists.model_texts.merging import answers
from tracker.checklists.rules.completeness import WorkState

MARK = "[to decide: how long]"
OPEN: dict[str, Any] = {
    "words": f"It lasts {MARK}.",
    "days": "[to decide: the days of notice]",
    "begins": "[to decide: the first day]",
    "kind": "[to decide: the kind of place]",
    "who": "[to decide: who coordinates]",
    "kinds": ["[to decide: which kinds]"],
    "t": [{"note": "Yes", "due": "[to decide: by when]"}, {"note": MARK, "due": "2026-05-01"}],
}


def test_what_is_to_decide_is_said_beside_each_field_and_on_the_list_until_it_is_decided(
    app: Flask, session: Session
) -> None:
    template = a_template(
        an_item(
            "M1",
            a_field("words"),
            a_field("days", "number", unit="days"),
            a_field("begins", "date"),
            a_field("kind", "choice", options=KINDS),
            a_field("who", "person"),
            a_field("kinds", "choices", options=KINDS, hint="Choose all."),
            a_table("t", a_column("note"), a_column("due", "date")),
        )
    )
    negotiation = set_out(session, template=template)
    negotiation.save("ilena", "M1", **OPEN)
    address = f"/checklists/{negotiation.checklist().id}"
    browser = negotiation.country.browser(app, "samira")
    shown = browser.page(address).text
    assert "Not complete yet" in shown
    assert "To decide: the days of notice" in shown
    assert "[to decide: by when]" in shown
    form_page = negotiation.country.browser(app, "ilena").page(f"{address}/items/M1/answer")
    for what in ("how long", "the days of notice", "the first day", "the kind of place"):
        assert f"To decide: {what}" in form_page.text
    assert "Choose all. To decide: which kinds." in form_page.text
    assert "To decide: by when · how long" in form_page.text
    filled_in = form_page.form().filled_in()
    assert filled_in["words"] == [OPEN["words"]]
    assert {name: filled_in.get(name, [""]) for name in ("days", "begins", "kind", "who")} == {
        name: [""] for name in ("days", "begins", "kind", "who")
    }
    assert decided(form_page) == {"Yes", MARK}


def decided(page: Page) -> set[str]:
    """Return what the table's cells contain."""
    cells = page.form().filled_in()
    return {
        value
        for name, values in cells.items()
        if name.startswith("t-") and name.endswith("note")
        for value in values
        if value
    }


def test_each_answer_of_the_model_text_can_be_saved_shown_and_opened(
    app: Flask, session: Session
) -> None:
    negotiation = set_out(session)
    loaded = negotiation.loaded()
    text = library.model_text(ChecklistKind.TERMS, loaded.surroundings.modes, "ar")
    given = answers(text, loaded.template, loaded.surroundings)
    open_items = given.keys() & text.to_decide.keys()
    for code, values in given.items():
        negotiation.save("ilena", code, **values)
    states = {code: negotiation.standing(code).state for code in given}
    assert open_items == {code for code, state in states.items() if state is WorkState.IN_PROGRESS}
    browser = negotiation.country.browser(app, "ilena")
    address = f"/checklists/{negotiation.checklist().id}"
    assert browser.page(address).text.count("Not complete yet") == len(open_items)
    for code in ("M1", "M13", "M19"):  # people and parties, choices in rows, days
        assert "To decide: " in browser.page(f"{address}/items/{code}/answer").text
