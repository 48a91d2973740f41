"""Signing in, out and staying in."""

import base64
import datetime as dt
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from urllib.parse import urljoin

import pytest
import sqlalchemy as sa
from flask import Flask
from passlib.context import CryptContext
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, People, sign_in, signed_in
from tests.integration.accounts.conftest import NOON, Clock
from tests.pages import Page
from tracker.access.actor import Role
from tracker.accounts.models import Attempt, Membership, User
from tracker.accounts.people import service
from tracker.accounts.sign_in import setup as sign_in_machinery
from tracker.core import clock
from tracker.core.db import db
from tracker.settings import Settings

pytestmark = pytest.mark.some_on_postgresql(3)

Statements = Callable[[], AbstractContextManager[list[str]]]

NOT_RIGHT = "The email address or password is wrong."


@pytest.mark.both_databases
def test_a_person_signs_in_with_address_and_password(people: People, client: CheckedClient) -> None:
    response = sign_in(client, "samira")
    assert response.request.path == "/"
    assert "Samira Marsh" in Page.of(response).text


@pytest.mark.both_databases
def test_the_address_may_be_typed_in_capitals(people: People, client: CheckedClient) -> None:
    response = client.post("/sign-in", data={"email": " SAMIRA@example.org ", "password": PASSWORD})
    assert response.status_code == 302


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(
    people: People, client: CheckedClient
) -> None:
    wrong = sign_in(client, "samira", "not the one at all")
    unknown = sign_in(client, "nobody", "not the one at all")
    assert NOT_RIGHT in Page.of(wrong).text
    assert Page.of(wrong).text == Page.of(unknown).text
    assert wrong.status_code == unknown.status_code


def test_a_blank_field_is_reported_beside_the_field(people: People, client: CheckedClient) -> None:
    page = Page.of(client.submit("/sign-in", email="", password=""))
    assert "Enter the email address" in page.text
    assert "Enter your password" in page.text
    assert NOT_RIGHT not in page.text


def test_the_typed_address_is_kept_and_the_password_is_not(
    people: People, client: CheckedClient
) -> None:
    response = sign_in(client, "samira", "not the one at all")
    assert 'value="samira@example.org"' in response.text
    assert "not the one" not in response.text


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "hostile", ["x" * 100_000, "\x00\x01", "' or 1=1 --", "<script>", "ü" * 90]
)
def test_hostile_input_is_refused_without_harm(
    people: People, client: CheckedClient, hostile: str
) -> None:
    for data in ({"email": hostile, "password": "x"}, {"email": "a@b.org", "password": hostile}):
        response = client.post("/sign-in", data=data)
        assert response.status_code == 200
        assert "<script>" not in response.text


def test_json_is_not_taken(people: People, client: CheckedClient) -> None:
    page = client.get("/sign-in")
    assert page.status_code == 200
    response = client.post(
        "/sign-in", json=[1], headers={"X-CSRFToken": client._token()}, csrf=False
    )
    assert response.status_code == 415


def test_after_signing_in_one_returns_to_the_page_asked_for(
    people: People, client: CheckedClient
) -> None:
    redirect = client.get("/account?x=1")
    assert redirect.location == "/sign-in?next=/account?x%3D1"
    response = client.submit(redirect.location, email="samira@example.org", password=PASSWORD)
    assert response.request.full_path == "/account?x=1"


@pytest.mark.parametrize(
    "hostile",
    ["https://evil.example/", "//evil.example", "\\\\evil.example", "javascript:alert(1)", "////x"],
)
def test_nobody_is_sent_outside_after_signing_in(
    people: People, client: CheckedClient, hostile: str
) -> None:
    response = client.post(
        "/sign-in",
        data={"email": "samira@example.org", "password": PASSWORD, "next": hostile},
        query_string={"next": hostile},
    )
    assert response.status_code == 302
    assert urljoin("http://localhost/sign-in", response.location).startswith("http://localhost/")


