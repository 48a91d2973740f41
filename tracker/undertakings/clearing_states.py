"""Queries for people's progress towards a clearance, for visits' readiness and lists of people.

What only the rows say about an undertaking or a clearance doesn't count.
"""

import datetime as dt
import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.models import Chain, Event
from tracker.checklists.models import Checklist
from tracker.cooperations import clearances
from tracker.cooperations.models import Clearance
from tracker.cooperations.people import Participant
from tracker.core import clock
from tracker.core.db import db
from tracker.ui.locale import with_commas
from tracker.undertakings import added_interests, bound
from tracker.undertakings.added_interests import Bearing
from tracker.undertakings.bound import Compared
from tracker.undertakings.models import (
    AddedInterest,
    InterestsDecision,
    Undertaking,
    UndertakingState,
)
from tracker.undertakings.scope import FOR_OWN_PEOPLE


class Interests(enum.StrEnum):
    """The state of a person's declaration of interests (C13), without its content."""

    NONE = "none"
    UNDECIDED = "undecided"
    ACCEPT = "accept"
    LIMIT = "limit"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class ClearingState:
    """A person's progress towards a clearance under the terms in force."""

    briefed_on: dt.date | None = None
    interests: Interests = Interests.UNDECIDED
    signed: bool = False
    countersigned: bool = False
    cleared: bool = False
    until: dt.date | None = None
    # Whether the undertaking agrees with its signatures and events; if not, nothing is signed.
    agrees: bool = True


# A cooperation's undertakings with the clearances they opened that are still open.
_OPENED = (
    sa.select(Undertaking, Clearance.id)
    .join(Clearance, Clearance.undertaking_id == Undertaking.id)
    .where(
        Clearance.cooperation_id == sa.bindparam("cooperation_id"),
        Clearance.user_id == Undertaking.user_id,
        clearances.is_open_by_itself(sa.bindparam("day", type_=sa.Date())),
    )
)
# People's undertakings, and what the NPM decided about, if it isn't an open undertaking: limits of
# earlier ones still hold. Each in rows of its own.
_PLACES = sa.union_all(
    sa.select(Undertaking.id.label("undertaking_id"), sa.true().label("is_current"))
    .join(Checklist, Checklist.revision_in_force_id == Undertaking.terms_revision_id)
    .where(
        Undertaking.cooperation_id == sa.bindparam("cooperation_id"),
        Undertaking.user_id.in_(sa.bindparam("user_ids", expanding=True)),
        Undertaking.state != UndertakingState.CLOSED,
    ),
    sa.select(Event.subject_id, sa.false())
    .join(Chain, Chain.id == Event.chain_id)
    .outerjoin(AddedInterest, AddedInterest.id == Event.subject_id)
    .where(
        Chain.cooperation_id == sa.bindparam("cooperation_id"),
        Event.verb == verbs.INTERESTS_DECIDED.name,
        AddedInterest.id.is_(None),
    ),
).subquery()
_UNDERTAKINGS = (
    sa.select(
        _PLACES.c.undertaking_id,
        _PLACES.c.is_current,
        Undertaking,
        *added_interests.bearing_columns(),
    )
    .select_from(_PLACES)
    .outerjoin(Undertaking, Undertaking.id == _PLACES.c.undertaking_id)
)


def clearing_states(
    cooperation_id: UUID, user_ids: Iterable[UUID], visit_id: UUID | None = None
) -> dict[UUID, ClearingState]:
    """Return the progress of some people, in a constant number of queries.

    cleared says whether a clearance is open today for all of the cooperation, or for the named
    visit. The caller found the cooperation with a query scoped to the actor.
    """
    wanted = list(user_ids)
    all_rows = db.session.execute(
        _UNDERTAKINGS, {"cooperation_id": cooperation_id, "user_ids": wanted}
    ).all()
    rows = [columns for _id, is_current, *columns in all_rows if is_current]
    # None for one that is gone.
    decided: dict[UUID, Undertaking | None] = {
        undertaking_id: row
        for undertaking_id, is_current, row, *_columns in (all_rows if rows else ())
        if not is_current
    }
    earlier = {row.id: row for row in decided.values() if row is not None}
    current = {row[0].id: row[0] for row in rows}
    compared = bound.compare(
        [*(earlier | current).values()], asks_whether_open=True, visit_id=visit_id
    )
    # A decision on what is gone may have been about anybody.
    is_whole = None not in decided.values()
    altered = {row.user_id for row in earlier.values() if not compared[row.id].agrees}
    states = {user_id: ClearingState() for user_id in wanted}
    for row, *columns in rows:
        agrees = is_whole and row.user_id not in altered and compared[row.id].agrees
        until = _open_until(compared[row.id]) if agrees else None
        states[row.user_id] = ClearingState(
            briefed_on=row.briefed_on,
            interests=_interests(row, added_interests.bearing(row.state, columns)),
            signed=agrees and row.state in added_interests.SIGNED,
            countersigned=agrees and row.state is UndertakingState.COUNTERSIGNED,
            cleared=until is not None,
            until=until,
            agrees=agrees,
        )
    return states


