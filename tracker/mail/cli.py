"""Commands for the outbox: send, list, retry, test."""

from uuid import uuid4

import click
from flask import current_app
from flask.cli import AppGroup
from flask_babel import gettext as _

from tracker.core import clock
from tracker.core.db import db
from tracker.mail import outbox, queries, render, sending, transport
from tracker.mail.models import MessageState

SHOWN = 100

outbox_group = AppGroup("outbox", help="Send, list, retry and test emails.")


@outbox_group.command("send")
@click.option(
    "--limit",
    default=200,
    type=click.IntRange(1, 10_000),
    help="The maximum number of messages to send.",
)
def send(limit: int) -> None:
    """Send the messages that are due; exit 1 if one was not accepted."""
    outcome = sending.send_due(_transport(), limit)
    click.echo(f"{outcome.sent} sent, {outcome.failed} not accepted.")
    if outcome.failed:
        raise click.ClickException("Some messages were not accepted; see tracker outbox list.")


@outbox_group.command("list")
def list_messages() -> None:
    """List queued and failed messages, with the last error of each."""
    for state in (MessageState.FAILED, MessageState.WAITING):
        total, lines = queries.listed(state, limit=SHOWN)
        click.echo(f"{state.value}: {total}")
        for line in lines:
            error = f"  {line.last_error}" if line.last_error else ""
            click.echo(
                f"  {line.created_at:%Y-%m-%d %H:%M} UTC  {line.kind or 'cooperation'}  "
                f"{line.recipient}  {line.attempts} tries{error}"
            )


@outbox_group.command("retry")
@click.argument("address", required=False)
def retry(address: str | None) -> None:
    """Queue failed messages again: all, or those to one address."""
    number = outbox.send_failed_again(address)
    db.session.commit()
    click.echo(f"{number} queued again.")


@outbox_group.command("test")
@click.argument("address")
def test(address: str) -> None:
    """Send a test message directly, without queueing it.

    Exits 1 with the reason if it is not accepted.
    """
    chosen = _transport()
    language = current_app.extensions["settings"].languages[0]
    with render.in_language(language):
        subject = _("Test message")
        body = render.text(
            _("This is a test message. Email from this instance arrives."), says_all=True
        )
    try:
        chosen.send(
            sending.compose(
                recipient=address,
                subject=subject,
                body=body,
                language=language,
                at=clock.now(),
                name=str(uuid4()),
            )
        )
    except (transport.TransportError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Accepted by {chosen.words}.")


def _transport() -> transport.Transport:
    try:
        return transport.from_url(current_app.extensions["settings"].mail_url)
    except transport.TransportError as error:
        raise click.ClickException(f"TRACKER_MAIL_URL: {error}") from error
