"""Returns of material and the closing: who is asked, who answers, when it is complete."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests import due
from tests.factories.visits import Scene
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


def returns(scene: Scene) -> dict[str, MaterialReturn]:
    """Return the newest request to each person, by their keys."""
    keys = {user_id: key for key, user_id in scene.demonstration.users.items()}
    rows = scene.session.scalars(
        sa.select(MaterialReturn)
        .where(MaterialReturn.cooperation_id == scene.cooperation.id)
        .order_by(MaterialReturn.requested_at)
        .options(*queries.WITH_NAMES)
        .execution_options(populate_existing=True)
    )
    return {keys[row.user_id]: row for row in rows}


def cleared(scene: Scene) -> set[str]:
    return {
        key
        for key in scene.demonstration.users
        if scene.actor(key).cleared_for(scene.cooperation.id)
    }


def withdraw(scene: Scene, key: str) -> None:
    undertakings.withdraw(scene.actor(key), scene.undertaking(key).id)
    scene.session.commit()


def closing_gate(scene: Scene) -> lifecycle.Gate:
    facts = lifecycle_queries.facts_of(scene.cooperation)
    return next(gate for gate in lifecycle.gates(facts) if gate.code == "G7")


def answer_all(scene: Scene, *but: str) -> None:
    for key, request in returns(scene).items():
        if key not in but and request.state is ReturnState.REQUESTED:
            service.confirm(scene.actor(key), request.id, Disposal.DESTROYED)
    scene.session.commit()


# Who is asked


@pytest.mark.both_databases
def test_everybody_who_had_access_is_asked_when_the_cooperation_ends(
    scene: Scene, end_cooperation: Callable[[], None]
) -> None:
    had_access = cleared(scene)
    end_cooperation()
    assert scene.cooperation.stage is Stage.CLOSED
    assert cleared(scene) == set()
    assert len(had_access) > 3
    assert set(returns(scene)) == had_access
    mails = [mail for mail in scene.mails() if mail.kind == "material_return_requested"]
    assert len(mails) == len(had_access)
    assert integrity.check_all().finding is None


def test_a_person_who_withdraws_is_asked_while_the_cooperation_goes_on(scene: Scene) -> None:
    withdraw(scene, "leyla")
    assert returns(scene)["leyla"].state is ReturnState.REQUESTED
    _verb, details = scene.events("return_requested")[-1]
    assert details["organisation"] == "Lantern Health Network"


def test_a_person_whose_access_has_run_out_is_asked(
    scene: Scene, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    last = scene.clearance("leyla").until_on
    frozen_time(clock.now() + (last - clock.today()) + dt.timedelta(days=1))
    due.close_expired(clock.today())
    scene.session.commit()
    assert returns(scene)["leyla"].state is ReturnState.REQUESTED


def test_a_person_who_is_cleared_again_has_nothing_to_return(scene: Scene) -> None:
    withdraw(scene, "leyla")
    first = returns(scene)["leyla"].id
    service.cancel_return(None, scene.cooperation.id, scene.user("leyla"))
    scene.session.commit()
    assert returns(scene)["leyla"].state is ReturnState.CANCELLED
    with pytest.raises(RefusedError, match="cleared again"):
        service.confirm(scene.actor("leyla"), first, Disposal.NONE)


def test_nobody_is_asked_twice(scene: Scene, end_cooperation: Callable[[], None]) -> None:
    withdraw(scene, "leyla")
    service.confirm(scene.actor("leyla"), returns(scene)["leyla"].id, Disposal.RETURNED)
    scene.session.commit()
    end_cooperation()
    rows = scene.session.scalars(
        sa.select(MaterialReturn).where(MaterialReturn.user_id == scene.user("leyla"))
    ).all()
    assert [row.state for row in rows] == [ReturnState.CONFIRMED]


# Who answers


def test_a_person_confirms_once_and_their_words_are_encrypted(ended: Scene) -> None:
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
def test_nobody_confirms_for_somebody_else(ended: Scene, key: str) -> None:
    with pytest.raises(RefusedError, match="Only the person"):
        service.confirm(ended.actor(key), returns(ended)["leyla"].id, Disposal.NONE)


def test_the_npm_goes_on_without_a_confirmation_for_a_reason(ended: Scene) -> None:
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
def test_only_the_npms_signatories_and_managers_record_an_exception(ended: Scene, key: str) -> None:
    with pytest.raises(RefusedError, match="signatory or manager of the NPM"):
        service.record_exception(ended.actor(key), returns(ended)["leyla"].id, "Gone.")


# G7


def test_the_closing_is_complete_once_everybody_has_answered(ended: Scene) -> None:
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


def test_a_running_cooperation_has_no_closing_to_complete(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="hasn't ended"):
        service.complete(scene.actor("milan"), scene.cooperation)


@pytest.mark.parametrize("key", ["ilena", "otto", "joana", "greta", "iris", "vera"])
def test_only_the_npms_signatories_and_managers_complete_it(ended: Scene, key: str) -> None:
    answer_all(ended)
    with pytest.raises(RefusedError, match="signatory or manager of the NPM"):
        service.complete(ended.actor(key), ended.cooperation)


# Reminders


def test_a_person_is_reminded_once_on_the_last_day(ended: Scene) -> None:
    request = returns(ended)["leyla"]
    request.due_on = clock.today()
    ended.session.commit()
    assert list(queries.due(clock.today())) == [request.id]
    assert service.remind(request.id, clock.today())
    ended.session.commit()
    assert list(queries.due(clock.today())) == []
    assert not service.remind(request.id, clock.today())
    assert [mail.kind for mail in ended.mails()].count("material_return_due") == 1
