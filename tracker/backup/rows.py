"""Rows of all tables as JSON, the same from either database: read from one, inserted into one.

The schema is read from the database, so rows of an older version can be read and inserted too.
"""

import base64
import datetime as dt
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tracker.backup.errors import NOT_OURS, BackupError
from tracker.core.db import UtcDateTime
from tracker.search.service import WORDS

REVISION = "alembic_version"
# SQLite has no type for ids; nothing else has this one.
_ID_LENGTH = 32
# Rows with bytes may be as large as a scan, so only a few are in memory at a time.
_AT_A_TIME, _LARGE_AT_A_TIME = 500, 4

_DAMAGED = "A row of the table {table} is damaged."

Row = list[Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of values: its column type, and the functions to and from JSON."""

    name: str
    type: sa.types.TypeEngine[Any]
    to_json: Callable[[Any], object]
    from_json: Callable[[Any], object]


def _same(value: object) -> object:
    return value


def _bytes_as_text(value: bytes) -> str:
    return base64.b64encode(value).decode()


ID = Kind("id", sa.Uuid(), str, UUID)
MOMENT = Kind("moment", UtcDateTime(), dt.datetime.isoformat, dt.datetime.fromisoformat)
DAY = Kind("day", sa.Date(), dt.date.isoformat, dt.date.fromisoformat)
FLAG = Kind("flag", sa.Boolean(), bool, bool)
BYTES = Kind("bytes", sa.LargeBinary(), _bytes_as_text, base64.b64decode)
NUMBER = Kind("number", sa.BigInteger(), _same, _same)
TEXT = Kind("text", sa.Text(), _same, _same)
# As the database has it, so that no letter changes and JSON's null differs from a missing value.
JSON = Kind("json", sa.Text(), _same, _same)
_KINDS: tuple[tuple[type[sa.types.TypeEngine[Any]], Kind], ...] = (
    (sa.Uuid, ID),
    (sa.DateTime, MOMENT),
    (sa.Date, DAY),
    (sa.Boolean, FLAG),
    (sa.LargeBinary, BYTES),
    (sa.JSON, JSON),
    (sa.Integer, NUMBER),
    (sa.String, TEXT),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the kinds of its columns."""

    name: str
    columns: tuple[tuple[str, Kind], ...]

    @property
    def shape(self) -> list[list[str]]:
        """The names of the columns, each with the name of its kind."""
        return [[name, kind.name] for name, kind in self.columns]

    @property
    def clause(self) -> sa.TableClause:
        """The table in statements."""
        return sa.table(self.name, *(sa.column(name, kind.type) for name, kind in self.columns))

    @property
    def rows_at_a_time(self) -> int:
        """How many rows may be in memory together."""
        return _LARGE_AT_A_TIME if BYTES in dict(self.columns).values() else _AT_A_TIME


def tables(connection: Connection) -> dict[str, Table]:
    """Return all tables but the revision's and those of the search index, in a fixed order."""
    metadata = sa.MetaData()
    with warnings.catch_warnings():
        # Of the index's own tables, whose columns have no type.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        metadata.reflect(connection, only=_is_of_rows)
    return {name: _table(metadata.tables[name]) for name in sorted(metadata.tables)}


def _is_of_rows(name: str, _metadata: object) -> bool:
    return name != REVISION and not name.startswith(WORDS)


def _table(reflected: sa.Table) -> Table:
    return Table(
        reflected.name, tuple((column.name, _kind(column)) for column in reflected.columns)
    )


def _kind(column: sa.Column[Any]) -> Kind:
    if isinstance(column.type, sa.CHAR) and column.type.length == _ID_LENGTH:
        return ID
    for type_, kind in _KINDS:
        if isinstance(column.type, type_):
            return kind
    raise BackupError(f"Columns such as {column.table.name}.{column.name} can't be backed up.")


def count(connection: Connection, table: Table) -> int:
    """Return how many rows a table has."""
    return connection.scalar(sa.select(sa.func.count()).select_from(table.clause)) or 0


def read(connection: Connection, table: Table) -> Iterator[Row]:
    """Yield the rows of a table; raise BackupError at one that the application never writes."""
    columns = [
        sa.cast(column, sa.Text).label(column.key) if kind is JSON else column
        for column, (_name, kind) in zip(table.clause.columns, table.columns, strict=True)
    ]
    convert = [kind.to_json for _name, kind in table.columns]
    query = sa.select(*columns).execution_options(yield_per=table.rows_at_a_time)
    try:
        with connection.execute(query) as result:
            for row in result:
                yield [
                    None if value is None else to_json(value)
                    for to_json, value in zip(convert, row, strict=True)
                ]
    except (ValueError, TypeError, AttributeError, sa.exc.DataError) as error:
        raise BackupError(f"{table.name}: {NOT_OURS}") from error


def insert(connection: Connection, table: Table, batch: Sequence[Row]) -> None:
    """Insert rows; raise BackupError for values that the table has no place for."""
    try:
        rows = [
            {
                f"v{place}": None if value is None else kind.from_json(value)
                for place, ((_name, kind), value) in enumerate(zip(table.columns, row, strict=True))
            }
            for row in batch
        ]
    except (ValueError, TypeError, AttributeError) as error:
        raise BackupError(_DAMAGED.format(table=table.name)) from error
    has_json_type = connection.dialect.name == "postgresql"
    values: dict[str, Any] = {}
    for place, (name, kind) in enumerate(table.columns):
        value: sa.ColumnElement[Any] = sa.bindparam(f"v{place}", type_=kind.type)
        values[name] = sa.cast(value, sa.JSON) if kind is JSON and has_json_type else value
    try:
        connection.execute(sa.insert(table.clause).values(values), rows)
    except (OverflowError, ValueError) as error:  # a number, or half of a sign, that has no bytes
        raise BackupError(_DAMAGED.format(table=table.name)) from error
