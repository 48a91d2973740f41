"""An item's model text as places of a form, and put together again as it was or as it was typed."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from flask import Flask

from tracker.authoring.model_texts.forms import form_for, typed_in
from tracker.authoring.model_texts.places import places_of
from tracker.authoring.model_texts.typed_text import text_from
from tracker.authoring.model_texts.words import in_words
from tracker.checklist_templates import library as checklists
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Item, Template
from tracker.checklists.model_texts import in_use, library
from tracker.checklists.model_texts.in_use import ItemText
from tracker.core import paths
from tracker.core.errors import RuleBrokenError


@pytest.fixture(scope="module")
def templates() -> dict[ChecklistKind, Template]:
    return {file.template.kind: file.template for file in checklists.read(paths.CONTENT)}


@pytest.fixture
def request_(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def item_of(templates: Mapping[ChecklistKind, Template], code: str) -> tuple[Item, ItemText]:
    kind = ChecklistKind.TERMS
    return templates[kind].by_code[code], library.content_in(kind, "en").items[code]


def shown(item: Item, text: ItemText, language: str = "en") -> dict[str, Any]:
    """Return what the form shows, as if it were sent unchanged."""
    return dict(typed_in(form_for(places_of(item, text), language, version=0)))


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("kind", list(ChecklistKind))
def test_a_form_that_is_sent_unchanged_says_the_same(
    templates: Mapping[ChecklistKind, Template], request_: None, kind: ChecklistKind, language: str
) -> None:
    for code, text in library.content_in(kind, language).items.items():
        item = templates[kind].by_code[code]
        again = text_from(item, text, shown(item, text, language), language)
        assert in_use.as_stored(again) == in_use.as_stored(text), code
        assert in_words(item, again, language) == in_words(item, text, language)


def test_a_text_a_variant_and_an_addition_are_changed_where_they_are(
    templates: Mapping[ChecklistKind, Template], request_: None
) -> None:
    item, text = item_of(templates, "M2")
    typed = shown(item, text) | {
        "value-objectives-base": "We agree on this.",
        "value-objectives-added-visits": "",
        "value-objectives-added-advice": "Views reach us early.",
    }
    stored = in_use.as_stored(text_from(item, text, typed, "en"))["objectives"]
    assert stored["base"] == "We agree on this."
    assert "visits" not in stored["added"]
    assert stored["added"]["advice"] == {"modes": ["ADVIS"], "text": "Views reach us early."}


def test_another_text_for_some_ways_of_working_is_added_after_or_instead(
    templates: Mapping[ChecklistKind, Template], request_: None
) -> None:
    item, text = item_of(templates, "M2")
    new = {"value-signs_of_success-new": "So.", "modes-signs_of_success-new": ["VISIT", "EXP"]}
    for how, group, key in (("after", "added", "text"), ("instead", "variants", "value")):
        typed = shown(item, text) | new | {"how-signs_of_success-new": how}
        stored = in_use.as_stored(text_from(item, text, typed, "en"))["signs_of_success"]
        assert stored[group] == {"here1": {"modes": ["VISIT", "EXP"], key: "So."}}


def test_another_text_needs_ways_of_working_that_have_none_instead_yet(
    templates: Mapping[ChecklistKind, Template], request_: None
) -> None:
    item, text = item_of(templates, "M3")
    new = {"value-out_of_scope-new": "Nothing.", "how-out_of_scope-new": "instead"}
    with pytest.raises(RuleBrokenError) as none_chosen:
        text_from(item, text, shown(item, text) | new, "en")
    assert none_chosen.value.field == "modes-out_of_scope-new"
    modes = {"modes-out_of_scope-new": ["VISIT"]}
    with pytest.raises(RuleBrokenError, match="already"):
        text_from(item, text, shown(item, text) | new | modes, "en")


def test_a_place_is_left_to_decide_and_decided_again(
    templates: Mapping[ChecklistKind, Template], request_: None
) -> None:
    item, text = item_of(templates, "M1")
    kind = "parties-rows-npm-kind-base"
    typed = shown(item, text) | {f"value-{kind}": None, f"open-{kind}": "which kind it is"}
    opened = text_from(item, text, typed, "en")
    cell = in_use.as_stored(opened)["parties"]["rows"]["npm"]["cells"]["kind"]
    assert cell == {"base": {"to_decide": "which kind it is"}}
    again = shown(item, opened) | {f"value-{kind}": "npm", f"open-{kind}": ""}
    assert in_use.as_stored(text_from(item, opened, again, "en")) == in_use.as_stored(text)


def test_a_place_is_either_decided_or_to_decide_and_says_what(
    templates: Mapping[ChecklistKind, Template], request_: None
) -> None:
    item, text = item_of(templates, "M1")
    kind = "open-parties-rows-npm-kind-base"
    for typed, field in (
        ({kind: "which kind it is"}, kind),
        (
            {"value-parties-rows-npm-mandate-base": "[to decide]"},
            "value-parties-rows-npm-mandate-base",
        ),
        (
            {kind: "a [kind]", kind.replace("open-", "value-"): None},
            kind,
        ),
    ):
        with pytest.raises(RuleBrokenError) as refused:
            text_from(item, text, shown(item, text) | typed, "en")
        assert refused.value.field == field


def test_an_empty_row_is_removed_and_a_new_one_is_repeated_for_whom_it_says(
    templates: Mapping[ChecklistKind, Template], request_: None
) -> None:
    item, text = item_of(templates, "M1")
    typed = shown(item, text)
    emptied = {name: None for name in typed if "-selection-rows-cso-" in name}
    new = {
        "value-selection-rows-new-party-base": "own",
        "value-selection-rows-new-criteria-base": "[to decide: why this CSO]",
        "each-selection-rows-new": "cso",
        "modes-selection-rows-new": ["VISIT"],
    }
    stored = in_use.as_stored(text_from(item, text, typed | emptied | new, "en"))
    (row,) = stored["selection"]["rows"].values()
    assert row == {
        "modes": ["VISIT"],
        "each": "cso",
        "cells": {
            "party": {"base": "own"},
            "criteria": {"base": {"to_decide": "why this CSO"}},
        },
    }
