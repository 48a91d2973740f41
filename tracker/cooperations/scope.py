"""Query conditions for cooperations: which of them a person may see."""

import datetime as dt
from collections.abc import Callable, Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.access.conditions import built_once
from tracker.cooperations.models import (
    Cooperation,
    CooperationEntry,
    CooperationPerson,
    Party,
)
from tracker.core import clock
from tracker.signoff.models import Revision

# The column with the cooperation's id in the outer query.
CooperationId = sa.SQLColumnExpression[UUID]

# A day, or its parameter in a statement that is built once.
Day = dt.date | sa.BindParameter[dt.date]

# What a person sees for one organisation, as conditions over its entries.
Way = Callable[[type[CooperationEntry]], list[sa.ColumnElement[bool]]]
# The conditions under which an organisation is a party of a cooperation on a day.
HasParty = Callable[[UUID, Day, CooperationId], sa.ColumnElement[bool]]

# Aliases, so that they don't clash with a query that selects parties itself.
_PARTY, _PERSON = aliased(Party), aliased(CooperationPerson)

# Roles that see every cooperation of their organisation (product.md, section 2).
FOR_THE_ORGANISATION = (Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER)


@built_once
def visible(actor: Actor, cooperation_id: CooperationId = Cooperation.id) -> sa.ColumnElement[bool]:
    """Return the condition, on a column with a cooperation's id, that the person may see it.

    Coordinators, signatories and managers see those their organisation is a party of and has not
    left; members those they take part in today, for the organisation they are acting for; auditors
    those of the NPM they audit. Nobody else sees any, not even administrators. It is correlated, so
    that its cost doesn't depend on the number of cooperations. It shows nothing to a party that is
    joining (adr 70), which needs visible_in_part().
    """
    return _visible(actor, cooperation_id, is_party)


@built_once
def visible_in_part(
    actor: Actor, cooperation_id: CooperationId = Cooperation.id
) -> sa.ColumnElement[bool]:
    """Return the condition that the person sees the cooperation, or that their party is joining it.

    For its page, its people, and the texts that a joining party has to sign.
    """
    return _visible(actor, cooperation_id, is_party_or_joining)


def _visible(
    actor: Actor, cooperation_id: CooperationId, has_party: HasParty
) -> sa.ColumnElement[bool]:
    ways: list[sa.ColumnElement[bool]] = []
    today = clock.today()
    if actor.organisation_id is not None:
        if actor.has(*FOR_THE_ORGANISATION):
            ways.append(has_party(actor.organisation_id, today, cooperation_id))
        elif actor.has(Role.MEMBER):
            ways.append(
                sa.and_(
                    _has_person(actor.user_id, actor.organisation_id, today, cooperation_id),
                    has_party(actor.organisation_id, today, cooperation_id),
                )
            )
    if actor.audited_ids:
        ways.append(is_of_npms(actor.audited_ids, cooperation_id))
    return sa.or_(*ways) if ways else sa.false()


def visible_ids(actor: Actor) -> sa.Select[UUID]:
    """Return the ids of all cooperations the person may see, for queries that need them all."""
    return sa.select(Cooperation.id).where(visible(actor))


