"""Places to decide that don't apply here are no obstacle, and not in the text (product.md, 4.5)."""

from typing import Any

import pytest

from tests.factories.templates import (
    DOOR,
    LANTERN,
    NPM,
    a_column,
    a_field,
    a_sheet,
    a_table,
    a_template,
    an_answer,
    an_item,
    around,
)
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists.models import CopySource
from tracker.checklists.rules.completeness import (
    ItemStatus,
    WorkState,
    counting,
    standing,
)
from tracker.checklists.rules.facts import Filled
from tracker.checklists.rules.rendering import Names, show
from tracker.checklists.rules.values import shown_only

YES_OR_NO = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
MARK = "[to decide: who]"
AIM = {"item": "M1", "field": "aim", "in": ["yes"]}
TEMPLATE = a_template(
    an_item("M1", a_field("aim", "choice", options=YES_OR_NO)),
    an_item("M2", a_field("words"), required="conditional", required_when=AIM),
)
CONDITIONAL = an_item(
    "M1",
    a_field("brief", "choice", options=YES_OR_NO),
    a_field("by", required=False, required_when={"field": "brief", "in": ["yes"]}),
    {
        **a_table("flows", a_column("what")),
        "required": False,
        "required_when": {"field": "brief", "in": ["yes"]},
    },
    a_table(
        "rows",
        a_column("stays", "choice", options=YES_OR_NO),
        a_column("months", required=False, required_when={"column": "stays", "in": ["yes"]}),
    ),
)
FIELDS = a_template(CONDITIONAL).by_code["M1"].fields_of(AnswerScope.SHARED)


def from_the_model_text(aim: str, **more: Any) -> tuple[ItemStatus, Filled | None]:
    """Return what is said of an item of the model text, with an aim that decides about it."""
    text = an_answer({"words": MARK}, source=CopySource.PRODUCT, **more)
    sheet = a_sheet(shared={"M1": an_answer({"aim": aim}), "M2": text})
    status = standing(TEMPLATE, sheet, around()).items["M2"]
    return status, counting(TEMPLATE, sheet, around()).shared("M2")


def test_an_item_that_is_not_required_here_counts_as_not_begun_while_it_is_to_decide() -> None:
    status, answer = from_the_model_text("no")
    assert status.state is WorkState.NOT_STARTED
    assert not status.holds_up
    assert (status.waiting_for, status.unread_by) == ((), ())
    assert answer is not None
    assert answer.is_empty
    assert answer.values == {"words": MARK}


@pytest.mark.parametrize("aim", ["yes", "[to decide: whether it is an aim]"])
def test_it_blocks_once_it_is_required_and_while_that_is_not_known(aim: str) -> None:
    status, answer = from_the_model_text(aim)
    assert status.state is WorkState.IN_PROGRESS
    assert status.holds_up
    assert set(status.unread_by) == {NPM, DOOR, LANTERN}
    assert answer is not None
    assert not answer.is_empty


def test_it_blocks_once_somebody_here_has_changed_it() -> None:
    status, _answer = from_the_model_text("no", is_rewritten=True)
    assert status.holds_up


def test_words_of_a_party_with_a_place_to_decide_always_block() -> None:
    sheet = a_sheet(shared={"M1": an_answer({"aim": "no"}), "M2": an_answer({"words": MARK})})
    assert standing(TEMPLATE, sheet, around()).items["M2"].holds_up


def values(brief: str, stays: str) -> dict[str, Any]:
    return {
        "brief": brief,
        "by": MARK,
        "flows": [{"what": MARK}],
        "rows": [{"stays": stays, "months": MARK}],
    }


def test_a_field_or_cell_that_a_decision_makes_unnecessary_is_left_out() -> None:
    left = shown_only(FIELDS, values("no", "no"))
    assert left == {"brief": "no", "rows": [{"stays": "no"}]}
    [brief, rows] = show(FIELDS, values("no", "no"), Names({}, {}))
    assert (brief.key, rows.key) == ("brief", "rows")
    assert MARK not in str(rows)


@pytest.mark.parametrize("decided", ["yes", "", MARK])
def test_it_stays_while_it_is_needed_or_that_is_to_decide(decided: str) -> None:
    assert shown_only(FIELDS, values(decided, decided)) == values(decided, decided)


def test_decided_words_stay_whatever_is_decided_beside_them() -> None:
    given = {"brief": "no", "by": f"Partly {MARK}", "rows": [{"stays": "no", "months": "Six"}]}
    assert shown_only(FIELDS, given) == given
