"""What events say a checklist was started for: its kind, its visit, and whether that stopped."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import verbs, witness
from tracker.activity.models import Event
from tracker.activity.witness import DetailedEvent
from tracker.checklists.models import Checklist
from tracker.checklists.queries import VISIT

CHECKLIST = "checklist"
VERBS = (verbs.CHECKLIST_STARTED, verbs.VISIT_PLANNED, verbs.VISIT_STOPPED)
# On Event, for statements that read other events of a cooperation too; with the values of wanted().
IS_ABOUT = sa.or_(
    sa.and_(
        Event.subject_type == CHECKLIST,
        Event.subject_id.in_(sa.bindparam("checklist_ids", expanding=True)),
    ),
    sa.and_(
        Event.subject_type == VISIT,
        Event.subject_id.in_(sa.bindparam("visit_ids", expanding=True)),
    ),
)
_BEGINNINGS = witness.about_with_details(IS_ABOUT, VERBS)


@dataclass(frozen=True, slots=True)
class Beginnings:
    """What events say about the beginnings of some checklists, and the end of their visits."""

    # Those that were started as another kind, or for another visit.
    misplaced: frozenset[UUID]
    # Those of them whose row doesn't name the visit they were started for.
    of_unknown_visit: frozenset[UUID]
    # Those whose visit was stopped.
    of_stopped_visit: frozenset[UUID]


def wanted(checklists: Iterable[Checklist]) -> dict[str, list[UUID]]:
    """Return the values of IS_ABOUT for some checklists."""
    rows = list(checklists)
    return {
        "checklist_ids": [checklist.id for checklist in rows],
        "visit_ids": list({checklist.visit_id for checklist in rows if checklist.visit_id}),
    }


def read(
    checklists: Collection[Checklist], recorded: Iterable[DetailedEvent] | None = None
) -> Beginnings:
    """Return which checklists were started for something else, and whose visit was stopped.

    recorded are events that contain all of these checklists and their visits, if somebody has read
    them already.

    Derived from the events of their start and of their visit's planning, which name its number, and
    of its stopping. If a recorded act erased the details, nothing is known of the beginning. Takes
    one statement, none if recorded are given, and one more if details are missing.
    """
    if recorded is None:
        recorded = witness.of_subjects_with_details(
            _BEGINNINGS,
            {checklist.cooperation_id for checklist in checklists},
            **wanted(checklists),
        )
    all_events = witness.those_of(recorded, {CHECKLIST, VISIT}, VERBS)
    stopped = {
        link.subject_id for link, _details in all_events if link.verb == verbs.VISIT_STOPPED.name
    }
    events = [event for event in all_events if event[0].verb != verbs.VISIT_STOPPED.name]
    lacking = witness.lacking_details(events)
    beginnings = {link.subject_id: details for link, details in events}
    of_other_visit = {
        checklist.id for checklist in checklists if not _is_of_its_visit(checklist, beginnings)
    }
    return Beginnings(
        misplaced=frozenset(
            checklist.id
            for checklist in checklists
            if checklist.id in lacking
            or checklist.visit_id in lacking
            or checklist.id in of_other_visit
            or not _is_of_its_kind(checklist, beginnings)
        ),
        of_unknown_visit=frozenset(
            checklist_id
            for checklist_id in of_other_visit
            if (beginnings.get(checklist_id) or {}).get("visit") is not None
        ),
        of_stopped_visit=frozenset(
            checklist.id
            for checklist in checklists
            if checklist.visit_id in stopped and checklist.id not in of_other_visit
        ),
    )


def _is_of_its_kind(
    checklist: Checklist, beginnings: Mapping[UUID, Mapping[str, Any] | None]
) -> bool:
    """Return whether a checklist is of the kind that its first event names."""
    started = beginnings[checklist.id]
    return started is None or started["kind"] == checklist.kind.value


def _is_of_its_visit(
    checklist: Checklist, beginnings: Mapping[UUID, Mapping[str, Any] | None]
) -> bool:
    """Return whether a checklist is of the visit, or of none, that its first event names."""
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
    return started.get("visit") == number
