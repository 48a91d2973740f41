"""Agreed terms and terms in force, with several signatories of a party; built once."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories import agreements
from tests.factories.cooperations import bring_in
from tests.factories.negotiations import Negotiation, StoredNegotiation, begin
from tests.factories.templates import publish, small_terms
from tracker.access.actor import Role
from tracker.checklist_templates.field_content import ROW
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Mode
from tracker.core import clock
from tracker.core.db import db

Clock = Callable[[dt.datetime | None], None]
DAY = dt.timedelta(days=1)
# The notice agreed in the factory's terms.
NOTICE = 30
# How many days from today they run.
DAYS = 400
SIGNERS = {"npm": "tomas", "door": "henrik", "lantern": "otto"}


def _agree() -> StoredNegotiation:
    """The small terms, agreed; three people could sign for the NPM, two for Open Door."""
    publish(small_terms())
    negotiation = begin(db.session())
    for name, body in (("Milan Orsk", "npm"), ("Greta Vale", "npm"), ("Paula Rook", "door")):
        negotiation.country.person(name, body, Role.SIGNATORY, power="Decision of the board")
        bring_in(negotiation.country, negotiation.cooperation, name.split()[0].lower())
    negotiation.agree()
    return StoredNegotiation.of(negotiation)


def _bring_into_force() -> StoredNegotiation:
    """The supplied terms in force among three parties, with dates, notice and lasting duties."""
    negotiation = begin(db.session(), Mode.VISIT)
    sign_terms(negotiation)
    return StoredNegotiation.of(negotiation)


def sign_terms(
    negotiation: Negotiation, *, renewal: str = "automatic", days: int = DAYS
) -> Checklist:
    """Answer M19 and M20, and bring the terms into force."""
    today = clock.today()
    terms = negotiation.checklist()
    dates = agreements.term(today - DAY, today + days * DAY) | {"renewal": renewal}
    agreements.answer(negotiation.country, terms, "M19", **dates)
    agreements.answer(
        negotiation.country,
        terms,
        "M20",
        suspended_by=["npm", "cso"],
        suspension="Each party, when it can't work safely.",
        ended_by=["npm", "cso"],
        ending="Each party, for any reason.",
        notice_days=NOTICE,
        in_writing=True,
        survives=[
            {ROW: row, "how_long": "For ever", "how": "By each party."}
            for row in ("confidentiality", "data_return", "sources")
        ],
        other_duties="Thanks are owed.",
        outside_pause="no",
        pause_rule="The NPM goes on with its own people.",
        return_conditions="All agree in writing.",
        amendment="By all in writing.",
        all_accept=True,
    )
    agreements.send(negotiation.country, terms, SIGNERS)
    agreements.sign(negotiation.country, terms, *SIGNERS.values())
    return terms


@pytest.fixture
def many(app: Flask, session: Session) -> Negotiation:
    """The small terms, agreed, with several possible signatories for a party."""
    return starting_points.of(app).use("agreed", _agree).load(session, "agreed")


@pytest.fixture
def in_force(app: Flask, session: Session) -> Negotiation:
    """The supplied terms in force."""
    stored = starting_points.of(app).use("in_force", _bring_into_force)
    return stored.load(session, "in_force")


@pytest.fixture
def inviting(in_force: Negotiation) -> Negotiation:
    """The supplied terms in force, and a CSO and an NPM body whose people could let them join."""
    in_force.go_on("inviting", _add_signatories)
    return in_force


def _add_signatories(negotiation: Negotiation) -> None:
    country = negotiation.country
    country.person("Sten Mohr", "bridge", Role.SIGNATORY, power="Deed of foundation")
    country.person("Runo Falk", "other_npm", Role.SIGNATORY, power="Prevention Act, section 4")
    country.person("Cleo Marsh", "court", Role.AUDITOR, audits_id=country.id("other_npm"))
