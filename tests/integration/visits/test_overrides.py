"""An override counts for the list that its page showed, and not for what is asked anew later."""

import datetime as dt

from tests.factories.visits import (
    TEAM,
    Scene,
    accept_role,
    confirm_plan,
    override,
    without_credential_of,
)
from tests.integration.visits.test_readiness import (
    URGENT_PLAN,
    agree_on_the_same_briefing,
    amend,
    assert_ready,
    in_force_again,
    missing_kinds,
    save,
    unread_by,
    written,
)
from tracker.visits import service
from tracker.visits.encryption import Plan, plan_of
from tracker.visits.facts import RequirementKind

ONE_DAY = dt.timedelta(days=1)


def overridden(scene: Scene) -> None:
    override(scene.actor("milan"), scene.visit())
    assert_ready(scene)


def test_a_letter_of_access_for_another_place_is_overridden_again(scene: Scene) -> None:
    without_credential_of(scene, "pavo")
    overridden(scene)
    visit = scene.visit()
    plan = plan_of(visit)
    moved = Plan("Upper Harbour police station", plan.starts_on, plan.ends_on)
    service.change_plan(
        scene.actor("pavo"), visit, version=visit.version, plan=moved, place_type="police"
    )
    for key in TEAM:
        accept_role(scene.actor(key), scene.visit())
        confirm_plan(scene.actor(key), scene.visit())
    save(scene, "V13", written(scene, "V13"))
    agree_on_the_same_briefing(scene)
    assert missing_kinds(scene) == {RequirementKind.CREDENTIAL}
    assert not scene.visit().is_ready
    overridden(scene)


def test_whoever_had_not_read_the_former_plan_reads_the_new_one(scene: Scene) -> None:
    unread_by(scene, "pavo")
    overridden(scene)
    in_force_again(scene, amend(scene, URGENT_PLAN, "U4"))
    for key in TEAM:
        if key != "pavo":
            confirm_plan(scene.actor(key), scene.visit())
    assert missing_kinds(scene) == {RequirementKind.PLAN_NOT_READ}
    assert not scene.visit().is_ready


def test_a_letter_that_runs_out_is_not_overridden_once_it_is_taken_away(scene: Scene) -> None:
    before = written(scene, "V13")
    pavo, short = str(scene.user("pavo")), (plan_of(scene.visit()).ends_on - ONE_DAY).isoformat()
    others = [row for row in before["credentials"] if row["person"] != pavo]
    of_pavo = [
        {**row, "valid_until": short} for row in before["credentials"] if row["person"] == pavo
    ]
    save(scene, "V13", {**before, "credentials": [*others, *of_pavo]})
    assert missing_kinds(scene) == {RequirementKind.CREDENTIAL_RUNS_OUT}
    overridden(scene)
    save(scene, "V13", {**before, "credentials": others})
    assert missing_kinds(scene) == {RequirementKind.CREDENTIAL}
    assert not scene.visit().is_ready
