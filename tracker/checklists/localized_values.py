"""Values of answers rendered in the reader's language, and how two of them differ."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from tracker.checklist_templates import value_differences
from tracker.checklist_templates.schema import FieldType, TemplateField
from tracker.checklists.labels import CLASSES, UNITS
from tracker.checklists.rules.rendering import (
    Head,
    Names,
    ShownField,
    show,
)
from tracker.core.localized import LocalizedStr, joined
from tracker.ui.locale import as_date

# A field of an answer: its label, and text or a Table.
Part_ = tuple[str, Any]
PartDifference = tuple[str, value_differences.Difference | value_differences.TableDifference]

# What the application says of a value, where people did not type it.
SAID = frozenset({FieldType.CONFIRM, FieldType.DATE, FieldType.CLASS})


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the value component shows it."""

    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


def parts(
    fields: tuple[TemplateField, ...], values: Mapping[str, Any], names: Names
) -> list[Part_]:
    """Return an answer's fields as the value component shows them."""
    return [(one.label, shown_value(one)) for one in show(fields, values, names)]


def shown_value(one: ShownField) -> Any:
    """Return one field as text or as a table, in the reader's words."""
    if one.rows:
        return Table(tuple(head.label for head in one.columns), _lines(one))
    if one.texts:
        return joined("\n", [_in_words(one.type, text) for text in one.texts])
    return _text(one)


def told(one: ShownField, language: str) -> dict[str, Any]:
    """Return one field for a text that is frozen, in the language that is in use.

    What is said knows the language, and what was typed does not (adr 38).
    """

    def say(kind: FieldType, words: str, unit: str = "") -> str:
        is_said = words and (kind in SAID or unit)
        return LocalizedStr(words, language) if is_said else words

    field = {"key": one.key, "type": one.type.value, "label": one.label}
    if one.rows:
        return field | {
            "columns": [{"label": head.label, "type": head.type.value} for head in one.columns],
            "rows": [
                [
                    say(head.type, cell, head.unit)
                    for head, cell in zip(one.columns, line, strict=True)
                ]
                for line in _lines(one)
            ],
        }
    if one.texts:
        return field | {"texts": list(one.texts)}
    return field | {"text": say(one.type, _text(one), one.unit)}


def _lines(one: ShownField) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(
            _in_words(head.type, cell, head.unit)
            for head, cell in zip(one.columns, row, strict=True)
        )
        for row in one.rows
    )


def _text(one: ShownField) -> str:
    if one.type is FieldType.CONFIRM:
        return str(_("Confirmed") if one.text == "yes" else _("Not confirmed"))
    return _in_words(one.type, one.text, one.unit)


def _in_words(kind: FieldType, text: str, unit: str = "") -> str:
    match kind:
        case _ if not text:
            return ""
        case FieldType.CONFIRM:
            return str(_("Yes") if text == "yes" else _("No"))
        case FieldType.DATE:
            return str(as_date(dt.date.fromisoformat(text)))
        case FieldType.CLASS:
            return str(CLASSES.get(text, text))
        case FieldType.NUMBER if unit:
            return f"{text} {UNITS[unit]}"
        case _:
            return text


def left_out(reason: object) -> list[Part_]:
    """Return as the value component shows it that an item does not apply, with the reason."""
    return [("", _("Does not apply: %(reason)s", reason=reason))]


def document_parts(fields: Iterable[Mapping[str, Any]], language: str) -> list[Part_]:
    """Return the fields of an answer frozen as common-terms/1, whose language is in use now."""

    def say(words: str) -> str:
        return LocalizedStr(words, language) if words else words

    return [
        (
            say(one["label"]),
            shown_value(
                ShownField(
                    key=one["key"],
                    label=one["label"],
                    type=FieldType(one["type"]),
                    text=one["text"],
                    texts=tuple(one["texts"]),
                    columns=tuple(
                        Head(say(head["label"]), FieldType(head["type"]), head["unit"])
                        for head in one["columns"]
                    ),
                    rows=tuple(tuple(row) for row in one["rows"]),
                    unit=one["unit"],
                )
            ),
        )
        for one in fields
    ]


def differences(before: Sequence[Part_], after: Sequence[Part_]) -> list[PartDifference]:
    """Return how the fields of two answers differ; nothing of those that are the same.

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
        old, new = (one if isinstance(one, Table) else Table((), ()) for one in (before, after))
        return value_differences.tables(old.heads, old.lines, new.heads, new.lines)
    return value_differences.words(str(before or ""), str(after or ""))
