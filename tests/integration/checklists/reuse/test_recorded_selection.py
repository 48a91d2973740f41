"""The recorded selection of partners fills the form of M1: seen before saving, and typed once."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.tables import Table, set_out
from tests.factories.templates import small_terms
from tests.pages import Page
from tests.starting_points import noon_in
from tracker.checklists.models import Answer, Draft
from tracker.cooperations.selection import service
from tracker.cooperations.selection.models import SelectionWay
from tracker.cooperations.selection.policy import Selection

OPENED, DECIDED = noon_in(-30).date(), noon_in(-20).date()
CRITERIA = {"door": "Ten years of work.", "lantern": "Known nurses."}


@pytest.fixture
def table(session: Session) -> Table:
    return set_out(session)


def record(table: Table, *partners: str) -> None:
    for partner in partners:
        selection = Selection(
            SelectionWay.APPLICATION,
            OPENED,
            DECIDED,
            CRITERIA[partner],
            "Head of the NPM",
            table.land.id("npm"),
        )
        service.record(
            table["ilena"], table.cooperation, table.land.id(partner), selection, version=0
        )
    table.session.commit()


def use(table: Table) -> str:
    return f"/cooperations/{table.cooperation.reference}/selection/use"


def answer(table: Table) -> str:
    return f"/checklists/{table.checklist().id}/items/M1/answer"


def filled(page: Page) -> list[tuple[str, str, str, str]]:
    """Return way, both days and criteria of each row of the form."""
    form = page.form().filled_in()
    names = [name for name in form if name.startswith("selection-") and name.endswith("-way")]
    return [
        tuple(
            form[name.removesuffix("way") + cell][0]
            for cell in ("way", "opened_on", "decided_on", "criteria")
        )  # type: ignore[misc] # four cells
        for name in names
        if form[name] != [""]
    ]


def test_the_form_opens_filled_and_nothing_is_saved(app: Flask, table: Table) -> None:
    record(table, "door", "lantern")
    client = table.land.browser(app, "ilena")
    page = client.page(use(table))
    assert page.h1 == "Parties and mandates"
    assert "Filled in from the record of how partners were chosen." in page.text
    assert filled(page) == [
        ("application", OPENED.isoformat(), DECIDED.isoformat(), "Ten years of work."),
        ("application", OPENED.isoformat(), DECIDED.isoformat(), "Known nurses."),
    ]
    for model in (Answer, Draft):
        assert table.session.scalar(sa.select(sa.func.count(model.id))) == 0
    assert table.loaded().sheet.shared("M1") is None


def test_saving_it_makes_it_the_answer_of_whoever_saves(app: Flask, table: Table) -> None:
    record(table, "door")
    client = table.land.browser(app, "ilena")
    page = client.page(use(table))
    form = page.form()
    sent = client.post(page.where, data=form.filled_in(), follow_redirects=True)
    assert sent.status_code == 200
    saved = table.loaded().sheet.shared("M1")
    assert saved is not None
    assert saved.values["selection"] == [
        {
            "party": str(table.land.id("door")),
            "way": "application",
            "opened_on": OPENED.isoformat(),
            "decided_on": DECIDED.isoformat(),
            "criteria": "Ten years of work.",
            "deciding": str(table.land.id("npm")),
            "decided_by": "Head of the NPM",
        }
    ]
    assert "Fill in how partners were chosen" not in client.page(answer(table)).text


def test_other_rows_and_fields_of_the_answer_stay(app: Flask, table: Table) -> None:
    rows = [
        {"party": str(table.land.id(key)), "way": "direct", "criteria": words}
        for key, words in (("lantern", "As we wrote."), ("door", "To be replaced."))
    ]
    parties = [{"party": str(table.land.id("npm")), "kind": "npm", "mandate": "An act."}]
    table.save("ilena", "M1", parties=parties, selection=rows)
    record(table, "door")
    client = table.land.browser(app, "ilena")
    assert "Fill in how partners were chosen, as recorded" in client.page(answer(table)).text
    page = client.page(use(table))
    assert [row[3] for row in filled(page)] == ["Ten years of work.", "As we wrote."]
    assert "An act." in page.html
    current = table.loaded().sheet.shared("M1")
    assert current is not None
    assert [row["criteria"] for row in current.values["selection"]] == [
        "As we wrote.",
        "To be replaced.",
    ]


def test_where_others_have_accepted_it_fills_a_proposal(app: Flask, table: Table) -> None:
    table.agree()
    record(table, "door")
    page = table.land.browser(app, "ilena").page(use(table))
    assert page.h1 == "Suggest a change to “Parties and mandates”"
    assert "Nothing is sent until you press" in page.text
    assert filled(page)[0][3] == "Ten years of work."
    client = table.land.browser(app, "samira")
    before = table.loaded().sheet.shared("M1")
    assert before is not None
    assert "Ten years of work." not in client.page(f"/checklists/{table.checklist().id}").text


def test_a_draft_is_not_written_over(app: Flask, table: Table) -> None:
    record(table, "door")
    client = table.land.browser(app, "ilena")
    page = client.page(answer(table))
    draft = page.form().filled_in(**{"selection-0-criteria": "My own."})
    saved = client.post(f"{answer(table).removesuffix('answer')}draft", data=draft)
    assert saved.status_code == 200
    page = client.page(use(table))
    assert "My own." in page.html
    assert "Ten years" not in page.html
    assert "You have a draft here: save or discard it first" in page.text


@pytest.mark.parametrize("first", ["samira", "oren"])
def test_nobody_but_the_npms_coordinators_gets_it_filled(
    app: Flask, table: Table, first: str
) -> None:
    record(table, "door", "lantern")
    client: CheckedClient = table.land.browser(app, first)
    page = client.page(f"{answer(table)}?recorded=selection")
    assert "Known nurses" not in page.html
    assert "Filled in from the record" not in page.text
    assert "There's nothing to fill in" in client.page(use(table)).text


def test_terms_that_do_not_ask_for_it_say_so(app: Flask, session: Session) -> None:
    table = set_out(session, template=small_terms())
    record(table, "door")
    page = table.land.browser(app, "ilena").page(use(table))
    assert "There's nothing to fill in" in page.text
