"""The verbs of filling in: start, answer, accept, propose, flag, review."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklists import completeness, library, policy, sealing
from tracker.checklists.facts import Filled, PartyFact, has_content
from tracker.checklists.loading import Filling, fill
from tracker.checklists.models import (
    Answer,
    AnswerScope,
    Checklist,
    ChecklistKind,
    ChecklistParty,
    Flag,
    Position,
    Proposal,
    ProposalState,
    SafeguardReview,
    Stance,
)
from tracker.checklists.template import Item, Part
from tracker.checklists.values import check_types
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError

REASON = "reason"


def start(
    actor: Actor | None,
    cooperation_id: UUID,
    kind: ChecklistKind,
    organisation_ids: Iterable[UUID],
    visit_id: UUID | None = None,
    visit_number: int | None = None,
) -> Checklist:
    """Begin a checklist on the newest template, for the parties whose agreement it needs."""
    template = library.newest(kind)
    checklist = Checklist(
        id=uuid4(),
        cooperation_id=cooperation_id,
        visit_id=visit_id,
        kind=kind,
        template_id=template.id,
        started_at=clock.now(),
    )
    db.session.add(checklist)
    db.session.flush()
    _put_parties(checklist, organisation_ids)
    trail.record(
        verbs.CHECKLIST_STARTED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=cooperation_id,
        kind=kind.value,
        template_version=template.version,
        visit=visit_number,
    )
    refresh(checklist)
    return checklist


def set_parties(checklist: Checklist, organisation_ids: Iterable[UUID]) -> None:
    """Make these the parties of a checklist: those who join still have to accept everything."""
    _put_parties(checklist, organisation_ids)
    refresh(checklist)


def _put_parties(checklist: Checklist, organisation_ids: Iterable[UUID]) -> None:
    wanted = list(dict.fromkeys(organisation_ids))
    there = {
        row.organisation_id: row
        for row in db.session.scalars(
            sa.select(ChecklistParty).where(ChecklistParty.checklist_id == checklist.id)
        )
    }
    for organisation_id, row in there.items():
        if organisation_id not in wanted:
            db.session.delete(row)
    for number, organisation_id in enumerate(wanted):
        if organisation_id in there:
            there[organisation_id].position = number
        else:
            db.session.add(
                ChecklistParty(
                    checklist_id=checklist.id, organisation_id=organisation_id, position=number
                )
            )
    db.session.flush()


def refresh(checklist: Checklist) -> Filling:
    """Bring the counts that lists show up to date; return the checklist loaded whole."""
    filling = fill(checklist)
    standing = filling.standing()
    checklist.done_count = standing.done_count
    checklist.total_count = standing.total_count
    checklist.is_complete = standing.is_complete
    for party in checklist.parties:
        party.waiting_count = standing.waiting.get(party.organisation_id, 0)
    db.session.flush()
    return filling


def save_answer(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    scope: AnswerScope,
    values: Mapping[str, Any],
    *,
    base_version: int,
    not_applicable_because: str = "",
) -> Answer:
    """Save a new version of an answer.

    The one who sets an answer accepts it; the others' positions are open again (product.md, 4.1).
    base_version is the version the person saw (0: none): another one meanwhile raises StaleError.
    An answer that another party accepted raises RuleBrokenError: it changes by a proposal only.
    """
    lock(checklist)
    filling = fill(checklist)
    item = _item(filling, item_code)
    party = filling.party(_own_organisation(actor))
    owner_id = _owner(actor, checklist, scope)
    _require_may_set(actor, filling, item, scope, party, values)
    current = filling.sheet.answers.get((item.code, scope, owner_id))
    if (current.version if current else 0) != base_version:
        raise StaleError(_l("Somebody else saved this item while you were writing."))
    if (
        scope is AnswerScope.SHARED
        and current
        and accepted_by_others(filling, item, current, party)
    ):
        raise RuleBrokenError(
            _l("Another party has accepted this answer. Propose the change instead.")
        )
    kept = {key: value for key, value in values.items() if has_content(value) or value is False}
    if not_applicable_because:
        _require_may_be_left_out(filling, item)
        kept = {REASON: not_applicable_because}
    else:
        check_types(item.fields_of(scope), kept, filling.surroundings)
    answer = _add_version(actor, filling, item, scope, kept, left_out=bool(not_applicable_because))
    _after_change(actor, filling, item, answer)
    trail.record(
        verbs.ANSWER_SAVED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=item.code,
        version=answer.version,
        scope=scope.value,
        organisation=actor.organisation_name,
    )
    return answer


def _require_may_set(
    actor: Actor,
    filling: Filling,
    item: Item,
    scope: AnswerScope,
    party: PartyFact | None,
    values: Mapping[str, Any],
) -> None:
    fields = item.fields_of(scope)
    if not fields:
        raise RuleBrokenError(_l("This item has no such answer."))
    if scope is AnswerScope.PERSON:
        return
    checklist = filling.checklist
    if item.part is not Part.PEOPLE:
        policy.is_open(checklist.state, checklist.open_items, item.code).require()
    touched = [field for field in fields if field.key in values] or list(fields)
    for field in touched:
        policy.can_set(actor, party, field).require()


def _require_may_be_left_out(filling: Filling, item: Item) -> None:
    """*Not applicable* is not offered for required items (product.md, 4.2)."""
    if completeness.is_required(item, filling.sheet, filling.surroundings):
        raise RuleBrokenError(_l("This item is required here, so it can't be left out."))


def accepted_by_others(
    filling: Filling, item: Item, current: Filled, party: PartyFact | None
) -> bool:
    """Tell whether a party other than this one accepts the current answer."""
    own = party.organisation_id if party else None
    return any(
        organisation_id != own and position == (current.answer_id, Stance.ACCEPTS)
        for organisation_id, position in filling.sheet.positions.get(item.code, {}).items()
    )


def _add_version(
    actor: Actor,
    filling: Filling,
    item: Item,
    scope: AnswerScope,
    values: Mapping[str, Any],
    *,
    left_out: bool,
    owner_id: UUID | None = None,
) -> Answer:
    checklist = filling.checklist
    owner_id = owner_id or _owner(actor, checklist, scope)
    current = filling.sheet.answers.get((item.code, scope, owner_id))
    if current:
        db.session.execute(
            sa.update(Answer).where(Answer.id == current.answer_id).values(is_current=False)
        )
    answer = Answer(
        id=uuid4(),
        checklist_id=checklist.id,
        item=item.code,
        scope=scope,
        owner_id=owner_id,
        version=(current.version if current else 0) + 1,
        not_applicable=left_out,
        author_id=actor.user_id,
        organisation_id=_own_organisation(actor),
        saved_at=clock.now(),
    )
    sealing.put_values(checklist, answer, values)
    try:
        with db.session.begin_nested():
            db.session.add(answer)
    except IntegrityError as error:
        raise StaleError(_l("Somebody else saved this item while you were writing.")) from error
    return answer


def _after_change(actor: Actor, filling: Filling, item: Item, answer: Answer) -> None:
    """Reopen the positions of the rest, and what rested on the old text."""
    checklist = filling.checklist
    if answer.scope is AnswerScope.SHARED:
        db.session.execute(
            sa.update(Position)
            .where(
                Position.checklist_id == checklist.id,
                Position.item == item.code,
                Position.is_current,
            )
            .values(is_current=False)
        )
        if _is_asked(filling, item, _own_organisation(actor)):
            _put_position(actor, filling, item, answer.id, Stance.ACCEPTS, "")
        db.session.execute(
            sa.update(Proposal)
            .where(
                Proposal.checklist_id == checklist.id,
                Proposal.item == item.code,
                Proposal.state == ProposalState.OPEN,
            )
            .values(state=ProposalState.OUTDATED, ended_at=clock.now())
        )
        _close_flags_of_changed_term(actor, filling, item)
    if item.part is Part.TERMS and answer.scope is not AnswerScope.PERSON:
        db.session.execute(
            sa.update(SafeguardReview)
            .where(SafeguardReview.checklist_id == checklist.id)
            .values(is_void=True)
        )
    refresh(checklist)


def _close_flags_of_changed_term(actor: Actor, filling: Filling, item: Item) -> None:
    """A flag is closed by changing the term (product.md, 4.8)."""
    for flag in filling.flags:
        if flag.item == item.code and flag.closed_at is None:
            _close(actor, filling.checklist, flag, explanation="", how="changed")


def take_position(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    stance: Stance,
    *,
    answer_id: UUID,
    reason: str = "",
) -> None:
    """Say what the party thinks of the answer it saw: accept it, or ask to talk.

    A wish for a change comes with its words: propose() takes it. Accepting an answer that is not
    complete, or that changed meanwhile, is refused.
    """
    lock(checklist)
    filling = fill(checklist)
    item = _item(filling, item_code)
    party = filling.party(_own_organisation(actor))
    policy.can_take_position(actor, party, item).require()
    policy.is_open(checklist.state, checklist.open_items, item.code).require()
    current = filling.sheet.shared(item.code)
    if current is None or current.is_empty:
        raise RuleBrokenError(_l("There is no answer yet."))
    if current.answer_id != answer_id:
        raise StaleError(_l("The answer changed while you were reading. Look at it again."))
    if stance is Stance.ACCEPTS:
        _require_complete(filling, item, current)
    elif not reason:
        raise RuleBrokenError(_l("Say what you want to talk about."), REASON)
    _put_position(actor, filling, item, answer_id, stance, reason)
    refresh(checklist)
    trail.record(
        verbs.POSITION_TAKEN,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=item.code,
        version=current.version,
        stance=stance.value,
        organisation=actor.organisation_name,
    )


def _require_complete(filling: Filling, item: Item, current: Filled) -> None:
    found = completeness.answer_problems(
        item, AnswerScope.SHARED, current, filling.sheet, filling.surroundings
    )
    if found:
        raise RuleBrokenError(
            _l("The answer is not complete yet: %(problem)s", problem=found[0].message)
        )


def _put_position(
    actor: Actor, filling: Filling, item: Item, answer_id: UUID, stance: Stance, reason: str
) -> None:
    checklist = filling.checklist
    organisation_id = _own_organisation(actor)
    db.session.execute(
        sa.update(Position)
        .where(
            Position.checklist_id == checklist.id,
            Position.item == item.code,
            Position.organisation_id == organisation_id,
            Position.is_current,
        )
        .values(is_current=False)
    )
    position = Position(
        id=uuid4(),
        checklist_id=checklist.id,
        item=item.code,
        organisation_id=organisation_id,
        answer_id=answer_id,
        stance=stance,
        author_id=actor.user_id,
        taken_at=clock.now(),
    )
    sealing.put_reason(checklist, position, reason)
    db.session.add(position)
    db.session.flush()


def propose(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    values: Mapping[str, Any],
    *,
    answer_id: UUID,
    reason: str,
) -> Proposal:
    """Propose another value for an item, with the reason; the party's position says so."""
    lock(checklist)
    filling = fill(checklist)
    item = _item(filling, item_code)
    party = filling.party(_own_organisation(actor))
    if item.accepted_by.value == "none":
        raise RuleBrokenError(_l("This item needs no acceptance, so there is nothing to propose."))
    policy.can_take_part(actor, party).require()
    policy.is_open(checklist.state, checklist.open_items, item.code).require()
    current = filling.sheet.shared(item.code)
    if current is None or current.is_empty:
        raise RuleBrokenError(_l("There is no answer yet. Write one."))
    if current.answer_id != answer_id:
        raise StaleError(_l("The answer changed while you were writing. Compare both."))
    if not reason:
        raise RuleBrokenError(_l("Give the reason for the change."), REASON)
    kept = {key: value for key, value in values.items() if has_content(value) or value is False}
    check_types(item.fields_of(AnswerScope.SHARED), kept, filling.surroundings)
    _end_proposals(filling, item, ProposalState.OUTDATED, of=_own_organisation(actor))
    proposal = Proposal(
        id=uuid4(),
        checklist_id=checklist.id,
        item=item.code,
        organisation_id=_own_organisation(actor),
        answer_id=answer_id,
        author_id=actor.user_id,
        made_at=clock.now(),
    )
    sealing.put_values(checklist, proposal, kept)
    sealing.put_reason(checklist, proposal, reason)
    db.session.add(proposal)
    db.session.flush()
    if _is_asked(filling, item, _own_organisation(actor)):
        _put_position(actor, filling, item, answer_id, Stance.WANTS_CHANGE, reason)
    refresh(checklist)
    _record_proposal(verbs.PROPOSAL_MADE, actor, filling, proposal, current.version)
    return proposal


