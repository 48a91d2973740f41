"""The places of an answer that a person's party can decide: those that are marked or missing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tracker.access.actor import Actor
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.conditions import NeighbourField
from tracker.checklist_templates.field_content import ROW, has_content
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import WRITTEN, Column, FieldType, Item, TemplateField
from tracker.checklists import own_rows, policy
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.rules.values import Problem, as_id

SHARED = AnswerScope.SHARED
# How much of a cell names its row.
MOST_WORDS = 120


def key_of(code: str, scope: AnswerScope) -> str:
    """Return what the names of an answer's fields on the form begin with."""
    return code if scope is SHARED else f"{code}.own"


def code_of(key: str) -> str:
    """Return the item for what key_of() returned."""
    return key.partition(".")[0]


@dataclass(frozen=True, slots=True)
class OpenField:
    """A field of an answer, or a cell in a row of it, that can be decided."""

    item: str
    field: TemplateField
    row: int | None = None
    column: Column | None = None
    # What it holds now: nothing, a mark, or a text with marks.
    value: Any = None
    # In plain words what is to decide; empty if its label says all.
    what: str = ""
    # Whether it is needed only if another place is decided in a certain way.
    is_dependent: bool = False
    # Whether that other place is in another item, which decides whether this item is needed.
    waits_for_item: bool = False
    scope: AnswerScope = SHARED

    @property
    def part(self) -> TemplateField | Column:
        """The field, or the column."""
        return self.column or self.field

    @property
    def name(self) -> str:
        """The name of its field on a form."""
        row = "" if self.row is None else f"-{self.row}-{self.part.key}"
        return f"{key_of(self.item, self.scope)}-{self.field.key}{row}"

    @property
    def text(self) -> Any:
        """What a form begins with: the text around a mark, or nothing."""
        has_text = self.part.type in WRITTEN and not to_decide.is_mark(self.value)
        return self.value if has_text else None


@dataclass(frozen=True, slots=True)
class OpenRow:
    """The open places of a row, or those outside tables."""

    label: object
    places: tuple[OpenField, ...]


@dataclass(frozen=True, slots=True)
class OpenTable:
    """The open places of a field; of a table in rows."""

    field: TemplateField
    rows: tuple[OpenRow, ...]
    # Places that one choice can decide together, unless one is decided by itself.
    together: tuple[tuple[OpenField, ...], ...] = ()

    @property
    def is_covered(self) -> bool:
        """Whether every place can be decided together with others."""
        return sum(map(len, self.together)) == sum(len(row.places) for row in self.rows)


def name_of_all(group: tuple[OpenField, ...]) -> str:
    """Return the name of the form's field that decides several places together."""
    columns = "-".join(dict.fromkeys(place.part.key for place in group))
    first = group[0]
    return f"{key_of(first.item, first.scope)}-{first.field.key}-all-{columns}"


def tables_with_places(
    loaded: LoadedChecklist,
    actor: Actor,
    item: Item,
    scope: AnswerScope,
    values: Mapping[str, Any],
    problems: Iterable[Problem],
) -> Iterator[OpenTable]:
    """Yield the fields with places that a party can decide; problems are those of the answer."""
    party = loaded.own_party(actor)
    missing = {(problem.field, problem.row, problem.column) for problem in problems}
    for field in own_rows.fields_to_write(loaded, actor, item, scope):
        if not policy.can_set(actor, party, field):
            continue
        if field.type is FieldType.TABLE:
            rows = tuple(
                OpenRow(row.label, tuple(replace(place, scope=scope) for place in row.places))
                for row in _rows(loaded, actor, item, field, values, missing)
            )
            if rows:
                yield OpenTable(field, rows, tuple(_together(rows)))
            continue
        place = _of_field(item, field, values, missing)
        if place is not None:
            yield OpenTable(field, (OpenRow("", (replace(place, scope=scope),)),))


