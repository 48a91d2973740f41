"""A driver without an account who signs the undertaking on paper, by the real services."""

import datetime as dt
from typing import Any
from uuid import UUID

from flask import Flask

from tests import starting_points
from tests.factories import paper as scans
from tests.factories import undertakings
from tests.factories.undertakings import Clearing
from tracker.access.actor import Actor
from tracker.accounts import queries as accounts
from tracker.accounts.models import User
from tracker.accounts.people import without_email
from tracker.accounts.people.without_email import NewPerson
from tracker.activity.stale import recompute
from tracker.cooperations import queries as queries_of_cooperations
from tracker.cooperations import service as cooperations
from tracker.core import clock
from tracker.core.db import db
from tracker.core.localized import LocalizedStr
from tracker.signoff import paper, shown
from tracker.signoff.identity_proof import SigningPage
from tracker.signoff.models import Signature
from tracker.signoff.paper_models import PaperRecord
from tracker.undertakings import queries
from tracker.undertakings.facts import Draft
from tracker.undertakings.paper import service

DRIVER = "bruno"
NAME = "Bruno Keel"
SENTENCE = "Bruno Keel signed on paper; the scan was compared with the text."
OWN_WORDS = "I, Bruno Keel, undertake this."


def bring_in(clearing: Clearing) -> None:
    """Have the NPM add a driver without an account, and list them as having to sign (C2)."""
    npm = clearing.demo_people.bodies["npm"]
    user = without_email.add(clearing.actor("ilena"), NewPerson(NAME, npm.id, outside_expert=True))
    clearing.demo_people.users[DRIVER] = user
    cooperation = queries_of_cooperations.find(
        clearing.actor("ilena"), clearing.cooperation.reference
    )
    assert cooperation is not None
    cooperations.add_person(
        clearing.actor("ilena"),
        cooperation,
        user_id=user.id,
        organisation_id=npm.id,
        function="Driver",
    )
    recompute()
    clearing.list_people("npm", DRIVER)


def with_driver(app: Flask, clearing: Clearing) -> Clearing:
    """Reset the application to a stage whose driver was asked already; return the stage on it."""
    user_id = starting_points.of(app).use("driver", _driver, on=undertakings.START)
    renewed = undertakings.existing()
    clearing.demo_people, clearing.cooperation = renewed.demo_people, renewed.cooperation
    clearing.checklist = renewed.checklist
    clearing.demo_people.users[DRIVER] = db.session.get_one(User, user_id)
    return clearing


def _driver() -> UUID:
    clearing = undertakings.existing()
    bring_in(clearing)
    return clearing.id(DRIVER)


def as_actor(clearing: Clearing, key: str = DRIVER) -> Actor:
    """Return the driver as they would act if they could sign in."""
    user = clearing.demo_people.users[key]
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        memberships=accounts.memberships_of(user.id, clock.today()),
        organisation_id=clearing.demo_people.bodies["npm"].id,
    )


def filled_in(clearing: Clearing, interests: str = "", **changed: Any) -> Draft:
    """Return what the driver filled in on the paper."""
    questions = queries.questions_of(queries.load(clearing.undertaking(DRIVER)))
    values: dict[str, Any] = {
        "confirmed": frozenset(questions.names),
        "briefed": True,
        "briefed_on": clock.today(),
        "has_interests": bool(interests),
        "interests": interests,
        **changed,
    }
    return Draft(**values)


def record(
    clearing: Clearing,
    by: Actor | str = "ilena",
    *,
    of: str = DRIVER,
    draft: Draft | None = None,
    signed_on: dt.date | None = None,
    scan: bytes = b"",
) -> PaperRecord:
    """Record the scan of what the driver signed."""
    return service.record(
        clearing.actor(by) if isinstance(by, str) else by,
        clearing.undertaking(of).id,
        draft=draft or filled_in(clearing),
        signed_on=signed_on or clock.today(),
        scan=scan or scans.pdf(),
        sentence=LocalizedStr(OWN_WORDS, "en"),
    )


def recorded(clearing: Clearing) -> PaperRecord:
    """Return the scan of the driver's undertaking."""
    revision_id = clearing.undertaking(DRIVER).revision_id
    assert revision_id is not None
    return paper.on_revisions([revision_id])[revision_id][0]


def page_of(clearing: Clearing) -> SigningPage:
    """Return a page opened now that shows the scan, and the sentence of its signature."""
    return shown.with_sentence(shown.page_with(recorded(clearing).digest), SENTENCE)


def confirm(
    clearing: Clearing, by: Actor | str = "milan", *, page: SigningPage | None = None
) -> Signature:
    """Have a second person confirm the scan, on a page opened now."""
    return service.confirm(
        clearing.actor(by) if isinstance(by, str) else by,
        clearing.undertaking(DRIVER).id,
        page=page or page_of(clearing),
        sentence=SENTENCE,
        language="en",
    )
