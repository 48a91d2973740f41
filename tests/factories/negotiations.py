"""A cooperation of an NPM with two CSOs whose people fill in its checklists and sign them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session, selectinload

from tests import starting_points
from tests.factories import checklists
from tests.factories.agreements import checklist_of
from tests.factories.cooperations import Country, StoredCountry, bring_in, make_country, open_one
from tests.factories.templates import publish
from tests.starting_points import named, place_of
from tracker.access.actor import Actor, Role
from tracker.activity.models import Chain, Event, EventDetail
from tracker.activity.stale import recompute
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Template
from tracker.checklists import service
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Answer, Checklist, Stance
from tracker.checklists.negotiation import positions
from tracker.checklists.rules.completeness import ItemStatus
from tracker.cooperations.models import Cooperation, Mode, Party
from tracker.core.db import db

QUESTIONS = {
    "personal_data": "no",
    "npm_passes_restricted": "no",
    "cso_passes_restricted": "no",
    "consent_hard": "no",
}


@dataclass
class Negotiation:
    """A cooperation under negotiation: people by first name, checklists by kind."""

    country: Country
    cooperation: Cooperation
    # The starting point that the database is a copy of.
    start: str = ""

    def __getitem__(self, first: str) -> Actor:
        return self.country.actor(first)

    @property
    def session(self) -> Session:
        return self.country.session

    @property
    def writers(self) -> dict[UUID, Actor]:
        """Who writes for each organisation."""
        pairs = (("npm", "ilena"), ("door", "samira"), ("lantern", "joana"), ("bridge", "marek"))
        return {self.country.id(key): self[first] for key, first in pairs}

    @property
    def signatories(self) -> dict[UUID, Actor]:
        """Who signs for each organisation of the cooperation."""
        pairs = (("npm", "tomas"), ("door", "henrik"), ("lantern", "otto"))
        return {self.country.id(key): self[first] for key, first in pairs}

    def checklist(self, kind: ChecklistKind = ChecklistKind.TERMS) -> Checklist:
        """Return a checklist in its current state, after committing."""
        recompute()
        return checklist_of(self.cooperation, kind)

    def loaded(self, kind: ChecklistKind = ChecklistKind.TERMS) -> LoadedChecklist:
        return load(self.checklist(kind))

    def save(self, first: str, item: str, *, seen: int = 0, **values: object) -> Answer:
        """Save the shared answer of an item, by default words, and commit."""
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

    def accept(self, item: str, *firsts: str, outcome: str = "") -> None:
        """Accept the current answer for each person's party, and commit.

        outcome is what came of a discussion that the party asked for.
        """
        for first in firsts:
            answer = self.loaded().sheet.shared(item)
            assert answer is not None
            positions.take_position(
                self[first],
                self.checklist(),
                item,
                Stance.ACCEPTS,
                answer_id=answer.answer_id,
                outcome=outcome,
            )
        self.session.commit()

    def settle(self, item: str) -> Answer:
        """Have the NPM write an item's text and both partners accept it."""
        saved = self.save("ilena", item)
        self.accept(item, "samira", "joana")
        return saved

    def standing(self, item: str) -> ItemStatus:
        return self.loaded().standing().items[item]

    def waiting(self, item: str) -> set[str]:
        """Return the keys of the organisations an item waits for."""
        names = {organisation.id: key for key, organisation in self.country.organisations.items()}
        return {names[party_id] for party_id in self.standing(item).waiting_for}

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
        """Answer and accept everything required, and confirm the review if there is one."""
        self.go_on(f"agree_{kind}", lambda own: _agree(own, kind))
        return self.checklist(kind)

    def send(self, kind: ChecklistKind = ChecklistKind.TERMS) -> Checklist:
        """Agree on a text, freeze it and ask for signatures."""
        self.go_on(f"send_{kind}", lambda own: _send(own, kind))
        return self.checklist(kind)

    def sign(self, kind: ChecklistKind = ChecklistKind.TERMS) -> Checklist:
        """Bring a text into force."""
        self.go_on(f"sign_{kind}", lambda own: _sign(own, kind))
        return self.checklist(kind)

    def go_on(self, name: str, act: "Act") -> None:
        """Do what many tests begin with; from a stored copy if nothing was done before.

        The name says what that is. Rows that were read before it are out of date.
        """
        points = starting_points.of(current_app)
        if not self.start or not points.is_untouched:
            act(self)
            return
        before, start = StoredNegotiation.of(self), named(self.start, name, place_of(act))

        def build() -> StoredNegotiation:
            negotiation = before.load(db.session())
            act(negotiation)
            return StoredNegotiation.of(negotiation)

        after = points.use(start, build, on=self.start)
        self.session.expire_all()
        again = after.load(self.session, start)
        self.country, self.cooperation, self.start = again.country, again.cooperation, again.start


