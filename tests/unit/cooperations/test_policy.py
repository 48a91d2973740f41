"""Who may open, change and add people to a cooperation, as tables of cases."""

import datetime as dt
from uuid import UUID

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.access.decision import Decision
from tracker.cooperations import policy
from tracker.cooperations.agreed_ways import AgreedWays, TermsState
from tracker.cooperations.models import Mode, Stage
from tracker.cooperations.policy import CooperationFact, PartyFact
from tracker.cooperations.selection import policy as selection

NPM, CSO, OTHER = OrganisationKind.NPM, OrganisationKind.CSO, OrganisationKind.OTHER
NPM_ID, CSO_ID, ELSE_ID = UUID(int=1), UUID(int=2), UUID(int=3)
RUNNING = CooperationFact(Stage.DRAFT, (PartyFact(NPM_ID, NPM), PartyFact(CSO_ID, CSO)))
CLOSED = CooperationFact(Stage.CLOSED, RUNNING.parties)
IN_FORCE = CooperationFact(Stage.ACTIVE, RUNNING.parties, terms_in_force=True)


def person(organisation_id: UUID, kind: OrganisationKind, *roles: Role) -> Actor:
    memberships = tuple(ActorMembership(role, organisation_id, "Body", kind) for role in roles)
    return Actor(UUID(int=9), "Somebody", memberships=memberships, organisation_id=organisation_id)


COORDINATOR = person(NPM_ID, NPM, Role.COORDINATOR)
PARTNER = person(CSO_ID, CSO, Role.COORDINATOR)
OTHERS = [person(NPM_ID, NPM, role) for role in Role if role is not Role.COORDINATOR]


def test_a_coordinator_of_an_npm_opens_and_nobody_else() -> None:
    assert policy.can_open(COORDINATOR)
    for actor in (PARTNER, *OTHERS):
        decision = policy.can_open(actor)
        assert not decision
        assert str(decision.reason)


@pytest.mark.parametrize(
    ("actor", "cooperation", "allowed"),
    [
        (COORDINATOR, RUNNING, True),
        (COORDINATOR, IN_FORCE, True),
        (COORDINATOR, CLOSED, False),
        (PARTNER, RUNNING, False),
        (person(ELSE_ID, NPM, Role.COORDINATOR), RUNNING, False),
        *((actor, RUNNING, False) for actor in OTHERS),
    ],
)
def test_the_head_is_changed_by_a_coordinator_of_its_npm(
    actor: Actor, cooperation: CooperationFact, allowed: bool
) -> None:
    assert bool(policy.can_change(actor, cooperation)) is allowed


@pytest.mark.parametrize(
    ("actor", "cooperation", "is_sent", "allowed"),
    [
        (COORDINATOR, RUNNING, False, True),
        (COORDINATOR, RUNNING, True, False),
        (COORDINATOR, IN_FORCE, False, False),
        (PARTNER, RUNNING, False, False),
    ],
)
def test_dates_are_changed_until_the_terms_that_give_them_are_sent(
    actor: Actor, cooperation: CooperationFact, is_sent: bool, allowed: bool
) -> None:
    decision = policy.can_change_dates(actor, cooperation, terms_are_sent=is_sent)
    assert bool(decision) is allowed


SIGNED = AgreedWays(frozenset({Mode.PROJ, Mode.ADV}))
# What the terms say, what is chosen where only PROJ was, and what the reason names.
WAYS_CHOSEN = [
    (TermsState(), {Mode.VISIT}, ""),
    (TermsState(SIGNED), {Mode.VISIT}, ""),
    (TermsState(SIGNED, is_drafted=False), {Mode.PROJ, Mode.ADV}, ""),
    (TermsState(SIGNED, is_drafted=False), set[Mode](), ""),
    (TermsState(SIGNED, is_drafted=False), {Mode.PROJ, Mode.VISIT}, "amendment of the terms"),
    (TermsState(SIGNED, is_drafted=False, is_sent=True), {Mode.VISIT}, "sent for signature"),
    (TermsState(is_drafted=False, is_sent=True), {Mode.VISIT}, "sent for signature"),
    (TermsState(is_drafted=False, is_sent=True), {Mode.PROJ}, ""),
]


