"""From an empty database to a ready joint visit, in the browsers of nine people."""

import datetime as dt
import re

from playwright.sync_api import expect

from tests.browser import journey
from tests.browser.answering import Facts
from tests.browser.conftest import NewContext
from tests.servers.application import Application
from tracker.core import clock

BOTH = {"rows": "2", "party@0": journey.NPM, "party@1": journey.CSO}
TEAM = {"rows": "3", "person@0": "Pavo", "person@1": "Ruth", "person@2": "Leyla"}
TERMS = {
    "M1": {**BOTH, "signatory@0": "Tomas", "signatory@1": "Otto"},
    "M3": {"in_scope": "VISIT", "form": "mou"},
    "M4": BOTH,
    "M5": {"second_reader": "Nadia"},
    "M7": {
        **BOTH,
        "coordinator@0": "Ilena",
        "deputy@0": "Nadia",
        "coordinator@1": "Joana",
        "deputy@1": "Otto",
        "when@0": "arrival",
        "when@1": "arrival",
    },
    "M8": {"rows": "2", "from@0": journey.NPM, "from@1": journey.CSO},
    "M9": {"access": "certain"},
    "M14": {**BOTH, "declares@0": "interest", "declares@1": "interest"},
    "M15": {**BOTH, "contact@0": "Ilena", "contact@1": "Joana"},
}
OWN_ROW = {"rows": "1", "party": journey.CSO}
# The CSO writes its own row of each of these tables.
TERMS_OF_CSO = TERMS | {
    "M1": {**OWN_ROW, "signatory": "Otto"},
    "M4": OWN_ROW,
    "M7": {**OWN_ROW, "coordinator": "Joana", "deputy": "Otto", "when": "arrival"},
    "M14": {**OWN_ROW, "declares": "interest"},
    "M15": {**OWN_ROW, "contact": "Joana"},
}
OWN_LIST = {
    "listed": "people",
    "rows": "3",
    "person@0": "Leyla",
    "person@1": "Otto",
    "person@2": "Joana",
    "organisation": journey.CSO,
}
ROLES = {
    "V1": {"health_aim": "no", "language_need": "no", "brief_by": "Ruth"},
    "V5": {
        **TEAM,
        "works_with@0": "Ruth",
        "works_with@1": "Leyla",
        "works_with@2": "Pavo",
        "backup@0": "Ruth",
        "backup@1": "Pavo",
        "backup@2": "Ruth",
    },
    "V7": {
        "speaker": "Pavo",
        "stand_in": "Ruth",
        "remarks_cleared_by": "Pavo",
        "at_gate": "Pavo",
    },
    # Everyone who acts on site is on the team.
    "V8": {"interviewer@0": "Leyla", "pair@0": "Ruth"},
    "V9": {"staff": "Ruth", "health_workers": "Leyla"},
    "V10": {"record_keeper": "Ruth", "photographers": "Ruth", "collects": "Ruth"},
    "V11": {"expert": "Leyla", "reports_to": "Pavo"},
    "V12": {"interpreter@0": "Leyla"},
    "V13": {**TEAM, "safety_contact": "Ilena"},
    "V15": {"rows": "3", "phase@0": "before", "phase@1": "during", "phase@2": "after"},
    "V16": {"sends_out": "Pavo", "complaints": "Ruth"},
    # No general rule: the parts have their dates.
    "V19": {
        "author@0": "Leyla",
        "editor": "Ruth",
        "reviewer": "Ruth",
        "approver": "Pavo",
        "days_after": "",
    },
}
PLAN = {
    "U1": {"rows": "2", "group@0": "a", "group@1": "b"},
    "U3": {"on_site": "Pavo", "headquarters": "Ilena", "stand_in": "Ruth"},
    "U9": {"recorder": "Leyla"},
    "U17": {
        "rows": "2",
        "level@0": "inside",
        "level@1": "outside",
        "who@0": "Pavo",
        "who@1": "Ilena",
        "stand_in": "Ruth",
    },
}


def test_both_sides_agree_sign_and_make_a_visit_ready(
    live: Application, new_context: NewContext
) -> None:
    demo_people = journey.gather(live, new_context)
    journey.open_cooperation(demo_people)
    terms = journey.checklist_address(demo_people, "Ilena", "agreed terms")
    # The visit is within the term, which begins later even if midnight passes meanwhile.
    days = {"start": 2, "review": 300, "end": 600}
    term = {key: (clock.today() + dt.timedelta(days=n)).isoformat() for key, n in days.items()}
    of_npm, of_cso = (Facts(wanted | {"M19": term}) for wanted in (TERMS, TERMS_OF_CSO))
    journey.complete(demo_people, terms, {"Ilena": of_npm, "Joana": of_cso})
    demo_people["Nadia"].page.goto(f"{terms}/review")
    demo_people["Nadia"].page.get_by_role("button", name="Confirm the review").click()
    demo_people["Nadia"].expect_told("You confirmed the review of independence and flexibility.")
    journey.send_and_sign(demo_people, terms, "Ilena", ("Tomas", "Otto"))

    confidentiality = journey.checklist_address(demo_people, "Ilena", "confidentiality terms")
    npm = Facts(
        {
            "C1": {"scope": "all_until"},
            "C2": {"listed": "nobody"},
            "C11": {"approver@0": "Ilena"},
        }
    )
    journey.complete(demo_people, confidentiality, {"Ilena": npm, "Joana": Facts({"C2": OWN_LIST})})
    journey.send_and_sign(demo_people, confidentiality, "Ilena", ("Tomas", "Otto"))
    expert = demo_people["Leyla"].page
    visit = journey.plan_visit(demo_people)
    expert.goto(f"/cooperations/{demo_people.reference}/visits")
    expect(expert.locator("body")).not_to_contain_text(journey.PLACE)
    assert expert.goto(visit).status == 404  # type: ignore[union-attr] # a response always comes

    journey.undertake(demo_people, "Leyla", "Milan", interests="I worked in a ward of the region.")
    journey.undertake(demo_people, "Otto", "Tomas")
    journey.undertake(demo_people, "Joana", "Milan")
    expert.goto(visit)
    expect(expert.locator("main")).to_contain_text(journey.PLACE)

    roles = journey.address_of_checklist(demo_people, visit, "[Rr]oles")
    today = clock.today().isoformat()
    answers = ROLES | {
        "V1": ROLES["V1"] | {"brief_due": today},
        "V18": {"briefing": today},
    }
    journey.complete(
        demo_people, roles, {"Ilena": Facts(answers), "Joana": Facts(answers)}, begun=("V1",)
    )
    journey.take_part(demo_people, visit, "Accept your task", "You accepted your task.")
    journey.send_and_sign(demo_people, roles, "Ilena", ("Tomas", "Otto"))
    plan = journey.address_of_checklist(demo_people, visit, "[Uu]rgent-action plan")
    journey.complete(demo_people, plan, {"Ilena": Facts(PLAN), "Joana": Facts()})
    journey.send_and_sign(demo_people, plan, "Ilena", ("Tomas", "Otto"))
    message = "You confirmed the urgent-action plan."
    journey.take_part(demo_people, visit, "Confirm that you have read it", message)
    lead = demo_people["Pavo"].page
    lead.goto(f"{visit}/ready")
    expect(lead.get_by_text("Nothing is missing.")).to_be_visible()
    expect(lead.locator(".lede").first).to_contain_text("meet all requirements")
    lead.goto(visit)
    expect(lead.locator("main")).to_contain_text(re.compile("[Rr]eady"))
    live.command("audit", "verify")
