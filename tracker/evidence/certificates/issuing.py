"""Issuing of certificates of fully signed texts, by the worker, in each of their languages.

The worker issues them, so that no signature waits for one. It reads, then typesets and signs
without an open transaction, then stores: a slow timestamp service blocks nobody.
"""

import datetime as dt
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tracker.activity import queries as trail
from tracker.activity import verbs, witness
from tracker.activity.models import Event
from tracker.activity.queries import HistoryLine
from tracker.activity.service import lock_chain, record
from tracker.activity.verbs import Verb
from tracker.agreements.service import ON_THE_RECORD
from tracker.cooperations.models import Cooperation
from tracker.core import canonical, clock, crypto
from tracker.core.db import db, will_write
from tracker.core.errors import KeyDestroyedError, UnreadableError
from tracker.core.keys import KeysError
from tracker.evidence import bound
from tracker.evidence.certificates import contents, pdf
from tracker.evidence.certificates.contents import PassedOn, Source
from tracker.evidence.certificates.pdf import Signer, SignError, TimestampError
from tracker.evidence.certificates.service import (
    CertificateError,
    context_of,
    find,
    key_of,
)
from tracker.evidence.certificates.typesetting import Attached, TypesettingError, typeset
from tracker.evidence.keys import signing_keys
from tracker.evidence.keys.signing_keys import SigningKey
from tracker.evidence.models import Certificate, CertificateFailure, KeyUse
from tracker.signoff import queries as signoff
from tracker.signoff import service as signing
from tracker.signoff.models import Revision, Signature, SignatureRequest
from tracker.undertakings.models import SUBJECT as UNDERTAKING

TEMPLATE = "certificate.typ"
# How long a certificate waits for the timestamp service, and the sources of revocation data, after
# the last signature; then it is made without what can't be had, since a certificate that is never
# made helps nobody.
PATIENCE = dt.timedelta(hours=24)

# The events shown on the certificate of an undertaking.
OF_AN_UNDERTAKING = (
    verbs.UNDERTAKING_ASKED,
    verbs.UNDERTAKING_FROZEN,
    verbs.UNDERTAKING_SCAN_RECORDED,
    verbs.UNDERTAKING_SCAN_CONFIRMED,
    verbs.UNDERTAKING_SIGNED,
    verbs.INTERESTS_DECIDED,
    verbs.UNDERTAKING_COUNTERSIGNED,
)

_OPENINGS = witness.about_with_details(
    sa.and_(
        Event.subject_type == "cooperation",
        Event.subject_id.in_(sa.bindparam("cooperation_ids", expanding=True)),
    ),
    (verbs.COOPERATION_OPENED,),
)


@dataclass(frozen=True, slots=True)
class Made:
    """A certificate that was made and is not stored yet."""

    revision_id: UUID
    language: str
    pdf: bytes
    key_id: UUID
    has_timestamp: bool
    made_at: dt.datetime


@dataclass(frozen=True, slots=True)
class _Work:
    """Everything needed to make the certificates of a text, read beforehand."""

    source: Source
    plain: bytes
    key: SigningKey
    completed_at: dt.datetime


def make(revision_id: UUID, timestamp_url: str = "") -> list[Made]:
    """Make the certificates of a text, one in each language, without storing them.

    Ends the caller's transaction: none is open while it typesets, signs and calls the timestamp
    service. Raise CertificateError if it can't be done now.
    """
    try:
        work = _read(revision_id)
        known = contents.languages(work.source)
        return [_make(work, language, timestamp_url) for language in known]
    except (CertificateError, SQLAlchemyError):
        raise
    except Exception as error:
        # Whatever is wrong with one text, such as an unknown format, must not block the others.
        where = traceback.extract_tb(error.__traceback__)[-1]
        # The error's message may quote the text.
        message = (
            f"Revision {revision_id} can't be set: {type(error).__name__}"
            f" in {Path(where.filename).name}, line {where.lineno}"
        )
        raise CertificateError(message) from error


def keep(certificates: Collection[Made]) -> list[Certificate]:
    """Store certificates and record each, in the caller's transaction.

    Stores nothing if another worker was faster.
    """
    stored = []
    for certificate in certificates:
        revision = db.session.get_one(Revision, certificate.revision_id)
        lock_chain(revision.cooperation_id)
        if find(revision.id, certificate.language) is None:
            stored.append(_keep(revision, certificate))
        db.session.execute(
            sa.delete(CertificateFailure).where(CertificateFailure.revision_id == revision.id)
        )
    return stored


