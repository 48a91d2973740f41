"""What a job of the worker makes stale is recomputed afterwards, also when the worker stops."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from tests.factories.bulk.due import make_due
from tests.factories.demonstration import Demonstration
from tests.factories.visits import Scene
from tracker.activity import stale
from tracker.activity.stale import Stale
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.transport import from_url
from tracker.worker import failures, jobs, recheck
from tracker.worker.one_by_one import each

pytestmark = pytest.mark.both_databases

LEAVING = [job for job in jobs.DATED if job.name in {"leave with party", "end a party's part"}]


@pytest.fixture
def left(session: Session, demonstration: Demonstration) -> Scene:
    """A cooperation whose party has left, as the worker that noted it was killed."""
    scene = Scene(session, demonstration)
    make_due(scene, 2, 1)
    for job in LEAVING:
        each(job, clock.today())
    assert {kind for kind, _id in stale.stored()} == {
        "CHECKLIST",
        "COOPERATION",
        "REGISTER",
        "TEAM",
        "VISIT",
    }
    return scene


def test_the_next_worker_recomputes_what_the_one_before_left(left: Scene, tmp_path: Path) -> None:
    jobs.run_once(from_url(f"file://{tmp_path}"), with_dates=True)
    assert stale.stored() == []
    assert recheck.recheck(left.demonstration.cooperations["complete"]) == []


def test_what_fails_keeps_nothing_else_from_being_recomputed(
    left: Scene, monkeypatch: pytest.MonkeyPatch
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
