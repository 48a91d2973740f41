"""One passage of an article is changed, added, moved or removed; the others stay byte for byte."""

import pytest

from tracker.authoring.passages import splicing
from tracker.authoring.passages.splicing import PassageWords
from tracker.core.errors import RuleBrokenError
from tracker.core.mistakes import ContentError, Mistake

FIRST = "## First  {#one S1  S2 U6}\n\nWords,   *with*\nlines.\n\n- a\n\n"
SECOND = "## Second {#two}\nNo blank line.\n\n\n"
THIRD = "Third\n---\n\n### Inside\n\n```\n## not a heading\n```"
BODY = f"A lead.\n\n{FIRST}\n{SECOND}{THIRD}"


def test_one_passage_is_changed_and_the_others_stay_as_they_are() -> None:
    after = splicing.changed(BODY, 2, PassageWords("Other", "New words."))
    assert after == f"A lead.\n\n{FIRST}\n## Other {{#two}}\n\nNew words.\n\n{THIRD}"
    after = splicing.changed(BODY, 3, PassageWords("Third", "Last."))
    assert after == f"A lead.\n\n{FIRST}\n{SECOND}## Third\n\nLast."
    after = splicing.changed(BODY, 1, PassageWords("First", "Last."))
    assert after == f"A lead.\n\n## First {{#one S1  S2 U6}}\n\nLast.\n\n{SECOND}{THIRD}"


def test_what_says_the_same_changes_nothing() -> None:
    assert splicing.changed(BODY, 2, PassageWords("Second", "No blank line.")) == BODY


def test_an_article_that_begins_with_a_passage_has_no_lead() -> None:
    after = splicing.changed(SECOND + THIRD, 1, PassageWords("Second", "Words."))
    assert after == f"## Second {{#two}}\n\nWords.\n\n{THIRD}"


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_passage_is_added_after_another(after: int) -> None:
    body = splicing.added(BODY, after, PassageWords("New", "Words."), "{#new}")
    assert splicing.removed(body, after + 1).rstrip() == BODY.rstrip() or after == 3
    assert "## New {#new}\n\nWords." in body
    for piece in (FIRST.strip(), SECOND.strip(), THIRD):
        assert piece in body


def test_a_passage_is_moved_and_its_text_stays() -> None:
    assert splicing.moved(BODY, 1, 1).startswith(f"A lead.\n\n{SECOND}## First  {{#one")
    last = splicing.moved(BODY, 2, 1)
    assert last.endswith("```\n\n## Second {#two}\nNo blank line.")
    assert splicing.moved(splicing.moved(BODY, 2, 1), 3, -1).split() == BODY.split()


def test_a_passage_is_removed() -> None:
    assert splicing.removed(BODY, 2) == f"A lead.\n\n{FIRST}\n{THIRD}"


@pytest.mark.parametrize(
    ("text", "line"),
    [("Words.\n\n## Heading", 3), ("# A\n\nb", 1), ("A\n---", 1), ("a\n\n```\nb", 3)],
)
def test_a_text_that_would_change_other_passages_is_refused(text: str, line: int) -> None:
    with pytest.raises(ContentError) as caught:
        splicing.changed(BODY, 1, PassageWords("First", text))
    assert [mistake.line for mistake in caught.value.mistakes] == [line]
    assert all(mistake.advice for mistake in caught.value.mistakes)


@pytest.mark.parametrize("title", ["A {#two}", "{x"])
def test_a_title_holds_no_keys(title: str) -> None:
    with pytest.raises(RuleBrokenError) as caught:
        splicing.changed(BODY, 2, PassageWords(title, "Words."))
    assert caught.value.field == "title"


def test_a_title_whose_end_would_be_lost_is_refused() -> None:
    with pytest.raises(RuleBrokenError, match="without signs at its beginning or end"):
        splicing.changed("## A\n\nb", 1, PassageWords("A ##", "Words."))


@pytest.mark.parametrize(
    ("title", "taken", "key"),
    [
        ("Ask the person first!", (), "ask-the-person-first"),
        ("Ask", ("ask", "ask-2"), "ask-3"),
        ("اسأل أولاً", ("passage",), "passage-2"),
        ("A title", (), "passage"),
        ("Passages", (), "passage"),
        ("x" * 90, (), "x" * 50),
    ],
)
def test_a_new_passage_gets_a_key_from_its_title(
    title: str, taken: tuple[str, ...], key: str
) -> None:
    assert splicing.new_key(title, taken) == key


def test_mistakes_are_counted_from_the_first_line_of_the_passages_text() -> None:
    before = splicing.lines_before_text(BODY, 1)
    assert BODY.split("\n")[before] == "Words,   *with*"
    assert BODY.split("\n")[splicing.lines_before_text(BODY, 2)] == "No blank line."
    assert BODY.split("\n")[splicing.lines_before_text(BODY, 3)] == "### Inside"
    error = ContentError([Mistake("text", before + 2, "a"), Mistake("text", 99, "b")])
    moved = splicing.in_text(error, before, 4)
    assert [(mistake.line, mistake.message) for mistake in moved.mistakes] == [(2, "a"), (4, "b")]
