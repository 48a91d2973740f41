"""The service function that upgrades a checklist to a newer template, keeping answers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.accounts import queries as accounts
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklist_templates import library
from tracker.checklist_templates.compare import ItemDifference, TemplateDifference, between
from tracker.checklist_templates.models import AnswerScope, ChecklistTemplate
from tracker.checklist_templates.schema import Item
from tracker.checklists import encryption, messages, policy, queries
from tracker.checklists.assignments import service as assignments
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.models import Answer, Checklist
from tracker.checklists.negotiation import safeguards
from tracker.checklists.negotiation.stored_positions import end_talks
from tracker.checklists.reuse import copy_marks
from tracker.checklists.rules.facts import Filled
from tracker.checklists.rules.values import fit
from tracker.checklists.service import HOW, count_again
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError


@dataclass(frozen=True, slots=True)
class Move:
    """The effects of upgrading a checklist."""

    to: ChecklistTemplate
    difference: TemplateDifference
    # Items whose answers lose what no longer fits, whose positions are reopened, and whose answers
    # remain only in the history.
    cut: tuple[str, ...]
    reopened: tuple[str, ...]
    gone_answered: tuple[str, ...]


def newer(checklist: Checklist) -> ChecklistTemplate | None:
    """Return the version on which new checklists start, if this one isn't on it yet."""
    row = library.newest(checklist.kind)
    return None if row.id == checklist.template_id else row


def preview(loaded: LoadedChecklist, to: ChecklistTemplate) -> Move:
    """Return the effects of upgrading: new, changed and removed items, and affected answers."""
    new = library.parsed(to)
    difference = between(loaded.template, new)
    by_code = {change.code: change for change in difference.changed}
    return Move(
        to=to,
        difference=difference,
        cut=tuple(
            code
            for code, change in by_code.items()
            if change.fields_changed and _cuts(loaded, new.by_code[code])
        ),
        reopened=tuple(
            code
            for code, change in by_code.items()
            if change.asks_again and loaded.all_positions_on.get(code)
        ),
        gone_answered=tuple(
            item.code for item in difference.gone if _answers_of(loaded, item.code)
        ),
    )


def move(actor: Actor, checklist: Checklist, to_id: UUID) -> Move:
    """Upgrade a checklist to the newest published version of its template (product.md, section 3).

    Only while it is being drafted. Answers are kept; if a field changed, what no longer fits stays
    in the previous version. Items whose question or fields changed are put to everybody again.
    Removed items stay in the history and are no longer in the document. to_id is the version the
    person saw: raise StaleError if another one was published since.
    """
    loaded = load_for_update(checklist)
    policy.can_move(
        actor, loaded.own_party(actor), checklist.state, goes_on=loaded.goes_on()
    ).require()
    to = newer(checklist)
    if to is None:
        raise RuleBrokenError(_l("The checklist is already on the newest version."))
    if to.id != to_id:
        raise StaleError(_l("Another version was published in the meantime. Look at it again."))
    done = preview(loaded, to)
    before = loaded.template.version
    _let_go(actor, loaded, done)
    new = library.parsed(to)
    for change in done.difference.changed:
        _take_along(loaded, new.by_code[change.code], change)
    checklist.template_id = to.id
    if checklist.open_items is not None:
        checklist.open_items = _open_after(checklist.open_items, done)
    safeguards.void_review(loaded)
    db.session.flush()
    count_again(checklist)
    trail.record(
        verbs.CHECKLIST_MOVED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        before=before,
        after=to.version,
        new=[item.code for item in done.difference.new],
        changed=[item_change.code for item_change in done.difference.changed],
        gone=[item.code for item in done.difference.gone],
    )
    messages.was_moved(checklist.id, _concerned(loaded) - {actor.user_id})
    return done


def _answers_of(loaded: LoadedChecklist, code: str) -> list[tuple[AnswerScope, UUID]]:
    return [
        (scope, owner)
        for (item, scope, owner), filled in loaded.sheet.answers.items()
        if item == code and not filled.is_empty
    ]


