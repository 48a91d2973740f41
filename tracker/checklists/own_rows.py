"""What a party writes of an answer in which each party has a row, and the answer that makes.

A party's form shows its own row and whatever no other party has accepted (product.md, 4.1).
"""

from collections.abc import Mapping
from typing import Any

from tracker.access.actor import Actor
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item, TemplateField
from tracker.checklists import service
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.reuse import known_facts
from tracker.checklists.rules import party_rows
from tracker.checklists.rules.values import fit


def fields_to_write(
    loaded: LoadedChecklist, actor: Actor, item: Item, scope: AnswerScope
) -> tuple[TemplateField, ...]:
    """Return the fields of an answer's form: without those that another party has accepted."""
    fields = item.fields_of(scope)
    if scope is not AnswerScope.SHARED or item.party_table is None:
        return fields
    if loaded.checklist.id not in service.locked_parts(loaded, item, loaded.own_party(actor)):
        return fields
    table = item.party_table[0]
    return tuple(field for field in fields if field.key == table)


def values_to_write(
    loaded: LoadedChecklist,
    actor: Actor,
    item: Item,
    scope: AnswerScope,
    values: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Return the values a form begins with: the party's own row, and what it may change."""
    party = loaded.own_party(actor)
    if scope is not AnswerScope.SHARED or item.party_table is None or party is None:
        return values
    key, column = item.party_table
    around = (loaded.sheet, loaded.surroundings)
    own = party.organisation_id
    locked = service.locked_parts(loaded, item, party)
    parts = party_rows.parts_of(item, values, *around)
    shown = party_rows.merged(item, values, {}, locked, *around) if locked else dict(values)
    if own not in parts:
        begun = {column: str(own), **known_facts.own_row(loaded, actor, item)}
        shown[key] = [*(shown.get(key) or ()), begun]
    elif any(to_decide.is_mark(cell) for row in parts[own] for cell in row.values()):
        known = known_cells(loaded, actor, item)
        shown[key] = [
            _decided_by(row, known) if row.get(column) == str(own) else row for row in shown[key]
        ]
    return shown


def is_row_known(
    loaded: LoadedChecklist,
    actor: Actor,
    item: Item,
    scope: AnswerScope,
    values: Mapping[str, Any],
) -> bool:
    """Return whether a form began the party's own row with what is known of it.

    values are those that the form began with. The current answer has no such row, or has one with
    cells that are still to be decided.
    """
    party, current = loaded.own_party(actor), loaded.sheet.shared(item.code)
    if scope is not AnswerScope.SHARED or item.party_table is None or party is None:
        return False
    around = (loaded.sheet, loaded.surroundings)
    own = party.organisation_id
    begun = party_rows.parts_of(item, values, *around).get(own) or ()
    is_begun = begun != party_rows.parts_of_answer(item, current, *around).get(own)
    return is_begun and any(len(row) > 1 for row in begun)


def known_cells(loaded: LoadedChecklist, actor: Actor, item: Item) -> Mapping[str, Any]:
    """Return what is known of the party's own row, as far as its cells can hold it."""
    known = known_facts.own_row(loaded, actor, item)
    if item.party_table is None or not known:
        return {}
    table, fields = item.party_table[0], item.fields_of(AnswerScope.SHARED)
    rows = fit(fields, {table: [known]}, loaded.surroundings).values.get(table)
    return rows[0] if rows else {}


def _decided_by(row: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row with what is known in its cells that are still to be decided."""
    return {
        key: known.get(key, cell) if to_decide.is_mark(cell) else cell for key, cell in row.items()
    }


def accepted_by_others(
    loaded: LoadedChecklist, actor: Actor, item: Item, scope: AnswerScope
) -> Mapping[str, Any]:
    """Return what the form leaves out of the current answer, to be read beside it."""
    current = loaded.sheet.shared(item.code)
    if scope is not AnswerScope.SHARED or item.party_table is None:
        return {}
    if current is None or current.not_applicable:
        return {}
    locked = service.locked_parts(loaded, item, loaded.own_party(actor))
    around = (loaded.sheet, loaded.surroundings)
    return party_rows.merged(item, {}, current.values, locked, *around) if locked else {}


def together(
    loaded: LoadedChecklist, actor: Actor, item: Item, scope: AnswerScope, typed: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the whole answer with what a party typed into its form.

    What others have accepted is kept, unless the form has it too: a draft may be older than that.
    """
    if scope is not AnswerScope.SHARED or item.party_table is None:
        return typed
    typed = _without_begun_row(actor, item, typed)
    current = loaded.sheet.shared(item.code)
    typed = _with_rows_of_others(actor, item, typed, current.values if current else {})
    locked = service.locked_parts(loaded, item, loaded.own_party(actor))
    if not locked or current is None or current.not_applicable:
        return typed
    around = (loaded.sheet, loaded.surroundings)
    written = party_rows.parts_of(item, typed, *around)
    before = party_rows.parts_of(item, current.values, *around)
    return party_rows.merged(
        item, current.values, typed, (before.keys() - locked) | written.keys(), *around
    )


def _with_rows_of_others(
    actor: Actor, item: Item, typed: Mapping[str, Any], current: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Leave other parties' rows as they are where the form can't show the difference.

    It shows a cell that is to decide as an empty field, unless it is a text, and a box that nobody
    has answered as an unticked one. Otherwise whoever saves their row would change all the others.
    """
    if item.party_table is None or not typed.get(item.party_table[0]):
        return typed
    key, column = item.party_table
    others = {
        str(row.get(column)): row
        for row in current.get(key) or ()
        if str(row.get(column)) != str(actor.organisation_id)
    }
    rows = [
        _as_before(row, others[str(row.get(column))]) if str(row.get(column)) in others else row
        for row in typed[key]
    ]
    return {**typed, key: rows}


def _as_before(row: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
    still_open = {
        name: cell
        for name, cell in before.items()
        if to_decide.is_mark(cell) and not has_content(row.get(name))
    }
    return {
        name: cell
        for name, cell in {**row, **still_open}.items()
        if cell is not False or name in before
    }


def _without_begun_row(actor: Actor, item: Item, typed: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out the row in which the form named the party, if nobody wrote anything else there."""
    if item.party_table is None:
        return typed
    key, column = item.party_table
    begun = str(actor.organisation_id)
    rows = [
        row
        for row in typed.get(key) or ()
        if str(row.get(column)) != begun
        or has_content({name: cell for name, cell in row.items() if name != column})
    ]
    return {**typed, key: rows} if key in typed else typed
