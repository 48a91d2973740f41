"""The schema of a template: what it refuses, so that every published checklist can be done."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.factories.templates import (
    KINDS,
    RESTS_ON,
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
    item_of,
    small_roles,
    small_terms,
)
from tracker.checklist_templates import library
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import (
    Accepts,
    Part,
    Sets,
    Template,
)
from tracker.core.paths import CONTENT

ROW = {"key": "x", "label": "X"}
OWN = {"sets": "each_party", "accepts": "none"}
PERSON = {"sets": "each_person", "accepts": "none"}


def refused(*items: dict[str, Any]) -> str:
    """Return why a template is refused."""
    with pytest.raises(ValidationError) as error:
        a_template(*items)
    return str(error.value)


def test_the_small_ones_are_whole() -> None:
    assert [item.code for item in small_terms().items] == [f"M{n}" for n in range(1, 11)]
    assert small_roles().by_code["V3"].fields[1].key == "deputy"


CHOICE = a_field("kind", "choice", options=KINDS)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        # A field and its type
        (an_item("M1", a_field("kind", "choice")), "a choice, and only a choice, has options"),
        (an_item("M1", a_field(options=KINDS)), "a choice, and only a choice, has options"),
        (an_item("M1", a_field("kind", "choice", options=KINDS * 2)), "option other, police"),
        (an_item("M1", a_field("t", "table", rows={})), "only a table, has columns"),
        (an_item("M1", a_field(columns=[a_column("a")])), "only a table, has columns"),
        (an_item("M1", a_table("t", a_column("a"), rows=None)), "says which rows it has"),
        (an_item("M1", a_field(rows={"min": 1})), "says which rows it has"),
        (an_item("M1", a_table("t", a_column("a"), a_column("a"))), "column a is there more"),
        (
            an_item("M1", a_table("t", a_column("a"), rows={"fixed": [ROW, ROW]})),
            "row x is there more than once",
        ),
        (an_item("M1", a_table("t", a_column("a", "table"))), "can't be of type table"),
        (an_item("M1", a_table("t", a_column("a", "persons"))), "can't be of type persons"),
        (an_item("M1", a_table("t", a_column("a", "choices", options=KINDS))), "type choices"),
        (an_item("M1", a_field("a b")), "should match pattern"),
        (an_item("M1", a_field("Words")), "should match pattern"),
        (an_item("M1", a_field("reason")), "a field can't be called reason"),
        (an_item("M1", a_field("base_version")), "a field can't be called base_version"),
        (an_item("M1", a_field(sets="everybody")), "Input should be 'npm'"),
        (an_item("M1", a_field(unit="fathoms")), "Input should be 'hours'"),
        (an_item("M1", a_field(colour="red")), "Extra inputs are not permitted"),
        (an_item("M1", a_field(label=" ")), "at least 1 character"),
        (an_item("M1", a_field(label="x" * 2001)), "at most 2000 characters"),
        # An item
        (an_item("M1", a_field(), a_field()), "field words is there more than once"),
        (an_item("M1", fields=[]), "at least 1 item"),
        (an_item("M1", required="conditional"), "required_when goes with required: conditional"),
        (an_item("M1", required_when={"modes": ["VISIT"]}), "required_when goes with"),
        (an_item("M1", part="person"), "only fields set by each person"),
        (an_item("M1", a_field(), a_field("own", sets="npm")), "set by the same side"),
        (
            an_item("M1", a_field(**OWN), a_field("b", sets="each_cso", accepts="none")),
            "set by the same side",
        ),
        (an_item("M1", rests_on=RESTS_ON | {"statements": []}), "at least 1 item"),
        (an_item("M1", rests_on=RESTS_ON | {"passages": ["no-slash"]}), "should match pattern"),
        (an_item("M01"), "should match pattern"),
        (an_item("V1"), "item V1 does not begin with M"),
        # What looks at something else
        (
            an_item("M1", a_field(required_when={"field": "x", "in": ["a"]})),
            "words looks at x: not",
        ),
        (
            an_item("M1", a_field(required_when={"field": "words", "in": ["a"]})),
            "words looks at words: not there",
        ),
        (
            an_item("M1", CHOICE, a_field(required_when={"field": "kind", "in": ["boat"]})),
            "words looks for boat in kind",
        ),
        (
            an_item(
                "M1", a_field("b", "confirm"), a_field(required_when={"field": "b", "in": ["yes"]})
            ),
            "words looks for yes in b",
        ),
        (
            an_item("M1", a_table("t", a_column("a", required_when={"column": "b", "in": ["x"]}))),
            "a looks at b: not there",
        ),
        (
            an_item("M1", shown_when={"item": "M2", "field": "x", "in": ["a"]}),
            "M1 looks at M2.x: not",
        ),
        (
            an_item("M1", a_field(), a_field("own", "choice", options=KINDS, **OWN))
            | {"shown_when": {"item": "M1", "field": "own", "in": ["police"]}},
            "M1 looks at M1.own: it has no shared answer",
        ),
        (
            an_item("M1", CHOICE, shown_when={"item": "M1", "field": "kind", "in": ["boat"]}),
            "item M1 looks for boat in kind",
        ),
    ],
)
def test_an_inconsistent_template_is_refused(item: dict[str, Any], words: str) -> None:
    assert words in refused(item)


TABLE = a_table("t", a_column("level", "choice", options=KINDS), a_column("due", "date"))


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"check": "weather", "field": "t"}, "Input should be 'min_rows'"),
        ({"check": "min_rows", "field": "t"}, "check min_rows needs n"),
        ({"check": "min_rows", "n": 2}, "check min_rows needs field"),
        ({"check": "row_per_party", "field": "t"}, "check row_per_party needs column"),
        ({"check": "values_covered", "field": "t", "column": "level"}, "needs values"),
        ({"check": "dates_in_order", "field": "t"}, "check dates_in_order needs fields"),
        ({"check": "persons_of_npm"}, "check persons_of_npm names no field"),
        ({"check": "min_rows", "field": "x", "n": 1}, "names a field x that is not there"),
        (
            {"check": "row_each_way", "field": "t", "column": "level", "unless": "x"},
            "names a field x that is not there",
        ),
        ({"check": "row_per_party", "field": "t", "column": "x"}, "names a column x: not there"),
        (
            {"check": "values_covered", "field": "t", "column": "level", "values": ["boat"]},
            "check values_covered looks for boat in level, which can't hold it",
        ),
        ({"check": "distinct_persons", "fields": ["words", "own"]}, "fields of different answers"),
    ],
)
def test_a_done_test_that_could_not_be_made_is_refused(check: dict[str, Any], words: str) -> None:
    item = an_item("M1", TABLE, a_field(), a_field("own", **OWN), done={"checks": [check]})
    assert words in refused(item)


def test_an_item_and_a_section_are_there_once() -> None:
    assert "item M1 is there more than once" in refused(an_item("M1"), an_item("M1"))
    content = a_template(an_item("M1")).model_dump(by_alias=True)
    content["sections"] = [
        *content["sections"],
        {**content["sections"][0], "items": [an_item("M2")]},
    ]
    with pytest.raises(ValidationError, match="section all is there more than once"):
        Template.model_validate(content)


def test_items_that_show_each_other_are_refused() -> None:
    def asking(code: str, other: str) -> dict[str, Any]:
        kind = a_field("kind", "choice", options=KINDS)
        return an_item(code, kind, shown_when={"item": other, "field": "kind", "in": ["prison"]})

    words = "is shown by an answer that rests on its own"
    assert f"item M1 {words}" in refused(asking("M1", "M1"))
    ring = [asking("M1", "M2"), asking("M2", "M3"), asking("M3", "M1")]
    assert f"item M1 {words}" in refused(*ring)
    last = an_item("M3", a_field("kind", "choice", options=KINDS))
    assert len(a_template(*ring[:2], last).items) == 3


def test_a_field_belongs_to_all_to_a_party_or_to_a_person() -> None:
    scopes = {
        "npm": AnswerScope.SHARED,
        "cso": AnswerScope.SHARED,
        "both": AnswerScope.SHARED,
        "each_party": AnswerScope.PARTY,
        "each_cso": AnswerScope.PARTY,
        "each_person": AnswerScope.PERSON,
    }
    assert set(scopes) == {sets.value for sets in Sets}
    for sets, scope in scopes.items():
        assert item_of(a_field(sets=sets)).fields[0].scope is scope
    item = item_of(a_field("mine", **PERSON), a_field(), a_field("own", **OWN))
    assert item.scopes == (AnswerScope.SHARED, AnswerScope.PARTY, AnswerScope.PERSON)
    assert [field.key for field in item.fields_of(AnswerScope.PARTY)] == ["own"]


@pytest.mark.parametrize(
    ("accepted_by", "widest"),
    [
        (["none", "none"], Accepts.NONE),
        (["npm", "none"], Accepts.NPM),
        (["npm", "each_cso"], Accepts.EACH_CSO),
        (["each_cso", "all", "npm"], Accepts.ALL),
    ],
)
def test_the_widest_acceptance_counts_for_an_item(accepted_by: list[str], widest: Accepts) -> None:
    fields = [a_field(f"f{n}", accepts=accepts) for n, accepts in enumerate(accepted_by)]
    assert item_of(*fields).accepted_by is widest


def test_a_template_is_never_changed_once_it_is_read() -> None:
    template = small_terms()
    with pytest.raises(ValidationError, match="frozen"):
        template.version = 2


def test_a_stored_template_parses_to_the_same() -> None:
    for template in (small_terms(), small_roles()):
        stored = template.model_dump(mode="json", by_alias=True)
        assert Template.model_validate(stored) == template


SHIPPED = {file.template.kind.value: file.template for file in library.read(CONTENT)}


@pytest.mark.parametrize(
    ("kind", "count"),
    [("terms", 20), ("confidentiality", 18), ("visit_roles", 20), ("urgent_plan", 18)],
)
def test_the_shipped_checklists_carry_all_items_of_the_field(kind: str, count: int) -> None:
    template = SHIPPED[kind]
    codes = {item.code for item in template.items}
    assert codes == {f"{template.letter}{n}" for n in range(1, count + 1)}
    assert 4 <= len(template.sections) <= 6
    for item in template.items:
        assert item.done.look is None or item.done.look.startswith("Check that")
        assert item.done.checks or item.done.look or item.part is Part.PERSON


def test_items_of_each_person_and_live_lists_are_those_of_the_field() -> None:
    """domain.md, section 2."""
    parts: dict[Part, set[str]] = {part: set() for part in Part}
    for template in SHIPPED.values():
        for item in template.items:
            parts[item.part].add(item.code)
    assert parts[Part.PEOPLE] == {"C2", "V13"}
    assert parts[Part.PERSON] == {"C3", "C6", "C7", "C8", "C13", "C14", "C15", "C18", "V20"}
