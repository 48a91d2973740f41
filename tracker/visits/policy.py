"""Who may plan, see, change and override a joint visit, and its gates J1 to J3. Pure.

As in product.md, section 6: J2 requires all required items of the roles except V13 and V20, which
J3 requires; an item of the roles that isn't required may stay empty, but has no gap once it is
begun. A standing condition (G5) applies when a visit is planned, not to one that is.

In one file: the gates, and the board that shows the same rules person by person.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no
from tracker.checklists import policy as checklists
from tracker.cooperations.agreed_ways import standing_plan_counts, visits_count
from tracker.cooperations.models import Stage
from tracker.cooperations.modes import can_have_visits
from tracker.cooperations.policy import ENDED as CLOSED
from tracker.lifecycle.policy import GateState
from tracker.undertakings.policy import may_have_mailed_codes
from tracker.visits.excusing import Shown, is_excusable, shown
from tracker.visits.facts import (
    Cell,
    CellCode,
    Excused,
    Facts,
    Gate,
    Interests,
    Judgement,
    MemberFact,
    Missing,
    MissingRequirement,
    OverrideFact,
    Requirement,
    RequirementKind,
    Row,
    Waived,
)
from tracker.visits.labels import in_words
from tracker.visits.models import VisitStage
from tracker.visits.stages import PREPARED

PLANNERS = frozenset({Role.COORDINATOR, Role.MANAGER})
# Who in a party is told that there is a visit they are not listed for.
TOLD = (Role.COORDINATOR, Role.MANAGER, Role.SIGNATORY)
# The items of the roles that gate J3 requires: credentials, and everybody knowing the plan.
ASKED_BY_J3 = frozenset({"V13", "V20"})


# Permissions --------------------------------------------------------------------------------------


def can_open_own_part(actor: Actor, *, is_member: bool, has_mailed_codes: bool) -> Decision:
    """Decide who may open their own part in a visit with a password and an emailed code.

    People of the team who have no second factor, where the NPM lets people sign undertakings in
    this way (product.md, 5.3): only members. Anybody else has to prove more.
    """
    if not is_member:
        return no(_l("You aren't on the team of this visit."))
    if actor.has_second_factor:
        return no(_l("You have a second factor. Sign in with it."))
    if not has_mailed_codes:
        return no(_l("The NPM doesn't let people in this cooperation use a code by email."))
    return may_have_mailed_codes(actor)


class Outline(enum.StrEnum):
    """How much of a visit a person sees on the page of its cooperation."""

    OPEN = "open"
    # Listed in V2, but without a clearance that covers the visit.
    NOT_CLEARED = "not_cleared"
    # They are told its number and its stage, and that they are not listed.
    NOT_LISTED = "not_listed"
    # An auditor: its number and its stage.
    STATE = "state"
    NOTHING = "nothing"


def outline(actor: Actor, *, is_open: bool, is_listed: bool) -> Outline:
    """Decide how much of a visit a person who sees the cooperation may know (product.md, 2 and 7).

    is_open says whether the planning is open to them: listed in V2 and cleared, the lead always.
    """
    if is_open:
        return Outline.OPEN
    if not actor.takes_part:
        return Outline.STATE
    if is_listed:
        return Outline.NOT_CLEARED
    return Outline.NOT_LISTED if actor.has(*TOLD) else Outline.NOTHING


def can_plan(actor: Actor, npm_ids: Iterable[UUID], standing: Decision) -> Decision:
    """Decide who may plan a visit: a coordinator or manager of the cooperation's NPM.

    standing is lifecycle's decision: stage P4, a mode with visits (J1), no expired term and no
    overdue review (G5).
    """
    for_npm = _acts_for_npm(actor, npm_ids)
    if not for_npm:
        return for_npm
    if not actor.has(*PLANNERS):
        return no(_l("Only a coordinator or manager of the NPM can plan a joint visit."))
    return standing


def can_change(
    actor: Actor,
    npm_ids: Iterable[UUID],
    stage: VisitStage,
    *,
    cooperation_stage: Stage,
    leads: bool,
) -> Decision:
    """Decide who may change plan and team, or stop the visit: the NPM's planners and the lead.

    Nobody once the cooperation is closed (P7): a visit whose days have passed by then stays as it
    was, and the others are stopped. The caller has checked that the person sees the visit.
    """
    goes_on = checklists.goes_on(cooperation_stage, visit_is_stopped=False)
    if not goes_on:
        return goes_on
    if stage not in PREPARED:
        return no(_l("This visit is stopped or under way. Its plan stays as it is."))
    for_npm = _acts_for_npm(actor, npm_ids)
    if not for_npm:
        return for_npm
    if not _manages(actor, leads=leads):
        return no(
            _l("Only the team lead, or a coordinator or manager of the NPM, can change the plan.")
        )
    return YES


def can_record_for(
    actor: Actor,
    npm_ids: Iterable[UUID],
    stage: VisitStage,
    *,
    leads: bool,
    is_over: bool,
    signs_in: bool,
) -> Decision:
    """Decide who records what a person of the team without an account confirms (V5, V20).

    Those who may change the visit; the caller has checked that they see it. Whoever has an account
    (signs_in) confirms for themselves, so nobody records anything about themselves. is_over: the
    days of the visit have passed.
    """
    if signs_in:
        return no(_l("This person has an account and confirms it for themselves."))
    for_npm = _acts_for_npm(actor, npm_ids)
    if not for_npm:
        return for_npm
    if not _manages(actor, leads=leads):
        return no(
            _l("Only the team lead, or a coordinator or manager of the NPM, can record this.")
        )
    if stage not in PREPARED:
        return no(_l("This visit is stopped or under way. Nothing is asked of you now."))
    if is_over:
        return no(_l("The days of this visit have passed."))
    return YES


def may_hear(member: MemberFact, today: dt.date, *, is_listed: bool) -> Decision:
    """Decide whether a person of the team may hear of the visit today, as if they could open it.

    Listed in V2 from today at the latest, and cleared if they need a clearance (G4).
    """
    if not member.takes_part or member.is_joining or not is_listed:
        return no(
            _l(
                "%(name)s isn't on the visit list yet. Don't tell them about the visit.",
                name=member.name,
            )
        )
    if missing_for_clearance(member, today) is not None:
        return no(
            _l("%(name)s isn't cleared yet. Don't tell them about this visit.", name=member.name)
        )
    return YES


def can_put_in_charge(
    actor: Actor,
    npm_ids: Iterable[UUID],
    stage: VisitStage,
    *,
    cooperation_stage: Stage,
    needs_lead: bool,
) -> Decision:
    """Decide who may put a person in charge: the NPM's planners, if nobody on the list can act.

    They needn't be listed, and see nothing of the plan by it. A visit is led by the NPM (S7).
    """
    for_npm = _acts_for_npm(actor, npm_ids)
    if not for_npm:
        return for_npm
    if not actor.has(*PLANNERS):
        return no(_l("Only a coordinator or manager of the NPM can do this."))
    goes_on = checklists.goes_on(cooperation_stage, visit_is_stopped=False)
    if not goes_on:
        return goes_on
    if stage not in PREPARED:
        return no(_l("This visit is stopped or under way. Its plan stays as it is."))
    if not needs_lead:
        return no(_l("Somebody from the NPM on the list for this visit can act on it. Ask them."))
    return YES


def can_override(
    actor: Actor, npm_ids: Iterable[UUID], stage: VisitStage, *, is_over: bool
) -> Decision:
    """Decide who may override J3: a manager of the NPM. A CSO can't (product.md, section 6).

    is_over: the days of the visit have passed.
    """
    if stage not in PREPARED:
        return no(_l("This visit is stopped or under way. There's nothing to override."))
    if is_over:
        return no(_l("The days of this visit have passed."))
    if actor.organisation_id not in set(npm_ids):
        return no(_l("Only the NPM can override a gate. A partner can't."))
    if not actor.has(Role.MANAGER):
        return no(_l("Only a manager of the NPM can override a gate."))
    return YES


def can_answer_as_member(*, is_member: bool, stage: VisitStage, is_over: bool) -> Decision:
    """Decide on accepting a task (V5) and confirming the plan (V20): each for themselves.

    is_over: the days of the visit have passed.
    """
    if not is_member:
        return no(_l("You aren't on the team of this visit."))
    if stage not in PREPARED:
        return no(_l("This visit is stopped or under way. Nothing is asked of you now."))
    if is_over:
        return no(_l("The days of this visit have passed."))
    return YES


def can_see_reads(actor: Actor, npm_ids: Iterable[UUID]) -> Decision:
    """Decide who may see the read log of a cooperation: its NPM's managers (product.md, 7)."""
    if actor.organisation_id not in set(npm_ids) or not actor.has(Role.MANAGER):
        return no(_l("Only managers of the NPM can see who read what."))
    return YES


