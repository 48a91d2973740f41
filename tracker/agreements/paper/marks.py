"""Since when a scan has been waiting to be confirmed, stored with the parties of its text."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.checklists.heads import load_heads
from tracker.checklists.models import Checklist, ChecklistParty
from tracker.core.db import db
from tracker.signoff.models import Revision, Signature, SignatureParty, SignatureRequest
from tracker.signoff.paper_models import (
    PaperDecision,
    PaperDecisionKind,
    PaperKind,
    PaperRecord,
)

_REQUEST = aliased(SignatureRequest)


def is_waiting() -> sa.ColumnElement[bool]:
    """Return the condition over PaperRecord that it may still be confirmed.

    Nobody has answered it, except parties that confirmed a prior agreement, which all others have
    to; and its party hasn't given all its signatures in other ways. Where several people sign for a
    party, one of them may have signed already.
    """
    is_answered = sa.exists().where(
        PaperDecision.record_id == PaperRecord.id,
        sa.or_(
            PaperDecision.kind != PaperDecisionKind.CONFIRMED, PaperRecord.kind != PaperKind.FORMER
        ),
    )
    given = (
        sa.select(sa.func.count(Signature.id))
        .where(
            Signature.revision_id == PaperRecord.revision_id,
            Signature.organisation_id == PaperRecord.organisation_id,
        )
        .correlate(PaperRecord)
        .scalar_subquery()
    )
    has_signed = sa.exists().where(
        _REQUEST.revision_id == PaperRecord.revision_id,
        SignatureParty.request_id == _REQUEST.id,
        SignatureParty.organisation_id == PaperRecord.organisation_id,
        SignatureParty.needed <= given,
    )
    return sa.and_(~is_answered, ~has_signed)


_SINCE = (
    sa.select(sa.func.min(PaperRecord.recorded_at))
    .join(Checklist, Checklist.revision_sent_id == PaperRecord.revision_id)
    .where(Checklist.id == ChecklistParty.checklist_id, is_waiting())
    .correlate(ChecklistParty)
    .scalar_subquery()
)


def refresh(checklist: Checklist) -> None:
    """Update for each party of a text since when a scan of it has been waiting, if one is."""
    db.session.flush()
    _mark(ChecklistParty.checklist_id == checklist.id)


def refresh_marked(checklist: Checklist) -> Sequence[UUID]:
    """Update the parties of a text that are marked, since it was signed or is no longer pending.

    Return the scans that nobody has to confirm any more.
    """
    if not any(party.scan_waits_since for party in load_heads([checklist])[checklist.id].parties):
        return ()
    refresh(checklist)
    return db.session.scalars(_no_longer_waiting(checklist)).all()


def refresh_all(cooperation_id: UUID) -> None:
    """Update the parties of all texts of a cooperation."""
    db.session.flush()
    texts = sa.select(Checklist.id).where(Checklist.cooperation_id == cooperation_id)
    _mark(ChecklistParty.checklist_id.in_(texts))


def _no_longer_waiting(checklist: Checklist) -> sa.Select[UUID]:
    """Return the query for scans of the latest revision with scans that can't be confirmed now."""
    latest = (
        sa.select(Revision.id)
        .join(PaperRecord, PaperRecord.revision_id == Revision.id)
        .where(Revision.subject_id == checklist.id)
        .order_by(Revision.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    ended = sa.select(PaperRecord.id).where(PaperRecord.revision_id == latest)
    return ended if checklist.revision_sent_id is None else ended.where(~is_waiting())


def _mark(where: sa.ColumnElement[bool]) -> None:
    db.session.execute(
        sa.update(ChecklistParty).where(where).values(scan_waits_since=_SINCE),
        execution_options={"synchronize_session": "fetch"},
    )
