"""Who takes which task of a visit: chosen once before its text is begun with, and used all over it.

The lead and the deputy are known from planning. A text that comes with the product says of a place
who it usually is; nobody has read any of it yet when it is filled in (docs/adr/0110).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.accounts.people import telephones
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Column, FieldType, Item, TemplateField
from tracker.checklists import queries
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.model_texts import library, merging
from tracker.checklists.model_texts.schema import Task
from tracker.checklists.people_lists import name_and
from tracker.checklists.rules import nameable
from tracker.checklists.rules.nameable import Circle
from tracker.checklists.rules.values import as_id
from tracker.core.errors import RuleBrokenError

# What planning a visit says, by field of V3.
LEADERS = {Task.LEAD: "lead", Task.DEPUTY: "deputy"}
# The item that says what each person on the team does.
ROLES = "V5"
# Who can be chosen for the others, and what the page calls them.
CIRCLES = {
    Task.OFFICE: Circle.NPM,
    Task.INTERVIEWER: Circle.TEAM,
    Task.SECOND_INTERVIEWER: Circle.TEAM,
    Task.RECORDER: Circle.TEAM_OR_NPM,
}
LABELS = {
    Task.OFFICE: _l("Decides at the office of the NPM"),
    Task.INTERVIEWER: _l("Interviews people"),
    Task.SECOND_INTERVIEWER: _l("Interviews together with them"),
    Task.RECORDER: _l("Documents injuries and accounts of torture"),
}
# What the roles say of whoever takes one.
WORDS = {
    Task.OFFICE: _l("Decides at the NPM's office"),
    Task.INTERVIEWER: _l("Conducts interviews"),
    Task.SECOND_INTERVIEWER: _l("Conducts interviews as the second interviewer"),
    Task.RECORDER: _l("Documents injuries and signs of torture"),
}


@dataclass(frozen=True, slots=True)
class TaskToGive:
    """A task for which somebody can be chosen, and the people offered, with their names."""

    task: Task
    people: tuple[tuple[UUID, str], ...]

    @property
    def label(self) -> object:
        """What the page calls it."""
        return LABELS[self.task]


def leaders(actor: Actor, loaded: LoadedChecklist) -> dict[str, UUID]:
    """Return lead and deputy of the visit that a checklist belongs to, as far as they are named.

    Of another checklist of the visit than its roles, only if the actor may open the roles too.
    """
    roles = _roles(actor, loaded)
    if roles is None:
        return {}
    named = {task: as_id(roles.sheet.value("V3", key)) for task, key in LEADERS.items()}
    return {task.value: person for task, person in named.items() if person is not None}


def _roles(actor: Actor, loaded: LoadedChecklist) -> LoadedChecklist | None:
    checklist = loaded.checklist
    if checklist.visit_id is None:
        return None
    if checklist.kind is ChecklistKind.VISIT_ROLES:
        return loaded
    roles = queries.of_visit(actor, checklist.visit_id).get(ChecklistKind.VISIT_ROLES)
    return None if roles is None else load(roles)


def to_give(loaded: LoadedChecklist) -> tuple[TaskToGive, ...]:
    """Return the tasks that the text of a visit's checklist gives to people still to be chosen."""
    if loaded.checklist.visit_id is None:
        return ()
    codes = [item.code for item in loaded.template.items if loaded.is_open(item)]
    content = library.content_of(loaded.checklist.kind)
    offered = (
        TaskToGive(task, tuple(_offered(loaded, CIRCLES[task])))
        for task in merging.tasks_of(content, codes)
        if task in CIRCLES
    )
    return tuple(given for given in offered if given.people)


def _offered(loaded: LoadedChecklist, circle: Circle) -> Iterator[tuple[UUID, str]]:
    for person in loaded.people.values():
        if nameable.can_name(circle, person.user_id, loaded.surroundings):
            yield person.user_id, name_and(person, "")


