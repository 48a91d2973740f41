"""Powers given, confirmed and ended by others in two browsers; a CSO of one person."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.accessibility import grave_faults
from tests.browser.conftest import NewContext
from tests.browser.demonstration import DEMONSTRATION, FirstStart
from tests.browser.devices import Device, set_up
from tests.browser.instances import DATABASE, StartingPoint
from tests.browser.people import Person, expect_told, somebody
from tests.factories import checklists
from tests.factories.agreements import checklist_of
from tests.factories.powers import acting
from tests.servers.application import Application
from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import ChecklistKind, Mode
from tracker.core.db import db
from tracker.lifecycle import service as lifecycle
from tracker.organisations.models import Organisation

QUESTIONS = {
    "personal_data": "no",
    "npm_passes_restricted": "no",
    "cso_passes_restricted": "no",
    "consent_hard": "no",
}


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[FirstStart]:
    """The demonstration."""
    return DEMONSTRATION


def test_a_role_is_given_by_one_confirmed_by_another_and_ended(
    new_context: NewContext, state_of: Callable[[str], Any]
) -> None:
    """Samira, coordinator, gives; Henrik, signatory and manager, confirms, and ends it later."""
    samira = new_context(storage_state=state_of("samira")).new_page()
    henrik = new_context(storage_state=state_of("henrik")).new_page()
    samira.goto("/people")
    samira.get_by_role("link", name="Samira Okell").first.click()
    expect(samira.get_by_role("heading", level=1)).to_have_text("Samira Okell")
    expect(samira.get_by_role("link", name="Give a role")).to_have_count(0)
    samira.goto("/people")
    samira.get_by_role("link", name="Dina Faro").click()
    samira.get_by_role("link", name="Give a role").click()
    samira.get_by_role("radio", name=re.compile("^Signatory")).check()
    samira.get_by_label(re.compile("^Office")).fill("Deputy director")
    samira.get_by_label(re.compile("^Power to sign")).fill("Decision of the board of 3 May")
    samira.get_by_role("button", name="Give the role").click()
    expect_told(samira, "The role of Dina Faro begins once it's confirmed.")
    expect(samira.get_by_text("Waiting to be confirmed")).to_be_visible()
    expect(samira.get_by_role("link", name="Confirm this role")).to_have_count(0)
    assert grave_faults(samira) == []

    henrik.goto("/")
    henrik.get_by_role("link", name=re.compile("^Confirm Dina Faro as Signatory")).click()
    henrik.get_by_role("link", name=re.compile("^Confirm this role")).click()
    expect(henrik.get_by_text("Decision of the board of 3 May")).to_be_visible()
    assert grave_faults(henrik) == []
    henrik.get_by_role("button", name="Confirm the role").click()
    expect_told(henrik, "The role of Dina Faro is confirmed.")

    samira.reload()
    expect(samira.get_by_text("Confirmed by Henrik Asante")).to_be_visible()
    # Only her role as member: she can't end the other one herself.
    expect(samira.get_by_role("link", name=re.compile("^End this role"))).to_have_count(1)
    henrik.get_by_role("link", name=re.compile("^End this role")).click()
    henrik.get_by_label("Reason").fill("She works elsewhere now")
    henrik.get_by_role("button", name="End the role").click()
    expect_told(henrik, "The role is ended.")


def test_one_person_alone_in_a_cso_comes_from_the_invitation_to_the_signature(
    live: Application, inside: Flask, new_context: NewContext, state_of: Callable[[str], Any]
) -> None:
    """The administrator invites her as coordinator and signatory; she accepts, and signs."""
    iris = new_context(storage_state=state_of("iris")).new_page()
    sole = _invited_alone(live, new_context, iris)
    sole.page.goto("/")
    sole.page.get_by_role("link", name=re.compile("^Accept your role: Signatory")).click()
    expect(
        sole.page.get_by_text("Confirmed by an administrator on the command line")
    ).to_be_visible()
    assert grave_faults(sole.page) == []
    sole.accept_role("Signatory")

    terms = _agree_on_terms(inside, sole.email)
    ilena = new_context(storage_state=state_of("ilena")).new_page()
    ilena.goto(f"{terms}/send")
    for group in ilena.locator("main form fieldset:has(input[type=radio])").all():
        group.locator("input[type=radio]").first.check()
    ilena.get_by_role("button", name="Send for signature").click()
    expect_told(ilena, "The text is frozen and sent.")
    sole.page.goto("/")
    sole.page.get_by_role("link", name=re.compile("^Sign the agreed terms")).click()
    sole.page.get_by_role("link", name="Continue to sign").click()
    sole.prove_and(re.compile("^Sign for Shore Watch"), "You signed.")
    expect(sole.page.get_by_text("there was no other signatory or manager").first).to_be_visible()


def test_a_role_is_accepted_by_passkey(
    live: Application, new_context: NewContext, state_of: Callable[[str], Any]
) -> None:
    """Nothing begins until somebody unlocks the device."""
    iris = new_context(storage_state=state_of("iris")).new_page()
    sole = _invited_alone(live, new_context, iris)
    device = Device.of(sole.page)
    set_up(sole.page, "Laptop")
    expect_told(sole.page, "The passkey Laptop is set up.")
    sole.page.goto("/")
    sole.page.get_by_role("link", name=re.compile("^Accept your role: Signatory")).click()
    by_passkey = sole.page.get_by_role("button", name="Accept the role, with a passkey")
    expect(by_passkey).to_be_enabled()
    assert grave_faults(sole.page) == []
    device.verifies(person=False)
    by_passkey.click()
    expect(sole.page.get_by_text("No passkey answered")).to_be_visible()
    assert _begun(live, sole.email) == {"coordinator"}

    device.verifies(person=True)
    by_passkey.click()
    expect_told(sole.page, "Your role has begun.")
    assert _begun(live, sole.email) == {"coordinator", "signatory"}
    assert _last_details(live, "role_accepted")["method"] == "passkey"
    sole.page.goto("/")
    expect(sole.page.get_by_role("link", name=re.compile("^Accept your role"))).to_have_count(0)


def _invited_alone(live: Application, new_context: NewContext, iris: Page) -> Person:
    """Invite Sole as the only person of a new CSO, and let her accept."""
    _add_organisation(iris, "Shore Watch")
    printed = live.command(
        *("invite", "sole.marin@maravena.example", "--name", "Sole Marin"),
        *("--organisation", "Shore Watch", "--role", "coordinator", "--role", "signatory"),
        *("--office", "Founder", "--power", "article 1 of its statutes"),
    )
    link = re.search(r"http\S+", printed)
    assert link is not None, printed
    sole = somebody(live, new_context, "Sole Marin")
    sole.accept(link.group())
    return sole


def _rows(live: Application, query: str, *values: str) -> list[Any]:
    """Read rows without the application."""
    with closing(sqlite3.connect(live.data_dir / DATABASE)) as database:
        return database.execute(query, values).fetchall()


def _begun(live: Application, email: str) -> set[str]:
    """Return the roles of a person that have begun."""
    query = (
        'SELECT role FROM membership JOIN "user" ON "user".id = user_id'
        " WHERE email = ? AND begun_at IS NOT NULL"
    )
    return {row[0] for row in _rows(live, query, email)}


def _last_details(live: Application, verb: str) -> dict[str, Any]:
    query = (
        "SELECT content FROM event_detail JOIN event ON event.id = event_id"
        " WHERE verb = ? ORDER BY at DESC LIMIT 1"
    )
    details: dict[str, Any] = json.loads(_rows(live, query, verb)[0][0])
    return details


def _add_organisation(page: Page, name: str) -> None:
    page.goto("/organisations/new")
    page.get_by_label(re.compile("Civil society organisation")).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.locator("input[name=types]").first.check()
    page.get_by_role("button", name="Add the organisation").click()
    expect_told(page, f"{name} is added.")


def _agree_on_terms(inside: Flask, email: str) -> str:
    """Open a cooperation with her organisation, agree on its terms, and return their address."""
    with inside.app_context():
        ilena, nadia = _acting(User.name == "Ilena Dorvath"), _acting(User.name == "Nadia Corvel")
        sole = _acting(User.email == email)
        shore = db.session.scalars(
            sa.select(Organisation).where(Organisation.name == "Shore Watch")
        ).one()
        cooperation = lifecycle.open_cooperation(
            ilena,
            title="Watching the harbour cells",
            purpose="To learn how people fare there.",
            organisation_ids=[shore.id],
            modes=(Mode.VISIT,),
            questions=QUESTIONS,
        )
        tomas = _acting(User.name == "Tomas Beridan")
        for by, who in ((ilena, nadia), (ilena, tomas), (sole, sole)):
            assert who.organisation_id is not None
            cooperations.add_person(
                by, cooperation, user_id=who.user_id, organisation_id=who.organisation_id
            )
        terms = checklist_of(cooperation, ChecklistKind.TERMS)
        assert ilena.organisation_id is not None
        writers = {ilena.organisation_id: ilena, shore.id: sole}
        checklists.agree(terms, writers, nadia)
        address = f"/checklists/{terms.id}"
        db.session.commit()
        db.session.remove()
    return address


def _acting(who: sa.ColumnElement[bool]) -> Actor:
    user = db.session.scalars(sa.select(User).where(who)).one()
    home = next(m.organisation_id for m in acting(user.id, None).memberships if m.organisation_id)
    return acting(user.id, home)
