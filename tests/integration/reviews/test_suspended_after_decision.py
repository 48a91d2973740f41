"""What is left to do once the parties decided to end is there again after a suspension."""

from flask import Flask

from tests.factories.negotiations import Negotiation
from tests.integration.reviews.conftest import cooperation, hold
from tracker.activity.stale import recompute
from tracker.agreements import notices
from tracker.checklists.models import NoticeKind
from tracker.cooperations.models import Stage
from tracker.oversight import integrity
from tracker.reviews import pages
from tracker.reviews.models import Outcome
from tracker.ui.tasks import written_out
from tracker.worker import recheck


def suspended(negotiation: Negotiation) -> None:
    notices.give_notice(
        negotiation["tomas"], negotiation.checklist(), NoticeKind.SUSPENDED, reason="Unsafe."
    )
    recompute()
    negotiation.session.commit()


def lifted(negotiation: Negotiation) -> None:
    text = negotiation.checklist()
    notice = next(row for row in notices.open_notices(text) if row.kind is NoticeKind.SUSPENDED)
    notices.close_notice(negotiation["tomas"], text, notice.id, reason="Safe again.")
    recompute()
    negotiation.session.commit()


def tasks(negotiation: Negotiation, app: Flask, first: str) -> list[str]:
    with app.test_request_context():
        work = pages.my_tasks(negotiation[first])
        return [f"{task.label}: {task.state}" for task in written_out(work)]


def test_notice_of_the_end_is_a_task_again_once_a_suspension_is_lifted(
    active: Negotiation, app: Flask
) -> None:
    hold(active, outcome=Outcome.END, reason="The work is done.", next_on=None)
    assert cooperation(active).stage is Stage.UNDER_REVIEW
    before = {first: tasks(active, app, first) for first in ("tomas", "henrik", "ilena", "samira")}
    assert before["tomas"] == ["Give notice of the end: Waiting for you"]
    suspended(active)
    assert cooperation(active).stage is Stage.SUSPENDED
    lifted(active)
    assert cooperation(active).stage is Stage.UNDER_REVIEW
    assert {first: tasks(active, app, first) for first in before} == before
    assert recheck.recheck(active.cooperation.id) == []
    assert integrity.check_all().finding is None


def test_once_notice_was_given_a_lifted_suspension_leads_back_to_an_active_cooperation(
    active: Negotiation, app: Flask
) -> None:
    hold(active, outcome=Outcome.END, reason="The work is done.", next_on=None)
    notices.give_notice(active["tomas"], active.checklist(), NoticeKind.ENDED, reason="Decided.")
    recompute()
    active.session.commit()
    assert cooperation(active).stage is Stage.ACTIVE
    suspended(active)
    lifted(active)
    assert cooperation(active).stage is Stage.ACTIVE
    assert tasks(active, app, "tomas") == []
