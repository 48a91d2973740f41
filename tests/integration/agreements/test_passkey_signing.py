"""Signing an agreement with a passkey: it signs text and sentence, and only once.

In one file: all begin with the same terms and a signatory with a passkey.
"""

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
from tests.integration.agreements.test_signing_pages import WaitingTerms
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


class PasskeyTerms(WaitingTerms):
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
def waiting_terms(app: Flask, session: Session, demonstration: Demonstration) -> PasskeyTerms:
    new_waiting_terms = PasskeyTerms(app, session, demonstration)
    new_waiting_terms.device = new_waiting_terms.give("otto", Device())
    return new_waiting_terms


def test_a_passkey_signs_text_and_sentence_and_anybody_can_verify_it(
    waiting_terms: PasskeyTerms,
) -> None:
    opened, prompt = waiting_terms.page_to_sign("otto")
    answer = waiting_terms.device.answer(prompt.challenge)
    page = waiting_terms.send("otto", opened, answer)
    assert "You signed. All parties have now signed." in page.text
    assert "Passkey" in page.text
    assert "Proof of identity: Passkey." in page.text
    signature = waiting_terms.signature()
    assert signature.method is Method.PASSKEY
    stored = json.loads(json.dumps(signature.proof))
    digest, sentence = signature.document_digest, signature.sentence
    assert assertion.flaw(stored, document_digest=digest, sentence=sentence) is None
    assert assertion.flaw(stored, document_digest=digest, sentence=sentence + "!") is not None
    assert stored["public_key"] == passkeys.encode(waiting_terms.device.cose())
    assert waiting_terms.state is ChecklistState.IN_FORCE
    # The response is valid for one signature.
    with pytest.raises(RuleBrokenError, match="already been used"):
        prove_on(waiting_terms, opened, answer)
    assert waiting_terms.signatures() == 2
    # The signer gets a receipt with digest and address but no text.
    (receipt,) = receipts(waiting_terms)
    reference = waiting_terms.demonstration.references["waiting"]
    assert receipt.recipient == waiting_terms.user("otto").email
    signature = waiting_terms.signature()
    assert signature.document_digest in receipt.body
    address = f"/verify?reference={reference}&digest={signature.document_digest}"
    assert f"http://localhost:8000{address}" in receipt.body
    for secret in (signature.sentence, signature.organisation_name, "Lantern", "custody"):
        assert secret not in receipt.body
        assert secret not in receipt.subject


def receipts(waiting_terms: PasskeyTerms) -> list[OutboxMessage]:
    waiting_terms.session.rollback()
    wanted = sa.select(OutboxMessage).where(OutboxMessage.kind == "signature_receipt")
    return list(waiting_terms.session.scalars(wanted))


def test_password_and_code_still_sign(waiting_terms: PasskeyTerms) -> None:
    assert "You signed" in waiting_terms.sign("otto").text
    assert waiting_terms.signature().method is Method.PASSWORD_TOTP
    assert waiting_terms.signature().proof is None


def test_a_person_without_passkey_or_app_sets_one_up_and_signs(waiting_terms: PasskeyTerms) -> None:
    credentials.remove(waiting_terms.actor("otto"), _passkey(waiting_terms).id)
    waiting_terms.session.commit()
    # Without a passkey, the page asks for password and code only.
    page = waiting_terms.browser("otto").page(waiting_terms.to_sign("otto"))
    assert "data-passkey" not in page.html
    assert "Or with your password and a code" not in page.text
    waiting_terms.without_app("otto")
    client = waiting_terms.browser("otto")
    page = client.page(waiting_terms.to_sign("otto"))
    assert "Set up a second factor first." in page.text
    given = page.form().filled_in(password=PASSWORD, code="000000")
    response = client.post(f"{waiting_terms.address}{CONFIRM}", data=given, csrf=False)
    assert "You don&#39;t have a second factor yet." in response.text
    way = client.page(page.links()["Set it up, then come back here"])
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
    assert (
        "You signed"
        in waiting_terms.send("otto", back, device.answer(asked_on(back).challenge)).text
    )


