"""Checks that an item is done, beyond its fields being filled in. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.checks import Check, CheckName
from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.schema import FieldType, Item
from tracker.checklists.rules.facts import PartyFact, Sheet, Surroundings
from tracker.checklists.rules.values import (
    Problem,
    as_date,
    as_id,
    needed,
)

# The code of an item as people write it, perhaps with a space.
ITEM = re.compile(r"\b[MCVU] ?[1-9][0-9]?\b")
Values = Mapping[str, Any]
Test = Callable[[Check, Item, Values, Surroundings, Sheet], Iterator[Problem]]


def problems(
    item: Item, values: Values, surroundings: Surroundings, sheet: Sheet
) -> Iterator[Problem]:
    """Yield what the item's done-tests find wrong in an answer.

    A place marked *to decide* is never done, in a field of any type. A check is skipped if none of
    the fields it looks at has a value: whether they must have one is another question, and they may
    belong to an answer of another scope.
    """
    yield from _still_to_decide(values)
    values = to_decide.decided(values)
    for check in item.done.checks:
        if any(has_content(values.get(key)) for key in check.looks_at):
            yield from TESTS[check.check](check, item, values, surroundings, sheet)


def _still_to_decide(values: Values) -> Iterator[Problem]:
    for place in to_decide.open_places(values):
        words = (
            _l("To decide: %(what)s.", what=place.what)
            if place.what
            else _l("Something here is still to be decided.")
        )
        yield Problem(place.field, words, row=place.row, column=place.column)


def _rows(check: Check, values: Values) -> list[dict[str, Any]]:
    rows = values.get(check.field or "") or []
    return [row for row in rows if has_content(row)]


def _cells(check: Check, values: Values) -> list[Any]:
    return [row.get(check.column or "") for row in _rows(check, values)]


def _min_rows(
    check: Check, item: Item, values: Values, _around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    if len(_rows(check, values)) < (check.n or 1):
        label = item.field(check.field or "").label
        yield Problem(
            check.field or "",
            _l("%(label)s: add rows, at least %(n)s.", label=label, n=check.n or 1),
        )


def _row_per_party(
    check: Check, item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    yield from _rows_for(around.parties, check, item, values)


def _row_per_cso(
    check: Check, item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    yield from _rows_for(around.parties_of(OrganisationKind.CSO), check, item, values)


def _rows_for(
    parties: Iterable[PartyFact], check: Check, item: Item, values: Values
) -> Iterator[Problem]:
    """Name each party that has no row; in an item with several tables, also the table."""
    party_ids = {as_id(cell) for cell in _cells(check, values)}
    key = check.field or ""
    are_several = sum(field.type is FieldType.TABLE for field in item.fields) > 1
    for party in parties:
        if party.organisation_id in party_ids:
            continue
        if are_several:
            label = item.field(key).label
            words = _l("Add a row for %(party)s under “%(label)s”.", party=party.name, label=label)
        else:
            words = _l("Add a row for %(party)s.", party=party.name)
        yield Problem(key, words)


def _row_per_team_member(
    check: Check, _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    member_ids = {as_id(cell) for cell in _cells(check, values)}
    lacking = len((around.team or frozenset()) - member_ids)
    if lacking:
        yield Problem(check.field or "", _l("A row is missing for %(n)s of the team.", n=lacking))


def _values_covered(
    check: Check, item: Item, values: Values, _around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    values_there = {str(cell) for cell in _cells(check, values)}
    field = item.field(check.field or "")
    labels = {option.value: option.label for option in field.column(check.column or "").options}
    for value in check.values:
        if value not in values_there:
            yield Problem(
                check.field or "",
                _l("A row is missing for: %(value)s", value=labels.get(value, value)),
            )


def _dates_in_order(
    check: Check, item: Item, values: Values, _around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    dates = [(key, as_date(values.get(key))) for key in check.fields]
    given = [(key, date) for key, date in dates if date is not None]
    for (before, first), (after, second) in pairwise(given):
        if second <= first:
            yield Problem(
                after,
                _l(
                    "%(later)s must be later than %(earlier)s.",
                    later=item.field(after).label,
                    earlier=item.field(before).label,
                ),
            )


def _dates_after_visit(
    check: Check, _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    if around.visit_ends_on is None:
        return
    for number, row in enumerate(values.get(check.field or "") or []):
        date = as_date(row.get(check.column or ""))
        if date is not None and date <= around.visit_ends_on:
            yield Problem(
                check.field or "",
                _l("This date must be after the visit."),
                row=number,
                column=check.column,
            )


def _distinct_persons(
    check: Check, item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that a person is named once; an NPM too small for all places may give a reason.

    A reason that all signed counts until the item is written anew, even if the NPM grows.
    """
    named = [person for _key, _row, person in _persons(check, values)]
    if len(set(named)) == len(named):
        return
    reason = item.field(check.unless) if check.unless else None
    is_given = reason is not None and has_content(values.get(reason.key))
    if reason is not None and _is_small(check, item, around):
        if not is_given:
            words = _l("Name different people, or give the reason: %(label)s", label=reason.label)
            yield Problem(check.looks_at[-1], words)
    elif reason is not None and is_given:
        words = _l(
            "Name different people. A reason counts only if fewer people of the NPM with an "
            "account take part in this cooperation than there are places."
        )
        yield Problem(reason.key, words)
    else:
        yield Problem(check.looks_at[-1], _l("Name different people."))


