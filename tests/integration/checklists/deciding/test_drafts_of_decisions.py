"""What a person types on the page with what is left to decide is kept as their draft (4.7)."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.factories.negotiations import set_out
from tests.factories.templates import a_field, a_template, an_item
from tests.integration.checklists.test_pages import Users
from tests.pages import Page
from tracker.activity.models import Event
from tracker.checklists import drafts
from tracker.checklists.drafts import LEFT_TO_DECIDE, DraftKey, DraftValues
from tracker.checklists.models import Draft, DraftKind

DECIDE, DRAFT = "/decide", f"/items/{LEFT_TO_DECIDE}/draft"
MARK = "quillfen-typed-mark"


class Writers(Users):
    """A negotiation with two items to decide, and a browser for each person."""

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
        actor = self.negotiation[first]
        assert actor.organisation_id is not None
        whose = DraftKey(actor.user_id, actor.organisation_id, LEFT_TO_DECIDE, DraftKind.SHARED)
        self.negotiation.session.expire_all()
        return drafts.find(self.negotiation.checklist(), whose).typed

    def again(self, first: str) -> None:
        """Sign a person in again, in a new session."""
        self._browsers[first] = self.negotiation.country.browser(self.app, first)


@pytest.fixture
def writers(app: Flask, session: Session) -> Writers:
    template = a_template(
        an_item("M1", a_field("words"), a_field("begins", "date")), an_item("M2", a_field("words"))
    )
    negotiation = set_out(session, template=template)
    negotiation.save(
        "ilena", "M1", words="[to decide: how long]", begins="[to decide: the first day]"
    )
    negotiation.save("ilena", "M2", words="Weekly, or [to decide: how often]")
    return Writers(app, negotiation)


def test_typed_words_are_kept_and_in_the_form_again(writers: Writers) -> None:
    events = writers.negotiation.session.scalar(sa.select(sa.func.count(Event.id)))
    reply = writers.keep("ilena", M1_words=MARK, M1_begins="2031-1")
    assert reply.json is not None
    assert reply.json["state"] == "kept"
    page = writers.page("ilena", DECIDE)
    assert "You have a draft" in page.text
    assert "Changed since then" not in page.text
    filled_in = page.form().filled_in()
    assert filled_in["M1-words"] == [MARK]
    assert filled_in["M1-begins"] == ["2031-1"]
    assert filled_in["M2-words"] == ["Weekly, or [to decide: how often]"]
    assert writers.negotiation.session.scalar(sa.select(sa.func.count(Event.id))) == events


@pytest.mark.parametrize("first", ["oren", "samira", "ada"])
def test_nobody_else_sees_it(writers: Writers, first: str) -> None:
    writers.keep("ilena", M1_words=MARK)
    html = writers.browser(first).get(f"{writers.address}{DECIDE}").get_data(as_text=True)
    assert MARK not in html
    assert "You have a draft" not in html


def test_my_work_leads_back_to_it(writers: Writers) -> None:
    writers.keep("ilena", M1_words=MARK)
    links = writers.browser("ilena").page("/").links()
    [address] = [to for words, to in links.items() if "fill in what is left to decide" in words]
    assert writers.browser("ilena").page(address).form().filled_in()["M1-words"] == [MARK]


def test_saving_ends_the_draft_and_so_does_discarding_it(writers: Writers) -> None:
    writers.keep("ilena", M1_words=MARK)
    page = Page.of(writers.post("ilena", DECIDE, writers.form("ilena")))
    assert "Saved: “Item M1”." in page.text
    assert "You have a draft" not in page.text
    assert writers.typed("ilena") is None
    writers.keep("ilena", M2_words=MARK)
    page = Page.of(writers.post("ilena", f"{DRAFT}/discard", writers.form("ilena")))
    assert page.h1 == "What is left to decide"
    assert "Your draft is discarded." in page.text
    assert MARK not in page.html
    assert writers.typed("ilena") is None


def test_a_draft_of_an_older_version_says_what_changed(writers: Writers) -> None:
    writers.keep("ilena", M1_words=MARK, M2_words="Twice a year")
    writers.negotiation.save("oren", "M2", seen=1, words="Monthly, or [to decide: how often]")
    page = writers.page("ilena", DECIDE)
    assert "Changed since then: “Item M2”." in page.text
    assert page.form().filled_in()["M2-words"] == ["Twice a year"]
    page = Page.of(writers.post("ilena", DECIDE, page.form().filled_in()))
    assert "Saved: “Item M1”, “Item M2”." in page.text


def test_a_draft_for_a_place_that_was_decided_since_is_shown_and_can_be_discarded(
    writers: Writers,
) -> None:
    writers.keep("ilena", M1_words=MARK)
    writers.negotiation.save("oren", "M1", seen=1, words="A year", begins="2031-02-01")
    page = writers.page("ilena", DECIDE)
    assert MARK in page.text
    assert "M1-words" not in page.form().values
    writers.negotiation.save("oren", "M2", seen=1, words="Monthly")
    page = writers.page("ilena", DECIDE)
    assert "Nothing is left to decide" in page.text
    assert MARK in page.text
    assert "Discard the draft" in page.text


def test_what_conflicts_with_another_save_is_kept_without_a_script(writers: Writers) -> None:
    sent = writers.form("ilena", M1_words=MARK)
    writers.negotiation.save(
        "oren", "M1", seen=1, words="[to decide: until when]", begins="2031-02-01"
    )
    page = Page.of(writers.post("ilena", DECIDE, sent))
    assert "nothing is saved yet" in page.text
    assert MARK in str(writers.typed("ilena"))


def test_what_is_sent_after_the_session_ended_is_kept(writers: Writers) -> None:
    sent = writers.form("ilena", M1_words=MARK)
    writers.browser("ilena").get("/sign-out")
    writers.app.test_client().post(f"{writers.address}{DECIDE}", data=sent)
    assert MARK in str(writers.typed("ilena"))
    writers.again("ilena")
    assert writers.page("ilena", DECIDE).form().filled_in()["M1-words"] == [MARK]
    page = Page.of(writers.post("ilena", DECIDE, sent))
    assert MARK in page.html


def test_a_newer_text_of_another_window_is_not_overwritten(writers: Writers) -> None:
    old = writers.form("ilena", M1_words="Old.")
    writers.keep("ilena", M1_words="Written since.")
    reply = writers.post("ilena", DRAFT, old)
    assert reply.json is not None
    assert reply.json["state"] == "behind"
    assert "Written since." in str(writers.typed("ilena"))


def test_who_may_not_fill_in_places_keeps_no_draft(writers: Writers) -> None:
    token = writers.form("ilena")["draft_page"]
    statuses = {"vesna": 404, "root": 404, "ada": 403, "oren": 403}
    for first, status in statuses.items():
        for rest in (DRAFT, f"{DRAFT}/discard"):
            sent = {"draft_page": token, "M1-words": [MARK]}
            response = writers.browser(first).post(f"{writers.address}{rest}", data=sent)
            assert response.status_code == status, first
    assert writers.negotiation.session.scalar(sa.select(sa.func.count(Draft.id))) == 0


def test_what_was_decided_in_another_tab_leaves_what_was_typed_to_be_read_in_words(
    writers: Writers,
) -> None:
    forms = [
        writers.form("ilena", M1_words=MARK, M1_begins=day) for day in ("2031-02-01", "2031-01-01")
    ]
    writers.post("ilena", DECIDE, writers.form("ilena", M1_words="A year", M1_begins="2031-01-01"))
    other, same = (Page.of(writers.post("ilena", DECIDE, form)) for form in forms)
    for page in (other, same):
        assert "What you typed for places that aren't open any more:" in page.text
        assert f"Item M1, Words: {MARK}" in page.text
    assert "Item M1, Begins: 1 February 2031" in other.text
    # What both typed is saved: nothing of it is lost.
    assert "Begins:" not in same.text
