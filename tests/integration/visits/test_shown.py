"""People confirm on a page of a visit what that page showed (product.md, 5.3).

In one file: each page is opened, something changes, and its form is sent, by the same helpers.
"""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from itsdangerous import URLSafeSerializer

from tests.at_once import before_commit
from tests.client import CheckedClient
from tests.factories.visits import JointVisit, confirm_plan, planned, without_credential_of
from tests.pages import Page
from tracker.access import page_tokens
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.queries import VISIT
from tracker.cooperations.models import AudienceMember
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.errors import StaleError
from tracker.demo import checklists as demo_checklists
from tracker.visits import readiness, service, shown
from tracker.visits.encryption import Plan, plan_of
from tracker.visits.facts import MemberFact
from tracker.visits.models import GateOverride, Visit

ROLES = ChecklistKind.VISIT_ROLES
URGENT_PLAN = ChecklistKind.URGENT_PLAN
TASKS_CHANGED = "The tasks, the place or the days changed after you opened the page"
LIST_CHANGED = (
    "The missing requirements changed after you opened the page, so nothing was overridden."
)
PLAN_CHANGED = "The urgent-action plan, the place or the days changed after you opened the page"

Browser = Callable[[str | None], CheckedClient]
Send = Callable[[], Page]


@pytest.fixture
def browser(app: Flask, joint_visit: JointVisit) -> Browser:
    joint_visit.session.commit()
    return lambda key: joint_visit.demonstration.browser(app, key)


@pytest.fixture
def second(joint_visit: JointVisit) -> Visit:
    """Another visit, whose tasks are written and not accepted yet."""
    people = ("leyla", "samira", "marek")
    visit = planned(joint_visit, members=people, audience=people)
    write_tasks(joint_visit, limits="Takes no photographs")
    joint_visit.session.commit()
    return visit


def write_tasks(joint_visit: JointVisit, *, limits: str, number: int = 2) -> None:
    """Write the tasks of visit 2; the limits are Leyla's."""
    roles = joint_visit.checklist(ROLES, number)
    rows = [
        {"person": str(joint_visit.user(key)), "task": "Interviews", "limits": words}
        for key, words in (("leyla", limits), ("samira", "Carries no papers"))
    ]
    checklists.save_answer(
        joint_visit.actor("ilena"),
        roles,
        "V5",
        AnswerScope.SHARED,
        {"roles": rows},
        base_version=service.version_of(load(roles), "V5"),
    )


def move(joint_visit: JointVisit, number: int) -> None:
    visit = joint_visit.visit(number)
    before = plan_of(visit)
    to = Plan("Upper Harbour police station", before.starts_on, before.ends_on)
    service.change_plan(joint_visit.actor("ilena"), visit, version=visit.version, plan=to)


def take_back(joint_visit: JointVisit, item: str, key: str) -> None:
    """Have Leyla take back what she confirmed on visit 1."""
    roles = joint_visit.checklist(ROLES)
    own = load(roles).sheet.of_person(item, joint_visit.user("leyla"))
    assert own is not None
    checklists.save_answer(
        joint_visit.actor("leyla"),
        roles,
        item,
        AnswerScope.PERSON,
        {key: False},
        base_version=own.version,
    )
    joint_visit.session.commit()


def new_plan_in_force(joint_visit: JointVisit) -> None:
    checklist = joint_visit.checklist(URGENT_PLAN)
    agreements.amend(joint_visit.actor("ilena"), checklist, reason="Another number.", items=["U4"])
    joint_visit.session.flush()
    demo_checklists.send(joint_visit.demo_people, checklist)
    demo_checklists.sign(joint_visit.demo_people, checklist)
    joint_visit.session.commit()


def address(joint_visit: JointVisit, number: int) -> str:
    return f"/cooperations/{joint_visit.reference}/visits/{number}/my-part"


def open_form(person: CheckedClient, url: str, part: str) -> Send:
    """Open a person's part, and return a function that presses its button later."""
    form = person.page(url).form(f"{url}/{part}")

    def send() -> Page:
        return Page.of(
            person.open(
                form.action or url,
                method="POST",
                data=form.filled_in(),
                csrf=False,
                follow_redirects=True,
            )
        )

    return send


