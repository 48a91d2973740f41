"""The gates G1 to G5 and G7 as in product.md, section 6, and the stages they lead to.

In one file: one set of facts, in which each gate is broken in turn.
"""

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations.agreed_ways import AgreedWays, TermsStop
from tracker.cooperations.models import Mode, Stage
from tracker.cooperations.modes import Level, Purpose, Requirement
from tracker.cooperations.policy import CooperationFact, PartyFact
from tracker.lifecycle import policy
from tracker.lifecycle.policy import (
    ConfidentialityFact,
    Facts,
    GateState,
    ItemFact,
    ItemName,
    Missing,
    PageKind,
    PersonFact,
    ReturnFact,
    Target,
    TermsFact,
)
from tracker.lifecycle.stages import BY_GATES, RUNNING, stage_after

ID = UUID(int=1)
OTHER_ID = UUID(int=2)
TODAY = dt.date(2026, 11, 25)
START = dt.date(2027, 1, 15)

M4 = ItemFact("M4", "Expectations", "not agreed by everyone yet", "settling-terms/expectations")
M5 = ItemFact("M5", "Independence of the NPM", "not answered yet")
M6 = ItemFact("M6", "Flexibility of the NPM", "not answered yet")
M10 = ItemName("M10", "Use and publication")
AGREED = TermsFact(ID, agreed_on=TODAY, starts_on=START)
REVIEWED = replace(AGREED, is_reviewed=True)
IN_FORCE = replace(REVIEWED, in_force=True)


def facts(terms: TermsFact | None = None, **more: object) -> Facts:
    given = Facts(
        stage=Stage.EXPLORED,
        today=TODAY,
        modes=(Mode.VISIT,),
        has_npm_coordinator=True,
        terms=terms,
    )
    return replace(given, **more)  # type: ignore[arg-type] # plain values by name


def gate(code: str, given: Facts) -> policy.Gate:
    return next(gate for gate in policy.gates(given) if gate.code == code)


def where(missing: tuple[Missing, ...]) -> list[tuple[Target, str | None]]:
    """Return where to fix each missing thing, and the passage that says why."""
    return [(requirement.target, requirement.passage) for requirement in missing]


def stage(given: Facts) -> Stage:
    passed = policy.passed(given, policy.gates(given))
    return stage_after(given.stage, passed, terms_in_force=given.terms_in_force)


# G1


def test_g1_is_met_with_a_mode_and_an_npm_coordinator() -> None:
    assert gate("G1", facts()).state is GateState.MET


def test_g1_asks_for_both_in_a_new_cooperation() -> None:
    result = gate("G1", Facts(Stage.EXPLORED, TODAY))
    assert [requirement.target for requirement in result.missing] == [
        Target(PageKind.MODES),
        Target(PageKind.PEOPLE),
    ]
    assert result.missing[1].target.item == ""


@pytest.mark.parametrize(
    ("given", "place", "passage"),
    [
        (facts(modes=()), PageKind.MODES, "ways-of-working/combining-forms"),
        (facts(has_npm_coordinator=False), PageKind.PEOPLE, None),
    ],
)
def test_g1_names_what_is_missing_and_where(
    given: Facts, place: PageKind, passage: str | None
) -> None:
    result = gate("G1", given)
    assert result.state is GateState.NOT_MET
    assert where(result.missing) == [(Target(place), passage)]


# G2


def test_g2_is_not_met_before_the_terms_are_begun() -> None:
    result = gate("G2", facts())
    assert where(result.missing) == [(Target(PageKind.MODES), "settling-terms/expectations")]


def test_g2_names_each_item_that_is_not_done() -> None:
    result = gate("G2", facts(replace(AGREED, lacking=(M4,))))
    assert [
        (requirement.target.place, requirement.target.item) for requirement in result.missing
    ] == [(PageKind.ITEM, "M4")]
    assert str(result.missing[0].reason) == "Expectations: not agreed by everyone yet"
    assert result.missing[0].passage == "settling-terms/expectations"


