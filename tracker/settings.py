"""The settings: typed, frozen, read once from the environment, with safe defaults.

In one file: one table of all settings, and what each accepts.
"""

import enum
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, parse_qs, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tracker.access.actor import Role
from tracker.core.paths import default_data_dir

PREFIX = "TRACKER_"
# Another variable, which tracker run sets: it names the folder in which web processes count for
# metrics. The name is prometheus-client's.
COUNTED_IN = "PROMETHEUS_MULTIPROC_DIR"
KNOWN_LANGUAGES = ("en", "ar")
NOBODY = "none"
MAIL_SCHEMES = ("smtp", "smtps", "file", "console")
# psycopg is the driver, however the URL names the database.
POSTGRESQL = re.compile(r"postgres(ql(\+psycopg)?)?://")
# Services that may be used without TLS if a setting names them.
SERVICES = ("pages", "mail", "database", "timestamps")
# The modes in which PostgreSQL's library compares the certificate; without, anybody in between
# could pose as the server.
ENCRYPTED = {"verify-ca", "verify-full"}
# No address of IPv6 is among them: Werkzeug can't compare one.
THIS_MACHINE = ("localhost", "127.0.0.1")
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
MAILBOX = re.compile(r"([^<>@]+ )?<?[^<>@\s]+@[^<>@\s]+>?")


class Hsts(enum.StrEnum):
    """The host names for which browsers are told to use only https."""

    HOST = "host"
    SUBDOMAINS = "subdomains"
    PRELOAD = "preload"


class LogFormat(enum.StrEnum):
    """How log lines are written: for people, or for programs that collect them."""

    TEXT = "text"
    JSON = "json"


