"""Who may see and change organisations. Pure."""

from collections.abc import Set as AbstractSet
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no


def can_list_organisations(actor: Actor) -> Decision:
    """Decide who sees the list of all organisations: administrators."""
    if actor.is_administrator:
        return YES
    return no(_l("Only administrators can see all organisations."))


def can_see_organisation(actor: Actor, organisation_id: UUID) -> Decision:
    """Decide who sees an organisation in full: administrators, and its own people.

    Its page without its people is open to partners too (page_parts.IS_PARTNER).
    """
    if actor.is_administrator or organisation_id in {m.organisation_id for m in actor.memberships}:
        return YES
    return no(_l("You can only see your own organisations."))


def can_change_organisations(actor: Actor | None) -> Decision:
    """Decide who adds and changes them: administrators, and the application itself."""
    if actor is None or actor.is_administrator:
        return YES
    return no(_l("Only administrators can add and change organisations."))


def can_replace(actor: Actor, own: AbstractSet[UUID | None], *bodies: UUID) -> Decision:
    """Decide who records that one body replaced another: an administrator with no role in either.

    Somebody with a role could give their own side power over the body's agreements (product.md,
    section 2). own are the organisations in which the person has a role.
    """
    allowed = can_change_organisations(actor)
    if allowed and not own.isdisjoint(bodies):
        return no(
            _l(
                "You have a role in one of these organisations, so another administrator has to "
                "record this."
            )
        )
    return allowed
