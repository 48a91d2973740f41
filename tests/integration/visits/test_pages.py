"""Pages of visits: from the right side, from each wrong side, and with bad input.

In one file: the pages of one visit, each tested by the same people from every side.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import starting_points
from tests.client import CheckedClient
from tests.factories.visits import (
    LISTED,
    OUTSIDE,
    PLACE,
    TEAM,
    JointVisit,
    days,
    override,
    planned,
    without_credential_of,
)
from tests.integration.visits.test_named_in_the_roles import list_in_v2
from tests.integration.visits.test_readiness import amend
from tests.pages import Page
from tracker.activity import queries as trail
from tracker.activity.models import Event, EventDetail, ReadLogEntry
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.cooperations import clearances
from tracker.cooperations.models import ClearanceEnd
from tracker.core import clock
from tracker.core.db import db
from tracker.ui.locale import as_date
from tracker.undertakings import service as undertakings
from tracker.visits import pages, queries, readiness, service
from tracker.visits import shown as shown_marks
from tracker.visits.encryption import Plan, plan_of
from tracker.visits.models import Visit, VisitStage
from tracker.visits.stages import IN_ORDER

ROLES = ChecklistKind.VISIT_ROLES
HARBOUR = "Lower Harbour police station"
# The pages of one visit; all but the last three are for reading.
READING = ("", "/ready")
CHANGING = ("/plan", "/team", "/stop")
ALL = (*READING, "/my-part", *CHANGING, "/override")

Browser = Callable[[str | None], CheckedClient]


@pytest.fixture
def browser(app: Flask, joint_visit: JointVisit) -> Browser:
    joint_visit.session.commit()
    return lambda key: joint_visit.demonstration.browser(app, key)


@pytest.fixture
def second(app: Flask, joint_visit: JointVisit) -> Visit:
    """Another visit, in preparation, with Milan and Dina listed as well."""

    def plan_second() -> None:
        joint_visit.session = db.session()
        planned(
            joint_visit,
            members=("leyla", "samira", "marek"),
            audience=("leyla", "samira", "marek", "milan", "dina"),
        )

    starting_points.of(app).use("second_visit", plan_second, on="demonstration")
    joint_visit.session = db.session()
    return joint_visit.visit(2)


def address(joint_visit: JointVisit, page: str = "", number: int = 1) -> str:
    return f"/cooperations/{joint_visit.reference}/visits/{number}{page}"


def around(joint_visit: JointVisit) -> list[str]:
    """Return the pages around a visit on which it could be shown."""
    here = f"/cooperations/{joint_visit.reference}"
    return ["/", "/cooperations", here, f"{here}/history", f"{here}/people", f"{here}/visits"]


def hidden() -> set[str]:
    plan = days()
    days_in_words = {as_date(day) for day in (plan.starts_on, plan.ends_on)}
    return {PLACE, "Quillfen", plan.starts_on.isoformat(), *days_in_words}


LEFT_OUT = "The number of entries would give away how many people are on the team."


# Who gets where


def test_listed_and_cleared_people_read_a_visit_which_begins_with_its_place_also_on_a_phone(
    browser: Browser, joint_visit: JointVisit
) -> None:
    for key in LISTED:
        person = browser(key)
        text, ready = (person.page(address(joint_visit, page)).text for page in READING)
        assert HARBOUR in text, key
        assert text.index(HARBOUR) < text.index("Preparation"), key
        assert HARBOUR in ready, key
        assert HARBOUR in person.page(f"/cooperations/{joint_visit.reference}/visits").text, key
        assert HARBOUR not in person.page(f"/cooperations/{joint_visit.reference}").text, key
        assert HARBOUR not in person.page("/").text, key


def test_the_stage_line_of_a_visit_shows_every_stage_and_which_were_passed(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person = browser("samira")
    for stage, past in (
        # The visit is ready: nothing is left to do before the team leaves.
        (VisitStage.CLEARED, ["Proposing", "Planning", "Ready"]),
        (VisitStage.PROPOSED, []),
        (VisitStage.PLANNED, ["Proposing"]),
        (VisitStage.ON_SITE, ["Proposing", "Planning", "Clearing the team"]),
    ):
        joint_visit.visit().stage = stage
        joint_visit.session.commit()
        page = person.page(address(joint_visit))
        stages = page.stages()
        (current,) = [name for name, _class, is_current in stages if is_current]
        place = [is_current for *_rest, is_current in stages].index(True)
        assert place == list(IN_ORDER).index(stage)
        assert [name for name, mark, _is_current in stages if mark == "past"] == past, stage
        assert f"Stage: {current}" in page.text
        assert ("Stage: Ready" in page.text) is (stage is VisitStage.CLEARED)
        # People read names, never codes.
        assert not any(code in page.text for code in ("J1", "J2", "J3", "J4", "K2"))


def test_the_stage_line_names_what_is_done_until_the_visit_is_ready(
    browser: Browser, joint_visit: JointVisit
) -> None:
    without_credential_of(joint_visit, "leyla")
    joint_visit.session.commit()
    page = browser("samira").page(address(joint_visit))
    assert "Stage: Clearing the team" in page.text
    past = [name for name, mark, _is_current in page.stages() if mark == "past"]
    assert past == ["Proposing", "Planning"]


def test_for_everybody_else_a_visit_does_not_exist(
    browser: Browser, joint_visit: JointVisit
) -> None:
    for key in OUTSIDE:
        if key == "noor":
            continue
        person = browser(key)
        for page in ALL:
            url = address(joint_visit, page)
            # The same page each time, which the test of errors checks.
            for response in (person.get(url, read=False), person.post(url, read=False)):
                assert response.status_code in {404, 405}, (key, page)
                assert HARBOUR not in response.text


def test_strangers_and_people_without_any_role_are_sent_away(
    browser: Browser, joint_visit: JointVisit
) -> None:
    for key in (None, "noor"):
        stranger = browser(key)
        for page in ALL:
            url = address(joint_visit, page)
            response = stranger.get(url, follow_redirects=True)
            assert [passed.status_code for passed in response.history][:1] == [302], (key, page)
            assert HARBOUR not in response.history[0].text
            assert HARBOUR not in response.text


def test_place_and_dates_are_never_shown_to_people_who_may_not_know(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    # Milan is listed for the second visit.
    for key in ["tomas" if key == "milan" else key for key in OUTSIDE]:
        person = browser(key)
        for page in around(joint_visit):
            text = person.get(page).text
            for word in hidden():
                assert word not in text, f"{page} tells {key} {word}"
            assert "Leyla Marchetti, physician" not in text


def test_an_unknown_visit_is_not_found(browser: Browser, joint_visit: JointVisit) -> None:
    person = browser("ilena")
    for number in ("0", "3", "999999", "1000000", "9" * 40, "-1", "one", "1.0"):
        for page in ALL:
            url = f"/cooperations/{joint_visit.reference}/visits/{number}{page}"
            # The same page each time.
            assert person.get(url, read=number == "0").status_code == 404, url


def test_a_visit_is_not_found_under_another_cooperation(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person = browser("ilena")
    for name in ("waiting", "differing", "declined"):
        other = joint_visit.demonstration.references[name]
        assert person.get(f"/cooperations/{other}/visits/1").status_code == 404
    assert person.get("/cooperations/C-1999-0001/visits").status_code == 404


def test_a_person_who_may_not_change_a_visit_reads_why(
    browser: Browser, joint_visit: JointVisit
) -> None:
    for key in ("ruth", "tomas", "leyla", "samira", "joana", "marek"):
        person = browser(key)
        for page in CHANGING:
            response = person.get(address(joint_visit, page))
            assert response.status_code == 403, (key, page)
            assert "NPM" in Page.of(response).text
            assert person.post(address(joint_visit, page)).status_code == 403, (key, page)


def test_only_a_manager_of_the_npm_gets_to_the_override(
    browser: Browser, joint_visit: JointVisit
) -> None:
    for key in LISTED:
        assert browser(key).get(address(joint_visit, "/override")).status_code == 403, key


def test_the_npm_reads_who_on_the_list_can_override_what_is_missing(
    browser: Browser, joint_visit: JointVisit
) -> None:
    only = "Only a manager of the NPM"
    url = address(joint_visit, "/ready")
    assert only not in browser("ilena").page(url).text
    without_credential_of(joint_visit, "ruth")
    joint_visit.session.commit()
    assert "There's no manager on it: you can add one under" in browser("ilena").page(url).text
    assert only not in browser("leyla").page(url).text
    list_in_v2(joint_visit, "milan")
    joint_visit.session.commit()
    assert "On the list for this visit: Milan Osterin." in browser("pavo").page(url).text
    assert only not in browser("milan").page(url).text


def test_a_person_outside_the_team_has_no_part(browser: Browser, joint_visit: JointVisit) -> None:
    for key in ("ilena", "tomas", "otto", "joana", "henrik"):
        person = browser(key)
        assert person.get(address(joint_visit, "/my-part")).status_code == 404, key
        for page in ("/my-part/role", "/my-part/plan"):
            assert person.post(address(joint_visit, page)).status_code == 404, (key, page)


def test_a_clearance_that_ends_closes_the_pages_in_a_running_session(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person, clearance = browser("leyla"), joint_visit.clearance("leyla")
    person.page(address(joint_visit))

    def why() -> str:
        joint_visit.session.commit()
        assert person.get(address(joint_visit)).status_code == 404
        [listed, cooperation] = [
            person.page(f"/cooperations/{joint_visit.reference}{part}") for part in ("/visits", "")
        ]
        assert "/undertakings" in listed.addresses()
        assert HARBOUR not in listed.text
        return next(
            words
            for words in (
                "your undertaking doesn't give you access to it now",
                "your access has ended. You get it back once you have signed a new undertaking",
                "You get access once your undertaking is signed and countersigned.",
            )
            if words in listed.text and words in cooperation.text
        )

    begun = clearance.from_on
    clearance.from_on = clock.today() + dt.timedelta(days=1)
    assert why().startswith("your undertaking")
    clearance.from_on = begun
    clearances.close(None, clearance, ClearanceEnd.WITHDRAWN)
    assert why().startswith("your access has ended")
    joint_visit.session.delete(clearance)
    assert why().startswith("You get access once")


# What others see


def test_an_auditor_sees_that_visits_exist_and_their_stage(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    person = browser("greta")
    for page in (
        f"/cooperations/{joint_visit.reference}",
        f"/cooperations/{joint_visit.reference}/visits",
    ):
        shown = person.page(page)
        assert "Planning, or its days have passed" in shown.text
        assert "Ready, or its days have passed" in shown.text
        assert not [url for url in shown.addresses() if "/visits/" in url]


def test_the_history_names_only_signers_among_the_people_who_may_know_of_a_visit(
    browser: Browser, joint_visit: JointVisit
) -> None:
    planned(joint_visit)
    service.stop(joint_visit.actor("pavo"), joint_visit.visit(2), reason="The road is closed.")
    joint_visit.session.commit()
    total, lines = trail.history(joint_visit.cooperation.id, limit=1000)
    assert total == len(lines)
    own = [line for line in lines if line.details.get("scope") == "person"]
    assert own == [], "how many of them there are, tells how many are in the team"
    visit_ids = {joint_visit.visit(1).id, joint_visit.visit(2).id}
    kinds = {"visit_roles", "urgent_plan"}
    about = [
        line for line in lines if line.subject_id in visit_ids or line.details.get("kind") in kinds
    ]
    named = {line.verb for line in about if line.who}
    signing = {"sent_for_signature", "signed", "came_into_force", "certificate_made"}
    assert named - signing == set()
    assert {"visit_became_ready", "visit_stage_changed", "team_changed"} <= {
        line.verb for line in about
    }
    for reader in ("greta", "milan", "ilena", "leyla", "joana"):
        shown = browser(reader).page(f"/cooperations/{joint_visit.reference}/history").text
        # It says what it leaves out, and why.
        assert LEFT_OUT in shown, reader
        if reader in {"leyla", "joana"}:
            continue
        assert "Joint visit 2 was stopped. Reason: The road is closed. Someone from Office" in shown
        assert "Pavo Linden" not in shown
        assert ("The team of joint visit 2 was changed." in shown) is (reader == "ilena")


def test_only_the_history_of_a_visits_roles_says_so_in_the_register(
    browser: Browser, joint_visit: JointVisit
) -> None:
    manager = browser("henrik")
    wanted = sa.select(Checklist).where(Checklist.cooperation_id == joint_visit.cooperation.id)
    kinds = {row.id: row.kind for row in joint_visit.session.scalars(wanted)}
    assert len(set(kinds.values())) == 4
    for checklist_id, kind in kinds.items():
        text = manager.page(f"/register/{checklist_id}").text
        assert (LEFT_OUT in text) is (kind is ChecklistKind.VISIT_ROLES)


def test_a_history_without_a_visit_leaves_nothing_out_and_says_nothing(
    browser: Browser, joint_visit: JointVisit
) -> None:
    other = joint_visit.demonstration.references["declined"]
    text = browser("ilena").page(f"/cooperations/{other}/history").text
    assert LEFT_OUT not in text


def test_computed_events_are_recorded_without_a_person(joint_visit: JointVisit) -> None:
    verbs = ("visit_became_ready", "visit_stage_changed", "team_changed", "audience_changed")
    events = joint_visit.events(*verbs)
    assert {verb for verb, _content in events} == set(verbs)
    assert [content for _verb, content in events if content["who"] or "count" in content] == []


def test_events_recorded_by_earlier_versions_are_no_longer_shown(joint_visit: JointVisit) -> None:
    """They named the person who did the last missing act, and the size of the team."""
    pavo = {"id": str(joint_visit.user("pavo")), "name": "Pavo Linden", "for": "Office"}
    row = joint_visit.session.scalars(
        sa.select(EventDetail)
        .join(Event, Event.id == EventDetail.event_id)
        .where(Event.verb.in_(["team_changed", "visit_became_ready"]))
        .order_by(Event.number.desc())
        .limit(1)
    ).one()
    former = {**row.content, "who": pavo, "count": 5}
    assert trail.tells_the_team("visit_became_ready", former, is_after_stop=False)
    row.content = former
    joint_visit.session.commit()
    lines = [
        line
        for line in trail.history(joint_visit.cooperation.id, limit=1000)[1]
        if line.who == "Pavo Linden" or "count" in line.details
    ]
    assert [line for line in lines if line.verb in {"team_changed", "visit_became_ready"}] == []


def test_an_unlisted_coordinator_reads_what_to_do(
    browser: Browser, joint_visit: JointVisit
) -> None:
    planned(joint_visit, members=(), audience=())
    joint_visit.session.commit()
    shown = browser("samira").page(f"/cooperations/{joint_visit.reference}")
    assert "You aren't on the list of people who may know of this visit." in shown.text
    assert f"/cooperations/{joint_visit.reference}/visits/2" not in shown.addresses()
    shown = browser("dina").page(f"/cooperations/{joint_visit.reference}")
    assert "Joint visit 1" not in shown.text
    assert "Joint visit 2" not in shown.text


def test_tasks_are_listed_only_for_the_people_who_have_to_act(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    assert "Make a joint visit ready" in browser("pavo").page("/").text
    for key in ("tomas", "dina", "joana", "greta"):
        assert "Make a joint visit ready" not in browser(key).page("/").text


# Planning


def plan_fields(joint_visit: JointVisit, **more: Any) -> dict[str, Any]:
    plan = days()
    return {
        "kind": "thematic",
        "place_type": "police",
        "place": PLACE,
        "starts_on": plan.starts_on.isoformat(),
        "ends_on": plan.ends_on.isoformat(),
        "announced": "unannounced",
        "beginning": "later",
        "lead_id": joint_visit.user("pavo"),
        "deputy_id": joint_visit.user("ruth"),
        "members-0-user_id": joint_visit.user("leyla"),
        "members-0-skill": "Physician",
        "audience-0-user_id": joint_visit.user("leyla"),
        **more,
    }


def test_a_visit_is_planned_in_the_browser_once_also_if_its_form_is_sent_twice(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person = browser("ilena")
    shown = person.page(f"/cooperations/{joint_visit.reference}")
    url = shown.links()["Plan another joint visit"]
    fields = plan_fields(joint_visit)
    sent = person.page(url).form().filled_in(**fields)
    # A row is added without saving.
    more = sent | {"add_row": ["members"]}
    form = Page.of(person.open(url, method="POST", data=more, csrf=False)).form()
    assert "members-1-user_id" in form.names
    assert form.values["place"] == [PLACE]
    assert joint_visit.session.scalar(sa.select(sa.func.count(Visit.id))) == 1
    sent = form.filled_in(**fields)
    page = Page.of(person.open(url, method="POST", data=sent, csrf=False, follow_redirects=True))
    assert page.h1 == "Is the visit ready?"
    assert page.where == address(joint_visit, "/ready", 2)
    assert PLACE in page.text
    assert plan_of(joint_visit.visit(2)) == days()
    assert joint_visit.members(2) == {"pavo", "ruth", "leyla"}
    again = person.open(url, method="POST", data=sent, csrf=False)
    assert again.status_code == 303
    assert again.location.endswith("/visits/2/ready")
    assert joint_visit.session.scalar(sa.select(sa.func.count(Visit.id))) == 2


def test_bad_input_gets_a_message_and_loses_nothing(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person = browser("ilena")
    url = f"/cooperations/{joint_visit.reference}/visits/plan"
    empty = person.page(url).form()
    for wrong, message in (
        ({"place": ""}, "Enter the place"),
        ({"place": "x" * 201}, "Use at most 200 characters"),
        ({"starts_on": ""}, "Enter the first day"),
        ({"starts_on": "tomorrow"}, "Enter a date, such as 2027-01-15"),
        ({"starts_on": "2020-01-01"}, "The first day has passed"),
        ({"ends_on": "2020-01-01"}, "The last day can't come before the first"),
        ({"kind": None}, "Choose one answer"),
        ({"kind": "raid"}, "Choose one of the answers offered"),
        ({"lead_id": ""}, "Choose one from the list"),
        ({"lead_id": "x"}, "Choose one of the answers offered"),
        ({"lead_id": uuid4()}, "Choose one of the answers offered"),
        (
            {"deputy_id": joint_visit.user("pavo")},
            "The lead and the deputy have to be different people.",
        ),
        ({"members-0-user_id": uuid4()}, "Choose one of the answers offered"),
        ({"audience-0-from_on": "soon"}, "Enter a date, such as 2027-01-15"),
    ):
        sent = empty.filled_in(**plan_fields(joint_visit, **wrong))
        page = Page.of(person.open(url, method="POST", data=sent, csrf=False))
        assert page.h1 == "Plan a joint visit", wrong
        assert message in page.text, wrong
        form = page.form()
        if "place" not in wrong:
            assert form.values["place"] == [PLACE], wrong
        assert form.values["members-0-skill"] == ["Physician"], wrong
    assert joint_visit.session.scalar(sa.select(sa.func.count(Visit.id))) == 1


def test_people_who_may_not_plan_are_refused_the_page(
    browser: Browser, joint_visit: JointVisit
) -> None:
    url = f"/cooperations/{joint_visit.reference}/visits/plan"
    for key in ("pavo", "tomas", "samira", "henrik", "leyla", "greta"):
        person = browser(key)
        for response in (person.get(url), person.post(url)):
            assert response.status_code == 403, key


def test_a_person_who_does_not_see_the_cooperation_plans_no_visit(
    browser: Browser, joint_visit: JointVisit
) -> None:
    for key in ("celia", "vera", "iris"):
        person = browser(key)
        for page in ("/visits", "/visits/plan", "/reads"):
            url = f"/cooperations/{joint_visit.reference}{page}"
            assert person.get(url).status_code == 404, (key, page)


def test_before_a_cooperation_is_active_its_page_says_what_opens_visits(
    browser: Browser, joint_visit: JointVisit
) -> None:
    other = joint_visit.demonstration.references["differing"]
    response = browser("ilena").get(f"/cooperations/{other}/visits/plan")
    assert response.status_code == 403
    assert "while the cooperation is active" in Page.of(response).text


# Changing


def test_whoever_changes_place_or_days_reads_first_what_the_team_confirms_again(
    browser: Browser, joint_visit: JointVisit
) -> None:
    page = browser("pavo").page(address(joint_visit, "/plan"))
    assert "Everyone on the team then accepts their task and confirms the" in page.text


def test_place_and_dates_are_changed_in_the_browser(
    browser: Browser, joint_visit: JointVisit
) -> None:
    page = Page.of(browser("pavo").submit(address(joint_visit, "/plan"), place="Upper Harbour"))
    assert page.where == address(joint_visit)
    assert "Saved." in page.text
    assert "Upper Harbour" in page.text
    page = Page.of(browser("pavo").submit(address(joint_visit, "/plan")))
    assert "Nothing was changed." in page.text
    # The type of the new place may be stated later.
    assert plan_of(joint_visit.visit()).kind_asked_at is not None
    browser("pavo").submit(address(joint_visit, "/plan"), place_type="police")
    assert plan_of(joint_visit.visit()).kind_asked_at is None


def test_the_second_of_two_people_who_change_a_plan_sees_the_first_ones(
    browser: Browser, joint_visit: JointVisit
) -> None:
    pavo, ilena = browser("pavo"), browser("ilena")
    url = address(joint_visit, "/plan")
    late = ilena.page(url).form().filled_in(place="Third Harbour")
    pavo.submit(url, place="Upper Harbour")
    response = ilena.open(url, method="POST", data=late, csrf=False)
    page = Page.of(response)
    assert "Somebody else changed the plan in the meantime" in page.text
    assert "Upper Harbour" in page.text
    assert page.form().values["place"] == ["Third Harbour"]
    assert plan_of(joint_visit.visit()).place == "Upper Harbour"
    # What was typed is saved once the person has seen both.
    again = page.form().filled_in()
    ilena.open(url, method="POST", data=again, csrf=False)
    assert plan_of(joint_visit.visit()).place == "Third Harbour"


def test_the_team_is_changed_in_the_browser_and_a_second_person_sees_what_the_first_changed(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    url = address(joint_visit, "/team", 2)
    pavo, ilena = browser("pavo"), browser("ilena")
    form = ilena.page(url).form()
    assert form.values["lead_id"] == [str(joint_visit.user("pavo"))]
    late = form.filled_in(gaps="No physician.")
    page = Page.of(
        pavo.submit(url, lead_id=joint_visit.user("ruth"), deputy_id=joint_visit.user("pavo"))
    )
    assert page.where == address(joint_visit, "", 2)
    sheet = load(joint_visit.checklist(ROLES, 2)).sheet
    assert sheet.value("V3", "lead") == str(joint_visit.user("ruth"))
    page = Page.of(ilena.open(url, method="POST", data=late, csrf=False))
    assert "Somebody else changed the team in the meantime" in page.text
    assert "Ruth Abara" in page.text
    assert page.form().values["gaps"] == ["No physician."]
    assert load(joint_visit.checklist(ROLES, 2)).sheet.value("V4", "gaps") is None


def test_a_text_of_a_visit_leads_back_to_its_visit(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    for page in ("", "/items/V8/answer"):
        roles = browser("ilena").page(f"/checklists/{joint_visit.checklist(ROLES, 2).id}{page}")
        assert roles.links()["Visit 2"] == address(joint_visit, number=2), page


def test_a_signed_team_leads_to_an_amendment(browser: Browser, joint_visit: JointVisit) -> None:
    page = browser("ilena").page(address(joint_visit, "/team"))
    assert "Changes need an amendment that everyone signs." in page.text
    assert f"/checklists/{joint_visit.checklist(ROLES).id}/amend" in page.addresses()


def test_a_visit_is_stopped_in_the_browser(browser: Browser, joint_visit: JointVisit) -> None:
    person = browser("ilena")
    assert (
        "Give the reason" in Page.of(person.submit(address(joint_visit, "/stop"), reason=" ")).text
    )
    page = Page.of(person.submit(address(joint_visit, "/stop"), reason="The lead is ill."))
    assert page.where == address(joint_visit)
    assert "The lead is ill." in page.text
    assert "Change place and days" not in page.text
    # Sent again, it says the same.
    response = person.post(address(joint_visit, "/stop"), data={"reason": "Again."})
    assert response.status_code == 303
    history = browser("greta").page(f"/cooperations/{joint_visit.reference}/history")
    assert "Joint visit 1 was stopped. Reason: The lead is ill." in history.text
    assert (
        "stopped"
        in browser("greta").page(f"/cooperations/{joint_visit.reference}/visits").text.lower()
    )


def test_a_form_without_its_token_changes_nothing(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person = browser("ilena")
    response = person.open(
        address(joint_visit, "/stop"), method="POST", data={"reason": "Because."}, csrf=False
    )
    assert response.status_code in {200, 400, 422}
    assert joint_visit.visit().is_ready


# A person's own part


def take_back_own_part(joint_visit: JointVisit) -> None:
    """Have Leyla neither accept her task nor confirm the plan."""
    roles = joint_visit.checklist(ROLES)
    for item, key in (("V5", "accepted"), ("V20", "read")):
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


def own_part(joint_visit: JointVisit, key: str) -> tuple[bool, bool]:
    """Return whether a person has accepted their task, and confirmed the plan."""
    members = readiness.read(joint_visit.visit()).judgement.facts.members
    fact = next(member for member in members if member.user_id == joint_visit.user(key))
    return fact.role_accepted, fact.plan_read


def test_a_person_of_the_team_accepts_the_task_and_confirms_the_plan(
    browser: Browser, joint_visit: JointVisit
) -> None:
    take_back_own_part(joint_visit)
    person = browser("leyla")
    work = person.page("/")
    assert "Accept your task on a joint visit" in work.text
    assert "Read the urgent-action plan" in work.text
    assert HARBOUR not in work.text
    url = address(joint_visit, "/my-part")
    shown = person.page(url)
    assert "Speaks with persons about health" in shown.text
    assert "Alone or with whomPavo Linden" in shown.text
    assert "+000 555 010" in shown.text
    for action, done in (("role", "You have accepted it"), ("plan", "You have confirmed it")):
        page = Page.of(person.submit(url, action=f"{url}/{action}"))
        assert page.where == url
        assert done in page.text
    assert joint_visit.visit().is_ready
    # Sent again, nothing more happens.
    events = len(joint_visit.events())
    reading = readiness.read(joint_visit.visit())
    leyla = joint_visit.actor("leyla")
    for action, mark in (
        (f"{url}/role", shown_marks.task_mark(leyla, reading)),
        (f"{url}/plan", shown_marks.plan_mark(leyla, reading)),
    ):
        assert person.post(action, data={"mark": mark}).status_code == 303
    assert len(joint_visit.events()) == events


def test_a_person_of_the_team_reads_all_they_do_and_whom_to_call(
    browser: Browser, joint_visit: JointVisit
) -> None:
    text = browser("leyla").page(address(joint_visit, "/my-part")).text
    for words in (
        "FunctionPhysician",
        "Named asSub-lead",
        "Group or part of the placeCells of the ground floor",
        "Named asInterviewer",
        "With whomPavo Linden",
        "Named asWho speaks with health workers",
        "CredentialLetter of access 03",
        "PartHealth",
        "Named asWho follows it up",
        "Named asWho records",
        ", 16:00, Office of the People's Advocate, room 3",
        "The team meets08:00, car park of the Office of the People's Advocate",
        "Daily meeting18:00",
        "Make safe, stay calm, confront nobody",
        "May I write this down without your name?",
    ):
        assert words in text, words
    # Not what others do.
    assert "Cells of the first floor" not in text
    calls = text.partition("Daily meeting")[2].partition("Who to call")[2]
    assert calls.index("Pavo LindenTeam lead") < calls.index("Ruth AbaraDeputy team lead")
    assert calls.index("Ruth Abara") < calls.index("Ilena DorvathDecides at headquarters")


def test_each_number_on_the_page_of_ones_part_can_be_called(
    browser: Browser, joint_visit: JointVisit
) -> None:
    def numbers(key: str) -> list[str]:
        addresses = browser(key).page(address(joint_visit, "/my-part")).addresses()
        return [link for link in addresses if link.startswith("tel:")]

    assert numbers("leyla") == ["tel:+000555012", "tel:+000555011", "tel:+000555010"]
    # Nobody is told to call themselves.
    assert numbers("ruth") == ["tel:+000555012", "tel:+000555010"]


def test_ones_own_part_takes_nothing_from_a_plan_that_is_being_changed(
    browser: Browser, joint_visit: JointVisit
) -> None:
    amend(joint_visit, ChecklistKind.URGENT_PLAN, "U3")
    joint_visit.session.commit()
    page = browser("leyla").page(address(joint_visit, "/my-part"))
    assert "tel:+000555012" not in page.addresses()
    assert "Make safe, stay calm" not in page.text
    assert "Who decides in an urgent case, and their numbers, appear here" in page.text
    assert "Team lead" in page.text


def test_a_person_reads_why_they_are_asked_again_after_the_days_changed(
    browser: Browser, joint_visit: JointVisit
) -> None:
    url = address(joint_visit, "/my-part")
    why = f"The place or the days changed on {as_date(clock.now())}."
    assert why not in browser("leyla").page(url).text
    later = (plan_of(joint_visit.visit()).ends_on + dt.timedelta(days=1)).isoformat()
    saved = Page.of(browser("ilena").submit(address(joint_visit, "/plan"), ends_on=later))
    assert "“Is the visit ready?” lists what has to be confirmed again." in saved.text
    assert why in browser("leyla").page(url).text
    assert not joint_visit.visit().is_ready


def test_a_person_of_the_team_does_both_with_one_button_unless_one_of_both_changed_since(
    browser: Browser, joint_visit: JointVisit
) -> None:
    take_back_own_part(joint_visit)
    person, url = browser("leyla"), address(joint_visit, "/my-part")
    shown = person.page(url)
    assert "Both together" in shown.text
    (form,) = shown.forms(f"{url}/both")
    for wrong in ("task_mark", "plan_mark"):
        data = form.filled_in() | {wrong: ""}
        page = Page.of(person.post(f"{url}/both", data=data, follow_redirects=True))
        assert "We don't know which text you read." in page.text, wrong
        assert own_part(joint_visit, "leyla") == (False, False), wrong
    page = Page.of(person.submit(url, action=f"{url}/both"))
    assert "You accepted your task and confirmed the urgent-action plan." in page.text
    assert "You have accepted it" in page.text
    assert "You have confirmed it" in page.text
    assert "Both together" not in page.text
    assert joint_visit.visit().is_ready
    assert own_part(joint_visit, "leyla") == (True, True)


def test_nobody_confirms_both_for_somebody_else(browser: Browser, joint_visit: JointVisit) -> None:
    take_back_own_part(joint_visit)
    reading, leyla = readiness.read(joint_visit.visit()), joint_visit.actor("leyla")
    marks = {
        "task_mark": shown_marks.task_mark(leyla, reading),
        "plan_mark": shown_marks.plan_mark(leyla, reading),
    }
    for key in ("ilena", "samira", "celia", "iris"):
        answer = browser(key).post(f"{address(joint_visit, '/my-part')}/both", data=marks)
        assert answer.status_code in ({303} if key == "samira" else {403, 404}), key
        assert own_part(joint_visit, "leyla") == (False, False), key


def test_ones_own_part_says_what_is_still_missing(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    url = address(joint_visit, "/my-part", 2)
    person = browser("leyla")
    shown = person.page(url)
    assert "Your task hasn't been written down yet." in shown.text
    assert "Not everyone has signed the plan yet." in shown.text
    assert person.page(url).root is not None
    refused = person.post(f"{url}/role", follow_redirects=True)
    assert "Your task hasn't been written down yet." in Page.of(refused).text


# Readiness


def test_the_readiness_page_says_what_is_missing_and_whose_turn_it_is(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    shown = browser("ilena").page(address(joint_visit, "/ready", 2))
    assert "Not yet." in shown.text
    assert "5 people, six requirements each" in shown.text
    # On a phone each person is a block, in which each answer says what it answers.
    assert shown.html.count('<span class="head">Letter of access: </span>') == 5
    assert "The urgent-action plan is not agreed yet." in shown.text
    assert "5 letters of access are not issued." in shown.text
    assert "Waiting for you" in shown.text
    assert "NPM, Team lead" in shown.text
    assert "NPM outside expert, Interviews" in shown.text
    roles = joint_visit.checklist(ROLES, 2)
    assert f"/checklists/{roles.id}#v13" in shown.addresses()
    partner = browser("leyla").page(address(joint_visit, "/ready", 2))
    assert "Waiting for the NPM" in partner.text


def test_a_ready_visit_says_so(browser: Browser, joint_visit: JointVisit) -> None:
    shown = browser("samira").page(address(joint_visit, "/ready"))
    assert "Yes. The team and the parties meet all requirements." in shown.text
    assert "Nothing is missing." in shown.text
    assert "Override with a reason" not in shown.text


def test_a_visit_whose_days_have_passed_says_so_to_those_who_know_them(
    browser: Browser, joint_visit: JointVisit, frozen_time: Callable[[dt.datetime], None]
) -> None:
    last = plan_of(joint_visit.visit()).ends_on
    passed = "Its days have passed"
    cooperation = f"/cooperations/{joint_visit.reference}"
    frozen_time(dt.datetime.combine(last, dt.time(12), dt.UTC))
    assert passed not in browser("pavo").page(f"{cooperation}/visits").text
    frozen_time(dt.datetime.combine(last + dt.timedelta(days=1), dt.time(12), dt.UTC))
    person = browser("pavo")
    for page in (cooperation, f"{cooperation}/visits", address(joint_visit)):
        assert passed in person.page(page).text, page
    ready = person.page(address(joint_visit, "/ready")).text
    assert "The days of this visit have passed. It was ready." in ready
    assert "What is missing" not in ready
    for name in ("milan", "greta"):
        known = browser(name).page(f"{cooperation}/visits").text
        assert "Ready, or its days have passed" in known, name


def test_a_manager_overrides_in_the_browser(browser: Browser, joint_visit: JointVisit) -> None:
    planned(joint_visit, members=(), audience=("milan",))
    joint_visit.session.commit()
    person = browser("milan")
    page = person.page(address(joint_visit, "/override", 2))
    assert "This can't be overridden." in page.text
    refused = person.post(address(joint_visit, "/override", 2), data={"reason": "Now."})
    assert refused.status_code == 200
    assert "Only the last gate, “Cleared”, can be overridden" in Page.of(refused).text
    assert joint_visit.events("gate_overridden") == []


def test_an_override_is_shown_on_the_page_and_in_the_history(
    browser: Browser, joint_visit: JointVisit
) -> None:
    without_credential_of(joint_visit, "ruth")
    override(joint_visit.actor("milan"), joint_visit.visit(), reason="A call that can't wait.")
    joint_visit.session.commit()
    shown = browser("leyla").page(address(joint_visit, "/ready"))
    assert "Overridden" in shown.text
    assert "Nothing else is missing. A manager of the NPM has overridden the rest." in shown.text
    excused_by = f"Excused by Milan Osterin, {as_date(clock.now())}: A call that can't wait."
    assert excused_by in shown.text
    history = browser("greta").page(f"/cooperations/{joint_visit.reference}/history")
    assert "Missing requirements of joint visit 1 were overridden." in history.text


def test_each_excused_reason_names_the_override_that_counts_for_it(
    browser: Browser, joint_visit: JointVisit
) -> None:
    """Not a later one, which was about something else that has been supplied since."""
    before = load(joint_visit.checklist(ROLES)).sheet.shared("V13")
    assert before is not None
    without_credential_of(joint_visit, "ruth")
    override(joint_visit.actor("milan"), joint_visit.visit(), reason="Ruth's letter is on its way.")
    without_credential_of(joint_visit, "pavo")
    override(joint_visit.actor("milan"), joint_visit.visit(), reason="Pavo's letter is on its way.")
    again = load(joint_visit.checklist(ROLES)).sheet.shared("V13")
    assert again is not None
    pavo = str(joint_visit.user("pavo"))
    of_pavo = [row for row in before.values["credentials"] if row["person"] == pavo]
    checklists.save_answer(
        joint_visit.actor("ilena"),
        joint_visit.checklist(ROLES),
        "V13",
        AnswerScope.SHARED,
        {**again.values, "credentials": [*again.values["credentials"], *of_pavo]},
        base_version=again.version,
    )
    joint_visit.session.commit()
    gates = browser("leyla").page(address(joint_visit, "/ready")).text.partition("Gates")[2]
    assert "Ruth's letter is on its way." in gates
    assert "Pavo's letter is on its way." not in gates


# The read log


def noted(joint_visit: JointVisit) -> list[str]:
    return list(joint_visit.session.scalars(sa.select(ReadLogEntry.page).order_by(ReadLogEntry.at)))


def test_each_page_view_is_logged_once(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    assert noted(joint_visit) == []
    person = browser("pavo")
    for page in ("", "/ready", "/my-part", "/plan", "/team", "/stop"):
        person.page(address(joint_visit, page, 2))
    assert noted(joint_visit) == [
        "visit",
        "visit_readiness",
        "visit_my_part",
        "visit_plan",
        "visit_team",
        "visit_stop",
    ]
    person.page(f"/cooperations/{joint_visit.reference}/visits")
    assert noted(joint_visit)[-1] == "visits"


def test_a_page_that_was_not_shown_is_not_logged(browser: Browser, joint_visit: JointVisit) -> None:
    for key in ("dina", "greta", "milan", "celia"):
        person = browser(key)
        person.get(address(joint_visit))
        person.get(f"/cooperations/{joint_visit.reference}/visits")
        person.get(f"/cooperations/{joint_visit.reference}")
    assert noted(joint_visit) == []


def test_a_form_is_logged_once_if_it_shows_its_page_again(
    browser: Browser, joint_visit: JointVisit
) -> None:
    person = browser("pavo")
    shown = person.post(address(joint_visit, "/plan"), data={})
    assert HARBOUR in shown.text
    assert noted(joint_visit) == ["visit_plan"]
    joint_visit.session.rollback()
    assert person.post(address(joint_visit, "/stop"), data={"reason": "No car."}).status_code == 303
    assert noted(joint_visit) == ["visit_plan"]


def test_only_the_npms_managers_read_the_read_log(
    browser: Browser, joint_visit: JointVisit, second: Visit
) -> None:
    browser("leyla").page(address(joint_visit))
    browser("pavo").page(address(joint_visit, "/ready", 2))
    browser("pavo").page(f"/checklists/{joint_visit.checklist(ROLES).id}")
    browser("pavo").page(f"/cooperations/{joint_visit.reference}/visits")
    url = f"/cooperations/{joint_visit.reference}/reads"
    shown = browser("milan").page(url)
    assert shown.h1 == "Read log"
    for words in ("4 entries", "Leyla Marchetti", "Visit 1", "Visit 2", "The list of visits"):
        assert words in shown.text
    for word in (HARBOUR, *hidden()):
        assert word not in shown.text
    for key in ("ilena", "tomas", "pavo", "henrik", "samira", "greta"):
        assert browser(key).get(url).status_code == 403, key


def test_who_may_not_know_of_a_visit_reads_only_that_something_of_it_was_opened(
    browser: Browser, joint_visit: JointVisit
) -> None:
    """Only people of the team open their part, and mostly the lead changes the plan."""
    browser("leyla").page(address(joint_visit, "/my-part"))
    browser("pavo").page(address(joint_visit, "/plan"))
    browser("pavo").page(f"/checklists/{joint_visit.checklist(ROLES).id}")

    cooperation_id = joint_visit.demonstration.cooperations["complete"]

    def pages_read(key: str) -> set[str]:
        lines = queries.reads(joint_visit.actor(key), cooperation_id, offset=0, limit=9)[1]
        return {str(pages.page_words(line)) for line in lines}

    assert pages_read("milan") == {"Visit 1"}
    assert pages_read("pavo") == {
        "Visit 1: their part",
        "Visit 1: changing place and days",
        "Visit 1: roles or urgent-action plan",
    }


# Errors and queries


def test_errors_reveal_nothing_about_a_visit(browser: Browser, joint_visit: JointVisit) -> None:
    person = browser("dina")
    for response in (
        person.get(address(joint_visit)),
        person.post(address(joint_visit, "/my-part/role")),
        person.get(address(joint_visit, "/nothing")),
        person.get(f"/checklists/{joint_visit.checklist(ROLES).id}"),
    ):
        assert response.status_code == 404
        for word in (HARBOUR, "Lower Harbour", "Leyla"):
            assert word not in response.text


Statements = Callable[[], AbstractContextManager[list[str]]]


def test_the_list_takes_as_many_queries_for_many_visits_as_for_few(
    browser: Browser, joint_visit: JointVisit, statements: Statements
) -> None:
    person = browser("pavo")

    def count(page: str) -> int:
        person.page(page)
        with statements() as seen:
            person.page(page)
        return len(seen)

    pages = [f"/cooperations/{joint_visit.reference}{page}" for page in ("/visits", "")]
    few = [count(page) for page in pages]
    for _ in range(3):
        planned(joint_visit)
    joint_visit.session.commit()
    assert [count(page) for page in pages] == few


def test_the_read_log_takes_as_many_queries_for_many_lines_as_for_few(
    browser: Browser, joint_visit: JointVisit, statements: Statements
) -> None:
    manager, url = browser("milan"), f"/cooperations/{joint_visit.reference}/reads"
    browser("pavo").page(address(joint_visit))

    def count() -> int:
        with statements() as seen:
            manager.page(url)
        return len(seen)

    count()
    few = count()
    for key in TEAM:
        browser(key).page(address(joint_visit, "/ready"))
    assert count() == few


def test_a_withdrawn_undertaking_is_immediately_shown_as_missing(
    browser: Browser, joint_visit: JointVisit
) -> None:
    undertakings.withdraw(joint_visit.actor("samira"), joint_visit.undertaking("samira").id)
    joint_visit.session.commit()
    shown = browser("pavo").page(address(joint_visit, "/ready"))
    assert "The undertaking of Samira Okell is not signed." in shown.text
    assert "2 things are missing. They affect 1 of the 5 people on the team." in shown.text
    assert browser("samira").get(address(joint_visit, "/ready")).status_code == 404


def test_a_plan_of_one_day_names_one_day(browser: Browser, joint_visit: JointVisit) -> None:
    plan = plan_of(joint_visit.visit())
    one_day = Plan(plan.place, plan.starts_on, plan.starts_on)
    service.change_plan(joint_visit.actor("pavo"), joint_visit.visit(), version=1, plan=one_day)
    joint_visit.session.commit()
    shown = browser("pavo").page(address(joint_visit, "/ready"))
    assert f"{HARBOUR}, {as_date(plan.starts_on)}." in shown.text


def test_a_visit_says_of_its_texts_only_what_signatures_and_events_say(
    browser: Browser, joint_visit: JointVisit
) -> None:
    """product.md, 5.9: a stored state alone puts nothing in force."""
    reference, client = joint_visit.reference, browser("ilena")
    assert "In force" in client.page(f"/cooperations/{reference}/visits/1").text
    planned(joint_visit, members=("leyla",), audience=("leyla", "ilena"))
    joint_visit.session.commit()
    second = f"/cooperations/{reference}/visits/2"
    assert "In force" not in client.page(second).text
    roles, old = (joint_visit.checklist(ROLES, number) for number in (2, 1))
    joint_visit.session.execute(
        sa.update(Checklist)
        .where(Checklist.id == roles.id)
        .values(state=old.state, revision_in_force_id=old.revision_in_force_id)
    )
    joint_visit.session.commit()
    shown = client.page(second).text
    assert "In force" not in shown
    assert "Doesn't match its signatures" in shown
