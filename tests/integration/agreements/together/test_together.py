"""Several texts of a cooperation, read on one page and signed with one proof of identity."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.client import CheckedClient
from tests.factories import checklists, passkeys
from tests.factories.accounts import PASSWORD
from tests.factories.evidence.leaves import shown_on, unseen
from tests.factories.negotiations import Negotiation, StoredNegotiation, begin
from tests.factories.passkeys import Device, asked_on
from tests.factories.templates import a_field, a_template, an_item, publish
from tests.integration.agreements.conftest import Clock
from tests.pages import Page
from tracker.accounts.factors import binding, passwords, second_factor
from tracker.accounts.factors.binding import Change
from tracker.activity import verbs
from tracker.agreements import service as agreements
from tracker.agreements import waiting_texts
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import ChecklistState
from tracker.cooperations.models import Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.signoff import assertion
from tracker.signoff.identity_proof import OPEN_FOR, Identity
from tracker.signoff.models import Method, Signature

Statements = Callable[[], AbstractContextManager[list[str]]]
TERMS, RULES = ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY


def _send_both() -> StoredNegotiation:
    """The terms and the confidentiality terms, both waiting for all signatures."""
    publish(a_template(an_item("U1", a_field()), kind="urgent_plan"))
    negotiation = begin(db.session(), Mode.VISIT, Mode.OMB_PLUS)
    negotiation.send(TERMS)
    negotiation.send(RULES)
    return StoredNegotiation.of(negotiation)


@pytest.fixture
def both(app: Flask, session: Session) -> Negotiation:
    return starting_points.of(app).use("two_texts_sent", _send_both).load(session)


class Hand:
    """A signatory's browser and passkey."""

    def __init__(self, app: Flask, negotiation: Negotiation, first: str) -> None:
        self.negotiation, self.device = negotiation, Device()
        passkeys.add(negotiation[first], self.device)
        negotiation.session.commit()
        # The address of page 2, with the marks of the texts.
        self.page_2 = ""
        self.client: CheckedClient = negotiation.country.browser(app, first)
        self.address = f"/cooperations/{negotiation.cooperation.reference}/sign"

    def page_1(self, status: int = 200) -> Page:
        return self.client.page(self.address, status)

    def choose(self, *numbers: int) -> Page:
        """Tick texts on page 1 by their position, and continue."""
        marks = marks_on(self.page_1())
        address = _address(self.address, [marks[number] for number in numbers])
        response = self.client.get(address, follow_redirects=True)
        self.page_2 = response.request.full_path
        return Page.of(response)

    def sign(self, page: Page, **more: str) -> Page:
        """Confirm page 2 with the passkey."""
        answer = self.device.answer(asked_on(page).challenge)
        data = page.form().filled_in(passkey=answer, **more)
        response = self.client.post(self.page_2, data=data, csrf=False, follow_redirects=True)
        return Page.of(response)


def send_again(negotiation: Negotiation) -> None:
    """Call the confidentiality terms back and send them again: another revision."""
    agreements.call_back(
        negotiation["ilena"], negotiation.checklist(RULES), reason="One more thing."
    )
    checklists.send(negotiation.checklist(RULES), negotiation["ilena"], negotiation.signatories)
    negotiation.session.commit()


def marks_on(page: Page) -> list[str]:
    """Return what the ticks on page 1 send, in the order of the texts."""
    boxes = [box for box in page.root.iter("input") if box.attrib.get("name") == "opened"]
    return [box.attrib["value"] for box in boxes]


def _address(address: str, marks: list[str]) -> str:
    return f"{address}?chosen=1" + "".join(f"&opened={mark}" for mark in marks)


@pytest.fixture
def tomas(app: Flask, both: Negotiation) -> Hand:
    return Hand(app, both, "tomas")


def signatures(negotiation: Negotiation) -> list[Signature]:
    negotiation.session.rollback()
    return list(negotiation.session.scalars(sa.select(Signature).order_by(Signature.signed_at)))


