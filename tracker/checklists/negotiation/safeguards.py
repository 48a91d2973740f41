"""Safeguards of the NPM's independence and flexibility (S6, S7): flags, hints, second review.

In one file: an answer to a hint raises a flag, and the second reader answers hints before the
review.
"""

from collections.abc import Collection, Container
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor, Role
from tracker.access.decision import Decision
from tracker.accounts.models import Membership, User
from tracker.activity import service as trail
from tracker.activity import stale, verbs
from tracker.activity.stale import Stale
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.checklists import encryption, policy
from tracker.checklists.encryption import FlagContent
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    Flag,
    HintAnswer,
    OutsideReading,
    SafeguardReview,
)
from tracker.checklists.negotiation import hints, mailing
from tracker.checklists.negotiation.hints import HintOnAnswer
from tracker.checklists.negotiation.text_digest import (
    item_digest,
    require_item_shown,
    text_digest,
)
from tracker.checklists.outside_reading import policy as outside_reading
from tracker.checklists.outside_reading import queries as outside_readings
from tracker.checklists.rules import power_limits
from tracker.checklists.rules.done_tests import is_alone
from tracker.checklists.rules.party_rows import WHOLE, AnswerPart, parts_of_answer
from tracker.checklists.rules.power_limits import Finding
from tracker.cooperations.people import membership_counts
from tracker.core import clock
from tracker.core.canonical import digest_of
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.mail import addresses
from tracker.signoff import shown
from tracker.signoff.identity_proof import SigningPage
from tracker.ui.locale import with_commas

REASON = "reason"
MAX_BECAUSE = 2000
_Other = aliased(Membership)
# The longest reason why a phrase does no harm.
MAX_HINT_REASON = 500
# What a rule's flag is about: item, rule, digest of the term.
_Mark = tuple[str, str | None, str | None]


def raise_flag(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    reason: str,
    *,
    seen: str,
    row_of: UUID | None = None,
) -> Flag:
    """Flag a term as limiting the NPM's independence or flexibility (S6, S7; product.md, 4.8).

    row_of names the party whose row it is about, where each party has a row of its own; None for
    the whole answer. seen is the digest of the answers that the person saw: raise StaleError if
    they changed.
    """
    loaded = load_for_update(checklist)
    item = loaded.item(item_code)
    loaded.goes_on().require()
    reading = read_from_outside(actor, loaded)
    policy.can_flag(
        actor,
        loaded.own_party(actor),
        item,
        is_outside=reading is not None,
    ).require()
    policy.is_open(checklist.state, None, item.code).require()
    loaded.require_shown(item)
    if seen != item_digest(loaded, item):
        raise StaleError(
            _l("The answer changed while you were writing. Check that your reason is still right.")
        )
    if not reason.strip():
        raise RuleBrokenError(_l("Say how the term limits the NPM."), REASON)
    matched = None if row_of is None else _digests_of_rows(loaded, item).get(row_of)
    if row_of is not None and matched is None:
        raise RuleBrokenError(_l("Choose what you want to flag."), "row_of")
    flag = Flag(
        id=uuid4(),
        checklist_id=checklist.id,
        item=item.code,
        matched=matched,
        # An outside reader flags for the NPM that asked them.
        organisation_id=actor.organisation_id if reading is None else reading.organisation_id,
        is_outside=reading is not None,
        author_id=actor.user_id,
        raised_at=clock.now(),
    )
    encryption.put_flag(checklist, flag, FlagContent(reason.strip()))
    db.session.add(flag)
    mailing.note_flag(actor.user_id, loaded, item.code)
    stale.mark(Stale.CHECKLIST, [checklist.id], actor)
    db.session.flush()
    trail.record(
        verbs.FLAG_RAISED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=item.code,
        organisation=actor.organisation_name if reading is None else reading.function,
    )
    return flag


def explain_flag_as_shown(
    actor: Actor, checklist: Checklist, flag_id: UUID, explanation: str, *, token: str
) -> None:
    """Close a flag with an explanation, if the term is as the page with that token showed it.

    Raise NotShownError if the term or its question has changed since.
    """
    loaded, flag = _flag_to_close(actor, checklist, flag_id)
    require_item_shown(loaded, actor, loaded.item(flag.item), token)
    explain_flag(actor, checklist, flag_id, explanation)