def accept_proposal(actor: Actor, checklist: Checklist, proposal_id: UUID) -> Answer:
    """Make a proposed value the answer: proposer and accepter accept it, the rest are asked again."""
    filling, item, proposal, current = _proposal_to_answer(actor, checklist, proposal_id)
    values = sealing.values_of(checklist.cooperation_id, proposal)
    proposer_for = proposal.organisation_id
    # The event's row is the accepter's, the text is the proposer's.
    answer = _add_version(actor, filling, item, AnswerScope.SHARED, values, left_out=False)
    answer.author_id = proposal.author_id
    answer.organisation_id = proposer_for
    _finish(actor, proposal, ProposalState.ACCEPTED)
    _after_change(actor, filling, item, answer)
    if _is_asked(filling, item, proposer_for):
        position = Position(
            id=uuid4(),
            checklist_id=checklist.id,
            item=item.code,
            organisation_id=proposer_for,
            answer_id=answer.id,
            stance=Stance.ACCEPTS,
            author_id=proposal.author_id,
            taken_at=clock.now(),
        )
        sealing.put_reason(checklist, position, "")
        db.session.add(position)
        db.session.flush()
    refresh(checklist)
    trail.record(
        verbs.PROPOSAL_ACCEPTED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=item.code,
        version=current.version + 1,
        proposed_by=proposal.organisation.name,
    )
    return answer


