"""What people of the team confirm (V5, V20) counts only as events bind it."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories.evidence.tampering import CHAINS, EVENTS, hands, table_of
from tests.factories.visits import JointVisit, confirm_plan
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


def of(joint_visit: JointVisit, key: str, item: str = "V20") -> sa.ColumnElement[bool]:
    return sa.and_(ANSWERS.c.item == item, ANSWERS.c.owner_id == joint_visit.user(key))


def assert_not_ready(joint_visit: JointVisit, kind: RequirementKind = NOT_READ) -> None:
    assert kind in missing_kinds(joint_visit)
    judged_again(joint_visit)
    assert not joint_visit.visit().is_ready
    assert not readiness.read(joint_visit.visit(), language="en").agrees


def test_a_confirmation_that_was_withdrawn_is_not_put_back_by_hand(joint_visit: JointVisit) -> None:
    unread_by(joint_visit, "leyla")
    assert missing_kinds(joint_visit) == {NOT_READ}
    own = of(joint_visit, "leyla")
    joint_visit.session.commit()
    with hands() as connection:
        newest = connection.scalar(sa.select(sa.func.max(ANSWERS.c.version)).where(own))
        for version, is_current in ((newest, False), (newest - 1, True)):
            connection.execute(
                sa.update(ANSWERS)
                .where(own, ANSWERS.c.version == version)
                .values(is_current=is_current)
            )
    assert_not_ready(joint_visit)


def test_a_confirmation_of_an_earlier_plan_is_not_made_younger_by_hand(
    joint_visit: JointVisit,
) -> None:
    in_force_again(joint_visit, amend(joint_visit, URGENT_PLAN, "U4"))
    assert missing_kinds(joint_visit) == {NOT_READ}
    joint_visit.session.commit()
    with hands() as connection:
        later = clock.now() + dt.timedelta(minutes=1)
        connection.execute(sa.update(ANSWERS).where(ANSWERS.c.item == "V20").values(saved_at=later))
    assert_not_ready(joint_visit)


@pytest.mark.parametrize("item", ["V5", "V20"])
def test_a_confirmation_that_was_changed_by_hand_confirms_nothing(
    joint_visit: JointVisit, item: str
) -> None:
    assert missing_kinds(joint_visit) == set()
    own = of(joint_visit, "leyla", item)
    joint_visit.session.commit()
    with hands() as connection:
        connection.execute(sa.update(ANSWERS).where(own).values(saved_at=clock.now()))
    assert_not_ready(joint_visit, RequirementKind.ROLE if item == "V5" else NOT_READ)


def test_what_people_confirmed_agrees_with_the_events(joint_visit: JointVisit) -> None:
    assert missing_kinds(joint_visit) == set()
    assert readiness.read(joint_visit.visit(), language="en").agrees


ROLES_OF_PEOPLE, PARTS = table_of(Membership), table_of(CooperationPerson)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (ROLES_OF_PEOPLE, {"outside_expert": False}),
        (PARTS, {"until_on": dt.date(2099, 1, 1)}),
    ],
)
def test_a_visit_does_not_become_ready_by_a_role_that_was_changed_by_hand(
    joint_visit: JointVisit, table: sa.Table, values: dict[str, object]
) -> None:
    """Marek is an expert of the NPM from outside, who needs a clearance."""
    unread_by(joint_visit, "leyla")
    judged_again(joint_visit)
    assert not joint_visit.visit().is_ready
    own = table.c.user_id == joint_visit.user("marek")
    joint_visit.session.commit()
    with hands() as connection:
        connection.execute(sa.update(table).where(own).values(values))
    joint_visit.session.expire_all()
    assert confirm_plan(joint_visit.actor("leyla"), joint_visit.visit())
    assert missing_kinds(joint_visit) == {RequirementKind.PEOPLE_DISAGREE}
    judged_again(joint_visit)
    assert not joint_visit.visit().is_ready
    reading = readiness.read(joint_visit.visit(), language="en")
    assert RequirementKind.PEOPLE_DISAGREE in {
        requirement.kind for requirement in reading.judgement.requirements
    }


def test_a_visit_becomes_ready_again_while_roles_agree(joint_visit: JointVisit) -> None:
    unread_by(joint_visit, "leyla")
    judged_again(joint_visit)
    assert not joint_visit.visit().is_ready
    assert confirm_plan(joint_visit.actor("leyla"), joint_visit.visit())
    judged_again(joint_visit)
    assert joint_visit.visit().is_ready


def confirmed_role(joint_visit: JointVisit, key: str) -> Answer:
    own = sa.and_(Answer.item == "V5", Answer.owner_id == joint_visit.user(key), Answer.is_current)
    return joint_visit.session.scalars(sa.select(Answer).where(own)).one()


def test_the_cooperations_chain_proves_nothing_that_an_altered_event_of_the_visit_bound(
    joint_visit: JointVisit,
) -> None:
    visit, own = joint_visit.visit(), confirmed_role(joint_visit, "leyla")
    table, row_id = binding.place_of(own)
    state: dict[str, dict[str, str | list[str | None] | None]] = {
        table: {row_id: binding.digest_of(own)}
    }
    trail.bind_rows(verbs.ROWS_NOTED, visit.cooperation_id, state)
    joint_visit.session.commit()
    assert bound.confirmations_as_recorded(visit, [own]) == {own.id}
    of_visit = sa.select(CHAINS.c.id).where(CHAINS.c.visit_id == visit.id).scalar_subquery()
    joint_visit.session.commit()
    with hands() as connection:
        connection.execute(
            sa.update(EVENTS).where(EVENTS.c.chain_id == of_visit).values(at=clock.now())
        )
    joint_visit.session.expire_all()
    own = confirmed_role(joint_visit, "leyla")
    assert bound.confirmations_as_recorded(joint_visit.visit(), [own]) == frozenset()


def test_an_own_answer_that_a_new_template_shortens_is_bound_before_the_visit_is_judged(
    joint_visit: JointVisit,
) -> None:
    """It still confirms the role, so the visit neither loses its stage nor gets it back."""
    loaded = load(joint_visit.checklist(ChecklistKind.VISIT_ROLES))
    whose = (AnswerScope.PERSON, joint_visit.user("leyla"))
    values = dict(loaded.sheet.answers["V5", *whose].values)
    before = joint_visit.events()
    template_upgrade._cut(loaded, loaded.item("V5"), whose, values)
    assert not service.settle(joint_visit.session.get_one(Visit, loaded.checklist.visit_id))
    joint_visit.session.commit()
    assert joint_visit.events() == before
    assert joint_visit.visit().is_ready
    assert confirmed_role(joint_visit, "leyla").version > 1
    assert integrity.check_all().finding is None


def shared(
    joint_visit: JointVisit, item: str, kind: ChecklistKind = ChecklistKind.VISIT_ROLES
) -> Any:
    own = ANSWERS.c.checklist_id == joint_visit.checklist(kind).id
    return sa.and_(ANSWERS.c.item == item, ANSWERS.c.scope == AnswerScope.SHARED, own)


@pytest.mark.parametrize(
    ("kind", "item", "expected"),
    [
        (ChecklistKind.VISIT_ROLES, "V18", RequirementKind.ROLES),
        (URGENT_PLAN, "U4", RequirementKind.PLAN),
    ],
)
def test_a_signed_answer_that_is_gone_makes_no_visit_ready(
    joint_visit: JointVisit, kind: ChecklistKind, item: str, expected: RequirementKind
) -> None:
    """Encrypted answers can't be written, but another version can be made the current one."""
    assert missing_kinds(joint_visit) == set()
    answer = shared(joint_visit, item, kind)
    joint_visit.session.commit()
    with hands() as connection:
        connection.execute(sa.update(ANSWERS).where(answer).values(is_current=False))
    assert_not_ready(joint_visit, expected)