def explain_flag(actor: Actor, checklist: Checklist, flag_id: UUID, explanation: str) -> None:
    """Close a flag with a named person's explanation (product.md, 4.8)."""
    _loaded, flag = _flag_to_close(actor, checklist, flag_id)
    if not explanation.strip():
        raise RuleBrokenError(_l("Explain why the term doesn't limit the NPM."), REASON)
    _close(actor, checklist, flag, explanation=explanation.strip(), how="explained")
    mailing.note_flags_closed(checklist.id)
    stale.mark(Stale.CHECKLIST, [checklist.id], actor)


def _flag_to_close(
    actor: Actor, checklist: Checklist, flag_id: UUID
) -> tuple[LoadedChecklist, Flag]:
    loaded = load_for_update(checklist)
    policy.can_close_flag(actor, loaded.own_party(actor)).require()
    loaded.goes_on().require()
    flag = next((flag for flag in loaded.flags if flag.id == flag_id), None)
    if flag is None or flag.closed_at is not None:
        raise StaleError(_l("This flag is no longer open."))
    return loaded, flag


def answer_hint(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    mark: str,
    *,
    limits: bool,
    reason: str,
    as_reader: bool,
) -> HintAnswer:
    """Answer whether a phrase limits the NPM: yes raises a flag, no needs a reason (S6, S7).

    The side that wrote it answers, or the second reader: as_reader says whom the page asked. Raise
    StaleError if the mark is of a text that has changed since, or if the person is asked as the
    other by now: what counts as one side's answer isn't taken for the reader's.
    """
    loaded = load_for_update(checklist)
    item = loaded.item(item_code)
    loaded.goes_on().require()
    hint = next((hint for hint in hints.on_item(loaded, item) if hint.mark == mark), None)
    if hint is None or not hint.is_asked:
        raise words_changed()
    reading = read_from_outside(actor, loaded)
    if as_reader is not (reading is not None or is_second_reader(actor, loaded)):
        raise StaleError(
            _l(
                "Who is asked about these words changed after you opened the page, so nothing was "
                "saved. Read the question again."
            )
        )
    policy.can_answer_hint(
        actor,
        loaded.own_party(actor),
        hint.organisation_id,
        is_reader=as_reader,
        is_outside=reading is not None,
    ).require()
    policy.is_open(checklist.state, None, item.code).require()
    _require_hint_waits(hint, as_reader=as_reader)
    tidy = reason.strip()
    if len(tidy) > MAX_HINT_REASON:
        words = _l("Write a reason of at most %(most)s characters.", most=MAX_HINT_REASON)
        raise RuleBrokenError(words, REASON)
    if not (limits or tidy or (as_reader and hint.harmless)):
        raise RuleBrokenError(_l("Say briefly why it doesn't limit the NPM."), REASON)
    flag = None
    if limits:
        # The mark shows that the text it is about is unchanged.
        flag = raise_flag(actor, checklist, item_code, tidy, seen=item_digest(loaded, item))
    answer = HintAnswer(
        id=uuid4(),
        checklist_id=checklist.id,
        item=item.code,
        scope=hint.scope,
        owner_id=hint.owner_id,
        language=hint.words.language,
        phrase=hint.words.phrase,
        matched=hint.words.matched,
        limits=limits,
        flag_id=flag.id if flag else None,
        as_reader=as_reader,
        author_id=actor.user_id,
        # As above.
        organisation_id=actor.organisation_id if reading is None else reading.organisation_id,
        answered_at=clock.now(),
    )
    encryption.put_hint_reason(checklist, answer, tidy)
    checklist.has_hint_answers = True
    db.session.add(answer)
    stale.mark(Stale.CHECKLIST, [checklist.id], actor)
    db.session.flush()
    trail.record(
        verbs.HINT_ANSWERED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=item.code,
        organisation=actor.organisation_name if reading is None else reading.function,
        how="flagged" if limits else "accepted" if as_reader else "harmless",
    )
    return answer


