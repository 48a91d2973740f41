"""What people type survives bad connections, ended sessions, other windows and each other.

In one file: all begin at the same item in the browser, and share one server.
"""

import datetime as dt
import re
import time
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.conftest import PATIENCE, NewContext
from tests.browser.instances import StartingPoint
from tests.browser.negotiation import Browsers, Laid, lay
from tracker.core import clock

TITLE = "Police custody"
KEPT = re.compile(r"Saved as a draft at \d\d:\d\d")
WAITING = "Not saved yet. We'll try again."
SIGNED_OUT = "You were signed out. Your text is kept as your draft: sign in to see it again."
ELSEWHERE = re.compile("You wrote something else on this item in another window.")
WORDS = "Both sides meet every month and write down what they settled."
DRAFT = "**/draft"


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[Laid]:
    """An instance on which nobody has written on the terms yet."""
    return lay("begun", [TITLE], ("samira", "dora", "joana"))


@dataclass
class ItemPages:
    """Where people write on an item, each in their own browser."""

    browsers: Browsers
    terms: str
    code: str

    @property
    def address(self) -> str:
        return f"{self.terms}/items/{self.code}/answer"

    def open(self, first: str, **options: Any) -> Page:
        """Return a page on which somebody writes; the test moves their clock."""
        page = self.browsers.page(first, **options)
        if options.get("java_script_enabled", True):
            turn_by_hand(page.context)
        page.goto(self.address)
        return page

    def send(self, page: Page) -> None:
        page.get_by_role("button", name="Save answer").click()

    def save(self, page: Page) -> None:
        """Save the answer."""
        self.send(page)
        self.expect_listed(page)

    def expect_listed(self, page: Page) -> None:
        """Wait for the list of items, which says that the answer is saved."""
        expect(page.get_by_text(re.compile("^“.+” is saved"))).to_be_visible()

    def expect_kept(self, first: str, words: str) -> None:
        """Check in a fresh browser of that person that the draft is there, and isn't an answer."""
        page = self.browsers.page(first)
        page.goto(self.address)
        draft = page.get_by_text("You have a draft")
        until = time.monotonic() + PATIENCE / 1000
        # What a page sends while it is being left may arrive after this one was requested.
        while not draft.is_visible() and time.monotonic() < until:
            page.reload()
        expect(draft).to_be_visible()
        expect(box(page)).to_have_value(words)
        page.context.close()

    def expect_saved(self, words: str) -> None:
        """Check as another party that the text is the answer."""
        page = self.browsers.page("joana")
        page.goto(self.terms)
        expect(page.locator(f"#{self.code.lower()} .answer").first).to_contain_text(words)
        page.context.close()


@pytest.fixture
def item_pages(
    starting_point: StartingPoint[Laid], inside: Flask, new_context: NewContext
) -> ItemPages:
    """An item that begins with a text field in which anybody who negotiates may write."""
    laid = starting_point.value
    return ItemPages(Browsers(laid, inside, new_context), laid.terms[TITLE], "M2")


def turn_by_hand(context: BrowserContext) -> None:
    """Stop the clock of a browser, but keep its real record of how a page was reached."""
    context.add_init_script("window.trueEntries = performance.getEntriesByType.bind(performance)")
    context.clock.install()
    context.clock.pause_at(clock.now() + dt.timedelta(minutes=1))
    context.add_init_script("performance.getEntriesByType = window.trueEntries")


def box(page: Page) -> Locator:
    """Return the first text box of the answer."""
    return page.locator("main textarea").first


def status_line(page: Page) -> Locator:
    """Return the line that shows the draft's state."""
    return page.locator(".draft [role=status]")


def pause(page: Page, seconds: float = 3) -> None:
    """Let time pass, as when somebody stops typing."""
    page.clock.run_for(int(seconds * 1000))


def pause_until_said(page: Page, words: str | re.Pattern[str]) -> None:
    """Let time pass until the line says something."""
    for _second in range(60):
        pause(page, 1)
        try:
            expect(status_line(page)).to_have_text(words, timeout=500)
        except AssertionError:
            continue
        return
    expect(status_line(page)).to_have_text(words)


