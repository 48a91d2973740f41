"""What is left to decide in a checklist: the open places that a person's party can fill in.

Only the places are shown to whoever fills them in, so saving them accepts nothing: the party still
reads and accepts each item as a whole (adr 108).
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.accounts.people import telephones
from tracker.checklist_templates.conditions import AnswerCondition
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item, Required
from tracker.checklists import own_rows, pages, policy, service
from tracker.checklists.deciding.open_places import (
    OpenField,
    OpenTable,
    code_of,
    key_of,
    name_of_all,
    tables_with_places,
)
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.models import Checklist
from tracker.checklists.negotiation.text_digest import require_question_shown
from tracker.checklists.reuse import known_facts
from tracker.checklists.reuse.text_language import in_language_of
from tracker.checklists.rules import completeness
from tracker.checklists.rules.completeness import ItemStatus
from tracker.checklists.rules.facts import Filled
from tracker.checklists.rules.values import shown_only
from tracker.core import canonical, clock
from tracker.core.errors import StaleError

SHARED = AnswerScope.SHARED
# What a party answers: with all others, and for itself.
ANSWERED = (SHARED, AnswerScope.PARTY)
# The item that says which papers each person has.
PAPERS = "V13"


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An answer with places that are left to decide, and the version in which they are.

    What nobody has written yet begins with what is known, which values has.
    """

    item: Item
    version: int
    tables: tuple[OpenTable, ...]
    scope: AnswerScope = SHARED
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    is_unwritten: bool = False

    @property
    def key(self) -> str:
        """What the names of its fields on the form begin with."""
        return key_of(self.item.code, self.scope)

    @property
    def places(self) -> tuple[OpenField, ...]:
        """All of its places, in the order of the page."""
        return tuple(place for table in self.tables for row in table.rows for place in row.places)

    def as_dependent(self) -> "OpenItem":
        """Return it with all its places dependent on another item."""
        tables = [
            dataclasses.replace(
                table,
                rows=tuple(
                    dataclasses.replace(row, places=tuple(map(_dependent, row.places)))
                    for row in table.rows
                ),
                together=tuple(tuple(map(_dependent, group)) for group in table.together),
            )
            for table in self.tables
        ]
        return dataclasses.replace(self, tables=tuple(tables))

    @property
    def begun_with(self) -> str:
        """The digest of what an unwritten answer begins with: its rows may be others by now."""
        return canonical.digest_of(dict(self.values)) if self.is_unwritten else ""


def _dependent(place: OpenField) -> OpenField:
    return dataclasses.replace(place, is_dependent=True, waits_for_item=True)


class Seen(NamedTuple):
    """On what a page based an answer: its version, the token of the question, begun_with."""

    version: int
    token: str
    begun_with: str = ""


def open_items(loaded: LoadedChecklist, actor: Actor) -> tuple[OpenItem, ...]:
    """Return what a person's party can decide now, answer by answer.

    Of a table with a row for each party that is the party's own row. What another party has
    accepted is left out. In a checklist that began with a text, answers that wait for the party and
    that nobody has begun are there too, if their fields and the rows that are known are all it
    takes.
    """
    party = loaded.own_party(actor)
    if party is None or not policy.can_take_part(actor, party) or not loaded.goes_on():
        return ()
    statuses = loaded.standing().items
    unwritten = set(_unwritten(loaded, actor, statuses)) if _has_begun_with_text(loaded) else set()
    offered: list[OpenItem | None] = []
    for item in loaded.template.items:
        status = statuses.get(item.code)
        if status is None or not status.problems:
            continue
        scopes = pages.acts(loaded, actor, item, status).answer
        for scope in (scope for scope in ANSWERED if scope in scopes):
            current = _current(loaded, actor, item, scope)
            if current is not None and not current.is_empty:
                offered.append(_of_written(loaded, actor, item, scope, current))
            elif (item.code, scope) in unwritten:
                offered.append(_of_unwritten(loaded, actor, item, scope, current))
    return _marked_dependent([open_item for open_item in offered if open_item is not None])


def _marked_dependent(offered: list[OpenItem]) -> tuple[OpenItem, ...]:
    """Return open items; the places of one are dependent if another decides whether it is needed.

    Whether a health expert is with the visit (V11) isn't asked of somebody who still has to say
    whether health is an aim (V1): on one page the one may make the other unnecessary (adr 121).
    """
    open_fields = {
        (place.item, place.field.key) for open_item in offered for place in open_item.places
    }
    return tuple(
        open_item.as_dependent() if _waits_for(open_item.item, open_fields) else open_item
        for open_item in offered
    )


def _waits_for(item: Item, open_fields: set[tuple[str, str]]) -> bool:
    condition = item.required_when
    return (
        item.required is Required.CONDITIONAL
        and isinstance(condition, AnswerCondition)
        and (condition.item, condition.field) in open_fields
    )


