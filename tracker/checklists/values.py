"""Values of fields: whether they have the right type, and what is still missing. Pure."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.checklists.facts import ROW, Surroundings, has_content
from tracker.checklists.template import (
    CLASSES,
    Column,
    FieldType,
    NeighbourField,
    TemplateField,
)

MAX_TEXT = 8000
MAX_LINE = 300
PHONE = re.compile(r"^[+0-9][0-9 ()/.\-]{2,38}$")


class WrongTypeError(ValueError):
    """A value is not of its field's type; only a caller that skipped the form sees this."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is missing or wrong in an answer, in words, and where."""

    field: str
    message: object
    row: int | None = None
    column: str | None = None


def check_types(
    fields: tuple[TemplateField, ...], values: Mapping[str, Any], surroundings: Surroundings
) -> None:
    """Raise WrongTypeError unless every value is one its field can hold.

    Empty values pass: an answer may be saved unfinished. Unknown keys, persons and parties that do
    not take part, and anything oversized are refused.
    """
    by_key = {field.key: field for field in fields}
    for key, value in values.items():
        if key not in by_key:
            message = f"There is no field {key}."
            raise WrongTypeError(message)
        _check_value(by_key[key], value, surroundings)


def _check_value(field: TemplateField, value: Any, surroundings: Surroundings) -> None:
    if field.type is FieldType.TABLE:
        _check_table(field, value, surroundings)
    elif field.type in {FieldType.CHOICES, FieldType.PERSONS}:
        if not isinstance(value, list):
            raise WrongTypeError(field.key)
        for one in value:
            _check_single(field, one, surroundings)
    else:
        _check_single(field, value, surroundings)


def _check_table(field: TemplateField, value: Any, surroundings: Surroundings) -> None:
    rows = field.rows
    if not isinstance(value, list) or rows is None:
        raise WrongTypeError(field.key)
    if len(value) > rows.max + len(rows.fixed):
        raise WrongTypeError(field.key)
    given = {row.key for row in rows.fixed}
    for row in value:
        if not isinstance(row, dict) or (ROW in row and row[ROW] not in given):
            raise WrongTypeError(field.key)
        columns = {column.key: column for column in field.columns}
        for key, cell in row.items():
            if key == ROW:
                continue
            if key not in columns:
                raise WrongTypeError(key)
            _check_single(columns[key], cell, surroundings)


def _check_single(
    field: TemplateField | Column,
    value: Any,
    surroundings: Surroundings,
) -> None:
    if value is None or value == "":
        return
    if not _CHECKS[field.type](field, value, surroundings):
        raise WrongTypeError(field.key)


def _is_text(limit: int) -> Callable[..., bool]:
    def check(_field: Any, value: Any, _surroundings: Surroundings) -> bool:
        return isinstance(value, str) and len(value) <= limit and "\x00" not in value

    return check


def _is_confirm(_field: Any, value: Any, _surroundings: Surroundings) -> bool:
    return isinstance(value, bool)


def _is_choice(field: Any, value: Any, _surroundings: Surroundings) -> bool:
    return value in {option.value for option in field.options}


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
    return isinstance(value, str) and PHONE.match(value) is not None


def _is_person(_field: Any, value: Any, surroundings: Surroundings) -> bool:
    return as_id(value) in surroundings.people


def _is_party(_field: Any, value: Any, surroundings: Surroundings) -> bool:
    return as_id(value) in {party.organisation_id for party in surroundings.parties}


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
    FieldType.CLASS: _is_class,
}


def as_date(value: Any) -> dt.date | None:
    """Read a stored date."""
    if not isinstance(value, str) or len(value) != len("2026-01-31"):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None


def as_id(value: Any) -> UUID | None:
    """Read a stored id."""
    try:
        return UUID(str(value))
    except ValueError:
        return None


def missing(fields: tuple[TemplateField, ...], values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what a complete answer still lacks: required fields, rows and columns."""
    for field in fields:
        value = values.get(field.key)
        if field.type is FieldType.TABLE:
            yield from _missing_in_table(field, value or [], required=_needed(field, values))
        elif _needed(field, values) and not has_content(value):
            yield Problem(field.key, _what_is_missing(field))


def _needed(field: TemplateField | Column, neighbours: Mapping[str, Any]) -> bool:
    condition = field.required_when
    if condition is None:
        return field.required
    looked_at = condition.field if isinstance(condition, NeighbourField) else condition.column
    value = neighbours.get(looked_at)
    chosen = set(value) if isinstance(value, list) else {value}
    return not chosen.isdisjoint(condition.values)


def _what_is_missing(field: TemplateField | Column) -> object:
    if field.type is FieldType.CONFIRM:
        return _l("Confirm: %(label)s", label=field.label)
    if field.type in {FieldType.CHOICE, FieldType.CHOICES, FieldType.PERSON, FieldType.PERSONS}:
        return _l("Choose: %(label)s", label=field.label)
    return _l("Fill in: %(label)s", label=field.label)


def _missing_in_table(
    field: TemplateField, rows: list[dict[str, Any]], *, required: bool
) -> Iterator[Problem]:
    spec = field.rows
    if spec is None:
        return
    filled = {row[ROW]: row for row in rows if ROW in row}
    if required:
        for given in spec.fixed:
            if not has_content(filled.get(given.key, {})):
                yield Problem(field.key, _l("Fill in the row “%(row)s”.", row=given.label))
        written = [row for row in rows if has_content(row)]
        least = max(spec.min, 0 if spec.fixed else 1)
        if len(written) < least:
            yield Problem(
                field.key,
                _l("%(label)s: at least %(n)s row(s).", label=field.label, n=least),
            )
    for number, row in enumerate(rows):
        if not has_content(row):
            continue
        for column in field.columns:
            if _needed(column, row) and not has_content(row.get(column.key)):
                if column.type is FieldType.CONFIRM:
                    continue
                yield Problem(field.key, _what_is_missing(column), row=number, column=column.key)
