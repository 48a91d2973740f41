"""A folder for each test's private evidence keys."""

from pathlib import Path

import pytest
from flask import Flask

from tests.services import put
from tracker.evidence.keys.signing_keys import KEY_FOLDER, KeyFolder


@pytest.fixture
def folder(tmp_path: Path, app: Flask) -> Path:
    """The folder for private keys during the test; empty at first."""
    put(app, KEY_FOLDER.holding(KeyFolder(tmp_path / "evidence", "terms.npm.example")))
    return tmp_path / "evidence"
