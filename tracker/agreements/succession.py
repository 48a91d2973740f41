"""The handler that updates checklists when one body replaces another as a party (N13)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.service import DomainEvent
from tracker.agreements import service as agreements
from tracker.checklists import encryption, service
from tracker.checklists.loading import lock
from tracker.checklists.models import (
    Checklist,
    ChecklistParty,
    ChecklistState,
    Proposal,
    ProposalState,
)
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import service as signoff


def follow_replacement(event: DomainEvent) -> None:
    """Put the successor in the place of a party on each checklist. Handler of PARTY_REPLACED.

    What was sent for signature is called back: the text names the former party. What the former
    accepted counts for it alone, so the successor is asked for everything in the drafts. What is in
    force stays so.
    """
    former_id, successor_id = (
        UUID(str(event.details[key])) for key in ("former_id", "successor_id")
    )
    if event.actor is None:
        raise LookupError  # an administrator does this
    is_party = sa.exists().where(
        ChecklistParty.checklist_id == Checklist.id, ChecklistParty.organisation_id == former_id
    )
    rows = db.session.scalars(
        sa.select(Checklist)
        .where(Checklist.cooperation_id == event.cooperation_id, is_party)
        .order_by(Checklist.started_at, Checklist.id)
    ).all()
    for checklist in rows:
        lock(checklist)
        _withdraw_proposals(checklist, former_id)
        if checklist.state is ChecklistState.SENT:
            _call_back(event.actor, checklist, event.details)
        _put_in_place(checklist, former_id, successor_id)


def _put_in_place(checklist: Checklist, former_id: UUID, successor_id: UUID) -> None:
    party_ids = db.session.scalars(
        sa.select(ChecklistParty.organisation_id)
        .where(ChecklistParty.checklist_id == checklist.id)
        .order_by(ChecklistParty.position)
    ).all()
    service.set_parties(
        checklist, (successor_id if party_id == former_id else party_id for party_id in party_ids)
    )


def _withdraw_proposals(checklist: Checklist, former_id: UUID) -> None:
    db.session.execute(
        sa.update(Proposal)
        .where(
            Proposal.checklist_id == checklist.id,
            Proposal.organisation_id == former_id,
            Proposal.state == ProposalState.OPEN,
        )
        .values(state=ProposalState.OUTDATED, ended_at=clock.now())
    )


def _call_back(actor: Actor, checklist: Checklist, details: Mapping[str, Any]) -> None:
    if checklist.revision_sent_id is None:
        raise LookupError  # what is sent has a revision
    signature_request = signoff.locked_request(checklist.revision_sent_id)
    reason = str(
        _(
            "%(successor)s took the place of %(former)s, whom this text names.",
            successor=details["successor"],
            former=details["former"],
        )
    )
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
