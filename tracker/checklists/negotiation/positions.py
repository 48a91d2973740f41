"""Service functions for negotiation: accept, ask to discuss, suggest a change, respond.

In one file: positions and proposals on one item change each other.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Accepts, Item
from tracker.checklists import encryption, policy
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.models import (
    Answer,
    Checklist,
    Proposal,
    ProposalState,
    Stance,
)
from tracker.checklists.negotiation import discussions, mailing
from tracker.checklists.negotiation.stored_positions import (
    add_positions,
    proposed_now,
    put_position,
)
from tracker.checklists.negotiation.text_digest import require_item_shown
from tracker.checklists.reuse import copying
from tracker.checklists.rules import completeness, party_rows
from tracker.checklists.rules.consistency import is_outdated, never_acceptable
from tracker.checklists.rules.facts import Filled
from tracker.checklists.rules.party_rows import WHOLE, AnswerPart
from tracker.checklists.rules.values import Problem, shown_only
from tracker.checklists.service import (
    REASON,
    add_version,
    after_change,
    as_seen,
    count_again,
    fitting,
    own_organisation,
    tidy_reason,
)
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError


def accept_as_shown(
    actor: Actor, checklist: Checklist, item_code: str, *, token: str, outcome: str = ""
) -> None:
    """Accept an answer as the person's page showed it, according to the page's token.

    Raise NotShownError if the answer, its columns or the template have changed since.
    """
    loaded = load_for_update(checklist)
    item = loaded.item(item_code)
    policy.can_take_position(actor, loaded.own_party(actor), item).require()
    require_item_shown(loaded, actor, item, token)
    current = loaded.sheet.shared(item_code)
    answer_id = current.answer_id if current else UUID(int=0)
    take_position(actor, checklist, item_code, Stance.ACCEPTS, answer_id=answer_id, outcome=outcome)


def require_shown(actor: Actor, checklist: Checklist, item_code: str, *, token: str) -> None:
    """Raise NotShownError unless the person's page showed the item as it is now."""
    loaded = load_for_update(checklist)
    require_item_shown(loaded, actor, loaded.item(item_code), token)


def take_position(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    stance: Stance,
    *,
    answer_id: UUID,
    reason: str = "",
    row_of: UUID | None = None,
    outcome: str = "",
) -> None:
    """Take the party's position on the answer it saw: accept it, or ask to discuss it.

    row_of is the party whose row it wants to discuss, in a table with a row for each party; None:
    all of it. outcome says what came of the party's own wish to discuss, which accepting ends (adr
    112). Wanting a change needs a proposal: see propose(). Raise RuleBrokenError for accepting an
    answer that is incomplete or has changed since.
    """
    loaded = load_for_update(checklist)
    item = loaded.item(item_code)
    policy.can_take_position(actor, loaded.own_party(actor), item).require()
    _require_at_work(loaded, item)
    current = _answer_seen(loaded, item, answer_id)
    reason = tidy_reason(reason)
    if stance is Stance.WANTS_CHANGE:
        raise RuleBrokenError(_l("Suggest the change, with its wording and the reason."))
    version = current.version
    parts = WHOLE if row_of is None else _row_of(loaded, item, current, row_of)
    copying.read_by_acting(actor, current)
    if stance is Stance.ACCEPTS:
        _require_complete(loaded, item, current)
        wishes = discussions.open_wishes(loaded, item.code, actor.organisation_id)
        discussions.put_outcome(loaded, wishes, outcome)
        _go_back_on_own_proposal(actor, loaded, item)
        answer_id, version = as_seen(actor, loaded, item, current)
    elif not reason:
        raise RuleBrokenError(_l("Say what you want to discuss."), REASON)
    put_position(loaded, item, answer_id, _taken_by(actor), stance, reason, on=parts)
    if stance is Stance.WANTS_TALK:
        mailing.note_discussion(actor, loaded, item)
    count_again(checklist, actor)
    trail.record(
        verbs.POSITION_TAKEN,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=item.code,
        version=version,
        stance=stance.value,
        organisation=actor.organisation_name,
    )