def test_a_signed_answer_that_is_marked_as_left_out_makes_no_visit_ready(
    joint_visit: JointVisit,
) -> None:
    assert missing_kinds(joint_visit) == set()
    answer = shared(joint_visit, "V18")
    joint_visit.session.commit()
    with hands() as connection:
        connection.execute(sa.update(ANSWERS).where(answer).values(not_applicable=True))
    assert_not_ready(joint_visit, RequirementKind.ROLES)


@pytest.mark.parametrize(
    ("item", "days"),
    [("V1", 1), ("V5", -900), ("V11", 1), ("V12", 1), ("V13", 1), ("V18", 1)],
)
def test_a_visit_does_not_become_ready_by_the_moment_of_an_answer_that_was_changed_by_hand(
    joint_visit: JointVisit, item: str, days: int
) -> None:
    """As if tasks had been accepted after they changed, or letters were for the new place."""
    unread_by(joint_visit, "leyla")
    judged_again(joint_visit)
    answer = shared(joint_visit, item)
    joint_visit.session.commit()
    with hands() as connection:
        moved = clock.now() + dt.timedelta(days=days)
        connection.execute(sa.update(ANSWERS).where(answer).values(saved_at=moved))
    joint_visit.session.expire_all()
    assert confirm_plan(joint_visit.actor("leyla"), joint_visit.visit())
    assert missing_kinds(joint_visit) == {RequirementKind.PEOPLE_DISAGREE}
    judged_again(joint_visit)
    assert not joint_visit.visit().is_ready


def put_back_by_hand(joint_visit: JointVisit, sealed_plan: bytes) -> None:
    own = VISITS.c.id == joint_visit.visit().id
    joint_visit.session.commit()
    with hands() as connection:
        connection.execute(sa.update(VISITS).where(own).values(sealed_plan=sealed_plan))
    joint_visit.session.expire_all()


def test_a_visit_does_not_become_ready_by_place_and_days_that_were_changed_by_hand(
    joint_visit: JointVisit,
) -> None:
    unread_by(joint_visit, "leyla")
    judged_again(joint_visit)
    visit = joint_visit.visit()
    put_plan(visit, plan_of(visit))  # in the same words, but not what was stored last
    sealed_plan = visit.sealed_plan
    joint_visit.session.expire(visit)
    put_back_by_hand(joint_visit, sealed_plan)
    assert confirm_plan(joint_visit.actor("leyla"), joint_visit.visit())
    assert missing_kinds(joint_visit) == {RequirementKind.PEOPLE_DISAGREE}
    judged_again(joint_visit)
    assert not joint_visit.visit().is_ready


def test_a_visit_that_moved_does_not_become_ready_by_its_former_place(
    joint_visit: JointVisit,
) -> None:
    """Its place and days are encrypted, but an earlier row can be copied over a later one."""
    former = joint_visit.visit().sealed_plan
    move(joint_visit, "A place that nobody has letters for")
    assert not joint_visit.visit().is_ready
    put_back_by_hand(joint_visit, former)
    # The first time the stage changes, and its event binds the row as it finds it.
    for _time in range(2):
        judged_again(joint_visit)
        assert missing_kinds(joint_visit) == {RequirementKind.PEOPLE_DISAGREE}
        assert not joint_visit.visit().is_ready
