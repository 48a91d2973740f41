"""Full-text search finds the same on both databases, and has no operators."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from tests.effort import tries
from tests.factories.guidance import SHIPPED
from tracker.guidance import library
from tracker.search import service as search
from tracker.search.words import ask, split

pytestmark = pytest.mark.both_databases

KIND = "trial"
TEXTS = {
    "terms": ("What to settle", "Both sides agree before the work begins.\nNothing is near."),
    "visits": ("Joint visits", "Roles are settled. L'État, c'est l'école; ﬁrst things first."),
    "arabic": ("أحكام", "نتفق قبل أن نبدأ العمل."),
    "odd": ("Odd signs", "100 % of 18(1), CAT/OP/12/5 and <b>bold</b> & 'quoted' snake_case"),
}


@pytest.fixture
def documents(session: Session) -> Iterator[None]:
    for key, (title, text) in TEXTS.items():
        search.put(KIND, key, "en", title, text)
    yield
    session.rollback()


def keys(typed: str) -> list[str]:
    return sorted(hit.key for hit in search.find(typed, [KIND]))


@pytest.mark.usefixtures("documents")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("before", ["terms"]),
        ("BEFORE work", ["terms"]),
        ("settl", ["terms", "visits"]),
        ("ettle", []),
        ("before visit", []),
        ("école", ["visits"]),
        ("ECOLE etat", ["visits"]),
        ("first", ["visits"]),
        ("احكام", ["arabic"]),
        ("قبل", ["arabic"]),
        ("18(1)", ["odd"]),
        ("CAT/OP/12/5", ["odd"]),
        ("cat-op", ["odd"]),
        ("snake", ["odd"]),
        ("o", []),
        ("c", ["visits"]),
        ("is", ["terms"]),
    ],
)
def test_words_are_found_by_their_beginning_whatever_their_form(
    typed: str, expected: list[str]
) -> None:
    assert keys(typed) == expected


@pytest.mark.usefixtures("documents")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("NEAR", ["terms"]),
        ('NEAR("work", 3)', []),
        ("nothing AND near", []),
        ("nothing OR near", []),
        ("NOT near", ["terms"]),
        ("title:joint", []),
        ("{title}: joint", []),
        ("sett*", ["terms", "visits"]),
        ("^settle", ["terms", "visits"]),
        ('"before the work"', ["terms"]),
        ('"before', ["terms"]),
        ("'quoted'", ["odd"]),
        ("before'", ["terms"]),
        ("<b>", ["odd"]),
        ("100 %", ["odd"]),
        ("before & !visits | (work)", []),
        ("before:*", ["terms"]),
        ("near <-> nothing", ["terms"]),
        ("before; DROP TABLE search_document --", []),
        ("\\", []),
        ("\x00before\x1f", ["terms"]),
        ("before\ud800", ["terms"]),
        ("", []),
        ("   ", []),
        ("***", []),
        ("()", []),
        ("\x00", []),
        ("%", []),
        ("_", []),
        ("x" * 100_000, []),
        ("before " * 20_000, ["terms"]),
        (" ".join(f"word{n}" for n in range(5000)), []),
        ("\u202e\u200bbefore", ["terms"]),
    ],
)
def test_whatever_is_typed_is_looked_for_literally(typed: str, expected: list[str]) -> None:
    assert keys(typed) == expected


@pytest.mark.usefixtures("documents")
def test_every_word_of_the_articles_finds_the_articles_that_contain_it() -> None:
    """The expected answers come from the texts alone, so both databases must agree on each."""
    texts = {
        article.head.slug: f"{article.head.question}\n{article.plain_text}"
        for article in library.read(SHIPPED).articles
    }
    for article in library.read(SHIPPED).articles:
        search.put("text", article.head.slug, "en", article.head.question, article.plain_text)
    words = sorted({word.folded for text in texts.values() for word in split(text)})
    assert len(words) > 1000
    pairs = [f"{word} {other}" for word, other in zip(words[::40], words[::-40], strict=True)]
    step = tries(9, 3)
    for typed in [*words[::step], *(word[:4] for word in words[:: 2 * step]), *pairs]:
        question = ask(typed)
        expected = {
            slug for slug, text in texts.items() if question.count_held(text) == len(question.words)
        }
        assert {hit.key for hit in search.find(question, ["text"])} == expected, typed


@pytest.mark.usefixtures("documents")
def test_a_word_in_the_title_counts_for_more() -> None:
    search.put(KIND, "title", "en", "Harbour", "Nothing more, " * 5)
    search.put(KIND, "text", "en", "Something else", "The harbour once, " + "nothing more, " * 5)
    assert [hit.key for hit in search.find("harbour", [KIND])] == ["title", "text"]


@pytest.mark.usefixtures("documents")
def test_a_hit_shows_its_words_marked_and_the_rest_escaped() -> None:
    (hit,) = search.find("bold odd", [KIND])
    assert str(hit.marked_title) == "<mark>Odd</mark> signs"
    assert "&lt;b&gt;<mark>bold</mark>&lt;/b&gt; &amp; &#39;quoted&#39;" in str(hit.snippet)


@pytest.mark.usefixtures("documents")
def test_indexing_a_document_again_replaces_it() -> None:
    assert search.put(KIND, "terms", "en", *TEXTS["terms"]) is False
    assert search.put(KIND, "terms", "en", "What to settle", "Other words.") is True
    assert keys("before") == []
    assert keys("other") == ["terms"]


@pytest.mark.usefixtures("documents")
def test_a_document_removed_is_found_no_more() -> None:
    search.put(KIND, "terms", "ar", "أحكام", "كلمة")
    search.remove(KIND, "terms", "en")
    assert keys("before") == []
    assert keys("كلمة") == ["terms"]
    search.remove(KIND, "terms")
    assert keys("كلمة") == []
    search.remove(KIND, "never-there")


@pytest.mark.usefixtures("documents")
def test_only_documents_of_the_requested_kinds_and_language_are_found() -> None:
    search.put("other", "terms", "en", *TEXTS["terms"])
    search.put(KIND, "terms", "fr", *TEXTS["terms"])
    assert [hit.language for hit in search.find("before", [KIND], language="fr")] == ["fr"]
    assert {hit.kind for hit in search.find("before", ["other"])} == {"other"}
    assert len(search.find("before", [KIND, "other"])) == 3
    assert search.find("before", []) == []


@pytest.mark.usefixtures("documents")
def test_no_more_than_the_limit_is_found() -> None:
    for number in range(5):
        search.put(KIND, f"more-{number}", "en", "Harbour", "x")
    assert len(search.find("harbour", [KIND], limit=3)) == 3


@pytest.mark.usefixtures("documents")
def test_a_text_of_any_kind_can_be_indexed() -> None:
    long = " ".join(f"word{number}" for number in range(20_000))
    search.put(KIND, "long", "en", "Long", f"{long} harbour")
    search.put(KIND, "signs", "en", "\x00'\"\\", "quay\x00side ' \" \\ : * & | ! ( )")
    search.put(KIND, "empty", "en", "", "")
    search.put(KIND, "one-word", "en", "x" * 10_000, "y" * 10_000)
    assert keys("harbour") == ["long"]
    assert keys("quayside") == ["signs"]
    assert keys("y" * 60) == ["one-word"]
