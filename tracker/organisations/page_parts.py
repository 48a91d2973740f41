"""What higher packages supply to the pages of organisations: people, cooperations, who acts."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.core.services import Slot


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person of an organisation: their roles with the state of each.

    user_id is None if the reader can't open the person's page.
    """

    name: str
    roles: tuple[str, ...]
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class People:
    """The people of an organisation that the reader may see: how many, and one page of them.

    acting_only: only those who act for it, for readers who may not see the others.
    """

    total: int
    lines: Sequence[PersonLine]
    acting_only: bool


class NobodyActs(NamedTuple):
    """Why nobody can act for an organisation, and label and URL of what an administrator can do."""

    why: object
    act: object
    url: str


@dataclass(frozen=True, slots=True)
class CooperationLine:
    """A cooperation that the reader may see, with its state in words and its style mark."""

    title: str
    reference: str
    state: tuple[object, str]


@dataclass(frozen=True, slots=True)
class Cooperations:
    """The newest cooperations of an organisation that the reader may see, and if there are more."""

    lines: Sequence[CooperationLine]
    has_more: bool


# Takes the reader, the organisation, and which people: offset and limit. None: the reader may see
# nobody.
PeopleReader = Callable[[Actor, UUID, int, int], People | None]

PEOPLE: Slot[PeopleReader] = Slot("people_of_organisation", lambda *_given: None)
COOPERATIONS: Slot[Callable[[Actor, UUID], Cooperations]] = Slot(
    "cooperations_of_organisation", lambda _actor, _id: Cooperations((), has_more=False)
)
# The condition over Organisation that it takes part in a cooperation that the reader may see.
IS_PARTNER: Slot[Callable[[Actor], sa.ColumnElement[bool]]] = Slot(
    "is_partner", lambda _actor: sa.false()
)
# For which of some organisations nobody can act.
NOBODY_ACTS: Slot[Callable[[Collection[UUID]], Mapping[UUID, NobodyActs]]] = Slot(
    "nobody_acts", lambda _ids: {}
)
# The condition over Organisation that nobody can act for it.
WITHOUT_COORDINATOR: Slot[Callable[[], sa.ColumnElement[bool]]] = Slot(
    "without_coordinator", sa.false
)
# For administrators: the open requests to invite a coordinator, as label and URL.
REQUESTS: Slot[Callable[[Actor, UUID], Sequence[tuple[object, str]]]] = Slot(
    "invitation_requests_of_organisation", lambda _actor, _id: ()
)
