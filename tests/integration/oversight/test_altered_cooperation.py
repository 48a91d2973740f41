"""Cooperations, parties, people and visits, changed by SQL: each page that shows them says so."""

import json
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import hands, table_of
from tests.pages import Page
from tracker.cooperations.models import Cooperation, CooperationPerson, Party
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence import disagreements
from tracker.visits import service
from tracker.visits.models import TeamMember, Visit
from tracker.worker import jobs

COOPERATIONS = table_of(Cooperation)
PARTIES, PEOPLE = table_of(Party), table_of(CooperationPerson)
VISITS, TEAM = table_of(Visit), table_of(TeamMember)
DIFFERS = "match its signatures"
TELL = "This cooperation doesn't match its signatures. Tell an administrator."
# A column, what somebody writes there, and what pages would make of it.
CHANGES = {
    "review_on": ("2031-05-05", "2031"),
    "title": ("A cooperation with the ministry", ""),
    "modes": (json.dumps(["visit", "unknown"]), ""),
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_cooperation_whose_row_was_altered_is_marked_on_every_page_that_shows_it(
    app: Flask, demonstration: Demonstration, column: str
) -> None:
    reference = demonstration.references["complete"]
    row_id = demonstration.cooperations["complete"]
    value, claimed = CHANGES[column]
    addresses = (
        "/register",
        "/cooperations",
        f"/cooperations/{reference}",
        f"/cooperations/{reference}/reviews",
        f"/register/{demonstration.checklists['complete', 'terms']}",
    )
    greta = demonstration.browser(app, "greta")
    assert not any(DIFFERS in greta.page(page).text for page in addresses)
    with app.app_context(), hands() as connection:
        connection.execute(
            sa.update(COOPERATIONS)
            .where(COOPERATIONS.c.id == row_id)
            .values({column: sa.literal_column(f"'{value}'")})
        )
    for address in addresses:
        text = greta.page(address).text
        assert DIFFERS in text, address
        assert not claimed or claimed not in text or address == f"/cooperations/{reference}"
    with app.app_context():
        jobs.compare_texts()
        assert reference in {text.reference for text in disagreements.known()}
        db.session.rollback()


@pytest.mark.both_databases
@pytest.mark.parametrize("change", ["changed", "inserted", "deleted"])
def test_parties_written_into_the_database_are_marked_and_meet_no_gate(
    app: Flask, demonstration: Demonstration, change: str
) -> None:
    reference = demonstration.references["complete"]
    addresses = (
        "/register",
        "/cooperations",
        f"/cooperations/{reference}",
        f"/cooperations/{reference}/people",
        f"/cooperations/{reference}/reviews",
        f"/register/{demonstration.checklists['complete', 'terms']}",
    )
    greta = demonstration.browser(app, "greta")
    gates = "1 To beginMet 2 Terms agreedMet"
    for address in addresses:
        text = greta.page(address).text
        assert DIFFERS not in text, address
        assert (gates in text) is address.endswith(reference), address
    written = sa.and_(
        PARTIES.c.cooperation_id == demonstration.cooperations["complete"],
        PARTIES.c.organisation_id == demonstration.organisations["od"],
    )
    with app.app_context(), hands() as connection:
        if change == "changed":
            connection.execute(sa.update(PARTIES).where(written).values(side="npm"))
        elif change == "deleted":
            connection.execute(sa.delete(PARTIES).where(written))
        else:
            stored = connection.execute(sa.select(PARTIES).where(written)).mappings().one()
            other = {"id": uuid4(), "organisation_id": demonstration.organisations["rf"]}
            connection.execute(sa.insert(PARTIES).values({**stored, **other}))
    for address in addresses:
        text = greta.page(address).text
        assert DIFFERS in text, address
        if address.endswith(reference):
            of_gates = text[text.index("1 To begin") : text.index("At a glance")]
            assert "Met" not in of_gates
            assert of_gates.count("Doesn't match its signatures") == 5
    with app.app_context():
        jobs.compare_texts()
        assert reference in {text.reference for text in disagreements.known()}
        db.session.rollback()


def test_no_visit_is_planned_in_a_cooperation_that_does_not_match_its_signatures(
    app: Flask, demonstration: Demonstration
) -> None:
    visits = f"/cooperations/{demonstration.references['complete']}/visits"
    ilena = demonstration.browser(app, "ilena")
    assert f'href="{visits}/plan"' in ilena.get(visits).get_data(as_text=True)
    assert ilena.get(f"{visits}/plan").status_code == 200
    with app.app_context(), hands() as connection:
        connection.execute(
            sa.update(PARTIES)
            .where(
                PARTIES.c.cooperation_id == demonstration.cooperations["complete"],
                PARTIES.c.organisation_id == demonstration.organisations["od"],
            )
            .values(side="npm")
        )
    page = ilena.get(visits).get_data(as_text=True)
    assert f'href="{visits}/plan"' not in page
    answer = ilena.get(f"{visits}/plan")
    assert answer.status_code == 403
    assert TELL in Page.of(answer).text


@pytest.mark.both_databases
@pytest.mark.parametrize("change", ["changed", "inserted", "deleted"])
def test_people_written_into_the_database_are_marked_and_meet_no_gate(
    app: Flask, demonstration: Demonstration, change: str
) -> None:
    reference = demonstration.references["complete"]
    of_it = f"/cooperations/{reference}"
    addresses = (of_it, f"{of_it}/people", f"{of_it}/undertakings")
    greta = demonstration.browser(app, "greta")
    for address in addresses:
        assert DIFFERS not in greta.page(address).text, address
    written = sa.and_(
        PEOPLE.c.cooperation_id == demonstration.cooperations["complete"],
        PEOPLE.c.user_id == demonstration.users["dina"],
    )
    with app.app_context(), hands() as connection:
        if change == "changed":
            connection.execute(sa.update(PEOPLE).where(written).values(function="Director"))
        elif change == "deleted":
            connection.execute(sa.delete(PEOPLE).where(written))
        else:
            stored = connection.execute(sa.select(PEOPLE).where(written)).mappings().one()
            other = {"id": uuid4(), "user_id": demonstration.users["greta"]}
            connection.execute(sa.insert(PEOPLE).values({**stored, **other}))
    for address in addresses:
        assert DIFFERS in greta.page(address).text, address
    assert "4 People clearedMet" not in greta.page(addresses[0]).text
    with app.app_context():
        jobs.compare_texts()
        assert reference in {text.reference for text in disagreements.known()}
        db.session.rollback()


@pytest.mark.both_databases
@pytest.mark.parametrize("column", ["number", "planned_at", "cooperation_id"])
def test_a_visit_whose_row_was_altered_is_marked_wherever_it_is_listed(
    app: Flask, demonstration: Demonstration, column: str
) -> None:
    own = shown_in = demonstration.references["complete"]
    values = {
        "number": 7,
        "planned_at": clock.now(),
        "cooperation_id": demonstration.cooperations["waiting"],
    }
    pages = [("greta", "/register"), ("ilena", "/")]
    if column == "cooperation_id":  # nothing opens its plan there
        shown_in = demonstration.references["waiting"]
        pages.pop()
    else:
        pages.append(("ilena", f"/cooperations/{own}/visits"))
    pages.append(("greta", f"/cooperations/{shown_in}"))
    browsers = {key: demonstration.browser(app, key) for key in ("greta", "ilena")}
    for key, address in pages:
        assert DIFFERS not in browsers[key].page(address).text, address
    with app.app_context(), hands() as connection:
        connection.execute(
            sa.update(VISITS)
            .where(VISITS.c.cooperation_id == demonstration.cooperations["complete"])
            .values({column: values[column]})
        )
    if column != "cooperation_id":
        pages.append(("ilena", f"/cooperations/{own}/visits/{7 if column == 'number' else 1}"))
    for key, address in pages:
        assert DIFFERS in browsers[key].page(address).text, address
    with app.app_context():
        jobs.compare_texts()
        assert own in {text.reference for text in disagreements.known()}
        db.session.rollback()


@pytest.mark.both_databases
def test_a_visit_that_the_worker_bound_as_it_was_altered_goes_on_being_marked(
    app: Flask, demonstration: Demonstration
) -> None:
    own = demonstration.cooperations["complete"]
    with app.app_context(), hands() as connection:
        is_own = VISITS.c.cooperation_id == own
        connection.execute(sa.update(VISITS).where(is_own).values(number=7))
        [lead] = connection.execute(sa.select(TEAM).limit(1)).mappings()
        connection.execute(sa.delete(TEAM).where(TEAM.c.id == lead["id"]))
    with app.app_context():
        [visit] = db.session.scalars(sa.select(Visit).where(Visit.cooperation_id == own))
        assert service.settle(visit)
        db.session.commit()
        assert not visit.is_ready
    with app.app_context(), hands() as connection:
        connection.execute(sa.insert(TEAM).values(lead))
    greta, ilena = (demonstration.browser(app, key) for key in ("greta", "ilena"))
    assert "Joint visit 7" in ilena.page("/").text
    for browser, address in ((greta, "/register"), (ilena, "/")):
        assert DIFFERS in browser.page(address).text, address
