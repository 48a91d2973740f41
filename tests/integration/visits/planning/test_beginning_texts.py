"""Planning a visit begins its texts: with the model text, as at an earlier visit, or later.

In one file: every test plans a visit with the same form.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.accounts import take_app
from tests.factories.visits import PLACE, JointVisit, days
from tests.pages import Page
from tests.services import put
from tracker.access.actor import Role
from tracker.accounts.factors.credentials import COMPULSORY_ROLES
from tracker.accounts.people import service as accounts
from tracker.accounts.people.service import NewRole
from tracker.activity.models import ReadLogEntry
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import encryption
from tracker.checklists.deciding import left_to_decide
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Answer, Checklist, CopiedAnswer, CopySource
from tracker.checklists.reuse import copying, visit_tasks
from tracker.core import clock
from tracker.visits import beginnings
from tracker.visits.encryption import plan_of
from tracker.visits.models import Visit

ROLES, URGENT_PLAN = ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN
# With these, a visit has the parties of the first one.
SAME_PARTIES = ("leyla", "samira", "marek")
Browser = Callable[[str | None], CheckedClient]


@pytest.fixture
def browser(app: Flask, joint_visit: JointVisit) -> Browser:
    """Return each person's one browser: a form is sent from where its page was opened."""
    joint_visit.session.commit()
    return cache(lambda key: joint_visit.demonstration.browser(app, key))


def plan(
    browser: Browser,
    joint_visit: JointVisit,
    by: str = "ilena",
    members: Sequence[str] = ("leyla",),
    **more: Any,
) -> Any:
    """Plan a visit in the browser, and return the response; nothing is said about the members."""
    sent = filled_in(browser, joint_visit, by, members, **more)
    url = f"/cooperations/{joint_visit.reference}/visits/plan"
    response = browser(by).open(url, method="POST", data=sent, csrf=False)
    joint_visit.session.expire_all()
    return response


def filled_in(
    browser: Browser,
    joint_visit: JointVisit,
    by: str = "ilena",
    members: Sequence[str] = ("leyla",),
    **more: Any,
) -> dict[str, list[str]]:
    url = f"/cooperations/{joint_visit.reference}/visits/plan"
    fields = {
        "kind": "thematic",
        "place_type": "police",
        "place": PLACE,
        "starts_on": days().starts_on.isoformat(),
        "announced": "unannounced",
        "lead_id": joint_visit.user("pavo"),
        "deputy_id": joint_visit.user("ruth"),
        **more,
    }
    sent = browser(by).page(url).form().filled_in(**fields)
    for number, key in enumerate(members):
        row = {"user_id": str(joint_visit.user(key)), "skill": "", "languages": ""}
        sent |= {f"members-{number}-{name}": [value] for name, value in row.items()}
    return sent


def change(
    joint_visit: JointVisit, checklist: Checklist, item: str, values: Mapping[str, Any]
) -> None:
    """Store other values in the current versions of an answer, without a new one."""
    rows = joint_visit.session.scalars(
        sa.select(Answer).where(
            Answer.checklist_id == checklist.id, Answer.item == item, Answer.is_current
        )
    ).all()
    assert rows
    for row in rows:
        encryption.put_values(checklist, row, dict(values))
    joint_visit.session.commit()


def empty(joint_visit: JointVisit, checklist: Checklist, item: str) -> None:
    change(joint_visit, checklist, item, {})


def sources(joint_visit: JointVisit, number: int = 2) -> set[CopySource]:
    """Return where the words come from with which the texts of a visit began."""
    texts = [joint_visit.checklist(kind, number).id for kind in (ROLES, URGENT_PLAN)]
    return set(
        joint_visit.session.scalars(
            sa.select(CopiedAnswer.source).where(CopiedAnswer.checklist_id.in_(texts))
        )
    )


def team_of(joint_visit: JointVisit, number: int = 2) -> dict[str, Any]:
    rows = load(joint_visit.checklist(ROLES, number)).sheet.value("V4", "team")
    return {row["person"]: row for row in rows if "person" in row}


def loaded(joint_visit: JointVisit, kind: ChecklistKind) -> LoadedChecklist:
    return load(joint_visit.checklist(kind, 2))


