"""A party that leaves by itself: notice, last day, and the texts that stay among the others."""

import datetime as dt

import pytest
import sqlalchemy as sa

from tests import due
from tests.factories import agreements
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, NOTICE, SIGNERS, Clock
from tests.integration.agreements.notices.test_notices import give, state
from tests.integration.agreements.parties.test_succession import replace
from tests.integration.agreements.test_signers import mailed, power
from tracker.access.actor import OrganisationKind, Role
from tracker.agreements import departures, notices
from tracker.agreements import service as agreements_service
from tracker.checklists.models import ChecklistState, NoticeKind
from tracker.cooperations import departures as party_departures
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation, Party, Stage
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.signoff.models import Signature

WHY = "Our board has other plans."


def cooperation(negotiation: Negotiation, first: str = "ilena") -> Cooperation:
    seen = cooperations.find_by_id(negotiation[first], negotiation.cooperation.id)
    assert seen is not None
    return seen


def sees(negotiation: Negotiation, first: str) -> bool:
    return cooperations.find_by_id(negotiation[first], negotiation.cooperation.id) is not None


def notify(negotiation: Negotiation, first: str = "otto", from_on: dt.date | None = None) -> Party:
    """Give notice for the party of a person."""
    party = departures.give_notice(
        negotiation[first], cooperation(negotiation, first), reason=WHY, from_on=from_on
    )
    negotiation.session.commit()
    return party


def go_to(negotiation: Negotiation, frozen_time: Clock, days: int) -> int:
    """Move to a day and run the worker; return how many parties left."""
    frozen_time(clock.now() + days * DAY)
    number = due.leave_due(clock.today())
    negotiation.session.commit()
    return number


def gone(negotiation: Negotiation, frozen_time: Clock, first: str = "otto") -> None:
    """Let a person's party leave, after the agreed notice."""
    notify(negotiation, first)
    assert go_to(negotiation, frozen_time, NOTICE) == 1


def row(negotiation: Negotiation, key: str = "lantern") -> Party:
    return negotiation.session.scalars(
        sa.select(Party)
        .where(
            Party.cooperation_id == negotiation.cooperation.id,
            Party.organisation_id == negotiation.country.id(key),
        )
        .execution_options(populate_existing=True)
    ).one()


def parties(negotiation: Negotiation) -> list[str]:
    keys = {body.id: key for key, body in negotiation.country.organisations.items()}
    return [keys[party.organisation_id] for party in negotiation.loaded().parties]


# Notice


def test_leaving_keeps_the_notice_agreed(in_force: Negotiation) -> None:
    """product.md, 5.8; M20: days of notice."""
    early = clock.today() + (NOTICE - 1) * DAY
    with pytest.raises(RuleBrokenError, match="Notice agreed: 30 days") as error:
        notify(in_force, from_on=early)
    assert error.value.field == "from_on"
    in_force.session.rollback()
    party = notify(in_force)
    assert party.left_on == clock.today() + (NOTICE - 1) * DAY
    assert sees(in_force, "otto")
    (event,) = in_force.events("party_leaving")
    assert event["organisation"] == "Lantern Health Network"
    assert event["since"] == (clock.today() + NOTICE * DAY).isoformat()
    assert event["reason"] == WHY
    assert in_force.events("party_left") == []


