"""Who may write checklists and guidance, and who may see an organisation's own guidance. Pure."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no
from tracker.checklist_templates.models import TemplateState

# The roles that write an organisation's own articles, and those that read them.
WRITERS = (Role.COORDINATOR, Role.MANAGER)
READERS = (Role.COORDINATOR, Role.MEMBER, Role.SIGNATORY, Role.MANAGER)


def can_look_after_checklists(actor: Actor) -> Decision:
    """Decide who sees and changes the instance's checklists: administrators."""
    if actor.is_administrator:
        return YES
    return no(_l("Only administrators can edit the checklists."))


def can_retire(actor: Actor, state: TemplateState, published: int) -> Decision:
    """Decide whether a version may be retired: never the last published one of its kind."""
    allowed = can_look_after_checklists(actor)
    if not allowed:
        return allowed
    if state is not TemplateState.PUBLISHED:
        return no(_l("You can only retire a published version."))
    if published <= 1:
        return no(
            _l("This is the only published version of its kind, and new checklists need one.")
        )
    return YES


def can_publish(actor: Actor, state: TemplateState) -> Decision:
    """Decide whether a shipped version that awaits a decision may be published."""
    allowed = can_look_after_checklists(actor)
    if not allowed:
        return allowed
    if state is not TemplateState.WAITING:
        return no(_l("Only a version that is waiting can be published here."))
    return YES


def can_write_own(actor: Actor) -> Decision:
    """Decide who writes articles for their organisation: its coordinators and managers."""
    if actor.organisation_id is not None and actor.has(*WRITERS):
        return YES
    return no(_l("Coordinators and managers write their organisation's own guidance."))


def can_change_own(actor: Actor, organisation_id: UUID) -> Decision:
    """Decide who changes an organisation's article: only people who are acting for it."""
    if actor.organisation_id != organisation_id:
        return no(_l("Only the organisation that wrote this guidance can change it."))
    return can_write_own(actor)
