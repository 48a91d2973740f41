"""The canonical document: one byte form, everything in all languages, each word bound."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import frozen_texts as texts
from tests.factories import templates as small
from tests.factories.ui import make_page_frame
from tests.factories.words import arabic_words
from tracker.agreements import frozen_text
from tracker.agreements.document import Languages, document
from tracker.checklists.localized_values import Table
from tracker.core import canonical, clock
from tracker.core.localized import language_of
from tracker.mail.render import in_language


@pytest.fixture(autouse=True)
def languages_are_known() -> Iterator[None]:
    """The application's texts in all its languages."""
    with make_page_frame().app.app_context():
        yield


def in_both(*left_out: str, binding: str = "ar") -> dict[str, Any]:
    loaded = texts.filled()
    words = arabic_words(loaded.template, *left_out)
    return texts.text_of(loaded, words, binding=binding)


def items(text: dict[str, Any]) -> dict[str, Any]:
    return {item["code"]: item for section in text["sections"] for item in section["items"]}


def fields(text: dict[str, Any], code: str) -> dict[str, Any]:
    return {field["key"]: field for field in items(text)[code]["answers"][0]["fields"]}


# Content


def test_it_names_the_version_the_words_and_the_languages() -> None:
    loaded = texts.filled()
    words = texts.words_row(arabic_words(loaded.template), number=4)
    text = document(loaded, texts.SIGNATORIES, texts.GUIDANCE, Languages("en", {"ar": words}, "ar"))
    assert text["template"] == {
        "kind": "terms",
        "version": 90,
        "digest": loaded.checklist.template.digest,
        "language": "en",
        "words": [{"language": "ar", "number": 4, "digest": words.digest}],
    }
    assert (text["languages"], text["binding_language"]) == (["ar", "en"], "ar")
    assert text["time_zone"] == clock.zone().key
    assert text["cooperation"]["starts_on"] == "2027-02-01"
    assert text["cooperation"]["ends_on"] is None
    assert text["signatories"] == texts.SIGNATORIES
    assert text["guidance"][0] == {
        "slug": "settling-terms",
        "language": "en",
        "revision": 1,
        "digest": "a" * 64,
    }


def test_wording_is_stored_in_each_language() -> None:
    text = in_both()
    assert text["title"] == {"en": "A small checklist", "ar": "عربي A small checklist"}
    assert text["sections"][0]["title"] == {"en": "All of it", "ar": "عربي All of it"}
    item = items(text)["M2"]
    assert item["label"] == {"en": "Item M2", "ar": "عربي Item M2"}
    assert item["prompt"] == {"en": "What about M2?", "ar": "عربي What about M2?"}
    shown = fields(text, "M2")
    assert shown["kind"]["label"] == {"en": "Kind", "ar": "عربي Kind"}
    assert shown["kind"]["text"] == {"en": "Prison", "ar": "عربي Prison"}
    assert shown["day"]["text"] == {"en": "14 January 2027", "ar": "14 يناير 2027"}
    several = fields(text, "M3")
    assert several["kinds"]["texts"] == [
        {"en": "Police station", "ar": "عربي Police station"},
        {"en": "Another place", "ar": "عربي Another place"},
    ]
    assert set(several["yes"]["text"]) == {"en", "ar"}
    assert text["parties"][1]["kind"] == {
        "en": "Civil society organisation (CSO)",
        "ar": "منظمة من المجتمع المدني",
    }


def test_typed_text_is_stored_once() -> None:
    text = in_both()
    assert fields(text, "M1")["words"]["text"] == "As <b>settled</b>, «كما هو»."
    own = items(text)["M5"]["answers"]
    assert [(answer["by"], answer["by_name"]) for answer in own] == [
        (str(party.organisation_id), party.name) for party in small.PARTIES
    ]
    assert own[1]["fields"][0]["text"] == "Own 2"
    assert items(text)["M6"]["answers"] == [
        {"by": None, "by_name": "", "version": 1, "not_applicable_because": "Not here."}
    ]


