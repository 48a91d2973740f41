"""A plan in force names people who can act: while one can't, no visit is ready on it."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.factories.visits import Scene
from tracker.access.actor import Role
from tracker.accounts.people import service as accounts
from tracker.accounts.people.service import NewRole
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import ChecklistState
from tracker.cooperations import service as cooperations
from tracker.visits import readiness
from tracker.visits.facts import RequirementKind


def not_fitting(scene: Scene) -> list[str]:
    """Return the items of the urgent-action plan for which the first visit isn't ready."""
    return [
        requirement.item.code
        for requirement in readiness.judge(scene.visit()).requirements
        if requirement.kind is RequirementKind.PLAN_ITEM and requirement.item is not None
    ]


def suspend(scene: Scene, user_id: UUID) -> None:
    accounts.suspend(scene.actor("iris"), user_id, reason="Lost the telephone.")


def leave(scene: Scene, user_id: UUID) -> None:
    npm = scene.body("npm")
    cooperations.end_person(
        scene.actor("ilena"), scene.cooperation, user_id=user_id, organisation_id=npm
    )


def become_an_outside_expert(scene: Scene, user_id: UUID) -> None:
    role = NewRole(Role.MEMBER, scene.body("npm"), outside_expert=True)
    accounts.give_role(scene.actor("iris"), user_id, role)


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
    scene: Scene, key: str, lose: Callable[[Scene, UUID], None], items: list[str]
) -> None:
    assert scene.visit().is_ready
    lose(scene, scene.user(key))
    assert not scene.visit().is_ready
    assert not_fitting(scene) == items
    # What was signed stays as it is, and in force.
    assert scene.checklist(ChecklistKind.URGENT_PLAN).state is ChecklistState.IN_FORCE


def test_a_visit_is_ready_again_once_the_person_named_in_its_plan_is_back(scene: Scene) -> None:
    suspend(scene, scene.user("tomas"))
    (missing,) = [
        gap for gap in readiness.judge(scene.visit()).missing if "no longer fits" in str(gap.text)
    ]
    assert "U15, U17" in str(missing.text)
    assert "no longer takes part" in str(missing.note)
    accounts.restore(scene.actor("iris"), scene.user("tomas"))
    assert scene.visit().is_ready
