"""The pages to which no first link leads, in a browser, as every page is checked."""

import pytest
from flask import Flask

from tests.browser.conftest import NewContext
from tests.browser.demonstration import Visitor
from tests.browser.every_page.crawling import faults_with_scripts, look_without_scripts
from tests.browser.every_page.further_pages import FURTHER, FurtherPage
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
        Visitor(key, signed_in(inside, mark), addresses)
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
