"""What a derived checklist may not loosen, item by item."""

from typing import Any

import pytest

from tests.factories.templates import a_column, a_field, a_table, a_template, an_item
from tracker.authoring.checklists.strictness import loosenings
from tracker.checklist_templates.schema import Template

MUSTS = frozenset({"S1"})
FREE = {"statements": ["S2"], "passages": ["settling-terms/expectations"]}


def loosened(old: dict[str, Any], new: dict[str, Any] | None) -> list[str]:
    """Return what is looser in an item; there is always another item."""
    rest = an_item("M12", rests_on=FREE)
    before = a_template(old, rest)
    after = a_template(*([new] if new else []), rest)
    return [loosening.message for loosening in loosenings(before, after, MUSTS)]


def test_an_equal_text_loosens_nothing() -> None:
    assert loosened(an_item("M7"), an_item("M7")) == []


def test_an_item_on_a_must_can_not_be_removed() -> None:
    assert loosened(an_item("M7"), None) == [
        "it is based on S1, a must of the source, so it can't be removed"
    ]


def test_an_item_that_the_application_works_with_can_not_be_removed() -> None:
    assert loosened(an_item("M19", rests_on=FREE), None) == [
        "the application works with its answer, so it can't be removed"
    ]


def test_an_item_not_based_on_a_must_can_be_removed_and_loosened() -> None:
    assert loosened(an_item("M7", rests_on=FREE), None) == []
    assert (
        loosened(an_item("M7", rests_on=FREE), an_item("M7", rests_on=FREE, required="recommended"))
        == []
    )


def test_an_item_keeps_resting_on_its_must() -> None:
    assert loosened(an_item("M7"), an_item("M7", rests_on=FREE)) == [
        "it is no longer based on S1, a must of the source"
    ]


STRICTER = {
    "reworded": (an_item("M7"), an_item("M7", prompt="In other words?", help="So.")),
    "required": (an_item("M7", required="recommended"), an_item("M7")),
    "condition widened": (
        an_item("M7", required="conditional", required_when={"modes": ["VISIT"]}),
        an_item("M7", required="conditional", required_when={"modes": ["VISIT", "EXP"]}),
    ),
    "condition joined by another": (
        an_item("M7", shown_when={"modes": ["VISIT"]}),
        an_item(
            "M7",
            shown_when={"any": [{"modes": ["VISIT"]}, {"question": "personal_data"}]},
        ),
    ),
    "always shown": (an_item("M7", shown_when={"modes": ["VISIT"]}), an_item("M7")),
    "accepted by all": (an_item("M7", a_field(accepts="each_cso")), an_item("M7")),
    "a field more": (an_item("M7"), an_item("M7", a_field(), a_field("more"))),
    "a field required": (an_item("M7", a_field(required=False)), an_item("M7")),
    "a stricter done-test": (
        an_item(
            "M7",
            a_table("rows", a_column("name")),
            done={"checks": [{"check": "min_rows", "field": "rows", "n": 2}]},
        ),
        an_item(
            "M7",
            a_table("rows", a_column("name")),
            done={"checks": [{"check": "min_rows", "field": "rows", "n": 3}]},
        ),
    ),
    "more rows": (
        an_item("M7", a_table("rows", a_column("name"))),
        an_item("M7", a_table("rows", a_column("name"), rows={"min": 3})),
    ),
}


@pytest.mark.parametrize("case", STRICTER)
def test_tightening_is_allowed(case: str) -> None:
    assert loosened(*STRICTER[case]) == []


OPTIONS = [{"value": "one", "label": "One"}, {"value": "two", "label": "Two"}]
LOOSER = {
    "not required": (
        an_item("M7"),
        an_item("M7", required="recommended"),
        "it must stay required: always, or more",
    ),
    "required on a condition": (
        an_item("M7"),
        an_item("M7", required="conditional", required_when={"modes": ["VISIT"]}),
        "it must stay required: always, or more",
    ),
    "condition narrowed": (
        an_item("M7", required="conditional", required_when={"modes": ["VISIT", "EXP"]}),
        an_item("M7", required="conditional", required_when={"modes": ["VISIT"]}),
        "required_when may only be widened: any of the old condition and another",
    ),
    "hidden at times": (
        an_item("M7"),
        an_item("M7", shown_when={"modes": ["VISIT"]}),
        "shown_when may only be widened: any of the old condition and another",
    ),
    "out of the signed part": (
        an_item("M7"),
        an_item("M7", part="people"),
        "its part must stay terms",
    ),
    "accepted by fewer": (
        an_item("M7"),
        an_item("M7", a_field(accepts="each_cso")),
        "field words: it must still be accepted by all",
    ),
    "set by others": (
        an_item("M7", a_field(sets="npm")),
        an_item("M7"),
        "field words: it must still be set by npm",
    ),
    "a field gone": (
        an_item("M7", a_field(), a_field("more")),
        an_item("M7"),
        "its field more must stay",
    ),
    "a field not required": (
        an_item("M7"),
        an_item("M7", a_field(required=False)),
        "field words: it can't be required less than before",
    ),
    "another type": (
        an_item("M7"),
        an_item("M7", a_field(kind="line")),
        "field words: its type must stay text",
    ),
    "a choice gone": (
        an_item("M7", a_field(kind="choice", options=OPTIONS)),
        an_item("M7", a_field(kind="choice", options=OPTIONS[:1])),
        "field words: its choices must stay: two",
    ),
    "a higher number": (
        an_item("M7", a_field(kind="number", max=30)),
        an_item("M7", a_field(kind="number", max=60)),
        "field words: max must be at most 30",
    ),
    "no more confirmed": (
        an_item("M7", a_field(confirms="each_person")),
        an_item("M7"),
        "field words: it must still be confirmed by each_person",
    ),
    "a column gone": (
        an_item("M7", a_table("rows", a_column("name"), a_column("day", "date"))),
        an_item("M7", a_table("rows", a_column("name"))),
        "field rows: its column day must stay",
    ),
    "a done-test gone": (
        an_item(
            "M7",
            a_table("rows", a_column("name")),
            done={"checks": [{"check": "min_rows", "field": "rows", "n": 2}]},
        ),
        an_item("M7", a_table("rows", a_column("name"))),
        "its check min_rows must stay",
    ),
}


@pytest.mark.parametrize("case", LOOSER)
def test_loosening_is_reported(case: str) -> None:
    old, new, words = LOOSER[case]
    assert loosened(old, new) == [words]


def test_the_language_stays() -> None:
    old = a_template(an_item("M7"))
    new = Template.model_validate(old.model_dump(mode="json", by_alias=True) | {"language": "fr"})
    assert [loosening.message for loosening in loosenings(old, new, MUSTS)] == [
        "the language is fr, and it was en"
    ]
