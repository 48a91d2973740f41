"""Replies to proposals, an item's history, and the comparison of revisions."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
from flask import Flask

from tests.factories import checklists
from tests.factories.checklists import decline_text
from tests.factories.tables import Table
from tests.integration.checklists.test_pages import Room
from tests.pages import Page
from tracker.checklists.models import Proposal, ProposalState, Stance
from tracker.checklists.negotiation import positions
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError

Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def room(app: Flask, table: Table) -> Room:
    return Room(app, table)


def propose(
    table: Table, first: str, words: str, item: str = "M1", replies_to: UUID | None = None
) -> Proposal:
    """Suggest a change for an item, and commit."""
    answer = table.loaded().sheet.shared(item)
    assert answer is not None
    proposal = positions.propose(
        table[first],
        table.checklist(),
        item,
        {"words": words},
        answer_id=answer.answer_id,
        reason=f"{first} has a reason.",
        replies_to=replies_to,
    )
    table.session.commit()
    return proposal


def test_a_proposal_is_answered_with_other_words(table: Table) -> None:
    table.settle("M1")
    first = propose(table, "samira", "Within three days.")
    second = propose(table, "ilena", "Within five days.", replies_to=first.id)
    assert first.state is ProposalState.ANSWERED
    assert second.replies_to_id == first.id
    assert [proposal.id for proposal in table.loaded().proposals] == [second.id]
    positions.accept_proposal(table["samira"], table.checklist(), second.id)
    table.session.commit()
    answer = table.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.values == {"words": "Within five days."}
    assert table.waiting("M1") == {"lantern"}
    (event,) = table.events("proposal_answered")
    assert event["who"]["name"] == "Ilena Dorvath"
    assert event["proposed_by"] == "Open Door Legal Aid"
    assert (event["item"], event["version"]) == ("M1", 1)


def test_the_same_words_are_accepted_and_not_proposed_again(table: Table) -> None:
    table.settle("M1")
    first = propose(table, "samira", "Within three days.")
    with pytest.raises(RuleBrokenError, match="Accept it instead"):
        propose(table, "ilena", "Within three days.", replies_to=first.id)


def test_nobody_answers_their_own_proposal_or_one_that_is_over(table: Table) -> None:
    table.settle("M1")
    first = propose(table, "samira", "Within three days.")
    with pytest.raises(RuleBrokenError, match="your own suggestion"):
        propose(table, "dora", "Within four days.", replies_to=first.id)
    positions.withdraw_proposal(table["samira"], table.checklist(), first.id)
    table.session.commit()
    with pytest.raises(StaleError, match="no longer open"):
        propose(table, "ilena", "Within five days.", replies_to=first.id)


def test_a_proposal_for_one_item_is_not_answered_on_another(table: Table) -> None:
    table.settle("M1")
    table.settle("M6")
    first = propose(table, "samira", "Within three days.")
    with pytest.raises(StaleError, match="no longer open"):
        propose(table, "ilena", "Other words.", "M6", replies_to=first.id)


def test_partners_do_not_answer_each_others_proposals_for_an_npm_item(table: Table) -> None:
    table.save("ilena", "M3")
    first = propose(table, "samira", "Other words.", "M3")
    with pytest.raises(RefusedError):
        propose(table, "joana", "Third words.", "M3", replies_to=first.id)


def test_the_form_of_a_reply_begins_with_the_words_proposed(room: Room) -> None:
    room.table.settle("M1")
    first = propose(room.table, "samira", "Within three days.")
    address = f"/items/M1/propose?replies_to={first.id}"
    assert "Within three days." in room.page("ilena", address).html
    sent = room.page("ilena", address).form().filled_in(words="In five days.", reason="Slow post.")
    answered = room.browser("ilena").open(
        f"{room.address}{address}", method="POST", data=sent, csrf=False, follow_redirects=True
    )
    assert "The other parties can now see your suggestion for “Item M1”." in Page.of(answered).text
    room.table.session.refresh(first)
    assert first.state is ProposalState.ANSWERED


def test_a_reply_to_a_withdrawn_proposal_is_not_lost(room: Room) -> None:
    room.table.settle("M1")
    first = propose(room.table, "samira", "Within three days.")
    address = f"/items/M1/propose?replies_to={first.id}"
    sent = room.page("ilena", address).form().filled_in(words="In five days.", reason="Slow post.")
    positions.withdraw_proposal(room.table["samira"], room.table.checklist(), first.id)
    room.table.session.commit()
    answered = room.browser("ilena").open(
        f"{room.address}{address}", method="POST", data=sent, csrf=False
    )
    page = Page.of(answered)
    assert "In five days." in page.html
    assert room.table.loaded().proposals == ()


@pytest.mark.parametrize("wrong", ["", "nonsense", "0f1e2d3c-0000-4000-8000-000000000001"])
def test_a_reply_to_nothing_is_not_found(room: Room, wrong: str) -> None:
    room.table.settle("M1")
    room.page("ilena", f"/items/M1/propose?replies_to={wrong}", status=404)


def test_a_party_is_not_asked_to_turn_down_its_own_proposal(room: Room) -> None:
    room.table.settle("M1")
    first = propose(room.table, "samira", "Within three days.")
    page = room.page("samira", f"/proposals/{first.id}/turn-down", status=403)
    assert "your own suggestion" in page.text


def conversation(table: Table) -> None:
    """Have three parties agree on M1 in a number of steps."""
    answer = table.save("ilena", "M1", words="Within ten days.")
    positions.take_position(
        table["joana"],
        table.checklist(),
        "M1",
        Stance.WANTS_TALK,
        answer_id=answer.id,
        reason="Who counts the days?",
    )
    first = propose(table, "samira", "Within three days.")
    second = propose(table, "ilena", "Within five days.", replies_to=first.id)
    positions.turn_down_proposal(table["samira"], table.checklist(), second.id, "Still long.")
    third = propose(table, "samira", "Within four working days.")
    positions.accept_proposal(table["ilena"], table.checklist(), third.id)
    table.session.commit()
    table.accept("M1", "joana")
    checklists.flag_term(table["samira"], table.checklist(), "M1", "Days bind the NPM.")
    table.session.commit()


def timeline(page: Page) -> list[str]:
    """Return the lines of a history, one for each event."""
    (line,) = [
        element for element in page.root.iter("ol") if element.attrib.get("class") == "timeline"
    ]
    return [" ".join("".join(element.itertext()).split()) for element in line.iter("b")]


def test_an_items_history_reads_like_a_conversation(room: Room) -> None:
    conversation(room.table)
    page = room.page("joana", "/items/M1/history")
    npm = room.table.land.organisations["npm"].name
    assert timeline(page) == [
        f"{npm} wrote the first answer",
        "Lantern Health Network asked to discuss version 1",
        "Open Door Legal Aid suggested a change",
        f"{npm} suggested something else than Open Door Legal Aid",
        f"Open Door Legal Aid declined the change that {npm} suggested",
        "Open Door Legal Aid suggested a change",
        f"{npm} accepted the change that Open Door Legal Aid suggested: version 2",
        "Lantern Health Network accepted version 2",
        "Open Door Legal Aid raised a flag: limits the NPM's independence",
    ]
    for reason in ("Who counts the days?", "Still long.", "samira has a reason.", "Days bind"):
        assert reason in page.text
    assert "[removed: ten]" in page.text.replace(" ]", "]")
    assert "Ilena Dorvath" in page.text


def test_an_items_history_takes_the_same_number_of_queries_however_long_it_is(
    room: Room, statements: Statements
) -> None:
    room.table.settle("M1")
    room.page("joana", "/items/M1/history")
    with statements() as few:
        room.page("joana", "/items/M1/history")
    for number in range(3):
        proposal = propose(room.table, "samira", f"Words number {number}.")
        positions.accept_proposal(room.table["ilena"], room.table.checklist(), proposal.id)
        room.table.session.commit()
    with statements() as many:
        room.page("joana", "/items/M1/history")
    assert len(many) == len(few)


def test_people_who_see_the_checklist_read_an_items_history(room: Room) -> None:
    room.table.settle("M1")
    for first in ("ilena", "samira", "petra"):
        room.page(first, "/items/M1/history")
        room.page(first, "/revisions")
    for first in ("marek", "root"):
        room.page(first, "/items/M1/history", status=404)
        room.page(first, "/revisions", status=404)
    room.page("ilena", "/items/M99/history", status=404)


def test_two_revisions_and_the_draft_are_compared_item_by_item(room: Room) -> None:
    table = room.table
    table.send()
    decline_text(
        table["henrik"],
        table.checklist(),
        reason="M1 says too little.",
        items=["M1"],
    )
    table.session.commit()
    proposal = propose(table, "ilena", "Quite other words.")
    positions.accept_proposal(table["samira"], table.checklist(), proposal.id)
    table.session.commit()
    page = room.page("joana", "/revisions")
    assert "From Revision 1 to The draft as it is now" in page.text
    assert "1 item differs." in page.text
    assert "Quite other words." in page.text
    table.accept("M1", "joana")
    checklists.read_second(table["oren"], table.checklist())
    table.session.commit()
    checklists.send(table.checklist(), table["ilena"], table.signatories)
    table.session.commit()
    page = room.page("joana", "/revisions?old=1&new=2")
    assert "From Revision 1 to Revision 2" in page.text
    assert "1 item differs." in page.text
    assert "M1 says too little." in page.text
    back = room.page("joana", "/revisions?old=2&new=1")
    assert "From Revision 2 to Revision 1" in back.text
    assert "Nothing differs." in room.page("joana", "/revisions?old=2&new=2").text


@pytest.mark.parametrize("wrong", ["old=7", "new=draft2", "old=&new=", "old=%00"])
def test_a_revision_that_is_not_there_is_not_found(room: Room, wrong: str) -> None:
    room.page("ilena", f"/revisions?{wrong}", status=404)