def _manages(actor: Actor, *, leads: bool) -> bool:
    return leads or actor.has(*PLANNERS)


def _acts_for_npm(actor: Actor, npm_ids: Iterable[UUID]) -> Decision:
    if actor.organisation_id not in set(npm_ids):
        return no(_l("A joint visit is the NPM's visit, so only the NPM can plan it."))
    return YES


# The gates ------------------------------------------------------------------------------------


def judge(facts: Facts) -> Judgement:
    """Evaluate the gates J1 to J3."""
    excused = _excused(facts)
    waived = [of_override.requirement for of_override in excused]
    clearing = list(_to_clear(facts))
    requirements_by_gate = {
        "J1": list(_to_propose(facts)),
        "J2": [*_to_plan(facts), *clearing],
        "J3": [*clearing, *_to_leave(facts)],
    }
    gates: list[Gate] = []
    left: list[MissingRequirement] = []
    for code, requirements in requirements_by_gate.items():
        unmet = [need for need in requirements if code != "J3" or need not in waived]
        left += [requirement for requirement in unmet if requirement not in left]
        if unmet:
            state = GateState.NOT_MET
        else:
            state = GateState.OVERRIDDEN if requirements else GateState.MET
        by_overrides = _waived(facts, excused) if code == "J3" else ()
        gates.append(Gate(code, state, _grouped(facts, unmet), by_overrides))
    return Judgement(facts, tuple(gates), tuple(left), excused)


