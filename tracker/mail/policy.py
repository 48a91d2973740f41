"""Who may view the outbox. Pure."""

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no


def can_see_outbox(actor: Actor) -> Decision:
    """Decide whether a person sees which messages wait or failed: administrators."""
    if actor.is_administrator:
        return YES
    return no(_l("Only administrators see the messages that wait."))
