"""A passkey's signature, verified from the stored values alone: valid, and wrong in every way."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import assume, given
from hypothesis import strategies as st

from tests import second_verifier
from tests.factories.passkeys import PRESENT, VERIFIED, Device, encode
from tracker.accounts.factors import passkeys
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


P256 = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
P384 = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
KEPT = json.loads(Path(__file__).with_name("kept_proofs.json").read_text())


def _as_list(cose: bytes) -> bytes:
    """Return a list in which each value is at the index that its number in a key points to."""
    key = cbor2.loads(cose)
    places: list[object] = [0] * 8
    for at, value in key.items():
        places[at] = value
    return cbor2.dumps(places)


def _in_more_bytes(cose: bytes) -> bytes:
    """Return a key whose type is written in two bytes; it comes after the map's head and 1."""
    assert cose[1] == 1
    return cose[:2] + b"\x18" + cose[2:]


def _with(cose: bytes, **values: Any) -> bytes:
    return cbor2.dumps({**cbor2.loads(cose), **{int(key): value for key, value in values.items()}})


# Ways to write a key that the library reads as the same one.
STRANGE: dict[str, Callable[[bytes], bytes]] = {
    "bytes after it": lambda cose: cose + b"\x00",
    "a size in more bytes than it needs": _in_more_bytes,
    "a number as a fraction": lambda cose: _with(cose, **{"3": float(cbor2.loads(cose)[3])}),
    "a list that answers to the same places": _as_list,
    "the algorithm of other keys": lambda cose: _with(
        cose, **{"3": next(alg for alg in (-7, -8, -257) if alg != cbor2.loads(cose)[3])}
    ),
    "the algorithm of yet other keys": lambda cose: _with(
        cose, **{"3": next(alg for alg in (-257, -8, -7) if alg != cbor2.loads(cose)[3])}
    ),
    "more than a key has": lambda cose: _with(cose, **{"9": {1: 2}}),
}


OF_ANOTHER_KIND: dict[str, object] = {
    "P-384": {1: 2, 3: -7, -1: 2, -2: P384.x.to_bytes(48), -3: P384.y.to_bytes(48)},
    "a long x": {1: 2, 3: -7, -1: 1, -2: P256.x.to_bytes(33), -3: P256.y.to_bytes(32)},
    "a long y": {1: 2, 3: -7, -1: 1, -2: P256.x.to_bytes(32), -3: P256.y.to_bytes(33)},
    "ES512": {1: 2, 3: -36, -1: 1, -2: P256.x.to_bytes(32), -3: P256.y.to_bytes(32)},
    "no point": {1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"x" * 32},
    "letters": {1: 2, 3: -7, -1: 1, -2: "x" * 32, -3: "x" * 32},
    "numbers": {1: 2, 3: -7, -1: 1, -2: 7, -3: 7},
    "Ed448": {1: 1, 3: -8, -1: 7, -2: b"x" * 57},
    "RS384": {1: 3, 3: -258, -1: b"\xff" * 256, -2: b"\x01\x00\x01"},
    "PS256": {1: 3, 3: -37, -1: b"\xff" * 256, -2: b"\x01\x00\x01"},
    "an empty modulus": {1: 3, 3: -257, -1: b"", -2: b""},
    "ML-DSA": {1: 7, 3: -48, -1: b"x" * 1312},
    "nothing": {},
    "a list": [0, 2, 0, -7],
    "a text": "key",
    "a large number": 2**70,
}


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
def test_a_passkeys_signature_is_verified_from_the_stored_values_alone(make: Any) -> None:
    proof = signed(Device(key=make()))
    assert set(proof) == set(assertion.KEYS)
    assert flaw(proof) is None
    assert flaw(json.loads(json.dumps(proof))) is None


@pytest.mark.parametrize("make", KEYS, ids=["ES256", "EdDSA", "RS256"])
def test_a_public_key_is_read_with_its_algorithm(make: Any) -> None:
    key = make()
    read = assertion.public_key(Device(key=key).cose())
    assert read.key == key.public_key()
    assert read.algorithm in assertion.ALGORITHMS


@pytest.mark.parametrize("kind", KEPT)
def test_what_was_signed_with_an_earlier_version_is_still_valid(kind: str) -> None:
    assert flaw(KEPT[kind]) is None
    second_verifier.check_proof(KEPT[kind], DIGEST, SENTENCE)


def test_passkeys_are_made_with_the_algorithms_that_a_proof_may_have() -> None:
    assert set(passkeys.ALGORITHMS) == assertion.ALGORITHMS


@pytest.mark.parametrize("change", STRANGE, ids=STRANGE)
@pytest.mark.parametrize("make", KEYS, ids=["ES256", "EdDSA", "RS256"])
def test_a_key_that_the_library_takes_and_the_format_does_not_is_refused(
    make: Any, change: str
) -> None:
    """The second verifier refuses it too: two programs that read one format agree."""
    proof = signed(Device(key=make()))
    cose = base64.urlsafe_b64decode(proof["public_key"] + "==")
    strange = {**proof, "public_key": encode(STRANGE[change](cose))}
    assert flaw(strange) is Flaw.INCOMPLETE
    with pytest.raises(second_verifier.WRONG):
        second_verifier.check_proof(strange, DIGEST, SENTENCE)


@pytest.mark.parametrize("kind", OF_ANOTHER_KIND)
def test_a_key_of_another_kind_is_incomplete(kind: str) -> None:
    key = encode(cbor2.dumps(OF_ANOTHER_KIND[kind]))
    assert flaw({**PROOF, "public_key": key}) is Flaw.INCOMPLETE


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
        ({"origin": "https://\ud800.example"}, Flaw.OTHER_PLACE),
        ({"origin": "https://[", "host": ""}, Flaw.OTHER_PLACE),
        ({"origin": "", "host": ""}, Flaw.OTHER_PLACE),
        ({"client_data": {"origin": None}}, Flaw.OTHER_PLACE),
        ({"client_data": {"type": "webauthn.create"}}, Flaw.OTHER_ACT),
        ({"client_data": {"crossOrigin": True}}, Flaw.OTHER_ACT),
        ({"client_data": {"crossOrigin": "no"}}, Flaw.OTHER_ACT),
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
def test_a_proof_with_a_missing_or_invalid_value_is_incomplete(name: str, value: object) -> None:
    assert flaw({**PROOF, name: value}) in {Flaw.INCOMPLETE, Flaw.NOT_SIGNED}
    assert flaw({key: value for key, value in PROOF.items() if key != name}) is Flaw.INCOMPLETE


@pytest.mark.parametrize("proof", [None, "", [], {}, {**PROOF, "more": "x"}, 3])
def test_a_malformed_proof_is_incomplete(proof: object) -> None:
    assert flaw(proof) is Flaw.INCOMPLETE


@given(name=st.sampled_from(assertion.KEYS[1:]), place=st.integers(0), byte=st.integers(0, 255))
def test_any_other_byte_is_noticed(name: str, place: int, byte: int) -> None:
    """Only the form of the passkey's id is checked here; the signature's digest binds it."""
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
def test_whatever_a_browser_may_have_said_is_judged(client_data: object) -> None:
    proof = {**PROOF, "client_data_json": encode(json.dumps(client_data).encode())}
    assert flaw(proof) is not None


def test_client_data_nested_without_end_are_no_answer() -> None:
    deep = encode(b"[" * 100_000)
    assert flaw({**PROOF, "client_data_json": deep}) is Flaw.INCOMPLETE
