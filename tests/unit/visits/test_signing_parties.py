"""Which parties sign the texts of a visit."""

import datetime as dt
from uuid import UUID

from tracker.access.actor import OrganisationKind
from tracker.cooperations.models import Party
from tracker.visits.models import TeamMember
from tracker.visits.readiness import signing_parties

PLANNED = dt.datetime(2027, 5, 4, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def party(
    number: int,
    side: OrganisationKind = OrganisationKind.NPM,
    joined_at: dt.datetime | None = None,
) -> Party:
    return Party(organisation_id=UUID(int=number), side=side, joined_at=joined_at)


FIRST, CSO, ABSENT = party(1), party(2, OrganisationKind.CSO), party(3, OrganisationKind.CSO)
BEFORE, LATER = party(4, joined_at=PLANNED), party(5, joined_at=PLANNED + HOUR)


def signing(*parties: Party, team: tuple[Party, ...] = (CSO,)) -> list[Party]:
    members = [TeamMember(organisation_id=member.organisation_id) for member in team]
    return signing_parties(parties, members, PLANNED)


def test_the_npm_and_each_party_with_people_on_the_team_sign() -> None:
    assert signing(FIRST, CSO, ABSENT, BEFORE) == [FIRST, CSO, BEFORE]


def test_a_body_of_the_npm_that_joined_since_signs_where_it_is_needed() -> None:
    assert signing(FIRST, CSO, LATER) == [FIRST, CSO]
    assert signing(FIRST, CSO, LATER, team=(LATER,)) == [FIRST, LATER]
    # The others have left.
    assert signing(CSO, LATER) == [CSO, LATER]
