"""A small application for tests of the server: short, large and slow pages, and one for bodies."""

import time

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

    @app.post("/")
    def _body() -> str:
        return str(len(request.get_data()))

    return app
