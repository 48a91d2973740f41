"""What people of the team confirm (V5, V20) counts only as events bind it."""

import datetime as dt

import pytest
import sqlalchemy as sa

from tests.factories.evidence.tampering import hands, table_of
from tests.factories.visits import Scene, confirm_plan
from tests.integration.visits.by_evidence.test_altered_rows import judged_again, missing_kinds
from tests.integration.visits.test_readiness import (
    URGENT_PLAN,
    amend,
    in_force_again,
    unread_by,
)
from tracker.accounts.models import Membership
from tracker.checklists.models import Answer
from tracker.cooperations.models import CooperationPerson
from tracker.core import clock
from tracker.visits import readiness
from tracker.visits.facts import RequirementKind

ANSWERS = table_of(Answer)
NOT_READ = RequirementKind.PLAN_NOT_READ


def of(scene: Scene, key: str, item: str = "V20") -> sa.ColumnElement[bool]:
    return sa.and_(ANSWERS.c.item == item, ANSWERS.c.owner_id == scene.user(key))


def assert_not_ready(scene: Scene, kind: RequirementKind = NOT_READ) -> None:
    assert kind in missing_kinds(scene)
    judged_again(scene)
    assert not scene.visit().is_ready
    assert not readiness.read(scene.visit(), language="en").agrees


def test_a_confirmation_that_was_withdrawn_is_not_put_back_by_hand(scene: Scene) -> None:
    unread_by(scene, "leyla")
    assert missing_kinds(scene) == {NOT_READ}
    own = of(scene, "leyla")
    scene.session.commit()
    with hands() as connection:
        newest = connection.scalar(sa.select(sa.func.max(ANSWERS.c.version)).where(own))
        for version, is_current in ((newest, False), (newest - 1, True)):
            connection.execute(
                sa.update(ANSWERS)
                .where(own, ANSWERS.c.version == version)
                .values(is_current=is_current)
            )
    assert_not_ready(scene)


def test_a_confirmation_of_an_earlier_plan_is_not_made_younger_by_hand(scene: Scene) -> None:
    in_force_again(scene, amend(scene, URGENT_PLAN, "U4"))
    assert missing_kinds(scene) == {NOT_READ}
    scene.session.commit()
    with hands() as connection:
        later = clock.now() + dt.timedelta(minutes=1)
        connection.execute(sa.update(ANSWERS).where(ANSWERS.c.item == "V20").values(saved_at=later))
    assert_not_ready(scene)


@pytest.mark.parametrize("item", ["V5", "V20"])
def test_a_confirmation_that_was_changed_by_hand_confirms_nothing(scene: Scene, item: str) -> None:
    assert missing_kinds(scene) == set()
    own = of(scene, "leyla", item)
    scene.session.commit()
    with hands() as connection:
        connection.execute(sa.update(ANSWERS).where(own).values(saved_at=clock.now()))
    assert_not_ready(scene, RequirementKind.ROLE if item == "V5" else NOT_READ)


def test_what_people_confirmed_agrees_with_the_events(scene: Scene) -> None:
    assert missing_kinds(scene) == set()
    assert readiness.read(scene.visit(), language="en").agrees


ROLES_OF_PEOPLE, PARTS = table_of(Membership), table_of(CooperationPerson)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (ROLES_OF_PEOPLE, {"outside_expert": False}),
        (PARTS, {"until_on": dt.date(2099, 1, 1)}),
    ],
)
def test_a_visit_does_not_become_ready_by_a_role_that_was_changed_by_hand(
    scene: Scene, table: sa.Table, values: dict[str, object]
) -> None:
    """Marek is an expert of the NPM from outside, who needs a clearance."""
    unread_by(scene, "leyla")
    judged_again(scene)
    assert not scene.visit().is_ready
    own = table.c.user_id == scene.user("marek")
    scene.session.commit()
    with hands() as connection:
        connection.execute(sa.update(table).where(own).values(values))
    scene.session.expire_all()
    assert confirm_plan(scene.actor("leyla"), scene.visit())
    assert missing_kinds(scene) == {RequirementKind.PEOPLE_DISAGREE}
    judged_again(scene)
    assert not scene.visit().is_ready
    reading = readiness.read(scene.visit(), language="en")
    assert RequirementKind.PEOPLE_DISAGREE in {
        requirement.kind for requirement in reading.judgement.requirements
    }


def test_a_visit_becomes_ready_again_while_roles_agree(scene: Scene) -> None:
    unread_by(scene, "leyla")
    judged_again(scene)
    assert not scene.visit().is_ready
    assert confirm_plan(scene.actor("leyla"), scene.visit())
    judged_again(scene)
    assert scene.visit().is_ready
