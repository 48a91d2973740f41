"""Who begins, writes, confirms and calls off a review, and what its record lacks, case by case."""

import datetime as dt
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.cooperations.models import Stage
from tracker.reviews import policy, records
from tracker.reviews.models import Outcome, Verdict
from tracker.reviews.policy import RecordFact, ReviewFact
from tracker.reviews.records import Participant, Record, Result

TODAY = dt.date(2026, 11, 27)
DAY = dt.timedelta(days=1)
NPM, DOOR, OTHER = uuid4(), uuid4(), uuid4()
PARTIES = ((NPM, "Office"), (DOOR, "Open Door"))
BEGINNER = uuid4()
CALM = ReviewFact(Stage.ACTIVE, PARTIES, terms_in_force=True)
OPEN = replace(
    CALM,
    stage=Stage.UNDER_REVIEW,
    is_open=True,
    begun_by=BEGINNER,
    begun_for=DOOR,
    is_complete=True,
)
TAKEN_OVER = replace(OPEN, is_taken_over=True)
LEFT = replace(OPEN, begun_for=None, npm_bodies=frozenset({NPM}))


def actor(*roles: Role, of: UUID = DOOR, power: str = "Statutes", who: UUID | None = None) -> Actor:
    memberships = tuple(
        ActorMembership(role, of, "Open Door", OrganisationKind.CSO, power=power) for role in roles
    )
    return Actor(who or uuid4(), "Somebody", memberships=memberships, organisation_id=of)


@pytest.mark.parametrize(
    ("person", "fact", "expected"),
    [
        (actor(Role.COORDINATOR), CALM, True),
        (actor(Role.MANAGER, of=NPM), CALM, True),
        (actor(Role.SIGNATORY), CALM, False),
        (actor(Role.MEMBER), CALM, False),
        (actor(Role.AUDITOR, of=NPM), CALM, False),
        (actor(Role.COORDINATOR, of=OTHER), CALM, False),
        (actor(Role.COORDINATOR), replace(CALM, stage=Stage.UNDER_REVIEW), True),
        (actor(Role.COORDINATOR), replace(CALM, stage=Stage.CLEARED), False),
        (actor(Role.COORDINATOR), replace(CALM, stage=Stage.SUSPENDED), False),
        (actor(Role.COORDINATOR), replace(CALM, stage=Stage.CLOSED), False),
        (actor(Role.COORDINATOR), replace(CALM, terms_in_force=False), False),
        (actor(Role.COORDINATOR), OPEN, False),
    ],
)
def test_who_begins(person: Actor, fact: ReviewFact, expected: bool) -> None:
    assert bool(policy.can_begin(person, fact)) is expected


@pytest.mark.parametrize(
    ("person", "fact", "expected"),
    [
        (actor(Role.COORDINATOR), OPEN, True),
        (actor(Role.MANAGER, of=NPM), OPEN, True),
        (actor(Role.SIGNATORY), OPEN, False),
        (actor(Role.MEMBER), OPEN, False),
        (actor(Role.COORDINATOR, of=OTHER), OPEN, False),
        (actor(Role.COORDINATOR), replace(OPEN, is_open=False), False),
    ],
)
def test_who_writes(person: Actor, fact: ReviewFact, expected: bool) -> None:
    assert bool(policy.can_write(person, fact)) is expected


TWICE = uuid4()


@pytest.mark.parametrize(
    ("person", "fact", "expected"),
    [
        (actor(Role.SIGNATORY), OPEN, True),
        (actor(Role.MANAGER), OPEN, True),
        (actor(Role.SIGNATORY, power=""), OPEN, False),
        (actor(Role.MANAGER, Role.SIGNATORY, power=""), OPEN, True),
        (actor(Role.COORDINATOR), OPEN, False),
        (actor(Role.SIGNATORY, of=OTHER), OPEN, False),
        (actor(Role.SIGNATORY), replace(OPEN, is_open=False), False),
        (actor(Role.SIGNATORY), replace(OPEN, is_complete=False), False),
        (actor(Role.SIGNATORY), replace(OPEN, confirmed=((DOOR, uuid4()),)), False),
        (actor(Role.SIGNATORY), replace(OPEN, confirmed=((NPM, uuid4()),)), True),
        (actor(Role.SIGNATORY, who=TWICE), replace(OPEN, confirmed=((NPM, TWICE),)), False),
    ],
)
def test_who_confirms(person: Actor, fact: ReviewFact, expected: bool) -> None:
    assert bool(policy.can_confirm(person, fact, TODAY)) is expected


