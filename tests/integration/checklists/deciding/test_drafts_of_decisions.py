"""What a person types on the page with what is left to decide is kept as their draft (4.7)."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.factories.tables import set_out
from tests.factories.templates import a_field, a_template, an_item
from tests.integration.checklists.test_pages import Room
from tests.pages import Page
from tracker.activity.models import Event
from tracker.checklists import drafts
from tracker.checklists.drafts import LEFT_TO_DECIDE, DraftKey, DraftValues
from tracker.checklists.models import Draft, DraftKind

DECIDE, DRAFT = "/decide", f"/items/{LEFT_TO_DECIDE}/draft"
MARK = "quillfen-typed-mark"


class Desk(Room):
    """The table with two items to decide, and a browser for each person."""

    def form(self, first: str, **typed: str) -> dict[str, Any]:
        """Return what the page would send with these words; an underscore for each hyphen."""
        form = self.page(first, DECIDE).form()
        names = {name.replace("-", "_"): name for name in form.values}
        return {**form.filled_in(), **{names[key]: [text] for key, text in typed.items()}}

    def post(self, first: str, rest: str, sent: dict[str, Any]) -> TestResponse:
        return self.browser(first).post(
            f"{self.address}{rest}", data=sent, csrf=False, follow_redirects=True
        )

    def keep(self, first: str, **typed: str) -> TestResponse:
        """Send what is typed as the script of the page does."""
        return self.post(first, DRAFT, self.form(first, **typed))

    def typed(self, first: str) -> DraftValues | None:
        actor = self.table[first]
        assert actor.organisation_id is not None
        whose = DraftKey(actor.user_id, actor.organisation_id, LEFT_TO_DECIDE, DraftKind.SHARED)
        self.table.session.expire_all()
        return drafts.find(self.table.checklist(), whose).typed

    def again(self, first: str) -> None:
        """Sign a person in again, in a new session."""
        self._browsers[first] = self.table.land.browser(self.app, first)


@pytest.fixture
def desk(app: Flask, session: Session) -> Desk:
    template = a_template(
        an_item("M1", a_field("words"), a_field("begins", "date")), an_item("M2", a_field("words"))
    )
    table = set_out(session, template=template)
    table.save("ilena", "M1", words="[to decide: how long]", begins="[to decide: the first day]")
    table.save("ilena", "M2", words="Weekly, or [to decide: how often]")
    return Desk(app, table)


def test_typed_words_are_kept_and_in_the_form_again(desk: Desk) -> None:
    events = desk.table.session.scalar(sa.select(sa.func.count(Event.id)))
    reply = desk.keep("ilena", M1_words=MARK, M1_begins="2031-1")
    assert reply.json is not None
    assert reply.json["state"] == "kept"
    page = desk.page("ilena", DECIDE)
    assert "You have a draft" in page.text
    assert "Changed since then" not in page.text
    filled_in = page.form().filled_in()
    assert filled_in["M1-words"] == [MARK]
    assert filled_in["M1-begins"] == ["2031-1"]
    assert filled_in["M2-words"] == ["Weekly, or [to decide: how often]"]
    assert desk.table.session.scalar(sa.select(sa.func.count(Event.id))) == events


@pytest.mark.parametrize("first", ["oren", "samira", "ada"])
def test_nobody_else_sees_it(desk: Desk, first: str) -> None:
    desk.keep("ilena", M1_words=MARK)
    html = desk.browser(first).get(f"{desk.address}{DECIDE}").get_data(as_text=True)
    assert MARK not in html
    assert "You have a draft" not in html


def test_my_work_leads_back_to_it(desk: Desk) -> None:
    desk.keep("ilena", M1_words=MARK)
    links = desk.browser("ilena").page("/").links()
    [address] = [to for words, to in links.items() if "fill in what is left to decide" in words]
    assert desk.browser("ilena").page(address).form().filled_in()["M1-words"] == [MARK]


def test_saving_ends_the_draft_and_so_does_discarding_it(desk: Desk) -> None:
    desk.keep("ilena", M1_words=MARK)
    page = Page.of(desk.post("ilena", DECIDE, desk.form("ilena")))
    assert "Saved: “Item M1”." in page.text
    assert "You have a draft" not in page.text
    assert desk.typed("ilena") is None
    desk.keep("ilena", M2_words=MARK)
    page = Page.of(desk.post("ilena", f"{DRAFT}/discard", desk.form("ilena")))
    assert page.h1 == "What is left to decide"
    assert "Your draft is discarded." in page.text
    assert MARK not in page.html
    assert desk.typed("ilena") is None


def test_a_draft_of_an_older_version_says_what_changed(desk: Desk) -> None:
    desk.keep("ilena", M1_words=MARK, M2_words="Twice a year")
    desk.table.save("oren", "M2", seen=1, words="Monthly, or [to decide: how often]")
    page = desk.page("ilena", DECIDE)
    assert "Changed since then: “Item M2”." in page.text
    assert page.form().filled_in()["M2-words"] == ["Twice a year"]
    page = Page.of(desk.post("ilena", DECIDE, page.form().filled_in()))
    assert "Saved: “Item M1”, “Item M2”." in page.text


def test_a_draft_for_a_place_that_was_decided_since_is_shown_and_can_be_discarded(
    desk: Desk,
) -> None:
    desk.keep("ilena", M1_words=MARK)
    desk.table.save("oren", "M1", seen=1, words="A year", begins="2031-02-01")
    page = desk.page("ilena", DECIDE)
    assert MARK in page.text
    assert "M1-words" not in page.form().values
    desk.table.save("oren", "M2", seen=1, words="Monthly")
    page = desk.page("ilena", DECIDE)
    assert "Nothing is left to decide" in page.text
    assert MARK in page.text
    assert "Discard the draft" in page.text


def test_what_conflicts_with_another_save_is_kept_without_a_script(desk: Desk) -> None:
    sent = desk.form("ilena", M1_words=MARK)
    desk.table.save("oren", "M1", seen=1, words="[to decide: until when]", begins="2031-02-01")
    page = Page.of(desk.post("ilena", DECIDE, sent))
    assert "nothing is saved yet" in page.text
    assert MARK in str(desk.typed("ilena"))


def test_what_is_sent_after_the_session_ended_is_kept(desk: Desk) -> None:
    sent = desk.form("ilena", M1_words=MARK)
    desk.browser("ilena").get("/sign-out")
    desk.app.test_client().post(f"{desk.address}{DECIDE}", data=sent)
    assert MARK in str(desk.typed("ilena"))
    desk.again("ilena")
    assert desk.page("ilena", DECIDE).form().filled_in()["M1-words"] == [MARK]
    page = Page.of(desk.post("ilena", DECIDE, sent))
    assert MARK in page.html


def test_a_newer_text_of_another_window_is_not_overwritten(desk: Desk) -> None:
    old = desk.form("ilena", M1_words="Old.")
    desk.keep("ilena", M1_words="Written since.")
    reply = desk.post("ilena", DRAFT, old)
    assert reply.json is not None
    assert reply.json["state"] == "behind"
    assert "Written since." in str(desk.typed("ilena"))


def test_who_may_not_fill_in_places_keeps_no_draft(desk: Desk) -> None:
    token = desk.form("ilena")["draft_page"]
    statuses = {"vesna": 404, "root": 404, "ada": 403, "oren": 403}
    for first, status in statuses.items():
        for rest in (DRAFT, f"{DRAFT}/discard"):
            sent = {"draft_page": token, "M1-words": [MARK]}
            response = desk.browser(first).post(f"{desk.address}{rest}", data=sent)
            assert response.status_code == status, first
    assert desk.table.session.scalar(sa.select(sa.func.count(Draft.id))) == 0
