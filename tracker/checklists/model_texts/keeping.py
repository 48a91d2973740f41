"""What an NPM keeps of a signed text for its own model text: never people, dates or partners. Pure.

A place that only people can decide is marked *to decide*, as in the model text that comes with the
product. Of a visit's checklist only what that text says for any visit is kept (adr 96).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tracker.checklist_templates import to_decide
from tracker.checklist_templates.checks import CheckName
from tracker.checklist_templates.field_content import ROW, has_content
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import (
    NAMING_BODIES,
    WRITTEN,
    Column,
    FieldType,
    Item,
    Part,
    Template,
    TemplateField,
)
from tracker.checklists import policy
from tracker.checklists.model_texts.library import FACTS
from tracker.checklists.model_texts.merging import EACH
from tracker.checklists.model_texts.schema import OWN, Cell, Each, FieldText, ModelTextContent, Open
from tracker.checklists.rules.values import MAX_LINE, needed

Values = Mapping[str, Any]
# What the parties declared about themselves (M14, S22): each declares anew.
DECLARED = frozenset({("M14", "interests")})
# A table that must have a row for each of these has one there, whoever they are.
REPEATED = {CheckName.ROW_PER_PARTY: Each.PARTY, CheckName.ROW_PER_CSO: Each.CSO}
# Types that say nothing by themselves, in a row whose people are left out.
_MUTE = FACTS | NAMING_BODIES | {FieldType.CLASS}
# Shorter names would be found in other words.
_SHORTEST_NAME = 3


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed text as plain values, and whose model text it becomes."""

    # The shared answers by item.
    answers: Mapping[str, Values]
    # The body of the NPM that keeps it, and the only CSO, if there was one only.
    owner: UUID
    only_cso: UUID | None
    # Names of people and of other parties, and the place of a visit.
    names: tuple[str, ...]
    # Marks are written in it, with these words where a name is left out.
    language: str
    a_name: str
    # The text that comes with the product. It says which boxes state no fact about people, and of a
    # visit's checklist which fields are the same for any visit.
    guide: ModelTextContent
    is_of_visit: bool = False


def model_text_of(template: Template, signed: Signed) -> dict[str, dict[str, Any]]:
    """Return what is kept of a signed text, by item: nothing that persons say for themselves."""
    items = (item for item in template.items if _is_kept(item, signed))
    by_code = {item.code: _Keeper(item, signed).values() for item in items}
    return {code: values for code, values in by_code.items() if values}


def _is_kept(item: Item, signed: Signed) -> bool:
    return (
        item.code in signed.answers
        and item.part is Part.TERMS
        and item.code not in policy.LET_IN
        and AnswerScope.SHARED in item.scopes
        and (item.code in signed.guide.items or not signed.is_of_visit)
    )


