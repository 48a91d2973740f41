"""Who may record, confirm, withdraw and open the scan of an undertaking: a table of cases."""

import datetime as dt
from functools import partial

import pytest

from tests.unit.undertakings.test_policy import (
    COORDINATOR,
    COUNTERSIGNED,
    DECIDERS,
    LEYLA,
    NOT_DECIDERS,
    TODAY,
    person,
    refused,
    standing,
)
from tracker.access.actor import Actor, Role
from tracker.undertakings import policy as undertakings
from tracker.undertakings.facts import UndertakingStatus
from tracker.undertakings.models import InterestsDecision, UndertakingState
from tracker.undertakings.paper import policy

ON_PAPER, ACCEPT = UndertakingState.ON_PAPER, InterestsDecision.ACCEPT
LATER = TODAY + dt.timedelta(days=1)
BOTH = person(Role.COORDINATOR, Role.SIGNATORY)


def without_account(**changed: object) -> UndertakingStatus:
    return standing(signs_in=False, **changed)


def on_paper(**changed: object) -> UndertakingStatus:
    values = {"state": ON_PAPER, "recorded_by_id": COORDINATOR.user_id, **changed}
    return without_account(**values)


def test_a_coordinator_of_the_npm_records() -> None:
    assert undertakings.can_take_signature(COORDINATOR, without_account(), TODAY)


@pytest.mark.parametrize(
    "actor", [actor for who, actor in NOT_DECIDERS.items() if "coordinator" not in who]
)
def test_nobody_else_records(actor: Actor) -> None:
    assert "Only a coordinator of the NPM" in refused(
        undertakings.can_take_signature(actor, without_account(), TODAY)
    )


def test_an_outside_expert_or_the_person_does_not_record() -> None:
    expert = person(Role.COORDINATOR, expert=True)
    own = person(Role.COORDINATOR, user_id=LEYLA)
    for actor in (expert, own):
        assert "Only a coordinator of the NPM" in refused(
            undertakings.can_take_signature(actor, without_account(), TODAY)
        )


@pytest.mark.parametrize(
    ("status", "day", "words"),
    [
        (standing(), TODAY, "has an account"),
        (on_paper(), TODAY, "is already waiting to be confirmed"),
        (without_account(state=UndertakingState.SIGNED), TODAY, "already signed"),
        (without_account(state=UndertakingState.COUNTERSIGNED), TODAY, "already signed"),
        (without_account(state=UndertakingState.CLOSED), TODAY, "has been closed"),
        (without_account(is_current=False), TODAY, "New terms"),
        (without_account(), LATER, "has passed"),
        (without_account(has_role=False), TODAY, "no longer have a role"),
    ],
)
def test_a_scan_is_recorded_while_a_person_without_an_account_is_asked(
    status: UndertakingStatus, day: dt.date, words: str
) -> None:
    assert words in refused(undertakings.can_take_signature(COORDINATOR, status, day))


@pytest.mark.parametrize("actor", DECIDERS.values(), ids=DECIDERS)
def test_a_second_person_who_decides_confirms(actor: Actor) -> None:
    assert policy.can_decide(actor, on_paper(), TODAY)


@pytest.mark.parametrize("actor", NOT_DECIDERS.values(), ids=NOT_DECIDERS)
def test_nobody_else_confirms(actor: Actor) -> None:
    assert "can confirm the scan" in refused(policy.can_decide(actor, on_paper(), TODAY))


@pytest.mark.parametrize(
    ("status", "day", "words"),
    [
        (on_paper(recorded_by_id=BOTH.user_id), TODAY, "You recorded this undertaking from paper"),
        (on_paper(user_id=BOTH.user_id), TODAY, "your own undertaking"),
        (without_account(), TODAY, "no longer waiting"),
        (on_paper(state=UndertakingState.SIGNED), TODAY, "no longer waiting"),
        (on_paper(is_current=False), TODAY, "New terms"),
        (on_paper(), LATER, "has passed"),
        # Even its recorder is told first that nobody can confirm it.
        (on_paper(recorded_by_id=BOTH.user_id, state=COUNTERSIGNED), TODAY, "no longer waiting"),
        (on_paper(recorded_by_id=BOTH.user_id, is_current=False), TODAY, "New terms"),
        (on_paper(recorded_by_id=BOTH.user_id), LATER, "has passed"),
        (on_paper(has_role=False), TODAY, "no longer have a role"),
    ],
)
def test_a_scan_is_confirmed_by_another_while_it_waits(
    status: UndertakingStatus, day: dt.date, words: str
) -> None:
    assert words in refused(policy.can_decide(BOTH, status, day))


