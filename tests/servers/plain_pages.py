"""A small application for tests of the server: short, large and slow pages, and one for bodies."""

import os
import random
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask, Response, request

from tracker.core.request_log import init_request_log

# In the server's folder: the second half of a page comes once somebody has opened it for writing.
PIPE = "second-half"
_PIECE = b"x" * 65536


def make_app(go_on: threading.Event | None = None) -> Flask:
    """Return an application whose pages behave as the tests need it; the slow one waits."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    init_request_log(app)

    @app.get("/")
    def _page() -> str:
        return "A page"

    @app.get("/large/<int:megabytes>")
    def _large(megabytes: int) -> Response:
        return Response(_PIECE for _ in range(16 * megabytes))

    @app.get("/numbers")
    def _numbers() -> dict[str, Any]:
        numbers = [str(random.random()), secrets.token_hex(), str(uuid4())]
        return {"process": os.getpid(), "numbers": numbers}

    @app.route("/slow", methods=["GET", "POST"])
    def _slow() -> str:
        if go_on is not None:
            go_on.wait()
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
    with Path(os.environ["TRACKER_DATA_DIR"], PIPE).open():
        pass
    yield "and the second"
