"""The texts of a cooperation that wait for one person's signature, found and read together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.access.conditions import built_for_all
from tracker.agreements import notices
from tracker.agreements import pages as agreement_pages
from tracker.agreements import service as agreements
from tracker.agreements.pages import RequestView
from tracker.checklists import encryption, heads, queries
from tracker.checklists.heads import Heads
from tracker.checklists.models import Checklist, Notice
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import assertion, policy
from tracker.signoff import queries as signoff
from tracker.signoff import service as signoff_service
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignatureRequest,
    SignatureSlot,
)


@dataclass(frozen=True, slots=True)
class WaitingText:
    """A frozen text that a person can sign now."""

    checklist: Checklist
    view: RequestView
    document: Mapping[str, Any]
    # The notices that no longer count once all have signed it.
    replaced: list[Notice]

    @property
    def revision(self) -> Revision:
        """The frozen text as a row."""
        return self.view.request.revision


def waiting(actor: Actor, cooperation_id: UUID) -> list[WaitingText]:
    """Return the texts that a person can sign now for the organisation they act for, oldest first.

    At most as many as one proof of identity can sign. The caller found the cooperation with a query
    scoped to the actor. Raise RefusedError if a text differs from what was frozen.
    """
    checklists = heads.read(*_texts_to_sign_in(actor, cooperation_id))
    sent = {row.revision_sent_id: row for row in checklists}
    requests = signoff.requests_of(sent_id for sent_id in sent if sent_id is not None)
    key_of = {row.id: encryption.key_for(row) for row in checklists}
    texts = []
    for asking in sorted(requests.values(), key=lambda asking: (asking.sent_at, asking.id)):
        row = sent[asking.revision_id]
        signoff_service.require_as_frozen(asking.revision, key_of[row.id])
        standing = agreements.standing_of(asking)
        if policy.can_sign_for(actor, standing, clock.today()):
            texts.append((row, asking))
    texts = texts[: assertion.LENGTH]
    views = agreement_pages.read_several((asking, key_of[row.id]) for row, asking in texts)
    replaced = notices.replaced_by_signing_each([row for row, _asking in texts])
    return [
        WaitingText(
            row,
            view,
            signoff_service.document_of(asking.revision, key_of[row.id]),
            replaced[row.id],
        )
        for (row, asking), view in zip(texts, views, strict=True)
    ]


def count_asked(actor: Actor, cooperation_id: UUID) -> int:
    """Return how many texts of a cooperation a person was asked to sign, and hasn't signed.

    More than waiting() returns where it isn't their turn yet.
    """
    query, values = _texts_to_sign_in(actor, cooperation_id)
    ids = query.with_only_columns(Checklist.id).order_by(None).subquery()
    return db.session.scalars(sa.select(sa.func.count()).select_from(ids), values).one()


def _texts_to_sign_in(actor: Actor, cooperation_id: UUID) -> tuple[Heads, dict[str, Any]]:
    query, reader = _texts_to_sign(actor)
    return query, {"cooperation_id": cooperation_id, **reader}


@built_for_all
def _texts_to_sign(actor: Actor) -> Heads:
    has_slot = sa.exists().where(
        SignatureRequest.revision_id == Checklist.revision_sent_id,
        SignatureRequest.state == RequestState.WAITING,
        SignatureSlot.request_id == SignatureRequest.id,
        SignatureSlot.user_id == actor.user_id,
        SignatureSlot.organisation_id == actor.organisation_id,
    )
    has_signed = sa.exists().where(
        Signature.revision_id == Checklist.revision_sent_id,
        Signature.user_id == actor.user_id,
        Signature.organisation_id == actor.organisation_id,
    )
    return heads.HEADS.where(
        Checklist.cooperation_id == sa.bindparam("cooperation_id"),
        Checklist.revision_sent_id.is_not(None),
        queries.visible(actor),
        has_slot,
        ~has_signed,
    )
