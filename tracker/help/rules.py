"""Which page of help is written for whom. Pure."""

from tracker.access.actor import Actor, Role

NPM_COORDINATOR = "npm-coordinator"
CSO_COORDINATOR = "cso-coordinator"
EXPERT = "expert"
SIGNATORY = "signatory"
MANAGER = "manager"
ADMINISTRATOR = "administrator"
# In the order in which the list shows them.
READERS = (NPM_COORDINATOR, CSO_COORDINATOR, EXPERT, SIGNATORY, MANAGER, ADMINISTRATOR)


def own_page(actor: Actor | None) -> str | None:
    """Return the page for somebody's main role; None for people without a role or an account."""
    if actor is None:
        return None
    if actor.has(Role.COORDINATOR):
        return NPM_COORDINATOR if actor.acts_for_npm else CSO_COORDINATOR
    if actor.has(Role.SIGNATORY):
        return SIGNATORY
    if actor.has(Role.MANAGER, Role.AUDITOR):
        return MANAGER
    if actor.is_administrator:
        return ADMINISTRATOR
    return EXPERT if actor.has(Role.MEMBER) else None
