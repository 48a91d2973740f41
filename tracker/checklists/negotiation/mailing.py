"""Mails about what happens on a checklist, collected and sent once it is quiet there.

A verb notes in its own transaction what happened, and for which party. The worker mails the people
of that party who can act: one mail for each reason, however often it happened, and none if it no
longer holds, because somebody of the party has done it or it was taken back (adr 103).
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID, uuid4

import sqlalchemy as sa

from tracker.access.actor import Actor, Role
from tracker.accounts import queries as accounts
from tracker.checklist_templates.schema import Item
from tracker.checklists import encryption, messages, policy, queries
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    Flag,
    MailReason,
    PendingMail,
    Position,
    Proposal,
    Stance,
)
from tracker.checklists.rules import completeness
from tracker.core import clock
from tracker.core.db import db

# How long it has to be quiet on a checklist before a party is mailed, and the longest wait for it.
QUIET = dt.timedelta(minutes=10)
LONGEST = dt.timedelta(hours=1)
# What somebody can only do while the text is being drafted.
_OF_DRAFTS = frozenset(MailReason) - {MailReason.FLAG_ANSWERED, MailReason.SUGGESTION_ANSWERED}
_MESSAGES = {
    MailReason.FLAG_RAISED: messages.flag_raised,
    MailReason.FLAG_ANSWERED: messages.flag_answered,
    MailReason.SUGGESTION_MADE: messages.suggestion_made,
    MailReason.SUGGESTION_ANSWERED: messages.suggestion_answered,
    MailReason.DISCUSSION_WISHED: messages.discussion_wished,
    MailReason.ITEM_REOPENED: messages.item_reopened,
    MailReason.READY_TO_SEND: messages.ready_to_send,
}

# What happened -----------------------------------------------------------------------------------


def note_suggestion(
    actor: Actor, loaded: LoadedChecklist, item: Item, replied: Proposal | None
) -> None:
    """Note a suggestion for the parties that can answer it, and for the one it replies to."""
    own = loaded.own_party(actor)
    answering = [
        party.organisation_id
        for party in loaded.parties
        if party != own and policy.can_agree_on(item, party, own)
    ]
    if replied is not None:
        note_answer(actor, replied)
        answering = [party_id for party_id in answering if party_id != replied.organisation_id]
    _note(MailReason.SUGGESTION_MADE, actor.user_id, loaded.checklist.id, answering, item.code)


def note_answer(actor: Actor, proposal: Proposal) -> None:
    """Note for a suggestion's party that it was accepted, declined or answered by another one."""
    party_ids = [proposal.organisation_id]
    reason = MailReason.SUGGESTION_ANSWERED
    _note(reason, actor.user_id, proposal.checklist_id, party_ids, proposal.item)


def note_ended(loaded: LoadedChecklist, proposal_ids: Collection[UUID]) -> None:
    """Mark as read what told people of suggestions, once none of another party is left.

    proposal_ids are those that have ended; loaded is the checklist as it was before.
    """
    left = [proposal for proposal in loaded.proposals if proposal.id not in proposal_ids]
    if not left:
        messages.no_suggestion_is_left(loaded.checklist.id)
        return
    suggesting = {proposal.organisation_id for proposal in left}
    # Those who take part for the only party whose suggestions are left have nothing to answer.
    free = {
        person.user_id
        for person in loaded.people.values()
        if suggesting == {person.organisation_id}
    }
    if free:
        messages.no_suggestion_is_left(loaded.checklist.id, free)


def note_talks_ended(loaded: LoadedChecklist) -> None:
    """Mark as read what told people of wishes to discuss, once none of another party is left.

    loaded is the checklist as it was before some of them ended.
    """
    left = set(
        db.session.scalars(
            sa.select(Position.organisation_id)
            .where(
                Position.checklist_id == loaded.checklist.id,
                Position.is_current,
                Position.stance == Stance.WANTS_TALK,
            )
            .distinct()
        )
    )
    if not left:
        messages.no_wish_to_discuss_is_left(loaded.checklist.id)
    elif len(left) == 1 and (own := _people_of(loaded, *left)):
        messages.no_wish_to_discuss_is_left(loaded.checklist.id, own)


def note_flags_closed(checklist_id: UUID) -> None:
    """Mark as read what told people of flags, once none is open."""
    still_open = sa.exists().where(Flag.checklist_id == checklist_id, Flag.closed_at.is_(None))
    if not db.session.scalar(sa.select(still_open)):
        messages.no_flag_is_left(checklist_id)


