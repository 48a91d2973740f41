"""What a job of the worker makes stale is recomputed afterwards, even if the worker stops."""

import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.at_once import at_once
from tests.factories.bulk.due import make_due
from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit
from tracker.activity import stale
from tracker.activity.stale import Stale
from tracker.activity.stale_models import DueRecomputation
from tracker.cooperations.models import AudienceMember
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.transport import from_url
from tracker.settings import Settings
from tracker.visits.models import TeamMember
from tracker.worker import failures, health, jobs, recheck
from tracker.worker.one_by_one import each

LEAVING = [job for job in jobs.DATED if job.name in {"leave with party", "end a party's part"}]

# A worker that is killed after its second recomputation, before committing it.
KILLED = """
import os, signal, config
from tracker import create_app
from tracker.activity import stale
from tracker.core.db import db
from tracker.worker import jobs
recompute, done = stale.recompute_stored, []
def kill_at_the_second(kind, object_id):
    recompute(kind, object_id)
    db.session.flush()
    done.append(object_id)
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
stale.recompute_stored = kill_at_the_second
with create_app(config.settings("testing", os.environ)).app_context():
    jobs.recompute()
"""


@pytest.fixture
def left(app: Flask, session: Session, demonstration: Demonstration) -> JointVisit:
    """A cooperation whose party has left, when the worker that recorded it was killed."""

    def leave() -> None:
        make_due(JointVisit(db.session(), demonstration), 2, 1)
        for job in LEAVING:
            each(job, clock.today())

    starting_points.of(app).use("left", leave, on="demonstration")
    joint_visit = JointVisit(session, demonstration)
    assert {kind for kind, _id in stale.stored()} == {
        "CHECKLIST",
        "COOPERATION",
        "REGISTER",
        "TEAM",
        "VISIT",
    }
    return joint_visit


def test_what_fails_keeps_nothing_else_from_being_recomputed(
    left: JointVisit, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = stale.stored(Stale.CHECKLIST)[0]
    recompute = stale.recompute_stored

    def fail(kind: str, object_id: object) -> bool:
        if (kind, object_id) == failing:
            message = "words of a text"
            raise LookupError(message)
        return recompute(kind, object_id)  # type: ignore[arg-type]

    monkeypatch.setattr(stale, "recompute_stored", fail)
    jobs.recompute()
    assert stale.stored() == [failing]
    db.session.rollback()
    assert [failure.job for failure in failures.known()] == ["recompute checklist"]


@pytest.mark.both_databases
def test_the_next_worker_recomputes_what_one_killed_between_two_of_them_left(
    left: JointVisit, settings: Settings, tmp_path: Path
) -> None:
    due = stale.stored()
    db.session.rollback()
    environment = {
        "TRACKER_DATA_DIR": str(settings.data_dir),
        "TRACKER_DATABASE_URL": settings.database_url,
    }
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    # The first is done and committed; the second is neither done nor forgotten, nor is any other.
    assert set(due) - set(stale.stored()) == {_first(due)}
    jobs.run_once(from_url(f"file://{tmp_path}"), with_dates=True)
    assert stale.stored() == []
    assert recheck.recheck(left.demonstration.cooperations["complete"]) == []


@pytest.mark.both_databases
def test_two_workers_at_the_same_value_recompute_it_once_each_and_lose_nothing(
    left: JointVisit, worker_app: Flask
) -> None:
    due = stale.stored()
    db.session.rollback()
    assert at_once(worker_app, jobs.recompute, jobs.recompute) == []
    assert due
    assert stale.stored() == []
    assert list(failures.known()) == []
    assert recheck.recheck(left.demonstration.cooperations["complete"]) == []


def test_a_kind_that_there_is_not_is_reported(left: JointVisit) -> None:
    stray = ("WEATHER", uuid4())
    db.session.execute(sa.insert(DueRecomputation), {"kind": stray[0], "object_id": stray[1]})
    db.session.commit()
    jobs.recompute()
    assert stale.stored() == [stray]
    assert [failure.job for failure in failures.known()] == ["recompute unknown"]
    assert health.look().jobs == "some could not be done"


@pytest.mark.both_databases
def test_a_recheck_puts_right_a_list_and_a_team_that_were_not_brought_up_to_date(
    session: Session, demonstration: Demonstration
) -> None:
    cooperation_id = demonstration.cooperations["complete"]
    assert recheck.recheck(cooperation_id) == []
    session.execute(sa.delete(AudienceMember).where(AudienceMember.leads.is_(False)))
    session.execute(sa.delete(TeamMember))
    session.commit()
    differing = {difference.kind for difference in recheck.recheck(cooperation_id)}
    assert differing >= {"list of a visit", "team of a visit"}
    session.commit()
    assert recheck.recheck(cooperation_id) == []


def _first(due: list[tuple[str, UUID]]) -> tuple[str, UUID]:
    """Return the one that a worker begins with: the kinds have an order."""
    return min(due, key=lambda work: (Stale[work[0]], work[1]))
