"""For which party somebody of several parties counts, and how long their roles last."""

import datetime as dt
from uuid import UUID

import pytest

from tracker.access.actor import OrganisationKind, Role
from tracker.accounts.models import Membership
from tracker.cooperations.people import Participant, by_user, last_day

NPM, CSO = OrganisationKind.NPM, OrganisationKind.CSO


def of(
    party: int, side: OrganisationKind = NPM, *, joins: bool = False, outside: bool = False
) -> Participant:
    return Participant(
        user_id=UUID(int=1),
        name="Ruth Abara",
        organisation_id=UUID(int=party),
        organisation_name=f"Party {party}",
        side=side,
        outside_expert=outside,
        is_joining=joins,
    )


def counting(*rows: Participant, named: int = 0) -> int:
    return by_user(rows)[UUID(int=1)].counts_for([UUID(int=named)]).int


def test_a_party_for_which_somebody_needs_a_clearance_comes_before_the_npm() -> None:
    assert counting(of(1), of(2, CSO)) == counting(of(2, CSO), of(1)) == 2
    assert counting(of(1), of(2, outside=True)) == 2
    assert counting(of(1), of(2)) == 1


def test_a_party_that_is_joining_comes_last() -> None:
    assert counting(of(1), of(2, CSO, joins=True)) == 1
    assert counting(of(1, joins=True), of(2, CSO, joins=True)) == 2


def test_a_party_that_is_named_counts_if_the_person_takes_part_for_it() -> None:
    assert counting(of(1), of(2, CSO), named=1) == 1
    assert counting(of(1), of(2, CSO), named=3) == 2
    assert counting(of(1), of(2, CSO, joins=True), named=2) == 1
    assert counting(of(1), named=2) == 1


TODAY = dt.date(2026, 11, 25)
SOON, LATER = TODAY + dt.timedelta(days=7), TODAY + dt.timedelta(days=30)
AFTER_SOON = SOON + dt.timedelta(days=1)


def role(
    ends_on: dt.date | None, *, starts_on: dt.date = TODAY, role: Role = Role.MEMBER
) -> Membership:
    return Membership(role=role, starts_on=starts_on, ends_on=ends_on)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ([], None),
        ([role(None)], None),
        ([role(SOON)], SOON),
        ([role(SOON), role(LATER)], LATER),
        ([role(SOON), role(None)], None),
        # The next role begins the day after, or too late.
        ([role(LATER, starts_on=AFTER_SOON), role(SOON)], LATER),
        ([role(None, starts_on=AFTER_SOON), role(SOON)], None),
        ([role(SOON), role(None, starts_on=AFTER_SOON + dt.timedelta(days=1))], SOON),
        # Nobody takes part as an auditor.
        ([role(SOON), role(None, role=Role.AUDITOR)], SOON),
        ([role(SOON, role=Role.AUDITOR)], None),
        # Their only role begins later; so far they take part without one.
        ([role(LATER, starts_on=AFTER_SOON)], None),
    ],
)
def test_somebodys_part_lasts_as_long_as_their_roles_follow_each_other(
    roles: list[Membership], expected: dt.date | None
) -> None:
    assert last_day(roles, TODAY) == expected