class _Keeper:
    """Keeping of one item's answer."""

    def __init__(self, item: Item, signed: Signed) -> None:
        self.item = item
        self.signed = signed
        self.guide = signed.guide.items.get(item.code, {})
        self.repeated = {
            check.field: (check.column, REPEATED[check.check])
            for check in item.done.checks
            if check.check in REPEATED and check.field and check.column
        }

    def values(self) -> dict[str, Any]:
        """Return what is kept of the answer; nothing if only places to decide would be left."""
        given = self.signed.answers[self.item.code]
        kept_values = {
            field.key: value
            for field in self.item.fields_of(AnswerScope.SHARED)
            if (value := self._field(field, given)) not in (None, [])
        }
        return kept_values if has_content(_decided_values(kept_values)) else {}

    def _field(self, field: TemplateField, given: Values) -> Any:
        value, guide = given.get(field.key), self.guide.get(field.key)
        if field.type is not FieldType.TABLE:
            return self._cell(field, value, given, is_same=self._is_same(field, guide))
        is_left_out = guide is None and self.signed.is_of_visit
        return [] if is_left_out else self._table(field, value or [], guide)

    def _table(
        self, field: TemplateField, rows: list[Values], guide: FieldText | None
    ) -> list[dict[str, Any]]:
        column_key, each = self.repeated.get(field.key, (None, None))
        if field.columns[0].type is FieldType.PERSON:  # each row is about a person
            return []
        own_rows = [] if (self.item.code, field.key) in DECLARED else rows
        if column_key is not None:
            # The partners write their own rows.
            own_rows = [row for row in own_rows if row.get(column_key) == str(self.signed.owner)]
        same = {column.key for column in field.columns if self._is_same(column, guide)}
        placed = [row for given in own_rows if (row := self._row(field, given, same))]
        if column_key is None or each is None or not rows:
            return placed
        return [*placed, self._open_row(field, column_key, each)]

    def _is_same(self, part: TemplateField | Column, guide: FieldText | None) -> bool:
        """Return whether a field or column can be the same elsewhere as it was here."""
        if part.type is not FieldType.CONFIRM and not self.signed.is_of_visit:
            return True
        if guide is None:
            return False
        if isinstance(part, TemplateField):
            return _says(guide)
        cells = [row.cells[part.key] for row in guide.rows.values() if part.key in row.cells]
        return bool(cells) and all(map(_says, cells))

    def _row(self, field: TemplateField, given: Values, same: Collection[str]) -> dict[str, Any]:
        own = {ROW: given[ROW]} if ROW in given else {}
        cells = {
            column.key: cell
            for column in field.columns
            if (
                cell := self._cell(column, given.get(column.key), given, is_same=column.key in same)
            )
            not in (None, [])
        }
        if not any(
            has_content(cell) and not to_decide.is_mark(cell)
            for column in field.columns
            if column.type not in _MUTE and (cell := cells.get(column.key)) is not None
        ):
            return {}
        return {**own, **self._repeated(field, given, cells), **cells}

    def _repeated(
        self, field: TemplateField, given: Values, cells: dict[str, Any]
    ) -> dict[str, Any]:
        """Name the only CSO of the text by its side: the row is then for each CSO."""
        cso = str(self.signed.only_cso)
        named = [
            column.key
            for column in field.columns
            if column.type in NAMING_BODIES and given.get(column.key) == cso
        ]
        cells.update(dict.fromkeys(named, OWN))
        return {EACH: Each.CSO.value} if named else {}

    def _open_row(self, field: TemplateField, column_key: str, each: Each) -> dict[str, Any]:
        """Return the row that each party fills in itself."""
        cells = {
            column.key: self._mark(column)
            for column in field.columns
            if needed(column, {}) and column.type is not FieldType.CONFIRM
        }
        return {EACH: each.value, **cells, column_key: OWN}

    def _cell(
        self, part: TemplateField | Column, value: Any, beside: Values, *, is_same: bool
    ) -> Any:
        if value == str(self.signed.owner) and part.type in NAMING_BODIES:
            return value
        if part.type in FACTS | NAMING_BODIES or not is_same:
            if part.type is FieldType.CONFIRM or not has_content(value):
                return None
            if not needed(part, beside):
                return None
            mark = self._mark(part)
            return [mark] if isinstance(value, list) else mark
        if part.type in WRITTEN and isinstance(value, str):
            return self._without_names(part, value)
        return value

    def _without_names(self, part: TemplateField | Column, text: str) -> str:
        mark = to_decide.mark(self.signed.a_name, self.signed.language)
        for pattern in _patterns(self.signed.names):
            text = pattern.sub(lambda _match: mark, text)
        too_long = part.type is FieldType.LINE and len(text) > MAX_LINE
        return self._mark(part) if too_long else text

    def _mark(self, part: TemplateField | Column) -> str:
        what = re.sub(r"[\[\]\s]+", " ", str(part.label)).strip()[:200]
        return to_decide.mark(what, self.signed.language)


def _patterns(names: Iterable[str]) -> Iterator[re.Pattern[str]]:
    """Yield what finds each name as a whole, the longest first."""
    for name in sorted({name.strip() for name in names}, key=len, reverse=True):
        if len(name) >= _SHORTEST_NAME:
            yield re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)


def _says(cell: Cell) -> bool:
    """Return whether a text for any visit says something in a cell, with nothing to decide."""
    texts = [addition.text for addition in cell.added.values()]
    values = [value for value in cell.values if not isinstance(value, Open)]
    texts += [value for value in values if isinstance(value, str)]
    if len(values) < len(cell.values) or any(to_decide.marks_in(text) for text in texts):
        return False
    return bool(values or texts)


def _decided_values(values: Values) -> Values:
    """Return an answer without its marks, and without rows that each party fills in itself."""
    decided = to_decide.decided(values)
    return {
        key: [
            element
            for element in value
            if not isinstance(element, dict) or element.keys() - {ROW, EACH} - _named(element)
        ]
        if isinstance(value, list)
        else value
        for key, value in decided.items()
    }


def _named(row: Values) -> set[str]:
    return {key for key, cell in row.items() if cell == OWN}
