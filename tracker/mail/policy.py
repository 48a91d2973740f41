"""Who may view the outbox. Pure."""

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no


def can_see_outbox(actor: Actor) -> Decision:
    """Decide who sees queued and failed messages: administrators."""
    if actor.is_administrator:
        return YES
    return no(_l("Only administrators can see waiting messages."))
