"""A service that keeps an answer from ending holds the worker no longer than a moment."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tracker.evidence.certificates import remote


@pytest.fixture
def dripping() -> Iterator[str]:
    """The address of a service that sends a byte of its answer's head now and then, without end."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _address = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-More: ")
                while not ended.wait(0.05):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        ended.set()
        thread.join(5)


def test_an_answer_whose_head_never_ends_is_cut(
    dripping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match="took longer"):
        remote.exchange(dripping, {}, b"request", longest=100)
    assert time.monotonic() - begun < 5


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
