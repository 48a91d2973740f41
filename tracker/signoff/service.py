"""Service functions that freeze and sign texts, only ever adding rows.

In one file: freezing, asking and signing write rows that bind each other.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from tracker.access.actor import Actor, ActorMembership
from tracker.accounts import bound
from tracker.accounts import queries as accounts
from tracker.activity import witness
from tracker.core import canonical, clock, crypto
from tracker.core.db import db
from tracker.core.errors import DamagedRowError, RefusedError, RuleBrokenError
from tracker.signoff import outcomes, policy, queries, shown, signers
from tracker.signoff.identity_proof import Identity, SigningPage
from tracker.signoff.labels import DIFFERS, MISNAMINGS
from tracker.signoff.models import (
    Method,
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignatureParty,
    SignatureRequest,
    SignatureSlot,
)
from tracker.signoff.policy import RequestStatus
from tracker.signoff.signers import PartySigners

# The format of texts frozen from now on, with every wording in all its languages. Texts frozen as
# common-terms/1 stay as they are, in one language.
FORMAT = "common-terms/2"


def freeze(
    actor: Actor,
    *,
    cooperation_id: UUID,
    subject_type: str,
    subject_id: UUID,
    kind: str,
    document: Mapping[str, Any],
    key: bytes | None = None,
    reason: str = "",
) -> Revision:
    """Freeze a document in canonical form (RFC 8785) as the subject's next revision.

    A random salt becomes part of the document, so that its digest can't be guessed from its
    content. key encrypts the document, for class K2 to K7; the digest is that of the plain bytes.
    """
    revision = Revision(
        id=uuid4(),
        cooperation_id=cooperation_id,
        subject_type=subject_type,
        subject_id=subject_id,
        kind=kind,
        frozen_by_id=actor.user_id,
        reason=reason,
    )
    return _freeze(revision, document, SigningPage.begin(clock.now()), key)


def freeze_as_shown(
    actor: Actor,
    page: SigningPage,
    *,
    cooperation_id: UUID,
    subject_type: str,
    subject_id: UUID,
    document: Mapping[str, Any],
    key: bytes,
) -> Revision:
    """Freeze a document like freeze(), exactly as the signing page showed it.

    Its digest is the one that digest_to_be() returned for that page.
    """
    revision = Revision(
        id=uuid4(),
        cooperation_id=cooperation_id,
        subject_type=subject_type,
        subject_id=subject_id,
        kind=subject_type,
        frozen_by_id=actor.user_id,
        reason="",
    )
    return _freeze(revision, document, page, key)


def _freeze(
    revision: Revision, document: Mapping[str, Any], page: SigningPage, key: bytes | None
) -> Revision:
    revision.number = _next_number(revision.subject_type, revision.subject_id)
    plain = _plain(document, revision.number, page)
    revision.digest = canonical.digest(plain)
    revision.is_sealed = key is not None
    revision.frozen_at = page.at
    revision.document = plain if key is None else crypto.seal(key, plain, _context(revision.id))
    db.session.add(revision)
    db.session.flush()
    return revision


def digest_to_be(
    subject_type: str, subject_id: UUID, document: Mapping[str, Any], page: SigningPage
) -> str:
    """Return the digest that freeze_as_shown() will give a document with the same page."""
    return canonical.digest(_plain(document, _next_number(subject_type, subject_id), page))


def text_to_be(
    subject_type: str, subject_id: UUID, document: Mapping[str, Any], page: SigningPage
) -> dict[str, Any]:
    """Return the complete document that freeze_as_shown() will freeze with the same page."""
    whole: dict[str, Any] = canonical.from_bytes(
        _plain(document, _next_number(subject_type, subject_id), page)
    )
    return whole


def _next_number(subject_type: str, subject_id: UUID) -> int:
    last = db.session.scalar(
        sa.select(sa.func.max(Revision.number)).where(
            Revision.subject_type == subject_type, Revision.subject_id == subject_id
        )
    )
    return 1 + (last or 0)


def _plain(document: Mapping[str, Any], number: int, page: SigningPage) -> bytes:
    """Return the canonical bytes of a document to freeze."""
    return canonical.to_bytes(
        {
            **document,
            "format": FORMAT,
            "revision": number,
            "frozen_at": page.at.isoformat(timespec="seconds"),
            "salt": page.salt,
        }
    )


def plain_bytes(revision: Revision, key: bytes | None) -> bytes:
    """Return a revision's canonical bytes, decrypted if it is encrypted.

    Raise UnreadableError if they can't be decrypted; also if the row says that they are encrypted
    and the caller, who knows the kind of text, has no key for it.
    """
    if not revision.is_sealed:
        return revision.document
    return crypto.unseal(_needed(key, revision), revision.document, _context(revision.id))


def _needed(key: bytes | None, row: Revision | SignatureRequest | SignatureSlot) -> bytes:
    if key is None:
        raise DamagedRowError(row.__tablename__, row.id)
    return key


def document_of(revision: Revision, key: bytes | None) -> dict[str, Any]:
    """Return a revision's document as plain values; raise UnreadableError if it can't be read."""
    try:
        document: dict[str, Any] = canonical.from_bytes(plain_bytes(revision, key))
    except ValueError as error:
        raise DamagedRowError(Revision.__tablename__, revision.id) from error
    return document


def require_as_frozen(revision: Revision, key: bytes | None) -> None:
    """Raise RefusedError unless a revision's bytes have its digest.

    For pages on which a text is read to act on it, and for the acts: nobody signs a text that
    differs from the digest beside it.
    """
    if canonical.digest(plain_bytes(revision, key)) != revision.digest:
        raise RefusedError(DIFFERS)


def require_signer_as_recorded(
    user_id: UUID, name: str, *, by: UUID | None = None, of: UUID | None = None
) -> None:
    """Raise RefusedError unless events bind somebody who signs, or was to sign, but doesn't act.

    by is the role by which they sign, of their organisation, if they sign for one. A signature and
    its certificate say who had which power, and who confirmed it. Of those who act themselves, the
    same is compared with their event (accounts.bound.follow_act).
    """
    if not bound.are_as_recorded([user_id], [by] if by else [], [of] if of else []):
        raise RefusedError(
            _l(
                "What the database says about %(name)s, their role or their organisation differs "
                "from the history, so they can't sign. Tell an administrator.",
                name=name,
            )
        )


def require_slot_as_recorded(
    signature_request: SignatureRequest, slot: SignatureSlot, former: SignatureSlot | None
) -> None:
    """Raise RefusedError unless events bind who was asked to sign, and in whose place."""
    slots = [slot, former] if former else [slot]
    if not witness.are_as_recorded(signature_request.revision.cooperation_id, slots):
        raise RefusedError(DIFFERS)
    if former is not None:
        name = accounts.names([former.user_id])[former.user_id]
        require_signer_as_recorded(former.user_id, name)


def slot_as_recorded(
    actor: Actor, signature_request: SignatureRequest
) -> tuple[SignatureSlot, SignatureSlot | None]:
    """Return in which slot a person signs, and the one that it replaces, if it does.

    Raise LookupError if they have none, and RefusedError unless events bind both.
    """
    slot, former = _slot_of(actor, signature_request)
    require_slot_as_recorded(signature_request, slot, former)
    return slot, former


def require_own_slots_as_recorded(
    actor: Actor, cooperation_id: UUID, requests: Iterable[SignatureRequest]
) -> None:
    """Raise RefusedError unless slot_as_recorded() is true of several requests of a cooperation.

    In a constant number of queries, unless something is wrong.
    """
    slots = [_slot_of(actor, signature_request) for signature_request in requests]
    rows = [row for pair in slots for row in pair if row is not None]
    if not witness.are_as_recorded(cooperation_id, rows):
        raise RefusedError(DIFFERS)
    former = {row.user_id for _slot, row in slots if row is not None}
    if former and not bound.are_as_recorded(former, [], []):
        for user_id, name in accounts.names(former).items():
            require_signer_as_recorded(user_id, name)


def _slot_of(
    actor: Actor, signature_request: SignatureRequest
) -> tuple[SignatureSlot, SignatureSlot | None]:
    slot = queries.slot_of(signature_request, actor.organisation_id, actor.user_id)
    if slot is None:
        raise LookupError
    return slot, queries.stood_for(signature_request, slot)


def evidence_of_revision(revision: Revision) -> str:
    """Return the digest that the trail binds for a frozen revision: all its plain columns."""
    return canonical.digest_of(revision.content())


def request(
    actor: Actor,
    revision: Revision,
    parties: Iterable[PartySigners],
    *,
    expires_on: dt.date | None = None,
    remind_every: int | None = None,
    remind_whom: Iterable[str] = (),
) -> SignatureRequest:
    """Request signatures from a list of signatories; raise RuleBrokenError for an invalid list.

    The day is the last on which it can be signed. remind_every and remind_whom say how often to
    remind people, and whom besides the signatories, as the request stores them.
    """
    asking = list(parties)
    fault = signers.flaw(asking)
    if fault is not None:
        raise RuleBrokenError(MISNAMINGS[fault[0]], f"party_{fault[1]}")
    signature_request = SignatureRequest(
        id=uuid4(),
        revision_id=revision.id,
        sent_at=clock.now(),
        sent_by_id=actor.user_id,
        expires_on=expires_on,
        remind_every=remind_every,
        remind_whom=list(remind_whom) if remind_every else None,
    )
    db.session.add(signature_request)
    db.session.flush()
    position = 0
    for number, party in enumerate(asking):
        db.session.add(
            SignatureParty(
                request_id=signature_request.id,
                organisation_id=party.organisation_id,
                position=number,
                needed=party.required,
                turn=party.turn,
            )
        )
        for person in party.named:
            db.session.add(
                SignatureSlot(
                    request_id=signature_request.id,
                    organisation_id=party.organisation_id,
                    user_id=person.user_id,
                    position=position,
                    turn=person.turn,
                    on_behalf_of=person.on_behalf_of,
                )
            )
            position += 1
    db.session.flush()
    return signature_request


_LOCKED = (
    sa.select(SignatureRequest)
    .where(SignatureRequest.revision_id == sa.bindparam("revision_id"))
    .options(
        selectinload(SignatureRequest.slots),
        joinedload(SignatureRequest.parties),
        joinedload(SignatureRequest.revision).selectinload(Revision.signatures),
    )
    .with_for_update(of=SignatureRequest)
    .execution_options(populate_existing=True)
)


def locked_request(revision_id: UUID) -> SignatureRequest:
    """Lock and return the request of a revision, so that nobody else ends it."""
    rows = db.session.scalars(_LOCKED, {"revision_id": revision_id})
    return rows.unique().one()


def standing_of(signature_request: SignatureRequest, key: bytes | None) -> RequestStatus:
    """Return a request's plain values for the rules; its last day is the one its text states.

    key decrypts the text if it is encrypted. Its revision with document and signatures is loaded.
    """
    text = document_of(signature_request.revision, key)
    standing = queries.standing_of(signature_request)
    return replace(standing, expires_on=outcomes.last_day_of(text))


def sign(
    actor: Actor,
    signature_request: SignatureRequest,
    *,
    page: SigningPage | None,
    sentence: str,
    language: str,
    identity: Identity,
    key: bytes | None = None,
) -> Signature:
    """Sign for the organisation the person is acting for; the caller has called locked_request().

    page is the one it was read on: raise NotShownError if it showed another text or is too old. key
    decrypts the text if it is encrypted. If this was the last signature, the request is completed
    in the same transaction.
    """
    shown.require_recent(page, signature_request.revision.digest)
    require_as_frozen(signature_request.revision, key)
    policy.is_proven(actor, identity, clock.now()).require()
    standing = standing_of(signature_request, key)
    policy.can_sign_for(actor, standing, clock.today()).require()
    membership = policy.signing_membership(actor)
    if membership is None:  # can_sign_for has already refused
        raise LookupError
    slot, former = slot_as_recorded(actor, signature_request)
    signature = _write(
        signature_request.revision,
        actor,
        SignatureKind.SIGNATURE,
        sentence=sentence,
        language=language,
        identity=identity,
        organisation_id=actor.organisation_id,
        power=membership.power,
        office=membership.office,
        beside={
            **_power_of(membership),
            "on_behalf_of": slot.on_behalf_of or None,
            "in_place_of": accounts.names([former.user_id])[former.user_id] if former else None,
            "in_place_of_id": former.user_id if former else None,
        },
    )
    signed = standing.signed | {(slot.organisation_id, actor.user_id)}
    signature_request.state = signers.state_after(signature_request.state, standing.parties, signed)
    if signature_request.state is RequestState.COMPLETED:
        signature_request.ended_at = clock.now()
    db.session.flush()
    return signature


def sign_as_person(
    actor: Actor, revision: Revision, *, sentence: str, language: str, identity: Identity
) -> Signature:
    """Sign in the person's own name (an undertaking); nobody can sign for somebody else (S11)."""
    policy.is_proven(actor, identity, clock.now()).require()
    return _write(
        revision,
        actor,
        SignatureKind.SIGNATURE,
        sentence=sentence,
        language=language,
        identity=identity,
        organisation_id=None,
    )


