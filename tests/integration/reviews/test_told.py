"""Notifications about reviews: what asked for an act is marked as read once it is done."""

import sqlalchemy as sa

from tests import due
from tests.factories.negotiations import Negotiation
from tests.integration.reviews.conftest import (
    LATE,
    Clock,
    begin_review,
    confirm,
    save,
    written,
)
from tracker.core import clock
from tracker.core.db import db
from tracker.notifications.models import Notification
from tracker.reviews import service


def unread(kind: str) -> set[object]:
    """Return the people who have unread notifications of a kind."""
    db.session.expire_all()
    return set(
        db.session.scalars(
            sa.select(Notification.user_id).where(
                Notification.kind == kind, Notification.read_at.is_(None)
            )
        )
    )


def ids(negotiation: Negotiation, *firsts: str) -> set[object]:
    return {negotiation[first].user_id for first in firsts}


def test_a_party_that_has_confirmed_is_not_asked_any_more_and_the_others_are(
    active: Negotiation,
) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    confirm(active, "henrik")
    assert ids(active, "tomas", "otto") <= unread("review_confirmed")
    confirm(active, "tomas")
    assert ids(active, "otto") <= unread("review_confirmed")
    assert unread("review_confirmed").isdisjoint(ids(active, "tomas"))
    assert ids(active, "ilena") <= unread("review_begun")
    confirm(active, "otto")
    assert unread("review_confirmed") == unread("review_begun") == set()


def test_nobody_is_asked_any_more_for_a_review_that_was_called_off(active: Negotiation) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    confirm(active, "henrik")
    service.call_off(active["samira"], active.cooperation, 1, reason="Too early.")
    active.session.commit()
    assert unread("review_confirmed") == unread("review_begun") == set()


def test_nobody_is_reminded_any_more_of_a_review_that_has_begun(
    active: Negotiation, frozen_time: Clock
) -> None:
    frozen_time(clock.now() + LATE)
    due.remind_of_dates(clock.today())
    active.session.commit()
    assert ids(active, "ilena", "samira") <= unread("review_near")
    begin_review(active)
    assert unread("review_near") == set()
