"""Who confirms, excepts and completes: a table of cases, and each reason."""

import datetime as dt
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.closing import policy
from tracker.closing.models import ReturnState
from tracker.closing.policy import ClosingFact, ReturnFact
from tracker.undertakings.models import UndertakingEnd

NPM, OTHER_NPM, CSO = uuid4(), uuid4(), uuid4()
LEYLA = uuid4()
TODAY = dt.date(2027, 3, 1)
REQUEST = ReturnFact(LEYLA, ReturnState.REQUESTED, frozenset({NPM}))


def person(
    role: Role,
    of: UUID = NPM,
    kind: OrganisationKind = OrganisationKind.NPM,
    user_id: UUID | None = None,
    *,
    expert: bool = False,
) -> Actor:
    membership = ActorMembership(
        role, of, "An organisation", kind, outside_expert=expert, power="An Act"
    )
    return Actor(user_id or uuid4(), "Somebody", memberships=(membership,), organisation_id=of)


OWNER = person(Role.MEMBER, CSO, OrganisationKind.CSO, LEYLA)
_SIGNS = person(Role.SIGNATORY)
RAN_OUT = replace(
    _SIGNS,
    memberships=(replace(_SIGNS.memberships[0], power_until=TODAY - dt.timedelta(days=1)),),
)
DECIDERS = [person(Role.SIGNATORY), person(Role.MANAGER)]
OTHERS = [
    OWNER,
    person(Role.COORDINATOR),
    person(Role.MEMBER),
    person(Role.AUDITOR),
    person(Role.SIGNATORY, OTHER_NPM),
    person(Role.MANAGER, CSO, OrganisationKind.CSO),
    person(Role.SIGNATORY, expert=True),
    Actor(uuid4(), "Root", memberships=(ActorMembership(Role.ADMINISTRATOR),)),
]


def test_the_person_confirms() -> None:
    assert policy.can_confirm(OWNER, REQUEST)


@pytest.mark.parametrize("actor", [*DECIDERS, *OTHERS[1:]])
def test_nobody_else_confirms(actor: Actor) -> None:
    assert not policy.can_confirm(actor, REQUEST)


WITHOUT_ACCOUNT = replace(REQUEST, user_id=uuid4(), signs_in=False)


def test_a_signatory_whose_power_ran_out_decides_nothing_about_a_closing() -> None:
    """Product.md, section 2."""
    for decision in (
        policy.can_record(RAN_OUT, WITHOUT_ACCOUNT, TODAY),
        policy.can_except(RAN_OUT, REQUEST, TODAY),
        policy.can_complete(RAN_OUT, closing(), TODAY),
    ):
        assert str(decision.reason) == "Your power to sign has run out."


@pytest.mark.parametrize("actor", DECIDERS)
def test_a_decider_of_the_npm_records_what_a_person_without_an_account_confirms(
    actor: Actor,
) -> None:
    assert policy.can_record(actor, WITHOUT_ACCOUNT, TODAY)
    assert not policy.can_record(actor, replace(WITHOUT_ACCOUNT, state=ReturnState.EXCEPTED), TODAY)


@pytest.mark.parametrize("actor", OTHERS)
def test_nobody_else_records_what_a_person_without_an_account_confirms(actor: Actor) -> None:
    assert not policy.can_record(actor, WITHOUT_ACCOUNT, TODAY)


@pytest.mark.parametrize("actor", [*DECIDERS, *OTHERS])
def test_nobody_records_it_for_a_person_with_an_account(actor: Actor) -> None:
    assert not policy.can_record(actor, REQUEST, TODAY)


@pytest.mark.parametrize("actor", DECIDERS)
def test_a_decider_of_the_npm_records_an_exception(actor: Actor) -> None:
    assert policy.can_except(actor, REQUEST, TODAY)


@pytest.mark.parametrize("actor", OTHERS)
def test_nobody_else_records_one(actor: Actor) -> None:
    assert not policy.can_except(actor, REQUEST, TODAY)


def test_nobody_records_an_exception_about_themselves() -> None:
    manager = DECIDERS[1]
    own = ReturnFact(manager.user_id, ReturnState.REQUESTED, frozenset({NPM}))
    assert "about yourself" in str(policy.can_except(manager, own, TODAY).reason)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ReturnState.CONFIRMED, "already answered"),
        (ReturnState.EXCEPTED, "already answered"),
        (ReturnState.CANCELLED, "cleared again"),
    ],
)
def test_what_was_answered_is_not_answered_again(state: ReturnState, words: str) -> None:
    answered = ReturnFact(LEYLA, state, frozenset({NPM}))
    assert words in str(policy.can_confirm(OWNER, answered).reason)
    assert words in str(policy.can_except(DECIDERS[0], answered, TODAY).reason)


def closing(*, begun: bool = True, completed: bool = False, waiting: int = 0) -> ClosingFact:
    return ClosingFact(begun, completed, waiting, frozenset({NPM}))


@pytest.mark.parametrize("actor", DECIDERS)
def test_a_decider_completes_it_once_nobody_is_waited_for(actor: Actor) -> None:
    assert policy.can_complete(actor, closing(), TODAY)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"begun": False}, "hasn't ended"),
        ({"completed": True}, "already complete"),
        ({"waiting": 1}, "Some people"),
    ],
)
def test_it_is_not_completed_before_or_twice(changed: dict[str, int], words: str) -> None:
    fact = closing(**changed)  # type: ignore[arg-type]  # numbers and booleans
    assert words in str(policy.can_complete(DECIDERS[0], fact, TODAY).reason)


@pytest.mark.parametrize("actor", OTHERS)
def test_nobody_else_completes_it(actor: Actor) -> None:
    assert not policy.can_complete(actor, closing(), TODAY)


@pytest.mark.parametrize(
    ("end", "terms_are_over", "expected"),
    [
        (UndertakingEnd.LEFT, False, True),
        (UndertakingEnd.TERMS_ENDED, True, True),
        (UndertakingEnd.EXPIRED, True, True),
        # For a clearance for one visit, whose last day is nobody else's business.
        (UndertakingEnd.EXPIRED, False, False),
        (UndertakingEnd.NEW_TERMS, True, False),
    ],
)
def test_after_which_ends_copies_are_asked_for(
    end: UndertakingEnd, *, terms_are_over: bool, expected: bool
) -> None:
    assert policy.is_asked_after(end, terms_are_over=terms_are_over) is expected
