"""Passkeys: which origins they work on, what a browser is asked, how its answer is checked."""

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

from tracker.accounts.models import Passkey, UsedChallenge
from tracker.core import clock, keys
from tracker.core.db import db, delete_batch

# Signatures that tracker/signoff/assertion.py can verify too.
ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
# How long a browser waits for its person, in thousandths of a second.
PATIENCE = 5 * 60 * 1000
# How long an answered challenge is kept: longer than any is good for.
KEPT = dt.timedelta(hours=1)
_PORTS = {"http": 80, "https": 443}
# What the library raises for what is no answer of a browser.
_UNREADABLE = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError)


class NoAnswerError(Exception):
    """What was sent is no answer of this passkey to this challenge."""


class UsedAnswerError(NoAnswerError):
    """The challenge was answered already."""


class OtherPersonError(NoAnswerError):
    """The passkey is not one of the person who is asked."""


class CountFellBackError(Exception):
    """The passkey's device has signed less often than before: there may be two of it."""

    def __init__(self, passkey_id: UUID) -> None:
        super().__init__(passkey_id)
        self.passkey_id = passkey_id


@dataclass(frozen=True, slots=True)
class PasskeyOrigin:
    """Where passkeys belong: the name of the instance's host, and its origin."""

    host: str
    origin: str


# Where, and for whom -----------------------------------------------------------------------------


def own_origin() -> PasskeyOrigin:
    """Return where passkeys of this instance belong: the address that people type."""
    parts = urlsplit(current_app.extensions["settings"].base_url)
    host = parts.hostname or ""
    port = "" if parts.port in {None, _PORTS[parts.scheme]} else f":{parts.port}"
    return PasskeyOrigin(host, f"{parts.scheme}://{host}{port}")


def are_possible() -> bool:
    """Tell whether browsers allow passkeys here: by name, over https or on the same machine."""
    here = own_origin()
    try:
        ipaddress.ip_address(here.host)
    except ValueError:
        return here.origin.startswith("https:") or here.host == "localhost"
    return False


def bound_challenge(purpose: str, person: str, length: int | None = None) -> str:
    """Return a new challenge for a purpose and a person (empty: whoever answers)."""
    nonce = secrets.token_urlsafe(length)
    return f"{nonce}.{_bond(purpose, person, nonce)}"


def is_bound(challenge: str, purpose: str, person: str) -> bool:
    """Tell whether a challenge was made for this purpose and this person."""
    nonce, _dot, bond = challenge.partition(".")
    return hmac.compare_digest(bond, _bond(purpose, person, nonce))


def _bond(purpose: str, person: str, nonce: str) -> str:
    text = f"passkey|{purpose}|{person}|{nonce}".encode()
    return hmac.new(keys.current().secret, text, hashlib.sha256).hexdigest()


# What was sent -----------------------------------------------------------------------------------


def read_new(text: str) -> RegistrationCredential:
    """Read a new passkey as the browser sent it; raise NoAnswerError when it is none."""
    try:
        return parse_registration_credential_json(text)
    except _UNREADABLE as error:
        raise NoAnswerError from error


def read(text: str) -> AuthenticationCredential:
    """Read an answer as the browser sent it; raise NoAnswerError when it is none."""
    try:
        return parse_authentication_credential_json(text)
    except _UNREADABLE as error:
        raise NoAnswerError from error


def find(credential_id: bytes) -> Passkey | None:
    """Return a passkey with its person, by what the browser calls it."""
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
    """Return the passkeys to choose from, in the form browsers expect."""
    known = {transport.value for transport in AuthenticatorTransport}
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id,
            transports=[AuthenticatorTransport(way) for way in passkey.transports if way in known],
        )
        for passkey in passkeys
    ]


def options(passkeys: Iterable[Passkey], challenge: bytes) -> dict[str, Any]:
    """Return what a browser is asked, to have a challenge answered by one of these passkeys."""
    challenge_options = webauthn.generate_authentication_options(
        rp_id=own_origin().host,
        challenge=challenge,
        timeout=PATIENCE,
        allow_credentials=descriptors(passkeys),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    options: dict[str, Any] = options_to_json_dict(challenge_options)
    return options


# Whether it holds --------------------------------------------------------------------------------


def verify_new(sent: RegistrationCredential, challenge: bytes) -> VerifiedRegistration:
    """Return a new passkey that answers the challenge here; raise NoAnswerError otherwise.

    Its device has verified the person (PIN, finger, face): passkeys that can't are not taken.
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
    """Return what a passkey has answered to the challenge, and note its use.

    The challenge is used up and the count taken in the caller's transaction. Raises NoAnswerError,
    or CountFellBackError: give the transaction up then.
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
    _use_up(challenge)
    _take_count(passkey, verified)
    return verified


def assertion_of(passkey: Passkey, sent: AuthenticationCredential) -> dict[str, str]:
    """Return a verified answer with the public key, as a signature keeps it (base64url)."""
    return {
        "credential_id": bytes_to_base64url(passkey.credential_id),
        "public_key": bytes_to_base64url(passkey.public_key),
        "authenticator_data": bytes_to_base64url(sent.response.authenticator_data),
        "client_data_json": bytes_to_base64url(sent.response.client_data_json),
        "signature": bytes_to_base64url(sent.response.signature),
    }


def forget_used() -> int:
    """Forget some of the challenges too old to be answered (db.delete_batch); for the worker."""
    return delete_batch(UsedChallenge.digest, UsedChallenge.at < clock.now() - KEPT)


def _refuse_frames(client_data_json: bytes) -> None:
    """An answer given inside another site's page is none."""
    if json.loads(client_data_json).get("crossOrigin", False) is not False:
        raise NoAnswerError


def _use_up(challenge: bytes) -> None:
    """Mark a challenge as answered; of two concurrent answers only one succeeds."""
    digest = hashlib.sha256(challenge).hexdigest()
    try:
        with db.session.begin_nested():
            db.session.execute(sa.insert(UsedChallenge).values(digest=digest, at=clock.now()))
    except IntegrityError as error:
        raise UsedAnswerError from error


def _take_count(passkey: Passkey, verified: VerifiedAuthentication) -> None:
    """Note the count of the device; of two answers with one count only one gets it.

    Passkeys that are kept in several devices don't count: theirs is always 0.
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
        raise CountFellBackError(passkey.id)
    db.session.refresh(passkey, ["sign_count", "lastuse_datetime", "backup_state"])
