"""The canonical form: each value has one byte form, with the examples of RFC 8785."""

import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tracker.core import canonical

MOST = 2**53 - 1
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-MOST, MOST) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def test_keys_are_sorted_by_their_utf_16_units() -> None:
    """RFC 8785, section 3.2.3."""
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    order = list(json.loads(canonical.to_bytes(value)))
    assert order == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_there_are_no_blanks_and_no_needless_escapes() -> None:
    """RFC 8785, section 3.2.2."""
    value = {"text": '€$\u000f\u000aA\'B"\\\\"/', "many": [1, True, None]}
    expected = '{"many":[1,true,null],"text":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical.to_bytes(value) == expected.encode()


@given(st.dictionaries(TEXT, PLAIN, max_size=5))
def test_a_value_is_read_back_as_it_was(value: dict[str, Any]) -> None:
    assert canonical.from_bytes(canonical.to_bytes(value)) == value


@given(st.dictionaries(TEXT, PLAIN, max_size=5))
def test_insertion_order_makes_no_difference(value: dict[str, Any]) -> None:
    other = dict(reversed(value.items()))
    assert canonical.to_bytes(other) == canonical.to_bytes(value)
    assert canonical.digest_of(other) == canonical.digest_of(value)


@given(st.dictionaries(TEXT, PLAIN, max_size=3), st.dictionaries(TEXT, PLAIN, max_size=3))
def test_different_values_have_different_forms(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    same = canonical.to_bytes(first) == canonical.to_bytes(second)
    assert same == (json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True))


@pytest.mark.parametrize("value", [{"n": 2**53}, {"n": -(2**53)}, {1: "x"}])
def test_a_value_without_a_single_form_is_refused(value: Any) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical.to_bytes(value)


@pytest.mark.parametrize(
    "value", [0.5, 1.0, -0.0, {"n": [1, 0.5]}, [{"a": {"b": 2.5}}], ("x", 0.5)]
)
def test_a_fraction_is_refused_however_deep_it_stands(value: Any) -> None:
    with pytest.raises(canonical.NotCanonicalError, match="fraction"):
        canonical.to_bytes({"value": value})


def test_half_a_pair_of_units_is_refused() -> None:
    with pytest.raises((rfc8785.CanonicalizationError, UnicodeEncodeError)):
        canonical.to_bytes({"text": "\ud800"})


def test_the_digest_is_the_sha_256_of_the_bytes() -> None:
    assert canonical.digest(b"") == hashlib.sha256(b"").hexdigest()
    assert canonical.digest_of({"b": 1, "a": []}) == hashlib.sha256(b'{"a":[],"b":1}').hexdigest()


@given(st.dictionaries(TEXT, PLAIN, max_size=5))
def test_it_is_the_form_of_the_library_that_follows_the_rfc(value: dict[str, Any]) -> None:
    assert canonical.to_bytes(value) == rfc8785.dumps(value)


@given(st.dictionaries(TEXT, PLAIN, max_size=5))
def test_canonical_bytes_are_parsed_again(value: dict[str, Any]) -> None:
    assert canonical.from_strange_bytes(canonical.to_bytes(value)) == value


def test_lists_and_objects_are_parsed_up_to_a_depth_wherever_that_is_done() -> None:
    data = b'{"a":[' * 50 + b'"[{"' + b"]}" * 50
    assert canonical.to_bytes(canonical.from_strange_bytes(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":0.5}',
        b"[1e30]",
        b'{"a":"\\u0041"}',
        b'{"a":"\\ud800"}',
        b'{"a":9007199254740992}',
        b'{"a":1}\n',
        b"{",
        b"",
        b"\xff",
        b"[" * 100_000,
        b"[" * 101 + b"]" * 101,
        b"NaN",
    ],
)
def test_bytes_in_another_form_are_refused(data: bytes) -> None:
    with pytest.raises(canonical.NotCanonicalError):
        canonical.from_strange_bytes(data)