def test_a_person_with_only_a_passkey_is_not_asked_for_a_code(waiting_terms: PasskeyTerms) -> None:
    waiting_terms.without_app("otto")
    page, prompt = waiting_terms.page_to_sign("otto")
    assert not {"password", "code"} & page.form().names
    nothing = waiting_terms.send("otto", page, "")
    assert "You don't have a code app. Confirm with your passkey." in nothing.text
    assert waiting_terms.signatures() == 1
    assert (
        "You signed"
        in waiting_terms.send("otto", page, waiting_terms.device.answer(prompt.challenge)).text
    )


# Refused in plain words, and nothing is lost ----------------------------------------------------


def refused(waiting_terms: PasskeyTerms, page: Page, words: str) -> None:
    assert page.title.startswith("Problem: ")
    assert words in page.text
    assert asked_on(page).challenge
    assert (waiting_terms.state, waiting_terms.signatures()) == (ChecklistState.SENT, 1)


def prove_on(waiting_terms: PasskeyTerms, page: Page, answer: str) -> Identity:
    """Prove identity as the page does, without the redirect to the record."""
    signature = waiting_terms.signature()
    token = page.form().values["page_token"][0]
    return proof_fields.prove(
        waiting_terms.actor("otto"),
        Given(passkey=answer),
        shown.page_of(waiting_terms.actor("otto"), token),
        document_digest=signature.document_digest,
        sentence=signature.sentence,
    )


def test_an_answer_to_another_text_or_opening_or_of_another_person_is_refused(
    waiting_terms: PasskeyTerms,
) -> None:
    others = waiting_terms.give("tomas", Device())
    page, prompt = waiting_terms.page_to_sign("otto")
    # The page asks for one's own passkeys with user verification.
    allowed = [credential["id"] for credential in prompt.options["allowCredentials"]]
    assert allowed == [passkeys.encode(waiting_terms.device.credential_id)]
    assert prompt.options["userVerification"] == "required"
    assert prompt.options["rpId"] == "localhost"
    assert len(prompt.challenge) == 32
    assert "Or with your password and a code" in page.text
    # Each opening asks for something else.
    _page, of_another_opening = waiting_terms.page_to_sign("otto")
    assert of_another_opening.challenge != prompt.challenge
    sentence = page.root.find(".//div[@class='rule sentence']/p")
    assert sentence is not None
    other_text = assertion.challenge("f" * 64, sentence.text or "", "0a" * 32)
    signing_in = passkeys.begin(new_browser(waiting_terms.app))
    for device, challenge, words in (
        (
            waiting_terms.device,
            other_text,
            "Your passkey didn't confirm this text and this sentence as shown here.",
        ),
        (waiting_terms.device, of_another_opening.challenge, "didn't confirm"),
        (waiting_terms.device, signing_in.challenge, "didn't confirm"),
        (others, prompt.challenge, "This isn't one of your passkeys. Nothing was signed."),
    ):
        refused(waiting_terms, waiting_terms.send("otto", page, device.answer(challenge)), words)


def test_an_answer_to_the_sentence_in_another_language_is_refused(
    waiting_terms: PasskeyTerms,
) -> None:
    page, prompt = waiting_terms.page_to_sign("otto")
    waiting_terms.user("otto").language = "ar"
    waiting_terms.session.commit()
    data = page.form().filled_in(passkey=waiting_terms.device.answer(prompt.challenge))
    address = f"{waiting_terms.address}{CONFIRM}"
    response = waiting_terms.browser("otto").post(
        address, data=data, csrf=False, read=False, follow_redirects=True
    )
    assert response.request.path == address
    assert 'dir="rtl"' in response.text
    assert waiting_terms.signatures() == 1


def test_another_persons_page_is_invalid(waiting_terms: PasskeyTerms) -> None:
    page, prompt = waiting_terms.page_to_sign("otto")
    token = page.form().values["page_token"][0]
    assert shown.page_of(waiting_terms.actor("otto"), token) is not None
    assert shown.page_of(waiting_terms.actor("tomas"), token) is None
    for wrong in (token[:-1], token + "A", "", None, "a.b", "x" * 400):
        assert shown.page_of(waiting_terms.actor("otto"), wrong) is None
        answer = waiting_terms.device.answer(prompt.challenge)
        again = waiting_terms.send("otto", page, answer, page_token=wrong or "")
        assert again.h1 == "Read and check"
        assert "We don't know which text you read." in again.text
        assert waiting_terms.signatures() == 1


