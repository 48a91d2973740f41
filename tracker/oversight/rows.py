"""The audit of decisive rows, each compared with the last event that bound it.

In one file: the comparison, and the queries that read just what it compares.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import binding, checked, verbs
from tracker.activity.binding import BoundTable, State
from tracker.activity.chain import Link
from tracker.core import keys
from tracker.core.db import UtcDateTime
from tracker.oversight import stored
from tracker.oversight.facts import (
    Erasure,
    Fault,
    Finding,
    RowLocation,
    Table,
)
from tracker.oversight.reading import Reader, broken, printable
from tracker.oversight.stored import DamagedError, Stored, as_stored

# How many cooperations are compared at a time: a few queries for all of them, with only their rows
# in memory.
COOPERATIONS_AT_A_TIME = 25

# How to convert a stored value; the first matching column type counts.
_READERS: tuple[tuple[type[sa.types.TypeEngine[Any]], Callable[[object], Any]], ...] = (
    (sa.Uuid, stored.identity),
    (UtcDateTime, stored.moment),
    (sa.Boolean, stored.flag),
    (sa.Date, stored.day),
    (sa.Integer, stored.number),
    (sa.LargeBinary, stored.data),
    (sa.JSON, stored.json_value),
    (sa.String, stored.text),
)


@dataclass(slots=True)
class Bound:
    """What the events of a chain say about rows: each one's last digest, and the event's number."""

    reference: str = ""
    rows: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)
    # Since when all its rows are bound; None while some are not.
    adopted_at: dt.datetime | None = None
    is_whole: bool = False
    # Whether it is the chain of one visit (adr 87).
    of_visit: bool = False
    # The last event that says that details, or the key, were erased.
    erasure: Erasure | None = None
    # The first row that an event found changed since the last one.
    differed: Finding | None = None

    def hear(self, link: Link, state: State) -> None:
        """Add the next event of the chain."""
        for table, rows in state.items():
            known = self.rows.setdefault(table, {})
            for row, entry in rows.items():
                self._compare(table, row, known.get(row), entry)
                digest = checked.after(entry)
                if digest is None:
                    known.pop(row, None)
                else:
                    known[row] = (digest, link.number)
        if link.number == 1 and link.state is not None:
            self.is_whole = True
        if link.verb == verbs.ROWS_ADOPTED.name:
            self.is_whole, self.adopted_at = True, link.at

    def _compare(
        self, table: str, row: str, known: tuple[str, int] | None, entry: checked.Entry
    ) -> None:
        """Note a row that was changed outside the application before this event changed it.

        An event can't be changed any more, so this stays; the audit reports it last, so that it
        hides no other fault.
        """
        digest, number = known or (None, None)
        is_unbound = known is None and not self.is_whole
        if self.differed is None and not is_unbound and not checked.follows(digest, entry):
            place = self.place(table, row, number)
            self.differed = Finding(Fault.ROW_DIFFERED, place)

    def place(self, table: str, row: str, number: int | None) -> RowLocation:
        """Return the location of a row that this chain binds, or should."""
        return RowLocation(
            Table.CHECKED,
            self.reference,
            number,
            printable(row),
            of=table,
            of_visit=self.of_visit,
        )


@dataclass(frozen=True, slots=True)
class OfCooperation:
    """A cooperation whose rows are to be compared; key is None if it was erased, as recorded.

    visits are those that have a chain of their own.
    """

    id: UUID
    bound: Bound
    key: Callable[[], bytes | None]
    visits: Mapping[UUID, Bound] = field(default_factory=dict)

    def bounds(self, table: str) -> Iterator[tuple[UUID | None, Bound]]:
        """Yield the chains that bind rows of a table; first the cooperation's own, without a visit.

        The others are those of its visits.
        """
        yield None, self.bound
        if table in checked.OF_ITS_TEAM:
            yield from self.visits.items()


def check_instance(reader: Reader, bound: Bound) -> None:
    """Compare the rows that the instance's chain binds."""
    key = keys.current().rows
    for name, spec in checked.CHECKED.items():
        if spec.parent:
            continue
        comparison = _Comparison(reader, name, bound)
        for row in reader.rows(_all_rows_of(name)):
            comparison.compare(row, key)
        comparison.end()


