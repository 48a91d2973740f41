"""The outbox: queues messages in the caller's transaction. The worker sends them (sending)."""

from uuid import uuid4

import sqlalchemy as sa

from tracker.core import clock
from tracker.core.db import db
from tracker.mail import addresses
from tracker.mail.models import MessageState, OutboxMessage


def queue(
    recipient: str, language: str, kind: str, subject: str, body: str
) -> OutboxMessage | None:
    """Queue a message in the caller's transaction; none for a person without email.

    kind names the occasion, for the list of messages. The text comes from mail.render.
    """
    if addresses.is_of_nobody(recipient):
        return None
    now = clock.now()
    message = OutboxMessage(
        id=uuid4(),
        recipient=recipient,
        subject=" ".join(subject.split()),
        language=language,
        kind=kind,
        state=MessageState.WAITING,
        created_at=now,
        next_try_at=now,
        attempts=0,
    )
    message.seal_body(body)
    db.session.add(message)
    return message


def withdraw_failed(kind: str, recipient: str) -> None:
    """Delete what couldn't be delivered to an address, because something newer replaces it."""
    db.session.execute(
        sa.delete(OutboxMessage)
        .where(
            OutboxMessage.state == MessageState.FAILED,
            OutboxMessage.kind == kind,
            OutboxMessage.recipient == recipient,
        )
        .execution_options(synchronize_session=False)
    )


def send_again(message: OutboxMessage) -> None:
    """Retry a message from the beginning, in the caller's transaction."""
    message.state = MessageState.WAITING
    message.attempts = 0
    message.next_try_at = clock.now()


def send_failed_again(recipient: str | None = None) -> int:
    """Retry all failed messages, or those to an address; return how many, without committing."""
    to_them = [] if recipient is None else [OutboxMessage.recipient == recipient]
    failed = db.session.scalars(
        sa.select(OutboxMessage)
        .where(OutboxMessage.state == MessageState.FAILED, *to_them)
        .with_for_update()
    ).all()
    for message in failed:
        send_again(message)
    return len(failed)
