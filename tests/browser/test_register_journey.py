"""A manager finds an agreement, reads its history and exports the register; an auditor too."""

import csv
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.demonstration import DEMONSTRATION, FirstStart
from tests.browser.instances import StartingPoint

PLACE = "Lower Harbour"
# What only listed people, or the person and the deciders, may read: place, interests, roles.
RESTRICTED = (PLACE, "emergency ward", "two cases from the police station", "Letter of access 0")


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[FirstStart]:
    """The demonstration."""
    return DEMONSTRATION


def _export(page: Page) -> list[list[str]]:
    with page.expect_download() as download_info:
        page.get_by_role("button", name="Export as CSV").click()
    text = download_info.value.path().read_text(encoding="utf-8-sig")
    return list(csv.reader(text.splitlines()))


@pytest.mark.parametrize("key", ["milan", "greta"])
def test_the_register_shows_statuses_signatures_and_history_and_nothing_about_visits(
    state_of: Callable[[str], Any], new_context: NewContext, key: str
) -> None:
    page = new_context(storage_state=state_of(key), accept_downloads=True).new_page()
    page.goto("/")
    page.get_by_role("link", name="Register").first.click()
    page.get_by_label("Title, party or reference").fill("police custody")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"[?&]q=police"))
    table = page.get_by_role("table")
    expect(table).to_contain_text("In force")
    rows = _export(page)
    assert len(rows) == 1 + table.locator("tbody tr").count()
    assert all("police custody" in row[1] for row in rows[1:])
    page.get_by_role("link", name=re.compile("police custody ?, Agreed terms")).click()
    expect(page.get_by_role("heading", name="Revisions and signatures")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Tomas Beridan")
    expect(page.locator("main")).to_contain_text("was sent for signature")
    page.get_by_role("link", name="Revision 1").click()
    expect(page.get_by_role("heading", name="Signatures", exact=True)).to_be_visible()


def test_an_auditor_reaches_nothing_restricted_by_any_link(
    state_of: Callable[[str], Any], new_context: NewContext
) -> None:
    page = new_context(storage_state=state_of("greta")).new_page()
    waiting, seen = ["/", "/register", "/cooperations"], set[str]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = page.request.get(address)
        text = answer.text()
        assert not [words for words in RESTRICTED if words in text], address
        if answer.headers.get("content-type", "").startswith("text/html"):
            waiting += [
                link.replace("&amp;", "&").split("#")[0]
                for link in re.findall(r'href="(/[^"]*)"', text)
                if not link.startswith(("/static", "/guidance", "/checklists/templates"))
            ]
    assert len(seen) > len(RESTRICTED)
