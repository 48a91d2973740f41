"""Pages for filling in and agreeing on a checklist: what each side sees and does.

In one file: the pages of one checklist, with the same forms read from them.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories import checklists
from tests.factories.cooperations import Country, bring_in
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import (
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
)
from tests.pages import Page
from tracker.access.actor import OrganisationKind, Role
from tracker.checklist_templates.conditions import Truth
from tracker.checklists.models import (
    Answer,
    ChecklistState,
    Flag,
    Position,
    Proposal,
    ProposalState,
    Stance,
)
from tracker.checklists.negotiation import positions
from tracker.checklists.negotiation.text_digest import item_digest, text_digest
from tracker.cooperations import service as cooperations
from tracker.signoff import shown

Statements = Callable[[], AbstractContextManager[list[str]]]


class Users:
    """A negotiation, with a browser for each person who takes part."""

    def __init__(self, app: Flask, negotiation: Negotiation) -> None:
        self.app, self.negotiation = app, negotiation
        self._browsers: dict[str, CheckedClient] = {}

    def browser(self, first: str) -> CheckedClient:
        if first not in self._browsers:
            self._browsers[first] = self.negotiation.country.browser(self.app, first)
        return self._browsers[first]

    @property
    def address(self) -> str:
        return f"/checklists/{self.negotiation.checklist().id}"

    def page(self, first: str, rest: str = "", status: int = 200) -> Page:
        return self.browser(first).page(f"{self.address}{rest}", status)

    def submit(self, first: str, rest: str, **fields: Any) -> Page:
        """Fill in the form of a page and return the next page."""
        return Page.of(self.browser(first).submit(f"{self.address}{rest}", **fields))

    def press(self, first: str, button: str, item: str) -> Page:
        """Press a button of an item on the list, as a person finds it there."""
        page = self.page(first)
        words = f"{button}: Item {item}"
        matching = [form for form in forms(page) if form[2].startswith(words)]
        assert len(matching) == 1, [form[2] for form in forms(page)]
        action, fields, _words = matching[0]
        response = self.browser(first).open(
            action, method="POST", data=fields, csrf=False, follow_redirects=True
        )
        return Page.of(response)


@pytest.fixture
def users(app: Flask, negotiation: Negotiation) -> Users:
    return Users(app, negotiation)


def forms(page: Page) -> list[tuple[str, dict[str, str], str]]:
    """Return each form of the items: where it is sent, with what, and its button's text."""
    rows = []
    for form in page.root.iter("form"):
        fields = {
            field.attrib["name"]: field.attrib.get("value", "")
            for field in form.iter("input")
            if "name" in field.attrib
        }
        words = " ".join("".join(form.itertext()).split())
        rows.append((form.attrib.get("action", ""), fields, words))
    return rows


def item(page: Page, code: str) -> str:
    """Return the whole text of one item."""
    (article,) = [
        element for element in page.root.iter("article") if element.attrib.get("id") == code.lower()
    ]
    return " ".join("".join(article.itertext()).split())


def items(page: Page) -> list[str]:
    return [
        element.attrib["id"].upper()
        for element in page.root.iter("article")
        if "id" in element.attrib
    ]


# An item's links to pages for reading, or to matters of the person's own side.
BESIDE = ("/history", "/comments", "/assign", "/keep-as-model?for=shared")


def acts(page: Page, code: str) -> set[str]:
    """Return the labels of an item's actions, without its code."""
    (article,) = [
        element for element in page.root.iter("article") if element.attrib.get("id") == code.lower()
    ]
    offered = set()
    for node in article.iter():
        address = node.attrib.get("href", "")
        is_link = node.tag == "a" and "/items/" in address and not address.endswith(BESIDE)
        if is_link or node.tag == "button":
            offered.add(" ".join((node.text or "").split()))
    return offered


# The list


def test_the_list_shows_every_item_with_its_state_and_what_can_be_done(users: Users) -> None:
    page = users.page("samira")
    assert page.h1 == "A small checklist"
    assert items(page) == [f"M{n}" for n in range(1, 11)]
    assert "Waiting for us" in item(page, "M1")
    assert acts(page, "M1") == {"Write an answer"}
    assert "Not started" in item(page, "M2")
    assert acts(page, "M2") == set()
    assert "Not known yet whether it applies" in item(page, "M4")
    assert acts(page, "M4") == set()
    assert "Recommended" in item(page, "M6")
    assert acts(page, "M7") == {"Write our own answer"}
    assert acts(page, "M6") == {"Write an answer", "Leave out"}
    assert "Office of the People's Advocate 6" in page.text
    assert "1 item is not counted" in page.text
    empty = users.page("samira", "?filter=flagged")
    assert items(empty) == []
    assert "No item here. Choose another filter" in empty.text
    # An unknown filter is not the list of all items.
    assert not items(users.page("samira", "?filter=nonsense", 404))


