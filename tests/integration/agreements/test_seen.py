"""People sign only the text they saw on their page (product.md, 5.3)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import paper
from tests.factories.checklists import read_second
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, Clock
from tests.integration.agreements.test_pages import browser, page, pass_on_rest
from tests.integration.agreements.test_signers import party, send
from tests.pages import Page
from tracker.access.page_tokens import NotShownError, OtherOrganisationError
from tracker.agreements import service as agreements
from tracker.agreements import signature_requests
from tracker.agreements.paper import service as scans
from tracker.checklists.models import ChecklistState
from tracker.checklists.negotiation import positions
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import shown
from tracker.signoff.identity_proof import OPEN_FOR, Identity, SigningPage
from tracker.signoff.models import Method, Signature

OTHER_WORDS = "Words that nobody who read revision 1 has seen."
Act = Callable[[Negotiation, SigningPage | None], object]


def send_other_words(negotiation: Negotiation) -> None:
    """Call the text back, agree on new words for M1 and send it again."""
    terms = negotiation.checklist()
    agreements.call_back(negotiation["ilena"], terms, reason="One more thing.")
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    proposal = positions.propose(
        negotiation["samira"],
        terms,
        "M1",
        {**current.values, "words": OTHER_WORDS},
        answer_id=current.answer_id,
        reason="Better so.",
    )
    positions.accept_proposal(negotiation["ilena"], terms, proposal.id)
    negotiation.accept("M1", "joana")
    read_second(negotiation["oren"], terms)
    send(negotiation)
    negotiation.session.commit()


def signatures() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(Signature.id))) or 0


def signs(negotiation: Negotiation, page: SigningPage | None) -> None:
    actor = negotiation["tomas"]
    identity = Identity(actor.user_id, Method.PASSWORD_TOTP, clock.now())
    agreements.sign(
        actor,
        negotiation.checklist(),
        page=page,
        sentence="I sign.",
        language="en",
        identity=identity,
    )


def declines(negotiation: Negotiation, page: SigningPage | None) -> None:
    agreements.decline(
        negotiation["tomas"], negotiation.checklist(), page=page, reason="No.", items=["M1"]
    )


def passes_on(negotiation: Negotiation, page: SigningPage | None) -> None:
    tomas, greta = (negotiation.country.users[first].id for first in ("tomas", "greta"))
    terms = negotiation.checklist()
    signature_requests.pass_on(
        negotiation["tomas"], terms, tomas, greta, page=page, reason="I am away."
    )


ACTS: dict[str, Act] = {"signs": signs, "declines": declines, "passes on": passes_on}


def test_a_page_opened_for_another_text_or_organisation_does_nothing(many: Negotiation) -> None:
    send(many)
    tomas = many["tomas"]
    read = agreements.page_with(many.checklist())
    for_another = replace(tomas, organisation_id=many.country.id("door"))
    token = shown.token_of(for_another, read)
    for act in ACTS.values():
        # A page that the server didn't give out.
        with pytest.raises(NotShownError, match="We don't know which text"):
            act(many, None)
        assert signatures() == 0
        with pytest.raises(OtherOrganisationError, match="switched to another organisation"):
            act(many, shown.page_of(tomas, token))
        assert signatures() == 0
        assert many.checklist().state is ChecklistState.SENT
    send_other_words(many)
    for act in ACTS.values():
        with pytest.raises(NotShownError, match="changed after you opened it") as refused:
            act(many, read)
        assert refused.value.seen == read.digest
        assert signatures() == 0
        assert many.checklist().state is ChecklistState.SENT
        act(many, agreements.page_with(many.checklist()))
        many.session.rollback()


def test_changes_beyond_the_items_are_shown_too(app: Flask, many: Negotiation) -> None:
    """Only one side writes the cooperation's purpose, and chooses who is asked to sign."""
    send(many)
    read = page(app, many, "henrik", "/sign")
    onward = read.links()["Continue to sign"]
    agreements.call_back(many["ilena"], many.checklist(), reason="One more thing.")
    send(many)
    many.session.commit()
    # Sent again as it was, nothing differs.
    again = browser(app, many, "henrik").page(onward)
    assert "No items have changed, and neither has anything else about the text." in again.text
    agreements.call_back(many["ilena"], many.checklist(), reason="One more thing.")
    cooperation = many.session.get_one(Cooperation, many.cooperation.id)
    before, cooperation.purpose = cooperation.purpose, "Whatever the office says."
    send(many, party(many, "npm", "tomas", "milan", needed=2))
    many.session.commit()
    again = browser(app, many, "henrik").page(onward)
    assert again.h1 == "Read and check"
    changes = again.text.split("What changed since you opened revision 1")[1].split("M1")[0]
    assert "No items have changed" not in changes
    assert "Purpose of the cooperation" in changes
    assert "Whatever the office says." in changes
    assert before.split()[0] in changes
    assert "Milan Orsk" in changes
    assert "Binding language" not in changes


def test_a_page_signs_for_ten_minutes_and_declining_and_passing_on_have_no_hurry(
    many: Negotiation, frozen_time: Clock
) -> None:
    send(many)
    now = clock.now()
    frozen_time(now)
    read = agreements.page_with(many.checklist())
    frozen_time(now + OPEN_FOR + DAY / 86400)
    with pytest.raises(NotShownError, match="more than 10 minutes ago"):
        signs(many, read)
    assert signatures() == 0
    frozen_time(now + DAY)
    for act in (declines, passes_on):
        act(many, read)
        many.session.rollback()
    frozen_time(now + OPEN_FOR)
    signs(many, read)


