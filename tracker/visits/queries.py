"""Queries for joint visits, scoped by the visit list (V2) and clearance (class K2).

In one file: every query is scoped by the same condition, the visit list.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, load_only
from sqlalchemy.orm.attributes import set_committed_value

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.access.conditions import built_for_all, built_once
from tracker.accounts.models import Membership, User
from tracker.accounts.queries import runs_on as held_on
from tracker.activity.models import Event, ReadLogEntry
from tracker.activity.queries import WORKED_OUT_OF_VISITS
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import encryption as answers
from tracker.checklists.beside import VisitFacts
from tracker.checklists.models import Answer, Checklist, ChecklistState, Notice
from tracker.checklists.queries import VISIT, planning_is_open
from tracker.cooperations import audiences, clearances, keys, scope
from tracker.cooperations.clearances import Day
from tracker.cooperations.models import (
    AudienceMember,
    Cooperation,
    CooperationKey,
    CooperationPerson,
    Mode,
    Stage,
)
from tracker.cooperations.policy import AT_REST
from tracker.cooperations.policy import ENDED as CLOSED
from tracker.core import clock
from tracker.core.db import db, load_joined
from tracker.organisations.models import Organisation
from tracker.undertakings.queries import VisitChoice
from tracker.visits import bound
from tracker.visits.encryption import (
    Plan,
    is_damaged,
    plan_is_over,
    plan_of,
    plan_unless_erased,
)
from tracker.visits.models import GateOverride, TeamMember, Visit, VisitStage
from tracker.visits.policy import PLANNERS, Outline, can_change, can_override, outline
from tracker.visits.stages import PREPARED

# How many visits My work reads: those to whose lists the person was added last.
MANY = 50
_NAMED = aliased(AudienceMember)


@built_once
def planning_visible(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Visit that its place, dates and team are open to the person.

    They see the cooperation, are listed in V2 and cleared; the lead always (product.md, 7).
    """
    return sa.and_(
        scope.visible(actor, Visit.cooperation_id),
        planning_is_open(actor, Visit.cooperation_id, Visit.id),
    )


