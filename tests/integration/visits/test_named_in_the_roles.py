"""Whoever the roles or the plan of a visit name outside the team can act, and may know of it."""

import datetime as dt
from uuid import UUID

import pytest
import sqlalchemy as sa

from tests.factories.visits import Scene
from tests.integration.visits.test_readiness import ROLES, amend, missing_kinds, save, written
from tracker.accounts.people import service as accounts
from tracker.cooperations.models import CooperationPerson
from tracker.visits import readiness
from tracker.visits.encryption import plan_of
from tracker.visits.facts import RequirementKind

ONE_DAY = dt.timedelta(days=1)


def name_in_v13(scene: Scene, key: str) -> None:
    save(scene, "V13", {**written(scene, "V13"), "safety_contact": str(scene.user(key))})


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("tomas", None),
        # Of a CSO, listed and cleared; then neither.
        ("joana", None),
        ("dina", RequirementKind.ROLES_PERSON),
        # The lead is inside.
        ("pavo", RequirementKind.SAFETY_CONTACT_UNFIT),
    ],
)
def test_a_visit_is_ready_only_with_a_safety_contact_who_is_outside_and_may_know(
    scene: Scene, key: str, expected: RequirementKind | None
) -> None:
    name_in_v13(scene, key)
    assert missing_kinds(scene) == ({expected} if expected else set())
    assert scene.visit().is_ready is (expected is None)


def test_a_visit_is_not_ready_while_its_safety_contact_is_suspended(scene: Scene) -> None:
    name_in_v13(scene, "milan")
    assert scene.visit().is_ready
    accounts.suspend(scene.actor("iris"), scene.user("milan"), reason="Lost the telephone.")
    assert missing_kinds(scene) == {RequirementKind.SAFETY_CONTACT_UNFIT}
    assert not scene.visit().is_ready
    accounts.restore(scene.actor("iris"), scene.user("milan"))
    assert scene.visit().is_ready


def test_whoever_hears_complaints_is_cleared_like_the_team(scene: Scene) -> None:
    dina = str(scene.user("dina"))
    amend(scene, ROLES, "V16")
    assert RequirementKind.ROLES_PERSON not in missing_kinds(scene)
    save(scene, "V16", {**written(scene, "V16"), "about_member": [dina]})
    unmet = readiness.judge(scene.visit()).requirements
    named = [want for want in unmet if want.kind is RequirementKind.ROLES_PERSON]
    assert [want.member.name for want in named if want.member] == ["Dina Faro"]


def last_day_of(scene: Scene, user_id: UUID, day: dt.date) -> None:
    of_person = CooperationPerson.user_id == user_id
    own = CooperationPerson.cooperation_id == scene.cooperation.id
    row = scene.session.scalars(sa.select(CooperationPerson).where(own, of_person)).one()
    row.until_on = day
    scene.session.flush()


def test_whomever_the_plan_names_takes_part_until_the_last_day(scene: Scene) -> None:
    """Of the NPM too: Tomas speaks for it (U15) and goes on with the case (U17)."""
    tomas, last = scene.user("tomas"), plan_of(scene.visit()).ends_on
    last_day_of(scene, tomas, last)
    assert missing_kinds(scene) == set()
    last_day_of(scene, tomas, last - ONE_DAY)
    assert missing_kinds(scene) == {RequirementKind.PLAN_PERSON_LEAVES}
