"""Differences between two texts of an article: head, order, and passage by passage."""

from dataclasses import replace

from tracker.authoring.facts import ArticleParts
from tracker.authoring.guidance.differences import ArticleDifference, between
from tracker.guidance.library import PassageText

NAMES = {"activities": "Activities", "finances": "Finances", "visits": "Visits"}
FIRST = PassageText(1, "first", "Begin", ("S1",), "Say what you want.")
SECOND = PassageText(2, "second", "End", ("S2",), "Say goodbye.")
TEXT = ArticleParts("How?", "So.", "activities", ("visits",), "At first.", (FIRST, SECOND))


def compared(**changes: object) -> ArticleDifference:
    return between(TEXT, replace(TEXT, **changes), NAMES)  # type: ignore[arg-type]  # by name


def head(difference: ArticleDifference) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(str(change.name), change.pieces) for change in difference.head]


def test_the_same_text_differs_in_nothing() -> None:
    assert not compared()


def test_the_head_is_compared_word_by_word_and_by_names() -> None:
    assert head(compared(question="How then?", lead="At last.")) == [
        ("Question", [("out", "How?"), ("in", "How then?")]),
        ("Text before the first passage", [("same", "At "), ("out", "first."), ("in", "last.")]),
    ]
    assert head(compared(topics=("visits", "finances"))) == [
        ("Topics", [("out", "Visits"), ("in", "Visits, Finances")]),
    ]
    assert head(compared(category="finances", topics=("unheard-of",)))[1][1][1] == (
        "in",
        "unheard-of",
    )


def test_passages_go_by_their_keys() -> None:
    added = PassageText(2, "added", "Middle", (), "Go on.")
    differences = compared(passages=(FIRST, added))
    assert [passage.key for passage in differences.new] == ["added"]
    assert [passage.key for passage in differences.gone] == ["second"]
    assert differences.changed == ()


def test_title_text_and_codes_of_a_passage_are_compared() -> None:
    changed = replace(FIRST, title="Start", statements=("S1", "S3"), markdown="Say what you need.")
    (passage_change,) = compared(passages=(changed, SECOND)).changed
    assert (passage_change.number, passage_change.title) == (1, "Start")
    assert [str(change.name) for change in passage_change.changes] == [
        "Title",
        "Text",
        "Statements",
    ]
    assert passage_change.changes[1].pieces == [
        ("same", "Say what you "),
        ("out", "want."),
        ("in", "need."),
    ]


def test_another_number_alone_is_no_change_and_another_order_is_one() -> None:
    added = PassageText(1, "added", "Before", (), "First of all.")
    moved = (added, replace(FIRST, number=2), replace(SECOND, number=3))
    differences = compared(passages=moved)
    assert (differences.changed, differences.head) == ((), ())
    turned = compared(passages=(replace(SECOND, number=1), replace(FIRST, number=2)))
    assert [name for name, _pieces in head(turned)] == ["Order of the passages"]
