"""Error pages: what happened, that nothing is lost, and what to do next."""

from copy import deepcopy
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import Flask, current_app, g, make_response, render_template, request, session
from flask import Request as FlaskRequest
from flask import Response as FlaskResponse
from flask.globals import request_ctx
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    InternalServerError,
    TooManyRequests,
)
from werkzeug.routing import MapAdapter
from werkzeug.wrappers import Response

from tracker.access.gate import forget_actor, show_as_stranger
from tracker.core import logs, slow_work
from tracker.core.db import Unavailable, db, may_be_saved, why_unavailable, will_write
from tracker.core.errors import (
    KeyDestroyedError,
    RefusedError,
    RuleBrokenError,
    TooOftenError,
    is_unreadable,
)
from tracker.ui.addresses import HEALTH, is_own_path
from tracker.ui.send_again import form_to_send_again
from tracker.ui.typed_text import typed_text

# The error pages; any other HTTP error gets the page for 400 or 500.
_PAGES = {400, 403, 404, 405, 409, 410, 413, 429, 500}
_TRY_AGAIN_AFTER = 60  # seconds; the page says a minute
# The form may have been valid, but what it was for no longer exists or is now closed to the person.
_WITH_WORDS = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


class Application(Flask):
    """Flask with error pages also for what is registered to run after a request.

    Account pages, Flask-Security's and the read log commit there, outside Flask's error handling.
    """

    def create_url_adapter(self, request: FlaskRequest | None) -> MapAdapter | None:
        """Return the routes for a request, which has to be for a host of TRUSTED_HOSTS.

        Capital letters in its name make no difference. Health is answered for any host: a load
        balancer asks by the address of the machine, or names none, and the answer has no link.
        """
        if request is not None and request.path == HEALTH:
            request.environ["HTTP_HOST"] = "localhost"
        elif request is not None and request.environ.get("HTTP_HOST"):
            request.environ["HTTP_HOST"] = request.environ["HTTP_HOST"].lower()
        return super().create_url_adapter(request)

    def dispatch_request(self) -> Any:
        """Run the view; if it writes, again after slow work that it needs first (slow_work)."""
        view = super().dispatch_request
        if not will_write.get():
            return view()
        return slow_work.run_again_after(view, _Beginning().restore)

    def process_response(self, response: FlaskResponse) -> FlaskResponse:
        """Run what was registered, once; an error there gets its page, with the usual headers."""
        waiting = request_ctx._after_request_functions  # noqa: SLF001 -- Flask runs them from here
        try:
            while waiting:
                response = self.ensure_sync(waiting.pop(0))(response)
        except Exception as error:  # noqa: BLE001 -- without a page for it, it's raised again
            waiting.clear()  # it was for a response that isn't sent
            response = self.make_response(self.handle_user_exception(error))
        return super().process_response(response)

    def handle_user_exception(self, e: Exception) -> Any:
        """Return the page for an error; if that page can't be read either, the one for busy."""
        try:
            if is_unreadable(e):
                return _damaged(e)
            return super().handle_user_exception(e)
        except SQLAlchemyError as error:
            if error is e:
                raise
            return _unavailable(error)

    def log_exception(self, exc_info: Any) -> None:
        """Log an unexpected error by its type and place: no path, which may give access."""
        self.logger.error("a page has failed", exc_info=exc_info)


class _Beginning:
    """What a request is like before its view runs, so that the view can run again."""

    def __init__(self) -> None:
        self._globals = dict(vars(g))
        self._after = [*request_ctx._after_request_functions]  # noqa: SLF001 -- see Application
        self._cookie = deepcopy(dict(session)), session.modified
        self._flashes = request_ctx.flashes

    def restore(self) -> None:
        """Undo what the view did besides the database; whoever is signed in is read again."""
        vars(g).clear()
        vars(g).update(self._globals)
        g.pop("_login_user", None)  # Flask-Login's place for it
        forget_actor()
        request_ctx._after_request_functions[:] = self._after  # noqa: SLF001 -- see Application
        before, was_modified = self._cookie
        session.clear()
        session.update(deepcopy(before))
        session.modified = was_modified
        request_ctx.flashes = self._flashes  # taken from the cookie by a page that wasn't finished
        for files in request.files.listvalues():
            for file in files:
                file.stream.seek(0)


def register_error_pages(app: Flask) -> None:
    """Respond to every error with a page of the application, which has the request's number."""
    app.jinja_env.globals["request_number"] = logs.request_number
    app.register_error_handler(CSRFError, _session_ended)
    app.register_error_handler(RefusedError, _refused)
    app.register_error_handler(RuleBrokenError, _rule_broken)
    app.register_error_handler(TooOftenError, _too_often)
    app.register_error_handler(KeyDestroyedError, _erased)
    app.register_error_handler(SQLAlchemyError, _unavailable)
    app.register_error_handler(InternalServerError, _our_fault)
    app.register_error_handler(HTTPException, _any_error)


