"""Jobs that process one object per transaction: one that fails doesn't block the others."""

import datetime as dt
import sqlite3
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.at_once import before_commit
from tests.client import CheckedClient
from tests.log_lines import Lines
from tracker.accounts.factors import attempts
from tracker.accounts.models import Attempt
from tracker.checklists.assignments import service as assignments
from tracker.core import clock
from tracker.core import db as database
from tracker.core.db import db, will_write
from tracker.mail import outbox
from tracker.mail.models import OutboxMessage
from tracker.worker import failures, one_by_one
from tracker.worker.models import JobFailure
from tracker.worker.one_by_one import Job, each

pytestmark = pytest.mark.both_databases

NUMBERS = (1, 2, 3)


def mail(number: int) -> None:
    outbox.queue(
        f"person{number}@example.org", "en", "text_sent", "A text is waiting", "Read it.\n"
    )


def mailed() -> list[str]:
    recipients = sorted(db.session.scalars(sa.select(OutboxMessage.recipient)))
    db.session.rollback()
    return recipients


@pytest.fixture
def commits(session: Session) -> Iterator[list[int]]:
    """How many messages had been written at each commit."""
    counts: list[int] = []

    def note(session: Session) -> None:
        counts.append(session.scalar(sa.select(sa.func.count(OutboxMessage.id))) or 0)

    event.listen(db.session, "before_commit", note)
    yield counts
    event.remove(db.session, "before_commit", note)


def test_each_object_has_its_own_transaction(commits: list[int]) -> None:
    each(Job("mail", lambda _day: NUMBERS, lambda number, _day: mail(number)), clock.today())
    assert commits == [1, 2, 3]
    assert len(mailed()) == len(NUMBERS)


def test_a_failing_object_is_rolled_back_and_logged_and_the_others_are_processed(
    session: Session, log_lines: Lines
) -> None:
    def act(number: int, _day: dt.date) -> None:
        mail(number)
        db.session.flush()
        if number == NUMBERS[1]:
            message = "words of a text"
            raise LookupError(message)

    each(Job("mail", lambda _day: NUMBERS, act), clock.today())
    assert mailed() == ["person1@example.org", "person3@example.org"]
    (line,) = log_lines
    assert (line["message"], line["job"], line["object"]) == ("a job has failed", "mail", "2")
    assert line["errors"][0]["error"] == "LookupError"
    assert "tests/integration/worker/test_one_by_one.py:" in line["errors"][0]["stack"][-1]
    # An error's message may quote a text of class K2.
    assert "words of a text" not in str(line)


def test_a_failing_statement_does_not_block_the_others_either(
    session: Session, log_lines: Lines
) -> None:
    def act(number: int, _day: dt.date) -> None:
        mail(number)
        if number == NUMBERS[0]:
            db.session.execute(sa.text("SELECT nothing FROM nowhere"))

    each(Job("mail", lambda _day: NUMBERS, act), clock.today())
    assert mailed() == ["person2@example.org", "person3@example.org"]
    assert [(line["job"], line["object"]) for line in log_lines] == [("mail", "1")]


def lost() -> OperationalError:
    """Return the error of a connection that was cut."""
    error = OperationalError("SELECT", {}, psycopg.errors.AdminShutdown())
    error.connection_invalidated = True
    return error


@pytest.mark.parametrize(
    "error",
    [
        lost(),
        OperationalError("SELECT", {}, psycopg.OperationalError("nobody listens there")),
        OperationalError("SELECT", {}, psycopg.errors.CannotConnectNow()),
    ],
    ids=["the connection is cut", "there is no server", "the server is starting"],
)
def test_while_the_database_is_away_a_job_ends_and_no_object_has_failed(
    session: Session, error: OperationalError
) -> None:
    tried: list[int] = []

    def act(number: int, _day: dt.date) -> None:
        tried.append(number)
        raise error

    with pytest.raises(OperationalError):
        each(Job("mail", lambda _day: NUMBERS, act), clock.today())
    assert tried == [1]
    assert mailed() == []
    assert list(failures.known()) == []


@pytest.mark.parametrize(
    "cause", [psycopg.errors.DeadlockDetected(), sqlite3.OperationalError("database is locked")]
)
def test_an_object_that_another_transaction_is_in_the_way_of_has_failed_alone(
    session: Session, cause: Exception
) -> None:
    def act(number: int, _day: dt.date) -> None:
        if number == 1:
            raise OperationalError("SELECT", {}, cause)
        mail(number)

    each(Job("mail", lambda _day: NUMBERS, act), clock.today())
    assert mailed() == ["person2@example.org", "person3@example.org"]
    assert [failure.object for failure in failures.known()] == ["1"]


def test_two_workers_that_fail_on_an_object_at_the_same_moment_are_both_counted(
    app: Flask, session: Session
) -> None:
    def note() -> None:
        failures.note("mail", "1", "LookupError in texts.py, line 1")

    assert before_commit(app, note, note) == []
    assert [failure.tries for failure in failures.known()] == [2]


