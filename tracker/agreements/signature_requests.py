"""Service functions for pending signature requests: pass on, remind, expire."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.accounts import queries as accounts
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.agreements import service as agreements
from tracker.agreements.service import SUBJECT, WHO_SIGNS
from tracker.checklists import encryption, messages, policy, queries
from tracker.checklists.encryption import is_restricted
from tracker.checklists.heads import lock
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.signoff import service as signoff
from tracker.signoff import signers
from tracker.signoff.identity_proof import SigningPage
from tracker.signoff.models import RequestState, Revision, SignatureRequest, SignatureSlot
from tracker.signoff.policy import RequestStatus


def pass_on(
    actor: Actor,
    checklist: Checklist,
    holder_id: UUID,
    to_id: UUID,
    *,
    page: SigningPage | None,
    reason: str,
) -> SignatureSlot:
    """Pass a colleague's slot on to another signatory with the same power (5.5).

    It may also have been the slot of the person named in M1. The text is frozen and can't say so,
    so a reason is required; it is shown on the signing pages, on the record and the certificate
    and, except for a visit's texts, in the history. Raise NotShownError if the person's page showed
    another text.
    """
    lock(checklist)
    queries.goes_on(checklist).require()
    signature_request = agreements.waiting_request(checklist)
    loaded = load(checklist)
    standing = agreements.standing_of(signature_request)
    able = {person.user_id: person.name for person in who_can_take_over(actor, loaded, standing)}
    if to_id not in able:
        raise RuleBrokenError(
            _l("Choose a signatory of your organisation with power to sign today."), "person"
        )
    slot = signoff.pass_on(
        actor,
        signature_request,
        holder_id,
        to_id,
        page=page,
        reason=reason,
        key=encryption.key_for(checklist),
    )
    parties = signers.passed_on(standing.parties, slot.organisation_id, holder_id, to_id)
    agreements.require_four_eyes(loaded, parties, "person")
    trail.record(
        verbs.SIGNING_PASSED_ON,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=signature_request.revision.number,
        organisation=actor.organisation_name,
        organisation_id=str(slot.organisation_id),
        before=accounts.names([holder_id])[holder_id],
        before_id=str(holder_id),
        after=able[to_id],
        after_id=str(to_id),
        reason="" if is_restricted(checklist) else reason.strip(),
    )
    messages.no_longer_waits_for_signature(checklist.id, [holder_id])
    if (slot.organisation_id, to_id) in signers.whose_turn(parties, standing.signed):
        messages.waits_for_signature(checklist.id, [to_id])
    if actor.user_id != holder_id:
        messages.was_passed_on(checklist.id, [holder_id])
    return slot


def who_can_take_over(
    actor: Actor, loaded: LoadedChecklist, standing: RequestStatus
) -> list[accounts.Signatory]:
    """Return the people of the actor's organisation to whom a slot can be passed on."""
    if actor.organisation_id is None:
        return []
    named = {user for party in standing.parties for user in party.user_ids} | standing.former
    return [
        signatory
        for signatory in agreements.signatories(loaded).get(actor.organisation_id, ())
        if signatory.holds_on(clock.today()) and signatory.user_id not in named
    ]


# Remind -------------------------------------------------------------------------------------------


def remind(actor: Actor, checklist: Checklist, user_ids: Collection[UUID]) -> None:
    """Remind chosen people who can sign now, at most once a day; record it."""
    lock(checklist)
    queries.goes_on(checklist).require()
    signature_request = agreements.waiting_request(checklist)
    policy.can_remind(actor, load(checklist).own_party(actor)).require()
    standing = agreements.standing_of(signature_request)
    standing.is_waiting(clock.today()).require()
    due = {user for _party, user in signers.whose_turn(standing.parties, standing.signed)}
    chosen = set(user_ids)
    if not chosen or not chosen <= due:
        raise RuleBrokenError(_l("Choose who is reminded."), "people")
    if signature_request.reminded_on == clock.today():
        raise RuleBrokenError(_l("A reminder was already sent today. Send the next one tomorrow."))
    _remind(actor, checklist, signature_request, chosen)


def reminders_due(day: dt.date) -> list[UUID]:
    """Return the pending requests with a reminder due by a day; for the worker."""
    rows = db.session.execute(
        sa.select(
            SignatureRequest.id,
            SignatureRequest.sent_at,
            SignatureRequest.reminded_on,
            SignatureRequest.remind_every,
        )
        .where(_is_reminded_of(day))
        .order_by(SignatureRequest.sent_at, SignatureRequest.id)
    )
    return [row.id for row in rows if _next_reminder(*row[1:]) <= day]


