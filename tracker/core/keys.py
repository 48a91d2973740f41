"""The instance's keys: created at the first start, kept outside the database, never replaced."""

import os
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from tracker.core import services
from tracker.core.services import Slot

KEY_BYTES = 32
NAMES = ("secret", "fields", "trail", "totp")


class KeysError(Exception):
    """Raised when a key is missing or broken; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Keys:
    """One key for each use.

    secret signs cookies, fields wraps the cooperations' keys, trail seals the heads of chains, totp
    encrypts second factors.
    """

    secret: bytes = field(repr=False)
    fields: bytes = field(repr=False)
    trail: bytes = field(repr=False)
    totp: bytes = field(repr=False)


KEYS: Slot[Keys | None] = Slot("keys", None)


def current() -> Keys:
    """Return the keys of the current application; raise KeysError outside one."""
    return _present(KEYS.get())


def of(app: Flask) -> Keys:
    """Return the keys of an application that is being built, or raise KeysError."""
    return _present(services.of(app).get(KEYS))


def _present(keys: Keys | None) -> Keys:
    if keys is None:
        message = "The keys are not loaded; build the application first."
        raise KeysError(message)
    return keys


def load(directory: Path, *, may_make: bool) -> Keys:
    """Read the keys, or create all of them if there are none yet and may_make allows it.

    A directory with only some of the keys, or with none although data exists, raises KeysError: a
    new key would make everything encrypted or sealed before unreadable.
    """
    present = [name for name in NAMES if _path(directory, name).exists()]
    if not present and may_make:
        _make(directory)
    elif len(present) < len(NAMES):
        missing = ", ".join(f"{name}.key" for name in NAMES if name not in present)
        message = f"{missing} missing in {directory}: restore the keys of this instance there."
        raise KeysError(message)
    return Keys(**{name: _read(_path(directory, name)) for name in NAMES})


def _path(directory: Path, name: str) -> Path:
    return directory / f"{name}.key"


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