def _read(revision_id: UUID) -> _Work:
    db.session.rollback()
    token = will_write.set(False)
    try:
        return _work(revision_id)
    except (KeysError, KeyDestroyedError, UnreadableError) as error:
        raise CertificateError(str(error)) from error
    finally:
        db.session.rollback()
        will_write.reset(token)


def _work(revision_id: UUID) -> _Work:
    revision = signoff.revision(revision_id)
    if revision is None:
        message = "The text is gone."
        raise CertificateError(message)
    cooperation = db.session.get_one(Cooperation, revision.cooperation_id)
    _require_signed_by_all(revision)
    is_demonstration = _is_demonstration(cooperation)
    key = signing_keys.current(KeyUse.DOCUMENT)
    plain = signing.plain_bytes(revision, key_of(revision))
    events = _events(revision)
    source = Source(
        revision=revision,
        document=canonical.from_bytes(plain),
        is_demonstration=is_demonstration,
        signatures=tuple(revision.signatures),
        events=events,
        key_number=key.number,
        key_fingerprint=key.fingerprint,
        made_at=clock.now(),
        passed_on=_passed_on(revision, events),
    )
    completed_at = max(signature.signed_at for signature in revision.signatures)
    # Typesetting must not query the database again.
    db.session.expunge_all()
    return _Work(source, plain, key, completed_at)


def _require_signed_by_all(revision: Revision) -> None:
    """Refuse a text that was not fully signed, or whose rows contradict the evidence.

    A status row is no evidence: the frozen text, its signatures and the whole chain are.
    """
    status = bound.standing_of(revision)
    if not status.agrees or status.outcome is None or not status.outcome.is_signed_by_all:
        message = (
            f"Revision {revision.id} does not agree with its signatures, so it gets no certificate:"
            " run tracker audit verify."
        )
        raise CertificateError(message)


def _is_demonstration(cooperation: Cooperation) -> bool:
    """Return whether the event that opened a cooperation says that it is a demonstration.

    If the event doesn't say it (older ones, erased details), the row does, unless it isn't as its
    events bind it, or one of them found it altered: an act may have bound it since (adr 126). The
    caller has verified the chain.
    """
    for _link, details in witness.of_subjects_with_details(_OPENINGS, [cooperation.id]):
        if details is not None and "demonstration" in details:
            return bool(details["demonstration"])
    if not witness.are_as_recorded(cooperation.id, [cooperation], {Cooperation.__tablename__}):
        message = (
            f"The row of cooperation {cooperation.id} does not agree with its events, so its texts"
            " get no certificate: run tracker audit verify."
        )
        raise CertificateError(message)
    return cooperation.is_demonstration


def _events(revision: Revision) -> list[HistoryLine]:
    """Return the history of a text since the previous revision was in force, the oldest first.

    Raise CertificateError if the details of an event are not those that it binds, or are missing
    though no later event says that they were erased.
    """
    event_verbs: tuple[Verb, ...]
    if revision.subject_type == UNDERTAKING:
        event_verbs, ends = OF_AN_UNDERTAKING, verbs.UNDERTAKING_COUNTERSIGNED
    else:
        event_verbs, ends = ON_THE_RECORD, verbs.CAME_INTO_FORCE
    lines = trail.subject_history(
        revision.cooperation_id,
        [revision.subject_id, *(signature.id for signature in revision.signatures)],
        of=event_verbs,
    )
    lines.reverse()
    begin, end = 0, len(lines)
    for place, line in enumerate(lines):
        if line.verb != ends.name:
            continue
        if line.details.get("revision", revision.number) == revision.number:
            end = place + 1
            break
        begin = place + 1
    erased_before = witness.erased_before(revision.cooperation_id)
    for line in lines[:end]:
        if line.is_altered or (line.is_erased and line.number >= erased_before):
            message = (
                f"The details of event {line.number} of revision {revision.id} do not agree with"
                " their event, so it gets no certificate: run tracker audit verify."
            )
            raise CertificateError(message)
    return lines[begin:end]


