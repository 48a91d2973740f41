"""Which places an added interest concerns, and whether a visit's place is one of them. Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from tracker.search import words
from tracker.undertakings.models import Reach

# The kind that doesn't say what kind of place it is.
ANOTHER_KIND = "other"
# At this similarity or more, two words may be one name in two spellings.
LIKENESS = 0.7
# Shorter words, such as articles, don't distinguish places.
SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Places:
    """The places an interest concerns: one by name, a kind of place (V1), or all."""

    reach: Reach
    kind: str = ""
    name: str = ""

    def to_values(self) -> dict[str, str]:
        """Return it as plain values, to be stored encrypted."""
        return {"reach": self.reach.value, "kind": self.kind, "name": self.name}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "Places":
        """Parse what to_values() returned."""
        return cls(Reach(values["reach"]), str(values["kind"]), str(values["name"]))

    def concern(self, kind: str | None, place: str) -> bool:
        """Return whether a visit to this place may be concerned; True if that can't be determined.

        kind is the type of place in the visit's roles (V1), None before it is known.
        """
        match self.reach:
            case Reach.ALL:
                return True
            case Reach.KIND:
                return kind in {None, "", ANOTHER_KIND, self.kind}
            case Reach.NAMED:
                return not _are_different(self.name, place)


def _are_different(name: str, place: str) -> bool:
    """Return whether two names surely differ: in one script, without a word in common."""
    first, second = _words(name), _words(place)
    if not first or not second or not _scripts(name) & _scripts(place):
        return False
    return not any(_are_alike(word, other) for word in first for other in second)


def _words(text: str) -> set[str]:
    return {word for word in words.folded(text).split() if len(word) >= SHORTEST}


def _are_alike(word: str, other: str) -> bool:
    return SequenceMatcher(None, word, other).ratio() >= LIKENESS


def _scripts(text: str) -> set[str]:
    """Return the scripts of a text's letters, from the first words of their Unicode names."""
    return {unicodedata.name(letter, "").partition(" ")[0] for letter in text if letter.isalpha()}
