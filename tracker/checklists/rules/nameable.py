"""Whom each field of a visit's checklists can name: the team, the NPM, or whoever takes part. Pure.

One table, read by the rules that check answers (consistency), by the lists that forms offer and by
copying.
"""

import enum
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from tracker.checklist_templates.checks import CheckName
from tracker.checklist_templates.schema import (
    NAMING,
    NAMING_BODIES,
    Column,
    FieldType,
    Item,
    TemplateField,
)
from tracker.checklists.rules.facts import Surroundings
from tracker.checklists.rules.values import Fit, as_id, names_in

NAMES_PEOPLE = NAMING - NAMING_BODIES


class Circle(enum.Enum):
    """The people whom a field can name, of those who take part."""

    # Whoever acts on site is on the team (V4), which is cleared (J2).
    TEAM = "team"
    # Tasks beside the visit, for a partner's people only if they are on the team.
    TEAM_OR_NPM = "team_or_npm"
    # Members and staff of the NPM: they decide on an urgent case, and speak with authorities.
    NPM = "npm"
    # The team may be unreachable inside.
    NOT_ON_TEAM = "not_on_team"
    ANYBODY = "anybody"


# The items of a visit in which every field names people who act on site.
ON_SITE = frozenset({"V5", "V8", "V9", "V10", "V11", "V12"})
_OF_ITEM = {**dict.fromkeys(ON_SITE, Circle.TEAM), "U3": Circle.NPM}
# By item and field, where it isn't that of the whole item.
FIELDS = {
    ("V1", "brief_by"): Circle.TEAM_OR_NPM,
    ("V2", "authorities"): Circle.NPM,
    ("V3", "groups"): Circle.TEAM,
    ("V7", "speaker"): Circle.TEAM,
    ("V7", "stand_in"): Circle.TEAM,
    ("V7", "at_gate"): Circle.TEAM_OR_NPM,
    ("V11", "reports_to"): Circle.TEAM_OR_NPM,
    ("V13", "safety_contact"): Circle.NOT_ON_TEAM,
    ("V16", "sends_out"): Circle.TEAM_OR_NPM,
    ("V19", "parts"): Circle.TEAM_OR_NPM,
    ("V19", "editor"): Circle.TEAM_OR_NPM,
    ("V19", "reviewer"): Circle.TEAM_OR_NPM,
    ("U9", "recorder"): Circle.TEAM_OR_NPM,
}
# Reports are written by the team, but not everybody on it writes a part (V19).
_AUTHORS = {"V19": ("parts", "author")}


def circle_of(item: Item, field: TemplateField) -> Circle:
    """Return whom a field can name, by the table."""
    return FIELDS.get((item.code, field.key)) or _OF_ITEM.get(item.code, Circle.ANYBODY)


def offered_circle(item: Item, field: TemplateField) -> Circle:
    """Return whose names a field's list offers: by the table, or by a done-test of the template."""
    of_npm = any(
        check.check is CheckName.PERSONS_OF_NPM and field.key in check.looks_at
        for check in item.done.checks
    )
    return Circle.NPM if of_npm else circle_of(item, field)


def can_name(circle: Circle, person: UUID | None, around: Surroundings) -> bool:
    """Return whether somebody can be named; a text that belongs to no visit has no team to ask."""
    is_on_team = around.team is None or person in around.team
    match circle:
        case Circle.TEAM:
            return is_on_team
        case Circle.TEAM_OR_NPM:
            return is_on_team or person in around.npm_people
        case Circle.NPM:
            return person in around.npm_people
        case Circle.NOT_ON_TEAM:
            return around.team is None or not is_on_team
        case _:
            return True


def phone_pairs(
    parts: Sequence[TemplateField | Column],
) -> list[tuple[TemplateField | Column, TemplateField | Column]]:
    """Return the fields for telephone numbers directly after a person, each with that field."""
    return [
        (after, before)
        for before, after in pairwise(parts)
        if before.type is FieldType.PERSON and after.type is FieldType.PHONE
    ]


def team_table(item: Item) -> tuple[TemplateField, Column] | None:
    """Return the table with a row for each person on the team, and the column that names them."""
    places = [
        (check.field, check.column)
        for check in item.done.checks
        if check.check is CheckName.ROW_PER_TEAM_MEMBER
    ]
    if item.code in _AUTHORS:
        places.append(_AUTHORS[item.code])
    for key, column_key in places:
        for field in item.fields:
            for column in field.columns:
                if (field.key, column.key) == (key, column_key):
                    return field, column
    return None


def needs_each(item: Item) -> bool:
    """Return whether that table is only complete with a row for everybody on the team."""
    return any(check.check is CheckName.ROW_PER_TEAM_MEMBER for check in item.done.checks)


def without_strangers(item: Item, values: Mapping[str, Any], around: Surroundings) -> Fit:
    """Return values without the people whom their fields can't name, and where there were some.

    Of a table with a row for each person on the team the whole row goes: it is somebody else's.
    """
    rest = dict(values)
    left_out: dict[tuple[str, str | None], None] = {}
    table = team_table(item) if needs_each(item) else None
    for field in item.fields:
        circle = offered_circle(item, field)
        strangers = [
            (row, part, name)
            for row, part, name in names_in(field, rest.get(field.key))
            if part.type in NAMES_PEOPLE and not can_name(circle, as_id(name), around)
        ]
        if not strangers:
            continue
        left_out |= {
            (field.key, None if row is None else part.key): None for row, part, _n in strangers
        }
        names = {name for _row, _part, name in strangers}
        if field.type is not FieldType.TABLE:
            value = rest.pop(field.key)
            stay = [name for name in value if name not in names] if isinstance(value, list) else []
            rest |= {field.key: stay} if stay else {}
            continue
        cells = {(row, part.key) for row, part, _name in strangers}
        gone = {row for row, key in cells if table and (field, key) == (table[0], table[1].key)}
        rows = [
            {key: cell for key, cell in row.items() if (number, key) not in cells}
            for number, row in enumerate(rest.pop(field.key))
            if number not in gone
        ]
        rest |= {field.key: rows} if rows else {}
    return Fit(rest, tuple(left_out))
