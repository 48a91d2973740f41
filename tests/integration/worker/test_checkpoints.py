"""The worker puts what was recorded into the log in batches, and mails checkpoints when due."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.log_lines import Lines
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.evidence.log import anchors, checkpoints
from tracker.evidence.log import service as log
from tracker.evidence.log.service import LogError
from tracker.evidence.models import Anchor, SignedCheckpoint
from tracker.oversight import integrity
from tracker.worker import failures, jobs, one_by_one

pytestmark = pytest.mark.both_databases

Freeze = Callable[[dt.datetime], None]
DAY = dt.timedelta(days=1)
BATCH = 2


@pytest.fixture
def changed(
    session: Session,
    demonstration: Demonstration,
    frozen_time: Freeze,
    monkeypatch: pytest.MonkeyPatch,
) -> int:
    """More chains that changed than a batch takes, a week after the last checkpoint."""
    before = checkpoints.newest()
    assert before is not None
    frozen_time(before.at + 8 * DAY)
    record_everywhere(session)
    monkeypatch.setattr(jobs, "BATCH", BATCH)
    monkeypatch.setattr(log, "BATCH", BATCH)
    count = len(log.changed())
    assert count > 2 * BATCH
    return count


def record_everywhere(session: Session) -> None:
    """Record an event in the chain of each cooperation, and commit."""
    for cooperation_id in session.scalars(sa.select(Cooperation.id)).all():
        trail.record(
            verbs.COOPERATION_CHANGED,
            actor=None,
            subject_type="cooperation",
            subject_id=cooperation_id,
            cooperation_id=cooperation_id,
        )
    session.commit()


def ends() -> list[tuple[int, int]]:
    """Return the previous size and the size of each checkpoint."""
    db.session.rollback()
    checkpoints = db.session.scalars(sa.select(SignedCheckpoint).order_by(SignedCheckpoint.size))
    return [(checkpoint.previous, checkpoint.size) for checkpoint in checkpoints]


def require_sound() -> None:
    """Fail unless the audit finds the log and its checkpoints sound."""
    db.session.rollback()
    assert integrity.check_all().finding is None


def test_what_was_recorded_is_logged_in_batches_each_signed(changed: int) -> None:
    before = ends()
    assert jobs.make_checkpoints() == -(-changed // BATCH)
    new_ends = ends()[len(before) :]
    assert [after - first for first, after in new_ends[:-1]] == [BATCH] * (len(new_ends) - 1)
    assert new_ends[-1][1] - before[-1][1] == changed
    assert log.changed() == []
    require_sound()
    assert jobs.make_checkpoints() == 0


def test_a_worker_that_dies_between_batches_leaves_a_sound_log_that_goes_on_later(
    changed: int, frozen_time: Freeze, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, turns = ends(), iter([None])

    def pause(_began: float) -> None:
        next(turns)

    with monkeypatch.context() as dying:
        dying.setattr(jobs, "let_others_write", pause)
        with pytest.raises(StopIteration):
            jobs.make_checkpoints()
    assert len(ends()) == len(before) + 2
    require_sound()
    assert len(log.changed()) == changed - 2 * BATCH
    newest = checkpoints.newest()
    assert newest is not None
    frozen_time(newest.at + DAY)
    jobs.make_checkpoints()
    assert log.changed() == []
    require_sound()


def test_another_worker_that_logged_the_same_chains_leaves_nothing_to_sign(changed: int) -> None:
    some = log.changed()[:BATCH]
    checkpoints.make(some)
    db.session.commit()
    new_ends = ends()
    assert checkpoints.make(some) == checkpoints.newest()
    db.session.commit()
    assert ends() == new_ends


def test_a_worker_that_finds_a_checkpoint_due_makes_none_if_another_was_faster(
    session: Session, changed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = one_by_one.reading
    new_ends: list[list[tuple[int, int]]] = []

    def look_too_late(ask: Callable[[], object]) -> object:
        seen = look(ask)
        with monkeypatch.context() as another_worker:
            another_worker.setattr(jobs, "reading", look)
            assert jobs.make_checkpoints()
        record_everywhere(session)
        new_ends.append(ends())
        return seen

    monkeypatch.setattr(jobs, "reading", look_too_late)
    assert jobs.make_checkpoints() == 0
    assert new_ends == [ends()]
    require_sound()


def test_a_damaged_log_holds_nothing_else_up_and_mails_nothing(
    changed: int, monkeypatch: pytest.MonkeyPatch, log_lines: Lines
) -> None:
    before = db.session.scalar(sa.select(sa.func.count(Anchor.id)))

    def damaged(_some: object) -> int:
        raise LogError("The log is damaged")

    monkeypatch.setattr(log, "grow", damaged)
    jobs.checkpoint_and_mail()
    (line,) = log_lines
    assert (line["message"], line["why"]) == ("no checkpoint", "The log is damaged")
    assert db.session.scalar(sa.select(sa.func.count(Anchor.id))) == before


def test_checkpoints_are_mailed_with_a_new_one_and_once_a_day_but_not_each_minute(
    changed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    days: list[int] = []
    find = anchors.due

    def due() -> list[anchors.DueAnchor]:
        due_now = find()
        days.append(len(due_now))
        return due_now

    monkeypatch.setattr(anchors, "due", due)
    jobs.checkpoint_and_mail()
    jobs.checkpoint_and_mail()
    assert len(days) == 1
    assert days[0] > 0
    jobs.mail_checkpoint()
    assert days[1:] == [0]
    assert list(failures.known()) == []


def test_an_audit_misses_a_checkpoint_where_the_log_went_on_without_one(changed: int) -> None:
    log.grow(log.changed()[:1])
    db.session.commit()
    assert integrity.check_all().finding is not None
