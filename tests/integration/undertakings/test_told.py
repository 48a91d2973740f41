"""Notifications about undertakings: what asked for an act is marked as read once it is done."""

import pytest
import sqlalchemy as sa

from tests.factories.undertakings import Clearing
from tracker.core.db import db
from tracker.notifications.models import Notification
from tracker.undertakings import handlers, service
from tracker.undertakings.models import UndertakingEnd

pytestmark = pytest.mark.both_databases


def unread(kind: str, clearing: Clearing, key: str) -> int:
    """Return how many unread notifications of a kind are about somebody's undertaking."""
    db.session.commit()
    number = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Notification)
        .where(
            Notification.about_id == clearing.undertaking(key).id,
            Notification.kind == kind,
            Notification.read_at.is_(None),
        )
    )
    return number or 0


def test_whoever_has_signed_is_not_asked_any_more_and_the_npm_is(clearing: Clearing) -> None:
    assert unread("undertaking_asked", clearing, "leyla") == 1
    clearing.sign("leyla")
    assert unread("undertaking_asked", clearing, "leyla") == 0
    assert unread("undertaking_signed", clearing, "leyla") > 0


def test_nobody_is_asked_any_more_for_an_undertaking_of_somebody_who_is_no_longer_listed(
    clearing: Clearing,
) -> None:
    clearing.sign("leyla")
    assert unread("undertaking_asked", clearing, "henrik") == 1
    assert unread("undertaking_signed", clearing, "leyla") > 0
    for undertaking in (clearing.undertaking("leyla"), clearing.undertaking("henrik")):
        handlers.close(None, undertaking, UndertakingEnd.UNLISTED)
    assert unread("undertaking_asked", clearing, "henrik") == 0
    assert unread("undertaking_signed", clearing, "leyla") == 0


def test_nobody_is_asked_any_more_once_the_person_withdraws(clearing: Clearing) -> None:
    clearing.sign("leyla")
    service.withdraw(clearing.actor("leyla"), clearing.undertaking("leyla").id)
    assert unread("undertaking_signed", clearing, "leyla") == 0


def test_nobody_at_the_npm_is_asked_any_more_once_one_has_countersigned(clearing: Clearing) -> None:
    clearing.clear("leyla")
    assert unread("undertaking_signed", clearing, "leyla") == 0
