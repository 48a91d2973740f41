"""The recorded selection of partners fills the form of M1: seen before saving, and typed once."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.negotiations import Negotiation, set_out
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
def negotiation(session: Session) -> Negotiation:
    return set_out(session)


def record(negotiation: Negotiation, *partners: str) -> None:
    for partner in partners:
        selection = Selection(
            SelectionWay.APPLICATION,
            OPENED,
            DECIDED,
            CRITERIA[partner],
            "Head of the NPM",
            negotiation.country.id("npm"),
        )
        service.record(
            negotiation["ilena"],
            negotiation.cooperation,
            negotiation.country.id(partner),
            selection,
            version=0,
        )
    negotiation.session.commit()


def use(negotiation: Negotiation) -> str:
    return f"/cooperations/{negotiation.cooperation.reference}/selection/use"


def answer(negotiation: Negotiation) -> str:
    return f"/checklists/{negotiation.checklist().id}/items/M1/answer"


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


def test_the_form_opens_filled_and_nothing_is_saved(app: Flask, negotiation: Negotiation) -> None:
    record(negotiation, "door", "lantern")
    client = negotiation.country.browser(app, "ilena")
    page = client.page(use(negotiation))
    assert page.h1 == "Parties and mandates"
    assert "Filled in from the record of how partners were chosen." in page.text
    assert filled(page) == [
        ("application", OPENED.isoformat(), DECIDED.isoformat(), "Ten years of work."),
        ("application", OPENED.isoformat(), DECIDED.isoformat(), "Known nurses."),
    ]
    for model in (Answer, Draft):
        assert negotiation.session.scalar(sa.select(sa.func.count(model.id))) == 0
    assert negotiation.loaded().sheet.shared("M1") is None


def test_saving_it_makes_it_the_answer_of_whoever_saves(
    app: Flask, negotiation: Negotiation
) -> None:
    record(negotiation, "door")
    client = negotiation.country.browser(app, "ilena")
    page = client.page(use(negotiation))
    form = page.form()
    sent = client.post(page.where, data=form.filled_in(), follow_redirects=True)
    assert sent.status_code == 200
    saved = negotiation.loaded().sheet.shared("M1")
    assert saved is not None
    assert saved.values["selection"] == [
        {
            "party": str(negotiation.country.id("door")),
            "way": "application",
            "opened_on": OPENED.isoformat(),
            "decided_on": DECIDED.isoformat(),
            "criteria": "Ten years of work.",
            "deciding": str(negotiation.country.id("npm")),
            "decided_by": "Head of the NPM",
        }
    ]
    assert "Fill in how partners were chosen" not in client.page(answer(negotiation)).text


def test_other_rows_and_fields_of_the_answer_stay(app: Flask, negotiation: Negotiation) -> None:
    rows = [
        {"party": str(negotiation.country.id(key)), "way": "direct", "criteria": words}
        for key, words in (("lantern", "As we wrote."), ("door", "To be replaced."))
    ]
    parties = [{"party": str(negotiation.country.id("npm")), "kind": "npm", "mandate": "An act."}]
    negotiation.save("ilena", "M1", parties=parties, selection=rows)
    record(negotiation, "door")
    client = negotiation.country.browser(app, "ilena")
    assert "Fill in how partners were chosen, as recorded" in client.page(answer(negotiation)).text
    page = client.page(use(negotiation))
    assert [row[3] for row in filled(page)] == ["Ten years of work.", "As we wrote."]
    assert "An act." in page.html
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    assert [row["criteria"] for row in current.values["selection"]] == [
        "As we wrote.",
        "To be replaced.",
    ]


def test_where_others_have_accepted_it_fills_a_proposal(
    app: Flask, negotiation: Negotiation
) -> None:
    negotiation.agree()
    record(negotiation, "door")
    ilena = negotiation.country.browser(app, "ilena")
    offered = "Fill in how partners were chosen, as recorded"
    by_hand = ilena.page(f"{answer(negotiation).removesuffix('answer')}propose").links()[offered]
    page = ilena.page(by_hand)
    assert offered not in page.text
    assert ilena.page(use(negotiation)).h1 == page.h1
    assert page.h1 == "Suggest a change to “Parties and mandates”"
    assert "Nothing is sent until you press" in page.text
    assert filled(page)[0][3] == "Ten years of work."
    client = negotiation.country.browser(app, "samira")
    before = negotiation.loaded().sheet.shared("M1")
    assert before is not None
    assert "Ten years of work." not in client.page(f"/checklists/{negotiation.checklist().id}").text


def test_a_draft_is_not_written_over(app: Flask, negotiation: Negotiation) -> None:
    record(negotiation, "door")
    client = negotiation.country.browser(app, "ilena")
    page = client.page(answer(negotiation))
    draft = page.form().filled_in(**{"selection-0-criteria": "My own."})
    saved = client.post(f"{answer(negotiation).removesuffix('answer')}draft", data=draft)
    assert saved.status_code == 200
    page = client.page(use(negotiation))
    assert "My own." in page.html
    assert "Ten years" not in page.html
    assert "You have a draft here: save or discard it first" in page.text


@pytest.mark.parametrize("first", ["samira", "oren"])
def test_nobody_but_the_npms_coordinators_gets_it_filled(
    app: Flask, negotiation: Negotiation, first: str
) -> None:
    record(negotiation, "door", "lantern")
    client: CheckedClient = negotiation.country.browser(app, first)
    page = client.page(f"{answer(negotiation)}?recorded=selection")
    assert "Known nurses" not in page.html
    assert "Filled in from the record" not in page.text
    assert "There's nothing to fill in" in client.page(use(negotiation)).text


def test_terms_that_do_not_ask_for_it_say_so(app: Flask, session: Session) -> None:
    negotiation = set_out(session, template=small_terms())
    record(negotiation, "door")
    page = negotiation.country.browser(app, "ilena").page(use(negotiation))
    assert "There's nothing to fill in" in page.text
