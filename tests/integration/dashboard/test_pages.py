"""My work and the cooperation's page: whose turn it is, in every state, for everybody.

In one file: both pages show the same tasks, and are tested on the same cooperations.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.agreements import checklist_of, send
from tests.factories.checklists import flag_term, read_second
from tests.factories.cooperations import (
    Country,
    bring_in,
    copied_country,
    load_checklists,
    open_one,
    signed_in,
)
from tests.pages import Page
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, ChecklistParty
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation, Mode, Stage
from tracker.core import clock
from tracker.dashboard import agreeing, queries
from tracker.demo import checklists as demo_checklists
from tracker.demo import people
from tracker.demo.people import DemoPeople
from tracker.lifecycle import service as lifecycle_service

TERMS = ChecklistKind.TERMS
DAY = dt.timedelta(days=1)


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


def states(page: Page) -> dict[str, str]:
    """Return the state of each task by its label."""
    by_item: dict[str, str] = {}
    for row in page.root.iter("li"):
        state = next((e for e in row.iter("span") if e.attrib.get("class") == "state"), None)
        box = row.find("div")
        if state is None or box is None:
            continue
        link = box.find("a")
        label = "".join(link.itertext()) if link is not None else (box.text or "")
        by_item.setdefault(" ".join(label.split()), " ".join("".join(state.itertext()).split()))
    return by_item


# My work


@pytest.mark.both_databases
def test_my_work_shows_what_waits_for_a_coordinator(
    app: Flask, country: Country, session: Session
) -> None:
    open_one(country, "door")
    session.commit()
    page = country.browser(app, "samira").page("/")
    assert page.h1 == "My work"
    assert states(page)["Agreed terms"] == "Waiting for you"
    assert "Joint monitoring of police custody" in page.text


@pytest.mark.parametrize("first", ["henrik", "tomas", "nadia"])
def test_items_are_the_coordinators_work_and_deciders_see_whom_they_wait_for(
    app: Flask, country: Country, session: Session, first: str
) -> None:
    cooperation = open_one(country, "door")
    bring_in(country, cooperation, first)
    session.commit()
    page = country.browser(app, first).page("/")
    assert "You have no tasks." in page.text
    assert "Waiting for" in states(page)["Fill in the agreed terms"]


@pytest.mark.parametrize("first", ["oren", "dora"])
def test_members_see_nothing_of_the_work_of_their_side(
    app: Flask, country: Country, session: Session, first: str
) -> None:
    cooperation = open_one(country, "door")
    bring_in(country, cooperation, first)
    session.commit()
    page = country.browser(app, first).page("/")
    assert "You have no tasks." in page.text
    assert states(page) == {}


@pytest.mark.parametrize("first", ["leyla", "oren", "petra", "dora"])
def test_my_work_tells_others_nothing(
    app: Flask, country: Country, session: Session, first: str
) -> None:
    cooperation = open_one(country, "door")
    cooperation.review_on = clock.today() + 30 * DAY
    session.commit()
    page = country.browser(app, first).page("/")
    assert "You have no tasks." in page.text
    assert "Joint monitoring" not in page.text
    assert states(page) == {}


@pytest.mark.parametrize("first", ["root", "marek", "vesna"])
def test_administrators_and_other_coordinators_see_only_their_first_steps(
    app: Flask, country: Country, session: Session, first: str
) -> None:
    open_one(country, "door")
    session.commit()
    page = country.browser(app, first).page("/")
    assert "Start with the steps below." in page.text
    assert set(states(page).values()) == {"To do"}
    assert "Joint monitoring" not in page.text


def test_nothing_waits_for_an_auditor(app: Flask, country: Country, session: Session) -> None:
    open_one(country, "door")
    session.commit()
    assert "You have no tasks." in country.browser(app, "ada").page("/").text


def test_who_is_named_signs_and_the_others_see_who_is_waited_for(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, "door")
    terms = checklist_of(cooperation, TERMS)
    send(country, terms, {"npm": "tomas", "door": "henrik"})
    session.commit()
    mine = country.browser(app, "henrik").page("/")
    label = "Sign the agreed terms for Open Door Legal Aid"
    assert states(mine)[label] == "Waiting for your signature"
    assert mine.links()[label] == f"/checklists/{terms.id}/sign"
    others = states(country.browser(app, "samira").page("/"))
    assert others["Sign the agreed terms"] == (
        "Waiting for Office of the People's Advocate and Open Door Legal Aid"
    )


def test_the_npm_coordinator_names_modes_and_every_coordinator_holds_overdue_reviews(
    app: Flask, country: Country, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_one(country, modes=())
    late = open_one(country, title="Late one")
    late.stage, late.review_on = Stage.ACTIVE, clock.today() - DAY
    session.commit()
    # Its stage is in no event; one that is really active says the same.
    monkeypatch.setattr(agreeing, "cooperations", frozenset)
    by_cooperation = states(country.browser(app, "ilena").page("/"))
    tasks = states(country.browser(app, "samira").page("/"))
    assert by_cooperation["Name the ways of working"] == "Waiting for you"
    assert by_cooperation["Hold the review"].startswith("Overdue since")
    assert tasks["Hold the review"].startswith("Overdue since")
    assert "Name the ways of working" not in tasks
    assert "Hold the review" not in states(country.browser(app, "henrik").page("/"))


@pytest.mark.both_databases
def test_dates_ahead_are_in_order_and_past_ones_left_out(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country)
    today = clock.today()
    cooperation.starts_on = today - DAY
    cooperation.review_on = today + 200 * DAY
    cooperation.ends_on = today + 400 * DAY
    session.commit()
    text = country.browser(app, "samira").page("/").text
    assert "Start: Joint" not in text
    assert text.index("Review: Joint monitoring") < text.index("End: Joint monitoring")


def test_a_stranger_is_sent_to_the_sign_in(client: CheckedClient) -> None:
    assert "/sign-in" in client.get("/").location


def test_my_work_is_shown_25_tasks_at_a_time_on_both_lists(
    app: Flask, country: Country, session: Session
) -> None:
    for number in range(14):
        open_one(country, "door", modes=(Mode.VISIT,), title=f"Cooperation {number}")
    session.commit()
    browser = country.browser(app, "samira")
    first = browser.page("/")
    assert "You have 28 tasks." in first.text
    assert first.text.count("Waiting for you") == 25
    assert "1 to 25 of 28" in first.text
    last = browser.page("/?page=2")
    assert last.text.count("Waiting for you") == 3
    assert browser.page("/?page=99").text == last.text
    reader = country.browser(app, "tomas")
    assert "1 to 25 of 28" in reader.page("/").text
    assert reader.page("/?others=2").text.count("Waiting for O") == 3
    assert reader.page("/?page=2").text.count("Waiting for O") == 25


@pytest.mark.both_databases
def test_what_waits_for_a_signature_is_not_left_out_for_older_drafts(
    app: Flask, country: Country, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_one(country, "door")
    send(
        country, checklist_of(open_one(country, "door"), TERMS), {"npm": "tomas", "door": "henrik"}
    )
    session.commit()
    rest = "The rest appears as you finish what is here."
    page = country.browser(app, "tomas").page("/")
    assert "Fill in the agreed terms" in states(page)
    assert rest not in page.text
    monkeypatch.setattr(queries, "MANY_LINES", 1)
    page = country.browser(app, "tomas").page("/")
    assert list(states(page).values()) == ["Waiting for your signature"]
    assert rest in page.text


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize("key", ["ilena", "samira"])
def test_drafts_that_wait_for_ones_own_side_are_not_left_out_for_older_ones(
    app: Flask, country: Country, session: Session, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    older, newer = open_one(country, "door"), open_one(country, "door", title="Training of staff")
    of_older = sa.select(Checklist.id).where(Checklist.cooperation_id == older.id)
    session.execute(
        sa.update(ChecklistParty)
        .where(
            ChecklistParty.checklist_id.in_(of_older),
            ChecklistParty.organisation_id == country.actor(key).organisation_id,
        )
        .values(waiting_count=0)
    )
    session.commit()
    monkeypatch.setattr(queries, "MANY_LINES", 1)
    page = country.browser(app, key).page("/")
    assert newer.title in page.text
    assert older.title not in page.text


@pytest.mark.both_databases
def test_my_work_sends_as_many_queries_for_many_cooperations(
    app: Flask,
    country: Country,
    session: Session,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    def count() -> int:
        client = country.browser(app, "ilena")
        client.page("/")
        with statements() as sent:
            client.page("/")
        return len(sent)

    first = open_one(country, "door")
    send(country, checklist_of(first, TERMS), {"npm": "tomas", "door": "henrik"})
    session.commit()
    few = count()
    for key in ("lantern", "bridge", "other_npm"):
        cooperation = open_one(country, *{key, "door"}, modes=(Mode.OMB_PLUS,))
        send(country, checklist_of(cooperation, TERMS), {"npm": "tomas", "door": "henrik"})
        flag_term(
            country.actor("samira"),
            checklist_of(cooperation, ChecklistKind.URGENT_PLAN),
            "U1",
            "Why?",
        )
    session.commit()
    assert count() == few


# The cooperation's page


def test_the_page_shows_stage_turn_needs_and_gates(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, "door", modes=(Mode.OMB_PLUS,))
    session.commit()
    page = country.browser(app, "samira").page(f"/cooperations/{cooperation.reference}")
    assert page.h1 == "Joint monitoring of police custody"
    assert "Stage: Drafting terms" in page.text
    assert "Next step, for Open Door Legal Aid" in page.text
    assert "Agreed terms: required." in page.text
    assert "Urgent-action plan of the cooperation: required." in page.text
    assert "Urgent-action plan of each visit: required." in page.text
    assert "Recommended" not in page.text
    by_item = states(page)
    assert by_item["Fill in the agreed terms"] == "Waiting for us"
    assert by_item["Sign the agreed terms"] == "Can't start yet"
    assert by_item["Plan a joint visit"] == "Can't start yet"
    terms = checklist_of(cooperation, TERMS)
    assert page.links()["Parties and mandates: not answered yet"] == (f"/checklists/{terms.id}#m1")


def test_every_unmet_condition_of_a_gate_leads_to_where_it_is_put_right(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, modes=())
    session.commit()
    client = country.browser(app, "ilena")
    page = client.page(f"/cooperations/{cooperation.reference}")
    assert page.links()["No way of working has been chosen yet."] == (
        f"/cooperations/{cooperation.reference}/ways"
    )
    partner = country.browser(app, "samira").page(f"/cooperations/{cooperation.reference}")
    assert "No way of working has been chosen yet." in partner.text
    assert "No way of working has been chosen yet." not in partner.links()


def test_the_guidance_is_linked_from_each_requirement(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country)
    session.commit()
    client = country.browser(app, "ilena")
    links = client.page(f"/cooperations/{cooperation.reference}").addresses()
    assert "/guidance/settling-terms#joint-visits" in links
    assert "/guidance/settling-terms#urgent-action" in links


def test_an_auditor_reads_the_page_and_nothing_waits_for_them(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, "door")
    session.commit()
    page = country.browser(app, "ada").page(f"/cooperations/{cooperation.reference}")
    assert "Waiting for us" not in page.text
    assert "Change the ways of working" not in page.links()
    assert states(page)["Fill in the agreed terms"] == (
        "Waiting for Office of the People's Advocate and Open Door Legal Aid"
    )


@pytest.mark.parametrize("first", ["joana", "marek", "vesna", "oren", "petra", "dora", "root"])
def test_for_others_the_page_does_not_exist(
    app: Flask, country: Country, session: Session, first: str
) -> None:
    cooperation = open_one(country, "door")
    session.commit()
    answer = country.browser(app, first).get(f"/cooperations/{cooperation.reference}")
    assert answer.status_code == 404
    assert "Joint monitoring" not in answer.text


def test_people_are_asked_for_until_each_party_named_some(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, "door")
    session.commit()
    address = f"/cooperations/{cooperation.reference}"
    assert states(country.browser(app, "samira").page(address))["Name who takes part"] == (
        "Waiting for us"
    )
    assert states(country.browser(app, "ilena").page(address))["Name who takes part"] == (
        "Waiting for Open Door Legal Aid"
    )
    bring_in(country, cooperation, "samira")
    session.commit()
    assert states(country.browser(app, "ilena").page(address))["Name who takes part"] == "Named"


def test_an_overdue_review_is_a_problem_in_words(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, "door")
    cooperation.stage, cooperation.review_on = Stage.ACTIVE, clock.today() - DAY
    session.commit()
    page = country.browser(app, "samira").page(f"/cooperations/{cooperation.reference}")
    assert states(page)["Hold the review"] == "Overdue"


# With whole agreements, as the demonstration has them


@pytest.fixture
def demo_people(session: Session) -> DemoPeople:
    load_checklists()
    return people.make("seven lanterns by the harbour")


def agreed(demo_people: DemoPeople, session: Session) -> tuple[Cooperation, Checklist]:
    cooperation = lifecycle_service.open_cooperation(
        demo_people.actor("ilena"),
        title="Exchange on psychiatry",
        purpose="To share figures.",
        organisation_ids=[demo_people.bodies["od"].id],
        modes=[Mode.INFO_F],
        questions={"npm_passes_restricted": "no", "personal_data": "no"},
    )
    for body in ("npm", "od"):
        for person in demo_people.of_body(body):
            if person.key != "ilena":
                cooperations.add_person(
                    demo_people.actor(demo_checklists.COORDINATORS[body]),
                    cooperation,
                    user_id=demo_people.users[person.key].id,
                    organisation_id=demo_people.bodies[body].id,
                )
    terms = checklist_of(cooperation, TERMS)
    demo_checklists.fill_in(demo_people, terms)
    session.commit()
    return cooperation, terms


def look(
    app: Flask, demo_people: DemoPeople, cooperation: Cooperation, key: str
) -> tuple[Page, Page]:
    client = signed_in(app, demo_people.users[key])
    return client.page("/"), client.page(f"/cooperations/{cooperation.reference}")


def test_the_second_reader_reads_when_all_is_agreed(
    app: Flask, demo_people: DemoPeople, session: Session
) -> None:
    cooperation, terms = agreed(demo_people, session)
    work, page = look(app, demo_people, cooperation, "nadia")
    label = "Read the safeguards of the terms as second reader"
    assert states(work)[label] == "Waiting for you"
    assert work.links()[label] == f"/checklists/{terms.id}/review"
    assert states(page)["Review independence and flexibility"] == "Waiting for you"
    assert states(page)["Fill in the agreed terms"] == "Agreed"
    work, page = look(app, demo_people, cooperation, "samira")
    assert states(work)[label] == "Waiting for the NPM"
    assert states(page)["Sign the agreed terms"] == "Can't start yet"


def test_reviewed_terms_are_sent_by_a_coordinator(
    app: Flask, demo_people: DemoPeople, session: Session
) -> None:
    cooperation, terms = agreed(demo_people, session)
    read_second(demo_people.actor("nadia"), terms)
    session.commit()
    label = "Send the agreed terms for signature"
    for key in ("ilena", "samira"):
        work, page = look(app, demo_people, cooperation, key)
        assert states(work)[label] == "Waiting for you"
        assert states(page)[label] == "Waiting for us"
        assert page.links()[label] == f"/checklists/{terms.id}/send"
    work, page = look(app, demo_people, cooperation, "henrik")
    assert states(work)[label] == "Waiting for a coordinator"
    assert states(page)["Sign the agreed terms"] == "Waiting for a coordinator"


def test_sent_terms_wait_for_those_who_have_not_signed(
    app: Flask, demo_people: DemoPeople, session: Session
) -> None:
    cooperation, terms = agreed(demo_people, session)
    read_second(demo_people.actor("nadia"), terms)
    demo_checklists.send(demo_people, terms)
    demo_checklists.sign(demo_people, terms, "npm")
    session.commit()
    name = demo_people.bodies["od"].name
    work, page = look(app, demo_people, cooperation, "ilena")
    assert states(work)["Sign the agreed terms"] == f"Waiting for {name}"
    assert states(page)["Sign the agreed terms"] == f"Waiting for {name}"
    work, page = look(app, demo_people, cooperation, "henrik")
    assert states(work)[f"Sign the agreed terms for {name}"] == "Waiting for your signature"
    assert states(page)["Sign the agreed terms"] == "Waiting for your signature"


def test_an_open_mark_waits_for_the_npm(
    app: Flask, demo_people: DemoPeople, session: Session
) -> None:
    cooperation, terms = agreed(demo_people, session)
    flag_term(demo_people.actor("samira"), terms, "M12", "Does a donor decide?")
    session.commit()
    label = "Settle 1 flag: limits the NPM's independence"
    work, page = look(app, demo_people, cooperation, "ilena")
    assert work.links()["1 flag to settle"] == f"/checklists/{terms.id}?filter=flagged"
    assert states(page)[label] == "Waiting for us"
    work, page = look(app, demo_people, cooperation, "samira")
    assert "1 flag to settle" not in work.links()
    assert states(work)[label] == states(page)[label] == "Waiting for the NPM"
    assert (
        "There's an open flag on “Costs and funding”: limits the NPM's independence."
        in page.links()
    )
