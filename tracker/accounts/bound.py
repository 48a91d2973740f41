"""Whether people, their roles and their organisations are as the events say."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Role
from tracker.accounts.models import Membership, User
from tracker.activity import witness
from tracker.activity.service import DomainEvent
from tracker.core.db import db
from tracker.core.errors import RefusedError
from tracker.organisations.models import Organisation

# In one query, since it is sent with each of these acts: each person with each of the others.
_ROWS = (
    sa.select(User, Membership, Organisation)
    .select_from(User)
    .outerjoin(Membership, Membership.id.in_(sa.bindparam("role_ids", expanding=True)))
    .outerjoin(Organisation, Organisation.id.in_(sa.bindparam("organisation_ids", expanding=True)))
    .where(User.id.in_(sa.bindparam("user_ids", expanding=True)))
)


def follow_act(event: DomainEvent) -> None:
    """Raise RefusedError unless events bind the account, roles and organisation of who acts.

    A handler of the acts by which people sign for others, vouch for somebody, or give a power: what
    was written into the database gives nobody a power to do so. The act is undone with its event.
    """
    actor = event.actor
    if actor is None:  # the application itself, or a command
        return
    administrators = (role for role in actor.memberships if role.role is Role.ADMINISTRATOR)
    ids = {role.membership_id for role in (*actor.acting, *administrators)}
    known = {role_id for role_id in ids if role_id is not None}
    organisation_ids = {actor.organisation_id} if actor.organisation_id else set()
    if known != ids or not are_as_recorded([actor.user_id], known, organisation_ids):
        raise RefusedError(
            _l(
                "What the database says about you, your roles or your organisation differs from "
                "the history, so nothing was done. Tell an administrator."
            )
        )


def are_as_recorded(
    user_ids: Collection[UUID],
    membership_ids: Collection[UUID] = (),
    organisation_ids: Collection[UUID] = (),
) -> bool:
    """Return whether events bind people, roles and organisations as they are stored.

    The roles are those people's own. In two queries.
    """
    ids = {
        "user_ids": list(set(user_ids)),
        "role_ids": list(set(membership_ids)),
        "organisation_ids": list(set(organisation_ids)),
    }
    fresh = {"populate_existing": True}  # whatever the session has
    lines = db.session.execute(_ROWS, ids, execution_options=fresh)
    rows = {row for line in lines for row in line if row is not None}
    are_theirs = all(row.user_id in ids["user_ids"] for row in rows if isinstance(row, Membership))
    if len(rows) < sum(map(len, ids.values())) or not are_theirs:
        return False
    subjects = [("user", user_id) for user_id in ids["user_ids"]]
    subjects += [("organisation", organisation_id) for organisation_id in ids["organisation_ids"]]
    return witness.are_of_instance_as_recorded(rows, subjects)
