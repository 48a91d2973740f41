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
from tests.factories.visits import Scene, confirm_plan, planned, without_credential_of
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
LIST_CHANGED = "What is missing changed after you opened the page, so nothing was overridden."
PLAN_CHANGED = "The urgent-action plan, the place or the days changed after you opened the page"

Browser = Callable[[str | None], CheckedClient]
Send = Callable[[], Page]


@pytest.fixture
def browser(app: Flask, scene: Scene) -> Browser:
    scene.session.commit()
    return lambda key: scene.demonstration.browser(app, key)


@pytest.fixture
def second(scene: Scene) -> Visit:
    """Another visit, whose tasks are written and not accepted yet."""
    people = ("leyla", "samira", "marek")
    visit = planned(scene, members=people, audience=people)
    write_tasks(scene, limits="Takes no photographs")
    scene.session.commit()
    return visit


def write_tasks(scene: Scene, *, limits: str, number: int = 2) -> None:
    """Write the tasks of visit 2; the limits are Leyla's."""
    roles = scene.checklist(ROLES, number)
    rows = [
        {"person": str(scene.user(key)), "task": "Interviews", "limits": words}
        for key, words in (("leyla", limits), ("samira", "Carries no papers"))
    ]
    checklists.save_answer(
        scene.actor("ilena"),
        roles,
        "V5",
        AnswerScope.SHARED,
        {"roles": rows},
        base_version=service.version_of(load(roles), "V5"),
    )


def move(scene: Scene, number: int) -> None:
    visit = scene.visit(number)
    before = plan_of(visit)
    to = Plan("Upper Harbour police station", before.starts_on, before.ends_on)
    service.change_plan(scene.actor("ilena"), visit, version=visit.version, plan=to)


def take_back(scene: Scene, item: str, key: str) -> None:
    """Have Leyla take back what she confirmed on visit 1."""
    roles = scene.checklist(ROLES)
    own = load(roles).sheet.of_person(item, scene.user("leyla"))
    assert own is not None
    checklists.save_answer(
        scene.actor("leyla"),
        roles,
        item,
        AnswerScope.PERSON,
        {key: False},
        base_version=own.version,
    )
    scene.session.commit()


def new_plan_in_force(scene: Scene) -> None:
    checklist = scene.checklist(URGENT_PLAN)
    agreements.amend(scene.actor("ilena"), checklist, reason="Another number.", items=["U4"])
    scene.session.flush()
    demo_checklists.send(scene.cast, checklist)
    demo_checklists.sign(scene.cast, checklist)
    scene.session.commit()


def address(scene: Scene, number: int) -> str:
    return f"/cooperations/{scene.reference}/visits/{number}/my-part"


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


def member(scene: Scene, key: str, number: int = 1) -> MemberFact:
    scene.session.expire_all()
    members = readiness.judge(scene.visit(number)).facts.members
    return next(person for person in members if person.user_id == scene.user(key))


def while_changing(
    app: Flask, scene: Scene, *, change: Callable[[Scene], object], act: Callable[[Scene], object]
) -> None:
    """Act on what a page showed while somebody else's change to it is about to be committed."""

    def on_own_scene(do: Callable[[Scene], object]) -> Callable[[], object]:
        return lambda: do(Scene(db.session(), scene.demonstration))

    (refusal,) = before_commit(app, on_own_scene(change), on_own_scene(act))
    assert isinstance(refusal, StaleError)


# A task (V5)


def test_a_task_that_changed_after_the_page_was_opened_is_not_accepted(
    browser: Browser, scene: Scene, second: Visit
) -> None:
    send = open_form(browser("leyla"), address(scene, second.number), "role")
    write_tasks(scene, limits="Speaks to nobody alone")
    scene.session.commit()
    events = len(scene.events())
    page = send()
    assert TASKS_CHANGED in page.text
    assert "Speaks to nobody alone" in page.text
    assert "You have accepted it" not in page.text
    assert len(scene.events()) == events
    assert not member(scene, "leyla", 2).role_accepted
    page = open_form(browser("leyla"), address(scene, 2), "role")()
    assert "You have accepted it" in page.text
    assert member(scene, "leyla", 2).role_accepted


def test_a_task_at_a_place_the_person_never_saw_is_not_accepted(
    browser: Browser, scene: Scene, second: Visit
) -> None:
    send = open_form(browser("leyla"), address(scene, second.number), "role")
    move(scene, 2)
    scene.session.commit()
    page = send()
    assert TASKS_CHANGED in page.text
    assert "Upper Harbour police station" in page.text
    assert not member(scene, "leyla", 2).role_accepted


