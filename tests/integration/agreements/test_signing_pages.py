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
from tests.factories.tables import Table
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


class Desk:
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
def desk(app: Flask, session: Session, demonstration: Demonstration) -> Desk:
    return Desk(app, session, demonstration)


# Read, prove, sign


def test_signing_takes_two_pages(desk: Desk) -> None:
    """product.md, 5.3."""
    page = desk.page("otto", "/sign")
    assert page.h1 == "Read and check"
    assert "Step 1 of 2" in page.text
    assert "M20" in page.text
    assert page.links()["Continue to sign"].startswith(f"{desk.address}/sign/confirm?opened=")
    page = desk.browser("otto").page(desk.to_sign("otto"))
    assert "Step 2 of 2" in page.text
    assert "I, Otto Brandis" in page.text
    assert "for Lantern Health Network" in page.text
    assert "This agreement then binds it." in page.text
    digest = desk.session.scalars(
        sa.select(Revision.digest).where(Revision.subject_id == desk.checklist_id)
    ).one()
    assert digest in page.text.replace(" ", "")


def test_the_last_signature_brings_the_text_into_force(desk: Desk) -> None:
    page = desk.sign("otto")
    assert "You signed. All parties have now signed. The record says when" in page.text
    assert (desk.state, desk.signatures()) == (ChecklistState.IN_FORCE, 2)
    assert "Signed by all, begins on" in page.text
    signature = desk.session.scalars(
        sa.select(Signature).where(
            Signature.user_id == desk.demonstration.users["otto"],
            Signature.revision_id == desk.checklist.revision_in_force_id,
        )
    ).one()
    assert signature.method.value == "password_totp"
    assert signature.sentence.startswith("I, Otto Brandis, ")
    assert signature.language == "en"


WRONG: list[tuple[dict[str, str], str]] = [
    ({"password": ""}, "Enter your password"),
    ({"password": "wrong words by the harbour"}, "That isn't your password"),
    ({"code": ""}, "Enter the six-digit code"),
    ({"code": "000000"}, "The code is wrong or has expired"),
    ({"code": "x" * 5000}, "Use at most"),
    ({"password": "x" * 5000}, "Use at most"),
]


@pytest.mark.parametrize(("proof", "message"), WRONG)
def test_without_a_proof_nothing_is_signed(desk: Desk, proof: dict[str, str], message: str) -> None:
    page = desk.sign("otto", **proof)
    assert page.title.startswith("Problem: ")
    assert message in page.text
    assert (desk.state, desk.signatures()) == (ChecklistState.SENT, 1)
    assert PASSWORD not in page.html


def test_nobody_signs_a_sentence_whose_power_changed_after_they_opened_it(desk: Desk) -> None:
    """product.md, 5.3: the sentence says for whom somebody signs, and by what power."""
    otto = desk.browser("otto")
    opened = otto.page(desk.to_sign("otto"))
    given = {"password": PASSWORD, "code": desk.code("otto")}
    desk.session.execute(
        sa.update(Membership)
        .where(
            Membership.user_id == desk.demonstration.users["otto"],
            Membership.role == Role.SIGNATORY,
        )
        .values(power="Decision of the new board")
    )
    desk.session.commit()
    data = opened.form().filled_in(**given)
    shown = Page.of(otto.post(opened.where, data=data, csrf=False, follow_redirects=True))
    assert desk.signatures() == 1
    assert "The sentence you sign changed after you opened the page" in shown.text
    assert "under Decision of the new board" in shown.text
    data = shown.form().filled_in(**given)
    assert otto.post(shown.where, data=data, csrf=False).status_code == 303
    assert desk.signatures() == 2


def test_a_code_signs_only_once(desk: Desk) -> None:
    code = desk.code("otto")
    desk.sign("otto", code=code, password="wrong words by the harbour")
    assert desk.signatures() == 1
    desk.sign("otto", code=code)
    assert desk.signatures() == 2


def test_a_text_printed_to_be_signed_has_no_state_and_one_in_force_has_its_dates(
    desk: Desk,
) -> None:
    assert desk.page("otto", "/record").only_on_paper == ""
    desk.sign("otto")
    on_paper = desk.page("otto", "/record").only_on_paper
    assert on_paper.startswith("State: ")
    assert "Runs from " in on_paper


def test_signer_is_redirected_to_the_record(desk: Desk) -> None:
    desk.sign("otto")
    for rest in ("/sign", "/sign/confirm"):
        assert desk.page("otto", rest).where.endswith("/record")