DECIDED = replace(OPEN, is_open=False, stage=Stage.UNDER_REVIEW, outcome=Outcome.END)


@pytest.mark.parametrize(
    ("person", "fact", "reason"),
    [
        (actor(Role.SIGNATORY), DECIDED, ""),
        (actor(Role.SIGNATORY, of=NPM), DECIDED, ""),
        (actor(Role.MANAGER), DECIDED, "aren't a signatory"),
        (actor(Role.SIGNATORY, power=""), DECIDED, "not recorded"),
        (actor(Role.SIGNATORY, of=OTHER), DECIDED, "acting for one of the parties"),
        (actor(Role.SIGNATORY), replace(DECIDED, is_open=True), "No notice"),
        (actor(Role.SIGNATORY), replace(DECIDED, stage=Stage.ACTIVE), "No notice"),
        (actor(Role.SIGNATORY), replace(DECIDED, terms_in_force=False), "No notice"),
    ],
)
def test_signatories_are_asked_for_the_notice_that_a_review_decided_on(
    person: Actor, fact: ReviewFact, reason: str
) -> None:
    decision = policy.can_give_notice(person, fact, TODAY)
    assert bool(decision) is not bool(reason)
    assert reason in str(decision.reason)


DAYS = policy.TIME_TO_CONFIRM
SILENT = replace(
    OPEN,
    confirmed=((NPM, TWICE),),
    outcome=Outcome.GO_ON,
    npm_bodies=frozenset({NPM}),
    asked_on=TODAY - DAYS,
)
SECOND_BODY = replace(
    SILENT, parties=(*PARTIES, (OTHER, "Board")), npm_bodies=frozenset({NPM, OTHER})
)
RAN_OUT = Actor(
    uuid4(),
    "Somebody",
    memberships=(
        ActorMembership(
            Role.SIGNATORY,
            NPM,
            "Office",
            OrganisationKind.NPM,
            power="Statutes",
            power_until=TODAY - DAY,
        ),
    ),
    organisation_id=NPM,
)


@pytest.mark.parametrize(
    ("person", "fact", "reason"),
    [
        (actor(Role.MANAGER, of=NPM), SILENT, ""),
        (actor(Role.SIGNATORY, of=NPM), SILENT, ""),
        # Whoever confirmed for the NPM may also conclude.
        (actor(Role.MANAGER, of=NPM, who=TWICE), SILENT, ""),
        (actor(Role.MANAGER, of=NPM), SECOND_BODY, ""),
        (actor(Role.MANAGER), SILENT, "of the NPM"),
        (actor(Role.COORDINATOR, of=NPM), SILENT, "of the NPM"),
        # A body of the NPM that is joining is no party yet.
        (actor(Role.MANAGER, of=OTHER), SILENT, "of the NPM"),
        (actor(Role.SIGNATORY, of=NPM, power=""), SILENT, "not recorded"),
        (RAN_OUT, SILENT, "run out"),
        (actor(Role.MANAGER, of=OTHER), SECOND_BODY, "Your organisation"),
        (actor(Role.MANAGER, of=NPM), replace(SILENT, confirmed=()), "Your organisation"),
        (actor(Role.MANAGER, of=NPM), replace(SILENT, is_open=False), "is over"),
        # A new version voids the confirmations, and may be incomplete.
        (actor(Role.MANAGER, of=NPM), replace(SILENT, is_complete=False), "not complete"),
        (
            actor(Role.MANAGER, of=NPM),
            replace(SILENT, confirmed=((NPM, TWICE), (DOOR, uuid4()))),
            "All parties",
        ),
        *(
            (actor(Role.MANAGER, of=NPM), replace(SILENT, outcome=outcome), "all parties have")
            for outcome in (Outcome.RENEW, Outcome.AMEND, Outcome.END)
        ),
        (
            actor(Role.MANAGER, of=NPM),
            replace(SILENT, asked_on=TODAY - DAYS + DAY),
            "30 days to confirm",
        ),
    ],
)
def test_who_concludes_a_review_without_a_party_that_says_nothing(
    person: Actor, fact: ReviewFact, reason: str
) -> None:
    decision = policy.can_conclude_without(
        person, fact.for_conclusion(person.organisation_id), TODAY
    )
    assert bool(decision) is not bool(reason)
    assert reason in str(decision.reason or "")


