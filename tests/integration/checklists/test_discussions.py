"""Discussions that a party asks for: what came of them, and how the page shows those that ended."""

import re
from typing import Any

import pytest
from flask import Flask

from tests.factories.negotiations import Negotiation
from tests.integration.checklists.test_history import timeline
from tests.integration.checklists.test_pages import Users, item
from tracker.agreements import accepting
from tracker.checklists.models import Stance, TalkEnd
from tracker.checklists.negotiation import discussions, positions
from tracker.checklists.negotiation.text_digest import item_token
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError

WHY = "Two pages are too few."
OUTCOME = "We keep two pages, with an annex."


@pytest.fixture
def users(app: Flask, negotiation: Negotiation) -> Users:
    return Users(app, negotiation)


def discuss(negotiation: Negotiation, first: str = "samira") -> None:
    """Ask to discuss the current answer to M1, and commit."""
    take(negotiation, first, Stance.WANTS_TALK, reason=WHY)


def take(negotiation: Negotiation, first: str, stance: Stance, **words: Any) -> None:
    answer = negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    positions.take_position(
        negotiation[first],
        negotiation.checklist(),
        "M1",
        stance,
        answer_id=answer.answer_id,
        **words,
    )
    negotiation.session.commit()


def ended(negotiation: Negotiation) -> list[discussions.EndedDiscussion]:
    db.session.expire_all()
    return list(discussions.ended(negotiation.loaded()).get("M1", ()))


@pytest.mark.parametrize("outcome", ["", "   ", "x" * 301])
def test_a_party_that_asked_to_discuss_does_not_accept_without_an_outcome(
    negotiation: Negotiation, outcome: str
) -> None:
    negotiation.settle("M1")
    discuss(negotiation)
    with pytest.raises(RuleBrokenError, match=r"outcome|what came of") as refused:
        take(negotiation, "samira", Stance.ACCEPTS, outcome=outcome)
    assert refused.value.field == "outcome"
    negotiation.session.rollback()
    assert negotiation.waiting("M1") == {"door"}
    assert ended(negotiation) == []


