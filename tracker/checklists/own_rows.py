"""What a party writes of an answer in which each party has a row, and the answer that makes.

A party's form shows its own row and whatever no other party has accepted (product.md, 4.1).
"""

from collections.abc import Mapping
from typing import Any

from tracker.access.actor import Actor
from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item, TemplateField
from tracker.checklists import service
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.reuse import known_facts
from tracker.checklists.rules import party_rows


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
    return shown


def is_row_known(
    loaded: LoadedChecklist,
    actor: Actor,
    item: Item,
    scope: AnswerScope,
    values: Mapping[str, Any],
) -> bool:
    """Return whether a form began the party's own row with what is known of it.

    values are those that the form began with; the row isn't in the current answer.
    """
    party, current = loaded.own_party(actor), loaded.sheet.shared(item.code)
    if scope is not AnswerScope.SHARED or item.party_table is None or party is None:
        return False
    around = (loaded.sheet, loaded.surroundings)
    own = party.organisation_id
    begun = party_rows.parts_of(item, values, *around).get(own) or ()
    is_new = own not in party_rows.parts_of_answer(item, current, *around)
    return is_new and any(len(row) > 1 for row in begun)


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
    locked = service.locked_parts(loaded, item, loaded.own_party(actor))
    if not locked or current is None or current.not_applicable:
        return typed
    around = (loaded.sheet, loaded.surroundings)
    written = party_rows.parts_of(item, typed, *around)
    before = party_rows.parts_of(item, current.values, *around)
    return party_rows.merged(
        item, current.values, typed, (before.keys() - locked) | written.keys(), *around
    )


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
