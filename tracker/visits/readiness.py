"""Readiness of a visit: reads what its gates depend on, in a constant number of queries.

In one file: everything that the gates of one visit read, each once.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeGuard
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import OrganisationKind
from tracker.accounts.models import User
from tracker.activity.witness import DetailedEvent
from tracker.agreements import evidence
from tracker.agreements.evidence import Compared
from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.heads import HEADS
from tracker.checklists.heads import read as read_checklists
from tracker.checklists.loading import LoadedChecklist, know_visit, load_all, said_in
from tracker.checklists.misnamed import MISNAMED, Reason, misnaming, people_named, reason_of
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.obstacles import to_sending
from tracker.checklists.queries import VISIT
from tracker.checklists.rules.completeness import ItemStatus, WorkState
from tracker.checklists.rules.consistency import (
    BRIEFING,
    CREDENTIALS,
    KIND_OF_PLACE,
    OF_THE_PLACE,
    is_outdated,
    was_briefed_before,
)
from tracker.checklists.rules.facts import Filled
from tracker.checklists.rules.values import as_date, as_id
from tracker.checklists.service import HOW
from tracker.cooperations import audiences, people
from tracker.cooperations import queries as cooperations
from tracker.cooperations.agreed_ways import AgreedWays
from tracker.cooperations.models import Cooperation, Mode, Party
from tracker.cooperations.people import Participant, Person
from tracker.core import clock
from tracker.core.errors import DamagedRowError
from tracker.lifecycle import bound as lifecycle
from tracker.lifecycle.labels import ITEM_STATES
from tracker.signoff.models import SignatureKind
from tracker.signoff.outcomes import Outcome
from tracker.undertakings.clearing_states import ClearingState, clearing_states
from tracker.undertakings.clearing_states import Interests as DeclaredInterests
from tracker.visits import bars, bound, policy, queries
from tracker.visits.as_signed import says_what_was_signed
from tracker.visits.encryption import Plan, excused_by, plan_of
from tracker.visits.facts import (
    ChecklistFact,
    Facts,
    Interests,
    ItemFact,
    Judgement,
    MemberFact,
    OverrideFact,
    PartyFact,
    Recorded,
    Signing,
    Term,
)
from tracker.visits.models import TeamMember, Visit


@dataclass(frozen=True, slots=True)
class Announced:
    """The first day on which an announced notice ends or suspends a text of the cooperation."""

    kind: ChecklistKind
    first_day_without: dt.date


@dataclass(frozen=True, slots=True)
class Reading:
    """A fully loaded visit: pages need no further query."""

    visit: Visit
    plan: Plan
    cooperation: Cooperation
    # The roles (checklist 3), and this visit's urgent-action plan.
    roles: LoadedChecklist
    urgent_plan: Checklist
    audience_count: int
    # Who leads it by the list of those who may know (V2).
    leads: frozenset[UUID]
    # Who is on the team, each with the organisation they are there for.
    team: frozenset[tuple[UUID, UUID]]
    judgement: Judgement
    # Whether stage and readiness agree with the events; compared only for pages.
    agrees: bool = True
    # Texts of the visit and the cooperation as their evidence shows them, by checklist.
    compared: Mapping[UUID, Compared] = field(default_factory=dict)
    # The notices that are announced on the texts that a visit relies on, one for each text.
    announced: tuple[Announced, ...] = ()
    # The urgent-action plan of the visit, if everybody signed it and its answers are those signed.
    signed_plan: LoadedChecklist | None = None


# Where the roles name people (item, field) who needn't learn of the visit by it, or who are asked
# for more: the list of those who may know, the team with its letters, and who appointed the lead.
_NOT_COUNTED = frozenset(
    {("V2", "audience"), ("V3", "appointed_by"), ("V4", "team"), (CREDENTIALS, "credentials")}
)

# Answers of the roles whose moment counts, not only their words: tasks that are accepted anew once
# they change (V5), and what was answered for a former place (V1, V11, V12, V13, V18).
_DATED = ("V5", KIND_OF_PLACE, *OF_THE_PLACE, CREDENTIALS, BRIEFING)

# Built once: the gates need them after nearly every action.
_CHECKLISTS = HEADS.where(
    sa.or_(
        Checklist.visit_id == sa.bindparam("visit_id"),
        sa.and_(
            Checklist.cooperation_id == sa.bindparam("cooperation_id"),
            Checklist.visit_id.is_(None),
            Checklist.kind.in_(
                [ChecklistKind.CONFIDENTIALITY, ChecklistKind.TERMS, ChecklistKind.URGENT_PLAN]
            ),
        ),
    )
)


def judge(visit: Visit, today: dt.date | None = None) -> Judgement:
    """Evaluate the gates of a visit in its current state."""
    return read(visit, today).judgement


def read(visit: Visit, today: dt.date | None = None, *, language: str = "") -> Reading:
    """Read everything about a visit that its gates depend on.

    The caller found it with a scoped query. language is given for pages: items are named in it, and
    the visit is compared with its events. Raise DamagedRowError if its plan can't be read or a
    checklist of its own is missing.
    """
    own, standing_plan = _checklists(visit)
    if not own.keys() >= {ChecklistKind.URGENT_PLAN, ChecklistKind.VISIT_ROLES}:
        raise DamagedRowError(Visit.__tablename__, visit.id)
    urgent_plan = own[ChecklistKind.URGENT_PLAN]
    team = queries.team_of(visit.id)
    know_visit(visit.cooperation_id, visit.id, queries.facts_of(visit, team))
    others = (urgent_plan, standing_plan, own.get(ChecklistKind.CONFIDENTIALITY))
    loaded = load_all([own[ChecklistKind.VISIT_ROLES], *filter(_is_to_be_read, others)])
    roles = loaded[own[ChecklistKind.VISIT_ROLES].id]
    roles = said_in(roles, language) if language else roles
    plan = plan_of(visit)
    audience = audiences.days(VISIT, visit.id)
    listed = audience.first
    day = today or clock.today()
    # Whoever is listed in time: on the first day, or by today once the visit has begun.
    in_time = {who for who, since in listed.items() if since <= max(plan.starts_on, day)}
    checklists = [*own.values(), *([standing_plan] if standing_plan else [])]
    parties = _signing_parties(visit, roles.cooperation, team)
    events = bound.recorded(visit, checklists)
    recorded = [(event.link, event.details) for event in events]
    texts = _Texts(checklists, loaded, parties, roles.cooperation, recorded)
    in_roles = _named_outside(roles, team, but=_NOT_COUNTED)
    in_plan = _named_outside(loaded.get(urgent_plan.id), team)
    user_ids = dict.fromkeys(
        [*(member.user_id for member in team), *(who.user_id for who in [*in_roles, *in_plan])]
    )
    clearing = _not_barred(visit, clearing_states(visit.cooperation_id, [*user_ids], visit.id))
    everybody = people.people(visit.cooperation_id)
    last_days = {user_id: who.until_on for user_id, who in people.by_user(everybody).items()}
    confirmations = _confirmations(roles, team)
    dated_ids = {answer.answer_id for code in _DATED if (answer := roles.sheet.shared(code))}
    answers = bound.answers(confirmations | dated_ids)
    bound_answers = bound.confirmations_as_recorded(
        visit, [answer for answer in answers if answer.id in confirmations]
    )
    all_overrides = queries.overrides_of(visit.id)
    overrides = bound.overrides_as_recorded(visit, all_overrides)
    facts = Facts(
        today=day,
        stage=visit.stage,
        cooperation_stage=roles.cooperation.stage,
        cooperation_agrees=texts.bear_out(roles.cooperation, own.get(ChecklistKind.TERMS)),
        terms_are_stopped=texts.is_stopped_today(own.get(ChecklistKind.TERMS)),
        people_agree=bound.people_as_recorded(
            visit, team, audience.rows, roles.cooperation.parties, events
        ),
        term=Term(roles.cooperation.starts_on, roles.cooperation.ends_on),
        modes=frozenset(Mode(mode) for mode in roles.cooperation.modes),
        questions=roles.cooperation.questions,
        agreed_ways=texts.ways_in(roles.cooperation, own.get(ChecklistKind.TERMS)),
        ends_on=plan.ends_on,
        starts_on=plan.starts_on,
        members=_members(
            roles, urgent_plan, team, everybody, clearing, listed, plan, bound_answers
        ),
        named_in_roles=tuple(_outsider(who, clearing, last_days, in_time) for who in in_roles),
        named_in_plan=tuple(_outsider(who, clearing, last_days, in_time) for who in in_plan),
        roles=texts.of_visit(roles.checklist, _lacking(roles)),
        plan=texts.of_visit(urgent_plan, _unfit(loaded.get(urgent_plan.id), language)),
        standing_plan=texts.of_terms(
            standing_plan,
            _misnamed(loaded.get(standing_plan.id) if standing_plan else None, language),
        ),
        confidentiality=texts.of_terms(own.get(ChecklistKind.CONFIDENTIALITY)),
        briefing_on=as_date(roles.sheet.value(BRIEFING, "briefing")),
        briefed_elsewhere=is_for_former_place(roles, BRIEFING),
        has_safety_contact=has_content(roles.sheet.value("V13", "safety_contact"))
        and has_content(roles.sheet.value("V13", "safety_phone")),
        safety_contact_problem=_safety_contact_problem(roles),
        moved_at=plan.moved_at,
        overrides=tuple(
            OverrideFact(row.user.name, row.reason, row.at, excused_by(visit, row))
            for row in overrides
        ),
    )
    judgement = policy.judge(facts)
    # Not on the pages of a visit that is ready: it became so by an act, after which it was done.
    has_to_agree = judgement.is_open["J3"] and not (language and visit.is_ready)
    dated = [answer for answer in answers if answer.id in dated_ids]
    if has_to_agree and not bound.roles_as_recorded(visit, user_ids, dated):
        facts = replace(facts, people_agree=False)
        judgement = policy.judge(facts)
    return Reading(
        visit=visit,
        plan=plan,
        cooperation=roles.cooperation,
        roles=roles,
        urgent_plan=urgent_plan,
        audience_count=len(listed),
        leads=audience.leads,
        team=frozenset((member.user_id, member.organisation_id) for member in team),
        judgement=judgement,
        agrees=not language
        or (
            facts.people_agree
            and bound_answers == confirmations
            and all(texts.as_signed.values())
            and len(overrides) == len(all_overrides)
            and visit.id in bound.agreeing([visit], all_overrides, events)
        ),
        compared=texts.compared,
        announced=texts.announced(checklists),
        signed_plan=loaded.get(urgent_plan.id) if facts.plan.is_signed else None,
    )


def _not_barred(
    visit: Visit, clearing: Mapping[UUID, ClearingState]
) -> Mapping[UUID, ClearingState]:
    """Return people's progress, not cleared where an interest closes the visit to them.

    By the interests and the place, not only by the rows that lists of people are scoped with.
    """
    barred = bars.closed_to(visit, [user for user, state in clearing.items() if state.cleared])
    return {
        user_id: replace(state, cleared=False, until=None) if user_id in barred else state
        for user_id, state in clearing.items()
    }


def _checklists(visit: Visit) -> tuple[dict[ChecklistKind, Checklist], Checklist | None]:
    """Return the visit's own checklists with the cooperation's terms and confidentiality terms.

    And the cooperation's urgent-action plan, if it has one.
    """
    wanted = {"visit_id": visit.id, "cooperation_id": visit.cooperation_id}
    standing_plan: Checklist | None = None
    own: dict[ChecklistKind, Checklist] = {}
    for row in read_checklists(_CHECKLISTS, wanted):
        if row.kind is ChecklistKind.URGENT_PLAN and row.visit_id is None:
            standing_plan = row
        else:
            own[row.kind] = row
    return own, standing_plan


def _signing_parties(
    visit: Visit, cooperation: Cooperation, team: Iterable[TeamMember]
) -> tuple[PartyFact, ...]:
    """Return who signs the checklists of a visit (signing_parties)."""
    return tuple(
        PartyFact(party.organisation_id, party.organisation.name)
        for party in signing_parties(people.parties(cooperation), team, visit.planned_at)
    )


def signing_parties(
    parties: Iterable[Party], team: Iterable[TeamMember], planned_at: dt.datetime
) -> list[Party]:
    """Return those of a cooperation's parties that sign the checklists of a visit.

    The NPM, and each party with people on the team. A body of the NPM that joined after the visit
    was planned signs only if its people are on the team, or if no other body is left: what the
    others agreed continues (adr 78).
    """
    in_team = {member.organisation_id for member in team}
    today = list(parties)
    npm = [party for party in today if party.is_of_npm]
    from_the_start = [
        party for party in npm if party.joined_at is None or party.joined_at <= planned_at
    ]
    signing = in_team | {party.organisation_id for party in from_the_start or npm}
    return [party for party in today if party.organisation_id in signing]


class _Texts:
    """The texts that the gates depend on, compared with their signatures and events.

    Takes a constant number of queries. What only the rows say about a text can't make a visit
    ready.
    """

    def __init__(
        self,
        checklists: Collection[Checklist],
        loaded: Mapping[UUID, LoadedChecklist],
        parties: tuple[PartyFact, ...],
        cooperation: Cooperation,
        recorded: Collection[DetailedEvent],
    ) -> None:
        self._loaded = loaded
        self._parties = parties
        self._cooperation = cooperation
        self._recorded = recorded
        in_force = (
            loaded[checklist.id].checklist.revision_in_force_id
            for checklist in checklists
            if checklist.id in loaded and checklist.state is ChecklistState.IN_FORCE
        )
        self.compared = evidence.compare(checklists, recorded, {*filter(None, in_force)})

    @cached_property
    def as_signed(self) -> Mapping[UUID, bool]:
        """Whether each text that was read says what was signed, if it is in force."""
        return {
            checklist_id: says_what_was_signed(self._loaded[checklist_id], compared)
            for checklist_id, compared in self.compared.items()
            if checklist_id in self._loaded
        }

    def _agrees(self, checklist: Checklist) -> bool:
        """Return whether a text agrees with its evidence, and its answers with what was signed."""
        return self.compared[checklist.id].agrees and self.as_signed.get(checklist.id, True)

    def of_visit(self, checklist: Checklist, lacking: tuple[ItemFact, ...] = ()) -> ChecklistFact:
        """Return the signing status of a checklist: not signed while an amendment is open.

        A text with a term flagged as limiting the NPM is not agreed, and can't be sent.
        """
        return replace(self._stands(checklist, lacking), in_force_at=checklist.in_force_at)

    def _stands(self, checklist: Checklist, lacking: tuple[ItemFact, ...]) -> ChecklistFact:
        if not self._agrees(checklist):
            return ChecklistFact(checklist.id, Signing.DISAGREES, lacking)
        if self.is_stopped_today(checklist):
            return ChecklistFact(checklist.id, Signing.STOPPED, lacking)
        match checklist.state:
            case ChecklistState.IN_FORCE:
                signing, revision_id = Signing.IN_FORCE, checklist.revision_in_force_id
            case ChecklistState.SENT if self._is_waiting(checklist):
                signing, revision_id = Signing.SENT, checklist.revision_sent_id
            case _ if checklist.stopped_by is not None:
                signing, revision_id = Signing.STOPPED, None
            case _:
                return self._drafted(checklist, lacking)
        unsigned = self._unsigned(checklist, revision_id)
        return ChecklistFact(checklist.id, signing, lacking, unsigned, text_id=revision_id)

    def _is_waiting(self, checklist: Checklist) -> bool:
        """Return whether a text that was sent can still be signed, by its last day."""
        sent_id = checklist.revision_sent_id
        compared = self.compared[checklist.id]
        return sent_id is not None and compared.outcome(sent_id) is Outcome.WAITING

    def _drafted(self, checklist: Checklist, lacking: tuple[ItemFact, ...]) -> ChecklistFact:
        """Return the signing status of a checklist that is being drafted or amended."""
        if checklist.revision_in_force_id is not None:
            return ChecklistFact(checklist.id, Signing.AMENDED, lacking)
        loaded = self._loaded.get(checklist.id)
        if loaded is None or not loaded.standing().is_complete:
            return ChecklistFact(checklist.id, Signing.INCOMPLETE, lacking)
        obstacles = tuple(obstacle.words for obstacle in to_sending(loaded))
        signing = Signing.HELD_UP if obstacles else Signing.TO_SEND
        return ChecklistFact(checklist.id, signing, lacking, obstacles=obstacles)

    def of_terms(
        self, checklist: Checklist | None, lacking: tuple[ItemFact, ...] = ()
    ) -> ChecklistFact:
        """Return the signing status of a text of the cooperation; amending changes nothing yet."""
        if checklist is None:
            return ChecklistFact()
        revision_id = checklist.revision_in_force_id
        compared = self.compared[checklist.id]
        if revision_id is None or not self._agrees(checklist) or self.is_stopped_today(checklist):
            return self.of_visit(checklist)
        return ChecklistFact(
            checklist.id,
            Signing.IN_FORCE,
            lacking,
            unsigned=self._unsigned(checklist, revision_id),
            text_id=revision_id,
            last_day=compared.last(revision_id),
            in_force_at=checklist.in_force_at,
        )

    def is_stopped_today(self, checklist: Checklist | None) -> bool:
        """Return whether a notice stops a text from today on that the worker hasn't applied yet."""
        return checklist is not None and any(
            notice.taken_effect_at is None and notice.has_come
            for notice in self.compared[checklist.id].notices
        )

    def announced(self, checklists: Iterable[Checklist]) -> tuple[Announced, ...]:
        """Return the first announced notice on each text of the cooperation.

        A suspension counts like an ending: nobody knows when it will be lifted.
        """
        days = {
            checklist.kind: min(
                (
                    notice.from_on
                    for notice in self.compared[checklist.id].notices
                    if notice.taken_effect_at is None
                ),
                default=None,
            )
            for checklist in checklists
            if checklist.visit_id is None
        }
        return tuple(Announced(kind, day) for kind, day in days.items() if day is not None)

    def bear_out(self, cooperation: Cooperation, terms: Checklist | None) -> bool:
        """Return whether a cooperation's stage and days agree with its events and terms."""
        own = [terms] if terms else []
        return bool(
            lifecycle.compare_with_events([cooperation], own, self.compared, self._recorded)
        )

    def ways_in(self, cooperation: Cooperation, terms: Checklist | None) -> AgreedWays | None:
        """Return what the terms in force say about the ways of working."""
        compared = self.compared[terms.id] if terms else None
        text_id = compared.course.standing_id if compared else None
        if terms is None or compared is None or text_id is None:
            return None
        facts = compared.text_facts.get(text_id)
        agreed = (facts and facts.ways) or AgreedWays(frozenset())
        return cooperations.with_paper(agreed, cooperation, terms.id)

    def _unsigned(self, checklist: Checklist, revision_id: UUID | None) -> tuple[PartyFact, ...]:
        """Return the parties that have yet to sign a revision in force or pending.

        What a body signed counts for the one that took its place (N13).
        """
        if revision_id is None:
            return ()
        signed_by = {
            signature.organisation_id
            for signature in self.compared[checklist.id].signatures.get(revision_id, ())
            if signature.kind is SignatureKind.SIGNATURE
        }
        return tuple(
            party
            for party in self._parties
            if signed_by.isdisjoint(people.bodies(self._cooperation, party.organisation_id))
        )


