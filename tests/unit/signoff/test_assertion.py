"""What a passkey signed, verified from the kept values alone: right, and wrong in every way."""

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import assume, given
from hypothesis import strategies as st
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography

from tests.factories.passkeys import PRESENT, VERIFIED, Device, encode
from tracker.signoff import assertion
from tracker.signoff.assertion import Flaw

DIGEST = "7f" * 32
SENTENCE = "I, Henrik Asante, sign revision 1 for Open Door. – أوافق"
NONCE = "0b" * 32
KEYS = [
    lambda: ec.generate_private_key(ec.SECP256R1()),
    ed25519.Ed25519PrivateKey.generate,
    lambda: rsa.generate_private_key(65537, 2048),
]
DEVICE = Device()
PROOF = DEVICE.proof(assertion.challenge(DIGEST, SENTENCE, NONCE), NONCE)


def signed(device: Device, **other: str) -> dict[str, str]:
    values = {"document_digest": DIGEST, "sentence": SENTENCE, "nonce": NONCE, **other}
    return device.proof(assertion.challenge(**values), NONCE)


def flaw(proof: object, digest: str = DIGEST, sentence: str = SENTENCE) -> Flaw | None:
    return assertion.flaw(proof, document_digest=digest, sentence=sentence)


def test_the_challenge_is_the_digest_of_one_known_line() -> None:
    line = (
        f'{{"document":"{DIGEST}","nonce":"{NONCE}","sentence":"{SENTENCE}",'
        '"use":"common-terms/sign/1"}'
    )
    assert assertion.challenge(DIGEST, SENTENCE, NONCE) == hashlib.sha256(line.encode()).digest()


@pytest.mark.parametrize("make", KEYS, ids=["ES256", "EdDSA", "RS256"])
def test_what_a_passkey_signed_holds_by_the_kept_values_alone(make: Any) -> None:
    proof = signed(Device(key=make()))
    assert set(proof) == set(assertion.KEYS)
    assert flaw(proof) is None
    assert flaw(json.loads(json.dumps(proof))) is None


@pytest.mark.parametrize("make", KEYS, ids=["ES256", "EdDSA", "RS256"])
def test_a_public_key_is_read_as_the_library_reads_it(make: Any) -> None:
    cose = Device(key=make()).cose()
    read = decoded_public_key_to_cryptography(decode_credential_public_key(cose))
    assert assertion.public_key(cose) == read


def test_another_text_or_another_sentence_is_noticed() -> None:
    assert flaw(PROOF, digest="7e" * 32) is Flaw.OTHER_TEXT
    assert flaw(PROOF, sentence=SENTENCE + " ") is Flaw.OTHER_TEXT
    assert flaw({**PROOF, "nonce": "0c" * 32}) is Flaw.OTHER_TEXT


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"flags": PRESENT}, Flaw.NOT_VERIFIED),
        ({"flags": VERIFIED}, Flaw.NOT_VERIFIED),
        ({"flags": 0}, Flaw.NOT_VERIFIED),
        ({"host": "terms.example"}, Flaw.OTHER_PLACE),
        ({"origin": "https://terms.example"}, Flaw.OTHER_PLACE),
        ({"origin": "https://["}, Flaw.OTHER_PLACE),
        ({"said": {"origin": None}}, Flaw.OTHER_PLACE),
        ({"said": {"type": "webauthn.create"}}, Flaw.OTHER_ACT),
        ({"said": {"crossOrigin": True}}, Flaw.OTHER_ACT),
        ({"said": {"crossOrigin": "no"}}, Flaw.OTHER_ACT),
    ],
    ids=str,
)
def test_what_was_not_signing_here_by_a_verified_person_is_noticed(
    wrong: dict[str, Any], expected: Flaw
) -> None:
    assert flaw(signed(Device(**wrong))) is expected


@pytest.mark.parametrize("make", KEYS, ids=["ES256", "EdDSA", "RS256"])
def test_another_key_has_not_signed_it(make: Any) -> None:
    other = encode(Device(key=make()).cose())
    assert flaw({**PROOF, "public_key": other}) is Flaw.NOT_SIGNED


@pytest.mark.parametrize("name", assertion.KEYS)
@pytest.mark.parametrize("value", [None, "", "?", "AA==", 7, [], "٣", "A" * 9])
def test_what_is_missing_or_no_base64_is_incomplete(name: str, value: object) -> None:
    assert flaw({**PROOF, name: value}) in {Flaw.INCOMPLETE, Flaw.NOT_SIGNED}
    assert flaw({key: one for key, one in PROOF.items() if key != name}) is Flaw.INCOMPLETE


@pytest.mark.parametrize("proof", [None, "", [], {}, {**PROOF, "more": "x"}, 3])
def test_what_is_no_proof_is_incomplete(proof: object) -> None:
    assert flaw(proof) is Flaw.INCOMPLETE


@given(name=st.sampled_from(assertion.KEYS[1:]), place=st.integers(0), byte=st.integers(0, 255))
def test_any_other_byte_is_noticed(name: str, place: int, byte: int) -> None:
    """Of the name of the passkey only its form is known here; the signature's digest binds it."""
    if name == "nonce":
        data = PROOF[name].encode()
    else:
        data = base64.urlsafe_b64decode(PROOF[name] + "=" * (-len(PROOF[name]) % 4))
    at = place % len(data)
    assume(data[at] != byte)
    other = data[:at] + bytes([byte]) + data[at + 1 :]
    text = other.decode("latin-1") if name == "nonce" else encode(other)
    assert flaw({**PROOF, name: text}) is not None


@given(st.binary(max_size=200))
def test_any_bytes_are_no_key_or_a_key_and_nothing_else(data: bytes) -> None:
    assert flaw({**PROOF, "public_key": encode(data)}) is not None


@given(st.recursive(st.none() | st.text() | st.integers() | st.booleans(), st.lists))
def test_whatever_a_browser_may_have_said_is_judged(said: object) -> None:
    proof = {**PROOF, "client_data_json": encode(json.dumps(said).encode())}
    assert flaw(proof) is not None


def test_client_data_nested_without_end_are_no_answer() -> None:
    deep = encode(b"[" * 100_000)
    assert flaw({**PROOF, "client_data_json": deep}) is Flaw.INCOMPLETE
