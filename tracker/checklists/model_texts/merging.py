"""Merging of a model text for some ways of working, and its answers for one checklist. Pure.

The strictest way of working wins, in the order of their requirements (cooperations.modes).
In one file: each step of placing a text goes through the same fields, rows and cells.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.conditions import Condition, Truth, evaluate
from tracker.checklist_templates.field_content import ROW
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import (
    NAMING,
    Column,
    FieldType,
    Item,
    Required,
    Template,
    TemplateField,
)
from tracker.checklist_templates.to_decide import OpenPlace
from tracker.checklists.model_texts.schema import (
    OWN,
    THE_MODES,
    THE_NPM,
    Cell,
    Each,
    FieldText,
    Given,
    ModelTextContent,
    Open,
    Row,
    Task,
)
from tracker.checklists.rules import nameable
from tracker.checklists.rules.facts import Surroundings
from tracker.checklists.rules.values import Fit, as_id, fit, shown_only
from tracker.cooperations.models import Mode
from tracker.cooperations.modes import strictest_first, takes_short_form

# The key under which a row that is repeated stores for whom, until the parties are known.
EACH = "_each"
Values = Mapping[str, Any]


class OpenMark(str):
    """A mark *to decide* that knows its place: who it usually is, or how a day is counted."""

    __slots__ = ("place",)

    place: Open

    def __new__(cls, place: Open, language: str) -> Self:
        """Return the mark of a place in a language."""
        mark = super().__new__(cls, to_decide.mark(place.to_decide, language))
        mark.place = place
        return mark

    @classmethod
    def at(cls, place: Open, mark: str) -> Self:
        """Return a mark that reads like another one and remembers its place in the text."""
        with_place = super().__new__(cls, mark)
        with_place.place = place
        return with_place


TruthOf = Callable[[Condition | None], Truth]


@dataclass(frozen=True, slots=True)
class ModelText:
    """Answers to the items of one checklist, still without the parties and people of anybody."""

    kind: ChecklistKind
    language: str
    version: int
    items: Mapping[str, Values]

    @property
    def to_decide(self) -> Mapping[str, tuple[OpenPlace, ...]]:
        """What is to be decided, by item; items in which nothing is are left out."""
        places = {code: tuple(to_decide.open_places(own)) for code, own in self.items.items()}
        return {code: own for code, own in places.items() if own}


def merge(content: ModelTextContent, modes: Iterable[Mode]) -> ModelText:
    """Return a model text for some ways of working.

    Of the variants of a value, that of the strictest way of working wins; additions to a text are
    all there, in their order.
    """
    ordered = strictest_first(modes)
    items = {
        code: {
            key: value
            for key, field in fields.items()
            if (value := _field(field, ordered, content.language)) not in (None, [])
        }
        for code, fields in content.items.items()
    }
    return ModelText(content.kind, content.language, content.version, items)


def _field(field: FieldText, modes: list[Mode], language: str) -> Any:
    if field.base == THE_MODES:
        return sorted(mode.value for mode in modes)
    if not field.rows:
        return _cell(field, modes, language)
    return [
        _row(key, row, modes, language)
        for key, row in field.rows.items()
        if not row.modes or not set(modes).isdisjoint(row.modes)
    ]


def _row(key: str, row: Row, modes: list[Mode], language: str) -> dict[str, Any]:
    cells = {column: _cell(cell, modes, language) for column, cell in row.cells.items()}
    named = {EACH: row.each.value} if row.each else {}
    return {ROW: key, **named, **{k: cell for k, cell in cells.items() if cell is not None}}


def _cell(cell: Cell, modes: list[Mode], language: str) -> Any:
    of_mode = {mode: variant for variant in cell.variants.values() for mode in variant.modes}
    variant = next((of_mode[mode] for mode in modes if mode in of_mode), None)
    value = _plain(variant.value if variant else cell.base, language)
    added = [text.text for text in cell.added.values() if not set(modes).isdisjoint(text.modes)]
    return "\n".join([*([value] if value else []), *added]) if added else value


def _plain(value: Given | None, language: str) -> Any:
    if isinstance(value, Open):
        return OpenMark(value, language)
    return list(value) if isinstance(value, tuple) else value


# For one checklist -------------------------------------------------------------------------------


def answers(text: ModelText, template: Template, around: Surroundings) -> dict[str, dict[str, Any]]:
    """Return the answers that a model text gives to a checklist, for its parties and people.

    An item that these ways of working don't require is left out, so that the text is no longer than
    it has to be. So is what the fields of this version can't hold.
    """
    fits = fitted(text, template, around)
    return {code: own.values for code, own in fits.items() if own.values}


def fitted(text: ModelText, template: Template, around: Surroundings) -> dict[str, Fit]:
    """Return the same with what was left out, because a field of this version can't hold it."""

    def value_of(code: str, key: str) -> Any:
        return to_decide.decided(text.items.get(code, {})).get(key)

    def truth(condition: Condition | None) -> Truth:
        return evaluate(
            condition, modes=around.modes, questions=around.questions, value_of=value_of
        )

    is_short = template.kind is ChecklistKind.TERMS and takes_short_form(around.modes)
    items = (
        item
        for item in template.items
        if item.code in text.items and _is_wanted(item, truth, is_short=is_short)
    )
    return {item.code: _placed(item, text.items[item.code], around, truth) for item in items}