def _lacking(roles: LoadedChecklist) -> tuple[ItemFact, ...]:
    """Return the items that J2 waits for: required and not done, or begun with a problem.

    The latter includes an outsider named in an item that needn't be filled in (V9, V11, V12).
    """
    standing = roles.standing().items
    names = {party.organisation_id: party.name for party in roles.surroundings.parties}
    return tuple(
        ItemFact(
            item.code,
            item.label,
            _what(stands),
            tuple(
                PartyFact(party_id, names[party_id])
                for party_id in stands.waiting_for
                if party_id in names
            ),
        )
        for item in sorted(roles.template.items, key=lambda item: int(item.code[1:]))
        if (stands := standing.get(item.code)) is not None
        and not stands.done
        and (stands.required or stands.state is WorkState.IN_PROGRESS)
    )


def _unfit(plan: LoadedChecklist | None, language: str) -> tuple[ItemFact, ...]:
    """Return the items of a visit's plan in force that no longer fit.

    Such as dates before a moved visit, or people who can't act any more. An item that needn't be
    filled in and was left empty lacks nothing.
    """
    if plan is None or plan.checklist.state is not ChecklistState.IN_FORCE:
        return ()
    reasons = misnaming(plan)
    for code, stands in plan.standing().items.items():
        reasons.setdefault(code, []).extend(
            reason
            for problem in (stands.problems if stands.holds_up else ())
            if (reason := reason_of(problem)) not in reasons[code]
        )
    return _item_facts(plan, reasons, language)


