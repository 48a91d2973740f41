"""Reaching agreement: accept, ask to discuss, suggest a change, answer a proposal.

In one file: positions and proposals of one item, which change each other.
"""

from functools import partial
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import a_field, a_template, an_item
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import service
from tracker.checklists.models import (
    Answer,
    Position,
    Proposal,
    ProposalState,
    Stance,
)
from tracker.checklists.negotiation import positions
from tracker.checklists.rules.completeness import WorkState
from tracker.checklists.rules.values import WrongTypeError
from tracker.cooperations import service as cooperations
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError

NEW = {"words": "Within three days."}


def propose(
    negotiation: Negotiation, first: str, item: str = "M1", reason: str = "Shorter.", **words: str
) -> Proposal:
    answer = negotiation.loaded().sheet.shared(item)
    assert answer is not None
    proposal = positions.propose(
        negotiation[first],
        negotiation.checklist(),
        item,
        words or NEW,
        answer_id=answer.answer_id,
        reason=reason,
    )
    negotiation.session.commit()
    return proposal


def accept_it(negotiation: Negotiation, first: str, proposal: Proposal) -> Answer:
    answer = positions.accept_proposal(negotiation[first], negotiation.checklist(), proposal.id)
    negotiation.session.commit()
    return answer


def stances(negotiation: Negotiation, item: str = "M1") -> dict[str, str]:
    """Return the current position of each party that has one."""
    rows = negotiation.session.scalars(
        sa.select(Position).where(Position.item == item, Position.is_current)
    ).all()
    by_id = {row.organisation_id: row.stance.value for row in rows}
    keys = {negotiation.country.id(key): key for key in ("npm", "door", "lantern", "bridge")}
    assert len(rows) == len(by_id)
    return {keys[party_id]: stance for party_id, stance in by_id.items()}


# Accept


