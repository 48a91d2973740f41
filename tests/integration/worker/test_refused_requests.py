"""Requests that the server refuses before the application sees them."""

import http.client
from collections.abc import Iterator

import pytest

from tests.servers.plain import PlainServer
from tracker.core.security import HEADERS

MALFORMED = b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n"
TOO_LONG = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-More: " + 70_000 * b"x" + b"\r\n\r\n"
NO_NUMBER = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"
TOO_LARGE = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"
# Requests whose end a proxy may see elsewhere.
TWO_LENGTHS = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nabcde"
)
SIGNED = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nabcde"
SPACED = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length : 5\r\n\r\nabcde"
FOLDED = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-More: a\r\n b\nX-Other: c\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_SIZE = CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n"
SIGNED_SIZE = CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n"
NOT_KNOWN = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    """The server of an instance that is reached by https."""
    with PlainServer(
        tmp_path_factory.mktemp("plain"), base_url="https://terms.example", workers="1"
    ) as server:
        yield server


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (MALFORMED, 400),
        (TOO_LONG, 431),
        (NO_NUMBER, 400),
        (TWO_LENGTHS, 400),
        (SIGNED, 400),
        (SPACED, 400),
        (FOLDED, 400),
        (NO_SIZE, 400),
        (SIGNED_SIZE, 400),
        (TOO_LARGE, 413),
        (NOT_KNOWN, 501),
    ],
)
def test_a_refusal_has_the_headers_of_all_responses(
    server: PlainServer, request_: bytes, status: int
) -> None:
    with server.connect() as connection:
        connection.sendall(request_)
        response = http.client.HTTPResponse(connection)
        response.begin()
    assert response.status == status
    headers = dict(response.getheaders())
    wanted = {**HEADERS, "Cache-Control": "no-store"}
    assert {name: headers.get(name) for name in wanted} == wanted
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Server" not in headers
