"""Whoever the roles or the plan of a visit name outside the team can act, and may know of it."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa

from tests.factories.visits import JointVisit, override
from tests.integration.visits.test_readiness import (
    ROLES,
    amend,
    assert_ready,
    in_force_again,
    missing_kinds,
    save,
    written,
)
from tracker.accounts.people import service as accounts
from tracker.cooperations.models import CooperationPerson
from tracker.core import clock
from tracker.core.errors import RuleBrokenError
from tracker.visits import readiness
from tracker.visits.encryption import plan_of
from tracker.visits.facts import RequirementKind

ONE_DAY = dt.timedelta(days=1)


def name_in_v13(joint_visit: JointVisit, key: str) -> None:
    save(
        joint_visit,
        "V13",
        {**written(joint_visit, "V13"), "safety_contact": str(joint_visit.user(key))},
    )


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("tomas", set()),
        # Of the NPM, but not on the list.
        ("milan", {RequirementKind.ROLES_PERSON_NOT_LISTED}),
        # Of a CSO, listed and cleared; then neither.
        ("joana", set()),
        ("dina", {RequirementKind.ROLES_PERSON, RequirementKind.ROLES_PERSON_NOT_LISTED}),
        # The lead is inside.
        ("pavo", {RequirementKind.SAFETY_CONTACT_UNFIT}),
    ],
)
def test_a_visit_is_ready_only_with_a_safety_contact_who_is_outside_and_may_know(
    joint_visit: JointVisit, key: str, expected: set[RequirementKind]
) -> None:
    name_in_v13(joint_visit, key)
    assert missing_kinds(joint_visit) == expected
    assert joint_visit.visit().is_ready is (not expected)


def test_a_safety_contact_may_know_of_the_visit_from_its_first_day(
    joint_visit: JointVisit, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    first = plan_of(joint_visit.visit()).starts_on
    name_in_v13(joint_visit, "joana")
    for day, is_in_time in ((first, True), (first + ONE_DAY, False)):
        listed_from(joint_visit, "joana", day)
        expected = set() if is_in_time else {RequirementKind.ROLES_PERSON_NOT_LISTED}
        assert missing_kinds(joint_visit) == expected
    # Somebody else may be named during the visit, and be listed from that day on.
    frozen_time(dt.datetime.combine(first + ONE_DAY, dt.time(10), tzinfo=clock.zone()))
    assert missing_kinds(joint_visit) == set()


def test_a_manager_lets_a_colleague_replace_a_safety_contact_on_the_day_with_a_reason(
    joint_visit: JointVisit, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    """To list them in V2, the CSO on the team would have to sign an amendment first."""
    first = plan_of(joint_visit.visit()).starts_on
    frozen_time(dt.datetime.combine(first, dt.time(6), tzinfo=clock.zone()))
    name_in_v13(joint_visit, "milan")
    assert not joint_visit.visit().is_ready
    override(joint_visit.actor("milan"), joint_visit.visit())
    assert_ready(joint_visit)
    # Nobody excuses that a partner's person is told without being listed.
    name_in_v13(joint_visit, "dina")
    with pytest.raises(RuleBrokenError, match="An override only excuses"):
        override(joint_visit.actor("milan"), joint_visit.visit())


def listed_from(joint_visit: JointVisit, key: str, day: dt.date) -> None:
    roles = amend(joint_visit, ROLES, "V2")
    before = written(joint_visit, "V2")
    row = {"person": str(joint_visit.user(key)), "from": day.isoformat()}
    others = [other for other in before["audience"] if other["person"] != row["person"]]
    save(joint_visit, "V2", {**before, "audience": [*others, row]})
    in_force_again(joint_visit, roles)


def list_in_v2(joint_visit: JointVisit, key: str) -> None:
    listed_from(joint_visit, key, clock.today())


def test_a_visit_is_not_ready_while_its_safety_contact_is_suspended(
    joint_visit: JointVisit,
) -> None:
    list_in_v2(joint_visit, "milan")
    name_in_v13(joint_visit, "milan")
    assert joint_visit.visit().is_ready
    accounts.suspend(
        joint_visit.actor("iris"), joint_visit.user("milan"), reason="Lost the telephone."
    )
    assert missing_kinds(joint_visit) == {
        RequirementKind.SAFETY_CONTACT_UNFIT,
        # The list names them too (V2).
        RequirementKind.ROLES_ITEM,
    }
    assert not joint_visit.visit().is_ready
    accounts.restore(joint_visit.actor("iris"), joint_visit.user("milan"))
    assert joint_visit.visit().is_ready


def test_whoever_hears_complaints_is_cleared_like_the_team(joint_visit: JointVisit) -> None:
    dina = str(joint_visit.user("dina"))
    amend(joint_visit, ROLES, "V16")
    assert RequirementKind.ROLES_PERSON not in missing_kinds(joint_visit)
    save(joint_visit, "V16", {**written(joint_visit, "V16"), "about_member": [dina]})
    unmet = readiness.judge(joint_visit.visit()).requirements
    named = [want for want in unmet if want.kind is RequirementKind.ROLES_PERSON]
    assert [want.member.name for want in named if want.member] == ["Dina Faro"]


def last_day_of(joint_visit: JointVisit, user_id: UUID, day: dt.date) -> None:
    of_person = CooperationPerson.user_id == user_id
    own = CooperationPerson.cooperation_id == joint_visit.cooperation.id
    row = joint_visit.session.scalars(sa.select(CooperationPerson).where(own, of_person)).one()
    row.until_on = day
    joint_visit.session.commit()


def test_whomever_the_plan_names_takes_part_until_the_last_day(joint_visit: JointVisit) -> None:
    """Of the NPM too: Tomas speaks for it (U15) and goes on with the case (U17)."""
    tomas, last = joint_visit.user("tomas"), plan_of(joint_visit.visit()).ends_on
    last_day_of(joint_visit, tomas, last)
    assert missing_kinds(joint_visit) == set()
    last_day_of(joint_visit, tomas, last - ONE_DAY)
    assert missing_kinds(joint_visit) == {RequirementKind.PLAN_PERSON_LEAVES}
