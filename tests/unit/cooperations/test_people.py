"""For which party somebody of several parties counts."""

from uuid import UUID

from tracker.access.actor import OrganisationKind
from tracker.cooperations.people import Participant, by_user

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
