"""Which visits an interest concerns; in doubt, it concerns them."""

import pytest

from tracker.undertakings.models import Reach
from tracker.undertakings.places import Places

ALL = Places(Reach.ALL)
POLICE = Places(Reach.KIND, kind="police")


def name(text: str) -> Places:
    return Places(Reach.NAMED, name=text)


@pytest.mark.parametrize("kind", [None, "", "police", "prison", "other"])
def test_all_places_are_all_places(kind: str | None) -> None:
    assert ALL.concern(kind, "Anywhere")


@pytest.mark.parametrize(
    ("kind", "concerned"),
    [("police", True), ("prison", False), ("other", True), (None, True), ("", True)],
)
def test_a_kind_of_place_is_distinguished_from_other_known_kinds(
    kind: str | None, concerned: bool
) -> None:
    assert POLICE.concern(kind, "Anywhere") is concerned


@pytest.mark.parametrize(
    "place",
    [
        "Tora prison",
        "The old TORA",
        "Tura central prison",  # another spelling
        "North prison",  # the same kind in its name: not surely another
        "سجن طرة",  # another script
        "",
        "—",
        "12",
    ],
)
def test_a_place_that_may_be_the_named_one_is_concerned(place: str) -> None:
    assert name("Tora prison").concern("prison", place)


@pytest.mark.parametrize("place", ["Quillfen remand house", "Ommelmark", "Zuid station, Brussel"])
def test_a_place_with_another_name_is_not_concerned(place: str) -> None:
    assert not name("Tora prison").concern("prison", place)


def test_arabic_names_are_distinguished() -> None:
    assert name("سجن طرة").concern("prison", "سجن طره")
    assert not name("مركز الزهور").concern("prison", "سجن طرة")


def test_places_are_stored_and_read_back() -> None:
    for places in (ALL, POLICE, name("Tora")):
        assert Places.from_values(places.to_values()) == places
