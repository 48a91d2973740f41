"""Results of sending that a worker could not record, because the database was restarted."""

import datetime as dt
from collections.abc import Callable
from email.message import EmailMessage
from typing import NoReturn
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.servers.ports import free_port
from tests.servers.smtp import SmtpServer
from tests.starting_points import noon_in
from tracker.core.db import db
from tracker.mail import outbox, sending, transport
from tracker.mail.models import MessageState, OutboxMessage

NOON = noon_in(100)
Clock = Callable[[dt.datetime | None], None]


def write(session: Session, recipient: str = "samira@example.org") -> OutboxMessage:
    message = outbox.queue(recipient, "en", "trial", "Something waits", "Look.\n")
    assert message is not None
    session.commit()
    return message


class _Away:
    """A way for mails after which the database can't be reached, until it is back."""

    def __init__(self, way: transport.Transport, monkeypatch: pytest.MonkeyPatch) -> None:
        self._way, self._monkeypatch = way, monkeypatch
        self.words = way.words

    def send(self, message: EmailMessage) -> None:
        try:
            self._way.send(message)
        finally:
            self._monkeypatch.setattr(sending, "_message", self._refuse)

    @staticmethod
    def _refuse(_message_id: UUID) -> NoReturn:
        raise OperationalError("SELECT", {}, Exception("the server is restarted"))


def rounds_around_a_restart(way: transport.Transport) -> list[sending.Result]:
    """Send what is due; the database is away when the result is known, and then back."""
    not_recorded: list[sending.Result] = []
    with pytest.MonkeyPatch.context() as meanwhile, pytest.raises(OperationalError):
        sending.send_due(_Away(way, meanwhile), not_recorded=not_recorded)
    db.session.rollback()
    assert len(not_recorded) == 1
    return not_recorded


@pytest.mark.both_databases
def test_a_message_sent_while_the_database_restarts_is_recorded_later_and_not_sent_again(
    session: Session, smtp_server: SmtpServer, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    message = write(session)
    way = transport.from_url(smtp_server.url)
    not_recorded = rounds_around_a_restart(way)
    assert sending.send_due(way, not_recorded=not_recorded) == sending.Outcome()
    assert not_recorded == []
    session.refresh(message)
    assert message.state is MessageState.SENT
    frozen_time(NOON + 2 * sending.LEASE)
    assert sending.send_due(way) == sending.Outcome()
    assert len(smtp_server.deliveries) == 1


def test_a_result_that_can_not_be_recorded_at_all_keeps_no_other_mail_waiting(
    session: Session, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(session)
    not_recorded: list[sending.Result] = []
    way = transport.from_url(smtp_server.url)
    with monkeypatch.context() as mistaken:
        mistaken.setattr(sending, "_message", None)
        with pytest.raises(TypeError):
            sending.send_due(way, not_recorded=not_recorded)
    assert not_recorded == []
    db.session.rollback()
    write(session, "joana@example.org")
    assert sending.send_due(way, not_recorded=not_recorded) == sending.Outcome(sent=1)


@pytest.mark.both_databases
def test_a_failure_recorded_late_leaves_alone_what_another_worker_has_sent(
    session: Session, smtp_server: SmtpServer, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    message = write(session)
    not_recorded = rounds_around_a_restart(transport.from_url(f"smtp://127.0.0.1:{free_port()}"))
    frozen_time(NOON + 2 * sending.LEASE)
    way = transport.from_url(smtp_server.url)
    assert sending.send_due(way) == sending.Outcome(sent=1)
    sending.send_due(way, not_recorded=not_recorded)
    session.refresh(message)
    assert (message.state, message.last_error) == (MessageState.SENT, None)
    assert len(smtp_server.deliveries) == 1
