"""Which items are done, which block, and why. Pure.

Source: product.md, section 4. In one file: the rules answer one question, and each uses the next.
"""

import enum
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.conditions import Condition, Truth, evaluate
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import (
    Accepts,
    Item,
    Part,
    Required,
    Sets,
    Template,
)
from tracker.checklist_templates.strict import with_parts
from tracker.checklists.models import Stance
from tracker.checklists.policy import can_agree_on
from tracker.checklists.rules import consistency, done_tests, party_rows
from tracker.checklists.rules.facts import (
    Filled,
    PartyFact,
    Sheet,
    Surroundings,
)
from tracker.checklists.rules.values import (
    Problem,
    gone,
    missing,
    shown_only,
)


class WorkState(enum.StrEnum):
    """The status of the work on an item, whatever the answer is (product.md, 4.9)."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    AGREED = "agreed"
    HIDDEN = "hidden"
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, slots=True)
class ItemStatus:
    """The status of one item."""

    code: str
    shown: Truth
    required: bool
    state: WorkState
    # Why the answer is incomplete.
    problems: tuple[Problem, ...] = ()
    # Parties whose answer or acceptance is still missing.
    waiting_for: tuple[UUID, ...] = ()
    # Parties in which nobody has read what was copied here (adr 22).
    unread_by: tuple[UUID, ...] = ()
    # Of those it waits for: parties that only have to read what others wrote, and accept it.
    to_accept: tuple[UUID, ...] = ()
    # Whether the item may stay empty: then nothing is agreed there.
    optional: bool = False
    # Whether its text ended with a visit that was stopped: then it waits for nobody.
    is_ended: bool = False

    @property
    def done(self) -> bool:
        """Whether the item is done: complete, and accepted by everyone who has to accept it."""
        return self.state is WorkState.AGREED

    @property
    def holds_up(self) -> bool:
        """Whether the item blocks signing: it is required or started, and not agreed."""
        is_begun = self.state not in {
            WorkState.NOT_STARTED,
            WorkState.NOT_KNOWN,
            WorkState.HIDDEN,
        }
        return not self.done and (self.required or is_begun)

    @property
    def counts(self) -> bool:
        """Whether progress counts the item; never while its condition is unknown (4.5).

        An optional item counts once something is written there.
        """
        return self.shown is Truth.TRUE and not self.is_unused

    @property
    def is_unused(self) -> bool:
        """Whether the item is optional and nothing is written there."""
        return self.optional and self.state is WorkState.NOT_STARTED


@dataclass(frozen=True, slots=True)
class ChecklistStatus:
    """The status of a whole checklist."""

    items: dict[str, ItemStatus]
    done_count: int
    total_count: int
    # The items of the signed part that block sending, in order.
    blocking: tuple[str, ...]
    # For each party: the items that wait for it, those with copies it has not read, and of the
    # others those that it only has to read and accept.
    waiting: dict[UUID, int]
    unread: dict[UUID, int]
    to_accept: dict[UUID, int]

    # The items of the signed part that name somebody who can't act there any more, with the reason.
    misnamed: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether the signed part is complete and agreed (product.md, 5.1)."""
        return not self.blocking


def counting(template: Template, sheet: Sheet, surroundings: Surroundings) -> Sheet:
    """Return the sheet as it currently counts: without answers that don't apply.

    A hidden answer decides nothing (product.md, 4.5): a condition on it is not known, as if the
    answer weren't given yet. Conditions are never circular, so each round settles what depends on
    the round before. Places to decide in a text from elsewhere don't apply either, if its item
    isn't required here and nobody has changed it: it counts as an item that nobody has begun.
    """
    conditional = [item for item in template.items if item.shown_when is not None]
    codes: frozenset[str] = frozenset()
    for _round in conditional:
        sheet = replace(sheet, hidden=codes)
        codes = frozenset(
            item.code
            for item in conditional
            if is_shown(item, sheet, surroundings) is not Truth.TRUE
        )
        if codes == sheet.hidden:
            break
    return _without_idle_texts(template, replace(sheet, hidden=codes), surroundings)


def _without_idle_texts(template: Template, sheet: Sheet, surroundings: Surroundings) -> Sheet:
    changed = {}
    for item in template.items:
        answer = sheet.shared(item.code) if item.required is Required.CONDITIONAL else None
        if answer is not None:
            is_idle = _is_idle_text(item, answer, sheet, surroundings)
            if is_idle is not answer.does_not_apply:
                key = (item.code, AnswerScope.SHARED, sheet.checklist_id)
                changed[key] = replace(answer, does_not_apply=is_idle)
    return replace(sheet, answers={**sheet.answers, **changed}) if changed else sheet