def test_every_party_has_to_accept_the_same_version(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    negotiation.accept("M1", "samira")
    assert negotiation.standing("M1").state is WorkState.WAITING
    negotiation.accept("M1", "joana")
    assert negotiation.standing("M1").done
    assert stances(negotiation) == {"npm": "accepts", "door": "accepts", "lantern": "accepts"}
    taken = negotiation.events("position_taken")
    assert [details["organisation"] for details in taken] == [
        "Open Door Legal Aid",
        "Lantern Health Network",
    ]
    assert {k: v for k, v in taken[0].items() if k != "who"} == {
        "kind": "terms",
        "item": "M1",
        "version": 1,
        "stance": "accepts",
        "organisation": "Open Door Legal Aid",
    }


def test_only_the_answer_that_was_read_is_accepted(negotiation: Negotiation) -> None:
    old = negotiation.save("ilena", "M1")
    negotiation.save("ilena", "M1", seen=1)
    for seen in (old.id, uuid4()):
        with pytest.raises(StaleError, match="The answer changed while you were reading"):
            positions.take_position(
                negotiation["samira"], negotiation.checklist(), "M1", Stance.ACCEPTS, answer_id=seen
            )
    assert stances(negotiation) == {"npm": "accepts"}
    # Accepting twice has no further effect.
    negotiation.accept("M1", "samira", "samira", "dora")
    assert stances(negotiation) == {"npm": "accepts", "door": "accepts"}


def test_asking_to_discuss_needs_a_reason_and_a_change_its_words(negotiation: Negotiation) -> None:
    answer = negotiation.save("ilena", "M1")
    for reason in ("", "   ", "\n"):
        with pytest.raises(RuleBrokenError, match="Say what you want to discuss") as error:
            talk(negotiation, "samira", answer, reason)
        assert error.value.field == "reason"
    with pytest.raises(RuleBrokenError, match="at most 2000 characters"):
        talk(negotiation, "samira", answer, "x" * 2001)
    with pytest.raises(RuleBrokenError, match="Suggest the change, with its wording"):
        positions.take_position(
            negotiation["samira"],
            negotiation.checklist(),
            "M1",
            Stance.WANTS_CHANGE,
            answer_id=answer.id,
            reason="Shorter.",
        )


def test_an_answer_that_is_not_whole_is_not_accepted(session: Session) -> None:
    negotiation = set_out(session, template=a_template(an_item("M1", a_field(), a_field("more"))))
    negotiation.save("ilena", "M1")
    with pytest.raises(RuleBrokenError, match="The answer isn't complete yet: Fill in: More"):
        negotiation.accept("M1", "samira")


def test_a_party_that_is_not_asked_takes_no_position(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    negotiation.save("ilena", "M3")
    negotiation.save("samira", "M10")
    refused: tuple[tuple[str, str, type[Exception], str], ...] = (
        ("marek", "M1", RefusedError, "Only people acting for one of the parties"),
        ("ada", "M1", RefusedError, "Only people acting for one of the parties"),
        ("ilena", "M3", RefusedError, "doesn't have to accept this item"),
        ("samira", "M10", RefusedError, "doesn't have to accept this item"),
        ("samira", "M2", RefusedError, "doesn't have to accept this item"),
        ("samira", "M99", RuleBrokenError, "That item doesn't exist"),
        ("samira", "M6", RuleBrokenError, "There is no answer yet"),
        ("samira", "M4", RuleBrokenError, "We don't know yet whether this item applies"),
    )
    for first, item, error, words in refused:
        with pytest.raises(error, match=words):
            positions.take_position(
                negotiation[first], negotiation.checklist(), item, Stance.ACCEPTS, answer_id=uuid4()
            )
    # Nor does it propose anything.
    refused = (
        *refused[:2],
        ("samira", "M2", RuleBrokenError, "needs no acceptance, so there is nothing to suggest"),
        ("samira", "M6", RuleBrokenError, "There is no answer yet"),
    )
    for first, item, error, words in refused:
        with pytest.raises(error, match=words):
            positions.propose(
                negotiation[first],
                negotiation.checklist(),
                item,
                NEW,
                answer_id=uuid4(),
                reason="Shorter.",
            )


def test_a_hidden_item_is_not_accepted(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M2", kind="prison")
    answer = negotiation.save("ilena", "M4")
    negotiation.save("ilena", "M2", seen=1, kind="police")
    with pytest.raises(RuleBrokenError, match="does not apply here"):
        positions.take_position(
            negotiation["samira"],
            negotiation.checklist(),
            "M4",
            Stance.ACCEPTS,
            answer_id=answer.id,
        )


# Ask to discuss


def talk(negotiation: Negotiation, first: str, answer: Answer, reason: str) -> None:
    positions.take_position(
        negotiation[first],
        negotiation.checklist(),
        "M1",
        Stance.WANTS_TALK,
        answer_id=answer.id,
        reason=reason,
    )
    negotiation.session.commit()


def test_a_party_that_asks_to_discuss_withdraws_its_acceptance(negotiation: Negotiation) -> None:
    answer = negotiation.settle("M1")
    talk(negotiation, "samira", answer, "  Two pages are too few.  ")
    assert negotiation.standing("M1").state is WorkState.WAITING
    assert negotiation.waiting("M1") == {"door"}
    row = next(
        position
        for position in negotiation.loaded().positions
        if position.stance is Stance.WANTS_TALK
    )
    assert row.reason == "Two pages are too few."
    negotiation.accept("M1", "samira", outcome="Two pages and an annex.")
    assert negotiation.standing("M1").done


# Propose


def test_a_proposal_leaves_the_answer_and_says_what_its_party_wants(
    negotiation: Negotiation,
) -> None:
    answer = negotiation.settle("M1")
    proposal = propose(negotiation, "samira")

    def state() -> ProposalState:
        return proposal.state

    assert state() is ProposalState.OPEN
    assert stances(negotiation) == {"npm": "accepts", "door": "wants_change", "lantern": "accepts"}
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    assert (current.answer_id, current.version) == (answer.id, 1)
    assert negotiation.events("proposal_made")[-1]["organisation"] == "Open Door Legal Aid"
    # One's own proposal is answered by others.
    for first in ("samira", "dora"):
        with pytest.raises(RuleBrokenError, match="This is your own suggestion"):
            positions.accept_proposal(negotiation[first], negotiation.checklist(), proposal.id)
        with pytest.raises(RuleBrokenError, match="This is your own suggestion"):
            positions.turn_down_proposal(
                negotiation[first], negotiation.checklist(), proposal.id, "No."
            )
    # Asking to discuss leaves it open.
    talk(negotiation, "samira", answer, "Let us talk.")
    assert state() is ProposalState.OPEN
    # Its party withdraws it.
    with pytest.raises(RuleBrokenError, match="Only the party that made a suggestion can withdraw"):
        positions.withdraw_proposal(negotiation["ilena"], negotiation.checklist(), proposal.id)
    positions.withdraw_proposal(negotiation["dora"], negotiation.checklist(), proposal.id)
    assert state() is ProposalState.WITHDRAWN
    assert len(negotiation.events("proposal_withdrawn")) == 1
    # The party still has to take a position on the answer.
    assert negotiation.waiting("M1") == {"door"}


def test_an_accepted_proposal_is_the_answer_and_reopens_the_rest(negotiation: Negotiation) -> None:
    """product.md, 4.1."""
    negotiation.settle("M1")
    proposal = propose(negotiation, "samira")
    answer = accept_it(negotiation, "ilena", proposal)
    assert (answer.version, answer.values) == (2, NEW)
    # The words are the proposer's; the trail says who accepted them.
    assert answer.author_id == negotiation.country.users["samira"].id
    assert answer.organisation_id == negotiation.country.id("door")
    assert stances(negotiation) == {"npm": "accepts", "door": "accepts"}
    assert negotiation.waiting("M1") == {"lantern"}
    assert proposal.state is ProposalState.ACCEPTED
    assert proposal.ended_for_id == negotiation.country.id("npm")
    event = negotiation.events("proposal_accepted")[-1]
    assert (event["version"], event["proposed_by"]) == (2, "Open Door Legal Aid")
    assert event["who"]["name"] == "Ilena Dorvath"
    negotiation.accept("M1", "joana")
    assert negotiation.standing("M1").done


def test_another_partner_may_accept_what_all_write_together(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    accept_it(negotiation, "joana", propose(negotiation, "samira"))
    assert negotiation.waiting("M1") == {"npm"}


def test_partners_do_not_change_an_answer_only_the_npm_writes(negotiation: Negotiation) -> None:
    """S6: a partner's proposal and another partner's acceptance decide nothing for the NPM."""
    negotiation.save("ilena", "M3")
    negotiation.accept("M3", "samira", "joana")
    proposal = propose(negotiation, "samira", "M3")
    for act in (
        lambda: positions.accept_proposal(
            negotiation["joana"], negotiation.checklist(), proposal.id
        ),
        lambda: positions.turn_down_proposal(
            negotiation["joana"], negotiation.checklist(), proposal.id, "Not for us."
        ),
    ):
        with pytest.raises(RefusedError, match="The NPM answers this suggestion because"):
            act()
        negotiation.session.rollback()
    answer = accept_it(negotiation, "ilena", proposal)
    assert answer.values == NEW
    assert negotiation.waiting("M3") == {"lantern"}


def test_partners_answer_an_npm_proposal_for_an_item_they_write(negotiation: Negotiation) -> None:
    negotiation.save("samira", "M10")
    negotiation.accept("M10", "ilena")
    proposal = propose(negotiation, "ilena", "M10")
    assert stances(negotiation, "M10") == {"npm": "wants_change"}
    accept_it(negotiation, "joana", proposal)
    assert negotiation.standing("M10").done


def test_a_proposal_has_a_reason_and_new_words_of_the_right_type(negotiation: Negotiation) -> None:
    old = negotiation.save("ilena", "M1", words="As it was.")
    negotiation.save("ilena", "M1", seen=1, words="As it stands.")
    negotiation.accept("M1", "samira", "joana")
    with pytest.raises(StaleError, match="The answer changed while you were reading"):
        positions.propose(
            negotiation["samira"],
            negotiation.checklist(),
            "M1",
            NEW,
            answer_id=old.id,
            reason="Shorter.",
        )
    with pytest.raises(RuleBrokenError, match="That's the same wording as before"):
        propose(negotiation, "samira", words="As it stands.")
    with pytest.raises(WrongTypeError):
        propose(negotiation, "samira", words="x" * 8001)
    with pytest.raises(WrongTypeError):
        propose(negotiation, "samira", colour="red")
    for reason in ("", "  "):
        with pytest.raises(RuleBrokenError, match="Give the reason for the change"):
            propose(negotiation, "samira", reason=reason)
    proposal = propose(negotiation, "samira")
    for reason in ("", "  "):
        with pytest.raises(RuleBrokenError, match="Say why you decline it"):
            positions.turn_down_proposal(
                negotiation["ilena"], negotiation.checklist(), proposal.id, reason
            )
    # One of another cooperation is not there.
    with pytest.raises(StaleError, match="This suggestion is no longer open"):
        positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), uuid4())


def test_a_proposal_that_is_not_whole_is_refused_before_it_is_sent(session: Session) -> None:
    negotiation = set_out(session, template=a_template(an_item("M1", a_field(), a_field("more"))))
    negotiation.save("ilena", "M1", words="a", more="b")
    negotiation.accept("M1", "samira", "joana")
    with pytest.raises(RuleBrokenError, match="Your suggestion isn't complete: Fill in: More"):
        propose(negotiation, "samira", words="c")


def test_a_proposal_naming_somebody_who_has_left_cannot_become_the_answer(session: Session) -> None:
    negotiation = set_out(session, template=a_template(an_item("M1", a_field("contact", "person"))))
    people = {first: str(negotiation.country.users[first].id) for first in ("dora", "henrik")}
    negotiation.save("ilena", "M1", contact=people["dora"])
    proposal = propose(negotiation, "samira", contact=people["henrik"])
    cooperations.end_person(
        negotiation["samira"],
        negotiation.cooperation,
        user_id=negotiation.country.users["henrik"].id,
        organisation_id=negotiation.country.id("door"),
    )
    with pytest.raises(WrongTypeError):
        positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal.id)


# How a proposal ends


def test_a_proposal_is_turned_down_with_a_reason_and_nothing_else_changes(
    negotiation: Negotiation,
) -> None:
    negotiation.settle("M1")
    proposal = propose(negotiation, "samira")
    before = stances(negotiation)
    positions.turn_down_proposal(
        negotiation["ilena"], negotiation.checklist(), proposal.id, " Three days are too few. "
    )
    negotiation.session.commit()
    assert proposal.state is ProposalState.TURNED_DOWN
    assert proposal.ended_reason == "Three days are too few."
    assert stances(negotiation) == before
    assert negotiation.loaded().proposals == ()
    assert [declined.id for declined in negotiation.loaded().turned_down] == [proposal.id]
    assert negotiation.events("proposal_turned_down")[-1]["proposed_by"] == "Open Door Legal Aid"


def test_accepting_the_answer_withdraws_ones_own_proposal(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    proposal = propose(negotiation, "samira")
    negotiation.accept("M1", "samira")
    assert proposal.state is ProposalState.WITHDRAWN
    assert negotiation.standing("M1").done
    assert len(negotiation.events("proposal_withdrawn")) == 1
    with pytest.raises(StaleError, match="no longer open"):
        positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal.id)


def test_a_newer_proposal_of_its_party_or_a_new_answer_outdates_a_proposal(
    negotiation: Negotiation,
) -> None:
    negotiation.settle("M1")
    first, other = propose(negotiation, "samira"), propose(negotiation, "joana", words="Ten days.")
    second = propose(negotiation, "dora", words="Four days.")
    negotiation.session.refresh(first)
    assert first.state is ProposalState.OUTDATED
    assert [proposal.id for proposal in negotiation.loaded().proposals] == [other.id, second.id]
    # With a new answer, so are all for the old one.
    accept_it(negotiation, "ilena", second)
    negotiation.session.refresh(other)
    assert other.state is ProposalState.OUTDATED
    with pytest.raises(StaleError, match="This suggestion is no longer open"):
        positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), other.id)


