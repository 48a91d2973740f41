"""Encryption of answers of class K2 to K7 with the cooperation's key; K8 stays in plain text."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa

from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import (
    Answer,
    Checklist,
    Draft,
    Flag,
    HintAnswer,
    OwnModelText,
    Position,
    Proposal,
)
from tracker.cooperations import keys
from tracker.core import canonical, crypto
from tracker.core.errors import KeyDestroyedError


@dataclass(frozen=True, slots=True)
class FlagContent:
    """What a flag says; for one by a rule also its key, the NPM's powers, and the passage."""

    reason: str
    rule: str | None = None
    powers: tuple[str, ...] = ()
    passage: str | None = None


class WithReason(Protocol):
    """A row that has a reason, or only its columns."""

    @property
    def id(self) -> UUID:
        """Its id, to which the encrypted reason is bound."""

    @property
    def reason(self) -> str | None:
        """The reason in plain text, if it is stored so."""

    @property
    def sealed_reason(self) -> bytes | None:
        """The reason, encrypted."""


def is_restricted(checklist: Checklist) -> bool:
    """Return whether a checklist contains a visit's planning (class K2): its roles, or its plan."""
    return is_planning(checklist.kind, checklist.visit_id)


def is_planning(kind: ChecklistKind, visit_id: UUID | None) -> bool:
    """Return the same from a checklist's columns."""
    return kind is ChecklistKind.VISIT_ROLES or visit_id is not None


def key_for(checklist: Checklist) -> bytes | None:
    """Return the key that encrypts a checklist's content; None if nothing is encrypted."""
    return keys.key_of(checklist.cooperation_id) if is_restricted(checklist) else None


def put_values(checklist: Checklist, row: Answer | Proposal, values: Mapping[str, Any]) -> None:
    """Store values in a row, encrypted if the checklist is restricted; the row has its id."""
    if is_restricted(checklist):
        row.values = None
        row.sealed = _seal(checklist.cooperation_id, row.id, "values", dict(values))
    else:
        row.values = dict(values)
        row.sealed = None


def values_of(cooperation_id: UUID, row: Answer | Proposal | sa.Row[Any]) -> dict[str, Any]:
    """Return the values of a row or of its columns, decrypted if they are encrypted."""
    if row.sealed is None:
        return dict(row.values or {})
    values: dict[str, Any] = _unseal(cooperation_id, row.id, "values", row.sealed)
    return values


def put_reason(checklist: Checklist, row: Checklist | Position | Proposal, reason: str) -> None:
    """Store a reason; on a restricted checklist it may mention the visit."""
    if is_restricted(checklist) and reason:
        row.reason = None
        row.sealed_reason = _seal(checklist.cooperation_id, row.id, "reason", {"text": reason})
    else:
        row.reason = reason
        row.sealed_reason = None


def reason_of(cooperation_id: UUID, row: WithReason) -> str:
    """Return a reason, decrypted if it is encrypted."""
    if row.sealed_reason is None:
        return row.reason or ""
    text: str = _unseal(cooperation_id, row.id, "reason", row.sealed_reason)["text"]
    return text


def put_ended_reason(checklist: Checklist, proposal: Proposal, reason: str) -> None:
    """Store why a proposal was declined."""
    if is_restricted(checklist):
        proposal.sealed_ended_reason = _seal(
            checklist.cooperation_id, proposal.id, "ended_reason", {"text": reason}
        )
    else:
        proposal.ended_reason = reason


def ended_reason_of(cooperation_id: UUID, proposal: Proposal) -> str:
    """Return why a proposal was declined."""
    if proposal.sealed_ended_reason is None:
        return proposal.ended_reason or ""
    opened = _unseal(cooperation_id, proposal.id, "ended_reason", proposal.sealed_ended_reason)
    text: str = opened["text"]
    return text


def put_outcome(checklist: Checklist, position: Position, outcome: str) -> None:
    """Store what came of a discussion, in the same way as why it was wanted."""
    if is_restricted(checklist):
        position.sealed_outcome = _seal(
            checklist.cooperation_id, position.id, "outcome", {"text": outcome}
        )
    else:
        position.outcome = outcome


def outcome_of(cooperation_id: UUID, position: Position) -> str:
    """Return what came of a discussion; empty if nobody was asked."""
    if position.sealed_outcome is None:
        return position.outcome or ""
    text: str = _unseal(cooperation_id, position.id, "outcome", position.sealed_outcome)["text"]
    return text


