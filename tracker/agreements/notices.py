"""Suspension and ending of a text in force: notice, its date, lifting, continuing duties (M20).

A notice has a row of its own. While a text is suspended or ended, no revision of it is in force, so
everything based on it stops immediately. The signatures stay as they are. In one file: giving,
carrying out and lifting a notice change the same rows.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from tracker.access.actor import Actor
from tracker.access.decision import Decision, no
from tracker.accounts.models import User
from tracker.activity import service as trail
from tracker.activity import verbs, witness
from tracker.activity.verbs import Verb
from tracker.agreements import evidence, frozen_text
from tracker.agreements import service as agreements
from tracker.agreements.service import SUBJECT
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import encryption, messages, policy
from tracker.checklists.encryption import is_restricted
from tracker.checklists.heads import lock
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.localized_values import Part_
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    Notice,
    NoticeKind,
)
from tracker.cooperations import people
from tracker.cooperations.models import Cooperation
from tracker.cooperations.policy import ENDED as CLOSED
from tracker.core import canonical, clock
from tracker.core.db import db, load_joined
from tracker.core.errors import RuleBrokenError
from tracker.organisations.models import Organisation
from tracker.signoff import policy as signoff_policy
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.signoff.outcomes import Validity
from tracker.ui.locale import as_date

MOST_DAYS = 365
# What survives the end: the list in M20 of the terms; for the confidentiality terms, C17.
SURVIVING = {
    ChecklistKind.TERMS: ("M20", ("survives", "other_duties")),
    ChecklistKind.CONFIDENTIALITY: ("C17", ("years", "return_by", "copies")),
}
_STOPPED = {
    NoticeKind.SUSPENDED: (ChecklistState.SUSPENDED, verbs.TEXT_SUSPENDED),
    NoticeKind.ENDED: (ChecklistState.ENDED, verbs.TEXT_ENDED),
}


def standing_revision_id(checklist: Checklist) -> UUID | None:
    """Return the revision in force, or the last one before the text was suspended or ended."""
    return checklist.revision_in_force_id or checklist.stopped_id


def standing_document(checklist: Checklist) -> Mapping[str, Any] | None:
    """Return the document in force, or the last one before the text was suspended or ended."""
    revision_id = standing_revision_id(checklist)
    if revision_id is None:
        return None
    revision = db.session.get_one(Revision, revision_id)
    return signoff.document_of(revision, encryption.key_for(checklist))


def terms_of(checklist: Checklist) -> Checklist | None:
    """Return the agreed terms of a checklist's cooperation, which set notice and later duties."""
    if checklist.kind is ChecklistKind.TERMS:
        return checklist
    return db.session.scalar(
        sa.select(Checklist).where(
            Checklist.cooperation_id == checklist.cooperation_id,
            Checklist.kind == ChecklistKind.TERMS,
            Checklist.visit_id.is_(None),
        )
    )


def agreed_notice(checklist: Checklist) -> int:
    """Return the days of notice agreed in M20 of the terms as signed; none where none is agreed.

    Also none for terms that have run out: no party can rely on it any more.
    """
    terms = terms_of(checklist)
    document = standing_document(terms) if terms else None
    if terms is None or document is None:
        return 0
    if not renews_itself(document) and _have_run_out(terms):
        return 0
    days = frozen_text.values_in(document, "M20").get("notice_days")
    return days if isinstance(days, int) else 0


def _have_run_out(terms: Checklist) -> bool:
    """Tell whether the last day of signed terms has passed, by their text and their renewals.

    Not of terms that don't agree with their signatures: no notice is skipped because of a row.
    """
    compared = evidence.look(terms)
    text_id = compared.course.standing_id
    return (
        compared.agrees and text_id is not None and compared.validity(text_id) is Validity.RUN_OUT
    )


def renews_itself(document: Mapping[str, Any]) -> bool:
    """Return whether signed terms renew themselves unless a party says no in time (M19)."""
    return bool(frozen_text.values_in(document, "M19").get("renewal") == "automatic")