def test_a_task_taken_back_and_written_again_word_for_word_is_shown_again(
    browser: Browser, scene: Scene, second: Visit
) -> None:
    send = open_form(browser("leyla"), address(scene, second.number), "role")
    write_tasks(scene, limits="Speaks to nobody alone")
    write_tasks(scene, limits="Takes no photographs")
    scene.session.commit()
    assert TASKS_CHANGED in send().text
    assert not member(scene, "leyla", 2).role_accepted


# The plan (V20)


def test_a_plan_that_came_into_force_after_the_page_was_opened_is_not_confirmed(
    browser: Browser, scene: Scene
) -> None:
    take_back(scene, "V20", "read")
    send = open_form(browser("leyla"), address(scene, 1), "plan")
    new_plan_in_force(scene)
    for key in ("pavo", "ruth", "samira", "marek"):
        confirm_plan(scene.actor(key), scene.visit())
    scene.session.commit()
    page = send()
    assert PLAN_CHANGED in page.text
    assert "You have confirmed it" not in page.text
    assert not member(scene, "leyla").plan_read
    assert not scene.visit().is_ready
    assert "You have confirmed it" in open_form(browser("leyla"), address(scene, 1), "plan")().text
    assert member(scene, "leyla").plan_read


def test_a_plan_for_a_place_the_person_never_saw_is_not_confirmed(
    browser: Browser, scene: Scene
) -> None:
    take_back(scene, "V20", "read")
    send = open_form(browser("leyla"), address(scene, 1), "plan")
    move(scene, 1)
    scene.session.commit()
    assert PLAN_CHANGED in send().text
    assert not member(scene, "leyla").plan_read


# Without permission


def test_a_mark_of_another_person_another_visit_or_another_form_confirms_nothing(
    scene: Scene, second: Visit
) -> None:
    leyla = scene.actor("leyla")
    first, other = readiness.read(scene.visit()), readiness.read(second)
    for mark in (
        "",
        "ø",
        "0" * 64,
        shown.task_mark(scene.actor("samira"), other),
        shown.task_mark(leyla, first),
        shown.plan_mark(leyla, other),
        shown.task_mark(replace(leyla, organisation_id=None), other),
    ):
        with pytest.raises(StaleError):
            service.accept_role(scene.actor("leyla"), second, mark=mark)
    assert not member(scene, "leyla", 2).role_accepted
    take_back(scene, "V20", "read")
    first = readiness.read(scene.visit())
    for mark in (
        "",
        shown.plan_mark(scene.actor("samira"), first),
        shown.plan_mark(leyla, readiness.read(scene.visit(2))),
        shown.task_mark(leyla, first),
    ):
        with pytest.raises(StaleError):
            service.confirm_plan(scene.actor("leyla"), scene.visit(), mark=mark)
    assert not member(scene, "leyla").plan_read


def test_a_form_without_its_mark_says_to_read_the_page(
    browser: Browser, scene: Scene, second: Visit
) -> None:
    url = address(scene, second.number)
    page = Page.of(browser("leyla").post(f"{url}/role", follow_redirects=True))
    assert "We don't know which text you read." in page.text
    assert page.where == url
    assert not member(scene, "leyla", 2).role_accepted


@pytest.mark.parametrize(("item", "key"), [("V5", "accepted"), ("V20", "read")])
def test_nobody_confirms_on_the_page_for_answers_which_shows_no_task_and_no_plan(
    browser: Browser, scene: Scene, item: str, key: str
) -> None:
    take_back(scene, item, key)
    url = f"/checklists/{scene.checklist(ROLES).id}/items/{item}/answer?for=person"
    person = browser("leyla")
    assert person.get(url).status_code == 403
    own = load(scene.checklist(ROLES)).sheet.of_person(item, scene.user("leyla"))
    assert own is not None
    sent = person.post(url, data={f"f_{key}": "y", key: "y", "base_version": str(own.version)})
    assert sent.status_code == 403
    fact = member(scene, "leyla")
    assert not (fact.role_accepted if item == "V5" else fact.plan_read)


def test_a_mark_says_nothing_of_place_days_or_task(scene: Scene) -> None:
    reading = readiness.read(scene.visit())
    marks = {
        make(scene.actor(key), reading)
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
    app: Flask, scene: Scene, second: Visit
) -> None:
    mark = shown.task_mark(scene.actor("leyla"), readiness.read(second))
    scene.session.commit()
    while_changing(
        app,
        scene,
        change=lambda own_scene: move(own_scene, 2),
        act=lambda own_scene: service.accept_role(
            own_scene.actor("leyla"), own_scene.visit(2), mark=mark
        ),
    )
    assert plan_of(scene.visit(2)).moved_at is not None
    assert not member(scene, "leyla", 2).role_accepted


