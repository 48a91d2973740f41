"""Queries for queued and failed messages: never their text, and no subject of a cooperation."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.core.db import db
from tracker.mail.models import MessageState, OutboxMessage
from tracker.mail.policy import can_see_outbox

# Messages about somebody's account, which administrators look after. Every other message is about a
# cooperation: whoever gets one about a visit is on that visit's list (class K2), so the list of
# messages shows neither its subject nor its kind.
ABOUT_ACCOUNTS = frozenset(
    {
        "invitation",
        "link_refused",
        "mail_test",
        "passkey_added",
        "passkey_removed",
        "passkey_set_aside",
        "password_changed",
        "password_link",
        "power_to_accept",
        "power_waits",
        "powers_changed",
        "renamed",
        "restored",
        "roles_changed",
        "second_factor_reset",
        "second_factor_set",
        "sessions_ended",
        "suspended",
    }
)


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message as listed; without subject and kind if it is about a cooperation."""

    id: UUID
    recipient: str
    subject: str | None
    kind: str | None
    state: MessageState
    created_at: dt.datetime
    next_try_at: dt.datetime
    attempts: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages wait and have failed, and when the oldest that waits was written."""

    waiting: int
    failed: int
    oldest_at: dt.datetime | None


def backlog() -> Backlog:
    """Return what hasn't been sent, for metrics; sent messages, which are many, aren't read."""
    rows = db.session.execute(
        sa.select(OutboxMessage.state, sa.func.count(), sa.func.min(OutboxMessage.created_at))
        .where(OutboxMessage.state.in_([MessageState.WAITING, MessageState.FAILED]))
        .group_by(OutboxMessage.state)
    )
    by_state = {state: (number, oldest_at) for state, number, oldest_at in rows}
    waiting, oldest_at = by_state.get(MessageState.WAITING, (0, None))
    failed, _oldest_failed_at = by_state.get(MessageState.FAILED, (0, None))
    return Backlog(waiting, failed, oldest_at)


def counts() -> dict[MessageState, int]:
    """Return the number of messages with each status."""
    rows = db.session.execute(
        sa.select(OutboxMessage.state, sa.func.count()).group_by(OutboxMessage.state)
    )
    return dict(rows.all())


def page(
    actor: Actor, state: MessageState, *, offset: int = 0, limit: int = 25
) -> tuple[int, list[MessageLine]]:
    """Return the number of messages with a status, and one page of them, oldest first."""
    if not can_see_outbox(actor):
        return 0, []
    return listed(state, offset=offset, limit=limit)


def listed(
    state: MessageState, *, offset: int = 0, limit: int = 25
) -> tuple[int, list[MessageLine]]:
    """Return the same for the command line, which has no actor."""
    wanted = OutboxMessage.state == state
    total = db.session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage).where(wanted))
    is_told = OutboxMessage.kind.in_(ABOUT_ACCOUNTS)
    rows = db.session.execute(
        sa.select(
            OutboxMessage.id,
            OutboxMessage.recipient,
            sa.case((is_told, OutboxMessage.subject)),
            sa.case((is_told, OutboxMessage.kind)),
            OutboxMessage.state,
            OutboxMessage.created_at,
            OutboxMessage.next_try_at,
            OutboxMessage.attempts,
            OutboxMessage.last_error,
        )
        .where(wanted)
        .order_by(OutboxMessage.created_at, OutboxMessage.id)
        .offset(offset)
        .limit(limit)
    )
    return total or 0, [MessageLine(*row) for row in rows]


def undelivered(kind: str, recipients: Collection[str]) -> set[str]:
    """Return which addresses a message of a kind couldn't be delivered to.

    Not scoped: for whoever may see what the messages were about.
    """
    failed = sa.select(OutboxMessage.recipient).where(
        OutboxMessage.state == MessageState.FAILED,
        OutboxMessage.kind == kind,
        OutboxMessage.recipient.in_(recipients),
    )
    return set(db.session.scalars(failed))


def find(actor: Actor, message_id: UUID) -> OutboxMessage | None:
    """Return an unsent message, for people who may see the outbox."""
    if not can_see_outbox(actor):
        return None
    return db.session.scalar(
        sa.select(OutboxMessage).where(
            OutboxMessage.id == message_id, OutboxMessage.state != MessageState.SENT
        )
    )
