"""View models for checklist pages, so that templates compute nothing.

In one file: an item's view is built from all the other views in it.
"""

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from tracker.access.actor import Actor, OrganisationKind
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.library import beside_item
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import (
    Item,
    Part,
    Required,
    TemplateField,
)
from tracker.checklists import (
    encryption,
    localized_values,
    obstacles,
    policy,
    service,
)
from tracker.checklists.assignments.pages import AssignedView, view_of
from tracker.checklists.assignments.service import Assigned
from tracker.checklists.beside import OwnPassageBeside, own_guidance_beside
from tracker.checklists.labels import FILTERS, STANCES, WORK, work_of
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.localized_values import Part_
from tracker.checklists.models import Proposal, Stance
from tracker.checklists.negotiation import discussions, warnings
from tracker.checklists.negotiation.discussions import EndedDiscussion
from tracker.checklists.negotiation.stored_positions import proposed_now
from tracker.checklists.negotiation.text_digest import item_token
from tracker.checklists.negotiation.warnings import FlagView, HintView
from tracker.checklists.parts import PositionFact
from tracker.checklists.reuse import copies, model_answers
from tracker.checklists.reuse.copies import NO_SOURCES, CopyView, Sources, ToRead
from tracker.checklists.rules import completeness, party_rows
from tracker.checklists.rules.completeness import ChecklistStatus, ItemStatus, WorkState
from tracker.checklists.rules.facts import Filled, PartyFact
from tracker.guidance.markdown import plain, render
from tracker.guidance.queries import PassageShown, passages_for
from tracker.ui.locale import as_date, language, listed

# A passage begins with what the source says; the rest can be opened under its title.
FIRST_SENTENCE = re.compile(r"\A(.+?[.؟?])(\s.*)?\Z", re.DOTALL)
# The words that introduce what to look at, in each language.
LOOK_BEGINS = ("Check that", "تحقّق من أن")


# How many letters of an answer are shown while its item is folded.
IN_A_LINE = 140
# A list of at most this many items is unfolded once a filter or a search has narrowed it.
FEW = 5


@dataclass(frozen=True, slots=True)
class AnswerView:
    """A current answer: its parts, its owner, and the line that says who wrote it and when."""

    parts: list[Part_]
    by: str
    heading: str = ""
    copied: CopyView | None = None


@dataclass(frozen=True, slots=True)
class PositionView:
    """A party's position as the positions component shows it."""

    party: str
    name: str
    npm: bool
    state: object
    s: str
    note: str = ""
    # Who took it for the party, and when.
    by: str = ""