TAKEN = {"recorded_by_id": "recorded this undertaking from paper", "host_id": "on your device"}


@pytest.mark.parametrize(("how", "words"), TAKEN.items(), ids=TAKEN)
def test_whoever_took_a_signature_does_not_countersign(how: str, words: str) -> None:
    def signed(by: Actor | None) -> UndertakingStatus:
        return without_account(
            state=UndertakingState.SIGNED, has_interests=False, **{how: by and by.user_id}
        )

    reason = refused(undertakings.can_countersign(BOTH, signed(BOTH), TODAY))
    assert words in reason
    assert "Another signatory or manager of the NPM" in reason
    for other in (None, COORDINATOR):
        assert undertakings.can_countersign(BOTH, signed(other), TODAY)


@pytest.mark.parametrize(("how", "words"), TAKEN.items(), ids=TAKEN)
def test_whoever_took_a_signature_does_not_decide_on_its_interests(how: str, words: str) -> None:
    def declared(by: Actor | None, **changed: object) -> UndertakingStatus:
        values = {"state": UndertakingState.SIGNED, "has_interests": True, **changed}
        return without_account(**values, **{how: by and by.user_id})

    reasons = [
        refused(undertakings.can_decide(BOTH, declared(BOTH), TODAY)),
        refused(undertakings.can_decide(BOTH, declared(BOTH, decision=ACCEPT), TODAY)),
        refused(undertakings.can_decide_added(BOTH, declared(BOTH), TODAY)),
        refused(undertakings.can_decide_added(BOTH, declared(BOTH, state=COUNTERSIGNED), TODAY)),
    ]
    assert all(words in reason for reason in reasons)
    for other in (None, COORDINATOR):
        assert undertakings.can_decide(BOTH, declared(other), TODAY)
        assert undertakings.can_decide_added(BOTH, declared(other), TODAY)
    assert "You recorded this interest" in refused(
        undertakings.can_decide_added(BOTH, declared(COORDINATOR), TODAY, BOTH.user_id)
    )


WAITING = {"state": UndertakingState.SIGNED, "has_interests": False}
DECLARED = {"state": UndertakingState.SIGNED, "has_interests": True}
REPLACED = {**DECLARED, "decision": InterestsDecision.REPLACE}


@pytest.mark.parametrize("how", TAKEN)
@pytest.mark.parametrize(
    ("changed", "day", "words"),
    [
        ({"state": UndertakingState.CLOSED}, TODAY, "was closed"),
        ({"state": COUNTERSIGNED}, TODAY, "already been countersigned"),
        (WAITING | {"is_current": False}, TODAY, "New terms"),
        (WAITING, LATER, "has passed"),
        (DECLARED, LATER, "has passed"),
        (REPLACED, TODAY, "The NPM decided to ask for somebody else."),
        (WAITING | {"added_refused": True}, TODAY, "The NPM decided to ask for somebody else."),
    ],
)
def test_whoever_took_a_signature_reads_first_that_nobody_can_countersign(
    how: str, changed: dict[str, object], day: dt.date, words: str
) -> None:
    taken = without_account(**changed, **{how: BOTH.user_id})
    assert words in refused(undertakings.can_countersign(BOTH, taken, day))
    go_on = partial(undertakings.can_go_on, BOTH, today=day)
    assert not undertakings.bars_only_taker(go_on, taken)


@pytest.mark.parametrize("how", TAKEN)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"state": UndertakingState.ASKED}, "has not signed yet"),
        ({"state": ON_PAPER}, "has not signed yet"),
        ({"state": UndertakingState.CLOSED}, "was closed"),
    ],
)
def test_whoever_took_a_signature_reads_first_that_nobody_decides_on_what_was_added(
    how: str, changed: dict[str, object], words: str
) -> None:
    taken = without_account(**changed, **{how: BOTH.user_id})
    assert words in refused(undertakings.can_decide_added(BOTH, taken, TODAY))
    assert not undertakings.bars_only_taker(
        partial(undertakings.can_decide_added, BOTH, today=TODAY), taken
    )


