"""Since when a scan waits to be confirmed, stored on the parties of its text, for My work."""

from uuid import UUID

import sqlalchemy as sa

from tracker.checklists.heads import load_heads
from tracker.checklists.models import Checklist, ChecklistParty
from tracker.core.db import db
from tracker.signoff.models import Signature
from tracker.signoff.paper_models import PaperDecision, PaperDecisionKind, PaperRecord


def is_waiting() -> sa.ColumnElement[bool]:
    """Return the condition over PaperRecord that it may still be confirmed.

    Nobody refused or withdrew it, and no signature of its party came another way. Of a text of this
    product one confirmation is all; then there is a signature of that party.
    """
    said_no = sa.exists().where(
        PaperDecision.record_id == PaperRecord.id,
        PaperDecision.kind != PaperDecisionKind.CONFIRMED,
    )
    is_signed = sa.exists().where(
        Signature.revision_id == PaperRecord.revision_id,
        Signature.organisation_id == PaperRecord.organisation_id,
    )
    return sa.and_(~said_no, ~is_signed)


_SINCE = (
    sa.select(sa.func.min(PaperRecord.recorded_at))
    .join(Checklist, Checklist.revision_sent_id == PaperRecord.revision_id)
    .where(Checklist.id == ChecklistParty.checklist_id, is_waiting())
    .correlate(ChecklistParty)
    .scalar_subquery()
)


def refresh(checklist: Checklist) -> None:
    """Mark each party of a text with since when a scan of it waits, or that none does."""
    db.session.flush()
    _mark(ChecklistParty.checklist_id == checklist.id)


def refresh_marked(checklist: Checklist) -> None:
    """Mark the parties of a text again where they are marked: it was signed, or is sent no more."""
    if any(party.scan_waits_since for party in load_heads([checklist])[checklist.id].parties):
        refresh(checklist)


def refresh_all(cooperation_id: UUID) -> None:
    """Mark the parties of all texts of a cooperation."""
    db.session.flush()
    texts = sa.select(Checklist.id).where(Checklist.cooperation_id == cooperation_id)
    _mark(ChecklistParty.checklist_id.in_(texts))


def _mark(where: sa.ColumnElement[bool]) -> None:
    db.session.execute(
        sa.update(ChecklistParty).where(where).values(scan_waits_since=_SINCE),
        execution_options={"synchronize_session": "fetch"},
    )
