"""What became of the copies of a person without an account: the NPM's deciders record it."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories import undertakings
from tests.factories import undertakings_on_paper as on_paper
from tests.factories.undertakings import Stage
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tracker.accounts.models import User
from tracker.core.db import db
from tracker.undertakings import service

TASK = f"Record what became of the copies of {NAME}"


@pytest.fixture
def app(worker_app: Flask) -> Flask:
    """The application on a database with a driver cleared by an undertaking on paper."""
    starting_points.of(worker_app).use("cleared driver", _cleared_driver)
    return worker_app


def _cleared_driver() -> None:
    stage = undertakings.stage(undertakings.cast())
    on_paper.bring_in(stage)
    on_paper.record(stage)
    on_paper.confirm(stage)
    stage.countersign(DRIVER)


@pytest.fixture
def stage(session: Session) -> Stage:
    stage = undertakings.existing()
    driver = session.scalars(sa.select(User).where(User.name == NAME)).one()
    stage.cast.users[DRIVER] = driver
    return stage


def test_the_deciders_have_the_task_to_record_it_and_nobody_else(app: Flask, stage: Stage) -> None:
    assert TASK not in stage.browser(app, "milan").page("/").text
    service.withdraw_clearance(
        stage.actor("tomas"), stage.undertaking(DRIVER).id, reason="He has moved abroad."
    )
    db.session.commit()
    for key, has_it in {"milan": True, "tomas": True, "ilena": False, "henrik": False}.items():
        assert (TASK in stage.browser(app, key).page("/").text) is has_it, key
    browser = stage.browser(app, "milan")
    address = browser.page("/").links()[TASK]
    page = browser.page(address)
    assert "has no account" in page.text
    assert "can't or won't confirm" not in page.text
    browser.submit(address, reason="He gave back both road maps on 3 May; I took them.")
    assert TASK not in browser.page("/").text
