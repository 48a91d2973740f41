"""Fixtures of what is written here: people of an instance, and their browsers."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import House, house, signed_in

BrowserOf = Callable[[str], CheckedClient]


@pytest.fixture
def people(session: Session) -> House:
    return house(session)


@pytest.fixture
def browser_of(people: House, browsers: Callable[[], CheckedClient]) -> BrowserOf:
    return lambda key: signed_in(browsers(), key)
