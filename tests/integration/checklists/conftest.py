"""A cooperation of an NPM with two CSOs, its people brought in, and its terms begun."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories import checklists
from tests.factories.agreements import checklist_of
from tests.factories.cooperations import Country, bring_in, country, open_one
from tests.factories.templates import publish, small_terms
from tracker.access.actor import Actor, Role
from tracker.activity.models import Chain, Event, EventDetail
from tracker.checklists import positions, service
from tracker.checklists.completeness import ItemStanding
from tracker.checklists.loading import Filling, fill
from tracker.checklists.models import Answer, AnswerScope, Checklist, ChecklistKind, Stance
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

    def save(self, first: str, item: str, *, seen: int = 0, **values: object) -> Answer:
        """Save the shared answer of an item, words unless told otherwise, and commit."""
        saved = service.save_answer(
            self[first],
            self.checklist(),
            item,
            AnswerScope.SHARED,
            values or {"words": f"As {first} writes it."},
            base_version=seen,
        )
        self.session.commit()
        return saved

    def accept(self, item: str, *firsts: str) -> None:
        """Accept the answer as it stands, each for their party, and commit."""
        for first in firsts:
            answer = self.filling().sheet.shared(item)
            assert answer is not None
            positions.take_position(
                self[first], self.checklist(), item, Stance.ACCEPTS, answer_id=answer.answer_id
            )
        self.session.commit()

    def settle(self, item: str) -> Answer:
        """Have the NPM write an item's words and both partners accept them."""
        saved = self.save("ilena", item)
        self.accept(item, "samira", "joana")
        return saved

    def standing(self, item: str) -> ItemStanding:
        return self.filling().standing().items[item]

    def waiting(self, item: str) -> set[str]:
        """Return the keys of the organisations an item waits for."""
        names = {organisation.id: key for key, organisation in self.land.organisations.items()}
        return {names[one] for one in self.standing(item).waiting_for}

    def events(self, verb: str) -> list[dict[str, Any]]:
        """Return the details of all events of a verb in the cooperation's chain."""
        rows = self.session.execute(
            sa.select(EventDetail.content)
            .join(Event, Event.id == EventDetail.event_id)
            .join(Chain, Chain.id == Event.chain_id)
            .where(Chain.cooperation_id == self.cooperation.id, Event.verb == verb)
            .order_by(Event.number)
        )
        return list(rows.scalars())

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


def set_out(session: Session, *modes: Mode) -> Table:
    """Open a cooperation with two CSOs, for joint visits if not told, and bring its people in."""
    land = country(session)
    land.person("Otto Brandis", "lantern", Role.SIGNATORY, power="Board minutes")
    return another(land, "door", "lantern", modes=modes or (Mode.VISIT,))


def another(land: Country, *partners: str, modes: tuple[Mode, ...] = (Mode.VISIT,)) -> Table:
    """Open a cooperation of the NPM with partners in a country that is there, people brought in."""
    cooperation = open_one(land, *partners, modes=modes, questions=QUESTIONS)
    homes = {land.id(key) for key in ("npm", *partners)}
    everybody = ("tomas", "nadia", "oren", "petra", "henrik", "dora", "otto", "leyla")
    for first in (*everybody, "samira", "joana"):
        home = land.homes[first]
        if home is not None and home.id in homes:
            bring_in(land, cooperation, first)
    land.session.commit()
    return Table(land, cooperation)


@pytest.fixture
def table(session: Session) -> Table:
    """A cooperation with nothing answered yet, on the small terms."""
    publish(small_terms())
    return set_out(session)


@pytest.fixture
def whole_table(session: Session) -> Table:
    """A cooperation with nothing answered yet, on the shipped checklists."""
    return set_out(session)
