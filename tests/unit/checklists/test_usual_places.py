"""Places of a model text that say who it usually is, or how a day is counted from the visit."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from tests.factories.templates import (
    ILENA,
    JOANA,
    OREN,
    PETRA,
    SAMIRA,
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
    around,
)
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.model_texts import library
from tracker.checklists.model_texts.merging import answers, day_of, days_of, merge, tasks_of
from tracker.checklists.model_texts.schema import ModelTextContent, Task

FIRST, LAST = dt.date(2031, 3, 10), dt.date(2031, 3, 12)
# Interviews name people on the team (V8), talks the speaker (V7).
TEMPLATE = a_template(
    an_item(
        "V7",
        a_field("speaker", "person"),
        a_field("at_gate", "person", required=False),
        a_field("day", "date", required=False),
        a_field("later", "date", required=False),
    ),
    an_item(
        "V8",
        a_table(
            "rows",
            a_column("who", "person"),
            a_column("task", required=False),
            a_column("backup", "person", required=False),
            rows={"min": 0},
        ),
    ),
    kind="visit_roles",
)
TEAM = frozenset({ILENA, OREN, SAMIRA})


def content(**items: Mapping[str, Any]) -> ModelTextContent:
    head = {"kind": "visit_roles", "version": 90, "language": "en"}
    return ModelTextContent.model_validate({**head, "items": items})


def placed(tasks: Mapping[str, UUID], **items: Mapping[str, Any]) -> Mapping[str, Any]:
    here = around(team=TEAM, tasks=tasks, visit_starts_on=FIRST, visit_ends_on=LAST)
    return answers(merge(content(**items), ()), TEMPLATE, here)


def usually(task: str) -> dict[str, str]:
    return {"to_decide": "who speaks", "usually": task}


MARK = "[to decide: who speaks]"


def test_a_place_names_whoever_was_chosen_for_its_task() -> None:
    given = placed({"lead": ILENA}, V7={"speaker": usually("lead")})
    assert given["V7"] == {"speaker": str(ILENA)}


def test_a_place_stays_to_decide_while_nobody_was_chosen() -> None:
    given = placed({"deputy": OREN}, V7={"speaker": usually("lead")})
    assert given["V7"] == {"speaker": MARK}
    assert type(given["V7"]["speaker"]) is str


@pytest.mark.parametrize("person", [PETRA, JOANA, UUID(int=77)])
def test_a_place_stays_to_decide_where_that_person_can_not_be_named(person: UUID) -> None:
    """Speakers are on the team, and nobody is named who doesn't take part."""
    given = placed({"lead": person}, V7={"speaker": usually("lead")})
    assert given["V7"] == {"speaker": MARK}


def test_somebody_of_the_npm_outside_the_team_is_named_only_where_they_can_be() -> None:
    item = {"speaker": usually("office"), "at_gate": usually("office")}
    here = around(team=frozenset({ILENA}), tasks={"office": OREN})
    given = answers(merge(content(V7=item), ()), TEMPLATE, here)
    assert given["V7"] == {"speaker": MARK, "at_gate": str(OREN)}


def test_days_are_counted_from_the_first_and_the_last_day_of_the_visit() -> None:
    item = {
        "day": {"to_decide": "a day before", "days_before": 1},
        "later": {"to_decide": "a day after", "days_after": 7},
    }
    assert placed({}, V7=item)["V7"] == {"day": "2031-03-09", "later": "2031-03-19"}
    without_visit = answers(merge(content(V7=item), ()), TEMPLATE, around())["V7"]
    assert without_visit == {
        "day": "[to decide: a day before]",
        "later": "[to decide: a day after]",
    }


ROWS = {
    "lead": {"each": "lead", "who": "own", "task": "Leads", "backup": usually("deputy")},
    "deputy": {"each": "deputy", "who": "own", "task": "Stands in", "backup": usually("lead")},
    "member": {
        "each": "member",
        "who": "own",
        "task": "[to decide: x]",
        "backup": usually("deputy"),
    },
}


