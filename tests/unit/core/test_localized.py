"""Strings that carry their language, and texts in several languages."""

import copy

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tracker.core.localized import (
    LocalizedStr,
    joined,
    language_of,
    merged,
    pick_language,
)


def test_words_that_know_their_language_are_words_like_any_other() -> None:
    words = LocalizedStr("Goals", "en")
    assert words == "Goals"
    assert {"Goals": 1}[words] == 1
    assert f"{words}!" == "Goals!"
    assert rfc8785.dumps({"a": words}) == b'{"a":"Goals"}'
    assert (language_of(words), language_of("Goals"), language_of(None)) == ("en", "", "")
    assert language_of(copy.deepcopy(words)) == "en"


def test_joining_texts_in_one_language_keeps_the_language() -> None:
    assert language_of(joined("\n", [LocalizedStr("One", "en"), LocalizedStr("Two", "en")])) == "en"
    assert joined(", ", [LocalizedStr("One", "en"), "typed"]) == "One, typed"
    assert language_of(joined(", ", [LocalizedStr("One", "en"), "typed"])) == ""
    assert language_of(joined(", ", [LocalizedStr("One", "en"), LocalizedStr("اثنان", "ar")])) == ""
    assert joined(", ", []) == ""


def test_a_text_is_shown_in_the_first_language_it_has() -> None:
    text = {"ar": "الأهداف", "en": "Objectives"}
    assert pick_language(text, "ar", "en") == "الأهداف"
    assert language_of(pick_language(text, "fr", "en")) == "en"
    assert pick_language(text, "fr") == "الأهداف"
    assert pick_language("typed", "ar") == "typed"
    assert language_of(pick_language("typed", "ar")) == ""


def test_versions_of_a_text_are_merged_into_one_with_each_language() -> None:
    english = {
        "label": LocalizedStr("Goals", "en"),
        "rows": [["typed", LocalizedStr("Yes", "en")]],
        "n": 3,
    }
    arabic = {
        "label": LocalizedStr("الأهداف", "ar"),
        "rows": [["typed", LocalizedStr("نعم", "ar")]],
        "n": 3,
    }
    assert merged([english, arabic]) == {
        "label": {"en": "Goals", "ar": "الأهداف"},
        "rows": [["typed", {"en": "Yes", "ar": "نعم"}]],
        "n": 3,
    }


def test_an_untranslated_text_occurs_once() -> None:
    assert merged([LocalizedStr("Goals", "en"), LocalizedStr("Goals", "en")]) == {"en": "Goals"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("typed", "other"),
        ({"a": 1}, {"b": 1}),
        ([1], [1, 2]),
        ({"a": ["typed"]}, {"a": ["other"]}),
        (1, None),
    ],
)
def test_versions_that_differ_in_more_than_their_words_are_refused(
    first: object, second: object
) -> None:
    with pytest.raises(ValueError, match="differ in more than their words"):
        merged([first, second])


TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.text().map(lambda t: LocalizedStr(t, "en")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(TREES)
def test_merging_one_version_loses_nothing(tree: object) -> None:
    def plain(part: object) -> object:
        match part:
            case LocalizedStr():
                return {part.language: str(part)}
            case dict():
                return {key: plain(value) for key, value in part.items()}
            case list():
                return [plain(value) for value in part]
        return part

    assert merged([tree]) == plain(tree)
    assert merged([tree, copy.deepcopy(tree)]) == plain(tree)
