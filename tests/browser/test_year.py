"""A year of one cooperation, in everybody's browser on a moved clock; only in the long form."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import journey
from tests.browser.conftest import NewContext
from tests.browser.instances import StartingPoint
from tests.browser.year import END, INTERPRETER, SIGNED, Year, day, moment
from tests.effort import is_long
from tests.factories import paper
from tests.servers.application import Application
from tests.servers.moved_clock import MovedClock
from tracker.checklist_templates.models import ChecklistKind

CLEARED, IN_TIME, COPIES_BACK = "People cleared", "In time", "Copies returned or destroyed"
GATES = ("To begin", "Terms agreed", "Safeguards reviewed", CLEARED, IN_TIME)
MET = dict.fromkeys(GATES, "Met")
UNDERTAKING = "Sign your undertaking of confidentiality"
COPIES = "Confirm what became of your copies"
REVIEW, READY = "Hold the review", "Make a joint visit ready"
ACCEPT_TASK, READ_PLAN = "Accept your task on a joint visit", "Read the urgent-action plan"
VISIT = "/visits/1"


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[str]:
    """Everything is signed, and the term begins ten days later."""
    return SIGNED


@pytest.fixture
def moved_clock(tmp_path: Path) -> MovedClock:
    """A clock that shows a day before the term."""
    moved = MovedClock(tmp_path)
    moved.move_to(moment(-3))
    return moved


@pytest.fixture
def live(
    starting_point: StartingPoint[str], moved_clock: MovedClock, tmp_path: Path
) -> Iterator[Application]:
    """The application on that clock."""
    folder = tmp_path / "data"
    shutil.copytree(starting_point.data_dir, folder)
    with Application(folder, workers="1", more=moved_clock.environment) as application:
        yield application


@pytest.fixture
def year(
    live: Application,
    new_context: NewContext,
    moved_clock: MovedClock,
    starting_point: StartingPoint[str],
) -> Year:
    """The cooperation at the beginning of its year."""
    return Year(live, new_context, moved_clock, starting_point.value)


@pytest.mark.skipif(not is_long(), reason="it takes some minutes")
def test_a_cooperation_goes_through_its_year(year: Year) -> None:
    the_term_begins(year)
    a_partner_joins(year)
    an_interpreter_signs_on_paper(year)
    a_visit_is_moved(year)
    an_interest_is_declared_late(year)
    a_partner_leaves(year)
    a_review_is_held_late(year)
    the_terms_are_renewed(year)
    the_cooperation_is_closed(year)
    year.live.command("audit", "verify")
    year.live.command("check")


def the_term_begins(year: Year) -> None:
    """Signed by all isn't in force yet; on the first day it is, without anybody doing anything."""
    begins = f"Signed by all, begins on {day(0).day} {day(0):%B %Y}"
    assert year.stage("ilena") == begins
    assert begins in year.register("milan")
    assert year.gates("ilena")[IN_TIME] == begins
    year.move_to(0)
    assert year.stage("ilena") == "Active"
    for key in ("ilena", "tomas", "samira"):
        assert (year.stage(key), year.gates(key)) == ("Active", MET | {CLEARED: "Not met"})
        assert year.tasks(key) == []
    assert year.tasks("dina") == [UNDERTAKING]
    assert "In force" in year.register("milan")
    assert year["iris"].page.goto(f"/cooperations/{year.reference}").status == 404  # type: ignore[union-attr] # an answer always comes


