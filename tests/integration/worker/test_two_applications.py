"""Two applications in one process: each has its own settings, keys and database."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import client as checked
from tests import due, open_sessions, starting_points
from tests.at_once import at_once
from tests.client import CheckedClient
from tests.databases import PostgresDatabase, SqliteDatabase
from tests.factories import checklists
from tests.factories.accounts import People, sign_in
from tests.factories.negotiations import begin
from tests.factories.templates import publish, small_terms
from tests.pages import Page
from tests.services import replaced
from tests.starting_points import noon_in
from tracker import create_app
from tracker.access.actor import OrganisationKind, Role
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.agreements import service as agreements
from tracker.cooperations.models import Cooperation
from tracker.core import clock, keys
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.evidence.keys import signing_keys
from tracker.evidence.log import checkpoints
from tracker.oversight import integrity
from tracker.oversight.integrity import NotCheckableError
from tracker.settings import Settings
from tracker.signoff.signers import Named, PartySigners
from tracker.worker import prepare

Frozen = Callable[[dt.datetime], None]


@dataclass
class Instance:
    """An application on its own database, with the ids of its people and organisations."""

    app: Flask
    settings: Settings
    people: dict[str, UUID] = field(default_factory=dict)
    organisations: dict[str, UUID] = field(default_factory=dict)

    def browser(self) -> CheckedClient:
        client = self.app.test_client()
        assert isinstance(client, CheckedClient)
        return client

    def load_people(self) -> People:
        """Return its people; called in its context."""
        return People(db.session(), self.organisations, self.people)

    def cooperations(self) -> list[str]:
        with self.app.app_context():
            return list(db.session.scalars(sa.select(Cooperation.title)))


@pytest.fixture
def make(
    settings: Settings, request: pytest.FixtureRequest, tmp_path: Path, copies: Path
) -> Iterator[Callable[..., Instance]]:
    """A function that returns an instance with the given settings.

    The first test of a run prepares it as a first start does; others get a copy.
    """
    instances: list[Instance] = []

    def instance(name: str, **own: Any) -> Instance:
        folder = tmp_path / name
        folder.mkdir()
        database = database_of(request, folder, name, copies)
        others = replace(settings, data_dir=folder, database_url=database.url, **own)

        def build() -> None:
            app = create_app(others)
            with app.app_context():
                prepare.prepare(others, lambda _line: None)
                disconnect()

        starting_points.use_instance(f"instance_{name}", others, database, copies, build)
        app = create_app(others)
        checked.watch(app)
        instances.append(Instance(app, others))
        return instances[-1]

    yield instance
    for each in instances:
        with each.app.app_context():
            disconnect()


def disconnect() -> None:
    db.session.remove()
    db.engine.dispose()


def database_of(
    request: pytest.FixtureRequest, folder: Path, name: str, copies: Path
) -> PostgresDatabase | SqliteDatabase:
    if request.config.getoption("database") == "postgresql":
        worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
        return PostgresDatabase(request.getfixturevalue("postgres_folder"), f"{worker}_{name}")
    return SqliteDatabase(folder / "tracker.sqlite3", copies)


@pytest.fixture
def north(make: Callable[..., Instance]) -> Instance:
    return make(
        "north",
        timezone="Pacific/Auckland",
        four_eyes=True,
        second_factor_roles=(Role.MANAGER,),
        languages=("en", "ar"),
        base_url="http://north.example",
    )


@pytest.fixture
def south(make: Callable[..., Instance], north: Instance) -> Instance:
    """The one that is built last."""
    return make(
        "south",
        timezone="America/Lima",
        four_eyes=False,
        second_factor_roles=(),
        languages=("en",),
        base_url="http://south.example",
    )


def fill(instance: Instance) -> None:
    with instance.app.app_context():
        people = instance.load_people()
        people.add_organisation("npm", "Prevention Office", OrganisationKind.NPM)
        people.add_organisation("door", "Harbour Legal Aid", OrganisationKind.CSO)
        people.add_person("ilena", "npm", Role.COORDINATOR)
        people.add_person("nadia", "npm", Role.MANAGER)


def record(instance: Instance) -> None:
    """Record an event in the instance's only cooperation; called in its context."""
    cooperation = db.session.scalars(sa.select(Cooperation)).one()
    trail.record(
        verbs.COOPERATION_CHANGED,
        actor=instance.load_people().actor("ilena"),
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        changed=["title"],
    )


def open_cooperation(instance: Instance, browser: CheckedClient, title: str) -> None:
    head = {
        "title": title,
        "purpose": "To learn how people are kept.",
        "organisation_ids": [str(instance.organisations["door"])],
        "step": "open",
    }
    answer = browser.post("/cooperations/open", data=head, follow_redirects=True)
    assert "is open." in answer.text


@pytest.fixture
def both(north: Instance, south: Instance) -> tuple[Instance, Instance]:
    """The two, whose people have the same names and addresses but different ids."""
    fill(north)
    fill(south)
    return north, south