def test_an_answer_is_shown_with_its_author_and_each_partys_position(users: Users) -> None:
    users.negotiation.save("ilena", "M1", words="Both sides write.")
    users.negotiation.accept("M1", "samira")
    shown = item(users.page("joana"), "M1")
    assert "Both sides write." in shown
    assert "Version 1, Ilena Dorvath" in shown
    for words in ("Wrote this answer", "Accepts", "Waiting for us"):
        assert words in shown
    assert acts(users.page("joana"), "M1") == {
        "Accept",
        "Suggest a change",
        "Ask to discuss",
        "Flag: limits the NPM's independence",
    }
    # A party that has accepted has nothing more to accept.
    assert "Accept" not in acts(users.page("samira"), "M1")
    # Nobody else may answer it, but the CSO's member may.
    assert "Accept" in acts(users.page("leyla"), "M1")


def test_filters_narrow_the_list(users: Users) -> None:
    users.negotiation.settle("M1")
    checklists.flag_term(
        users.negotiation["samira"], users.negotiation.checklist(), "M1", "A donor decides?"
    )
    users.negotiation.session.commit()
    narrowed = {
        "": [f"M{n}" for n in range(1, 11)],
        "us": ["M7", "M10"],
        "others": ["M2", "M3", "M5", "M7", "M8", "M10"],
        "flagged": ["M1"],
        "open": ["M2", "M3", "M5", "M6", "M7", "M8", "M9", "M10"],
    }
    shown = {chosen: items(users.page("samira", f"?filter={chosen}")) for chosen in narrowed}
    assert shown == narrowed


def test_an_auditor_only_reads_and_the_page_says_so(users: Users) -> None:
    users.negotiation.save("ilena", "M1")
    page = users.page("ada")
    assert "As ilena writes it." in item(page, "M1")
    assert {act for code in items(page) for act in acts(page, code)} == set()
    to_send = [form for form in forms(page) if "csrf_token" in form[1]]
    assert [form for form in to_send if "/checklists/" in form[0]] == []


def test_others_find_no_such_page(users: Users) -> None:
    for first in ("marek", "vesna", "root"):
        users.page(first, status=404)
        users.page(first, "/items/M1/answer", 404)


def test_tables_dates_and_ticks_are_shown_in_the_readers_words(
    app: Flask, session: Session
) -> None:
    template = a_template(
        an_item(
            "M1",
            a_field("start", "date"),
            a_field("sure", "confirm"),
            a_field("days", "number", unit="days"),
            a_table(
                "t",
                a_column("class", "class"),
                a_column("hours", "number", unit="hours"),
                a_column("due", "date"),
                a_column("signed", "confirm", required=False),
            ),
        )
    )
    users = Users(app, set_out(session, template=template))
    row = {"class": "K3", "hours": 7, "due": "2026-03-09", "signed": True}
    users.negotiation.save("ilena", "M1", start="2026-03-02", sure=True, days=5, t=[row])
    shown = item(users.page("samira"), "M1")
    for words in (
        "2 March 2026",
        "Confirmed",
        "5 days",
        "K3 Visit material, nobody identifiable",
        "7 hours",
        "9 March 2026",
        "Yes",
    ):
        assert words in shown
    for raw in ("2026-03-0", "yes"):
        assert raw not in shown


# Answer


def test_an_answer_is_written_and_saved(users: Users) -> None:
    page = users.submit("samira", "/items/M1/answer", words="Both sides write.\r\nAnd read.")
    assert page.h1 == "A small checklist"
    assert "“Item M1” is saved." in page.text
    answer = users.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.values == {"words": "Both sides write.\nAnd read."}
    assert answer.author_name == "Samira Okell"


def test_whoever_writes_an_answer_reads_beside_the_button_who_can_read_it(users: Users) -> None:
    """Somebody took the form for their own side's, until the partners answered."""
    words = "Once it's saved, people of all parties, and auditors, can read it."
    assert words in users.page("ilena", "/items/M1/answer").text
    users.submit("ilena", "/items/M1/answer", words="Both sides write.")
    for reader in ("samira", "ada"):
        assert "Both sides write." in users.page(reader).text, reader


def test_an_unfinished_answer_is_saved_and_marked(app: Flask, session: Session) -> None:
    users = Users(
        app, set_out(session, template=a_template(an_item("M1", a_field(), a_field("more"))))
    )
    page = users.submit("ilena", "/items/M1/answer", words="First.")
    assert "“Item M1” is saved. It isn't complete yet: Fill in: More" in page.text
    assert "Fill in: More" in item(page, "M1")
    assert "Accept" not in acts(users.page("samira"), "M1")


