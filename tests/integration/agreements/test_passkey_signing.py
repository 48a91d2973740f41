"""Signing an agreement with a passkey: it signs text and sentence, and only once."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.conftest import new_browser
from tests.factories import passkeys
from tests.factories.accounts import take_app
from tests.factories.actors import acting_today
from tests.factories.demonstration import PASSWORD, Demonstration
from tests.factories.passkeys import PRESENT, Asked, Device, asked_on, send
from tests.integration.agreements.test_signing_pages import Desk
from tests.pages import Page
from tracker.access.actor import Actor
from tracker.accounts import queries as accounts
from tracker.accounts.factors import credentials, identity_proof
from tracker.accounts.models import Attempt, Passkey, User
from tracker.activity.models import Event
from tracker.agreements import service as agreements
from tracker.checklists.models import ChecklistState
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail.models import OutboxMessage
from tracker.signoff import assertion, proof_fields, shown
from tracker.signoff.identity_proof import OPEN_FOR, Identity
from tracker.signoff.models import Method, Signature
from tracker.signoff.proof_fields import Given

Clock = Callable[[dt.datetime | None], None]
CONFIRM = "/sign/confirm"


class PasskeyDesk(Desk):
    """The terms that are waiting for one signature, and a signatory with a passkey."""

    device: Device

    def browser(self, key: str) -> CheckedClient:
        """Return a person's browser, always the same: a form is sent where it was opened."""
        browsers: dict[str, CheckedClient] = self.__dict__.setdefault("browsers", {})
        if key not in browsers:
            browsers[key] = super().browser(key)
        return browsers[key]

    def user(self, key: str) -> User:
        return self.session.get_one(User, self.demonstration.users[key])

    def actor(self, key: str) -> Actor:
        return acting_today(self.user(key))

    def give(self, key: str, device: Device) -> Device:
        passkeys.add(self.actor(key), device)
        self.session.commit()
        return device

    def without_app(self, key: str) -> None:
        take_app(self.user(key).id)

    def page_to_sign(self, key: str) -> tuple[Page, Asked]:
        page = self.browser(key).page(self.to_sign(key))
        return page, asked_on(page)

    def send(self, key: str, page: Page, answer: str, **more: str) -> Page:
        """Send the form of a page with the device's response, as the script does."""
        data = page.form().filled_in(passkey=answer, **more)
        response = self.browser(key).post(
            f"{self.address}{CONFIRM}", data=data, csrf=False, follow_redirects=True
        )
        return Page.of(response)

    def sign_with(self, device: Device, key: str = "otto") -> Page:
        page, prompt = self.page_to_sign(key)
        return self.send(key, page, device.answer(prompt.challenge))

    def signature(self) -> Signature:
        self.session.rollback()
        wanted = sa.select(Signature).order_by(Signature.signed_at.desc()).limit(1)
        return self.session.scalars(wanted).one()


@pytest.fixture
def desk(app: Flask, session: Session, demonstration: Demonstration) -> PasskeyDesk:
    new_desk = PasskeyDesk(app, session, demonstration)
    new_desk.device = new_desk.give("otto", Device())
    return new_desk


def test_a_passkey_signs_text_and_sentence_and_anybody_can_verify_it(
    desk: PasskeyDesk,
) -> None:
    page = desk.sign_with(desk.device)
    assert "You signed. All parties have now signed. The record says when" in page.text
    assert "Passkey" in page.text
    assert "Proof of identity: Passkey." in page.text
    signature = desk.signature()
    assert signature.method is Method.PASSKEY
    stored = json.loads(json.dumps(signature.proof))
    digest, sentence = signature.document_digest, signature.sentence
    assert assertion.flaw(stored, document_digest=digest, sentence=sentence) is None
    assert assertion.flaw(stored, document_digest=digest, sentence=sentence + "!") is not None
    assert stored["public_key"] == passkeys.encode(desk.device.cose())
    assert desk.state is ChecklistState.IN_FORCE


def test_the_page_asks_for_ones_own_passkeys_with_user_verification(desk: PasskeyDesk) -> None:
    desk.give("tomas", Device())
    page, prompt = desk.page_to_sign("otto")
    allowed = [credential["id"] for credential in prompt.options["allowCredentials"]]
    assert allowed == [passkeys.encode(desk.device.credential_id)]
    assert prompt.options["userVerification"] == "required"
    assert prompt.options["rpId"] == "localhost"
    assert len(prompt.challenge) == 32
    assert "Or with your password and a code" in page.text