def digests_of(
    reader: Reader, cooperation_id: UUID | None, open_key: Callable[[], bytes | None]
) -> Iterator[tuple[str, str, str]]:
    """Yield table, name and current digest of each row that a chain has to bind.

    Rows with a value that the application never writes are left out: the audit names them in any
    case.
    """
    plain = keys.current().rows
    for name, spec in checked.CHECKED.items():
        if bool(spec.parent) != (cooperation_id is not None):
            continue
        table = _table(name)
        stored_rows = (
            reader.rows(_all_rows_of(name))
            if cooperation_id is None
            else reader.rows(_rows_of(name), cooperations=[cooperation_id])
        )
        for row in stored_rows:
            key: bytes | None = plain
            if cooperation_id is not None and _is_restricted(name, row):
                opened = open_key()
                key = None if opened is None else checked.row_key(opened)
            try:
                values = _values(table, row)
                digest = checked.WITHOUT_KEY if key is None else table.digest(key, values)
                yield name, table.row(values), digest
            except DamagedError:
                continue


class Cooperations:
    """Compares the rows of cooperations, in batches."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._waiting: list[OfCooperation] = []
        self._seen: dict[str, int] = {}

    def add(self, of_cooperation: OfCooperation) -> None:
        """Add a cooperation, and compare once the batch is full."""
        self._waiting.append(of_cooperation)
        if len(self._waiting) >= COOPERATIONS_AT_A_TIME:
            self.compare()

    def compare(self) -> None:
        """Compare the rows of the batch."""
        waiting, self._waiting = {row.id: row for row in self._waiting}, []
        plain = keys.current().rows
        for name in _of_cooperations():
            compared = {
                (row.id, visit_id): _Comparison(self._reader, name, bound)
                for row in waiting.values()
                for visit_id, bound in row.bounds(name)
            }
            for row in self._reader.rows(_rows_of(name), cooperations=list(waiting)):
                own = waiting[_cooperation_of(row)]
                self._seen[name] = self._seen.get(name, 0) + 1
                key: bytes | None = plain
                if _is_restricted(name, row):
                    opened = own.key()
                    key = None if opened is None else checked.row_key(opened)
                visit_id = _visit_of(name, row)
                compared[own.id, visit_id if visit_id in own.visits else None].compare(row, key)
            for comparison in compared.values():
                comparison.end()

    def end(self) -> None:
        """Compare the rest, and report a row that belongs to no cooperation."""
        self.compare()
        for name in _of_cooperations():
            if self._reader.connection.scalar(_count_of(name)) != self._seen.get(name, 0):
                broken(Fault.BELONGS_NOWHERE, self._stray(_table(name)))

    def _stray(self, table: BoundTable) -> RowLocation:
        joined, cooperation_id = _way_up(table, is_outer=True)
        cooperation = binding.mappers()[checked.COOPERATION].local_table
        query = (
            sa.select(*(as_stored(column) for column in table.table.primary_key))
            .select_from(
                joined.outerjoin(cooperation, cooperation.c.id == cooperation_id)
                if table.name != checked.COOPERATION
                else joined
            )
            .where(_only(table), cooperation.c.id.is_(None))
            .limit(1)
        )
        row = self._reader.connection.execute(query).first() or ()
        return RowLocation(Table.CHECKED, row=printable("/".join(map(str, row))), of=table.name)


class _Comparison:
    """The rows of one table, compared with what the events of one chain say about them."""

    def __init__(self, reader: Reader, name: str, bound: Bound) -> None:
        self._reader = reader
        self._table = _table(name)
        self._bound = bound
        self._left = dict(bound.rows.get(name, {}))
        self._count = 0

    def compare(self, row: Stored, key: bytes | None) -> None:
        """Compare a row; without a key only that it exists."""
        self._count += 1
        try:
            values = _values(self._table, row)
            name = self._table.row(values)
        except DamagedError:
            broken(Fault.DAMAGED, self._place(_raw_name(self._table, row)))
        known = self._left.pop(name, None)
        self._reader.note(rows=1)
        if known is None:
            if self._bound.is_whole:
                broken(Fault.ROW_UNKNOWN, self._place(name))
            return
        digest, number = known
        if key is not None and self._table.digest(key, values) != digest:
            broken(Fault.ROW_DIFFERS, self._place(name, number))

    def end(self) -> None:
        """Report a row that was deleted."""
        if not self._left:
            return
        name, (_digest, number) = min(self._left.items(), key=lambda entry: (entry[1][1], entry[0]))
        if not self._count and len(self._left) > 1:
            broken(Fault.EMPTIED, self._place(name, number))
        broken(Fault.ROW_DELETED, self._place(name, number))

    def _place(self, row: str, number: int | None = None) -> RowLocation:
        return self._bound.place(self._table.name, row, number)


def _values(table: BoundTable, row: Stored) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for attribute, key, read in _readers_of(table.name):
        value = row[key]
        values[attribute] = None if value is None else read(value)
    return values


@cache
def _readers_of(name: str) -> tuple[tuple[str, str, Callable[[object], Any]], ...]:
    """Return the attributes of a table, each with the key of its column and how to convert it."""
    table = _table(name)
    columns = ((attribute, table.table.c[name]) for name, attribute in table.attributes.items())
    return tuple((attribute, column.key, _reader_of(column)) for attribute, column in columns)


def _reader_of(column: sa.Column[Any]) -> Callable[[object], Any]:
    for kind, reader in _READERS:
        if isinstance(column.type, kind):
            return reader
    raise TypeError(column.type)


def _raw_name(table: BoundTable, row: Stored) -> str:
    return "/".join(str(row[column.key]) for column in table.table.primary_key)


# Queries --------------------------------------------------------------------------------------

_COOPERATION, _SAID = "cooperation of the row", "said by "
_COOPERATIONS = sa.bindparam("cooperations", expanding=True, type_=sa.Uuid())


def _table(name: str) -> BoundTable:
    table = binding.bound_table(name)
    if table is None:
        raise LookupError(name)
    return table


def _of_cooperations() -> Iterator[str]:
    return (name for name, spec in checked.CHECKED.items() if spec.parent)


def _columns(table: BoundTable) -> list[sa.Label[Any]]:
    return [
        as_stored(column) for column in table.table.columns if column.name not in table.spec.without
    ]


def _only(table: BoundTable) -> sa.ColumnElement[bool]:
    if table.spec.only is None:
        return sa.true()
    column, value = table.spec.only
    return table.table.c[column] == value


@cache
def _all_rows_of(name: str) -> sa.Select[Any]:
    return sa.select(*_columns(_table(name)))


@cache
def _count_of(name: str) -> sa.Select[int]:
    table = _table(name)
    return sa.select(sa.func.count()).select_from(table.table).where(_only(table))


@cache
def _rows_of(name: str) -> sa.Select[Any]:
    """Return the query for the rows of some cooperations, and what decides their class."""
    table = _table(name)
    joined, cooperation_id = _way_up(table)
    columns = [
        as_stored(binding.mappers()[parent].local_table.c[column]).label(
            f"{_SAID}{parent}.{column}"
        )
        for parent in _parents(name)
        for column in checked.RESTRICTING.get(parent, ())
    ]
    return (
        sa.select(*_columns(table), as_stored(cooperation_id).label(_COOPERATION), *columns)
        .select_from(joined)
        .where(cooperation_id.in_(_COOPERATIONS), _only(table))
    )


def _parents(name: str) -> Iterator[str]:
    """Yield a table and its parents, without the cooperation."""
    while name != checked.COOPERATION:
        yield name
        name = _spec(name).parent


def _spec(name: str) -> checked.Checked:
    return checked.CHECKED.get(name) or checked.ON_THE_WAY[name]


def _way_up(table: BoundTable, *, is_outer: bool = False) -> tuple[Any, sa.ColumnElement[Any]]:
    """Return a table joined with its parents, and the column with the cooperation's id."""
    joined: Any = table.table
    name = table.name
    column: sa.ColumnElement[Any] = table.table.c[table.spec.column]
    while _spec(name).parent != checked.COOPERATION:
        name = _spec(name).parent
        mapper = binding.mappers()[name]
        joined = joined.join(
            mapper.local_table, next(iter(mapper.primary_key)) == column, isouter=is_outer
        )
        column = mapper.local_table.c[_spec(name).column]
    return joined, column


def _cooperation_of(row: Stored) -> UUID:
    return stored.identity(row[_COOPERATION])


def _visit_of(name: str, row: Stored) -> UUID | None:
    """Return the visit in whose own chain a row is bound, if that visit has one."""
    if name not in checked.OF_ITS_TEAM:
        return None
    column, value = checked.OF_ITS_TEAM[name]
    visit_id = row[f"{_SAID}{checked.CHECKLIST}.visit_id"]
    try:
        return stored.identity_or_none(visit_id) if row[column] == value else None
    except DamagedError:  # found before, in the checklist's own row
        return None


def _is_restricted(name: str, row: Stored) -> bool:
    for parent in _parents(name):
        if _spec(parent).is_restricted:
            return True
        values: Mapping[str, Any] = {
            column: row[f"{_SAID}{parent}.{column}"]
            for column in checked.RESTRICTING.get(parent, ())
        }
        if values and checked.is_restricted(parent, values):
            return True
    return False