def test_a_party_writes_its_own_answer_and_changes_it(users: Users) -> None:
    users.submit("samira", "/items/M7/answer?for=party", words="We are lawyers.")
    page = users.page("dora")
    assert acts(page, "M7") == {"Change our own answer", "Flag: limits the NPM's independence"}
    users.submit("dora", "/items/M7/answer?for=party", words="We are jurists.")
    shown = item(users.page("ilena"), "M7")
    assert "Open Door Legal Aid" in shown
    assert "We are jurists." in shown
    assert acts(users.page("ilena"), "M7") == {
        "Write our own answer",
        "Flag: limits the NPM's independence",
    }


def test_a_later_save_is_stopped_with_both_values_shown(users: Users) -> None:
    """product.md, 4.6."""
    form = users.page("samira", "/items/M1/answer").form()
    users.submit("dora", "/items/M1/answer", words="What Dora wrote.")
    response = users.browser("samira").post(
        f"{users.address}/items/M1/answer",
        data=form.filled_in(words="What Samira wrote."),
        csrf=False,
    )
    page = Page.of(response)
    assert response.status_code == 200
    assert "What Dora wrote." in page.text
    assert "Dora Lund" in page.text
    assert "What Samira wrote." in page.text
    # The person's text stays in the form; they can choose to save it over the other one.
    again = page.form()
    assert again.filled_in()["words"] == ["What Samira wrote."]
    saved = users.browser("samira").post(
        f"{users.address}/items/M1/answer",
        data=again.filled_in(),
        csrf=False,
        follow_redirects=True,
    )
    assert "“Item M1” is saved." in Page.of(saved).text
    answer = users.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert (answer.version, answer.values) == (2, {"words": "What Samira wrote."})


def test_a_form_sent_twice_does_not_make_two_versions_unseen(users: Users) -> None:
    form = users.page("samira", "/items/M1/answer").form()
    sent = form.filled_in(words="Once.")
    for _ in range(2):
        users.browser("samira").post(f"{users.address}/items/M1/answer", data=sent, csrf=False)
    answer = users.negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    assert answer.version == 1


def test_an_answer_accepted_while_writing_becomes_a_proposal_with_the_words_typed(
    users: Users,
) -> None:
    users.negotiation.save("ilena", "M1")
    form = users.page("ilena", "/items/M1/answer").form()
    users.negotiation.accept("M1", "samira")
    sent = form.filled_in(words="Typed at length.")
    client = users.browser("ilena")
    page = Page.of(client.post(f"{users.address}/items/M1/answer", data=sent, csrf=False))
    assert page.h1 == "Suggest a change to “Item M1”"
    assert "Another party accepted the answer while you were writing" in page.text
    again = page.form()
    assert again.filled_in()["words"] == ["Typed at length."]
    response = client.post(
        again.action, data=again.filled_in(reason="Clearer."), csrf=False, follow_redirects=True
    )
    assert "The other parties can now see your suggestion for “Item M1”." in Page.of(response).text
    assert len(users.negotiation.loaded().proposals) == 1


def test_typed_words_stay_when_the_text_was_sent_meanwhile(users: Users) -> None:
    negotiation, browser = users.negotiation, users.browser("samira")
    places = ["/items/M1/answer", "/items/M6/leave-out"]
    opened = {rest: users.page("samira", rest).form() for rest in places}
    negotiation.save("ilena", "M1")
    places = [f"/items/M1/{rest}" for rest in ("talk", "propose", "flag")]
    opened |= {rest: users.page("samira", rest).form() for rest in places}
    negotiation.checklist().state = ChecklistState.SENT
    negotiation.session.commit()
    for rest, form in opened.items():
        field = "words" if rest.endswith("/answer") else "reason"
        sent = form.filled_in(**{field: "Typed at length."})
        response = browser.post(f"{users.address}{rest}", data=sent, csrf=False)
        assert response.status_code == 403, rest
        page = Page.of(response)
        assert "sent for signature and can't be changed now" in page.text, rest
        assert "Typed at length." in page.html, rest
        users.page("samira", rest, 403)


def test_an_answer_others_accepted_leads_to_a_proposal(users: Users) -> None:
    users.negotiation.settle("M1")
    page = users.page("samira", "/items/M1/answer")
    assert page.h1 == "Suggest a change to “Item M1”"


