"""The cost of each page at several sizes of the instance: statements, CPU time and bytes."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from tests.bench.instance import Instance, build
from tests.factories.bulk.multiplying import multiply
from tests.factories.demonstration import Demonstration
from tracker import create_app
from tracker.core.db import db

ROUNDS = 5
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class GrowingPage:
    """A page or an action whose cost must not grow: who requests it, and what is sent."""

    name: str
    who: str
    address: str
    # For an action: the form's fields besides the token, and the page that shows the form.
    form: Mapping[str, str] | None = None
    form_page: str = ""


@dataclass(slots=True)
class Taken:
    """The cost of one request: statements with their parameters, CPU milliseconds, bytes."""

    status: int = 0
    milliseconds: float = 0.0
    size: int = 0
    statements: list[tuple[str, Any]] = field(default_factory=list)


def pages_of(demonstration: Demonstration) -> Iterator[GrowingPage]:
    """Yield what is requested: lists, My work, one of each thing, an export."""
    reference = demonstration.references["complete"]
    draft = demonstration.checklists["differing", "terms"]
    signed = demonstration.checklists["complete", "terms"]
    roles = demonstration.checklists["complete", "visit_roles"]
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
    yield GrowingPage("former ones searched", "ilena", f"/checklists/{draft}/copy?q=police")
    yield GrowingPage("register", "milan", "/register")
    yield GrowingPage("register, in force", "milan", "/register?state=in_force")
    yield GrowingPage("register, drafting", "milan", "/register?state=drafting")
    yield GrowingPage("register searched", "milan", "/register?q=police")
    yield GrowingPage("register of a party", "milan", "/register?party=lantern&kind=terms")
    yield GrowingPage("register, a later page", "milan", "/register?page=20")
    yield GrowingPage("register, one", "milan", f"/register/{signed}")
    register = "/register/undertakings"
    yield GrowingPage("undertakings of all", "ilena", register)
    yield GrowingPage("undertakings of all, open", "ilena", f"{register}?access=open")
    yield GrowingPage("undertakings of all, ending", "ilena", f"{register}?ends=30")
    yield GrowingPage(
        "undertakings of all searched",
        "ilena",
        f"{register}?cooperation=police&organisation=lantern&person=leyla&version=in_force",
    )
    yield GrowingPage("undertakings export", "ilena", f"{register}/export", {}, register)
    yield GrowingPage("people", "ilena", "/people")
    yield GrowingPage("people of the instance", "iris", "/people")
    yield GrowingPage("organisations", "iris", "/organisations")
    yield GrowingPage("mail", "iris", "/administration/mail")
    yield GrowingPage("guidance", "ilena", "/guidance")
    yield GrowingPage("register export", "milan", "/register/export", {}, "/register")


@contextmanager
def noted(taken: Taken) -> Iterator[None]:
    """Collect each statement that is executed in the block."""

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            taken.statements.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def ask(app: Flask, client: FlaskClient, page: GrowingPage) -> Taken:
    """Request a page once; return its cost."""
    taken = Taken()
    token = ""
    if page.form is not None:
        match = _TOKEN.search(client.get(page.form_page).get_data(as_text=True))
        token = match.group(1) if match else ""
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
    """Request a page several times; return the last cost, with the median CPU time."""
    ask(app, client, page)
    samples = [ask(app, client, page) for _round in range(ROUNDS)]
    samples[-1].milliseconds = median(sample.milliseconds for sample in samples)
    return samples[-1]


def rows_of(table: str) -> int:
    """Return how many rows a table has."""
    return db.session.scalar(sa.text(f'SELECT count(*) FROM "{table}"')) or 0


# What make bench prints ---------------------------------------------------------------------------

SIZES = (200, 2000)
# How many times as expensive a page may be at the last size as at the first.
LIMIT = 1.5
# Pages that may exceed that, and by how much: they read everything there is.
BEYOND = {
    "people of the instance": 2.0,
    "register export": 20.0,
    "undertakings export": 20.0,
}


def by_size(
    folder: Path,
    also: Callable[[Flask, Instance], object] | None = None,
    *,
    sizes: Sequence[int] = SIZES,
) -> dict[str, list[Taken]]:
    """Measure each page at each size, in an instance that grows; on SQLite.

    also is called at each size, with the application and what it was built from.
    """
    taken_by_page: dict[str, list[Taken]] = {}
    instance = build(folder)
    app = create_app(instance.settings)
    for size in sizes:
        with app.app_context():
            multiply(list(instance.demonstration.cooperations.values()), size)
            db.session.remove()
        for page in pages_of(instance.demonstration):
            client = app.test_client()
            client.set_cookie(*instance.cookies[page.who].split("=", 1))
            taken_by_page.setdefault(page.name, []).append(measure(app, client, page))
        if also is not None:
            also(app, instance)
    with app.app_context():
        db.engine.dispose()
    return taken_by_page


def lines(
    taken_by_page: Mapping[str, Sequence[Taken]], *, sizes: Sequence[int] = SIZES
) -> Iterator[str]:
    """Yield the lines of the table: statements, milliseconds at each size, and how it grows."""
    heads = "".join(f"{f'at {size:,}':>12}" for size in sizes)
    yield f"{'':<28}{'statements':>11}{heads}{'times':>8}   at most"
    for name, taken in taken_by_page.items():
        cells = "".join(f"{sample.milliseconds:12.1f}" for sample in taken)
        most = BEYOND.get(name, LIMIT)
        yield f"{name:<28}{len(taken[-1].statements):>11}{cells}{_times(taken):>8.1f}   {most:g}"


def up_to(largest: int) -> tuple[int, ...]:
    """Return the sizes at which pages are measured, up to a given one."""
    return (*(size for size in SIZES if size < largest), largest)


def beyond(taken_by_page: Mapping[str, Sequence[Taken]]) -> Iterator[str]:
    """Yield a text for each page that grows more than it may."""
    for name, taken in taken_by_page.items():
        most = BEYOND.get(name, LIMIT)
        if _times(taken) > most:
            yield f"{name}: {_times(taken):.1f} times at {SIZES[-1]:,} cooperations, not {most:g}"


def _times(taken: Sequence[Taken]) -> float:
    return taken[-1].milliseconds / taken[0].milliseconds