def test_a_page_that_was_open_too_long_asks_once_more(
    waiting_terms: PasskeyTerms, frozen_time: Clock
) -> None:
    now = clock.now()
    page, prompt = waiting_terms.page_to_sign("otto")
    frozen_time(now + OPEN_FOR + dt.timedelta(minutes=1))
    answer = waiting_terms.device.answer(prompt.challenge)
    again = waiting_terms.send("otto", page, answer)
    assert again.h1 == "Read and check"
    assert "You opened the page more than 10 minutes ago, so nothing was signed." in again.text
    assert waiting_terms.signatures() == 1
    assert "You signed" in waiting_terms.sign_with(waiting_terms.device).text


def test_an_unverified_person_or_a_hostile_answer_signs_nothing(
    waiting_terms: PasskeyTerms,
) -> None:
    page, prompt = waiting_terms.page_to_sign("otto")
    for answer in ("{}", "x" * 9000, "null", '{"rawId": "AA"}', "\x00"):
        again = waiting_terms.send("otto", page, answer)
        assert again.title.startswith("Problem: "), answer[:20]
        assert waiting_terms.signatures() == 1, answer[:20]
    for wrong in ({"flags": PRESENT}, {"origin": "https://terms.example"}):
        device = replace(waiting_terms.device, **wrong)
        again = waiting_terms.send("otto", page, device.answer(prompt.challenge))
        refused(waiting_terms, again, "didn't confirm")
    # A failed signature sends no receipt, and those of the demonstration say what they are.
    assert receipts(waiting_terms) == []
    page = waiting_terms.page("otto", "/record")
    assert "Demonstration, without proof of identity" in page.text
    assert "Proof of identity: Demonstration, without proof of identity." in page.text


def test_a_count_that_fell_back_sets_the_passkey_aside(waiting_terms: PasskeyTerms) -> None:
    assert "You signed" in waiting_terms.sign_with(replace(waiting_terms.device, count=40)).text
    passkey = _passkey(waiting_terms)
    assert passkey.sign_count == 41
    waiting_terms.session.rollback()
    answer = waiting_terms.device.answer(b"\x01" * 32)
    with pytest.raises(RuleBrokenError, match="its counter went backwards"):
        identity_proof.prove_by_passkey(
            waiting_terms.demonstration.users["otto"], answer, b"\x01" * 32
        )
    assert _passkey(waiting_terms).set_aside_at is not None
    last = waiting_terms.session.scalars(sa.select(Event).order_by(Event.at.desc()).limit(2)).all()
    assert [event.verb for event in last] == ["credentials_bound", "passkey_set_aside"]


def test_failures_count_and_a_right_passkey_signs_all_the_same(waiting_terms: PasskeyTerms) -> None:
    page, _prompt = waiting_terms.page_to_sign("otto")
    for _again in range(11):  # the last one is no longer recorded
        waiting_terms.send("otto", page, "{}")
    assert waiting_terms.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) == 10
    waiting_terms.session.rollback()
    assert "You signed" in waiting_terms.sign_with(waiting_terms.device).text


# Past the pages --------------------------------------------------------------------------------


def test_a_proof_for_another_text_signs_nothing_even_without_the_page(
    waiting_terms: PasskeyTerms,
) -> None:
    actor = _signatory(waiting_terms)
    right = waiting_terms.device.proof(
        assertion.challenge("f" * 64, "I sign.", "0a" * 32), "0a" * 32
    )
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
                waiting_terms.checklist,
                page=agreements.page_with(waiting_terms.checklist),
                sentence="I sign.",
                language="en",
                identity=identity,
            )
        waiting_terms.session.rollback()


def _signatory(waiting_terms: PasskeyTerms) -> Actor:
    memberships = accounts.memberships_of(waiting_terms.demonstration.users["otto"], clock.today())
    organisation_id = waiting_terms.demonstration.organisations["lh"]
    return replace(
        waiting_terms.actor("otto"), memberships=memberships, organisation_id=organisation_id
    )


def _passkey(waiting_terms: PasskeyTerms) -> Passkey:
    waiting_terms.session.rollback()
    wanted = sa.select(Passkey).where(Passkey.credential_id == waiting_terms.device.credential_id)
    return waiting_terms.session.scalars(wanted).one()


# The receipt -----------------------------------------------------------------------------------
