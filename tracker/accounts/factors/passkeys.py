"""Passkeys: which origins they work on, what a browser is asked, how its response is verified."""

import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
import webauthn
from flask import current_app
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    bytes_to_base64url,
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from tracker.accounts.factors import binding
from tracker.accounts.models import Passkey, UsedChallenge
from tracker.core import clock, keys
from tracker.core.db import db, delete_batch

# Algorithms that tracker/signoff/assertion.py can verify too.
ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
# How long a browser waits for its user, in milliseconds.
PATIENCE = 5 * 60 * 1000
# How long an answered challenge is kept: longer than any is valid.
KEPT = dt.timedelta(hours=1)
_PORTS = {"http": 80, "https": 443}
# What the library raises for malformed input.
_UNREADABLE = (
    WebAuthnException,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    RecursionError,
)


class NoAnswerError(Exception):
    """Raised when the input is not this passkey's response to this challenge."""


class UsedAnswerError(NoAnswerError):
    """Raised when the challenge was already answered."""


class OtherPersonError(NoAnswerError):
    """Raised when the passkey belongs to somebody else."""


class CountFellBackError(Exception):
    """Raised when a passkey's counter went backwards: it may have been cloned."""

    def __init__(self, passkey_id: UUID) -> None:
        super().__init__(passkey_id)
        self.passkey_id = passkey_id


@dataclass(frozen=True, slots=True)
class PasskeyOrigin:
    """Where passkeys of this instance work: its host name (RP ID) and origin."""

    host: str
    origin: str


# Origins and challenges ---------------------------------------------------------------------------


def own_origin() -> PasskeyOrigin:
    """Return the origin of this instance's passkeys: the address that people type."""
    parts = urlsplit(current_app.extensions["settings"].base_url)
    host = parts.hostname or ""
    port = "" if parts.port in {None, _PORTS[parts.scheme]} else f":{parts.port}"
    return PasskeyOrigin(host, f"{parts.scheme}://{host}{port}")


def are_possible() -> bool:
    """Return whether browsers allow passkeys here: a host name, over https or on localhost."""
    here = own_origin()
    try:
        ipaddress.ip_address(here.host)
    except ValueError:
        return here.origin.startswith("https:") or here.host == "localhost"
    return False


def bound_challenge(purpose: str, person: str, length: int | None = None) -> str:
    """Return a new challenge for a purpose and a person (empty: anybody)."""
    nonce = secrets.token_urlsafe(length)
    return f"{nonce}.{_bond(purpose, person, nonce)}"


def is_bound(challenge: str, purpose: str, person: str) -> bool:
    """Return whether a challenge was made for this purpose and this person."""
    nonce, _dot, bond = challenge.partition(".")
    return hmac.compare_digest(bond, _bond(purpose, person, nonce))


def _bond(purpose: str, person: str, nonce: str) -> str:
    text = f"passkey|{purpose}|{person}|{nonce}".encode()
    return hmac.new(keys.current().secret, text, hashlib.sha256).hexdigest()


# Parsing ------------------------------------------------------------------------------------------


def read_new(text: str) -> RegistrationCredential:
    """Parse a new passkey as the browser sent it, or raise NoAnswerError."""
    try:
        return parse_registration_credential_json(text)
    except _UNREADABLE as error:
        raise NoAnswerError from error


def read(text: str) -> AuthenticationCredential:
    """Parse a response as the browser sent it, or raise NoAnswerError."""
    try:
        return parse_authentication_credential_json(text)
    except _UNREADABLE as error:
        raise NoAnswerError from error


def find(credential_id: bytes) -> Passkey | None:
    """Return a passkey with its owner by its credential id."""
    return db.session.scalar(
        sa.select(Passkey)
        .where(Passkey.credential_id == credential_id)
        .options(joinedload(Passkey.user))
    )


def usable(user_id: UUID) -> list[Passkey]:
    """Return the passkeys that a person can use."""
    return list(
        db.session.scalars(
            sa.select(Passkey)
            .where(Passkey.user_id == user_id, Passkey.set_aside_at.is_(None))
            .order_by(Passkey.created_at)
        )
    )


def descriptors(passkeys: Iterable[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    """Return the descriptors that tell a browser which passkeys may be used."""
    known = {transport.value for transport in AuthenticatorTransport}
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id,
            transports=[AuthenticatorTransport(way) for way in passkey.transports if way in known],
        )
        for passkey in passkeys
    ]


