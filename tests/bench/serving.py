"""The application as it is timed: with a clock around it, and a bare view beside it to compare."""

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask, session
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from tracker import create_app
from tracker.accounts.models import User
from tracker.activity.models import Event
from tracker.core.db import db, will_write

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BARE = "/bare"
# The headers in which each answer says what it took.
MILLISECONDS, QUERIES = "X-Bench-Milliseconds", "X-Bench-Queries"
ROWS = 20

_counting = threading.local()


@event.listens_for(Engine, "before_cursor_execute")
def _count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if not statement.startswith(("BEGIN", "PRAGMA")):
        _counting.queries = getattr(_counting, "queries", 0) + 1


class Clocked:
    """A WSGI application whose answers say how long they took, and how many queries."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request in one piece."""
        held: list[Any] = []

        def hold(*head: Any) -> Any:
            held[:] = head

        _counting.queries = 0
        begun = time.perf_counter()
        parts = self._app(environ, hold)
        body = b"".join(parts)
        close = getattr(parts, "close", None)
        if close is not None:
            close()
        taken = (time.perf_counter() - begun) * 1000
        status, headers = held[0], held[1]
        told = [(MILLISECONDS, f"{taken:.3f}"), (QUERIES, str(_counting.queries))]
        start_response(status, [*headers, *told])
        return [body]


def bare_app(product: Flask) -> Flask:
    """Return the least that shows a page: it loads who is signed in and 20 rows."""
    app = Flask("bare")
    app.config.update(
        SECRET_KEY=product.config["SECRET_KEY"],
        SESSION_COOKIE_NAME=product.config["SESSION_COOKIE_NAME"],
        SQLALCHEMY_DATABASE_URI=product.config["SQLALCHEMY_DATABASE_URI"],
    )
    db.init_app(app)

    @app.get("/<int:size>")
    def rows(size: int) -> str:
        """Answer with as many bytes as asked for."""
        will_write.set(False)
        mark = session["_user_id"]
        user = db.session.scalars(sa.select(User).where(User.fs_uniquifier == mark)).one()
        found = db.session.scalars(sa.select(Event).limit(ROWS)).all()
        text = "\n".join([user.email, *(f"{one.number} {one.verb} {one.at}" for one in found)])
        return text.ljust(size)[:size]

    return app


def make_app() -> "WSGIApplication":
    """Return what the server runs."""
    product = create_app()
    return Clocked(DispatcherMiddleware(product, {BARE: bare_app(product)}))
