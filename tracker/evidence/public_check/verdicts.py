"""Verdicts of public verification on a text or a file, which reveal nothing of its content.

Whoever asks must have the file, or the digest of the text, which includes a random salt and can't
be guessed. Anything unknown gets the same answer, however close it is to something known.
"""

import re
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import verbs, witness
from tracker.activity.models import Chain, Event
from tracker.cooperations.models import Cooperation
from tracker.core import canonical
from tracker.core.db import db
from tracker.evidence import bound
from tracker.evidence.bound import TextStatus
from tracker.evidence.bundles import verify
from tracker.evidence.certificates import pdf
from tracker.evidence.keys import signing_keys
from tracker.evidence.keys.signing_keys import certificates_of
from tracker.evidence.log import notes
from tracker.evidence.models import Certificate, EvidenceKey, KeyUse
from tracker.evidence.public_check.facts import (
    REGISTER,
    Answer,
    Signer,
    Verdict,
)
from tracker.signoff import queries as signoff
from tracker.signoff import service as signing
from tracker.signoff.labels import when_signed
from tracker.signoff.models import Revision, SignatureKind
from tracker.signoff.outcomes import Outcome

DIGEST = re.compile(r"[0-9a-f]{64}")
REFERENCE = re.compile(r"C-[0-9]{4}-[0-9]{4,6}")
# The first bytes of every ZIP file.
_ZIP = b"PK\x03\x04"
_MARKED = re.compile(re.escape(pdf.MARKER.encode()) + rb"([0-9a-f]{64})")
# The events that bind the digest of a register's export.
_EXPORTS = (verbs.REGISTER_EXPORTED, verbs.UNDERTAKINGS_EXPORTED)
# The events that bind the digest of a key.
_BEGINNINGS = (verbs.EVIDENCE_KEY_MADE, verbs.EVIDENCE_KEY_IMPORTED)

# What the NPM of a cooperation set about naming signers.
_SETTINGS = witness.about_with_details(
    sa.and_(
        Event.subject_type == "cooperation",
        Event.subject_id.in_(sa.bindparam("cooperation_ids", expanding=True)),
    ),
    (verbs.VERIFICATION_CHANGED,),
)

UNKNOWN = Answer(Verdict.UNKNOWN)
ALTERED = Answer(Verdict.ALTERED)


def of_text(reference: str, digest: str) -> Answer:
    """Return the verdict on a text, by its cooperation's reference and its digest as printed."""
    reference, digest = reference.strip().upper(), tidy(digest)
    if not REFERENCE.fullmatch(reference) or not DIGEST.fullmatch(digest):
        return UNKNOWN
    revision = db.session.scalar(
        sa.select(Revision)
        .join(Cooperation, Cooperation.id == Revision.cooperation_id)
        .where(Revision.digest == digest, Cooperation.reference == reference)
    )
    return _of_revision(revision) if revision else UNKNOWN


def of_digests(file: str, text: str = "") -> Answer:
    """Return the verdict on a file by its SHA-256, and by the text it claims to certify."""
    file, text = tidy(file), tidy(text)
    if not DIGEST.fullmatch(file):
        return UNKNOWN
    certificate = db.session.scalar(sa.select(Certificate).where(Certificate.sha256 == file))
    if certificate is not None:
        return _of_certificate(certificate)
    revision = _by_digest(file)  # the canonical document itself
    if revision is not None:
        return _of_revision(revision)
    if _was_taken_out(file):
        return Answer(Verdict.EXPORT)
    claimed = DIGEST.fullmatch(text) and _by_digest(text)
    return ALTERED if claimed else UNKNOWN


def _was_taken_out(file: str) -> bool:
    """Return whether this is an export of a register, by the digest in its event."""
    return witness.is_bound_by_instance(file, _EXPORTS, REGISTER)


def of_file(data: bytes) -> Answer:
    """Return the verdict on an uploaded file: its digest, and for a PDF its signature.

    For an evidence bundle, whether it comes from here, and then whether every part of it is valid.
    """
    if _looks_like_a_bundle(data):
        return _of_bundle(data)
    file = canonical.digest(data)
    certificate = db.session.scalar(sa.select(Certificate).where(Certificate.sha256 == file))
    if certificate is not None and _flaw(certificate, data) is not None:
        return ALTERED
    return of_digests(file, claimed_text(data))


def _looks_like_a_bundle(data: bytes) -> bool:
    return data.startswith(_ZIP) and notes.BUNDLE.encode() in data


def _of_bundle(data: bytes) -> Answer:
    seal = verify.seal_of(data)
    if seal is None:
        return ALTERED
    key = db.session.scalar(
        sa.select(EvidenceKey).where(
            EvidenceKey.use == KeyUse.CHECKPOINT,
            EvidenceKey.fingerprint == seal.key,
            EvidenceKey.revoked_at.is_(None),
        )
    )
    if key is None or not _is_ours(key):
        return Answer(Verdict.STRANGE_BUNDLE)
    is_sealed = notes.is_signed_with(key.public_key, seal.signed(), seal.signature)
    return Answer(Verdict.BUNDLE) if is_sealed and verify.verify(data).is_sound else ALTERED


