"""The pages by which the NPM adds a party, and what a joining party sees."""

from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories import agreements
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, SIGNERS
from tests.integration.agreements.parties.test_joining import (
    ALL_SIGNERS,
    WHY,
    invite,
    is_joining,
    join,
    send,
    take_back,
)
from tests.integration.agreements.parties.test_leaving import cooperation
from tests.integration.agreements.together.test_together import Hand
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, ChecklistParty
from tracker.cooperations.selection import service as selection
from tracker.cooperations.selection.models import PartnerSelection, SelectionWay
from tracker.cooperations.selection.policy import Selection
from tracker.core import clock


def browser(app: Flask, negotiation: Negotiation, first: str) -> CheckedClient:
    return negotiation.country.browser(app, first)


def address(negotiation: Negotiation, page: str = "") -> str:
    return f"/cooperations/{negotiation.cooperation.reference}{page}"


def taking_back(negotiation: Negotiation) -> str:
    return address(negotiation, f"/parties/{negotiation.country.id('bridge')}/take-back")


ADD = "/parties/add"


def test_a_coordinator_of_the_npm_invites_from_the_list(app: Flask, inviting: Negotiation) -> None:
    client = browser(app, inviting, "ilena")
    assert client.page(address(inviting)).links()["Add a party"] == address(inviting, ADD)
    page = client.page(address(inviting, ADD))
    assert "Bridge Families Association" in page.text
    assert "Prevention Council of Tressia" in page.text
    assert "another body of the NPM, it decides with you only after that." in page.text
    assert "Open Door Legal Aid" not in page.text
    chosen = {"organisation_id": str(inviting.country.id("bridge")), "reason": WHY}
    sent = client.submit(
        address(inviting, ADD), organisation_id=chosen["organisation_id"], reason=WHY
    )
    text = sent.get_data(as_text=True)
    assert "The invitation is sent. All parties are notified." in text
    assert "Bridge Families Association is joining." in text
    assert WHY in text
    # Sent a second time.
    again = client.post(address(inviting, ADD), data=chosen)
    assert again.status_code == 200
    assert len(inviting.events("party_joining")) == 1
    others = browser(app, inviting, "samira").page(address(inviting))
    assert "Bridge Families Association is joining." in others.text
    # So few items are agreed because the newcomer has read none; nothing that was signed ends.
    waits = "Every item of this text also has to be accepted by Bridge Families"
    assert waits in others.text
    assert "Revoke the invitation" not in others.links()
    assert "invited to join" in client.page(address(inviting, "/history")).text


def test_the_invitation_is_taken_back_with_a_reason(app: Flask, inviting: Negotiation) -> None:
    invite(inviting)
    client = browser(app, inviting, "ilena")
    links = client.page(address(inviting)).links()
    assert links["Revoke the invitation"] == taking_back(inviting)
    assert "Give the reason" not in client.page(taking_back(inviting)).text
    sent = client.submit(taking_back(inviting), reason="It has no time.").get_data(as_text=True)
    assert "The invitation is revoked." in sent
    again = client.post(
        taking_back(inviting), data={"reason": "It has no time."}, follow_redirects=True
    )
    assert again.status_code == 200
    assert len(inviting.events("joining_taken_back")) == 1


@pytest.mark.parametrize(
    ("first", "status"),
    [("samira", 403), ("tomas", 403), ("ada", 403), ("marek", 404), ("vesna", 404), ("root", 404)],
)
def test_others_are_refused_or_see_nothing(
    app: Flask, inviting: Negotiation, first: str, status: int
) -> None:
    invite(inviting)
    client = browser(app, inviting, first)
    for page in (address(inviting, ADD), taking_back(inviting)):
        assert client.get(page).status_code == status
        chosen = {"organisation_id": str(inviting.country.id("bridge")), "reason": WHY}
        assert client.post(page, data=chosen).status_code == status
    assert is_joining(inviting)
    assert len(inviting.events("party_joining")) == 1


def test_a_joining_party_reads_the_page_its_people_and_the_texts_it_is_to_sign(
    app: Flask, inviting: Negotiation
) -> None:
    invite(inviting)
    client = browser(app, inviting, "marek")
    page = client.page(address(inviting))
    assert "Your organisation is joining." in page.text
    assert WHY in page.text
    assert "Bridge Families Association is joining." not in page.text
    assert "Gates" not in page.text
    terms = f"/checklists/{inviting.checklist().id}"
    for seen in ("/cooperations", address(inviting, "/people"), terms, f"{terms}/record"):
        assert client.get(seen).status_code == 200, seen
    assert client.get(address(inviting, "/people/add")).status_code == 200
    closed = ("/history", "/visits", "/undertakings", "/reviews", "/outside-bodies", "/leave")
    for part in closed:
        assert client.get(address(inviting, part)).status_code == 404, part
    # Every link of the page leads somewhere.
    inside = [link for link in page.links().values() if link.startswith(address(inviting))]
    assert {client.get(link).status_code for link in inside} == {200}
    join(inviting)
    assert client.get(address(inviting, "/history")).status_code == 200


