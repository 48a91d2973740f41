"""Several texts signed by one passkey response: each is verified by itself."""

import datetime as dt
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import second_verifier
from tests.factories.passkeys import Device
from tracker.signoff import assertion
from tracker.signoff import identity_proof as several
from tracker.signoff.assertion import Flaw
from tracker.signoff.identity_proof import SigningPage, TextToSign

PAGE = SigningPage.begin(dt.datetime(2027, 3, 1, 9, tzinfo=dt.UTC))
TEXTS = [TextToSign(f"{number:064x}", f"I sign text {number}.") for number in range(1, 4)]
ENTRIES = several.entries_of(TEXTS, PAGE)
DEVICE = Device()
digits = st.text("0123456789abcdef", min_size=64, max_size=64)
texts_of_a_list = st.lists(
    st.builds(TextToSign, digits, st.text(max_size=60)), min_size=1, max_size=20, unique=True
)


def proof_of(entries: list[str]) -> dict[str, str]:
    """Return what a signature stores after one response for a list."""
    challenge = assertion.challenge_of_list(entries, PAGE.nonce)
    return {**DEVICE.proof(challenge, PAGE.nonce), "entries": " ".join(entries)}


PROOF = proof_of(ENTRIES)


def flaw(proof: object, text: TextToSign) -> Flaw | None:
    return assertion.flaw(proof, document_digest=text.document_digest, sentence=text.sentence)


def second_finds_a_flaw(proof: dict[str, Any], text: TextToSign) -> bool:
    try:
        second_verifier.check_proof(proof, text.document_digest, text.sentence)
    except second_verifier.WRONG:
        return True
    return False


def test_the_challenge_of_a_list_is_the_digest_of_one_known_line() -> None:
    entries = '","'.join(ENTRIES)
    line = f'{{"entries":["{entries}"],"nonce":"{PAGE.nonce}","use":"common-terms/sign-list/1"}}'
    expected = hashlib.sha256(line.encode()).digest()
    assert assertion.challenge_of_list(ENTRIES, PAGE.nonce) == expected


def test_an_entry_is_the_digest_of_text_and_sentence() -> None:
    line = f'{{"document":"{"7f" * 32}","sentence":"I sign."}}'
    assert assertion.entry("7f" * 32, "I sign.") == hashlib.sha256(line.encode()).hexdigest()


@pytest.mark.parametrize("text", TEXTS)
def test_each_text_of_a_list_is_verified_by_itself_by_both_verifiers(text: TextToSign) -> None:
    stored = json.loads(json.dumps(PROOF))
    assert flaw(stored, text) is None
    assert not second_finds_a_flaw(stored, text)


def test_a_text_or_a_sentence_that_is_not_in_the_list_was_not_signed() -> None:
    for other in (
        replace(TEXTS[0], document_digest="7f" * 32),
        replace(TEXTS[0], sentence="I sign text 2."),
    ):
        assert flaw(PROOF, other) is Flaw.OTHER_TEXT
        assert second_finds_a_flaw(PROOF, other)


def test_an_entry_that_is_added_later_was_not_signed() -> None:
    new = TextToSign("7f" * 32, "I sign this too.")
    entry = assertion.entry(new.document_digest, new.sentence)
    changed = {**PROOF, "entries": " ".join(sorted([*ENTRIES[:-1], entry]))}
    assert flaw(changed, new) is Flaw.OTHER_TEXT
    assert second_finds_a_flaw(changed, new)


@pytest.mark.parametrize(
    "entries",
    [
        "",
        " ".join(ENTRIES[:-1]),
        " ".join([*ENTRIES, "f" * 64]),
        " ".join(reversed(ENTRIES)),
        " ".join([*ENTRIES[:-1], ENTRIES[-2]]),
        "  ".join(ENTRIES),
        " ".join(ENTRIES) + "\n",
        " ".join(ENTRIES).upper(),
        None,
        ENTRIES,
    ],
    ids=["empty", "short", "long", "backwards", "twice", "spaces", "line", "upper", "none", "list"],
)
def test_a_list_in_any_other_form_is_incomplete(entries: object) -> None:
    """Signed as it is, so that only its form is wrong."""
    challenge = assertion.challenge_of_list(str(entries).split(), PAGE.nonce)
    proof = {**DEVICE.proof(challenge, PAGE.nonce), "entries": entries}
    assert flaw(proof, TEXTS[0]) is Flaw.INCOMPLETE
    assert second_finds_a_flaw(proof, TEXTS[0])


def test_a_response_for_one_text_is_none_for_a_list_and_the_other_way_round() -> None:
    first = TEXTS[0]
    challenge = assertion.challenge(first.document_digest, first.sentence, PAGE.nonce)
    alone = DEVICE.proof(challenge, PAGE.nonce)
    without = {name: value for name, value in PROOF.items() if name != "entries"}
    for proof in ({**alone, "entries": PROOF["entries"]}, without):
        assert flaw(proof, first) is Flaw.OTHER_TEXT
        assert second_finds_a_flaw(proof, first)


@given(texts_of_a_list)
def test_a_list_contains_each_text_and_never_tells_how_many(texts: list[TextToSign]) -> None:
    entries = several.entries_of(texts, PAGE)
    assert len(entries) == assertion.LENGTH
    assert entries == sorted(set(entries))
    for text in texts:
        assert assertion.entry(text.document_digest, text.sentence) in entries
    # Nobody who has the list and the nonce can make the entries that fill it.
    others = several.entries_of(texts, replace(PAGE, salt="0" * 32))
    assert len(set(entries) & set(others)) == len(texts)


@pytest.mark.parametrize("texts", [[], [TEXTS[0]] * 2, TEXTS * 10], ids=["none", "twice", "many"])
def test_no_list_is_made_of_no_text_of_one_twice_or_of_too_many(texts: list[TextToSign]) -> None:
    with pytest.raises(ValueError, match="not the texts of a list"):
        several.entries_of(texts, PAGE)


def test_more_texts_than_a_list_has_room_for_are_refused() -> None:
    many = [TextToSign(f"{number:064x}", "I sign.") for number in range(assertion.LENGTH + 1)]
    with pytest.raises(ValueError, match="not the texts of a list"):
        several.entries_of(many, PAGE)


def test_the_page_of_a_list_stands_for_its_texts_in_their_order() -> None:
    assert several.digest_of_list(TEXTS) != several.digest_of_list(TEXTS[::-1])
    assert several.sentence_of_list(TEXTS) != several.sentence_of_list(TEXTS[::-1])
    assert several.digest_of_list(TEXTS[:1]) != TEXTS[0].document_digest
    assert several.page_of_text(PAGE, TEXTS[1]) == replace(PAGE, digest=TEXTS[1].document_digest)