def no_end_is_announced() -> sa.ColumnElement[bool]:
    """Return the condition over Cooperation: its terms are in force, unamended, without notice.

    Where such terms have run out, nobody has begun to renew them or to end the cooperation yet.
    """
    is_ending = sa.exists().where(
        Notice.checklist_id == Checklist.id,
        Notice.kind == NoticeKind.ENDED,
        Notice.closed_at.is_(None),
    )
    # Counted, since PostgreSQL may answer EXISTS by reading the terms of all cooperations.
    return (
        sa.select(sa.func.count())
        .where(
            Checklist.cooperation_id == Cooperation.id,
            Checklist.kind == ChecklistKind.TERMS,
            Checklist.visit_id.is_(None),
            Checklist.state == ChecklistState.IN_FORCE,
            ~is_ending.correlate(Checklist),
        )
        .correlate(Cooperation)
        .scalar_subquery()
    ) > 0


def earliest(checklist: Checklist, kind: NoticeKind) -> dt.date:
    """Return the first day on which a notice can take effect; an ending keeps the agreed notice.

    A suspension needs no notice, since each party must be able to stop immediately (S7).
    """
    days = agreed_notice(checklist) if kind is NoticeKind.ENDED else 0
    return clock.today() + dt.timedelta(days=days)


def out_of_range(first: dt.date) -> RuleBrokenError:
    """Return the error for a day before the first possible one, or more than a year ahead."""
    days = (first - clock.today()).days
    words: object = _l("Choose a day from %(day)s on, within a year.", day=as_date(first))
    if days:
        words = _ln(
            "Choose a day from %(day)s on, within a year. Notice agreed: %(num)s day.",
            "Choose a day from %(day)s on, within a year. Notice agreed: %(num)s days.",
            days,
            day=as_date(first),
        )
    return RuleBrokenError(words, "from_on")


@dataclass(frozen=True, slots=True)
class Duties:
    """The duties that one signed text lists, and the language they are shown in."""

    language: str
    parts: list[Part_]


def surviving_duties(checklist: Checklist, language: str = "") -> list[Duties]:
    """Return the duties that continue after the end, according to the signed texts."""
    survivals: list[Duties] = []
    terms = terms_of(checklist)
    for stopped_text in {
        id(text): text for text in (terms, checklist) if text is not None
    }.values():
        document = standing_document(stopped_text) if stopped_text.kind in SURVIVING else None
        if document is not None:
            survivals.append(duties_in(document, stopped_text.kind, language))
    return [duties for duties in survivals if duties.parts]


def duties_in(document: Mapping[str, Any], kind: ChecklistKind, language: str) -> Duties:
    """Return the duties that continue after the end, according to one signed text of a kind."""
    item, keys = SURVIVING[kind]
    shown = frozen_text.shown_in(document, language)
    return Duties(shown, frozen_text.parts_in(document, item, keys, shown))


def open_notices(checklist: Checklist) -> list[Notice]:
    """Return the notices that are neither lifted nor withdrawn, the oldest first."""
    return _open_notices([checklist.id])


def _open_notices(checklist_ids: Collection[UUID]) -> list[Notice]:
    return list(
        db.session.scalars(
            sa.select(Notice)
            .where(Notice.checklist_id.in_(checklist_ids), Notice.closed_at.is_(None))
            .order_by(Notice.given_at, Notice.id)
            .options(
                load_joined(Notice.organisation, Organisation.name),
                load_joined(Notice.given_by, User.name),
            )
        )
    )


def replaced_by_signing(checklist: Checklist) -> list[Notice]:
    """Return the open notices that no longer count once all have signed a new text, oldest first.

    A party that gave one has to sign after it, so each page up to the signature names them. A text
    that has ended stays ended until it is agreed again.
    """
    return replaced_by_signing_each([checklist])[checklist.id]


