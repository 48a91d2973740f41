"""Interests added after signing, which are undecided, and what the NPM's limits close.

In one file: what an added interest bears on, and the places it closes.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.cooperations import keys
from tracker.cooperations.models import ClearanceBar, Cooperation
from tracker.core import canonical, crypto
from tracker.core.db import Identifier, db
from tracker.undertakings import encryption, scope
from tracker.undertakings.models import (
    AddedInterest,
    InterestsDecision,
    Undertaking,
    UndertakingState,
)
from tracker.undertakings.places import Places

# What events about an added interest name as their subject.
SUBJECT = "added_interest"
# The statuses of an undertaking in which an interest can be added, and those in which it is
# decided.
SIGNED = (UndertakingState.SIGNED, UndertakingState.COUNTERSIGNED)
_CONTENT, _DECISION = "content", "decision"
_USER = aliased(User)
_Limited, _Later = aliased(Undertaking), aliased(Undertaking)
_WAITS = AddedInterest.decision.is_(None)


@dataclass(frozen=True, slots=True)
class Bearing:
    """The effect of a person's interests on their access in a cooperation."""

    # How many were added and wait for a decision of the NPM.
    undecided: int = 0
    # Whether the NPM set a limit, and whether it asked for another person because of what was
    # added.
    is_limited: bool = False
    is_refused: bool = False
    # Whether all work is currently closed to them.
    closes_all: bool = False


NOTHING_ADDED = Bearing()


# Content, encrypted -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PartyTies:
    """What a party does (keys of consistency.TIES); the party is None where it wasn't stored."""

    organisation_id: UUID | None = None
    ties: frozenset[str] = frozenset()


def put_content(
    interest: AddedInterest,
    text: str,
    places: Places,
    of_party: PartyTies | None = None,
    recorded_by_id: UUID | None = None,
) -> None:
    """Store what was added and which places it concerns, encrypted.

    What a party of the person does takes the place of the text. recorded_by_id is set if the person
    didn't write it themselves.
    """
    content: dict[str, Any] = {"text": text, **places.to_values()}
    if recorded_by_id is not None:
        content["recorded_by"] = str(recorded_by_id)
    if of_party is not None:
        content["ties"] = sorted(of_party.ties)
        content["organisation"] = str(of_party.organisation_id)
    interest.sealed_content = _seal(interest, _CONTENT, content)


def text_of(interest: AddedInterest) -> str:
    """Return what was added, decrypted; the caller has checked that it may be shown."""
    return str(_unseal(interest, _CONTENT, interest.sealed_content)["text"])


def recorded_by_id(interest: AddedInterest) -> UUID | None:
    """Return who recorded for the NPM what a person without an account said; None for others."""
    recorded = _unseal(interest, _CONTENT, interest.sealed_content).get("recorded_by")
    return UUID(recorded) if recorded else None


def ties_in(interest: AddedInterest) -> PartyTies:
    """Return what a party of theirs does, if that was added; empty for a person's own interest."""
    content = _unseal(interest, _CONTENT, interest.sealed_content)
    organisation = content.get("organisation")
    return PartyTies(
        UUID(organisation) if organisation else None, frozenset(content.get("ties", ()))
    )


def places_of(interest: AddedInterest) -> Places:
    """Return the places that the person said it concerns."""
    return Places.from_values(_unseal(interest, _CONTENT, interest.sealed_content))


def put_decision(interest: AddedInterest, reason: str, places: Places | None) -> None:
    """Store the reason for a decision and, with a limit, the places closed to the person."""
    values = {"reason": reason, "places": places.to_values() if places else None}
    interest.sealed_decision = _seal(interest, _DECISION, values)


def reason_of(interest: AddedInterest) -> str:
    """Return the reason for the decision; empty before there is one."""
    if interest.sealed_decision is None:
        return ""
    return str(_unseal(interest, _DECISION, interest.sealed_decision)["reason"])


def limit_of(interest: AddedInterest) -> Places | None:
    """Return the places closed by the NPM's limit; None if there is no limit."""
    if interest.sealed_decision is None:
        return None
    values = _unseal(interest, _DECISION, interest.sealed_decision)["places"]
    return Places.from_values(values) if values else None


def closed_places(interest: AddedInterest) -> Places | None:
    """Return the places that an interest currently closes to its person; None if there are none.

    Until the NPM decides, these are the places the person named; with a limit, those of the NPM. A
    person who is to be replaced has no undertaking that gives access.
    """
    if interest.decision is None:
        return places_of(interest)
    return limit_of(interest) if interest.decision is InterestsDecision.LIMIT else None


# Queries ------------------------------------------------------------------------------------------


