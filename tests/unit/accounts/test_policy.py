"""Who may do what with people: the table of cases."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tracker.access.actor import (
    POWERS,
    Actor,
    ActorMembership,
    Confirmation,
    OrganisationKind,
    Role,
)
from tracker.accounts import policy
from tracker.accounts.policy import Holders, PersonFacts, RoleFacts

HERE, THERE = uuid4(), uuid4()
Known = dict[UUID | None, Holders]


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
    has_power = any(role in POWERS for _where, role in roles)
    return PersonFacts(uuid4(), True, frozenset(roles), has_power)


@pytest.mark.parametrize(
    ("roles", "sees", "invites"),
    [
        ([Role.ADMINISTRATOR], True, True),
        ([Role.COORDINATOR], True, True),
        ([Role.MANAGER], True, False),
        ([Role.SIGNATORY], True, False),
        ([Role.MEMBER], False, False),
        ([Role.AUDITOR], False, False),
    ],
)
def test_only_some_roles_see_people_and_invite(
    roles: list[Role], sees: bool, invites: bool
) -> None:
    assert bool(policy.can_see_people(actor(*roles))) is sees
    assert bool(policy.can_invite(actor(*roles))) is invites


@pytest.mark.parametrize("role", list(Role))
def test_only_an_administrator_sees_the_security_log_of_all_people(role: Role) -> None:
    assert bool(policy.can_see_security_log(actor(role))) is (role is Role.ADMINISTRATOR)


@pytest.mark.parametrize("role", list(Role))
def test_coordinators_give_three_roles_in_their_own_organisation(role: Role) -> None:
    coordinator = actor(Role.COORDINATOR)
    given = role in {Role.COORDINATOR, Role.MEMBER, Role.SIGNATORY}
    assert bool(policy.can_give_roles(coordinator, HERE, {role})) is given
    assert not policy.can_give_roles(coordinator, THERE, {role})
    assert not policy.can_give_roles(coordinator, None, {role})
    assert policy.can_give_roles(actor(Role.ADMINISTRATOR), THERE, {role})
    assert policy.can_give_roles(None, THERE, {role})


def role(kind: Role, *, person: UUID | None = None, begun: bool = True) -> RoleFacts:
    return RoleFacts(person or uuid4(), HERE, kind, has_begun=begun)


def holders(*people: UUID) -> Holders:
    return Holders(frozenset(people))


def test_nobody_ends_their_own_role() -> None:
    coordinator = actor(Role.COORDINATOR)
    own = role(Role.MEMBER, person=coordinator.user_id)
    assert not policy.can_end_role(coordinator, own, holders())
    assert policy.can_end_role(coordinator, role(Role.MEMBER), holders())
    assert not policy.can_end_role(coordinator, role(Role.AUDITOR), holders())


@pytest.mark.parametrize("kind", [Role.SIGNATORY, Role.MANAGER])
def test_another_holder_confirms_and_without_one_the_administrator(kind: Role) -> None:
    """product.md, section 2."""
    colleague, administrator = actor(Role.SIGNATORY), actor(Role.ADMINISTRATOR)
    coordinator, power = actor(Role.COORDINATOR), role(kind, begun=False)
    with_one = holders(colleague.user_id, power.person)
    assert policy.can_confirm(colleague, power, with_one)
    for other in (administrator, coordinator, None):
        refused = policy.can_confirm(other, power, with_one)
        assert "Another signatory or manager" in str(refused.reason)
    for alone in (holders(), holders(power.person), Holders(suspended=frozenset({power.person}))):
        assert policy.can_confirm(administrator, power, alone)
        assert policy.can_confirm(None, power, alone)
        for other in (coordinator, colleague):
            refused = policy.can_confirm(other, power, alone)
            assert "an administrator has to confirm" in str(refused.reason)
    how = policy.confirmation_by
    assert how(colleague, power, with_one) is Confirmation.COLLEAGUE
    assert how(administrator, power, holders()) is Confirmation.ADMINISTRATOR
    assert how(None, power, holders()) is Confirmation.ADMINISTRATOR


def test_nobody_confirms_their_own_role_or_one_that_needs_no_confirmation() -> None:
    signatory = actor(Role.SIGNATORY)
    own = role(Role.MANAGER, person=signatory.user_id, begun=False)
    assert "your own" in str(policy.can_confirm(signatory, own, holders(signatory.user_id)).reason)
    for power in (
        role(Role.MANAGER),
        role(Role.MEMBER, begun=False),
        replace(role(Role.MANAGER, begun=False), confirmed_how=Confirmation.ADMINISTRATOR),
    ):
        refused = policy.can_confirm(signatory, power, holders(signatory.user_id))
        assert "needs no confirmation" in str(refused.reason)


def test_a_holder_confirms_only_where_they_act() -> None:
    abroad = actor(Role.SIGNATORY, where=THERE)
    power = role(Role.MANAGER, begun=False)
    assert not policy.can_confirm(abroad, power, holders(abroad.user_id))
    administrator = actor(Role.ADMINISTRATOR)
    own = role(Role.MANAGER, person=administrator.user_id, begun=False)
    assert "your own" in str(policy.can_confirm(administrator, own, holders()).reason)


@pytest.mark.parametrize("kind", [Role.SIGNATORY, Role.MANAGER, Role.COORDINATOR])
def test_the_name_of_a_signatory_manager_or_coordinator_is_changed_by_another_holder(
    kind: Role,
) -> None:
    """Scans, too, are vouched for by name (product.md, 5.6)."""
    colleague, administrator = actor(Role.SIGNATORY), actor(Role.ADMINISTRATOR)
    coordinator = actor(Role.COORDINATOR)
    named = role(kind)
    with_one: Known = {HERE: holders(colleague.user_id, named.person)}
    assert policy.can_rename(colleague, named.person, [named], with_one)
    for other in (administrator, coordinator):
        assert "another signatory or manager" in str(
            policy.can_rename(other, named.person, [named], with_one).reason
        )
    # Where nobody else could, an administrator does.
    for alone in (holders(), holders(named.person)):
        assert policy.can_rename(administrator, named.person, [named], {HERE: alone})
    own = replace(named, person=coordinator.user_id)
    refused = policy.can_rename(coordinator, own.person, [own], {HERE: holders()})
    assert "somebody else has to change it" in str(refused.reason)


def test_whoever_could_not_confirm_a_power_changes_no_name_because_of_another_role() -> None:
    """A signatory here coordinates elsewhere, where there is no holder, or another one."""
    colleague, administrator = actor(Role.SIGNATORY), actor(Role.ADMINISTRATOR)
    abroad = actor(Role.SIGNATORY, where=THERE)
    power = role(Role.SIGNATORY)
    roles = [power, replace(power, role=Role.COORDINATOR, organisation_id=THERE)]
    known: Known = {
        HERE: holders(colleague.user_id, power.person),
        THERE: holders(abroad.user_id),
    }
    assert policy.can_rename(colleague, power.person, roles, known)
    assert not policy.can_rename(abroad, power.person, roles, known)
    known[THERE] = holders()
    assert not policy.can_rename(administrator, power.person, roles, known)


def test_members_change_their_own_name_and_nobody_elses() -> None:
    member, administrator = actor(Role.MEMBER), actor(Role.ADMINISTRATOR)
    assert policy.can_rename(member, member.user_id, [], {})
    for other in (member, administrator):
        assert not policy.can_rename(other, uuid4(), [], {})


def test_a_person_accepts_only_their_own_role_confirmed_by_an_administrator() -> None:
    person = actor(Role.COORDINATOR)
    own = role(Role.SIGNATORY, person=person.user_id, begun=False)
    confirmed = replace(own, confirmed_how=Confirmation.ADMINISTRATOR)
    assert policy.can_accept(person, confirmed)
    assert "is waiting to be confirmed" in str(policy.can_accept(person, own).reason)
    begun = replace(confirmed, has_begun=True)
    assert "have already accepted" in str(policy.can_accept(person, begun).reason)
    assert "accept a role for somebody else" in str(
        policy.can_accept(actor(Role.MANAGER), confirmed).reason
    )


@pytest.mark.parametrize("kind", [Role.SIGNATORY, Role.MANAGER])
def test_nobody_confirms_in_the_place_of_a_suspended_holder(kind: Role) -> None:
    """By suspending the only holder, an administrator could confirm alone."""
    administrator, power = actor(Role.ADMINISTRATOR), role(kind, begun=False)
    suspended = Holders(suspended=frozenset({uuid4()}))
    for who in (administrator, actor(Role.COORDINATOR), None):
        assert "is suspended" in str(policy.can_confirm(who, power, suspended).reason)
    # Their own role is the last one: the administrator ends it, and can then confirm.
    assert policy.can_end_role(administrator, role(kind), suspended)


@pytest.mark.parametrize("kind", [Role.SIGNATORY, Role.MANAGER])
def test_a_power_is_ended_by_another_holder_and_the_last_by_an_administrator(kind: Role) -> None:
    """product.md, section 2."""
    colleague, administrator = actor(Role.MANAGER), actor(Role.ADMINISTRATOR)
    coordinator, power = actor(Role.COORDINATOR), role(kind)
    with_one = holders(colleague.user_id, power.person)
    assert policy.can_end_role(colleague, power, with_one)
    for other in (administrator, coordinator):
        refused = policy.can_end_role(other, power, with_one)
        assert "Only another signatory or manager" in str(refused.reason)
    assert policy.can_end_role(administrator, power, holders(power.person))
    assert policy.can_end_role(administrator, power, holders())
    for other in (coordinator, colleague):
        refused = policy.can_end_role(other, power, holders(power.person))
        assert "an administrator can end this role" in str(refused.reason)


def test_a_pending_power_is_ended_by_people_who_could_give_or_confirm_it() -> None:
    colleague, waits = actor(Role.MANAGER), role(Role.SIGNATORY, begun=False)
    assert policy.can_end_role(actor(Role.COORDINATOR), waits, holders(colleague.user_id))
    assert policy.can_end_role(actor(Role.ADMINISTRATOR), waits, holders(colleague.user_id))
    assert policy.can_end_role(colleague, waits, holders(colleague.user_id))
    assert not policy.can_end_role(actor(Role.MEMBER), waits, holders())


def test_nobody_gives_themselves_a_role() -> None:
    for who in (actor(Role.COORDINATOR), actor(Role.ADMINISTRATOR)):
        assert not policy.can_give_to(who, who.user_id)
        assert policy.can_give_to(who, uuid4())
    assert policy.can_give_to(None, uuid4())


@pytest.mark.parametrize("kind", list(Role))
def test_an_administrator_has_no_power_to_sign(kind: Role) -> None:
    """product.md, section 2."""
    both = {(None, Role.ADMINISTRATOR), (HERE, kind)}
    assert bool(policy.can_hold(both)) is (kind not in {Role.SIGNATORY, Role.MANAGER})


def test_somebody_else_may_hold_several_roles() -> None:
    assert policy.can_hold({(HERE, Role.SIGNATORY), (HERE, Role.MANAGER), (THERE, Role.MEMBER)})


def test_the_last_holder_of_a_power_does_not_leave() -> None:
    person, other = uuid4(), uuid4()
    assert not policy.can_leave(person, holders(person))
    assert not policy.can_leave(person, Holders(frozenset({person}), frozenset({other})))
    for others in (holders(), holders(other), holders(person, other)):
        assert policy.can_leave(person, others)


@pytest.mark.parametrize(
    ("roles", "whom", "may"),
    [
        ([Role.ADMINISTRATOR], [(HERE, Role.MANAGER)], True),
        ([Role.ADMINISTRATOR], [(None, Role.ADMINISTRATOR)], True),
        ([Role.COORDINATOR], [(HERE, Role.MEMBER)], True),
        ([Role.COORDINATOR], [(HERE, Role.MEMBER), (HERE, Role.COORDINATOR)], True),
        ([Role.COORDINATOR], [(HERE, Role.MEMBER), (HERE, Role.SIGNATORY)], False),
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
    # People who may lock somebody out may also sign them out everywhere.
    assert bool(policy.can_end_sessions(actor(*roles), person(*whom))) is may


def test_a_coordinator_does_not_suspend_somebody_whose_power_begins_later() -> None:
    """Product.md, section 2: a power that has begun is ended by others."""
    later = replace(person((HERE, Role.MEMBER)), has_power=True)
    assert "signatory or manager" in str(policy.can_suspend(actor(Role.COORDINATOR), later).reason)
    assert policy.can_suspend(actor(Role.ADMINISTRATOR), later)


@pytest.mark.parametrize(
    ("role", "suspended_for", "may"),
    [
        (Role.COORDINATOR, HERE, True),
        (Role.COORDINATOR, THERE, False),
        (Role.COORDINATOR, None, False),
        (Role.ADMINISTRATOR, None, True),
        (Role.ADMINISTRATOR, HERE, True),
        (Role.MANAGER, HERE, False),
    ],
)
def test_a_coordinator_restores_only_what_their_organisation_suspended(
    role: Role, suspended_for: UUID | None, may: bool
) -> None:
    member = person((HERE, Role.MEMBER))
    suspended = replace(member, active=False, suspended_for=suspended_for)
    assert bool(policy.can_restore(actor(role), suspended)) is may


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


def test_never_ones_own() -> None:
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


def test_who_may_not_end_or_give_a_role_reads_about_roles_and_not_about_inviting() -> None:
    manager = actor(Role.MANAGER)
    words = "Only administrators and coordinators can give and end roles."
    for may in (
        policy.can_give_some_role(manager),
        policy.can_give_roles(manager, HERE, {Role.MEMBER}),
        policy.can_end_role(manager, role(Role.COORDINATOR), holders()),
    ):
        assert not may
        assert str(may.reason) == words
    assert "invite" in str(policy.can_invite(manager).reason)