def ends_with_cooperation(facts: Facts) -> bool:
    """Return whether a visit that is being prepared has to be stopped: its cooperation is closed.

    The stage counts only if signatures and events confirm it, as for J1.
    """
    return facts.cooperation_agrees and facts.cooperation_stage in CLOSED


def to_excuse(judgement: Judgement) -> tuple[frozenset[Shown], Decision]:
    """Return what an override of J3 would excuse now, and whether it would open the gate.

    What is required of others than the NPM's own people can't be excused: a CSO's people who are
    not cleared leave the team first (product.md, section 6).
    """
    if not judgement.is_open["J1"] or not judgement.is_open["J2"]:
        return frozenset(), no(
            _l(
                "Only the last gate, “Cleared”, can be overridden. The two before it have to be "
                "met first."
            )
        )
    requirements = judgement.requirements
    if not requirements:
        return frozenset(), no(_l("Nothing is missing that an override could excuse."))
    if not all(is_excusable(requirement, judgement.facts) for requirement in requirements):
        return frozenset(), no(
            _l(
                "An override only excuses requirements for the NPM's own people. "
                "Others have to meet theirs or leave the team first."
            )
        )
    parts = (shown(requirement, judgement.facts) for requirement in requirements)
    return frozenset().union(*parts), YES


def _excused(facts: Facts) -> tuple[Excused, ...]:
    """Return what overrides still excuse: not once a partner's person has joined the team.

    Each is excused by an override whose page showed all that is shown of it now; by the newest, if
    there are several.
    """
    return tuple(
        Excused(requirement, override)
        for requirement in _to_leave(facts)
        if is_excusable(requirement, facts)
        and (override := _override_of(requirement, facts)) is not None
    )


def _override_of(requirement: MissingRequirement, facts: Facts) -> OverrideFact | None:
    parts = shown(requirement, facts)
    covering = (
        override for override in facts.overrides if all(part in override.excused for part in parts)
    )
    return next(covering, None)


def _waived(facts: Facts, excused: Sequence[Excused]) -> tuple[Waived, ...]:
    """Return what is excused as text, with the override that counts for it."""
    return tuple(
        Waived(missing, override)
        for override in facts.overrides
        if (requirements := [own.requirement for own in excused if own.override is override])
        for missing in _grouped(facts, requirements)
    )


