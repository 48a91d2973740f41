"""Terms in force among three parties, each of which can begin, write and confirm a review."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories import agreements
from tests.factories.negotiations import Negotiation, StoredNegotiation, begin
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


def _bring_into_force() -> StoredNegotiation:
    negotiation = begin(db.session(), Mode.INFO_A)
    agreements.answer(
        negotiation.country, negotiation.checklist(), "M2", objectives="Fewer strip searches."
    )
    sign_terms(negotiation, renewal="none")
    negotiation.session.commit()
    return StoredNegotiation.of(negotiation)


@pytest.fixture
def active(app: Flask, session: Session) -> Negotiation:
    """The supplied terms in force until a day, stage P4; the partners share information."""
    return starting_points.of(app).use("review_active", _bring_into_force).load(session)


def cooperation(negotiation: Negotiation) -> Cooperation:
    """Return the cooperation with its parties, after committing."""
    negotiation.session.commit()
    fresh = negotiation.country.session.get_one(Cooperation, negotiation.cooperation.id)
    negotiation.session.refresh(fresh)
    return fresh


def begin_review(negotiation: Negotiation, first: str = "samira") -> Review:
    """Begin a review for the party of a person."""
    review = service.begin(negotiation[first], negotiation.cooperation)
    negotiation.session.commit()
    return review


def written(negotiation: Negotiation, **values: object) -> Record:
    """Return a complete record: everybody came, all promises were kept, the parties go on."""
    record = Record(
        held_on=clock.today(),
        people=tuple(
            Participant(
                person.user_id, person.name, person.organisation_id, person.organisation_name
            )
            for person in people(negotiation.cooperation.id)
        ),
        results={code: Result(Verdict.KEPT) for code in ("M2",)},
        outcome=Outcome.GO_ON,
        next_on=clock.today() + DAY,
    )
    return replace(record, **values)  # type: ignore[arg-type]  # by name


def save(
    negotiation: Negotiation, first: str, record: Record, version: int = 0, number: int = 1
) -> bool:
    """Save a version of the record for a person's party."""
    changed = service.save(
        negotiation[first], negotiation.cooperation, number, record, version=version
    )
    negotiation.session.commit()
    return changed


def review_of(negotiation: Negotiation, number: int = 1) -> Review:
    """Return a review as stored now."""
    review = queries.find(negotiation.cooperation, number)
    assert review is not None
    return review


def confirm(negotiation: Negotiation, *firsts: str, number: int = 1) -> None:
    """Confirm what each person has on the screen, each for their party."""
    for first in firsts:
        page = service.page_with(review_of(negotiation, number))
        service.confirm(negotiation[first], negotiation.cooperation, number, page=page)
        negotiation.session.commit()


def hold(negotiation: Negotiation, **values: object) -> None:
    """Hold a review from the beginning to the last confirmation."""
    begin_review(negotiation)
    save(negotiation, "samira", written(negotiation, **values))
    confirm(negotiation, *BOSSES)


def saved(negotiation: Negotiation, number: int = 1) -> Record:
    """Return the last version of a record."""
    version = queries.last_version(review_of(negotiation, number))
    assert version is not None
    return records.read(version.content)