def of_person(actor: Actor, cooperation_id: UUID, user_id: UUID) -> list[AddedInterest]:
    """Return what a person added in a cooperation, as far as the reader may know, newest first.

    The caller asks its policy whether the reader decides on it, if it isn't their own.
    """
    return list(
        db.session.scalars(
            sa.select(AddedInterest)
            .where(
                AddedInterest.cooperation_id == cooperation_id,
                AddedInterest.user_id == user_id,
                sa.or_(AddedInterest.user_id == actor.user_id, scope.added_for(actor)),
            )
            .order_by(AddedInterest.added_at.desc(), AddedInterest.id)
        )
    )


def all_of_cooperation(cooperation_id: UUID) -> list[AddedInterest]:
    """Return all that people added in a cooperation, to compare it with its events."""
    of_it = AddedInterest.cooperation_id == cooperation_id
    return list(db.session.scalars(sa.select(AddedInterest).where(of_it)))


def ties_of_party(undertaking: Undertaking, organisation_id: UUID) -> frozenset[str]:
    """Return what was added already of what a party of an undertaking's person does.

    What another party does, for which the person acts or acted, isn't part of it.
    """
    theirs = db.session.scalars(
        sa.select(AddedInterest).where(
            AddedInterest.cooperation_id == undertaking.cooperation_id,
            AddedInterest.user_id == undertaking.user_id,
        )
    )
    of_parties = map(ties_in, theirs)
    return frozenset[str]().union(
        *(of_party.ties for of_party in of_parties if of_party.organisation_id == organisation_id)
    )


@dataclass(frozen=True, slots=True)
class Closed:
    """Places closed to a person by an added interest, or by a limit on what they declared first."""

    # The added interest, or the undertaking.
    id: UUID
    user_id: UUID
    places: Places


def closed_in(cooperation_id: UUID, user_ids: Collection[UUID] | None = None) -> Iterator[Closed]:
    """Yield what interests and limits close in a cooperation, for the rules.

    With user_ids, only to these people.
    """
    no_id = sa.cast(sa.null(), Identifier())
    interests = sa.select(
        AddedInterest.id.label("interest_id"), no_id.label("undertaking_id")
    ).where(
        AddedInterest.cooperation_id == cooperation_id,
        sa.or_(_WAITS, AddedInterest.decision == InterestsDecision.LIMIT),
    )
    limited = sa.select(no_id, _Limited.id).where(
        _Limited.cooperation_id == cooperation_id, _limit_holds()
    )
    if user_ids is not None:
        interests = interests.where(AddedInterest.user_id.in_(user_ids))
        limited = limited.where(_Limited.user_id.in_(user_ids))
    # One statement for both, each in rows of its own.
    closing = sa.union_all(interests, limited).subquery()
    rows: Iterable[Any] = db.session.execute(
        sa.select(AddedInterest, Undertaking)
        .select_from(closing)
        .outerjoin(AddedInterest, AddedInterest.id == closing.c.interest_id)
        .outerjoin(Undertaking, Undertaking.id == closing.c.undertaking_id)
        .order_by(AddedInterest.id.is_(None), AddedInterest.id, Undertaking.id)
    )
    for interest, undertaking in rows:
        if interest is not None and (places := closed_places(interest)):
            yield Closed(interest.id, interest.user_id, places)
        if undertaking is not None and (places := encryption.limit_of(undertaking)):
            yield Closed(undertaking.id, undertaking.user_id, places)


def people_with_closed_places(cooperation_id: UUID, user_ids: Collection[UUID]) -> set[UUID]:
    """Return to whom of some people an interest or a limit closes places in a cooperation."""
    return {closed.user_id for closed in closed_in(cooperation_id, user_ids)}


def earlier_limit(undertaking: Undertaking) -> Undertaking | None:
    """Return the earlier undertaking of a person whose limit holds, if there is one."""
    return db.session.scalar(
        sa.select(_Limited).where(
            _Limited.cooperation_id == undertaking.cooperation_id,
            _Limited.user_id == undertaking.user_id,
            _Limited.id != undertaking.id,
            _limit_holds(),
        )
    )


def _limit_holds() -> sa.ColumnElement[bool]:
    """Return the condition over _Limited that the NPM's limit on what was declared there holds.

    Until the NPM accepts or limits what the person declares in a later undertaking: withdrawing and
    signing again doesn't lift it.
    """
    is_decided_again = sa.exists().where(
        _Later.cooperation_id == _Limited.cooperation_id,
        _Later.user_id == _Limited.user_id,
        _Later.decision.in_((InterestsDecision.ACCEPT, InterestsDecision.LIMIT)),
        _Later.decided_at > _Limited.decided_at,
    )
    return sa.and_(_Limited.decision == InterestsDecision.LIMIT, ~is_decided_again)


def find(actor: Actor, undertaking: Undertaking, interest_id: UUID) -> AddedInterest | None:
    """Return an interest that the person of an undertaking added in its cooperation.

    As far as the reader may know, as of_person().
    """
    return next(
        (
            interest
            for interest in of_person(actor, undertaking.cooperation_id, undertaking.user_id)
            if interest.id == interest_id
        ),
        None,
    )


