"""Whoever exports and checks a lot in a short time has to wait, and nobody else does."""

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.cooperations import Country, open_one
from tests.moments import RunningFrom, using
from tests.pages import Page
from tracker.accounts.factors import attempts
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.cooperations.models import Cooperation, Mode
from tracker.core import clock
from tracker.core.db import db

WAITS = "You have exported or checked a lot in a short time."


@pytest.fixture
def cooperation(country: Country, session: Session) -> Cooperation:
    cooperation = open_one(country, "door", modes=(Mode.VISIT,))
    session.commit()
    return cooperation


def used_up(country: Country, key: str, *, but: int = 0) -> None:
    """Have a person export as often as they may, less some."""
    counter = attempts.long_work(country.actor(key).user_id)
    for _number in range(counter.most - but):
        attempts.note([counter])


def exports_recorded() -> int:
    return (
        db.session.query(Event)
        .where(Event.verb.in_([verbs.REGISTER_EXPORTED.name, verbs.EVIDENCE_EXPORTED.name]))
        .count()
    )


def test_a_person_who_exports_and_checks_a_lot_has_to_wait(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    browser = country.browser(app, "nadia")
    used_up(country, "nadia", but=1)
    assert browser.post("/register/export").status_code == 200
    for address in ("/register/export", "/register/check", "/register/undertakings/export"):
        response = browser.post(address)
        assert response.status_code == 429, address
        page = Page.of(response)
        assert WAITS in page.text
        assert "15 minutes" in page.text
        assert "passwords" not in page.text
    assert exports_recorded() == 1


def test_a_bundle_counts_too_and_is_not_recorded(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    browser = country.browser(app, "nadia")
    address = f"/cooperations/{cooperation.reference}/evidence"
    used_up(country, "nadia")
    assert browser.post(address).status_code == 429
    assert exports_recorded() == 0


def test_others_go_on_and_so_does_the_person_after_a_quarter_of_an_hour(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    first, other = country.browser(app, "nadia"), country.browser(app, "ada")
    used_up(country, "nadia")
    assert other.post("/register/export").status_code == 200
    with using(RunningFrom(clock.now() + dt.timedelta(minutes=16))):
        assert first.post("/register/export").status_code == 200


def test_who_may_not_export_is_refused_and_not_counted(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    browser = country.browser(app, "henrik")
    used_up(country, "henrik")
    assert browser.post("/register/export").status_code == 403
