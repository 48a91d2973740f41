"""An organisation's initials: two or three letters shown beside its name."""

from collections.abc import Collection, Iterator

MOST_LETTERS = 3
# Words of a name that contribute no letter.
_PASSED_OVER = frozenset({"office", "of", "the", "for", "and", "de", "du", "des", "la", "le"})


def initials_for(name: str, taken: Collection[str] = ()) -> str:
    """Return initials for a name, different from all others if the name allows it."""
    offered = list(dict.fromkeys(_candidates(name)))
    return next((mark for mark in offered if mark not in taken), offered[0])


def _candidates(name: str) -> Iterator[str]:
    words = [word for word in name.replace("-", " ").split() if word[:1].isalnum()]
    telling = [word for word in words if word.casefold() not in _PASSED_OVER] or words
    if not telling:
        yield "?"
        return
    initials = _letters("".join(word[0] for word in telling))
    whole = _letters("".join(telling))
    if len(telling) > 1:
        yield initials[:2]
        yield initials[:MOST_LETTERS]
    yield whole[:2]
    yield whole[:MOST_LETTERS]
    for second in whole[1:]:
        yield whole[0] + second
    for third in whole[2:]:
        yield whole[:2] + third


def _letters(text: str) -> str:
    return "".join(letter.upper()[:1] for letter in text if letter.isalnum())
