"""The gates J1 to J3 as in product.md, section 6; overrides; who may do what.

In one file: tables of cases of one policy, which vary the same facts.
"""

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.access.decision import YES, Decision, no
from tracker.cooperations.agreed_ways import AgreedWays
from tracker.cooperations.models import Mode, Stage
from tracker.lifecycle.policy import GateState
from tracker.visits import policy
from tracker.visits.excusing import Shown, shown
from tracker.visits.facts import (
    Cell,
    CellCode,
    ChecklistFact,
    Facts,
    Gate,
    Interests,
    ItemFact,
    Judgement,
    MemberFact,
    MissingRequirement,
    OverrideFact,
    PageKind,
    PartyFact,
    Recorded,
    Requirement,
    RequirementKind,
    Signing,
    Target,
    Term,
)
from tracker.visits.labels import CELLS
from tracker.visits.models import VisitStage
from tracker.visits.policy import Outline

TODAY = dt.date(2026, 11, 25)
FIRST_DAY = dt.date(2026, 12, 7)
LAST_DAY = dt.date(2026, 12, 9)
ONE_DAY = dt.timedelta(days=1)
LATER = dt.date(2027, 6, 30)
NPM, DOOR = uuid4(), uuid4()
SIGNED = ChecklistFact(uuid4(), Signing.IN_FORCE)

PAVO = MemberFact(
    uuid4(),
    "Pavo Linden",
    "Office of the People's Advocate",
    leads=True,
    has_role=True,
    role_accepted=True,
    credential_until=LATER,
    plan_read=True,
)
SAMIRA = replace(
    PAVO,
    user_id=uuid4(),
    name="Samira Okell",
    organisation_name="Open Door Legal Aid",
    leads=False,
    needs_clearance=True,
    briefed=True,
    interests=Interests.LIMIT,
    signed=True,
    countersigned=True,
    cleared_until=LATER,
)
READY = Facts(
    today=TODAY,
    stage=VisitStage.CLEARED,
    cooperation_stage=Stage.ACTIVE,
    modes=frozenset({Mode.VISIT}),
    starts_on=FIRST_DAY,
    ends_on=LAST_DAY,
    term=Term(TODAY, LATER),
    members=(PAVO, SAMIRA),
    roles=SIGNED,
    plan=SIGNED,
    standing_plan=SIGNED,
    confidentiality=SIGNED,
    briefing_on=TODAY,
    has_safety_contact=True,
)


def facts(**more: Any) -> Facts:
    return replace(READY, **more)


def with_samira(**more: Any) -> Facts:
    return facts(members=(PAVO, replace(SAMIRA, **more)))


def with_pavo(**more: Any) -> Facts:
    return facts(members=(replace(PAVO, **more), SAMIRA))


def gate(code: str, given: Facts) -> Gate:
    return next(gate for gate in policy.judge(given).gates if gate.code == code)


def missing_kinds(given: Facts) -> list[RequirementKind]:
    return [requirement.kind for requirement in policy.judge(given).requirements]


def is_ready(judged: Judgement) -> bool:
    return all(judged.is_open.values())


def says(decision: Decision, words: str) -> None:
    """Compare a decision with its reason, empty if it is allowed."""
    assert bool(decision) is not bool(words)
    assert words in str(decision.reason)


# J1


@pytest.mark.parametrize(
    ("term", "is_inside"),
    [
        (Term(FIRST_DAY, LAST_DAY), True),
        (Term(None, None), True),
        (Term(FIRST_DAY + ONE_DAY, LATER), False),
        (Term(TODAY, LAST_DAY - ONE_DAY), False),
        (Term(None, LAST_DAY - ONE_DAY), False),
        (Term(FIRST_DAY + ONE_DAY, None), False),
    ],
)
def test_every_day_of_a_visit_lies_inside_the_agreed_term(term: Term, *, is_inside: bool) -> None:
    given = facts(term=term)
    assert missing_kinds(given) == ([] if is_inside else [RequirementKind.OUTSIDE_TERM])
    assert gate("J1", given).is_open is is_inside


def test_a_visit_outside_the_term_begins_too_early_or_ends_too_late() -> None:
    early, late = (
        str(gate("J1", facts(term=term)).missing[0].text)
        for term in (Term(FIRST_DAY + ONE_DAY, None), Term(None, LAST_DAY - ONE_DAY))
    )
    assert (early, late) == (
        "The visit begins before the agreed terms do.",
        "The visit ends after the agreed terms do.",
    )


def test_a_visit_waits_while_stage_or_days_of_the_cooperation_are_not_borne_out() -> None:
    given = facts(cooperation_agrees=False)
    assert missing_kinds(given) == [RequirementKind.COOPERATION_DISAGREES]
    (missing,) = gate("J1", given).missing
    assert missing.turn.administrators
    assert "Ask them" in str(missing.note)


@pytest.mark.parametrize(
    ("last_day", "is_enough"), [(None, True), (LAST_DAY, True), (LAST_DAY - ONE_DAY, False)]
)
def test_the_terms_on_confidentiality_last_until_the_visit_ends(
    last_day: dt.date | None, *, is_enough: bool
) -> None:
    given = facts(confidentiality=replace(SIGNED, last_day=last_day))
    lacking = [] if is_enough else [RequirementKind.CONFIDENTIALITY_RUNS_OUT]
    assert missing_kinds(given) == lacking
    assert gate("J3", given).is_open is is_enough
    if lacking:
        (missing,) = gate("J3", given).missing
        assert str(missing.text) == "The confidentiality terms end before the visit does."
        assert missing.target == Target(PageKind.CHECKLIST, SIGNED.checklist_id)
        assert missing.turn.planners


def test_nobody_is_cleared_by_an_undertaking_that_does_not_agree_with_its_signatures() -> None:
    given = with_samira(agrees=False)
    assert missing_kinds(given) == [RequirementKind.UNDERTAKING_DISAGREES]
    (missing,) = gate("J2", given).missing
    assert str(missing.text) == ("Undertakings that don't match their signatures: Samira Okell.")
    assert (missing.names, missing.count) == (("Samira Okell",), 1)
    assert missing.turn.administrators
    cells = policy.board(policy.judge(given))[1].cells
    assert cells[Requirement.UNDERTAKING].code is CellCode.DISAGREES


@pytest.mark.parametrize("joins", [True, False])
def test_the_party_of_everyone_on_the_team_has_signed_the_terms(*, joins: bool) -> None:
    given = with_pavo(is_joining=joins)
    assert missing_kinds(given) == ([RequirementKind.JOINING] if joins else [])
    assert gate("J2", given).is_open is not joins


@pytest.mark.parametrize(("days", "stays"), [(0, True), (30, True), (-1, False)])
def test_everyone_on_the_team_takes_part_until_the_last_day(days: int, *, stays: bool) -> None:
    given = with_pavo(leaves_on=LAST_DAY + dt.timedelta(days=days))
    assert missing_kinds(given) == ([] if stays else [RequirementKind.LEAVES])
    assert gate("J2", given).is_open is stays


def test_all_three_gates_are_met_when_nothing_is_missing() -> None:
    judged = policy.judge(READY)
    assert [gate.state for gate in judged.gates] == [GateState.MET] * 3
    assert judged.missing == ()
    assert judged.people_concerned == 0


@pytest.mark.parametrize("stage", [Stage.ACTIVE, Stage.UNDER_REVIEW])
def test_a_planned_visit_goes_on_while_the_cooperation_is_active_or_reviewed(stage: Stage) -> None:
    assert gate("J1", facts(cooperation_stage=stage)).is_open