def test_all_are_told_that_a_party_is_leaving(in_force: Negotiation) -> None:
    notify(in_force)
    assert mailed(in_force, "party_leaving") == [
        "henrik",
        "ilena",
        "joana",
        "nadia",
        "samira",
        "tomas",
    ]


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("joana", "Only a signatory can give"),
        ("ilena", "Only a signatory can give"),
        ("tomas", "needs an NPM"),
    ],
)
def test_only_a_signatory_lets_their_own_party_leave(
    in_force: Negotiation, first: str, words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        notify(in_force, first)
    in_force.session.rollback()
    assert row(in_force, "lantern").left_on is None


def test_whose_power_to_sign_has_run_out_gives_no_notice(in_force: Negotiation) -> None:
    power(in_force, "otto", None, clock.today() - DAY)
    with pytest.raises(RefusedError, match="has run out"):
        notify(in_force)


def test_notice_is_given_once(in_force: Negotiation) -> None:
    notify(in_force)
    with pytest.raises(RefusedError, match="already given this notice"):
        notify(in_force)


@pytest.mark.both_databases
def test_of_two_csos_the_second_ends_the_agreement_instead(in_force: Negotiation) -> None:
    notify(in_force, "otto")
    with pytest.raises(RefusedError, match="end the agreement instead"):
        notify(in_force, "henrik")
    in_force.session.rollback()
    assert row(in_force, "door").left_on is None


def test_if_two_parties_leave_at_once_one_has_to_stay(in_force: Negotiation) -> None:
    """Each has read the cooperation before the other gave notice."""
    before = cooperation(in_force, "henrik")
    departures.give_notice(in_force["otto"], cooperation(in_force, "otto"), reason=WHY)
    in_force.session.flush()
    with pytest.raises(RefusedError, match="end the agreement instead"):
        departures.give_notice(in_force["henrik"], before, reason=WHY)


def test_who_gave_notice_of_the_end_takes_it_back_first(in_force: Negotiation) -> None:
    give(in_force, "otto", NoticeKind.ENDED)
    with pytest.raises(RefusedError, match="Withdraw the notice first"):
        notify(in_force)


def test_a_notice_needs_a_reason(in_force: Negotiation) -> None:
    with pytest.raises(RuleBrokenError, match="Give the reason") as error:
        departures.give_notice(in_force["otto"], cooperation(in_force), reason="  ")
    assert error.value.field == "reason"


def test_a_notice_is_taken_back_before_its_day(in_force: Negotiation, frozen_time: Clock) -> None:
    notify(in_force)
    departures.take_back(in_force["otto"], cooperation(in_force), reason="We can stay.")
    in_force.session.commit()
    (event,) = in_force.events("party_stays")
    assert event["reason"] == "We can stay."
    assert go_to(in_force, frozen_time, NOTICE) == 0
    assert sees(in_force, "otto")
    assert integrity.check_all().finding is None


@pytest.mark.parametrize("first", ["henrik", "tomas", "joana"])
def test_nobody_else_takes_it_back(in_force: Negotiation, first: str) -> None:
    notify(in_force)
    with pytest.raises(RefusedError, match=r"party that is leaving|hasn't given this notice"):
        departures.take_back(in_force[first], cooperation(in_force), reason="Stay, please.")


def test_a_notice_is_void_when_the_agreement_ends_for_all_before(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    give(in_force, "tomas", NoticeKind.ENDED)
    notify(in_force, from_on=clock.today() + (NOTICE + 5) * DAY)
    frozen_time(clock.now() + NOTICE * DAY)
    due.carry_out_due(clock.today())
    in_force.session.commit()
    assert cooperation(in_force).stage is Stage.CLOSED
    assert row(in_force).left_on is None
    (event,) = in_force.events("party_stays")
    assert (event["organisation"], event["reason"]) == ("Lantern Health Network", "")


# The day


@pytest.mark.both_databases
def test_on_the_day_the_party_is_gone_and_the_agreement_goes_on(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    before = in_force.checklist().revision_in_force_id
    number = in_force.session.scalar(sa.select(sa.func.count()).select_from(Signature))
    notify(in_force)
    assert go_to(in_force, frozen_time, NOTICE - 1) == 0
    assert sees(in_force, "otto")
    assert go_to(in_force, frozen_time, 1) == 1
    assert go_to(in_force, frozen_time, 0) == 0
    assert [sees(in_force, first) for first in ("otto", "joana", "henrik")] == [False, False, True]
    terms = in_force.checklist()
    assert (terms.state, terms.revision_in_force_id) == (ChecklistState.IN_FORCE, before)
    assert in_force.session.scalar(sa.select(sa.func.count()).select_from(Signature)) == number
    assert parties(in_force) == ["npm", "door"]
    (event,) = in_force.events("party_left")
    assert event["since"] == clock.today().isoformat()
    assert {event["organisation"] for event in in_force.events("person_left")} == {
        "Lantern Health Network"
    }
    assert integrity.check_all().finding is None


def test_nobody_is_taken_out_of_a_party_that_stays_after_all(in_force: Negotiation) -> None:
    notify(in_force)
    last = clock.today() + NOTICE * DAY
    found_due = party_departures.people_due(last)
    assert len(found_due) == 3
    departures.take_back(in_force["otto"], cooperation(in_force), reason="We can stay.")
    in_force.session.commit()
    assert [party_departures.end_person(person, last) for person in found_due] == [False] * 3
    assert party_departures.people_due(last) == []
    assert in_force.events("person_left") == []


def test_those_who_stay_and_those_who_left_are_told(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    gone(in_force, frozen_time)
    assert mailed(in_force, "party_left") == ["henrik", "ilena", "nadia", "samira", "tomas"]
    assert mailed(in_force, "own_party_left") == ["joana", "otto"]


def test_without_notice_agreed_a_party_leaves_immediately(negotiation: Negotiation) -> None:
    notify(negotiation)
    assert not sees(negotiation, "otto")
    assert parties(negotiation) == ["npm", "door"]
    assert negotiation.events("party_left")


def test_nobody_waits_for_the_answers_of_a_party_that_left(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    negotiation.accept("M1", "samira")
    assert negotiation.waiting("M1") == {"lantern"}
    notify(negotiation)
    assert negotiation.waiting("M1") == set()


def test_a_text_that_waits_for_signatures_comes_back(many: Negotiation) -> None:
    many.session.commit()
    agreements.send(many.country, many.checklist(), SIGNERS)
    agreements.sign(many.country, many.checklist(), "tomas")
    many.session.commit()
    notify(many)
    assert state(many) is ChecklistState.DRAFTING
    assert many.events("signature_request_withdrawn")[0]["reason"] == (
        "Lantern Health Network, which this text names, has left the cooperation."
    )
    assert parties(many) == ["npm", "door"]
    assert integrity.check_all().finding is None


def test_an_amendment_is_signed_by_those_who_stay(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    gone(in_force, frozen_time)
    agreements_service.amend(
        in_force["ilena"], in_force.checklist(), reason="Lantern has left.", items=["M2"]
    )
    in_force.session.commit()
    assert parties(in_force) == ["npm", "door"]
    assert in_force.checklist().revision_in_force_id is not None


def test_its_own_suspension_is_lifted_when_a_party_leaves(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    """Nobody else could lift it."""
    give(in_force, "otto", NoticeKind.SUSPENDED)
    assert cooperation(in_force).stage is Stage.SUSPENDED
    gone(in_force, frozen_time)
    assert state(in_force) is ChecklistState.IN_FORCE
    assert cooperation(in_force).stage is not Stage.SUSPENDED
    assert notices.open_notices(in_force.checklist()) == []
    assert integrity.check_all().finding is None


def test_the_suspension_of_another_party_stays(in_force: Negotiation, frozen_time: Clock) -> None:
    give(in_force, "henrik", NoticeKind.SUSPENDED)
    gone(in_force, frozen_time)
    assert state(in_force) is ChecklistState.SUSPENDED


# What the party can still see


def test_its_duties_are_those_it_signed(in_force: Negotiation, frozen_time: Clock) -> None:
    gone(in_force, frozen_time)
    [duties] = departures.duties_of(cooperation(in_force), _with_name(in_force), "en")
    assert "Thanks are owed." in str(duties.parts)


def test_who_never_signed_has_no_duties_from_a_text(negotiation: Negotiation) -> None:
    notify(negotiation)
    assert departures.duties_of(cooperation(negotiation), _with_name(negotiation), "en") == []


def test_a_successor_that_leaves_keeps_the_duties_that_its_predecessors_signed(
    inviting: Negotiation, frozen_time: Clock
) -> None:
    """It took over what was in force (N13), however many bodies followed one another."""
    country = inviting.country
    country.organisation("heir", "New Door Foundation", OrganisationKind.CSO)
    inviting.session.commit()
    replace(inviting, "door", "heir")
    replace(inviting, "heir", "bridge")
    gone(inviting, frozen_time, "sten")
    [duties] = departures.duties_of(cooperation(inviting), _with_name(inviting, "bridge"), "en")
    assert "Thanks are owed." in str(duties.parts)


def test_a_text_that_names_a_predecessor_names_the_successor_that_left(
    negotiation: Negotiation,
) -> None:
    negotiation.country.person("Sten Mohr", "bridge", Role.SIGNATORY, power="Deed of foundation")
    negotiation.save("ilena", "M1", words="Open Door Legal Aid trains the NPM.")
    negotiation.accept("M1", "samira", "joana")
    negotiation.sign()
    replace(negotiation, "door", "bridge")
    notify(negotiation, "sten")
    assert "M1" in naming(negotiation, "bridge")
    assert naming(negotiation, "bridge") == naming(negotiation, "door")


def naming(negotiation: Negotiation, key: str) -> list[str]:
    """Return the items of the texts in force that name a party."""
    texts = departures.still_naming(cooperation(negotiation), _with_name(negotiation, key), "en")
    return [item.code for text in texts for item in text.items]


def _with_name(negotiation: Negotiation, key: str = "lantern") -> Party:
    """Return the party that leaves, with the name of its organisation."""
    return next(
        party
        for party in cooperation(negotiation).parties
        if party.organisation_id == negotiation.country.id(key)
    )