def test_signing_out_is_by_post_only(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").status_code == 302
    assert client.get("/account").status_code == 302


def test_a_form_from_elsewhere_does_not_sign_out(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    assert client.post("/sign-out", csrf=False).status_code == 400
    assert client.get("/account").status_code == 200


def test_the_cookie_is_closed_to_scripts_and_other_sites(
    people: People, client: CheckedClient
) -> None:
    response = client.post("/sign-in", data={"email": "samira@example.org", "password": PASSWORD})
    cookies = response.headers.getlist("Set-Cookie")
    assert len(cookies) == 1
    assert "HttpOnly" in cookies[0]
    assert "SameSite=Lax" in cookies[0]
    assert "Path=/" in cookies[0]
    assert "Expires" not in cookies[0]
    # Signed with SHA-256: 32 bytes.
    signature = cookies[0].partition(";")[0].rpartition(".")[2]
    assert len(signature) == len(base64.urlsafe_b64encode(bytes(32)).rstrip(b"="))


def test_nobody_is_remembered_beyond_the_session(people: People, client: CheckedClient) -> None:
    response = client.post(
        "/sign-in",
        data={"email": "samira@example.org", "password": PASSWORD, "remember": "y"},
    )
    assert "remember" not in "".join(response.headers.getlist("Set-Cookie"))


# How long a session lasts -------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_session_ends_when_nobody_uses_it(
    people: People, client: CheckedClient, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    signed_in(client, "samira")
    frozen_time(NOON + dt.timedelta(minutes=29))
    assert client.get("/account").status_code == 200
    frozen_time(NOON + dt.timedelta(minutes=58))
    assert client.get("/account").status_code == 200
    frozen_time(NOON + dt.timedelta(minutes=88))
    page = client.page("/account")
    assert page.where == "/sign-in"
    assert "this session wasn't used for a while" in page.text


def test_a_session_ends_after_the_longest_time_even_when_used(
    people: People, client: CheckedClient, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    signed_in(client, "samira")
    for minutes in range(20, 12 * 60, 20):
        frozen_time(NOON + dt.timedelta(minutes=minutes))
        assert client.get("/account").status_code == 200
    frozen_time(NOON + dt.timedelta(hours=12))
    assert client.get("/account").status_code == 302


def test_what_was_typed_into_an_ended_session_is_shown_back(
    people: People, client: CheckedClient, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    signed_in(client, "samira")
    frozen_time(NOON + dt.timedelta(hours=1))
    response = client.post(
        "/account",
        data={"name": "Samira the Second", "language": "en"},
        headers={"Origin": "http://localhost"},
    )
    assert response.status_code == 400
    assert "Samira the Second" in Page.of(response).text


@pytest.mark.both_databases
def test_a_suspended_person_loses_open_sessions_immediately(
    people: People, browser_of: Callable[[str], CheckedClient], session: Session
) -> None:
    samira = browser_of("samira")
    assert samira.get("/account").status_code == 200
    service.suspend(people.actor("ada"), people.people["samira"], reason="Left in a hurry")
    session.commit()
    assert samira.get("/account").status_code == 302
    assert "suspended" in Page.of(sign_in(samira, "samira")).text


def test_a_person_without_a_role_loses_open_sessions_immediately(
    people: People, browser_of: Callable[[str], CheckedClient], session: Session
) -> None:
    dora = browser_of("dora")
    membership = people.membership("dora", Role.MEMBER)
    service.end_role(people.actor("ada"), membership, reason="Left the organisation")
    session.commit()
    assert dora.get("/account").status_code == 302
    assert "suspended" in Page.of(sign_in(dora, "dora")).text


def test_a_role_that_runs_out_lets_nobody_in_from_the_next_day_on(
    people: People, client: CheckedClient, session: Session, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    signed_in(client, "dora")
    session.execute(
        sa.update(Membership)
        .where(Membership.user_id == people.people["dora"])
        .values(ends_on=NOON.date())
    )
    session.commit()
    assert client.get("/account").status_code == 200
    last = dt.datetime.combine(NOON.date(), dt.time(23, 59), clock.zone()).astimezone(dt.UTC)
    frozen_time(last)
    assert signed_in(client, "dora").get("/account").status_code == 200
    frozen_time(last + dt.timedelta(minutes=2))
    assert client.get("/account").status_code == 302


def test_signing_out_everywhere_ends_other_sessions(
    people: People, browser_of: Callable[[str], CheckedClient]
) -> None:
    telephone, computer = browser_of("samira"), browser_of("samira")
    assert computer.post("/account/sessions/end").status_code == 302
    assert telephone.get("/account").status_code == 302
    assert computer.get("/account").status_code == 302


# Limits -------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_after_ten_failures_an_account_has_to_wait(
    people: People, browsers: Callable[[], CheckedClient], frozen_time: Clock
) -> None:
    frozen_time(NOON)
    for number in range(10):
        client = browsers()
        client.environ_base["REMOTE_ADDR"] = f"10.0.0.{number}"
        assert NOT_RIGHT in sign_in(client, "samira", f"wrong one number {number}").text
    stopped = Page.of(sign_in(browsers(), "samira"))
    assert "Too many attempts. Try again in 15 minutes." in stopped.text
    frozen_time(NOON + dt.timedelta(minutes=14, seconds=30))
    assert "Try again in 1 minute." in Page.of(sign_in(browsers(), "samira")).text
    frozen_time(NOON + dt.timedelta(minutes=15))
    assert sign_in(browsers(), "samira").request.path == "/"


@pytest.mark.both_databases
def test_after_thirty_failures_a_client_has_to_wait_whatever_the_account(
    people: People, browsers: Callable[[], CheckedClient], frozen_time: Clock
) -> None:
    frozen_time(NOON)
    attacker, other = browsers(), browsers()
    other.environ_base["REMOTE_ADDR"] = "10.9.9.9"
    for number in range(30):
        sign_in(attacker, f"guess{number}", "wrong")
    assert "Too many attempts" in Page.of(sign_in(attacker, "samira")).text
    assert sign_in(other, "samira").request.path == "/"


@pytest.mark.both_databases
def test_a_success_forgives_the_failures_before(
    people: People, client: CheckedClient, session: Session
) -> None:
    for _again in range(9):
        sign_in(client, "samira", "wrong")
    signed_in(client, "samira")
    client.post("/sign-out")
    assert NOT_RIGHT in sign_in(client, "samira", "wrong").text


@pytest.mark.both_databases
def test_the_table_of_attempts_contains_no_address(
    people: People, client: CheckedClient, session: Session
) -> None:
    sign_in(client, "samira", "wrong")
    attempts = session.query(Attempt).all()
    assert len(attempts) == 2
    assert all(len(row.key) == 64 and "samira" not in row.key for row in attempts)


def test_a_blank_form_is_no_attempt(
    people: People, client: CheckedClient, session: Session
) -> None:
    client.submit("/sign-in", email="samira@example.org", password="")
    assert session.query(Attempt).count() == 0


# What stays closed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/closed/rescue", "/closed/second-factor", "/closed/select", "/fs-static/js/base64.js"]
)
def test_pages_of_the_machinery_that_are_not_used_are_not_there(
    people: People, client: CheckedClient, path: str
) -> None:
    assert client.get(path).status_code == 404
    signed_in(client, "samira")
    assert client.get(path).status_code == 404
    assert client.post(path).status_code in {404, 405}


@pytest.mark.parametrize("header", ["Authentication-Token", "Authorization"])
def test_there_is_no_way_in_but_the_session(
    people: People, client: CheckedClient, app: Flask, session: Session, header: str
) -> None:
    with app.test_request_context():
        token = people.user("samira").get_auth_token()
    response = client.get(
        "/account", headers={header: str(token)}, query_string={"auth_token": token}
    )
    assert response.status_code == 302


@pytest.mark.both_databases
def test_a_session_of_an_earlier_password_is_no_way_in(
    people: People, browser_of: Callable[[str], CheckedClient]
) -> None:
    telephone, computer = browser_of("samira"), browser_of("samira")
    new = "another harbour with nine lanterns"
    response = computer.submit(
        "/account/password", password=PASSWORD, new_password=new, new_password_confirm=new
    )
    assert "Your password is changed" in Page.of(response).text
    assert computer.get("/account").status_code == 200
    assert telephone.get("/account").status_code == 302
    assert sign_in(telephone, "samira", new).request.path == "/"


# Settings and locks -------------------------------------------------------------------------


def test_by_https_cookies_are_bound_to_the_host(app: Flask, settings: Settings) -> None:
    secure = sign_in_machinery._settings(replace(settings, base_url="https://terms.example"), app)
    assert secure["SESSION_COOKIE_NAME"] == "__Host-session"
    assert secure["SESSION_COOKIE_SECURE"] is True
    assert secure["SESSION_COOKIE_PATH"] == "/"
    assert "SESSION_COOKIE_DOMAIN" not in secure
    plain = sign_in_machinery._settings(settings, app)
    assert plain["SESSION_COOKIE_NAME"] == "session"
    assert plain["SESSION_COOKIE_SECURE"] is False


def test_an_instance_hashes_at_full_cost(app: Flask, settings: Settings) -> None:
    real = sign_in_machinery._settings(replace(settings, testing=False), app)
    assert real["SECURITY_PASSWORD_SCHEMES"] == ["argon2"]
    assert real["SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS"] == {}
    # With nothing set: 64 MiB and three passes.
    digest = CryptContext(schemes=["argon2"]).hash("a password")
    assert re.match(r"\$argon2id\$v=19\$m=65536,t=3,p=[1-9]", digest)


@pytest.mark.both_databases
def test_reading_does_not_wait_for_who_writes(
    people: People, client: CheckedClient, app: Flask, session: Session
) -> None:
    signed_in(client, "samira")
    with db.engine.begin() as writer:
        writer.execute(sa.update(User).values(language="ar"))
        # If it did, it would wait until it gives up, and fail.
        assert client.get("/account").status_code == 200
        writer.rollback()


def test_static_files_send_no_query(
    people: People, client: CheckedClient, statements: Statements
) -> None:
    signed_in(client, "samira")
    with statements() as seen:
        assert client.get("/static/css/base.css").status_code == 200
    assert seen == []
