"""No transaction of the worker keeps others from writing for long, however much is due."""

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from tests.factories.bulk.due import after_requests_ran_out, make_due
from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit
from tests.stopwatch import Longest, Stopwatch, piece_of_work, watched
from tracker.activity import stale
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.transport import from_url
from tracker.worker import failures, jobs
from tracker.worker.one_by_one import Job, each

# Only PostgreSQL is asked for locks.
pytestmark = pytest.mark.both_databases

# How much work a transaction may be, in pieces of 1 to 4 ms, depending on the machine's load. It's
# 70 to 90 for the longest, which removes a person from six visits.
MOST = 200
VISITS = 6
DUE = 20
# The most statements that a transaction of each job sends, however much is due. A person whose role
# expired is removed from each cooperation, and a notice closes the access of those who signed an
# undertaking, in one transaction each: nobody may see half of it.
STATEMENTS = {
    "apply notice": 50,
    "check accounts": 5,
    # Closes the undertaking too, ends what notified of it, and asks its person what became of their
    # copies, with a notification beside the email; reads the notices of the day.
    "close clearance": 96,
    "compare texts": 40,
    "end invitation request": 20,
    "end outside reading": 20,
    "end role": 90,
    # Closes each notice that the party gave; PostgreSQL is asked for a lock with each.
    "end a party's part": 11 * DUE + 60,
    "expire signature request": 40,
    "leave cooperation": 60,
    "leave with party": 60,
    # Compares texts (8), undertakings (6) and the cooperation (1) that a visit depends on with
    # their evidence, and a visit that changes with its events (1), as does recomputing one.
    "judge visit": 41,
    "recompute team": 40,
    "recompute checklist": 40,
    "recompute visit": 56,
    "recompute cooperation": 40,
    "recompute register": 40,
    "mail checkpoint": 10,
    "remind of return": 12,
    "remind of assignments": 20,
    "mail of checklists": 30,
    "remind of end": 20,
    "remind of clearance": 20,
    "remind of review": 20,
    "remind of signature request": 20,
    "remind of task": 10,
    "renew text": 40,
    "send digest": 10,
    # Mails, certificates, checkpoints, old rows, and the heartbeat.
    "other": 10,
}


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


def a_day(watch: Stopwatch, folder: Path) -> None:
    """Have the worker do its daily jobs, with a round that looks at dates."""
    jobs.run_once(from_url(f"file://{folder}"), with_dates=True)
    jobs.renew_texts()
    jobs.judge_visits()
    for name, do in (
        ("mail checkpoint", jobs.mail_checkpoint),
        ("compare texts", jobs.compare_texts),
        ("check accounts", jobs.check_accounts),
    ):
        watch.job = name
        do()
    watch.job = "other"


def summary(longest: dict[str, Longest]) -> str:
    return "\n".join(
        f"{job}: {watched.count} transactions, {watched.statements} statements, "
        f"{watched.seconds * 1000:.0f} ms, {watched.work / piece_of_work():.0f} pieces of work"
        for job, watched in sorted(longest.items())
    )


def test_no_transaction_of_the_worker_makes_others_wait(
    joint_visit: JointVisit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_due(joint_visit, VISITS, DUE)
    day = clock.today()
    due_by_job = {job.name: list(job.find(day)) for job in jobs.DATED}
    db.session.rollback()
    with watched() as watch:

        def timed(job: Job, day: dt.date) -> None:
            watch.job = job.name
            each(job, day)
            watch.job = "other"

        monkeypatch.setattr(jobs, "each", timed)
        a_day(watch, tmp_path)
        with after_requests_ran_out():
            jobs.run_once(from_url(f"file://{tmp_path}"), with_dates=True)
    longest = watch.longest()
    assert {job.name for job in (*jobs.DATED, *jobs.RECOMPUTE, jobs.JUDGE)} <= set(longest)
    assert stale.stored() == []
    assert list(failures.known()) == []
    many = {
        job: watched.statements
        for job, watched in longest.items()
        if watched.statements > STATEMENTS[job]
    }
    assert many == {}
    work = max(watched.work for watched in longest.values())
    assert work < MOST * piece_of_work(), summary(longest)
    # No job repeats what another worker that also found it has done.
    db.session.rollback()
    for job in jobs.DATED:
        assert [job.act(due_id, day) for due_id in due_by_job[job.name]] == [False] * len(
            due_by_job[job.name]
        )
    db.session.rollback()
