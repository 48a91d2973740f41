"""Lead, team and audience as the roles checklist names them (V2 to V4), stored as rows."""

import datetime as dt
from collections.abc import Collection, Iterable
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import TAKE_NO_PART, Actor, Role
from tracker.accounts import queries as accounts
from tracker.activity import verbs
from tracker.activity.service import DomainEvent, lock_chain, record
from tracker.activity.stale import Stale, mark
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.heads import load_heads
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist
from tracker.checklists.policy import LET_IN
from tracker.checklists.queries import VISIT
from tracker.checklists.rules.values import as_date, as_id
from tracker.cooperations import audiences, people
from tracker.cooperations.audiences import Listing
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.undertakings.people import npm_ids
from tracker.visits import messages, queries, readiness
from tracker.visits.models import TeamMember, Visit
from tracker.visits.policy import PLANNERS
from tracker.visits.stages import PREPARED

# The items of the roles that say who leads, who is on the team and who may know.
ITEMS = LET_IN


def follow_answer(event: DomainEvent) -> None:
    """Update who leads, who is on the team and who may know.

    Handler of ANSWER_SAVED.
    """
    if (
        event.details.get("kind") != ChecklistKind.VISIT_ROLES.value
        or event.details.get("item") not in ITEMS
    ):
        return
    checklist = db.session.get_one(Checklist, event.subject_id)
    if checklist.visit_id is not None:
        take_over(db.session.get_one(Visit, checklist.visit_id))


def follow_people(event: DomainEvent) -> None:
    """Have the teams of a cooperation's visits updated when somebody leaves or joins.

    A handler.
    """
    if event.cooperation_id is not None:
        visits = queries.prepared(Visit.cooperation_id == event.cooperation_id)
        mark(Stale.TEAM, [visit.id for visit in visits], event.actor)


def follow_person(event: DomainEvent) -> None:
    """Have the teams of a person's visits updated when their account or roles change.

    A handler. For events about the person anywhere in the instance: suspended or restored, or a
    role given, begun or ended. While away, somebody whom V2 names can't see the visit.
    """
    visits = queries.prepared(queries.with_person(event.subject_id))
    mark(Stale.TEAM, [visit.id for visit in visits], event.actor)


def bring_up_to_date(visit_id: UUID, _actor: Actor | None) -> None:
    """Bring audience, team and parties in line with V2 to V4 (Stale.TEAM)."""
    visit = db.session.get_one(Visit, visit_id)
    lock_chain(visit.cooperation_id)
    db.session.refresh(visit)
    take_over(visit)


def take_over(visit: Visit) -> None:
    """Bring audience, team and the checklists' parties in line with V2 to V4.

    Once the team has left, or the visit is stopped, everything stays as it was.
    """
    if visit.stage not in PREPARED:
        return
    own = checklists_of(visit)
    load_heads(list(own.values()))
    roles = load(own[ChecklistKind.VISIT_ROLES])
    audiences.set_audience(
        visit.cooperation_id,
        VISIT,
        visit.id,
        _audience(visit, roles),
        number=visit.number,
    )
    note_lead(visit, leads=_leads(visit, roles) & roles.surroundings.npm_people)
    members = _set_team(visit, roles)
    set_parties(visit, roles.cooperation, own.values(), members)


_OF_VISIT = sa.select(Checklist).where(Checklist.visit_id == sa.bindparam("visit_id"))


def checklists_of(visit: Visit) -> dict[ChecklistKind, Checklist]:
    """Return the checklists of a visit by kind."""
    rows = db.session.scalars(_OF_VISIT, {"visit_id": visit.id})
    return {row.kind: row for row in rows}


def set_parties(
    visit: Visit,
    cooperation: Cooperation,
    own: Iterable[Checklist],
    members: Iterable[TeamMember],
) -> None:
    """Set the parties of a visit's checklists: the NPM and each CSO with people on the team.

    The heads of the checklists are loaded with their parties, and with those of the cooperation.
    """
    parties = readiness.signing_parties(people.parties(cooperation), members, visit.planned_at)
    wanted = [party.organisation_id for party in parties]
    for checklist in own:
        if [party.organisation_id for party in checklist.parties] != wanted:
            checklists.set_parties(checklist, wanted)


def _audience(visit: Visit, roles: LoadedChecklist) -> list[Listing]:
    """Return who is listed: people in V2 who take part, and always planner, lead and in charge.

    Only one of the NPM's own people can lead: a lead sees the planning without a clearance.
    """
    planned_on = visit.planned_at.astimezone(clock.zone()).date()
    leads = _leads(visit, roles)
    days: dict[UUID, dt.date] = {}
    for row in roles.sheet.value("V2", "audience") or ():
        person, day = as_id(row.get("person")), as_date(row.get("from"))
        if person is not None and day is not None:
            days[person] = min(day, days.get(person, day))
    for always in (visit.planned_by_id, *leads):
        if always in roles.surroundings.npm_people:
            days[always] = min(planned_on, days.get(always, planned_on))
    return [
        (person, day, person in leads and person in roles.surroundings.npm_people)
        for person, day in days.items()
        if person in roles.people
    ]


