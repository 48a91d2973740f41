"""The answers of a text in force are compared with those that its parties signed."""

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from tracker.checklists.rules.facts import Filled
from tracker.visits.as_signed import _is_as_signed

ROWS = [{"person": "a", "until": "2027-05-01"}, {"person": "b", "until": ""}]


def filled(values: dict[str, Any], *, left_out: bool = False) -> Filled:
    now = dt.datetime.now(dt.UTC)
    return Filled(uuid4(), 2, values, uuid4(), uuid4(), now, not_applicable=left_out)


@pytest.mark.parametrize(
    ("values", "is_as_signed"),
    [
        ({"lead": "a", "rows": ROWS}, True),
        # A column or field that wasn't shown when the text was signed.
        ({"lead": "a", "rows": [row | {"phone": "1"} for row in ROWS], "more": "x"}, True),
        ({"lead": "b", "rows": ROWS}, False),
        ({"lead": "a", "rows": ROWS[:1]}, False),
        ({"lead": "a", "rows": [ROWS[0], ROWS[1] | {"until": "2028-01-01"}]}, False),
        ({"rows": ROWS}, False),
        ({}, False),
    ],
)
def test_an_answer_is_as_signed_if_it_has_all_that_was_signed(
    values: dict[str, Any], *, is_as_signed: bool
) -> None:
    signed = {"by": None, "values": {"lead": "a", "rows": ROWS}}
    assert _is_as_signed(signed, filled(values)) is is_as_signed
    assert not _is_as_signed(signed, filled(values, left_out=True))


def test_an_answer_that_is_gone_or_was_left_out_is_compared_too() -> None:
    assert not _is_as_signed({"by": None, "values": {"lead": "a"}}, None)
    left_out = {"by": None, "not_applicable_because": "Nobody is asked."}
    assert _is_as_signed(left_out, filled({"reason": "x"}, left_out=True))
    assert not _is_as_signed(left_out, filled({"lead": "a"}))


def test_an_early_format_has_only_words_and_is_not_compared() -> None:
    assert _is_as_signed({"by": None, "fields": []}, filled({"lead": "a"}))
