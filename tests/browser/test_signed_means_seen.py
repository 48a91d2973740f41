"""A text is called back and sent again while somebody is about to sign it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser import demonstration
from tests.browser.accessibility import grave_faults
from tests.browser.conftest import NewContext
from tests.browser.demonstration import DEMONSTRATION, FirstStart, code_of
from tests.browser.devices import Device, set_up
from tests.browser.instances import StartingPoint
from tests.browser.test_passkeys import kept_signature
from tests.servers.application import Application

WITH_PASSKEY = re.compile(r"^Sign for Lantern Health Network, with a passkey$")
OTHER_WORDS = "Findings stay unpublished."
WITH_CODE = "Sign for Lantern Health Network"


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[FirstStart]:
    """The demonstration."""
    return DEMONSTRATION


@pytest.mark.parametrize("way", ["password", "passkey"])
def test_a_text_that_was_sent_again_must_be_read_again_before_it_is_signed(
    live: Application,
    inside: Flask,
    new_context: NewContext,
    state_of: Callable[[str], Any],
    way: str,
) -> None:
    device = None
    if way == "passkey":
        signatory = new_context().new_page()
        demonstration.sign_in(signatory, live, inside, "otto")
        device = Device.of(signatory)
        set_up(signatory, "Laptop")
        expect(signatory.get_by_text("The passkey Laptop is set up.")).to_be_visible()
    else:
        # Not through the form, whose code couldn't be used again immediately.
        signatory = new_context(storage_state=state_of("otto")).new_page()
    signatory.goto("/")
    signatory.get_by_role("link", name=re.compile("^Sign")).first.click()
    terms = signatory.url.split("/sign")[0]
    signatory.get_by_role("link", name="Continue to sign").click()
    expect(signatory.get_by_role("heading", level=1)).to_contain_text("Sign: ")

    _send_again(new_context(storage_state=state_of("ilena")).new_page(), terms)

    def sign() -> None:
        if device is not None:
            signatory.get_by_role("button", name=WITH_PASSKEY).click()
            return
        password = (live.data_dir / "demonstration-password.txt").read_text().strip()
        signatory.get_by_label("Password").fill(password)
        signatory.get_by_label("Six-digit code").fill(code_of(inside, "otto"))
        signatory.get_by_role("button", name=WITH_CODE, exact=True).click()

    sign()
    expect(signatory.get_by_role("heading", level=1)).to_have_text("Read and check")
    expect(signatory.get_by_text("The text changed after you opened it")).to_be_visible()
    expect(
        signatory.get_by_role("heading", name="What changed since you opened revision 1")
    ).to_be_visible()
    changed = signatory.get_by_role("region", name="What changed since you opened revision 1")
    expect(changed.get_by_text("Purpose of the cooperation", exact=True)).to_be_visible()
    expect(changed.locator("ins", has_text=OTHER_WORDS)).to_be_visible()
    assert grave_faults(signatory) == []
    assert kept_signature(live)["method"] == "demonstration"

    signatory.get_by_role("link", name="Continue to sign").click()
    sign()
    expect(signatory.get_by_text("You signed.")).to_be_visible()
    assert kept_signature(live)["method"] != "demonstration"


def _send_again(page: Page, terms: str) -> None:
    """Call the text back, change what only one side writes, and send it again."""
    page.goto(f"{terms}/call-back")
    page.get_by_label("Reason").fill("One word is wrong.")
    page.get_by_role("button", name="Call back").click()
    expect(page.get_by_text("The text is called back")).to_be_visible()
    cooperation = page.locator("nav a[href^='/cooperations/C-']").first.get_attribute("href")
    page.goto(f"{cooperation}/head")
    purpose = page.get_by_label("Purpose")
    purpose.fill(f"{purpose.input_value()} {OTHER_WORDS}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto(f"{terms}/send")
    for group in page.locator("main form fieldset:has(input[type=radio])").all():
        group.locator("input[type=radio]").first.check()
    page.get_by_role("button", name="Send for signature").click()
    expect(page.get_by_text("The text is frozen and sent.")).to_be_visible()
