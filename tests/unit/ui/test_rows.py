"""Tables in forms: blank rows are ignored, rows can be added and removed, limits apply."""

from collections.abc import Callable
from typing import Any

import pytest

from tracker.ui.fields import ConfirmField, LineField, NumberField
from tracker.ui.form_base import Form
from tracker.ui.rows import RowForm, Rows
from tracker.ui.validators import Required

InRequest = Callable[..., None]


class Cost(RowForm):
    cost = LineField("Cost", [Required()])
    days = NumberField("Days")


class Check(RowForm):
    done = ConfirmField("Done")


class Sheet(Form):
    costs = Rows(Cost, "Costs", [Required()], most=3)
    uses = Rows(Cost, "Uses", given=(("cite", "Cite"), ("sue", "Litigate")))
    checks = Rows(Check, "Checks", given=(("a", "First"), ("b", "Second")))


def sent(in_request: InRequest, **data: str) -> Any:
    in_request(method="POST", data={name.replace("__", "-"): value for name, value in data.items()})
    return Sheet()


def test_an_empty_table_shows_one_blank_row_and_every_fixed_row(in_request: InRequest) -> None:
    in_request()
    form: Any = Sheet()
    assert [len(form.costs), len(form.uses)] == [1, 2]
    assert [row.row_label for row in form.uses] == ["Cite", "Litigate"]


def test_stored_rows_are_shown_in_their_places(in_request: InRequest) -> None:
    in_request()
    form: Any = Sheet(data={"uses": [{"cost": "A", "days": 7}, {"cost": "B"}]})
    assert form.uses.filled == [
        ("cite", {"cost": "A", "days": 7}),
        ("sue", {"cost": "B", "days": None}),
    ]


def test_blank_rows_are_passed_over_and_filled_ones_tested(in_request: InRequest) -> None:
    form = sent(in_request, costs__0__cost=" ", costs__1__days="7", costs__2__cost="Travel")
    assert not form.validate()
    assert form.summary_errors == [("costs-1-cost", "Costs, row 2, Cost: Enter an answer")]
    assert [row["cost"] for _key, row in form.costs.filled] == [None, "Travel"]


def test_a_required_table_needs_a_row(in_request: InRequest) -> None:
    form = sent(in_request, costs__0__cost="")
    assert not form.validate()
    assert form.summary_errors == [("costs", "Costs: Fill in at least one row")]


def test_a_problem_in_a_fixed_row_names_the_row_by_its_label(in_request: InRequest) -> None:
    form = sent(in_request, costs__0__cost="Travel", uses__1__days="soon")
    assert not form.validate()
    assert form.summary_errors == [
        ("uses-1-cost", "Uses, Litigate, Cost: Enter an answer"),
        ("uses-1-days", "Uses, Litigate, Days: Enter a whole number, such as 7"),
    ]


def test_a_fixed_row_keeps_its_position_when_the_one_before_sends_nothing(
    in_request: InRequest,
) -> None:
    # An unticked box is not sent at all.
    form = sent(in_request, checks__1__done="y")
    assert form.checks.filled == [("b", {"done": True})]


def test_too_many_rows_are_refused_and_not_silently_cut(in_request: InRequest) -> None:
    form = sent(in_request, **{f"costs__{n}__cost": "x" for n in range(4)})
    assert not form.validate()
    assert form.summary_errors == [("costs", "Costs: Use at most 3 rows")]


def test_the_add_button_adds_one_row_and_keeps_what_was_typed(in_request: InRequest) -> None:
    form = sent(in_request, costs__0__cost="Travel", add_row="costs")
    assert form.changed_rows()
    assert [row.data["cost"] for row in form.costs] == ["Travel", None]
    assert form.costs.focus == 1
    assert len(form.uses) == 2


def test_a_full_table_and_a_table_of_fixed_rows_do_not_grow(in_request: InRequest) -> None:
    full = {f"costs__{n}__cost": "x" for n in range(3)}
    form = sent(in_request, **full, add_row="costs")
    assert form.changed_rows()
    assert len(form.costs) == 3
    form = sent(in_request, add_row="uses")
    assert form.changed_rows()
    assert len(form.uses) == 2


def test_the_remove_button_removes_its_row(in_request: InRequest) -> None:
    form = sent(in_request, costs__0__cost="A", costs__1__cost="B", remove_row="costs-0")
    assert form.changed_rows()
    assert [(row.id, row.data["cost"]) for row in form.costs] == [("costs-0", "B")]


def test_removing_the_last_row_leaves_a_blank_one(in_request: InRequest) -> None:
    form = sent(in_request, costs__0__cost="A", remove_row="costs-0")
    assert form.changed_rows()
    assert [row.data["cost"] for row in form.costs] == [None]


def test_a_fixed_row_cannot_be_removed(in_request: InRequest) -> None:
    form = sent(in_request, uses__0__cost="A", remove_row="uses-0")
    assert form.changed_rows()
    assert [row.data["cost"] for row in form.uses] == ["A", None]


def test_a_form_sent_by_its_own_button_changes_no_rows(in_request: InRequest) -> None:
    form = sent(in_request, costs__0__cost="A")
    assert not form.changed_rows()


@pytest.mark.parametrize("number", ["²", "99999", "-1", "x", ""])
def test_row_numbers_that_no_page_sends_are_ignored(in_request: InRequest, number: str) -> None:
    in_request(method="POST", data={f"costs-{number}-cost": "x", "costs-0-cost": "A"})
    form: Any = Sheet()
    assert [row.data["cost"] for row in form.costs] == ["A"]


def test_the_blank_row_for_the_page_has_a_placeholder_for_its_number(
    in_request: InRequest,
) -> None:
    in_request()
    form: Any = Sheet()
    assert [cell.name for cell in form.costs.blank] == ["costs-__row__-cost", "costs-__row__-days"]


@pytest.mark.parametrize("button", [{"add_row": "costs"}, {"remove_row": "costs-0"}])
def test_the_buttons_of_rows_save_nothing_and_test_nothing(
    in_request: InRequest, button: dict[str, str]
) -> None:
    form = sent(in_request, costs__0__days="soon", **button)
    assert not form.validate_on_submit()
    assert form.summary_errors == []


def test_the_forms_own_button_saves_valid_input(in_request: InRequest) -> None:
    assert sent(in_request, costs__0__cost="A").validate_on_submit()
    assert not sent(in_request, costs__0__days="soon").validate_on_submit()
    in_request(method="GET", query_string={"costs-0-cost": "A"})
    assert not Sheet().validate_on_submit()