def test_the_page_offers_the_last_visit_first_and_then_the_model_text(
    browser: Browser, joint_visit: JointVisit
) -> None:
    page = browser("ilena").page(f"/cooperations/{joint_visit.reference}/visits/plan")
    assert page.form().values["beginning"] == ["visit-1"]
    for words in (
        "With answers copied from joint visit 1",
        "With the model text in English",
        "I'll choose later",
    ):
        assert words in page.text


def test_a_visit_whose_texts_begin_with_the_model_text_leads_to_what_is_left_to_decide(
    browser: Browser, joint_visit: JointVisit
) -> None:
    leyla, pavo, marek = (str(joint_visit.user(key)) for key in ("leyla", "pavo", "marek"))
    office, day = str(joint_visit.user("ilena")), clock.today().isoformat()
    response = plan(
        browser,
        joint_visit,
        members=("leyla", "marek"),
        beginning="model-en",
        briefing=day,
        office=office,
        interviewer=leyla,
        second_interviewer=pavo,
    )
    roles, urgent_plan = loaded(joint_visit, ROLES), loaded(joint_visit, URGENT_PLAN)
    assert response.location.endswith(f"/checklists/{roles.checklist.id}/decide")
    assert roles.sheet.value("V6", "method")
    assert urgent_plan.sheet.value("U2", "first_step")
    # Nobody has accepted what a text began with.
    for text in (roles, urgent_plan):
        begun = {
            code
            for (code, _scope, _owner), answer in text.sheet.answers.items()
            if answer.is_copied
        }
        assert begun
        assert not [code for code in begun if text.standing().items[code].done]
    # Whoever takes a task is chosen once for both texts.
    assert roles.sheet.value("V16", "complaints") == office
    assert urgent_plan.sheet.value("U3", "headquarters") == office
    # The roles say which tasks somebody was chosen for.
    tasks = {row["person"]: row["task"] for row in roles.sheet.value("V5", "roles")}
    assert tasks[leyla] == "Conducts interviews."
    # What a text says already isn't replaced.
    assert tasks[pavo].startswith("Leads the visit")
    # The task of whoever was chosen for none is left to decide.
    assert tasks[marek] == "[to decide: the main task of this person]"
    # The day of the briefing is the one on the page, and read like the rest.
    assert roles.sheet.value("V18", "briefing") == day
    assert not roles.standing().items["V18"].done


def test_the_roles_also_say_a_task_that_only_the_plan_gives_and_a_briefing_in_a_few_days(
    browser: Browser, joint_visit: JointVisit
) -> None:
    leyla = str(joint_visit.user("leyla"))
    day = (clock.today() + dt.timedelta(days=3)).isoformat()
    plan(
        browser,
        joint_visit,
        beginning="model-en",
        briefing=day,
        office=joint_visit.user("ilena"),
        interviewer=leyla,
        recorder=leyla,
    )
    roles = loaded(joint_visit, ROLES)
    (task,) = (row["task"] for row in roles.sheet.value("V5", "roles") if row["person"] == leyla)
    assert task == "Conducts interviews. Documents injuries and signs of torture."
    assert loaded(joint_visit, URGENT_PLAN).sheet.value("U9", "recorder") == leyla
    assert roles.sheet.value("V18", "briefing") == day
    assert not roles.standing().items["V18"].done


def test_a_task_goes_to_nobody_who_is_not_on_the_team(
    browser: Browser, joint_visit: JointVisit
) -> None:
    page = Page.of(
        plan(browser, joint_visit, beginning="model-en", interviewer=joint_visit.user("samira"))
    )
    assert "Choose somebody on the team, or a person of the NPM." in page.text
    assert joint_visit.session.scalar(sa.select(sa.func.count(Visit.id))) == 1