def _of_field(
    item: Item, field: TemplateField, values: Mapping[str, Any], missing: set[Any]
) -> OpenField | None:
    """Return a field as a place, if it is open or depends on one that is."""
    value = values.get(field.key)
    what = _what({field.key: value})
    if what is not None:
        return OpenField(item.code, field, value=value, what=what)
    if has_content(value):
        return None
    if (field.key, None, None) in missing:
        return OpenField(item.code, field)
    condition = field.required_when
    if (
        isinstance(condition, NeighbourField)
        and _what({"": values.get(condition.field)}) is not None
    ):
        return OpenField(item.code, field, is_dependent=True)
    return None


def _rows(
    loaded: LoadedChecklist,
    actor: Actor,
    item: Item,
    field: TemplateField,
    values: Mapping[str, Any],
    missing: set[Any],
) -> Iterator[OpenRow]:
    own = str(actor.organisation_id)
    for number, row in enumerate(values.get(field.key) or ()):
        is_own_table = item.party_table is not None and field.key == item.party_table[0]
        if is_own_table and item.party_table and str(row.get(item.party_table[1])) != own:
            continue
        places = tuple(_cells(item, field, number, row, missing))
        if any(not place.is_dependent for place in places):
            yield OpenRow(_row_label(loaded, field, row), places)


def _cells(
    item: Item, field: TemplateField, number: int, row: Mapping[str, Any], missing: set[Any]
) -> Iterator[OpenField]:
    open_columns = {
        column.key
        for column in field.columns
        if _what({"": row.get(column.key)}) is not None
        or ((field.key, number, column.key) in missing and not has_content(row.get(column.key)))
    }
    for column in field.columns:
        value = row.get(column.key)
        if column.key in open_columns:
            what = _what({"": value}) or ""
            yield OpenField(item.code, field, number, column, value, what)
        elif (
            not has_content(value)
            and column.required_when is not None
            and column.required_when.column in open_columns
        ):
            yield OpenField(item.code, field, number, column, is_dependent=True)


def _what(values: Mapping[str, Any]) -> str | None:
    """Return what the marks in a value say is to decide; None if it has no mark."""
    places = [place.what for place in to_decide.open_places(values)]
    return " · ".join(dict.fromkeys(filter(None, places))) if places else None


def _together(rows: tuple[OpenRow, ...]) -> Iterator[tuple[OpenField, ...]]:
    """Yield the places in several rows that one value can fill: with the same choices or question.

    A text that is open in part is written in its own row.
    """
    groups: dict[Any, list[OpenField]] = {}
    for row in rows:
        for place in row.places:
            if place.text is not None or place.part.type is FieldType.CONFIRM:
                continue
            options = tuple(option.value for option in place.part.options)
            alike = options or (place.part.key, place.what)
            key = (place.part.type, alike, place.is_dependent)
            groups.setdefault(key, []).append(place)
    for group in groups.values():
        if len({place.row for place in group}) > 1:
            yield tuple(group)


def _row_label(loaded: LoadedChecklist, field: TemplateField, row: Mapping[str, Any]) -> object:
    """Return what names a row: its label, the party or person it is of, or the first text."""
    fixed = {given.key: given.label for given in field.rows.fixed} if field.rows else {}
    if row.get(ROW) in fixed:
        return fixed[row[ROW]]
    names = {str(party.organisation_id): party.name for party in loaded.surroundings.parties}
    columns = [column for column in field.columns if has_content(row.get(column.key))]
    words = [
        row[column.key]
        for column in columns
        if column.type in WRITTEN and not to_decide.marks_in(row[column.key])
    ]
    persons = [as_id(row[column.key]) for column in columns if column.type is FieldType.PERSON]
    people = [
        loaded.people[person].name for person in persons if person and person in loaded.people
    ]
    bodies = [
        names[str(row[column.key])]
        for column in columns
        if column.type in {FieldType.PARTY, FieldType.BODY} and str(row[column.key]) in names
    ]
    first = columns[0].type if columns else None
    own = (
        bodies[:1] if first is FieldType.PARTY else people[:1] if first is FieldType.PERSON else []
    )
    return (own or words or people or bodies or [""])[0][:MOST_WORDS]
