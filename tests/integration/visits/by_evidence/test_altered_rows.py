"""Rows that were changed, deleted or inserted by SQL make no visit ready and clear nobody."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tests.factories.evidence.tampering import hands, table_of
from tests.factories.visits import JointVisit, planned
from tracker.activity.stale import recompute
from tracker.cooperations import people
from tracker.cooperations.models import AudienceMember, Clearance, ClearanceBar
from tracker.lifecycle import queries as lifecycle
from tracker.undertakings import adding, clearing_states
from tracker.undertakings.models import (
    AddedInterest,
    InterestsDecision,
    Reach,
)
from tracker.undertakings.places import Places
from tracker.visits import queries, readiness, service
from tracker.visits.encryption import plan_of
from tracker.visits.facts import RequirementKind
from tracker.visits.models import TeamMember

INTERESTS, BARS = table_of(AddedInterest), table_of(ClearanceBar)
TEAM, LISTED = table_of(TeamMember), table_of(AudienceMember)
CLEARANCES = table_of(Clearance)
DISAGREES = RequirementKind.UNDERTAKING_DISAGREES


def missing_kinds(joint_visit: JointVisit) -> set[RequirementKind]:
    joint_visit.session.expire_all()
    return {requirement.kind for requirement in readiness.judge(joint_visit.visit()).requirements}


def judged_again(joint_visit: JointVisit) -> None:
    for visit in queries.prepared():
        service.settle(visit)


def with_interest(joint_visit: JointVisit, reach: Reach = Reach.NAMED) -> None:
    """Have Leyla add an interest that closes the visit, or all work, to her."""
    name = plan_of(joint_visit.visit()).place if reach is Reach.NAMED else ""
    adding.add(
        joint_visit.actor("leyla"),
        joint_visit.undertaking("leyla").id,
        "A cousin.",
        Places(reach, name=name),
    )
    recompute()
    assert missing_kinds(joint_visit) == {RequirementKind.NOT_DECIDED}
    joint_visit.session.commit()


def beside(joint_visit: JointVisit, key: str = "leyla") -> str:
    """Return what a list of people says beside somebody's name."""
    joint_visit.session.expire_all()
    cooperation = joint_visit.cooperation
    participants = people.by_user(people.people(cooperation.id))
    user_id = joint_visit.user(key)
    words = clearing_states.words_beside(
        joint_visit.actor("tomas"), cooperation.id, [participants[user_id]], joint_visit.visit().id
    )
    return words[user_id]


def accept_in_its_row(connection: Connection, other: UUID) -> None:
    connection.execute(
        sa.update(INTERESTS).values(
            decision=InterestsDecision.ACCEPT, decided_at=dt.datetime.now(dt.UTC)
        )
    )


def delete(connection: Connection, other: UUID) -> None:
    connection.execute(sa.delete(INTERESTS))


def give_away(connection: Connection, other: UUID) -> None:
    connection.execute(sa.update(INTERESTS).values(user_id=other))


@pytest.mark.parametrize(
    ("change", "reach"),
    [
        (accept_in_its_row, Reach.NAMED),
        (delete, Reach.ALL),
        (give_away, Reach.NAMED),
    ],
)
def test_an_interest_that_was_changed_by_hand_lets_no_visit_become_ready(
    joint_visit: JointVisit, change: Callable[[Connection, UUID], None], reach: Reach
) -> None:
    with_interest(joint_visit, reach)
    other = joint_visit.user("samira")
    with hands() as connection:
        change(connection, other)
        connection.execute(sa.delete(BARS))
    assert DISAGREES in missing_kinds(joint_visit)
    judged_again(joint_visit)
    assert not joint_visit.visit().is_ready
    assert not beside(joint_visit).startswith("cleared")


@pytest.mark.parametrize(
    ("change", "reach"),
    [
        ("delete", Reach.NAMED),
        ("delete", Reach.ALL),
        ("give away", Reach.ALL),
        ("move", Reach.NAMED),
    ],
)
def test_a_closed_place_that_was_opened_by_hand_lets_no_visit_become_ready(
    joint_visit: JointVisit, change: str, reach: Reach
) -> None:
    with_interest(joint_visit, reach)
    other = joint_visit.user("samira")
    with hands() as connection:
        if change == "delete":
            connection.execute(sa.delete(BARS))
        elif change == "give away":
            connection.execute(sa.update(BARS).values(user_id=other))
        else:
            connection.execute(sa.update(BARS).values(visit_id=uuid4()))
    assert missing_kinds(joint_visit)
    judged_again(joint_visit)
    assert not joint_visit.visit().is_ready
    assert not beside(joint_visit).startswith("cleared")