def _is_small(check: Check, item: Item, around: Surroundings) -> bool:
    """Return whether the NPM has fewer people than places, or had when all agreed on the item.

    People without an account don't count.
    """
    return around.is_agreed(item.code) or len(around.npm_people - around.without_account) < len(
        check.fields
    )


def _persons(check: Check, values: Values) -> list[tuple[str, int | None, UUID | None]]:
    """Return the people a check looks at, with the field and row of each."""
    if check.column:
        rows = values.get(check.field or "") or []
        return [
            (check.field or "", number, as_id(row.get(check.column)))
            for number, row in enumerate(rows)
            if row.get(check.column)
        ]
    return [
        (key, None, as_id(element))
        for key in check.looks_at
        for element in _each(values.get(key))
        if has_content(element)
    ]


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _persons_of_npm(
    check: Check, _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    for key, row, person in _persons(check, values):
        if person not in around.npm_people:
            yield Problem(
                key, _l("This must be a person of the NPM."), row=row, column=check.column
            )


def is_alone(around: Surroundings, sheet: Sheet) -> bool:
    """Return whether all NPM people who take part wrote answers: then its head reads alone.

    Administrators and people without an account don't count: they are never the second reader.
    """
    return bool(around.npm_people) and around.npm_people - around.non_readers <= sheet.authors


def _wrote_no_answer(
    check: Check, _item: Item, values: Values, around: Surroundings, sheet: Sheet
) -> Iterator[Problem]:
    if is_alone(around, sheet):
        return
    for key, row, person in _persons(check, values):
        if person in around.non_readers:
            words = _l("Name somebody who has an account and doesn't administer this instance.")
        elif person in sheet.authors:
            words = _l("This person wrote an answer in this checklist. Name somebody who didn't.")
        else:
            continue
        yield Problem(key, words, row=row, column=check.column)


def for_non_authors(item: Item) -> frozenset[tuple[str, str | None]]:
    """Return the fields of an item that can name only people who wrote no answer (M5)."""
    return frozenset(
        (key, check.column)
        for check in item.done.checks
        if check.check is CheckName.WROTE_NO_ANSWER
        for key in check.looks_at
    )


def _number_at_least(
    check: Check, _item: Item, values: Values, _around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    value = values.get(check.field or "")
    if isinstance(value, int) and value < (check.n or 0):
        yield Problem(check.field or "", _l("This must be at least %(n)s.", n=check.n or 0))


def _row_each_way(
    check: Check, item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    if check.unless and has_content(values.get(check.unless)):
        return
    directions = {as_id(cell) for cell in _cells(check, values)}
    npm = {party.organisation_id for party in around.parties_of(OrganisationKind.NPM)}
    partners = {party.organisation_id for party in around.parties} - npm
    if not (directions & npm) or not (directions & partners):
        label = item.field(check.unless).label if check.unless else ""
        yield Problem(
            check.field or "",
            _l(
                "There must be a row from the NPM and one from a partner, or a reason why not: "
                "%(label)s",
                label=label,
            )
            if label
            else _l("There must be a row from the NPM and one from a partner."),
        )


def _names_item(
    check: Check, item: Item, values: Values, _around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that a required text names the item it is about by its code."""
    for key in check.looks_at:
        text = values.get(key)
        if needed(item.field(key), values) and text and not ITEM.search(str(text)):
            yield Problem(
                key,
                _l(
                    "%(label)s: name the item, for example M10.",
                    label=item.field(key).label,
                ),
            )


TESTS: dict[CheckName, Test] = {
    CheckName.MIN_ROWS: _min_rows,
    CheckName.ROW_PER_PARTY: _row_per_party,
    CheckName.ROW_PER_CSO: _row_per_cso,
    CheckName.ROW_PER_TEAM_MEMBER: _row_per_team_member,
    CheckName.VALUES_COVERED: _values_covered,
    CheckName.DATES_IN_ORDER: _dates_in_order,
    CheckName.DATES_AFTER_VISIT: _dates_after_visit,
    CheckName.DISTINCT_PERSONS: _distinct_persons,
    CheckName.PERSONS_OF_NPM: _persons_of_npm,
    CheckName.WROTE_NO_ANSWER: _wrote_no_answer,
    CheckName.NUMBER_AT_LEAST: _number_at_least,
    CheckName.ROW_EACH_WAY: _row_each_way,
    CheckName.NAMES_ITEM: _names_item,
}