@pytest.mark.parametrize(("terms", "chosen", "reason"), WAYS_CHOSEN)
def test_what_all_parties_signed_is_not_widened_by_one_side(
    terms: TermsState, chosen: set[Mode], reason: str
) -> None:
    decision = policy.can_set_modes(COORDINATOR, RUNNING, chosen, {Mode.PROJ}, terms)
    assert bool(decision) is not bool(reason)
    assert reason in str(decision.reason)
    assert not policy.can_set_modes(PARTNER, RUNNING, chosen, {Mode.PROJ}, terms)


@pytest.mark.parametrize(
    ("actor", "cooperation", "organisation_id", "allowed"),
    [
        (COORDINATOR, RUNNING, NPM_ID, True),
        (PARTNER, RUNNING, CSO_ID, True),
        (PARTNER, IN_FORCE, CSO_ID, True),
        (PARTNER, CLOSED, CSO_ID, False),
        (PARTNER, RUNNING, NPM_ID, False),
        (COORDINATOR, RUNNING, CSO_ID, False),
        (person(ELSE_ID, CSO, Role.COORDINATOR), RUNNING, ELSE_ID, False),
        (person(CSO_ID, CSO, Role.MANAGER), RUNNING, CSO_ID, False),
        (person(CSO_ID, CSO, Role.MEMBER), RUNNING, CSO_ID, False),
    ],
)
def test_people_are_changed_by_a_coordinator_of_their_own_party(
    actor: Actor, cooperation: CooperationFact, organisation_id: UUID, allowed: bool
) -> None:
    assert bool(policy.can_change_people(actor, cooperation, organisation_id)) is allowed


@pytest.mark.parametrize(
    ("cooperation", "organisation_id", "kind", "allowed"),
    [
        (RUNNING, ELSE_ID, CSO, True),
        (RUNNING, ELSE_ID, NPM, True),
        (RUNNING, ELSE_ID, OTHER, False),
        (RUNNING, CSO_ID, CSO, False),
        (IN_FORCE, ELSE_ID, CSO, False),
    ],
)
def test_who_can_become_a_party(
    cooperation: CooperationFact, organisation_id: UUID, kind: OrganisationKind, allowed: bool
) -> None:
    assert bool(policy.can_join(cooperation, organisation_id, kind)) is allowed


@pytest.mark.parametrize(
    ("parties", "allowed"),
    [
        ([PartyFact(CSO_ID, CSO)], True),
        ([PartyFact(CSO_ID, CSO), PartyFact(ELSE_ID, NPM)], True),
        ([PartyFact(ELSE_ID, NPM)], False),
        ([PartyFact(CSO_ID, CSO), PartyFact(NPM_ID, NPM)], False),
        ([PartyFact(CSO_ID, CSO), PartyFact(ELSE_ID, OTHER)], False),
        ([], False),
    ],
)
def test_which_organisations_fit_together(parties: list[PartyFact], allowed: bool) -> None:
    assert bool(policy.fit_together(NPM_ID, parties)) is allowed


FIRST, SECOND, THIRD = dt.date(2027, 1, 1), dt.date(2027, 6, 1), dt.date(2027, 12, 1)


@pytest.mark.parametrize(
    ("starts_on", "review_on", "ends_on", "field"),
    [
        (None, None, None, None),
        (FIRST, SECOND, THIRD, None),
        (FIRST, THIRD, THIRD, None),
        (FIRST, None, FIRST, "ends_on"),
        (SECOND, None, FIRST, "ends_on"),
        (FIRST, FIRST, THIRD, "review_on"),
        (SECOND, FIRST, None, "review_on"),
        (None, THIRD, SECOND, "review_on"),
    ],
)
def test_the_order_of_dates(
    starts_on: dt.date | None,
    review_on: dt.date | None,
    ends_on: dt.date | None,
    field: str | None,
) -> None:
    problem = policy.dates_problem(starts_on, review_on, ends_on)
    assert (problem[0] if problem else None) == field


