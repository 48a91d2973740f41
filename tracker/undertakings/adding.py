"""Service functions for interests added after signing (C13): by or for the person, or their party.

Until the NPM decides, the clearance is closed for the places concerned. What a party does by now
(M1, M14) was not before the NPM when it decided on its people, so it is asked about each of them
again; it may concern any place. So it is where a person begins to take part for a further party.
"""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access import page_tokens
from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import DomainEvent, record
from tracker.checklist_templates.models import ChecklistKind
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.organisations.models import Organisation
from tracker.undertakings import (
    added_interests,
    encryption,
    handlers,
    messages,
    people,
    policy,
    queries,
)
from tracker.undertakings.added_interests import PartyTies
from tracker.undertakings.models import (
    AddedInterest,
    InterestsDecision,
    Reach,
    Undertaking,
    UndertakingEnd,
)
from tracker.undertakings.places import ANOTHER_KIND, Places
from tracker.undertakings.queries import Loaded

MAX_INTEREST = 5000
MAX_REASON = 2000
MAX_NAME = 200


def add(actor: Actor, undertaking_id: UUID, text: str, places: Places) -> AddedInterest:
    """Add an interest to a signed undertaking, and ask the NPM to decide on it.

    To one's own, or to that of a person without an account who told the NPM. Access to the places
    concerned is closed in this transaction. Raise RefusedError for anybody else, before signing and
    once the undertaking is closed; RuleBrokenError with the field that is invalid.
    """
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    policy.can_add_interest(actor, loaded.standing, clock.today()).require()
    text = text.strip()
    if not text:
        raise RuleBrokenError(_l("Write what you declare"), "interest")
    if len(text) > MAX_INTEREST:
        raise RuleBrokenError(_l("Use at most %(num)s characters", num=MAX_INTEREST), "interest")
    recorded_by_id = None if actor.user_id == undertaking.user_id else actor.user_id
    return _put(loaded, text, checked_places(places), recorded_by_id=recorded_by_id)


def follow_organisation(event: DomainEvent) -> None:
    """Ask the NPM about the people of a party that says of itself that it does more. A handler.

    Of ORGANISATION_CHANGED, whose subject is the organisation.
    """
    body = db.session.get_one(Organisation, event.subject_id)
    changed = frozenset(event.details.get("changed", ()))
    _ask_about_people_of(body.id, people.ties_of_itself(body) & changed)


def follow_terms(event: DomainEvent) -> None:
    """Ask the NPM about the people of a party that does more by new terms (M1). A handler.

    Of CAME_INTO_FORCE.
    """
    if event.details.get("kind") != ChecklistKind.TERMS.value or event.cooperation_id is None:
        return
    for party_id, in_terms in people.ties_in_terms(event.cooperation_id).items():
        by_itself = people.ties_of_itself(db.session.get_one(Organisation, party_id))
        here = Undertaking.cooperation_id == event.cooperation_id
        _ask_about_people_of(party_id, in_terms - by_itself, here)


def follow_person(event: DomainEvent) -> None:
    """Ask the NPM about a person who begins to take part for a further party. A handler.

    Of PERSON_JOINED: what that party does was not before the NPM when it decided on the person.
    """
    if event.cooperation_id is None:
        return
    party_id, user_id = (UUID(event.details[key]) for key in ("organisation_id", "person_id"))
    theirs = sa.and_(
        Undertaking.cooperation_id == event.cooperation_id, Undertaking.user_id == user_id
    )
    for undertaking in queries.signed_of(theirs):
        party = db.session.get_one(Organisation, party_id)
        ties = people.ties_of(undertaking).get(party, frozenset())
        _add_for_party(undertaking, party_id, ties, is_further=True)


def _ask_about_people_of(
    party_id: UUID, ties: frozenset[str], *whose: sa.ColumnElement[bool]
) -> None:
    """Ask the NPM about those who take part for a party, unless it knew it when they signed."""
    if not ties:
        return
    for undertaking in queries.signed_of(sa.and_(people.acts_for(party_id), *whose)):
        then = people.ties_in_terms(undertaking.cooperation_id, at=undertaking.signed_at)
        _add_for_party(undertaking, party_id, ties - then.get(party_id, frozenset()))


def _add_for_party(
    undertaking: Undertaking, party_id: UUID, ties: frozenset[str], *, is_further: bool = False
) -> None:
    """Add what a person's party does by now to what they declared, unless that was done before."""
    new = ties - added_interests.ties_of_party(undertaking, party_id)
    if new:
        _put(queries.load(undertaking), "", Places(Reach.ALL), PartyTies(party_id, new))
        messages.party_changed(undertaking, is_further=is_further)