def test_a_second_visit_begins_with_methods_and_never_with_place_team_or_list(
    browser: Browser, joint_visit: JointVisit
) -> None:
    before = load(joint_visit.checklist(ROLES)).sheet
    response = plan(browser, joint_visit, beginning="visit-1", members=SAME_PARTIES)
    sheet = loaded(joint_visit, ROLES).sheet
    assert sheet.value("V6", "method") == before.value("V6", "method")
    people = {row["person"] for row in sheet.value("V4", "team")}
    assert people == {
        str(joint_visit.user(key)) for key in ("pavo", "ruth", "leyla", "samira", "marek")
    }
    listed = {row["person"] for row in sheet.value("V2", "audience")}
    assert listed == {str(joint_visit.user(key)) for key in ("ilena", "pavo", "ruth")}
    # The planner has read both texts of the earlier visit, each once.
    copied = sa.select(ReadLogEntry.subject_id, ReadLogEntry.user_id, ReadLogEntry.page)
    expected = [
        (joint_visit.checklist(kind).id, joint_visit.user("ilena"), "copied")
        for kind in (ROLES, URGENT_PLAN)
    ]
    assert sorted(tuple(row) for row in joint_visit.session.execute(copied)) == sorted(expected)
    # Nothing is said of other parties where the same agreed.
    assert "other parties agreed" not in browser("ilena").page(response.location).text
    assert sources(joint_visit) == {CopySource.CHECKLIST}


def test_the_model_text_takes_the_place_of_what_other_parties_agreed_on(
    browser: Browser, joint_visit: JointVisit
) -> None:
    before = load(joint_visit.checklist(ROLES)).sheet.value("V6", "method")
    day = clock.today().isoformat()
    response = plan(browser, joint_visit, beginning="visit-1", briefing=day)
    page = browser("ilena").page(response.location)
    assert "weren't copied, because other parties agreed them" in page.text
    assert sources(joint_visit) == {CopySource.PRODUCT}
    sheet = loaded(joint_visit, ROLES).sheet
    assert sheet.value("V6", "method") != before
    assert sheet.value("V18", "briefing") == day
    pages = joint_visit.session.scalars(
        sa.select(ReadLogEntry.page).where(ReadLogEntry.user_id == joint_visit.user("ilena"))
    )
    assert "copied" not in set(pages)


def test_what_other_parties_agreed_on_is_not_copied_where_no_model_text_is_offered(
    browser: Browser, joint_visit: JointVisit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginnings, "may_use_model", lambda _actor: False)
    response = plan(browser, joint_visit, beginning="visit-1")
    assert plans_nothing(joint_visit, response, "because other parties agreed them")


def test_somebody_to_whom_no_visit_is_open_is_offered_none(
    browser: Browser, joint_visit: JointVisit
) -> None:
    role = NewRole(Role.COORDINATOR, joint_visit.body("npm"))
    accounts.give_role(joint_visit.actor("ilena"), joint_visit.user("nadia"), role)
    joint_visit.session.commit()
    page = browser("nadia").page(f"/cooperations/{joint_visit.reference}/visits/plan")
    assert page.form().values["beginning"] == ["model-en"]
    assert "With answers copied from joint visit" not in page.text
    page = Page.of(plan(browser, joint_visit, by="nadia", beginning="visit-1"))
    assert "Choose one of the answers offered" in page.text


def test_a_manager_plans_without_beginning_the_texts(
    browser: Browser, joint_visit: JointVisit
) -> None:
    page = browser("milan").page(f"/cooperations/{joint_visit.reference}/visits/plan")
    assert not page.form().names & {"beginning", "briefing", "office", "interviewer"}
    assert "a coordinator of the NPM who can open it chooses how they begin" in page.text
    response = plan(browser, joint_visit, by="milan")
    assert response.status_code == 303
    assert response.location.endswith("/visits/2/ready")


def test_a_coordinator_who_could_not_open_the_texts_begins_none(
    browser: Browser, joint_visit: JointVisit
) -> None:
    role = NewRole(Role.COORDINATOR, joint_visit.body("npm"), outside_expert=True)
    accounts.give_role(joint_visit.actor("ilena"), joint_visit.user("nadia"), role)
    joint_visit.session.commit()
    response = plan(browser, joint_visit, by="nadia")
    assert response.status_code == 303
    assert response.location.endswith(f"/cooperations/{joint_visit.reference}/visits")
    assert loaded(joint_visit, ROLES).sheet.shared("V18") is None


