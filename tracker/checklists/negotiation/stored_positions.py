"""Positions as stored: taken on answers or parts of them, and ended where the text changes.

A position on a whole answer is split once one of its parts changes, or gets a position of its own:
it then stands on each other part (product.md, 4.1). A wish to change something in the answer, as an
amendment begins with, is met by the party's own change: it accepts the parts that it left alone.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item
from tracker.checklists import encryption
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Answer, Position, Proposal, ProposalState, Stance, TalkEnd
from tracker.checklists.negotiation import mailing
from tracker.checklists.parts import PositionFact
from tracker.checklists.rules import completeness, party_rows
from tracker.checklists.rules.party_rows import WHOLE, AnswerPart
from tracker.core import clock
from tracker.core.db import db

# How a wish to discuss ends once its party takes another position; a new wish replaces it.
_TALK_ENDS = {
    Stance.ACCEPTS: TalkEnd.SETTLED,
    Stance.WANTS_CHANGE: TalkEnd.SUGGESTED,
    Stance.WANTS_TALK: None,
}


def end_talks(loaded: LoadedChecklist, codes: Collection[str]) -> None:
    """End all positions and open proposals on some items.

    loaded is the checklist as it was when the verb began; nothing was added on these items since.
    """
    if not loaded.all_positions_on.keys().isdisjoint(codes):
        _end_positions(loaded, Position.item.in_(codes), talks_end=TalkEnd.CHANGED)
        _note_talks_ended(loaded)
    _end_proposals(loaded, [row.id for code in codes for row in loaded.proposals_on.get(code, ())])


def put_position(
    loaded: LoadedChecklist,
    item: Item,
    answer_id: UUID,
    taken_by: tuple[UUID, UUID],
    stance: Stance,
    reason: str = "",
    *,
    on: Collection[AnswerPart] = WHOLE,
) -> None:
    """Set the position of a party whose acceptance is needed; store nothing for other parties.

    taken_by are the person who takes it and the organisation it is taken for. on are the parts of
    the current answer that it is on; the party's positions on the other parts stay as they are.
    """
    if None in on:
        put_positions(loaded, [(item, answer_id)], taken_by, stance, reason)
        return
    _author_id, organisation_id = taken_by
    own = [
        row
        for row in loaded.all_positions_on.get(item.code, ())
        if row.organisation_id == organisation_id
    ]
    if own:
        of_these = sa.or_(Position.part_id.is_(None), Position.part_id.in_(on))
        _end_positions(
            loaded,
            Position.item == item.code,
            Position.organisation_id == organisation_id,
            of_these,
            talks_end=_TALK_ENDS[stance],
            by=taken_by[0],
        )
    rest = _parts_now(loaded, item) - frozenset(on)
    changed_by = taken_by if stance is Stance.WANTS_CHANGE else None
    _split(loaded, item, _counting(loaded, item, own), rest, changed_by=changed_by)
    add_positions(loaded, item, answer_id, taken_by, stance, reason, on=on)
    if own:
        _note_talks_ended(loaded)


def put_positions(
    loaded: LoadedChecklist,
    on: Iterable[tuple[Item, UUID]],
    taken_by: tuple[UUID, UUID],
    stance: Stance,
    reason: str = "",
) -> None:
    """Set the position of a party on several whole answers, as put_position() does on one.

    loaded is the checklist as it was when the verb began; a verb sets one position on each item.
    """
    _author_id, organisation_id = taken_by
    pairs = [
        (item, answer_id) for item, answer_id in on if _is_accepter(loaded, item, organisation_id)
    ]
    taken = {
        item.code
        for item, _answer_id in pairs
        for row in loaded.all_positions_on.get(item.code, ())
        if row.organisation_id == organisation_id
    }
    if taken:
        _end_positions(
            loaded,
            Position.item.in_(taken),
            Position.organisation_id == organisation_id,
            talks_end=_TALK_ENDS[stance],
            by=taken_by[0],
        )
    for item, answer_id in pairs:
        _add(loaded, item.code, answer_id, taken_by, stance, reason, on=WHOLE)
    if pairs:
        db.session.flush()
    if taken:
        _note_talks_ended(loaded)


def add_positions(
    loaded: LoadedChecklist,
    item: Item,
    answer_id: UUID,
    taken_by: tuple[UUID, UUID],
    stance: Stance,
    reason: str = "",
    *,
    on: Collection[AnswerPart] = WHOLE,
) -> None:
    """Add a party's position on parts of an answer on which it has none, if it is needed there."""
    _author_id, organisation_id = taken_by
    if _is_accepter(loaded, item, organisation_id):
        _add(loaded, item.code, answer_id, taken_by, stance, reason, on=on)
        db.session.flush()


