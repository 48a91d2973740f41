"""Service functions for a joint visit: plan, change, stop, override a gate; event handlers.

In one file: planning, changing and rechecking lock and read the same rows in the same order.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import selectinload

from tracker.access.actor import TAKE_NO_PART, Actor
from tracker.access.decision import YES, Decision, no
from tracker.activity import verbs
from tracker.activity.chain import visit_chain_digest
from tracker.activity.service import (
    DomainEvent,
    bind_visit,
    end_of_visit_chain,
    lock_chain,
    record,
    start_visit_chain,
)
from tracker.activity.stale import Stale, mark
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.heads import lock
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.policy import is_open
from tracker.checklists.queries import VISIT, stopped_today
from tracker.checklists.rules.consistency import KIND_OF_PLACE, is_of_former_place
from tracker.cooperations import audiences, clearances, people
from tracker.cooperations.models import AudienceMember, Cooperation
from tracker.cooperations.people import Person
from tracker.cooperations.queries import modes
from tracker.core import clock, logs
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError, is_unreadable
from tracker.lifecycle import bound as lifecycle_bound
from tracker.lifecycle import policy as lifecycle
from tracker.lifecycle import queries as cooperations
from tracker.visits import (
    beginnings,
    bound,
    labels,
    messages,
    policy,
    queries,
    readiness,
    shown,
    stages,
    team,
)
from tracker.visits.beginnings import TextPlan
from tracker.visits.encryption import (
    Plan,
    plan_is_over,
    plan_of,
    put_plan,
    to_excuse,
)
from tracker.visits.facts import MemberFact
from tracker.visits.models import GateOverride, TeamMember, Visit, VisitStage
from tracker.visits.readiness import Reading

logger = logging.getLogger(__name__)

MAX_PLACE = 200
MAX_REASON = 2000
MAX_HOW = 200
ROLES = ChecklistKind.VISIT_ROLES
SHARED = AnswerScope.SHARED
LATER = TextPlan()


@dataclass(frozen=True, slots=True)
class Member:
    """A person on the team as planned (V4)."""

    user_id: UUID
    skill: str = ""
    languages: str = ""


@dataclass(frozen=True, slots=True)
class AudienceEntry:
    """A person who may know place and dates, and from which day (V2)."""

    user_id: UUID
    from_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """Who leads, who is on the team, and who may know (V2 to V4)."""

    lead_id: UUID
    deputy_id: UUID
    members: tuple[Member, ...]
    audience: tuple[AudienceEntry, ...]
    # What the team lacks, and why.
    gaps: str = ""
    # Whether everyone on the team may know too, from today on unless listed with a day.
    team_knows: bool = False


# Plan ---------------------------------------------------------------------------------------------


def can_plan(actor: Actor, cooperation: Cooperation) -> Decision:
    """Decide whether a person may plan a visit now (J1, G5).

    The cooperation's parties must be loaded. The planner is in the audience, so they have to take
    part.
    """
    # What the cooperation allows is read only for people whose role lets them plan.
    decision = policy.can_plan(actor, npm_ids(cooperation), YES) and can_be_planned(cooperation)
    if decision and actor.user_id not in {
        person.user_id for person in people.people(cooperation.id)
    }:
        return no(
            _l(
                "To plan a visit you must be part of the cooperation. Ask a coordinator of the "
                "NPM to add you."
            )
        )
    return decision


def can_be_planned(cooperation: Cooperation) -> Decision:
    """Decide whether a cooperation allows another visit now, whoever plans it (J1, G5)."""
    if any(text.is_terms for text in stopped_today(cooperation.id)):
        return no(_l("The agreed terms are stopped by notice from today on."))
    # The terms are judged only where the cooperation's own row allows a visit.
    may_have_visits = lifecycle.has_visits(
        cooperation.stage, modes(cooperation), cooperation.questions
    )
    if not may_have_visits:
        return may_have_visits
    facts = cooperations.facts_of(cooperation)
    agrees = cooperation.id in lifecycle_bound.agreeing([cooperation])
    facts = replace(facts, agrees=agrees)
    return lifecycle.can_plan_visit(facts, lifecycle.gates(facts))


def npm_ids(cooperation: Cooperation) -> frozenset[UUID]:
    """Return the NPM bodies that decide today, so no joining ones; the parties are loaded."""
    return frozenset(
        party.organisation_id for party in people.parties(cooperation) if party.is_of_npm
    )


def plan_visit(
    actor: Actor,
    cooperation: Cooperation,
    *,
    kind: Mapping[str, Any],
    announced: str,
    plan: Plan,
    team_plan: TeamPlan,
    visit_id: UUID | None = None,
    texts: TextPlan = LATER,
) -> Visit:
    """Plan a joint visit, start its checklists 3 and 4, and return it.

    Place and dates are encrypted with the cooperation's key. kind is stored in V1, announced and
    audience in V2, lead and deputy in V3, the team in V4: the roles are the only place for them.
    visit_id is made by the form, so that a form that is sent twice finds the visit it has already
    planned. texts says how its checklists begin, by default that this is chosen later (adr 125).
    Raise RefusedError for anyone who may not plan one now, RuleBrokenError with the field that is
    invalid.
    """
    can_plan(actor, cooperation).require()
    tidy = _checked_plan(plan, before=None)
    _check_people(cooperation, team_plan)
    _take_turn(cooperation.id)
    planned = db.session.get(Visit, visit_id) if visit_id else None
    if planned is not None:
        if (planned.cooperation_id, planned.planned_by_id) == (cooperation.id, actor.user_id):
            return planned
        visit_id = None
    visit = Visit(
        id=visit_id or uuid4(),
        cooperation_id=cooperation.id,
        number=_next_number(cooperation.id),
        planned_at=clock.now(),
        planned_by_id=actor.user_id,
    )
    put_plan(visit, tidy)
    db.session.add(visit)
    db.session.flush()
    own_chain = start_visit_chain(visit.id)
    evidence = visit_chain_digest(own_chain.id, visit.id)
    _record(verbs.VISIT_PLANNED, actor, visit, evidence=evidence)
    roles = _start_checklists(actor, cooperation, visit, team_plan)
    texts = beginnings.fitting(actor, roles, texts)
    completed = _with_known(actor, roles, team_plan, texts)
    _write_answers(actor, roles, kind, announced, completed)
    beginnings.begin(actor, visit, texts)
    _judge_again(visit, actor)
    return visit


def _with_known(actor: Actor, roles: Checklist, planned: TeamPlan, texts: TextPlan) -> TeamPlan:
    """Return a plan with what is known of the people on the team, where nothing was written."""
    typed = {
        member.user_id: beginnings.Known(member.skill.strip(), member.languages.strip())
        for member in planned.members
    }
    for user_id in (planned.lead_id, planned.deputy_id):
        typed.setdefault(user_id, beginnings.Known())
    known = beginnings.complete(actor, roles, typed, texts)
    for user_id, words in _words_for_leaders(planned):
        known[user_id] = known[user_id].completed_by(beginnings.Known(skill=words))
    return replace(
        planned,
        members=tuple(Member(user_id, own.skill, own.languages) for user_id, own in known.items()),
    )


def _words_for_leaders(planned: TeamPlan) -> tuple[tuple[UUID, str], ...]:
    """Return lead and deputy, each with the skill that is written if no other is known."""
    lead, deputy = beginnings.LEADERS
    return (planned.lead_id, str(lead)), (planned.deputy_id, str(deputy))


def _start_checklists(
    actor: Actor, cooperation: Cooperation, visit: Visit, planned: TeamPlan
) -> Checklist:
    """Start the visit's roles and urgent-action plan, and return the roles."""
    taking_part = people.by_user(people.people(cooperation.id)).values()
    chosen = _chosen(planned)
    in_team = {person.organisation_id for person in taking_part if person.user_id in chosen}
    parties = _parties_with(cooperation, in_team, visit.planned_at)
    started = [
        checklists.start(actor, cooperation.id, kind, parties, visit.id, visit.number)
        for kind in (ROLES, ChecklistKind.URGENT_PLAN)
    ]
    return started[0]


