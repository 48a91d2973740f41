"""The view model of one person's part in a visit: tasks, dates, first steps, whom to call."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Column, Item, TemplateField
from tracker.checklists import localized_values
from tracker.checklists.loading import LoadedChecklist, said_in
from tracker.checklists.localized_values import Part_, Table
from tracker.checklists.rules.rendering import show
from tracker.checklists.rules.values import as_id, names_in, shown_only
from tracker.core.telephone import Telephone
from tracker.ui.locale import as_date, language
from tracker.visits import pages, shown
from tracker.visits.encryption import Plan
from tracker.visits.facts import MemberFact
from tracker.visits.readiness import Reading

# Where the roles name people, and this page says it in another place, or it is no task.
_SAID_ELSEWHERE = frozenset(
    {
        ("V2", "audience"),
        ("V3", "lead"),
        ("V3", "deputy"),
        ("V3", "appointed_by"),
        ("V4", "team"),
        ("V5", "roles"),
    }
)
# Whom the urgent-action plan names to decide (U3), each with the field of their number.
_DECIDES = (
    ("on_site", "on_site_phone"),
    ("headquarters", "headquarters_phone"),
    ("stand_in", "stand_in_phone"),
)
# What a member does first, how fast, and in what words they ask for consent.
_FIRST_STEPS = ("U2", "U4", "U6")


@dataclass(frozen=True, slots=True)
class NamedIn:
    """An item that names a person: its title, and what is agreed each time they are named."""

    title: str
    entries: list[list[tuple[object, object]]]


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody to call: their name, what for, and their numbers."""

    name: str
    reasons: list[object]
    numbers: list[Telephone] = dataclasses.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FirstStep:
    """An item of the signed urgent-action plan, for the value component."""

    title: str
    parts: list[Part_]


@dataclass(frozen=True, slots=True)
class OwnPart:
    """What a person on the team needs at hand, on a phone."""

    fact: MemberFact
    plan: Plan
    # What they are there for, and their row of V5; empty until it is written.
    function: object
    role: list[tuple[object, object]]
    # Where else the roles, and the signed plan, name them.
    named_in: list[NamedIn]
    dates: list[tuple[object, object]]
    first_steps: list[FirstStep]
    calls: list[Call]
    plan_url: str
    plan_is_signed: bool
    # Tokens of the task and the plan that the page showed.
    task_mark: str
    plan_mark: str
    # Why both are asked for again, if place or days changed after the visit was planned.
    why_again: object = ""


def part_of(reading: Reading, fact: MemberFact, actor: Actor) -> OwnPart:
    """Return the view model of a person's part in a visit, for them or for whoever records it.

    Of the urgent-action plan only what everybody has signed is in it.
    """
    plan = said_in(reading.signed_plan, language()) if reading.signed_plan else None
    is_in_force = reading.urgent_plan.revision_in_force_id is not None
    return OwnPart(
        fact=fact,
        plan=reading.plan,
        function=pages.function_words(fact),
        role=_role(reading, fact, is_own=fact.user_id == actor.user_id),
        named_in=[
            *_naming(reading.roles, fact.user_id, but=_SAID_ELSEWHERE),
            *(_naming(plan, fact.user_id) if plan else ()),
        ],
        dates=pages.schedule(reading),
        first_steps=list(_first_steps(plan)) if plan else [],
        calls=_calls(reading, plan, fact.user_id),
        plan_url=url_for("signing.record", checklist_id=reading.urgent_plan.id)
        if is_in_force
        else "",
        plan_is_signed=reading.judgement.facts.plan.is_signed,
        task_mark=shown.task_mark(actor, reading, fact.user_id),
        plan_mark=shown.plan_mark(actor, reading, fact.user_id),
        why_again=_why_again(reading, fact),
    )


def _role(reading: Reading, fact: MemberFact, *, is_own: bool) -> list[tuple[object, object]]:
    rows = reading.roles.sheet.value("V5", "roles") or ()
    row: dict[str, Any] = next(
        (row for row in rows if as_id(row.get("person")) == fact.user_id), {}
    )
    return [
        (label, words)
        for label, words in (
            (_("Main task"), row.get("task", "")),
            (_("Alone or with whom"), _name_or_words(reading, row.get("works_with"))),
            (_("Who steps in"), pages.name_in(reading, row.get("backup"))),
            (_("Your limits") if is_own else _("Limits"), row.get("limits", "")),
        )
        if words
    ]


