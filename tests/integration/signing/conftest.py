"""Terms agreed and terms in force, with several signatories of a party; made once and kept."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from config import Settings
from tests.conftest import Database
from tests.factories import agreements
from tests.factories.cooperations import Country, bring_in, load_checklists
from tests.factories.templates import publish, small_terms
from tests.integration.checklists.conftest import Table, set_out
from tracker.access.actor import Role
from tracker.accounts.models import User
from tracker.checklists.facts import ROW
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation, Mode
from tracker.core import clock, keys
from tracker.core.db import db
from tracker.organisations.models import Organisation

Clock = Callable[[dt.datetime | None], None]
DAY = dt.timedelta(days=1)
# Notice agreed in the terms of the factory.
NOTICE = 30
# Days from today on until which they run.
DAYS = 400
SIGNERS = {"npm": "tomas", "door": "henrik", "lantern": "otto"}


@dataclass(frozen=True)
class Kept:
    """A table as plain values, from which it is laid again in another session."""

    cooperation: UUID
    organisations: dict[str, UUID]
    users: dict[str, UUID]
    homes: dict[str, UUID | None]

    @classmethod
    def of(cls, table: Table) -> "Kept":
        land = table.land
        return cls(
            table.cooperation.id,
            {key: one.id for key, one in land.organisations.items()},
            {first: one.id for first, one in land.users.items()},
            {first: home.id if home else None for first, home in land.homes.items()},
        )

    def laid(self, session: Session) -> Table:
        homes = {
            first: session.get_one(Organisation, home) if home else None
            for first, home in self.homes.items()
        }
        land = Country(
            session,
            {key: session.get_one(Organisation, one) for key, one in self.organisations.items()},
            {first: session.get_one(User, one) for first, one in self.users.items()},
            homes,
        )
        return Table(land, session.get_one(Cooperation, self.cooperation))


@pytest.fixture(scope="session")
def agreed_template(database_template: Flask, database: Database, settings: Settings) -> Kept:
    """The small terms agreed; three persons could sign for the NPM, two for Open Door."""
    _put_back(database_template, database, settings, "template")
    with database_template.app_context():
        publish(small_terms())
        table = set_out(db.session())
        for name, body in (("Milan Orsk", "npm"), ("Greta Vale", "npm"), ("Paula Rook", "door")):
            table.land.person(name, body, Role.SIGNATORY, power="Decision of the board")
            bring_in(table.land, table.cooperation, name.split()[0].lower())
        table.agree()
        db.session.commit()
        kept = Kept.of(table)
    _disconnect(database_template)
    database.keep("agreed")
    return kept


@pytest.fixture(scope="session")
def in_force_template(database_template: Flask, database: Database, settings: Settings) -> Kept:
    """The shipped terms in force among three parties, with dates, notice and duties that stay."""
    _put_back(database_template, database, settings, "template")
    with database_template.app_context():
        load_checklists()
        table = set_out(db.session(), Mode.VISIT)
        sign_terms(table)
        db.session.commit()
        kept = Kept.of(table)
    _disconnect(database_template)
    database.keep("in_force")
    return kept


def sign_terms(table: Table, *, renewal: str = "automatic", days: int = DAYS) -> Checklist:
    """Answer M19 and M20, and bring the terms with them into force."""
    today = clock.today()
    terms = table.checklist()
    dates = agreements.term(today - DAY, today + days * DAY) | {"renewal": renewal}
    agreements.answer(table.land, terms, "M19", **dates)
    agreements.answer(
        table.land,
        terms,
        "M20",
        suspension="Each party, when it can't work safely.",
        ending="Each party, for any reason.",
        notice_days=NOTICE,
        in_writing=True,
        survives=[
            {ROW: row, "how_long": "For ever", "how": "By each party."}
            for row in ("confidentiality", "data_return", "sources")
        ],
        other_duties="Thanks are owed.",
        amendment="By all in writing.",
        all_accept=True,
    )
    agreements.send(table.land, terms, SIGNERS)
    agreements.sign(table.land, terms, *SIGNERS.values())
    return terms


@pytest.fixture
def many(
    agreed_template: Kept, app: Flask, database: Database, settings: Settings, session: Session
) -> Table:
    """The small terms agreed, with several who could sign for a party."""
    _put_back(app, database, settings, "agreed")
    return agreed_template.laid(session)


@pytest.fixture
def in_force(
    in_force_template: Kept, app: Flask, database: Database, settings: Settings, session: Session
) -> Table:
    """The shipped terms in force."""
    _put_back(app, database, settings, "in_force")
    return in_force_template.laid(session)


def _put_back(app: Flask, database: Database, settings: Settings, name: str) -> None:
    _disconnect(app)
    database.reset(name)
    keys.use(keys.load(settings.data_dir / "keys", may_make=False))


def _disconnect(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