def events_seen(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Event that it doesn't reveal a visit's planning (K2) to the person.

    Or that the planning is open to them.
    """
    is_open = sa.exists().where(Visit.id == Event.subject_id, planning_visible(actor))
    return sa.or_(Event.verb.not_in(WORKED_OUT_OF_VISITS), is_open.correlate(Event))


def find(actor: Actor, cooperation_id: UUID, number: int) -> Visit | None:
    """Return a visit of a cooperation whose planning is open to the person, or None.

    None, too, once it was erased. Loads the key of the cooperation, which opens the visit's plan.
    """
    query, reader = _visit(actor)
    wanted = {"cooperation_id": cooperation_id, "number": number, **reader}
    row = db.session.execute(query, wanted).one_or_none()
    if row is None:
        return None
    visit, key = row
    keys.keep([key])
    return visit if plan_unless_erased(visit) is not None else None


@built_for_all
def _visit(actor: Actor) -> sa.Select[Visit, CooperationKey]:
    return (
        sa.select(Visit, CooperationKey)
        .outerjoin(CooperationKey, CooperationKey.cooperation_id == Visit.cooperation_id)
        .where(
            Visit.cooperation_id == sa.bindparam("cooperation_id"),
            Visit.number == sa.bindparam("number"),
            planning_visible(actor),
        )
    )


def of_number(cooperation: Cooperation, number: int) -> Visit | None:
    """Return a visit of a cooperation, whether or not its planning is open; show none of it.

    To put somebody in charge. The caller has found the cooperation with a scoped query.
    """
    return db.session.scalar(
        sa.select(Visit).where(Visit.cooperation_id == cooperation.id, Visit.number == number)
    )


def find_in(actor: Actor, cooperation: Cooperation, number: int) -> Visit | None:
    """Return what find() does, of a cooperation that was found, which is not read again then."""
    visit = find(actor, cooperation.id, number)
    if visit is not None:
        set_committed_value(visit, "cooperation", cooperation)
    return visit


@dataclass(frozen=True, slots=True)
class VisitLine:
    """A visit as lists show it: without place, dates and team."""

    id: UUID
    cooperation_id: UUID
    number: int
    stage: VisitStage
    is_ready: bool
    # Whether stage and readiness agree with the events.
    agrees: bool
    outline: Outline
    # Whether place and days, which the person may know, can't be read; agrees is False then.
    is_damaged: bool = False
    # Whether its days passed while it was being prepared; None: the person may not know (K2).
    is_over: bool | None = None
    # Whether the person is asked to put somebody in charge.
    asks_for_lead: bool = False
    # If they aren't cleared: whether a clearance of theirs has yet to end; None: never had one.
    has_clearance: bool | None = None


def lines(actor: Actor, cooperation_ids: Iterable[UUID]) -> list[VisitLine]:
    """Return the visits of some cooperations that the person may know of, by number.

    Nothing of class K2: outline says how much more is open to them.
    """
    query, reader = _known(actor)
    day = {"notice_day": clock.today()}
    rows = db.session.execute(query, {"ids": list(cooperation_ids), **reader, **day}).all()
    agreeing = bound.agreeing([row[0] for row in rows])
    stopped = not_ready_today(visit for visit, _, _, is_stopped in rows if is_stopped)
    opened = [visit for visit, is_open, _, _ in rows if is_open]
    keys.hold({visit.cooperation_id for visit in opened})
    damaged_ids = {visit.id for visit in opened if is_damaged(visit)}
    whole = [visit for visit in opened if visit.id not in damaged_ids]
    prepared = [visit for visit in whole if visit.stage in PREPARED]
    erased_ids = {visit.id for visit in whole if plan_unless_erased(visit) is None}
    over_ids = {visit.id for visit in prepared if plan_is_over(visit, clock.today())} - erased_ids
    plans = actor.acts_for_npm and actor.has(*PLANNERS)
    visit_lines = [
        VisitLine(
            id=visit.id,
            cooperation_id=visit.cooperation_id,
            number=visit.number,
            stage=visit.stage,
            is_ready=visit.is_ready and visit.id not in stopped,
            agrees=visit.id in agreeing and visit.id not in damaged_ids,
            is_damaged=visit.id in damaged_ids,
            # Once its plan was erased nobody reads more than number and stage.
            outline=Outline.STATE
            if visit.id in erased_ids
            else outline(actor, is_open=bool(is_open), is_listed=bool(is_listed)),
            is_over=visit.id in over_ids
            if is_open and visit.id not in erased_ids | damaged_ids
            else None,
            asks_for_lead=plans and visit.needs_lead and visit.stage in PREPARED,
        )
        for visit, is_open, is_listed, _ in rows
    ]
    return _with_clearances(
        actor, [line for line in visit_lines if line.outline is not Outline.NOTHING]
    )


def _with_clearances(actor: Actor, visit_lines: list[VisitLine]) -> list[VisitLine]:
    """Return lines that also say whether somebody who isn't cleared was; one query if needed."""
    closed = {line.cooperation_id for line in visit_lines if line.outline is Outline.NOT_CLEARED}
    if not closed:
        return visit_lines
    had = clearances.ever_cleared(actor.user_id, closed, clock.today())
    return [
        replace(line, has_clearance=had.get(line.cooperation_id))
        if line.outline is Outline.NOT_CLEARED
        else line
        for line in visit_lines
    ]


def is_stopped_by_notice(day: Day) -> sa.ColumnElement[bool]:
    """Return the condition over Visit that by a day a notice stops a text that its gates require.

    Only notices that the worker hasn't applied yet: with these, the visit is judged again. The
    terms on confidentiality aren't required of a visit of the NPM's own people alone (S7), and the
    cooperation's urgent-action plan only with "Ombudsman plus".
    """
    text, notice = aliased(Checklist), aliased(Notice)
    is_expert = sa.exists().where(
        Membership.user_id == TeamMember.user_id,
        Membership.organisation_id == TeamMember.organisation_id,
        Membership.outside_expert.is_(True),
        held_on(day),
    )
    needs_clearance = (
        sa.exists()
        .where(
            TeamMember.visit_id == Visit.id,
            Organisation.id == TeamMember.organisation_id,
            sa.or_(Organisation.kind != OrganisationKind.NPM, is_expert),
        )
        .correlate(Visit)
    )
    has_standing_plan = (
        sa.exists()
        .where(
            Cooperation.id == Visit.cooperation_id,
            sa.cast(Cooperation.modes, sa.Text()).contains(f'"{Mode.OMB_PLUS.value}"'),
        )
        .correlate(Visit)
    )
    is_of_none = text.visit_id.is_(None)
    return (
        sa.exists()
        .where(
            text.cooperation_id == Visit.cooperation_id,
            notice.checklist_id == text.id,
            notice.from_on <= day,
            notice.taken_effect_at.is_(None),
            notice.closed_at.is_(None),
            sa.or_(
                text.visit_id == Visit.id,
                sa.and_(is_of_none, text.kind == ChecklistKind.TERMS),
                sa.and_(is_of_none, text.kind == ChecklistKind.CONFIDENTIALITY, needs_clearance),
                sa.and_(is_of_none, text.kind == ChecklistKind.URGENT_PLAN, has_standing_plan),
            ),
        )
        .correlate(Visit)
    )


def not_ready_today(visits: Iterable[Visit]) -> set[UUID]:
    """Return which of the visits for which is_stopped_by_notice() is true aren't ready by that.

    Not those whose days have passed: they stay as they were. Where the days can't be read, the
    visit isn't ready.
    """
    ready = [visit for visit in visits if visit.is_ready and visit.stage in PREPARED]
    keys.hold({visit.cooperation_id for visit in ready})
    return {
        visit.id for visit in ready if is_damaged(visit) or not plan_is_over(visit, clock.today())
    }


@built_for_all
def _known(actor: Actor) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Visit,
            planning_is_open(actor, Visit.cooperation_id, Visit.id),
            audiences.listed(actor, VISIT, Visit.id),
            is_stopped_by_notice(sa.bindparam("notice_day", type_=sa.Date())),
        )
        .where(
            Visit.cooperation_id.in_(sa.bindparam("ids", expanding=True)),
            scope.visible(actor, Visit.cooperation_id),
        )
        .order_by(Visit.cooperation_id, Visit.number)
    )


