"""Articles that organisations add to the library: plain values, and the reader that finds them.

Such guidance is never put into the index that all searches share: what nobody else can find
changes no order and no count on the pages of others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tracker.access.actor import Actor
from tracker.core.services import Slot
from tracker.search.words import Question


@dataclass(frozen=True, slots=True)
class OwnPassageText:
    """A passage of an own article."""

    key: str
    number: int
    title: str
    markdown: str


@dataclass(frozen=True, slots=True)
class OwnText:
    """An own article that somebody may see, as the library lists it."""

    id: UUID
    organisation: str
    language: str
    question: str
    summary: str
    category: str
    topics: tuple[str, ...]
    # Of how many items of the checklists it stands beside.
    uses: int
    # Whether it holds every word that is looked for.
    answers: bool = True
    # Its words and its passages, where words are looked for.
    text: str = ""
    passages: tuple[OwnPassageText, ...] = ()


OwnReader = Callable[[Actor, Question], Sequence[OwnText]]


# How own articles are found: authoring stands above this part.
OWN_READER: Slot[OwnReader] = Slot("own_reader", lambda _actor, _question: ())


def find_own(actor: Actor | None, asked: Question) -> Sequence[OwnText]:
    """Return the own articles that a person may see, those with the words in their question first.

    Each knows whether it holds every word asked for. A stranger sees none.
    """
    return () if actor is None else OWN_READER.get()(actor, asked)
