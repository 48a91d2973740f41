"""Connections that send or read slowly keep nobody else waiting, and are closed in time."""

import http.client
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest
from waitress import wasyncore

from tests.effort import tries
from tests.servers.plain import PlainServer
from tests.servers.plain_pages import PIPE, make_app
from tracker.settings import Settings
from tracker.worker import web_server

UNFINISHED_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Further: "
UNFINISHED_BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nbody="
# More than the system stores for whoever doesn't read it, so that the server has to.
STORED_PAGE = b"GET /large/12 HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGER_PAGE = b"GET /large/36 HTTP/1.1\r\nHost: localhost\r\n\r\n"
PAGE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
THREADS = 4
# The shortest limit that can be set, in seconds.
LIMIT = 1
# After so many seconds what hasn't come never will.
PATIENCE = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    """The server with one process, which waits twenty seconds for a request."""
    with PlainServer(tmp_path_factory.mktemp("plain"), workers="1") as server:
        yield server


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Connections that are closed when the test ends."""
    with ExitStack() as stack:
        yield stack


def send(server: PlainServer, stack: ExitStack, words: bytes, number: int) -> list[socket.socket]:
    """Open connections and send the same words on each."""
    connections = [stack.enter_context(server.connect()) for _ in range(number)]
    for connection in connections:
        connection.sendall(words)
    return connections


def is_closed(connection: socket.socket) -> bool:
    """Wait until the server says something or closes; return whether it closed."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def drip(connections: Sequence[tuple[socket.socket, bytes]]) -> None:
    """Send a little on each connection again and again until all are closed."""
    until = time.monotonic() + PATIENCE
    left = list(connections)
    while left:
        assert time.monotonic() < until, f"{len(left)} connections stayed open"
        for connection, words in list(left):
            try:
                connection.sendall(words)
            except ConnectionError:
                left.remove((connection, words))
        time.sleep(0.1)