def replaced_by_signing_each(checklists: Collection[Checklist]) -> dict[UUID, list[Notice]]:
    """Return the same for each of some checklists, in one query."""
    replaced: dict[UUID, list[Notice]] = {checklist.id: [] for checklist in checklists}
    standing = [row.id for row in checklists if standing_revision_id(row) is not None]
    for notice in _open_notices(standing) if standing else ():
        if notice.kind is NoticeKind.SUSPENDED or notice.taken_effect_at is None:
            replaced[notice.checklist_id].append(notice)
    return replaced


def find(checklist: Checklist, notice_id: UUID) -> Notice | None:
    """Return a notice of a checklist that was found for somebody, open or not, or None."""
    return db.session.scalar(
        sa.select(Notice).where(Notice.id == notice_id, Notice.checklist_id == checklist.id)
    )


# Give notice --------------------------------------------------------------------------------------


def give_notice(
    actor: Actor,
    checklist: Checklist,
    kind: NoticeKind,
    *,
    reason: str,
    from_on: dt.date | None = None,
) -> Notice:
    """Suspend or end a text in force for the actor's party, from a day on, with a reason (5.8).

    Takes effect immediately if that day is today; otherwise the worker applies it on that day.
    """
    lock(checklist)
    loaded = load(checklist)
    own = loaded.own_party(actor)
    can_give_notice(actor, loaded, kind).require()
    if not reason.strip():
        raise RuleBrokenError(_l("Give the reason."), "reason")
    if any(
        notice.kind is kind and own is not None and notice.organisation_id == own.organisation_id
        for notice in open_notices(checklist)
    ):
        raise RuleBrokenError(_l("Your organisation has already given this notice."))
    first = earliest(checklist, kind)
    day = from_on or first
    if not first <= day <= clock.today() + dt.timedelta(days=MOST_DAYS):
        raise out_of_range(first)
    revision_id = standing_revision_id(checklist)
    if own is None or revision_id is None:  # can_give_notice has already refused
        raise LookupError
    notice = Notice(
        id=uuid4(),
        checklist_id=checklist.id,
        revision_id=revision_id,
        kind=kind,
        organisation_id=own.organisation_id,
        given_by_id=actor.user_id,
        given_at=clock.now(),
        from_on=day,
        notice_days=(first - clock.today()).days,
        reason=reason.strip(),
    )
    db.session.add(notice)
    db.session.flush()
    _record(
        verbs.NOTICE_GIVEN,
        actor,
        checklist,
        notice,
        evidence=canonical.digest_of(notice.content()),
        what=kind.value,
        since=day.isoformat(),
        reason=notice.reason,
    )
    if day <= clock.today():
        _take_effect(actor, checklist, notice)
    messages.notice_was_given(checklist.id, agreements.everyone(loaded) - {actor.user_id})
    return notice


def can_give_notice(actor: Actor, loaded: LoadedChecklist, kind: NoticeKind) -> Decision:
    """Decide whether a person may suspend or end a text now, with a power that is current today.

    Nobody in a closed cooperation, whose texts have ended (P7).
    """
    checklist = loaded.checklist
    in_force = checklist.revision_in_force_id is not None
    # A suspended text can still be ended.
    stopped = kind is NoticeKind.ENDED and checklist.stopped_by is NoticeKind.SUSPENDED
    may = loaded.goes_on() and policy.can_give_notice(
        actor,
        loaded.own_party(actor),
        in_force=in_force or stopped,
        is_restricted=is_restricted(checklist),
        is_joining=people.is_joining(loaded.cooperation, actor.organisation_id),
    )
    if not may:
        return may
    return signoff_policy.has_power(signoff_policy.signing_membership(actor), clock.today())


def due_notices(day: dt.date) -> Sequence[UUID]:
    """Return the notices that are due and have not taken effect, oldest first."""
    return db.session.scalars(
        sa.select(Notice.id).where(_is_due(day)).order_by(Notice.given_at, Notice.id)
    ).all()


