"""Values of fields: what each type may contain, and what is missing in an answer.

In one file: one table of cases for each type of field.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.templates import (
    DOOR,
    ILENA,
    KINDS,
    LANTERN,
    NPM,
    PARTIES,
    SAMIRA,
    a_column,
    a_field,
    a_table,
    around,
    field_of,
    item_of,
)
from tracker.checklist_templates.field_content import ROW, has_content
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import FieldType, TemplateField
from tracker.checklists.rules.values import (
    MAX_ANSWER,
    WrongTypeError,
    as_date,
    as_id,
    check_types,
    fit,
    gone,
    missing,
)
from tracker.core.errors import RuleBrokenError

STRANGER = str(UUID(int=500))
HOSTILE = [
    None.__class__,
    object(),
    {"a": 1},
    ["a"],
    [],
    b"bytes",
    1.5,
    float("nan"),
    "x\x00y",
    "\ud800",
    "x" * 100_000,
]


def check(field: TemplateField, value: Any) -> None:
    check_types((field,), {field.key: value}, around())


def fits(field: TemplateField, value: Any) -> bool:
    try:
        check(field, value)
    except WrongTypeError as error:
        return not error.field  # a refusal names what it refuses
    return True


GOOD: dict[str, list[Any]] = {
    "text": ["a", "a\nb", "x" * 8000, "شروط", "<script>alert(1)</script>", "'; DROP TABLE"],
    "line": ["a", "x" * 300],
    "confirm": [True, False],
    "date": ["2026-03-02", "2028-02-29"],
    "time": ["00:00", "18:30", "23:59"],
    "number": [0, 7, 100_000],
    "phone": ["+356 2122 0000", "112", "+356 (21) 22-00.0/9"],
    "class": ["K0", "K8"],
}
BAD: dict[str, list[Any]] = {
    "text": ["x" * 8001, 1, True, ["a"], {"a": 1}, b"a", "a\x00b", "a\udfff"],
    "line": ["x" * 301, 1, "\x00"],
    "confirm": ["yes", "true", 1, 0, "on", []],
    "date": ["2026-3-2", "2026-02-30", "02.03.2026", "20260302", "2026-W10-1", 20260302],
    "time": ["24:00", "18:60", "6:30", "18:30:00", 1830, "1830", "18:30\n"],
    "number": [-1, 100_001, 7.0, "7", True, 10**30],
    "phone": ["12", "call me", "+", "1" * 41, 112, "112\n", "112; rm", "١١٢"],
    "class": ["K9", "k2", 2, ["K2"]],
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_field_holds_what_its_type_says(kind: str) -> None:
    field = field_of(kind)
    assert [value for value in GOOD[kind] if not fits(field, value)] == []
    assert [value for value in BAD[kind] if fits(field, value)] == []


@pytest.mark.parametrize("kind", ["choice", "choices"])
def test_a_choice_is_one_of_its_options(kind: str) -> None:
    field = field_of(kind, options=KINDS)
    wrap = (lambda choice: [choice]) if kind == "choices" else (lambda choice: choice)
    assert fits(field, wrap("prison"))
    for bad in ("Prison", "boat", 1, True, {"a": 1}, ["prison"]):
        assert not fits(field, wrap(bad))


def test_several_choices_are_a_list_without_repeats() -> None:
    field = field_of("choices", options=KINDS)
    assert fits(field, ["police", "prison"])
    assert fits(field, [])
    for bad in ("police", ["police", "police"], ("police",), {"police"}):
        assert not fits(field, bad)


@pytest.mark.parametrize(
    ("kind", "known"), [("person", str(SAMIRA)), ("persons", [str(SAMIRA)]), ("party", str(DOOR))]
)
def test_people_and_parties_are_those_who_take_part(kind: str, known: Any) -> None:
    field = field_of(kind)
    assert fits(field, known)
    for bad in (STRANGER, "Samira Okell", "1", str(SAMIRA if kind == "party" else DOOR), 12):
        assert not fits(field, [bad] if kind == "persons" else bad)


def test_an_id_has_one_way_to_be_written() -> None:
    """Two ways of writing one person would be two different people to the done-tests."""
    field = field_of("person")
    written = str(ILENA)
    assert fits(field, written)
    for other in (
        written.upper(),
        written.replace("-", ""),
        f"{{{written}}}",
        f"urn:uuid:{written}",
        f" {written}",
    ):
        assert not fits(field, other), other


@pytest.mark.parametrize("kind", [kind.value for kind in FieldType])
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: str(value)[:12])
def test_a_value_of_a_wrong_type_is_refused_without_an_error(kind: str, value: Any) -> None:
    more: dict[str, Any] = {"options": KINDS} if kind in {"choice", "choices"} else {}
    if kind == "table":
        more = {"rows": {}, "columns": [a_column("a")]}
    may_hold_an_empty_list = kind in {"choices", "persons", "table"}
    assert fits(field_of(kind, **more), value) is (value == [] and may_hold_an_empty_list)


@pytest.mark.parametrize("kind", ["text", "date", "number", "person", "choice", "phone"])
@pytest.mark.parametrize("value", [None, ""])
def test_an_answer_may_be_saved_unfinished(kind: str, value: Any) -> None:
    more: dict[str, Any] = {"options": KINDS} if kind == "choice" else {}
    assert fits(field_of(kind, **more), value)


def test_a_number_keeps_to_its_bounds() -> None:
    field = field_of("number", unit="days", min=2, max=30)
    assert [n for n in range(-1, 40) if fits(field, n)] == list(range(2, 31))


def test_the_form_has_only_the_answers_fields() -> None:
    item = item_of(a_field(), a_field("own", sets="each_party", accepts="none"))
    shared = item.fields_of(AnswerScope.SHARED)
    check_types(shared, {"words": "a"}, around())
    for key in ("own", "else", "_row", "__class__"):
        with pytest.raises(WrongTypeError):
            check_types(shared, {key: "a"}, around())


TABLE = TemplateField.model_validate(
    a_table("t", a_column("party", "party"), a_column("note", required=False), rows={"max": 3})
)
GIVEN = TemplateField.model_validate(
    a_table(
        "t",
        a_column("decider"),
        rows={"fixed": [{"key": "team", "label": "Team"}, {"key": "media", "label": "Media"}]},
    )
)
GROWING = GIVEN.model_copy(
    update={"rows": GIVEN.rows and GIVEN.rows.model_copy(update={"more": True, "max": 4})}
)


@pytest.mark.parametrize(
    ("table", "rows", "good"),
    [
        (TABLE, [], True),
        (TABLE, [{"party": str(NPM), "note": "x"}, {}], True),
        (TABLE, [{"party": str(NPM)}] * 3, True),
        (TABLE, [{"party": str(NPM)}] * 4, False),
        (TABLE, [{"party": STRANGER}], False),
        (TABLE, [{"other": "x"}], False),
        (TABLE, [{1: "x"}], False),
        (TABLE, [{"note": {"a": 1}}], False),
        (TABLE, [{ROW: "team"}], False),
        (TABLE, ["x"], False),
        (TABLE, [None], False),
        (TABLE, {"party": str(NPM)}, False),
        (TABLE, "x", False),
        (GIVEN, [{ROW: "team", "decider": "NPM"}, {ROW: "media"}], True),
        (GIVEN, [{ROW: "team"}, {ROW: "team"}], False),
        (GIVEN, [{ROW: "boat"}], False),
        (GIVEN, [{ROW: ["team"]}], False),
        (GIVEN, [{ROW: None}], False),
        (GIVEN, [{"decider": "NPM"}], False),
        (GROWING, [{ROW: "team"}, {"decider": "NPM"}], True),
        (GROWING, [{ROW: "team"}, {ROW: "media"}, {"decider": "a"}, {"decider": "b"}], True),
        (GROWING, [{"decider": "a"}] * 5, False),
    ],
)
def test_a_table_has_its_rows_and_columns_and_no_others(
    table: TemplateField, rows: Any, good: bool
) -> None:
    assert fits(table, rows) is good


def test_the_texts_of_an_answer_are_together_no_longer_than_some_pages() -> None:
    """Each is searched for phrases with every save, which takes a time by its length."""
    notes = a_table("t", a_column("note", "text"), rows={"max": 30})
    fields = (TemplateField.model_validate(notes), TemplateField.model_validate(a_field()))
    rows = [{"note": "x" * (MAX_ANSWER // 5)}] * 5
    check_types(fields, {"t": rows}, around())
    with pytest.raises(RuleBrokenError, match="too long"):
        check_types(fields, {"t": rows, "words": "x"}, around())
    with pytest.raises(RuleBrokenError, match="too long"):
        check_types(fields, {"t": [*rows, {"note": "x"}]}, around())


# What is missing


def lacks(fields: list[dict[str, Any]], values: dict[str, Any]) -> list[str]:
    return [str(problem.message) for problem in missing(item_of(*fields).fields, values)]


def test_required_fields_must_be_filled_and_others_not() -> None:
    fields = [a_field(), a_field("more", required=False)]
    assert lacks(fields, {}) == ["Fill in: Words"]
    assert lacks(fields, {"words": "", "more": "x"}) == ["Fill in: Words"]
    assert lacks(fields, {"words": "x"}) == []


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("confirm", False, "Confirm: Words"),
        ("choice", None, "Choose: Words"),
        ("choices", [], "Choose: Words"),
        ("person", "", "Choose: Words"),
        ("persons", [], "Choose: Words"),
        ("number", None, "Fill in: Words"),
        ("date", None, "Fill in: Words"),
    ],
)
def test_each_type_has_a_message_saying_what_to_do(kind: str, value: Any, words: str) -> None:
    more: dict[str, Any] = {"options": KINDS} if kind in {"choice", "choices"} else {}
    assert lacks([a_field("words", kind, **more)], {"words": value}) == [words]


def test_nought_is_an_answer() -> None:
    assert lacks([a_field("words", "number")], {"words": 0}) == []


WHEN = [
    a_field("kind", "choice", options=KINDS),
    a_field("which", required=False, required_when={"field": "kind", "in": ["other"]}),
]


def test_a_field_is_required_as_its_neighbour_is_answered() -> None:
    assert lacks(WHEN, {"kind": "prison"}) == []
    assert lacks(WHEN, {"kind": "other"}) == ["Fill in: Which"]
    assert lacks(WHEN, {"kind": "other", "which": "A boat"}) == []
    assert lacks(WHEN, {}) == ["Choose: Kind"]


def test_a_field_is_required_as_a_box_beside_it_is_ticked() -> None:
    fields = [
        a_field("signed", "confirm", required=False),
        a_field("which", required_when={"field": "signed", "in": [True]}),
    ]
    assert lacks(fields, {"signed": False}) == []
    assert lacks(fields, {"signed": True}) == ["Fill in: Which"]


def test_a_field_is_required_as_one_of_several_choices_is_made() -> None:
    fields = [
        a_field("kinds", "choices", options=KINDS),
        a_field("which", required_when={"field": "kinds", "in": ["other", "prison"]}),
    ]
    assert lacks(fields, {"kinds": ["police"]}) == []
    assert lacks(fields, {"kinds": ["police", "other"]}) == ["Fill in: Which"]


def test_a_table_needs_as_many_rows_as_it_says_and_whole_ones() -> None:
    fields = [a_table("t", a_column("party", "party"), a_column("note"), rows={"min": 2})]
    whole = {"party": str(NPM), "note": "x"}
    assert lacks(fields, {}) == ["T: add rows, at least 2."]
    assert lacks(fields, {"t": [whole, {}, {"note": ""}]}) == ["T: add rows, at least 2."]
    assert lacks(fields, {"t": [whole, {"note": "y"}]}) == ["Choose: Party"]
    assert lacks(fields, {"t": [whole, whole]}) == []


def test_a_table_that_may_be_empty_has_whole_rows_or_none() -> None:
    fields = [a_table("t", a_column("a"), a_column("b"), required=False)]
    assert lacks(fields, {}) == []
    assert lacks(fields, {"t": [{"a": "x"}]}) == ["Fill in: B"]


def test_a_missing_cell_says_in_which_row_and_column_it_is() -> None:
    fields = [a_table("t", a_column("a"), a_column("b"))]
    problems = list(missing(item_of(*fields).fields, {"t": [{"a": "x", "b": "y"}, {}, {"a": "x"}]}))
    assert [(problem.field, problem.row, problem.column) for problem in problems] == [("t", 2, "b")]


def test_each_given_row_must_be_filled_in() -> None:
    fixed = [{"key": "team", "label": "Team"}, {"key": "media", "label": "Media"}]
    fields = [a_table("t", a_column("decider"), rows={"fixed": fixed})]
    assert lacks(fields, {"t": []}) == [
        "Fill in the row “Team”.",
        "Fill in the row “Media”.",
    ]
    assert lacks(fields, {"t": [{ROW: "media", "decider": "NPM"}, {ROW: "team"}]}) == [
        "Fill in the row “Team”."
    ]
    both = [{ROW: "media", "decider": "NPM"}, {ROW: "team", "decider": "NPM"}]
    assert lacks(fields, {"t": both}) == []


def test_a_row_added_to_given_ones_says_what_it_is() -> None:
    spec = {"min": 0, "fixed": [{"key": "a", "label": "A"}], "more": True}
    columns = (a_column("other", required=False), a_column("name"))
    field = item_of(a_table("t", *columns, rows=spec)).fields
    given = {ROW: "a", "name": "One"}
    assert list(missing(field, {"t": [given]})) == []
    assert list(missing(field, {"t": [given, {"other": "B", "name": "Two"}]})) == []
    (problem,) = missing(field, {"t": [given, {"name": "Two"}]})
    assert (problem.row, problem.column) == (1, "other")
    # If no row is given, an optional column of that name stays optional.
    free = item_of(a_table("t", *columns)).fields
    assert list(missing(free, {"t": [{"name": "Two"}]})) == []


def test_a_column_is_required_as_another_of_its_row_is_filled() -> None:
    fields = [
        a_table(
            "t",
            a_column("kind", "choice", options=KINDS),
            a_column("which", required_when={"column": "kind", "in": ["other"]}),
        )
    ]
    assert lacks(fields, {"t": [{"kind": "police"}]}) == []
    assert lacks(fields, {"t": [{"kind": "other"}, {"kind": "police"}]}) == ["Fill in: Which"]


def test_a_box_in_a_column_that_is_required_must_be_ticked() -> None:
    """A confirm field that is required counts as done only when ticked."""
    fields = [a_table("t", a_column("who"), a_column("signed", "confirm"))]
    assert lacks(fields, {"t": [{"who": "a", "signed": False}]}) == ["Confirm: Signed"]
    assert lacks(fields, {"t": [{"who": "a", "signed": True}]}) == []


# People who left


def test_an_answer_that_names_somebody_who_left_is_not_whole() -> None:
    fields = item_of(
        a_field("lead", "person"),
        a_field("readers", "persons"),
        a_table("t", a_column("party", "party"), a_column("contact", "person")),
    ).fields
    values = {
        "lead": str(SAMIRA),
        "readers": [str(ILENA), str(SAMIRA)],
        "t": [
            {"party": str(NPM), "contact": str(ILENA)},
            {"party": str(LANTERN), "contact": str(SAMIRA)},
        ],
    }
    assert list(gone(fields, values, around())) == []
    later = around(*PARTIES[:2])
    later = type(later)(
        modes=later.modes,
        questions={},
        parties=later.parties,
        people=later.people - {SAMIRA},
    )
    problems = list(gone(fields, values, later))
    assert [(problem.field, problem.row, problem.column) for problem in problems] == [
        ("lead", None, None),
        ("readers", None, None),
        ("t", 1, "party"),
        ("t", 1, "contact"),
    ]
    assert str(problems[0].message) == "Lead: names somebody who no longer takes part."


def test_only_whom_a_party_that_left_named_for_itself_needs_no_replacement() -> None:
    table = a_table("t", a_column("party", "party"), a_column("contact", "person"))
    fields = item_of(a_field("lead", "person"), table).fields
    values = {
        "lead": str(SAMIRA),
        "t": [
            {"party": str(LANTERN), "contact": str(SAMIRA)},
            {"party": str(NPM), "contact": str(SAMIRA)},
            {"contact": str(SAMIRA)},
        ],
    }
    everyone = around(*PARTIES[:2])
    later = replace(everyone, people=everyone.people - {SAMIRA}, left=frozenset({LANTERN}))
    to_replace = [
        (problem.field, problem.row)
        for problem in gone(fields, values, later)
        if problem.person is not None
    ]
    assert to_replace == [("lead", None), ("t", 1), ("t", 2)]
    # Without a notice of its own: the text still needs somebody to reach there.
    silent = replace(later, left=frozenset())
    persons = [problem.person for problem in gone(fields, values, silent)]
    assert persons.count(SAMIRA) == 4


def test_nobody_named_is_nobody_gone() -> None:
    fields = item_of(a_field("lead", "person"), a_table("t", a_column("who", "person"))).fields
    assert list(gone(fields, {}, around())) == []
    assert list(gone(fields, {"lead": "", "t": [{}]}, around())) == []


# Reading


@given(st.dates())
def test_a_stored_date_is_read_back(day: Any) -> None:
    assert as_date(day.isoformat()) == day


@given(st.text(max_size=12) | st.integers() | st.none() | st.lists(st.text()))
def test_anything_may_be_asked_whether_it_is_a_date_or_an_id(value: Any) -> None:
    assert as_date(value) is None or as_date(value) == as_date(str(value))
    assert as_id(value) is None


@given(st.uuids())
def test_a_stored_id_is_read_back(user_id: UUID) -> None:
    assert as_id(str(user_id)) == user_id
    assert as_id(user_id) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.sampled_from([TABLE, GIVEN, field_of("choices", options=KINDS), field_of("text")]), JSON)
def test_any_value_is_either_kept_or_refused(field: TemplateField, value: Any) -> None:
    fits(field, value)


# What still fits


def test_fitting_values_are_kept_and_the_others_are_reported() -> None:
    fields = item_of(
        a_field("words"),
        a_field("day", "date"),
        a_field("lead", "person"),
        a_field("kinds", "choices", options=KINDS),
        a_table("rows", a_column("name"), a_column("who", "person"), a_column("party", "party")),
    ).fields
    fitted = fit(
        fields,
        {
            "words": "Kept",
            "day": "someday",
            "lead": STRANGER,
            "kinds": ["police", "barracks"],
            "rows": [
                {"name": "One", "who": str(SAMIRA), "party": STRANGER},
                {"who": STRANGER},
                {"name": "Two", "who": STRANGER, "party": str(DOOR)},
            ],
            "gone": "Let go",
        },
        around(),
    )
    assert fitted.values == {
        "words": "Kept",
        "kinds": ["police"],
        "rows": [{"name": "One", "who": str(SAMIRA)}, {"name": "Two", "party": str(DOOR)}],
    }
    assert fitted.left_out == (
        ("day", None),
        ("lead", None),
        ("kinds", None),
        ("rows", "party"),
        ("rows", "who"),
        ("gone", None),
    )


def test_given_rows_are_kept_without_the_rows_and_cells_that_no_longer_fit() -> None:
    given_rows = [{"key": "a", "label": "A"}, {"key": "b", "label": "B"}]
    fields = tuple(
        TemplateField.model_validate(a_table("t", a_column("name"), rows={"fixed": fixed}))
        for fixed in (given_rows, given_rows[:1])
    )
    answer = {
        "t": [
            {ROW: "a", "name": "One", "note": "Gone"},
            {ROW: "b", "name": "Two"},
            {"name": "Added"},
        ]
    }
    both, first = (fit((field,), answer, around()) for field in fields)
    assert both.values == {"t": [{ROW: "a", "name": "One"}, {ROW: "b", "name": "Two"}]}
    assert first.values == {"t": [{ROW: "a", "name": "One"}]}
    assert ("t", "note") in both.left_out


def test_of_a_table_without_its_rows_nothing_is_kept() -> None:
    rows = {"fixed": [{"key": "a", "label": "A"}]}
    field = item_of(a_table("t", a_column("name"), rows=rows)).fields
    fitting = {"t": [{ROW: "a", "name": "One"}]}
    assert fit(field, fitting, around()).values == fitting
    lost = fit(field, {"t": [{ROW: "b", "name": "One"}]}, around())
    assert (lost.values, lost.left_out) == ({}, (("t", None),))


@given(
    st.sampled_from([TABLE, GIVEN, field_of("choices", options=KINDS), field_of("text")]),
    st.dictionaries(st.sampled_from(["answer", "t", "other"]), JSON, max_size=3),
)
def test_what_fits_is_always_an_answer_and_is_not_cut_again(
    field: TemplateField, values: dict[str, Any]
) -> None:
    fitted = fit((field,), values, around())
    check_types((field,), fitted.values, around())
    again = fit((field,), fitted.values, around())
    assert (again.values, again.left_out) == (fitted.values, ())
    lost = {key for key, value in values.items() if fitted.values.get(key, ...) != value}
    assert {key for key, _column in fitted.left_out} == lost


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (None, False),
        ("", False),
        (False, False),
        ([], False),
        ({}, False),
        ([{}], False),
        ([{ROW: "team"}], False),
        ({ROW: "team", "a": ""}, False),
        (0, True),
        (True, True),
        (" ", True),
        (["", "x"], True),
        ([{ROW: "team", "a": 0}], True),
    ],
)
def test_what_holds_anything(value: Any, holds: bool) -> None:
    assert has_content(value) is holds