def test_looking_for_work_takes_no_write_lock_and_leaves_none_behind(session: Session) -> None:
    begun: list[bool] = []

    def note(_connection: Connection) -> None:
        begun.append(will_write.get())

    def find(_day: dt.date) -> list[int]:
        db.session.scalar(sa.select(sa.func.count(OutboxMessage.id)))
        return [1]

    db.session.rollback()
    event.listen(db.engine, "begin", note)
    try:
        each(Job("mail", find, lambda number, _day: mail(number)), clock.today())
    finally:
        event.remove(db.engine, "begin", note)
    assert begun == [False, True]


def test_others_get_their_turn_after_each_transaction(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 0.0
    slept: list[float] = []

    def act(number: int, _day: dt.date) -> None:
        nonlocal moment
        moment += number / 20

    monkeypatch.setattr(time, "monotonic", lambda: moment)
    monkeypatch.setattr(time, "sleep", slept.append)
    each(Job("mail", lambda _day: NUMBERS, act), clock.today())
    # As long as it lasted, and no longer than others wait between two tries.
    assert slept == [pytest.approx(0.05), pytest.approx(0.1), pytest.approx(0.1)]


def test_old_rows_are_deleted_in_batches(
    session: Session, commits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BATCH", 2)
    monkeypatch.setattr(one_by_one, "BATCH", 2)
    old = clock.now() - attempts.WINDOW - dt.timedelta(minutes=1)
    db.session.add_all(Attempt(key=f"old{number}", at=old) for number in range(5))
    db.session.add(Attempt(key="new", at=clock.now()))
    db.session.commit()
    commits.clear()
    removed: list[int] = []

    def delete() -> int:
        removed.append(attempts.forget_old())
        return removed[-1]

    one_by_one.until_none_is_left(delete)
    assert removed == [2, 2, 1]
    assert len(commits) == len(removed)
    assert list(db.session.scalars(sa.select(Attempt.key))) == ["new"]


# What failed --------------------------------------------------------------------------------------


class Worker:
    """A job on some objects, of which some fail."""

    def __init__(self) -> None:
        self.due: list[int] = list(NUMBERS)
        self.failing = {NUMBERS[1]}
        self.tried: list[int] = []
        self.job = Job("mail", lambda _day: list(self.due), self._act)

    def _act(self, number: int, _day: dt.date) -> None:
        self.tried.append(number)
        if number in self.failing:
            raise LookupError

    def run(self) -> list[int]:
        """Do the job; return what it tried."""
        self.tried.clear()
        each(self.job, clock.today())
        return list(self.tried)


def test_a_failed_object_is_retried_after_growing_delays(
    session: Session, frozen_time: Callable[[dt.datetime], None]
) -> None:
    worker, now = Worker(), clock.now()
    frozen_time(now)
    assert worker.run() == [1, 2, 3]
    worker.due = [2]
    tries = []
    for minute in range(1, 40):
        frozen_time(now + minute * dt.timedelta(minutes=1))
        if worker.run():
            tries.append(minute)
    # After one, five and thirty minutes.
    assert tries == [1, 6, 36]
    (known,) = failures.known()
    assert (known.job, known.object, known.tries) == ("mail", "2", 4)
    assert known.error.startswith("LookupError in test_one_by_one.py, line ")


def test_a_row_written_by_hand_does_not_delay_an_object_and_is_reported(session: Session) -> None:
    worker, now = Worker(), clock.now()
    worker.failing.clear()
    never = now + 1000 * failures.WAITS[-1]
    for number in ("1", "not due"):
        row = {"job": "mail", "object": number, "tries": 0, "error": "", "failed_at": now}
        db.session.add(JobFailure(**row, next_try_at=never))
    db.session.commit()
    assert failures.is_any()
    assert worker.run() == [1, 2, 3]
    assert not failures.is_any()


@pytest.mark.parametrize("way", ["it is done", "it is not due any more"])
def test_what_failed_is_forgotten_when(
    session: Session, frozen_time: Callable[[dt.datetime], None], way: str
) -> None:
    worker, now = Worker(), clock.now()
    worker.run()
    assert failures.is_any()
    if way == "it is done":
        worker.failing.clear()
    else:
        worker.due.remove(2)
    frozen_time(now + dt.timedelta(minutes=2))
    worker.run()
    assert not failures.is_any()


def test_a_failure_of_one_job_does_not_affect_another(session: Session) -> None:
    Worker().run()
    each(Job("close", lambda _day: [], lambda _due, _day: None), clock.today())
    assert failures.is_any()
    assert failures.of("close") == {}


def test_the_health_checks_report_failed_jobs(
    app: Flask, client: CheckedClient, session: Session
) -> None:
    Worker().run()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()["jobs"]) == (503, "some could not be done")
    done = app.test_cli_runner().invoke(args=["check"])
    assert done.exit_code == 1
    assert "jobs: some could not be done\n  mail 2: LookupError in " in done.output
    assert "(1 attempts; next after " in done.output


def test_an_object_of_several_ids_is_named_by_all(session: Session) -> None:
    def fail(_due: object, _day: dt.date) -> None:
        raise LookupError

    pair = assignments.DueAssignments(uuid4(), uuid4())
    each(Job("remind", lambda _day: [pair], fail), clock.today())
    (known,) = failures.known()
    assert known.object == f"{pair.checklist_id} {pair.user_id}"
