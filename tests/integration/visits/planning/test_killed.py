"""Planning a visit is one transaction: if the process is killed, nothing of it is saved."""

import json
import os
import signal
import subprocess
import sys
from functools import cache

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.visits import JointVisit
from tests.integration.visits.planning.test_beginning_texts import filled_in
from tracker.activity.models import Event
from tracker.checklists.models import Answer, Checklist
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.models import OutboxMessage
from tracker.settings import Settings
from tracker.visits.models import TeamMember, Visit

pytestmark = pytest.mark.both_databases

# A web process that is killed once the texts of a visit begin: after the first, or after both.
KILLED = """
import datetime, json, os, signal, sys, config
from tracker import create_app
from tracker.checklists.reuse import beginning
from tracker.core import clock
from tracker.core.db import db
sent = json.load(sys.stdin)
now = datetime.datetime.fromisoformat(sent["now"])
clock.use_source(lambda: now)
begin, begun = beginning.begin, []
def begin_and_be_killed(*values, **more):
    begin(*values, **more)
    db.session.flush()
    begun.append(values)
    if len(begun) == sent["texts"]:
        os.kill(os.getpid(), signal.SIGKILL)
beginning.begin = begin_and_be_killed
client = create_app(config.settings("testing", os.environ)).test_client()
client.set_cookie(sent["cookie"], sent["value"])
client.post(sent["address"], data=sent["form"])
"""
TABLES = (Visit, Checklist, Answer, TeamMember, Event, OutboxMessage)


def rows() -> dict[str, int]:
    db.session.rollback()
    counts = {
        table.__tablename__: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for table in TABLES
    }
    db.session.rollback()
    return counts


def test_a_process_killed_while_a_visits_texts_begin_saves_nothing_and_it_can_be_planned_again(
    app: Flask, joint_visit: JointVisit, settings: Settings
) -> None:
    joint_visit.session.commit()
    browser = cache(lambda key: joint_visit.demonstration.browser(app, key))
    address = f"/cooperations/{joint_visit.reference}/visits/plan"
    form = filled_in(browser, joint_visit, beginning="model-en")
    name = str(app.config["SESSION_COOKIE_NAME"])
    cookie = browser("ilena").get_cookie(name)
    assert cookie is not None
    inherited = {name: os.environ[name] for name in os.environ if not name.startswith("TRACKER_")}
    environment = inherited | {
        "TRACKER_DATA_DIR": str(settings.data_dir),
        "TRACKER_DATABASE_URL": settings.database_url,
    }
    before = rows()
    for texts in (1, 2):
        sent = {
            "address": address,
            "cookie": name,
            "value": cookie.value,
            "form": form,
            "texts": texts,
            # Otherwise the session would be over if the tests began long ago.
            "now": clock.now().isoformat(),
        }
        killed = subprocess.run(
            [sys.executable, "-c", KILLED],
            input=json.dumps(sent),
            env=environment,
            text=True,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
        assert rows() == before
    response = browser("ilena").open(address, method="POST", data=form, csrf=False)
    assert response.status_code == 303
    assert rows()["visit"] == before["visit"] + 1
