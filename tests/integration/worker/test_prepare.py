"""Preparation: the database is copied, migrated and filled, or the start stops and says why."""

import os
import shutil
import sqlite3
import stat
import threading
from contextlib import suppress

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.at_once import at_once
from tests.factories.templates import a_template, an_item, publish
from tests.integration.worker.conftest import BEFORE
from tests.servers.postgres import find_programs
from tests.services import put
from tracker import create_app
from tracker.activity.models import Chain, ChainKind, Event
from tracker.checklist_templates.models import ChecklistKind, ChecklistTemplate
from tracker.core import keys
from tracker.core.db import db
from tracker.core.keys import KeysError
from tracker.evidence.keys import signing_keys
from tracker.settings import Settings
from tracker.worker import health
from tracker.worker import prepare as worker_prepare
from tracker.worker.prepare import PreparationError


@pytest.fixture(autouse=True)
def pg_dump(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pg_dump be that of the server, which always has one."""
    if request.config.getoption("database") == "postgresql":
        monkeypatch.setenv("PATH", str(find_programs()), prepend=os.pathsep)


def prepare(settings: Settings) -> list[str]:
    lines: list[str] = []
    worker_prepare.prepare(settings, lines.append)
    return lines


@pytest.mark.both_databases
def test_a_first_start_makes_tables_begins_the_trail_creates_keys_and_loads_the_content(
    empty: Flask, own_settings: Settings
) -> None:
    lines = prepare(own_settings)
    assert lines[0] == f"Migrated the database to {health.newest_revision()}"
    assert "Loaded checklist terms, version 6" in lines
    assert [line for line in lines if line.startswith("Created the checkpoint key 1, SHA-256 ")]
    assert [line for line in lines if line.startswith("Created the document key 1, SHA-256 ")]
    assert signing_keys.trouble() == []
    assert db.session.scalars(sa.select(Event.verb).order_by(Event.number)).first() == (
        "instance_started"
    )
    assert set(db.session.scalars(sa.select(ChecklistTemplate.kind))) == set(ChecklistKind)
    assert worker_prepare.is_first_start()
    if db.engine.dialect.name == "sqlite":
        # The statistics exist from the start, so that indexes are chosen well.
        assert db.session.scalar(sa.text("SELECT count(*) FROM sqlite_stat1"))
    assert not (own_settings.data_dir / "copies").exists()


def test_a_second_start_does_nothing_and_says_nothing(
    prepared: Flask, own_settings: Settings
) -> None:
    events = db.session.scalar(sa.select(sa.func.count(Event.id)))
    db.session.rollback()
    assert prepare(own_settings) == []
    assert db.session.scalar(sa.select(sa.func.count(Event.id))) == events


@pytest.mark.both_databases
def test_two_machines_that_start_together_prepare_one_after_the_other(
    empty: Flask, own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite is used on one machine")
    both, lines = threading.Barrier(2), list[str]()
    met: list[int] = []

    def prepare_slowly(*_rest: object) -> None:
        with suppress(threading.BrokenBarrierError):
            met.append(both.wait(timeout=1))

    monkeypatch.setattr(worker_prepare, "_prepare", prepare_slowly)

    def start() -> None:
        worker_prepare.prepare(own_settings, lines.append)

    assert at_once(empty, start, start) == []
    assert met == []
    assert lines == ["Another machine is preparing the database; waiting until it is done"]


def test_a_lost_evidence_key_is_reported_at_each_start_and_blocks_nothing(
    prepared: Flask, own_settings: Settings
) -> None:
    (own_settings.data_dir / "keys" / "evidence" / "document-1.key").unlink()
    (line,) = prepare(own_settings)
    assert line.startswith("Problem with the evidence keys: document-1.key is missing in ")
    assert len(signing_keys.public_keys()) == 2


@pytest.mark.both_databases
def test_an_update_copies_the_database_before_it_migrates_and_creates_keys_that_are_missing(
    from_before: Flask, own_settings: Settings
) -> None:
    """The version before had no keys of the evidence."""
    shutil.rmtree(own_settings.data_dir / "keys" / "evidence")
    lines = prepare(own_settings)
    (copy,) = (own_settings.data_dir / "copies").iterdir()
    assert lines[0] == f"Copied the database to {copy}"
    assert lines[1] == f"Migrated the database to {health.newest_revision()}"
    assert "Created the checkpoint key 1, SHA-256" in "\n".join(lines)
    assert f"-before-{BEFORE}-upgrade" in copy.name
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert health.schema_revision() == health.newest_revision()
    if copy.suffix == ".sqlite3":
        copy_connection = sqlite3.connect(copy)
        assert copy_connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (BEFORE,)
        ]
        assert copy_connection.execute("SELECT count(*) FROM event").fetchall() != [(0,)]
        copy_connection.close()


def test_a_failed_migration_stops_the_start_and_says_how_to_go_back(
    from_before: Flask, own_settings: Settings
) -> None:
    # Somebody changed the tables by hand: the next step finds its column already there.
    with db.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE proposal ADD COLUMN ended_reason TEXT"))
    with pytest.raises(PreparationError) as stopped:
        prepare(own_settings)
    (copy,) = (own_settings.data_dir / "copies").iterdir()
    words = str(stopped.value)
    assert words.startswith("The migration failed: ")
    assert "ended_reason" in words
    assert words.endswith(
        f"A copy was made before: {copy}. Restore it, or repair the database and start again."
    )
    assert "\n" not in words
    assert health.schema_revision() == BEFORE


@pytest.mark.both_databases
def test_a_database_of_a_newer_version_is_left_alone(
    prepared: Flask, own_settings: Settings
) -> None:
    db.session.execute(sa.text("UPDATE alembic_version SET version_num = '9999_later'"))
    db.session.commit()
    with pytest.raises(PreparationError, match=r"at 9999_later, which this version does not know"):
        prepare(own_settings)
    assert not (own_settings.data_dir / "copies").exists()


def test_with_other_keys_the_start_stops_before_it_migrates_the_database(
    from_before: Flask, own_settings: Settings
) -> None:
    before = health.schema_revision()
    others = keys.load(own_settings.data_dir / "other", may_make=True)
    put(from_before, keys.KEYS.holding(others))
    with pytest.raises(PreparationError, match="keys in the data directory don't belong to"):
        prepare(own_settings)
    assert health.schema_revision() == before != health.newest_revision()
    assert not (own_settings.data_dir / "copies").exists()


def test_with_an_altered_head_of_the_trail_the_start_stops(
    prepared: Flask, own_settings: Settings
) -> None:
    db.session.execute(sa.update(Chain).where(Chain.kind == ChainKind.INSTANCE).values(seal="é"))
    db.session.commit()
    with pytest.raises(PreparationError, match="or its trail was altered"):
        prepare(own_settings)


def test_without_keys_for_the_evidence_or_with_content_published_otherwise_the_start_stops(
    empty: Flask, own_settings: Settings
) -> None:
    evidence = own_settings.data_dir / "keys" / "evidence"
    evidence.write_text("a file in its place")
    with pytest.raises(PreparationError, match="The key can't be written to"):
        prepare(own_settings)
    evidence.unlink()
    publish(a_template(an_item("M1"), version=6))
    db.session.commit()
    with pytest.raises(PreparationError, match="version 6 is published already"):
        prepare(own_settings)
    # Nothing else was loaded either.
    assert db.session.scalars(sa.select(ChecklistTemplate.kind)).all() == [ChecklistKind.TERMS]


def test_a_database_without_its_keys_is_not_opened_with_new_ones(
    prepared: Flask, own_settings: Settings
) -> None:
    """product.md, section 7: with a new key, nothing encrypted earlier could be read."""
    shutil.rmtree(own_settings.data_dir / "keys")
    if db.engine.dialect.name == "sqlite":
        with pytest.raises(KeysError, match="restore the keys of this instance there"):
            create_app(own_settings)
        assert not (own_settings.data_dir / "keys").exists()
        return
    # For a server this isn't known until it is asked: the start stops then.
    started_again = create_app(own_settings)
    with started_again.app_context():
        with pytest.raises(PreparationError, match="keys in the data directory don't belong to"):
            prepare(own_settings)
        db.session.remove()
        db.engine.dispose()
