"""Encryption of a backup in the age format, for a passphrase or for public keys.

The library encrypts a stream only for public keys. For a passphrase, a new private key is
encrypted with it at the beginning of the file, and the rest for that key.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyrage
from pyrage import passphrase as by_passphrase
from pyrage import x25519

from tracker.backup.errors import BackupError

# A file that begins so continues with two bytes (a length) and the encrypted private key.
BEGINNING = b"common-terms, for a passphrase\n"
_LENGTH = 2
_DAMAGED = "{file} is damaged or incomplete, or no backup."


@dataclass(frozen=True, slots=True)
class Lock:
    """Whom a file is encrypted for: a passphrase, or public keys (age1...)."""

    passphrase: str | None = field(default=None, repr=False)
    public_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secrets:
    """What opens a file: a function that asks for the passphrase, or private keys."""

    passphrase: Callable[[], str]
    private_keys: tuple[str, ...] = field(default=(), repr=False)


class Sink(Protocol):
    """Takes the decrypted bytes, piece by piece."""

    def write(self, data: bytes, /) -> int:
        """Take the next bytes and return how many."""
        ...

    def flush(self) -> None:
        """Do nothing more."""
        ...


def check_lock(lock: Lock) -> None:
    """Raise BackupError for a public key that isn't one, or an empty passphrase."""
    if not lock.public_keys and not lock.passphrase:
        raise BackupError("The passphrase is empty.")
    for public_key in lock.public_keys:
        _recipient(public_key)


def seal(target: BinaryIO, pieces: Iterable[bytes], lock: Lock) -> None:
    """Write the pieces into a file, encrypted; raise BackupError if it can't be written.

    What reading the pieces raises is raised here.
    """
    recipients = [_recipient(public_key) for public_key in lock.public_keys]
    if not recipients:
        own = x25519.Identity.generate()
        sealed = by_passphrase.encrypt(str(own).encode(), lock.passphrase)
        target.write(BEGINNING + len(sealed).to_bytes(_LENGTH) + sealed)
        recipients = [own.to_public()]
    source = _Source(iter(pieces))
    try:
        pyrage.encrypt_io(source, target, recipients)
    except pyrage.EncryptError as error:
        if source.error is not None:
            raise source.error from None
        raise BackupError(f"The file can't be written: {error}.") from error


def private_keys(file: Path, secrets: Secrets) -> list[Any]:
    """Return the keys to try on a file; raise BackupError if it can't be opened with them."""
    with file.open("rb") as source:
        if source.read(len(BEGINNING)) != BEGINNING:
            if not secrets.private_keys:
                raise BackupError(
                    f"{file} is encrypted for a public key, or is no backup: "
                    "give the file with the private key (--identity)."
                )
            return [_identity(text) for text in secrets.private_keys]
        sealed = source.read(int.from_bytes(source.read(_LENGTH)))
    try:
        return [_identity(by_passphrase.decrypt(sealed, secrets.passphrase()).decode())]
    except pyrage.DecryptError as error:
        if str(error) == "Decryption failed":
            raise BackupError(f"The passphrase of {file} is another one.") from error
        raise BackupError(_DAMAGED.format(file=file)) from error


def unseal(file: Path, keys: list[Any], sink: Sink) -> None:
    """Decrypt a file into a sink; raise BackupError if it is damaged, cut off or for other keys.

    Each piece is authenticated before the sink gets it, and only the last one shows that nothing
    was cut off.
    """
    with file.open("rb") as source:
        if source.read(len(BEGINNING)) == BEGINNING:
            source.read(int.from_bytes(source.read(_LENGTH)))
        else:
            source.seek(0)
        try:
            pyrage.decrypt_io(source, sink, keys)
        except pyrage.DecryptError as error:
            if str(error) == "No matching keys found":
                raise BackupError(f"{file} is encrypted for another key.") from error
            raise BackupError(_DAMAGED.format(file=file)) from error
        except OSError as error:
            raise BackupError(_DAMAGED.format(file=file)) from error


class _Source:
    """A file to read from, made of pieces.

    Remembers the error of its pieces, which the library would turn into its own.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, and none at the end."""
        try:
            while not self._rest:
                self._rest = memoryview(next(self._pieces))
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise
        data, self._rest = self._rest[:size], self._rest[size:]
        return bytes(data)


def _recipient(text: str) -> Any:
    try:
        return x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise BackupError(f"{text} is no public key: it begins with age1.") from error


def _identity(text: str) -> Any:
    try:
        return x25519.Identity.from_str(text)
    except pyrage.IdentityError as error:
        raise BackupError("A private key is damaged: it begins with AGE-SECRET-KEY-1.") from error
