"""What a change of the parties does to checklists: proposals, signature requests, the parties."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.agreements import service as agreements
from tracker.checklists import encryption, service
from tracker.checklists.models import Checklist, ChecklistParty, Proposal, ProposalState
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import service as signoff


def checklists_of(cooperation_id: UUID, organisation_id: UUID) -> Sequence[Checklist]:
    """Return the checklists of a cooperation and its visits that an organisation is a party of."""
    is_party = sa.exists().where(
        ChecklistParty.checklist_id == Checklist.id,
        ChecklistParty.organisation_id == organisation_id,
    )
    return db.session.scalars(
        sa.select(Checklist)
        .where(Checklist.cooperation_id == cooperation_id, is_party)
        .order_by(Checklist.started_at, Checklist.id)
    ).all()


def replace(checklist: Checklist, former_id: UUID, successor_id: UUID | None) -> None:
    """Put a party in the place of another, or nobody."""
    party_ids = db.session.scalars(
        sa.select(ChecklistParty.organisation_id)
        .where(ChecklistParty.checklist_id == checklist.id)
        .order_by(ChecklistParty.position)
    ).all()
    after = (successor_id if party_id == former_id else party_id for party_id in party_ids)
    service.set_parties(checklist, (party_id for party_id in after if party_id is not None))


def withdraw_proposals(checklist: Checklist, organisation_id: UUID) -> None:
    """End the open proposals of a party that is none any more."""
    db.session.execute(
        sa.update(Proposal)
        .where(
            Proposal.checklist_id == checklist.id,
            Proposal.organisation_id == organisation_id,
            Proposal.state == ProposalState.OPEN,
        )
        .values(state=ProposalState.OUTDATED, ended_at=clock.now())
    )


def call_back(actor: Actor | None, checklist: Checklist, reason: str) -> None:
    """Call a text back from signature whose parties have changed; signatures stay in history."""
    if checklist.revision_sent_id is None:
        raise LookupError  # what is sent has a revision
    signature_request = signoff.locked_request(checklist.revision_sent_id)
    signoff.withdraw(actor, signature_request, reason=reason, key=encryption.key_for(checklist))
    agreements.reopen(checklist, reason)
    trail.record(
        verbs.SIGNATURE_REQUEST_WITHDRAWN,
        actor=actor,
        subject_type=agreements.SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=signature_request.revision.number,
        reason="" if encryption.is_restricted(checklist) else reason,
    )