def _is_wanted(item: Item, truth: TruthOf, *, is_short: bool) -> bool:
    """Return whether an item applies, or may: what it depends on may still be to decide."""
    if truth(item.shown_when) is Truth.FALSE:
        return False
    match item.required:
        case Required.CONDITIONAL:
            return truth(item.required_when) is not Truth.FALSE
        case Required.RECOMMENDED:
            return not is_short
        case _:
            return True


def _placed(item: Item, values: Values, around: Surroundings, truth: TruthOf) -> Fit:
    fields = item.fields_of(AnswerScope.SHARED)
    by_key = {field.key: field for field in fields}
    for_parties = {
        key: _in_field(item, by_key[key], value, around, truth)
        for key, value in values.items()
        if key in by_key
    }
    fitting = fit(fields, for_parties, around)
    return replace(fitting, values=shown_only(fields, fitting.values))


def _in_field(
    item: Item, field: TemplateField, value: Any, around: Surroundings, truth: TruthOf
) -> Any:
    circle = nameable.offered_circle(item, field)
    if field.type in {FieldType.CHOICES, FieldType.PERSONS} and not isinstance(value, list):
        return [str(value)]
    if field.type is not FieldType.TABLE:
        return _cell_here(value, field.type, None, around, circle)
    shown = [column for column in field.columns if truth(column.shown_when) is Truth.TRUE]
    shared = _with_own_rows(value, around)
    return [row for given in value for row in _rows(field, shown, given, around, circle, shared)]


def _with_own_rows(rows: Iterable[Values], around: Surroundings) -> frozenset[UUID]:
    """Return the people on the team for whom a table has a row of their own: lead and deputy."""
    given = {row.get(EACH) for row in rows}
    own = [each for each in (Each.LEAD, Each.DEPUTY) if each in given]
    return frozenset(around.tasks[each] for each in own if each in around.tasks)


def _rows(
    field: TemplateField,
    columns: list[Column],
    given: Values,
    around: Surroundings,
    circle: nameable.Circle,
    with_own_rows: frozenset[UUID],
) -> Iterator[dict[str, Any]]:
    types = {column.key: column.type for column in columns}
    fixed = {row.key for row in field.rows.fixed} if field.rows else frozenset()
    key = {ROW: given[ROW]} if given.get(ROW) in fixed else {}
    for own in _repeated(given.get(EACH), around, with_own_rows):
        cells = {
            column: _cell_here(cell, types[column], own, around, circle)
            for column, cell in given.items()
            if column in types
        }
        yield {**key, **{column: cell for column, cell in cells.items() if cell is not None}}


def _repeated(
    each: str | None, around: Surroundings, with_own_rows: frozenset[UUID] = frozenset()
) -> Iterable[UUID | None]:
    sides = {
        Each.NPM: (OrganisationKind.NPM,),
        Each.CSO: (OrganisationKind.CSO,),
        Each.PARTY: (OrganisationKind.NPM, OrganisationKind.CSO),
    }
    match each:
        case None:
            return (None,)
        case Each.MEMBER:
            return sorted((around.team or frozenset()) - with_own_rows) if around.team else (None,)
        case Each.LEAD | Each.DEPUTY:
            person = around.tasks.get(each)
            return () if person is None else (person,)
        case _:
            return [party.organisation_id for party in around.parties_of(*sides[Each(each)])]


def _cell_here(
    value: Any, kind: FieldType, own: UUID | None, around: Surroundings, circle: nameable.Circle
) -> Any:
    """Return a value for one checklist; of a place to decide who or which day it usually is.

    Only if that is known, and if the person can be named there and isn't the one of the row.
    """
    if not isinstance(value, OpenMark):
        return _named(value, kind, own, around)
    place = value.place
    if place.usually is None:
        return day_of(place, around) or str(value)
    person = around.tasks.get(place.usually)
    is_free = person in around.people and person != own
    return str(person if is_free and nameable.can_name(circle, person, around) else value)


def day_of(place: Open, around: Surroundings) -> str | None:
    """Return the day of a place that is counted from the visit; None if it isn't known."""
    if place.days_before is not None and around.visit_starts_on is not None:
        return (around.visit_starts_on - dt.timedelta(days=place.days_before)).isoformat()
    if place.days_after is not None and around.visit_ends_on is not None:
        return (around.visit_ends_on + dt.timedelta(days=place.days_after)).isoformat()
    return None