def _misnamed(plan: LoadedChecklist | None, language: str) -> tuple[ItemFact, ...]:
    """Return the items of the cooperation's plan in force that name people who can't act.

    While an amendment is open, what the text in force named before still counts.
    """
    if plan is None:
        return ()
    before = {code: [Reason(MISNAMED, ())] for code in plan.checklist.misnamed_items.split()}
    return _item_facts(plan, before | misnaming(plan), language)


def _item_facts(
    plan: LoadedChecklist, reasons: Mapping[str, list[Reason]], language: str
) -> tuple[ItemFact, ...]:
    if not any(reasons.values()):
        return ()
    items = (said_in(plan, language) if language else plan).template.items
    return tuple(
        ItemFact(
            item.code,
            item.label,
            " ".join(dict.fromkeys(str(reason.message) for reason in reasons[item.code])),
            marks=tuple(reason.mark for reason in reasons[item.code]),
        )
        for item in items
        if reasons.get(item.code)
    )


def _what(stands: ItemStatus) -> object:
    if stands.problems and stands.state is WorkState.IN_PROGRESS:
        return stands.problems[0].message
    return ITEM_STATES.get(stands.state, "")


def _is_to_be_read(checklist: Checklist | None) -> TypeGuard[Checklist]:
    """Return whether the gates depend on what a text says: on whom it names, or what it lacks.

    Nothing depends on what an incomplete draft says, and of the terms on confidentiality only on
    what keeps a draft from being sent.
    """
    if checklist is None:
        return False
    is_draft = checklist.state is ChecklistState.DRAFTING and not checklist.revision_in_force_id
    if is_draft or checklist.kind is ChecklistKind.CONFIDENTIALITY:
        return is_draft and checklist.is_complete
    return True


