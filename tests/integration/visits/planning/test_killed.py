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

# A web server of which a process is killed once the texts of a visit begin: after the first, or
# after both. As a server does, it loads the application once and forks for each process.
SERVER = """
import datetime, json, os, signal, sys, config
from tracker import create_app
from tracker.checklists.reuse import beginning
from tracker.core import clock
from tracker.core.db import db
sent = json.loads(sys.stdin.readline())
now = datetime.datetime.fromisoformat(sent["now"])
clock.use_source(lambda: now)
begin, begun = beginning.begin, []
def begin_and_be_killed(*values, **more):
    begin(*values, **more)
    db.session.flush()
    begun.append(values)
    if len(begun) == texts:
        os.kill(os.getpid(), signal.SIGKILL)
beginning.begin = begin_and_be_killed
app = create_app(config.settings("testing", os.environ))
client = app.test_client()
client.set_cookie(sent["cookie"], sent["value"])
# Opens the page, so that its processes needn't load all of it anew; they connect themselves.
assert client.get(sent["address"]).status_code == 200
with app.app_context():
    db.engine.dispose()
for line in sys.stdin:
    texts = int(line)
    process = os.fork()
    if not process:
        client.post(sent["address"], data=sent["form"])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
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
    sent = {
        "address": address,
        "cookie": name,
        "value": cookie.value,
        "form": form,
        # Otherwise the session would be over if the tests began long ago.
        "now": clock.now().isoformat(),
    }
    before = rows()
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdin
        assert server.stdout
        print(json.dumps(sent), file=server.stdin, flush=True)
        for texts in (1, 2):
            print(texts, file=server.stdin, flush=True)
            assert server.stdout.readline() == f"{-signal.SIGKILL}\n"
            assert rows() == before
    response = browser("ilena").open(address, method="POST", data=form, csrf=False)
    assert response.status_code == 303
    assert rows()["visit"] == before["visit"] + 1
