"""The planning of a visit (class K2): who may see it, as a table of cases."""

import datetime as dt
from itertools import product
from uuid import UUID

import pytest

from tracker.access.actor import (
    Actor,
    ActorClearance,
    ActorMembership,
    OrganisationKind,
    Role,
)
from tracker.access.information import RESTRICTED, InformationClass, may_see_planning

COOPERATION, VISIT, ELSEWHERE, BODY = (UUID(int=n) for n in range(1, 5))
END = dt.date(2027, 1, 1)
ALL, THIS, OTHER, NONE = "all", "this visit", "another cooperation", "none"
CLEARANCES = {
    ALL: (ActorClearance(COOPERATION, None, END),),
    THIS: (ActorClearance(COOPERATION, VISIT, END),),
    OTHER: (ActorClearance(ELSEWHERE, None, END),),
    NONE: (),
}


def actor(kind: OrganisationKind | None, *roles: Role, cleared: str, expert: bool = False) -> Actor:
    body = None if kind is None else BODY
    return Actor(
        UUID(int=9),
        "Leyla Marchetti",
        memberships=tuple(ActorMembership(r, body, "Body", kind, expert) for r in roles),
        organisation_id=body,
        clearances=CLEARANCES[cleared],
    )


def sees(person: Actor, *, listed: bool, leads: bool = False) -> bool:
    return bool(may_see_planning(person, COOPERATION, VISIT, listed=listed, leads=leads))


def test_kinds_k2_to_k7_are_restricted() -> None:
    assert {level.value for level in RESTRICTED} == {"K2", "K3", "K4", "K5", "K6", "K7"}
    assert {level.value for level in InformationClass} - {level.value for level in RESTRICTED} == {
        "K0",
        "K1",
        "K8",
    }


@pytest.mark.parametrize(
    ("kind", "expert", "cleared", "listed", "allowed"),
    [
        # The NPM's own people: the list alone decides
        (OrganisationKind.NPM, False, NONE, True, True),
        (OrganisationKind.NPM, False, NONE, False, False),
        (OrganisationKind.NPM, False, ALL, False, False),
        # Outside experts of the NPM and people of CSOs: list and clearance
        (OrganisationKind.NPM, True, NONE, True, False),
        (OrganisationKind.NPM, True, ALL, True, True),
        (OrganisationKind.NPM, True, THIS, True, True),
        (OrganisationKind.NPM, True, ALL, False, False),
        (OrganisationKind.CSO, False, NONE, True, False),
        (OrganisationKind.CSO, False, OTHER, True, False),
        (OrganisationKind.CSO, False, ALL, True, True),
        (OrganisationKind.CSO, False, THIS, True, True),
        (OrganisationKind.CSO, False, ALL, False, False),
        (OrganisationKind.OTHER, False, ALL, True, True),
        (OrganisationKind.OTHER, False, NONE, True, False),
    ],
)
@pytest.mark.parametrize("role", [Role.MEMBER, Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER])
def test_planning_is_seen_by_list_and_clearance(
    role: Role, kind: OrganisationKind, expert: bool, cleared: str, listed: bool, allowed: bool
) -> None:
    person = actor(kind, role, cleared=cleared, expert=expert)
    assert sees(person, listed=listed) is allowed


@pytest.mark.parametrize(
    ("kind", "expert", "cleared", "allowed"),
    [
        (OrganisationKind.NPM, False, NONE, True),
        (OrganisationKind.NPM, False, ALL, True),
        # Somebody who led it and is now an outside expert, or acts for a CSO
        (OrganisationKind.NPM, True, NONE, False),
        (OrganisationKind.CSO, False, NONE, False),
        (OrganisationKind.CSO, False, OTHER, False),
        (OrganisationKind.CSO, False, THIS, True),
    ],
)
def test_the_lead_is_always_listed(
    kind: OrganisationKind, expert: bool, cleared: str, allowed: bool
) -> None:
    person = actor(kind, Role.MEMBER, cleared=cleared, expert=expert)
    assert sees(person, listed=False, leads=True) is allowed


@pytest.mark.parametrize(
    "roles", [(Role.AUDITOR,), (Role.ADMINISTRATOR,), (Role.AUDITOR, Role.ADMINISTRATOR), ()]
)
def test_auditors_and_administrators_have_no_way_in(roles: tuple[Role, ...]) -> None:
    for kind, cleared, listed, leads in product(
        OrganisationKind, CLEARANCES, (True, False), (True, False)
    ):
        assert not sees(actor(kind, *roles, cleared=cleared), listed=listed, leads=leads)


def test_an_auditor_who_is_also_a_member_sees_it_as_a_member() -> None:
    person = actor(OrganisationKind.NPM, Role.AUDITOR, Role.MEMBER, cleared=NONE)
    assert sees(person, listed=True)
    assert not sees(person, listed=False)


def test_a_person_acting_for_no_organisation_sees_nothing() -> None:
    person = actor(None, Role.ADMINISTRATOR, cleared=ALL)
    assert not sees(person, listed=True, leads=True)


@pytest.mark.parametrize(
    ("cleared", "listed", "words"),
    [
        (NONE, True, "undertaking hasn't been both signed"),
        (ALL, False, "aren't on the list of people"),
    ],
)
def test_a_no_says_why(cleared: str, listed: bool, words: str) -> None:
    person = actor(OrganisationKind.CSO, Role.MEMBER, cleared=cleared)
    decision = may_see_planning(person, COOPERATION, VISIT, listed=listed, leads=False)
    assert words in str(decision.reason)