@pytest.mark.parametrize("stage", [Stage.CLEARED, Stage.SUSPENDED, Stage.CLOSED])
def test_j1_is_not_met_in_a_cooperation_that_is_not_active(stage: Stage) -> None:
    assert missing_kinds(facts(cooperation_stage=stage)) == [RequirementKind.NOT_ACTIVE]


def test_j1_is_not_met_from_the_day_on_which_the_terms_are_stopped() -> None:
    assert missing_kinds(facts(terms_are_stopped=True)) == [RequirementKind.NOT_ACTIVE]


@pytest.mark.parametrize("mode", [Mode.VISIT, Mode.EXP, Mode.OMB_PLUS, Mode.ADVIS])
def test_j1_is_met_with_each_mode_that_has_visits(mode: Mode) -> None:
    assert gate("J1", facts(modes=frozenset({mode, Mode.ADV}))).is_open


@pytest.mark.parametrize(
    ("mode", "question"), [(Mode.EXP, "expert_on_visit"), (Mode.ADVIS, "members_on_visits")]
)
def test_j1_is_not_met_where_the_partners_take_part_in_no_visit(mode: Mode, question: str) -> None:
    answered = facts(modes=frozenset({mode}), questions={question: "no"})
    assert missing_kinds(answered) == [RequirementKind.NO_MODE]


def test_j1_is_not_met_when_no_mode_has_visits() -> None:
    assert missing_kinds(facts(modes=frozenset({Mode.INFO_F}))) == [RequirementKind.NO_MODE]


def test_j1_is_not_met_by_a_mode_that_the_terms_in_force_do_not_name() -> None:
    added = facts(agreed_ways=AgreedWays(frozenset({Mode.PROJ})))
    assert missing_kinds(added) == [RequirementKind.MODE_NOT_SIGNED]
    assert gate("J1", facts(agreed_ways=AgreedWays(frozenset({Mode.VISIT})))).is_open


# J2


def test_j2_is_not_met_where_no_event_confirms_the_team_and_the_list() -> None:
    unconfirmed = facts(people_agree=False)
    assert missing_kinds(unconfirmed) == [RequirementKind.PEOPLE_DISAGREE]
    assert not gate("J2", unconfirmed).is_open


def lacking(*codes: str) -> ChecklistFact:
    items = tuple(ItemFact(code, "Label", "not agreed by everyone yet") for code in codes)
    return replace(SIGNED, lacking=items)


def test_j2_requires_every_required_item_of_the_roles() -> None:
    result = gate("J2", facts(roles=lacking("V6", "V8")))
    assert result.state is GateState.NOT_MET
    (only,) = result.missing
    assert (only.count, only.target.place) == (2, PageKind.CHECKLIST)
    assert "“Label”, “Label”" in str(only.text)


def test_one_item_that_is_missing_is_linked_itself() -> None:
    (only,) = gate("J2", facts(roles=lacking("V6"))).missing
    assert (only.target.place, only.target.item) == (PageKind.ITEM, "V6")


def test_j2_does_not_ask_credentials_and_the_plan_being_known() -> None:
    assert gate("J2", facts(roles=lacking("V13", "V20"))).is_open


CLEARING = [
    ({"signed": False, "interests": None}, RequirementKind.NOT_SIGNED),
    ({"interests": Interests.WAITS, "countersigned": False}, RequirementKind.NOT_DECIDED),
    ({"interests": Interests.REPLACE, "countersigned": False}, RequirementKind.CONFLICT),
    ({"interests": Interests.NONE, "countersigned": False}, RequirementKind.NOT_COUNTERSIGNED),
    ({"countersigned": True}, RequirementKind.NOT_COVERED),
]


@pytest.mark.parametrize(("state", "expected"), CLEARING)
def test_j2_and_j3_require_each_person_to_pass_g4(
    state: dict[str, Any], expected: RequirementKind
) -> None:
    given = with_samira(cleared_until=None, **state)
    assert missing_kinds(given) == [expected]
    for code in ("J2", "J3"):
        (only,) = gate(code, given).missing
        assert only.names == ("Samira Okell",)
        assert only.passage


def test_a_clearance_has_to_hold_through_the_last_day() -> None:
    assert missing_kinds(with_samira(cleared_until=LAST_DAY)) == []
    before = LAST_DAY - dt.timedelta(days=1)
    assert missing_kinds(with_samira(cleared_until=before)) == [RequirementKind.RUNS_OUT]


def test_after_the_last_day_a_clearance_has_to_hold_today() -> None:
    after = facts(today=LATER + dt.timedelta(days=1))
    assert RequirementKind.RUNS_OUT in missing_kinds(after)


def test_an_outside_expert_of_the_npm_is_cleared_like_anybody_else() -> None:
    expert = replace(SAMIRA, organisation_name=PAVO.organisation_name, cleared_until=None)
    assert missing_kinds(facts(members=(PAVO, replace(expert, signed=False)))) == [
        RequirementKind.NOT_SIGNED
    ]


def test_the_npms_own_people_are_not_asked() -> None:
    own = replace(PAVO, signed=False, interests=None, cleared_until=None, briefed=False)
    assert missing_kinds(facts(members=(own, SAMIRA))) == []


def test_j2_requires_each_person_to_accept_their_task() -> None:
    given = facts(members=tuple(replace(member, role_accepted=False) for member in READY.members))
    (only,) = gate("J2", given).missing
    assert only.turn.user_ids == {PAVO.user_id, SAMIRA.user_id}
    assert only.names == ("Pavo Linden", "Samira Okell")
    assert gate("J3", given).is_open


def test_a_task_that_is_not_written_waits_for_v5_and_for_nobody() -> None:
    assert missing_kinds(with_samira(has_role=False, role_accepted=False)) == []


def test_j2_requires_everybody_on_the_team_to_be_listed_and_take_part() -> None:
    assert missing_kinds(with_samira(is_listed=False)) == [RequirementKind.NOT_LISTED]
    assert missing_kinds(with_samira(takes_part=False, is_listed=False, cleared_until=None)) == [
        RequirementKind.LEFT
    ]


# J3


J3_OF_PEOPLE = [
    ({"credential_until": None}, RequirementKind.CREDENTIAL),
    ({"credential_until": LAST_DAY - dt.timedelta(days=1)}, RequirementKind.CREDENTIAL_RUNS_OUT),
    ({"plan_read": False}, RequirementKind.PLAN_NOT_READ),
]


@pytest.mark.parametrize(
    ("state", "expected"), [*J3_OF_PEOPLE, ({"briefed": False}, RequirementKind.NOT_BRIEFED)]
)
def test_j3_requires_its_items_from_each_person(
    state: dict[str, Any], expected: RequirementKind
) -> None:
    given = with_samira(**state)
    assert missing_kinds(given) == [expected]
    assert gate("J2", given).is_open
    assert not gate("J3", given).is_open


def test_a_credential_valid_on_the_last_day_is_enough() -> None:
    assert missing_kinds(with_samira(credential_until=LAST_DAY)) == []


UNSIGNED = replace(SIGNED, unsigned=(PartyFact(DOOR, "Open Door Legal Aid"),))


@pytest.mark.parametrize(
    "checklist",
    [
        ChecklistFact(),
        *(replace(SIGNED, signing=signing) for signing in Signing if signing != "in_force"),
        UNSIGNED,
    ],
)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("confidentiality", RequirementKind.CONFIDENTIALITY),
        ("roles", RequirementKind.ROLES),
        ("plan", RequirementKind.PLAN),
        ("standing_plan", RequirementKind.STANDING_PLAN),
    ],
)
def test_j3_requires_checklists_2_3_and_4_to_be_fully_signed(
    name: str, expected: RequirementKind, checklist: ChecklistFact
) -> None:
    given = facts(**{name: checklist}, modes=frozenset({Mode.OMB_PLUS}))
    assert missing_kinds(given) == [expected]
    (only,) = gate("J3", given).missing
    assert str(only.text)