def test_both_texts_stand_in_full_on_one_page_and_only_ticked_ones_are_signed(
    tomas: Hand,
) -> None:
    alone = tomas.client.page(f"/checklists/{tomas.negotiation.checklist(TERMS).id}/sign")
    assert alone.links()["Read and sign them together"] == tomas.address
    cooperation = tomas.client.page(f"/cooperations/{tomas.negotiation.cooperation.reference}")
    assert cooperation.links()["Read and sign them together"] == tomas.address
    page = tomas.page_1()
    assert page.h1 == "Read the texts you sign"
    for code in ("M1", "C1", "C12"):
        assert code in page.text
    shown = shown_on(page)
    for row in waiting_texts.waiting(tomas.negotiation["tomas"], tomas.negotiation.cooperation.id):
        assert row.revision.digest in page.text.replace(" ", "")
        assert unseen(row.document, shown, "en", "en") == []
    # Nothing is signed without a tick.
    page = tomas.client.page(_address(tomas.address, []))
    assert page.title.startswith("Problem: ")
    assert "Choose at least one answer" in page.text
    assert tomas.client.page(f"{tomas.address}/confirm").h1 == "Read the texts you sign"
    assert signatures(tomas.negotiation) == []
    # With one of them ticked, it is the sentence of that one.
    page = tomas.choose(1)
    assert page.h1 == "Sign 1 text"
    assert "You signed 1 text." in tomas.sign(page).text
    assert len(signatures(tomas.negotiation)) == 1


def test_one_passkey_signs_both_and_each_signature_can_be_verified(
    app: Flask, both: Negotiation, tomas: Hand
) -> None:
    page = tomas.choose(0, 1)
    assert page.h1 == "Sign 2 texts"
    assert page.text.count("This agreement then binds it.") == 2
    data = page.form().filled_in(passkey=tomas.device.answer(asked_on(page).challenge))
    answered = tomas.client.post(tomas.page_2, data=data, csrf=False, follow_redirects=True)
    assert "You signed 2 texts." in answered.text
    given = signatures(both)
    assert len({row.revision_id for row in given}) == 2
    for row in given:
        assert row.method is Method.PASSKEY
        assert row.proof is not None
        digest, sentence = row.document_digest, row.sentence
        assert assertion.flaw(row.proof, document_digest=digest, sentence=sentence) is None
        others = [other for other in given if other is not row]
        for other in others:
            # Nothing in the proof of one text names another.
            assert other.document_digest not in str(row.proof)
    assert len(both.events(verbs.SIGNED.name)) == 2
    # A response signs one list once.
    again = tomas.client.post(tomas.page_2, data=data, csrf=False, follow_redirects=True)
    assert "can&#39;t be signed any more as you opened it" in again.text
    assert len(signatures(both)) == 2
    # The last signatures bring both into force, and the audit agrees.
    for first in ("henrik", "otto"):
        hand = Hand(app, both, first)
        assert "You signed 2 texts." in hand.sign(hand.choose(0, 1)).text
    both.session.rollback()
    states = {both.checklist(kind).state for kind in (TERMS, RULES)}
    assert states == {ChecklistState.IN_FORCE}
    assert integrity.check_all().finding is None


def code_of(negotiation: Negotiation, first: str) -> str:
    """Give a person a password and a code app; return its current code."""
    user = binding.hold(negotiation[first].user_id)
    user.password = passwords.hashed(PASSWORD)
    binding.bind(None, user, Change.PASSWORD)
    second_factor.enrol(user)
    negotiation.session.commit()
    return second_factor.current_code(user).code


def test_one_code_signs_both_texts_and_no_third(tomas: Hand) -> None:
    code = code_of(tomas.negotiation, "tomas")
    page = tomas.choose(0, 1)
    assert "Or with your password and a code" in page.text
    given = {"password": PASSWORD, "code": code}
    wrong = page.form().filled_in(**{**given, "code": "000000"})
    response = tomas.client.post(tomas.page_2, data=wrong, csrf=False)
    assert "The code is wrong or has expired" in response.text
    assert signatures(tomas.negotiation) == []
    data = page.form().filled_in(**given)
    response = tomas.client.post(tomas.page_2, data=data, csrf=False, follow_redirects=True)
    assert "You signed 2 texts." in response.text
    signed = signatures(tomas.negotiation)
    assert [row.method for row in signed] == [Method.PASSWORD_TOTP] * 2
    assert [row.proof for row in signed] == [None, None]
    send_again(tomas.negotiation)
    third = tomas.client.page(f"/checklists/{tomas.negotiation.checklist(RULES).id}/sign")
    address = third.links()["Continue to sign"]
    again = Page.of(tomas.client.submit(address, password=PASSWORD, code=code))
    assert "This code has already been used" in again.text
    assert len(signatures(tomas.negotiation)) == 2