@built_once
def listed(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over CooperationEntry that it is in the person's list.

    These are the cooperations of visible_in_part(), each once, also for somebody who sees it for
    several organisations.
    """
    seen_by: list[Way] = []
    if actor.organisation_id is not None and actor.has(*FOR_THE_ORGANISATION, Role.MEMBER):
        seen_by.append(_of_own(actor, actor.organisation_id))
    seen_by += [_of_npm(npm_id) for npm_id in sorted(actor.audited_ids)]
    conditions = []
    for place, way in enumerate(seen_by):
        other = aliased(CooperationEntry)
        before = [sa.and_(*earlier(other)) for earlier in seen_by[:place]]
        again = sa.exists().where(
            other.cooperation_id == CooperationEntry.cooperation_id, sa.or_(sa.false(), *before)
        )
        conditions.append(sa.and_(*way(CooperationEntry), *([~again] if before else [])))
    return sa.or_(*conditions) if conditions else sa.false()


def is_party(
    organisation_id: UUID | sa.SQLColumnExpression[UUID],
    day: Day,
    cooperation_id: CooperationId = Cooperation.id,
) -> sa.ColumnElement[bool]:
    """Return the condition on a cooperation's id that an organisation is a party.

    It has not left, and is not joining.
    """
    return _has_party(organisation_id, day, cooperation_id).where(~_PARTY.is_joining)


def is_party_or_joining(
    organisation_id: UUID | sa.SQLColumnExpression[UUID] | sa.SQLColumnExpression[UUID | None],
    day: Day,
    cooperation_id: CooperationId = Cooperation.id,
) -> sa.ColumnElement[bool]:
    """Return the condition on a cooperation's id that an organisation is a party or joins it."""
    return _has_party(organisation_id, day, cooperation_id)


def _has_party(
    organisation_id: UUID | sa.SQLColumnExpression[UUID] | sa.SQLColumnExpression[UUID | None],
    day: Day,
    cooperation_id: CooperationId,
) -> sa.Exists:
    return sa.exists().where(
        _PARTY.cooperation_id == cooperation_id,
        _PARTY.organisation_id == organisation_id,
        has_not_left(day, _PARTY),
    )


def is_of_npms(
    npm_ids: Collection[UUID],
    cooperation_id: CooperationId,
    *,
    on: dt.date | None = None,
    terms_id: sa.SQLColumnExpression[UUID] | None = None,
) -> sa.ColumnElement[bool]:
    """Return the condition on a cooperation's id that one of some NPMs is a party.

    One that is joining isn't yet. With a day: that the NPM has not left by then. With the id of a
    frozen text: that the NPM wasn't invited after it was frozen (nor the one it replaced).
    """
    conditions: list[sa.ColumnElement[bool]] = [
        _PARTY.cooperation_id == cooperation_id,
        _PARTY.side == OrganisationKind.NPM,
        _PARTY.organisation_id.in_(npm_ids),
        ~_PARTY.is_joining,
    ]
    if on:
        conditions.append(has_not_left(on, _PARTY))
    if terms_id is not None:
        named = (
            sa.exists()
            .where(Revision.id == terms_id, Revision.frozen_at >= reads_since(_PARTY))
            .correlate_except(Revision)
        )
        conditions.append(sa.or_(reads_since(_PARTY).is_(None), named))
    return sa.exists().where(*conditions)


def reads_since(party: type[Party] = Party) -> sa.ColumnElement[dt.datetime | None]:
    """Return since when what people declare is for a party; NULL for one that was there first.

    Since its own invitation, or that of the party whose place it took (adr 78).
    """
    return sa.func.coalesce(party.invited_at, party.predecessor_invited_at)


def has_not_left(day: Day, party: type[Party] = Party) -> sa.ColumnElement[bool]:
    """Return the condition over Party that it has not left; the day of leaving is included."""
    return sa.or_(party.left_on.is_(None), party.left_on >= day)


def runs_on(
    day: Day, person: type[CooperationPerson] = CooperationPerson
) -> sa.ColumnElement[bool]:
    """Return the condition over CooperationPerson that the person takes part on a day."""
    return sa.and_(person.from_on <= day, sa.or_(person.until_on.is_(None), person.until_on >= day))


def _of_own(actor: Actor, organisation_id: UUID) -> Way:
    def way(entry: type[CooperationEntry]) -> list[sa.ColumnElement[bool]]:
        today = clock.today()
        conditions = [
            entry.organisation_id == organisation_id,
            sa.or_(entry.left_on.is_(None), entry.left_on >= today),
        ]
        if not actor.has(*FOR_THE_ORGANISATION):
            conditions.append(
                _has_person(actor.user_id, organisation_id, today, entry.cooperation_id)
            )
        return conditions

    return way


def _of_npm(npm_id: UUID) -> Way:
    def way(entry: type[CooperationEntry]) -> list[sa.ColumnElement[bool]]:
        return [entry.organisation_id == npm_id, entry.is_of_npm.is_(True)]

    return way


def _has_person(
    user_id: UUID, organisation_id: UUID, day: Day, cooperation_id: CooperationId
) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        _PERSON.cooperation_id == cooperation_id,
        _PERSON.user_id == user_id,
        _PERSON.organisation_id == organisation_id,
        runs_on(day, _PERSON),
    )