@pytest.mark.parametrize(
    "terms",
    [
        ChecklistFact(),
        UNSIGNED,
        *(replace(SIGNED, signing=signing) for signing in Signing if signing != "in_force"),
        replace(SIGNED, last_day=LAST_DAY - ONE_DAY),
    ],
)
def test_no_partner_holds_up_the_npms_own_visit_by_the_terms_on_confidentiality(
    terms: ChecklistFact,
) -> None:
    alone = facts(members=(PAVO,), confidentiality=terms)
    assert missing_kinds(alone) == []
    # A partner's person who joins later ends that.
    assert len(missing_kinds(replace(alone, members=(PAVO, SAMIRA)))) == 1


@pytest.mark.parametrize(
    ("modes", "signed", "is_required"),
    [
        ({Mode.OMB_PLUS}, None, True),
        ({Mode.VISIT, Mode.OMB_PLUS}, {Mode.VISIT, Mode.OMB_PLUS}, True),
        # Not signed by all yet.
        ({Mode.VISIT, Mode.OMB_PLUS}, {Mode.VISIT}, False),
        # Recommended.
        ({Mode.VISIT, Mode.PROJ}, None, False),
        ({Mode.VISIT}, {Mode.VISIT, Mode.OMB_PLUS}, False),
    ],
)
def test_j3_requires_a_standing_plan_where_ombudsman_plus_counts(
    modes: set[Mode], signed: set[Mode] | None, *, is_required: bool
) -> None:
    given = facts(
        modes=frozenset(modes),
        agreed_ways=AgreedWays(frozenset(signed)) if signed else None,
        standing_plan=ChecklistFact(),
    )
    expected = [RequirementKind.STANDING_PLAN] if is_required else []
    assert missing_kinds(given) == expected
    assert gate("J3", given).is_open is not is_required


def test_those_who_plan_the_visit_amend_a_standing_plan_that_a_later_party_has_not_signed() -> None:
    given = facts(modes=frozenset({Mode.OMB_PLUS}), standing_plan=UNSIGNED)
    (only,) = gate("J3", given).missing
    assert (only.turn.planners, only.turn.party_ids) == (True, frozenset())
    assert "amendment" in str(only.note)


def test_j3_names_what_no_longer_fits_in_a_plan_in_force() -> None:
    codes = ("U16", "U18")
    items = tuple(
        ItemFact(code, "Follow-up", "This date must be after the visit.") for code in codes
    )
    given = facts(plan=replace(SIGNED, lacking=items))
    assert missing_kinds(given) == [RequirementKind.PLAN_ITEM] * 2
    (only,) = gate("J3", given).missing
    assert (
        str(only.text)
        == "The urgent-action plan no longer fits the visit: “Follow-up”, “Follow-up”."
    )
    # Each item says why: an override excuses what was shown.
    assert str(only.note) == " ".join(["Follow-up: This date must be after the visit."] * 2)
    assert (only.count, only.target.item) == (2, "U16")


def test_j3_names_whom_the_cooperations_plan_can_no_longer_name() -> None:
    item = ItemFact("U3", "Deciding on site", "Names somebody who can't act there any more.")
    standing = replace(SIGNED, lacking=(item,))
    assert missing_kinds(facts(standing_plan=standing)) == []
    given = facts(modes=frozenset({Mode.OMB_PLUS}), standing_plan=standing)
    assert missing_kinds(given) == [RequirementKind.STANDING_PLAN_ITEM]
    (only,) = gate("J3", given).missing
    assert str(only.text).endswith("names people who can't act any more: “Deciding on site”.")


def test_j3_says_what_keeps_a_complete_text_from_being_sent() -> None:
    waits = "There's an open suggestion on U7. Answer it or withdraw it."
    (only,) = gate(
        "J3", facts(plan=ChecklistFact(None, Signing.HELD_UP, obstacles=(waits,)))
    ).missing
    assert "can't be sent for signature yet" in str(only.text)
    assert str(only.note) == waits


def test_j3_requires_a_clearance_of_whomever_else_the_plan_names_and_not_of_the_npms_people() -> (
    None
):
    dina = MemberFact(uuid4(), "Dina Faro", needs_clearance=True)
    given = facts(named_in_plan=(dina, replace(dina, needs_clearance=False)))
    assert missing_kinds(given) == [RequirementKind.PLAN_PERSON]
    (only,) = gate("J3", given).missing
    assert only.names == ("Dina Faro",)
    # They aren't on the team.
    assert policy.judge(given).people_concerned == 0
    assert missing_kinds(facts(named_in_plan=(replace(dina, cleared_until=LATER),))) == []


NOT_CLEARED = "Dina Faro, named in the roles, isn't cleared for this visit."
NOT_LISTED = (
    "Dina Faro, named in the roles, isn't on the visit list from the first day of the visit."
)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, []),
        ({"is_listed": False}, [NOT_LISTED]),
        ({"cleared_until": None}, [NOT_CLEARED]),
        ({"cleared_until": LAST_DAY - ONE_DAY}, [NOT_CLEARED]),
        ({"is_listed": False, "cleared_until": None}, [NOT_CLEARED, NOT_LISTED]),
        # The NPM's own people need no clearance, but the list is the only audience for them too.
        ({"needs_clearance": False, "cleared_until": None}, []),
        ({"needs_clearance": False, "is_listed": False, "cleared_until": None}, [NOT_LISTED]),
    ],
)
def test_j3_requires_whomever_else_the_roles_name_to_be_listed_and_cleared(
    state: dict[str, Any], words: list[str]
) -> None:
    given = facts(named_in_roles=(replace(SAMIRA, user_id=uuid4(), name="Dina Faro", **state),))
    assert [str(missing.text) for missing in gate("J3", given).missing] == words


@pytest.mark.parametrize(("day", "stays"), [(None, True), (LAST_DAY, True), (FIRST_DAY, False)])
@pytest.mark.parametrize(
    ("where", "kind", "text"),
    [
        ("named_in_roles", RequirementKind.ROLES_PERSON_LEAVES, "the roles"),
        ("named_in_plan", RequirementKind.PLAN_PERSON_LEAVES, "the urgent-action plan"),
    ],
)
def test_j3_requires_whomever_a_text_names_to_stay_until_the_last_day(
    where: str, kind: RequirementKind, text: str, day: dt.date | None, *, stays: bool
) -> None:
    """Whoever acts for the NPM too."""
    more: dict[str, Any] = {where: (replace(PAVO, user_id=uuid4(), leaves_on=day),)}
    assert missing_kinds(facts(**more)) == ([] if stays else [kind])
    for missing in gate("J3", facts(**more)).missing:
        assert f"Pavo Linden, named in {text}, leaves" in str(missing.text)


def test_no_override_excuses_a_safety_contact_who_cannot_act() -> None:
    alone = facts(members=(PAVO,), has_safety_contact=False)
    given = overridden(alone)
    unfit = replace(given, has_safety_contact=True, safety_contact_problem="They left.")
    assert missing_kinds(unfit) == [RequirementKind.SAFETY_CONTACT_UNFIT]
    (missing,) = gate("J3", unfit).missing
    assert (str(missing.note), missing.target.item) == ("They left.", "V13")
    says(policy.to_excuse(policy.judge(unfit))[1], "An override only excuses")


def test_a_missing_signature_is_the_turn_of_that_party() -> None:
    (only,) = gate("J3", facts(plan=UNSIGNED)).missing
    assert only.turn.party_ids == {DOOR}
    assert only.turn.names == ("Open Door Legal Aid",)


