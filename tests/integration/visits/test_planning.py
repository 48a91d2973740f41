"""Planning a visit: who may and when, what it writes, what it refuses."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.factories.visits import PLACE, JointVisit, days, planned, team_plan
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.loading import load
from tracker.checklists.queries import VISIT
from tracker.cooperations import audiences
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.visits import queries, service
from tracker.visits.encryption import Plan, plan_of
from tracker.visits.models import Visit, VisitStage
from tracker.visits.service import AudienceEntry, Member

ROLES, URGENT_PLAN = ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN
ONE_DAY = dt.timedelta(days=1)


@pytest.mark.both_databases
def test_planning_saves_place_and_dates_for_the_people_who_may_know(
    joint_visit: JointVisit,
) -> None:
    visit = planned(joint_visit)
    assert (visit.number, visit.stage, visit.is_ready) == (2, VisitStage.PLANNED, False)
    assert plan_of(visit) == days()
    assert visit.planned_by_id == joint_visit.user("ilena")


def test_the_roles_say_once_and_for_all_what_was_planned(joint_visit: JointVisit) -> None:
    planned(joint_visit, gaps="No physician.")
    sheet = load(joint_visit.checklist(ROLES, 2)).sheet
    assert sheet.value("V1", "kind") == "thematic"
    assert sheet.value("V1", "place_type") == "police"
    assert sheet.value("V2", "announced") == "unannounced"
    assert sheet.value("V3", "lead") == str(joint_visit.user("pavo"))
    assert sheet.value("V3", "deputy") == str(joint_visit.user("ruth"))
    assert sheet.value("V4", "gaps") == "No physician."
    team = {row["person"]: row for row in sheet.value("V4", "team")}
    assert team.keys() == {str(joint_visit.user(key)) for key in ("pavo", "ruth", "leyla", "marek")}
    assert team[str(joint_visit.user("leyla"))]["organisation"] == str(joint_visit.body("lh"))
    assert team[str(joint_visit.user("leyla"))]["skill"] == "Interviews"


def test_planner_lead_and_deputy_always_know(joint_visit: JointVisit) -> None:
    visit = planned(joint_visit, audience=("leyla",))
    rows = {row.user_id: row for row in audiences.audience(VISIT, visit.id)}
    assert rows.keys() == {joint_visit.user(key) for key in ("ilena", "pavo", "ruth", "leyla")}
    assert [key for key, row in rows.items() if row.leads] == [joint_visit.user("pavo")]
    assert {row.from_on for row in rows.values()} == {clock.today()}


def test_lead_and_deputy_are_in_the_team(joint_visit: JointVisit) -> None:
    planned(joint_visit, members=("leyla",))
    assert joint_visit.members(2) == {"pavo", "ruth", "leyla"}


@pytest.mark.parametrize(
    ("members", "parties"),
    [
        ((), {"npm"}),
        (("marek",), {"npm"}),
        (("leyla",), {"npm", "lh"}),
        (("leyla", "samira"), {"npm", "lh", "od"}),
    ],
)
def test_roles_and_plan_are_agreed_by_the_npm_and_each_cso_in_the_team(
    joint_visit: JointVisit, members: tuple[str, ...], parties: set[str]
) -> None:
    planned(joint_visit, members=members, audience=())
    for kind in (ROLES, URGENT_PLAN):
        loaded = load(joint_visit.checklist(kind, 2))
        organisation_ids = {party.organisation_id for party in loaded.surroundings.parties}
        assert organisation_ids == {joint_visit.body(key) for key in parties}


@pytest.mark.both_databases
def test_the_trail_tells_that_a_visit_was_planned_and_its_number(joint_visit: JointVisit) -> None:
    before = len(joint_visit.events())
    planned(joint_visit)
    fresh = joint_visit.events()[before:]
    assert [verb for verb, _ in fresh][:3] == [
        "visit_planned",
        "checklist_started",
        "checklist_started",
    ]
    assert {verb for verb, _ in fresh} >= {"audience_changed", "team_changed", "answer_saved"}
    assert fresh[0][1]["number"] == 2
    assert ("visit_stage_changed", "J2") in [(v, c.get("after")) for v, c in fresh]


def test_the_facts_that_checklists_look_at_come_from_the_visit(joint_visit: JointVisit) -> None:
    visit = planned(joint_visit)
    facts = queries.facts([visit.id])[visit.id]
    assert facts.starts_on == days().starts_on
    assert facts.team == {joint_visit.user(key) for key in ("pavo", "ruth", "leyla", "marek")}


def test_undertakings_may_be_for_a_visit_that_is_prepared(joint_visit: JointVisit) -> None:
    visit = planned(joint_visit)
    both = {(visit.number, visit.id) for visit in queries.still_to_come(visit.cooperation_id)}
    assert both == {(1, joint_visit.visit(1).id), (2, visit.id)}
    service.stop(joint_visit.actor("ilena"), visit, reason="No longer needed.")
    assert [visit.number for visit in queries.still_to_come(visit.cooperation_id)] == [1]


# Who, and when


@pytest.mark.parametrize(
    "key",
    ["pavo", "tomas", "marek", "samira", "henrik", "joana", "celia", "greta", "iris", "vera"],
)
def test_nobody_but_a_coordinator_or_manager_of_the_npm_plans(
    joint_visit: JointVisit, key: str
) -> None:
    with pytest.raises(RefusedError):
        planned(joint_visit, by=key)


def test_a_manager_of_the_npm_plans_and_knows(joint_visit: JointVisit) -> None:
    visit = planned(joint_visit, by="milan")
    assert queries.find(joint_visit.actor("milan"), visit.cooperation_id, visit.number) is visit


def test_a_person_who_plans_a_visit_takes_part_in_it(joint_visit: JointVisit) -> None:
    cooperations.end_person(
        joint_visit.actor("ilena"),
        joint_visit.cooperation,
        user_id=joint_visit.user("milan"),
        organisation_id=joint_visit.body("npm"),
    )
    with pytest.raises(RefusedError):
        planned(joint_visit, by="milan")


def test_no_visit_without_a_mode_that_has_visits(joint_visit: JointVisit) -> None:
    cooperation = joint_visit.cooperation
    cooperations.set_modes(
        joint_visit.actor("ilena"),
        cooperation,
        version=cooperation.version,
        modes=(Mode.INFO_F,),
        questions={},
    )
    with pytest.raises(RefusedError):
        planned(joint_visit)


@pytest.mark.parametrize(
    ("waits", "why"),
    [
        (dt.timedelta(days=183), "The review is overdue."),
        (dt.timedelta(days=731), "The agreed terms have ended."),
    ],
)
def test_no_new_visit_while_a_review_is_overdue_or_the_term_has_ended(
    joint_visit: JointVisit,
    frozen_time: Callable[[dt.datetime], None],
    waits: dt.timedelta,
    why: str,
) -> None:
    joint_visit.withdraw_notice()
    plan = days()
    frozen_time(clock.now() + waits)
    with pytest.raises(RefusedError, match=why):
        planned(
            joint_visit,
            plan=replace(plan, starts_on=plan.starts_on + waits, ends_on=plan.ends_on + waits),
        )


@pytest.mark.parametrize("name", ["waiting", "differing", "declined"])
def test_no_visit_in_a_cooperation_that_is_not_active(joint_visit: JointVisit, name: str) -> None:
    joint_visit.demonstration = replace(
        joint_visit.demonstration,
        cooperations={
            **joint_visit.demonstration.cooperations,
            "complete": joint_visit.demonstration.cooperations[name],
        },
    )
    with pytest.raises(RefusedError):
        planned(joint_visit)


# Input


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (Plan("   ", dt.date(2190, 1, 2), dt.date(2190, 1, 3)), "place"),
        (Plan("x" * 201, dt.date(2190, 1, 2), dt.date(2190, 1, 3)), "place"),
        (Plan(PLACE, dt.date(2190, 1, 2), dt.date(2190, 1, 1)), "ends_on"),
        (Plan(PLACE, dt.date(2020, 1, 2), dt.date(2190, 1, 3)), "starts_on"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_beside_its_field(
    joint_visit: JointVisit, plan: Plan, field: str
) -> None:
    with pytest.raises(RuleBrokenError) as refused:
        planned(joint_visit, plan=plan)
    assert refused.value.field == field
    joint_visit.session.rollback()
    assert joint_visit.session.scalar(sa.select(sa.func.count(Visit.id))) == 1


@pytest.mark.parametrize(
    ("team", "field"),
    [
        ({"lead": "samira"}, "lead_id"),
        ({"lead": "marek"}, "lead_id"),
        ({"lead": "celia"}, "lead_id"),
        ({"deputy": "leyla"}, "deputy_id"),
        ({"deputy": "pavo"}, "deputy_id"),
        ({"members": ("celia",)}, "members"),
        ({"members": ("leyla", "leyla")}, "members"),
        ({"audience": ("vera",)}, "audience"),
        ({"audience": ("leyla", "leyla")}, "audience"),
    ],
)
def test_choosing_an_unsuitable_person_shows_an_error_beside_the_field(
    joint_visit: JointVisit, team: dict[str, Any], field: str
) -> None:
    with pytest.raises(RuleBrokenError) as refused:
        planned(joint_visit, **team)
    assert refused.value.field == field


def test_somebody_unknown_is_refused(joint_visit: JointVisit) -> None:
    for more in (
        {"lead_id": uuid4()},
        {"members": (Member(uuid4()),)},
        {"audience": (AudienceEntry(uuid4()),)},
    ):
        with pytest.raises(RuleBrokenError):
            service.plan_visit(
                joint_visit.actor("ilena"),
                joint_visit.cooperation,
                kind={},
                announced="unannounced",
                plan=days(),
                team_plan=replace(team_plan(joint_visit), **more),
            )


@pytest.mark.both_databases
def test_sending_the_same_form_twice_plans_one_visit(joint_visit: JointVisit) -> None:
    made_by_the_form = uuid4()
    first = planned(joint_visit, visit_id=made_by_the_form)
    events = len(joint_visit.events())
    second = planned(joint_visit, visit_id=made_by_the_form)
    assert (second.id, second.number) == (first.id, 2)
    assert len(joint_visit.events()) == events


@pytest.mark.both_databases
def test_the_id_of_a_visit_that_is_anothers_is_not_taken(joint_visit: JointVisit) -> None:
    theirs = planned(joint_visit, by="milan")
    own = planned(joint_visit, visit_id=theirs.id)
    assert own.id != theirs.id
    assert own.number == 3
