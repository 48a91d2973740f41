"""Encryption of a backup in the age format, for a passphrase or for public keys.

The library encrypts a stream only for public keys. For a passphrase, a new private key is
encrypted with it at the beginning of the file, and the rest for that key. The library would do that
too, but at a cost that it measures: a busy machine would make guessing cheap.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyrage
from pyrage import passphrase as by_passphrase
from pyrage import x25519

from tracker.backup.errors import BackupError
from tracker.core import crypto

# A file that begins so continues with two bytes (a length) and the encrypted private key. The cost
# is crypto.SCRYPT: with another one, files begin otherwise.
BEGINNING = b"common-terms, scrypt 18 8 1\n"
# How files began whose private key the library encrypted.
_EARLIER = b"common-terms, for a passphrase\n"
_CONTEXT = "backup"
_LENGTH = 2
_DAMAGED = "{file} is damaged or incomplete, or no backup."
_ANOTHER = "The passphrase of {file} is another one, or the file is damaged."


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
        sealed = crypto.seal_for_passphrase(lock.passphrase or "", str(own).encode(), _CONTEXT)
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
        beginning, sealed = _sealed_key(source)
    if beginning == BEGINNING:
        try:
            plain = crypto.unseal_for_passphrase(secrets.passphrase(), sealed, _CONTEXT)
        except crypto.SealBrokenError as error:
            raise BackupError(_ANOTHER.format(file=file)) from error
        return [_identity(plain.decode())]
    if beginning == _EARLIER:
        return [_identity(_earlier_key(file, sealed, secrets.passphrase()))]
    if not secrets.private_keys:
        raise BackupError(
            f"{file} is encrypted for a public key, or is no backup: "
            "give the file with the private key (--identity)."
        )
    return [_identity(text) for text in secrets.private_keys]


def _sealed_key(source: BinaryIO) -> tuple[bytes, bytes]:
    """Read how a file begins and the private key encrypted for a passphrase, or nothing."""
    for beginning in (BEGINNING, _EARLIER):
        source.seek(0)
        if source.read(len(beginning)) == beginning:
            return beginning, source.read(int.from_bytes(source.read(_LENGTH)))
    source.seek(0)
    return b"", b""


def _earlier_key(file: Path, sealed: bytes, passphrase: str) -> str:
    """Decrypt a private key that the library encrypted."""
    try:
        return str(by_passphrase.decrypt(sealed, passphrase).decode())
    except pyrage.DecryptError as error:
        if str(error) == "Decryption failed":
            raise BackupError(_ANOTHER.format(file=file)) from error
        if str(error).startswith("Excessive work"):
            raise BackupError(
                f"{file} was made by a faster machine, or this one is busy: try again when it "
                "has less to do."
            ) from error
        raise BackupError(_DAMAGED.format(file=file)) from error


def unseal(file: Path, keys: list[Any], sink: Sink) -> None:
    """Decrypt a file into a sink; raise BackupError if it is damaged, cut off or for other keys.

    Each piece is authenticated before the sink gets it, and only the last one shows that nothing
    was cut off.
    """
    with file.open("rb") as source:
        _sealed_key(source)  # the rest follows it
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
