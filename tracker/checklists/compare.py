"""Differences between two texts, word by word. Pure."""

import re
from difflib import SequenceMatcher

WORDS = re.compile(r"\s+|[^\s]+")
Difference = list[tuple[str, str]]


def words(before: str, after: str) -> Difference:
    """Return the pieces of both texts as (kind, words), kind being same, out or in."""
    old, new = WORDS.findall(before), WORDS.findall(after)
    pieces: Difference = []
    for act, a1, a2, b1, b2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if act == "equal":
            pieces.append(("same", "".join(old[a1:a2])))
            continue
        if a2 > a1:
            pieces.append(("out", "".join(old[a1:a2])))
        if b2 > b1:
            pieces.append(("in", "".join(new[b1:b2])))
    return pieces
