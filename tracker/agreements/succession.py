"""The handler that updates checklists when one body replaces another as a party (N13)."""

from uuid import UUID

from flask_babel import gettext as _

from tracker.activity.service import DomainEvent
from tracker.agreements import party_changes


def follow_replacement(event: DomainEvent) -> None:
    """Put the successor in the place of a party on each checklist. Handler of PARTY_REPLACED.

    What was sent for signature is called back: the text names the former party. What the former
    accepted counts for it alone, so the successor is asked for everything in the drafts. Tasks of
    the former's people and its notices end, since nobody else could end them; the successor can
    give notice anew. What is in force stays so.
    """
    if event.actor is None or event.cooperation_id is None:
        raise LookupError  # an administrator does this
    reason = _(
        "%(successor)s took the place of %(former)s, whom this text names.",
        successor=event.details["successor"],
        former=event.details["former"],
    )
    former_id, successor_id = (
        UUID(str(event.details[key])) for key in ("former_id", "successor_id")
    )
    party_changes.take_out(
        event.actor, event.cooperation_id, former_id, str(reason), successor_id=successor_id
    )
