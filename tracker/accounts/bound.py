"""Whether people, their roles and their organisations are as the events say."""

from collections.abc import Collection
from typing import Any
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

_IDS: sa.BindParameter[UUID] = sa.bindparam("ids", expanding=True)
_USERS = sa.select(User).where(User.id.in_(_IDS))
_ROLES = sa.select(Membership).where(Membership.id.in_(_IDS))
_ORGANISATIONS = sa.select(Organisation).where(Organisation.id.in_(_IDS))


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

    The roles are those people's own. One query for each kind, and one for the events.
    """
    users: list[User] = _stored(_USERS, user_ids)
    memberships: list[Membership] = _stored(_ROLES, membership_ids)
    organisations: list[Organisation] = _stored(_ORGANISATIONS, organisation_ids)
    wanted = (*set(user_ids), *set(membership_ids), *set(organisation_ids))
    rows = [*users, *memberships, *organisations]
    are_theirs = {membership.user_id for membership in memberships} <= set(user_ids)
    if len(rows) < len(wanted) or not are_theirs:
        return False
    subjects = [("user", user_id) for user_id in user_ids]
    subjects += [("organisation", organisation_id) for organisation_id in organisation_ids]
    return witness.are_of_instance_as_recorded(rows, subjects)


def _stored(statement: sa.Select[Any], ids: Collection[UUID]) -> list[Any]:
    """Return rows as they are in the database now, whatever the session has."""
    if not ids:
        return []
    fresh = {"populate_existing": True}
    return list(db.session.scalars(statement, {"ids": list(ids)}, execution_options=fresh))
