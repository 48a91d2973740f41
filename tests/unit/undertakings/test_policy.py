"""Who may do what with an undertaking: a table of cases, and each reason.

In one file: the cases are of one policy, with the same people and states.
"""

import datetime as dt
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.access.decision import Decision
from tracker.cooperations.models import Stage
from tracker.undertakings import policy
from tracker.undertakings.facts import UndertakingStatus
from tracker.undertakings.models import InterestsDecision, UndertakingState

NPM, OTHER_NPM, CSO = uuid4(), uuid4(), uuid4()
LEYLA = uuid4()
TODAY = dt.date(2027, 3, 1)

ASKED, SIGNED = UndertakingState.ASKED, UndertakingState.SIGNED
COUNTERSIGNED, CLOSED = UndertakingState.COUNTERSIGNED, UndertakingState.CLOSED


def person(
    *roles: Role,
    of: UUID = NPM,
    kind: OrganisationKind = OrganisationKind.NPM,
    user_id: UUID | None = None,
    **more: bool,
) -> Actor:
    memberships = tuple(
        ActorMembership(
            role,
            of,
            "An organisation",
            kind,
            outside_expert=more.get("expert", False),
            power="An Act",
        )
        for role in roles
    )
    return Actor(user_id or uuid4(), "Somebody", memberships=memberships, organisation_id=of)


def of_cso(*roles: Role, user_id: UUID | None = None) -> Actor:
    return person(*roles, of=CSO, kind=OrganisationKind.CSO, user_id=user_id)


SIGNATORY = person(Role.SIGNATORY)
MANAGER = person(Role.MANAGER)
COORDINATOR = person(Role.COORDINATOR)
OWNER = of_cso(Role.MEMBER, user_id=LEYLA)
NOT_DECIDERS = {
    "the person": OWNER,
    "a coordinator of the NPM": COORDINATOR,
    "a member of the NPM": person(Role.MEMBER),
    "an auditor of the NPM": person(Role.AUDITOR),
    "a signatory of another NPM": person(Role.SIGNATORY, of=OTHER_NPM),
    "a manager of another NPM": person(Role.MANAGER, of=OTHER_NPM),
    "a signatory of a CSO": of_cso(Role.SIGNATORY),
    "a manager of the person's CSO": of_cso(Role.MANAGER),
    "an outside expert with a signatory's role": person(Role.SIGNATORY, expert=True),
    "an administrator": Actor(uuid4(), "Root", memberships=(ActorMembership(Role.ADMINISTRATOR),)),
}
DAY = dt.timedelta(days=1)


def by_power(first: dt.date | None, last: dt.date | None, *others: Role) -> Actor:
    """Return a signatory of the NPM with a power of certain days, and with other roles."""
    (signs,) = SIGNATORY.memberships
    memberships = (
        replace(signs, power_from=first, power_until=last),
        *person(*others).memberships,
    )
    return Actor(uuid4(), "Somebody", memberships=memberships, organisation_id=NPM)


DECIDERS = {
    "a signatory": SIGNATORY,
    "a manager": MANAGER,
    "a signatory on the only day of the power": by_power(TODAY, TODAY),
    "a manager whose power to sign has run out": by_power(None, TODAY - DAY, Role.MANAGER),
}
NOT_NOW = {
    "Your power to sign has run out.": by_power(None, TODAY - DAY, Role.COORDINATOR),
    "Your power to sign has not begun yet.": by_power(TODAY + DAY, None),
}


def standing(**changed: object) -> UndertakingStatus:
    return replace(
        UndertakingStatus(
            user_id=LEYLA,
            organisation_id=CSO,
            state=ASKED,
            is_current=True,
            until=TODAY,
            npm_ids=frozenset({NPM}),
            has_interests=None,
        ),
        **changed,  # type: ignore[arg-type] # names of its fields
    )


def refused(decision: Decision) -> str:
    assert not decision
    return str(decision.reason)


# What the agreed terms allow

STOPPED_TERMS = {
    "The agreed terms are suspended": {"stage": Stage.SUSPENDED},
    "This cooperation is closed": {"stage": Stage.CLOSED},
    "The last day of the agreed terms has passed": {"agreed_terms_have_run_out": True},
    "A notice has suspended or ended the terms": {"is_stopped_by_notice": True},
}


