"""Every linked page in a browser: axe, narrow screens, right to left, no scripts, memory."""

import gzip
import sys
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Response

from tests.browser.conftest import NewContext
from tests.browser.demonstration import DEMONSTRATION, FEW, HUBS, FirstStart, Visitor, pages_of
from tests.browser.every_page.crawling import faults_with_scripts, look_without_scripts
from tests.browser.every_page.further_pages import AFTER_A_PROOF, FURTHER
from tests.browser.every_page.left_out import LEFT_OUT
from tests.browser.instances import StartingPoint
from tests.effort import is_long
from tests.servers.application import Application
from tracker.core.security import CONTENT_SECURITY_POLICY

# The people who look, in this order; each opens the pages that nobody before could see, and those
# that look different to each.
VISITORS = (None, "ilena", "tomas", "dina", "otto", "milan", "samira", "leyla", "greta", "iris")
# The people who open the hubs again in the short form: one of each kind of person for whom they
# differ.
AT_HUBS = ("ilena", "samira", "leyla", "greta")
FIRST_PAGE = 60 * 1024
# In megabytes, for a web process after ten people opened every page; test_memory has a lower limit
# and explains it.
MOST_MEMORY = 200


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[FirstStart]:
    """The demonstration."""
    return DEMONSTRATION


@pytest.fixture(scope="module")
def visitors(
    browser: Browser, application: Application, inside: Flask, state_of: Callable[[str], Any]
) -> list[Visitor]:
    """People signed in, each with the pages that those before them don't see."""
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
    return visitors_so_far


def test_axe_finds_nothing_grave_targets_are_large_enough_and_no_page_scrolls_sideways(
    visitors: list[Visitor], new_context: NewContext
) -> None:
    assert faults_with_scripts(visitors, new_context) == []


def test_every_page_works_without_scripts_on_a_narrow_screen_in_a_right_to_left_language(
    visitors: list[Visitor], new_context: NewContext
) -> None:
    assert look_without_scripts(visitors, new_context) > 40


def test_every_page_is_opened_by_this_crawl_or_among_the_further_pages_or_left_out_for_a_reason(
    visitors: list[Visitor], inside: Flask
) -> None:
    rules = inside.url_map.iter_rules()
    pages = {rule.endpoint for rule in rules if "GET" in (rule.methods or set())}
    linked = {endpoint for visitor in visitors for endpoint in visitor.addresses}
    further = {page.endpoint for page in FURTHER.value} | AFTER_A_PROOF
    assert pages - linked - further == set(LEFT_OUT)


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
