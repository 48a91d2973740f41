"""Transports for messages: SMTP, the console, files in a folder."""

import os
import re
import smtplib
import socket
import ssl
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from tracker.core.deadlines import Deadline
from tracker.settings import uses_starttls

# For one message, from the lookup of the server's name to its word that it has accepted it.
SECONDS = 60
# Of everything that a server answers, in bytes.
LONGEST_ANSWERS = 100_000
SMTP_PORT, SMTPS_PORT = 587, 465
# Permanent replies about a mailbox (RFC 5321, 4.2.3), unless an enhanced code (RFC 3463) says that
# something other than the address (x.1) is at fault, such as the relay's own rules.
_NO_MAILBOX = {550, 551, 553}
_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.\d{1,3}\b")


class TransportError(Exception):
    """Raised when a message can't be sent, or the setting is invalid; the message is one line."""


class TooSlowError(TransportError):
    """Raised when the mail server doesn't accept a message in time."""


class RefusedAddressError(TransportError):
    """Raised when the address of the recipient is not accepted, and won't be later."""


class Transport(Protocol):
    """Sends one message at a time."""

    @property
    def words(self) -> str:
        """Where messages go, without the password."""

    def send(self, message: EmailMessage) -> None:
        """Send a message; raise TransportError if it is not accepted."""


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """A mail server, with one connection per message."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    encrypted: bool = False
    starttls: bool = False
    context: ssl.SSLContext | None = None

    @property
    def words(self) -> str:
        """The server's name."""
        return f"{'smtps' if self.encrypted else 'smtp'}://{self.host}:{self.port}"

    def send(self, message: EmailMessage) -> None:
        """Send over SMTP; the server's refusal becomes a TransportError."""
        deadline = Deadline(SECONDS)
        try:
            server = self._connect(deadline)
            try:
                if self.starttls:
                    server.starttls(context=self._tls())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
            finally:
                server.leave()
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            kind = RefusedAddressError if is_about_the_address(code, answer) else TransportError
            raise kind(f"refused: {code} {_plain(answer)}") from error
        except smtplib.SMTPResponseException as error:
            raise TransportError(f"{error.smtp_code} {_plain(error.smtp_error)}") from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            if deadline.is_over:  # a connection that was cut says only that it has ended
                message_words = f"it didn't accept the message within {SECONDS} seconds"
                raise TooSlowError(f"{self.words}: {message_words}") from error
            raise TransportError(f"{self.words}: {_words(error)}") from error

    def _connect(self, deadline: Deadline) -> "_EndingSmtp":
        if self.encrypted:
            return _EndingSmtps(self.host, self.port, deadline, self._tls())
        return _EndingSmtp(self.host, self.port, deadline)

    def _tls(self) -> ssl.SSLContext:
        return self.context or ssl.create_default_context()


class _Replies:
    """A mail server's replies, read until the time is over or they are too long."""

    def __init__(self, file: BinaryIO, deadline: Deadline) -> None:
        self._file = file
        self._deadline = deadline
        self._left = LONGEST_ANSWERS

    def readline(self, longest: int) -> bytes:
        """Return the next line; raise OSError if the server took or said too much."""
        line = self._file.readline(longest)
        self._deadline.left()
        self._left -= len(line)
        if self._left < 0:
            raise OSError(f"its answers are longer than {LONGEST_ANSWERS:,} bytes")
        return line

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _EndingSmtp(smtplib.SMTP):
    """A connection that is cut when the time is over, however little and often the server sends."""

    def __init__(self, host: str, port: int, deadline: Deadline) -> None:
        self._deadline = deadline
        self._cutting: threading.Timer | None = None
        # The library would look up the name of this machine, which may take any time.
        name = deadline.call(socket.getfqdn)
        try:
            super().__init__(host, port, name if "." in name else "[127.0.0.1]")
        except OSError:
            self.close()
            raise

    def _get_socket(self, host: str, port: int, _timeout: object) -> socket.socket:
        with ExitStack() as stack:
            connection = stack.enter_context(self._deadline.connect(host, port))
            # It shares the connection, and stays what it is when TLS takes over the other one.
            self._shared = connection.dup()
            self._cutting = self._deadline.cut(self._shared)
            stack.pop_all()
        return connection

    def getreply(self) -> tuple[int, bytes]:
        """Return the code and text of the next reply."""
        if self.file is None and self.sock is not None:
            self.file = _Replies(self.sock.makefile("rb"), self._deadline)
        return super().getreply()

    def close(self) -> None:
        """Close the connection."""
        super().close()
        if self._cutting is not None:
            self._cutting.cancel()
            self._shared.close()

    def leave(self) -> None:
        """Say goodbye and close, without waiting for a reply: it would change nothing."""
        with suppress(smtplib.SMTPException, OSError):
            self.putcmd("quit")
        self.close()


