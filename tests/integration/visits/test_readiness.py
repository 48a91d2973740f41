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
from tests.factories.visits import TEAM, JointVisit, accept_role, confirm_plan, planned, team_plan
from tracker.access.actor import Role
from tracker.accounts.models import Membership
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
from tracker.mail.models import OutboxMessage
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


def missing_kinds(joint_visit: JointVisit, number: int = 1) -> set[RequirementKind]:
    joint_visit.session.flush()
    return {
        requirement.kind for requirement in readiness.judge(joint_visit.visit(number)).requirements
    }


def judged_again(joint_visit: JointVisit) -> int:
    """Judge all visits as the worker does; return how many changed."""
    return sum(service.settle(visit) for visit in queries.prepared())


def assert_ready(joint_visit: JointVisit) -> None:
    visit = joint_visit.visit()
    assert missing_kinds(joint_visit) == set()
    assert (visit.is_ready, visit.stage) == (True, VisitStage.CLEARED)
    assert visit.ready_at is not None


def assert_lost(
    joint_visit: JointVisit, *expected: RequirementKind, stage: VisitStage, times: int = 1
) -> None:
    visit = joint_visit.visit()
    assert missing_kinds(joint_visit) == set(expected)
    assert (visit.is_ready, visit.stage) == (False, stage)
    assert visit.ready_at is None
    assert len(joint_visit.events("visit_lost_readiness")) == times


