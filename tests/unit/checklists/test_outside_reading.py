"""Who asks an outside second reader, who can be one, and until when."""

import datetime as dt
from dataclasses import replace

import pytest

from tests.factories.templates import NPM, PARTIES
from tests.unit.checklists.test_policy import JOINING_NPM, actor, says
from tracker.access.actor import Role
from tracker.checklists.outside_reading import policy
from tracker.checklists.outside_reading.policy import Candidate
from tracker.checklists.rules.facts import PartyFact

OUR_NPM, DOOR_PARTY, _LANTERN = PARTIES
TODAY = dt.date(2027, 1, 15)
ASK = {Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "party", [OUR_NPM, JOINING_NPM, DOOR_PARTY, None], ids=["npm", "joining", "cso", "none"]
)
def test_the_npm_alone_asks(role: Role, party: PartyFact | None) -> None:
    words = "Only the NPM can invite"
    if party is OUR_NPM:
        words = "" if role in ASK else "Only a coordinator, signatory or manager of the NPM"
    says(policy.can_ask(actor(role, body=NPM), party), words)


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (Candidate(), ""),
        (Candidate(party="Open Door"), "role with Open Door, a party of this cooperation"),
        (Candidate(took_part=True), "took part in this cooperation"),
        (Candidate(is_administrator=True), "An administrator can't be the second reader"),
        (Candidate(is_suspended=True), "is suspended"),
    ],
)
def test_nobody_with_a_part_in_it_is_asked(candidate: Candidate, words: str) -> None:
    says(policy.can_read(candidate), words)
    if words:  # a further reason enables nobody
        assert not policy.can_read(replace(candidate, took_part=True))


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-1, "This day has passed"),
        (0, ""),
        (60, ""),
        (61, "within the next 60 days"),
    ],
)
def test_a_reading_lasts_at_most_so_many_days(days: int, words: str) -> None:
    says(policy.can_last(TODAY + dt.timedelta(days=days), TODAY), words)
