"""The person M1 names is asked to sign, unless the text gives a reason."""

import datetime as dt
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import agreements, checklists
from tests.factories import paper as scans
from tests.factories.cooperations import bring_in, signed_in
from tests.factories.negotiations import Negotiation, set_out
from tests.pages import Page
from tracker.access.actor import Role
from tracker.agreements import renewal, signature_requests
from tracker.agreements import service as agreements_service
from tracker.agreements.paper import prior_agreements
from tracker.agreements.paper import service as paper
from tracker.agreements.service import Asking
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, ChecklistState, Stance
from tracker.checklists.negotiation import positions
from tracker.core import clock
from tracker.core.errors import RuleBrokenError
from tracker.signoff import queries as signoff
from tracker.signoff import service as signoff_service
from tracker.signoff.signers import Named, PartySigners

REASON = "Tomas Beridan is on leave until May."


@pytest.fixture
def agreed(session: Session) -> Negotiation:
    """The supplied terms, agreed; M1 names Tomas for the NPM, and Greta could sign for it too."""
    negotiation = set_out(session)
    negotiation.agree()
    negotiation.country.person("Greta Vale", "npm", Role.SIGNATORY, power="Decision of the board")
    bring_in(negotiation.country, negotiation.cooperation, "greta")
    negotiation.session.commit()
    return negotiation


def send(
    negotiation: Negotiation, checklist: Checklist, *firsts: str, needed: int = 0, reason: str = ""
) -> None:
    npm = negotiation.country.id("npm")
    people = tuple(Named(negotiation.country.users[first].id) for first in firsts)
    named: dict[UUID, UUID | PartySigners] = {
        body: signatory.user_id for body, signatory in negotiation.signatories.items()
    }
    named[npm] = PartySigners(npm, people, needed)
    asking = Asking(instead={npm: reason} if reason else {})
    agreements_service.send(negotiation["ilena"], checklist, named, asking=asking)
    negotiation.session.commit()


def refused(negotiation: Negotiation, checklist: Checklist, *firsts: str, needed: int = 0) -> None:
    with pytest.raises(
        RuleBrokenError, match="“Parties and mandates” names Tomas Beridan"
    ) as caught:
        send(negotiation, checklist, *firsts, needed=needed)
    assert caught.value.field == f"instead_{negotiation.country.id('npm')}"
    negotiation.session.rollback()
    assert checklist.state is ChecklistState.DRAFTING


def rule_of(negotiation: Negotiation, checklist: Checklist) -> dict[str, object]:
    assert checklist.revision_sent_id is not None
    request = signoff.request_of(checklist.revision_sent_id)
    assert request is not None
    document = signoff_service.document_of(request.revision, None)
    npm = str(negotiation.country.id("npm"))
    return next(
        party for party in document["signing"]["parties"] if party["organisation_id"] == npm
    )


def test_somebody_else_is_asked_only_with_a_reason(agreed: Negotiation) -> None:
    refused(agreed, agreed.checklist(), "greta")
    # Either of them could sign alone.
    refused(agreed, agreed.checklist(), "greta", "tomas", needed=1)
    send(agreed, agreed.checklist(), "greta", reason=f"  {REASON} ")
    rule = rule_of(agreed, agreed.checklist())
    assert (rule["m1_names"], rule["instead_because"]) == ("Tomas Beridan", REASON)


def test_a_person_named_in_m1_signs_alone_or_with_others_without_a_reason(
    agreed: Negotiation,
) -> None:
    send(agreed, agreed.checklist(), "greta", "tomas")
    assert "m1_names" not in rule_of(agreed, agreed.checklist())


def test_a_reason_is_dropped_for_a_person_who_has_to_sign_anyway(agreed: Negotiation) -> None:
    send(agreed, agreed.checklist(), "tomas", reason=REASON)
    assert "m1_names" not in rule_of(agreed, agreed.checklist())


