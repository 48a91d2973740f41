"""Interests of which people without an account tell the NPM after signing."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.client import CheckedClient
from tests.factories import undertakings_on_paper as on_paper
from tests.factories.undertakings import TOLD, Clearing
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tests.pages import Page
from tracker.core.db import db
from tracker.core.errors import RefusedError
from tracker.undertakings import adding
from tracker.undertakings.models import Reach
from tracker.undertakings.places import Places

Browser = Callable[[str], CheckedClient]
PAUSED = "Paused until the NPM"


@pytest.fixture
def driver(app: Flask, clearing: Clearing) -> Clearing:
    """The cooperation, with a driver without an account who signed on paper and is cleared."""
    on_paper.with_driver(app, clearing)
    on_paper.record(clearing)
    on_paper.confirm(clearing)
    clearing.countersign(DRIVER, by="milan")
    db.session.commit()
    return clearing


@pytest.fixture
def browser(app: Flask, driver: Clearing) -> Browser:
    return lambda key: driver.browser(app, key)


def list_of(clearing: Clearing) -> str:
    return f"/cooperations/{clearing.cooperation.reference}/undertakings"


def address(clearing: Clearing, key: str = DRIVER) -> str:
    return f"{list_of(clearing)}/{clearing.undertaking(key).id}/interests/new"


def interests_in(page: Page, place: str) -> set[str]:
    """Return the links of an undertaking's page to interests that were added."""
    links = {link for link in page.addresses() if f"{place}/interests/" in link}
    return {link for link in links if not link.endswith("/new")}


def test_the_coordinator_records_it_access_pauses_and_the_npm_decides(
    driver: Clearing, browser: Browser
) -> None:
    coordinator = browser("ilena")
    assert address(driver) in coordinator.page(list_of(driver)).addresses()
    done = Page.of(coordinator.submit(address(driver), interest=TOLD, reach="all"))
    assert "The interest is recorded." in done.text
    assert PAUSED in coordinator.page(list_of(driver)).text
    # She wrote it down for those who decide, and doesn't read it any more.
    assert TOLD not in coordinator.page(list_of(driver)).text
    tomas = browser("tomas")
    assert f"Decide on what {NAME} added to their interests" in tomas.page("/").text
    place = address(driver).removesuffix("/interests/new")
    (link,) = interests_in(tomas.page(place), place)
    page = tomas.page(link)
    assert TOLD in page.text
    assert "Recorded byIlena Dorvath" in page.text
    tomas.submit(link, decision="accept", reason="")
    assert PAUSED not in coordinator.page(list_of(driver)).text


def test_who_recorded_it_leaves_the_decision_to_others(driver: Clearing, browser: Browser) -> None:
    milan = browser("milan")
    milan.submit(address(driver), interest=TOLD, reach="all")
    place = address(driver).removesuffix("/interests/new")
    (link,) = interests_in(milan.page(place), place)
    page = milan.page(link)
    assert "You recorded this interest." in page.text
    assert "Tomas Beridan can do this." in page.text
    assert "Record the decision" not in page.text
    decision = browser("tomas").page(link).form().filled_in(decision="accept")
    assert milan.post(link, data=decision, csrf=False).status_code in {400, 403}
    assert PAUSED in browser("ilena").page(list_of(driver)).text


def test_a_missing_answer_is_reported_and_what_was_typed_stays(
    driver: Clearing, browser: Browser
) -> None:
    response = browser("ilena").submit(address(driver), interest=TOLD)
    assert "Say which places it concerns" in Page.of(response).text
    assert TOLD in response.text
    assert PAUSED not in browser("ilena").page(list_of(driver)).text


@pytest.mark.parametrize("key", ["pavo", "leyla", "nadia", "samira", "greta", "celia", "henrik"])
def test_nobody_else_finds_the_page(driver: Clearing, browser: Browser, key: str) -> None:
    assert browser(key).get(address(driver)).status_code == 404
    with pytest.raises(RefusedError, match="for somebody else"):
        adding.add(driver.actor(key), driver.undertaking(DRIVER).id, TOLD, Places(Reach.ALL))


def test_who_has_an_account_declares_it_themselves(driver: Clearing, browser: Browser) -> None:
    driver.clear("leyla")
    db.session.commit()
    page = browser("ilena").get(address(driver, "leyla"))
    assert page.status_code == 403
    assert "declares their own interests" in Page.of(page).text


def test_before_signing_it_is_declared_in_the_undertaking(app: Flask, clearing: Clearing) -> None:
    on_paper.with_driver(app, clearing)
    page = clearing.browser(app, "ilena").get(address(clearing))
    assert page.status_code == 403
    assert "Interests are declared in it" in Page.of(page).text
