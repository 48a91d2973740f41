"""Two cooperations with texts in force, sent and encrypted, their signatures, and a log."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import due, starting_points
from tests.factories import agreements, passkeys
from tests.factories.cooperations import (
    Country,
    copied_country,
    load_checklists,
    make_country,
    open_one,
)
from tests.factories.evidence import sent_terms
from tests.factories.passkeys import Device
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations.models import Mode
from tracker.core.db import db
from tracker.evidence.keys import signing_keys


@dataclass(frozen=True)
class Known:
    """A cooperation as plain values, so that reading it begins no transaction."""

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
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def signed(app: Flask, session: Session) -> Signed:
    """The two cooperations, in place of the empty database."""
    return starting_points.of(app).use("signed", _make)


def _make() -> Signed:
    load_checklists()
    country = make_country(db.session())
    first = open_one(country, "door", modes=(Mode.VISIT,))
    second = open_one(country, "door", modes=(Mode.VISIT,), title="Visits to homes for children")
    for cooperation in (first, second):
        sent_terms.signed_by(country, cooperation, "tomas", "henrik")
    confidentiality = agreements.checklist_of(first, ChecklistKind.CONFIDENTIALITY)
    agreements.send_sealed(country, confidentiality, "A place and a day.", sent_terms.PAIR)
    device = Device()
    passkeys.add(country.actor("henrik"), device)
    agreements.sign_with_passkey(country, confidentiality, "henrik", device)
    signing_keys.make_missing()
    db.session.commit()
    due.make_checkpoint()
    known = [Known(cooperation.id, cooperation.reference) for cooperation in (first, second)]
    return Signed(*known)
