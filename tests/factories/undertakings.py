"""Confidentiality terms in force and people who sign, made by the real services."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from tests import starting_points
from tests.client import CheckedClient
from tests.factories.cooperations import load_checklists, signed_in
from tracker.access.actor import Actor
from tracker.accounts import queries as accounts
from tracker.accounts.factors import second_factor
from tracker.accounts.models import User
from tracker.activity.stale import recompute
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.cooperations import clearances
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Clearance, Cooperation, Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.core.localized import LocalizedStr
from tracker.demo import checklists as demo_checklists
from tracker.demo import people
from tracker.demo.people import DemoPeople
from tracker.lifecycle import service as lifecycle
from tracker.organisations.models import Organisation
from tracker.signoff.identity_proof import Identity, SigningPage
from tracker.signoff.models import Method
from tracker.undertakings import queries, service
from tracker.undertakings.facts import Draft
from tracker.undertakings.models import InterestsDecision, Reach, Undertaking, UndertakingState
from tracker.undertakings.places import Places

PASSWORD = "seven lanterns by the harbour"
TOLD = "My cousin keeps the keys of the Lower Harbour station."
# What a limit of the NPM closes.
HARBOUR = Places(Reach.NAMED, name="Lower Harbour station")
# The starting point of a cooperation in which everybody listed was asked.
START = "undertakings"
# In how many days the terms of the factory end.
DAYS = 700


@dataclass
class Clearing:
    """The people of a cooperation of the fictional country, who sign its confidentiality terms."""

    demo_people: DemoPeople
    cooperation: Cooperation
    checklist: Checklist

    def actor(self, key: str) -> Actor:
        """Return a person as they act at this moment, with their open clearances."""
        user = self.demo_people.users[key]
        body = next(person.body for person in people.PEOPLE if person.key == key)
        return Actor(
            user_id=user.id,
            name=user.name,
            email=user.email,
            memberships=accounts.memberships_of(user.id, clock.today()),
            organisation_id=self.demo_people.bodies[body].id if body else None,
            clearances=clearances.open_clearances(user.id, clock.today()),
            has_second_factor=True,
        )

    def id(self, key: str) -> UUID:
        """Return the id of a person."""
        return self.demo_people.users[key].id

    def undertaking(self, key: str) -> Undertaking:
        """Return a person's newest undertaking, after committing."""
        recompute()
        return db.session.scalars(
            sa.select(Undertaking)
            .where(
                Undertaking.cooperation_id == self.cooperation.id,
                Undertaking.user_id == self.id(key),
            )
            .order_by(Undertaking.closed_at.is_not(None), Undertaking.asked_at.desc())
            .options(*queries.WITH_NAMES)
            .execution_options(populate_existing=True)
            .limit(1)
        ).one()

    def states(self) -> dict[str, UndertakingState]:
        """Return the state of each person's newest undertaking, as undertaking() does."""
        recompute()
        rows = db.session.scalars(
            sa.select(Undertaking)
            .where(Undertaking.cooperation_id == self.cooperation.id)
            .order_by(Undertaking.closed_at.is_(None), Undertaking.closed_at)
            .execution_options(populate_existing=True)
        )
        keys = {user.id: key for key, user in self.demo_people.users.items()}
        return {keys[row.user_id]: row.state for row in rows}

    def is_cleared(self, key: str, visit_id: UUID | None = None) -> bool:
        """Return whether a clearance is open to a person, as a request would see it."""
        return self.actor(key).cleared_for(self.cooperation.id, visit_id)

    def proof(self, key: str) -> Identity:
        """Return a proof of identity, as the signing form gives it."""
        return Identity(self.id(key), Method.PASSWORD_TOTP, clock.now())

    def put_in(self, key: str, interests: str = "", **changed: Any) -> Draft:
        """Have a person fill in everything before signing."""
        undertaking = self.undertaking(key)
        questions = queries.questions_of(queries.load(undertaking))
        values: dict[str, Any] = {
            "confirmed": frozenset(questions.names),
            "briefed": True,
            "briefed_on": clock.today(),
            "has_interests": bool(interests),
            "interests": interests,
            "is_ready": True,
            **changed,
        }
        return service.save_draft(self.actor(key), undertaking.id, Draft(**values))

    def sign(
        self, key: str, interests: str = "", *, by: str = "", language: str = "en"
    ) -> Undertaking:
        """Have a person fill in and sign, on pages in a language."""
        undertaking = self.undertaking(key)
        self.put_in(key, interests)
        signer = by or key
        sentence = f"I, {undertaking.user.name}, undertake this."
        service.sign(
            self.actor(signer),
            undertaking.id,
            page=self.page(key, sentence, language),
            sentence=sentence,
            language=language,
            identity=self.proof(signer),
        )
        return undertaking

    def page(self, key: str, sentence: str, language: str = "en") -> SigningPage:
        """Return a page opened now on which a person signs what they entered."""
        loaded = queries.load(self.undertaking(key))
        return service.page_to_sign(loaded, LocalizedStr(sentence, language))

    def decide(
        self,
        key: str,
        decision: InterestsDecision = InterestsDecision.ACCEPT,
        reason: str = "",
        places: Places | None = HARBOUR,
        *,
        by: str = "tomas",
    ) -> None:
        """Have the NPM decide on what a person declared."""
        undertaking = self.undertaking(key)
        seen = service.decision_mark(undertaking)
        service.decide(self.actor(by), undertaking.id, decision, reason, places, seen=seen)

    def countersign(
        self,
        key: str,
        *,
        by: str = "tomas",
        until: dt.date | None = None,
        visit_id: UUID | None = None,
    ) -> Clearance:
        """Have the NPM countersign."""
        undertaking = self.undertaking(key)
        return service.countersign(
            self.actor(by),
            undertaking.id,
            opened=service.page_1_token(self.actor(by), undertaking),
            page=service.page_to_countersign(undertaking),
            until=until or queries.load(undertaking).terms.until,
            sentence=f"I countersign the undertaking of {undertaking.user.name}.",
            language="en",
            identity=self.proof(by),
            visit_id=visit_id,
        )

    def countersigning(self, key: str, *, by: str = "tomas", until: object = None) -> str:
        """Return the URL of page 2 of countersigning, to which page 1 leads."""
        undertaking = self.undertaking(key)
        last = queries.load(undertaking).terms.until if until is None else until
        return (
            f"/cooperations/{self.cooperation.reference}/undertakings/{undertaking.id}"
            f"/countersign?until={last}&opened={service.page_1_token(self.actor(by), undertaking)}"
        )

    def clear(self, key: str, interests: str = "") -> Clearance:
        """Take a person all the way to a clearance."""
        self.sign(key, interests)
        if interests or self.undertaking(key).party_has_interest:
            self.decide(key)
        return self.countersign(key)

    def list_people(self, body: str, *keys: str, by: str = "") -> None:
        """Have a party list these people as having to sign (C2)."""
        sheet = load(self.checklist).sheet
        organisation = self.demo_people.bodies[body].id
        current = sheet.of_party("C2", organisation)
        rows = [
            {
                "person": str(self.id(key)),
                "function": "Physician",
                "organisation": str(organisation),
            }
            for key in keys
        ]
        values = {"listed": "people", "persons": rows} if rows else {"listed": "nobody"}
        checklists.save_answer(
            self.actor(by or demo_checklists.COORDINATORS[body]),
            self.checklist,
            "C2",
            AnswerScope.PARTY,
            values,
            base_version=current.version if current else 0,
        )
        recompute()

    def amend(
        self, *, until: dt.date | None = None, documents: list[dict[str, str]] | None = None
    ) -> None:
        """Bring a new revision of the terms into force, with documents that people sign (C1)."""
        agreements.amend(self.actor("ilena"), self.checklist, reason="A longer duty.", items=["C1"])
        sheet = load(self.checklist).sheet
        current = sheet.shared("C1")
        assert current is not None
        last = until or clock.today() + dt.timedelta(days=DAYS + 30)
        checklists.save_answer(
            self.actor("ilena"),
            self.checklist,
            "C1",
            AnswerScope.SHARED,
            {**current.values, "until": last.isoformat(), "documents": documents or []},
            base_version=current.version,
        )
        demo_checklists.send(self.demo_people, self.checklist)
        demo_checklists.sign(self.demo_people, self.checklist)

    def browser(self, app: Flask, key: str) -> CheckedClient:
        """Return a browser in which a person is signed in, after committing."""
        db.session.commit()
        return signed_in(app, db.session.merge(self.demo_people.users[key]))

    def code(self, key: str) -> str:
        """Return the code that a person's app shows now."""
        return second_factor.current_code(db.session.merge(self.demo_people.users[key])).code


