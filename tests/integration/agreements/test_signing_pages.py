"""Pages of signing: send, read, prove, sign, decline, call back, amend, and the record.

In one file: the pages that one text goes through, in order.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories import checklists
from tests.factories.demonstration import PASSWORD, Demonstration
from tests.factories.negotiations import Negotiation
from tests.pages import Page
from tracker.access.actor import Role
from tracker.accounts.factors import second_factor
from tracker.accounts.models import Membership, User
from tracker.activity.models import ReadLogEntry
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.negotiation import positions
from tracker.signoff.models import Revision, Signature

Statements = Callable[[], AbstractContextManager[list[str]]]


class WaitingTerms:
    """The demonstration's terms that are waiting for one signature, and their signatory."""

    def __init__(self, app: Flask, session: Session, demonstration: Demonstration) -> None:
        self.app, self.session, self.demonstration = app, session, demonstration
        self.checklist_id = demonstration.checklists["waiting", "terms"]

    @property
    def address(self) -> str:
        return f"/checklists/{self.checklist_id}"

    @property
    def checklist(self) -> Checklist:
        return self.session.get_one(Checklist, self.checklist_id, populate_existing=True)

    @property
    def state(self) -> ChecklistState:
        return self.checklist.state

    def browser(self, key: str) -> CheckedClient:
        return self.demonstration.browser(self.app, key)

    def page(self, key: str, rest: str, status: int = 200) -> Page:
        return self.browser(key).page(f"{self.address}{rest}", status)

    def to_sign(self, key: str) -> str:
        """Read the text, and return the address its page leads to."""
        return self.page(key, "/sign").links()["Continue to sign"]

    def code(self, key: str) -> str:
        user = self.session.get_one(User, self.demonstration.users[key])
        code = second_factor.current_code(user).code
        self.session.rollback()
        return code

    def sign(self, key: str, **proof: str) -> Page:
        """Send the signing form with a proof of identity; fail if nobody could fill it in."""
        given: dict[str, Any] = {"password": PASSWORD, "code": self.code(key)} | proof
        return Page.of(self.browser(key).submit(self.to_sign(key), **given))

    def signatures(self) -> int:
        revision = sa.select(Revision.id).where(Revision.subject_id == self.checklist_id)
        wanted = sa.select(sa.func.count(Signature.id)).where(Signature.revision_id.in_(revision))
        return self.session.scalar(wanted) or 0


@pytest.fixture
def waiting_terms(app: Flask, session: Session, demonstration: Demonstration) -> WaitingTerms:
    return WaitingTerms(app, session, demonstration)


# Read, prove, sign


def test_signing_takes_two_pages(waiting_terms: WaitingTerms) -> None:
    """product.md, 5.3."""
    record = waiting_terms.page("otto", "/record")
    assert "Waiting for signatures" in record.text
    # A text that is printed to be signed has no state.
    assert record.only_on_paper == ""
    assert "Read and sign" in record.links()
    assert "Call the text back" not in record.links()
    of_joana = waiting_terms.page("joana", "/record").links()
    assert "Read and sign" not in of_joana
    assert "Call the text back" in of_joana
    page = waiting_terms.page("otto", "/sign")
    assert page.h1 == "Read and check"
    assert "Step 1 of 2" in page.text
    assert "M20" in page.text
    onward = page.links()["Continue to sign"]
    assert onward.startswith(f"{waiting_terms.address}/sign/confirm?opened=")
    page = waiting_terms.browser("otto").page(onward)
    assert "Step 2 of 2" in page.text
    assert "I, Otto Brandis" in page.text
    assert "for Lantern Health Network" in page.text
    assert "This agreement then binds it." in page.text
    digest = waiting_terms.session.scalars(
        sa.select(Revision.digest).where(Revision.subject_id == waiting_terms.checklist_id)
    ).one()
    assert digest in page.text.replace(" ", "")


