"""How much people fill in, click and read from nothing to a second visit: make journeys prints it.

The limits are what the journeys take today, so that nothing makes them longer unnoticed.
"""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.browser import journey
from tests.browser.answering import Facts
from tests.browser.conftest import NewContext
from tests.browser.journey import DemoPeople
from tests.browser.journeys.measured import Journey, measured, so_far
from tests.browser.test_joint_visit_journey import TEAM
from tests.effort import is_long
from tests.servers.application import Application
from tracker.core import clock

SECOND = "Open Door Legal Aid"
TERMS = {
    "M5": {"second_reader": "Nadia"},
    "M10": {"clearance_contact": "Ilena"},
    "M13": {"may_stop": "Ilena"},
    "M14": {"declares": "none"},
}
# Who was chosen for the tasks of a visit.
TASKS = {
    "office": "Ilena",
    "interviewer": "Leyla",
    "second_interviewer": "Ruth",
    "recorder": "Leyla",
}
# What the model texts of a visit leave to decide, as these people decide it.
_NO_DUTY = {"profession": "All professions", "has_duty": "none", "has_privilege": "none"}
ANSWERS = {
    "V1": {"health_aim": "no", "language_need": "no"},
    "V5": {"works_with": ""},
    "V13": {**TEAM, "safety_contact": "Ilena"},
    "V16": {"about_member": "Joana"},
    "U8": _NO_DUTY | dict.fromkeys(("duty", "receiver", "body", "hours", "law", "covers"), ""),
}
# Name: the most fields, clicks and pages that the work may take.
LIMITS = {
    "1 nothing to terms in force": (43, 36, 36),
    "2 confidentiality, one undertaking": (28, 25, 25),
    "3 a first visit ready": (80, 41, 39),
    "4 a second visit ready": (27, 29, 27),
}
# The most fields that the set-up may take: for each person invited, and for each organisation.
SET_UP = (8, 6)


class _Measuring:
    """Everybody, and what each part of the journey took."""

    def __init__(self, demo_people: DemoPeople) -> None:
        self.demo_people = demo_people
        self.journeys: list[Journey] = []

    @property
    def _people(self) -> list[tuple[str, Page]]:
        return [(first, person.page) for first, person in self.demo_people.people.items()]

    def set_up(self, organisations: int) -> None:
        """Show what accounts, organisations, powers and sign-in took, and require the limits."""
        part = so_far("0 set-up", self._people)
        _show(part)
        a_person, an_organisation = SET_UP
        # The administrator fills in the organisations and the invitations, and was not invited.
        invited = len(part.by_person) - 1
        most = a_person * invited + an_organisation * organisations
        assert part.together.fields <= most, f"{part.name}: {part.together.fields} > {most}"

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        with measured(name, self._people) as part:
            yield
        self.journeys.append(part)
        _show(part)

    def require_within_limits(self) -> None:
        for part in self.journeys:
            total, limits = part.together, LIMITS.get(part.name)
            if limits is not None:
                over = [
                    f"{what} {number} > {most}"
                    for what, number, most in zip(
                        ("fields", "clicks", "pages"),
                        (total.fields, total.clicks, total.pages),
                        limits,
                        strict=True,
                    )
                    if number > most
                ]
                assert over == [], f"{part.name}: {', '.join(over)}"


def _show(part: Journey) -> None:
    print("\n".join(part.lines()))  # noqa: T201 -- make journeys shows it


