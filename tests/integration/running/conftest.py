"""An application on an empty database of its own, as at a first start."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from config import Settings
from tests.conftest import PostgresDatabase, SqliteDatabase
from tracker import create_app
from tracker.core import keys
from tracker.core.db import db


@pytest.fixture
def own_settings(settings: Settings, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with a data directory and a database of the test's own."""
    database: SqliteDatabase | PostgresDatabase = SqliteDatabase(tmp_path)
    if request.config.getoption("database") == "postgresql":
        worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
        folder = request.getfixturevalue("postgres_folder")
        database = PostgresDatabase(folder, f"{worker}_running")
    return replace(settings, data_dir=tmp_path, database_url=database.url)


@pytest.fixture
def empty(own_settings: Settings, settings: Settings) -> Iterator[Flask]:
    """The application with nothing in its database yet; its context is open."""
    before = keys._ring.keys
    app = create_app(own_settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    keys._ring.keys = before
