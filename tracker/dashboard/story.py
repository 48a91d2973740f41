"""View model of a cooperation's history: its milestones, its days, and similar acts in one line."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.kinds import act_of
from tracker.activity.queries import HistoryLine
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import loading
from tracker.checklists import queries as checklists
from tracker.checklists.history import item_timeline, item_titles
from tracker.checklists.history.item_events import item_events
from tracker.checklists.history.item_timeline import Entry
from tracker.checklists.labels import KINDS
from tracker.core import clock
from tracker.dashboard import queries
from tracker.dashboard.wording import ACT_WORDS
from tracker.ui.filters import here
from tracker.ui.locale import language

# The parameter that names the event whose values are shown.
OPEN = "open"
# The events that saved a version of an answer.
_SAVING = frozenset({verbs.ANSWER_SAVED.name, verbs.PROPOSAL_ACCEPTED.name})


@dataclass(frozen=True, slots=True)
class EventView:
    """An event as the history shows it, with items named."""

    line: HistoryLine
    # The checklist it is about, if its sentence names only an item.
    checklist: object
    # Where the values before and after are shown, for people who may open the checklist.
    url: str
    # These values, if they were requested.
    change: Entry | None


@dataclass(frozen=True, slots=True)
class ActView:
    """An event, or several of the same act on one day for one organisation, the newest first."""

    events: list[EventView]
    # What all of them were, if there are several.
    words: str
    checklist: object
    organisation: str | None
    begun: dt.datetime
    ended: dt.datetime
    # Whether one of them shows its values.
    is_open: bool


@dataclass(frozen=True, slots=True)
class DayView:
    """A day of the history and its acts, the newest first."""

    day: dt.date
    acts: list[ActView]


class Story:
    """The events of a page, prepared in a constant number of statements."""

    def __init__(
        self, actor: Actor, cooperation_id: UUID, lines: Sequence[HistoryLine], opened: str
    ) -> None:
        self._titles = item_titles.titles_in(cooperation_id, language())
        self._readable = queries.readable_answers(
            actor, {line.subject_id for line in lines if line.verb in _SAVING}
        )
        self._opened = next((line for line in lines if str(line.event_id) == opened), None)
        self._actor = actor

    def days(self, lines: Iterable[HistoryLine]) -> list[DayView]:
        """Return events by day and act; acts are in the order of their newest event."""
        days: dict[dt.date, dict[object, list[HistoryLine]]] = {}
        for line in lines:
            acts = days.setdefault(line.at.astimezone(clock.zone()).date(), {})
            acts.setdefault(_key(line), []).append(line)
        return [
            DayView(day, [self._act(act_lines) for act_lines in acts.values()])
            for day, acts in days.items()
        ]

    def events(self, lines: Iterable[HistoryLine]) -> list[EventView]:
        """Return events one by one."""
        return [self._event(line) for line in lines]

    def _act(self, lines: list[HistoryLine]) -> ActView:
        first = lines[0]
        act = act_of(first.verb, first.details.get("stance"))
        events = self.events(lines)
        return ActView(
            events,
            str(ACT_WORDS[act](_count(lines))) if act and len(lines) > 1 else "",
            _checklist(first),
            first.acting_for,
            begun=lines[-1].at,
            ended=first.at,
            is_open=any(event.change for event in events),
        )

    def _event(self, line: HistoryLine) -> EventView:
        can_open = line.subject_id in self._readable and _saved_version(line) is not None
        is_open = can_open and line is self._opened
        return EventView(
            item_titles.with_titles(line, self._titles),
            _checklist(line) if "item" in line.details else "",
            f"{here({OPEN: str(line.event_id)})}#e-{line.event_id}" if can_open else "",
            self._change(line) if is_open else None,
        )

    def _change(self, line: HistoryLine) -> Entry | None:
        """Return the values that an event changed, before and after."""
        checklist = checklists.find(self._actor, line.subject_id)
        version = _saved_version(line)
        if checklist is None or version is None:
            return None
        loaded = loading.load(checklist, language())
        item = loaded.template.item(line.details["item"])
        if item is None:
            return None
        return item_timeline.of_version(loaded, item, item_events(checklist, item.code), version)


def _saved_version(line: HistoryLine) -> int | None:
    """Return the version of the shared answer that an event saved, if it saved one."""
    if line.verb not in _SAVING or "item" not in line.details:
        return None
    is_shared = line.details.get("scope", AnswerScope.SHARED) == AnswerScope.SHARED
    version = line.details.get("version")
    return version if is_shared and isinstance(version, int) else None


def _key(line: HistoryLine) -> object:
    """Return the key by which events are grouped; an event of no such act is a group of its own."""
    act = act_of(line.verb, line.details.get("stance"))
    if act is None or line.is_altered or line.is_erased:
        return line.event_id
    return act, line.details.get("kind"), line.acting_for


def _count(lines: list[HistoryLine]) -> int:
    """Return how many items the events of an act are about, or else how many events there are."""
    codes: set[Any] = set()
    for line in lines:
        codes.update(line.details.get("items") or [])
        codes.add(line.details.get("item"))
    return len(codes - {None}) or len(lines)


def _checklist(line: HistoryLine) -> object:
    return next((words for kind, words in KINDS.items() if kind == line.details.get("kind")), "")
