"""Drafts: unsaved text is stored only for its author, never lost, and never an answer.

In one file: one draft, from its first character to its end, in the same browsers.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories.cooperations import signed_in
from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.powers import begun
from tests.factories.templates import a_column, a_field, a_table, a_template, an_item
from tests.factories.visits import JointVisit
from tests.integration.checklists.test_pages import Users
from tests.pages import Page
from tests.starting_points import noon_in
from tracker.access.actor import Role
from tracker.accounts.models import Membership
from tracker.activity.models import Event
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import drafts
from tracker.checklists.drafts import DraftKey, SavedDraft
from tracker.checklists.models import (
    Answer,
    ChecklistState,
    Draft,
    DraftKind,
)
from tracker.checklists.negotiation import positions
from tracker.cooperations import clearances
from tracker.cooperations.models import CooperationKey
from tracker.core import clock
from tracker.core.db import Base
from tracker.core.errors import RuleBrokenError

MARK = "quillfen-typed-mark"
NOON = noon_in(1)
TEXT = {"words": [MARK]}
SHARED, PARTY, LEFT_OUT = DraftKind.SHARED, DraftKind.PARTY, DraftKind.LEFT_OUT
SetTime = Callable[[dt.datetime | None], None]


class Writers(Users):
    """A negotiation with a browser for each person who writes or interrupts."""

    def form(self, first: str, rest: str = "/items/M1/answer", **typed: Any) -> dict[str, Any]:
        """Return the data a page would send with these words typed into its form."""
        return self.page(first, rest).form().filled_in(**typed)

    def post(self, first: str, rest: str, sent: dict[str, Any]) -> TestResponse:
        return self.browser(first).post(f"{self.address}{rest}", data=sent, csrf=False)

    def keep(
        self, first: str, rest: str = "/items/M1/answer", number: int | None = None, **typed: Any
    ) -> TestResponse:
        """Send what is typed on a page, as its script does."""
        sent = self.form(first, rest, **typed)
        if number is not None:
            sent["draft_number"] = [str(number)]
        return self.post(first, f"{rest.rpartition('/')[0]}/draft", sent)

    def whose(self, first: str, item: str = "M1", kind: DraftKind = SHARED) -> DraftKey:
        actor = self.negotiation[first]
        assert actor.organisation_id is not None
        return DraftKey(actor.user_id, actor.organisation_id, item, kind)

    def saved(self, first: str, item: str = "M1", kind: DraftKind = SHARED) -> SavedDraft:
        return drafts.find(self.negotiation.checklist(), self.whose(first, item, kind))

    def typed(self, first: str, item: str = "M1", kind: DraftKind = SHARED) -> Any:
        return self.saved(first, item, kind).typed

    def again(self, first: str) -> None:
        """Sign a person in again, in a new session of the same browser."""
        self._browsers[first] = self.negotiation.country.browser(self.app, first)


@pytest.fixture
def writers(app: Flask, negotiation: Negotiation) -> Writers:
    return Writers(app, negotiation)


def keep(
    writers: Writers, first: str = "samira", number: int = 1, **more: Any
) -> SavedDraft | None:
    """Save a draft with the service function and commit."""
    draft = drafts.keep(
        writers.negotiation.checklist(),
        writers.whose(first, more.get("item", "M1"), more.get("kind", SHARED)),
        more.get("typed", TEXT),
        base_version=more.get("base", 0),
        number=number,
    )
    writers.negotiation.session.commit()
    return draft


# Saved and found again


def test_typed_words_are_kept_and_shown_in_the_form_again(writers: Writers) -> None:
    before = writers.negotiation.session.scalar(sa.select(sa.func.count(Event.id)))
    reply = writers.keep("samira", words=MARK)
    assert reply.status_code == 200
    assert reply.json is not None
    assert reply.json["state"] == "kept"
    assert re.fullmatch(r"Saved as a draft at \d\d:\d\d", reply.json["said"])
    page = writers.page("samira", "/items/M1/answer")
    assert "You have a draft" in page.text
    assert "It is not an answer yet" in page.text
    assert "Discard the draft" in page.text
    assert page.form().filled_in()["words"] == [MARK]
    # It makes no version and no event.
    assert writers.negotiation.session.scalar(sa.select(sa.func.count(Event.id))) == before
    assert writers.negotiation.session.scalar(sa.select(sa.func.count(Answer.id))) == 0
    assert writers.negotiation.standing("M1").waiting_for


def test_nobody_else_ever_sees_it(writers: Writers) -> None:
    writers.keep("samira", words=MARK)
    for first in ("dora", "henrik", "ilena", "joana", "tomas", "ada"):
        browser = writers.browser(first)
        # Other tests check these pages.
        for rest in ("", "?filter=open", "/send"):
            response = browser.get(f"{writers.address}{rest}", read=False)
            assert MARK not in response.get_data(as_text=True), first
        response = browser.get(f"{writers.address}/items/M1/answer", read=False)
        html = response.get_data(as_text=True)
        assert MARK not in html, first
        assert "You have a draft" not in html, first
        response = browser.get("/", read=False, follow_redirects=True)
        assert response.status_code == 200
        assert "You started" not in response.get_data(as_text=True), first
        assert writers.typed(first) is None, first


def test_an_unreadable_value_is_kept_as_it_was_typed(app: Flask, session: Session) -> None:
    template = a_template(
        an_item(
            "M1",
            a_field("start", "date"),
            a_field("days", "number", unit="days"),
            a_field("sure", "confirm"),
            a_field("kind", "choice", options=[{"value": "a", "label": "Apple"}]),
            a_table("t", a_column("what"), a_column("due", "date")),
        )
    )
    writers = Writers(app, set_out(session, template=template))
    sent = writers.form("samira", start="2026-1", days="some", sure="y", kind="a")
    sent |= {"t-0-what": ["First"], "t-0-due": ["soon"], "t-4-what": ["Later"]}
    assert writers.post("samira", "/items/M1/draft", sent).status_code == 200
    form = writers.page("samira", "/items/M1/answer").form().filled_in()
    assert form["start"] == ["2026-1"]
    assert form["days"] == ["some"]
    assert form["sure"] == ["y"]
    assert form["kind"] == ["a"]
    assert (form["t-0-what"], form["t-0-due"]) == (["First"], ["soon"])
    assert form["t-1-what"] == ["Later"]
    # What was later removed from the form isn't there again.
    sent = writers.form("samira")
    del sent["sure"], sent["kind"]
    assert writers.post("samira", "/items/M1/draft", sent).status_code == 200
    form = writers.page("samira", "/items/M1/answer").form().filled_in()
    assert {"sure", "kind"}.isdisjoint(form)


def test_a_partys_own_answer_and_a_reason_to_leave_out_have_drafts_of_their_own(
    writers: Writers,
) -> None:
    assert writers.keep("samira", "/items/M7/answer?for=party", words="Ours").status_code == 200
    assert writers.keep("samira", "/items/M6/leave-out", reason="Not here").status_code == 200
    assert writers.typed("samira", "M7", PARTY) == {"words": ["Ours"]}
    assert writers.typed("samira", "M6", LEFT_OUT) == {"reason": ["Not here"]}
    assert writers.typed("samira", "M6") is None
    shown = writers.page("samira", "/items/M6/leave-out").form().filled_in()
    assert shown["reason"] == ["Not here"]
    writers.submit("samira", "/items/M6/leave-out")
    assert writers.typed("samira", "M6", LEFT_OUT) is None


def test_my_work_says_what_was_begun_and_leads_there(
    writers: Writers, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers.keep("samira", words=MARK)
    writers.keep("samira", "/items/M6/leave-out", reason="Not here")
    page = writers.browser("samira").page("/")
    assert "Draft of" in page.text
    links = page.links()
    assert MARK not in page.html
    rest = "The rest appears as you finish what is here."
    assert rest not in page.text
    # Where there are more, it shows the newest.
    with monkeypatch.context() as patch:
        patch.setattr(drafts, "MANY", 1)
        page = writers.browser("samira").page("/")
    assert rest in page.text
    assert "You started to leave out “Item M6”" in page.text
    assert "You started an answer to “Item M1”" not in page.text
    address = next(
        to for words, to in links.items() if "You started an answer to “Item M1”" in words
    )
    assert writers.browser("samira").page(address).form().filled_in()["words"] == [MARK]
    address = next(
        to for words, to in links.items() if "You started to leave out “Item M6”" in words
    )
    assert writers.browser("samira").page(address).h1 == "Leave out “Item M6”"
    writers.submit("samira", "/items/M1/answer")
    assert "You started an answer" not in writers.browser("samira").page("/").text


# Numbers


def test_a_text_that_comes_late_or_twice_changes_nothing(writers: Writers) -> None:
    assert keep(writers, number=2, typed={"words": ["second"]}) is not None
    assert keep(writers, number=1, typed={"words": ["first"]}) is None
    assert writers.typed("samira") == {"words": ["second"]}
    first = writers.saved("samira")
    assert keep(writers, number=2, typed={"words": ["second"]}) == first
    assert keep(writers, number=2, typed={"words": ["other window"]}) is None
    assert writers.typed("samira") == {"words": ["second"]}


def test_only_a_page_that_has_seen_another_windows_draft_overwrites_it(writers: Writers) -> None:
    old = writers.form("samira", words="From an old window.")
    writers.keep("samira", number=7, words="From a new window.")
    new = writers.form("samira", words="Other.")
    outdated = [
        old,
        # A higher number alone isn't enough, nor one that can't be read.
        {**old, "draft_number": ["9"]},
        *(
            {**old, "draft_number": ["9"], "draft_known": [known]}
            for known in ("", "x", "-1 7x 1e9", "9" * 40, "8")
        ),
        *({**new, "draft_number": [number]} for number in ("", "x", "-3", "1e9", "9" * 40)),
    ]
    for sent in outdated:
        numbers = sent["draft_number"], sent["draft_known"]
        reply = writers.post("samira", "/items/M1/draft", sent)
        assert reply.json == {"state": "behind", "number": 7, "kept": True}, numbers
        assert writers.typed("samira") == {"words": ["From a new window."]}, numbers
    seen = {**old, "draft_number": ["9"], "draft_known": ["0 7"]}
    reply = writers.post("samira", "/items/M1/draft", seen)
    assert reply.json is not None
    assert reply.json["state"] == "kept"
    assert writers.typed("samira") == {"words": ["From an old window."]}


def test_a_page_continues_from_a_draft_whose_response_was_lost(writers: Writers) -> None:
    page = writers.form("samira", words="First.")
    writers.post("samira", "/items/M1/draft", {**page, "draft_number": ["1005"]})
    more = {"words": ["First, and more."], "draft_number": ["2005"], "draft_known": ["0 1005"]}
    writers.post("samira", "/items/M1/draft", {**page, **more})
    assert writers.typed("samira") == {"words": ["First, and more."]}


@pytest.mark.both_databases
def test_a_version_that_no_answer_will_ever_have_is_no_fault_of_the_server(
    writers: Writers,
) -> None:
    sent = {**writers.form("samira", words="Kept."), "draft_base": ["9" * 12]}
    assert writers.post("samira", "/items/M1/draft", sent).json["state"] == "kept"  # type: ignore[index]


def test_a_draft_in_transit_when_the_answer_was_saved_does_not_come_back(writers: Writers) -> None:
    late = writers.form("samira", words="On its way.")
    late["draft_number"] = ["3"]
    writers.submit("samira", "/items/M1/answer", words="Saved.", draft_number="4")
    reply = writers.post("samira", "/items/M1/draft", late)
    assert reply.json == {"state": "behind", "number": 4, "kept": False}
    assert writers.typed("samira") is None
    assert "You have a draft" not in writers.page("samira", "/items/M1/answer").text
    # What is typed on the page that is opened next is saved.
    assert writers.keep("samira", words="More.").json["state"] == "kept"  # type: ignore[index]


@pytest.mark.both_databases
def test_two_windows_that_begin_in_the_same_moment_make_one_draft(writers: Writers) -> None:
    checklist, whose = writers.negotiation.checklist(), writers.whose("samira")
    keep(writers, number=1)
    # As if the other window's row weren't visible yet.
    draft = drafts._new(checklist, whose)
    assert draft.number == 1
    assert writers.negotiation.session.scalar(sa.select(sa.func.count(Draft.id))) == 1


# Saved, discarded, forgotten


def test_saving_erases_only_the_drafts_of_the_person_who_saves(writers: Writers) -> None:
    writers.keep("samira", words="Mine.")
    writers.keep("dora", words="Dora's.")
    writers.submit("samira", "/items/M1/answer")
    assert writers.typed("samira") is None
    assert writers.typed("dora") == {"words": ["Dora's."]}
    answer = writers.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.values == {"words": "Mine."}


def test_saving_or_discarding_leaves_what_was_written_since_in_another_window(
    writers: Writers,
) -> None:
    old = writers.form("samira", words="Saved.")
    writers.keep("samira", words="Written since.")
    response = writers.post("samira", "/items/M1/draft/discard", old)
    page = writers.browser("samira").page(response.location)
    assert "You wrote a newer draft in another window, so it was not discarded." in page.text
    assert writers.typed("samira") == {"words": ["Written since."]}
    assert writers.post("samira", "/items/M1/answer", old).status_code == 303
    assert writers.typed("samira") == {"words": ["Written since."]}
    # It is shown beside what was saved.
    page = writers.page("samira", "/items/M1/answer")
    assert "Samira Okell saved another value while you were writing." in page.text
    assert page.form().filled_in()["words"] == ["Written since."]


def test_a_draft_is_discarded(writers: Writers) -> None:
    writers.negotiation.save("ilena", "M1")
    sent = writers.form("samira", "/items/M1/propose", words=MARK)
    writers.post("samira", "/items/M1/draft", sent)
    sent = writers.form("samira", "/items/M1/propose")
    response = writers.post("samira", "/items/M1/draft/discard", sent)
    assert response.status_code == 303
    page = writers.browser("samira").page(response.location)
    assert "Your draft is discarded." in page.text
    assert MARK not in page.html
    assert writers.typed("samira") is None
    rows = list(writers.negotiation.session.scalars(sa.select(Draft)))
    assert [row.sealed for row in rows] == [None]


def test_a_draft_is_forgotten_after_ninety_days(writers: Writers, frozen_time: SetTime) -> None:
    frozen_time(NOON)
    keep(writers)
    frozen_time(NOON + dt.timedelta(days=89))
    assert drafts.forget_old() == 0
    frozen_time(NOON + dt.timedelta(days=90, minutes=1))
    assert drafts.forget_old() == 1
    writers.negotiation.session.commit()
    assert writers.saved("samira") == SavedDraft()


def test_a_draft_that_is_too_large_is_refused_and_the_last_one_stays(writers: Writers) -> None:
    writers.keep("samira", words="Kept.")
    reply = writers.keep("samira", words="x" * 200_001)
    assert reply.status_code == 413
    assert reply.json == {"state": "refused", "said": "This is too long for a draft."}
    assert writers.typed("samira") == {"words": ["Kept."]}
    with pytest.raises(RuleBrokenError, match="too long for a draft"):
        keep(writers, number=9, typed={f"t-{n}": [""] for n in range(2001)})
    # A long text of another script is kept, though it takes more bytes.
    reply = writers.keep("samira", words="ع" * 150_000)
    assert reply.status_code == 200


def test_a_draft_is_stored_only_encrypted_and_gone_with_the_key_of_its_cooperation(
    writers: Writers,
) -> None:
    writers.keep("samira", words=MARK)
    sealed = writers.negotiation.session.scalars(sa.select(Draft.sealed)).one()
    assert sealed is not None
    assert MARK.encode() not in sealed
    row = writers.negotiation.session.get_one(CooperationKey, writers.negotiation.cooperation.id)
    row.wrapped = None
    writers.negotiation.session.commit()
    assert writers.typed("samira") is None
    assert "You have a draft" not in writers.page("samira", "/items/M1/answer").text


# Without permission


@pytest.mark.both_databases
def test_an_outsider_cannot_save_a_draft(writers: Writers) -> None:
    token = writers.form("samira")["draft_page"]
    for first in ("marek", "vesna", "root"):
        for rest in ("/items/M1/draft", "/items/M1/draft/discard"):
            response = writers.browser(first).post(
                f"{writers.address}{rest}", data={"draft_page": token}
            )
            assert response.status_code == 404, first


def test_a_pages_token_is_valid_only_for_its_item_and_person(writers: Writers) -> None:
    sent = writers.form("samira", words=MARK)
    assert writers.post("samira", "/items/M99/draft", sent).status_code == 404
    assert writers.post("samira", "/items/M3/draft", sent).status_code == 400
    genuine = sent["draft_page"][0]
    # Its first character is exactly the first six bits of what is signed.
    altered = ("W" if genuine[0] != "W" else "X") + genuine[1:]
    for token in ("", "x", altered):
        response = writers.post("samira", "/items/M1/draft", {**sent, "draft_page": [token]})
        assert response.status_code == 400
    other = writers.form("dora", words="Dora's.")
    reply = writers.post("dora", "/items/M1/draft", {**other, "draft_page": sent["draft_page"]})
    assert reply.status_code == 403
    assert reply.json is not None
    assert "somebody else" in reply.json["said"]
    # A person who only reads has none.
    for rest in ("/items/M1/draft", "/items/M1/draft/discard"):
        response = writers.browser("ada").post(f"{writers.address}{rest}", data={"words": "x"})
        assert response.status_code == 403
    assert writers.negotiation.session.scalar(sa.select(sa.func.count(Draft.id))) == 0
    # Nor does anybody discard the draft of another with it.
    writers.post("samira", "/items/M1/draft", sent)
    response = writers.browser("dora").post(
        f"{writers.address}/items/M1/draft/discard", data={"draft_page": sent["draft_page"]}
    )
    assert response.status_code == 403
    assert writers.typed("samira") == TEXT


# Visits


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


def on_visit(joint_visit: JointVisit, app: Flask) -> tuple[CheckedClient, str]:
    """Save a draft of the CSO's expert on the visit's roles; return browser and address."""
    leyla = joint_visit.demonstration.browser(app, "leyla")
    address = f"/checklists/{joint_visit.checklist(ChecklistKind.VISIT_ROLES).id}/items/V8/propose"
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    roles.state = ChecklistState.DRAFTING
    joint_visit.session.commit()
    sent = leyla.page(address).form().filled_in(privacy=MARK)
    reply = leyla.post(address.replace("/propose", "/draft"), data=sent, csrf=False)
    assert reply.status_code == 200
    return leyla, address


def test_a_draft_on_a_visit_is_stored_only_encrypted_and_shown_only_with_a_clearance(
    joint_visit: JointVisit, app: Flask
) -> None:
    leyla, address = on_visit(joint_visit, app)
    assert MARK in leyla.page(address).html
    for table in Base.metadata.sorted_tables:
        for row in joint_visit.session.execute(sa.select(table)).mappings():
            for name, value in row.items():
                raw = value if isinstance(value, bytes) else str(value).encode()
                assert b"quillfen-" not in raw, f"{table.name}.{name}"
    of_the_visit = sa.select(Draft.sealed).where(Draft.item == "V8")
    assert joint_visit.session.scalars(of_the_visit).one() is not None
    page = leyla.page("/").text
    title = joint_visit.cooperation.title
    assert f"You started an answer to “Talking with detained persons”{title}, visit 1" in page
    # Without a clearance, nobody sees even their own draft.
    clearances.close(
        joint_visit.actor("ilena"), joint_visit.clearance("leyla"), reason="Left the team"
    )
    joint_visit.session.commit()
    assert leyla.get(address).status_code == 404
    assert "You started an answer" not in leyla.page("/").text


# Two people at once


def conflict_page(writers: Writers) -> Page:
    """Have Dora save while Samira writes, and return the page that tells Samira."""
    writers.negotiation.save("samira", "M1", words="The head replies within ten days.")
    sent = writers.form("samira", words="The head replies within seven days.")
    writers.submit("dora", "/items/M1/answer", words="The head replies within ten working days.")
    return Page.of(writers.post("samira", "/items/M1/answer", sent))


def test_the_later_one_sees_both_and_how_they_differ_and_may_save_their_own(
    writers: Writers,
) -> None:
    page = conflict_page(writers)
    assert "Dora Lund saved another value while you were writing." in page.text
    marked = {
        tag: " ".join("".join(e.itertext()) for e in page.root.iter(tag)) for tag in ("del", "ins")
    }
    assert "ten working" in marked["del"]
    assert "seven" in marked["ins"]
    for words in ("Save mine over it", "Keep the saved version", "Change mine first"):
        assert words in page.text
    response = writers.post("samira", "/items/M1/answer", page.form().filled_in())
    assert response.status_code == 303
    answer = writers.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.version == 3
    assert answer.values == {"words": "The head replies within seven days."}
    assert writers.typed("samira") is None


def test_keeping_their_answer_leaves_my_words_as_a_draft(writers: Writers) -> None:
    page = conflict_page(writers)
    writers.browser("samira").page(page.links()["Keep the saved version"])
    answer = writers.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.values == {"words": "The head replies within ten working days."}
    assert writers.typed("samira") == {"words": ["The head replies within seven days."]}
    # Opened again, both are shown with the difference, even after its script saved the text.
    reply = writers.post("samira", "/items/M1/draft", page.form().filled_in(draft_number="9"))
    assert reply.json is not None
    assert reply.json["state"] == "kept"
    page = writers.page("samira", "/items/M1/answer")
    assert "You have a draft" in page.text
    assert "Dora Lund saved another value while you were writing." in page.text
    assert page.form().filled_in()["words"] == ["The head replies within seven days."]


def test_a_mistake_on_the_page_that_compares_does_not_end_the_comparing(writers: Writers) -> None:
    page = conflict_page(writers)
    wrong = page.form().filled_in(words="x" * 20_001)
    page = Page.of(writers.post("samira", "/items/M1/answer", wrong))
    assert "There is a problem" in page.text
    writers.post(
        "samira", "/items/M1/draft", page.form().filled_in(words="Seven.", draft_number="9")
    )
    page = writers.page("samira", "/items/M1/answer")
    assert "Dora Lund saved another value while you were writing." in page.text


@pytest.mark.both_databases
def test_the_second_of_two_parties_compares_both_answers_and_proposes_a_change(
    writers: Writers,
) -> None:
    sent = writers.form("samira", words="The head replies within seven days.")
    writers.submit("joana", "/items/M1/answer", words="The head replies within ten days.")
    page = Page.of(writers.post("samira", "/items/M1/answer", sent))
    assert page.h1 == "Suggest a change to “Item M1”"
    assert "Joana Pires saved another value while you were writing." in page.text
    assert {"ins", "del"} <= {element.tag for element in page.root.iter()}
    assert writers.typed("samira") == {"words": ["The head replies within seven days."]}
    form = page.form().filled_in(reason="A week is enough.")
    assert writers.post("samira", "/items/M1/propose", form).status_code == 303
    answer = writers.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.values == {"words": "The head replies within ten days."}
    assert len(writers.negotiation.loaded().proposals) == 1
    assert writers.typed("samira") is None


@pytest.mark.both_databases
def test_the_second_of_two_parties_that_write_the_same_has_nothing_to_propose(
    writers: Writers,
) -> None:
    sent = writers.form("samira", words="The same.")
    writers.submit("joana", "/items/M1/answer", words="The same.")
    assert writers.post("samira", "/items/M1/answer", sent).status_code == 303
    assert writers.typed("samira") is None
    assert not writers.negotiation.loaded().proposals


def test_a_draft_that_an_answer_overtook_is_saved_only_with_both_in_view(writers: Writers) -> None:
    writers.keep("samira", words="Mine.")
    writers.submit("dora", "/items/M1/answer", words="Dora's.")
    page = writers.page("samira", "/items/M1/answer")
    assert "Dora's." in page.text
    assert writers.post("samira", "/items/M1/answer", page.form().filled_in()).status_code == 303
    answer = writers.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert (answer.version, answer.values) == (2, {"words": "Mine."})


def test_the_same_words_twice_are_no_conflict(writers: Writers) -> None:
    sent = writers.form("samira", words="Once.")
    for _again in range(2):
        response = writers.post("samira", "/items/M1/answer", sent)
        assert response.status_code == 303
    answer = writers.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.version == 1
    assert writers.typed("samira") is None


def test_a_proposal_overtaken_by_another_answer_is_kept_and_compared(writers: Writers) -> None:
    writers.negotiation.save("ilena", "M1", words="Ten days.")
    sent = writers.form("samira", "/items/M1/propose", words="Seven days.", reason="Faster.")
    writers.negotiation.save("ilena", "M1", seen=1, words="Twelve days.")
    page = Page.of(writers.post("samira", "/items/M1/propose", sent))
    assert "Ilena Dorvath saved another value while you were writing." in page.text
    assert "Twelve days." in page.text
    assert "Suggest mine anyway" in page.text
    assert writers.typed("samira") == {"words": ["Seven days."], "reason": ["Faster."]}
    response = writers.post("samira", "/items/M1/propose", page.form().filled_in())
    assert response.status_code == 303
    assert len(writers.negotiation.loaded().proposals) == 1
    assert writers.typed("samira") is None


def test_leaving_out_an_item_that_was_answered_meanwhile_is_kept_and_compared(
    writers: Writers,
) -> None:
    sent = writers.form("samira", "/items/M6/leave-out", reason="Not here.")
    writers.negotiation.save("dora", "M6", words="It does apply.")
    page = Page.of(writers.post("samira", "/items/M6/leave-out", sent))
    assert "Dora Lund saved another value while you were writing." in page.text
    assert "It does apply." in page.text
    assert writers.typed("samira", "M6", LEFT_OUT) == {"reason": ["Not here."]}
    response = writers.post("samira", "/items/M6/leave-out", page.form().filled_in())
    assert response.status_code == 303
    answer = writers.negotiation.loaded().sheet.shared("M6")
    assert answer is not None
    assert answer.not_applicable


def test_a_draft_of_an_answer_that_was_accepted_meanwhile_becomes_a_proposal(
    writers: Writers,
) -> None:
    writers.negotiation.save("samira", "M1", words="Ten days.")
    writers.keep("samira", words="Seven days.")
    writers.negotiation.accept("M1", "ilena")
    page = writers.page("samira", "/items/M1/answer?for=shared")
    assert page.h1 == "Suggest a change to “Item M1”"
    assert "You have a draft" in page.text
    assert page.form().filled_in()["words"] == ["Seven days."]
    form = page.form().filled_in(reason="Faster.")
    assert writers.post("samira", "/items/M1/propose", form).status_code == 303
    assert writers.typed("samira") is None


def test_a_draft_survives_sending_the_text_for_signature(writers: Writers) -> None:
    writers.keep("samira", words=MARK)
    writers.negotiation.checklist().state = ChecklistState.SENT
    writers.negotiation.session.commit()
    page = writers.page("samira", "/items/M1/answer", 403)
    assert "sent for signature and can't be changed now" in page.text
    assert page.form().filled_in()["words"] == [MARK]


# The session ended


def test_forms_sent_after_the_session_ended_are_restored_after_signing_in(
    writers: Writers, frozen_time: SetTime
) -> None:
    frozen_time(NOON)
    answer = "/items/M1/answer"
    opened = {
        answer: (writers.form("samira", words=MARK), "M1", SHARED),
        "/items/M7/answer?for=party": (
            writers.form("samira", "/items/M7/answer?for=party", words=MARK),
            "M7",
            PARTY,
        ),
        "/items/M6/leave-out": (
            writers.form("samira", "/items/M6/leave-out", reason=MARK),
            "M6",
            LEFT_OUT,
        ),
    }
    frozen_time(NOON + dt.timedelta(hours=1))
    for rest, (sent, item, kind) in opened.items():
        response = writers.post("samira", rest, sent)
        assert response.status_code == 400
        page = Page.of(response)
        assert page.h1 == "Your session ended before this was sent"
        assert "it's kept as your draft" in page.text
        # Whoever finds the phone reads nothing.
        assert MARK not in page.html
        assert f"next={writers.address}{rest.partition('?')[0]}" in page.links()["Sign in again"]
        assert list(writers.typed("samira", item, kind).values()) == [[MARK]], rest
    assert writers.negotiation.session.scalar(sa.select(sa.func.count(Answer.id))) == 0
    # Somebody else who signs in there gets nothing.
    page = writers.page("dora", answer)
    assert MARK not in page.html
    assert "You have a draft" not in page.text
    writers.again("samira")
    page = writers.page("samira", answer)
    assert "You have a draft" in page.text
    assert page.form().filled_in()["words"] == [MARK]


def test_a_proposal_sent_too_late_is_kept_with_its_reason(
    writers: Writers, frozen_time: SetTime
) -> None:
    writers.negotiation.settle("M1")
    frozen_time(NOON)
    sent = writers.form("samira", "/items/M1/propose", words=MARK, reason="Because.")
    frozen_time(NOON + dt.timedelta(hours=1))
    writers.post("samira", "/items/M1/propose", sent)
    writers.again("samira")
    form = writers.page("samira", "/items/M1/propose").form().filled_in()
    assert (form["words"], form["reason"]) == ([MARK], ["Because."])


def test_a_page_is_kept_from_for_a_day_only(writers: Writers, frozen_time: SetTime) -> None:
    # The moment is taken from the token, which real time signed.
    sent = writers.form("samira", words=MARK)
    stranger = writers.app.test_client()
    assert isinstance(stranger, CheckedClient)
    assert (
        "kept as your draft"
        in Page.of(stranger.post(f"{writers.address}/items/M1/answer", data=sent)).text
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tracker.checklists.routes.drafts.PAGE_LASTS", -1)
        late = {**sent, "words": ["Too late."], "draft_number": ["5"]}
        page = Page.of(stranger.post(f"{writers.address}/items/M1/answer", data=late))
    assert "kept as your draft" not in page.text
    assert writers.typed("samira") == TEXT


def test_a_newer_draft_is_not_overwritten_by_a_page_of_an_ended_session(
    writers: Writers, frozen_time: SetTime
) -> None:
    frozen_time(NOON)
    sent = writers.form("samira", words="From an old window.")
    keep(writers, number=9, typed={"words": ["Newer."]})
    frozen_time(NOON + dt.timedelta(hours=1))
    response = writers.browser("samira").post(
        f"{writers.address}/items/M1/answer",
        data=sent,
        csrf=False,
        headers={"Origin": "http://localhost"},
    )
    page = Page.of(response)
    assert writers.typed("samira") == {"words": ["Newer."]}
    # Then it is shown for copying, as on other pages, without what the page sent besides it.
    assert "From an old window." in page.text
    assert sent["draft_page"][0] not in page.html


def test_without_the_token_of_a_page_a_stranger_keeps_nothing(writers: Writers) -> None:
    stranger = writers.app.test_client()
    for data in ({"words": MARK}, {"words": MARK, "draft_page": "x.y.z"}):
        for rest in ("answer", "propose", "leave-out", "draft"):
            response = stranger.post(f"{writers.address}/items/M1/{rest}", data=data)
            assert response.status_code == 400
    response = stranger.post(f"/checklists/{uuid4()}/items/M1/answer", data={"words": MARK})
    assert response.status_code == 400
    assert writers.negotiation.session.scalar(sa.select(sa.func.count(Draft.id))) == 0


def test_the_script_learns_that_the_session_ended_and_the_words_are_kept(
    writers: Writers, frozen_time: SetTime
) -> None:
    frozen_time(NOON)
    sent = writers.form("samira", words=MARK)
    frozen_time(NOON + dt.timedelta(hours=1))
    reply = writers.post("samira", "/items/M1/draft", sent)
    assert (reply.status_code, reply.json) == (400, {"state": "signed_out", "kept": True})
    assert writers.typed("samira") == TEXT
    # Once the session is forgotten, its token is too.
    more = {"words": ["More."], "draft_number": ["2"], "draft_known": ["0 1"]}
    reply = writers.post("samira", "/items/M1/draft", {**sent, **more})
    assert (reply.status_code, reply.json) == (400, {"state": "signed_out", "kept": True})
    assert writers.typed("samira") == {"words": ["More."]}
    # This doesn't overwrite a text from another window either.
    reply = writers.post("samira", "/items/M1/draft", {**sent, "draft_number": ["9"]})
    assert (reply.status_code, reply.json) == (400, {"state": "signed_out", "kept": False})
    assert writers.typed("samira") == {"words": ["More."]}


# Signed in again meanwhile


def test_a_form_with_the_token_of_an_old_session_comes_back_with_what_was_typed(
    writers: Writers,
) -> None:
    sent = writers.form("samira", words=MARK)
    writers.again("samira")
    # The script gets the token of the new session.
    reply = writers.post("samira", "/items/M1/draft", sent)
    assert reply.status_code == 400
    assert reply.json is not None
    assert reply.json["state"] == "token"
    reply = writers.post("samira", "/items/M1/draft", {**sent, "csrf_token": [reply.json["token"]]})
    assert reply.status_code == 200
    assert writers.typed("samira") == TEXT
    response = writers.post("samira", "/items/M1/answer", sent)
    assert response.status_code == 400
    page = Page.of(response)
    assert "You signed in again after this page was opened" in page.text
    assert page.form().filled_in()["words"] == [MARK]
    assert writers.negotiation.loaded().sheet.shared("M1") is None
    assert writers.post("samira", "/items/M1/answer", page.form().filled_in()).status_code == 303
    answer = writers.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.values == {"words": MARK}


def test_the_other_forms_keep_what_was_typed_too(writers: Writers) -> None:
    writers.negotiation.save("ilena", "M1")
    places = ("/items/M1/propose", "/items/M6/leave-out")
    opened = {rest: writers.form("samira", rest, reason=MARK) for rest in places}
    writers.again("samira")
    for rest, sent in opened.items():
        response = writers.post("samira", rest, sent)
        assert response.status_code == 400, rest
        assert Page.of(response).form().filled_in()["reason"] == [MARK], rest


def test_a_page_left_open_by_a_previous_user_saves_nothing_for_the_new_one(
    writers: Writers,
) -> None:
    sent = writers.form("samira", words=MARK)
    writers._browsers["samira"] = writers.negotiation.country.browser(writers.app, "dora")
    reply = writers.post("samira", "/items/M1/draft", sent)
    assert reply.status_code == 400
    assert reply.json is not None
    assert reply.json["state"] == "refused"
    response = writers.post("samira", "/items/M1/answer", sent)
    assert response.status_code == 400
    page = Page.of(response)
    assert page.h1 == "This page was opened for somebody else"
    assert MARK not in page.html
    assert writers.typed("dora") is None
    assert writers.typed("samira") == TEXT
    assert writers.negotiation.loaded().sheet.shared("M1") is None


def test_nothing_is_saved_for_another_organisation_than_the_page_was_opened_for(
    writers: Writers,
) -> None:
    country = writers.negotiation.country
    country.session.add(
        Membership(
            user_id=country.users["samira"].id,
            organisation_id=country.id("lantern"),
            role=Role.COORDINATOR,
            starts_on=dt.date(2020, 1, 1),
            created_at=clock.now(),
            **begun(Role.COORDINATOR),
        )
    )
    country.session.commit()
    browser = signed_in(writers.app, country.users["samira"])
    browser.submit("/account/acting", organisation=str(country.id("door")))
    address = f"{writers.address}/items/M1/answer"
    sent = browser.page(address).form().filled_in(words="As Open Door.")
    browser.submit("/account/acting", organisation=str(country.id("lantern")))
    response = browser.post(address, data=sent, csrf=False)
    page = Page.of(response)
    assert "You have switched to another organisation" in page.text
    assert writers.negotiation.loaded().sheet.shared("M1") is None
    reply = browser.post(address.replace("answer", "draft"), data=sent, csrf=False)
    assert reply.status_code == 403
    response = browser.post(address, data=page.form().filled_in(), csrf=False)
    assert response.status_code == 303
    answer = writers.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.organisation_id == country.id("lantern")


def test_a_draft_stays_with_the_organisation_it_was_written_for(writers: Writers) -> None:
    keep(writers)
    other = DraftKey(
        writers.negotiation["samira"].user_id,
        writers.negotiation.country.id("lantern"),
        "M1",
        DraftKind.SHARED,
    )
    assert drafts.find(writers.negotiation.checklist(), other) == SavedDraft()


def test_a_proposal_in_reply_keeps_its_words_too(writers: Writers) -> None:
    answer = writers.negotiation.settle("M1")
    proposal = positions.propose(
        writers.negotiation["samira"],
        writers.negotiation.checklist(),
        "M1",
        {"words": "Theirs."},
        answer_id=answer.id,
        reason="So.",
    )
    writers.negotiation.session.commit()
    rest = f"/items/M1/propose?replies_to={proposal.id}"
    sent = writers.form("ilena", rest, words=MARK)
    writers.post("ilena", "/items/M1/draft", sent)
    assert writers.page("ilena", rest).form().filled_in()["words"] == [MARK]
