"""The handler that updates checklists when one body replaces another as a party (N13)."""

from uuid import UUID

from flask_babel import gettext as _

from tracker.activity.service import DomainEvent
from tracker.agreements import party_changes
from tracker.checklists.loading import lock
from tracker.checklists.models import ChecklistState


def follow_replacement(event: DomainEvent) -> None:
    """Put the successor in the place of a party on each checklist. Handler of PARTY_REPLACED.

    What was sent for signature is called back: the text names the former party. What the former
    accepted counts for it alone, so the successor is asked for everything in the drafts. What is in
    force stays so.
    """
    former_id, successor_id = (
        UUID(str(event.details[key])) for key in ("former_id", "successor_id")
    )
    if event.actor is None or event.cooperation_id is None:
        raise LookupError  # an administrator does this
    reason = str(
        _(
            "%(successor)s took the place of %(former)s, whom this text names.",
            successor=event.details["successor"],
            former=event.details["former"],
        )
    )
    for checklist in party_changes.checklists_of(event.cooperation_id, former_id):
        lock(checklist)
        party_changes.withdraw_proposals(checklist, former_id)
        if checklist.state is ChecklistState.SENT:
            party_changes.call_back(event.actor, checklist, reason)
        party_changes.replace(checklist, former_id, successor_id)