def test_the_demonstrations_visit_is_ready_also_by_an_agreement_on_paper_that_names_no_ways(
    joint_visit: JointVisit, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_ready(joint_visit)
    paper = AgreedWays(None, on_visits=frozenset())
    monkeypatch.setattr(frozen_text, "ways_in", lambda _document: paper)
    assert_ready(joint_visit)
    verbs = [verb for verb, _ in joint_visit.events("visit_became_ready", "visit_lost_readiness")]
    assert verbs == ["visit_became_ready"]


# Lost because of people


def test_withdrawn_undertakings_make_a_visit_not_ready_and_its_lead_and_coordinators_hear_it_once(
    joint_visit: JointVisit,
) -> None:
    """Not a coordinator who isn't listed.

    The moment would tell them whose act it was, so who is on the team (product.md, section 5).
    """
    npm, milan = joint_visit.body("npm"), joint_visit.user("milan")
    accounts.give_role(joint_visit.actor("ilena"), milan, NewRole(Role.COORDINATOR, npm))
    joint_visit.session.flush()
    assert_ready(joint_visit)
    before = {mail.id for mail in joint_visit.mails()}
    undertakings.withdraw(joint_visit.actor("samira"), joint_visit.undertaking("samira").id)
    assert_lost(
        joint_visit,
        RequirementKind.NOT_SIGNED,
        RequirementKind.NOT_BRIEFED,
        stage=VisitStage.PLANNED,
    )

    def notified() -> list[OutboxMessage]:
        mails = joint_visit.mails()
        return [mail for mail in mails if mail.id not in before and mail.kind == "readiness_lost"]

    fresh = notified()
    assert sorted(mail.recipient for mail in fresh) == [
        "ilena.dorvath@maravena.example",
        "pavo.linden@maravena.example",
    ]
    plan = plan_of(joint_visit.visit())
    for mail in fresh:
        assert mail.body.startswith(("Dear Pavo Linden,", "Dear Ilena Dorvath,"))
        assert f"/cooperations/{joint_visit.reference}/visits" in mail.body
        for word in (plan.place, "Lower Harbour", "Samira", "ready", str(plan.starts_on)):
            assert word not in mail.body
            assert word not in mail.subject
    undertakings.withdraw(joint_visit.actor("leyla"), joint_visit.undertaking("leyla").id)
    joint_visit.session.flush()
    assert len(notified()) == len(fresh)
    assert len(joint_visit.events("visit_lost_readiness")) == 1


def test_a_clearance_that_the_npm_withdraws_makes_a_visit_not_ready(
    joint_visit: JointVisit,
) -> None:
    undertakings.withdraw_clearance(
        joint_visit.actor("tomas"), joint_visit.undertaking("leyla").id, "A case came up."
    )
    assert_lost(
        joint_visit,
        RequirementKind.NOT_SIGNED,
        RequirementKind.NOT_BRIEFED,
        stage=VisitStage.PLANNED,
    )


def test_a_suspended_lead_or_partner_makes_a_visit_not_ready_and_is_on_no_list_until_restored(
    joint_visit: JointVisit,
) -> None:
    iris = joint_visit.actor("iris")
    accounts.suspend(iris, joint_visit.user("pavo"), reason="Lost the telephone.")
    assert RequirementKind.LEFT in missing_kinds(joint_visit)
    assert (joint_visit.visit().is_ready, joint_visit.visit().stage) == (False, VisitStage.PLANNED)
    accounts.restore(iris, joint_visit.user("pavo"))
    assert_ready(joint_visit)
    person = joint_visit.user("samira")
    assert person in audiences.days(VISIT, joint_visit.visit().id).first
    accounts.suspend(iris, person, reason="Lost the telephone.")
    joint_visit.session.commit()
    assert RequirementKind.LEFT in missing_kinds(joint_visit)
    assert not joint_visit.visit().is_ready
    assert person not in audiences.days(VISIT, joint_visit.visit().id).first
    accounts.restore(iris, person)
    joint_visit.session.commit()
    assert person in audiences.days(VISIT, joint_visit.visit().id).first


def test_a_role_that_makes_somebody_an_outside_expert_makes_a_visit_not_ready_while_it_lasts(
    joint_visit: JointVisit,
) -> None:
    """Such a person needs a clearance like a CSO's (S11)."""
    role = NewRole(Role.COORDINATOR, joint_visit.body("npm"), outside_expert=True)
    ruth = joint_visit.user("ruth")
    accounts.give_role(joint_visit.actor("ilena"), ruth, role)
    # Not judged again here: the event did that.
    assert not joint_visit.visit().is_ready
    of_hers = Membership.user_id == ruth
    as_expert = sa.select(Membership.id).where(of_hers, Membership.outside_expert)
    accounts.end_role(
        joint_visit.actor("ilena"),
        joint_visit.session.scalars(as_expert).one(),
        reason="A mistake.",
    )
    assert joint_visit.visit().is_ready


def test_a_member_leaving_the_cooperation_makes_a_visit_not_ready(joint_visit: JointVisit) -> None:
    cooperations.end_person(
        joint_visit.actor("ilena"),
        joint_visit.cooperation,
        user_id=joint_visit.user("ruth"),
        organisation_id=joint_visit.body("npm"),
    )
    assert RequirementKind.LEFT in missing_kinds(joint_visit)
    assert not joint_visit.visit().is_ready
    assert joint_visit.members() == set(TEAM)


def test_a_person_who_becomes_an_outside_expert_is_to_be_cleared(joint_visit: JointVisit) -> None:
    row = joint_visit.session.scalars(
        sa.select(Membership).where(Membership.user_id == joint_visit.user("ruth"))
    ).one()
    row.outside_expert = True
    joint_visit.session.flush()
    judged_again(joint_visit)
    assert RequirementKind.NOT_SIGNED in missing_kinds(joint_visit)
    assert not joint_visit.visit().is_ready


# Lost because time passes


@pytest.fixture
def later(frozen_time: Callable[[dt.datetime], None]) -> Callable[[dt.date], None]:
    return lambda day: frozen_time(clock.now() + (day - clock.today()))


def test_once_the_days_of_a_visit_have_passed_it_stays_as_it_was(
    joint_visit: JointVisit, later: Callable[[dt.date], None]
) -> None:
    """Papers and clearances expire then, and people leave, but the visit was ready."""
    plan = plan_of(joint_visit.visit())
    later(plan.ends_on)
    assert judged_again(joint_visit) == 0
    later(plan.ends_on + ONE_DAY)
    undertakings.withdraw(joint_visit.actor("samira"), joint_visit.undertaking("samira").id)
    assert missing_kinds(joint_visit) == {RequirementKind.NOT_SIGNED, RequirementKind.NOT_BRIEFED}
    assert judged_again(joint_visit) == 0
    visit = joint_visit.visit()
    assert (visit.is_ready, visit.stage) == (True, VisitStage.CLEARED)
    with pytest.raises(RefusedError, match="have passed"):
        service.override(joint_visit.actor("milan"), visit, reason="Late.", mark="")
    with pytest.raises(RefusedError, match="have passed"):
        accept_role(joint_visit.actor("leyla"), visit)
    elsewhere = Plan("Upper Harbour police station", plan.starts_on, plan.ends_on)
    with pytest.raises(RuleBrokenError, match="The last day has passed"):
        service.change_plan(joint_visit.actor("pavo"), visit, version=visit.version, plan=elsewhere)
    # Moved to future days, it is prepared again.
    moved = Plan(plan.place, plan.ends_on + ONE_DAY, plan.ends_on + ONE_DAY)
    service.change_plan(joint_visit.actor("pavo"), visit, version=visit.version, plan=moved)
    assert not joint_visit.visit().is_ready


def test_the_worker_judges_every_visit_again(joint_visit: JointVisit) -> None:
    joint_visit.session.execute(sa.update(Visit).values(is_ready=False))
    joint_visit.session.commit()
    jobs.judge_visits()
    # It ended its session.
    joint_visit.session = db.session()
    assert joint_visit.visit().is_ready


def test_the_worker_checks_each_visit_in_its_own_transaction(
    joint_visit: JointVisit, later: Callable[[dt.date], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise everybody who writes would have to wait until all visits are judged."""
    planned(joint_visit)
    joint_visit.session.commit()
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
    joint_visit.session = db.session()


# Lost because the plan changes


def test_days_beyond_a_credential_make_a_visit_not_ready(joint_visit: JointVisit) -> None:
    plan = plan_of(joint_visit.visit())
    late = clock.today() + dt.timedelta(days=61)
    moved = Plan(plan.place, plan.starts_on, late)
    service.change_plan(joint_visit.actor("pavo"), joint_visit.visit(), version=1, plan=moved)
    assert RequirementKind.CREDENTIAL_RUNS_OUT in missing_kinds(joint_visit)
    assert not joint_visit.visit().is_ready


def test_after_a_move_people_accept_their_tasks_and_confirm_the_plan_again(
    joint_visit: JointVisit,
) -> None:
    plan = plan_of(joint_visit.visit())
    moved = Plan("Upper Harbour police station", plan.starts_on, plan.ends_on)
    service.change_plan(
        joint_visit.actor("pavo"), joint_visit.visit(), version=1, plan=moved, place_type="police"
    )
    assert_lost(
        joint_visit,
        RequirementKind.ROLE,
        RequirementKind.ROLES_ITEM,
        RequirementKind.BRIEFING,
        RequirementKind.CREDENTIAL,
        RequirementKind.PLAN_NOT_READ,
        stage=VisitStage.PLANNED,
    )
    assert items_left(joint_visit) == ["V11", "V12", "V18"]
    for key in TEAM:
        assert accept_role(joint_visit.actor(key), joint_visit.visit())
        assert confirm_plan(joint_visit.actor(key), joint_visit.visit())
    # The letters of access and the briefing were for the former place.
    save(joint_visit, "V13", written(joint_visit, "V13"))
    assert missing_kinds(joint_visit) == {RequirementKind.ROLES_ITEM, RequirementKind.BRIEFING}
    agree_on_the_same_briefing(joint_visit)
    assert_ready(joint_visit)


def agree_on_the_same_briefing(joint_visit: JointVisit, on: dt.date | None = None) -> None:
    """Let the parties say again that the team is briefed, on the same day or on another.

    And what they confirmed of the health expert and the interpreters about the former place.
    """
    again = [item for item in ("V11", "V12") if item in items_left(joint_visit)]
    checklist = amend(joint_visit, ROLES, "V18", *again)
    if "V12" in again:  # nobody else accepts it
        save(joint_visit, "V12", written(joint_visit, "V12"))
    for item in ("V11", "V18"):
        if item in again or item == "V18":
            day = {"briefing": on.isoformat()} if on and item == "V18" else {}
            agree_on_the_same(joint_visit, checklist, item, **day)
    in_force_again(joint_visit, checklist)


def agree_on_the_same(
    joint_visit: JointVisit, checklist: Checklist, item: str, **changed: str
) -> None:
    current = load(checklist).sheet.shared(item)
    assert current is not None
    proposal = positions.propose(
        joint_visit.actor("ilena"),
        checklist,
        item,
        {**current.values, **changed},
        answer_id=current.answer_id,
        reason="It is so at the new place.",
    )
    positions.accept_proposal(joint_visit.actor("samira"), checklist, proposal.id)
    now = load(checklist).sheet.shared(item)
    assert now is not None
    positions.take_position(
        joint_visit.actor("joana"), checklist, item, Stance.ACCEPTS, answer_id=now.answer_id
    )


def test_a_team_is_briefed_again_during_the_visit_and_its_days_stay(
    joint_visit: JointVisit, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    """Moving the first day instead would ask everybody for everything again (V5, V20)."""
    plan = plan_of(joint_visit.visit())
    second = plan.starts_on + ONE_DAY
    assert plan.ends_on >= second
    frozen_time(dt.datetime.combine(second, dt.time(10), tzinfo=clock.zone()))
    moved = Plan("Upper Harbour police station", plan.starts_on, plan.ends_on)
    service.change_plan(
        joint_visit.actor("pavo"), joint_visit.visit(), version=1, plan=moved, place_type="police"
    )
    assert RequirementKind.BRIEFING in missing_kinds(joint_visit)
    frozen_time(dt.datetime.combine(second, dt.time(12), tzinfo=clock.zone()))
    agree_on_the_same_briefing(joint_visit, on=second)
    assert missing_kinds(joint_visit) == {
        RequirementKind.ROLE,
        RequirementKind.CREDENTIAL,
        RequirementKind.PLAN_NOT_READ,
    }


def test_saving_an_unchanged_plan_asks_nobody_again(joint_visit: JointVisit) -> None:
    same = plan_of(joint_visit.visit())
    assert not service.change_plan(
        joint_visit.actor("pavo"), joint_visit.visit(), version=1, plan=same
    )
    assert_ready(joint_visit)


def test_dates_outside_the_agreed_term_make_a_visit_not_ready(joint_visit: JointVisit) -> None:
    end = joint_visit.cooperation.ends_on
    assert end is not None
    late = Plan("Upper Harbour", end, end + ONE_DAY)
    service.change_plan(joint_visit.actor("pavo"), joint_visit.visit(), version=1, plan=late)
    assert RequirementKind.OUTSIDE_TERM in missing_kinds(joint_visit)
    assert joint_visit.visit().stage is VisitStage.PROPOSED


def test_a_member_leaving_before_the_last_day_makes_a_visit_not_ready(
    joint_visit: JointVisit,
) -> None:
    row = joint_visit.session.scalars(
        sa.select(CooperationPerson).where(
            CooperationPerson.cooperation_id == joint_visit.cooperation.id,
            CooperationPerson.user_id == joint_visit.user("marek"),
        )
    ).one()
    last = plan_of(joint_visit.visit()).ends_on
    row.until_on = last
    joint_visit.session.commit()
    assert missing_kinds(joint_visit) == set()
    row.until_on = last - ONE_DAY
    joint_visit.session.commit()
    assert missing_kinds(joint_visit) == {RequirementKind.LEAVES}


def test_a_member_whose_only_role_ends_before_the_last_day_makes_a_visit_not_ready(
    joint_visit: JointVisit,
) -> None:
    leyla, joana = joint_visit.user("leyla"), joint_visit.actor("joana")
    last = plan_of(joint_visit.visit()).ends_on
    before = joint_visit.session.scalars(
        sa.select(Membership.id).where(Membership.user_id == leyla, Membership.ended_at.is_(None))
    ).all()
    short = NewRole(Role.COORDINATOR, joint_visit.body("lh"), ends_on=last - ONE_DAY)
    accounts.give_role(joana, leyla, short)
    for membership_id in before:
        accounts.end_role(joana, membership_id, reason="Only until then.")
    assert missing_kinds(joint_visit) == {RequirementKind.LEAVES}
    assert not joint_visit.visit().is_ready
    # Another role follows on the next day.
    accounts.give_role(joana, leyla, NewRole(Role.MEMBER, joint_visit.body("lh"), starts_on=last))
    assert joint_visit.visit().is_ready


def test_a_credential_a_number_or_a_confirmation_that_is_gone_makes_a_visit_not_ready_until_back(
    joint_visit: JointVisit,
) -> None:
    before = written(joint_visit, "V13")
    fewer = [
        row for row in before["credentials"] if row["person"] != str(joint_visit.user("leyla"))
    ]
    save(joint_visit, "V13", {**before, "credentials": fewer})
    assert_lost(joint_visit, RequirementKind.CREDENTIAL, stage=VisitStage.CLEARED)
    save(joint_visit, "V13", before)
    assert_ready(joint_visit)
    save(joint_visit, "V13", {k: v for k, v in before.items() if k != "safety_phone"})
    assert_lost(joint_visit, RequirementKind.SAFETY_CONTACT, stage=VisitStage.CLEARED, times=2)
    save(joint_visit, "V13", before)
    unread_by(joint_visit, "samira")
    assert_lost(joint_visit, RequirementKind.PLAN_NOT_READ, stage=VisitStage.CLEARED, times=3)
    assert confirm_plan(joint_visit.actor("samira"), joint_visit.visit())
    assert_ready(joint_visit)


def unread_by(joint_visit: JointVisit, key: str) -> None:
    """Let a person withdraw that they have read the urgent-action plan."""
    own = load(joint_visit.checklist(ROLES)).sheet.of_person("V20", joint_visit.user(key))
    assert own is not None
    checklists.save_answer(
        joint_visit.actor(key),
        joint_visit.checklist(ROLES),
        "V20",
        AnswerScope.PERSON,
        {"read": False},
        base_version=own.version,
    )


def save(joint_visit: JointVisit, item: str, values: dict[str, object], by: str = "ilena") -> None:
    roles = joint_visit.checklist(ROLES)
    current = load(roles).sheet.shared(item)
    checklists.save_answer(
        joint_visit.actor(by),
        roles,
        item,
        AnswerScope.SHARED,
        values,
        base_version=current.version if current else 0,
    )


# Lost because of an amendment


def amend(joint_visit: JointVisit, kind: ChecklistKind, *items: str) -> Checklist:
    checklist = joint_visit.checklist(kind)
    agreements.amend(
        joint_visit.actor("ilena"), checklist, reason="A change of the team.", items=items
    )
    return checklist


def in_force_again(joint_visit: JointVisit, checklist: Checklist) -> None:
    joint_visit.session.flush()
    demo_checklists.send(joint_visit.demo_people, checklist)
    demo_checklists.sign(joint_visit.demo_people, checklist)


def test_an_amended_plan_makes_a_visit_not_ready_until_all_have_signed_and_read_it(
    joint_visit: JointVisit,
) -> None:
    checklist = amend(joint_visit, URGENT_PLAN, "U4")
    assert RequirementKind.PLAN in missing_kinds(joint_visit)
    assert not joint_visit.visit().is_ready
    in_force_again(joint_visit, checklist)
    assert missing_kinds(joint_visit) == {RequirementKind.PLAN_NOT_READ}
    for key in TEAM:
        assert confirm_plan(joint_visit.actor(key), joint_visit.visit())
    assert_ready(joint_visit)


def in_force_by_its_row(joint_visit: JointVisit, checklist: Checklist) -> None:
    """Write into the database that the former text is in force again."""
    joint_visit.session.refresh(checklist)
    values = {
        "state": ChecklistState.IN_FORCE,
        "revision_in_force_id": checklist.revision_in_force_id or checklist.stopped_id,
        "stopped_by": None,
        "stopped_id": None,
    }
    joint_visit.session.execute(
        sa.update(Checklist).where(Checklist.id == checklist.id).values(values)
    )
    joint_visit.session.commit()


def test_what_only_a_row_says_is_in_force_makes_no_visit_ready(
    app: Flask, joint_visit: JointVisit
) -> None:
    plan = amend(joint_visit, URGENT_PLAN, "U4")
    assert RequirementKind.PLAN in missing_kinds(joint_visit)
    in_force_by_its_row(joint_visit, plan)
    assert missing_kinds(joint_visit) == {RequirementKind.PLAN}
    joint_visit.session.commit()
    jobs.judge_visits()
    joint_visit.session = db.session()
    assert_lost(joint_visit, RequirementKind.PLAN, stage=VisitStage.CLEARED)
    assert len(joint_visit.events("visit_became_ready")) == 1
    joint_visit.session.commit()
    page = f"/cooperations/{joint_visit.reference}/visits/1/ready"
    shown = joint_visit.demonstration.browser(app, "ilena").page(page).text
    assert "The urgent-action plan doesn't match its signatures." in shown
    assert "Ask them to check that nothing was altered.Waiting for an administrator" in shown
    assert "Waiting for you" not in shown
    assert "Yes." not in shown


def test_plans_swapped_between_two_visits_make_none_of_them_ready(joint_visit: JointVisit) -> None:
    planned(joint_visit)
    own, other = (joint_visit.checklist(URGENT_PLAN, number) for number in (1, 2))
    first, second = own.visit_id, other.visit_id
    joint_visit.session.commit()
    for checklist_id, visit_id in ((own.id, None), (other.id, first), (own.id, second)):
        joint_visit.session.execute(
            sa.update(Checklist).where(Checklist.id == checklist_id).values(visit_id=visit_id)
        )
    joint_visit.session.commit()
    for number in (1, 2):
        plan = readiness.judge(joint_visit.visit(number)).facts.plan
        assert (number, plan.signing) == (number, Signing.DISAGREES)


def test_confidentiality_terms_that_only_a_row_says_are_in_force_are_missing(
    joint_visit: JointVisit,
) -> None:
    terms = joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None)
    notices.give_notice(joint_visit.actor("tomas"), terms, NoticeKind.SUSPENDED, reason="A leak.")
    assert RequirementKind.CONFIDENTIALITY in missing_kinds(joint_visit)
    in_force_by_its_row(joint_visit, terms)
    assert RequirementKind.CONFIDENTIALITY in missing_kinds(joint_visit)


def test_an_undertaking_that_only_its_rows_call_signed_clears_nobody(
    app: Flask, joint_visit: JointVisit
) -> None:
    undertaking = joint_visit.undertaking("samira")
    clearance = joint_visit.clearance("samira")
    undertakings.withdraw(joint_visit.actor("samira"), undertaking.id)
    joint_visit.visit()
    open_again = {"closed_at": None, "closed_reason": ""}
    joint_visit.session.execute(
        sa.update(Undertaking)
        .where(Undertaking.id == undertaking.id)
        .values(state=UndertakingState.COUNTERSIGNED, **open_again)
    )
    joint_visit.session.execute(
        sa.update(Clearance).where(Clearance.id == clearance.id).values(open_again)
    )
    joint_visit.session.commit()
    missing = missing_kinds(joint_visit)
    assert RequirementKind.UNDERTAKING_DISAGREES in missing
    assert RequirementKind.NOT_SIGNED not in missing
    assert judged_again(joint_visit) == 0
    joint_visit.session.commit()
    page = f"/cooperations/{joint_visit.reference}/visits/1/ready"
    shown = joint_visit.demonstration.browser(app, "ilena").page(page).text
    assert "Undertakings that don't match their signatures: Samira Okell." in shown


def test_a_clearance_put_beside_the_one_that_was_opened_prolongs_nothing(
    joint_visit: JointVisit,
) -> None:
    until = joint_visit.clearance("samira").until_on
    row = joint_visit.clearance("samira")
    joint_visit.session.add(
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
    joint_visit.session.flush()
    facts = readiness.judge(joint_visit.visit()).facts
    own = next(member for member in facts.members if member.user_id == row.user_id)
    assert own.cleared_until == until


@pytest.mark.parametrize(
    "values",
    [{"stage": Stage.UNDER_REVIEW}, {"ends_on": dt.date(2199, 12, 31)}],
)
def test_stage_and_days_that_only_the_row_of_a_cooperation_states_make_no_visit_ready(
    joint_visit: JointVisit, values: dict[str, object]
) -> None:
    joint_visit.session.execute(
        sa.update(Cooperation).where(Cooperation.id == joint_visit.cooperation.id).values(values)
    )
    joint_visit.session.commit()
    assert missing_kinds(joint_visit) == {RequirementKind.COOPERATION_DISAGREES}


def test_a_visit_is_not_ready_if_the_terms_on_confidentiality_end_before_it_does(
    joint_visit: JointVisit,
) -> None:
    last = readiness.judge(joint_visit.visit()).facts.confidentiality.last_day
    assert last is not None
    visit = joint_visit.visit()
    beyond = Plan(plan_of(visit).place, last, last + ONE_DAY)
    service.change_plan(joint_visit.actor("pavo"), visit, version=visit.version, plan=beyond)
    assert RequirementKind.CONFIDENTIALITY_RUNS_OUT in missing_kinds(joint_visit)


def test_a_signature_that_no_event_binds_makes_a_visit_not_ready(joint_visit: JointVisit) -> None:
    cooperation_id, revision_id = (
        joint_visit.cooperation.id,
        joint_visit.checklist(ROLES).revision_in_force_id,
    )
    other = joint_visit.user("dina")
    joint_visit.session.rollback()
    with hands() as connection:
        own = Tampering(connection, cooperation_id)
        row = next(row for row in own.rows(SIGNATURES) if row.revision_id == revision_id)
        own.copy(SIGNATURES, row.id, id=other, user_id=other, digest="e" * 64)
    assert judged_again(joint_visit) == 1
    assert_lost(joint_visit, RequirementKind.ROLES, stage=VisitStage.CLEARED)


def test_a_stopped_visit_whose_row_says_otherwise_is_neither_moved_nor_ready(
    app: Flask, joint_visit: JointVisit
) -> None:
    service.stop(joint_visit.actor("pavo"), joint_visit.visit(), reason="The road is closed.")
    before = len(joint_visit.events("visit_stage_changed", "visit_became_ready"))
    joint_visit.session.execute(sa.update(Visit).values(stage=VisitStage.PLANNED))
    joint_visit.session.commit()
    assert judged_again(joint_visit) == 0
    assert len(joint_visit.events("visit_stage_changed", "visit_became_ready")) == before
    joint_visit.session.commit()
    page = f"/cooperations/{joint_visit.reference}/visits/1/ready"
    shown = joint_visit.demonstration.browser(app, "ilena").page(page).text
    assert "What the database says differs from the signatures and the history." in shown
    assert "Yes." not in shown


def test_a_visit_that_was_not_ready_is_not_said_to_have_been_once_its_days_have_passed(
    app: Flask, joint_visit: JointVisit, later: Callable[[dt.date], None]
) -> None:
    undertakings.withdraw(joint_visit.actor("samira"), joint_visit.undertaking("samira").id)
    later(plan_of(joint_visit.visit()).ends_on + ONE_DAY)
    joint_visit.session.execute(sa.update(Visit).values(is_ready=True))
    joint_visit.session.commit()
    page = f"/cooperations/{joint_visit.reference}/visits/1/ready"
    shown = joint_visit.demonstration.browser(app, "ilena").page(page).text
    assert "It was ready." not in shown
    assert "What the database says differs from the signatures and the history." in shown


def test_a_declined_amendment_leaves_a_visit_not_ready(joint_visit: JointVisit) -> None:
    checklist = amend(joint_visit, ROLES, "V6")
    joint_visit.session.flush()
    demo_checklists.send(joint_visit.demo_people, checklist)
    decline_text(
        joint_visit.actor("otto"),
        checklist,
        reason="Not so.",
        items=["V6"],
    )
    assert RequirementKind.ROLES in missing_kinds(joint_visit)
    assert not joint_visit.visit().is_ready


def test_somebody_added_to_the_team_makes_a_visit_not_ready(joint_visit: JointVisit) -> None:
    amend(joint_visit, ROLES, "V2", "V4", "V5")
    visit = joint_visit.visit()
    roles = load(joint_visit.checklist(ROLES))
    service.change_team(
        joint_visit.actor("ilena"),
        visit,
        versions={item: service.version_of(roles, item) for item in ("V2", "V3", "V4")},
        planned=team_plan(
            joint_visit,
            members=("leyla", "samira", "marek", "dina"),
            audience=("tomas", "leyla", "otto", "joana", "samira", "henrik", "marek", "dina"),
            gaps="None for a place of this size.",
        ),
    )
    assert joint_visit.members() == {*TEAM, "dina"}
    assert missing_kinds(joint_visit) >= {
        RequirementKind.ROLES_ITEM,
        RequirementKind.NOT_SIGNED,
        RequirementKind.CREDENTIAL,
        RequirementKind.PLAN_NOT_READ,
        # The team was briefed before.
        RequirementKind.MISSED_BRIEFING,
    }
    assert not joint_visit.visit().is_ready
    judged = readiness.judge(joint_visit.visit())
    concerned = {
        requirement.member.name
        for requirement in judged.requirements
        if requirement.member is not None
    }
    assert concerned == {"Dina Faro"}


def test_an_outsider_named_where_nobody_need_be_keeps_a_visit_from_being_planned(
    joint_visit: JointVisit,
) -> None:
    """Who speaks with staff or interprets is on the team, and so cleared."""
    amend(joint_visit, ROLES, "V1", "V9", "V12")
    save(joint_visit, "V1", {**written(joint_visit, "V1"), "language_need": "no"})
    assert not items_left(joint_visit)
    outsider = str(joint_visit.user("henrik"))
    interpreter = {"language": "Maravenan", "interpreter": outsider, "links": "none"}
    save(joint_visit, "V9", {**written(joint_visit, "V9"), "staff": outsider})
    save(joint_visit, "V12", {**written(joint_visit, "V12"), "interpreters": [interpreter]})
    assert items_left(joint_visit) == ["V9", "V12"]


def written(joint_visit: JointVisit, item: str) -> dict[str, Any]:
    answer = load(joint_visit.checklist(ROLES)).sheet.shared(item)
    assert answer is not None
    return dict(answer.values)


def items_left(joint_visit: JointVisit) -> list[str]:
    """Return the items of the roles that J2 waits for."""
    joint_visit.session.flush()
    left = readiness.judge(joint_visit.visit()).requirements
    return [requirement.item.code for requirement in left if requirement.item is not None]


def test_amended_roles_make_a_visit_not_ready_until_new_tasks_are_accepted_and_all_have_signed(
    joint_visit: JointVisit,
) -> None:
    checklist = amend(joint_visit, ROLES, "V5", "V6")
    assert RequirementKind.ROLES in missing_kinds(joint_visit)
    assert not joint_visit.visit().is_ready
    current = load(checklist).sheet.shared("V5")
    assert current is not None
    rows = [dict(row) for row in current.values["roles"]]
    rows[0]["limits"] = "Takes no photographs"
    # All accepted the old words, so the change needs a proposal.
    proposal = positions.propose(
        joint_visit.actor("ilena"),
        checklist,
        "V5",
        {**current.values, "roles": rows},
        answer_id=current.answer_id,
        reason="A limit was forgotten.",
    )
    positions.accept_proposal(joint_visit.actor("samira"), checklist, proposal.id)
    now = load(checklist).sheet.shared("V5")
    assert now is not None
    positions.take_position(
        joint_visit.actor("joana"), checklist, "V5", Stance.ACCEPTS, answer_id=now.answer_id
    )
    unmet = [
        requirement
        for requirement in readiness.judge(joint_visit.visit()).requirements
        if requirement.kind is RequirementKind.ROLE
    ]
    assert len(unmet) == len(TEAM)
    for key in TEAM:
        assert accept_role(joint_visit.actor(key), joint_visit.visit())
    # What the NPM sets and each CSO accepts, such as V6, is agreed while the NPM suggests more. A
    # suggestion that nobody has answered keeps the text from being sent.
    assert obstacles.to_sending(load(checklist)) == []
    current = load(checklist).sheet.shared("V6")
    assert current is not None
    proposal = positions.propose(
        joint_visit.actor("ilena"),
        checklist,
        "V6",
        {**current.values, "method": "Interviews first, then the registers."},
        answer_id=current.answer_id,
        reason="People are taken to court at noon.",
    )
    obstacle = "There's an open suggestion on “Common approach”. Answer it or withdraw it."
    assert [str(words) for words in obstacles.to_sending(load(checklist))] == [obstacle]
    positions.withdraw_proposal(joint_visit.actor("ilena"), checklist, proposal.id)
    assert obstacles.to_sending(load(checklist)) == []
    in_force_again(joint_visit, checklist)
    assert_ready(joint_visit)


# Lost because of the cooperation


def test_new_confidentiality_terms_make_a_visit_not_ready(joint_visit: JointVisit) -> None:
    terms = joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None)
    agreements.amend(joint_visit.actor("ilena"), terms, reason="A longer duty.", items=["C17"])
    # While the amendment is open the old terms and undertakings stay valid.
    assert_ready(joint_visit)
    in_force_again(joint_visit, terms)
    assert {RequirementKind.NOT_SIGNED, RequirementKind.NOT_BRIEFED} <= missing_kinds(joint_visit)
    assert not joint_visit.visit().is_ready


def test_a_cooperation_that_gives_up_visits_makes_a_visit_not_ready(
    joint_visit: JointVisit,
) -> None:
    cooperation = joint_visit.cooperation
    cooperations.set_modes(
        joint_visit.actor("ilena"),
        cooperation,
        version=cooperation.version,
        modes=(Mode.INFO_F,),
        questions=cooperation.questions,
    )
    assert_lost(joint_visit, RequirementKind.NO_MODE, stage=VisitStage.PROPOSED)


def test_a_way_of_working_that_is_not_signed_yet_makes_no_visit_ready(
    joint_visit: JointVisit,
) -> None:
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    agreements.amend(joint_visit.actor("ilena"), terms, reason="A partnership.", items=["M3"])
    cooperation = joint_visit.cooperation
    cooperations.set_modes(
        joint_visit.actor("ilena"),
        cooperation,
        version=cooperation.version,
        modes=(Mode.INFO_F, Mode.OMB_PLUS),
        questions=cooperation.questions,
    )
    assert_lost(joint_visit, RequirementKind.MODE_NOT_SIGNED, stage=VisitStage.PROPOSED)
    with pytest.raises(RefusedError, match="signed"):
        planned(joint_visit)


def test_a_visit_in_ombudsman_plus_is_ready_once_its_standing_plan_is_signed(
    joint_visit: JointVisit,
) -> None:
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    agreements.amend(joint_visit.actor("ilena"), terms, reason="A partnership.", items=["M3"])
    cooperation = joint_visit.cooperation
    modes = (Mode.VISIT, Mode.INFO_F, Mode.OMB_PLUS)
    cooperations.set_modes(
        joint_visit.actor("ilena"),
        cooperation,
        version=cooperation.version,
        modes=modes,
        questions=cooperation.questions,
    )
    answer = load(terms).sheet.shared("M3")
    assert answer is not None
    positions.propose(
        joint_visit.actor("ilena"),
        terms,
        "M3",
        {**answer.values, "in_scope": list(modes)},
        answer_id=answer.answer_id,
        reason="A partnership.",
    )
    proposal = load(terms).proposals[-1]
    positions.accept_proposal(joint_visit.actor("samira"), terms, proposal.id)
    demo_checklists.accept(joint_visit.demo_people, terms, "M3")
    read_second(joint_visit.actor("nadia"), terms)
    # Not everybody has signed that way of working yet.
    assert_ready(joint_visit)
    plan = joint_visit.checklist(URGENT_PLAN, None)
    in_force_again(joint_visit, terms)
    assert_lost(joint_visit, RequirementKind.STANDING_PLAN, stage=VisitStage.CLEARED)
    demo_checklists.fill_in(joint_visit.demo_people, plan)
    in_force_again(joint_visit, plan)
    assert_ready(joint_visit)
    # It names people who can act; the visit's own plan does so as well.
    accounts.suspend(
        joint_visit.actor("iris"), joint_visit.user("tomas"), reason="Lost the telephone."
    )
    assert missing_kinds(joint_visit) >= {
        RequirementKind.PLAN_ITEM,
        RequirementKind.STANDING_PLAN_ITEM,
    }
    accounts.restore(joint_visit.actor("iris"), joint_visit.user("tomas"))
    assert_ready(joint_visit)
    # The signed one stays in force while it's amended.
    agreements.amend(joint_visit.actor("ilena"), plan, reason="New numbers.", items=["U4"])
    assert_ready(joint_visit)


def test_a_plan_fits_a_visit_while_items_that_are_only_recommended_are_left_empty(
    joint_visit: JointVisit,
) -> None:
    both, signers = ("leyla", "samira"), ("tomas", "otto", "henrik")
    day = clock.today() + dt.timedelta(days=21)
    plan_of_visit = Plan("The cells", day, day)
    planned(joint_visit, members=both, audience=(*both, *signers), plan=plan_of_visit)
    plan = joint_visit.checklist(URGENT_PLAN, 2)
    demo_checklists.fill_in(joint_visit.demo_people, plan, leave=("U13", "U18", "U19"))
    assert RequirementKind.PLAN in missing_kinds(joint_visit, 2)
    demo_checklists.send(joint_visit.demo_people, plan)
    demo_checklists.sign(joint_visit.demo_people, plan)
    assert missing_kinds(joint_visit, 2).isdisjoint(
        {RequirementKind.PLAN, RequirementKind.PLAN_ITEM}
    )


# Only the NPM's own people, so that no clearance closes


@pytest.fixture
def of_npm(app: Flask, joint_visit: JointVisit) -> JointVisit:
    """The demonstration with a second visit, only of the NPM's people, that is ready."""
    starting_points.of(app).use(
        "visit_of_npm",
        lambda: _prepare_visit_of_npm(JointVisit(db.session(), joint_visit.demonstration)),
        on="demonstration",
    )
    assert joint_visit.visit(2).is_ready
    return joint_visit


def _prepare_visit_of_npm(joint_visit: JointVisit) -> None:
    first = clock.today() + dt.timedelta(days=21)
    planned(
        joint_visit,
        members=(),
        audience=("tomas",),
        plan=Plan("The harbour cells", first, first),
        gaps="A nurse: none could be found.",
    )
    roles, plan = joint_visit.checklist(ROLES, 2), joint_visit.checklist(URGENT_PLAN, 2)
    aim = load(joint_visit.checklist(ROLES)).sheet.shared("V1")
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
            joint_visit.actor("ilena"), roles, item, AnswerScope.SHARED, values, base_version=1
        )
    to_ilena = {"V16": {"about_member": [str(joint_visit.user("ilena"))]}}
    leave = ("V5", "V8", "V9", "V11", "V12", "V19")
    demo_checklists.fill_in(joint_visit.demo_people, roles, leave=leave, other=to_ilena)
    _settle_on_site(joint_visit, roles)
    ruth = str(joint_visit.user("ruth"))
    by_ruth = {"U5": {"owner": ruth}, "U9": {"recorder": ruth}}
    demo_checklists.fill_in(joint_visit.demo_people, plan, other=by_ruth)
    for key in ("pavo", "ruth"):
        accept_role(joint_visit.actor(key), joint_visit.visit(2))
    for checklist in (roles, plan):
        demo_checklists.send(joint_visit.demo_people, checklist)
        demo_checklists.sign(joint_visit.demo_people, checklist)
    for key in ("pavo", "ruth"):
        confirm_plan(joint_visit.actor(key), joint_visit.visit(2))
    # Leave no clearance that would close with the terms and so affect the visit.
    for key in SIGNERS:
        undertakings.withdraw(joint_visit.actor(key), joint_visit.undertaking(key).id)
    cooperations.end_person(
        joint_visit.actor("samira"),
        joint_visit.cooperation,
        user_id=joint_visit.user("dina"),
        organisation_id=joint_visit.body("od"),
    )
    joint_visit.session.commit()


def _settle_on_site(joint_visit: JointVisit, roles: Checklist) -> None:
    """Write who does what on site, with only the two people on the team."""
    shown = load(joint_visit.checklist(ROLES)).sheet
    pavo, ruth = (str(joint_visit.user(key)) for key in ("pavo", "ruth"))
    tasks = [
        {"person": person, "task": "Interviews", "backup": other, "limits": "Promises nothing"}
        for person, other in ((pavo, ruth), (ruth, pavo))
    ]
    interviews = [{"interviewer": ruth, "group": "All cells", "manner": "alone"}]
    for item, key, rows in (("V5", "roles", tasks), ("V8", "interviews", interviews)):
        before = shown.shared(item)
        assert before is not None
        _answer(joint_visit, roles, item, {**before.values, key: rows})
    report = shown.shared("V19")
    assert report is not None
    parts = [{**row, "author": ruth} for row in report.values["parts"]]
    _answer(joint_visit, roles, "V19", {**report.values, "parts": parts})


def _answer(joint_visit: JointVisit, roles: Checklist, item: str, values: dict[str, Any]) -> None:
    shared = AnswerScope.SHARED
    checklists.save_answer(joint_visit.actor("ilena"), roles, item, shared, values, base_version=0)


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_stopping_the_confidentiality_text_stops_no_visit_of_the_npm_alone(
    of_npm: JointVisit, kind: NoticeKind
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
    of_npm: JointVisit,
) -> None:
    last = plan_of(of_npm.visit(2)).ends_on
    for kind, is_named in ((ChecklistKind.CONFIDENTIALITY, False), (ChecklistKind.TERMS, True)):
        text = of_npm.checklist(kind, None)
        notices.give_notice(
            of_npm.actor("tomas"), text, NoticeKind.SUSPENDED, reason="A leak.", from_on=last
        )
        of_npm.session.commit()
        assert bool(before_a_notice(readiness.read(of_npm.visit(2)))) is is_named


def test_lifting_a_suspension_of_the_confidentiality_text_counts_immediately(
    joint_visit: JointVisit,
) -> None:
    terms = joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None)
    tomas = joint_visit.actor("tomas")
    notice = notices.give_notice(tomas, terms, NoticeKind.SUSPENDED, reason="A leak.")
    joint_visit.session.commit()
    assert RequirementKind.CONFIDENTIALITY in missing_kinds(joint_visit)
    notices.close_notice(tomas, terms, notice.id, reason="It was stopped.")
    joint_visit.session.commit()
    assert RequirementKind.CONFIDENTIALITY not in missing_kinds(joint_visit)


# Each for themselves


def test_nobody_accepts_a_task_twice_or_for_another(joint_visit: JointVisit) -> None:
    assert not accept_role(joint_visit.actor("samira"), joint_visit.visit())
    assert not confirm_plan(joint_visit.actor("samira"), joint_visit.visit())
    for key in ("ilena", "tomas", "henrik", "joana"):
        for act in (accept_role, confirm_plan):
            with pytest.raises(RefusedError):
                act(joint_visit.actor(key), joint_visit.visit())


def test_a_task_not_written_is_not_accepted_and_a_plan_not_in_force_not_confirmed(
    joint_visit: JointVisit,
) -> None:
    visit = planned(joint_visit)
    for act in (accept_role, confirm_plan):
        with pytest.raises(RuleBrokenError):
            act(joint_visit.actor("leyla"), visit)
    # Nor does a confirmation count that was given before.
    checklists.save_answer(
        joint_visit.actor("leyla"),
        joint_visit.checklist(ROLES, 2),
        "V20",
        AnswerScope.PERSON,
        {"read": True},
        base_version=0,
    )
    facts = readiness.judge(visit).facts
    assert not any(member.plan_read for member in facts.members)


@pytest.mark.both_databases
def test_two_simultaneous_last_confirmations_make_a_visit_ready(
    app: Flask, joint_visit: JointVisit
) -> None:
    for key in ("samira", "leyla"):
        unread_by(joint_visit, key)
    assert not joint_visit.visit().is_ready
    joint_visit.session.commit()
    together = Barrier(2)

    def confirm(key: str) -> bool:
        with app.app_context():
            own_scene = JointVisit(db.session(), joint_visit.demonstration)
            together.wait()
            done = confirm_plan(own_scene.actor(key), own_scene.visit())
            db.session.commit()
            return done

    joint_visit.session.commit()
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(confirm, "samira"), threads.submit(confirm, "leyla")]
        assert [future.result(timeout=60) for future in waiting] == [True, True]
    assert_ready(joint_visit)