def _to_propose(facts: Facts) -> Iterator[MissingRequirement]:
    """Evaluate J1: the cooperation is active, visits are a signed mode, the days are in its term.

    Its stage and days count only if its signatures and events confirm them. A review does not stop
    a visit that is already planned: it can always begin (G5).
    """
    if not facts.cooperation_agrees:
        yield MissingRequirement(RequirementKind.COOPERATION_DISAGREES)
    is_active = facts.cooperation_stage in {Stage.ACTIVE, Stage.UNDER_REVIEW}
    if not is_active or facts.terms_are_stopped:
        yield MissingRequirement(RequirementKind.NOT_ACTIVE)
    if not can_have_visits(facts.modes, facts.questions):
        yield MissingRequirement(RequirementKind.NO_MODE)
    elif not visits_count(facts.modes, facts.questions, facts.agreed_ways):
        yield MissingRequirement(RequirementKind.MODE_NOT_SIGNED)
    if not facts.term.contains(facts.starts_on, facts.ends_on):
        yield MissingRequirement(RequirementKind.OUTSIDE_TERM)


def _to_plan(facts: Facts) -> Iterator[MissingRequirement]:
    """Evaluate J2: roles settled (S17 to S19), audience set, tasks accepted by each person.

    Team and list count only if the events confirm them.
    """
    if not facts.people_agree:
        yield MissingRequirement(RequirementKind.PEOPLE_DISAGREE)
    for item in facts.roles.lacking:
        if item.code not in ASKED_BY_J3:
            yield MissingRequirement(RequirementKind.ROLES_ITEM, item=item)
    for member in facts.members:
        yield from _to_plan_of(facts, member)


def _to_plan_of(facts: Facts, member: MemberFact) -> Iterator[MissingRequirement]:
    if not member.takes_part:
        yield MissingRequirement(RequirementKind.LEFT, member)
        return
    if _leaves(facts, member):
        yield MissingRequirement(RequirementKind.LEAVES, member)
    if member.is_joining:
        yield MissingRequirement(RequirementKind.JOINING, member)
    if not member.is_listed:
        yield MissingRequirement(RequirementKind.NOT_LISTED, member)
    if member.has_role and not member.role_accepted:
        yield MissingRequirement(RequirementKind.ROLE, member)


def _to_clear(facts: Facts) -> Iterator[MissingRequirement]:
    """Evaluate gate G4 person by person: a valid signature before any access (S11, S13, S14)."""
    for member in facts.members:
        kind = missing_for_clearance(member, facts.needed_until)
        if kind is not None and member.takes_part:
            yield MissingRequirement(kind, member)


def missing_for_clearance(member: MemberFact, until: dt.date) -> RequirementKind | None:
    """Return what a person still lacks to be cleared through a day; None if nothing."""
    if not member.needs_clearance:
        return None
    if not member.agrees:
        return RequirementKind.UNDERTAKING_DISAGREES
    if member.cleared_until is not None:
        return RequirementKind.RUNS_OUT if member.cleared_until < until else None
    if member.interests is Interests.REPLACE:
        return RequirementKind.CONFLICT
    if not member.signed:
        return RequirementKind.NOT_SIGNED
    if member.interests is Interests.WAITS:
        return RequirementKind.NOT_DECIDED
    return (
        RequirementKind.NOT_COVERED if member.countersigned else RequirementKind.NOT_COUNTERSIGNED
    )


def _to_leave(facts: Facts) -> Iterator[MissingRequirement]:
    """Evaluate J3 apart from undertakings: checklists, briefing, credentials, plan read."""
    yield from _to_keep_confidential(facts)
    if not facts.roles.is_signed:
        yield MissingRequirement(RequirementKind.ROLES)
    yield from _to_act_urgently(facts)
    if not facts.is_briefed:
        yield MissingRequirement(RequirementKind.BRIEFING)
    yield from _to_reach_outside(facts)
    for member in facts.members:
        yield from _to_leave_of(facts, member)


