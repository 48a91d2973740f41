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


@pytest.mark.parametrize("act", ACTS)
def test_a_page_opened_for_one_text_does_nothing_to_another(many: Negotiation, act: str) -> None:
    send(many)
    read = agreements.page_with(many.checklist())
    send_other_words(many)
    with pytest.raises(NotShownError, match="changed after you opened it") as refused:
        ACTS[act](many, read)
    assert refused.value.seen == read.digest
    assert signatures() == 0
    assert many.checklist().state is ChecklistState.SENT
    ACTS[act](many, agreements.page_with(many.checklist()))


def test_changes_beyond_the_items_are_shown_too(app: Flask, many: Negotiation) -> None:
    """Only one side writes the cooperation's purpose, and chooses who is asked to sign."""
    send(many)
    read = page(app, many, "henrik", "/sign")
    onward = read.links()["Continue to sign"]
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


def test_a_text_sent_again_as_it_was_says_that_nothing_differs(
    app: Flask, many: Negotiation
) -> None:
    send(many)
    onward = page(app, many, "henrik", "/sign").links()["Continue to sign"]
    agreements.call_back(many["ilena"], many.checklist(), reason="One more thing.")
    send(many)
    many.session.commit()
    again = browser(app, many, "henrik").page(onward)
    assert "No items have changed, and neither has anything else about the text." in again.text


@pytest.mark.parametrize("act", ACTS)
def test_without_a_page_that_the_server_gave_out_nothing_is_done(
    many: Negotiation, act: str
) -> None:
    send(many)
    with pytest.raises(NotShownError, match="We don't know which text"):
        ACTS[act](many, None)
    assert signatures() == 0


@pytest.mark.parametrize("act", ACTS)
def test_a_page_opened_for_another_organisation_does_nothing(many: Negotiation, act: str) -> None:
    send(many)
    tomas = many["tomas"]
    for_another = replace(tomas, organisation_id=many.country.id("door"))
    token = shown.token_of(for_another, agreements.page_with(many.checklist()))
    with pytest.raises(OtherOrganisationError, match="switched to another organisation"):
        ACTS[act](many, shown.page_of(tomas, token))
    assert signatures() == 0
    assert many.checklist().state is ChecklistState.SENT


def test_a_page_signs_for_ten_minutes(many: Negotiation, frozen_time: Clock) -> None:
    send(many)
    now = clock.now()
    frozen_time(now)
    read = agreements.page_with(many.checklist())
    frozen_time(now + OPEN_FOR + DAY / 86400)
    with pytest.raises(NotShownError, match="more than 10 minutes ago"):
        signs(many, read)
    assert signatures() == 0
    frozen_time(now + OPEN_FOR)
    signs(many, read)


@pytest.mark.parametrize("act", ["declines", "passes on"])
def test_declining_and_passing_on_have_no_hurry(
    many: Negotiation, act: str, frozen_time: Clock
) -> None:
    send(many)
    read = agreements.page_with(many.checklist())
    frozen_time(clock.now() + DAY)
    ACTS[act](many, read)


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
    first = page(app, many, "tomas", "/sign")
    send_other_words(many)
    again = browser(app, many, "tomas").page(first.links()["Continue to sign"])
    assert again.h1 == "Read and check"
    assert "What changed since you opened revision 1" in again.text
    assert OTHER_WORDS in again.text
    onward = browser(app, many, "tomas").page(again.links()["Continue to sign"])
    assert onward.h1.startswith("Sign: ")
    assert "Sign only if you have read revision 2." in onward.text


def test_nobody_comes_to_page_two_without_page_one(app: Flask, many: Negotiation) -> None:
    send(many)
    assert page(app, many, "tomas", "/sign/confirm").h1 == "Read and check"
    somebody_elses = page(app, many, "henrik", "/sign").links()["Continue to sign"]
    assert browser(app, many, "tomas").page(somebody_elses).h1 == "Read and check"
    where = f"/checklists/{many.checklist().id}/sign/confirm"
    sent = browser(app, many, "tomas").post(where, data={}, follow_redirects=True)
    assert Page.of(sent).h1 == "Read and check"