@pytest.mark.parametrize(
    ("reviewed_for", "signed", "is_agreed"),
    [
        (None, None, False),
        (None, FIRST, False),
        (FIRST, FIRST, True),
        (FIRST, SECOND, False),
        (FIRST, None, True),
    ],
)
def test_a_record_names_the_next_review_until_all_sign_another_day(
    reviewed_for: dt.date | None, signed: dt.date | None, *, is_agreed: bool
) -> None:
    assert policy.is_review_agreed(reviewed_for, signed) is is_agreed


# Leaving alone ------------------------------------------------------------------------------------

FOURTH_ID = UUID(int=4)
THREE = CooperationFact(
    Stage.ACTIVE,
    (PartyFact(NPM_ID, NPM), PartyFact(CSO_ID, CSO), PartyFact(ELSE_ID, CSO)),
    terms_in_force=True,
)
ONE_LEAVES = CooperationFact(
    Stage.ACTIVE,
    (PartyFact(NPM_ID, NPM), PartyFact(CSO_ID, CSO), PartyFact(ELSE_ID, CSO, is_leaving=True)),
)
TWO_NPMS = CooperationFact(Stage.ACTIVE, (*RUNNING.parties, PartyFact(FOURTH_ID, NPM)))
SIGNER = person(CSO_ID, CSO, Role.SIGNATORY)
LEAVER = person(ELSE_ID, CSO, Role.SIGNATORY)


@pytest.mark.parametrize(
    ("actor", "cooperation", "words"),
    [
        (SIGNER, THREE, ""),
        (SIGNER, CooperationFact(Stage.SUSPENDED, THREE.parties), ""),
        (SIGNER, CooperationFact(Stage.DRAFT, THREE.parties), ""),
        (person(NPM_ID, NPM, Role.SIGNATORY), TWO_NPMS, ""),
        (person(NPM_ID, NPM, Role.SIGNATORY), THREE, "needs an NPM"),
        (SIGNER, IN_FORCE, "needs an NPM and a civil society"),
        (SIGNER, ONE_LEAVES, "needs an NPM and a civil society"),
        (LEAVER, ONE_LEAVES, "already given this notice"),
        (SIGNER, CooperationFact(Stage.CLOSED, THREE.parties), "is closed"),
        (person(FOURTH_ID, CSO, Role.SIGNATORY), THREE, "isn't a party"),
        *(
            (person(CSO_ID, CSO, role), THREE, "Only a signatory can give")
            for role in Role
            if role is not Role.SIGNATORY
        ),
    ],
)
def test_a_signatory_lets_their_party_leave_while_an_npm_and_a_cso_stay(
    actor: Actor, cooperation: CooperationFact, words: str
) -> None:
    decision = policy.can_leave(actor, cooperation)
    assert bool(decision) is not bool(words)
    assert words in str(decision.reason or "")


@pytest.mark.parametrize(
    ("actor", "cooperation", "allowed"),
    [
        (LEAVER, ONE_LEAVES, True),
        (LEAVER, THREE, False),
        (SIGNER, ONE_LEAVES, False),
        (person(ELSE_ID, CSO, Role.COORDINATOR), ONE_LEAVES, False),
        (person(ELSE_ID, CSO, Role.SIGNATORY), IN_FORCE, False),
    ],
)
def test_the_party_that_leaves_takes_its_notice_back(
    actor: Actor, cooperation: CooperationFact, allowed: bool
) -> None:
    assert bool(policy.can_stay(actor, cooperation)) is allowed


# Joining what is in force -------------------------------------------------------------------------

JOINING = CooperationFact(
    Stage.ACTIVE,
    (PartyFact(NPM_ID, NPM), PartyFact(CSO_ID, CSO), PartyFact(ELSE_ID, CSO, is_joining=True)),
    terms_in_force=True,
)
ADDER = person(NPM_ID, NPM, Role.COORDINATOR)