def _current(
    loaded: LoadedChecklist, actor: Actor, item: Item, scope: AnswerScope
) -> Filled | None:
    if scope is SHARED:
        return loaded.sheet.shared(item.code)
    return (
        loaded.sheet.of_party(item.code, actor.organisation_id) if actor.organisation_id else None
    )


def _has_begun_with_text(loaded: LoadedChecklist) -> bool:
    return any(answer.is_copied for answer in loaded.sheet.answers.values())


def _of_written(
    loaded: LoadedChecklist, actor: Actor, item: Item, scope: AnswerScope, current: Filled
) -> OpenItem | None:
    if current.not_applicable:
        return None
    problems = completeness.answer_problems(item, scope, current, loaded.sheet, loaded.surroundings)
    values = shown_only(item.fields_of(scope), current.values)
    places = tuple(tables_with_places(loaded, actor, item, scope, values, problems))
    return OpenItem(item, current.version, places, scope, current.values) if places else None


def _of_unwritten(
    loaded: LoadedChecklist, actor: Actor, item: Item, scope: AnswerScope, current: Filled | None
) -> OpenItem | None:
    """Return the places of an answer that nobody has begun, if filling them in completes it.

    If nothing is missing in what is known, its words are the places: somebody has to see and save
    them.
    """
    begun = known_facts.begun(loaded, actor, item, scope)
    problems = completeness.value_problems(item, scope, begun, loaded.sheet, loaded.surroundings)
    is_known = bool(begun) and not problems
    if is_known:
        begun = known_facts.without_words(item, scope, begun)
        problems = completeness.value_problems(
            item, scope, begun, loaded.sheet, loaded.surroundings
        )
    places = tuple(tables_with_places(loaded, actor, item, scope, begun, problems))
    if is_known:
        # Each row begins with words of its own.
        places = tuple(dataclasses.replace(table, together=()) for table in places)
    version = current.version if current else 0
    opened = OpenItem(item, version, places, scope, begun, is_unwritten=True)
    covered = {
        (place.field.key, place.row, place.column.key if place.column else None)
        for place in opened.places
    }
    missing = {(problem.field, problem.row, problem.column) for problem in problems}
    return opened if places and missing <= covered else None


def _known_words(loaded: LoadedChecklist, actor: Actor, open_item: OpenItem) -> dict[str, Any]:
    """Return the words that are known for the places of an unwritten answer, by their names."""
    if not open_item.is_unwritten:
        return {}
    known = known_facts.begun(loaded, actor, open_item.item, open_item.scope)
    places = (place for place in open_item.places if place.column and place.row is not None)
    words = {
        place.name: known[place.field.key][place.row].get(place.part.key)
        for place in places
        if place.field.key in known
    }
    return {name: value for name, value in words.items() if value}


def to_write(
    loaded: LoadedChecklist, actor: Actor, items: Iterable[OpenItem] = ()
) -> list[tuple[Item, AnswerScope]]:
    """Return the answers that wait for a person's party and that nobody there has begun.

    items are those that the page has, which are left out.
    """
    on_page = {(open_item.item.code, open_item.scope) for open_item in items}
    unwritten = _unwritten(loaded, actor, loaded.standing().items)
    return [(loaded.item(code), scope) for code, scope in unwritten if (code, scope) not in on_page]


def _unwritten(
    loaded: LoadedChecklist, actor: Actor, statuses: Mapping[str, ItemStatus]
) -> Iterator[tuple[str, AnswerScope]]:
    for item in loaded.template.items:
        status, current = statuses.get(item.code), loaded.sheet.shared(item.code)
        if status is None or actor.organisation_id not in status.waiting_for:
            continue
        acts = pages.acts(loaded, actor, item, status)
        if AnswerScope.PARTY in acts.answer and not acts.own_given:
            yield item.code, AnswerScope.PARTY
        if SHARED in acts.answer and (current is None or current.is_empty):
            yield item.code, SHARED


def count(loaded: LoadedChecklist, actor: Actor) -> int:
    """Return how many places a person's party can decide now."""
    return sum(
        not place.is_dependent
        for open_item in open_items(loaded, actor)
        for place in open_item.places
    )


def suggested(loaded: LoadedChecklist, actor: Actor, items: Iterable[OpenItem]) -> dict[str, Any]:
    """Return with what places begin on a form, by name: what is known of the actor's party.

    A coordinator is suggested as the contact of their party, with the number from their account
    (M7, M15; for the NPM also M10, C16 and V13, there unless they are on the team themselves); the
    days of the terms begin with the next month and last two years, with a review after one; and
    papers are those that V13 asks for, valid until the last day of the visit. Nothing of it is
    saved: whoever saves the form has seen it.
    """
    suggestions: dict[str, Any] = {}
    for open_item in items:
        item = open_item.item
        suggestions |= _papers(loaded, open_item)
        suggestions |= _known_words(loaded, actor, open_item)
        cells = {**own_rows.known_cells(loaded, actor, item), **_customary(actor, loaded, item)}
        for place in open_item.places:
            value = cells.get(place.part.key)
            is_own = place.row is None or (item.party_table or ("", ""))[0] == place.field.key
            if value is not None and is_own and not place.is_dependent:
                suggestions[place.name] = value
    return suggestions


