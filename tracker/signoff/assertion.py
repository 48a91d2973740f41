"""What a passkey signs (text, sentence and nonce), and whether its signature is valid. Pure.

Nothing is needed but what a signature keeps: no database, no instance, no network. The values of a
proof are base64url without padding, but for the nonce, which is hexadecimal.
"""

import base64
import binascii
import enum
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from tracker.core import canonical

USE = "common-terms/sign/1"
# What a proof holds: which passkey, its public key (COSE), what the device said and signed.
KEYS = (
    "credential_id",
    "public_key",
    "authenticator_data",
    "client_data_json",
    "signature",
    "nonce",
)
# The device's data (WebAuthn, section 6.1): digest of the place, flags, count.
_PLACE, _FLAGS, _LEAST = slice(0, 32), 32, 37
_PRESENT, _VERIFIED = 0x01, 0x04
# Labels of a COSE key (RFC 9052, section 7; RFC 9053, section 7), and the curves meant.
_KIND, _ALGORITHM, _CURVE, _X, _Y = 1, 3, -1, -2, -3
_RSA_N, _RSA_E = -1, -2
_P256, _ED25519 = 1, 6
_NONCE = re.compile(r"[0-9a-f]{32,128}")

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


class Flaw(enum.StrEnum):
    """Why a proof does not hold."""

    INCOMPLETE = "incomplete"
    OTHER_TEXT = "other_text"
    OTHER_ACT = "other_act"
    OTHER_PLACE = "other_place"
    NOT_VERIFIED = "not_verified"
    NOT_SIGNED = "not_signed"


@dataclass(frozen=True, slots=True)
class _Read:
    """A proof as values."""

    key: PublicKey
    authenticator_data: bytes
    client_data_json: bytes
    client_data: Mapping[str, Any]
    signature: bytes
    nonce: str


def challenge(document_digest: str, sentence: str, nonce: str) -> bytes:
    """Return what a passkey is asked to sign for a text and a sentence, 32 bytes.

    nonce is random and hexadecimal, so that nobody is ever asked for the same twice.
    """
    asked = {"use": USE, "document": document_digest, "sentence": sentence, "nonce": nonce}
    return hashlib.sha256(canonical.to_bytes(asked)).digest()


def flaw(proof: object, *, document_digest: str, sentence: str) -> Flaw | None:
    """Tell why a proof is none for this text and sentence; None when it holds.

    It holds when the device that holds the key, in the hand of the person it has verified, signed
    the challenge of this text, this sentence and the nonce, at the place that it names.
    """
    try:
        read = _read(proof)
    except (ValueError, TypeError, KeyError, RecursionError):
        return Flaw.INCOMPLETE
    said, flags = read.client_data, read.authenticator_data[_FLAGS]
    if said.get("challenge") != encode(challenge(document_digest, sentence, read.nonce)):
        return Flaw.OTHER_TEXT
    if said.get("type") != "webauthn.get" or said.get("crossOrigin", False) is not False:
        return Flaw.OTHER_ACT
    if read.authenticator_data[_PLACE] != hashlib.sha256(_host(said).encode()).digest():
        return Flaw.OTHER_PLACE
    if not flags & _PRESENT or not flags & _VERIFIED:
        return Flaw.NOT_VERIFIED
    signed = read.authenticator_data + hashlib.sha256(read.client_data_json).digest()
    return None if _is_signed(read.key, read.signature, signed) else Flaw.NOT_SIGNED


def encode(data: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: object) -> bytes:
    """Read base64url without padding, in its one form; raise ValueError for anything else."""
    if not isinstance(text, str):
        raise TypeError("not text")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if encode(data) != text:
        raise ValueError("not in the one form of base64url")
    return data