@pytest.mark.both_databases
def test_whoever_accepts_says_what_came_of_the_discussion(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    discuss(negotiation)
    take(negotiation, "samira", Stance.ACCEPTS, outcome=f"  {OUTCOME}\n")
    (discussion,) = ended(negotiation)
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
    assert negotiation.waiting("M1") == set()


def test_the_other_parties_accept_without_an_outcome(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    discuss(negotiation)
    negotiation.accept("M1", "joana")
    assert negotiation.waiting("M1") == {"door"}
    assert ended(negotiation) == []


def test_a_change_of_the_answer_ends_the_discussion_without_an_outcome(
    negotiation: Negotiation,
) -> None:
    negotiation.save("ilena", "M1")
    discuss(negotiation)
    negotiation.save("ilena", "M1", seen=1, words="Two pages and an annex.")
    (discussion,) = ended(negotiation)
    assert (discussion.ended_as, discussion.outcome, discussion.ended_by) == (
        TalkEnd.CHANGED,
        "",
        "",
    )
    negotiation.accept("M1", "samira", "joana")
    assert len(ended(negotiation)) == 1


def test_a_suggestion_ends_the_discussion_that_its_party_asked_for(
    negotiation: Negotiation,
) -> None:
    negotiation.save("ilena", "M1")
    discuss(negotiation)
    discuss(negotiation, "joana")
    answer = negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        "M1",
        {"words": "Three pages."},
        answer_id=answer.answer_id,
        reason="Enough for most.",
    )
    negotiation.session.commit()
    assert [(discussion.party, discussion.ended_as) for discussion in ended(negotiation)] == [
        ("Open Door Legal Aid", TalkEnd.SUGGESTED)
    ]


@pytest.mark.both_databases
def test_asking_again_replaces_the_discussion_that_is_open(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    discuss(negotiation)
    discuss(negotiation)
    assert ended(negotiation) == []


@pytest.mark.both_databases
def test_only_the_last_discussions_are_shown(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    for number in range(discussions.MOST_SHOWN + 1):
        discuss(negotiation)
        take(negotiation, "samira", Stance.ACCEPTS, outcome=f"Settled {number}.")
    assert [discussion.outcome for discussion in ended(negotiation)] == [
        f"Settled {n}." for n in range(1, 6)
    ]


def test_accepting_many_items_leaves_out_what_ones_party_asked_to_discuss(
    app: Flask, negotiation: Negotiation
) -> None:
    negotiation.save("ilena", "M1")
    discuss(negotiation)
    with app.test_request_context():
        reading = accepting.reading_of(negotiation.loaded(), negotiation["samira"])
        assert str(reading.left_out["M1"]) == "you asked to discuss it"
        assert "M1" not in reading.acceptable
        assert "M1" in accepting.reading_of(negotiation.loaded(), negotiation["joana"]).acceptable


def test_the_button_without_an_outcome_is_refused(app: Flask, negotiation: Negotiation) -> None:
    """For example on a page that was opened before a colleague asked to discuss the item."""
    negotiation.save("ilena", "M1")
    with app.test_request_context():
        loaded = negotiation.loaded()
        token = item_token(loaded, negotiation["samira"], loaded.item("M1"))
    discuss(negotiation)
    with app.test_request_context(), pytest.raises(RuleBrokenError, match="what came of"):
        positions.accept_as_shown(negotiation["samira"], negotiation.checklist(), "M1", token=token)


# Pages


def test_the_party_settles_on_a_page_of_its_own_and_all_parties_read_the_outcome(
    users: Users,
) -> None:
    users.negotiation.save("ilena", "M1")
    discuss(users.negotiation)
    page = users.page("samira")
    assert "Settle and accept: Item M1" in item(page, "M1")
    assert not re.search(
        r"Accept: Item M1\b", item(page, "M1").replace("Settle and accept: Item M1", "")
    )
    page = users.submit("samira", "/items/M1/settle", outcome=" ")
    assert "Say in a sentence what came of it" in page.text
    page = users.submit("samira", "/items/M1/settle", outcome=OUTCOME)
    assert "You accepted “Item M1” for Open Door Legal Aid." in page.text
    for first in ("samira", "ilena", "joana"):
        words = item(users.page(first), "M1")
        assert f"Discussed: {OUTCOME}" in words
        assert WHY in words
    assert timeline(users.page("joana", "/items/M1/history"))[1:] == [
        "Open Door Legal Aid asked to discuss version 1",
        "Open Door Legal Aid settled the discussion it had asked for",
        "Open Door Legal Aid accepted version 1",
    ]
    assert OUTCOME in users.page("joana", "/items/M1/history").text


def test_what_changed_meanwhile_is_shown_with_the_outcome_that_was_typed(users: Users) -> None:
    users.negotiation.save("ilena", "M1")
    discuss(users.negotiation)
    browser, address = users.browser("samira"), f"{users.address}/items/M1/settle"
    sent = browser.page(address).form().filled_in(outcome=OUTCOME)
    users.negotiation.save("ilena", "M1", seen=1, words="Two pages and an annex.")
    answered = browser.post(address, data=sent, csrf=False)
    assert answered.status_code == 403
    assert OUTCOME in answered.text


@pytest.mark.parametrize(
    ("first", "status"),
    [("ilena", 403), ("joana", 403), ("otto", 403), ("marek", 404), ("root", 404)],
)
def test_nobody_else_settles_it(users: Users, first: str, status: int) -> None:
    users.negotiation.save("ilena", "M1")
    discuss(users.negotiation)
    page = users.page(first, status=200 if status == 403 else 404)
    assert "Settle and accept" not in page.text
    # People of the other parties are told who ends it.
    assert ("ends the discussion" in page.text) == (status == 403)
    users.page(first, "/items/M1/settle", status=status)


def test_there_is_nothing_to_settle_where_nobody_asked(users: Users) -> None:
    users.negotiation.save("ilena", "M1")
    assert "no discussion here to settle" in users.page("samira", "/items/M1/settle", 403).text


@pytest.mark.both_databases
def test_the_page_takes_as_many_statements_for_many_discussions(
    users: Users, statements: object
) -> None:
    users.negotiation.save("ilena", "M1")
    discuss(users.negotiation)
    take(users.negotiation, "samira", Stance.ACCEPTS, outcome=OUTCOME)
    users.page("ilena")
    counts = []
    for _round in range(2):
        with statements() as sent:  # type: ignore[operator]
            users.page("ilena")
        counts.append(len(sent))
        for first in ("samira", "joana"):
            discuss(users.negotiation, first)
            take(users.negotiation, first, Stance.ACCEPTS, outcome=OUTCOME)
    assert counts[0] == counts[1]
