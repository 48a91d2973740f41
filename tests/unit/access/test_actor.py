"""The actor: roles, organisation and clearances of the current membership."""

import datetime as dt
from uuid import UUID

import pytest

from tracker.access.actor import (
    Actor,
    ActorClearance,
    ActorMembership,
    OrganisationKind,
    Role,
)

NPM, CSO, COURT, ONE, TWO, VISIT, OTHER_VISIT = (UUID(int=n) for n in range(1, 8))
END = dt.date(2027, 1, 1)


def member(role: Role, organisation: UUID | None = CSO, **more: object) -> ActorMembership:
    kinds = {NPM: OrganisationKind.NPM, CSO: OrganisationKind.CSO, COURT: OrganisationKind.OTHER}
    return ActorMembership(
        role,
        organisation,
        f"Body {organisation.int}" if organisation else "",
        kinds[organisation] if organisation else None,
        **more,  # type: ignore[arg-type] # by name, as a case gives them
    )


def actor(
    *memberships: ActorMembership,
    acting_for: UUID | None = CSO,
    clearances: tuple[ActorClearance, ...] = (),
) -> Actor:
    return Actor(UUID(int=9), "Samira Okell", "", memberships, acting_for, clearances)


def test_roles_are_those_in_the_organisation_acted_for() -> None:
    both = (member(Role.COORDINATOR), member(Role.MANAGER, NPM), member(Role.SIGNATORY))
    for_cso, for_npm = actor(*both), actor(*both, acting_for=NPM)
    assert for_cso.roles == {Role.COORDINATOR, Role.SIGNATORY}
    assert for_npm.roles == {Role.MANAGER}
    assert (for_cso.organisation_name, for_npm.organisation_name) == ("Body 2", "Body 1")
    assert (for_cso.acts_for_npm, for_npm.acts_for_npm) == (False, True)
    assert for_cso.may_switch
    assert for_npm.may_switch


def test_has_asks_for_any_of_some_roles() -> None:
    person = actor(member(Role.COORDINATOR))
    assert person.has(Role.SIGNATORY, Role.COORDINATOR)
    assert not person.has(Role.SIGNATORY, Role.MANAGER)
    assert not person.has()


def test_a_person_without_a_role_has_no_rights() -> None:
    nobody = actor(acting_for=None)
    assert nobody.roles == frozenset()
    assert nobody.organisation_name == ""
    assert nobody.organisation_kind is None
    assert not nobody.acts_for_npm
    assert not nobody.may_switch
    assert nobody.needs_clearance
    assert nobody.audited_ids == frozenset()


def test_a_person_without_a_role_in_a_body_has_no_rights_there() -> None:
    person = actor(member(Role.MANAGER, NPM), acting_for=CSO)
    assert person.roles == frozenset()
    assert not person.acts_for_npm
    assert person.needs_clearance


def test_an_administrator_is_one_for_whomever_they_act() -> None:
    memberships = (member(Role.ADMINISTRATOR, None), member(Role.MEMBER))
    for organisation in (None, CSO):
        person = actor(*memberships, acting_for=organisation)
        assert person.is_administrator
        assert Role.ADMINISTRATOR in person.roles
    assert not actor(*memberships, acting_for=CSO).may_switch


@pytest.mark.parametrize(
    ("membership", "needs"),
    [
        (member(Role.MEMBER, NPM), False),
        (member(Role.MEMBER, NPM, outside_expert=True), True),
        (member(Role.MEMBER, CSO), True),
        (member(Role.MANAGER, CSO), True),
        (member(Role.AUDITOR, COURT), True),
        (member(Role.ADMINISTRATOR, None), True),
    ],
)
def test_all_but_the_npms_own_people_need_a_clearance(
    membership: ActorMembership, needs: bool
) -> None:
    """S11; an outside expert like a CSO's person (product.md, section 2)."""
    assert actor(membership, acting_for=membership.organisation_id).needs_clearance is needs


def test_an_outside_expert_of_the_npm_is_not_one_for_their_own_organisation() -> None:
    memberships = (member(Role.MEMBER, NPM, outside_expert=True), member(Role.MEMBER))
    assert actor(*memberships, acting_for=NPM).outside_expert
    assert not actor(*memberships, acting_for=CSO).outside_expert


def test_an_auditor_audits_the_npm_named_or_their_own() -> None:
    of_court = actor(member(Role.AUDITOR, COURT, audits_id=NPM), acting_for=COURT)
    of_npm = actor(member(Role.AUDITOR, NPM), acting_for=NPM)
    assert of_court.audited_ids == of_npm.audited_ids == {NPM}
    assert actor(member(Role.AUDITOR, COURT, audits_id=NPM), acting_for=CSO).audited_ids == set()
    assert actor(member(Role.MANAGER, NPM), acting_for=NPM).audited_ids == frozenset()


@pytest.mark.parametrize(
    ("clearance", "all_of_it", "the_visit"),
    [
        (ActorClearance(ONE, None, END), True, True),
        (ActorClearance(ONE, VISIT, END), False, True),
        (ActorClearance(ONE, OTHER_VISIT, END), False, False),
        (ActorClearance(TWO, None, END), False, False),
        (ActorClearance(TWO, VISIT, END), False, False),
    ],
)
def test_a_clearance_opens_all_of_a_cooperation_or_one_visit(
    clearance: ActorClearance, all_of_it: bool, the_visit: bool
) -> None:
    person = actor(member(Role.MEMBER), clearances=(clearance,))
    assert person.cleared_for(ONE) is all_of_it
    assert person.cleared_for(ONE, VISIT) is the_visit
