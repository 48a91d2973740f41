"""Service functions for reviews: begin, save, confirm, conclude, call off, and outcomes (G6).

A record is saved in versions that never change. Each party confirms one version; a new version
voids the confirmations. With the last confirmation the outcome takes effect. If the parties go on
unchanged, the NPM can conclude the review without a party that says nothing for 30 days.

In one file: whoever concludes a review does it by the same private functions.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.accounts import queries as accounts
from tracker.activity import verbs, witness
from tracker.activity.service import DomainEvent, record
from tracker.activity.verbs import Verb
from tracker.agreements import evidence, renewal
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.heads import lock
from tracker.checklists.models import Checklist, NoticeKind
from tracker.cooperations import people
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation, Party, Stage
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.lifecycle import service as lifecycle
from tracker.reviews import messages, policy, queries, records
from tracker.reviews.models import (
    SUBJECT,
    Outcome,
    Review,
    ReviewConfirmation,
    ReviewVersion,
)
from tracker.reviews.records import Record
from tracker.signoff import shown
from tracker.signoff.identity_proof import SigningPage
from tracker.signoff.labels import DIFFERS
from tracker.signoff.models import Revision

MAX_TEXT = 5000


def begin(actor: Actor, cooperation: Cooperation) -> Review:
    """Begin a review of an active cooperation and enter stage P5; record REVIEW_BEGUN.

    Raise RefusedError as policy.can_begin says, RuleBrokenError while another is being held.
    """
    terms = _locked_terms(cooperation)
    current = queries.open_review(cooperation.id)
    if current is not None:
        raise RuleBrokenError(_l("A review is already being held."))
    policy.can_begin(actor, queries.fact(cooperation, terms, current)).require()
    if terms is None or terms.revision_in_force_id is None or actor.organisation_id is None:
        raise LookupError  # can_begin has refused already
    review = Review(
        id=uuid4(),
        cooperation_id=cooperation.id,
        number=1 + _last_number(cooperation.id),
        revision_id=terms.revision_in_force_id,
        begun_at=clock.now(),
        begun_by_id=actor.user_id,
        organisation_id=actor.organisation_id,
        version=0,
        called_off_reason="",
    )
    db.session.add(review)
    db.session.flush()
    _record(
        verbs.REVIEW_BEGUN,
        actor,
        review,
        organisation=actor.organisation_name,
        revision=db.session.get_one(Revision, review.revision_id).number,
    )
    lifecycle.begin_review(actor, cooperation)
    everyone = _people_with(cooperation, policy.BEGINNERS)
    messages.review_is_near_no_more(terms.id)
    messages.review_was_begun(cooperation.reference, everyone - {actor.user_id}, review.id)
    return review


def save(
    actor: Actor, cooperation: Cooperation, number: int, written: Record, *, version: int | None
) -> bool:
    """Save a version of a review's record; return False if nothing differs from the last one.

    version is the one the person saw: raise StaleError if somebody else saved in the meantime. The
    record may be incomplete; only a complete one can be confirmed.
    """
    terms = _locked_terms(cooperation)
    review = _get_review(cooperation, number)
    policy.can_write(actor, queries.fact(cooperation, terms, review)).require()
    if version != review.version:
        raise StaleError(
            _l("Somebody else changed this in the meantime. Compare both and save again.")
        )
    _require_short(written)
    for field, message in policy.contradictions(written, queries.names(cooperation).items()):
        raise RuleBrokenError(message, field)
    last = queries.last_version(review)
    content = written.content()
    if last is not None and last.content == content:
        return False
    if terms is None or actor.organisation_id is None:
        raise LookupError  # can_write has refused already
    lacks = policy.problems(written, queries.record_fact(cooperation, terms, review))
    saved = ReviewVersion(
        id=uuid4(),
        review_id=review.id,
        number=review.version + 1,
        content=content,
        digest=_digest(cooperation, review, review.version + 1, content),
        is_complete=not lacks,
        saved_at=clock.now(),
        saved_by_id=actor.user_id,
        organisation_id=actor.organisation_id,
    )
    review.version = saved.number
    db.session.add(saved)
    db.session.flush()
    _record(
        verbs.REVIEW_SAVED,
        actor,
        review,
        version=saved.number,
        organisation=actor.organisation_name,
        record_digest=saved.digest,
    )
    return True


def page_with(review: Review) -> SigningPage:
    """Return a page opened now that shows the last version of a review's record."""
    version = queries.last_version(review)
    return shown.page_with(version.digest if version else "")