def send_reminder(request_id: UUID, day: dt.date) -> bool:
    """Send a request's due reminder; return False if it was already sent, or the request has ended.

    Reminders stop when everybody has signed, when the request ends or the day that the text states
    has passed, and for people who have signed. For the worker; skips a text that is locked.
    """
    checklist = _waiting_text(SignatureRequest.id == request_id, _is_reminded_of(day))
    if checklist is None:
        return False
    signature_request = agreements.waiting_request(checklist)
    standing = agreements.standing_of(signature_request)
    next_day = _next_reminder(
        signature_request.sent_at, signature_request.reminded_on, signature_request.remind_every
    )
    if next_day > day or not standing.is_waiting(day):
        return False
    _remind(None, checklist, signature_request, _whom(signature_request, checklist, standing))
    return True


def _is_reminded_of(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(
        SignatureRequest.state == RequestState.WAITING,
        SignatureRequest.remind_every.is_not(None),
        sa.or_(SignatureRequest.expires_on.is_(None), SignatureRequest.expires_on >= day),
    )


def _next_reminder(sent_at: dt.datetime, reminded_on: dt.date | None, every: int | None) -> dt.date:
    sent_on = sent_at.astimezone(clock.zone()).date()
    return (reminded_on or sent_on) + dt.timedelta(days=every or 0)


def _whom(
    signature_request: SignatureRequest, checklist: Checklist, standing: RequestStatus
) -> set[UUID]:
    """Return who is reminded now: people who can sign, and coordinators of parties yet to sign."""
    chosen = set(signature_request.remind_whom or ())
    person_ids: set[UUID] = set()
    if WHO_SIGNS in chosen:
        person_ids |= {
            user for _party, user in signers.whose_turn(standing.parties, standing.signed)
        }
    if not is_restricted(checklist):
        for organisation_id in signers.waiting(standing.parties, standing.signed):
            of_party = {person.user_id for person in accounts.people_of(organisation_id)}
            person_ids |= {person_id for person_id in of_party if str(person_id) in chosen}
    return person_ids


def _remind(
    actor: Actor | None,
    checklist: Checklist,
    signature_request: SignatureRequest,
    whom: Iterable[UUID],
) -> None:
    signature_request.reminded_on = clock.today()
    db.session.flush()
    people = set(whom)
    if not people:
        return
    messages.still_waits_for_signature(checklist.id, people)
    trail.record(
        verbs.SIGNATORIES_REMINDED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=signature_request.revision.number,
        people=sorted(accounts.names(people).values()),
    )


# Expire -------------------------------------------------------------------------------------------


def expired(day: dt.date) -> Sequence[UUID]:
    """Return the pending requests whose last day was before a day."""
    return db.session.scalars(
        sa.select(SignatureRequest.id)
        .where(_has_run_out(day))
        .order_by(SignatureRequest.expires_on)
    ).all()


def expire(request_id: UUID, day: dt.date) -> bool:
    """End a request whose last day has passed and notify everybody; False if it has already ended.

    For the worker; nobody could sign since that day. The row only says when to look: the last day
    is the one that the text states. Skips a text that is locked.
    """
    checklist = _waiting_text(SignatureRequest.id == request_id, _has_run_out(day))
    if checklist is None:
        return False
    signature_request = agreements.waiting_request(checklist)
    last = agreements.standing_of(signature_request).expires_on
    if last is None or not signoff.expire(signature_request, last):
        return False
    loaded = load(checklist)
    agreements.back_to_drafting(checklist, checklist.open_items, "")
    trail.record(
        verbs.SIGNATURE_REQUEST_EXPIRED,
        actor=None,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=signature_request.revision.number,
        until=last.isoformat(),
    )
    messages.ran_out(checklist.id, agreements.concerned(loaded, signature_request))
    return True


def _has_run_out(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(
        SignatureRequest.state == RequestState.WAITING, SignatureRequest.expires_on < day
    )


def _waiting_text(*conditions: sa.ColumnElement[bool]) -> Checklist | None:
    """Lock and return the checklist of a pending request; None if it is no longer pending.

    Also None if somebody else has locked it: they may be ending the request.
    """
    checklist = db.session.scalar(
        sa.select(Checklist)
        .join(Revision, Revision.subject_id == Checklist.id)
        .join(SignatureRequest, SignatureRequest.revision_id == Revision.id)
        .where(Checklist.revision_sent_id == Revision.id, *conditions)
        .with_for_update(of=Checklist, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if checklist is None:
        return None
    lock(checklist)
    return checklist if checklist.revision_sent_id is not None else None
