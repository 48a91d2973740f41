"""Risky phrases that may limit the NPM: loaded from content, and found in answers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.schema import Column, FieldType, TemplateField
from tracker.checklist_templates.strict import (
    Key,
    PassageRef,
    Statement,
    Strict,
    Words,
    check_unique,
)
from tracker.core.content import ContentError, Mistake, YamlText, name_of, read_text, read_yaml
from tracker.core.paths import CONTENT
from tracker.core.services import Slot
from tracker.search.words import Word, folded, split
from tracker.settings import KNOWN_LANGUAGES

WRITTEN = frozenset({FieldType.TEXT, FieldType.LINE})
# What may separate the words of one phrase: spaces and hyphens.
BETWEEN = " \t\r\n\u00a0-\u2010\u2011"


class Entry(Strict):
    """A kind of phrase: its forms, what to consider, and the guidance about it."""

    key: Key
    forms: tuple[Words, ...] = Field(min_length=1)
    think: Words
    statement: Statement
    passage: PassageRef

    @model_validator(mode="after")
    def _has_forms_that_can_be_found(self) -> "Entry":
        without_words = [form for form in self.forms if not folded(form)]
        if without_words:
            message = f"{', '.join(without_words)}: no word to look for"
            raise ValueError(message)
        return self


class PhraseList(Strict):
    """The phrases of one language."""

    language: str
    hints: tuple[Entry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _holds_together(self) -> "PhraseList":
        if self.language not in KNOWN_LANGUAGES:
            message = f"language is {self.language!r}, not one of {', '.join(KNOWN_LANGUAGES)}"
            raise ValueError(message)
        check_unique("hint", [entry.key for entry in self.hints])
        check_unique("form", [folded(form) for entry in self.hints for form in entry.forms])
        return self

    @cached_property
    def by_first(self) -> dict[str, tuple[tuple[tuple[str, ...], Entry], ...]]:
        """Forms as folded words, the longest first, by their first word."""
        entries: dict[str, list[tuple[tuple[str, ...], Entry]]] = {}
        for entry in self.hints:
            for form in entry.forms:
                parts = tuple(folded(form).split())
                entries.setdefault(parts[0], []).append((parts, entry))
        return {
            first: tuple(sorted(forms, key=lambda form: -len(form[0])))
            for first, forms in entries.items()
        }


@dataclass(frozen=True, slots=True)
class Hint:
    """A phrase in a text that may limit the NPM: as it was written, and what to consider."""

    words: tuple[str, ...]
    think: str
    language: str
    statement: str
    passage: str


@dataclass(frozen=True, slots=True)
class PhraseFile:
    """A list of phrases with the text it was parsed from, for line numbers."""

    phrases: PhraseList
    text: YamlText


def read(content: Path) -> tuple[PhraseFile, ...]:
    """Read the phrases of every language; raise ContentError with all mistakes."""
    mistakes: list[Mistake] = []
    files: list[PhraseFile] = []
    for path in sorted((content / "wording").glob("*.yaml")):
        text = read_text(content, path, mistakes)
        tree = None if text is None else read_yaml(text, name_of(content, path), mistakes)
        phrases = None if tree is None else tree.fit(PhraseList, mistakes)
        if tree is None or phrases is None:
            continue
        if phrases.language != path.stem:
            line = tree.line(("language",))
            message = f"language is {phrases.language!r}, not that of the file's name"
            mistakes.append(Mistake(tree.file, line, message))
        files.append(PhraseFile(phrases, tree))
    if mistakes:
        raise ContentError(mistakes)
    return tuple(files)


def broken_references(
    files: Iterable[PhraseFile], passages: Mapping[str, set[str]]
) -> Iterator[Mistake]:
    """Yield the hints whose passage doesn't exist, or lacks their statement."""
    for file in files:
        for number, entry in enumerate(file.phrases.hints):
            line = file.text.line(("hints", number))
            if entry.passage not in passages:
                message = f"hint {entry.key} points to {entry.passage}: not there"
                yield Mistake(file.text.file, line, message)
            elif entry.statement not in passages[entry.passage]:
                message = f"hint {entry.key}: its passage does not carry {entry.statement}"
                yield Mistake(file.text.file, line, message)


# The languages in which people write here.
LANGUAGES: Slot[tuple[str, ...]] = Slot("languages", KNOWN_LANGUAGES)


@cache
def _shipped() -> dict[str, PhraseList]:
    return {file.phrases.language: file.phrases for file in read(CONTENT)}


def _in_use() -> list[PhraseList]:
    return [_shipped()[code] for code in LANGUAGES.get() if code in _shipped()]


def passages() -> frozenset[str]:
    """Return the passages of guidance that hints link to."""
    return frozenset(entry.passage for phrases in _in_use() for entry in phrases.hints)


def hints(texts: Iterable[str]) -> tuple[Hint, ...]:
    """Return the phrases in some texts that may limit the NPM, in the instance's languages.

    Hints never block: the phrase may be harmless in its context (S6, S7).
    """
    return found_in(texts, _in_use())


def found_in(texts: Iterable[str], lists: Sequence[PhraseList]) -> tuple[Hint, ...]:
    """Return the phrases found in some texts, each kind once, as they were written.

    Whole words are compared, ignoring case and accents; of two forms the longer one counts.
    """
    matches: dict[tuple[str, str], tuple[Entry, dict[str, str]]] = {}
    written = [(text, list(split(text))) for text in texts]
    for phrases in lists:
        for text, words in written:
            for entry, shown in _of_text(text, words, phrases):
                _entry, seen = matches.setdefault((phrases.language, entry.key), (entry, {}))
                seen.setdefault(folded(shown), " ".join(shown.split()))
    return tuple(
        Hint(tuple(seen.values()), entry.think, language, entry.statement, entry.passage)
        for (language, _key), (entry, seen) in matches.items()
    )


def _of_text(text: str, words: list[Word], phrase_list: PhraseList) -> Iterator[tuple[Entry, str]]:
    place = 0
    while place < len(words):
        hit = _at(text, words, place, phrase_list)
        if hit is None:
            place += 1
            continue
        length, entry = hit
        yield entry, text[words[place].start : words[place + length - 1].end]
        place += length


def _at(
    text: str, words: list[Word], place: int, phrase_list: PhraseList
) -> tuple[int, Entry] | None:
    """Return the longest form that begins with a word: its length, and its kind."""
    for parts, entry in phrase_list.by_first.get(words[place].folded, ()):
        here = words[place : place + len(parts)]
        if tuple(word.folded for word in here) == parts and _is_together(text, here):
            return len(parts), entry
    return None


def _is_together(text: str, words: list[Word]) -> bool:
    """Return whether only spaces and hyphens separate some words."""
    between = "".join(text[before.end : after.start] for before, after in pairwise(words))
    return not between.strip(BETWEEN)


def texts_of(fields: Iterable[TemplateField], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the free texts of an answer."""
    for field in fields:
        value = values.get(field.key)
        if field.type is FieldType.TABLE:
            yield from _cells(field.columns, value if isinstance(value, list) else [])
        elif field.type in WRITTEN and has_content(value):
            yield str(value)


def _cells(columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> Iterator[str]:
    written = [column.key for column in columns if column.type in WRITTEN]
    for row in rows:
        yield from (str(row[key]) for key in written if has_content(row.get(key)))