def note_accepted(loaded: LoadedChecklist, party_id: UUID) -> None:
    """Mark as read what told a party's people of changed items, once it has accepted all answers.

    loaded is the checklist as it is now.
    """
    is_left = any(
        party_id in status.waiting_for and loaded.sheet.shared(code) is not None
        for code, status in loaded.standing().items.items()
    )
    if not is_left:
        messages.no_changed_item_is_left(loaded.checklist.id, _people_of(loaded, party_id))


def _people_of(loaded: LoadedChecklist, party_id: UUID) -> set[UUID]:
    """Return who takes part for a party, and all of its coordinators."""
    return {
        *accounts.people_with_role([party_id], {Role.COORDINATOR}),
        *(
            person.user_id
            for person in loaded.people.values()
            if person.organisation_id == party_id
        ),
    }


def note_discussion(actor: Actor, loaded: LoadedChecklist, item: Item) -> None:
    """Note for the other parties that an item concerns that one party asks to discuss it."""
    others = [
        party_id
        for party_id in _others(actor, loaded)
        if completeness.concerns(party_id, item, loaded.surroundings)
    ]
    _note(MailReason.DISCUSSION_WISHED, actor.user_id, loaded.checklist.id, others, item.code)


def note_reopened(
    actor: Actor | None, loaded: LoadedChecklist, item_codes: Collection[str]
) -> None:
    """Note for parties that had accepted items that they changed; loaded is as it was before."""
    accepting = {
        (row.organisation_id, code)
        for code in item_codes
        for row in loaded.all_positions_on.get(code, ())
        if row.stance is Stance.ACCEPTS
    }
    own = actor.organisation_id if actor else None
    for party_id, code in sorted(accepting):
        if party_id != own:
            author_id = actor.user_id if actor else None
            _note(MailReason.ITEM_REOPENED, author_id, loaded.checklist.id, [party_id], code)


def note_flag(author_id: UUID | None, loaded: LoadedChecklist, item_code: str) -> None:
    """Note a flag for all parties: the NPM explains it, and each can change or discuss the item.

    So for the side that raised it too: the NPM's second reader flags what its coordinators explain.
    """
    party_ids = [party.organisation_id for party in loaded.parties]
    _note(MailReason.FLAG_RAISED, author_id, loaded.checklist.id, party_ids, item_code)


def note_flag_answer(actor: Actor, flag: Flag) -> None:
    """Note for the party that raised a flag that somebody closed it; a rule has no party."""
    if flag.organisation_id is not None:
        party_ids = [flag.organisation_id]
        reason = MailReason.FLAG_ANSWERED
        _note(reason, actor.user_id, flag.checklist_id, party_ids, flag.item)


def note_ready(actor: Actor | None, loaded: LoadedChecklist) -> None:
    """Note for all parties that nothing keeps a text from being sent for signature."""
    author_id = actor.user_id if actor else None
    party_ids = [party.organisation_id for party in loaded.parties]
    _note(MailReason.READY_TO_SEND, author_id, loaded.checklist.id, party_ids)


def _others(actor: Actor, loaded: LoadedChecklist) -> list[UUID]:
    return [
        party.organisation_id
        for party in loaded.parties
        if party.organisation_id != actor.organisation_id
    ]


def _note(
    reason: MailReason,
    author_id: UUID | None,
    checklist_id: UUID,
    party_ids: Iterable[UUID],
    item_code: str = "",
) -> None:
    db.session.add_all(
        PendingMail(
            id=uuid4(),
            checklist_id=checklist_id,
            organisation_id=party_id,
            reason=reason,
            item=item_code,
            actor_id=author_id,
            at=clock.now(),
        )
        for party_id in party_ids
    )


# Who is mailed ------------------------------------------------------------------------------------


class DueMails(NamedTuple):
    """A checklist, and the party whose people may have to be mailed about it."""

    checklist_id: UUID
    organisation_id: UUID


def due(_day: dt.date) -> list[DueMails]:
    """Return where something happened that was not mailed within the quiet time."""
    # By time, so that only what is old enough is read; each party of a checklist counts once.
    rows = db.session.execute(
        sa.select(PendingMail.checklist_id, PendingMail.organisation_id)
        .where(PendingMail.at <= clock.now() - QUIET)
        .order_by(PendingMail.at)
    )
    return list(dict.fromkeys(DueMails(*row) for row in rows))