# Overriding J3


REASON = "A call that can't wait."


@pytest.fixture
def manager(browser: Browser, scene: Scene) -> CheckedClient:
    """Milan, who is listed for the visit; a paper of Ruth's is missing."""
    visit = scene.visit()
    scene.session.add(
        AudienceMember(
            cooperation_id=visit.cooperation_id,
            subject_type=VISIT,
            subject_id=visit.id,
            user_id=scene.user("milan"),
            from_on=clock.today(),
        )
    )
    without_credential_of(scene, "ruth")
    scene.session.commit()
    return browser("milan")


def override_address(scene: Scene) -> str:
    return f"/cooperations/{scene.reference}/visits/1/override"


def send_reason(person: CheckedClient, scene: Scene, page: Page) -> Page:
    form = page.form(None)
    return Page.of(
        person.open(
            override_address(scene),
            method="POST",
            data=form.filled_in(reason=REASON),
            csrf=False,
            follow_redirects=True,
        )
    )


def excused(scene: Scene) -> list[list[str]]:
    scene.session.expire_all()
    return list(scene.session.scalars(sa.select(GateOverride.excused)))


def test_an_override_excuses_only_what_the_manager_was_shown(
    manager: CheckedClient, scene: Scene
) -> None:
    opened = manager.page(override_address(scene))
    without_credential_of(scene, "pavo")
    scene.session.commit()
    events = len(scene.events())
    shown_again = send_reason(manager, scene, opened)
    assert LIST_CHANGED in shown_again.text
    assert REASON in shown_again.text
    assert "Pavo" in shown_again.text
    assert excused(scene) == []
    assert len(scene.events()) == events
    assert not scene.visit().is_ready
    send_reason(manager, scene, shown_again)
    (keys,) = excused(scene)
    assert len(keys) == 2
    assert scene.visit().is_ready


def test_an_override_of_a_longer_list_than_is_left_shows_the_list_again(
    manager: CheckedClient, scene: Scene
) -> None:
    current = load(scene.checklist(ROLES)).sheet.shared("V13")
    assert current is not None
    without_credential_of(scene, "pavo")
    scene.session.commit()
    opened = manager.page(override_address(scene))
    # Pavo has the papers again.
    checklists.save_answer(
        scene.actor("ilena"),
        scene.checklist(ROLES),
        "V13",
        AnswerScope.SHARED,
        current.values,
        base_version=current.version + 1,
    )
    scene.session.commit()
    page = send_reason(manager, scene, opened)
    assert LIST_CHANGED in page.text
    assert REASON in page.text
    assert excused(scene) == []


def test_a_reason_stays_on_the_page_when_nothing_can_be_overridden_any_more(
    manager: CheckedClient, scene: Scene
) -> None:
    opened = manager.page(override_address(scene))
    without_credential_of(scene, "leyla")
    scene.session.commit()
    page = send_reason(manager, scene, opened)
    assert "This can’t be overridden." in page.text
    assert REASON in page.text
    assert excused(scene) == []


def test_a_list_shown_to_somebody_else_or_of_another_visit_overrides_nothing(
    manager: CheckedClient, scene: Scene, second: Visit
) -> None:
    reading = readiness.read(scene.visit())
    milan = scene.actor("milan")
    for mark in (
        "",
        shown.override_mark(scene.actor("tomas"), reading),
        shown.override_mark(milan, readiness.read(second)),
        shown.task_mark(milan, reading),
    ):
        with pytest.raises(StaleError):
            service.override(scene.actor("milan"), scene.visit(), reason=REASON, mark=mark)
    assert excused(scene) == []


@pytest.mark.both_databases
def test_an_override_while_a_paper_is_withdrawn_excuses_nobody_who_was_not_listed(
    app: Flask, manager: CheckedClient, scene: Scene
) -> None:
    mark = shown.override_mark(scene.actor("milan"), readiness.read(scene.visit()))
    scene.session.commit()
    while_changing(
        app,
        scene,
        change=lambda own_scene: without_credential_of(own_scene, "pavo"),
        act=lambda own_scene: service.override(
            own_scene.actor("milan"), own_scene.visit(), reason=REASON, mark=mark
        ),
    )
    assert excused(scene) == []
    assert not scene.visit().is_ready