def go_back(page: Page) -> None:
    """Go back, and wait until the page from before has run its scripts."""
    page.evaluate("window.isLeft = true")
    page.go_back()
    page.wait_for_function("!window.isLeft && document.readyState === 'complete'")


def write(page: Page, words: str) -> None:
    """Type into the first box, and pause."""
    box(page).fill(words)
    pause(page)


def copies(page: Page) -> list[str]:
    """Return what this tab keeps of what was typed, once a page has run its scripts."""
    page.wait_for_load_state("load")
    texts: list[str] = page.evaluate(
        "Object.keys(sessionStorage).filter(key => key.startsWith('draft:'))"
    )
    return texts


# While somebody types


def test_a_draft_is_saved_while_typing_and_deleted_once_the_answer_is_saved(
    item_pages: ItemPages,
) -> None:
    page = item_pages.open("samira")
    requests: list[str] = []
    page.on(
        "request", lambda sent: requests.append(sent.url) if sent.url.endswith("/draft") else None
    )
    expect(status_line(page)).to_be_empty()
    write(page, WORDS)
    expect(status_line(page)).to_have_text(KEPT)
    assert copies(page) == []
    item_pages.expect_kept("samira", WORDS)
    item_pages.save(page)
    item_pages.expect_saved(WORDS)
    page.goto(item_pages.address)
    expect(page.get_by_text("You have a draft")).to_have_count(0)
    # Going back in the browser revives no draft.
    go_back(page)
    go_back(page)
    expect(box(page)).to_be_visible()
    pause(page)
    expect(status_line(page)).to_be_empty()
    page.reload()
    expect(page.get_by_text("You have a draft")).to_have_count(0)
    assert len(requests) == 1


def test_a_draft_is_saved_even_if_the_person_never_pauses(item_pages: ItemPages) -> None:
    page = item_pages.open("samira")
    for second in range(11):
        box(page).press_sequentially(f"{second} ")
        pause(page, 1)
    expect(status_line(page)).to_have_text(KEPT)


def test_a_draft_is_discarded(item_pages: ItemPages) -> None:
    page = item_pages.open("samira")
    write(page, WORDS)
    expect(status_line(page)).to_have_text(KEPT)
    page.get_by_role("button", name="Discard the draft").click()
    expect(page.get_by_text("Your draft is discarded.")).to_be_visible()
    expect(box(page)).to_have_value("")
    assert copies(page) == []


# Bad connections


def test_without_a_line_nothing_is_lost_and_it_is_saved_once_the_line_is_back(
    item_pages: ItemPages,
) -> None:
    page = item_pages.open("samira", bad_line=True)
    page.context.set_offline(True)
    write(page, WORDS)
    expect(status_line(page)).to_have_text(WAITING)
    item_pages.send(page)
    expect(status_line(page)).to_contain_text("You're offline, so this wasn't sent.")
    page.context.set_offline(False)
    pause_until_said(page, KEPT)
    item_pages.save(page)
    assert copies(page) == []


def test_after_an_error_of_the_server_it_tries_again(item_pages: ItemPages) -> None:
    page = item_pages.open("samira", bad_line=True)
    tries: list[str] = []

    def fail_twice(route: Route) -> None:
        tries.append(route.request.method)
        if len(tries) < 3:
            route.fulfill(status=500, content_type="text/html", body="<p>Sorry</p>")
        else:
            route.continue_()

    page.route(DRAFT, fail_twice)
    write(page, WORDS)
    expect(status_line(page)).to_have_text(WAITING)
    # The line says the same after the second try, but screen readers don't announce it again.
    expect(status_line(page)).to_have_attribute("aria-live", "polite")
    pause(page)
    expect(status_line(page)).to_have_attribute("aria-live", "off")
    expect(status_line(page)).to_have_text(WAITING)
    pause(page, 5)
    expect(status_line(page)).to_have_text(KEPT)
    assert len(tries) == 3


