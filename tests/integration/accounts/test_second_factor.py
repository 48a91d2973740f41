"""The second factor: set up, required at sign-in, used once, lost and reset."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, STEP, People, sign_in, signed_in
from tests.integration.accounts.conftest import NOON, Clock
from tests.pages import Page
from tracker.accounts.factors import second_factor
from tracker.accounts.models import User
from tracker.accounts.people import service
from tracker.activity.models import Event
from tracker.core import slow_work
from tracker.core.db import db, will_write
from tracker.mail.models import OutboxMessage

RECOVERY = re.compile(r"\b[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}\b")


def send_code(client: CheckedClient, code: str) -> TestResponse:
    return client.post("/sign-in/code", data={"code": code}, follow_redirects=True)


def set_up(
    client: CheckedClient, people: People, key: str, path: str = "/account/second-factor"
) -> Page:
    """Set up a second factor in the browser as a person would: type the key into an app."""
    page = client.page(path)
    form = page.form()
    secret = second_factor._secret_of(form.values["setup"][0], people.user(key))
    assert secret is not None
    code = second_factor._machine().generate_totp_password(secret)
    db.session.rollback()
    response = client.post(path, data={"setup": form.values["setup"][0], "code": code})
    return Page.of(response)


def test_a_person_sets_up_an_app_and_gets_recovery_codes_once(
    people: People, client: CheckedClient, session: Session
) -> None:
    signed_in(client, "samira")
    page = set_up(client, people, "samira")
    codes = RECOVERY.findall(page.text)
    assert len(codes) == len(set(codes)) == 8
    assert people.user("samira").has_second_factor
    assert not RECOVERY.search(client.page("/account/recovery-codes").text)
    assert not any(code in str(people.user("samira").mf_recovery_codes) for code in codes)


def test_the_secret_is_not_kept_in_clear(
    people: People, client: CheckedClient, session: Session
) -> None:
    signed_in(client, "samira")
    key = re.search(
        r'<code dir="ltr">([A-Z2-7-]+)</code>', client.page("/account/second-factor").html
    )
    assert key is not None
    set_up(client, people, "samira")
    secret = people.user("samira").tf_totp_secret
    assert secret is not None
    assert '"key"' not in secret
    assert key.group(1).replace("-", "") not in secret


def test_setting_up_is_recorded_and_mailed(
    people: People, client: CheckedClient, session: Session
) -> None:
    signed_in(client, "samira")
    set_up(client, people, "samira")
    verbs = [event.verb for event in session.query(Event).order_by(Event.number)]
    assert verbs[-4:] == [
        "credentials_bound",
        "second_factor_set",
        "recovery_codes_made",
        "credentials_bound",
    ]
    mail = session.query(OutboxMessage).filter_by(kind="second_factor_set").one()
    assert mail.recipient == "samira@example.org"


def test_a_wrong_first_code_keeps_the_picture(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    before = client.page("/account/second-factor")
    response = client.post(
        "/account/second-factor", data={"setup": before.form().values["setup"][0], "code": "000000"}
    )
    after = Page.of(response)
    assert "The code is wrong or has expired" in after.text
    assert after.form().values["setup"] == before.form().values["setup"]


def test_a_code_that_was_right_when_it_was_sent_is_right_after_slow_work_and_still_works_once(
    people: People, session: Session, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    people.enrol("samira")
    code = people.code("samira")
    token = will_write.set(True)

    def check() -> second_factor.Answer:
        slow_work.do_first("search", lambda: frozen_time(NOON + 10 * STEP))
        answer = second_factor.check(people.user("samira"), code)
        session.commit()
        return answer

    try:
        assert slow_work.run_again_after(check, lambda: None) is second_factor.Answer.RIGHT
        # A request that arrives now has another time, and nobody uses the code twice.
        assert slow_work.run_again_after(check, lambda: None) is second_factor.Answer.WRONG
        frozen_time(NOON)
        assert check() is second_factor.Answer.USED
    finally:
        will_write.reset(token)


@pytest.mark.parametrize("hostile", ["", "x", "x" * 5000, "eyJ.abc.def"])
def test_a_token_of_somebody_else_or_none_sets_nothing_up(
    people: People, client: CheckedClient, hostile: str
) -> None:
    signed_in(client, "samira")
    response = client.post("/account/second-factor", data={"setup": hostile, "code": "123456"})
    assert response.status_code == 200
    assert not people.user("samira").has_second_factor


def test_the_token_of_another_person_is_refused(
    people: People, browser_of: Callable[[str], CheckedClient]
) -> None:
    dora, samira = browser_of("dora"), browser_of("samira")
    token = dora.page("/account/second-factor").form().values["setup"][0]
    secret = second_factor._secret_of(token, people.user("dora"))
    assert secret is not None
    code = second_factor._machine().generate_totp_password(secret)
    db.session.rollback()
    response = samira.post("/account/second-factor", data={"setup": token, "code": code})
    assert "This page was open too long" in Page.of(response).text
    assert not people.user("samira").has_second_factor


def test_with_a_second_factor_the_password_alone_lets_nobody_in(
    people: People, client: CheckedClient
) -> None:
    people.enrol("samira")
    code_page = sign_in(client, "samira").request
    assert (code_page.path, code_page.query_string) == ("/sign-in/code", b"")
    assert client.get("/account").status_code == 302
    response = send_code(client, people.code("samira"))
    assert response.request.path == "/"
    assert client.get("/account").status_code == 200


def test_the_page_for_the_code_leads_on_to_the_page_asked_for(
    people: People, client: CheckedClient
) -> None:
    people.enrol("samira")
    before = client.get("/account?x=1").location
    code_page = client.submit(before, email="samira@example.org", password=PASSWORD)
    assert code_page.request.path == "/sign-in/code"
    form = {"code": people.code("samira")}
    assert client.post(code_page.request.full_path, data=form).location == "/account?x=1"


def test_a_code_works_once(
    people: People, browsers: Callable[[], CheckedClient], frozen_time: Clock
) -> None:
    frozen_time(NOON)
    people.enrol("samira")
    code = people.code("samira")
    first, second = browsers(), browsers()
    sign_in(first, "samira")
    sign_in(second, "samira")
    assert send_code(first, code).request.path == "/"
    again = Page.of(send_code(second, code))
    assert "This code has already been used" in again.text
    frozen_time(NOON + STEP)
    assert send_code(second, people.code("samira")).request.path == "/"


@pytest.mark.parametrize(
    ("seconds", "right"), [(-90, False), (-30, True), (0, True), (30, True), (90, False)]
)
def test_a_phones_clock_may_be_half_a_minute_off(
    people: People, client: CheckedClient, frozen_time: Clock, seconds: int, right: bool
) -> None:
    people.enrol("samira")
    frozen_time(NOON + dt.timedelta(seconds=seconds))
    code = people.code("samira")
    frozen_time(NOON)
    sign_in(client, "samira")
    assert (send_code(client, code).request.path == "/") is right


@pytest.mark.parametrize("hostile", ["", "abc", "12345", "1" * 5000, "١٢٣٤٥٦", "1 2 3", "-1"])
def test_hostile_codes_are_refused(people: People, client: CheckedClient, hostile: str) -> None:
    people.enrol("samira")
    sign_in(client, "samira")
    assert send_code(client, hostile).request.path == "/sign-in/code"
    assert client.get("/account").status_code == 302


def test_codes_can_be_tried_ten_times(
    people: People, browsers: Callable[[], CheckedClient], frozen_time: Clock
) -> None:
    frozen_time(NOON)
    people.enrol("samira")
    client = browsers()
    sign_in(client, "samira")
    wrong = next(f"{n:06}" for n in range(100, 200) if f"{n:06}" != people.code("samira"))
    for _again in range(10):
        assert "wrong or has expired" in Page.of(send_code(client, wrong)).text
    assert "Too many attempts" in Page.of(send_code(client, people.code("samira"))).text
    # A correct password in between gives no more tries.
    assert "Too many attempts" in Page.of(sign_in(browsers(), "samira")).text


def test_the_page_for_the_code_is_not_there_without_the_password(
    people: People, client: CheckedClient
) -> None:
    for path in ("/sign-in/code", "/sign-in/recovery-code"):
        page = client.page(path)
        assert page.where == "/sign-in"
        assert "Start with your email address and password." in page.text


def test_a_password_waits_a_quarter_of_an_hour_for_the_second_factor(
    people: People, browsers: Callable[[], CheckedClient], frozen_time: Clock
) -> None:
    frozen_time(NOON)
    people.enrol("samira")
    quick, slow = browsers(), browsers()
    for client in (quick, slow):
        sign_in(client, "samira")
    frozen_time(NOON + dt.timedelta(minutes=10))
    assert slow.page("/sign-in/code").where == "/sign-in/code"  # looking at the page is no proof
    frozen_time(NOON + dt.timedelta(minutes=14))
    assert send_code(quick, people.code("samira")).request.path == "/"
    frozen_time(NOON + dt.timedelta(minutes=15))
    late = Page.of(send_code(slow, people.code("samira")))
    assert late.where == "/sign-in"
    assert "Start with your email address and password." in late.text
    assert slow.page("/sign-in/recovery-code").where == "/sign-in"
    sign_in(slow, "samira")  # the password again begins anew
    assert send_code(slow, people.code("samira")).request.path == "/"


def test_the_code_page_does_not_sign_a_signed_in_person_out(
    people: People, client: CheckedClient
) -> None:
    signed_in(client, "samira")
    client.get("/sign-in/code")
    assert client.get("/account").status_code == 200


# Recovery codes -----------------------------------------------------------------------------


def make_codes(client: CheckedClient, people: People, key: str) -> list[str]:
    signed_in(client, key)
    codes = RECOVERY.findall(set_up(client, people, key).text)
    client.post("/sign-out")
    return codes


def test_a_recovery_code_lets_in_once(
    people: People, browsers: Callable[[], CheckedClient]
) -> None:
    codes = make_codes(browsers(), people, "samira")
    client = browsers()
    sign_in(client, "samira")
    used = client.submit("/sign-in/recovery-code", code=codes[0].upper())
    assert used.request.path == "/"
    assert people.user("samira").recovery_codes_left == 7
    other = browsers()
    sign_in(other, "samira")
    again = other.submit("/sign-in/recovery-code", code=codes[0])
    assert "isn't one of your unused recovery codes" in Page.of(again).text
    assert other.submit("/sign-in/recovery-code", code=codes[1]).request.path == "/"


def test_recovery_codes_can_be_tried_ten_times(
    people: People, browsers: Callable[[], CheckedClient]
) -> None:
    codes = make_codes(browsers(), people, "samira")
    client = browsers()
    sign_in(client, "samira")
    for number in range(10):
        client.submit("/sign-in/recovery-code", code=f"aaaa-bbbb-{number:04}")
    response = client.submit("/sign-in/recovery-code", code=codes[0])
    assert "Too many attempts" in Page.of(response).text


def test_new_recovery_codes_replace_the_old(
    people: People, browsers: Callable[[], CheckedClient]
) -> None:
    client = browsers()
    signed_in(client, "samira")
    old = RECOVERY.findall(set_up(client, people, "samira").text)
    response = client.submit("/account/recovery-codes", generate_new_codes="1")
    new = RECOVERY.findall(Page.of(response).text)
    assert len(new) == 8
    assert not set(old) & set(new)
    other = browsers()
    sign_in(other, "samira")
    assert other.submit("/sign-in/recovery-code", code=old[0]).request.path != "/"
    assert other.submit("/sign-in/recovery-code", code=new[0]).request.path == "/"


# Being fresh --------------------------------------------------------------------------------


def test_something_sensitive_asks_for_the_password_again_after_a_while(
    people: People, client: CheckedClient, session: Session
) -> None:
    signed_in(client, "samira")
    make_stale(client)
    page = client.page("/account/second-factor")
    assert page.where == "/account/confirm"
    wrong = client.post("/account/confirm", data={"password": "not the one at all"})
    assert "That isn't your password" in Page.of(wrong).text
    right = client.post("/account/confirm?next=/account/second-factor", data={"password": PASSWORD})
    assert right.location == "/account/second-factor"
    assert client.page("/account/second-factor").where == "/account/second-factor"


def test_a_person_with_a_second_factor_confirms_with_both(
    people: People, client: CheckedClient, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    people.enrol("samira")
    sign_in(client, "samira")
    send_code(client, people.code("samira"))
    make_stale(client)
    frozen_time(NOON + STEP)
    alone = client.post("/account/confirm", data={"password": PASSWORD})
    assert "The code is wrong" in Page.of(alone).text
    both = client.post(
        "/account/confirm", data={"password": PASSWORD, "code": people.code("samira")}
    )
    assert both.status_code == 302
    again = client.post(
        "/account/confirm", data={"password": PASSWORD, "code": people.code("samira")}
    )
    assert "already been used" in Page.of(again).text


def test_a_session_seen_from_another_device_has_to_confirm(
    people: People, client: CheckedClient
) -> None:
    signed_in(client, "samira")
    assert client.page("/account/second-factor").where == "/account/second-factor"
    elsewhere = {"User-Agent": "another browser"}
    assert client.get("/account", headers=elsewhere).status_code == 200
    response = client.get("/account/second-factor", headers=elsewhere)
    assert response.status_code == 302
    assert response.location.startswith("/account/confirm")
    confirmed = client.post("/account/confirm", data={"password": PASSWORD}, headers=elsewhere)
    assert confirmed.status_code == 302
    assert client.get("/account/second-factor", headers=elsewhere).status_code == 200


def make_stale(client: CheckedClient) -> None:
    with client.session_transaction() as cookie_session:
        cookie_session["fs_paa"] = 1.0
        cookie_session.pop("fs_gexp", None)


# Reset by a second person -------------------------------------------------------------------


def test_a_reset_second_factor_is_gone_and_so_are_sessions(
    people: People, browsers: Callable[[], CheckedClient], session: Session
) -> None:
    client = browsers()
    codes = make_codes(client, people, "samira")
    sign_in(client, "samira")
    client.submit("/sign-in/recovery-code", code=codes[0])
    assert client.get("/account").status_code == 200
    service.reset_second_factor(
        people.actor("ada"), people.people["samira"], reason="Lost telephone, met in person"
    )
    session.commit()
    assert client.get("/account").status_code == 302
    assert sign_in(client, "samira").request.path == "/"
    user = session.get_one(User, people.people["samira"])
    assert user.recovery_codes_left == 0
    assert not user.has_second_factor
