"""Acts that end a task: what told people of it is marked as read, for them or for everybody."""

import pytest
import sqlalchemy as sa

from tests.factories import checklists
from tests.factories.checklists import decline_text
from tests.factories.tables import Table
from tracker.access.actor import Actor
from tracker.agreements import service as agreements
from tracker.core.db import db
from tracker.notifications.models import Notification

pytestmark = pytest.mark.both_databases


@pytest.fixture
def sent(table: Table) -> Table:
    """The terms, sent for signature; nobody has signed."""
    table.send()
    table.session.commit()
    return table


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


def ids(*actors: Actor) -> set[object]:
    return {actor.user_id for actor in actors}


def test_whoever_has_signed_is_not_asked_any_more_and_the_others_are(sent: Table) -> None:
    before = unread("text_sent")
    assert ids(sent["henrik"]) <= before
    checklists.sign(sent.checklist(), sent["henrik"])
    sent.session.commit()
    assert unread("text_sent") == before - ids(sent["henrik"])


def test_nobody_is_asked_any_more_once_everyone_has_signed(sent: Table) -> None:
    for first in ("tomas", "henrik", "otto"):
        checklists.sign(sent.checklist(), sent[first])
        sent.session.commit()
    assert unread("text_sent") == set()
    assert unread("text_in_force")


def test_nobody_is_asked_any_more_for_a_declined_text(sent: Table) -> None:
    decline_text(sent["henrik"], sent.checklist(), reason="M2 is unclear.", items=["M2"])
    sent.session.commit()
    assert unread("text_sent") == set()
    assert unread("text_declined")


def test_nobody_is_asked_any_more_for_a_text_that_was_called_back(sent: Table) -> None:
    agreements.call_back(sent["ilena"], sent.checklist(), reason="A date is wrong.")
    sent.session.commit()
    assert unread("text_sent") == set()