def test_a_page_is_known_to_its_person_alone_and_only_as_it_was_given_out(
    many: Negotiation,
) -> None:
    read = shown.page_with("a" * 64)
    token = shown.token_of(many["tomas"], read)
    assert shown.page_of(many["tomas"], token) == read
    assert shown.page_of(many["henrik"], token) is None
    for wrong in (token[:-1], f"{token}A", f"A{token}", "", None, "a.b", "\x00", "x" * 400):
        assert shown.page_of(many["tomas"], wrong) is None


def test_a_scan_is_confirmed_only_by_a_person_who_looked_at_it(many: Negotiation) -> None:
    send(many)
    terms = many.checklist()
    scan = paper.record(many["ilena"], terms)
    other_sentence = shown.with_sentence(shown.page_with(scan.digest), "I compared it for another.")
    for other in (shown.page_with("b" * 64), other_sentence, None):
        with pytest.raises(NotShownError):
            scans.confirm(
                many["samira"],
                terms,
                scan.id,
                page=other,
                sentence="I compared it.",
                language="en",
            )
    assert signatures() == 0


# On the pages ----------------------------------------------------------------------------------


def test_page_two_leads_back_to_the_text_where_another_was_read(
    app: Flask, many: Negotiation
) -> None:
    send(many)
    tomas = browser(app, many, "tomas")
    # Nobody comes to page two without page one.
    assert page(app, many, "tomas", "/sign/confirm").h1 == "Read and check"
    somebody_elses = page(app, many, "henrik", "/sign").links()["Continue to sign"]
    assert tomas.page(somebody_elses).h1 == "Read and check"
    where = f"/checklists/{many.checklist().id}/sign/confirm"
    sent = tomas.post(where, data={}, follow_redirects=True)
    assert Page.of(sent).h1 == "Read and check"
    onward = page(app, many, "tomas", "/sign").links()["Continue to sign"]
    second = tomas.page(onward)
    incomplete = second.form().filled_in()
    again = Page.of(tomas.post(second.where, data=incomplete, csrf=False))
    assert again.h1.startswith("Sign: ")
    send_other_words(many)
    # Nor to that of a text that was not read, with an incomplete proof either.
    led_back = tomas.post(second.where, data=incomplete, csrf=False, follow_redirects=True)
    for again in (tomas.page(onward), Page.of(led_back)):
        assert again.h1 == "Read and check"
        assert "What changed since you opened revision 1" in again.text
        assert OTHER_WORDS in again.text
    assert signatures() == 0
    second = tomas.page(again.links()["Continue to sign"])
    assert second.h1.startswith("Sign: ")
    assert "Sign only if you have read revision 2." in second.text


def test_typed_words_stay_beside_the_changed_answer(app: Flask, many: Negotiation) -> None:
    """Who declines or passes on has the whole text before them."""
    send(many)
    address, users = f"/checklists/{many.checklist().id}", many.country.users
    passing_on = pass_on_rest(many, "tomas")
    clients = {first: browser(app, many, first) for first in ("tomas", "henrik")}
    writing = [
        ("tomas", passing_on, {"reason": "I am away in May.", "person": str(users["greta"].id)}),
        ("henrik", "/decline", {"reason": "The board said no.", "items": "M1"}),
    ]
    forms = [clients[first].page(f"{address}{rest}").form() for first, rest, _typed in writing]
    send_other_words(many)
    for rest in ("/decline", passing_on):
        opened = page(app, many, "tomas", rest)
        assert OTHER_WORDS in opened.text, rest
        assert "About this text" in opened.text, rest
    for (first, rest, typed), form in zip(writing, forms, strict=True):
        client, where = clients[first], f"{address}{rest}"
        again = Page.of(client.post(where, data=form.filled_in(**typed), csrf=False))
        assert "The text changed after you opened it, so nothing was done." in again.text
        assert typed["reason"] in again.html
        assert OTHER_WORDS in again.text
        assert many.checklist().state is ChecklistState.SENT
        # A second time, with the text in view, it is done.
        data = again.form().filled_in()
        assert client.post(where, data=data, csrf=False).status_code == 303


def test_why_somebody_declines_or_passes_on_is_not_lost_when_the_text_was_called_back(
    app: Flask, many: Negotiation
) -> None:
    """Who signs it reads that nothing was signed, not the record alone."""
    send(many)
    users = {first: str(user.id) for first, user in many.country.users.items()}
    address = f"/checklists/{many.checklist().id}"
    writing = {
        "/decline": {"reason": "The board said no.", "items": "M1"},
        f"/pass-on/{users['tomas']}": {"reason": "The board said no.", "person": users["greta"]},
    }
    client = browser(app, many, "tomas")
    opened = {
        rest: client.page(f"{address}{rest}").form().filled_in(**typed)
        for rest, typed in writing.items()
    }
    signing = client.page(client.page(f"{address}/sign").links()["Continue to sign"])
    proof = signing.form().filled_in(password="x", code="123456")
    agreements.call_back(many["ilena"], many.checklist(), reason="One more thing.")
    many.session.commit()
    called_back = "This text was called back after you opened it, so nothing was done."
    for rest, data in opened.items():
        where = f"{address}{rest}"
        again = Page.of(client.post(where, data=data, csrf=False))
        assert called_back in again.text, rest
        assert "The board said no." in again.html, rest
        assert many.checklist().state is ChecklistState.DRAFTING
        # People who never opened the text aren't told anything.
        assert client.post(where, data=writing[rest]).status_code == 404, rest
        del data["csrf_token"]
        assert browser(app, many, "henrik").post(where, data=data).status_code == 404, rest
    led_on = Page.of(client.post(signing.where, data=proof, csrf=False, follow_redirects=True))
    assert called_back in led_on.text
    # Who never read it isn't told.
    henrik = browser(app, many, "henrik").page(f"{address}/sign/confirm")
    assert "called back after you opened" not in henrik.text