def words_changed() -> StaleError:
    """Return the error for an answer to a hint whose words are no longer there."""
    return StaleError(_l("These words were changed in the meantime. Look at them again."))


def _require_hint_waits(hint: HintOnAnswer, *, as_reader: bool) -> None:
    if hint.flag is not None:
        raise RuleBrokenError(_l("This term is already flagged."))
    if not (hint.waits_for_reader if as_reader else hint.waits_for_author):
        raise RuleBrokenError(_l("This question is answered already."))


def is_second_reader(actor: Actor, loaded: LoadedChecklist) -> bool:
    """Return whether a person is the second reader, or reads alone for the NPM."""
    return bool(may_review(actor, loaded))


def read_from_outside(actor: Actor, loaded: LoadedChecklist) -> OutsideReading | None:
    """Return the invitation by which an outside reader may read this text now, or None."""
    reading = loaded.checklist.reading
    if reading is None or reading.reader_id != actor.user_id:
        return None
    return reading if outside_readings.is_open_to(actor, reading) else None


def close_for_change(
    actor: Actor | None,
    loaded: LoadedChecklist,
    item: Item,
    changed: Collection[AnswerPart] = WHOLE,
) -> None:
    """Close reviewers' flags on a term that was changed (product.md, 4.8).

    If only some parts of the answer changed, close the flags that name one of these rows: another
    one can be on any of them (adr 92). loaded is the checklist as it was before.
    """
    is_whole = None in changed
    waiting = [
        flag
        for flag in loaded.flags_on.get(item.code, ())
        if flag.closed_at is None and flag.rule is None and (is_whole or flag.matched)
    ]
    digests = _digests_of_rows(loaded, item) if waiting and not is_whole else {}
    gone = {digests[part] for part in changed if part is not None and part in digests}
    closed = [flag for flag in waiting if is_whole or flag.matched in gone]
    for flag in closed:
        flag.matched = None
        _close(actor, loaded.checklist, flag, explanation="", how="changed")
    if closed:
        mailing.note_flags_closed(loaded.checklist.id)


def flagged_row(loaded: LoadedChecklist, flag: Flag) -> UUID | None:
    """Return the party whose row a reviewer's flag is about, as long as that row is unchanged."""
    item = loaded.template.item(flag.item)
    if flag.rule is not None or not flag.matched or item is None:
        return None
    digests = _digests_of_rows(loaded, item)
    return next((part for part, digest in digests.items() if digest == flag.matched), None)


def _digests_of_rows(loaded: LoadedChecklist, item: Item) -> dict[UUID, str]:
    """Return the digest of each party's row of an answer, as a flag on the row keeps it."""
    answer = loaded.sheet.shared(item.code)
    parts = parts_of_answer(item, answer, loaded.sheet, loaded.surroundings)
    digests = {
        party.organisation_id: digest_of([str(party.organisation_id), parts[party.organisation_id]])
        for party in loaded.parties
        if party.organisation_id in parts
    }
    if not encryption.is_restricted(loaded.checklist):
        return digests
    return {
        party_id: encryption.keyed_digest(loaded.checklist, digest)
        for party_id, digest in digests.items()
    }


def apply_rules(loaded: LoadedChecklist) -> bool:
    """Raise the flags that the template's rules require, and close those no longer required.

    A rule flags an answer that gives a power of the NPM away (S6, S7; product.md, 4.8). Its flag is
    closed automatically once the answer no longer does so, or by a person's explanation, which
    applies to exactly this term: until the term changes, it isn't flagged again. Nothing is flagged
    on a text that can't be changed now. Returns whether anything changed.
    """
    checklist = loaded.checklist
    if checklist.state is not ChecklistState.DRAFTING or not loaded.goes_on():
        return False
    met = _met(loaded)
    standing = _known(loaded)
    _close_unmet(loaded, met)
    for mark, finding in met.items():
        if mark not in standing:
            _raise_by_rule(loaded, finding, mark)
    db.session.flush()
    return set(met) != standing


