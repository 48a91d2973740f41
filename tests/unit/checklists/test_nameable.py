"""Whom a field of a visit's checklists can name, and what is left of names that it can't."""

import pytest

from tests.factories.templates import (
    ILENA,
    JOANA,
    OREN,
    SAMIRA,
    a_column,
    a_field,
    a_table,
    around,
    item_of,
)
from tracker.checklist_templates import library
from tracker.checklist_templates.schema import FieldType
from tracker.checklists.rules import nameable
from tracker.checklists.rules.nameable import Circle
from tracker.core.paths import CONTENT

# Of the CSOs only Samira is on the team; Oren is of the NPM and isn't.
VISIT = around(team=frozenset({ILENA, SAMIRA}))
EVERYBODY = {ILENA, SAMIRA, OREN, JOANA}


@pytest.mark.parametrize(
    ("circle", "expected"),
    [
        (Circle.TEAM, {ILENA, SAMIRA}),
        (Circle.TEAM_OR_NPM, {ILENA, SAMIRA, OREN}),
        (Circle.NPM, {ILENA, OREN}),
        (Circle.NOT_ON_TEAM, {OREN, JOANA}),
        (Circle.ANYBODY, EVERYBODY),
    ],
)
def test_each_circle_holds_its_people(circle: Circle, expected: set[object]) -> None:
    assert {who for who in EVERYBODY if nameable.can_name(circle, who, VISIT)} == expected


@pytest.mark.parametrize("circle", [*Circle])
def test_a_text_of_no_visit_has_no_team_to_ask(circle: Circle) -> None:
    able = {who for who in EVERYBODY if nameable.can_name(circle, who, around())}
    assert able == ({ILENA, OREN} if circle is Circle.NPM else EVERYBODY)


def test_a_list_offers_people_of_the_npm_where_a_done_test_asks_for_them() -> None:
    item = item_of(
        a_field("lead", "person"),
        a_field("other", "person"),
        code="V3",
        done={"checks": [{"check": "persons_of_npm", "fields": ["lead"]}]},
    )
    circles = [nameable.offered_circle(item, field) for field in item.fields]
    assert circles == [Circle.NPM, Circle.ANYBODY]
    # The done-test says so itself: the rule doesn't say it again.
    assert nameable.circle_of(item, item.field("lead")) is Circle.ANYBODY


def test_every_row_of_the_table_is_about_a_field_that_names_people() -> None:
    items = {item.code: item for file in library.read(CONTENT) for item in file.template.items}
    for code, key in nameable.FIELDS:
        field = items[code].field(key)
        parts = field.columns if field.type is FieldType.TABLE else (field,)
        assert any(part.type in nameable.NAMES_PEOPLE for part in parts), (code, key)


def test_names_that_a_field_cant_hold_are_left_out_and_the_rest_stays() -> None:
    item = item_of(
        a_table("groups", a_column("person", "person"), a_column("group")),
        a_field("appointed_by", "person"),
        code="V3",
    )
    values = {
        "groups": [
            {"person": str(JOANA), "group": "West"},
            {"person": str(SAMIRA), "group": "East"},
        ],
        "appointed_by": str(JOANA),
    }
    fit = nameable.without_strangers(item, values, VISIT)
    assert fit.values == {
        "groups": [{"group": "West"}, {"person": str(SAMIRA), "group": "East"}],
        "appointed_by": str(JOANA),
    }
    assert fit.left_out == (("groups", "person"),)


def test_the_row_of_somebody_who_isnt_on_the_team_goes_as_a_whole() -> None:
    item = item_of(
        a_table("roles", a_column("person", "person"), a_column("task"), a_column("b", "person")),
        code="V5",
        done={"checks": [{"check": "row_per_team_member", "field": "roles", "column": "person"}]},
    )
    values = {
        "roles": [
            {"person": str(ILENA), "task": "Leads", "b": str(JOANA)},
            {"person": str(JOANA), "task": "Interviews", "b": str(ILENA)},
        ]
    }
    fit = nameable.without_strangers(item, values, VISIT)
    assert fit.values == {"roles": [{"person": str(ILENA), "task": "Leads"}]}
    assert nameable.without_strangers(item, {"roles": values["roles"][1:]}, VISIT).values == {}


def test_lists_of_people_keep_those_who_can_be_named() -> None:
    item = item_of(a_field("photographers", "persons"), a_field("keeper", "person"), code="V10")
    values = {"photographers": [str(JOANA), str(ILENA)], "keeper": str(JOANA)}
    fit = nameable.without_strangers(item, values, VISIT)
    assert fit.values == {"photographers": [str(ILENA)]}
    assert fit.left_out == (("photographers", None), ("keeper", None))
