"""Who may record and confirm a signature on paper, and which dates it may carry. Pure."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no
from tracker.signoff import policy
from tracker.signoff.models import RequestState
from tracker.signoff.paper_models import PaperKind, PaperState

RECORDERS = (Role.COORDINATOR,)
CONFIRMERS = (Role.COORDINATOR, Role.SIGNATORY)


@dataclass(frozen=True, slots=True)
class PaperFact:
    """A scan's plain values for the rules."""

    kind: PaperKind
    state: PaperState
    organisation_id: UUID
    recorded_by_id: UUID
    # The parties that have responded to it.
    decided: frozenset[UUID] = frozenset()
    # The accounts of those who signed it, where the text names them.
    signer_ids: frozenset[UUID] = frozenset()
    # Who responded to it, for whichever party.
    decided_by: frozenset[UUID] = frozenset()

    @property
    def involved(self) -> frozenset[UUID]:
        """Who can't vouch for it: whoever signed, recorded or has already responded to it."""
        return self.signer_ids | self.decided_by | {self.recorded_by_id}


def can_record(
    actor: Actor,
    *,
    is_party: bool,
    state: RequestState,
    has_line: bool,
    papers: Collection[PaperFact],
) -> Decision:
    """Decide who may record that their organisation signed a text on paper.

    has_line says whether the organisation still has an unsigned slot on it.
    """
    if not is_party or not actor.has(*RECORDERS):
        return no(
            _l("Only a coordinator of a party can record what their organisation signed on paper.")
        )
    if state is not RequestState.WAITING:
        return no(_l("This text is no longer waiting for signatures."))
    if not has_line:
        return no(_l("Your organisation has already given all its signatures on this text."))
    own = actor.organisation_id
    if any(paper.organisation_id == own and paper.state is PaperState.WAITING for paper in papers):
        return no(_l("A scan from your organisation is already waiting to be confirmed."))
    return YES


def can_decide(
    actor: Actor, paper: PaperFact, today: dt.date, *, is_party: bool, state: RequestState
) -> Decision:
    """Decide who may confirm or refuse a scan: somebody from another party, who can vouch for it.

    A coordinator, or a signatory whose power is current. Never the organisation that recorded it;
    see can_vouch for the person.
    """
    if not is_party or not actor.has(*CONFIRMERS):
        return no(_l("Only a coordinator or signatory of another party can confirm a scan."))
    power = policy.has_power(policy.signing_membership(actor), today)
    if not power and not actor.has(Role.COORDINATOR):
        return power
    if actor.organisation_id == paper.organisation_id:
        return no(_l("You can't confirm a scan that your own side recorded: another party has to."))
    if paper.state is not PaperState.WAITING or state is not RequestState.WAITING:
        return no(_l("This scan is no longer waiting to be confirmed."))
    if actor.organisation_id in paper.decided:
        return no(_l("Your organisation has already confirmed this scan."))
    return can_vouch(actor, paper)


def can_vouch(actor: Actor, paper: PaperFact) -> Decision:
    """Decide whether a person can vouch for a scan: never if they took part in it themselves.

    Whoever signed it, recorded it or confirmed it for another party can't, whomever they act for.
    """
    if actor.user_id in paper.signer_ids:
        return no(
            _l("You're named as a person who signed this paper. Somebody else has to check it.")
        )
    if actor.user_id == paper.recorded_by_id:
        return no(_l("You recorded this scan for another party. Somebody else has to check it."))
    if actor.user_id in paper.decided_by:
        return no(
            _l(
                "You have confirmed this scan for another party. Somebody else has to check it for "
                "your organisation."
            )
        )
    return YES


def can_withdraw(
    actor: Actor, paper: PaperFact, *, is_party: bool, state: RequestState
) -> Decision:
    """Decide who may withdraw a scan: a coordinator of the side that recorded it."""
    if not is_party or not actor.has(*RECORDERS) or actor.organisation_id != paper.organisation_id:
        return no(
            _l("Only a coordinator of the organisation that recorded a scan can withdraw it.")
        )
    if paper.state is not PaperState.WAITING or state is not RequestState.WAITING:
        return no(_l("This scan is no longer waiting to be confirmed."))
    return YES


def can_be_dated(signed_on: dt.date, today: dt.date, frozen_on: dt.date | None = None) -> Decision:
    """Decide whether a date can be the one on the paper.

    frozen_on is the day on which a text of this product was frozen: nobody could sign it earlier.
    """
    if signed_on > today:
        return no(_l("The date on the paper can't be in the future."))
    if frozen_on is not None and signed_on < frozen_on:
        return no(_l("The text was frozen after this day, so nobody could sign it then."))
    return YES
