"""Transports for messages: SMTP, the console, files in a folder."""

import os
import re
import smtplib
import ssl
import sys
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from tracker.settings import uses_starttls

SECONDS = 20
SMTP_PORT, SMTPS_PORT = 587, 465
# Permanent replies about a mailbox (RFC 5321, 4.2.3), unless an enhanced code (RFC 3463) says that
# something other than the address (x.1) is at fault, such as the relay's own rules.
_NO_MAILBOX = {550, 551, 553}
_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.\d{1,3}\b")


class TransportError(Exception):
    """Raised when a message can't be sent, or the setting is invalid; the message is one line."""


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
        try:
            with self._connect() as server:
                if self.starttls:
                    server.starttls(context=self._tls())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            kind = RefusedAddressError if is_about_the_address(code, answer) else TransportError
            raise kind(f"refused: {code} {_plain(answer)}") from error
        except smtplib.SMTPResponseException as error:
            raise TransportError(f"{error.smtp_code} {_plain(error.smtp_error)}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise TransportError(f"{self.words}: {_words(error)}") from error

    def _connect(self) -> smtplib.SMTP:
        if self.encrypted:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=self._tls())
        return smtplib.SMTP(self.host, self.port, timeout=SECONDS)

    def _tls(self) -> ssl.SSLContext:
        return self.context or ssl.create_default_context()


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
