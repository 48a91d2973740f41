"""A plan in force names people who can act: while one can't, no visit is ready on it."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask

from tests.factories.visits import JointVisit, planned
from tracker.access.actor import Role
from tracker.accounts.models import User
from tracker.accounts.people import service as accounts
from tracker.accounts.people.service import NewRole
from tracker.activity.stale import recompute
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import ChecklistState
from tracker.checklists.negotiation import positions
from tracker.cooperations import service as cooperations
from tracker.core import clock
from tracker.dashboard.my_work import checklist_tasks
from tracker.demo import checklists as demo_checklists
from tracker.mail import addresses
from tracker.ui.tasks import Waiting
from tracker.visits import readiness
from tracker.visits.encryption import Plan
from tracker.visits.excusing import Shown, shown
from tracker.visits.facts import RequirementKind, Signing
from tracker.visits.models import Visit


def not_fitting(joint_visit: JointVisit) -> list[str]:
    """Return the items of the urgent-action plan for which the first visit isn't ready."""
    return [
        requirement.item.code
        for requirement in readiness.judge(joint_visit.visit()).requirements
        if requirement.kind is RequirementKind.PLAN_ITEM and requirement.item is not None
    ]


def suspend(joint_visit: JointVisit, user_id: UUID) -> None:
    accounts.suspend(joint_visit.actor("iris"), user_id, reason="Lost the telephone.")


def leave(joint_visit: JointVisit, user_id: UUID) -> None:
    npm = joint_visit.body("npm")
    cooperations.end_person(
        joint_visit.actor("ilena"), joint_visit.cooperation, user_id=user_id, organisation_id=npm
    )


def become_an_outside_expert(joint_visit: JointVisit, user_id: UUID) -> None:
    role = NewRole(Role.MEMBER, joint_visit.body("npm"), outside_expert=True)
    accounts.give_role(joint_visit.actor("iris"), user_id, role)


@pytest.mark.parametrize(
    ("key", "lose", "items"),
    [
        ("tomas", suspend, ["U15", "U17"]),
        ("tomas", leave, ["U15", "U17"]),
        ("ruth", leave, ["U3", "U14", "U11", "U16", "U17"]),
        # Whoever decides is one of the NPM's own people (U3), or the parties said why not (U7, S7).
        ("ilena", become_an_outside_expert, ["U3", "U7"]),
    ],
)
def test_no_visit_is_ready_while_its_plan_names_somebody_who_cannot_act(
    joint_visit: JointVisit, key: str, lose: Callable[[JointVisit, UUID], None], items: list[str]
) -> None:
    assert joint_visit.visit().is_ready
    lose(joint_visit, joint_visit.user(key))
    assert not joint_visit.visit().is_ready
    assert not_fitting(joint_visit) == items
    # What was signed stays as it is, and in force.
    assert joint_visit.checklist(ChecklistKind.URGENT_PLAN).state is ChecklistState.IN_FORCE


def test_another_person_who_cannot_act_gives_an_item_another_reason(
    joint_visit: JointVisit,
) -> None:
    """So that an override that was about one of them doesn't excuse the other (J3)."""

    def reasons() -> frozenset[Shown]:
        judgement = readiness.judge(joint_visit.visit())
        return frozenset(
            part
            for requirement in judgement.requirements
            if requirement.kind is RequirementKind.PLAN_ITEM
            and requirement.item is not None
            and requirement.item.code == "U17"
            for part in shown(requirement, judgement.facts)
        )

    suspend(joint_visit, joint_visit.user("tomas"))
    before = reasons()
    leave(joint_visit, joint_visit.user("ruth"))
    both = reasons()
    assert before < both
    accounts.restore(joint_visit.actor("iris"), joint_visit.user("tomas"))
    assert reasons() == both - before


def test_a_visit_is_ready_again_once_the_person_named_in_its_plan_is_back(
    joint_visit: JointVisit,
) -> None:
    suspend(joint_visit, joint_visit.user("tomas"))
    (missing,) = [
        gap
        for gap in readiness.judge(joint_visit.visit()).missing
        if "no longer fits" in str(gap.text)
    ]
    assert "“Public silence or statement”, “If nothing happens”" in str(missing.text)
    assert "no longer takes part" in str(missing.note)
    accounts.restore(joint_visit.actor("iris"), joint_visit.user("tomas"))
    assert joint_visit.visit().is_ready


