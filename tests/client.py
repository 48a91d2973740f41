"""A test client that checks each response: type, HTML, nothing unsaved, no GET that writes."""

import contextvars
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from flask import Flask, Response, current_app, has_app_context, request
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction
from werkzeug.test import TestResponse

from tests.pages import Page, without_tokens
from tracker.checklists import parts
from tracker.core import slow_work
from tracker.core.db import db

# The tables that a GET may write to (product.md, section 7).
_WRITTEN_BY_READING = {"read_log_entry", "security_log_entry"}
_READING = {"GET", "HEAD", "OPTIONS"}
_FAULTS = "request_faults"
# How often a request may load the same checklist: before its action, and once more after it. What
# was loaded before slow work isn't counted, since the request begins again after it (slow_work).
_MOST_LOADS = 2
_LOADS = "loads"
_BEGUN_AGAIN = "begun_again"
# The pages of refusals that were checked. In each the form for the language has its address.
_BACK = re.compile(r'(name="back" value=")/[\w/.-]*(?=")')
_CHECKED: set[str] = set()
_REFUSALS = {400, 403, 404}


class CheckedClient(FlaskClient):
    """A person's browser.

    Each client has its own cookies; a request shares nothing with the test. A POST carries the
    session's token, as a form on a page would; csrf=False leaves it out. read=False skips the
    checks of the page, if another test checks the same one.
    """

    # The cookie that the browser had when its token was last made, and the token.
    _cookie_and_token = ("", "")

    def open(self, *args: Any, csrf: bool = True, read: bool = True, **kwargs: Any) -> TestResponse:
        """Request a page, check the response, and return it."""
        _end_transaction_of_the_test()
        faults: list[str] = self.application.extensions[_FAULTS]
        faults.clear()
        if csrf and kwargs.get("method") == "POST" and isinstance(kwargs.get("data"), dict | None):
            kwargs["data"] = {"csrf_token": self._token(), **(kwargs.get("data") or {})}
        # In an empty context: a request must not see the test's own session or signed-in person.
        response = contextvars.Context().run(super().open, *args, **kwargs)
        assert not faults, "; ".join(faults)
        _check_type(response)
        is_redirect = 300 <= response.status_code < 400
        if read and response.mimetype == "text/html" and not is_redirect and response.data:
            _check_page(response)
        return response

    def page(self, url: str, status: int = 200) -> Page:
        """Return the page at a URL, after redirects; fail on any other status."""
        response = self.get(url, follow_redirects=True)
        assert response.status_code == status, f"{url}: {response.status}"
        return Page.of(response)

    def submit(
        self, url: str, *, action: str | None = None, follow: bool = True, **fields: object
    ) -> TestResponse:
        """Open a page, fill in its form and send it; fail on fields that the form does not have.

        A field of None or False is left out, as an unticked box would be.
        """
        page = self.page(url)
        form = page.form(action)
        return self.open(
            form.action or page.where,
            method=form.method.upper(),
            data=form.filled_in(**fields),
            csrf=False,
            follow_redirects=follow,
        )

    def _token(self) -> str:
        """Return a form token that fits this browser's session, as any page would contain."""
        cookie, known = self._cookie_and_token
        if cookie and cookie == self._cookie():
            return known

        def keep() -> str:
            with self.session_transaction() as session:
                raw: str = session.setdefault("csrf_token", secrets.token_hex(20))
                return raw

        signer = URLSafeTimedSerializer(cast("str", self.application.secret_key), "wtf-csrf-token")
        token = str(signer.dumps(contextvars.Context().run(keep)))
        self._cookie_and_token = (self._cookie(), token)
        return token

    def _cookie(self) -> str:
        cookie = self.get_cookie(self.application.config["SESSION_COOKIE_NAME"])
        return cookie.value if cookie else ""


