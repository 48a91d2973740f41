"""The instance's keys: made at the first start, kept outside the database, never replaced."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

KEY_BYTES = 32
NAMES = ("secret", "fields", "trail", "totp")


class KeysError(Exception):
    """A key is missing or broken; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Keys:
    """One key for each use.

    secret signs cookies, fields wraps the cooperations' keys, trail seals the heads of chains, totp
    encrypts the second factors.
    """

    secret: bytes
    fields: bytes
    trail: bytes
    totp: bytes


class _Ring:
    keys: Keys | None = None


_ring = _Ring()


def use(keys: Keys) -> None:
    """Set the keys of this process."""
    _ring.keys = keys


def current() -> Keys:
    """Return the keys of this process; raise KeysError before the application is built."""
    if _ring.keys is None:
        message = "The keys are not loaded; build the application first."
        raise KeysError(message)
    return _ring.keys


def load(directory: Path, *, may_make: bool) -> Keys:
    """Read the keys, or make all of them where there is none yet and may_make allows it.

    A directory with only some of the keys, or none where data exists already, raises KeysError:
    a new key would make what was encrypted or sealed before unreadable.
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
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in NAMES:
        descriptor = os.open(
            _path(directory, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600
        )
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text().strip())
    except ValueError as error:
        message = f"{path} is not a key: it must hold {KEY_BYTES * 2} hexadecimal letters."
        raise KeysError(message) from error
    if len(key) != KEY_BYTES:
        message = f"{path} is not a key: it must hold {KEY_BYTES * 2} hexadecimal letters."
        raise KeysError(message)
    return key