def _write_answers(
    actor: Actor,
    roles: Checklist,
    kind: Mapping[str, Any],
    announced: str,
    planned: TeamPlan,
) -> None:
    # The team first: the parties of the checklists follow it.
    for item, values in {
        "V4": _team_values(load(roles), planned),
        "V3": _lead_values(planned),
        "V2": {"announced": announced, **_audience_values(actor.user_id, planned)},
        "V1": dict(kind),
    }.items():
        checklists.save_answer(actor, roles, item, SHARED, values, base_version=0)


def _lead_values(planned: TeamPlan) -> dict[str, Any]:
    return {"lead": str(planned.lead_id), "deputy": str(planned.deputy_id)}


def _team_values(roles: LoadedChecklist, planned: TeamPlan) -> dict[str, Any]:
    """Return V4 with lead and deputy in it, each person with the party they are on the team for.

    What else V4 says about a person, such as when a term of their own ends, stays.
    """
    before = {row.get("person"): row for row in roles.sheet.value("V4", "team") or ()}
    skills = {member.user_id: member for member in planned.members}
    for user_id, words in _words_for_leaders(planned):
        skills.setdefault(user_id, Member(user_id, words))
    parties = team.parties_of(roles, skills)
    team_values: dict[str, Any] = {
        "team": [
            _without_blanks(
                before.get(str(person.user_id), {})
                | {
                    "person": str(person.user_id),
                    "organisation": str(parties[person.user_id]),
                    "skill": person.skill.strip(),
                    "languages": person.languages.strip(),
                }
            )
            for person in skills.values()
        ]
    }
    gaps = planned.gaps.strip()
    return team_values | {"gaps": gaps} if gaps else team_values


