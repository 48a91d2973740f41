"""Who may export evidence, and who is due to receive a checkpoint. Pure."""

import datetime as dt
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no

# At most one email to a person in this time, unless a text came into force.
BETWEEN_ANCHORS = dt.timedelta(days=7)


def can_export(actor: Actor) -> Decision:
    """Decide who may export a cooperation's evidence: the managers of its parties."""
    if actor.organisation_id is not None and actor.has(Role.MANAGER):
        return YES
    return no(_l("Only managers of the parties can export the evidence."))


@dataclass(frozen=True, slots=True)
class AnchorStatus:
    """What a coordinator has received, compared with the latest checkpoint.

    last_at is when the last one was mailed to them. has_changed and has_new_text say what has
    happened since in their cooperations: anything at all; a text that came into force.
    """

    last_at: dt.datetime | None
    has_changed: bool
    has_new_text: bool


def anchor_is_due(standing: AnchorStatus, now: dt.datetime) -> bool:
    """Decide whether to mail the latest checkpoint to a coordinator now."""
    if not standing.has_changed:
        return False
    if standing.has_new_text or standing.last_at is None:
        return True
    return now - standing.last_at >= BETWEEN_ANCHORS
