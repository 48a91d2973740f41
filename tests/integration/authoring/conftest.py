"""Fixtures for authoring: people of an instance, and their browsers."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People, make_people, signed_in
from tests.factories.authoring import publish_short_terms
from tracker.activity.models import Chain, ChainKind, Event, EventDetail

BrowserOf = Callable[[str], CheckedClient]


@pytest.fixture
def people(session: Session) -> People:
    return make_people(session)


@pytest.fixture
def browser_of(people: People, browsers: Callable[[], CheckedClient]) -> BrowserOf:
    return lambda key: signed_in(browsers(), key)


@pytest.fixture
def short_terms(people: People) -> None:
    """Terms of four items, published as the newest version."""
    publish_short_terms()
    people.session.commit()


def events(session: Session, verb: str) -> list[dict[str, object]]:
    """Return the details of a verb's events in the instance's chain."""
    return list(
        session.scalars(
            sa.select(EventDetail.content)
            .join(Event, Event.id == EventDetail.event_id)
            .join(Chain, Chain.id == Event.chain_id)
            .where(Chain.kind == ChainKind.INSTANCE, Event.verb == verb)
            .order_by(Event.number)
        )
    )
