"""Access-control decorators and checks for views, which are denied by default."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from flask import Flask, abort, current_app, g, request
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.core.db import will_write

Thing = TypeVar("Thing")
View = TypeVar("View", bound=Callable[..., Any])
Loader = Callable[[], Actor | None]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MARK = "access_mark"
READS_LOGGED = "reads_are_logged"


def public(view: View) -> View:
    """Mark a page that anybody may open."""
    setattr(view, MARK, "public")
    return view


def signed_in(view: View) -> View:
    """Mark a page for signed-in people; what they may see there the scoped query decides."""
    setattr(view, MARK, "signed_in")
    return view


def logs_reads(view: View) -> View:
    """Mark a page whose opening is written to the read log: the one write a GET may make."""
    setattr(view, READS_LOGGED, True)
    return view


def init_gate(app: Flask, load_actor: Loader, turn_away: Callable[[], Response]) -> None:
    """Close the application but for marked pages.

    load_actor returns the person who acts, or None; turn_away sends a stranger to the sign-in.
    """
    app.extensions["load_actor"] = load_actor

    @app.before_request
    def _stand_at_the_door() -> Response | None:
        view = app.view_functions.get(request.endpoint or "")
        writes = request.method not in SAFE_METHODS or hasattr(view, READS_LOGGED)
        will_write.set(writes)
        if view is None:
            return None  # an unknown address: Flask answers 404 (or 405)
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
    """Return how a page is marked: public, signed_in, or None when it is closed."""
    listed: dict[str, str] = app.extensions.setdefault("access_marks", {})
    return listed.get(endpoint) or getattr(app.view_functions[endpoint], MARK, None)


def mark_endpoint(app: Flask, endpoint: str, mark: str) -> None:
    """Mark a page whose function is not ours (static files, the sign-in machinery's)."""
    app.extensions.setdefault("access_marks", {})[endpoint] = mark


def optional_actor() -> Actor | None:
    """Return who acts in this request, or None for a stranger."""
    if "actor" not in g:
        g.actor = current_app.extensions["load_actor"]()
    actor: Actor | None = g.actor
    return actor


def current_actor() -> Actor:
    """Return who acts in this request; only for pages that are not public."""
    actor = optional_actor()
    if actor is None:
        abort(404)
    return actor


def forget_actor() -> None:
    """Load the person again at the next call, after a role, clearance or organisation changed."""
    g.pop("actor", None)


def require(decision: Decision) -> None:
    """Go on when the policy says yes; raise RefusedError (403 with the reason) when it says no."""
    decision.require()


def found_or_404(thing: Thing | None) -> Thing:
    """Return the thing a scoped query found; answer 404 when it found nothing."""
    if thing is None:
        abort(404)
    return thing


def as_uuid(text: str) -> UUID:
    """Read an id out of an address; anything else is 404."""
    try:
        return UUID(text)
    except ValueError:
        abort(404)