def test_whom_a_plan_names_is_cleared_like_the_team_and_a_suggestion_is_answered_before_it_is_sent(
    app: Flask, joint_visit: JointVisit
) -> None:
    ilena, day = joint_visit.actor("ilena"), clock.today() + dt.timedelta(days=21)
    both = ("leyla", "samira")
    visit = planned(joint_visit, members=both, audience=both, plan=Plan("The cells", day, day))
    plan = joint_visit.checklist(ChecklistKind.URGENT_PLAN, 2)
    demo_checklists.fill_in(joint_visit.demo_people, plan)
    assert (signing(visit), named(visit)) == (Signing.TO_SEND, ())
    assert work(app, joint_visit) == ["Send the urgent-action plan for signature"]
    sheet = load(plan).sheet
    access, steps = sheet.shared("U10"), sheet.shared("U4")
    assert access is not None
    assert steps is not None
    # The CSOs accepted it, so the NPM can only suggest another time.
    values = {**steps.values, "steps": [row | {"hours": 1} for row in steps.values["steps"]]}
    positions.propose(
        ilena, plan, "U4", values, answer_id=steps.answer_id, reason="We can be faster."
    )
    (obstacle,) = readiness.judge(visit).facts.plan.obstacles
    assert (signing(visit), "open suggestion on “Time limits”" in str(obstacle)) == (
        Signing.HELD_UP,
        True,
    )
    assert work(app, joint_visit) == ["1 suggestion to answer"]
    lawyer = {"role": "Lawyer", "access": "own_part", "person": str(joint_visit.user("dina"))}
    rows = [*access.values["access"], lawyer]
    values = {**access.values, "access": rows}
    checklists.save_answer(ilena, plan, "U10", AnswerScope.SHARED, values, base_version=1)
    recompute()
    assert named(visit) == ("Dina Faro",)


def test_what_all_agreed_in_a_plan_is_not_judged_anew_until_its_item_is_amended(
    joint_visit: JointVisit,
) -> None:
    """The reason why one person decides in several places (U3) counts even if the NPM grows."""
    plan = joint_visit.checklist(ChecklistKind.URGENT_PLAN)
    assert load(plan).surroundings.reopened == frozenset()
    agreements.amend(joint_visit.actor("ilena"), plan, reason="It changed.", items=["U4"])
    assert load(plan).surroundings.reopened == frozenset({"U4"})
    demo_checklists.send(joint_visit.demo_people, plan)
    assert load(plan).surroundings.reopened == frozenset()
    planned(joint_visit)
    assert load(joint_visit.checklist(ChecklistKind.URGENT_PLAN, 2)).surroundings.reopened is None


def test_a_reason_for_one_person_in_several_places_is_judged_anew_if_their_item_is_written(
    joint_visit: JointVisit,
) -> None:
    """An item can be written that no amendment reopened, once somebody named there has left."""
    plan, ilena = joint_visit.checklist(ChecklistKind.URGENT_PLAN), joint_visit.actor("ilena")
    agreements.amend(ilena, plan, reason="It changed.", items=["U4"])
    leave(joint_visit, joint_visit.user("ruth"))
    deciding = load(plan).sheet.shared("U3")
    assert deciding is not None
    values = {**deciding.values, "same_person": "We are few."}
    values |= dict.fromkeys(("on_site", "headquarters", "stand_in"), str(ilena.user_id))
    checklists.save_answer(
        ilena, plan, "U3", AnswerScope.SHARED, values, base_version=deciding.version
    )
    (problem,) = load(plan).standing().items["U3"].problems
    assert "A reason counts only if fewer people of the NPM" in str(problem.message)


def test_whoever_of_the_npm_has_no_account_is_known_to_the_rules(joint_visit: JointVisit) -> None:
    plan = joint_visit.checklist(ChecklistKind.URGENT_PLAN)
    assert load(plan).surroundings.without_account == frozenset()
    milan = joint_visit.session.get_one(User, joint_visit.user("milan"))
    milan.email = addresses.of_nobody(milan.id)
    joint_visit.session.commit()
    around = load(joint_visit.checklist(ChecklistKind.URGENT_PLAN)).surroundings
    assert around.without_account == {milan.id}
    assert milan.id in around.npm_people & around.non_readers


def work(app: Flask, joint_visit: JointVisit) -> list[str]:
    """Return what the NPM's coordinator has to do about the second visit's plan."""
    recompute()
    with app.test_request_context():
        mine = checklist_tasks(joint_visit.actor("ilena")).mine
        about = [task for task in mine if isinstance(task, Waiting)]
        plans = [task for task in about if task.subject[0].visit_id == joint_visit.visit(2).id]
        shown = [line for task in plans for line in task.tell([task.subject])]
        return [
            str(words)
            for task in shown
            if "roles" not in str(task.label).lower()
            for words in [part.words for part in task.parts] or [task.label]
        ]


def signing(visit: Visit) -> Signing:
    return readiness.judge(visit).facts.plan.signing


def named(visit: Visit) -> tuple[str, ...]:
    """Return whom the plan names without the clearance that they need."""
    return tuple(
        requirement.member.name
        for requirement in readiness.judge(visit).requirements
        if requirement.kind is RequirementKind.PLAN_PERSON and requirement.member is not None
    )