def test_the_last_signature_brings_the_text_into_force_and_the_record_shows_it(
    waiting_terms: WaitingTerms,
) -> None:
    page = waiting_terms.sign("otto")
    assert "You signed. All parties have now signed." in page.text
    assert (waiting_terms.state, waiting_terms.signatures()) == (ChecklistState.IN_FORCE, 2)
    assert "What happens next: Signed by all, begins on" in page.text
    assert page.links()["Go to the cooperation"].startswith("/cooperations/")
    signature = waiting_terms.session.scalars(
        sa.select(Signature).where(
            Signature.user_id == waiting_terms.demonstration.users["otto"],
            Signature.revision_id == waiting_terms.checklist.revision_in_force_id,
        )
    ).one()
    assert signature.method.value == "password_totp"
    assert signature.sentence.startswith("I, Otto Brandis, ")
    assert signature.language == "en"
    # Whoever signed comes to the record.
    record = waiting_terms.page("otto", "/sign")
    for opened in (record, waiting_terms.page("otto", "/sign/confirm")):
        assert opened.where.endswith("/record")
    assert "Propose an amendment" not in record.links()
    assert record.only_on_paper.startswith("State: ")
    assert "Runs from " in record.only_on_paper
    for key in ("joana", "ilena", "milan", "greta"):
        page = waiting_terms.page(key, "/record")
        assert page.h1 == "Agreed terms"
        for words in (
            "Tomas Beridan",
            "Otto Brandis",
            "SHA-256 of the canonical form (RFC 8785)",
            "template version 6",
            "all have signed",
        ):
            assert words in page.text, key
        assert any(
            "/guidance/" in address and "revision" in address for address in page.addresses()
        )
        if key == "joana":
            assert "What happens next" not in page.text
            assert "Propose an amendment" in page.links()
    # An amendment is begun from the record.
    page = Page.of(
        waiting_terms.browser("joana").submit(
            f"{waiting_terms.address}/amend", reason="A new law.", items=["M12"]
        )
    )
    assert "The named items are open. The text in force stays in force meanwhile." in page.text
    assert "the earlier revision stays as it is." in page.text
    assert "Signed by all, begins on" in waiting_terms.page("greta", "/record").text
    assert waiting_terms.checklist.revision_in_force_id is not None


WRONG: list[tuple[dict[str, str], str]] = [
    ({"password": ""}, "Enter your password"),
    ({"password": "wrong words by the harbour"}, "That isn't your password"),
    ({"code": ""}, "Enter the six-digit code"),
    ({"code": "000000"}, "The code is wrong or has expired"),
    ({"code": "x" * 5000}, "Use at most"),
    ({"password": "x" * 5000}, "Use at most"),
]


def test_without_a_proof_nothing_is_signed_and_the_code_stays_valid(
    waiting_terms: WaitingTerms,
) -> None:
    otto = waiting_terms.browser("otto")
    opened = otto.page(waiting_terms.to_sign("otto"))
    for proof, message in WRONG:
        given = {"password": PASSWORD, "code": waiting_terms.code("otto")} | proof
        data = opened.form().filled_in(**given)
        page = Page.of(otto.post(opened.where, data=data, csrf=False, follow_redirects=True))
        assert page.title.startswith("Problem: "), message
        assert message in page.text
        assert (waiting_terms.state, waiting_terms.signatures()) == (ChecklistState.SENT, 1)
        assert PASSWORD not in page.html, message
    code = waiting_terms.code("otto")
    waiting_terms.sign("otto", code=code, password="wrong words by the harbour")
    assert waiting_terms.signatures() == 1
    waiting_terms.sign("otto", code=code)
    assert waiting_terms.signatures() == 2


def test_nobody_signs_a_sentence_whose_power_changed_after_they_opened_it(
    waiting_terms: WaitingTerms,
) -> None:
    """product.md, 5.3: the sentence says for whom somebody signs, and by what power."""
    otto = waiting_terms.browser("otto")
    opened = otto.page(waiting_terms.to_sign("otto"))
    given = {"password": PASSWORD, "code": waiting_terms.code("otto")}
    waiting_terms.session.execute(
        sa.update(Membership)
        .where(
            Membership.user_id == waiting_terms.demonstration.users["otto"],
            Membership.role == Role.SIGNATORY,
        )
        .values(power="Decision of the new board")
    )
    waiting_terms.session.commit()
    data = opened.form().filled_in(**given)
    shown = Page.of(otto.post(opened.where, data=data, csrf=False, follow_redirects=True))
    assert waiting_terms.signatures() == 1
    assert "The sentence you sign changed after you opened the page" in shown.text
    assert "under Decision of the new board" in shown.text
    data = shown.form().filled_in(**given)
    assert otto.post(shown.where, data=data, csrf=False).status_code == 303
    assert waiting_terms.signatures() == 2


