"""Who reads and records how partners were chosen, and what a record lacks, in each case."""

import datetime as dt
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.cooperations.models import Stage
from tracker.cooperations.policy import CooperationFact, PartyFact
from tracker.cooperations.selection import policy
from tracker.cooperations.selection.models import SelectionWay
from tracker.cooperations.selection.policy import Selection

NPM, DOOR, LANTERN, OTHER = uuid4(), uuid4(), uuid4(), uuid4()
KINDS = {
    NPM: OrganisationKind.NPM,
    DOOR: OrganisationKind.CSO,
    LANTERN: OrganisationKind.CSO,
    OTHER: OrganisationKind.NPM,
}
COOPERATION = CooperationFact(
    Stage.DRAFT, tuple(PartyFact(key, KINDS[key]) for key in (NPM, DOOR, LANTERN))
)
TODAY = dt.date(2027, 3, 10)
DAY = dt.timedelta(days=1)
WHOLE = Selection(
    SelectionWay.PUBLIC_CALL, TODAY - 30 * DAY, TODAY - DAY, "Ten years of work.", "The head", NPM
)


def actor(organisation_id: UUID, *roles: Role) -> Actor:
    return Actor(
        user_id=uuid4(),
        name="Somebody",
        email="somebody@example.org",
        memberships=tuple(
            ActorMembership(role, organisation_id, "Body", KINDS[organisation_id]) for role in roles
        ),
        organisation_id=organisation_id,
    )


@pytest.mark.parametrize(
    ("organisation_id", "expected"),
    [(NPM, (DOOR, LANTERN)), (DOOR, (DOOR,)), (LANTERN, (LANTERN,)), (OTHER, ())],
)
def test_the_npm_reads_of_all_partners_and_each_partner_of_itself(
    organisation_id: UUID, expected: tuple[UUID, ...]
) -> None:
    for role in Role:
        looks_on = role in {Role.AUDITOR, Role.ADMINISTRATOR}
        partners = policy.readable(actor(organisation_id, role), COOPERATION)
        assert partners == (() if looks_on else expected)
    both = actor(organisation_id, Role.AUDITOR, Role.MEMBER)
    assert policy.readable(both, COOPERATION) == expected


@pytest.mark.parametrize("organisation_id", [NPM, DOOR, OTHER])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("is_asked_to_sign", [True, False])
def test_a_coordinator_of_the_npm_records_until_the_partner_is_asked_to_sign(
    organisation_id: UUID, role: Role, stage: Stage, *, is_asked_to_sign: bool
) -> None:
    decision = policy.can_record(
        actor(organisation_id, role),
        replace(COOPERATION, stage=stage),
        is_asked_to_sign=is_asked_to_sign,
    )
    assert bool(decision) is (
        organisation_id == NPM
        and role is Role.COORDINATOR
        and stage is not Stage.CLOSED
        and not is_asked_to_sign
    )
    assert bool(decision) or str(decision.reason)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({}, []),
        ({"opened_on": None}, []),
        ({"opened_on": TODAY, "decided_on": TODAY}, []),
        ({"opened_on": TODAY + DAY, "decided_on": None}, ["opened_on", "decided_on"]),
        ({"decided_on": TODAY + DAY}, ["decided_on"]),
        ({"decided_on": TODAY - 31 * DAY}, ["decided_on"]),
        ({"decided_on": None}, ["decided_on"]),
        ({"decided_on": None, "way": SelectionWay.APPLICATION}, ["decided_on"]),
        ({"decided_on": None, "way": SelectionWay.DIRECT}, []),
        ({"decided_on": None, "way": SelectionWay.LAW, "decided_by": ""}, []),
        ({"criteria": ""}, ["criteria"]),
        ({"criteria": "", "way": SelectionWay.LAW}, ["criteria"]),
        ({"deciding_id": None}, ["deciding_id"]),
        ({"deciding_id": None, "way": SelectionWay.LAW}, []),
        ({"decided_by": ""}, ["decided_by"]),
        ({"decided_by": "", "way": SelectionWay.OTHER}, ["decided_by"]),
    ],
)
def test_what_a_record_lacks_is_named_beside_its_field(
    change: dict[str, object], fields: list[str]
) -> None:
    selection = replace(WHOLE, **change)  # type: ignore[arg-type] # the fields of a selection
    problems = list(policy.problems(selection, TODAY))
    assert [field for field, _message in problems] == fields
    assert all(str(message) for _field, message in problems)