def _named_outside(
    loaded: LoadedChecklist | None,
    team: Iterable[TeamMember],
    *,
    but: Collection[tuple[str, str]] = (),
) -> list[Participant]:
    """Return who isn't on the team and is named in a visit's text, by name, but in some fields."""
    if loaded is None:
        return []
    named = people_named(loaded, but=but) - {member.user_id for member in team}
    return [person for user_id, person in loaded.people.items() if user_id in named]


def _outsider(
    person: Participant,
    clearing_by_user: Mapping[UUID, ClearingState],
    last_days: Mapping[UUID, dt.date | None],
    listed: Collection[UUID],
) -> MemberFact:
    """Return what the gates ask of somebody who is named in a text and not on the team."""
    clearing = clearing_by_user.get(person.user_id, ClearingState())
    return MemberFact(
        user_id=person.user_id,
        name=person.name,
        organisation_name=person.organisation_name,
        needs_clearance=person.needs_clearance,
        leaves_on=last_days.get(person.user_id),
        is_listed=person.user_id in listed,
        interests=_interests(clearing),
        signed=clearing.signed,
        countersigned=clearing.countersigned,
        agrees=clearing.agrees,
        cleared_until=clearing.until if clearing.cleared else None,
    )


def _safety_contact_problem(roles: LoadedChecklist) -> object:
    """Return why the person whom V13 names can't be the safety contact; empty if they can."""
    item = roles.standing().items.get(CREDENTIALS)
    if item is None or not has_content(roles.sheet.value(CREDENTIALS, "safety_contact")):
        return ""
    problems = (problem for problem in item.problems if problem.field == "safety_contact")
    return next((problem.message for problem in problems), "")