def test_a_joining_party_is_asked_to_accept_every_item_until_it_has(
    app: Flask, inviting: Negotiation
) -> None:
    invite(inviting)
    terms = f"/checklists/{inviting.checklist().id}"
    marek = browser(app, inviting, "marek")
    assert "Everything else stays agreed" not in marek.page(terms).text
    assert "Read every item, and accept it or suggest a change." in marek.page(terms).text
    between = (
        "Everything else stays agreed between the other parties. Every item also has to be "
        "accepted by Bridge Families"
    )
    assert between in browser(app, inviting, "samira").page(terms).text
    waits = "Every item of this text also has to be accepted by Bridge Families"
    assert waits in marek.page(address(inviting)).text
    opened = "5 items were opened again."
    assert opened in marek.page(address(inviting)).text
    inviting.session.execute(sa.update(ChecklistParty).values(waiting_count=0))
    inviting.session.commit()
    assert waits not in marek.page(address(inviting)).text
    inviting.session.execute(sa.update(Checklist).values(is_complete=True))
    inviting.session.commit()
    assert opened not in marek.page(address(inviting)).text


def test_how_a_joining_party_was_chosen_is_filled_in_from_the_record(
    app: Flask, inviting: Negotiation
) -> None:
    invite(inviting)
    npm, door, bridge = (inviting.country.id(key) for key in ("npm", "door", "bridge"))
    chosen = Selection(
        SelectionWay.DIRECT,
        criteria="Families asked for it.",
        decided_by="Head of the NPM",
        deciding_id=npm,
    )
    agreed = cooperation(inviting, "ilena")
    selection.record(inviting["ilena"], agreed, bridge, chosen, version=0)
    # What the terms in force say of the others isn't filled in again.
    row = sa.select(PartnerSelection).where(PartnerSelection.organisation_id == bridge)
    recorded = inviting.session.scalars(row).one()
    columns = {key: value for key, value in vars(recorded).items() if not key.startswith("_")}
    former = {**columns, "id": uuid4(), "organisation_id": door, "criteria": "As recorded then."}
    inviting.session.add(PartnerSelection(**former))
    inviting.session.commit()
    item = f"/checklists/{inviting.checklist().id}/items/M1/answer"
    page = browser(app, inviting, "ilena").page(f"{item}?recorded=selection")
    assert "Filled in from the record of how partners were chosen." in page.text
    assert "Families asked for it." in page.html
    assert "As recorded then." not in page.html


def test_who_opens_or_sends_new_confidentiality_terms_reads_that_undertakings_are_signed_again(
    app: Flask, inviting: Negotiation
) -> None:
    rules = inviting.checklist(ChecklistKind.CONFIDENTIALITY)
    until = (clock.today() + 365 * DAY).isoformat()
    agreements.answer(inviting.country, rules, "C1", scope="all_until", until=until)
    agreements.send(inviting.country, rules, SIGNERS)
    agreements.sign(inviting.country, rules, *SIGNERS.values())
    inviting.session.commit()
    ilena = browser(app, inviting, "ilena")
    again = "everyone who signed an undertaking has to sign it again"
    assert again in ilena.page(address(inviting, ADD)).text
    assert again in ilena.page(f"/checklists/{rules.id}/amend").text
    assert again not in ilena.page(f"/checklists/{inviting.checklist().id}/amend").text
    invite(inviting)
    assert again in ilena.page(f"/checklists/{rules.id}/send").text
    assert again not in ilena.page(f"/checklists/{inviting.checklist().id}/send").text


def test_its_signatory_signs_all_its_texts_with_one_proof(
    app: Flask, inviting: Negotiation
) -> None:
    invite(inviting)
    send(inviting)
    rules = inviting.checklist(ChecklistKind.CONFIDENTIALITY)
    agreements.send(inviting.country, rules, ALL_SIGNERS)
    inviting.session.commit()
    sten = Hand(app, inviting, "sten")
    for linked in (address(inviting), f"/checklists/{rules.id}/sign"):
        assert sten.client.page(linked).links()["Read and sign them together"] == sten.address
    page = sten.choose(0, 1)
    assert page.h1 == "Sign 2 texts"
    assert "You signed 2 texts." in sten.sign(page).text


def test_who_is_taken_back_sees_nothing(app: Flask, inviting: Negotiation) -> None:
    invite(inviting)
    take_back(inviting)
    client = browser(app, inviting, "marek")
    assert client.get(address(inviting)).status_code == 404
    assert client.get(f"/checklists/{inviting.checklist().id}").status_code == 404
