"""A review covers what was shown: a change of the ways of working that shows more voids it."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.factories import checklists
from tests.factories.tables import QUESTIONS, Table, set_out
from tests.factories.templates import a_column, a_field, a_table, a_template, an_item
from tracker.checklists.negotiation.text_digest import text_digest
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode
from tracker.core.errors import StaleError
from tracker.signoff import shown

PERSONAL = {"question": "personal_data"}
READER = a_field("second_reader", "person", sets="npm", accepts="none")
PLACES = a_table("places", a_column("place"), a_column("names", shown_when=PERSONAL))


def of(session: Session, *items: dict[str, Any]) -> Table:
    """Return a table with terms of some items and the one that names the second reader."""
    template = a_template(an_item("M1"), *items, an_item("M5", READER))
    return set_out(session, template=template)


@pytest.fixture
def with_item(session: Session) -> Table:
    return of(session, an_item("M2", shown_when=PERSONAL))


def pass_personal_data(table: Table, answer: str, **others: str) -> None:
    """Answer the question on which parts of the terms depend, and commit."""
    cooperations.set_modes(
        table["ilena"],
        table.cooperation,
        modes=[Mode.VISIT],
        questions={**QUESTIONS, "personal_data": answer, **others},
        version=table.cooperation.version,
    )
    table.session.commit()


def agree_with_all_shown_then_hide(table: Table) -> None:
    """Answer everything while personal data passes, then say that none does."""
    pass_personal_data(table, "yes")
    chosen = {"M5": {"second_reader": str(table["oren"].user_id)}}
    checklists.complete_answers(table.loaded(), table.writers, chosen=chosen)
    table.session.commit()
    pass_personal_data(table, "no")
    assert table.loaded().standing().is_complete


def read(table: Table) -> None:
    checklists.read_second(table["oren"], table.checklist())
    table.session.commit()
    assert table.loaded().review is not None


def test_an_item_shown_again_with_its_old_answer_asks_for_another_review(with_item: Table) -> None:
    agree_with_all_shown_then_hide(with_item)
    read(with_item)
    pass_personal_data(with_item, "yes")
    assert with_item.loaded().standing().is_complete
    assert with_item.loaded().review is None


def test_an_item_that_is_hidden_after_the_review_asks_for_another(with_item: Table) -> None:
    agree_with_all_shown_then_hide(with_item)
    pass_personal_data(with_item, "yes")
    read(with_item)
    pass_personal_data(with_item, "no")
    assert with_item.loaded().review is None


def test_a_column_shown_again_with_its_old_words_asks_for_another_review(session: Session) -> None:
    table = of(session, an_item("M2", PLACES))
    agree_with_all_shown_then_hide(table)
    read(table)
    pass_personal_data(table, "yes")
    assert table.loaded().review is None


def test_other_answers_about_the_ways_of_working_leave_the_review(with_item: Table) -> None:
    agree_with_all_shown_then_hide(with_item)
    read(with_item)
    pass_personal_data(with_item, "no", consent_hard="yes")
    assert with_item.loaded().review is not None


def test_a_live_list_that_is_shown_leaves_the_review(session: Session) -> None:
    table = of(session, an_item("M8", part="people", shown_when=PERSONAL))
    agree_with_all_shown_then_hide(table)
    read(table)
    pass_personal_data(table, "yes")
    assert table.loaded().review is not None


@pytest.mark.parametrize("item", [an_item("M2", shown_when=PERSONAL), an_item("M2", PLACES)])
def test_a_page_from_before_more_was_shown_confirms_nothing(
    session: Session, item: dict[str, Any]
) -> None:
    table = of(session, item)
    agree_with_all_shown_then_hide(table)
    hidden = text_digest(table.loaded())
    pass_personal_data(table, "yes")
    assert text_digest(table.loaded()) != hidden
    with pytest.raises(StaleError, match="The text changed after you opened it"):
        shown.require(shown.page_with(hidden), text_digest(table.loaded()))


def test_what_is_hidden_is_not_in_the_digest(with_item: Table) -> None:
    agree_with_all_shown_then_hide(with_item)
    before = text_digest(with_item.loaded())
    pass_personal_data(with_item, "no", consent_hard="yes")
    assert text_digest(with_item.loaded()) == before
