"""A mail server that stalls, drips or floods holds the worker no longer than one limit."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from email.message import EmailMessage

import pytest

from tracker.mail import transport
from tracker.mail.transport import SmtpTransport, TooSlowError, TransportError

LIMIT = 1.0
# A server goes on for as long as it is listened to; a busy machine may add seconds to the limit.
PATIENCE = 30
# What is sent instead of a reply, again and again.
SILENCE, BYTES, LINES, FLOOD = b"", b"2", b"250-still here\r\n", b"250-on and on\r\n" * 1000
REPLIES = {
    "greeting": b"220 mail.example\r\n",
    "ehlo": b"250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n",
    "starttls": b"220 go ahead\r\n",
    "handshake": b"",
    "auth": b"235 welcome\r\n",
    "mail": b"250 sender\r\n",
    "rcpt": b"250 recipient\r\n",
    "data": b"354 go ahead\r\n",
    "end of data": b"250 accepted\r\n",
    "quit": b"221 goodbye\r\n",
}
PLAIN = tuple(stage for stage in REPLIES if stage not in {"starttls", "handshake"})


@contextmanager
def server(stage: str, sends: bytes) -> Iterator[SmtpTransport]:
    """A transport to a real server that never ends its reply at a stage."""
    ended = threading.Event()
    has_tls = stage in {"starttls", "handshake"}
    stages = tuple(REPLIES) if has_tls else PLAIN

    def serve() -> None:
        connection, _address = listening.accept()
        with connection, suppress(OSError):
            for number, current in enumerate(stages):
                if number:
                    receive(connection, b"\r\n.\r\n" if current == "end of data" else b"\r\n")
                if current == stage or (stage == "handshake" and current == "starttls"):
                    break
                connection.sendall(REPLIES[current])
            if stage == "handshake":
                connection.sendall(REPLIES["starttls"])
                connection.recv(4096)
                connection.sendall(b"\x16\x03\x03\x3f\x00")
            while not ended.wait(0 if sends == FLOOD else 0.05):
                connection.sendall(sends)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        user = "" if has_tls else "terms"
        yield SmtpTransport("127.0.0.1", listening.getsockname()[1], user, "word", starttls=has_tls)
        ended.set()
        thread.join(5)


def receive(connection: socket.socket, end: bytes) -> None:
    received = b""
    while not received.endswith(end):
        part = connection.recv(4096)
        if not part:
            raise OSError
        received += part


def message() -> EmailMessage:
    letter = EmailMessage()
    letter["From"] = "no-reply@terms.example"
    letter["To"] = "samira@example.org"
    letter.set_content("Look.")
    return letter


def outcome(case: tuple[str, bytes]) -> str:
    """Send a message to a server that keeps a reply from ending; return what comes of it."""
    stage, sends = case
    with server(stage, sends) as slow:
        begun = time.monotonic()
        try:
            slow.send(message())
        except TooSlowError:
            result = "too slow"
        except TransportError as error:
            result = "too long" if "longer than" in str(error) else str(error)
        else:
            result = "sent"
        return result if time.monotonic() - begun < PATIENCE else "held the worker"


@pytest.mark.parametrize(
    "sends", [SILENCE, BYTES, LINES], ids=["says nothing", "drips bytes", "drips lines"]
)
def test_a_server_that_keeps_a_reply_from_ending_is_cut_at_each_stage(
    monkeypatch: pytest.MonkeyPatch, sends: bytes
) -> None:
    monkeypatch.setattr(transport, "SECONDS", LIMIT)
    stages = [stage for stage in REPLIES if stage != "quit"]
    with ThreadPoolExecutor(len(stages)) as pool:
        outcomes = dict(zip(stages, pool.map(outcome, [(s, sends) for s in stages]), strict=True))
    assert outcomes == dict.fromkeys(stages, "too slow")


def test_a_server_without_end_is_cut_and_a_goodbye_not_waited_for() -> None:
    assert outcome(("greeting", FLOOD)) == "too long"
    assert outcome(("end of data", FLOOD)) == "too long"
    assert outcome(("quit", SILENCE)) == "sent"