def test_the_response_for_one_list_does_not_sign_another(
    tomas: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever ticked one text signs no second one with the same response."""
    first = tomas.choose(0)
    answer = tomas.device.answer(asked_on(first).challenge)
    two = tomas.choose(0, 1)
    data = two.form().filled_in(passkey=answer)
    response = tomas.client.post(tomas.page_2, data=data, csrf=False)
    assert "didn&#39;t confirm" in response.text
    # Nor does the page of one text do for two.
    token = first.form().values["page_token"][0]
    again = tomas.sign(two, page_token=token)
    assert again.h1 == "Read the texts you sign"
    assert signatures(tomas.negotiation) == []
    # All are signed or none.
    sign_first = agreements.sign
    seen: list[object] = []

    def refuse_the_second(*args: Any, **values: Any) -> Signature:
        if seen:
            raise RuleBrokenError("Not this one.")
        seen.append(args)
        return sign_first(*args, **values)

    page = tomas.choose(0, 1)
    with monkeypatch.context() as patch:
        patch.setattr(agreements, "sign", refuse_the_second)
        page = tomas.sign(page)
    assert "Not this one." in page.text
    assert signatures(tomas.negotiation) == []


def test_if_a_text_changed_meanwhile_nothing_is_signed_and_the_change_is_shown(
    tomas: Hand, frozen_time: Clock
) -> None:
    page, marks = tomas.choose(0, 1), marks_on(tomas.page_1())
    send_again(tomas.negotiation)
    again = tomas.sign(page)
    assert again.h1 == "Read the texts you sign"
    assert "One of the texts can't be signed any more as you opened it" in again.text
    assert "What changed since you opened revision 1" in again.text
    assert signatures(tomas.negotiation) == []
    # Nor is a tick for a text that changed taken.
    page = tomas.client.page(_address(tomas.address, marks))
    assert "A text changed after you opened it. Read it as it is now." in page.text
    # A page that was open too long signs nothing either.
    now = clock.now()
    page = tomas.choose(0, 1)
    frozen_time(now + OPEN_FOR + dt.timedelta(minutes=1))
    again = tomas.sign(page)
    assert "You opened the page more than 10 minutes ago" in again.text
    assert signatures(tomas.negotiation) == []


def test_whoever_has_one_text_to_sign_is_led_to_it(app: Flask, both: Negotiation) -> None:
    agreements.call_back(both["ilena"], both.checklist(RULES), reason="One more thing.")
    both.session.commit()
    client = both.country.browser(app, "tomas")
    cooperation = f"/cooperations/{both.cooperation.reference}"
    alone = f"/checklists/{both.checklist(TERMS).id}/sign"
    assert client.get(f"{cooperation}/sign").location == alone
    for address in (alone, cooperation):
        assert "Read and sign them together" not in client.page(address).links()


def test_whoever_has_nothing_to_sign_is_led_to_the_cooperation(
    app: Flask, both: Negotiation
) -> None:
    cooperation = f"/cooperations/{both.cooperation.reference}"
    for rest in ("", "/confirm"):
        for first in ("ilena", "nadia", "samira"):
            response = both.country.browser(app, first).get(f"{cooperation}/sign{rest}")
            assert response.status_code in {302, 303}, first
            assert response.location.split("?")[0] in {cooperation, f"{cooperation}/sign"}, first
        # An outsider finds no such page.
        both.country.browser(app, "marek").page(f"{cooperation}/sign{rest}", 404)


def test_another_persons_marks_open_nothing(app: Flask, both: Negotiation) -> None:
    tomas, henrik = Hand(app, both, "tomas"), Hand(app, both, "henrik")
    marks = marks_on(tomas.page_1())
    page = henrik.client.page(_address(henrik.address, marks))
    assert page.title.startswith("Problem: ")
    query = "&".join(f"opened={mark}" for mark in marks)
    assert henrik.client.page(f"{henrik.address}/confirm?{query}").h1 == "Read the texts you sign"


def test_a_changed_slot_is_noticed_before_anybody_reads(tomas: Hand) -> None:
    tomas.negotiation.session.execute(
        sa.text("UPDATE signature_place SET on_behalf_of = 'Somebody else'")
    )
    tomas.negotiation.session.commit()
    assert tomas.client.get(tomas.address).status_code == 403
    negotiation = tomas.negotiation
    texts = [
        (checklist, agreements.page_with(checklist), "I sign.")
        for checklist in (negotiation.checklist(TERMS), negotiation.checklist(RULES))
    ]
    identity = Identity(negotiation["tomas"].user_id, Method.PASSWORD_TOTP, clock.now())
    with pytest.raises(RefusedError):
        agreements.sign_several(negotiation["tomas"], texts, language="en", identity=identity)


def test_no_page_sends_a_statement_for_each_text(
    app: Flask, both: Negotiation, statements: Statements
) -> None:
    hand = Hand(app, both, "tomas")

    def sent(count: int) -> tuple[int, int]:
        hand.choose(*range(count))
        with statements() as reading:
            hand.page_1()
        with statements() as choosing:
            hand.client.page(hand.page_2)
        return len(reading), len(choosing)

    two = sent(2)
    both.send(ChecklistKind.URGENT_PLAN)
    both.session.commit()
    assert sent(3) == two
    assert max(two) <= 20, two