def accept_by_writing(
    loaded: LoadedChecklist, item: Item, answer: Answer, on: Collection[AnswerPart]
) -> None:
    """Have its author's party accept the parts of an answer that it changed, if it is needed there.

    At the moment when the answer was saved: so it isn't mistaken for an acceptance of its own.
    """
    if _is_accepter(loaded, item, answer.organisation_id):
        taken_by, at = (answer.author_id, answer.organisation_id), answer.saved_at
        _add(loaded, item.code, answer.id, taken_by, Stance.ACCEPTS, "", on=on, taken_at=at)
        db.session.flush()


def reopen_changed(
    loaded: LoadedChecklist, item: Item, answer: Answer, *, has_seen_all: bool = True
) -> Collection[AnswerPart]:
    """End positions and proposals on the parts that a new answer changes; return these parts.

    loaded is the checklist as it was before, and nothing was added on this item since. An author
    who hasn't seen all of it accepts nothing by leaving it alone.
    """
    code, current = item.code, loaded.sheet.shared(item.code)
    before = party_rows.parts_of_answer(item, current, loaded.sheet, loaded.surroundings)
    values = encryption.values_of(loaded.checklist.cooperation_id, answer)
    after = _parts_after(loaded, item, answer, values)
    parts = party_rows.changed(before, after)
    if None in after or None in parts or parts >= after.keys():
        end_talks(loaded, [code])
        return WHOLE
    positions = loaded.all_positions_on.get(code, [])
    if positions:
        _end_positions(
            loaded,
            Position.item == code,
            sa.or_(Position.part_id.is_(None), Position.part_id.in_(parts)),
            talks_end=TalkEnd.CHANGED,
        )
        suggesting = {
            proposal.organisation_id
            for proposal in loaded.proposals_on.get(code, ())
            if proposal.part_ids is None
        }
        rest = [
            row
            for row in _counting(loaded, item, positions)
            if row.organisation_id not in suggesting
        ]
        changed_by = (answer.author_id, answer.organisation_id) if has_seen_all else None
        _split(loaded, item, rest, after.keys() - parts, changed_by=changed_by)
        _note_talks_ended(loaded)
    outdated = [
        proposal.id
        for proposal in loaded.proposals_on.get(code, ())
        if proposal.part_ids is None or not parts.isdisjoint(parts_changed_by(proposal))
    ]
    _end_proposals(loaded, outdated)
    return parts & after.keys()


def end_positions_of(
    loaded: LoadedChecklist, codes: Collection[str], organisation_id: UUID
) -> None:
    """End a party's positions on some items, but for what it accepted by writing the answers.

    If it has taken another position since, what it wrote isn't accepted again.
    """
    _end_positions(loaded, Position.item.in_(codes), Position.organisation_id == organisation_id)
    later = aliased(Position)
    written = sa.exists().where(
        Answer.id == Position.answer_id,
        Answer.is_current,
        Answer.organisation_id == Position.organisation_id,
        Answer.saved_at == Position.taken_at,
    )
    doubted = sa.exists().where(
        later.answer_id == Position.answer_id,
        later.organisation_id == Position.organisation_id,
        later.stance != Stance.ACCEPTS,
        later.taken_at > Position.taken_at,
    )
    db.session.execute(
        sa.update(Position)
        .where(
            Position.checklist_id == loaded.checklist.id,
            Position.item.in_(codes),
            Position.organisation_id == organisation_id,
            Position.stance == Stance.ACCEPTS,
            written,
            ~doubted,
        )
        .values(is_current=True)
    )


def parts_changed_by(proposal: Proposal) -> frozenset[AnswerPart]:
    """Return the parts of the answer that a proposal changes."""
    if proposal.part_ids is None:
        return WHOLE
    return frozenset(UUID(part_id) for part_id in proposal.part_ids)


def proposed_now(loaded: LoadedChecklist, item: Item, proposal: Proposal) -> dict[str, Any]:
    """Return the current answer with what a proposal changes in it."""
    values = encryption.values_of(loaded.checklist.cooperation_id, proposal)
    current, parts = loaded.sheet.shared(item.code), parts_changed_by(proposal)
    if current is None or current.not_applicable:
        return values
    around = (loaded.sheet, loaded.surroundings)
    return party_rows.merged(item, current.values, values, parts, *around)


def _counting(
    loaded: LoadedChecklist, item: Item, rows: Iterable[PositionFact]
) -> list[PositionFact]:
    """Return the positions that are on the whole of exactly the current answer."""
    current = loaded.sheet.shared(item.code)
    return [
        row
        for row in rows
        if row.part_id is None and current is not None and row.answer_id == current.answer_id
    ]