def test_each_opening_of_the_page_asks_for_something_else(desk: PasskeyDesk) -> None:
    assert desk.page_to_sign("otto")[1].challenge != desk.page_to_sign("otto")[1].challenge


def test_password_and_code_still_sign(desk: PasskeyDesk) -> None:
    assert "You signed" in desk.sign("otto").text
    assert desk.signature().method is Method.PASSWORD_TOTP
    assert desk.signature().proof is None


def test_without_a_passkey_the_page_is_as_it_was(desk: PasskeyDesk) -> None:
    credentials.remove(desk.actor("otto"), _passkey(desk).id)
    desk.session.commit()
    page = desk.browser("otto").page(desk.to_sign("otto"))
    assert "data-passkey" not in page.html
    assert "Or with your password and a code" not in page.text


def test_a_person_with_only_a_passkey_is_not_asked_for_a_code(desk: PasskeyDesk) -> None:
    desk.without_app("otto")
    page, prompt = desk.page_to_sign("otto")
    assert not {"password", "code"} & page.form().names
    nothing = desk.send("otto", page, "")
    assert "You don't have a code app. Confirm with your passkey." in nothing.text
    assert desk.signatures() == 1
    assert "You signed" in desk.send("otto", page, desk.device.answer(prompt.challenge)).text


def test_a_person_without_passkey_or_app_is_asked_to_set_one_up(desk: PasskeyDesk) -> None:
    credentials.remove(desk.actor("otto"), _passkey(desk).id)
    desk.without_app("otto")
    page = desk.browser("otto").page(desk.to_sign("otto"))
    assert "Set up a second factor first." in page.text
    given = page.form().filled_in(password=PASSWORD, code="000000")
    response = desk.browser("otto").post(f"{desk.address}{CONFIRM}", data=given, csrf=False)
    assert "You don&#39;t have a second factor yet." in response.text


def test_a_person_without_passkey_or_app_sets_one_up_and_signs(desk: PasskeyDesk) -> None:
    credentials.remove(desk.actor("otto"), _passkey(desk).id)
    desk.without_app("otto")
    client = desk.browser("otto")
    way = client.page(client.page(desk.to_sign("otto")).links()["Set it up, then come back here"])
    assert way.h1 == "Set up a second factor first"
    assert "Signing needs more than a password" in way.text
    # Somebody who signed in a while ago confirms first, and is redirected on.
    confirmed = client.submit(way.links()["Set up a passkey"], password=PASSWORD)
    assert confirmed.request.path == "/account/passkeys/new"
    prompt = asked_on(Page.of(client.submit(confirmed.request.full_path, name="Key")))
    device = Device()
    back = Page.of(send(client, prompt, device.make(prompt.challenge)))
    assert back.h1 == "Read and check"
    back = client.page(back.links()["Continue to sign"])
    assert "You signed" in desk.send("otto", back, device.answer(asked_on(back).challenge)).text


# Refused in plain words, and nothing is lost ----------------------------------------------------


def refused(desk: PasskeyDesk, page: Page, words: str) -> None:
    assert page.title.startswith("Problem: ")
    assert words in page.text
    assert asked_on(page).challenge
    assert (desk.state, desk.signatures()) == (ChecklistState.SENT, 1)


def test_a_passkey_response_is_valid_for_one_signature(desk: PasskeyDesk) -> None:
    page, prompt = desk.page_to_sign("otto")
    answer = desk.device.answer(prompt.challenge)
    assert "You signed" in desk.send("otto", page, answer).text
    with pytest.raises(RuleBrokenError, match="already been used"):
        prove_on(desk, page, answer)
    assert desk.signatures() == 2


def prove_on(desk: PasskeyDesk, page: Page, answer: str) -> Identity:
    """Prove identity as the page does, without the redirect to the record."""
    signature = desk.signature()
    token = page.form().values["page_token"][0]
    return proof_fields.prove(
        desk.actor("otto"),
        Given(passkey=answer),
        shown.page_of(desk.actor("otto"), token),
        document_digest=signature.document_digest,
        sentence=signature.sentence,
    )