@pytest.mark.parametrize("day", [None, TODAY + dt.timedelta(days=1)])
def test_j3_requires_the_briefing_to_be_held(day: dt.date | None) -> None:
    assert missing_kinds(facts(briefing_on=day)) == [RequirementKind.BRIEFING]


def test_j3_requires_another_briefing_if_the_place_changed_after_it() -> None:
    (missing,) = gate("J3", facts(briefed_elsewhere=True)).missing
    assert (
        str(missing.text) == "The place changed after the team was briefed. Brief the team again."
    )


def test_j3_names_who_joined_the_team_after_the_briefing() -> None:
    (missing,) = gate("J3", with_samira(missed_briefing=True)).missing
    assert str(missing.text) == "Samira Okell joined the team after the briefing."
    assert missing.target.item == "V18"
    # If the whole team has to be briefed, nobody is named beside it.
    given = replace(with_samira(missed_briefing=True), briefing_on=None)
    assert missing_kinds(given) == [RequirementKind.BRIEFING]


def test_j3_requires_a_safety_contact() -> None:
    assert missing_kinds(facts(has_safety_contact=False)) == [RequirementKind.SAFETY_CONTACT]


def test_a_missing_thing_is_counted_once_for_both_gates_that_require_it() -> None:
    judged = policy.judge(with_samira(signed=False, cleared_until=None, interests=None))
    assert len(judged.requirements) == len(judged.missing) == 1
    assert judged.people_concerned == 1


# Overriding J3


OVERRIDDEN_AT = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
A_MOMENT = dt.timedelta(seconds=1)


def override(*parts: Shown) -> OverrideFact:
    return OverrideFact("Milan Osterin", "A call that can't wait.", OVERRIDDEN_AT, frozenset(parts))


def all_shown(given: Facts) -> frozenset[Shown]:
    """Return what a page shows of everything that is missing."""
    requirements = policy.judge(given).requirements
    return frozenset(part for own in requirements for part in shown(own, given))


def overridden(given: Facts) -> Facts:
    """Return a visit that a manager of the NPM overrode for what was missing then."""
    keys, decision = policy.to_excuse(policy.judge(given))
    assert decision
    after = replace(given, overrides=(override(*keys),))
    assert is_ready(policy.judge(after))
    return after


@pytest.mark.parametrize(("state", "expected"), J3_OF_PEOPLE)
def test_an_override_excuses_requirements_for_the_npms_own_people(
    state: dict[str, Any], expected: RequirementKind
) -> None:
    given = with_pavo(**state)
    keys, decision = policy.to_excuse(policy.judge(given))
    assert decision
    judged = policy.judge(replace(given, overrides=(override(*keys),)))
    assert [gate.state for gate in judged.gates] == [
        GateState.MET,
        GateState.MET,
        GateState.OVERRIDDEN,
    ]
    assert is_ready(judged)
    assert judged.requirements == ()


@pytest.mark.parametrize(("state", "expected"), J3_OF_PEOPLE)
def test_an_override_never_excuses_a_person_of_a_partner(
    state: dict[str, Any], expected: RequirementKind
) -> None:
    given = with_samira(**state)
    _keys, decision = policy.to_excuse(policy.judge(given))
    assert not decision
    forged = override(*all_shown(given))
    assert not is_ready(policy.judge(replace(given, overrides=(forged,))))


def test_an_override_excuses_that_the_roles_name_somebody_of_the_npm_who_is_not_listed() -> None:
    """Also with a partner on the team: to list them needs the signature of its CSO (V2)."""
    milan = replace(PAVO, user_id=uuid4(), name="Milan Osterin", is_listed=False)
    given = overridden(facts(named_in_roles=(milan,)))
    # It covers nobody else, and not that the same person leaves.
    for another in (replace(milan, user_id=uuid4()), replace(milan, leaves_on=TODAY)):
        assert not is_ready(policy.judge(replace(given, named_in_roles=(another,))))


def test_no_override_excuses_that_the_roles_name_somebody_of_a_partner_who_is_not_listed() -> None:
    dina = replace(SAMIRA, user_id=uuid4(), name="Dina Faro", is_listed=False)
    given = facts(named_in_roles=(dina,))
    says(policy.to_excuse(policy.judge(given))[1], "An override only excuses")
    forged = override(*all_shown(given))
    assert not is_ready(policy.judge(replace(given, overrides=(forged,))))


@pytest.mark.parametrize(
    "more",
    [
        {"roles": UNSIGNED},
        {"plan": UNSIGNED},
        {"modes": frozenset({Mode.OMB_PLUS}), "standing_plan": UNSIGNED},
        {"confidentiality": UNSIGNED},
        {"briefing_on": None},
        {"has_safety_contact": False},
    ],
)
def test_an_override_excuses_nothing_that_concerns_a_partner_in_the_team(
    more: dict[str, Any],
) -> None:
    _keys, decision = policy.to_excuse(policy.judge(facts(**more)))
    assert not decision


def test_with_only_its_own_people_the_npm_can_go_immediately() -> None:
    alone = facts(
        members=(replace(PAVO, plan_read=False),),
        roles=replace(SIGNED, signing=Signing.SENT),
        plan=replace(SIGNED, signing=Signing.INCOMPLETE),
        modes=frozenset({Mode.OMB_PLUS}),
        standing_plan=replace(SIGNED, signing=Signing.INCOMPLETE),
        briefing_on=None,
    )
    keys, decision = policy.to_excuse(policy.judge(alone))
    assert decision
    overridden = replace(alone, overrides=(override(*keys),))
    assert is_ready(policy.judge(overridden))
    # A partner's person who joins later ends that.
    joined = replace(overridden, members=(*overridden.members, SAMIRA))
    assert not is_ready(policy.judge(joined))


@pytest.mark.parametrize(
    "earlier",
    [
        facts(roles=lacking("V6")),
        facts(cooperation_stage=Stage.SUSPENDED),
        with_samira(cleared_until=None, signed=False),
        with_pavo(role_accepted=False),
    ],
)
def test_only_j3_can_be_overridden(earlier: Facts) -> None:
    """Even if an override could excuse everything that J3 itself requires."""
    pavo, samira = earlier.members
    unread = replace(earlier, members=(replace(pavo, plan_read=False), samira))
    for given in (earlier, unread):
        keys, decision = policy.to_excuse(policy.judge(given))
        says(decision, "Only the last gate, “Cleared”, can be overridden")
        assert not keys


def test_an_override_excuses_all_that_is_missing_or_nothing() -> None:
    given = facts(members=tuple(replace(member, plan_read=False) for member in READY.members))
    keys, decision = policy.to_excuse(policy.judge(given))
    says(decision, "requirements for the NPM's own people")
    assert not keys


def test_nothing_is_overridden_where_nothing_is_missing() -> None:
    keys, decision = policy.to_excuse(policy.judge(READY))
    says(decision, "Nothing is missing that an override could excuse")
    assert not keys


def test_an_override_holds_for_what_it_named_and_for_nothing_that_came_later() -> None:
    given = with_pavo(plan_read=False)
    keys, _decision = policy.to_excuse(policy.judge(given))
    later = replace(
        given,
        members=(replace(PAVO, plan_read=False, credential_until=None), SAMIRA),
        overrides=(override(*keys),),
    )
    judged = policy.judge(later)
    assert [requirement.kind for requirement in judged.requirements] == [RequirementKind.CREDENTIAL]
    more, decision = policy.to_excuse(judged)
    assert decision
    assert more == all_shown(with_pavo(credential_until=None))