def test_a_table_is_stored_cell_by_cell() -> None:
    table = fields(in_both(), "M4")["persons"]
    assert [head["label"]["ar"] for head in table["columns"]] == [
        "عربي Which",
        "عربي Person",
        "عربي Party",
        "عربي From",
        "عربي Days",
        "عربي Class",
        "عربي Agrees",
        "عربي Kind",
    ]
    (row,) = table["rows"]
    assert row == [
        {"en": "The first", "ar": "عربي The first"},
        "Samira Okell",
        "Open Door",
        {"en": "14 January 2027", "ar": "14 يناير 2027"},
        {"en": "30 days", "ar": "30 أيام"},
        {"en": "K4 Personal data", "ar": "K4 بيانات شخصية"},
        {"en": "Yes", "ar": "نعم"},
        {"en": "Police station", "ar": "عربي Police station"},
    ]


def test_the_values_as_kept_and_the_persons_they_name_stand_beside_the_words() -> None:
    text = in_both()
    assert items(text)["M2"]["answers"][0]["values"] == {"kind": "prison", "day": texts.DAY}
    assert text["people"] == [{"id": str(small.SAMIRA), "name": "Samira Okell"}]


def test_untranslated_text_is_in_the_checklists_own_language() -> None:
    text = in_both("M2")
    assert items(text)["M2"]["label"] == {"en": "Item M2"}
    assert fields(text, "M2")["kind"]["text"] == {"en": "Prison"}
    # The application words dates, in every language.
    assert set(fields(text, "M2")["day"]["text"]) == {"en", "ar"}
    assert set(items(text)["M1"]["label"]) == {"en", "ar"}


def test_items_not_begun_are_not_in_it() -> None:
    assert list(items(in_both())) == ["M1", "M2", "M3", "M4", "M5", "M6"]


def test_with_one_language_everything_is_in_that_language() -> None:
    text = texts.text_of()
    assert text["languages"] == ["en"]
    assert items(text)["M1"]["label"] == {"en": "Item M1"}
    assert text["template"]["words"] == []


# One byte form


def test_the_same_document_has_the_same_bytes_whoever_sends_it_in_whatever_language() -> None:
    loaded = texts.filled()
    words = {"ar": texts.words_row(arabic_words(loaded.template))}
    languages = Languages("en", words, "ar")
    documents = []
    for reader in ("en", "ar"):
        with in_language(reader):
            text = document(loaded, texts.SIGNATORIES, texts.GUIDANCE, languages)
            documents.append(canonical.to_bytes(text))
    assert documents[0] == documents[1]


def shuffled(tree: Any, draw: Any) -> Any:
    """Return an equal tree whose keys are in another order."""
    if isinstance(tree, dict):
        keys = draw(st.permutations(list(tree)))
        return {key: shuffled(tree[key], draw) for key in keys}
    if isinstance(tree, list):
        return [shuffled(part, draw) for part in tree]
    return tree


@pytest.fixture(scope="module")
def text() -> dict[str, Any]:
    with make_page_frame().app.app_context():
        return in_both()


@settings(max_examples=50)
@given(data=st.data())
def test_the_order_of_keys_does_not_count(text: dict[str, Any], data: st.DataObject) -> None:
    other = shuffled(text, data.draw)
    assert canonical.to_bytes(other) == canonical.to_bytes(text)


Path = tuple[str | int, ...]