def test_whoever_has_only_a_password_copies_nothing_and_reads_no_earlier_team(
    app: Flask, browser: Browser, joint_visit: JointVisit
) -> None:
    take_app(joint_visit.user("ilena"))
    put(app, COMPULSORY_ROLES.holding(frozenset({Role.SIGNATORY})))
    joint_visit.session.commit()
    page = browser("ilena").page(f"/cooperations/{joint_visit.reference}/visits/plan")
    assert page.form().values["beginning"] == ["model-en"]
    assert "With answers copied from joint visit" not in page.text
    plan(browser, joint_visit, members=SAME_PARTIES, beginning="later")
    assert joint_visit.session.scalars(sa.select(ReadLogEntry)).all() == []


def test_texts_that_are_begun_later_stay_empty_and_are_not_offered_for_copying(
    browser: Browser, joint_visit: JointVisit
) -> None:
    response = plan(browser, joint_visit, beginning="later")
    assert response.location.endswith("/visits/2/ready")
    assert loaded(joint_visit, ROLES).sheet.shared("V18") is None
    # A visit of one day needs one day.
    planned = plan_of(joint_visit.visit(2))
    assert planned.ends_on == planned.starts_on == days().starts_on
    sent = filled_in(browser, joint_visit, beginning="model-en")
    url = f"/cooperations/{joint_visit.reference}/visits/plan"
    person = browser("ilena")
    assert person.page(url).form().values["beginning"] == ["visit-1"]
    person.open(url, method="POST", data=sent, csrf=False)
    assert person.page(url).form().values["beginning"] == ["visit-3"]


def test_a_form_that_is_sent_twice_leads_to_what_it_planned(
    browser: Browser, joint_visit: JointVisit
) -> None:
    sent = filled_in(browser, joint_visit, members=SAME_PARTIES, beginning="visit-1")
    person, url = browser("ilena"), f"/cooperations/{joint_visit.reference}/visits/plan"
    first = person.open(url, method="POST", data=sent, csrf=False)
    # The first page that is opened says what each sending before it did.
    for again, times in (("visit-1", 2), ("later", 1)):
        second = person.open(url, method="POST", data=sent | {"beginning": [again]}, csrf=False)
        assert (second.status_code, second.location) == (303, first.location), again
        assert person.page(second.location).text.count("each begin with a text") == times, again
        assert joint_visit.session.scalar(sa.select(sa.func.count(Visit.id))) == 2, again


# What was typed and isn't used


def plans_nothing(joint_visit: JointVisit, response: Any, *words: str) -> bool:
    page = Page.of(response)
    is_told = all(part in page.text for part in words)
    return is_told and joint_visit.session.scalar(sa.select(sa.func.count(Visit.id))) == 1


def test_somebody_chosen_for_a_task_or_a_day_of_the_briefing_is_not_dropped(
    browser: Browser, joint_visit: JointVisit
) -> None:
    sent = filled_in(browser, joint_visit)
    person, url = browser("ilena"), f"/cooperations/{joint_visit.reference}/visits/plan"
    office, day = str(joint_visit.user("ilena")), clock.today().isoformat()
    for chosen in (
        {"beginning": ["later"], "office": [office]},
        {"beginning": ["visit-1"], "office": [office]},
        {"beginning": ["later"], "briefing": [day]},
    ):
        response = person.open(url, method="POST", data=sent | chosen, csrf=False)
        words = "Choose the model text, or leave this empty."
        assert plans_nothing(joint_visit, response, words), chosen


def test_a_task_that_neither_text_gives_to_anybody_is_refused(
    browser: Browser, joint_visit: JointVisit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit_tasks, "to_give", lambda _loaded: ())
    response = plan(browser, joint_visit, beginning="model-en", office=joint_visit.user("ilena"))
    assert plans_nothing(joint_visit, response, "Neither text has a place for this person.")


def test_a_copied_text_has_the_day_of_the_briefing_from_the_page(
    browser: Browser, joint_visit: JointVisit
) -> None:
    day = clock.today().isoformat()
    plan(browser, joint_visit, members=SAME_PARTIES, beginning="visit-1", briefing=day)
    roles = loaded(joint_visit, ROLES)
    assert roles.sheet.value("V18", "briefing") == day
    assert not roles.standing().items["V18"].done


