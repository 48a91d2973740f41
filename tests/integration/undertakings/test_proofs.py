"""Signing and countersigning an undertaking with a passkey or a mailed code.

In one file: each proof is tested on the same two acts.
"""

import datetime as dt
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories import passkeys
from tests.factories.accounts import take_app
from tests.factories.passkeys import Device, asked_on
from tests.factories.undertakings import PASSWORD, TOLD, Clearing
from tests.integration.undertakings.conftest import Clock
from tests.integration.undertakings.test_pages import (
    go_on,
    list_of,
    path_of,
    prove_and_sign,
    text,
)
from tests.pages import Page
from tracker.accounts.factors import identity_proof, mailed_codes
from tracker.accounts.models import Attempt, MailedCode
from tracker.activity.models import Event, EventDetail
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail.models import OutboxMessage
from tracker.oversight import integrity
from tracker.signoff import assertion
from tracker.signoff.identity_proof import Identity
from tracker.signoff.models import Method, Signature, SignatureKind
from tracker.undertakings import service
from tracker.undertakings.models import UndertakingState

Browser = Callable[[str], CheckedClient]
CODE = re.compile(r"\b\d{6}\b")


@pytest.fixture
def browser(app: Flask, clearing: Clearing) -> Browser:
    return lambda key: clearing.browser(app, key)


def give(clearing: Clearing, key: str) -> Device:
    device = Device()
    passkeys.add(clearing.actor(key), device)
    db.session.commit()
    return device


def answered(client: CheckedClient, page: Page, device: Device, **more: str) -> Page:
    """Send a signing form with a passkey's response, as the script does."""
    prompt = asked_on(page)
    data = page.form().filled_in(passkey=device.answer(prompt.challenge), **more)
    return Page.of(client.post(prompt.action, data=data, csrf=False, follow_redirects=True))


def countersigning(clearing: Clearing) -> str:
    last = clock.today() + dt.timedelta(days=30)
    return clearing.countersigning("leyla", until=last)


def signatures(kind: SignatureKind) -> list[Signature]:
    db.session.rollback()
    wanted = sa.select(Signature).where(
        Signature.kind == kind,
        Signature.organisation_id.is_(None)
        if kind is SignatureKind.SIGNATURE
        else Signature.organisation_id.is_not(None),
    )
    return list(db.session.scalars(wanted))


# With a passkey --------------------------------------------------------------------------------


def test_a_person_signs_what_they_put_in_with_a_passkey(
    browser: Browser, clearing: Clearing
) -> None:
    device, client, path = give(clearing, "leyla"), browser("leyla"), path_of(clearing, "leyla")
    go_on(client, path, TOLD)
    page = answered(client, client.page(f"{path}/sign"), device)
    assert "You have signed." in page.text
    assert "Passkey" in page.text
    signature = signatures(SignatureKind.SIGNATURE)[0]
    assert signature.method is Method.PASSKEY
    assert (
        assertion.flaw(
            signature.proof,
            document_digest=signature.document_digest,
            sentence=signature.sentence,
        )
        is None
    )
    assert integrity.check_all().finding is None


def test_a_draft_changed_later_is_not_what_the_passkey_signed(
    browser: Browser, clearing: Clearing
) -> None:
    device, client, path = give(clearing, "leyla"), browser("leyla"), path_of(clearing, "leyla")
    go_on(client, path, TOLD)
    page = client.page(f"{path}/sign")
    go_on(client, path)
    again = answered(client, page, device)
    assert "The text changed after you opened it" in again.text
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED
    assert "You have signed." in answered(client, again, device).text


def test_another_persons_passkey_signs_no_undertaking(browser: Browser, clearing: Clearing) -> None:
    other, client, path = give(clearing, "dina"), browser("leyla"), path_of(clearing, "leyla")
    give(clearing, "leyla")
    go_on(client, path)
    again = answered(client, client.page(f"{path}/sign"), other)
    assert "This isn't one of your passkeys." in again.text
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED


def test_password_and_code_still_sign(browser: Browser, clearing: Clearing) -> None:
    give(clearing, "leyla")
    client, path = browser("leyla"), path_of(clearing, "leyla")
    go_on(client, path)
    assert "You have signed" in text(prove_and_sign(client, clearing, path))
    assert [signature.method for signature in signatures(SignatureKind.SIGNATURE)] == [
        Method.PASSWORD_TOTP
    ]


def test_the_npm_countersigns_with_a_passkey(browser: Browser, clearing: Clearing) -> None:
    clearing.sign("leyla")
    device, client = give(clearing, "tomas"), browser("tomas")
    page = client.page(countersigning(clearing))
    done = answered(client, page, device)
    assert "You have countersigned." in done.text
    assert clearing.is_cleared("leyla")
    signature = signatures(SignatureKind.COUNTERSIGNATURE)[0]
    assert signature.method is Method.PASSKEY
    flaw = assertion.flaw(
        signature.proof, document_digest=signature.document_digest, sentence=signature.sentence
    )
    assert flaw is None
    assert integrity.check_all().finding is None


def test_a_countersignature_for_another_day_is_another_sentence(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.sign("leyla")
    device, client = give(clearing, "tomas"), browser("tomas")
    page = client.page(countersigning(clearing))
    sooner = (clock.today() + dt.timedelta(days=3)).isoformat()
    again = answered(client, page, device, until=sooner)
    assert "The sentence you sign changed after you opened the page" in again.text
    assert not clearing.is_cleared("leyla")


# The NPM allows codes by mail -------------------------------------------------------------------


def permission(clearing: Clearing) -> str:
    return f"{list_of(clearing)}/mailed-codes"


def allow(clearing: Clearing, by: str = "milan", *, allowed: bool = True) -> None:
    service.allow_mailed_codes(
        clearing.actor(by), clearing.cooperation, allowed=allowed, reason="Interpreters for one day"
    )
    db.session.commit()


def last_event() -> tuple[str, dict[str, Any]]:
    event = db.session.scalars(sa.select(Event).order_by(Event.at.desc()).limit(1)).one()
    return event.verb, db.session.get_one(EventDetail, event.id).content


@pytest.mark.parametrize("key", ["milan", "tomas"])
def test_a_signatory_or_manager_of_the_npm_allows_codes_by_mail_with_a_reason(
    browser: Browser, clearing: Clearing, key: str
) -> None:
    client = browser(key)
    assert "Allow codes by email" in client.page(list_of(clearing)).text
    assert "Say why" in text(client.submit(permission(clearing), reason=""))
    done = client.submit(permission(clearing), reason="Interpreters for one day")
    assert "can now sign with a code by email" in text(done)
    verb, details = last_event()
    assert verb == "mailed_codes_allowed"
    assert details["reason"] == "Interpreters for one day"
    history = client.page(f"/cooperations/{clearing.cooperation.reference}/history")
    assert "lets people without a second factor sign their undertaking" in history.text
    client.submit(permission(clearing), reason="All have an app")
    db.session.rollback()
    assert last_event()[0] == "mailed_codes_stopped"


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("ilena", 403),
        ("nadia", 403),
        ("marek", 403),
        ("samira", 403),
        ("henrik", 403),
        ("leyla", 403),
        ("greta", 403),
        ("iris", 404),
        ("celia", 404),
    ],
)
def test_nobody_else_allows_them(
    browser: Browser, clearing: Clearing, key: str, status: int
) -> None:
    client = browser(key)
    assert client.get(permission(clearing)).status_code == status
    sent = client.post(permission(clearing), data={"allow": "yes", "reason": "Mine"})
    assert sent.status_code == status
    with pytest.raises(RefusedError):
        allow(clearing, key)
    db.session.rollback()
    db.session.refresh(clearing.cooperation)
    assert not clearing.cooperation.mailed_codes


def test_two_simultaneous_permissions_do_not_undo_each_other(
    browser: Browser, clearing: Clearing
) -> None:
    client = browser("milan")
    page = client.page(permission(clearing))
    allow(clearing, "tomas")
    data = page.form().filled_in(reason="The same")
    response = client.post(permission(clearing), data=data, csrf=False)
    assert "Nothing to change: it's already set this way." in text(response)
    db.session.refresh(clearing.cooperation)
    assert clearing.cooperation.mailed_codes