def _audience_values(
    planner_id: UUID | None, planned: TeamPlan, first: dt.date | None = None
) -> dict[str, Any]:
    """Return the audience with the planner, lead and deputy in it, and the team if that was chosen.

    No day means from today on. Who joins the team after the visit has begun may know since then,
    its first day, as all of the team.
    """
    today = min(clock.today(), first or clock.today())
    days = {person.user_id: person.from_on or today for person in planned.audience}
    team = [member.user_id for member in planned.members] if planned.team_knows else []
    for user_id in (planner_id, planned.lead_id, planned.deputy_id, *team):
        if user_id is not None:
            days.setdefault(user_id, today)
    return {
        "audience": [
            {"person": str(user_id), "from": day.isoformat()} for user_id, day in days.items()
        ]
    }


def _without_blanks(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in cells.items() if value}


def _chosen(planned: TeamPlan) -> set[UUID]:
    """Return the people on the planned team."""
    return {member.user_id for member in planned.members} | {planned.lead_id, planned.deputy_id}


def _parties_with(
    cooperation: Cooperation, in_team: Iterable[UUID], planned_at: dt.datetime
) -> list[UUID]:
    """Return the parties of the checklists: the NPM, and each CSO with people on the team."""
    members = [TeamMember(organisation_id=organisation_id) for organisation_id in in_team]
    parties = readiness.signing_parties(people.current(cooperation.id), members, planned_at)
    return [party.organisation_id for party in parties]


def _checked_plan(plan: Plan, before: Plan | None) -> Plan:
    """Return a tidied plan whose days are in order, and not in the past unless unchanged."""
    place = plan.place.strip()
    if not place:
        raise RuleBrokenError(_l("Enter the place"), "place")
    if len(place) > MAX_PLACE:
        raise RuleBrokenError(_l("Use at most %(most)s characters", most=MAX_PLACE), "place")
    if plan.ends_on < plan.starts_on:
        if before is not None and plan.ends_on == before.ends_on:
            # The first day was moved, and the last day left as the form showed it.
            raise RuleBrokenError(
                _l(
                    "The visit would end before its new first day. Change the last day too, or "
                    "leave it empty if the visit takes one day."
                ),
                "ends_on",
            )
        raise RuleBrokenError(_l("The last day can't come before the first."), "ends_on")
    is_same_day = before is not None and before.starts_on == plan.starts_on
    if plan.starts_on < clock.today() and not is_same_day:
        raise RuleBrokenError(_l("The first day has passed. Choose a future day."), "starts_on")
    # Otherwise a visit that was ready would count as ready for a place or days for which it never
    # was.
    if plan.ends_on < clock.today():
        raise RuleBrokenError(_l("The last day has passed. Choose a future day."), "ends_on")
    return Plan(place, plan.starts_on, plan.ends_on)


def _check_people(cooperation: Cooperation, planned: TeamPlan) -> None:
    """Refuse people who do not take part, are named twice, or can't lead (E25, E37)."""
    taking_part = people.by_user(people.people(cooperation.id))
    for field, user_id in (("lead_id", planned.lead_id), ("deputy_id", planned.deputy_id)):
        person = taking_part.get(user_id)
        if person is None or not person.is_npm_staff:
            raise RuleBrokenError(_l("Choose a member or staff of the NPM."), field)
    if planned.lead_id == planned.deputy_id:
        raise RuleBrokenError(
            _l("The lead and the deputy have to be different people."), "deputy_id"
        )
    for field, chosen in (
        ("members", [member.user_id for member in planned.members]),
        ("audience", [person.user_id for person in planned.audience]),
    ):
        if not taking_part.keys() >= set(chosen):
            raise RuleBrokenError(_l("Choose people who take part in the cooperation."), field)
        if len(set(chosen)) < len(chosen):
            raise RuleBrokenError(_l("Name each person once."), field)


def _next_number(cooperation_id: UUID) -> int:
    last = db.session.scalar(
        sa.select(sa.func.max(Visit.number)).where(Visit.cooperation_id == cooperation_id)
    )
    return (last or 0) + 1


# Change -------------------------------------------------------------------------------------------