def propose(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    values: Mapping[str, Any],
    *,
    answer_id: UUID,
    reason: str,
    replies_to: UUID | None = None,
) -> Proposal:
    """Propose a change to an item, with the reason; it becomes the party's position.

    With replies_to it answers another party's open proposal with a different one. That one is then
    no longer open, so anybody who may accept or decline it may do this. Raise RuleBrokenError with
    the field of a value that could never be accepted.
    """
    loaded = load_for_update(checklist)
    item = loaded.item(item_code)
    policy.can_take_part(actor, loaded.own_party(actor)).require()
    if item.accepted_by is Accepts.NONE:
        raise RuleBrokenError(_l("This item needs no acceptance, so there is nothing to suggest."))
    _require_at_work(loaded, item)
    current = _answer_seen(loaded, item, answer_id)
    reason = tidy_reason(reason)
    if not reason:
        raise RuleBrokenError(_l("Give the reason for the change."), REASON)
    fitting_values = fitting(loaded, item, AnswerScope.SHARED, values)
    replied = _replied(actor, loaded, item, replies_to, fitting_values) if replies_to else None
    _require_acceptable(loaded, item, current, fitting_values)
    for earlier in loaded.proposals_on.get(item.code, ()):
        if earlier.organisation_id == own_organisation(actor):
            _finish(actor, earlier, ProposalState.OUTDATED)
    parts = _changed_by(loaded, item, current, fitting_values) or WHOLE
    proposal = Proposal(
        id=uuid4(),
        checklist_id=checklist.id,
        item=item.code,
        organisation_id=own_organisation(actor),
        answer_id=answer_id,
        part_ids=None if None in parts else sorted(map(str, parts)),
        replies_to_id=replied.id if replied else None,
        author_id=actor.user_id,
        made_at=clock.now(),
    )
    encryption.put_values(checklist, proposal, fitting_values)
    encryption.put_reason(checklist, proposal, reason)
    db.session.add(proposal)
    db.session.flush()
    copying.read_by_acting(actor, current)
    put_position(loaded, item, answer_id, _taken_by(actor), Stance.WANTS_CHANGE, reason, on=parts)
    mailing.note_suggestion(actor, loaded, item, replied)
    count_again(checklist)
    if replied is None:
        _record(verbs.PROPOSAL_MADE, actor, proposal, loaded, organisation=actor.organisation_name)
        return proposal
    _finish(actor, replied, ProposalState.ANSWERED)
    mailing.note_ended(loaded, {replied.id})
    _record(
        verbs.PROPOSAL_ANSWERED,
        actor,
        proposal,
        loaded,
        organisation=actor.organisation_name,
        proposed_by=replied.organisation.name,
    )
    return proposal


def accept_proposal_as_shown(
    actor: Actor, checklist: Checklist, proposal_id: UUID, *, token: str
) -> Answer:
    """Make a proposed value the answer, if the item is as the page with that token showed it.

    Raise NotShownError if the item has changed since; a proposal never changes.
    """
    loaded, item, _proposal = _proposal_to_answer(actor, checklist, proposal_id)
    require_item_shown(loaded, actor, item, token)
    return accept_proposal(actor, checklist, proposal_id)


def accept_proposal(actor: Actor, checklist: Checklist, proposal_id: UUID) -> Answer:
    """Make a proposed value the answer, accepted by both parties; the others are asked again.

    One of the two parties must be one that sets the answer: what only the NPM sets can't be changed
    between two partners (S6).
    """
    loaded, item, proposal = _proposal_to_answer(actor, checklist, proposal_id)
    values = _still_fitting(loaded, item, proposed_now(loaded, item, proposal))
    words_of = (proposal.author_id, proposal.organisation_id)
    answer = add_version(actor, loaded, item, AnswerScope.SHARED, values, written_by=words_of)
    _finish(actor, proposal, ProposalState.ACCEPTED)
    changed = after_change(actor, loaded, item, answer)
    add_positions(loaded, item, answer.id, _taken_by(actor), Stance.ACCEPTS, on=changed)
    mailing.note_answer(actor, proposal)
    mailing.note_ended(loaded, {proposal.id})
    count_again(checklist, actor)
    trail.record(
        verbs.PROPOSAL_ACCEPTED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=item.code,
        version=answer.version,
        proposed_by=proposal.organisation.name,
    )
    return answer


def turn_down_proposal_as_shown(
    actor: Actor, checklist: Checklist, proposal_id: UUID, reason: str, *, token: str
) -> None:
    """Decline a proposal, if the item is as the page with that token showed it.

    Raise NotShownError if the item has changed since.
    """
    loaded, item, _proposal = _proposal_to_answer(actor, checklist, proposal_id)
    require_item_shown(loaded, actor, item, token)
    turn_down_proposal(actor, checklist, proposal_id, reason)


