"""Health checks, for machines and on the command line."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tracker.checklist_templates.models import ChecklistKind, ChecklistTemplate
from tracker.core import clock
from tracker.core.db import db
from tracker.guidance.models import Article
from tracker.settings import Settings
from tracker.worker import health, prepare

pytestmark = pytest.mark.both_databases

PARTS = ("certificates", "accounts", "texts", "jobs")
NOT_LOOKED_AT = dict.fromkeys(("content", "worker", *PARTS), "not checked")
WELL = dict.fromkeys(("database", "content", "worker", *PARTS), "well")

TOLD = "".join(f"{part}: well\n" for part in ("database", "content", "worker", *PARTS))


def well(client: CheckedClient) -> tuple[int, dict[str, str]]:
    response = client.get("/healthz")
    answers: dict[str, str] = response.get_json()
    return response.status_code, answers


def beat(session: Session) -> None:
    health.beat()
    session.commit()


def test_all_is_well_once_a_worker_has_been_round(client: CheckedClient, session: Session) -> None:
    assert well(client) == (503, WELL | {"worker": "has not run yet"})
    beat(session)
    assert well(client) == (200, WELL)


def test_a_worker_that_does_not_respond_is_reported(
    client: CheckedClient, session: Session, frozen_time: Callable[[dt.datetime], None]
) -> None:
    beat(session)
    frozen_time(clock.now() + health.STANDSTILL)
    assert well(client)[1]["worker"] == "not responding"
    beat(session)
    assert well(client)[0] == 200


def test_missing_content_is_reported(client: CheckedClient, session: Session) -> None:
    beat(session)
    session.execute(
        sa.update(ChecklistTemplate)
        .where(ChecklistTemplate.kind == ChecklistKind.TERMS)
        .values(published_at=None)
    )
    session.commit()
    assert well(client) == (503, WELL | {"content": "needs tracker content load"})


def test_missing_guidance_is_reported(client: CheckedClient, session: Session) -> None:
    session.execute(sa.update(Article).values(is_current=False))
    session.commit()
    assert well(client)[1]["content"] == "needs tracker content load"


def test_a_database_without_tables_is_reported(empty: Flask) -> None:
    state = health.look()
    assert (state.database, state.is_well) == ("needs tracker db upgrade", False)
    response = empty.test_client().get("/healthz")
    assert response.status_code == 503
    assert response.get_json() == {"database": "needs tracker db upgrade", **NOT_LOOKED_AT}


def test_an_unreachable_database_is_reported(empty: Flask, own_settings: Settings) -> None:
    prepare.migrate(own_settings, lambda _line: None)
    db.session.execute(sa.text("DROP TABLE heartbeat"))
    db.session.commit()
    assert health.look().database == "can't be reached"


def test_the_command_prints_the_same_and_fails_if_something_is_wrong(
    app: Flask, session: Session
) -> None:
    runner = app.test_cli_runner()
    done = runner.invoke(args=["check"])
    assert (done.exit_code, done.output) == (
        1,
        TOLD.replace("worker: well", "worker: has not run yet"),
    )
    beat(session)
    done = runner.invoke(args=["check"])
    assert (done.exit_code, done.output) == (
        0,
        TOLD,
    )


def test_the_page_reveals_nothing_else(client: CheckedClient) -> None:
    assert set(well(client)[1]) == set(WELL)
    assert client.post("/healthz").status_code == 405
