"""The instance's keys: created at the first start, kept outside the database, in files of a folder.

Three of them can be changed while the instance runs (docs/adr/0088). Each file has a number then,
and an earlier key can be read until its file is put away.
"""

import hashlib
import hmac
import logging
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import Flask

from tracker.core import logs, services
from tracker.core.services import Slot

KEY_BYTES = 32
NAMES = ("secret", "fields", "trail", "totp")
# The keys that have numbers. A file without one has number 1.
NUMBERED = ("fields", "trail", "totp")
_TRAIL = "trail"
# Of a number that is not in use yet, and only read: processes with another folder may use it.
PREPARED = "new"
# The key of digests of rows, once it can't be derived from the first trail key any more.
ROWS = "rows"
# How long a key is read that was put away.
LEAVING_SECONDS = 600.0
_FILE = re.compile(rf"({'|'.join(NUMBERED)})(?:-([1-9][0-9]{{0,3}}))?\.(key|{PREPARED})")


_logger = logging.getLogger(__name__)


class KeysError(Exception):
    """Raised when a key is missing or broken; the message says what to do."""


class KeyMissingError(KeysError):
    """Raised when a value was written under a key whose file is not in the folder."""


@dataclass(frozen=True, slots=True)
class Keys:
    """One key for each use, and the earlier ones that can still be read.

    secret signs cookies, fields wraps the cooperations' keys, trail seals the heads of chains, totp
    encrypts second factors.
    """

    secret: bytes = field(repr=False)
    fields: bytes = field(repr=False)
    trail: bytes = field(repr=False)
    totp: bytes = field(repr=False)
    # The numbers of the keys in use; 1 if a name is absent.
    numbers: Mapping[str, int] = field(default_factory=dict, hash=False, kw_only=True)
    # Keys of other numbers, by name and number.
    others: Mapping[tuple[str, int], bytes] = field(
        default_factory=dict, repr=False, hash=False, kw_only=True
    )
    own_rows: bytes | None = field(default=None, repr=False, kw_only=True)
    # Keys whose files were put away a moment ago, for what began before that.
    leaving: Mapping[tuple[str, int], bytes] = field(
        default_factory=dict, repr=False, hash=False, kw_only=True
    )

    @property
    def rows(self) -> bytes:
        """The key for digests of rows; it comes from the first trail key, and is never changed."""
        return self.own_rows or rows_key(self.others.get((_TRAIL, 1), self.trail))

    def number(self, name: str) -> int:
        """Return the number of the key in use."""
        return self.numbers.get(name, 1)

    def numbered(self, name: str, number: int) -> bytes:
        """Return the key with a number; raise KeyMissingError if its file is not in the folder."""
        if number == self.number(name):
            key: bytes = getattr(self, name)
            return key
        other = self.others.get((name, number)) or self.leaving.get((name, number))
        if other is None:
            raise KeyMissingError(
                f"{file_name(name, number)} is missing in the folder of keys: copy it there from "
                "where it was created."
            )
        return other

    def of(self, name: str) -> dict[int, bytes]:
        """Return all keys of a name that can be read, by number."""
        others = {number: key for (of, number), key in self.others.items() if of == name}
        return {**others, self.number(name): self.numbered(name, self.number(name))}


def rows_key(key: bytes) -> bytes:
    """Derive the key for digests of rows from another key, for this purpose only."""
    return hmac.digest(key, b"common-terms/rows/1", hashlib.sha256)


class WatchedFolder:
    """The keys of a folder, read again once a file was added, renamed or removed.

    So every process uses a new key without a restart. If one is broken then, all stay as they were.
    A key that was put away is read for some minutes more: requests and audits that began before
    have values under it.
    """

    def __init__(self, directory: Path, read: Keys) -> None:
        self.directory = directory
        self._keys = read
        self._changed_at: int | None = None
        self._leaving_until = 0.0

    def current(self) -> Keys:
        """Return the keys as they are in the folder."""
        try:
            changed_at = self.directory.stat().st_mtime_ns
        except OSError:  # a folder that can't be reached now; its keys are known
            return self._keys
        if changed_at != self._changed_at:
            self._take_over(self._read() or self._read() or self._keys)
            self._changed_at = changed_at
        if self._keys.leaving and time.monotonic() > self._leaving_until:
            self._keys = replace(self._keys, leaving={})
        return self._keys

    def _take_over(self, read: Keys) -> None:
        before = {(name, n): key for name in NUMBERED for n, key in self._keys.of(name).items()}
        leaving = {(name, n): key for (name, n), key in before.items() if n not in read.of(name)}
        if leaving:
            self._leaving_until = time.monotonic() + LEAVING_SECONDS
        self._keys = replace(read, leaving={**self._keys.leaving, **leaving})

    def _read(self) -> Keys | None:
        """Read the folder; None if a key is broken, or was renamed at this moment."""
        try:
            return load(self.directory, may_make=False)
        except KeysError as error:
            why = logs.fields(error=logs.kind_of(error))
            _logger.warning("The keys are used as they were before", extra=why)
            return None


