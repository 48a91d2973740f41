"""Event handlers that ask people to return material, and begin a closing."""

from tracker.activity import verbs
from tracker.activity.service import DomainEvent
from tracker.closing import service
from tracker.closing.policy import ASKED_AFTER
from tracker.cooperations.models import Cooperation, Stage
from tracker.core.db import db
from tracker.undertakings import queries as undertakings


def follow_undertaking(event: DomainEvent) -> None:
    """Ask a person whose access has ended what became of their copies.

    Handler of UNDERTAKING_CLOSED. Does nothing for an undertaking that never gave access.
    """
    undertaking = undertakings.locked(event.subject_id)
    if undertaking.countersigned_at is None or undertaking.closed_reason not in ASKED_AFTER:
        return
    service.request_return(event.actor, undertaking)


def follow_clearance(event: DomainEvent) -> None:
    """Cancel the request of a person who is cleared again. Handler of UNDERTAKING_COUNTERSIGNED."""
    undertaking = undertakings.locked(event.subject_id)
    service.cancel_return(event.actor, undertaking.cooperation_id, undertaking.user_id)


def follow_stage(event: DomainEvent) -> None:
    """Begin the closing of a cooperation that has ended (P7). Handler of STAGE_CHANGED."""
    if event.verb is verbs.STAGE_CHANGED and event.details.get("after") == Stage.CLOSED.value:
        service.begin_closing(event.actor, db.session.get_one(Cooperation, event.cooperation_id))
