"""Passkeys in a browser with an authenticator: set up, sign in, sign, be refused."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.browser import demonstration
from tests.browser.accessibility import grave_faults
from tests.browser.conftest import PHONE, NewContext
from tests.browser.demonstration import DEMONSTRATION, FirstStart
from tests.browser.devices import Device, set_up
from tests.browser.instances import StartingPoint
from tests.servers.application import Application
from tracker.signoff import assertion

SIGN = re.compile(r"^Sign for Lantern Health Network, with a passkey$")


SignIn = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[FirstStart]:
    """The demonstration."""
    return DEMONSTRATION


@pytest.fixture
def sign_in(live: Application, inside: Flask) -> SignIn:
    """A function that signs in a person of the demonstration on a page, with password and code."""

    def sign(page: Page, key: str) -> None:
        demonstration.sign_in(page, live, inside, key)

    return sign


def kept_signature(live: Application) -> dict[str, Any]:
    """Return the newest signature as it is stored, read without the application."""
    with closing(sqlite3.connect(live.data_dir / "tracker.sqlite3")) as database:
        database.row_factory = sqlite3.Row
        row = database.execute("SELECT * FROM signature ORDER BY signed_at DESC LIMIT 1").fetchone()
        return dict(row)


def test_a_signatory_sets_up_a_passkey_signs_in_and_signs_with_it(
    live: Application, sign_in: SignIn, new_context: NewContext
) -> None:
    page = new_context().new_page()
    sign_in(page, "otto")
    device = Device.of(page)
    set_up(page, "Laptop")
    expect(page.get_by_text("The passkey Laptop is set up.")).to_be_visible()
    assert len(device.passkeys) == 1
    assert grave_faults(page) == []

    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator(".acting")).to_contain_text("Otto Brandis")

    page.get_by_role("link", name=re.compile("^Sign")).first.click()
    page.get_by_role("link", name="Continue to sign").click()
    expect(page.get_by_role("button", name=SIGN)).to_be_enabled()
    assert grave_faults(page) == []
    address = page.url

    # Nobody unlocks the device: nothing is signed, and the page says so.
    device.verifies(person=False)
    page.get_by_role("button", name=SIGN).click()
    expect(page.get_by_text("No passkey answered")).to_be_visible()
    assert kept_signature(live)["method"] == "demonstration"

    device.verifies(person=True)
    page.get_by_role("button", name=SIGN).click()
    expect(page.get_by_text("You signed.")).to_be_visible()
    expect(page.locator(".signatures")).to_contain_text("Passkey")
    signature = kept_signature(live)
    assert signature["method"] == "passkey"
    proof, digest, sentence = (
        json.loads(signature["proof"]),
        signature["document_digest"],
        signature["sentence"],
    )
    assert sentence.startswith("I, Otto Brandis, ")
    assert assertion.flaw(proof, document_digest=digest, sentence=sentence) is None
    for other in ({"document_digest": "f" * 64, "sentence": sentence}, _sentence(digest)):
        assert assertion.flaw(proof, **other) is assertion.Flaw.OTHER_TEXT
    assert json.loads(assertion.decode(proof["client_data_json"]))["origin"] == live.url
    live.command("audit", "verify")
    page.goto(address)
    expect(page).not_to_have_url(address)
    expect(page.locator(".signatures")).to_contain_text("Passkey")
    expect(page.get_by_role("button", name=SIGN)).to_have_count(0)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def _sentence(digest: str) -> dict[str, str]:
    return {"document_digest": digest, "sentence": "I, somebody else, sign."}


def test_a_copy_of_a_passkey_is_noticed_by_its_count_and_its_person_removes_it(
    live: Application, sign_in: SignIn, new_context: NewContext
) -> None:
    page = new_context(viewport=PHONE).new_page()
    sign_in(page, "henrik")
    elsewhere = new_context(storage_state=page.context.storage_state()).new_page()
    device = Device.of(page)
    set_up(page, "Telephone")
    expect(page.get_by_text("The passkey Telephone is set up.")).to_be_visible()
    # The first session stays open elsewhere.
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator(".acting")).to_contain_text("Henrik Asante")
    assert device.passkeys[0]["signCount"] > 1
    sign_out(page)

    device.counts_from(0)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("its counter went backwards")).to_be_visible()
    expect(page.locator(".acting")).to_have_count(0)
    elsewhere.goto("/account")
    expect(elsewhere.get_by_text("Refused: remove it")).to_be_visible()
    elsewhere.get_by_role("link", name="Telephone", exact=True).click()
    elsewhere.get_by_role("link", name="Remove this passkey").click()
    elsewhere.get_by_role("button", name="Remove the passkey").click()
    expect(elsewhere.get_by_text("The passkey Telephone is removed.")).to_be_visible()


def test_a_passkey_confirms_after_the_password_and_before_something_sensitive(
    live: Application, sign_in: SignIn, new_context: NewContext
) -> None:
    page = new_context().new_page()
    sign_in(page, "samira")
    device = Device.of(page)
    device.verifies(person=False)
    set_up(page, "Key")
    expect(page.get_by_text("No passkey answered")).to_be_visible()
    device.verifies(person=True)
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_text("The passkey Key is set up.")).to_be_visible()
    sign_out(page)
    password = (live.data_dir / "demonstration-password.txt").read_text().strip()
    page.get_by_label("Email address").fill("samira.okell@maravena.example")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter your code")
    assert grave_faults(page) == []
    page.get_by_role("button", name="Use your passkey instead").click()
    expect(page.locator(".acting")).to_contain_text("Samira Okell")
    page.goto("/account/confirm?next=/account/password")
    assert grave_faults(page) == []
    page.get_by_role("button", name="Confirm with your passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change your password")


def test_a_passkey_is_for_the_address_people_type_and_pages_say_so(
    live: Application, browser: Browser
) -> None:
    context = browser.new_context(base_url=live.url.replace("localhost", "127.0.0.1"))
    page = context.new_page()
    page.goto("/sign-in/passkey")
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_text("Passkeys only work at http://localhost")).to_be_visible()
    context.close()


def test_without_scripts_the_pages_say_what_is_needed_and_offer_the_other_way(
    new_context: NewContext,
) -> None:
    page = new_context(java_script_enabled=False, viewport=PHONE).new_page()
    page.goto("/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    page.get_by_role("link", name="Sign in with your password").click()
    expect(page.get_by_label("Password")).to_be_visible()
