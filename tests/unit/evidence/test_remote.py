"""A service that keeps an answer from ending holds the worker no longer than a moment."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from tests.stopwatch import without_collection
from tracker.evidence.certificates import remote

Server = Callable[[bytes], str]


@pytest.fixture
def dripping() -> Iterator[Server]:
    """Addresses of services that send a beginning, then a byte now and then, without end."""
    ended = threading.Event()
    with ExitStack() as stack:

        def serve(beginning: bytes) -> str:
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def drip() -> None:
                connection, _address = server.accept()
                with connection, suppress(OSError):
                    connection.sendall(beginning)
                    while not ended.wait(0.05):
                        connection.sendall(b"x")

            thread = threading.Thread(target=drip, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            return f"127.0.0.1:{server.getsockname()[1]}/"

        stack.callback(ended.set)
        yield serve
        ended.set()


@contextmanager
def takes_too_long(monkeypatch: pytest.MonkeyPatch, limit: float = 0.5) -> Iterator[None]:
    """A block that takes too long, and ends a moment after the limit."""
    monkeypatch.setattr(remote, "SECONDS", limit)
    begun = time.monotonic()
    with without_collection(), pytest.raises(TimeoutError, match="took longer"):
        yield
    assert time.monotonic() - begun < limit + 2


@pytest.mark.parametrize(
    ("scheme", "beginning"),
    [
        ("http", b"HTTP/1.1 200 OK\r\nX-More: "),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"),
        ("https", b"\x16\x03\x03\x3f\x00"),
    ],
    ids=["head", "body", "handshake"],
)
def test_an_answer_that_never_ends_is_cut(
    dripping: Server, monkeypatch: pytest.MonkeyPatch, scheme: str, beginning: bytes
) -> None:
    address = dripping(beginning)
    with takes_too_long(monkeypatch):
        remote.exchange(f"{scheme}://{address}", {}, b"request", longest=100_000)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_service_that_accepts_and_says_nothing_is_cut(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        takes_too_long(monkeypatch),
    ):
        remote.exchange(f"{scheme}://127.0.0.1:{server.getsockname()[1]}/", {}, longest=100)


def test_a_service_that_never_accepts_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # more than it lets wait
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        with takes_too_long(monkeypatch):
            remote.exchange(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, longest=100)


def test_a_name_whose_lookup_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def look_up(*_: object, **_more: object) -> list[object]:
        ended.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with takes_too_long(monkeypatch):
        remote.exchange("http://time.example/", {}, longest=100)
    ended.set()


def test_what_one_stage_takes_is_missing_for_the_next(
    dripping: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = dripping(b"\x16\x03\x03\x3f\x00")
    look_up = socket.getaddrinfo

    def slowly(*place: Any, **more: Any) -> Any:
        time.sleep(2.8)
        return look_up(*place, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    with takes_too_long(monkeypatch, limit=3):
        remote.exchange(f"https://{address}", {}, longest=100)


def test_an_address_that_never_accepts_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote, "SECONDS", 4.0)
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def respond() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        thread = threading.Thread(target=respond, daemon=True)
        thread.start()
        places = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", place.getsockname())
            for place in (full, server)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **_more: places)
        assert remote.exchange("http://time.example/", {}, longest=100) == b"ok"
        thread.join(5)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nmore",
        b"HTTP/1.1 perhaps\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
        b"",
    ],
    ids=["cut off", "no chunk", "no status", "an endless line", "nothing"],
)
def test_an_answer_that_is_not_one_of_http_is_an_error_like_one_that_does_not_come(
    answer: bytes,
) -> None:
    """Else a source of revocation data that answers so would keep others from being asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def respond() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        thread = threading.Thread(target=respond, daemon=True)
        thread.start()
        with pytest.raises(OSError, match=r"isn't a complete one of HTTP"):
            remote.exchange(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, longest=100)
        thread.join(5)