def _name_or_words(reading: Reading, stored: Any) -> str:
    """Return the name of a person, or what was typed if an older version asks for free text."""
    return pages.name_in(reading, stored) if as_id(stored) else stored or ""


def _why_again(reading: Reading, fact: MemberFact) -> object:
    moved_at = reading.plan.moved_at
    if moved_at is None or (fact.role_accepted and fact.plan_read):
        return ""
    return _(
        "The place or the days changed on %(day)s. What was accepted and confirmed before no "
        "longer counts.",
        day=as_date(moved_at),
    )


# Where a person is named ------------------------------------------------------------------------


def _naming(
    loaded: LoadedChecklist, user_id: UUID, *, but: Collection[tuple[str, str]] = ()
) -> Iterator[NamedIn]:
    for item in loaded.template.items:
        entries = [
            _entry(loaded, field, values, row, part)
            for field, values in _answered(loaded, item)
            if (item.code, field.key) not in but
            for row, part, name in names_in(field, values[field.key])
            if as_id(name) == user_id
        ]
        if entries:
            yield NamedIn(item.label, entries)


def _answered(
    loaded: LoadedChecklist, item: Item
) -> Iterator[tuple[TemplateField, Mapping[str, Any]]]:
    """Yield the fields of an item's shared answer that have a value, each with all values."""
    values = _values(loaded, item)
    fields = item.fields_of(AnswerScope.SHARED)
    yield from ((field, values) for field in fields if field.key in values)


def _values(loaded: LoadedChecklist, item: Item) -> dict[str, Any]:
    """Return the values of an item's shared answer that apply and aren't still to be decided."""
    fields = item.fields_of(AnswerScope.SHARED)
    values = {field.key: loaded.sheet.value(item.code, field.key) for field in fields}
    return shown_only(fields, {key: value for key, value in values.items() if value is not None})


def _entry(
    loaded: LoadedChecklist,
    field: TemplateField,
    values: Mapping[str, Any],
    row: int | None,
    part: TemplateField | Column,
) -> list[tuple[object, object]]:
    """Return as what a person is named, and what else their row says."""
    named_as: tuple[object, object] = (_("Named as"), part.label)
    if row is None:
        return [named_as]
    own_row = {field.key: [values[field.key][row]]}
    tables = [localized_values.shown_value(each) for each in show((field,), own_row, loaded.names)]
    return [
        named_as,
        *(
            (head or field.label, cell)
            for table in tables
            if isinstance(table, Table)
            for head, cell in zip(table.heads, table.lines[0], strict=True)
            if cell and head != part.label
        ),
    ]


# The plan, and whom to call ---------------------------------------------------------------------


def _first_steps(plan: LoadedChecklist) -> Iterator[FirstStep]:
    for code in _FIRST_STEPS:
        item = plan.template.item(code)
        values = _values(plan, item) if item is not None else {}
        if item is not None and values:
            fields = item.fields_of(AnswerScope.SHARED)
            yield FirstStep(item.label, localized_values.parts(fields, values, plan.names))


def _calls(reading: Reading, plan: LoadedChecklist | None, reader_id: UUID) -> list[Call]:
    """Return whom somebody calls, each person once: the lead first, the safety contact last."""
    calls: dict[UUID, Call] = {}
    for stored, reason, number in _named_to_call(reading, plan):
        user_id, name = as_id(stored), pages.name_in(reading, stored)
        if user_id is None or user_id == reader_id or not name:
            continue
        call = calls.setdefault(user_id, Call(name, []))
        call.reasons.append(reason)
        if number and number not in call.numbers:
            call.numbers.append(Telephone(number))
    return list(calls.values())


def _named_to_call(
    reading: Reading, plan: LoadedChecklist | None
) -> Iterator[tuple[Any, object, Any]]:
    """Yield an id of a person, why people call them, and the number that is agreed for it."""
    roles = reading.roles.sheet
    yield roles.value("V3", "lead"), _("Team lead"), None
    yield roles.value("V3", "deputy"), _("Deputy team lead"), None
    decides = plan.template.item("U3") if plan else None
    if plan and decides:
        for key, number in _DECIDES:
            yield (
                plan.sheet.value("U3", key),
                decides.field(key).label,
                plan.sheet.value("U3", number),
            )
    contact = roles.value("V13", "safety_contact")
    yield contact, _("Safety contact"), roles.value("V13", "safety_phone")
