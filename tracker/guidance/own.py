"""Articles that organisations add to the library: plain values, and the reader that finds them.

They are never in the shared search index: an article that others can't find must not change the
order or the counts on their pages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tracker.access.actor import Actor
from tracker.core.services import Slot
from tracker.search.words import Question


@dataclass(frozen=True, slots=True)
class OwnPassageText:
    """A passage of an organisation's article."""

    key: str
    number: int
    title: str
    markdown: str


@dataclass(frozen=True, slots=True)
class OwnText:
    """An organisation's article that the reader may see, as the library lists it."""

    id: UUID
    organisation: str
    language: str
    question: str
    summary: str
    category: str
    topics: tuple[str, ...]
    # The number of items it is shown beside.
    uses: int
    # Whether it contains every word of the search.
    matches: bool = True
    # Its text and its passages, if there is a search.
    text: str = ""
    passages: tuple[OwnPassageText, ...] = ()


OwnReader = Callable[[Actor, Question], Sequence[OwnText]]


# The reader that finds own articles: authoring is a higher package.
OWN_READER: Slot[OwnReader] = Slot("own_reader", lambda _actor, _question: ())


def find_own(actor: Actor | None, question: Question) -> Sequence[OwnText]:
    """Return the organisations' articles a person may see, best matches first.

    Each knows whether it contains every word of the search. A stranger sees none.
    """
    return () if actor is None else OWN_READER.get()(actor, question)
