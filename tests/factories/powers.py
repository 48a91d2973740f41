"""Signatory and manager roles that have begun, confirmed and accepted as the rules require."""

from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.accounts import queries
from tracker.accounts.models import Membership, User
from tracker.accounts.people import powers
from tracker.core import clock
from tracker.core.db import db


def let_begin(user_id: UUID) -> None:
    """Have a person's pending roles confirmed by a colleague, or accepted by the person."""
    for membership in waiting(user_id):
        others = queries.holders_of_power(membership.organisation_id).open - {user_id}
        if membership.confirmed_how is None:
            confirming = acting(min(others), membership.organisation_id) if others else None
            powers.confirm(confirming, membership.id)
        if membership.begun_at is None:
            accept(membership)


def accept(membership: Membership) -> None:
    """Have the person accept what an administrator confirmed."""
    powers.accept(
        acting(membership.user_id, membership.organisation_id),
        membership.id,
        digest=powers.digest_of(membership),
        method="password_totp",
    )


def waiting(user_id: UUID) -> list[Membership]:
    """Return a person's pending roles."""
    wanted = sa.select(Membership).where(Membership.user_id == user_id, queries.waits())
    return list(db.session.scalars(wanted.order_by(Membership.role)))


def acting(user_id: UUID, organisation_id: UUID | None) -> Actor:
    """Return a person as they act for an organisation now."""
    user = db.session.get_one(User, user_id)
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        memberships=queries.memberships_of(user.id, clock.today()),
        organisation_id=organisation_id,
        has_second_factor=user.has_second_factor,
    )
