"""A visit is ready only when all of J3 is met, and stops being ready when anything is lost.

In one file: each way to lose readiness, tested on the same ready visit.
"""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import due, starting_points
from tests.factories.checklists import decline_text, read_second
from tests.factories.evidence.tampering import SIGNATURES, Tampering, hands
from tests.factories.visits import TEAM, Scene, accept_role, confirm_plan, planned, team_plan
from tracker.access.actor import Role
from tracker.accounts.models import Membership, User
from tracker.accounts.people import service as accounts
from tracker.accounts.people.service import NewRole
from tracker.agreements import frozen_text, notices
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import obstacles
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, ChecklistState, NoticeKind, Stance
from tracker.checklists.negotiation import positions
from tracker.checklists.queries import VISIT
from tracker.cooperations import audiences, clearances
from tracker.cooperations import service as cooperations
from tracker.cooperations.agreed_ways import AgreedWays
from tracker.cooperations.models import (
    AudienceMember,
    Clearance,
    ClearanceEnd,
    Cooperation,
    CooperationPerson,
    Mode,
    Stage,
)
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.demo import checklists as demo_checklists
from tracker.demo.visit import SIGNERS
from tracker.undertakings import service as undertakings
from tracker.undertakings.models import Undertaking, UndertakingState
from tracker.visits import queries, readiness, service
from tracker.visits.encryption import Plan, plan_of
from tracker.visits.facts import RequirementKind, Signing
from tracker.visits.models import Visit, VisitStage
from tracker.visits.pages import before_a_notice
from tracker.worker import jobs

ROLES, URGENT_PLAN = ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN
ONE_DAY = dt.timedelta(days=1)


def missing_kinds(scene: Scene, number: int = 1) -> set[RequirementKind]:
    scene.session.flush()
    return {requirement.kind for requirement in readiness.judge(scene.visit(number)).requirements}


def judged_again(scene: Scene) -> int:
    """Judge all visits as the worker does; return how many changed."""
    return sum(service.settle(visit) for visit in queries.prepared())


def assert_ready(scene: Scene) -> None:
    visit = scene.visit()
    assert missing_kinds(scene) == set()
    assert (visit.is_ready, visit.stage) == (True, VisitStage.CLEARED)
    assert visit.ready_at is not None


def assert_lost(scene: Scene, *expected: RequirementKind, stage: VisitStage) -> None:
    visit = scene.visit()
    assert missing_kinds(scene) == set(expected)
    assert (visit.is_ready, visit.stage) == (False, stage)
    assert visit.ready_at is None
    assert len(scene.events("visit_lost_readiness")) == 1


def test_the_demonstrations_visit_is_ready(scene: Scene) -> None:
    assert_ready(scene)