def _members(
    roles: LoadedChecklist,
    urgent_plan: Checklist,
    team: list[TeamMember],
    everybody: Iterable[Person],
    clearing: Mapping[UUID, ClearingState],
    listed: Collection[UUID],
    plan: Plan,
    bound_answers: Collection[UUID],
) -> tuple[MemberFact, ...]:
    taking_part = {(person.user_id, person.organisation_id): person for person in everybody}
    answers = _Answers(roles, urgent_plan, plan, bound_answers)
    members = [
        answers.member(
            member,
            taking_part.get((member.user_id, member.organisation_id)),
            clearing.get(member.user_id, ClearingState()),
            is_listed=member.user_id in listed,
        )
        for member in team
    ]
    return tuple(
        sorted(
            members,
            key=lambda person: (not person.leads, not person.is_deputy, person.needs_clearance),
        )
    )


def _confirmations(roles: LoadedChecklist, team: Iterable[TeamMember]) -> frozenset[UUID]:
    """Return the answers by which people on the team accept their task and the plan (V5, V20)."""
    answers = (
        roles.sheet.of_person(item, member.user_id) for member in team for item in ("V5", "V20")
    )
    return frozenset(answer.answer_id for answer in answers if answer is not None)


class _Answers:
    """The roles' answers about each person on the team."""

    def __init__(
        self,
        roles: LoadedChecklist,
        urgent_plan: Checklist,
        plan: Plan,
        bound_answers: Collection[UUID],
    ) -> None:
        self._sheet = roles.sheet
        self._bound = bound_answers
        self._lead = as_id(self._sheet.value("V3", "lead"))
        self._deputy = as_id(self._sheet.value("V3", "deputy"))
        self._skills = _by_person(self._sheet.value("V4", "team"))
        self._roles = _by_person(self._sheet.value("V5", "roles"))
        is_moved = is_for_former_place(roles, CREDENTIALS)
        letters = () if is_moved else self._sheet.value(CREDENTIALS, "credentials")
        self._credentials = _by_person(letters)
        self._plan_since = queries.to_read_since(urgent_plan, plan)
        self._briefing = self._sheet.shared(BRIEFING)
        shared = self._sheet.shared("V5")
        self._roles_since = plan.since(shared.saved_at if shared is not None else None)

    def member(
        self,
        member: TeamMember,
        person: Person | None,
        clearing: ClearingState,
        *,
        is_listed: bool,
    ) -> MemberFact:
        user_id, signs_in = member.user_id, member.user.signs_in
        accepted = self._confirmed("V5", "accepted", member, self._roles_since)
        read = self._confirmed("V20", "read", member, self._plan_since)
        is_npm = member.organisation.kind is OrganisationKind.NPM
        skills = self._skills.get(user_id, [{}])
        return MemberFact(
            user_id=user_id,
            name=member.user.name,
            organisation_name=member.organisation.name,
            is_npm=is_npm,
            function=skills[0].get("skill") or (person.function if person else ""),
            leads=user_id == self._lead,
            is_deputy=user_id == self._deputy,
            takes_part=person is not None and _may_sign_in(member.user),
            signs_in=signs_in,
            leaves_on=person.until_on if person else None,
            is_joining=person is not None and person.is_joining,
            needs_clearance=person.needs_clearance if person else not is_npm,
            is_listed=is_listed,
            briefed=clearing.briefed_on is not None,
            interests=_interests(clearing),
            signed=clearing.signed,
            countersigned=clearing.countersigned,
            agrees=clearing.agrees,
            cleared_until=clearing.until if clearing.cleared else None,
            has_role=user_id in self._roles,
            role_accepted=accepted is not None,
            role_recorded=_recorded(accepted, user_id),
            credential_until=_valid_until(self._credentials.get(user_id, [])),
            missed_briefing=self._has_missed_briefing(member),
            plan_read=read is not None,
            plan_recorded=_recorded(read, user_id),
        )

    def _has_missed_briefing(self, member: TeamMember) -> bool:
        """Return whether a person joined the team after the briefing (V18)."""
        joined_at = member.joined_at
        if self._briefing is None or joined_at is None:
            return False
        joined_on = joined_at.astimezone(clock.zone()).date()
        return was_briefed_before(self._briefing, joined_at, joined_on)

    def _confirmed(
        self, item: str, key: str, member: TeamMember, since: dt.datetime | None
    ) -> Filled | None:
        """Return a person's confirmation of the current version, not of an older one, or None.

        Only for a person without an account does it count if somebody else recorded it, and only
        if events bind it.
        """
        own = self._sheet.of_person(item, member.user_id)
        if own is None or since is None or own.saved_at < since or own.answer_id not in self._bound:
            return None
        if (own.author_id == member.user_id) is not member.user.signs_in:
            return None
        return own if own.values.get(key) is True else None


