"""Who may do what with people: the table of cases."""

from uuid import UUID, uuid4

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.accounts import policy
from tracker.accounts.policy import PersonFacts

HERE, THERE = uuid4(), uuid4()


def actor(*roles: Role, where: UUID = HERE) -> Actor:
    memberships = tuple(
        ActorMembership(
            role=role,
            organisation_id=None if role is Role.ADMINISTRATOR else where,
            organisation_kind=OrganisationKind.CSO,
        )
        for role in roles
    )
    own = None if set(roles) == {Role.ADMINISTRATOR} else where
    return Actor(uuid4(), "Somebody", memberships=memberships, organisation_id=own)


def person(*roles: tuple[UUID | None, Role]) -> PersonFacts:
    return PersonFacts(uuid4(), True, frozenset(roles))


@pytest.mark.parametrize(
    ("roles", "sees", "invites"),
    [
        ([Role.ADMINISTRATOR], True, True),
        ([Role.COORDINATOR], True, True),
        ([Role.MANAGER], True, False),
        ([Role.SIGNATORY], False, False),
        ([Role.MEMBER], False, False),
        ([Role.AUDITOR], False, False),
    ],
)
def test_who_sees_people_and_invites(roles: list[Role], sees: bool, invites: bool) -> None:
    assert bool(policy.can_see_people(actor(*roles))) is sees
    assert bool(policy.can_invite(actor(*roles))) is invites


@pytest.mark.parametrize("role", list(Role))
def test_coordinators_give_three_roles_in_the_own_organisation(role: Role) -> None:
    coordinator = actor(Role.COORDINATOR)
    given = role in {Role.COORDINATOR, Role.MEMBER, Role.SIGNATORY}
    assert bool(policy.can_give_roles(coordinator, HERE, {role})) is given
    assert not policy.can_give_roles(coordinator, THERE, {role})
    assert not policy.can_give_roles(coordinator, None, {role})
    assert policy.can_give_roles(actor(Role.ADMINISTRATOR), THERE, {role})
    assert policy.can_give_roles(None, THERE, {role})


def test_nobody_ends_the_own_role() -> None:
    coordinator = actor(Role.COORDINATOR)
    assert not policy.can_end_role(coordinator, coordinator.user_id, HERE, Role.MEMBER)
    assert policy.can_end_role(coordinator, uuid4(), HERE, Role.MEMBER)
    assert not policy.can_end_role(coordinator, uuid4(), HERE, Role.MANAGER)


@pytest.mark.parametrize(
    ("roles", "whom", "may"),
    [
        ([Role.ADMINISTRATOR], [(HERE, Role.MANAGER)], True),
        ([Role.ADMINISTRATOR], [(None, Role.ADMINISTRATOR)], True),
        ([Role.COORDINATOR], [(HERE, Role.MEMBER)], True),
        ([Role.COORDINATOR], [(HERE, Role.MEMBER), (HERE, Role.SIGNATORY)], True),
        ([Role.COORDINATOR], [(HERE, Role.MANAGER)], False),
        ([Role.COORDINATOR], [(HERE, Role.MEMBER), (THERE, Role.MEMBER)], False),
        ([Role.COORDINATOR], [(HERE, Role.MEMBER), (None, Role.ADMINISTRATOR)], False),
        ([Role.COORDINATOR], [(THERE, Role.MEMBER)], False),
        ([Role.COORDINATOR], [], False),
        ([Role.MANAGER], [(HERE, Role.MEMBER)], False),
    ],
)
def test_who_suspends_whom(
    roles: list[Role], whom: list[tuple[UUID | None, Role]], may: bool
) -> None:
    assert bool(policy.can_suspend(actor(*roles), person(*whom))) is may
    # Who may keep somebody out may also sign them out everywhere.
    assert bool(policy.can_end_sessions(actor(*roles), person(*whom))) is may


@pytest.mark.parametrize(
    ("roles", "whom", "may"),
    [
        ([Role.ADMINISTRATOR], [(HERE, Role.MEMBER)], True),
        ([Role.ADMINISTRATOR], [(None, Role.ADMINISTRATOR)], True),
        ([Role.MANAGER], [(HERE, Role.MEMBER)], True),
        ([Role.MANAGER], [(THERE, Role.MEMBER)], False),
        ([Role.MANAGER], [(HERE, Role.MEMBER), (None, Role.ADMINISTRATOR)], False),
        ([Role.COORDINATOR], [(HERE, Role.MEMBER)], False),
        ([Role.MEMBER], [(HERE, Role.MEMBER)], False),
    ],
)
def test_who_resets_whose_second_factor(
    roles: list[Role], whom: list[tuple[UUID | None, Role]], may: bool
) -> None:
    assert bool(policy.can_reset_second_factor(actor(*roles), person(*whom))) is may


def test_never_the_own() -> None:
    own = actor(Role.ADMINISTRATOR)
    facts = PersonFacts(own.user_id, True, frozenset({(None, Role.ADMINISTRATOR)}))
    assert not policy.can_suspend(own, facts)
    assert not policy.can_end_sessions(own, facts)
    assert not policy.can_reset_second_factor(own, facts)


COMPULSORY = {Role.SIGNATORY, Role.MANAGER, Role.ADMINISTRATOR}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("compulsory", [set(), COMPULSORY, set(Role)], ids=len)
@pytest.mark.parametrize("is_last", [False, True])
def test_the_last_factor_of_a_role_that_needs_one_stays(
    role: Role, compulsory: set[Role], is_last: bool
) -> None:
    needed = role in compulsory
    assert policy.needs_second_factor({role}, compulsory) is needed
    decision = policy.can_remove_passkey(
        is_last_factor=is_last, roles={role}, compulsory=compulsory
    )
    assert bool(decision) is not (needed and is_last)


def test_an_administrator_gives_all_roles_of_a_kind_and_a_coordinator_some() -> None:
    kinds = {OrganisationKind.NPM: 5, OrganisationKind.CSO: 4, OrganisationKind.OTHER: 1}
    for kind, number in kinds.items():
        assert len(policy.roles_to_give(actor(Role.ADMINISTRATOR), kind)) == number
    assert policy.roles_to_give(actor(Role.COORDINATOR), OrganisationKind.NPM) == (
        Role.COORDINATOR,
        Role.MEMBER,
        Role.SIGNATORY,
    )