def test_an_answer_to_another_text_is_refused(desk: PasskeyDesk) -> None:
    page, _prompt = desk.page_to_sign("otto")
    sentence = page.root.find(".//div[@class='rule sentence']/p")
    assert sentence is not None
    other = assertion.challenge("f" * 64, sentence.text or "", "0a" * 32)
    refused(
        desk,
        desk.send("otto", page, desk.device.answer(other)),
        "Your passkey didn't confirm this text and this sentence as shown here.",
    )


def test_an_answer_to_another_opening_of_the_page_is_refused(desk: PasskeyDesk) -> None:
    page, _prompt = desk.page_to_sign("otto")
    _other_page, prompt = desk.page_to_sign("otto")
    refused(desk, desk.send("otto", page, desk.device.answer(prompt.challenge)), "didn't confirm")


def test_an_answer_to_the_sentence_in_another_language_is_refused(desk: PasskeyDesk) -> None:
    page, prompt = desk.page_to_sign("otto")
    desk.user("otto").language = "ar"
    desk.session.commit()
    data = page.form().filled_in(passkey=desk.device.answer(prompt.challenge))
    address = f"{desk.address}{CONFIRM}"
    response = desk.browser("otto").post(
        address, data=data, csrf=False, read=False, follow_redirects=True
    )
    assert response.request.path == address
    assert 'dir="rtl"' in response.text
    assert desk.signatures() == 1


def test_an_answer_to_the_sign_in_signs_nothing(desk: PasskeyDesk) -> None:
    page, _prompt = desk.page_to_sign("otto")
    signing_in = passkeys.begin(new_browser(desk.app))
    answer = desk.device.answer(signing_in.challenge)
    refused(desk, desk.send("otto", page, answer), "didn't confirm")


def test_another_persons_passkey_signs_nothing(desk: PasskeyDesk) -> None:
    other = desk.give("tomas", Device())
    page, prompt = desk.page_to_sign("otto")
    refused(
        desk,
        desk.send("otto", page, other.answer(prompt.challenge)),
        "This isn't one of your passkeys. Nothing was signed.",
    )


def test_another_persons_page_is_invalid(desk: PasskeyDesk) -> None:
    page, prompt = desk.page_to_sign("otto")
    token = page.form().values["page_token"][0]
    assert shown.page_of(desk.actor("otto"), token) is not None
    assert shown.page_of(desk.actor("tomas"), token) is None
    for wrong in (token[:-1], token + "A", "", None, "a.b", "x" * 400):
        assert shown.page_of(desk.actor("otto"), wrong) is None
        answer = desk.device.answer(prompt.challenge)
        again = desk.send("otto", page, answer, page_token=wrong or "")
        assert again.h1 == "Read and check"
        assert "We don't know which text you read." in again.text
        assert desk.signatures() == 1


def test_a_page_that_was_open_too_long_asks_once_more(
    desk: PasskeyDesk, frozen_time: Clock
) -> None:
    now = clock.now()
    page, prompt = desk.page_to_sign("otto")
    frozen_time(now + OPEN_FOR + dt.timedelta(minutes=1))
    answer = desk.device.answer(prompt.challenge)
    again = desk.send("otto", page, answer)
    assert again.h1 == "Read and check"
    assert "You opened the page more than 10 minutes ago, so nothing was signed." in again.text
    assert desk.signatures() == 1
    assert "You signed" in desk.sign_with(desk.device).text


def test_an_unverified_person_signs_nothing(desk: PasskeyDesk) -> None:
    device = replace(desk.device, flags=PRESENT)
    refused(desk, desk.sign_with(device), "didn't confirm")
    device = replace(desk.device, origin="https://terms.example")
    refused(desk, desk.sign_with(device), "didn't confirm")


@pytest.mark.parametrize("answer", ["{}", "x" * 9000, "null", '{"rawId": "AA"}', "\x00"])
def test_hostile_answers_sign_nothing(desk: PasskeyDesk, answer: str) -> None:
    page, _prompt = desk.page_to_sign("otto")
    again = desk.send("otto", page, answer)
    assert again.title.startswith("Problem: ")
    assert desk.signatures() == 1