def test_nobody_else_comes_to_sign(waiting_terms: WaitingTerms) -> None:
    statuses = {
        "joana": 403,
        "leyla": 403,
        "ilena": 403,
        "tomas": 403,
        "milan": 403,
        "greta": 403,
        "samira": 404,
        "vera": 404,
        "iris": 404,
    }
    data = {"password": PASSWORD, "code": "123456", "reason": "No.", "items": "M1"}
    for key, status in statuses.items():
        client = waiting_terms.browser(key)
        for rest in ("/sign", "/sign/confirm", "/decline"):
            address = f"{waiting_terms.address}{rest}"
            client.page(address, status)
            answered = client.post(address, data=data, read=False).status_code
            assert answered in {status, 405}, (key, rest)
    assert waiting_terms.signatures() == 1


def test_a_form_without_its_token_signs_nothing(waiting_terms: WaitingTerms) -> None:
    response = waiting_terms.browser("otto").post(
        f"{waiting_terms.address}/sign/confirm",
        data={"password": PASSWORD, "code": waiting_terms.code("otto")},
        csrf=False,
    )
    assert response.status_code == 400
    assert waiting_terms.signatures() == 1


# Decline, call back


def test_a_decline_names_items_and_reason_and_opens_them(waiting_terms: WaitingTerms) -> None:
    page = Page.of(
        waiting_terms.browser("otto").submit(
            f"{waiting_terms.address}/decline", reason="Our board can't.", items=["M10", "M12"]
        )
    )
    assert "You declined. The named items are open again" in page.text
    assert "Only these items are open: “Use and publication”, “Costs and funding”." in page.text
    assert "Our board can't." in page.text
    assert (waiting_terms.state, waiting_terms.signatures()) == (ChecklistState.DRAFTING, 1)
    record = waiting_terms.page("joana", "/record/1")
    assert "Declined" in record.text
    assert record.only_on_paper.startswith("State: Declined")
    assert "Our board can't." in record.text
    assert "Tomas Beridan" in record.text


def test_declining_without_items_or_reason_shows_an_error_and_keeps_the_input(
    waiting_terms: WaitingTerms,
) -> None:
    client = waiting_terms.browser("otto")
    form = client.page(f"{waiting_terms.address}/decline").form()
    wrong: tuple[tuple[str, list[str], str], ...] = (
        ("", ["M10"], "Enter an answer"),
        ("Our board.", [], "Choose at least one answer"),
        ("x" * 2001, ["M10"], "Use at most"),
        ("Our board.", ["C1"], "Choose"),
        ("Our board.", ["M99"], "Choose"),
    )
    for reason, chosen, message in wrong:
        sent = {**form.filled_in(), "reason": reason, "items": chosen}
        page = Page.of(client.post(f"{waiting_terms.address}/decline", data=sent, csrf=False))
        assert page.title.startswith("Problem: "), (reason, chosen)
        assert message in page.text, (reason, chosen)
        assert reason in page.html
        assert waiting_terms.state is ChecklistState.SENT, (reason, chosen)


def test_a_coordinator_calls_the_text_back(waiting_terms: WaitingTerms) -> None:
    page = Page.of(
        waiting_terms.browser("ilena").submit(
            f"{waiting_terms.address}/call-back", reason="A wrong signatory."
        )
    )
    assert "The text is called back and can be changed again." in page.text
    assert waiting_terms.state is ChecklistState.DRAFTING
    waiting_terms.page("otto", "/sign/confirm")
    assert "Called back" in waiting_terms.page("otto", "/record").text


# Record, amend


def test_a_checklist_without_a_revision_has_no_record_yet(waiting_terms: WaitingTerms) -> None:
    drafting = waiting_terms.demonstration.checklists["differing", "terms"]
    page = waiting_terms.browser("samira").page(f"/checklists/{drafting}/record")
    assert page.where == f"/checklists/{drafting}"
    waiting_terms.browser("samira").page(f"/checklists/{drafting}/record/1", 404)
    # Nor is there a record of a revision that a checklist doesn't have.
    for number in ("0", "2", "99999999999999999999", "-1", "x"):
        waiting_terms.page("otto", f"/record/{number}", 404)


