"""Two coordinators who take the same person's signature, each on their own device."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from tests.client import CheckedClient
from tests.factories import undertakings_on_paper as on_paper
from tests.factories.undertakings import TOLD, Clearing
from tests.factories.undertakings_on_paper import DRIVER
from tests.factories.undertakings_taken import give_role
from tests.integration.undertakings.taken.test_in_presence import address, filled_in, put_in
from tests.pages import Page
from tracker.access.actor import Role
from tracker.access.page_tokens import NotShownError
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import StaleError
from tracker.undertakings import encryption, queries
from tracker.undertakings.in_presence import service

Browser = Callable[[str], CheckedClient]
OVERTAKEN = "Since you opened this page, this undertaking was filled in on the device of"


@pytest.fixture
def hosts(clearing: Clearing) -> Clearing:
    """A driver without an account, and two coordinators of the NPM: ilena and tomas."""
    on_paper.bring_in(clearing)
    give_role(clearing, "tomas", Role.COORDINATOR)
    db.session.commit()
    return clearing


@pytest.fixture
def browser(app: Flask, hosts: Clearing) -> Browser:
    return lambda key: hosts.browser(app, key)


def kept_by(clearing: Clearing) -> tuple[object, str]:
    """Return on whose device the draft was filled in, and the interests in it."""
    db.session.rollback()
    draft = encryption.draft_of(clearing.undertaking(DRIVER))
    return draft.host_id, draft.interests


def test_what_another_host_saved_since_is_not_overwritten_unnoticed(hosts: Clearing) -> None:
    seen = service.token_of(hosts.actor("tomas"), hosts.undertaking(DRIVER))
    put_in(hosts, "ilena", interests=TOLD)
    db.session.commit()
    draft = replace(on_paper.filled_in(hosts), is_ready=True)
    with pytest.raises(StaleError, match=f"{OVERTAKEN} Ilena Dorvath"):
        service.save_draft(hosts.actor("tomas"), hosts.undertaking(DRIVER).id, draft, seen=seen)
    assert kept_by(hosts) == (hosts.id("ilena"), TOLD)


def test_a_second_page_of_the_same_host_overwrites_nothing_unnoticed(hosts: Clearing) -> None:
    seen = service.token_of(hosts.actor("ilena"), hosts.undertaking(DRIVER))
    put_in(hosts, "ilena", interests=TOLD)
    db.session.commit()
    with pytest.raises(StaleError, match=OVERTAKEN):
        service.save_draft(
            hosts.actor("ilena"), hosts.undertaking(DRIVER).id, on_paper.filled_in(hosts), seen=seen
        )
    assert kept_by(hosts) == (hosts.id("ilena"), TOLD)


@pytest.mark.parametrize("of", ["nobody", "another host", "the draft itself"])
def test_a_draft_is_replaced_only_from_a_page_of_this_host(hosts: Clearing, of: str) -> None:
    put_in(hosts, "ilena", interests=TOLD)
    db.session.commit()
    undertaking = hosts.undertaking(DRIVER)
    seen = {
        "nobody": "",
        "another host": service.token_of(hosts.actor("ilena"), undertaking),
        "the draft itself": encryption.draft_of(undertaking).digest,
    }[of]
    with pytest.raises(NotShownError):
        service.save_draft(
            hosts.actor("tomas"), undertaking.id, on_paper.filled_in(hosts), seen=seen
        )
    assert kept_by(hosts) == (hosts.id("ilena"), TOLD)


def answers(clearing: Clearing, interests: str) -> dict[str, object]:
    """Return what a person fills in on page 1."""
    questions = queries.questions_of(queries.load(clearing.undertaking(DRIVER)))
    return {point.name: True for point in questions.points} | {
        "briefed": True,
        "briefed_on": clock.today().isoformat(),
        "has_interests": "declared",
        "interests": interests,
    }


def send(client: CheckedClient, page: Page, values: dict[str, object]) -> Page:
    """Send the form of a page that may have been opened a while ago."""
    sent = page.form().filled_in(**values)
    url = page.form().action or page.where
    return Page.of(client.open(url, method="POST", data=sent, csrf=False, follow_redirects=True))


def test_the_page_says_so_keeps_typed_text_and_continues_when_sent_again(
    hosts: Clearing, browser: Browser
) -> None:
    values, client = answers(hosts, "Typed on the second device."), browser("tomas")
    opened = client.page(address(hosts))
    filled_in(hosts, browser("ilena"), TOLD)
    again = send(client, opened, values)
    assert f"{OVERTAKEN} Ilena Dorvath" in again.text
    assert again.h1 == "Undertaking of Bruno Keel, on this device"
    assert again.form().filled_in()["interests"] == ["Typed on the second device."]
    assert TOLD not in again.text
    assert kept_by(hosts) == (hosts.id("ilena"), TOLD)
    signing = send(client, again, values)
    assert signing.h1 == "Signature of Bruno Keel, on this device"
    assert kept_by(hosts) == (hosts.id("tomas"), "Typed on the second device.")


def test_the_page_says_that_another_host_has_begun(hosts: Clearing, browser: Browser) -> None:
    begun = "has been filled in on the device of Ilena Dorvath but not signed"
    assert begun not in browser("tomas").page(address(hosts)).text
    filled_in(hosts, browser("ilena"), TOLD)
    assert begun not in browser("ilena").page(address(hosts)).text
    text = browser("tomas").page(address(hosts)).text
    assert begun in text
    assert TOLD not in text


def test_the_same_host_goes_back_and_changes_what_was_filled_in(
    hosts: Clearing, browser: Browser
) -> None:
    client = browser("ilena")
    filled_in(hosts, client, TOLD)
    second = filled_in(hosts, client, "Changed.")
    assert second.h1 == "Signature of Bruno Keel, on this device"
    assert kept_by(hosts) == (hosts.id("ilena"), "Changed.")