def _check_page(response: TestResponse) -> None:
    """Check a page; of refusals that differ only in the address of the page, the first."""
    if response.status_code not in _REFUSALS:
        Page.of(response).check()
        return
    page = _BACK.sub(r"\1", without_tokens(response.get_data(as_text=True)))
    if page not in _CHECKED:
        Page.of(response).check()
        _CHECKED.add(page)


def _check_type(response: TestResponse) -> None:
    """Require that a body says its type and, if it's text, its charset."""
    if not response.data:
        return
    content_type = response.headers.get("Content-Type", "")
    assert content_type, f"{response.request.path} doesn't say its type"
    if content_type.startswith("text/"):
        assert "charset=utf-8" in content_type.lower(), f"{response.request.path}: {content_type}"


def watch(app: Flask) -> None:
    """Make the application's clients check responses, and have each request recorded for them."""
    app.extensions[_FAULTS] = []
    app.test_client_class = CheckedClient
    app.after_request(_look)


@event.listens_for(db.session, "after_flush")
def _flushed(session: Session, _context: UOWTransaction) -> None:
    _note(session, {*session.new, *session.dirty, *session.deleted})


@event.listens_for(db.session, "do_orm_execute")
def _executed(state: ORMExecuteState) -> None:
    if state.statement is parts.ANSWERS and isinstance(state.parameters, dict):
        info = state.session.info
        if slow_work.times_begun_again() > info.get(_BEGUN_AGAIN, 0):
            info[_BEGUN_AGAIN] = slow_work.times_begun_again()
            info[_LOADS] = Counter()
        info.setdefault(_LOADS, Counter()).update(state.parameters["ids"])
    if state.is_insert or state.is_update or state.is_delete:
        table = cast("sa.sql.dml.UpdateBase", state.statement).table
        _note_tables(state.session, {str(table)})


@event.listens_for(db.session, "after_commit")
@event.listens_for(db.session, "after_rollback")
def _ended(session: Session) -> None:
    # Both are called for savepoints too.
    if not session.in_nested_transaction():
        session.info.pop("unsaved", None)


def _note(session: Session, rows: Iterable[object]) -> None:
    _note_tables(session, _tables(rows))


def _note_tables(session: Session, tables: set[str]) -> None:
    session.info.setdefault("unsaved", set()).update(tables)
    session.info.setdefault("written", set()).update(tables)


def _tables(rows: Iterable[object]) -> set[str]:
    return {str(sa.inspect(row, raiseerr=True).mapper.local_table) for row in rows}


def _unsaved(session: Session) -> set[str]:
    """Return the tables with changes that were neither committed nor rolled back."""
    changed = [row for row in session.dirty if session.is_modified(row)]
    noted: set[str] = session.info.get("unsaved", set())
    return noted | _tables([*session.new, *session.deleted, *changed])


def _look(response: Response) -> Response:
    """Record what a request leaves unsaved, and what a GET wrote."""
    if not db.session.registry.has():
        return response
    session = db.session()
    faults: list[str] = current_app.extensions[_FAULTS]
    unsaved = _unsaved(session)
    if unsaved:
        faults.append(f"{request.method} {request.path} left unsaved: {', '.join(sorted(unsaved))}")
    written: set[str] = session.info.get("written", set()) - _WRITTEN_BY_READING
    if written and request.method in _READING:
        faults.append(f"{request.method} {request.path} wrote to: {', '.join(sorted(written))}")
    loads: Counter[UUID] = session.info.get(_LOADS, Counter())
    if max(loads.values(), default=0) > _MOST_LOADS:
        faults.append(f"{request.method} {request.path} loaded a checklist: {loads} times")
    return response


def _end_transaction_of_the_test() -> None:
    """End the test's own transaction, so that it doesn't block the request or see old rows."""
    if not has_app_context() or not db.session.registry.has():
        return
    unsaved = _unsaved(db.session())
    assert not unsaved, f"The test has not committed its changes to: {', '.join(sorted(unsaved))}"
    db.session.rollback()
