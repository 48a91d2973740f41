"""Values of answers in the reader's words, and how two of them differ."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from tracker.checklists import compare
from tracker.checklists.labels import CLASSES, UNITS
from tracker.checklists.showing import Head, Names, ShownField, show
from tracker.checklists.template import FieldType, TemplateField
from tracker.ui.locale import as_date

# A field of an answer: its label, and text or a Table.
Part_ = tuple[str, Any]
PartDifference = tuple[str, compare.Difference | compare.TableDifference]


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
        return Table(
            tuple(head.label for head in one.columns),
            tuple(
                tuple(
                    _in_words(head.type, cell, head.unit)
                    for head, cell in zip(one.columns, row, strict=True)
                )
                for row in one.rows
            ),
        )
    if one.texts:
        return "\n".join(_in_words(one.type, text) for text in one.texts)
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


def document_parts(fields: Iterable[Mapping[str, Any]]) -> list[Part_]:
    """Return the fields of a frozen answer as the value component shows them."""
    return [
        (
            one["label"],
            shown_value(
                ShownField(
                    key=one["key"],
                    label=one["label"],
                    type=FieldType(one["type"]),
                    text=one["text"],
                    texts=tuple(one["texts"]),
                    columns=tuple(
                        Head(head["label"], FieldType(head["type"]), head["unit"])
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


def _difference(before: Any, after: Any) -> compare.Difference | compare.TableDifference:
    if isinstance(before, Table) or isinstance(after, Table):
        old, new = (one if isinstance(one, Table) else Table((), ()) for one in (before, after))
        return compare.tables(old.heads, old.lines, new.heads, new.lines)
    return compare.words(str(before or ""), str(after or ""))