# A code by mail signs an undertaking, and nothing else ------------------------------------------


def without_app(clearing: Clearing, key: str) -> None:
    user = clearing.demo_people.users[key]
    take_app(user.id)
    db.session.refresh(user)


@pytest.fixture
def driver(clearing: Clearing) -> str:
    """A member without a second factor, in a cooperation that allows mailed codes."""
    without_app(clearing, "leyla")
    allow(clearing)
    return "leyla"


def mailed(clearing: Clearing, key: str) -> list[str]:
    db.session.rollback()
    wanted = (
        sa.select(OutboxMessage)
        .where(
            OutboxMessage.kind == "code_for_signing",
            OutboxMessage.recipient == clearing.demo_people.users[key].email,
        )
        .order_by(OutboxMessage.created_at)
    )
    code_lists = [CODE.findall(mail.body) for mail in db.session.scalars(wanted)]
    db.session.rollback()
    return [codes[0] for codes in code_lists]


def ask_for_code(client: CheckedClient, path: str) -> Page:
    response = client.submit(f"{path}/sign", action=f"{path}/sign/code")
    return Page.of(response)


def sign_by_code(client: CheckedClient, path: str, code: str, password: str = PASSWORD) -> Page:
    page = client.page(f"{path}/sign")
    form = page.form("")
    data = form.filled_in(password=password, mailed_code=code)
    return Page.of(client.post(f"{path}/sign", data=data, csrf=False, follow_redirects=True))


def test_a_driver_signs_with_password_and_mailed_code_and_the_record_says_so(
    browser: Browser, clearing: Clearing, driver: str
) -> None:
    client, path = browser(driver), path_of(clearing, driver)
    go_on(client, path)
    page = client.page(f"{path}/sign")
    assert "You need no app." in page.text
    assert "Set up a second factor first." not in page.text
    reply = ask_for_code(client, path)
    assert f"A code for {clearing.demo_people.users[driver].email} is written" in reply.text
    done = sign_by_code(client, path, mailed(clearing, driver)[0])
    assert "You have signed." in done.text
    assert "Password with code by email" in done.text
    signature = signatures(SignatureKind.SIGNATURE)[0]
    assert signature.method is Method.PASSWORD_MAILED_CODE
    assert signature.proof is None
    history = browser("milan").page(f"/cooperations/{clearing.cooperation.reference}/history")
    assert "Proof of identity: Password with code by email." in history.text
    assert integrity.check_all().finding is None


def test_the_mail_does_not_say_what_is_signed_and_the_code_is_stored_as_a_digest(
    browser: Browser, clearing: Clearing, driver: str
) -> None:
    client, path = browser(driver), path_of(clearing, driver)
    go_on(client, path)
    ask_for_code(client, path)
    code = mailed(clearing, driver)[0]
    wanted = sa.select(OutboxMessage).where(OutboxMessage.kind == "code_for_signing")
    mail = db.session.scalars(wanted).one()
    for words in ("custody", "Lantern", "undertaking of", clearing.cooperation.reference):
        assert words not in mail.body
    assert code not in mail.subject
    codes = db.session.scalars(sa.select(MailedCode)).one()
    assert code not in str(vars(codes))
    assert len(codes.digest) == 64


def test_a_mailed_code_works_only_once(browser: Browser, clearing: Clearing, driver: str) -> None:
    client, path = browser(driver), path_of(clearing, driver)
    go_on(client, path)
    ask_for_code(client, path)
    code = mailed(clearing, driver)[0]
    wrong = sign_by_code(client, path, code, password="not the one at all")
    assert "That isn't your password" in wrong.text
    assert "You have signed." in sign_by_code(client, path, code).text
    undertaking_id = clearing.undertaking(driver).id
    with pytest.raises(RuleBrokenError, match="Your codes have expired"):
        identity_proof.prove_by_mailed_code(clearing.id(driver), undertaking_id, PASSWORD, code)


