"""Conditional columns: in forms, answers and proposals; left out of the frozen text."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import checklists
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import (
    KINDS,
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
)
from tests.integration.checklists.test_pages import Users, forms, item
from tests.pages import Page
from tracker.checklists.models import Answer, Stance
from tracker.checklists.negotiation import positions
from tracker.checklists.rules.completeness import WorkState
from tracker.checklists.rules.values import WrongTypeError
from tracker.core.errors import RuleBrokenError
from tracker.signoff.models import Revision

SECRET = "The north wing"
PRISON = {"item": "M2", "field": "kind", "in": ["prison"]}
FULL = [{"place": "One", "wing": SECRET}]
BARE = [{"place": "One"}]


@pytest.fixture
def with_places(session: Session) -> Negotiation:
    """A cooperation on terms in which a column depends on the kind of place."""
    template = a_template(
        an_item("M1", a_table("places", a_column("place"), a_column("wing", shown_when=PRISON))),
        an_item("M2", a_field("kind", "choice", options=KINDS)),
        an_item(
            "M5",
            a_field("second_reader", "person", sets="npm", accepts="none"),
            done={"checks": [{"check": "wrote_no_answer", "field": "second_reader"}]},
        ),
    )
    return set_out(session, template=template)


@pytest.fixture
def users_of_places(app: Flask, with_places: Negotiation) -> Users:
    return Users(app, with_places)


def stored_places(negotiation: Negotiation) -> Any:
    answer = negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    return answer.values["places"]


def versions(negotiation: Negotiation) -> list[Any]:
    rows = negotiation.session.scalars(
        sa.select(Answer).where(Answer.item == "M1").order_by(Answer.version)
    )
    return [(row.values or {})["places"] for row in rows]


def test_a_column_is_required_once_its_condition_is_true(users_of_places: Users) -> None:
    negotiation = users_of_places.negotiation
    assert "Wing" not in users_of_places.page("ilena", "/items/M1/answer?for=shared").text
    negotiation.save("ilena", "M1", places=BARE)
    negotiation.accept("M1", "samira", "joana")
    assert negotiation.standing("M1").done
    negotiation.save("ilena", "M2", kind="police")
    assert negotiation.standing("M1").done
    negotiation.save("ilena", "M2", seen=1, kind="prison")
    assert negotiation.standing("M1").state is WorkState.IN_PROGRESS
    assert "Wing" in users_of_places.page("ilena", "/items/M1/propose").text


def test_values_in_a_hidden_column_are_not_shown_and_come_back(users_of_places: Users) -> None:
    negotiation = users_of_places.negotiation
    negotiation.save("ilena", "M2", kind="prison")
    negotiation.save("ilena", "M1", places=FULL)
    assert SECRET in item(users_of_places.page("samira"), "M1")
    negotiation.save("ilena", "M2", seen=1, kind="police")
    assert SECRET not in users_of_places.page("samira").text
    assert versions(negotiation) == [FULL]
    negotiation.save("ilena", "M2", seen=2, kind="prison")
    assert SECRET in item(users_of_places.page("samira"), "M1")


def test_values_hidden_while_saving_stay_in_the_previous_version(with_places: Negotiation) -> None:
    with_places.save("ilena", "M2", kind="prison")
    with_places.save("ilena", "M1", places=FULL)
    with_places.save("ilena", "M2", seen=1, kind="police")
    with_places.save("ilena", "M1", seen=1, places=FULL)
    assert stored_places(with_places) == BARE
    assert versions(with_places) == [FULL, BARE]


def test_an_unknown_column_is_still_refused(with_places: Negotiation) -> None:
    with pytest.raises(WrongTypeError):
        with_places.save("ilena", "M1", places=[{"place": "One", "roof": "Red"}])
    with_places.session.rollback()


def test_an_accepted_proposal_keeps_only_the_columns_that_still_apply(
    with_places: Negotiation,
) -> None:
    with_places.save("ilena", "M2", kind="prison")
    answer = with_places.save("ilena", "M1", places=[{"place": "One", "wing": "South"}])
    proposal = positions.propose(
        with_places["samira"],
        with_places.checklist(),
        "M1",
        {"places": FULL},
        answer_id=answer.id,
        reason="North it is.",
    )
    with_places.save("ilena", "M2", seen=1, kind="police")
    positions.accept_proposal(with_places["ilena"], with_places.checklist(), proposal.id)
    with_places.session.commit()
    assert stored_places(with_places) == BARE


def test_accepting_covers_only_what_the_page_shows(with_places: Negotiation) -> None:
    """Values nobody could see must not count as agreed once the column is shown again."""
    with_places.save("ilena", "M2", kind="prison")
    with_places.save("ilena", "M1", places=FULL)
    with_places.save("ilena", "M2", seen=1, kind="police")
    with_places.accept("M1", "samira", "joana")
    assert versions(with_places) == [FULL, BARE]
    assert with_places.waiting("M1") == {"npm"}
    taken = with_places.events("position_taken")
    assert [event["version"] for event in taken] == [2, 2]
    with_places.accept("M1", "ilena")
    assert with_places.standing("M1").done
    with_places.save("ilena", "M2", seen=2, kind="prison")
    assert with_places.standing("M1").state is WorkState.IN_PROGRESS
    assert stored_places(with_places) == BARE


@pytest.mark.parametrize("button", ["Accept: Item M1", "Accept the change: Item M1"])
def test_nobody_accepts_a_column_that_their_page_did_not_show(
    users_of_places: Users, button: str
) -> None:
    negotiation = users_of_places.negotiation
    negotiation.save("ilena", "M2", kind="prison")
    answer = negotiation.save("ilena", "M1", places=FULL)
    if button == "Accept the change: Item M1":
        other = {"places": [{"place": "Two", "wing": "South"}]}
        positions.propose(
            negotiation["ilena"],
            negotiation.checklist(),
            "M1",
            other,
            answer_id=answer.id,
            reason="Better.",
        )
    negotiation.save("ilena", "M2", seen=1, kind="police")
    opened = users_of_places.page("samira")
    action, fields, _words = next(form for form in forms(opened) if form[2].startswith(button))
    negotiation.save("ilena", "M2", seen=2, kind="prison")
    page = Page.of(
        users_of_places.browser("samira").open(
            action, method="POST", data=fields, csrf=False, follow_redirects=True
        )
    )
    assert "The text changed after you opened it, so nothing was done." in page.text
    assert SECRET in item(page, "M1")
    assert negotiation.waiting("M1") >= {"door", "lantern"}
    assert stored_places(negotiation) == FULL


def test_nobody_declines_a_suggestion_beside_other_words_than_their_page_showed(
    users_of_places: Users,
) -> None:
    """The suggestion stays open, and the reason stays beside the words as they are now."""
    negotiation = users_of_places.negotiation
    negotiation.save("ilena", "M2", kind="prison")
    answer = negotiation.save("ilena", "M1", places=FULL)
    other = {"places": [{"place": "Two", "wing": "South"}]}
    proposal = positions.propose(
        negotiation["ilena"],
        negotiation.checklist(),
        "M1",
        other,
        answer_id=answer.id,
        reason="Better.",
    )
    negotiation.save("ilena", "M2", seen=1, kind="police")
    rest = f"/proposals/{proposal.id}/turn-down"
    data = users_of_places.page("samira", rest).form().filled_in(reason="It was one wing.")
    negotiation.save("ilena", "M2", seen=2, kind="prison")
    browser = users_of_places.browser("samira")
    page = Page.of(browser.post(f"{users_of_places.address}{rest}", data=data, csrf=False))
    assert "The text changed after you opened it, so nothing was done." in page.text
    assert "It was one wing." in page.html
    assert SECRET in page.text
    assert [open_one.id for open_one in negotiation.loaded().proposals] == [proposal.id]


def test_the_history_says_that_hidden_words_were_left_out(users_of_places: Users) -> None:
    negotiation = users_of_places.negotiation
    negotiation.save("ilena", "M2", kind="prison")
    negotiation.save("ilena", "M1", places=FULL)
    negotiation.save("ilena", "M2", seen=1, kind="police")
    negotiation.accept("M1", "samira")
    history = users_of_places.page("joana", "/items/M1/history").text
    assert "What does not apply here was left out: version 2" in history
    assert "changed the answer" not in history


def test_the_current_words_are_not_proposed_while_other_columns_are_hidden(
    with_places: Negotiation,
) -> None:
    with_places.save("ilena", "M2", kind="prison")
    answer = with_places.save("ilena", "M1", places=FULL)
    with_places.save("ilena", "M2", seen=1, kind="police")
    with pytest.raises(RuleBrokenError, match="That's the same wording as before"):
        positions.propose(
            with_places["samira"],
            with_places.checklist(),
            "M1",
            {"places": BARE},
            answer_id=answer.id,
            reason="As it is.",
        )


@pytest.mark.parametrize(("kind", "is_there"), [("prison", True), ("police", False)])
def test_the_frozen_text_contains_no_hidden_answer(
    with_places: Negotiation, kind: str, is_there: bool
) -> None:
    with_places.save("ilena", "M2", kind="prison")
    with_places.save("ilena", "M1", places=FULL)
    if kind == "police":
        with_places.save("ilena", "M2", seen=1, kind="police")
    terms = with_places.agree()
    checklists.send(terms, with_places["ilena"], with_places.signatories)
    with_places.session.commit()
    revision = with_places.session.scalars(sa.select(Revision)).one()
    text = json.loads(revision.document)
    assert (SECRET in json.dumps(text)) is is_there
    assert [answer.stance for answer in with_places.loaded().positions if answer.item == "M1"] == [
        Stance.ACCEPTS
    ] * 3
