"""Service functions that decide who names a person, and that change the name of somebody else."""

from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.accounts import messages, policy, queries
from tracker.accounts.models import Membership
from tracker.accounts.people import powers
from tracker.accounts.policy import RoleFacts
from tracker.activity import service as trail
from tracker.activity.verbs import PERSON_RENAMED
from tracker.core import clock, names
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError


def can_rename(actor: Actor, user_id: UUID) -> Decision:
    """Decide whether a person may change somebody's name, or their own (policy.can_rename)."""
    roles = _roles_of(user_id)
    holders = queries.holders_by_organisation(role.organisation_id for role in roles)
    return policy.can_rename(actor, user_id, roles, holders)


def rename(actor: Actor, user_id: UUID, name: str) -> None:
    """Change the name of somebody else who signs, manages or coordinates.

    What they sign and confirm from now on shows it; earlier signatures keep the old one. Emails the
    person. Raises RefusedError, or RuleBrokenError with the field name if it is empty, can't be
    used (core.names) or is the name they already have.
    """
    user = queries.hold(user_id)
    can_rename(actor, user_id).require()
    new = names.tidied(name, former=user.name)
    if not new:
        raise RuleBrokenError(_l("Enter the name"), "name")
    if new == user.name:
        raise RuleBrokenError(_l("This is the name they have already."), "name")
    former, user.name = user.name, new
    trail.record(
        PERSON_RENAMED,
        actor=actor,
        subject_type="user",
        subject_id=user.id,
        former=former,
        person=new,
    )
    messages.renamed(user)


def _roles_of(user_id: UUID) -> list[RoleFacts]:
    """Return a person's roles that name them in evidence and have not ended, begun or not."""
    rows = db.session.scalars(
        sa.select(Membership).where(
            Membership.user_id == user_id,
            Membership.role.in_(policy.NAMED_IN_EVIDENCE),
            Membership.ended_at.is_(None),
            sa.or_(Membership.ends_on.is_(None), Membership.ends_on >= clock.today()),
        )
    )
    return [powers.facts_of(membership) for membership in rows]
