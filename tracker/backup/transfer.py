"""Moving an instance from SQLite into an empty PostgreSQL database, completely or not at all.

The file is locked while it is read, so that nobody saves something that isn't moved. Numbers and
digests of each table's rows are compared afterwards.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from tracker.backup import loading, rows
from tracker.backup.errors import BackupError
from tracker.backup.lines import Take
from tracker.backup.loading import Content, Report
from tracker.backup.rows import Row, Table
from tracker.core.db import Unavailable, why_unavailable
from tracker.oversight import stored
from tracker.worker import health

# Long enough for a command that only looks at the database.
WAIT_SECONDS = 2
_MODULUS = 1 << 256


@dataclass(slots=True)
class Digest:
    """The number of a table's rows, and the sum of their SHA-256, whatever order they come in."""

    rows: int = 0
    total: int = 0

    def add(self, row: Row) -> None:
        """Add a row."""
        digest = hashlib.sha256(json.dumps(row).encode()).digest()
        self.rows += 1
        self.total = (self.total + int.from_bytes(digest)) % _MODULUS


@contextmanager
def locked(file: Path) -> Iterator[Connection]:
    """Open SQLite's file and keep everybody else out until the block ends.

    Raise BackupError if somebody has it open, even if they are idle: in SQLite's locking mode
    EXCLUSIVE, the first read fails then. Whoever comes later waits, and gets a 503.
    """

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(file, timeout=WAIT_SECONDS)
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        return connection

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)
    try:
        with _refused_if_in_use(file), stored.view(engine) as connection:
            connection.execute(sa.text("SELECT 1 FROM sqlite_master")).close()
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _refused_if_in_use(file: Path) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        is_own = isinstance(error.orig, sqlite3.Error)
        if is_own and why_unavailable(error) is Unavailable.BUSY:
            raise BackupError(
                f"{file} is in use. Stop the application (tracker run, tracker worker), and "
                "whatever else has the file open."
            ) from error
        raise


def require_current(source: Connection) -> str:
    """Return the revision of the source's tables; raise BackupError if it is an older one."""
    revision = None
    if sa.inspect(source).has_table(rows.REVISION):
        revision = source.scalar(sa.text(f"SELECT version_num FROM {rows.REVISION}"))  # noqa: S608 -- a constant
    if revision is None or revision != health.newest_revision():
        raise BackupError(
            f"The tables of the database are of another version ({revision}). "
            "Start tracker run once, or run tracker db upgrade, and stop it again."
        )
    return str(revision)


def load(source: Connection, origin: str, report: Report) -> Mapping[str, Digest]:
    """Load all rows of the source into the application's database, and compare both.

    Return the digest of each table. Raise BackupError if the database is not empty, or if a table
    differs; the caller empties the database then (loading.removing_tables).
    """
    revision = require_current(source)
    tables = rows.tables(source)
    numbers = {name: rows.count(source, table) for name, table in tables.items()}
    digests = {name: Digest() for name in tables}

    def read(take: Take) -> None:
        for name, table in tables.items():
            take({"table": name, "columns": table.shape})
            for row in rows.read(source, table):
                digests[name].add(row)
                take(row)

    def report_half(total: int) -> None:
        report(2 * total)

    loading.load(Content(origin, revision, numbers, read), report_half)
    _compare(digests, tables, report_half)
    return digests


def _compare(digests: Mapping[str, Digest], tables: Mapping[str, Table], report: Report) -> None:
    """Raise BackupError if a table of the application's database has other rows."""
    total = sum(digest.rows for digest in digests.values())
    with stored.view() as target:
        if rows.tables(target).keys() != tables.keys():
            raise BackupError("The databases have different tables.")
        for name, table in rows.tables(target).items():
            digest = Digest()
            for row in rows.read(target, table):
                digest.add(row)
                report(total)
            if digest != digests[name]:
                raise BackupError(
                    f"The table {name} has other rows than in the source: {digest.rows} rows, and "
                    f"there {digests[name].rows}."
                )
