"""Answers as words: values with names of persons and parties, labels of choices, rows of tables. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tracker.checklists.facts import ROW, has_content
from tracker.checklists.template import Column, FieldType, TemplateField


@dataclass(frozen=True, slots=True)
class Names:
    """Names to show for ids."""

    people: Mapping[UUID, str]
    parties: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field of an answer as shown: text, a list, or rows under columns."""

    key: str
    label: str
    type: FieldType
    # A confirm is shown as its sentence; text holds "yes" or "no" for it.
    text: str = ""
    texts: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    # Of a date, its ISO form, so that a page can show it in the reader's way.
    unit: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.text or self.texts or self.rows)


def show(
    fields: tuple[TemplateField, ...], values: Mapping[str, Any], names: Names
) -> tuple[ShownField, ...]:
    """Return the fields of an answer that hold something, in words."""
    shown = (_field(field, values.get(field.key), names) for field in fields)
    return tuple(one for one in shown if not one.is_empty)


def _field(field: TemplateField, value: Any, names: Names) -> ShownField:
    if field.type is FieldType.TABLE:
        return _table(field, value or [], names)
    if isinstance(value, list):
        texts = tuple(_single(field, one, names) for one in value)
        return ShownField(field.key, field.label, field.type, texts=texts)
    text = _single(field, value, names) if value is not None else ""
    return ShownField(field.key, field.label, field.type, text=text, unit=field.unit or "")


def _single(field: TemplateField | Column, value: Any, names: Names) -> str:
    if value is None or value == "":
        return ""
    match field.type:
        case FieldType.CONFIRM:
            return "yes" if value else "no"
        case FieldType.CHOICE | FieldType.CHOICES:
            return next((o.label for o in field.options if o.value == value), str(value))
        case FieldType.PERSON | FieldType.PERSONS:
            return names.people.get(UUID(value), "")
        case FieldType.PARTY:
            return names.parties.get(UUID(value), "")
        case _:
            return str(value)


def _table(field: TemplateField, rows: list[dict[str, Any]], names: Names) -> ShownField:
    """Return a table's written rows; columns that nobody filled in are left out."""
    given = {row.key: row.label for row in field.rows.fixed} if field.rows else {}
    written = [row for row in rows if has_content(row)]
    columns = [column for column in field.columns if any(_holds(column, row) for row in written)]
    heads = [column.label for column in columns]
    lines = [[_cell(column, row, names) for column in columns] for row in written]
    if given:
        heads = [(field.rows.label if field.rows and field.rows.label else ""), *heads]
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


def _cell(column: Column, row: Mapping[str, Any], names: Names) -> str:
    text = _single(column, row.get(column.key), names)
    if text and column.unit:
        return f"{text} {column.unit}"
    return text
