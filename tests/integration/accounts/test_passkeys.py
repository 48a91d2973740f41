"""Passkeys: added, used for signing in and confirming, renamed, removed, disabled.

In one file: one authenticator is followed from its registration to its removal.
"""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories import passkeys
from tests.factories.accounts import PASSWORD, People, signed_in
from tests.factories.accounts import sign_in as give_password
from tests.factories.passkeys import PRESENT, VERIFIED, Device, asked_on, begin, give, send, sign_in
from tests.integration.accounts.conftest import Clock
from tests.integration.accounts.test_second_factor import make_stale
from tests.pages import Page
from tracker.access.actor import Role
from tracker.accounts.factors import attempts, credentials, identity_proof
from tracker.accounts.factors import passkeys as rules
from tracker.accounts.models import Attempt, Passkey, UsedChallenge
from tracker.accounts.people import service
from tracker.activity.models import Event
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.mail.models import OutboxMessage

Browsers = Callable[[], CheckedClient]
BrowserOf = Callable[[str], CheckedClient]
NEW = "/account/passkeys/new"
KEYS = [
    lambda: ec.generate_private_key(ec.SECP256R1()),
    ed25519.Ed25519PrivateKey.generate,
    lambda: rsa.generate_private_key(65537, 2048),
]
# What a device or a browser may send that isn't meant for signing in here.
WRONG: list[dict[str, Any]] = [
    {"flags": PRESENT},
    {"flags": VERIFIED},
    {"origin": "https://terms.example"},
    {"origin": "http://localhost:8001"},
    {"host": "terms.example"},
    {"client_data": {"crossOrigin": True}},
    {"client_data": {"challenge": "AAAA"}},
]


def text(response: TestResponse) -> str:
    return Page.of(response).text


def is_in(client: CheckedClient) -> bool:
    return client.get("/account").status_code == 200


def begin_new(client: CheckedClient, name: str = "My telephone") -> passkeys.Asked:
    return asked_on(Page.of(client.submit(NEW, name=name)))


def add(client: CheckedClient, device: Device, name: str = "My telephone") -> TestResponse:
    prompt = begin_new(client, name)
    return send(client, prompt, device.make(prompt.challenge))


def stored(session: Session, device: Device) -> Passkey | None:
    session.rollback()
    return session.scalar(sa.select(Passkey).where(Passkey.credential_id == device.credential_id))


def last_events(session: Session, count: int = 1) -> list[str]:
    """Return the last verbs, without those that bind credentials, one for each change of them."""
    session.rollback()
    verbs = [event.verb for event in session.query(Event).order_by(Event.number)]
    return [verb for verb in verbs if verb != "credentials_bound"][-count:]


def mails(session: Session, kind: str) -> list[str]:
    session.rollback()
    return [message.recipient for message in session.query(OutboxMessage).filter_by(kind=kind)]


# Setting one up ------------------------------------------------------------------------------


@pytest.mark.parametrize("make", KEYS, ids=["ES256", "EdDSA", "RS256"])
def test_a_person_sets_up_a_passkey_and_signs_in_with_it_alone(
    people: People, browsers: Browsers, session: Session, make: Callable[[], passkeys.Key]
) -> None:
    device = Device(key=make())
    page = Page.of(add(signed_in(browsers(), "samira"), device))
    assert page.where == "/account"
    assert "The passkey My telephone is set up." in page.text
    assert "Signs in and signs" in page.text
    assert people.user("samira").has_second_factor
    client = browsers()
    assert sign_in(client, device).request.path == "/"
    assert "Samira Marsh" in client.page("/").text


