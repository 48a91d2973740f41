"""Service functions for interests added after signing: add one, decide on one (C13).

Until the NPM decides, the clearance is closed for the places concerned.
"""

import datetime as dt
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l

from tracker.access import page_tokens
from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.undertakings import (
    added_interests,
    encryption,
    handlers,
    messages,
    policy,
    queries,
)
from tracker.undertakings.models import (
    AddedInterest,
    InterestsDecision,
    Reach,
    Undertaking,
    UndertakingEnd,
)
from tracker.undertakings.places import ANOTHER_KIND, Places

SUBJECT = "added_interest"
MAX_INTEREST = 5000
MAX_REASON = 2000
MAX_NAME = 200


def add(actor: Actor, undertaking_id: UUID, text: str, places: Places) -> AddedInterest:
    """Add an interest to the actor's own signed undertaking, and ask the NPM to decide on it.

    The person's access to the places concerned is closed in this transaction. Raise RefusedError
    for anybody else, before signing and once the undertaking is closed; RuleBrokenError with the
    field that is invalid.
    """
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    policy.can_add_interest(actor, loaded.standing).require()
    text = text.strip()
    if not text:
        raise RuleBrokenError(_l("Write what you declare"), "interest")
    if len(text) > MAX_INTEREST:
        raise RuleBrokenError(_l("Use at most %(num)s characters", num=MAX_INTEREST), "interest")
    interest = AddedInterest(
        id=uuid4(),
        cooperation_id=undertaking.cooperation_id,
        user_id=actor.user_id,
        added_at=clock.now(),
    )
    added_interests.put_content(interest, text, checked_places(places))
    db.session.add(interest)
    db.session.flush()
    record(
        verbs.INTEREST_ADDED,
        # Without an actor: the parties read the history, and only the NPM may know whose interest
        # it is.
        actor=None,
        subject_type=SUBJECT,
        subject_id=interest.id,
        cooperation_id=interest.cooperation_id,
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
    policy.can_decide_added(actor, queries.load(undertaking).standing).require()
    interest = added_interests.locked(interest_id)
    if added_interests.find(actor, undertaking, interest_id) is None:
        raise LookupError("The interest is not of the person of this undertaking.")
    if seen != mark(interest):
        raise StaleError(
            _l("Somebody decided while you were writing. Compare that decision with yours.")
        )
    reason = reason.strip()
    if not reason and decision is not InterestsDecision.ACCEPT:
        raise RuleBrokenError(_l("Say what you decide, and why. The person can read it."), "reason")
    if len(reason) > MAX_REASON:
        raise RuleBrokenError(_l("Use at most %(num)s characters", num=MAX_REASON), "reason")
    limit = _limit(places) if decision is InterestsDecision.LIMIT else None
    interest.decision = decision
    interest.decided_at = clock.now()
    interest.decided_by_id = actor.user_id
    added_interests.put_decision(interest, reason, limit)
    db.session.flush()
    record(
        verbs.INTERESTS_DECIDED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=interest.id,
        cooperation_id=interest.cooperation_id,
    )
    if decision is InterestsDecision.REPLACE:
        _close(actor, undertaking, reason)
    messages.decided(undertaking)


def mark(interest: AddedInterest) -> str:
    """Return a digest that distinguishes a decision on an added interest from any other."""
    at = interest.decided_at
    when = at.astimezone(dt.UTC).isoformat(timespec="microseconds") if at else ""
    return page_tokens.digest_of(str(interest.id), when)


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