def put_flag(checklist: Checklist, flag: Flag, content: FlagContent) -> None:
    """Store what a flag says. The row has its id."""
    by_rule = content.rule is not None
    if is_restricted(checklist):
        # The rule alone would reveal what was answered.
        flag.rule, flag.powers, flag.passage, flag.reason = "" if by_rule else None, None, None, ""
        plain = asdict(content) | {"powers": list(content.powers)}
        flag.sealed_reason = _seal(checklist.cooperation_id, flag.id, "reason", plain)
    else:
        flag.rule, flag.passage, flag.reason = content.rule, content.passage, content.reason
        flag.powers = list(content.powers) if by_rule else None


def flag_content(cooperation_id: UUID, flag: Flag) -> FlagContent:
    """Read what a flag says."""
    if flag.sealed_reason is None:
        return FlagContent(flag.reason, flag.rule, tuple(flag.powers or ()), flag.passage)
    plain = _unseal(cooperation_id, flag.id, "reason", flag.sealed_reason)
    return FlagContent(**plain | {"powers": tuple(plain["powers"])})


def put_explanation(checklist: Checklist, flag: Flag, explanation: str) -> None:
    """Store why a flagged term doesn't limit the NPM; empty when the term was changed."""
    if is_restricted(checklist) and explanation:
        flag.sealed_explanation = _seal(
            checklist.cooperation_id, flag.id, "explanation", {"text": explanation}
        )
    else:
        flag.explanation = explanation


def explanation_of(cooperation_id: UUID, flag: Flag) -> str:
    """Read why a flagged term doesn't limit the NPM."""
    if flag.sealed_explanation is None:
        return flag.explanation
    opened = _unseal(cooperation_id, flag.id, "explanation", flag.sealed_explanation)
    text: str = opened["text"]
    return text


def put_hint_reason(checklist: Checklist, answer: HintAnswer, reason: str) -> None:
    """Store why a phrase limits the NPM or doesn't. The row has its id."""
    if is_restricted(checklist) and reason:
        answer.sealed_reason = _seal(
            checklist.cooperation_id, answer.id, "reason", {"text": reason}
        )
    else:
        answer.reason = reason


def hint_reason_of(cooperation_id: UUID, answer: HintAnswer) -> str:
    """Read why a phrase limits the NPM or doesn't."""
    if answer.sealed_reason is None:
        return answer.reason
    text: str = _unseal(cooperation_id, answer.id, "reason", answer.sealed_reason)["text"]
    return text


def keyed_digest(checklist: Checklist, *parts: str) -> str:
    """Return a digest of a restricted checklist's text, which can't be guessed without its key."""
    key = keys.key_of(checklist.cooperation_id)
    return crypto.digest_with(key, "matched/1", canonical.digest_of(list(parts)))


def put_model_text(row: OwnModelText, values: Mapping[str, Any]) -> None:
    """Store a model text, encrypted if it is from a visit's checklist; the row has its id."""
    if row.is_of_visit:
        row.values = None
        row.sealed = _seal(row.cooperation_id, row.id, "model_text", dict(values))
    else:
        row.values = dict(values)
        row.sealed = None


def model_text_of(row: OwnModelText) -> dict[str, Any]:
    """Return a model text by item; nothing if it was retired, or erased with its key."""
    if row.sealed is None:
        return dict(row.values or {})
    try:
        values: dict[str, Any] = _unseal(row.cooperation_id, row.id, "model_text", row.sealed)
    except KeyDestroyedError:  # erased for good, as intended
        return {}
    return values


def put_typed(cooperation_id: UUID, draft: Draft, typed: Mapping[str, list[str]]) -> None:
    """Store a draft, always encrypted, since it is private; the row has its id."""
    draft.sealed = _seal(cooperation_id, draft.id, "draft", dict(typed))


def typed_of(cooperation_id: UUID, draft: Draft) -> dict[str, list[str]] | None:
    """Return a draft; None if it was saved, discarded or erased with its key."""
    if draft.sealed is None:
        return None
    try:
        typed: dict[str, list[str]] = _unseal(cooperation_id, draft.id, "draft", draft.sealed)
    except KeyDestroyedError:  # erased for good, as intended
        return None
    return typed


def _seal(cooperation_id: UUID, row_id: UUID, what: str, value: dict[str, Any]) -> bytes:
    key = keys.key_of(cooperation_id)
    return crypto.seal(key, canonical.to_bytes(value), f"{what}:{row_id}")


def _unseal(cooperation_id: UUID, row_id: UUID, what: str, sealed: bytes) -> Any:
    key = keys.key_of(cooperation_id)
    return canonical.from_bytes(crypto.unseal(key, sealed, f"{what}:{row_id}"))
