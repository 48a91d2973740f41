"""The audit notices a change to any single byte of any value of the evidence."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from tests.effort import tries
from tests.factories.evidence.tampering import (
    CHAINS,
    CHECKPOINTS,
    DETAILS,
    EVENTS,
    KEYS,
    LEAVES,
    NODES,
    REVISIONS,
    SIGNATURES,
    hands,
)
from tests.integration.oversight.conftest import Signed
from tracker.oversight import integrity

TABLES = {
    table.name: table
    for table in (
        CHAINS,
        EVENTS,
        DETAILS,
        REVISIONS,
        SIGNATURES,
        KEYS,
        LEAVES,
        NODES,
        CHECKPOINTS,
    )
}


@dataclass(frozen=True)
class Cell:
    """One value in the database: where it is, and its bytes."""

    table: str
    column: str
    row: Any
    value: bytes

    def what_is_read(self) -> object:
        """Return what the application reads from it: the same JSON can be written in many ways."""
        if isinstance(TABLES[self.table].c[self.column].type, sa.JSON):
            try:
                return repr(json.loads(self.value))
            except ValueError:
                return self.value
        return self.value


class Cells:
    """Reads and writes values as bytes, bypassing all types."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.is_sqlite = connection.dialect.name == "sqlite"
        self.row: sa.ColumnElement[Any] = sa.literal_column(
            "rowid" if self.is_sqlite else "ctid::text"
        )

    def of(self, table: str, column: str, row: Any = None) -> list[Cell]:
        """Return a column's values that are not empty, of all rows or only of one."""
        value = TABLES[table].c[column]
        as_bytes = self.is_sqlite or isinstance(value.type, sa.LargeBinary)
        shown = sa.cast(value, sa.LargeBinary if as_bytes else sa.Text)
        query = sa.select(self.row, shown).select_from(TABLES[table])
        rows = self.connection.execute(query if row is None else query.where(self._is(row)))
        return [
            Cell(table, column, row, value.encode() if isinstance(value, str) else bytes(value))
            for row, value in rows
            if value
        ]

    def write(self, cell: Cell) -> Cell | None:
        """Write a value and return it as read back; None if the database refuses it."""
        table = TABLES[cell.table]
        try:
            row = self.connection.scalar(
                sa.update(table)
                .values({cell.column: self._value(table.c[cell.column], cell.value)})
                .where(self._is(cell.row))
                .returning(self.row)
            )
        except (DBAPIError, UnicodeDecodeError):
            return None
        return next(iter(self.of(cell.table, cell.column, row)))

    def _is(self, row: Any) -> sa.TextClause:
        where = sa.text("rowid = :row" if self.is_sqlite else "ctid = CAST(:row AS tid)")
        return where.bindparams(row=row)

    def _value(self, column: sa.Column[Any], value: bytes) -> sa.ColumnElement[Any]:
        if isinstance(column.type, sa.LargeBinary):
            return sa.literal(value, sa.LargeBinary())
        if self.is_sqlite:
            return sa.cast(sa.literal(value, sa.LargeBinary()), sa.Text)
        return sa.cast(sa.literal(value.decode(), sa.Text()), column.type)


# Any byte, and often one that can occur in a value of letters and digits.
BYTES = st.one_of(st.integers(0, 255), st.sampled_from(list(b"0123456789abcdef")))


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(2)
@pytest.mark.parametrize("table", TABLES)
def test_any_byte_changed_is_noticed(signed: Signed, table: str) -> None:
    with hands(keep=False) as connection:
        cells = Cells(connection)
        columns = {column.name: cells.of(table, column.name) for column in TABLES[table].columns}

        @given(data=st.data())
        @settings(
            max_examples=tries(20, 200),
            # PostgreSQL itself refuses many values.
            suppress_health_check=[HealthCheck.filter_too_much],
        )
        def change_a_byte(data: st.DataObject) -> None:
            column_cells = columns[data.draw(st.sampled_from(list(columns)))]
            assume(column_cells)
            before = data.draw(st.sampled_from(column_cells))
            place = data.draw(st.integers(0, len(before.value) - 1))
            byte = bytes([data.draw(BYTES)])
            other = before.value[:place] + byte + before.value[place + 1 :]
            with connection.begin_nested() as undone:
                after = cells.write(replace(before, value=other))
                assume(after is not None and after.what_is_read() != before.what_is_read())
                assert integrity.check_view(connection).finding is not None
                undone.rollback()

        change_a_byte()