def _customary(actor: Actor, loaded: LoadedChecklist, item: Item) -> Mapping[str, Any]:
    """Return what is usual, as stored, by field or column: days of the terms, and contacts."""
    if item.code == "M19":
        return usual_days(clock.today())
    if not actor.has(Role.COORDINATOR) or actor.user_id not in loaded.people:
        return {}
    me = str(actor.user_id)
    is_of_npm = actor.user_id in loaded.surroundings.npm_people
    match item.code:
        case "C16" if is_of_npm:
            return {"contact": me, **_with_number(actor, "phone")}
        case "V13" if is_of_npm and actor.user_id not in (loaded.surroundings.team or ()):
            return {"safety_contact": me, **_with_number(actor, "safety_phone")}
        case "M7":
            return {"coordinator": me}
        case "M10" if is_of_npm:
            return {"clearance_contact": me}
        case "M15":
            return {"contact": me, **_with_number(actor, "phone")}
        case _:
            return {}


def _with_number(actor: Actor, key: str) -> dict[str, str]:
    number = telephones.own(actor)
    return {key: number} if number else {}


def _papers(loaded: LoadedChecklist, open_item: OpenItem) -> dict[str, Any]:
    last_day = loaded.surroundings.visit_ends_on
    if open_item.item.code != PAPERS or last_day is None:
        return {}
    with in_language_of(loaded):
        papers = str(_("Letter of access and identity papers"))
    usual = {"credential": papers, "valid_until": last_day.isoformat()}
    together = [group for table in open_item.tables for group in table.together]
    groups = {place.name: name_of_all(group) for group in together for place in group}
    return {
        groups.get(place.name, place.name): usual[place.part.key]
        for place in open_item.places
        if place.part.key in usual
    }


def usual_days(today: dt.date) -> Mapping[str, str]:
    """Return the usual days of terms: from the next month, two years, with a review after one."""
    start = dt.date(today.year + today.month // 12, today.month % 12 + 1, 1)
    end = start.replace(year=start.year + 2) - dt.timedelta(days=1)
    days = {"start": start, "review": start.replace(year=start.year + 1), "end": end}
    return {key: day.isoformat() for key, day in days.items()}


def save(
    actor: Actor,
    checklist: Checklist,
    seen: Mapping[str, Seen],
    typed: Mapping[str, Any],
) -> tuple[str, ...]:
    """Save what was decided, each answer as a new version, all of them or none; return the items.

    seen has for each answer what the page based it on, by its key; typed has the values by the
    names of their places. The actor's party accepts none of the items, and counts as having read
    none. Raise RefusedError, or StaleError if one has changed since, or has no such place.
    """
    loaded = load_for_update(checklist)
    policy.can_take_part(actor, loaded.own_party(actor)).require()
    loaded.goes_on().require()
    by_key = {open_item.key: open_item for open_item in open_items(loaded, actor)}
    saved = []
    for key, base in seen.items():
        names = {name for name in typed if name.startswith(f"{key}-")}
        if not names:
            continue
        open_item = by_key.get(key)
        known = {place.name for place in open_item.places} if open_item else set()
        if open_item is None or not _is_based_on(open_item, base) or not names <= known:
            raise StaleError(
                _l(
                    "“%(item)s” changed while you were writing, so nothing is saved yet.",
                    item=loaded.item(code_of(key)).label,
                )
            )
        require_question_shown(loaded, actor, open_item.item, base.token)
        values = _decided(open_item.values, open_item.places, typed)
        service.save_places(
            actor,
            checklist,
            open_item.item.code,
            open_item.scope,
            values,
            base_version=base.version,
        )
        saved.append(open_item.item.code)
    return tuple(dict.fromkeys(saved))


def _is_based_on(open_item: OpenItem, base: Seen) -> bool:
    return (open_item.version, open_item.begun_with) == (base.version, base.begun_with)


def _decided(
    values: Mapping[str, Any], places: tuple[OpenField, ...], typed: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an answer with what was typed in its places."""
    result = dict(values)
    for place in places:
        if place.name not in typed:
            continue
        key, value = place.field.key, typed[place.name]
        if place.row is None:
            result[key] = value
        else:
            rows = [dict(row) for row in result[key]]
            rows[place.row][place.part.key] = value
            result[key] = rows
    return result
