"""Texts with every outcome, each in its own cooperation, made by the real services."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from tests import due, starting_points
from tests.factories import agreements, paper
from tests.factories.checklists import decline_text
from tests.factories.cooperations import (
    Country,
    StoredCountry,
    load_checklists,
    make_country,
    open_one,
)
from tracker.agreements import amendments, notices
from tracker.agreements import service as agreements_service
from tracker.agreements.paper import prior_agreements
from tracker.agreements.paper import service as papers
from tracker.agreements.paper.prior_agreements import Person
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, NoticeKind, Stance
from tracker.checklists.negotiation import positions
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence.keys import signing_keys
from tracker.signoff.models import Revision
from tracker.signoff.paper_models import PaperRecord

PAIR = {"npm": "tomas", "door": "henrik"}
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Example:
    """A text as plain values: where it is, and its revisions, the oldest first."""

    cooperation_id: UUID
    reference: str
    checklist_id: UUID
    revisions: tuple[UUID, ...]
    digests: tuple[str, ...]


@dataclass(frozen=True)
class Examples:
    """All texts by the name of their outcome, and the people around them."""

    country: StoredCountry
    by_name: dict[str, Example]

    def __getitem__(self, name: str) -> Example:
        return self.by_name[name]


def examples(app: Flask) -> Examples:
    """Reset the application to a copy of a database with a text in every outcome."""
    return starting_points.of(app).use("outcomes", _make)


def _make() -> Examples:
    load_checklists()
    signing_keys.make_missing()
    country = make_country(db.session())
    examples = {name: _example(country, name, act) for name, act in COURSES.items()}
    return Examples(StoredCountry.of(country), examples)


def _example(country: Country, name: str, act: Callable[[Country, Checklist], None]) -> Example:
    cooperation = open_one(country, "door", title=f"What is {name}")
    terms = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
    today = clock.today()
    days = agreements.term(today - 9 * DAY, today + 400 * DAY)
    if name == "renewed":
        days = agreements.term(today - 400 * DAY, today - DAY) | {"renewal": "automatic"}
    agreements.answer(country, terms, "M19", **days)
    act(country, terms)
    db.session.flush()
    rows = db.session.scalars(
        sa.select(Revision).where(Revision.subject_id == terms.id).order_by(Revision.number)
    ).all()
    return Example(
        cooperation.id,
        cooperation.reference,
        terms.id,
        tuple(row.id for row in rows),
        tuple(row.digest for row in rows),
    )


def _draft(_land: Country, _terms: Checklist) -> None:
    """Leave it as it is."""


def _wait(country: Country, terms: Checklist) -> None:
    agreements.send(country, terms, PAIR, until=clock.today() + 30 * DAY)
    agreements.sign(country, terms, "tomas")


def _decline(country: Country, terms: Checklist) -> None:
    _wait(country, terms)
    decline_text(country.actor("henrik"), terms, reason="Too long a term.", items=["M19"])


def _call_back(country: Country, terms: Checklist) -> None:
    _wait(country, terms)
    agreements_service.call_back(country.actor("ilena"), terms, reason="A slip in it.")


def _expire(country: Country, terms: Checklist) -> None:
    agreements.send(country, terms, PAIR, until=clock.today() - DAY)
    assert due.expire_due(clock.today()) == 1


def _sign(country: Country, terms: Checklist) -> None:
    agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "tomas", "henrik")


def _amend(country: Country, terms: Checklist) -> None:
    _sign(country, terms)
    agreements_service.amend(country.actor("ilena"), terms, reason="A new law.", items=["M19"])


def _call_amendment_off(country: Country, terms: Checklist) -> None:
    _amend(country, terms)
    amendments.call_off(country.actor("samira"), terms, reason="The law has not changed.")


def _supersede(country: Country, terms: Checklist) -> None:
    _amend(country, terms)
    # It was reopened for changes, and is agreed again without any.
    standing = agreements.current(terms, "M19")
    for first in ("ilena", "samira"):
        positions.take_position(
            country.actor(first), terms, "M19", Stance.ACCEPTS, answer_id=standing.answer_id
        )
    _sign(country, terms)


def _suspend(country: Country, terms: Checklist) -> None:
    _sign(country, terms)
    notices.give_notice(
        country.actor("tomas"), terms, NoticeKind.SUSPENDED, reason="It is not safe."
    )


def _suspend_twice_and_lift_one(country: Country, terms: Checklist) -> None:
    _sign(country, terms)
    day = clock.today() + DAY
    for first in ("tomas", "henrik"):
        notices.give_notice(
            country.actor(first), terms, NoticeKind.SUSPENDED, reason="It is not safe.", from_on=day
        )
    assert due.carry_out_due(day) == 2
    own = next(
        notice
        for notice in notices.open_notices(terms)
        if notice.organisation_id == country.id("npm")
    )
    notices.close_notice(country.actor("tomas"), terms, own.id, reason="It is safe again.")


def _lift(country: Country, terms: Checklist) -> None:
    _suspend(country, terms)
    (own,) = notices.open_notices(terms)
    notices.close_notice(country.actor("tomas"), terms, own.id, reason="It is safe again.")


def _give_notice(country: Country, terms: Checklist) -> None:
    _sign(country, terms)
    day = clock.today() + 30 * DAY
    notices.give_notice(
        country.actor("tomas"), terms, NoticeKind.ENDED, reason="The law has changed.", from_on=day
    )


def _take_notice_back(country: Country, terms: Checklist) -> None:
    _give_notice(country, terms)
    (own,) = notices.open_notices(terms)
    notices.close_notice(country.actor("tomas"), terms, own.id, reason="It has not.")


def _renew(country: Country, terms: Checklist) -> None:
    """Sign a text after its last day, which renews it with the signature."""
    _sign(country, terms)
    assert due.renew_due(clock.today()) == 0


def _end(country: Country, terms: Checklist) -> None:
    _sign(country, terms)
    notices.give_notice(
        country.actor("tomas"), terms, NoticeKind.ENDED, reason="The law has changed."
    )


def _end_while_an_amendment_waits(country: Country, terms: Checklist) -> None:
    _amend(country, terms)
    _wait(country, terms)
    notices.give_notice(
        country.actor("tomas"), terms, NoticeKind.ENDED, reason="The law has changed."
    )


def _sign_on_paper(country: Country, terms: Checklist) -> None:
    agreements.send(country, terms, PAIR)
    paper.confirm(country.actor("ilena"), terms, paper.record(country.actor("samira"), terms))
    agreements.sign(country, terms, "tomas")


def _record(country: Country, terms: Checklist) -> PaperRecord:
    return prior_agreements.record(
        country.actor("ilena"),
        terms,
        page=paper.page_of_known(terms),
        signed_on=clock.today() - 90 * DAY,
        ends_on=clock.today() + 200 * DAY,
        signers={
            country.id("npm"): [Person("Tomas Beridan"), Person("Ilena Dorvath", "Deputy")],
            country.id("door"): [Person("Henrik Asante", "Director")],
        },
        scan=paper.pdf(),
    )


def _made_before(country: Country, terms: Checklist) -> None:
    paper.confirm(country.actor("samira"), terms, _record(country, terms))


def _made_before_refused(country: Country, terms: Checklist) -> None:
    record = _record(country, terms)
    papers.refuse(country.actor("samira"), terms, record.id, reason="That is another paper.")


COURSES: dict[str, Callable[[Country, Checklist], None]] = {
    "drafted": _draft,
    "waiting": _wait,
    "declined": _decline,
    "called back": _call_back,
    "run out": _expire,
    "in force": _sign,
    "amended": _amend,
    "amendment called off": _call_amendment_off,
    "superseded": _supersede,
    "suspended": _suspend,
    "suspended by one of two": _suspend_twice_and_lift_one,
    "lifted": _lift,
    "ending": _give_notice,
    "not ending": _take_notice_back,
    "renewed": _renew,
    "ended": _end,
    "ended beside an amendment": _end_while_an_amendment_waits,
    "signed on paper": _sign_on_paper,
    "made before": _made_before,
    "made before, refused": _made_before_refused,
}