def test_a_credential_that_runs_out_and_none_at_all_are_overridden_apart() -> None:
    runs_out, gone = LAST_DAY - ONE_DAY, None
    for before, later, kind in (
        (runs_out, gone, RequirementKind.CREDENTIAL),
        (gone, runs_out, RequirementKind.CREDENTIAL_RUNS_OUT),
    ):
        excused = overridden(with_pavo(credential_until=before))
        member = replace(PAVO, credential_until=later)
        assert missing_kinds(replace(excused, members=(member, SAMIRA))) == [kind]


def test_a_credential_that_runs_out_on_another_day_is_overridden_again() -> None:
    shown_day = LAST_DAY - ONE_DAY
    excused = overridden(with_pavo(credential_until=shown_day))
    for until, kinds in (
        (shown_day, []),
        (shown_day - ONE_DAY, [RequirementKind.CREDENTIAL_RUNS_OUT]),
        (TODAY, [RequirementKind.CREDENTIAL_RUNS_OUT]),
        (LAST_DAY, []),
    ):
        members = (replace(PAVO, credential_until=until), SAMIRA)
        assert missing_kinds(replace(excused, members=members)) == kinds


def test_the_days_that_an_override_covers_are_shown() -> None:
    given = with_pavo(credential_until=LAST_DAY - ONE_DAY)
    (runs_out,) = gate("J3", given).missing
    assert "Pavo Linden: valid until 8 December 2026." in str(runs_out.note)
    (briefing,) = gate("J3", facts(briefing_on=TODAY + ONE_DAY)).missing
    assert str(briefing.note) == "The briefing is on 26 November 2026."
    (briefing,) = gate("J3", facts(briefing_on=None)).missing
    assert str(briefing.note) == ""


def test_a_briefing_that_is_put_off_or_was_about_another_place_is_overridden_again() -> None:
    ahead = TODAY + ONE_DAY
    excused = overridden(facts(members=(PAVO,), briefing_on=ahead))
    for later in ({"briefing_on": ahead + ONE_DAY}, {"briefed_elsewhere": True}):
        assert missing_kinds(replace(excused, **later)) == [RequirementKind.BRIEFING]


def test_whoever_missed_another_briefing_is_overridden_again() -> None:
    excused = overridden(with_pavo(missed_briefing=True))
    later = replace(excused, briefing_on=TODAY - ONE_DAY)
    assert missing_kinds(later) == [RequirementKind.MISSED_BRIEFING]


# Texts of a visit of the NPM alone: what was shown as missing, and what it may be later.
DRAFT, TEXT, AGENCY = Signing.INCOMPLETE, uuid4(), uuid4()


def unsigned_by(*parties: UUID, signing: Signing = Signing.SENT) -> ChecklistFact:
    unsigned = tuple(PartyFact(party, "A body of the NPM") for party in parties)
    return ChecklistFact(SIGNED.checklist_id, signing, unsigned=unsigned, text_id=TEXT)


@pytest.mark.parametrize(
    ("before", "later", "is_covered"),
    [
        (DRAFT, DRAFT, True),
        # Work on a draft is no other reason; what is wrong with a text that was in force is.
        (Signing.NOT_BEGUN, Signing.TO_SEND, True),
        (Signing.TO_SEND, Signing.HELD_UP, True),
        (Signing.HELD_UP, DRAFT, True),
        (Signing.AMENDED, Signing.AMENDED, True),
        (DRAFT, Signing.DISAGREES, False),
        (Signing.AMENDED, Signing.STOPPED, False),
        (Signing.AMENDED, unsigned_by(NPM), False),
        (DRAFT, unsigned_by(NPM), False),
        (unsigned_by(NPM), DRAFT, False),
        # One signature less, one more, or those under another text.
        (unsigned_by(NPM, AGENCY), unsigned_by(AGENCY), True),
        (unsigned_by(NPM), unsigned_by(NPM, AGENCY), False),
        (unsigned_by(NPM), unsigned_by(AGENCY), False),
        (unsigned_by(NPM), replace(unsigned_by(NPM), text_id=uuid4()), False),
        (unsigned_by(NPM), unsigned_by(NPM, signing=Signing.IN_FORCE), False),
    ],
)
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("roles", RequirementKind.ROLES),
        ("plan", RequirementKind.PLAN),
        ("standing_plan", RequirementKind.STANDING_PLAN),
    ],
)
def test_an_override_covers_what_a_text_lacked_and_nothing_else(
    text: str,
    kind: RequirementKind,
    before: Signing | ChecklistFact,
    later: Signing | ChecklistFact,
    *,
    is_covered: bool,
) -> None:
    alone = facts(members=(PAVO,), modes=frozenset({Mode.OMB_PLUS}))

    def with_text(given: Facts, state: Signing | ChecklistFact) -> Facts:
        fact = state if isinstance(state, ChecklistFact) else ChecklistFact(signing=state)
        more: dict[str, Any] = {text: fact}
        return replace(given, **more)

    excused = overridden(with_text(alone, before))
    assert missing_kinds(with_text(excused, later)) == ([] if is_covered else [kind])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("plan", RequirementKind.PLAN_ITEM),
        ("standing_plan", RequirementKind.STANDING_PLAN_ITEM),
    ],
)
def test_an_override_covers_why_an_item_of_a_plan_did_not_fit_and_nothing_else(
    text: str, kind: RequirementKind
) -> None:
    too_early, gone = ("return_on", "too early"), ("tells_person", "gone")
    alone = facts(members=(PAVO,), modes=frozenset({Mode.OMB_PLUS}))

    def with_reasons(given: Facts, *marks: tuple[str, ...], item: str = "U16") -> Facts:
        more: dict[str, Any] = {
            text: replace(SIGNED, lacking=(ItemFact(item, "Follow-up", "Why.", marks=marks),))
        }
        return replace(given, **more)

    excused = overridden(with_reasons(alone, too_early))
    assert missing_kinds(with_reasons(excused, too_early)) == []
    for other in ((gone,), (too_early, gone)):
        assert missing_kinds(with_reasons(excused, *other)) == [kind]
    assert missing_kinds(with_reasons(excused, too_early, item="U18")) == [kind]
    # Of several reasons, those that are left were shown.
    both = overridden(with_reasons(alone, too_early, gone))
    assert missing_kinds(with_reasons(both, gone)) == []


@pytest.mark.parametrize(
    ("requirement", "given", "parts"),
    [
        (
            MissingRequirement(RequirementKind.SAFETY_CONTACT),
            facts(),
            {("safety_contact", "", "", "", "")},
        ),
        (
            MissingRequirement(RequirementKind.BRIEFING),
            facts(briefing_on=None, moved_at=OVERRIDDEN_AT),
            {("briefing", "", "", "2026-11-25T09:00:00+00:00", "", "", "False")},
        ),
        (
            MissingRequirement(RequirementKind.CREDENTIAL_RUNS_OUT, PAVO),
            facts(),
            {("credential_runs_out", str(PAVO.user_id), "", "", "", "2027-06-30")},
        ),
        (
            MissingRequirement(RequirementKind.PLAN),
            facts(plan=ChecklistFact(signing=Signing.INCOMPLETE, in_force_at=OVERRIDDEN_AT)),
            {("plan", "", "", "", "2026-11-25T09:00:00+00:00", "draft")},
        ),
        (
            MissingRequirement(RequirementKind.ROLES),
            facts(roles=ChecklistFact(signing=Signing.STOPPED)),
            {("roles", "", "", "", "", "stopped", "")},
        ),
        (
            MissingRequirement(RequirementKind.STANDING_PLAN),
            facts(standing_plan=unsigned_by(NPM, AGENCY)),
            {
                ("standing_plan", "", "", "", "", "sent", str(TEXT), str(party_id))
                for party_id in (NPM, AGENCY)
            },
        ),
        (
            MissingRequirement(RequirementKind.PLAN_ITEM, item=ItemFact("U16", "", "")),
            facts(),
            {("plan_item", "", "U16", "", "")},
        ),
    ],
)
def test_what_an_override_covers_is_written_as_its_stored_digests_have_it(
    requirement: MissingRequirement, given: Facts, parts: set[Shown]
) -> None:
    """Written in any other way, no override that was given before would count."""
    assert shown(requirement, given) == parts


