"""The schema of a template: what it refuses, so that every published checklist can be completed.

In one file: what the schema refuses, and that the shipped checklists meet it.
"""

import re
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
    WRITTEN,
    Accepts,
    Column,
    FieldType,
    Part,
    Required,
    Rows,
    Sets,
    Template,
    TemplateField,
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
        # References to something else
        (
            an_item("M1", a_field(required_when={"field": "x", "in": ["a"]})),
            "words looks at x, which",
        ),
        (
            an_item("M1", a_field(required_when={"field": "words", "in": ["a"]})),
            "words looks at words, which doesn't exist",
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
            "a looks at b, which doesn't exist",
        ),
        (
            an_item("M1", shown_when={"item": "M2", "field": "x", "in": ["a"]}),
            "M1 looks at M2.x, which",
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
        ({"check": "min_rows", "field": "x", "n": 1}, "names a field x, which doesn't exist"),
        (
            {"check": "row_each_way", "field": "t", "column": "level", "unless": "x"},
            "names a field x, which doesn't exist",
        ),
        (
            {"check": "row_per_party", "field": "t", "column": "x"},
            "names a column x, which doesn't exist",
        ),
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

    words = "is shown by an answer that depends on its own"
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
    [("terms", 21), ("confidentiality", 19), ("visit_roles", 21), ("urgent_plan", 19)],
)
def test_the_shipped_checklists_carry_all_items_of_the_field(kind: str, count: int) -> None:
    template = SHIPPED[kind]
    codes = {item.code for item in template.items}
    assert codes == {f"{template.letter}{n}" for n in range(1, count + 1)}
    assert 4 <= len(template.sections) <= 7
    for item in template.items:
        assert item.done.look is None or item.done.look.startswith("Check that")
        assert item.done.checks or item.done.look or item.part is Part.PERSON


@pytest.mark.parametrize("kind", ["terms", "confidentiality"])
def test_a_table_with_given_rows_takes_more_or_says_why_not(kind: str) -> None:
    """domain.md, section 2.6."""
    given = [
        (item.code, field)
        for item in SHIPPED[kind].items
        for field in item.fields
        if field.rows and field.rows.fixed
    ]
    closed = {code for code, field in given if not (field.rows and field.rows.more)}
    assert closed == ({"C4", "C5", "C11"} if kind == "confidentiality" else set())
    for code, field in given:
        if code in closed:
            assert "no row can be added" in (field.hint or ""), code
        else:
            assert any(column.key == "other" for column in field.columns), code


def test_contact_with_bodies_of_opcat_is_never_restricted() -> None:
    """OPCAT 20(f) and 21(1): the parties confirm it, and each person signs it."""
    exceptions = SHIPPED["confidentiality"].by_code["C12"]
    free = exceptions.field("opcat_free")
    assert (free.type, free.required, free.accepts) == (FieldType.CONFIRM, True, Accepts.ALL)
    silence = SHIPPED["confidentiality"].by_code["C7"].field("confirmed").label
    named = ("Who may see what", "Lawful exceptions")
    for words in (*named, "danger to life", "legal duties", "courts", "the SPT"):
        assert words in silence


@pytest.mark.parametrize(
    ("kind", "code"),
    [("terms", "M21"), ("confidentiality", "C19"), ("visit_roles", "V21"), ("urgent_plan", "U19")],
)
def test_a_checklist_ends_with_the_points_that_its_parties_add(kind: str, code: str) -> None:
    """domain.md, section 2.6: negotiated, flagged, searched and signed like any other item."""
    item = SHIPPED[kind].items[-1]
    assert (item.code, item.label) == (code, "Other agreed points")
    assert (item.part, item.required) == (Part.TERMS, Required.OPTIONAL)
    assert item.accepted_by is Accepts.ALL
    (points,) = item.fields
    assert (points.sets, points.required, points.rows) == (Sets.BOTH, False, Rows())
    assert [column.type for column in points.columns] == [FieldType.LINE, FieldType.TEXT]


