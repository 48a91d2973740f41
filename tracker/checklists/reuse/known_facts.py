"""What the application knows already, as the beginning of an answer that nobody has written yet.

Facts have one home: details of an organisation, powers of its signatories, ways of working and days
of the cooperation. Nothing is saved: whoever saves the answer has seen it.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tracker.access.actor import Actor, OrganisationKind
from tracker.accounts import queries as accounts
from tracker.checklist_templates.checks import CheckName
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.rules.facts import PartyFact
from tracker.checklists.rules.values import as_id, fit
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.labels import CsoType
from tracker.organisations.models import Organisation

# The kinds of body in M1 for the types of CSO in an organisation's details.
KINDS = {
    CsoType.HUMAN_RIGHTS: "human_rights",
    CsoType.LITIGATING: "human_rights",
    CsoType.VULNERABLE_GROUPS: "groups",
    CsoType.FAMILIES: "families",
    CsoType.ACADEMICS: "academic",
    CsoType.UNIONS: "union",
    CsoType.PERSONS_CONCERNED: "lived_experience",
    CsoType.PROFESSIONS: "profession",
    CsoType.RELIGIOUS: "religious",
}


def begun(loaded: LoadedChecklist, actor: Actor, item: Item, scope: AnswerScope) -> dict[str, Any]:
    """Return what is known of an answer that nobody has written yet; nothing of a written one."""
    if scope is AnswerScope.SHARED and loaded.sheet.shared(item.code) is None:
        values = _shared(loaded, item)
    elif scope is AnswerScope.PARTY and actor.organisation_id is not None:
        written = loaded.sheet.of_party(item.code, actor.organisation_id)
        values = {} if written else _of_party(loaded, actor, item)
    else:
        values = {}
    return fit(item.fields_of(scope), values, loaded.surroundings).values if values else {}


def _shared(loaded: LoadedChecklist, item: Item) -> dict[str, Any]:
    """Return the ways of working (M3), the days (M19), or a row for each member of the team."""
    if loaded.checklist.kind is ChecklistKind.TERMS and item.code == "M3":
        return {"in_scope": sorted(mode.value for mode in loaded.surroundings.modes)}
    if loaded.checklist.kind is ChecklistKind.TERMS and item.code == "M19":
        head = loaded.cooperation
        days = (("start", head.starts_on), ("review", head.review_on), ("end", head.ends_on))
        return {key: day.isoformat() for key, day in days if day is not None}
    return {
        check.field: [{check.column: person} for person in _team(loaded)]
        for check in item.done.checks
        if check.check is CheckName.ROW_PER_TEAM_MEMBER and check.field and check.column
    }


def _of_party(loaded: LoadedChecklist, actor: Actor, item: Item) -> dict[str, Any]:
    """Return the people of a CSO who take part, for those who must sign an undertaking (C2)."""
    party = loaded.own_party(actor)
    is_list = loaded.checklist.kind is ChecklistKind.CONFIDENTIALITY and item.code == "C2"
    if not is_list or party is None or party.side is not OrganisationKind.CSO:
        return {}
    people = [
        person
        for person in loaded.people.values()
        if person.organisation_id == party.organisation_id
    ]
    rows = [
        {
            "person": str(person.user_id),
            "function": person.function,
            "organisation": str(party.organisation_id),
        }
        for person in people
    ]
    return {"listed": "people", "persons": rows} if rows else {}


def _team(loaded: LoadedChecklist) -> list[str]:
    """Return the people of a visit's team, in the order of V4."""
    team = loaded.surroundings.team or frozenset()
    rows = loaded.sheet.value("V4", "team") or ()
    in_order = [str(row.get("person")) for row in rows if as_id(row.get("person")) in team]
    return in_order if len(in_order) == len(team) else sorted(map(str, team))


def own_row(loaded: LoadedChecklist, actor: Actor, item: Item) -> Mapping[str, Any]:
    """Return what is known of the row of a person's own party, apart from its name."""
    party = loaded.own_party(actor)
    if loaded.checklist.kind is not ChecklistKind.TERMS or item.code != "M1" or party is None:
        return {}
    organisation = db.session.get_one(Organisation, party.organisation_id)
    cells = {
        "kind": _kind(organisation, party),
        "mandate": organisation.mandate,
        **_signatory(party.organisation_id),
        "litigates": organisation.litigates,
        "represents_persons": organisation.represents_persons,
        "represents_staff": organisation.represents_staff,
    }
    return {key: value for key, value in cells.items() if value}


def _kind(organisation: Organisation, party: PartyFact) -> str:
    if party.side is OrganisationKind.NPM:
        return "npm"
    kinds = {KINDS.get(CsoType(name), "") for name in organisation.types}
    return kinds.pop() if len(kinds) == 1 else ""


def _signatory(organisation_id: UUID) -> dict[str, str]:
    """Return who signs and by which power, if only one person can."""
    able = accounts.signatories_of(organisation_id, clock.today())
    if len(able) != 1:
        return {}
    return {"signatory": str(able[0].user_id), "power": able[0].power}
