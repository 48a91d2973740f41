"""People who signed, recorded or confirmed a scan for one party can't confirm it for another.

A person can act for two parties of a cooperation. The same on pages, in My work and in mails.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories import checklists
from tests.factories import paper as scans
from tests.factories.cooperations import LONG_AGO
from tests.factories.negotiations import Negotiation
from tests.factories.powers import begun
from tests.integration.agreements.test_paper import confirm, record, refused, signatures
from tests.integration.agreements.test_prior_agreements import attempt, paper_of
from tests.pages import Page
from tracker.access.actor import Actor, Role
from tracker.accounts import queries as accounts
from tracker.accounts.models import Membership
from tracker.agreements.paper import pages, queries
from tracker.agreements.paper import service as paper
from tracker.checklists.models import ChecklistState
from tracker.cooperations.models import CooperationPerson
from tracker.core import clock
from tracker.mail.models import OutboxMessage
from tracker.signoff.paper_models import PaperRecord

Statements = Callable[[], AbstractContextManager[list[str]]]
SIGNED = "named as a person who signed this paper"
RECORDED = "You recorded this scan for another party"
CONFIRMED = "You have confirmed this scan for another party"


@pytest.fixture
def sent(negotiation: Negotiation) -> Negotiation:
    """The terms, agreed, frozen and sent; nobody has signed."""
    negotiation.send()
    negotiation.session.commit()
    return negotiation


@pytest.fixture
def prior(negotiation: Negotiation) -> Negotiation:
    """An earlier agreement that the NPM recorded; both partners have yet to confirm it."""
    negotiation.settle("M1")
    add_to(negotiation, "samira", "lantern")
    attempt(negotiation)
    negotiation.session.commit()
    return negotiation


def add_to(
    negotiation: Negotiation,
    first: str,
    key: str,
    role: Role = Role.COORDINATOR,
    power: str = "Statutes",
) -> None:
    """Give a person a role in a second organisation, for which they take part too."""
    user_id, organisation_id = negotiation[first].user_id, negotiation.country.id(key)
    negotiation.session.add(
        Membership(
            user_id=user_id,
            organisation_id=organisation_id,
            role=role,
            power=power if role is Role.SIGNATORY else "",
            starts_on=LONG_AGO,
            created_at=clock.now(),
            **begun(role),
        )
    )
    negotiation.session.add(
        CooperationPerson(
            id=uuid4(),
            cooperation_id=negotiation.cooperation.id,
            user_id=user_id,
            organisation_id=organisation_id,
            from_on=LONG_AGO,
        )
    )
    negotiation.session.commit()


def end_roles(negotiation: Negotiation, key: str, *firsts: str) -> None:
    """End what some people do for an organisation."""
    user_ids = [negotiation[first].user_id for first in firsts]
    negotiation.session.execute(
        sa.delete(Membership).where(
            Membership.organisation_id == negotiation.country.id(key),
            Membership.user_id.in_(user_ids),
        )
    )
    negotiation.session.commit()


def acting(negotiation: Negotiation, first: str, key: str) -> Actor:
    """Return a person as they act for one of their organisations."""
    user = negotiation.country.users[first]
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        memberships=accounts.memberships_of(user.id, clock.today()),
        organisation_id=negotiation.country.id(key),
    )


def both_refused(negotiation: Negotiation, actor: Actor, scan: PaperRecord, words: str) -> None:
    """Check that a person may neither confirm nor refuse a scan, and is told why."""
    checklist = negotiation.checklist()
    refused(negotiation, lambda: scans.confirm(actor, checklist, scan), words)
    refused(negotiation, lambda: paper.refuse(actor, checklist, scan.id, reason="No."), words)


def has_task(negotiation: Negotiation, actor: Actor, app: Flask) -> bool:
    (waiting,) = queries.waiting(actor)
    with app.test_request_context():
        assert bool(pages.my_tasks(actor).mine) == waiting.is_for(actor)
    return waiting.is_for(actor)


def browser_for(negotiation: Negotiation, app: Flask, first: str, key: str) -> CheckedClient:
    """Return a browser in which a person acts for one of their organisations."""
    browser = negotiation.country.browser(app, first)
    browser.post("/account/acting", data={"organisation": str(negotiation.country.id(key))})
    return browser


def page_of(negotiation: Negotiation, app: Flask, first: str, key: str, scan: PaperRecord) -> Page:
    return browser_for(negotiation, app, first, key).page(
        f"/checklists/{negotiation.checklist().id}/papers/{scan.id}"
    )


def recipients(negotiation: Negotiation) -> set[str]:
    rows = negotiation.session.scalars(sa.select(OutboxMessage))
    return {row.recipient for row in rows if row.kind == "paper_recorded"}


# Who signed


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.SIGNATORY])
def test_somebody_named_as_signing_does_not_confirm_the_scan_for_another_party(
    sent: Negotiation, role: Role, app: Flask
) -> None:
    add_to(sent, "henrik", "lantern", role)
    scan = record(sent)
    henrik = acting(sent, "henrik", "lantern")
    both_refused(sent, henrik, scan, SIGNED)
    assert not has_task(sent, henrik, app)
    confirm(sent, "joana", scan)
    assert [signature.signer_name for signature in signatures(sent)] == ["Henrik Asante"]


def test_somebody_named_as_signing_gets_no_mail_about_the_scan(sent: Negotiation) -> None:
    add_to(sent, "henrik", "lantern")
    sent.session.execute(sa.delete(OutboxMessage))
    record(sent)
    assert sent.country.users["henrik"].email not in recipients(sent)
    assert sent.country.users["joana"].email in recipients(sent)


def test_somebody_who_also_acts_for_the_signing_party_but_did_not_sign_confirms(
    sent: Negotiation, app: Flask
) -> None:
    """The rule is about what a person did, not about the organisations they belong to."""
    add_to(sent, "dora", "lantern")
    scan = record(sent)
    dora = acting(sent, "dora", "lantern")
    assert has_task(sent, dora, app)
    scans.confirm(dora, sent.checklist(), scan)
    assert len(signatures(sent)) == 1


def test_a_signer_of_another_scan_confirms_this_one(sent: Negotiation, app: Flask) -> None:
    """Only their own signature is closed to them."""
    scan = record(sent, "joana")
    assert has_task(sent, sent["henrik"], app)
    confirm(sent, "henrik", scan)


# Who recorded


def test_somebody_who_recorded_a_scan_does_not_confirm_it_for_another_party(
    sent: Negotiation, app: Flask
) -> None:
    add_to(sent, "samira", "lantern")
    sent.session.execute(sa.delete(OutboxMessage))
    scan = record(sent)
    samira = acting(sent, "samira", "lantern")
    both_refused(sent, samira, scan, RECORDED)
    assert not has_task(sent, samira, app)
    assert sent.country.users["samira"].email not in recipients(sent)


# Who confirmed for another party


def test_nobody_confirms_an_earlier_agreement_for_two_parties(
    prior: Negotiation, app: Flask
) -> None:
    scan = paper_of(prior)
    confirm(prior, "samira", scan)
    samira = acting(prior, "samira", "lantern")
    both_refused(prior, samira, scan, CONFIRMED)
    assert not has_task(prior, samira, app)
    assert has_task(prior, prior["joana"], app)
    assert prior.checklist().state is ChecklistState.SENT
    confirm(prior, "joana", scan)
    assert prior.checklist().state is ChecklistState.IN_FORCE


def test_somebody_of_two_parties_chooses_for_which_one_they_confirm(
    prior: Negotiation, app: Flask
) -> None:
    samira = acting(prior, "samira", "lantern")
    assert has_task(prior, samira, app)
    assert has_task(prior, prior["samira"], app)
    scans.confirm(samira, prior.checklist(), paper_of(prior))
    prior.session.commit()
    both_refused(prior, prior["samira"], paper_of(prior), CONFIRMED)
    confirm(prior, "henrik", paper_of(prior))
    assert prior.checklist().state is ChecklistState.IN_FORCE


def test_nobody_confirms_a_scan_for_another_party_than_the_sentence_on_the_page_names(
    prior: Negotiation, app: Flask
) -> None:
    address = f"/checklists/{prior.checklist().id}/papers/{paper_of(prior).id}"
    browser = browser_for(prior, app, "samira", "door")
    opened = browser.page(address).form()
    browser.submit("/account/acting", organisation=str(prior.country.id("lantern")))
    pages = [
        Page.of(browser.post(address, data=form, csrf=False))
        for form in (opened.filled_in(), opened.filled_in(compared="y"))
    ]
    for page in pages:
        assert "switched to another organisation since you opened this page" in page.text
    assert prior.events("paper_confirmed") == []
    again = pages[-1].form().filled_in(compared="y")
    assert browser.post(address, data=again, csrf=False).status_code == 303
    (confirmed,) = prior.events("paper_confirmed")
    assert confirmed["organisation"] == "Lantern Health Network"


# What the page says


def test_the_page_says_why_and_who_can_confirm_it(sent: Negotiation, app: Flask) -> None:
    add_to(sent, "henrik", "lantern")
    page = page_of(sent, app, "henrik", "lantern", record(sent))
    assert SIGNED in page.text
    assert "Joana Pires and Otto Brandis can do this." in page.text
    assert "Confirm it for your organisation" not in page.text


def test_the_page_names_other_parties_if_the_readers_organisation_has_nobody_else(
    sent: Negotiation, app: Flask
) -> None:
    add_to(sent, "henrik", "lantern")
    scan = record(sent)
    end_roles(sent, "lantern", "joana", "otto")
    page = page_of(sent, app, "henrik", "lantern", scan)
    assert "A coordinator or signatory of another party can do this: Office of the" in page.text


def test_the_only_person_of_two_parties_is_told_to_have_another_one_invited(
    prior: Negotiation, app: Flask
) -> None:
    scan = paper_of(prior)
    end_roles(prior, "lantern", "joana", "otto")
    confirm(prior, "samira", scan)
    page = page_of(prior, app, "samira", "lantern", scan)
    assert CONFIRMED in page.text
    assert "Nobody else in your organisation can do this now. Invite another" in page.text
    page = page_of(prior, app, "ilena", "npm", scan)
    assert "Nobody can confirm this scan now for Lantern Health Network." in page.text
    assert "Withdraw the scan" in page.text


def test_a_party_is_told_before_its_only_other_confirmer_is_used_up(
    prior: Negotiation, app: Flask
) -> None:
    """Lantern and Open Door have only Samira, so one of them needs another person."""
    end_roles(prior, "lantern", "joana", "otto")
    end_roles(prior, "door", "henrik")
    page = page_of(prior, app, "samira", "door", paper_of(prior))
    assert "you can't confirm it for another party afterwards" in page.text
    assert "Lantern Health Network has nobody else" in page.text


def test_where_each_party_has_its_own_people_the_page_warns_of_nothing(
    sent: Negotiation, app: Flask
) -> None:
    scan = record(sent)
    for first, key in (("ilena", "npm"), ("joana", "lantern"), ("samira", "door")):
        text = page_of(sent, app, first, key, scan).text
        assert "can do this" not in text
        assert "Nobody" not in text
        assert "nobody else" not in text


def test_a_scan_that_waits_no_more_says_nothing_about_who_confirms_it(
    sent: Negotiation, app: Flask
) -> None:
    add_to(sent, "henrik", "lantern")
    scan = record(sent)
    confirm(sent, "ilena", scan)
    text = page_of(sent, app, "henrik", "lantern", scan).text
    assert SIGNED not in text
    assert "can do this" not in text


def test_tasks_read_as_many_rows_of_the_database_with_one_scan_as_with_two(
    sent: Negotiation, app: Flask, statements: Statements
) -> None:
    counts = []
    for key in ("samira", "joana"):
        record(sent, key)
        ilena = sent["ilena"]
        with app.test_request_context(), statements() as sent_statements:
            pages.my_tasks(ilena)
        counts.append(len(sent_statements))
    assert counts == [1, 1]


def test_the_last_signature_still_brings_the_text_into_force(sent: Negotiation) -> None:
    add_to(sent, "henrik", "lantern")
    checklists.sign(sent.checklist(), sent["tomas"], sent["otto"])
    sent.session.commit()
    scan = record(sent)
    both_refused(sent, acting(sent, "henrik", "lantern"), scan, SIGNED)
    confirm(sent, "otto", scan)
    assert sent.checklist().state is ChecklistState.IN_FORCE
