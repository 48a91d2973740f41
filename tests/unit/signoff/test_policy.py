"""Who signs, declines and countersigns, and what counts as a proof, as tables of cases."""

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.factories.passkeys import Device
from tracker.access.actor import Actor, ActorMembership, Confirmation, OrganisationKind, Role
from tracker.access.decision import Decision
from tracker.signoff import assertion, policy
from tracker.signoff.identity_proof import FRESH, Identity
from tracker.signoff.models import Method, RequestState, SignatureKind
from tracker.signoff.policy import RequestStatus
from tracker.signoff.signers import Named, PartySigners

NPM, DOOR, ME, OTHER = (UUID(int=n) for n in range(1, 5))
NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
STATUTES = "Statutes, article 9"
WAITING = RequestState.WAITING


def membership(role: Role, body: UUID = DOOR, power: str = STATUTES) -> ActorMembership:
    kind = OrganisationKind.NPM if body == NPM else OrganisationKind.CSO
    return ActorMembership(role, body, "Body", kind, power=power, office="President")


def actor(*memberships: ActorMembership, acting_for: UUID | None = DOOR) -> Actor:
    return Actor(ME, "Henrik Asante", memberships=memberships, organisation_id=acting_for)


def says(decision: Decision, words: str) -> None:
    """Compare a decision with its reason, empty if it is allowed."""
    assert bool(decision) is not bool(words)
    assert words in str(decision.reason)


TODAY = NOW.date()
DAY = dt.timedelta(days=1)
PARTIES = (PartySigners(NPM, (Named(OTHER),)), PartySigners(DOOR, (Named(ME),)))
SIGNATORY = actor(membership(Role.SIGNATORY))
NOT_ONE = "You aren't a signatory of the organisation you're acting for."


def naming(**persons: UUID) -> tuple[PartySigners, ...]:
    """Return a list of signatories, one for each body."""
    bodies = {"npm": NPM, "door": DOOR}
    return tuple(PartySigners(bodies[key], (Named(person),)) for key, person in persons.items())


@pytest.mark.parametrize(
    ("person", "state", "parties", "signed", "words"),
    [
        (SIGNATORY, WAITING, PARTIES, (), ""),
        (SIGNATORY, WAITING, PARTIES, ((NPM, OTHER),), ""),
        (SIGNATORY, WAITING, PARTIES, ((DOOR, ME),), "You have already signed this revision."),
        (SIGNATORY, RequestState.COMPLETED, PARTIES, (), "no longer waiting for signatures"),
        (SIGNATORY, RequestState.DECLINED, PARTIES, (), "no longer waiting for signatures"),
        (SIGNATORY, RequestState.WITHDRAWN, PARTIES, (), "no longer waiting for signatures"),
        (SIGNATORY, RequestState.EXPIRED, PARTIES, (), "no longer waiting for signatures"),
        (SIGNATORY, WAITING, naming(npm=OTHER, door=OTHER), (), "Somebody else is named"),
        (SIGNATORY, WAITING, naming(npm=ME, door=OTHER), (), "Somebody else is named"),
        (SIGNATORY, WAITING, naming(npm=OTHER), (), "Somebody else is named"),
        (SIGNATORY, WAITING, (), (), "Somebody else is named"),
        (actor(membership(Role.SIGNATORY, power="")), WAITING, PARTIES, (), "source of your power"),
        (actor(membership(Role.COORDINATOR)), WAITING, PARTIES, (), NOT_ONE),
        (actor(membership(Role.MANAGER)), WAITING, PARTIES, (), NOT_ONE),
        (actor(membership(Role.MEMBER)), WAITING, PARTIES, (), NOT_ONE),
        (actor(membership(Role.AUDITOR)), WAITING, PARTIES, (), NOT_ONE),
        (actor(membership(Role.SIGNATORY, NPM)), WAITING, PARTIES, (), NOT_ONE),
        (actor(), WAITING, PARTIES, (), NOT_ONE),
        (actor(membership(Role.SIGNATORY), acting_for=None), WAITING, PARTIES, (), NOT_ONE),
    ],
)
def test_only_a_signatory_with_a_current_power_signs_for_an_organisation(
    person: Actor,
    state: RequestState,
    parties: tuple[PartySigners, ...],
    signed: tuple[tuple[UUID, UUID], ...],
    words: str,
) -> None:
    """product.md, section 5: the named signatories of each party, by a stated power."""
    request = RequestStatus(state, parties, frozenset(signed))
    says(policy.can_sign_for(person, request, TODAY), words)
    # Somebody who could sign, but hasn't, may decline.
    says(policy.can_decline(person, request, TODAY), words)


