"""Whose page of help is which."""

from uuid import UUID

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.help.rules import READERS, own_page

NPM, CSO = OrganisationKind.NPM, OrganisationKind.CSO


def somebody(kind: OrganisationKind | None, *roles: Role) -> Actor:
    own = UUID(int=1) if kind else None
    memberships = tuple(ActorMembership(role, own, "Body" if own else "", kind) for role in roles)
    return Actor(UUID(int=9), "Samira Okell", "", memberships, own, ())


@pytest.mark.parametrize(
    ("kind", "roles", "page"),
    [
        (NPM, [Role.COORDINATOR], "npm-coordinator"),
        (CSO, [Role.COORDINATOR], "cso-coordinator"),
        (CSO, [Role.COORDINATOR, Role.SIGNATORY, Role.MEMBER], "cso-coordinator"),
        (CSO, [Role.MEMBER], "expert"),
        (NPM, [Role.SIGNATORY, Role.MANAGER], "signatory"),
        (NPM, [Role.MANAGER, Role.MEMBER], "manager"),
        (NPM, [Role.AUDITOR], "manager"),
        (None, [Role.ADMINISTRATOR], "administrator"),
    ],
)
def test_a_person_gets_the_page_of_their_main_role(
    kind: OrganisationKind | None, roles: list[Role], page: str
) -> None:
    assert own_page(somebody(kind, *roles)) == page
    assert page in READERS


def test_somebody_without_a_role_or_an_account_gets_the_list() -> None:
    assert own_page(None) is None
    assert own_page(somebody(None)) is None
