"""The status of any signed text from its evidence alone, for statements to outsiders."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import defer

from tracker.activity import verbs, witness
from tracker.activity.models import Chain, Event
from tracker.agreements import evidence as checklists
from tracker.agreements.service import SUBJECT as CHECKLIST
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import service as signing
from tracker.signoff.models import Revision
from tracker.signoff.outcomes import FREEZING, Outcome, Validity
from tracker.undertakings import bound as undertakings
from tracker.undertakings.models import Undertaking


@dataclass(frozen=True, slots=True)
class TextStatus:
    """The status of a frozen text; no outcome if texts, signatures and events disagree."""

    outcome: Outcome | None
    # Whether the rows that record its status agree.
    agrees: bool
    # The first day of a fully signed text, if it is still to come.
    begins_on: dt.date | None = None
    # Whether it ended because the visit it is about was stopped.
    ended_with_visit: bool = False


NOT_KNOWN = TextStatus(None, agrees=False)
_COOPERATIONS: sa.BindParameter[Any] = sa.bindparam("cooperation_ids", expanding=True)
_FREEZINGS = witness.about(
    sa.and_(
        Event.chain_id.in_(sa.select(Chain.id).where(Chain.cooperation_id.in_(_COOPERATIONS))),
        Event.subject_type == CHECKLIST,
    ),
    FREEZING,
)
_MOVES = witness.about(Event.subject_id.in_(_COOPERATIONS), [verbs.STAGE_CHANGED])


def standing_of(revision: Revision) -> TextStatus:
    """Return today's status of a text from its own content, its signatures and its whole chain."""
    if revision.subject_type == CHECKLIST:
        return _of_checklist(revision)
    return _of_undertaking(revision)


def _of_checklist(revision: Revision) -> TextStatus:
    own = db.session.get(Checklist, revision.subject_id)
    if own is None or own.cooperation_id != revision.cooperation_id:
        return NOT_KNOWN
    terms = _terms_beside(revision)
    compared = checklists.look_whole(own.cooperation_id, [own, *(terms or ())])
    claim = compared[own.id]
    if claim.outcome(revision.id) not in checklists.GOES_ON:
        return TextStatus(
            claim.outcome(revision.id),
            claim.agrees,
            ended_with_visit=claim.ended_with_visit(revision.id),
        )
    if terms is None:
        return NOT_KNOWN
    for text in terms:
        claim = claim.beside(compared[text.id])
    if _is_closed(own.cooperation_id):
        claim = replace(claim, terms_have_ended=True)
    outcome, runs = claim.outcome(revision.id), claim.validity(revision.id)
    if outcome is Outcome.IN_FORCE and runs is Validity.RUN_OUT:
        outcome = Outcome.ENDED
    begins_later = outcome is Outcome.IN_FORCE and runs is Validity.BEGINS_LATER
    return TextStatus(outcome, claim.agrees, claim.first(revision.id) if begins_later else None)


def _terms_beside(revision: Revision) -> list[Checklist] | None:
    """Return the terms of a text's cooperation, whose last day ends the text too.

    Empty for the terms themselves, and before any terms were frozen. None if they are gone, or if
    a text is gone that could have been theirs. They are found by what events bind, not by the rows
    of checklists. The caller verifies the chain.
    """
    if revision.kind == ChecklistKind.TERMS:
        return []
    links = witness.of_subjects(_FREEZINGS, [revision.cooperation_id])
    frozen = {link.evidence for link in links}
    subject_ids = {link.subject_id for link in links}
    rows = db.session.scalars(
        sa.select(Revision)
        .where(Revision.subject_id.in_(subject_ids))
        .options(defer(Revision.document))
    )
    bound = {signing.evidence_of_revision(row): row for row in rows}
    terms_ids = {
        row.subject_id
        for digest, row in bound.items()
        if digest in frozen and row.kind == ChecklistKind.TERMS
    }
    if not terms_ids:
        return [] if frozen <= bound.keys() else None
    terms = db.session.scalars(sa.select(Checklist).where(Checklist.id.in_(terms_ids))).all()
    return list(terms) if len(terms) == len(terms_ids) else None


def _is_closed(cooperation_id: UUID) -> bool:
    """Return whether a cooperation is closed, from the event, or from its row once that was erased.

    The caller has verified the chain.
    """
    moves = witness.of_subjects(_MOVES, [cooperation_id])
    if not moves:
        return False
    last = moves[-1].event_id
    details = witness.details_of([last]).get(last)
    if details is None:
        return db.session.get_one(Cooperation, cooperation_id).stage is Stage.CLOSED
    return bool(details["after"] == Stage.CLOSED.value)


def _of_undertaking(revision: Revision) -> TextStatus:
    own = db.session.get(Undertaking, revision.subject_id)
    if own is None or own.cooperation_id != revision.cooperation_id:
        return NOT_KNOWN
    claim = undertakings.look_whole(own)
    if not claim.is_sound:
        return NOT_KNOWN
    if claim.course.closed_by is None:
        ended = _end_of_open_undertaking(own, revision, claim.last_day)
    elif undertakings.is_superseded(own, claim.course):
        ended = Outcome.SUPERSEDED
    else:
        ended = Outcome.ENDED
    if ended is None:
        return NOT_KNOWN
    if claim.course.is_signed_by_all:
        return TextStatus(ended, claim.agrees)
    # Nobody can finish it once it has ended.
    waits = ended is Outcome.IN_FORCE
    return TextStatus(Outcome.WAITING if waits else Outcome.WITHDRAWN, claim.agrees)


def _end_of_open_undertaking(
    own: Undertaking, revision: Revision, last_day: dt.date | None
) -> Outcome | None:
    """Return whether an undertaking that no event closed has ended all the same; None if unknown.

    It ends with the last day of its clearance, and with its terms: whatever the day or the notice,
    and whether or not the worker has closed it. Suspended terms close it too.
    """
    terms = undertakings.terms_of(own, revision)
    outcome = _of_checklist(terms).outcome if terms else None
    if outcome is None or outcome is Outcome.SUPERSEDED:
        return outcome
    is_past = last_day is not None and last_day < clock.today()
    return Outcome.ENDED if outcome is not Outcome.IN_FORCE or is_past else outcome