def change_plan(
    actor: Actor, visit: Visit, *, version: int | None, plan: Plan, place_type: str = ""
) -> bool:
    """Change place and dates; return False if nothing differs.

    version is the one the person saw: raise StaleError if somebody else has changed it since.
    Everybody to whom the visit is open is notified that something changed. Tasks (V5) and the
    urgent-action plan (V20) have to be accepted and confirmed again: they were for another place or
    other days. At another place, letters of access (V13) and a briefing that was held (V18) don't
    count. A form that was opened before accepts and confirms nothing, since the visit's version is
    part of its mark.

    place_type is the type of the place as the person says; empty if they don't. At another place V1
    holds if it says the same; otherwise the type is unknown until V1 is saved again (adr 62).
    """
    roles = _lock_checklists(visit)
    _require_change(actor, visit)
    before = plan_of(visit)
    tidy = _checked_plan(plan, before)
    kind_asked_at = _kind_asked_at(load(roles), before, tidy, place_type)
    is_same_kind = kind_asked_at == before.kind_asked_at
    if tidy == before and is_same_kind:
        return False
    if visit.version != version:
        raise StaleError(
            _l("Somebody else changed the plan in the meantime. Compare both and choose.")
        )
    moved_at = before.moved_at if tidy == before else clock.now()
    place_changed_at = before.place_changed_at if tidy.place == before.place else moved_at
    put_plan(
        visit,
        replace(
            tidy,
            moved_at=moved_at,
            place_changed_at=place_changed_at,
            kind_asked_at=kind_asked_at,
        ),
    )
    visit.version += 1
    db.session.flush()
    changed = [] if tidy.place == before.place and is_same_kind else ["place"]
    if (tidy.starts_on, tidy.ends_on) != (before.starts_on, before.ends_on):
        changed.append("dates")
    _record(verbs.VISIT_CHANGED, actor, visit, changed=changed)
    # Some rules of both checklists depend on the days.
    for checklist in team.checklists_of(visit).values():
        checklists.count_again(checklist)
    _tell(visit, _to_whom_it_is_open(visit))
    _judge_again(visit, actor)
    return True


def _kind_asked_at(
    roles: LoadedChecklist, before: Plan, after: Plan, place_type: str
) -> dt.datetime | None:
    """Return since when the type of place (V1) has to be answered again; None: it holds."""
    answer = roles.sheet.shared(KIND_OF_PLACE)
    if answer is None:
        return None
    if place_type and place_type == answer.values.get("place_type"):
        return None
    is_asked_already = is_of_former_place(answer.saved_at, before.kind_asked_at)
    if after.place == before.place and (not place_type or is_asked_already):
        return before.kind_asked_at
    return clock.now()


def change_team(
    actor: Actor, visit: Visit, *, versions: Mapping[str, int], planned: TeamPlan
) -> bool:
    """Change lead, deputy, team and audience in the roles (V2 to V4); False if nothing differs.

    versions are those of the items that the person saw: raise StaleError if one was saved since.
    Once the roles are pending or in force a change needs an amendment (RefusedError).
    """
    roles = _lock_checklists(visit)
    _require_change(actor, visit)
    cooperation = _cooperation(visit)
    _check_people(cooperation, planned)
    before = load(roles)
    changes = _changes(visit, before, planned)
    for item in changes:
        is_open(roles.state, roles.open_items, item).require()
    if changes and any(version_of(before, item) != versions.get(item) for item in team.ITEMS):
        raise StaleError(
            _l("Somebody else changed the team in the meantime. Compare both and choose.")
        )
    if "V4" in changes:
        in_team = team.parties_of(before, _chosen(planned)).values()
        joining = [*_parties_with(cooperation, in_team, visit.planned_at), *_parties_now(before)]
        wanted = [
            party.organisation_id
            for party in people.parties(cooperation)
            if party.organisation_id in joining
        ]
        if wanted != _parties_now(before):
            checklists.set_parties(roles, wanted)
    for item, values in changes.items():
        checklists.save_answer(
            actor, roles, item, SHARED, values, base_version=version_of(before, item)
        )
    if changes:
        _judge_again(visit, actor)
    return bool(changes)


def _lock_checklists(visit: Visit) -> Checklist:
    """Lock a visit's checklists, and return the roles.

    Answering an item locks its checklist before the chain of events, so a verb that changes both
    does the same, to avoid deadlocks.
    """
    own = team.checklists_of(visit)
    lock(own[ROLES], own[ChecklistKind.URGENT_PLAN])
    return own[ROLES]


def version_of(roles: LoadedChecklist, item: str) -> int:
    """Return the version of an item's current answer; 0 if there is none."""
    shared = roles.sheet.shared(item)
    return shared.version if shared else 0


def _changes(visit: Visit, before: LoadedChecklist, planned: TeamPlan) -> dict[str, dict[str, Any]]:
    """Return the items that the new team changes, with everything else in them unchanged."""
    planner_id = visit.planned_by_id if visit.planned_by_id in before.people else None
    wanted = {
        "V4": _team_values(before, planned),
        "V3": _lead_values(planned),
        "V2": _audience_values(planner_id, planned, plan_of(visit).starts_on),
    }
    changes: dict[str, dict[str, Any]] = {}
    for item, values in wanted.items():
        shared = before.sheet.shared(item)
        new_values = dict(shared.values) if shared else {}
        if {**new_values, **values} != new_values:
            changes[item] = {**new_values, **values}
    return changes


