"""Queries for people's progress towards a clearance, for the readiness of visits.

What only the rows say about an undertaking or a clearance doesn't count.
"""

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.checklists.models import Checklist
from tracker.cooperations import clearances
from tracker.cooperations.models import Clearance
from tracker.core import clock
from tracker.core.db import db
from tracker.undertakings import added_interests, bound
from tracker.undertakings.added_interests import Bearing
from tracker.undertakings.bound import Compared
from tracker.undertakings.models import (
    InterestsDecision,
    Undertaking,
    UndertakingState,
)


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


_UNDERTAKINGS = (
    sa.select(Undertaking, *added_interests.bearing_columns())
    .join(Checklist, Checklist.revision_in_force_id == Undertaking.terms_revision_id)
    .where(
        Undertaking.cooperation_id == sa.bindparam("cooperation_id"),
        Undertaking.user_id.in_(sa.bindparam("user_ids", expanding=True)),
        Undertaking.state != UndertakingState.CLOSED,
    )
)
_OPEN = sa.select(Clearance.undertaking_id, Clearance.until_on).where(
    Clearance.id.in_(sa.bindparam("ids", expanding=True)),
    clearances.covers(sa.bindparam("visit_id", type_=sa.Uuid())),
    clearances.is_open(sa.bindparam("day", type_=sa.Date())),
)


def clearing_states(
    cooperation_id: UUID, user_ids: Iterable[UUID], visit_id: UUID | None = None
) -> dict[UUID, ClearingState]:
    """Return the progress of some people, in a constant number of queries.

    cleared says whether a clearance is open today for all of the cooperation, or for the named
    visit. The caller found the cooperation with a query scoped to the actor.
    """
    wanted = list(user_ids)
    rows = db.session.execute(
        _UNDERTAKINGS, {"cooperation_id": cooperation_id, "user_ids": wanted}
    ).all()
    compared = bound.compare([row[0] for row in rows])
    opened = _open_for(compared.values(), visit_id)
    states = {user_id: ClearingState() for user_id in wanted}
    for row, *columns in rows:
        agrees, until = compared[row.id].agrees, opened.get(row.id)
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


def _interests(undertaking: Undertaking, bearing: Bearing) -> Interests:
    """Return the state of everything a person declared; anything undecided takes precedence."""
    declares_none = undertaking.has_interests is False and not undertaking.party_has_interest
    if bearing.undecided or (undertaking.decision is None and not declares_none):
        return Interests.UNDECIDED
    if bearing.is_limited and undertaking.decision is not InterestsDecision.REPLACE:
        return Interests.LIMIT
    return Interests.NONE if undertaking.decision is None else Interests(undertaking.decision.value)


def _open_for(undertakings: Iterable[Compared], visit_id: UUID | None) -> dict[UUID, dt.date]:
    """Return the last day of each undertaking's clearance that is open today, for all or the visit.

    Counts only the clearance that, according to events, it opened.
    """
    clearance_ids = [
        undertaking.clearance.id
        for undertaking in undertakings
        if undertaking.agrees and undertaking.clearance is not None
    ]
    if not clearance_ids:
        return {}
    rows = db.session.execute(
        _OPEN, {"ids": clearance_ids, "visit_id": visit_id, "day": clock.today()}
    )
    return dict(rows.all())
