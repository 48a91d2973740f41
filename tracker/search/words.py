"""Tokenising and folding of words, so that both databases find the same."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup, escape

LONGEST_QUESTION = 200
MOST_WORDS = 12
# Words this short are looked for whole; longer ones as the beginning of a word.
WHOLE_UP_TO = 2
_LONGEST_WORD = 60
_SNIPPET = 240
_BEFORE_HIT = 60

# Marks that stand inside a word: accents, and the vowel signs of Hebrew and Arabic.
_MARKS = "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u0610-\u061a\u064b-\u065f\u0670"
# The stroke that only lengthens an Arabic word, though it counts as a letter.
_TATWEEL = "\u0640"
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*")
_SPACES = re.compile(r"\s+")


class Word(NamedTuple):
    """A word of a text as indexed, and its position in the text."""

    folded: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: all of these words; shortened when more was typed than is looked for."""

    words: tuple[str, ...] = ()
    shortened: bool = False

    def __bool__(self) -> bool:
        return bool(self.words)

    def asks_for(self, folded: str) -> str | None:
        """Return the word looked for that a folded word answers, if any."""
        return next((wanted for wanted in self.words if _answers(folded, wanted)), None)

    def count_held(self, text: str) -> int:
        """Return how many of the words looked for a text holds."""
        return self.count_among({word.folded for word in split(text)})

    def count_among(self, folded_words: Collection[str]) -> int:
        """Return how many of the words looked for are among the folded words of a text."""
        return sum(any(_answers(word, wanted) for word in folded_words) for wanted in self.words)


NOTHING = Question()


def ask(typed: str) -> Question:
    """Read what somebody typed: words only. All other signs part words; none is an operator."""
    text = typed[:LONGEST_QUESTION]
    words = tuple(dict.fromkeys(word.folded for word in split(text)))
    shortened = len(typed.strip()) > LONGEST_QUESTION or len(words) > MOST_WORDS
    return Question(words[:MOST_WORDS], shortened)


def split(text: str) -> Iterator[Word]:
    """Yield the words of a text, folded, with their places."""
    for match in _WORD.finditer(text):
        folded = _fold(match.group())
        if folded:
            yield Word(folded, match.start(), match.end())


def folded(text: str) -> str:
    """Return the words of a text folded and parted by single spaces, as they are indexed."""
    return " ".join(word.folded for word in split(text))


def mark(text: str, question: Question) -> Markup:
    """Return a text as safe HTML with the words looked for in mark elements."""
    pieces: list[Markup] = []
    done = 0
    for word in split(text) if question else ():
        if question.asks_for(word.folded):
            pieces += [escape(text[done : word.start]), _marked(text[word.start : word.end])]
            done = word.end
    return Markup("").join([*pieces, escape(text[done:])])


def snippet(text: str, question: Question) -> Markup:
    """Return the part of a text that answers best, as safe HTML with marks and signs of omission.

    It stays within one line of the text: the one that holds most of the words looked for.
    """
    lines = [
        line for line in (_SPACES.sub(" ", line).strip() for line in text.splitlines()) if line
    ]
    if not lines:
        return Markup("")
    line = max(lines, key=lambda line: _worth(line, question))  # the first of those equally good
    start, end = _window(line, question)
    shown = mark(line[start:end], question)
    return Markup("").join(["… " if start else "", shown, " …" if end < len(line) else ""])


def _answers(folded: str, wanted: str) -> bool:
    return folded == wanted or (len(wanted) > WHOLE_UP_TO and folded.startswith(wanted))


def _fold(word: str) -> str:
    """Take case, accents and forms of letters off; what remains are letters and digits only."""
    if word.isascii():  # most words of most texts: nothing but case to take off
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
    """Choose where a snippet begins and ends: whole words, a little before the first hit."""
    if len(line) <= _SNIPPET:
        return 0, len(line)
    first = next((word.start for word in split(line) if question.asks_for(word.folded)), 0)
    start = 0 if first <= _BEFORE_HIT else line.rfind(" ", 0, first - _BEFORE_HIT) + 1
    end = start + _SNIPPET
    if end >= len(line):
        return start, len(line)
    return start, max(line.rfind(" ", start, end), first) if " " in line[start:end] else end