def leaves(tree: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path to every value in a text."""
    parts: Any = ()
    if isinstance(tree, dict):
        parts = tree.items()
    elif isinstance(tree, list):
        parts = enumerate(tree)
    else:
        yield path
    for key, part in parts:
        yield from leaves(part, (*path, key))


def with_other(tree: Any, path: Path, value: Any) -> Any:
    other = copy.deepcopy(tree)
    place = other
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return other


def at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def test_changing_any_word_changes_the_digest(text: dict[str, Any]) -> None:
    before = canonical.digest_of(text)
    ways = list(leaves(text))
    assert len(ways) > 150
    digests = set()
    for path in ways:
        value = at(text, path)
        other = not value if isinstance(value, bool) else f"{value}." if value else "x"
        digests.add(canonical.digest_of(with_other(text, path, other)))
    assert before not in digests
    assert len(digests) == len(ways)


@settings(max_examples=100)
@given(data=st.data(), words=st.text(st.characters(exclude_categories=["Cs"])))
def test_words_that_differ_in_a_single_sign_have_another_digest(
    text: dict[str, Any], data: st.DataObject, words: str
) -> None:
    ways = [path for path in leaves(text) if isinstance(at(text, path), str)]
    path = data.draw(st.sampled_from(ways))
    other = with_other(text, path, words)
    same = at(text, path) == words
    assert (canonical.digest_of(other) == canonical.digest_of(text)) == same


# Reading it back


def test_it_reads_in_each_language_as_its_readers_saw_it() -> None:
    whole = texts.as_frozen(in_both("M2"))
    arabic, english = frozen_text.read(whole, "ar"), frozen_text.read(whole, "en")
    assert (arabic.language, arabic.languages, arabic.binding) == ("ar", ("ar", "en"), "ar")
    assert (arabic.title, english.title) == ("عربي A small checklist", "A small checklist")
    assert arabic.by_code["M1"].label == "عربي Item M1"
    assert english.by_code["M1"].prompt == "What about M1?"
    assert language_of(arabic.by_code["M2"].label) == "en"
    label, table = arabic.by_code["M4"].answers[0].parts[0]
    assert isinstance(table, Table)
    assert (label, table.lines[0][:2]) == ("عربي Persons", ("عربي The first", "Samira Okell"))
    assert english.by_code["M3"].answers[0].parts[0] == ("Kinds", "Police station\nAnother place")
    assert (arabic.reference, arabic.cooperation) == ("C-2027-0001", "Joint monitoring")
    assert english.parties == ("People's Advocate", "Open Door", "Lantern")
    assert english.by_code["M5"].answers[0].by == "People's Advocate"


def test_the_reason_for_leaving_out_an_item_is_in_the_readers_language() -> None:
    whole = texts.as_frozen(in_both())
    read = {
        code: frozen_text.read(whole, code).by_code["M6"].answers[0].parts for code in ("en", "ar")
    }
    assert read["en"] == [("", "Does not apply: Not here.")]
    assert read["ar"][0][1].startswith("لا ينطبق")


@pytest.mark.parametrize(("requested", "binding"), [("fr", "ar"), ("", "ar"), ("fr", "en")])
def test_without_words_in_a_language_the_binding_one_is_read(requested: str, binding: str) -> None:
    whole = texts.as_frozen(in_both(binding=binding))
    assert frozen_text.read(whole, requested).language == binding


# The previous format


def test_a_text_in_the_first_shape_reads_as_it_did() -> None:
    table = texts.first_field(
        "table",
        "",
        columns=[
            {"label": "Who", "type": "line", "unit": ""},
            {"label": "From", "type": "date", "unit": ""},
            {"label": "Days", "type": "number", "unit": "days"},
        ],
        rows=[["Samira Okell", texts.DAY, "30"], ["", "", ""]],
    )
    kinds = texts.first_field("choices", "", texts=["Prison", "Police station"])
    yes = texts.first_field("confirm", "yes", label="We agree")
    whole = texts.first_shape(texts.first_item("M1", [table, kinds, yes]))
    read = frozen_text.read(whole, "ar")
    assert (read.language, read.languages, read.binding) == ("en", ("en",), "en")
    assert (read.title, read.template_version) == ("Agreed terms", 1)
    item = read.by_code["M1"]
    assert language_of(item.label) == language_of(read.title) == "en"
    assert item.answers[0].parts == [
        (
            "Words",
            Table(
                ("Who", "From", "Days"),
                (("Samira Okell", "14 January 2027", "30 days"), ("", "", "")),
            ),
        ),
        ("Words", "Prison\nPolice station"),
        ("We agree", "Confirmed"),
    ]


def test_what_was_left_out_in_the_first_shape_says_why() -> None:
    item = texts.first_item("M6")
    item["answers"] = [
        {"by": "", "version": 1, "not_applicable_because": "Not here.", "fields": []}
    ]
    read = frozen_text.read(texts.first_shape(item))
    assert read.by_code["M6"].answers[0].parts == [("", "Does not apply: Not here.")]


def test_a_text_in_the_first_shape_has_the_digest_it_had() -> None:
    """Bytes that were frozen and signed are never rewritten."""
    whole = texts.first_shape()
    stored = canonical.to_bytes(whole)
    frozen_text.read(canonical.from_bytes(stored), "ar")
    assert canonical.to_bytes(canonical.from_bytes(stored)) == stored
