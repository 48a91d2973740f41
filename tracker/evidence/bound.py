"""The status of any signed text from its evidence alone, for statements to outsiders."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import verbs, witness
from tracker.activity.models import Event
from tracker.agreements import evidence as checklists
from tracker.agreements.service import SUBJECT as CHECKLIST
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation, Stage
from tracker.core.db import db
from tracker.signoff.models import Revision
from tracker.signoff.outcomes import Outcome, Validity
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


NOT_KNOWN = TextStatus(None, agrees=False)


def standing_of(revision: Revision) -> TextStatus:
    """Return today's status of a text from its own content, its signatures and its whole chain."""
    if revision.subject_type == CHECKLIST:
        return _of_checklist(revision)
    return _of_undertaking(revision)


def _of_checklist(revision: Revision) -> TextStatus:
    own = db.session.get(Checklist, revision.subject_id)
    if own is None or own.cooperation_id != revision.cooperation_id:
        return NOT_KNOWN
    terms = db.session.scalar(
        sa.select(Checklist).where(
            Checklist.cooperation_id == own.cooperation_id,
            Checklist.kind == ChecklistKind.TERMS,
            Checklist.visit_id.is_(None),
        )
    )
    both = {
        undertaking_text.id: undertaking_text
        for undertaking_text in (own, terms)
        if undertaking_text is not None
    }
    compared = checklists.look_whole(own.cooperation_id, list(both.values()))
    claim = compared[own.id]
    outcome = claim.outcome(revision.id)
    if outcome is not Outcome.IN_FORCE:
        return TextStatus(outcome, claim.agrees)
    states, ended = [claim.validity(revision.id)], False
    if terms is not None and (standing := compared[terms.id].course.standing_id):
        states.append(compared[terms.id].validity(standing))
        ended = compared[terms.id].outcome(standing) is Outcome.ENDED
    if ended or Validity.RUN_OUT in states or _is_closed(own.cooperation_id):
        return TextStatus(Outcome.ENDED, claim.agrees)
    begins_later = states[0] is Validity.BEGINS_LATER
    return TextStatus(outcome, claim.agrees, claim.first(revision.id) if begins_later else None)


def _is_closed(cooperation_id: UUID) -> bool:
    """Return whether a cooperation is closed, from the event, or from its row once that was erased.

    The caller has verified the chain.
    """
    moves = witness.of_subjects(
        Event.subject_id == cooperation_id, [verbs.STAGE_CHANGED], [cooperation_id]
    )
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
    if not claim.course.is_signed_by_all:
        return TextStatus(
            Outcome.WITHDRAWN if claim.course.closed_by else Outcome.WAITING, claim.agrees
        )
    if claim.course.closed_by is None:
        return TextStatus(Outcome.IN_FORCE, claim.agrees)
    replaced = undertakings.is_superseded(own, claim.course)
    return TextStatus(Outcome.SUPERSEDED if replaced else Outcome.ENDED, claim.agrees)