def _parts_now(loaded: LoadedChecklist, item: Item) -> frozenset[AnswerPart]:
    current = loaded.sheet.shared(item.code)
    return frozenset(party_rows.parts_of_answer(item, current, loaded.sheet, loaded.surroundings))


def _parts_after(
    loaded: LoadedChecklist, item: Item, answer: Answer, values: Mapping[str, Any]
) -> Mapping[AnswerPart, Any]:
    if answer.scope is not AnswerScope.SHARED or answer.not_applicable:
        return {None: values}
    return party_rows.parts_of(item, values, loaded.sheet, loaded.surroundings) or {None: values}


def _is_accepter(loaded: LoadedChecklist, item: Item, organisation_id: UUID) -> bool:
    return any(
        party.organisation_id == organisation_id
        for party in completeness.accepters(item, loaded.surroundings)
    )


def _split(
    loaded: LoadedChecklist,
    item: Item,
    rows: Iterable[PositionFact],
    parts: Collection[AnswerPart],
    *,
    changed_by: tuple[UUID, UUID | None] | None,
) -> None:
    """Put ended positions on whole answers on each of some parts, by whom and when they were.

    changed_by are the person and the organisation that change the other parts, or suggest to.
    """
    cooperation_id = loaded.checklist.cooperation_id
    for row in rows:
        if row.answer_id is None:
            continue
        is_met = row.stance is Stance.WANTS_CHANGE
        if is_met and changed_by and row.organisation_id == changed_by[1]:
            taken_by = (changed_by[0], row.organisation_id)
            _add(loaded, item.code, row.answer_id, taken_by, Stance.ACCEPTS, "", on=parts)
        else:
            _add(
                loaded,
                item.code,
                row.answer_id,
                (row.author_id, row.organisation_id),
                row.stance,
                encryption.reason_of(cooperation_id, row),
                on=parts,
                taken_at=row.taken_at,
            )
    db.session.flush()


def _add(
    loaded: LoadedChecklist,
    code: str,
    answer_id: UUID,
    taken_by: tuple[UUID, UUID],
    stance: Stance,
    reason: str,
    *,
    on: Collection[AnswerPart],
    taken_at: dt.datetime | None = None,
) -> None:
    author_id, organisation_id = taken_by
    when = taken_at or clock.now()
    for part_id in on:
        position = Position(
            id=uuid4(),
            checklist_id=loaded.checklist.id,
            item=code,
            organisation_id=organisation_id,
            answer_id=answer_id,
            part_id=part_id,
            stance=stance,
            author_id=author_id,
            taken_at=when,
        )
        encryption.put_reason(loaded.checklist, position, reason)
        db.session.add(position)


def _end_positions(
    loaded: LoadedChecklist,
    *conditions: sa.ColumnElement[bool],
    talks_end: TalkEnd | None = None,
    by: UUID | None = None,
) -> None:
    """End positions; talks_end says how wishes to discuss among them ended, None that none did."""
    values: dict[str, Any] = {"is_current": False}
    if talks_end is not None and any(row.stance is Stance.WANTS_TALK for row in loaded.positions):
        is_talk = Position.stance == Stance.WANTS_TALK
        values["ended_as"] = sa.case((is_talk, sa.literal(talks_end, Position.ended_as.type)))
        values["ended_at"] = sa.case((is_talk, sa.literal(clock.now(), Position.ended_at.type)))
        if by is not None:
            values["ended_by_id"] = sa.case((is_talk, sa.literal(by, Position.ended_by_id.type)))
    db.session.execute(
        sa.update(Position)
        .where(Position.checklist_id == loaded.checklist.id, *conditions, Position.is_current)
        .values(values)
    )


def _note_talks_ended(loaded: LoadedChecklist) -> None:
    """Note that wishes to discuss may have ended; loaded is the checklist as it was before."""
    if any(row.stance is Stance.WANTS_TALK for row in loaded.positions):
        mailing.note_talks_ended(loaded)


def _end_proposals(loaded: LoadedChecklist, proposal_ids: Collection[UUID]) -> None:
    if not proposal_ids:
        return
    db.session.execute(
        sa.update(Proposal)
        .where(
            Proposal.checklist_id == loaded.checklist.id,
            Proposal.id.in_(proposal_ids),
            Proposal.state == ProposalState.OPEN,
            Proposal.ended_at.is_(None),
        )
        .values(state=ProposalState.OUTDATED, ended_at=clock.now())
    )
    mailing.note_ended(loaded, proposal_ids)
