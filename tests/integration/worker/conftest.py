"""An application on its own empty database, as at a first start."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from tracker import create_app
from tracker.core.db import db
from tracker.settings import Settings


@pytest.fixture
def own_settings(settings: Settings, own_database_url: str, tmp_path: Path) -> Settings:
    """Settings with a data directory and a database of the test's own."""
    return replace(settings, data_dir=tmp_path, database_url=own_database_url)


@pytest.fixture
def empty(own_settings: Settings) -> Iterator[Flask]:
    """The application with an empty database; its context is open."""
    app = create_app(own_settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
