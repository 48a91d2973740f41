"""Words are split, folded and marked in the same way, whatever is typed."""

import pytest

from tracker.search.words import LONGEST_QUESTION, MOST_WORDS, ask, folded, mark, snippet


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NPMs and CSOs", "npms and csos"),
        ("Überprüfung à l'école", "uberprufung a l ecole"),
        ("U\u0308ber", "uber"),
        ("Straße STRASSE", "strasse strasse"),
        ("مُعاهدة مـعاهدة أحكام", "معاهدة معاهدة احكام"),
        ("article 18(1), CAT/OP/12/5", "article 18 1 cat op 12 5"),
        ("snake_case x--y", "snake case x y"),
        ("ﬁrst ½ ² ⑴", "first 12 2 1"),
        ("\x00\x1f\ud800 ''\"\"", ""),
    ],
)
def test_words_are_folded(text: str, words: str) -> None:
    assert folded(text) == words


def test_a_long_word_asks_for_every_word_that_begins_with_it() -> None:
    question = ask("sign")
    assert question.asks_for("signed") == "sign"
    assert question.asks_for("sign") == "sign"
    assert question.asks_for("design") is None


def test_a_short_word_asks_for_itself() -> None:
    question = ask("no")
    assert question.asks_for("no") == "no"
    assert question.asks_for("not") is None


def test_nothing_typed_is_an_operator() -> None:
    assert ask('NEAR("a" OR b*) AND NOT title:-x ^y').words == (
        *("near", "a", "or", "b", "and", "not", "title", "x", "y"),
    )


@pytest.mark.parametrize("typed", ["", "   ", "***", "\x00", '"', "()", "\ud800", "—"])
def test_without_letters_and_digits_nothing_is_asked(typed: str) -> None:
    question = ask(typed)
    assert not question
    assert mark("All of it", question) == "All of it"


def test_a_search_with_too_many_words_says_so() -> None:
    many = ask(" ".join(f"w{n}" for n in range(MOST_WORDS + 1)))
    assert len(many.words) == MOST_WORDS
    assert many.shortened
    assert ask("x" * (LONGEST_QUESTION + 1)).shortened
    assert not ask("two words").shortened
    assert not ask("again again " * 9).shortened


def test_whole_words_are_marked_and_the_rest_is_escaped() -> None:
    assert str(mark("Signed <b> & resigned: sïgn", ask("sign"))) == (
        "<mark>Signed</mark> &lt;b&gt; &amp; resigned: <mark>sïgn</mark>"
    )


def test_words_held_are_counted_each_once() -> None:
    question = ask("sign signed visit")
    assert question.count_held("They signed, signed and signed.") == 2
    assert question.count_held("Nothing of it") == 0


def test_a_snippet_comes_from_the_line_that_answers_best() -> None:
    text = "Here we sign.\nHere we sign before a visit.\nA visit."
    assert str(snippet(text, ask("sign visit"))) == (
        "Here we <mark>sign</mark> before a <mark>visit</mark>."
    )


def test_a_snippet_of_a_long_line_is_cut_between_words() -> None:
    line = "before " * 60 + "the <hit> stands here " + "afterwards " * 60
    shown = str(snippet(line, ask("hit")))
    assert shown.startswith("… before ")
    assert "&lt;<mark>hit</mark>&gt; stands here" in shown
    assert shown.endswith("afterwards …")
    assert len(shown) < 300


@pytest.mark.parametrize("text", ["", "\n\n", "x" * 5000, "x " * 3000, "hit" * 2000])
def test_a_snippet_of_any_text_is_short(text: str) -> None:
    assert len(snippet(text, ask("hit"))) < 300


def test_a_snippet_without_a_hit_begins_at_the_beginning() -> None:
    assert str(snippet("First line.\nSecond line.", ask("nowhere"))) == "First line."
