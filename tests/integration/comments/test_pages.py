"""The pages of comments: the thread, writing, choosing an audience, actions on a comment.

In one file: the pages of one thread, each tested from the same sides.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import uuid4
from xml.etree.ElementTree import Element

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.comments import ALL, OWN, comment
from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import a_template, an_item
from tests.factories.visits import JointVisit
from tests.integration.comments.conftest import Talk
from tests.pages import Form, Page
from tests.starting_points import noon_in
from tracker.activity.models import ReadLogEntry
from tracker.checklist_templates.models import ChecklistKind
from tracker.comments import service
from tracker.comments.models import Comment, CommentAudience, CommentMention
from tracker.core import clock
from tracker.ui.paging import SIZE

Statements = Callable[[], AbstractContextManager[list[str]]]
Time = Callable[[dt.datetime], None]
NOON = noon_in(100)
AGREED = "Thirty days it is."


def writing(page: Page) -> Form:
    """Return the form for another comment, which is sent to the page itself."""
    (form,) = [form for form in all_forms(page) if not form.action and "text" in form.names]
    return form


def all_forms(page: Page) -> list[Form]:
    return [Form(element) for element in page.root.iter("form")]


def submit(talk: Talk, first: str, item: str | None = "M1", **fields: object) -> Page:
    """Fill in the form of a thread and return the next page."""
    browser, address = talk.browser(first), talk.thread(item)
    form = writing(browser.page(address))
    sent = browser.open(
        address,
        method="POST",
        data=form.filled_in(**fields),
        csrf=False,
        follow_redirects=True,
    )
    return Page.of(sent)


def press(talk: Talk, first: str, written: Comment, act: str) -> Page:
    """Press a button of a comment in its thread."""
    browser, address = talk.browser(first), f"/comments/{written.id}/{act}"
    form = browser.page(talk.thread(written.item)).form(address)
    sent = browser.open(
        address, method="POST", data=form.filled_in(), csrf=False, follow_redirects=True
    )
    return Page.of(sent)


def text_of(page: Page, written: Comment) -> str:
    """Return all the text of one comment."""
    (line,) = [
        element for element in page.root.iter("li") if element.attrib.get("id") == f"c-{written.id}"
    ]
    return " ".join("".join(line.itertext()).split())


def offered(page: Page, written: Comment) -> set[str]:
    """Return what can be done with a comment: the last parts of the URLs."""
    start = f"/comments/{written.id}/"
    addresses = [*page.addresses(), *(form.action for form in all_forms(page))]
    return {address.removeprefix(start) for address in addresses if address.startswith(start)}


def lines(page: Page) -> list[str]:
    return [element.attrib["id"] for element in page.root.iter("li") if "id" in element.attrib]


# Writing


def test_a_new_comment_appears_in_its_thread(talk: Talk) -> None:
    page = submit(talk, "samira", text="Thirty days\nare long.", audience="all")
    assert page.h1 == "Comments on “Item M1”"
    written = talk.session.scalars(sa.select(Comment)).one()
    assert (written.item, written.audience) == ("M1", ALL)
    assert "Samira Okell, Open Door Legal Aid" in text_of(page, written)
    assert "to all parties Thirty days are long." in text_of(page, written)
    assert text_of(talk.page("ilena", talk.thread()), written)


def test_comments_on_the_whole_checklist_have_their_own_thread(talk: Talk) -> None:
    page = submit(talk, "samira", None, text="About all of it.", audience="own")
    assert page.h1 == "Comments on the checklist"
    written = talk.session.scalars(sa.select(Comment)).one()
    assert (written.item, written.audience) == (None, OWN)
    assert "our side only About all of it." in text_of(page, written)
    assert "Nobody has commented yet." in talk.page("samira", talk.thread()).text


def test_no_audience_is_preselected_unless_ones_last_comment_was_to_ones_own_side(
    talk: Talk,
) -> None:
    def chosen(first: str, item: str | None = "M1") -> list[str] | None:
        return writing(talk.page(first, talk.thread(item))).values.get("audience")

    assert chosen("samira") is None
    talk.write("samira", audience=ALL)
    assert chosen("samira") is None
    talk.write("samira", audience=OWN)
    assert chosen("samira") == ["own"]
    assert chosen("samira", "M2") is chosen("samira", None) is None
    assert chosen("dora") is None
    talk.write("samira", audience=ALL)
    assert chosen("samira") is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "Kept words"}, "Choose who may read your comment"),
        ({"text": "", "audience": "all"}, "Your comment: Enter an answer"),
        ({"text": "Kept words" * 401, "audience": "all"}, "4000"),
        ({"text": "Kept words", "audience": "everybody"}, "Choose one of the answers offered"),
    ],
)
def test_missing_input_is_reported_and_nothing_typed_is_lost(
    talk: Talk, fields: dict[str, str], words: str
) -> None:
    page = submit(talk, "samira", **fields)
    assert page.title.startswith("Problem: ")
    assert words in page.text
    assert writing(page).values["text"] == [fields["text"]]
    assert talk.session.scalar(sa.select(sa.func.count()).select_from(Comment)) == 0


def test_only_people_who_can_read_it_can_be_chosen(talk: Talk) -> None:
    page = talk.page("samira", talk.thread())
    assert "Dora Lund, Open Door Legal Aid" in page.text
    assert "Ilena Dorvath, Office of the People's Advocate" in page.text
    for name in ("Samira Okell, Open Door", "Marek Tull", "Ada Quist", "Vesna Hale"):
        assert name not in page.text
    refused = submit(
        talk,
        "samira",
        text="Kept words",
        audience="own",
        mentions=[str(talk.id("dora")), str(talk.id("ilena"))],
    )
    assert "Somebody you mention can't read this comment." in refused.text
    form = writing(refused)
    assert form.values["text"] == ["Kept words"]
    assert set(form.values["mentions"]) == {str(talk.id("dora")), str(talk.id("ilena"))}
    taken = submit(talk, "samira", text="Yes", audience="own", mentions=[str(talk.id("dora"))])
    assert "Mentioned: Dora Lund" in taken.text
    nobody = submit(talk, "samira", text="Yes", audience="all", mentions=[str(uuid4())])
    assert nobody.title.startswith("Problem: ")


def test_the_form_says_who_all_parties_are(talk: Talk) -> None:
    page = talk.page("samira", talk.thread())
    names = "Office of the People's Advocate, Open Door Legal Aid, Lantern Health Network"
    assert names in page.text
    assert "People who act for Open Door Legal Aid" in page.text


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "{{ 7*7 }}", "نص بالعربية"])
def test_hostile_and_foreign_words_are_words(talk: Talk, words: str) -> None:
    page = submit(talk, "samira", text=words, audience="all")
    assert words in page.text
    assert words in talk.page("ilena", f"/checklists/{talk.terms.id}").text


# The thread


def test_a_thread_is_narrowed_to_what_is_open_or_settled(talk: Talk) -> None:
    open_, settled, gone = (talk.write("samira") for _ in range(3))
    service.settle(talk["ilena"], settled.id, AGREED)
    service.withdraw(talk["samira"], gone.id)
    hidden = talk.write("joana", audience=OWN)
    service.settle(talk["joana"], hidden.id, AGREED)
    talk.session.commit()
    shown_by_filter = {
        state: lines(talk.page("ilena", f"{talk.thread()}?state={state}"))
        for state in ("", "open", "settled")
    }
    every = [f"c-{written.id}" for written in (open_, settled, gone)]
    assert shown_by_filter == {
        "": every,
        "open": every[:1],
        "settled": every[1:2],
    }
    assert not lines(talk.page("ilena", f"{talk.thread()}?state=strange", 404))
    text = talk.page("ilena", talk.thread()).text
    assert "All comments 3 Open 1 Settled 1" in text
    none = talk.page("ilena", f"{talk.thread('M2')}?state=settled").text
    assert "Nobody has commented yet." in none
    service.reopen(talk["ilena"], settled.id)
    talk.session.commit()
    none = talk.page("ilena", f"{talk.thread()}?state=settled").text
    assert "No comment here. Choose another filter" in none


def test_a_long_thread_has_pages_and_each_comment_is_found_on_its_own(
    talk: Talk, frozen_time: Time
) -> None:
    written = []
    for number in range(SIZE + 2):
        frozen_time(NOON + dt.timedelta(minutes=number))
        written.append(talk.write("samira", text=f"Number {number}."))
        talk.write("joana", audience=OWN, text="Between us")
    first = talk.page("ilena", talk.thread())
    assert lines(first) == [f"c-{comment.id}" for comment in written[:SIZE]]
    assert f"1 to {SIZE} of {SIZE + 2}" in first.text
    assert lines(talk.page("ilena", f"{talk.thread()}?page=2")) == [
        f"c-{comment.id}" for comment in written[SIZE:]
    ]
    last = talk.browser("ilena").get(f"/comments/{written[-1].id}")
    assert last.status_code == 303
    assert last.location == f"{talk.thread()}?page=2#c-{written[-1].id}"
    at_first = talk.browser("ilena").get(f"/comments/{written[0].id}")
    assert at_first.location == f"{talk.thread()}#c-{written[0].id}"


def test_each_is_offered_what_they_may_do(talk: Talk) -> None:
    written = talk.write("samira", mentions=[talk.id("oren")])
    assert offered(talk.page("samira", talk.thread()), written) == {
        "settle",
        "task",
        "edit",
        "withdraw",
    }
    assert offered(talk.page("oren", talk.thread()), written) == {"seen", "settle", "task"}
    assert offered(talk.page("joana", talk.thread()), written) == {"settle", "task"}
    service.settle(talk["joana"], written.id, AGREED)
    service.make_task(talk["joana"], written.id, talk.id("oren"), clock.today())
    talk.session.commit()
    assert offered(talk.page("oren", talk.thread()), written) == {"seen", "reopen", "task/done"}
    assert offered(talk.page("leyla", talk.thread()), written) == {"reopen"}


def test_a_comment_is_settled_opened_again_and_seen_by_buttons(talk: Talk) -> None:
    written = talk.write("samira", mentions=[talk.id("oren")])
    browser, address = talk.browser("ilena"), f"/comments/{written.id}/settle"
    assert "Let us talk about this." in browser.page(address).text
    settled = Page.of(browser.submit(address, outcome=AGREED))
    assert f"Settled: {AGREED}" in text_of(settled, written)
    assert "Settled Ilena Dorvath" in text_of(settled, written)
    assert "Settled" not in text_of(press(talk, "oren", written, "reopen"), written)
    assert "Read a comment that mentions you" in talk.page("oren", "/").text
    page = press(talk, "oren", written, "seen")
    assert "seen" not in offered(page, written)
    assert "Read a comment that mentions you" not in talk.page("oren", "/").text


def test_somebody_elses_action_in_the_meantime_is_reported(talk: Talk) -> None:
    written = talk.write("samira")
    service.settle(talk["ilena"], written.id, AGREED)
    talk.session.commit()
    browser, address = talk.browser("oren"), f"/comments/{written.id}/settle"
    response = browser.post(address, data={"outcome": "Twenty days."})
    assert "This comment has already been settled." in Page.of(response).text
    assert response.status_code == 403
    assert Page.of(response).form().values["outcome"] == ["Twenty days."]
    assert "This comment has already been settled." in browser.page(address, 403).text


def test_nobody_settles_a_comment_with_an_empty_form(talk: Talk) -> None:
    written = talk.write("samira")
    page = Page.of(talk.browser("ilena").submit(f"/comments/{written.id}/settle", outcome=" "))
    assert page.title.startswith("Problem: ")
    assert "Say in a sentence what came of it" in page.text
    assert talk.again(written).settled_at is None


def with_outcomes(page: Page) -> list[Element]:
    """Return the parts of a page that fold a settled comment under its outcome."""
    return [part for part in page.root.iter("details") if "Settled" in summary(part)]


def summary(part: Element) -> str:
    return " ".join("".join(part[0].itertext()).split())


def test_settled_comments_are_folded_under_their_outcome_and_open_ones_are_not(talk: Talk) -> None:
    settled, old, _open = (talk.write("samira", text=f"{word}.") for word in ("Ash", "Oak", "Fir"))
    service.settle(talk["ilena"], settled.id, AGREED)
    service.settle(talk["ilena"], old.id, AGREED)
    # Settled before outcomes were asked for.
    talk.session.execute(sa.update(Comment).where(Comment.id == old.id).values(outcome=None))
    talk.session.commit()
    for address in (talk.thread(), f"/checklists/{talk.terms.id}"):
        page = talk.page("joana", address)
        assert list(map(summary, with_outcomes(page))) == [
            f"Settled: {AGREED}",
            "Settled, without an outcome",
        ]
        away = "".join("".join(part.itertext()) for part in with_outcomes(page))
        assert [word in away for word in ("Ash.", "Oak.", "Fir.")] == [True, True, False]
        assert "Fir." in page.text


def test_the_outcome_of_a_comment_to_ones_own_side_stays_there(talk: Talk) -> None:
    written = talk.write("samira", audience=OWN)
    service.settle(talk["dora"], written.id, "Emberwick it is.")
    talk.session.commit()
    addresses = (talk.thread(), f"/checklists/{talk.terms.id}")
    for address in addresses:
        assert "Emberwick" in talk.page("henrik", address).text
        for first in ("ilena", "oren", "joana"):
            assert "Emberwick" not in talk.page(first, address).html
    assert talk.browser("ilena").get(f"/comments/{written.id}/settle").status_code == 404
    assert "settled" not in talk.events()


def test_settled_comments_leave_room_beside_their_item_for_the_open_ones(talk: Talk) -> None:
    open_ = talk.write("samira", text="Still open.")
    for number in range(4):
        written = talk.write("samira", text=f"Number {number}.")
        service.settle(talk["ilena"], written.id, f"Outcome {number}.")
    talk.session.commit()
    words = article(talk.page("ilena", f"/checklists/{talk.terms.id}"), "M1")
    assert "Still open." in words
    assert [f"Outcome {n}." in words for n in range(4)] == [False, True, True, True]
    assert "5 comments. The last 4 are shown." in words
    assert talk.again(open_).settled_at is None


def test_an_author_edits_and_the_comment_says_so(talk: Talk, frozen_time: Time) -> None:
    written = talk.write("samira", text="First words.")
    address = f"/comments/{written.id}/edit"
    browser = talk.browser("samira")
    assert browser.page(address).form().values["text"] == ["First words."]
    page = Page.of(browser.submit(address, text="Better words."))
    assert "Better words." in text_of(page, written)
    assert "edited" in text_of(page, written)
    assert "edited" in text_of(talk.page("ilena", talk.thread()), written)
    assert talk.browser("dora").get(address).status_code == 403


def test_nothing_typed_is_lost_when_the_time_for_editing_has_passed(
    talk: Talk, frozen_time: Time
) -> None:
    written = talk.write("samira", text="First words.")
    address = f"/comments/{written.id}/edit"
    browser = talk.browser("samira")
    form = browser.page(address).form()
    frozen_time(clock.now() + dt.timedelta(minutes=16))
    late = browser.open(
        address, method="POST", data=form.filled_in(text="Typed too late."), csrf=False
    )
    assert late.status_code == 403
    page = Page.of(late)
    assert "for 15 minutes" in page.text
    assert page.form().values["text"] == ["Typed too late."]
    assert talk.again(written).text == "First words."


def test_a_withdrawn_comment_keeps_its_author_and_time(talk: Talk) -> None:
    written = talk.write("samira", text="quillfen")
    address = f"/comments/{written.id}/withdraw"
    assert "quillfen" in talk.page("samira", address).text
    page = Page.of(talk.browser("samira").submit(address))
    for first in ("samira", "joana"):
        page = talk.page(first, talk.thread())
        assert "Samira Okell, Open Door Legal Aid, withdrew a comment" in text_of(page, written)
        assert offered(page, written) == set()
        assert "quillfen" not in page.html
    assert "quillfen" not in talk.page("ilena", f"/checklists/{talk.terms.id}").html


def test_a_task_with_a_due_date_is_made_for_a_person_who_can_read_the_comment(talk: Talk) -> None:
    written = talk.write("samira", audience=OWN)
    address = f"/comments/{written.id}/task"
    browser = talk.browser("samira")
    page = browser.page(address)
    assert "Dora Lund, Open Door Legal Aid" in page.text
    assert "Samira Okell, Open Door Legal Aid" in page.text
    assert "Ilena" not in page.text
    problem = Page.of(browser.submit(address, person=str(talk.id("dora"))))
    assert "Due on: Enter a date" in problem.text
    early = clock.today() - dt.timedelta(days=1)
    problem = Page.of(browser.submit(address, person=str(talk.id("dora")), due_on=early))
    assert "Choose today or a later day." in problem.text
    assert problem.form().values["due_on"] == [early.isoformat()]
    page = Page.of(browser.submit(address, person=str(talk.id("dora")), due_on=clock.today()))
    assert "Task for Dora Lund" in text_of(page, written)
    later = (clock.today() + dt.timedelta(days=3)).isoformat()
    again = browser.post(address, data={"person": str(talk.id("samira")), "due_on": later})
    assert again.status_code == 403
    assert "This comment already has a task." in Page.of(again).text
    assert Page.of(again).form().values["due_on"] == [later]
    work = talk.page("dora", "/").text
    assert "Task from a comment" in work
    assert "A task you made from a comment" in talk.page("samira", "/").text
    for first in ("ilena", "joana", "henrik"):
        assert "comment asks" not in talk.page(first, "/").text
    assert "Done Task for Dora Lund" in text_of(press(talk, "dora", written, "task/done"), written)


def test_a_task_that_is_late_says_so(talk: Talk, frozen_time: Time) -> None:
    frozen_time(NOON)
    written = talk.write("samira")
    service.make_task(talk["samira"], written.id, talk.id("dora"), clock.today())
    talk.session.commit()
    frozen_time(NOON + dt.timedelta(days=1))
    assert "Overdue since" in text_of(talk.page("ilena", talk.thread()), written)


# Who is refused


@pytest.mark.parametrize("first", ["ada", "root", "vesna", "marek"])
def test_a_person_who_cannot_read_comments_gets_404(talk: Talk, first: str) -> None:
    written = talk.write("samira")
    browser = talk.browser(first)
    for address in (talk.thread(), talk.thread(None)):
        assert browser.get(address).status_code == 404
        assert browser.post(address, data={"text": "x", "audience": "all"}).status_code == 404
    for rest in ("", "/edit", "/settle", "/withdraw", "/task"):
        assert browser.get(f"/comments/{written.id}{rest}").status_code == 404
    for rest in ("/settle", "/reopen", "/seen", "/task", "/task/done", "/edit", "/withdraw"):
        assert browser.post(f"/comments/{written.id}{rest}").status_code == 404


def test_an_auditor_sees_the_checklist_and_nothing_of_its_comments(talk: Talk) -> None:
    talk.write("samira", text="quillfen")
    page = talk.page("ada", f"/checklists/{talk.terms.id}")
    assert "quillfen" not in page.html
    assert "omment" not in page.text


@pytest.mark.parametrize("item", ["M99", "m1", "V5"])
def test_an_unknown_item_has_no_thread(talk: Talk, item: str) -> None:
    talk.page("samira", talk.thread(item), 404)


# Beside the items


def article(page: Page, code: str) -> str:
    (element,) = [
        article for article in page.root.iter("article") if article.attrib.get("id") == code.lower()
    ]
    return " ".join("".join(element.itertext()).split())


def test_the_last_few_are_beside_their_item_with_how_many_there_are(talk: Talk) -> None:
    for number in range(4):
        talk.write("samira", text=f"Number {number}.")
    gone = talk.write("samira", text="Number 4.")
    service.withdraw(talk["samira"], gone.id)
    talk.write("joana", text="Hidden.", audience=OWN)
    talk.write("samira", None, text="On all of it.")
    talk.session.commit()
    page = talk.page("ilena", f"/checklists/{talk.terms.id}")
    words = article(page, "M1")
    assert "4 comments. The last 3 are shown." in words
    assert [f"Number {n}." in words for n in range(5)] == [False, True, True, True, False]
    assert "Hidden." not in page.html
    assert "No comments. Write one" in article(page, "M2")
    assert "Comments on the checklist 1 comment" in page.text
    assert page.links()["All comments, and write one: Item M1"] == talk.thread()
    assert page.links()["Write a comment: Item M2"] == talk.thread("M2")
    assert page.links()["All comments, and write one"] == talk.thread(None)
    own = article(talk.page("leyla", f"/checklists/{talk.terms.id}"), "M1")
    assert "5 comments" in own
    assert "our side only Hidden." in own


def test_opening_comments_on_a_visits_roles_is_noted(
    app: Flask, demonstration: Demonstration, joint_visit: JointVisit
) -> None:
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    written = comment(joint_visit.actor("ilena"), roles, "V8")
    joint_visit.session.commit()
    address, comment_id = f"/checklists/{roles.id}/items/V8/comments", written.id
    query = sa.select(ReadLogEntry.page).where(ReadLogEntry.subject_id == roles.id)
    before = len(list(joint_visit.session.scalars(query)))
    joint_visit.session.commit()
    browser = demonstration.browser(app, "pavo")
    page = browser.page(address)
    assert "Don't name or describe" in page.text
    browser.page(f"/comments/{comment_id}/task")
    assert list(joint_visit.session.scalars(query))[before:].count("comments") == 2


# Many


def test_two_thousand_comments_cost_no_more_queries_than_three(
    app: Flask, session: Session, statements: Statements
) -> None:
    codes = [f"M{n}" for n in range(1, 201)]
    negotiation = set_out(session, template=a_template(*(an_item(code) for code in codes)))
    address = f"/checklists/{negotiation.checklist().id}"

    def count(where: str) -> int:
        session.commit()
        browser = negotiation.country.browser(app, "ilena")
        browser.open(where, read=False)
        with statements() as sent:
            assert browser.open(where, read=False).status_code == 200
        return len(sent)

    places = (address, f"{address}/items/M1/comments", "/")
    fill(negotiation, codes[:1], 3)
    few = [count(where) for where in places]
    fill(negotiation, codes, 10)
    assert (session.scalar(sa.select(sa.func.count()).select_from(Comment)) or 0) > 2000
    # My work needs one fewer: no line about a checklist is left on its first page.
    assert all(count(where) <= before for where, before in zip(places, few, strict=True))


def fill(negotiation: Negotiation, codes: list[str], times: int) -> None:
    """Insert rows as the services do, each with its own author, mention and task in turn."""
    firsts = ("ilena", "oren", "samira", "dora", "joana", "leyla", "otto", "henrik", "tomas")
    terms = negotiation.checklist()
    start = clock.now()
    rows = []
    for number, code in enumerate(code for code in codes for _ in range(times)):
        first = firsts[number % len(firsts)]
        home = negotiation.country.homes[first]
        assert home is not None
        rows.append(
            Comment(
                id=uuid4(),
                checklist_id=terms.id,
                item=code,
                audience=CommentAudience.OWN if number % 4 == 3 else CommentAudience.ALL,
                text=f"Words {number}",
                author_id=negotiation.country.users[first].id,
                organisation_id=home.id,
                made_at=start + dt.timedelta(seconds=number),
                settled_at=start if number % 3 == 0 else None,
                settled_by_id=negotiation.country.users["oren"].id if number % 3 == 0 else None,
            )
        )
    negotiation.session.add_all(rows)
    negotiation.session.flush()
    for number, row in enumerate(rows[: min(len(rows), 60)]):
        if row.audience is CommentAudience.ALL and number < 40:
            reader = negotiation[firsts[(number + 1) % len(firsts)]]
            service.make_task(negotiation["ilena"], row.id, reader.user_id, clock.today())
            negotiation.session.add(
                CommentMention(
                    comment_id=row.id,
                    user_id=negotiation["ilena"].user_id,
                    mentioned_at=row.made_at,
                )
            )
    negotiation.session.commit()
