"""Writing a backup: all rows as they are at a moment, and the keys, into an encrypted file.

The rows are read in one snapshot, so they fit together, and nobody who saves has to wait.
"""

import os
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tracker.backup import encrypted_files, key_files, rows
from tracker.backup.encrypted_files import Lock
from tracker.backup.errors import BackupError
from tracker.backup.lines import FORMAT, NUMBER, Line, pieces
from tracker.backup.loading import Report
from tracker.core import clock
from tracker.oversight import stored


def write(
    file: Path,
    lock: Lock,
    key_folder: Path,
    report: Report,
    *,
    with_keys: bool,
    written_keys: str | None = None,
) -> int:
    """Write a backup of the database and return how many rows it contains.

    written_keys is what write_keys returned, if the keys are in a file of their own.

    Raise BackupError if the file exists or can't be written, if a key or a row can't be read, or if
    a key was changed since write_keys; nothing is left then.
    """
    keys = key_files.read(key_folder)
    with stored.view() as connection:
        # In a change of a key, what the snapshot needs is in the folder before it or after it.
        connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        keys = {**keys, **key_files.read(key_folder)}
        fingerprint = key_files.fingerprint(keys)
        if written_keys not in {None, fingerprint}:
            raise BackupError("A key was changed at this moment. Make the backup again.")
        tables = rows.tables(connection)
        numbers = {name: rows.count(connection, table) for name, table in tables.items()}

        def lines() -> Iterator[Line]:
            yield _header(connection, numbers) | {"keys": fingerprint}
            if with_keys:
                yield from key_files.lines(keys)
            for table in tables.values():
                yield {"table": table.name, "columns": table.shape}
                for row in rows.read(connection, table):
                    yield row
                    report(sum(numbers.values()))
            yield {"end": sum(numbers.values())}

        _write(file, lines(), lock)
    return sum(numbers.values())


def write_keys(file: Path, lock: Lock, key_folder: Path) -> str:
    """Write the keys alone into an encrypted file; raise BackupError as write does.

    Return what says which they are (key_files.fingerprint).
    """
    keys = key_files.read(key_folder)

    def lines() -> Iterator[Line]:
        yield {"format": FORMAT, "number": NUMBER, "rows": {}}
        yield from key_files.lines(keys)
        yield {"end": 0}

    _write(file, lines(), lock)
    return key_files.fingerprint(keys)


def _header(connection: Connection, numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "number": NUMBER,
        "application": metadata.version("common-terms"),
        "revision": connection.scalar(sa.text("SELECT version_num FROM alembic_version")),
        "database": connection.dialect.name,
        "at": clock.now().isoformat(timespec="seconds"),
        "rows": numbers,
    }


def _write(file: Path, lines: Iterable[Line], lock: Lock) -> None:
    """Write beside the file and rename at the end, so that no part of a backup looks like one."""
    beside = file.with_name(f".{file.name}-{uuid4().hex[:8]}")
    require_new(file)
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
        with os.fdopen(descriptor, "wb") as target:
            encrypted_files.seal(target, pieces(lines), lock)
            target.flush()
            os.fsync(target.fileno())
        require_new(file)
        beside.rename(file)
    except OSError as error:
        raise BackupError(f"{file} can't be written: {error.strerror or error}.") from error
    finally:
        beside.unlink(missing_ok=True)


def require_new(file: Path) -> None:
    """Raise BackupError if there is a file already: no backup takes the place of another."""
    if file.exists():
        raise BackupError(f"{file} exists already. Choose another name, or remove it first.")