@pytest.mark.parametrize("rest", ["/sign", "/sign/confirm", "/decline"])
@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("joana", 403),
        ("leyla", 403),
        ("ilena", 403),
        ("tomas", 403),
        ("milan", 403),
        ("greta", 403),
        ("samira", 404),
        ("vera", 404),
        ("iris", 404),
    ],
)
def test_nobody_else_comes_to_sign(desk: Desk, key: str, status: int, rest: str) -> None:
    desk.page(key, rest, status)
    client = desk.browser(key)
    data = {"password": PASSWORD, "code": "123456", "reason": "No.", "items": "M1"}
    assert client.post(f"{desk.address}{rest}", data=data).status_code in {status, 405}
    assert desk.signatures() == 1


def test_a_form_without_its_token_signs_nothing(desk: Desk) -> None:
    response = desk.browser("otto").post(
        f"{desk.address}/sign/confirm",
        data={"password": PASSWORD, "code": desk.code("otto")},
        csrf=False,
    )
    assert response.status_code == 400
    assert desk.signatures() == 1


# Decline, call back


def test_a_decline_names_items_and_reason_and_opens_them(desk: Desk) -> None:
    page = Page.of(
        desk.browser("otto").submit(
            f"{desk.address}/decline", reason="Our board can't.", items=["M10", "M12"]
        )
    )
    assert "You declined. The named items are open again" in page.text
    assert "Only these items are open: “Use and publication”, “Costs and funding”." in page.text
    assert "Our board can't." in page.text
    assert (desk.state, desk.signatures()) == (ChecklistState.DRAFTING, 1)
    record = desk.page("joana", "/record/1")
    assert "Declined" in record.text
    assert record.only_on_paper.startswith("State: Declined")
    assert "Our board can't." in record.text
    assert "Tomas Beridan" in record.text


@pytest.mark.parametrize(
    ("reason", "chosen", "message"),
    [
        ("", ["M10"], "Enter an answer"),
        ("Our board.", [], "Choose at least one answer"),
        ("x" * 2001, ["M10"], "Use at most"),
        ("Our board.", ["C1"], "Choose"),
        ("Our board.", ["M99"], "Choose"),
    ],
)
def test_declining_without_items_or_reason_shows_an_error_and_keeps_the_input(
    desk: Desk, reason: str, chosen: list[str], message: str
) -> None:
    client = desk.browser("otto")
    form = client.page(f"{desk.address}/decline").form()
    sent = {**form.filled_in(), "reason": reason, "items": chosen}
    page = Page.of(client.post(f"{desk.address}/decline", data=sent, csrf=False))
    assert page.title.startswith("Problem: ")
    assert message in page.text
    assert reason in page.html
    assert desk.state is ChecklistState.SENT


def test_a_coordinator_calls_the_text_back(desk: Desk) -> None:
    page = Page.of(
        desk.browser("ilena").submit(f"{desk.address}/call-back", reason="A wrong signatory.")
    )
    assert "The text is called back and can be changed again." in page.text
    assert desk.state is ChecklistState.DRAFTING
    desk.page("otto", "/sign/confirm")
    assert "Called back" in desk.page("otto", "/record").text


# Record, amend


def test_the_record_shows_text_signatures_digest_and_guidance(desk: Desk) -> None:
    desk.sign("otto")
    for key in ("joana", "ilena", "milan", "greta"):
        page = desk.page(key, "/record")
        assert page.h1 == "Agreed terms"
        for words in (
            "Tomas Beridan",
            "Otto Brandis",
            "SHA-256 of the canonical form (RFC 8785)",
            "template version 3",
            "all have signed",
        ):
            assert words in page.text, key
        assert any(
            "/guidance/" in address and "revision" in address for address in page.addresses()
        )


def test_the_record_shows_what_is_still_waiting(desk: Desk) -> None:
    page = desk.page("otto", "/record")
    assert "Waiting for signatures" in page.text
    assert "Read and sign" in page.links()
    assert "Read and sign" not in desk.page("joana", "/record").links()
    assert "Call the text back" in desk.page("joana", "/record").links()
    assert "Call the text back" not in desk.page("otto", "/record").links()


