"""Reading a draft like a document, and accepting the items of a section together, each as shown.

Items that need a look of their own are left out: those with an open flag, hint or suggestion, or
with a comment addressed to the reader's side (product.md, 4.1).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.page_tokens import NotShownError
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item
from tracker.checklists import encryption, obstacles, policy
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.models import Answer, Checklist, Position, Stance
from tracker.checklists.negotiation import discussions, hints
from tracker.checklists.negotiation.stored_positions import put_positions
from tracker.checklists.negotiation.text_digest import is_item_shown
from tracker.checklists.reuse import copying
from tracker.checklists.rules import completeness, party_rows
from tracker.checklists.rules.facts import Filled
from tracker.checklists.service import as_seen, count_again, own_organisation
from tracker.comments import queries as comments
from tracker.core.db import db


@dataclass(frozen=True, slots=True)
class Reading:
    """What a party can accept of a draft now, and why other items are left out."""

    # The items that it can accept as they are.
    acceptable: frozenset[str] = frozenset()
    # Those that need no acceptance, or no more, but that nobody of the party has read since they
    # were copied: the item's answer, or what a party says there about itself.
    unread: frozenset[str] = frozenset()
    # Items that it has not accepted and has to look at by themselves: code -> why.
    left_out: Mapping[str, object] = field(default_factory=dict)
    # Those in which its own row or answer is missing, whatever it has accepted of the others'.
    to_write: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The items that were accepted or read, and those that were not, since they had changed."""

    items: tuple[str, ...]
    read: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def reading_of(loaded: LoadedChecklist, actor: Actor) -> Reading:
    """Return what the actor's party can accept of a checklist now, and what not and why."""
    party = loaded.own_party(actor)
    if party is None or not policy.can_take_part(actor, party) or not loaded.goes_on():
        return Reading()
    addressed = comments.addressed_to(loaded.checklist.id, _own_people(loaded, actor))
    acceptable: set[str] = set()
    unread: set[str] = set()
    left_out: dict[str, object] = {}
    for item, answer, is_to_accept in _not_accepted(loaded, actor):
        why = _why_left_out(loaded, item, addressed, actor.organisation_id)
        if not why:
            (acceptable if is_to_accept else unread).add(item.code)
        elif not answer.is_empty:
            left_out[item.code] = why
    return Reading(
        frozenset(acceptable), frozenset(unread), left_out, _to_write(loaded, party.organisation_id)
    )


def accept_items(actor: Actor, checklist: Checklist, seen: Mapping[str, str]) -> Accepted:
    """Accept several items for the actor's party, each as its page showed it.

    Of copied answers that need no acceptance, record that the party has read them (product.md,
    4.1). seen has the page's token of each item. Items that have changed since are not accepted,
    nor are those that reading_of() leaves out now. Raise NotShownError if none is left.
    """
    loaded = load_for_update(checklist)
    policy.can_take_part(actor, loaded.own_party(actor)).require()
    loaded.goes_on().require()
    reading = reading_of(loaded, actor)
    in_order = [item for item in loaded.template.items if item.code in seen]
    as_shown = [
        item
        for item in in_order
        if item.code in reading.acceptable | reading.unread
        and is_item_shown(loaded, actor, item, seen[item.code])
    ]
    if not as_shown:
        raise NotShownError(
            _l(
                "These items changed after you opened the page, so nothing was accepted. Read them "
                "as they are now."
            )
        )
    taken = [item for item in as_shown if item.code in reading.acceptable]
    codes = tuple(item.code for item in taken)
    read = tuple(item.code for item in as_shown if item.code in reading.unread)
    changed = tuple(item.code for item in in_order if item not in as_shown)
    if read:
        copying.note_read(actor, loaded, read)
    versions = _accept(actor, loaded, taken)
    count_again(checklist, actor)
    if not codes:
        return Accepted(codes, read, changed)
    trail.record(
        verbs.ITEMS_ACCEPTED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        items=list(codes),
        versions=versions,
        organisation=actor.organisation_name,
    )
    return Accepted(codes, read, changed)


