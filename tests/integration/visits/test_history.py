"""What the history reveals about a visit: people who may know of it see more than others."""

import datetime as dt
from collections.abc import Callable

import pytest

from tests.factories.visits import JointVisit, planned
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


def read_by(joint_visit: JointVisit, key: str) -> list[str]:
    lines = trail.history(joint_visit.cooperation.id, reader=joint_visit.actor(key), limit=1000)[1]
    return [line.verb for line in lines]


@pytest.mark.parametrize("key", ["greta", "milan", "nadia", "dina"])
def test_nobody_outside_the_audience_reads_what_a_persons_withdrawal_did_to_a_visit(
    joint_visit: JointVisit, key: str
) -> None:
    """Right after a named closing it would reveal that this person is on the visit's team."""
    undertakings.withdraw(joint_visit.actor("leyla"), joint_visit.undertaking("leyla").id)
    joint_visit.visit()
    everything = [line.verb for line in trail.history(joint_visit.cooperation.id, limit=1000)[1]]
    assert "visit_lost_readiness" in everything
    outside = read_by(joint_visit, key)
    assert "visit_planned" in outside
    assert not DERIVED & set(outside)
    if key in {"greta", "milan"}:
        assert "undertaking_closed" in outside
    assert set(read_by(joint_visit, "pavo")) >= DERIVED


def test_of_a_visit_they_are_not_listed_for_people_read_no_more_than_others(
    joint_visit: JointVisit,
) -> None:
    first = read_by(joint_visit, "samira").count("team_changed")
    planned(joint_visit, audience=("leyla",))
    assert first > 0
    assert read_by(joint_visit, "samira").count("team_changed") == first
    assert read_by(joint_visit, "leyla").count("team_changed") > first


FrozenTime = Callable[[dt.datetime | None], None]


def send_another_text(joint_visit: JointVisit) -> None:
    """Let an amendment of the roles wait for signatures."""
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    agreements.amend(joint_visit.actor("ilena"), roles, reason="Another lead.", items=["V6"])
    demo_checklists.send(joint_visit.demo_people, roles)


def stop_the_visit(joint_visit: JointVisit) -> None:
    service.stop(joint_visit.actor("pavo"), joint_visit.visit(), reason="The lead is ill.")


def end_the_terms(joint_visit: JointVisit) -> None:
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    notices.give_notice(
        joint_visit.actor("otto"), terms, NoticeKind.ENDED, reason="They filmed there."
    )


def remove_a_party(joint_visit: JointVisit) -> None:
    otto = joint_visit.actor("otto")
    assert otto.organisation_id is not None
    party_changes.take_out(otto, joint_visit.cooperation.id, otto.organisation_id, "They left.")


def last_call_back(joint_visit: JointVisit) -> HistoryLine:
    lines = trail.history(joint_visit.cooperation.id, reader=joint_visit.actor("greta"), limit=100)[
        1
    ]
    return next(line for line in lines if line.verb == "signature_request_withdrawn")


@pytest.mark.parametrize("act", [stop_the_visit, end_the_terms, remove_a_party])
def test_nobody_is_named_for_a_visits_text_that_comes_back_because_of_another_act(
    joint_visit: JointVisit, frozen_time: FrozenTime, act: Callable[[JointVisit], None]
) -> None:
    """Whoever stops a visit may know of it; whoever ends the terms may never have heard of it."""
    frozen_time(noon_in(5))
    send_another_text(joint_visit)
    if act is end_the_terms:  # terms that have run out end at once
        assert joint_visit.cooperation.ends_on is not None
        after = joint_visit.cooperation.ends_on + dt.timedelta(days=2)
        frozen_time(dt.datetime.combine(after, dt.time(12), dt.UTC))
    act(joint_visit)
    line = last_call_back(joint_visit)
    assert (line.who, line.acting_for, line.is_veiled) == (None, None, False)
    assert line.details["kind"] == "visit_roles"


def test_history_names_nobody_who_stopped_a_visit_by_the_text_that_came_back(
    joint_visit: JointVisit,
) -> None:
    """Earlier versions recorded that whoever stopped the visit called back its texts."""
    stop_the_visit(joint_visit)
    record(
        verbs.SIGNATURE_REQUEST_WITHDRAWN,
        actor=joint_visit.actor("pavo"),
        subject_type="checklist",
        subject_id=joint_visit.checklist(ChecklistKind.VISIT_ROLES).id,
        cooperation_id=joint_visit.cooperation.id,
        kind="visit_roles",
        revision=2,
        reason="",
    )
    line = last_call_back(joint_visit)
    assert (line.who, line.is_veiled) == (None, True)


def test_whoever_calls_back_a_visits_text_is_named(
    joint_visit: JointVisit, frozen_time: FrozenTime
) -> None:
    frozen_time(noon_in(5))
    send_another_text(joint_visit)
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    agreements.call_back(joint_visit.actor("ilena"), roles, reason="A name is missing.")
    assert last_call_back(joint_visit).who == joint_visit.actor("ilena").name