# How many queries


Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def crowd(joint_visit: JointVisit) -> JointVisit:
    """Two more visits, one of them with more people on the team."""
    planned(joint_visit, members=("leyla",), audience=("leyla",))
    planned(
        joint_visit,
        members=("leyla", "samira", "marek", "nadia", "tomas", "milan", "dina", "henrik"),
        audience=("leyla", "samira", "marek", "nadia", "tomas", "milan", "henrik"),
    )
    joint_visit.session.commit()
    return joint_visit


@pytest.mark.both_databases
def test_judging_takes_as_many_queries_for_many_people_as_for_few(
    crowd: JointVisit, statements: Statements
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
    joint_visit: JointVisit, statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = joint_visit.actor("pavo")
    cooperation_id = joint_visit.cooperation.id

    def count() -> int:
        joint_visit.session.expunge_all()
        with statements() as seen:
            queries.lines(actor, [cooperation_id])
            queries.tasks(actor)
        return len(seen)

    few = count()
    visits = [planned(joint_visit).id for _ in range(3)]
    joint_visit.session.commit()
    assert len(queries.tasks(actor)) == 3
    assert count() == few
    # Those on whose lists a person came last are looked through.
    joint_visit.session.execute(
        sa.update(AudienceMember)
        .where(AudienceMember.subject_id == visits[1])
        .values(from_on=clock.today() + dt.timedelta(days=1))
    )
    joint_visit.session.commit()
    monkeypatch.setattr(queries, "MANY", 1)
    (last,) = queries.tasks(joint_visit.actor("pavo"))
    assert last.number == 3


def test_a_persons_tasks_are_listed_without_planning_details_until_the_days_have_passed(
    joint_visit: JointVisit, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    assert queries.tasks(joint_visit.actor("leyla")) == []
    visit = planned(joint_visit)
    (own,) = queries.tasks(joint_visit.actor("pavo"))
    assert (own.number, own.makes_ready, own.accepts_role, own.confirms_plan) == (
        2,
        True,
        False,
        False,
    )
    roles = joint_visit.checklist(ROLES, 2)
    checklists.save_answer(
        joint_visit.actor("ilena"),
        roles,
        "V5",
        AnswerScope.SHARED,
        {
            "roles": [
                {"person": str(joint_visit.user(key)), "task": "Speaks with persons"}
                for key in ("leyla", "marek")
            ]
        },
        base_version=0,
    )
    (hers,) = queries.tasks(joint_visit.actor("leyla"))
    assert (hers.accepts_role, hers.confirms_plan, hers.makes_ready) == (True, False, False)
    accept_role(joint_visit.actor("leyla"), joint_visit.visit(2))
    assert queries.tasks(joint_visit.actor("leyla")) == []
    # A closed clearance closes the tasks.
    assert len(queries.tasks(joint_visit.actor("marek"))) == 1
    clearances.close(None, joint_visit.clearance("marek"), ClearanceEnd.WITHDRAWN)
    assert queries.tasks(joint_visit.actor("marek")) == []
    last = dt.datetime.combine(plan_of(visit).ends_on, dt.time(12), dt.UTC)
    frozen_time(last)
    assert [own.number for own in queries.tasks(joint_visit.actor("pavo"))] == [2]
    frozen_time(last + dt.timedelta(days=1))
    assert queries.tasks(joint_visit.actor("pavo")) == []


def test_a_moved_visit_asks_each_of_the_team_again_in_my_work_but_not_to_read_an_amended_plan(
    joint_visit: JointVisit,
) -> None:
    visit = joint_visit.visit()
    later = plan_of(visit)
    later = replace(later, ends_on=later.ends_on + dt.timedelta(days=1))
    service.change_plan(joint_visit.actor("ilena"), visit, version=visit.version, plan=later)
    leyla, marek = joint_visit.actor("leyla"), joint_visit.actor("marek")
    for actor in (leyla, marek):
        (own,) = queries.tasks(actor)
        assert (own.accepts_role, own.confirms_plan) == (True, True)
    accept_role(leyla, joint_visit.visit())
    confirm_plan(leyla, joint_visit.visit())
    assert queries.tasks(leyla) == []
    amend(joint_visit, URGENT_PLAN, "U4")
    (own,) = queries.tasks(marek)
    assert (own.accepts_role, own.confirms_plan) == (True, False)


def test_a_person_has_no_tasks_in_a_visit_that_is_closed_to_them(joint_visit: JointVisit) -> None:
    planned(joint_visit, members=("dina",), audience=("dina",))
    for key in ("dina", "milan", "nadia", "greta", "celia"):
        assert queries.tasks(joint_visit.actor(key)) == []
