"""Every page that links lead to, in a browser: axe, narrow and from right to left, no scripts."""

import gzip
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.accessibility import grave_faults
from tests.browser.conftest import PHONE, NewContext
from tests.browser.demonstration import HUBS, Visitor, pages_of
from tests.servers.application import Application
from tracker.core.security import CONTENT_SECURITY_POLICY

# Whose eyes are used, in this order; each looks at the pages that nobody
# before could see, and at those that look different to each.
VISITORS = (None, "ilena", "tomas", "dina", "otto", "milan", "samira", "leyla", "greta", "iris")
NARROW = {"width": 320, "height": 640}
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
FIRST_PAGE = 60 * 1024


@pytest.fixture(scope="module")
def live(demonstrated: Application) -> Application:
    """The application with its demonstration."""
    return demonstrated


@pytest.fixture(scope="module")
def visitors(
    browser: Browser, live: Application, inside: Flask, state_of: Callable[[str], Any]
) -> list[Visitor]:
    """People signed in, each with the pages that those before do not see."""
    urls = inside.url_map.bind("localhost")
    known: set[str] = set()
    found = []
    for key in VISITORS:
        state = state_of(key) if key else None
        pages = pages_of(browser, live, urls, state, "/" if key else "/guidance")
        new = {name: where for name, where in pages.items() if name not in known or name in HUBS}
        known |= set(new)
        found.append(Visitor(key or "a stranger", state, new))
    assert len(known) > 40
    return found


def every_page(
    visitors: list[Visitor], new_context: NewContext, **options: object
) -> Iterator[tuple[Page, str]]:
    """Yield a browser's page at each address in turn."""
    for visitor in visitors:
        context = new_context(storage_state=visitor.state, **options)
        page = context.new_page()
        for address in visitor.addresses.values():
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == 200, address
            yield page, f"{address}, as {visitor.key}"
        context.close()


def test_axe_finds_nothing_grave_on_any_page(
    visitors: list[Visitor], new_context: NewContext
) -> None:
    found = [fault for page, _ in every_page(visitors, new_context) for fault in grave_faults(page)]
    assert found == []


def test_no_page_scrolls_sideways_on_a_narrow_screen_from_right_to_left(
    visitors: list[Visitor], live: Application, new_context: NewContext
) -> None:
    wide = []
    for visitor in visitors:
        context = new_context(storage_state=visitor.state, viewport=NARROW)
        context.add_cookies([{"name": "language", "value": "ar", "url": live.url}])
        page = context.new_page()
        for address in visitor.addresses.values():
            page.goto(address)
            assert page.locator("html").get_attribute("dir") == "rtl", address
            if not page.evaluate(FITS):
                wide.append(f"{address}, as {visitor.key}")
        context.close()
    assert wide == []


def test_every_page_stands_without_scripts(
    visitors: list[Visitor], new_context: NewContext
) -> None:
    looked = 0
    for page, where in every_page(visitors, new_context, java_script_enabled=False, viewport=PHONE):
        expect(page.locator("h1"), where).to_be_visible()
        expect(page.locator("main"), where).not_to_be_empty()
        # What only a script could open would be lost here.
        assert page.locator("main [hidden]:not(script)").count() == 0, where
        looked += 1
    assert looked > 40


def test_the_first_page_is_light_and_its_policy_strict(new_context: NewContext) -> None:
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page = new_context().new_page()
    page.on("response", note)
    page.goto("/")
    page.wait_for_load_state("networkidle")
    assert len(answers) > 5
    bodies = {answer.url: answer.body() for answer in answers if answer.status == 200}
    assert sum(len(gzip.compress(body)) for body in bodies.values()) <= FIRST_PAGE
    assert {answer.headers["content-security-policy"] for answer in answers} == {
        CONTENT_SECURITY_POLICY
    }
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")
