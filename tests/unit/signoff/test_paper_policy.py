"""Who records, confirms and withdraws a scan, and which dates it can carry."""

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.signoff import paper_policy
from tracker.signoff.models import RequestState
from tracker.signoff.paper_models import PaperDecision, PaperKind, PaperRecord, PaperState
from tracker.signoff.paper_policy import PaperFact

OURS, THEIRS = UUID(int=1), UUID(int=2)
ME, OTHER, THIRD = UUID(int=3), UUID(int=4), UUID(int=5)
TODAY = dt.date(2026, 11, 25)
WAITING = RequestState.WAITING
THEIR_PAPER = PaperFact(PaperKind.TEXT, PaperState.WAITING, THEIRS, OTHER)
OUR_PAPER = PaperFact(PaperKind.TEXT, PaperState.WAITING, OURS, OTHER)


def actor(*roles: Role) -> Actor:
    memberships = tuple(
        ActorMembership(role, OURS, "Ours", OrganisationKind.CSO, power="Statutes")
        for role in roles
    )
    return Actor(user_id=ME, name="Me", memberships=memberships, organisation_id=OURS)


COORDINATOR = actor(Role.COORDINATOR)


@pytest.mark.parametrize(
    ("who", "is_party", "state", "has_line", "papers", "yes"),
    [
        (COORDINATOR, True, WAITING, True, [], True),
        (COORDINATOR, True, WAITING, True, [THEIR_PAPER], True),
        (COORDINATOR, True, WAITING, True, [replace(OUR_PAPER, state=PaperState.REFUSED)], True),
        (COORDINATOR, True, WAITING, True, [OUR_PAPER], False),
        (COORDINATOR, True, WAITING, False, [], False),
        (COORDINATOR, True, RequestState.COMPLETED, True, [], False),
        (COORDINATOR, True, RequestState.DECLINED, True, [], False),
        (COORDINATOR, False, WAITING, True, [], False),
        (actor(Role.SIGNATORY), True, WAITING, True, [], False),
        (actor(Role.MANAGER, Role.MEMBER), True, WAITING, True, [], False),
        (actor(Role.AUDITOR), True, WAITING, True, [], False),
    ],
)
def test_only_the_party_that_signed_records_a_scan(
    who: Actor,
    is_party: bool,
    state: RequestState,
    has_line: bool,
    papers: list[PaperFact],
    yes: bool,
) -> None:
    decision = paper_policy.can_record(
        who, is_party=is_party, state=state, has_line=has_line, papers=papers
    )
    assert bool(decision) is yes


@pytest.mark.parametrize(
    ("who", "paper", "is_party", "state", "yes"),
    [
        (COORDINATOR, THEIR_PAPER, True, WAITING, True),
        (actor(Role.SIGNATORY), THEIR_PAPER, True, WAITING, True),
        (actor(Role.MANAGER), THEIR_PAPER, True, WAITING, False),
        (actor(Role.MEMBER), THEIR_PAPER, True, WAITING, False),
        (COORDINATOR, OUR_PAPER, True, WAITING, False),
        (COORDINATOR, replace(THEIR_PAPER, recorded_by_id=ME), True, WAITING, False),
        (
            COORDINATOR,
            replace(THEIR_PAPER, signer_ids=frozenset({OTHER, ME})),
            True,
            WAITING,
            False,
        ),
        (COORDINATOR, replace(THEIR_PAPER, signer_ids=frozenset({OTHER})), True, WAITING, True),
        (
            COORDINATOR,
            replace(THEIR_PAPER, decided_by=frozenset({OTHER, ME})),
            True,
            WAITING,
            False,
        ),
        (COORDINATOR, replace(THEIR_PAPER, decided_by=frozenset({OTHER})), True, WAITING, True),
        (COORDINATOR, THEIR_PAPER, False, WAITING, False),
        (COORDINATOR, THEIR_PAPER, True, RequestState.WITHDRAWN, False),
        (COORDINATOR, replace(THEIR_PAPER, state=PaperState.CONFIRMED), True, WAITING, False),
        (COORDINATOR, replace(THEIR_PAPER, decided=frozenset({OURS})), True, WAITING, False),
    ],
)
def test_only_another_party_confirms_a_scan(
    who: Actor, paper: PaperFact, is_party: bool, state: RequestState, yes: bool
) -> None:
    decision = paper_policy.can_decide(who, paper, TODAY, is_party=is_party, state=state)
    assert bool(decision) is yes


