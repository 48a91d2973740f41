"""Texts in force that name people who can't act: who can put it right has a task, all are told."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import due
from tests.factories.demonstration import Demonstration
from tests.factories.visits import Scene
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
def scene(session: Session, demonstration: Demonstration) -> Scene:
    return Scene(session, demonstration)


def suspend(scene: Scene, key: str) -> None:
    accounts.suspend(scene.actor("iris"), scene.user(key), reason="Lost the telephone.")
    recompute()


def misnamed(scene: Scene) -> dict[str, str]:
    recompute()
    return {
        kind.value: text.misnamed_items
        for kind in (TERMS, ChecklistKind.CONFIDENTIALITY)
        if (text := scene.checklist(kind, None)).misnamed_items
    }


def labels(actor: Actor) -> list[str]:
    tasks = (task for task in checklist_tasks(actor).mine if isinstance(task, Task))
    return [str(task.label) for task in tasks if "somebody else" in str(task.label)]


def test_signed_texts_say_which_items_name_somebody_who_cannot_act(
    app: Flask, scene: Scene
) -> None:
    assert misnamed(scene) == {}
    suspend(scene, "joana")
    # Contact persons; not whoever signed, read for the NPM or was proposed (M1, M5, M17).
    assert misnamed(scene) == {"terms": "M7 M15"}
    with app.test_request_context():
        assert labels(scene.actor("ilena")) == ["Name somebody else in the agreed terms"]
        assert labels(scene.actor("samira")) == ["Name somebody else in the agreed terms"]
        # Not a coordinator.
        assert labels(scene.actor("leyla")) == []
    terms = scene.checklist(TERMS, None)
    assert recheck.recheck(terms.cooperation_id) == []
    accounts.restore(scene.actor("iris"), scene.user("joana"))
    assert misnamed(scene) == {}


def test_whom_a_party_that_left_named_for_itself_nobody_has_to_replace(
    scene: Scene, frozen_time: Clock
) -> None:
    """The page about its departure lists where texts still name it (product.md, 5.8)."""
    cooperation = scene.cooperation
    leaves_on = departures.earliest(cooperation)
    departures.give_notice(scene.actor("otto"), cooperation, reason="Our board has other plans.")
    scene.session.commit()
    frozen_time(clock.now() + (leaves_on - clock.today()))
    assert due.leave_due(clock.today()) == 1
    assert misnamed(scene) == {}
    # Of a party that stays, somebody else has to be named as before.
    suspend(scene, "samira")
    assert misnamed(scene) == {"terms": "M7 M15"}
    assert recheck.recheck(cooperation.id) == []


def test_what_a_text_in_force_misnames_counts_until_the_amendment_is_signed(scene: Scene) -> None:
    suspend(scene, "otto")
    assert misnamed(scene) == {}
    suspend(scene, "joana")
    terms = scene.checklist(TERMS, None)
    agreements.amend(scene.actor("ilena"), terms, items=["M7", "M15"], reason="Somebody else.")
    assert misnamed(scene) == {"terms": "M7 M15"}
    accounts.restore(scene.actor("iris"), scene.user("joana"))
    amendments.call_off(scene.actor("ilena"), scene.checklist(TERMS, None), reason="She is back.")
    assert misnamed(scene) == {}


def test_page_and_record_of_the_text_name_what_has_to_be_amended(app: Flask, scene: Scene) -> None:
    suspend(scene, "joana")
    scene.session.commit()
    client = scene.demonstration.browser(app, "ilena")
    page = client.page(f"/cooperations/{scene.reference}").text
    assert "Name somebody else in the agreed terms" in page
    record = client.page(f"/checklists/{scene.checklist(TERMS, None).id}/record").text
    assert "Somebody named here can't act any more." in record
    assert "M7" in record