class SettingsError(Exception):
    """Raised when a setting is invalid or missing; the message says which, and what to write."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Every field is documented in docs/operations.md."""

    data_dir: Path
    database_url: str = field(repr=False)
    secret_key: str | None = field(repr=False)
    base_url: str
    mail_url: str = field(repr=False)
    mail_from: str
    timezone: str
    country: str
    # If empty, pages say to ask the person you work with.
    contact: str
    languages: tuple[str, ...]
    host: str
    port: int
    workers: int
    idle_minutes: int
    session_hours: int
    invitation_days: int
    second_factor_roles: tuple[Role, ...]
    checkpoint_minutes: int
    signature_days: int
    four_eyes: bool
    max_upload_bytes: int
    request_seconds: int
    trusted_proxies: int
    # Further host names that people or proxies may ask for, besides that of the base address.
    trusted_hosts: tuple[str, ...]
    # Empty: documents are signed without a timestamp.
    timestamp_url: str
    # Empty: uploaded files are not checked for malware.
    malware_command: tuple[str, ...]
    # The services that may be reached without TLS on another machine.
    without_tls: tuple[str, ...]
    hsts: Hsts
    # 0: health doesn't look at the age of the last backup.
    backup_days: int
    log_format: LogFormat
    # 0: no metrics. Never the port of the pages.
    metrics_port: int
    metrics_host: str
    demo: bool
    testing: bool = False
    # The names of settings that the environment gives, without the prefix; the others are defaults.
    chosen: frozenset[str] = frozenset()

    @property
    def secure(self) -> bool:
        """Whether people reach the application over https; secure cookies depend on it."""
        return self.base_url.startswith("https://")

    @property
    def sends_mail(self) -> bool:
        """Whether a mail server is set; otherwise messages become files, or are printed."""
        return urlsplit(self.mail_url).scheme in {"smtp", "smtps"}

    @property
    def own_hosts(self) -> list[str]:
        """The hosts that a request may be for, on any port; this machine's own names always.

        In small letters, as a request's host is compared (ui.errors), with and without the dot that
        may end a full name.
        """
        names = [urlsplit(self.base_url).hostname or "", *self.trusted_hosts, *THIS_MACHINE]
        return [*names, *(f"{name}." for name in names)]

    @property
    def database_file(self) -> Path | None:
        """The file of SQLite; None for a server."""
        path = self.database_url.removeprefix("sqlite:///")
        return None if path == self.database_url else Path(path.partition("?")[0])

    @property
    def database_is_there(self) -> bool:
        """Whether the SQLite file exists; False for a server, which is not asked here."""
        return self.database_file is not None and self.database_file.exists()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings; raise SettingsError with a one-line message if one is invalid."""
        read = _Reader(os.environ if environ is None else environ)
        read.allow_without_tls("WITHOUT_TLS")
        data_dir = read.folder("DATA_DIR", default_data_dir())
        port = read.number("PORT", 8000, 1, 65535)
        address = read.address("BASE_URL", f"http://localhost:{port}")
        port = read.number("PORT", address.port or port, 1, 65535)
        settings = cls(
            data_dir=data_dir,
            database_url=read.database("DATABASE_URL", f"sqlite:///{data_dir / 'tracker.sqlite3'}"),
            secret_key=read.secret("SECRET_KEY"),
            base_url=address.geturl(),
            mail_url=read.mail_url("MAIL_URL", f"file://{data_dir / 'mail'}"),
            mail_from=read.mailbox("MAIL_FROM", f"Common Terms <no-reply@{address.hostname}>"),
            timezone=read.zone("TIMEZONE", "UTC"),
            country=read.text("COUNTRY", ""),
            contact=read.text("CONTACT", ""),
            languages=read.languages("LANGUAGES", "en,ar"),
            host=read.text("HOST", "127.0.0.1"),
            port=port,
            workers=read.number("WORKERS", 2, 1, 64),
            idle_minutes=read.number("IDLE_MINUTES", 30, 1, 24 * 60),
            session_hours=read.number("SESSION_HOURS", 12, 1, 24 * 7),
            invitation_days=read.number("INVITATION_DAYS", 14, 1, 90),
            second_factor_roles=read.roles(
                "SECOND_FACTOR_ROLES", "signatory,manager,administrator"
            ),
            checkpoint_minutes=read.number("CHECKPOINT_MINUTES", 60, 1, 7 * 24 * 60),
            signature_days=read.number("SIGNATURE_DAYS", 30, 1, 365),
            four_eyes=read.flag("FOUR_EYES", default=False),
            max_upload_bytes=read.number("MAX_REQUEST_KB", 1024, 64, 102_400) * 1024,
            request_seconds=read.number("REQUEST_SECONDS", 20, 1, 600),
            trusted_proxies=read.number("TRUSTED_PROXIES", 0, 0, 5),
            trusted_hosts=read.hosts("TRUSTED_HOSTS"),
            timestamp_url=read.service("TIMESTAMP_URL"),
            malware_command=read.command("MALWARE_COMMAND"),
            without_tls=read.without_tls,
            hsts=read.hsts("HSTS", is_https=address.scheme == "https"),
            backup_days=read.number("BACKUP_DAYS", 0, 0, 365),
            log_format=read.log_format("LOG_FORMAT"),
            metrics_port=read.other_port("METRICS_PORT", port),
            metrics_host=read.text("METRICS_HOST", "127.0.0.1"),
            demo=read.flag("DEMO", default=False),
            chosen=read.chosen(),
        )
        read.refuse_unknown()
        return settings


def _is_here(host: str) -> bool:
    """Return whether a host is this machine: a loopback address, or the folder of a socket."""
    try:
        return host in {"", "localhost"} or host[0] in "/@" or ip_address(host).is_loopback
    except ValueError:
        return False


def _database_hosts(parts: SplitResult, environ: Mapping[str, str]) -> list[str]:
    """Return every host to which PostgreSQL's client may connect for a URL.

    It reads the query, and the environment for what the URL leaves out.
    """
    query = parse_qs(parts.query)
    named = [parts.hostname or "", *query.get("host", [])]
    if not any(named):
        named = [environ.get("PGHOST", "")]
    named += query.get("hostaddr", [environ.get("PGHOSTADDR", "")])
    return [host for hosts in named for host in hosts.split(",")]


def _plain_host(name: str) -> str:
    """Return the name of a host in small letters, without the dot that may end a full name."""
    return name.lower().removesuffix(".")


def uses_starttls(parts: SplitResult) -> bool:
    """Return whether the URL of a mail server asks for encryption after connecting."""
    return parse_qs(parts.query).get("starttls") == ["1"]


def _split(url: str) -> SplitResult | None:
    """Split a URL; return None if it is invalid, or has an invalid port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


