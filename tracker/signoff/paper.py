"""Signing on paper: a scan one party records becomes a signature once another confirms it.

In one file: scan, responses and signatures bind each other.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from tracker.access.actor import Actor
from tracker.activity import verbs, witness
from tracker.activity.verbs import Verb
from tracker.core import canonical, clock, crypto
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.signoff import queries, scans, service, signers, vouching
from tracker.signoff.labels import DIFFERS
from tracker.signoff.models import (
    Method,
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignatureRequest,
)
from tracker.signoff.paper_models import (
    PaperDecision,
    PaperDecisionKind,
    PaperKind,
    PaperRecord,
    PaperState,
)
from tracker.signoff.paper_policy import PaperFact

# The verbs whose events bind a scan's record, and a confirmation of it.
RECORDING = (verbs.PAPER_RECORDED, verbs.UNDERTAKING_SCAN_RECORDED)
CONFIRMING = (verbs.PAPER_CONFIRMED, verbs.UNDERTAKING_SCAN_CONFIRMED)


@dataclass(frozen=True, slots=True)
class Signer:
    """A person who signed on paper, for which party; user_id if the slot in the text is theirs."""

    organisation_id: UUID
    organisation_name: str
    name: str
    office: str
    user_id: UUID | None = None
    power: str = ""
    power_from: dt.date | None = None
    power_until: dt.date | None = None
    # Who confirmed the role they signed by; see signoff.policy.confirmation_of.
    power_confirmed: dict[str, str] | None = None
    # The person on whose behalf they signed, if not themselves.
    on_behalf_of: str = ""
    # Who passed the signature on to them, if anybody did.
    in_place_of: str = ""
    in_place_of_id: UUID | None = None
    # The role whose power they signed by, if they have one here.
    membership_id: UUID | None = None


def record(
    actor: Actor,
    revision: Revision,
    *,
    kind: PaperKind,
    signed_on: dt.date,
    signers: Sequence[Signer],
    scan: bytes,
    key: bytes,
    ends_on: dt.date | None = None,
) -> PaperRecord:
    """Store a scan, encrypted with the cooperation's key, and who signed when.

    The caller asks its policy. Raise RuleBrokenError if the file is not a scan (scans.checked), or
    somebody else recorded it before.
    """
    media_type = scans.checked(scan)
    _require_own(actor, revision.cooperation_id, canonical.digest(scan))
    paper_record = PaperRecord(
        id=uuid4(),
        revision_id=revision.id,
        kind=kind,
        organisation_id=_acting_for(actor),
        organisation_name=actor.organisation_name,
        user_id=actor.user_id,
        user_name=actor.name,
        recorded_at=clock.now(),
        signed_on=signed_on,
        ends_on=ends_on,
        signers=[_as_kept(signer) for signer in signers],
        media_type=media_type.value,
        size=len(scan),
        scan_digest=canonical.digest(scan),
        decisions=[],
    )
    paper_record.scan = crypto.seal(key, scan, _context(paper_record.id))
    paper_record.digest = canonical.digest_of(paper_record.content())
    db.session.add(paper_record)
    db.session.flush()
    return paper_record


def _require_own(actor: Actor, cooperation_id: UUID, scan_digest: str) -> None:
    """Raise RuleBrokenError for a scan that somebody else recorded before and that didn't count.

    Otherwise whoever recorded it first could vouch for it now: one of the two people vouching would
    have taken the paper.
    """
    name = db.session.scalar(
        sa.select(PaperRecord.user_name)
        .join(Revision, Revision.id == PaperRecord.revision_id)
        .join(PaperDecision, PaperDecision.record_id == PaperRecord.id)
        .where(
            Revision.cooperation_id == cooperation_id,
            PaperRecord.scan_digest == scan_digest,
            PaperRecord.organisation_id == _acting_for(actor),
            PaperRecord.user_id != actor.user_id,
            PaperDecision.kind != PaperDecisionKind.CONFIRMED,
        )
        .limit(1)
    )
    if name is not None:
        raise RuleBrokenError(
            _l(
                "%(name)s recorded this scan before, so only they can record it again. Otherwise, "
                "sign a new paper.",
                name=name,
            ),
            "scan",
        )


def decide(
    actor: Actor,
    paper: PaperRecord,
    kind: PaperDecisionKind,
    *,
    reason: str = "",
    key: bytes | None = None,
) -> PaperDecision:
    """Store a party's response to a scan; key encrypts the reason if the revision is encrypted.

    The caller asks its policy. Raise RuleBrokenError for a refusal without a reason.
    """
    words = reason.strip()
    if kind is not PaperDecisionKind.CONFIRMED and not words:
        raise RuleBrokenError(_l("Say why."), "reason")
    paper_decision = PaperDecision(
        id=uuid4(),
        record_id=paper.id,
        kind=kind,
        organisation_id=_acting_for(actor),
        organisation_name=actor.organisation_name,
        user_id=actor.user_id,
        user_name=actor.name,
        decided_at=clock.now(),
        reason="" if key is not None else words,
    )
    if key is not None and words:
        paper_decision.sealed_reason = crypto.seal(
            key, words.encode(), _reason_context(paper_decision.id)
        )
    paper_decision.digest = canonical.digest_of(paper_decision.content())
    try:
        with db.session.begin_nested():
            paper.decisions.append(paper_decision)
    except IntegrityError as error:
        raise RuleBrokenError(_l("Your organisation has already answered this scan.")) from error
    return paper_decision


def sign(
    revision: Revision,
    paper: PaperRecord,
    signers: Iterable[tuple[Signer, PaperDecision]],
    *,
    sentence: str,
    language: str,
) -> list[Signature]:
    """Write the signatures on a confirmed scan, each with who confirmed it.

    The account of a signature is the signer's own if the slot in the text is theirs, else that of
    the person in their organisation who is responsible for the scan: who recorded or confirmed it.
    An undertaking is signed in its person's own name. Raise RefusedError unless events bind the
    record, the confirmations, and the accounts and roles of those who signed.
    """
    signed_by = list(signers)
    _require_as_recorded(revision, paper)
    for signer, _decision in signed_by:
        if signer.user_id is not None:
            service.require_signer_as_recorded(
                signer.user_id,
                signer.name,
                by=signer.membership_id,
                of=signer.organisation_id,
            )
    signatures = [
        _write(
            revision,
            paper,
            signer,
            decision,
            sentence=sentence,
            language=language,
        )
        for signer, decision in signed_by
    ]
    db.session.flush()
    return signatures


def _require_as_recorded(revision: Revision, paper: PaperRecord) -> None:
    """Raise RefusedError unless a scan's record and the responses to it are what events bind."""
    rows: list[tuple[PaperRecord | PaperDecision, Iterable[Verb]]] = [(paper, RECORDING)]
    rows += [(decision, CONFIRMING) for decision in paper.decisions]
    for row, of in rows:
        is_bound = row.digest == canonical.digest_of(row.content()) and witness.is_bound_in(
            revision.cooperation_id, row.digest, of, revision.subject_type
        )
        if not is_bound:
            raise RefusedError(DIFFERS)