def turn_down_proposal(actor: Actor, checklist: Checklist, proposal_id: UUID, reason: str) -> None:
    """Decline a proposal with a reason; the answer and all positions stay as they are.

    Whoever may accept it may decline it: nobody can end what another side has to answer.
    """
    loaded, _item, proposal = _proposal_to_answer(actor, checklist, proposal_id)
    reason = tidy_reason(reason)
    if not reason:
        raise RuleBrokenError(_l("Say why you decline it."), REASON)
    encryption.put_ended_reason(checklist, proposal, reason)
    _finish(actor, proposal, ProposalState.TURNED_DOWN)
    mailing.note_answer(actor, proposal)
    mailing.note_ended(loaded, {proposal.id})
    count_again(checklist, actor)
    _record(
        verbs.PROPOSAL_TURNED_DOWN, actor, proposal, loaded, proposed_by=proposal.organisation.name
    )


def withdraw_proposal(actor: Actor, checklist: Checklist, proposal_id: UUID) -> None:
    """Withdraw a proposal of the actor's party."""
    loaded = load_for_update(checklist)
    loaded.goes_on().require()
    proposal = _open_proposal(loaded, proposal_id)
    policy.can_take_part(actor, loaded.own_party(actor)).require()
    if proposal.organisation_id != actor.organisation_id:
        raise RuleBrokenError(_l("Only the party that made a suggestion can withdraw it."))
    _take_back(actor, loaded, proposal)
    count_again(checklist, actor)


def _go_back_on_own_proposal(actor: Actor, loaded: LoadedChecklist, item: Item) -> None:
    """Withdraw the party's own proposal: accepting the answer means that no change is wanted."""
    for proposal in loaded.proposals_on.get(item.code, ()):
        if proposal.organisation_id == actor.organisation_id:
            _take_back(actor, loaded, proposal)


def _take_back(actor: Actor, loaded: LoadedChecklist, proposal: Proposal) -> None:
    _finish(actor, proposal, ProposalState.WITHDRAWN)
    mailing.note_ended(loaded, {proposal.id})
    _record(verbs.PROPOSAL_WITHDRAWN, actor, proposal, loaded, organisation=actor.organisation_name)


def _replied(
    actor: Actor, loaded: LoadedChecklist, item: Item, proposal_id: UUID, values: Mapping[str, Any]
) -> Proposal:
    """Return the open proposal being replied to; raise StaleError if there is none.

    A reply with the same value is refused: it should be accepted instead.
    """
    proposal = _open_proposal(loaded, proposal_id)
    if proposal.item != item.code:
        raise StaleError(_l("This suggestion is no longer open."))
    _require_other_side(actor, loaded, item, proposal)
    if values == encryption.values_of(loaded.checklist.cooperation_id, proposal):
        raise RuleBrokenError(_l("This is what was suggested. Accept it instead."))
    return proposal


def _require_other_side(
    actor: Actor, loaded: LoadedChecklist, item: Item, proposal: Proposal
) -> None:
    """Refuse a reply to the party's own proposal, or to one that other parties must answer (S6)."""
    if proposal.organisation_id == actor.organisation_id:
        raise RuleBrokenError(_l("This is your own suggestion; the other side has to answer it."))
    policy.can_agree_on(
        item, loaded.own_party(actor), loaded.party(proposal.organisation_id)
    ).require()


def _taken_by(actor: Actor) -> tuple[UUID, UUID]:
    return actor.user_id, own_organisation(actor)


def _require_at_work(loaded: LoadedChecklist, item: Item) -> None:
    loaded.require_shown(item)
    loaded.require_open(item)


def _answer_seen(loaded: LoadedChecklist, item: Item, answer_id: UUID) -> Filled:
    """Return the current answer, which must be the one the person saw."""
    current = loaded.sheet.shared(item.code)
    if current is None or current.is_empty:
        raise RuleBrokenError(_l("There is no answer yet. Write one."))
    if current.answer_id != answer_id:
        raise StaleError(_l("The answer changed while you were reading. Look at it again."))
    return current


def _row_of(
    loaded: LoadedChecklist, item: Item, answer: Filled, row_of: UUID
) -> frozenset[AnswerPart]:
    """Return the part that is a party's row; raise RuleBrokenError if it has none."""
    parts = party_rows.parts_of_answer(item, answer, loaded.sheet, loaded.surroundings)
    if row_of not in parts:
        raise RuleBrokenError(_l("Choose what you want to discuss."), "row_of")
    return frozenset({row_of})


