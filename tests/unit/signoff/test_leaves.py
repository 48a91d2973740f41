"""Technical values of a frozen document are found wherever they are, and no others."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tracker.signoff.leaves import TECHNICAL, leaves, technical

LANGUAGES = ("en", "ar")
PARTS = sorted({part for place in TECHNICAL for part in place.split(".")} - {"*", "**"})
VALUES = st.one_of(st.none(), st.just(""), st.integers(), st.text(max_size=3))
WORDS = st.dictionaries(st.sampled_from(LANGUAGES), st.text(max_size=3), max_size=2)
KEYS = st.sampled_from([*PARTS, "7", "title", "en"])
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        st.one_of(VALUES, WORDS),
        lambda below: st.one_of(
            st.dictionaries(KEYS, below, max_size=4), st.lists(below, max_size=3)
        ),
        max_leaves=40,
    ),
    max_size=6,
)


@settings(max_examples=tries(200, 5_000))
@given(DOCUMENTS)
def test_technical_leaves_are_those_that_say_so_of_themselves(document: dict[str, Any]) -> None:
    assert technical(document, LANGUAGES) == [
        (leaf.place, str(leaf.value)) for leaf in leaves(document, LANGUAGES) if leaf.is_technical
    ]


def test_each_technical_place_is_found_in_lists_too() -> None:
    for place in TECHNICAL:
        document: Any = "x"
        for part in reversed(place.replace("**", "deep.er").split(".")):
            document = [document] if part == "*" else {part: document}
        where = place.replace("**", "deep.er").replace("*", "0")
        assert technical(document, LANGUAGES) == [(where, "x")], place


def test_what_people_read_beside_it_is_not_taken_for_it() -> None:
    document = {"template": {"title": "Terms", "words": "all"}, "people": [{"name": "Ada"}]}
    assert technical(document, LANGUAGES) == []