def _cuts(loaded: LoadedChecklist, item: Item) -> bool:
    """Return whether an answer of the item contains something that its new fields can't hold."""
    return any(
        not filled.not_applicable and _fitting(loaded, item, scope, filled) != dict(filled.values)
        for (code, scope, _owner), filled in loaded.sheet.answers.items()
        if code == item.code
    )


def _let_go(actor: Actor, loaded: LoadedChecklist, done: Move) -> None:
    """End what is pending on removed items: flags, proposals, positions, assignments.

    Their answers stay, so that they are there again if the item comes back; the document contains
    only items of the template.
    """
    for item in done.difference.gone:
        safeguards.close_for_change(actor, loaded, item)
    gone = [item.code for item in done.difference.gone]
    end_talks(loaded, gone)
    assignments.forget(loaded.checklist, gone)


def _take_along(loaded: LoadedChecklist, item: Item, item_difference: ItemDifference) -> None:
    """Transfer an item's answers to its new fields, and ask again if it changed."""
    if item_difference.asks_again:
        end_talks(loaded, [item.code])
    if not item_difference.fields_changed:
        return
    for (code, scope, owner), filled in loaded.sheet.answers.items():
        if code != item.code or filled.not_applicable:
            continue
        values = _fitting(loaded, item, scope, filled)
        if values != dict(filled.values):
            _cut(loaded, item, (scope, owner), values)


def _fitting(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, filled: Filled
) -> dict[str, Any]:
    """Return what fits of an answer; how a person without an account confirmed it stays."""
    values = dict(fit(item.fields_of(scope), filled.values, loaded.surroundings).values)
    return values | {HOW: filled.values[HOW]} if HOW in filled.values else values


def _cut(
    loaded: LoadedChecklist,
    item: Item,
    whose: tuple[AnswerScope, UUID],
    values: dict[str, Any],
) -> None:
    """Add a version with only what still fits, attributed to its original author."""
    checklist = loaded.checklist
    scope, owner = whose
    own_answer = loaded.sheet.answers[(item.code, scope, owner)]
    replaced = db.session.get_one(Answer, own_answer.answer_id)
    replaced.is_current = False
    answer = Answer(
        id=uuid4(),
        checklist_id=checklist.id,
        item=item.code,
        scope=scope,
        owner_id=owner,
        version=own_answer.version + 1,
        not_applicable=False,
        taken_over=replaced.taken_over,
        author_id=own_answer.author_id,
        organisation_id=own_answer.organisation_id,
        saved_at=clock.now(),
    )
    encryption.put_values(checklist, answer, values)
    db.session.add(answer)
    db.session.flush()
    copy_marks.carry_over(own_answer, answer.id, rewritten=False)


def _open_after(open_items: list[str], done: Move) -> list[str]:
    """Limit an amendment to its items, and to those that are new or asked again."""
    gone = {item.code for item in done.difference.gone}
    new_codes = [item.code for item in done.difference.new]
    new_codes += [
        change.code
        for change in done.difference.changed
        if change.asks_again or change.test_changed
    ]
    open_codes = [code for code in open_items if code not in gone]
    return [*open_codes, *(code for code in new_codes if code not in open_codes)]


def _concerned(loaded: LoadedChecklist) -> set[UUID]:
    """Return the coordinators of all parties; for a visit's checklist those who may open it."""
    by_organisation = accounts.names_by_organisation(
        [party.organisation_id for party in loaded.parties], [Role.COORDINATOR]
    )
    coordinators = {
        (user_id, party.side)
        for party in loaded.parties
        for user_id in by_organisation[party.organisation_id]
    }
    if not encryption.is_restricted(loaded.checklist):
        return {user_id for user_id, _side in coordinators}
    may_open = queries.may_open_planning(loaded.checklist)
    return {user_id for user_id, side in coordinators if user_id in may_open[side]}
