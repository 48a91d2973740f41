"""What the history reveals about a visit: people who may know of it see more than others."""

import datetime as dt
from collections.abc import Callable

import pytest

from tests.factories.visits import Scene, planned
from tests.starting_points import noon_in
from tracker.activity import queries as trail
from tracker.activity import verbs
from tracker.activity.queries import HistoryLine
from tracker.activity.service import record
from tracker.agreements import notices, party_changes
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import NoticeKind
from tracker.demo import checklists as demo_checklists
from tracker.undertakings import service as undertakings
from tracker.visits import service

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(2)]

# What follows from an act of somebody on the team, and when the team leaves.
DERIVED = {
    "visit_stage_changed",
    "visit_became_ready",
    "visit_lost_readiness",
    "team_changed",
    "audience_changed",
}


def read_by(scene: Scene, key: str) -> list[str]:
    lines = trail.history(scene.cooperation.id, reader=scene.actor(key), limit=1000)[1]
    return [line.verb for line in lines]


@pytest.mark.parametrize("key", ["greta", "milan", "nadia", "dina"])
def test_nobody_outside_the_audience_reads_what_a_persons_withdrawal_did_to_a_visit(
    scene: Scene, key: str
) -> None:
    """Right after a named closing it would reveal that this person is on the visit's team."""
    undertakings.withdraw(scene.actor("leyla"), scene.undertaking("leyla").id)
    scene.visit()
    everything = [line.verb for line in trail.history(scene.cooperation.id, limit=1000)[1]]
    assert "visit_lost_readiness" in everything
    outside = read_by(scene, key)
    assert "visit_planned" in outside
    assert not DERIVED & set(outside)
    if key in {"greta", "milan"}:
        assert "undertaking_closed" in outside
    assert set(read_by(scene, "pavo")) >= DERIVED


def test_of_a_visit_they_are_not_listed_for_people_read_no_more_than_others(
    scene: Scene,
) -> None:
    first = read_by(scene, "samira").count("team_changed")
    planned(scene, audience=("leyla",))
    assert first > 0
    assert read_by(scene, "samira").count("team_changed") == first
    assert read_by(scene, "leyla").count("team_changed") > first


FrozenTime = Callable[[dt.datetime | None], None]


def send_another_text(scene: Scene) -> None:
    """Let an amendment of the roles wait for signatures."""
    roles = scene.checklist(ChecklistKind.VISIT_ROLES)
    agreements.amend(scene.actor("ilena"), roles, reason="Another lead.", items=["V6"])
    demo_checklists.send(scene.cast, roles)


def stop_the_visit(scene: Scene) -> None:
    service.stop(scene.actor("pavo"), scene.visit(), reason="The lead is ill.")


def end_the_terms(scene: Scene) -> None:
    terms = scene.checklist(ChecklistKind.TERMS, None)
    notices.give_notice(scene.actor("otto"), terms, NoticeKind.ENDED, reason="They filmed there.")


def remove_a_party(scene: Scene) -> None:
    otto = scene.actor("otto")
    assert otto.organisation_id is not None
    party_changes.take_out(otto, scene.cooperation.id, otto.organisation_id, "They left.")


def last_call_back(scene: Scene) -> HistoryLine:
    lines = trail.history(scene.cooperation.id, reader=scene.actor("greta"), limit=100)[1]
    return next(line for line in lines if line.verb == "signature_request_withdrawn")


@pytest.mark.parametrize("act", [stop_the_visit, end_the_terms, remove_a_party])
def test_nobody_is_named_for_a_visits_text_that_comes_back_because_of_another_act(
    scene: Scene, frozen_time: FrozenTime, act: Callable[[Scene], None]
) -> None:
    """Whoever stops a visit may know of it; whoever ends the terms may never have heard of it."""
    frozen_time(noon_in(5))
    send_another_text(scene)
    if act is end_the_terms:  # terms that have run out end at once
        assert scene.cooperation.ends_on is not None
        after = scene.cooperation.ends_on + dt.timedelta(days=2)
        frozen_time(dt.datetime.combine(after, dt.time(12), dt.UTC))
    act(scene)
    line = last_call_back(scene)
    assert (line.who, line.acting_for, line.is_veiled) == (None, None, False)
    assert line.details["kind"] == "visit_roles"


def test_history_names_nobody_who_stopped_a_visit_by_the_text_that_came_back(
    scene: Scene,
) -> None:
    """Earlier versions recorded that whoever stopped the visit called back its texts."""
    stop_the_visit(scene)
    record(
        verbs.SIGNATURE_REQUEST_WITHDRAWN,
        actor=scene.actor("pavo"),
        subject_type="checklist",
        subject_id=scene.checklist(ChecklistKind.VISIT_ROLES).id,
        cooperation_id=scene.cooperation.id,
        kind="visit_roles",
        revision=2,
        reason="",
    )
    line = last_call_back(scene)
    assert (line.who, line.is_veiled) == (None, True)


def test_whoever_calls_back_a_visits_text_is_named(scene: Scene, frozen_time: FrozenTime) -> None:
    frozen_time(noon_in(5))
    send_another_text(scene)
    roles = scene.checklist(ChecklistKind.VISIT_ROLES)
    agreements.call_back(scene.actor("ilena"), roles, reason="A name is missing.")
    assert last_call_back(scene).who == scene.actor("ilena").name