Act = Callable[[Negotiation], object]


def _agree(negotiation: Negotiation, kind: ChecklistKind) -> None:
    checklists.agree(negotiation.checklist(kind), negotiation.writers, negotiation["oren"])


def _send(negotiation: Negotiation, kind: ChecklistKind) -> None:
    _agree(negotiation, kind)
    checklists.send(negotiation.checklist(kind), negotiation["ilena"], negotiation.signatories)


def _sign(negotiation: Negotiation, kind: ChecklistKind) -> None:
    _send(negotiation, kind)
    checklists.sign(negotiation.checklist(kind), *negotiation.signatories.values())


@dataclass(frozen=True)
class StoredNegotiation:
    """A Negotiation as plain values, by which it is loaded from a copy of its database."""

    cooperation: UUID
    country: StoredCountry

    @classmethod
    def of(cls, negotiation: Negotiation) -> Self:
        return cls(negotiation.cooperation.id, StoredCountry.of(negotiation.country))

    def load(self, session: Session, start: str = "") -> Negotiation:
        """Return the negotiation with its rows in a session, on a copy of a starting point."""
        country = self.country.load(session)
        cooperation = session.scalars(
            sa.select(Cooperation)
            .where(Cooperation.id == self.cooperation)
            .options(selectinload(Cooperation.parties).joinedload(Party.organisation))
            .execution_options(populate_existing=True)
        ).one()
        return Negotiation(country, cooperation, start)


def set_out(session: Session, *modes: Mode, template: Template | None = None) -> Negotiation:
    """Reset the application to a cooperation with two CSOs; return it.

    It is for joint visits unless modes are given; its people are added and nothing is answered. A
    template is published first, in place of the shipped one of its kind.
    """
    name = named("negotiation", modes, template.model_dump_json() if template else "")

    def build() -> StoredNegotiation:
        if template:
            publish(template)
        return StoredNegotiation.of(begin(db.session(), *modes))

    return starting_points.of(current_app).use(name, build).load(session, name)


def begin(session: Session, *modes: Mode) -> Negotiation:
    """Open a cooperation with two CSOs, by default for joint visits, in the current database."""
    country = make_country(session)
    country.person("Otto Brandis", "lantern", Role.SIGNATORY, power="Board minutes")
    return another(country, "door", "lantern", modes=modes or (Mode.VISIT,))


def another(
    country: Country, *partners: str, modes: tuple[Mode, ...] = (Mode.VISIT,)
) -> Negotiation:
    """Open another cooperation of the NPM with partners from an existing country, people added."""
    cooperation = open_one(country, *partners, modes=modes, questions=QUESTIONS)
    homes = {country.id(key) for key in ("npm", *partners)}
    everybody = ("tomas", "nadia", "oren", "petra", "henrik", "dora", "otto", "leyla")
    for first in (*everybody, "samira", "joana"):
        home = country.homes[first]
        if home is not None and home.id in homes:
            bring_in(country, cooperation, first)
    country.session.commit()
    return Negotiation(country, cooperation)
