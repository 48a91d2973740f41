"""A cooperation of the fictional country with its confidentiality terms in force."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from config import Settings
from tests.conftest import Database
from tests.factories import undertakings
from tests.factories.undertakings import Stage
from tracker.core import keys
from tracker.core.db import db
from tracker.demo.people import Cast

Clock = Callable[[dt.datetime | None], None]
KEPT = "undertakings"


@pytest.fixture(scope="session")
def asked_template(database_template: Flask, database: Database, settings: Settings) -> None:
    """A cooperation in which everybody listed was asked, made once and kept as a template."""
    _put_back(database_template, database, settings, "template")
    with database_template.app_context():
        undertakings.stage(undertakings.cast())
        db.session.commit()
    _disconnect(database_template)
    database.keep(KEPT)


@pytest.fixture
def app(
    database_template: Flask, database: Database, settings: Settings, asked_template: None
) -> Flask:
    """The application on a fresh copy of that template."""
    _put_back(database_template, database, settings, KEPT)
    return database_template


def _put_back(app: Flask, database: Database, settings: Settings, name: str) -> None:
    _disconnect(app)
    database.reset(name)
    # Other tests may have used keys of their own.
    keys.use(keys.load(settings.data_dir / "keys", may_make=False))


def _disconnect(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def stage(session: Session) -> Stage:
    """The cooperation in which everybody listed was asked."""
    return undertakings.found()


@pytest.fixture
def cast(session: Session) -> Cast:
    """Everybody of the fictional country, to open further cooperations."""
    return undertakings.everybody()
