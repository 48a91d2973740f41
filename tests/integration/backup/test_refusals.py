"""What is no good backup is not restored, nothing takes the place of anything, nothing is left."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from pyrage import x25519

from tests.databases import SqliteDatabase
from tests.integration.backup.conftest import KEY, TO, Restore, back_up, disconnect, opened
from tracker.backup import restoring as backup_restoring
from tracker.backup import writing
from tracker.backup.encrypted_files import Lock, Secrets
from tracker.core import clock, keys
from tracker.core.db import apart, db
from tracker.worker import health, schema
from tracker.worker.models import Heartbeat

OTHER = x25519.Identity.generate()
OTHER_PUBLIC = str(OTHER.to_public())
FUNCTION = "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN END $$"
LOCK = Lock(public_keys=(str(KEY.to_public()),))


@pytest.fixture
def file(app: Flask, tmp_path: Path) -> Path:
    """A backup of an instance that contains only the shipped content."""
    written = back_up(app, tmp_path / "backup.age", *TO)
    assert written.exit_code == 0, written.output
    return tmp_path / "backup.age"


def url(tmp_path: Path) -> str:
    return SqliteDatabase(tmp_path / "restored" / "tracker.sqlite3", tmp_path).url


def ask() -> str:
    raise AssertionError("no passphrase is needed")


def test_a_damaged_truncated_or_other_file_changes_nothing_and_says_why(
    file: Path,
    restoring: Restore,
    identity: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = tmp_path / "other.txt"
    other.write_text(str(OTHER))
    folder, intact = tmp_path / "restored", file.read_bytes()
    middle = len(intact) // 2
    flipped = intact[:middle] + bytes([intact[middle] ^ 1]) + intact[middle + 1 :]
    # Whole pieces of the encryption are missing, and a part of the last one.
    for data in (flipped, intact[:-1], intact[: 65536 * 2], intact[:100]):
        file.write_bytes(data)
        result = restoring(folder, url(tmp_path), str(file), *identity)
        assert "is damaged or incomplete, or no backup. Nothing was restored." in result.stderr
        assert result.exit_code == 1
    file.write_bytes(intact)
    result = restoring(folder, url(tmp_path), str(file), "--identity", str(other))
    assert "is encrypted for another key. Nothing was restored." in result.stderr
    result = restoring(folder, url(tmp_path), str(file))
    assert "is encrypted for a public key" in result.stderr
    monkeypatch.setattr(schema, "is_known", lambda _revision: False)
    result = restoring(folder, url(tmp_path), str(file), *identity)
    assert "was made by a later version (0.1.0, " in result.stderr
    assert not folder.exists()


def test_nothing_takes_the_place_of_a_file_or_an_instance(
    app: Flask, file: Path, restoring: Restore, identity: tuple[str, str], tmp_path: Path
) -> None:
    with app.app_context():
        assert health.look(backup_days=1).backup == "well"
        db.session.remove()
    before = file.read_bytes()
    result = back_up(app, file, *TO)
    assert result.exit_code == 1
    assert "exists already" in result.stderr
    assert file.read_bytes() == before
    (tmp_path / "restored").mkdir()
    (tmp_path / "restored" / "notes.txt").touch()
    result = restoring(tmp_path / "restored", url(tmp_path), str(file), *identity)
    assert "is not empty" in result.stderr
    assert [path.name for path in (tmp_path / "restored").iterdir()] == ["notes.txt"]


def test_keys_apart_are_needed_and_others_are_refused(
    app: Flask, restoring: Restore, identity: tuple[str, str], tmp_path: Path
) -> None:
    file, keys_file, other = tmp_path / "b.age", tmp_path / "keys.age", tmp_path / "other.txt"
    other.write_text(str(OTHER))
    written = back_up(app, file, *TO, "--keys", str(keys_file), "--keys-to", OTHER_PUBLIC)
    assert written.exit_code == 0, written.output
    keys.load(tmp_path / "strange", may_make=True)
    writing.write_keys(tmp_path / "strange.age", LOCK, tmp_path / "strange")

    def attempt(*words: str) -> str:
        words = (str(file), *identity, *words)
        result = restoring(tmp_path / "restored", url(tmp_path), *words)
        assert (tmp_path / "restored").exists() == (result.exit_code == 0)
        return result.output

    assert "The keys are not in" in attempt()
    assert "encrypted for another key" in attempt("--keys", str(keys_file))
    assert "The keys don't belong to" in attempt("--keys", str(tmp_path / "strange.age"))
    words = attempt("--identity", str(other), "--keys", str(keys_file))
    assert "Nothing was altered" in words


@pytest.mark.both_databases
def test_a_restore_that_fails_leaves_nothing_and_one_into_a_database_in_use_begins_nothing(
    file: Path,
    restoring: Restore,
    identity: tuple[str, str],
    own_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_revision: str) -> None:
        with db.engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE event (id INTEGER)"))
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text(FUNCTION))
        raise sa.exc.OperationalError("INSERT", {}, Exception("the disk is full"))

    folder = tmp_path / "restored"
    monkeypatch.setattr(schema, "upgrade", fail)
    # The second attempt finds what the first has left.
    for _attempt in range(2):
        result = restoring(folder, own_database_url, str(file), *identity)
        assert result.exit_code == 1
        assert "The database refused: " in result.stderr
        assert "the disk is full Nothing was restored." in result.stderr
        assert not folder.exists()
    engine = sa.create_engine(own_database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE other (id INTEGER)"))
    result = restoring(folder, own_database_url, str(file), *identity)
    assert result.exit_code == 1
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT * FROM other"))


@pytest.mark.both_databases
def test_while_others_write_a_backup_blocks_nobody_and_contains_one_moment(
    app: Flask, tmp_path: Path
) -> None:
    file = tmp_path / "backup.age"
    keys.load(tmp_path / "keys", may_make=True)
    written: list[str] = []

    def write_once(_total: int) -> None:
        if not written:
            written.append("zz")
            with apart() as session:
                session.add(Heartbeat(name="zz", at=clock.now()))

    with app.app_context():
        number = writing.write(file, LOCK, tmp_path / "keys", write_once, with_keys=False)
        assert db.session.get(Heartbeat, "zz") is not None
        db.session.rollback()
        secrets = Secrets(ask, (str(KEY),))
        checked = backup_restoring.check(file, secrets)
    assert written
    assert (checked.total, checked.numbers["heartbeat"]) == (number, 0)


def test_a_backup_of_an_earlier_version_is_upgraded(
    app: Flask, restoring: Restore, identity: tuple[str, str], tmp_path: Path
) -> None:
    with app.app_context():
        newest = health.newest_revision()
        schema.downgrade()
        assert health.schema_revision() != newest
        db.session.remove()
    assert back_up(app, tmp_path / "backup.age", *TO).exit_code == 0
    folder = tmp_path / "restored"
    result = restoring(folder, url(tmp_path), str(tmp_path / "backup.age"), *identity)
    assert result.exit_code == 0, result.output
    copy = opened(folder, url(tmp_path))
    with copy.app_context():
        assert health.schema_revision() == newest
    disconnect(copy)


def test_a_row_that_the_application_never_writes_stops_the_backup_and_leaves_no_file(
    app: Flask, tmp_path: Path
) -> None:
    with app.app_context():
        db.session.execute(sa.text("UPDATE checklist_template SET published_at = '20000-01-01'"))
        db.session.commit()
    keys_apart = ("--keys", str(tmp_path / "keys-of-backup.age"), "--keys-to", OTHER_PUBLIC)
    result = back_up(app, tmp_path / "backup.age", *TO, *keys_apart)
    assert result.exit_code == 1
    assert "A row was changed outside the application and can't be read." in result.stderr
    assert list(tmp_path.glob("*backup*")) == []
