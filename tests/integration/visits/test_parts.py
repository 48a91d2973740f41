"""The part in a visit of a person without an account: others read it to them and record it."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.visits import JointVisit
from tests.pages import Page
from tracker.accounts.models import User
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists.models import Answer
from tracker.cooperations.models import AudienceMember
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.mail import addresses
from tracker.visits import readiness, service, shown
from tracker.visits.encryption import Plan, plan_of
from tracker.visits.facts import RequirementKind

HOW = "Read to him in person, in Maravenan"
BOTH = {RequirementKind.ROLE, RequirementKind.PLAN_NOT_READ}
Browser = Callable[[str], CheckedClient]


@pytest.fixture
def parts(joint_visit: JointVisit) -> JointVisit:
    """The ready visit, as if Marek, who is cleared, on the team and listed, had no account."""
    marek = joint_visit.session.get_one(User, joint_visit.user("marek"))
    marek.email = addresses.of_nobody(marek.id)
    service.settle(joint_visit.visit())
    joint_visit.session.commit()
    return joint_visit


@pytest.fixture
def browser(app: Flask, parts: JointVisit) -> Browser:
    return lambda key: parts.demonstration.browser(app, key)


def address(joint_visit: JointVisit, key: str = "marek") -> str:
    return f"/cooperations/{joint_visit.reference}/visits/1/parts/{joint_visit.user(key)}"


def missing(joint_visit: JointVisit) -> set[tuple[RequirementKind, UUID | None]]:
    joint_visit.session.expire_all()
    requirements = readiness.judge(joint_visit.visit()).requirements
    return {
        (requirement.kind, requirement.member.user_id if requirement.member else None)
        for requirement in requirements
    }


def record(
    joint_visit: JointVisit,
    by: str,
    *,
    of: str = "marek",
    how: str = HOW,
    task: bool = True,
    plan: bool = True,
) -> bool:
    """Record both confirmations of a person, on a page opened now."""
    actor, visit, user_id = joint_visit.actor(by), joint_visit.visit(), joint_visit.user(of)
    reading = readiness.read(visit)
    return service.record_part(
        actor,
        visit,
        user_id,
        how=how,
        task_mark=shown.task_mark(actor, reading, user_id) if task else None,
        plan_mark=shown.plan_mark(actor, reading, user_id) if plan else None,
    )


def move(joint_visit: JointVisit) -> None:
    visit = joint_visit.visit()
    before = plan_of(visit)
    to = Plan("Upper Harbour police station", before.starts_on, before.ends_on)
    service.change_plan(
        joint_visit.actor("ilena"), visit, version=visit.version, plan=to, place_type="police"
    )


def confirmations(joint_visit: JointVisit) -> list[Answer]:
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    return list(
        joint_visit.session.scalars(
            sa.select(Answer).where(
                Answer.checklist_id == roles.id,
                Answer.scope == AnswerScope.PERSON,
                Answer.owner_id == joint_visit.user("marek"),
                Answer.is_current,
            )
        )
    )


def test_whoever_records_a_part_reads_all_that_the_person_is_told(
    parts: JointVisit, browser: Browser
) -> None:
    """What they confirm names the numbers: so they have to be read to them (V20)."""
    page = browser("ilena").page(address(parts))
    for words in (
        "Named asInterpreter",
        "CredentialLetter of access 05",
        "Daily meeting18:00",
        "Make safe, stay calm, confront nobody",
        "Pavo LindenTeam lead",
    ):
        assert words in page.text, words
    assert "tel:+000555012" in page.addresses()


def test_a_visit_becomes_ready_with_a_person_without_an_account_and_asks_anew_when_it_moves(
    parts: JointVisit, browser: Browser
) -> None:
    marek = parts.user("marek")
    assert missing(parts) == {(kind, marek) for kind in BOTH}
    where, ready = address(parts), f"/cooperations/{parts.reference}/visits/1/ready"
    lead = browser("pavo")
    page = lead.page(ready)
    assert where in page.addresses()
    assert "This person never signs in." in page.text
    # To others the list says who does it, and leads them elsewhere.
    others = browser("leyla").page(ready)
    assert "This person never signs in." in others.text
    assert where not in others.addresses()
    lead.submit(where, accepts=True, knows_plan=True, how=HOW)
    assert missing(parts) == set()
    assert parts.visit().is_ready
    board = lead.page(ready).text
    assert (board.count("Recorded by Pavo"), board.count(HOW)) == (2, 2)
    move(parts)
    parts.session.commit()
    assert {(kind, marek) for kind in BOTH} <= missing(parts)


def test_the_record_is_an_event_by_who_recorded_it_and_says_nothing_of_it(
    parts: JointVisit,
) -> None:
    assert record(parts, "ilena")
    parts.session.commit()
    assert not record(parts, "pavo")
    rows = confirmations(parts)
    assert {row.author_id for row in rows} == {parts.user("ilena")}
    assert [row.values for row in rows] == [None, None]
    assert all(row.sealed and HOW.encode() not in row.sealed for row in rows)
    (*_, (verb, first), (also, second)) = parts.confirmations()
    assert {verb, also} == {"answer_saved"}
    for details in (first, second):
        assert details["who"]["id"] == str(parts.user("ilena"))
        assert details["scope"] == "person"
        assert HOW not in str(details)
        assert str(parts.user("marek")) not in str(details)
    # It counts only for a person who has no account.
    assert missing(parts) == set()
    parts.session.get_one(User, parts.user("marek")).email = "marek@somewhere.example"
    parts.session.commit()
    assert {kind for kind, _person in missing(parts)} == BOTH


def test_nobody_but_the_lead_and_planners_of_the_npm_records_it(
    parts: JointVisit, browser: Browser
) -> None:
    for by in ("samira", "leyla", "tomas", "ruth"):
        with pytest.raises(RefusedError):
            record(parts, by)
        assert browser(by).get(address(parts)).status_code == 403
    # Colleagues who aren't listed, another CSO, an auditor, an administrator, another NPM.
    for by in ("nadia", "milan", "dina", "celia", "greta", "iris", "vera"):
        assert browser(by).get(address(parts)).status_code == 404


def test_nobody_records_it_for_themselves_or_for_a_person_with_an_account(
    parts: JointVisit, browser: Browser
) -> None:
    for key in ("pavo", "leyla"):
        page = browser("pavo").get(address(parts, key))
        assert page.status_code == 403
        assert "has an account" in page.text
        with pytest.raises(RefusedError, match="has an account"):
            record(parts, "pavo", of=key)
    assert browser("pavo").get(address(parts, "otto")).status_code == 404


def test_nothing_is_recorded_without_saying_how_or_what(
    parts: JointVisit, browser: Browser
) -> None:
    where, lead = address(parts), browser("pavo")
    assert "Say how they were told" in Page.of(lead.submit(where, accepts=True, how=" ")).text
    answer = lead.submit(where, how=HOW)
    assert "Choose at least one answer" in answer.text
    assert HOW in answer.text
    with pytest.raises(RuleBrokenError):
        record(parts, "pavo", how="x" * 201)
    assert {kind for kind, _person in missing(parts)} == BOTH


def test_what_changed_after_the_page_was_opened_is_not_recorded(
    parts: JointVisit, browser: Browser
) -> None:
    where, lead = address(parts), browser("pavo")
    form = lead.page(where).form(None)
    move(parts)
    parts.session.commit()
    typed = form.filled_in(accepts=True, knows_plan=True, how=HOW)
    answer = lead.open(where, method="POST", data=typed, csrf=False)
    assert "changed after you opened the page, so nothing was saved" in answer.text
    assert "Upper Harbour police station" in answer.text
    assert HOW in answer.text
    assert {kind for kind, _person in missing(parts)} >= BOTH
    # Nor what a page about somebody else showed.
    actor, visit = parts.actor("pavo"), parts.visit()
    mark = shown.task_mark(actor, readiness.read(visit))
    with pytest.raises(StaleError):
        service.record_part(
            actor, visit, parts.user("marek"), how=HOW, task_mark=mark, plan_mark=None
        )


@pytest.mark.parametrize("lacks", ["clearance", "listing"])
def test_nothing_is_read_to_a_person_who_may_not_know_of_the_visit(
    parts: JointVisit, browser: Browser, lacks: str
) -> None:
    if lacks == "clearance":
        parts.clearance("marek").closed_at = clock.now()
    else:
        parts.session.execute(
            sa.update(AudienceMember)
            .where(AudienceMember.user_id == parts.user("marek"))
            .values(from_on=clock.today() + dt.timedelta(days=1))
        )
    parts.session.commit()
    with pytest.raises(RefusedError, match="Don't tell them"):
        record(parts, "pavo")
    page = browser("pavo").page(address(parts))
    assert "Don't tell them" in page.text
    assert "Record it" not in page.text
