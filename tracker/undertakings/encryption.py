"""Encryption of what only the person and the NPM's deciders may read."""

from typing import Any
from uuid import UUID

from tracker.cooperations import keys
from tracker.core import canonical, crypto
from tracker.undertakings.facts import Draft
from tracker.undertakings.models import Undertaking
from tracker.undertakings.places import Places

_DECISION = "decision"
_CLOSING = "closing"
_DRAFT = "draft"


def put_draft(undertaking: Undertaking, draft: Draft | None) -> None:
    """Store a person's draft, or delete it."""
    undertaking.sealed_draft = (
        None if draft is None else _seal(undertaking, _DRAFT, draft.to_values())
    )


def draft_of(undertaking: Undertaking) -> Draft:
    """Return a person's draft; an empty one if none was saved."""
    if undertaking.sealed_draft is None:
        return Draft()
    return Draft.from_values(_unseal(undertaking, _DRAFT, undertaking.sealed_draft))


def put_decision(undertaking: Undertaking, reason: str, places: Places | None) -> None:
    """Store the reason for a decision on interests and, with a limit, the places it closes."""
    limit: dict[str, Any] = {"places": places.to_values()} if places else {}
    undertaking.sealed_decision_reason = (
        _seal(undertaking, _DECISION, {"text": reason} | limit) if reason or limit else None
    )


def decision_reason_of(undertaking: Undertaking) -> str:
    """Return the reason for a decision on interests."""
    return _text(undertaking, _DECISION, undertaking.sealed_decision_reason)


def limit_of(undertaking: Undertaking) -> Places | None:
    """Return the places closed by the NPM's limit on what was declared.

    None if there is no limit, or one of the time when places were only written in its reason.
    """
    if undertaking.sealed_decision_reason is None:
        return None
    values = _unseal(undertaking, _DECISION, undertaking.sealed_decision_reason).get("places")
    return Places.from_values(values) if values else None


def put_closing_reason(undertaking: Undertaking, reason: str) -> None:
    """Store why the NPM withdrew the access that an undertaking gave."""
    undertaking.sealed_closing_reason = _seal(undertaking, _CLOSING, {"text": reason})


def closing_reason_of(undertaking: Undertaking) -> str:
    """Return why the NPM withdrew the access that an undertaking gave."""
    return _text(undertaking, _CLOSING, undertaking.sealed_closing_reason)


def _text(undertaking: Undertaking, what: str, sealed: bytes | None) -> str:
    return "" if sealed is None else str(_unseal(undertaking, what, sealed)["text"])


def _seal(undertaking: Undertaking, what: str, value: dict[str, Any]) -> bytes:
    key = keys.key_of(undertaking.cooperation_id)
    return crypto.seal(key, canonical.to_bytes(value), _context(what, undertaking.id))


def _unseal(undertaking: Undertaking, what: str, sealed: bytes) -> dict[str, Any]:
    key = keys.key_of(undertaking.cooperation_id)
    opened = crypto.unseal(key, sealed, _context(what, undertaking.id))
    contents: dict[str, Any] = canonical.from_bytes(opened)
    return contents


def _context(what: str, undertaking_id: UUID) -> str:
    return f"undertaking-{what}:{undertaking_id}"
