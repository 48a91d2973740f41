"""Encryption of fields: a random key per cooperation, wrapped by the instance's key."""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tracker.core import keys

NONCE_BYTES = 12
DERIVED_BYTES = 32


class SealBrokenError(Exception):
    """Raised when encrypted bytes were altered or moved, or the key is another one."""


def seal(key: bytes, plain: bytes, context: str) -> bytes:
    """Encrypt bytes, bound to context so that they can't be moved elsewhere."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def unseal(key: bytes, sealed: bytes, context: str) -> bytes:
    """Decrypt what seal() encrypted with the same key and context, or raise SealBrokenError."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:  # ValueError: too short to contain a nonce
        message = f"The encrypted value of {context} can't be read."
        raise SealBrokenError(message) from error


def new_key() -> bytes:
    """Return a fresh random key of 256 bits."""
    return AESGCM.generate_key(bit_length=256)


def wrap(key: bytes, context: str) -> bytes:
    """Encrypt a cooperation's key with the instance's key."""
    return seal(keys.current().fields, key, context)


def unwrap(wrapped: bytes, context: str) -> bytes:
    """Decrypt a cooperation's key."""
    return unseal(keys.current().fields, wrapped, context)


def digest_with(key: bytes, purpose: str, text: str) -> str:
    """Return the HMAC-SHA256 of text under a cooperation's key for one purpose, as hexadecimal."""
    derived = hmac.digest(key, f"common-terms/{purpose}".encode(), hashlib.sha256)
    return hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()


def authenticate(text: str) -> str:
    """Return the HMAC-SHA256 of text under the trail's key, as hexadecimal digits."""
    return hmac.new(keys.current().trail, text.encode(), hashlib.sha256).hexdigest()


def is_authentic(text: str, code: str) -> bool:
    """Return whether a code is the one from authenticate(), compared in constant time."""
    return hmac.compare_digest(authenticate(text).encode(), code.encode())


def authenticate_for(purpose: str, text: str) -> str:
    """Return the HMAC-SHA256 of text under a key for one purpose, as hexadecimal digits.

    The key is derived from the trail's (HKDF, RFC 5869), so a code made for one purpose is of no
    use for another.
    """
    derived = HKDF(SHA256(), DERIVED_BYTES, salt=None, info=f"common-terms/{purpose}".encode())
    key = derived.derive(keys.current().trail)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