def are_open(connections: Sequence[socket.socket]) -> bool:
    """Return whether the server has closed none of them, read or unread."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLRDHUP)
    return poll.poll(0) == []


@pytest.mark.parametrize(
    "words", [b"", UNFINISHED_HEAD, UNFINISHED_BODY, STORED_PAGE], ids=["", "head", "body", "page"]
)
def test_whoever_sends_no_whole_request_or_reads_nothing_delays_nobody(
    server: PlainServer, stack: ExitStack, words: bytes
) -> None:
    number = 4 * THREADS if words == STORED_PAGE else tries(4 * THREADS, 300)
    slow = send(server, stack, words, number)
    server.get_page()
    assert are_open(slow)


def test_whoever_sends_no_whole_request_is_disconnected(tmp_path: Path, stack: ExitStack) -> None:
    with PlainServer(tmp_path, workers="1", request_seconds=str(LIMIT)) as server:
        begun = time.monotonic()
        kinds = {b"": b"\r\n", UNFINISHED_HEAD: b"x", UNFINISHED_BODY: b"x"}
        silent = [send(server, stack, words, 1)[0] for words in kinds]
        drip([(send(server, stack, words, 1)[0], more) for words, more in kinds.items()])
        assert all(map(is_closed, silent))
        assert time.monotonic() - begun > LIMIT


def test_with_too_many_connections_the_one_that_waits_longest_is_closed(
    server: PlainServer, stack: ExitStack
) -> None:
    idle = send(server, stack, UNFINISHED_HEAD, 450)
    server.get_page()
    assert is_closed(idle[0])
    assert are_open(idle[-1:])


@pytest.fixture
def go_on(stack: ExitStack) -> threading.Event:
    """What the slow page of the server in this process waits for."""
    event = threading.Event()
    stack.callback(event.set)
    return event


@pytest.fixture
def small(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> web_server.Server:
    """A server in this process with one thread, which stores 100 KB."""
    return make_server(100_000, stack, monkeypatch, go_on)


def make_server(
    stored: int,
    stack: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    go_on: threading.Event | None = None,
) -> web_server.Server:
    """Return a server in this process with one thread, which stores so many bytes."""
    monkeypatch.setattr(web_server, "STORED", stored)
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    settings = Settings.from_environment({})
    server = web_server.Server(make_app(go_on), listener, settings, threads=1, largest=100_000)
    server.next_look = float("inf")  # the tests say when it looks
    stack.callback(wasyncore.close_all, server.dispatchers)
    return server


def connect(server: web_server.Server, stack: ExitStack, words: bytes) -> socket.socket:
    """Send the words on a new connection to a server in this process."""
    connection = socket.create_connection(server.socket.getsockname(), timeout=5)
    connection.sendall(words)
    return stack.enter_context(connection)


def serve(server: web_server.Server, is_enough: Callable[[], bool]) -> None:
    """Let a server in this process go on until that is enough."""
    until = time.monotonic() + PATIENCE
    while not is_enough():
        assert time.monotonic() < until
        server.go_on()


def is_answered(connection: socket.socket) -> bool:
    """Return whether something has come back."""
    return bool(select.select([connection], [], [], 0)[0])


def serve_until_stored(server: web_server.Server, number: int) -> None:
    """Let it go on until the bodies of its requests have so many bytes; then let it look."""
    serve(server, lambda: sum(map(body_bytes, server.active_channels.values())) == number)
    server.close_overdue()


def body_bytes(channel: web_server.Connection) -> int:
    """Return how many bytes of bodies a connection stores."""
    unfinished = [channel.request] if channel.request else []
    return sum(request.body_bytes_received for request in [*channel.requests, *unfinished])


def test_a_body_that_keeps_coming_is_awaited_beyond_the_limit(
    small: web_server.Server, stack: ExitStack
) -> None:
    connection = connect(small, stack, UNFINISHED_BODY + bytes(90_000))
    serve_until_stored(small, 90_005)
    [channel] = small.active_channels.values()
    # Twenty seconds, and one for each 4 KB: 41 in all.
    begun = channel.begun
    assert begun is not None
    for seconds, is_open in ((40, True), (42, False)):
        channel.begun = begun - seconds
        small.close_overdue()
        assert channel.connected is is_open
    assert is_closed(connection)


def test_if_unfinished_requests_take_too_much_the_largest_is_closed(
    small: web_server.Server, stack: ExitStack
) -> None:
    sizes = (20_000, 50_000, 40_000)
    connections = [connect(small, stack, UNFINISHED_BODY + bytes(size)) for size in sizes]
    serve_until_stored(small, sum(sizes) + 3 * len(b"body="))
    assert is_closed(connections[1])
    for connection in (connections[0], connections[2]):
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)


def test_if_requests_that_wait_for_a_thread_take_too_much_only_the_largest_is_closed(
    small: web_server.Server, stack: ExitStack, go_on: threading.Event
) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    answered = connect(small, stack, head % (b"/slow", 60_000) + bytes(60_000))
    serve(small, lambda: any(channel.requests for channel in small.active_channels.values()))
    serve(small, lambda: not small.task_dispatcher.queue)
    sizes = (20_000, 50_000, 10_000)
    queued = [connect(small, stack, head % (b"/", size) + bytes(size)) for size in sizes]
    queued.append(connect(small, stack, PAGE))
    unfinished = connect(small, stack, UNFINISHED_BODY)
    serve_until_stored(small, 60_000 + sum(sizes) + len(b"body="))
    assert is_closed(queued.pop(1))
    unfinished.sendall(bytes(100_000 - len(b"body=")))
    go_on.set()
    others = [answered, *queued, unfinished]
    serve(small, lambda: all(map(is_answered, others)))
    assert {connection.recv(15) for connection in others} == {b"HTTP/1.1 200 OK"}


def test_whoever_reads_nothing_keeps_no_thread_and_is_closed_if_it_takes_too_much(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_server(40 * 1024 * 1024, stack, monkeypatch)
    for page in (LARGER_PAGE, STORED_PAGE):
        connect(server, stack, page)
        reader = connect(server, stack, PAGE)
        serve(server, partial(is_answered, reader))
    *others, largest = sorted(server.active_channels.values(), key=lambda channel: channel.stored)
    # The system has taken some of it; how much differs.
    stored = sum(channel.stored for channel in (*others, largest))
    monkeypatch.setattr(web_server, "STORED", stored - 1)
    server.close_overdue()
    assert [channel.connected for channel in (*others, largest)] == [True] * 3 + [False]


def test_a_new_connection_is_answered_while_an_overdue_one_is_closed(
    small: web_server.Server, stack: ExitStack
) -> None:
    overdue = connect(small, stack, b"")
    serve(small, lambda: bool(small.active_channels))
    [channel] = small.active_channels.values()
    channel.idle_since = float("-inf")
    # The system gives the new connection the number that the closed one had.
    new = connect(small, stack, PAGE)
    small.next_look = 0.0
    serve(small, lambda: is_answered(new))
    assert new.recv(15) == b"HTTP/1.1 200 OK"
    assert is_closed(overdue)


def test_a_request_in_progress_is_answered_when_the_server_stops(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / PIPE)
    with (
        PlainServer(tmp_path, workers="1") as server,
        closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection,
    ):
        connection.request("GET", "/halves")
        response = connection.getresponse()
        assert response.read(15) == b"The first half "
        server.ask_to_stop()
        wait_until_nothing_is_accepted(server)
        (tmp_path / PIPE).write_bytes(b"")
        assert response.read() == b"and the second"
        assert server.stop() == 0


def wait_until_nothing_is_accepted(server: PlainServer) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            server.connect().close()
        except ConnectionError:
            return
        time.sleep(0.02)
    pytest.fail("The server still accepts connections.")
