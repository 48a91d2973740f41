"""Encryption of what a person adds about their copies, and of the NPM's reason for an exception."""

from typing import Any

from tracker.closing.models import MaterialReturn
from tracker.cooperations import keys
from tracker.core import canonical, crypto


def put_words(request: MaterialReturn, words: str) -> None:
    """Store text that was added, encrypted."""
    if not words:
        request.sealed_words = None
        return
    key = keys.key_of(request.cooperation_id)
    request.sealed_words = crypto.seal(key, canonical.to_bytes({"text": words}), _context(request))


def words_of(request: MaterialReturn) -> str:
    """Return text that was added; empty if there is none."""
    if request.sealed_words is None:
        return ""
    key = keys.key_of(request.cooperation_id)
    contents: dict[str, Any] = canonical.from_bytes(
        crypto.unseal(key, request.sealed_words, _context(request))
    )
    return str(contents["text"])


def _context(request: MaterialReturn) -> str:
    return f"material-return:{request.id}"