def says(decision: Decision, words: str) -> None:
    """Compare a decision with its reason, empty if it is allowed."""
    assert bool(decision) is not bool(words)
    assert words in str(decision.reason or "")


@pytest.mark.parametrize(
    ("actor", "stage", "adding", "taking_back"),
    [
        (ADDER, Stage.ACTIVE, "", ""),
        (ADDER, Stage.DRAFT, "", ""),
        (ADDER, Stage.SUSPENDED, "suspended", ""),
        (ADDER, Stage.CLOSED, "is closed", "is closed"),
        (person(CSO_ID, CSO, Role.COORDINATOR), Stage.ACTIVE, "cooperation's NPM", "the coop"),
        (person(ELSE_ID, CSO, Role.COORDINATOR), Stage.ACTIVE, "cooperation's NPM", "the coop"),
        (person(FOURTH_ID, NPM, Role.COORDINATOR), Stage.ACTIVE, "cooperation's NPM", "the coop"),
        *(
            (person(NPM_ID, NPM, role), Stage.ACTIVE, "Only a coordinator", "Only a coordinator")
            for role in Role
            if role is not Role.COORDINATOR
        ),
    ],
)
def test_a_coordinator_of_the_npm_adds_a_party_and_takes_it_back(
    actor: Actor, stage: Stage, adding: str, taking_back: str
) -> None:
    cooperation = CooperationFact(stage, JOINING.parties, terms_in_force=True)
    says(policy.can_add_party(actor, cooperation), adding)
    says(policy.can_take_joining_back(actor, cooperation, ELSE_ID), taking_back)


@pytest.mark.parametrize("organisation_id", [CSO_ID, FOURTH_ID])
def test_only_a_party_that_is_joining_is_taken_back(organisation_id: UUID) -> None:
    says(policy.can_take_joining_back(ADDER, JOINING, organisation_id), "isn't joining")


@pytest.mark.parametrize(
    ("organisation_id", "kind", "words"),
    [
        (FOURTH_ID, CSO, ""),
        (FOURTH_ID, NPM, ""),
        (FOURTH_ID, OrganisationKind.OTHER, "Only an NPM or a civil society"),
        (CSO_ID, CSO, "already a party"),
        (ELSE_ID, CSO, "already a party"),
    ],
)
def test_a_body_of_the_npm_or_a_cso_that_is_no_party_can_be_invited(
    organisation_id: UUID, kind: OrganisationKind, words: str
) -> None:
    says(policy.can_be_invited(JOINING, organisation_id, kind), words)


@pytest.mark.parametrize("is_joining", [True, False])
def test_a_body_of_the_npm_decides_once_it_has_joined(is_joining: bool) -> None:
    cooperation = CooperationFact(
        Stage.ACTIVE, (*JOINING.parties, PartyFact(FOURTH_ID, NPM, is_joining=is_joining))
    )
    body = person(FOURTH_ID, NPM, Role.COORDINATOR)
    decisions = (
        policy.can_change(body, cooperation),
        policy.can_change_verification(body, cooperation),
        policy.can_add_party(body, cooperation),
        policy.can_take_joining_back(body, cooperation, ELSE_ID),
        selection.can_record(body, cooperation, is_asked_to_sign=False),
    )
    assert [bool(decision) for decision in decisions] == [not is_joining] * 5
    assert selection.readable(body, cooperation) == (() if is_joining else (CSO_ID, ELSE_ID))


def test_a_joining_party_cannot_leave_and_does_not_count_as_remaining() -> None:
    says(policy.can_leave(LEAVER, JOINING), "nothing to leave")
    says(policy.can_leave(SIGNER, JOINING), "needs an NPM and a civil society")
    says(policy.can_add_body(person(ELSE_ID, CSO, Role.COORDINATOR), JOINING), "hasn't joined yet")
