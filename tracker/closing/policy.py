"""Who confirms the return of material, records an exception and completes a closing. Pure."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no
from tracker.closing.models import ReturnState
from tracker.undertakings.models import UndertakingEnd
from tracker.undertakings.policy import can_decide_for

# After these ends a person is asked what became of their copies (C17). Whoever signs again on new
# terms, or is suspended for a time, continues to have the same duty.
_ASKED_AFTER = frozenset(
    {
        UndertakingEnd.UNLISTED,
        UndertakingEnd.LEFT,
        UndertakingEnd.WITHDRAWN,
        UndertakingEnd.WITHDRAWN_BY_NPM,
        UndertakingEnd.TERMS_ENDED,
    }
)


@dataclass(frozen=True, slots=True)
class ReturnFact:
    """The plain values of a request to return material."""

    user_id: UUID
    state: ReturnState
    npm_ids: frozenset[UUID]
    # Whether the person has an account, and can confirm it themselves.
    signs_in: bool = True


@dataclass(frozen=True, slots=True)
class ClosingFact:
    """The plain values of a closing."""

    is_begun: bool
    is_completed: bool
    open_returns: int
    npm_ids: frozenset[UUID]


def is_asked_after(end: UndertakingEnd, *, terms_are_over: bool) -> bool:
    """Return whether a person is asked about their copies when an undertaking ends like this.

    If its last day has passed, only if the terms name no later one (C1): the day on which access to
    one visit ends would reveal when that visit was (adr 68).
    """
    return end in _ASKED_AFTER or (end is UndertakingEnd.EXPIRED and terms_are_over)


def can_confirm(actor: Actor, request: ReturnFact) -> Decision:
    """Decide who confirms the return of material: only the person, once (C17)."""
    if actor.user_id != request.user_id:
        return no(_l("Only the person can confirm this."))
    return _is_open(request)


def can_record(actor: Actor, request: ReturnFact, today: dt.date) -> Decision:
    """Decide who records what a person without an account confirms (C17): an NPM decider.

    Nobody confirms for somebody who can sign in.
    """
    allowed = can_decide_for(
        actor,
        request.npm_ids,
        today,
        _l("Only a signatory or manager of the NPM can record what somebody else confirms."),
    )
    if not allowed:
        return allowed
    if request.signs_in:
        return no(_l("This person has an account and confirms it for themselves."))
    return _is_open(request)


def can_except(actor: Actor, request: ReturnFact, today: dt.date) -> Decision:
    """Decide who records why a confirmation is missing: an NPM decider, never about themselves."""
    allowed = can_decide_for(
        actor,
        request.npm_ids,
        today,
        _l("Only a signatory or manager of the NPM can record an exception."),
    )
    if not allowed:
        return allowed
    if actor.user_id == request.user_id:
        return no(_l("You can't record an exception about yourself. Confirm it yourself."))
    return _is_open(request)


def can_complete(actor: Actor, closing: ClosingFact, today: dt.date) -> Decision:
    """Decide who completes the closing: an NPM decider, once every person has answered (G7)."""
    allowed = can_decide_for(
        actor,
        closing.npm_ids,
        today,
        _l("Only a signatory or manager of the NPM can complete the closing."),
    )
    if not allowed:
        return allowed
    if not closing.is_begun:
        return no(_l("The cooperation hasn't ended yet."))
    if closing.is_completed:
        return no(_l("The closing is already complete."))
    if closing.open_returns:
        return no(_l("Some people haven't confirmed yet what became of their copies."))
    return YES


def _is_open(request: ReturnFact) -> Decision:
    if request.state is ReturnState.CANCELLED:
        return no(_l("This is no longer needed: the person was cleared again."))
    if request.state is not ReturnState.REQUESTED:
        return no(_l("This was already answered."))
    return YES