def _is_idle_text(item: Item, answer: Filled, sheet: Sheet, surroundings: Surroundings) -> bool:
    return (
        answer.is_copied
        and not answer.is_rewritten
        and not answer.not_applicable
        and any(to_decide.open_places(answer.values))
        and _evaluated(item.required_when, sheet, surroundings) is Truth.FALSE
    )


def applied(template: Template, sheet: Sheet, surroundings: Surroundings) -> Template:
    """Return the template as it currently applies: without the columns that are not shown.

    A column whose condition is false, or not known yet, is in no form, no done-test and no text
    (product.md, 4.5); what was entered there stays in the stored versions.
    """
    if not any(item.may_hide_columns for item in template.items):
        return template

    def holds(condition: Condition | None) -> bool:
        return _evaluated(condition, sheet, surroundings) is Truth.TRUE

    return with_parts(
        template,
        sections=tuple(
            with_parts(
                section,
                items=tuple(
                    _with_columns(item, holds) if item.may_hide_columns else item
                    for item in section.items
                ),
            )
            for section in template.sections
        ),
    )


def _with_columns(item: Item, holds: Callable[[Condition | None], bool]) -> Item:
    return with_parts(
        item,
        fields=tuple(
            with_parts(
                field,
                columns=tuple(
                    with_parts(column, shown_when=None)
                    for column in field.columns
                    if holds(column.shown_when)
                ),
            )
            for field in item.fields
        ),
    )


def _evaluated(condition: Condition | None, sheet: Sheet, surroundings: Surroundings) -> Truth:
    return evaluate(
        condition,
        modes=surroundings.modes,
        questions=surroundings.questions,
        value_of=sheet.value,
    )


def standing(template: Template, sheet: Sheet, surroundings: Surroundings) -> ChecklistStatus:
    """Return the status of each item of a checklist, and of the whole."""
    sheet = counting(template, sheet, surroundings)
    return standing_of_counted(applied(template, sheet, surroundings), sheet, surroundings)


def standing_of_counted(
    template: Template, sheet: Sheet, surroundings: Surroundings
) -> ChecklistStatus:
    """Return what standing() does, of a sheet as it counts and a template as it applies."""
    items = {
        item.code: item_standing(item, sheet, surroundings)
        for item in template.items
        if item.part is not Part.PERSON
    }
    counted = [item for item in items.values() if item.counts]
    return ChecklistStatus(
        items=items,
        done_count=sum(status.done for status in counted),
        total_count=len(counted),
        blocking=tuple(
            item.code
            for item in template.items
            if item.part is Part.TERMS and items[item.code].holds_up
        ),
        waiting=_by_party(surroundings, (status.waiting_for for status in counted)),
        unread=_by_party(surroundings, (status.unread_by for status in counted)),
        to_accept=_by_party(surroundings, (status.to_accept for status in counted)),
        misnamed={
            item.code: misnaming
            for item in template.items
            if item.part is Part.TERMS and (misnaming := tuple(_misnaming(items[item.code])))
        },
    )


def _by_party(surroundings: Surroundings, items: Iterable[tuple[UUID, ...]]) -> dict[UUID, int]:
    """Return in how many items each party is."""
    numbers = Counter(party_id for party_ids in items for party_id in party_ids)
    return {party.organisation_id: numbers[party.organisation_id] for party in surroundings.parties}


def _misnaming(status: ItemStatus) -> Iterator[Problem]:
    """Yield where an item names somebody who has to be reached by it and can't act any more."""
    for problem in status.problems:
        path = (status.code, problem.field, problem.column)
        if problem.person is not None and path not in consistency.FOR_THE_RECORD:
            yield problem


def item_standing(item: Item, sheet: Sheet, surroundings: Surroundings) -> ItemStatus:
    """Return the status of one item."""
    shown = is_shown(item, sheet, surroundings)
    required = shown is Truth.TRUE and is_required(item, sheet, surroundings)
    if shown is not Truth.TRUE:
        state = WorkState.HIDDEN if shown is Truth.FALSE else WorkState.NOT_KNOWN
        return ItemStatus(item.code, shown, required, state)
    if item.part is Part.PERSON:
        return ItemStatus(item.code, shown, required, WorkState.NOT_STARTED)
    status = _judge(item, sheet, surroundings, shown=shown, required=required)
    if surroundings.visit_is_stopped:
        return replace(status, waiting_for=(), unread_by=(), to_accept=(), is_ended=True)
    return status