def turn_down_proposal(actor: Actor, checklist: Checklist, proposal_id: UUID, reason: str) -> None:
    """Turn a proposal down with a reason; the answer stays as it is."""
    filling, item, proposal, current = _proposal_to_answer(actor, checklist, proposal_id)
    if not reason:
        raise RuleBrokenError(_l("Say why you turn it down."), REASON)
    _finish(actor, proposal, ProposalState.TURNED_DOWN)
    if _is_asked(filling, item, _own_organisation(actor)):
        _put_position(actor, filling, item, current.answer_id, Stance.WANTS_TALK, reason)
    refresh(checklist)
    trail.record(
        verbs.PROPOSAL_TURNED_DOWN,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=item.code,
        version=current.version,
        proposed_by=proposal.organisation.name,
    )


def withdraw_proposal(actor: Actor, checklist: Checklist, proposal_id: UUID) -> None:
    """Take the own party's proposal back."""
    lock(checklist)
    filling = fill(checklist)
    proposal = _open_proposal(filling, proposal_id)
    policy.can_take_part(actor, filling.party(_own_organisation(actor))).require()
    if proposal.organisation_id != actor.organisation_id:
        raise RuleBrokenError(_l("Only the party that made a proposal takes it back."))
    _finish(actor, proposal, ProposalState.WITHDRAWN)
    current = filling.sheet.shared(proposal.item)
    refresh(checklist)
    _record_proposal(
        verbs.PROPOSAL_WITHDRAWN, actor, filling, proposal, current.version if current else 0
    )