def _parties_now(roles: LoadedChecklist) -> list[UUID]:
    return [party.organisation_id for party in roles.surroundings.parties]


def stop(actor: Actor, visit: Visit, *, reason: str) -> bool:
    """Stop a visit with a reason, for good; return False if it was already stopped.

    The reason is stored in the trail, so it has to name no place, no date and no person. Its texts
    stop too: those that wait for signatures are called back, without a mail of their own, and
    nothing on them waits for anybody any more.
    """
    _lock_checklists(visit)
    db.session.refresh(visit)
    if visit.stage is VisitStage.STOPPED:
        return False
    _require_change(actor, visit)
    _stop(actor, visit, _reason(reason))
    return True


def _stop(actor: Actor | None, visit: Visit, reason: str) -> None:
    """Stop a visit whose checklists are locked; without a reason, because the cooperation ended."""
    visit.stage, visit.is_ready, visit.ready_at = VisitStage.STOPPED, False, None
    visit.stopped_reason = reason
    visit.version += 1
    db.session.flush()
    _record(verbs.VISIT_STOPPED, actor, visit, reason=reason)
    for checklist in team.checklists_of(visit).values():
        checklists.count_again(checklist)
        if checklist.state is ChecklistState.SENT:
            why = reason or str(labels.STOPPED_WITH_COOPERATION)
            agreements.withdraw_request(actor, checklist, why)
    _tell(visit, _who_knows(visit))


def override(actor: Actor, visit: Visit, *, reason: str, mark: str) -> GateOverride:
    """Override J3 for requirements of the NPM's own people, with a name and a reason.

    mark is the page's (shown.override_mark): raise StaleError if something else was missing on it,
    so that nobody excuses what they were not shown. Raise RefusedError for anyone but a manager of
    the NPM, and RuleBrokenError if something is missing that is required of others: a CSO's people
    who are not cleared leave the team first.
    """
    _take_turn(visit.cooperation_id)
    db.session.refresh(visit)
    is_over = plan_is_over(visit, clock.today())
    policy.can_override(actor, npm_ids(_cooperation(visit)), visit.stage, is_over=is_over).require()
    reading = readiness.read(visit)
    parts, decision = policy.to_excuse(reading.judgement)
    if not decision:
        raise RuleBrokenError(decision.reason)
    shown.require_override(
        actor,
        reading,
        mark,
        _l(
            "The missing requirements changed after you opened the page, so nothing was "
            "overridden. Read the list as it is now. Your reason is below."
        ),
    )
    tidy = _reason(reason)
    row = GateOverride(
        visit_id=visit.id,
        user_id=actor.user_id,
        reason=tidy,
        at=clock.now(),
        excused=to_excuse(visit, parts),
    )
    db.session.add(row)
    db.session.flush()
    _record(verbs.GATE_OVERRIDDEN, actor, visit, gate="J3", reason=tidy)
    # Who prepares the visit is told as it becomes ready.
    _tell(visit, _to_whom_it_is_open(visit) - _who_prepares(visit) - {actor.user_id})
    _judge_again(visit, actor)
    return row


def _reason(reason: str) -> str:
    return _required(reason, "reason", _l("Give the reason."), most=MAX_REASON)


def _required(text: str, field: str, ask: object, *, most: int) -> str:
    """Return a text without outer spaces; raise RuleBrokenError if it is empty or too long."""
    tidy = text.strip()
    if not tidy:
        raise RuleBrokenError(ask, field)
    if len(tidy) > most:
        raise RuleBrokenError(_l("Use at most %(most)s characters", most=most), field)
    return tidy


# Put in charge ------------------------------------------------------------------------------------


def can_put_in_charge(actor: Actor, cooperation: Cooperation, visit: Visit) -> Decision:
    """Decide whether a person may put somebody in charge of a visit now (adr 122)."""
    return policy.can_put_in_charge(
        actor,
        npm_ids(cooperation),
        visit.stage,
        cooperation_stage=cooperation.stage,
        needs_lead=team.is_without_lead(visit),
    )


def who_can_take_charge(cooperation_id: UUID) -> list[Person]:
    """Return the NPM's own people who take part today, as people() does."""
    taking_part = people.by_user(people.people(cooperation_id)).values()
    return [person for person in taking_part if person.is_npm_staff and person.roles - TAKE_NO_PART]


