"""Queries for cooperations, scoped by the actor."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from tracker.access.actor import Actor, Role
from tracker.accounts.models import Invitation
from tracker.cooperations.models import (
    FEW_LETTERS,
    Cooperation,
    CooperationEntry,
    Mode,
    Party,
    Stage,
)
from tracker.cooperations.people import parties
from tracker.cooperations.policy import CooperationFact, PartyFact
from tracker.cooperations.scope import listed, visible
from tracker.core.db import db
from tracker.signoff.models import RequestState, Revision, SignatureRequest

# Before any cooperation was opened.
_BEFORE_ALL = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MAX_WORDS = 8
# Written out, as in the conditions of the indexes: no parameter fits those.
_FEW: sa.ColumnElement[int] = sa.literal_column(str(FEW_LETTERS))
REFERENCE = re.compile(r"C-[0-9]{4}-[0-9]{4,6}")
_WITH_PARTIES = selectinload(Cooperation.parties).joinedload(Party.organisation)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list of cooperations, and how many there are in total."""

    total: int
    cooperations: list[Cooperation]


def find(actor: Actor, reference: str) -> Cooperation | None:
    """Return a cooperation by its reference with its parties, if the person may see it."""
    if not REFERENCE.fullmatch(reference):
        return None
    return _find_one(actor, Cooperation.reference == reference)


def find_by_id(actor: Actor, cooperation_id: UUID) -> Cooperation | None:
    """Return a cooperation by its id with its parties, if the person may see it."""
    return _find_one(actor, Cooperation.id == cooperation_id)


def find_all(actor: Actor, cooperation_ids: Iterable[UUID]) -> dict[UUID, Cooperation]:
    """Return those of some cooperations that the person may see, with their parties."""
    cooperations = db.session.scalars(
        sa.select(Cooperation)
        .where(Cooperation.id.in_(list(cooperation_ids)), visible(actor))
        .options(_WITH_PARTIES)
    )
    return {cooperation.id: cooperation for cooperation in cooperations}


def listing(
    actor: Actor,
    *,
    words: str = "",
    stage: Stage | None = None,
    offset: int = 0,
    limit: int = 25,
    counts: Mapping[str, int] | None = None,
) -> Listing:
    """Return one page of the cooperations the person may see, the newest first.

    Every word must occur in the title, the reference or the name of a party. counts are those of
    the same words (stage_counts), where they were asked for already.
    """
    counts = stage_counts(actor, words) if counts is None else counts
    total = counts.get(stage.value if stage else "", 0)
    if not total:
        return Listing(0, [])
    # Pages are found by the entries' indexes, and only those of the page read.
    entries = _entries(actor, words)
    ids = sa.select(entries.c.cooperation_id)
    if stage is not None:
        ids = ids.where(entries.c.stage == stage)
    ids = ids.order_by(entries.c.opened_at.desc(), entries.c.reference.desc())
    rows = db.session.scalars(
        sa.select(Cooperation)
        .where(Cooperation.id.in_(ids.offset(offset).limit(limit)), visible(actor))
        .order_by(Cooperation.opened_at.desc(), Cooperation.reference.desc())
        .options(_WITH_PARTIES)
    )
    return Listing(total, list(rows))


def stage_counts(actor: Actor, words: str = "") -> dict[str, int]:
    """Return how many of the visible cooperations are in each stage; "" is all."""
    entries = _entries(actor, words)
    rows = db.session.execute(sa.select(entries.c.stage, sa.func.count()).group_by(entries.c.stage))
    counts = {stage.value: count for stage, count in rows}
    return counts | {"": sum(counts.values())}


def fact(cooperation: Cooperation) -> CooperationFact:
    """Return the rules' plain values for a cooperation whose parties are loaded."""
    return CooperationFact(
        stage=cooperation.stage,
        parties=tuple(
            PartyFact(party.organisation_id, party.side, party.is_leaving)
            for party in parties(cooperation)
        ),
        terms_in_force=terms_in_force(cooperation.id),
    )


def modes(cooperation: Cooperation) -> list[Mode]:
    """Return the modes of a cooperation in the order of the table."""
    return [mode for mode in Mode if mode.value in cooperation.modes]


def terms_in_force(cooperation_id: UUID) -> bool:
    """Return whether a fully signed revision of the terms exists."""
    signed = sa.exists().where(
        SignatureRequest.revision_id == Revision.id,
        SignatureRequest.state == RequestState.COMPLETED,
        Revision.cooperation_id == cooperation_id,
        Revision.kind == "terms",
    )
    return bool(db.session.scalar(sa.select(signed)))


def open_invitations(actor: Actor, cooperation_id: UUID) -> list[Invitation]:
    """Return the open invitations of one's own organisation to a cooperation.

    For its coordinators; an address is nobody else's business.
    """
    if not actor.has(Role.COORDINATOR):
        return []
    return list(
        db.session.scalars(
            sa.select(Invitation)
            .where(
                Invitation.cooperation_id == cooperation_id,
                Invitation.organisation_id == actor.organisation_id,
                Invitation.accepted_at.is_(None),
                Invitation.revoked_at.is_(None),
            )
            .order_by(Invitation.created_at)
        )
    )


def _find_one(actor: Actor, condition: sa.ColumnElement[bool]) -> Cooperation | None:
    return db.session.scalar(
        sa.select(Cooperation).where(condition, visible(actor)).options(_WITH_PARTIES)
    )


def with_words(words: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """Return the conditions over CooperationEntry that each word occurs in it, in any case.

    With any word, they name the day of opening too, so that SQLite reads the entries in the order
    of the list, which is that of their rows: in another order it takes four times as long.
    """
    conditions: list[sa.ColumnElement[bool]] = [
        CooperationEntry.words.contains(word.casefold(), autoescape=True) for word in words
    ]
    return [CooperationEntry.opened_at > _BEFORE_ALL, *conditions] if conditions else []


def searched(
    query: sa.Select[*tuple[Any, ...]], words: Iterable[str]
) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """Return a query over CooperationEntry for those in which each word occurs, in any case.

    In two parts, so that each is answered by an index: most entries by one that holds their words.
    """
    query = query.where(*with_words(words))
    length = sa.func.length(CooperationEntry.words)
    return sa.union_all(query.where(length <= _FEW), query.where(length > _FEW))


def _entries(actor: Actor, words: str) -> sa.Subquery:
    query = sa.select(
        CooperationEntry.cooperation_id,
        CooperationEntry.stage,
        CooperationEntry.opened_at,
        CooperationEntry.reference,
    ).where(listed(actor))
    wanted = words.split()[:MAX_WORDS]
    return searched(query, wanted).subquery() if wanted else query.subquery()
