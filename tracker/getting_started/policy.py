"""Who sets up the instance: tests its email, sees its settings. Pure."""

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no


def can_set_up(actor: Actor) -> Decision:
    """Decide who tests email and sees the settings: administrators."""
    if actor.is_administrator:
        return YES
    return no(_l("Only administrators can test email and see the settings."))
