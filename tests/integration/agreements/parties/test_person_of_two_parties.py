"""A person of two parties who switches in another tab acts for neither by an earlier page.

What they do with a page that was opened for one party would bind the other (product.md, 5.3).
"""

import sqlalchemy as sa
from flask import Flask

from tests.factories.negotiations import Negotiation
from tests.integration.agreements.test_who_vouches_for_a_scan import add_to, browser_for
from tests.pages import Page
from tracker.access.actor import Role
from tracker.activity.models import Event
from tracker.checklists.models import Notice, Stance
from tracker.comments.models import Comment
from tracker.core.db import db

SWITCHED = "You have switched to another organisation since you opened this page"
WHY = "The law has changed."


def events() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(Event.id))) or 0


def test_nobody_ends_suspends_or_leaves_for_another_party_than_the_page_said(
    app: Flask, in_force: Negotiation
) -> None:
    add_to(in_force, "henrik", "lantern", Role.SIGNATORY, "Decision of the board")
    terms = f"/checklists/{in_force.checklist().id}"
    leave = f"/cooperations/{in_force.cooperation.reference}/leave"
    browser = browser_for(in_force, app, "henrik", "door")
    acts = (f"{terms}/end", f"{terms}/suspend", leave)
    sent = {url: browser.page(url).form().filled_in(reason=WHY) for url in acts}
    browser.submit("/account/acting", organisation=str(in_force.country.id("lantern")))
    before = events()
    for url in acts:
        page = Page.of(browser.post(url, data=sent[url], csrf=False))
        assert SWITCHED in page.text
        assert WHY in page.html
    assert events() == before
    # The page comes back for the party they act for now; an incomplete form's says so as well.
    incomplete = Page.of(browser.post(acts[0], data={**sent[acts[0]], "reason": ""}, csrf=False))
    assert SWITCHED in incomplete.text
    form = incomplete.form().filled_in(reason=WHY)
    assert browser.post(acts[0], data=form, csrf=False).status_code == 303
    notice = in_force.session.scalars(sa.select(Notice)).one()
    assert notice.organisation_id == in_force.country.id("lantern")


def test_nobody_accepts_or_discusses_an_answer_for_another_party_than_the_page_said(
    app: Flask, negotiation: Negotiation
) -> None:
    add_to(negotiation, "samira", "lantern")
    negotiation.save("ilena", "M1")
    terms = f"/checklists/{negotiation.checklist().id}"
    accept, talk = f"{terms}/items/M1/accept", f"{terms}/items/M1/talk"
    browser = browser_for(negotiation, app, "samira", "door")
    to_accept = browser.page(terms).form(accept).filled_in()
    to_talk = browser.page(talk).form().filled_in(reason=WHY)
    browser.submit("/account/acting", organisation=str(negotiation.country.id("lantern")))
    reply = browser.post(accept, data=to_accept, csrf=False, follow_redirects=True)
    assert f"M1: {SWITCHED}" in Page.of(reply).text
    page = Page.of(browser.post(talk, data=to_talk, csrf=False))
    assert SWITCHED in page.text
    assert negotiation.waiting("M1") == {"door", "lantern"}
    assert browser.post(talk, data=page.form().filled_in(), csrf=False).status_code == 303
    (position,) = (p for p in negotiation.loaded().positions if p.stance is Stance.WANTS_TALK)
    assert position.organisation_id == negotiation.country.id("lantern")


def test_a_comment_to_ones_own_side_is_not_sent_to_another_side_than_the_page_said(
    app: Flask, negotiation: Negotiation
) -> None:
    """Forms that show no text to act on carry the organisation too."""
    add_to(negotiation, "samira", "lantern")
    thread = f"/checklists/{negotiation.checklist().id}/comments"
    browser = browser_for(negotiation, app, "samira", "door")
    form = browser.page(thread).form().filled_in(text=WHY, audience="own")
    to_door = browser.page("/account/acting").form().filled_in()
    browser.submit("/account/acting", organisation=str(negotiation.country.id("lantern")))
    sent_from = f"{thread}?item=M1"
    headers = {"Origin": "http://localhost", "Referer": f"http://localhost{sent_from}"}
    reply = browser.post(thread, data=form, csrf=False, headers=headers)
    assert reply.status_code == 409
    page = Page.of(reply)
    assert SWITCHED in page.text
    assert WHY in page.text
    assert page.links()["Open the page you were on again"] == sent_from
    elsewhere = {"Origin": "http://localhost", "Referer": "http://elsewhere.example/comments"}
    reply = browser.post(thread, data=form, csrf=False, headers=elsewhere)
    assert "Open the page you were on again" not in Page.of(reply).links()
    assert negotiation.session.scalars(sa.select(Comment)).all() == []
    # From the same earlier pages: for whom they act, and the comment once that is right.
    browser.post("/account/acting", data=to_door, csrf=False)
    assert browser.post(thread, data=form, csrf=False).status_code == 303
    comment = negotiation.session.scalars(sa.select(Comment)).one()
    assert comment.organisation_id == negotiation.country.id("door")
