"""*Send it again* after the person has switched, signed in anew or changed browsers meanwhile."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories.accounts import People, make_people, signed_in
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.test_who_vouches_for_a_scan import add_to, browser_for
from tests.integration.ui.test_send_again import BUTTON, OURS, meets_busy
from tests.pages import Form, Page
from tracker.activity.models import Event
from tracker.comments.models import Comment
from tracker.core.db import db

SWITCHED = "You have switched to another organisation since you opened this page"
ENDED = "Your session ended before this was sent"
TYPED = "Words that took an hour"
Browsers = Callable[[], CheckedClient]


def press(client: CheckedClient, form: Form) -> TestResponse:
    """Press the only button of a page that came back, as a browser does."""
    return client.open(
        form.action,
        method="POST",
        data=form.values,
        csrf=False,
        headers=OURS,
        follow_redirects=True,
    )


def events() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(Event.id))) or 0


@pytest.fixture
def people(session: Session) -> People:
    return make_people(session)


def test_a_comment_is_not_sent_again_for_the_organisation_that_was_switched_to(
    app: Flask, negotiation: Negotiation
) -> None:
    add_to(negotiation, "samira", "lantern")
    thread = f"/checklists/{negotiation.checklist().id}/comments"
    browser = browser_for(negotiation, app, "samira", "door")
    sent = browser.page(thread).form().filled_in(text=TYPED, audience="own")
    again = meets_busy(app, browser, thread, sent).form()
    browser.submit("/account/acting", organisation=str(negotiation.country.id("lantern")))
    page = Page.of(press(browser, again))
    assert SWITCHED in page.text
    assert TYPED in page.text
    assert negotiation.session.scalars(sa.select(Comment)).all() == []
    browser.submit("/account/acting", organisation=str(negotiation.country.id("door")))
    assert press(browser, again).status_code == 200
    comment = negotiation.session.scalars(sa.select(Comment)).one()
    assert comment.organisation_id == negotiation.country.id("door")


def test_an_answer_is_not_sent_again_for_the_organisation_that_was_switched_to(
    app: Flask, negotiation: Negotiation
) -> None:
    """Its view compares the organisation itself, and shows the form again."""
    add_to(negotiation, "samira", "lantern")
    address = f"/checklists/{negotiation.checklist().id}/items/M1/answer"
    browser = browser_for(negotiation, app, "samira", "door")
    form = browser.page(address).form()
    name = next(name for name, values in form.values.items() if values == [""])
    again = meets_busy(app, browser, address, form.filled_in(**{name: TYPED})).form()
    browser.submit("/account/acting", organisation=str(negotiation.country.id("lantern")))
    before = events()
    page = Page.of(press(browser, again))
    assert "switched to another organisation" in page.text
    assert TYPED in page.html
    assert events() == before


def _sent_by_dora(app: Flask, client: CheckedClient) -> Form:
    signed_in(client, "dora")
    sent = client.page("/account").forms()[0].filled_in(name=TYPED)
    page = meets_busy(app, client, "/account", sent)
    assert BUTTON in page.buttons()
    return page.form()


def test_whoever_signs_in_next_in_the_same_browser_sends_nothing_of_the_person_before(
    app: Flask, people: People, client: CheckedClient
) -> None:
    again = _sent_by_dora(app, client)
    client.post("/sign-out")
    signed_in(client, "samira")
    before = events()
    answer = press(client, again)
    assert answer.status_code == 400
    assert Page.of(answer).h1 == ENDED
    assert events() == before
    assert people.user("samira").name != TYPED
    assert people.user("dora").name != TYPED


def test_whoever_signed_in_again_meanwhile_gets_the_words_back(
    app: Flask, people: People, client: CheckedClient
) -> None:
    again = _sent_by_dora(app, client)
    client.post("/sign-out")
    signed_in(client, "dora")
    answer = press(client, again)
    assert answer.status_code == 400
    page = Page.of(answer)
    assert page.h1 == ENDED
    assert TYPED in page.text
    assert people.user("dora").name != TYPED


def test_the_form_of_one_browser_is_not_sent_again_in_another(
    app: Flask, people: People, browsers: Browsers
) -> None:
    """Also if the same person is signed in there, and if the session was ended from there."""
    first, second = browsers(), browsers()
    again = _sent_by_dora(app, first)
    signed_in(second, "dora")
    assert press(second, again).status_code == 400
    second.post("/account/sessions/end-others")
    answer = press(first, again)
    assert people.user("dora").name != TYPED
    assert answer.status_code in {200, 400}
    assert Page.of(answer).h1 in {ENDED, "Sign in"}