def unexplained(loaded: LoadedChecklist) -> tuple[Finding, ...]:
    """Return the rules that answers meet without a flag that was raised, and explained, for it.

    On a text in force: it met them only later, when the people named there changed sides (S7).
    """
    known = _known(loaded)
    return tuple(finding for mark, finding in _met(loaded).items() if mark not in known)


def _known(loaded: LoadedChecklist) -> set[_Mark]:
    """Return what the rules' flags on the answers as they are were raised for."""
    return {(flag.item, flag.rule, flag.matched) for flag in _by_rules(loaded)}


def _by_rules(loaded: LoadedChecklist) -> list[Flag]:
    return [flag for flag in loaded.flags if flag.rule is not None and flag.matched]


def close_by_rules(loaded: LoadedChecklist) -> None:
    """Close flags that the template's rules no longer require; raise none.

    For answers restored to what everybody signed: their flags were explained then.
    """
    _close_unmet(loaded, _met(loaded))
    db.session.flush()


def _met(loaded: LoadedChecklist) -> dict[_Mark, Finding]:
    """Return the rules that the answers currently meet, by what their flags are about."""
    findings = power_limits.findings(loaded.template, loaded.sheet, loaded.surroundings)
    return {_mark(loaded.checklist, finding): finding for finding in findings}


def _mark(checklist: Checklist, finding: Finding) -> _Mark:
    """Return the columns that identify a flag; on a visit's text they reveal no answer (K2)."""
    rule, matched = finding.limit.key, finding.matched
    if encryption.is_restricted(checklist):
        return finding.item, "", encryption.keyed_digest(checklist, rule, matched)
    return finding.item, rule, matched


def _close_unmet(loaded: LoadedChecklist, met: Container[_Mark]) -> None:
    was_open = False
    for flag in _by_rules(loaded):
        if (flag.item, flag.rule, flag.matched) not in met:
            flag.matched = None
            if flag.closed_at is None:
                _close(None, loaded.checklist, flag, explanation="", how="no_longer")
                was_open = True
    if was_open:
        mailing.note_flags_closed(loaded.checklist.id)


def _raise_by_rule(loaded: LoadedChecklist, finding: Finding, mark: _Mark) -> None:
    checklist, limit = loaded.checklist, finding.limit
    powers = tuple(power.value for power in limit.powers)
    _item, _rule, matched = mark
    flag = Flag(
        id=uuid4(),
        checklist_id=checklist.id,
        item=finding.item,
        matched=matched,
        raised_at=clock.now(),
    )
    content = FlagContent(limit.because, limit.key, powers, limit.passage)
    encryption.put_flag(checklist, flag, content)
    db.session.add(flag)
    answer = loaded.sheet.shared(finding.item)
    mailing.note_flag(answer.author_id if answer else None, loaded, finding.item)
    db.session.flush()
    # On a visit's text they would reveal what was answered (K2).
    told_powers: dict[str, Any] = {"powers": list(powers)}
    trail.record(
        verbs.FLAG_RAISED,
        actor=None,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        item=finding.item,
        **({} if encryption.is_restricted(checklist) else told_powers),
    )


def _close(
    actor: Actor | None, checklist: Checklist, flag: Flag, *, explanation: str, how: str
) -> None:
    flag.closed_at = clock.now()
    flag.closed_by_id = actor.user_id if actor else None
    encryption.put_explanation(checklist, flag, explanation)
    if actor is not None:
        mailing.note_flag_answer(actor, flag)
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


def may_review(actor: Actor, loaded: LoadedChecklist) -> Decision:
    """Decide whether a person may confirm the review of these terms now (G3)."""
    return policy.can_review(
        actor,
        hints.second_reader_of(loaded),
        loaded.sheet.authors,
        clock.today(),
        is_alone=is_alone(loaded.surroundings, loaded.sheet),
        is_read_outside=loaded.checklist.reading is not None,
    )


def may_ask_outside(actor: Actor, loaded: LoadedChecklist) -> bool:
    """Return whether a person may invite an outside reader, or manage the invitation."""
    checklist = loaded.checklist
    if checklist.kind is not ChecklistKind.TERMS or loaded.review is not None:
        return False
    is_needed = checklist.reading is not None or is_alone(loaded.surroundings, loaded.sheet)
    return (
        is_needed
        and bool(policy.is_open(checklist.state, None, "M5"))
        and bool(outside_reading.can_ask(actor, loaded.own_party(actor)))
    )


