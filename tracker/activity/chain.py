"""The arithmetic of an event chain: what is hashed, how its head is sealed. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tracker.activity.checked import Entry
from tracker.core import canonical, crypto

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Link:
    """What an event's digest binds."""

    event_id: UUID
    chain_id: UUID
    number: int
    verb: str
    subject_type: str
    subject_id: UUID
    at: dt.datetime
    details_digest: str
    evidence: str | None
    previous: str
    # The digest of what it says about rows; None in events older than row binding.
    state: str | None = None

    def content(self) -> dict[str, Any]:
        """Return what the digest of this event binds."""
        return {
            "event": str(self.event_id),
            "chain": str(self.chain_id),
            "number": self.number,
            "verb": self.verb,
            "subject_type": self.subject_type,
            "subject": str(self.subject_id),
            "at": self.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "details": self.details_digest,
            "evidence": self.evidence,
            "previous": self.previous,
            **({} if self.state is None else {"state": self.state}),
        }

    def digest(self) -> str:
        """Return the SHA-256 of the canonical form of this event."""
        return canonical.digest_of(self.content())


def details_digest(salt: str, content: Mapping[str, Any]) -> str:
    """Return the digest that binds details; the salt keeps short ones from being guessed."""
    return canonical.digest_of({"salt": salt, "content": dict(content)})


def state_digest(state: Mapping[str, Mapping[str, Entry]]) -> str:
    """Return the digest of what an event says about rows.

    Bundles contain only this digest: how many rows of which table an event changed would reveal the
    size of a visit's team.
    """
    return canonical.digest_of({table: dict(rows) for table, rows in state.items()})


def state_of(rows: Mapping[str, Mapping[str, Entry]] | None) -> str | None:
    """Return a link's digest of what its event says about rows; None for older events."""
    return None if rows is None else state_digest(rows)


def visit_chain_digest(chain_id: UUID, visit_id: UUID) -> str:
    """Return the digest by which the event that planned a visit binds the visit's chain (adr 87).

    The chain's id is random and in no bundle, so the digest means nothing to anybody else.
    """
    return canonical.digest_of({"chain": str(chain_id), "visit": str(visit_id)})


def _head_text(
    kind: str,
    chain_id: UUID,
    cooperation_id: UUID | None,
    head: str,
    count: int,
    visit_id: UUID | None,
) -> str:
    text = f"{kind}|{chain_id}|{cooperation_id or ''}|{count}|{head}"
    # Only a visit's chain has this part, so the seals of all others are as they always were.
    return text if visit_id is None else f"{text}|{visit_id}"


def seal_head(
    kind: str,
    chain_id: UUID,
    cooperation_id: UUID | None,
    head: str,
    count: int,
    visit_id: UUID | None = None,
) -> str:
    """Authenticate a head and its count with the trail's key."""
    return crypto.authenticate(_head_text(kind, chain_id, cooperation_id, head, count, visit_id))


def head_is_authentic(
    kind: str,
    chain_id: UUID,
    cooperation_id: UUID | None,
    head: str,
    count: int,
    seal: str,
    visit_id: UUID | None = None,
) -> bool:
    """Return whether this instance sealed this head and count."""
    text = _head_text(kind, chain_id, cooperation_id, head, count, visit_id)
    return crypto.is_authentic(text, seal)
