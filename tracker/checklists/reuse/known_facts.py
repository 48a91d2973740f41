"""What the application knows already, as the beginning of an answer that nobody has written yet.

Facts have one home: details of an organisation, powers of its signatories, ways of working and days
of the cooperation, the team of a visit. Nothing is saved: whoever saves the answer has seen it.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts import queries as accounts
from tracker.accounts.labels import ROLES
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import WRITTEN, Item
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.reuse.text_language import in_language_of
from tracker.checklists.rules import nameable
from tracker.checklists.rules.facts import PartyFact
from tracker.checklists.rules.values import as_id, fit
from tracker.cooperations.people import Person, by_user
from tracker.cooperations.people import people as taking_part
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.labels import CsoType
from tracker.organisations.models import Organisation
from tracker.ui.locale import with_commas

# Roles that say what somebody does in a cooperation; a member may do anything.
FUNCTIONS = (Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER)
# The tables of U8: what the law asks of a party's people, and what it lets them keep silent about.
ON_THE_LAW = ("duties", "privileges")
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


def without_words(item: Item, scope: AnswerScope, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known, without the words in its tables."""
    values = dict(known)
    for field in item.fields_of(scope):
        written = {column.key for column in field.columns if column.type in WRITTEN}
        if written and field.key in known:
            values[field.key] = [
                {key: value for key, value in row.items() if key not in written}
                for row in known[field.key]
            ]
    return values


def _shared(loaded: LoadedChecklist, item: Item) -> dict[str, Any]:
    """Return the ways of working (M3), the days (M19), or a row for each member of the team."""
    if loaded.checklist.kind is ChecklistKind.TERMS and item.code == "M3":
        return {"in_scope": sorted(mode.value for mode in loaded.surroundings.modes)}
    if loaded.checklist.kind is ChecklistKind.TERMS and item.code == "M19":
        head = loaded.cooperation
        days = (("start", head.starts_on), ("review", head.review_on), ("end", head.ends_on))
        return {key: day.isoformat() for key, day in days if day is not None}
    table = nameable.team_table(item)
    if table is None or not loaded.surroundings.team:
        return {}
    return {table[0].key: [{table[1].key: person} for person in _team(loaded)]}


def with_joined(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an answer's values with a row for each person on the team who joined since (V5, V13).

    Not everybody writes a part of the report (V19): there only those have a new row who joined the
    team after the answer was saved.
    """
    current = loaded.sheet.shared(item.code)
    table = nameable.team_table(item) if scope is AnswerScope.SHARED else None
    if table is None or current is None or current.is_empty or current.not_applicable:
        return dict(values)
    key, column = table[0].key, table[1].key
    rows = list(values.get(key) or ())
    named = {row.get(column) for row in rows}
    joined = loaded.surroundings.joined
    new = [
        {column: person}
        for person in _team(loaded)
        if person not in named
        and (nameable.needs_each(item) or _is_later(joined.get(UUID(person)), current.saved_at))
    ]
    return {**values, key: [*rows, *new]} if new else dict(values)


def _is_later(joined_at: dt.datetime | None, saved_at: dt.datetime) -> bool:
    return joined_at is not None and joined_at > saved_at


def _of_party(loaded: LoadedChecklist, actor: Actor, item: Item) -> dict[str, Any]:
    """Return those of a party's people who must sign an undertaking (C2).

    Of a CSO everybody who takes part, of the NPM its outside experts. Of duties to report and
    rights to keep silent (U8) return one row for the whole team, without what it says. What people
    do is in the language of the text, as it is signed.
    """
    party = loaded.own_party(actor)
    if loaded.checklist.kind is ChecklistKind.URGENT_PLAN and item.code == "U8":
        with in_language_of(loaded):
            everyone = str(_("Everyone on our team"))
        return {key: [{"profession": everyone}] for key in ON_THE_LAW}
    is_list = loaded.checklist.kind is ChecklistKind.CONFIDENTIALITY and item.code == "C2"
    if not is_list or party is None:
        return {}
    people = [
        person
        for person in by_user(taking_part(loaded.cooperation.id)).values()
        if person.organisation_id == party.organisation_id and person.needs_clearance
    ]
    with in_language_of(loaded):
        rows = [
            {
                "person": str(person.user_id),
                "function": person.function or _role_words(person),
                "organisation": str(party.organisation_id),
            }
            for person in people
        ]
    return {"listed": "people", "persons": rows} if rows else {}


def _role_words(person: Person) -> str:
    """Return what somebody does by their roles; empty if they are only a member."""
    roles = [str(ROLES[role]) for role in FUNCTIONS if role in person.roles]
    return with_commas(roles)


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
