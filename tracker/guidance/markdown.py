"""Markdown of the guidance: rendering as safe HTML and as plain text, splitting into passages.

This is the only module where text becomes Markup without being escaped by the template: raw HTML is
disabled, and the result is sanitised with short lists of tags, attributes and URL schemes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import nh3
from flask_babel import gettext as _
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from tracker.search.words import NOTHING, Question, mark

_TAGS = {
    *("p", "ul", "ol", "li", "strong", "em", "a", "blockquote", "code", "pre", "br", "hr", "mark"),
    *("h2", "h3", "h4", "h5", "h6"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
LINKS = ("https", "http", "mailto")
_LOWEST_HEADING = 6
# The rank of the headings that begin passages.
PASSAGE_RANK = 2
# The code of an item of the checklists.
_ITEM = re.compile(r"[MCVU][1-9][0-9]?")
# In plain text: an underline of a heading, a bullet, and what Markdown would interpret.
_UNDERLINE = re.compile(r"(={3,}|-{3,})\s*")
_LISTED = re.compile(r"(?P<sign>[-*+]|\d{1,9}[.)])\s+(?P<rest>.*)")
_SIGNS = re.compile(r"[\\`*_\[\]<>#~&]")
_BEGINNING = re.compile(r"\A(?P<before>\d{1,9}(?=[.)])|(?=[-+=]))")
_BACKSLASHED = r"\\\g<0>"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a text: its rank, its words, its first line and the line after it."""

    rank: int
    words: str
    line: int
    end: int


@dataclass(frozen=True, slots=True)
class PassageHeading:
    """The parts of a passage's heading: `Title {#key S1 S2 U6}`.

    statements are those of the source that it carries; items are those of the checklists that it
    concerns most.
    """

    title: str
    key: str
    statements: tuple[str, ...]
    items: tuple[str, ...] = ()


def render(text: str, *, headings_from: int = 3, question: Question = NOTHING) -> Markup:
    """Return Markdown as safe HTML; search words are marked.

    A `###` in the text, the first rank inside a passage, becomes a heading of rank headings_from.
    """
    tokens = _SHOWING.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            rank = int(token.tag[1]) + headings_from - 3
            token.tag = f"h{min(max(rank, 2), _LOWEST_HEADING)}"
    html = _SHOWING.renderer.render(tokens, _SHOWING.options, {"question": question})
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=set(LINKS),
        url_relative="deny",
        link_rel="noopener noreferrer",
    )
    return Markup(clean)  # noqa: S704 -- cleaned just above; see this module's first lines


def plain(text: str) -> str:
    """Return the text of Markdown without its markup, a line for each paragraph."""
    return "\n".join(
        "".join(_text_of(child) for child in token.children or ())
        if token.type == "inline"
        else token.content.strip()
        for token in _SHOWING.parse(text)
        if token.type in {"inline", "fence", "code_block"}
    )


def headings(text: str) -> list[Heading]:
    """Return the top-level headings of a text, not those in lists or quotations."""
    tokens = _SHOWING.parse(text)
    return [
        Heading(int(token.tag[1]), tokens[place + 1].content, token.map[0], token.map[1])
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def passage_heading(words: str) -> PassageHeading | None:
    """Parse the heading of a passage; None unless it is `Title {#key S1 S2 U6}`."""
    opening = words.find("{#", 1)
    while opening > 0 and words[opening + 2 : opening + 3].isspace():
        opening = words.find("{#", opening + 1)
    parts = _parted(words, opening, opening + 2)
    if parts is None or not parts[1]:
        return None
    title, (key, *codes) = parts[0], parts[1].split()
    return PassageHeading(
        title,
        key,
        tuple(code for code in codes if not _ITEM.fullmatch(code)),
        tuple(code for code in codes if _ITEM.fullmatch(code)),
    )


def own_heading(words: str, number: int) -> PassageHeading:
    """Parse the heading of an organisation's own passage, which may name items and no key.

    Then it is `Title {M4 C2}`.
    """
    opening = words.rfind("{")
    title, inside = _parted(words, opening, opening + 1) or (words, "")
    if "}" in inside or "#" in inside:
        title, inside = words, ""
    return PassageHeading(title, f"passage-{number}", tuple(inside.replace(",", " ").split()))


def _parted(words: str, opening: int, begin: int) -> tuple[str, str] | None:
    """Split a heading at a brace: what precedes it, and from there to the closing brace.

    Without a regular expression, which could take hours on a malicious heading by trying each brace
    with each space.
    """
    title = words[: max(opening, 0)].rstrip()
    if not title or "\n" in title or not words.endswith("}"):
        return None
    return title, words[begin:-1]


def from_plain(text: str) -> str:
    """Write plain text as Markdown that renders as it is.

    Paragraphs, lists and line numbers stay; a line underlined with === or --- begins a passage.
    """
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(
        _line(line, below) for line, below in zip(lines, [*lines[1:], ""], strict=True)
    )


def _line(line: str, below: str) -> str:
    """Return a line of plain text as one line of Markdown."""
    if _UNDERLINE.fullmatch(line):
        return ""
    if line and _UNDERLINE.fullmatch(below):
        return f"## {as_title(line)}"
    return _escaped(line)


def as_title(title: str) -> str:
    """Return a title in which nothing is read as a passage's key or items."""
    return title.strip("# ").replace("{", "(").replace("}", ")")


def _escaped(line: str) -> str:
    """Escape a line of plain text so that Markdown finds no markup except a bullet."""
    listed = _LISTED.fullmatch(line)
    if listed:
        return f"{listed['sign']} {_SIGNS.sub(_BACKSLASHED, listed['rest'])}"
    return _BEGINNING.sub(r"\g<before>\\", _SIGNS.sub(_BACKSLASHED, line), count=1)


def unfit(text: str) -> Iterator[tuple[int, str]]:
    """Yield line (from 0) and reason of what is not allowed: raw HTML, images, other links."""
    for token in _CHECKING.parse(text):
        line = token.map[0] if token.map else 0
        if token.type == "html_block":
            yield line, _("HTML isn't shown; write Markdown")
        for child in token.children or ():
            if child.type == "html_inline":
                yield line, _("HTML isn't shown; write Markdown")
            elif child.type == "image":
                yield line, _("pictures aren't shown")
            elif child.type == "link_open" and not _shown(str(child.attrGet("href"))):
                yield (
                    line,
                    _(
                        "the link to %(address)s needs a whole address",
                        address=child.attrGet("href"),
                    ),
                )


def _shown(address: str) -> bool:
    return address.startswith(tuple(f"{scheme}:" for scheme in LINKS))


def _text_of(token: Token) -> str:
    return " " if token.type in {"softbreak", "hardbreak"} else token.content


def _marked_text(
    _renderer: Any, tokens: Sequence[Token], place: int, _options: Any, env: Mapping[str, Any]
) -> str:
    return str(mark(tokens[place].content, cast("Question", env["question"])))


def _any_link(url: str) -> bool:  # noqa: ARG001 -- the parser asks for each address
    return True


def _parser(*, to_check: bool) -> MarkdownIt:
    """Return a parser; the one for checking reports raw HTML and bad links unescaped."""
    parser = MarkdownIt("commonmark", {"html": to_check})
    parser.add_render_rule("text", _marked_text)
    if to_check:
        parser.validateLink = _any_link  # type: ignore[method-assign]
    return parser


_SHOWING = _parser(to_check=False)
_CHECKING = _parser(to_check=True)
