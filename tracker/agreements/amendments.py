"""Calling off an open amendment, which restores the answers of the text in force.

Nothing that was negotiated is deleted: the earlier answers are added as new versions in the names
of their authors, and what the parties had accepted counts again.

In one file: calling off an amendment takes back what opening it and working on it changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.agreements import evidence, frozen_text
from tracker.agreements import service as agreements
from tracker.agreements.service import SUBJECT
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Part
from tracker.checklists import encryption, messages, policy, service
from tracker.checklists.loading import LoadedChecklist, load, load_for_update
from tracker.checklists.models import Answer, Checklist, ChecklistState, Position, Stance
from tracker.checklists.negotiation import safeguards, stored_positions
from tracker.checklists.obstacles import item_names
from tracker.checklists.rules.facts import AnswerKey, Filled
from tracker.cooperations import people
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision


@dataclass(frozen=True)
class _Signed:
    """A checklist's answers when the text in force was frozen, compared with the current ones."""

    revision: Revision
    document: Mapping[str, Any]
    # The parties bound by the text in force: those it names, or their successors.
    parties: frozenset[UUID]
    # The answers at that time; None if there was none.
    answers: Mapping[AnswerKey, Answer | None]
    # The answers that have changed since.
    changed: tuple[AnswerKey, ...]

    @property
    def changed_items(self) -> frozenset[str]:
        """The items whose shared answer has changed since."""
        return frozenset(code for code, scope, _id in self.changed if scope is AnswerScope.SHARED)


def can_call_off(actor: Actor, loaded: LoadedChecklist) -> Decision:
    """Decide whether a person may call off the open amendment of a text now."""
    may = may_call_off(actor, loaded)
    return _has_way_back(actor, loaded, _signed(loaded)) if may else may


def items_going_back(loaded: LoadedChecklist) -> list[str]:
    """Return the items whose answers would be restored if an open amendment were called off."""
    if loaded.checklist.revision_in_force_id is None:
        return []
    return _in_order(loaded, _signed(loaded).changed)


def call_off(actor: Actor, checklist: Checklist, *, reason: str) -> None:
    """Call off the open amendment of a text in force, with a reason, and notify all parties.

    Raise RefusedError if the person may not, or if the answers can't be restored; RuleBrokenError
    without a reason.
    """
    loaded = load_for_update(checklist)
    may_call_off(actor, loaded).require()
    signed = _signed(loaded)
    _has_way_back(actor, loaded, signed).require()
    if not reason.strip():
        raise RuleBrokenError(_l("Give the reason."), "reason")
    recipients = agreements.everyone(loaded) - {actor.user_id}
    _call_off(actor, loaded, signed, reason.strip())
    messages.amendment_was_called_off(checklist.id, recipients)


def call_off_all(actor: Actor | None, cooperation_id: UUID, reason: str) -> None:
    """Call off the open amendments of a cooperation that has ended, without a mail of their own.

    Of its own texts in force: those of its visits stop with the visits. Where answers can't go back
    to what was signed, since the checklist was moved to a newer version, they stay as they are. A
    text that disagrees with its signatures and events is left alone: no event may be based on it,
    and it holds up no end.
    """
    being_amended = db.session.scalars(
        sa.select(Checklist)
        .where(
            Checklist.cooperation_id == cooperation_id,
            Checklist.visit_id.is_(None),
            Checklist.state == ChecklistState.DRAFTING,
            Checklist.revision_in_force_id.is_not(None),
        )
        .order_by(Checklist.id)
    )
    for checklist in being_amended.all():
        if not evidence.look(checklist).agrees:
            continue
        loaded = load_for_update(checklist)
        signed = _signed(loaded)
        _call_off(actor, loaded, signed, reason, goes_back=_is_of_same_version(loaded, signed))


def _call_off(
    actor: Actor | None,
    loaded: LoadedChecklist,
    signed: _Signed,
    reason: str,
    *,
    goes_back: bool = True,
) -> None:
    checklist = loaded.checklist
    if goes_back:
        answers_now = _put_answers_back(actor, loaded, signed)
        _put_positions_back(loaded, signed, answers_now)
        _close_flags(actor, loaded, signed)
    if len(signed.parties) < len(loaded.parties):
        service.set_parties(
            checklist,
            (
                party.organisation_id
                for party in loaded.parties
                if party.organisation_id in signed.parties
            ),
        )
    checklist.state = ChecklistState.IN_FORCE
    checklist.open_items = None
    encryption.put_reason(checklist, checklist, "")
    db.session.flush()
    service.count_again(checklist)
    trail.record(
        verbs.AMENDMENT_CALLED_OFF,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=signed.revision.number,
        items=_in_order(loaded, signed.changed) if goes_back else [],
        reason=reason,
    )


