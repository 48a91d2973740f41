"""An application on its own empty database, as at a first start."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from tests import starting_points
from tests.databases import Database
from tracker import create_app
from tracker.core.db import db
from tracker.settings import Settings
from tracker.worker import prepare, schema

# A version before the evidence had keys.
BEFORE = "0010_signing"


@pytest.fixture
def own_settings(settings: Settings, own_database_url: str, tmp_path: Path) -> Settings:
    """Settings with a data directory and a database of the test's own."""
    return replace(settings, data_dir=tmp_path, database_url=own_database_url)


def first_start(settings: Settings) -> list[str]:
    """Prepare an empty instance, and leave it; return what was said."""
    app, lines = create_app(settings), list[str]()
    with app.app_context():
        prepare.prepare(settings, lines.append)
        db.session.remove()
        db.engine.dispose()
    return lines


@pytest.fixture
def prepared(own_settings: Settings, own_database: Database, copies: Path) -> Iterator[Flask]:
    """The application after its first start, which one test of a run does; its context is open."""
    use_prepared(own_settings, own_database, copies)
    yield from opened(own_settings)


def use_prepared(settings: Settings, database: Database, copies: Path) -> None:
    starting_points.use_instance(
        "prepared", settings, database, copies, lambda: first_start(settings)
    )


@pytest.fixture
def from_before(own_settings: Settings, own_database: Database, copies: Path) -> Iterator[Flask]:
    """The application on a database that an earlier version left; its context is open."""

    def build() -> None:
        use_prepared(own_settings, own_database, copies)
        app = create_app(own_settings)
        with app.app_context():
            schema.downgrade(revision=BEFORE)
            db.session.remove()
            db.engine.dispose()

    starting_points.use_instance("from_before", own_settings, own_database, copies, build)
    yield from opened(own_settings)


def opened(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def empty(own_settings: Settings) -> Iterator[Flask]:
    """The application with an empty database; its context is open."""
    yield from opened(own_settings)
