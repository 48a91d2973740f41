"""Telephone numbers come from people's accounts, are checked before saving, and stay as agreed."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.agreements import checklist_of
from tests.factories.cooperations import Country, bring_in, make_country, open_one
from tests.factories.templates import a_column, a_field, a_table, a_template, an_item, publish
from tests.pages import Page
from tracker.accounts.people import telephones
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist

NUMBERS = {
    "samira": "+356 2122 0001",
    "dora": "+356 2122 0002",
    "ilena": "+356 2122 0003",
    "joana": "+356 2122 0004",
}
TERMS = (
    an_item(
        "M1",
        a_field("contact", "person"),
        a_field("phone", "phone"),
        a_field("service"),
        a_field("line", "phone", required=False),
    ),
    an_item(
        "M2",
        a_table(
            "contacts",
            a_column("party", "party"),
            a_column("contact", "person"),
            a_column("phone", "phone"),
        ),
        done={"checks": [{"check": "row_per_party", "field": "contacts", "column": "party"}]},
    ),
)


@pytest.fixture
def country(session: Session) -> Country:
    """Four people with a number, of whom Joana takes no part in the cooperation."""
    publish(a_template(*TERMS, version=92))
    country = make_country(session)
    for first, number in NUMBERS.items():
        telephones.change(country.actor(first), number)
    return country


@pytest.fixture
def terms(country: Country, session: Session) -> Checklist:
    cooperation = open_one(country, "door")
    for first in ("samira", "dora"):
        bring_in(country, cooperation, first)
    session.commit()
    return checklist_of(cooperation, ChecklistKind.TERMS)


def saved(session: Session, terms: Checklist, code: str) -> dict[str, object]:
    session.expire_all()
    answer = load(session.merge(terms)).sheet.shared(code)
    values = dict(answer.values) if answer else {}
    session.rollback()
    return values


def test_the_number_of_the_person_chosen_is_filled_in_and_saved_once_it_was_seen(
    app: Flask, session: Session, country: Country, terms: Checklist
) -> None:
    address = f"/checklists/{terms.id}/items/M1/answer"
    samira = country.browser(app, "samira")
    dora = str(country.users["dora"].id)
    shown = Page.of(samira.submit(address, contact=dora, service="By day"))
    assert "Not saved yet: we filled in a telephone number" in shown.text
    assert shown.form().values["phone"] == [NUMBERS["dora"]]
    # Only directly after a person.
    assert shown.form().values["line"] == [""]
    assert saved(session, terms, "M1") == {}
    form = shown.form()
    samira.post(address, data=form.filled_in(), csrf=False)
    assert saved(session, terms, "M1")["phone"] == NUMBERS["dora"]
    # What was saved stays when the number changes in the account.
    telephones.change(country.actor("dora"), "+356 2122 0009")
    session.commit()
    assert saved(session, terms, "M1")["phone"] == NUMBERS["dora"]
    assert samira.page(address).form().values["phone"] == [NUMBERS["dora"]]


def test_a_number_that_was_filled_in_can_be_deleted_or_replaced(
    app: Flask, session: Session, country: Country, terms: Checklist
) -> None:
    address = f"/checklists/{terms.id}/items/M1/answer"
    samira = country.browser(app, "samira")
    dora = str(country.users["dora"].id)
    form = Page.of(samira.submit(address, contact=dora)).form()
    samira.post(address, data=form.filled_in(phone=""), csrf=False)
    assert not saved(session, terms, "M1").get("phone")
    # Whoever opens the form again finds the number, with the note that nothing is saved.
    again = samira.page(address)
    assert again.form().values["phone"] == [NUMBERS["dora"]]
    assert "Begun with what is known here." in again.text
    samira.submit(address, phone="+356 9999 0000")
    assert saved(session, terms, "M1")["phone"] == "+356 9999 0000"


def test_nobody_gets_the_number_of_a_person_whom_the_form_does_not_offer(
    app: Flask, session: Session, country: Country, terms: Checklist
) -> None:
    address = f"/checklists/{terms.id}/items/M1/answer"
    samira = country.browser(app, "samira")
    form = samira.page(address).form()
    data = {**form.filled_in(), "contact": str(country.users["joana"].id)}
    assert NUMBERS["joana"] not in samira.post(address, data=data, csrf=False).text
    for first in ("joana", "vesna", "root"):
        assert country.browser(app, first).get(address).status_code == 404


def test_a_partys_row_is_filled_in_and_that_of_another_party_is_not(
    app: Flask, session: Session, country: Country, terms: Checklist
) -> None:
    address = f"/checklists/{terms.id}/items/M2/answer"
    ilena = country.browser(app, "ilena")
    form = ilena.page(address).form()
    data = form.filled_in(**{"contacts-0-contact": str(country.users["ilena"].id)})
    shown = Page.of(ilena.post(address, data=data, csrf=False))
    assert shown.form().values["contacts-0-phone"] == [NUMBERS["ilena"]]
    ilena.post(address, data=shown.form().filled_in(**{"contacts-0-phone": ""}), csrf=False)
    assert saved(session, terms, "M2") != {}
    page = country.browser(app, "samira").page(address)
    assert NUMBERS["ilena"] not in page.html


def test_somebody_keeps_the_number_they_give_for_themselves_in_their_account(
    app: Flask, session: Session, country: Country, terms: Checklist
) -> None:
    address = f"/checklists/{terms.id}/items/M1/answer"
    samira = country.browser(app, "samira")
    own = str(country.users["samira"].id)
    samira.submit(address, contact=own, phone="+356 7777 0001")
    assert telephones.own(country.actor("samira")) == NUMBERS["samira"]
    session.rollback()
    samira.submit(address, phone="+356 7777 0001", own_telephone=True)
    assert telephones.own(country.actor("samira")) == "+356 7777 0001"
    session.rollback()
    # Somebody else's number is never taken for one's own.
    dora = str(country.users["dora"].id)
    samira.submit(address, contact=dora, phone="+356 7777 0002", own_telephone=True)
    assert telephones.own(country.actor("samira")) == "+356 7777 0001"
    assert telephones.own(country.actor("dora")) == NUMBERS["dora"]


def test_a_number_that_an_account_does_not_take_is_refused_and_nothing_is_saved(
    app: Flask, session: Session, country: Country, terms: Checklist
) -> None:
    address = f"/checklists/{terms.id}/items/M1/answer"
    samira = country.browser(app, "samira")
    own = str(country.users["samira"].id)
    page = Page.of(samira.submit(address, contact=own, phone="+356-7777-0001", own_telephone=True))
    assert "Your account takes a telephone number of 5 to 30 characters" in page.text
    assert saved(session, terms, "M1") == {}


def test_a_suggestion_is_filled_in_too(
    app: Flask, session: Session, country: Country, terms: Checklist
) -> None:
    samira, ilena = (country.browser(app, first) for first in ("samira", "ilena"))
    address = f"/checklists/{terms.id}/items/M1"
    dora = str(country.users["dora"].id)
    samira.submit(f"{address}/answer", contact=dora, phone="+356 1111 0000", service="By day")
    shown = Page.of(ilena.submit(f"{address}/propose", phone="", reason="Call her."))
    assert shown.form().values["phone"] == [NUMBERS["dora"]]
    assert "Not saved yet" in shown.text
    assert shown.form().values["reason"] == ["Call her."]
