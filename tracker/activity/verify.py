"""Verification of a chain: walks its events and reports the first inconsistency. Pure."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rfc8785 import CanonicalizationError

from tracker.activity import chain as arithmetic
from tracker.activity.chain import START, Link


class ChainFault(enum.StrEnum):
    """What can be wrong with an event, its details, or the end of a chain."""

    MISSING = "missing"
    TWICE = "twice"
    DOES_NOT_FOLLOW = "does_not_follow"
    CHANGED = "changed"
    DETAILS_CHANGED = "details_changed"
    DETAILS_GONE = "details_gone"
    UNSEALED = "unsealed"
    CUT_OFF = "cut_off"
    TOO_MANY = "too_many"
    OTHER_HEAD = "other_head"


@dataclass(frozen=True, slots=True)
class Details:
    """The salt and content stored for an event."""

    salt: str
    content: Mapping[str, Any]

    def is_bound_by(self, link: Link) -> bool:
        """Return whether an event binds these details."""
        return self.have_digest(link.details_digest)

    def have_digest(self, digest: str) -> bool:
        """Return whether these are the details of a digest."""
        if _holds_fraction(self.content):
            # 1.0 and 1 have the same canonical form; the trail contains only whole numbers.
            return False
        try:
            return arithmetic.details_digest(self.salt, self.content) == digest
        except (CanonicalizationError, ValueError):
            return False


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain as its row records it, with the seal."""

    kind: str
    chain_id: UUID
    cooperation_id: UUID | None
    head: str
    count: int
    seal: str
    # Of a visit's chain, which has no cooperation of its own.
    visit_id: UUID | None = None

    def is_authentic(self) -> bool:
        """Return whether this instance's key sealed this head and count for this chain."""
        return arithmetic.head_is_authentic(
            self.kind,
            self.chain_id,
            self.cooperation_id,
            self.head,
            self.count,
            self.seal,
            self.visit_id,
        )


class Walk:
    """Walks a chain event by event, in the order of their numbers, and keeps only the last.

    erased_before is the number of the chain's last event that says details were erased: only
    earlier events may lack their details.
    """

    def __init__(self, erased_before: int = 0) -> None:
        self.number = 0
        self.head = START
        self._erased_before = erased_before

    def step(self, link: Link, digest: str, details: Details | None) -> ChainFault | None:
        """Check the next event as stored; return what is wrong with it, or None."""
        if link.number != self.number + 1:
            return ChainFault.MISSING if link.number > self.number else ChainFault.TWICE
        if link.previous != self.head:
            return ChainFault.DOES_NOT_FOLLOW
        if not _has_digest(link, digest):
            return ChainFault.CHANGED
        if details is None:
            if link.number >= self._erased_before:
                return ChainFault.DETAILS_GONE
        elif not details.is_bound_by(link):
            return ChainFault.DETAILS_CHANGED
        self.number, self.head = link.number, digest
        return None

    def end(self, head: Head) -> ChainFault | None:
        """Compare the last event with the sealed head in the chain's row."""
        if not head.is_authentic():
            return ChainFault.UNSEALED
        if self.number < head.count:
            return ChainFault.CUT_OFF
        if self.number > head.count:
            return ChainFault.TOO_MANY
        return None if self.head == head.head else ChainFault.OTHER_HEAD


def _has_digest(link: Link, digest: str) -> bool:
    try:
        return link.digest() == digest
    except (CanonicalizationError, ValueError):  # a value that no event can have
        return False


def _holds_fraction(value: Any) -> bool:
    match value:
        case float():
            return True
        case list():
            return any(map(_holds_fraction, value))
        case Mapping():
            return any(map(_holds_fraction, value.values()))
        case _:
            return False
