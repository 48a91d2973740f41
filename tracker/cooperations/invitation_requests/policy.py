"""Who asks for a partner's first coordinator, and who answers (product.md, section 2). Pure."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no
from tracker.cooperations.policy import ENDED, NOT_JOINED, CooperationFact


def can_request(
    actor: Actor, cooperation: CooperationFact, organisation_id: UUID, *, nobody_acts: bool
) -> Decision:
    """Decide who may ask for an organisation's first coordinator: coordinators of other parties.

    nobody_acts says that the organisation has no coordinator who can act.
    """
    if cooperation.stage in ENDED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if not cooperation.has_party(actor.organisation_id):
        return no(_l("Only the parties of a cooperation can ask for an invitation."))
    if cooperation.is_joining(actor.organisation_id):
        return no(NOT_JOINED)
    if not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of a party can ask for an invitation."))
    if organisation_id == actor.organisation_id:
        return no(_l("You can invite the people of your own organisation yourself."))
    if not nobody_acts:
        return no(_l("This organisation has a coordinator, who invites its other people."))
    return YES


def can_withdraw(
    actor: Actor, cooperation: CooperationFact, requested_by_id: UUID, partner_id: UUID
) -> Decision:
    """Decide who takes a request back: who made it, and the coordinators of the party that asked.

    partner_id is that party.
    """
    if cooperation.stage in ENDED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if actor.organisation_id != partner_id or not cooperation.has_party(partner_id):
        return no(_l("Only the party that asked for an invitation can withdraw the request."))
    if actor.user_id != requested_by_id and not actor.has(Role.COORDINATOR):
        return no(_l("Only the person who made the request, or a coordinator, can withdraw it."))
    return YES


def can_see_requests(actor: Actor) -> Decision:
    """Decide who sees the person that was proposed: administrators."""
    if actor.is_administrator:
        return YES
    return no(_l("Only administrators can answer requests for an invitation."))


def can_answer(actor: Actor, requested_by_id: UUID) -> Decision:
    """Decide who confirms or declines a request: an administrator who didn't make it."""
    if actor.is_administrator and actor.user_id == requested_by_id:
        return no(_l("You made this request yourself. Another administrator has to answer it."))
    return can_see_requests(actor)


def can_be_confirmed(
    cooperation: CooperationFact, organisation_id: UUID, *, nobody_acts: bool
) -> Decision:
    """Decide whether a request still has its reason; otherwise it can only be declined."""
    if cooperation.stage in ENDED or not cooperation.has_party(organisation_id):
        return no(
            _l(
                "The cooperation has ended, or the organisation has left it, since this was "
                "requested. You can only decline."
            )
        )
    if not nobody_acts:
        return no(
            _l("The organisation has a coordinator by now. You can only decline."),
        )
    return YES
