"""Event handlers that ask people for undertakings and close undertakings."""

from dataclasses import replace
from uuid import UUID, uuid4

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.activity import verbs
from tracker.activity.service import DomainEvent, record
from tracker.activity.stale import Stale, mark
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.heads import lock
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.checklists.queries import OPEN_ACCESS, access_is_stopped
from tracker.cooperations import clearances
from tracker.cooperations.models import Clearance, ClearanceEnd
from tracker.cooperations.policy import AT_REST
from tracker.cooperations.queries import have_terms_run_out
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.models import Organisation
from tracker.signoff.models import Revision
from tracker.undertakings import encryption, messages, people, queries
from tracker.undertakings.facts import LIST, Draft, Listed
from tracker.undertakings.models import SUBJECT, Undertaking, UndertakingEnd, UndertakingState
from tracker.undertakings.policy import DECIDERS

# The reasons for closing an undertaking, with those recorded on its clearance, and the reverse.
_CLEARANCE_ENDS = {
    UndertakingEnd.NEW_TERMS: ClearanceEnd.NEW_TERMS,
    UndertakingEnd.UNLISTED: ClearanceEnd.UNLISTED,
    UndertakingEnd.LEFT: ClearanceEnd.LEFT,
    UndertakingEnd.SUSPENDED: ClearanceEnd.SUSPENDED,
    UndertakingEnd.WITHDRAWN: ClearanceEnd.WITHDRAWN,
    UndertakingEnd.WITHDRAWN_BY_NPM: ClearanceEnd.WITHDRAWN,
    UndertakingEnd.EXPIRED: ClearanceEnd.EXPIRED,
    UndertakingEnd.TERMS_SUSPENDED: ClearanceEnd.TERMS_SUSPENDED,
    UndertakingEnd.TERMS_ENDED: ClearanceEnd.TERMS_ENDED,
    # Neither of them gave access.
    UndertakingEnd.PAPER_REFUSED: ClearanceEnd.WITHDRAWN,
    UndertakingEnd.PAPER_WITHDRAWN: ClearanceEnd.WITHDRAWN,
}
_ENDS: dict[str, UndertakingEnd] = {
    ClearanceEnd.NEW_TERMS: UndertakingEnd.NEW_TERMS,
    ClearanceEnd.UNLISTED: UndertakingEnd.UNLISTED,
    ClearanceEnd.LEFT: UndertakingEnd.LEFT,
    ClearanceEnd.SUSPENDED: UndertakingEnd.SUSPENDED,
    ClearanceEnd.EXPIRED: UndertakingEnd.EXPIRED,
    ClearanceEnd.TERMS_SUSPENDED: UndertakingEnd.TERMS_SUSPENDED,
    ClearanceEnd.TERMS_ENDED: UndertakingEnd.TERMS_ENDED,
}
# Listed people whose last undertaking ended like this are asked again.
_ASKED_ANEW_AFTER = frozenset(
    {
        UndertakingEnd.UNLISTED,
        UndertakingEnd.LEFT,
        UndertakingEnd.SUSPENDED,
        UndertakingEnd.TERMS_SUSPENDED,
        UndertakingEnd.PAPER_REFUSED,
        UndertakingEnd.PAPER_WITHDRAWN,
    }
)


def follow_terms(event: DomainEvent) -> None:
    """Ask everybody listed in the terms that came into force.

    Handler of CAME_INTO_FORCE. New confidentiality terms immediately close all earlier undertakings
    and their access. New agreed terms may end a suspension, or a time after their last day: whoever
    is listed and wasn't asked meanwhile is asked.
    """
    if event.details.get("kind") == ChecklistKind.CONFIDENTIALITY and event.cooperation_id:
        bring_up_to_date(event.cooperation_id, event.actor)
        clearances.close_for_terms(event.actor, event.cooperation_id)
    else:
        follow_lift(event)


