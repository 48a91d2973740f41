"""A review covers what was shown: a change of the ways of working that shows more voids it."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.factories import checklists
from tests.factories.negotiations import QUESTIONS, Negotiation, set_out
from tests.factories.templates import a_column, a_field, a_table, a_template, an_item
from tracker.checklists.negotiation.text_digest import text_digest
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode
from tracker.core.errors import StaleError
from tracker.signoff import shown

PERSONAL = {"question": "personal_data"}
READER = a_field("second_reader", "person", sets="npm", accepts="none")
PLACES = a_table("places", a_column("place"), a_column("names", shown_when=PERSONAL))


def of(session: Session, *items: dict[str, Any]) -> Negotiation:
    """Return a negotiation with terms of some items and the one that names the second reader."""
    template = a_template(an_item("M1"), *items, an_item("M5", READER))
    return set_out(session, template=template)


@pytest.fixture
def with_item(session: Session) -> Negotiation:
    return of(session, an_item("M2", shown_when=PERSONAL))


def pass_personal_data(negotiation: Negotiation, answer: str, **others: str) -> None:
    """Answer the question on which parts of the terms depend, and commit."""
    cooperations.set_modes(
        negotiation["ilena"],
        negotiation.cooperation,
        modes=[Mode.VISIT],
        questions={**QUESTIONS, "personal_data": answer, **others},
        version=negotiation.cooperation.version,
    )
    negotiation.session.commit()


def agree_with_all_shown_then_hide(negotiation: Negotiation) -> None:
    """Answer everything while personal data passes, then say that none does."""
    pass_personal_data(negotiation, "yes")
    chosen = {"M5": {"second_reader": str(negotiation["oren"].user_id)}}
    checklists.complete_answers(negotiation.loaded(), negotiation.writers, chosen=chosen)
    negotiation.session.commit()
    pass_personal_data(negotiation, "no")
    assert negotiation.loaded().standing().is_complete


def read(negotiation: Negotiation) -> None:
    checklists.read_second(negotiation["oren"], negotiation.checklist())
    negotiation.session.commit()
    assert negotiation.loaded().review is not None


def test_an_item_shown_again_with_its_old_answer_asks_for_another_review(
    with_item: Negotiation,
) -> None:
    agree_with_all_shown_then_hide(with_item)
    read(with_item)
    pass_personal_data(with_item, "yes")
    assert with_item.loaded().standing().is_complete
    assert with_item.loaded().review is None


def test_an_item_that_is_hidden_after_the_review_asks_for_another(with_item: Negotiation) -> None:
    agree_with_all_shown_then_hide(with_item)
    pass_personal_data(with_item, "yes")
    read(with_item)
    pass_personal_data(with_item, "no")
    assert with_item.loaded().review is None


def test_a_column_shown_again_with_its_old_words_asks_for_another_review(session: Session) -> None:
    negotiation = of(session, an_item("M2", PLACES))
    agree_with_all_shown_then_hide(negotiation)
    read(negotiation)
    pass_personal_data(negotiation, "yes")
    assert negotiation.loaded().review is None


def test_other_answers_about_the_ways_of_working_leave_the_review(with_item: Negotiation) -> None:
    agree_with_all_shown_then_hide(with_item)
    read(with_item)
    pass_personal_data(with_item, "no", consent_hard="yes")
    assert with_item.loaded().review is not None


def test_a_live_list_that_is_shown_leaves_the_review(session: Session) -> None:
    negotiation = of(session, an_item("M8", part="people", shown_when=PERSONAL))
    agree_with_all_shown_then_hide(negotiation)
    read(negotiation)
    pass_personal_data(negotiation, "yes")
    assert negotiation.loaded().review is not None


@pytest.mark.parametrize("item", [an_item("M2", shown_when=PERSONAL), an_item("M2", PLACES)])
def test_a_page_from_before_more_was_shown_confirms_nothing(
    session: Session, item: dict[str, Any]
) -> None:
    negotiation = of(session, item)
    agree_with_all_shown_then_hide(negotiation)
    hidden = text_digest(negotiation.loaded())
    pass_personal_data(negotiation, "yes")
    assert text_digest(negotiation.loaded()) != hidden
    with pytest.raises(StaleError, match="The text changed after you opened it"):
        shown.require(shown.page_with(hidden), text_digest(negotiation.loaded()))


def test_what_is_hidden_is_not_in_the_digest(with_item: Negotiation) -> None:
    agree_with_all_shown_then_hide(with_item)
    before = text_digest(with_item.loaded())
    pass_personal_data(with_item, "no", consent_hard="yes")
    assert text_digest(with_item.loaded()) == before