def _leads(visit: Visit, roles: LoadedChecklist) -> set[UUID]:
    """Return who leads (V3), and who was put in charge since (adr 122)."""
    lead = as_id(roles.sheet.value("V3", "lead"))
    return {person for person in (lead, visit.in_charge_id) if person is not None}


def note_lead(visit: Visit, *, leads: Collection[UUID] = ()) -> None:
    """Note whether a visit needs somebody in charge; if so, tell those who can choose them.

    leads are people of the NPM who lead it and take part: with one of them it needs nobody, and
    nothing is read. Once for each time.
    """
    needs_lead = not leads and is_without_lead(visit)
    if needs_lead is visit.needs_lead:
        return
    visit.needs_lead = needs_lead
    db.session.flush()
    if needs_lead:
        cooperation = db.session.get_one(Cooperation, visit.cooperation_id)
        messages.lead_is_needed(cooperation.reference, _who_can_put_in_charge(cooperation.id))


def is_without_lead(visit: Visit) -> bool:
    """Return whether nobody of the NPM who can open a visit today may change it.

    They left the cooperation, their role ended, or their account is suspended; then nobody can hand
    it over either.
    """
    today = clock.today()
    listed = {
        row.user_id: row.leads
        for row in audiences.days(VISIT, visit.id).rows
        if row.leads or row.from_on <= today
    }
    for person in people.people(visit.cooperation_id):
        leads = listed.get(person.user_id)
        if leads is None or not person.is_npm_staff:
            continue
        if person.roles & PLANNERS or (leads and person.roles - TAKE_NO_PART):
            return False
    return True


def _who_can_put_in_charge(cooperation_id: UUID) -> set[UUID]:
    """Return the NPM's managers, and its coordinators: those of the cooperation, if it has any."""
    coordinators = {person.user_id for person in people.coordinators_for_npm(cooperation_id)}
    roles = {Role.MANAGER} if coordinators else set(PLANNERS)
    return coordinators | accounts.people_with_role(npm_ids(cooperation_id), roles, can_act=True)


def _set_team(visit: Visit, roles: LoadedChecklist) -> list[TeamMember]:
    """Set the team to the people in V4 with lead and deputy; record TEAM_CHANGED if it changed."""
    rows = {row.user_id: row for row in queries.team_of(visit.id)}
    wanted = _team(roles, rows)
    changed = wanted != {user_id: row.organisation_id for user_id, row in rows.items()}
    for user_id in rows.keys() - wanted.keys():
        db.session.delete(rows.pop(user_id))
    for user_id, organisation_id in wanted.items():
        row = rows.get(user_id)
        if row is None:
            row = TeamMember(visit_id=visit.id, user_id=user_id, joined_at=clock.now())
            db.session.add(row)
            rows[user_id] = row
        row.organisation_id = organisation_id
    db.session.flush()
    if changed:
        record(
            verbs.TEAM_CHANGED,
            actor=None,
            subject_type=VISIT,
            subject_id=visit.id,
            cooperation_id=visit.cooperation_id,
            number=visit.number,
        )
    return list(rows.values())


def _team(roles: LoadedChecklist, rows: dict[UUID, TeamMember]) -> dict[UUID, UUID]:
    """Return each person on the team with the party they are on it for.

    People who have left stay on the team, to be seen and removed.
    """
    named = [as_id(row.get("person")) for row in roles.sheet.value("V4", "team") or ()]
    named += [as_id(roles.sheet.value("V3", key)) for key in ("lead", "deputy")]
    people = [user_id for user_id in named if user_id is not None]
    left = {user_id: rows[user_id].organisation_id for user_id in people if user_id in rows}
    return left | parties_of(roles, people)


def parties_of(roles: LoadedChecklist, user_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return for which party each of these people is on the team; only of those who take part.

    Somebody of several parties is on it for the one that V4 names, else for the one that counts by
    itself (people.by_user).
    """
    named: dict[UUID | None, list[UUID | None]] = {}
    for row in roles.sheet.value("V4", "team") or ():
        named.setdefault(as_id(row.get("person")), []).append(as_id(row.get("organisation")))
    return {
        user_id: roles.people[user_id].counts_for(named.get(user_id, ()))
        for user_id in user_ids
        if user_id in roles.people
    }