@pytest.mark.skipif(not is_long(), reason="takes minutes; the parts have tests of their own")
def test_from_nothing_to_a_second_visit(live: Application, new_context: NewContext) -> None:
    demo_people = DemoPeople(live, new_context)
    measuring = _Measuring(demo_people)
    journey.gather_two(demo_people, SECOND)
    for name in ("Pavo", "Ruth", "Ilena"):
        journey.give_telephone(demo_people, name)
    measuring.set_up(organisations=3)
    with measuring.part("1 nothing to terms in force"):
        _agree_on_terms(demo_people)
    with measuring.part("2 confidentiality, one undertaking"):
        _agree_on_confidentiality(demo_people)
        journey.undertake(demo_people, "Leyla", "Milan", by_mail=True)
    with measuring.part("3 a first visit ready"):
        journey.undertake(demo_people, "Otto", "Tomas", by_mail=True)
        journey.undertake(demo_people, "Joana", "Milan", by_mail=True)
        _make_ready(demo_people, 1)
    with measuring.part("4 a second visit ready"):
        _make_ready(demo_people, 2)
    measuring.require_within_limits()


def _agree_on_terms(demo_people: DemoPeople) -> None:
    journey.open_cooperation(demo_people, second=SECOND)
    terms = journey.checklist_address(demo_people, "Ilena", "agreed terms")
    today = clock.today()
    chosen = {"way": "public_call", "decided_on": (today - dt.timedelta(days=30)).isoformat()}
    facts = TERMS | {"M1": chosen, "M19": {"start": today.isoformat()}}
    deputies = {"Ilena": "Nadia", "Joana": "Otto", "Samira": "Henrik"}
    known = {name: Facts(facts | {"M7": {"deputy": own}}) for name, own in deputies.items()}
    journey.begin_with_model_text(demo_people["Ilena"].page, terms)
    journey.agree(demo_people, terms, known)
    demo_people["Nadia"].page.goto(f"{terms}/review")
    demo_people["Nadia"].page.get_by_role("button", name="Confirm the review").click()
    demo_people["Nadia"].expect_told("You confirmed the review of independence and flexibility.")
    journey.send_and_sign(demo_people, terms, "Ilena", ("Tomas", "Otto", "Henrik"))


def _agree_on_confidentiality(demo_people: DemoPeople) -> None:
    # The record of the terms that Ilena sent leads to the text that follows them.
    page = demo_people["Ilena"].page
    page.get_by_role("button", name="Begin with the model text").click()
    expect(page.locator(".flashes")).to_contain_text("the model text now")
    address = page.url.removesuffix("/decide")
    npm = Facts(
        {"C1": {"scope": "all_until"}, "C2": {"listed": "nobody"}, "C11": {"approver@0": "Ilena"}}
    )
    # Joana and Samira find their people in the list, and add what each of them does.
    facts = {"Ilena": npm, "Joana": Facts(), "Samira": Facts()}
    journey.agree_in_turn(demo_people, address, facts)
    # Samira accepted last, which leads to sending the text.
    journey.send_here(demo_people, "Samira")
    journey.sign(demo_people, address, ("Tomas", "Otto", "Henrik"))


def _make_ready(demo_people: DemoPeople, number: int) -> None:
    """Plan a visit, settle roles and plan, sign both, and have the team confirm."""
    # The second begins with what the first said, the first with the model text.
    visit = journey.plan_visit(demo_people, number, tasks=TASKS if number == 1 else {})
    npm = demo_people["Ilena"].page
    answers = Facts(ANSWERS, people=("Ruth", "Joana", "Ilena"))
    # Open Door takes no part in the visits. Each page leads to the next, from text to text.
    roles = npm.url.removesuffix("/decide")
    journey.settle_both(npm, answers)
    demo_people["Joana"].page.goto(f"{roles}/decide")
    journey.settle_both(demo_people["Joana"].page, answers)
    for _text in range(2):
        journey.send_here(demo_people, "Joana")
    for name in ("Tomas", "Otto"):
        journey.sign_together(demo_people, name, 2)
    journey.take_part(
        demo_people,
        visit,
        "Accept your task and confirm the plan",
        "You accepted your task and confirmed the urgent-action plan.",
    )
    lead = demo_people["Pavo"].page
    lead.goto(f"{visit}/ready")
    expect(lead.get_by_text("Nothing is missing.")).to_be_visible()
    lead.goto(visit)
    expect(lead.locator("main")).to_contain_text(re.compile("[Rr]eady"))
