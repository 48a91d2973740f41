"""When reviews were held, as events say: for statements to others."""

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import verbs, witness
from tracker.activity.models import Event
from tracker.activity.witness import DetailedEvent
from tracker.reviews.models import SUBJECT, Review

VERBS = (verbs.REVIEW_CONCLUDED,)
# On Event: of the cooperations in whose chains a statement of witness looks.
IS_ABOUT = sa.and_(
    Event.subject_type == SUBJECT,
    Event.subject_id.in_(
        sa.select(Review.id).where(
            Review.cooperation_id.in_(sa.bindparam("cooperation_ids", expanding=True))
        )
    ),
)


def held_on(events: Iterable[DetailedEvent]) -> dict[UUID, dt.date | None]:
    """Return when the last review was held, by chain; None if the event's details are gone.

    A chain in which no review was concluded is not in it.
    """
    return {
        link.chain_id: dt.date.fromisoformat(details["on"]) if details else None
        for link, details in witness.those_of(events, {SUBJECT}, VERBS)
    }
