"""The outbox: messages reach a real server, are retried, and are listed when they fail.

In one file: all of it is one path, from the table to the server.
"""

import datetime as dt
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People, make_people, signed_in
from tests.pages import Page
from tests.servers.ports import free_port
from tests.servers.smtp import Delivery, SmtpServer
from tests.starting_points import noon_in
from tracker.core.db import db
from tracker.evidence.log import notes
from tracker.mail import outbox, queries, render, sending, transport
from tracker.mail.models import MessageState, OutboxMessage

NOON = noon_in(100)
Clock = Callable[[dt.datetime | None], None]
Statements = Callable[[], AbstractContextManager[list[str]]]


def write(session: Session, recipient: str = "samira@example.org") -> OutboxMessage:
    message = outbox.queue(recipient, "en", "trial", "Something\nwaits", "Look.\n\nhttps://x.y\n")
    assert message is not None
    session.commit()
    return message


def nowhere() -> transport.Transport:
    return transport.from_url(f"smtp://127.0.0.1:{free_port()}")


def part_of(delivery: Delivery, kind: str) -> str:
    part = delivery.message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def text_of(delivery: Delivery) -> str:
    return part_of(delivery, "plain")


@pytest.mark.both_databases
def test_a_message_is_sent_once(session: Session, smtp_server: SmtpServer) -> None:
    message = write(session)
    way = transport.from_url(smtp_server.url)
    assert sending.send_due(way) == sending.Outcome(sent=1)
    assert sending.send_due(way) == sending.Outcome()
    (delivery,) = smtp_server.deliveries
    assert delivery.recipients == ("samira@example.org",)
    assert delivery.sender == "no-reply@localhost"
    assert delivery.message["Subject"] == "Something waits"
    assert delivery.message["From"] == "Common Terms <no-reply@localhost>"
    assert delivery.message["Auto-Submitted"] == "auto-generated"
    assert delivery.message["Content-Language"] == "en"
    assert delivery.message["Date"]
    assert "Look." in text_of(delivery)
    session.refresh(message)
    assert message.state is MessageState.SENT
    assert message.sent_at is not None


def test_the_text_is_gone_once_sent_and_sealed_before(
    session: Session, smtp_server: SmtpServer
) -> None:
    message = write(session)
    assert message.sealed_body is not None
    assert b"Look" not in message.sealed_body
    sending.send_due(transport.from_url(smtp_server.url))
    stored = session.get_one(OutboxMessage, message.id, populate_existing=True)
    assert stored.sealed_body is None
    assert stored.body == ""


def test_nothing_is_sent_for_what_was_given_up(session: Session, smtp_server: SmtpServer) -> None:
    outbox.queue("samira@example.org", "en", "trial", "Something", "Look.")
    session.rollback()
    assert sending.send_due(transport.from_url(smtp_server.url)) == sending.Outcome()