def reads_alone(actor: Actor, loaded: LoadedChecklist) -> bool:
    """Return whether a person who may review the terms also wrote answers in them."""
    return actor.user_id in loaded.sheet.authors


def confirm_review(
    actor: Actor, checklist: Checklist, because: str = "", *, page: SigningPage | None
) -> SafeguardReview:
    """Confirm, as second reader, the review of independence and flexibility (stage P2, G3).

    page is the one they read: raise NotShownError if the text has changed since (product.md, 5.3).
    If the NPM has nobody else, its head, who wrote answers too, confirms and gives the reason,
    which is printed on the signed text. Raise RuleBrokenError without it, or if somebody else at
    the NPM could read.
    """
    loaded = load_for_update(checklist)
    may_review(actor, loaded).require()
    require_readable(loaded)
    shown.require(page, text_digest(loaded))
    alone = reads_alone(actor, loaded)
    because = because.strip()
    if alone:
        require_nobody_else(loaded)
        if not because:
            raise RuleBrokenError(
                _l("Say why the NPM has nobody else. Your reason is printed on the text."), REASON
            )
        if len(because) > MAX_BECAUSE:
            raise RuleBrokenError(_l("Use at most %(num)s characters", num=MAX_BECAUSE), REASON)
    review = SafeguardReview(
        id=uuid4(),
        checklist_id=checklist.id,
        reader_id=actor.user_id,
        reviewed_at=clock.now(),
        alone_because=because if alone else None,
    )
    db.session.add(review)
    stale.mark(Stale.CHECKLIST, [checklist.id], actor)
    db.session.flush()
    trail.record(
        verbs.SAFEGUARDS_REVIEWED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        **({"because": because} if alone else {}),
    )
    return review


def require_readable(loaded: LoadedChecklist) -> None:
    """Refuse to confirm the review of a text that can't be reviewed in its current state."""
    checklist = loaded.checklist
    policy.is_open(checklist.state, None, "M5").require()
    if loaded.review is not None:
        raise RuleBrokenError(_l("The review has already been confirmed."))
    if not loaded.standing().is_complete:
        raise RuleBrokenError(
            _l("Read the terms once they're complete and agreed: any change would undo the review.")
        )
    waiting = hints.waiting_for_reader(loaded)
    if waiting:
        raise RuleBrokenError(
            _l(
                "First say whether you accept the words that may limit the NPM: %(items)s.",
                items=with_commas(dict.fromkeys(hint.item for hint in waiting)),
            )
        )


def require_nobody_else(loaded: LoadedChecklist) -> None:
    """Refuse if somebody else at the NPM who doesn't take part yet could read the terms."""
    of_npm = {party.organisation_id for party in loaded.cooperation.parties if party.is_of_npm}
    npm_ids = of_npm & {party.organisation_id for party in loaded.parties}
    is_administrator = sa.exists().where(
        _Other.user_id == User.id, _Other.role == Role.ADMINISTRATOR, _Other.ended_at.is_(None)
    )
    other = db.session.scalar(
        sa.select(User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organisation_id.in_(npm_ids),
            Membership.outside_expert.is_(False),
            membership_counts(),
            User.id.not_in(loaded.sheet.authors),
            ~is_administrator,
            ~addresses.are_of_nobody(User.email),
        )
        .order_by(User.name)
        .limit(1)
    )
    if other is not None:
        raise RuleBrokenError(
            _l(
                "%(name)s of the NPM wrote none of the answers. Add them to the cooperation and "
                "name them as second reader.",
                name=other,
            ),
            REASON,
        )


def void_review(loaded: LoadedChecklist) -> None:
    """Void a confirmed review, since a term changed after it was read."""
    if loaded.review is not None:
        db.session.execute(
            sa.update(SafeguardReview)
            .where(SafeguardReview.checklist_id == loaded.checklist.id)
            .values(is_void=True)
        )