def test_on_a_slow_connection_the_page_says_so_and_saves_later_text_too(
    item_pages: ItemPages,
) -> None:
    page = item_pages.open("samira")
    waiting: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if waiting:
            route.continue_()
        waiting.append(route)

    page.route(DRAFT, hold_the_first)
    with page.expect_request(DRAFT):
        write(page, "First words.")
    assert status_line(page).inner_text() == ""
    pause(page)
    expect(status_line(page)).to_have_text("Saving the draft.")
    box(page).fill("First words, and second.")
    waiting[0].continue_()
    expect(status_line(page)).to_have_text(KEPT)
    # The line says the same before and after: what counts is that the second try got a response.
    with page.expect_response(DRAFT):
        pause(page)
    item_pages.expect_kept("samira", "First words, and second.")


def test_a_lost_answer_of_the_server_loses_no_words(item_pages: ItemPages) -> None:
    page = item_pages.open("samira", bad_line=True)

    def keep_and_lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route(DRAFT, keep_and_lose_the_answer)
    write(page, "First words.")
    expect(status_line(page)).to_have_text(WAITING)
    box(page).fill("First words, and second.")
    page.reload()
    expect(box(page)).to_have_value("First words, and second.")
    expect(status_line(page)).to_contain_text("What you typed before is back in the form.")
    page.unroute(DRAFT)
    pause(page)
    expect(status_line(page)).to_have_text(re.compile("is back in the form. Saved as a draft at"))
    item_pages.expect_kept("samira", "First words, and second.")


def test_a_table_comes_back_with_all_its_rows(item_pages: ItemPages) -> None:
    item_pages.code = "M4"
    page = item_pages.open("dora", bad_line=True)
    page.route(DRAFT, lambda route: route.abort())
    for number in range(3):
        if number:
            page.get_by_role("button", name="Add a row").click()
        page.locator("tbody tr").nth(number).locator("textarea").first.fill(f"Row {number}")
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(3)
    values = [cell.input_value() for cell in page.locator("tbody tr td textarea").all()]
    assert {f"Row {number}" for number in range(3)} <= set(values)
    page.unroute(DRAFT)
    pause(page)
    expect(status_line(page)).to_contain_text(KEPT)
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(3)
    assert copies(page) == []


def test_a_window_that_cannot_save_says_so_and_asks_before_it_is_closed(
    item_pages: ItemPages,
) -> None:
    page = item_pages.open("dora", bad_line=True)
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full') } }")
    page.route(DRAFT, lambda route: route.abort())
    box(page).press_sequentially("x")
    pause(page)
    expect(status_line(page)).to_have_text(f"{WAITING} Don't close this page before it is saved.")
    with page.expect_event("dialog") as dialog_info:
        page.close(run_before_unload=True)
    assert dialog_info.value.type == "beforeunload"
    dialog_info.value.dismiss()
    expect(box(page)).to_have_value("x")


def test_a_text_too_long_for_a_draft_is_reported_and_stays_on_the_page(
    item_pages: ItemPages,
) -> None:
    page = item_pages.open("dora")
    write(page, "x" * 200_001)
    expect(status_line(page)).to_have_text("This is too long for a draft.")
    page.reload()
    expect(box(page)).to_have_value("x" * 200_001)


# When a session has ended


def sign_out_unseen(context: BrowserContext) -> None:
    """End the session as time does: without any page knowing."""
    context.clear_cookies()


def test_after_the_session_ended_signing_in_brings_the_words_back(item_pages: ItemPages) -> None:
    page = item_pages.open("samira")
    write(page, "Before it ended.")
    expect(status_line(page)).to_have_text(KEPT)
    sign_out_unseen(page.context)
    write(page, WORDS)
    expect(status_line(page)).to_have_text(SIGNED_OUT)
    assert copies(page) == []
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    item_pages.browsers.sign_in(page, "samira")
    expect(page.get_by_text("You have a draft")).to_be_visible()
    expect(box(page)).to_have_value(WORDS)
    item_pages.save(page)
    item_pages.expect_saved(WORDS)


