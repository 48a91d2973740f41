"""Who may edit the guidance, and choose between edited and shipped revisions. Pure."""

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no


def can_edit(actor: Actor) -> Decision:
    """Decide who edits the guidance, and decides on revisions shipped after an edit."""
    if actor.is_administrator:
        return YES
    return no(_l("Only administrators can edit the guidance."))


def can_use_shipped(actor: Actor, *, is_newest_shipped: bool, is_current: bool) -> Decision:
    """Decide whether a shipped revision may replace one edited here: only the latest."""
    allowed = can_edit(actor)
    if not allowed:
        return allowed
    if is_current:
        return no(_l("This revision is already current."))
    if not is_newest_shipped:
        return no(_l("Only the newest revision from an update can be used as it is."))
    return YES


def can_pass_over(actor: Actor, *, waits: bool) -> Decision:
    """Decide whether an edited text may be kept instead of a shipped revision."""
    allowed = can_edit(actor)
    if not allowed:
        return allowed
    if not waits:
        return no(_l("Only a revision that is waiting for a decision can be passed over."))
    return YES
