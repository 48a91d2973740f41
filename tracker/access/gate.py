"""Access-control decorators and checks for views, which are denied by default."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from flask import Flask, abort, after_this_request, current_app, g, request
from flask_login import AnonymousUserMixin
from werkzeug.wrappers import Response

from tracker.access import reading
from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.core.db import db, will_write

Thing = TypeVar("Thing")
View = TypeVar("View", bound=Callable[..., Any])
Loader = Callable[[], Actor | None]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MARK = "access_mark"
READS_LOGGED = "reads_are_logged"
# The responses to a form that show its page again: with what is missing, or with both texts.
SHOWN_AGAIN = frozenset({200, 400, 409, 422})
_NOTED = "pages_noted_as_read"
_FORM_REFUSED = "form_is_refused"


def public(view: View) -> View:
    """Mark a view that anybody may open."""
    setattr(view, MARK, "public")
    return view


def signed_in(view: View) -> View:
    """Mark a view for signed-in people; its scoped query decides what they can see."""
    setattr(view, MARK, "signed_in")
    return view


def logs_reads(view: View) -> View:
    """Mark a view that writes to the read log, the only write of a GET that is allowed."""
    setattr(view, READS_LOGGED, True)
    return view


def note_reading(log: Callable[[], None], page: str, *, is_own_part: bool = False) -> None:
    """Log that somebody reads a page: immediately, or after a form if the response shows the page.

    Reading needs a second factor, except what a mailed code opened: one's own part in a visit.
    A form that is accepted ends with a redirect and shows nothing. page distinguishes what is read
    in one request, so that each is logged once.
    """
    if not is_own_part:
        reading.require_second_factor()
    if request.method in SAFE_METHODS:
        log()
        return
    noted: set[str] = g.setdefault(_NOTED, set())
    if page in noted:
        return
    noted.add(page)

    @after_this_request
    def _log(response: Response) -> Response:
        shown = response.status_code in SHOWN_AGAIN or g.get(_FORM_REFUSED, False)
        if shown and response.mimetype == "text/html":
            db.session.rollback()  # nothing was accepted; on SQLite, release the write lock
            will_write.set(False)
            log()
        return response


def respond_as_refused() -> None:
    """Send the page of a refused form, which is shown again, with status 403."""
    if g.get(_FORM_REFUSED):
        return
    g.setdefault(_FORM_REFUSED, True)

    @after_this_request
    def _refuse(response: Response) -> Response:
        if response.status_code == HTTPStatus.OK:
            response.status_code = HTTPStatus.FORBIDDEN
        return response


def init_gate(app: Flask, load_actor: Loader, turn_away: Callable[[], Response]) -> None:
    """Deny access to every view that is not marked.

    load_actor returns the actor or None; turn_away redirects an anonymous visitor to the sign-in
    page.
    """
    app.extensions["load_actor"] = load_actor

    @app.before_request
    def _require_access() -> Response | None:
        view = app.view_functions.get(request.endpoint or "")
        writes = request.method not in SAFE_METHODS or hasattr(view, READS_LOGGED)
        will_write.set(writes)
        if view is None:
            return None  # an unknown URL: Flask responds with 404 (or 405)
        mark = mark_of(app, request.endpoint or "")
        if mark == "public":
            return None
        if mark == "signed_in":
            return None if optional_actor() else turn_away()
        return abort(404)

    @app.teardown_request
    def _leave(_error: BaseException | None) -> None:
        will_write.set(True)


def mark_of(app: Flask, endpoint: str) -> str | None:
    """Return how a view is marked: public, signed_in, or None if it is denied."""
    listed: dict[str, str] = app.extensions.setdefault("access_marks", {})
    return listed.get(endpoint) or getattr(app.view_functions[endpoint], MARK, None)


def mark_endpoint(app: Flask, endpoint: str, mark: str) -> None:
    """Mark a view whose function is not ours (static files, Flask-Security's views)."""
    app.extensions.setdefault("access_marks", {})[endpoint] = mark


def optional_actor() -> Actor | None:
    """Return the actor of this request, or None if nobody is signed in."""
    if "actor" not in g:
        g.actor = current_app.extensions["load_actor"]()
    actor: Actor | None = g.actor
    return actor


def current_actor() -> Actor:
    """Return the actor of this request; only for views that are not public."""
    actor = optional_actor()
    if actor is None:
        abort(404)
    return actor


def show_as_stranger() -> None:
    """Show the rest of this request as if nobody were signed in, without the database."""
    g.actor = None
    g._login_user = AnonymousUserMixin()  # noqa: SLF001 -- Flask-Login's place for it


def forget_actor() -> None:
    """Load the actor again at the next call, after a role, clearance or organisation changed."""
    g.pop("actor", None)


def read_actor_again() -> Actor:
    """Return the actor with the roles that the database has now; abort with 404 if there is none.

    For a view that did something long while others could write.
    """
    g.pop("_login_user", None)  # Flask-Login's place for it
    forget_actor()
    return current_actor()


def require(decision: Decision) -> None:
    """Raise RefusedError (403 with the reason) unless the policy allows it."""
    decision.require()


def found_or_404(thing: Thing | None) -> Thing:
    """Return what a scoped query found; abort with 404 if it found nothing."""
    if thing is None:
        abort(404)
    return thing


def as_uuid(text: str) -> UUID:
    """Return the id in a URL; abort with 404 if it isn't one."""
    try:
        return UUID(text)
    except ValueError:
        abort(404)
