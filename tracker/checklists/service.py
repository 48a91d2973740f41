"""Service functions for filling in: start a checklist, save an answer, update its counts.

In one file: starting, saving and counting update the same rows and loaded values together.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.service import DomainEvent
from tracker.activity.stale import Stale, mark
from tracker.checklist_templates import library
from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Item, Part
from tracker.checklists import encryption, messages, misnamed, obstacles, parts, policy
from tracker.checklists.loading import LoadedChecklist, load, load_for_update
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistParty,
    ChecklistState,
)
from tracker.checklists.negotiation import mailing, safeguards
from tracker.checklists.negotiation.stored_positions import (
    accept_by_writing,
    end_talks,
    reopen_changed,
)
from tracker.checklists.negotiation.text_digest import shows_the_same
from tracker.checklists.reuse import copy_marks
from tracker.checklists.rules import completeness, party_rows
from tracker.checklists.rules.consistency import TIES
from tracker.checklists.rules.facts import AnswerKey, Filled, PartyFact
from tracker.checklists.rules.party_rows import AnswerPart
from tracker.checklists.rules.values import check_types, shown_only
from tracker.cooperations import people as cooperation_people
from tracker.cooperations.models import CooperationPerson, Mode, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.notifications import service as notifications

REASON = "reason"
MAX_REASON = 2000
# What is stored for each party, to be found without loading its checklist.
_PARTY_COUNTS = ("waiting_count", "unread_count", "to_accept_count")
# How a person without an account confirmed something, beside what they confirmed. No field has a
# key with a hyphen.
HOW = "recorded-how"


def start(
    actor: Actor | None,
    cooperation_id: UUID,
    kind: ChecklistKind,
    organisation_ids: Iterable[UUID],
    visit_id: UUID | None = None,
    visit_number: int | None = None,
) -> Checklist:
    """Start a checklist on the newest template, for the parties that have to agree to it."""
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
    count_again(checklist)
    return checklist


def set_parties(checklist: Checklist, organisation_ids: Iterable[UUID]) -> None:
    """Set the parties of a checklist; new ones still have to accept everything."""
    _put_parties(checklist, organisation_ids)
    count_again(checklist)


def _put_parties(checklist: Checklist, organisation_ids: Iterable[UUID]) -> None:
    wanted = list(dict.fromkeys(organisation_ids))
    rows = {
        row.organisation_id: row
        for row in db.session.scalars(
            sa.select(ChecklistParty).where(ChecklistParty.checklist_id == checklist.id)
        )
    }
    for organisation_id, row in rows.items():
        if organisation_id not in wanted:
            db.session.delete(row)
    for number, organisation_id in enumerate(wanted):
        if organisation_id in rows:
            rows[organisation_id].position = number
        else:
            db.session.add(
                ChecklistParty(
                    checklist_id=checklist.id, organisation_id=organisation_id, position=number
                )
            )
    db.session.flush()


def count_again(checklist: Checklist, actor: Actor | None = None) -> None:
    """Mark counts and rules' flags to be updated before the commit."""
    mark(Stale.CHECKLIST, [checklist.id], actor)


def recount(checklist_id: UUID, actor: Actor | None = None) -> None:
    """Update a checklist's counts and its rules' flags.

    Once nothing keeps it from being sent for signature, those who can send it are mailed.
    """
    checklist = db.session.get_one(Checklist, checklist_id)
    loaded = load(checklist)
    if safeguards.apply_rules(loaded):
        loaded = load(checklist)
    standing = loaded.standing()
    checklist.done_count = standing.done_count
    checklist.total_count = standing.total_count
    checklist.is_complete = standing.is_complete
    checklist.misnamed_items = misnamed.to_store(loaded)
    for party in checklist.parties:
        waiting_count = standing.waiting.get(party.organisation_id, 0)
        if waiting_count < party.waiting_count:
            mailing.note_accepted(loaded, party.organisation_id)
        party.waiting_count = waiting_count
        party.unread_count = standing.unread.get(party.organisation_id, 0)
        party.to_accept_count = standing.to_accept.get(party.organisation_id, 0)
        if db.session.is_modified(party):
            # All the same columns, so that one statement changes all parties.
            for name in _PARTY_COUNTS:
                flag_modified(party, name)
    is_ready = (
        checklist.state is ChecklistState.DRAFTING
        and standing.is_complete
        and bool(loaded.goes_on())
        and not obstacles.to_sending(loaded)
    )
    if is_ready and checklist.is_ready_to_send is False:
        mailing.note_ready(actor, loaded)
    if checklist.is_ready_to_send and not is_ready:
        messages.no_longer_ready_to_send(checklist.id)
    checklist.is_ready_to_send = is_ready
    db.session.flush()