def sign_in_presence(
    host: Actor,
    person: Actor,
    revision: Revision,
    *,
    known_by: str,
    sentence: str,
    language: str,
    identity: Identity,
) -> Signature:
    """Let a person without an account sign in their own name on the host's device.

    identity is the host's, who vouches for who signed, and how they knew (known_by).
    """
    policy.is_proven(host, identity, clock.now()).require()
    policy.is_enough_of_a_host(identity).require()
    require_signer_as_recorded(person.user_id, person.name, of=person.organisation_id)
    return _write(
        revision,
        person,
        SignatureKind.SIGNATURE,
        sentence=sentence,
        language=language,
        identity=replace(identity, user_id=person.user_id, method=Method.IN_PRESENCE),
        organisation_id=None,
        beside={
            "presence": {
                "host": str(host.user_id),
                "host_name": host.name,
                "host_for": host.organisation_name,
                "method": identity.method.value,
                "known_by": known_by,
            }
        },
    )


def countersign(
    actor: Actor,
    revision: Revision,
    *,
    signer_id: UUID,
    page: SigningPage | None,
    sentence: str,
    language: str,
    identity: Identity,
    key: bytes | None = None,
) -> Signature:
    """Countersign an undertaking for the NPM, never one's own; page and key as for sign()."""
    shown.require_recent(page, revision.digest)
    require_as_frozen(revision, key)
    policy.is_proven(actor, identity, clock.now()).require()
    policy.can_countersign(actor, signer_id, clock.today()).require()
    membership = policy.deciding_membership(actor, clock.today())
    if membership is None:  # can_countersign has already refused
        raise LookupError
    return _write(
        revision,
        actor,
        SignatureKind.COUNTERSIGNATURE,
        sentence=sentence,
        language=language,
        identity=identity,
        organisation_id=actor.organisation_id,
        power=membership.power,
        office=membership.office,
        beside=_power_of(membership),
    )


