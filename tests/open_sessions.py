"""Sessions of people in tests, as signing in would create them; one for each person."""

from contextlib import nullcontext
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from flask import Flask, current_app, has_app_context
from flask.testing import FlaskClient

from tracker.accounts.models import User, UserSession
from tracker.accounts.people import sessions
from tracker.core import clock
from tracker.core.db import db

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ADDRESS = "127.0.0.1"


def id_of(user_id: UUID) -> UUID:
    """Return the id of the session that tests begin for a person."""
    return uuid5(user_id, "session")


def begin_all() -> None:
    """Create a session for everybody; the caller commits."""
    for user_id in db.session.scalars(sa.select(User.id)).all():
        begin(user_id)


def cookie_of(app: Flask, user_id: UUID, mark: str) -> dict[str, Any]:
    """Return the content of the cookie of somebody who has just signed in.

    Creates the session, and commits, unless it exists; in the test's own context if it has one,
    since SQLite allows one writer.
    """
    is_current = has_app_context() and current_app == app
    with nullcontext() if is_current else app.app_context():
        if db.session.get(UserSession, id_of(user_id)) is None:
            begin(user_id)
            db.session.commit()
    now = int(clock.now().timestamp())
    return {
        "_user_id": mark,
        "_fresh": True,
        "session_id": str(id_of(user_id)),
        "begun": now,
        "seen": now,
    }


def keep(client: FlaskClient, cookie: dict[str, Any]) -> None:
    """Have a client send the cookie."""
    with client.session_transaction() as session:
        session.update(cookie)


def begin(user_id: UUID) -> None:
    """Create a person's session; the caller commits."""
    sessions.begin(user_id, user_agent=BROWSER, address=ADDRESS, session_id=id_of(user_id))
