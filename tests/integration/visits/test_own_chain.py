"""What people of a team confirm is in the chain of their visit, not in the cooperation's."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.at_once import at_once
from tests.factories.evidence.tampering import (
    CHAINS,
    DETAILS,
    EVENTS,
    Tampering,
    fresh,
    hands,
    table_of,
)
from tests.factories.prior_agreements import forget_visit_chains, seal_again
from tests.factories.visits import TEAM, JointVisit, accept_role, confirm_plan, planned
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.models import Chain
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.models import Answer
from tracker.core.db import db
from tracker.demo import visit as demonstrated
from tracker.evidence.log import checkpoints
from tracker.oversight import integrity, labels
from tracker.oversight.facts import Finding
from tracker.visits import readiness, service, shown
from tracker.visits.encryption import Plan, plan_of
from tracker.visits.models import Visit

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(3)]

# Everybody on the team of the demonstration's visit confirms two things.
CONFIRMED = ("V5", "V20") * len(TEAM)
ROLES = ChecklistKind.VISIT_ROLES
ANSWERS = table_of(Answer)


def prolong(joint_visit: JointVisit) -> None:
    """Change the days of the ready visit: everybody has to confirm again."""
    visit = joint_visit.visit()
    before = plan_of(visit)
    plan = Plan(before.place, before.starts_on, before.ends_on + dt.timedelta(days=1))
    service.change_plan(joint_visit.actor("ilena"), visit, version=visit.version, plan=plan)
    joint_visit.session.commit()


def confirm_again(joint_visit: JointVisit) -> None:
    """Have everybody accept their task and confirm the plan; the visit is ready after the last."""
    for key in (*(key for key in TEAM if key != "marek"), "marek"):
        assert accept_role(joint_visit.actor(key), joint_visit.visit())
        joint_visit.session.commit()
        assert confirm_plan(joint_visit.actor(key), joint_visit.visit())
        joint_visit.session.commit()


def count(joint_visit: JointVisit) -> int:
    joint_visit.session.commit()
    return len(joint_visit.events())


def plan_and_accept(joint_visit: JointVisit, *members: str) -> int:
    """Plan a visit, have everybody accept their task, and return the number of events it took."""
    before = count(joint_visit)
    visit = planned(joint_visit, members=members, audience=members)
    team = {str(joint_visit.user(key)) for key in ("pavo", "ruth", *members)}
    values = demonstrated._answers(joint_visit.demo_people)["V5"]
    rows = next(iter(values.values()))
    tasks = {next(iter(values)): [row for row in rows if row["person"] in team]}
    roles = joint_visit.checklist(ROLES, visit.number)
    checklists.save_answer(
        joint_visit.actor("ilena"), roles, "V5", AnswerScope.SHARED, tasks, base_version=0
    )
    joint_visit.session.commit()
    for key in ("pavo", "ruth", *members):
        assert accept_role(joint_visit.actor(key), joint_visit.visit(visit.number))
        joint_visit.session.commit()
    assert len(joint_visit.confirmations(visit.number)) == 2 + len(members)
    return count(joint_visit) - before


def test_what_people_confirm_adds_only_to_their_visits_chain_whose_end_the_ready_visit_tells(
    joint_visit: JointVisit,
) -> None:
    chain_id = own_chain(joint_visit)
    prolong(joint_visit)
    before, confirmed = count(joint_visit), len(joint_visit.confirmations())
    confirm_again(joint_visit)
    assert {verb for verb, _details in joint_visit.events()[before:]} <= {
        "visit_stage_changed",
        "visit_became_ready",
    }
    own = joint_visit.confirmations()[confirmed:]
    assert [(verb, details["scope"]) for verb, details in own] == [("answer_saved", "person")] * (
        2 * len(TEAM)
    )
    assert integrity.check_all().finding is None
    # If its last event is cut off before a checkpoint covers it, the event tells that made the
    # visit ready.
    assert joint_visit.visit().is_ready
    last = 2 * len(CONFIRMED)
    joint_visit.session.commit()
    cut_short(chain_id, last)
    assert str(labels.finding_words(finding())).startswith(
        f"Chain of a visit of {joint_visit.reference}, after event {last - 1}:"
        " The visit became ready"
    )


def test_people_who_confirm_at_the_same_moment_wait_for_each_other(
    app: Flask, joint_visit: JointVisit
) -> None:
    prolong(joint_visit)
    confirmed = len(joint_visit.confirmations())
    visit_id = joint_visit.visit().id
    acts = []
    for key in ("pavo", "ruth", "leyla", "samira"):
        actor = joint_visit.actor(key)
        mark = shown.task_mark(actor, readiness.read(joint_visit.visit()))
        acts.append(
            lambda actor=actor, mark=mark: service.accept_role(
                actor, db.session.get_one(Visit, visit_id), mark=mark
            )
        )
    joint_visit.session.commit()
    assert at_once(app, *acts) == []
    assert len(joint_visit.confirmations()) == confirmed + len(acts)
    assert integrity.check_all().finding is None


def test_teams_of_two_sizes_leave_as_many_events_in_the_cooperations_chain(
    joint_visit: JointVisit,
) -> None:
    assert plan_and_accept(joint_visit, "leyla") == plan_and_accept(
        joint_visit, "leyla", "samira", "marek"
    )


def test_the_cooperations_chain_has_nothing_that_people_of_a_team_confirmed(
    joint_visit: JointVisit,
) -> None:
    """A bundle contains the verb, time and subject of every event in it."""
    kinds = {ROLES.value, ChecklistKind.URGENT_PLAN.value}
    answers = [details for _verb, details in joint_visit.events("answer_saved")]
    scopes = {details["scope"] for details in answers if details["kind"] in kinds}
    assert "shared" in scopes
    assert "person" not in scopes
    assert len(joint_visit.confirmations()) == len(CONFIRMED)


def test_the_page_that_exports_evidence_warns_only_of_visits_from_before(
    app: Flask, joint_visit: JointVisit
) -> None:
    warning = "a reader can tell how many people are on its team"
    address = f"/cooperations/{joint_visit.reference}/evidence"
    manager = joint_visit.demonstration.browser(app, "henrik")
    assert warning not in manager.page(address).text
    joint_visit.session.commit()
    forget_visit_chains()
    assert warning in manager.page(address).text


# The audit ------------------------------------------------------------------------------------


def own_chain(joint_visit: JointVisit) -> UUID:
    chain_id = joint_visit.session.scalars(
        sa.select(Chain.id).where(Chain.visit_id.is_not(None))
    ).one()
    joint_visit.session.rollback()
    return chain_id


def event_id(tampering: Tampering, chain_id: UUID, number: int) -> UUID:
    event: UUID = tampering.connection.scalars(
        sa.select(EVENTS.c.id).where(EVENTS.c.chain_id == chain_id, EVENTS.c.number == number)
    ).one()
    return event


def confirmation(tampering: Tampering) -> UUID:
    query = sa.select(ANSWERS.c.id).where(
        ANSWERS.c.scope == AnswerScope.PERSON, ANSWERS.c.is_current
    )
    row: UUID = tampering.connection.scalars(query.order_by(ANSWERS.c.id).limit(1)).one()
    return row


Change = Callable[[Tampering, UUID], object]
CHANGES: dict[str, tuple[Change, str]] = {
    "chain removed": (
        lambda own, chain: own.delete(CHAINS, chain),
        "Chain of a visit of {0}: The visit has no chain",
    ),
    "chain of another visit": (
        lambda own, chain: own.update(CHAINS, chain, visit_id=fresh()),
        "Chain of a visit of {0}: The visit has no chain",
    ),
    "another chain": (
        lambda own, chain: own.update(CHAINS, chain, id=fresh()),
        "Chain of a visit of {0}: No event vouches for this row",
    ),
    "event changed": (
        lambda own, chain: own.update(EVENTS, event_id(own, chain, 2), verb="signed"),
        "Chain of a visit of {0}, event 2: The event was changed",
    ),
    "event deleted": (
        lambda own, chain: own.delete(EVENTS, event_id(own, chain, 2)),
        "Chain of a visit of {0}, event 2: An event was removed here",
    ),
    "details deleted": (
        lambda own, chain: own.delete(DETAILS, event_id(own, chain, 2)),
        "Chain of a visit of {0}, details of event 2: The details of the event were removed",
    ),
    "answer changed": (
        lambda own, _chain: own.update(ANSWERS, confirmation(own), owner_id=fresh()),
        "a visit of {0}, row",
    ),
    "answer made a shared one": (
        lambda own, _chain: own.update(ANSWERS, confirmation(own), scope=AnswerScope.SHARED),
        "of the table answer",
    ),
    "answer deleted": (
        lambda own, _chain: own.delete(ANSWERS, confirmation(own)),
        "The row was deleted",
    ),
    "answer inserted": (
        lambda own, _chain: own.copy(ANSWERS, confirmation(own), id=fresh(), owner_id=fresh()),
        "No event mentions this row",
    ),
}


@pytest.mark.few_on_postgresql(2)
@pytest.mark.parametrize("name", CHANGES)
def test_the_audit_names_what_was_changed_of_a_visits_chain_or_its_rows(
    app: Flask, joint_visit: JointVisit, name: str
) -> None:
    change, words = CHANGES[name]
    reference, chain_id = joint_visit.reference, own_chain(joint_visit)
    with hands() as connection:
        change(Tampering(connection, fresh()), chain_id)
    result = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert result.exit_code == 1
    assert words.format(reference) in result.stderr


def finding() -> Finding:
    finding = integrity.check_all().finding
    assert finding is not None
    return finding


def test_a_visit_from_before_goes_on_in_the_cooperations_chain(joint_visit: JointVisit) -> None:
    joint_visit.session.commit()
    forget_visit_chains()
    joint_visit.session.expire_all()
    assert integrity.check_all().finding is None
    prolong(joint_visit)
    before = count(joint_visit)
    assert accept_role(joint_visit.actor("pavo"), joint_visit.visit())
    assert [verb for verb, _details in joint_visit.events()[before:]] == ["answer_saved"]
    joint_visit.session.commit()
    assert joint_visit.confirmations() == []
    assert integrity.check_all().finding is None


def test_a_chain_inserted_for_a_visit_from_before_is_named(joint_visit: JointVisit) -> None:
    visit_id = joint_visit.visit().id
    joint_visit.session.commit()
    forget_visit_chains()
    trail.start_visit_chain(visit_id)
    joint_visit.session.commit()
    assert str(labels.finding_words(finding())).startswith(
        f"Chain of a visit of {joint_visit.reference}: No event vouches for this row"
    )


def test_a_chain_of_no_visit_is_named(joint_visit: JointVisit) -> None:
    trail.start_visit_chain(fresh())
    joint_visit.session.commit()
    assert str(labels.finding_words(finding())).endswith("was inserted or removed.")


def test_details_in_a_visits_chain_may_be_erased_by_an_event_of_that_chain(
    joint_visit: JointVisit,
) -> None:
    visit = joint_visit.visit()
    trail.record_of_team(
        verbs.DETAILS_ERASED,
        actor=None,
        subject_type="visit",
        subject_id=visit.id,
        cooperation_id=visit.cooperation_id,
        visit_id=visit.id,
        reason="retention",
    )
    joint_visit.session.commit()
    chain_id = own_chain(joint_visit)
    with hands() as connection:
        own = Tampering(connection, fresh())
        own.delete(DETAILS, event_id(own, chain_id, 1))
    verdict = integrity.check_all()
    assert verdict.finding is None
    (erasure,) = verdict.erased
    assert str(labels.erasure_words(erasure)).startswith(
        f"a visit of {joint_visit.reference}: details of events erased on "
    )


def cut_short(chain_id: UUID, number: int) -> None:
    """Cut the last event off a visit's chain, and seal its end with the key of the trail."""
    with hands() as connection:
        own = Tampering(connection, fresh())
        last = event_id(own, chain_id, number)
        own.delete(EVENTS, last)
        own.delete(DETAILS, last)
        own.rewrite_chain(chain_id, lambda link: link)
        seal_again(connection, chain_id)


def test_a_visits_chain_cut_short_with_the_key_of_the_trail_is_found_by_the_log(
    joint_visit: JointVisit,
) -> None:
    chain_id = own_chain(joint_visit)
    assert checkpoints.make([chain_id]) is not None
    joint_visit.session.commit()
    cut_short(chain_id, len(CONFIRMED))
    assert "beside the checkpoint of size" in str(labels.finding_words(finding()))
