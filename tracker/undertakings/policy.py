"""Who fills in, signs, decides on, countersigns, withdraws and sees an undertaking. Pure.

In one file: the decisions about one undertaking depend on the same power and the same states.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no
from tracker.cooperations import policy as cooperations
from tracker.cooperations.models import Stage
from tracker.signoff import policy as signoff
from tracker.signoff.paper_policy import RECORDERS
from tracker.undertakings.facts import UndertakingStatus
from tracker.undertakings.models import InterestsDecision, UndertakingState

# Roles of people who decide, while their power is current; see is_decider().
DECIDERS = signoff.COUNTERSIGNERS


def is_decider(actor: Actor, today: dt.date) -> bool:
    """Return whether a person decides on undertakings for the NPM that they are acting for.

    Its managers, and its signatories with a power current on that day (product.md, section 2). An
    outside expert needs a clearance like a CSO's person, and decides on nobody else's.
    """
    return actor.acts_for_npm and not actor.outside_expert and bool(signoff.decides(actor, today))


def is_asker(actor: Actor, today: dt.date) -> bool:
    """Return whether a person asks others for the NPM that they are acting for.

    Its coordinators, and people who decide for it.
    """
    coordinates = actor.acts_for_npm and actor.has(Role.COORDINATOR) and not actor.outside_expert
    return coordinates or is_decider(actor, today)


def decides_for(actor: Actor, npm_ids: frozenset[UUID], today: dt.date) -> bool:
    """Return whether a person decides for an NPM of the cooperation; see is_decider()."""
    return acts_for(actor, npm_ids) and is_decider(actor, today)


def can_decide_for(
    actor: Actor, npm_ids: frozenset[UUID], today: dt.date, otherwise: str
) -> Decision:
    """Decide whether a person decides for an NPM of the cooperation; otherwise says who does.

    A signatory whose power has run out, or hasn't begun yet, reads that instead.
    """
    if decides_for(actor, npm_ids, today):
        return YES
    signs = acts_for(actor, npm_ids) and actor.has(Role.SIGNATORY) and not actor.outside_expert
    return signoff.decides(actor, today) if signs else no(otherwise)


def handles_paper(actor: Actor, npm_ids: frozenset[UUID], today: dt.date) -> bool:
    """Return whether a person records or confirms for an NPM what others signed on paper."""
    return acts_for(actor, npm_ids) and is_asker(actor, today)


def can_take_signature(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who may take a signature from a person, on paper or on their own device.

    Only from people who never sign in, since whoever has an account signs for themselves (S11); a
    coordinator of the NPM.
    """
    if not coordinates(actor, undertaking) or actor.user_id == undertaking.user_id:
        return no(
            _l("Only a coordinator of the NPM can record how a person without an account signs.")
        )
    if undertaking.signs_in:
        return no(_l("This person has an account and signs for themselves."))
    match undertaking.state:
        case UndertakingState.ON_PAPER:
            return no(_l("A scan of this undertaking is already waiting to be confirmed."))
        case UndertakingState.SIGNED | UndertakingState.COUNTERSIGNED:
            return no(_l("The person has already signed this undertaking."))
        case UndertakingState.CLOSED:
            return no(_l("This undertaking has been closed, so it can't be signed."))
    if not undertaking.is_current:
        return no(_l("New terms are in force. The person has to sign again on the new terms."))
    return is_covered(undertaking, today)


def coordinates(actor: Actor, undertaking: UndertakingStatus) -> bool:
    """Return whether a person is a coordinator of an NPM of the cooperation."""
    return (
        acts_for(actor, undertaking.npm_ids) and actor.has(*RECORDERS) and not actor.outside_expert
    )


