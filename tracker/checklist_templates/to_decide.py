"""Places in an answer that only people can decide, marked *to decide*: written and found. Pure.

A mark is text in brackets: "[to decide: the days of notice]". In a text it may be anywhere, and
several times; in a field or cell of any other type it is the whole value. As it is part of the
answer, everybody sees it, and copying or exporting the answer keeps it. A confirmation has none: it
is open until it is ticked.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# The words of a mark by language; it is found in any of them.
WORDS = {"en": "to decide", "ar": "للتحديد"}
_MARK = re.compile(
    rf"\[\s*(?:{'|'.join(WORDS.values())})\s*(?::(?P<what>[^\[\]]*))?\]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class OpenPlace:
    """A place that is still to be decided, and in plain words what is."""

    field: str
    what: str
    row: int | None = None
    column: str | None = None


def mark(what: str, language: str) -> str:
    """Return the mark for a place; raise KeyError for a language that has none."""
    return f"[{WORDS[language]}: {what}]"


def marks_in(text: str) -> tuple[str, ...]:
    """Return what the marks in a text say is to be decided; empty words if one doesn't say."""
    if "[" not in text:  # as in nearly all
        return ()
    return tuple(" ".join((match["what"] or "").split()) for match in _MARK.finditer(text))


def is_mark(value: Any) -> bool:
    """Return whether a value is nothing but a mark."""
    return (
        isinstance(value, str)
        and value.lstrip().startswith("[")
        and _MARK.fullmatch(value.strip()) is not None
    )


def filled(text: str, words: str) -> str:
    """Return a text with the same words in place of each mark."""
    return _MARK.sub(lambda _match: words, text)


def open_places(values: Mapping[str, Any]) -> Iterator[OpenPlace]:
    """Yield every place of an answer that is still to be decided, whatever its type."""
    for key, value in values.items():
        if isinstance(value, str):
            yield from (OpenPlace(key, what) for what in marks_in(value))
        for number, element in enumerate(value if isinstance(value, list) else ()):
            if isinstance(element, str):
                yield from (OpenPlace(key, what) for what in marks_in(element))
            for column, cell in element.items() if isinstance(element, dict) else ():
                if isinstance(cell, str):
                    yield from (OpenPlace(key, what, number, column) for what in marks_in(cell))


def decided(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an answer without the values, elements and cells that are nothing but a mark.

    What is left has the types of its fields, so other rules needn't know about marks.
    """
    if not any(open_places(values)):
        return values
    return {key: _decided(value) for key, value in values.items() if not is_mark(value)}


def _decided(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [
        {column: cell for column, cell in element.items() if not is_mark(cell)}
        if isinstance(element, dict)
        else element
        for element in value
        if not is_mark(element)
    ]