def complete_if_signed(
    signature_request: SignatureRequest, signatures: Iterable[Signature]
) -> bool:
    """Complete a request if no party is missing; return whether it is complete.

    The caller has called locked_request(). made are the signatures that were just written.
    """
    standing = queries.standing_of(signature_request)
    signed = standing.signed | {
        (signer.organisation_id, signer.user_id) for signer in signatures if signer.organisation_id
    }
    signature_request.state = signers.state_after(signature_request.state, standing.parties, signed)
    if signature_request.state is not RequestState.COMPLETED:
        return False
    signature_request.ended_at = clock.now()
    db.session.flush()
    return True


def decline(
    actor: Actor, signature_request: SignatureRequest, *, reason: str, key: bytes | None
) -> None:
    """End a request because a party refused the scan it was waiting for; key as for decide()."""
    service.withdraw(actor, signature_request, reason=reason, key=key)
    signature_request.state = RequestState.DECLINED
    db.session.flush()


def recorded(paper: PaperRecord) -> dict[str, str]:
    """Return what a signature on paper says about its scan, besides who confirmed it."""
    return {
        "record": str(paper.id),
        "scan_digest": paper.scan_digest,
        "signed_on": paper.signed_on.isoformat(),
        "recorded_by": str(paper.user_id),
        "recorded_by_name": paper.user_name,
        "recorded_for": paper.organisation_name,
        "made": vouching.BEFORE if paper.kind is PaperKind.FORMER else vouching.HERE,
    }


