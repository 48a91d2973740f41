"""Queries for a person's notifications, scoped to that person, and for digests that are due."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.core import clock
from tracker.core.db import db
from tracker.notifications import kinds
from tracker.notifications.kinds import Frequency, Group
from tracker.notifications.models import Delivery, Notification, NotificationChoices, Words

_DELIVERY = {Frequency.DAILY: Delivery.DAILY, Frequency.WEEKLY: Delivery.WEEKLY}


@dataclass(frozen=True, slots=True)
class Line:
    """A notification as listed."""

    id: UUID
    kind: str
    words: Words
    language: str
    created_at: dt.datetime
    is_unread: bool


def page(actor: Actor, *, after: UUID | None, limit: int) -> tuple[list[Line], bool]:
    """Return the person's notifications after one of them, newest first, and whether more follow.

    An id that isn't one of theirs begins the list anew.
    """
    wanted = [Notification.user_id == actor.user_id]
    before = find(actor, after) if after else None
    if before is not None:
        wanted.append(
            sa.or_(
                Notification.created_at < before.created_at,
                sa.and_(Notification.created_at == before.created_at, Notification.id < before.id),
            )
        )
        wanted.append(Notification.created_at <= before.created_at)
    rows = db.session.scalars(
        sa.select(Notification)
        .where(*wanted)
        .order_by(Notification.created_at.desc(), Notification.id.desc())
        .limit(limit + 1)
    ).all()
    lines = [
        Line(row.id, row.kind, row.words, row.language, row.created_at, row.read_at is None)
        for row in rows[:limit]
    ]
    return lines, len(rows) > limit


def find(actor: Actor, notification_id: UUID) -> Notification | None:
    """Return one of the person's notifications."""
    return db.session.scalar(
        sa.select(Notification).where(
            Notification.id == notification_id, Notification.user_id == actor.user_id
        )
    )


def choices(actor: Actor) -> dict[Group, Frequency]:
    """Return how often the person wants emails about each group."""
    stored = db.session.scalar(
        sa.select(NotificationChoices.choices).where(NotificationChoices.user_id == actor.user_id)
    )
    return kinds.parsed(stored)


def is_due(now: dt.datetime) -> sa.ColumnElement[bool]:
    """Return the condition over Notification that it belongs in a digest that is due."""
    return sa.or_(*_due_by_frequency(now))


def digests_due(_day: dt.date) -> Sequence[UUID]:
    """Return the people to whom a digest is due; for the worker."""
    people = (
        sa.select(Notification.user_id).where(condition)
        for condition in _due_by_frequency(clock.now())
    )
    return db.session.scalars(sa.union(*people)).all()


def _due_by_frequency(now: dt.datetime) -> list[sa.ColumnElement[bool]]:
    # The value is part of the statement, so that the database knows that the partial index has all.
    return [
        sa.and_(
            Notification.delivery == sa.literal_column(f"'{_DELIVERY[often].value}'"),
            Notification.created_at < moment,
        )
        for often, moment in kinds.digests_due(now, clock.zone()).items()
    ]
