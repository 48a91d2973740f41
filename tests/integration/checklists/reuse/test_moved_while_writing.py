"""A checklist moves to another version while somebody writes: nothing is done unseen or lost."""

import pytest
from flask import Flask

from tests.factories.checklists import flag_term
from tests.factories.negotiations import Negotiation
from tests.factories.templates import a_field, publish
from tests.integration.checklists.reuse.test_template_upgrade import move, next_terms, publish_next
from tests.pages import Page
from tracker.checklists.negotiation import positions


def test_nobody_speaks_on_a_question_that_changed_since_they_opened_its_page(
    negotiation: Negotiation, app: Flask
) -> None:
    saved = negotiation.save("ilena", "M1")
    checklist = negotiation.checklist()
    proposal = positions.propose(
        negotiation["joana"],
        checklist,
        "M1",
        {"words": "Six"},
        answer_id=saved.id,
        reason="Shorter.",
    )
    negotiation.session.commit()
    browser = negotiation.country.browser(app, "samira")
    address = f"/checklists/{checklist.id}"
    ways = {
        f"{address}/items/M1/talk": {"reason": "Far too narrow."},
        f"{address}/items/M1/propose": {"words": "Seven", "reason": "Far too narrow."},
        f"{address}/proposals/{proposal.id}/turn-down": {"reason": "Far too narrow."},
    }
    opened = {way: browser.page(way).form() for way in ways}
    # A reworded question ends suggestions; here it only requires less of an answer.
    publish_next(negotiation, M1={"required": "recommended"})
    move(negotiation)
    stood = negotiation.loaded().sheet.positions["M1"]
    for way, typed in ways.items():
        page = Page.of(browser.post(way, data=opened[way].filled_in(**typed), csrf=False))
        assert "The text changed after you opened it, so nothing was done." in page.text, way
        assert all(words in page.html for words in typed.values()), way
        assert negotiation.loaded().sheet.positions["M1"] == stood, way
        assert [waiting.id for waiting in negotiation.loaded().proposals] == [proposal.id], way
        opened[way] = page.form()
    browser.post(way, data=opened[way].filled_in(**typed), csrf=False)
    assert negotiation.loaded().proposals == ()


def test_a_suggestion_goes_beside_the_question_that_was_put_in_other_words(
    negotiation: Negotiation, app: Flask
) -> None:
    negotiation.save("ilena", "M1")
    browser = negotiation.country.browser(app, "samira")
    address = f"/checklists/{negotiation.checklist().id}/items/M1/propose"
    opened = browser.page(address).form()
    publish_next(negotiation, M1={"prompt": "What about all of M1?"})
    move(negotiation)
    typed = {"words": "Seven", "reason": "Far too narrow."}
    page = Page.of(browser.post(address, data=opened.filled_in(**typed), csrf=False))
    assert "What about all of M1?" in page.text
    assert "saved another value" not in page.text
    assert "Seven" in page.html
    browser.post(address, data=page.form().filled_in(**typed), csrf=False)
    assert [waiting.item for waiting in negotiation.loaded().proposals] == ["M1"]


def test_a_suggestion_for_an_answer_that_was_emptied_meanwhile_can_be_saved_as_the_answer(
    negotiation: Negotiation, app: Flask
) -> None:
    negotiation.save("ilena", "M1")
    browser = negotiation.country.browser(app, "samira")
    address = f"/checklists/{negotiation.checklist().id}/items/M1"
    opened = browser.page(f"{address}/propose").form()
    # What was answered doesn't fit the new question: it is empty now.
    publish_next(negotiation, M1={"fields": [a_field("other"), a_field("words", "date")]})
    move(negotiation)
    typed = opened.filled_in(words="2026-05-01", reason="Far too narrow.")
    page = Page.of(browser.post(f"{address}/propose", data=typed, csrf=False))
    assert "The answer is empty now, so there's nothing to suggest a change to." in page.text
    assert "2026-05-01" in page.html
    assert "Far too narrow." in page.html
    # Somebody who can't write the answer keeps the text too.
    for first, status in (("ada", 403), ("marek", 404)):
        client = negotiation.country.browser(app, first)
        sent = {"words": "2026-05-01", "reason": "Far too narrow."}
        refused = client.post(f"{address}/propose", data=sent)
        assert refused.status_code == status, first
        assert ("Far too narrow." in Page.of(refused).html) is (status == 403), first
    form = page.form()
    assert form.action == f"{address}/answer"
    browser.post(form.action, data=form.filled_in(other="Seven", words="2026-05-01"), csrf=False)
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    assert dict(current.values) == {"other": "Seven", "words": "2026-05-01"}
    assert negotiation.loaded().proposals == ()