def test_a_text_that_is_too_long_shows_an_error_and_keeps_the_input(users: Users) -> None:
    for words in ("x" * 5001, "x" * 300_000):
        page = users.submit("samira", "/items/M1/answer", words=words)
        assert page.title.startswith("Problem: ")
        assert "Use at most 5000 characters" in page.text
        assert words in page.html
    assert users.negotiation.loaded().sheet.shared("M1") is None


def test_hostile_words_are_words(users: Users) -> None:
    hostile = [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }}",
        "%(name)s",
        "\u202ex",
    ]
    users.submit("samira", "/items/M1/answer", words="\n".join(hostile))
    page = users.page("ilena")
    page.check()
    shown = item(page, "M1")
    for words in hostile:
        assert words.strip("\u202e") in shown, words
    users.page("ilena", "/items/M1/talk")


def test_an_invalid_option_shows_an_error_beside_its_field(users: Users) -> None:
    form = users.page("ilena", "/items/M2/answer").form()
    for value in ("boat", "", "prison' OR 1=1"):
        response = users.browser("ilena").post(
            f"{users.address}/items/M2/answer",
            data={**form.filled_in(), "kind": value},
            csrf=False,
            follow_redirects=True,
        )
        text = Page.of(response).text
        if value:
            wrong = ("Choose one of the answers offered", "Not a valid choice")
            assert any(words in text for words in wrong), value
        else:
            assert "There's nothing to save yet." in text
        assert users.negotiation.loaded().sheet.shared("M2") is None, value


def test_a_person_who_does_not_take_part_is_not_offered(users: Users) -> None:
    form = users.page("ilena", "/items/M5/answer").form()
    stranger = users.negotiation.country.users["marek"].id
    sent = {**form.filled_in(), "second_reader": str(stranger)}
    response = users.browser("ilena").post(
        f"{users.address}/items/M5/answer", data=sent, csrf=False
    )
    assert Page.of(response).title.startswith("Problem: ")
    assert users.negotiation.loaded().sheet.shared("M5") is None


def test_a_version_that_cannot_be_read_counts_as_an_old_one(users: Users) -> None:
    users.negotiation.save("ilena", "M1")
    form = users.page("ilena", "/items/M1/answer").form()
    for version in ("", "x", "-1", "99999999999999999999"):
        sent = {**form.filled_in(words="Mine."), "base_version": version}
        response = users.browser("ilena").post(
            f"{users.address}/items/M1/answer", data=sent, csrf=False
        )
        assert "As ilena writes it." in Page.of(response).text, version
        answer = users.negotiation.loaded().sheet.shared("M1")
        assert answer is not None
        assert answer.version == 1, version


def test_items_that_are_missing_or_belong_to_others_are_refused(users: Users) -> None:
    users.negotiation.save("ilena", "M2", kind="police")
    statuses = {
        "/items/M99/answer": 404,
        "/items/%2e%2e/answer": 404,
        "/items/M1/answer?for=party": 404,
        "/items/M1/answer?for=person": 404,
        "/items/M1/answer?for=everybody": 404,
        "/items/M2/answer": 403,
        "/items/M3/answer": 403,
        "/items/M4/answer": 403,
        "/items/M1/talk": 403,
        "/items/M1/flag": 403,
        "/items/M1/leave-out": 403,
        "/items/M2/propose": 403,
        "/review": 403,
        "/amend": 403,
        "/sign": 200,
        "/record/1": 404,
        "/decline": 404,
        "/call-back": 404,
        "/proposals/not-an-id/turn-down": 404,
        "/proposals/0f1e2d3c-0000-4000-8000-000000000001/turn-down": 404,
        "/flags/0f1e2d3c-0000-4000-8000-000000000002/explain": 404,
    }
    # client.page names the address whose answer has another status.
    for rest, status in statuses.items():
        users.page("samira", rest, status)


# Leave out


def test_a_recommended_item_is_left_out_with_a_reason(users: Users) -> None:
    page = users.submit("samira", "/items/M6/leave-out", reason="")
    assert page.title.startswith("Problem: ")
    assert users.negotiation.loaded().sheet.shared("M6") is None
    page = users.submit("samira", "/items/M6/leave-out", reason="No money moves.")
    assert "“Item M6” is left out." in page.text
    shown = item(users.page("ilena"), "M6")
    assert "Does not apply" in shown
    assert "No money moves." in shown
    assert "Accept" in acts(users.page("ilena"), "M6")


# Positions