def is_shown(item: Item, sheet: Sheet, surroundings: Surroundings) -> Truth:
    """Return whether an item currently applies, or that this is not known yet (product.md, 4.5)."""
    return _evaluated(item.shown_when, sheet, surroundings)


def is_required(item: Item, sheet: Sheet, surroundings: Surroundings) -> bool:
    """Return whether an item currently has to be done."""
    if item.required is Required.CONDITIONAL:
        return _evaluated(item.required_when, sheet, surroundings) is Truth.TRUE
    return item.required is Required.ALWAYS


def may_be_left_out(item: Item, sheet: Sheet, surroundings: Surroundings) -> bool:
    """Return whether *not applicable* is offered: not for required items (product.md, 4.2).

    Nor for optional ones: they are left empty.
    """
    return item.required is not Required.OPTIONAL and not is_required(item, sheet, surroundings)


def _judge(
    item: Item, sheet: Sheet, surroundings: Surroundings, *, shown: Truth, required: bool
) -> ItemStatus:
    shared_problems, shared_begun = _shared(item, sheet, surroundings)
    party_problems, party_waiting, party_begun = (
        ((), (), False) if _is_left_out(item, sheet) else _party_owned(item, sheet, surroundings)
    )
    problems = (*shared_problems, *party_problems)
    begun = shared_begun or party_begun
    waiting: list[UUID] = list(party_waiting) if (begun or required) else []
    if begun and not shared_problems and AnswerScope.SHARED in item.scopes:
        waiting += [
            party_id for party_id in _to_agree(item, sheet, surroundings) if party_id not in waiting
        ]
    elif (not begun and required) or (begun and shared_problems):
        waiting += [
            party_id
            for party_id in _to_write(item, sheet, surroundings, shared_problems)
            if party_id not in waiting
        ]
    unread = unread_by(item, sheet, surroundings)
    waiting += [party_id for party_id in unread if party_id not in waiting]
    if not begun:
        state = WorkState.NOT_STARTED
    elif problems:
        state = WorkState.IN_PROGRESS
    else:
        state = WorkState.WAITING if waiting else WorkState.AGREED
    return ItemStatus(
        item.code,
        shown,
        required,
        state,
        problems,
        tuple(waiting),
        unread,
        tuple(
            party_id
            for party_id in waiting
            if party_id not in unread
            and (not problems or _has_written(item, sheet, surroundings, problems, party_id))
        ),
        item.required is Required.OPTIONAL,
    )


def _has_written(
    item: Item,
    sheet: Sheet,
    surroundings: Surroundings,
    problems: Iterable[Problem],
    party_id: UUID,
) -> bool:
    """Return whether nothing but the rows of other parties is missing in an answer."""
    answer = sheet.shared(item.code)
    return (
        item.party_table is not None
        and answer is not None
        and not obstacles_to_accepting(item, problems)
        and party_id in party_rows.parts_of_answer(item, answer, sheet, surroundings)
    )


def _to_write(
    item: Item, sheet: Sheet, surroundings: Surroundings, problems: Iterable[Problem]
) -> tuple[UUID, ...]:
    """Return whose turn it is on an incomplete answer: the parties that set it.

    If nothing but rows of parties is missing, it is the turn of these parties, and of those that
    have not accepted the rows of the others. How CSOs were chosen is the NPM's to say.
    """
    writing = tuple(party.organisation_id for party in setters(item, surroundings))
    answer = sheet.shared(item.code)
    if item.party_table is None or answer is None:
        return writing
    obstacles = {problem.field for problem in obstacles_to_accepting(item, problems)}
    if not obstacles <= item.tables_about_csos:
        return writing
    parts = party_rows.parts_of_answer(item, answer, sheet, surroundings)
    if obstacles:
        npm = [party.organisation_id for party in surroundings.parties if party.is_of_npm]
        to_agree = _turns(item, npm, sheet, surroundings)
    else:
        to_agree = _to_agree(item, sheet, surroundings)
    turns = [party_id for party_id in writing if party_id not in parts or party_id in to_agree]
    return tuple(turns) or writing


def _to_agree(item: Item, sheet: Sheet, surroundings: Surroundings) -> tuple[UUID, ...]:
    """Return whose turn it is on a complete answer: parties that have not accepted it."""
    return _turns(item, not_accepting(item, sheet, surroundings), sheet, surroundings)