def test_the_day_from_which_the_npm_can_go_on_is_known_before_it_comes() -> None:
    early = replace(SILENT, asked_on=TODAY)
    assert early.ends_waiting_on == TODAY + DAYS
    by_the_partner = replace(early, confirmed=((DOOR, uuid4()),))
    for fact in (
        by_the_partner,
        replace(early, asked_on=None, confirmed=()),
        replace(early, is_open=False),
        replace(early, outcome=Outcome.END),
    ):
        assert fact.ends_waiting_on is None


@pytest.mark.parametrize(
    ("person", "fact", "expected"),
    [
        (actor(Role.COORDINATOR, who=BEGINNER), OPEN, True),
        (actor(Role.MEMBER, who=BEGINNER), OPEN, False),
        (actor(Role.COORDINATOR), OPEN, False),
        (actor(Role.MANAGER), OPEN, True),
        (actor(Role.MANAGER, of=NPM), OPEN, False),
        (actor(Role.COORDINATOR, of=NPM, who=BEGINNER), OPEN, False),
        (actor(Role.COORDINATOR, who=BEGINNER), replace(OPEN, is_open=False), False),
        # Another body took the beginner's place.
        (actor(Role.COORDINATOR), TAKEN_OVER, True),
        (actor(Role.SIGNATORY), TAKEN_OVER, False),
        (actor(Role.MANAGER, of=NPM), TAKEN_OVER, False),
        # The party that began it has left.
        (actor(Role.COORDINATOR, of=NPM), LEFT, True),
        (actor(Role.MANAGER, of=NPM), LEFT, True),
        (actor(Role.SIGNATORY, of=NPM), LEFT, False),
        (actor(Role.MANAGER), LEFT, False),
        (actor(Role.COORDINATOR, of=NPM), replace(LEFT, is_open=False), False),
    ],
)
def test_who_calls_off(person: Actor, fact: ReviewFact, expected: bool) -> None:
    assert bool(policy.can_call_off(person, fact)) is expected


@pytest.mark.parametrize("outcome", Outcome)
def test_only_an_amendment_waits_for_another_one(outcome: Outcome) -> None:
    assert policy.can_take_effect(outcome, terms_are_settled=True)
    is_free = bool(policy.can_take_effect(outcome, terms_are_settled=False))
    assert is_free is (outcome in {Outcome.GO_ON, Outcome.END})


TERM = RecordFact(
    TODAY,
    {"M2": "Objectives", "M18": "Disagreement"},
    PARTIES,
    starts_on=TODAY - 100 * DAY,
    ends_on=TODAY + 100 * DAY,
    review_on=TODAY + DAY,
)
RUNNING = replace(TERM, latest_start=TODAY)
WHOLE = Record(
    held_on=TODAY,
    people=tuple(Participant(uuid4(), "Somebody", party, name) for party, name in PARTIES),
    results={"M2": Result(Verdict.KEPT), "M18": Result(Verdict.PARTLY, "Late.")},
    outcome=Outcome.GO_ON,
    next_on=TODAY + 100 * DAY,
)
RENEWED = replace(
    WHOLE,
    outcome=Outcome.RENEW,
    reason="It works.",
    starts_on=TODAY + 101 * DAY,
    next_on=TODAY + 200 * DAY,
    ends_on=TODAY + 300 * DAY,
)
AMENDED = replace(WHOLE, outcome=Outcome.AMEND, reason="New aims.", items=("M2",))
ENDED = replace(WHOLE, outcome=Outcome.END, reason="The project is over.", next_on=None)


