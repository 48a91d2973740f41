"""What each page takes at several sizes of the instance: statements, CPU time and bytes."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from tests.factories.demonstration import Demonstration
from tracker.core.db import db

ROUNDS = 5
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class GrowingPage:
    """A page or an action whose cost must not grow: who asks for it, and what is sent."""

    name: str
    who: str
    address: str
    # Of an action: what its form holds beside the token, and the page that shows the form.
    form: Mapping[str, str] | None = None
    form_page: str = ""


@dataclass(slots=True)
class Taken:
    """What one request took: statements with their parameters, CPU milliseconds, bytes."""

    status: int = 0
    milliseconds: float = 0.0
    size: int = 0
    statements: list[tuple[str, Any]] = field(default_factory=list)


def pages_of(made: Demonstration) -> Iterator[GrowingPage]:
    """Yield what is asked for: lists, My work, one of each thing, an export."""
    reference = made.references["complete"]
    draft = made.checklists["differing", "terms"]
    signed = made.checklists["complete", "terms"]
    roles = made.checklists["complete", "visit_roles"]
    yield GrowingPage("my work", "ilena", "/")
    yield GrowingPage("my work of a member", "leyla", "/")
    yield GrowingPage("my work of a partner", "samira", "/")
    yield GrowingPage("my work of a signatory", "milan", "/")
    yield GrowingPage("cooperations", "ilena", "/cooperations")
    yield GrowingPage("cooperations searched", "ilena", "/cooperations?q=police")
    yield GrowingPage("cooperation", "ilena", f"/cooperations/{reference}")
    yield GrowingPage("cooperation history", "ilena", f"/cooperations/{reference}/history")
    yield GrowingPage("visits", "leyla", f"/cooperations/{reference}/visits")
    yield GrowingPage("visit", "leyla", f"/cooperations/{reference}/visits/1")
    yield GrowingPage("undertakings", "ilena", f"/cooperations/{reference}/undertakings")
    yield GrowingPage("own undertakings", "leyla", "/undertakings")
    yield GrowingPage("checklist", "ilena", f"/checklists/{draft}")
    yield GrowingPage("record", "ilena", f"/checklists/{signed}/record")
    yield GrowingPage("roles", "ilena", f"/checklists/{roles}")
    yield GrowingPage("start from a former one", "ilena", f"/checklists/{draft}/copy")
    yield GrowingPage("register", "milan", "/register")
    yield GrowingPage("register, in force", "milan", "/register?state=in_force")
    yield GrowingPage("register, drafting", "milan", "/register?state=drafting")
    yield GrowingPage("register searched", "milan", "/register?q=police")
    yield GrowingPage("register, one", "milan", f"/register/{signed}")
    yield GrowingPage("people", "ilena", "/people")
    yield GrowingPage("people of the instance", "iris", "/people")
    yield GrowingPage("organisations", "iris", "/organisations")
    yield GrowingPage("mail", "iris", "/administration/mail")
    yield GrowingPage("guidance", "ilena", "/guidance")
    yield GrowingPage("register export", "milan", "/register/export", {}, "/register")


@contextmanager
def noted(taken: Taken) -> Iterator[None]:
    """Note each statement that is executed in the block."""

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            taken.statements.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def ask(app: Flask, client: FlaskClient, page: GrowingPage) -> Taken:
    """Ask once for a page; return what it took."""
    taken = Taken()
    token = ""
    if page.form is not None:
        found = _TOKEN.search(client.get(page.form_page).get_data(as_text=True))
        token = found.group(1) if found else ""
    with app.app_context(), noted(taken):
        begun = time.process_time()
        if page.form is None:
            answer = client.get(page.address)
        else:
            answer = client.post(page.address, data={**page.form, "csrf_token": token})
        taken.size = sum(map(len, answer.response))
        taken.milliseconds = (time.process_time() - begun) * 1000
        taken.status = answer.status_code
    return taken


def measure(app: Flask, client: FlaskClient, page: GrowingPage) -> Taken:
    """Ask for a page some times; return the last, with the median of its CPU time."""
    ask(app, client, page)
    asked = [ask(app, client, page) for _round in range(ROUNDS)]
    asked[-1].milliseconds = median(one.milliseconds for one in asked)
    return asked[-1]


def rows_of(table: str) -> int:
    """Return how many rows a table has."""
    return db.session.scalar(sa.text(f'SELECT count(*) FROM "{table}"')) or 0
