"""The worker's rounds: what is due is done, and an unreachable database is retried.

A round ends by removing its session, so later queries use a fresh one (db.session).
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.log_lines import Lines
from tests.services import put
from tests.starting_points import noon_in
from tracker.accounts.factors import attempts
from tracker.accounts.models import Attempt
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.cooperations.models import Clearance, Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence.keys.signing_keys import KEY_FOLDER, KeyFolder
from tracker.evidence.log import checkpoints, notes
from tracker.evidence.log.notes import Checkpoint
from tracker.guidance.models import Passage
from tracker.mail import outbox
from tracker.mail.models import OutboxMessage
from tracker.mail.transport import from_url
from tracker.worker import health, jobs, statistics


@pytest.mark.both_databases
def test_a_round_sends_due_mail_and_records_a_heartbeat(session: Session, tmp_path: Path) -> None:
    outbox.queue("samira@example.org", "en", "text_sent", "A text is waiting", "Read it.\n")
    db.session.commit()
    jobs.run_once(from_url(f"file://{tmp_path}"), with_dates=False)
    (file,) = tmp_path.glob("*.eml")
    assert "A text is waiting" in file.read_text()
    assert db.session.scalars(sa.select(OutboxMessage)).one().sent_at is not None
    assert health.look().worker == "well"


@pytest.mark.both_databases
def test_now_and_then_a_round_looks_at_dates_too(
    session: Session,
    demonstration: Demonstration,
    tmp_path: Path,
    frozen_time: Callable[[dt.datetime], None],
) -> None:
    still_open = sa.select(sa.func.count(Clearance.id)).where(Clearance.closed_at.is_(None))
    attempts.note([attempts.account("nobody@example.org")])
    db.session.commit()
    assert db.session.scalar(still_open)
    last = db.session.scalar(sa.select(sa.func.max(Clearance.until_on)))
    assert last is not None
    db.session.rollback()
    frozen_time(dt.datetime.combine(last + dt.timedelta(days=2), dt.time(12), dt.UTC))
    transport = from_url(f"file://{tmp_path}")
    jobs.run_once(transport, with_dates=False)
    assert db.session.scalar(still_open)
    db.session.rollback()
    jobs.run_once(transport, with_dates=True)
    assert db.session.scalar(still_open) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) == 0


def test_rounds_end_on_request(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jobs, "PAUSE", 0)
    turns = iter([True, True, False])
    jobs.run_for_ever(from_url(f"file://{tmp_path}"), goes_on=lambda: next(turns))
    assert health.look().worker == "well"
    assert list(turns) == []


def test_visits_are_judged_once_a_day(
    app: Flask,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    frozen_time: Callable[[dt.datetime], None],
) -> None:
    """Events in between judge the visits that they affect."""
    judged: list[dt.date] = []
    monkeypatch.setattr(jobs, "judge_visits", lambda: judged.append(clock.today()))
    monkeypatch.setattr(jobs, "PAUSE", 0)
    monkeypatch.setattr(jobs, "EVERY_SO_MANY_ROUNDS", 1)
    days = iter([1, 1, 2, 2])

    def goes_on() -> bool:
        day = next(days, None)
        if day is not None:
            frozen_time(noon_in(day))
        return day is not None

    jobs.run_for_ever(from_url(f"file://{tmp_path}"), goes_on=goes_on)
    assert judged == [noon_in(1).date(), noon_in(2).date()]


def test_the_work_of_a_day_begins_with_the_day(
    app: Flask,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    frozen_time: Callable[[dt.datetime], None],
) -> None:
    """In the next round, not up to a minute later."""
    done: list[tuple[dt.date, bool]] = []
    monkeypatch.setattr(
        jobs,
        "run_once",
        lambda _transport, *, with_dates, **_more: done.append((clock.today(), with_dates)),
    )
    monkeypatch.setattr(jobs, "PAUSE", 0)
    days = iter([1, 1, 2, 2])

    def goes_on() -> bool:
        day = next(days, None)
        if day is not None:
            frozen_time(noon_in(day))
        return day is not None

    jobs.run_for_ever(from_url(f"file://{tmp_path}"), goes_on=goes_on)
    assert done == [
        (noon_in(1).date(), True),
        (noon_in(1).date(), False),
        (noon_in(2).date(), True),
        (noon_in(2).date(), False),
    ]


def test_each_day_sqlite_looks_again_at_how_its_tables_are_filled(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps its own statistics")
    known = sa.text("SELECT stat FROM sqlite_stat1 WHERE tbl = 'passage'")
    statistics.refresh()
    passages = db.session.scalar(sa.select(sa.func.count(Passage.id)))
    assert {int(name.split()[0]) for name in db.session.scalars(known)} == {passages}
    db.session.execute(sa.text("DELETE FROM sqlite_stat1"))
    db.session.commit()
    monkeypatch.setattr(jobs, "PAUSE", 0)
    turns = iter([True, False])
    jobs.run_for_ever(from_url(f"file://{tmp_path}"), goes_on=lambda: next(turns))
    assert db.session.scalars(known).all()


@pytest.mark.both_databases
def test_an_unreachable_database_is_reported_and_retried(
    empty: Flask,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    log_lines: Lines,
) -> None:
    monkeypatch.setattr(jobs, "PAUSE", 0)
    turns = iter([True, True, False])
    jobs.run_for_ever(from_url(f"file://{tmp_path}"), goes_on=lambda: next(turns))
    assert [line["message"] for line in log_lines] == 2 * ["a round has failed; trying again"]
    assert all("Error" in line["error"] and "errors" not in line for line in log_lines)


def test_an_error_outside_the_jobs_is_reported_and_the_worker_goes_on(
    app: Flask,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    log_lines: Lines,
) -> None:
    def fail() -> None:
        raise ValueError("Joint visit to Quillfen")

    monkeypatch.setattr(jobs, "checkpoint_and_mail", fail)
    monkeypatch.setattr(jobs, "PAUSE", 0)
    turns = iter([True, True, False])
    jobs.run_for_ever(from_url(f"file://{tmp_path}"), goes_on=lambda: next(turns))
    (line,) = log_lines
    assert (line["message"], line["error"]) == ("a round has failed; trying again", "ValueError")
    assert "tests/integration/worker/test_jobs.py:" in line["errors"][0]["stack"][-1]
    assert "Quillfen" not in str(line)
    assert list(turns) == []


def a_week_later(set_time: Callable[[dt.datetime], None]) -> Checkpoint:
    """Record something in a cooperation, a week after the last checkpoint; return that one."""
    before = checkpoints.newest()
    assert before is not None
    set_time(before.at + dt.timedelta(days=8))
    cooperation_id = db.session.scalars(sa.select(Cooperation.id)).all()[0]
    trail.record(
        verbs.COOPERATION_CHANGED,
        actor=None,
        subject_type="cooperation",
        subject_id=cooperation_id,
        cooperation_id=cooperation_id,
    )
    db.session.execute(sa.delete(OutboxMessage))
    db.session.commit()
    return before


def test_a_round_makes_a_checkpoint_and_mails_it_to_be_kept(
    session: Session,
    demonstration: Demonstration,
    tmp_path: Path,
    frozen_time: Callable[[dt.datetime], None],
) -> None:
    before = a_week_later(frozen_time)
    transport = from_url(f"file://{tmp_path}")
    jobs.run_once(transport, with_dates=True)
    jobs.run_once(transport, with_dates=False)
    newest = checkpoints.newest()
    assert newest is not None
    assert newest.size > before.size
    files = [file.read_bytes() for file in tmp_path.glob("*.eml")]
    texts = [notes.text_of(data) for data in files]
    anchored = {Checkpoint.read(text) for text in texts if notes.find(text, notes.CHECKPOINT)}
    assert anchored == {newest}


def test_a_lost_evidence_key_is_reported_and_blocks_nothing_else(
    session: Session,
    demonstration: Demonstration,
    tmp_path: Path,
    frozen_time: Callable[[dt.datetime], None],
    log_lines: Lines,
) -> None:
    before = a_week_later(frozen_time)
    put(current_app, KEY_FOLDER.holding(KeyFolder(tmp_path / "elsewhere", "localhost")))
    jobs.run_once(from_url(f"file://{tmp_path}"), with_dates=True)
    assert "checkpoint-" in next(line["why"] for line in log_lines)
    assert checkpoints.newest() == before
    assert health.look().worker == "well"