def carry_out(notice_id: UUID, day: dt.date) -> bool:
    """Apply a notice that is due; return False if it was already closed or applied.

    For the worker. Skips a notice whose text is locked. Raise NotSoundError if no event binds the
    notice: nobody gave it here, and applying it would make an event of it.
    """
    row = db.session.execute(
        sa.select(Notice, Checklist)
        .join(Checklist, Checklist.id == Notice.checklist_id)
        .where(Notice.id == notice_id, _is_due(day))
        .with_for_update(of=(Notice, Checklist), skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return False
    notice, checklist = row
    lock(checklist)
    _apply(checklist, notice)
    messages.notice_was_given(checklist.id, agreements.everyone(load(checklist)))
    return True


def _apply(checklist: Checklist, notice: Notice) -> None:
    """Apply a notice that is due; raise NotSoundError if no event binds it."""
    if not _is_bound(checklist, notice):
        raise witness.NotSoundError
    _take_effect(None, checklist, notice)


def _is_bound(checklist: Checklist, notice: Notice) -> bool:
    digest = canonical.digest_of(notice.content())
    return witness.is_bound_in(checklist.cooperation_id, digest, (verbs.NOTICE_GIVEN,), SUBJECT)


def _is_due(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(
        Notice.from_on <= day, Notice.taken_effect_at.is_(None), Notice.closed_at.is_(None)
    )


def _take_effect(actor: Actor | None, checklist: Checklist, notice: Notice) -> None:
    """Take the text out of force; an ending also calls back a pending amendment."""
    notice.taken_effect_at = clock.now()
    if checklist.revision_in_force_id is not None:
        checklist.stopped_id = checklist.revision_in_force_id
        checklist.revision_in_force_id = None
    checklist.stopped_by = notice.kind
    state, verb = _STOPPED[notice.kind]
    if notice.kind is NoticeKind.ENDED:
        checklist.open_items = None
        checklist.state = state
        _close_others(checklist, notice)
        _end_what_waits(actor, checklist, notice)
    elif checklist.state is ChecklistState.IN_FORCE:
        checklist.state = state
    db.session.flush()
    _record(verb, actor, checklist, notice, reason=notice.reason)


def _end_what_waits(actor: Actor | None, checklist: Checklist, notice: Notice) -> None:
    """Call back a pending amendment, since the text it would change has ended."""
    if checklist.revision_sent_id is None:
        return
    signature_request = signoff.locked_request(checklist.revision_sent_id)
    checklist.revision_sent_id = None
    signoff.overtake(signature_request)
    agreements.refresh_scans(checklist)
    messages.no_longer_waits_for_signature(checklist.id)
    trail.record(
        verbs.SIGNATURE_REQUEST_WITHDRAWN,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=signature_request.revision.number,
        reason=notice.reason,
    )


def _close_others(checklist: Checklist, notice: Notice) -> None:
    """Close the other notices on a text that has ended, since there is nothing left to suspend."""
    for other in open_notices(checklist):
        if other.id != notice.id:
            other.closed_at = clock.now()


# Lift, withdraw -----------------------------------------------------------------------------------


def close_notice(actor: Actor, checklist: Checklist, notice_id: UUID, *, reason: str) -> Notice:
    """Lift a suspension, or withdraw a notice before its day; only the party that gave it may.

    A text that ended stays ended: it has to be agreed and signed again.
    """
    lock(checklist)
    loaded = load(checklist)
    notices = open_notices(checklist)
    notice = next((notice for notice in notices if notice.id == notice_id), None)
    if notice is None:
        raise closed_already()
    can_close_notice(actor, loaded, notice).require()
    if not reason.strip():
        raise RuleBrokenError(_l("Give the reason."), "reason")
    _close(actor, checklist, notice, reason.strip(), notices)
    messages.notice_was_given(checklist.id, agreements.everyone(loaded) - {actor.user_id})
    return notice


def also_suspended_by(checklist: Checklist, notice: Notice) -> list[str]:
    """Return the names of the parties by whose notices a text stays suspended without this one."""
    return [
        other.organisation.name
        for other in open_notices(checklist)
        if other.id != notice.id and other.kind is NoticeKind.SUSPENDED and other.has_come
    ]


def closed_already() -> RuleBrokenError:
    """Return the error for closing a notice that is lifted or taken back."""
    return RuleBrokenError(_l("This notice no longer exists."))


def can_close_notice(actor: Actor, loaded: LoadedChecklist, notice: Notice) -> Decision:
    """Decide whether a person may lift a suspension or withdraw a notice now; as for giving one."""
    if _has_ended(notice):
        return no(_l("A text that has ended has to be agreed and signed again."))
    own = loaded.own_party(actor)
    may = loaded.goes_on() and policy.can_close_notice(actor, own, notice.organisation_id)
    if not may:
        return may
    return signoff_policy.has_power(signoff_policy.signing_membership(actor), clock.today())


def close_for_departure(
    actor: Actor | None, checklist: Checklist, organisation_id: UUID, reason: str
) -> None:
    """Close the notices of a party that has left, since nobody else could."""
    notices = open_notices(checklist)
    for notice in notices:
        if notice.organisation_id == organisation_id and not _has_ended(notice):
            _close(actor, checklist, notice, reason, notices)


def _has_ended(notice: Notice) -> bool:
    """Return whether a notice has ended its text: from its day on, also before it is applied."""
    return notice.kind is NoticeKind.ENDED and notice.has_come


def _close(
    actor: Actor | None,
    checklist: Checklist,
    notice: Notice,
    reason: str,
    notices: Iterable[Notice],
) -> None:
    """Lift a suspension, or withdraw a notice before its day.

    notices are those that were open when the checklist was locked. A suspension that is due
    is applied first if the worker hasn't done so: everybody could read that the text is suspended.
    A notice that no event binds never has an effect, and is only closed.
    """
    if notice.has_come and notice.taken_effect_at is None and _is_bound(checklist, notice):
        _apply(checklist, notice)
    notice.closed_at = clock.now()
    notice.closed_by_id = actor.user_id if actor else None
    notice.closed_reason = reason
    if notice.taken_effect_at is None:
        _record(
            verbs.NOTICE_TAKEN_BACK,
            actor,
            checklist,
            notice,
            what=notice.kind.value,
            reason=reason,
        )
    else:
        _lift(actor, checklist, notice, notices)


def _lift(
    actor: Actor | None, checklist: Checklist, notice: Notice, notices: Iterable[Notice]
) -> None:
    """Put the text back into force, unless another suspension is still open."""
    if not any(other.closed_at is None and other.taken_effect_at is not None for other in notices):
        checklist.revision_in_force_id = checklist.stopped_id
        checklist.stopped_id = None
        checklist.stopped_by = None
        if checklist.state is ChecklistState.SUSPENDED:
            checklist.state = ChecklistState.IN_FORCE
    db.session.flush()
    _record(verbs.SUSPENSION_LIFTED, actor, checklist, notice, reason=notice.closed_reason)


def can_agree_anew(actor: Actor, loaded: LoadedChecklist) -> Decision:
    """Decide whether a person may reopen a text that ended; never in a closed cooperation."""
    if loaded.cooperation.stage in CLOSED:
        return no(_l("This cooperation is closed. Open a new one."))
    return policy.can_agree_anew(actor, loaded.own_party(actor), loaded.checklist.state)


def agree_anew(actor: Actor, checklist: Checklist, *, reason: str) -> None:
    """Reopen a whole text that has ended, to be agreed and signed again; its history stays."""
    lock(checklist)
    loaded = load(checklist)
    can_agree_anew(actor, loaded).require()
    if not reason.strip():
        raise RuleBrokenError(_l("Give the reason."), "reason")
    agreements.back_to_drafting(checklist, None, reason)
    trail.record(
        verbs.AMENDMENT_OPENED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        items=[],
        reason=reason.strip(),
    )


def _record(
    verb: Verb,
    actor: Actor | None,
    checklist: Checklist,
    notice: Notice,
    *,
    evidence: str | None = None,
    **more: Any,
) -> None:
    trail.record(
        verb,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        evidence=evidence,
        kind=checklist.kind.value,
        revision=db.session.get_one(Revision, notice.revision_id).number,
        organisation=db.session.get_one(Organisation, notice.organisation_id).name,
        **more,
    )
