"""One byte form of a value (RFC 8785) and its SHA-256 digest."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

import rfc8785


def to_bytes(value: Mapping[str, Any] | list[Any]) -> bytes:
    """Return the canonical JSON of a value made of plain types; whole numbers only, no floats."""
    return rfc8785.dumps(cast("dict[str, Any]", value))


def from_bytes(data: bytes) -> Any:
    """Read a canonical value back."""
    return json.loads(data)


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes as 64 hexadecimal letters."""
    return hashlib.sha256(data).hexdigest()


def digest_of(value: Mapping[str, Any] | list[Any]) -> str:
    """Return the SHA-256 of a value's canonical form."""
    return digest(to_bytes(value))
