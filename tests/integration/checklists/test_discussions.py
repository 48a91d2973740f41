"""Discussions that a party asks for: what came of them, and how the page shows those that ended."""

import re
from typing import Any

import pytest
from flask import Flask

from tests.factories.tables import Table
from tests.integration.checklists.test_history import timeline
from tests.integration.checklists.test_pages import Room, item
from tracker.agreements import accepting
from tracker.checklists.models import Stance, TalkEnd
from tracker.checklists.negotiation import discussions, positions
from tracker.checklists.negotiation.text_digest import item_token
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError

pytestmark = pytest.mark.both_databases

WHY = "Two pages are too few."
OUTCOME = "We keep two pages, with an annex."


@pytest.fixture
def room(app: Flask, table: Table) -> Room:
    return Room(app, table)


def discuss(table: Table, first: str = "samira") -> None:
    """Ask to discuss the current answer to M1, and commit."""
    take(table, first, Stance.WANTS_TALK, reason=WHY)


def take(table: Table, first: str, stance: Stance, **words: Any) -> None:
    answer = table.loaded().sheet.shared("M1")
    assert answer is not None
    positions.take_position(
        table[first], table.checklist(), "M1", stance, answer_id=answer.answer_id, **words
    )
    table.session.commit()


def ended(table: Table) -> list[discussions.EndedDiscussion]:
    db.session.expire_all()
    return list(discussions.ended(table.loaded()).get("M1", ()))


@pytest.mark.parametrize("outcome", ["", "   ", "x" * 301])
def test_a_party_that_asked_to_discuss_does_not_accept_without_an_outcome(
    table: Table, outcome: str
) -> None:
    table.settle("M1")
    discuss(table)
    with pytest.raises(RuleBrokenError, match=r"outcome|what came of") as refused:
        take(table, "samira", Stance.ACCEPTS, outcome=outcome)
    assert refused.value.field == "outcome"
    table.session.rollback()
    assert table.waiting("M1") == {"door"}
    assert ended(table) == []


def test_whoever_accepts_says_what_came_of_the_discussion(table: Table) -> None:
    table.settle("M1")
    discuss(table)
    take(table, "samira", Stance.ACCEPTS, outcome=f"  {OUTCOME}\n")
    (discussion,) = ended(table)
    assert (discussion.party, discussion.reason, discussion.asked_by) == (
        "Open Door Legal Aid",
        WHY,
        "Samira Okell",
    )
    assert (discussion.ended_as, discussion.outcome, discussion.ended_by) == (
        TalkEnd.SETTLED,
        OUTCOME,
        "Samira Okell",
    )
    assert table.waiting("M1") == set()


def test_the_other_parties_accept_without_an_outcome(table: Table) -> None:
    table.save("ilena", "M1")
    discuss(table)
    table.accept("M1", "joana")
    assert table.waiting("M1") == {"door"}
    assert ended(table) == []


def test_a_change_of_the_answer_ends_the_discussion_without_an_outcome(table: Table) -> None:
    table.save("ilena", "M1")
    discuss(table)
    table.save("ilena", "M1", seen=1, words="Two pages and an annex.")
    (discussion,) = ended(table)
    assert (discussion.ended_as, discussion.outcome, discussion.ended_by) == (
        TalkEnd.CHANGED,
        "",
        "",
    )
    table.accept("M1", "samira", "joana")
    assert len(ended(table)) == 1


def test_a_suggestion_ends_the_discussion_that_its_party_asked_for(table: Table) -> None:
    table.save("ilena", "M1")
    discuss(table)
    discuss(table, "joana")
    answer = table.loaded().sheet.shared("M1")
    assert answer is not None
    positions.propose(
        table["samira"],
        table.checklist(),
        "M1",
        {"words": "Three pages."},
        answer_id=answer.answer_id,
        reason="Enough for most.",
    )
    table.session.commit()
    assert [(discussion.party, discussion.ended_as) for discussion in ended(table)] == [
        ("Open Door Legal Aid", TalkEnd.SUGGESTED)
    ]


def test_asking_again_replaces_the_discussion_that_is_open(table: Table) -> None:
    table.save("ilena", "M1")
    discuss(table)
    discuss(table)
    assert ended(table) == []