def test_an_amendment_is_begun_from_the_record(desk: Desk) -> None:
    desk.sign("otto")
    assert "Propose an amendment" in desk.page("joana", "/record").links()
    assert "Propose an amendment" not in desk.page("otto", "/record").links()
    page = Page.of(
        desk.browser("joana").submit(f"{desk.address}/amend", reason="A new law.", items=["M12"])
    )
    assert "The named items are open. The text in force stays in force meanwhile." in page.text
    assert "the earlier revision stays as it is." in page.text
    assert "Signed by all, begins on" in desk.page("greta", "/record").text
    assert desk.checklist.revision_in_force_id is not None


def test_a_checklist_without_a_revision_has_no_record_yet(desk: Desk) -> None:
    drafting = desk.demonstration.checklists["differing", "terms"]
    page = desk.browser("samira").page(f"/checklists/{drafting}/record")
    assert page.where == f"/checklists/{drafting}"
    desk.browser("samira").page(f"/checklists/{drafting}/record/1", 404)


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999", "-1", "x"])
def test_a_revision_that_is_not_there_is_not_found(desk: Desk, number: str) -> None:
    desk.page("otto", f"/record/{number}", 404)


# Send


def test_the_page_lists_what_blocks_sending(app: Flask, table: Table) -> None:
    table.save("ilena", "M1")
    address = f"/checklists/{table.checklist().id}/send"
    page = table.land.browser(app, "ilena").page(address)
    assert "still to agree: Item M1; Item M2" in page.text
    assert "Send for signature" not in page.buttons()
    table.land.browser(app, "tomas").page(address, 403)
    table.land.browser(app, "marek").page(address, 404)


def test_a_text_is_frozen_and_sent_to_those_named(app: Flask, table: Table) -> None:
    terms = table.agree()
    table.session.commit()
    address = f"/checklists/{terms.id}/send"
    client = table.land.browser(app, "samira")
    page = client.page(address)
    assert "Henrik Asante" in page.text
    assert "Statutes, article 9" in page.text
    chosen: dict[str, Any] = {
        f"party_{body}": str(signatory.user_id) for body, signatory in table.signatories.items()
    }
    lacking = {**chosen, f"party_{table.land.id('door')}": None}
    page = Page.of(client.submit(address, **lacking))
    assert page.title.startswith("Problem: ")
    assert table.checklist().state is ChecklistState.DRAFTING
    page = Page.of(client.submit(address, **chosen))
    assert "The text is frozen and sent." in page.text
    assert "0 of 3" in page.text
    client.page(address, 403)


def test_the_record_of_the_terms_leads_on_to_the_confidentiality_terms(
    app: Flask, table: Table
) -> None:
    table.send()
    text = table.checklist(ChecklistKind.CONFIDENTIALITY)
    record = f"/checklists/{table.checklist().id}/record"
    begin = f"/checklists/{text.id}/begin"
    for first in ("samira", "tomas", "nadia", "ada"):
        page = table.land.browser(app, first).page(record)
        assert page.forms(begin) == [], first
        assert "Next: the confidentiality terms" not in page.text, first
    browser = table.land.browser(app, "ilena")
    page = browser.page(record)
    (form,) = page.forms(begin)
    assert "You begin with the text in English." in page.text
    done = Page.of(browser.post(begin, data=form.filled_in(), follow_redirects=True))
    assert done.h1 == "What is left to decide"
    assert browser.page(record).forms(begin) == []


def test_the_record_of_terms_that_were_declined_does_not_lead_on_to_another_text(
    app: Flask, table: Table
) -> None:
    table.send()
    henrik = table.land.browser(app, "henrik")
    address = f"/checklists/{table.checklist().id}/decline"
    henrik.submit(address, reason="The board said no.", items="M1")
    page = table.land.browser(app, "ilena").page(f"/checklists/{table.checklist().id}/record")
    assert "The board said no." in page.text
    assert "Next: the confidentiality terms" not in page.text


