"""Values of fields: whether they have the right type, and what is still missing. Pure.

In one file: each question goes through the same types of fields.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.checklist_templates import to_decide
from tracker.checklist_templates.conditions import NeighbourColumn, NeighbourField
from tracker.checklist_templates.field_content import ROW, UNWRITABLE, has_content
from tracker.checklist_templates.schema import (
    CLASSES,
    NAMING,
    NAMING_BODIES,
    Column,
    FieldType,
    Rows,
    TemplateField,
)
from tracker.checklists.rules.facts import Surroundings
from tracker.core.errors import RuleBrokenError

MAX_TEXT = 8000
MAX_LINE = 300
# In all texts of one answer: some eight printed pages. All texts of a checklist are searched for
# phrases when one is saved and shown: if each table were full of the longest texts, others could
# not save for minutes.
MAX_ANSWER = 20_000
# The column in which a row added after the fixed ones says what it is.
ADDED = "other"
PHONE = re.compile(r"[+0-9][0-9 ()/.\-]{2,38}")


class WrongTypeError(RuleBrokenError):
    """Raised for a value of the wrong type, which only bypassing the form can cause."""

    def __init__(self, key: str) -> None:
        super().__init__(_l("This answer can't be saved: %(field)s.", field=key), key)


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in an answer: a message, and where it is."""

    field: str
    message: object
    row: int | None = None
    column: str | None = None
    # The person named there who can't be, unless they were named for a party that has left.
    person: UUID | None = None


# Where something is in an answer: the key of a field, and for a table that of the column.
FieldPath = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Fit:
    """The part of some values that certain fields can hold."""

    values: dict[str, Any]
    # Where something was left out.
    left_out: tuple[FieldPath, ...] = ()


def check_types(
    fields: tuple[TemplateField, ...], values: Mapping[str, Any], surroundings: Surroundings
) -> None:
    """Raise WrongTypeError unless every value is one its field can hold.

    Empty values and marks *to decide* pass: an answer may be saved unfinished. Unknown keys, people
    and parties that do not take part, and anything oversized are refused. Raise RuleBrokenError if
    its texts are too long together.
    """
    by_key = {field.key: field for field in fields}
    for key, value in values.items():
        if key not in by_key:
            raise WrongTypeError(key)
        _check_value(by_key[key], value, surroundings)
    if sum(map(_length, values.values())) > MAX_ANSWER:
        raise RuleBrokenError(
            _l(
                "This answer is too long. Use at most %(most)s characters in all its fields "
                "together.",
                most=MAX_ANSWER,
            )
        )


def _length(value: Any) -> int:
    """Return how many characters of text a value holds."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(_length, value))
    return sum(map(_length, value.values())) if isinstance(value, dict) else 0


def _check_value(field: TemplateField, value: Any, surroundings: Surroundings) -> None:
    if field.type is FieldType.TABLE:
        _check_table(field, value, surroundings)
    elif field.type in {FieldType.CHOICES, FieldType.PERSONS}:
        if not isinstance(value, list) or _repeats(value):
            raise WrongTypeError(field.key)
        for element in value:
            _check_single(field, element, surroundings)
    else:
        _check_single(field, value, surroundings)


def _repeats(values: list[Any]) -> bool:
    return any(value in values[:place] for place, value in enumerate(values))


def _check_table(field: TemplateField, value: Any, surroundings: Surroundings) -> None:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise WrongTypeError(field.key)
    _check_rows(field, value)
    columns = {column.key: column for column in field.columns}
    for row in value:
        for key in row.keys() - {ROW}:
            if key not in columns:
                raise WrongTypeError(str(key))
            _check_single(columns[key], row[key], surroundings)


def _check_rows(field: TemplateField, rows: list[dict[str, Any]]) -> None:
    """Refuse rows that the table can't have: too many, unknown, or the same fixed row twice."""
    spec = field.rows or Rows()
    given = [row[ROW] for row in rows if ROW in row]
    free = len(rows) - len(given)
    known = {row.key for row in spec.fixed}
    if (
        _repeats(given)
        or not all(isinstance(key, str) and key in known for key in given)
        or (free and spec.fixed and not spec.more)
        or len(rows) > max(spec.max, len(spec.fixed))
    ):
        raise WrongTypeError(field.key)


