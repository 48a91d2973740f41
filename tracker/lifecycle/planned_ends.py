"""Repair of cooperations whose agreement on paper names no last day, but that got a planned one."""

import sqlalchemy as sa

from tracker.activity.service import lock_chain
from tracker.agreements import evidence
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.signoff.paper_models import PaperKind, PaperRecord

_ON_PAPER = (
    sa.select(Checklist)
    .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
    .join(
        PaperRecord,
        PaperRecord.revision_id.in_([Checklist.revision_in_force_id, Checklist.stopped_id]),
    )
    .where(
        PaperRecord.kind == PaperKind.FORMER,
        PaperRecord.ends_on.is_(None),
        Checklist.kind == ChecklistKind.TERMS,
        Checklist.visit_id.is_(None),
        Cooperation.ends_on.is_not(None),
    )
    .order_by(Checklist.id)
)


def drop() -> int:
    """Drop planned last days that neither the paper nor M19 names; return how many.

    Earlier versions took them for days that all had signed. Each is a change of its cooperation, in
    its history. Terms that don't agree with their evidence stay as they are. Commits after each.
    """
    waiting = [checklist.id for checklist in db.session.scalars(_ON_PAPER)]
    return sum(_drop(db.session.get_one(Checklist, checklist_id)) for checklist_id in waiting)


def _drop(terms: Checklist) -> bool:
    lock_chain(terms.cooperation_id)
    compared = evidence.look(terms)
    text_id = compared.course.standing_id
    is_planned = compared.agrees and text_id is not None and compared.last(text_id) is None
    if is_planned:
        cooperation = db.session.get_one(Cooperation, terms.cooperation_id)
        cooperations.follow_dates(
            None,
            cooperation,
            starts_on=cooperation.starts_on,
            ends_on=None,
            review_on=cooperation.review_on,
        )
        db.session.commit()
    db.session.rollback()
    return is_planned