def test_an_answer_is_accepted_by_its_button_unless_it_changed_meanwhile(users: Users) -> None:
    users.negotiation.save("ilena", "M1")
    page = users.page("samira")
    ((action, fields, _words),) = [
        form for form in forms(page) if form[2].startswith("Accept: Item M1")
    ]
    users.negotiation.save("ilena", "M1", seen=1)
    of_joana = next(f for f in forms(users.page("joana")) if f[2].startswith("Accept: Item M1"))[1]
    unknown = "M1: We don't know which text you read."
    for token, words in (
        (fields["page_token"], "M1: The text changed after you opened it"),
        (of_joana["page_token"], unknown),
        ("", unknown),
        ("nonsense", unknown),
    ):
        response = users.browser("samira").post(
            action, data={**fields, "page_token": token}, csrf=False, follow_redirects=True
        )
        assert words in Page.of(response).text
    assert users.negotiation.waiting("M1") == {"door", "lantern"}
    page = users.press("samira", "Accept", "M1")
    assert "You accepted “Item M1” for Open Door Legal Aid." in page.text
    assert users.negotiation.waiting("M1") == {"lantern"}


def test_a_party_asks_to_talk_and_the_others_read_why(users: Users) -> None:
    users.negotiation.save("ilena", "M1")
    page = users.submit("samira", "/items/M1/talk", reason="  ")
    assert page.title.startswith("Problem: ")
    page = users.submit("samira", "/items/M1/talk", reason="Two pages are too few.")
    assert "The others see that you want to discuss “Item M1”." in page.text
    shown = item(users.page("ilena"), "M1")
    assert "Wants to discuss" in shown
    assert "Two pages are too few." in shown


def test_a_wish_or_a_proposal_about_an_answer_that_changed_shows_it_and_keeps_the_words(
    users: Users,
) -> None:
    users.negotiation.save("ilena", "M1")
    talk = users.page("samira", "/items/M1/talk").form().filled_in(reason="Too few.")
    form = users.page("samira", "/items/M1/propose").form()
    propose = form.filled_in(words="Mine.", reason="Ours.")
    users.negotiation.save("ilena", "M1", seen=1, words="Quite other words.")
    for rest, sent, words, typed in (
        ("talk", talk, "The text changed after you opened it", "Too few."),
        ("propose", propose, "Ilena Dorvath saved another value while you were writing.", "Mine."),
    ):
        address = f"{users.address}/items/M1/{rest}"
        page = Page.of(users.browser("samira").post(address, data=sent, csrf=False))
        assert words in page.text
        assert "Quite other words." in page.text
        assert typed in page.html


# Proposals


def propose(users: Users, first: str = "samira", words: str = "Within three days.") -> Page:
    return users.submit(first, "/items/M1/propose", words=words, reason="An early reply serves us.")


def test_a_proposal_is_shown_word_by_word_and_is_a_task_until_it_is_withdrawn(
    users: Users,
) -> None:
    users.negotiation.save("ilena", "M1", words="Within ten days.")
    users.negotiation.accept("M1", "samira", "joana")
    assert "The other parties can now see your suggestion for “Item M1”." in propose(users).text
    page = users.page("ilena")
    assert "Waiting for us" in item(page, "M1")
    assert "Within ten days." in item(page, "M1")
    assert "An early reply serves us." in item(page, "M1")
    assert ["".join(element.itertext()) for element in page.root.iter("del")] == ["[removed: ten]"]
    assert ["".join(element.itertext()) for element in page.root.iter("ins")] == ["[added: three]"]
    assert "Removed words are struck through" in page.text
    assert "Accept the change" in buttons(page)
    assert {"Suggest something else: Item M1", "Decline: Item M1"} <= page.links().keys()
    # It is a task for the people who may answer it.
    assert "M1" in items(users.page("ilena", "?filter=us"))
    assert "M1" not in items(users.page("samira", "?filter=us"))
    assert "M1" in items(users.page("samira", "?filter=others"))
    where = f"{users.address}/proposals/{users.negotiation.loaded().proposals[0].id}/turn-down"
    data = users.browser("ilena").page(where).form().filled_in(reason="Three days are too few.")
    page = users.press("dora", "Withdraw the suggestion", "M1")
    assert "The suggestion is withdrawn." in page.text
    assert users.negotiation.loaded().proposals == ()
    # The reason of whoever was about to decline it is not lost.
    page = Page.of(users.browser("ilena").post(where, data=data, csrf=False))
    assert "This suggestion is no longer open, so nothing was done." in page.text
    assert "Three days are too few." in page.html
    del data["csrf_token"]
    users.browser("marek").page(where, 404)
    assert users.browser("marek").post(where, data=data).status_code == 404


def buttons(page: Page) -> set[str]:
    return {
        " ".join((element.text or "").split())
        for element in page.root.iter()
        if element.tag == "button" or "button" in element.attrib.get("class", "")
    }


