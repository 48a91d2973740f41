"""CSRF tokens look different in each response and stay the same token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.core.csrf import masked, unmasked

TOKEN = "ImE0NGYi.awlwPw.GUzIgfX-EmUSB9kXW2J7xMSxCZ0"
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@given(PRINTABLE)
def test_a_masked_token_is_the_same_token(token: str) -> None:
    assert unmasked(masked(token)) == token


def test_a_token_looks_different_each_time() -> None:
    seen = {masked(TOKEN) for _ in range(50)}
    assert len(seen) == 50
    assert not any(TOKEN[:8] in body for body in seen)
    assert len({token[:8] for token in seen}) == 50


def test_a_token_that_was_not_masked_is_left_as_it_is() -> None:
    """Pages that were open during an update can still be sent."""
    assert unmasked(TOKEN) == TOKEN


@pytest.mark.parametrize("text", ["", "x", "é", "AAAA", "AAA=", "\x00", "A" * 9999, "-_-_"])
def test_an_invalid_token_raises_nothing(text: str) -> None:
    assert isinstance(unmasked(text), str)
