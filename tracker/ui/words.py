"""Messages that need the label of their field, and tidying of the text people type."""

import re
import unicodedata
from typing import Any

from flask import request
from flask_babel import ngettext

# What Unicode says is no character, the last two of each plane among them: no page may contain it.
_NO_CHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)
# Characters that are invisible or reverse other text: a text must read as it is signed.
_HIDDEN = re.compile(
    f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ufeff{_NO_CHARACTERS}]"
)
# In a line, such as a name, also what can't be seen or reorders what follows it in a sentence.
_HIDDEN_IN_LINE = re.compile("[\u00ad\u200b\u202a-\u202c\u2060\u2066-\u2069]")
# What can be seen: anything but spaces, marks of direction, and letters that only fill.
_VISIBLE = re.compile(
    "[^\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"\s+")
# More marks than this on one letter aren't writing; composing many takes quadratic time. (The limit
# of the Unicode stream-safe text format, UAX #15.)
_MOST_MARKS = 30
# Search text is cut off after this many characters.
MOST_ASKED = 200


class BareMessage(str):
    """A message that doesn't name its field; a list of problems puts the label before it."""

    __slots__ = ()


def bare(message: object) -> BareMessage:
    """Return a message that needs its field's label when shown alone."""
    return BareMessage(str(message))


def too_long(most: int) -> str:
    """Return the message for a text beyond its limit."""
    return str(ngettext("Use at most %(num)s character", "Use at most %(num)s characters", most))


def tidy_text(text: Any) -> Any:
    """Tidy a text of several lines: line ends, invisible characters, outer spaces.

    One in which nothing can be seen is empty.
    """
    if not isinstance(text, str):
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    tidied = unicodedata.normalize("NFC", _fewer_marks(_HIDDEN.sub("", lines))).strip()
    return tidied if _VISIBLE.search(tidied) else ""


def tidy_line(text: Any) -> Any:
    """Tidy a text of one line: like tidy_text, with every run of spaces replaced by one."""
    if not isinstance(text, str):
        return text
    return _SPACES.sub(" ", tidy_text(_HIDDEN_IN_LINE.sub("", text))).strip()


def _fewer_marks(text: str) -> str:
    """Drop the marks above and below a letter that go beyond what any writing needs."""
    if text.isascii():
        return text
    signs, marks = [], 0
    for sign in text:
        marks = marks + 1 if unicodedata.category(sign)[0] == "M" else 0
        if marks <= _MOST_MARKS:
            signs.append(sign)
    return "".join(signs)


def asked_words(most: int = MOST_ASKED) -> str:
    """Return what a list is searched for (q in the URL), tidied and cut off."""
    words: str = tidy_line(request.args.get("q", ""))
    return words[:most]
