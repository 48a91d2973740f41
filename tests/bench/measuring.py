"""Measures the CPU time of requests, interleaved with a bare view; compares the medians."""

import contextvars
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from statistics import median
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.test import EnvironBuilder, run_wsgi_app

WARMING, ROUNDS = 3, 25
GZIP = {"Accept-Encoding": "gzip"}


class BenchError(Exception):
    """Raised if a page did not open, or an action was refused; the message says which."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement: CPU milliseconds, those of the bare view, and statements."""

    milliseconds: float
    bare: float
    statements: int
    size: int = 0
    compressed: int = 0

    @property
    def ratio(self) -> float:
        """How many times as expensive as the bare view it is."""
        return self.milliseconds / self.bare


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of an application, and its cost."""

    status: int
    body: bytes
    location: str
    milliseconds: float
    statements: int


class Meter:
    """Sends requests to an application and the bare view in this process, and nobody else does."""

    def __init__(self, app: Flask, bare: Flask) -> None:
        self._app, self._bare = app, bare

    def ask(
        self, address: str, cookie: str, data: dict[str, Any] | None = None, **headers: str
    ) -> Answer:
        """Send a request as somebody, and return the response."""
        return _ask(self._app, address, cookie, data, headers)

    def page(self, address: str, cookie: str) -> Measured:
        """Measure a page."""
        first = self.ask(address, cookie)
        if first.status != HTTPStatus.OK:
            message = f"{address} answered {first.status}."
            raise BenchError(message)
        packed = _ask(self._app, address, cookie, None, GZIP)

        def once() -> Answer:
            return self.ask(address, cookie)

        return self._compared(once, cookie, ROUNDS, len(first.body), len(packed.body))

    def act(self, once: Callable[[], Answer], cookie: str, rounds: int) -> Measured:
        """Measure an action; once prepares one, sends it and returns its response."""
        return self._compared(once, cookie, rounds, 0, 0)

    def _compared(
        self, once: Callable[[], Answer], cookie: str, rounds: int, size: int, packed: int
    ) -> Measured:
        pairs = []
        # Alternating, so that a disturbance affects both.
        for number in range(WARMING + rounds):
            answer = once()
            bare = _ask(self._bare, f"/{size}", cookie, None, {})
            if number >= WARMING:
                pairs.append((answer, bare))
        return Measured(
            milliseconds=median(answer.milliseconds for answer, _bare in pairs),
            bare=median(bare.milliseconds for _answer, bare in pairs),
            statements=pairs[-1][0].statements,
            size=size,
            compressed=packed,
        )


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements that are sent in a block."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _ask(
    app: Flask, address: str, cookie: str, data: dict[str, Any] | None, headers: dict[str, str]
) -> Answer:
    method = "GET" if data is None else "POST"
    builder = EnvironBuilder(
        address, method=method, data=data, headers=[("Cookie", cookie), *headers.items()]
    )
    environ = builder.get_environ()
    builder.close()
    # In an empty context: a request shares nothing with the previous one.
    with counted() as seen:
        begun = time.process_time()
        parts, status, answered = contextvars.Context().run(
            run_wsgi_app, app, environ, buffered=True
        )
        taken = (time.process_time() - begun) * 1000
    return Answer(
        int(status.split()[0]), b"".join(parts), answered.get("Location", ""), taken, len(seen)
    )
