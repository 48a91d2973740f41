"""The effects of a change of parties on checklists: proposals, signature requests, parties."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.accounts import queries as accounts
from tracker.activity.service import lock_chain
from tracker.agreements import notices
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import heads, service
from tracker.checklists.heads import lock
from tracker.checklists.models import (
    Checklist,
    ChecklistParty,
    ChecklistState,
    Proposal,
    ProposalState,
)
from tracker.comments import service as comments
from tracker.cooperations import people
from tracker.cooperations.models import Cooperation, CooperationPerson, Party
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.signoff.models import SignatureParty, SignatureRequest

MOST_TEXT = 2000
# Who is notified when a party joins or leaves.
INFORMED = (Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER)


def take_out(
    actor: Actor | None,
    cooperation_id: UUID,
    organisation_id: UUID,
    reason: str,
    *,
    successor_id: UUID | None = None,
) -> None:
    """Remove a party from the checklists, or replace it by another.

    Pending texts that name it are called back; its proposals and notices end, and so do its
    people's tasks; nothing waits for its answers any more. Texts in force stay so among the others.
    The parties of a visit's checklists follow the visit's team.
    """
    comments.end_tasks(cooperation_id, people_only_of(cooperation_id, organisation_id))
    for checklist in checklists_of(cooperation_id, organisation_id):
        lock(checklist)
        withdraw_proposals(checklist, organisation_id)
        if checklist.state is ChecklistState.SENT:
            agreements.withdraw_request(actor, checklist, reason)
        if checklist.visit_id is None:
            notices.close_for_departure(actor, checklist, organisation_id, reason)
            replace(checklist, organisation_id, successor_id)


def checklists_of(cooperation_id: UUID, organisation_id: UUID) -> Sequence[Checklist]:
    """Return the checklists of a cooperation and its visits that an organisation is a party of.

    Also those whose text waits for its signature, since the parties of a visit's checklists change
    as soon as its people are removed.
    """
    is_party = sa.exists().where(
        ChecklistParty.checklist_id == Checklist.id,
        ChecklistParty.organisation_id == organisation_id,
    )
    is_to_sign = sa.exists().where(
        SignatureRequest.revision_id == Checklist.revision_sent_id,
        SignatureParty.request_id == SignatureRequest.id,
        SignatureParty.organisation_id == organisation_id,
    )
    return db.session.scalars(
        sa.select(Checklist)
        .where(Checklist.cooperation_id == cooperation_id, sa.or_(is_party, is_to_sign))
        .order_by(Checklist.started_at, Checklist.id)
    ).all()


def people_only_of(cooperation_id: UUID, organisation_id: UUID) -> set[UUID]:
    """Return the people who took part for a party and take part for no other."""
    taking_part = {
        person.user_id
        for person in people.people(cooperation_id)
        if person.organisation_id != organisation_id
    }
    of_party = db.session.scalars(
        sa.select(CooperationPerson.user_id).where(
            CooperationPerson.cooperation_id == cooperation_id,
            CooperationPerson.organisation_id == organisation_id,
        )
    )
    return set(of_party) - taking_part


def people_of(parties: Iterable[Party]) -> set[UUID]:
    """Return the people of some parties who are notified when a party joins or leaves."""
    return accounts.people_with_role([party.organisation_id for party in parties], INFORMED)


def tidy(reason: str) -> str:
    """Return a tidied reason for a change; raise RuleBrokenError if it is empty or too long."""
    words = reason.strip()
    if not words:
        raise RuleBrokenError(_l("Give the reason."), "reason")
    if len(words) > MOST_TEXT:
        raise RuleBrokenError(_l("Use at most %(most)s characters", most=MOST_TEXT), "reason")
    return words


def terms_of(cooperation_id: UUID) -> Checklist | None:
    """Return the agreed terms of a cooperation, once they are started."""
    return next(
        (
            checklist
            for checklist in heads.of_cooperation(cooperation_id)
            if checklist.kind is ChecklistKind.TERMS
        ),
        None,
    )


def lock_cooperation(cooperation: Cooperation) -> None:
    """Lock the cooperation until the transaction ends, and read its stage again."""
    terms = terms_of(cooperation.id)
    if terms is None:
        lock_chain(cooperation.id)
    else:
        lock(terms)
    db.session.refresh(cooperation, ["stage"])


def replace(checklist: Checklist, former_id: UUID, successor_id: UUID | None) -> None:
    """Replace a party of a checklist by another, or remove it."""
    party_ids = db.session.scalars(
        sa.select(ChecklistParty.organisation_id)
        .where(ChecklistParty.checklist_id == checklist.id)
        .order_by(ChecklistParty.position)
    ).all()
    after = (successor_id if party_id == former_id else party_id for party_id in party_ids)
    service.set_parties(checklist, (party_id for party_id in after if party_id is not None))


def withdraw_proposals(checklist: Checklist, organisation_id: UUID) -> None:
    """End the open proposals of an organisation that is no longer a party."""
    db.session.execute(
        sa.update(Proposal)
        .where(
            Proposal.checklist_id == checklist.id,
            Proposal.organisation_id == organisation_id,
            Proposal.state == ProposalState.OPEN,
        )
        .values(state=ProposalState.OUTDATED, ended_at=clock.now())
    )
