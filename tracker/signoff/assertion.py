"""What a passkey signs (texts, sentences and a nonce), and whether its signature is valid. Pure.

Verification needs only what a signature stores: no database, no instance, no network. The values of
a proof are base64url without padding, except for the nonce and the entries, which are hexadecimal.

A response for several texts covers a list with an entry for each: the digest of its text and
sentence. Each signature keeps the whole list, which tells nothing about the other texts: texts
contain a random salt, and the list is filled up with random entries, so that nobody can tell how
many there were.

webauthn parses the key (COSE) and verifies the signature. What the browser and the device say is
checked here: the library's verification of a whole response needs a counter that a proof doesn't
have, raises the same exception for every flaw, and ignores crossOrigin. It also accepts more kinds
of keys than a proof may have (docs/evidence-format.md), so public_key() refuses the others.
"""

import base64
import binascii
import enum
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from webauthn.helpers import (
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    encode_cbor,
    parse_cbor,
    verify_signature,
)
from webauthn.helpers.cose import COSECRV, COSEKTY, COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey
from webauthn.helpers.exceptions import WebAuthnException

from tracker.core import canonical

USE = "common-terms/sign/1"
LIST_USE = "common-terms/sign-list/1"
# The entries of each list: most of them random where only a few texts are signed.
LENGTH = 20
# The parts of a proof: the credential id, its public key (COSE), what the device said and signed.
KEYS = (
    "credential_id",
    "public_key",
    "authenticator_data",
    "client_data_json",
    "signature",
    "nonce",
)
# Where several texts were signed by one response: the entries, ascending, with spaces between them.
ENTRIES = "entries"
# The authenticator data (WebAuthn, section 6.1): digest of the RP ID, flags, counter.
_PLACE, _FLAGS, _LEAST = slice(0, 32), 32, 37
_PRESENT, _VERIFIED = 0x01, 0x04
# The number of bytes of a coordinate on the curve P-256.
_COORDINATE = 32
_NONCE = re.compile(r"[0-9a-f]{32,128}")
_ENTRIES = re.compile(rf"[0-9a-f]{{64}}(?: [0-9a-f]{{64}}){{{LENGTH - 1}}}")

