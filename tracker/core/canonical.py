"""The canonical byte form of a value (RFC 8785) and its SHA-256 digest."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

import rfc8785

# How many lists and objects may be nested in bytes from outside: without a limit that is stated, it
# would depend on the program, and on where in it the bytes are read.
DEEPEST = 100
# The largest whole number with exactly one form (RFC 8785, section 3.2.2.3).
_MOST = 2**53 - 1
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


class NotCanonicalError(ValueError):
    """Raised for bytes that are not JSON, or not in its canonical form."""


def to_bytes(value: Mapping[str, Any] | list[Any]) -> bytes:
    """Return the canonical JSON of a value of plain types; whole numbers only.

    Raise NotCanonicalError for a fraction: the RFC gives it a form, but other programs that read
    our formats need not know it.
    """
    if _is_plain(value):  # then the standard library writes the same bytes, several times as fast
        return _encode(value).encode()
    if _has_fraction(value):
        raise NotCanonicalError("It contains a fraction; only whole numbers are allowed.")
    return rfc8785.dumps(cast("dict[str, Any]", value))


def from_bytes(data: bytes) -> Any:
    """Parse canonical bytes that this application wrote."""
    return json.loads(data)


def from_strange_bytes(data: bytes) -> Any:
    """Parse bytes from outside; raise NotCanonicalError if not canonical, or nested too deeply."""
    try:
        value = json.loads(data)
        is_canonical = not _is_too_deep(value, data) and to_bytes(value) == data
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise NotCanonicalError("It isn't JSON that has a canonical form.") from error
    if not is_canonical:
        raise NotCanonicalError("It isn't in its canonical form, or nested too deeply.")
    return value


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest_of(value: Mapping[str, Any] | list[Any]) -> str:
    """Return the SHA-256 of a value's canonical form."""
    return digest(to_bytes(value))


def _is_too_deep(value: object, data: bytes) -> bool:
    if data.count(b"[") + data.count(b"{") <= DEEPEST:
        return False
    level = [value]
    for _depth in range(DEEPEST):
        level = [
            entry
            for around in level
            if isinstance(around, dict | list)
            for entry in (around.values() if isinstance(around, dict) else around)
        ]
    return any(isinstance(entry, dict | list) for entry in level)


def _is_plain(value: object) -> bool:
    """Return whether a value has no fractions, no large numbers and only ASCII names.

    Names in other scripts are sorted by UTF-16 units, which the standard library can't do.
    """
    if isinstance(value, str) or value is None or value is True or value is False:
        return True
    if isinstance(value, dict):
        for key, entry in value.items():
            if not (isinstance(key, str) and key.isascii()):
                return False
            # Most are texts: without a call for each it takes half the time.
            if not (isinstance(entry, str) or _is_plain(entry)):
                return False
        return True
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return type(value) is int and -_MOST <= value <= _MOST


def _has_fraction(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_fraction, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_fraction, value))
    return isinstance(value, float)
