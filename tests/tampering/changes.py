"""Every change to a table: a value, a deleted row, an inserted row, all rows deleted.

For a checked table, also a value in a row that the application changes next.
"""

import datetime as dt
import random
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from flask_security import AsaList
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from tracker.activity import binding
from tracker.activity.checked import CHECKED, RESTRICTING
from tracker.core.db import Base, db

# Ids of invented rows are made from this: the same in each run.
NAMES = UUID("6a4f0d5e-6a0b-4c39-9f60-3d3d1a2f9f10")
DELETED, INSERTED, TRUNCATED = "(a row deleted)", "(a row inserted)", "(truncated)"
ACTS = (DELETED, INSERTED, TRUNCATED)
TAKEN_OVER = "(a row changed, then by the application)"


class ImpossibleError(Exception):
    """There is nothing to change like this, or the database accepts no such row."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change to a table: another value in a column, TAKEN_OVER, or one of ACTS."""

    table: str
    what: str

    def __str__(self) -> str:
        joint = " " if self.what.startswith("(") else "."
        return f"{self.table}{joint}{self.what}"

    def do(self, connection: Connection) -> None:
        """Do it, with triggers and foreign keys disabled, or raise ImpossibleError."""
        table = Base.metadata.tables[self.table]
        if self.what == TRUNCATED:
            if connection.execute(sa.delete(table)).rowcount == 0:
                raise ImpossibleError("no rows")
        elif self.what == DELETED:
            row = _some_row(connection, table, self.what)
            connection.execute(sa.delete(table).where(_is(table, row)))
        elif self.what == INSERTED:
            _insert(connection, table)
        elif self.what == TAKEN_OVER:
            _change_twice(connection, table)
        else:
            row = _some_row(connection, table, self.what)
            _change(connection, table, table.c[self.what], row)


def every_change() -> list[Change]:
    """Return every change: one to each column of each table, and each of the acts on each table.

    Then, for each checked table, one to a row that the application changes next.
    """
    return [
        Change(table.name, what)
        for table in Base.metadata.sorted_tables
        for what in (*(column.name for column in table.columns), *ACTS)
    ] + [Change(table, TAKEN_OVER) for table in CHECKED]


def _some_row(connection: Connection, table: sa.Table, what: str) -> Mapping[str, Any]:
    """Return one row, always the same; if only some rows are checked, one of those."""
    spec = CHECKED.get(table.name)
    query = sa.select(table).order_by(*table.primary_key)
    if spec is not None and spec.only is not None:
        column, value = spec.only
        query = query.where(table.c[column] == value)
    rows = connection.execute(query).mappings().all()
    if not rows:
        raise ImpossibleError("no rows")
    return dict(rows[zlib.crc32(f"{table.name}.{what}".encode()) % len(rows)])


def _is(table: sa.Table, row: Mapping[str, Any]) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == row[column.name] for column in table.primary_key))


def _change(
    connection: Connection, table: sa.Table, column: sa.Column[Any], row: Mapping[str, Any]
) -> None:
    for value in _others(connection, column, row[column.name]):
        try:
            with connection.begin_nested():
                done = connection.execute(
                    sa.update(table)
                    .where(_is(table, row))
                    .values({column: _as_parameter(column, value)})
                )
        except SQLAlchemyError:  # not unique, or refused by a check constraint: another value
            continue
        assert done.rowcount == 1
        return
    raise ImpossibleError("the database takes no other value")


def _change_twice(connection: Connection, table: sa.Table) -> None:
    """Change a bound column of a row, and let the application change another one."""
    bound = binding.bound_table(table.name)
    assert bound is not None
    row = _some_row(connection, table, TAKEN_OVER)
    columns = [part for part in bound.columns if not _decides_whose(table, part.column)]
    for altered in columns:
        try:
            _change(connection, table, altered.column, row)
        except ImpossibleError:
            continue
        break
    with _application_on(connection) as session:
        key = tuple(row[column.name] for column in table.primary_key)
        instance = session.get_one(binding.mappers()[table.name].class_, key)
        for part in columns:
            if part is altered or isinstance(part.column.type, AsaList):
                continue
            for value in _others(connection, part.column, row[part.column.name]):
                try:
                    with session.begin_nested():
                        setattr(instance, part.attribute, value)
                except SQLAlchemyError:
                    continue
                session.commit()
                return
    raise ImpossibleError("the database takes no second change")


def _decides_whose(table: sa.Table, column: sa.Column[Any]) -> bool:
    """Return whether a column decides which chain binds the row, and with which key."""
    spec = CHECKED[table.name]
    only = spec.only or ("", "")
    return column.name in {spec.column, only[0], *RESTRICTING.get(table.name, ())}


@contextmanager
def _application_on(connection: Connection) -> Iterator[Session]:
    """Let the application work within a transaction, which stays open."""
    db.session.remove()
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        db.session.registry.set(session)  # type: ignore[arg-type] # a plain one does
        try:
            yield session
        finally:
            db.session.registry.clear()