def test_the_page_preselects_people_m1_names_and_asks_why_one_is_left_out(
    app: Flask, agreed: Negotiation
) -> None:
    npm, users = agreed.country.id("npm"), agreed.country.users
    address = f"/checklists/{agreed.checklist().id}"
    ilena = signed_in(app, users["ilena"])
    sending = ilena.page(f"{address}/send")
    choices = sending.text.split("Tomas Beridan")[1].split("Several people sign")[0]
    assert "Named in “Parties and mandates”" in choices
    assert sending.text.count("Named in “Parties and mandates”") == len(agreed.signatories)
    form = sending.form()
    assert form.values[f"party_{npm}"] == [str(users["tomas"].id)]
    choice = {f"party_{npm}": str(users["greta"].id), f"behalf_{npm}": "the People's Advocate"}
    again = Page.of(ilena.post(f"{address}/send", data=form.filled_in(**choice), csrf=False))
    assert (
        "“Parties and mandates” names Tomas Beridan. Choose the same person, or say why not."
        in again.text
    )
    assert again.form().values[f"party_{npm}"] == [str(users["greta"].id)]
    assert again.form().values[f"behalf_{npm}"] == ["the People's Advocate"]
    sent = again.form().filled_in(**{f"instead_{npm}": REASON})
    assert ilena.post(f"{address}/send", data=sent, csrf=False).status_code == 303
    sentence = (
        f"Tomas Beridan, named in the terms as signatory, doesn't have to sign. Reason: {REASON}"
    )
    assert sentence in ilena.page(f"{address}/record").text
    assert sentence in signed_in(app, users["henrik"]).page(f"{address}/sign").text


def bring_into_force(negotiation: Negotiation) -> Checklist:
    checklists.send(negotiation.checklist(), negotiation["ilena"], negotiation.signatories)
    checklists.sign(negotiation.checklist(), *negotiation.signatories.values())
    negotiation.session.commit()
    return negotiation.checklist()


def name_in_m1(negotiation: Negotiation, first: str) -> None:
    """Have the NPM name another signatory in its row of M1, and the partners accept it."""
    terms, npm = negotiation.checklist(), str(negotiation.country.id("npm"))
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    user_id = str(negotiation.country.users[first].id)
    rows = [
        {**row, "signatory": user_id} if row["party"] == npm else row
        for row in current.values["parties"]
    ]
    agreements.change(
        negotiation.country, terms, "M1", current, **{**current.values, "parties": rows}
    )
    negotiation.accept("M1", "joana")


def test_an_amendment_follows_its_own_m1_and_other_texts_follow_the_terms_in_force(
    agreed: Negotiation,
) -> None:
    terms = bring_into_force(agreed)
    other = agreed.checklist(ChecklistKind.CONFIDENTIALITY)
    checklists.agree(other, agreed.writers, agreed["oren"])
    agreements_service.amend(agreed["ilena"], terms, reason="Tomas leaves.", items=["M1"])
    name_in_m1(agreed, "greta")
    checklists.read_second(agreed["oren"], terms)
    agreed.session.commit()
    # The amendment is not in force yet.
    refused(agreed, other, "greta")
    send(agreed, other, "tomas")
    with pytest.raises(RuleBrokenError, match="“Parties and mandates” names Greta Vale"):
        send(agreed, terms, "tomas")
    agreed.session.rollback()
    send(agreed, terms, "greta")
    assert "m1_names" not in rule_of(agreed, terms)


def test_an_amendment_waits_for_its_own_party_only_until_it_has_changed_its_row(
    agreed: Negotiation,
) -> None:
    """The wish to change M1, with which an amendment begins, is met by the party's own change."""
    terms = bring_into_force(agreed)
    agreements_service.amend(agreed["ilena"], terms, reason="Tomas leaves.", items=["M1"])
    m1 = agreed.loaded().sheet.shared("M1")
    assert m1 is not None
    npm, greta = str(agreed.country.id("npm")), str(agreed.country.users["greta"].id)
    rows = [
        {**row, "signatory": greta} if row["party"] == npm else row for row in m1.values["parties"]
    ]
    agreed.save("ilena", "M1", seen=m1.version, **{**m1.values, "parties": rows})
    assert agreed.waiting("M1") == {"door", "lantern"}
    agreed.accept("M1", "samira", "joana")
    assert agreed.waiting("M1") == set()


def test_people_named_in_m1_sign_new_dates(agreed: Negotiation) -> None:
    terms = bring_into_force(agreed)
    end = clock.today() + dt.timedelta(days=700)
    renewal.propose_renewal(
        agreed["ilena"],
        terms,
        review=end - dt.timedelta(days=100),
        end=end,
        reason="It went well.",
    )
    (proposal,) = [proposal for proposal in agreed.loaded().proposals if proposal.item == "M19"]
    positions.accept_proposal(agreed["samira"], terms, proposal.id)
    agreed.accept("M19", "joana")
    checklists.read_second(agreed["oren"], terms)
    agreed.session.commit()
    refused(agreed, terms, "greta")
    send(agreed, terms, "greta", reason=REASON)
    assert rule_of(agreed, terms)["instead_because"] == REASON


