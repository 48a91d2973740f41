"""One item's model text as somebody typed it into its form, put together again. Pure.

The ways of working of what is there stay; a variant or a row that is left empty is removed.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.authoring.model_texts.places import (
    NEW,
    Part,
    Path,
    TextValue,
    each_name,
    how_name,
    in_cell,
    may_vary,
    modes_name,
    new_place,
    rows_of,
)
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import WRITTEN, FieldType, Item, TemplateField
from tracker.checklists.model_texts.in_use import ItemText, item_from
from tracker.checklists.model_texts.schema import THE_MODES, Cell, Each, FieldText, Open
from tracker.core.errors import RuleBrokenError

# What was typed, by the name of its field in the form.
FormValues = Mapping[str, Any]
# Whether another text takes the place of the base, or follows it.
INSTEAD, AFTER = "instead", "after"


def text_from(item: Item, before: ItemText, typed: FormValues, language: str) -> ItemText:
    """Return the model text that was typed; what the item has no field for is left out.

    Raise RuleBrokenError, with the field of the form, if something can't be there.
    """
    reader = _Reader(typed, language)
    tree: dict[str, Any] = {}
    for field in item.fields_of(AnswerScope.SHARED):
        own = before.get(field.key)
        if field.columns:
            rows = reader.rows(field, own)
            if rows:
                tree[field.key] = {"rows": rows}
        else:
            cell = reader.cell((field.key,), field, own or Cell())
            if may_vary(field):
                reader.add(field, own or Cell(), cell)
            if cell:
                tree[field.key] = cell
    return item_from(tree)


class _Reader:
    """Reads what was typed into a form, place by place."""

    def __init__(self, typed: FormValues, language: str) -> None:
        self._typed = typed
        self._language = language

    def cell(
        self, path: Path, part: Part, before: Cell, each: Each | None = None
    ) -> dict[str, Any]:
        """Return a cell as it is stored, without its empty parts."""
        cell: dict[str, Any] = {}
        variants: dict[str, Any] = {}
        added: dict[str, Any] = {}
        for place in in_cell(path, part, before, each):
            value = self.value(place)
            if value is None:
                continue
            modes = [mode.value for mode in place.modes]
            if place.is_base:
                cell["base"] = value
            elif place.is_added:
                added[place.path[-1]] = {"modes": modes, "text": value}
            else:
                variants[place.path[-1]] = {"modes": modes, "value": value}
        if variants:
            cell["variants"] = variants
        if added:
            cell["added"] = added
        return cell

    def add(self, field: TemplateField, before: Cell, cell: dict[str, Any]) -> None:
        """Add what was typed as another text for some ways of working."""
        place = new_place(field)
        value = self.value(place)
        modes = list(self._typed.get(modes_name(place.path)) or ())
        if value is None or not value:
            if modes:
                raise RuleBrokenError(
                    _l("Enter what is said for these ways of working."), place.name
                )
            return
        if not modes:
            raise RuleBrokenError(
                _l("Choose the ways of working that it's for."), modes_name(place.path)
            )
        if self._typed.get(how_name(place.path)) == AFTER:
            key = _free_key({*before.added, *cell.get("added", {})})
            cell.setdefault("added", {})[key] = {"modes": modes, "text": value}
            return
        variants = cell.setdefault("variants", {})
        taken = {mode for variant in variants.values() for mode in variant["modes"]}
        if taken.intersection(modes):
            raise RuleBrokenError(
                _l(
                    "Another text takes the place of the first for one of these ways of working "
                    "already. Change that one, or empty it."
                ),
                modes_name(place.path),
            )
        variants[_free_key({*before.variants, *variants})] = {"modes": modes, "value": value}

    def rows(self, field: TemplateField, own: FieldText | None) -> dict[str, Any]:
        """Return the rows of a table as they are stored, without empty ones."""
        rows: dict[str, Any] = {}
        for row in rows_of(field, own):
            stored = own.rows.get(row.key) if own else None
            before = stored.cells if stored else {}
            each = self._each(field) if row.is_new else row.each
            cells = {
                column.key: cell
                for column in field.columns
                if (
                    cell := self.cell(
                        (field.key, "rows", row.key, column.key),
                        column,
                        before.get(column.key) or Cell(),
                        each,
                    )
                )
            }
            if not any(_says_something(cell) for cell in cells.values()):
                continue
            modes = (
                list(self._typed.get(modes_name((field.key, "rows", NEW))) or ())
                if row.is_new
                else [mode.value for mode in row.modes]
            )
            key = _free_key({*rows, *(own.rows if own else ())}) if row.is_new else row.key
            rows[key] = {
                **({"modes": modes} if modes else {}),
                **({"each": each.value} if each else {}),
                "cells": cells,
            }
        return rows

    def _each(self, field: TemplateField) -> Each | None:
        chosen = self._typed.get(each_name((field.key, "rows", NEW)))
        return Each(chosen) if chosen else None

    def value(self, place: TextValue) -> Any:
        """Return the value of a place as it is stored; None if it is empty."""
        value, words = self._typed.get(place.name), self._typed.get(place.open_name) or ""
        if place.part.type in WRITTEN:
            return self._written(place, value or "")
        if words:
            if value not in (None, "", []):
                raise RuleBrokenError(
                    _l("Give an answer, or say what is to be decided, not both."), place.open_name
                )
            return self._open(place, words)
        if value in (None, "", []):
            return None
        if place.part.type is FieldType.CONFIRM:
            return True if value else (False if place.before is False else None)
        if place.part.type is FieldType.CHOICES:
            return THE_MODES if THE_MODES in value else list(value)
        return value.strftime("%H:%M") if isinstance(value, dt.time) else value

    def _written(self, place: TextValue, text: str) -> Any:
        marks = to_decide.marks_in(text)
        if not all(marks):
            raise RuleBrokenError(
                _l(
                    "Say what is to be decided: %(mark)s",
                    mark=to_decide.mark("…", self._language),
                ),
                place.name,
            )
        is_alone = to_decide.is_mark(text) and not place.is_added and text != place.before
        return self._open(place, marks[0]) if is_alone else text or None

    def _open(self, place: TextValue, words: str) -> dict[str, Any]:
        if any(sign in words for sign in "[]"):
            name = place.name if place.part.type in WRITTEN else place.open_name
            raise RuleBrokenError(_l("Write it without square brackets."), name)
        # What the file says of the place besides, such as who it usually is, isn't in the form.
        before = place.before if isinstance(place.before, Open) else None
        more = before.model_dump(mode="json", exclude_none=True) if before else {}
        return more | {"to_decide": words}


def _free_key(taken: set[str]) -> str:
    return next(key for n in range(1, len(taken) + 2) if (key := f"here{n}") not in taken)


def _says_something(cell: Mapping[str, Any]) -> bool:
    return bool(cell) and cell != {"base": False}
