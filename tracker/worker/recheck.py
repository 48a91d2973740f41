"""Recomputation of everything derived about cooperations, reporting what differed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.activity.stale import Stale, mark, recompute
from tracker.agreements.paper import marks as scan_marks
from tracker.checklists.models import Checklist, ChecklistParty
from tracker.checklists.queries import VISIT
from tracker.checklists.service import counted
from tracker.cooperations import entries as cooperation_entries
from tracker.cooperations.models import (
    AudienceMember,
    Clearance,
    ClearanceBar,
    Cooperation,
    CooperationEntry,
)
from tracker.core.db import db
from tracker.oversight.models import RegisterEntry
from tracker.undertakings.models import Undertaking, UndertakingState
from tracker.visits import queries as visit_queries
from tracker.visits.models import TeamMember, Visit

# The stored values of each object, by the name of its kind and its id.
Stored = dict[tuple[str, UUID], tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Differing:
    """An object whose stored values were not what they should have been."""

    kind: str
    id: UUID
    before: tuple[object, ...]
    after: tuple[object, ...]


def named(references: Sequence[str] | None) -> list[tuple[UUID, str]]:
    """Return id and reference of the cooperations named, or of all (None), by reference."""
    wanted = sa.select(Cooperation.id, Cooperation.reference).order_by(Cooperation.reference)
    if references is not None:
        wanted = wanted.where(Cooperation.reference.in_(references))
    return [(row.id, row.reference) for row in db.session.execute(wanted)]


def recheck(cooperation_id: UUID) -> list[Differing]:
    """Recompute counts, stages, readiness, lists, undertakings, clearances; return what differed.

    Runs in the caller's transaction, as after an event that affects all of them: whatever
    differed is corrected, recorded and notified like any other change.
    """
    before = stored(cooperation_id)
    checklists = sa.select(Checklist.id).where(
        Checklist.cooperation_id == cooperation_id, counted()
    )
    prepared = visit_queries.prepared(Visit.cooperation_id == cooperation_id)
    mark(Stale.TEAM, [visit.id for visit in prepared])
    mark(Stale.CHECKLIST, db.session.scalars(checklists))
    mark(Stale.CLEARANCES, [cooperation_id])
    mark(Stale.BARS, [cooperation_id])
    mark(
        Stale.VISIT,
        db.session.scalars(sa.select(Visit.id).where(Visit.cooperation_id == cooperation_id)),
    )
    cooperation_entries.refresh(cooperation_id)
    scan_marks.refresh_all(cooperation_id)
    mark(Stale.COOPERATION, [cooperation_id])
    mark(Stale.REGISTER, [cooperation_id])
    recompute()
    after = stored(cooperation_id)
    return [
        Differing(
            kind, object_id, before.get((kind, object_id), ()), after.get((kind, object_id), ())
        )
        for kind, object_id in sorted(before.keys() | after.keys())
        if before.get((kind, object_id)) != after.get((kind, object_id))
    ]


def stored(cooperation_id: UUID) -> Stored:
    """Return the stored values of a cooperation and everything derived about it."""
    db.session.flush()
    stored_values: Stored = {}
    for kind, statement in _STORED.items():
        for row, *values in db.session.execute(statement, {"cooperation_id": cooperation_id}):
            stored_values[kind, row] = (*stored_values.get((kind, row), ()), *values)
    return stored_values


_OF_IT: sa.BindParameter[UUID] = sa.bindparam("cooperation_id")
_STORED: "dict[str, sa.Select[*tuple[Any, ...]]]" = {
    "cooperation": sa.select(Cooperation.id, Cooperation.stage).where(Cooperation.id == _OF_IT),
    "checklist": sa.select(
        Checklist.id,
        Checklist.done_count,
        Checklist.total_count,
        Checklist.is_complete,
        Checklist.misnamed_items,
    ).where(Checklist.cooperation_id == _OF_IT),
    "checklist of a party": sa.select(
        Checklist.id,
        ChecklistParty.waiting_count,
        ChecklistParty.unread_count,
        ChecklistParty.to_accept_count,
        ChecklistParty.scan_waits_since,
    )
    .join(ChecklistParty, ChecklistParty.checklist_id == Checklist.id)
    .where(Checklist.cooperation_id == _OF_IT)
    .order_by(ChecklistParty.organisation_id),
    "visit": sa.select(Visit.id, Visit.stage, Visit.is_ready).where(Visit.cooperation_id == _OF_IT),
    "list of a visit": sa.select(
        AudienceMember.subject_id,
        AudienceMember.user_id,
        AudienceMember.from_on,
        AudienceMember.leads,
    )
    .where(AudienceMember.cooperation_id == _OF_IT, AudienceMember.subject_type == VISIT)
    .order_by(AudienceMember.user_id),
    "team of a visit": sa.select(
        TeamMember.visit_id, TeamMember.user_id, TeamMember.organisation_id
    )
    .join(Visit, Visit.id == TeamMember.visit_id)
    .where(Visit.cooperation_id == _OF_IT)
    .order_by(TeamMember.user_id),
    "undertaking": sa.select(Undertaking.id, Undertaking.state).where(
        Undertaking.cooperation_id == _OF_IT, Undertaking.state != UndertakingState.CLOSED
    ),
    "cooperation entry": sa.select(
        CooperationEntry.cooperation_id,
        CooperationEntry.organisation_id,
        CooperationEntry.stage,
        CooperationEntry.left_on,
        CooperationEntry.starts_on,
        CooperationEntry.ends_on,
        CooperationEntry.notice_suspends_on,
        CooperationEntry.notice_ends_on,
        CooperationEntry.words,
    )
    .where(CooperationEntry.cooperation_id == _OF_IT)
    .order_by(CooperationEntry.organisation_id),
    "register entry": sa.select(
        RegisterEntry.checklist_id,
        RegisterEntry.organisation_id,
        RegisterEntry.state,
        RegisterEntry.is_sent,
        RegisterEntry.is_overridden,
        RegisterEntry.from_on,
        RegisterEntry.until_on,
        RegisterEntry.review_on,
        RegisterEntry.suspends_on,
        RegisterEntry.signed_until,
        RegisterEntry.left_on,
    )
    .where(RegisterEntry.cooperation_id == _OF_IT)
    .order_by(RegisterEntry.checklist_id, RegisterEntry.organisation_id),
    "clearance": sa.select(Clearance.id, Clearance.until_on).where(
        Clearance.cooperation_id == _OF_IT, Clearance.closed_at.is_(None)
    ),
    "clearance bar": sa.select(
        ClearanceBar.interest_id, ClearanceBar.user_id, ClearanceBar.visit_id
    )
    .where(ClearanceBar.cooperation_id == _OF_IT)
    .order_by(ClearanceBar.visit_id),
}
