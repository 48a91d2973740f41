"""An override counts for the list that its page showed, and not for what is asked anew later."""

import datetime as dt

from tests.factories.visits import (
    TEAM,
    JointVisit,
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


def overridden(joint_visit: JointVisit) -> None:
    override(joint_visit.actor("milan"), joint_visit.visit())
    assert_ready(joint_visit)


def test_a_letter_of_access_for_another_place_is_overridden_again(joint_visit: JointVisit) -> None:
    without_credential_of(joint_visit, "pavo")
    overridden(joint_visit)
    visit = joint_visit.visit()
    plan = plan_of(visit)
    moved = Plan("Upper Harbour police station", plan.starts_on, plan.ends_on)
    service.change_plan(
        joint_visit.actor("pavo"), visit, version=visit.version, plan=moved, place_type="police"
    )
    for key in TEAM:
        accept_role(joint_visit.actor(key), joint_visit.visit())
        confirm_plan(joint_visit.actor(key), joint_visit.visit())
    save(joint_visit, "V13", written(joint_visit, "V13"))
    agree_on_the_same_briefing(joint_visit)
    assert missing_kinds(joint_visit) == {RequirementKind.CREDENTIAL}
    assert not joint_visit.visit().is_ready
    overridden(joint_visit)


def test_whoever_had_not_read_the_former_plan_reads_the_new_one(joint_visit: JointVisit) -> None:
    unread_by(joint_visit, "pavo")
    overridden(joint_visit)
    in_force_again(joint_visit, amend(joint_visit, URGENT_PLAN, "U4"))
    for key in TEAM:
        if key != "pavo":
            confirm_plan(joint_visit.actor(key), joint_visit.visit())
    assert missing_kinds(joint_visit) == {RequirementKind.PLAN_NOT_READ}
    assert not joint_visit.visit().is_ready


def letter_until(joint_visit: JointVisit, day: dt.date | None, **more: str) -> None:
    """Write in V13 until when Pavo's letter of access is valid; None: he has none."""
    before = written(joint_visit, "V13")
    pavo = str(joint_visit.user("pavo"))
    rows = [row for row in before["credentials"] if row["person"] != pavo]
    if day is not None:
        rows.append({"person": pavo, "credential": "Letter", "valid_until": day.isoformat()})
    save(joint_visit, "V13", {**before, "credentials": rows, **more})


def test_an_override_of_a_letter_that_runs_out_covers_that_day_alone(
    joint_visit: JointVisit,
) -> None:
    short = plan_of(joint_visit.visit()).ends_on - ONE_DAY
    letter_until(joint_visit, short)
    assert missing_kinds(joint_visit) == {RequirementKind.CREDENTIAL_RUNS_OUT}
    overridden(joint_visit)
    # Another answer of the same item changes nothing.
    letter_until(joint_visit, short, safety_phone="+000 555 099")
    assert_ready(joint_visit)
    letter_until(joint_visit, short - ONE_DAY)
    assert missing_kinds(joint_visit) == {RequirementKind.CREDENTIAL_RUNS_OUT}
    assert not joint_visit.visit().is_ready
    overridden(joint_visit)
    letter_until(joint_visit, None)
    assert missing_kinds(joint_visit) == {RequirementKind.CREDENTIAL}
    assert not joint_visit.visit().is_ready


def test_what_an_override_excuses_is_stored_as_keyed_digests(joint_visit: JointVisit) -> None:
    """The day on which a letter runs out is known only to those listed for the visit (K2)."""
    letter_until(joint_visit, plan_of(joint_visit.visit()).ends_on - ONE_DAY)
    reading = readiness.read(joint_visit.visit())
    (plain,) = policy.to_excuse(reading.judgement)[0]
    overridden(joint_visit)
    (stored,) = queries.overrides_of(joint_visit.visit().id)
    (digest,) = stored.excused
    assert len(digest) == 64
    assert digest != canonical.digest_of(list(plain))
    second = planned(joint_visit)
    assert encryption.to_excuse(second, [plain]) != stored.excused
    assert plain in encryption.excused_by(joint_visit.visit(), stored)
    assert plain not in encryption.excused_by(second, stored)
    # Overrides once stored what was missing, and not on which day.
    stored.excused = [f"V13_valid_until:{joint_visit.user('pavo')}"]
    assert plain not in encryption.excused_by(joint_visit.visit(), stored)
