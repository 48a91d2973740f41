"""Whether people, and the roles by which they sign, are as the events say."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from tracker.accounts.models import Membership, User
from tracker.activity import witness
from tracker.core.db import db
from tracker.organisations.models import Organisation

_USERS = sa.select(User).where(User.id.in_(sa.bindparam("ids", expanding=True)))
_ROLES = (
    sa.select(Membership, Organisation)
    .outerjoin(Membership.organisation)
    .where(Membership.id.in_(sa.bindparam("ids", expanding=True)))
)


def are_as_recorded(user_ids: Collection[UUID], membership_ids: Collection[UUID] = ()) -> bool:
    """Return whether events bind people as they are stored, and their roles and organisations.

    So that nobody signs by a name or a power that was written into the database. The roles are
    theirs. In three queries, two without roles.
    """
    wanted = set(membership_ids)
    fresh = {"populate_existing": True}
    users = db.session.scalars(_USERS, {"ids": list(user_ids)}, execution_options=fresh).all()
    roles = (
        db.session.execute(_ROLES, {"ids": list(wanted)}, execution_options=fresh).all()
        if wanted
        else []
    )
    memberships = [membership for membership, _organisation in roles]
    # An administrator's role has no organisation.
    organisations = {
        membership.organisation_id: organisation
        for membership, organisation in roles
        if membership.organisation_id is not None
    }
    are_theirs = {membership.user_id for membership in memberships} <= set(user_ids)
    if len(users) < len(set(user_ids)) or len(memberships) < len(wanted) or not are_theirs:
        return False
    return witness.are_of_instance_as_recorded(
        [*users, *memberships, *organisations.values()],
        [
            *(("user", user.id) for user in users),
            *(("organisation", organisation_id) for organisation_id in organisations),
        ],
    )
