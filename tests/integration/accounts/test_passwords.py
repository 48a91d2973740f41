"""Changing a password: with a link, or while signed in."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, People, sign_in, signed_in
from tests.pages import Page
from tests.stopwatch import measured
from tracker.accounts.factors import attempts, passwords
from tracker.accounts.people import service
from tracker.activity.models import Event
from tracker.mail.models import OutboxMessage
from tracker.organisations.models import Organisation

NEW = "another harbour with nine lanterns"
OWN = "2027 open-door LEGAL aid!"


def ask_for_link(client: CheckedClient, email: str) -> Page:
    return Page.of(client.submit("/new-password", email=email))


def link_in(session: Session) -> str:
    """Return the path of the link in the last mail."""
    session.rollback()
    mail = (
        session.query(OutboxMessage)
        .filter_by(kind="password_link")
        .order_by(OutboxMessage.created_at.desc())
        .first()
    )
    assert mail is not None
    line = next(line for line in mail.body.splitlines() if line.startswith("http"))
    assert line.startswith("http://localhost:8000/new-password/")
    session.rollback()
    return line.removeprefix("http://localhost:8000")


def test_a_link_lets_one_choose_a_new_password(
    people: People, client: CheckedClient, session: Session
) -> None:
    assert "we've emailed a link to it" in ask_for_link(client, "samira@example.org").text
    path = link_in(session)
    done = client.submit(path, password=NEW, password_confirm=NEW)
    assert done.request.path == "/sign-in"
    assert "Your password is changed. Sign in with it." in Page.of(done).text
    assert sign_in(client, "samira").request.path == "/sign-in"
    assert sign_in(client, "samira", NEW).request.path == "/"


def test_the_link_leads_to_this_instance_whatever_host_was_named(
    people: People, client: CheckedClient, session: Session
) -> None:
    elsewhere = "http://127.0.0.1:9000"
    form = Page.of(client.get("/new-password", base_url=elsewhere)).form()
    client.post(
        "/new-password",
        base_url=elsewhere,
        data=form.filled_in(email="samira@example.org"),
        csrf=False,
    )
    link_in(session)


def test_a_new_password_by_link_asks_for_the_second_factor_all_the_same(
    people: People, client: CheckedClient, session: Session
) -> None:
    people.enrol("samira")
    ask_for_link(client, "samira@example.org")
    client.submit(link_in(session), password=NEW, password_confirm=NEW)
    assert client.get("/account").status_code == 302
    assert sign_in(client, "samira", NEW).request.path == "/sign-in/code"
    assert client.get("/account").status_code == 302


@pytest.mark.parametrize(
    "new",
    ["correct horse battery staple", "seven lamps; " * 5, "\u0645\u0641\u062a\u0627\u062d " * 4],
)
def test_long_passwords_of_any_letters_are_good(new: str) -> None:
    """Also 65 characters, small letters only, and letters of another script."""
    assert passwords.problems(new, name="Samira Okell", email="samira@example.org") == []


def test_browsers_hide_passwords_and_know_which_to_fill_in(
    people: People, client: CheckedClient
) -> None:
    signing_in = client.get("/sign-in").text
    signed_in(client, "samira")
    pages = {
        "/sign-in": (signing_in, {"current-password"}),
        "/account/password": (
            client.get("/account/password").text,
            {"current-password", "new-password"},
        ),
    }
    for html, expected in pages.values():
        fields = [
            tag
            for tag in re.findall(r"<input[^>]*>", html)
            if 'password"' in tag.partition(" name=")[2].partition(" ")[0]
        ]
        assert fields
        assert all('type="password"' in tag for tag in fields)
        assert {re.findall(r'autocomplete="([^"]*)"', tag)[0] for tag in fields} == expected
        assert not re.search(r' value="[^"]+"', " ".join(fields))


def test_the_link_works_once(people: People, client: CheckedClient, session: Session) -> None:
    ask_for_link(client, "samira@example.org")
    path = link_in(session)
    client.submit(path, password=NEW, password_confirm=NEW)
    page = client.page(path)
    assert page.where == "/new-password"
    assert "isn't valid, or has already been used" in page.text


def test_the_link_runs_out(
    people: People, client: CheckedClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for_link(client, "samira@example.org")
    path = link_in(session)
    # The signing library reads the machine's own clock.
    later = dt.datetime.now(dt.UTC).timestamp() + 3601
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert "older than one hour" in client.page(path).text


def test_a_new_password_ends_all_sessions_and_its_owner_is_told(
    people: People, browsers: Callable[[], CheckedClient], session: Session
) -> None:
    running = signed_in(browsers(), "samira")
    client = browsers()
    ask_for_link(client, "samira@example.org")
    client.submit(link_in(session), password=NEW, password_confirm=NEW)
    assert running.get("/account").status_code == 302
    assert session.query(OutboxMessage).filter_by(kind="password_changed").count() == 1
    assert session.query(Event).filter_by(verb="password_changed").count() == 1


def test_an_unknown_address_gets_the_same_answer(
    people: People, client: CheckedClient, session: Session
) -> None:
    known = ask_for_link(client, "samira@example.org").text
    unknown = ask_for_link(client, "nobody@example.org").text
    assert known.replace("samira@", "nobody@") == unknown
    assert session.query(OutboxMessage).filter_by(kind="password_link").count() == 1


def test_a_suspended_person_gets_no_link(
    people: People, client: CheckedClient, session: Session
) -> None:
    service.suspend(people.actor("ada"), people.people["samira"], reason="Away")
    session.commit()
    assert "we've emailed a link" in ask_for_link(client, "samira@example.org").text
    assert session.query(OutboxMessage).filter_by(kind="password_link").count() == 0


def test_an_invalid_address_is_reported_beside_the_field(
    people: People, client: CheckedClient
) -> None:
    for email in ("", "nonsense", "x" * 400 + "@example.org"):
        page = ask_for_link(client, email)
        assert "There is a problem" in page.text, email
        assert "we've emailed a link" not in page.text, email


def test_links_can_be_asked_for_five_times(people: People, client: CheckedClient) -> None:
    for _again in range(5):
        assert "we've emailed a link" in ask_for_link(client, "samira@example.org").text
    assert "Too many attempts" in ask_for_link(client, "samira@example.org").text
    assert "we've emailed a link" in ask_for_link(client, "dora@example.org").text


def test_a_new_password_must_be_good(
    people: People, client: CheckedClient, session: Session
) -> None:
    ask_for_link(client, "samira@example.org")
    for new, again, message in [
        ("short one", "short one", "Use at least 12 characters"),
        ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "Use more different characters"),
        ("password-for-me-2027", "password-for-me-2027", "easy to guess"),
        ("1q2w3e4r5t6y", "1q2w3e4r5t6y", "easy to guess"),
        ("TrustNo1TrustNo1", "TrustNo1TrustNo1", "easy to guess"),
        ("our Common-Terms 2027", "our Common-Terms 2027", "easy to guess"),
        ("dear samira of the sea", "dear samira of the sea", "Don't use your name"),
        (OWN, OWN, "Don't use the name of your organisation"),
        (NEW, NEW + "x", "Enter the same password twice"),
        ("x1" * 90, "x1" * 90, "Use at most 128 characters"),
        ("", "", "Enter a new password"),
    ]:
        page = Page.of(client.submit(link_in(session), password=new, password_confirm=again))
        assert message in page.text, message
    assert sign_in(client, "samira").request.path == "/"


def test_a_short_name_of_ones_organisation_is_refused_and_one_of_others_is_not(
    people: People, client: CheckedClient, session: Session
) -> None:
    session.get_one(Organisation, people.organisations["door"]).short_name = "Ópen Door"
    session.commit()
    signed_in(client, "samira")
    for new, message in (
        ("we like opendoor, 2027", "Don't use the name of your organisation"),
        ("Lantern Health Network 2027", "Your password is changed"),
    ):
        sent = client.submit(
            "/account/password", password=PASSWORD, new_password=new, new_password_confirm=new
        )
        assert message in Page.of(sent).text


def test_changing_it_needs_the_one_of_now(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    page = Page.of(
        client.submit(
            "/account/password",
            password="not the one at all",
            new_password=NEW,
            new_password_confirm=NEW,
        )
    )
    assert "That isn't your password" in page.text


def test_wrong_passwords_of_a_stranger_keep_nobody_signed_in_from_confirming_or_changing_theirs(
    people: People, client: CheckedClient, session: Session
) -> None:
    signed_in(client, "samira")
    stranger = attempts.account("samira@example.org")
    attempts.note([stranger] * stranger.most)
    session.commit()
    assert attempts.minutes_to_wait([stranger]) > 0
    session.commit()
    confirmed = client.submit("/account/confirm", password=PASSWORD)
    assert "Too many attempts" not in Page.of(confirmed).text
    assert confirmed.request.path != "/account/confirm"
    client.submit(
        "/account/password", password=PASSWORD, new_password=NEW, new_password_confirm=NEW
    )
    session.rollback()
    assert passwords.is_right(people.user("samira"), NEW)


def test_changing_it_needs_another_one(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    page = Page.of(
        client.submit(
            "/account/password",
            password=PASSWORD,
            new_password=PASSWORD,
            new_password_confirm=PASSWORD,
        )
    )
    assert "Choose a password" in page.text


def test_letters_typed_in_two_ways_are_one_password(
    people: People, client: CheckedClient, session: Session
) -> None:
    composed, decomposed = "die gr\u00fcne T\u00fcr am Hafen", "die gru\u0308ne Tu\u0308r am Hafen"
    signed_in(client, "samira")
    client.submit(
        "/account/password",
        password=PASSWORD,
        new_password=composed,
        new_password_confirm=decomposed,
    )
    client.submit(
        "/account/password",
        password=PASSWORD,
        new_password=composed,
        new_password_confirm=composed,
    )
    client.post("/sign-out")
    assert sign_in(client, "samira", decomposed).request.path == "/"


def test_a_password_longer_than_any_can_be_is_wrong_before_it_is_composed(
    people: People, client: CheckedClient
) -> None:
    """Composing half a million marks would take minutes on some versions of Python."""
    with measured() as taken:
        for endless in ("x" * 500_000, "a" + "\u0302\u0323" * 100_000):
            assert sign_in(client, "samira", endless).request.path == "/sign-in"
            assert not passwords.is_right(people.user("samira"), endless)
    assert taken.seconds < 5
