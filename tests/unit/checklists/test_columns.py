"""Columns shown on a condition: in three states, never counted while hidden or not known."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.effort import tries
from tests.factories.templates import (
    DOOR,
    KINDS,
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
from tracker.checklist_templates import library
from tracker.checklist_templates.conditions import Truth, evaluate
from tracker.checklist_templates.schema import Template
from tracker.checklists.rules.completeness import WorkState, applied, standing
from tracker.checklists.rules.facts import Filled, Sheet, Surroundings
from tracker.checklists.rules.rendering import Names, show
from tracker.checklists.rules.values import shown_only
from tracker.cooperations.models import Mode
from tracker.core.paths import CONTENT

ALL = (NPM, DOOR, LANTERN)
NOBODY = Names({}, {})
PRISON = {"item": "M2", "field": "kind", "in": ["prison"]}
VISITS = {"modes": ["VISIT"]}
SECRET = "Only where it applies"


def a_checklist(condition: object, **more: Any) -> Template:
    """Return a checklist with a table whose second column has a condition."""
    column = a_column("wing", shown_when=condition, **more)
    return a_template(
        an_item("M1", a_table("places", a_column("place"), column)),
        an_item("M2", a_field("kind", "choice", sets="npm", accepts="none", options=KINDS)),
    )


def a_filled(kind: str | None, rows: list[dict[str, str]]) -> Sheet:
    shared = {"M1": an_answer({"places": rows})}
    if kind:
        shared["M2"] = an_answer({"kind": kind})
    return a_sheet(shared=shared, accepted={"M1": ALL})


BARE = [{"place": "North"}]
FULL = [{"place": "North", "wing": SECRET}]


@pytest.mark.parametrize(
    ("kind", "columns"),
    [("prison", ["place", "wing"]), ("police", ["place"]), (None, ["place"])],
)
def test_a_column_is_there_only_where_its_condition_holds(
    kind: str | None, columns: list[str]
) -> None:
    here = applied(a_checklist(PRISON), a_filled(kind, FULL), around())
    assert [column.key for column in here.by_code["M1"].fields[0].columns] == columns
    assert list(here.by_code) == ["M1", "M2"]
    assert here.version == 90


@pytest.mark.parametrize(
    ("kind", "rows", "state"),
    [
        ("prison", BARE, WorkState.IN_PROGRESS),
        ("prison", FULL, WorkState.AGREED),
        ("police", BARE, WorkState.AGREED),
        ("police", FULL, WorkState.AGREED),
        (None, BARE, WorkState.AGREED),
    ],
)
def test_progress_is_right_at_each_state(
    kind: str | None, rows: list[dict[str, str]], state: WorkState
) -> None:
    status = standing(a_checklist(PRISON), a_filled(kind, rows), around())
    assert status.items["M1"].state is state
    assert (status.done_count, status.total_count) == ((state is WorkState.AGREED) + bool(kind), 2)


def test_a_value_in_a_hidden_column_requires_nothing() -> None:
    note = a_column("note", required=False, required_when={"column": "wing", "in": ["a"]})
    wing = a_column("wing", "choice", options=[{"value": "a", "label": "A"}], shown_when=PRISON)
    template = a_template(
        an_item("M1", a_table("places", a_column("place"), wing, note)),
        an_item("M2", a_field("kind", "choice", sets="npm", accepts="none", options=KINDS)),
    )
    rows = [{"place": "North", "wing": "a"}]
    assert standing(template, a_filled("police", rows), around()).items["M1"].done
    assert not standing(template, a_filled("prison", rows), around()).items["M1"].done


def test_a_row_that_holds_hidden_cells_only_is_no_row() -> None:
    status = standing(a_checklist(PRISON), a_filled("police", [{"wing": SECRET}]), around())
    assert not status.items["M1"].done


def test_ways_of_working_show_a_column_too() -> None:
    for modes, columns in (((Mode.VISIT,), 2), ((Mode.PROJ,), 1)):
        here = applied(a_checklist(VISITS), a_sheet(), around(modes=modes))
        assert len(here.by_code["M1"].fields[0].columns) == columns


def test_a_checklist_without_such_columns_stays_as_it_is() -> None:
    template = a_template(an_item("M1"))
    assert applied(template, a_sheet(), around()) is template


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            an_item("M1", a_table("t", a_column("a", shown_when=VISITS))),
            "one column at least is always shown",
        ),
        (
            an_item(
                "M1",
                a_table(
                    "t",
                    a_column("a"),
                    a_column("b", shown_when={"item": "M9", "field": "x", "in": ["y"]}),
                ),
            ),
            "item M1 looks at M9.x, which doesn't exist",
        ),
        (
            an_item(
                "M1",
                a_field("kind", "choice", options=KINDS),
                a_table(
                    "t",
                    a_column("a"),
                    a_column("b", shown_when={"item": "M1", "field": "kind", "in": ["prison"]}),
                ),
            ),
            "column b of M1 looks at its own item",
        ),
        (
            an_item(
                "M1",
                a_table("t", a_column("a"), a_column("b", "party", shown_when=VISITS)),
                done={"checks": [{"check": "row_per_party", "field": "t", "column": "b"}]},
            ),
            "names a column b that may be hidden",
        ),
    ],
)
def test_a_condition_that_can_not_be_met_is_refused(item: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        a_template(item)
    assert words in str(error.value)


def test_team_members_may_see_the_items_about_the_team() -> None:
    """C11, as shipped."""
    files = library.read(CONTENT)
    template = next(f.template for f in files if f.template.kind.value == "confidentiality")
    for modes, is_there in (((Mode.VISIT,), True), ((Mode.INFO_F,), False)):
        here = applied(template, a_sheet(), around(modes=modes))
        keys = {column.key for column in here.by_code["C11"].field("access").columns}
        assert ("cso_team" in keys) is is_there
        assert {"npm_head", "npm_others", "cso_others", "approver"} <= keys


# Properties

MODES = st.sets(st.sampled_from(list(Mode)), max_size=3).map(tuple)
CONDITIONS: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.sampled_from([PRISON, VISITS, {"modes": ["EXP", "OMB_PLUS"]}]),
        st.just({"question": "personal_data"}),
        st.just({"item": "M2", "field": "kind", "in": ["police", "other"]}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
)
KIND = st.sampled_from([None, "police", "prison", "other"])
CELLS = st.sampled_from([BARE, FULL, [*BARE, *FULL], [{"wing": SECRET}], []])
THOROUGH = settings(max_examples=tries(50, 150), suppress_health_check=[HealthCheck.too_slow])


@st.composite
def situations(draw: st.DrawFn) -> tuple[Template, Sheet, Surroundings, Truth]:
    """Draw a column on any condition, anything filled in, and whether the column is shown."""
    template = a_checklist(draw(CONDITIONS))
    sheet = a_filled(draw(KIND), draw(CELLS))
    questions = {"personal_data": draw(st.sampled_from(["yes", "no", "not_known"]))}
    here = around(modes=draw(MODES), questions=questions)
    truth = evaluate(
        template.by_code["M1"].fields[0].columns[1].shown_when,
        modes=here.modes,
        questions=here.questions,
        value_of=sheet.value,
    )
    return template, sheet, here, truth


def without_wing(sheet: Sheet) -> Sheet:
    """Return the same answers as if nobody had ever filled the column in."""
    answers = {key: _without(answer) for key, answer in sheet.answers.items()}
    return Sheet(sheet.checklist_id, answers, sheet.positions, sheet.authors)


def _without(answer: Filled) -> Filled:
    values: Mapping[str, Any] = answer.values
    if "places" in values:
        rows = [{k: v for k, v in row.items() if k != "wing"} for row in values["places"]]
        values = {**values, "places": rows}
    return an_answer(values, answer_id=answer.answer_id)


@THOROUGH
@given(situations())
def test_a_hidden_or_unknown_column_never_counts(
    situation: tuple[Template, Sheet, Surroundings, Truth],
) -> None:
    template, sheet, here, truth = situation
    if truth is Truth.TRUE:
        return
    status, bare = (
        standing(template, given_sheet, here) for given_sheet in (sheet, without_wing(sheet))
    )
    assert (status.done_count, status.total_count) == (bare.done_count, bare.total_count)
    assert status.items["M1"].done == bare.items["M1"].done
    assert not [problem for problem in status.items["M1"].problems if problem.column == "wing"]


@THOROUGH
@given(situations())
def test_a_shown_column_is_asked_for(
    situation: tuple[Template, Sheet, Surroundings, Truth],
) -> None:
    template, sheet, here, truth = situation
    if truth is not Truth.TRUE:
        return
    answer = sheet.shared("M1")
    assert answer is not None
    lacking = [row for row in answer.values["places"] if "wing" not in row or "place" not in row]
    status = standing(template, sheet, here).items["M1"]
    assert status.done is (bool(answer.values["places"]) and not lacking)


@THOROUGH
@given(situations())
def test_shown_values_never_contain_a_hidden_cell(
    situation: tuple[Template, Sheet, Surroundings, Truth],
) -> None:
    template, sheet, here, truth = situation
    item = applied(template, sheet, here).by_code["M1"]
    answer = sheet.shared("M1")
    assert answer is not None
    shown = str(show(item.fields, answer.values, NOBODY)) + str(
        shown_only(item.fields, answer.values)
    )
    written = SECRET in str(answer.values)
    assert (SECRET in shown) is (written and truth is Truth.TRUE)


@THOROUGH
@given(situations())
def test_applying_twice_is_applying_once(
    situation: tuple[Template, Sheet, Surroundings, Truth],
) -> None:
    template, sheet, here, _truth = situation
    once = applied(template, sheet, here)
    assert applied(once, sheet, here) is once
    assert standing(once, sheet, here) == standing(template, sheet, here)