# The kinds of keys that a proof may have, and the one signature algorithm of each.
_ALGORITHM_OF = {
    COSEKTY.EC2: COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEKTY.OKP: COSEAlgorithmIdentifier.EDDSA,
    COSEKTY.RSA: COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
}
ALGORITHMS = frozenset(_ALGORITHM_OF.values())


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public key of a passkey, and its algorithm."""

    key: PublicKeyTypes
    algorithm: COSEAlgorithmIdentifier


class Flaw(enum.StrEnum):
    """Why a proof is not valid."""

    INCOMPLETE = "incomplete"
    OTHER_TEXT = "other_text"
    OTHER_ACT = "other_act"
    OTHER_PLACE = "other_place"
    NOT_VERIFIED = "not_verified"
    NOT_SIGNED = "not_signed"


@dataclass(frozen=True, slots=True)
class _Read:
    """A proof as parsed values."""

    key: PublicKey
    authenticator_data: bytes
    client_data_json: bytes
    client_data: Mapping[str, Any]
    signature: bytes
    nonce: str
    # Empty if one text was signed.
    entries: Sequence[str]


def challenge(document_digest: str, sentence: str, nonce: str) -> bytes:
    """Return the 32-byte challenge a passkey signs for a text and a sentence.

    nonce is random and hexadecimal, so that no challenge is ever used twice.
    """
    parts = {"use": USE, "document": document_digest, "sentence": sentence, "nonce": nonce}
    return hashlib.sha256(canonical.to_bytes(parts)).digest()


def entry(document_digest: str, sentence: str) -> str:
    """Return the entry of a text and its sentence in a list, in hexadecimal."""
    return canonical.digest_of({"document": document_digest, "sentence": sentence})


def challenge_of_list(entries: Sequence[str], nonce: str) -> bytes:
    """Return the 32-byte challenge a passkey signs for the texts of a list."""
    parts = {"use": LIST_USE, "entries": list(entries), "nonce": nonce}
    return hashlib.sha256(canonical.to_bytes(parts)).digest()


def flaw(proof: object, *, document_digest: str, sentence: str) -> Flaw | None:
    """Return why a proof is not valid for this text and sentence, or None if it is.

    It is valid if the device with the key verified its user and signed the challenge for this text,
    this sentence and the nonce, or for a list that contains them, at the origin it names.
    """
    try:
        read = _read(proof)
    except (ValueError, TypeError, KeyError, RecursionError, WebAuthnException):
        return Flaw.INCOMPLETE
    client_data, flags = read.client_data, read.authenticator_data[_FLAGS]
    signed_challenge = _challenge_of(read, document_digest, sentence)
    if signed_challenge is None or client_data.get("challenge") != bytes_to_base64url(
        signed_challenge
    ):
        return Flaw.OTHER_TEXT
    if (
        client_data.get("type") != "webauthn.get"
        or client_data.get("crossOrigin", False) is not False
    ):
        return Flaw.OTHER_ACT
    host = _host(client_data)
    if not host or read.authenticator_data[_PLACE] != hashlib.sha256(host.encode()).digest():
        return Flaw.OTHER_PLACE
    if not flags & _PRESENT or not flags & _VERIFIED:
        return Flaw.NOT_VERIFIED
    signed = read.authenticator_data + hashlib.sha256(read.client_data_json).digest()
    return None if _is_signed(read.key, read.signature, signed) else Flaw.NOT_SIGNED


def decode(text: object) -> bytes:
    """Decode base64url without padding, in its only form; raise ValueError for anything else."""
    if not isinstance(text, str):
        raise TypeError("not text")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if bytes_to_base64url(data) != text:
        raise ValueError("not in the one form of base64url")
    return data


def public_key(cose: bytes) -> PublicKey:
    """Parse a COSE public key (RFC 9052): ES256 on P-256, Ed25519 or RS256.

    Raise ValueError, TypeError, KeyError or WebAuthnException for any other.
    """
    values = parse_cbor(cose)
    if not isinstance(values, dict) or encode_cbor(values) != cose:
        raise ValueError("not one map in the shortest form")
    if any(type(part) not in {int, bytes, str} for pair in values.items() for part in pair):
        raise ValueError("not the values of a key")
    read = decode_credential_public_key(cose)
    if _ALGORITHM_OF.get(read.kty) != read.alg or (
        isinstance(read, DecodedEC2PublicKey) and not _is_p256(read)
    ):
        raise ValueError("not a key of a kind known here")
    return PublicKey(decoded_public_key_to_cryptography(read), read.alg)


def _is_p256(key: DecodedEC2PublicKey) -> bool:
    return key.crv == COSECRV.P256 and len(key.x) == len(key.y) == _COORDINATE


def _challenge_of(read: _Read, document_digest: str, sentence: str) -> bytes | None:
    """Return the challenge that was to be signed; None if the text isn't in the list."""
    if not read.entries:
        return challenge(document_digest, sentence, read.nonce)
    if entry(document_digest, sentence) not in read.entries:
        return None
    return challenge_of_list(read.entries, read.nonce)


def _entries_of(proof: Mapping[str, Any]) -> Sequence[str]:
    if ENTRIES not in proof:
        return ()
    if not _ENTRIES.fullmatch(proof[ENTRIES]):
        raise ValueError("not the entries of a list")
    entries: list[str] = proof[ENTRIES].split()
    if entries != sorted(set(entries)):
        raise ValueError("not in the one order, or twice the same")
    return entries


def _read(proof: object) -> _Read:
    if not isinstance(proof, Mapping) or set(proof) - {ENTRIES} != set(KEYS):
        raise ValueError("not the values of a proof")
    nonce, client_text = proof["nonce"], decode(proof["client_data_json"])
    device = decode(proof["authenticator_data"])
    client_data = json.loads(client_text)
    if not isinstance(client_data, dict) or len(device) < _LEAST or not _NONCE.fullmatch(nonce):
        raise ValueError("not what a device and a browser say")
    if not decode(proof["credential_id"]):
        raise ValueError("not the name of a passkey")
    return _Read(
        key=public_key(decode(proof["public_key"])),
        authenticator_data=device,
        client_data_json=client_text,
        client_data=client_data,
        signature=decode(proof["signature"]),
        nonce=nonce,
        entries=_entries_of(proof),
    )


def _host(client_data: Mapping[str, Any]) -> str:
    """Return the host of the origin that the browser reports; empty where it is none.

    Browsers report names in other scripts in their ASCII form.
    """
    origin = client_data.get("origin")
    try:
        host = urlsplit(origin).hostname or "" if isinstance(origin, str) else ""
    except ValueError:
        return ""
    return host if host.isascii() else ""


def _is_signed(key: PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        verify_signature(
            public_key=key.key,
            signature_alg=key.algorithm,
            signature=signature,
            data=signed,
        )
    except InvalidSignature:
        return False
    return True