@pytest.mark.both_databases
def test_people_work_in_both_by_turns_and_at_once_and_each_trail_is_sound_by_its_own_keys_alone(
    both: tuple[Instance, Instance],
) -> None:
    north, south = both
    in_north, in_south = north.browser(), south.browser()
    sign_in(in_north, "ilena")
    sign_in(in_south, "ilena")
    open_cooperation(north, in_north, "Custody in the north")
    open_cooperation(south, in_south, "Custody in the south")
    assert "Custody in the south" not in in_north.page("/cooperations").text
    assert "Custody in the north" not in in_south.page("/cooperations").text
    with north.app.app_context():
        record(north)
        with south.app.app_context():  # as in the middle of the other one's work
            record(south)
            db.session.commit()
        record(north)
        db.session.commit()
    assert north.cooperations() == ["Custody in the north"]
    assert south.cooperations() == ["Custody in the south"]

    def in_south_too() -> None:
        with south.app.app_context():
            for _ in range(5):
                record(south)
                db.session.commit()

    def in_north_too() -> None:
        for _ in range(5):
            record(north)
            db.session.commit()

    assert at_once(north.app, in_north_too, in_south_too) == []
    for own, other, recorded in ((north, south, 2 + 5), (south, north, 1 + 5)):
        with own.app.app_context():
            verdict = integrity.check_all()
            assert verdict.finding is None
            assert verdict.counts.events == db.session.scalar(sa.select(sa.func.count(Event.id)))
            changed = sa.select(sa.func.count(Event.id)).where(Event.verb == "cooperation_changed")
            assert db.session.scalar(changed) == recorded
            with (
                replaced(own.app, keys.KEYS.holding(keys.of(other.app))),
                pytest.raises(NotCheckableError, match="keys are not those of this database"),
            ):
                integrity.check_all()


def test_each_has_its_own_sessions_day_languages_address_and_rules(
    both: tuple[Instance, Instance], frozen_time: Frozen
) -> None:
    sessions_are_their_own(*both)
    second_factors_are_their_own(both)
    four_eyes_are_required_in_the_first(both)
    days_languages_and_addresses_are_their_own(both, frozen_time)


def sessions_are_their_own(north: Instance, south: Instance) -> None:
    """Check that a session of the south signs nobody in to the north.

    Even one that correctly names a person of the north.
    """
    with north.app.app_context():
        ilena = north.load_people().user("ilena")
        content = open_sessions.cookie_of(north.app, ilena.id, ilena.fs_uniquifier)
    for signer, is_let_in in ((north, True), (south, False)):
        signed = signer.browser()
        open_sessions.keep(signed, content)
        cookie = signed.get_cookie("session")
        assert cookie is not None
        elsewhere = north.browser()
        elsewhere.set_cookie("session", cookie.value)
        assert (elsewhere.get("/account").status_code == 200) is is_let_in


def second_factors_are_their_own(both: tuple[Instance, Instance]) -> None:
    """Check that a manager needs a second factor only in the north."""
    browsers = [instance.browser() for instance in both]
    places = [Page.of(sign_in(browser, "nadia")).where for browser in browsers]
    assert places == ["/account/second-factor/needed", "/"]


def four_eyes_are_required_in_the_first(both: tuple[Instance, Instance]) -> None:
    """Check that a text written by its signatory alone can only be sent in the south."""
    for instance in both:
        with instance.app.app_context():
            publish(small_terms())
            negotiation = begin(db.session())
            checklists.agree(negotiation.checklist(), negotiation.writers, negotiation["oren"])
            ilena = PartySigners(
                negotiation.country.id("npm"), (Named(negotiation["ilena"].user_id),)
            )
            if instance is both[1]:
                agreements.require_four_eyes(negotiation.loaded(), [ilena])
                continue
            with pytest.raises(RuleBrokenError, match="wrote this text alone"):
                agreements.require_four_eyes(negotiation.loaded(), [ilena])
            db.session.rollback()


def days_languages_and_addresses_are_their_own(
    both: tuple[Instance, Instance], frozen_time: Frozen
) -> None:
    """Check what each says of the day, where it is and in which language."""
    north, south = both
    late = noon_in(2) + dt.timedelta(hours=11, minutes=30)
    frozen_time(late)
    with ExitStack() as contexts:
        for instance, ahead in ((north, 1), (south, 0), (north, 1)):
            contexts.enter_context(instance.app.app_context())
            assert clock.zone() == ZoneInfo(instance.settings.timezone)
            assert clock.today() == late.date() + dt.timedelta(days=ahead)
            assert checkpoints.origin() == instance.settings.base_url
            newest = due.make_checkpoint()
            assert newest is not None
            assert newest.origin == instance.settings.base_url
            db.session.commit()
            folder = instance.settings.data_dir / "keys" / "evidence"
            assert signing_keys.trouble() == []
            assert len(list(folder.glob("*.key"))) == 2
            db.session.rollback()
    for instance, language in ((north, "ar"), (south, "en")):
        page = Page.of(instance.browser().get("/sign-in", headers={"Accept-Language": "ar"}))
        assert page.root.attrib["lang"] == language
