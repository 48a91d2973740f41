"""A busy, full or restarted database: a page that says when to try again, with what was typed."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask, Response, after_this_request
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, People, signed_in
from tests.pages import Page
from tracker.access.gate import public
from tracker.core.db import Unavailable, db, may_be_saved, why_unavailable
from tracker.core.security import HEADERS
from tracker.ui import errors

NAME = "Samira of the harbour"
AGAIN = "Try again in a minute"


def _impatient(connection: object, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA busy_timeout=20")


@contextmanager
def out_of_reach(app: Flask) -> Iterator[None]:
    """Write from elsewhere for the block, or on PostgreSQL cut the connections once."""
    with app.app_context():
        url = db.engine.url
        db.session.remove()
        db.engine.dispose()
    if url.database is not None and url.drivername.startswith("sqlite"):
        event.listen(Engine, "connect", _impatient)
        other = sqlite3.connect(url.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.close()
            event.remove(Engine, "connect", _impatient)
        return
    app.test_client().get("/guidance")  # so that there is a connection to cut
    elsewhere = sa.create_engine(url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")
    with elsewhere.connect() as connection:
        mine = "pid <> pg_backend_pid() AND datname = current_database()"
        cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"
        assert connection.execute(sa.text(cut)).all()
    yield


@pytest.mark.both_databases
def test_a_form_sent_while_the_database_is_out_of_reach_comes_back_and_can_be_sent_again(
    app: Flask, people: People, client: CheckedClient
) -> None:
    signed_in(client, "dora")
    before = client.page("/account")
    with out_of_reach(app):
        sent = client.post("/account", data={"name": NAME}, headers={"Origin": "http://localhost"})
        page = Page.of(sent)
        assert (sent.status_code, sent.headers["Retry-After"]) == (503, "60")
        assert page.h1 == AGAIN
        assert NAME in sent.get_data(as_text=True)
        assert "Nothing was saved" in page.text
    assert NAME not in before.text
    assert client.post("/account", data={"name": NAME}).status_code in {302, 303}
    assert NAME in client.page("/account").text


def _cause(code: int) -> sqlite3.Error:
    cause = sqlite3.OperationalError("as the driver says it")
    cause.sqlite_errorcode = code
    return cause


class _RefusedError(Exception):
    """As psycopg's errors: with the state that the server gave, or none."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__()
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (_cause(sqlite3.SQLITE_BUSY), Unavailable.BUSY),
        (_cause(sqlite3.SQLITE_BUSY_SNAPSHOT), Unavailable.BUSY),
        (_cause(sqlite3.SQLITE_IOERR), Unavailable.BUSY),
        (_cause(sqlite3.SQLITE_FULL), Unavailable.FULL),
        (_cause(sqlite3.SQLITE_ERROR), None),
        (_RefusedError(None), Unavailable.BUSY),
        (_RefusedError("57P01"), Unavailable.BUSY),
        (_RefusedError("40P01"), Unavailable.BUSY),
        (_RefusedError("53300"), Unavailable.BUSY),
        (_RefusedError("53100"), Unavailable.FULL),
        (_RefusedError("42P01"), None),
    ],
)
def test_a_database_that_is_away_is_told_from_a_fault_of_the_application(
    cause: Exception, expected: Unavailable | None
) -> None:
    assert why_unavailable(sa.exc.OperationalError("", {}, cause)) is expected


def test_other_errors_of_the_database_are_faults_of_the_application() -> None:
    assert why_unavailable(sa.exc.IntegrityError("", {}, _RefusedError("23505"))) is None
    assert why_unavailable(sa.exc.InvalidRequestError()) is None
    assert why_unavailable(sa.exc.TimeoutError()) is Unavailable.BUSY


def test_a_server_without_space_says_so(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    full = sa.exc.OperationalError("", {}, _cause(sqlite3.SQLITE_FULL))

    @public
    def refuse(**_values: object) -> None:
        raise full

    monkeypatch.setitem(app.view_functions, "guidance.library", refuse)
    response = app.test_client().get("/guidance")
    assert response.status_code == 503
    assert "no space left" in Page.of(response).text


@contextmanager
def full_at_commit() -> Iterator[None]:
    """For the block, let no transaction be committed, as if the disk were full."""

    def _refuse(_session: Session) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, _cause(sqlite3.SQLITE_FULL))

    event.listen(Session, "before_commit", _refuse)
    try:
        yield
    finally:
        event.remove(Session, "before_commit", _refuse)


def _session_id(client: CheckedClient) -> object:
    with client.session_transaction() as cookie:
        return cookie.get("session_id")


def test_whoever_cannot_be_signed_in_or_out_because_the_disk_is_full_stays_as_they_were(
    people: People, client: CheckedClient
) -> None:
    credentials = {"email": "samira@example.org", "password": PASSWORD}
    for address, data in (("/sign-in", credentials), ("/sign-out", {})):
        before = _session_id(client)
        with full_at_commit():
            response = client.post(address, data=data)
        assert response.status_code == 503
        assert "no space left" in Page.of(response).text
        assert HEADERS.items() <= dict(response.headers).items()
        assert _session_id(client) == before
        signed_in(client, "samira")


def test_nothing_is_committed_after_an_error_of_the_application(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed: list[int] = []

    @public
    def fail(**_values: object) -> None:
        @after_this_request
        def _commit(response: Response) -> Response:
            committed.append(response.status_code)
            return response

        raise ZeroDivisionError

    monkeypatch.setitem(app.view_functions, "guidance.library", fail)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    response = app.test_client().get("/guidance")
    assert (response.status_code, committed) == (500, [])
    assert HEADERS.items() <= dict(response.headers).items()


def test_only_of_a_connection_that_broke_during_a_commit_is_it_unknown_what_was_saved() -> None:
    cause = Exception("the server closed the connection")

    def error(statement: str | None, *, is_broken: bool) -> sa.exc.OperationalError:
        return sa.exc.OperationalError(statement, None, cause, connection_invalidated=is_broken)

    assert may_be_saved(error(None, is_broken=True))
    assert not may_be_saved(error("UPDATE x", is_broken=True))
    assert not may_be_saved(error(None, is_broken=False))
    own = sqlite3.OperationalError("database is locked")
    assert not may_be_saved(sa.exc.OperationalError(None, None, own, connection_invalidated=True))
    assert not may_be_saved(sa.exc.TimeoutError())


@pytest.mark.both_databases
def test_the_page_says_if_nobody_knows_what_was_saved(
    app: Flask, people: People, client: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(client, "dora")
    values = client.page("/account").forms()[0].values
    monkeypatch.setattr(errors, "may_be_saved", lambda _error: True)
    with out_of_reach(app):
        answer = client.open(
            "/account",
            method="POST",
            data={**values, "name": [NAME]},
            csrf=False,
            headers={"Origin": "http://localhost"},
        )
    page = Page.of(answer)
    assert "We don't know whether it was saved. Look before you send it again." in page.text
    assert "Nothing was saved" not in page.text
