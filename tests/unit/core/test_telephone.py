"""Telephone numbers: which address a phone dials."""

import pytest

from tracker.core.telephone import Telephone


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("+00 555 010", "tel:+00555010"),
        ("(030) 55 50-10", "tel:030555010"),
        ("112", "tel:112"),
        ("+00 (0)30/555.010", "tel:+0030555010"),
        ("(0)30 555", "tel:030555"),
    ],
)
def test_a_number_is_dialled_without_the_marks_that_people_type(typed: str, address: str) -> None:
    number = Telephone(typed)
    assert number == typed
    assert number.address == address
