"""Tidying of what people type."""

import unicodedata
from collections.abc import Callable
from time import process_time

import pytest

from tracker.ui.words import tidy_line, tidy_text


@pytest.mark.parametrize("tidy", [tidy_text, tidy_line])
@pytest.mark.parametrize("words", ["cafe\u0301", "e\u0302\u0323", "مُحَمَّدٌ", "a" + "\u0302" * 30])
def test_a_letter_keeps_the_marks_that_writing_needs(
    tidy: Callable[[str], str], words: str
) -> None:
    assert tidy(words) == unicodedata.normalize("NFC", words)


def test_endless_marks_on_a_letter_are_dropped_before_they_are_composed() -> None:
    """Composing half a million marks would take minutes on some versions of Python."""
    begun = process_time()
    tidy = tidy_text("a" + "\u0302\u0323" * 250_000 + "e\u0301")
    assert process_time() - begun < 5
    assert tidy.endswith("é")
    assert len(tidy) < 40
