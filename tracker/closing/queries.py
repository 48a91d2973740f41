"""Queries for returns of material and the closing, scoped to the actor or a cooperation."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.closing.models import Closing, MaterialReturn, ReturnState
from tracker.closing.policy import ClosingFact, ReturnFact
from tracker.cooperations import people as cooperation_people
from tracker.cooperations.models import Cooperation, CooperationPerson, Party
from tracker.cooperations.scope import is_of_npms, runs_on, visible
from tracker.core import clock
from tracker.core.db import db, load_joined
from tracker.mail import addresses
from tracker.organisations.models import Organisation
from tracker.undertakings import people
from tracker.undertakings.models import Undertaking, UndertakingState
from tracker.undertakings.policy import is_decider
from tracker.undertakings.scope import FOR_OWN_PEOPLE, states_seen

WITH_NAMES = (
    load_joined(
        MaterialReturn.user, User.name, User.language, User.email, User.notification_choices
    ),
    load_joined(MaterialReturn.answered_by, User.name),
    load_joined(MaterialReturn.organisation, Organisation.name),
)
# How many requests of each kind My work reads at a time.
MANY = 100
_OF_RETURNS = frozenset(
    verb.name
    for verb in (
        verbs.RETURN_REQUESTED,
        verbs.RETURN_CONFIRMED,
        verbs.RETURN_RECORDED,
        verbs.RETURN_EXCEPTED,
        verbs.RETURN_CANCELLED,
    )
)


def events_seen(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Event that it isn't about a return the person may not see.

    As on the page of the closing: whoever sees the undertaking that promised it may see it.
    """
    is_told = sa.exists().where(
        MaterialReturn.id == Event.subject_id,
        Undertaking.id == MaterialReturn.undertaking_id,
        states_seen(actor),
    )
    return sa.or_(Event.verb.not_in(_OF_RETURNS), is_told.correlate(Event))


def find_own(actor: Actor, return_id: UUID) -> MaterialReturn | None:
    """Return a request to the person themselves, who may have left the cooperation."""
    return _first(MaterialReturn.id == return_id, MaterialReturn.user_id == actor.user_id)


def find_for_npm(actor: Actor, cooperation_id: UUID, return_id: UUID) -> MaterialReturn | None:
    """Return a request of a cooperation that the person may decide on for the NPM."""
    return _first(
        MaterialReturn.id == return_id,
        MaterialReturn.cooperation_id == cooperation_id,
        _for_deciders(actor, MaterialReturn.cooperation_id),
    )


