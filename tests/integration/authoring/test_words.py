"""Translations of an instance's checklists: downloaded, corrected, copied to other versions."""

import io

import pytest
from flask_babel import force_locale, gettext
from sqlalchemy.orm import Session

from tests.factories.accounts import People
from tests.factories.authoring import TERMS, changed
from tests.factories.guidance import uses_of
from tests.integration.authoring.conftest import BrowserOf, events
from tests.integration.authoring.test_checklists import HOME, publish_draft
from tests.pages import Page
from tracker.authoring.checklists import service
from tracker.checklist_templates import library, translations
from tracker.checklist_templates.languages import ChecklistWords
from tracker.checklist_templates.models import (
    ChecklistKind,
    ChecklistTemplate,
    TemplateWords,
    WordsOrigin,
)
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError
from tracker.ui.locale import name_of

OTHERS = ("ilena", "samira", "joana")
OLD, NEW = "label: الأهداف\n", "label: الغايات\n"


def newest() -> ChecklistTemplate:
    return library.newest(TERMS)


def arabic_row(row: ChecklistTemplate) -> TemplateWords:
    return translations.current(row.id)["ar"]


def text_of(row: ChecklistTemplate) -> str:
    return translations.as_text(translations.parsed(arabic_row(row)), library.parsed(row))


def better(row: ChecklistTemplate) -> str:
    text = text_of(row)
    assert OLD in text
    return text.replace(OLD, NEW, 1)


def change(people: People, text: str, *, seen: int | None = None, by: str = "ada") -> TemplateWords:
    row = newest()
    words = service.change_words(
        people.actor(by),
        row.id,
        "ar",
        text,
        seen_number=arabic_row(row).number if seen is None else seen,
        reason="A reader asked for it",
    )
    people.session.commit()
    return words


def refused(people: People, text: str) -> list[str]:
    with pytest.raises(ContentError) as caught:
        change(people, text)
    people.session.rollback()
    return [f"{mistake.line}: {mistake.message}" for mistake in caught.value.mistakes]


def place(rest: str = "") -> str:
    return f"{HOME}/terms/{newest().version}/words/ar{rest}"


# Texts


@pytest.mark.parametrize("kind", list(ChecklistKind))
def test_words_that_are_written_read_back_equal(session: Session, kind: ChecklistKind) -> None:
    row = library.newest(kind)
    text = text_of(row)
    read = translations.read_one(text, "words", library.parsed(row))
    assert read.words == translations.parsed(arabic_row(row))
    assert "Not translated yet" not in text


def test_untranslated_texts_are_in_the_file_to_be_translated(session: Session) -> None:
    row = newest()
    template = library.parsed(row)
    none = ChecklistWords(kind=TERMS, language="ar", version=row.version)
    text = translations.as_text(none, template)
    assert translations.read_one(text, "words", template).words == none
    assert "# Not translated yet:" in text
    assert "#     label: Parties and mandates" in text
    filled_in = text.split("# Not translated yet:\n", 1)[1].replace("# ", "")
    head = text.split("\n# Not translated yet:", 1)[0].replace("items: {}\n", "")
    whole = translations.read_one(head + filled_in, "words", template).words
    assert len(whole.items) == len(template.items)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &b 1\nc: *b\n", "anchors (&) and aliases (*) are not read here"),
        ("[" * 50_000, "nested too deeply"),
        ('["]",' * 10_000, "nested too deeply"),
        ("- " * 25_000, "nested too deeply"),
        ("]" * 25_000 + "[" * 25_000, "not valid YAML"),
        ("just words", "this text must be lines with keys"),
        ("", "this text must be lines with keys"),
    ],
)
def test_a_file_that_is_not_a_translation_is_refused(people: People, text: str, words: str) -> None:
    assert any(words in message for message in refused(people, text))


def test_mistakes_are_named_by_line_and_item(people: People) -> None:
    text = text_of(newest())
    line = next(n for n, line in enumerate(text.splitlines(), 1) if "litigates:" in line)
    spoilt = text.replace("          litigates:", "          litigate:", 1)
    assert any(
        message.startswith(f"{line}: item M1: the checklist has no fields.parties.columns.litigate")
        for message in refused(people, spoilt)
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kind: terms\n", "kind: urgent_plan\n", "the kind is terms"),
        ("language: ar\n", "language: en\n", "en is the checklist's own language"),
        ("version: 6\n", "version: 7\n", "these words are of version 7"),
        (OLD, 'label: "\\0"\n', "characters that can't be stored"),
    ],
)
def test_words_of_something_else_are_refused(
    people: People, old: str, new: str, words: str
) -> None:
    text = text_of(newest())
    assert old in text
    assert any(words in message for message in refused(people, text.replace(old, new, 1)))


def test_words_that_are_too_long_are_refused(people: People) -> None:
    assert "is longer than" in refused(people, "x" * (service.MAX_TEXT + 1))[0]


# Changing