def test_an_override_for_one_person_excuses_no_other() -> None:
    ruth = replace(PAVO, user_id=uuid4(), name="Ruth Abara")
    excused = overridden(facts(members=(replace(PAVO, plan_read=False), ruth)))
    later = replace(excused, members=(PAVO, replace(ruth, plan_read=False)))
    assert missing_kinds(later) == [RequirementKind.PLAN_NOT_READ]


def test_no_override_excuses_somebody_of_the_npm_who_leaves_before_the_visit_ends() -> None:
    leaving = replace(PAVO, user_id=uuid4(), leaves_on=FIRST_DAY)
    given = facts(members=(PAVO,), named_in_plan=(leaving,))
    says(policy.to_excuse(policy.judge(given))[1], "An override only excuses")


def test_the_override_that_counts_is_given_for_each_reason() -> None:
    first = override(*all_shown(with_pavo(plan_read=False)))
    given = with_pavo(plan_read=False, credential_until=None)
    second = replace(
        override(*all_shown(with_pavo(credential_until=None))),
        name="Greta Lund",
        at=OVERRIDDEN_AT + A_MOMENT,
    )
    judged = policy.judge(replace(given, overrides=(second, first)))
    assert is_ready(judged)
    assert {str(waived.missing.text): waived.override for waived in judged.gates[2].waived} == {
        "The letter of access of Pavo Linden is not issued.": second,
        "Pavo Linden has yet to confirm the urgent-action plan.": first,
    }
    assert [gate.waived for gate in judged.gates[:2]] == [(), ()]
    # What somebody overrides again, though it is excused, counts from then on.
    again = replace(second, excused=first.excused)
    (waived,) = (
        policy.judge(replace(with_pavo(plan_read=False), overrides=(again, first))).gates[2].waived
    )
    assert waived.override is again


@pytest.mark.parametrize(("state", "expected"), J3_OF_PEOPLE)
def test_an_override_from_before_the_visit_moved_no_longer_counts(
    state: dict[str, Any], expected: RequirementKind
) -> None:
    excused = overridden(with_pavo(**state))
    moved = replace(excused, moved_at=OVERRIDDEN_AT + A_MOMENT)
    assert missing_kinds(moved) == [expected]
    # It can be overridden again.
    assert policy.to_excuse(policy.judge(moved))[1]


STALE = ItemFact("U16", "Follow-up", "This date must be after the visit.")


@pytest.mark.parametrize(
    ("text", "missing", "expected"),
    [
        ("roles", {"roles": UNSIGNED}, RequirementKind.ROLES),
        ("plan", {"plan": UNSIGNED}, RequirementKind.PLAN),
        ("plan", {"plan": replace(SIGNED, lacking=(STALE,))}, RequirementKind.PLAN_ITEM),
        (
            "plan",
            {"members": (replace(PAVO, plan_read=False),)},
            RequirementKind.PLAN_NOT_READ,
        ),
        ("standing_plan", {"standing_plan": UNSIGNED}, RequirementKind.STANDING_PLAN),
        (
            "standing_plan",
            {"standing_plan": replace(SIGNED, lacking=(STALE,))},
            RequirementKind.STANDING_PLAN_ITEM,
        ),
    ],
)
def test_what_is_overridden_about_a_text_counts_until_another_text_is_in_force(
    text: str, missing: dict[str, Any], expected: RequirementKind
) -> None:
    alone = replace(READY, members=(PAVO,), modes=frozenset({Mode.OMB_PLUS}))
    excused = overridden(replace(alone, **missing))
    for in_force_at, kinds in ((None, []), (OVERRIDDEN_AT + A_MOMENT, [expected])):
        later: dict[str, Any] = {text: replace(getattr(excused, text), in_force_at=in_force_at)}
        assert missing_kinds(replace(excused, **later)) == kinds


def test_a_new_text_ends_no_override_about_anything_else() -> None:
    later = replace(SIGNED, in_force_at=OVERRIDDEN_AT + A_MOMENT)
    excused = overridden(with_pavo(credential_until=None, missed_briefing=True))
    after = replace(excused, roles=later, plan=later, standing_plan=later)
    assert is_ready(policy.judge(after))


# The board


def cell(given: Facts, member: MemberFact, requirement: Requirement) -> CellCode:
    rows = policy.board(policy.judge(given))
    row = next(row for row in rows if row.member.user_id == member.user_id)
    return row.cells[requirement].code


def test_the_board_says_of_everybody_how_they_stand() -> None:
    row_of_pavo, row_of_samira = policy.board(policy.judge(READY))
    assert [cell.code for cell in row_of_pavo.cells.values()] == [
        CellCode.YES,
        CellCode.NOT_ASKED,
        CellCode.NOT_ASKED,
        CellCode.YES,
        CellCode.YES,
        CellCode.YES,
    ]
    assert [cell.code for cell in row_of_samira.cells.values()] == [
        CellCode.YES,
        CellCode.LIMITED,
        CellCode.CLEARED,
        CellCode.YES,
        CellCode.YES,
        CellCode.YES,
    ]
    assert row_of_samira.cells[Requirement.UNDERTAKING].until == LATER


@pytest.mark.parametrize(
    ("given", "requirement", "expected"),
    [
        (facts(briefing_on=None), Requirement.BRIEFING, CellCode.NO_BRIEFING),
        (facts(briefing_on=LATER), Requirement.BRIEFING, CellCode.BRIEFING_AHEAD),
        (facts(briefed_elsewhere=True), Requirement.BRIEFING, CellCode.BRIEFED_ELSEWHERE),
        (with_samira(briefed=False), Requirement.BRIEFING, CellCode.NOT_BRIEFED),
        (with_samira(missed_briefing=True), Requirement.BRIEFING, CellCode.BRIEFED_BEFORE),
        (with_samira(interests=None), Requirement.INTERESTS, CellCode.NOT_DECLARED),
        (with_samira(interests=Interests.NONE), Requirement.INTERESTS, CellCode.NONE_DECLARED),
        (with_samira(interests=Interests.WAITS), Requirement.INTERESTS, CellCode.NOT_DECIDED),
        (with_samira(interests=Interests.ACCEPT), Requirement.INTERESTS, CellCode.ACCEPTED),
        (with_samira(interests=Interests.REPLACE), Requirement.INTERESTS, CellCode.TO_REPLACE),
        (
            with_samira(cleared_until=None, signed=False),
            Requirement.UNDERTAKING,
            CellCode.NOT_SIGNED,
        ),
        (
            with_samira(cleared_until=None, countersigned=False),
            Requirement.UNDERTAKING,
            CellCode.TO_COUNTERSIGN,
        ),
        (with_samira(cleared_until=None), Requirement.UNDERTAKING, CellCode.NOT_COVERED),
        (with_samira(cleared_until=TODAY), Requirement.UNDERTAKING, CellCode.RUNS_OUT),
        (with_samira(has_role=False), Requirement.ROLE, CellCode.NO_ROLE),
        (with_samira(role_accepted=False), Requirement.ROLE, CellCode.ROLE_OPEN),
        (with_samira(credential_until=None), Requirement.CREDENTIAL, CellCode.NOT_ISSUED),
        (with_samira(credential_until=TODAY), Requirement.CREDENTIAL, CellCode.RUNS_OUT),
        (with_samira(credential_until=LAST_DAY), Requirement.CREDENTIAL, CellCode.YES),
        (with_samira(plan_read=False), Requirement.PLAN, CellCode.NOT_CONFIRMED),
        (
            replace(with_samira(plan_read=False), plan=UNSIGNED),
            Requirement.PLAN,
            CellCode.PLAN_NOT_SIGNED,
        ),
    ],
)
def test_a_cell_says_what_is_missing(
    given: Facts, requirement: Requirement, expected: CellCode
) -> None:
    assert cell(given, SAMIRA, requirement) is expected