def test_a_copy_without_a_briefing_refuses_its_day(
    browser: Browser, joint_visit: JointVisit
) -> None:
    empty(joint_visit, joint_visit.checklist(ROLES), "V18")
    response = plan(
        browser,
        joint_visit,
        members=SAME_PARTIES,
        beginning="visit-1",
        briefing=clock.today().isoformat(),
    )
    assert plans_nothing(joint_visit, response, "Joint visit 1 says nothing of a briefing")


def test_a_text_with_nothing_to_copy_is_not_begun(
    browser: Browser, joint_visit: JointVisit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_stays", lambda *_all: copying.Why.CLOSED)
    response = plan(browser, joint_visit, members=SAME_PARTIES, beginning="visit-1")
    assert plans_nothing(joint_visit, response, "or nothing is written in them")


# What is known


def test_skill_and_languages_are_those_of_the_last_visit_whose_team_is_in_the_read_log_once(
    browser: Browser, joint_visit: JointVisit
) -> None:
    before = team_of(joint_visit, 1)
    plan(browser, joint_visit, beginning="later", members=SAME_PARTIES)
    team = team_of(joint_visit)
    for person in (str(joint_visit.user(key)) for key in ("leyla", "marek")):
        for key in ("skill", "languages"):
            assert team[person][key] == before[person][key]
    assert reads(joint_visit) == [(joint_visit.checklist(ROLES).id, "visit_team_before")]


def test_a_skill_does_not_reach_other_parties_but_languages_do(
    browser: Browser, joint_visit: JointVisit
) -> None:
    before = load(joint_visit.checklist(ROLES)).sheet.value("V4", "team")
    rows = [row | {"skill": "Knows the case", "languages": "Sanna"} for row in before]
    change(joint_visit, joint_visit.checklist(ROLES), "V4", {"team": rows, "gaps": "none"})
    plan(browser, joint_visit, beginning="later", members=("leyla", "marek"))
    team = team_of(joint_visit)
    for key in ("leyla", "marek", "pavo"):
        assert team[str(joint_visit.user(key))]["languages"] == "Sanna"
        assert team[str(joint_visit.user(key))].get("skill") != "Knows the case"


def test_whoever_led_before_is_no_lead_by_skill(browser: Browser, joint_visit: JointVisit) -> None:
    before = load(joint_visit.checklist(ROLES)).sheet.value("V4", "team")
    words = {str(joint_visit.user("pavo")): "قائد الفريق", str(joint_visit.user("ruth")): "Deputy"}
    words |= {str(joint_visit.user("leyla")): "Physician"}
    rows = [row | {"skill": words.get(row["person"], "")} for row in before]
    change(joint_visit, joint_visit.checklist(ROLES), "V4", {"team": rows, "gaps": "none"})
    plan(
        browser,
        joint_visit,
        beginning="later",
        members=("leyla", "samira", "marek", "pavo", "ruth"),
        lead_id=joint_visit.user("nadia"),
        deputy_id=joint_visit.user("milan"),
    )
    team = team_of(joint_visit)
    assert "skill" not in team[str(joint_visit.user("pavo"))] | team[str(joint_visit.user("ruth"))]
    assert team[str(joint_visit.user("leyla"))]["skill"] == "Physician"
    assert team[str(joint_visit.user("nadia"))]["skill"] == "Team lead"


def test_what_a_new_lead_is_known_for_comes_before_the_words(
    browser: Browser, joint_visit: JointVisit
) -> None:
    before = load(joint_visit.checklist(ROLES)).sheet.value("V4", "team")
    rows = [row | {"skill": "Physician"} for row in before]
    change(joint_visit, joint_visit.checklist(ROLES), "V4", {"team": rows, "gaps": "none"})
    plan(browser, joint_visit, beginning="later", members=SAME_PARTIES)
    assert team_of(joint_visit)[str(joint_visit.user("pavo"))]["skill"] == "Physician"


def test_rows_without_a_person_are_passed_over(browser: Browser, joint_visit: JointVisit) -> None:
    before = load(joint_visit.checklist(ROLES)).sheet.value("V4", "team")
    rows = [{"skill": "Physician"}, *before]
    change(joint_visit, joint_visit.checklist(ROLES), "V4", {"team": rows, "gaps": "none"})
    confidentiality = joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None)
    lists = {"listed": "people", "persons": [{"function": "Driver"}]}
    change(joint_visit, confidentiality, "C2", lists)
    assert plan(browser, joint_visit, beginning="later").status_code == 303


