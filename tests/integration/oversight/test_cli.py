"""The command tracker audit verify: its output and its exit codes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

import config
from tests.factories.cooperations import record_change
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import (
    EVENTS,
    SIGNATURES,
    Tampering,
    hands,
)
from tests.integration.oversight.conftest import Signed
from tests.services import put
from tracker import create_app
from tracker.activity import service as trail
from tracker.core import crypto, keys
from tracker.core.db import db, writing
from tracker.oversight import integrity, reading


def verify(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["audit", "verify"])


def test_an_empty_instance_is_sound(app: Flask) -> None:
    result = verify(app)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Nothing was altered: chains 1,")


def test_it_counts_what_it_checked_in_one_line(app: Flask, signed: Signed) -> None:
    counts = integrity.check_all().counts
    db.session.rollback()
    result = verify(app)
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        f"Nothing was altered: chains 3, events {counts.events}, details {counts.events}, "
        "frozen revisions 3, signatures 5, accounts 14, keys of the evidence 2, "
        f"leaves of the log 3, checkpoints 1, rows compared with events {counts.rows}.\n"
    )
    assert counts.rows > 200
    assert "Checking" in result.stderr


def test_the_demonstration_is_sound(app: Flask, demonstration: Demonstration) -> None:
    """Every way of signing binds what it writes: terms, roles, plans, undertakings."""
    result = verify(app)
    assert result.exit_code == 0, result.output
    with app.app_context():
        counts = integrity.check_all().counts
    assert counts.chains == 1 + len(demonstration.cooperations)
    assert counts.revisions > 10
    assert counts.signatures > 20


def test_it_names_the_first_broken_place_and_exits_1(app: Flask, signed: Signed) -> None:
    with hands() as connection:
        own = Tampering(connection, signed.second.id)
        own.update(EVENTS, own.event_id(4), verb="signed")
        own.delete(EVENTS, own.event_id(6))
    result = verify(app)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert (
        f"Error: The trail is broken. Chain of {signed.second.reference}, event 4: "
        "The event was changed." in result.stderr
    )


def test_a_name_put_in_by_hand_does_not_reach_the_terminal_as_it_is(
    app: Flask, signed: Signed
) -> None:
    with hands() as connection:
        own = Tampering(connection, signed.first.id)
        own.update(SIGNATURES, own.rows(SIGNATURES)[0].id, signer_name="\x1b[2J" + "x" * 500)
    result = verify(app)
    assert result.exit_code == 1
    assert "\x1b" not in result.output
    assert "x" * 100 not in result.output


def test_a_whole_rewrite_says_what_it_may_be(app: Flask, signed: Signed) -> None:
    with hands() as connection:
        Tampering(connection, signed.first.id).rewrite(
            lambda link: replace(link, verb="signed") if link.number == 2 else link
        )
    result = verify(app)
    assert result.exit_code == 1
    assert "does not bear this instance's seal" in result.stderr


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Flask]:
    """An instance whose database was never created."""
    app = create_app(config.settings("testing", {"TRACKER_DATA_DIR": str(tmp_path)}))
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def test_a_database_without_tables_can_not_be_checked(empty: Flask) -> None:
    result = verify(empty)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: The database has no tables to check yet: run tracker db upgrade first."
    )


def test_a_file_that_is_no_database_can_not_be_checked(empty: Flask, tmp_path: Path) -> None:
    (tmp_path / "tracker.sqlite3").write_bytes(b"This is a letter." * 100)
    result = verify(empty)
    assert result.exit_code == 2
    assert "The database can't be read: " in result.stderr
    assert "Traceback" not in result.output


def test_another_instances_keys_are_distinguished_from_a_broken_trail(
    app: Flask, signed: Signed
) -> None:
    put(app, keys.KEYS.holding(keys.Keys(*(crypto.new_key() for _ in keys.NAMES))))
    result = verify(app)
    assert result.exit_code == 2
    assert "The keys are not those of this database" in result.stderr


def test_another_key_of_the_trail_alone_is_a_broken_trail(app: Flask, signed: Signed) -> None:
    """Somebody without the key looks just like an instance with another key."""
    put(app, keys.KEYS.holding(replace(keys.of(app), trail=crypto.new_key())))
    result = verify(app)
    assert result.exit_code == 1
    assert "the key of the trail is another instance's" in result.stderr


def test_people_go_on_working_while_it_runs(signed: Signed) -> None:
    """What is recorded meanwhile is neither seen nor delayed."""
    before = integrity.check_all().counts
    written: list[int] = []

    def report(total: int) -> None:
        if len(written) < 3:
            with writing():
                event = record_change(signed.first.id)
                written.append(event.number)
                db.session.commit()

    verdict = integrity.check_all(report)
    assert verdict.finding is None
    assert verdict.counts == before
    after = integrity.check_all()
    assert after.finding is None
    assert after.counts.events == before.events + len(written)


def test_progress_is_reported_with_the_number_of_rows(signed: Signed) -> None:
    progress: list[int] = []
    counts = integrity.check_all(progress.append).counts
    assert len(progress) == sum((counts.events, counts.revisions, counts.signatures, counts.leaves))
    assert set(progress) == {len(progress)}


def test_few_rows_are_in_memory_at_a_time(app: Flask, signed: Signed) -> None:
    """The batches are real: a chain longer than one needs more than one."""
    put(app, trail.HANDLERS.holding({}))  # the handlers of events aren't what takes time here
    for _ in range(reading.ROWS_AT_A_TIME + 50):
        record_change(signed.first.id)
    db.session.commit()
    events = db.session.scalar(sa.select(sa.func.count()).select_from(EVENTS))
    db.session.rollback()
    verdict = integrity.check_all()
    assert verdict.finding is None
    assert verdict.counts.events == events