def _check_single(
    field: TemplateField | Column,
    value: Any,
    surroundings: Surroundings,
) -> None:
    if value is None or value == "":
        return
    if not fits_type(field, value, surroundings):
        raise WrongTypeError(field.key)


def fits_type(field: TemplateField | Column, value: Any, surroundings: Surroundings) -> bool:
    """Return whether a field or cell can hold a single value: one of its type, or *to decide*."""
    if field.type is not FieldType.CONFIRM and to_decide.is_mark(value):
        return _is_text(MAX_LINE)(field, value, surroundings)
    return _CHECKS[field.type](field, value, surroundings)


def _is_text(limit: int) -> Callable[..., bool]:
    def check(_field: Any, value: Any, _surroundings: Surroundings) -> bool:
        return isinstance(value, str) and len(value) <= limit and not UNWRITABLE.search(value)

    return check


def _is_confirm(_field: Any, value: Any, _surroundings: Surroundings) -> bool:
    return isinstance(value, bool)


def _is_choice(field: Any, value: Any, _surroundings: Surroundings) -> bool:
    return isinstance(value, str) and value in {option.value for option in field.options}


def _is_date(_field: Any, value: Any, _surroundings: Surroundings) -> bool:
    return as_date(value) is not None


def _is_time(_field: Any, value: Any, _surroundings: Surroundings) -> bool:
    return isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value) is not None


def _is_number(field: Any, value: Any, _surroundings: Surroundings) -> bool:
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and (field.min if field.min is not None else 0) <= value
        and value <= (field.max if field.max is not None else 100_000)
    )


def _is_phone(_field: Any, value: Any, _surroundings: Surroundings) -> bool:
    return isinstance(value, str) and PHONE.fullmatch(value) is not None


def _is_person(_field: Any, value: Any, surroundings: Surroundings) -> bool:
    return as_id(value) in surroundings.people


def _is_party(_field: Any, value: Any, surroundings: Surroundings) -> bool:
    return as_id(value) in {party.organisation_id for party in surroundings.parties}


def _is_body(_field: Any, value: Any, surroundings: Surroundings) -> bool:
    return _is_party(_field, value, surroundings) or as_id(value) in surroundings.bodies


def _is_class(_field: Any, value: Any, _surroundings: Surroundings) -> bool:
    return value in CLASSES


_CHECKS: dict[FieldType, Callable[[Any, Any, Surroundings], bool]] = {
    FieldType.CONFIRM: _is_confirm,
    FieldType.CHOICE: _is_choice,
    FieldType.CHOICES: _is_choice,
    FieldType.TEXT: _is_text(MAX_TEXT),
    FieldType.LINE: _is_text(MAX_LINE),
    FieldType.DATE: _is_date,
    FieldType.TIME: _is_time,
    FieldType.NUMBER: _is_number,
    FieldType.PHONE: _is_phone,
    FieldType.PERSON: _is_person,
    FieldType.PERSONS: _is_person,
    FieldType.PARTY: _is_party,
    FieldType.BODY: _is_body,
    FieldType.CLASS: _is_class,
}


def as_date(value: Any) -> dt.date | None:
    """Parse a stored date in the form the application writes; anything else is None."""
    if not isinstance(value, str):
        return None
    try:
        day = dt.date.fromisoformat(value)
    except ValueError:
        return None
    return day if day.isoformat() == value else None


def as_id(value: Any) -> UUID | None:
    """Parse a stored id in the form the application writes; anything else is None."""
    if not isinstance(value, str):
        return None
    try:
        identity = UUID(value)
    except ValueError:
        return None
    return identity if str(identity) == value else None


def fit(
    fields: tuple[TemplateField, ...], values: Mapping[str, Any], surroundings: Surroundings
) -> Fit:
    """Return the values that these fields can hold; for tables the cells and rows that fit.

    People who don't take part are left out.
    """
    by_key = {field.key: field for field in fields}
    fitting: dict[str, Any] = {}
    left_out: dict[FieldPath, None] = {}
    for key, value in values.items():
        field = by_key.get(key)
        if field is not None and _fits(field, value, surroundings):
            fitting[key] = value
            continue
        rest, lost = _rest(field, value, surroundings) if field else ([], set())
        if rest:
            fitting[key] = rest
        for column in sorted(lost) or (None,):
            left_out[key, column] = None
    return Fit(fitting, tuple(left_out))