def confirm(
    actor: Actor, cooperation: Cooperation, number: int, *, page: SigningPage | None
) -> Review:
    """Confirm the record for the actor's party; with the last party the outcome takes effect (G6).

    page is the one the person acted on: raise NotShownError unless it showed the last version
    (signed means seen, product.md 5.3).
    """
    terms = _locked_terms(cooperation)
    review = _get_review(cooperation, number)
    fact = queries.fact(cooperation, terms, review)
    policy.can_confirm(actor, fact, clock.today()).require()
    version = queries.last_version(review)
    if terms is None or version is None or actor.organisation_id is None:
        raise LookupError  # can_confirm has refused already
    shown.require(page, version.digest)
    written = records.read(version.content)
    _require_still_right(written, cooperation, terms, review)
    confirmed = {organisation_id for organisation_id, _user_id in fact.confirmed}
    if actor.organisation_id not in confirmed:
        _confirm(actor, review, version, actor.organisation_id)
        confirmed.add(actor.organisation_id)
    waiting = [
        party
        for party in people.joined_parties(cooperation)
        if party.organisation_id not in confirmed
    ]
    if waiting:
        able = accounts.people_with_role([actor.organisation_id], policy.CONFIRMERS)
        messages.no_longer_waits(review.id, {actor.user_id, *able})
        # Nobody confirms for two parties.
        have_confirmed = {user_id for _organisation_id, user_id in fact.confirmed} | {actor.user_id}
        messages.review_waits_for_you(
            cooperation.reference,
            accounts.people_with_role(
                [party.organisation_id for party in waiting], policy.CONFIRMERS, can_act=True
            )
            - have_confirmed,
            review.id,
        )
    else:
        _conclude(actor, cooperation, terms, review, written)
    return review


def conclude_without(
    actor: Actor, cooperation: Cooperation, number: int, *, reason: str, page: SigningPage | None
) -> Review:
    """Conclude a review without the parties that haven't confirmed it; record who they are and why.

    So a party that says nothing doesn't keep the NPM from visiting (S7). Raise RefusedError as
    policy.can_conclude_without says, NotShownError unless page showed the last version, and
    RuleBrokenError without a reason, if the record no longer fits, or if its confirmations are not
    those that events bind: they say how long the others have had.
    """
    terms = _locked_terms(cooperation)
    review = _get_review(cooperation, number)
    fact = queries.fact(cooperation, terms, review)
    policy.can_conclude_without(
        actor, fact.for_conclusion(actor.organisation_id), clock.today()
    ).require()
    version = queries.last_version(review)
    if terms is None or version is None:
        raise LookupError  # can_conclude_without has refused already
    shown.require(page, version.digest)
    reason = reason.strip()
    if not reason:
        raise RuleBrokenError(_l("Give the reason."), "reason")
    _require_at_most("reason", reason)
    rows = [version, *queries.standing_confirmations(review)]
    if not witness.are_as_recorded(cooperation.id, rows):
        raise RuleBrokenError(DIFFERS)
    written = records.read(version.content)
    _require_still_right(written, cooperation, terms, review)
    _record(
        verbs.REVIEW_CONCLUDED_WITHOUT,
        actor,
        review,
        version=version.number,
        organisation=actor.organisation_name,
        parties=list(fact.missing),
        reason=reason,
        record_digest=version.digest,
    )
    _conclude(actor, cooperation, terms, review, written)
    return review


def _confirm(actor: Actor, review: Review, version: ReviewVersion, organisation_id: UUID) -> None:
    confirmation = ReviewConfirmation(
        id=uuid4(),
        review_id=review.id,
        version=version.number,
        organisation_id=organisation_id,
        user_id=actor.user_id,
        role=Role.MANAGER if actor.has(Role.MANAGER) else Role.SIGNATORY,
        digest=version.digest,
        confirmed_at=clock.now(),
    )
    db.session.add(confirmation)
    db.session.flush()
    _record(
        verbs.REVIEW_CONFIRMED,
        actor,
        review,
        version=version.number,
        organisation=actor.organisation_name,
        record_digest=version.digest,
    )


