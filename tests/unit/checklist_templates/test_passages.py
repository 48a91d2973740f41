"""The passages beside each item are those of its statements, and not the same for all."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

import pytest

from tracker.checklist_templates import library
from tracker.checklist_templates.library import beside_item
from tracker.checklist_templates.schema import Item
from tracker.core.paths import CONTENT
from tracker.guidance import library as guidance
from tracker.guidance.library import PassageText

# The statements on which items are based (domain.md, sections 2.1 to 2.4).
OF_THE_FIELD = {
    "M1": "S1 S51 S62-S72", "M2": "S4", "M3": "S4 S24-S48 S54", "M4": "S1-S3 S60",
    "M5": "S6 S8 S44", "M6": "S7", "M7": "S18", "M8": "S25-S26 S28-S29 S53",
    "M9": "S9 S11 S13-S14", "M10": "S22-S23", "M11": "S30-S33", "M14": "S44 S66 S70",
    "M15": "S61", "M16": "S9 S23", "M20": "S6-S7",
    "C1": "S10-S11", "C2": "S11", "C3": "S15", "C4": "S9 S26", "C5": "S12", "C6": "S22-S23",
    "C7": "S9", "C13": "S66", "C14": "S8", "C15": "S22", "C18": "S11 S13-S14",
    "V1": "S28-S29", "V3": "S17", "V4": "S55", "V5": "S17-S18", "V6": "S19", "V7": "S18",
    "V14": "S23", "V15": "S61", "V18": "S17-S19", "V19": "S22", "V20": "S20-S21",
    "U1": "S20-S21", "U2": "S20", "U3": "S20", "U11": "S20-S21", "U12": "S20-S23 S66",
    "U13": "S53 S55", "U14": "S61", "U15": "S22-S23",
}  # fmt: skip
ITEMS = {item.code: item for file in library.read(CONTENT) for item in file.template.items}
# How many items of one checklist may have the same passage first.
MOST_ALIKE = {"M": 4, "C": 4, "V": 3, "U": 3}


def of_the_field(code: str) -> set[str]:
    codes: set[str] = set()
    for part in OF_THE_FIELD.get(code, "").split():
        first, _dash, last = part.replace("S", "").partition("-")
        codes |= {f"S{number}" for number in range(int(first), int(last or first) + 1)}
    return codes


@cache
def passages(language: str) -> Mapping[str, PassageText]:
    return {
        f"{article.head.slug}/{passage.key}": passage
        for article in guidance.read(CONTENT).articles
        if article.head.language == language
        for passage in article.passages
    }


def beside(item: Item, language: str = "en") -> list[str]:
    by_ref = passages(language)
    keys = {passage.key: ref for ref, passage in by_ref.items()}
    return [keys[passage.key] for passage in beside_item(item, by_ref)]


def shown() -> Iterator[tuple[Item, list[PassageText]]]:
    by_ref = passages("en")
    for item in ITEMS.values():
        yield item, list(beside_item(item, by_ref))


@pytest.mark.parametrize("code", ITEMS)
def test_an_item_shows_a_passage_for_each_statement_it_rests_on(code: str) -> None:
    item = ITEMS[code]
    carried = {
        statement
        for passage in beside_item(item, passages("en"))
        for statement in passage.statements
    }
    assert of_the_field(code) <= set(item.rests_on.statements)
    assert set(item.rests_on.statements) <= carried


def test_no_item_shows_a_passage_that_carries_nothing_it_rests_on() -> None:
    idle = [
        (item.code, passage.key)
        for item, beside_it in shown()
        for passage in beside_it
        if not set(passage.statements) & set(item.rests_on.statements)
    ]
    assert idle == []


def test_each_item_of_the_urgent_plan_shows_the_passage_that_concerns_it() -> None:
    first = {item.code: beside_it[0].key for item, beside_it in shown() if item.code[0] == "U"}
    assert first == {
        "U1": "urgent-action",
        "U2": "urgent-first-minutes",
        "U3": "urgent-decisions",
        "U4": "urgent-decisions",
        "U5": "urgent-first-minutes",
        "U6": "urgent-consent",
        "U7": "urgent-consent",
        "U8": "urgent-duties",
        "U9": "urgent-record",
        "U10": "urgent-record",
        "U11": "urgent-informing",
        "U12": "urgent-partner",
        "U13": "urgent-partner",
        "U14": "urgent-follow-up",
        "U15": "urgent-partner",
        "U16": "urgent-follow-up",
        "U17": "urgent-informing",
        "U18": "urgent-action",
        "U19": "urgent-action",
    }


def test_other_sources_of_an_urgent_plan_item_are_shown_beside_it() -> None:
    assert beside(ITEMS["U14"]) == [
        "settling-terms/urgent-follow-up",
        "why-work-together/mutual-protection",
    ]
    assert beside(ITEMS["U12"]) == [
        "settling-terms/urgent-partner",
        "settling-terms/use-of-information",
        "which-organisations/relevant-kinds",
    ]


@pytest.mark.parametrize("letter", MOST_ALIKE)
def test_no_passage_comes_first_beside_most_items_of_a_checklist(letter: str) -> None:
    first = Counter(beside_it[0].key for item, beside_it in shown() if item.code[0] == letter)
    assert first.most_common(1)[0][1] <= MOST_ALIKE[letter], first


def test_no_two_articles_of_a_language_name_the_same_page_of_the_source() -> None:
    addresses = Counter(
        (article.head.language, article.head.source.url)
        for article in guidance.read(CONTENT).articles
    )
    assert [address for address, count in addresses.items() if count > 1] == []
