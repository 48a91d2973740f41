"""What people of the team confirm (V5, V20) counts only as events bind it."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories.evidence.tampering import CHAINS, EVENTS, hands, table_of
from tests.factories.visits import Scene, confirm_plan
from tests.integration.visits.by_evidence.test_altered_rows import judged_again, missing_kinds
from tests.integration.visits.test_bars import move
from tests.integration.visits.test_readiness import (
    URGENT_PLAN,
    amend,
    in_force_again,
    unread_by,
)
from tracker.accounts.models import Membership
from tracker.activity import binding, verbs
from tracker.activity import service as trail
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists.loading import load
from tracker.checklists.models import Answer
from tracker.checklists.reuse import template_upgrade
from tracker.cooperations.models import CooperationPerson
from tracker.core import clock
from tracker.oversight import integrity
from tracker.visits import bound, readiness, service
from tracker.visits.encryption import plan_of, put_plan
from tracker.visits.facts import RequirementKind
from tracker.visits.models import Visit

ANSWERS, VISITS = table_of(Answer), table_of(Visit)
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


def confirmed_role(scene: Scene, key: str) -> Answer:
    own = sa.and_(Answer.item == "V5", Answer.owner_id == scene.user(key), Answer.is_current)
    return scene.session.scalars(sa.select(Answer).where(own)).one()


def test_the_cooperations_chain_proves_nothing_that_an_altered_event_of_the_visit_bound(
    scene: Scene,
) -> None:
    visit, own = scene.visit(), confirmed_role(scene, "leyla")
    table, row_id = binding.place_of(own)
    state: dict[str, dict[str, str | list[str | None] | None]] = {
        table: {row_id: binding.digest_of(own)}
    }
    trail.bind_rows(verbs.ROWS_NOTED, visit.cooperation_id, state)
    scene.session.commit()
    assert bound.confirmations_as_recorded(visit, [own]) == {own.id}
    of_visit = sa.select(CHAINS.c.id).where(CHAINS.c.visit_id == visit.id).scalar_subquery()
    scene.session.commit()
    with hands() as connection:
        connection.execute(
            sa.update(EVENTS).where(EVENTS.c.chain_id == of_visit).values(at=clock.now())
        )
    scene.session.expire_all()
    own = confirmed_role(scene, "leyla")
    assert bound.confirmations_as_recorded(scene.visit(), [own]) == frozenset()


def test_an_own_answer_that_a_new_template_shortens_is_bound_before_the_visit_is_judged(
    scene: Scene,
) -> None:
    """It still confirms the role, so the visit neither loses its stage nor gets it back."""
    loaded = load(scene.checklist(ChecklistKind.VISIT_ROLES))
    whose = (AnswerScope.PERSON, scene.user("leyla"))
    values = dict(loaded.sheet.answers["V5", *whose].values)
    before = scene.events()
    template_upgrade._cut(loaded, loaded.item("V5"), whose, values)
    assert not service.settle(scene.session.get_one(Visit, loaded.checklist.visit_id))
    scene.session.commit()
    assert scene.events() == before
    assert scene.visit().is_ready
    assert confirmed_role(scene, "leyla").version > 1
    assert integrity.check_all().finding is None


def shared(scene: Scene, item: str, kind: ChecklistKind = ChecklistKind.VISIT_ROLES) -> Any:
    own = ANSWERS.c.checklist_id == scene.checklist(kind).id
    return sa.and_(ANSWERS.c.item == item, ANSWERS.c.scope == AnswerScope.SHARED, own)


@pytest.mark.parametrize(
    ("kind", "item", "expected"),
    [
        (ChecklistKind.VISIT_ROLES, "V18", RequirementKind.ROLES),
        (URGENT_PLAN, "U4", RequirementKind.PLAN),
    ],
)
def test_a_signed_answer_that_is_gone_makes_no_visit_ready(
    scene: Scene, kind: ChecklistKind, item: str, expected: RequirementKind
) -> None:
    """Encrypted answers can't be written, but another version can be made the current one."""
    assert missing_kinds(scene) == set()
    answer = shared(scene, item, kind)
    scene.session.commit()
    with hands() as connection:
        connection.execute(sa.update(ANSWERS).where(answer).values(is_current=False))
    assert_not_ready(scene, expected)


def test_a_signed_answer_that_is_marked_as_left_out_makes_no_visit_ready(scene: Scene) -> None:
    assert missing_kinds(scene) == set()
    answer = shared(scene, "V18")
    scene.session.commit()
    with hands() as connection:
        connection.execute(sa.update(ANSWERS).where(answer).values(not_applicable=True))
    assert_not_ready(scene, RequirementKind.ROLES)


@pytest.mark.parametrize(
    ("item", "days"),
    [("V1", 1), ("V5", -900), ("V11", 1), ("V12", 1), ("V13", 1), ("V18", 1)],
)
def test_a_visit_does_not_become_ready_by_the_moment_of_an_answer_that_was_changed_by_hand(
    scene: Scene, item: str, days: int
) -> None:
    """As if tasks had been accepted after they changed, or letters were for the new place."""
    unread_by(scene, "leyla")
    judged_again(scene)
    answer = shared(scene, item)
    scene.session.commit()
    with hands() as connection:
        moved = clock.now() + dt.timedelta(days=days)
        connection.execute(sa.update(ANSWERS).where(answer).values(saved_at=moved))
    scene.session.expire_all()
    assert confirm_plan(scene.actor("leyla"), scene.visit())
    assert missing_kinds(scene) == {RequirementKind.PEOPLE_DISAGREE}
    judged_again(scene)
    assert not scene.visit().is_ready


def put_back_by_hand(scene: Scene, sealed_plan: bytes) -> None:
    own = VISITS.c.id == scene.visit().id
    scene.session.commit()
    with hands() as connection:
        connection.execute(sa.update(VISITS).where(own).values(sealed_plan=sealed_plan))
    scene.session.expire_all()


def test_a_visit_does_not_become_ready_by_place_and_days_that_were_changed_by_hand(
    scene: Scene,
) -> None:
    unread_by(scene, "leyla")
    judged_again(scene)
    visit = scene.visit()
    put_plan(visit, plan_of(visit))  # in the same words, but not what was stored last
    sealed_plan = visit.sealed_plan
    scene.session.expire(visit)
    put_back_by_hand(scene, sealed_plan)
    assert confirm_plan(scene.actor("leyla"), scene.visit())
    assert missing_kinds(scene) == {RequirementKind.PEOPLE_DISAGREE}
    judged_again(scene)
    assert not scene.visit().is_ready


def test_a_visit_that_moved_does_not_become_ready_by_its_former_place(scene: Scene) -> None:
    """Its place and days are encrypted, but an earlier row can be copied over a later one."""
    former = scene.visit().sealed_plan
    move(scene, "A place that nobody has letters for")
    assert not scene.visit().is_ready
    put_back_by_hand(scene, former)
    # The first time the stage changes, and its event binds the row as it finds it.
    for _time in range(2):
        judged_again(scene)
        assert missing_kinds(scene) == {RequirementKind.PEOPLE_DISAGREE}
        assert not scene.visit().is_ready
