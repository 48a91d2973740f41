"""People's own sessions: listed, ended one by one or together, worth nothing after signing out."""

import contextvars
import datetime as dt
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import open_sessions
from tests.at_once import at_once, before_commit, wait_until_waited_for
from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, People, signed_in
from tests.factories.passkeys import Device, begin, give, send
from tests.integration.accounts.conftest import NOON, Clock
from tests.integration.accounts.test_passkeys import is_in, text
from tests.integration.accounts.test_passwords import NEW, ask_for_link, link_in
from tracker.accounts import browsers as known
from tracker.accounts.factors import credentials, passkeys
from tracker.accounts.models import UserSession
from tracker.accounts.people import service, sessions

Browsers = Callable[[], CheckedClient]
PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Mobile Safari/537.36"
)

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(3)]


def on_the_phone(client: CheckedClient, key: str) -> CheckedClient:
    client.environ_base = {"HTTP_USER_AGENT": PHONE, "REMOTE_ADDR": "192.0.2.17"}
    return signed_in(client, key)


def session_ids(session: Session, people: People, key: str) -> set[UUID]:
    session.rollback()
    mine = sa.select(UserSession.id).where(UserSession.user_id == people.people[key])
    return set(session.scalars(mine))


def test_a_copied_cookie_is_worth_nothing_after_signing_out(
    people: People, browsers: Browsers, session: Session
) -> None:
    own, thief = signed_in(browsers(), "samira"), browsers()
    cookie = own.get_cookie("session")
    assert cookie is not None
    thief.set_cookie("session", cookie.value)
    assert is_in(thief)
    own.post("/sign-out")
    assert not is_in(own)
    assert not is_in(thief)
    assert session_ids(session, people, "samira") == set()


def test_a_person_sees_their_sessions_and_ends_another(
    people: People, browsers: Browsers, session: Session
) -> None:
    here = signed_in(browsers(), "samira")
    before = session_ids(session, people, "samira")
    phone = on_the_phone(browsers(), "samira")
    signed_in(browsers(), "dora")
    page = here.page("/account/sessions")
    assert page.text.count("You're using it now") == 1
    assert "Chrome Mobile on Android" in page.text
    assert "192.0.2.17" in page.text
    (other,) = session_ids(session, people, "samira") - before
    done = here.post(page.form(f"/account/sessions/{other}/end").action, follow_redirects=True)
    assert "The session has ended." in text(done)
    assert "You have no other sessions." in text(done)
    assert not is_in(phone)
    assert is_in(here)


def test_all_others_end_together_and_this_one_goes_on(people: People, browsers: Browsers) -> None:
    here, phone, third = (signed_in(browsers(), "samira") for _ in range(3))
    dora = signed_in(browsers(), "dora")
    done = here.post("/account/sessions/end-others", follow_redirects=True)
    assert "Your other sessions have ended." in text(done)
    assert [is_in(client) for client in (here, phone, third, dora)] == [True, False, False, True]


def test_nobody_ends_a_session_of_somebody_else(
    people: People, browsers: Browsers, session: Session
) -> None:
    samira = signed_in(browsers(), "samira")
    (hers,) = session_ids(session, people, "samira")
    for key in ("dora", "ada"):
        other = signed_in(browsers(), key)
        assert str(hers) not in other.get("/account/sessions").text
        assert other.post(f"/account/sessions/{hers}/end").status_code == 404
    assert is_in(samira)
    # The current session ends by signing out.
    assert samira.post(f"/account/sessions/{hers}/end").status_code == 404
    assert "/sign-in" in browsers().get("/account/sessions").location


