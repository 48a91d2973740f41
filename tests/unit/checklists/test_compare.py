"""Differences word by word: both texts can be read back from the pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.checklists.compare import Difference, words


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("", "", []),
        ("a", "a", [("same", "a")]),
        ("", "a b", [("in", "a b")]),
        ("a b", "", [("out", "a b")]),
        (
            "within 5 days",
            "within 3 days",
            [("same", "within "), ("out", "5"), ("in", "3"), ("same", " days")],
        ),
        ("one two", "one", [("same", "one"), ("out", " two")]),
        ("ردّ خلال يومين", "ردّ خلال يوم", [("same", "ردّ خلال "), ("out", "يومين"), ("in", "يوم")]),
    ],
)
def test_pieces_say_what_is_taken_out_and_put_in(
    before: str, after: str, pieces: Difference
) -> None:
    assert words(before, after) == pieces


TEXT = st.text(st.sampled_from("ab \n<é"), max_size=30)


@given(TEXT, TEXT)
def test_both_texts_are_whole_in_the_pieces(before: str, after: str) -> None:
    pieces = words(before, after)
    assert "".join(text for kind, text in pieces if kind != "in") == before
    assert "".join(text for kind, text in pieces if kind != "out") == after
    assert all(text for _kind, text in pieces)