def test_g2_does_not_ask_for_m5_and_m6() -> None:
    assert gate("G2", facts(replace(AGREED, lacking=(M5, M6)))).is_open


@pytest.mark.parametrize(
    ("agreed_on", "starts_on", "met"),
    [
        (TODAY, START, True),
        (TODAY, TODAY + dt.timedelta(days=1), True),
        (TODAY, TODAY, False),
        (TODAY, TODAY - dt.timedelta(days=1), False),
        (START, START, False),
        (TODAY, None, True),
        (None, START, True),
        (None, TODAY, False),
    ],
)
def test_g2_asks_that_the_terms_are_agreed_before_the_start(
    agreed_on: dt.date | None, starts_on: dt.date | None, met: bool
) -> None:
    result = gate("G2", facts(replace(AGREED, agreed_on=agreed_on, starts_on=starts_on)))
    assert result.is_open is met
    later = (Target(PageKind.ITEM, ID, "M19"), "settling-terms/expectations")
    assert where(result.missing) == ([] if met else [later])


def test_g2_is_met_if_the_work_starts_after_the_terms_were_agreed() -> None:
    later = START + dt.timedelta(days=10)
    assert gate("G2", facts(AGREED, today=later)).is_open


@pytest.mark.parametrize(
    "change", [{"is_sent": True, "lacking": (M4,)}, {"in_force": True, "lacking": ()}]
)
def test_g2_is_met_for_frozen_terms(change: dict[str, Any]) -> None:
    assert gate("G2", facts(TermsFact(ID, starts_on=TODAY, **change))).is_open


# G3


def test_g3_is_met_when_safeguards_are_done_and_read_and_no_flag_is_open() -> None:
    assert gate("G3", facts(REVIEWED)).is_open


def test_g3_names_the_outside_reader_who_has_yet_to_read() -> None:
    (usual,) = gate("G3", facts(AGREED)).missing
    assert str(usual.reason).startswith("The second reader hasn't read")
    invited = replace(AGREED, outside_reader="Rada Ilves")
    (missing,) = gate("G3", facts(invited)).missing
    assert str(missing.reason).startswith("Rada Ilves, the outside second reader, hasn't read")
    assert gate("G3", facts(replace(invited, is_reviewed=True))).is_open


INDEPENDENCE = "settling-terms/independence"


@pytest.mark.parametrize(
    ("terms", "target", "passage"),
    [
        (replace(REVIEWED, lacking=(M5,)), Target(PageKind.ITEM, ID, "M5"), None),
        (replace(REVIEWED, lacking=(M6,)), Target(PageKind.ITEM, ID, "M6"), None),
        (
            replace(REVIEWED, flagged_items=(M10,)),
            Target(PageKind.ITEM, ID, "M10"),
            INDEPENDENCE,
        ),
        (
            replace(REVIEWED, hinted_items=(M10,)),
            Target(PageKind.REVIEW, ID),
            INDEPENDENCE,
        ),
        (AGREED, Target(PageKind.REVIEW, ID), INDEPENDENCE),
    ],
)
def test_g3_names_what_is_missing(terms: TermsFact, target: Target, passage: str | None) -> None:
    result = gate("G3", facts(terms))
    assert where(result.missing) == [(target, passage)]


def test_g3_asks_for_no_review_of_terms_that_are_sent() -> None:
    assert gate("G3", facts(replace(AGREED, is_sent=True))).is_open


@pytest.mark.parametrize("change", [{"is_sent": True}, {"in_force": True}])
def test_g3_says_that_nobody_reviewed_terms_made_on_paper_before(change: dict[str, bool]) -> None:
    result = gate("G3", facts(replace(REVIEWED, made_before=True, **change)))  # type: ignore[arg-type] # plain values by name
    assert where(result.missing) == [(Target(PageKind.SIGNING, ID), INDEPENDENCE)]
    assert "agreed on paper before you used this tool" in str(result.missing[0].reason)


