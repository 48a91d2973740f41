"""Conditional columns: in forms, answers and proposals; left out of the frozen text."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import checklists
from tests.factories.tables import Table, set_out
from tests.factories.templates import (
    KINDS,
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
)
from tests.integration.checklists.test_pages import Room, forms, item
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
def hall(session: Session) -> Table:
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
def hall_room(app: Flask, hall: Table) -> Room:
    return Room(app, hall)


def stored_places(table: Table) -> Any:
    answer = table.loaded().sheet.shared("M1")
    assert answer is not None
    return answer.values["places"]


def versions(table: Table) -> list[Any]:
    rows = table.session.scalars(
        sa.select(Answer).where(Answer.item == "M1").order_by(Answer.version)
    )
    return [(row.values or {})["places"] for row in rows]


def test_a_column_is_required_once_its_condition_is_true(hall_room: Room) -> None:
    table = hall_room.table
    assert "Wing" not in hall_room.page("ilena", "/items/M1/answer?for=shared").text
    table.save("ilena", "M1", places=BARE)
    table.accept("M1", "samira", "joana")
    assert table.standing("M1").done
    table.save("ilena", "M2", kind="police")
    assert table.standing("M1").done
    table.save("ilena", "M2", seen=1, kind="prison")
    assert table.standing("M1").state is WorkState.IN_PROGRESS
    assert "Wing" in hall_room.page("ilena", "/items/M1/propose").text


def test_values_in_a_hidden_column_are_not_shown_and_come_back(hall_room: Room) -> None:
    table = hall_room.table
    table.save("ilena", "M2", kind="prison")
    table.save("ilena", "M1", places=FULL)
    assert SECRET in item(hall_room.page("samira"), "M1")
    table.save("ilena", "M2", seen=1, kind="police")
    assert SECRET not in hall_room.page("samira").text
    assert versions(table) == [FULL]
    table.save("ilena", "M2", seen=2, kind="prison")
    assert SECRET in item(hall_room.page("samira"), "M1")


def test_values_hidden_while_saving_stay_in_the_previous_version(hall: Table) -> None:
    hall.save("ilena", "M2", kind="prison")
    hall.save("ilena", "M1", places=FULL)
    hall.save("ilena", "M2", seen=1, kind="police")
    hall.save("ilena", "M1", seen=1, places=FULL)
    assert stored_places(hall) == BARE
    assert versions(hall) == [FULL, BARE]


def test_an_unknown_column_is_still_refused(hall: Table) -> None:
    with pytest.raises(WrongTypeError):
        hall.save("ilena", "M1", places=[{"place": "One", "roof": "Red"}])
    hall.session.rollback()


def test_an_accepted_proposal_keeps_only_the_columns_that_still_apply(hall: Table) -> None:
    hall.save("ilena", "M2", kind="prison")
    answer = hall.save("ilena", "M1", places=[{"place": "One", "wing": "South"}])
    proposal = positions.propose(
        hall["samira"],
        hall.checklist(),
        "M1",
        {"places": FULL},
        answer_id=answer.id,
        reason="North it is.",
    )
    hall.save("ilena", "M2", seen=1, kind="police")
    positions.accept_proposal(hall["ilena"], hall.checklist(), proposal.id)
    hall.session.commit()
    assert stored_places(hall) == BARE


def test_accepting_covers_only_what_the_page_shows(hall: Table) -> None:
    """Values nobody could see must not count as agreed once the column is shown again."""
    hall.save("ilena", "M2", kind="prison")
    hall.save("ilena", "M1", places=FULL)
    hall.save("ilena", "M2", seen=1, kind="police")
    hall.accept("M1", "samira", "joana")
    assert versions(hall) == [FULL, BARE]
    assert hall.waiting("M1") == {"npm"}
    taken = hall.events("position_taken")
    assert [event["version"] for event in taken] == [2, 2]
    hall.accept("M1", "ilena")
    assert hall.standing("M1").done
    hall.save("ilena", "M2", seen=2, kind="prison")
    assert hall.standing("M1").state is WorkState.IN_PROGRESS
    assert stored_places(hall) == BARE


@pytest.mark.parametrize("button", ["Accept: Item M1", "Accept the change: Item M1"])
def test_nobody_accepts_a_column_that_their_page_did_not_show(hall_room: Room, button: str) -> None:
    table = hall_room.table
    table.save("ilena", "M2", kind="prison")
    answer = table.save("ilena", "M1", places=FULL)
    if button == "Accept the change: Item M1":
        other = {"places": [{"place": "Two", "wing": "South"}]}
        positions.propose(
            table["ilena"], table.checklist(), "M1", other, answer_id=answer.id, reason="Better."
        )
    table.save("ilena", "M2", seen=1, kind="police")
    opened = hall_room.page("samira")
    action, fields, _words = next(form for form in forms(opened) if form[2].startswith(button))
    table.save("ilena", "M2", seen=2, kind="prison")
    page = Page.of(
        hall_room.browser("samira").open(
            action, method="POST", data=fields, csrf=False, follow_redirects=True
        )
    )
    assert "The text changed after you opened it, so nothing was done." in page.text
    assert SECRET in item(page, "M1")
    assert table.waiting("M1") >= {"door", "lantern"}
    assert stored_places(table) == FULL


def test_nobody_declines_a_suggestion_beside_other_words_than_their_page_showed(
    hall_room: Room,
) -> None:
    """The suggestion stays open, and the reason stays beside the words as they are now."""
    table = hall_room.table
    table.save("ilena", "M2", kind="prison")
    answer = table.save("ilena", "M1", places=FULL)
    other = {"places": [{"place": "Two", "wing": "South"}]}
    proposal = positions.propose(
        table["ilena"], table.checklist(), "M1", other, answer_id=answer.id, reason="Better."
    )
    table.save("ilena", "M2", seen=1, kind="police")
    rest = f"/proposals/{proposal.id}/turn-down"
    data = hall_room.page("samira", rest).form().filled_in(reason="It was one wing.")
    table.save("ilena", "M2", seen=2, kind="prison")
    browser = hall_room.browser("samira")
    page = Page.of(browser.post(f"{hall_room.address}{rest}", data=data, csrf=False))
    assert "The text changed after you opened it, so nothing was done." in page.text
    assert "It was one wing." in page.html
    assert SECRET in page.text
    assert [open_one.id for open_one in table.loaded().proposals] == [proposal.id]


def test_the_history_says_that_hidden_words_were_left_out(hall_room: Room) -> None:
    table = hall_room.table
    table.save("ilena", "M2", kind="prison")
    table.save("ilena", "M1", places=FULL)
    table.save("ilena", "M2", seen=1, kind="police")
    table.accept("M1", "samira")
    history = hall_room.page("joana", "/items/M1/history").text
    assert "What does not apply here was left out: version 2" in history
    assert "changed the answer" not in history


def test_the_current_words_are_not_proposed_while_other_columns_are_hidden(hall: Table) -> None:
    hall.save("ilena", "M2", kind="prison")
    answer = hall.save("ilena", "M1", places=FULL)
    hall.save("ilena", "M2", seen=1, kind="police")
    with pytest.raises(RuleBrokenError, match="That's the same wording as before"):
        positions.propose(
            hall["samira"],
            hall.checklist(),
            "M1",
            {"places": BARE},
            answer_id=answer.id,
            reason="As it is.",
        )


@pytest.mark.parametrize(("kind", "is_there"), [("prison", True), ("police", False)])
def test_the_frozen_text_contains_no_hidden_answer(hall: Table, kind: str, is_there: bool) -> None:
    hall.save("ilena", "M2", kind="prison")
    hall.save("ilena", "M1", places=FULL)
    if kind == "police":
        hall.save("ilena", "M2", seen=1, kind="police")
    terms = hall.agree()
    checklists.send(terms, hall["ilena"], hall.signatories)
    hall.session.commit()
    revision = hall.session.scalars(sa.select(Revision)).one()
    text = json.loads(revision.document)
    assert (SECRET in json.dumps(text)) is is_there
    assert [answer.stance for answer in hall.loaded().positions if answer.item == "M1"] == [
        Stance.ACCEPTS
    ] * 3