def days_of(content: ModelTextContent, code: str) -> Mapping[tuple[str, str | None], Open]:
    """Return the places of an item that are counted from the visit, by field and column.

    Of a column only if the day is the same in all rows.
    """
    days: dict[tuple[str, str | None], dict[tuple[int | None, int | None], Open]] = {}
    for key, field in content.items.get(code, {}).items():
        in_rows = (pair for row in field.rows.values() for pair in row.cells.items())
        for column, cell in ((None, field), *in_rows):
            if isinstance(cell.base, Open) and cell.base.is_of_visit:
                rule = (cell.base.days_before, cell.base.days_after)
                days.setdefault((key, column), {})[rule] = cell.base
    return {place: next(iter(own.values())) for place, own in days.items() if len(own) == 1}


def with_places(content: ModelTextContent, code: str, values: Values) -> dict[str, Any]:
    """Return an item's answer with what the content says of the places that are marked in it.

    That is who it usually is, and how a day is counted; of a row, as in its own row of the content,
    or as in all of its rows.
    """
    fields = content.items.get(code, {})
    return {
        key: _with_places(fields[key], value) if key in fields else value
        for key, value in values.items()
    }


def _with_places(field: FieldText, value: Any) -> Any:
    if not isinstance(value, list):
        return _mark_at([field], value)
    return [
        {column: _mark_at(_cells_beside(field, row, column), cell) for column, cell in row.items()}
        if isinstance(row, dict)
        else row
        for row in value
    ]


def _cells_beside(field: FieldText, row: Values, column: str) -> list[Cell]:
    own = field.rows.get(row.get(ROW, ""))
    rows = [own] if own else field.rows.values()
    return [given.cells[column] for given in rows if column in given.cells]


def _mark_at(cells: Iterable[Cell], value: Any) -> Any:
    """Return a mark with the place that these cells have alike; other values as they are."""
    if not to_decide.is_mark(value):
        return value
    places = [cell.base for cell in cells if isinstance(cell.base, Open) and cell.base.is_known]
    rules = {(place.usually, place.days_before, place.days_after) for place in places}
    return OpenMark.at(places[0], value) if len(rules) == 1 else value


def tasks_in(values: Values) -> frozenset[Task]:
    """Return the tasks that the marked places of an answer usually give to somebody."""
    cells = [
        cell
        for value in values.values()
        for row in (value if isinstance(value, list) else [{"": value}])
        if isinstance(row, dict)
        for cell in row.values()
    ]
    places = (cell.place for cell in cells if isinstance(cell, OpenMark))
    return frozenset(place.usually for place in places if place.usually is not None)


def tasks_of(content: ModelTextContent, codes: Iterable[str]) -> tuple[Task, ...]:
    """Return the tasks that the text of some items usually gives to somebody, in their order."""
    named = {
        value.usually
        for code in codes
        for field in content.items.get(code, {}).values()
        for cell in (field, *(cell for row in field.rows.values() for cell in row.cells.values()))
        for value in cell.values
        if isinstance(value, Open)
    }
    return tuple(task for task in Task if task in named)


def _named(value: Any, kind: FieldType, own: UUID | None, around: Surroundings) -> Any:
    if kind not in {FieldType.PARTY, FieldType.BODY, FieldType.PERSON} or to_decide.is_mark(value):
        return value
    if value == OWN:
        return None if own is None else str(own)
    if as_id(value) in {party.organisation_id for party in around.parties}:
        return value  # in a text that a body of the NPM keeps, that body
    npm = next(iter(around.parties_of(OrganisationKind.NPM)), None)
    return str(npm.organisation_id) if value == THE_NPM and npm else None


# With what is known ------------------------------------------------------------------------------


def with_facts(item: Item, values: Values, known: Values) -> dict[str, Any]:
    """Return an answer of a model text with what is known: a fact is never replaced by the text.

    In a table, rows that name the same party or person are one row, and each fact takes the place
    of the cell; rows that only one of the two has stay.
    """
    fields = {field.key: field for field in item.fields_of(AnswerScope.SHARED)}
    return {**values, **{key: _fact(fields[key], values.get(key), known[key]) for key in known}}


def _fact(field: TemplateField, value: Any, fact: Any) -> Any:
    if field.type is not FieldType.TABLE:
        return fact
    naming = [column.key for column in field.columns if column.type in NAMING]
    rows, facts = list(value or ()), list(fact)
    together = []
    for row in rows:
        known = next((own for own in facts if _is_same(row, own, naming)), None)
        if known is not None:
            facts.remove(known)
        together.append({**row, **(known or {})})
    return [*together, *facts]


def _is_same(row: Values, known: Values, naming: list[str]) -> bool:
    """Return whether two rows are about the same party or person: the first that the fact names."""
    column = next((key for key in naming if key in known), None)
    return column is not None and row.get(column) == known[column]
