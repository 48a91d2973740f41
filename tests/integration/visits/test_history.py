"""What the history reveals about a visit: people who may know of it see more than others."""

import pytest

from tests.factories.visits import Scene, planned
from tracker.activity import queries as trail
from tracker.undertakings import service as undertakings

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(2)]

# What follows from an act of somebody on the team, and when the team leaves.
DERIVED = {
    "visit_stage_changed",
    "visit_became_ready",
    "visit_lost_readiness",
    "team_changed",
    "audience_changed",
}


def read_by(scene: Scene, key: str) -> list[str]:
    lines = trail.history(scene.cooperation.id, reader=scene.actor(key), limit=1000)[1]
    return [line.verb for line in lines]


@pytest.mark.parametrize("key", ["greta", "milan", "nadia", "dina"])
def test_nobody_outside_the_audience_reads_what_a_persons_withdrawal_did_to_a_visit(
    scene: Scene, key: str
) -> None:
    """Right after a named closing it would reveal that this person is on the visit's team."""
    undertakings.withdraw(scene.actor("leyla"), scene.undertaking("leyla").id)
    scene.visit()
    everything = [line.verb for line in trail.history(scene.cooperation.id, limit=1000)[1]]
    assert "visit_lost_readiness" in everything
    outside = read_by(scene, key)
    assert "visit_planned" in outside
    assert not DERIVED & set(outside)
    if key in {"greta", "milan"}:
        assert "undertaking_closed" in outside
    assert set(read_by(scene, "pavo")) >= DERIVED


def test_of_a_visit_they_are_not_listed_for_people_read_no_more_than_others(
    scene: Scene,
) -> None:
    first = read_by(scene, "samira").count("team_changed")
    planned(scene, audience=("leyla",))
    assert first > 0
    assert read_by(scene, "samira").count("team_changed") == first
    assert read_by(scene, "leyla").count("team_changed") > first