def of_cooperation(actor: Actor, cooperation_id: UUID) -> list[Visit]:
    """Return the visits of a cooperation whose planning is open to the person, by number."""
    return list(
        db.session.scalars(
            sa.select(Visit)
            .where(Visit.cooperation_id == cooperation_id, planning_visible(actor))
            .order_by(Visit.number)
        )
    )


# Who is on a team, each with the moment they joined; None: before it was recorded.
Team = Mapping[UUID, dt.datetime | None]
_WITH_TEAM = (
    sa.select(Visit, TeamMember.user_id, TeamMember.joined_at)
    .outerjoin(TeamMember, TeamMember.visit_id == Visit.id)
    .where(Visit.id.in_(sa.bindparam("ids", expanding=True)))
)


def facts(visit_ids: Collection[UUID]) -> dict[UUID, VisitFacts]:
    """Return what visits' checklists depend on: the team, the days, and whether it was stopped.

    A reader for the rules of checklists that a scoped query found.
    """
    teams: dict[Visit, dict[UUID, dt.datetime | None]] = {}
    # A visit is returned once for each member of its team, or once without any.
    rows = cast(
        "Iterable[tuple[Visit, UUID | None, dt.datetime | None]]",
        db.session.execute(_WITH_TEAM, {"ids": list(visit_ids)}),
    )
    for visit, user_id, joined_at in rows:
        teams.setdefault(visit, {}).update({} if user_id is None else {user_id: joined_at})
    return {visit.id: _facts(visit, team) for visit, team in teams.items()}


def facts_of(visit: Visit, team: Iterable[TeamMember]) -> VisitFacts:
    """Return what facts() does, of a visit and its team that were just read."""
    return _facts(visit, {member.user_id: member.joined_at for member in team})


