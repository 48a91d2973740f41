"""What people were still to do in a cooperation ends with it: visits, amendments, tasks, drafts."""

import datetime as dt
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from tests.factories.comments import comment
from tests.factories.cooperations import signed_in
from tests.factories.visits import JointVisit
from tests.starting_points import noon_in
from tracker.accounts.models import User
from tracker.activity.stale import recompute
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import drafts, loading
from tracker.checklists.drafts import DraftKey
from tracker.checklists.models import Checklist, ChecklistState, DraftKind
from tracker.checklists.negotiation import positions
from tracker.comments import service as comments
from tracker.cooperations.models import Stage
from tracker.core import clock
from tracker.core.errors import RefusedError
from tracker.dashboard import tasks
from tracker.ui.tasks import written_out
from tracker.visits import service
from tracker.visits.encryption import Plan, plan_of
from tracker.visits.models import VisitStage
from tracker.worker import recheck

DAY = dt.timedelta(days=1)
PEOPLE = ("ilena", "pavo", "tomas", "joana", "leyla", "nadia", "samira")
CLOSED = "This cooperation is closed"
STOPPED = "The visit was stopped. The cooperation ended."
ITEM = "C16"


def tasks_of(app: Flask, joint_visit: JointVisit, key: str, url: str) -> list[str]:
    """Return the labels of a person's tasks whose address contains some words."""
    with app.test_request_context():
        work = tasks.of_person(joint_visit.actor(key))
        shown = written_out((*work.mine, *work.others))
        return [str(task.label) for task in shown if url in task.url]


def page(app: Flask, joint_visit: JointVisit, key: str, address: str) -> str:
    return (
        signed_in(app, joint_visit.session.get_one(User, joint_visit.user(key))).page(address).text
    )


def being_amended(joint_visit: JointVisit) -> Checklist:
    """Open one item of the terms on confidentiality, and answer it differently."""
    text = joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None)
    agreements.amend(joint_visit.actor("ilena"), text, reason="Another address.", items=[ITEM])
    joint_visit.session.commit()
    return text


def answered(text: Checklist) -> object:
    sheet = loading.load(text).sheet
    answer = sheet.answers.get((ITEM, AnswerScope.SHARED, text.id))
    return None if answer is None else dict(answer.values)


def answer_differently(joint_visit: JointVisit, text: Checklist) -> None:
    current = loading.load(text).sheet.answers[(ITEM, AnswerScope.SHARED, text.id)]
    proposal = positions.propose(
        joint_visit.actor("joana"),
        text,
        ITEM,
        dict(current.values) | {"first_steps": "Ring the other office."},
        answer_id=current.answer_id,
        reason="It moved.",
    )
    positions.accept_proposal(joint_visit.actor("ilena"), text, proposal.id)
    joint_visit.session.commit()


def test_visits_being_prepared_are_stopped_when_the_cooperation_ends(
    app: Flask, joint_visit: JointVisit, end_cooperation: Callable[[], None]
) -> None:
    end_cooperation()
    visit = joint_visit.visit()
    assert (visit.stage, visit.is_ready) == (VisitStage.STOPPED, False)
    ((_, details),) = joint_visit.events("visit_stopped")
    assert (details["number"], details["reason"]) == (visit.number, "")
    addresses = f"/cooperations/{joint_visit.reference}/visits/"
    assert [tasks_of(app, joint_visit, key, addresses) for key in PEOPLE] == [[] for _ in PEOPLE]
    address = f"{addresses}{visit.number}"
    assert STOPPED in page(app, joint_visit, "ilena", address)
    assert "Reason: The cooperation ended." in page(app, joint_visit, "ilena", f"{address}/ready")
    assert "Make a joint visit ready" not in page(
        app, joint_visit, "ilena", f"/cooperations/{joint_visit.reference}"
    )
    history = page(app, joint_visit, "ilena", f"/cooperations/{joint_visit.reference}/history")
    assert f"Joint visit {visit.number} was stopped because the cooperation ended." in history
    assert recheck.recheck(joint_visit.cooperation.id) == []


def test_a_visit_that_has_taken_place_stays_as_it_was_and_is_not_moved(
    joint_visit: JointVisit,
    end_cooperation: Callable[[], None],
    frozen_time: Callable[[datetime | None], None],
) -> None:
    visit, plan = joint_visit.visit(), plan_of(joint_visit.visit())
    frozen_time(noon_in((plan.ends_on - clock.today()).days + 1))
    stage = visit.stage
    end_cooperation()
    assert joint_visit.cooperation.stage is Stage.CLOSED
    assert visit.stage is stage
    later = Plan("Elsewhere prison", clock.today() + DAY, clock.today() + DAY)
    with pytest.raises(RefusedError, match=CLOSED):
        service.change_plan(joint_visit.actor("pavo"), visit, version=visit.version, plan=later)


def test_a_visit_left_in_a_cooperation_that_ended_earlier_is_stopped_by_the_daily_run(
    joint_visit: JointVisit, end_cooperation: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an older version left it: the cooperation ended, and nobody looked at its visits."""
    with monkeypatch.context() as older:
        older.setattr(service, "settle", lambda _visit: False)
        end_cooperation()
    assert joint_visit.visit().stage is not VisitStage.STOPPED
    for visit_id in service.prepared_ids():
        service.recheck(visit_id)
    recompute()
    assert joint_visit.visit().stage is VisitStage.STOPPED


def test_tasks_and_drafts_end_with_the_cooperation(
    app: Flask, joint_visit: JointVisit, end_cooperation: Callable[[], None]
) -> None:
    ilena, joana = joint_visit.actor("ilena"), joint_visit.actor("joana")
    text = being_amended(joint_visit)
    due_on = clock.today() + 3 * DAY
    given = comments.make_task(ilena, comment(ilena, text, ITEM).id, joana.user_id, due_on)
    assert joana.organisation_id is not None
    whose = DraftKey(joana.user_id, joana.organisation_id, ITEM, DraftKind.SHARED)
    drafts.keep(text, whose, {"first_steps": ["Begun."]}, base_version=0, number=1)
    joint_visit.session.commit()
    about = f"/checklists/{text.id}"
    assert len(tasks_of(app, joint_visit, "joana", about)) > 1
    end_cooperation()
    assert tasks_of(app, joint_visit, "joana", about) == []
    assert tasks_of(app, joint_visit, "ilena", about) == []
    assert not comments.remind_of_task(given.id, due_on)


def test_an_open_amendment_is_called_off_with_the_cooperation(
    app: Flask, joint_visit: JointVisit, end_cooperation: Callable[[], None]
) -> None:
    text = being_amended(joint_visit)
    signed = answered(text)
    answer_differently(joint_visit, text)
    assert answered(text) != signed
    end_cooperation()
    assert (text.state, text.open_items) == (ChecklistState.IN_FORCE, None)
    assert answered(text) == signed
    ((_, details),) = joint_visit.events("amendment_called_off")
    assert details["items"] == [ITEM]
    assert details["reason"] == "The project is over."
    for address in ("", "/record"):
        shown = page(app, joint_visit, "ilena", f"/checklists/{text.id}{address}")
        assert "An amendment is being drafted" not in shown
    assert recheck.recheck(joint_visit.cooperation.id) == []