def test_only_the_last_discussions_are_shown(table: Table) -> None:
    table.save("ilena", "M1")
    for number in range(discussions.MOST_SHOWN + 1):
        discuss(table)
        take(table, "samira", Stance.ACCEPTS, outcome=f"Settled {number}.")
    assert [discussion.outcome for discussion in ended(table)] == [
        f"Settled {n}." for n in range(1, 6)
    ]


def test_accepting_many_items_leaves_out_what_ones_party_asked_to_discuss(
    app: Flask, table: Table
) -> None:
    table.save("ilena", "M1")
    discuss(table)
    with app.test_request_context():
        reading = accepting.reading_of(table.loaded(), table["samira"])
        assert str(reading.left_out["M1"]) == "you asked to discuss it"
        assert "M1" not in reading.acceptable
        assert "M1" in accepting.reading_of(table.loaded(), table["joana"]).acceptable


def test_the_button_without_an_outcome_is_refused(app: Flask, table: Table) -> None:
    """For example on a page that was opened before a colleague asked to discuss the item."""
    table.save("ilena", "M1")
    with app.test_request_context():
        loaded = table.loaded()
        token = item_token(loaded, table["samira"], loaded.item("M1"))
    discuss(table)
    with app.test_request_context(), pytest.raises(RuleBrokenError, match="what came of"):
        positions.accept_as_shown(table["samira"], table.checklist(), "M1", token=token)


# Pages


def test_the_party_settles_on_a_page_of_its_own_and_all_parties_read_the_outcome(
    room: Room,
) -> None:
    room.table.save("ilena", "M1")
    discuss(room.table)
    page = room.page("samira")
    assert "Settle and accept: Item M1" in item(page, "M1")
    assert not re.search(
        r"Accept: Item M1\b", item(page, "M1").replace("Settle and accept: Item M1", "")
    )
    page = room.submit("samira", "/items/M1/settle", outcome=" ")
    assert "Say in a sentence what came of it" in page.text
    page = room.submit("samira", "/items/M1/settle", outcome=OUTCOME)
    assert "You accepted “Item M1” for Open Door Legal Aid." in page.text
    for first in ("samira", "ilena", "joana"):
        words = item(room.page(first), "M1")
        assert f"Discussed: {OUTCOME}" in words
        assert WHY in words
    assert timeline(room.page("joana", "/items/M1/history"))[1:] == [
        "Open Door Legal Aid asked to discuss version 1",
        "Open Door Legal Aid settled the discussion it had asked for",
        "Open Door Legal Aid accepted version 1",
    ]
    assert OUTCOME in room.page("joana", "/items/M1/history").text


def test_what_changed_meanwhile_is_shown_with_the_outcome_that_was_typed(room: Room) -> None:
    room.table.save("ilena", "M1")
    discuss(room.table)
    browser, address = room.browser("samira"), f"{room.address}/items/M1/settle"
    sent = browser.page(address).form().filled_in(outcome=OUTCOME)
    room.table.save("ilena", "M1", seen=1, words="Two pages and an annex.")
    answered = browser.post(address, data=sent, csrf=False)
    assert answered.status_code == 403
    assert OUTCOME in answered.text


@pytest.mark.parametrize(
    ("first", "status"),
    [("ilena", 403), ("joana", 403), ("otto", 403), ("marek", 404), ("root", 404)],
)
def test_nobody_else_settles_it(room: Room, first: str, status: int) -> None:
    room.table.save("ilena", "M1")
    discuss(room.table)
    assert "Settle and accept" not in room.page(first, status=200 if status == 403 else 404).text
    room.page(first, "/items/M1/settle", status=status)


def test_there_is_nothing_to_settle_where_nobody_asked(room: Room) -> None:
    room.table.save("ilena", "M1")
    assert "no discussion here to settle" in room.page("samira", "/items/M1/settle", 403).text


def test_the_page_takes_as_many_statements_for_many_discussions(
    room: Room, statements: object
) -> None:
    room.table.save("ilena", "M1")
    discuss(room.table)
    take(room.table, "samira", Stance.ACCEPTS, outcome=OUTCOME)
    room.page("ilena")
    counts = []
    for _round in range(2):
        with statements() as sent:  # type: ignore[operator]
            room.page("ilena")
        counts.append(len(sent))
        for first in ("samira", "joana"):
            discuss(room.table, first)
            take(room.table, first, Stance.ACCEPTS, outcome=OUTCOME)
    assert counts[0] == counts[1]
