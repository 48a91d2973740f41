"""An instance with people in every role."""

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import House, house, signed_in

NOON = dt.datetime(2027, 3, 1, 12, 0, tzinfo=dt.UTC)
Clock = Callable[[dt.datetime | None], None]


@pytest.fixture
def people(session: Session) -> House:
    return house(session)


@pytest.fixture
def browser_of(
    people: House, browsers: Callable[[], CheckedClient]
) -> Callable[[str], CheckedClient]:
    """Gives a browser with a person signed in."""
    return lambda key: signed_in(browsers(), key)