def test_setting_up_is_recorded_and_mailed_and_binds_the_key_to_its_person(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    add(signed_in(client, "samira"), device)
    event = session.query(Event).filter_by(verb="passkey_added").one()
    assert event.evidence == credentials.evidence_of(
        people.people["samira"], device.credential_id, device.cose()
    )
    assert mails(session, "passkey_added") == ["samira@example.org"]


def test_the_browser_is_asked_for_what_verifies_its_person_and_is_found_without_a_name(
    people: People, client: CheckedClient
) -> None:
    options = begin_new(signed_in(client, "samira")).options
    assert options["rp"] == {"name": "Common Terms", "id": "localhost"}
    assert options["user"]["displayName"] == "Samira Marsh"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert "authenticatorAttachment" not in options["authenticatorSelection"]
    assert options["attestation"] == "none"


def test_the_name_by_which_a_device_knows_its_person_is_no_address_and_stays(
    people: People, client: CheckedClient
) -> None:
    signed_in(client, "samira")
    first, again = begin_new(client).options["user"]["id"], begin_new(client).options["user"]["id"]
    assert first == again
    assert len(first) >= 32


def test_a_device_that_already_has_a_passkey_says_so(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    prompt = begin_new(signed_in_with(client, device), "Another")
    known = [credential["id"] for credential in prompt.options["excludeCredentials"]]
    assert known == [passkeys.encode(device.credential_id)]
    assert "didn't create a passkey" in text(send(client, prompt, device.make(prompt.challenge)))


@pytest.mark.parametrize("wrong", [*WRONG, {"client_data": {"type": "webauthn.get"}}], ids=str)
def test_what_was_not_made_here_by_a_verified_person_is_not_taken(
    people: People, client: CheckedClient, session: Session, wrong: dict[str, Any]
) -> None:
    device = Device(**wrong)
    page = Page.of(add(signed_in(client, "samira"), device))
    assert page.where == NEW
    assert "Your device didn't create a passkey that works here." in page.text
    assert stored(session, device) is None


def test_an_invalid_passkey_is_refused(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    for hostile in ("", "{}", "null", "[]", "x" * 9000, '{"id": 1}', "\x00"):
        prompt = begin_new(client)
        assert "didn't create a passkey" in text(send(client, prompt, hostile)), hostile
        assert not people.user("samira").has_passkey, hostile


def test_one_answer_makes_one_passkey(
    people: People, client: CheckedClient, session: Session
) -> None:
    prompt = begin_new(signed_in(client, "samira"))
    first, second = Device(), Device()
    send(client, prompt, first.make(prompt.challenge))
    credentials.rename(people.actor("samira"), credentials.own(people.actor("samira"))[0].id, "X")
    session.commit()
    assert "didn't create a passkey" in text(send(client, prompt, second.make(prompt.challenge)))
    assert stored(session, second) is None


def test_a_challenge_of_another_person_is_not_taken(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    dora, samira = browser_of("dora"), browser_of("samira")
    prompt, device = begin_new(dora), Device()
    assert "didn't create a passkey" in text(send(samira, prompt, device.make(prompt.challenge)))
    assert stored(session, device) is None


def test_a_challenge_for_signing_in_makes_no_passkey(
    people: People, browsers: Browsers, session: Session
) -> None:
    client, device = signed_in(browsers(), "samira"), Device()
    prompt = begin(browsers())
    wrong = prompt.action.replace("/sign-in/passkey", NEW)
    answer = device.make(prompt.challenge)
    assert client.post(wrong, data={"credential": answer}).status_code == 404
    assert stored(session, device) is None


def test_what_took_too_long_begins_again(
    people: People, client: CheckedClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt, device = begin_new(signed_in(client, "samira")), Device()
    monkeypatch.setitem(app.config, "SECURITY_WAN_REGISTER_WITHIN", dt.timedelta(seconds=-1))
    assert "Start again." in text(send(client, prompt, device.make(prompt.challenge)))
    assert not people.user("samira").has_passkey


def test_a_person_who_signed_in_a_while_ago_has_to_confirm_first(
    people: People, client: CheckedClient
) -> None:
    signed_in(client, "samira")
    make_stale(client)
    assert client.page(NEW).where == "/account/confirm"


def test_each_passkey_has_its_own_name(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    signed_in_with(client, device)
    for name in ("", "   ", "my TELEPHONE"):
        page = Page.of(client.post(NEW, data={"name": name}))
        assert page.title.startswith("Problem: "), name
        assert "name" in page.text, name


def test_nobody_has_more_passkeys_than_can_be_looked_after(
    people: People, client: CheckedClient, session: Session
) -> None:
    devices = [Device() for _ in range(credentials.MOST)]
    for number, device in enumerate(devices):
        give(people, "samira", device, f"Key {number}")
    page = Page.of(signed_in_with(client, devices[0]).post(NEW, data={"name": "One more"}))
    assert "You already have many passkeys" in page.text


def test_json_is_not_taken(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    assert client.post(NEW, json={"name": "x"}, csrf=False).status_code in {400, 415}
    assert client.post("/closed/passkey", data={"name": "x"}).status_code == 404


def test_passkeys_are_offered_where_browsers_allow_them(
    people: People, client: CheckedClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address, possible in [
        ("http://localhost:8000", True),
        ("https://terms.example", True),
        ("http://terms.example", False),
        ("https://192.0.2.7", False),
        ("http://127.0.0.1:8000", False),
        ("https://[2001:db8::1]", False),
    ]:
        monkeypatch.setitem(
            app.extensions, "settings", _Elsewhere(app.extensions["settings"], address)
        )
        assert rules.are_possible() is possible, address
        assert ("Use a passkey" in client.page("/sign-in").text) is possible, address
        assert (
            "You can't use passkeys here" in client.page("/sign-in/passkey").text
        ) is not possible, address


def test_the_place_of_passkeys_is_the_address_as_browsers_write_it(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address, origin in [
        ("https://terms.example", "https://terms.example"),
        ("https://terms.example:443", "https://terms.example"),
        ("https://Terms.Example:8443", "https://terms.example:8443"),
        ("http://localhost:80", "http://localhost"),
    ]:
        monkeypatch.setitem(
            app.extensions, "settings", _Elsewhere(app.extensions["settings"], address)
        )
        assert rules.own_origin().origin == origin, address


class _Elsewhere:
    """The settings, at another address."""

    def __init__(self, settings: object, address: str) -> None:
        self._settings = settings
        self.base_url = address

    def __getattr__(self, name: str) -> object:
        return getattr(self._settings, name)


# Signing in ----------------------------------------------------------------------------------


def test_signing_in_with_a_passkey_redirects_to_the_requested_page(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    response = client.post("/sign-in/passkey?next=/account", data={"alone": "1"})
    prompt = asked_on(Page.of(response))
    assert send(client, prompt, device.answer(prompt.challenge)).request.path == "/account"


def test_nobody_learns_from_the_page_whose_passkeys_there_are(
    people: People, client: CheckedClient, session: Session
) -> None:
    give(people, "samira", Device())
    assert begin(client).options["allowCredentials"] == []
    assert begin(client, identity="samira@example.org", alone="1").options["allowCredentials"] == []


@pytest.mark.parametrize("wrong", [*WRONG, {"client_data": {"type": "webauthn.create"}}], ids=str)
def test_a_response_that_is_not_this_passkeys_signs_nobody_in(
    people: People, client: CheckedClient, session: Session, wrong: dict[str, Any]
) -> None:
    device = Device()
    give(people, "samira", device)
    page = Page.of(sign_in(client, replace(device, **wrong)))
    assert "Your passkey didn't answer as it should." in page.text
    assert not is_in(client)
    assert session.query(Attempt).count() == 1


def test_another_key_of_the_same_name_lets_nobody_in(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    sign_in(client, Device(credential_id=device.credential_id))
    assert not is_in(client)


def test_a_passkey_that_nobody_has_lets_nobody_in(people: People, client: CheckedClient) -> None:
    assert "don't know this passkey" in text(sign_in(client, Device()))
    assert not is_in(client)


@pytest.mark.parametrize("read", [rules.read, rules.read_new])
def test_an_answer_nested_without_end_is_none(read: Callable[[str], object]) -> None:
    with pytest.raises(rules.NoAnswerError):
        read("[" * 100_000)


@pytest.mark.parametrize("hostile", ["", "{}", "null", "[]", "x" * 9000, '{"rawId": "?"}', "\x00"])
def test_hostile_answers_let_nobody_in(people: People, client: CheckedClient, hostile: str) -> None:
    send(client, begin(client), hostile)
    assert not is_in(client)


@pytest.mark.parametrize("step", [0, 1])
def test_an_answer_works_once(
    people: People, browsers: Browsers, session: Session, step: int
) -> None:
    device = Device(step=step)
    give(people, "samira", device)
    first, second = browsers(), browsers()
    prompt = begin(first)
    answer = device.answer(prompt.challenge)
    assert send(first, prompt, answer).request.path == "/"
    assert "didn't answer as it should" in text(send(second, prompt, answer))
    assert not is_in(second)


def test_a_challenge_for_confirming_or_setting_up_lets_nobody_in(
    people: People, browsers: Browsers, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    inside, client = browsers(), browsers()
    sign_in(inside, device)
    confirming = asked_on(Page.of(inside.post("/account/confirm/passkey")))
    making = begin_new(inside, "Another")
    address = confirming.action.replace("/account/confirm/passkey", "/sign-in/passkey")
    answer = device.answer(confirming.challenge)
    response = client.post(address, data={"credential": answer}, follow_redirects=True)
    assert "didn't answer" in text(response)
    address = making.action.replace(NEW, "/sign-in/passkey")
    answer = device.answer(making.challenge)
    assert client.post(address, data={"credential": answer}).status_code == 404
    assert not is_in(client)


def test_what_took_too_long_lets_nobody_in(
    people: People,
    client: CheckedClient,
    session: Session,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device = Device()
    give(people, "samira", device)
    prompt = begin(client)
    monkeypatch.setitem(app.config, "SECURITY_WAN_SIGNIN_WITHIN", dt.timedelta(seconds=-1))
    assert "Start again." in text(send(client, prompt, device.answer(prompt.challenge)))
    assert not is_in(client)


def test_a_suspended_person_cannot_sign_in_and_is_told_why(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    service.suspend(people.actor("ada"), people.people["samira"], reason="Under inquiry")
    session.commit()
    assert "Your account is suspended." in text(sign_in(client, device))
    assert not is_in(client)


def test_a_person_without_a_role_is_not_let_in(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "dora", device)
    role = people.membership("dora", Role.MEMBER)
    service.end_role(people.actor("ada"), role, reason="Left")
    session.commit()
    assert "Your account is suspended." in text(sign_in(client, device))
    assert not is_in(client)


def test_an_answer_that_names_another_person_lets_nobody_in(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    begin_new(signed_in_with(client, device), "Another")
    client.post("/sign-out")
    prompt = begin(client)
    handle = people.user("samira").fs_webauthn_user_handle
    assert handle is not None
    session.rollback()
    wrong = device.answer(prompt.challenge, handle="f" * 32)
    assert "didn't answer as it should" in text(send(client, prompt, wrong))
    prompt = begin(client)
    assert send(client, prompt, device.answer(prompt.challenge, handle)).request.path == "/"


def test_a_right_passkey_signs_in_after_any_number_of_failures(
    people: People, browsers: Browsers, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    for counter in (attempts.passkey_client("127.0.0.1"), attempts.account("samira@example.org")):
        attempts.note([counter] * counter.most)
    noted = session.query(Attempt).count()
    device.flags = PRESENT
    assert "didn't answer" in text(sign_in(browsers(), device))
    assert session.query(Attempt).count() == noted
    device.flags |= VERIFIED
    client = browsers()
    sign_in(client, device)
    assert is_in(client)


def test_a_right_answer_forgives(people: People, browsers: Browsers, session: Session) -> None:
    device = Device()
    give(people, "samira", device)
    device.flags = PRESENT
    sign_in(browsers(), device)
    device.flags |= VERIFIED
    client = browsers()
    sign_in(client, device)
    session.rollback()
    assert session.query(Attempt).count() == 1  # the client's


# The count of a device ------------------------------------------------------------------------


def test_the_count_of_a_device_is_kept(
    people: People, browsers: Browsers, session: Session
) -> None:
    device = Device(count=4)
    give(people, "samira", device)
    sign_in(browsers(), device)
    passkey = stored(session, device)
    assert passkey is not None
    assert passkey.sign_count == 5


@pytest.mark.parametrize("back", [1, 5])
def test_a_count_that_fell_back_sets_the_passkey_aside_and_tells_its_person(
    people: People, browsers: Browsers, session: Session, back: int
) -> None:
    device = Device(count=4)
    give(people, "samira", device)
    sign_in(browsers(), device)
    client = browsers()
    device.count -= back
    page = Page.of(sign_in(client, device))
    assert "its counter went backwards, so somebody may have copied it" in page.text
    assert not is_in(client)
    assert last_events(session) == ["passkey_set_aside"]
    assert mails(session, "passkey_set_aside") == ["samira@example.org"]
    device.count = 50
    assert "didn't answer" in text(sign_in(client, device))
    assert not people.user("samira").has_passkey
    assert "Refused: remove it" in signed_in(browsers(), "samira").page("/account").text


def test_a_device_that_stops_counting_is_taken_for_a_copy(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device(count=4)
    give(people, "samira", device)
    device.count, device.step = 0, 0
    assert "its counter went backwards" in text(sign_in(client, device))


@pytest.mark.both_databases
def test_of_two_answers_with_one_count_only_one_is_taken(
    people: People, session: Session, app: Flask
) -> None:
    device = Device(count=7, step=0)
    give(people, "henrik", device)
    device.count = 8
    user_id, start = people.people["henrik"], Barrier(3)
    challenges = [bytes([number]) * 32 for number in range(3)]
    answers = [(challenge, device.answer(challenge)) for challenge in challenges]

    def prove(challenge: bytes, answer: str) -> bool:
        with app.app_context():
            start.wait()
            try:
                identity_proof.prove_by_passkey(user_id, answer, challenge)
                db.session.commit()
            except RuleBrokenError:
                return False
            finally:
                db.session.remove()
            return True

    with ThreadPoolExecutor(3) as pool:
        taken = [future.result() for future in [pool.submit(prove, *each) for each in answers]]
    assert taken.count(True) == 1
    passkey = stored(session, device)
    assert passkey is not None
    assert passkey.set_aside_at is not None


def test_the_worker_forgets_what_was_answered_long_ago(
    people: People, session: Session, frozen_time: Clock
) -> None:
    device = Device()
    give(people, "henrik", device)
    challenge = b"\x01" * 32
    answer = device.answer(challenge)
    identity_proof.prove_by_passkey(people.people["henrik"], answer, challenge)
    session.commit()
    for later, left in ((dt.timedelta(minutes=59), 1), (dt.timedelta(minutes=2), 0)):
        frozen_time(clock.now() + later)
        rules.forget_used()
        assert session.query(UsedChallenge).count() == left


# After the password ---------------------------------------------------------------------------


def test_with_a_passkey_the_password_alone_lets_nobody_in(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    response = give_password(client, "samira")
    page = Page.of(response)
    assert (page.where, response.request.query_string) == ("/sign-in/passkey", b"")
    assert page.h1 == "Confirm with your passkey"
    assert not is_in(client)
    prompt = begin(client, x="")
    allowed = [credential["id"] for credential in prompt.options["allowCredentials"]]
    assert allowed == [passkeys.encode(device.credential_id)]
    assert send(client, prompt, device.answer(prompt.challenge)).request.path == "/"


def test_another_persons_passkey_is_no_second_factor(
    people: People, client: CheckedClient, session: Session
) -> None:
    give(people, "samira", Device())
    other = Device()
    give(people, "dora", other)
    give_password(client, "samira")
    prompt = begin(client, x="")
    assert "belongs to another person" in text(send(client, prompt, other.answer(prompt.challenge)))
    assert not is_in(client)


def test_a_person_with_an_app_and_a_passkey_can_use_either(
    people: People, browsers: Browsers, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    people.enrol("samira")
    first, second = browsers(), browsers()
    page = Page.of(give_password(first, "samira"))
    assert page.where == "/sign-in/code"
    assert "Use your passkey instead" in page.text
    prompt = begin(first, x="")
    assert send(first, prompt, device.answer(prompt.challenge)).request.path == "/"
    give_password(second, "samira")
    code = people.code("samira")
    session.rollback()
    assert second.post("/sign-in/code", data={"code": code}).location == "/"


def test_a_code_is_no_way_in_for_who_has_no_app(
    people: People, client: CheckedClient, session: Session
) -> None:
    give(people, "samira", Device())
    give_password(client, "samira")
    for code in ("000000", ""):
        page = Page.of(client.post("/sign-in/code", data={"code": code}))
        assert page.title.startswith("Problem: ")
    assert not is_in(client)


def test_a_recovery_code_replaces_a_lost_passkey(
    people: People, browsers: Browsers, session: Session
) -> None:
    client = browsers()
    add(signed_in(client, "samira"), Device())
    codes = client.submit("/account/recovery-codes", generate_new_codes="1")
    code = next(code for code in text(codes).split() if code.count("-") == 2)
    other = browsers()
    give_password(other, "samira")
    assert other.submit("/sign-in/recovery-code", code=code).request.path == "/"


def test_a_passkey_signs_in_alone_whoever_entered_a_password_before(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "dora", device)
    give(people, "samira", Device())
    give_password(client, "samira")
    assert sign_in(client, device).request.path == "/"
    assert "Dora Marsh" in client.page("/").text


def test_a_signed_in_person_is_redirected_from_the_sign_in_page(
    people: People, client: CheckedClient
) -> None:
    signed_in(client, "samira")
    assert client.page("/sign-in/passkey").where == "/"


# Confirming -----------------------------------------------------------------------------------


def test_a_passkey_confirms_before_something_sensitive(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    sign_in(client, device)
    make_stale(client)
    page = client.page("/account/second-factor")
    assert page.where == "/account/confirm"
    confirm = client.post("/account/confirm/passkey?next=/account/second-factor")
    prompt = asked_on(Page.of(confirm))
    response = send(client, prompt, device.answer(prompt.challenge))
    assert response.request.path == "/account/second-factor"


def test_the_password_alone_does_not_confirm_for_who_has_a_passkey(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    sign_in(client, device)
    make_stale(client)
    page = Page.of(client.post("/account/confirm", data={"password": PASSWORD}))
    assert "Confirm with your passkey. The password isn't enough." in page.text
    assert client.page("/account/second-factor").where == "/account/confirm"


def test_another_persons_passkey_does_not_confirm(
    people: People, client: CheckedClient, session: Session
) -> None:
    device, other = Device(), Device()
    give(people, "samira", device)
    give(people, "dora", other)
    sign_in(client, device)
    make_stale(client)
    confirm = client.post("/account/confirm/passkey?next=/account/second-factor")
    prompt = asked_on(Page.of(confirm))
    response = send(client, prompt, other.answer(prompt.challenge))
    assert "belongs to another person" in text(response)
    assert response.request.full_path.endswith("next=/account/second-factor")
    assert client.page("/account/second-factor").where == "/account/confirm"


# Names, and removing ---------------------------------------------------------------------------


def own_page(people: People, device: Device) -> str:
    passkey = stored(people.session, device)
    assert passkey is not None
    return f"/account/passkeys/{passkey.id}"


def test_a_passkey_gets_another_name(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    page = own_page(people, device)
    response = signed_in_with(client, device).submit(page, name="  Blue   key ")
    assert "Blue key" in text(response)
    assert last_events(session) == ["passkey_renamed"]
    again = client.submit(page, name="Blue key")
    assert again.request.path == "/account"
    assert last_events(session, 2) != ["passkey_renamed", "passkey_renamed"]


def test_a_removed_passkey_signs_nobody_in_and_its_owner_is_told(
    people: People, browsers: Browsers, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    client = signed_in_with(browsers(), device)
    response = client.submit(f"{own_page(people, device)}/remove")
    assert "The passkey My telephone is removed." in text(response)
    assert last_events(session) == ["passkey_removed"]
    assert mails(session, "passkey_removed") == ["samira@example.org"]
    assert "don't know this passkey" in text(sign_in(browsers(), device))


@pytest.mark.parametrize("what", ["", "/remove"])
def test_another_persons_passkey_is_not_there(
    people: People, client: CheckedClient, session: Session, what: str
) -> None:
    device = Device()
    give(people, "samira", device)
    page = own_page(people, device) + what
    signed_in(client, "dora")
    assert client.get(page).status_code == 404
    assert client.post(page, data={"name": "Mine"}).status_code == 404
    with pytest.raises(RuleBrokenError):
        credentials.remove(people.actor("dora"), passkey_id(session, device))
    with pytest.raises(RuleBrokenError):
        credentials.rename(people.actor("dora"), passkey_id(session, device), "Mine")


def test_a_person_who_signed_in_a_while_ago_has_to_confirm_before_removing(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    signed_in_with(client, device)
    make_stale(client)
    assert client.page(f"{own_page(people, device)}/remove").where == "/account/confirm"


def signed_in_with(client: CheckedClient, device: Device) -> CheckedClient:
    assert sign_in(client, device).request.path == "/"
    return client


def passkey_id(session: Session, device: Device) -> UUID:
    passkey = stored(session, device)
    assert passkey is not None
    return passkey.id


def test_a_reset_takes_passkeys_away_too(
    people: People, browsers: Browsers, session: Session
) -> None:
    device = Device()
    give(people, "samira", device)
    client = signed_in_with(browsers(), device)
    service.reset_second_factor(people.actor("ada"), people.people["samira"], reason="Lost bag")
    session.commit()
    assert not is_in(client)
    assert stored(session, device) is None
    assert last_events(session, 2) == ["passkey_removed", "second_factor_reset"]
    assert give_password(browsers(), "samira").request.path == "/"


def test_codes_for_recovery_are_offered_to_who_has_a_passkey(
    people: People, client: CheckedClient, session: Session
) -> None:
    add(signed_in(client, "samira"), Device())
    page = client.page("/account")
    assert "Make new recovery codes" in page.text
    assert "0 left" in page.text


def test_the_queries_of_the_profile_do_not_grow_with_passkeys(
    people: People,
    client: CheckedClient,
    session: Session,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    device = Device()
    give(people, "samira", device)
    signed_in_with(client, device)
    counts = []
    for number in range(2):
        with statements() as seen:
            assert is_in(client)
        counts.append(len(seen))
        for more in range(3):
            give(people, "samira", Device(), f"Key {number} {more}")
    assert counts[0] == counts[1]


def test_the_queries_of_the_list_of_people_do_not_grow_with_passkeys(
    people: People,
    client: CheckedClient,
    session: Session,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    signed_in(client, "ada")
    counts = []
    for number, key in enumerate(("dora", "samira", "joana"), 1):
        give(people, key, Device())
        with statements() as seen:
            page = client.page("/people")
        counts.append(len(seen))
        assert page.text.count("set up") == number
    assert len(set(counts)) == 1