def a_partner_joins(year: Year) -> None:
    """Lantern Health Network is invited, and is a party once all have signed again."""
    year.move_to(30)
    page = year.page("ilena", "/parties/add")
    page.locator("main select").select_option(label="Lantern Health Network")
    page.get_by_label("Reason").fill("The team needs a physician.")
    page.get_by_role("button", name="Invite to join").click()
    year["ilena"].expect_told("The invitation is sent. All parties are notified.")
    expect(year.page("joana").locator("main")).to_contain_text("Your organisation is joining.")
    assert year.gates("joana") == {}
    assert year.tasks("joana") == [
        "Agreed terms",
        "Confidentiality",
    ]
    assert "2 of 2" in year.register("milan")
    year.expect_mail("joana", "Your organisation was added to a cooperation")
    year.expect_mail("samira", "An organisation was added to a cooperation")

    year.write_in_newcomer()
    for kind in (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY):
        journey.send_and_sign(year, year.address_of(kind), "ilena", ("tomas", "henrik", "otto"))
    assert (year.stage("joana"), year.gates("joana")) == ("Active", MET | {CLEARED: "Not met"})
    assert "Open Door Legal Aid\nLantern Health Network" in year.register("milan")
    assert "3 of 3" in year.register("milan")
    year.expect_mail("ilena", "An organisation has joined a cooperation")
    # The new terms have closed the clearances on the old ones.
    for key in ("joana", "leyla", "samira", "marek"):
        assert year.tasks(key) == [UNDERTAKING]
    journey.undertake(year, "leyla", "tomas", interests="Until 2023 I worked in a ward.")
    year.clear("samira", "henrik", "marek", "joana", "otto")
    assert year.tasks("samira") == year.tasks("leyla") == []
    year.expect_mail("leyla", "Your undertaking is countersigned")


def an_interpreter_signs_on_paper(year: Year) -> None:
    """Somebody without an account signs on paper; two others vouch for it."""
    year.move_to(45)
    ilena, milan = year["ilena"], year["milan"]
    ilena.page.goto(f"/people/without-email/{year.npm_id}")
    ilena.page.get_by_label("Name").fill(INTERPRETER)
    ilena.page.get_by_label("Outside expert").check()
    ilena.page.get_by_role("button", name="Add the person").click()
    ilena.expect_told("The person is added.")
    page = year.page("ilena", "/people/add")
    page.get_by_label(INTERPRETER).check()
    page.get_by_label("Function").fill("Interpreter")
    page.get_by_role("button", name="Add").click()
    ilena.expect_told(f"{INTERPRETER} now takes part.")
    year.list_interpreter()

    page = year.page("ilena", "/undertakings")
    # The row has two links, each to its own page.
    page.get_by_role("link", name=re.compile(f"^Print the paper to sign.*{INTERPRETER}")).click()
    page.locator("a[href*='/paper/record']").click()
    scan = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": paper.pdf()}
    page.locator("input[type=file]").set_input_files(scan)  # type: ignore[arg-type] # a file in memory
    page.locator("input[name=signed_on]").fill(day(45).isoformat())
    journey.fill_in_undertaking(page)
    page.get_by_role("button", name="Record the signed paper").click()
    ilena.expect_told("The scan is recorded. Somebody else from the NPM now has to confirm it.")
    confirm = f"Confirm the undertaking of {INTERPRETER}, signed on paper"
    assert (year.tasks("ilena"), year.tasks("milan")) == ([], [confirm])
    year.expect_mail("milan", "An undertaking on paper needs confirming")
    milan.page.get_by_role("link", name=confirm).click()
    milan.page.get_by_role("checkbox").check()
    milan.page.get_by_role("button", name="Confirm", exact=True).click()
    milan.expect_told("You confirmed the scan. The NPM now has to countersign it.")
    assert year.tasks("tomas") == [f"Countersign the undertaking of {INTERPRETER}"]
    journey.countersign(year, INTERPRETER, "tomas")
    row = year.page("ilena", "/undertakings").locator(".tasks li", has_text=INTERPRETER)
    expect(row).to_contain_text("Cleared until")


def record_interpreter(year: Year, by: str) -> None:
    """Have somebody record what the interpreter confirms, who has no account."""
    page = year.page(by, f"{VISIT}/ready")
    page.locator(".tasks").get_by_role("link", name=re.compile(INTERPRETER)).first.click()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.locator("[name=how]").fill("Read to him in person, in Maravenan.")
    page.get_by_role("button", name="Record it").click()
    year[by].expect_told("Saved.")


