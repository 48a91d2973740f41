"""The translation of one item, changed in a form with each text beside the original."""

from typing import Any

import pytest

from tests.factories.accounts import People
from tests.factories.authoring import changed
from tests.integration.authoring.conftest import BrowserOf
from tests.integration.authoring.test_checklists import HOME, publish_draft
from tests.integration.authoring.test_words import arabic_row, better, change, newest, place
from tests.pages import Page
from tracker.authoring.translations.item_texts import texts_of, words_from
from tracker.checklist_templates import library, translations
from tracker.checklist_templates.languages import ItemWords, words_of
from tracker.checklist_templates.models import ChecklistKind

NAME, QUESTION = "text-label", "text-prompt"

Fields = dict[str, Any]


def of_item(code: str = "M2") -> str:
    return place(f"/items/{code}")


@pytest.mark.parametrize("kind", list(ChecklistKind))
def test_all_texts_of_an_item_are_listed_and_put_together_again(
    people: People, kind: ChecklistKind
) -> None:
    for item in library.parsed(library.newest(kind)).items:
        texts = texts_of(words_of(item))
        assert all(str(text.name) for text in texts)
        again = ItemWords.model_validate(words_from({text.path: text.words for text in texts}))
        assert again == words_of(item)


def test_an_administrator_translates_one_item_and_the_others_keep_their_words(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    before = translations.parsed(arabic_row(newest()))
    assert ada.page(place()).links()["Objectives"] == of_item()
    page = ada.page(of_item())
    assert page.h1 == "“Objectives” in Arabic"
    assert page.form().values[NAME] == [before.items["M2"].label]
    done = Page.of(ada.submit(of_item(), reason="A better word", **Fields({NAME: "الغايات"})))
    assert "The wording is changed. Pages show it from now on." in done.text
    row = arabic_row(newest())
    after = translations.parsed(row)
    assert row.number == 2
    assert after.items["M2"].label == "الغايات"
    assert after.items["M2"].fields == before.items["M2"].fields
    assert {**after.items, "M2": None} == {**before.items, "M2": None}


def test_a_reworded_item_begins_with_what_is_translated_already(
    people: People, browser_of: BrowserOf
) -> None:
    before = translations.parsed(arabic_row(newest())).items["M1"]
    publish_draft(people, changed("Parties and mandates", "Who takes part"))
    ada = browser_of("ada")
    assert "Not translated yet" in ada.page(place()).text
    form = ada.page(of_item("M1")).form()
    assert form.values[NAME] == [""]
    assert form.values[QUESTION] == [before.prompt]
    ada.submit(of_item("M1"), reason="New", **Fields({NAME: "من يشارك"}))
    now = translations.parsed(arabic_row(newest())).items["M1"]
    assert now.label == "من يشارك"
    assert now.fields == before.fields


def test_an_item_is_translated_in_full_or_not_at_all(people: People, browser_of: BrowserOf) -> None:
    typed: Fields = {NAME: "الغايات", QUESTION: ""}
    page = Page.of(browser_of("ada").submit(of_item(), reason="Half", **typed))
    assert page.title.startswith("Problem: ")
    assert "Enter the translation" in page.text
    assert page.form().values[NAME] == ["الغايات"]
    assert arabic_row(newest()).number == 1


def test_a_reason_and_a_change_are_needed(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    assert Page.of(ada.submit(of_item(), **Fields({NAME: "الغايات"}))).title.startswith("Problem: ")
    same = Page.of(ada.submit(of_item(), reason="None"))
    assert "same wording as before" in same.text
    assert arabic_row(newest()).number == 1


def test_a_later_save_sees_both_translations_and_what_was_typed_is_kept(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    fields = ada.page(of_item()).form().filled_in(reason="Mine", **Fields({NAME: "أهدافنا"}))
    change(people, better(newest()))
    page = Page.of(ada.post(of_item(), data=fields, csrf=False))
    assert "Two people changed this at the same time." in page.text
    assert "الغايات" in page.text
    assert page.form().values[NAME] == ["أهدافنا"]
    assert page.form().values["version"] == ["2"]
    ada.post(of_item(), data=page.form().filled_in(), csrf=False)
    assert translations.parsed(arabic_row(newest())).items["M2"].label == "أهدافنا"


@pytest.mark.parametrize("key", ["ilena", "nadia", "samira", "henrik", "dora"])
def test_only_administrators_translate_items(
    people: People, browser_of: BrowserOf, key: str
) -> None:
    other = browser_of(key)
    assert other.get(of_item()).status_code == 403
    assert other.post(of_item()).status_code == 403


def test_there_are_forms_only_of_items_and_languages_that_are_there(
    people: People, browser_of: BrowserOf
) -> None:
    ada, version = browser_of("ada"), f"{HOME}/terms/{newest().version}"
    for address in (
        of_item("M99"),
        f"{version}/words/en/items/M1",
        f"{version}/words/xx/items/M1",
        f"{HOME}/terms/77/words/ar/items/M1",
    ):
        ada.page(address, 404)