@pytest.mark.parametrize(("reason", "stopped"), STOPPED_TERMS.items())
def test_stopped_agreed_terms_cover_nobody(reason: str, stopped: dict[str, object]) -> None:
    assert reason in refused(policy.is_covered(standing(**stopped), TODAY))
    assert reason in refused(policy.can_fill_in(OWNER, standing(**stopped), TODAY))
    closed = standing(state=CLOSED, **stopped)
    assert reason in refused(policy.can_ask_again(COORDINATOR, closed, TODAY))
    signed = standing(state=SIGNED, has_interests=False, **stopped)
    assert reason in refused(policy.can_countersign(SIGNATORY, signed, TODAY))


# Filling in and signing


def test_the_person_alone_fills_in_and_signs() -> None:
    assert policy.can_fill_in(OWNER, standing(), TODAY)


@pytest.mark.parametrize("who", [SIGNATORY, MANAGER, COORDINATOR, of_cso(Role.SIGNATORY)])
def test_nobody_signs_for_another(who: Actor) -> None:
    assert "You can't sign for somebody else" in refused(policy.can_fill_in(who, standing(), TODAY))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"state": SIGNED}, "already signed this undertaking"),
        ({"state": COUNTERSIGNED}, "already signed this undertaking"),
        ({"state": CLOSED}, "has been closed"),
        ({"is_current": False}, "New terms are in force"),
        ({"until": TODAY - dt.timedelta(days=1)}, "has passed"),
        ({"is_joining": True}, "has to sign the terms before its people"),
        ({"has_role": False}, "You no longer have a role"),
    ],
)
def test_signing_has_its_moment(changed: dict[str, object], reason: str) -> None:
    assert reason in refused(policy.can_fill_in(OWNER, standing(**changed), TODAY))


BY_MAIL = standing(mailed_codes=True)


@pytest.mark.parametrize(
    ("who", "undertaking", "reason"),
    [
        (OWNER, standing(), "doesn't let people"),
        (replace(OWNER, has_second_factor=True), BY_MAIL, "You have a second factor."),
        (of_cso(Role.MEMBER, Role.COORDINATOR), BY_MAIL, "more than a code by email"),
        (of_cso(Role.SIGNATORY), BY_MAIL, "more than a code by email"),
        (person(Role.MEMBER, Role.MANAGER), BY_MAIL, "more than a code by email"),
        (
            replace(
                OWNER,
                memberships=(*OWNER.memberships, ActorMembership(Role.SIGNATORY, OTHER_NPM)),
            ),
            BY_MAIL,
            "more than a code by email",
        ),
    ],
)
def test_a_code_by_mail_has_its_limits(
    who: Actor, undertaking: UndertakingStatus, reason: str
) -> None:
    assert reason in refused(policy.can_sign_by_mailed_code(who, undertaking))


def test_a_member_without_a_second_factor_signs_with_a_code_by_mail_where_it_is_allowed() -> None:
    assert policy.can_sign_by_mailed_code(OWNER, BY_MAIL)
    assert policy.can_sign_by_mailed_code(person(Role.MEMBER, expert=True), BY_MAIL)


@pytest.mark.parametrize("reason", NOT_NOW)
def test_a_signatory_decides_only_while_the_power_is_current(reason: str) -> None:
    """Product.md, section 2."""
    actor = NOT_NOW[reason]
    signed = standing(state=SIGNED, has_interests=True)
    added = standing(state=COUNTERSIGNED)
    for decision in (
        policy.can_see(actor, signed, TODAY),
        policy.can_allow_mailed_codes(actor, frozenset({NPM}), TODAY),
        policy.can_decide(actor, signed, TODAY),
        policy.can_decide_added(actor, added, TODAY),
        policy.can_countersign(actor, standing(state=SIGNED), TODAY),
        policy.can_withdraw_clearance(actor, added, TODAY),
    ):
        assert refused(decision) == reason


