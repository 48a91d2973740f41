"""Plain values for the completeness rules: parties, answers, who accepts them. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists.models import CopySource, Stance
from tracker.cooperations.models import Mode
from tracker.core.canonical import digest_of


@dataclass(frozen=True, slots=True)
class PartyFact:
    """A current party of the checklist."""

    organisation_id: UUID
    side: OrganisationKind
    name: str = ""
    mark: str = ""
    short_name: str = ""
    # The languages it works in, if they are known here.
    languages: tuple[str, ...] = ()
    # What the organisation does, by its details, that is an interest: keys of consistency.TIES.
    ties: frozenset[str] = frozenset()
    # Whether it has yet to sign the terms in force (adr 70).
    is_joining: bool = False

    @property
    def is_of_npm(self) -> bool:
        """Whether it decides for the NPM: one that is joining only negotiates what it will sign."""
        return self.side is OrganisationKind.NPM and not self.is_joining


@dataclass(frozen=True, slots=True)
class Filled:
    """The current version of one answer."""

    answer_id: UUID
    version: int
    values: Mapping[str, Any]
    author_id: UUID
    organisation_id: UUID
    saved_at: dt.datetime
    author_name: str = ""
    not_applicable: bool = False
    # Where its words are from, if nobody wrote them here, and the checklist if it was one; whether
    # they were changed here since; and the parties in which somebody has read them.
    source: CopySource | None = None
    copied_from: UUID | None = None
    is_rewritten: bool = False
    read_by: frozenset[UUID] = frozenset()
    # Whether whoever saved it only loaded it as it was, or transcribed it from paper.
    taken_over: bool = False
    # Whether it counts as empty: words from elsewhere with places to decide that nobody here
    # changed, in an item that isn't required here (completeness.counting).
    does_not_apply: bool = False

    @property
    def is_copied(self) -> bool:
        """Whether its words are from elsewhere, so that each party has to read them."""
        return self.source is not None

    @property
    def was_written(self) -> bool:
        """Whether its author wrote it here, instead of copying or loading it (product.md, 6)."""
        return not self.taken_over and (not self.is_copied or self.is_rewritten)

    def is_unread_by(self, organisation_id: UUID) -> bool:
        """Return whether it was copied, and nobody in a party has read it yet."""
        return self.is_copied and organisation_id not in self.read_by

    @property
    def is_empty(self) -> bool:
        """Whether the answer is empty, for example because it was cleared, or counts as empty."""
        return self.does_not_apply or (
            not self.not_applicable
            and not any(has_content(value) for value in self.values.values())
        )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a checklist's rules depend on besides its answers."""

    modes: frozenset[Mode]
    questions: Mapping[str, str]
    parties: tuple[PartyFact, ...]
    npm_people: frozenset[UUID] = frozenset()
    # People of the NPM who are never its second reader (product.md, 2).
    non_readers: frozenset[UUID] = frozenset()
    # Those of them who have no account.
    without_account: frozenset[UUID] = frozenset()
    people: frozenset[UUID] = frozenset()
    # The same by party: somebody may take part for several.
    people_of: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)
    # Parties that left by their own notice: whoever they named for themselves isn't missed.
    left: frozenset[UUID] = frozenset()
    # The outside bodies of the cooperation that can be named.
    bodies: frozenset[UUID] = frozenset()
    # Of a text that is sent or in force: the items that may be written anew. None: all, as none has
    # been agreed for good.
    reopened: frozenset[str] | None = None
    # For a visit's checklist: the team, and the first and the last day.
    team: frozenset[UUID] | None = None
    # When each person joined that team, if it was recorded.
    joined: Mapping[UUID, dt.datetime] = field(default_factory=dict)
    # Who was chosen for which task of the visit (model_texts.schema.Task), where that is known.
    tasks: Mapping[str, UUID] = field(default_factory=dict)
    visit_starts_on: dt.date | None = None
    visit_ends_on: dt.date | None = None
    # Today, from the first day of that visit on; None before.
    today_in_visit: dt.date | None = None
    # Whether that visit was stopped: then its texts have ended.
    visit_is_stopped: bool = False
    # When the place of the visit last changed; None: never.
    place_changed_at: dt.datetime | None = None
    # The same as a day, in the NPM's time zone.
    place_changed_on: dt.date | None = None
    # Since when the type of place (V1) has to be answered again, as the visit moved to another.
    kind_asked_at: dt.datetime | None = None
    # The dates planned for the cooperation, by the fields of M19 that set them; empty once terms
    # were in force, which set the dates for good.
    planned: Mapping[str, dt.date] = field(default_factory=dict)
    # The last day on which the terms may start if they replace terms that run today.
    latest_start: dt.date | None = None

    def is_agreed(self, item: str) -> bool:
        """Return whether all have agreed on an item for good, until it is written anew."""
        return self.reopened is not None and item not in self.reopened

    def parties_of(self, *sides: OrganisationKind) -> tuple[PartyFact, ...]:
        """Return the parties of some sides."""
        return tuple(party for party in self.parties if party.side in sides)


AnswerKey = tuple[str, AnswerScope, UUID]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A checklist's current answers and positions."""

    checklist_id: UUID
    answers: Mapping[AnswerKey, Filled]
    # item -> organisation -> (answer the position is on, stance), on whole answers
    positions: Mapping[str, Mapping[UUID, tuple[UUID | None, Stance]]] = field(default_factory=dict)
    # Everybody who wrote any version of any answer.
    authors: frozenset[UUID] = frozenset()
    # Items that do not apply here, or may not: their answers don't count.
    hidden: frozenset[str] = frozenset()
    # item -> parties with an open proposal that nobody has answered yet
    proposed: Mapping[str, frozenset[UUID]] = field(default_factory=dict)
    # item -> organisation -> part of the answer (party_rows.AnswerPart) -> stance. Such a position
    # ends when its part changes.
    row_positions: Mapping[str, Mapping[UUID, Mapping[UUID, Stance]]] = field(default_factory=dict)

    def shared(self, item: str) -> Filled | None:
        """Return the shared answer of an item."""
        return self.answers.get((item, AnswerScope.SHARED, self.checklist_id))

    def of_party(self, item: str, organisation_id: UUID) -> Filled | None:
        """Return a party's own answer of an item."""
        return self.answers.get((item, AnswerScope.PARTY, organisation_id))

    def of_person(self, item: str, user_id: UUID) -> Filled | None:
        """Return a person's own answer of an item."""
        return self.answers.get((item, AnswerScope.PERSON, user_id))

    def value(self, item: str, key: str) -> Any:
        """Return a field's shared value; None if there is none or the item does not apply.

        There is none while the value is still to be decided.
        """
        answer = None if item in self.hidden else self.shared(item)
        if answer is None or answer.not_applicable or answer.does_not_apply:
            return None
        value = answer.values.get(key)
        return None if to_decide.is_mark(value) else value


@dataclass(frozen=True, slots=True)
class Holding:
    """An item as assigned on one side: to whom, and until which day."""

    user_id: UUID
    due_on: dt.date | None = None


def seen_of(holdings: Mapping[str, Holding]) -> str:
    """Return a mark of all assignments; any change gives another mark."""
    return digest_of(
        {
            item: [str(holding.user_id), holding.due_on.isoformat() if holding.due_on else ""]
            for item, holding in holdings.items()
        }
    )
