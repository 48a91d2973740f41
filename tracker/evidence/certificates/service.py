"""Certificates of fully signed texts: which are due, which can't be made, which are stored.

The worker issues them (issuing), in each of the languages of their text.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import verbs, witness
from tracker.activity.service import lock_chain
from tracker.cooperations import keys
from tracker.cooperations.models import Cooperation, CooperationKey
from tracker.core import canonical, clock, crypto
from tracker.core.db import db, get_or_add
from tracker.core.errors import DamagedRowError, RefusedError
from tracker.evidence.models import Certificate, CertificateFailure
from tracker.signoff.labels import DIFFERS
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignatureRequest,
)
from tracker.signoff.queries import CertificateMark
from tracker.undertakings.models import SUBJECT as UNDERTAKING

# How long to wait after each failed attempt; the last value applies from then on.
_HOUR = dt.timedelta(hours=1)
WAITS = (_HOUR / 60, _HOUR / 12, _HOUR / 2, 2 * _HOUR, 6 * _HOUR)
KEPT_ERROR = 500


class CertificateError(Exception):
    """Raised when a certificate can't be made now; the message is one line."""


# What is due --------------------------------------------------------------------------------------


def due(since: dt.datetime | None = None) -> list[UUID]:
    """Return the fully signed revisions without a certificate, the oldest first; for the worker.

    With a time, those fully signed since then, and those whose next attempt is due, through an
    index. Texts erased with their cooperation's key can't have one any more; failed ones wait for
    their next attempt.
    """
    now = clock.now()
    # None waits longer than the last of WAITS: a row that says it does was written by hand.
    waits = sa.exists().where(
        CertificateFailure.revision_id == Revision.id,
        CertificateFailure.next_try_at > now,
        CertificateFailure.next_try_at <= now + WAITS[-1],
    )
    return list(
        db.session.scalars(
            sa.select(Revision.id)
            .outerjoin(SignatureRequest, SignatureRequest.revision_id == Revision.id)
            .where(
                Revision.id.in_(_signed_or_failed(since)) if since else sa.true(),
                _is_signed_by_all(),
                ~_has_certificate(),
                ~_is_erased(),
                ~waits,
            )
            .order_by(Revision.frozen_at, Revision.id)
        )
    )


def overdue(since: dt.timedelta) -> int:
    """Return how many texts have been without a certificate for longer than that."""
    return (
        db.session.scalar(
            sa.select(sa.func.count(Revision.id))
            .outerjoin(SignatureRequest, SignatureRequest.revision_id == Revision.id)
            .where(
                _is_signed_by_all(),
                ~_has_certificate(),
                ~_is_erased(),
                _completed_at() < clock.now() - since,
            )
        )
        or 0
    )


def _signed_or_failed(since: dt.datetime) -> sa.CompoundSelect[UUID]:
    """Return the revisions whose certificate may have become due since a time."""
    return sa.union(
        sa.select(SignatureRequest.revision_id).where(
            SignatureRequest.state == RequestState.COMPLETED, SignatureRequest.ended_at >= since
        ),
        # Such a row was changed by hand; it gets no certificate, and is reported.
        sa.select(SignatureRequest.revision_id).where(
            SignatureRequest.state == RequestState.COMPLETED, SignatureRequest.ended_at.is_(None)
        ),
        sa.select(Signature.revision_id).where(
            Signature.kind == SignatureKind.COUNTERSIGNATURE, Signature.signed_at >= since
        ),
        sa.select(CertificateFailure.revision_id).where(
            CertificateFailure.next_try_at <= clock.now()
        ),
    )


def _is_signed_by_all() -> sa.ColumnElement[bool]:
    return sa.or_(
        SignatureRequest.state == RequestState.COMPLETED,
        sa.and_(Revision.subject_type == UNDERTAKING, _countersigned_at().is_not(None)),
    )


def _countersigned_at() -> sa.ScalarSelect[dt.datetime]:
    return (
        sa.select(sa.func.min(Signature.signed_at))
        .where(
            Signature.revision_id == Revision.id,
            Signature.kind == SignatureKind.COUNTERSIGNATURE,
        )
        .correlate(Revision)
        .scalar_subquery()
    )


def _completed_at() -> sa.ColumnElement[dt.datetime]:
    return sa.func.coalesce(SignatureRequest.ended_at, _countersigned_at())


def _has_certificate() -> sa.ColumnElement[bool]:
    return sa.exists().where(Certificate.revision_id == Revision.id)


def _is_erased() -> sa.ColumnElement[bool]:
    return sa.and_(
        Revision.is_sealed,
        sa.exists().where(
            CooperationKey.cooperation_id == Revision.cooperation_id,
            CooperationKey.wrapped.is_(None),
        ),
    )


