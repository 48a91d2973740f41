"""What packages above supply for a checklist: comments, own guidance, its text, its visit."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tracker.access.actor import Actor
from tracker.checklists.models import Checklist
from tracker.core.services import Slot


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What a visit's checklist looks at of its visit."""

    team: frozenset[UUID]
    starts_on: dt.date
    ends_on: dt.date


VisitReader = Callable[[Collection[UUID]], Mapping[UUID, VisitFacts]]


# How visits' teams and days are found: visits stands above this part.
VISIT_READER: Slot[VisitReader] = Slot("visit_reader", lambda _visit_ids: {})


@dataclass(frozen=True, slots=True)
class CommentLine:
    """A comment as shown beside an item."""

    name: str
    organisation: str
    when: dt.datetime
    own: bool
    text: str
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """What a person reads of the comments on an item: how many, and the last few."""

    count: int = 0
    last: tuple[CommentLine, ...] = ()


NO_COMMENTS = Thread()


@dataclass(frozen=True, slots=True)
class Threads:
    """The comments that a person reads on a checklist, by item; on the whole of it by nothing."""

    by_item: Mapping[str, Thread]

    def of(self, item: str = "") -> Thread:
        """Return the comments on an item, or with nothing those on the checklist as a whole."""
        return self.by_item.get(item, NO_COMMENTS)


CommentReader = Callable[[Actor, Checklist], Threads | None]


# How comments beside items are found: comments stands above this part.
COMMENT_READER: Slot[CommentReader] = Slot("comment_reader", lambda _actor, _checklist: None)


def comments_beside(actor: Actor, checklist: Checklist) -> Threads | None:
    """Return the comments a person may read on a checklist; None if they may read none."""
    return COMMENT_READER.get()(actor, checklist)


@dataclass(frozen=True, slots=True)
class OwnPassageBeside:
    """A passage of a party's own guidance, shown beside an item."""

    article_id: UUID
    organisation: str
    key: str
    title: str
    language: str
    markdown: str


OwnGuidance = Mapping[str, Sequence[OwnPassageBeside]]
OwnGuidanceReader = Callable[[Actor, UUID], OwnGuidance]


# How own guidance beside items is found: authoring stands above this part.
OWN_GUIDANCE_READER: Slot[OwnGuidanceReader] = Slot("own_guidance_reader", lambda _actor, _id: {})


def own_guidance_beside(actor: Actor, cooperation_id: UUID) -> OwnGuidance:
    """Return by item's code what parties wrote themselves and the person may read."""
    return OWN_GUIDANCE_READER.get()(actor, cooperation_id)


@dataclass(frozen=True, slots=True)
class TextOnPage:
    """What the page of a checklist says of its signed text."""

    # Whether the rows agree with signatures and events.
    agrees: bool
    # Its status today, in words with their mark; empty as long as there is none.
    words: object = ""
    mark: str = ""


TextReader = Callable[[Collection[Checklist]], Mapping[UUID, TextOnPage]]


# How texts are compared with their evidence: agreements stands above this part.
TEXT_READER: Slot[TextReader] = Slot(
    "text_reader",
    lambda checklists: {checklist.id: TextOnPage(agrees=True) for checklist in checklists},
)


def text_on_page(checklist: Checklist) -> TextOnPage:
    """Return what the page of a checklist says of its text, by its signatures and events."""
    return texts_on_page([checklist])[checklist.id]


def texts_on_page(checklists: Collection[Checklist]) -> Mapping[UUID, TextOnPage]:
    """Return what a list says of the texts of checklists, in a constant number of statements."""
    return TEXT_READER.get()(checklists)
