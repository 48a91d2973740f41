"""Rendering of answers as text: names of people and parties, labels of choices, rows. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from tracker.checklist_templates import to_decide
from tracker.checklist_templates.field_content import ROW, has_content
from tracker.checklist_templates.schema import Column, FieldType, TemplateField
from tracker.checklists.rules.values import shown_only


@dataclass(frozen=True, slots=True)
class Names:
    """The names to show for ids."""

    people: Mapping[UUID, str]
    parties: Mapping[UUID, str]
    # Outside bodies, including removed ones.
    bodies: Mapping[UUID, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Head:
    """The heading of a column, with the type of its cells."""

    label: str
    type: FieldType
    unit: str = ""
    # For the column of the fixed rows: its cells are wording of the template, not typed.
    is_given: bool = False


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field of an answer as shown: text, a list, or rows under columns.

    Values that a page formats itself stay as stored: a date in its ISO form, a class by its code, a
    confirmation as yes or no, a number without its unit. A place *to decide* shows its mark.
    """

    key: str
    label: str
    type: FieldType
    text: str = ""
    texts: tuple[str, ...] = ()
    columns: tuple[Head, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    unit: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.text or self.texts or self.rows)


def show(
    fields: tuple[TemplateField, ...], values: Mapping[str, Any], names: Names
) -> tuple[ShownField, ...]:
    """Return the fields of an answer that have a value and apply, as text."""
    values = shown_only(fields, values)
    shown = (_field(field, values.get(field.key), names) for field in fields)
    return tuple(field for field in shown if not field.is_empty)


def _field(field: TemplateField, value: Any, names: Names) -> ShownField:
    if field.type is FieldType.TABLE:
        return _table(field, value or [], names)
    if isinstance(value, list):
        texts = tuple(_single(field, element, names) for element in value)
        return ShownField(field.key, field.label, field.type, texts=texts)
    text = _single(field, value, names) if value is not None else ""
    return ShownField(field.key, field.label, field.type, text=text, unit=field.unit or "")


def _single(field: TemplateField | Column, value: Any, names: Names) -> str:
    if value is None or value == "":
        return ""
    if to_decide.is_mark(value):
        return str(value)
    match field.type:
        case FieldType.CONFIRM:
            return "yes" if value else "no"
        case FieldType.CHOICE | FieldType.CHOICES:
            return next((o.label for o in field.options if o.value == value), str(value))
        case FieldType.PERSON | FieldType.PERSONS:
            return names.people.get(UUID(value), "")
        case FieldType.PARTY:
            return names.parties.get(UUID(value), "")
        case FieldType.BODY:
            named = UUID(value)
            return names.parties.get(named) or names.bodies.get(named, "")
        case _:
            return str(value)


def _table(field: TemplateField, rows: list[dict[str, Any]], names: Names) -> ShownField:
    """Return a table's rows that have content, without columns that nobody filled in."""
    given = {row.key: row.label for row in field.rows.fixed} if field.rows else {}
    written = [row for row in rows if has_content(row)]
    columns = [column for column in field.columns if any(_holds(column, row) for row in written)]
    heads = [Head(column.label, column.type, column.unit or "") for column in columns]
    lines = [[_single(column, row.get(column.key), names) for column in columns] for row in written]
    if given:
        label = field.rows.label if field.rows and field.rows.label else ""
        heads = [Head(label, FieldType.LINE, is_given=True), *heads]
        lines = [
            [given.get(row.get(ROW, ""), ""), *line]
            for row, line in zip(written, lines, strict=True)
        ]
    return ShownField(
        field.key,
        field.label,
        field.type,
        columns=tuple(heads),
        rows=tuple(tuple(line) for line in lines),
    )


def _holds(column: Column, row: Mapping[str, Any]) -> bool:
    return has_content(row.get(column.key))