@pytest.mark.parametrize(
    ("paper", "words"),
    [
        (OUR_PAPER, "that your own side recorded"),
        (replace(THEIR_PAPER, signer_ids=frozenset({ME})), "a person who signed this paper"),
        (replace(THEIR_PAPER, recorded_by_id=ME), "You recorded this scan for another party"),
        (
            replace(THEIR_PAPER, decided=frozenset({THIRD}), decided_by=frozenset({ME})),
            "You have confirmed this scan for another party",
        ),
        (
            replace(THEIR_PAPER, decided=frozenset({OURS}), decided_by=frozenset({ME})),
            "Your organisation has already confirmed",
        ),
        (
            replace(THEIR_PAPER, state=PaperState.CONFIRMED, signer_ids=frozenset({ME})),
            "no longer waiting",
        ),
    ],
)
def test_a_refusal_to_confirm_says_why(paper: PaperFact, words: str) -> None:
    decision = paper_policy.can_decide(COORDINATOR, paper, TODAY, is_party=True, state=WAITING)
    assert words in str(decision.reason)


def test_a_signatory_whose_power_ran_out_confirms_no_scan() -> None:
    """Product.md, section 2."""
    (signs,) = actor(Role.SIGNATORY).memberships
    past = replace(signs, power_until=TODAY - dt.timedelta(days=1))
    ran_out = replace(COORDINATOR, memberships=(past,))
    decision = paper_policy.can_decide(ran_out, THEIR_PAPER, TODAY, is_party=True, state=WAITING)
    assert "has run out" in str(decision.reason)
    both = replace(COORDINATOR, memberships=(past, *COORDINATOR.memberships))
    assert paper_policy.can_decide(both, THEIR_PAPER, TODAY, is_party=True, state=WAITING)


def test_whoever_signed_recorded_or_confirmed_a_scan_is_involved_in_it() -> None:
    paper = replace(THEIR_PAPER, signer_ids=frozenset({ME}), decided_by=frozenset({THIRD}))
    assert paper.involved == {ME, OTHER, THIRD}
    for user_id in paper.involved:
        assert not paper_policy.can_vouch(replace(COORDINATOR, user_id=user_id), paper)
    assert paper_policy.can_vouch(replace(COORDINATOR, user_id=UUID(int=6)), paper)


@pytest.mark.parametrize(
    ("who", "paper", "state", "yes"),
    [
        (COORDINATOR, OUR_PAPER, WAITING, True),
        (actor(Role.SIGNATORY), OUR_PAPER, WAITING, False),
        (COORDINATOR, THEIR_PAPER, WAITING, False),
        (COORDINATOR, replace(OUR_PAPER, state=PaperState.REFUSED), WAITING, False),
        (COORDINATOR, OUR_PAPER, RequestState.COMPLETED, False),
    ],
)
def test_only_the_party_that_recorded_a_scan_withdraws_it(
    who: Actor, paper: PaperFact, state: RequestState, yes: bool
) -> None:
    assert bool(paper_policy.can_withdraw(who, paper, is_party=True, state=state)) is yes


@pytest.mark.parametrize(
    ("signed_on", "frozen_on", "yes"),
    [
        (TODAY, None, True),
        (dt.date(1999, 1, 1), None, True),
        (TODAY + dt.timedelta(days=1), None, False),
        (TODAY, TODAY, True),
        (TODAY - dt.timedelta(days=1), TODAY, False),
    ],
)
def test_which_day_can_stand_on_a_paper(
    signed_on: dt.date, frozen_on: dt.date | None, yes: bool
) -> None:
    assert bool(paper_policy.can_be_dated(signed_on, TODAY, frozen_on)) is yes


def test_every_plain_column_of_a_scan_and_of_an_answer_to_it_is_bound() -> None:
    """The bytes are bound by their own digest."""
    for model, apart in ((PaperRecord, {"digest", "scan"}), (PaperDecision, {"digest"})):
        columns = {column.name.removesuffix("_id") for column in model.__table__.columns}
        names = {name.removesuffix("_id") for name in _bound(model)}
        assert names == columns - apart


def _bound(model: type[PaperRecord] | type[PaperDecision]) -> set[str]:
    moment = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
    values = {
        "kind": PaperKind.TEXT,
        "recorded_at": moment,
        "decided_at": moment,
        "signed_on": TODAY,
    }
    known = {column.name for column in model.__table__.columns}
    return set(model(**{key: value for key, value in values.items() if key in known}).content())