def test_a_proposal_that_is_turned_down_leaves_its_reason_and_an_accepted_one_is_the_answer(
    users: Users,
) -> None:
    users.negotiation.settle("M1")
    page = users.submit("samira", "/items/M1/propose", words="Kept words.", reason="")
    assert page.title.startswith("Problem: ")
    assert "Kept words." in page.html
    page = users.submit("samira", "/items/M1/propose", reason="No other words.")
    assert "That's the same wording as before" in page.text
    assert users.negotiation.loaded().proposals == ()
    propose(users)
    proposal = users.negotiation.loaded().proposals[0]
    rest = f"/proposals/{proposal.id}/turn-down"
    assert users.submit("ilena", rest, reason="").title.startswith("Problem: ")
    page = users.submit("ilena", rest, reason="Three days are too few.")
    assert "You declined the suggestion." in page.text
    shown = item(users.page("samira"), "M1")
    assert "declined a change that Open Door Legal Aid suggested" in shown
    assert "Three days are too few." in shown
    assert "Ilena Dorvath" in shown
    propose(users, words="Within four days.")
    page = users.press("ilena", "Accept the change", "M1")
    assert "Change accepted. The other parties need to accept it too." in page.text
    assert "Within four days." in item(page, "M1")
    assert users.negotiation.waiting("M1") == {"lantern"}
    # With the next answer the declined one is only in the history.
    assert "declined a change" not in item(users.page("samira"), "M1")


def test_an_item_the_npm_writes_is_offered_only_to_the_npm(users: Users) -> None:
    negotiation = users.negotiation
    answer = negotiation.save("ilena", "M3")
    positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        "M3",
        {"words": "x"},
        answer_id=answer.id,
        reason="Because.",
    )
    negotiation.session.commit()
    assert "Accept the change" in buttons(users.page("ilena"))
    assert "Accept the change" not in buttons(users.page("joana"))
    proposal = negotiation.loaded().proposals[0]
    for rest in ("accept", "turn-down"):
        response = users.browser("joana").post(
            f"{users.address}/proposals/{proposal.id}/{rest}", data={"reason": "No."}
        )
        assert response.status_code == 403
        assert "The NPM answers this suggestion because" in Page.of(response).text


# Flags and review


def test_a_flag_is_raised_read_and_explained(users: Users) -> None:
    negotiation = users.negotiation
    negotiation.settle("M1")
    loaded = negotiation.loaded()
    # A digest alone doesn't prove what their page showed.
    for seen in ("", item_digest(loaded, loaded.item("M1"))):
        answer = users.browser("samira").post(
            f"{users.address}/items/M1/flag",
            data={"reason": "Does a donor decide?", "seen": seen},
        )
        assert "The answer changed while you were writing." in Page.of(answer).text
    assert users.submit("samira", "/items/M1/flag", reason="").title.startswith("Problem: ")
    assert negotiation.loaded().flags == ()
    page = users.submit("samira", "/items/M1/flag", reason="Does a donor decide?")
    assert "“Item M1” is flagged." in page.text
    flag = negotiation.session.scalars(sa.select(Flag)).one()
    shown = users.page("ilena")
    assert "Does a donor decide?" in item(shown, "M1")
    assert f"{users.address}/flags/{flag.id}/explain" in shown.addresses()
    assert f"{users.address}/flags/{flag.id}/explain" not in users.page("dora").addresses()
    users.page("dora", f"/flags/{flag.id}/explain", 403)
    page = users.submit("ilena", f"/flags/{flag.id}/explain", reason="No donor sees the list.")
    assert "The flag is closed with your explanation." in page.text
    assert "No donor sees the list." in item(users.page("samira"), "M1")


def test_the_second_reader_is_led_to_the_review_and_confirms_the_text_they_read(
    users: Users,
) -> None:
    negotiation = users.negotiation
    to_read(users)
    assert "Read as second reader" in users.page("oren").links()
    assert "Read as second reader" not in users.page("ilena").links()
    users.page("ilena", "/review", 403)
    opened = users.page("oren", "/review").form().filled_in()
    # The text changes while they read.
    change_and_agree(users, "M1", "Never before this was read.")
    answer = users.browser("oren").post(f"{users.address}/review", data=opened, csrf=False)
    page = Page.of(answer)
    assert CHANGED in page.text
    assert "Never before this was read." in item(page, "M1")
    assert negotiation.loaded().review is None
    assert negotiation.events("safeguards_reviewed") == []
    sent = users.browser("oren").post(
        f"{users.address}/review", data=page.form().filled_in(), csrf=False, follow_redirects=True
    )
    assert "You confirmed the review of independence and flexibility." in Page.of(sent).text
    assert negotiation.loaded().review is not None
    assert negotiation.checklist().is_complete
    assert "Send for signature" in users.page("ilena").links()
    again = users.browser("oren").post(f"{users.address}/review", data={})
    assert "The review has already been confirmed" in Page.of(again).text