def _changed_by(
    loaded: LoadedChecklist, item: Item, answer: Filled, values: Mapping[str, Any]
) -> frozenset[AnswerPart]:
    """Return the parts of the current answer that other values change; WHOLE if it has no rows."""
    if item.party_table is None or answer.not_applicable:
        return WHOLE
    around = (loaded.sheet, loaded.surroundings)
    return party_rows.changed(
        party_rows.parts_of_answer(item, answer, *around),
        party_rows.parts_of(item, values, *around),
    )


def _require_complete(loaded: LoadedChecklist, item: Item, answer: Filled) -> None:
    problems = completeness.obstacles_to_accepting(
        item,
        completeness.answer_problems(
            item, AnswerScope.SHARED, answer, loaded.sheet, loaded.surroundings
        ),
    )
    if problems:
        raise RuleBrokenError(
            _l("The answer isn't complete yet: %(problem)s", problem=problems[0].message)
        )


def _require_acceptable(
    loaded: LoadedChecklist, item: Item, current: Filled, values: Mapping[str, Any]
) -> None:
    """Raise RuleBrokenError for values that nobody could accept instead of the current answer."""
    wrong = never_acceptable(item, values, loaded.surroundings, loaded.sheet)
    if wrong is not None:
        raise RuleBrokenError(wrong.message, wrong.field)
    problems = _incomplete(loaded, item, values)
    if problems:
        raise RuleBrokenError(
            _l("Your suggestion isn't complete: %(problem)s", problem=problems[0].message),
            problems[0].field,
        )
    standing = shown_only(item.fields_of(AnswerScope.SHARED), current.values)
    is_same = values == standing and not current.not_applicable
    if is_same and not is_outdated(item.code, current, loaded.surroundings):
        raise RuleBrokenError(_l("That's the same wording as before. Change something."))


def _incomplete(
    loaded: LoadedChecklist, item: Item, values: Mapping[str, Any]
) -> tuple[Problem, ...]:
    """Return why values could not be accepted as an answer yet."""
    return completeness.obstacles_to_accepting(
        item,
        completeness.value_problems(
            item, AnswerScope.SHARED, values, loaded.sheet, loaded.surroundings
        ),
    )


def _still_fitting(
    loaded: LoadedChecklist, item: Item, proposed: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a proposal's values as they currently apply.

    Raise RuleBrokenError if it names people who have left, or is incomplete.
    """
    values = fitting(loaded, item, AnswerScope.SHARED, proposed)
    problems = _incomplete(loaded, item, values)
    if problems:
        raise RuleBrokenError(
            _l("The suggestion isn't complete: %(problem)s", problem=problems[0].message)
        )
    return values


def _proposal_to_answer(
    actor: Actor, checklist: Checklist, proposal_id: UUID
) -> tuple[LoadedChecklist, Item, Proposal]:
    loaded = load_for_update(checklist)
    proposal = _open_proposal(loaded, proposal_id)
    item = loaded.item(proposal.item)
    policy.can_take_part(actor, loaded.own_party(actor)).require()
    _require_at_work(loaded, item)
    _require_other_side(actor, loaded, item, proposal)
    current = loaded.sheet.shared(item.code)
    # A proposal for some parts ends when one of them changes.
    is_whole = proposal.part_ids is None
    if current is None or (is_whole and current.answer_id != proposal.answer_id):
        raise StaleError(_l("The answer changed after this was suggested."))
    return loaded, item, proposal


def _open_proposal(loaded: LoadedChecklist, proposal_id: UUID) -> Proposal:
    for proposal in loaded.proposals:
        if proposal.id == proposal_id:
            return proposal
    raise StaleError(_l("This suggestion is no longer open."))


def _finish(actor: Actor, proposal: Proposal, state: ProposalState) -> None:
    proposal.state = state
    proposal.ended_at = clock.now()
    proposal.ended_by_id = actor.user_id
    proposal.ended_for_id = actor.organisation_id
    db.session.flush()


def _record(
    verb: verbs.Verb, actor: Actor, proposal: Proposal, loaded: LoadedChecklist, **whose: str
) -> None:
    current = loaded.sheet.shared(proposal.item)
    trail.record(
        verb,
        actor=actor,
        subject_type="checklist",
        subject_id=loaded.checklist.id,
        cooperation_id=loaded.checklist.cooperation_id,
        kind=loaded.checklist.kind.value,
        item=proposal.item,
        version=current.version if current else 0,
        **whose,
    )
