"""Sending of the messages in the outbox, by the worker, with retries."""

import datetime as dt
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from tracker.core import clock
from tracker.core.db import db, why_unavailable
from tracker.mail import render
from tracker.mail.models import MessageState, OutboxMessage
from tracker.mail.transport import (
    RefusedAddressError,
    TooSlowError,
    Transport,
    TransportError,
    address,
)

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
# How long to wait after each failed attempt. After the last one the message counts as failed.
WAITS = (MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR)
MOST_TRIES = len(WAITS) + 1
# How long other workers leave alone a message that is being sent; after a crash it is then retried.
LEASE = 10 * MINUTE
KEPT_ERROR = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many messages the mail server accepted, and how many it didn't."""

    sent: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Letter:
    """A claimed message as plain values, so that no transaction is open while it is sent."""

    id: UUID
    attempt: int
    recipient: str
    subject: str
    body: str
    language: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an attempt to send a message; error is None if it was accepted."""

    message_id: UUID
    attempt: int
    error: Exception | None


def send_due(
    transport: Transport, limit: int = 50, *, not_recorded: list[Result] | None = None
) -> Outcome:
    """Send the messages that are due, committing after each; safe with several workers.

    not_recorded has the results that a worker could not record yet, because the database could not
    be reached; they come first. A message may be sent twice if the process dies between sending
    and recording it, or can't record it within LEASE; none is ever lost. A mail server that is too
    slow gets no further message now, since all other jobs wait for it.
    """
    results = [] if not_recorded is None else not_recorded
    _record(results)
    sent = failed = 0
    while sent + failed < limit:
        letter = _claim()
        if letter is None:
            break
        error = _hand_over(transport, letter)
        results.append(Result(letter.id, letter.attempt, error))
        _record(results)
        sent, failed = (sent + 1, failed) if error is None else (sent, failed + 1)
        if isinstance(error, TooSlowError):
            break
    return Outcome(sent, failed)


def compose(
    *, recipient: str, subject: str, body: str, language: str, at: dt.datetime, name: str
) -> EmailMessage:
    """Return a message with its headers.

    Raise RefusedAddressError if the recipient's address is invalid, else TransportError if the
    sender's is.
    """
    settings = current_app.extensions["settings"]
    message = EmailMessage()
    message["From"] = address(settings.mail_from)
    message["To"] = _recipient(recipient)
    message["Subject"] = subject
    message["Date"] = at
    message["Message-ID"] = f"<{name}@{urlsplit(settings.base_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    message.add_alternative(render.html(body, language, subject), subtype="html")
    message["Content-Language"] = language  # after the text, since setting it resets these headers
    return message


def _claim() -> _Letter | None:
    """Claim the next message for this process."""
    now = clock.now()
    message = db.session.scalar(
        sa.select(OutboxMessage)
        .where(OutboxMessage.state == MessageState.WAITING, OutboxMessage.next_try_at <= now)
        .order_by(OutboxMessage.next_try_at, OutboxMessage.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if message is None:
        db.session.rollback()
        return None
    message.attempts += 1
    message.next_try_at = now + LEASE
    letter = _Letter(
        id=message.id,
        attempt=message.attempts,
        recipient=message.recipient,
        subject=message.subject,
        body=message.body,
        language=message.language,
        created_at=message.created_at,
    )
    db.session.commit()
    return letter


def _recipient(text: str) -> Address:
    try:
        return address(text)
    except TransportError as error:
        raise RefusedAddressError(str(error)) from error


def _hand_over(transport: Transport, letter: _Letter) -> Exception | None:
    """Send a claimed message; return what went wrong, or None."""
    try:
        message = compose(
            recipient=letter.recipient,
            subject=letter.subject,
            body=letter.body,
            language=letter.language,
            at=letter.created_at,
            name=str(letter.id),
        )
        transport.send(message)
    except (TransportError, ValueError) as error:
        return error
    return None


def _record(results: list[Result]) -> None:
    """Record the results, each in its own transaction, and remove those that are recorded.

    Whatever goes wrong is raised. A result stays if the database was only unavailable.
    """
    while results:
        try:
            _settle(results[0])
        except Exception as error:
            if not (isinstance(error, SQLAlchemyError) and why_unavailable(error)):
                del results[0]
            raise
        del results[0]


def _settle(result: Result) -> None:
    """Record a result, and when to try again; never, if the address was refused.

    A failure that is recorded late says nothing about a message that another worker has taken on.
    """
    message, error = _message(result.message_id), result.error
    if message is None or (error is not None and _is_taken_on(message, result)):
        db.session.rollback()
        return
    now = clock.now()
    message.last_error = None if error is None else str(error)[:KEPT_ERROR]
    if error is None:
        message.state = MessageState.SENT
        message.sent_at = now
        message.sealed_body = None
    elif isinstance(error, RefusedAddressError) or message.attempts >= MOST_TRIES:
        message.state = MessageState.FAILED
    else:
        message.next_try_at = now + WAITS[message.attempts - 1]
    db.session.commit()


def _message(message_id: UUID) -> OutboxMessage | None:
    """Return the message, locked; None if it was deleted meanwhile."""
    return db.session.get(OutboxMessage, message_id, populate_existing=True, with_for_update=True)


def _is_taken_on(message: OutboxMessage, result: Result) -> bool:
    return message.state is not MessageState.WAITING or message.attempts != result.attempt
