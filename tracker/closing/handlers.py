"""Event handlers that ask people to return material, and begin a closing."""

from tracker.activity import verbs
from tracker.activity.service import DomainEvent
from tracker.closing import queries, service
from tracker.closing.policy import is_asked_after
from tracker.cooperations.models import Cooperation, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff.models import Revision
from tracker.undertakings import queries as undertakings
from tracker.undertakings.models import Undertaking, UndertakingEnd


def follow_undertaking(event: DomainEvent) -> None:
    """Ask a person whose access has ended what became of their copies.

    Handler of UNDERTAKING_CLOSED. People who never had access aren't asked; people who had it under
    an earlier undertaking, closed because of new terms, are asked about that one.
    """
    undertaking = undertakings.locked(event.subject_id)
    end = UndertakingEnd(undertaking.closed_reason)
    # Read only if it makes a difference.
    is_over = end is UndertakingEnd.EXPIRED and _terms_are_over(undertaking)
    if is_asked_after(end, terms_are_over=is_over):
        for opened in queries.never_asked(undertaking.cooperation_id, undertaking.user_id):
            service.request_return(event.actor, opened)


def _terms_are_over(undertaking: Undertaking) -> bool:
    revision = db.session.get_one(Revision, undertaking.terms_revision_id)
    return undertakings.terms_of(revision).is_over(clock.today())


def follow_departure(event: DomainEvent) -> None:
    """Ask people who have left and have no open undertaking. Handler of PERSON_LEFT.

    Their access had ended before, because of new terms, a suspension or its last day. An open
    undertaking is closed by another handler, and its person is asked then.
    """
    if event.cooperation_id is not None:
        for opened in queries.never_asked_and_gone(event.cooperation_id):
            service.request_return(event.actor, opened)


def follow_clearance(event: DomainEvent) -> None:
    """Cancel the request of a person who is cleared again. Handler of UNDERTAKING_COUNTERSIGNED."""
    undertaking = undertakings.locked(event.subject_id)
    service.cancel_return(event.actor, undertaking.cooperation_id, undertaking.user_id)


def follow_stage(event: DomainEvent) -> None:
    """Begin the closing of a cooperation that has ended (P7). Handler of STAGE_CHANGED."""
    if event.verb is verbs.STAGE_CHANGED and event.details.get("after") == Stage.CLOSED.value:
        service.begin_closing(event.actor, db.session.get_one(Cooperation, event.cooperation_id))
