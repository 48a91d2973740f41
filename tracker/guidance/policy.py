"""Who may edit the guidance. Pure."""

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no


def can_edit(actor: Actor) -> Decision:
    """Decide on editing the guidance, and on what was shipped over an edited text."""
    if actor.is_administrator:
        return YES
    return no(_l("Only administrators edit the guidance."))
