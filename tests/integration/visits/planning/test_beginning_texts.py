"""Planning a visit begins its texts: with the model text, as at an earlier visit, or later."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.visits import PLACE, Scene, days
from tests.pages import Page
from tracker.activity.models import ReadLogEntry
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.deciding import left_to_decide
from tracker.checklists.loading import LoadedChecklist, load
from tracker.core import clock
from tracker.visits.encryption import plan_of
from tracker.visits.models import Visit

ROLES, URGENT_PLAN = ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN
Browser = Callable[[str | None], CheckedClient]


@pytest.fixture
def browser(app: Flask, scene: Scene) -> Browser:
    scene.session.commit()
    return lambda key: scene.demonstration.browser(app, key)


def plan(
    browser: Browser,
    scene: Scene,
    by: str = "ilena",
    members: Sequence[str] = ("leyla",),
    **more: Any,
) -> Any:
    """Plan a visit in the browser, and return the response; nothing is said about the members."""
    url = f"/cooperations/{scene.reference}/visits/plan"
    person = browser(by)
    fields = {
        "kind": "thematic",
        "place_type": "police",
        "place": PLACE,
        "starts_on": days().starts_on.isoformat(),
        "announced": "unannounced",
        "lead_id": scene.user("pavo"),
        "deputy_id": scene.user("ruth"),
        **more,
    }
    sent = person.page(url).form().filled_in(**fields)
    for number, key in enumerate(members):
        row = {"user_id": str(scene.user(key)), "skill": "", "languages": ""}
        sent |= {f"members-{number}-{name}": [value] for name, value in row.items()}
    response = person.open(url, method="POST", data=sent, csrf=False)
    scene.session.expire_all()
    return response


def loaded(scene: Scene, kind: ChecklistKind) -> LoadedChecklist:
    return load(scene.checklist(kind, 2))


def test_the_page_offers_the_last_visit_first_and_then_the_model_text(
    browser: Browser, scene: Scene
) -> None:
    page = browser("ilena").page(f"/cooperations/{scene.reference}/visits/plan")
    assert page.form().values["beginning"] == ["visit-1"]
    for words in (
        "With answers copied from joint visit 1",
        "With the model text in English",
        "I'll choose later",
    ):
        assert words in page.text


def test_a_visit_whose_texts_begin_leads_to_what_is_left_to_decide(
    browser: Browser, scene: Scene
) -> None:
    response = plan(browser, scene, beginning="model-en")
    roles = loaded(scene, ROLES)
    assert response.location.endswith(f"/checklists/{roles.checklist.id}/decide")
    assert roles.sheet.value("V6", "method")
    assert loaded(scene, URGENT_PLAN).sheet.value("U2", "first_step")


def test_nobody_has_accepted_what_a_text_began_with(browser: Browser, scene: Scene) -> None:
    plan(browser, scene, beginning="model-en", briefing=clock.today().isoformat())
    for kind in (ROLES, URGENT_PLAN):
        text = loaded(scene, kind)
        begun = {
            code
            for (code, _scope, _owner), answer in text.sheet.answers.items()
            if answer.is_copied
        }
        assert begun
        assert not [code for code in begun if text.standing().items[code].done]


def test_whoever_takes_a_task_is_chosen_once_for_both_texts(browser: Browser, scene: Scene) -> None:
    office = scene.user("ilena")
    plan(browser, scene, beginning="model-en", office=office, interviewer=scene.user("leyla"))
    assert loaded(scene, ROLES).sheet.value("V16", "complaints") == str(office)
    assert loaded(scene, URGENT_PLAN).sheet.value("U3", "headquarters") == str(office)


def test_a_task_goes_to_nobody_who_is_not_on_the_team(browser: Browser, scene: Scene) -> None:
    page = Page.of(plan(browser, scene, beginning="model-en", interviewer=scene.user("samira")))
    assert "Choose somebody on the team, or a person of the NPM." in page.text
    assert scene.session.scalar(sa.select(sa.func.count(Visit.id))) == 1


@pytest.mark.parametrize("later", [0, 3])
def test_the_day_of_the_briefing_is_that_of_the_page_and_read_like_the_rest(
    browser: Browser, scene: Scene, later: int
) -> None:
    day = (clock.today() + dt.timedelta(days=later)).isoformat()
    plan(
        browser,
        scene,
        beginning="model-en",
        briefing=day,
        office=scene.user("ilena"),
        interviewer=scene.user("leyla"),
    )
    roles = loaded(scene, ROLES)
    assert roles.sheet.value("V18", "briefing") == day
    assert not roles.standing().items["V18"].done


def test_a_second_visit_begins_with_methods_and_never_with_place_team_or_list(
    browser: Browser, scene: Scene
) -> None:
    before = load(scene.checklist(ROLES)).sheet
    plan(browser, scene, beginning="visit-1", members=("leyla", "samira", "marek"))
    sheet = loaded(scene, ROLES).sheet
    assert sheet.value("V6", "method") == before.value("V6", "method")
    people = {row["person"] for row in sheet.value("V4", "team")}
    assert people == {str(scene.user(key)) for key in ("pavo", "ruth", "leyla", "samira", "marek")}
    listed = {row["person"] for row in sheet.value("V2", "audience")}
    assert listed == {str(scene.user(key)) for key in ("ilena", "pavo", "ruth")}


def test_what_other_parties_agreed_on_is_not_copied(browser: Browser, scene: Scene) -> None:
    page = Page.of(plan(browser, scene, beginning="visit-1"))
    assert "because other parties agreed them" in page.text
    assert scene.session.scalar(sa.select(sa.func.count(Visit.id))) == 1


def test_reading_an_earlier_visit_for_a_new_one_is_in_the_read_log(
    browser: Browser, scene: Scene
) -> None:
    plan(browser, scene, beginning="visit-1", members=("leyla", "samira", "marek"))
    pages = scene.session.execute(
        sa.select(ReadLogEntry.subject_id, ReadLogEntry.page).where(
            ReadLogEntry.user_id == scene.user("ilena")
        )
    ).all()
    for kind in (ROLES, URGENT_PLAN):
        assert (scene.checklist(kind).id, "copied") in pages


def test_somebody_to_whom_no_visit_is_open_is_offered_none(browser: Browser, scene: Scene) -> None:
    page = browser("milan").page(f"/cooperations/{scene.reference}/visits/plan")
    assert page.form().values["beginning"] == ["model-en"]
    assert "With answers copied from joint visit" not in page.text
    page = Page.of(plan(browser, scene, by="milan", beginning="visit-1"))
    assert "Choose one of the answers offered" in page.text


def test_texts_that_are_begun_later_stay_empty(browser: Browser, scene: Scene) -> None:
    response = plan(browser, scene, beginning="later", briefing=clock.today().isoformat())
    assert response.location.endswith("/visits/2/ready")
    assert loaded(scene, ROLES).sheet.shared("V18") is None


# What is known


def test_a_visit_of_one_day_needs_one_day(browser: Browser, scene: Scene) -> None:
    plan(browser, scene, beginning="later")
    planned = plan_of(scene.visit(2))
    assert planned.ends_on == planned.starts_on == days().starts_on


def test_skill_and_languages_are_those_of_the_last_visit(browser: Browser, scene: Scene) -> None:
    before = {row["person"]: row for row in load(scene.checklist(ROLES)).sheet.value("V4", "team")}
    leyla, marek = str(scene.user("leyla")), str(scene.user("marek"))
    plan(browser, scene, beginning="later", members=("leyla", "marek"))
    team = {row["person"]: row for row in loaded(scene, ROLES).sheet.value("V4", "team")}
    for key in ("skill", "languages"):
        assert team[leyla][key] == before[leyla][key]
        assert team[marek][key] == before[marek][key]


def test_nothing_of_a_visit_that_is_closed_to_the_planner_is_filled_in(
    browser: Browser, scene: Scene
) -> None:
    before = {row["person"]: row for row in load(scene.checklist(ROLES)).sheet.value("V4", "team")}
    plan(browser, scene, by="milan", beginning="later")
    team = {row["person"]: row for row in loaded(scene, ROLES).sheet.value("V4", "team")}
    pavo = str(scene.user("pavo"))
    assert team[pavo] == {
        "person": pavo,
        "organisation": before[pavo]["organisation"],
        "skill": "Team lead",
        "languages": "English",
    }


# What follows


def decide_page(browser: Browser, scene: Scene, by: str = "ilena") -> Page:
    return browser(by).page(f"/checklists/{scene.checklist(ROLES, 2).id}/decide")


def test_the_coordinator_is_suggested_as_the_safety_contact(browser: Browser, scene: Scene) -> None:
    plan(browser, scene, beginning="model-en")
    form = decide_page(browser, scene).form()
    assert form.values["V13-safety_contact"] == [str(scene.user("ilena"))]


def test_a_coordinator_on_the_team_is_not_the_safety_contact(
    browser: Browser, scene: Scene
) -> None:
    plan(browser, scene, beginning="model-en", members=("leyla", "ilena"))
    form = decide_page(browser, scene).form()
    assert form.values["V13-safety_contact"] != [str(scene.user("ilena"))]


def test_an_item_that_another_one_may_make_unnecessary_is_not_asked_for(
    browser: Browser, scene: Scene
) -> None:
    plan(browser, scene, beginning="model-en")
    items = left_to_decide.open_items(loaded(scene, ROLES), scene.actor("ilena"))
    dependent = {
        open_item.item.code: {place.is_dependent for place in open_item.places}
        for open_item in items
    }
    assert dependent["V11"] == dependent["V12"] == {True}
    assert False in dependent["V1"]


def test_reading_the_roles_leads_to_the_urgent_action_plan(browser: Browser, scene: Scene) -> None:
    plan(browser, scene, beginning="model-en")
    roles, urgent = scene.checklist(ROLES, 2), scene.checklist(URGENT_PLAN, 2)
    person = browser("ilena")
    forms = person.page(f"/checklists/{roles.id}/read").forms(f"/checklists/{roles.id}/read/accept")
    whole = next(form for form in forms if form.values["section"] == [""])
    response = person.open(whole.action, method="POST", data=whole.values, csrf=False)
    assert response.location.endswith(f"/checklists/{urgent.id}/decide")


def test_reading_one_section_stays_on_the_page(browser: Browser, scene: Scene) -> None:
    plan(browser, scene, beginning="model-en")
    roles = scene.checklist(ROLES, 2)
    person = browser("ilena")
    forms = person.page(f"/checklists/{roles.id}/read").forms(f"/checklists/{roles.id}/read/accept")
    section = next(form for form in forms if form.values["section"] != [""])
    response = person.open(section.action, method="POST", data=section.values, csrf=False)
    assert f"/checklists/{roles.id}/read" in response.location
