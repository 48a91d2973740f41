"""An NPM of two people who both wrote the terms, and an outsider who can read them."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories import checklists
from tests.factories.cooperations import (
    Country,
    StoredCountry,
    bring_in,
    load_checklists,
    make_country,
    open_one,
)
from tracker.access.actor import Actor, Role
from tracker.activity.stale import recompute
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as answers
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist, OutsideReading
from tracker.checklists.negotiation.text_digest import text_digest
from tracker.checklists.outside_reading import service
from tracker.checklists.outside_reading.service import NewReader
from tracker.cooperations.models import Cooperation, Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import shown

WRITER, HEAD, PARTNER, SIGNER = "vesna", "bo", "samira", "henrik"
# Has an account and no role anywhere.
READER = "rada"
FUNCTION = "Professor of public law, University of Norvald"
REASON = "We are two, and both of us wrote."


@dataclass(frozen=True)
class SmallNpm:
    """The people, and the terms: complete and agreed, with the head named in M5."""

    country: Country
    cooperation_id: UUID
    terms_id: UUID

    @property
    def terms(self) -> Checklist:
        recompute()
        return db.session.get_one(Checklist, self.terms_id)

    @property
    def cooperation(self) -> Cooperation:
        return db.session.get_one(Cooperation, self.cooperation_id)

    def loaded(self) -> LoadedChecklist:
        return load(self.terms)

    def actor(self, key: str) -> Actor:
        return self.country.actor(key)

    def writers(self) -> dict[UUID, Actor]:
        pairs = {"other_npm": WRITER, "door": PARTNER}
        return {self.country.id(body): self.actor(key) for body, key in pairs.items()}

    def signers(self) -> dict[UUID, Actor]:
        pairs = {"other_npm": HEAD, "door": SIGNER}
        return {self.country.id(body): self.actor(key) for body, key in pairs.items()}

    def ask(self, by: str = WRITER, email: str = "", **changed: Any) -> OutsideReading:
        """Ask the reader, who has an account, or somebody with another address."""
        wanted: dict[str, Any] = {
            "name": "Rada Ilves",
            "function": FUNCTION,
            "email": email or self.country.users[READER].email,
            "until_on": clock.today() + dt.timedelta(days=10),
            "reason": REASON,
        }
        reading = service.ask(self.actor(by), self.terms, NewReader(**{**wanted, **changed}))
        db.session.commit()
        return reading

    def confirm(self, reading: OutsideReading) -> None:
        """Have the reader confirm on a page opened now."""
        digest = text_digest(self.loaded(), reading)
        service.confirm(
            self.actor(READER),
            reading.id,
            page=shown.page_with(digest),
            method="password_totp",
        )
        db.session.commit()


def small_npm(session: Session) -> SmallNpm:
    """Put the application on a copy of a database with them; return who and what is there."""
    people, cooperation_id, terms_id = starting_points.of(current_app).use("small_npm", _build)
    return SmallNpm(people.load(session), cooperation_id, terms_id)


def _build() -> tuple[StoredCountry, UUID, UUID]:
    country = make_country(db.session())
    load_checklists()
    country.person(
        "Bo Lind",
        "other_npm",
        Role.SIGNATORY,
        Role.MANAGER,
        Role.MEMBER,
        power="Act on the Council",
    )
    country.person("Rada Ilves", None)
    cooperation = open_one(country, "door", by=WRITER, modes=(Mode.INFO_F,))
    for key in (HEAD, PARTNER, SIGNER):
        bring_in(country, cooperation, key)
    recompute()
    terms = next(
        row
        for row in db.session.query(Checklist).filter_by(cooperation_id=cooperation.id)
        if row.kind is ChecklistKind.TERMS
    )
    small = SmallNpm(country, cooperation.id, terms.id)
    whole = checklists.whole(small.loaded(), "M6")
    answers.save_answer(country.actor(HEAD), terms, "M6", AnswerScope.SHARED, whole, base_version=0)
    chosen = {"M5": {"second_reader": str(country.users[HEAD].id)}}
    checklists.complete_answers(small.loaded(), small.writers(), chosen=chosen)
    recompute()
    db.session.commit()
    return StoredCountry.of(country), cooperation.id, terms.id