ABSENT = replace(WHOLE, people=WHOLE.people[:1], absent=(DOOR,))


@pytest.mark.parametrize(
    "record",
    [WHOLE, RENEWED, AMENDED, ENDED, ABSENT, replace(ENDED, people=ABSENT.people, absent=(DOOR,))],
)
def test_a_whole_record_lacks_nothing(record: Record) -> None:
    assert policy.problems(record, TERM) == ()
    assert records.read(record.content()) == record


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (replace(WHOLE, held_on=None), "held_on"),
        (replace(WHOLE, held_on=TODAY + DAY), "held_on"),
        (replace(WHOLE, held_on=TODAY - 101 * DAY), "held_on"),
        (replace(WHOLE, people=WHOLE.people[:1]), "people"),
        (replace(WHOLE, absent=(DOOR,)), "absent"),
        (replace(ABSENT, absent=(OTHER,)), "people"),
        (replace(ABSENT, people=(), absent=(NPM, DOOR)), "people"),
        (replace(WHOLE, results={"M18": Result(Verdict.KEPT)}), "verdict_M2"),
        (replace(WHOLE, results={**WHOLE.results, "M2": Result()}), "verdict_M2"),
        (replace(WHOLE, results={**WHOLE.results, "M2": Result(Verdict.NOT_KEPT)}), "words_M2"),
        (replace(WHOLE, outcome=None), "outcome"),
        (replace(WHOLE, next_on=None), "next_on"),
        (replace(WHOLE, next_on=TODAY), "next_on"),
        (replace(WHOLE, next_on=TODAY + 101 * DAY), "next_on"),
        (replace(AMENDED, next_on=TODAY + 101 * DAY), "next_on"),
        (replace(AMENDED, reason=""), "reason"),
        (replace(AMENDED, items=()), "items"),
        (replace(ENDED, reason=""), "reason"),
        (replace(RENEWED, starts_on=None), "starts_on"),
        (replace(RENEWED, ends_on=None), "ends_on"),
        (replace(RENEWED, ends_on=RENEWED.starts_on), "ends_on"),
        (replace(RENEWED, next_on=RENEWED.starts_on), "next_on"),
        (replace(RENEWED, next_on=TODAY + 301 * DAY), "next_on"),
    ],
)
def test_what_a_record_lacks_is_named_with_its_field(record: Record, field: str) -> None:
    assert field in [name for name, _message in policy.problems(record, TERM)]


def test_dates_that_are_agreed_already_are_no_renewal() -> None:
    same = replace(RENEWED, starts_on=TERM.starts_on, next_on=TERM.review_on, ends_on=TERM.ends_on)
    assert [name for name, _message in policy.problems(same, TERM)] == ["ends_on"]
    kept_start = replace(same, starts_on=None)
    assert [name for name, _message in policy.problems(kept_start, RUNNING)] == ["ends_on"]


@pytest.mark.parametrize(
    ("starts_on", "fields"),
    [(None, []), (TERM.starts_on, []), (TODAY, []), (TODAY + DAY, ["starts_on"])],
)
def test_terms_that_run_keep_their_start_or_get_one_that_is_no_later_than_today(
    starts_on: dt.date | None, fields: list[str]
) -> None:
    record = replace(RENEWED, starts_on=starts_on)
    assert [name for name, _message in policy.problems(record, RUNNING)] == fields


@pytest.mark.parametrize(
    ("record", "fact"),
    [
        (replace(WHOLE, next_on=TODAY + 101 * DAY), replace(TERM, renews_itself=True)),
        (replace(AMENDED, items=("M19",), next_on=TODAY + 101 * DAY), TERM),
        (replace(WHOLE, next_on=TODAY + 101 * DAY), replace(TERM, ends_on=None)),
    ],
)
def test_the_next_review_may_come_after_an_end_that_moves(record: Record, fact: RecordFact) -> None:
    assert policy.problems(record, fact) == ()


def test_a_record_in_which_nobody_is_absent_is_stored_as_it_always_was() -> None:
    assert "absent" not in WHOLE.content()
    assert records.read(WHOLE.content()).absent == ()
    assert ABSENT.content()["absent"] == [str(DOOR)]
