"""The checking client finds unsaved changes, a GET that writes, many loads, and a stale test."""

import datetime as dt
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import client as checked
from tests.conftest import new_browser
from tracker.access.actor import OrganisationKind
from tracker.checklists.models import Checklist
from tracker.checklists.parts import read_answers
from tracker.core import services
from tracker.core.csrf import MaskedCSRFProtect
from tracker.core.db import db
from tracker.organisations.models import Organisation
from tracker.settings import Settings

PAGE = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1></main></html>"


def organisation() -> Organisation:
    return Organisation(
        id=uuid4(),
        kind=OrganisationKind.CSO,
        name="Lantern",
        short_name="Lantern",
        mark="LAN",
        country="Aldermark",
        created_at=dt.datetime(2026, 3, 2, tzinfo=dt.UTC),
    )


def forget() -> str:
    db.session.add(organisation())
    return PAGE


def flush() -> str:
    db.session.add(organisation())
    db.session.flush()
    return PAGE


def savepoint() -> str:
    with db.session.begin_nested():
        db.session.add(organisation())
    return PAGE


def delete() -> str:
    db.session.execute(sa.delete(Organisation))
    return PAGE


def save() -> str:
    db.session.add(organisation())
    db.session.commit()
    return PAGE


def load_twice() -> str:
    return load(2)


def load_again_and_again() -> str:
    return load(3)


def load(times: int) -> str:
    for _time in range(times):
        read_answers([Checklist(id=UUID(int=1), cooperation_id=UUID(int=2))])
    return PAGE


def take_back() -> str:
    db.session.add(organisation())
    db.session.flush()
    db.session.rollback()
    return PAGE


@pytest.fixture
def faulty(app: Flask, settings: Settings) -> Iterator[Flask]:
    """A small application on the same database, with deliberate faults."""
    faulty = Flask("faulty")
    faulty.config.update(
        SECRET_KEY="x" * 32, SQLALCHEMY_DATABASE_URI=settings.database_url, TESTING=True
    )
    services.give(faulty, services.of(app))
    db.init_app(faulty)
    MaskedCSRFProtect(faulty)
    checked.watch(faulty)

    for view in (
        forget,
        flush,
        savepoint,
        delete,
        save,
        take_back,
        load_twice,
        load_again_and_again,
    ):
        faulty.add_url_rule(f"/{view.__name__}", view_func=view, methods=["GET", "POST"])
    yield faulty
    with faulty.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.mark.parametrize("view", ["forget", "flush", "savepoint", "delete"])
def test_a_request_that_leaves_something_unsaved_is_found(faulty: Flask, view: str) -> None:
    with pytest.raises(AssertionError, match=f"POST /{view} left unsaved: organisation"):
        new_browser(faulty).post(f"/{view}")


@pytest.mark.parametrize("view", ["save", "take_back"])
def test_a_request_that_saves_or_takes_back_all_passes(faulty: Flask, view: str) -> None:
    assert new_browser(faulty).post(f"/{view}").status_code == 200


def test_a_get_that_writes_is_found(faulty: Flask) -> None:
    with pytest.raises(AssertionError, match=r"GET /save wrote to: .*organisation"):
        new_browser(faulty).get("/save")


def test_a_request_that_loads_a_checklist_more_than_twice_is_found(faulty: Flask) -> None:
    new_browser(faulty).get("/load_twice")
    with pytest.raises(AssertionError, match="loaded a checklist"):
        new_browser(faulty).get("/load_again_and_again")


def test_a_post_without_the_token_of_its_form_is_refused(faulty: Flask) -> None:
    @faulty.errorhandler(400)
    def _refuse(_error: Exception) -> tuple[str, int]:
        return PAGE, 400

    assert new_browser(faulty).post("/save", csrf=False).status_code == 400


def test_changes_that_the_test_has_not_committed_are_found(faulty: Flask, session: Session) -> None:
    session.add(organisation())
    with pytest.raises(AssertionError, match="not committed its changes to: organisation"):
        new_browser(faulty).get("/save")
    session.rollback()


def test_every_test_begins_with_the_same_database(faulty: Flask, session: Session) -> None:
    count = sa.select(sa.func.count()).select_from(Organisation)
    assert session.scalar(count) == 0
    new_browser(faulty).post("/save")
    assert session.scalar(count) == 1
