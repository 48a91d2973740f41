"""Confirming that it's still the same person: a new session, also for a form sent twice."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, People, signed_in
from tests.factories.passkeys import Device, asked_on, give, send, sign_in
from tests.integration.accounts.conftest import NOON, Clock
from tests.integration.accounts.test_passkeys import is_in
from tests.integration.accounts.test_sessions import Browsers, session_ids
from tests.pages import Page
from tracker.accounts.factors import passwords
from tracker.accounts.models import UserSession
from tracker.accounts.people import sessions
from tracker.accounts.sign_in import sessions as session_cookies
from tracker.core.db import db


@pytest.mark.parametrize("method", ["password", "passkey"])
def test_confirming_ends_the_token_of_a_session_and_goes_on_with_a_new_one(
    people: People, browsers: Browsers, session: Session, frozen_time: Clock, method: str
) -> None:
    frozen_time(NOON)
    device, here, thief = Device(), browsers(), browsers()
    if method == "passkey":
        give(people, "samira", device)
        sign_in(here, device)
    else:
        signed_in(here, "samira")
    cookie = here.get_cookie("session")
    assert cookie is not None
    thief.set_cookie("session", cookie.value)
    other_tab = here.page("/account/acting")
    (before,) = session_ids(session, people, "samira")
    frozen_time(NOON + dt.timedelta(minutes=20))
    assert is_in(thief)
    if method == "password":
        here.submit("/account/confirm", password=PASSWORD)
    else:
        prompt = asked_on(Page.of(here.post("/account/confirm/passkey")))
        send(here, prompt, device.answer(prompt.challenge))
    (after,) = session_ids(session, people, "samira")
    assert after != before
    assert not is_in(thief)
    sent = here.post("/account/acting", data=other_tab.form().filled_in(), csrf=False)
    assert sent.location == "/"
    # The longest time doesn't begin again.
    assert session.get_one(UserSession, after).begun_at == NOON


@pytest.mark.both_databases
@pytest.mark.parametrize("method", ["password", "passkey"])
def test_somebody_who_confirms_twice_by_a_double_click_stays_signed_in(
    people: People, browsers: Browsers, method: str
) -> None:
    device, here, again = Device(), browsers(), browsers()
    if method == "passkey":
        give(people, "samira", device)
        sign_in(here, device)
        prompt = asked_on(Page.of(here.post("/account/confirm/passkey")))
        answer = device.answer(prompt.challenge)
    else:
        signed_in(here, "samira")
    cookie = here.get_cookie("session")
    assert cookie is not None
    again.set_cookie("session", cookie.value)

    def confirm(browser: CheckedClient) -> TestResponse:
        if method == "passkey":
            return browser.post(prompt.action, data={prompt.into: answer})
        sent = {"password": PASSWORD, "next": "/account/sessions"}
        return browser.post("/account/confirm", data=sent)

    assert confirm(here).status_code < 400
    repeated = confirm(again)
    assert (repeated.status_code, "Set-Cookie" in repeated.headers) == (303, False)
    assert repeated.location == ("/" if method == "passkey" else "/account/sessions")
    assert is_in(here)
    assert not is_in(again)


@pytest.mark.both_databases
def test_a_session_that_ends_while_its_person_confirms_leaves_the_cookie_as_it_is(
    people: People, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(browsers(), "samira")
    is_right = passwords.is_right

    def end_meanwhile(*typed: Any) -> bool:
        sessions.end_by_cookie(session_cookies.session_id())
        db.session.commit()
        return is_right(*typed)

    monkeypatch.setattr(passwords, "is_right", end_meanwhile)
    sent = browser.post("/account/confirm", data={"password": PASSWORD})
    assert (sent.status_code, sent.location) == (303, "/")
    assert "Set-Cookie" not in sent.headers


def test_a_form_sent_with_the_cookie_of_before_a_confirmation_leaves_the_new_cookie(
    people: People, browsers: Browsers
) -> None:
    here, late = signed_in(browsers(), "samira"), browsers()
    cookie = here.get_cookie("session")
    assert cookie is not None
    late.set_cookie("session", cookie.value)
    here.submit("/account/confirm", password=PASSWORD)
    sent = late.post("/account/acting", data={"organisation": "x"})
    assert sent.status_code == 400
    assert "Set-Cookie" not in sent.headers


def test_a_session_that_ended_meanwhile_does_not_go_on_by_confirming(
    people: People, browsers: Browsers, session: Session
) -> None:
    signed_in(browsers(), "samira")
    (hers,) = session_ids(session, people, "samira")
    samira = people.people["samira"]
    assert sessions.end(samira, hers)
    assert sessions.renew(samira, hers, user_agent="", address="") is None
    session.commit()
    assert session_ids(session, people, "samira") == set()