def test_a_signatory_of_two_bodies_signs_for_the_one_they_act_for() -> None:
    """A person never signs for two parties: the request names one line for each person."""
    both = (membership(Role.SIGNATORY), membership(Role.SIGNATORY, NPM))
    request = RequestStatus(WAITING, PARTIES)
    says(policy.can_sign_for(actor(*both), request, TODAY), "")
    for_npm = actor(*both, acting_for=NPM)
    says(policy.can_sign_for(for_npm, request, TODAY), "Somebody else is named")


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (None, None, ""),
        (TODAY, None, ""),
        (TODAY + DAY, None, "Your power to sign has not begun yet."),
        (None, TODAY, ""),
        (None, TODAY - DAY, "Your power to sign has run out."),
        (TODAY, TODAY, ""),
        (TODAY - 3 * DAY, TODAY - DAY, "Your power to sign has run out."),
    ],
)
def test_a_power_binds_on_its_days_only(
    first: dt.date | None, last: dt.date | None, words: str
) -> None:
    """Issue 4: an expired power can't sign. Both days are included."""
    power = replace(membership(Role.SIGNATORY), power_from=first, power_until=last)
    says(policy.has_power(power, TODAY), words)
    request = RequestStatus(WAITING, PARTIES)
    says(policy.can_sign_for(actor(power), request, TODAY), words)
    says(policy.can_decline(actor(power), request, TODAY), words)


@pytest.mark.parametrize(
    ("last", "words"),
    [(None, ""), (TODAY, ""), (TODAY - DAY, "The time to sign this text has run out.")],
)
def test_a_request_is_signed_until_its_last_day(last: dt.date | None, words: str) -> None:
    """Even if no worker has ended it yet."""
    request = RequestStatus(WAITING, PARTIES, expires_on=last)
    says(request.is_waiting(TODAY), words)
    says(policy.can_sign_for(SIGNATORY, request, TODAY), words)
    says(policy.can_decline(SIGNATORY, request, TODAY), words)
    says(policy.can_pass_on(SIGNATORY, request, TODAY, ME), words)


def test_a_person_waiting_for_their_turn_can_decline_but_not_sign() -> None:
    later = (PARTIES[0], replace(PARTIES[1], turn=1))
    request = RequestStatus(WAITING, later)
    says(policy.can_sign_for(SIGNATORY, request, TODAY), "It isn't your turn yet")
    says(policy.can_decline(SIGNATORY, request, TODAY), "")
    signed_by_other = replace(request, signed=frozenset({(NPM, OTHER)}))
    says(policy.can_sign_for(SIGNATORY, signed_by_other, TODAY), "")


THE_NAMED = "Only the person named, or a coordinator of the organisation, can pass it on."


@pytest.mark.parametrize("role", Role)
def test_the_person_named_or_a_coordinator_can_pass_it_on(role: Role) -> None:
    """Product.md, 5.5, so that nothing waits for somebody who is away."""
    request = RequestStatus(WAITING, (PARTIES[0], PartySigners(DOOR, (Named(ME), Named(OTHER)))))
    person = actor(membership(role))
    by_role = "" if role is Role.COORDINATOR else THE_NAMED
    says(policy.can_pass_on(person, request, TODAY, OTHER), by_role)
    of_own = "" if role is Role.SIGNATORY else by_role
    says(policy.can_pass_on(person, request, TODAY, ME), of_own)


@pytest.mark.parametrize(
    ("state", "signed", "holder", "words"),
    [
        (WAITING, ((DOOR, ME),), ME, "There's nothing left"),
        (WAITING, (), OTHER, "There's nothing left"),
        (RequestState.COMPLETED, (), ME, "no longer waiting"),
        (RequestState.DECLINED, (), ME, "no longer waiting"),
    ],
)
def test_only_ones_own_bodys_open_slots_can_be_passed_on(
    state: RequestState, signed: tuple[tuple[UUID, UUID], ...], holder: UUID, words: str
) -> None:
    request = RequestStatus(state, PARTIES, frozenset(signed))
    person = actor(membership(Role.SIGNATORY), membership(Role.COORDINATOR))
    says(policy.can_pass_on(person, request, TODAY, holder), words)


