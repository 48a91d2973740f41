"""The pages on which somebody's signature is taken, on paper or on a coordinator's device."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.client import CheckedClient
from tests.factories import undertakings_taken
from tests.factories.undertakings import Clearing
from tests.factories.undertakings_on_paper import DRIVER
from tests.factories.undertakings_taken import OTHER, TAKER, WAYS, address, take
from tests.pages import Page
from tracker.core import clock
from tracker.core.db import db
from tracker.undertakings import queries
from tracker.undertakings import service as undertakings

Browser = Callable[[str], CheckedClient]


@pytest.fixture
def driver(app: Flask, clearing: Clearing) -> Clearing:
    """The cooperation with a driver who has no account, and a coordinator who also signs."""
    return undertakings_taken.with_driver(app, clearing)


@pytest.fixture
def browser(app: Flask, driver: Clearing) -> Browser:
    return lambda key: driver.browser(app, key)


def fill_in(driver: Clearing, client: CheckedClient) -> Page:
    """Fill in page 1 on the taker's device and return page 2."""
    where = address(driver, "/here")
    form = client.page(where).form()
    questions = queries.questions_of(queries.load(driver.undertaking(DRIVER)))
    confirmed = {point.name: "y" for point in questions.points}
    today = clock.today().isoformat()
    values = {"briefed": "y", "briefed_on": today, "has_interests": "none", **confirmed}
    sent = client.post(where, data=form.filled_in(**values))
    assert sent.status_code == 303
    return client.page(f"{where}/sign")


def test_the_page_that_signs_says_to_the_coordinator_what_they_leave_to_others(
    driver: Clearing, browser: Browser
) -> None:
    page = fill_in(driver, browser(TAKER))
    assert "Milan Osterin can then decide and countersign." in page.text
    person, coordinator = page.text.index("Bruno Keel signs"), page.text.index("You confirm who")
    assert person < coordinator < page.text.index("Milan Osterin can then decide")


def test_on_a_coordinators_device_their_part_has_its_own_heading(
    driver: Clearing, browser: Browser
) -> None:
    text = browser(TAKER).page(address(driver, "/here")).text
    order = [
        "For the coordinator: before you hand over this device",
        "Milan Osterin can then decide and countersign.",
        "Give the device to Bruno Keel.",
        "Why you are asked",
        "may enter any place of deprivation of liberty",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_names_are_isolated_from_the_direction_of_the_words_around_them(
    driver: Clearing, browser: Browser
) -> None:
    html = browser(TAKER).get(address(driver, "/here")).text
    assert "<bdi>Milan Osterin</bdi> can then decide and countersign." in html


@pytest.mark.parametrize("way", WAYS)
def test_the_npm_reads_how_somebody_without_an_account_withdraws_or_adds(
    driver: Clearing, browser: Browser, way: str
) -> None:
    words = "This person has no account."
    client = browser(OTHER)
    assert words not in client.page(address(driver)).text
    take(driver, way)
    driver.countersign(DRIVER, by=OTHER)
    db.session.commit()
    page = client.page(address(driver))
    assert words in page.text
    assert "If they want to withdraw, close this undertaking." in page.text
    assert address(driver, "/interests/new") in page.addresses()
    undertakings.withdraw_clearance(
        driver.actor(OTHER), driver.undertaking(DRIVER).id, "They left."
    )
    db.session.commit()
    assert words not in client.page(address(driver)).text


def test_whoever_has_an_account_withdraws_and_adds_without_the_npm(
    driver: Clearing, browser: Browser
) -> None:
    driver.clear("leyla")
    db.session.commit()
    where = f"/cooperations/{driver.cooperation.reference}/undertakings"
    page = browser(OTHER).page(f"{where}/{driver.undertaking('leyla').id}")
    assert "This person has no account." not in page.text


@pytest.mark.parametrize("suffix", ["/here", "/paper/record"])
def test_the_question_on_interests_describes_its_answers(
    driver: Clearing, browser: Browser, suffix: str
) -> None:
    html = browser(TAKER).get(address(driver, suffix)).text
    assert 'aria-describedby="has_interests-prompt' in html
    assert 'id="has_interests-prompt"' in html


def test_the_heading_over_the_points_of_a_paper_is_their_legend(
    driver: Clearing, browser: Browser
) -> None:
    html = browser(TAKER).get(address(driver, "/paper/record")).text
    assert html.count("What the person confirmed") == 1


def test_recording_a_paper_says_who_compares_it(driver: Clearing, browser: Browser) -> None:
    text = browser("ilena").page(address(driver, "/paper/record")).text
    assert "A signatory or manager of the NPM then compares the scan with it" in text
