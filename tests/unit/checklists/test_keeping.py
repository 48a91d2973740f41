"""What an NPM keeps of a signed text for its own model text, and what it never keeps."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.factories.templates import (
    DOOR,
    ILENA,
    KINDS,
    LANTERN,
    NPM,
    PARTIES,
    SAMIRA,
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
    around,
)
from tracker.checklist_templates.schema import Template
from tracker.checklists.model_texts import keeping
from tracker.checklists.model_texts.keeping import Signed
from tracker.checklists.model_texts.merging import EACH, ModelText, answers
from tracker.checklists.model_texts.schema import ModelTextContent

npm, door, lantern, ilena, samira = map(str, (NPM, DOOR, LANTERN, ILENA, SAMIRA))
GUIDE = ModelTextContent.model_validate(
    {
        "kind": "terms",
        "version": 90,
        "language": "en",
        "items": {
            "M1": {
                "words": "The same anywhere.",
                "days": {"to_decide": "the days"},
                "ticked": True,
                "rows": {
                    "rows": {"one": {"what": "Something", "owner": {"to_decide": "who sees to it"}}}
                },
            }
        },
    }
)


def values_left(
    fields: list[dict[str, Any]], values: Mapping[str, Any], **signed: Any
) -> dict[str, Any]:
    """Return what is kept of an answer to M1 with these fields."""
    template = a_template(an_item("M1", *fields, **signed.pop("item", {})))
    return whole(template, {"M1": values}, **signed).get("M1", {})


def whole(
    template: Template, values: Mapping[str, Mapping[str, Any]], **signed: Any
) -> dict[str, dict[str, Any]]:
    given: dict[str, Any] = {
        "owner": NPM,
        "only_cso": None,
        "names": (),
        "language": "en",
        "a_name": "a name",
        "guide": GUIDE,
    } | signed
    return keeping.model_text_of(template, Signed(answers=values, **given))


def test_what_the_parties_agreed_is_kept_word_for_word() -> None:
    fields = [a_field(), a_field("kind", "choice", options=KINDS), a_field("days", "number")]
    given = {"words": "Every second month.", "kind": "prison", "days": 12}
    assert values_left(fields, given) == given


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("person", ilena),
        ("date", "2031-03-05"),
        ("phone", "+1 234 567"),
        ("party", door),
        ("body", lantern),
    ],
)
def test_people_dates_telephones_and_partners_are_to_decide(kind: str, value: str) -> None:
    fields = [a_field(), a_field("fact", kind), a_field("more", kind, required=False)]
    left = values_left(fields, {"words": "Kept.", "fact": value, "more": value})
    assert left == {"words": "Kept.", "fact": "[to decide: Fact]"}


def test_several_people_are_to_decide_together() -> None:
    fields = [a_field(), a_field("people", "persons")]
    left = values_left(fields, {"words": "Kept.", "people": [ilena, samira]})
    assert left["people"] == ["[to decide: People]"]


def test_the_body_that_keeps_the_text_stays_named_in_it() -> None:
    assert (
        values_left([a_field(), a_field("by", "party")], {"words": "Kept.", "by": npm})["by"] == npm
    )


def test_an_item_of_which_only_facts_would_be_left_is_not_kept() -> None:
    assert values_left([a_field("start", "date")], {"start": "2031-03-05"}) == {}


def test_names_in_what_was_written_are_to_decide_whatever_their_case() -> None:
    given = {"words": "OPEN DOOR asks Samira Holt. Open doors stay open."}
    left = values_left([a_field()], given, names=("Samira Holt", "Open Door", "Ox", ""))
    assert left["words"] == "[to decide: a name] asks [to decide: a name]. Open doors stay open."


def test_a_line_that_would_be_too_long_without_a_name_is_to_decide() -> None:
    left = values_left(
        [a_field(), a_field("line", "line")],
        {"words": "Kept.", "line": "Oxo " * 75},
        names=("Oxo",),
    )
    assert left["line"] == "[to decide: Line]"


def test_a_tick_is_kept_only_where_it_states_no_fact_about_people() -> None:
    fields = [a_field(), a_field("ticked", "confirm"), a_field("trained", "confirm")]
    left = values_left(fields, {"words": "Kept.", "ticked": True, "trained": True})
    assert left == {"words": "Kept.", "ticked": True}


def per_party(**more: Any) -> Any:
    checks = [{"check": "row_per_party", "field": "rows", "column": "party"}]
    return {"done": {"checks": checks}} | more


OFFERS = a_table("rows", a_column("party", "party"), a_column("offers", "text"))


def test_partners_rows_are_left_for_whoever_will_be_a_partner() -> None:
    rows = [{"party": npm, "offers": "A room."}, {"party": door, "offers": "Ten years of work."}]
    left = values_left([OFFERS], {"rows": rows}, item=per_party())
    assert left["rows"] == [
        {"party": npm, "offers": "A room."},
        {EACH: "party", "party": "own", "offers": "[to decide: Offers]"},
    ]


def test_declared_interests_are_never_kept() -> None:
    table = a_table("interests", a_column("party", "party"), a_column("interest", "text"))
    checks = [{"check": "row_per_party", "field": "interests", "column": "party"}]
    template = a_template(an_item("M14", table, a_field(), done={"checks": checks}))
    given = {"words": "Each year.", "interests": [{"party": npm, "interest": "A cousin."}]}
    (row,) = whole(template, {"M14": given})["M14"]["interests"]
    assert row == {EACH: "party", "party": "own", "interest": "[to decide: Interest]"}


def test_a_row_that_names_the_only_partner_is_for_each_partner() -> None:
    table = a_table("rows", a_column("giver", "party"), a_column("what", "text"))
    given = {"rows": [{"giver": door, "what": "Themes"}, {"giver": npm, "what": "Figures"}]}
    rows = values_left([table], given, only_cso=DOOR)["rows"]
    assert rows == [
        {EACH: "cso", "giver": "own", "what": "Themes"},
        {"giver": npm, "what": "Figures"},
    ]
    assert values_left([table], given)["rows"][0] == {
        "giver": "[to decide: Giver]",
        "what": "Themes",
    }


def test_rows_about_people_are_not_kept() -> None:
    table = a_table("rows", a_column("who", "person"), a_column("task", "text"))
    fields = [a_field(), table]
    assert values_left(fields, {"words": "Kept.", "rows": [{"who": ilena, "task": "Leads."}]}) == {
        "words": "Kept."
    }


def test_a_row_that_says_nothing_without_its_people_is_not_kept() -> None:
    table = a_table("rows", a_column("class", "class"), a_column("who", "person"))
    given = {"words": "Kept.", "rows": [{"class": "K3", "who": ilena}]}
    assert values_left([a_field(), table], given) == {"words": "Kept."}


def test_what_people_say_for_themselves_is_not_kept() -> None:
    own = a_field(sets="each_person", accepts="none", confirms="each_person")
    template = a_template(
        an_item("M1"), an_item("M2", own, part="person"), an_item("M3", part="people")
    )
    values = {code: {"words": "Said."} for code in ("M1", "M2", "M3", "M9")}
    assert set(whole(template, values)) == {"M1"}


# Of a visit


def test_of_a_visit_only_what_is_the_same_for_any_visit_is_kept() -> None:
    fields = [
        a_field(),
        a_field("days", "number"),
        a_field("aims", required=False),
        a_table("rows", a_column("what"), a_column("owner", "person"), a_column("place")),
        a_table("others", a_column("what")),
    ]
    given = {
        "words": "As on each visit.",
        "days": 3,
        "aims": "The new wing.",
        "rows": [{"what": "Look again.", "owner": ilena, "place": "Norrvik"}],
        "others": [{"what": "Norrvik"}],
    }
    assert values_left(fields, given, is_of_visit=True) == {
        "words": "As on each visit.",
        "days": "[to decide: Days]",
        "rows": [
            {
                "what": "Look again.",
                "owner": "[to decide: Owner]",
                "place": "[to decide: Place]",
            }
        ],
    }


def test_items_of_a_visit_that_the_products_text_leaves_out_are_not_kept() -> None:
    template = a_template(an_item("M1"), an_item("M2"))
    values = {"M1": {"words": "Kept."}, "M2": {"words": "Of this visit."}}
    assert set(whole(template, values, is_of_visit=True)) == {"M1"}


# For another checklist


def test_kept_rows_fit_the_parties_of_another_cooperation() -> None:
    giving = a_table("gifts", a_column("giver", "party"), a_column("what", "text"))
    template = a_template(an_item("M1", OFFERS, giving, **per_party()))
    values = {
        "rows": [{"party": npm, "offers": "A room."}],
        "gifts": [{"giver": door, "what": "Themes"}],
    }
    text = ModelText(template.kind, "", 90, whole(template, {"M1": values}, only_cso=DOOR))
    placed = answers(text, template, around(*PARTIES))["M1"]
    assert placed["rows"][0] == {"party": npm, "offers": "A room."}
    assert [row["party"] for row in placed["rows"][1:]] == [npm, door, lantern]
    assert placed["gifts"] == [
        {"giver": door, "what": "Themes"},
        {"giver": lantern, "what": "Themes"},
    ]