def _turns(
    item: Item, open_: Sequence[UUID], sheet: Sheet, surroundings: Surroundings
) -> tuple[UUID, ...]:
    """Return whose turn it is while these parties still have to act.

    A party that proposed a change has done its part: the proposal waits for parties that may answer
    it.
    """
    proposed = sheet.proposed.get(item.code, ())
    proposers = [party_id for party_id in open_ if party_id in proposed]
    if not proposers:
        return tuple(open_)
    by_id = {party.organisation_id: party for party in surroundings.parties}
    answering_them = {
        party.organisation_id
        for party in surroundings.parties
        for proposer in proposers
        if proposer != party.organisation_id and can_agree_on(item, party, by_id[proposer])
    }
    turns = answering_them | (set(open_) - set(proposers))
    # If nobody is there to answer, it waits for the parties that have not accepted.
    return tuple(party_id for party_id in by_id if party_id in turns) or tuple(open_)


def _shared(
    item: Item, sheet: Sheet, surroundings: Surroundings
) -> tuple[tuple[Problem, ...], bool]:
    if AnswerScope.SHARED not in item.scopes:
        return (), False
    answer = sheet.shared(item.code)
    if answer is None or answer.is_empty:
        return tuple(missing(item.fields_of(AnswerScope.SHARED), {})), False
    return answer_problems(item, AnswerScope.SHARED, answer, sheet, surroundings), True


def _is_left_out(item: Item, sheet: Sheet) -> bool:
    """Return whether an item was left out for all; then no party answers it for itself."""
    answer = sheet.shared(item.code)
    return answer is not None and answer.not_applicable


def _party_owned(
    item: Item, sheet: Sheet, surroundings: Surroundings
) -> tuple[tuple[Problem, ...], tuple[UUID, ...], bool]:
    fields = item.fields_of(AnswerScope.PARTY)
    problems: list[Problem] = []
    waiting: list[UUID] = []
    begun = False
    if not fields:
        return (), (), False
    for party in answering(item, surroundings):
        answer = sheet.of_party(item.code, party.organisation_id)
        if answer is None or answer.is_empty:
            waiting.append(party.organisation_id)
            problems.append(
                Problem(fields[0].key, _l("%(party)s hasn't answered yet.", party=party.name))
            )
            continue
        begun = True
        own_problems = answer_problems(item, AnswerScope.PARTY, answer, sheet, surroundings)
        if own_problems:
            waiting.append(party.organisation_id)
            problems.extend(own_problems)
    return tuple(problems), tuple(waiting), begun


def answer_problems(
    item: Item, scope: AnswerScope, answer: Filled, sheet: Sheet, surroundings: Surroundings
) -> tuple[Problem, ...]:
    """Return what makes an answer incomplete (product.md, 4.4)."""
    if not answer.not_applicable:
        wrong = value_problems(item, scope, answer.values, sheet, surroundings)
        if scope is not AnswerScope.SHARED:
            return wrong
        return (*wrong, *consistency.outdated(item, answer, surroundings))
    if is_required(item, sheet, surroundings):  # it was not when it was left out (4.2)
        return (Problem("", _l("This item is now required here, so it can't be left out.")),)
    return ()


def value_problems(
    item: Item,
    scope: AnswerScope,
    values: Mapping[str, Any],
    sheet: Sheet,
    surroundings: Surroundings,
) -> tuple[Problem, ...]:
    """Return what makes these values an incomplete answer (product.md, 4.4)."""
    fields = item.fields_of(scope)
    own = shown_only(
        fields, {field.key: values[field.key] for field in fields if field.key in values}
    )
    return (
        *missing(fields, own),
        *gone(fields, own, surroundings),
        *done_tests.problems(item, own, surroundings, sheet),
        *consistency.problems(item, to_decide.decided(own), surroundings, sheet),
    )


