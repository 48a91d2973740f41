"""Encryption of fields: a random key per cooperation, wrapped by the instance's key.

What is written under a key of the instance says by which number; nothing says number 1, since all
values from before keys could be changed are under that.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tracker.core import keys
from tracker.core.errors import UnreadableError
from tracker.core.keys import KeyMissingError

NONCE_BYTES = 12
DERIVED_BYTES = 32
SALT_BYTES = 16
# The cost of each guess at a passphrase: a second, and 256 MB of memory. What is encrypted for one
# can't be decrypted with another.
SCRYPT = {"n": 2**18, "r": 8, "p": 1}


class SealBrokenError(UnreadableError):
    """Raised when encrypted bytes were altered or moved, or the key is another one."""


def seal(key: bytes, plain: bytes, context: str) -> bytes:
    """Encrypt bytes, bound to context so that they can't be moved elsewhere."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def unseal(key: bytes, sealed: bytes, context: str) -> bytes:
    """Decrypt what seal() encrypted with the same key and context, or raise SealBrokenError."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (InvalidTag, TypeError, ValueError) as error:  # text, or too short to contain a nonce
        message = f"The encrypted value of {context} can't be read."
        raise SealBrokenError(message) from error


def seal_for_passphrase(passphrase: str, plain: bytes, context: str) -> bytes:
    """Encrypt bytes for a passphrase, at the same cost however busy the machine is."""
    salt = secrets.token_bytes(SALT_BYTES)
    return salt + seal(_key_of(passphrase, salt), plain, context)


def unseal_for_passphrase(passphrase: str, sealed: bytes, context: str) -> bytes:
    """Decrypt what seal_for_passphrase() encrypted, or raise SealBrokenError."""
    salt, rest = sealed[:SALT_BYTES], sealed[SALT_BYTES:]
    return unseal(_key_of(passphrase, salt), rest, context)


def _key_of(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=DERIVED_BYTES, **SCRYPT).derive(passphrase.encode())


def new_key() -> bytes:
    """Return a fresh random key of 256 bits."""
    return AESGCM.generate_key(bit_length=256)


# Begins what is encrypted under a numbered key of the instance; two bytes with the number follow.
# Before there were numbers a random nonce came first, which never begins like this.
_MARK = b"\0ct-key\0"
_NUMBER_BYTES = 2


class KeyNotThereError(SealBrokenError):
    """Raised when bytes are encrypted under a key of the instance whose file is missing."""


def _as_it_is(key: bytes) -> bytes:
    return key


def field_prefix(number: int) -> bytes:
    """Return how everything begins that is encrypted under the instance's key with a number."""
    return b"" if number == 1 else _MARK + number.to_bytes(_NUMBER_BYTES)


def seal_field(plain: bytes, context: str, derive: Callable[[bytes], bytes] = _as_it_is) -> bytes:
    """Encrypt bytes with the instance's key, or one derived from it, bound to context."""
    own = keys.current()
    return field_prefix(own.number("fields")) + seal(derive(own.fields), plain, context)


def unseal_field(
    sealed: bytes, context: str, derive: Callable[[bytes], bytes] = _as_it_is
) -> bytes:
    """Decrypt what seal_field() encrypted with the same context and derivation.

    Raise SealBrokenError, or KeyNotThereError if the file of its key is missing.
    """
    number = 1
    if sealed.startswith(_MARK):
        end = len(_MARK) + _NUMBER_BYTES
        number, sealed = int.from_bytes(sealed[len(_MARK) : end]), sealed[end:]
    try:
        key = keys.current().numbered("fields", number)
    except KeyMissingError as error:
        raise KeyNotThereError(
            f"The encrypted value of {context} can't be read: {error}"
        ) from error
    return unseal(derive(key), sealed, context)


def wrap(key: bytes, context: str) -> bytes:
    """Encrypt a cooperation's key with the instance's key."""
    return seal_field(key, context)


def unwrap(wrapped: bytes, context: str) -> bytes:
    """Decrypt a cooperation's key."""
    return unseal_field(wrapped, context)


def digest_with(key: bytes, purpose: str, text: str) -> str:
    """Return the HMAC-SHA256 of text under a cooperation's key for one purpose, as hexadecimal."""
    derived = hmac.digest(key, f"common-terms/{purpose}".encode(), hashlib.sha256)
    return hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()


_CODE = re.compile(r"([1-9][0-9]{0,3})\.[A-Za-z0-9_-]{43}")


def code_prefix(number: int) -> str:
    """Return how every code begins that was made under the trail's key with a number."""
    return "" if number == 1 else f"{number}."


def _code(number: int, digest: bytes) -> str:
    """Return a code; one with a number is shorter, since its columns have 64 characters."""
    if number == 1:
        return digest.hex()
    return code_prefix(number) + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _number_of(code: str) -> int:
    match = _CODE.fullmatch(code)
    return int(match[1]) if match else 1


def authenticate(text: str) -> str:
    """Return the HMAC-SHA256 of text under the trail's key, with the key's number from 2."""
    own = keys.current()
    return _code(own.number("trail"), hmac.digest(own.trail, text.encode(), hashlib.sha256))


def is_authentic(text: str, code: str) -> bool:
    """Return whether a code is the one from authenticate(), compared in constant time."""
    return _is_code(code, lambda key: hmac.digest(key, text.encode(), hashlib.sha256))


def authenticate_for(purpose: str, text: str) -> str:
    """Return the HMAC-SHA256 of text under a key for one purpose, otherwise as authenticate().

    The key is derived from the trail's (HKDF, RFC 5869), so a code made for one purpose is of no
    use for another.
    """
    own = keys.current()
    return _code(own.number("trail"), _digest_for(purpose, text, own.trail))


def is_authentic_for(purpose: str, text: str, code: str | None) -> bool:
    """Return whether a code is the one from authenticate_for(), compared in constant time."""
    return code is not None and _is_code(code, lambda key: _digest_for(purpose, text, key))


def require_key_of(code: str) -> None:
    """Raise KeyMissingError if a code was made under a trail key that is not here.

    Whoever continues a chain asks: this process would seal it under an earlier key, and after the
    change of the key nobody could tell that from a forgery.
    """
    keys.current().numbered("trail", _number_of(code))


def _is_code(code: str, digest: Callable[[bytes], bytes]) -> bool:
    number = _number_of(code)
    try:
        key = keys.current().numbered("trail", number)
    except KeyMissingError:
        return False
    return hmac.compare_digest(_code(number, digest(key)).encode(), code.encode())


def _digest_for(purpose: str, text: str, key: bytes) -> bytes:
    derived = HKDF(SHA256(), DERIVED_BYTES, salt=None, info=f"common-terms/{purpose}".encode())
    return hmac.digest(derived.derive(key), text.encode(), hashlib.sha256)
