"""The pages to which no first link leads, in a browser, as every page is checked."""

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.accessibility import grave_faults
from tests.browser.conftest import PHONE, NewContext
from tests.browser.demonstration import Visitor, give_password, sign_in
from tests.browser.every_page.crawling import FITS, faults_with_scripts, look_without_scripts
from tests.browser.every_page.further_pages import (
    FURTHER,
    FurtherPage,
    after_a_proof,
)
from tests.browser.instances import StartingPoint, signed_in
from tests.servers.application import Application


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[list[FurtherPage]]:
    """The demonstration, with more begun in it."""
    return FURTHER


@pytest.fixture(scope="module")
def visitors(
    application: Application, inside: Flask, starting_point: StartingPoint[list[FurtherPage]]
) -> list[Visitor]:
    """The people who open these pages."""
    pages = starting_point.value
    by_person = {(page.key, page.mark): dict[str, str]() for page in pages}
    for page in pages:
        by_person[page.key, page.mark][page.address] = page.address
    return [
        Visitor(
            key or "a stranger",
            signed_in(inside, mark) if mark else None,
            addresses,
        )
        for (key, mark), addresses in by_person.items()
    ]


def test_axe_finds_nothing_grave_targets_are_large_enough_and_no_page_scrolls_sideways(
    visitors: list[Visitor], new_context: NewContext
) -> None:
    assert faults_with_scripts(visitors, new_context) == []


def test_they_work_without_scripts_on_a_narrow_screen_in_a_right_to_left_language(
    visitors: list[Visitor], new_context: NewContext
) -> None:
    assert look_without_scripts(visitors, new_context) > 20


def test_pages_that_need_a_password_or_a_fresh_proof_have_no_grave_faults_either(
    application: Application, inside: Flask, new_context: NewContext
) -> None:
    page = new_context(viewport=PHONE).new_page()
    give_password(page, application, "dina")
    faults = faults_on_a_phone(page)
    page.get_by_role("link", name="Don't have your phone?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter a recovery code")
    faults += faults_on_a_phone(page)
    sign_in(page, application, inside, "dina")
    for address in after_a_proof(inside):
        page.goto(address)
        assert page.url.endswith(address)
        faults += faults_on_a_phone(page)
    assert faults == []


def faults_on_a_phone(page: Page) -> list[str]:
    """Return what axe finds, targets that are too small, and whether the page scrolls sideways."""
    return [*grave_faults(page), *(() if page.evaluate(FITS, "ltr") else ["too wide"])]
