"""The term that follows another: of the same length, in whole months if the first one is."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.agreements.renewal import Term, began, next_term, term_in


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "end", "next_start", "next_end"),
    [
        ("2026-01-01", "2026-12-31", "2027-01-01", "2027-12-31"),
        ("2027-03-01", "2028-02-29", "2028-03-01", "2029-02-28"),
        ("2026-03-15", "2026-09-14", "2026-09-15", "2027-03-14"),
        ("2026-01-01", "2027-12-31", "2028-01-01", "2029-12-31"),
        ("2026-01-01", "2026-01-10", "2026-01-11", "2026-01-20"),
        ("2026-02-01", "2026-02-28", "2026-03-01", "2026-03-31"),
    ],
)
def test_the_next_term_is_as_long(start: str, end: str, next_start: str, next_end: str) -> None:
    after = next_term(Term(day(start), day(end)))
    assert (after.start, after.end) == (day(next_start), day(next_end))


@pytest.mark.parametrize(
    ("end", "earlier", "expected"),
    [
        # A first text: its term begins with it.
        ("2026-12-31", [], "2026-01-01"),
        # Renewed by new dates, with the first day kept: a year that follows a year.
        ("2027-12-31", ["2026-12-31"], "2027-01-01"),
        ("2028-12-31", ["2026-12-31", "2027-12-31"], "2028-01-01"),
        # Amended in other items: the same term goes on.
        ("2027-12-31", ["2026-12-31", "2027-12-31"], "2027-01-01"),
        # Shortened, or only a last day that was corrected: no further term.
        ("2026-06-30", ["2026-12-31"], "2026-01-01"),
        ("2026-12-31", ["2026-12-30"], "2026-01-01"),
        # Terms that ended before this text began.
        ("2026-12-31", ["2025-12-31"], "2026-01-01"),
    ],
)
def test_a_term_begins_after_the_last_day_of_the_terms_that_the_text_prolongs(
    end: str, earlier: list[str], expected: str
) -> None:
    term = Term(day("2026-01-01"), day(end))
    assert began(term, map(day, earlier)) == day(expected)


def test_terms_that_were_prolonged_renew_for_as_long_as_the_term_that_ends() -> None:
    term = Term(day("2026-01-01"), day("2027-12-31"))
    after = next_term(term, day("2027-01-01"))
    assert (after.start, after.end) == (day("2028-01-01"), day("2028-12-31"))


def test_the_review_of_a_shorter_term_is_within_it() -> None:
    """Otherwise it would be overdue on the first day, and no visit could be planned (G5)."""
    term = Term(day("2026-01-01"), day("2028-12-31"), day("2027-12-15"))
    after = next_term(term, day("2028-01-01"))
    assert (after.start, after.end) == (day("2029-01-01"), day("2029-12-31"))
    assert after.review == day("2029-07-02")


def test_the_review_keeps_its_distance_from_the_end() -> None:
    term = Term(day("2026-01-01"), day("2026-12-31"), day("2026-12-01"), renews_itself=True)
    after = next_term(term)
    assert (after.review, after.renews_itself) == (day("2027-12-01"), True)


@given(start=st.dates(dt.date(2000, 1, 1), dt.date(2060, 1, 1)), length=st.integers(0, 2000))
def test_terms_follow_each_other_without_a_gap(start: dt.date, length: int) -> None:
    term = Term(start, start + dt.timedelta(days=length))
    after = next_term(term)
    assert after.start == term.end + dt.timedelta(days=1)
    assert after.end >= after.start


def frozen(**values: Any) -> dict[str, Any]:
    item = {"code": "M19", "answers": [{"values": values}]}
    return {"sections": [{"items": [item]}]}


YEAR = {"start": "2026-01-01", "end": "2026-12-31"}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (frozen(**YEAR), Term(day("2026-01-01"), day("2026-12-31"))),
        (
            frozen(**YEAR, review="2026-06-01", renewal="automatic"),
            Term(day("2026-01-01"), day("2026-12-31"), day("2026-06-01"), renews_itself=True),
        ),
        (
            frozen(**YEAR, renewal="agreement"),
            Term(day("2026-01-01"), day("2026-12-31")),
        ),
        (frozen(start="2026-01-01"), None),
        (frozen(), None),
        ({"sections": [{"items": [{"code": "M19", "answers": []}]}]}, None),
        ({"sections": []}, None),
    ],
)
def test_a_signed_text_names_its_term(document: dict[str, Any], expected: Term | None) -> None:
    assert term_in(document) == expected
