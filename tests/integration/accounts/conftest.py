"""An instance with people in every role."""

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People, make_people, signed_in
from tests.starting_points import noon_in

NOON = noon_in(100)
Clock = Callable[[dt.datetime | None], None]


@pytest.fixture
def people(session: Session) -> People:
    return make_people(session)


@pytest.fixture
def browser_of(
    people: People, browsers: Callable[[], CheckedClient]
) -> Callable[[str], CheckedClient]:
    """A function that returns a browser with a person signed in."""
    return lambda key: signed_in(browsers(), key)