def test_g3_does_not_ask_for_other_items() -> None:
    assert gate("G3", facts(replace(REVIEWED, lacking=(M4,)))).is_open


def test_g3_is_not_met_before_the_terms_are_begun() -> None:
    assert where(gate("G3", facts()).missing) == [(Target(PageKind.MODES), None)]


def test_g3_is_met_for_terms_in_force() -> None:
    assert gate("G3", facts(TermsFact(ID, in_force=True))).is_open


# G4


UNCLEARED = PersonFact("Leyla Marchetti", "Lantern Health Network", False, uuid4(), uuid4())
CLEARED = PersonFact("Samira Okell", "Open Door Legal Aid", True, uuid4(), uuid4())
REQUIRED = ConfidentialityFact(OTHER_ID, is_required=True, in_force=True)


def test_g4_names_each_person_who_is_not_cleared() -> None:
    given = facts(people=(UNCLEARED, CLEARED), confidentiality=REQUIRED)
    result = gate("G4", given)
    assert where(result.missing) == [
        (Target(PageKind.UNDERTAKINGS), "settling-terms/sign-before-access")
    ]
    assert "Leyla Marchetti" in str(result.missing[0].reason)


def test_g4_is_met_when_everyone_is_cleared() -> None:
    assert gate("G4", facts(people=(CLEARED,), confidentiality=REQUIRED)).state is GateState.MET


@pytest.mark.parametrize(
    "given",
    [facts(people=(UNCLEARED,)), facts(people=(CLEARED,)), facts(confidentiality=REQUIRED)],
    ids=["not required", "not required of the cleared", "nobody there"],
)
def test_g4_with_nobody_to_clear_is_not_met_and_holds_nothing_up(given: Facts) -> None:
    result = gate("G4", given)
    assert (result.state, result.is_open, result.missing) == (GateState.NOBODY, True, ())


def test_g4_never_blocks_the_cooperation() -> None:
    given = facts(IN_FORCE, people=(UNCLEARED,), confidentiality=REQUIRED)
    assert stage(given) is Stage.ACTIVE


# G5 and planning a visit


@pytest.mark.parametrize(
    ("dates", "met"),
    [
        ({}, True),
        ({"ends_on": TODAY}, True),
        ({"ends_on": TODAY - dt.timedelta(days=1)}, False),
        ({"review_on": TODAY}, True),
        ({"review_on": TODAY - dt.timedelta(days=1)}, False),
        ({"review_on": TODAY - dt.timedelta(days=1), "end_decided": TODAY}, True),
    ],
)
def test_g5_asks_for_no_expired_term_and_no_overdue_review(
    dates: dict[str, dt.date], met: bool
) -> None:
    result = gate("G5", facts(IN_FORCE, **dates))
    assert result.is_open is met
    is_over = dates.get("ends_on", TODAY) < TODAY
    target = Target(PageKind.ITEM, ID, "M19") if is_over else Target(PageKind.HOLD_REVIEW)
    dated = (target, "settling-terms/written-form")
    assert where(result.missing) == ([] if met else [dated])


def test_g5_is_not_met_from_the_day_on_which_a_notice_stops_the_terms() -> None:
    result = gate("G5", facts(IN_FORCE, stop=TermsStop(Stage.SUSPENDED, TODAY)))
    assert result.state is GateState.NOT_MET
    record = Target(PageKind.SIGNING, ID)
    assert where(result.missing) == [(record, "settling-terms/written-form")]


def test_no_review_is_next_once_one_decided_to_end_or_the_cooperation_is_closed() -> None:
    for day in (TODAY - dt.timedelta(days=1), TODAY, TODAY + dt.timedelta(days=1)):
        given = facts(IN_FORCE, review_on=day)
        assert given.next_review_on == day
        assert replace(given, end_decided=TODAY).next_review_on is None
        assert replace(given, stage=Stage.CLOSED).next_review_on is None


