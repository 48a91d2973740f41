"""Queries for scans waiting to be confirmed, scoped to the actor."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor
from tracker.access.conditions import built_for_all
from tracker.agreements.paper import marks
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, ChecklistParty
from tracker.checklists.queries import is_worked_on
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import paper, paper_policy
from tracker.signoff.models import RequestState, SignatureRequest
from tracker.signoff.paper_models import PaperDecision, PaperKind, PaperRecord, PaperState
from tracker.signoff.paper_policy import PaperFact

# How many scans My work reads at a time.
MANY = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """A scan that is waiting to be confirmed."""

    id: UUID
    kind: PaperKind
    organisation_id: UUID
    recorded_by_id: UUID
    checklist_id: UUID
    checklist_kind: ChecklistKind
    reference: str
    title: str
    # As stored in the record.
    signers: list[dict[str, Any]]
    # Whether the reader's organisation has confirmed it; whether the reader has, for any party.
    is_answered: int
    is_answered_by_reader: int

    def is_for(self, actor: Actor) -> bool:
        """Return whether this person may confirm it for their organisation."""
        own = actor.organisation_id
        fact = PaperFact(
            kind=self.kind,
            state=PaperState.WAITING,
            organisation_id=self.organisation_id,
            recorded_by_id=self.recorded_by_id,
            decided=frozenset([own] if own and self.is_answered else []),
            signer_ids=paper.signer_ids(self.signers),
            decided_by=frozenset([actor.user_id] if self.is_answered_by_reader else []),
        )
        return bool(
            paper_policy.can_decide(
                actor, fact, clock.today(), is_party=True, state=RequestState.WAITING
            )
        )


# Built once, since building it takes longer than running it.
_OWN = aliased(ChecklistParty)
_ORGANISATION: sa.BindParameter[UUID] = sa.bindparam("organisation_id")
_IS_DECIDED = sa.exists().where(PaperDecision.record_id == PaperRecord.id)
_ANSWERED = _IS_DECIDED.where(PaperDecision.organisation_id == _ORGANISATION)
_ANSWERED_BY_READER = _IS_DECIDED.where(PaperDecision.user_id == sa.bindparam("user_id"))
_WAITING = (
    sa.select(
        PaperRecord.id,
        PaperRecord.kind,
        PaperRecord.organisation_id,
        PaperRecord.user_id,
        Checklist.id,
        Checklist.kind,
        Cooperation.reference,
        Cooperation.title,
        PaperRecord.signers,
        sa.case((_ANSWERED, 1), else_=0),
        sa.case((_ANSWERED_BY_READER, 1), else_=0),
    )
    .select_from(_OWN)
    .join(Checklist, Checklist.id == _OWN.checklist_id)
    .join(PaperRecord, PaperRecord.revision_id == Checklist.revision_sent_id)
    .join(SignatureRequest, SignatureRequest.revision_id == PaperRecord.revision_id)
    .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
    .where(
        _OWN.organisation_id == _ORGANISATION,
        _OWN.scan_waits_since.is_not(None),
        SignatureRequest.state == RequestState.WAITING,
        sa.or_(
            SignatureRequest.expires_on.is_(None),
            SignatureRequest.expires_on >= sa.bindparam("day", type_=sa.Date),
        ),
        marks.is_waiting(),
    )
    .order_by(_OWN.scan_waits_since, _OWN.checklist_id)
)


def waiting(actor: Actor) -> list[Waiting]:
    """Return the scans that can still be confirmed today, of texts the person works on.

    In one query, at most MANY, found by the marks on the parties of their texts, in the order of an
    index.
    """
    query, reader = _waiting(actor)
    wanted = {
        "organisation_id": actor.organisation_id,
        "user_id": actor.user_id,
        "day": clock.today(),
        **reader,
    }
    return [Waiting(*row) for row in db.session.execute(query, wanted)]


@built_for_all
def _waiting(actor: Actor) -> sa.Select[Any]:
    return _WAITING.where(is_worked_on(actor)).limit(MANY)