@pytest.mark.parametrize(
    ("stage", "confidentiality", "is_closed"),
    [
        (Stage.SUSPENDED, Signing.IN_FORCE, True),
        (Stage.ACTIVE, Signing.STOPPED, True),
        (Stage.ACTIVE, Signing.IN_FORCE, False),
        (Stage.CLOSED, Signing.IN_FORCE, False),
    ],
)
def test_a_cell_says_what_terms_that_stopped_have_closed(
    stage: Stage, confidentiality: Signing, is_closed: bool
) -> None:
    """They close undertakings, and what was declared and confirmed in them; nothing else."""
    still = facts(cooperation_stage=stage, confidentiality=ChecklistFact(signing=confidentiality))
    without = replace(SAMIRA, interests=None, cleared_until=None, signed=False, briefed=False)
    given = replace(still, members=(without,))
    for requirement, otherwise in (
        (Requirement.INTERESTS, CellCode.NOT_DECLARED),
        (Requirement.UNDERTAKING, CellCode.NOT_SIGNED),
        (Requirement.BRIEFING, CellCode.NOT_BRIEFED),
    ):
        expected = CellCode.CLOSED if is_closed else otherwise
        assert cell(given, SAMIRA, requirement) is expected
    assert cell(still, SAMIRA, Requirement.INTERESTS) is CellCode.LIMITED
    assert cell(still, SAMIRA, Requirement.UNDERTAKING) is CellCode.CLEARED
    assert cell(still, SAMIRA, Requirement.BRIEFING) is CellCode.YES


def test_an_excused_requirement_is_labelled_so() -> None:
    given = facts(
        members=(replace(PAVO, plan_read=False, credential_until=None),), briefing_on=None
    )
    keys, _decision = policy.to_excuse(policy.judge(given))
    excused = replace(given, overrides=(override(*keys),))
    for requirement in (Requirement.BRIEFING, Requirement.CREDENTIAL, Requirement.PLAN):
        assert cell(excused, PAVO, requirement) is CellCode.EXCUSED


@pytest.mark.parametrize("until", [None, LAST_DAY - ONE_DAY])
def test_the_board_says_which_credentials_are_excused(until: dt.date | None) -> None:
    excused = overridden(with_pavo(credential_until=until))
    assert cell(excused, PAVO, Requirement.CREDENTIAL) is CellCode.EXCUSED


def test_a_briefing_that_somebody_missed_is_excused_for_them_alone() -> None:
    given = with_pavo(missed_briefing=True)
    keys, _decision = policy.to_excuse(policy.judge(given))
    excused = replace(given, overrides=(override(*keys),))
    assert cell(excused, PAVO, Requirement.BRIEFING) is CellCode.EXCUSED
    members = tuple(replace(member, missed_briefing=True) for member in given.members)
    both = replace(excused, members=members)
    assert cell(both, SAMIRA, Requirement.BRIEFING) is CellCode.BRIEFED_BEFORE


def test_every_cell_has_words_and_a_mark() -> None:
    assert CELLS.keys() == set(CellCode)
    known = {"todo", "half", "wait", "other", "done", "held", "off", "stop"}
    for words, mark in CELLS.values():
        assert str(words) % {"day": "9 March 2027"}
        assert mark in known


# Who may do what


def actor(
    *roles: Role,
    organisation_id: UUID | None = NPM,
    kind: OrganisationKind = OrganisationKind.NPM,
    outside_expert: bool = False,
) -> Actor:
    return Actor(
        user_id=uuid4(),
        name="Somebody",
        organisation_id=organisation_id,
        memberships=tuple(
            ActorMembership(role, organisation_id, "Somewhere", kind, outside_expert=outside_expert)
            for role in roles
        ),
    )


CSO_COORDINATOR = actor(Role.COORDINATOR, organisation_id=DOOR, kind=OrganisationKind.CSO)
CSO_MANAGER = actor(Role.MANAGER, organisation_id=DOOR, kind=OrganisationKind.CSO)
OTHER_NPM = actor(Role.COORDINATOR, Role.MANAGER, organisation_id=uuid4())
NPM_PLANS = "A joint visit is the NPM's visit, so only the NPM can plan it."


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.MANAGER])
def test_coordinators_and_managers_of_the_npm_plan(role: Role) -> None:
    assert policy.can_plan(actor(role), {NPM}, YES)


@pytest.mark.parametrize(
    "who",
    [
        actor(Role.MEMBER),
        actor(Role.SIGNATORY),
        actor(Role.AUDITOR),
        actor(Role.ADMINISTRATOR, organisation_id=None),
        CSO_COORDINATOR,
        CSO_MANAGER,
        OTHER_NPM,
    ],
)
def test_nobody_else_plans_a_visit(who: Actor) -> None:
    is_of_npm = who.organisation_id == NPM
    says(
        policy.can_plan(who, {NPM}, YES),
        "Only a coordinator or manager of the NPM can plan a joint visit"
        if is_of_npm
        else NPM_PLANS,
    )


def test_a_planner_is_told_why_a_visit_cannot_be_planned_now() -> None:
    decision = policy.can_plan(actor(Role.COORDINATOR), {NPM}, no("The review is overdue."))
    assert (bool(decision), decision.reason) == (False, "The review is overdue.")


def can_change(
    person: Actor,
    stage: VisitStage,
    cooperation_stage: Stage = Stage.ACTIVE,
    *,
    leads: bool = False,
) -> Decision:
    return policy.can_change(person, {NPM}, stage, cooperation_stage=cooperation_stage, leads=leads)


@pytest.mark.parametrize("stage", [VisitStage.PROPOSED, VisitStage.PLANNED, VisitStage.CLEARED])
def test_the_lead_and_the_planners_change_a_plan(stage: VisitStage) -> None:
    assert can_change(actor(Role.MEMBER), stage, leads=True)
    assert can_change(actor(Role.COORDINATOR), stage, leads=False)
    says(can_change(actor(Role.MEMBER), stage, leads=False), "Only the team lead")
    says(can_change(CSO_COORDINATOR, stage, leads=True), NPM_PLANS)
    says(can_change(OTHER_NPM, stage, leads=False), NPM_PLANS)


@pytest.mark.parametrize("stage", list(Stage))
def test_nobody_changes_a_plan_in_a_closed_cooperation(stage: Stage) -> None:
    words = "This cooperation is closed." if stage is Stage.CLOSED else ""
    says(can_change(actor(Role.COORDINATOR), VisitStage.CLEARED, stage), words)


@pytest.mark.parametrize("stage", list(Stage))
def test_a_visit_ends_with_its_cooperation_if_events_confirm_the_end(stage: Stage) -> None:
    is_closed = stage is Stage.CLOSED
    assert policy.ends_with_cooperation(facts(cooperation_stage=stage)) is is_closed
    unconfirmed = facts(cooperation_stage=stage, cooperation_agrees=False)
    assert not policy.ends_with_cooperation(unconfirmed)


