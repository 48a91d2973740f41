"""Independence and flexibility (S6, S7): flags block sending; the second reader confirms."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.factories.checklists import flag_term, read_second
from tests.factories.negotiations import Negotiation
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import obstacles, service
from tracker.checklists.models import ChecklistState, Flag, SafeguardReview
from tracker.checklists.negotiation import positions, safeguards
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError


def flag(negotiation: Negotiation, first: str = "samira", item: str = "M1") -> Flag:
    raised = flag_term(negotiation[first], negotiation.checklist(), item, " A donor decides? ")
    negotiation.session.commit()
    return raised


def in_the_way(negotiation: Negotiation) -> list[str]:
    return [str(obstacle) for obstacle in obstacles.to_sending(negotiation.loaded())]


def test_any_party_may_flag_a_term_as_limiting_the_npm(negotiation: Negotiation) -> None:
    """product.md, 4.8."""
    negotiation.settle("M1")
    for first in ("samira", "dora", "ilena", "nadia"):
        raised = flag(negotiation, first)
        assert (raised.reason, raised.closed_at) == ("A donor decides?", None)
    assert [details["organisation"] for details in negotiation.events("flag_raised")] == [
        "Open Door Legal Aid",
        "Open Door Legal Aid",
        "Office of the People's Advocate",
        "Office of the People's Advocate",
    ]
    assert negotiation.loaded().flagged == {"M1"}


@pytest.mark.parametrize("first", ["marek", "ada", "root", "vesna"])
def test_nobody_else_flags_anything(negotiation: Negotiation, first: str) -> None:
    negotiation.settle("M1")
    with pytest.raises(RefusedError, match="Only people acting for one of the parties"):
        flag(negotiation, first)


def test_a_flag_says_how_the_term_limits_the_npm(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    with pytest.raises(RuleBrokenError, match="Say how the term limits the NPM"):
        flag_term(negotiation["samira"], negotiation.checklist(), "M1", "  ")
    with pytest.raises(RuleBrokenError, match="That item doesn't exist"):
        flag_term(negotiation["samira"], negotiation.checklist(), "M99", "It decides.")


def test_a_live_list_is_not_flagged(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M8")
    with pytest.raises(RefusedError, match="You can only flag what the parties sign"):
        flag(negotiation, item="M8")


def test_an_open_flag_blocks_sending_until_it_is_explained(negotiation: Negotiation) -> None:
    terms = negotiation.agree()
    negotiation.session.commit()
    assert in_the_way(negotiation) == []
    raised = flag(negotiation)
    assert in_the_way(negotiation) == ["There's an open flag on “Item M1”."]
    safeguards.explain_flag(negotiation["nadia"], terms, raised.id, " The donor sees no list. ")
    negotiation.session.commit()
    assert in_the_way(negotiation) == []
    assert raised.explanation == "The donor sees no list."
    assert raised.closed_by_id == negotiation.country.users["nadia"].id
    assert negotiation.events("flag_closed")[-1]["how"] == "explained"


def test_flags_are_listed_in_the_order_of_the_checklist(negotiation: Negotiation) -> None:
    negotiation.agree()
    for item in ("M10", "M3", "M10", "M1"):
        flag(negotiation, item=item)
    assert in_the_way(negotiation) == ["There's an open flag on “Item M1”, “Item M3”, “Item M10”."]


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("samira", "Only the NPM can explain or change a flagged term"),
        ("marek", "Only the NPM can explain or change a flagged term"),
        ("ada", "Only the NPM can explain or change a flagged term"),
        ("oren", "Only a coordinator, signatory or manager of the NPM can answer flags"),
    ],
)
def test_the_npm_alone_explains(negotiation: Negotiation, first: str, words: str) -> None:
    negotiation.settle("M1")
    raised = flag(negotiation)
    with pytest.raises(RefusedError, match=words):
        safeguards.explain_flag(negotiation[first], negotiation.checklist(), raised.id, "No donor.")


def test_an_explanation_needs_words_and_is_given_only_once(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    terms, raised = negotiation.checklist(), flag(negotiation)
    with pytest.raises(RuleBrokenError, match="Explain why the term doesn't limit"):
        safeguards.explain_flag(negotiation["ilena"], terms, raised.id, " ")
    safeguards.explain_flag(negotiation["ilena"], terms, raised.id, "No donor.")
    for flag_id in (raised.id, uuid4()):
        with pytest.raises(StaleError, match="This flag is no longer open"):
            safeguards.explain_flag(negotiation["ilena"], terms, flag_id, "Another.")


def test_changing_the_term_closes_its_flags_and_no_others(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    negotiation.save("ilena", "M6")
    mine, other = flag(negotiation), flag(negotiation, item="M6")
    negotiation.save("ilena", "M1", seen=1)
    negotiation.session.refresh(mine)
    negotiation.session.refresh(other)
    assert mine.closed_by_id == negotiation.country.users["ilena"].id
    assert (mine.explanation, other.closed_at) == ("", None)
    assert negotiation.events("flag_closed")[-1]["how"] == "changed"


# The second reader


def test_terms_cannot_be_sent_before_the_second_reader_has_read_them(
    negotiation: Negotiation,
) -> None:
    """Gate G3."""
    negotiation.agree()
    negotiation.session.execute(sa.update(SafeguardReview).values(is_void=True))
    assert in_the_way(negotiation) == [
        "The second reader hasn't confirmed independence and flexibility yet."
    ]


def test_the_second_reader_confirms_when_the_terms_are_agreed(negotiation: Negotiation) -> None:
    terms = negotiation.agree()
    review = negotiation.loaded().review
    assert review is not None
    assert review.reader_id == negotiation.country.users["oren"].id
    assert negotiation.events("safeguards_reviewed")[0]["who"]["name"] == "Oren Maki"
    with pytest.raises(RuleBrokenError, match="The review has already been confirmed"):
        read_second(negotiation["oren"], terms)


def test_terms_that_are_not_agreed_are_not_reviewed(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M5", second_reader=str(negotiation.country.users["oren"].id))
    with pytest.raises(RuleBrokenError, match="Read the terms once they're complete and agreed"):
        read_second(negotiation["oren"], negotiation.checklist())


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("nadia", "Only the second reader named in the terms"),
        ("ilena", "Only the second reader named in the terms"),
        ("samira", "The second reader has to be somebody from the NPM"),
        ("marek", "The second reader has to be somebody from the NPM"),
        ("ada", "The second reader has to be somebody from the NPM"),
    ],
)
def test_only_the_second_reader_confirms(negotiation: Negotiation, first: str, words: str) -> None:
    negotiation.save("ilena", "M5", second_reader=str(negotiation.country.users["oren"].id))
    with pytest.raises(RefusedError, match=words):
        read_second(negotiation[first], negotiation.checklist())


def test_a_second_reader_who_wrote_an_answer_is_no_longer_second_reader(
    negotiation: Negotiation,
) -> None:
    negotiation.save("ilena", "M5", second_reader=str(negotiation.country.users["oren"].id))
    assert negotiation.standing("M5").done
    negotiation.save("oren", "M6")
    assert not negotiation.standing("M5").done
    with pytest.raises(RefusedError, match="You wrote an answer on this checklist"):
        read_second(negotiation["oren"], negotiation.checklist())


@pytest.mark.parametrize("item", ["M6", "M7"])
def test_a_change_of_any_term_voids_the_review(negotiation: Negotiation, item: str) -> None:
    negotiation.agree()
    negotiation.session.commit()
    if item == "M7":
        from_party(negotiation, "joana")
    else:
        negotiation.save("joana", "M6")
    assert negotiation.loaded().review is None
    assert "second reader" in in_the_way(negotiation)[-1]


def from_party(negotiation: Negotiation, first: str) -> None:
    """Change a party's own answer."""
    service.save_answer(
        negotiation[first],
        negotiation.checklist(),
        "M7",
        AnswerScope.PARTY,
        {"words": "Otherwise."},
        base_version=1,
    )
    negotiation.session.commit()


def test_a_live_list_voids_nothing(negotiation: Negotiation) -> None:
    negotiation.agree()
    negotiation.session.commit()
    answer = negotiation.loaded().sheet.shared("M8")
    assert answer is not None
    proposal = positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        "M8",
        {"words": "Another list."},
        answer_id=answer.answer_id,
        reason="Somebody came.",
    )
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal.id)
    assert negotiation.loaded().review is not None


@pytest.mark.parametrize("state", [ChecklistState.SENT, ChecklistState.IN_FORCE])
def test_nothing_is_flagged_or_reviewed_while_it_cannot_be_changed(
    negotiation: Negotiation, state: ChecklistState
) -> None:
    negotiation.save("ilena", "M5", second_reader=str(negotiation.country.users["oren"].id))
    negotiation.checklist().state = state
    negotiation.session.commit()
    with pytest.raises(RefusedError, match=r"can't be changed now|need an amendment"):
        flag(negotiation)
    with pytest.raises(RefusedError, match=r"can't be changed now|need an amendment"):
        read_second(negotiation["oren"], negotiation.checklist())