def locked(return_id: UUID) -> MaterialReturn:
    """Lock a request until the transaction ends, and return its current state."""
    row = db.session.scalar(
        sa.select(MaterialReturn)
        .where(MaterialReturn.id == return_id)
        .options(*WITH_NAMES)
        .with_for_update(of=MaterialReturn)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise LookupError("There is no such request to return material.")
    return row


def locked_closing(cooperation_id: UUID) -> Closing | None:
    """Lock and return the closing of a cooperation; None before it has ended."""
    return db.session.scalar(
        sa.select(Closing)
        .where(Closing.cooperation_id == cooperation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def closing_of(cooperation_id: UUID) -> Closing | None:
    """Return the closing of a cooperation; None before it has ended."""
    return db.session.scalar(sa.select(Closing).where(Closing.cooperation_id == cooperation_id))


def fact(request: MaterialReturn) -> ReturnFact:
    """Return a request's plain values for the rules."""
    return ReturnFact(
        request.user_id,
        request.state,
        people.npm_ids(request.cooperation_id),
        signs_in=request.user.signs_in,
    )


def closing_fact(cooperation_id: UUID, closing: Closing | None) -> ClosingFact:
    """Return a closing's plain values for the rules."""
    return ClosingFact(
        is_begun=closing is not None,
        is_completed=closing is not None and closing.completed_at is not None,
        open_returns=open_count(cooperation_id),
        npm_ids=people.npm_ids(cooperation_id),
    )


def open_count(cooperation_id: UUID) -> int:
    """Return how many people of a cooperation still have to confirm."""
    return (
        db.session.scalar(
            sa.select(sa.func.count(MaterialReturn.id)).where(
                MaterialReturn.cooperation_id == cooperation_id,
                MaterialReturn.state == ReturnState.REQUESTED,
            )
        )
        or 0
    )


def waiting_names(cooperation_id: UUID) -> list[tuple[str, str]]:
    """Return the name and organisation of each person who still has to confirm (G7)."""
    rows = db.session.scalars(
        sa.select(MaterialReturn)
        .where(
            MaterialReturn.cooperation_id == cooperation_id,
            MaterialReturn.state == ReturnState.REQUESTED,
        )
        .options(*WITH_NAMES)
        .order_by(MaterialReturn.requested_at, MaterialReturn.id)
    )
    return [(row.user.name, row.organisation.name) for row in rows]


def anybody_was_asked(cooperation_id: UUID) -> bool:
    """Return whether anybody was asked what became of their copies: whoever had access is."""
    asked_about = sa.exists().where(MaterialReturn.cooperation_id == cooperation_id)
    return bool(db.session.scalar(sa.select(asked_about)))


def never_asked(cooperation_id: UUID, user_id: UUID | None = None) -> list[Undertaking]:
    """Return the last undertaking of each person who had access and was never asked about it.

    With user_id, of that person only.
    """
    conditions = [] if user_id is None else [Undertaking.user_id == user_id]
    return _never_asked(cooperation_id, *conditions)


def never_asked_and_gone(cooperation_id: UUID) -> list[Undertaking]:
    """Return those of never_asked() whose person has left and has no open undertaking."""
    takes_part = (
        sa.exists()
        .where(
            CooperationPerson.cooperation_id == Undertaking.cooperation_id,
            CooperationPerson.organisation_id == Undertaking.organisation_id,
            CooperationPerson.user_id == Undertaking.user_id,
            runs_on(clock.today()),
        )
        .correlate(Undertaking)
    )
    other = aliased(Undertaking)
    has_open = (
        sa.exists()
        .where(
            other.cooperation_id == Undertaking.cooperation_id,
            other.user_id == Undertaking.user_id,
            other.state != UndertakingState.CLOSED,
        )
        .correlate(Undertaking)
    )
    return _never_asked(cooperation_id, ~takes_part, ~has_open)


def _never_asked(cooperation_id: UUID, *conditions: sa.ColumnElement[bool]) -> list[Undertaking]:
    was_asked = (
        sa.exists()
        .where(
            MaterialReturn.cooperation_id == Undertaking.cooperation_id,
            MaterialReturn.user_id == Undertaking.user_id,
            MaterialReturn.state != ReturnState.CANCELLED,
            MaterialReturn.requested_at >= Undertaking.countersigned_at,
        )
        .correlate(Undertaking)
    )
    rows = db.session.scalars(
        sa.select(Undertaking)
        .where(
            Undertaking.cooperation_id == cooperation_id,
            Undertaking.countersigned_at.is_not(None),
            ~was_asked,
            *conditions,
        )
        .options(
            load_joined(Undertaking.user, User.name),
            load_joined(Undertaking.organisation, Organisation.name),
        )
        .order_by(Undertaking.countersigned_at, Undertaking.id)
    )
    return list({row.user_id: row for row in rows}.values())


def open_of(cooperation_id: UUID, user_id: UUID) -> MaterialReturn | None:
    """Return a person's open request, locked."""
    return db.session.scalar(
        sa.select(MaterialReturn)
        .where(
            MaterialReturn.cooperation_id == cooperation_id,
            MaterialReturn.user_id == user_id,
            MaterialReturn.state == ReturnState.REQUESTED,
        )
        .options(*WITH_NAMES)
        .with_for_update(of=MaterialReturn)
    )


# Lists -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PartyReturns:
    """A party with the requests to its people that the reader may see, or only their numbers."""

    name: str
    is_npm: bool
    sees_people: bool
    requests: list[MaterialReturn]
    total: int
    open: int


def by_party(actor: Actor, cooperation: Cooperation) -> list[PartyReturns]:
    """Return the requests in a cooperation by party; for another CSO's people only numbers.

    Takes a constant number of statements.
    """
    rows = db.session.scalars(
        sa.select(MaterialReturn)
        .where(
            MaterialReturn.cooperation_id == cooperation.id,
            MaterialReturn.state != ReturnState.CANCELLED,
        )
        .options(*WITH_NAMES)
        .order_by(MaterialReturn.requested_at, MaterialReturn.id)
    ).all()
    npm_ids = people.npm_ids(cooperation.id)
    parties = cooperation_people.parties(cooperation)
    sides = {party.organisation_id: party.organisation_id in npm_ids for party in parties}
    names = {party.organisation_id: party.organisation.name for party in parties}
    # People may have signed for an organisation that has left since.
    for row in rows:
        sides.setdefault(row.organisation_id, row.organisation_id in npm_ids)
        names.setdefault(row.organisation_id, row.organisation.name)
    listed = []
    for organisation_id, is_npm in sides.items():
        of_party = [row for row in rows if row.organisation_id == organisation_id]
        sees = _sees_people(actor, organisation_id, npm_ids)
        listed.append(
            PartyReturns(
                name=names[organisation_id],
                is_npm=is_npm,
                sees_people=sees,
                requests=[row for row in of_party if sees or row.user_id == actor.user_id],
                total=len(of_party),
                open=sum(row.state is ReturnState.REQUESTED for row in of_party),
            )
        )
    return listed


def _sees_people(actor: Actor, organisation_id: UUID, npm_ids: frozenset[UUID]) -> bool:
    """Return whether a person sees who in a party was asked, as for undertakings."""
    if actor.audited_ids & npm_ids:
        return True
    if actor.organisation_id in npm_ids and actor.acts_for_npm and not actor.outside_expert:
        return True
    return actor.organisation_id == organisation_id and actor.has(*FOR_OWN_PEOPLE)


_OWN_OPEN = (
    sa.select(MaterialReturn, Cooperation)
    .join(Cooperation, Cooperation.id == MaterialReturn.cooperation_id)
    .where(
        MaterialReturn.user_id == sa.bindparam("user_id"),
        MaterialReturn.state == ReturnState.REQUESTED,
    )
    .order_by(MaterialReturn.requested_at, MaterialReturn.id)
)


def own_open(actor: Actor) -> list[tuple[MaterialReturn, Cooperation]]:
    """Return what the person still has to confirm, with the cooperation."""
    rows = db.session.execute(_OWN_OPEN.limit(MANY), {"user_id": actor.user_id})
    return [(row[0], row[1]) for row in rows]


def of_people_without_account(actor: Actor) -> list[tuple[MaterialReturn, Cooperation]]:
    """Return what people who can't sign in still have to confirm, for those who can record it."""
    if not _may_decide(actor):
        return []
    # Begins with the cooperations of the person's NPM, so that requests of others aren't read.
    own = sa.select(Party.cooperation_id).where(Party.organisation_id == actor.organisation_id)
    rows = db.session.execute(
        sa.select(MaterialReturn, Cooperation)
        .join(Cooperation, Cooperation.id == MaterialReturn.cooperation_id)
        .join(MaterialReturn.user)
        .where(
            MaterialReturn.cooperation_id.in_(own),
            MaterialReturn.state == ReturnState.REQUESTED,
            addresses.are_of_nobody(User.email),
            _for_deciders(actor, MaterialReturn.cooperation_id),
        )
        .options(*WITH_NAMES)
        .order_by(MaterialReturn.requested_at, MaterialReturn.id)
        .limit(MANY)
    )
    return [(row[0], row[1]) for row in rows]


def to_complete(actor: Actor) -> list[Cooperation]:
    """Return the cooperations whose closing the person can complete now, the oldest first."""
    if not _may_decide(actor):
        return []
    is_waiting = (
        sa.exists()
        .where(
            MaterialReturn.cooperation_id == Closing.cooperation_id,
            MaterialReturn.state == ReturnState.REQUESTED,
        )
        .correlate(Closing)
    )
    return list(
        db.session.scalars(
            sa.select(Cooperation)
            .join(Closing, Closing.cooperation_id == Cooperation.id)
            .where(
                Closing.completed_at.is_(None),
                ~is_waiting,
                _for_deciders(actor, Closing.cooperation_id),
            )
            .order_by(Closing.begun_at, Cooperation.id)
            .limit(MANY)
        )
    )


def due(day: dt.date) -> Sequence[UUID]:
    """Return the open requests that are due by a day and whose person was not reminded yet."""
    return db.session.scalars(
        sa.select(MaterialReturn.id)
        .where(
            MaterialReturn.state == ReturnState.REQUESTED,
            MaterialReturn.reminded_on.is_(None),
            MaterialReturn.due_on <= day,
        )
        .order_by(MaterialReturn.due_on, MaterialReturn.id)
    ).all()


def _first(*conditions: sa.ColumnElement[bool]) -> MaterialReturn | None:
    return db.session.scalar(sa.select(MaterialReturn).where(*conditions).options(*WITH_NAMES))


def _may_decide(actor: Actor) -> bool:
    return is_decider(actor, clock.today())


def _for_deciders(
    actor: Actor, cooperation_id: sa.SQLColumnExpression[UUID]
) -> sa.ColumnElement[bool]:
    if not _may_decide(actor) or actor.organisation_id is None:
        return sa.false()
    return sa.and_(
        visible(actor, cooperation_id),
        is_of_npms(frozenset({actor.organisation_id}), cooperation_id, on=clock.today()),
    )