def _insert(connection: Connection, table: sa.Table) -> None:
    """Copy a row under another key; unique columns get invented values."""
    try:
        row = dict(_some_row(connection, table, INSERTED))
    except ImpossibleError:
        row = {column.name: _made_up(column) for column in table.columns}
    for column in table.primary_key:
        row[column.name] = next(_others(connection, column, row[column.name], is_key=True))
    unique = [
        column
        for column in table.columns
        if not column.primary_key and (column.unique or _is_in_unique(table, column))
    ]
    tries: list[list[sa.Column[Any]]] = [[], *([column] for column in unique), unique]
    for changed in tries:
        values = dict(row)
        for column in changed:
            values[column.name] = next(_others(connection, column, row[column.name], is_key=True))
        try:
            with connection.begin_nested():
                parameters = {
                    column: _as_parameter(column, values[column.name]) for column in table.columns
                }
                connection.execute(sa.insert(table).values(parameters))
        except IntegrityError:
            continue
        return
    raise ImpossibleError("the database takes no other row")


def _is_in_unique(table: sa.Table, column: sa.Column[Any]) -> bool:
    constraints = [
        constraint
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    ]
    return any(column.name in constraint.columns for constraint in constraints) or any(
        index.unique and column.name in index.columns for index in table.indexes
    )


def _as_parameter(column: sa.Column[Any], value: Any) -> Any:
    """Return a value as it is sent; SQLAlchemy warns about lists of the sign-in library."""
    if isinstance(column.type, AsaList) and value is not None:
        return sa.literal(",".join(value), sa.Text())
    return value


# Values ---------------------------------------------------------------------------------------


def _others(
    connection: Connection, column: sa.Column[Any], value: Any, *, is_key: bool = False
) -> Iterator[Any]:
    """Yield other values that this column could have, the most plausible first."""
    if not is_key and not isinstance(column.type, sa.JSON | sa.LargeBinary | AsaList):
        # The value of another row is what somebody would put there.
        others = connection.scalars(
            sa.select(column).where(column.is_not(None), column != value).order_by(column).limit(3)
        )
        yield from others.all()
    yield from _varied(column, value)
    if column.nullable and value is not None:
        yield None


def _varied(column: sa.Column[Any], value: Any) -> Iterator[Any]:
    varied = _made_up(column) if value is None else value
    if value is None:
        yield varied
    if isinstance(varied, str) and isinstance(column.type, sa.Enum):
        yield from (enum_value for enum_value in column.type.enums if enum_value != varied)
        return
    for kind, others in _OTHERS.items():
        if isinstance(varied, kind):
            yield from others(column, varied)
            return
    raise TypeError(f"{column}: {type(value)}")


def _other_texts(column: sa.Column[Any], text: str) -> Iterator[str]:
    turned = text[:-1] + ("0" if text[-1:] != "0" else "1") if text else "x"
    yield turned
    length = getattr(column.type, "length", None)
    yield f"{text} x"[-length:] if length else f"{text} x"


# The first matching type counts: Booleans are numbers too, and datetimes are dates.
_OTHERS: dict[type, Callable[[sa.Column[Any], Any], Iterable[Any]]] = {
    bool: lambda _column, value: [not value],
    int: lambda _column, value: [value + 1, value + 1_000_000],
    UUID: lambda column, value: [uuid5(NAMES, f"{column}{value}")],
    dt.date: lambda _column, value: [value + dt.timedelta(days=1)],
    bytes: lambda _column, value: [bytes([value[0] ^ 1]) + value[1:] if value else b"\x00"],
    str: _other_texts,
    list: lambda _column, value: [_other_list(value)],
    dict: lambda _column, value: [{**value, "another": "value"}],
}


def _other_list(value: list[Any]) -> list[Any]:
    return [*value, "another"] if all(isinstance(part, str) for part in value) else value[1:]


def _made_up(column: sa.Column[Any]) -> Any:
    makers: tuple[tuple[Any, Callable[[], Any]], ...] = (
        (sa.Uuid, lambda: uuid5(NAMES, str(column))),
        (sa.Enum, lambda: column.type.enums[0]),  # type: ignore[attr-defined]
        (sa.Boolean, lambda: False),
        (sa.BigInteger, lambda: 7),
        (sa.Integer, lambda: 7),
        (sa.JSON | AsaList, list),
        (sa.LargeBinary, lambda: b"made up"),
        (sa.Date, lambda: dt.date(2026, 1, 15)),
        (sa.String, lambda: "made up"[: getattr(column.type, "length", None) or 7]),
    )
    for kind, make in makers:
        if isinstance(column.type, kind):
            return make()
    return dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)


def sample(changes: list[Change], seed: int) -> list[Change]:
    """Return some changes to each table: a value, an act; for some, a row changed twice."""
    luck = random.Random(seed)
    by_table: dict[str, list[Change]] = {}
    for change in changes:
        by_table.setdefault(change.table, []).append(change)
    chosen: list[Change] = []
    for number, own in enumerate(by_table.values()):
        chosen.append(luck.choice([change for change in own if not change.what.startswith("(")]))
        chosen += [change for change in own if change.what == ACTS[number % len(ACTS)]]
    twice = [change for change in changes if change.what == TAKEN_OVER]
    return chosen + luck.sample(twice, len(twice) // 8)