def test_an_incomplete_proof_shows_no_page_two_of_a_text_that_was_not_read(
    app: Flask, many: Negotiation
) -> None:
    send(many)
    tomas = browser(app, many, "tomas")
    second = tomas.page(page(app, many, "tomas", "/sign").links()["Continue to sign"])
    data = second.form().filled_in()
    again = Page.of(tomas.post(second.where, data=data, csrf=False))
    assert again.h1.startswith("Sign: ")
    send_other_words(many)
    led_back = Page.of(tomas.post(second.where, data=data, csrf=False, follow_redirects=True))
    assert led_back.h1 == "Read and check"
    assert "What changed since you opened revision 1" in led_back.text
    assert OTHER_WORDS in led_back.text
    assert signatures() == 0


def test_who_declines_or_passes_on_has_the_whole_text_before_them(
    app: Flask, many: Negotiation
) -> None:
    send(many)
    send_other_words(many)
    for rest in ("/decline", pass_on_rest(many, "tomas")):
        opened = page(app, many, "tomas", rest)
        assert OTHER_WORDS in opened.text, rest
        assert "About this text" in opened.text, rest


@pytest.mark.parametrize(
    ("place", "typed"),
    [
        ("/decline", {"reason": "The board said no.", "items": "M1"}),
        ("/pass-on/tomas", {"reason": "The board said no.", "person": "greta"}),
    ],
)
def test_why_somebody_declines_or_passes_on_is_not_lost_when_the_text_was_called_back(
    app: Flask, many: Negotiation, place: str, typed: dict[str, str]
) -> None:
    send(many)
    users = {first: str(user.id) for first, user in many.country.users.items()}
    where = f"/checklists/{many.checklist().id}{place.replace('tomas', users['tomas'])}"
    typed = {key: users.get(value, value) for key, value in typed.items()}
    client = browser(app, many, "tomas")
    data = client.page(where).form().filled_in(**typed)
    agreements.call_back(many["ilena"], many.checklist(), reason="One more thing.")
    many.session.commit()
    again = Page.of(client.post(where, data=data, csrf=False))
    assert "This text was called back after you opened it, so nothing was done." in again.text
    assert "The board said no." in again.html
    assert many.checklist().state is ChecklistState.DRAFTING
    # People who never opened the text aren't told anything.
    assert client.post(where, data=typed).status_code == 404
    del data["csrf_token"]
    assert browser(app, many, "henrik").post(where, data=data).status_code == 404


@pytest.mark.parametrize(
    ("rest", "typed"),
    [
        ("/decline", {"reason": "The board said no.", "items": "M1"}),
        ("/pass-on/tomas", {"reason": "I am away in May.", "person": "greta"}),
    ],
)
def test_typed_words_stay_beside_the_changed_answer(
    app: Flask, many: Negotiation, rest: str, typed: dict[str, str]
) -> None:
    send(many)
    where = f"/checklists/{many.checklist().id}" + rest.replace(
        "/pass-on/tomas", pass_on_rest(many, "tomas")
    )
    client = browser(app, many, "tomas")
    form = client.page(where).form()
    send_other_words(many)
    if "person" in typed:
        typed = typed | {"person": str(many.country.users[typed["person"]].id)}
    shown_again = Page.of(client.post(where, data=form.filled_in(**typed), csrf=False))
    assert "The text changed after you opened it, so nothing was done." in shown_again.text
    assert typed["reason"] in shown_again.html
    assert OTHER_WORDS in shown_again.text
    assert many.checklist().state is ChecklistState.SENT
    # A second time, with the text in view, it is done.
    data = shown_again.form().filled_in()
    assert client.post(where, data=data, csrf=False).status_code == 303


def test_who_signs_a_text_that_was_called_back_reads_that_nothing_was_signed(
    app: Flask, many: Negotiation
) -> None:
    """Otherwise the record alone would be shown, and they may believe that they signed."""
    send(many)
    client = browser(app, many, "tomas")
    where = f"/checklists/{many.checklist().id}/sign"
    opened = client.page(client.page(where).links()["Continue to sign"])
    data = opened.form().filled_in(password="x", code="123456")
    agreements.call_back(many["ilena"], many.checklist(), reason="One more thing.")
    many.session.commit()
    led_on = Page.of(client.post(opened.where, data=data, csrf=False, follow_redirects=True))
    assert "This text was called back after you opened it, so nothing was done." in led_on.text
    # Who never read it isn't told.
    henrik = browser(app, many, "henrik").page(f"{where}/confirm")
    assert "called back after you opened" not in henrik.text