def test_a_person_who_signed_in_again_in_another_tab_can_continue(item_pages: ItemPages) -> None:
    page = item_pages.open("samira")
    write(page, "Before it ended.")
    expect(status_line(page)).to_have_text(KEPT)
    sign_out_unseen(page.context)
    write(page, "After it ended.")
    expect(status_line(page)).to_have_text(SIGNED_OUT)
    other = page.context.new_page()
    other.goto("/sign-in")
    item_pages.browsers.sign_in(other, "samira")
    box(page).fill(WORDS)
    pause_until_said(page, KEPT)
    item_pages.save(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_text_sent_after_the_session_ended_is_in_the_form_after_signing_in(
    item_pages: ItemPages, *, scripts: bool
) -> None:
    page = item_pages.open("samira", java_script_enabled=scripts)
    box(page).fill(WORDS)
    sign_out_unseen(page.context)
    item_pages.send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Your session ended before this was sent"
    )
    expect(page.get_by_role("main")).not_to_contain_text(WORDS)
    page.get_by_role("link", name="Sign in again").click()
    item_pages.browsers.sign_in(page, "samira")
    expect(box(page)).to_have_value(WORDS)
    item_pages.save(page)
    item_pages.expect_saved(WORDS)


# Two people at once


def conflict_page(item_pages: ItemPages, by: str) -> Page:
    """Have two people write on one item at the same time; return the page of the later one."""
    first, later = item_pages.open("dora"), item_pages.open(by)
    box(first).fill("The head replies within ten days.")
    write(later, "The head replies within seven days.")
    expect(status_line(later)).to_have_text(KEPT)
    item_pages.save(first)
    item_pages.send(later)
    expect(later.get_by_role("alert")).to_contain_text("Dora Lund saved another value")
    both = later.locator(".conflict > .answer")
    expect(both.nth(0)).to_contain_text("within seven days")
    expect(both.nth(1)).to_contain_text("within ten days")
    expect(later.locator("main del")).to_contain_text("ten")
    expect(later.locator("main ins")).to_contain_text("seven")
    return later


def test_the_later_of_two_simultaneous_editors_can_overwrite(item_pages: ItemPages) -> None:
    page = conflict_page(item_pages, "samira")
    page.get_by_role("button", name="Save mine over it").click()
    item_pages.expect_listed(page)
    item_pages.expect_saved("within seven days")


def test_the_later_of_two_simultaneous_editors_can_keep_the_saved_text(
    item_pages: ItemPages,
) -> None:
    page = conflict_page(item_pages, "samira")
    pause(page)
    expect(status_line(page)).to_have_text(KEPT)
    page.get_by_role("link", name="Keep the saved version").click()
    expect(page).to_have_url(re.compile(f"{item_pages.terms}(#.*)?$"))
    item_pages.expect_saved("within ten days")
    # The person's own text isn't lost either: both are shown again when the page is opened.
    page.goto(item_pages.address)
    expect(page.get_by_role("alert")).to_contain_text("Dora Lund saved another value")
    expect(box(page)).to_have_value("The head replies within seven days.")