def follow_stop(event: DomainEvent) -> None:
    """Close all undertakings and their access when terms are suspended or end.

    Handler of TEXT_SUSPENDED and TEXT_ENDED, for the agreed terms and the confidentiality terms.
    """
    if event.details.get("kind") not in OPEN_ACCESS or not event.cooperation_id:
        return
    ended = event.verb is verbs.TEXT_ENDED
    reason = UndertakingEnd.TERMS_ENDED if ended else UndertakingEnd.TERMS_SUSPENDED
    for undertaking in queries.open_ones(event.cooperation_id):
        close(event.actor, undertaking, reason)
    clearances.close_for_terms(event.actor, event.cooperation_id, _CLEARANCE_ENDS[reason])


def follow_lift(event: DomainEvent) -> None:
    """Ask everybody listed again once terms are in force again.

    Handler of SUSPENSION_LIFTED and TEXT_RENEWED.
    """
    if event.details.get("kind") in OPEN_ACCESS and event.cooperation_id:
        mark(Stale.CLEARANCES, [event.cooperation_id], event.actor)


def follow_list(event: DomainEvent) -> None:
    """Ask people added to the list in C2 to sign; close for those removed.

    Handler of ANSWER_SAVED.
    """
    details = event.details
    is_list = (details.get("kind"), details.get("item")) == (ChecklistKind.CONFIDENTIALITY, LIST)
    if is_list and event.cooperation_id:
        mark(Stale.CLEARANCES, [event.cooperation_id], event.actor)


def follow_people(event: DomainEvent) -> None:
    """Close for people who left, ask those who joined.

    Handler of PERSON_JOINED and PERSON_LEFT.
    """
    if event.cooperation_id:
        mark(Stale.CLEARANCES, [event.cooperation_id], event.actor)


def follow_suspension(event: DomainEvent) -> None:
    """Close undertakings of a suspended person, ask a restored one, in all cooperations.

    Handler of PERSON_SUSPENDED and PERSON_RESTORED, whose subject is the person.
    """
    mark(Stale.CLEARANCES, queries.cooperations_of(event.subject_id), event.actor)


def follow_decider(event: DomainEvent) -> None:
    """Tell people who took a signature if nobody else is left who decides for the NPM.

    Handler of ROLE_ENDED and PERSON_SUSPENDED, whose subject is the person, and of POWER_RAN_OUT,
    which names them.
    """
    if event.verb is verbs.ROLE_ENDED and event.details.get("role") not in DECIDERS:
        return
    is_of_role = event.verb is verbs.POWER_RAN_OUT
    person_id = UUID(event.details["person_id"]) if is_of_role else event.subject_id
    for undertaking in queries.waiting_for_npm_of(person_id):
        loaded = queries.load(undertaking)
        taken_by = loaded.standing.taken_by
        besides = taken_by | {undertaking.user_id}
        is_other = person_id not in besides
        if (
            taken_by
            and is_other
            and not people.all_deciders(undertaking.cooperation_id, besides=besides)
        ):
            messages.nobody_else_decides(undertaking, loaded.terms.reference)


def follow_clearance(event: DomainEvent) -> None:
    """Close an undertaking whose clearance was closed elsewhere.

    Handler of CLEARANCE_CLOSED.
    """
    clearance = db.session.get_one(Clearance, event.subject_id)
    undertaking = queries.locked_or_none(clearance.undertaking_id)
    if undertaking is not None:
        reason = _ENDS.get(clearance.closed_reason, UndertakingEnd.WITHDRAWN_BY_NPM)
        close(event.actor, undertaking, reason)
        if reason is UndertakingEnd.EXPIRED:
            # If it was the last day of the terms, other open undertakings can no longer be
            # finished.
            mark(Stale.CLEARANCES, [undertaking.cooperation_id], event.actor)


