"""What higher packages supply for a checklist: comments, own guidance, its text, its visit."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.checklists.models import Checklist
from tracker.cooperations.people import Participant
from tracker.core.services import Slot


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What the rules of a visit's checklist need to know about the visit."""

    team: frozenset[UUID]
    starts_on: dt.date
    ends_on: dt.date
    # When the place last changed; None: never.
    place_changed_at: dt.datetime | None = None
    # Since when the type of place has to be answered again; None: never.
    kind_asked_at: dt.datetime | None = None
    # Whether it was stopped, for good.
    is_stopped: bool = False
    # When each person joined the team, if that was recorded.
    joined: Mapping[UUID, dt.datetime] = field(default_factory=dict)
    # Where it is, to leave that out of what is kept of its texts (adr 96).
    place: str = ""
    # Its number in the cooperation.
    number: int | None = None


VisitReader = Callable[[Collection[UUID]], Mapping[UUID, VisitFacts]]


# The reader that finds visits' teams and days: visits is a higher package.
VISIT_READER: Slot[VisitReader] = Slot("visit_reader", lambda _visit_ids: {})
# The condition over Checklist that it belongs to no visit that was stopped.
GOING_ON: Slot[Callable[[], sa.ColumnElement[bool]]] = Slot("going_on", sa.true)

# The number of the visit that a Checklist belongs to, as a column.
VISIT_NUMBER: Slot[Callable[[], sa.ColumnElement[int | None]]] = Slot(
    "visit_number", lambda: sa.cast(sa.null(), sa.Integer)
)


ClearanceReader = Callable[
    [Actor, UUID, Iterable[Participant], UUID | None, Collection[UUID]], Mapping[UUID, object]
]


# The reader that says what is shown beside a name in a list: undertakings is a higher package.
CLEARANCE_READER: Slot[ClearanceReader] = Slot(
    "clearance_reader", lambda _actor, _cooperation_id, _people, _visit_id, _team: {}
)


@dataclass(frozen=True, slots=True)
class CommentLine:
    """A comment as shown beside an item."""

    name: str
    organisation: str
    when: dt.datetime
    own: bool
    text: str
    is_settled: bool
    # What came of a settled one, if that is known.
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """The comments that a person may read on an item: how many, and the last few.

    Both of the open ones and of the settled ones.
    """

    count: int = 0
    last: tuple[CommentLine, ...] = ()


NO_COMMENTS = Thread()


@dataclass(frozen=True, slots=True)
class Threads:
    """The comments that a person may read on a checklist, by item ("": on all of it)."""

    by_item: Mapping[str, Thread]

    def of(self, item: str = "") -> Thread:
        """Return the comments on an item, or without one those on the checklist as a whole."""
        return self.by_item.get(item, NO_COMMENTS)


CommentReader = Callable[[Actor, Checklist], Threads | None]


# The reader that finds comments beside items: comments is a higher package.
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


# The reader that finds own guidance beside items: authoring is a higher package.
OWN_GUIDANCE_READER: Slot[OwnGuidanceReader] = Slot("own_guidance_reader", lambda _actor, _id: {})


def own_guidance_beside(actor: Actor, cooperation_id: UUID) -> OwnGuidance:
    """Return, by item code, the passages by parties that the person may read."""
    return OWN_GUIDANCE_READER.get()(actor, cooperation_id)


@dataclass(frozen=True, slots=True)
class TextOnPage:
    """What the page of a checklist says about its signed text."""

    # Whether the rows agree with signatures and events.
    agrees: bool
    # Its status today as a label with its style mark; empty while there is none.
    words: object = ""
    mark: str = ""
    # Whether it is in force today, so neither suspended nor ended, by itself or otherwise.
    is_in_force: bool = False


TextReader = Callable[[Collection[Checklist]], Mapping[UUID, TextOnPage]]


# The reader that compares texts with their evidence: agreements is a higher package.
TEXT_READER: Slot[TextReader] = Slot(
    "text_reader",
    lambda checklists: {checklist.id: TextOnPage(agrees=True) for checklist in checklists},
)


def text_on_page(checklist: Checklist) -> TextOnPage:
    """Return what the page of a checklist says about its text, from signatures and events."""
    return texts_on_page([checklist])[checklist.id]


def texts_on_page(checklists: Collection[Checklist]) -> Mapping[UUID, TextOnPage]:
    """Return what a list says about the texts of checklists, in a constant number of statements."""
    return TEXT_READER.get()(checklists)