# What could not be made ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failing:
    """A text whose certificate could not be made, for whoever runs the instance."""

    reference: str
    kind: str
    number: int
    tries: int
    error: str
    next_try_at: dt.datetime


def note_failure(revision_id: UUID, error: CertificateError) -> None:
    """Record why a certificate could not be made; the delay until the next attempt grows.

    Records nothing if another worker has made it meanwhile: nobody would try again, so the failure
    would stay for ever. That worker locks the chain, too.
    """
    revision = db.session.get(Revision, revision_id)
    if revision is None:
        return
    lock_chain(revision.cooperation_id)
    if db.session.scalar(sa.select(Certificate.id).where(Certificate.revision_id == revision_id)):
        return
    now = clock.now()
    new = CertificateFailure(
        revision_id=revision_id, tries=0, error="", failed_at=now, next_try_at=now
    )
    row = get_or_add(db.session(), new)
    row.tries += 1
    row.error = str(error)[:KEPT_ERROR]
    row.failed_at = now
    row.next_try_at = now + WAITS[min(row.tries, len(WAITS)) - 1]
    db.session.flush()


def forget_made() -> None:
    """Delete the failures of texts that have a certificate now, which nobody would try again."""
    has_certificate = sa.exists().where(Certificate.revision_id == CertificateFailure.revision_id)
    db.session.execute(
        sa.delete(CertificateFailure)
        .where(has_certificate)
        .execution_options(synchronize_session=False)
    )


def failing() -> list[Failing]:
    """Return the texts whose certificate could not be made, the oldest failure first."""
    rows = db.session.execute(
        sa.select(CertificateFailure, Revision, Cooperation.reference)
        .join(Revision, Revision.id == CertificateFailure.revision_id)
        .join(Cooperation, Cooperation.id == Revision.cooperation_id)
        .order_by(CertificateFailure.failed_at, Revision.id)
    )
    return [
        Failing(reference, revision.kind, revision.number, row.tries, row.error, row.next_try_at)
        for row, revision, reference in rows
    ]


def failing_count() -> int:
    """Return how many certificates could not be made."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(CertificateFailure)) or 0


def is_any_failing() -> bool:
    """Return whether any certificate could not be made, including rows written by hand."""
    return bool(
        db.session.scalar(sa.select(sa.exists().where(CertificateFailure.revision_id.is_not(None))))
    )


# Making -------------------------------------------------------------------------------------------


# Reading ------------------------------------------------------------------------------------------


def find(revision_id: UUID, language: str) -> Certificate | None:
    """Return a revision's certificate in a language; the caller found the revision in scope."""
    return db.session.scalar(
        sa.select(Certificate).where(
            Certificate.revision_id == revision_id, Certificate.language == language
        )
    )


def marks(revision_id: UUID) -> list[CertificateMark]:
    """Return the languages in which a revision has a certificate. A reader for signoff.queries."""
    rows = db.session.execute(
        sa.select(Certificate.language, Certificate.made_at, Certificate.has_timestamp)
        .where(Certificate.revision_id == revision_id)
        .order_by(Certificate.made_at, Certificate.language)
    )
    return [CertificateMark(*row) for row in rows]


def plain_bytes(row: Certificate, key: bytes | None) -> bytes:
    """Return a certificate's PDF, decrypted if it is encrypted; raise UnreadableError if not."""
    if not row.is_sealed:
        return row.document
    if key is None:
        raise DamagedRowError(Certificate.__tablename__, row.id)
    return crypto.unseal(key, row.document, context_of(row.id))


def file_of(row: Certificate, revision: Revision) -> bytes:
    """Return a certificate's PDF; the caller found its revision with a scoped query."""
    return plain_bytes(row, key_of(revision))


def file_as_made(row: Certificate, revision: Revision) -> bytes:
    """Return a certificate's PDF for somebody who downloads it; as file_of().

    Raise RefusedError unless an event says that this file was made of this revision: a row changed
    in the database would hand out the certificate of another text under this one's name.
    """
    digest, of = canonical.digest_of(row.content()), [verbs.CERTIFICATE_MADE]
    if witness.is_bound_in(revision.cooperation_id, digest, of, revision.subject_type):
        pdf = file_of(row, revision)
        if canonical.digest(pdf) == row.sha256:
            return pdf
    raise RefusedError(DIFFERS)


def key_of(revision: Revision) -> bytes | None:
    """Return the key that encrypts a revision and its certificates, if they are encrypted."""
    return keys.key_of(revision.cooperation_id) if revision.is_sealed else None


def context_of(certificate_id: UUID) -> str:
    """Return the context that the encryption of a certificate is bound to."""
    return f"certificate:{certificate_id}"