def earlier_values(
    loaded: LoadedChecklist, actor: Actor, codes: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """Return what the actor's party accepted last of items that have changed since, by item."""
    rows = db.session.execute(
        sa.select(Position.item, Answer)
        .join(Answer, Answer.id == Position.answer_id)
        .where(
            Position.checklist_id == loaded.checklist.id,
            Position.organisation_id == actor.organisation_id,
            Position.item.in_(list(codes)),
            Position.stance == Stance.ACCEPTS,
        )
        .order_by(Position.taken_at)
    )
    cooperation_id = loaded.checklist.cooperation_id
    return {
        code: encryption.values_of(cooperation_id, answer)
        for code, answer in rows
        if not answer.not_applicable
    }


def _accept(actor: Actor, loaded: LoadedChecklist, items: Iterable[Item]) -> list[int]:
    """Store the party's position on each item; return the version of each."""
    pairs: list[tuple[Item, UUID]] = []
    versions: list[int] = []
    for item in items:
        current = loaded.sheet.shared(item.code)
        if current is None:
            raise LookupError(item.code)
        copying.read_item(actor, loaded, item.code)
        answer_id, version = as_seen(actor, loaded, item, current)
        pairs.append((item, answer_id))
        versions.append(version)
    taken_by = (actor.user_id, own_organisation(actor))
    put_positions(loaded, pairs, taken_by, Stance.ACCEPTS)
    return versions


def _not_accepted(loaded: LoadedChecklist, actor: Actor) -> list[tuple[Item, Filled, bool]]:
    """Return the items that are shown and that the actor's party hasn't accepted, or not read.

    The last value is whether the party is to accept it.
    """
    party, own = loaded.own_party(actor), own_organisation(actor)
    statuses = loaded.standing().items
    items = []
    for item in loaded.template.items:
        answer, status = loaded.sheet.shared(item.code), statuses.get(item.code)
        if answer is None or status is None or status.shown is not Truth.TRUE:
            continue
        if not loaded.is_open(item, status):
            continue
        around = (loaded.sheet, loaded.surroundings)
        takes_position = policy.can_take_position(actor, party, item)
        is_to_accept = bool(takes_position) and not completeness.accepts(item, answer, *around, own)
        if is_to_accept or any(
            not takes_position or filled != answer
            for filled in copying.unread_of(loaded, item.code, own)
        ):
            items.append((item, answer, is_to_accept))
    return items


def _to_write(loaded: LoadedChecklist, own: UUID) -> frozenset[str]:
    """Return the items that wait for a party's own row, or for its own answer."""
    around = (loaded.sheet, loaded.surroundings)
    statuses = loaded.standing().items
    items = set()
    for item in loaded.template.items:
        status = statuses.get(item.code)
        if status is None or own not in status.waiting_for or not loaded.is_open(item, status):
            continue
        answer = loaded.sheet.shared(item.code)
        is_row_missing = (
            item.party_table is not None
            and any(problem.field == item.party_table[0] for problem in status.problems)
            and own not in party_rows.parts_of_answer(item, answer, *around)
        )
        own_answer = loaded.sheet.of_party(item.code, own)
        is_answer_missing = AnswerScope.PARTY in item.scopes and (
            own_answer is None or own_answer.is_empty
        )
        if is_row_missing or is_answer_missing:
            items.add(item.code)
    return frozenset(items)


def _why_left_out(
    loaded: LoadedChecklist, item: Item, addressed: frozenset[str], own: UUID | None
) -> object:
    problems = completeness.answer_problems(
        item,
        AnswerScope.SHARED,
        _answer(loaded, item),
        loaded.sheet,
        loaded.surroundings,
    )
    wrong = completeness.obstacles_to_accepting(item, problems)
    if wrong:
        problem = obstacles.first_problem(item, wrong).rstrip(".")
        return _l("not complete yet (%(problem)s)", problem=problem)
    if item.code in loaded.flagged:
        return _l("flagged")
    if item.code in loaded.proposals_on:
        return _l("a change is suggested")
    if discussions.open_wishes(loaded, item.code, own):
        return _l("you asked to discuss it")
    if item.code in addressed:
        return _l("somebody wrote to you about it")
    if any(hint.waits_for_author for hint in hints.on_item(loaded, item)):
        return _l("words that may limit the NPM")
    return ""


def _answer(loaded: LoadedChecklist, item: Item) -> Filled:
    answer = loaded.sheet.shared(item.code)
    if answer is None:
        raise LookupError(item.code)
    return answer


def _own_people(loaded: LoadedChecklist, actor: Actor) -> set[UUID]:
    return {
        person.user_id
        for person in loaded.people.values()
        if person.organisation_id == actor.organisation_id
    }