def put_in_charge(actor: Actor, visit: Visit, user_id: UUID) -> None:
    """Put a person of the NPM in charge of a visit that nobody on its list can act on for it.

    They are listed from then on, and may change plan and team as the lead does. Raise RefusedError
    as policy.can_put_in_charge says, RuleBrokenError for anybody who isn't the NPM's own and takes
    part.
    """
    _lock_checklists(visit)
    _take_turn(visit.cooperation_id)
    db.session.refresh(visit)
    can_put_in_charge(actor, _cooperation(visit), visit).require()
    if user_id not in {person.user_id for person in who_can_take_charge(visit.cooperation_id)}:
        raise RuleBrokenError(_l("Choose a member or staff of the NPM."), "person")
    visit.in_charge_id = user_id
    visit.version += 1
    db.session.flush()
    _record(verbs.VISIT_PUT_IN_CHARGE, actor, visit)
    team.take_over(visit)
    _tell(visit, {user_id} - {actor.user_id})
    _judge_again(visit, actor)


# Each person for themselves -----------------------------------------------------------------------


def accept_role(actor: Actor, visit: Visit, *, mark: str) -> bool:
    """Accept the actor's own task and its limits (V5); return False if it was already accepted.

    mark is the page's (shown.task_mark): raise StaleError if it showed another version of V5,
    another place or other days.
    """
    reading, own = _own_fact(actor, visit)
    changed = _l(
        "The tasks, the place or the days changed after you opened the page, so nothing was "
        "saved. Read your task as it is now, then accept it."
    )
    return _accept_role(actor, reading, own, mark, changed)


def confirm_plan(actor: Actor, visit: Visit, *, mark: str) -> bool:
    """Confirm having read the urgent-action plan in force (V20); False if already done.

    mark is the page's (shown.plan_mark): raise StaleError if another revision was in force when it
    was opened, or the visit had another place or other days.
    """
    reading, own = _own_fact(actor, visit)
    changed = _l(
        "The urgent-action plan, the place or the days changed after you opened the page, so "
        "nothing was saved. Read the plan as it is now, then confirm it."
    )
    return _confirm_plan(actor, reading, own, mark, changed)


def _own_fact(actor: Actor, visit: Visit) -> tuple[Reading, MemberFact]:
    """Lock and read a visit for a person on its team.

    Return it with what is known about that person.
    """
    _lock_checklists(visit)
    db.session.refresh(visit)
    is_member = queries.is_member(actor, visit)
    is_over = plan_is_over(visit, clock.today())
    policy.can_answer_as_member(is_member=is_member, stage=visit.stage, is_over=is_over).require()
    reading = readiness.read(visit)
    members = reading.judgement.facts.members
    return reading, next(member for member in members if member.user_id == actor.user_id)


def can_record_for(actor: Actor, reading: Reading, member: MemberFact) -> Decision:
    """Decide whether a person who sees a visit records what somebody on its team confirms."""
    visit = reading.visit
    return policy.can_record_for(
        actor,
        npm_ids(reading.cooperation),
        visit.stage,
        leads=audiences.standing(actor, VISIT, visit.id).leads,
        is_over=reading.plan.is_over(clock.today()),
        signs_in=member.signs_in,
    )


def may_hear(reading: Reading, member: MemberFact) -> Decision:
    """Decide whether somebody on the team may hear of the visit today."""
    is_listed = member.user_id in _who_knows(reading.visit)
    return policy.may_hear(member, reading.judgement.facts.today, is_listed=is_listed)


def record_part(
    actor: Actor,
    visit: Visit,
    user_id: UUID,
    *,
    how: str,
    task_mark: str | None,
    plan_mark: str | None,
) -> bool:
    """Record that a person without an account accepts their task, knows the plan, or both.

    The person is on the team. how says how they were told, for example in which language. Each mark
    is the page's for that person (shown), or None for what isn't recorded now. Return False if all
    of it was confirmed already. Raise RefusedError for a person who has an account, who may not
    hear of the visit yet (G4), and for anyone who may not change the visit; RuleBrokenError with
    the field that is invalid; StaleError if the page showed something else.
    """
    _lock_checklists(visit)
    db.session.refresh(visit)
    reading = readiness.read(visit)
    members = reading.judgement.facts.members
    member = next(member for member in members if member.user_id == user_id)
    can_record_for(actor, reading, member).require()
    may_hear(reading, member).require()
    if task_mark is None and plan_mark is None:
        raise RuleBrokenError(_l("Choose at least one answer"))
    tidy = _required(how, "how", _l("Say how they were told"), most=MAX_HOW)
    changed = _l(
        "The tasks, the urgent-action plan, the place or the days changed after you opened the "
        "page, so nothing was saved. Read to them what the page shows now, then record it."
    )
    is_new = False
    if task_mark is not None:
        is_new = _accept_role(actor, reading, member, task_mark, changed, tidy)
    if plan_mark is not None:
        is_new = _confirm_plan(actor, reading, member, plan_mark, changed, tidy) or is_new
    return is_new