@dataclass(frozen=True, slots=True)
class ProposalView:
    """An open proposal with its differences from the answer."""

    id: UUID
    # The party: its mark, name and side.
    mark: str
    party: str
    npm: bool
    at: dt.datetime
    reason: str
    parts: list[localized_values.PartDifference]
    own: bool
    may_answer: bool
    may_withdraw: bool = False
    hints: tuple[HintView, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnedDownView:
    """A declined proposal for the current answer, with the reason."""

    proposed_by: str
    turned_down_by: str
    name: str
    reason: str
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Acts:
    """The actions that a person can take on an item now."""

    answer: tuple[AnswerScope, ...] = ()
    propose: bool = False
    accept: bool = False
    talk: bool = False
    # Whether accepting ends a discussion that the reader's party asked for, so needs its outcome.
    settle: bool = False
    # Whether another party wants to discuss the answer; only that party can end the discussion.
    discussed: bool = False
    flag: bool = False
    leave_out: bool = False
    # Whether the reader's party has answered, if each party answers for itself.
    own_given: bool = False
    # Whether the reader's party can change its own row, but not all of the answer.
    own_row: bool = False
    # Whether it has written that row.
    own_row_given: bool = False
    why_not: object = ""


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage of guidance beside an item: its place in the library, and its full text."""

    slug: str
    key: str
    title: str
    language: str
    html: Markup


@dataclass(frozen=True, slots=True)
class OwnPassageText:
    """A passage of a party's own guidance beside an item, with whose it is."""

    article_id: UUID
    organisation: str
    key: str
    title: str
    language: str
    html: Markup


@dataclass(frozen=True, slots=True)
class Guide:
    """The passages an item is based on, with the first words of the first; and parties' own."""

    passages: tuple[PassageText, ...]
    lead: str = ""
    language: str = ""
    own: tuple[OwnPassageText, ...] = ()
    # The words that introduce what to look at, shown in bold.
    look_begins: str = ""


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item with everything its page shows."""

    item: Item
    standing: ItemStatus | None
    state: object
    s: str
    note: object
    answers: list[AnswerView]
    positions: list[PositionView]
    proposals: list[ProposalView]
    turned_down: list[TurnedDownView]
    flags: list[FlagView]
    problems: list[object]
    acts: Acts
    guide: Guide
    # Discussions that a party asked for and that have ended, with their outcomes.
    discussions: Sequence[EndedDiscussion] = ()
    hints: tuple[HintView, ...] = ()
    # Copied answers that the reader's party has not read.
    to_read: tuple[ToRead, ...] = ()
    # The answers that can be saved as model answers: the shared one, and the reader's party's own.
    to_keep: tuple[AnswerScope, ...] = ()
    # For the reader's own side only.
    assigned: AssignedView | None = None
    # The answer in a line of text.
    line: str = ""
    # The token of this page, if an answer or a proposal can be accepted on it.
    page_token: str = ""

    @property
    def has_question(self) -> bool:
        """Whether the reader is asked if a phrase limits the NPM."""
        return any(hint.question and hint.question.may_answer for hint in self.hints)


@dataclass(frozen=True, slots=True)
class Outline:
    """An item as filters look at it: the rest of its view takes many times as long to make."""

    item: Item
    standing: ItemStatus | None
    # Whether a party wants a change, or wants to discuss it.
    differs: bool
    # Whether a flag still needs an explanation.
    has_open_flag: bool
    to_read: tuple[ToRead, ...]
    assigned: AssignedView | None


def outlines(
    loaded: LoadedChecklist, actor: Actor, assigned: Assigned | None = None
) -> list[Outline]:
    """Return every item of a checklist in outline.

    assigned has the assignments of the person's own side, if they may see them.
    """
    standing, flagged = loaded.standing().items, loaded.flagged
    return [
        Outline(
            item=item,
            standing=status,
            differs=_is_disputed(loaded, item) if status else item.code in loaded.proposals_on,
            has_open_flag=item.code in flagged,
            to_read=copies.to_read(loaded, actor, item, status.shown) if status else (),
            assigned=view_of(assigned, loaded, actor, item, status) if assigned else None,
        )
        for item in loaded.template.items
        for status in (standing.get(item.code),)
    ]


def item_views(
    loaded: LoadedChecklist,
    actor: Actor,
    chosen: Sequence[Outline] | None = None,
    ended: Mapping[str, Sequence[EndedDiscussion]] | None = None,
) -> list[ItemView]:
    """Return the items of a checklist for display: all, or those of some outlines.

    ended are the discussions that have ended, by item.
    """
    chosen = outlines(loaded, actor) if chosen is None else chosen
    passages = passages_beside(loaded.template.items, warnings.refs(loaded))
    own = own_guidance_beside(actor, loaded.cooperation.id)
    sources = copies.sources_of(loaded, actor)
    views = [
        _view(loaded, actor, outline, passages, own.get(outline.item.code, ()), sources)
        for outline in chosen
    ]
    if not ended:
        return views
    return [replace(view, discussions=ended.get(view.item.code, ())) for view in views]


def _view(
    loaded: LoadedChecklist,
    actor: Actor,
    outline: Outline,
    passages: Mapping[str, PassageShown],
    beside: Sequence[OwnPassageBeside],
    sources: Sources,
) -> ItemView:
    item, status, own = outline.item, outline.standing, actor.organisation_id
    state, s = work_of(status, own)
    may = acts(loaded, actor, item, status)
    proposals = _proposals(loaded, actor, item, passages)
    may_accept = may.accept or any(proposal.may_answer for proposal in proposals)
    answers = answers_of(loaded, item, sources)
    return ItemView(
        item=item,
        standing=status,
        state=state,
        s=s,
        note=_note(item, status),
        answers=answers,
        line=_in_a_line(answers),
        positions=_positions(loaded, item, own) if status else [],
        proposals=proposals,
        turned_down=_turned_down(loaded, item),
        flags=[
            warnings.flag_view(loaded, actor, flag, passages)
            for flag in loaded.flags_on.get(item.code, ())
        ],
        problems=[problem.message for problem in status.problems]
        if status and not status.is_ended
        else [],
        acts=may,
        guide=guide_of(item, passages, beside),
        hints=warnings.hints_on_item(loaded, actor, item, passages),
        to_read=outline.to_read,
        to_keep=_to_keep(loaded, actor, item),
        assigned=outline.assigned,
        page_token=item_token(loaded, actor, item) if may_accept else "",
    )


def _in_a_line(answers: Sequence[AnswerView]) -> str:
    """Return the beginning of an item's answers, in one line."""
    text = " · ".join(chain.from_iterable(localized_values.values_in(a.parts) for a in answers))
    return text if len(text) <= IN_A_LINE else f"{text[:IN_A_LINE].rsplit(' ', 1)[0]} …"


def _to_keep(loaded: LoadedChecklist, actor: Actor, item: Item) -> tuple[AnswerScope, ...]:
    party, restricted = loaded.own_party(actor), encryption.is_restricted(loaded.checklist)
    if not policy.can_keep_as_model(actor, party, is_restricted=restricted):
        return ()
    return tuple(
        scope for scope in item.scopes if model_answers.to_keep(actor, loaded, item, scope)
    )


def guide_beside(loaded: LoadedChecklist, actor: Actor, item: Item) -> Guide:
    """Return the guidance beside the page of one item."""
    own = own_guidance_beside(actor, loaded.cooperation.id).get(item.code, ())
    return guide_of(item, passages_beside([item]), own)


def passages_beside(
    items: Sequence[Item], more: Collection[str] = ()
) -> Mapping[str, PassageShown]:
    """Return the passages that may be shown beside a checklist's items, in the reader's language.

    Other passages can be requested by their references, in the same query.
    """
    refs = {ref for item in items for ref in item.rests_on.passages}
    letter = items[0].code[0] if items else ""
    return passages_for(sorted(refs.union(more)), language(), letter)


def guide_of(
    item: Item, passages: Mapping[str, PassageShown], own: Sequence[OwnPassageBeside] = ()
) -> Guide:
    """Return the guidance beside an item, from passages that were already read."""
    beside = tuple(
        OwnPassageText(
            passage.article_id,
            passage.organisation,
            passage.key,
            passage.title,
            passage.language,
            passage_html(passage.markdown),
        )
        for passage in own
    )
    linked = beside_item(item, passages)
    begins = next(
        (passage for passage in LOOK_BEGINS if (item.done.look or "").startswith(passage)), ""
    )
    if not linked:
        return Guide((), own=beside, look_begins=begins)
    texts = tuple(
        PassageText(
            passage.slug,
            passage.key,
            passage.title,
            passage.language,
            passage_html(passage.markdown),
        )
        for passage in linked
    )
    lead = _first_sentence(linked[0].markdown)
    return Guide(texts, lead, linked[0].language, beside, begins)


@lru_cache(maxsize=512)
def _first_sentence(markdown: str) -> str:
    return FIRST_SENTENCE.sub(r"\1", plain(markdown))


@lru_cache(maxsize=512)
def passage_html(markdown: str) -> Markup:
    """Return a passage as HTML, cached since many items cite the same one."""
    return render(markdown, headings_from=4)


def _note(item: Item, item_status: ItemStatus | None) -> object:
    if item_status is None:
        return _l("In their own undertaking, or on their own page.")
    if item_status.shown is not Truth.TRUE:
        return WORK[item_status.state][0]
    if item_status.required:
        return _l("Required")
    if item.required is Required.CONDITIONAL:
        return _l("Recommended; not required for the ways of working chosen")
    if item_status.optional:
        return _l("Optional")
    return _l("Recommended")


def parts(
    fields: tuple[TemplateField, ...], values: Mapping[str, Any], loaded: LoadedChecklist
) -> list[Part_]:
    """Return an answer's fields for the value component."""
    return localized_values.parts(fields, values, loaded.names)


def answers_of(
    loaded: LoadedChecklist, item: Item, sources: Sources = NO_SOURCES
) -> list[AnswerView]:
    """Return the current answers of an item: the shared one, and each party's own."""
    answer_views: list[AnswerView] = []
    shared = loaded.sheet.shared(item.code)
    if shared is not None and not shared.is_empty:
        answer_views.append(_answer(loaded, item, AnswerScope.SHARED, shared, "", sources))
    for party in loaded.surroundings.parties:
        own = loaded.sheet.of_party(item.code, party.organisation_id)
        if own is not None and not own.is_empty:
            answer_views.append(_answer(loaded, item, AnswerScope.PARTY, own, party.name, sources))
    return answer_views


def _answer(
    loaded: LoadedChecklist,
    item: Item,
    scope: AnswerScope,
    filled: Filled,
    heading: str,
    sources: Sources,
) -> AnswerView:
    by = _(
        "Version %(version)s, %(name)s, %(date)s",
        version=filled.version,
        name=filled.author_name,
        date=as_date(filled.saved_at),
    )
    shown = answer_parts(loaded, item, scope, filled)
    return AnswerView(shown, by, heading, copies.copy_view(loaded, filled, sources))


def answer_parts(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, filled: Filled
) -> list[Part_]:
    """Return an answer's fields for the value component, or why the item does not apply."""
    if filled.not_applicable:
        reason = str(filled.values.get("reason", ""))
        return localized_values.left_out(reason)
    return parts(item.fields_of(scope), filled.values, loaded)


def _positions(loaded: LoadedChecklist, item: Item, own: UUID | None) -> list[PositionView]:
    answer = loaded.sheet.shared(item.code)
    if answer is None or answer.is_empty:
        return []
    views = [
        _position(loaded, item, answer, party.organisation_id, own)
        for party in completeness.accepters(item, loaded.surroundings)
    ]
    # The reason is shown with the proposal itself.
    proposing = {proposal.organisation.name for proposal in loaded.proposals_on.get(item.code, ())}
    return [replace(view, note="", by="") if view.name in proposing else view for view in views]


def _is_disputed(loaded: LoadedChecklist, item: Item) -> bool:
    """Return whether a party proposed a change, or takes another position than accepting."""
    if item.code in loaded.proposals_on:
        return True
    answer = loaded.sheet.shared(item.code)
    return (
        answer is not None
        and not answer.is_empty
        and any(
            row.stance is not Stance.ACCEPTS
            for party in completeness.accepters(item, loaded.surroundings)
            for row in _taken(loaded, answer, item, party.organisation_id)
        )
    )


def _taken(
    loaded: LoadedChecklist, answer: Filled, item: Item, organisation_id: UUID
) -> list[PositionFact]:
    """Return a party's positions on the current answer, or on parts of it."""
    if answer.is_unread_by(organisation_id):
        return []
    return [
        row
        for row in loaded.all_positions_on.get(item.code, ())
        if row.organisation_id == organisation_id
        and (row.part_id is not None or row.answer_id == answer.answer_id)
    ]


def _position(
    loaded: LoadedChecklist, item: Item, answer: Filled, organisation_id: UUID, own: UUID | None
) -> PositionView:
    party = loaded.party(organisation_id)
    name, mark, side = (
        (party.name, party.mark, party.side) if party else ("", "", OrganisationKind.OTHER)
    )
    is_npm = side is OrganisationKind.NPM
    waiting = (
        (_l("Waiting for us"), "wait")
        if organisation_id == own
        else (_l("Not yet reviewed"), "other")
    )
    if answer.is_unread_by(organisation_id):
        state, s = _l("Prepared, not read yet"), waiting[1]
        return PositionView(mark, name, is_npm, state, s)
    taken = _taken(loaded, answer, item, organisation_id)
    # What a party objects to is shown first.
    position = next((row for row in taken if row.stance is not Stance.ACCEPTS), None)
    around = (loaded.sheet, loaded.surroundings)
    parts = party_rows.parts_of_answer(item, answer, *around)
    missing = parts.keys() - completeness.accepted_parts(
        item, answer, loaded.sheet, organisation_id, parts.keys()
    )
    if position is None and (not taken or missing):
        note = _to_accept(loaded, missing) if taken or organisation_id in parts else ""
        return PositionView(mark, name, is_npm, *waiting, note)
    position = position or max(taken, key=lambda row: row.taken_at)
    state, s = STANCES[position.stance]
    note = encryption.reason_of(loaded.checklist.cooperation_id, position)
    if position.part_id and note:
        note = _("%(label)s: %(what)s", label=_part_words(loaded, position.part_id), what=note)
    is_author = organisation_id == answer.organisation_id and item.party_table is None
    if position.stance is Stance.ACCEPTS and is_author:
        state = _l("Wrote this answer")
    by = _("%(name)s, %(when)s", name=position.author_name, when=as_date(position.taken_at))
    return PositionView(mark, name, is_npm, state, s, note, by)


def _to_accept(loaded: LoadedChecklist, parts: Collection[party_rows.AnswerPart]) -> str:
    """Return which parts of an answer a party hasn't accepted, in the order of the parties."""
    ids = [party.organisation_id for party in loaded.parties]
    names = [_part_words(loaded, part) for part in (*ids, loaded.checklist.id) if part in parts]
    return _("Not accepted yet: %(what)s.", what=listed(names)) if names else ""


def rows_to_discuss(loaded: LoadedChecklist, actor: Actor, item: Item) -> list[tuple[UUID, str]]:
    """Return the other parties that have a row of their own in an answer, with their names."""
    rows = rows_of_parties(loaded, item)
    return [(party_id, name) for party_id, name in rows if party_id != actor.organisation_id]


def rows_of_parties(loaded: LoadedChecklist, item: Item) -> list[tuple[UUID, str]]:
    """Return the parties that have a row of their own in an answer, with their names."""
    answer = loaded.sheet.shared(item.code)
    if item.party_table is None:
        return []
    parts = party_rows.parts_of_answer(item, answer, loaded.sheet, loaded.surroundings)
    return [
        (party.organisation_id, party.name)
        for party in loaded.parties
        if party.organisation_id in parts
    ]


def _part_words(loaded: LoadedChecklist, part: UUID) -> str:
    party = loaded.party(part)
    if party is None:
        return str(_("the rest of the answer"))
    return str(_("the row of %(party)s", party=party.name))


def _proposals(
    loaded: LoadedChecklist, actor: Actor, item: Item, passages: Mapping[str, PassageShown]
) -> list[ProposalView]:
    return [
        proposal_view(loaded, actor, item, proposal, passages)
        for proposal in loaded.proposals_on.get(item.code, ())
    ]


def _turned_down(loaded: LoadedChecklist, item: Item) -> list[TurnedDownView]:
    current = loaded.sheet.shared(item.code)
    return [
        TurnedDownView(
            proposed_by=proposal.organisation.name,
            turned_down_by=proposal.ended_for.name if proposal.ended_for else "",
            name=proposal.ended_by.name if proposal.ended_by else "",
            reason=encryption.ended_reason_of(loaded.checklist.cooperation_id, proposal),
            at=proposal.ended_at,
        )
        for proposal in loaded.turned_down_on.get(item.code, ())
        if current is not None and proposal.answer_id == current.answer_id
    ]


def proposal_view(
    loaded: LoadedChecklist,
    actor: Actor,
    item: Item,
    proposal: Proposal,
    passages: Mapping[str, PassageShown] | None = None,
) -> ProposalView:
    """Return an open proposal for display; passages are those its hints may link to."""
    shared = loaded.sheet.shared(item.code)
    before = answer_parts(loaded, item, AnswerScope.SHARED, shared) if shared else []
    cooperation_id = loaded.checklist.cooperation_id
    fields = item.fields_of(AnswerScope.SHARED)
    values = proposed_now(loaded, item, proposal)
    party = loaded.own_party(actor)
    proposer = loaded.party(proposal.organisation_id)
    own = proposal.organisation_id == actor.organisation_id
    may_answer = (
        not own
        and loaded.is_open(item)
        and policy.can_take_part(actor, party)
        and policy.can_agree_on(item, party, proposer)
    )
    return ProposalView(
        id=proposal.id,
        mark=proposer.mark if proposer else "",
        party=proposal.organisation.name,
        npm=proposer is not None and proposer.side is OrganisationKind.NPM,
        at=proposal.made_at,
        reason=encryption.reason_of(cooperation_id, proposal),
        parts=localized_values.differences(
            before, localized_values.parts(fields, values, loaded.names)
        ),
        own=own,
        may_answer=bool(may_answer),
        may_withdraw=own and bool(loaded.goes_on()),
        hints=warnings.hints_on_values(loaded, item, values, language(), passages),
    )


def acts(
    loaded: LoadedChecklist, actor: Actor, item: Item, item_status: ItemStatus | None = None
) -> Acts:
    """Return the actions a person can take on an item now; item_status is its status, if known."""
    if item_status is None and item.part is not Part.PERSON:
        item_status = completeness.item_standing(item, loaded.sheet, loaded.surroundings)
    party = loaded.own_party(actor)
    if item_status is None or item_status.shown is not Truth.TRUE:
        return Acts()
    taking_part = policy.can_take_part(actor, party)
    if not taking_part or party is None:
        return Acts(why_not=taking_part.reason)
    is_open = loaded.is_open(item, item_status)
    if not is_open:
        return Acts(why_not=is_open.reason)
    current = loaded.sheet.shared(item.code)
    has_answer = current is not None and not current.is_empty
    locked = service.locked_parts(loaded, item, party)
    scopes = tuple(
        scope
        for scope in item.scopes
        if scope is not AnswerScope.PERSON
        and any(policy.can_set(actor, party, field) for field in item.fields_of(scope))
        and not (scope is AnswerScope.SHARED and None in locked)
    )
    can_act = bool(policy.can_take_position(actor, party, item))
    accepts = current is not None and (
        completeness.accepts(
            item, current, loaded.sheet, loaded.surroundings, party.organisation_id
        )
        or _accepts_by_reading(current, party)
    )
    obstacles = completeness.obstacles_to_accepting(item, item_status.problems)
    may_accept = can_act and has_answer and not accepts and not obstacles
    wishes = discussions.open_wishes(loaded, item.code, party.organisation_id)
    return Acts(
        answer=scopes,
        propose=has_answer and item.accepted_by.value != "none",
        accept=may_accept and not wishes,
        settle=may_accept and bool(wishes),
        discussed=any(
            row.stance is Stance.WANTS_TALK and row.organisation_id != party.organisation_id
            for row in loaded.all_positions_on.get(item.code, ())
        ),
        talk=can_act and has_answer,
        flag=loaded.has_answer(item) and bool(policy.can_flag(actor, party, item)),
        own_row=AnswerScope.SHARED in scopes and bool(locked),
        own_row_given=item.party_table is not None
        and party.organisation_id
        in party_rows.parts_of_answer(item, current, loaded.sheet, loaded.surroundings),
        own_given=loaded.sheet.of_party(item.code, party.organisation_id) is not None,
        leave_out=AnswerScope.SHARED in scopes
        and completeness.may_be_left_out(item, loaded.sheet, loaded.surroundings),
    )


def filters(loaded: LoadedChecklist, assigned: Assigned | None) -> list[str]:
    """Return the filters of a checklist for a person; assigned has their side's assignments.

    The text of a stopped visit waits for nobody, so nothing is filtered by whom it waits for.
    """
    left_out = set() if loaded.goes_on() else {"us", "others"}
    if assigned is None:
        left_out.add("mine")
    return [name for name in FILTERS if name not in left_out]


def _accepts_by_reading(answer: Filled, party: PartyFact) -> bool:
    """Return whether a party accepts an answer by reading it, since the party copied it."""
    own = party.organisation_id
    return answer.organisation_id == own and answer.is_unread_by(own)


def next_to_write(
    loaded: LoadedChecklist, actor: Actor, code: str
) -> tuple[Item, AnswerScope] | None:
    """Return the next item after this one that waits for a person's party to write something."""
    codes = [item.code for item in loaded.template.items]
    after = loaded.template.items[codes.index(code) + 1 :] if code in codes else ()
    statuses = loaded.standing().items
    for item in after:
        status = statuses.get(item.code)
        if status is None or actor.organisation_id not in status.waiting_for:
            continue
        scopes = acts(loaded, actor, item, status).answer
        if scopes:
            return item, scopes[0]
    return None


def place_of(loaded: LoadedChecklist, item: Item) -> tuple[int, int] | None:
    """Return which item of how many this is, among those that apply; None if it isn't known."""
    codes = [code for code, status in loaded.standing().items.items() if status.shown is Truth.TRUE]
    return (codes.index(item.code) + 1, len(codes)) if item.code in codes else None


def unfolded(
    outlines: Sequence[Outline], asked_for: Collection[str], *, narrowed: bool
) -> set[str]:
    """Return the items to show unfolded: those that the address names, or all of a short list."""
    if narrowed and len(outlines) <= FEW:
        return {outline.item.code for outline in outlines}
    return set(asked_for)


def has_words(loaded: LoadedChecklist, outline: Outline, words: str) -> bool:
    """Return whether an item's code, label, question or answer contains all of some words."""
    item = outline.item
    texts = [item.code, str(item.label), str(item.prompt)]
    for view in answers_of(loaded, item):
        texts += localized_values.values_in(view.parts)
    text = " ".join(texts).casefold()
    return all(word in text for word in words.casefold().split())


def keep(outline: Outline, chosen: str, own: UUID | None) -> bool:
    """Return whether an item passes a filter."""
    status = outline.standing
    waiting = status.waiting_for if status and status.counts else ()
    match chosen:
        case "us":
            return own in waiting
        case "mine":
            return outline.assigned is not None and outline.assigned.is_mine
        case "others":
            return bool(set(waiting) - {own})
        case "differs":
            return outline.differs
        case "flagged":
            return outline.has_open_flag
        case "open":
            return status is not None and status.counts and status.state is WorkState.NOT_STARTED
        case "copied":
            return status is not None and own in status.unread_by
        case _:
            return True


def section_links(
    loaded: LoadedChecklist,
    standing: ChecklistStatus,
    item_codes: Collection[str],
    *,
    unfiltered: str,
) -> list[tuple[str, str, str, bool]]:
    """Return links to a checklist's sections, each with its progress.

    item_codes are the items on the page; a section without any links to the unfiltered list.
    """
    links = []
    for section in loaded.template.sections:
        codes = [item.code for item in section.items]
        first = next((code for code in codes if code in item_codes), None)
        counted = [
            standing.items[item.code]
            for item in section.items
            if item.code in standing.items and standing.items[item.code].counts
        ]
        done = sum(status.done for status in counted)
        count = _("%(done)s of %(total)s", done=done, total=len(counted)) if counted else ""
        address = f"#{first.lower()}" if first else f"{unfiltered}#{codes[0].lower()}"
        links.append((address, section.title, count, False))
    return links


def by_section(
    loaded: LoadedChecklist, views: Collection[ItemView]
) -> list[tuple[str, list[ItemView], list[ToRead]]]:
    """Return the items on a page by section, with the copied answers to read in each."""
    by_code = {view.item.code: view for view in views}
    groups = []
    for section in loaded.template.sections:
        section_views = [by_code[item.code] for item in section.items if item.code in by_code]
        if section_views:
            unread = [copied for view in section_views for copied in view.to_read]
            groups.append((section.title, section_views, unread))
    return groups


def waiting_links(
    loaded: LoadedChecklist, standing: ChecklistStatus, own: UUID | None
) -> list[tuple[str, str, str, bool]]:
    """Return for each party how many items wait for it, and the filter that shows them.

    Nothing for the text of a stopped visit, which waits for nobody.
    """
    if not loaded.goes_on():
        return []
    return [
        (
            "?filter=us" if party.organisation_id == own else "?filter=others",
            party.name,
            str(standing.waiting.get(party.organisation_id, 0)),
            False,
        )
        for party in loaded.parties
    ]


def unknown_count(standing: ChecklistStatus) -> int:
    """Return how many items are not counted because their condition is not known yet."""
    return sum(item.state is WorkState.NOT_KNOWN for item in standing.items.values())


def send_obstacles(loaded: LoadedChecklist) -> list[list[tuple[str, str]]]:
    """Return what keeps the text from being sent: the parts of each sentence, some with a link."""
    address = url_for("checklists.show", checklist_id=loaded.checklist.id)
    return [_linked(obstacle, address) for obstacle in obstacles.to_sending(loaded)]


def _linked(obstacle: obstacles.Obstacle, address: str) -> list[tuple[str, str]]:
    before, names, after = str(obstacle).partition(obstacle.names or "\0")
    parts = [(before, "")]
    for code, label in obstacle.items:
        between, _label, names = names.partition(label)
        parts += [(between, ""), (label, f"{address}#{code.lower()}")]
    return [*parts, (names + after, "")]