def _rest(
    field: TemplateField, value: Any, surroundings: Surroundings
) -> tuple[list[Any], set[str]]:
    """Return what is left of a list, and the columns from which cells were removed."""
    parts = [
        _part(field, element, surroundings)
        for element in (value if isinstance(value, list) else ())
    ]
    rest = [left for left, _lost in parts if left]
    if not rest or not _fits(field, rest, surroundings):
        return [], set()
    return rest, set().union(*(lost for _left, lost in parts))


def _part(field: TemplateField, part: Any, surroundings: Surroundings) -> tuple[Any, set[str]]:
    """Return a row without the cells that don't fit, or a choice that still exists."""
    if not isinstance(part, dict):
        return (part if _fits(field, [part], surroundings) else None), set()
    # A cell belongs to its row: a table may have fixed rows only.
    given = {key: cell for key, cell in part.items() if key == ROW}
    row = {
        key: cell
        for key, cell in part.items()
        if _fits(field, [{**given, key: cell}], surroundings)
    }
    return (row if _fits(field, [row], surroundings) else None), set(part.keys() - row.keys())


def _fits(field: TemplateField, value: Any, surroundings: Surroundings) -> bool:
    try:
        _check_value(field, value, surroundings)
    except WrongTypeError:
        return False
    return True


def without(
    fields: tuple[TemplateField, ...], values: Mapping[str, Any], types: Collection[FieldType]
) -> Fit:
    """Return the values that are not of some types, and where there were others."""
    by_key = {field.key: field for field in fields}
    rest: dict[str, Any] = {}
    left_out: dict[FieldPath, None] = {}
    for key, value in values.items():
        field = by_key.get(key)
        if field is None or not has_content(value):
            continue
        if field.type in types:
            left_out[key, None] = None
            continue
        rest[key] = value
        if field.columns:
            columns = {column.key for column in field.columns if column.type in types}
            filled = {place for row in value for place in columns if has_content(row.get(place))}
            left_out |= {(key, place): None for place in sorted(filled)}
            rest[key] = [
                {place: cell for place, cell in row.items() if place not in columns}
                for row in value
            ]
    return Fit({key: value for key, value in rest.items() if has_content(value)}, tuple(left_out))


