"""Service functions for outside second readers: ask, withdraw, confirm, end."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.accounts import queries as accounts
from tracker.accounts.people import invitations
from tracker.activity import service as trail
from tracker.activity import stale, verbs
from tracker.activity.service import DomainEvent
from tracker.activity.stale import Stale
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import policy as checklist_policy
from tracker.checklists.heads import load_heads
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.models import (
    Checklist,
    OutsideReading,
    ReadingEnd,
    SafeguardReview,
)
from tracker.checklists.negotiation import safeguards
from tracker.checklists.negotiation.text_digest import text_digest
from tracker.checklists.outside_reading import messages, policy, queries
from tracker.checklists.rules.done_tests import is_alone
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.core.names import tidied
from tracker.signoff import shown
from tracker.signoff.identity_proof import SigningPage

SUBJECT = "checklist"
# The longest texts of an invitation.
MOST = {"name": 200, "function": 200, "reason": 2000}


@dataclass(frozen=True, slots=True)
class NewReader:
    """Whom to ask, in which language, until when, and why the NPM has nobody else."""

    name: str
    function: str
    email: str
    until_on: dt.date
    reason: str
    language: str = "en"


def ask(actor: Actor, checklist: Checklist, wanted: NewReader) -> OutsideReading:
    """Ask somebody to read the terms as outside second reader, if the NPM has nobody else.

    Somebody with an account gets an email, others are invited to create one. Raise RefusedError, or
    RuleBrokenError with the field: name, function, email, until_on, reason.
    """
    loaded = load_for_update(checklist)
    policy.can_ask(actor, loaded.own_party(actor)).require()
    _require_unread(loaded)
    require_nobody_else(loaded)
    name, function, reason = (
        tidied(wanted.name),
        " ".join(wanted.function.split()),
        wanted.reason.strip(),
    )
    _require_words(name=name, function=function, reason=reason)
    lasting = policy.can_last(wanted.until_on, clock.today())
    if not lasting:
        raise RuleBrokenError(lasting.reason, "until_on")
    email = invitations.address_of(wanted.email)
    able = policy.can_read(queries.candidate(loaded.cooperation, loaded.sheet.authors, email))
    if not able:
        raise RuleBrokenError(able.reason, "email")
    user = accounts.find_user_by_email(email)
    reading = OutsideReading(
        id=uuid4(),
        checklist_id=checklist.id,
        organisation_id=actor.organisation_id,
        name=name,
        function=function,
        email=email,
        reason=reason,
        until_on=wanted.until_on,
        asked_by_id=actor.user_id,
        asked_at=clock.now(),
        reader_id=user.id if user else None,
    )
    db.session.add(reading)
    db.session.flush()
    trail.record(
        verbs.OUTSIDE_READER_ASKED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        name=name,
        function=function,
        until=wanted.until_on.isoformat(),
        reason=reason,
    )
    if user is None:
        days = (wanted.until_on - clock.today()).days + 1
        invitations.invite_reader(actor, email, name=name, language=wanted.language, days=days)
    else:
        messages.asked_to_read(reading.id, user.id)
    return reading


def _require_unread(loaded: LoadedChecklist) -> None:
    """Refuse to ask anybody about a text that needs no second reader now."""
    checklist = loaded.checklist
    if checklist.kind is not ChecklistKind.TERMS:
        raise RefusedError(_l("Only the agreed terms are read by a second reader."))
    checklist_policy.is_open(checklist.state, None, "M5").require()
    if checklist.reading is not None:
        raise RuleBrokenError(_l("An outside second reader is already invited."))
    if loaded.review is not None:
        raise RuleBrokenError(_l("The review has already been confirmed."))


def _require_words(**words: str) -> None:
    """Raise RuleBrokenError, with the field, for a text that is missing or too long."""
    for field, text in words.items():
        if not text:
            raise RuleBrokenError(_l("Enter an answer"), field)
        if len(text) > MOST[field]:
            raise RuleBrokenError(_l("Use at most %(num)s characters", num=MOST[field]), field)


def require_nobody_else(loaded: LoadedChecklist) -> None:
    """Raise RuleBrokenError if somebody at the NPM, who wrote no answer, could read."""
    if not is_alone(loaded.surroundings, loaded.sheet):
        others = loaded.surroundings.npm_people - loaded.sheet.authors
        names = sorted(
            loaded.people[user_id].name for user_id in others if user_id in loaded.people
        )
        raise RuleBrokenError(
            _l(
                "%(name)s of the NPM takes part and wrote none of the answers. Name them as "
                "second reader in “Independence of the NPM”.",
                name=names[0],
            )
            if names
            else _l("Nobody of the NPM takes part in this cooperation.")
        )
    safeguards.require_nobody_else(loaded)


def take_back(actor: Actor, checklist: Checklist) -> None:
    """Withdraw an invitation to read; the reader's access ends immediately.

    Raise RefusedError, or RuleBrokenError if there is none.
    """
    loaded = load_for_update(checklist)
    policy.can_ask(actor, loaded.own_party(actor)).require()
    reading = loaded.checklist.reading
    if reading is None:
        raise RuleBrokenError(_l("No outside second reader is invited."))
    _end(actor, checklist, reading, ReadingEnd.TAKEN_BACK)
    if not queries.not_accepted(reading.email):
        invitations.revoke_reader(actor, reading.email)


def confirm(
    actor: Actor, reading_id: UUID, *, page: SigningPage | None, method: str
) -> SafeguardReview:
    """Confirm, as outside reader, the review of independence and flexibility (stage P2, G3).

    The caller has a fresh proof of identity; method says which. page is the one they read: raise
    NotShownError if the text has changed since. Their access ends with it.
    """
    invited = queries.find(actor, reading_id)
    loaded = load_for_update(invited.checklist) if invited else None
    reading = safeguards.read_from_outside(actor, loaded) if loaded else None
    if loaded is None or reading is None:
        raise RefusedError(_l("You can't read this text any more."))
    checklist = loaded.checklist
    shown.require_recent(page, text_digest(loaded, reading))
    safeguards.require_readable(loaded)
    review = SafeguardReview(
        id=uuid4(),
        checklist_id=checklist.id,
        reader_id=actor.user_id,
        reviewed_at=clock.now(),
        reading_id=reading.id,
    )
    reading.ended_at, reading.end = clock.now(), ReadingEnd.READ
    db.session.add(review)
    stale.mark(Stale.CHECKLIST, [checklist.id], actor)
    db.session.flush()
    trail.record(
        verbs.SAFEGUARDS_REVIEWED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        because=reading.reason,
        name=reading.name,
        function=reading.function,
        method=method,
    )
    messages.no_longer_asked(reading.id)
    messages.was_read(checklist.id, reading.asked_by_id)
    return review


def follow_invitation(event: DomainEvent) -> None:
    """Open to a person with a new account the texts that they were asked to read.

    Handler of INVITATION_ACCEPTED; by accepting they proved that the address is theirs.
    """
    if event.actor is None:
        return
    for reading in queries.not_accepted(event.actor.email):
        reading.reader_id = event.subject_id
        db.session.flush()
        trail.record(
            verbs.OUTSIDE_READER_ACCEPTED,
            actor=event.actor,
            subject_type=SUBJECT,
            subject_id=reading.checklist_id,
            cooperation_id=reading.checklist.cooperation_id,
            kind=reading.checklist.kind.value,
            name=reading.name,
        )


def follow_frozen(event: DomainEvent) -> None:
    """End an open invitation if its text was frozen without the reader, or is no longer a draft.

    Handler of SENT_FOR_SIGNATURE, FORMER_AGREEMENT_RECORDED and AMENDMENT_CALLED_OFF.
    """
    row = db.session.get_one(Checklist, event.subject_id)
    checklist = load_heads([row])[row.id]
    if checklist.reading is not None:
        is_frozen = event.verb is not verbs.AMENDMENT_CALLED_OFF
        end = ReadingEnd.FROZEN if is_frozen else ReadingEnd.TAKEN_BACK
        _end(event.actor, checklist, checklist.reading, end)


def expire(reading_id: UUID, day: dt.date) -> bool:
    """End an invitation whose last day has passed; return False if it has already ended.

    For the worker. Skips a text that is locked.
    """
    checklist = queries.held_if_run_out(reading_id, day)
    reading = queries.open_on(checklist.id) if checklist else None
    if checklist is None or reading is None:
        return False
    _end(None, checklist, reading, ReadingEnd.RAN_OUT)
    messages.ran_out(checklist.id, reading.asked_by_id)
    return True


def _end(
    actor: Actor | None, checklist: Checklist, reading: OutsideReading, end: ReadingEnd
) -> None:
    reading.ended_at, reading.end = clock.now(), end
    db.session.flush()
    messages.no_longer_asked(reading.id)
    trail.record(
        verbs.OUTSIDE_READING_ENDED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        name=reading.name,
        how=end.value,
    )