def test_a_newer_code_takes_the_place_of_the_older(
    browser: Browser, clearing: Clearing, driver: str
) -> None:
    client, path = browser(driver), path_of(clearing, driver)
    go_on(client, path)
    ask_for_code(client, path)
    ask_for_code(client, path)
    old, new = mailed(clearing, driver)
    if old != new:
        assert "isn't the latest code we emailed you" in sign_by_code(client, path, old).text
    assert "You have signed." in sign_by_code(client, path, new).text


@pytest.mark.both_databases
def test_only_one_of_several_codes_requested_simultaneously_is_valid(
    clearing: Clearing, driver: str, app: Flask
) -> None:
    actor = replace(clearing.actor(driver), has_second_factor=False)
    undertaking_id, start = clearing.undertaking(driver).id, Barrier(3)

    def ask() -> None:
        with app.app_context():
            start.wait()
            service.mail_code(actor, undertaking_id)
            db.session.commit()
            db.session.remove()

    db.session.commit()
    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(ask) for _ in range(3)]:
            future.result()
    good = mailed_codes.waits(actor.user_id, undertaking_id)
    assert good is not None
    assert [mailed_codes.is_right(good, code) for code in mailed(clearing, driver)].count(True) == 1


def test_a_mailed_code_is_valid_for_ten_minutes(
    browser: Browser, clearing: Clearing, driver: str, frozen_time: Clock
) -> None:
    client, path = browser(driver), path_of(clearing, driver)
    go_on(client, path)
    ask_for_code(client, path)
    code, now = mailed(clearing, driver)[0], clock.now()
    frozen_time(now + mailed_codes.GOOD_FOR + dt.timedelta(seconds=1))
    assert "Your codes have expired" in sign_by_code(client, path, code).text
    assert clearing.undertaking(driver).state is UndertakingState.ASKED


def test_a_code_can_be_guessed_five_times(
    browser: Browser, clearing: Clearing, driver: str
) -> None:
    client, path = browser(driver), path_of(clearing, driver)
    go_on(client, path)
    ask_for_code(client, path)
    code = mailed(clearing, driver)[0]
    wrong = "000000" if code != "000000" else "000001"
    for _again in range(5):
        assert "isn't the latest code" in sign_by_code(client, path, wrong).text
    assert "Your codes have expired" in sign_by_code(client, path, code).text
    ask_for_code(client, path)
    assert "You have signed." in sign_by_code(client, path, mailed(clearing, driver)[1]).text


def test_codes_can_be_asked_for_five_times(
    browser: Browser, clearing: Clearing, driver: str
) -> None:
    client, path = browser(driver), path_of(clearing, driver)
    go_on(client, path)
    for _again in range(5):
        ask_for_code(client, path)
    assert "You've asked for many codes." in ask_for_code(client, path).text
    assert len(mailed(clearing, driver)) == 5


def test_a_code_is_valid_only_for_its_undertaking(
    browser: Browser, clearing: Clearing, driver: str
) -> None:
    client, path = browser(driver), path_of(clearing, driver)
    go_on(client, path)
    mailed_codes.send(clearing.id(driver), clearing.cooperation.id, "http://localhost:8000/")
    db.session.commit()
    assert "Your codes have expired" in sign_by_code(client, path, mailed(clearing, driver)[0]).text


def test_no_code_is_mailed_where_that_is_not_allowed(browser: Browser, clearing: Clearing) -> None:
    without_app(clearing, "leyla")
    client, path = browser("leyla"), path_of(clearing, "leyla")
    go_on(client, path)
    page = client.page(f"{path}/sign")
    assert "Email me a code" not in page.text
    assert "Set up a second factor first." in page.text
    assert client.post(f"{path}/sign/code").status_code == 403
    assert mailed(clearing, "leyla") == []


def test_a_person_with_a_second_factor_signs_with_it(browser: Browser, clearing: Clearing) -> None:
    allow(clearing)
    client, path = browser("leyla"), path_of(clearing, "leyla")
    go_on(client, path)
    assert "Email me a code" not in client.page(f"{path}/sign").text
    response = client.post(f"{path}/sign/code")
    assert response.status_code == 403
    assert "You have a second factor. Sign with it." in response.text