def _to_reach_outside(facts: Facts) -> Iterator[MissingRequirement]:
    """Evaluate the people outside the team whom the roles name, such as the safety contact (V13).

    They learn of the visit, so they are cleared like the team (S11), and listed in V2 in time: the
    list is the only audience of date and place, for the NPM's own people too (V2).
    """
    if not facts.has_safety_contact:
        yield MissingRequirement(RequirementKind.SAFETY_CONTACT)
    if facts.safety_contact_problem:
        yield MissingRequirement(RequirementKind.SAFETY_CONTACT_UNFIT)
    for person in facts.named_in_roles:
        if missing_for_clearance(person, facts.needed_until) is not None:
            yield MissingRequirement(RequirementKind.ROLES_PERSON, person)
        if not person.is_listed:
            yield MissingRequirement(RequirementKind.ROLES_PERSON_NOT_LISTED, person)
        if _leaves(facts, person):
            yield MissingRequirement(RequirementKind.ROLES_PERSON_LEAVES, person)


def _leaves(facts: Facts, person: MemberFact) -> bool:
    """Return whether a person's part in the cooperation ends before the visit does."""
    return person.leaves_on is not None and person.leaves_on < facts.needed_until


def _to_act_urgently(facts: Facts) -> Iterator[MissingRequirement]:
    """Evaluate the plans (S20, S21): signed, and they fit the visit and name people who can act.

    Whom the visit's plan names learns of an urgent case (K4 to K7), so they are cleared like those
    on the team (S11).
    """
    if not facts.plan.is_signed:
        yield MissingRequirement(RequirementKind.PLAN)
    for item in facts.plan.lacking:
        yield MissingRequirement(RequirementKind.PLAN_ITEM, item=item)
    yield from _to_act_for_it(facts)
    if not standing_plan_counts(facts.modes, facts.questions, facts.agreed_ways):
        return
    if not facts.standing_plan.is_signed:
        yield MissingRequirement(RequirementKind.STANDING_PLAN)
    for item in facts.standing_plan.lacking:
        yield MissingRequirement(RequirementKind.STANDING_PLAN_ITEM, item=item)


def _to_act_for_it(facts: Facts) -> Iterator[MissingRequirement]:
    """Evaluate the people outside the team whom the visit's urgent-action plan names."""
    for person in facts.named_in_plan:
        if missing_for_clearance(person, facts.needed_until) is not None:
            yield MissingRequirement(RequirementKind.PLAN_PERSON, person)
        if _leaves(facts, person):
            yield MissingRequirement(RequirementKind.PLAN_PERSON_LEAVES, person)


def _to_keep_confidential(facts: Facts) -> Iterator[MissingRequirement]:
    """Evaluate the terms on confidentiality: nothing is asked of a visit of the NPM alone.

    Its own people need no access under these terms, so no partner that suspends or ends them holds
    up their visit (S7).
    """
    terms = facts.confidentiality
    if facts.npm_alone:
        return
    if not terms.is_signed:
        yield MissingRequirement(RequirementKind.CONFIDENTIALITY)
    if terms.last_day is not None and terms.last_day < facts.needed_until:
        yield MissingRequirement(RequirementKind.CONFIDENTIALITY_RUNS_OUT)


def _to_leave_of(facts: Facts, member: MemberFact) -> Iterator[MissingRequirement]:
    if facts.is_briefed and member.missed_briefing:
        yield MissingRequirement(RequirementKind.MISSED_BRIEFING, member)
    if member.needs_clearance and not member.briefed:
        yield MissingRequirement(RequirementKind.NOT_BRIEFED, member)
    if member.credential_until is None:
        yield MissingRequirement(RequirementKind.CREDENTIAL, member)
    elif member.credential_until < facts.needed_until:
        yield MissingRequirement(RequirementKind.CREDENTIAL_RUNS_OUT, member)
    if not member.plan_read:
        yield MissingRequirement(RequirementKind.PLAN_NOT_READ, member)


def _grouped(facts: Facts, requirements: Sequence[MissingRequirement]) -> tuple[Missing, ...]:
    """Return what is missing as text, one line for each kind.

    What others record for a person without an account has a line for each such person.
    """
    kinds: dict[tuple[RequirementKind, UUID | None], list[MissingRequirement]] = {}
    for requirement in requirements:
        kinds.setdefault((requirement.kind, requirement.recorded_for), []).append(requirement)
    return tuple(in_words(kind, facts, same) for (kind, _person), same in kinds.items())


# The board ------------------------------------------------------------------------------------


