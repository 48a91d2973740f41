"""Texts in force that name people who can't act: who can put it right has a task, all are told."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import due
from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit
from tests.integration.agreements.conftest import Clock
from tracker.access.actor import Actor
from tracker.accounts.people import service as accounts
from tracker.activity.stale import recompute
from tracker.agreements import amendments, departures
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.core import clock
from tracker.dashboard.my_work import checklist_tasks
from tracker.ui.tasks import Task
from tracker.worker import recheck

TERMS = ChecklistKind.TERMS


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


def suspend(joint_visit: JointVisit, key: str) -> None:
    accounts.suspend(joint_visit.actor("iris"), joint_visit.user(key), reason="Lost the telephone.")
    recompute()


def misnamed(joint_visit: JointVisit) -> dict[str, str]:
    recompute()
    return {
        kind.value: text.misnamed_items
        for kind in (TERMS, ChecklistKind.CONFIDENTIALITY)
        if (text := joint_visit.checklist(kind, None)).misnamed_items
    }


def labels(actor: Actor) -> list[str]:
    tasks = (task for task in checklist_tasks(actor).mine if isinstance(task, Task))
    return [str(task.label) for task in tasks if "somebody else" in str(task.label)]


def test_signed_texts_say_which_items_name_somebody_who_cannot_act(
    app: Flask, joint_visit: JointVisit
) -> None:
    assert misnamed(joint_visit) == {}
    suspend(joint_visit, "joana")
    # Contact persons; not whoever signed, read for the NPM or was proposed (M1, M5, M17).
    assert misnamed(joint_visit) == {"terms": "M7 M15"}
    with app.test_request_context():
        assert labels(joint_visit.actor("ilena")) == ["Name somebody else in the agreed terms"]
        assert labels(joint_visit.actor("samira")) == ["Name somebody else in the agreed terms"]
        # Not a coordinator.
        assert labels(joint_visit.actor("leyla")) == []
    terms = joint_visit.checklist(TERMS, None)
    assert recheck.recheck(terms.cooperation_id) == []
    accounts.restore(joint_visit.actor("iris"), joint_visit.user("joana"))
    assert misnamed(joint_visit) == {}


def test_whom_a_party_that_left_named_for_itself_nobody_has_to_replace(
    joint_visit: JointVisit, frozen_time: Clock
) -> None:
    """The page about its departure lists where texts still name it (product.md, 5.8)."""
    cooperation = joint_visit.cooperation
    leaves_on = departures.earliest(cooperation)
    departures.give_notice(
        joint_visit.actor("otto"), cooperation, reason="Our board has other plans."
    )
    joint_visit.session.commit()
    frozen_time(clock.now() + (leaves_on - clock.today()))
    assert due.leave_due(clock.today()) == 1
    assert misnamed(joint_visit) == {}
    # Of a party that stays, somebody else has to be named as before.
    suspend(joint_visit, "samira")
    assert misnamed(joint_visit) == {"terms": "M7 M15"}
    assert recheck.recheck(cooperation.id) == []


def test_what_a_text_in_force_misnames_counts_until_the_amendment_is_signed(
    joint_visit: JointVisit,
) -> None:
    suspend(joint_visit, "otto")
    assert misnamed(joint_visit) == {}
    suspend(joint_visit, "joana")
    terms = joint_visit.checklist(TERMS, None)
    agreements.amend(
        joint_visit.actor("ilena"), terms, items=["M7", "M15"], reason="Somebody else."
    )
    assert misnamed(joint_visit) == {"terms": "M7 M15"}
    accounts.restore(joint_visit.actor("iris"), joint_visit.user("joana"))
    amendments.call_off(
        joint_visit.actor("ilena"), joint_visit.checklist(TERMS, None), reason="She is back."
    )
    assert misnamed(joint_visit) == {}


def test_page_and_record_of_the_text_name_what_has_to_be_amended(
    app: Flask, joint_visit: JointVisit
) -> None:
    suspend(joint_visit, "joana")
    joint_visit.session.commit()
    client = joint_visit.demonstration.browser(app, "ilena")
    page = client.page(f"/cooperations/{joint_visit.reference}").text
    assert "Name somebody else in the agreed terms" in page
    record = client.page(f"/checklists/{joint_visit.checklist(TERMS, None).id}/record").text
    assert "Somebody named here can't act any more." in record
    assert "M7" in record
