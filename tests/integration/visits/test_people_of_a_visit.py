"""The people of a visit are chosen once: lists, rows, and who may know come from the team."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask

from tests.factories.visits import JointVisit, planned, team_plan
from tests.pages import Page
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Stance
from tracker.checklists.negotiation.stored_positions import put_positions
from tracker.cooperations import audiences
from tracker.visits import service

ROLES = ChecklistKind.VISIT_ROLES
SHARED = AnswerScope.SHARED
TEAM = ("leyla", "marek")
Statements = Callable[[], AbstractContextManager[list[str]]]


def lists_of(page: Page, ending: str) -> list[tuple[str, list[str]]]:
    """Return the first list whose name ends so: its headings, each with the names below it."""
    select = next(s for s in page.root.iter("select") if s.attrib["name"].endswith(ending))
    groups = list(select.iter("optgroup"))
    if not groups:
        return [("", [str(option.text) for option in select.iter("option")][1:])]
    return [
        (group.attrib["label"], [str(option.text) for option in group.iter("option")])
        for group in groups
    ]


def firsts(names: list[str]) -> list[str]:
    return [name.split()[0] for name in names]


def beside_names(names: list[str]) -> dict[str, str]:
    """Return what stands beside each name, by the first name."""
    return {name.split()[0]: name.partition("): ")[2] for name in names}


def form_of(joint_visit: JointVisit, app: Flask, key: str, item: str, number: int = 2) -> Page:
    roles = joint_visit.checklist(ROLES, number).id
    joint_visit.session.commit()
    browser = joint_visit.demonstration.browser(app, key)
    return browser.page(f"/checklists/{roles}/items/{item}/answer")


def rows_of(page: Page, column: str) -> list[str]:
    """Return what a table's column holds, row by row."""
    values = page.form().values
    return [
        value
        for name, given in values.items()
        if re.search(rf"-\d+-{column}$", name)
        for value in given
        if value
    ]


def save(joint_visit: JointVisit, item: str, values: dict[str, Any], number: int = 2) -> None:
    roles = joint_visit.checklist(ROLES, number)
    current = load(roles).sheet.shared(item)
    version = current.version if current else 0
    actor = joint_visit.actor("ilena")
    checklists.save_answer(actor, roles, item, SHARED, values, base_version=version)
    joint_visit.session.commit()


def join(joint_visit: JointVisit, *members: str, **more: Any) -> None:
    """Change the team of the second visit."""
    sheet = load(joint_visit.checklist(ROLES, 2)).sheet
    answers = {item: sheet.shared(item) for item in ("V2", "V3", "V4")}
    versions = {item: answer.version for item, answer in answers.items() if answer}
    plan = team_plan(joint_visit, members=members, audience=members, **more)
    service.change_team(
        joint_visit.actor("ilena"), joint_visit.visit(2), versions=versions, planned=plan
    )
    joint_visit.visit(2)
    joint_visit.session.commit()


# Lists


def test_a_list_offers_the_team_first_and_says_who_is_cleared(
    joint_visit: JointVisit, app: Flask
) -> None:
    planned(joint_visit, members=TEAM, audience=TEAM)
    (team, members), (others, rest) = lists_of(form_of(joint_visit, app, "ilena", "V15"), "-owner")
    assert (team, others) == ("On the team", "Not on the team")
    assert set(firsts(members)) == {"Pavo", "Ruth", "Leyla", "Marek"}
    beside = beside_names(members + rest)
    assert beside["Leyla"] == "cleared, interests accepted"
    # The NPM's own people need no clearance; Dina has signed nothing.
    assert beside["Pavo"] == ""
    assert beside["Dina"] == "not cleared"


@pytest.mark.parametrize(
    ("item", "ending"),
    [("V5", "-person"), ("V8", "-interviewer"), ("V10", "record_keeper"), ("V7", "speaker")],
)
def test_where_people_act_on_site_only_the_team_is_offered(
    joint_visit: JointVisit, app: Flask, item: str, ending: str
) -> None:
    planned(joint_visit, members=TEAM, audience=TEAM)
    ((heading, names),) = lists_of(form_of(joint_visit, app, "ilena", item), ending)
    assert heading == ""
    assert set(firsts(names)) == {"Pavo", "Ruth", "Leyla", "Marek"}


