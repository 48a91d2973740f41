"""A drill: an instance is backed up and restored, and is the same as before."""

import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.databases import SqliteDatabase
from tests.factories.demonstration import Demonstration
from tests.integration.backup.conftest import TO, Restore, back_up, disconnect, opened
from tracker.activity.models import Event
from tracker.backup import rows
from tracker.core.db import db
from tracker.evidence import disagreements
from tracker.evidence.keys import signing_keys
from tracker.guidance.service import ARTICLE
from tracker.oversight import stored
from tracker.search import service as search
from tracker.worker import jobs


def dump(app: Flask) -> dict[str, list[str]]:
    """Return all rows of all tables but the heartbeats, of which a backup leaves another."""
    with app.app_context():
        with stored.view() as connection:
            tables = rows.tables(connection)
            content = {
                name: sorted(map(str, rows.read(connection, table)))
                for name, table in tables.items()
                if name != "heartbeat"
            }
        db.session.remove()
    return content


@pytest.mark.both_databases
def test_a_restored_instance_has_every_row_key_and_word_and_verifies(
    app: Flask,
    demonstration: Demonstration,
    restoring: Restore,
    identity: tuple[str, str],
    own_database_url: str,
    tmp_path: Path,
) -> None:
    """From PostgreSQL by way of SQLite, so that each is restored into the other."""
    file, folder, url = tmp_path / "first.age", tmp_path / "first", own_database_url
    with app.app_context():
        is_server = db.engine.dialect.name == "postgresql"
    if is_server:
        url = SqliteDatabase(tmp_path / "between.sqlite3", tmp_path).url
    written = back_up(app, file, *TO)
    assert written.exit_code == 0, written.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes().startswith(b"age-encryption.org")
    result = restoring(folder, url, str(file), *identity)
    assert result.exit_code == 0, result.output
    assert "Nothing was altered: chains" in result.stdout
    copy = opened(folder, url)
    expected = dump(app)
    assert dump(copy) == expected
    if is_server:
        assert back_up(copy, tmp_path / "second.age", *TO).exit_code == 0
        folder, between = tmp_path / "second", copy
        result = restoring(folder, own_database_url, str(tmp_path / "second.age"), *identity)
        assert result.exit_code == 0, result.output
        copy = opened(folder, own_database_url)
        assert dump(copy) == expected
        disconnect(between)
    with copy.app_context():
        assert signing_keys.trouble() == []
        jobs.compare_texts()
        assert disagreements.known() == []
        db.session.rollback()
        assert search.find("visit", [ARTICLE])
        with pytest.raises(sa.exc.DBAPIError):
            db.session.execute(sa.update(Event).values(verb="signed"))
    disconnect(copy)
