"""Asks a server for each page some times, and the bare view as often, and keeps the medians."""

import http.client
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Self

from config import ROOT
from tests.bench.pages import TimedPage
from tests.bench.serving import BARE, MILLISECONDS, QUERIES
from tests.bench.stage import Stage
from tracker.running import cli as running

WARMING = 3
ROUNDS = 25
_PATIENCE = 60.0


class BenchError(Exception):
    """The server did not start, or a page did not open; the message says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one answer of the server took."""

    milliseconds: float
    queries: int
    size: int


@dataclass(frozen=True, slots=True)
class Timed:
    """What a page takes: the median of its time on the server, and that of the bare view."""

    milliseconds: float
    queries: int
    size: int
    bare: float


class Server:
    """The production server, started as "tracker run" starts it, on this machine alone."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._settings = stage, stage.settings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [*running._server_command(self._settings)[:-1], "tests.bench.serving:make_app()"]
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=kept | self._stage.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            if self._listens():
                return self
            time.sleep(0.1)
        self.stop()
        message = "The server did not start."
        raise BenchError(message)

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask the server to stop, and wait until it has."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_PATIENCE)
            self._process = None

    def times(self, page: TimedPage) -> Timed:
        """Ask for a page and the bare view in turn, so that what disturbs one disturbs both."""
        with self._connection() as connection:
            cookie = self._stage.cookies[page.who]
            first = _ask(connection, page.address, cookie)
            bare = f"{BARE}/{first.size}"
            pairs = [
                (_ask(connection, page.address, cookie), _ask(connection, bare, cookie))
                for _round in range(WARMING + ROUNDS)
            ][WARMING:]
        return Timed(
            milliseconds=median(one.milliseconds for one, _bare in pairs),
            queries=pairs[-1][0].queries,
            size=first.size,
            bare=median(one.milliseconds for _page, one in pairs),
        )

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(
            self._settings.host, self._settings.port, timeout=_PATIENCE
        )
        try:
            yield connection
        finally:
            connection.close()

    def _listens(self) -> bool:
        try:
            with self._connection() as connection:
                connection.request("GET", "/healthz")
                connection.getresponse().read()
        except OSError:
            return False
        return True


def _ask(connection: http.client.HTTPConnection, address: str, cookie: str) -> Answer:
    connection.request("GET", address, headers={"Cookie": cookie})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.client.OK:
        message = f"{address} answered {answer.status}."
        raise BenchError(message)
    return Answer(float(answer.headers[MILLISECONDS]), int(answer.headers[QUERIES]), len(body))
