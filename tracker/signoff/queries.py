"""Queries for revisions, requests and signatures, of a subject the caller found in scope."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from tracker.core.db import db
from tracker.core.services import Slot
from tracker.signoff import vouching
from tracker.signoff.models import (
    Method,
    Revision,
    Signature,
    SignatureKind,
    SignatureRequest,
    SignatureSlot,
)
from tracker.signoff.paper_models import PaperRecord
from tracker.signoff.policy import RequestStatus
from tracker.signoff.signers import Named, PartySigners


def revision(revision_id: UUID) -> Revision | None:
    """Return a revision with its signatures."""
    return db.session.scalar(
        sa.select(Revision)
        .where(Revision.id == revision_id)
        .options(selectinload(Revision.signatures))
    )


def revisions(revision_ids: Iterable[UUID]) -> dict[UUID, Revision]:
    """Return several revisions by id, as revision() does."""
    wanted = sa.select(Revision).where(Revision.id.in_(list(revision_ids)))
    rows = db.session.scalars(wanted.options(selectinload(Revision.signatures)))
    return {row.id: row for row in rows}


class TakenBy(NamedTuple):
    """Who took the signature of somebody without an account."""

    # From paper.
    recorded_by: UUID | None = None
    # On whose device, in their presence.
    host: UUID | None = None


def taken_by(revision_id: UUID | None) -> TakenBy:
    """Return who took the signature under a person's text; nobody if they signed themselves.

    Whether the person has an account now makes no difference.
    """
    if revision_id is None:
        return TakenBy()
    recorded_by, presence = db.session.execute(_TAKEN, {"revision_id": revision_id}).one()
    return TakenBy(recorded_by, vouching.host_of(presence))


_TAKEN = sa.select(
    sa.select(PaperRecord.user_id)
    .where(PaperRecord.revision_id == sa.bindparam("revision_id"))
    .order_by(PaperRecord.id)
    .limit(1)
    .scalar_subquery(),
    sa.select(Signature.presence)
    .where(
        Signature.revision_id == sa.bindparam("revision_id"),
        Signature.kind == SignatureKind.SIGNATURE,
        Signature.method == Method.IN_PRESENCE,
    )
    .order_by(Signature.id)
    .limit(1)
    .scalar_subquery(),
)
_REVISIONS = (
    sa.select(Revision, SignatureRequest)
    .outerjoin(SignatureRequest, SignatureRequest.revision_id == Revision.id)
    .where(
        Revision.subject_type == sa.bindparam("subject_type"),
        Revision.subject_id == sa.bindparam("subject_id"),
    )
    .options(
        selectinload(Revision.signatures),
        selectinload(SignatureRequest.slots),
        joinedload(SignatureRequest.parties),
    )
    .order_by(Revision.number.desc())
)
_WHOLE_REQUEST = sa.select(SignatureRequest).options(
    selectinload(SignatureRequest.slots),
    joinedload(SignatureRequest.parties),
    joinedload(SignatureRequest.revision).selectinload(Revision.signatures),
)
_REQUEST = _WHOLE_REQUEST.where(SignatureRequest.revision_id == sa.bindparam("revision_id"))
_REQUESTS = _WHOLE_REQUEST.where(
    SignatureRequest.revision_id.in_(sa.bindparam("ids", expanding=True))
)


def revisions_of(
    subject_type: str, subject_id: UUID
) -> list[tuple[Revision, SignatureRequest | None]]:
    """Return all revisions of a subject with their requests, newest first, as request_of does."""
    subject = {"subject_type": subject_type, "subject_id": subject_id}
    rows: list[tuple[Revision, SignatureRequest | None]]
    rows = [(row[0], row[1]) for row in db.session.execute(_REVISIONS, subject).unique()]
    for revision, signature_request in rows:
        if signature_request is not None:
            set_committed_value(signature_request, "revision", revision)
    return rows


def request_of(revision_id: UUID) -> SignatureRequest | None:
    """Return the request of a revision with its slots and the signatures given."""
    return db.session.scalars(_REQUEST, {"revision_id": revision_id}).unique().one_or_none()


def requests_of(revision_ids: Iterable[UUID]) -> dict[UUID, SignatureRequest]:
    """Return the requests of several revisions, by revision, as request_of() does."""
    rows = db.session.scalars(_REQUESTS, {"ids": list(revision_ids)}).unique()
    return {row.revision_id: row for row in rows}


_SIGNATURES = (
    sa.select(Signature)
    .where(Signature.revision_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(Signature.signed_at)
)


def signatures_on(revision_ids: Iterable[UUID]) -> dict[UUID, list[Signature]]:
    """Return the signatures of several revisions, in the order given, in one query."""
    signatures: dict[UUID, list[Signature]] = {}
    for signature in db.session.scalars(_SIGNATURES, {"ids": list(revision_ids)}):
        signatures.setdefault(signature.revision_id, []).append(signature)
    return signatures


def standing_of(signature_request: SignatureRequest) -> RequestStatus:
    """Return a request's plain values; slots, parties, signatures are loaded.

    Its last day is that of its row: whether somebody can still sign, service.standing_of() says by
    the text.
    """
    replaced = {slot.stands_for_id for slot in signature_request.slots}
    open_slots = [slot for slot in signature_request.slots if slot.id not in replaced]
    return RequestStatus(
        state=signature_request.state,
        parties=tuple(
            PartySigners(
                party.organisation_id,
                tuple(
                    Named(slot.user_id, slot.turn, slot.on_behalf_of)
                    for slot in open_slots
                    if slot.organisation_id == party.organisation_id
                ),
                party.needed,
                party.turn,
            )
            for party in signature_request.parties
        ),
        signed=frozenset(
            (signature.organisation_id, signature.user_id)
            for signature in signature_request.revision.signatures
            if signature.organisation_id and signature.kind is SignatureKind.SIGNATURE
        ),
        expires_on=signature_request.expires_on,
        former=frozenset(slot.user_id for slot in signature_request.slots if slot.id in replaced),
    )


def slot_of(
    signature_request: SignatureRequest, organisation_id: UUID | None, user_id: UUID
) -> SignatureSlot | None:
    """Return a person's slot for an organisation, unless they passed it on."""
    replaced = {slot.stands_for_id for slot in signature_request.slots}
    return next(
        (
            slot
            for slot in signature_request.slots
            if slot.organisation_id == organisation_id
            and slot.user_id == user_id
            and slot.id not in replaced
        ),
        None,
    )


def stood_for(signature_request: SignatureRequest, slot: SignatureSlot) -> SignatureSlot | None:
    """Return the slot that a passed-on slot replaces; None for an original one."""
    return next(
        (other for other in signature_request.slots if other.id == slot.stands_for_id), None
    )


# Certificates, which a higher package makes and stores --------------------------------------------


@dataclass(frozen=True, slots=True)
class CertificateMark:
    """A certificate that exists for a revision in a language."""

    language: str
    made_at: dt.datetime
    has_timestamp: bool


CertificateReader = Callable[[UUID], list[CertificateMark]]


# The reader that finds a revision's certificates: evidence is a higher package.
CERTIFICATE_READER: Slot[CertificateReader] = Slot("certificate_reader", lambda _revision_id: [])


def certificates(revision_id: UUID) -> list[CertificateMark]:
    """Return the certificates of a revision that the caller found; none until they are made."""
    return CERTIFICATE_READER.get()(revision_id)