class _EndingSmtps(smtplib.SMTP_SSL, _EndingSmtp):
    """The same by TLS: the handshake comes within the same time."""

    def __init__(self, host: str, port: int, deadline: Deadline, context: ssl.SSLContext) -> None:
        self.context = context
        _EndingSmtp.__init__(self, host, port, deadline)


@dataclass(frozen=True, slots=True)
class ConsoleTransport:
    """Writes messages to standard output, for trying things out."""

    words: str = "console://"

    def send(self, message: EmailMessage) -> None:
        """Print a message as a person reads it."""
        sys.stdout.write(
            f"{'-' * 60}\nTo: {message['To']}\nSubject: {message['Subject']}\n\n"
            f"{_text_of(message)}{'-' * 60}\n"
        )
        sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class FileTransport:
    """Writes each message to a file of its own, readable only by its owner."""

    folder: Path

    @property
    def words(self) -> str:
        """The folder's name."""
        return f"file://{self.folder}"

    def send(self, message: EmailMessage) -> None:
        """Write the message completely, or not at all."""
        name = message["Message-ID"].strip("<>").partition("@")[0]
        path = self.folder / f"{name}.eml"
        part = path.with_suffix(".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(message.as_bytes())
            part.replace(path)
        except OSError as error:
            raise TransportError(f"{self.words}: {error.strerror or error}") from error


def from_url(url: str) -> Transport:
    """Return the transport for a TRACKER_MAIL_URL, or raise TransportError if it is invalid.

    smtp://user:password@host:587?starttls=1, smtps://host, console://, file:///folder
    """
    parts = urlsplit(url)
    if parts.scheme == "console":
        return ConsoleTransport()
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return FileTransport(Path(unquote(parts.path)))
    if parts.scheme in {"smtp", "smtps"} and parts.hostname:
        return _smtp(parts)
    raise TransportError(
        "the mail address must be smtp://host:port, smtps://host:port, console:// or file:///folder"
    )


def _smtp(parts: SplitResult) -> SmtpTransport:
    encrypted = parts.scheme == "smtps"
    try:
        port = parts.port or (SMTPS_PORT if encrypted else SMTP_PORT)
    except ValueError as error:
        raise TransportError("the mail server's port must be a number up to 65535") from error
    return SmtpTransport(
        host=parts.hostname or "",
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        encrypted=encrypted,
        starttls=not encrypted and uses_starttls(parts),
    )


def address(text: str) -> Address:
    """Parse an address such as Name <a@b.example>; other scripts in the domain become ASCII.

    Raises TransportError if it is invalid.
    """
    name, spec = parseaddr(text)
    local, _at, domain = spec.rpartition("@")
    if not (local and domain and text.isprintable()):
        raise TransportError(f"{text!r} is not an email address")
    try:
        return Address(name, username=local, domain=domain.encode("idna").decode())
    except ValueError as error:
        raise TransportError(f"{text!r} is not an email address") from error


def is_about_the_address(code: int, answer: bytes | str) -> bool:
    """Return whether trying again won't help, since the server knows no such address."""
    enhanced = _ENHANCED.match(_plain(answer))
    return enhanced[1] == "1" if enhanced else code in _NO_MAILBOX


def _text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    return "" if part is None else str(part.get_content())


def _plain(answer: bytes | str) -> str:
    words = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return " ".join(words.split())


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
