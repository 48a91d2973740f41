"""Signatory and manager roles that have begun, confirmed and accepted as the rules require."""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from tracker.access.actor import POWERS, Actor, Confirmation, Role
from tracker.accounts import queries
from tracker.accounts.models import Membership, User
from tracker.accounts.people import powers
from tracker.activity import service as trail
from tracker.activity.verbs import ROWS_NOTED
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


def hold(user_id: UUID, organisation_id: UUID | None, role: Role, power: str = "") -> Actor:
    """Give a person a role that began today, bound by an event; return them as they act there.

    A signatory without a power gets one.
    """
    if role is Role.SIGNATORY:
        power = power or "Statutes, article 9"
    db.session.add(
        Membership(
            id=uuid4(),
            user_id=user_id,
            organisation_id=organisation_id,
            role=role,
            power=power,
            starts_on=clock.today(),
            created_at=clock.now(),
            **begun(role),
        )
    )
    trail.bind_rows(ROWS_NOTED, None, {})
    return acting(user_id, organisation_id)


def begun(role: Role) -> dict[str, Any]:
    """Return the values of a role that has begun, confirmed by a colleague if necessary."""
    now = clock.now()
    if role not in POWERS:
        return {"begun_at": now}
    return {
        "begun_at": now,
        "confirmed_how": Confirmation.COLLEAGUE,
        "confirmed_by": "Nour Castellan",
        "confirmed_at": now,
    }


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
