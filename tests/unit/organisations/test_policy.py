"""Who sees and changes organisations, and who records that one replaced another."""

from uuid import UUID

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.organisations import policy

OWN, OTHER, THIRD = (UUID(int=number) for number in (1, 2, 3))
ADMINISTRATOR = Actor(UUID(int=4), "Root", memberships=(ActorMembership(Role.ADMINISTRATOR),))
COORDINATOR = Actor(
    UUID(int=5),
    "Somebody",
    memberships=(ActorMembership(Role.COORDINATOR, OWN, "Own", OrganisationKind.CSO),),
    organisation_id=OWN,
)


@pytest.mark.parametrize(
    ("bodies", "yes"),
    [((OTHER, THIRD), True), ((OTHER,), True), ((OWN, OTHER), False), ((OTHER, OWN), False)],
)
def test_an_administrator_replaces_bodies_in_which_they_have_no_role(
    bodies: tuple[UUID, ...], yes: bool
) -> None:
    assert bool(policy.can_replace(ADMINISTRATOR, {OWN}, *bodies)) is yes
    assert not policy.can_replace(COORDINATOR, {OWN}, OTHER, THIRD)