def _put(
    loaded: Loaded,
    text: str,
    places: Places,
    of_party: PartyTies | None = None,
    recorded_by_id: UUID | None = None,
) -> AddedInterest:
    """Store an interest of the person of an undertaking, or of their party, and ask the NPM."""
    undertaking = loaded.undertaking
    interest = AddedInterest(
        id=uuid4(),
        cooperation_id=undertaking.cooperation_id,
        user_id=undertaking.user_id,
        added_at=clock.now(),
    )
    added_interests.put_content(interest, text, places, of_party, recorded_by_id)
    db.session.add(interest)
    db.session.flush()
    details: dict[str, Any] = {"of_party": True} if of_party else {}
    record(
        verbs.INTEREST_ADDED,
        # Without an actor: the parties read the history, and only the NPM may know whose interest
        # it is.
        actor=None,
        subject_type=added_interests.SUBJECT,
        subject_id=interest.id,
        cooperation_id=interest.cooperation_id,
        **details,
    )
    messages.interest_added(
        undertaking, interest.id, loaded.terms.reference, loaded.standing.taken_by
    )
    return interest


def decide(
    actor: Actor,
    undertaking_id: UUID,
    interest_id: UUID,
    decision: InterestsDecision,
    reason: str = "",
    places: Places | None = None,
    *,
    seen: str,
) -> None:
    """Decide on an added interest: accept it, close places to the person, or ask for another one.

    The decision can be changed while the undertaking is open. seen is the mark() of the decision
    that was read: raise StaleError if somebody has decided since. Asking for another person closes
    the undertaking and its access. Raise RefusedError for anybody but an NPM's signatory or
    manager, on their own interest, and once the undertaking is closed.
    """
    undertaking = queries.locked(undertaking_id)
    standing = queries.load(undertaking).standing
    interest = added_interests.locked(interest_id)
    recorded_by_id = added_interests.recorded_by_id(interest)
    policy.can_decide_added(actor, standing, clock.today(), recorded_by_id).require()
    if added_interests.find(actor, undertaking, interest_id) is None:
        raise LookupError("The interest is not of the person of this undertaking.")
    if seen != mark(interest):
        raise StaleError(
            _l("Somebody decided while you were writing. Compare that decision with yours.")
        )
    reason, limit = checked_decision(decision, reason, places)
    interest.decision = decision
    interest.decided_at = clock.now()
    interest.decided_by_id = actor.user_id
    added_interests.put_decision(interest, reason, limit)
    db.session.flush()
    record(
        verbs.INTERESTS_DECIDED,
        actor=actor,
        subject_type=added_interests.SUBJECT,
        subject_id=interest.id,
        cooperation_id=interest.cooperation_id,
    )
    if decision is InterestsDecision.REPLACE:
        _close(actor, undertaking, reason)
    messages.interest_was_decided(interest.id)
    messages.decided(undertaking)


def mark(interest: AddedInterest) -> str:
    """Return a digest that distinguishes a decision on an added interest from any other."""
    at = interest.decided_at
    when = at.astimezone(dt.UTC).isoformat(timespec="microseconds") if at else ""
    return page_tokens.digest_of(str(interest.id), when)


def checked_decision(
    decision: InterestsDecision, reason: str, places: Places | None
) -> tuple[str, Places | None]:
    """Return the reason of a decision and, with a limit, the places closed to the person.

    The same for interests declared in an undertaking. Raise RuleBrokenError with the field that is
    invalid: only who is accepted needs no reason, and a limit needs its places.
    """
    reason = reason.strip()
    if not reason and decision is not InterestsDecision.ACCEPT:
        raise RuleBrokenError(_l("Say what you decide, and why. The person can read it."), "reason")
    if len(reason) > MAX_REASON:
        raise RuleBrokenError(_l("Use at most %(num)s characters", num=MAX_REASON), "reason")
    return reason, _limit(places) if decision is InterestsDecision.LIMIT else None


def checked_places(places: Places) -> Places:
    """Return places as required by their reach; raise RuleBrokenError if something is missing."""
    match places.reach:
        case Reach.ALL:
            return Places(Reach.ALL)
        case Reach.KIND:
            if not places.kind or places.kind == ANOTHER_KIND:
                raise RuleBrokenError(_l("Choose the kind of place"), "kind")
            return Places(Reach.KIND, kind=places.kind)
        case Reach.NAMED:
            name = places.name.strip()
            if not name:
                raise RuleBrokenError(_l("Enter the name of the place or institution"), "place")
            if len(name) > MAX_NAME:
                raise RuleBrokenError(_l("Use at most %(num)s characters", num=MAX_NAME), "place")
            return Places(Reach.NAMED, name=name)


def _limit(places: Places | None) -> Places:
    if places is None or places.reach is Reach.ALL:
        raise RuleBrokenError(
            _l("Name the place or the kind of place. To close all work, ask for another person."),
            "reach",
        )
    return checked_places(places)


def _close(actor: Actor, undertaking: Undertaking, reason: str) -> None:
    encryption.put_closing_reason(undertaking, reason)
    handlers.close(actor, undertaking, UndertakingEnd.WITHDRAWN_BY_NPM)
