"""A small application for tests of the server: short, large and slow pages, and one for bodies."""

import time
from collections.abc import Iterator

from flask import Flask, Response, request

SLOW_SECONDS = 0.8
_PIECE = b"x" * 65536


def make_app() -> Flask:
    """Return an application whose pages behave as the tests need it."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024

    @app.get("/")
    def _page() -> str:
        return "A page"

    @app.get("/large/<int:megabytes>")
    def _large(megabytes: int) -> Response:
        return Response(_PIECE for _ in range(16 * megabytes))

    @app.route("/slow", methods=["GET", "POST"])
    def _slow() -> str:
        time.sleep(SLOW_SECONDS)
        return "A slow page"

    @app.get("/halves")
    def _halves() -> Response:
        return Response(_in_halves())

    @app.post("/")
    def _body() -> str:
        return str(len(request.get_data()))

    return app


def _in_halves() -> Iterator[str]:
    yield "The first half "
    time.sleep(SLOW_SECONDS)
    yield "and the second"
