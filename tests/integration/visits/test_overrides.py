"""An override counts for the list that its page showed, and not for what is asked anew later."""

import datetime as dt

from tests.factories.visits import (
    TEAM,
    Scene,
    accept_role,
    confirm_plan,
    override,
    planned,
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
from tracker.core import canonical
from tracker.visits import encryption, policy, queries, readiness, service
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


def letter_until(scene: Scene, day: dt.date | None, **more: str) -> None:
    """Write in V13 until when Pavo's letter of access is valid; None: he has none."""
    before = written(scene, "V13")
    pavo = str(scene.user("pavo"))
    rows = [row for row in before["credentials"] if row["person"] != pavo]
    if day is not None:
        rows.append({"person": pavo, "credential": "Letter", "valid_until": day.isoformat()})
    save(scene, "V13", {**before, "credentials": rows, **more})


def test_an_override_of_a_letter_that_runs_out_covers_that_day_alone(scene: Scene) -> None:
    short = plan_of(scene.visit()).ends_on - ONE_DAY
    letter_until(scene, short)
    assert missing_kinds(scene) == {RequirementKind.CREDENTIAL_RUNS_OUT}
    overridden(scene)
    # Another answer of the same item changes nothing.
    letter_until(scene, short, safety_phone="+000 555 099")
    assert_ready(scene)
    letter_until(scene, short - ONE_DAY)
    assert missing_kinds(scene) == {RequirementKind.CREDENTIAL_RUNS_OUT}
    assert not scene.visit().is_ready
    overridden(scene)
    letter_until(scene, None)
    assert missing_kinds(scene) == {RequirementKind.CREDENTIAL}
    assert not scene.visit().is_ready


def test_what_an_override_excuses_is_stored_as_keyed_digests(scene: Scene) -> None:
    """The day on which a letter runs out is known only to those listed for the visit (K2)."""
    letter_until(scene, plan_of(scene.visit()).ends_on - ONE_DAY)
    reading = readiness.read(scene.visit())
    (plain,) = policy.to_excuse(reading.judgement)[0]
    overridden(scene)
    (stored,) = queries.overrides_of(scene.visit().id)
    (digest,) = stored.excused
    assert len(digest) == 64
    assert digest != canonical.digest_of(list(plain))
    second = planned(scene)
    assert encryption.to_excuse(second, [plain]) != stored.excused
    assert plain in encryption.excused_by(scene.visit(), stored)
    assert plain not in encryption.excused_by(second, stored)
    # Overrides once stored what was missing, and not on which day.
    stored.excused = [f"V13_valid_until:{scene.user('pavo')}"]
    assert plain not in encryption.excused_by(scene.visit(), stored)
