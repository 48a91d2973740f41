"""Rows that were changed, deleted or inserted by SQL make no visit ready and clear nobody."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tests.factories.evidence.tampering import hands, table_of
from tests.factories.visits import Scene, planned
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


def missing_kinds(scene: Scene) -> set[RequirementKind]:
    scene.session.expire_all()
    return {requirement.kind for requirement in readiness.judge(scene.visit()).requirements}


def judged_again(scene: Scene) -> None:
    for visit in queries.prepared():
        service.settle(visit)


def with_interest(scene: Scene, reach: Reach = Reach.NAMED) -> None:
    """Have Leyla add an interest that closes the visit, or all work, to her."""
    name = plan_of(scene.visit()).place if reach is Reach.NAMED else ""
    adding.add(
        scene.actor("leyla"), scene.undertaking("leyla").id, "A cousin.", Places(reach, name=name)
    )
    recompute()
    assert missing_kinds(scene) == {RequirementKind.NOT_DECIDED}
    scene.session.commit()


def beside(scene: Scene, key: str = "leyla") -> str:
    """Return what a list of people says beside somebody's name."""
    scene.session.expire_all()
    cooperation = scene.cooperation
    participants = people.by_user(people.people(cooperation.id))
    user_id = scene.user(key)
    words = clearing_states.words_beside(
        scene.actor("tomas"), cooperation.id, [participants[user_id]], scene.visit().id
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
    scene: Scene, change: Callable[[Connection, UUID], None], reach: Reach
) -> None:
    with_interest(scene, reach)
    other = scene.user("samira")
    with hands() as connection:
        change(connection, other)
        connection.execute(sa.delete(BARS))
    assert DISAGREES in missing_kinds(scene)
    judged_again(scene)
    assert not scene.visit().is_ready
    assert not beside(scene).startswith("cleared")


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
    scene: Scene, change: str, reach: Reach
) -> None:
    with_interest(scene, reach)
    other = scene.user("samira")
    with hands() as connection:
        if change == "delete":
            connection.execute(sa.delete(BARS))
        elif change == "give away":
            connection.execute(sa.update(BARS).values(user_id=other))
        else:
            connection.execute(sa.update(BARS).values(visit_id=uuid4()))
    assert missing_kinds(scene)
    judged_again(scene)
    assert not scene.visit().is_ready
    assert not beside(scene).startswith("cleared")


def test_an_interest_that_was_inserted_by_hand_is_not_taken_for_somebodys(scene: Scene) -> None:
    with_interest(scene)
    with hands() as connection:
        row = connection.execute(sa.select(INTERESTS)).mappings().one()
        connection.execute(sa.insert(INTERESTS).values(**{**row, "id": uuid4()}))
    assert DISAGREES in missing_kinds(scene)


def test_a_clearance_for_another_visit_that_was_changed_to_this_one_opens_nothing(
    scene: Scene,
) -> None:
    visit_id = scene.visit().id
    scene.session.commit()
    with hands() as connection:
        connection.execute(
            sa.update(CLEARANCES)
            .where(CLEARANCES.c.user_id == scene.user("leyla"))
            .values(visit_id=visit_id)
        )
    assert DISAGREES in missing_kinds(scene)


def test_gate_g4_counts_nobody_as_cleared_by_a_row_that_no_event_binds(scene: Scene) -> None:
    def cleared() -> set[str]:
        scene.session.expire_all()
        known = {scene.user(key): key for key in ("leyla", "samira", "marek")}
        people_asked = lifecycle.facts_of(scene.cooperation).people
        return {
            known[who.user_id] for who in people_asked if who.is_cleared and who.user_id in known
        }

    before = cleared()
    assert before >= {"leyla", "samira"}
    scene.session.commit()
    of_leyla = CLEARANCES.c.user_id == scene.user("leyla")
    with hands() as connection:
        later = dt.date(2099, 1, 1)
        connection.execute(sa.update(CLEARANCES).where(of_leyla).values(until_on=later))
    assert cleared() == before - {"leyla"}


def test_somebody_taken_off_the_team_by_hand_makes_no_visit_ready(scene: Scene) -> None:
    with_interest(scene)
    with hands() as connection:
        connection.execute(sa.delete(TEAM).where(TEAM.c.user_id == scene.user("leyla")))
    assert RequirementKind.PEOPLE_DISAGREE in missing_kinds(scene)


@pytest.mark.parametrize(
    ("table", "change"),
    [(TEAM, "insert"), (TEAM, "delete"), (LISTED, "insert"), (LISTED, "change")],
)
def test_a_team_or_a_list_that_was_changed_by_hand_makes_a_visit_not_ready(
    scene: Scene, table: sa.Table, change: str
) -> None:
    assert missing_kinds(scene) == set()
    user_id, other = scene.user("leyla"), scene.user("nadia")
    scene.session.commit()
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
    assert RequirementKind.PEOPLE_DISAGREE in missing_kinds(scene)
    judged_again(scene)
    visit = scene.visit()
    assert not visit.is_ready
    assert not readiness.read(visit, language="en").agrees


def test_team_and_list_agree_after_the_acts_that_change_them(scene: Scene) -> None:
    planned(scene)
    scene.session.commit()
    scene.session.expire_all()
    kinds = {want.kind for want in readiness.judge(scene.visit(2)).requirements}
    assert RequirementKind.PEOPLE_DISAGREE not in kinds