def session_ended() -> Response:
    """Respond to a form sent after the session ended by showing what was typed, for copying.

    Only a form of this application is shown, never one that another site sent. Signing in again
    leads back to the page of the form.
    """
    return _page("session_ended", 400, typed=_typed(), sent_from=_sent_from())


def _session_ended(_error: CSRFError) -> Response:
    return session_ended()


def _refused(error: RefusedError) -> Response:
    return _page("403", 403, reason=str(error), typed=_typed())


def _too_often(error: TooOftenError) -> Response:
    return _page("429", 429, reason=str(error), typed=_typed())


def _rule_broken(error: RuleBrokenError) -> Response:
    return _page("409", 409, reason=str(error), typed=_typed(), sent_from=_sent_from())


def _erased(_error: KeyDestroyedError) -> Response:
    """Respond that what the page shows or changes was erased: nobody can read it again."""
    _undo()
    return _page("410", 410, typed=_typed())


def _damaged(error: Exception) -> Response:
    """Respond that what the page shows can't be read; the log says where it is stored.

    If what every page shows to who is signed in can't be read either, as to a stranger.
    """
    logs.log_damage(current_app.logger, error)
    _undo()
    try:
        return _page("damaged", 500, typed=_typed())
    except Exception as another:
        if not is_unreadable(another):
            raise
        show_as_stranger()
        return _page("damaged", 500, typed=_typed())


def _any_error(error: HTTPException) -> Response:
    if request_ctx.url_adapter is None:  # the host isn't one of ours, so a page can't have links
        return make_response(current_app.jinja_env.get_template("errors/host.html").render(), 400)
    code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    ours = code >= HTTPStatus.INTERNAL_SERVER_ERROR
    name = code if code in _PAGES else (500 if ours else 400)
    reason = error.description if _has_own_words(error) else ""
    typed = _typed() if code in _WITH_WORDS else []
    response = _page(str(name), code, reason=reason, typed=typed)
    for header, value in error.get_headers():
        if header not in {"Content-Type", "Content-Length"}:
            response.headers[header] = value
    return response


def _unavailable(error: SQLAlchemyError) -> Response:
    """Respond while the database is busy, full or away, with what was typed; else raise again.

    If who is signed in can't be read, the page is shown as to a stranger.
    """
    why = why_unavailable(error)
    if why is None:
        raise error
    current_app.logger.warning(
        "the database is unavailable", extra=logs.fields(error=logs.kind_of(error))
    )
    is_full = why is Unavailable.FULL
    is_unknown = may_be_saved(error)
    will_write.set(False)  # SQLite can still be read while somebody else writes
    _undo()
    try:
        db.session.rollback()
        response = _page_to_send_again(is_full=is_full, is_unknown=is_unknown)
    except SQLAlchemyError:
        db.session.remove()
        show_as_stranger()
        response = _page_to_send_again(is_full=is_full, is_unknown=is_unknown)
    response.headers["Retry-After"] = str(_TRY_AGAIN_AFTER)
    return response


def _page_to_send_again(*, is_full: bool, is_unknown: bool) -> Response:
    again = form_to_send_again() if request.method == "POST" and _is_ours() else None
    return _page(
        "503",
        503,
        is_full=is_full,
        is_unknown=is_unknown,
        typed=_typed(),
        sent_from=_sent_from(),
        again=again,
    )


def _our_fault(_error: InternalServerError) -> Response:
    """Respond to an internal error; if even that page fails, with a static one."""
    _undo()
    try:
        return _page("500", 500, typed=_typed())
    except Exception:
        current_app.logger.exception("the error page could not be rendered")
        bare = current_app.jinja_env.get_template("errors/bare.html")
        return make_response(bare.render(), 500)


def _undo() -> None:
    """Drop what was to run after the request, and undo changes to the session cookie.

    The first would commit half of an act. The second can name a session that isn't saved; so
    whoever is signed in is read again, from the restored cookie.
    """
    request_ctx._after_request_functions.clear()  # noqa: SLF001 -- see Application
    if not session.modified:
        return
    before = current_app.session_interface.open_session(current_app, request)
    session.clear()
    session.update(before or {})
    session.modified = False
    g.pop("_login_user", None)  # Flask-Login's place for it
    forget_actor()


def _page(name: str, code: int, **values: Any) -> Response:
    return make_response(render_template(f"errors/{name}.html", **values), code)


def _has_own_words(error: HTTPException) -> bool:
    own = error.description != type(error).description
    return own and isinstance(error, Forbidden | TooManyRequests)


def _typed() -> list[tuple[str, str]]:
    return typed_text() if request.method == "POST" and _is_ours() else []


def _sent_from() -> str:
    """Return the address here of the page whose form was sent; empty if it is not known."""
    sender = _split(request.referrer or "")
    address = f"{sender.path}?{sender.query}" if sender.query else sender.path
    return address if sender.netloc == request.host and is_own_path(address) else ""


def _is_ours() -> bool:
    sender = request.headers.get("Origin") or request.referrer or ""
    return _split(sender).netloc == request.host


def _split(address: str) -> SplitResult:
    """Split a URL; an invalid one has no parts."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")
