"""Differences between two versions of a checklist."""

from tests.factories.templates import a_column, a_field, a_table, a_template, an_item
from tracker.checklist_templates import compare
from tracker.checklist_templates.compare import ItemDifference


def only(*items: dict[str, object]) -> ItemDifference:
    """Return how one item changed."""
    old, new = items
    (item_change,) = compare.between(a_template(old), a_template(new)).changed
    return item_change


def test_the_same_text_has_no_differences() -> None:
    assert not compare.between(a_template(an_item("M1")), a_template(an_item("M1")))


def test_another_number_alone_is_no_difference() -> None:
    old, new = (a_template(an_item("M1"), version=number) for number in (1, 2))
    assert not compare.between(old, new)


def test_new_and_gone_items_are_named() -> None:
    differences = compare.between(
        a_template(an_item("M1"), an_item("M2")), a_template(an_item("M2"), an_item("M3"))
    )
    assert [item.code for item in differences.new] == ["M3"]
    assert [item.code for item in differences.gone] == ["M1"]
    assert differences.changed == ()


def test_a_reworded_question_is_shown_word_by_word_and_asks_again() -> None:
    item_change = only(an_item("M1"), an_item("M1", prompt="What about all of M1?"))
    (change,) = item_change.changes
    assert str(change.name) == "Question"
    assert ("in", "all of ") in [(kind, words) for kind, words in change.pieces] or any(
        kind == "in" and "all" in words for kind, words in change.pieces
    )
    assert item_change.asks_again


def test_advice_alone_does_not_ask_again() -> None:
    item_change = only(an_item("M1"), an_item("M1", help="Write it plainly."))
    assert [str(change.name) for change in item_change.changes] == ["How to answer"]
    assert not item_change.asks_again
    assert not item_change.test_changed


def test_a_changed_field_asks_again() -> None:
    item_change = only(an_item("M1"), an_item("M1", a_field(kind="line")))
    assert [(str(c.name), c.where) for c in item_change.changes] == [("Type", "Words")]
    assert item_change.fields_changed
    assert item_change.asks_again


def test_columns_are_shown_with_their_table() -> None:
    item_change = only(
        an_item("M1", a_table("rows", a_column("name"), a_column("day", "date"))),
        an_item("M1", a_table("rows", a_column("name", required=False), a_column("time", "time"))),
    )
    assert [(str(c.name), c.where) for c in item_change.changes] == [
        ("Required", "Rows: Name"),
        ("New field", "Rows: Time"),
        ("Field gone", "Rows: Day"),
    ]


def test_a_new_done_test_is_shown_and_applied() -> None:
    table = a_table("rows", a_column("name"))
    check = {"check": "min_rows", "field": "rows", "n": 2}
    item_change = only(an_item("M1", table), an_item("M1", table, done={"checks": [check]}))
    assert [str(change.name) for change in item_change.changes] == ["Done-tests"]
    assert item_change.test_changed
    assert not item_change.asks_again


def test_changes_in_what_an_item_is_based_on_are_shown() -> None:
    rests_on = {"statements": ["S1", "S2"], "passages": ["settling-terms/expectations"]}
    item_change = only(an_item("M1"), an_item("M1", rests_on=rests_on))
    assert [str(change.name) for change in item_change.changes] == ["Statements it is based on"]
