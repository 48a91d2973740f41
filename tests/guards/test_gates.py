"""docs/gates.md lists everything the gates require: breaking each line closes its gate."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tracker.cooperations.agreed_ways import AgreedWays, TermsStop
from tracker.cooperations.models import Mode, Stage
from tracker.lifecycle import policy as lifecycle
from tracker.lifecycle.policy import ConfidentialityFact, GateState, PersonFact, TermsFact
from tracker.reviews import policy as reviews
from tracker.reviews.models import Outcome, Verdict
from tracker.reviews.policy import RecordFact, ReviewFact
from tracker.reviews.records import Participant, Record, Result
from tracker.visits import policy as visits
from tracker.visits.facts import (
    ChecklistFact,
    Facts,
    Interests,
    ItemFact,
    MemberFact,
    RequirementKind,
    Signing,
    Term,
)
from tracker.visits.models import VisitStage

DOCUMENT = Path(__file__).parents[2] / "docs" / "gates.md"
TODAY = dt.date(2026, 11, 25)
BEFORE, AFTER = TODAY - dt.timedelta(days=1), TODAY + dt.timedelta(days=1)


def lines() -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the gates and the name of each line of the tables."""
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and (match := re.fullmatch(r"`(\w+)`", cells[-1])):
            yield tuple(cells[0].split(", ")), match[1]


OF_REVIEWS = [name for gates, name in lines() if gates == ("G6",)]
OF_COOPERATIONS = [
    (gates, name) for gates, name in lines() if gates[0].startswith("G") and gates != ("G6",)
]
OF_VISITS = [(gates, name) for gates, name in lines() if gates[0].startswith("J")]


# A cooperation

TERMS = TermsFact(uuid4(), agreed_on=TODAY, starts_on=AFTER, is_reviewed=True)
ITEM = lifecycle.ItemFact("M2", "Objectives", "not answered yet")
OPEN = lifecycle.Facts(
    stage=Stage.DRAFT,
    today=TODAY,
    modes=(Mode.VISIT,),
    has_npm_coordinator=True,
    terms=TERMS,
    confidentiality=ConfidentialityFact(uuid4(), is_required=True),
    people=(PersonFact("Samira Okell", "Open Door Legal Aid", True, uuid4(), uuid4()),),
    starts_on=TODAY,
    ends_on=AFTER,
    review_on=AFTER,
)
IN_FORCE = replace(TERMS, in_force=True)
BROKEN_COOPERATIONS: dict[str, dict[str, Any]] = {
    "modes": {"modes": ()},
    "coordinator": {"has_npm_coordinator": False},
    "items": {"terms": replace(TERMS, lacking=(ITEM,))},
    "items_in_force": {"terms": replace(IN_FORCE, lacking=(ITEM,))},
    "too_late": {"terms": replace(TERMS, starts_on=BEFORE)},
    "safeguards": {"terms": replace(TERMS, lacking=(replace(ITEM, code="M5"),))},
    "flags": {"terms": replace(TERMS, flagged_items=(lifecycle.ItemName("M12", "Publication"),))},
    "hints": {"terms": replace(TERMS, hinted_items=(lifecycle.ItemName("M4", "Expectations"),))},
    "review": {"terms": replace(TERMS, is_reviewed=False)},
    "people": {"people": (replace(OPEN.people[0], is_cleared=False),)},
    "term": {"terms": IN_FORCE, "ends_on": BEFORE},
    "stopped": {"terms": IN_FORCE, "stop": TermsStop(Stage.SUSPENDED, TODAY)},
    "overdue": {"terms": IN_FORCE, "review_on": BEFORE},
    "returns": {
        "stage": Stage.CLOSED,
        "waiting_returns": (lifecycle.ReturnFact("Samira Okell", "Open Door Legal Aid"),),
    },
}


def closed_for(facts: lifecycle.Facts) -> tuple[str, ...]:
    gates = lifecycle.gates(facts)
    return tuple(gate.code for gate in gates if not gate.is_open)


def test_every_gate_of_a_cooperation_is_met_where_nothing_is_missing() -> None:
    gates = lifecycle.gates(replace(OPEN, terms=IN_FORCE))
    assert {gate.state for gate in gates} == {GateState.MET}
    assert closed_for(OPEN) == ()


@pytest.mark.parametrize(("gates", "name"), OF_COOPERATIONS)
def test_each_line_closes_its_gate_of_a_cooperation_alone(
    gates: tuple[str, ...], name: str
) -> None:
    assert closed_for(replace(OPEN, **BROKEN_COOPERATIONS[name])) == gates


def test_the_document_has_a_line_for_each_thing_asked_of_a_cooperation() -> None:
    assert {name for _gates, name in OF_COOPERATIONS} == set(BROKEN_COOPERATIONS)


# A review

