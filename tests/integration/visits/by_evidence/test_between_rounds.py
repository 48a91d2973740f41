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
    frozen_time(clock.now() + (day - clock.today()))
    assert MISSING[kind] in missing_kinds(scene)
    for visit in queries.prepared():
        service.settle(visit)
    # Once its days have passed, a visit stays as it was.
    assert scene.visit().is_ready is plan_of(scene.visit()).is_over(day)
    if kind is ChecklistKind.TERMS:
        with pytest.raises(RefusedError):
            planned(scene)
    scene.session.commit()
    due.carry_out_due(clock.today())
    assert MISSING[kind] in missing_kinds(scene)


def missing_kinds(scene: Scene) -> set[RequirementKind]:
    return {requirement.kind for requirement in readiness.judge(scene.visit()).requirements}