def _facts(visit: Visit, team: Team) -> VisitFacts:
    plan = plan_of(visit)
    return VisitFacts(
        frozenset(team),
        plan.starts_on,
        plan.ends_on,
        plan.place_changed_at,
        plan.kind_asked_at,
        is_stopped=visit.stage is VisitStage.STOPPED,
        joined={user_id: joined_at for user_id, joined_at in team.items() if joined_at},
        place=plan.place,
        number=visit.number,
    )


# Built once for all readers.
_TEXT_GOES_ON = ~sa.exists().where(
    Visit.id == Checklist.visit_id, Visit.stage == VisitStage.STOPPED
)


def text_goes_on() -> sa.ColumnElement[bool]:
    """Return the condition over Checklist that it belongs to no visit that was stopped."""
    return _TEXT_GOES_ON


_NUMBER_OF_TEXT = (
    sa.select(Visit.number)
    .where(Visit.id == Checklist.visit_id)
    .correlate(Checklist)
    .scalar_subquery()
)


def number_of_text() -> sa.ColumnElement[int | None]:
    """Return the number of the visit that a Checklist belongs to; for those who may open it."""
    return _NUMBER_OF_TEXT


def still_to_come(cooperation_id: UUID) -> list[VisitChoice]:
    """Return the visits of a cooperation that are being prepared, for undertakings for a visit."""
    rows = db.session.execute(
        sa.select(Visit.id, Visit.number)
        .where(Visit.cooperation_id == cooperation_id, Visit.stage.in_(PREPARED))
        .order_by(Visit.number)
    )
    return [VisitChoice(row.id, row.number) for row in rows]


def prepared(*conditions: sa.ColumnElement[bool]) -> list[Visit]:
    """Return the visits that are being prepared, for handlers."""
    return list(
        db.session.scalars(
            sa.select(Visit)
            .where(Visit.stage.in_(PREPARED), *conditions)
            .order_by(Visit.cooperation_id, Visit.number)
        )
    )


def with_person(user_id: UUID) -> sa.ColumnElement[bool]:
    """Return the condition that a person takes part, or did, in a visit's cooperation."""
    return sa.exists().where(
        CooperationPerson.cooperation_id == Visit.cooperation_id,
        CooperationPerson.user_id == user_id,
    )


_TEAM = (
    sa.select(TeamMember)
    .join(TeamMember.user)
    .where(TeamMember.visit_id == sa.bindparam("visit_id"))
    .order_by(User.name, User.id)
    .options(
        load_joined(TeamMember.user, User.name, User.email, User.active, User.suspended_at),
        load_joined(TeamMember.organisation, Organisation.name),
    )
)
_IS_MEMBER = sa.select(
    sa.exists().where(
        TeamMember.visit_id == sa.bindparam("visit_id"),
        TeamMember.user_id == sa.bindparam("user_id"),
        TeamMember.organisation_id == sa.bindparam("organisation_id"),
    )
)
_OVERRIDES = (
    sa.select(GateOverride)
    .where(GateOverride.visit_id == sa.bindparam("visit_id"))
    .order_by(GateOverride.at.desc())
    .options(load_joined(GateOverride.user, User.name))
)


def team_of(visit_id: UUID) -> list[TeamMember]:
    """Return the team of a visit with names; the caller found the visit with a scoped query."""
    return list(db.session.scalars(_TEAM, {"visit_id": visit_id}))


def is_member(actor: Actor, visit: Visit) -> bool:
    """Return whether a person is on the team, for the organisation they act for."""
    wanted = {
        "visit_id": visit.id,
        "user_id": actor.user_id,
        "organisation_id": actor.organisation_id,
    }
    return bool(db.session.scalar(_IS_MEMBER, wanted))


def overrides_of(visit_id: UUID) -> list[GateOverride]:
    """Return the overrides of a visit's gates, the newest first."""
    return list(db.session.scalars(_OVERRIDES, {"visit_id": visit_id}))