@pytest.mark.parametrize("terms", [None, AGREED])
def test_g5_is_open_but_not_met_while_no_terms_are_in_force(terms: TermsFact | None) -> None:
    result = gate("G5", facts(terms, ends_on=TODAY - dt.timedelta(days=1)))
    assert (result.is_open, result.state) == (True, GateState.NOTHING)


def test_g5_is_open_but_not_met_before_the_first_day_of_signed_terms() -> None:
    given = facts(IN_FORCE, starts_on=TODAY + dt.timedelta(days=1))
    result = gate("G5", given)
    assert (result.is_open, result.state) == (True, GateState.BEGINS_LATER)
    assert gate("G5", replace(given, starts_on=TODAY)).state is GateState.MET
    overdue = replace(given, review_on=TODAY - dt.timedelta(days=1))
    assert gate("G5", overdue).state is GateState.NOT_MET


def test_g7_is_not_met_where_nobody_had_access() -> None:
    result = gate("G7", facts(IN_FORCE, stage=Stage.CLOSED, had_access=False))
    assert (result.is_open, result.state) == (True, GateState.NO_COPIES)


def test_g2_asks_for_an_item_that_the_terms_in_force_lack() -> None:
    result = gate("G2", facts(replace(IN_FORCE, lacking=(M4,), starts_on=TODAY)))
    assert where(result.missing) == [(Target(PageKind.ITEM, ID, "M4"), M4.passage)]
    assert gate("G2", facts(replace(IN_FORCE, lacking=(M4,), made_before=True))).is_open
    # Before the agreement on paper is confirmed, they are not in force.
    assert not gate("G2", facts(replace(REVIEWED, lacking=(M4,), made_before=True))).is_open


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({}, True),
        ({"stage": Stage.CLEARED}, False),
        ({"stage": Stage.UNDER_REVIEW}, True),
        ({"stage": Stage.UNDER_REVIEW, "review_on": TODAY - dt.timedelta(days=1)}, False),
        ({"modes": (Mode.PROJ, Mode.INFO_F)}, False),
        ({"modes": (Mode.ADVIS,)}, True),
        ({"modes": (Mode.ADVIS,), "questions": {"members_on_visits": "no"}}, False),
        ({"modes": (Mode.EXP,), "questions": {"expert_on_visit": "no"}}, False),
        ({"modes": (Mode.EXP,)}, True),
        ({"modes": (Mode.OMB_PLUS,)}, True),
        ({"agreed_ways": AgreedWays(frozenset({Mode.VISIT}))}, True),
        ({"agreed_ways": AgreedWays(frozenset({Mode.PROJ}))}, False),
        ({"ends_on": TODAY - dt.timedelta(days=1)}, False),
        ({"review_on": TODAY - dt.timedelta(days=1)}, False),
    ],
)
def test_a_visit_is_planned_only_in_an_active_or_reviewed_cooperation_with_such_a_mode(
    change: dict[str, object], allowed: bool
) -> None:
    given = facts(IN_FORCE, **{"stage": Stage.ACTIVE, **change})
    decision = policy.can_plan_visit(given, policy.gates(given))
    assert bool(decision) is allowed
    assert allowed or str(decision.reason)


def test_why_no_visit_can_be_planned_depends_on_what_was_chosen_and_signed() -> None:
    project = facts(IN_FORCE, stage=Stage.ACTIVE, modes=(Mode.PROJ,))
    decision = policy.can_plan_visit(project, policy.gates(project))
    assert "among this cooperation's ways of working" in str(decision.reason)
    signed = AgreedWays(frozenset({Mode.PROJ}))
    visit = facts(IN_FORCE, stage=Stage.ACTIVE, modes=(Mode.PROJ, Mode.VISIT), agreed_ways=signed)
    decision = policy.can_plan_visit(visit, policy.gates(visit))
    assert "in the terms that all parties signed" in str(decision.reason)


