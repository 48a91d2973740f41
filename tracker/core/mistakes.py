"""Mistakes in content: where each is, what is wrong, what to write instead, the line itself."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

# How much of a line is quoted, and how much of that before the place of the mistake.
MOST_QUOTED = 160
_BEFORE = 60
# What is marked at the place of a mistake: a text in quotes, a word, or one sign.
_MARKED = re.compile(r"\"[^\"]*\"?|'[^']*'?|[\w./#-]+|\s+|\S")


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in the content: the file, the line, what is wrong, and what to write instead."""

    file: str
    line: int
    message: str
    # Empty if the message says it.
    advice: str = field(default="", compare=False)
    # The position in the line, counted from 1; 0 for the whole line.
    column: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class ContentError(Exception):
    """Raised when content can't be loaded; the text has a line for each mistake found."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class UnfitError(ValueError):
    """Raised by a model for values that don't go together; place is a path within the model."""

    def __init__(self, message: str, advice: str = "", place: Sequence[int | str] = ()) -> None:
        super().__init__(message)
        self.advice = advice
        self.place = tuple(place)


@contextmanager
def at_place(*place: int | str) -> Iterator[None]:
    """Put a path before that of an UnfitError."""
    try:
        yield
    except UnfitError as error:
        error.place = (*place, *error.place)
        raise


@dataclass(frozen=True, slots=True)
class Quote:
    """A line as a mistake shows it: what is marked, and the text before and after it."""

    before: str
    marked: str
    after: str

    def __str__(self) -> str:
        return self.before + self.marked + self.after


def quote(lines: Sequence[str], mistake: Mistake) -> Quote | None:
    """Return the line of a mistake, cut if it is long; None if there is none or it is blank."""
    if not 1 <= mistake.line <= len(lines) or not lines[mistake.line - 1].strip():
        return None
    line = lines[mistake.line - 1]
    place = mistake.column - 1
    begin = max(0, place - _BEFORE) if len(line) > MOST_QUOTED else 0
    end = begin + MOST_QUOTED
    before, rest = ("", line[begin:end]) if place < 0 else (line[begin:place], line[place:end])
    marked = _MARKED.match(rest) if place >= 0 else None
    cut = marked.end() if marked else 0
    return Quote(
        ("…" if begin else "") + _shown(before),
        _shown(rest[:cut]),
        _shown(rest[cut:]) + ("…" if end < len(line) else ""),
    )


def _shown(text: str) -> str:
    """Return a text with signs in place of characters that can't be seen."""
    return "".join(
        char if char.isprintable() else "→" if char == "\t" else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def report(error: ContentError, root: Path) -> str:
    """Return all mistakes for the command line: each with its line and what to write instead."""
    files: dict[str, Sequence[str]] = {}
    for mistake in error.mistakes:
        if mistake.file not in files:
            files[mistake.file] = _lines(root / mistake.file)
    return "\n".join(
        line for mistake in error.mistakes for line in in_full(mistake, files[mistake.file])
    )


def in_full(mistake: Mistake, lines: Sequence[str]) -> Iterator[str]:
    """Yield a mistake, its line with its place in words, and what to write instead."""
    yield str(mistake)
    quoted = quote(lines, mistake)
    if quoted is not None:
        number = f"    {mistake.line} | "
        yield f"{number}{quoted}"
        if quoted.marked:
            yield f"{' ' * (len(number) + len(quoted.before))}^ character {mistake.column}"
    if mistake.advice:
        yield f"    {mistake.advice}"


def _lines(path: Path) -> Sequence[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
