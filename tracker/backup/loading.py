"""Loading rows into an empty database: tables as they were, rows in one transaction, an upgrade."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tracker.backup import rows
from tracker.backup.errors import BackupError
from tracker.backup.lines import Line, Take, is_printable
from tracker.backup.rows import Row, Table
from tracker.core.db import db, writing
from tracker.search import service as search
from tracker.worker import schema

# Called for each row with the number of all rows.
Report = Callable[[int], None]
# How many characters of rows may be in memory together.
_MOST_WAITING = 64_000_000


@dataclass(frozen=True, slots=True)
class Content:
    """What is loaded: where it is from, its schema, how many rows each table has, and its lines.

    read passes on each line: a table, then its rows.
    """

    origin: str
    revision: str
    numbers: Mapping[str, int]
    read: Callable[[Take], None]

    @property
    def total(self) -> int:
        """How many rows there are."""
        return sum(self.numbers.values())


def require_no_tables() -> None:
    """Raise BackupError if the database is not empty."""
    if sa.inspect(db.engine).get_table_names():
        raise BackupError("The database is not empty. Create a new one, and name that.")


def load(content: Content, report: Report) -> None:
    """Create the tables as they were, insert the rows and upgrade.

    Raise BackupError if the database is not empty, or the rows don't fit. A server's database is
    empty again then.
    """
    require_no_tables()
    # Whoever moves an instance reads another database meanwhile.
    with writing(), removing_tables():
        _load(content, report)


@contextmanager
def removing_tables() -> Iterator[None]:
    """Make a server's database empty again if the block fails; SQLite's file is the caller's."""
    try:
        yield
    except BaseException:
        if db.engine.dialect.name != "sqlite":
            _remove_tables()
        raise


def _load(content: Content, report: Report) -> None:
    schema.upgrade(content.revision)
    with db.engine.begin() as connection:
        constraints = _without_foreign_keys(connection)
        _Loading(connection, content, report).run()
        for statement in constraints:
            connection.exec_driver_sql(statement)
        _set_sequences(connection)
    schema.upgrade()
    search.index_again()
    db.session.commit()


class _Loading:
    """Inserts rows, table by table."""

    def __init__(self, connection: Connection, content: Content, report: Report) -> None:
        self._connection = connection
        self._content = content
        self._report = report
        self._tables = rows.tables(connection)
        self._table: Table | None = None
        self._batch: list[Row] = []
        self._waiting = 0

    def run(self) -> None:
        """Insert all rows; raise BackupError if a table differs, or has other numbers of rows."""
        self._content.read(self._take)
        self._flush()
        numbers = {
            name: rows.count(self._connection, table) for name, table in self._tables.items()
        }
        if numbers != self._content.numbers:
            raise BackupError(f"{self._content.origin} has other tables or rows than it says.")

    def _take(self, line: Line) -> None:
        if isinstance(line, list):
            self._batch.append(line)
            self._report(self._content.total)
            self._waiting += sum(len(value) for value in line if isinstance(value, str))
            is_enough = self._waiting >= _MOST_WAITING
            if is_enough or self._table is None or len(self._batch) >= self._table.rows_at_a_time:
                self._flush()
        elif "table" in line:
            self._flush()
            if not is_printable(line["table"]):
                raise BackupError(f"{self._content.origin} has other tables or rows than it says.")
            self._table = self._tables.get(line["table"])
            if self._table is None or self._table.shape != line.get("columns"):
                raise BackupError(
                    f"The table {line['table']} of {self._content.origin} has other columns "
                    "than in this version."
                )

    def _flush(self) -> None:
        if self._table is not None and self._batch:
            rows.insert(self._connection, self._table, self._batch)
        self._batch.clear()
        self._waiting = 0


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
    with writing(), db.engine.begin() as connection:
        names = sa.inspect(connection).get_table_names()
        quote = connection.dialect.identifier_preparer.quote
        if names:
            connection.exec_driver_sql(f"DROP TABLE {', '.join(map(quote, names))} CASCADE")
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS refuse_change() CASCADE")
