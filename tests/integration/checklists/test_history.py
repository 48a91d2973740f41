"""Replies to proposals, an item's history, and the comparison of revisions."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
from flask import Flask

from tests.factories import checklists
from tests.factories.checklists import decline_text
from tests.factories.negotiations import Negotiation
from tests.integration.checklists.test_pages import Users
from tests.pages import Page
from tracker.checklists.models import Proposal, ProposalState, Stance
from tracker.checklists.negotiation import positions
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError

Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def users(app: Flask, negotiation: Negotiation) -> Users:
    return Users(app, negotiation)


def propose(
    negotiation: Negotiation,
    first: str,
    words: str,
    item: str = "M1",
    replies_to: UUID | None = None,
) -> Proposal:
    """Suggest a change for an item, and commit."""
    answer = negotiation.loaded().sheet.shared(item)
    assert answer is not None
    proposal = positions.propose(
        negotiation[first],
        negotiation.checklist(),
        item,
        {"words": words},
        answer_id=answer.answer_id,
        reason=f"{first} has a reason.",
        replies_to=replies_to,
    )
    negotiation.session.commit()
    return proposal


def test_a_proposal_is_answered_with_other_words(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    first = propose(negotiation, "samira", "Within three days.")
    second = propose(negotiation, "ilena", "Within five days.", replies_to=first.id)
    assert first.state is ProposalState.ANSWERED
    assert second.replies_to_id == first.id
    assert [proposal.id for proposal in negotiation.loaded().proposals] == [second.id]
    positions.accept_proposal(negotiation["samira"], negotiation.checklist(), second.id)
    negotiation.session.commit()
    answer = negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.values == {"words": "Within five days."}
    assert negotiation.waiting("M1") == {"lantern"}
    (event,) = negotiation.events("proposal_answered")
    assert event["who"]["name"] == "Ilena Dorvath"
    assert event["proposed_by"] == "Open Door Legal Aid"
    assert (event["item"], event["version"]) == ("M1", 1)


def test_the_same_words_are_accepted_and_not_proposed_again(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    first = propose(negotiation, "samira", "Within three days.")
    with pytest.raises(RuleBrokenError, match="Accept it instead"):
        propose(negotiation, "ilena", "Within three days.", replies_to=first.id)


def test_nobody_answers_their_own_proposal_or_one_that_is_over(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    first = propose(negotiation, "samira", "Within three days.")
    with pytest.raises(RuleBrokenError, match="your own suggestion"):
        propose(negotiation, "dora", "Within four days.", replies_to=first.id)
    positions.withdraw_proposal(negotiation["samira"], negotiation.checklist(), first.id)
    negotiation.session.commit()
    with pytest.raises(StaleError, match="no longer open"):
        propose(negotiation, "ilena", "Within five days.", replies_to=first.id)


def test_a_proposal_for_one_item_is_not_answered_on_another(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    negotiation.settle("M6")
    first = propose(negotiation, "samira", "Within three days.")
    with pytest.raises(StaleError, match="no longer open"):
        propose(negotiation, "ilena", "Other words.", "M6", replies_to=first.id)


def test_partners_do_not_answer_each_others_proposals_for_an_npm_item(
    negotiation: Negotiation,
) -> None:
    negotiation.save("ilena", "M3")
    first = propose(negotiation, "samira", "Other words.", "M3")
    with pytest.raises(RefusedError):
        propose(negotiation, "joana", "Third words.", "M3", replies_to=first.id)


def test_the_form_of_a_reply_begins_with_the_words_proposed(users: Users) -> None:
    users.negotiation.settle("M1")
    first = propose(users.negotiation, "samira", "Within three days.")
    address = f"/items/M1/propose?replies_to={first.id}"
    assert "Within three days." in users.page("ilena", address).html
    sent = users.page("ilena", address).form().filled_in(words="In five days.", reason="Slow post.")
    answered = users.browser("ilena").open(
        f"{users.address}{address}", method="POST", data=sent, csrf=False, follow_redirects=True
    )
    assert "The other parties can now see your suggestion for “Item M1”." in Page.of(answered).text
    users.negotiation.session.refresh(first)
    assert first.state is ProposalState.ANSWERED


def test_a_reply_to_a_withdrawn_proposal_is_not_lost(users: Users) -> None:
    users.negotiation.settle("M1")
    first = propose(users.negotiation, "samira", "Within three days.")
    address = f"/items/M1/propose?replies_to={first.id}"
    sent = users.page("ilena", address).form().filled_in(words="In five days.", reason="Slow post.")
    positions.withdraw_proposal(
        users.negotiation["samira"], users.negotiation.checklist(), first.id
    )
    users.negotiation.session.commit()
    answered = users.browser("ilena").open(
        f"{users.address}{address}", method="POST", data=sent, csrf=False
    )
    page = Page.of(answered)
    assert "In five days." in page.html
    assert users.negotiation.loaded().proposals == ()


@pytest.mark.parametrize("wrong", ["", "nonsense", "0f1e2d3c-0000-4000-8000-000000000001"])
def test_a_reply_to_nothing_is_not_found(users: Users, wrong: str) -> None:
    users.negotiation.settle("M1")
    users.page("ilena", f"/items/M1/propose?replies_to={wrong}", status=404)


def test_a_party_is_not_asked_to_turn_down_its_own_proposal(users: Users) -> None:
    users.negotiation.settle("M1")
    first = propose(users.negotiation, "samira", "Within three days.")
    page = users.page("samira", f"/proposals/{first.id}/turn-down", status=403)
    assert "your own suggestion" in page.text


def conversation(negotiation: Negotiation) -> None:
    """Have three parties agree on M1 in a number of steps."""
    answer = negotiation.save("ilena", "M1", words="Within ten days.")
    positions.take_position(
        negotiation["joana"],
        negotiation.checklist(),
        "M1",
        Stance.WANTS_TALK,
        answer_id=answer.id,
        reason="Who counts the days?",
    )
    first = propose(negotiation, "samira", "Within three days.")
    second = propose(negotiation, "ilena", "Within five days.", replies_to=first.id)
    positions.turn_down_proposal(
        negotiation["samira"], negotiation.checklist(), second.id, "Still long."
    )
    third = propose(negotiation, "samira", "Within four working days.")
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), third.id)
    negotiation.session.commit()
    negotiation.accept("M1", "joana")
    checklists.flag_term(negotiation["samira"], negotiation.checklist(), "M1", "Days bind the NPM.")
    negotiation.session.commit()


def timeline(page: Page) -> list[str]:
    """Return the lines of a history, one for each event."""
    (line,) = [
        element for element in page.root.iter("ol") if element.attrib.get("class") == "timeline"
    ]
    return [" ".join("".join(element.itertext()).split()) for element in line.iter("b")]


def test_an_items_history_reads_like_a_conversation(users: Users) -> None:
    conversation(users.negotiation)
    page = users.page("joana", "/items/M1/history")
    npm = users.negotiation.country.organisations["npm"].name
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
    users: Users, statements: Statements
) -> None:
    users.negotiation.settle("M1")
    users.page("joana", "/items/M1/history")
    with statements() as few:
        users.page("joana", "/items/M1/history")
    for number in range(3):
        proposal = propose(users.negotiation, "samira", f"Words number {number}.")
        positions.accept_proposal(
            users.negotiation["ilena"], users.negotiation.checklist(), proposal.id
        )
        users.negotiation.session.commit()
    with statements() as many:
        users.page("joana", "/items/M1/history")
    assert len(many) == len(few)


def test_people_who_see_the_checklist_read_an_items_history(users: Users) -> None:
    users.negotiation.settle("M1")
    for first in ("ilena", "samira", "petra"):
        users.page(first, "/items/M1/history")
        users.page(first, "/revisions")
    for first in ("marek", "root"):
        users.page(first, "/items/M1/history", status=404)
        users.page(first, "/revisions", status=404)
    users.page("ilena", "/items/M99/history", status=404)


def test_two_revisions_and_the_draft_are_compared_item_by_item(users: Users) -> None:
    negotiation = users.negotiation
    negotiation.send()
    decline_text(
        negotiation["henrik"],
        negotiation.checklist(),
        reason="M1 says too little.",
        items=["M1"],
    )
    negotiation.session.commit()
    proposal = propose(negotiation, "ilena", "Quite other words.")
    positions.accept_proposal(negotiation["samira"], negotiation.checklist(), proposal.id)
    negotiation.session.commit()
    page = users.page("joana", "/revisions")
    assert "From Revision 1 to The draft as it is now" in page.text
    assert "1 item differs." in page.text
    assert "Quite other words." in page.text
    negotiation.accept("M1", "joana")
    checklists.read_second(negotiation["oren"], negotiation.checklist())
    negotiation.session.commit()
    checklists.send(negotiation.checklist(), negotiation["ilena"], negotiation.signatories)
    negotiation.session.commit()
    page = users.page("joana", "/revisions?old=1&new=2")
    assert "From Revision 1 to Revision 2" in page.text
    assert "1 item differs." in page.text
    assert "M1 says too little." in page.text
    back = users.page("joana", "/revisions?old=2&new=1")
    assert "From Revision 2 to Revision 1" in back.text
    assert "Nothing differs." in users.page("joana", "/revisions?old=2&new=2").text


@pytest.mark.parametrize("wrong", ["old=7", "new=draft2", "old=&new=", "old=%00"])
def test_a_revision_that_is_not_there_is_not_found(users: Users, wrong: str) -> None:
    users.page("ilena", f"/revisions?{wrong}", status=404)
