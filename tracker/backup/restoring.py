"""Restoring a backup into an empty folder and an empty database, completely or not at all.

The file is first read to its end, so that a damaged one changes nothing. Then the tables are
created as they were, the rows inserted in one transaction, and the tables upgraded.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tracker.backup import encrypted_files, key_files, lines, rows
from tracker.backup.encrypted_files import Secrets
from tracker.backup.errors import BackupError
from tracker.backup.lines import FORMAT, NUMBER, Line
from tracker.backup.rows import Row, Table
from tracker.core.db import db
from tracker.search import service as search
from tracker.settings import Settings
from tracker.worker import schema

Report = Callable[[int], None]


@dataclass
class Backup:
    """A backup that was read to its end: where it is, what opens it, and what its lines say."""

    file: Path
    private_keys: list[Any] = field(repr=False)
    header: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def numbers(self) -> dict[str, int]:
        """How many rows each table has."""
        numbers: dict[str, int] = self.header["rows"]
        return numbers

    @property
    def total(self) -> int:
        """How many rows there are."""
        return sum(self.numbers.values())


def check(file: Path, secrets: Secrets) -> Backup:
    """Read a backup to its end; raise BackupError if it is damaged, or of a later version."""
    backup = Backup(file, encrypted_files.private_keys(file, secrets))
    counted = 0
    has_ended = False

    def take(line: Line) -> None:
        nonlocal counted, has_ended
        if not backup.header:
            backup.header = _header(file, line)
        elif isinstance(line, list):
            counted += 1
        elif "key" in line:
            backup.keys[line["key"]] = key_files.content(line["key"], line["content"])
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
    revision = line.get("revision")
    if line["number"] > NUMBER or (revision is not None and not schema.is_known(revision)):
        raise BackupError(
            f"{file} was made by a later version ({line.get('application')}, {revision}). "
            "Restore it with that version or a newer one."
        )
    return line


def check_keys(backup: Backup, keys: Mapping[str, bytes]) -> None:
    """Raise BackupError if there are no keys, or those of another instance."""
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


def _require_no_tables() -> None:
    if sa.inspect(db.engine).get_table_names():
        raise BackupError("The database is not empty. Create a new one, and name that.")


def load(backup: Backup, report: Report) -> None:
    """Create the tables as they were, insert the rows and upgrade.

    Raise BackupError if the database is not empty, or the rows don't fit. A server's database is
    empty again then.
    """
    _require_no_tables()
    try:
        _load(backup, report)
    except BaseException:
        if db.engine.dialect.name != "sqlite":
            _remove_tables()
        raise


def _load(backup: Backup, report: Report) -> None:
    schema.upgrade(backup.header["revision"])
    with db.engine.begin() as connection:
        constraints = _without_foreign_keys(connection)
        _Loading(connection, backup, report).run()
        for statement in constraints:
            connection.exec_driver_sql(statement)
        _set_sequences(connection)
    schema.upgrade()
    search.index_again()
    db.session.commit()


class _Loading:
    """Inserts the rows of a backup, table by table."""

    def __init__(self, connection: Connection, backup: Backup, report: Report) -> None:
        self._connection = connection
        self._backup = backup
        self._report = report
        self._tables = rows.tables(connection)
        self._table: Table | None = None
        self._batch: list[Row] = []

    def run(self) -> None:
        """Insert all rows; raise BackupError if a table differs, or has other numbers of rows."""
        lines.read(self._backup.file, self._backup.private_keys, self._take)
        self._flush()
        numbers = {
            name: rows.count(self._connection, table) for name, table in self._tables.items()
        }
        if numbers != self._backup.numbers:
            raise BackupError(f"{self._backup.file} has other tables or rows than it says.")

    def _take(self, line: Line) -> None:
        if isinstance(line, list):
            self._batch.append(line)
            self._report(self._backup.total)
            if self._table is None or len(self._batch) >= self._table.rows_at_a_time:
                self._flush()
        elif "table" in line:
            self._flush()
            self._table = self._tables.get(line["table"])
            if self._table is None or self._table.shape != line["columns"]:
                raise BackupError(
                    f"The table {line['table']} of the backup has other columns than in this "
                    "version."
                )

    def _flush(self) -> None:
        if self._table is not None and self._batch:
            rows.insert(self._connection, self._table, self._batch)
        self._batch.clear()


def _without_foreign_keys(connection: Connection) -> list[str]:
    """Let rows be inserted in any order; return the statements that check their references."""
    if connection.dialect.name == "sqlite":
        # Checked when the transaction ends.
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        return []
    references = connection.exec_driver_sql(_FOREIGN_KEYS).all()
    for name, constraint, _definition in references:
        connection.exec_driver_sql(f"ALTER TABLE {name} DROP CONSTRAINT {constraint}")
    return [
        f"ALTER TABLE {name} ADD CONSTRAINT {constraint} {definition}"
        for name, constraint, definition in references
    ]


_FOREIGN_KEYS = (
    "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) "
    "FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace "
    "ORDER BY 1, 2"
)
_SEQUENCES = (
    "SELECT quote_ident(table_name), quote_ident(column_name), "
    "pg_get_serial_sequence(quote_ident(table_name), column_name) "
    "FROM information_schema.columns WHERE table_schema = current_schema() "
    "AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL"
)


def _set_sequences(connection: Connection) -> None:
    """Let numbers that the database gives go on after the highest."""
    if connection.dialect.name == "sqlite":
        return  # It takes the highest number from the rows.
    for table, column, sequence in connection.exec_driver_sql(_SEQUENCES).all():
        highest = f"SELECT max({column}) FROM {table}"  # noqa: S608 -- names of the schema
        connection.exec_driver_sql(
            f"SELECT setval('{sequence}', coalesce(({highest}), 0) + 1, false)"
        )


def _remove_tables() -> None:
    db.session.remove()
    with db.engine.begin() as connection:
        names = sa.inspect(connection).get_table_names()
        quote = connection.dialect.identifier_preparer.quote
        if names:
            connection.exec_driver_sql(f"DROP TABLE {', '.join(map(quote, names))} CASCADE")
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS refuse_change() CASCADE")