def work_out_readiness() -> int:
    """Work out whether drafts can be sent where it was never stored; return for how many.

    Those who can send one that is ready are mailed, as when it becomes ready. Commits after each.
    """
    ids = db.session.scalars(
        sa.select(Checklist.id).where(
            Checklist.state == ChecklistState.DRAFTING, Checklist.is_ready_to_send.is_(None)
        )
    ).all()
    for checklist_id in ids:
        db.session.get_one(Checklist, checklist_id).is_ready_to_send = False
        recount(checklist_id)
        db.session.commit()
    db.session.rollback()
    return len(ids)


def follow(event: DomainEvent) -> None:
    """Recount a cooperation's checklists after the modes or the people changed.

    A handler.
    """
    _recount(Checklist.cooperation_id == event.cooperation_id)


def follow_stage(event: DomainEvent) -> None:
    """Ask nobody any more for anything on the checklists of a cooperation that is closed.

    Handler of STAGE_CHANGED.
    """
    if event.details.get("after") == Stage.CLOSED:
        of_cooperation = Checklist.cooperation_id == event.cooperation_id
        messages.nothing_is_left(db.session.scalars(sa.select(Checklist.id).where(of_cooperation)))


def follow_leaving(event: DomainEvent) -> None:
    """Stop asking people who left a cooperation for anything on its checklists.

    Handler of PERSON_LEFT, whose subject is the cooperation.
    """
    of_cooperation = Checklist.cooperation_id == event.cooperation_id
    checklist_ids = db.session.scalars(sa.select(Checklist.id).where(of_cooperation)).all()
    notifications.end_about(checklist_ids, cooperation_people.left_ids(event.subject_id))


def follow_modes(event: DomainEvent) -> None:
    """Void the review of terms that now show something else, and recount.

    Handler of MODES_CHANGED: a hidden item may be shown again with its old answer, which the second
    reader never saw.
    """
    drafts = sa.select(Checklist).where(
        Checklist.cooperation_id == event.cooperation_id,
        Checklist.kind == ChecklistKind.TERMS,
        Checklist.state == ChecklistState.DRAFTING,
    )
    for checklist in db.session.scalars(drafts):
        loaded = load(checklist)
        before = replace(
            loaded.surroundings,
            modes=frozenset(Mode(mode) for mode in event.details["modes_before"]),
            questions=event.details["questions_before"],
        )
        if loaded.review is not None and not shows_the_same(loaded, before):
            safeguards.void_review(loaded)
    follow(event)


def follow_person(event: DomainEvent) -> None:
    """Recount the checklists in which a person can no longer be named, or can again.

    A handler. For events about the person anywhere in the instance: suspended or restored, or a
    role given, begun or ended.
    """
    query = sa.select(CooperationPerson.cooperation_id).where(
        CooperationPerson.user_id == event.subject_id
    )
    _recount(Checklist.cooperation_id.in_(query))


def follow_organisation(event: DomainEvent) -> None:
    """Recount the terms of an organisation whose interests have changed (M14).

    Handler of ORGANISATION_CHANGED, whose subject is the organisation.
    """
    if not TIES.keys().isdisjoint(event.details.get("changed", ())):
        query = sa.select(ChecklistParty.checklist_id).where(
            ChecklistParty.organisation_id == event.subject_id
        )
        _recount(sa.and_(Checklist.id.in_(query), Checklist.kind == ChecklistKind.TERMS))


def follow_text(event: DomainEvent) -> None:
    """Count a text again that came into force, was suspended or ended, or is in force again.

    A handler. Whom it names may have left in the meantime.
    """
    if event.subject_type != "checklist":
        return
    checklist = db.session.get(Checklist, event.subject_id)
    if checklist is not None and checklist.visit_id is None:
        count_again(checklist)


