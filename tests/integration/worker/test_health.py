"""Health checks, for machines and on the command line."""

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.at_once import before_commit
from tests.client import CheckedClient
from tracker.checklist_templates.models import ChecklistKind, ChecklistTemplate
from tracker.core import clock
from tracker.core.db import db
from tracker.guidance.models import Article
from tracker.settings import Settings
from tracker.worker import health, prepare, storage

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(2)]

PARTS = (
    "certificates",
    "accounts",
    "texts",
    "jobs",
    "storage",
    "backup",
    "keys",
    "timestamps",
)
NOT_LOOKED_AT = dict.fromkeys(("content", "worker", *PARTS), "not checked")
WELL = dict.fromkeys(("database", "content", "worker", *PARTS), "well")

TOLD = "".join(f"{part}: well\n" for part in ("database", "content", "worker", *PARTS))


def well(client: CheckedClient) -> tuple[int, dict[str, str]]:
    # A load balancer asks by the address of the machine.
    response = client.get("/healthz", headers={"Host": "[2001:db8::1]:8000"})
    answers: dict[str, str] = response.get_json()
    return response.status_code, answers


def test_two_workers_can_finish_their_first_round_at_the_same_moment(
    app: Flask, session: Session
) -> None:
    assert before_commit(app, health.beat, health.beat) == []
    assert health.last(health.WORKER) is not None


def beat(session: Session) -> None:
    session.rollback()  # what was read before, in a transaction that only reads
    health.beat()
    session.commit()


@pytest.mark.both_databases
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


@pytest.mark.both_databases
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


def test_a_full_disk_is_reported_before_it_is(
    client: CheckedClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(session)
    usage = shutil.disk_usage("/")
    almost = usage._replace(free=storage.LEAST_FREE - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: almost)
    assert well(client) == (503, WELL | {"storage": "nearly full"})
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _folder: usage._replace(free=storage.LEAST_FREE)
    )
    assert well(client)[0] == 200


def test_a_backup_that_is_missing_or_too_old_is_reported_if_the_setting_asks_for_one(
    client: CheckedClient,
    session: Session,
    settings: Settings,
    frozen_time: Callable[[dt.datetime], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = client.application
    monkeypatch.setitem(app.extensions, "settings", replace(settings, backup_days=2))
    beat(session)
    assert well(client) == (503, WELL | {"backup": "has not been made yet"})
    health.note_backup()
    session.commit()
    assert well(client) == (200, WELL)
    frozen_time(clock.now() + dt.timedelta(days=2, minutes=1))
    beat(session)
    assert well(client) == (503, WELL | {"backup": "is too old"})
    assert "backup: is too old" in app.test_cli_runner().invoke(args=["check"]).output


def test_the_command_reports_a_database_that_can_only_be_read(
    app: Flask, client: CheckedClient, session: Session
) -> None:
    beat(session)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    session.commit()
    db.engine.dispose()
    only_read = "PRAGMA query_only=ON" if is_sqlite else "SET default_transaction_read_only=on"

    def refuse_writing(connection: Any, _record: object) -> None:
        connection.execute(only_read)
        if not is_sqlite:
            connection.commit()

    event.listen(db.engine, "connect", refuse_writing)
    try:
        # Whoever asks for the page tries no write.
        assert well(client) == (200, WELL)
        assert "storage: can't be written" in app.test_cli_runner().invoke(args=["check"]).output
    finally:
        event.remove(db.engine, "connect", refuse_writing)
        db.session.remove()
        db.engine.dispose()
    assert "storage: well" in app.test_cli_runner().invoke(args=["check"]).output


def test_a_file_that_was_put_in_place_of_the_one_in_use_is_reported(
    empty: Flask, own_settings: Settings
) -> None:
    file = own_settings.database_file
    if file is None:
        pytest.skip("a server has no file")
    prepare.migrate(own_settings, lambda _line: None)
    assert health.look().storage == "well"
    copied = file.with_name("copy.sqlite3")
    shutil.copyfile(file, copied)
    copied.replace(file)
    assert health.look().storage == "the file in the folder is another one"
    file.unlink()
    assert health.look().storage == "the file in the folder is another one"


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