def test_a_proposal_is_answered_only_once(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    for state in ("turned_down", "withdrawn", "accepted"):
        proposal = propose(negotiation, "samira")
        match state:
            case "accepted":
                accept_it(negotiation, "ilena", proposal)
            case "turned_down":
                positions.turn_down_proposal(
                    negotiation["ilena"], negotiation.checklist(), proposal.id, "No."
                )
            case _:
                positions.withdraw_proposal(
                    negotiation["samira"], negotiation.checklist(), proposal.id
                )
        negotiation.session.commit()
        for act in (
            partial(positions.accept_proposal, negotiation["joana"]),
            partial(positions.turn_down_proposal, negotiation["joana"], reason="No."),
            partial(positions.withdraw_proposal, negotiation["samira"]),
        ):
            with pytest.raises(StaleError, match="This suggestion is no longer open"):
                act(negotiation.checklist(), proposal_id=proposal.id)
            negotiation.session.rollback()


def test_an_answer_left_out_may_be_answered_by_a_proposal(negotiation: Negotiation) -> None:
    service.save_answer(
        negotiation["ilena"],
        negotiation.checklist(),
        "M6",
        AnswerScope.SHARED,
        {},
        base_version=0,
        not_applicable_because="No money moves.",
    )
    negotiation.accept("M6", "samira")
    answer = accept_it(negotiation, "ilena", propose(negotiation, "samira", "M6"))
    assert (answer.not_applicable, answer.values) == (False, NEW)