@pytest.mark.parametrize("how", TAKEN)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (DECLARED | {"state": COUNTERSIGNED}, "nothing to decide now"),
        (WAITING, "declared no interests"),
    ],
)
def test_whoever_took_a_signature_reads_first_that_there_is_nothing_to_decide(
    how: str, changed: dict[str, object], words: str
) -> None:
    taken = without_account(**changed, **{how: BOTH.user_id})
    assert words in refused(undertakings.can_decide(BOTH, taken, TODAY))


@pytest.mark.parametrize("how", TAKEN)
@pytest.mark.parametrize(
    "changed",
    [WAITING, DECLARED, DECLARED | {"decision": ACCEPT}, WAITING | {"undecided_added": 1}],
)
def test_where_the_rule_is_all_that_bars_them_others_go_on(
    how: str, changed: dict[str, object]
) -> None:
    go_on = partial(undertakings.can_go_on, BOTH, today=TODAY)
    added = partial(undertakings.can_decide_added, BOTH, today=TODAY)
    taken = without_account(**changed, **{how: BOTH.user_id})
    assert undertakings.bars_only_taker(go_on, taken)
    assert undertakings.bars_only_taker(added, taken)
    by_another = without_account(**changed, **{how: COORDINATOR.user_id})
    assert not undertakings.bars_only_taker(go_on, by_another)


def test_whoever_does_not_decide_is_barred_by_more_than_the_rule() -> None:
    taken = without_account(**WAITING, host_id=COORDINATOR.user_id)
    go_on = partial(undertakings.can_go_on, COORDINATOR, today=TODAY)
    assert not undertakings.bars_only_taker(go_on, taken)


def test_on_their_own_undertaking_a_person_is_barred_by_more_than_the_rule() -> None:
    own = without_account(**WAITING, user_id=BOTH.user_id, host_id=BOTH.user_id)
    assert not undertakings.bars_only_taker(partial(undertakings.can_go_on, BOTH, today=TODAY), own)


@pytest.mark.parametrize("how", TAKEN)
def test_the_rule_is_the_same_once_the_person_has_an_account(how: str) -> None:
    def taken(*, interests: bool) -> UndertakingStatus:
        return standing(
            state=UndertakingState.SIGNED,
            signs_in=True,
            has_interests=interests,
            **{how: BOTH.user_id},
        )

    assert not undertakings.can_decide(BOTH, taken(interests=True), TODAY)
    assert not undertakings.can_countersign(BOTH, taken(interests=False), TODAY)


def test_nobody_took_a_signature_that_a_person_gave_with_their_own_account() -> None:
    assert standing().taken_by == frozenset()
    assert undertakings.can_vouch(BOTH, standing())


def test_whoever_took_a_signature_may_still_close_what_it_opened() -> None:
    taken = without_account(state=COUNTERSIGNED, host_id=BOTH.user_id)
    assert undertakings.can_withdraw_clearance(BOTH, taken, TODAY)


def test_a_coordinator_withdraws_a_scan_that_waits() -> None:
    assert policy.can_withdraw(COORDINATOR, on_paper())
    assert "no longer waiting" in refused(policy.can_withdraw(COORDINATOR, without_account()))
    for actor in (*DECIDERS.values(), person(Role.COORDINATOR, expert=True)):
        assert "can withdraw a scan" in refused(policy.can_withdraw(actor, on_paper()))


def test_a_scan_is_opened_by_who_recorded_it_and_by_those_who_decide() -> None:
    assert policy.can_read(COORDINATOR, on_paper(), TODAY)
    assert not policy.can_read(person(Role.COORDINATOR), on_paper(), TODAY)
    assert all(policy.can_read(actor, on_paper(), TODAY) for actor in DECIDERS.values())


@pytest.mark.parametrize(
    ("days", "words"), [(0, ""), (-1, ""), (-2, "asked after"), (1, "can't be in the future")]
)
def test_a_paper_is_dated_between_asking_and_today(days: int, words: str) -> None:
    day = TODAY + dt.timedelta(days=days)
    decision = policy.can_be_dated(day, TODAY - dt.timedelta(days=1), TODAY)
    assert (words in refused(decision)) if words else decision
