"""The parts of an answer on which positions are taken: the row of each party, the rest. Pure.

Most answers are one part. In an item with a row for each party (M1, M4, M7, M14, M15) each party
writes its own row, positions are taken on each row, and a change reopens only the positions on the
rows that changed (product.md, 4.1).
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.schema import Item
from tracker.checklists.rules.facts import Filled, Sheet, Surroundings

# A part of an answer: None for all of it; in an item with a row for each party the party whose row
# it is, or the checklist for everything that is in no party's row.
AnswerPart = UUID | None
WHOLE: frozenset[AnswerPart] = frozenset({None})


def parts_of(
    item: Item, values: Mapping[str, Any], sheet: Sheet, surroundings: Surroundings
) -> dict[AnswerPart, Any]:
    """Return an answer's parts with their content, as stored; an empty part isn't listed.

    Rows of bodies that are no party, or no longer one, belong to the rest.
    """
    if item.party_table is None:
        return {None: values}
    key, column = item.party_table
    parties = {str(party.organisation_id): party.organisation_id for party in surroundings.parties}
    rest: dict[str, Any] = {
        name: value for name, value in values.items() if name != key and has_content(value)
    }
    parts: dict[AnswerPart, Any] = {}
    for row in values.get(key) or ():
        party_id = parties.get(str(row.get(column)))
        if party_id is not None:
            parts.setdefault(party_id, []).append(row)
        elif has_content(row):
            rest.setdefault(key, []).append(row)
    if rest:
        parts[sheet.checklist_id] = rest
    return parts


def parts_of_answer(
    item: Item, answer: Filled | None, sheet: Sheet, surroundings: Surroundings
) -> dict[AnswerPart, Any]:
    """Return the parts of a current answer; none if there is no answer.

    An item that is left out, or a table that is empty, is one part.
    """
    if answer is None:
        return {}
    if answer.not_applicable:
        return {None: answer.values}
    return parts_of(item, answer.values, sheet, surroundings) or {None: answer.values}


def changed(
    before: Mapping[AnswerPart, Any], after: Mapping[AnswerPart, Any]
) -> frozenset[AnswerPart]:
    """Return the parts that differ, among them those that are new or gone.

    If one of the answers is a single part, everything differs.
    """
    if (None in before) != (None in after):
        return frozenset({*before, *after})
    return frozenset(part for part in {*before, *after} if before.get(part) != after.get(part))


def merged(
    item: Item,
    current: Mapping[str, Any],
    wanted: Mapping[str, Any],
    parts: Collection[AnswerPart],
    sheet: Sheet,
    surroundings: Surroundings,
) -> dict[str, Any]:
    """Return a current answer in which these parts are as in wanted values, in the parties' order.

    So a suggestion for a row still fits after other parties have changed theirs.
    """
    if item.party_table is None or None in parts:
        return dict(wanted)
    key, _column = item.party_table
    now = parts_of(item, current, sheet, surroundings)
    then = parts_of(item, wanted, sheet, surroundings)
    together = {part: (then if part in parts else now).get(part) for part in (*now, *then)}
    rest = together.pop(sheet.checklist_id, None) or {}
    rows = [
        row for party in surroundings.parties for row in together.get(party.organisation_id) or ()
    ]
    return {**rest, key: [*rows, *rest.get(key, ())]}
