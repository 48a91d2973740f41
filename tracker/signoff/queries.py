"""Reads of revisions, requests and signatures; the caller found the subject scoped."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from tracker.core.db import db
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignaturePlace,
    SignatureRequest,
)


def revision(revision_id: UUID) -> Revision | None:
    """Return a revision with its signatures."""
    return db.session.scalar(
        sa.select(Revision)
        .where(Revision.id == revision_id)
        .options(selectinload(Revision.signatures))
    )


def revisions_of(
    subject_type: str, subject_id: UUID
) -> list[tuple[Revision, SignatureRequest | None]]:
    """Return all revisions of a subject with their requests, newest first."""
    rows = db.session.execute(
        sa.select(Revision, SignatureRequest)
        .outerjoin(SignatureRequest, SignatureRequest.revision_id == Revision.id)
        .where(Revision.subject_type == subject_type, Revision.subject_id == subject_id)
        .options(selectinload(Revision.signatures), selectinload(SignatureRequest.places))
        .order_by(Revision.number.desc())
    )
    return [(row[0], row[1]) for row in rows]


def request_of(revision_id: UUID) -> SignatureRequest | None:
    """Return the request of a revision with its places and the signatures given."""
    return db.session.scalar(
        sa.select(SignatureRequest)
        .where(SignatureRequest.revision_id == revision_id)
        .options(
            selectinload(SignatureRequest.places),
            joinedload(SignatureRequest.revision).selectinload(Revision.signatures),
        )
    )


def places_waiting_for(user_id: UUID, organisation_id: UUID | None) -> list[SignaturePlace]:
    """Return the lines on which a person is to sign for an organisation and has not yet."""
    signed = (
        sa.select(Signature.id)
        .where(
            Signature.revision_id == SignatureRequest.revision_id,
            Signature.organisation_id == SignaturePlace.organisation_id,
        )
        .exists()
    )
    return list(
        db.session.scalars(
            sa.select(SignaturePlace)
            .join(SignaturePlace.request)
            .where(
                SignaturePlace.user_id == user_id,
                SignaturePlace.organisation_id == organisation_id,
                SignatureRequest.state == RequestState.WAITING,
                ~signed,
            )
            .options(joinedload(SignaturePlace.request).joinedload(SignatureRequest.revision))
        )
    )


def signatures_on(revision_ids: Iterable[UUID]) -> dict[UUID, list[Signature]]:
    """Return the signatures of several revisions, in the order given, in one query."""
    found: dict[UUID, list[Signature]] = {}
    for signature in db.session.scalars(
        sa.select(Signature)
        .where(Signature.revision_id.in_(list(revision_ids)))
        .order_by(Signature.signed_at)
    ):
        found.setdefault(signature.revision_id, []).append(signature)
    return found


# Certificates, which a part further up makes and keeps --------------------------------------------


@dataclass(frozen=True, slots=True)
class CertificateMark:
    """That there is a certificate of a revision, in a language."""

    language: str
    made_at: dt.datetime
    has_timestamp: bool


CertificateReader = Callable[[UUID], list[CertificateMark]]


class _Certificates:
    """Tells which certificates there are; evidence, a part further up, is registered by app."""

    read: CertificateReader | None = None


_certificates = _Certificates()


def use_certificate_reader(read: CertificateReader | None) -> None:
    """Set how the certificates of a revision are found."""
    _certificates.read = read


def certificates(revision_id: UUID) -> list[CertificateMark]:
    """Return the certificates of a revision that the caller found; none until they are made."""
    return [] if _certificates.read is None else _certificates.read(revision_id)
