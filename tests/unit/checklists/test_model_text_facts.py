"""A model text together with what is known: facts win, and everything else of the text stays."""

from typing import Any

import pytest

from tests.factories.templates import DOOR, NPM, a_column, a_field, a_table, a_template, an_item
from tracker.checklist_templates.schema import Item
from tracker.checklists.model_texts.merging import with_facts


def only(item: dict[str, Any]) -> Item:
    return a_template(item).items[0]


DAYS = only(an_item("M19", a_field("start", "date"), a_field("end", "date"), a_field("renewal")))
PARTIES = only(
    an_item(
        "M1",
        a_table(
            "parties",
            a_column("party", "party"),
            a_column("mandate", "text"),
            a_column("signatory", "person"),
        ),
    )
)
OPEN = "[to decide: the first day]"


def a_row(party: object, **cells: str) -> dict[str, Any]:
    return {"party": str(party), **cells}


@pytest.mark.parametrize(
    ("known", "start"),
    [
        ({}, OPEN),
        ({"start": "2031-02-01"}, "2031-02-01"),
    ],
)
def test_a_fact_takes_the_place_of_what_is_to_decide(known: dict[str, Any], start: str) -> None:
    text = {"start": OPEN, "renewal": "By agreement."}
    assert with_facts(DAYS, text, known) == {"start": start, "renewal": "By agreement."}


def test_a_fact_that_the_text_says_nothing_about_is_there_too() -> None:
    assert with_facts(DAYS, {"renewal": "None."}, {"end": "2033-01-31"}) == {
        "renewal": "None.",
        "end": "2033-01-31",
    }


def test_the_text_never_replaces_a_fact() -> None:
    known = {"parties": [a_row(NPM, mandate="The Act of 2011.")]}
    text = {"parties": [a_row(NPM, mandate="An NPM.", signatory="[to decide: who signs]")]}
    assert with_facts(PARTIES, text, known)["parties"] == [
        a_row(NPM, mandate="The Act of 2011.", signatory="[to decide: who signs]")
    ]


def test_what_is_known_of_one_party_leaves_the_rows_of_others_as_they_are() -> None:
    text = {
        "parties": [a_row(NPM, mandate="[to decide: x]"), a_row(DOOR, mandate="[to decide: y]")]
    }
    known = {"parties": [a_row(DOOR, mandate="Legal aid.")]}
    assert with_facts(PARTIES, text, known)["parties"] == [
        a_row(NPM, mandate="[to decide: x]"),
        a_row(DOOR, mandate="Legal aid."),
    ]


def test_a_known_row_that_the_text_lacks_is_added_and_two_of_one_party_stay_two() -> None:
    known = {"parties": [a_row(DOOR, mandate="One."), a_row(DOOR, mandate="Two.")]}
    assert with_facts(PARTIES, {"parties": [a_row(NPM)]}, known)["parties"] == [
        a_row(NPM),
        *known["parties"],
    ]
    assert with_facts(PARTIES, {}, known) == known


def test_a_row_that_names_nobody_is_nobodys() -> None:
    item = only(an_item("M12", a_table("costs", a_column("what"), a_column("amount"))))
    text, known = {"costs": [{"what": "Travel"}]}, {"costs": [{"what": "Travel", "amount": "5"}]}
    assert with_facts(item, text, known)["costs"] == [*text["costs"], *known["costs"]]