def may_call_off(actor: Actor, loaded: LoadedChecklist) -> Decision:
    """Decide the same without reading the text in force, for pages that link to the action."""
    return policy.can_call_off_amendment(
        actor,
        loaded.own_party(actor),
        loaded.checklist,
        is_restricted=encryption.is_restricted(loaded.checklist),
        has_newcomer=loaded.has_newcomer,
    )


def _has_way_back(actor: Actor, loaded: LoadedChecklist, signed: _Signed) -> Decision:
    """Decide whether the text binds the actor's party, and its answers can be restored."""
    if actor.organisation_id not in signed.parties:
        return no(
            _l("Your organisation isn't a party of the text in force, only of the amendment.")
        )
    if not _is_of_same_version(loaded, signed):
        return no(
            _l(
                "This checklist was moved to a newer version with the amendment, so its answers "
                "can't go back to the text in force. Agree on the changes and sign them."
            )
        )
    flagged = [
        code
        for code in loaded.template.by_code
        if code in loaded.flagged and code not in signed.changed_items
    ]
    if flagged:
        return no(
            _l(
                "There's an open flag on words of the text in force: %(items)s. Explain them "
                "first, or change them by the amendment.",
                items=item_names(loaded, flagged),
            )
        )
    return YES


def _is_of_same_version(loaded: LoadedChecklist, signed: _Signed) -> bool:
    """Return whether the checklist is of the version that was signed."""
    return frozen_text.template_version_of(signed.document) == loaded.checklist.template.version


# What was signed ----------------------------------------------------------------------------------


def _signed(loaded: LoadedChecklist) -> _Signed:
    checklist = loaded.checklist
    revision = db.session.get_one(Revision, checklist.revision_in_force_id)
    document = signoff.document_of(revision, encryption.key_for(checklist))
    parties = _bound(loaded, document)
    answers = _answers_then(loaded, revision, document, parties)
    changed = tuple(
        key
        for key, before in answers.items()
        if not _says_the_same(checklist, before, loaded.sheet.answers.get(key))
    )
    return _Signed(revision, document, parties, answers, changed)


def _bound(loaded: LoadedChecklist, document: Mapping[str, Any]) -> frozenset[UUID]:
    """Return the parties of the checklist that a text names, or that succeeded one it names."""
    named = {UUID(party["id"]) for party in document["parties"]}
    return frozenset(
        party.organisation_id
        for party in loaded.parties
        if not named.isdisjoint(people.bodies(loaded.cooperation, party.organisation_id))
    )


def _answers_then(
    loaded: LoadedChecklist,
    revision: Revision,
    document: Mapping[str, Any],
    parties: frozenset[UUID],
) -> dict[AnswerKey, Answer | None]:
    """Return the answers to signed items as they were when a text was frozen.

    For answers in the text, that is the version it names. For the others, which were hidden or not
    agreed, it is the last version saved before the text was frozen.
    """
    checklist = loaded.checklist
    owners = {checklist.id, *parties}
    versions: dict[AnswerKey, list[Answer]] = {}
    for row in db.session.scalars(
        sa.select(Answer)
        .where(Answer.checklist_id == checklist.id, Answer.scope != AnswerScope.PERSON)
        .order_by(Answer.version)
    ):
        item = loaded.template.item(row.item)
        if item is not None and item.part is Part.TERMS and row.owner_id in owners:
            versions.setdefault((row.item, row.scope, row.owner_id), []).append(row)
    named = versions_in(document)
    answers: dict[AnswerKey, Answer | None] = {}
    for key, rows in versions.items():
        code, scope, owner_id = key
        number = named.get((code, None if scope is AnswerScope.SHARED else owner_id))
        before = [
            row
            for row in rows
            if (row.saved_at <= revision.frozen_at if number is None else row.version == number)
        ]
        answers[key] = before[-1] if before else None
    return answers


def versions_in(document: Mapping[str, Any]) -> dict[tuple[str, UUID | None], int]:
    """Return the version of each answer, by item and party (None for a shared answer)."""
    # In the first format, a party's answer is stored under the party's name.
    ids = {"": None} | {party["name"]: party["id"] for party in document["parties"]}
    return {
        (item["code"], UUID(party) if (party := ids.get(answer["by"], answer["by"])) else None): (
            answer["version"]
        )
        for section in document["sections"]
        for item in section["items"]
        for answer in item["answers"]
    }


def _says_the_same(checklist: Checklist, before: Answer | None, now: Filled | None) -> bool:
    if now is None or before is None:
        return (now is None or now.is_empty) and before is None
    values = encryption.values_of(checklist.cooperation_id, before)
    return (values, before.not_applicable) == (dict(now.values), now.not_applicable)


# Restoring ----------------------------------------------------------------------------------------