def test_a_count_that_fell_back_sets_the_passkey_aside(desk: PasskeyDesk) -> None:
    assert "You signed" in desk.sign_with(replace(desk.device, count=40)).text
    passkey = _passkey(desk)
    assert passkey.sign_count == 41
    desk.session.rollback()
    answer = desk.device.answer(b"\x01" * 32)
    with pytest.raises(RuleBrokenError, match="its counter went backwards"):
        identity_proof.prove_by_passkey(desk.demonstration.users["otto"], answer, b"\x01" * 32)
    assert _passkey(desk).set_aside_at is not None
    last = desk.session.scalars(sa.select(Event).order_by(Event.at.desc()).limit(2)).all()
    assert [event.verb for event in last] == ["credentials_bound", "passkey_set_aside"]


def test_failures_count_and_a_right_passkey_signs_all_the_same(desk: PasskeyDesk) -> None:
    page, _prompt = desk.page_to_sign("otto")
    for _again in range(11):  # the last one is no longer recorded
        desk.send("otto", page, "{}")
    assert desk.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) == 10
    desk.session.rollback()
    assert "You signed" in desk.sign_with(desk.device).text


# Past the pages --------------------------------------------------------------------------------


def test_a_proof_for_another_text_signs_nothing_even_without_the_page(desk: PasskeyDesk) -> None:
    actor = _signatory(desk)
    right = desk.device.proof(assertion.challenge("f" * 64, "I sign.", "0a" * 32), "0a" * 32)
    for method, proof in (
        (Method.PASSKEY, right),
        (Method.PASSKEY, None),
        (Method.PASSWORD_TOTP, right),
        (Method.PASSWORD_MAILED_CODE, None),
    ):
        identity = Identity(actor.user_id, method, clock.now(), proof)
        with pytest.raises(RefusedError):
            agreements.sign(
                actor,
                desk.checklist,
                page=agreements.page_with(desk.checklist),
                sentence="I sign.",
                language="en",
                identity=identity,
            )
        desk.session.rollback()


def _signatory(desk: PasskeyDesk) -> Actor:
    memberships = accounts.memberships_of(desk.demonstration.users["otto"], clock.today())
    organisation_id = desk.demonstration.organisations["lh"]
    return replace(desk.actor("otto"), memberships=memberships, organisation_id=organisation_id)


def _passkey(desk: PasskeyDesk) -> Passkey:
    desk.session.rollback()
    wanted = sa.select(Passkey).where(Passkey.credential_id == desk.device.credential_id)
    return desk.session.scalars(wanted).one()


# The receipt -----------------------------------------------------------------------------------


def test_the_signer_gets_a_receipt_with_digest_and_address_but_no_text(
    desk: PasskeyDesk,
) -> None:
    desk.sign_with(desk.device)
    signature = desk.signature()
    wanted = sa.select(OutboxMessage).where(OutboxMessage.kind == "signature_receipt")
    receipt = desk.session.scalars(wanted).one()
    reference = desk.demonstration.references["waiting"]
    assert receipt.recipient == desk.user("otto").email
    assert signature.document_digest in receipt.body
    address = f"/verify?reference={reference}&digest={signature.document_digest}"
    assert f"http://localhost:8000{address}" in receipt.body
    for secret in (signature.sentence, signature.organisation_name, "Lantern", "custody"):
        assert secret not in receipt.body
        assert secret not in receipt.subject


def test_signatures_of_the_demonstration_have_no_receipt_and_say_what_they_are(
    desk: PasskeyDesk,
) -> None:
    wanted = sa.select(OutboxMessage).where(OutboxMessage.kind == "signature_receipt")
    assert desk.session.scalars(wanted).all() == []
    desk.session.rollback()
    page = desk.page("otto", "/record")
    assert "Demonstration, without proof of identity" in page.text
    assert "Proof of identity: Demonstration, without proof of identity." in page.text


def test_a_failed_signature_sends_no_receipt(desk: PasskeyDesk) -> None:
    page, _prompt = desk.page_to_sign("otto")
    desk.send("otto", page, "{}")
    wanted = sa.select(OutboxMessage).where(OutboxMessage.kind == "signature_receipt")
    assert desk.session.scalars(wanted).all() == []