def test_an_interest_that_was_inserted_by_hand_is_not_taken_for_somebodys(
    joint_visit: JointVisit,
) -> None:
    with_interest(joint_visit)
    with hands() as connection:
        row = connection.execute(sa.select(INTERESTS)).mappings().one()
        connection.execute(sa.insert(INTERESTS).values(**{**row, "id": uuid4()}))
    assert DISAGREES in missing_kinds(joint_visit)


def test_a_clearance_for_another_visit_that_was_changed_to_this_one_opens_nothing(
    joint_visit: JointVisit,
) -> None:
    visit_id = joint_visit.visit().id
    joint_visit.session.commit()
    with hands() as connection:
        connection.execute(
            sa.update(CLEARANCES)
            .where(CLEARANCES.c.user_id == joint_visit.user("leyla"))
            .values(visit_id=visit_id)
        )
    assert DISAGREES in missing_kinds(joint_visit)


def test_gate_g4_counts_nobody_as_cleared_by_a_row_that_no_event_binds(
    joint_visit: JointVisit,
) -> None:
    def cleared() -> set[str]:
        joint_visit.session.expire_all()
        known = {joint_visit.user(key): key for key in ("leyla", "samira", "marek")}
        people_asked = lifecycle.facts_of(joint_visit.cooperation).people
        return {
            known[who.user_id] for who in people_asked if who.is_cleared and who.user_id in known
        }

    before = cleared()
    assert before >= {"leyla", "samira"}
    joint_visit.session.commit()
    of_leyla = CLEARANCES.c.user_id == joint_visit.user("leyla")
    with hands() as connection:
        later = dt.date(2099, 1, 1)
        connection.execute(sa.update(CLEARANCES).where(of_leyla).values(until_on=later))
    assert cleared() == before - {"leyla"}


def test_somebody_taken_off_the_team_by_hand_makes_no_visit_ready(joint_visit: JointVisit) -> None:
    with_interest(joint_visit)
    with hands() as connection:
        connection.execute(sa.delete(TEAM).where(TEAM.c.user_id == joint_visit.user("leyla")))
    assert RequirementKind.PEOPLE_DISAGREE in missing_kinds(joint_visit)


@pytest.mark.parametrize(
    ("table", "change"),
    [(TEAM, "insert"), (TEAM, "delete"), (LISTED, "insert"), (LISTED, "change")],
)
def test_a_team_or_a_list_that_was_changed_by_hand_makes_a_visit_not_ready(
    joint_visit: JointVisit, table: sa.Table, change: str
) -> None:
    assert missing_kinds(joint_visit) == set()
    user_id, other = joint_visit.user("leyla"), joint_visit.user("nadia")
    joint_visit.session.commit()
    with hands() as connection:
        of_leyla = table.c.user_id == user_id
        if change == "insert":
            row = connection.execute(sa.select(table).where(of_leyla)).mappings().first()
            assert row is not None
            connection.execute(sa.insert(table).values(**{**row, "id": uuid4(), "user_id": other}))
        elif change == "change":
            connection.execute(sa.update(table).where(of_leyla).values(user_id=other))
        else:
            connection.execute(sa.delete(table).where(of_leyla))
    assert RequirementKind.PEOPLE_DISAGREE in missing_kinds(joint_visit)
    judged_again(joint_visit)
    visit = joint_visit.visit()
    assert not visit.is_ready
    assert not readiness.read(visit, language="en").agrees


def test_team_and_list_agree_after_the_acts_that_change_them(joint_visit: JointVisit) -> None:
    planned(joint_visit)
    joint_visit.session.commit()
    joint_visit.session.expire_all()
    kinds = {want.kind for want in readiness.judge(joint_visit.visit(2)).requirements}
    assert RequirementKind.PEOPLE_DISAGREE not in kinds
