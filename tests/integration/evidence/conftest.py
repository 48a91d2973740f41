"""A folder for private evidence keys, and terms that the NPM has signed."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories.cooperations import Country
from tests.factories.evidence import sent_terms
from tests.factories.evidence.sent_terms import Sent
from tests.services import put
from tracker.checklists.models import Checklist
from tracker.evidence.keys.signing_keys import KEY_FOLDER, KeyFolder


@pytest.fixture
def folder(tmp_path: Path, app: Flask) -> Path:
    """The folder for private keys during the test; empty at first."""
    put(app, KEY_FOLDER.holding(KeyFolder(tmp_path / "evidence", "terms.npm.example")))
    return tmp_path / "evidence"


@pytest.fixture
def stored(app: Flask, session: Session) -> Sent:
    """The country in place of the empty database, with keys for the evidence."""
    return starting_points.of(app).use("sent_terms", sent_terms.make)


@pytest.fixture
def country(session: Session, stored: Sent) -> Country:
    return stored.country.load(session)


@pytest.fixture
def terms(session: Session, stored: Sent) -> Checklist:
    """Terms that the NPM has signed and its partner has not."""
    return session.get_one(Checklist, stored.terms)