def member(joint_visit: JointVisit, key: str, number: int = 1) -> MemberFact:
    joint_visit.session.expire_all()
    members = readiness.judge(joint_visit.visit(number)).facts.members
    return next(person for person in members if person.user_id == joint_visit.user(key))


def while_changing(
    app: Flask,
    joint_visit: JointVisit,
    *,
    change: Callable[[JointVisit], object],
    act: Callable[[JointVisit], object],
) -> None:
    """Act on what a page showed while somebody else's change to it is about to be committed."""

    def on_own_scene(do: Callable[[JointVisit], object]) -> Callable[[], object]:
        return lambda: do(JointVisit(db.session(), joint_visit.demonstration))

    (refusal,) = before_commit(app, on_own_scene(change), on_own_scene(act))
    assert isinstance(refusal, StaleError)


# A task (V5)


def test_a_task_that_changed_after_the_page_was_opened_is_not_accepted(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    send = open_form(browser("leyla"), address(joint_visit, second.number), "role")
    write_tasks(joint_visit, limits="Speaks to nobody alone")
    joint_visit.session.commit()
    events = len(joint_visit.events())
    page = send()
    assert TASKS_CHANGED in page.text
    assert "Speaks to nobody alone" in page.text
    assert "You have accepted it" not in page.text
    assert len(joint_visit.events()) == events
    assert not member(joint_visit, "leyla", 2).role_accepted
    page = open_form(browser("leyla"), address(joint_visit, 2), "role")()
    assert "You have accepted it" in page.text
    assert member(joint_visit, "leyla", 2).role_accepted


def test_a_task_at_a_place_the_person_never_saw_is_not_accepted(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    send = open_form(browser("leyla"), address(joint_visit, second.number), "role")
    move(joint_visit, 2)
    joint_visit.session.commit()
    page = send()
    assert TASKS_CHANGED in page.text
    assert "Upper Harbour police station" in page.text
    assert not member(joint_visit, "leyla", 2).role_accepted


def test_a_task_taken_back_and_written_again_word_for_word_is_shown_again(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    send = open_form(browser("leyla"), address(joint_visit, second.number), "role")
    write_tasks(joint_visit, limits="Speaks to nobody alone")
    write_tasks(joint_visit, limits="Takes no photographs")
    joint_visit.session.commit()
    assert TASKS_CHANGED in send().text
    assert not member(joint_visit, "leyla", 2).role_accepted


# The plan (V20)


def test_a_plan_that_came_into_force_after_the_page_was_opened_is_not_confirmed(
    browser: Browser, joint_visit: JointVisit
) -> None:
    take_back(joint_visit, "V20", "read")
    send = open_form(browser("leyla"), address(joint_visit, 1), "plan")
    new_plan_in_force(joint_visit)
    for key in ("pavo", "ruth", "samira", "marek"):
        confirm_plan(joint_visit.actor(key), joint_visit.visit())
    joint_visit.session.commit()
    page = send()
    assert PLAN_CHANGED in page.text
    assert "You have confirmed it" not in page.text
    assert not member(joint_visit, "leyla").plan_read
    assert not joint_visit.visit().is_ready
    assert (
        "You have confirmed it"
        in open_form(browser("leyla"), address(joint_visit, 1), "plan")().text
    )
    assert member(joint_visit, "leyla").plan_read


def test_a_plan_for_a_place_the_person_never_saw_is_not_confirmed(
    browser: Browser, joint_visit: JointVisit
) -> None:
    take_back(joint_visit, "V20", "read")
    send = open_form(browser("leyla"), address(joint_visit, 1), "plan")
    move(joint_visit, 1)
    joint_visit.session.commit()
    assert PLAN_CHANGED in send().text
    assert not member(joint_visit, "leyla").plan_read


# Without permission


def test_a_mark_of_another_person_another_visit_or_another_form_confirms_nothing(
    joint_visit: JointVisit, second: Visit
) -> None:
    leyla = joint_visit.actor("leyla")
    first, other = readiness.read(joint_visit.visit()), readiness.read(second)
    for mark in (
        "",
        "ø",
        "0" * 64,
        shown.task_mark(joint_visit.actor("samira"), other),
        shown.task_mark(leyla, first),
        shown.plan_mark(leyla, other),
        shown.task_mark(replace(leyla, organisation_id=None), other),
    ):
        with pytest.raises(StaleError):
            service.accept_role(joint_visit.actor("leyla"), second, mark=mark)
    assert not member(joint_visit, "leyla", 2).role_accepted
    take_back(joint_visit, "V20", "read")
    first = readiness.read(joint_visit.visit())
    for mark in (
        "",
        shown.plan_mark(joint_visit.actor("samira"), first),
        shown.plan_mark(leyla, readiness.read(joint_visit.visit(2))),
        shown.task_mark(leyla, first),
    ):
        with pytest.raises(StaleError):
            service.confirm_plan(joint_visit.actor("leyla"), joint_visit.visit(), mark=mark)
    assert not member(joint_visit, "leyla").plan_read


def test_a_form_without_its_mark_says_to_read_the_page(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    url = address(joint_visit, second.number)
    page = Page.of(browser("leyla").post(f"{url}/role", follow_redirects=True))
    assert "We don't know which text you read." in page.text
    assert page.where == url
    assert not member(joint_visit, "leyla", 2).role_accepted


@pytest.mark.parametrize(("item", "key"), [("V5", "accepted"), ("V20", "read")])
def test_nobody_confirms_on_the_page_for_answers_which_shows_no_task_and_no_plan(
    browser: Browser, joint_visit: JointVisit, item: str, key: str
) -> None:
    take_back(joint_visit, item, key)
    url = f"/checklists/{joint_visit.checklist(ROLES).id}/items/{item}/answer?for=person"
    person = browser("leyla")
    assert person.get(url).status_code == 403
    own = load(joint_visit.checklist(ROLES)).sheet.of_person(item, joint_visit.user("leyla"))
    assert own is not None
    sent = person.post(url, data={f"f_{key}": "y", key: "y", "base_version": str(own.version)})
    assert sent.status_code == 403
    fact = member(joint_visit, "leyla")
    assert not (fact.role_accepted if item == "V5" else fact.plan_read)


def test_a_mark_says_nothing_of_place_days_or_task(joint_visit: JointVisit) -> None:
    reading = readiness.read(joint_visit.visit())
    marks = {
        make(joint_visit.actor(key), reading)
        for make in (shown.task_mark, shown.plan_mark)
        for key in ("leyla", "samira")
    }
    assert len(marks) == 4
    for mark in marks:
        *_of_whom, digest = URLSafeSerializer("").loads_unsafe(mark)[1]
        assert re.fullmatch("[0-9a-f]{64}", digest)
    assert page_tokens.digest_of("a") != canonical.digest_of(["a"])


@pytest.mark.both_databases
def test_a_task_accepted_while_the_visit_moves_is_not_accepted_for_the_new_place(
    app: Flask, joint_visit: JointVisit, second: Visit
) -> None:
    mark = shown.task_mark(joint_visit.actor("leyla"), readiness.read(second))
    joint_visit.session.commit()
    while_changing(
        app,
        joint_visit,
        change=lambda own_scene: move(own_scene, 2),
        act=lambda own_scene: service.accept_role(
            own_scene.actor("leyla"), own_scene.visit(2), mark=mark
        ),
    )
    assert plan_of(joint_visit.visit(2)).moved_at is not None
    assert not member(joint_visit, "leyla", 2).role_accepted


# Overriding J3


REASON = "A call that can't wait."


@pytest.fixture
def manager(browser: Browser, joint_visit: JointVisit) -> CheckedClient:
    """Milan, who is listed for the visit; a paper of Ruth's is missing."""
    visit = joint_visit.visit()
    joint_visit.session.add(
        AudienceMember(
            cooperation_id=visit.cooperation_id,
            subject_type=VISIT,
            subject_id=visit.id,
            user_id=joint_visit.user("milan"),
            from_on=clock.today(),
        )
    )
    without_credential_of(joint_visit, "ruth")
    joint_visit.session.commit()
    return browser("milan")


def override_address(joint_visit: JointVisit) -> str:
    return f"/cooperations/{joint_visit.reference}/visits/1/override"


def send_reason(person: CheckedClient, joint_visit: JointVisit, page: Page) -> Page:
    form = page.form(None)
    return Page.of(
        person.open(
            override_address(joint_visit),
            method="POST",
            data=form.filled_in(reason=REASON),
            csrf=False,
            follow_redirects=True,
        )
    )


def excused(joint_visit: JointVisit) -> list[list[str]]:
    joint_visit.session.expire_all()
    return list(joint_visit.session.scalars(sa.select(GateOverride.excused)))


def test_an_override_excuses_only_what_the_manager_was_shown(
    manager: CheckedClient, joint_visit: JointVisit
) -> None:
    opened = manager.page(override_address(joint_visit))
    without_credential_of(joint_visit, "pavo")
    joint_visit.session.commit()
    events = len(joint_visit.events())
    shown_again = send_reason(manager, joint_visit, opened)
    assert LIST_CHANGED in shown_again.text
    assert REASON in shown_again.text
    assert "Pavo" in shown_again.text
    assert excused(joint_visit) == []
    assert len(joint_visit.events()) == events
    assert not joint_visit.visit().is_ready
    send_reason(manager, joint_visit, shown_again)
    (keys,) = excused(joint_visit)
    assert len(keys) == 2
    assert joint_visit.visit().is_ready


def test_an_override_of_a_longer_list_than_is_left_shows_the_list_again(
    manager: CheckedClient, joint_visit: JointVisit
) -> None:
    current = load(joint_visit.checklist(ROLES)).sheet.shared("V13")
    assert current is not None
    without_credential_of(joint_visit, "pavo")
    joint_visit.session.commit()
    opened = manager.page(override_address(joint_visit))
    # Pavo has the papers again.
    checklists.save_answer(
        joint_visit.actor("ilena"),
        joint_visit.checklist(ROLES),
        "V13",
        AnswerScope.SHARED,
        current.values,
        base_version=current.version + 1,
    )
    joint_visit.session.commit()
    page = send_reason(manager, joint_visit, opened)
    assert LIST_CHANGED in page.text
    assert REASON in page.text
    assert excused(joint_visit) == []


def test_a_reason_stays_on_the_page_when_nothing_can_be_overridden_any_more(
    manager: CheckedClient, joint_visit: JointVisit
) -> None:
    opened = manager.page(override_address(joint_visit))
    without_credential_of(joint_visit, "leyla")
    joint_visit.session.commit()
    page = send_reason(manager, joint_visit, opened)
    assert "This can't be overridden." in page.text
    assert REASON in page.text
    assert excused(joint_visit) == []


def test_a_list_shown_to_somebody_else_or_of_another_visit_overrides_nothing(
    manager: CheckedClient, joint_visit: JointVisit, second: Visit
) -> None:
    reading = readiness.read(joint_visit.visit())
    milan = joint_visit.actor("milan")
    for mark in (
        "",
        shown.override_mark(joint_visit.actor("tomas"), reading),
        shown.override_mark(milan, readiness.read(second)),
        shown.task_mark(milan, reading),
    ):
        with pytest.raises(StaleError):
            service.override(
                joint_visit.actor("milan"), joint_visit.visit(), reason=REASON, mark=mark
            )
    assert excused(joint_visit) == []


@pytest.mark.both_databases
def test_an_override_while_a_paper_is_withdrawn_excuses_nobody_who_was_not_listed(
    app: Flask, manager: CheckedClient, joint_visit: JointVisit
) -> None:
    mark = shown.override_mark(joint_visit.actor("milan"), readiness.read(joint_visit.visit()))
    joint_visit.session.commit()
    while_changing(
        app,
        joint_visit,
        change=lambda own_scene: without_credential_of(own_scene, "pavo"),
        act=lambda own_scene: service.override(
            own_scene.actor("milan"), own_scene.visit(), reason=REASON, mark=mark
        ),
    )
    assert excused(joint_visit) == []
    assert not joint_visit.visit().is_ready
