"""Terms in force among three parties, each of which can begin, write and confirm a review."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories import agreements
from tests.factories.tables import StoredTable, Table, begin
from tests.integration.agreements.conftest import DAY, DAYS, sign_terms
from tracker.cooperations.models import Cooperation, Mode
from tracker.cooperations.people import people
from tracker.core import clock
from tracker.core.db import db
from tracker.reviews import queries, records, service
from tracker.reviews.models import Outcome, Review, Verdict
from tracker.reviews.records import Participant, Record, Result

Clock = Callable[[dt.datetime | None], None]
# The day after the review that the terms name, which is a day before their end.
LATE = DAYS * DAY
BOSSES = ("tomas", "henrik", "otto")


def _bring_into_force() -> StoredTable:
    table = begin(db.session(), Mode.INFO_A)
    agreements.answer(table.land, table.checklist(), "M2", objectives="Fewer strip searches.")
    sign_terms(table, renewal="none")
    table.session.commit()
    return StoredTable.of(table)


@pytest.fixture
def active(app: Flask, session: Session) -> Table:
    """The supplied terms in force until a day, stage P4; the partners share information."""
    return starting_points.of(app).use("review_active", _bring_into_force).load(session)


def cooperation(table: Table) -> Cooperation:
    """Return the cooperation with its parties, after committing."""
    table.session.commit()
    fresh = table.land.session.get_one(Cooperation, table.cooperation.id)
    table.session.refresh(fresh)
    return fresh


def begin_review(table: Table, first: str = "samira") -> Review:
    """Begin a review for the party of a person."""
    review = service.begin(table[first], table.cooperation)
    table.session.commit()
    return review


def written(table: Table, **values: object) -> Record:
    """Return a complete record: everybody came, all promises were kept, the parties go on."""
    record = Record(
        held_on=clock.today(),
        people=tuple(
            Participant(
                person.user_id, person.name, person.organisation_id, person.organisation_name
            )
            for person in people(table.cooperation.id)
        ),
        results={code: Result(Verdict.KEPT) for code in ("M2",)},
        outcome=Outcome.GO_ON,
        next_on=clock.today() + DAY,
    )
    return replace(record, **values)  # type: ignore[arg-type]  # by name


def save(table: Table, first: str, record: Record, version: int = 0, number: int = 1) -> bool:
    """Save a version of the record for a person's party."""
    changed = service.save(table[first], table.cooperation, number, record, version=version)
    table.session.commit()
    return changed


def review_of(table: Table, number: int = 1) -> Review:
    """Return a review as stored now."""
    review = queries.find(table.cooperation, number)
    assert review is not None
    return review


def confirm(table: Table, *firsts: str, number: int = 1) -> None:
    """Confirm what each person has on the screen, each for their party."""
    for first in firsts:
        page = service.page_with(review_of(table, number))
        service.confirm(table[first], table.cooperation, number, page=page)
        table.session.commit()


def hold(table: Table, **values: object) -> None:
    """Hold a review from the beginning to the last confirmation."""
    begin_review(table)
    save(table, "samira", written(table, **values))
    confirm(table, *BOSSES)


def saved(table: Table, number: int = 1) -> Record:
    """Return the last version of a record."""
    version = queries.last_version(review_of(table, number))
    assert version is not None
    return records.read(version.content)