# Stages


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (facts(modes=()), Stage.EXPLORED),
        (facts(has_npm_coordinator=False), Stage.EXPLORED),
        (facts(), Stage.DRAFT),
        (facts(replace(AGREED, lacking=(M4,))), Stage.DRAFT),
        (facts(AGREED), Stage.REVIEWED),
        (facts(replace(REVIEWED, flagged_items=(M10,))), Stage.REVIEWED),
        (facts(REVIEWED), Stage.CLEARED),
        (facts(replace(REVIEWED, is_sent=True)), Stage.CLEARED),
        (facts(IN_FORCE), Stage.ACTIVE),
        (facts(IN_FORCE, confidentiality=REQUIRED), Stage.ACTIVE),
        (
            facts(IN_FORCE, confidentiality=replace(REQUIRED, in_force=False)),
            Stage.CLEARED,
        ),
        (
            facts(IN_FORCE, confidentiality=ConfidentialityFact(None, is_required=True)),
            Stage.CLEARED,
        ),
    ],
)
def test_a_cooperation_goes_as_far_as_its_gates_allow(given: Facts, expected: Stage) -> None:
    assert stage(given) is expected
    # Whichever early stage it is in: forward, or back while nothing is in force.
    for start in BY_GATES[:-1]:
        assert stage(replace(given, stage=start)) is expected


def test_a_cooperation_goes_back_while_terms_are_not_in_force() -> None:
    given = facts(replace(REVIEWED, lacking=(M4,)), stage=Stage.CLEARED)
    assert stage(given) is Stage.DRAFT


def test_an_active_cooperation_goes_back_no_more() -> None:
    assert stage(facts(stage=Stage.ACTIVE, modes=())) is Stage.ACTIVE


@pytest.mark.parametrize("entered", [Stage.UNDER_REVIEW, Stage.SUSPENDED, Stage.CLOSED])
def test_a_stage_entered_by_a_decision_stays(entered: Stage) -> None:
    assert stage(facts(IN_FORCE, stage=entered)) is entered


def test_missing_signatures_that_keep_a_cooperation_inactive_are_named() -> None:
    unsigned = replace(REQUIRED, in_force=False)
    missing = policy.missing_to_be_active(facts(REVIEWED, confidentiality=unsigned))
    assert where(missing) == [
        (Target(PageKind.SIGNING, ID), "settling-terms/expectations"),
        (Target(PageKind.SIGNING, OTHER_ID), "settling-terms/settle-before-visits"),
    ]
    not_begun = ConfidentialityFact(None, is_required=True)
    missing = policy.missing_to_be_active(facts(confidentiality=not_begun))
    assert [requirement.target for requirement in missing] == [Target(PageKind.MODES)] * 2
    assert policy.missing_to_be_active(facts(IN_FORCE, confidentiality=REQUIRED)) == ()


def test_with_every_gate_passed_a_cooperation_is_active() -> None:
    every = dict.fromkeys(BY_GATES[:-1], True)
    for start in BY_GATES:
        assert stage_after(start, every, terms_in_force=False) is Stage.ACTIVE


# G7


@pytest.mark.parametrize("running", [stage for stage in Stage if stage is not Stage.CLOSED])
def test_g7_asks_nothing_before_the_end(running: Stage) -> None:
    assert [gate.code for gate in policy.gates(facts(stage=running))] == [
        "G1",
        "G2",
        "G3",
        "G4",
        "G5",
    ]


def test_g7_is_met_once_nobody_is_waited_for() -> None:
    assert gate("G7", facts(stage=Stage.CLOSED)).state is GateState.MET