def _power_of(membership: ActorMembership) -> dict[str, Any]:
    """Return the days of the power by which somebody signs, and who confirmed it."""
    return {
        "power_confirmed": policy.confirmation_of(membership),
        "power_from": membership.power_from,
        "power_until": membership.power_until,
    }


def decline(
    actor: Actor,
    signature_request: SignatureRequest,
    *,
    page: SigningPage | None,
    reason: str,
    items: Iterable[str],
    key: bytes | None = None,
) -> None:
    """Decline with a reason; signatures given on this revision stay in the history (5.4).

    page is the one it was read on: raise NotShownError if it showed another text. If the revision
    is encrypted, key decrypts it and encrypts the reason, which may quote it.
    """
    shown.require(page, signature_request.revision.digest)
    require_as_frozen(signature_request.revision, key)
    policy.can_decline(actor, standing_of(signature_request, key), clock.today()).require()
    if not reason.strip():
        raise RuleBrokenError(_l("Say why you decline."), "reason")
    _end(actor, signature_request, RequestState.DECLINED, reason.strip(), key)
    signature_request.items = list(items)
    db.session.flush()


def withdraw(
    actor: Actor | None,
    signature_request: SignatureRequest,
    *,
    reason: str,
    key: bytes | None = None,
) -> None:
    """Call a request back with a reason; key as for decline().

    The caller asks its policy. There is no actor if the text came back by itself, for example after
    a party left.
    """
    if signature_request.state is not RequestState.WAITING:
        raise RuleBrokenError(_l("This text is no longer waiting for signatures."))
    if not reason.strip():
        raise RuleBrokenError(_l("Say why you call it back."), "reason")
    _end(actor, signature_request, RequestState.WITHDRAWN, reason.strip(), key)


