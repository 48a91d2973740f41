"""A cooperation of the fictional country with its confidentiality terms in force."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import undertakings
from tests.factories.undertakings import Clearing
from tracker.demo.people import DemoPeople

Clock = Callable[[dt.datetime | None], None]


@pytest.fixture
def app(worker_app: Flask) -> Flask:
    """The application on a database with a cooperation in which everybody listed was asked."""
    undertakings.start(worker_app)
    return worker_app


@pytest.fixture
def clearing(session: Session) -> Clearing:
    """The cooperation in which everybody listed was asked."""
    return undertakings.existing()


@pytest.fixture
def demo_people(session: Session) -> DemoPeople:
    """Everybody in the fictional country, for opening further cooperations."""
    return undertakings.everybody()
