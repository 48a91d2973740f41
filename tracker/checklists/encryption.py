"""Encryption of answers of class K2 to K7 with the cooperation's key; K8 stays in plain text."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa

from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import (
    Answer,
    Checklist,
    Draft,
    Position,
    Proposal,
)
from tracker.cooperations import keys
from tracker.core import canonical, crypto


class WithReason(Protocol):
    """A row with the words of a reason, or its columns alone."""

    @property
    def id(self) -> UUID:
        """Its id, to which the encrypted words are bound."""

    @property
    def reason(self) -> str | None:
        """The words, where they stand in plain text."""

    @property
    def sealed_reason(self) -> bytes | None:
        """The words, encrypted."""


def is_restricted(checklist: Checklist) -> bool:
    """Tell whether a checklist holds planning of a visit (class K2): roles, and a visit's plan."""
    return is_planning(checklist.kind, checklist.visit_id)


def is_planning(kind: ChecklistKind, visit_id: UUID | None) -> bool:
    """Tell the same of a checklist's columns."""
    return kind is ChecklistKind.VISIT_ROLES or visit_id is not None


def key_for(checklist: Checklist) -> bytes | None:
    """Return the key that encrypts what is said of a checklist; None where nothing is."""
    return keys.key_of(checklist.cooperation_id) if is_restricted(checklist) else None


def put_values(checklist: Checklist, row: Answer | Proposal, values: Mapping[str, Any]) -> None:
    """Store values in a row, encrypted where the checklist is restricted. The row has its id."""
    if is_restricted(checklist):
        row.values = None
        row.sealed = _seal(checklist.cooperation_id, row.id, "values", dict(values))
    else:
        row.values = dict(values)
        row.sealed = None


def values_of(cooperation_id: UUID, row: Answer | Proposal | sa.Row[Any]) -> dict[str, Any]:
    """Read values back, of a row or of its columns."""
    if row.sealed is None:
        return dict(row.values or {})
    values: dict[str, Any] = _unseal(cooperation_id, row.id, "values", row.sealed)
    return values


def put_reason(checklist: Checklist, row: Checklist | Position | Proposal, reason: str) -> None:
    """Store the words of a reason; on a restricted checklist they may speak of the visit."""
    if is_restricted(checklist) and reason:
        row.reason = None
        row.sealed_reason = _seal(checklist.cooperation_id, row.id, "reason", {"text": reason})
    else:
        row.reason = reason
        row.sealed_reason = None


def reason_of(cooperation_id: UUID, row: WithReason) -> str:
    """Read a reason back."""
    if row.sealed_reason is None:
        return row.reason or ""
    text: str = _unseal(cooperation_id, row.id, "reason", row.sealed_reason)["text"]
    return text


def put_ended_reason(checklist: Checklist, proposal: Proposal, reason: str) -> None:
    """Store why a proposal was turned down."""
    if is_restricted(checklist):
        proposal.sealed_ended_reason = _seal(
            checklist.cooperation_id, proposal.id, "ended_reason", {"text": reason}
        )
    else:
        proposal.ended_reason = reason


def ended_reason_of(cooperation_id: UUID, proposal: Proposal) -> str:
    """Read why a proposal was turned down."""
    if proposal.sealed_ended_reason is None:
        return proposal.ended_reason or ""
    opened = _unseal(cooperation_id, proposal.id, "ended_reason", proposal.sealed_ended_reason)
    text: str = opened["text"]
    return text


def put_typed(cooperation_id: UUID, draft: Draft, typed: Mapping[str, list[str]]) -> None:
    """Store what somebody is typing, always encrypted: it is nobody else's. The row has its id."""
    draft.sealed = _seal(cooperation_id, draft.id, "draft", dict(typed))


def typed_of(cooperation_id: UUID, draft: Draft) -> dict[str, list[str]] | None:
    """Read what somebody is typing; None when it was saved, discarded or erased with its key."""
    if draft.sealed is None:
        return None
    try:
        typed: dict[str, list[str]] = _unseal(cooperation_id, draft.id, "draft", draft.sealed)
    except keys.KeyDestroyedError:  # erased for good, as it should be
        return None
    return typed


def _seal(cooperation_id: UUID, row_id: UUID, what: str, value: dict[str, Any]) -> bytes:
    key = keys.key_of(cooperation_id)
    return crypto.seal(key, canonical.to_bytes(value), f"{what}:{row_id}")


def _unseal(cooperation_id: UUID, row_id: UUID, what: str, sealed: bytes) -> Any:
    key = keys.key_of(cooperation_id)
    return canonical.from_bytes(crypto.unseal(key, sealed, f"{what}:{row_id}"))