def _proposal_to_answer(
    actor: Actor, checklist: Checklist, proposal_id: UUID
) -> tuple[Filling, Item, Proposal, Filled]:
    lock(checklist)
    filling = fill(checklist)
    proposal = _open_proposal(filling, proposal_id)
    item = _item(filling, proposal.item)
    party = filling.party(_own_organisation(actor))
    policy.can_take_part(actor, party).require()
    policy.is_open(checklist.state, checklist.open_items, item.code).require()
    if proposal.organisation_id == actor.organisation_id:
        raise RuleBrokenError(_l("This is your own proposal; the other side answers it."))
    current = filling.sheet.shared(item.code)
    if current is None or current.answer_id != proposal.answer_id:
        raise StaleError(_l("The answer changed after this was proposed."))
    return filling, item, proposal, current


def _open_proposal(filling: Filling, proposal_id: UUID) -> Proposal:
    for proposal in filling.proposals:
        if proposal.id == proposal_id:
            return proposal
    raise StaleError(_l("This proposal is no longer open."))


def _finish(actor: Actor, proposal: Proposal, state: ProposalState) -> None:
    proposal.state = state
    proposal.ended_at = clock.now()
    proposal.ended_by_id = actor.user_id
    proposal.ended_for_id = actor.organisation_id
    db.session.flush()


def _end_proposals(filling: Filling, item: Item, state: ProposalState, *, of: UUID) -> None:
    for proposal in filling.proposals:
        if proposal.item == item.code and proposal.organisation_id == of:
            proposal.state = state
            proposal.ended_at = clock.now()
    db.session.flush()


def _record_proposal(
    verb: verbs.Verb, actor: Actor, filling: Filling, proposal: Proposal, version: int
) -> None:
    trail.record(
        verb,
        actor=actor,
        subject_type="checklist",
        subject_id=filling.checklist.id,
        cooperation_id=filling.checklist.cooperation_id,
        kind=filling.checklist.kind.value,
        item=proposal.item,
        version=version,
        organisation=actor.organisation_name,
    )


