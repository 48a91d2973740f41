"""Differences word by word: both texts can be restored from the pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stopwatch import measured
from tracker.checklist_templates.value_differences import (
    Difference,
    RowDifference,
    lines,
    tables,
    words,
)


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
def test_pieces_show_what_is_removed_and_added(before: str, after: str, pieces: Difference) -> None:
    assert words(before, after) == pieces


TEXT = st.text(st.sampled_from("ab \n<é"), max_size=30)


@given(TEXT, TEXT)
def test_both_texts_are_whole_in_the_pieces(before: str, after: str) -> None:
    pieces = words(before, after)
    assert "".join(text for kind, text in pieces if kind != "in") == before
    assert "".join(text for kind, text in pieces if kind != "out") == after
    assert all(text for _kind, text in pieces)


def test_lines_that_differ_are_shown_each_change_together() -> None:
    assert lines("a\nb\nc\nd\n", "a\nx\ny\nd\ne\n") == [
        ("out", "b\n"),
        ("out", "c\n"),
        ("in", "x\n"),
        ("in", "y\n"),
        ("in", "e\n"),
    ]
    assert lines("a\nb", "a\nb\n") == []


def test_the_lines_of_texts_that_have_nothing_in_common_are_compared_at_once() -> None:
    old, new = ("\n".join(f"{number} {word * 9}" for number in range(4000)) for word in "no")
    with measured() as taken:
        assert len(lines(old, new)) == 8000
    assert taken.seconds < 1


HEADS = ("Cost", "Payer", "Rule")
TRAVEL = ("Travel", "The NPM", "Public rates")
MEALS = ("Meals", "The NPM", "A day's rate")


def test_a_changed_cell_is_shown_within_its_row_and_equal_rows_are_counted() -> None:
    difference = tables(
        HEADS, [TRAVEL, MEALS], HEADS, [TRAVEL, ("Meals", "The CSO", "A day's rate")]
    )
    assert difference.unchanged == 1
    assert difference.rows == (
        RowDifference(
            "changed",
            (
                [("same", "Meals")],
                [("same", "The "), ("out", "NPM"), ("in", "CSO")],
                [("same", "A day's rate")],
            ),
        ),
    )


def test_a_new_or_removed_row_is_shown_as_such() -> None:
    put_in = tables(HEADS, [TRAVEL], HEADS, [TRAVEL, MEALS])
    assert [row.kind for row in put_in.rows] == ["in"]
    assert put_in.rows[0].cells[0] == [("in", "Meals")]
    taken_out = tables(HEADS, [TRAVEL, MEALS], HEADS, [MEALS])
    assert [row.kind for row in taken_out.rows] == ["out"]
    assert taken_out.unchanged == 1


def test_a_column_that_only_one_table_has_keeps_its_position() -> None:
    difference = tables(("Cost", "Rule"), [("Travel", "Public rates")], HEADS, [TRAVEL])
    assert difference.heads == HEADS
    assert difference.rows[0].cells[1] == [("in", "The NPM")]
    gone = tables(HEADS, [TRAVEL], ("Cost", "Rule"), [("Travel", "Public rates")])
    assert gone.heads == HEADS
    assert gone.rows[0].cells[1] == [("out", "The NPM")]


@pytest.mark.parametrize(("count", "is_replaced"), [(1_000, False), (11_000, True)])
def test_of_texts_too_long_to_compare_all_between_what_they_share_counts_as_replaced(
    count: int, is_replaced: bool
) -> None:
    """Comparing 100,000 lines with 100,000 others would take a gigabyte of memory."""
    before, other = (
        "same\n" + f"{sign}\n" * count + "shared\n" + f"{sign}\n" * count + "same\n"
        for sign in "ab"
    )
    differences = lines(before, other)
    assert (("out", "shared\n") in differences) is is_replaced
    assert ("in", "same\n") not in differences
    assert differences.count(("in", "b\n")) == 2 * count


def test_two_long_texts_are_compared_while_somebody_waits() -> None:
    old = " ".join(f"word{n % 97} of the" for n in range(900))
    new = " ".join(f"word{n % 89} of a" for n in range(900))
    with measured() as taken:
        assert words(old, new)
    assert taken.seconds < 2


LINES = st.lists(st.tuples(*[st.sampled_from(["", "a", "b c", "b d"])] * 3), max_size=5)


@given(LINES, LINES)
def test_both_tables_are_whole_in_the_rows(
    before: list[tuple[str, ...]], after: list[tuple[str, ...]]
) -> None:
    difference = tables(HEADS, before, HEADS, after)
    kinds = [row.kind for row in difference.rows]
    assert len(before) == difference.unchanged + kinds.count("out") + kinds.count("changed")
    assert len(after) == difference.unchanged + kinds.count("in") + kinds.count("changed")
    for row in difference.rows:
        old = tuple(_text(cell, "in") for cell in row.cells)
        new = tuple(_text(cell, "out") for cell in row.cells)
        assert row.kind == "in" or old in before
        assert row.kind == "out" or new in after


def _text(cell: Difference, without: str) -> str:
    return "".join(text for kind, text in cell if kind != without)