def a_visit_is_moved(year: Year) -> None:
    """A ready visit is moved by two days: everyone on the team accepts and confirms again."""
    year.move_to(60)
    year.make_visit_ready()
    record_interpreter(year, "pavo")
    expect(year.page("pavo", VISIT).locator("main")).to_contain_text("Nothing is missing.")
    page = year.page("ilena", f"{VISIT}/plan")
    page.locator("input[name=starts_on]").fill(day(82).isoformat())
    page.get_by_role("button", name="Save").click()
    year["ilena"].expect_told("Saved.")
    for key in ("leyla", "samira"):
        assert year.tasks(key) == [ACCEPT_TASK, READ_PLAN]
        year.expect_mail(key, f"Something about a visit changed: {year.reference}")
    assert year.tasks("ilena") == [READY]
    assert "Planning" in year.register("milan")
    team = ("pavo", "ruth", "leyla", "samira")
    year.take_part(team, "Accept your task", "You accepted your task.")
    year.take_part(team, "Confirm that you have read it", "You confirmed the urgent-action plan.")
    record_interpreter(year, "ilena")
    assert [task for key in (*team, "ilena") for task in year.tasks(key)] == []
    expect(year.page("pavo", VISIT).locator("main")).to_contain_text("Nothing is missing.")
    history = year.page("milan", "/history").locator("main")
    expect(history).to_contain_text("The plan of joint visit 1 was changed.")
    expect(history).not_to_contain_text("Lower Harbour")


def an_interest_is_declared_late(year: Year) -> None:
    """An interest that arose after signing pauses the clearance until the NPM has decided."""
    year.move_to(100)
    leyla, tomas = year["leyla"], year["tomas"]
    leyla.page.goto("/undertakings")
    leyla.page.get_by_role("link", name="Add an interest").click()
    leyla.page.locator("[name=interest]").fill("My sister works for the police since May.")
    leyla.page.locator("[name=reach][value=all]").check()
    leyla.page.get_by_role("button", name="Send to the NPM").click()
    leyla.expect_told("The NPM has been asked to decide.")
    expect(leyla.page.locator("main")).to_contain_text("Paused until the NPM decides")
    assert year.status("leyla", VISIT) == 404
    decide = f"Decide on what {leyla.name} added to their interests"
    assert year.tasks("milan") == year.tasks("tomas") == [decide]
    year.expect_mail("tomas", "A declaration of interests is waiting for the NPM")
    tomas.page.get_by_role("link", name=decide).click()
    tomas.page.locator("[name=decision][value=accept]").check()
    tomas.page.get_by_role("button", name="Record the decision").click()
    tomas.expect_told("The decision is recorded, and the person is notified.")
    assert year.status("leyla", VISIT) == 200


def a_partner_leaves(year: Year) -> None:
    """Open Door Legal Aid gives notice; after its last day its people see no more of it."""
    year.move_to(110)
    page = year.page("henrik")
    page.get_by_role("link", name="Leave this cooperation").click()
    page.locator("[name=from_on]").fill(day(170).isoformat())
    page.locator("[name=reason]").fill("Our board has other plans.")
    page.get_by_role("button", name="Give notice to leave").click()
    year["henrik"].expect_told("Notice given. All parties are notified.")
    year.expect_mail("joana", "A party's notice to leave a cooperation")
    expect(year.page("ilena").locator("main")).to_contain_text("Open Door Legal Aid is leaving")
    assert year.status("samira") == 200
    year.move_to(171)
    assert year.status("samira") == 404
    assert year.tasks("henrik") == year.tasks("samira") == [COPIES]
    assert year.tasks("dina") == []
    year.expect_mail("samira", "Your organisation has left a cooperation")
    year.expect_mail("ilena", "A party has left a cooperation")
    year.return_copies("henrik", "samira")
    # Those who were never cleared are gone too.
    assert (year.stage("joana"), year.gates("joana")) == ("Active", MET)
    expect(year.page("ilena").locator("main")).to_contain_text("Open Door Legal Aid has left")


