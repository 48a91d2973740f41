"""The actions on agreements during the torture: one transaction each, by the real services."""

import json
import random
import sqlite3
from collections.abc import Callable
from dataclasses import astuple, dataclass
from enum import StrEnum
from uuid import UUID

from flask import Flask
from sqlalchemy.exc import OperationalError

from tracker.access.actor import Actor
from tracker.accounts import queries as accounts
from tracker.accounts.models import User
from tracker.agreements import service as agreements_service
from tracker.checklists.loading import load_for_update
from tracker.checklists.models import Checklist, Stance
from tracker.checklists.negotiation import positions
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.signoff.identity_proof import Identity
from tracker.signoff.models import Method

ITEM = "U1"
# The response if the database accepted no further writer in time: nothing was done.
BUSY = "busy"


class Act(StrEnum):
    """What can be tried, at any time."""

    ACCEPT = "accept"
    SEND = "send"
    SIGN = "sign"
    DECLINE = "decline"
    AMEND = "amend"


# How often each is tried: about as many texts get through as are declined.
WEIGHTS = {Act.ACCEPT: 6, Act.SEND: 3, Act.SIGN: 8, Act.DECLINE: 1, Act.AMEND: 2}


@dataclass(frozen=True, slots=True)
class Party:
    """One side of an agreement: who writes for it, and who signs."""

    organisation_id: UUID
    coordinator_id: UUID
    signatory_id: UUID


@dataclass(frozen=True, slots=True)
class Agreement:
    """A text under torture."""

    checklist_id: UUID
    parties: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class Try:
    """One act on one agreement for one of its parties, each by its index in the list."""

    act: Act
    agreement: int
    party: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome: the digest of a signature, or why the act was refused."""

    done: bool
    answer: str = ""


def to_json(agreements: tuple[Agreement, ...]) -> str:
    """Describe what there is to act on, for another process."""
    plain = [
        [
            str(agreement.checklist_id),
            [[str(row_id) for row_id in astuple(party)] for party in agreement.parties],
        ]
        for agreement in agreements
    ]
    return json.dumps(plain)


def from_json(text: str) -> tuple[Agreement, ...]:
    """Read what to_json() wrote."""
    return tuple(
        Agreement(
            UUID(checklist), tuple(Party(*(UUID(row_id) for row_id in ids)) for ids in parties)
        )
        for checklist, parties in json.loads(text)
    )


def choose(chance: random.Random, agreements: tuple[Agreement, ...]) -> Try:
    """Choose what to try next."""
    act = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    number = chance.randrange(len(agreements))
    return Try(act, number, chance.randrange(len(agreements[number].parties)))


def perform(app: Flask, agreements: tuple[Agreement, ...], tried: Try) -> Outcome:
    """Do it in its own transaction, as a request does; a refusal leaves nothing behind."""
    agreement = agreements[tried.agreement]
    with app.app_context():
        try:
            answer = _DONE_BY[tried.act](agreement, agreement.parties[tried.party])
            db.session.commit()
        except (RuleBrokenError, RefusedError) as refusal:
            db.session.rollback()
            return Outcome(done=False, answer=type(refusal).__name__)
        except OperationalError as error:
            # SQLite has no queue for writers: one of so many may wait for too long.
            if not isinstance(error.orig, sqlite3.OperationalError):
                raise
            db.session.rollback()
            return Outcome(done=False, answer=BUSY)
    return Outcome(done=True, answer=answer)


def _accept(agreement: Agreement, party: Party) -> str:
    checklist = _text(agreement)
    current = load_for_update(checklist).sheet.shared(ITEM)
    if current is None:
        raise LookupError
    actor = _actor(party.coordinator_id, party)
    positions.take_position(actor, checklist, ITEM, Stance.ACCEPTS, answer_id=current.answer_id)
    return ""


def _send(agreement: Agreement, party: Party) -> str:
    signers = {party.organisation_id: party.signatory_id for party in agreement.parties}
    request = agreements_service.send(
        _actor(party.coordinator_id, party), _text(agreement), signers
    )
    return str(request.revision_id)


def _sign(agreement: Agreement, party: Party) -> str:
    actor = _actor(party.signatory_id, party)
    signature = agreements_service.sign(
        actor,
        _text(agreement),
        page=agreements_service.page_with(_text(agreement)),
        sentence=f"I sign this text for {actor.organisation_name}.",
        language="en",
        identity=Identity(actor.user_id, Method.PASSWORD_TOTP, clock.now()),
    )
    return signature.digest


def _decline(agreement: Agreement, party: Party) -> str:
    actor = _actor(party.signatory_id, party)
    checklist = _text(agreement)
    page = agreements_service.page_with(checklist)
    agreements_service.decline(
        actor, checklist, page=page, reason="Not in these words.", items=[ITEM]
    )
    return ""


def _amend(agreement: Agreement, party: Party) -> str:
    actor = _actor(party.coordinator_id, party)
    agreements_service.amend(actor, _text(agreement), reason="A year has passed.", items=[ITEM])
    return ""


_DONE_BY: dict[Act, Callable[[Agreement, Party], str]] = {
    Act.ACCEPT: _accept,
    Act.SEND: _send,
    Act.SIGN: _sign,
    Act.DECLINE: _decline,
    Act.AMEND: _amend,
}


def _text(agreement: Agreement) -> Checklist:
    return db.session.get_one(Checklist, agreement.checklist_id)


def _actor(user_id: UUID, party: Party) -> Actor:
    user = db.session.get_one(User, user_id)
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        memberships=accounts.memberships_of(user.id, clock.today()),
        organisation_id=party.organisation_id,
    )
