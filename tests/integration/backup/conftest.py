"""Backups of the test's application, and restoring them into a folder and database of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from pyrage import x25519

from tracker import create_app
from tracker.backup.cli import restore
from tracker.core.db import db
from tracker.settings import Settings

KEY = x25519.Identity.generate()
TO = ("--to", str(KEY.to_public()))
Restore = Callable[..., Result]


@pytest.fixture
def identity(tmp_path: Path) -> tuple[str, str]:
    """The option that names the file of the private key, as age-keygen writes it."""
    file = tmp_path / "identity.txt"
    file.write_text(f"# public key: {KEY.to_public()}\n{KEY}\n")
    return "--identity", str(file)


@pytest.fixture
def restoring(monkeypatch: pytest.MonkeyPatch) -> Restore:
    """A function that restores into a folder and a database."""

    def run(folder: Path, url: str, *words: str) -> Result:
        monkeypatch.setenv("TRACKER_DATA_DIR", str(folder))
        monkeypatch.setenv("TRACKER_DATABASE_URL", url.replace("+psycopg", ""))
        return CliRunner().invoke(restore, list(words), obj=create_app)

    return run


def back_up(app: Flask, file: Path, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["backup", str(file), *words])


def opened(folder: Path, url: str) -> Flask:
    environment = {"TRACKER_DATA_DIR": str(folder), "TRACKER_DATABASE_URL": url}
    return create_app(Settings.from_environment(environment), may_create=False)


def disconnect(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
