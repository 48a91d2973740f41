"""A cooperation of an NPM with two CSOs, its people brought in, and its terms begun."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tests.factories import checklists
from tests.factories.agreements import checklist_of
from tests.factories.cooperations import Country, bring_in, country, open_one
from tracker.access.actor import Actor, Role
from tracker.checklists.loading import Filling, fill
from tracker.checklists.models import Checklist, ChecklistKind
from tracker.cooperations.models import Cooperation, Mode

QUESTIONS = {"personal_data": "no", "npm_passes_restricted": "no", "consent_hard": "no"}


@dataclass
class Table:
    """The table at which they sit: people by first name, checklists by kind."""

    land: Country
    cooperation: Cooperation

    def __getitem__(self, first: str) -> Actor:
        return self.land.actor(first)

    @property
    def session(self) -> Session:
        return self.land.session

    @property
    def writers(self) -> dict[UUID, Actor]:
        """Who writes for each organisation."""
        pairs = (("npm", "ilena"), ("door", "samira"), ("lantern", "joana"), ("bridge", "marek"))
        return {self.land.id(key): self[first] for key, first in pairs}

    @property
    def signatories(self) -> dict[UUID, Actor]:
        """Who signs for each organisation of the cooperation."""
        pairs = (("npm", "tomas"), ("door", "henrik"), ("lantern", "otto"))
        return {self.land.id(key): self[first] for key, first in pairs}

    def checklist(self, kind: ChecklistKind = ChecklistKind.TERMS) -> Checklist:
        return checklist_of(self.cooperation, kind)

    def filling(self, kind: ChecklistKind = ChecklistKind.TERMS) -> Filling:
        return fill(self.checklist(kind))

    def agree(self, kind: ChecklistKind = ChecklistKind.TERMS) -> Checklist:
        """Answer and accept all that is required, the review confirmed where there is one."""
        checklist = self.checklist(kind)
        checklists.agree(checklist, self.writers, self["oren"])
        return checklist

    def send(self, kind: ChecklistKind = ChecklistKind.TERMS) -> Checklist:
        checklist = self.agree(kind)
        checklists.send(checklist, self["ilena"], self.signatories)
        return checklist

    def sign(self, kind: ChecklistKind = ChecklistKind.TERMS) -> Checklist:
        """Bring a text into force."""
        checklist = self.send(kind)
        checklists.sign(checklist, *self.signatories.values())
        return checklist


@pytest.fixture
def table(session: Session) -> Table:
    """An open cooperation for joint visits with two CSOs, nothing answered yet."""
    land = country(session)
    land.person("Otto Brandis", "lantern", Role.SIGNATORY, power="Board minutes")
    cooperation = open_one(land, "door", "lantern", modes=(Mode.VISIT,), questions=QUESTIONS)
    for first in ("tomas", "nadia", "oren", "petra", "henrik", "dora", "otto", "leyla"):
        bring_in(land, cooperation, first)
    for first in ("samira", "joana"):
        bring_in(land, cooperation, first)
    session.commit()
    return Table(land, cooperation)