def test_the_signing_membership_belongs_to_the_organisation_acted_for() -> None:
    both = (membership(Role.SIGNATORY, NPM, "An Act"), membership(Role.SIGNATORY))
    assert policy.signing_membership(actor(*both)) == both[1]
    assert policy.signing_membership(actor(*both, acting_for=NPM)) == both[0]
    assert policy.signing_membership(actor(membership(Role.MANAGER))) is None


def test_a_person_decides_by_a_current_power_to_sign_and_otherwise_as_manager() -> None:
    """Product.md, section 2."""
    signs, manages = membership(Role.SIGNATORY), membership(Role.MANAGER, power="")
    past, later = replace(signs, power_until=TODAY - DAY), replace(signs, power_from=TODAY + DAY)
    assert policy.deciding_membership(actor(signs, manages), TODAY) == signs
    assert policy.deciding_membership(actor(past, manages), TODAY) == manages
    assert policy.deciding_membership(actor(past), TODAY) is None
    for person in (actor(signs), actor(manages), actor(later, manages)):
        says(policy.decides(person, TODAY), "")
    says(policy.decides(actor(past), TODAY), "Your power to sign has run out.")
    says(policy.decides(actor(later), TODAY), "Your power to sign has not begun yet.")
    says(policy.decides(actor(membership(Role.COORDINATOR)), TODAY), NOT_ONE)
    expired = actor(membership(Role.SIGNATORY, NPM), acting_for=NPM)
    (power,) = expired.memberships
    expired = replace(expired, memberships=(replace(power, power_until=TODAY - DAY),))
    says(policy.can_countersign(expired, OTHER, TODAY), "Your power to sign has run out.")


NPM_ONLY = "Only a signatory or manager of the NPM can countersign."


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("body", [NPM, DOOR])
def test_a_signatory_or_manager_of_the_npm_countersigns_for_others(role: Role, body: UUID) -> None:
    person = actor(membership(role, body), acting_for=body)
    may = body == NPM and role in {Role.SIGNATORY, Role.MANAGER}
    says(policy.can_countersign(person, OTHER, TODAY), "" if may else NPM_ONLY)
    says(
        policy.can_countersign(person, ME, TODAY),
        "You can't countersign your own undertaking." if may else NPM_ONLY,
    )


TOO_OLD = "The proof of identity is too old."


@pytest.mark.parametrize(
    ("whose", "age", "words"),
    [
        (ME, dt.timedelta(0), ""),
        (ME, FRESH, ""),
        (ME, FRESH + dt.timedelta(microseconds=1), TOO_OLD),
        (ME, dt.timedelta(days=1), TOO_OLD),
        (ME, dt.timedelta(microseconds=-1), TOO_OLD),
        (OTHER, dt.timedelta(0), "The proof of identity belongs to another person."),
        (OTHER, dt.timedelta(days=1), "The proof of identity belongs to another person."),
    ],
)
def test_a_proof_is_ones_own_and_fresh(whose: UUID, age: dt.timedelta, words: str) -> None:
    identity = Identity(whose, Method.PASSWORD_TOTP, NOW - age)
    says(policy.is_proven(SIGNATORY, identity, NOW), words)


def test_a_proof_is_good_for_the_form_it_was_given_on_and_not_much_longer() -> None:
    assert dt.timedelta(0) < FRESH <= dt.timedelta(minutes=5)


SIGNED, COUNTERSIGNED = SignatureKind.SIGNATURE, SignatureKind.COUNTERSIGNATURE


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize(
    ("kind", "body", "by_mail"),
    [
        (SIGNED, None, True),
        (SIGNED, DOOR, False),
        (COUNTERSIGNED, DOOR, False),
        (COUNTERSIGNED, None, False),
    ],
)
def test_a_code_by_mail_is_enough_in_ones_own_name_alone(
    method: Method, kind: SignatureKind, body: UUID | None, by_mail: bool
) -> None:
    enough = by_mail or method is not Method.PASSWORD_MAILED_CODE
    says(
        policy.is_enough(Identity(ME, method, NOW), kind, body),
        "" if enough else "A code by email isn't enough",
    )