def locked(interest_id: UUID) -> AddedInterest:
    """Lock an interest until the transaction ends, and return its current state."""
    return db.session.scalars(
        sa.select(AddedInterest)
        .where(AddedInterest.id == interest_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def bearing_columns() -> list[sa.ColumnElement[Any]]:
    """Return the columns of Bearing to select together with Undertaking, in one query."""
    theirs = (
        AddedInterest.cooperation_id == Undertaking.cooperation_id,
        AddedInterest.user_id == Undertaking.user_id,
    )

    def has(decision: InterestsDecision) -> sa.ColumnElement[bool]:
        return sa.exists().where(*theirs, AddedInterest.decision == decision).correlate(Undertaking)

    # Counted, since PostgreSQL may answer EXISTS by reading all undertakings.
    limited_first = (
        sa.select(sa.func.count())
        .where(
            _Limited.cooperation_id == Undertaking.cooperation_id,
            _Limited.user_id == Undertaking.user_id,
            _limit_holds(),
        )
        .correlate(Undertaking)
        .scalar_subquery()
    )
    closes_all = sa.exists().where(
        ClearanceBar.cooperation_id == Undertaking.cooperation_id,
        ClearanceBar.user_id == Undertaking.user_id,
        ClearanceBar.visit_id.is_(None),
    )
    return [
        undecided(),
        sa.or_(has(InterestsDecision.LIMIT), limited_first > 0),
        has(InterestsDecision.REPLACE),
        closes_all.correlate(Undertaking),
    ]


def undecided() -> sa.ScalarSelect[int]:
    """Return the column, next to Undertaking, that counts its person's undecided interests."""
    return (
        sa.select(sa.func.count(AddedInterest.id))
        .where(
            AddedInterest.cooperation_id == Undertaking.cooperation_id,
            AddedInterest.user_id == Undertaking.user_id,
            _WAITS,
        )
        .correlate(Undertaking)
        .scalar_subquery()
    )


def bearing(state: UndertakingState, columns: Sequence[Any]) -> Bearing:
    """Return the Bearing of an undertaking from bearing_columns(); none for a closed one."""
    if state is UndertakingState.CLOSED:
        return NOTHING_ADDED
    return Bearing(int(columns[0]), *map(bool, columns[1:]))


def bearing_of(undertaking: Undertaking) -> Bearing:
    """Return the effect of interests on the person of an undertaking."""
    columns = sa.select(*bearing_columns()).where(Undertaking.id == undertaking.id)
    return bearing(UndertakingState.SIGNED, db.session.execute(columns).one())


@dataclass(frozen=True, slots=True)
class WaitingInterest:
    """An added interest that waits for the NPM, without its content."""

    id: UUID
    undertaking_id: UUID
    added_at: dt.datetime
    person: str
    reference: str
    title: str
    # Whether the reader took the signature, and so leaves the decision to others.
    is_taken: bool


def waiting(actor: Actor, cooperation_id: UUID | None, limit: int) -> list[WaitingInterest]:
    """Return others' added interests that the person decides on for the NPM, the oldest first.

    Including those they have to leave to others, since they took the signature.
    """
    if not scope.decides(actor):
        return []
    conditions = [] if cooperation_id is None else [AddedInterest.cooperation_id == cooperation_id]
    rows = db.session.execute(
        sa.select(
            AddedInterest.id,
            Undertaking.id,
            AddedInterest.added_at,
            _USER.name,
            Cooperation.reference,
            Cooperation.title,
            scope.taken_by(actor),
        )
        .join(
            Undertaking,
            sa.and_(
                Undertaking.cooperation_id == AddedInterest.cooperation_id,
                Undertaking.user_id == AddedInterest.user_id,
                Undertaking.state.in_(SIGNED),
            ),
        )
        .join(Cooperation, Cooperation.id == AddedInterest.cooperation_id)
        .join(_USER, _USER.id == AddedInterest.user_id)
        .where(
            *conditions, _WAITS, ~scope.own(actor), scope.decided_by(actor), scope.added_for(actor)
        )
        .order_by(AddedInterest.added_at, AddedInterest.id)
        .limit(limit)
    )
    return [WaitingInterest(*row) for row in rows]


# Parts --------------------------------------------------------------------------------------------


def _seal(interest: AddedInterest, what: str, values: Mapping[str, Any]) -> bytes:
    key = keys.key_of(interest.cooperation_id)
    return crypto.seal(key, canonical.to_bytes(values), _context(interest, what))


def _unseal(interest: AddedInterest, what: str, sealed: bytes) -> Mapping[str, Any]:
    key = keys.key_of(interest.cooperation_id)
    opened = crypto.unseal(key, sealed, _context(interest, what))
    values: Mapping[str, Any] = canonical.from_bytes(opened)
    return values


def _context(interest: AddedInterest, what: str) -> str:
    return f"added-interest-{what}:{interest.id}"
