"""My work: what only a person can do, then a group for each cooperation, then their visits."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.agreements import checklist_of, send
from tests.factories.checklists import flag_term
from tests.factories.cooperations import Country, bring_in, copied_country, open_one
from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit, days, planned, without_credential_of
from tests.integration.dashboard.test_pages import states
from tests.integration.visits.test_named_in_the_roles import list_in_v2
from tests.pages import Page
from tracker.activity.models import ReadLogEntry
from tracker.activity.stale import recompute
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, ChecklistParty
from tracker.ui import paging
from tracker.visits.models import VisitStage
from tracker.visits.pages import days as in_words

TERMS, CONFIDENTIALITY = ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY
OWN = "Only you can do these"
Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


def headings(page: Page) -> list[str]:
    """Return the headings of the groups of a person's tasks, in order."""
    return [" ".join("".join(h3.itertext()).split()) for h3 in page.root.iter("h3")]


def set_counts(
    session: Session, checklist: Checklist, key: str, country: Country, **counts: int
) -> None:
    session.execute(
        sa.update(ChecklistParty)
        .where(
            ChecklistParty.checklist_id == checklist.id,
            ChecklistParty.organisation_id == country.actor(key).organisation_id,
        )
        .values(**counts)
    )


def section(page: Page, heading: str) -> str:
    """Return the text of a page from a heading on."""
    return page.text.partition(heading)[2]


# Whose they are


def test_tasks_are_grouped_by_cooperation_with_one_line_for_each_checklist(
    app: Flask, country: Country, session: Session
) -> None:
    first = open_one(country, "door", title="Custody")
    second = open_one(country, "door", title="Training")
    session.commit()
    page = country.browser(app, "samira").page("/")
    assert headings(page) == [f"Custody {first.reference}", f"Training {second.reference}"]
    assert page.links()["Custody"] == f"/cooperations/{first.reference}"
    text = section(page, f"Custody {first.reference}").partition("Training")[0]
    assert text.count("Agreed terms") == 1


def test_each_part_of_a_line_leads_to_the_checklist_filtered_to_it(
    app: Flask, country: Country, session: Session
) -> None:
    cooperation = open_one(country, "door")
    terms = checklist_of(cooperation, TERMS)
    flag_term(country.actor("samira"), terms, "M12", "Does a donor decide?")
    recompute()
    # Items that are to be read or accepted wait too.
    set_counts(session, terms, "ilena", country, waiting_count=6, unread_count=3, to_accept_count=2)
    session.commit()
    links = country.browser(app, "ilena").page("/").links()
    assert links["Agreed terms"] == f"/checklists/{terms.id}"
    assert links["3 items to read"] == f"/checklists/{terms.id}?filter=copied"
    assert links["2 items to read and accept"] == f"/checklists/{terms.id}/read"
    assert links["1 item to answer"] == f"/checklists/{terms.id}?filter=us"
    assert links["1 flag to settle"] == f"/checklists/{terms.id}?filter=flagged"


def test_a_flag_waits_for_the_npm_alone(app: Flask, country: Country, session: Session) -> None:
    cooperation = open_one(country, "door")
    terms = checklist_of(cooperation, TERMS)
    flag_term(country.actor("samira"), terms, "M12", "Does a donor decide?")
    bring_in(country, cooperation, "tomas")
    session.commit()
    flag = "1 flag to settle"
    assert flag in country.browser(app, "ilena").page("/").links()
    # A signatory who takes part decides on flags, and isn't asked for items.
    page = country.browser(app, "tomas").page("/")
    assert flag in page.links()
    assert "to answer" not in section(page, "Your tasks").partition("Waiting for others")[0]
    for first in ("samira", "henrik", "nadia", "oren", "ada", "vesna", "root"):
        assert flag not in country.browser(app, first).page("/").text, first


def test_what_only_a_person_can_do_comes_first(
    app: Flask, country: Country, session: Session
) -> None:
    open_one(country, "door", title="Older")
    signed = open_one(country, "door", title="To be signed")
    send(country, checklist_of(signed, TERMS), {"npm": "tomas", "door": "henrik"})
    session.commit()
    page = country.browser(app, "henrik").page("/")
    assert headings(page) == [OWN]
    assert "Sign the agreed terms for Open Door Legal Aid" in section(page, OWN)
    assert "To be signed" in section(page, OWN)
    assert OWN not in headings(country.browser(app, "samira").page("/"))


def test_a_members_own_undertaking_is_all_that_waits_for_them(
    app: Flask, joint_visit: JointVisit, demonstration: Demonstration
) -> None:
    """Dina is a member of a party; nothing of her organisation's work is hers."""
    page = demonstration.browser(app, "dina").page("/")
    assert set(headings(page)) <= {OWN}
    assert not {"Agreed terms", "Fill in the agreed terms", "Sign the agreed terms"} & set(
        states(page)
    )


