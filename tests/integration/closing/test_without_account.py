"""What became of the copies of a person without an account: the NPM's deciders record it."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories import undertakings
from tests.factories import undertakings_on_paper as on_paper
from tests.factories.undertakings import Clearing
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tracker.accounts.models import User
from tracker.closing import queries
from tracker.closing import service as closing
from tracker.closing.models import Disposal, MaterialReturn, RecordedHow, ReturnState
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.undertakings import service

TASK = f"Record what became of the copies of {NAME}"


@pytest.fixture
def app(worker_app: Flask) -> Flask:
    """The application on a database with a driver cleared by an undertaking on paper."""
    starting_points.of(worker_app).use("cleared driver", _cleared_driver)
    return worker_app


def _cleared_driver() -> None:
    clearing = undertakings.clearing(undertakings.demo_people())
    on_paper.bring_in(clearing)
    on_paper.record(clearing)
    on_paper.confirm(clearing)
    clearing.countersign(DRIVER)


@pytest.fixture
def clearing(session: Session) -> Clearing:
    clearing = undertakings.existing()
    driver = session.scalars(sa.select(User).where(User.name == NAME)).one()
    clearing.demo_people.users[DRIVER] = driver
    return clearing


def test_the_deciders_have_the_task_to_record_it_and_nobody_else(
    app: Flask, clearing: Clearing
) -> None:
    assert TASK not in clearing.browser(app, "milan").page("/").text
    service.withdraw_clearance(
        clearing.actor("tomas"), clearing.undertaking(DRIVER).id, reason="He has moved abroad."
    )
    db.session.commit()
    for key, has_it in {"milan": True, "tomas": True, "ilena": False, "henrik": False}.items():
        assert (TASK in clearing.browser(app, key).page("/").text) is has_it, key
    browser = clearing.browser(app, "milan")
    address = browser.page("/").links()[TASK]
    exception = "They can't or won't confirm it"
    assert "can't or won't confirm" in browser.page(browser.page(address).links()[exception]).text
    kept_at = "He gave back both road maps on 3 May. The paper is in file 7."
    done = browser.submit(address, disposal="returned", how="on_paper", words=kept_at)
    page = done.get_data(as_text=True)
    assert "All copies returned." in page
    assert "They confirmed it on paper; Milan" in page
    assert kept_at in page
    assert TASK not in browser.page("/").text
    history = browser.page(f"/cooperations/{clearing.cooperation.reference}/history").text
    assert "They have no account and confirmed it on paper; the NPM recorded it." in history
    assert kept_at not in history


def request_of(clearing: Clearing, key: str) -> MaterialReturn:
    """Let the NPM withdraw a person's access, and return what they are asked."""
    service.withdraw_clearance(
        clearing.actor("tomas"), clearing.undertaking(key).id, reason="The work is done."
    )
    db.session.commit()
    return db.session.scalars(
        sa.select(MaterialReturn).where(
            MaterialReturn.user_id == clearing.demo_people.users[key].id
        )
    ).one()


def test_what_is_recorded_says_when_it_was_confirmed_and_counts_for_the_closing(
    clearing: Clearing,
) -> None:
    request = request_of(clearing, DRIVER)
    with pytest.raises(RuleBrokenError, match="Say when"):
        record(clearing, "milan", request, words=" ")
    record(clearing, "milan", request)
    db.session.commit()
    assert (request.state, request.recorded_how) == (ReturnState.CONFIRMED, RecordedHow.IN_PERSON)
    assert queries.waiting_names(clearing.cooperation.id) == []
    assert integrity.check_all().finding is None
    with pytest.raises(RefusedError, match="already answered"):
        record(clearing, "tomas", request)


def record(
    clearing: Clearing, key: str, request: MaterialReturn, *, words: str = "On 3 May."
) -> None:
    closing.record_confirmation(
        clearing.actor(key), request.id, Disposal.BOTH, RecordedHow.IN_PERSON, words
    )