class _Reader:
    """Reads values from the environment and remembers which names were read."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._names_read: set[str] = set()
        self.without_tls: tuple[str, ...] = ()

    def refuse(self, name: str, wanted: str) -> NoReturn:
        message = f"{PREFIX}{name} must be {wanted}"
        raise SettingsError(message)

    def refuse_unknown(self) -> None:
        """Raise SettingsError for a name that is not a setting, such as a misspelt one."""
        unknown = sorted(
            name
            for name in self._environ
            if name.startswith(PREFIX)
            and not name.startswith(PREFIX + "TEST_")
            and name.removeprefix(PREFIX) not in self._names_read
        )
        if unknown:
            message = f"{', '.join(unknown)}: there is no such setting; see docs/operations.md"
            raise SettingsError(message)

    def chosen(self) -> frozenset[str]:
        """Return the names of settings that have a value in the environment."""
        return frozenset(name for name in self._names_read if self.text(name, ""))

    def allow_without_tls(self, name: str) -> None:
        """Read which services may be used without TLS; before any of them is read."""
        named = tuple(part.strip() for part in self.text(name, "").split(",") if part.strip())
        if not set(named) <= set(SERVICES) or len(set(named)) < len(named):
            self.refuse(name, f"some of {', '.join(SERVICES)}, or absent")
        self.without_tls = named

    def _require_tls(self, name: str, service: str, wanted: str) -> None:
        if service not in self.without_tls:
            self.refuse(name, f"{wanted}; set {PREFIX}WITHOUT_TLS={service} to go without TLS")

    def text(self, name: str, default: str) -> str:
        self._names_read.add(name)
        return self._environ.get(PREFIX + name, "").strip() or default

    def folder(self, name: str, default: Path) -> Path:
        try:
            path = Path(self.text(name, str(default))).expanduser().resolve()
            is_blocked = any(
                folder.exists() and not folder.is_dir() for folder in (path, *path.parents)
            )
        except (RuntimeError, ValueError, OSError):  # no such user, a null character, too long
            self.refuse(name, "a folder")
        if is_blocked:
            self.refuse(name, "a folder; there is a file")
        return path

    def address(self, name: str, default: str) -> SplitResult:
        """Accept the address of the instance; its host as browsers write it (_plain_host)."""
        parts = _split(self.text(name, default).rstrip("/"))
        host = "" if parts is None else _plain_host(parts.hostname or "")
        if ":" in host:  # see THIS_MACHINE
            self.refuse(name, "an address with a host name or an IPv4 address, not IPv6")
        if (
            parts is None
            or parts.scheme not in {"http", "https"}
            or not host
            or host.endswith(".")
            or parts.username is not None
            or parts.path + parts.query + parts.fragment
        ):
            self.refuse(name, "an address such as https://terms.example")
        if parts.scheme == "http" and not _is_here(host):
            self._require_tls(name, "pages", "begin with https://")
        return parts._replace(netloc=host if parts.port is None else f"{host}:{parts.port}")

    def hosts(self, name: str) -> tuple[str, ...]:
        """Accept names of hosts, without scheme and port."""
        written = (host.strip() for host in self.text(name, "").split(","))
        named = tuple(_plain_host(host) for host in written if host)
        if not all(map(HOST_NAME.fullmatch, named)):
            self.refuse(name, "host names such as terms.internal,10.0.0.5, or absent")
        return named

    def service(self, name: str) -> str:
        """Accept the URL of a network service, or none."""
        url = self.text(name, "")
        parts = _split(url)
        is_plain = (
            parts is not None
            and parts.scheme in {"http", "https"}
            and parts.hostname
            and parts.username is None
            and not parts.fragment
        )
        if url and not is_plain:
            self.refuse(name, "an address such as https://timestamps.example/tsa, or absent")
        if parts is not None and parts.scheme == "http" and not _is_here(parts.hostname or ""):
            self._require_tls(name, "timestamps", "begin with https://")
        return url

    def command(self, name: str) -> tuple[str, ...]:
        """Accept a program by its full path, with its arguments, or none."""
        try:
            words = tuple(shlex.split(self.text(name, "")))
        except ValueError:  # a quotation mark without its other one
            words = ("",)
        if words and not words[0].startswith("/"):
            self.refuse(name, "a command that begins with the full path of a program, or absent")
        return words

    def database(self, name: str, default: str) -> str:
        """Accept the URLs of the two supported databases, and name the driver."""
        url = self.text(name, default)
        if re.match(r"sqlite:////.", url):
            return url
        parts = _split(url)
        if parts is None or not POSTGRESQL.match(url) or not parts.path.strip("/"):
            self.refuse(name, "sqlite:////FULL/PATH or postgresql://USER:PASSWORD@HOST/NAME")
        query = parse_qs(parts.query)
        if "service" in query or "PGSERVICE" in self._environ:
            self.refuse(name, "complete; a service of PostgreSQL's client may name another host")
        modes = query.get("sslmode", [self._environ.get("PGSSLMODE", "")])
        hosts = _database_hosts(parts, self._environ)
        if not (set(modes) <= ENCRYPTED or all(map(_is_here, hosts))):
            self._require_tls(name, "database", "end with ?sslmode=verify-full")
        return POSTGRESQL.sub("postgresql+psycopg://", url, count=1)

    def mail_url(self, name: str, default: str) -> str:
        url = self.text(name, default)
        parts = _split(url)
        if parts is None or parts.scheme not in MAIL_SCHEMES:
            self.refuse(name, "smtp://HOST:PORT, smtps://HOST, file:///FOLDER or console://")
        is_plain = parts.scheme == "smtp" and not uses_starttls(parts)
        if is_plain and not _is_here(parts.hostname or ""):
            self._require_tls(name, "mail", "begin with smtps:// or end with ?starttls=1")
        return url

    def mailbox(self, name: str, default: str) -> str:
        text = self.text(name, default)
        if not MAILBOX.fullmatch(text) or not text.isprintable():
            self.refuse(name, "an email address such as Common Terms <terms@npm.example>")
        return text

    def secret(self, name: str) -> str | None:
        value = self.text(name, "")
        if value and len(value) < 32:  # noqa: PLR2004 -- 32 letters: 128 bits even if hexadecimal
            self.refuse(name, "at least 32 characters long, or absent: then one is created")
        return value or None

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            self.refuse(name, f"a whole number from {least} to {most}")
        return int(text)

    def other_port(self, name: str, port: int) -> int:
        """Accept a port that isn't the one of the pages, or 0 for none."""
        number = self.number(name, 0, 0, 65535)
        if number == port:
            self.refuse(name, "another port than the one of the pages, or absent")
        return number

    def log_format(self, name: str) -> LogFormat:
        text = self.text(name, LogFormat.TEXT)
        if text not in set(LogFormat):
            self.refuse(name, f"one of {', '.join(LogFormat)}")
        return LogFormat(text)

    def flag(self, name: str, *, default: bool) -> bool:
        text = self.text(name, "1" if default else "0")
        if text not in {"0", "1"}:
            self.refuse(name, "0 or 1")
        return text == "1"

    def hsts(self, name: str, *, is_https: bool) -> Hsts:
        text = self.text(name, Hsts.HOST)
        if text not in set(Hsts):
            self.refuse(name, f"one of {', '.join(Hsts)}")
        if text != Hsts.HOST and not is_https:
            self.refuse(name, f"{Hsts.HOST} unless {PREFIX}BASE_URL begins with https")
        return Hsts(text)

    def zone(self, name: str, default: str) -> str:
        text = self.text(name, default)
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.refuse(name, "a time zone such as Europe/Zurich")
        return text

    def languages(self, name: str, default: str) -> tuple[str, ...]:
        codes = tuple(part.strip() for part in self.text(name, default).split(",") if part.strip())
        if not codes or not set(codes) <= set(KNOWN_LANGUAGES) or len(set(codes)) < len(codes):
            self.refuse(name, f"some of {', '.join(KNOWN_LANGUAGES)}, the first being the default")
        return codes

    def roles(self, name: str, default: str) -> tuple[Role, ...]:
        """Accept roles, or the word for none."""
        text = self.text(name, default)
        named = tuple(part.strip() for part in text.split(",") if part.strip())
        if text == NOBODY:
            return ()
        if not named or not set(named) <= set(Role) or len(set(named)) < len(named):
            self.refuse(name, f"{NOBODY}, or some of {', '.join(Role)}")
        return tuple(Role(role) for role in named)
