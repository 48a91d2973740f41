"""People as they act today."""

from tracker.access.actor import Actor
from tracker.accounts import queries
from tracker.accounts.models import User
from tracker.cooperations import clearances
from tracker.core import clock


def acting_today(user: User) -> Actor:
    """Return a person as they act for their first organisation, with the open clearances."""
    memberships = queries.memberships_of(user.id, clock.today())
    own = [membership.organisation_id for membership in memberships if membership.organisation_id]
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        memberships=memberships,
        organisation_id=own[0] if own else None,
        clearances=clearances.open_clearances(user.id, clock.today()),
        has_second_factor=user.has_second_factor,
    )
