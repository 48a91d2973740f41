"""How partners were chosen, as recorded before the terms (P0), offered as an answer to M1."""

from collections.abc import Mapping
from typing import Any

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.rules.values import Fit, fit
from tracker.cooperations.selection import queries
from tracker.cooperations.selection.models import PartnerSelection

ITEM, FIELD, PARTNER = "M1", "selection", "party"


def fitted(
    actor: Actor, loaded: LoadedChecklist, item: Item, values: Mapping[str, Any]
) -> Fit | None:
    """Return an answer to M1 with the recorded selection of each partner, for NPM coordinators.

    values are the current answer, which stays except for the rows of partners with a record; in
    terms that were in force, only partners that are joining get theirs from the record. None for
    everybody else, if nothing is recorded, and in a template without these questions. Nothing is
    saved: whoever saves the answer has seen it.
    """
    if not _is_offered(actor, loaded, item):
        return None
    was_in_force = loaded.checklist.revision_in_force_id is not None
    partners = [
        party.organisation_id
        for party in loaded.parties
        if party.side is OrganisationKind.CSO and (party.is_joining or not was_in_force)
    ]
    recorded = queries.recorded(loaded.checklist.cooperation_id, partners)
    if not recorded:
        return None
    rows = {str(partner): _row(recorded[partner]) for partner in partners if partner in recorded}
    others = [row for row in values.get(FIELD) or [] if row.get(PARTNER) not in rows]
    merged = {**values, FIELD: [*rows.values(), *others]}
    return fit(item.fields_of(AnswerScope.SHARED), merged, loaded.surroundings)


def adds_something(
    actor: Actor, loaded: LoadedChecklist, item: Item, values: Mapping[str, Any]
) -> bool:
    """Return whether the record would change this answer if the form were filled with it."""
    fitting = fitted(actor, loaded, item, values)
    return fitting is not None and fitting.values != values


def _is_offered(actor: Actor, loaded: LoadedChecklist, item: Item) -> bool:
    own = loaded.own_party(actor)
    return (
        loaded.checklist.kind is ChecklistKind.TERMS
        and item.code == ITEM
        and any(field.key == FIELD for field in item.fields_of(AnswerScope.SHARED))
        and own is not None
        and own.is_of_npm
        and actor.has(Role.COORDINATOR)
    )


def _row(row: PartnerSelection) -> dict[str, Any]:
    cells = {
        PARTNER: str(row.organisation_id),
        "way": row.way.value,
        "opened_on": row.opened_on.isoformat() if row.opened_on else None,
        "decided_on": row.decided_on.isoformat() if row.decided_on else None,
        "criteria": row.criteria,
        "deciding": str(row.deciding_id) if row.deciding_id else None,
        "decided_by": row.decided_by,
    }
    return {key: value for key, value in cells.items() if value}
