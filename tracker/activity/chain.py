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


def _head_text(
    kind: str, chain_id: UUID, cooperation_id: UUID | None, head: str, count: int
) -> str:
    return f"{kind}|{chain_id}|{cooperation_id or ''}|{count}|{head}"


def seal_head(kind: str, chain_id: UUID, cooperation_id: UUID | None, head: str, count: int) -> str:
    """Authenticate a head and its count with the trail's key."""
    return crypto.authenticate(_head_text(kind, chain_id, cooperation_id, head, count))


def head_is_authentic(
    kind: str, chain_id: UUID, cooperation_id: UUID | None, head: str, count: int, seal: str
) -> bool:
    """Return whether this instance sealed this head and count."""
    return crypto.is_authentic(_head_text(kind, chain_id, cooperation_id, head, count), seal)