def call_off(actor: Actor, cooperation: Cooperation, number: int, *, reason: str) -> Review:
    """Call a review off with a reason; what was saved stays in history.

    Leaves stage P5, unless the review before it decided to end the agreement and nobody has given
    notice yet: only another decision changes that one.
    """
    terms = _locked_terms(cooperation)
    review = _get_review(cooperation, number)
    policy.can_call_off(actor, queries.fact(cooperation, terms, review)).require()
    if not reason.strip():
        raise RuleBrokenError(_l("Give the reason."), "reason")
    _close(actor, review, reason.strip())
    if not queries.awaits_notice(cooperation.id):
        lifecycle.end_review(actor, cooperation)
    everyone = _people_with(cooperation, (*policy.BEGINNERS, *policy.CONFIRMERS))
    messages.review_was_called_off(cooperation.reference, everyone - {actor.user_id})
    return review


# What follows from other events -------------------------------------------------------------------


def follow_stop(event: DomainEvent) -> None:
    """Call an open review off when the terms are suspended or end.

    A handler. For TEXT_SUSPENDED and TEXT_ENDED; there is nothing left to review, and a new one can
    begin once the terms are in force again.
    """
    if event.details.get("kind") != ChecklistKind.TERMS.value or event.cooperation_id is None:
        return
    messages.review_is_near_no_more(event.subject_id)
    review = queries.open_review(event.cooperation_id)
    if review is not None:
        _close(event.actor, review, "")


def follow_notice(event: DomainEvent) -> None:
    """Leave stage P5 when notice is given as a review decided.

    Handler of NOTICE_GIVEN. Not if the notice takes effect on the same day, which closes the
    cooperation immediately.
    """
    details = event.details
    is_end = details.get("what") == NoticeKind.ENDED.value
    if details.get("kind") != ChecklistKind.TERMS.value or not is_end:
        return
    if dt.date.fromisoformat(details["since"]) <= clock.today() or event.cooperation_id is None:
        return
    if queries.open_review(event.cooperation_id) is None:
        cooperation = db.session.get_one(Cooperation, event.cooperation_id)
        lifecycle.end_review(event.actor, cooperation)


def follow_force(event: DomainEvent) -> None:
    """Leave stage P5 once all have signed other terms than those they had decided to end.

    Handler of CAME_INTO_FORCE. A review that is being held goes on.
    """
    if event.details.get("kind") != ChecklistKind.TERMS.value or event.cooperation_id is None:
        return
    cooperation = db.session.get_one(Cooperation, event.cooperation_id)
    if cooperation.stage is Stage.UNDER_REVIEW and queries.open_review(cooperation.id) is None:
        lifecycle.end_review(event.actor, cooperation)


def follow_stage(event: DomainEvent) -> None:
    """Return to stage P5 after a suspension if the last review decided to end the terms.

    Handler of STAGE_CHANGED. Nobody has given notice of the end yet, and they still have to.
    """
    is_active_again = event.details.get("after") == Stage.ACTIVE.value
    came_from_review = event.details.get("before") == Stage.UNDER_REVIEW.value
    if not is_active_again or came_from_review or event.cooperation_id is None:
        return
    cooperation = db.session.get_one(Cooperation, event.cooperation_id)
    # Nobody has held a review before the cooperation became active.
    if cooperation.reviewed_on is not None and queries.awaits_notice(cooperation.id):
        lifecycle.begin_review(event.actor, cooperation)


# How an outcome takes effect ----------------------------------------------------------------------


