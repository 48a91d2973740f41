"""Service functions for people without an email address: known by name, they never sign in."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.accounts.factors import binding
from tracker.accounts.models import Membership, User
from tracker.accounts.people import invitations
from tracker.activity import service as trail
from tracker.activity.verbs import PERSON_ADDED
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.names import tidied
from tracker.mail import addresses

# The only roles for somebody who never signs in (product.md, section 2).
ROLE = Role.MEMBER


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to add, and in which organisation; language is that of their papers."""

    name: str
    organisation_id: UUID
    language: str = "en"
    outside_expert: bool = False


def add(actor: Actor, wanted: NewPerson) -> User:
    """Add a person without an email address as a member of an organisation.

    An interpreter or a driver, say. There is nothing to sign in with and nowhere to send a link to,
    so the account can't be used by anybody. Raises RefusedError, or RuleBrokenError with the field:
    name, outside_expert.
    """
    organisation = invitations.check_roles(actor, wanted.organisation_id, {ROLE})
    name = tidied(wanted.name)
    if not name:
        raise RuleBrokenError(_l("Enter the name"), "name")
    invitations.check_expert(organisation, outside_expert=wanted.outside_expert)
    user_id, now = uuid4(), clock.now()
    user = User(
        id=user_id,
        email=addresses.of_nobody(user_id),
        name=name,
        language=wanted.language,
        password=None,
        active=True,
        suspended_reason="",
        is_demonstration=False,
        created_at=now,
        fs_uniquifier=uuid4().hex,
    )
    membership = Membership(
        id=uuid4(),
        user_id=user_id,
        organisation_id=wanted.organisation_id,
        role=ROLE,
        starts_on=clock.today(),
        outside_expert=wanted.outside_expert,
        created_at=now,
        begun_at=now,
    )
    db.session.add_all([user, membership])
    db.session.flush()
    trail.record(
        PERSON_ADDED,
        actor=actor,
        subject_type="user",
        subject_id=user_id,
        person=name,
        organisation=organisation.name if organisation else "",
        organisation_id=str(wanted.organisation_id),
        role=ROLE.value,
    )
    binding.bind_new(actor, user)
    return user
