"""When the archive timestamps of stored certificates end, which nobody can see from outside.

A timestamp ends with the certificate of the service that made it. That changes every few years, so
the first texts that were fully signed in a month say when the timestamps of that month end.
"""

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from uuid import UUID

import sqlalchemy as sa

from tracker.core.db import db
from tracker.core.errors import KeyDestroyedError, UnreadableError
from tracker.evidence.certificates import pdf, service
from tracker.evidence.models import Certificate
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignatureRequest,
)

# So many texts of each kind are looked at for a month: the first may have no timestamp.
_FIRST = 2


def ends() -> list[dt.datetime]:
    """Return the different moments at which archive timestamps of certificates end, in order.

    Reads a few files for each month in which texts were signed; for the worker, once a day.
    """
    moments = set()
    for begin, end in _months():
        for certificate_id in _certificates(begin, end):
            last = _end_of(certificate_id)
            if last is not None:
                moments.add(last)
                break
    return sorted(moments)


def _months() -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Yield the beginning and end of each month from the first fully signed text to the last."""
    # Each alone: then SQLite reads one entry of an index.
    limits = [
        db.session.scalar(sa.select(limit(at)).where(condition))
        for at, condition in (
            (SignatureRequest.ended_at, SignatureRequest.state == RequestState.COMPLETED),
            (Signature.signed_at, Signature.kind == SignatureKind.COUNTERSIGNATURE),
        )
        for limit in (sa.func.min, sa.func.max)
    ]
    moments = [moment for moment in limits if moment is not None]
    if not moments:
        return
    begin = min(moments).astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0)
    begin = begin.replace(microsecond=0)
    while begin <= max(moments):
        end = (begin + dt.timedelta(days=32)).replace(day=1)
        yield begin, end
        begin = end


def _certificates(begin: dt.datetime, end: dt.datetime) -> list[UUID]:
    """Return certificates with timestamps of the first texts that were fully signed in a month."""
    requests = (
        sa.select(SignatureRequest.revision_id)
        .where(
            SignatureRequest.state == RequestState.COMPLETED,
            SignatureRequest.ended_at >= begin,
            SignatureRequest.ended_at < end,
        )
        .order_by(SignatureRequest.ended_at)
        .limit(_FIRST)
    )
    countersignatures = (
        sa.select(Signature.revision_id)
        .where(
            Signature.kind == SignatureKind.COUNTERSIGNATURE,
            Signature.signed_at >= begin,
            Signature.signed_at < end,
        )
        .order_by(Signature.signed_at)
        .limit(_FIRST)
    )
    revision_ids = {*db.session.scalars(requests), *db.session.scalars(countersignatures)}
    if not revision_ids:
        return []
    return list(
        db.session.scalars(
            sa.select(Certificate.id)
            .where(Certificate.revision_id.in_(revision_ids), Certificate.has_timestamp)
            .order_by(Certificate.is_sealed, Certificate.made_at, Certificate.id)
        )
    )


# Certificates never change.
@lru_cache(maxsize=1000)
def _end_of(certificate_id: UUID) -> dt.datetime | None:
    """Return when the archive timestamp of a certificate ends; None if it can't be read."""
    row = db.session.get_one(Certificate, certificate_id)
    try:
        data = service.file_of(row, db.session.get_one(Revision, row.revision_id))
        return pdf.timestamp_end(data)
    except (KeyDestroyedError, UnreadableError):
        return None
    except Exception:  # noqa: BLE001 -- whatever somebody broke in the file; the audit reports it
        return None