PARTIES = ((uuid4(), "Office of the People's Advocate"), (uuid4(), "Open Door Legal Aid"))
TERM = RecordFact(TODAY, {"M2": "Objectives"}, PARTIES, starts_on=TODAY, ends_on=AFTER)
KEPT = Record(
    held_on=TODAY,
    people=tuple(Participant(uuid4(), "Somebody", party, name) for party, name in PARTIES),
    results={"M2": Result(Verdict.KEPT)},
    outcome=Outcome.GO_ON,
    next_on=AFTER,
)
AMENDED = replace(KEPT, outcome=Outcome.AMEND, reason="New aims.", items=("M2",))
RENEWED = replace(
    KEPT,
    outcome=Outcome.RENEW,
    reason="It works.",
    starts_on=AFTER,
    next_on=AFTER + dt.timedelta(days=1),
    ends_on=AFTER + dt.timedelta(days=2),
)
BROKEN_RECORDS: dict[str, Record] = {
    "held_on": replace(KEPT, held_on=AFTER),
    "people": replace(KEPT, people=KEPT.people[:1]),
    "absent": replace(KEPT, absent=(PARTIES[0][0],)),
    "verdict": replace(KEPT, results={}),
    "words": replace(KEPT, results={"M2": Result(Verdict.NOT_KEPT)}),
    "outcome": replace(KEPT, outcome=None),
    "reason": replace(AMENDED, reason=""),
    "items": replace(AMENDED, items=()),
    "starts_on": replace(RENEWED, starts_on=None),
    "ends_on": replace(RENEWED, ends_on=None),
    "next_on": replace(KEPT, next_on=TODAY),
}
ALL_CONFIRMED = ReviewFact(
    Stage.UNDER_REVIEW,
    PARTIES,
    terms_in_force=True,
    is_open=True,
    is_complete=True,
    confirmed=tuple((party, uuid4()) for party, _name in PARTIES),
)
BROKEN_REVIEWS: dict[str, dict[str, Any]] = {
    "terms_are_settled": {"terms_are_settled": False},
    "confirmed": {"confirmed": ALL_CONFIRMED.confirmed[:1]},
}


def lacking(record: Record, fact: ReviewFact) -> set[str]:
    """Return what keeps a review from taking effect, by the names of its lines."""
    fields = {field.partition("_M")[0] for field, _message in reviews.problems(record, TERM)}
    if record.outcome is not None and not reviews.can_take_effect(
        record.outcome, terms_are_settled=fact.terms_are_settled
    ):
        fields.add("terms_are_settled")
    return fields | ({"confirmed"} if fact.missing else set())


@pytest.mark.parametrize("record", [KEPT, AMENDED, RENEWED])
def test_a_review_that_lacks_nothing_takes_effect(record: Record) -> None:
    assert lacking(record, ALL_CONFIRMED) == set()


@pytest.mark.parametrize("name", OF_REVIEWS)
def test_each_line_alone_keeps_a_review_from_taking_effect(name: str) -> None:
    record = BROKEN_RECORDS.get(name, AMENDED)
    assert lacking(record, replace(ALL_CONFIRMED, **BROKEN_REVIEWS.get(name, {}))) == {name}


def test_the_document_has_a_line_for_each_thing_asked_of_a_review() -> None:
    assert sorted(OF_REVIEWS) == sorted([*BROKEN_RECORDS, *BROKEN_REVIEWS])


# A visit