def _is_ours(key: EvidenceKey) -> bool:
    """Return whether events say that this key was created or imported here, and hasn't ended."""
    was_revoked = sa.exists().where(
        Event.subject_type == signing_keys.SUBJECT,
        Event.subject_id == key.id,
        Event.verb == verbs.EVIDENCE_KEY_REVOKED.name,
    )
    evidence = canonical.digest_of(key.content())
    began = witness.is_bound_by_instance(evidence, _BEGINNINGS, signing_keys.SUBJECT)
    return began and not db.session.scalar(sa.select(was_revoked))


def claimed_text(data: bytes) -> str:
    """Return the digest of the text that a file claims to certify; empty if none."""
    marked = _MARKED.search(data)
    return marked[1].decode() if marked else ""


def tidy(digest: str) -> str:
    """Return a digest in its stored form: typed from paper it may have groups and capitals."""
    return "".join(digest.split()).lower()


# A certificate and its text -----------------------------------------------------------------------


def _of_certificate(row: Certificate) -> Answer:
    revision = db.session.get(Revision, row.revision_id)
    evidence = canonical.digest_of(row.content())
    if revision is None or not _is_bound(revision.cooperation_id, evidence):
        return ALTERED
    return _of_revision(revision)


def _flaw(row: Certificate, data: bytes) -> pdf.Flaw | None:
    key = db.session.get(EvidenceKey, row.evidence_key_id)
    if key is None:
        return pdf.Flaw.BROKEN
    return pdf.flaw_of(data, kept_digest=row.sha256, certificate=certificates_of(key)[0])


def _by_digest(digest: str) -> Revision | None:
    return db.session.scalar(sa.select(Revision).where(Revision.digest == digest))


def _is_bound(cooperation_id: UUID, evidence: str) -> bool:
    """Return whether an event of a cooperation's chain binds a row as it is stored."""
    return bool(
        db.session.scalar(
            sa.select(
                sa.exists().where(
                    Event.chain_id == Chain.id,
                    Chain.cooperation_id == cooperation_id,
                    Event.evidence == evidence,
                )
            )
        )
    )


def _of_revision(revision: Revision) -> Answer:
    if not _is_bound(revision.cooperation_id, signing.evidence_of_revision(revision)):
        return ALTERED
    cooperation = db.session.get(Cooperation, revision.cooperation_id)
    if cooperation is None:
        return ALTERED
    status = bound.standing_of(revision)
    verdict = _verdict(status)
    signers = None if verdict is Verdict.DISAGREES else _signers(revision, cooperation)
    return Answer(verdict, signers, status.begins_on)


def _may_be_named(cooperation_id: UUID) -> bool:
    """Return whether the last event about it lets signers be named; not if it was erased."""
    settings = witness.of_subjects_with_details(_SETTINGS, [cooperation_id])
    details = settings[-1][1] if settings else None
    return details is not None and details.get("shows_signers") is True


def _signers(revision: Revision, cooperation: Cooperation) -> tuple[Signer, ...] | None:
    """Return who signed, if they may be named; never for encrypted texts (class K2 to K7).

    What the NPM allows counts only as events bind it, so that nobody's name is published by a value
    that was written into the database. An act may have bound the altered row since (adr 126), so
    the last event about this setting must allow it as well.
    """
    if not cooperation.shows_signers or revision.is_sealed:
        return None
    if not (
        witness.are_as_recorded(cooperation.id, [cooperation]) and _may_be_named(cooperation.id)
    ):
        return None
    return tuple(
        Signer(
            signature.signer_name,
            signature.organisation_name,
            when_signed(signature.signed_at, signature.paper),
        )
        for signature in signoff.signatures_on([revision.id]).get(revision.id, [])
        if signature.kind is SignatureKind.SIGNATURE
    )


# Status of a text ---------------------------------------------------------------------------------

_VERDICTS = {
    Outcome.WAITING: Verdict.WAITING,
    Outcome.DECLINED: Verdict.NOT_SIGNED,
    Outcome.WITHDRAWN: Verdict.NOT_SIGNED,
    Outcome.EXPIRED: Verdict.NOT_SIGNED,
    Outcome.IN_FORCE: Verdict.GENUINE,
    Outcome.SUSPENDED: Verdict.SUSPENDED,
    Outcome.ENDED: Verdict.ENDED,
    Outcome.SUPERSEDED: Verdict.SUPERSEDED,
}


def _verdict(status: TextStatus) -> Verdict:
    """Return the verdict on a text from what is bound, never from its status column."""
    if status.outcome is None:
        return Verdict.DISAGREES
    if status.ended_with_visit:
        return Verdict.VISIT_STOPPED
    return Verdict.BEGINS_LATER if status.begins_on else _VERDICTS[status.outcome]