def is_for_former_place(roles: LoadedChecklist, code: str) -> bool:
    """Return whether the roles answer an item for the place before the visit moved."""
    answer = roles.sheet.shared(code)
    return answer is not None and is_outdated(code, answer, roles.surroundings)


def _recorded(confirmation: Filled | None, user_id: UUID) -> Recorded | None:
    """Return who recorded a confirmation for a person without an account, and how it was given."""
    if confirmation is None or confirmation.author_id == user_id:
        return None
    how = str(confirmation.values.get(HOW, ""))
    return Recorded(confirmation.author_name, confirmation.saved_at, how)


def _may_sign_in(user: User) -> bool:
    return user.active and user.suspended_at is None


def _by_person(rows: Any) -> dict[UUID, list[dict[str, Any]]]:
    rows_by_person: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows or ():
        person = as_id(row.get("person"))
        if person is not None:
            rows_by_person.setdefault(person, []).append(row)
    return rows_by_person


def _valid_until(rows: list[dict[str, Any]]) -> dt.date | None:
    """Return the last day on which all of a person's documents are valid; None if one has none."""
    days = [as_date(row.get("valid_until")) if row.get("credential") else None for row in rows]
    known = [day for day in days if day is not None]
    return min(known) if known and len(known) == len(days) else None


def _interests(clearing: ClearingState) -> Interests | None:
    if not clearing.signed:
        return None
    if clearing.interests is DeclaredInterests.UNDECIDED:
        return Interests.WAITS
    return Interests(clearing.interests.value)