def test_signing_out_after_the_idle_time_ends_a_copy_that_is_in_use(
    people: People, browsers: Browsers, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    own, thief = signed_in(browsers(), "samira"), browsers()
    cookie = own.get_cookie("session")
    assert cookie is not None
    thief.set_cookie("session", cookie.value)
    for minutes in (20, 40):
        frozen_time(NOON + dt.timedelta(minutes=minutes))
        assert is_in(thief)
    own.post("/sign-out")
    assert not is_in(thief)


@pytest.mark.parametrize("key", ["samira", "dora"])
def test_whoever_signs_in_next_ends_the_session_whose_time_was_over(
    people: People, browsers: Browsers, session: Session, frozen_time: Clock, key: str
) -> None:
    frozen_time(NOON)
    browser = signed_in(browsers(), "samira")
    (first,) = session_ids(session, people, "samira")
    frozen_time(NOON + dt.timedelta(minutes=31))
    assert not is_in(browser)
    signed_in(browser, key)
    assert first not in session_ids(session, people, "samira")
    assert len(session_ids(session, people, key)) == 1


def test_the_oldest_of_many_sessions_ends(
    people: People, browsers: Browsers, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST", 2)
    first, second, third = (signed_in(browsers(), "samira") for _ in range(3))
    assert [is_in(client) for client in (first, second, third)] == [False, True, True]


@pytest.mark.parametrize("session_id", ["", "x" * 36, 7, None])
def test_a_cookie_that_names_no_session_lets_nobody_in(
    people: People, browsers: Browsers, session_id: object
) -> None:
    browser = signed_in(browsers(), "samira")
    contextvars.Context().run(open_sessions.keep, browser, {"session_id": session_id})
    assert not is_in(browser)


@pytest.mark.parametrize("whose", ["samira", "ada"])
def test_somebody_signs_in_with_a_passkey_while_it_is_removed_and_neither_fails(
    app: Flask,
    people: People,
    browsers: Browsers,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    whose: str,
) -> None:
    device, phone = Device(), browsers()
    passkey_id = give(people, "samira", device).id
    prompt = begin(phone)
    answer = device.answer(prompt.challenge)
    actor, samira = people.actor(whose), people.people["samira"]
    verified, verify = threading.Event(), passkeys.verify

    def verify_first(*sent: Any) -> Any:
        result = verify(*sent)
        verified.set()
        wait_until_waited_for()
        return result

    def remove() -> None:
        verified.wait()
        if whose == "samira":
            credentials.remove(actor, passkey_id)
        else:
            service.reset_second_factor(actor, samira, reason="Telephone lost")

    monkeypatch.setattr(passkeys, "verify", verify_first)
    session.rollback()
    assert at_once(app, partial(send, phone, prompt, answer), remove) == []
    # A reset ends sessions, too.
    assert is_in(phone) is (whose == "samira")


def test_a_passkey_that_is_being_removed_signs_nobody_in(
    app: Flask, people: People, browsers: Browsers, session: Session
) -> None:
    device, phone = Device(), browsers()
    give(people, "samira", device)
    prompt = begin(phone)
    answer = device.answer(prompt.challenge)
    samira = people.actor("samira")
    (passkey,) = credentials.own(samira)
    removes = partial(credentials.remove, samira, passkey.id)
    session.rollback()
    assert before_commit(app, removes, partial(send, phone, prompt, answer)) == []
    assert not is_in(phone)


def test_a_new_password_by_link_ends_all_sessions(
    people: People, browsers: Browsers, session: Session
) -> None:
    here, elsewhere = signed_in(browsers(), "samira"), browsers()
    ask_for_link(elsewhere, "samira@example.org")
    elsewhere.submit(link_in(session), password=NEW, password_confirm=NEW)
    assert session_ids(session, people, "samira") == set()
    assert not is_in(here)


@pytest.mark.parametrize("what", ["suspended", "left", "signed out by an administrator"])
def test_what_closes_the_way_in_deletes_the_sessions(
    people: People, browsers: Browsers, session: Session, what: str
) -> None:
    hers = signed_in(browsers(), "dora")
    dora = people.people["dora"]
    if what == "suspended":
        service.suspend(people.actor("ada"), dora, reason="Telephone stolen")
    elif what == "left":
        service.leave(people.actor("dora"), people.organisations["door"])
    else:
        service.end_sessions_of(people.actor("ada"), dora, reason="Telephone stolen")
    session.commit()
    assert session_ids(session, people, "dora") == set()
    assert not is_in(hers)


def test_the_cookie_of_another_persons_session_lets_nobody_in(
    people: People, browsers: Browsers, session: Session
) -> None:
    signed_in(browsers(), "samira")
    (hers,) = session_ids(session, people, "samira")
    assert sessions.person_of(people.user("samira").fs_uniquifier, hers) is not None
    assert sessions.person_of(people.user("dora").fs_uniquifier, hers) is None
    assert sessions.person_of(people.user("samira").fs_uniquifier, None) is None


def test_a_new_password_ends_the_other_sessions(
    people: People, browsers: Browsers, session: Session
) -> None:
    here, phone = signed_in(browsers(), "samira"), signed_in(browsers(), "samira")
    new = "eight lanterns by the harbour"
    here.submit("/account/password", password=PASSWORD, new_password=new, new_password_confirm=new)
    assert is_in(here)
    assert not is_in(phone)
    assert len(session_ids(session, people, "samira")) == 1


def test_after_a_second_factor_changes_the_other_sessions_can_be_ended(
    people: People, browsers: Browsers
) -> None:
    here = signed_in(browsers(), "samira")
    alone = here.get("/account/factor-changed")
    assert alone.location == "/account"
    signed_in(browsers(), "samira")
    offer = here.page("/account/factor-changed?next=/guidance")
    assert "You changed how you sign in." in offer.text
    done = here.post(offer.form("/account/sessions/end-others").action)
    assert done.location == "/guidance"


def test_a_removed_passkey_leads_to_that_offer(people: People, browsers: Browsers) -> None:
    here = signed_in(browsers(), "samira")
    signed_in(browsers(), "samira")
    give(people, "samira", Device())
    (passkey,) = people.user("samira").webauthn
    done = here.submit(f"/account/passkeys/{passkey.id}/remove")
    assert "You changed how you sign in." in text(done)


@pytest.mark.both_databases
def test_where_a_session_was_begun_is_encrypted_for_its_row(
    people: People, browsers: Browsers, session: Session
) -> None:
    here, phone = signed_in(browsers(), "samira"), on_the_phone(browsers(), "samira")
    rows = {row.id: row for row in session.scalars(sa.select(UserSession))}
    assert all(b"192.0.2" not in row.sealed_origin for row in rows.values())
    assert is_in(phone)
    first, second = rows.values()
    first.sealed_origin = second.sealed_origin
    session.commit()
    assert "Unknown browser" in here.get("/account/sessions").text


@pytest.mark.both_databases
def test_the_worker_forgets_sessions_whose_longest_time_is_over(
    people: People, browsers: Browsers, session: Session, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    signed_in(browsers(), "samira")
    frozen_time(NOON + sessions.LASTS.get())
    signed_in(browsers(), "dora")
    assert sessions.forget_old() == 1
    session.commit()
    assert session_ids(session, people, "samira") == set()
    assert len(session_ids(session, people, "dora")) == 1


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (PHONE, "Chrome Mobile on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on"),
        ("", "Unknown browser"),
        ("\x00<script>" * 40, "Unknown browser"),
    ],
)
@pytest.mark.usefixtures("app")
def test_a_browser_is_named_as_far_as_it_is_known(user_agent: str, words: str) -> None:
    assert known.words(user_agent).startswith(words)