def test_g7_names_whoever_has_not_confirmed() -> None:
    waiting = (ReturnFact("Leyla Marchetti", "Lantern Health Network"),)
    result = gate("G7", facts(stage=Stage.CLOSED, waiting_returns=waiting))
    assert result.state is GateState.NOT_MET
    assert where(result.missing) == [(Target(PageKind.CLOSING), None)]
    assert str(result.missing[0].reason).startswith("Leyla Marchetti, Lantern Health Network,")


# Starting a recommended checklist


NPM, CSO = UUID(int=11), UUID(int=12)
PARTIES = (PartyFact(NPM, OrganisationKind.NPM), PartyFact(CSO, OrganisationKind.CSO))
PLAN = Requirement(
    ChecklistKind.URGENT_PLAN, Purpose.COOPERATION, Level.RECOMMENDED, "A reason.", "a/passage"
)


def person(role: Role, of: UUID = CSO, kind: OrganisationKind = OrganisationKind.CSO) -> Actor:
    membership = ActorMembership(role, of, "Somewhere", kind)
    return Actor(UUID(int=9), "Somebody", memberships=(membership,), organisation_id=of)


@pytest.mark.parametrize("running", sorted(RUNNING))
def test_a_coordinator_of_a_party_starts_a_recommended_checklist(running: Stage) -> None:
    cooperation = CooperationFact(running, PARTIES)
    assert policy.can_start(person(Role.COORDINATOR), cooperation, PLAN)
    npm = person(Role.COORDINATOR, NPM, OrganisationKind.NPM)
    assert policy.can_start(npm, cooperation, PLAN)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.COORDINATOR])
def test_nobody_else_of_a_party_starts_one(role: Role) -> None:
    decision = policy.can_start(person(role), CooperationFact(Stage.ACTIVE, PARTIES), PLAN)
    assert "Only a coordinator" in str(decision.reason)
    assert not decision


def test_a_party_that_is_joining_starts_none() -> None:
    parties = tuple(replace(party, is_joining=party.organisation_id == CSO) for party in PARTIES)
    cooperation = CooperationFact(Stage.ACTIVE, parties)
    decision = policy.can_start(person(Role.COORDINATOR), cooperation, PLAN)
    assert "hasn't joined yet" in str(decision.reason)
    assert not decision


@pytest.mark.parametrize(
    ("stage_", "of", "requirement", "words"),
    [
        (Stage.SUSPENDED, CSO, PLAN, "suspended or closed"),
        (Stage.CLOSED, CSO, PLAN, "suspended or closed"),
        (Stage.ACTIVE, UUID(int=13), PLAN, "acting for one of the parties"),
        (Stage.ACTIVE, CSO, replace(PLAN, purpose=Purpose.VISIT), "isn't needed"),
        (Stage.ACTIVE, CSO, replace(PLAN, level=Level.NOT_APPLICABLE), "isn't needed"),
    ],
)
def test_one_is_not_started_where_it_is_not_wanted(
    stage_: Stage, of: UUID, requirement: Requirement, words: str
) -> None:
    coordinator = person(Role.COORDINATOR, of)
    decision = policy.can_start(coordinator, CooperationFact(stage_, PARTIES), requirement)
    assert words in str(decision.reason)
    assert not decision


@pytest.mark.parametrize(
    ("kind", "level", "is_work"),
    [
        (ChecklistKind.TERMS, Level.RECOMMENDED, True),
        (ChecklistKind.TERMS, Level.REQUIRED, True),
        (ChecklistKind.URGENT_PLAN, Level.REQUIRED, True),
        (ChecklistKind.URGENT_PLAN, Level.RECOMMENDED, False),
        (ChecklistKind.CONFIDENTIALITY, Level.NOT_APPLICABLE, False),
    ],
)
def test_only_required_checklists_and_the_terms_are_work(
    kind: ChecklistKind, level: Level, is_work: bool
) -> None:
    assert policy.is_to_do(replace(PLAN, kind=kind, level=level)) == is_work
