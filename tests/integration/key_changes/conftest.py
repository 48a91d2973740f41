"""A folder of keys of the test's own, and the command that changes them."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask, has_app_context

from tests.services import put
from tracker.core import keys
from tracker.core.db import db
from tracker.core.keys import WatchedFolder
from tracker.evidence.keys import signing_keys
from tracker.evidence.keys.signing_keys import KeyFolder
from tracker.settings import Settings

Tracker = Callable[..., Result]
# By the word for the command, the name of the file.
NAMES = {"fields": "fields", "trail": "trail", "factors": "totp"}


def use_copy(app: Flask, settings: Settings, folder: Path) -> Path:
    """Let an application use a copy of its keys in a data directory; return their folder."""
    shutil.copytree(settings.data_dir / "keys", folder / "keys")
    app.extensions["settings"] = replace(settings, data_dir=folder)
    own = folder / "keys"
    put(
        app,
        keys.KEYS.holding(WatchedFolder(own, keys.load(own, may_make=False))),
        signing_keys.KEY_FOLDER.holding(KeyFolder(own / "evidence", "localhost")),
    )
    return own


@pytest.fixture
def tracker(app: Flask) -> Tracker:
    """A function that runs a command, after the transaction of the test has ended."""

    def run(*words: str) -> Result:
        if has_app_context():
            db.session.rollback()
        return app.test_cli_runner().invoke(args=list(words))

    return run
