"""A signatory reads two texts on one page, and signs both with one touch of a device."""

import json
import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.browser import negotiation
from tests.browser.accessibility import grave_faults
from tests.browser.conftest import PHONE, NewContext
from tests.browser.devices import Device, set_up
from tests.browser.instances import StartingPoint
from tests.browser.negotiation import Browsers, Laid
from tests.factories import checklists
from tests.factories.cooperations import Country
from tests.factories.negotiations import Negotiation
from tests.servers.application import Application
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations.models import Cooperation
from tracker.signoff import assertion

TITLE = "Monitoring of police custody"
PEOPLE = ("tomas", "nadia", "oren", "petra", "henrik", "dora", "otto", "leyla", "samira", "joana")


def send_both(country: Country, cooperation: Cooperation) -> None:
    """Send the agreed terms and the confidentiality terms for signature."""
    seated = Negotiation(country, cooperation)
    for kind in (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY):
        checklists.agree(seated.checklist(kind), seated.writers, seated["oren"])
        checklists.send(seated.checklist(kind), seated["ilena"], seated.signatories)


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[Laid]:
    """A cooperation with two texts that wait for everybody's signature."""
    return negotiation.lay("two_texts", [TITLE], PEOPLE, send_both)


def test_one_touch_signs_two_texts_and_each_signature_is_valid_by_itself(
    live: Application,
    inside: Flask,
    starting_point: StartingPoint[Laid],
    new_context: NewContext,
) -> None:
    browsers = Browsers(starting_point.value, inside, new_context)
    page = new_context(viewport=PHONE).new_page()
    page.goto("/sign-in")
    browsers.sign_in(page, "otto")
    Device.of(page)
    set_up(page, "Telephone")
    expect(page.get_by_text("The passkey Telephone is set up.")).to_be_visible()
    page.goto("/")
    page.get_by_role("link", name=re.compile("^Sign")).first.click()
    page.get_by_role("link", name="Read and sign them together").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Read the texts you sign")
    assert grave_faults(page) == []

    page.get_by_role("button", name="Continue to sign").click()
    expect(page.locator(".error-summary, [role=alert]").first).to_be_visible()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Continue to sign").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign 2 texts")
    assert grave_faults(page) == []
    page.get_by_role("button", name=re.compile("^Sign 2 texts for .*, with a passkey$")).click()
    expect(page.get_by_text("You signed 2 texts.")).to_be_visible()

    rows = signatures(live)
    assert len({row["document_digest"] for row in rows}) == 2
    for row in rows:
        proof = json.loads(row["proof"])
        digest, sentence = row["document_digest"], row["sentence"]
        assert assertion.flaw(proof, document_digest=digest, sentence=sentence) is None
    live.command("audit", "verify")


def signatures(live: Application) -> list[dict[str, Any]]:
    """Return the signatures as they are stored, read without the application."""
    with closing(sqlite3.connect(live.data_dir / "tracker.sqlite3")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM signature")]
