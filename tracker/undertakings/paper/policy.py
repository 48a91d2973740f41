"""Who confirms and withdraws the scan of an undertaking signed on paper. Pure.

The NPM's coordinator records the scan (policy.can_take_signature), a second person who decides for
the NPM confirms it. Whoever recorded it doesn't (policy.can_vouch).
"""

import datetime as dt

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no
from tracker.signoff import paper_policy
from tracker.undertakings import policy
from tracker.undertakings.facts import UndertakingStatus
from tracker.undertakings.models import UndertakingState


def can_decide(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who may confirm or refuse a scan: a second person, who decides for the NPM.

    Never the person who recorded it, nor the person of the undertaking. The scan is compared with
    what was declared (C13), so it has to be somebody who may read that.
    """
    allowed = policy.can_decide_for(
        actor,
        undertaking.npm_ids,
        today,
        _l("Only a signatory or manager of the NPM can confirm the scan."),
    )
    if not allowed:
        return allowed
    if actor.user_id == undertaking.user_id:
        return no(_l("You can't confirm your own undertaking."))
    if undertaking.state is not UndertakingState.ON_PAPER:
        return no(_l("This scan is no longer waiting to be confirmed."))
    if not undertaking.is_current:
        return no(_l("New terms are in force. The person has to sign again on the new terms."))
    covered = policy.is_covered(undertaking, today)
    return covered and policy.can_vouch(actor, undertaking)


def can_withdraw(actor: Actor, undertaking: UndertakingStatus) -> Decision:
    """Decide who may withdraw a scan before it is confirmed: a coordinator of the NPM."""
    if not policy.coordinates(actor, undertaking):
        return no(_l("Only a coordinator of the NPM can withdraw a scan."))
    if undertaking.state is not UndertakingState.ON_PAPER:
        return no(_l("This scan is no longer waiting to be confirmed."))
    return YES


def can_read(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who may open the scan: people who decide for the NPM, and whoever recorded it."""
    if actor.user_id == undertaking.recorded_by_id:
        return YES
    return policy.can_see(actor, undertaking, today)


def can_be_dated(signed_on: dt.date, asked_on: dt.date, today: dt.date) -> Decision:
    """Decide whether a date can be the one on the paper: never before the person was asked."""
    dated = paper_policy.can_be_dated(signed_on, today)
    if dated and signed_on < asked_on:
        return no(_l("The person was asked after this day. A paper signed earlier doesn't count."))
    return dated
