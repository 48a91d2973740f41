"""The actions to measure: saving an answer, saving a visit's team, signing."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from statistics import median
from unittest.mock import patch
from uuid import UUID

import sqlalchemy as sa

from tests.bench.instance import Instance
from tests.bench.measuring import Answer, BenchError, Measured, Meter
from tests.factories.demonstration import PASSWORD
from tests.factories.visits import JointVisit, planned
from tests.pages import Page
from tracker.accounts.factors import passwords, second_factor
from tracker.accounts.models import User
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import FieldType
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.core.db import db

# How many times the bare view an action may take, and how often it is measured.
RATIO, ROUNDS, FEW = 12.0, 15, 6
EIGHT = ("leyla", "samira", "marek", "nadia", "tomas", "milan", "dina", "henrik")


@dataclass(frozen=True, slots=True)
class TimedAct:
    """An action: its name in the table, who performs it, a function that does, and its limits."""

    name: str
    who: str
    once: Callable[[], Answer]
    rounds: int
    statements: int
    ratio: float = RATIO


def measured(instance: Instance, meter: Meter) -> Iterator[tuple[TimedAct, Measured]]:
    """Yield each action with its measurements, in an application's context."""
    for act in _acts(instance, meter):
        yield act, meter.act(act.once, instance.cookies[act.who], act.rounds)


def hashing() -> float:
    """Return the CPU milliseconds of a password check."""
    user = db.session.scalars(sa.select(User).where(User.password.is_not(None)).limit(1)).one()
    with _checks_timed() as taken:
        for _round in range(5):
            passwords.is_right(user, PASSWORD)
    return median(taken)


@contextmanager
def _checks_timed() -> Iterator[list[float]]:
    """Collect the CPU milliseconds of each password check in the block."""
    taken: list[float] = []
    check = passwords.is_right

    def timed(user: User, password: str) -> bool:
        begun = time.process_time()
        try:
            return check(user, password)
        finally:
            taken.append((time.process_time() - begun) * 1000)

    with patch.object(passwords, "is_right", timed):
        yield taken


def _acts(instance: Instance, meter: Meter) -> Iterator[TimedAct]:
    demonstration = instance.demonstration
    joint_visit = JointVisit(db.session(), demonstration)
    planned(joint_visit, members=EIGHT, audience=[key for key in EIGHT if key != "dina"])
    db.session.commit()
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES, 2).id
    db.session.rollback()
    terms = demonstration.checklists["differing", "terms"]
    yield TimedAct(
        "Save an answer of the terms",
        "ilena",
        _writing(meter, instance.cookies["ilena"], f"/checklists/{terms}", *writable(terms)),
        ROUNDS,
        30,
    )
    yield TimedAct(
        "Save a visit's team of eight",
        "ilena",
        _writing(meter, instance.cookies["ilena"], f"/checklists/{roles}", "V4", "gaps"),
        ROUNDS,
        53,
        ratio=14.0,
    )
    if db.engine.dialect.name == "sqlite":
        yield TimedAct(
            "Sign, the last one",
            "otto",
            _signing(instance, meter),
            FEW,
            64,
        )


def writable(checklist_id: UUID) -> tuple[str, str]:
    """Return an item that the NPM may write, since no other party has accepted it; and a text."""
    loaded = load(db.session.get_one(Checklist, checklist_id))
    accepted = {code for code, taken in loaded.sheet.positions.items() if len(taken) > 1}
    item_and_field = next(
        (item.code, field.key)
        for item in loaded.template.items
        for field in item.fields
        if item.code not in accepted and field.type is FieldType.TEXT
    )
    db.session.rollback()
    return item_and_field


def _writing(
    meter: Meter, cookie: str, checklist: str, code: str, text: str
) -> Callable[[], Answer]:
    """Return a function that opens the page of an answer, changes a text on it and saves it."""
    address, numbers = f"{checklist}/items/{code}/answer", iter(range(1000))

    def once() -> Answer:
        form = _page(meter, address, cookie).form()
        data = form.filled_in(**{text: f"As we settled it, {next(numbers)}."})
        return _done(meter.ask(address, cookie, data), address)

    return once


def _signing(instance: Instance, meter: Meter) -> Callable[[], Answer]:
    """Return a function that gives the last signature, each time in a copy of the database."""
    demonstration, cookie = instance.demonstration, instance.cookies["otto"]
    address = f"/checklists/{demonstration.checklists['waiting', 'terms']}/sign"
    put_back = _snapshot()

    def once() -> Answer:
        put_back()
        confirm = _page(meter, address, cookie).links()["Continue to sign"]
        user = db.session.get_one(User, demonstration.users["otto"])
        code = second_factor.current_code(user).code
        db.session.remove()
        data = _page(meter, confirm, cookie).form().filled_in(password=PASSWORD, code=code)
        # The password check is left out: it is slow on purpose.
        with _checks_timed() as checks:
            answer = _done(meter.ask(confirm, cookie, data), confirm)
        return replace(answer, milliseconds=answer.milliseconds - sum(checks))

    return once


def _snapshot() -> Callable[[], None]:
    """Return a function that restores SQLite's database to its current state."""
    db.session.remove()
    file, snapshot = str(db.engine.url.database), sqlite3.connect(":memory:")
    with closing(sqlite3.connect(file)) as live:
        live.backup(snapshot)

    def put_back() -> None:
        db.session.remove()
        with closing(sqlite3.connect(file)) as live:
            snapshot.backup(live)

    return put_back


def _page(meter: Meter, address: str, cookie: str) -> Page:
    answer = meter.ask(address, cookie)
    if answer.status != HTTPStatus.OK:
        message = f"{address} answered {answer.status}."
        raise BenchError(message)
    return Page(answer.body.decode(), address)


def _done(answer: Answer, address: str) -> Answer:
    if answer.status != HTTPStatus.SEE_OTHER:
        message = f"{address} was refused with {answer.status}."
        raise BenchError(message)
    return answer