# Send


def test_the_page_lists_what_blocks_sending(app: Flask, negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    address = f"/checklists/{negotiation.checklist().id}/send"
    page = negotiation.country.browser(app, "ilena").page(address)
    assert "still to agree: Item M1; Item M2" in page.text
    # Each item that is named leads to itself.
    assert page.links()["Item M2"] == f"/checklists/{negotiation.checklist().id}#m2"
    assert "Send for signature" not in page.buttons()
    negotiation.country.browser(app, "tomas").page(address, 403)
    negotiation.country.browser(app, "marek").page(address, 404)


def test_a_text_is_frozen_and_sent_to_those_named(app: Flask, negotiation: Negotiation) -> None:
    terms = negotiation.agree()
    negotiation.session.commit()
    address = f"/checklists/{terms.id}/send"
    client = negotiation.country.browser(app, "samira")
    page = client.page(address)
    assert "Henrik Asante" in page.text
    assert "Statutes, article 9" in page.text
    chosen: dict[str, Any] = {
        f"party_{body}": str(signatory.user_id)
        for body, signatory in negotiation.signatories.items()
    }
    lacking = {**chosen, f"party_{negotiation.country.id('door')}": None}
    page = Page.of(client.submit(address, **lacking))
    assert page.title.startswith("Problem: ")
    assert negotiation.checklist().state is ChecklistState.DRAFTING
    # A person who is not a signatory is not offered.
    ilena = negotiation.country.browser(app, "ilena")
    for value in ("", "x", "00000000-0000-0000-0000-000000000000"):
        data = {**chosen, f"party_{negotiation.country.id('npm')}": value}
        page = Page.of(ilena.post(address, data=data))
        assert page.title.startswith("Problem: "), value
        assert negotiation.checklist().state is ChecklistState.DRAFTING, value
    page = Page.of(client.submit(address, **chosen))
    assert "The text is frozen and sent." in page.text
    assert "0 of 3" in page.text
    client.page(address, 403)


def test_the_record_of_the_terms_leads_on_to_the_confidentiality_terms(
    app: Flask, negotiation: Negotiation
) -> None:
    negotiation.send()
    text = negotiation.checklist(ChecklistKind.CONFIDENTIALITY)
    record = f"/checklists/{negotiation.checklist().id}/record"
    begin = f"/checklists/{text.id}/begin"
    for first in ("samira", "tomas", "nadia", "ada"):
        page = negotiation.country.browser(app, first).page(record)
        assert page.forms(begin) == [], first
        assert "Next: the confidentiality terms" not in page.text, first
    browser = negotiation.country.browser(app, "ilena")
    page = browser.page(record)
    (form,) = page.forms(begin)
    assert "You begin with the text in English." in page.text
    done = Page.of(browser.post(begin, data=form.filled_in(), follow_redirects=True))
    assert done.h1 == "What is left to decide"
    assert browser.page(record).forms(begin) == []


def test_the_record_of_terms_that_were_declined_does_not_lead_on_to_another_text(
    app: Flask, negotiation: Negotiation
) -> None:
    negotiation.send()
    henrik = negotiation.country.browser(app, "henrik")
    address = f"/checklists/{negotiation.checklist().id}/decline"
    henrik.submit(address, reason="The board said no.", items="M1")
    page = negotiation.country.browser(app, "ilena").page(
        f"/checklists/{negotiation.checklist().id}/record"
    )
    assert "The board said no." in page.text
    assert "Next: the confidentiality terms" not in page.text


def test_a_text_that_changed_since_the_page_was_opened_is_not_sent(
    app: Flask, negotiation: Negotiation
) -> None:
    """Even if all parties have agreed on the new words in between."""
    terms = negotiation.agree()
    negotiation.session.commit()
    address = f"/checklists/{terms.id}/send"
    client = negotiation.country.browser(app, "ilena")
    chosen: dict[str, Any] = {
        f"party_{body}": str(signatory.user_id)
        for body, signatory in negotiation.signatories.items()
    }
    opened = client.page(address).form().filled_in(**chosen)
    changed = negotiation.loaded().sheet.shared("M1")
    assert changed is not None
    proposal = positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        "M1",
        {"words": "Other words than those on that page."},
        answer_id=changed.answer_id,
        reason="This is clearer.",
    )
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal.id)
    negotiation.accept("M1", "joana")
    checklists.read_second(negotiation["oren"], negotiation.checklist())
    negotiation.session.commit()
    page = Page.of(client.post(address, data=opened, csrf=False))
    assert page.title.startswith("Problem: ")
    assert "changed after you opened the page, so nothing was sent" in page.text
    assert negotiation.checklist().state is ChecklistState.DRAFTING
    for body, signatory in negotiation.signatories.items():
        assert page.form().values[f"party_{body}"] == [str(signatory.user_id)]
    assert client.post(address, data=page.form().filled_in(), csrf=False).status_code == 303
    assert negotiation.checklist().state is ChecklistState.SENT