def _write(
    revision: Revision,
    paper: PaperRecord,
    signer: Signer,
    decision: PaperDecision,
    *,
    sentence: str,
    language: str,
) -> Signature:
    own = paper.user_id if signer.organisation_id == paper.organisation_id else decision.user_id
    signature = Signature(
        id=uuid4(),
        revision_id=revision.id,
        kind=SignatureKind.SIGNATURE,
        user_id=signer.user_id or own,
        organisation_id=None if paper.kind is PaperKind.UNDERTAKING else signer.organisation_id,
        signer_name=signer.name,
        organisation_name=signer.organisation_name,
        office=signer.office,
        power=signer.power,
        power_from=signer.power_from,
        power_until=signer.power_until,
        power_confirmed=signer.power_confirmed,
        on_behalf_of=signer.on_behalf_of or None,
        in_place_of=signer.in_place_of or None,
        in_place_of_id=signer.in_place_of_id,
        sentence=sentence,
        language=language,
        document_digest=revision.digest,
        method=Method.PAPER,
        signed_at=clock.now(),
        paper={
            **recorded(paper),
            "confirmed_by": str(decision.user_id),
            "confirmed_by_name": decision.user_name,
            "confirmed_for": decision.organisation_name,
        },
    )
    signature.digest = canonical.digest_of(signature.content())
    try:
        with db.session.begin_nested():
            db.session.add(signature)
    except IntegrityError as error:
        raise RuleBrokenError(
            _l("Somebody named on this scan has already signed this revision.")
        ) from error
    return signature


# Reads; the caller found the subject scoped -------------------------------------------------------


def on_revisions(revision_ids: Iterable[UUID]) -> dict[UUID, list[PaperRecord]]:
    """Return the scans recorded for some revisions, in the order given, in two queries."""
    records: dict[UUID, list[PaperRecord]] = {}
    for row in db.session.scalars(
        sa.select(PaperRecord)
        .where(PaperRecord.revision_id.in_(list(revision_ids)))
        .options(selectinload(PaperRecord.decisions))
        .order_by(PaperRecord.recorded_at)
        .execution_options(populate_existing=True)
    ):
        records.setdefault(row.revision_id, []).append(row)
    return records


def on_revision(revision_id: UUID) -> list[PaperRecord]:
    """Return the scans recorded for a revision, as on_revisions() does."""
    return on_revisions([revision_id]).get(revision_id, [])


def find(revision_ids: Iterable[UUID], record_id: UUID) -> PaperRecord | None:
    """Return a scan that was recorded for one of some revisions, or None."""
    return db.session.scalar(
        sa.select(PaperRecord)
        .where(PaperRecord.id == record_id, PaperRecord.revision_id.in_(list(revision_ids)))
        .options(selectinload(PaperRecord.decisions))
        .execution_options(populate_existing=True)
    )


_FORMER = sa.select(PaperRecord).where(
    PaperRecord.revision_id == sa.bindparam("revision_id"), PaperRecord.kind == PaperKind.FORMER
)


