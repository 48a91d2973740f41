"""Tidying of what people type."""

import unicodedata
from collections.abc import Callable

import pytest

from tests.stopwatch import measured
from tracker.ui.words import tidy_line, tidy_text


@pytest.mark.parametrize("tidy", [tidy_text, tidy_line])
@pytest.mark.parametrize("words", ["cafe\u0301", "e\u0302\u0323", "مُحَمَّدٌ", "a" + "\u0302" * 30])
def test_a_letter_keeps_the_marks_that_writing_needs(
    tidy: Callable[[str], str], words: str
) -> None:
    assert tidy(words) == unicodedata.normalize("NFC", words)


def test_endless_marks_on_a_letter_are_dropped_before_they_are_composed() -> None:
    """Composing half a million marks would take minutes on some versions of Python."""
    with measured() as taken:
        tidy = tidy_text("a" + "\u0302\u0323" * 250_000 + "e\u0301")
    assert taken.seconds < 5
    assert tidy.endswith("é")
    assert len(tidy) < 40


@pytest.mark.parametrize("tidy", [tidy_text, tidy_line])
@pytest.mark.parametrize(
    "words",
    ["\u200b", "\u200e \u200f", "\u3164", "\u2800\u00a0", "\u00ad\u2060", "\ufe0f", "\U000e0041"],
)
def test_a_text_in_which_nothing_can_be_seen_is_empty(
    tidy: Callable[[str], str], words: str
) -> None:
    """Else a required answer, or a person's name, could be one that nobody sees."""
    assert tidy(words) == ""
    assert tidy(f"{words}.").endswith(".")


@pytest.mark.parametrize(
    "words",
    ["Open\u200b Door", "\u202aOpen Door\u202c", "\u2067Open\u2069 Do\u00ador", "Open \u2066Door"],
)
def test_a_line_loses_what_hides_in_a_name_or_reorders_the_sentence_it_is_in(words: str) -> None:
    assert tidy_line(words) == "Open Door"


@pytest.mark.parametrize("words", ["می\u200cخواهم", "\u200fمكتب (NPM)\u200f", "क्\u200dष"])
def test_a_line_keeps_the_marks_that_scripts_need(words: str) -> None:
    assert tidy_line(words) == words


@pytest.mark.parametrize("tidy", [tidy_text, tidy_line])
def test_what_no_page_can_contain_is_removed(tidy: Callable[[str], str]) -> None:
    assert tidy("Open\x00\x1b\x7f\x80\x9f\ufdd0\ufdef\ufffe\uffff\U0001fffe Door") == "Open Door"