def test_a_party_without_a_signatory_is_named_on_the_page(
    app: Flask, negotiation: Negotiation
) -> None:
    terms = negotiation.agree()
    negotiation.session.execute(
        sa.update(User).where(User.id == negotiation.country.users["otto"].id).values(active=False)
    )
    negotiation.session.commit()
    page = negotiation.country.browser(app, "ilena").page(f"/checklists/{terms.id}/send")
    # Otto is named in no answer of the small terms, so nothing else is in the way.
    assert "No signatory with power to sign today is known for: Lantern Health Network" in page.text


# Class K2


def test_opening_a_visits_checklist_is_noted_and_others_find_nothing(
    waiting_terms: WaitingTerms,
) -> None:
    roles = waiting_terms.demonstration.checklists["complete", "visit_roles"]

    def opened(key: str) -> list[str]:
        rows = waiting_terms.session.scalars(
            sa.select(ReadLogEntry.page)
            .where(ReadLogEntry.user_id == waiting_terms.demonstration.users[key])
            .order_by(ReadLogEntry.at)
        ).all()
        waiting_terms.session.rollback()
        return list(rows)

    for rest in ("", "/record", "/record/1", "/items/V8/answer"):
        waiting_terms.browser("leyla").get(f"/checklists/{roles}{rest}")
    assert opened("leyla") == ["checklist", "record", "record", "answer"]
    for key in ("milan", "nadia", "greta", "iris", "dina", "celia", "vera"):
        for rest in ("", "/record", "/record/1", "/items/V8/answer", "/send"):
            waiting_terms.browser(key).page(f"/checklists/{roles}{rest}", 404)
        assert opened(key) == []


def test_opening_what_everybody_may_read_is_not_noted(waiting_terms: WaitingTerms) -> None:
    waiting_terms.page("joana", "")
    waiting_terms.page("joana", "/record")
    assert waiting_terms.session.scalar(sa.select(sa.func.count(ReadLogEntry.id))) == 0


# Queries


def test_the_record_sends_as_many_queries_for_many_revisions_and_signatures(
    app: Flask, negotiation: Negotiation, statements: Statements
) -> None:
    terms = negotiation.send()
    checklists.sign(terms, negotiation["tomas"])
    negotiation.session.commit()
    client = negotiation.country.browser(app, "ilena")
    address = f"/checklists/{terms.id}/record"

    def count() -> int:
        client.page(address)
        with statements() as sent:
            client.page(address)
        return len(sent)

    few = count()
    for first in ("henrik", "otto", "tomas"):
        agreements.call_back(negotiation["ilena"], terms, reason="A wrong signatory.")
        checklists.send(terms, negotiation["ilena"], negotiation.signatories)
        checklists.sign(terms, negotiation[first])
        negotiation.session.commit()
    checklists.sign(terms, negotiation["henrik"])
    negotiation.session.commit()
    numbers = negotiation.session.scalar(sa.select(sa.func.count(Revision.id)))
    assert numbers == 4
    assert count() == few


def test_the_signatories_have_the_ids_of_the_parties(negotiation: Negotiation) -> None:
    able: dict[UUID, Any] = dict(agreements.signatories(negotiation.loaded()))
    assert set(able) == set(negotiation.signatories)
    assert {person.user_id for people in able.values() for person in people} == {
        signatory.user_id for signatory in negotiation.signatories.values()
    }
