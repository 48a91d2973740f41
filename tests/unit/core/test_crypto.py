"""Encryption: altered, moved or truncated bytes, and other keys, are refused."""

import pytest
from flask import current_app
from hypothesis import given
from hypothesis import strategies as st

from tests.services import put
from tracker.core import crypto, keys
from tracker.core.crypto import SealBrokenError
from tracker.core.keys import Keys

KEY = bytes(range(32))
PLAIN = b"Lower Harbour police station"


@given(st.binary(max_size=2000), st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_encrypted_bytes_are_decrypted(plain: bytes, context: str) -> None:
    assert crypto.unseal(KEY, crypto.seal(KEY, plain, context), context) == plain


def test_the_same_words_are_sealed_differently_each_time() -> None:
    sealed = {crypto.seal(KEY, PLAIN, "answer:1") for _ in range(50)}
    assert len(sealed) == 50
    assert len({part[: crypto.NONCE_BYTES] for part in sealed}) == 50


def test_the_encrypted_bytes_contain_nothing_of_the_text() -> None:
    sealed = crypto.seal(KEY, PLAIN, "answer:1")
    assert b"Harbour" not in sealed
    assert b"answer" not in sealed


def test_a_change_of_any_single_byte_is_noticed() -> None:
    sealed = crypto.seal(KEY, PLAIN, "answer:1")
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(SealBrokenError, match="answer:1 can't be read"):
            crypto.unseal(KEY, bytes(altered), "answer:1")


def test_bytes_moved_to_another_place_are_not_read() -> None:
    sealed = crypto.seal(KEY, PLAIN, "answer:1")
    with pytest.raises(SealBrokenError, match="answer:2 can't be read"):
        crypto.unseal(KEY, sealed, "answer:2")


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(SealBrokenError):
        crypto.unseal(crypto.new_key(), crypto.seal(KEY, PLAIN, "answer:1"), "answer:1")


@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 27])
def test_bytes_that_were_cut_are_not_read(length: int) -> None:
    sealed = crypto.seal(KEY, b"", "answer:1")
    assert len(sealed) == 28
    with pytest.raises(SealBrokenError):
        crypto.unseal(KEY, sealed[:length], "answer:1")


def test_bytes_put_behind_are_noticed() -> None:
    with pytest.raises(SealBrokenError):
        crypto.unseal(KEY, crypto.seal(KEY, PLAIN, "x") + b"\0", "x")


def test_the_error_reveals_nothing_of_text_and_key() -> None:
    with pytest.raises(SealBrokenError) as broken:
        crypto.unseal(KEY, crypto.seal(KEY, PLAIN, "x"), "y")
    assert str(broken.value) == "The encrypted value of y can't be read."


def test_keys_are_random_and_of_256_bits() -> None:
    new_keys = {crypto.new_key() for _ in range(20)}
    assert len(new_keys) == 20
    assert {len(key) for key in new_keys} == {32}


def test_a_cooperations_key_is_wrapped_with_the_key_of_fields(own_keys: Keys) -> None:
    key = crypto.new_key()
    wrapped = crypto.wrap(key, "cooperation:1")
    assert key not in wrapped
    assert crypto.unwrap(wrapped, "cooperation:1") == key
    assert crypto.unseal(own_keys.fields, wrapped, "cooperation:1") == key


def test_a_wrapped_key_opens_no_other_cooperation(own_keys: Keys) -> None:
    wrapped = crypto.wrap(crypto.new_key(), "cooperation:1")
    with pytest.raises(SealBrokenError):
        crypto.unwrap(wrapped, "cooperation:2")


def test_with_another_instances_keys_nothing_is_unwrapped(own_keys: Keys) -> None:
    wrapped = crypto.wrap(crypto.new_key(), "cooperation:1")
    put(
        current_app,
        keys.KEYS.holding(Keys(own_keys.secret, own_keys.trail, own_keys.fields, own_keys.totp)),
    )
    with pytest.raises(SealBrokenError):
        crypto.unwrap(wrapped, "cooperation:1")


def test_only_the_trails_key_makes_an_authentic_code(own_keys: Keys) -> None:
    code = crypto.authenticate("head 12")
    assert len(code) == 64
    assert crypto.is_authentic("head 12", code)
    assert not crypto.is_authentic("head 13", code)
    assert not crypto.is_authentic("head 12", "")
    assert not crypto.is_authentic("head 12", "é" * 64)
    put(
        current_app,
        keys.KEYS.holding(Keys(own_keys.secret, own_keys.fields, bytes(32), own_keys.totp)),
    )
    assert not crypto.is_authentic("head 12", code)


def test_a_code_made_for_one_purpose_is_worth_nothing_for_another(own_keys: Keys) -> None:
    codes = {crypto.authenticate_for(purpose, "x") for purpose in ("accounts/1", "accounts/2")}
    assert len(codes | {crypto.authenticate("x")}) == 3
    assert crypto.authenticate_for("accounts/1", "x") in codes
    put(
        current_app,
        keys.KEYS.holding(Keys(own_keys.secret, own_keys.fields, bytes(32), own_keys.totp)),
    )
    assert crypto.authenticate_for("accounts/1", "x") not in codes
