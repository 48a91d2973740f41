"""Terms that the NPM has signed and its partner has not."""

from dataclasses import dataclass
from uuid import UUID

from tests.factories import agreements
from tests.factories.cooperations import (
    Country,
    StoredCountry,
    load_checklists,
    make_country,
    open_one,
)
from tests.starting_points import noon_in
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.evidence.keys import signing_keys
from tracker.signoff.models import Revision

START, END = noon_in(-315).date(), noon_in(414).date()
PAIR = {"npm": "tomas", "door": "henrik"}


@dataclass(frozen=True)
class Sent:
    """A country, and the terms in it that the NPM has signed and its partner has not."""

    country: StoredCountry
    terms: UUID


def make() -> Sent:
    load_checklists()
    signing_keys.make_missing()
    country = make_country(db.session())
    return Sent(StoredCountry.of(country), sent(country).id)


def sent(country: Country) -> Checklist:
    checklist = signed_by(country, open_one(country, "door"), "tomas")
    db.session.commit()
    return checklist


def signed_by(country: Country, cooperation: Cooperation, *keys: str) -> Checklist:
    """Return a cooperation's terms, sent to both parties and signed by some of their people."""
    checklist = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
    agreements.answer(country, checklist, "M19", **agreements.term(START, END))
    agreements.send(country, checklist, PAIR)
    agreements.sign(country, checklist, *keys)
    return checklist


def sign(country: Country, checklist: Checklist) -> Revision:
    agreements.sign(country, checklist, "henrik")
    db.session.commit()
    assert checklist.revision_in_force_id is not None
    return db.session.get_one(Revision, checklist.revision_in_force_id)
