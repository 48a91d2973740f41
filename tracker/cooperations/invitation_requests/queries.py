"""Queries for requests to invite a partner's first coordinator."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from tracker.access.actor import Actor
from tracker.cooperations.invitation_requests.models import InvitationRequest
from tracker.cooperations.invitation_requests.policy import can_see_requests
from tracker.core.db import db

# How many open requests My work lists.
MOST = 50

_OPEN = InvitationRequest.answered_at.is_(None)
_NAMES = (
    joinedload(InvitationRequest.organisation),
    joinedload(InvitationRequest.partner),
    joinedload(InvitationRequest.requested_by),
)


def waiting(actor: Actor, organisation_id: UUID | None = None) -> Sequence[InvitationRequest]:
    """Return the open requests, oldest first, for administrators; those for one organisation."""
    if not can_see_requests(actor):
        return []
    wanted = sa.select(InvitationRequest).where(_OPEN).options(*_NAMES)
    if organisation_id is not None:
        wanted = wanted.where(InvitationRequest.organisation_id == organisation_id)
    order = (InvitationRequest.requested_at, InvitationRequest.id)
    return db.session.scalars(wanted.order_by(*order).limit(MOST)).all()


def find(actor: Actor, request_id: UUID) -> InvitationRequest | None:
    """Return an open request, for administrators."""
    if not can_see_requests(actor):
        return None
    return db.session.scalar(
        sa.select(InvitationRequest)
        .where(InvitationRequest.id == request_id, _OPEN)
        .options(*_NAMES)
    )


def latest(cooperation_id: UUID, organisation_ids: Sequence[UUID]) -> dict[UUID, InvitationRequest]:
    """Return the last request for each of some parties of a cooperation.

    The caller has found the cooperation with a query scoped to the actor, and shows nobody the
    person who was proposed.
    """
    rows = db.session.scalars(
        sa.select(InvitationRequest)
        .where(
            InvitationRequest.cooperation_id == cooperation_id,
            InvitationRequest.organisation_id.in_(organisation_ids),
        )
        .order_by(InvitationRequest.requested_at, InvitationRequest.id)
    )
    return {row.organisation_id: row for row in rows}


def open_in(cooperation_id: UUID, request_id: UUID) -> InvitationRequest | None:
    """Return an open request of a cooperation that the caller has found in the actor's scope."""
    return db.session.scalar(
        sa.select(InvitationRequest).where(
            InvitationRequest.id == request_id,
            InvitationRequest.cooperation_id == cooperation_id,
            _OPEN,
        )
    )


def locked(request_id: UUID) -> InvitationRequest | None:
    """Lock and return an open request with its cooperation; for the functions that end it."""
    return db.session.scalar(
        sa.select(InvitationRequest)
        .where(InvitationRequest.id == request_id, _OPEN)
        .with_for_update(of=InvitationRequest)
        .options(
            joinedload(InvitationRequest.organisation), joinedload(InvitationRequest.cooperation)
        )
        .execution_options(populate_existing=True)
    )


def cooperation_id_of(request_id: UUID) -> UUID | None:
    """Return the cooperation of a request, whose chain is locked before the request is."""
    return db.session.scalar(
        sa.select(InvitationRequest.cooperation_id).where(InvitationRequest.id == request_id)
    )


def older_than(moment: dt.datetime) -> Sequence[UUID]:
    """Return the open requests that were made before a moment; for the worker."""
    return db.session.scalars(
        sa.select(InvitationRequest.id).where(_OPEN, InvitationRequest.requested_at < moment)
    ).all()