def cleared_for_any(cooperation_id: UUID) -> frozenset[UUID]:
    """Return who has an open clearance in a cooperation, for all of it or for one visit (G4).

    By their evidence, and also once the agreed terms have run out, when it gives nothing: that is
    for G5 to say.
    """
    wanted = {"cooperation_id": cooperation_id, "day": clock.today()}
    rows = db.session.execute(_OPENED, wanted).all()
    compared = bound.compare([row for row, _clearance_id in rows])
    opened = {row: (compared[row.id], clearance_id) for row, clearance_id in rows}
    return frozenset(
        row.user_id
        for row, (claim, clearance_id) in opened.items()
        if claim.agrees and claim.clearance is not None and claim.clearance.id == clearance_id
    )


def _interests(undertaking: Undertaking, bearing: Bearing) -> Interests:
    """Return the state of everything a person declared; anything undecided takes precedence."""
    declares_none = undertaking.has_interests is False and not undertaking.party_has_interest
    if bearing.undecided or (undertaking.decision is None and not declares_none):
        return Interests.UNDECIDED
    if bearing.is_limited and undertaking.decision is not InterestsDecision.REPLACE:
        return Interests.LIMIT
    return Interests.NONE if undertaking.decision is None else Interests(undertaking.decision.value)


def _open_until(undertaking: Compared) -> dt.date | None:
    """Return the last day of an undertaking's clearance that is open today, for all or the visit.

    Counts only the clearance that, according to events, it opened.
    """
    clearance = undertaking.clearance if undertaking.is_open else None
    return None if clearance is None else clearance.until_on


# Beside names in lists ---------------------------------------------------------------------------

# What a list says of the decision on interests, never of the interests themselves.
INTERESTS: dict[Interests, object] = {
    Interests.NONE: _l("no interests declared"),
    Interests.UNDECIDED: _l("interests not decided"),
    Interests.ACCEPT: _l("interests accepted"),
    Interests.LIMIT: _l("interests accepted with a limit"),
    Interests.REPLACE: _l("somebody else will replace them"),
}


def words_beside(
    actor: Actor,
    cooperation_id: UUID,
    people: Iterable[Participant],
    visit_id: UUID | None = None,
    team: Collection[UUID] = (),
) -> Mapping[UUID, str]:
    """Return what is shown beside some people's names, in a constant number of statements.

    Of those who need a clearance, and whose undertaking the reader may know of: all for the NPM,
    for others themselves, their own people, and whoever is on the team of the visit they see. The
    caller has found the cooperation, and the visit, with a query scoped to the actor.
    """
    needing = [
        person.user_id
        for person in people
        if person.needs_clearance and (person.user_id in team or _may_know_of(actor, person))
    ]
    if not needing:
        return {}
    states: Mapping[UUID, ClearingState] = clearing_states(cooperation_id, needing, visit_id)
    if visit_id is not None:
        states = _without_altered_bars(cooperation_id, states)
    return {user_id: _words(state) for user_id, state in states.items()}


def _without_altered_bars(
    cooperation_id: UUID, states: Mapping[UUID, ClearingState]
) -> Mapping[UUID, ClearingState]:
    """Return people's progress, with nobody cleared whom an interest closes some places to.

    Only if the rows that say which visits these are aren't those that events bind. In two
    statements, and two more if there are such people.
    """
    cleared = [user_id for user_id, state in states.items() if state.cleared]
    closed = added_interests.closed_in(cooperation_id, cleared) if cleared else ()
    in_doubt = {row.user_id for row in closed}
    if not in_doubt or bound.bars_agree(cooperation_id):
        return states
    return {
        user_id: replace(state, cleared=False, until=None, agrees=False)
        if user_id in in_doubt
        else state
        for user_id, state in states.items()
    }


def _may_know_of(actor: Actor, person: Participant) -> bool:
    """Return whether the reader may see the status of somebody's undertaking, as in its list."""
    if actor.acts_for_npm and not actor.outside_expert:
        return True
    is_own = person.organisation_id == actor.organisation_id and actor.has(*FOR_OWN_PEOPLE)
    return is_own or person.user_id == actor.user_id


def _words(state: ClearingState) -> str:
    if state.cleared:
        return with_commas([_l("cleared"), INTERESTS[state.interests]])
    if state.signed:
        waiting = _l("not cleared") if state.countersigned else _l("to be countersigned")
        return with_commas([waiting, INTERESTS[state.interests]])
    return str(_l("not cleared"))
