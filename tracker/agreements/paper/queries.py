"""Queries for scans waiting to be confirmed, scoped by the actor."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.checklists.queries import is_worked_on
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.signoff.models import RequestState, Signature, SignatureRequest
from tracker.signoff.paper_models import PaperDecision, PaperDecisionKind, PaperKind, PaperRecord


@dataclass(frozen=True, slots=True)
class Waiting:
    """A scan that waits to be confirmed."""

    id: UUID
    kind: PaperKind
    organisation_id: UUID
    recorded_by_id: UUID
    checklist_id: UUID
    checklist_kind: ChecklistKind
    title: str
    # Whether the reader's organisation has confirmed it.
    is_answered: int

    def is_for(self, actor: Actor) -> bool:
        """Tell whether it waits for this person: of another party, which has said nothing yet."""
        return (
            self.organisation_id != actor.organisation_id
            and self.recorded_by_id != actor.user_id
            and not self.is_answered
        )


def waiting(actor: Actor) -> list[Waiting]:
    """Return the scans that wait on texts which the person works on, in one query."""
    said_no = sa.exists().where(
        PaperDecision.record_id == PaperRecord.id,
        PaperDecision.kind != PaperDecisionKind.CONFIRMED,
    )
    answered = sa.exists().where(
        PaperDecision.record_id == PaperRecord.id,
        PaperDecision.organisation_id == actor.organisation_id,
    )
    # Of a text of this product one confirmation is all; then there is a signature of that party.
    is_signed = sa.exists().where(
        Signature.revision_id == PaperRecord.revision_id,
        Signature.organisation_id == PaperRecord.organisation_id,
    )
    rows = db.session.execute(
        sa.select(
            PaperRecord.id,
            PaperRecord.kind,
            PaperRecord.organisation_id,
            PaperRecord.user_id,
            Checklist.id,
            Checklist.kind,
            Cooperation.title,
            sa.case((answered, 1), else_=0),
        )
        .join(SignatureRequest, SignatureRequest.revision_id == PaperRecord.revision_id)
        .join(Checklist, Checklist.revision_sent_id == PaperRecord.revision_id)
        .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
        .where(
            SignatureRequest.state == RequestState.WAITING,
            is_worked_on(actor),
            ~said_no,
            ~is_signed,
        )
        .order_by(PaperRecord.recorded_at)
    )
    return [Waiting(*row) for row in rows]