def counted() -> sa.ColumnElement[bool]:
    """Return the condition that a checklist is counted when people or ways of working change.

    Drafts are, and a cooperation's own texts: a few, also when they are signed. A visit's texts
    are judged with the visit.
    """
    return sa.or_(Checklist.state == ChecklistState.DRAFTING, Checklist.visit_id.is_(None))


def _recount(where: sa.ColumnElement[bool]) -> None:
    mark(Stale.CHECKLIST, db.session.scalars(sa.select(Checklist.id).where(where, counted())))


def save_answer(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    scope: AnswerScope,
    values: Mapping[str, Any],
    *,
    base_version: int,
    not_applicable_because: str = "",
    loaded_from: Mapping[str, Any] | None = None,
) -> Answer:
    """Save a new version of an answer.

    Whoever sets an answer accepts it; the other parties' positions are reopened (product.md, 4.1).
    base_version is the version the person saw (0: none): raise StaleError if it has changed. Raise
    RuleBrokenError for an answer that another party has accepted, since it changes only by a
    proposal. loaded_from are the values of the model answer that filled the form: somebody who
    saves them unchanged is not an author of the text.
    """
    loaded = load_for_update(checklist)
    item = loaded.item(item_code)
    party = loaded.own_party(actor)
    _require_may_set(actor, loaded, item, scope, values)
    owner_id = owner_of(actor, checklist, scope)
    current = loaded.sheet.answers.get((item.code, scope, owner_id))
    if scope is not AnswerScope.SHARED or not _is_rebased(loaded, item, party, base_version):
        _require_version(current, base_version)
    if not_applicable_because:
        _require_may_be_left_out(loaded, item, scope)
        fitting_values: dict[str, Any] = {REASON: tidy_reason(not_applicable_because)}
    else:
        fitting_values = fitting(loaded, item, scope, values)
        _require_words(loaded, item, fitting_values, current)
    if scope is AnswerScope.SHARED:
        _require_unlocked(
            loaded, item, party, fitting_values, left_out=bool(not_applicable_because)
        )
    answer = add_version(
        actor,
        loaded,
        item,
        scope,
        fitting_values,
        left_out=bool(not_applicable_because),
        taken_over=loaded_from is not None and worth_keeping(loaded_from) == fitting_values,
    )
    _finish_saving(actor, loaded, item, answer)
    return answer


def save_places(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    scope: AnswerScope,
    values: Mapping[str, Any],
    *,
    base_version: int,
) -> Answer:
    """Save an answer of which the page showed only the places that were open (adr 108).

    As save_answer() does, except that the actor's party neither accepts the new version nor counts
    as having read it.
    """
    loaded = load_for_update(checklist)
    item = loaded.item(item_code)
    _require_may_set(actor, loaded, item, scope, values)
    current = loaded.sheet.answers.get((item.code, scope, owner_of(actor, checklist, scope)))
    _require_version(current, base_version)
    fitting_values = fitting(loaded, item, scope, values)
    _require_words(loaded, item, fitting_values, current)
    if scope is AnswerScope.SHARED:
        _require_unlocked(loaded, item, loaded.own_party(actor), fitting_values, left_out=False)
    answer = new_version(actor, loaded, item, scope, fitting_values)
    keep_versions(loaded, [answer])
    _carry_mark(actor, loaded, answer, rewritten=True, has_seen_all=False)
    _finish_saving(actor, loaded, item, answer, has_seen_all=False)
    return answer


def record_for_person(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    person_id: UUID,
    values: Mapping[str, Any],
    *,
    how: str,
    base_version: int,
) -> Answer:
    """Record what a person without an account confirms for themselves, and how they did.

    The caller has checked who may: nobody answers for somebody who has an account. The answer
    belongs to the person, its author is the actor. Raise StaleError if it isn't base_version.
    """
    loaded = load_for_update(checklist)
    item, scope = loaded.item(item_code), AnswerScope.PERSON
    _require_may_set(actor, loaded, item, scope, values)
    current = loaded.sheet.of_person(item.code, person_id)
    _require_version(current, base_version)
    answer = new_version(
        actor,
        loaded,
        item,
        scope,
        {**fitting(loaded, item, scope, values), HOW: how},
        owner_id=person_id,
    )
    keep_versions(loaded, [answer])
    _finish_saving(actor, loaded, item, answer)
    return answer


