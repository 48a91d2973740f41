"""What becomes of a visit's texts when the visit is stopped."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask

from tests.factories.cooperations import signed_in
from tests.factories.evidence.tampering import Tampering, hands, table_of
from tests.factories.visits import JointVisit
from tests.starting_points import noon_in
from tracker.accounts.models import User
from tracker.accounts.people import service as accounts
from tracker.activity.stale import recompute
from tracker.agreements import evidence
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, ChecklistState
from tracker.core.db import db
from tracker.core.errors import RefusedError
from tracker.demo import checklists as demo_checklists
from tracker.evidence.public_check import verdicts
from tracker.evidence.public_check.facts import Verdict
from tracker.oversight import queries as register
from tracker.oversight.facts import AgreementState, Narrowing, Question
from tracker.signoff.models import Revision
from tracker.visits import service
from tracker.worker import recheck

WORDS = "Ended: the visit was stopped"
REFUSED = "The visit was stopped, and its texts with it"
TEXTS = (ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN)


@pytest.fixture(autouse=True)
def later(frozen_time: Callable[[datetime | None], None]) -> None:
    """A few days later: the demonstration's terms have begun."""
    frozen_time(noon_in(5))


def stop(joint_visit: JointVisit) -> None:
    service.stop(joint_visit.actor("pavo"), joint_visit.visit(), reason="The lead is ill.")
    recompute()
    joint_visit.session.commit()


def digest_of(roles: Checklist) -> str:
    assert roles.revision_in_force_id is not None
    return db.session.get_one(Revision, roles.revision_in_force_id).digest


def test_the_register_counts_and_finds_them_among_what_has_ended(joint_visit: JointVisit) -> None:
    milan, ids = joint_visit.actor("milan"), {joint_visit.checklist(kind).id for kind in TEXTS}

    def found_in(narrowing: Narrowing) -> set[UUID]:
        question = Question(narrowing=narrowing)
        return {line.checklist_id for line in register.lines(milan, question, limit=1_000)} & ids

    assert (found_in(Narrowing.IN_FORCE), found_in(Narrowing.ENDED)) == (ids, set())
    before = register.counts(milan, Question())
    stop(joint_visit)
    assert (found_in(Narrowing.IN_FORCE), found_in(Narrowing.ENDED)) == (set(), ids)
    after = register.counts(milan, Question())
    assert after[Narrowing.ENDED] - before[Narrowing.ENDED] == len(ids)
    assert before[Narrowing.IN_FORCE] - after[Narrowing.IN_FORCE] == len(ids)
    assert recheck.recheck(joint_visit.cooperation.id) == []


def test_nobody_is_to_be_named_anew_in_what_has_ended(app: Flask, joint_visit: JointVisit) -> None:
    accounts.suspend(
        joint_visit.actor("iris"), joint_visit.user("joana"), reason="Lost the telephone."
    )
    recompute()
    joint_visit.session.commit()
    pavo = signed_in(app, joint_visit.session.get_one(User, joint_visit.user("pavo")))
    record = f"/checklists/{joint_visit.checklist(ChecklistKind.VISIT_ROLES).id}/record"
    warning = "Somebody named here can't act any more."
    assert warning in pavo.page(record).text
    stop(joint_visit)
    assert warning not in pavo.page(record).text


def test_its_signed_texts_have_ended(app: Flask, joint_visit: JointVisit) -> None:
    digests = {kind: digest_of(joint_visit.checklist(kind)) for kind in TEXTS}
    for kind in TEXTS:
        answer = verdicts.of_text(joint_visit.reference, digests[kind])
        assert answer.verdict is Verdict.GENUINE
    stop(joint_visit)
    lines = register.lines(joint_visit.actor("milan"), Question(), limit=1_000)
    states = {line.checklist_id: line.state for line in lines}
    pavo = signed_in(app, joint_visit.session.get_one(User, joint_visit.user("pavo")))
    for kind in TEXTS:
        checklist = joint_visit.checklist(kind)
        assert (
            verdicts.of_text(joint_visit.reference, digests[kind]).verdict is Verdict.VISIT_STOPPED
        )
        assert states[checklist.id] is AgreementState.ENDED
        assert evidence.look(checklist).agrees
        record = pavo.page(f"/checklists/{checklist.id}/record")
        assert WORDS in record.text
        assert "Propose an amendment" not in record.text
        assert WORDS in pavo.page(f"/checklists/{checklist.id}").text


def test_outsiders_learn_no_more_than_that_it_was_stopped(joint_visit: JointVisit) -> None:
    digest = digest_of(joint_visit.checklist(ChecklistKind.VISIT_ROLES))
    stop(joint_visit)
    answer = verdicts.of_text(joint_visit.reference, digest)
    assert (answer.verdict, answer.signers, answer.begins_on) == (Verdict.VISIT_STOPPED, None, None)


def test_nobody_amends_or_changes_them_or_sends_them_again(
    app: Flask, joint_visit: JointVisit
) -> None:
    stop(joint_visit)
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    ilena = joint_visit.actor("ilena")
    with pytest.raises(RefusedError, match=REFUSED):
        agreements.amend(ilena, roles, reason="Another lead.", items=["V4"])
    client = signed_in(app, joint_visit.session.get_one(User, joint_visit.user("ilena")))
    joint_visit.session.commit()
    response = client.get(f"/checklists/{roles.id}/amend")
    assert response.status_code == 403
    assert REFUSED in response.get_data(as_text=True)


def test_a_text_that_waits_for_signatures_is_called_back(joint_visit: JointVisit) -> None:
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    agreements.amend(joint_visit.actor("ilena"), roles, reason="Another lead.", items=["V6"])
    demo_checklists.send(joint_visit.demo_people, roles)
    assert roles.revision_sent_id is not None
    revision = joint_visit.session.get_one(Revision, roles.revision_sent_id)
    assert verdicts.of_text(joint_visit.reference, revision.digest).verdict is Verdict.WAITING
    stop(joint_visit)
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    assert (roles.state, roles.revision_sent_id) == (ChecklistState.DRAFTING, None)
    compared = evidence.look(roles)
    assert compared.agrees
    assert verdicts.of_text(joint_visit.reference, revision.digest).verdict is Verdict.NOT_SIGNED


def test_another_visit_named_in_the_database_hides_nothing(joint_visit: JointVisit) -> None:
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    digest, roles_id = digest_of(roles), roles.id
    cooperation_id = roles.cooperation_id
    stop(joint_visit)
    db.session.rollback()
    with hands() as connection:
        Tampering(connection, cooperation_id).update(table_of(Checklist), roles_id, visit_id=None)
    assert verdicts.of_text(joint_visit.reference, digest).verdict is Verdict.DISAGREES
