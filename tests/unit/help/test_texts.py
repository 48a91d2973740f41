"""The texts of help: complete in each language, short, and with the labels that pages have."""

import re

import pytest
from babel.messages.pofile import read_po

from tests.guards.test_docs import rows
from tracker.core.paths import ROOT, TRANSLATIONS
from tracker.help import texts
from tracker.help.rules import READERS
from tracker.settings import KNOWN_LANGUAGES

NAMES = (*READERS, texts.WORDS)
# How the sections of each page begin and end: what one does, and whom to ask.
SECTIONS = ["steps", "pages", "time", "never", "ask"]
# The words of a page that takes about two minutes to read.
SHORTEST, LONGEST = 280, 470
LABEL = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")
USE = re.compile(r"\bmeanings\(\[([^]]+)\]\)")


def labels(language: str) -> set[str]:
    """Return what pages call their parts, in a language."""
    with (TRANSLATIONS / "ar" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        messages = [message for message in read_po(file) if isinstance(message.id, str)]
    return {str(message.id if language == "en" else message.string) for message in messages}


@pytest.mark.parametrize("language", KNOWN_LANGUAGES)
def test_a_language_that_is_offered_has_each_text(language: str) -> None:
    assert {path.stem for path in texts.files(language)} == set(NAMES)


@pytest.mark.parametrize("language", KNOWN_LANGUAGES)
@pytest.mark.parametrize("name", READERS)
def test_a_page_says_the_same_things_in_order_in_two_minutes(name: str, language: str) -> None:
    text = texts.text(name, language)
    assert [section.key for section in text.sections] == SECTIONS
    written = [text.title, text.lead, *(f"{part.title} {part.words}" for part in text.sections)]
    assert SHORTEST <= len(" ".join(written).split()) <= LONGEST


@pytest.mark.parametrize("language", KNOWN_LANGUAGES)
@pytest.mark.parametrize("name", READERS)
def test_a_page_names_parts_of_other_pages_as_they_are_labelled(name: str, language: str) -> None:
    written = (texts.FOLDER / language / f"{name}.md").read_text()
    named = LABEL.findall(written)
    assert len(named) > 3
    assert set(named) - labels(language) == set()


@pytest.mark.parametrize("language", KNOWN_LANGUAGES)
def test_the_same_words_are_explained_in_each_language(language: str) -> None:
    keys = [section.key for section in texts.text(texts.WORDS, language).sections]
    assert keys == [section.key for section in texts.text(texts.WORDS, "en").sections]
    assert texts.meaning("gate", language).words


def test_every_word_that_a_page_explains_has_a_meaning_and_every_meaning_a_page() -> None:
    used = {
        key
        for path in (ROOT / "templates").rglob("*.html")
        for keys in USE.findall(path.read_text())
        for key in re.findall(r'"([^"]+)"', keys)
    }
    assert used == {section.key for section in texts.text(texts.WORDS, "en").sections}


def test_the_glossary_says_the_same_of_each_word() -> None:
    """A row of the glossary may add what only those who change the code need."""
    written = [(cells[0], cells[1]) for cells in rows("glossary.md") if len(cells) > 1]
    assert [
        section.title
        for section in texts.text(texts.WORDS, "en").sections
        if not any(
            term.lower() == section.title and meaning.startswith(section.words)
            for term, meaning in written
        )
    ] == []


def test_a_text_without_a_title_or_with_an_unnamed_section_is_refused() -> None:
    with pytest.raises(texts.TextError, match="title"):
        texts.parse("Words first.")
    with pytest.raises(texts.TextError, match="no key: What you do"):
        texts.parse("# Title\n\n## What you do\n\nSomething.")


def test_a_word_that_nobody_explained_is_an_error() -> None:
    with pytest.raises(KeyError):
        texts.meaning("house", "en")
