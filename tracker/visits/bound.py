"""Whether visits' stages and readiness agree with the events."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import verbs, witness
from tracker.activity.chain import Link
from tracker.activity.models import Event
from tracker.visits.models import Visit, VisitStage

_READINESS = (verbs.VISIT_BECAME_READY, verbs.VISIT_LOST_READINESS, verbs.VISIT_STOPPED)
_STAGES = (verbs.VISIT_STAGE_CHANGED, verbs.VISIT_STOPPED)


def agreeing(visits: Collection[Visit]) -> frozenset[UUID]:
    """Return the visits whose stage and readiness agree with the last events.

    If a recorded act erased the details of a stage's event, the stage is unknown. In two
    statements, three if details are missing.
    """
    links = _links(visits, {*_READINESS, *_STAGES})
    names = {verb.name for verb in _READINESS}
    readiness = {link.subject_id: link.verb for link in links if link.verb in names}
    in_stage = _in_stage(visits, links)
    return frozenset(
        visit.id
        for visit in visits
        if visit.id in in_stage
        and visit.is_ready is (readiness.get(visit.id) == verbs.VISIT_BECAME_READY.name)
    )


def in_stage(visits: Collection[Visit]) -> frozenset[UUID]:
    """Return the visits whose stage agrees with the last events, as agreeing() does."""
    return _in_stage(visits, _links(visits, _STAGES))


def _links(visits: Collection[Visit], of: Collection[verbs.Verb]) -> list[Link]:
    return witness.of_subjects(
        sa.and_(
            Event.subject_type == "visit", Event.subject_id.in_([visit.id for visit in visits])
        ),
        of,
        {visit.cooperation_id for visit in visits},
    )


def _in_stage(visits: Collection[Visit], links: Collection[Link]) -> frozenset[UUID]:
    names = {verb.name for verb in _STAGES}
    moves = {link.subject_id: link for link in links if link.verb in names}
    details = witness.details_of([link.event_id for link in moves.values()])
    lacking = witness.lacking_details(
        (link for link in moves.values() if link.verb != verbs.VISIT_STOPPED.name), details
    )
    stages: dict[UUID, str] = {visit.id: VisitStage.PROPOSED for visit in visits}
    for visit_id, link in moves.items():
        is_stopped = link.verb == verbs.VISIT_STOPPED.name
        after = details.get(link.event_id, {}).get("after", "")
        stages[visit_id] = VisitStage.STOPPED if is_stopped else after
    return frozenset(
        visit.id
        for visit in visits
        if visit.id not in lacking and (stages[visit.id] or visit.stage) == visit.stage
    )