def missing(fields: tuple[TemplateField, ...], values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what a complete answer still lacks: required fields, rows and columns."""
    for field in fields:
        value = values.get(field.key)
        if field.type is FieldType.TABLE:
            yield from _missing_in_table(field, value or [], required=needed(field, values))
        elif needed(field, values) and not has_content(value):
            yield Problem(field.key, _what_is_missing(field))


def gone(
    fields: tuple[TemplateField, ...], values: Mapping[str, Any], surroundings: Surroundings
) -> Iterator[Problem]:
    """Yield the fields that name a person, a party or an outside body that can't be named now."""
    names = [(field, *name) for field in fields for name in names_in(field, values.get(field.key))]
    if not names:  # as in most answers
        return
    known_ids = {
        *(str(person) for person in surroundings.people),
        *(str(party.organisation_id) for party in surroundings.parties),
        *map(str, surroundings.bodies),
    }
    for field, row, part, named in names:
        if named not in known_ids:
            words = (
                _l("%(label)s: names a body that is no longer listed.", label=part.label)
                if part.type is FieldType.BODY
                else _l("%(label)s: names somebody who no longer takes part.", label=part.label)
            )
            is_missed = part.type not in NAMING_BODIES and not _is_of_party_that_left(
                field, values, row, surroundings
            )
            person = as_id(named) if is_missed else None
            column = None if row is None else part.key
            yield Problem(field.key, words, row=row, column=column, person=person)


def _is_of_party_that_left(
    field: TemplateField, values: Mapping[str, Any], row: int | None, surroundings: Surroundings
) -> bool:
    """Return whether a row says whom a party names for itself, and the party has left."""
    if row is None or not surroundings.left:
        return False
    cells = values[field.key][row]
    return any(
        as_id(cells.get(column.key)) in surroundings.left
        for column in field.columns
        if column.type is FieldType.PARTY
    )


def names_in(
    field: TemplateField, value: Any
) -> Iterator[tuple[int | None, TemplateField | Column, str]]:
    """Yield the ids of people and parties in a value, with the row and the field or column."""
    if field.type is FieldType.TABLE:
        for number, row in enumerate(value or []):
            for column in field.columns:
                if column.type in NAMING and _is_named(row.get(column.key)):
                    yield number, column, row[column.key]
    elif field.type in NAMING:
        for element in value if isinstance(value, list) else [value]:
            if _is_named(element):
                yield None, field, element


def _is_named(value: Any) -> bool:
    return has_content(value) and not to_decide.is_mark(value)


def needed(field: TemplateField | Column, neighbours: Mapping[str, Any]) -> bool:
    """Return whether a field or column must be filled in, given its neighbours."""
    condition = field.required_when
    if condition is None:
        return field.required
    value = neighbours.get(_looked_at(condition))
    chosen = set(value) if isinstance(value, list) else {value}
    return not chosen.isdisjoint(condition.values)


def _looked_at(condition: NeighbourField | NeighbourColumn) -> str:
    return condition.field if isinstance(condition, NeighbourField) else condition.column


def shown_only(fields: tuple[TemplateField, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without what these fields currently don't have.

    These are the cells of columns that aren't shown, and places to decide that don't apply, since
    what was decided beside them makes the field or column unnecessary.
    """
    by_key = {field.key: field for field in fields}
    return {
        key: _shown_rows(by_key[key], value)
        if key in by_key and by_key[key].type is FieldType.TABLE
        else value
        for key, value in values.items()
        if key not in by_key or not _is_idle(by_key[key], value, values)
    }


def _is_idle(field: TemplateField | Column, value: Any, neighbours: Mapping[str, Any]) -> bool:
    """Return whether a value is to decide, and a decided neighbour says that it isn't needed."""
    condition = field.required_when
    if condition is None or needed(field, neighbours):
        return False
    neighbour = neighbours.get(_looked_at(condition))
    if not has_content(neighbour) or to_decide.is_mark(neighbour):
        return False
    if isinstance(value, list):
        return any(to_decide.open_places({field.key: value}))
    return to_decide.is_mark(value)


def _shown_rows(field: TemplateField, rows: Any) -> Any:
    if not isinstance(rows, list):
        return rows
    columns = {column.key: column for column in field.columns}
    return [
        {
            key: cell
            for key, cell in row.items()
            if key == ROW or (key in columns and not _is_idle(columns[key], cell, row))
        }
        for row in rows
    ]


def _what_is_missing(field: TemplateField | Column) -> object:
    if field.type is FieldType.CONFIRM:
        return _l("Confirm: %(label)s", label=field.label)
    if field.type in {FieldType.CHOICE, FieldType.CHOICES, FieldType.CLASS} | NAMING:
        return _l("Choose: %(label)s", label=field.label)
    return _l("Fill in: %(label)s", label=field.label)


def _missing_in_table(
    field: TemplateField, rows: list[dict[str, Any]], *, required: bool
) -> Iterator[Problem]:
    if required:
        yield from _missing_rows(field, rows)
    for number, row in enumerate(rows):
        if has_content(row):
            yield from _missing_cells(field, number, row)
            yield from _missing_name(field, number, row)


def _missing_rows(field: TemplateField, rows: list[dict[str, Any]]) -> Iterator[Problem]:
    spec = field.rows or Rows()
    filled = {row[ROW] for row in rows if ROW in row and has_content(row)}
    for given in spec.fixed:
        if given.key not in filled:
            yield Problem(field.key, _l("Fill in the row “%(row)s”.", row=given.label))
    least = max(spec.min, 0 if spec.fixed else 1)
    if sum(has_content(row) for row in rows) < least:
        yield Problem(
            field.key, _l("%(label)s: add rows, at least %(n)s.", label=field.label, n=least)
        )


def _missing_cells(field: TemplateField, number: int, row: dict[str, Any]) -> Iterator[Problem]:
    for column in field.columns:
        if needed(column, row) and not has_content(row.get(column.key)):
            yield Problem(field.key, _what_is_missing(column), row=number, column=column.key)


def _missing_name(field: TemplateField, number: int, row: dict[str, Any]) -> Iterator[Problem]:
    """Yield that a row added after the fixed ones does not say what it is."""
    if not (field.rows and field.rows.fixed) or ROW in row:
        return
    for column in field.columns:
        if column.key == ADDED and not has_content(row.get(column.key)):
            yield Problem(field.key, _what_is_missing(column), row=number, column=column.key)