def test_typed_words_stay_in_view_when_their_item_is_gone(
    negotiation: Negotiation, app: Flask
) -> None:
    negotiation.save("ilena", "M6")
    checklist = negotiation.checklist()
    flag = flag_term(negotiation["samira"], checklist, "M6", "It limits.")
    negotiation.session.commit()
    address = f"/checklists/{checklist.id}"
    ways = {
        f"{address}/items/M6/propose": "reason",
        f"{address}/items/M6/comments": "text",
        f"{address}/flags/{flag.id}/explain": "reason",
    }
    browser = negotiation.country.browser(app, "ilena")
    opened = {way: browser.page(way).form().filled_in() for way in ways}
    publish_next(negotiation, M6=None)
    move(negotiation)
    for way, name in ways.items():
        sent = {**opened[way], name: "Far too narrow."}
        own = {"Origin": "http://localhost"}
        response = browser.post(way, data=sent, csrf=False, headers=own)
        assert response.status_code == 409, way
        page = Page.of(response)
        assert "The checklist moved to a version without “Item M6”" in page.text, way
        assert "Far too narrow." in page.html, way
    # No version ever had that number.
    assert browser.post(f"{address}/items/M77/talk", data={"reason": "No."}).status_code == 404


@pytest.mark.parametrize("way", ["answer", "leave-out"])
def test_an_answer_to_a_question_in_other_words_is_saved_only_beside_it(
    negotiation: Negotiation, app: Flask, way: str
) -> None:
    publish_next(negotiation, M6={"required": "recommended"})
    move(negotiation)
    negotiation.save("ilena", "M6")
    browser = negotiation.country.browser(app, "ilena")
    address = f"/checklists/{negotiation.checklist().id}/items/M6/{way}"
    name = "words" if way == "answer" else "reason"
    opened = browser.page(address).form().filled_in(**{name: "Seven"})
    again: dict[str, object] = {"prompt": "What about all of M6?", "required": "recommended"}
    publish(next_terms(M6=again).model_copy(update={"version": 92}))
    negotiation.session.commit()
    move(negotiation)
    page = Page.of(browser.post(address, data=opened, csrf=False))
    assert "The text changed after you opened it, so nothing was done." in page.text
    assert "saved another value" not in page.text
    assert page.form().values[name] == ["Seven"]
    current = negotiation.loaded().sheet.shared("M6")
    assert current is not None
    assert current.version == 1
    browser.post(address, data=page.form().filled_in(**{name: "Seven"}), csrf=False)
    current = negotiation.loaded().sheet.shared("M6")
    assert current is not None
    assert current.version == 2


def test_a_flag_is_explained_only_beside_the_question_that_was_read(
    negotiation: Negotiation, app: Flask
) -> None:
    negotiation.save("ilena", "M1")
    checklist = negotiation.checklist()
    flag = flag_term(negotiation["samira"], checklist, "M1", "It limits.")
    negotiation.session.commit()
    address = f"/checklists/{checklist.id}/flags/{flag.id}/explain"
    browser = negotiation.country.browser(app, "ilena")
    opened = browser.page(address).form()
    publish_next(negotiation, M1={"prompt": "What about all of M1?"})
    move(negotiation)
    page = Page.of(browser.post(address, data=opened.filled_in(reason="No."), csrf=False))
    assert "The text changed after you opened it, so nothing was done." in page.text
    assert negotiation.loaded().flagged == {"M1"}
    browser.post(address, data=page.form().filled_in(reason="No."), csrf=False)
    assert negotiation.loaded().flagged == frozenset()
