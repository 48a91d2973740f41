"""Every linked page in a browser: axe, narrow screens, right to left, no scripts, memory."""

import gzip
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Response, ViewportSize, expect

from tests.browser.accessibility import add_axe, grave_faults
from tests.browser.conftest import PHONE, WIDE, NewContext
from tests.browser.demonstration import FEW, HUBS, Visitor, pages_of
from tests.browser.every_page.further_pages import FURTHER, FurtherPage
from tests.browser.every_page.targets import small_targets
from tests.browser.instances import StartingPoint, signed_in
from tests.effort import is_long
from tests.servers.application import Application
from tracker.core.security import CONTENT_SECURITY_POLICY

# The people who look, in this order; each opens the pages that nobody before could see, and those
# that look different to each.
VISITORS = (None, "ilena", "tomas", "dina", "otto", "milan", "samira", "leyla", "greta", "iris")
# The people who open the hubs again in the short form: one of each kind of person for whom they
# differ.
AT_HUBS = ("ilena", "samira", "leyla", "greta")
NARROW: ViewportSize = {"width": 320, "height": 640}
FITS = """(side) => {
    const { documentElement: all } = document;
    all.dir = side;
    return all.scrollWidth <= all.clientWidth;
}"""
# The links in rows that a click in their middle doesn't reach, since another one is on top.
COVERED = """() => [...document.querySelectorAll(".tasks a, .tasks button")].filter((link) => {
    if (!link.checkVisibility()) return false;
    link.scrollIntoView({ block: "center", behavior: "instant" });
    const { x, y, width, height } = link.getClientRects()[0];
    return !link.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}).map((link) => link.textContent.trim())"""
# The wide tables that take the focus although they fit, or don't although they have to be scrolled.
FOCUSED = """() => [...document.querySelectorAll(".scroll")]
    .filter((place) => place.checkVisibility())
    .filter((place) => place.matches("[tabindex]") !== place.scrollWidth > place.clientWidth)
    .map((place) => place.textContent.trim().slice(0, 40))"""
FIRST_PAGE = 60 * 1024
# In megabytes, for a web process after ten people opened every page; test_memory has a lower limit
# and explains it.
MOST_MEMORY = 200


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[list[FurtherPage]]:
    """The demonstration, with more begun in it."""
    return FURTHER


@pytest.fixture(scope="module")
def visitors(
    browser: Browser,
    application: Application,
    inside: Flask,
    state_of: Callable[[str], Any],
    starting_point: StartingPoint[list[FurtherPage]],
) -> list[Visitor]:
    """People signed in, each with the pages that those before them don't see, and further ones."""
    urls = inside.url_map.bind("localhost")
    known: set[str] = set()
    visitors_so_far = []
    for key in VISITORS:
        state = state_of(key) if key else None
        start = "/" if key else "/guidance"
        pages = pages_of(
            browser, application, urls, state, start, few=FEW if is_long() else FEW - 1
        )
        again = HUBS if is_long() or key in AT_HUBS else set()
        new = {name: where for name, where in pages.items() if name not in known or name in again}
        known |= set(new)
        visitors_so_far.append(Visitor(key or "a stranger", state, new))
    assert len(known) > 40
    return visitors_so_far + further_visitors(inside, starting_point.value)


def further_visitors(inside: Flask, pages: list[FurtherPage]) -> list[Visitor]:
    """Return the people who open the pages to which no first link leads."""
    by_person = {(page.key, page.mark): dict[str, str]() for page in pages}
    for page in pages:
        by_person[page.key, page.mark][page.address] = page.address
    return [
        Visitor(key, signed_in(inside, mark), addresses)
        for (key, mark), addresses in by_person.items()
    ]


def every_page(
    visitors: list[Visitor], new_context: NewContext, *, language: str = "en", **options: Any
) -> Iterator[tuple[Page, str]]:
    """Yield a browser's page at each address in turn."""
    for visitor in visitors:
        context = new_context(storage_state=visitor.state, **options)
        context.add_cookies(
            [{"name": "language", "value": language, "domain": "localhost", "path": "/"}]
        )
        page = context.new_page()
        for address in visitor.addresses.values():
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == 200, address
            yield page, f"{address}, as {visitor.key}"
        context.close()


def test_axe_finds_nothing_grave_targets_are_large_enough_and_no_page_scrolls_sideways(
    visitors: list[Visitor], new_context: NewContext
) -> None:
    def with_axe(**options: Any) -> BrowserContext:
        context = new_context(**options)
        add_axe(context)
        return context

    faults, covered, focused, wide = [], [], [], []
    for page, where in every_page(visitors, with_axe):
        faults += grave_faults(page)
        covered += [f"{where}: {words}" for words in page.evaluate(COVERED)]
        focused += [f"{where}: {words}" for words in page.evaluate(FOCUSED)]
        page.set_viewport_size(PHONE)
        faults += small_targets(page)
        page.set_viewport_size(NARROW)
        wide += [f"{where}, {side}" for side in ("ltr", "rtl") if not page.evaluate(FITS, side)]
        page.set_viewport_size(WIDE)
    assert faults == []
    assert covered == []
    assert focused == []
    assert wide == []


def test_every_page_works_without_scripts_on_a_narrow_screen_in_a_right_to_left_language(
    visitors: list[Visitor], new_context: NewContext
) -> None:
    looked, wide = 0, []
    pages = every_page(
        visitors, new_context, language="ar", java_script_enabled=False, viewport=NARROW
    )
    for page, where in pages:
        assert page.locator("html").get_attribute("dir") == "rtl", where
        expect(page.locator("h1"), where).to_be_visible()
        expect(page.locator("main"), where).not_to_be_empty()
        # What only a script could open would be missing here.
        assert page.locator("main [hidden]:not(script)").count() == 0, where
        if not page.evaluate(FITS, "rtl"):
            wide.append(where)
        looked += 1
    assert looked > 40
    assert wide == []


def test_the_first_page_is_light_and_its_policy_strict(new_context: NewContext) -> None:
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page = new_context().new_page()
    page.on("response", note)
    # It has loaded once everything it refers to is there.
    page.goto("/")
    assert len(answers) > 5
    bodies = {answer.url: answer.body() for answer in answers if answer.status == 200}
    assert sum(len(gzip.compress(body)) for body in bodies.values()) <= FIRST_PAGE
    assert {answer.headers["content-security-policy"] for answer in answers} == {
        CONTENT_SECURITY_POLICY
    }
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much a process takes")
@pytest.mark.usefixtures("visitors")
def test_the_web_process_stays_small_after_every_page(application: Application) -> None:
    [taken] = application.memory()
    assert 50 < taken < MOST_MEMORY, f"{taken:.0f} MB"
