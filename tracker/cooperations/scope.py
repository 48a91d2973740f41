"""Query conditions for cooperations: which of them a person may see."""

import datetime as dt
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.cooperations.models import Cooperation, CooperationPerson, Party
from tracker.core import clock

# A day, or its place in a statement that is built once.
Day = dt.date | sa.BindParameter[dt.date]

# Who sees every cooperation of the own organisation (product.md, section 2).
FOR_THE_ORGANISATION = (Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER)


def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Cooperation that holds for those the person may see.

    Coordinators, signatories and managers see those their organisation is a party of and has not
    left; members those they take part in today, for the organisation they act for; auditors those
    of the NPM they audit. Nobody else sees any, administrators neither.
    """
    today = clock.today()
    ways: list[sa.ColumnElement[bool]] = []
    if actor.organisation_id is not None:
        if actor.has(*FOR_THE_ORGANISATION):
            ways.append(is_party(actor.organisation_id, today))
        if actor.has(Role.MEMBER):
            ways.append(_takes_part(actor.user_id, actor.organisation_id, today))
    if actor.audited_ids:
        ways.append(_is_audited(actor.audited_ids))
    return sa.or_(*ways) if ways else sa.false()


def visible_ids(actor: Actor) -> sa.Select[UUID]:
    """Return the ids of the cooperations the person may see, as a subquery."""
    return sa.select(Cooperation.id).where(visible(actor))


def is_party(organisation_id: UUID, day: dt.date) -> sa.ColumnElement[bool]:
    """Return the condition over Cooperation that an organisation is a party and has not left."""
    return sa.exists().where(
        Party.cooperation_id == Cooperation.id,
        Party.organisation_id == organisation_id,
        has_not_left(day),
    )


def has_not_left(day: Day) -> sa.ColumnElement[bool]:
    """Return the condition over Party that it has not left; the day of leaving is included."""
    return sa.or_(Party.left_on.is_(None), Party.left_on >= day)


def runs_on(day: Day) -> sa.ColumnElement[bool]:
    """Return the condition over CooperationPerson that the person takes part on a day."""
    return sa.and_(
        CooperationPerson.from_on <= day,
        sa.or_(CooperationPerson.until_on.is_(None), CooperationPerson.until_on >= day),
    )


def _takes_part(user_id: UUID, organisation_id: UUID, day: dt.date) -> sa.ColumnElement[bool]:
    takes_part = sa.exists().where(
        CooperationPerson.cooperation_id == Cooperation.id,
        CooperationPerson.user_id == user_id,
        CooperationPerson.organisation_id == organisation_id,
        runs_on(day),
    )
    return sa.and_(takes_part, is_party(organisation_id, day))


def _is_audited(npm_ids: frozenset[UUID]) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        Party.cooperation_id == Cooperation.id,
        Party.side == OrganisationKind.NPM,
        Party.organisation_id.in_(npm_ids),
    )