def _accept_role(
    actor: Actor, reading: Reading, member: MemberFact, mark: str, changed: object, how: str = ""
) -> bool:
    if not member.has_role:
        raise RuleBrokenError(_l("Your task hasn't been written down yet."))
    shown.require_task(actor, reading, member.user_id, mark, changed)
    return not member.role_accepted and _confirm(actor, reading, member, ("V5", "accepted"), how)


def _confirm_plan(
    actor: Actor, reading: Reading, member: MemberFact, mark: str, changed: object, how: str = ""
) -> bool:
    if not reading.judgement.facts.plan.is_signed:
        raise RuleBrokenError(
            _l("Not everyone has signed the urgent-action plan of this visit yet.")
        )
    shown.require_plan(actor, reading, member.user_id, mark, changed)
    return not member.plan_read and _confirm(actor, reading, member, ("V20", "read"), how)


def _confirm(
    actor: Actor, reading: Reading, member: MemberFact, field: tuple[str, str], how: str
) -> bool:
    """Save a person's confirmation; how says how somebody without an account gave it."""
    roles, (item, key) = reading.roles.checklist, field
    own = load(roles).sheet.of_person(item, member.user_id)
    base_version = own.version if own else 0
    if how:
        checklists.record_for_person(
            actor, roles, item, member.user_id, {key: True}, how=how, base_version=base_version
        )
    else:
        checklists.save_answer(
            actor, roles, item, AnswerScope.PERSON, {key: True}, base_version=base_version
        )
    return True


# Handlers and upkeep ------------------------------------------------------------------------------


def settle(visit: Visit) -> bool:
    """Bring stage and readiness in line with the gates; return True if something changed.

    A visit becomes ready only when all of J3 is met, and loses readiness immediately when that is
    no longer so. The lead and the NPM's coordinators who are listed for it (V2) are notified, in
    words that name no visit.
    Once its days have passed it stays as it was: papers and clearances run out then. One whose
    stage does not agree with its events keeps it and isn't ready: no event may be based on such a
    row. The same if what it needs can't be read or is missing. In a closed cooperation (P7) it is
    stopped: nobody can make it ready any more.
    """
    _take_turn(visit.cooperation_id)
    db.session.refresh(visit)
    if visit.stage not in stages.PREPARED:
        return False
    try:
        if plan_is_over(visit, clock.today()):
            return False
        # What people confirmed counts only as events bind it (V5, V20).
        bind_visit(visit.cooperation_id, visit.id)
        judgement = readiness.judge(visit)
    except Exception as error:
        if not is_unreadable(error):
            raise
        logs.log_damage(logger, error)
        return _set_readiness(visit, ready=False)
    if policy.ends_with_cooperation(judgement.facts) and visit.id in bound.in_stage([visit]):
        _lock_checklists(visit)
        _stop(None, visit, "")
        return True
    is_open = judgement.is_open
    after, ready = stages.stage_after(visit.stage, is_open), stages.is_ready(visit.stage, is_open)
    changes = (after, ready) != (visit.stage, visit.is_ready)
    if changes and visit.id not in bound.in_stage([visit]):
        after, ready = visit.stage, False
    moved = _set_stage(visit, after)
    return _set_readiness(visit, ready=ready) or moved


def _set_readiness(visit: Visit, *, ready: bool) -> bool:
    if ready == visit.is_ready:
        return False
    visit.is_ready, visit.ready_at = ready, clock.now() if ready else None
    db.session.flush()
    # Without an actor: it may have been the last missing action, by a person on the team
    # (class K2).
    if ready:
        end = end_of_visit_chain(visit.cooperation_id, visit.id)
        _record(verbs.VISIT_BECAME_READY, None, visit, evidence=end)
    else:
        _record(verbs.VISIT_LOST_READINESS, None, visit)
    # To anybody else the moment would tell whose act it was.
    preparing = _who_prepares(visit)
    if ready:
        _tell(visit, preparing)
    else:
        messages.readiness_was_lost(_reference(visit), preparing)
    return True


def _who_prepares(visit: Visit) -> set[UUID]:
    """Return the lead and the NPM's coordinators who are listed today."""
    listed = audiences.audience(VISIT, visit.id)
    leads = {row.user_id for row in listed if row.leads}
    coordinators = {person.user_id for person in people.coordinators_for_npm(visit.cooperation_id)}
    return leads | (coordinators & _listed_today(listed))


def _set_stage(visit: Visit, after: VisitStage) -> bool:
    before = visit.stage
    if after is before:
        return False
    visit.stage = after
    db.session.flush()
    _record(verbs.VISIT_STAGE_CHANGED, None, visit, before=before.value, after=after.value)
    return True