def start(app: Flask) -> None:
    """Reset the application to a cooperation in which everybody listed was asked."""
    starting_points.of(app).use(START, _build)


def _build() -> None:
    clearing(demo_people())


def demo_people() -> DemoPeople:
    """Create the fictional country with its people."""
    load_checklists()
    return people.make(PASSWORD)


def everybody() -> DemoPeople:
    """Return the people and bodies that already exist."""
    users = {user.name: user for user in db.session.scalars(sa.select(User))}
    bodies = {body.name: body for body in db.session.scalars(sa.select(Organisation))}
    return DemoPeople(
        bodies={key: bodies[body.details.name] for key, body in people.BODIES.items()},
        users={person.key: users[person.name] for person in people.PEOPLE},
    )


def existing() -> Clearing:
    """Return the cooperation that already exists."""
    cooperation = db.session.scalars(sa.select(Cooperation)).one()
    return Clearing(everybody(), cooperation, _confidentiality(cooperation))


def clearing(
    cast_: DemoPeople,
    *partners: str,
    modes: tuple[Mode, ...] = (Mode.VISIT,),
    questions: dict[str, str] | None = None,
    covers: dict[str, str] | None = None,
    in_force: bool = True,
) -> Clearing:
    """Open a cooperation, add everybody, and bring its confidentiality terms into force.

    covers is the answer to C1, by default all work for a limited time.
    """
    bodies = ("npm", *(partners or ("od", "lh")))
    cooperation = lifecycle.open_cooperation(
        cast_.actor("ilena"),
        title="Joint monitoring of police custody",
        purpose="To see whether safeguards are kept.",
        organisation_ids=[cast_.bodies[body].id for body in bodies[1:]],
        modes=modes,
        questions=questions,
    )
    for body in bodies:
        for person in cast_.of_body(body):
            if person.key != "ilena":
                cooperations.add_person(
                    cast_.actor(demo_checklists.COORDINATORS[body]),
                    cooperation,
                    user_id=cast_.users[person.key].id,
                    organisation_id=cast_.bodies[body].id,
                    function=person.function,
                )
    checklist = _confidentiality(cooperation)
    new_stage = Clearing(cast_, cooperation, checklist)
    if covers is not None:
        checklists.save_answer(
            new_stage.actor("ilena"), checklist, "C1", AnswerScope.SHARED, covers, base_version=0
        )
    demo_checklists.fill_in(cast_, checklist)
    if in_force:
        demo_checklists.send(cast_, checklist)
        demo_checklists.sign(cast_, checklist)
    return new_stage


def _confidentiality(cooperation: Cooperation) -> Checklist:
    return db.session.scalars(
        sa.select(Checklist).where(
            Checklist.cooperation_id == cooperation.id,
            Checklist.kind == ChecklistKind.CONFIDENTIALITY,
        )
    ).one()