def test_a_mail_server_that_stalls_gets_no_further_message_now(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "SECONDS", 0.3)
    messages = [write(session), write(session)]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        stalls = transport.from_url(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        assert sending.send_due(stalls) == sending.Outcome(failed=1)
    for message in messages:
        session.refresh(message)
    assert sorted(message.attempts for message in messages) == [0, 1]
    assert any("within 0.3 seconds" in (message.last_error or "") for message in messages)


def test_words_of_other_scripts_arrive(session: Session, smtp_server: SmtpServer) -> None:
    outbox.queue("samira@example.org", "ar", "trial", "تذكير", "مرحبا")
    session.commit()
    sending.send_due(transport.from_url(smtp_server.url))
    (delivery,) = smtp_server.deliveries
    assert delivery.message["Subject"] == "تذكير"
    assert text_of(delivery).strip() == "مرحبا"


def test_the_html_part_says_what_the_text_says_with_links_to_this_instance_only(
    session: Session, smtp_server: SmtpServer
) -> None:
    with render.in_language("en"):
        body = render.text(
            "Two lines\nof <b>one</b> paragraph.",
            "https://elsewhere.example/page",
            name="Samira",
            address=render.link("/account?a=1&b=2"),
        )
    outbox.queue("samira@example.org", "en", "trial", "Something", body)
    session.commit()
    sending.send_due(transport.from_url(smtp_server.url))
    (delivery,) = smtp_server.deliveries
    assert delivery.message.get_content_type() == "multipart/alternative"
    assert text_of(delivery).strip() == body.strip()
    html = part_of(delivery, "html")
    assert '<html lang="en" dir="ltr">' in html
    assert "Two lines<br>of &lt;b&gt;one&lt;/b&gt; paragraph." in html
    assert html.count("<a ") == 1
    assert 'href="http://localhost:8000/account?a=1&amp;b=2"' in html
    # Nothing is fetched when the email is read, and nothing runs.
    for word in ("<img", "<script", "<link", "url(", "src="):
        assert word not in html


def test_the_html_part_of_an_arabic_email_runs_from_right_to_left(
    session: Session, smtp_server: SmtpServer
) -> None:
    with render.in_language("ar"):
        body = render.text("مرحبا", address=render.link("/account"))
    outbox.queue("samira@example.org", "ar", "trial", "تذكير", body)
    session.commit()
    sending.send_due(transport.from_url(smtp_server.url))
    html = part_of(smtp_server.deliveries[0], "html")
    assert '<html lang="ar" dir="rtl">' in html
    # A URL is read from left to right.
    assert '<a dir="ltr" href="http://localhost:8000/account"' in html


def test_a_checkpoint_in_an_arabic_email_runs_from_left_to_right_and_its_lines_can_break(
    session: Session, smtp_server: SmtpServer
) -> None:
    with render.in_language("ar"):
        body = render.text("مرحبا", f"{notes.CHECKPOINT}\nsize: 7")
    outbox.queue("samira@example.org", "ar", "trial", "نقطة تحقق", body)
    session.commit()
    sending.send_due(transport.from_url(smtp_server.url))
    html = part_of(smtp_server.deliveries[0], "html")
    assert f'<p dir="ltr" style="margin:0 0 16px">{notes.CHECKPOINT}<br>size: 7</p>' in html
    assert "overflow-wrap:anywhere" in html


def test_a_domain_of_another_script_is_written_in_ascii(
    session: Session, smtp_server: SmtpServer
) -> None:
    write(session, "info@bücher.example")
    sending.send_due(transport.from_url(smtp_server.url))
    assert smtp_server.deliveries[0].recipients == ("info@xn--bcher-kva.example",)


@pytest.mark.both_databases
def test_an_unreachable_server_is_retried_after_growing_delays(
    session: Session, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    message = write(session)
    moment = NOON
    waits = []
    for number in range(1, sending.MOST_TRIES + 1):
        assert sending.send_due(nowhere()) == sending.Outcome(failed=1)
        session.refresh(message)
        assert message.attempts == number
        assert message.last_error
        assert sending.send_due(nowhere()) == sending.Outcome()
        if message.state is MessageState.WAITING:
            waits.append(message.next_try_at - moment)
            moment = message.next_try_at
            frozen_time(moment)
    session.refresh(message)
    assert message.state is MessageState.FAILED
    assert waits == list(sending.WAITS)
    assert message.body.startswith("Look.")


def test_a_refused_recipient_is_kept_with_the_servers_answer(
    session: Session, smtp_server: SmtpServer
) -> None:
    smtp_server.refuse["samira@example.org"] = "550 No such user"
    bad, good = write(session), write(session, "joana@example.org")
    way = transport.from_url(smtp_server.url)
    assert sending.send_due(way) == sending.Outcome(sent=1, failed=1)
    session.refresh(bad)
    session.refresh(good)
    # Trying again would not help.
    assert (bad.state, bad.attempts) == (MessageState.FAILED, 1)
    assert bad.last_error == "refused: 550 No such user"
    assert bad.body.startswith("Look.")
    assert good.state is MessageState.SENT


def test_a_message_arrives_once_the_server_accepts_it(
    session: Session, smtp_server: SmtpServer, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    smtp_server.refuse["samira@example.org"] = "450 Later"
    message = write(session)
    way = transport.from_url(smtp_server.url)
    sending.send_due(way)
    smtp_server.refuse.clear()
    assert sending.send_due(way) == sending.Outcome()
    frozen_time(NOON + dt.timedelta(minutes=1))
    assert sending.send_due(way) == sending.Outcome(sent=1)
    session.refresh(message)
    assert message.last_error is None


@pytest.mark.both_databases
def test_an_invalid_address_does_not_affect_other_messages(
    session: Session, smtp_server: SmtpServer
) -> None:
    for recipient in ("nonsense", "a@b@c", "", "x\nBcc: evil@example.org"):
        write(session, recipient)
    write(session)
    way = transport.from_url(smtp_server.url)
    assert sending.send_due(way) == sending.Outcome(sent=1, failed=4)
    assert len(smtp_server.deliveries) == 1
    assert queries.counts() == {MessageState.SENT: 1, MessageState.FAILED: 4}


@pytest.mark.both_databases
def test_a_message_being_sent_is_left_alone_by_others(
    session: Session, smtp_server: SmtpServer, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    write(session)
    assert sending._claim() is not None
    assert sending._claim() is None
    # The first one died; after a while another takes over.
    frozen_time(NOON + sending.LEASE)
    assert sending.send_due(transport.from_url(smtp_server.url)) == sending.Outcome(sent=1)


@pytest.mark.both_databases
def test_no_more_messages_are_sent_than_the_limit(
    session: Session, smtp_server: SmtpServer
) -> None:
    for _again in range(5):
        write(session)
    assert sending.send_due(transport.from_url(smtp_server.url), limit=3).sent == 3
    assert len(smtp_server.deliveries) == 3


def test_files_contain_complete_messages_that_only_their_owner_can_read(
    session: Session, tmp_path: Path
) -> None:
    write(session)
    sending.send_due(transport.from_url(f"file://{tmp_path}/mail"))
    (path,) = (tmp_path / "mail").iterdir()
    assert path.suffix == ".eml"
    assert path.stat().st_mode & 0o777 == 0o600
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["To"] == "samira@example.org"


def test_a_folder_that_cannot_be_written_is_a_failure(session: Session, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    message = write(session)
    sending.send_due(transport.from_url(f"file://{tmp_path}/mail"))
    session.refresh(message)
    assert message.state is MessageState.WAITING
    assert "file://" in str(message.last_error)


# By command ---------------------------------------------------------------------------------


@pytest.fixture
def smtp_app(app: Flask, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application with the test's mail server."""
    settings = replace(app.extensions["settings"], mail_url=smtp_server.url)
    monkeypatch.setitem(app.extensions, "settings", settings)
    return app


def test_the_command_sends_and_counts(
    smtp_app: Flask, session: Session, smtp_server: SmtpServer
) -> None:
    write(session)
    result = smtp_app.test_cli_runner().invoke(args=["outbox", "send"])
    assert result.exit_code == 0
    assert result.output == "1 sent, 0 not accepted.\n"
    assert len(smtp_server.deliveries) == 1


def test_the_command_fails_if_a_message_was_not_accepted(
    smtp_app: Flask, session: Session, smtp_server: SmtpServer
) -> None:
    smtp_server.refuse["samira@example.org"] = "550 No such user"
    write(session)
    runner = smtp_app.test_cli_runner()
    result = runner.invoke(args=["outbox", "send"])
    assert result.exit_code == 1
    assert "0 sent, 1 not accepted." in result.output
    listed = runner.invoke(args=["outbox", "list"])
    assert "failed: 1" in listed.output
    assert "refused: 550 No such user" in listed.output
    assert "Look." not in listed.output


def test_a_command_queues_failed_messages_again(
    smtp_app: Flask, session: Session, smtp_server: SmtpServer
) -> None:
    smtp_server.refuse["samira@example.org"] = "550 No such user"
    write(session)
    runner = smtp_app.test_cli_runner()
    runner.invoke(args=["outbox", "send"])
    elsewhere = runner.invoke(args=["outbox", "retry", "otto@example.org"])
    assert elsewhere.output == "0 queued again.\n"
    smtp_server.refuse.clear()
    assert runner.invoke(args=["outbox", "retry"]).output == "1 queued again.\n"
    assert runner.invoke(args=["outbox", "send"]).output == "1 sent, 0 not accepted.\n"


def test_the_test_message_is_sent_directly_or_the_reason_printed(
    smtp_app: Flask, session: Session, smtp_server: SmtpServer
) -> None:
    runner = smtp_app.test_cli_runner()
    result = runner.invoke(args=["outbox", "test", "samira@example.org"])
    assert result.exit_code == 0
    assert smtp_server.url in result.output
    assert smtp_server.deliveries[0].message["Subject"] == "Test message"
    smtp_server.refuse["samira@example.org"] = "550 No such user"
    refused = runner.invoke(args=["outbox", "test", "samira@example.org"])
    assert refused.exit_code == 1
    assert refused.output == "Error: refused: 550 No such user\n"
    nonsense = runner.invoke(args=["outbox", "test", "nonsense"])
    assert nonsense.exit_code == 1
    assert "not an email address" in nonsense.output


# In words -----------------------------------------------------------------------------------


def test_a_mail_is_written_in_the_readers_language_with_a_link_home(session: Session) -> None:
    with render.in_language("en"):
        text = render.text(
            "One.", "Two.", name="Samira", address=render.link_to("accounts.profile")
        )
    assert text.startswith("Dear Samira,\n\nOne.\n\nTwo.\n\nhttp://localhost:8000/account\n")
    assert "\n\nYou'll find the details after signing in." in text


def test_a_mail_that_says_all_promises_no_details_after_signing_in(session: Session) -> None:
    with render.in_language("en"):
        text = render.text("You can't sign in.", name="Samira", says_all=True)
    assert text == (
        "Dear Samira,\n\nYou can't sign in.\n\n"
        "Nobody reads replies to this address.\n\nCommon Terms\n"
    )


# On the page --------------------------------------------------------------------------------


@pytest.fixture
def people(session: Session) -> People:
    demo_people = make_people(session)
    db.session.query(OutboxMessage).delete()
    session.commit()
    return demo_people


def fail(session: Session) -> OutboxMessage:
    message = write(session, "lost@example.org")
    message.state = MessageState.FAILED
    message.attempts = sending.MOST_TRIES
    message.last_error = "refused: 550 <b>No such user</b>"
    session.commit()
    return message


@pytest.mark.both_databases
def test_failed_messages_are_shown_and_sent_again(
    people: People, session: Session, client: CheckedClient
) -> None:
    message = fail(session)
    signed_in(client, "ada")
    page = client.page("/administration/mail")
    assert "lost@example.org" in page.text
    assert "refused: 550 <b>No such user</b>" in page.text
    assert "Look." not in page.text
    path = f"/administration/mail/{message.id}/again"
    assert client.post(path).status_code == 302
    session.refresh(message)
    assert message.state is MessageState.WAITING
    assert message.attempts == 0
    assert "lost@example.org" in client.page("/administration/mail?state=waiting").text


def test_an_administrator_does_not_read_who_gets_a_message_about_a_visit(
    app: Flask, people: People, session: Session, client: CheckedClient
) -> None:
    """Recipients are on the visit's list; administrators read only subjects about accounts."""
    for kind, subject in (
        ("visit_changed", "Something about a visit changed: C-2026-0001"),
        ("password_link", "Choose a new password"),
    ):
        outbox.queue("samira@example.org", "en", kind, subject, "Look.")
    session.commit()
    signed_in(client, "ada")
    text = client.page("/administration/mail?state=waiting").text
    assert "samira@example.org" in text
    assert "About a cooperation" in text
    assert "Choose a new password" in text
    printed = app.test_cli_runner().invoke(args=["outbox", "list"]).output
    assert "password_link" in printed
    for word in ("visit", "C-2026-0001"):
        assert word not in text
        assert word not in printed


@pytest.mark.parametrize("who", ["samira", "ilena", "nadia", "dora"])
def test_only_administrators_see_the_mail(
    people: People, session: Session, client: CheckedClient, who: str
) -> None:
    message = fail(session)
    assert client.get("/administration/mail").status_code == 302
    signed_in(client, who)
    assert client.get("/administration/mail").status_code == 403
    assert client.post(f"/administration/mail/{message.id}/again").status_code == 403
    session.refresh(message)
    assert message.state is MessageState.FAILED


@pytest.mark.both_databases
def test_a_sent_or_missing_message_is_not_sent_again(
    people: People, session: Session, client: CheckedClient, smtp_server: SmtpServer
) -> None:
    message = write(session)
    sending.send_due(transport.from_url(smtp_server.url))
    signed_in(client, "ada")
    for message_id in (message.id, "nonsense"):
        assert client.post(f"/administration/mail/{message_id}/again").status_code == 404
    assert "All messages were sent" in Page.of(client.get("/administration/mail")).text


def test_the_page_asks_no_more_when_more_failed(
    people: People, session: Session, client: CheckedClient, statements: Statements
) -> None:
    signed_in(client, "ada")
    fail(session)

    def cost() -> int:
        with statements() as seen:
            client.get("/administration/mail")
        return len(seen)

    before = cost()
    for _again in range(10):
        fail(session)
    assert cost() == before
