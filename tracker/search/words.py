"""Tokenising and folding of words, so that both databases find the same."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup, escape

LONGEST_QUESTION = 200
MOST_WORDS = 12
# Words this short must match whole words; longer ones match as prefixes.
WHOLE_UP_TO = 2
_LONGEST_WORD = 60
_SNIPPET = 240
_BEFORE_HIT = 60

# Marks within a word: accents, and the vowel signs of Hebrew and Arabic.
_MARKS = "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u0610-\u061a\u064b-\u065f\u0670"
# The tatweel, which only lengthens an Arabic word, though it counts as a letter.
_TATWEEL = "\u0640"
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*")
# The other signs of ASCII as spaces: many times as fast as the expression.
_SPACED = {code: " " for code in range(128) if not chr(code).isalnum()}
_SPACES = re.compile(r"\s+")


class Word(NamedTuple):
    """A word of a text, folded, with its position."""

    folded: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Question:
    """The words of a search, all of which must match; is_shortened if more were typed."""

    words: tuple[str, ...] = ()
    shortened: bool = False

    def __bool__(self) -> bool:
        return bool(self.words)

    def asks_for(self, folded: str) -> str | None:
        """Return the search word that a folded word matches, if any."""
        return next((wanted for wanted in self.words if _answers(folded, wanted)), None)

    def count_held(self, text: str) -> int:
        """Return how many of the search words a text contains."""
        return self.count_among({word.folded for word in split(text)})

    def count_among(self, folded_words: Collection[str]) -> int:
        """Return how many of the search words match the folded words of a text."""
        return sum(any(_answers(word, wanted) for word in folded_words) for wanted in self.words)


NOTHING = Question()


def ask(typed: str) -> Question:
    """Parse a search: words only. All other characters separate words; there are no operators."""
    text = typed[:LONGEST_QUESTION]
    words = tuple(dict.fromkeys(word.folded for word in split(text)))
    shortened = len(typed.strip()) > LONGEST_QUESTION or len(words) > MOST_WORDS
    return Question(words[:MOST_WORDS], shortened)


def split(text: str) -> Iterator[Word]:
    """Yield the words of a text, folded, with their positions."""
    for match in _WORD.finditer(text):
        folded = _fold(match.group())
        if folded:
            yield Word(folded, match.start(), match.end())


def folded_words(text: str) -> set[str]:
    """Return the different words of a text, folded."""
    if text.isascii():  # as _fold() has it for a word
        return {word[:_LONGEST_WORD] for word in text.lower().translate(_SPACED).split()}
    return {_fold(word) for word in _WORD.findall(text)}


def folded(text: str) -> str:
    """Return the words of a text folded and separated by single spaces, as they are indexed."""
    return " ".join(word.folded for word in split(text))


def mark(text: str, question: Question) -> Markup:
    """Return a text as safe HTML with the search words in mark elements."""
    pieces: list[Markup] = []
    done = 0
    for word in split(text) if question else ():
        if question.asks_for(word.folded):
            pieces += [escape(text[done : word.start]), _marked(text[word.start : word.end])]
            done = word.end
    return Markup("").join([*pieces, escape(text[done:])])


def snippet(text: str, question: Question) -> Markup:
    """Return the best matching part of a text as safe HTML, with marks and ellipses.

    It stays within one line of the text: the one with most of the search words.
    """
    lines = [
        line for line in (_SPACES.sub(" ", line).strip() for line in text.splitlines()) if line
    ]
    if not lines:
        return Markup("")
    line = max(lines, key=lambda line: _worth(line, question))  # the first of equally good ones
    start, end = _window(line, question)
    shown = mark(line[start:end], question)
    return Markup("").join(["… " if start else "", shown, " …" if end < len(line) else ""])


def _answers(folded: str, wanted: str) -> bool:
    return folded == wanted or (len(wanted) > WHOLE_UP_TO and folded.startswith(wanted))


def _fold(word: str) -> str:
    """Remove case, accents and variants of letters; only letters and digits remain."""
    if word.isascii():  # most words of most texts: nothing but case to fold
        return word.lower()[:_LONGEST_WORD]
    plain = unicodedata.normalize("NFKD", word).casefold()
    letters = (sign for sign in plain if sign.isalnum() and sign != _TATWEEL)
    return "".join(letters)[:_LONGEST_WORD]


def _marked(word: str) -> Markup:
    return Markup("<mark>{}</mark>").format(word)


def _worth(line: str, question: Question) -> tuple[int, int]:
    answered = [wanted for word in split(line) if (wanted := question.asks_for(word.folded))]
    return len(set(answered)), len(answered)


def _window(line: str, question: Question) -> tuple[int, int]:
    """Choose the start and end of a snippet: whole words, from a little before the first match."""
    if len(line) <= _SNIPPET:
        return 0, len(line)
    first = next((word.start for word in split(line) if question.asks_for(word.folded)), 0)
    start = 0 if first <= _BEFORE_HIT else line.rfind(" ", 0, first - _BEFORE_HIT) + 1
    end = start + _SNIPPET
    if end >= len(line):
        return start, len(line)
    return start, max(line.rfind(" ", start, end), first) if " " in line[start:end] else end