def expire(signature_request: SignatureRequest, last: dt.date) -> bool:
    """End a request whose last day has passed; False if it has ended, or has days left."""
    if signature_request.state is not RequestState.WAITING or clock.today() <= last:
        return False
    signature_request.state = RequestState.EXPIRED
    signature_request.ended_at = clock.now()
    db.session.flush()
    return True


def overtake(signature_request: SignatureRequest) -> None:
    """End a request that has become moot because the text it would have changed has ended."""
    signature_request.state = RequestState.WITHDRAWN
    signature_request.ended_at = clock.now()
    db.session.flush()


def pass_on(
    actor: Actor,
    signature_request: SignatureRequest,
    holder_id: UUID,
    to_id: UUID,
    *,
    page: SigningPage | None,
    reason: str,
    key: bytes | None = None,
) -> SignatureSlot:
    """Pass on what somebody is to sign to a person with the same power, with a reason (5.5).

    The old slot is kept as history and the new one takes its turn. The caller has called
    locked_request(); page and key as for decline().
    """
    shown.require(page, signature_request.revision.digest)
    require_as_frozen(signature_request.revision, key)
    standing = standing_of(signature_request, key)
    policy.can_pass_on(actor, standing, clock.today(), holder_id).require()
    slot = queries.slot_of(signature_request, actor.organisation_id, holder_id)
    if slot is None:  # can_pass_on has already refused
        raise LookupError
    able = {
        signatory.user_id
        for signatory in accounts.signatories_of(slot.organisation_id, clock.today())
        if signatory.holds_on(clock.today())
    }
    if to_id not in able:
        raise RuleBrokenError(
            _l("Choose a signatory of your organisation with power to sign today."), "person"
        )
    decision = signers.can_pass_on(
        standing.parties,
        standing.signed,
        actor.organisation_id,
        holder_id,
        to_id,
        former=standing.former,
    )
    if not decision:
        raise RuleBrokenError(decision.reason, "person")
    if not reason.strip():
        raise RuleBrokenError(_l("Say why you pass it on."), "reason")
    new = SignatureSlot(
        id=uuid4(),
        request_id=signature_request.id,
        organisation_id=slot.organisation_id,
        user_id=to_id,
        position=slot.position,
        turn=slot.turn,
        on_behalf_of=slot.on_behalf_of,
        stands_for_id=slot.id,
        passed_on_by_id=actor.user_id,
        passed_on_at=clock.now(),
    )
    if signature_request.revision.is_sealed:
        new.sealed_reason = crypto.seal(
            _needed(key, new), reason.strip().encode(), _slot_context(new.id)
        )
    else:
        new.reason = reason.strip()
    db.session.add(new)
    db.session.flush()
    return new


