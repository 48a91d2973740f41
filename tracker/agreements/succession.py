"""The handler that updates checklists when one body replaces another as a party (N13)."""

from uuid import UUID

from flask_babel import gettext as _

from tracker.activity.service import DomainEvent
from tracker.agreements import party_changes


def follow_replacement(event: DomainEvent) -> None:
    """Replace a party by its successor on each checklist.

    Handler of PARTY_REPLACED. A pending text is called back, since it names the former party. What
    the former party accepted counts for it alone, so the successor is asked about everything in the
    drafts. The tasks of the former party's people and its notices end, since nobody else could end
    them; the successor can give notice again. Texts in force stay so.
    """
    if event.actor is None or event.cooperation_id is None:
        raise LookupError  # done by an administrator
    reason = _(
        "%(successor)s took the place of %(former)s, which this text names.",
        successor=event.details["successor"],
        former=event.details["former"],
    )
    former_id, successor_id = (
        UUID(str(event.details[key])) for key in ("former_id", "successor_id")
    )
    party_changes.take_out(
        event.actor, event.cooperation_id, former_id, str(reason), successor_id=successor_id
    )
