"""Who may see the register of agreements. Pure."""

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no

READERS = (Role.MANAGER, Role.AUDITOR)


def can_see_register(actor: Actor) -> Decision:
    """Decide who sees the register: managers of a party, and auditors of its NPM."""
    if actor.has(*READERS):
        return YES
    return no(_l("Only managers and auditors can see the register."))
