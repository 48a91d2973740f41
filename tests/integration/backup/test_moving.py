"""An instance moves from SQLite to PostgreSQL with every row, or nothing changes on either side."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy.engine import Connection

from tests.databases import SqliteDatabase
from tests.factories.demonstration import Demonstration
from tests.integration.backup.conftest import TO, Restore, back_up, disconnect, opened
from tests.integration.backup.test_round_trip import dump
from tracker.backup import rows, transfer
from tracker.backup.rows import Row, Table
from tracker.core.db import db
from tracker.worker import schema


@pytest.fixture
def server(request: pytest.FixtureRequest) -> None:
    """Skip a test on SQLite, where there is no server to move to; make test runs it on both.

    Before anything else is set up for it.
    """
    if request.config.getoption("database") == "sqlite":
        pytest.skip("There is nothing to move to.")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "source" / "tracker.sqlite3"


@pytest.fixture
def source(
    app: Flask, restoring: Restore, identity: tuple[str, str], file: Path, tmp_path: Path
) -> Flask:
    """An instance on SQLite that nobody is connected to."""
    assert back_up(app, tmp_path / "first.age", *TO).exit_code == 0
    url = SqliteDatabase(file, tmp_path).url
    result = restoring(file.parent, url, str(tmp_path / "first.age"), *identity)
    assert result.exit_code == 0, result.output
    return opened(file.parent, url)


def move(app: Flask, url: str) -> Result:
    return app.test_cli_runner().invoke(args=["move", "--to", url.replace("+psycopg", "")])


def tables_in(url: str) -> list[str]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    return sa.inspect(engine).get_table_names()


@pytest.mark.both_databases
@pytest.mark.usefixtures("server")
def test_a_moved_instance_has_every_row_and_verifies_and_the_source_is_as_it_was(
    demonstration: Demonstration, source: Flask, own_database_url: str, file: Path
) -> None:
    before = dump(source)
    disconnect(source)
    result = move(source, own_database_url)
    assert result.exit_code == 0, result.output
    assert "Nothing was altered: chains" in result.stdout
    assert "Both databases have the same rows." in result.stdout
    assert "Now set TRACKER_DATABASE_URL=postgresql://" in result.stdout
    moved = opened(file.parent, own_database_url)
    assert dump(moved) == before
    disconnect(moved)
    assert dump(source) == before
    disconnect(source)


@pytest.mark.both_databases
@pytest.mark.usefixtures("server")
def test_a_move_that_fails_leaves_the_source_as_it_was_and_the_target_empty(
    source: Flask, own_database_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(source)
    disconnect(source)
    insert = rows.insert

    def insert_otherwise(connection: Connection, table: Table, batch: Sequence[Row]) -> None:
        insert(connection, table, batch)
        if table.name == "statement":
            connection.execute(sa.text("UPDATE statement SET position = position + 1000"))

    monkeypatch.setattr(rows, "insert", insert_otherwise)
    result = move(source, own_database_url)
    assert result.exit_code == 1
    assert "The table statement has other rows than in the source: 72 rows" in result.stderr
    assert result.stderr.endswith("Nothing was moved.\n")
    assert tables_in(own_database_url) == []
    monkeypatch.setattr(rows, "insert", insert)
    engine = sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE statement SET article = 'another'"))
    result = move(source, own_database_url)
    assert result.exit_code == 1
    assert "The audit of the moved rows says: The trail is broken." in result.stderr
    assert tables_in(own_database_url) == []
    assert before.keys() == dump(source).keys()
    disconnect(source)


@pytest.mark.both_databases
@pytest.mark.usefixtures("server")
def test_nothing_moves_while_somebody_has_the_file_open_or_into_a_database_with_tables(
    source: Flask, own_database_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disconnect(source)
    monkeypatch.setattr(transfer, "WAIT_SECONDS", 0)
    idle = sqlite3.connect(file)
    idle.execute("SELECT count(*) FROM organisation").fetchall()
    result = move(source, own_database_url)
    idle.close()
    assert result.exit_code == 1
    assert f"{file} is in use. Stop the application" in result.stderr
    assert tables_in(own_database_url) == []
    engine = sa.create_engine(own_database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE other (id INTEGER)"))
    result = move(source, own_database_url)
    assert result.exit_code == 1
    assert "The database is not empty." in result.stderr
    assert tables_in(own_database_url) == ["other"]


def test_while_an_instance_moves_nobody_reads_or_saves(source: Flask, file: Path) -> None:
    disconnect(source)
    with transfer.locked(file):
        late = sqlite3.connect(file, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            late.execute("SELECT count(*) FROM organisation")
        late.close()
    late = sqlite3.connect(file, timeout=0)
    assert late.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    late.close()


def test_an_older_schema_another_direction_and_an_invalid_address_are_refused(
    source: Flask, tmp_path: Path
) -> None:
    server = "postgresql://tracker@localhost:1/nothing"
    with source.app_context():
        schema.downgrade()
        db.session.remove()
    disconnect(source)
    result = move(source, server)
    assert result.exit_code == 1
    assert "The tables of the database are of another version" in result.stderr
    assert "tracker db upgrade" in result.stderr
    result = move(source, f"sqlite:///{tmp_path}/other.sqlite3")
    assert result.exit_code == 1
    assert "make a backup and restore it. Nothing was moved." in result.stderr
    assert not (tmp_path / "other.sqlite3").exists()
    result = move(source, "mysql://somewhere/else")
    assert result.exit_code == 2
    assert "must be sqlite:////FULL/PATH or postgresql://" in result.stderr
    result = move(source, "postgresql://tracker@db.example/terms")
    assert result.exit_code == 2
    assert "end with ?sslmode=verify-full" in result.stderr