def a_review_is_held_late(year: Year) -> None:
    """An overdue review stops new visits, and can still be held."""
    year.expect_mail("ilena", "A review is due")
    year.move_to(181)
    assert year.gates("ilena") == MET | {IN_TIME: "Not met"}
    assert year.tasks("ilena") == year.tasks("joana") == [REVIEW]
    assert "Review overdue" in year.register("milan")
    assert year.status("ilena", "/visits/plan") == 403
    year.move_to(200)
    page = year.page("joana", "/reviews")
    page.get_by_role("button", name="Start the review").click()
    year["joana"].expect_told("The review has started.")
    assert year.stage("ilena") == "Under review"
    page = year.page("ilena", "/reviews/1/write")
    page.locator("[name=held_on]").fill(day(200).isoformat())
    for box in page.locator("[name=people]").all():
        box.check()
    for choice in page.locator("[name^=verdict_][value=kept]").all():
        choice.check()
    page.locator("[name=outcome][value=renew]").check()
    for name, number in (("next_on", END + 180), ("ends_on", END + 365)):
        page.locator(f"[name={name}]").fill(day(number).isoformat())
    page.locator("[name=reason]").fill("The work goes on.")
    page.get_by_role("button", name="Save the record").click()
    year["ilena"].expect_told("The record is saved.")
    for key in ("milan", "otto"):
        assert year.tasks(key) == ["Confirm the record of the review"]
        year.page(key, "/reviews/1").get_by_role("button", name="Confirm this record").click()
        year[key].expect_told("confirmed the record")
    assert (year.stage("joana"), year.gates("joana")) == ("Active", MET)
    year.expect_mail("ilena", "A review is complete")


def the_terms_are_renewed(year: Year) -> None:
    """Without the party that left, all sign new dates; the terms stay in force all the time."""
    year.write_out_leaver()
    journey.send_and_sign(year, year.address_of(ChecklistKind.TERMS), "ilena", ("tomas", "otto"))
    assert year.stage("joana") == "Active"
    assert "2 of 2" in year.register("milan")
    for number in (200, 280, END + 1):
        if number > 200:
            year.move_to(number)
        assert year.stage("joana") == "Active"
        assert "In force" in year.register("milan")
        assert year.covers(number)


def the_cooperation_is_closed(year: Year) -> None:
    """The NPM ends it with notice; everybody accounts for their copies, and the NPM closes it."""
    year.move_to(END + 40)
    page = year["tomas"].page
    page.goto(f"{year.address_of(ChecklistKind.TERMS)}/end")
    page.locator("[name=from_on]").fill(day(END + 100).isoformat())
    page.locator("[name=reason]").fill("The project is over.")
    page.get_by_role("button", name="Give notice of the end").click()
    year["tomas"].expect_told("Notice of the end given. All parties are notified.")
    assert year.stage("joana") == "Active"
    year.move_to(END + 101)
    assert year.stage("joana") == "Closed"
    assert year.gates("ilena")[COPIES_BACK] == "Not met"
    year.return_copies("joana", "leyla", "marek", "otto")
    page = year.page("milan", "/closing")
    page.get_by_role("link", name=re.compile(f"^Continue without.*{INTERPRETER}")).click()
    page.locator("[name=reason]").fill("He has moved abroad.")
    page.get_by_role("button", name="Record the exception").click()
    year["milan"].expect_told("The exception is recorded.")
    assert year.tasks("milan") == ["Complete the closing"]
    page = year.page("milan", "/closing")
    page.locator("[name=lessons]").fill("Begin the briefings earlier.")
    page.get_by_role("button", name="Complete the closing").click()
    year["milan"].expect_told("The closing is complete.")
    assert year.gates("ilena")[COPIES_BACK] == "Met"
    assert "Ended" in year.register("milan")
    for key in ("milan", "leyla", "samira"):
        assert year.tasks(key) == []