def why_passed_on(slot: SignatureSlot, key: bytes | None) -> str:
    """Return why a slot was passed on, decrypted if it is encrypted."""
    if slot.sealed_reason is None:
        return slot.reason
    return crypto.unseal(_needed(key, slot), slot.sealed_reason, _slot_context(slot.id)).decode()


def _end(
    actor: Actor | None,
    signature_request: SignatureRequest,
    state: RequestState,
    reason: str,
    key: bytes | None,
) -> None:
    if signature_request.revision.is_sealed:
        signature_request.sealed_reason = crypto.seal(
            _needed(key, signature_request), reason.encode(), _reason_context(signature_request)
        )
    else:
        signature_request.reason = reason
    signature_request.state = state
    signature_request.ended_at = clock.now()
    signature_request.ended_by_id = actor.user_id if actor else None
    signature_request.ended_for_id = actor.organisation_id if actor else None
    db.session.flush()


def reason_of(signature_request: SignatureRequest, key: bytes | None) -> str:
    """Return why a request was declined or called back, decrypted if it is encrypted."""
    if signature_request.sealed_reason is None:
        return signature_request.reason
    return crypto.unseal(
        _needed(key, signature_request),
        signature_request.sealed_reason,
        _reason_context(signature_request),
    ).decode()


def _write(  # noqa: PLR0913 -- one row's values
    revision: Revision,
    actor: Actor,
    kind: SignatureKind,
    *,
    sentence: str,
    language: str,
    identity: Identity,
    organisation_id: UUID | None,
    power: str = "",
    office: str = "",
    beside: Mapping[str, Any] | None = None,
) -> Signature:
    policy.is_enough(identity, kind, organisation_id).require()
    policy.is_signed_by(
        identity.method,
        identity.proof,
        revision.digest,
        sentence,
        (beside or {}).get("presence"),
    ).require()
    signature = Signature(
        id=uuid4(),
        revision_id=revision.id,
        kind=kind,
        user_id=actor.user_id,
        organisation_id=organisation_id,
        signer_name=actor.name,
        organisation_name=actor.organisation_name,
        office=office,
        power=power,
        sentence=sentence,
        language=language,
        document_digest=revision.digest,
        method=identity.method,
        signed_at=clock.now(),
        proof=dict(identity.proof) if identity.proof is not None else None,
        **(beside or {}),
    )
    signature.digest = canonical.digest_of(signature.content())
    try:
        with db.session.begin_nested():
            db.session.add(signature)
    except IntegrityError as error:
        raise RuleBrokenError(_l("You have already signed this revision.")) from error
    return signature


def _context(revision_id: UUID) -> str:
    return f"revision:{revision_id}"


def _reason_context(signature_request: SignatureRequest) -> str:
    return f"signature-request:{signature_request.id}"


def _slot_context(slot_id: UUID) -> str:
    return f"signature-place:{slot_id}"