def public_key(cose: bytes) -> PublicKey:
    """Read a public key in the form of COSE (RFC 9052): ES256, EdDSA or RS256.

    Raise ValueError or KeyError for any other.
    """
    values = _cbor_map(cose)
    match values[_KIND], values[_ALGORITHM]:
        case (2, -7):
            point = b"\x04" + _bytes(values[_X]) + _bytes(values[_Y])
            return ec.EllipticCurvePublicKey.from_encoded_point(_curve(values[_CURVE]), point)
        case (1, -8) if values[_CURVE] == _ED25519:
            return ed25519.Ed25519PublicKey.from_public_bytes(_bytes(values[_X]))
        case (3, -257):
            exponent, modulus = _bytes(values[_RSA_E]), _bytes(values[_RSA_N])
            return rsa.RSAPublicNumbers(
                int.from_bytes(exponent), int.from_bytes(modulus)
            ).public_key()
    raise ValueError("not a key of a kind known here")


def _curve(number: object) -> ec.EllipticCurve:
    if number != _P256:
        raise ValueError("not the curve P-256")
    return ec.SECP256R1()


def _read(proof: object) -> _Read:
    if not isinstance(proof, Mapping) or set(proof) != set(KEYS):
        raise ValueError("not the values of a proof")
    nonce, said = proof["nonce"], decode(proof["client_data_json"])
    device = decode(proof["authenticator_data"])
    client_data = json.loads(said)
    if not isinstance(client_data, dict) or len(device) < _LEAST or not _NONCE.fullmatch(nonce):
        raise ValueError("not what a device and a browser say")
    if not decode(proof["credential_id"]):
        raise ValueError("not the name of a passkey")
    return _Read(
        key=public_key(decode(proof["public_key"])),
        authenticator_data=device,
        client_data_json=said,
        client_data=client_data,
        signature=decode(proof["signature"]),
        nonce=nonce,
    )


def _host(client_data: Mapping[str, Any]) -> str:
    """Return the name of the place that the browser says it was at."""
    origin = client_data.get("origin")
    try:
        return urlsplit(origin).hostname or "" if isinstance(origin, str) else ""
    except ValueError:
        return ""


def _is_signed(key: PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, signed, ec.ECDSA(SHA256()))
            case ed25519.Ed25519PublicKey():
                key.verify(signature, signed)
            case rsa.RSAPublicKey():
                key.verify(signature, signed, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


# The little of CBOR (RFC 8949) that a COSE key is written in -------------------------------------


def _cbor_map(data: bytes) -> dict[object, object]:
    """Read one map of whole numbers, bytes and texts, and nothing after it."""
    kind, count, at = _cbor_head(data, 0)
    if kind != _MAP:
        raise ValueError("not a map")
    found: dict[object, object] = {}
    for _ in range(count):
        key, at = _cbor_value(data, at)
        found[key], at = _cbor_value(data, at)
    if at != len(data) or len(found) != count:
        raise ValueError("not one map, each key once")
    return found


_NUMBER, _NEGATIVE, _BYTES, _TEXT, _MAP = 0, 1, 2, 3, 5
_IN_PLACE, _WIDEST = 24, 27


def _cbor_value(data: bytes, at: int) -> tuple[object, int]:
    kind, size, at = _cbor_head(data, at)
    if kind == _NUMBER:
        return size, at
    if kind == _NEGATIVE:
        return -1 - size, at
    part = data[at : at + size]
    if kind not in {_BYTES, _TEXT} or len(part) < size:
        raise ValueError("not a value of a key")
    return part if kind == _BYTES else part.decode(), at + size


def _cbor_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return the kind of what begins here, its number or size, and where it goes on."""
    first = data[at : at + 1]
    if not first or first[0] & 31 > _WIDEST:
        raise ValueError("cut off, or of a size that is not told")
    kind, info = first[0] >> 5, first[0] & 31
    if info < _IN_PLACE:
        return kind, info, at + 1
    width = 1 << (info - _IN_PLACE)
    wide = data[at + 1 : at + 1 + width]
    if len(wide) < width:
        raise ValueError("cut off")
    return kind, int.from_bytes(wide), at + 1 + width


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("not bytes")
    return value