def read_choice(loaded: LoadedChecklist, chosen: Mapping[str, str]) -> dict[str, UUID]:
    """Return the people who were chosen, by task; raise RuleBrokenError if one isn't offered."""
    offered = {
        given.task.value: {person for person, _name in given.people} for given in to_give(loaded)
    }
    people: dict[str, UUID] = {}
    for task, given in chosen.items():
        if not given:
            continue
        person = as_id(given)
        if person is None or person not in offered.get(task, ()):
            raise RuleBrokenError(_l("Choose people from the lists on this page."))
        people[task] = person
    return people


def with_words(
    answers: Sequence[tuple[Item, Mapping[str, Any]]], people: Mapping[str, UUID], language: str
) -> Iterator[tuple[Item, Mapping[str, Any]]]:
    """Yield answers in which the roles (V5) say of each person the tasks chosen for them.

    Only where the text leaves the task open. language is that of the text; if empty, the reader's.
    """
    chosen = [(str(people[task]), label) for task, label in WORDS.items() if task in people]
    if not chosen:
        yield from answers
        return
    words: dict[str, list[str]] = {}
    with force_locale(language) if language else nullcontext():
        for person, label in chosen:
            words.setdefault(person, []).append(str(label))
    for item, values in answers:
        if item.code != ROLES:
            yield item, values
            continue
        copy = _copied(values)
        for row in copy.get("roles", ()):
            if to_decide.is_mark(row.get("task")) and row.get("person") in words:
                row["task"] = "".join(f"{each}. " for each in words[row["person"]]).strip()
        yield item, copy


class Numbers:
    """Telephone numbers beside the people whom a text names, from these people's accounts."""

    def __init__(self, loaded: LoadedChecklist) -> None:
        self._loaded = loaded
        self._known: dict[UUID, str | None] = {}

    def filled(
        self, answers: Sequence[tuple[Item, Mapping[str, Any]]]
    ) -> Iterator[tuple[Item, Mapping[str, Any]]]:
        """Yield answers with known numbers in their open places; one query for all of them.

        Only of a visit: in the terms each party writes its own row.
        """
        if self._loaded.checklist.visit_id is None:
            yield from answers
            return
        copies = [(item, _copied(values)) for item, values in answers]
        places = [place for item, values in copies for place in self._places(item, values)]
        unknown = {person for _cells, _key, person in places} - self._known.keys()
        self._known |= dict.fromkeys(unknown) | dict(telephones.numbers_of(unknown))
        for cells, key, person in places:
            if number := self._known[person]:
                cells[key] = number
        yield from copies

    def _places(
        self, item: Item, values: dict[str, Any]
    ) -> Iterator[tuple[dict[str, Any], str, UUID]]:
        fields = item.fields_of(AnswerScope.SHARED)
        tables: list[tuple[TemplateField | None, Sequence[Any]]] = [(None, fields)]
        tables += [(field, field.columns) for field in fields if field.type is FieldType.TABLE]
        for field, parts in tables:
            for phone, person in nameable.phone_pairs(parts):
                for row in [values] if field is None else values.get(field.key, ()):
                    named = as_id(row.get(person.key))
                    is_open = to_decide.is_mark(row.get(phone.key))
                    if is_open and named and self._is_offered(item, field or person, named):
                        yield row, phone.key, named

    def _is_offered(self, item: Item, part: TemplateField | Column, person: UUID) -> bool:
        circle = nameable.offered_circle(item, cast("TemplateField", part))
        around = self._loaded.surroundings
        return person in self._loaded.people and nameable.can_name(circle, person, around)


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with rows that can be changed."""
    return {
        key: [dict(row) if isinstance(row, dict) else row for row in value]
        if isinstance(value, list)
        else value
        for key, value in values.items()
    }


def with_days(loaded: LoadedChecklist, item: Item, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer of an earlier visit with the days of this one, as the text counts them.

    Only where there is none: of an earlier visit no day is copied.
    """
    content = library.content_of(loaded.checklist.kind)
    days = {
        place: day
        for place, rule in merging.days_of(content, item.code).items()
        if (day := merging.day_of(rule, loaded.surroundings))
    }
    with_them = _copied(values)
    for (key, column), day in days.items():
        if column is None:
            with_them.setdefault(key, day)
        for row in with_them.get(key, ()) if column is not None else ():
            row.setdefault(column, day)
    return with_them
