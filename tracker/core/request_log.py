"""What is noted about each request: its number, a line if it is refused or fails, its seconds.

No line says who sent a request, from where, or what it was about: docs/adr/0089.
"""

import logging
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from tracker.core import logs
from tracker.core.security import STATIC

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EXTENSION = "request_log"
PAGE, FILE, HEALTH = "page", "file", "health"
KINDS = (PAGE, FILE, HEALTH)
_ENDPOINT = "tracker.endpoint"
_KIND_OF = {STATIC: FILE, "running.healthz": HEALTH}
# Takes the kind of a response, its status and its seconds.
Count = Callable[[str, int, float], None]

logger = logging.getLogger(__name__)


def count_nothing(_kind: str, _status: int, _seconds: float) -> None:
    """Count no response: there is no setting that asks for metrics."""


class RequestLog:
    """Middleware that numbers requests, and notes those that are refused or fail."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        # A web process replaces it, if a setting asks for metrics.
        self.count: Count = count_nothing

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Respond as the application does, with the number of the request in a header."""
        began = time.perf_counter()
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)

        def start(line: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, [*headers, (logs.HEADER, number)], *error)

        with logs.numbered_request() as number:
            try:
                return self._app(environ, start)
            finally:
                self._note(environ, status, time.perf_counter() - began)

    def _note(self, environ: "WSGIEnvironment", status: int, seconds: float) -> None:
        endpoint = environ.get(_ENDPOINT)
        self.count(_KIND_OF.get(endpoint or "", PAGE), status, seconds)
        if status >= HTTPStatus.BAD_REQUEST:
            note_refusal(
                status,
                method=logs.method_of(environ["REQUEST_METHOD"]),
                # Where others get a 404, a 403 reveals who is on a visit's list, and the security
                # log says who got it: docs/adr/0079.
                page=None if status == HTTPStatus.FORBIDDEN else endpoint,
                milliseconds=round(seconds * 1000),
            )


def init_request_log(app: Flask) -> None:
    """Note the requests of an application, from before any proxy's headers are read."""
    log = RequestLog(app.wsgi_app)
    app.extensions[EXTENSION] = log
    app.wsgi_app = log  # type: ignore[method-assign]  # Flask's own way

    @app.url_value_preprocessor
    def _leave_endpoint(endpoint: str | None, _values: object) -> None:
        # For afterwards, when there is no request any more.
        request.environ[_ENDPOINT] = endpoint


def note_refusal(status: int, **values: object) -> None:
    """Log that a request was refused, or failed."""
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    logger.log(
        logging.WARNING if is_ours else logging.INFO,
        "a request failed" if is_ours else "a request was refused",
        extra=logs.fields(status=status, **values),
    )
