"""The documented proxy lets the largest upload through, and says nothing of its own before that."""

import http.client
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.servers import proxy
from tests.servers.plain import PlainServer
from tests.servers.proxy import Proxy
from tracker.core.logs import HEADER
from tracker.signoff.scans import MAX_REQUEST_BYTES

pytestmark = pytest.mark.skipif(proxy.PROGRAM is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy in front of the server."""
    folder = tmp_path_factory.mktemp("plain")
    with PlainServer(folder, workers="1", max_request_kb="20480") as server:
        ready = Proxy(tmp_path_factory.mktemp("proxy"), server.port)
        assert ready.complaints() == ""
        with ready:
            yield ready


def send(front: Proxy, size: int) -> http.client.HTTPResponse:
    """Send a form of so many bytes; return the response, with whatever was read of it."""
    connection = front.connect()
    head = f"POST / HTTP/1.1\r\nHost: {proxy.NAME}\r\nContent-Length: {size}\r\n\r\n"
    with connection:
        connection.sendall(head.encode())
        # The proxy may refuse it before all of it has arrived.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(bytes(size))
        response = http.client.HTTPResponse(connection)
        response.begin()
        response.read()
    return response


def test_the_largest_request_reaches_the_application_which_answers_in_words(front: Proxy) -> None:
    response = send(front, MAX_REQUEST_BYTES)
    assert response.getheader(HEADER)
    assert response.getheader("Server") == "nginx"


def test_a_larger_one_is_refused_by_the_proxy(front: Proxy) -> None:
    response = send(front, MAX_REQUEST_BYTES + 1)
    assert response.status == 413
    assert response.getheader(HEADER) is None