# Tasks --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person in a visit that is open to them; nothing of class K2."""

    reference: str
    title: str
    number: int
    accepts_role: bool = False
    confirms_plan: bool = False
    makes_ready: bool = False
    # Whether only the lead and the deputy are on the team.
    names_team: bool = False
    # Whether only gate J3 is left, which a manager of the NPM can override.
    decides_on_override: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits for the person."""
        return not (
            self.accepts_role
            or self.confirms_plan
            or self.makes_ready
            or self.names_team
            or self.decides_on_override
        )


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """A visit open to a person whose list names them: its plan (K2), and what waits for them."""

    row: Visit
    # None: it can't be read.
    plan: Plan | None
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class _Own:
    """The answers that decide what waits for a person, by item and scope."""

    by_key: Mapping[tuple[str, AnswerScope], Answer] = field(default_factory=dict)

    def waits(self, cooperation_id: UUID, item: str, key: str, since: dt.datetime | None) -> bool:
        """Return whether the person's confirmation is missing, or older than what it confirms."""
        if since is None:
            return False
        own = self.by_key.get((item, AnswerScope.PERSON))
        if own is None or own.saved_at < since:
            return True
        return not answers.values_of(cooperation_id, own).get(key)

    def saved_at(self, item: str) -> dt.datetime | None:
        """Return when the shared answer of an item was saved."""
        shared = self.by_key.get((item, AnswerScope.SHARED))
        return None if shared is None else shared.saved_at


_USER: sa.BindParameter[UUID] = sa.bindparam("user_id")
_MOST: sa.BindParameter[int] = sa.bindparam("most", type_=sa.Integer())
_LEADS = sa.exists().where(
    AudienceMember.subject_type == VISIT,
    AudienceMember.subject_id == Visit.id,
    AudienceMember.user_id == _USER,
    AudienceMember.leads.is_(True),
)
_IN_TEAM = sa.exists().where(
    TeamMember.visit_id == Visit.id,
    TeamMember.user_id == _USER,
    TeamMember.organisation_id == sa.bindparam("organisation_id"),
)
# Somebody besides the lead and the deputy, who are always on the team.
_HAS_TEAM = (
    sa.select(sa.func.count()).where(TeamMember.visit_id == Visit.id).scalar_subquery()
) > len(("lead", "deputy"))
_TO_PREPARE = (
    sa.select(
        Visit,
        Cooperation.reference,
        Cooperation.title,
        Cooperation.stage,
        _LEADS,
        _IN_TEAM,
        _HAS_TEAM,
        CooperationKey,
    )
    .join(Cooperation, Cooperation.id == Visit.cooperation_id)
    .outerjoin(CooperationKey, CooperationKey.cooperation_id == Visit.cooperation_id)
    # Found through the lists that name the person: nobody else sees the planning.
    .join(
        _NAMED,
        sa.and_(
            _NAMED.subject_type == VISIT,
            _NAMED.subject_id == Visit.id,
            _NAMED.user_id == _USER,
        ),
    )
    .where(Visit.stage.in_(PREPARED))
    .order_by(_NAMED.from_on.desc(), _NAMED.subject_id.desc())
)


def tasks(actor: Actor, cooperation_id: UUID | None = None) -> list[Waiting]:
    """Return what waits for a person in all visits open to them, or in those of one cooperation.

    Takes a constant number of queries.
    """
    visits = open_visits(actor, cooperation_id)
    return [visit.waiting for visit in visits if not visit.waiting.is_empty]


def open_visits(actor: Actor, cooperation_id: UUID | None = None) -> list[OpenVisit]:
    """Return the visits ahead that are open to a person and whose lists name them.

    In all their cooperations or in one; takes a constant number of queries.
    """
    query, reader = _to_prepare(actor) if cooperation_id is None else _to_prepare_in_one(actor)
    rows = db.session.execute(
        query,
        {
            "user_id": actor.user_id,
            "organisation_id": actor.organisation_id,
            "cooperation_id": cooperation_id,
            "most": MANY,
            **reader,
        },
    ).all()
    prepared_ = sorted(
        (_Prepared(*row) for row in rows), key=lambda line: (line.reference, line.visit.number)
    )
    if not prepared_:
        return []
    checklists, own = _checklists(actor, [line.visit.id for line in prepared_])
    keys.keep(line.key for line in prepared_)
    visits = [_open_visit(actor, line, checklists, own) for line in prepared_]
    return [visit for visit in visits if visit is not None]