def obstacles_to_accepting(item: Item, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems because of which an answer can't be accepted yet.

    In a table with a row for each party, rows that are missing are no obstacle: whoever writes
    theirs later changes nothing in the others' rows (product.md, 4.1).
    """
    if item.party_table is None:
        return tuple(problems)
    table = item.party_table[0]
    return tuple(
        problem for problem in problems if problem.field != table or problem.row is not None
    )


def setters(item: Item, surroundings: Surroundings) -> tuple[PartyFact, ...]:
    """Return the parties that set an item's shared answer."""
    sides = {
        Sets.NPM: (OrganisationKind.NPM,),
        Sets.CSO: (OrganisationKind.CSO,),
        Sets.BOTH: (OrganisationKind.NPM, OrganisationKind.CSO),
    }
    wanted = {
        side for field in item.fields_of(AnswerScope.SHARED) for side in sides.get(field.sets, ())
    }
    return surroundings.parties_of(*wanted)


def answering(item: Item, surroundings: Surroundings) -> tuple[PartyFact, ...]:
    """Return the parties that each answer an item for themselves."""
    fields = item.fields_of(AnswerScope.PARTY)
    if any(field.sets is Sets.EACH_PARTY for field in fields):
        return surroundings.parties
    return surroundings.parties_of(OrganisationKind.CSO) if fields else ()


def accepters(item: Item, surroundings: Surroundings) -> tuple[PartyFact, ...]:
    """Return the parties whose acceptance of the shared answer the item needs (product.md, 4.1)."""
    match item.accepted_by:
        case Accepts.ALL:
            return surroundings.parties
        case Accepts.EACH_CSO:
            return surroundings.parties_of(OrganisationKind.CSO)
        case Accepts.NPM:
            return surroundings.parties_of(OrganisationKind.NPM)
        case _:
            return ()


def not_accepting(item: Item, sheet: Sheet, surroundings: Surroundings) -> tuple[UUID, ...]:
    """Return the parties that do not accept exactly the current version of the shared answer."""
    answer = sheet.shared(item.code)
    return tuple(
        party.organisation_id
        for party in accepters(item, surroundings)
        if answer is None or not accepts(item, answer, sheet, surroundings, party.organisation_id)
    )


def accepts(
    item: Item,
    answer: Filled,
    sheet: Sheet,
    surroundings: Surroundings,
    organisation_id: UUID,
) -> bool:
    """Return whether a party accepts every part of exactly this version.

    It never accepts a copy that it has not read.
    """
    parts = party_rows.parts_of_answer(item, answer, sheet, surroundings)
    return accepted_parts(item, answer, sheet, organisation_id, parts) == parts.keys()


def accepted_parts(
    item: Item,
    answer: Filled,
    sheet: Sheet,
    organisation_id: UUID,
    parts: Collection[party_rows.AnswerPart],
) -> frozenset[party_rows.AnswerPart]:
    """Return which parts of the current answer a party accepts; none of a copy it has not read."""
    if answer.is_unread_by(organisation_id):
        return frozenset()
    position = sheet.positions.get(item.code, {}).get(organisation_id)
    if position == (answer.answer_id, Stance.ACCEPTS):
        return frozenset(parts)
    on_rows = sheet.row_positions.get(item.code, {}).get(organisation_id, {})
    return frozenset(
        part for part in parts if part is not None and on_rows.get(part) is Stance.ACCEPTS
    )


def unread_by(item: Item, sheet: Sheet, surroundings: Surroundings) -> tuple[UUID, ...]:
    """Return the parties in which nobody has read everything that was copied into an item."""
    answers = [sheet.shared(item.code)]
    answers += [sheet.of_party(item.code, party.organisation_id) for party in surroundings.parties]
    copied = [
        answer
        for answer in answers
        if answer is not None and answer.is_copied and not answer.does_not_apply
    ]
    if not copied:  # as on most items
        return ()
    return tuple(
        party.organisation_id
        for party in surroundings.parties
        if any(answer.is_unread_by(party.organisation_id) for answer in copied)
    )


def concerns(organisation_id: UUID, item: Item, surroundings: Surroundings) -> bool:
    """Return whether a party ever has anything to do on an item: set it, or accept it."""
    return organisation_id in _ids(
        setters(item, surroundings), answering(item, surroundings), accepters(item, surroundings)
    )


def is_left_to(
    organisation_id: UUID, item: Item, item_status: ItemStatus, surroundings: Surroundings
) -> bool:
    """Return whether a party has something left to do on an item, once it is assigned.

    That is what waits for the party; and also a recommended or optional item that nobody has
    started and the party may fill in: it waits for no party, but the person it is assigned to has
    not finished. Nothing is left on the text of a stopped visit.
    """
    if item_status.shown is not Truth.TRUE or item_status.is_ended:
        return False
    writers = _ids(setters(item, surroundings), answering(item, surroundings))
    not_begun = item_status.state is WorkState.NOT_STARTED and organisation_id in writers
    return not_begun or organisation_id in item_status.waiting_for


def _ids(*parties: Iterable[PartyFact]) -> set[UUID]:
    return {party.organisation_id for some in parties for party in some}
