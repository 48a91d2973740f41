"""Every component in a browser: rows with and without scripts, narrow, dark, right to left."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from tests.browser.accessibility import grave_faults
from tests.browser.conftest import NewContext
from tests.factories.ui import make_page_frame, person
from tests.servers.ports import free_port

SAVE = "form[aria-label=Sample] .actions button"
ADD = "button[name=add_row][value=costs]"
ROWS = "#costs tbody tr"
FITS = "document.documentElement.scrollWidth <= innerWidth"


@dataclass
class Served:
    """The URL at which the frame is served."""

    url: str


@pytest.fixture(scope="module")
def live() -> Iterator[Served]:
    """Only the frame, instead of the whole application."""
    frame = make_page_frame()
    frame.actor = person()
    server = make_server("127.0.0.1", free_port(), frame.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Served(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


def gallery(new_context: NewContext, **options: Any) -> Page:
    page = new_context(**options).new_page()
    page.goto("/gallery")
    return page


@pytest.mark.parametrize("scripts", [True, False])
def test_a_row_is_added_and_removed_and_nothing_typed_is_lost(
    new_context: NewContext, scripts: bool
) -> None:
    page = gallery(new_context, java_script_enabled=scripts)
    page.fill("#title", "Joint work")
    page.fill("#costs-0-cost", "Travel")
    page.click(ADD)
    expect(page.locator(ROWS)).to_have_count(2)
    page.fill("#costs-1-rule", "Refunded within 30 days")
    page.click("button[name=remove_row][value=costs-0]")
    expect(page.locator(ROWS)).to_have_count(1)
    assert page.input_value("#costs-0-rule") == "Refunded within 30 days"
    assert page.input_value("#title") == "Joint work"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_new_row_has_the_focus(new_context: NewContext, scripts: bool) -> None:
    page = gallery(new_context, java_script_enabled=scripts)
    page.click(ADD)
    page.locator("#costs-1-cost:focus").wait_for()


def test_the_enter_key_sends_the_form_and_adds_no_row(new_context: NewContext) -> None:
    page = gallery(new_context)
    page.fill("#title", "Joint work")
    page.press("#title", "Enter")
    page.locator(".error-summary").wait_for()
    assert page.locator(ROWS).count() == 1


def test_a_form_is_sent_once_until_three_seconds_have_passed(new_context: NewContext) -> None:
    page = new_context().new_page()
    page.clock.install()
    page.goto("/gallery")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    # As a form that brings a file: its page stays.
    page.route("**", lambda route: route.fulfill(status=204))
    for expected in (1, 2):
        with page.expect_request("**"):
            page.click(SAVE, no_wait_after=True)
            page.locator("form[data-is-sent]").wait_for()
            page.click(SAVE, no_wait_after=True)
        page.clock.run_for(3000)
        page.locator("form[aria-label=Sample]:not([data-is-sent])").wait_for()
        assert len(sent) == expected


def test_problems_have_the_focus_and_lead_to_their_fields(new_context: NewContext) -> None:
    page = gallery(new_context)
    page.click(SAVE)
    page.locator(".error-summary:focus").wait_for()
    assert page.title().startswith("Problem: ")
    page.click(".error-summary a[href='#days']")
    page.locator("#days:focus").wait_for()
    assert page.get_attribute("#days", "aria-describedby") == "days-error days-unit"
    page.click(".error-summary a[href='#sensitive-0']")
    page.locator("#sensitive-0:focus").wait_for()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"color_scheme": "dark"},
        {"viewport": {"width": 320, "height": 640}},
        {"locale": "ar"},
        {"forced_colors": "active"},
    ],
)
def test_axe_finds_nothing_grave_and_no_page_scrolls_sideways(
    new_context: NewContext, options: dict[str, Any]
) -> None:
    page = gallery(new_context, **options)
    expect_well_made(page)
    page.click(SAVE)
    page.locator(".error-summary").wait_for()
    expect_well_made(page)


def expect_well_made(page: Page) -> None:
    """Check that axe finds nothing on a page, and that it doesn't scroll sideways."""
    assert grave_faults(page) == []
    assert page.evaluate(FITS)


def test_printed_pages_are_without_menus_and_fit_the_paper(new_context: NewContext) -> None:
    page = gallery(new_context, viewport={"width": 660, "height": 900})
    page.emulate_media(media="print")
    for part in (".nav", ".acting", ".foot", ".crumbs", "form", ".button"):
        assert not page.locator(part).first.is_visible()
    assert page.locator("h1").is_visible()
    # Of a long list, that the paper shows only a part.
    assert page.locator(".paging p").first.is_visible()
    assert not page.locator(".paging ul").first.is_visible()
    assert page.evaluate(FITS)


def test_what_only_paper_says_is_not_on_the_screen(new_context: NewContext) -> None:
    page = gallery(new_context)
    page.locator("h1").evaluate("h1 => h1.className = 'only-print'")
    note = page.locator(".only-print")
    assert not note.is_visible()
    page.emulate_media(media="print")
    assert note.is_visible()