@built_for_all
def _to_prepare(actor: Actor) -> sa.Select[*tuple[Any, ...]]:
    return _TO_PREPARE.where(planning_visible(actor)).limit(_MOST)


@built_for_all
def _to_prepare_in_one(actor: Actor) -> sa.Select[*tuple[Any, ...]]:
    is_of_it = Visit.cooperation_id == sa.bindparam("cooperation_id")
    return _TO_PREPARE.where(is_of_it, planning_visible(actor)).limit(_MOST)


class _Prepared(NamedTuple):
    """A visit being prepared that is open to a person, and the person's part in it."""

    visit: Visit
    reference: str
    title: str
    cooperation_stage: Stage
    leads: bool
    in_team: bool
    has_team: bool
    key: CooperationKey | None


# The roles and the urgent plan of visits.
_Checklists = dict[tuple[UUID, ChecklistKind], Checklist]


def _open_visit(
    actor: Actor, line: _Prepared, checklists: _Checklists, own: Mapping[UUID, _Own]
) -> OpenVisit | None:
    """Return a visit with what waits for the person; None if nothing can be prepared any more."""
    visit = line.visit
    if is_damaged(visit):
        nothing = Waiting(reference=line.reference, title=line.title, number=visit.number)
        return OpenVisit(visit, None, nothing)
    plan = plan_unless_erased(visit)
    if line.cooperation_stage in CLOSED or plan is None or plan.is_over(clock.today()):
        return None
    waiting = _waiting(actor, line, plan, checklists, own)
    return OpenVisit(visit, plan, waiting)


def _waiting(
    actor: Actor,
    line: _Prepared,
    plan: Plan,
    checklists: _Checklists,
    own: Mapping[UUID, _Own],
) -> Waiting:
    visit = line.visit
    roles = checklists.get((visit.id, ChecklistKind.VISIT_ROLES))
    npm_ids = {actor.organisation_id} if actor.acts_for_npm and actor.organisation_id else set()
    plans = bool(
        can_change(
            actor,
            npm_ids,
            visit.stage,
            cooperation_stage=line.cooperation_stage,
            leads=line.leads,
        )
    )
    # While the agreed terms are suspended, nothing that a planner does makes it ready.
    is_unready = not visit.is_ready and line.cooperation_stage not in AT_REST
    # Managers may plan too, but what is left to them is to decide.
    prepares = plans and is_unready and (line.leads or actor.has(Role.COORDINATOR))
    may_override = can_override(actor, npm_ids, visit.stage, is_over=False)
    waiting = Waiting(
        reference=line.reference,
        title=line.title,
        number=visit.number,
        makes_ready=prepares,
        names_team=prepares and not line.has_team,
        decides_on_override=is_unready and visit.stage is VisitStage.CLEARED and bool(may_override),
    )
    if not line.in_team:
        return waiting
    mine = own.get(roles.id, _Own()) if roles else _Own()
    urgent_plan = checklists.get((visit.id, ChecklistKind.URGENT_PLAN))
    read_since = to_read_since(urgent_plan, plan) if urgent_plan is not None else None
    cooperation_id = visit.cooperation_id
    return replace(
        waiting,
        accepts_role=mine.waits(cooperation_id, "V5", "accepted", plan.since(mine.saved_at("V5"))),
        confirms_plan=mine.waits(cooperation_id, "V20", "read", read_since),
    )


def to_read_since(urgent_plan: Checklist, plan: Plan) -> dt.datetime | None:
    """Return since when the team has to have read the urgent-action plan of a visit (V20).

    Since it came into force, or since place or days changed. None while it isn't in force or an
    amendment is open: nobody has to read a text that is about to change.
    """
    in_force = urgent_plan.state is ChecklistState.IN_FORCE
    return plan.since(urgent_plan.in_force_at if in_force else None)