def _conclude(
    actor: Actor, cooperation: Cooperation, terms: Checklist, review: Review, written: Record
) -> None:
    outcome = written.outcome
    if outcome is None or written.held_on is None:  # a complete record has both
        raise LookupError
    if outcome is not Outcome.END and not evidence.look(terms).agrees:
        # The parties go on with these terms. Another text's fault holds up nothing.
        raise RuleBrokenError(DIFFERS)
    review.concluded_at = clock.now()
    review.held_on, review.outcome = written.held_on, outcome
    db.session.flush()
    messages.review_has_ended(review.id)
    _record(
        verbs.REVIEW_CONCLUDED,
        actor,
        review,
        version=review.version,
        on=written.held_on.isoformat(),
        outcome=outcome.value,
        next=written.next_on.isoformat() if written.next_on else "",
    )
    # The amendment is opened before the stage is left: each reads the text in force.
    if outcome is Outcome.RENEW:
        renewal.open_renewal(
            actor,
            terms,
            start=written.starts_on,
            review=_day(written.next_on),
            end=_day(written.ends_on),
            reason=written.reason,
        )
    elif outcome is Outcome.AMEND:
        agreements.open_amendment(actor, terms, reason=written.reason, items=written.items)
    cooperations.move_review(
        actor,
        cooperation,
        held_on=written.held_on,
        signed_review=renewal.signed_review(terms),
        next_on=None if outcome is Outcome.END else written.next_on,
    )
    # A party may have given notice before all decided to end: then there is none to wait for.
    if not queries.awaits_notice(cooperation.id):
        lifecycle.end_review(actor, cooperation)
    everyone = _people_with(cooperation, (*policy.BEGINNERS, *policy.CONFIRMERS))
    messages.review_was_concluded(cooperation.reference, everyone - {actor.user_id})


def _require_still_right(
    written: Record, cooperation: Cooperation, terms: Checklist, review: Review
) -> None:
    """Raise RuleBrokenError if the record no longer fits: days passed, parties or terms changed."""
    lacks = policy.problems(written, queries.record_fact(cooperation, terms, review))
    if lacks:
        raise RuleBrokenError(lacks[0][1])
    if written.outcome is None:
        raise LookupError
    can = policy.can_take_effect(
        written.outcome, terms_are_settled=queries.fact(cooperation, terms, None).terms_are_settled
    )
    if not can:
        raise RuleBrokenError(can.reason)


def _close(actor: Actor | None, review: Review, reason: str) -> None:
    review.called_off_at = clock.now()
    review.called_off_by_id = actor.user_id if actor and reason else None
    review.called_off_reason = reason
    db.session.flush()
    messages.review_has_ended(review.id)
    _record(verbs.REVIEW_CALLED_OFF, actor, review, reason=reason)


def _locked_terms(cooperation: Cooperation) -> Checklist | None:
    """Lock the cooperation until the transaction ends, and return its agreed terms."""
    terms = queries.terms_of(cooperation)
    if terms is not None:
        lock(terms)
        # What was read before others released the lock may be out of date.
        db.session.refresh(cooperation, ["stage", "starts_on", "ends_on", "review_on"])
    return terms


def _get_review(cooperation: Cooperation, number: int) -> Review:
    review = queries.find(cooperation, number)
    if review is None:
        raise RuleBrokenError(_l("That review doesn't exist."))
    return review


def _last_number(cooperation_id: UUID) -> int:
    last = sa.select(sa.func.max(Review.number)).where(Review.cooperation_id == cooperation_id)
    return db.session.scalar(last) or 0


def _digest(cooperation: Cooperation, review: Review, version: int, content: dict[str, Any]) -> str:
    return canonical.digest_of(
        {
            "format": records.FORMAT,
            "cooperation": cooperation.reference,
            "review": review.number,
            "text": review.revision.digest,
            "version": version,
            "record": content,
        }
    )


def _require_short(written: Record) -> None:
    texts = {
        "other_points": written.other_points,
        "reason": written.reason,
        **{f"words_{code}": result.words for code, result in written.results.items()},
    }
    for field, text in texts.items():
        _require_at_most(field, text)


def _require_at_most(field: str, text: str) -> None:
    if len(text) > MAX_TEXT:
        raise RuleBrokenError(_l("Use at most %(most)s characters", most=MAX_TEXT), field)


def _day(day: dt.date | None) -> dt.date:
    if day is None:  # a complete record has it
        raise LookupError
    return day


def _people_with(cooperation: Cooperation, roles: Collection[Role]) -> set[UUID]:
    return _people_of(people.joined_parties(cooperation), roles)


def _people_of(parties: Iterable[Party], roles: Collection[Role]) -> set[UUID]:
    return accounts.people_with_role([party.organisation_id for party in parties], roles)


def _record(verb: Verb, actor: Actor | None, review: Review, **details: Any) -> None:
    record(
        verb,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=review.id,
        cooperation_id=review.cooperation_id,
        number=review.number,
        **details,
    )
