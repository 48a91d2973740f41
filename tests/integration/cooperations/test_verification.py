"""What the public check shows of a cooperation's agreements: who sets it, and the effect."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.cooperations import Country, copied_country, open_one
from tracker.activity import verbs
from tracker.activity.models import Event, EventDetail
from tracker.cooperations import service
from tracker.cooperations.models import Cooperation, Stage
from tracker.core.db import db
from tracker.core.errors import RefusedError

Browser = Callable[[str], CheckedClient]
ADDRESS = "/cooperations/{}/verification"


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def cooperation(country: Country) -> Cooperation:
    opened = open_one(country, "door", "lantern")
    db.session.commit()
    return opened


@pytest.fixture
def browser(app: Flask, country: Country) -> Browser:
    return lambda first: country.browser(app, first)


def recorded() -> list[object]:
    return list(
        db.session.scalars(
            sa.select(EventDetail.content)
            .join(Event, Event.id == EventDetail.event_id)
            .where(Event.verb == verbs.VERIFICATION_CHANGED.name)
            .order_by(Event.number)
        )
    )


def shows(cooperation: Cooperation) -> bool:
    db.session.rollback()
    db.session.refresh(cooperation)
    return cooperation.shows_signers


@pytest.mark.both_databases
def test_nobody_is_named_until_the_npm_says_so(browser: Browser, cooperation: Cooperation) -> None:
    assert not shows(cooperation)
    where = ADDRESS.format(cooperation.reference)
    answer = browser("ilena").submit(where, shows_signers="yes")
    assert "Saved." in answer.get_data(as_text=True)
    assert shows(cooperation)
    answer = browser("ilena").submit(where, shows_signers="yes")
    assert "Nothing was changed." in answer.get_data(as_text=True)
    browser("ilena").submit(where, shows_signers="no")
    assert not shows(cooperation)
    answers = [details["shows_signers"] for details in recorded() if isinstance(details, dict)]
    assert answers == [True, False]


def test_it_can_be_set_when_all_is_over_too(browser: Browser, cooperation: Cooperation) -> None:
    cooperation.stage = Stage.CLOSED
    db.session.commit()
    browser("ilena").submit(ADDRESS.format(cooperation.reference), shows_signers="yes")
    assert shows(cooperation)


@pytest.mark.parametrize(
    ("first", "status"),
    [("tomas", 403), ("nadia", 403), ("samira", 403), ("ada", 403), ("vesna", 404), ("marek", 404)],
)
def test_nobody_but_a_coordinator_of_its_npm_sets_it(
    browser: Browser, country: Country, cooperation: Cooperation, first: str, status: int
) -> None:
    where = ADDRESS.format(cooperation.reference)
    client = browser(first)
    assert client.get(where).status_code == status
    assert client.post(where, data={"shows_signers": "yes"}).status_code == status
    assert not shows(cooperation)
    with pytest.raises(RefusedError):
        service.set_verification(country.actor(first), cooperation, shows_signers=True)


def test_a_choice_that_there_is_not_changes_nothing(
    browser: Browser, cooperation: Cooperation
) -> None:
    where = ADDRESS.format(cooperation.reference)
    answer = browser("ilena").post(where, data={"shows_signers": "perhaps"})
    assert answer.status_code == 200
    assert (shows(cooperation), recorded()) == (False, [])
