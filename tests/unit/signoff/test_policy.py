"""Who signs, declines and countersigns, and what counts as a proof, as tables of cases."""

import datetime as dt
from uuid import UUID

import pytest

from tests.factories.passkeys import Device
from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.access.decision import Decision
from tracker.signoff import assertion, policy
from tracker.signoff.models import Method, RequestState, SignatureKind
from tracker.signoff.proof import FRESH, Identity

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
    """Compare a decision with the words of its no, empty for a yes."""
    assert bool(decision) is not bool(words)
    assert words in str(decision.reason)


PLACES = ((NPM, OTHER), (DOOR, ME))
SIGNATORY = actor(membership(Role.SIGNATORY))
NOT_ONE = "You are not a signatory of the organisation you act for."


@pytest.mark.parametrize(
    ("person", "state", "places", "signed", "words"),
    [
        (SIGNATORY, WAITING, PLACES, (), ""),
        (SIGNATORY, WAITING, PLACES, (NPM,), ""),
        (SIGNATORY, WAITING, PLACES, (DOOR,), "Your organisation has signed this revision."),
        (SIGNATORY, RequestState.COMPLETED, PLACES, (), "no longer waits for signatures"),
        (SIGNATORY, RequestState.DECLINED, PLACES, (), "no longer waits for signatures"),
        (SIGNATORY, RequestState.WITHDRAWN, PLACES, (), "no longer waits for signatures"),
        (SIGNATORY, WAITING, ((NPM, OTHER), (DOOR, OTHER)), (), "Another person is named"),
        (SIGNATORY, WAITING, ((NPM, ME), (DOOR, OTHER)), (), "Another person is named"),
        (SIGNATORY, WAITING, ((NPM, OTHER),), (), "Another person is named"),
        (SIGNATORY, WAITING, (), (), "Another person is named"),
        (actor(membership(Role.SIGNATORY, power="")), WAITING, PLACES, (), "source of your power"),
        (actor(membership(Role.COORDINATOR)), WAITING, PLACES, (), NOT_ONE),
        (actor(membership(Role.MANAGER)), WAITING, PLACES, (), NOT_ONE),
        (actor(membership(Role.MEMBER)), WAITING, PLACES, (), NOT_ONE),
        (actor(membership(Role.AUDITOR)), WAITING, PLACES, (), NOT_ONE),
        (actor(membership(Role.SIGNATORY, NPM)), WAITING, PLACES, (), NOT_ONE),
        (actor(), WAITING, PLACES, (), NOT_ONE),
        (actor(membership(Role.SIGNATORY), acting_for=None), WAITING, PLACES, (), NOT_ONE),
    ],
)
def test_who_signs_for_an_organisation(
    person: Actor,
    state: RequestState,
    places: tuple[tuple[UUID, UUID], ...],
    signed: tuple[UUID, ...],
    words: str,
) -> None:
    """product.md, section 5: one named signatory of each party, by a stated power."""
    says(policy.can_sign_for(person, state, places, signed), words)
    # Who could sign, and has not, may decline.
    says(policy.can_decline(person, state, places, signed), words)


def test_a_signatory_of_two_bodies_signs_for_the_one_they_act_for() -> None:
    """A person never signs for two parties: the request names one line for each person."""
    both = (membership(Role.SIGNATORY), membership(Role.SIGNATORY, NPM))
    places = ((NPM, OTHER), (DOOR, ME))
    says(policy.can_sign_for(actor(*both), WAITING, places, ()), "")
    for_npm = actor(*both, acting_for=NPM)
    says(policy.can_sign_for(for_npm, WAITING, places, ()), "Another person is named")


def test_the_signing_membership_is_that_of_the_body_acted_for() -> None:
    both = (membership(Role.SIGNATORY, NPM, "An Act"), membership(Role.SIGNATORY))
    assert policy.signing_membership(actor(*both)) == both[1]
    assert policy.signing_membership(actor(*both, acting_for=NPM)) == both[0]
    assert policy.signing_membership(actor(membership(Role.MANAGER))) is None


NPM_ONLY = "A signatory or manager of the NPM countersigns."


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("body", [NPM, DOOR])
def test_a_signatory_or_manager_of_the_npm_countersigns_for_others(role: Role, body: UUID) -> None:
    person = actor(membership(role, body), acting_for=body)
    may = body == NPM and role in {Role.SIGNATORY, Role.MANAGER}
    says(policy.can_countersign(person, OTHER), "" if may else NPM_ONLY)
    says(
        policy.can_countersign(person, ME),
        "Nobody countersigns their own undertaking." if may else NPM_ONLY,
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
        (OTHER, dt.timedelta(0), "The proof of identity is another person's."),
        (OTHER, dt.timedelta(days=1), "The proof of identity is another person's."),
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
    enough = policy.is_enough(Identity(ME, method, NOW), kind, body)
    assert bool(enough) is (by_mail or method is not Method.PASSWORD_MAILED_CODE)


DIGEST, NONCE = "a" * 64, "0b" * 32
PROOF = Device().proof(assertion.challenge(DIGEST, "I sign.", NONCE), NONCE)


@pytest.mark.parametrize(
    ("method", "proof", "sentence", "words"),
    [
        (Method.PASSKEY, PROOF, "I sign.", ""),
        (Method.PASSKEY, PROOF, "I sign!", "another text or another sentence"),
        (Method.PASSKEY, None, "I sign.", "is not whole"),
        (Method.PASSKEY, {}, "I sign.", "is not whole"),
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