def test_a_person_with_another_role_needs_a_stronger_proof(
    browser: Browser, clearing: Clearing
) -> None:
    allow(clearing)
    without_app(clearing, "otto")
    client, path = browser("otto"), path_of(clearing, "otto")
    go_on(client, path)
    response = client.post(f"{path}/sign/code")
    assert response.status_code == 403
    assert "Your role needs more than a code by email." in response.text


def test_nobody_asks_for_a_code_on_anothers_undertaking(
    browser: Browser, clearing: Clearing, driver: str
) -> None:
    path = path_of(clearing, driver)
    for key in ("dina", "milan", "iris"):
        assert browser(key).post(f"{path}/sign/code").status_code == 404
    with pytest.raises(RefusedError):
        service.mail_code(clearing.actor("dina"), clearing.undertaking(driver).id)


def test_when_it_is_stopped_a_code_that_was_mailed_signs_no_more(
    browser: Browser, clearing: Clearing, driver: str
) -> None:
    client, path = browser(driver), path_of(clearing, driver)
    go_on(client, path)
    ask_for_code(client, path)
    page = client.page(f"{path}/sign")
    allow(clearing, allowed=False)
    data = page.form("").filled_in(password=PASSWORD, mailed_code=mailed(clearing, driver)[0])
    response = client.post(f"{path}/sign", data=data, csrf=False)
    assert "You have signed." not in response.text
    assert clearing.undertaking(driver).state is UndertakingState.ASKED


def test_a_mailed_code_is_refused_even_without_the_page_when_it_is_not_enough(
    clearing: Clearing,
) -> None:
    clearing.put_in("leyla")
    identity = Identity(clearing.id("leyla"), Method.PASSWORD_MAILED_CODE, clock.now())
    with pytest.raises(RefusedError, match="doesn't let people"):
        service.sign(
            clearing.actor("leyla"),
            clearing.undertaking("leyla").id,
            page=clearing.page("leyla", "I undertake this."),
            sentence="I undertake this.",
            language="en",
            identity=identity,
        )
    db.session.rollback()
    clearing.sign("leyla")
    allow(clearing)
    identity = Identity(clearing.id("tomas"), Method.PASSWORD_MAILED_CODE, clock.now())
    with pytest.raises(RefusedError, match="email isn't enough to sign for an organisation"):
        service.countersign(
            clearing.actor("tomas"),
            clearing.undertaking("leyla").id,
            opened=service.page_1_token(clearing.actor("tomas"), clearing.undertaking("leyla")),
            page=service.page_to_countersign(clearing.undertaking("leyla")),
            until=clock.today(),
            sentence="I countersign.",
            language="en",
            identity=identity,
        )


def test_the_worker_forgets_old_codes(clearing: Clearing, driver: str, frozen_time: Clock) -> None:
    mailed_codes.send(clearing.id(driver), clearing.cooperation.id, "http://localhost:8000/")
    db.session.commit()
    mailed_codes.forget_old()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(MailedCode)) == 1
    frozen_time(clock.now() + mailed_codes.GOOD_FOR)
    mailed_codes.forget_old()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(MailedCode)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) == 1
    db.session.rollback()


# The receipt ------------------------------------------------------------------------------------


def test_signer_and_countersigner_get_a_receipt_of_the_text_each_signed(clearing: Clearing) -> None:
    clearing.clear("leyla")
    db.session.commit()
    wanted = sa.select(OutboxMessage).where(OutboxMessage.kind == "signature_receipt")
    receipts = {mail.recipient: mail.body for mail in db.session.scalars(wanted)}
    own, npm = (clearing.demo_people.users[key].email for key in ("leyla", "tomas"))
    digest = signatures(SignatureKind.COUNTERSIGNATURE)[0].document_digest
    assert digest in receipts[own]
    assert digest in receipts[npm]
    assert "Leyla" not in receipts[npm]