@pytest.mark.parametrize("stage", [VisitStage.STOPPED, VisitStage.ON_SITE])
def test_a_visit_that_is_stopped_or_under_way_is_not_changed(stage: VisitStage) -> None:
    coordinator, manager = actor(Role.COORDINATOR), actor(Role.MANAGER)
    says(can_change(coordinator, stage, leads=True), "Its plan stays as it is")
    says(policy.can_override(manager, {NPM}, stage, is_over=False), "nothing to override")
    decision = policy.can_answer_as_member(is_member=True, stage=stage, is_over=False)
    says(decision, "Nothing is asked of you")


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (actor(Role.MANAGER), ""),
        (actor(Role.COORDINATOR), "Only a manager of the NPM can override a gate"),
        (actor(Role.SIGNATORY), "Only a manager of the NPM can override a gate"),
        (CSO_MANAGER, "A partner can't"),
        (OTHER_NPM, "A partner can't"),
    ],
)
def test_only_a_manager_of_the_npm_overrides(who: Actor, words: str) -> None:
    says(policy.can_override(who, {NPM}, VisitStage.CLEARED, is_over=False), words)


@pytest.mark.parametrize(
    ("is_member", "words"), [(True, ""), (False, "You aren't on the team of this visit")]
)
def test_each_answers_only_as_a_person_of_the_team(is_member: bool, words: str) -> None:
    stage = VisitStage.PLANNED
    says(policy.can_answer_as_member(is_member=is_member, stage=stage, is_over=False), words)


@pytest.mark.parametrize(
    ("who", "more", "words"),
    [
        (actor(Role.COORDINATOR), {}, ""),
        (actor(Role.MANAGER), {}, ""),
        (actor(Role.MEMBER), {"leads": True}, ""),
        (actor(Role.COORDINATOR), {"signs_in": True}, "has an account"),
        (actor(Role.MEMBER), {}, "Only the team lead, or a coordinator or manager of the NPM"),
        (actor(Role.SIGNATORY), {}, "Only the team lead, or a coordinator or manager of the NPM"),
        (CSO_COORDINATOR, {"leads": True}, NPM_PLANS),
        (OTHER_NPM, {}, NPM_PLANS),
        (actor(Role.COORDINATOR), {"stage": VisitStage.STOPPED}, "Nothing is asked of you"),
        (actor(Role.COORDINATOR), {"is_over": True}, "The days of this visit have passed."),
    ],
)
def test_the_lead_and_the_planners_record_for_people_without_an_account(
    who: Actor, more: dict[str, Any], words: str
) -> None:
    given: dict[str, Any] = {
        "stage": VisitStage.PLANNED,
        "leads": False,
        "is_over": False,
        "signs_in": False,
    }
    says(policy.can_record_for(who, {NPM}, **(given | more)), words)


@pytest.mark.parametrize(
    ("more", "is_listed", "words"),
    [
        ({}, True, ""),
        ({"needs_clearance": False, "cleared_until": None}, True, ""),
        ({"cleared_until": TODAY}, True, ""),
        ({}, False, "isn't on the visit list yet"),
        ({"takes_part": False}, True, "isn't on the visit list yet"),
        ({"is_joining": True}, True, "isn't on the visit list yet"),
        ({"cleared_until": None}, True, "isn't cleared yet"),
        ({"cleared_until": TODAY - ONE_DAY}, True, "isn't cleared yet"),
    ],
)
def test_nobody_hears_of_a_visit_before_they_are_listed_and_cleared(
    more: dict[str, Any], *, is_listed: bool, words: str
) -> None:
    says(policy.may_hear(replace(SAMIRA, **more), TODAY, is_listed=is_listed), words)


def test_what_others_record_has_a_line_for_each_person_and_waits_for_the_planners() -> None:
    by_themselves = [replace(PAVO, user_id=uuid4(), plan_read=False) for _ in range(2)]
    by_others = [replace(member, user_id=uuid4(), signs_in=False) for member in by_themselves]
    given = facts(members=(*by_themselves, *by_others))
    own, *others = gate("J3", given).missing
    assert (own.count, own.target, own.turn.planners) == (2, Target(PageKind.MY_PART), False)
    assert [line.target for line in others] == [
        Target(PageKind.PART_OF_ANOTHER, user_id=member.user_id) for member in by_others
    ]
    assert all(line.turn.planners and "never signs in" in str(line.note) for line in others)


def test_the_board_says_who_recorded_a_confirmation() -> None:
    recorded = Recorded("Ilena", dt.datetime(2026, 11, 25, tzinfo=dt.UTC), "By phone")
    given = with_samira(role_recorded=recorded, plan_recorded=recorded)
    cells = policy.board(policy.judge(given))[1].cells
    for requirement in (Requirement.ROLE, Requirement.PLAN):
        assert cells[requirement] == Cell(CellCode.YES, recorded=recorded)


def test_nothing_is_asked_nor_overridden_once_the_days_have_passed() -> None:
    passed = "The days of this visit have passed."
    manager, stage = actor(Role.MANAGER), VisitStage.CLEARED
    says(policy.can_override(manager, {NPM}, stage, is_over=True), passed)
    says(policy.can_answer_as_member(is_member=True, stage=stage, is_over=True), passed)


def test_the_read_log_is_for_managers_of_the_npm() -> None:
    says(policy.can_see_reads(actor(Role.MANAGER), {NPM}), "")
    for who in (actor(Role.COORDINATOR), CSO_MANAGER, OTHER_NPM):
        says(policy.can_see_reads(who, {NPM}), "Only managers of the NPM can see who read what")


# Who opens their own part with a mailed code


@pytest.mark.parametrize(
    ("who", "is_member", "has_mailed_codes", "reason"),
    [
        (actor(Role.MEMBER), False, True, "on the team"),
        (replace(actor(Role.MEMBER), has_second_factor=True), True, True, "Sign in with it"),
        (actor(Role.MEMBER), True, False, "doesn't let"),
        (CSO_COORDINATOR, True, True, "Your role needs more"),
        (actor(Role.MEMBER, Role.MANAGER), True, True, "Your role needs more"),
    ],
)
def test_a_mailed_code_opens_nothing_for_people_who_must_prove_more(
    who: Actor, is_member: bool, has_mailed_codes: bool, reason: str
) -> None:
    decision = policy.can_open_own_part(who, is_member=is_member, has_mailed_codes=has_mailed_codes)
    assert not decision
    assert reason in str(decision.reason)


def test_a_mailed_code_opens_a_members_own_part() -> None:
    assert policy.can_open_own_part(actor(Role.MEMBER), is_member=True, has_mailed_codes=True)


# How much of a visit a person sees


@pytest.mark.parametrize(
    ("who", "is_open", "is_listed", "expected"),
    [
        (actor(Role.MEMBER), True, True, Outline.OPEN),
        (actor(Role.AUDITOR), False, False, Outline.STATE),
        (actor(Role.AUDITOR), False, True, Outline.STATE),
        (actor(Role.ADMINISTRATOR), False, False, Outline.STATE),
        (actor(Role.AUDITOR, Role.ADMINISTRATOR), False, False, Outline.STATE),
        (actor(Role.AUDITOR, Role.MANAGER), False, False, Outline.NOT_LISTED),
        (CSO_COORDINATOR, False, True, Outline.NOT_CLEARED),
        (CSO_COORDINATOR, False, False, Outline.NOT_LISTED),
        (CSO_MANAGER, False, False, Outline.NOT_LISTED),
        (actor(Role.MANAGER), False, False, Outline.NOT_LISTED),
        (actor(Role.SIGNATORY), False, False, Outline.NOT_LISTED),
        (actor(Role.MEMBER), False, False, Outline.NOTHING),
        (actor(Role.MEMBER), False, True, Outline.NOT_CLEARED),
    ],
)
def test_a_person_sees_only_their_own_part(
    who: Actor, is_open: bool, is_listed: bool, expected: Outline
) -> None:
    assert policy.outline(who, is_open=is_open, is_listed=is_listed) is expected
