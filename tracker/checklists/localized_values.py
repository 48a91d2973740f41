"""Values of answers rendered in the reader's language, and how two of them differ."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import gettext as _

from tracker.checklist_templates import to_decide, value_differences
from tracker.checklist_templates.schema import FieldType, TemplateField
from tracker.checklists.labels import CLASSES, UNITS
from tracker.checklists.rules.rendering import (
    Head,
    Names,
    ShownField,
    show,
)
from tracker.core.localized import LocalizedStr, joined, language_of
from tracker.core.telephone import Telephone
from tracker.ui.locale import as_date

# The largest number of columns side by side, and of letters in one cell.
COLUMNS, LONG = 5, 1200
# A field of an answer: its label, and its text or Table.
Part_ = tuple[str, Any]
PartDifference = tuple[str, value_differences.Difference | value_differences.TableDifference]

# Texts that the application, not a person, gives as a value.
SAID = frozenset({FieldType.CONFIRM, FieldType.DATE, FieldType.CLASS})


class Choices(LocalizedStr):
    """Several chosen values as one text, a line each, which can also be shown as a list."""

    __slots__ = ("entries",)

    entries: tuple[str, ...]

    def __new__(cls, entries: Iterable[str]) -> Self:
        """Return the values as a text."""
        values = tuple(entries)
        whole = joined("\n", values)
        text = super().__new__(cls, whole, language_of(whole))
        text.entries = values
        return text


class Confirmation(LocalizedStr):
    """Words that say whether a statement is confirmed; the statement is the label of its field."""

    __slots__ = ()

    is_confirmation = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table for the value component."""

    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]

    @property
    def is_stacked(self) -> bool:
        """Whether it is shown line by line: it has many columns, or a cell longer than a page."""
        is_long = any(len(cell) > LONG for line in self.lines for cell in line)
        return len(self.heads) > COLUMNS or is_long

    @property
    def empty_columns(self) -> frozenset[int]:
        """The numbers of the columns in which no line has anything."""
        return frozenset(
            number for number, column in enumerate(zip(*self.lines, strict=True)) if not any(column)
        )


def parts(
    fields: tuple[TemplateField, ...], values: Mapping[str, Any], names: Names
) -> list[Part_]:
    """Return an answer's fields for the value component."""
    return [(field.label, shown_value(field)) for field in show(fields, values, names)]


def values_in(parts: Iterable[Part_]) -> list[str]:
    """Return the values of some fields as plain text, without labels and what they alone explain.

    A yes says nothing without its question. Each value is in one line.
    """
    bare = {str(words) for words in (_("Yes"), _("No"), _("Confirmed"), _("Not confirmed"))}
    lines = (" ".join(cell.split()) for _label, value in parts for cell in _cells(value))
    return [line for line in lines if line and line not in bare]


def _cells(value: Any) -> list[str]:
    if isinstance(value, Table):
        return [cell for line in value.lines for cell in line]
    return list(value.entries) if isinstance(value, Choices) else [str(value or "")]


def shown_value(field: ShownField) -> Any:
    """Return a field as text or as a table, in the reader's language."""
    if field.rows:
        return Table(tuple(head.label for head in field.columns), _lines(field))
    if field.texts:
        return Choices([_in_words(field.type, text) for text in field.texts])
    if field.type is FieldType.CONFIRM:
        return Confirmation(_text(field))
    return _text(field)


def as_document_field(shown_field: ShownField, language: str) -> dict[str, Any]:
    """Return a field for a text that is frozen, in the current language.

    Wording is marked with its language; what people typed is not (adr 38).
    """

    def say(kind: FieldType, words: str, unit: str = "") -> str:
        is_said = words and (kind in SAID or unit)
        return LocalizedStr(words, language) if is_said else words

    field = {"key": shown_field.key, "type": shown_field.type.value, "label": shown_field.label}
    if shown_field.rows:
        return field | {
            "columns": [
                {"label": head.label, "type": head.type.value} for head in shown_field.columns
            ],
            "rows": [
                [
                    say(head.type, cell, head.unit)
                    for head, cell in zip(shown_field.columns, line, strict=True)
                ]
                for line in _lines(shown_field)
            ],
        }
    if shown_field.texts:
        return field | {"texts": list(shown_field.texts)}
    return field | {"text": say(shown_field.type, _text(shown_field), shown_field.unit)}


def _lines(field: ShownField) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(
            _in_words(head.type, cell, head.unit)
            for head, cell in zip(field.columns, row, strict=True)
        )
        for row in field.rows
    )


def _text(field: ShownField) -> str:
    if field.type is FieldType.CONFIRM:
        return str(_("Confirmed") if field.text == "yes" else _("Not confirmed"))
    return _in_words(field.type, field.text, field.unit)


def _in_words(kind: FieldType, text: str, unit: str = "") -> str:
    match kind:
        case _ if not text:
            return ""
        case _ if to_decide.is_mark(text):
            return text
        case FieldType.CONFIRM:
            return str(_("Yes") if text == "yes" else _("No"))
        case FieldType.DATE:
            return str(as_date(dt.date.fromisoformat(text)))
        case FieldType.CLASS:
            return str(CLASSES.get(text, text))
        case FieldType.NUMBER if unit:
            return f"{text} {UNITS[unit]}"
        case FieldType.PHONE:
            return Telephone(text)
        case _:
            return text


def left_out(reason: object) -> list[Part_]:
    """Return for the value component that an item does not apply, with the reason."""
    return [("", _("Does not apply: %(reason)s", reason=reason))]


def document_parts(fields: Iterable[Mapping[str, Any]], language: str) -> list[Part_]:
    """Return the fields of an answer frozen as common-terms/1, in its only language."""

    def say(words: str) -> str:
        return LocalizedStr(words, language) if words else words

    return [
        (
            say(field["label"]),
            shown_value(
                ShownField(
                    key=field["key"],
                    label=field["label"],
                    type=FieldType(field["type"]),
                    text=field["text"],
                    texts=tuple(field["texts"]),
                    columns=tuple(
                        Head(say(head["label"]), FieldType(head["type"]), head["unit"])
                        for head in field["columns"]
                    ),
                    rows=tuple(tuple(row) for row in field["rows"]),
                    unit=field["unit"],
                )
            ),
        )
        for field in fields
    ]


def differences(before: Sequence[Part_], after: Sequence[Part_]) -> list[PartDifference]:
    """Return the differences between the fields of two answers, without equal ones.

    Texts are compared word by word, tables cell by cell.
    """
    old, new = dict(before), dict(after)
    labels = dict.fromkeys([*new, *old])
    return [
        (label, _difference(old.get(label), new.get(label)))
        for label in labels
        if old.get(label) != new.get(label)
    ]


def _difference(
    before: Any, after: Any
) -> value_differences.Difference | value_differences.TableDifference:
    if isinstance(before, Table) or isinstance(after, Table):
        old, new = (
            table if isinstance(table, Table) else Table((), ()) for table in (before, after)
        )
        return value_differences.tables(old.heads, old.lines, new.heads, new.lines)
    return value_differences.words(str(before or ""), str(after or ""))