def test_a_wish_to_discuss_or_a_flag_is_about_the_answer_that_was_on_the_page(
    users: Users,
) -> None:
    to_read(users)
    joana, address = users.browser("joana"), f"{users.address}/items/M1"
    wish = users.page("joana", "/items/M1/talk").form().filled_in(reason="")
    flag = users.page("joana", "/items/M1/flag").form().filled_in(reason="It lets a donor decide.")
    change_and_agree(users, "M1", "The NPM decides alone.")
    # A mistake on the form doesn't make the newest answer count as seen.
    page = Page.of(joana.post(f"{address}/talk", data=wish, csrf=False))
    wish = page.form().filled_in(reason="Which donor?")
    for sent in (wish, {**wish, "answer": ""}):
        page = Page.of(joana.post(f"{address}/talk", data=sent, csrf=False))
        assert page.title.startswith("Problem: ")
        assert "The NPM decides alone." in page.text
        assert "Which donor?" in str(page.form().filled_in()["reason"])
    assert users.negotiation.loaded().standing().is_complete
    # A reason about other words is not put on the new ones.
    page = Page.of(joana.post(f"{address}/flag", data=flag, csrf=False))
    assert "The answer changed while you were writing." in page.text
    assert "The NPM decides alone." in page.text
    assert users.negotiation.loaded().flags == ()
    sent = page.form().filled_in()
    assert "It lets a donor decide." in str(sent["reason"])
    joana.post(f"{address}/flag", data=sent, csrf=False)
    assert [flag.reason for flag in users.negotiation.loaded().flags] == ["It lets a donor decide."]


CHANGED = "The text changed after you opened it, so nothing was done. Read it as it is now."


def to_read(users: Users) -> None:
    """Have all agree on the terms, with Oren named as second reader."""
    negotiation = users.negotiation
    chosen = {"M5": {"second_reader": str(negotiation["oren"].user_id)}}
    checklists.complete_answers(negotiation.loaded(), negotiation.writers, chosen=chosen)
    negotiation.session.commit()


def change_and_agree(users: Users, code: str, words: str) -> None:
    """Have a CSO suggest a change, the NPM accept it, and the third party agree."""
    negotiation = users.negotiation
    answer = negotiation.loaded().sheet.shared(code)
    assert answer is not None
    text = next(key for key, value in answer.values.items() if isinstance(value, str))
    proposal = positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        code,
        {**answer.values, text: words},
        answer_id=answer.answer_id,
        reason="Shorter.",
    )
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal.id)
    negotiation.session.commit()
    negotiation.accept(code, "joana")
    assert negotiation.loaded().standing().is_complete


def test_the_second_reader_sees_every_item_and_flag_before_they_confirm(users: Users) -> None:
    to_read(users)
    review = f"{users.address}/review"
    loaded = users.negotiation.loaded()
    page = users.page("oren", "/review")
    opened = page.form().filled_in()
    for code, status in loaded.standing().items.items():
        assert status.shown is not Truth.TRUE or item(page, code)
    # The page of another person confirms no review.
    of_ilena = shown.token_of(users.negotiation["ilena"], shown.page_with(text_digest(loaded)))
    for token in (of_ilena, "", "nonsense"):
        answer = users.browser("oren").post(review, data={"page_token": token})
        assert "We don't know which text you read." in Page.of(answer).text
    assert users.negotiation.loaded().review is None
    # Nor does a page without a flag that was raised while they read.
    checklists.flag_term(
        users.negotiation["samira"], users.negotiation.checklist(), "M1", "A donor decides?"
    )
    users.negotiation.session.commit()
    answer = users.browser("oren").post(review, data=opened, csrf=False)
    assert CHANGED in Page.of(answer).text
    assert "A donor decides?" in item(Page.of(answer), "M1")
    assert users.negotiation.loaded().review is None


# Changes around it


def test_whoever_left_is_named_in_what_they_wrote_and_missed_where_they_are_named(
    users: Users,
) -> None:
    negotiation = users.negotiation
    negotiation.save("ilena", "M5", second_reader=str(negotiation["oren"].user_id))
    cooperations.end_person(
        negotiation["ilena"],
        negotiation.cooperation,
        user_id=negotiation["oren"].user_id,
        organisation_id=negotiation.country.id("npm"),
    )
    negotiation.session.commit()
    shown = item(users.page("ilena"), "M5")
    assert "Oren Maki" in shown
    assert "names somebody who no longer takes part" in shown


