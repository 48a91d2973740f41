"""Whether checklists are of the kind and the visit they were started for, according to events."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import verbs, witness
from tracker.activity.models import Event
from tracker.checklists.models import Checklist
from tracker.checklists.queries import VISIT

CHECKLIST = "checklist"
_BEGINNINGS = witness.about_with_details(
    sa.or_(
        sa.and_(
            Event.subject_type == CHECKLIST,
            Event.subject_id.in_(sa.bindparam("checklist_ids", expanding=True)),
        ),
        sa.and_(
            Event.subject_type == VISIT,
            Event.subject_id.in_(sa.bindparam("visit_ids", expanding=True)),
        ),
    ),
    [verbs.CHECKLIST_STARTED, verbs.VISIT_PLANNED],
)


def misplaced(checklists: Collection[Checklist]) -> frozenset[UUID]:
    """Return the checklists that were started as another kind, or for another visit.

    Derived from the events of their start and of their visit's planning, which name its number. If
    a recorded act erased the details, nothing is known. Takes one statement, two if details are
    missing.
    """
    events = witness.of_subjects_with_details(
        _BEGINNINGS,
        {checklist.cooperation_id for checklist in checklists},
        checklist_ids=[checklist.id for checklist in checklists],
        visit_ids=list({checklist.visit_id for checklist in checklists if checklist.visit_id}),
    )
    lacking = witness.lacking_details(events)
    beginnings = {link.subject_id: details for link, details in events}
    return frozenset(
        checklist.id
        for checklist in checklists
        if checklist.id in lacking
        or checklist.visit_id in lacking
        or not _is_as_started(checklist, beginnings)
    )


def _is_as_started(
    checklist: Checklist, beginnings: Mapping[UUID, Mapping[str, Any] | None]
) -> bool:
    """Return whether a checklist is of the kind and the visit that its first event names."""
    if checklist.id not in beginnings or (
        checklist.visit_id is not None and checklist.visit_id not in beginnings
    ):
        return False
    started = beginnings[checklist.id]
    if started is None:  # erased by a recorded act
        return True
    if checklist.visit_id is None:
        number = None
    else:
        planned = beginnings[checklist.visit_id]
        number = started.get("visit") if planned is None else planned["number"]
    return (started["kind"], started.get("visit")) == (checklist.kind.value, number)