def test_the_safety_contact_is_chosen_among_those_who_stay_outside(
    joint_visit: JointVisit, app: Flask
) -> None:
    planned(joint_visit, members=TEAM, audience=TEAM)
    ((_heading, names),) = lists_of(form_of(joint_visit, app, "ilena", "V13"), "safety_contact")
    assert not {"Pavo", "Ruth", "Leyla", "Marek"} & set(firsts(names))
    assert "Ilena" in firsts(names)


def test_whoever_is_named_already_stays_in_the_list(joint_visit: JointVisit, app: Flask) -> None:
    planned(joint_visit, members=TEAM, audience=TEAM)
    save(joint_visit, "V10", {"record_keeper": str(joint_visit.user("leyla"))})
    join(joint_visit, "marek")
    page = form_of(joint_visit, app, "ilena", "V10")
    groups = dict(lists_of(page, "record_keeper"))
    assert firsts(groups["Not on the team"]) == ["Leyla"]
    assert page.form().values["record_keeper"] == [str(joint_visit.user("leyla"))]


def test_a_partner_reads_beside_names_only_of_the_team_and_its_own_people(
    joint_visit: JointVisit, app: Flask
) -> None:
    """As in the list of undertakings, and on the board of the visit."""
    planned(joint_visit, members=(*TEAM, "samira"), audience=(*TEAM, "samira"))
    (_team, members), (_others, rest) = lists_of(
        form_of(joint_visit, app, "samira", "V15"), "-owner"
    )
    beside = beside_names(members + rest)
    assert beside["Leyla"] == "cleared, interests accepted"
    # Of Lantern Health Network and not on the team; of her own organisation.
    assert beside["Otto"] == ""
    assert beside["Henrik"] != ""


def test_interests_themselves_never_stand_beside_a_name(
    joint_visit: JointVisit, app: Flask
) -> None:
    assert joint_visit.undertaking("leyla").has_interests
    planned(joint_visit, members=TEAM, audience=TEAM)
    pages = [form_of(joint_visit, app, key, "V15") for key in ("ilena", "leyla")]
    browser = joint_visit.demonstration.browser(app, "ilena")
    pages.append(browser.page(f"/cooperations/{joint_visit.reference}/visits/plan"))
    assert all("emergency ward" not in page.html for page in pages)


def test_the_page_that_plans_a_visit_says_who_is_cleared(
    joint_visit: JointVisit, app: Flask
) -> None:
    browser = joint_visit.demonstration.browser(app, "ilena")
    page = browser.page(f"/cooperations/{joint_visit.reference}/visits/plan")
    ((_heading, names),) = lists_of(page, "-user_id")
    beside = beside_names(names)
    assert beside["Leyla"] == "cleared, interests accepted"
    assert beside["Dina"] == "not cleared"
    assert beside["Ruth"] == ""


def test_a_list_takes_as_many_statements_for_six_people_as_for_one(
    joint_visit: JointVisit, app: Flask, statements: Statements
) -> None:
    counts = []
    for number, team in ((2, ("leyla",)), (3, ("leyla", "marek", "samira", "otto", "joana"))):
        planned(joint_visit, members=team, audience=team)
        roles = joint_visit.checklist(ROLES, number).id
        joint_visit.session.commit()
        browser = joint_visit.demonstration.browser(app, "ilena")
        address = f"/checklists/{roles}/items/V15/answer"
        browser.page(address)
        with statements() as sent:
            browser.page(address)
        counts.append(len(sent))
    assert counts[0] == counts[1]


# Rows