def prior_agreement_scan(revision_id: UUID | None) -> PaperRecord | None:
    """Return the scan of a revision that records a prior agreement."""
    if revision_id is None:
        return None
    return db.session.scalar(_FORMER, {"revision_id": revision_id})


def scan_of(paper: PaperRecord, key: bytes) -> bytes:
    """Return the scan as it was uploaded; raise SealBrokenError if it was altered."""
    sealed = db.session.scalar(sa.select(PaperRecord.scan).where(PaperRecord.id == paper.id))
    return unsealed(paper.id, sealed or b"", key)


def unsealed(record_id: UUID, sealed: bytes, key: bytes) -> bytes:
    """Decrypt a stored scan; raise SealBrokenError if it was altered."""
    return crypto.unseal(key, sealed, _context(record_id))


def reason_of(decision: PaperDecision, key: bytes | None) -> str:
    """Return why a scan was refused or withdrawn, decrypted if it is encrypted."""
    if decision.sealed_reason is None or key is None:
        return decision.reason
    return crypto.unseal(key, decision.sealed_reason, _reason_context(decision.id)).decode()


def state_of(
    paper: PaperRecord, request_state: RequestState | None, signed: Iterable[Any]
) -> PaperState:
    """Return the status of a scan; signed are the ids of records that signatures refer to."""
    kinds = {decision.kind for decision in paper.decisions}
    if PaperDecisionKind.WITHDRAWN in kinds:
        return PaperState.WITHDRAWN
    if PaperDecisionKind.REFUSED in kinds:
        return PaperState.REFUSED
    if str(paper.id) in set(signed):
        return PaperState.CONFIRMED
    return PaperState.WAITING if request_state is RequestState.WAITING else PaperState.OVERTAKEN


def rests_on(signatures: Iterable[Signature]) -> set[str]:
    """Return the ids of the scans that signatures refer to."""
    papers = (vouching.paper_of(signature.paper) for signature in signatures)
    return {str(paper.record) for paper in papers if paper is not None}


def fact(paper: PaperRecord, state: PaperState) -> PaperFact:
    """Return a scan's plain values for the rules."""
    return PaperFact(
        kind=paper.kind,
        state=state,
        organisation_id=paper.organisation_id,
        recorded_by_id=paper.user_id,
        decided=frozenset(decision.organisation_id for decision in paper.decisions),
        signer_ids=signer_ids(paper.signers),
        decided_by=frozenset(decision.user_id for decision in paper.decisions),
    )


def signer_ids(signers: Iterable[Mapping[str, Any]]) -> frozenset[UUID]:
    """Return the accounts of those who signed a paper, as stored in its record."""
    return frozenset(UUID(signer["user_id"]) for signer in signers if signer.get("user_id"))


def signers_of(paper: PaperRecord) -> list[Signer]:
    """Return who signed on paper, as stored in its record: without their powers."""
    return [
        Signer(
            organisation_id=UUID(signer["organisation_id"]),
            organisation_name=signer["organisation"],
            name=signer["name"],
            office=signer["office"],
            user_id=UUID(signer["user_id"]) if signer.get("user_id") else None,
            on_behalf_of=signer.get("on_behalf_of", ""),
        )
        for signer in paper.signers
    ]


def _as_kept(signer: Signer) -> dict[str, Any]:
    return {
        "organisation_id": str(signer.organisation_id),
        "organisation": signer.organisation_name,
        "name": signer.name,
        "office": signer.office,
        **({"user_id": str(signer.user_id)} if signer.user_id else {}),
        **({"on_behalf_of": signer.on_behalf_of} if signer.on_behalf_of else {}),
    }


def _acting_for(actor: Actor) -> UUID:
    if actor.organisation_id is None:  # the policies have already refused
        raise LookupError
    return actor.organisation_id


def _context(record_id: UUID) -> str:
    return f"paper:{record_id}"


def _reason_context(decision_id: UUID) -> str:
    return f"paper-decision:{decision_id}"
