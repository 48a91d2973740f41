"""Returns of material and the closing: who is asked, who answers, when it is complete."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests import due
from tests.factories.visits import JointVisit
from tracker.closing import encryption, queries, service
from tracker.closing.models import Closing, Disposal, MaterialReturn, ReturnState
from tracker.cooperations.models import Stage
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.lifecycle import policy as lifecycle
from tracker.lifecycle import queries as lifecycle_queries
from tracker.oversight import integrity
from tracker.undertakings import service as undertakings

pytestmark = pytest.mark.few_on_postgresql(1)


def returns(joint_visit: JointVisit) -> dict[str, MaterialReturn]:
    """Return the newest request to each person, by their keys."""
    keys = {user_id: key for key, user_id in joint_visit.demonstration.users.items()}
    rows = joint_visit.session.scalars(
        sa.select(MaterialReturn)
        .where(MaterialReturn.cooperation_id == joint_visit.cooperation.id)
        .order_by(MaterialReturn.requested_at)
        .options(*queries.WITH_NAMES)
        .execution_options(populate_existing=True)
    )
    return {keys[row.user_id]: row for row in rows}


def cleared(joint_visit: JointVisit) -> set[str]:
    return {
        key
        for key in joint_visit.demonstration.users
        if joint_visit.actor(key).cleared_for(joint_visit.cooperation.id)
    }


def withdraw(joint_visit: JointVisit, key: str) -> None:
    undertakings.withdraw(joint_visit.actor(key), joint_visit.undertaking(key).id)
    joint_visit.session.commit()


def closing_gate(joint_visit: JointVisit) -> lifecycle.Gate:
    facts = lifecycle_queries.facts_of(joint_visit.cooperation)
    return next(gate for gate in lifecycle.gates(facts) if gate.code == "G7")


def answer_all(joint_visit: JointVisit, *but: str) -> None:
    for key, request in returns(joint_visit).items():
        if key not in but and request.state is ReturnState.REQUESTED:
            service.confirm(joint_visit.actor(key), request.id, Disposal.DESTROYED)
    joint_visit.session.commit()


# Who is asked


@pytest.mark.both_databases
def test_everybody_who_had_access_is_asked_when_the_cooperation_ends(
    joint_visit: JointVisit, end_cooperation: Callable[[], None]
) -> None:
    had_access = cleared(joint_visit)
    end_cooperation()
    assert joint_visit.cooperation.stage is Stage.CLOSED
    assert cleared(joint_visit) == set()
    assert len(had_access) > 3
    assert set(returns(joint_visit)) == had_access
    mails = [mail for mail in joint_visit.mails() if mail.kind == "material_return_requested"]
    assert len(mails) == len(had_access)
    assert integrity.check_all().finding is None


def test_a_person_who_withdraws_is_asked_while_the_cooperation_goes_on(
    joint_visit: JointVisit,
) -> None:
    withdraw(joint_visit, "leyla")
    assert returns(joint_visit)["leyla"].state is ReturnState.REQUESTED
    _verb, details = joint_visit.events("return_requested")[-1]
    assert details["organisation"] == "Lantern Health Network"


def test_a_person_whose_access_has_run_out_is_asked(
    joint_visit: JointVisit, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    last = joint_visit.clearance("leyla").until_on
    frozen_time(clock.now() + (last - clock.today()) + dt.timedelta(days=1))
    due.close_expired(clock.today())
    joint_visit.session.commit()
    assert returns(joint_visit)["leyla"].state is ReturnState.REQUESTED


def test_a_person_who_is_cleared_again_has_nothing_to_return(joint_visit: JointVisit) -> None:
    withdraw(joint_visit, "leyla")
    first = returns(joint_visit)["leyla"].id
    service.cancel_return(None, joint_visit.cooperation.id, joint_visit.user("leyla"))
    joint_visit.session.commit()
    assert returns(joint_visit)["leyla"].state is ReturnState.CANCELLED
    with pytest.raises(RefusedError, match="cleared again"):
        service.confirm(joint_visit.actor("leyla"), first, Disposal.NONE)


def test_nobody_is_asked_twice(
    joint_visit: JointVisit, end_cooperation: Callable[[], None]
) -> None:
    withdraw(joint_visit, "leyla")
    service.confirm(joint_visit.actor("leyla"), returns(joint_visit)["leyla"].id, Disposal.RETURNED)
    joint_visit.session.commit()
    end_cooperation()
    rows = joint_visit.session.scalars(
        sa.select(MaterialReturn).where(MaterialReturn.user_id == joint_visit.user("leyla"))
    ).all()
    assert [row.state for row in rows] == [ReturnState.CONFIRMED]


# Who answers


def test_a_person_confirms_once_and_their_words_are_encrypted(ended: JointVisit) -> None:
    request = returns(ended)["leyla"]
    service.confirm(
        ended.actor("leyla"), request.id, Disposal.BOTH, "Notes handed to Pavo, photos deleted."
    )
    ended.session.commit()
    request = returns(ended)["leyla"]
    assert (request.state, request.disposal) == (ReturnState.CONFIRMED, Disposal.BOTH)
    assert b"photos" not in (request.sealed_words or b"photos")
    assert encryption.words_of(request) == "Notes handed to Pavo, photos deleted."
    [(_verb, details)] = ended.events("return_confirmed")
    assert details["disposal"] == "both"
    assert "photos" not in str(details)
    with pytest.raises(RefusedError, match="already answered"):
        service.confirm(ended.actor("leyla"), request.id, Disposal.NONE)


@pytest.mark.parametrize("key", ["samira", "tomas", "milan", "ilena", "greta", "iris"])
def test_nobody_confirms_for_somebody_else(ended: JointVisit, key: str) -> None:
    with pytest.raises(RefusedError, match="Only the person"):
        service.confirm(ended.actor(key), returns(ended)["leyla"].id, Disposal.NONE)


def test_the_npm_goes_on_without_a_confirmation_for_a_reason(ended: JointVisit) -> None:
    request = returns(ended)["leyla"]
    with pytest.raises(RuleBrokenError, match="Say why"):
        service.record_exception(ended.actor("milan"), request.id, "  ")
    ended.session.rollback()
    service.record_exception(ended.actor("milan"), request.id, "She can't be reached.")
    ended.session.commit()
    request = returns(ended)["leyla"]
    assert request.state is ReturnState.EXCEPTED
    assert encryption.words_of(request) == "She can't be reached."
    assert "reached" not in str(ended.events("return_excepted"))


@pytest.mark.parametrize("key", ["ilena", "otto", "joana", "samira", "leyla", "greta", "iris"])
def test_only_the_npms_signatories_and_managers_record_an_exception(
    ended: JointVisit, key: str
) -> None:
    with pytest.raises(RefusedError, match="signatory or manager of the NPM"):
        service.record_exception(ended.actor(key), returns(ended)["leyla"].id, "Gone.")


# G7


def test_the_closing_is_complete_once_everybody_has_answered(ended: JointVisit) -> None:
    answer_all(ended, "leyla")
    gate = closing_gate(ended)
    assert not gate.is_open
    assert ["Leyla" in str(missing.reason) for missing in gate.missing] == [True]
    with pytest.raises(RefusedError, match="Some people"):
        service.complete(ended.actor("milan"), ended.cooperation, "Begin earlier.")
    ended.session.rollback()
    service.record_exception(ended.actor("milan"), returns(ended)["leyla"].id, "Not reached.")
    ended.session.commit()
    assert closing_gate(ended).is_open
    service.complete(ended.actor("milan"), ended.cooperation, "Begin earlier.")
    ended.session.commit()
    closing = ended.session.scalars(sa.select(Closing)).one()
    assert (closing.lessons, closing.completed_by_id) == ("Begin earlier.", ended.user("milan"))
    assert len(ended.events("closing_completed")) == 1
    with pytest.raises(RefusedError, match="already complete"):
        service.complete(ended.actor("milan"), ended.cooperation)


def test_a_running_cooperation_has_no_closing_to_complete(joint_visit: JointVisit) -> None:
    with pytest.raises(RefusedError, match="hasn't ended"):
        service.complete(joint_visit.actor("milan"), joint_visit.cooperation)


@pytest.mark.parametrize("key", ["ilena", "otto", "joana", "greta", "iris", "vera"])
def test_only_the_npms_signatories_and_managers_complete_it(ended: JointVisit, key: str) -> None:
    answer_all(ended)
    with pytest.raises(RefusedError, match="signatory or manager of the NPM"):
        service.complete(ended.actor(key), ended.cooperation)


# Reminders


def test_a_person_is_reminded_once_on_the_last_day(ended: JointVisit) -> None:
    request = returns(ended)["leyla"]
    request.due_on = clock.today()
    ended.session.commit()
    assert list(queries.due(clock.today())) == [request.id]
    assert service.remind(request.id, clock.today())
    ended.session.commit()
    assert list(queries.due(clock.today())) == []
    assert not service.remind(request.id, clock.today())
    assert [mail.kind for mail in ended.mails()].count("material_return_due") == 1
