"""Rows that somebody else wrote into a backup are refused with one line, and take little memory."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tracker.backup import lines, loading, rows
from tracker.backup.errors import BackupError


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as opened:
        opened.exec_driver_sql("CREATE TABLE note (words TEXT)")
        yield opened
    engine.dispose()


TABLE = {"table": "note", "columns": [["words", "text"]]}


def loaded(connection: Connection, *of_file: Any) -> None:
    def read(take: lines.Take) -> None:
        for line in of_file:
            take(line)

    numbers = {"note": sum(isinstance(line, list) for line in of_file)}
    content = loading.Content("hostile.age", "", numbers, read)
    loading._Loading(connection, content, lambda _total: None).run()


def test_half_of_a_sign_is_a_damaged_row(connection: Connection) -> None:
    with pytest.raises(BackupError, match="note is damaged"):
        loaded(connection, TABLE, ["\ud800"])


@pytest.mark.parametrize("name", ["\x1b[2J", "x" * 101, 7, None])
def test_the_name_of_a_table_that_controls_a_terminal_is_not_shown(
    connection: Connection, name: Any
) -> None:
    with pytest.raises(BackupError) as refused:
        loaded(connection, {**TABLE, "table": name})
    assert str(refused.value) == "hostile.age has other tables or rows than it says."


def test_large_rows_do_not_wait_for_each_other(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_MOST_WAITING", 10)
    batches: list[int] = []
    insert = rows.insert

    def note(to: Connection, table: rows.Table, batch: list[rows.Row]) -> None:
        batches.append(len(batch))
        insert(to, table, batch)

    monkeypatch.setattr(rows, "insert", note)
    loaded(connection, TABLE, ["123456"], ["123456"], ["1"], ["1234567890"], ["1"])
    assert batches == [2, 2, 1]
