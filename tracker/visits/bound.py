"""Whether visits' stages, readiness, overrides, teams and lists agree with the events."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.accounts import bound as accounts
from tracker.accounts.models import Membership
from tracker.activity import binding, verbs, witness
from tracker.activity.models import Event
from tracker.activity.witness import DetailedEvent, Recorded
from tracker.agreements import evidence
from tracker.checklists.models import Answer, Checklist
from tracker.cooperations import keys
from tracker.cooperations.models import AudienceMember, CooperationPerson, Party
from tracker.core.db import db
from tracker.lifecycle import bound as lifecycle
from tracker.visits.models import GateOverride, TeamMember, Visit, VisitStage

_READINESS = (verbs.VISIT_BECAME_READY, verbs.VISIT_LOST_READINESS, verbs.VISIT_STOPPED)
_STAGES = (verbs.VISIT_STAGE_CHANGED, verbs.VISIT_STOPPED)
_VISIT = "visit"
_IS_OF_VISITS = sa.and_(
    Event.subject_type == _VISIT,
    Event.subject_id.in_(sa.bindparam("visit_ids", expanding=True)),
)
_STAGES_ENTERED = witness.about_with_details(_IS_OF_VISITS, _STAGES)
_PEOPLE = (verbs.TEAM_CHANGED, verbs.AUDIENCE_CHANGED)
_TABLES_OF_PEOPLE = {TeamMember.__tablename__, AudienceMember.__tablename__}
# The acts that change a visit's row besides: with them its last change is among what is read, or
# witness.altered() looks for it.
_ROWS = (verbs.VISIT_PLANNED, verbs.VISIT_CHANGED, verbs.VISIT_PUT_IN_CHARGE)
_VERBS = {*_READINESS, *_STAGES, *_ROWS, verbs.GATE_OVERRIDDEN}
_MOVES = witness.about_with_details(_IS_OF_VISITS, _VERBS)
# Of a visit, its checklists and its cooperation: IS_ABOUT of evidence names the visit too.
_RECORDED = witness.about_with_details(
    sa.or_(lifecycle.IS_ABOUT, evidence.IS_ABOUT),
    {*_VERBS, *_PEOPLE, *lifecycle.VERBS, *lifecycle.OF_PARTIES, *evidence.VERBS},
)
# Of texts and their visits, for statements of lists with evidence.IS_ABOUT.
VERBS_OF_TEXTS = frozenset({*_VERBS, *evidence.VERBS})


def recorded(visit: Visit, checklists: Collection[Checklist]) -> list[Recorded]:
    """Return the events about a visit, its checklists and its cooperation that pages compare."""
    wanted = evidence.wanted(checklists) | {"visit_ids": [visit.id]}
    return witness.recorded(_RECORDED, {visit.cooperation_id}, **wanted)


def people_as_recorded(
    visit: Visit,
    team: Iterable[TeamMember],
    listed: Iterable[AudienceMember],
    parties: Iterable[Party],
    events: Collection[Recorded],
) -> bool:
    """Return whether a visit's team (V4) and list (V2) are those that events bind.

    And its cooperation's parties: who signs and who needs a clearance follows from their sides. In
    no statement with the events of recorded(), and two at most if they contradict the rows.
    """
    about = [event for event in events if event.link.subject_id == visit.id]
    rows = [*team, *listed]
    return witness.are_all_of(
        about, visit.cooperation_id, _TABLES_OF_PEOPLE, rows
    ) and lifecycle.parties_as_recorded(visit.cooperation_id, parties, events)


def agreeing(
    visits: Collection[Visit],
    overrides: Collection[GateOverride] | None = None,
    events: Collection[Recorded] | None = None,
) -> frozenset[UUID]:
    """Return the visits whose rows, stage, readiness and overrides agree with the events.

    Overrides are compared if those of all visits are given. If a recorded act erased the details of
    a stage's event, the stage is unknown. In two statements, one of which loads the cooperations'
    keys if they weren't; in none besides with the events of recorded() or of VERBS_OF_TEXTS; and up
    to three more if details are missing or a row contradicts the events.
    """
    keys.hold({visit.cooperation_id for visit in visits})
    if events is None:
        events = _events(visits, _MOVES)
    moves = witness.those_of(_detailed(events), {_VISIT}, _VERBS)
    differing = _with_other_overrides(overrides, moves) if overrides is not None else set()
    names = {verb.name for verb in _READINESS}
    readiness = {link.subject_id: link.verb for link, _details in moves if link.verb in names}
    in_stage = _in_stage(visits, moves)
    altered = _altered(visits, events)
    return frozenset(
        visit.id
        for visit in visits
        if visit.id in in_stage
        and visit.id not in altered
        and visit.id not in differing
        and visit.is_ready is (readiness.get(visit.id) == verbs.VISIT_BECAME_READY.name)
    )


def in_stage(visits: Collection[Visit]) -> frozenset[UUID]:
    """Return the visits whose stage agrees with the last events, as agreeing() does."""
    return _in_stage(visits, _detailed(_events(visits, _STAGES_ENTERED)))


def _altered(visits: Collection[Visit], events: Iterable[Recorded]) -> set[UUID]:
    """Return the visits with a row that isn't as the last events bind it: number, place and days.

    One whose cooperation's key was destroyed can't be compared.
    """
    rows: dict[UUID, list[Visit]] = {}
    for visit in visits:
        if keys.rows_key_of(visit.cooperation_id):
            rows.setdefault(visit.cooperation_id, []).append(visit)
    altered = {place for _cooperation_id, place in witness.altered(events, rows)}
    return {visit.id for visit in visits if binding.place_of(visit) in altered}


def overrides_as_recorded(visit: Visit, rows: Collection[GateOverride]) -> list[GateOverride]:
    """Return those overrides of a visit that events bind, with what each excuses.

    A row that was written into the database excuses nothing. In one statement, none if there is no
    override.
    """
    return witness.as_recorded(visit.cooperation_id, rows)


def answers(answer_ids: Collection[UUID]) -> list[Answer]:
    """Return some answers as the database has them now; in one statement, none without ids."""
    if not answer_ids:
        return []
    wanted = sa.select(Answer).where(Answer.id.in_(answer_ids))
    fresh = {"populate_existing": True}  # whatever the session has
    return list(db.session.scalars(wanted, execution_options=fresh))


def confirmations_as_recorded(visit: Visit, confirmations: Collection[Answer]) -> frozenset[UUID]:
    """Return those of some people's own answers (V5, V20) that events bind.

    What was written into the database confirms nothing. In two statements, none without answers.
    """
    bound = witness.as_recorded_of_visit(visit.id, visit.cooperation_id, confirmations)
    return frozenset(row.id for row in bound)


def roles_as_recorded(visit: Visit, user_ids: Collection[UUID], dated: Collection[Answer]) -> bool:
    """Return whether people's accounts, roles and parts in a cooperation are as events bind them.

    Who is of the NPM and who needs a clearance follows from these. dated are answers of its roles
    from whose moments confirmations count, compared too; so is its own row with place and days,
    which was never altered: the visit's next stage would bind an earlier row that was put back. In
    five statements, one of which reads the events of the cooperation that bind these rows, so use
    it for single actions.
    """
    roles = db.session.execute(
        sa.select(Membership.id, Membership.organisation_id).where(Membership.user_id.in_(user_ids))
    ).all()
    membership_ids = {row.id for row in roles}
    organisation_ids = {row.organisation_id for row in roles if row.organisation_id is not None}
    if not accounts.are_as_recorded(user_ids, membership_ids, organisation_ids):
        return False
    parts = db.session.scalars(
        sa.select(CooperationPerson).where(
            CooperationPerson.cooperation_id == visit.cooperation_id,
            CooperationPerson.user_id.in_(user_ids),
        ),
        execution_options={"populate_existing": True},
    ).all()
    return witness.are_as_recorded(visit.cooperation_id, [visit, *parts, *dated], {_VISIT})


def _with_other_overrides(
    overrides: Collection[GateOverride], moves: Iterable[DetailedEvent]
) -> set[UUID]:
    """Return the visits whose overrides aren't those that events tell of, by person and reason.

    For lists, where nothing of class K2 to K7 is opened. Of an event whose details a recorded act
    erased, only the number counts.
    """
    events = [(link, details) for link, details in moves if link.verb == verbs.GATE_OVERRIDDEN.name]
    rows = Counter((row.visit_id, str(row.user_id), row.reason) for row in overrides)
    recorded = Counter(
        (link.subject_id, str((details["who"] or {}).get("id")), str(details["reason"]))
        for link, details in events
        if details is not None
    )
    unexplained = Counter[UUID]()
    for (visit_id, _user, _reason), number in (rows - recorded).items():
        unexplained[visit_id] += number
    erased = Counter(link.subject_id for link, details in events if details is None)
    missing = {visit_id for visit_id, _user, _reason in recorded - rows}
    differing = {
        visit_id
        for visit_id in unexplained.keys() | erased.keys()
        if unexplained[visit_id] != erased[visit_id]
    }
    return differing | missing | witness.lacking_details(events)


def _events(visits: Collection[Visit], statement: sa.Select[Any]) -> list[Recorded]:
    return witness.recorded(
        statement,
        {visit.cooperation_id for visit in visits},
        visit_ids=[visit.id for visit in visits],
    )


def _detailed(events: Iterable[Recorded]) -> list[DetailedEvent]:
    return [(event.link, event.details) for event in events]


def _in_stage(visits: Collection[Visit], moves: Collection[DetailedEvent]) -> frozenset[UUID]:
    names = {verb.name for verb in _STAGES}
    last = {link.subject_id: (link, details) for link, details in moves if link.verb in names}
    entered = {
        visit_id: (link, details)
        for visit_id, (link, details) in last.items()
        if link.verb != verbs.VISIT_STOPPED.name
    }
    lacking = witness.lacking_details(entered.values())
    stages: dict[UUID, str] = {visit.id: VisitStage.PROPOSED for visit in visits}
    stages |= dict.fromkeys(last, VisitStage.STOPPED)
    stages |= {
        visit_id: (details or {}).get("after", "") for visit_id, (_link, details) in entered.items()
    }
    return frozenset(
        visit.id
        for visit in visits
        if visit.id not in lacking and (stages[visit.id] or visit.stage) == visit.stage
    )
