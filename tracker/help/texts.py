"""The texts of help, read from content files: a page for each role, and what words mean."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup

from tracker.core.paths import CONTENT
from tracker.guidance.markdown import PASSAGE_RANK, headings, passage_heading, plain, render

FOLDER = CONTENT / "help"
WORDS = "words"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page with its heading; the key is its anchor."""

    key: str
    title: str
    text: Markup
    words: str


@dataclass(frozen=True, slots=True)
class Text:
    """One file: its title, what comes first, and its sections."""

    title: str
    lead: str
    sections: tuple[Section, ...]


class TextError(Exception):
    """Raised when a file has no title, or a section has no key."""


@cache
def text(name: str, language: str) -> Text:
    """Return a text in a language; each language that can be offered has all of them."""
    return parse((FOLDER / language / f"{name}.md").read_text(encoding="utf-8"))


def meaning(key: str, language: str) -> Section:
    """Return a word of the product and its meaning; raise KeyError if it isn't explained."""
    return _meanings(language)[key]


def parse(written: str) -> Text:
    """Split Markdown into its title, its lead and its sections, `## Title {#key}`."""
    lines = written.splitlines()
    parts = [heading for heading in headings(written) if heading.rank <= PASSAGE_RANK]
    if not parts or parts[0].rank != 1:
        raise TextError("The text doesn't begin with a title.")
    ends = [part.line for part in parts[1:]] + [len(lines)]
    inner = [
        "\n".join(lines[part.end : end]).strip() for part, end in zip(parts, ends, strict=True)
    ]
    sections = []
    for part, body in zip(parts[1:], inner[1:], strict=True):
        heading = passage_heading(part.words)
        if heading is None:
            raise TextError(f"This heading has no key: {part.words}")
        sections.append(Section(heading.key, heading.title, render(body), plain(body)))
    return Text(parts[0].words, plain(inner[0]), tuple(sections))


@cache
def _meanings(language: str) -> dict[str, Section]:
    return {section.key: section for section in text(WORDS, language).sections}


def files(language: str) -> list[Path]:
    """Return the files of a language."""
    return sorted((FOLDER / language).glob("*.md"))