# Roles and the urgent plan of visits, each with the answers of V5 and V20 that concern a person.
_CHECKLISTS = (
    sa.select(Checklist, Answer)
    .outerjoin(
        Answer,
        sa.and_(
            Answer.checklist_id == Checklist.id,
            Answer.is_current,
            Checklist.kind == ChecklistKind.VISIT_ROLES,
            sa.or_(
                sa.and_(Answer.item == "V5", Answer.scope == AnswerScope.SHARED),
                sa.and_(
                    Answer.item.in_(["V5", "V20"]),
                    Answer.scope == AnswerScope.PERSON,
                    Answer.owner_id == _USER,
                ),
            ),
        ),
    )
    .where(Checklist.visit_id.in_(sa.bindparam("visit_ids", expanding=True)))
    .options(
        load_only(Checklist.visit_id, Checklist.kind, Checklist.state, Checklist.in_force_at),
        load_only(
            Answer.checklist_id,
            Answer.item,
            Answer.scope,
            Answer.saved_at,
            Answer.values,
            Answer.sealed,
        ),
    )
)


def _checklists(actor: Actor, visit_ids: list[UUID]) -> tuple[_Checklists, dict[UUID, _Own]]:
    """Return the checklists of visits, and by checklist the answers that concern the person."""
    checklists: _Checklists = {}
    by_checklist: dict[UUID, dict[tuple[str, AnswerScope], Answer]] = {}
    rows = db.session.execute(_CHECKLISTS, {"visit_ids": visit_ids, "user_id": actor.user_id})
    for checklist, answer in rows:
        if checklist.visit_id is not None:
            checklists[checklist.visit_id, checklist.kind] = checklist
        if answer is not None:
            by_checklist.setdefault(checklist.id, {})[answer.item, answer.scope] = answer
    return checklists, {checklist_id: _Own(values) for checklist_id, values in by_checklist.items()}


# The read log -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A record that somebody opened a page with information of class K2 to K7; never its content.

    For a visit that the reader may not know of, neither page nor subject: they would reveal the
    team.
    """

    name: str
    organisation_name: str
    page: str
    subject_type: str
    visit_number: int | None
    at: dt.datetime


def reads(
    actor: Actor, cooperation_id: UUID, *, offset: int, limit: int
) -> tuple[int, list[ReadLine]]:
    """Return how many entries the read log of a cooperation has, and some of them, newest first.

    The caller has asked the policy: the NPM's managers may see it.
    """
    condition = ReadLogEntry.cooperation_id == cooperation_id
    total = db.session.scalar(sa.select(sa.func.count(ReadLogEntry.id)).where(condition)) or 0
    number = (
        sa.select(Visit.number)
        .where(
            sa.or_(
                sa.and_(ReadLogEntry.subject_type == VISIT, Visit.id == ReadLogEntry.subject_id),
                sa.and_(
                    ReadLogEntry.subject_type == "checklist",
                    Visit.id
                    == sa.select(Checklist.visit_id)
                    .where(Checklist.id == ReadLogEntry.subject_id)
                    .correlate(ReadLogEntry)
                    .scalar_subquery(),
                ),
            )
        )
        .correlate(ReadLogEntry)
    )
    known = number.where(planning_visible(actor))
    rows = db.session.execute(
        sa.select(
            ReadLogEntry,
            User.name,
            Organisation.name,
            number.scalar_subquery(),
            known.scalar_subquery(),
        )
        .outerjoin(User, User.id == ReadLogEntry.user_id)
        .outerjoin(Organisation, Organisation.id == ReadLogEntry.organisation_id)
        .where(condition)
        .order_by(ReadLogEntry.at.desc(), ReadLogEntry.id)
        .offset(offset)
        .limit(limit)
    )
    return total, [
        ReadLine(
            name=name or "",
            organisation_name=organisation or "",
            page=entry.page if visit_number == known_number else "",
            subject_type=entry.subject_type if visit_number == known_number else "",
            visit_number=visit_number,
            at=entry.at,
        )
        for entry, name, organisation, visit_number, known_number in rows
    ]