def test_a_page_has_25_lines_and_says_again_to_which_cooperation_they_belong(
    app: Flask, country: Country, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "SIZE", 3)
    for number in range(2):
        open_one(country, "door", title=f"Cooperation {number}")
    session.commit()
    browser = country.browser(app, "samira")
    first, last = browser.page("/"), browser.page("/?page=2")
    assert [heading.partition(" C-")[0] for heading in headings(first)] == [
        "Cooperation 0",
        "Cooperation 1",
    ]
    assert [heading.partition(" C-")[0] for heading in headings(last)] == ["Cooperation 1"]


# Visits


def reads(joint_visit: JointVisit, key: str) -> list[tuple[str, object]]:
    """Return what the read log has of a person: the page and what it was about."""
    rows = joint_visit.session.execute(
        sa.select(ReadLogEntry.page, ReadLogEntry.subject_id).where(
            ReadLogEntry.user_id == joint_visit.user(key)
        )
    )
    return [(page, subject_id) for page, subject_id in rows]


def test_people_of_a_visit_see_its_number_and_days_which_is_logged(
    app: Flask, joint_visit: JointVisit, demonstration: Demonstration
) -> None:
    visit = planned(joint_visit)
    joint_visit.session.commit()
    page = demonstration.browser(app, "leyla").page("/")
    visits = section(page, "Your visits").partition("Waiting for others")[0]
    assert f"Joint visit 2{joint_visit.cooperation.title}{in_words(days())}" in visits
    assert page.links()["Joint visit 2"] == f"/cooperations/{joint_visit.reference}/visits/2"
    assert days().place not in page.html
    assert reads(joint_visit, "leyla") == [
        ("my_work", joint_visit.visit(1).id),
        ("my_work", visit.id),
    ]


@pytest.mark.parametrize("key", ["dina", "milan", "henrik", "celia", "greta", "iris"])
def test_who_is_not_on_a_visits_list_sees_neither_visit_nor_days(
    app: Flask, joint_visit: JointVisit, demonstration: Demonstration, key: str
) -> None:
    planned(joint_visit, members=("leyla",), audience=("leyla",))
    joint_visit.session.commit()
    page = demonstration.browser(app, key).page("/")
    assert "Joint visit 2" not in page.text
    assert in_words(days()) not in page.text
    assert (joint_visit.visit(2).id) not in [
        subject_id for _page, subject_id in reads(joint_visit, key)
    ]


def test_who_is_listed_and_not_cleared_sees_nothing_of_the_visit(
    app: Flask, joint_visit: JointVisit, demonstration: Demonstration
) -> None:
    planned(joint_visit, members=("dina",), audience=("dina",))
    joint_visit.session.commit()
    page = demonstration.browser(app, "dina").page("/")
    assert "Your visits" not in page.text
    assert reads(joint_visit, "dina") == []


def test_a_coordinator_is_asked_to_name_who_takes_part_in_a_visit_besides_those_who_lead_it(
    app: Flask, joint_visit: JointVisit, demonstration: Demonstration
) -> None:
    planned(joint_visit, members=(), audience=("ilena",))
    joint_visit.session.commit()
    page = demonstration.browser(app, "ilena").page("/")
    assert (
        page.links()["Name who takes part"]
        == f"/cooperations/{joint_visit.reference}/visits/2/team"
    )
    assert "Name who takes part" not in demonstration.browser(app, "samira").page("/").text


def test_a_manager_decides_on_an_override_once_only_gate_j3_is_left(
    app: Flask, joint_visit: JointVisit, demonstration: Demonstration
) -> None:
    label = "Decide whether to override what is missing"
    assert label not in demonstration.browser(app, "milan").page("/").text
    list_in_v2(joint_visit, "milan")
    joint_visit.session.commit()
    assert without_credential_of(joint_visit, "pavo").stage is VisitStage.CLEARED
    joint_visit.session.commit()
    page = demonstration.browser(app, "milan").page("/")
    assert page.links()[label] == f"/cooperations/{joint_visit.reference}/visits/1/ready"
    assert "Make a joint visit ready" not in page.text
    for key in ("ilena", "pavo", "tomas", "leyla", "samira", "otto", "greta"):
        assert label not in demonstration.browser(app, key).page("/").text, key


@pytest.mark.both_databases
def test_my_work_sends_as_many_statements_for_many_visits(
    app: Flask, joint_visit: JointVisit, demonstration: Demonstration, statements: Statements
) -> None:
    def count() -> int:
        browser = demonstration.browser(app, "leyla")
        browser.page("/")
        with statements() as sent:
            browser.page("/")
        return len(sent)

    planned(joint_visit)
    joint_visit.session.commit()
    few = count()
    for _ in range(3):
        planned(joint_visit)
    joint_visit.session.commit()
    assert count() == few
