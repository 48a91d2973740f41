"""The people on an organisation's page: who may see whom, and their roles in words."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _

from tracker.access.actor import POWERS, Actor, Role
from tracker.accounts import coordinators, labels, queries
from tracker.accounts.models import Membership, User
from tracker.accounts.policy import can_see_people
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations import page_parts
from tracker.organisations.page_parts import People, PersonLine

# Who acts for an organisation; all its own people may know them.
ACTING = frozenset({Role.COORDINATOR, *POWERS})


def page(actor: Actor, organisation_id: UUID, offset: int, limit: int) -> People | None:
    """Return one page of an organisation's people by name, as far as the reader may see them.

    Administrators, and the coordinators, managers and signatories who are acting for it, see all
    who have a role, or one that waits; its other people see who acts for it. Nobody else sees any:
    who works for a partner is the partner's own matter (class K1), but for those who take part in a
    cooperation, whom its page shows (K8).
    """
    is_own = actor.organisation_id == organisation_id
    if not actor.is_administrator and not is_own:
        return None
    sees_all = bool(can_see_people(actor))
    wanted = [
        Membership.organisation_id == organisation_id,
        sa.or_(queries.runs_on(clock.today()), queries.waits()),
    ]
    if not sees_all:
        wanted.append(Membership.role.in_(sorted(ACTING)))
    has_role = User.id.in_(sa.select(Membership.user_id).where(*wanted))
    total = db.session.scalar(sa.select(sa.func.count()).select_from(User).where(has_role))
    users = db.session.execute(
        sa.select(User.id, User.name, User.active)
        .where(has_role)
        .order_by(User.name, User.id)
        .offset(offset)
        .limit(limit)
    ).all()
    roles: dict[UUID, list[str]] = {}
    for membership in db.session.scalars(
        sa.select(Membership)
        .where(*wanted, Membership.user_id.in_([user.id for user in users]))
        .order_by(Membership.role, Membership.starts_on)
    ):
        roles.setdefault(membership.user_id, []).append(_words(membership))
    return People(
        total or 0,
        [
            PersonLine(
                user.name,
                (*roles.get(user.id, ()), *([] if user.active else [_("account suspended")])),
                user.id if sees_all else None,
            )
            for user in users
        ],
        acting_only=not sees_all,
    )


def nobody_acts(organisation_ids: Collection[UUID]) -> dict[UUID, page_parts.NobodyActs]:
    """Return for which of some organisations nobody can act: why, and what can be done."""
    reasons = coordinators.nobody_acts(organisation_ids)
    return {
        where: page_parts.NobodyActs(labels.NOBODY_ACTS[reason], *_invite(where, reason))
        for where, reason in reasons.items()
    }


def _invite(where: UUID, reason: labels.NobodyActs) -> tuple[str, str]:
    """Return label and URL of how an organisation gets a coordinator."""
    if reason is labels.NobodyActs.NOT_ACTIVATED:
        return _("Open invitations"), url_for("people.invitations_page")
    url = url_for("people.invite", where=where, role=Role.COORDINATOR.value)
    return _("Invite a coordinator"), url


def _words(membership: Membership) -> str:
    """Return a role in words, with whether it is confirmed and current."""
    role = labels.ROLES[membership.role]
    if membership.begun_at is None and membership.confirmed_how is None:
        return str(_("%(role)s, not confirmed yet", role=role))
    if membership.begun_at is None:
        return str(_("%(role)s, confirmed, not accepted yet", role=role))
    today = clock.today()
    if membership.power_until is not None and membership.power_until < today:
        return str(_("%(role)s, power has run out", role=role))
    if membership.power_from is not None and membership.power_from > today:
        return str(_("%(role)s, power begins later", role=role))
    if membership.role in POWERS:
        return str(_("%(role)s, confirmed", role=role))
    if membership.outside_expert:
        return str(_("%(role)s, outside expert", role=role))
    return str(role)