def test_lead_and_deputy_have_a_row_of_their_own_and_the_others_the_common_one() -> None:
    rows = placed({"lead": ILENA, "deputy": OREN}, V8={"rows": {"rows": ROWS}})["V8"]["rows"]
    lead, deputy, other = rows
    assert (lead["who"], lead["task"], lead["backup"]) == (str(ILENA), "Leads", str(OREN))
    assert (deputy["who"], deputy["backup"]) == (str(OREN), str(ILENA))
    assert (other["who"], other["task"]) == (str(SAMIRA), "[to decide: x]")


def test_everybody_has_the_common_row_while_nobody_leads_and_nobody_steps_in_for_themselves() -> (
    None
):
    rows = placed({}, V8={"rows": {"rows": ROWS}})["V8"]["rows"]
    assert {row["who"] for row in rows} == set(map(str, TEAM))
    rows = placed({"deputy": SAMIRA}, V8={"rows": {"rows": {"member": ROWS["member"]}}})
    backups = {row["who"]: row["backup"] for row in rows["V8"]["rows"]}
    assert backups == {str(ILENA): str(SAMIRA), str(OREN): str(SAMIRA), str(SAMIRA): MARK}


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"days_before": 1}, "only a day is counted from the visit"),
        ({"usually": "lead"}, "only a person is usually somebody"),
    ],
)
def test_a_task_is_for_a_person_and_a_day_for_a_date(place: dict[str, Any], message: str) -> None:
    fields = {"speaker": "days_before" in place, "day": "usually" in place}
    key = next(key for key, is_wrong in fields.items() if is_wrong)
    wrong = content(V7={key: {"to_decide": "what", **place}}, V8={"rows": {"rows": ROWS}})
    misfits = [own for _place, own in library.misfits(wrong, TEMPLATE)]
    assert any(message in misfit for misfit in misfits), misfits


@pytest.mark.parametrize(
    "place",
    [
        {"usually": "lead", "days_before": 1},
        {"days_before": 1, "days_after": 1},
        {"days_after": -1},
        {"usually": "president"},
    ],
)
def test_a_place_that_says_two_things_or_an_unknown_one_is_refused(place: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="V7"):
        content(V7={"day": {"to_decide": "what", **place}})


def test_the_days_of_a_column_are_known_if_they_are_the_same_in_all_rows() -> None:
    def rows(first: int, second: int) -> Mapping[str, Any]:
        due = [{"to_decide": "when", "days_after": days} for days in (first, second)]
        return {"rows": {"rows": {"a": {"due": due[0]}, "b": {"due": due[1]}}}}

    here = around(visit_starts_on=FIRST, visit_ends_on=LAST)
    same = days_of(content(V19=rows(14, 14)), "V19")
    assert {place: day_of(own, here) for place, own in same.items()} == {
        ("rows", "due"): "2031-03-26"
    }
    assert days_of(content(V19=rows(14, 15)), "V19") == {}
    assert days_of(content(V19=rows(14, 14)), "V7") == {}


def test_no_text_that_is_shipped_says_of_a_person_or_a_day_of_terms_who_or_when() -> None:
    """Only of a visit's checklists is anything counted, or usually somebody."""
    for kind in (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY):
        own = library.content_of(kind)
        assert tasks_of(own, own.items) == ()
        assert all(days_of(own, code) == {} for code in own.items)
    plan = library.content_of(ChecklistKind.URGENT_PLAN)
    assert tasks_of(plan, plan.items) == (Task.LEAD, Task.DEPUTY, Task.OFFICE, Task.RECORDER)
    assert tasks_of(plan, ["U8"]) == ()


def test_marks_in_both_languages_are_still_marks() -> None:
    for language in ("en", "ar"):
        text = library.model_text(ChecklistKind.URGENT_PLAN, (), language)
        assert to_decide.is_mark(text.items["U3"]["on_site"])
