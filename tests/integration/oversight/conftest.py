"""Two cooperations with texts in force, sent and encrypted, signatures under them, and a log."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from config import Settings
from tests.conftest import Database
from tests.factories import agreements, passkeys
from tests.factories.cooperations import Country, country, load_checklists, open_one
from tests.factories.passkeys import Device
from tracker.checklists.models import ChecklistKind
from tracker.cooperations.models import Mode
from tracker.core import keys
from tracker.core.db import db
from tracker.evidence import checkpoints, signing_keys

START, END = dt.date(2026, 1, 15), dt.date(2028, 1, 14)
PAIR = {"npm": "tomas", "door": "henrik"}


@dataclass(frozen=True)
class Known:
    """A cooperation as plain values, so that looking at it begins no transaction."""

    id: UUID
    reference: str


@dataclass(frozen=True)
class Signed:
    """The first has its terms in force and an encrypted text waiting; the second only its terms.

    The last signature of the first is made with a passkey.
    """

    first: Known
    second: Known


@pytest.fixture
def land(session: Session) -> Country:
    load_checklists()
    return country(session)


@pytest.fixture(scope="session")
def signed_template(database_template: Flask, database: Database, settings: Settings) -> Signed:
    """The two cooperations, made once for a worker and kept as a template of the database."""
    _put_back(database_template, database, settings, "template")
    with database_template.app_context():
        made = _make()
    _disconnect(database_template)
    database.keep("signed")
    return made


@pytest.fixture
def signed(
    signed_template: Signed, app: Flask, database: Database, settings: Settings, session: Session
) -> Signed:
    """The two cooperations, in place of the empty database."""
    _put_back(app, database, settings, "signed")
    return signed_template


def _make() -> Signed:
    load_checklists()
    land = country(db.session())
    first = open_one(land, "door", modes=(Mode.VISIT,))
    second = open_one(land, "door", modes=(Mode.VISIT,), title="Visits to homes for children")
    for cooperation in (first, second):
        terms = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
        agreements.answer(land, terms, "M19", **agreements.term(START, END))
        agreements.send(land, terms, PAIR)
        agreements.sign(land, terms, "tomas", "henrik")
    confidentiality = agreements.checklist_of(first, ChecklistKind.CONFIDENTIALITY)
    agreements.send_sealed(land, confidentiality, "A place and a day.", PAIR)
    device = Device()
    passkeys.add(land.actor("henrik"), device)
    agreements.sign_with_passkey(land, confidentiality, "henrik", device)
    signing_keys.make_missing()
    checkpoints.make()
    known = [Known(one.id, one.reference) for one in (first, second)]
    db.session.commit()
    return Signed(*known)


def _put_back(app: Flask, database: Database, settings: Settings, name: str) -> None:
    _disconnect(app)
    database.reset(name)
    keys.use(keys.load(settings.data_dir / "keys", may_make=False))
    signing_keys.use_place(settings.data_dir / "keys" / "evidence", "localhost")


def _disconnect(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
