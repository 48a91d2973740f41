"""Organisations for which nobody can act yet, and why: a coordinator is missing."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import OrganisationKind, Role
from tracker.accounts.labels import NobodyActs
from tracker.accounts.models import Invitation, Membership, User
from tracker.accounts.queries import runs_on, waits
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.models import Organisation, Succession


def without_coordinator() -> sa.ColumnElement[bool]:
    """Return the condition over Organisation that it lacks a coordinator who can act today.

    Only bodies that can be parties, and that no other body has replaced.
    """
    return sa.and_(
        Organisation.kind.in_([OrganisationKind.NPM, OrganisationKind.CSO]),
        ~sa.exists().where(Succession.former_id == Organisation.id),
        ~sa.exists().where(
            Membership.organisation_id == Organisation.id,
            Membership.role == Role.COORDINATOR,
            runs_on(clock.today()),
            User.id == Membership.user_id,
            User.active,
        ),
    )


def nobody_acts(organisation_ids: Iterable[UUID]) -> dict[UUID, NobodyActs]:
    """Return for which of some organisations nobody can act today, each with the reason.

    In one query. The caller knows that the reader may know these organisations.
    """
    of_it = Membership.organisation_id == Organisation.id
    is_invited = sa.exists().where(
        Invitation.organisation_id == Organisation.id,
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > clock.now(),
        # Roles are codes in a JSON list; with its quotation marks a code matches only itself.
        sa.cast(Invitation.roles, sa.Text()).contains(f'"{Role.COORDINATOR.value}"'),
    )
    rows = db.session.execute(
        sa.select(
            Organisation.id,
            sa.exists().where(of_it, runs_on(clock.today())),
            sa.exists().where(of_it, waits()),
            is_invited,
        ).where(Organisation.id.in_(list(organisation_ids)), without_coordinator())
    )
    return {
        organisation_id: _reason(has_people=has_people, waits=waiting, is_invited=invited)
        for organisation_id, has_people, waiting, invited in rows
    }


def _reason(*, has_people: bool, waits: bool, is_invited: bool) -> NobodyActs:
    if is_invited:
        return NobodyActs.NOT_ACTIVATED
    if has_people:
        return NobodyActs.NO_COORDINATOR
    return NobodyActs.NOT_CONFIRMED if waits else NobodyActs.NO_ACCOUNT
