"""The initials of an organisation."""

import pytest

from tracker.organisations.initials import initials_for


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("Open Door Legal Aid", "OD"),
        ("Office of the People's Advocate", "PA"),
        ("Lantern", "LA"),
        ("X", "X"),
        ("of the", "OT"),
        ("--", "?"),
        ("", "?"),
        ("ذاكرة العدالة", "ذا"),
        ("Straße-Hilfe", "SH"),
    ],
)
def test_the_mark_comes_of_the_name(name: str, mark: str) -> None:
    assert initials_for(name) == mark


def test_a_taken_mark_is_varied() -> None:
    taken: set[str] = set()
    for _again in range(8):
        mark = initials_for("Open Door Legal Aid", taken)
        assert mark not in taken
        assert 1 <= len(mark) <= 3
        taken.add(mark)
    assert {"OD", "ODL"} <= taken


def test_when_all_are_taken_the_first_is_given() -> None:
    assert initials_for("Xy", {"XY", "X", "Y"}) == "XY"
