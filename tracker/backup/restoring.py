"""Restoring a backup into an empty folder and an empty database, completely or not at all.

The file is first read to its end, so that a damaged one changes nothing. Then its rows are loaded.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracker.backup import encrypted_files, key_files, lines, loading
from tracker.backup.encrypted_files import Secrets
from tracker.backup.errors import BackupError
from tracker.backup.lines import FORMAT, NUMBER, Line
from tracker.backup.loading import Content, Report
from tracker.settings import Settings
from tracker.worker import schema

# An instance has a few keys, of a few hundred characters each.
_MOST_KEYS = 1_000
_MOST_IN_KEYS = 1_000_000


@dataclass
class Backup:
    """A backup that was read to its end: where it is, what opens it, and what its lines say."""

    file: Path
    private_keys: list[Any] = field(repr=False)
    header: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict, repr=False)
    _in_keys: int = 0

    @property
    def numbers(self) -> dict[str, int]:
        """How many rows each table has."""
        numbers: dict[str, int] = self.header["rows"]
        return numbers

    @property
    def total(self) -> int:
        """How many rows there are."""
        return sum(self.numbers.values())

    def add_key(self, line: dict[str, Any]) -> None:
        """Add the key of a line; raise BackupError if there are too many."""
        self._in_keys += len(line["key"]) + len(line["content"])
        if len(self.keys) >= _MOST_KEYS or self._in_keys > _MOST_IN_KEYS:
            raise BackupError(f"{self.file} has more keys than an instance.")
        self.keys[line["key"]] = key_files.content(line["key"], line["content"])


def check(file: Path, secrets: Secrets) -> Backup:
    """Read a backup to its end; raise BackupError if it is damaged, or of a later version."""
    backup = Backup(file, encrypted_files.private_keys(file, secrets))
    counted = total = 0
    has_ended = False

    def take(line: Line) -> None:
        nonlocal counted, total, has_ended
        if not backup.header:
            backup.header = _header(file, line)
            total = backup.total
        elif isinstance(line, list):
            counted += 1
            if counted > total:
                raise BackupError(f"{file} has more rows than it says.")
        elif "key" in line:
            backup.add_key(line)
        has_ended = isinstance(line, dict) and "end" in line

    try:
        lines.read(file, backup.private_keys, take)
    except (KeyError, TypeError, ValueError) as error:
        raise BackupError(f"{file} contains no backup.") from error
    if not has_ended or counted != backup.total:
        raise BackupError(f"{file} is incomplete.")
    return backup


def _header(file: Path, line: Line) -> dict[str, Any]:
    if not isinstance(line, dict) or line.get("format") != FORMAT:
        raise BackupError(f"{file} contains no backup.")
    printed = [line.get(name) for name in ("application", "at", "revision")]
    if not all(text is None or lines.is_printable(text) for text in printed):
        raise BackupError(f"{file} contains no backup.")
    revision = line.get("revision")
    is_later = isinstance(revision, str) and not schema.is_known(revision)
    if line["number"] > NUMBER or is_later:
        raise BackupError(
            f"{file} was made by a later version ({line.get('application')}, {revision}). "
            "Restore it with that version or a newer one."
        )
    if not (_is_text(revision) and _is_text(line.get("keys")) and _are_numbers(line.get("rows"))):
        raise BackupError(f"{file} contains no backup.")
    return line


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _are_numbers(rows: object) -> bool:
    return isinstance(rows, dict) and all(
        type(number) is int and number >= 0 for number in rows.values()
    )


def check_keys(backup: Backup, keys: Mapping[str, bytes]) -> None:
    """Raise BackupError if there are no keys, those of another instance, or nothing but keys."""
    if not {"application", "at", "keys", "revision"} <= backup.header.keys():
        raise BackupError(
            f"{backup.file} contains only keys. Name the backup, and this file with --keys."
        )
    if not keys:
        raise BackupError(f"The keys are not in {backup.file}: give the file with them (--keys).")
    if key_files.fingerprint(keys) != backup.header["keys"]:
        raise BackupError(f"The keys don't belong to {backup.file}.")


def require_empty(settings: Settings) -> None:
    """Raise BackupError if the data directory contains anything, or there is an SQLite file."""
    folder = settings.data_dir
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(
            f"{folder} is not empty. Name an empty folder by TRACKER_DATA_DIR, or move this one."
        )
    if settings.database_is_there:
        raise BackupError(f"There is a database already: {settings.database_file}.")


@contextmanager
def files(settings: Settings, keys: Mapping[str, bytes]) -> Iterator[None]:
    """Write the keys; if the block fails, remove them again and SQLite's files."""
    folder = settings.data_dir
    is_new = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        key_files.write(folder / "keys", keys)
        yield
    except BaseException:
        shutil.rmtree(folder / "keys", ignore_errors=True)
        if settings.database_file is not None:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{settings.database_file}{suffix}").unlink(missing_ok=True)
        if is_new:
            folder.rmdir()
        raise


def load(backup: Backup, report: Report) -> None:
    """Create the tables as they were, insert the rows and upgrade; raise as loading.load does."""

    def read(take: lines.Take) -> None:
        lines.read(backup.file, backup.private_keys, take)

    loading.load(Content(str(backup.file), backup.header["revision"], backup.numbers, read), report)