@pytest.mark.parametrize("who", DECIDERS)
def test_who_decides_for_the_npm_allows_codes_by_mail(who: str) -> None:
    assert policy.can_allow_mailed_codes(DECIDERS[who], frozenset({NPM}), TODAY)


@pytest.mark.parametrize("who", NOT_DECIDERS)
def test_nobody_else_allows_codes_by_mail(who: str) -> None:
    decision = policy.can_allow_mailed_codes(NOT_DECIDERS[who], frozenset({NPM}), TODAY)
    assert "can decide on codes by email" in refused(decision)


def test_whomever_they_act_for_a_person_signs_their_own() -> None:
    elsewhere = replace(
        OWNER,
        memberships=(*OWNER.memberships, *person(Role.MEMBER).memberships),
        organisation_id=NPM,
    )
    assert policy.can_fill_in(elsewhere, standing(), TODAY)


# Seeing what was declared


@pytest.mark.parametrize("who", DECIDERS)
def test_those_who_decide_see_what_was_declared(who: str) -> None:
    assert policy.can_see(DECIDERS[who], standing(state=SIGNED), TODAY)


def test_the_person_sees_the_own() -> None:
    assert policy.can_see(OWNER, standing(state=SIGNED), TODAY)


@pytest.mark.parametrize("who", [name for name in NOT_DECIDERS if name != "the person"])
def test_nobody_else_sees_what_was_declared(who: str) -> None:
    assert not policy.can_see(NOT_DECIDERS[who], standing(state=SIGNED), TODAY)


# Deciding


@pytest.mark.parametrize("who", DECIDERS)
def test_the_npm_decides_on_what_was_declared(who: str) -> None:
    assert policy.can_decide(DECIDERS[who], standing(state=SIGNED, has_interests=True), TODAY)


@pytest.mark.parametrize("who", NOT_DECIDERS)
def test_nobody_else_decides(who: str) -> None:
    decision = policy.can_decide(
        NOT_DECIDERS[who], standing(state=SIGNED, has_interests=True), TODAY
    )
    assert "signatory or manager" in refused(decision)


@pytest.mark.parametrize("state", [ASKED, COUNTERSIGNED, CLOSED])
def test_what_does_not_wait_is_not_decided(state: UndertakingState) -> None:
    decision = policy.can_decide(SIGNATORY, standing(state=state, has_interests=True), TODAY)
    assert "nothing to decide" in refused(decision)


def test_nothing_declared_needs_no_decision() -> None:
    decision = policy.can_decide(SIGNATORY, standing(state=SIGNED, has_interests=False), TODAY)
    assert "declared no interests" in refused(decision)


def test_nobody_decides_on_their_own_interests() -> None:
    own = replace(SIGNATORY, user_id=LEYLA)
    decision = policy.can_decide(own, standing(state=SIGNED, has_interests=True), TODAY)
    assert "your own interests" in refused(decision)


# Countersigning


@pytest.mark.parametrize("who", DECIDERS)
@pytest.mark.parametrize(
    "changed",
    [
        {"has_interests": False},
        {"has_interests": True, "decision": InterestsDecision.ACCEPT},
        {"has_interests": True, "decision": InterestsDecision.LIMIT},
    ],
)
def test_the_npm_countersigns_only_after_deciding(who: str, changed: dict[str, object]) -> None:
    undertaking = standing(state=SIGNED, **changed)
    assert policy.can_countersign(DECIDERS[who], undertaking, TODAY)


@pytest.mark.parametrize("who", NOT_DECIDERS)
def test_nobody_else_countersigns(who: str) -> None:
    undertaking = standing(state=SIGNED, has_interests=False)
    assert not policy.can_countersign(NOT_DECIDERS[who], undertaking, TODAY)