def options(passkeys: Iterable[Passkey], challenge: bytes) -> dict[str, Any]:
    """Return the request options for having one of these passkeys answer a challenge."""
    challenge_options = webauthn.generate_authentication_options(
        rp_id=own_origin().host,
        challenge=challenge,
        timeout=PATIENCE,
        allow_credentials=descriptors(passkeys),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    options: dict[str, Any] = options_to_json_dict(challenge_options)
    return options


# Verification -------------------------------------------------------------------------------------


def verify_new(sent: RegistrationCredential, challenge: bytes) -> VerifiedRegistration:
    """Return a new passkey that answered the challenge here, or raise NoAnswerError.

    Its device must have verified its user (PIN, finger, face): passkeys that can't are not
    accepted.
    """
    here = own_origin()
    try:
        verified = webauthn.verify_registration_response(
            credential=sent,
            expected_challenge=challenge,
            expected_rp_id=here.host,
            expected_origin=here.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except _UNREADABLE as error:
        raise NoAnswerError from error
    _refuse_frames(sent.response.client_data_json)
    if find(sent.raw_id) is not None:
        raise NoAnswerError
    _use_up(challenge)
    return verified


def verify(
    passkey: Passkey, sent: AuthenticationCredential, challenge: bytes
) -> VerifiedAuthentication:
    """Verify a passkey's response to the challenge, record its use, and return it.

    The challenge is used up and the counter stored in the caller's transaction. Raises
    NoAnswerError, or CountFellBackError: roll the transaction back then.
    """
    here, named = own_origin(), sent.response.user_handle
    if passkey.set_aside_at is not None:
        raise NoAnswerError
    if named and named != (passkey.user.fs_webauthn_user_handle or "").encode():
        raise NoAnswerError
    try:
        verified = webauthn.verify_authentication_response(
            credential=sent,
            expected_challenge=challenge,
            expected_rp_id=here.host,
            expected_origin=here.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # compared below, in the database
            require_user_verification=True,
        )
    except _UNREADABLE as error:
        raise NoAnswerError from error
    _refuse_frames(sent.response.client_data_json)
    binding.hold_for_use(passkey.user_id)
    _use_up(challenge)
    _take_count(passkey, verified)
    return verified


def assertion_of(passkey: Passkey, sent: AuthenticationCredential) -> dict[str, str]:
    """Return a verified response with the public key, as a signature stores it (base64url)."""
    return {
        "credential_id": bytes_to_base64url(passkey.credential_id),
        "public_key": bytes_to_base64url(passkey.public_key),
        "authenticator_data": bytes_to_base64url(sent.response.authenticator_data),
        "client_data_json": bytes_to_base64url(sent.response.client_data_json),
        "signature": bytes_to_base64url(sent.response.signature),
    }


def forget_used() -> int:
    """Delete a batch of challenges too old to be answered (db.delete_batch); for the worker."""
    return delete_batch(UsedChallenge.digest, UsedChallenge.at < clock.now() - KEPT)


def _refuse_frames(client_data_json: bytes) -> None:
    """Refuse a response given within another site's page."""
    if json.loads(client_data_json).get("crossOrigin", False) is not False:
        raise NoAnswerError


def _use_up(challenge: bytes) -> None:
    """Record a challenge as answered; of two simultaneous responses only one succeeds."""
    digest = hashlib.sha256(challenge).hexdigest()
    try:
        with db.session.begin_nested():
            db.session.execute(sa.insert(UsedChallenge).values(digest=digest, at=clock.now()))
    except IntegrityError as error:
        raise UsedAnswerError from error


def _take_count(passkey: Passkey, verified: VerifiedAuthentication) -> None:
    """Store the device's counter; of two responses with the same count only one succeeds.

    Synced passkeys don't count: their counter is always 0.
    """
    count = verified.new_sign_count
    grows = Passkey.sign_count < count if count else Passkey.sign_count == 0
    taken = db.session.execute(
        sa.update(Passkey)
        .where(Passkey.id == passkey.id, Passkey.set_aside_at.is_(None), grows)
        .values(
            sign_count=count,
            lastuse_datetime=clock.now(),
            backup_state=verified.credential_backed_up,
        )
        .returning(Passkey.id)
        .execution_options(synchronize_session=False)
    ).first()
    if taken is None:
        if not _works(passkey.id):
            raise NoAnswerError
        raise CountFellBackError(passkey.id)
    db.session.refresh(passkey, ["sign_count", "lastuse_datetime", "backup_state"])


def _works(passkey_id: UUID) -> bool:
    """Return whether a passkey has been neither removed nor disabled meanwhile."""
    working = sa.exists().where(Passkey.id == passkey_id, Passkey.set_aside_at.is_(None))
    return bool(db.session.scalar(sa.select(working)))