def bring_up_to_date(cooperation_id: UUID, actor: Actor | None) -> None:
    """Bring a cooperation's open undertakings in line with who must sign now.

    Those on older terms, of people who left, were suspended or are no longer listed are closed, and
    those that nobody can finish because the last day of the terms has passed. People who are listed
    and have none are asked.
    """
    checklist = queries.confidentiality(cooperation_id)
    if checklist is None or checklist.revision_in_force_id is None:
        return
    lock(checklist)
    loaded = load(checklist)
    named = {listed_person.user_id: listed_person for listed_person in queries.listed(loaded)}
    homes = people.homes(cooperation_id)
    revision = db.session.get_one(Revision, checklist.revision_in_force_id)
    is_over = queries.terms_of(revision).is_over(clock.today())
    kept_ids: set[UUID] = set()
    drafts: dict[UUID, Draft] = {}
    for undertaking in queries.open_ones(cooperation_id):
        reason = _reason_to_close(undertaking, checklist, named, homes, is_over=is_over)
        if reason is None:
            kept_ids.add(undertaking.user_id)
            continue
        if reason is UndertakingEnd.NEW_TERMS:
            drafts[undertaking.user_id] = encryption.draft_of(undertaking)
        close(actor, undertaking, reason)
    stop = (
        loaded.cooperation.stage in AT_REST
        or have_terms_run_out(loaded.cooperation)
        or is_over
        or access_is_stopped(cooperation_id)
    )
    if stop:
        return
    endings = queries.last_endings(revision.id)
    for person in named.values():
        ending = endings.get(person.user_id)
        if person.user_id not in kept_ids and (ending is None or ending in _ASKED_ANEW_AFTER):
            ask(actor, revision, person, drafts.get(person.user_id))


def ask(
    actor: Actor | None, revision: Revision, listed: Listed, draft: Draft | None = None
) -> Undertaking:
    """Ask a person for an undertaking on a revision of the terms; record it and mail them.

    What the person entered for earlier terms is kept as a draft, but nothing counts as confirmed.
    """
    undertaking = Undertaking(
        id=uuid4(),
        cooperation_id=revision.cooperation_id,
        user_id=listed.user_id,
        organisation_id=listed.organisation_id,
        function=listed.function,
        terms_revision_id=revision.id,
        state=UndertakingState.ASKED,
        asked_at=clock.now(),
    )
    if draft is not None and draft.saved_at is not None:
        encryption.put_draft(undertaking, replace(draft, confirmed=frozenset(), is_ready=False))
    db.session.add(undertaking)
    db.session.flush()
    person = db.session.get_one(User, listed.user_id)
    record(
        verbs.UNDERTAKING_ASKED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=undertaking.id,
        cooperation_id=undertaking.cooperation_id,
        person=person.name,
        organisation=db.session.get_one(Organisation, listed.organisation_id).name,
        terms_revision=revision.number,
    )
    messages.requested(undertaking, person)
    return undertaking


def close(actor: Actor | None, undertaking: Undertaking, reason: UndertakingEnd) -> bool:
    """Close an undertaking and its access; return False if it was already closed."""
    if undertaking.state is UndertakingState.CLOSED:
        return False
    undertaking.state = UndertakingState.CLOSED
    undertaking.closed_at = clock.now()
    undertaking.closed_reason = reason.value
    encryption.put_draft(undertaking, None)
    db.session.flush()
    messages.was_closed(undertaking.id)
    record(
        verbs.UNDERTAKING_CLOSED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=undertaking.id,
        cooperation_id=undertaking.cooperation_id,
        person=undertaking.user.name,
        reason=reason.value,
    )
    clearances.close_for_undertaking(actor, undertaking.id, _CLEARANCE_ENDS[reason])
    return True


def _reason_to_close(
    undertaking: Undertaking,
    checklist: Checklist,
    named: dict[UUID, Listed],
    homes: dict[UUID, list[UUID]],
    *,
    is_over: bool,
) -> UndertakingEnd | None:
    if undertaking.terms_revision_id != checklist.revision_in_force_id:
        return UndertakingEnd.NEW_TERMS
    if undertaking.user.suspended_at is not None or not undertaking.user.active:
        return UndertakingEnd.SUSPENDED
    if undertaking.organisation_id not in homes.get(undertaking.user_id, ()):
        return UndertakingEnd.LEFT
    if undertaking.user_id not in named:
        return UndertakingEnd.UNLISTED
    # One that has opened a clearance ends with it.
    if is_over and undertaking.countersigned_at is None:
        return UndertakingEnd.EXPIRED
    return None