def board(judgement: Judgement) -> tuple[Row, ...]:
    """Return the people on the team, each with the requirements."""
    facts = judgement.facts
    return tuple(
        Row(
            member,
            {
                Requirement.BRIEFING: _briefing(judgement, member),
                Requirement.INTERESTS: _interests(facts, member),
                Requirement.UNDERTAKING: _undertaking(facts, member),
                Requirement.ROLE: _role(member),
                Requirement.CREDENTIAL: _credential(judgement, member),
                Requirement.PLAN: _plan(judgement, member),
            },
        )
        for member in facts.members
    )


def _briefing(judgement: Judgement, member: MemberFact) -> Cell:
    facts = judgement.facts
    if member.needs_clearance and not member.briefed:
        closed = facts.has_closed_undertakings
        return Cell(CellCode.CLOSED if closed else CellCode.NOT_BRIEFED)
    if judgement.excuses(RequirementKind.BRIEFING):
        return Cell(CellCode.EXCUSED)
    if facts.briefing_on is None:
        return Cell(CellCode.NO_BRIEFING)
    if facts.briefed_elsewhere:
        return Cell(CellCode.BRIEFED_ELSEWHERE)
    if facts.briefing_on > facts.today:
        return Cell(CellCode.BRIEFING_AHEAD, facts.briefing_on)
    if member.missed_briefing:
        is_excused = judgement.excuses(RequirementKind.MISSED_BRIEFING, member)
        return Cell(CellCode.EXCUSED if is_excused else CellCode.BRIEFED_BEFORE)
    return Cell(CellCode.YES)


def _interests(facts: Facts, member: MemberFact) -> Cell:
    if not member.needs_clearance:
        return Cell(CellCode.NOT_ASKED)
    if member.interests is None and facts.has_closed_undertakings:
        return Cell(CellCode.CLOSED)
    return Cell(
        {
            None: CellCode.NOT_DECLARED,
            Interests.NONE: CellCode.NONE_DECLARED,
            Interests.WAITS: CellCode.NOT_DECIDED,
            Interests.ACCEPT: CellCode.ACCEPTED,
            Interests.LIMIT: CellCode.LIMITED,
            Interests.REPLACE: CellCode.TO_REPLACE,
        }[member.interests]
    )


def _undertaking(facts: Facts, member: MemberFact) -> Cell:
    if not member.needs_clearance:
        return Cell(CellCode.NOT_ASKED)
    kind = missing_for_clearance(member, facts.needed_until)
    if kind is None:
        return Cell(CellCode.CLEARED, member.cleared_until)
    if kind is RequirementKind.UNDERTAKING_DISAGREES:
        return Cell(CellCode.DISAGREES)
    if kind is RequirementKind.RUNS_OUT:
        return Cell(CellCode.RUNS_OUT, member.cleared_until)
    if not member.signed:
        closed = facts.has_closed_undertakings
        return Cell(CellCode.CLOSED if closed else CellCode.NOT_SIGNED)
    return Cell(CellCode.NOT_COVERED if member.countersigned else CellCode.TO_COUNTERSIGN)


def _role(member: MemberFact) -> Cell:
    if not member.has_role:
        return Cell(CellCode.NO_ROLE)
    if not member.role_accepted:
        return Cell(CellCode.ROLE_OPEN)
    return Cell(CellCode.YES, recorded=member.role_recorded)


def _credential(judgement: Judgement, member: MemberFact) -> Cell:
    until = member.credential_until
    if until is not None and until >= judgement.facts.needed_until:
        return Cell(CellCode.YES)
    runs_out = until is not None
    kind = RequirementKind.CREDENTIAL_RUNS_OUT if runs_out else RequirementKind.CREDENTIAL
    if judgement.excuses(kind, member):
        return Cell(CellCode.EXCUSED)
    return Cell(CellCode.NOT_ISSUED) if until is None else Cell(CellCode.RUNS_OUT, until)


def _plan(judgement: Judgement, member: MemberFact) -> Cell:
    if member.plan_read:
        return Cell(CellCode.YES, recorded=member.plan_recorded)
    if judgement.excuses(RequirementKind.PLAN_NOT_READ, member):
        return Cell(CellCode.EXCUSED)
    return Cell(
        CellCode.NOT_CONFIRMED if judgement.facts.plan.is_signed else CellCode.PLAN_NOT_SIGNED
    )
