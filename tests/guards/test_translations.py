"""The catalogues fit their messages: the same placeholders, the same markup, every plural."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tests.guards.sources import nodes_of, package_modules
from tests.guards.test_project import name
from tracker.core.paths import TRANSLATIONS
from tracker.settings import KNOWN_LANGUAGES

# English is in the code itself.
TRANSLATED = KNOWN_LANGUAGES[1:]
PLACE = re.compile(r"%\((\w+)\)s")
MARK = re.compile(r"</?[a-z]+>")
# Attributes of tags, such as the URL of a link: marks of direction around it would break it.
ATTRIBUTE = re.compile(r"""\w+=("[^"]*"|'[^']*')""")
TRANSLATING = {"_", "_l", "gettext", "lazy_gettext", "ngettext", "lazy_ngettext"}
# An identifier, which no page shows: a rename that caught a word produces one.
NAME = re.compile(r"[A-Z][a-z]+[A-Z]\w*|[a-z]+(_[a-z]+)+")


def catalogue(language: str) -> Catalog:
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def forms(words: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [words] if isinstance(words, str) else list(words or [""])


def test_every_language_offered_has_a_catalogue() -> None:
    languages = {path.parent.parent.name for path in TRANSLATIONS.glob("*/LC_MESSAGES/messages.mo")}
    assert languages == set(TRANSLATED)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_word_is_translated(language: str) -> None:
    messages = [message for message in catalogue(language) if message.id]
    assert len(messages) > 1500
    assert [message.id for message in messages if message.fuzzy] == []
    assert [message.id for message in messages if not all(forms(message.string))] == []


def test_no_page_shows_a_name_of_the_code() -> None:
    words = [forms(message.id)[0] for message in catalogue(TRANSLATED[0]) if message.id]
    assert [word for word in words if NAME.fullmatch(word)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_fill_in_the_same_places_and_keep_marks(language: str) -> None:
    wrong = []
    for message in catalogue(language):
        if not message.id or not all(forms(message.string)):
            continue
        known = set(PLACE.findall(" ".join(forms(message.id))))
        for words in forms(message.string):
            places = set(PLACE.findall(words))
            # In a plural, one and two need not be written as a number.
            fits = places <= known if len(forms(message.string)) > 1 else places == known
            marks = sorted(MARK.findall(words)) == sorted(MARK.findall(forms(message.id)[0]))
            if not fits or not marks or "%" in PLACE.sub("", words).replace("%%", ""):
                wrong.append((message.id, words))
    assert wrong == []


def test_arabic_counts_in_its_six_ways() -> None:
    path = TRANSLATIONS / "ar" / "LC_MESSAGES" / "messages.mo"
    with Path(path).open("rb") as file:
        words = gettext.GNUTranslations(file)
    sentences = [
        words.ngettext("%(count)s article", "%(count)s articles", number) % {"count": number}
        for number in (0, 1, 2, 3, 11, 100)
    ]
    assert sentences == ["لا مقالات", "مقال واحد", "مقالان", "3 مقالات", "11 مقالاً", "100 مقال"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_links_lead_to_the_same_addresses(language: str) -> None:
    with_links = 0
    for message in catalogue(language):
        attributes = [match[0] for match in ATTRIBUTE.finditer(" ".join(forms(message.id)[:1]))]
        if "<" in forms(message.id)[0] and attributes:
            with_links += 1
            for words in forms(message.string):
                assert [match[0] for match in ATTRIBUTE.finditer(words)] == attributes, words
    assert with_links > 1


def test_every_text_in_the_code_is_in_the_catalogue() -> None:
    """The extraction doesn't find a text in its own parentheses, which would then stay English."""
    with (TRANSLATIONS / "messages.pot").open("rb") as file:
        known = {forms(message.id)[0] for message in read_po(file) if message.id}
    calls = [
        (path, call)
        for path in package_modules()
        for call in nodes_of(path)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args
        if call.func.id in TRANSLATING
    ]
    assert len(calls) > 1000
    assert [
        f"{name(path)}:{call.lineno}: {text.value!r}"
        for path, call in calls
        if isinstance(text := call.args[0], ast.Constant) and text.value not in known
    ] == []
