"""The text of an article passage by passage: change, add, move or remove one. Pure.

All other passages stay byte for byte. A passage is found by its number, as its headings are; its
key and its codes stay in its heading, where nobody types them.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.core.errors import RuleBrokenError
from tracker.core.mistakes import ContentError, Mistake
from tracker.guidance import markdown
from tracker.guidance.markdown import PASSAGE_RANK

# The name of a passage's text in mistakes.
TEXT = "passage"
# A key that is made from a title has at most this many characters.
_LONGEST_KEY = 50
_NOT_IN_KEYS = re.compile(r"[^a-z0-9]+")
# Keys that an article's page uses itself.
_TAKEN = re.compile(r"content|passages|.*-title")
_FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class PassageWords:
    """A passage as somebody writes it."""

    title: str
    text: str


def changed(body: str, number: int, words: PassageWords) -> str:
    """Return an article's text with one passage changed; numbers begin with 1.

    Raise RuleBrokenError or ContentError if the passage's words would change another passage.
    """
    lead, pieces = _cut(body)
    piece = pieces[number - 1]
    if words == _words(piece):
        return body
    after = [*pieces]
    after[number - 1] = _written(words, _codes(piece), is_last=number == len(pieces))
    return _checked(lead, after, number, words)


def added(body: str, after: int, words: PassageWords, codes: str) -> str:
    """Return an article's text with a new passage after another one; 0 puts it first."""
    lead, pieces = _cut(body)
    before = [_ended(piece) for piece in pieces[:after]]
    new = _written(words, codes, is_last=after == len(pieces))
    return _checked(lead, [*before, new, *pieces[after:]], after + 1, words)


def moved(body: str, number: int, by: int) -> str:
    """Return an article's text with a passage moved up (-1) or down (1)."""
    lead, pieces = _cut(body)
    pieces = [_ended(piece) for piece in pieces]
    first, other = number - 1, number - 1 + by
    pieces[first], pieces[other] = pieces[other], pieces[first]
    return _joined(lead, pieces).rstrip("\n")


def removed(body: str, number: int) -> str:
    """Return an article's text without a passage."""
    lead, pieces = _cut(body)
    return _joined(lead, [*pieces[: number - 1], *pieces[number:]]).rstrip("\n")


def new_key(title: str, taken: Collection[str]) -> str:
    """Return a key for a new passage, made from its title."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = _NOT_IN_KEYS.sub("-", plain)[:_LONGEST_KEY].strip("-")
    if not stem or _TAKEN.fullmatch(stem):
        stem = "passage"
    numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return next(key for key in (stem, *numbered) if key not in taken)


def lines_before_text(body: str, number: int) -> int:
    """Return how many lines precede the text of a passage, for the lines of its mistakes."""
    lead, pieces = _cut(body)
    before = _joined(lead, pieces[: number - 1])
    heading = markdown.headings(pieces[number - 1])[0]
    lines = pieces[number - 1].split("\n")[heading.end :]
    blank = next((n for n, line in enumerate(lines) if line.strip()), 0)
    return (before.count("\n") + 1 if before or pieces[: number - 1] else 0) + heading.end + blank


def in_text(error: ContentError, before: int, length: int) -> ContentError:
    """Return mistakes of an article by their lines in the text of one passage.

    Those outside of it have no line in it, and are named by file alone.
    """
    return ContentError(
        [
            Mistake(
                TEXT,
                min(max(mistake.line - before, 1), max(length, 1)),
                mistake.message,
                mistake.advice,
                mistake.column,
            )
            for mistake in error.mistakes
        ]
    )


def _cut(body: str) -> tuple[str | None, list[str]]:
    """Return the text before the first passage, and the text of each; joined they are the body."""
    lines = body.split("\n")
    starts = [head.line for head in markdown.headings(body) if head.rank == PASSAGE_RANK]
    ends = [*starts[1:], len(lines)]
    pieces = ["\n".join(lines[start:end]) for start, end in zip(starts, ends, strict=True)]
    first = starts[0] if starts else len(lines)
    return ("\n".join(lines[:first]) if first else None), pieces


def _joined(lead: str | None, pieces: Sequence[str]) -> str:
    return "\n".join([*([] if lead is None else [lead]), *pieces])


def _parts(piece: str) -> tuple[str, str]:
    """Return the title in a passage's heading, and what follows it in braces."""
    heading = markdown.headings(piece)[0].words
    read = markdown.passage_heading(heading) or markdown.own_heading(heading, 0)
    return read.title, heading[len(read.title) :].strip()


def _codes(piece: str) -> str:
    return _parts(piece)[1]


def _words(piece: str) -> PassageWords:
    end = markdown.headings(piece)[0].end
    return PassageWords(_parts(piece)[0], "\n".join(piece.split("\n")[end:]).strip())


def _written(words: PassageWords, codes: str, *, is_last: bool) -> str:
    heading = f"## {words.title} {codes}".rstrip()
    return f"{heading}\n\n{words.text}" + ("" if is_last else "\n")


def _ended(piece: str) -> str:
    """Return a passage's text with a line break at its end."""
    return piece if piece.endswith("\n") else f"{piece}\n"


def _checked(lead: str | None, pieces: Sequence[str], number: int, words: PassageWords) -> str:
    """Return the joined text; raise unless it has exactly these passages."""
    if "{" in words.title or "}" in words.title:
        raise RuleBrokenError(_l("A title can't contain { or }."), "title")
    mistakes = [
        Mistake(
            TEXT,
            heading.line + 1,
            _("a heading inside a passage begins with ###"),
            _("Write ### before it, or save it as a passage of its own."),
        )
        for heading in markdown.headings(words.text)
        if heading.rank <= PASSAGE_RANK
    ]
    if mistakes:
        raise ContentError(mistakes)
    body = _joined(lead, pieces)
    _lead, after = _cut(body)
    if after != list(pieces):
        line = next(
            (
                n
                for n, text in reversed(list(enumerate(words.text.split("\n"), start=1)))
                if text.lstrip().startswith(_FENCES)
            ),
            1,
        )
        message = _("the text runs on into the next passage")
        raise ContentError([Mistake(TEXT, line, message, _("Close the code block with ```."))])
    if _parts(after[number - 1])[0] != words.title:
        raise RuleBrokenError(_l("Write the title without signs at its beginning or end."), "title")
    return body