def test_a_party_that_lists_nobody_says_nothing_of_people(
    browser: Browser, joint_visit: JointVisit
) -> None:
    change(joint_visit, joint_visit.checklist(ROLES), "V4", {"team": [], "gaps": "none"})
    persons = [{"person": str(joint_visit.user("pavo")), "function": "Driver"}]
    confidentiality = joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None)
    change(joint_visit, confidentiality, "C2", {"listed": "nobody", "persons": persons})
    plan(browser, joint_visit, beginning="later")
    assert team_of(joint_visit)[str(joint_visit.user("pavo"))]["skill"] == "Team lead"


def reads(joint_visit: JointVisit) -> list[tuple[UUID, str]]:
    query = sa.select(ReadLogEntry.subject_id, ReadLogEntry.page)
    return [(row.subject_id, row.page) for row in joint_visit.session.execute(query)]


def test_a_team_that_was_of_no_use_is_not_in_the_read_log(
    browser: Browser, joint_visit: JointVisit
) -> None:
    change(joint_visit, joint_visit.checklist(ROLES), "V4", {"team": [], "gaps": "none"})
    plan(browser, joint_visit, beginning="later", members=SAME_PARTIES)
    assert reads(joint_visit) == []


def test_nothing_of_a_visit_that_is_closed_to_the_planner_is_filled_in(
    browser: Browser, joint_visit: JointVisit
) -> None:
    before = {
        row["person"]: row for row in load(joint_visit.checklist(ROLES)).sheet.value("V4", "team")
    }
    plan(browser, joint_visit, by="milan")
    team = {row["person"]: row for row in loaded(joint_visit, ROLES).sheet.value("V4", "team")}
    pavo = str(joint_visit.user("pavo"))
    assert team[pavo] == {
        "person": pavo,
        "organisation": before[pavo]["organisation"],
        "skill": "Team lead",
        "languages": "English",
    }


# What follows


def decide_page(browser: Browser, joint_visit: JointVisit, by: str = "ilena") -> Page:
    return browser(by).page(f"/checklists/{joint_visit.checklist(ROLES, 2).id}/decide")


def test_places_left_to_decide_suggest_a_contact_and_reading_stays_with_the_roles_meanwhile(
    browser: Browser, joint_visit: JointVisit
) -> None:
    plan(browser, joint_visit, beginning="model-en")
    form = decide_page(browser, joint_visit).form()
    # The coordinator, who isn't on the team.
    assert form.values["V13-safety_contact"] == [str(joint_visit.user("ilena"))]
    # An item that another one may make unnecessary isn't asked for.
    items = left_to_decide.open_items(loaded(joint_visit, ROLES), joint_visit.actor("ilena"))
    dependent = {
        open_item.item.code: {place.is_dependent for place in open_item.places}
        for open_item in items
    }
    assert dependent["V11"] == dependent["V12"] == {True}
    assert False in dependent["V1"]
    roles = joint_visit.checklist(ROLES, 2).id
    person = browser("ilena")

    def accept(*, whole: bool) -> str:
        forms = person.page(f"/checklists/{roles}/read").forms(f"/checklists/{roles}/read/accept")
        form = next(form for form in forms if (form.values["section"] == [""]) is whole)
        return str(person.open(form.action, method="POST", data=form.values, csrf=False).location)

    assert f"/checklists/{roles}/read" in accept(whole=False)
    assert accept(whole=True).endswith(f"/checklists/{roles}/read")


def test_a_coordinator_on_the_team_is_not_the_safety_contact(
    browser: Browser, joint_visit: JointVisit
) -> None:
    plan(browser, joint_visit, beginning="model-en", members=("leyla", "ilena"))
    form = decide_page(browser, joint_visit).form()
    assert form.values["V13-safety_contact"] != [str(joint_visit.user("ilena"))]