def test_only_people_named_in_the_text_sign_on_paper_even_if_m1_names_others(
    agreed: Negotiation,
) -> None:
    send(agreed, agreed.checklist(), "greta", reason=REASON)
    users = agreed.country.users
    with pytest.raises(RuleBrokenError, match="Choose who signed, among those whom the text names"):
        paper.record(
            agreed["ilena"],
            agreed.checklist(),
            page=agreements_service.page_with(agreed.checklist()),
            signed_on=clock.today(),
            offices={users["tomas"].id: "Head"},
            scan=scans.pdf(),
        )
    agreed.session.rollback()
    record = scans.record(agreed["ilena"], agreed.checklist())
    assert [signer["name"] for signer in record.signers] == ["Greta Vale"]


def test_the_person_who_signs_a_passed_on_slot_reads_why(app: Flask, agreed: Negotiation) -> None:
    """It was passed on after the text was frozen, so the page says so and not the text."""
    send(agreed, agreed.checklist(), "tomas")
    users, why = agreed.country.users, "I am on leave until May."
    signature_requests.pass_on(
        agreed["tomas"],
        agreed.checklist(),
        users["tomas"].id,
        users["greta"].id,
        page=agreements_service.page_with(agreed.checklist()),
        reason=why,
    )
    agreed.session.commit()
    sentence = f"Greta Vale was asked in place of Tomas Beridan: {why}"
    address = f"/checklists/{agreed.checklist().id}"
    for first in ("greta", "henrik"):
        signatory = signed_in(app, users[first])
        read = signatory.page(f"{address}/sign")
        assert sentence in read.text
        assert sentence in signatory.page(read.links()["Continue to sign"]).text
        assert sentence in signatory.page(f"{address}/record").text


def test_an_agreement_made_before_names_who_signed_it_whoever_m1_names(agreed: Negotiation) -> None:
    """Nobody is asked to sign it: the paper says who did, years ago perhaps."""
    terms = agreed.checklist()
    people = {body: [prior_agreements.Person("Ada Former", "Head")] for body in agreed.signatories}
    prior_agreements.record(
        agreed["ilena"],
        terms,
        page=scans.page_of_known(terms),
        signed_on=dt.date(2021, 3, 9),
        ends_on=None,
        signers=people,
        scan=scans.pdf(),
    )
    assert terms.revision_sent_id is not None
    request = signoff.request_of(terms.revision_sent_id)
    assert request is not None
    document = signoff_service.document_of(request.revision, None)
    assert {signatory["name"] for signatory in document["signatories"]} == {"Ada Former"}
    assert "signing" not in document


def test_other_texts_of_the_cooperation_go_by_the_terms_that_stand(agreed: Negotiation) -> None:
    bring_into_force(agreed)
    other = agreed.checklist(ChecklistKind.CONFIDENTIALITY)
    checklists.agree(other, agreed.writers, agreed["oren"])
    agreed.session.commit()
    refused(agreed, other, "greta")
    send(agreed, other, "greta", reason=REASON)
    assert rule_of(agreed, other)["instead_because"] == REASON


@pytest.fixture
def confidentiality(agreed: Negotiation) -> Checklist:
    """The terms on confidentiality, agreed while the terms aren't signed yet."""
    other = agreed.checklist(ChecklistKind.CONFIDENTIALITY)
    checklists.agree(other, agreed.writers, agreed["oren"])
    agreed.session.commit()
    return other


def test_other_texts_go_by_terms_that_wait_for_signatures(
    agreed: Negotiation, confidentiality: Checklist
) -> None:
    send(agreed, agreed.checklist(), "tomas")
    refused(agreed, confidentiality, "greta")
    send(agreed, confidentiality, "greta", reason=REASON)
    rule = rule_of(agreed, confidentiality)
    assert (rule["m1_names"], rule["instead_because"]) == ("Tomas Beridan", REASON)


def test_other_texts_go_by_a_draft_of_m1_once_all_parties_accept_it(
    agreed: Negotiation, confidentiality: Checklist
) -> None:
    refused(agreed, confidentiality, "greta")
    m1 = agreements.current(agreed.checklist(), "M1")
    positions.take_position(
        agreed["joana"],
        agreed.checklist(),
        "M1",
        Stance.WANTS_TALK,
        answer_id=m1.answer_id,
        reason="Is Tomas still there then?",
    )
    agreed.session.commit()
    send(agreed, confidentiality, "greta")
    assert "m1_names" not in rule_of(agreed, confidentiality)
