"""A connection for which no time is left is closed, whoever made it."""

import socket
import time
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from tracker.core.deadlines import Deadline
from tracker.evidence.certificates import remote
from tracker.mail import transport
from tracker.mail.transport import SmtpTransport, TooSlowError


def ask(scheme: str) -> Callable[[int], object]:
    """Return what asks a service at a port of this machine."""
    return lambda port: remote.exchange(f"{scheme}://127.0.0.1:{port}/", {}, longest=100)


def mail(*, encrypted: bool) -> Callable[[int], object]:
    """Return what sends a message to a server at a port of this machine."""
    return lambda port: SmtpTransport("127.0.0.1", port, encrypted=encrypted).send(EmailMessage())


@pytest.mark.parametrize(
    "use",
    [ask("http"), ask("https"), mail(encrypted=False), mail(encrypted=True)],
    ids=["http", "https", "smtp", "smtps"],
)
def test_a_connection_that_is_there_when_the_time_is_over_is_closed(
    monkeypatch: pytest.MonkeyPatch, use: Callable[[int], object]
) -> None:
    connect, dup = Deadline.connect, socket.socket.dup
    opened: list[socket.socket] = []

    def late(self: Deadline, host: str, port: int) -> socket.socket:
        opened.append(connect(self, host, port))
        while not self.is_over:
            time.sleep(0.01)
        return opened[-1]

    def again(self: socket.socket) -> socket.socket:
        opened.append(dup(self))
        return opened[-1]

    monkeypatch.setattr(remote, "SECONDS", 0.2)
    monkeypatch.setattr(transport, "SECONDS", 0.2)
    monkeypatch.setattr(Deadline, "connect", late)
    monkeypatch.setattr(socket.socket, "dup", again)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises((TimeoutError, TooSlowError)),
    ):
        use(server.getsockname()[1])
    assert opened
    assert [connection.fileno() for connection in opened] == [-1] * len(opened)