SIGNED = ChecklistFact(uuid4(), Signing.IN_FORCE)
SENT = ChecklistFact(uuid4(), Signing.SENT)
CLEARED = MemberFact(
    uuid4(),
    "Samira Okell",
    needs_clearance=True,
    briefed=True,
    interests=Interests.NONE,
    signed=True,
    countersigned=True,
    cleared_until=AFTER,
    has_role=True,
    role_accepted=True,
    credential_until=AFTER,
    plan_read=True,
)
READY = Facts(
    today=TODAY,
    stage=VisitStage.CLEARED,
    cooperation_stage=Stage.ACTIVE,
    modes=frozenset({Mode.VISIT}),
    starts_on=TODAY,
    ends_on=AFTER,
    term=Term(BEFORE, AFTER),
    members=(CLEARED,),
    roles=SIGNED,
    plan=SIGNED,
    standing_plan=SIGNED,
    confidentiality=SIGNED,
    briefing_on=TODAY,
    has_safety_contact=True,
)
_ITEM = ItemFact("V6", "Common approach", "not answered yet")
BROKEN_VISITS: dict[RequirementKind, dict[str, Any]] = {
    RequirementKind.NOT_ACTIVE: {"cooperation_stage": Stage.SUSPENDED},
    RequirementKind.COOPERATION_DISAGREES: {"cooperation_agrees": False},
    RequirementKind.PEOPLE_DISAGREE: {"people_agree": False},
    RequirementKind.NO_MODE: {"modes": frozenset({Mode.ADV})},
    RequirementKind.MODE_NOT_SIGNED: {"agreed_ways": AgreedWays(frozenset({Mode.ADV}))},
    RequirementKind.OUTSIDE_TERM: {"term": Term(BEFORE, TODAY)},
    RequirementKind.ROLES_ITEM: {"roles": replace(SIGNED, lacking=(_ITEM,))},
    RequirementKind.CONFIDENTIALITY: {"confidentiality": SENT},
    RequirementKind.CONFIDENTIALITY_RUNS_OUT: {"confidentiality": replace(SIGNED, last_day=TODAY)},
    RequirementKind.ROLES: {"roles": SENT},
    RequirementKind.PLAN: {"plan": SENT},
    RequirementKind.PLAN_ITEM: {"plan": replace(SIGNED, lacking=(_ITEM,))},
    RequirementKind.SAFETY_CONTACT_UNFIT: {"safety_contact_problem": "Choose somebody else."},
    RequirementKind.ROLES_PERSON: {
        "named_in_roles": (replace(CLEARED, user_id=uuid4(), cleared_until=None),)
    },
    RequirementKind.ROLES_PERSON_NOT_LISTED: {
        "named_in_roles": (replace(CLEARED, user_id=uuid4(), is_listed=False),)
    },
    RequirementKind.ROLES_PERSON_LEAVES: {
        "named_in_roles": (replace(CLEARED, user_id=uuid4(), leaves_on=TODAY),)
    },
    RequirementKind.PLAN_PERSON_LEAVES: {
        "named_in_plan": (replace(CLEARED, user_id=uuid4(), leaves_on=TODAY),)
    },
    RequirementKind.PLAN_PERSON: {
        "named_in_plan": (replace(CLEARED, user_id=uuid4(), cleared_until=None),)
    },
    RequirementKind.STANDING_PLAN: {"modes": frozenset({Mode.OMB_PLUS}), "standing_plan": SENT},
    RequirementKind.STANDING_PLAN_ITEM: {
        "modes": frozenset({Mode.OMB_PLUS}),
        "standing_plan": replace(SIGNED, lacking=(_ITEM,)),
    },
    RequirementKind.BRIEFING: {"briefing_on": AFTER},
    RequirementKind.SAFETY_CONTACT: {"has_safety_contact": False},
}
BROKEN_MEMBERS: dict[RequirementKind, dict[str, Any]] = {
    RequirementKind.LEFT: {"takes_part": False},
    RequirementKind.LEAVES: {"leaves_on": TODAY},
    RequirementKind.JOINING: {"is_joining": True},
    RequirementKind.NOT_LISTED: {"is_listed": False},
    RequirementKind.ROLE: {"role_accepted": False},
    RequirementKind.UNDERTAKING_DISAGREES: {"agrees": False},
    RequirementKind.NOT_SIGNED: {"cleared_until": None, "signed": False},
    RequirementKind.NOT_DECIDED: {"cleared_until": None, "interests": Interests.WAITS},
    RequirementKind.CONFLICT: {"cleared_until": None, "interests": Interests.REPLACE},
    RequirementKind.NOT_COUNTERSIGNED: {"cleared_until": None, "countersigned": False},
    RequirementKind.RUNS_OUT: {"cleared_until": TODAY},
    RequirementKind.NOT_COVERED: {"cleared_until": None},
    RequirementKind.MISSED_BRIEFING: {"missed_briefing": True},
    RequirementKind.NOT_BRIEFED: {"briefed": False},
    RequirementKind.CREDENTIAL: {"credential_until": None},
    RequirementKind.CREDENTIAL_RUNS_OUT: {"credential_until": TODAY},
    RequirementKind.PLAN_NOT_READ: {"plan_read": False},
}


def broken(kind: RequirementKind) -> Facts:
    if kind in BROKEN_MEMBERS:
        return replace(READY, members=(replace(CLEARED, **BROKEN_MEMBERS[kind]),))
    return replace(READY, **BROKEN_VISITS[kind])


@pytest.mark.parametrize(("gates", "name"), OF_VISITS)
def test_each_line_closes_its_gates_of_a_visit_alone(gates: tuple[str, ...], name: str) -> None:
    kind = RequirementKind(name)
    judged = visits.judge(broken(kind))
    assert [requirement.kind for requirement in judged.requirements] == [kind]
    assert tuple(code for code, is_open in judged.is_open.items() if not is_open) == gates


def test_a_visit_that_lacks_nothing_is_ready() -> None:
    assert all(visits.judge(READY).is_open.values())


def test_the_document_has_a_line_for_each_thing_asked_of_a_visit() -> None:
    assert [name for _gates, name in OF_VISITS if name not in set(RequirementKind)] == []
    assert {name for _gates, name in OF_VISITS} == set(RequirementKind)