def test_a_changed_translation_belongs_to_this_instance_and_is_used_immediately(
    people: People, session: Session
) -> None:
    before = newest().digest
    corrected = change(people, better(newest()))
    assert (corrected.number, corrected.origin) == (2, WordsOrigin.OWN)
    assert library.localized(newest(), "ar").by_code["M2"].label == "الغايات"
    assert newest().digest == before
    (details,) = events(session, "template_words_changed")
    assert {key: value for key, value in details.items() if key != "who"} == {
        "kind": "terms",
        "version": newest().version,
        "language": "ar",
        "number": 2,
        "digest": corrected.digest,
        "reason": "A reader asked for it",
    }


def test_nobody_but_administrators_changes_words(people: People) -> None:
    text = better(newest())
    for key in OTHERS:
        with pytest.raises(RefusedError):
            change(people, text, by=key)
        people.session.rollback()
    assert arabic_row(newest()).number == 1


def test_the_second_of_two_simultaneous_changes_to_a_translation_is_reported(
    people: People,
) -> None:
    text = better(newest())
    change(people, text)
    with pytest.raises(StaleError):
        change(people, text.replace(NEW, OLD, 1), seen=1)
    people.session.rollback()
    assert arabic_row(newest()).number == 2


def test_words_that_stand_already_are_not_kept_again(people: People) -> None:
    with pytest.raises(RuleBrokenError, match="That's the same wording as before"):
        change(people, text_of(newest()))


def test_a_version_published_here_keeps_the_words_of_what_stays(people: People) -> None:
    old, new = "Parties and mandates", "Parties, mandates and powers"
    row = publish_draft(people, changed(old, new))
    words = arabic_row(row)
    assert words.origin is WordsOrigin.CARRIED
    parsed = translations.parsed(words)
    assert set(parsed.items) == {item.code for item in library.parsed(row).items} - {"M1"}
    assert library.localized(row, "ar").by_code["M1"].label == new


def test_an_item_without_words_says_what_language_it_is_in(
    people: People, browser_of: BrowserOf
) -> None:
    publish_draft(people, changed("Parties and mandates", "Parties, mandates and powers"))
    ada = browser_of("ada")
    template = "/checklists/templates/terms"
    with force_locale("ar"):
        note = gettext("Available in %(languages)s only.", languages=name_of("en"))
    assert "Available in" not in ada.page(template).text
    ada.set_cookie("language", "ar")
    assert ada.page(template).text.count(note) == 1


def test_uses_of_a_passage_have_current_labels(people: People) -> None:
    change(people, better(newest()))
    uses = uses_of("settling-terms", "ar")
    assert "الغايات" in [use.label for use in uses["written-form"]]


# Pages


def test_an_administrator_downloads_changes_and_sends_words(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    version = ada.page(f"{HOME}/terms/{newest().version}")
    assert version.links()["Arabic"] == place()
    assert "21 of 21 items" in version.text
    file = ada.get(place("/file"))
    assert file.mimetype == "application/yaml"
    assert 'filename="terms-6-ar.yaml"' in file.headers["Content-Disposition"]
    text = file.get_data(as_text=True)
    page = ada.page(place())
    assert page.h1 == "Agreed terms, version 6, words in Arabic"
    assert "All items are translated." in page.text
    sent = {name: values[0] for name, values in page.form().filled_in().items()}
    upload = (io.BytesIO(text.replace(OLD, NEW, 1).encode()), "terms-6-ar.yaml")
    response = ada.post(
        place(),
        data=sent | {"reason": "A better word", "file": upload},
        content_type="multipart/form-data",
        csrf=False,
        follow_redirects=True,
    )
    done = Page.of(response)
    assert "The wording is changed. Pages show it from now on." in done.text
    assert "number 2" in done.text
    ada.set_cookie("language", "ar")
    assert "الغايات" in ada.page("/checklists/templates/terms").text


def test_mistakes_in_words_are_listed_and_nothing_typed_is_lost(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    spoilt = text_of(newest()).replace("litigates:", "litigate:", 1)
    page = Page.of(ada.submit(place(), text=spoilt, reason="A better word"))
    assert "2 mistakes in the text" in page.text
    assert "item M1: the checklist has no fields.parties.columns.litigate" in page.text
    assert "litigate:" in page.html
    assert arabic_row(newest()).number == 1


def test_a_reason_is_needed(people: People, browser_of: BrowserOf) -> None:
    page = Page.of(browser_of("ada").submit(place(), text=better(newest())))
    assert page.title.startswith("Problem: ")
    assert arabic_row(newest()).number == 1


@pytest.mark.parametrize("language", ["en", "fr", "xx"])
def test_there_are_words_of_known_languages_only(
    people: People, browser_of: BrowserOf, language: str
) -> None:
    address = f"{HOME}/terms/{newest().version}/words/{language}"
    browser_of("ada").page(address, 404)
    browser_of("ada").page(f"{address}/file", 404)


def test_a_draft_tells_what_will_have_no_words(people: People, browser_of: BrowserOf) -> None:
    draft = service.take_in(people.actor("ada"), changed("Parties and mandates", "Who takes part"))
    people.session.commit()
    ada = browser_of("ada")
    assert (
        "Changed or new, and not translated yet: Arabic, M1."
        in ada.page(f"{HOME}/drafts/{draft.id}").text
    )
    ada.set_cookie("language", "ar")
    tried = ada.page(f"{HOME}/test/{draft.id}").text
    assert "Who takes part" in tried
    assert "الأهداف" in tried