def send(due: DueMails, _day: dt.date) -> bool:
    """Mail a party about what happened on a checklist; return whether anybody was mailed.

    Not while things still happen there, for LONGEST at most. For the worker; skips locked rows.
    """
    rows = db.session.scalars(
        sa.select(PendingMail)
        .where(
            PendingMail.checklist_id == due.checklist_id,
            PendingMail.organisation_id == due.organisation_id,
        )
        .order_by(PendingMail.at, PendingMail.id)
        .with_for_update(skip_locked=True)
    ).all()
    now = clock.now()
    if not rows or (rows[-1].at > now - QUIET and rows[0].at > now - LONGEST):
        return False
    db.session.execute(
        sa.delete(PendingMail)
        .where(PendingMail.id.in_([row.id for row in rows]))
        .execution_options(synchronize_session=False)
    )
    loaded = load(db.session.get_one(Checklist, due.checklist_id))
    if loaded.party(due.organisation_id) is None or not loaded.goes_on():
        return False
    people = _people(loaded.checklist, due.organisation_id)
    was_mailed = False
    for reason in MailReason:
        noted = [row for row in rows if row.reason is reason]
        if not noted or not _holds(reason, loaded, due.organisation_id, noted):
            continue
        authors = {row.actor_id for row in noted}
        recipients = {
            user_id
            for user_id, roles in people.items()
            if _can_act(reason, loaded, due.organisation_id, roles) and authors != {user_id}
        }
        _MESSAGES[reason](due.checklist_id, recipients)
        was_mailed = was_mailed or bool(recipients)
    return was_mailed


def _people(checklist: Checklist, organisation_id: UUID) -> Mapping[UUID, frozenset[Role]]:
    """Return the people of a party who can open a checklist and act on it, with their roles.

    Also its coordinators who don't take part yet: they can. Of a visit nobody but its people.
    """
    coordinator = frozenset({Role.COORDINATOR})
    coordinator_ids = (
        set[UUID]()
        if encryption.is_restricted(checklist)
        else accounts.people_with_role([organisation_id], coordinator)
    )
    return dict.fromkeys(coordinator_ids, coordinator) | {
        person.user_id: person.roles
        for person in queries.writers(checklist)
        if person.organisation_id == organisation_id
    }


def _can_act(
    reason: MailReason, loaded: LoadedChecklist, organisation_id: UUID, roles: frozenset[Role]
) -> bool:
    party = loaded.party(organisation_id)
    if reason is MailReason.READY_TO_SEND:
        return not roles.isdisjoint(policy.SENDERS)
    if reason is MailReason.FLAG_RAISED and party is not None and party.is_of_npm:
        return not roles.isdisjoint(policy.FLAG_CLOSERS)
    return True


def _holds(
    reason: MailReason, loaded: LoadedChecklist, own: UUID, noted: Sequence[PendingMail]
) -> bool:
    """Return whether there is still reason to mail a party."""
    if reason in _OF_DRAFTS and loaded.checklist.state is not ChecklistState.DRAFTING:
        return False
    if reason is MailReason.READY_TO_SEND:
        return bool(loaded.checklist.is_ready_to_send)
    since = {row.item: row.at for row in noted}
    return any(_holds_on(reason, loaded, own, code, since[code]) for code in since)


def _holds_on(
    reason: MailReason, loaded: LoadedChecklist, own: UUID, code: str, since: dt.datetime
) -> bool:
    match reason:
        case MailReason.SUGGESTION_MADE:
            open_proposals = loaded.proposals_on.get(code, ())
            return any(proposal.organisation_id != own for proposal in open_proposals)
        case MailReason.FLAG_RAISED:
            return code in loaded.flagged
        case MailReason.DISCUSSION_WISHED:
            return not _has_acted(loaded, own, code, since) and any(
                row.stance is Stance.WANTS_TALK and row.organisation_id != own
                for row in loaded.all_positions_on.get(code, ())
            )
        case MailReason.ITEM_REOPENED:
            status = loaded.standing().items.get(code)
            return status is not None and own in status.waiting_for
        case MailReason.SUGGESTION_ANSWERED:
            return not _has_acted(loaded, own, code, since)
        case _:
            return True


def _has_acted(loaded: LoadedChecklist, own: UUID, code: str, since: dt.datetime) -> bool:
    """Return whether somebody of a party has acted on an item since a moment, so has seen it."""
    moments = [
        row.taken_at for row in loaded.all_positions_on.get(code, ()) if row.organisation_id == own
    ]
    moments += [
        proposal.made_at
        for proposal in loaded.proposals_on.get(code, ())
        if proposal.organisation_id == own
    ]
    answer = loaded.sheet.shared(code)
    if answer is not None and answer.organisation_id == own:
        moments.append(answer.saved_at)
    return any(moment > since for moment in moments)