def test_a_visit_is_ready_by_an_agreement_on_paper_that_names_no_ways_of_working(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = AgreedWays(None, on_visits=frozenset())
    monkeypatch.setattr(frozen_text, "ways_in", lambda _document: paper)
    assert_ready(scene)
    verbs = [verb for verb, _ in scene.events("visit_became_ready", "visit_lost_readiness")]
    assert verbs == ["visit_became_ready"]


# Lost because of people


def test_a_withdrawn_undertaking_makes_a_visit_not_ready(scene: Scene) -> None:
    undertakings.withdraw(scene.actor("samira"), scene.undertaking("samira").id)
    assert_lost(
        scene, RequirementKind.NOT_SIGNED, RequirementKind.NOT_BRIEFED, stage=VisitStage.PLANNED
    )


def test_a_clearance_that_the_npm_withdraws_makes_a_visit_not_ready(scene: Scene) -> None:
    undertakings.withdraw_clearance(
        scene.actor("tomas"), scene.undertaking("leyla").id, "A case came up."
    )
    assert_lost(
        scene, RequirementKind.NOT_SIGNED, RequirementKind.NOT_BRIEFED, stage=VisitStage.PLANNED
    )


def test_a_suspended_partner_makes_a_visit_not_ready(scene: Scene) -> None:
    user = scene.session.get_one(User, scene.user("samira"))
    accounts.suspend(scene.actor("iris"), user.id, reason="Lost the telephone.")
    assert RequirementKind.LEFT in missing_kinds(scene)
    assert not scene.visit().is_ready


def test_a_suspended_lead_makes_a_visit_not_ready_until_restored(scene: Scene) -> None:
    accounts.suspend(scene.actor("iris"), scene.user("pavo"), reason="Lost the telephone.")
    assert RequirementKind.LEFT in missing_kinds(scene)
    assert (scene.visit().is_ready, scene.visit().stage) == (False, VisitStage.PLANNED)
    accounts.restore(scene.actor("iris"), scene.user("pavo"))
    assert_ready(scene)


def test_somebody_suspended_is_on_no_list_of_a_visit_until_restored(scene: Scene) -> None:
    person = scene.user("samira")
    assert person in audiences.days(VISIT, scene.visit().id).first
    accounts.suspend(scene.actor("iris"), person, reason="Lost the telephone.")
    scene.session.commit()
    assert person not in audiences.days(VISIT, scene.visit().id).first
    accounts.restore(scene.actor("iris"), person)
    scene.session.commit()
    assert person in audiences.days(VISIT, scene.visit().id).first


def test_a_role_that_makes_somebody_an_outside_expert_makes_a_visit_not_ready_while_it_lasts(
    scene: Scene,
) -> None:
    """Such a person needs a clearance like a CSO's (S11)."""
    role = NewRole(Role.COORDINATOR, scene.body("npm"), outside_expert=True)
    ruth = scene.user("ruth")
    accounts.give_role(scene.actor("ilena"), ruth, role)
    # Not judged again here: the event did that.
    assert not scene.visit().is_ready
    of_hers = Membership.user_id == ruth
    as_expert = sa.select(Membership.id).where(of_hers, Membership.outside_expert)
    accounts.end_role(
        scene.actor("ilena"), scene.session.scalars(as_expert).one(), reason="A mistake."
    )
    assert scene.visit().is_ready


def test_a_member_leaving_the_cooperation_makes_a_visit_not_ready(scene: Scene) -> None:
    cooperations.end_person(
        scene.actor("ilena"),
        scene.cooperation,
        user_id=scene.user("ruth"),
        organisation_id=scene.body("npm"),
    )
    assert RequirementKind.LEFT in missing_kinds(scene)
    assert not scene.visit().is_ready
    assert scene.members() == set(TEAM)


def test_a_person_who_becomes_an_outside_expert_is_to_be_cleared(scene: Scene) -> None:
    row = scene.session.scalars(
        sa.select(Membership).where(Membership.user_id == scene.user("ruth"))
    ).one()
    row.outside_expert = True
    scene.session.flush()
    judged_again(scene)
    assert RequirementKind.NOT_SIGNED in missing_kinds(scene)
    assert not scene.visit().is_ready


# Lost because time passes


@pytest.fixture
def later(frozen_time: Callable[[dt.datetime], None]) -> Callable[[dt.date], None]:
    return lambda day: frozen_time(clock.now() + (day - clock.today()))


def test_once_the_days_of_a_visit_have_passed_it_stays_as_it_was(
    scene: Scene, later: Callable[[dt.date], None]
) -> None:
    """Papers and clearances expire then, and people leave, but the visit was ready."""
    plan = plan_of(scene.visit())
    later(plan.ends_on)
    assert judged_again(scene) == 0
    later(plan.ends_on + ONE_DAY)
    undertakings.withdraw(scene.actor("samira"), scene.undertaking("samira").id)
    assert missing_kinds(scene) == {RequirementKind.NOT_SIGNED, RequirementKind.NOT_BRIEFED}
    assert judged_again(scene) == 0
    visit = scene.visit()
    assert (visit.is_ready, visit.stage) == (True, VisitStage.CLEARED)
    with pytest.raises(RefusedError, match="have passed"):
        service.override(scene.actor("milan"), visit, reason="Late.", mark="")
    with pytest.raises(RefusedError, match="have passed"):
        accept_role(scene.actor("leyla"), visit)
    elsewhere = Plan("Upper Harbour police station", plan.starts_on, plan.ends_on)
    with pytest.raises(RuleBrokenError, match="The last day has passed"):
        service.change_plan(scene.actor("pavo"), visit, version=visit.version, plan=elsewhere)
    # Moved to future days, it is prepared again.
    moved = Plan(plan.place, plan.ends_on + ONE_DAY, plan.ends_on + ONE_DAY)
    service.change_plan(scene.actor("pavo"), visit, version=visit.version, plan=moved)
    assert not scene.visit().is_ready


def test_the_worker_judges_every_visit_again(scene: Scene) -> None:
    scene.session.execute(sa.update(Visit).values(is_ready=False))
    scene.session.commit()
    jobs.judge_visits()
    # It ended its session.
    scene.session = db.session()
    assert scene.visit().is_ready


def test_the_worker_checks_each_visit_in_its_own_transaction(
    scene: Scene, later: Callable[[dt.date], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise everybody who writes would have to wait until all visits are judged."""
    planned(scene)
    scene.session.commit()
    later(clock.today() + dt.timedelta(days=61))
    commits: list[set[UUID]] = []
    judged: set[UUID] = set()

    def judges(visit: Visit) -> bool:
        judged.add(visit.id)
        return settle(visit)

    def note(_session: Session) -> None:
        commits.append(set(judged))
        judged.clear()

    settle = service.settle
    monkeypatch.setattr(service, "settle", judges)
    sa.event.listen(Session, "after_commit", note)
    try:
        jobs.judge_visits()
    finally:
        sa.event.remove(Session, "after_commit", note)
    assert [len(visits) for visits in commits if visits] == [1, 1]
    scene.session = db.session()


# Lost because the plan changes


def test_days_beyond_a_credential_make_a_visit_not_ready(scene: Scene) -> None:
    plan = plan_of(scene.visit())
    late = clock.today() + dt.timedelta(days=61)
    moved = Plan(plan.place, plan.starts_on, late)
    service.change_plan(scene.actor("pavo"), scene.visit(), version=1, plan=moved)
    assert RequirementKind.CREDENTIAL_RUNS_OUT in missing_kinds(scene)
    assert not scene.visit().is_ready


def test_after_a_move_people_accept_their_tasks_and_confirm_the_plan_again(
    scene: Scene,
) -> None:
    plan = plan_of(scene.visit())
    moved = Plan("Upper Harbour police station", plan.starts_on, plan.ends_on)
    service.change_plan(
        scene.actor("pavo"), scene.visit(), version=1, plan=moved, place_type="police"
    )
    assert_lost(
        scene,
        RequirementKind.ROLE,
        RequirementKind.ROLES_ITEM,
        RequirementKind.BRIEFING,
        RequirementKind.CREDENTIAL,
        RequirementKind.PLAN_NOT_READ,
        stage=VisitStage.PLANNED,
    )
    assert items_left(scene) == ["V11", "V12", "V18"]
    for key in TEAM:
        assert accept_role(scene.actor(key), scene.visit())
        assert confirm_plan(scene.actor(key), scene.visit())
    # The letters of access and the briefing were for the former place.
    save(scene, "V13", written(scene, "V13"))
    assert missing_kinds(scene) == {RequirementKind.ROLES_ITEM, RequirementKind.BRIEFING}
    agree_on_the_same_briefing(scene)
    assert_ready(scene)


def agree_on_the_same_briefing(scene: Scene, on: dt.date | None = None) -> None:
    """Let the parties say again that the team is briefed, on the same day or on another.

    And what they confirmed of the health expert and the interpreters about the former place.
    """
    again = [item for item in ("V11", "V12") if item in items_left(scene)]
    checklist = amend(scene, ROLES, "V18", *again)
    if "V12" in again:  # nobody else accepts it
        save(scene, "V12", written(scene, "V12"))
    for item in ("V11", "V18"):
        if item in again or item == "V18":
            day = {"briefing": on.isoformat()} if on and item == "V18" else {}
            agree_on_the_same(scene, checklist, item, **day)
    in_force_again(scene, checklist)


def agree_on_the_same(scene: Scene, checklist: Checklist, item: str, **changed: str) -> None:
    current = load(checklist).sheet.shared(item)
    assert current is not None
    proposal = positions.propose(
        scene.actor("ilena"),
        checklist,
        item,
        {**current.values, **changed},
        answer_id=current.answer_id,
        reason="It is so at the new place.",
    )
    positions.accept_proposal(scene.actor("samira"), checklist, proposal.id)
    now = load(checklist).sheet.shared(item)
    assert now is not None
    positions.take_position(
        scene.actor("joana"), checklist, item, Stance.ACCEPTS, answer_id=now.answer_id
    )


def test_a_team_is_briefed_again_during_the_visit_and_its_days_stay(
    scene: Scene, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    """Moving the first day instead would ask everybody for everything again (V5, V20)."""
    plan = plan_of(scene.visit())
    second = plan.starts_on + ONE_DAY
    assert plan.ends_on >= second
    frozen_time(dt.datetime.combine(second, dt.time(10), tzinfo=clock.zone()))
    moved = Plan("Upper Harbour police station", plan.starts_on, plan.ends_on)
    service.change_plan(
        scene.actor("pavo"), scene.visit(), version=1, plan=moved, place_type="police"
    )
    assert RequirementKind.BRIEFING in missing_kinds(scene)
    frozen_time(dt.datetime.combine(second, dt.time(12), tzinfo=clock.zone()))
    agree_on_the_same_briefing(scene, on=second)
    assert missing_kinds(scene) == {
        RequirementKind.ROLE,
        RequirementKind.CREDENTIAL,
        RequirementKind.PLAN_NOT_READ,
    }


def test_saving_an_unchanged_plan_asks_nobody_again(scene: Scene) -> None:
    same = plan_of(scene.visit())
    assert not service.change_plan(scene.actor("pavo"), scene.visit(), version=1, plan=same)
    assert_ready(scene)


def test_dates_outside_the_agreed_term_make_a_visit_not_ready(scene: Scene) -> None:
    end = scene.cooperation.ends_on
    assert end is not None
    late = Plan("Upper Harbour", end, end + ONE_DAY)
    service.change_plan(scene.actor("pavo"), scene.visit(), version=1, plan=late)
    assert RequirementKind.OUTSIDE_TERM in missing_kinds(scene)
    assert scene.visit().stage is VisitStage.PROPOSED


def test_a_member_leaving_before_the_last_day_makes_a_visit_not_ready(scene: Scene) -> None:
    row = scene.session.scalars(
        sa.select(CooperationPerson).where(
            CooperationPerson.cooperation_id == scene.cooperation.id,
            CooperationPerson.user_id == scene.user("marek"),
        )
    ).one()
    last = plan_of(scene.visit()).ends_on
    row.until_on = last
    scene.session.commit()
    assert missing_kinds(scene) == set()
    row.until_on = last - ONE_DAY
    scene.session.commit()
    assert missing_kinds(scene) == {RequirementKind.LEAVES}


def test_a_member_whose_only_role_ends_before_the_last_day_makes_a_visit_not_ready(
    scene: Scene,
) -> None:
    leyla, joana = scene.user("leyla"), scene.actor("joana")
    last = plan_of(scene.visit()).ends_on
    before = scene.session.scalars(
        sa.select(Membership.id).where(Membership.user_id == leyla, Membership.ended_at.is_(None))
    ).all()
    short = NewRole(Role.COORDINATOR, scene.body("lh"), ends_on=last - ONE_DAY)
    accounts.give_role(joana, leyla, short)
    for membership_id in before:
        accounts.end_role(joana, membership_id, reason="Only until then.")
    assert missing_kinds(scene) == {RequirementKind.LEAVES}
    assert not scene.visit().is_ready
    # Another role follows on the next day.
    accounts.give_role(joana, leyla, NewRole(Role.MEMBER, scene.body("lh"), starts_on=last))
    assert scene.visit().is_ready


def test_removing_a_credential_makes_a_visit_not_ready_until_it_is_added_again(
    scene: Scene,
) -> None:
    roles = scene.checklist(ROLES)
    current = load(roles).sheet.shared("V13")
    assert current is not None
    before = dict(current.values)
    fewer = [row for row in before["credentials"] if row["person"] != str(scene.user("leyla"))]
    save(scene, "V13", {**before, "credentials": fewer})
    assert_lost(scene, RequirementKind.CREDENTIAL, stage=VisitStage.CLEARED)
    save(scene, "V13", before)
    assert_ready(scene)


def test_a_safety_contact_without_a_number_makes_a_visit_not_ready(scene: Scene) -> None:
    current = load(scene.checklist(ROLES)).sheet.shared("V13")
    assert current is not None
    save(scene, "V13", {k: v for k, v in current.values.items() if k != "safety_phone"})
    assert_lost(scene, RequirementKind.SAFETY_CONTACT, stage=VisitStage.CLEARED)


def test_withdrawing_a_confirmation_makes_a_visit_not_ready(scene: Scene) -> None:
    unread_by(scene, "samira")
    assert_lost(scene, RequirementKind.PLAN_NOT_READ, stage=VisitStage.CLEARED)
    assert confirm_plan(scene.actor("samira"), scene.visit())
    assert_ready(scene)


def unread_by(scene: Scene, key: str) -> None:
    """Let a person withdraw that they have read the urgent-action plan."""
    own = load(scene.checklist(ROLES)).sheet.of_person("V20", scene.user(key))
    assert own is not None
    checklists.save_answer(
        scene.actor(key),
        scene.checklist(ROLES),
        "V20",
        AnswerScope.PERSON,
        {"read": False},
        base_version=own.version,
    )


def save(scene: Scene, item: str, values: dict[str, object], by: str = "ilena") -> None:
    roles = scene.checklist(ROLES)
    current = load(roles).sheet.shared(item)
    checklists.save_answer(
        scene.actor(by),
        roles,
        item,
        AnswerScope.SHARED,
        values,
        base_version=current.version if current else 0,
    )


# Lost because of an amendment


def amend(scene: Scene, kind: ChecklistKind, *items: str) -> Checklist:
    checklist = scene.checklist(kind)
    agreements.amend(scene.actor("ilena"), checklist, reason="A change of the team.", items=items)
    return checklist


def in_force_again(scene: Scene, checklist: Checklist) -> None:
    scene.session.flush()
    demo_checklists.send(scene.cast, checklist)
    demo_checklists.sign(scene.cast, checklist)


@pytest.mark.parametrize(
    ("kind", "item", "expected"),
    [(ROLES, "V6", RequirementKind.ROLES), (URGENT_PLAN, "U4", RequirementKind.PLAN)],
)
def test_an_amendment_makes_a_visit_not_ready_until_all_have_signed(
    scene: Scene, kind: ChecklistKind, item: str, expected: RequirementKind
) -> None:
    checklist = amend(scene, kind, item)
    assert expected in missing_kinds(scene)
    assert not scene.visit().is_ready
    in_force_again(scene, checklist)
    if kind is URGENT_PLAN:
        # Everybody reads the new plan.
        assert missing_kinds(scene) == {RequirementKind.PLAN_NOT_READ}
        for key in TEAM:
            assert confirm_plan(scene.actor(key), scene.visit())
    assert_ready(scene)


def in_force_by_its_row(scene: Scene, checklist: Checklist) -> None:
    """Write into the database that the former text is in force again."""
    scene.session.refresh(checklist)
    values = {
        "state": ChecklistState.IN_FORCE,
        "revision_in_force_id": checklist.revision_in_force_id or checklist.stopped_id,
        "stopped_by": None,
        "stopped_id": None,
    }
    scene.session.execute(sa.update(Checklist).where(Checklist.id == checklist.id).values(values))
    scene.session.commit()


def test_what_only_a_row_says_is_in_force_makes_no_visit_ready(app: Flask, scene: Scene) -> None:
    plan = amend(scene, URGENT_PLAN, "U4")
    assert RequirementKind.PLAN in missing_kinds(scene)
    in_force_by_its_row(scene, plan)
    assert missing_kinds(scene) == {RequirementKind.PLAN}
    scene.session.commit()
    jobs.judge_visits()
    scene.session = db.session()
    assert_lost(scene, RequirementKind.PLAN, stage=VisitStage.CLEARED)
    assert len(scene.events("visit_became_ready")) == 1
    scene.session.commit()
    page = f"/cooperations/{scene.reference}/visits/1/ready"
    shown = scene.demonstration.browser(app, "ilena").page(page).text
    assert "The urgent-action plan doesn't match its signatures." in shown
    assert "Ask them to check that nothing was altered.Waiting for an administrator" in shown
    assert "Waiting for you" not in shown
    assert "Yes." not in shown


def test_plans_swapped_between_two_visits_make_none_of_them_ready(scene: Scene) -> None:
    planned(scene)
    own, other = (scene.checklist(URGENT_PLAN, number) for number in (1, 2))
    first, second = own.visit_id, other.visit_id
    scene.session.commit()
    for checklist_id, visit_id in ((own.id, None), (other.id, first), (own.id, second)):
        scene.session.execute(
            sa.update(Checklist).where(Checklist.id == checklist_id).values(visit_id=visit_id)
        )
    scene.session.commit()
    for number in (1, 2):
        plan = readiness.judge(scene.visit(number)).facts.plan
        assert (number, plan.signing) == (number, Signing.DISAGREES)


def test_confidentiality_terms_that_only_a_row_says_are_in_force_are_missing(
    scene: Scene,
) -> None:
    terms = scene.checklist(ChecklistKind.CONFIDENTIALITY, None)
    notices.give_notice(scene.actor("tomas"), terms, NoticeKind.SUSPENDED, reason="A leak.")
    assert RequirementKind.CONFIDENTIALITY in missing_kinds(scene)
    in_force_by_its_row(scene, terms)
    assert RequirementKind.CONFIDENTIALITY in missing_kinds(scene)


def test_an_undertaking_that_only_its_rows_call_signed_clears_nobody(
    app: Flask, scene: Scene
) -> None:
    undertaking = scene.undertaking("samira")
    clearance = scene.clearance("samira")
    undertakings.withdraw(scene.actor("samira"), undertaking.id)
    scene.visit()
    open_again = {"closed_at": None, "closed_reason": ""}
    scene.session.execute(
        sa.update(Undertaking)
        .where(Undertaking.id == undertaking.id)
        .values(state=UndertakingState.COUNTERSIGNED, **open_again)
    )
    scene.session.execute(
        sa.update(Clearance).where(Clearance.id == clearance.id).values(open_again)
    )
    scene.session.commit()
    missing = missing_kinds(scene)
    assert RequirementKind.UNDERTAKING_DISAGREES in missing
    assert RequirementKind.NOT_SIGNED not in missing
    assert judged_again(scene) == 0
    scene.session.commit()
    page = f"/cooperations/{scene.reference}/visits/1/ready"
    shown = scene.demonstration.browser(app, "ilena").page(page).text
    assert "Undertakings that don't match their signatures: Samira Okell." in shown


def test_a_clearance_put_beside_the_one_that_was_opened_prolongs_nothing(scene: Scene) -> None:
    until = scene.clearance("samira").until_on
    row = scene.clearance("samira")
    scene.session.add(
        Clearance(
            cooperation_id=row.cooperation_id,
            user_id=row.user_id,
            organisation_id=row.organisation_id,
            scope=row.scope,
            undertaking_id=row.undertaking_id,
            from_on=row.from_on - ONE_DAY,
            until_on=until + 400 * ONE_DAY,
        )
    )
    scene.session.flush()
    facts = readiness.judge(scene.visit()).facts
    own = next(member for member in facts.members if member.user_id == row.user_id)
    assert own.cleared_until == until


@pytest.mark.parametrize(
    "values",
    [{"stage": Stage.UNDER_REVIEW}, {"ends_on": dt.date(2199, 12, 31)}],
)
def test_stage_and_days_that_only_the_row_of_a_cooperation_states_make_no_visit_ready(
    scene: Scene, values: dict[str, object]
) -> None:
    scene.session.execute(
        sa.update(Cooperation).where(Cooperation.id == scene.cooperation.id).values(values)
    )
    scene.session.commit()
    assert missing_kinds(scene) == {RequirementKind.COOPERATION_DISAGREES}


def test_a_visit_is_not_ready_if_the_terms_on_confidentiality_end_before_it_does(
    scene: Scene,
) -> None:
    last = readiness.judge(scene.visit()).facts.confidentiality.last_day
    assert last is not None
    visit = scene.visit()
    beyond = Plan(plan_of(visit).place, last, last + ONE_DAY)
    service.change_plan(scene.actor("pavo"), visit, version=visit.version, plan=beyond)
    assert RequirementKind.CONFIDENTIALITY_RUNS_OUT in missing_kinds(scene)


def test_a_signature_that_no_event_binds_makes_a_visit_not_ready(scene: Scene) -> None:
    cooperation_id, revision_id = scene.cooperation.id, scene.checklist(ROLES).revision_in_force_id
    other = scene.user("dina")
    scene.session.rollback()
    with hands() as connection:
        own = Tampering(connection, cooperation_id)
        row = next(row for row in own.rows(SIGNATURES) if row.revision_id == revision_id)
        own.copy(SIGNATURES, row.id, id=other, user_id=other, digest="e" * 64)
    assert judged_again(scene) == 1
    assert_lost(scene, RequirementKind.ROLES, stage=VisitStage.CLEARED)


def test_a_stopped_visit_whose_row_says_otherwise_is_neither_moved_nor_ready(
    app: Flask, scene: Scene
) -> None:
    service.stop(scene.actor("pavo"), scene.visit(), reason="The road is closed.")
    before = len(scene.events("visit_stage_changed", "visit_became_ready"))
    scene.session.execute(sa.update(Visit).values(stage=VisitStage.PLANNED))
    scene.session.commit()
    assert judged_again(scene) == 0
    assert len(scene.events("visit_stage_changed", "visit_became_ready")) == before
    scene.session.commit()
    page = f"/cooperations/{scene.reference}/visits/1/ready"
    shown = scene.demonstration.browser(app, "ilena").page(page).text
    assert "What the database says differs from the signatures and the history." in shown
    assert "Yes." not in shown


def test_a_visit_that_was_not_ready_is_not_said_to_have_been_once_its_days_have_passed(
    app: Flask, scene: Scene, later: Callable[[dt.date], None]
) -> None:
    undertakings.withdraw(scene.actor("samira"), scene.undertaking("samira").id)
    later(plan_of(scene.visit()).ends_on + ONE_DAY)
    scene.session.execute(sa.update(Visit).values(is_ready=True))
    scene.session.commit()
    page = f"/cooperations/{scene.reference}/visits/1/ready"
    shown = scene.demonstration.browser(app, "ilena").page(page).text
    assert "It was ready." not in shown
    assert "What the database says differs from the signatures and the history." in shown


def test_a_declined_amendment_leaves_a_visit_not_ready(scene: Scene) -> None:
    checklist = amend(scene, ROLES, "V6")
    scene.session.flush()
    demo_checklists.send(scene.cast, checklist)
    decline_text(
        scene.actor("otto"),
        checklist,
        reason="Not so.",
        items=["V6"],
    )
    assert RequirementKind.ROLES in missing_kinds(scene)
    assert not scene.visit().is_ready


def test_somebody_added_to_the_team_makes_a_visit_not_ready(scene: Scene) -> None:
    amend(scene, ROLES, "V2", "V4", "V5")
    visit = scene.visit()
    roles = load(scene.checklist(ROLES))
    service.change_team(
        scene.actor("ilena"),
        visit,
        versions={item: service.version_of(roles, item) for item in ("V2", "V3", "V4")},
        planned=team_plan(
            scene,
            members=("leyla", "samira", "marek", "dina"),
            audience=("tomas", "leyla", "otto", "joana", "samira", "henrik", "marek", "dina"),
            gaps="None for a place of this size.",
        ),
    )
    assert scene.members() == {*TEAM, "dina"}
    assert missing_kinds(scene) >= {
        RequirementKind.ROLES_ITEM,
        RequirementKind.NOT_SIGNED,
        RequirementKind.CREDENTIAL,
        RequirementKind.PLAN_NOT_READ,
        # The team was briefed before.
        RequirementKind.MISSED_BRIEFING,
    }
    assert not scene.visit().is_ready
    judged = readiness.judge(scene.visit())
    concerned = {
        requirement.member.name
        for requirement in judged.requirements
        if requirement.member is not None
    }
    assert concerned == {"Dina Faro"}


def test_an_outsider_named_where_nobody_need_be_keeps_a_visit_from_being_planned(
    scene: Scene,
) -> None:
    """Who speaks with staff or interprets is on the team, and so cleared."""
    amend(scene, ROLES, "V1", "V9", "V12")
    save(scene, "V1", {**written(scene, "V1"), "language_need": "no"})
    assert not items_left(scene)
    outsider = str(scene.user("henrik"))
    interpreter = {"language": "Maravenan", "interpreter": outsider, "links": "none"}
    save(scene, "V9", {**written(scene, "V9"), "staff": outsider})
    save(scene, "V12", {**written(scene, "V12"), "interpreters": [interpreter]})
    assert items_left(scene) == ["V9", "V12"]


def written(scene: Scene, item: str) -> dict[str, Any]:
    answer = load(scene.checklist(ROLES)).sheet.shared(item)
    assert answer is not None
    return dict(answer.values)


def items_left(scene: Scene) -> list[str]:
    """Return the items of the roles that J2 waits for."""
    scene.session.flush()
    left = readiness.judge(scene.visit()).requirements
    return [requirement.item.code for requirement in left if requirement.item is not None]


def test_a_new_task_has_to_be_accepted_again(scene: Scene) -> None:
    checklist = amend(scene, ROLES, "V5")
    current = load(checklist).sheet.shared("V5")
    assert current is not None
    rows = [dict(row) for row in current.values["roles"]]
    rows[0]["limits"] = "Takes no photographs"
    # All accepted the old words, so the change needs a proposal.
    positions.propose(
        scene.actor("ilena"),
        checklist,
        "V5",
        {**current.values, "roles": rows},
        answer_id=current.answer_id,
        reason="A limit was forgotten.",
    )
    proposal = load(checklist).proposals[0]
    positions.accept_proposal(scene.actor("samira"), checklist, proposal.id)
    now = load(checklist).sheet.shared("V5")
    assert now is not None
    positions.take_position(
        scene.actor("joana"), checklist, "V5", Stance.ACCEPTS, answer_id=now.answer_id
    )
    unmet = [
        requirement
        for requirement in readiness.judge(scene.visit()).requirements
        if requirement.kind is RequirementKind.ROLE
    ]
    assert len(unmet) == len(TEAM)
    for key in TEAM:
        assert accept_role(scene.actor(key), scene.visit())
    in_force_again(scene, checklist)
    assert_ready(scene)


def test_a_suggestion_that_nobody_has_answered_keeps_a_text_from_being_sent(scene: Scene) -> None:
    """What the NPM sets and each CSO accepts, such as V6, is agreed while the NPM suggests more."""
    checklist = amend(scene, ROLES, "V6")
    assert obstacles.to_sending(load(checklist)) == []
    current = load(checklist).sheet.shared("V6")
    assert current is not None
    proposal = positions.propose(
        scene.actor("ilena"),
        checklist,
        "V6",
        {**current.values, "method": "Interviews first, then the registers."},
        answer_id=current.answer_id,
        reason="People are taken to court at noon.",
    )
    obstacle = "There's an open suggestion on “Common approach”. Answer it or withdraw it."
    assert [str(words) for words in obstacles.to_sending(load(checklist))] == [obstacle]
    positions.withdraw_proposal(scene.actor("ilena"), checklist, proposal.id)
    assert obstacles.to_sending(load(checklist)) == []


# Lost because of the cooperation


def test_new_confidentiality_terms_make_a_visit_not_ready(scene: Scene) -> None:
    terms = scene.checklist(ChecklistKind.CONFIDENTIALITY, None)
    agreements.amend(scene.actor("ilena"), terms, reason="A longer duty.", items=["C17"])
    # While the amendment is open the old terms and undertakings stay valid.
    assert_ready(scene)
    in_force_again(scene, terms)
    assert {RequirementKind.NOT_SIGNED, RequirementKind.NOT_BRIEFED} <= missing_kinds(scene)
    assert not scene.visit().is_ready


def test_a_cooperation_that_gives_up_visits_makes_a_visit_not_ready(scene: Scene) -> None:
    cooperation = scene.cooperation
    cooperations.set_modes(
        scene.actor("ilena"),
        cooperation,
        version=cooperation.version,
        modes=(Mode.INFO_F,),
        questions=cooperation.questions,
    )
    assert_lost(scene, RequirementKind.NO_MODE, stage=VisitStage.PROPOSED)


def test_a_way_of_working_that_is_not_signed_yet_makes_no_visit_ready(scene: Scene) -> None:
    terms = scene.checklist(ChecklistKind.TERMS, None)
    agreements.amend(scene.actor("ilena"), terms, reason="A partnership.", items=["M3"])
    cooperation = scene.cooperation
    cooperations.set_modes(
        scene.actor("ilena"),
        cooperation,
        version=cooperation.version,
        modes=(Mode.INFO_F, Mode.OMB_PLUS),
        questions=cooperation.questions,
    )
    assert_lost(scene, RequirementKind.MODE_NOT_SIGNED, stage=VisitStage.PROPOSED)
    with pytest.raises(RefusedError, match="signed"):
        planned(scene)


def test_a_visit_in_ombudsman_plus_is_ready_once_its_standing_plan_is_signed(scene: Scene) -> None:
    terms = scene.checklist(ChecklistKind.TERMS, None)
    agreements.amend(scene.actor("ilena"), terms, reason="A partnership.", items=["M3"])
    cooperation = scene.cooperation
    modes = (Mode.VISIT, Mode.INFO_F, Mode.OMB_PLUS)
    cooperations.set_modes(
        scene.actor("ilena"),
        cooperation,
        version=cooperation.version,
        modes=modes,
        questions=cooperation.questions,
    )
    answer = load(terms).sheet.shared("M3")
    assert answer is not None
    positions.propose(
        scene.actor("ilena"),
        terms,
        "M3",
        {**answer.values, "in_scope": list(modes)},
        answer_id=answer.answer_id,
        reason="A partnership.",
    )
    proposal = load(terms).proposals[-1]
    positions.accept_proposal(scene.actor("samira"), terms, proposal.id)
    demo_checklists.accept(scene.cast, terms, "M3")
    read_second(scene.actor("nadia"), terms)
    # Not everybody has signed that way of working yet.
    assert_ready(scene)
    plan = scene.checklist(URGENT_PLAN, None)
    in_force_again(scene, terms)
    assert_lost(scene, RequirementKind.STANDING_PLAN, stage=VisitStage.CLEARED)
    demo_checklists.fill_in(scene.cast, plan)
    in_force_again(scene, plan)
    assert_ready(scene)
    # It names people who can act; the visit's own plan does so as well.
    accounts.suspend(scene.actor("iris"), scene.user("tomas"), reason="Lost the telephone.")
    assert missing_kinds(scene) >= {
        RequirementKind.PLAN_ITEM,
        RequirementKind.STANDING_PLAN_ITEM,
    }
    accounts.restore(scene.actor("iris"), scene.user("tomas"))
    assert_ready(scene)
    # The signed one stays in force while it's amended.
    agreements.amend(scene.actor("ilena"), plan, reason="New numbers.", items=["U4"])
    assert_ready(scene)


def test_a_plan_fits_a_visit_while_items_that_are_only_recommended_are_left_empty(
    scene: Scene,
) -> None:
    both, signers = ("leyla", "samira"), ("tomas", "otto", "henrik")
    day = clock.today() + dt.timedelta(days=21)
    plan_of_visit = Plan("The cells", day, day)
    planned(scene, members=both, audience=(*both, *signers), plan=plan_of_visit)
    plan = scene.checklist(URGENT_PLAN, 2)
    demo_checklists.fill_in(scene.cast, plan, leave=("U13", "U18", "U19"))
    assert RequirementKind.PLAN in missing_kinds(scene, 2)
    demo_checklists.send(scene.cast, plan)
    demo_checklists.sign(scene.cast, plan)
    assert missing_kinds(scene, 2).isdisjoint({RequirementKind.PLAN, RequirementKind.PLAN_ITEM})


# Notified


def test_only_the_lead_and_the_npms_coordinators_are_notified(scene: Scene) -> None:
    before = {mail.id for mail in scene.mails()}
    undertakings.withdraw(scene.actor("samira"), scene.undertaking("samira").id)
    scene.session.flush()
    fresh = [
        mail for mail in scene.mails() if mail.id not in before and mail.kind == "readiness_lost"
    ]
    assert {mail.recipient for mail in fresh} == {
        "pavo.linden@maravena.example",
        "ilena.dorvath@maravena.example",
    }
    plan = plan_of(scene.visit())
    for mail in fresh:
        assert mail.body.startswith(("Dear Pavo Linden,", "Dear Ilena Dorvath,"))
        assert f"/cooperations/{scene.reference}/visits" in mail.body
        for word in (plan.place, "Lower Harbour", "Samira", "ready", str(plan.starts_on)):
            assert word not in mail.body
            assert word not in mail.subject


def test_a_coordinator_who_is_not_listed_hears_nothing(scene: Scene) -> None:
    """The moment would tell whose act it was, so who is on the team (product.md, section 5)."""
    npm, milan = scene.body("npm"), scene.user("milan")
    accounts.give_role(scene.actor("ilena"), milan, NewRole(Role.COORDINATOR, npm))
    scene.session.flush()
    assert_ready(scene)
    before = {mail.id for mail in scene.mails()}
    undertakings.withdraw(scene.actor("samira"), scene.undertaking("samira").id)
    scene.session.flush()
    fresh = [mail for mail in scene.mails() if mail.id not in before]
    assert {mail.recipient for mail in fresh if mail.kind == "readiness_lost"} == {
        "pavo.linden@maravena.example",
        "ilena.dorvath@maravena.example",
    }


def test_losing_readiness_is_notified_only_once(scene: Scene) -> None:
    undertakings.withdraw(scene.actor("samira"), scene.undertaking("samira").id)
    mails = len(scene.mails())
    undertakings.withdraw(scene.actor("leyla"), scene.undertaking("leyla").id)
    scene.session.flush()
    assert not [mail for mail in scene.mails()[mails:] if mail.kind == "readiness_lost"]
    assert len(scene.events("visit_lost_readiness")) == 1


# Only the NPM's own people, so that no clearance closes


@pytest.fixture
def of_npm(app: Flask, scene: Scene) -> Scene:
    """The demonstration with a second visit, only of the NPM's people, that is ready."""
    starting_points.of(app).use(
        "visit_of_npm",
        lambda: _prepare_visit_of_npm(Scene(db.session(), scene.demonstration)),
        on="demonstration",
    )
    assert scene.visit(2).is_ready
    return scene


def _prepare_visit_of_npm(scene: Scene) -> None:
    first = clock.today() + dt.timedelta(days=21)
    planned(
        scene,
        members=(),
        audience=("tomas",),
        plan=Plan("The harbour cells", first, first),
        gaps="A nurse: none could be found.",
    )
    roles, plan = scene.checklist(ROLES, 2), scene.checklist(URGENT_PLAN, 2)
    aim = load(scene.checklist(ROLES)).sheet.shared("V1")
    team = load(roles).sheet.shared("V4")
    assert aim is not None
    assert team is not None
    rows = [row | {"languages": "Maravenian"} for row in team.values["team"]]
    alone = {"health_aim": "no", "language_need": "no"}
    for item, values in (
        ("V1", {**aim.values, **alone}),
        ("V4", dict(team.values) | {"team": rows}),
    ):
        checklists.save_answer(
            scene.actor("ilena"), roles, item, AnswerScope.SHARED, values, base_version=1
        )
    to_ilena = {"V16": {"about_member": [str(scene.user("ilena"))]}}
    leave = ("V5", "V8", "V9", "V11", "V12", "V19")
    demo_checklists.fill_in(scene.cast, roles, leave=leave, other=to_ilena)
    _settle_on_site(scene, roles)
    ruth = str(scene.user("ruth"))
    by_ruth = {"U5": {"owner": ruth}, "U9": {"recorder": ruth}}
    demo_checklists.fill_in(scene.cast, plan, other=by_ruth)
    for key in ("pavo", "ruth"):
        accept_role(scene.actor(key), scene.visit(2))
    for checklist in (roles, plan):
        demo_checklists.send(scene.cast, checklist)
        demo_checklists.sign(scene.cast, checklist)
    for key in ("pavo", "ruth"):
        confirm_plan(scene.actor(key), scene.visit(2))
    # Leave no clearance that would close with the terms and so affect the visit.
    for key in SIGNERS:
        undertakings.withdraw(scene.actor(key), scene.undertaking(key).id)
    cooperations.end_person(
        scene.actor("samira"),
        scene.cooperation,
        user_id=scene.user("dina"),
        organisation_id=scene.body("od"),
    )
    scene.session.commit()


def _settle_on_site(scene: Scene, roles: Checklist) -> None:
    """Write who does what on site, with only the two people on the team."""
    shown = load(scene.checklist(ROLES)).sheet
    pavo, ruth = (str(scene.user(key)) for key in ("pavo", "ruth"))
    tasks = [
        {"person": person, "task": "Interviews", "backup": other, "limits": "Promises nothing"}
        for person, other in ((pavo, ruth), (ruth, pavo))
    ]
    interviews = [{"interviewer": ruth, "group": "All cells", "manner": "alone"}]
    for item, key, rows in (("V5", "roles", tasks), ("V8", "interviews", interviews)):
        before = shown.shared(item)
        assert before is not None
        _answer(scene, roles, item, {**before.values, key: rows})
    report = shown.shared("V19")
    assert report is not None
    parts = [{**row, "author": ruth} for row in report.values["parts"]]
    _answer(scene, roles, "V19", {**report.values, "parts": parts})


def _answer(scene: Scene, roles: Checklist, item: str, values: dict[str, Any]) -> None:
    shared = AnswerScope.SHARED
    checklists.save_answer(scene.actor("ilena"), roles, item, shared, values, base_version=0)


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_stopping_the_confidentiality_text_stops_no_visit_of_the_npm_alone(
    of_npm: Scene, kind: NoticeKind
) -> None:
    """S7: a partner, which needn't give notice to suspend a text, can't keep the NPM from going."""
    terms = of_npm.checklist(ChecklistKind.CONFIDENTIALITY, None)
    notices.give_notice(of_npm.actor("otto"), terms, kind, reason="A leak.")
    due.carry_out_due(notices.earliest(terms, kind))
    of_npm.session.commit()
    assert not of_npm.visit().is_ready
    assert RequirementKind.CONFIDENTIALITY in missing_kinds(of_npm)
    assert of_npm.visit(2).is_ready


def test_a_visit_of_the_npm_alone_warns_of_no_notice_on_the_confidentiality_text(
    of_npm: Scene,
) -> None:
    last = plan_of(of_npm.visit(2)).ends_on
    for kind, is_named in ((ChecklistKind.CONFIDENTIALITY, False), (ChecklistKind.TERMS, True)):
        text = of_npm.checklist(kind, None)
        notices.give_notice(
            of_npm.actor("tomas"), text, NoticeKind.SUSPENDED, reason="A leak.", from_on=last
        )
        of_npm.session.commit()
        assert bool(before_a_notice(readiness.read(of_npm.visit(2)))) is is_named


def test_lifting_a_suspension_of_the_confidentiality_text_counts_immediately(scene: Scene) -> None:
    terms = scene.checklist(ChecklistKind.CONFIDENTIALITY, None)
    tomas = scene.actor("tomas")
    notice = notices.give_notice(tomas, terms, NoticeKind.SUSPENDED, reason="A leak.")
    scene.session.commit()
    assert RequirementKind.CONFIDENTIALITY in missing_kinds(scene)
    notices.close_notice(tomas, terms, notice.id, reason="It was stopped.")
    scene.session.commit()
    assert RequirementKind.CONFIDENTIALITY not in missing_kinds(scene)


# Each for themselves


def test_nobody_accepts_a_task_twice_or_for_another(scene: Scene) -> None:
    assert not accept_role(scene.actor("samira"), scene.visit())
    assert not confirm_plan(scene.actor("samira"), scene.visit())
    for key in ("ilena", "tomas", "henrik", "joana"):
        for act in (accept_role, confirm_plan):
            with pytest.raises(RefusedError):
                act(scene.actor(key), scene.visit())


def test_a_task_that_is_not_written_cannot_be_accepted(scene: Scene) -> None:
    visit = planned(scene)
    with pytest.raises(RuleBrokenError):
        accept_role(scene.actor("leyla"), visit)


def test_a_plan_that_is_not_in_force_cannot_be_confirmed(scene: Scene) -> None:
    visit = planned(scene)
    with pytest.raises(RuleBrokenError):
        confirm_plan(scene.actor("leyla"), visit)


def test_a_confirmation_from_before_the_plan_was_in_force_does_not_count(scene: Scene) -> None:
    visit = planned(scene)
    checklists.save_answer(
        scene.actor("leyla"),
        scene.checklist(ROLES, 2),
        "V20",
        AnswerScope.PERSON,
        {"read": True},
        base_version=0,
    )
    facts = readiness.judge(visit).facts
    assert not any(member.plan_read for member in facts.members)


@pytest.mark.both_databases
def test_two_simultaneous_last_confirmations_make_a_visit_ready(app: Flask, scene: Scene) -> None:
    for key in ("samira", "leyla"):
        unread_by(scene, key)
    assert not scene.visit().is_ready
    scene.session.commit()
    together = Barrier(2)

    def confirm(key: str) -> bool:
        with app.app_context():
            own_scene = Scene(db.session(), scene.demonstration)
            together.wait()
            done = confirm_plan(own_scene.actor(key), own_scene.visit())
            db.session.commit()
            return done

    scene.session.commit()
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(confirm, "samira"), threads.submit(confirm, "leyla")]
        assert [future.result(timeout=60) for future in waiting] == [True, True]
    assert_ready(scene)


# How many queries


Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def crowd(scene: Scene) -> Scene:
    """Two more visits, one of them with more people on the team."""
    planned(scene, members=("leyla",), audience=("leyla",))
    planned(
        scene,
        members=("leyla", "samira", "marek", "nadia", "tomas", "milan", "dina", "henrik"),
        audience=("leyla", "samira", "marek", "nadia", "tomas", "milan", "henrik"),
    )
    scene.session.commit()
    return scene


@pytest.mark.both_databases
def test_judging_takes_as_many_queries_for_many_people_as_for_few(
    crowd: Scene, statements: Statements
) -> None:
    counts = []
    for number in (2, 3):
        visit = crowd.visit(number)
        crowd.session.expunge_all()
        visit = crowd.visit(number)
        with statements() as seen:
            readiness.judge(visit)
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.both_databases
def test_lists_and_tasks_take_as_many_queries_for_many_visits_as_for_few(
    scene: Scene, statements: Statements
) -> None:
    actor = scene.actor("pavo")
    cooperation_id = scene.cooperation.id

    def count() -> int:
        scene.session.expunge_all()
        with statements() as seen:
            queries.lines(actor, [cooperation_id])
            queries.tasks(actor)
        return len(seen)

    few = count()
    for _ in range(3):
        planned(scene)
    scene.session.commit()
    assert len(queries.tasks(actor)) == 3
    assert count() == few


@pytest.mark.both_databases
def test_the_visits_on_whose_lists_a_person_came_last_are_looked_through(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits = [planned(scene) for _ in range(3)]
    scene.session.execute(
        sa.update(AudienceMember)
        .where(AudienceMember.subject_id == visits[1].id)
        .values(from_on=clock.today() + dt.timedelta(days=1))
    )
    scene.session.commit()
    monkeypatch.setattr(queries, "MANY", 1)
    (last,) = queries.tasks(scene.actor("pavo"))
    assert last.number == visits[1].number


def test_a_persons_tasks_are_listed_without_planning_details(scene: Scene) -> None:
    assert queries.tasks(scene.actor("leyla")) == []
    planned(scene)
    (own,) = queries.tasks(scene.actor("pavo"))
    assert (own.number, own.makes_ready, own.accepts_role, own.confirms_plan) == (
        2,
        True,
        False,
        False,
    )
    roles = scene.checklist(ROLES, 2)
    checklists.save_answer(
        scene.actor("ilena"),
        roles,
        "V5",
        AnswerScope.SHARED,
        {"roles": [{"person": str(scene.user("leyla")), "task": "Speaks with persons"}]},
        base_version=0,
    )
    (hers,) = queries.tasks(scene.actor("leyla"))
    assert (hers.accepts_role, hers.confirms_plan, hers.makes_ready) == (True, False, False)
    accept_role(scene.actor("leyla"), scene.visit(2))
    assert queries.tasks(scene.actor("leyla")) == []


def move_by_a_day(scene: Scene) -> None:
    visit = scene.visit()
    later = plan_of(visit)
    later = replace(later, ends_on=later.ends_on + dt.timedelta(days=1))
    service.change_plan(scene.actor("ilena"), visit, version=visit.version, plan=later)


def test_a_plan_that_is_being_amended_is_not_to_be_read_in_my_work(scene: Scene) -> None:
    move_by_a_day(scene)
    (hers,) = queries.tasks(scene.actor("leyla"))
    assert hers.confirms_plan
    amend(scene, URGENT_PLAN, "U4")
    (hers,) = queries.tasks(scene.actor("leyla"))
    assert (hers.accepts_role, hers.confirms_plan) == (True, False)


def test_a_moved_visit_asks_each_of_the_team_again_in_my_work(scene: Scene) -> None:
    move_by_a_day(scene)
    (hers,) = queries.tasks(scene.actor("leyla"))
    assert (hers.accepts_role, hers.confirms_plan) == (True, True)
    accept_role(scene.actor("leyla"), scene.visit())
    confirm_plan(scene.actor("leyla"), scene.visit())
    assert queries.tasks(scene.actor("leyla")) == []


def test_nobody_is_asked_to_prepare_a_visit_whose_days_have_passed(
    scene: Scene, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    visit = planned(scene)
    last = dt.datetime.combine(plan_of(visit).ends_on, dt.time(12), dt.UTC)
    frozen_time(last)
    assert [own.number for own in queries.tasks(scene.actor("pavo"))] == [2]
    frozen_time(last + dt.timedelta(days=1))
    assert queries.tasks(scene.actor("pavo")) == []


def test_a_person_has_no_tasks_in_a_visit_that_is_closed_to_them(scene: Scene) -> None:
    planned(scene, members=("dina",), audience=("dina",))
    for key in ("dina", "milan", "nadia", "greta", "celia"):
        assert queries.tasks(scene.actor(key)) == []


def test_a_closed_clearance_closes_the_tasks(scene: Scene) -> None:
    planned(scene)
    clearances.close(None, scene.clearance("marek"), ClearanceEnd.WITHDRAWN)
    assert queries.tasks(scene.actor("marek")) == []
