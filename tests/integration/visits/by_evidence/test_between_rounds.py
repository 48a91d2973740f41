"""From the day of a notice on no visit is planned or ready, also before the worker applies it."""

import datetime as dt
from collections.abc import Callable

import pytest

from tests import due
from tests.factories.visits import Scene, planned
from tracker.agreements import notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import NoticeKind
from tracker.core import clock
from tracker.core.errors import RefusedError
from tracker.oversight import queries as register
from tracker.oversight.facts import Question
from tracker.visits import queries, readiness, service
from tracker.visits.encryption import plan_of
from tracker.visits.facts import RequirementKind

Clock = Callable[[dt.datetime], None]
MISSING = {
    ChecklistKind.TERMS: RequirementKind.NOT_ACTIVE,
    ChecklistKind.CONFIDENTIALITY: RequirementKind.CONFIDENTIALITY,
}


@pytest.mark.parametrize("kind", list(MISSING))
@pytest.mark.parametrize("what", list(NoticeKind))
def test_a_text_that_a_notice_stopped_makes_no_visit_ready_before_the_worker_acts(
    scene: Scene, frozen_time: Clock, kind: ChecklistKind, what: NoticeKind
) -> None:
    text = scene.checklist(kind, None)
    day = max(notices.earliest(text, what), clock.today() + dt.timedelta(days=1))
    notices.give_notice(scene.actor("otto"), text, what, reason="A leak.", from_on=day)
    scene.session.commit()
    assert readiness.judge(scene.visit()).requirements == ()
    assert shown_as_ready(scene) == {True}
    frozen_time(clock.now() + (day - clock.today()))
    assert MISSING[kind] in missing_kinds(scene)
    # Once its days have passed, a visit stays as it was.
    was_over = plan_of(scene.visit()).is_over(day)
    assert shown_as_ready(scene) == {was_over}
    for visit in queries.prepared():
        service.settle(visit)
    assert scene.visit().is_ready is was_over
    assert shown_as_ready(scene) == {was_over}
    if kind is ChecklistKind.TERMS:
        with pytest.raises(RefusedError):
            planned(scene)
    scene.session.commit()
    due.carry_out_due(clock.today())
    assert MISSING[kind] in missing_kinds(scene)


def shown_as_ready(scene: Scene) -> set[bool]:
    """Return whether the list of visits and the register, also an auditor's, say it is ready."""
    (line,) = queries.lines(scene.actor("ilena"), [scene.cooperation.id])
    registers = [
        register.lines(scene.actor(key), Question(), limit=50) for key in ("milan", "greta")
    ]
    marks = [
        row.visit.is_ready
        for rows in registers
        for row in rows
        if row.visit is not None and row.cooperation_id == scene.cooperation.id
    ]
    assert marks
    return {line.is_ready, *marks}


def missing_kinds(scene: Scene) -> set[RequirementKind]:
    return {requirement.kind for requirement in readiness.judge(scene.visit()).requirements}
