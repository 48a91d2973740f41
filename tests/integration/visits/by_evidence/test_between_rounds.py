"""From the day of a notice on no visit is planned or ready, also before the worker applies it."""

import datetime as dt
from collections.abc import Callable

import pytest

from tests import due
from tests.factories.visits import JointVisit, planned
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
    joint_visit: JointVisit, frozen_time: Clock, kind: ChecklistKind, what: NoticeKind
) -> None:
    text = joint_visit.checklist(kind, None)
    day = max(notices.earliest(text, what), clock.today() + dt.timedelta(days=1))
    notices.give_notice(joint_visit.actor("otto"), text, what, reason="A leak.", from_on=day)
    joint_visit.session.commit()
    assert readiness.judge(joint_visit.visit()).requirements == ()
    assert shown_as_ready(joint_visit) == {True}
    frozen_time(clock.now() + (day - clock.today()))
    assert MISSING[kind] in missing_kinds(joint_visit)
    # Once its days have passed, a visit stays as it was.
    was_over = plan_of(joint_visit.visit()).is_over(day)
    assert shown_as_ready(joint_visit) == {was_over}
    for visit in queries.prepared():
        service.settle(visit)
    assert joint_visit.visit().is_ready is was_over
    assert shown_as_ready(joint_visit) == {was_over}
    if kind is ChecklistKind.TERMS:
        with pytest.raises(RefusedError):
            planned(joint_visit)
    joint_visit.session.commit()
    due.carry_out_due(clock.today())
    assert MISSING[kind] in missing_kinds(joint_visit)


def shown_as_ready(joint_visit: JointVisit) -> set[bool]:
    """Return whether the list of visits and the register, also an auditor's, say it is ready."""
    (line,) = queries.lines(joint_visit.actor("ilena"), [joint_visit.cooperation.id])
    registers = [
        register.lines(joint_visit.actor(key), Question(), limit=50) for key in ("milan", "greta")
    ]
    marks = [
        row.visit.is_ready
        for rows in registers
        for row in rows
        if row.visit is not None and row.cooperation_id == joint_visit.cooperation.id
    ]
    assert marks
    return {line.is_ready, *marks}


def missing_kinds(joint_visit: JointVisit) -> set[RequirementKind]:
    return {requirement.kind for requirement in readiness.judge(joint_visit.visit()).requirements}
