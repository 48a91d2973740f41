"""Who may see the register of undertakings. Pure."""

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no

READERS = (Role.MANAGER, Role.COORDINATOR)


def reads_for_npm(actor: Actor) -> bool:
    """Return whether a person reads it for the NPM they act for: its managers and coordinators.

    An outside expert of an NPM counts as an outsider, like a CSO's people (S11).
    """
    return actor.acts_for_npm and actor.has(*READERS) and not actor.outside_expert


def can_see_undertakings(actor: Actor) -> Decision:
    """Decide who sees the register of undertakings: the NPM's readers, and its auditors.

    A CSO sees its own people in each cooperation, and has no register (product.md, section 2).
    """
    if reads_for_npm(actor) or actor.has(Role.AUDITOR):
        return YES
    return no(
        _l(
            "Only the NPM's managers and coordinators, and its auditors, can see the register of "
            "undertakings."
        )
    )