def can_see(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who may see confirmations and declared interests (C13): the person, the deciders."""
    if actor.user_id == undertaking.user_id:
        return YES
    return can_decide_for(
        actor,
        undertaking.npm_ids,
        today,
        _l("Only the person and those who decide for the NPM can see an undertaking."),
    )


def can_fill_in(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who may fill in answers and sign: only the person (S11), on terms in force."""
    if actor.user_id != undertaking.user_id:
        return no(_l("You can't sign for somebody else. This is another person's undertaking."))
    match undertaking.state:
        case UndertakingState.ON_PAPER | UndertakingState.SIGNED | UndertakingState.COUNTERSIGNED:
            return no(_l("You have already signed this undertaking."))
        case UndertakingState.CLOSED:
            return no(_l("This undertaking has been closed, so it can't be signed."))
    if not undertaking.is_current:
        return no(_l("New terms are in force. Sign the undertaking on the new terms."))
    if not undertaking.has_role:
        return no(_l("You no longer have a role in the organisation that named you."))
    return is_covered(undertaking, today)


def can_sign_by_mailed_code(actor: Actor, undertaking: UndertakingStatus) -> Decision:
    """Decide who may sign with a password and an emailed code: interpreters, drivers and the like.

    If the NPM allows it (product.md, 5.3), people who are only members and have no second factor:
    anybody with another role, or a second factor, has to prove more.
    """
    if not undertaking.mailed_codes:
        return no(_l("The NPM doesn't let people in this cooperation sign with a code by email."))
    if actor.has_second_factor:
        return no(_l("You have a second factor. Sign with it."))
    return may_have_mailed_codes(actor)


def may_have_mailed_codes(actor: Actor) -> Decision:
    """Decide whether a code by email is enough for a person: only for members."""
    if any(membership.role is not Role.MEMBER for membership in actor.memberships):
        return no(_l("Your role needs more than a code by email. Set up a second factor."))
    return YES


def can_vouch(actor: Actor, undertaking: UndertakingStatus) -> Decision:
    """Decide whether a person can vouch for a signature: never one they took themselves.

    Whoever recorded it from paper or had it signed on their own device neither confirms a scan,
    decides on its interests nor countersigns it.
    """
    if actor.user_id == undertaking.recorded_by_id:
        return no(
            _l(
                "You recorded this undertaking from paper. Another signatory or manager of the "
                "NPM has to check it, decide on declared interests and countersign."
            )
        )
    if actor.user_id == undertaking.host_id:
        return no(
            _l(
                "The person signed on your device. Another signatory or manager of the NPM has "
                "to decide on declared interests and countersign."
            )
        )
    return YES


def bars_only_taker(
    decide: Callable[[UndertakingStatus], Decision], undertaking: UndertakingStatus
) -> bool:
    """Return whether a decision is no for one reason only: that the person took the signature.

    Then others can act. decide is a rule that uses can_vouch(), applied to a person.
    """
    by_nobody = replace(undertaking, recorded_by_id=None, host_id=None)
    return not decide(undertaking) and bool(decide(by_nobody))


def can_allow_mailed_codes(actor: Actor, npm_ids: frozenset[UUID], today: dt.date) -> Decision:
    """Decide who may let people sign with an emailed code: the NPM's deciders."""
    return can_decide_for(
        actor,
        npm_ids,
        today,
        _l("Only a signatory or manager of the NPM can decide on codes by email."),
    )


def can_decide(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who decides on declared interests (C13); see _can_judge_interests.

    On *none* too while an earlier limit holds: it may be lifted, but goes on if nobody decides.
    """
    allowed = _can_judge_interests(actor, undertaking, today)
    if not allowed:
        return allowed
    if undertaking.state is not UndertakingState.SIGNED:
        return no(_l("There's nothing to decide now: the undertaking isn't waiting for the NPM."))
    if not (undertaking.needs_decision or undertaking.has_earlier_limit):
        return no(_l("The person declared no interests, so there is nothing to decide."))
    return can_vouch(actor, undertaking)


def can_add_interest(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who may add an interest after signing (C13): the person, at any time.

    What people without an account tell the NPM, whoever handles their paper records.
    """
    if actor.user_id != undertaking.user_id:
        if not handles_paper(actor, undertaking.npm_ids, today):
            return no(_l("You can't declare interests for somebody else."))
        if undertaking.signs_in:
            return no(_l("This person has an account and declares their own interests."))
    match undertaking.state:
        case UndertakingState.ASKED | UndertakingState.ON_PAPER:
            return no(_l("The undertaking isn't signed yet. Interests are declared in it."))
        case UndertakingState.CLOSED:
            return no(
                _l(
                    "This undertaking is closed and gives no access. Interests are declared in a "
                    "new one."
                )
            )
    return YES


def can_decide_added(
    actor: Actor,
    undertaking: UndertakingStatus,
    today: dt.date,
    recorded_by_id: UUID | None = None,
) -> Decision:
    """Decide who decides on an added interest (C13); see _can_judge_interests.

    Never whoever recorded what a person without an account told them.
    """
    allowed = _can_judge_interests(actor, undertaking, today)
    if not allowed:
        return allowed
    if actor.user_id == recorded_by_id:
        return no(
            _l(
                "You recorded this interest. Another signatory or manager of the NPM has to decide "
                "on it."
            )
        )
    match undertaking.state:
        case UndertakingState.ASKED | UndertakingState.ON_PAPER:
            return no(_l("The person has not signed yet."))
        case UndertakingState.CLOSED:
            return no(_l("This undertaking was closed."))
    return can_vouch(actor, undertaking)


def _can_judge_interests(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who decides on interests: people who decide for the NPM, never on their own."""
    allowed = can_decide_for(
        actor,
        undertaking.npm_ids,
        today,
        _l("Only a signatory or manager of the NPM can decide on declared interests."),
    )
    if not allowed:
        return allowed
    if actor.user_id == undertaking.user_id:
        return no(_l("You can't decide on your own interests."))
    return YES


def can_countersign(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who may countersign, which opens a clearance: an NPM decider, never their own.

    Declared interests are decided first; a person who is to be replaced is not cleared.
    """
    may_go_on = can_go_on(actor, undertaking, today)
    return may_go_on and _interests_are_decided(undertaking)


def can_go_on(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who may do what the NPM has to do after a signature: decide on interests, countersign.

    As can_countersign(), but interests may still be undecided.
    """
    for decision in (
        can_decide_for(
            actor,
            undertaking.npm_ids,
            today,
            _l("Only a signatory or manager of the NPM can countersign."),
        ),
        signoff.can_countersign(actor, undertaking.user_id, today),
        _waits_for_npm(undertaking),
        is_covered(undertaking, today),
        _is_not_replaced(undertaking),
        # Last: others are pointed to only if it can be done at all.
        can_vouch(actor, undertaking),
    ):
        if not decision:
            return decision
    return YES


def _waits_for_npm(undertaking: UndertakingStatus) -> Decision:
    match undertaking.state:
        case UndertakingState.ASKED:
            return no(_l("The person has not signed yet."))
        case UndertakingState.ON_PAPER:
            return no(_l("The scan of the signed paper is waiting to be confirmed."))
        case UndertakingState.COUNTERSIGNED:
            return no(_l("This undertaking has already been countersigned."))
        case UndertakingState.CLOSED:
            return no(_l("This undertaking was closed."))
    if not undertaking.is_current:
        return no(_l("New terms are in force. The person has to sign again on the new terms."))
    return YES


def _is_not_replaced(undertaking: UndertakingStatus) -> Decision:
    if undertaking.decision is InterestsDecision.REPLACE or undertaking.added_refused:
        return no(_l("The NPM decided to ask for somebody else."))
    return YES


def _interests_are_decided(undertaking: UndertakingStatus) -> Decision:
    if undertaking.waits_for_decision:
        return no(_l("Decide on the interests first."))
    if undertaking.undecided_added:
        return no(_l("Decide on the interests that the person added first."))
    return YES


def can_withdraw(actor: Actor, undertaking: UndertakingStatus) -> Decision:
    """Decide who may withdraw an undertaking: the person, at any time, without a reason."""
    if actor.user_id != undertaking.user_id:
        return no(_l("Only the person can withdraw their undertaking."))
    return _is_signed(undertaking)


def can_withdraw_clearance(
    actor: Actor, undertaking: UndertakingStatus, today: dt.date
) -> Decision:
    """Decide who may withdraw an undertaking's access: an NPM decider, with a reason."""
    allowed = can_decide_for(
        actor,
        undertaking.npm_ids,
        today,
        _l("Only a signatory or manager of the NPM can withdraw a clearance."),
    )
    return allowed and _is_signed(undertaking)


def _is_signed(undertaking: UndertakingStatus) -> Decision:
    match undertaking.state:
        case UndertakingState.ASKED | UndertakingState.ON_PAPER:
            return no(_l("There's nothing to withdraw: the undertaking isn't signed."))
        case UndertakingState.CLOSED:
            return no(_l("This undertaking has already been closed."))
    return YES


def can_ask_again(actor: Actor, undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide who may ask a person again after their undertaking was closed.

    The NPM may, and so may the person who withdrew; it gives no access before it is countersigned.
    """
    by_person = actor.user_id == undertaking.user_id and undertaking.withdrawn_by_person
    by_npm = acts_for(actor, undertaking.npm_ids) and is_asker(actor, today)
    if not by_person and not by_npm:
        return no(_l("Only the NPM can ask a person for a new undertaking."))
    if undertaking.state is not UndertakingState.CLOSED:
        return no(_l("The undertaking is still open."))
    if not undertaking.is_current:
        return no(_l("It's based on terms that are no longer in force."))
    if undertaking.has_open:
        return no(_l("The person has already been asked for an undertaking."))
    if not undertaking.is_listed:
        return no(_l("The person is no longer on the list of people who must sign."))
    return is_covered(undertaking, today)


def is_covered(undertaking: UndertakingStatus, today: dt.date) -> Decision:
    """Decide whether the terms cover a person: their party has signed them, and they still run.

    The person has a role in the organisation that named them: without one nobody signs, has a scan
    confirmed or is cleared, even before the worker has closed their undertaking. The list of people
    who must sign (C2) is updated without signatures, so it can name people of a party that is
    joining (adr 70). The last day of the terms is in C1; the agreed terms stop them too (P6, P7).
    """
    may_have_access = give_access(
        undertaking.stage,
        has_run_out=undertaking.agreed_terms_have_run_out,
        is_stopped=undertaking.is_stopped_by_notice,
        until=undertaking.until,
        today=today,
    )
    if not may_have_access:
        return may_have_access
    if undertaking.is_joining:
        return no(_l("This person's organisation has to sign the terms before its people do."))
    if not undertaking.has_role:
        return no(
            _l(
                "This person's account is suspended, or they no longer have a role in the "
                "organisation that named them."
            )
        )
    return YES


def give_access(
    stage: Stage, *, has_run_out: bool, is_stopped: bool, until: dt.date, today: dt.date
) -> Decision:
    """Decide whether signed terms on confidentiality let anybody have access on a day.

    Not if the agreed terms don't (has_run_out: their last day has passed), not from the day on from
    which a notice stops either (is_stopped), and not after the last day that these cover (until,
    C1).
    """
    may_have_access = cooperations.gives_access(
        stage, has_run_out=has_run_out, is_stopped=is_stopped
    )
    if may_have_access and today > until:
        return no(_l("The time that these terms cover has passed. They no longer give access."))
    return may_have_access


def acts_for(actor: Actor, npm_ids: frozenset[UUID]) -> bool:
    """Return whether a person acts for an NPM of the cooperation."""
    return actor.acts_for_npm and actor.organisation_id in npm_ids
