"""Markdown of the guidance: made into safe HTML, into plain text, and into passages.

This is the one place where text becomes Markup without being escaped by the template: raw HTML is
off, and what comes out is cleaned against short lists of tags, attributes and kinds of links.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import nh3
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
_PASSAGE = re.compile(r"(?P<title>.+?)\s*\{#(?P<key>\S+)(?P<statements>(?:\s+\S+)*)\s*\}")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a text: its rank, its words, and its first line and the one after it."""

    rank: int
    words: str
    line: int
    end: int


@dataclass(frozen=True, slots=True)
class PassageHeading:
    """What the heading of a passage says: `Title {#key S1 S2}`."""

    title: str
    key: str
    statements: tuple[str, ...]


def render(text: str, *, headings_from: int = 3, question: Question = NOTHING) -> Markup:
    """Return Markdown as safe HTML; words asked for are marked.

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
    """Return the words of Markdown without its signs, a line for each paragraph."""
    return "\n".join(
        "".join(_text_of(child) for child in token.children or ())
        if token.type == "inline"
        else token.content.strip()
        for token in _SHOWING.parse(text)
        if token.type in {"inline", "fence", "code_block"}
    )


def headings(text: str) -> list[Heading]:
    """Return the headings of a text that stand on their own, not inside a list or quotation."""
    tokens = _SHOWING.parse(text)
    return [
        Heading(int(token.tag[1]), tokens[place + 1].content, token.map[0], token.map[1])
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def passage_heading(words: str) -> PassageHeading | None:
    """Read the heading of a passage; None when it isn't written as `Title {#key S1 S2}`."""
    found = _PASSAGE.fullmatch(words)
    if found is None:
        return None
    return PassageHeading(found["title"], found["key"], tuple(found["statements"].split()))


def unfit(text: str) -> Iterator[tuple[int, str]]:
    """Yield line (from 0) and reason of what is not shown: raw HTML, pictures, other links."""
    for token in _CHECKING.parse(text):
        line = token.map[0] if token.map else 0
        if token.type == "html_block":
            yield line, "HTML isn't shown; write Markdown"
        for child in token.children or ():
            if child.type == "html_inline":
                yield line, "HTML isn't shown; write Markdown"
            elif child.type == "image":
                yield line, "pictures aren't shown"
            elif child.type == "link_open" and not _shown(str(child.attrGet("href"))):
                yield line, f"the link to {child.attrGet('href')} needs a whole address"


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


def _made(*, to_check: bool) -> MarkdownIt:
    """Return a parser; one to check with tells raw HTML and bad links apart instead of escaping."""
    parser = MarkdownIt("commonmark", {"html": to_check})
    parser.add_render_rule("text", _marked_text)
    if to_check:
        parser.validateLink = _any_link  # type: ignore[method-assign]
    return parser


_SHOWING = _made(to_check=False)
_CHECKING = _made(to_check=True)
