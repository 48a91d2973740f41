"""Who took somebody's signature, and whether two others vouch for a scan. Pure.

It uses the values of a signature that its digest binds (Signature.content()), so that the
application and the verifier of bundles decide alike.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tracker.signoff.models import Method

# The values of a signature, as its digest binds them.
Row = Mapping[str, Any]
# What a signature says about who took it, on their own device or from paper, and under which name.
TAKERS = {"presence": "host", "paper": "recorded_by"}
# Whether an agreement on paper is older than the instance.
HERE, BEFORE = "here", "before"


class Flaw(enum.StrEnum):
    """Why a signature on paper doesn't count."""

    NO_PAPER = "no_paper"
    OWN_SCAN = "own_scan"
    SIGNED_SCAN = "signed_scan"
    CONFIRMED_TWICE = "confirmed_twice"


@dataclass(frozen=True, slots=True)
class Paper:
    """What a signature on paper says about its scan."""

    record: UUID
    recorded_by: UUID
    confirmed_by: UUID
    # The name of the organisation for which it was confirmed.
    confirmed_for: str
    # Whether the agreement is older than the instance.
    is_former: bool


def id_of(value: object) -> UUID | None:
    """Return the id in a text, however it is written; None if there is none."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def canonical_id_of(value: object) -> UUID | None:
    """Return the id in a text written as the application writes it; None otherwise."""
    known = id_of(value)
    return known if str(known) == value else None


def paper_of(about: object) -> Paper | None:
    """Return what a signature says about its scan; None if anything is missing or malformed."""
    if not isinstance(about, Mapping):
        return None
    record, recorded_by, confirmed_by = (
        canonical_id_of(about.get(name)) for name in ("record", "recorded_by", "confirmed_by")
    )
    confirmed_for, when = about.get("confirmed_for"), about.get("made")
    if record is None or recorded_by is None or confirmed_by is None:
        return None
    if not isinstance(confirmed_for, str) or when not in (HERE, BEFORE):
        return None
    return Paper(record, recorded_by, confirmed_by, confirmed_for, is_former=when == BEFORE)


def host_of(presence: object) -> UUID | None:
    """Return on whose device somebody signed; None if it doesn't say so."""
    return id_of(presence.get("host")) if isinstance(presence, Mapping) else None


def takers(rows: Iterable[Row]) -> Iterator[UUID]:
    """Yield who took one of some signatures: on their own device, or from paper."""
    for row in rows:
        for part, name in TAKERS.items():
            about = row.get(part)
            taker = id_of(about.get(name)) if isinstance(about, Mapping) else None
            if taker is not None:
                yield taker


def flaws(rows: Sequence[Row]) -> list[Flaw | None]:
    """Return for each of some signatures why it doesn't count as one on paper; None if it does.

    A signature by another method that says nothing about a scan has no flaw. The rows have to be
    all signatures based on a scan, since one person could confirm it for two parties.
    """
    papers = [paper_of(row.get("paper")) for row in rows]
    parties: dict[tuple[UUID, UUID], set[str]] = defaultdict(set)
    for paper in papers:
        if paper is not None:
            parties[paper.record, paper.confirmed_by].add(paper.confirmed_for)
    return [_flaw(row, paper, parties) for row, paper in zip(rows, papers, strict=True)]


def _flaw(
    row: Row, paper: Paper | None, parties: Mapping[tuple[UUID, UUID], set[str]]
) -> Flaw | None:
    if row.get("method") != Method.PAPER.value:
        return Flaw.NO_PAPER if "paper" in row else None
    if paper is None:
        return Flaw.NO_PAPER
    if paper.recorded_by == paper.confirmed_by:
        return Flaw.OWN_SCAN
    # An agreement older than the instance has the account of whoever confirmed it for that party.
    if not paper.is_former and id_of(row.get("user")) == paper.confirmed_by:
        return Flaw.SIGNED_SCAN
    if len(parties[paper.record, paper.confirmed_by]) > 1:
        return Flaw.CONFIRMED_TWICE
    return None