def test_the_later_of_two_simultaneous_editors_can_change_their_text_by_keyboard_alone(
    item_pages: ItemPages,
) -> None:
    page = conflict_page(item_pages, "samira")
    press_to(page, page.get_by_role("link", name="Change mine first"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#own-words$"))
    press_to(page, box(page))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("The head replies within nine days.")
    press_to(page, page.get_by_role("button", name="Save answer"))
    page.keyboard.press("Enter")
    item_pages.expect_listed(page)
    item_pages.expect_saved("within nine days")


def test_the_later_one_of_another_party_sees_both_and_proposes(item_pages: ItemPages) -> None:
    page = conflict_page(item_pages, "joana")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Suggest a change to “")
    page.get_by_role("link", name="Suggest mine, with the reason").click()
    expect(page).to_have_url(re.compile("#.*reason"))
    page.get_by_label("Reason for the change").fill("A week is enough.")
    page.get_by_role("button", name="Send the suggestion").click()
    sent = "The other parties can now see your suggestion for"
    expect(page.get_by_text(sent)).to_be_visible()
    expect(page.locator(f"#{item_pages.code.lower()} ins").first).to_contain_text("seven")
    item_pages.expect_saved("within ten days")


def press_to(page: Page, wanted: Locator) -> None:
    """Press the tab key until something has the focus."""
    for _step in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"The tab key does not lead to {wanted}.")


# Two windows of one person


def test_text_from_another_window_is_not_silently_overwritten(item_pages: ItemPages) -> None:
    page = item_pages.open("joana")
    other = page.context.new_page()
    other.goto(item_pages.address)
    write(other, "Of the other window.")
    expect(status_line(other)).to_have_text(KEPT)
    other.close()
    write(page, "Of this window.")
    expect(status_line(page)).to_have_text(ELSEWHERE)
    item_pages.expect_kept("joana", "Of the other window.")
    # Nor by opening the page again.
    page.reload()
    expect(box(page)).to_have_value("Of this window.")
    expect(status_line(page)).to_contain_text(ELSEWHERE)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="See the other text in a new window").click()
    expect(box(opened.value)).to_have_value("Of the other window.")
    page.get_by_role("button", name="Keep the text on this page").click()
    pause(page)
    expect(status_line(page)).to_contain_text(KEPT)
    item_pages.expect_kept("joana", "Of this window.")


def test_saving_in_one_window_leaves_what_was_written_since_in_another(
    item_pages: ItemPages,
) -> None:
    page = item_pages.open("joana")
    other = page.context.new_page()
    other.goto(item_pages.address)
    write(other, "Of the other window.")
    expect(status_line(other)).to_have_text(KEPT)
    other.close()
    box(page).fill("Of this window.")
    item_pages.save(page)
    item_pages.expect_saved("Of this window.")
    page.goto(item_pages.address)
    expect(page.get_by_text("You have a draft")).to_be_visible()
    expect(box(page)).to_have_value("Of the other window.")
    expect(page.locator("main del").first).to_contain_text("this")


# Nobody else


def test_the_next_person_in_the_same_tab_sees_nothing_of_the_previous_one(
    item_pages: ItemPages,
) -> None:
    page = item_pages.open("dora", bad_line=True)
    page.route(DRAFT, lambda route: route.abort())
    write(page, WORDS)
    expect(status_line(page)).to_have_text(WAITING)
    assert copies(page) != []
    sign_out_unseen(page.context)
    page.goto("/sign-in")
    item_pages.browsers.sign_in(page, "samira")
    page.goto(item_pages.address)
    expect(box(page)).to_have_value("")
    assert copies(page) == []
    for _page in range(3):
        go_back(page)
        assert WORDS not in page.locator("body").inner_text()
        assert WORDS not in [area.input_value() for area in page.locator("textarea").all()]


def test_signing_out_leaves_no_words_in_any_tab_but_keeps_the_draft(item_pages: ItemPages) -> None:
    page = item_pages.open("dora")
    box(page).fill(WORDS)
    assert copies(page) != []
    other = page.context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.wait_for_function("Object.keys(sessionStorage).every(key => !key.startsWith('draft:'))")
    pause(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert copies(page) == []
    go_back(page)
    assert WORDS not in page.content()
    item_pages.expect_kept("dora", WORDS)


def test_signing_out_on_the_very_page_keeps_the_draft_too(item_pages: ItemPages) -> None:
    page = item_pages.open("dora")
    box(page).fill(WORDS)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert copies(page) == []
    item_pages.expect_kept("dora", WORDS)


def test_a_browser_offers_nobody_what_was_typed_into_short_fields(item_pages: ItemPages) -> None:
    page = item_pages.open("dora")
    assert page.locator("main form").first.get_attribute("autocomplete") == "off"