def _put_answers_back(
    actor: Actor | None, loaded: LoadedChecklist, signed: _Signed
) -> dict[str, UUID | None]:
    """Restore the signed value of each answer that has changed, as a new version.

    Return the current shared answer of each item afterwards. Where nothing was signed, the answer
    becomes empty: by the actor or, without one, by whoever wrote what goes.
    """
    rows = []
    for key in signed.changed:
        before, now = signed.answers[key], loaded.sheet.answers.get(key)
        row = service.version_by(
            _author(actor, before, now),
            loaded,
            key,
            encryption.values_of(loaded.checklist.cooperation_id, before) if before else {},
            left_out=before.not_applicable if before else False,
        )
        # The author is known from the earlier version, unless that one was taken over or copied.
        row.taken_over = True
        rows.append(row)
    if rows:
        service.keep_versions(loaded, rows)
        safeguards.void_review(loaded)
    standing = {
        code: answer.answer_id
        for (code, scope, _id), answer in loaded.sheet.answers.items()
        if scope is AnswerScope.SHARED
    }
    return {**standing, **{row.item: row.id for row in rows if row.scope is AnswerScope.SHARED}}


def _author(actor: Actor | None, before: Answer | None, now: Filled | None) -> tuple[UUID, UUID]:
    if before is None and actor is not None:
        return actor.user_id, service.own_organisation(actor)
    row = before or now
    if row is None:  # nothing has changed then
        raise LookupError
    return row.author_id, row.organisation_id


def _put_positions_back(
    loaded: LoadedChecklist, signed: _Signed, answers_now: Mapping[str, UUID | None]
) -> None:
    """Restore the parties' acceptances of what was signed, and end all other discussion of it."""
    before = {
        code: row.id if row else None
        for (code, scope, _id), row in signed.answers.items()
        if scope is AnswerScope.SHARED
    }
    accepted = _acceptances({*before.values(), *answers_now.values()} - {None})
    in_parts = _acceptances_of_rows(loaded)
    wanted: dict[str, dict[UUID, Position]] = {
        code: {
            party_id: position
            for party_id in signed.parties
            if (
                position := accepted.get((answers_now.get(code), party_id))
                or accepted.get((answer_id, party_id))
                or in_parts.get((code, party_id))
            )
        }
        for code, answer_id in before.items()
    }
    unsettled = {
        code: positions
        for code, positions in wanted.items()
        if code in signed.changed_items or _is_unsettled(loaded, code, positions.values())
    }
    stored_positions.end_talks(loaded, unsettled.keys())
    for code, positions in unsettled.items():
        for party_id, position in positions.items():
            answer_id = answers_now[code]
            if (position.answer_id, position.part_id) == (answer_id, None):
                position.is_current = True
            elif answer_id is not None:
                stored_positions.put_position(
                    loaded,
                    loaded.template.by_code[code],
                    answer_id,
                    (position.author_id, party_id),
                    Stance.ACCEPTS,
                )
    db.session.flush()


def _acceptances(answer_ids: Iterable[UUID | None]) -> dict[tuple[UUID | None, UUID], Position]:
    """Return the last acceptance of each whole answer by each party."""
    rows = db.session.scalars(
        sa.select(Position)
        .where(
            Position.answer_id.in_(list(answer_ids)),
            Position.part_id.is_(None),
            Position.stance == Stance.ACCEPTS,
        )
        .order_by(Position.taken_at, Position.id)
    )
    return {(row.answer_id, row.organisation_id): row for row in rows}


def _acceptances_of_rows(loaded: LoadedChecklist) -> dict[tuple[str, UUID], Position]:
    """Return the last acceptance by each party in items with a row for each party.

    What was signed had been accepted by all, there perhaps row by row and in several versions.
    """
    codes = [item.code for item in loaded.template.items if item.party_table]
    rows = db.session.scalars(
        sa.select(Position)
        .where(
            Position.checklist_id == loaded.checklist.id,
            Position.item.in_(codes),
            Position.stance == Stance.ACCEPTS,
        )
        .order_by(Position.taken_at, Position.id)
    )
    return {(row.item, row.organisation_id): row for row in rows}


def _is_unsettled(loaded: LoadedChecklist, code: str, accepted: Iterable[Position]) -> bool:
    """Return whether any party wants a change to an answer that is already as signed."""
    counts = {position.id for position in loaded.all_positions_on.get(code, ())}
    return code in loaded.proposals_on or counts != {position.id for position in accepted}


def _close_flags(actor: Actor | None, loaded: LoadedChecklist, signed: _Signed) -> None:
    for code in _in_order(loaded, signed.changed):
        if code in signed.changed_items:
            safeguards.close_for_change(actor, loaded, loaded.template.by_code[code])
    safeguards.close_by_rules(load(loaded.checklist))


def _in_order(loaded: LoadedChecklist, keys: Iterable[AnswerKey]) -> list[str]:
    codes = {code for code, _scope, _id in keys}
    return [item.code for item in loaded.template.items if item.code in codes]