def test_whoever_joins_the_team_has_a_row_to_fill_in(joint_visit: JointVisit, app: Flask) -> None:
    planned(joint_visit, members=("leyla",), audience=("leyla",))
    leyla, marek = str(joint_visit.user("leyla")), str(joint_visit.user("marek"))
    save(joint_visit, "V5", {"roles": [{"person": leyla, "task": "Interviews"}]})
    save(joint_visit, "V13", {"credentials": [{"person": leyla, "credential": "Letter 7"}]})
    save(joint_visit, "V19", {"parts": [{"author": leyla, "part": "Health"}]})
    join(joint_visit, "leyla", "marek")
    for item, column in (("V5", "person"), ("V13", "person")):
        page = form_of(joint_visit, app, "ilena", item)
        people = rows_of(page, column)
        assert set(people) == {
            str(joint_visit.user(key)) for key in ("pavo", "ruth", "leyla", "marek")
        }
        assert people[0] == leyla
        assert "Begun with what is known here. Check it: nothing is saved yet." in page.text
    # Of the report's parts only for whoever joined since: not everybody writes one.
    assert rows_of(form_of(joint_visit, app, "ilena", "V19"), "author") == [leyla, marek]
    written = load(joint_visit.checklist(ROLES, 2)).sheet
    assert written.value("V5", "roles") == [{"person": leyla, "task": "Interviews"}]
    save(joint_visit, "V19", {"parts": [{"author": leyla, "part": "Health"}]})
    assert rows_of(form_of(joint_visit, app, "ilena", "V19"), "author") == [leyla]


def test_the_parts_of_a_report_begin_with_a_row_for_each_person_on_the_team(
    joint_visit: JointVisit, app: Flask
) -> None:
    planned(joint_visit, members=TEAM, audience=TEAM)
    authors = rows_of(form_of(joint_visit, app, "ilena", "V19"), "author")
    assert set(authors) == {str(joint_visit.user(key)) for key in ("pavo", "ruth", *TEAM)}


def test_the_row_is_suggested_where_another_party_has_accepted_the_answer(
    joint_visit: JointVisit, app: Flask
) -> None:
    planned(joint_visit, members=("leyla",), audience=("leyla", "joana"))
    leyla, marek = str(joint_visit.user("leyla")), str(joint_visit.user("marek"))
    save(joint_visit, "V5", {"roles": [{"person": leyla, "task": "Interviews"}]})
    loaded, joana = load(joint_visit.checklist(ROLES, 2)), joint_visit.actor("joana")
    answer = loaded.sheet.shared("V5")
    assert answer is not None
    seen = checklists.as_seen(joana, loaded, loaded.item("V5"), answer)[0]
    author = (joana.user_id, joint_visit.body("lh"))
    put_positions(loaded, [(loaded.item("V5"), seen)], author, Stance.ACCEPTS)
    joint_visit.session.commit()
    join(joint_visit, "leyla", "marek")
    roles = joint_visit.checklist(ROLES, 2).id
    joint_visit.session.commit()
    page = joint_visit.demonstration.browser(app, "ilena").page(
        f"/checklists/{roles}/items/V5/propose"
    )
    assert marek in rows_of(page, "person")


# Who may know


def test_one_tick_lets_the_team_know_and_without_it_nobody_is_added(
    joint_visit: JointVisit, app: Flask
) -> None:
    without = planned(joint_visit, members=TEAM, audience=())
    listed = {row.user_id for row in audiences.audience("visit", without.id)}
    assert listed == {joint_visit.user(key) for key in ("ilena", "pavo", "ruth")}
    join(joint_visit, *TEAM, team_knows=True)
    listed = {row.user_id for row in audiences.audience("visit", without.id)}
    assert listed == {joint_visit.user(key) for key in ("ilena", "pavo", "ruth", *TEAM)}


def test_a_later_day_that_was_given_stays_with_the_tick(joint_visit: JointVisit) -> None:
    later = joint_visit.visit(1).planned_at.date().replace(year=2040)
    visit = planned(joint_visit, members=TEAM, audience=("leyla",), from_on=later, team_knows=True)
    days = {row.user_id: row.from_on for row in audiences.audience("visit", visit.id)}
    assert days[joint_visit.user("leyla")] == later
    assert days[joint_visit.user("marek")] < later
