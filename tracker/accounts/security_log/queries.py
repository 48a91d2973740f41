"""Queries for the security log: a person's own entries, or for administrators all, page by page."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor
from tracker.accounts import policy
from tracker.accounts.models import SecurityKind, SecurityLogEntry, User
from tracker.accounts.origins import Origin
from tracker.accounts.security_log import entry_origins
from tracker.core.db import db

SIZE = 25
_Doer = aliased(User)
_PLACE = (SecurityLogEntry.at, SecurityLogEntry.id)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of the security log; by is the name of somebody else who did it."""

    id: UUID
    kind: SecurityKind
    user_id: UUID | None
    person: str
    by: str
    detail: str
    at: dt.datetime
    origin: Origin | None
    left_out: int


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of entries, latest first, and whether more follow."""

    entries: list[LogEntry]
    has_more: bool


def own(actor: Actor, *, after: UUID | None = None, limit: int = SIZE) -> LogPage:
    """Return a page of a person's own entries, following a given one of them."""
    return _page([SecurityLogEntry.user_id == actor.user_id], after, limit)


def listed(
    actor: Actor,
    *,
    kind: SecurityKind | None = None,
    user_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = SIZE,
) -> LogPage:
    """Return a page of all entries, or those of a kind or about a person, for administrators."""
    if not policy.can_see_security_log(actor):
        return LogPage([], has_more=False)
    conditions = []
    if kind is not None:
        conditions.append(SecurityLogEntry.kind == kind)
    if user_id is not None:
        conditions.append(SecurityLogEntry.user_id == user_id)
    return _page(conditions, after, limit)


def _page(conditions: list[sa.ColumnElement[bool]], after: UUID | None, limit: int) -> LogPage:
    query = (
        sa.select(SecurityLogEntry, User.name, _Doer.name)
        .outerjoin(User, User.id == SecurityLogEntry.user_id)
        .outerjoin(
            _Doer,
            sa.and_(
                _Doer.id == SecurityLogEntry.by_id,
                SecurityLogEntry.by_id.is_distinct_from(SecurityLogEntry.user_id),
            ),
        )
        .where(*conditions)
        .order_by(SecurityLogEntry.at.desc(), SecurityLogEntry.id.desc())
    )
    if after is not None:
        place = db.session.execute(
            sa.select(*_PLACE).where(SecurityLogEntry.id == after, *conditions)
        ).first()
        if place is None:
            return LogPage([], has_more=False)
        values = (sa.literal(value, of.type) for value, of in zip(place, _PLACE, strict=True))
        query = query.where(
            SecurityLogEntry.at <= place.at, sa.tuple_(*_PLACE) < sa.tuple_(*values)
        )
    rows = db.session.execute(query.limit(limit + 1)).all()
    return LogPage([_entry(*row) for row in rows[:limit]], len(rows) > limit)


def _entry(row: SecurityLogEntry, person: str | None, by: str | None) -> LogEntry:
    return LogEntry(
        id=row.id,
        kind=row.kind,
        user_id=row.user_id,
        person=person or "",
        by=by or "",
        detail=row.detail,
        at=row.at,
        origin=entry_origins.origin_of(row),
        left_out=row.left_out,
    )
