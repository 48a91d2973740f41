"""Places marked *to decide*: found in fields of any type, never done, harmless to other rules."""

from typing import Any

import pytest

from tests.factories.templates import (
    ILENA,
    KINDS,
    a_column,
    a_field,
    a_sheet,
    a_table,
    an_answer,
    around,
    item_of,
)
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import FieldType, Item
from tracker.checklists.rules import power_limits, rendering
from tracker.checklists.rules.completeness import item_standing, value_problems
from tracker.checklists.rules.values import Problem, WrongTypeError, check_types, names_in

HOW_LONG = "[to decide: how long]"
# What else a field of a type needs, and a value that is decided.
OF_TYPE: dict[FieldType, tuple[dict[str, Any], Any]] = {
    FieldType.TEXT: ({}, "As settled."),
    FieldType.LINE: ({}, "As settled."),
    FieldType.NUMBER: ({"unit": "days"}, 30),
    FieldType.DATE: ({}, "2026-05-01"),
    FieldType.TIME: ({}, "18:00"),
    FieldType.PHONE: ({}, "+00 000 000"),
    FieldType.CHOICE: ({"options": KINDS}, "police"),
    FieldType.CHOICES: ({"options": KINDS}, ["police"]),
    FieldType.PERSON: ({}, str(ILENA)),
    FieldType.PERSONS: ({}, [str(ILENA)]),
    FieldType.PARTY: ({}, str(around().parties[0].organisation_id)),
    FieldType.BODY: ({}, str(around().parties[0].organisation_id)),
    FieldType.CLASS: ({}, "K2"),
}
MANY = {FieldType.CHOICES, FieldType.PERSONS}


def an_item_of(kind: FieldType) -> Item:
    return item_of(a_field("it", kind.value, **OF_TYPE[kind][0]))


def a_table_of(kind: FieldType) -> Item:
    return item_of(a_table("t", a_column("it", kind.value, **OF_TYPE[kind][0]), a_column("more")))


def problems(item: Item, values: dict[str, Any]) -> list[Problem]:
    return list(value_problems(item, AnswerScope.SHARED, values, a_sheet(), around()))


def is_done(item: Item, values: dict[str, Any]) -> bool:
    answer = an_answer(values)
    parties = tuple(party.organisation_id for party in around().parties)
    sheet = a_sheet(shared={"M1": answer}, accepted={"M1": parties})
    return item_standing(item, sheet, around()).done


def test_every_type_of_field_but_a_box_and_a_table_can_be_to_decide() -> None:
    assert set(FieldType) - set(OF_TYPE) == {FieldType.CONFIRM, FieldType.TABLE}


@pytest.mark.parametrize("kind", OF_TYPE)
def test_a_field_of_any_type_may_be_to_decide_and_is_not_done_until_it_is(kind: FieldType) -> None:
    item = an_item_of(kind)
    marked: Any = [HOW_LONG] if kind in MANY else HOW_LONG
    check_types(item.fields, {"it": marked}, around())
    (problem,) = problems(item, {"it": marked})
    assert (str(problem.message), problem.field) == ("To decide: how long.", "it")
    assert not is_done(item, {"it": marked})
    assert is_done(item, {"it": OF_TYPE[kind][1]})


@pytest.mark.parametrize("kind", [kind for kind in OF_TYPE if kind not in MANY])
def test_a_cell_of_any_type_says_in_which_row_and_column_something_is_to_decide(
    kind: FieldType,
) -> None:
    item = a_table_of(kind)
    rows = [{"it": OF_TYPE[kind][1], "more": "Yes"}, {"it": HOW_LONG, "more": "Yes"}]
    check_types(item.fields, {"t": rows}, around())
    (problem,) = problems(item, {"t": rows})
    assert (problem.field, problem.row, problem.column) == ("t", 1, "it")
    assert not is_done(item, {"t": rows})
    assert is_done(item, {"t": rows[:1]})


def test_a_text_may_have_several_places_to_decide_among_its_words() -> None:
    words = f"It lasts {HOW_LONG}, and [to decide: who] may end it."
    messages = [str(problem.message) for problem in problems(item_of(), {"words": words})]
    assert messages == ["To decide: how long.", "To decide: who."]
    assert not is_done(item_of(), {"words": words})


@pytest.mark.parametrize(
    "words",
    [
        "[to decide]",
        "[To Decide: how long]",
        "[ to decide :how long ]",
        "[to decide: how\nlong]",
        "[للتحديد: كم تدوم]",
        "It lasts [للتحديد: كم تدوم].",
    ],
)
def test_a_mark_is_found_in_any_language_however_it_is_spaced(words: str) -> None:
    assert len(problems(item_of(), {"words": words})) == 1


@pytest.mark.parametrize(
    "words", ["We still have to decide.", "to decide: how long", "[decided: a year]", "[sic]", "["]
)
def test_other_words_and_brackets_are_no_mark(words: str) -> None:
    assert problems(item_of(), {"words": words}) == []


def test_a_box_and_an_overlong_mark_are_refused() -> None:
    with pytest.raises(WrongTypeError):
        check_types(item_of(a_field("it", "confirm")).fields, {"it": HOW_LONG}, around())
    overlong = to_decide.mark("x" * 400, "en")
    with pytest.raises(WrongTypeError):
        check_types(an_item_of(FieldType.DATE).fields, {"it": overlong}, around())


def test_what_is_to_decide_decides_nothing_elsewhere() -> None:
    sheet = a_sheet(shared={"M1": an_answer({"words": HOW_LONG, "rows": [{"it": HOW_LONG}]})})
    assert sheet.value("M1", "words") is None
    assert sheet.value("M1", "rows") == [{"it": HOW_LONG}]


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("body", {"outside_parties": True}),
        ("person", {"outside_npm": True}),
        ("number", {"above": 5}),
        ("choices", {"without": ["police"]}),
    ],
)
def test_what_is_to_decide_limits_nobody(kind: str, rule: dict[str, Any]) -> None:
    limit = {
        "key": "limit",
        "powers": ["stop"],
        "because": "It limits the NPM.",
        "statement": "S7",
        "passage": "settling-terms/independence",
    }
    more = OF_TYPE[FieldType(kind)][0]
    item = item_of(a_field("it", kind, limits=[limit | rule], **more))
    marked: Any = [HOW_LONG] if kind == "choices" else HOW_LONG
    assert power_limits.judge(item, {"it": marked}, around()) == ()


def test_a_mark_names_nobody_and_is_shown_as_it_is() -> None:
    item = an_item_of(FieldType.PERSON)
    assert list(names_in(item.fields[0], HOW_LONG)) == []
    (shown,) = rendering.show(item.fields, {"it": HOW_LONG}, rendering.Names({}, {}))
    assert shown.text == HOW_LONG


def test_decided_leaves_texts_with_marks_and_drops_what_is_nothing_else() -> None:
    values = {
        "a": HOW_LONG,
        "b": f"It lasts {HOW_LONG}.",
        "c": [HOW_LONG, "police"],
        "d": [{"x": HOW_LONG, "y": 3}],
        "e": 3,
    }
    assert to_decide.decided(values) == {
        "b": f"It lasts {HOW_LONG}.",
        "c": ["police"],
        "d": [{"y": 3}],
        "e": 3,
    }
    unmarked = {"a": "As settled."}
    assert to_decide.decided(unmarked) is unmarked


def test_samples_replace_each_mark_of_a_text() -> None:
    assert to_decide.filled(f"{HOW_LONG} and [للتحديد: من]", "x") == "x and x"