def test_nobody_countersigns_their_own() -> None:
    own = replace(SIGNATORY, user_id=LEYLA)
    undertaking = standing(state=SIGNED, has_interests=False)
    assert "your own" in refused(policy.can_countersign(own, undertaking, TODAY))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"state": ASKED}, "has not signed yet"),
        ({"state": COUNTERSIGNED}, "already been countersigned"),
        ({"state": CLOSED}, "was closed"),
        ({"is_current": False}, "New terms"),
        ({"until": TODAY - dt.timedelta(days=1)}, "has passed"),
        ({"is_joining": True}, "has to sign the terms before its people"),
        ({"has_role": False}, "account is suspended, or they no longer have a role"),
        ({"has_interests": True}, "Decide on the interests first"),
        (
            {"has_interests": True, "decision": InterestsDecision.REPLACE},
            "ask for somebody else",
        ),
    ],
)
def test_countersigning_has_its_moment(changed: dict[str, object], reason: str) -> None:
    undertaking = standing(**{"state": SIGNED, "has_interests": False, **changed})
    assert reason in refused(policy.can_countersign(SIGNATORY, undertaking, TODAY))


# Withdrawing


@pytest.mark.parametrize("state", [SIGNED, COUNTERSIGNED])
def test_the_person_withdraws_at_any_time(state: UndertakingState) -> None:
    assert policy.can_withdraw(OWNER, standing(state=state))
    assert policy.can_withdraw(OWNER, standing(state=state, is_current=False))


@pytest.mark.parametrize("who", [SIGNATORY, MANAGER, COORDINATOR, of_cso(Role.COORDINATOR)])
def test_nobody_withdraws_for_the_person(who: Actor) -> None:
    assert not policy.can_withdraw(who, standing(state=COUNTERSIGNED))


@pytest.mark.parametrize(("state", "reason"), [(ASKED, "nothing to withdraw"), (CLOSED, "already")])
def test_an_unsigned_undertaking_is_not_withdrawn(state: UndertakingState, reason: str) -> None:
    assert reason in refused(policy.can_withdraw(OWNER, standing(state=state)))
    assert reason in refused(policy.can_withdraw_clearance(SIGNATORY, standing(state=state), TODAY))


@pytest.mark.parametrize("state", [SIGNED, COUNTERSIGNED])
@pytest.mark.parametrize("who", DECIDERS)
def test_the_npm_withdraws_a_clearance(who: str, state: UndertakingState) -> None:
    assert policy.can_withdraw_clearance(DECIDERS[who], standing(state=state), TODAY)


@pytest.mark.parametrize("who", NOT_DECIDERS)
def test_nobody_else_withdraws_a_clearance(who: str) -> None:
    undertaking = standing(state=COUNTERSIGNED)
    assert not policy.can_withdraw_clearance(NOT_DECIDERS[who], undertaking, TODAY)


# Asking again


@pytest.mark.parametrize("who", [SIGNATORY, MANAGER, COORDINATOR])
def test_the_npm_asks_again(who: Actor) -> None:
    assert policy.can_ask_again(who, standing(state=CLOSED), TODAY)


def test_a_person_who_withdrew_starts_again() -> None:
    assert policy.can_ask_again(OWNER, standing(state=CLOSED, withdrawn_by_person=True), TODAY)
    assert not policy.can_ask_again(OWNER, standing(state=CLOSED), TODAY)


@pytest.mark.parametrize(
    "who",
    [
        of_cso(Role.COORDINATOR),
        of_cso(Role.SIGNATORY),
        person(Role.MEMBER),
        person(Role.COORDINATOR, of=OTHER_NPM),
        person(Role.COORDINATOR, expert=True),
    ],
)
def test_nobody_else_asks_again(who: Actor) -> None:
    undertaking = standing(state=CLOSED, withdrawn_by_person=True)
    assert not policy.can_ask_again(who, undertaking, TODAY)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"state": SIGNED}, "still open"),
        ({"is_current": False}, "no longer in force"),
        ({"has_open": True}, "already been asked"),
        ({"is_listed": False}, "list of people who must sign"),
        ({"until": TODAY - dt.timedelta(days=1)}, "has passed"),
        ({"is_joining": True}, "has to sign the terms before its people"),
        ({"has_role": False}, "account is suspended, or they no longer have a role"),
    ],
)
def test_asking_again_has_its_moment(changed: dict[str, object], reason: str) -> None:
    undertaking = standing(**{"state": CLOSED, **changed})
    assert reason in refused(policy.can_ask_again(SIGNATORY, undertaking, TODAY))