DIGEST, NONCE = "a" * 64, "0b" * 32
PROOF = Device().proof(assertion.challenge(DIGEST, "I sign.", NONCE), NONCE)


@pytest.mark.parametrize(
    ("method", "proof", "sentence", "words"),
    [
        (Method.PASSKEY, PROOF, "I sign.", ""),
        (Method.PASSKEY, PROOF, "I sign!", "another text or another sentence"),
        (Method.PASSKEY, None, "I sign.", "is incomplete"),
        (Method.PASSKEY, {}, "I sign.", "is incomplete"),
        (Method.PASSWORD_TOTP, None, "I sign.", ""),
        (Method.PASSWORD_MAILED_CODE, None, "I sign.", ""),
        (Method.DEMONSTRATION, None, "I sign.", ""),
        (Method.PASSWORD_TOTP, PROOF, "I sign.", "Only a passkey leaves a proof."),
        (Method.DEMONSTRATION, PROOF, "I sign.", "Only a passkey leaves a proof."),
    ],
)
def test_a_passkey_signs_the_text_and_others_leave_nothing(
    method: Method, proof: dict[str, str] | None, sentence: str, words: str
) -> None:
    says(policy.is_signed_by(method, proof, DIGEST, sentence), words)


def by_host(method: Method) -> dict[str, str]:
    return {"host": str(ME), "method": method.value}


@pytest.mark.parametrize(
    ("method", "presence", "proof", "words"),
    [
        (Method.IN_PRESENCE, by_host(Method.PASSWORD_TOTP), None, ""),
        (Method.IN_PRESENCE, by_host(Method.PASSKEY), PROOF, ""),
        (Method.IN_PRESENCE, by_host(Method.PASSKEY), None, "is incomplete"),
        (Method.IN_PRESENCE, by_host(Method.PASSWORD_TOTP), PROOF, "Only a passkey leaves a proof"),
        (Method.IN_PRESENCE, {}, None, "who was present"),
        (Method.IN_PRESENCE, [], None, "who was present"),
        (Method.IN_PRESENCE, {"method": "password_totp"}, None, "who was present"),
        (Method.IN_PRESENCE, {"host": "x", "method": "password_totp"}, None, "who was present"),
        (Method.IN_PRESENCE, None, None, "who was present"),
        (Method.PASSWORD_TOTP, by_host(Method.PASSWORD_TOTP), None, "who was present"),
        (Method.PASSKEY, by_host(Method.PASSKEY), PROOF, "who was present"),
    ],
)
def test_in_somebodys_presence_that_person_proves_who_they_are(
    method: Method,
    presence: Any,
    proof: dict[str, str] | None,
    words: str,
) -> None:
    says(policy.is_signed_by(method, proof, DIGEST, "I sign.", presence), words)


@pytest.mark.parametrize("method", list(Method))
def test_whoever_lets_somebody_sign_on_their_device_proves_it_by_two_factors(
    method: Method,
) -> None:
    enough = {Method.PASSWORD_TOTP, Method.PASSKEY, Method.DEMONSTRATION}
    says(
        policy.is_enough_of_a_host(Identity(ME, method, NOW)),
        "" if method in enough else "Prove who you are by passkey",
    )


def test_a_signature_keeps_who_confirmed_the_role_on_which_day_in_utc() -> None:
    """Product.md, section 2."""
    late = dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-2)))
    signs = ActorMembership(
        Role.SIGNATORY,
        confirmed_how=Confirmation.COLLEAGUE,
        confirmed_by="Greta Vale",
        confirmed_at=late,
    )
    confirmation = policy.confirmation_of(signs)
    assert confirmation == {"how": "colleague", "by": "Greta Vale", "on": "2026-03-02"}
    before = ActorMembership(Role.SIGNATORY, confirmed_how=Confirmation.BEFORE)
    assert policy.confirmation_of(before) == {"how": "before", "by": "", "on": ""}
    assert policy.confirmation_of(ActorMembership(Role.MEMBER)) is None