def _passed_on(
    revision: Revision, events: Sequence[HistoryLine]
) -> dict[UUID, tuple[PassedOn, ...]]:
    """Return how each signature that was passed on came to its signer, as the events say."""
    own = [
        line.details
        for line in events
        if line.verb == verbs.SIGNING_PASSED_ON.name
        and line.details.get("revision") == revision.number
    ]
    request = signoff.request_of(revision.id) if own else None
    if request is None:
        return {}
    return {
        signature.id: tuple(_steps(request, signature, own))[::-1]
        for signature in revision.signatures
        if signature.in_place_of
    }


def _steps(
    request: SignatureRequest, signature: Signature, events: Sequence[Mapping[str, Any]]
) -> Iterator[PassedOn]:
    """Yield each time that a signature was passed on, the latest first.

    People and organisations are compared by id, since their names may change in between; by name
    only where an event of an earlier version has no ids. The events of a visit's text don't tell
    the reason. Its slots have it, encrypted for that slot, so it can't be changed in the database
    either.
    """
    slot = signoff.slot_of(request, signature.organisation_id, signature.user_id)
    after, after_id = signature.signer_name, str(signature.user_id)
    for details in reversed(events):
        by_id = (details.get("organisation_id"), details.get("after_id"))
        is_it = (
            by_id == (str(signature.organisation_id), after_id)
            if "after_id" in details
            else (details["organisation"], details["after"]) == (signature.organisation_name, after)
        )
        if not is_it:
            continue
        reason = details["reason"]
        if request.revision.is_sealed and slot is not None:
            reason = signing.why_passed_on(slot, key_of(request.revision))
            slot = signoff.stood_for(request, slot)
        yield PassedOn(details["before"], details["after"], reason)
        after, after_id = details["before"], details.get("before_id", "")


def _make(work: _Work, language: str, timestamp_url: str) -> Made:
    attached = Attached(
        contents.CANONICAL,
        work.plain.decode(),
        contents.CANONICAL_TYPE,
        "The canonical form of the text (RFC 8785), byte for byte as it was signed",
    )
    try:
        typeset_ = typeset(TEMPLATE, contents.certificate(work.source, language), attached)
        signed, has_timestamp = _sign(typeset_, work, timestamp_url)
    except (TypesettingError, SignError) as error:
        raise CertificateError(str(error)) from error
    flaw = pdf.flaw_of(
        signed,
        kept_digest=canonical.digest(signed),
        certificate=work.key.certificates[0],
    )
    if flaw is not None:
        message = f"The signature on the PDF is not sound ({flaw.value}): look at tracker keys list"
        raise CertificateError(message)
    return Made(
        work.source.revision.id,
        language,
        signed,
        work.key.id,
        has_timestamp,
        work.source.made_at,
    )


def _sign(plain: bytes, work: _Work, timestamp_url: str) -> tuple[bytes, bool]:
    """Return the signed PDF, and whether it has timestamps.

    After PATIENCE, revocation data that can't be had is left out, then the timestamps.
    """
    signer = Signer(work.key.private, work.key.certificates)
    if not timestamp_url:
        return pdf.sign(plain, signer), False
    try:
        return pdf.sign(plain, signer, timestamp_url), True
    except TimestampError:
        if clock.now() - work.completed_at < PATIENCE:
            raise
    try:
        return pdf.sign(plain, signer, timestamp_url, needs_revocation_data=False), True
    except TimestampError:
        return pdf.sign(plain, signer), False


def _keep(revision: Revision, document: Made) -> Certificate:
    row = Certificate(
        id=uuid4(),
        revision_id=revision.id,
        language=document.language,
        is_sealed=revision.is_sealed,
        sha256=canonical.digest(document.pdf),
        evidence_key_id=document.key_id,
        has_timestamp=document.has_timestamp,
        made_at=document.made_at,
    )
    key = key_of(revision)
    row.document = (
        document.pdf if key is None else crypto.seal(key, document.pdf, context_of(row.id))
    )
    db.session.add(row)
    db.session.flush()
    record(
        verbs.CERTIFICATE_MADE,
        actor=None,
        subject_type=revision.subject_type,
        subject_id=revision.subject_id,
        cooperation_id=revision.cooperation_id,
        evidence=canonical.digest_of(row.content()),
        kind=revision.kind,
        revision=revision.number,
        language=row.language,
        document_digest=revision.digest,
        certificate_digest=row.sha256,
    )
    return row
