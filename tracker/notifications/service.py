"""Service functions for notifications: tell a person, mark as read, take back, choose, digest."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol
from uuid import UUID, uuid4

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.core import clock
from tracker.core.db import db, delete_batch
from tracker.core.services import Slot
from tracker.mail import addresses, outbox, render
from tracker.notifications import kinds, messages, queries
from tracker.notifications.kinds import Frequency, Group
from tracker.notifications.models import (
    WAITING,
    Delivery,
    Notification,
    NotificationChoices,
    Words,
)

# How long notifications are stored: those that were read, and all others.
READ_FOR = dt.timedelta(days=90)
UNREAD_FOR = dt.timedelta(days=365)
_DELIVERY = {
    Frequency.IMMEDIATELY: Delivery.MAILED,
    Frequency.DAILY: Delivery.DAILY,
    Frequency.WEEKLY: Delivery.WEEKLY,
    Frequency.NONE: Delivery.NOT_MAILED,
}


class Reader(messages.Reader, Protocol):
    """Somebody to tell: how to write to them, and how often they want emails."""

    @property
    def id(self) -> UUID:
        """The person's id."""

    @property
    def notification_choices(self) -> str | None:
        """The frequencies they chose, as stored."""


# How to write to people: returns active ones by id.
Contacts = Callable[[Iterable[UUID]], Mapping[UUID, Reader]]
CONTACTS: Slot[Contacts] = Slot("notification_contacts", lambda _user_ids: {})


def tell(
    reader: Reader,
    kind: str,
    subject: str,
    *sentences: str,
    address: str,
    about: UUID | None = None,
) -> None:
    """Add a notification, and mail it now or leave it for a digest, as the person chose.

    Runs in the caller's transaction, inside render.in_language(). The words are neutral, as in
    mails (render.text); address is a URL of this instance. about is the text, review or undertaking
    whose task done() ends, never a visit. Somebody without an email address has no account to read
    it.
    """
    if addresses.is_of_nobody(reader.email):
        return
    often = kinds.parsed(reader.notification_choices)[kinds.group_of(kind)]
    notification = Notification(
        id=uuid4(),
        user_id=reader.id,
        kind=kind,
        language=reader.language,
        about_id=about,
        created_at=clock.now(),
        delivery=_DELIVERY[often],
    )
    notification.seal_words(Words(subject, sentences, render.path_of(address)))
    db.session.add(notification)
    if often is Frequency.IMMEDIATELY:
        body = render.text(*sentences, name=reader.name, address=address)
        outbox.queue(reader.email, reader.language, kind, subject, body)


def done(
    about: UUID, done_kinds: Collection[str], user_ids: Collection[UUID] | None = None
) -> None:
    """Mark as read what told people of a task that is done or has ended; leave it out of digests.

    Without user_ids: for everybody who was told of it.
    """
    all_done([about], done_kinds, user_ids)


def all_done(
    about: Collection[UUID], done_kinds: Collection[str], user_ids: Collection[UUID] | None = None
) -> None:
    """Do the same for the tasks of several texts or undertakings, in one statement."""
    to_them = [] if user_ids is None else [Notification.user_id.in_(user_ids)]
    _mark_as_read(Notification.about_id.in_(about), Notification.kind.in_(done_kinds), *to_them)


def end_about(about: Collection[UUID], user_ids: Collection[UUID]) -> None:
    """Mark as read all that told some people of texts or comments that they can't open any more."""
    if about and user_ids:
        _mark_as_read(Notification.about_id.in_(about), Notification.user_id.in_(user_ids))


def end_all(user_id: UUID) -> None:
    """Mark as read what a person without a role was told of, and mail none of it.

    What they are asked about their copies stays: they can still open and answer it (adr 65).
    """
    _mark_as_read(
        Notification.user_id == user_id, Notification.kind.not_in(kinds.FOR_PEOPLE_WHO_LEFT)
    )


def mark_as_read(notification: Notification) -> None:
    """Mark one notification as read."""
    _mark_as_read(Notification.id == notification.id)


def mark_all_as_read(actor: Actor, newest: Notification) -> None:
    """Mark as read what the person's list showed: the newest notification and all before it."""
    _mark_as_read(
        Notification.user_id == actor.user_id, Notification.created_at <= newest.created_at
    )


def choose(actor: Actor, chosen: Mapping[Group, Frequency]) -> None:
    """Save how often the person wants emails about each group.

    What already waits for a digest is still sent with it, unless they want no emails about it.
    """
    text = kinds.choices_text(chosen)
    row = db.session.get(NotificationChoices, actor.user_id, with_for_update=True)
    if row is None:
        db.session.add(NotificationChoices(user_id=actor.user_id, choices=text))
    else:
        row.choices = text
    unwanted = [
        kind
        for group, often in kinds.parsed(text).items()
        if often is Frequency.NONE
        for kind in kinds.kinds_of(group)
    ]
    if unwanted:
        db.session.execute(
            sa.update(Notification)
            .where(
                Notification.user_id == actor.user_id,
                Notification.kind.in_(unwanted),
                Notification.read_at.is_(None),
                Notification.delivery.in_(WAITING),
            )
            .values(delivery=Delivery.NOT_MAILED)
            .execution_options(synchronize_session=False)
        )


def send_digest(user_id: UUID, _day: dt.date) -> bool:
    """Mail a person one digest of all that is due, with a link for each; for the worker.

    Return whether anything was still due.
    """
    due = db.session.scalars(
        sa.select(Notification)
        .where(Notification.user_id == user_id, queries.is_due(clock.now()))
        .order_by(Notification.created_at, Notification.id)
        .with_for_update()
    ).all()
    if not due:
        return False
    reader = CONTACTS.get()([user_id]).get(user_id)
    for notification in due:
        notification.delivery = Delivery.MAILED if reader else Delivery.NOT_MAILED
    if reader:
        messages.digest(reader, [notification.words for notification in due])
    return True


def forget_read() -> int:
    """Delete a batch of notifications that were read long ago (db.delete_batch); for the worker."""
    return delete_batch(Notification.id, Notification.read_at <= clock.now() - READ_FOR)


def forget_old() -> int:
    """Delete a batch of old notifications, read or not (db.delete_batch); for the worker."""
    return delete_batch(Notification.id, Notification.created_at <= clock.now() - UNREAD_FOR)


def _mark_as_read(*conditions: sa.ColumnElement[bool]) -> None:
    waits = Notification.delivery.in_(WAITING)
    db.session.execute(
        sa.update(Notification)
        .where(*conditions, Notification.read_at.is_(None))
        .values(
            read_at=clock.now(),
            delivery=sa.case((waits, Delivery.NOT_MAILED), else_=Notification.delivery),
        )
        .execution_options(synchronize_session=False)
    )