def prepared_ids() -> list[UUID]:
    """Return the visits being prepared, whose readiness may end with a day.

    For the worker.
    """
    return [visit.id for visit in queries.prepared()]


def follow(event: DomainEvent) -> None:
    """Evaluate a cooperation's visits again, or the one the checklist belongs to.

    A handler. The agreed terms matter through the cooperation's stage, and when they come into
    force: with their days and ways of working.
    """
    checklist = _checklist_of(event)
    if checklist is None:
        _mark(event, Visit.cooperation_id == event.cooperation_id)
    elif checklist.visit_id is not None:
        _mark(event, Visit.id == checklist.visit_id)
    elif checklist.kind is not ChecklistKind.TERMS or event.verb is verbs.CAME_INTO_FORCE:
        _mark(event, Visit.cooperation_id == event.cooperation_id)


def follow_draft(event: DomainEvent) -> None:
    """Evaluate again the visit whose roles were edited.

    A handler. For the other checklists the gates depend only on signing.
    """
    checklist = _checklist_of(event)
    if checklist is not None and checklist.kind is ROLES:
        follow(event)


def follow_person(event: DomainEvent) -> None:
    """Recompute the readiness of a person's visits when their account or roles change. A handler.

    For events about the person anywhere in the instance: suspended or restored, or a role given,
    begun or ended. Visit roles may name people who aren't in the team.
    """
    _mark(event, queries.with_person(event.subject_id))


def _mark(event: DomainEvent, where: sa.ColumnElement[bool]) -> None:
    visit_ids = (visit.id for visit in queries.prepared(where))
    mark(Stale.VISIT, visit_ids, event.actor)


def _judge_again(visit: Visit, actor: Actor | None) -> None:
    mark(Stale.VISIT, [visit.id], actor)


def recheck(visit_id: UUID, _actor: Actor | None = None) -> None:
    """Bring a visit's stage and readiness up to date."""
    settle(db.session.get_one(Visit, visit_id))


def judge_today(visit_id: UUID) -> None:
    """Bring a visit up to date with the day: who can act on it, stage and readiness.

    For the worker.
    """
    visit = db.session.get_one(Visit, visit_id)
    _take_turn(visit.cooperation_id)
    db.session.refresh(visit)
    team.note_lead(visit)
    settle(visit)


def _checklist_of(event: DomainEvent) -> Checklist | None:
    """Return the checklist an event is about, if it is about one."""
    if event.subject_type != "checklist":
        return None
    return db.session.get(Checklist, event.subject_id)


def _require_change(actor: Actor, visit: Visit) -> None:
    """Require that a person may change a visit, and lock it."""
    _take_turn(visit.cooperation_id)
    db.session.refresh(visit)
    leads = audiences.standing(actor, VISIT, visit.id).leads
    cooperation = _cooperation(visit)
    policy.can_change(
        actor, npm_ids(cooperation), visit.stage, cooperation_stage=cooperation.stage, leads=leads
    ).require()


def _cooperation(visit: Visit) -> Cooperation:
    return db.session.execute(
        sa.select(Cooperation)
        .where(Cooperation.id == visit.cooperation_id)
        .options(selectinload(Cooperation.parties))
    ).scalar_one()


def _take_turn(cooperation_id: UUID) -> None:
    """Wait until no other transaction writes to this cooperation, and make others wait.

    Every event of a cooperation locks its chain first, so whoever evaluates a visit sees what
    earlier transactions did.
    """
    lock_chain(cooperation_id)


def _who_knows(visit: Visit) -> set[UUID]:
    """Return who is listed today; people listed from a later day are not told yet."""
    return _listed_today(audiences.audience(VISIT, visit.id))


def _listed_today(rows: Iterable[AudienceMember]) -> set[UUID]:
    today = clock.today()
    return {row.user_id for row in rows if row.leads or row.from_on <= today}


def _to_whom_it_is_open(visit: Visit) -> set[UUID]:
    """Return who is listed today, takes part, and is cleared if they need it: who can look (K2)."""
    cleared = clearances.cleared_user_ids(visit.cooperation_id, visit.id)
    knowing = _who_knows(visit)
    return {
        person.user_id
        for person in people.people(visit.cooperation_id)
        if person.user_id in knowing and (not person.needs_clearance or person.user_id in cleared)
    }


def _tell(visit: Visit, user_ids: set[UUID]) -> None:
    messages.something_changed(_reference(visit), user_ids)


def _reference(visit: Visit) -> str:
    return db.session.get_one(Cooperation, visit.cooperation_id).reference


def _record(verb: verbs.Verb, actor: Actor | None, visit: Visit, **details: Any) -> None:
    record(
        verb,
        actor=actor,
        subject_type=VISIT,
        subject_id=visit.id,
        cooperation_id=visit.cooperation_id,
        number=visit.number,
        **details,
    )