def test_the_page_explains_why_an_item_may_not_be_changed(users: Users) -> None:
    negotiation = users.negotiation
    negotiation.settle("M1")
    negotiation.checklist().open_items = ["M2"]
    negotiation.session.commit()
    page = users.page("ilena")
    assert "Only these items are open: “Item M2”. Everything else stays agreed." in page.text
    assert acts(page, "M1") == set()
    assert "This item stays agreed" in item(page, "M6")
    assert "Choose" in item(page, "M2") or acts(page, "M2") == {"Write an answer"}


# The template


def test_everybody_reads_what_a_checklist_asks_and_each_item_shows_its_passage(
    app: Flask, negotiation: Negotiation
) -> None:
    pages = {
        first: negotiation.country.browser(app, first).page("/checklists/templates/urgent_plan")
        for first in ("samira", "ada", "root", "marek")
    }
    for page in pages.values():
        assert "U18" in page.text
        assert any("/guidance/" in address for address in page.addresses())
    _before, *items = pages["samira"].html.split('<li id="U')
    shown = {item.split('"')[0]: item for item in items}
    for number, key in (("1", "action"), ("6", "consent"), ("8", "duties"), ("16", "follow-up")):
        assert f"/guidance/settling-terms#urgent-{key}" in shown[number]
        assert shown[number].count("/guidance/settling-terms#urgent-") == 1
    browser = negotiation.country.browser(app, "samira")
    for unknown in ("x", "terms.yaml", "..", "TERMS"):
        browser.page(f"/checklists/templates/{unknown}", 404)


# Queries


def test_the_list_sends_as_many_queries_for_many_rows(
    app: Flask, session: Session, statements: Statements
) -> None:
    """Each row with its own person and party: answers, positions, proposals, flags."""
    codes = [f"M{n}" for n in range(1, 13)]
    users = Users(app, set_out(session, template=a_template(*(an_item(code) for code in codes))))
    negotiation = users.negotiation

    def count() -> int:
        session.commit()
        users.page("ilena")
        with statements() as sent:
            users.page("ilena")
        return len(sent)

    fill_rows(negotiation, codes[:1], "samira", "joana")
    few = count()
    crowd(negotiation)
    fill_rows(negotiation, codes[1:], "samira", "joana")
    assert session.scalar(sa.select(sa.func.count()).select_from(Answer)) == 12
    assert (session.scalar(sa.select(sa.func.count()).select_from(Position)) or 0) >= 60
    open_ones = sa.select(sa.func.count(Proposal.id)).where(Proposal.state == ProposalState.OPEN)
    assert session.scalar(open_ones) == 12
    assert count() == few


def crowd(negotiation: Negotiation) -> None:
    """Add more people and parties, so that each row has its own."""
    country: Country = negotiation.country
    for number in range(4):
        key = f"body{number}"
        country.organisation(key, f"Body {number}", OrganisationKind.CSO)
        first = f"Writer{number}"
        country.person(f"{first} Holm", key, Role.COORDINATOR)
        cooperations.join_party(negotiation["ilena"], negotiation.cooperation, country.id(key))
        bring_in(country, negotiation.cooperation, first.lower())


def fill_rows(negotiation: Negotiation, codes: list[str], *partners: str) -> None:
    names = [
        *partners,
        *(f"writer{n}" for n in range(4) if f"writer{n}" in negotiation.country.users),
    ]
    people = [negotiation[first] for first in names]
    for number, code in enumerate(codes):
        saved = negotiation.save("ilena" if number % 2 else "oren", code)
        terms = negotiation.checklist()
        for person in people:
            positions.take_position(
                person, terms, code, Stance.WANTS_TALK, answer_id=saved.id, reason="Let us talk."
            )
        checklists.flag_term(people[number % len(people)], terms, code, "Why?")
        positions.propose(
            people[(number + 1) % len(people)],
            terms,
            code,
            {"words": f"Other words {number}"},
            answer_id=saved.id,
            reason="Shorter.",
        )


def test_saving_an_answer_takes_few_statements(
    users: Users, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    """For the terms, with two CSOs and no visit, beginning with one not answered yet.

    The first version of an answer ends what notifies of it, where a party has accepted all now.
    """
    browser, address = users.browser("ilena"), f"{users.address}/items/M1/answer"
    counts = []
    for words in ("First.", "Second."):
        form = browser.page(address).form()
        with statements() as seen:
            browser.post(form.action or address, data=form.filled_in(words=words), csrf=False)
        counts.append(len(seen))
    assert counts == [26, 25]