def _require_version(current: Filled | None, base_version: int) -> None:
    if (current.version if current else 0) != base_version:
        raise StaleError(_l("Somebody else saved this item while you were writing."))


def _finish_saving(
    actor: Actor, loaded: LoadedChecklist, item: Item, answer: Answer, *, has_seen_all: bool = True
) -> None:
    """Reopen what depended on the former version, and record the new one."""
    checklist = loaded.checklist
    is_of_team = answer.scope is AnswerScope.PERSON
    after_change(actor, loaded, item, answer, has_seen_all=has_seen_all)
    trail.record_of_team(
        verbs.ANSWER_SAVED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        visit_id=checklist.visit_id if is_of_team else None,
        kind=checklist.kind.value,
        item=item.code,
        version=answer.version,
        scope=answer.scope.value,
        organisation=actor.organisation_name,
    )


def note_transcription(checklist: Checklist) -> None:
    """Mark all answers as transcribed from an agreement on paper.

    Called when the other parties have confirmed that agreement: whoever typed it is not an author.
    """
    db.session.execute(
        sa.update(Answer)
        .where(Answer.checklist_id == checklist.id, Answer.scope != AnswerScope.PERSON)
        .values(taken_over=True)
    )


def worth_keeping(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that have content; an unticked checkbox does."""
    return {key: value for key, value in values.items() if has_content(value) or value is False}


def fitting(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return values as they are stored: of the right types, without hidden columns (4.5)."""
    worthwhile = worth_keeping(values)
    check_types(loaded.whole_fields(item, scope), worthwhile, loaded.surroundings)
    return worth_keeping(shown_only(item.fields_of(scope), worthwhile))


def tidy_reason(reason: str) -> str:
    """Return a reason without outer spaces; raise RuleBrokenError if it is too long."""
    tidy = reason.strip()
    if len(tidy) > MAX_REASON:
        raise RuleBrokenError(
            _l("Write a reason of at most %(most)s characters.", most=MAX_REASON), REASON
        )
    return tidy


def _require_may_set(
    actor: Actor,
    loaded: LoadedChecklist,
    item: Item,
    scope: AnswerScope,
    values: Mapping[str, Any],
) -> None:
    fields = item.fields_of(scope)
    if not fields:
        raise RuleBrokenError(_l("This item has no answer like that."))
    loaded.require_shown(item)
    if scope is AnswerScope.PERSON:
        return
    loaded.require_open(item)
    party = loaded.own_party(actor)
    for field in [field for field in fields if field.key in values] or fields:
        policy.can_set(actor, party, field).require()


def _require_words(
    loaded: LoadedChecklist, item: Item, values: Mapping[str, Any], current: Filled | None
) -> None:
    """Raise RuleBrokenError for an empty answer, unless it empties one that isn't required."""
    if values:
        return
    if current is None or current.is_empty:
        raise RuleBrokenError(_l("There's nothing to save yet. Write an answer first."))
    if completeness.is_required(item, loaded.sheet, loaded.surroundings):
        raise RuleBrokenError(_l("This item is required, so its answer can't be empty."))


def _require_may_be_left_out(loaded: LoadedChecklist, item: Item, scope: AnswerScope) -> None:
    """Refuse *not applicable* for required items (product.md, 4.2)."""
    if scope is not AnswerScope.SHARED:
        raise RuleBrokenError(
            _l("You can only leave out an item's shared answer. It's then left out for everyone.")
        )
    if completeness.is_required(item, loaded.sheet, loaded.surroundings):
        raise RuleBrokenError(_l("This item is required here, so it can't be left out."))
    if not completeness.may_be_left_out(item, loaded.sheet, loaded.surroundings):
        raise RuleBrokenError(
            _l("This item is optional: leave it empty if there's nothing to add.")
        )


def locked_parts(
    loaded: LoadedChecklist, item: Item, party: PartyFact | None
) -> frozenset[AnswerPart]:
    """Return the parts of the current answer that a party changes only by a proposal.

    These are the parts that another party accepts; but its own row is always the party's to change,
    in a table with a row for each party (product.md, 4.1).
    """
    own = party.organisation_id if party else None
    current = loaded.sheet.shared(item.code)
    if current is None or current.is_empty:
        return frozenset()
    parts = party_rows.parts_of_answer(item, current, loaded.sheet, loaded.surroundings)
    locked = frozenset[AnswerPart]().union(
        *(
            completeness.accepted_parts(
                item, current, loaded.sheet, other.organisation_id, parts.keys()
            )
            for other in loaded.parties
            if other.organisation_id != own
        )
    )
    return locked - {own} if own else locked


def _require_unlocked(
    loaded: LoadedChecklist,
    item: Item,
    party: PartyFact | None,
    values: Mapping[str, Any],
    *,
    left_out: bool,
) -> None:
    """Raise RuleBrokenError if a new answer changes a part that another party has accepted."""
    locked = locked_parts(loaded, item, party)
    if not locked:
        return
    around = (loaded.sheet, loaded.surroundings)
    before = party_rows.parts_of_answer(item, loaded.sheet.shared(item.code), *around)
    after: Mapping[AnswerPart, Any] = (
        {None: values} if left_out else party_rows.parts_of(item, values, *around)
    )
    changed = party_rows.changed(before, after) & locked
    if None in locked or changed:
        raise RuleBrokenError(
            _l("Another party has accepted this answer. Suggest a change instead.")
            if None in locked
            else _l("Another party has accepted what you changed. Suggest that change instead.")
        )


def _is_rebased(
    loaded: LoadedChecklist, item: Item, party: PartyFact | None, base_version: int
) -> bool:
    """Return whether only rows that this party can't change differ from the version it saw."""
    current, locked = loaded.sheet.shared(item.code), locked_parts(loaded, item, party)
    if item.party_table is None or current is None or not locked or current.version < base_version:
        return False
    seen = db.session.scalar(
        sa.select(Answer).where(
            Answer.checklist_id == loaded.checklist.id,
            Answer.item == item.code,
            Answer.scope == AnswerScope.SHARED,
            Answer.version == base_version,
        )
    )
    if seen is None or seen.not_applicable:
        return False
    around = (loaded.sheet, loaded.surroundings)
    values = encryption.values_of(loaded.checklist.cooperation_id, seen)
    changed = party_rows.changed(
        party_rows.parts_of(item, values, *around),
        party_rows.parts_of_answer(item, current, *around),
    )
    return changed <= locked


def add_version(
    actor: Actor,
    loaded: LoadedChecklist,
    item: Item,
    scope: AnswerScope,
    values: Mapping[str, Any],
    *,
    left_out: bool = False,
    taken_over: bool = False,
    written_by: tuple[UUID, UUID] | None = None,
) -> Answer:
    """Add a version of an answer and make it current; the caller has checked all rules.

    written_by are the person and the organisation who wrote it, if not the actor.
    """
    answer = new_version(
        actor, loaded, item, scope, values, left_out=left_out, written_by=written_by
    )
    answer.taken_over = taken_over
    keep_versions(loaded, [answer])
    if values and not left_out:
        _carry_mark(actor, loaded, answer, rewritten=True)
    return answer


def _carry_mark(
    actor: Actor,
    loaded: LoadedChecklist,
    answer: Answer,
    *,
    rewritten: bool,
    has_seen_all: bool = True,
) -> None:
    """Keep a copied answer unread by the parties that haven't read it, also when it changes.

    Otherwise whoever filled in one place would make the rest count as read (adr 93). The actor's
    party has read it if the actor had all of it on the page.
    """
    current = loaded.sheet.answers.get((answer.item, answer.scope, answer.owner_id))
    if current is None or not current.is_copied:  # as most are
        return
    own = own_organisation(actor)
    others = (party for party in loaded.parties if not has_seen_all or party.organisation_id != own)
    if not any(current.is_unread_by(party.organisation_id) for party in others):
        return
    reader = (actor.user_id, own) if has_seen_all else None
    copy_marks.carry_over(current, answer.id, rewritten=rewritten, reader=reader)


def new_version(
    actor: Actor,
    loaded: LoadedChecklist,
    item: Item,
    scope: AnswerScope,
    values: Mapping[str, Any],
    *,
    left_out: bool = False,
    written_by: tuple[UUID, UUID] | None = None,
    owner_id: UUID | None = None,
) -> Answer:
    """Return the next version of an answer; keep_versions() stores it.

    owner_id is the answer's owner, if not the actor or the actor's party.
    """
    return version_by(
        written_by or (actor.user_id, own_organisation(actor)),
        loaded,
        (item.code, scope, owner_id or owner_of(actor, loaded.checklist, scope)),
        values,
        left_out=left_out,
    )


def version_by(
    written_by: tuple[UUID, UUID],
    loaded: LoadedChecklist,
    key: AnswerKey,
    values: Mapping[str, Any],
    *,
    left_out: bool = False,
) -> Answer:
    """Return what new_version() does, of whoever wrote it before and their organisation."""
    checklist, (item, scope, owner_id) = loaded.checklist, key
    current = loaded.sheet.answers.get(key)
    author_id, organisation_id = written_by
    answer = Answer(
        id=uuid4(),
        checklist_id=checklist.id,
        item=item,
        scope=scope,
        owner_id=owner_id,
        version=(current.version if current else 0) + 1,
        not_applicable=left_out,
        author_id=author_id,
        organisation_id=organisation_id,
        saved_at=clock.now(),
    )
    encryption.put_values(checklist, answer, values)
    return answer


def keep_versions(loaded: LoadedChecklist, answers: Sequence[Answer]) -> None:
    """Make these versions the current ones, in a constant number of statements."""
    current_answers = loaded.sheet.answers
    before = [
        current.answer_id
        for answer in answers
        if (current := current_answers.get((answer.item, answer.scope, answer.owner_id)))
    ]
    with parts.writing_answers(loaded.checklist, answers):
        if before:
            are_current = sa.and_(Answer.id.in_(before), Answer.is_current)
            db.session.execute(sa.update(Answer).where(are_current).values(is_current=False))
        try:
            with db.session.begin_nested():
                db.session.add_all(answers)
        except IntegrityError as error:
            raise StaleError(_l("Somebody else saved this item while you were writing.")) from error


def after_change(
    actor: Actor, loaded: LoadedChecklist, item: Item, answer: Answer, *, has_seen_all: bool = True
) -> Collection[AnswerPart]:
    """Reopen the other parties' positions, and whatever depended on the old text.

    Return the parts of the answer that changed; its author's party accepts them, unless its author
    hasn't seen all of it.
    """
    checklist = loaded.checklist
    changed: Collection[AnswerPart] = ()
    if answer.scope is AnswerScope.SHARED:
        changed = reopen_changed(loaded, item, answer, has_seen_all=has_seen_all)
        mailing.note_reopened(actor, loaded, [item.code])
        if has_seen_all:
            accept_by_writing(loaded, item, answer, changed)
        safeguards.close_for_change(actor, loaded, item, changed)
    if item.part is Part.TERMS and answer.scope is not AnswerScope.PERSON:
        safeguards.void_review(loaded)
    count_again(checklist, actor)
    return changed


def as_seen(actor: Actor, loaded: LoadedChecklist, item: Item, current: Filled) -> tuple[UUID, int]:
    """Return the id and number of a version with exactly what the page shows of an answer.

    If columns are hidden, that is a new version without them: nobody accepts what they can't see,
    and it must not count as agreed once the columns are shown again. What was hidden stays in the
    previous version, and the other parties are asked again (product.md, 4.1 and 4.5).
    """
    shown = shown_only(item.fields_of(AnswerScope.SHARED), current.values)
    if current.not_applicable or shown == dict(current.values):
        return current.answer_id, current.version
    words_of = (current.author_id, current.organisation_id)
    answer = new_version(
        actor, loaded, item, AnswerScope.SHARED, worth_keeping(shown), written_by=words_of
    )
    keep_versions(loaded, [answer])
    _carry_mark(actor, loaded, answer, rewritten=False)
    end_talks(loaded, [item.code])
    mailing.note_reopened(actor, loaded, [item.code])
    return answer.id, answer.version


def own_organisation(actor: Actor) -> UUID:
    """Return the organisation a person acts for; raise RuleBrokenError if there is none."""
    if actor.organisation_id is None:
        raise RuleBrokenError(_l("You aren't acting for any organisation."))
    return actor.organisation_id


def owner_of(actor: Actor, checklist: Checklist, scope: AnswerScope) -> UUID:
    """Return the owner of an answer; nobody answers for somebody else (product.md, 4.3)."""
    match scope:
        case AnswerScope.SHARED:
            return checklist.id
        case AnswerScope.PARTY:
            return own_organisation(actor)
        case AnswerScope.PERSON:
            return actor.user_id