def test_a_text_that_changed_since_the_page_was_opened_is_not_sent(
    app: Flask, table: Table
) -> None:
    """Even if all parties have agreed on the new words in between."""
    terms = table.agree()
    table.session.commit()
    address = f"/checklists/{terms.id}/send"
    client = table.land.browser(app, "ilena")
    chosen: dict[str, Any] = {
        f"party_{body}": str(signatory.user_id) for body, signatory in table.signatories.items()
    }
    opened = client.page(address).form().filled_in(**chosen)
    changed = table.loaded().sheet.shared("M1")
    assert changed is not None
    proposal = positions.propose(
        table["samira"],
        table.checklist(),
        "M1",
        {"words": "Other words than those on that page."},
        answer_id=changed.answer_id,
        reason="This is clearer.",
    )
    positions.accept_proposal(table["ilena"], table.checklist(), proposal.id)
    table.accept("M1", "joana")
    checklists.read_second(table["oren"], table.checklist())
    table.session.commit()
    page = Page.of(client.post(address, data=opened, csrf=False))
    assert page.title.startswith("Problem: ")
    assert "changed after you opened the page, so nothing was sent" in page.text
    assert table.checklist().state is ChecklistState.DRAFTING
    for body, signatory in table.signatories.items():
        assert page.form().values[f"party_{body}"] == [str(signatory.user_id)]
    assert client.post(address, data=page.form().filled_in(), csrf=False).status_code == 303
    assert table.checklist().state is ChecklistState.SENT


def test_a_party_without_a_signatory_is_named_on_the_page(app: Flask, table: Table) -> None:
    terms = table.agree()
    table.session.execute(
        sa.update(User).where(User.id == table.land.users["otto"].id).values(active=False)
    )
    table.session.commit()
    page = table.land.browser(app, "ilena").page(f"/checklists/{terms.id}/send")
    # Otto is named in no answer of the small terms, so nothing else is in the way.
    assert "No signatory with power to sign today is known for: Lantern Health Network" in page.text


@pytest.mark.parametrize("value", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_a_person_who_is_not_a_signatory_is_not_offered(
    app: Flask, table: Table, value: str
) -> None:
    terms = table.agree()
    table.session.commit()
    data: dict[str, Any] = {
        f"party_{b}": str(signatory.user_id) for b, signatory in table.signatories.items()
    }
    data[f"party_{table.land.id('npm')}"] = value
    response = table.land.browser(app, "ilena").post(f"/checklists/{terms.id}/send", data=data)
    assert Page.of(response).title.startswith("Problem: ")
    assert table.checklist().state is ChecklistState.DRAFTING


# Class K2


def test_opening_a_visits_checklist_is_noted_and_others_find_nothing(desk: Desk) -> None:
    roles = desk.demonstration.checklists["complete", "visit_roles"]

    def opened(key: str) -> list[str]:
        rows = desk.session.scalars(
            sa.select(ReadLogEntry.page)
            .where(ReadLogEntry.user_id == desk.demonstration.users[key])
            .order_by(ReadLogEntry.at)
        ).all()
        desk.session.rollback()
        return list(rows)

    for rest in ("", "/record", "/record/1", "/items/V8/answer"):
        desk.browser("leyla").get(f"/checklists/{roles}{rest}")
    assert opened("leyla") == ["checklist", "record", "record", "answer"]
    for key in ("milan", "nadia", "greta", "iris", "dina", "celia", "vera"):
        for rest in ("", "/record", "/record/1", "/items/V8/answer", "/send"):
            desk.browser(key).page(f"/checklists/{roles}{rest}", 404)
        assert opened(key) == []


def test_opening_what_everybody_may_read_is_not_noted(desk: Desk) -> None:
    desk.page("joana", "")
    desk.page("joana", "/record")
    assert desk.session.scalar(sa.select(sa.func.count(ReadLogEntry.id))) == 0


# Queries


def test_the_record_sends_as_many_queries_for_many_revisions_and_signatures(
    app: Flask, table: Table, statements: Statements
) -> None:
    terms = table.send()
    checklists.sign(terms, table["tomas"])
    table.session.commit()
    client = table.land.browser(app, "ilena")
    address = f"/checklists/{terms.id}/record"

    def count() -> int:
        client.page(address)
        with statements() as sent:
            client.page(address)
        return len(sent)

    few = count()
    for first in ("henrik", "otto", "tomas"):
        agreements.call_back(table["ilena"], terms, reason="A wrong signatory.")
        checklists.send(terms, table["ilena"], table.signatories)
        checklists.sign(terms, table[first])
        table.session.commit()
    checklists.sign(terms, table["henrik"])
    table.session.commit()
    numbers = table.session.scalar(sa.select(sa.func.count(Revision.id)))
    assert numbers == 4
    assert count() == few


def test_the_signatories_have_the_ids_of_the_parties(table: Table) -> None:
    able: dict[UUID, Any] = dict(agreements.signatories(table.loaded()))
    assert set(able) == set(table.signatories)
    assert {person.user_id for people in able.values() for person in people} == {
        signatory.user_id for signatory in table.signatories.values()
    }