def raise_flag(actor: Actor, checklist: Checklist, item_code: str, reason: str) -> Flag:
    """Flag an item as limiting the NPM's independence or flexibility (S6, S7; product.md, 4.8)."""
    lock(checklist)
    filling = fill(checklist)
    item = _item(filling, item_code)
    policy.can_flag(actor, filling.party(_own_organisation(actor))).require()
    policy.is_open(checklist.state, None, item.code).require()
    if not reason:
        raise RuleBrokenError(_l("Say how the term limits the NPM."), REASON)
    flag = Flag(
        id=uuid4(),
        checklist_id=checklist.id,
        item=item.code,
        organisation_id=_own_organisation(actor),
        author_id=actor.user_id,
        reason=reason,
        raised_at=clock.now(),
    )
    db.session.add(flag)
    db.session.flush()
    trail.record(
        verbs.FLAG_RAISED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=item.code,
        organisation=actor.organisation_name,
    )
    return flag


def explain_flag(actor: Actor, checklist: Checklist, flag_id: UUID, explanation: str) -> None:
    """Close a flag by a named person's explanation (product.md, 4.8)."""
    lock(checklist)
    filling = fill(checklist)
    policy.can_close_flag(actor, filling.party(_own_organisation(actor))).require()
    flag = next((one for one in filling.flags if one.id == flag_id), None)
    if flag is None or flag.closed_at is not None:
        raise StaleError(_l("This flag is no longer open."))
    if not explanation:
        raise RuleBrokenError(_l("Explain why the term does not limit the NPM."), REASON)
    _close(actor, checklist, flag, explanation=explanation, how="explained")


def _close(actor: Actor, checklist: Checklist, flag: Flag, *, explanation: str, how: str) -> None:
    flag.closed_at = clock.now()
    flag.closed_by_id = actor.user_id
    flag.explanation = explanation
    db.session.flush()
    trail.record(
        verbs.FLAG_CLOSED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=flag.item,
        how=how,
    )


def confirm_review(actor: Actor, checklist: Checklist) -> SafeguardReview:
    """The second reader confirms to have read independence and flexibility (stage P2, G3)."""
    lock(checklist)
    filling = fill(checklist)
    second_reader = second_reader_of(filling)
    policy.can_review(actor, second_reader, filling.sheet.authors).require()
    policy.is_open(checklist.state, None, "M5").require()
    if filling.review is not None:
        raise RuleBrokenError(_l("The review is confirmed already."))
    if not filling.standing().is_complete:
        raise RuleBrokenError(
            _l("Read the terms when they are complete and agreed: a change would undo the review.")
        )
    review = SafeguardReview(
        id=uuid4(), checklist_id=checklist.id, reader_id=actor.user_id, reviewed_at=clock.now()
    )
    db.session.add(review)
    db.session.flush()
    trail.record(
        verbs.SAFEGUARDS_REVIEWED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
    )
    return review


def second_reader_of(filling: Filling) -> UUID | None:
    """Return the second reader that M5 names."""
    value = filling.sheet.value("M5", "second_reader")
    return UUID(value) if value else None


def lock(checklist: Checklist) -> None:
    """Keep others from changing the checklist until this transaction ends."""
    db.session.execute(
        sa.select(Checklist.id).where(Checklist.id == checklist.id).with_for_update()
    )
    db.session.refresh(checklist)


def _item(filling: Filling, code: str) -> Item:
    item = filling.template.item(code)
    if item is None:
        raise RuleBrokenError(_l("There is no such item."))
    return item


def _is_asked(filling: Filling, item: Item, organisation_id: UUID) -> bool:
    return any(
        party.organisation_id == organisation_id
        for party in completeness.accepters(item, filling.surroundings)
    )


def _own_organisation(actor: Actor) -> UUID:
    if actor.organisation_id is None:
        raise RuleBrokenError(_l("You act for no organisation."))
    return actor.organisation_id


def _owner(actor: Actor, checklist: Checklist, scope: AnswerScope) -> UUID:
    """Return whose an answer is; nobody answers for another (product.md, 4.3)."""
    match scope:
        case AnswerScope.SHARED:
            return checklist.id
        case AnswerScope.PARTY:
            return _own_organisation(actor)
        case AnswerScope.PERSON:
            return actor.user_id
