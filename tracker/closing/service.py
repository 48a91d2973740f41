"""Service functions for closing: ask for returns, confirm, record or except them; complete it."""

import datetime as dt
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.activity.verbs import Verb
from tracker.closing import encryption, messages, policy, queries
from tracker.closing.models import (
    Closing,
    Disposal,
    MaterialReturn,
    RecordedHow,
    ReturnState,
)
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.signoff.models import Revision
from tracker.undertakings import queries as undertakings
from tracker.undertakings.models import Undertaking

SUBJECT = "material_return"
CLOSING = "closing"
MAX_WORDS = 2000
MAX_LESSONS = 5000


def request_return(actor: Actor | None, undertaking: Undertaking) -> MaterialReturn | None:
    """Ask a person whose access has ended what became of their copies (C17); record and mail it.

    Return None if they have already been asked. undertaking is the one that had given access, with
    its person and organisation.
    """
    if queries.open_of(undertaking.cooperation_id, undertaking.user_id) is not None:
        return None
    terms = undertakings.terms_of(db.session.get_one(Revision, undertaking.terms_revision_id))
    request = MaterialReturn(
        id=uuid4(),
        cooperation_id=undertaking.cooperation_id,
        user_id=undertaking.user_id,
        organisation_id=undertaking.organisation_id,
        undertaking_id=undertaking.id,
        requested_at=clock.now(),
        due_on=terms.return_by,
        user=undertaking.user,
        organisation=undertaking.organisation,
    )
    db.session.add(request)
    db.session.flush()
    _record(verbs.RETURN_REQUESTED, actor, request)
    messages.requested(request)
    return request


def cancel_return(actor: Actor | None, cooperation_id: UUID, user_id: UUID) -> None:
    """Cancel the open request of a person who is cleared again."""
    request = queries.open_of(cooperation_id, user_id)
    if request is None:
        return
    _answer(request, ReturnState.CANCELLED, actor)
    _record(verbs.RETURN_CANCELLED, actor, request)


def confirm(actor: Actor, return_id: UUID, disposal: Disposal, words: str = "") -> MaterialReturn:
    """Confirm what became of the actor's own copies (C17).

    Raise RefusedError for anybody else and the second time, RuleBrokenError for too long a text.
    """
    request = queries.locked(return_id)
    policy.can_confirm(actor, queries.fact(request)).require()
    _require_length(words, MAX_WORDS, "words")
    request.disposal = disposal
    encryption.put_words(request, words)
    _answer(request, ReturnState.CONFIRMED, actor)
    _record(verbs.RETURN_CONFIRMED, actor, request, disposal=disposal.value)
    return request


def record_confirmation(
    actor: Actor, return_id: UUID, disposal: Disposal, how: RecordedHow, words: str
) -> MaterialReturn:
    """Record for the NPM what a person without an account confirms about their copies (C17).

    words say when they did, and where the paper is kept if there is one. Raise RefusedError for
    people who may not and about somebody with an account, RuleBrokenError without words.
    """
    request = queries.locked(return_id)
    policy.can_record(actor, queries.fact(request), clock.today()).require()
    if not words.strip():
        raise RuleBrokenError(_l("Say when and how they confirmed it"), "words")
    _require_length(words, MAX_WORDS, "words")
    request.disposal = disposal
    request.recorded_how = how
    encryption.put_words(request, words)
    _answer(request, ReturnState.CONFIRMED, actor)
    _record(verbs.RETURN_RECORDED, actor, request, disposal=disposal.value, how=how.value)
    return request


def record_exception(actor: Actor, return_id: UUID, reason: str) -> MaterialReturn:
    """Record for the NPM why a person's confirmation is missing (G7).

    Raise RefusedError for people who may not, RuleBrokenError without a reason.
    """
    request = queries.locked(return_id)
    policy.can_except(actor, queries.fact(request), clock.today()).require()
    if not reason.strip():
        raise RuleBrokenError(_l("Say why there is no confirmation"), "reason")
    _require_length(reason, MAX_WORDS, "reason")
    encryption.put_words(request, reason)
    _answer(request, ReturnState.EXCEPTED, actor)
    _record(verbs.RETURN_EXCEPTED, actor, request)
    return request


def begin_closing(actor: Actor | None, cooperation: Cooperation) -> Closing:
    """Begin the closing of a cooperation that ended, and ask everybody who had access."""
    closing = queries.closing_of(cooperation.id)
    if closing is None:
        closing = Closing(id=uuid4(), cooperation_id=cooperation.id, begun_at=clock.now())
        db.session.add(closing)
        db.session.flush()
    for undertaking in queries.never_asked(cooperation.id):
        request_return(actor, undertaking)
    return closing


def complete(actor: Actor, cooperation: Cooperation, lessons: str = "") -> Closing:
    """Complete the closing once every person has answered (G7), recording the lessons learned.

    Raise RefusedError for people who may not, and while an answer is missing.
    """
    closing = queries.locked_closing(cooperation.id)
    policy.can_complete(
        actor, queries.closing_fact(cooperation.id, closing), clock.today()
    ).require()
    _require_length(lessons, MAX_LESSONS, "lessons")
    if closing is None:
        raise LookupError("The cooperation has no closing.")
    closing.lessons = lessons
    closing.completed_at = clock.now()
    closing.completed_by_id = actor.user_id
    db.session.flush()
    record(
        verbs.CLOSING_COMPLETED,
        actor=actor,
        subject_type=CLOSING,
        subject_id=closing.id,
        cooperation_id=cooperation.id,
    )
    return closing


def remind(return_id: UUID, day: dt.date) -> bool:
    """Remind a person on the day by which copies are due, once; return whether it was sent.

    A job.
    """
    request = queries.locked(return_id)
    if request.state is not ReturnState.REQUESTED or request.reminded_on is not None:
        return False
    request.reminded_on = day
    messages.overdue(request)
    return True


def _answer(request: MaterialReturn, state: ReturnState, actor: Actor | None) -> None:
    request.state = state
    request.answered_at = clock.now()
    request.answered_by_id = actor.user_id if actor else None
    db.session.flush()
    messages.answered(request)


def _record(verb: Verb, actor: Actor | None, request: MaterialReturn, **details: str) -> None:
    record(
        verb,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=request.id,
        cooperation_id=request.cooperation_id,
        person=request.user.name,
        organisation=request.organisation.name,
        **details,
    )


def _require_length(words: str, most: int, field: str) -> None:
    if len(words) > most:
        raise RuleBrokenError(_l("Use at most %(num)s characters", num=most), field)