def test_personal_items_and_live_lists_match_the_domain() -> None:
    """domain.md, section 2."""
    parts: dict[Part, set[str]] = {part: set() for part in Part}
    for template in SHIPPED.values():
        for item in template.items:
            parts[item.part].add(item.code)
    assert parts[Part.PEOPLE] == {"C2", "V13"}
    assert parts[Part.PERSON] == {"C3", "C6", "C7", "C8", "C13", "C14", "C15", "C18", "V20"}
    # What is written on a live list is never flagged, so conditions of access stand in V17.
    by_code = SHIPPED["visit_roles"].by_code
    assert [
        code for code, item in by_code.items() if "conditions" in {f.key for f in item.fields}
    ] == ["V17"]
    assert by_code["V17"].part is Part.TERMS


@pytest.mark.parametrize("kind", ["visit_roles", "urgent_plan"])
def test_tables_with_given_rows_take_further_rows_that_say_what_they_are(kind: str) -> None:
    tables = [
        (item.code, field)
        for item in SHIPPED[kind].items
        for field in item.fields
        if field.rows and field.rows.fixed
    ]
    assert tables
    for code, field in tables:
        assert field.rows is not None
        assert field.rows.more, code
        assert field.columns[0].key == "other", code


def test_people_of_a_visit_are_chosen_wherever_a_rule_looks() -> None:
    looked_at = {
        "V1": ("brief_by",),
        "V2": ("audience.person", "authorities.by"),
        "V3": ("lead", "deputy", "appointed_by", "groups.person"),
        "V4": ("team.person",),
        "V5": ("roles.person", "roles.works_with", "roles.backup"),
        "V7": ("speaker", "stand_in", "at_gate", "remarks_cleared_by"),
        "V10": ("record_keeper", "photographers", "collects"),
        "V11": ("expert", "reports_to"),
        "V12": ("interpreters.interpreter",),
        "V16": ("sends_out", "about_member", "complaints"),
        "V19": ("parts.author", "editor", "reviewer", "approver"),
    }
    for code, places in looked_at.items():
        for place in places:
            key, _dot, column = place.partition(".")
            field = SHIPPED["visit_roles"].by_code[code].field(key)
            part = field.column(column) if column else field
            assert part.type.value in {"person", "persons"}, (code, place)


# Where people type which person or function decides, clears or is consulted: hints look there.
TYPED = {
    "M1.selection.decided_by",
    "M7.decisions.decider",
    "M7.decisions.consulted",
    "M10.uses.cleared_by",
    "M10.no_reply_rule",
    "M17.route",
    "M18.steps.who",
    "M18.trusted",
    "M20.remedy",
    "M7.council.rule",
    "M20.amendment",
    "C4.classes.released_by",
    "C5.sharing.approver",
    "C10.photo_rule",
    "C11.access.approver",
    "C12.exceptions.decided_by",
    "C12.exceptions.told_first",
    "C16.trusted",
    "V19.council",
}
# Who pays decides nothing for the NPM; the body that a law names stands beside its kind.
NO_DECIDER = {"U5.payer", "U8.duties.body"}


def test_where_it_is_typed_who_decides_the_hints_look() -> None:
    parts: dict[str, TemplateField | Column] = {}
    for item in (item for template in SHIPPED.values() for item in template.items):
        for field in item.fields:
            parts[f"{item.code}.{field.key}"] = field
            parts |= {f"{item.code}.{field.key}.{column.key}": column for column in field.columns}
    typed = {place: spot for place, spot in parts.items() if spot.type in WRITTEN}
    assert {place for place, spot in typed.items() if spot.names_who} == TYPED
    asks = re.compile(r"^(who|whom|to which|person or function)\b|\b(by|to)$", re.IGNORECASE)
    assert {place for place, spot in typed.items() if asks.search(spot.label)} - TYPED == NO_DECIDER


@pytest.mark.parametrize(
    ("kind", "code", "table"),
    [("terms", "M15", "outside_bodies"), ("urgent_plan", "U11", "bodies")],
)
def test_a_body_that_is_typed_has_its_kind_beside_it(kind: str, code: str, table: str) -> None:
    column = SHIPPED[kind].by_code[code].field(table).column("kind")
    kinds = {option.value for option in column.options}
    assert kinds >= {"authority", "ministry", "prosecutor", "other_state"}


def test_no_tick_says_that_an_interpreter_has_signed() -> None:
    """The team (V4) says it, where clearances are checked."""
    interpreters = SHIPPED["visit_roles"].by_code["V12"]
    assert {field.key for field in interpreters.fields if field.type.value == "confirm"} == {
        "not_from_place",
        "may_refuse",
    }