KEYS: Slot[Keys | WatchedFolder | None] = Slot("keys", None)


def current() -> Keys:
    """Return the keys of the current application; raise KeysError outside one."""
    return _present(KEYS.get())


def of(app: Flask) -> Keys:
    """Return the keys of an application that is being built, or raise KeysError."""
    return _present(services.of(app).get(KEYS))


def _present(keys: Keys | WatchedFolder | None) -> Keys:
    if keys is None:
        message = "The keys are not loaded; build the application first."
        raise KeysError(message)
    return keys.current() if isinstance(keys, WatchedFolder) else keys


def load(directory: Path, *, may_make: bool) -> Keys:
    """Read the keys, or create all of them if there are none yet and may_make allows it.

    A directory with only some of the keys, or with none although data exists, raises KeysError: a
    new key would make everything encrypted or sealed before unreadable.
    """
    present = _used(directory)
    if not present and may_make:
        _make(directory)
        present = _used(directory)
    elif len(present) < len(NAMES):
        missing = ", ".join(f"{name}.key" for name in NAMES if name not in present)
        message = f"{missing} missing in {directory}: restore the keys of this instance there."
        raise KeysError(message)
    rows = _path(directory, ROWS)
    numbered = files(directory)
    if (_TRAIL, 1) not in numbered and not rows.exists():
        message = f"{rows.name} missing in {directory}: restore the keys of this instance there."
        raise KeysError(message)
    used = {name: _read(_path(directory, name, number)) for name, number in present.items()}
    return Keys(
        secret=used["secret"],
        fields=used["fields"],
        trail=used["trail"],
        totp=used["totp"],
        numbers={name: number for name, number in present.items() if number > 1},
        others={
            place: _read(path) for place, path in numbered.items() if place[1] != present[place[0]]
        },
        own_rows=_read(rows) if rows.exists() else None,
    )


def files(directory: Path) -> dict[tuple[str, int], Path]:
    """Return the files of numbered keys by name and number, those that are prepared too.

    Of two files with the same number, the one in use counts.
    """
    if not directory.is_dir():
        return {}
    numbered = {}
    for path in sorted(directory.iterdir(), key=lambda path: path.suffix, reverse=True):
        match = _FILE.fullmatch(path.name)
        if match:
            numbered[match[1], int(match[2] or 1)] = path
    return numbered


def _used(directory: Path) -> dict[str, int]:
    """Return the names whose keys are there, with the number of the one in use: the highest."""
    used = {"secret": 1} if _path(directory, "secret").exists() else {}
    for (name, number), path in sorted(files(directory).items()):
        if path.suffix != f".{PREPARED}":
            used[name] = number
    return used


def file_name(name: str, number: int = 1, *, is_prepared: bool = False) -> str:
    """Return the name of the file of a key."""
    suffix = PREPARED if is_prepared else "key"
    return f"{name}.{suffix}" if number == 1 else f"{name}-{number}.{suffix}"


def _path(directory: Path, name: str, number: int = 1) -> Path:
    return directory / file_name(name, number)


def write_new(path: Path, key: bytes) -> None:
    """Write a key into a new file, readable by its owner alone; raise KeysError if that fails.

    The file is complete when it appears.
    """
    try:
        with changing(path.parent):
            descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
            try:
                with os.fdopen(descriptor, "w") as file:
                    file.write(key.hex() + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                os.link(beside, path)
            finally:
                Path(beside).unlink(missing_ok=True)
    except OSError as error:
        message = f"The key can't be written to {path}: {error.strerror}."
        raise KeysError(message) from error


@contextmanager
def changing(directory: Path) -> Iterator[None]:
    """Let WatchedFolder notice what the block changes, even within a tick of the file system."""
    before = directory.stat().st_mtime_ns
    yield
    after = directory.stat()
    os.utime(directory, ns=(after.st_atime_ns, max(before, after.st_mtime_ns) + 1))


def _make(directory: Path) -> None:
    """Create all keys in a temporary folder and move them into place together, never only some."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        for name in NAMES:
            _write(_path(folder, name), secrets.token_hex(KEY_BYTES) + "\n")
        try:
            folder.rename(directory)
        except OSError:
            shutil.rmtree(folder)
            # Another process created its keys in the same moment; use those.
            if not _path(directory, NAMES[0]).exists():
                raise
    except OSError as error:
        message = f"The keys can't be created in {directory}: {error.strerror}."
        raise KeysError(message) from error


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _read(path: Path) -> bytes:
    try:
        text = path.read_bytes().strip()
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}."
        raise KeysError(message) from error
    if not re.fullmatch(rb"[0-9a-f]{%d}" % (2 * KEY_BYTES), text):
        message = f"{path} is not a key: it must contain {KEY_BYTES * 2} hexadecimal digits."
        raise KeysError(message)
    return bytes.fromhex(text.decode())
