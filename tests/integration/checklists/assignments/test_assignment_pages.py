"""Pages for assigning items: what each person on a side sees in the list and in My work.

In one file: one group of people, whose pages are compared with each other.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.checklists import flag_term
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import a_field, a_template, an_item
from tests.integration.checklists.assignments.test_assignments import assign, holders, take_out
from tests.integration.checklists.test_pages import Users, acts, forms, item, items
from tests.integration.dashboard.test_pages import states
from tests.pages import Page
from tests.starting_points import noon_in
from tracker.checklists.assignments import service as assignments
from tracker.checklists.models import ChecklistState
from tracker.core import clock

Statements = Callable[[], AbstractContextManager[list[str]]]
Time = Callable[[dt.datetime], None]
NOON = noon_in(100)
DAY_IN_WORDS = f"{NOON.day} {NOON:%B %Y}"
DAY = dt.timedelta(days=1)


@pytest.fixture
def users(app: Flask, negotiation: Negotiation) -> Users:
    return Users(app, negotiation)


def own_side(page: Page, code: str) -> str:
    """Return what people on the same side see beside an item; empty if nothing."""
    (article,) = [
        node for node in page.root.iter("article") if node.attrib.get("id") == code.lower()
    ]
    boxes = [node for node in article.iter("div") if "own-side" in node.attrib.get("class", "")]
    return " ".join(" ".join(" ".join(box.itertext()).split()) for box in boxes)


def filter_words(page: Page) -> list[str]:
    """Return the filters of a checklist with their counts."""
    (bar,) = [node for node in page.root.iter("ul") if node.attrib.get("class") == "filters"]
    return [" ".join("".join(node.itertext()).split()) for node in bar.iter("li")]


def button(page: Page, words: str) -> tuple[str, dict[str, str]]:
    """Return the address and fields that the button with these words sends."""
    matching = [(action, fields) for action, fields, label in forms(page) if label == words]
    assert len(matching) == 1, [label for _action, _fields, label in forms(page)]
    return matching[0]


def press(users: Users, first: str, words: str, rest: str = "") -> Page:
    """Press the button with these words and return the next page."""
    action, fields = button(users.page(first, rest), words)
    response = users.browser(first).open(
        action, method="POST", data=fields, csrf=False, follow_redirects=True
    )
    return Page.of(response)


# The list, and its filters


def test_people_on_the_same_side_see_who_an_item_is_assigned_to(users: Users) -> None:
    assign(users.negotiation, "samira", "M1", "dora", due_on=clock.today() + DAY)
    words = "Assigned to Dora Lund (our side only) Due on"
    assert own_side(users.page("henrik"), "M1").startswith(words)
    page = users.page("samira")
    assert own_side(page, "M1").startswith(words)
    assert own_side(page, "M7") == ""
    # It is not printed.
    (box,) = [
        node for node in page.root.iter("div") if "own-side" in node.attrib.get("class", "").split()
    ]
    assert "no-print" in box.attrib["class"].split()
    assert own_side(users.page("dora"), "M1").startswith("Assigned to you (our side only) Due on")
    for first in ("ilena", "joana", "leyla", "ada"):
        page = users.page(first)
        assert own_side(page, "M1") == ""
        assert "Dora Lund" not in item(page, "M1")


def test_a_person_who_is_not_a_coordinator_sees_assignments_and_changes_none(users: Users) -> None:
    assign(users.negotiation, "samira", "M1", "dora")
    page = users.page("dora", "/assignments")
    assert "Assigned to you" in page.text
    assert "Assign a section" not in page.text
    address = f"{users.address}/assignments"
    assert users.browser("dora").post(address).status_code == 403
    users.page("dora", "/items/M1/assign", 403)
    assert users.browser("dora").post(f"{users.address}/items/M1/assign").status_code == 403
    # Who does not work on the checklist finds no such pages.
    for first in ("ada", "root", "vesna", "marek"):
        browser = users.browser(first)
        for rest in ("/assignments", "/items/M1/assign"):
            assert browser.get(users.address + rest).status_code == 404, first
            assert browser.post(users.address + rest).status_code == 404, first
        for rest in ("/items/M1/assign/me", "/items/M1/assign/back"):
            assert browser.post(users.address + rest).status_code == 404, first


def test_each_is_offered_on_an_item_what_they_may_do(users: Users) -> None:
    assign(users.negotiation, "samira", "M1", "dora")

    def offered(first: str, code: str) -> set[str]:
        page = users.page(first)
        words = {label for action, _fields, label in forms(page) if f"/{code}/assign" in action}
        return words | {
            label for label, url in page.links().items() if url.endswith(f"/{code}/assign")
        }

    assert offered("samira", "M1") == {"Change who: Item M1"}
    assert offered("samira", "M7") == {"Assign: Item M7"}
    assert offered("dora", "M1") == {"Give it back: Item M1"}
    assert offered("henrik", "M1") == set()
    assert offered("henrik", "M7") == {"Assign to me: Item M7"}
    # What isn't the side's task is listed only on the page *Who has what*.
    assert offered("samira", "M2") == offered("samira", "M3") == set()
    assert "Accept" not in acts(users.page("henrik"), "M1")


def test_every_filter_has_its_count_which_is_what_it_keeps(users: Users) -> None:
    negotiation = users.negotiation
    negotiation.settle("M1")
    negotiation.save("ilena", "M3")
    flag_term(negotiation["samira"], negotiation.checklist(), "M1", "A donor decides?")
    negotiation.session.commit()
    users.submit("joana", "/items/M1/propose", words="Other words.", reason="Shorter.")
    assign(negotiation, "samira", "M7", "samira")
    assign(negotiation, "samira", "M9", "henrik")
    names = {
        "": "All items",
        "us": "Waiting for us",
        "mine": "Assigned to me",
        "others": "Waiting for others",
        "differs": "Open differences",
        "flagged": "Flagged",
        "open": "Not started",
    }
    for first in ("samira", "henrik", "ada"):
        if first == "ada":
            del names["mine"]
        pages = {chosen: users.page(first, f"?filter={chosen}") for chosen in names}
        expected = [f"{words} {len(items(pages[chosen]))}" for chosen, words in names.items()]
        labels = filter_words(pages[""])
        assert labels == expected, first
        assert {"Open differences 1", "Flagged 1"} < set(labels), first


def test_the_filter_for_my_items_includes_finished_ones(users: Users) -> None:
    assign(users.negotiation, "samira", "M7", "dora")
    assign(users.negotiation, "samira", "M1", "dora")
    users.negotiation.save("henrik", "M1")
    assert items(users.page("dora", "?filter=mine")) == ["M1", "M7"]
    assert items(users.page("henrik", "?filter=mine")) == []
    # Without such a filter everything is shown.
    assert len(items(users.page("ada", "?filter=mine"))) == 10


def test_the_list_hides_assignments_while_a_text_is_being_signed(users: Users) -> None:
    assign(users.negotiation, "samira", "M1", "dora")
    users.negotiation.checklist().state = ChecklistState.SENT
    users.negotiation.session.commit()
    page = users.page("dora")
    assert own_side(page, "M1") == ""
    assert "Assigned to me" not in page.text
    assert "Who has what, on our side" not in page.links()
    page = users.page("samira", "/assignments")
    assert "The text isn't a draft at the moment" in page.text
    assert "Assigned to Dora Lund" in page.text
    assert [form for form in forms(page) if not form[0]] == []
    assert users.browser("samira").post(f"{users.address}/assignments").status_code == 403


def test_an_overdue_item_is_marked_until_it_is_done(users: Users, frozen_time: Time) -> None:
    frozen_time(NOON)
    assign(users.negotiation, "samira", "M1", "dora", due_on=clock.today())
    assert f"Due on {DAY_IN_WORDS}" in own_side(users.page("samira"), "M1")
    frozen_time(NOON + DAY)
    users = Users(users.app, users.negotiation)  # yesterday's sessions have ended
    assert f"Overdue since {DAY_IN_WORDS}" in own_side(users.page("samira"), "M1")
    assert f"Overdue since {DAY_IN_WORDS}" in users.page("samira", "/assignments").text
    labels = states(users.browser("dora").page("/"))
    assert labels["Do 1 item assigned to you"] == f"Overdue since {DAY_IN_WORDS}"
    users.negotiation.save("henrik", "M1")
    assert own_side(users.page("samira"), "M1") == (
        "Assigned to Dora Lund (our side only) Change who : Item M1"
    )


# Assign one


def test_an_item_is_assigned_on_its_page(users: Users) -> None:
    page = users.page("samira", "/items/M1/assign")
    assert page.h1 == "Assign “Item M1”"
    assert page.form().values.get("person", [""]) == [""]
    assert "Dora Lund" in page.text
    for name in ("Ilena Dorvath", "Joana Pires", "Marek Tull", "Oren Maki"):
        assert name not in page.text
    dora = str(users.negotiation.country.users["dora"].id)
    made_up = users.submit("samira", "/items/M1/assign", person=dora, seen=assignments.NOTHING_HELD)
    assert made_up.title.startswith("Problem: ")
    after = users.submit("samira", "/items/M1/assign", person=dora, due_on=clock.today())
    assert "“Item M1” is assigned." in after.text
    assert "Assigned to Dora Lund" in own_side(after, "M1")
    again = users.page("samira", "/items/M1/assign").form(action="")
    assert again.values["person"] == [dora]
    assert again.values["due_on"] == [clock.today().isoformat()]


def test_wrong_input_shows_an_error_beside_its_field(users: Users) -> None:
    accounts, browser = users.negotiation.country.users, users.browser("samira")
    form = users.page("samira", "/items/M1/assign").form()
    dora, ilena = (str(accounts[first].id) for first in ("dora", "ilena"))
    wrong: tuple[tuple[dict[str, str], str], ...] = (
        ({"person": ""}, "Who: Choose one from the list"),
        ({"person": dora, "due_on": "2020-01-01"}, "Choose today or a later day."),
        ({"person": dora, "due_on": "soon"}, "Due on"),
        ({"person": ilena}, "Choose one of the answers offered"),
        ({"person": "nonsense"}, "Choose one of the answers offered"),
    )
    for fields, words in wrong:
        data = form.filled_in(**fields)
        page = Page.of(browser.post(f"{users.address}/items/M1/assign", data=data, csrf=False))
        assert page.title.startswith("Problem: "), fields
        assert words in page.text, fields
        assert holders(users.negotiation, "samira") == {}, fields
    # An item that is not there has no page, and one of the other side is refused with the reason.
    for code in ("M99", "m1", "%2e%2e"):
        users.page("samira", f"/items/{code}/assign", 404)
        for rest in ("me", "back"):
            address = f"{users.address}/items/{code}/assign/{rest}"
            assert browser.post(address).status_code == 404, code
    page = users.page("samira", "/items/M2/assign", 403)
    assert "Your organisation has nothing to do on this item." in page.text


def test_a_concurrent_assignment_is_shown_before_it_is_overwritten(users: Users) -> None:
    form = users.page("samira", "/items/M1/assign").form()
    assignments.take(users.negotiation["henrik"], users.negotiation.checklist(), "M1")
    users.negotiation.session.commit()
    dora = str(users.negotiation.country.users["dora"].id)
    browser, address = users.browser("samira"), f"{users.address}/items/M1/assign"
    response = browser.post(address, data=form.filled_in(person=dora), csrf=False)
    page = Page.of(response)
    assert "Somebody else changed the assignments while you were reading." in page.text
    assert "Assigned to Henrik Asante" in page.text
    again = page.form(action="")
    assert again.values["person"] == [dora]
    browser.post(address, data=again.filled_in(), csrf=False)
    assert holders(users.negotiation, "samira") == {"M1": "dora"}


def test_a_coordinator_takes_an_item_back_on_its_page(users: Users) -> None:
    assign(users.negotiation, "samira", "M1", "dora")
    action, fields = button(users.page("samira", "/items/M1/assign"), "Unassign it: Item M1")
    page = press(users, "samira", "Unassign it: Item M1", "/items/M1/assign")
    assert "“Item M1” is no longer assigned." in page.text
    assert holders(users.negotiation, "samira") == {}
    # Sent again, from a page that is out of date.
    after = users.browser("samira").open(
        action, method="POST", data=fields, csrf=False, follow_redirects=True
    )
    assert "Somebody else changed the assignments" in Page.of(after).text


def test_a_member_takes_an_item_on_and_gives_it_back_on_the_list(users: Users) -> None:
    page = press(users, "dora", "Assign to me: Item M1")
    assert "“Item M1” is assigned to you." in page.text
    assert holders(users.negotiation, "samira") == {"M1": "dora"}
    page = press(users, "dora", "Give it back: Item M1")
    assert "“Item M1” is no longer assigned." in page.text
    assert holders(users.negotiation, "samira") == {}


def test_taking_an_item_that_somebody_took_meanwhile_shows_an_error(users: Users) -> None:
    action, fields = button(users.page("dora"), "Assign to me: Item M1")
    assignments.take(users.negotiation["henrik"], users.negotiation.checklist(), "M1")
    users.negotiation.session.commit()
    response = users.browser("dora").open(
        action, method="POST", data=fields, csrf=False, follow_redirects=True
    )
    assert "Somebody else has this item." in Page.of(response).text
    assert holders(users.negotiation, "samira") == {"M1": "henrik"}


# A section


def test_a_coordinator_assigns_a_whole_section_on_the_assignments_page(users: Users) -> None:
    assign(users.negotiation, "samira", "M1", "henrik")
    page = users.page("samira", "/assignments")
    assert page.h1 == "Who has what"
    assert "Assigned to Henrik Asante" in page.text
    assert "M2" not in page.text  # the NPM's alone
    dora = str(users.negotiation.country.users["dora"].id)
    after = users.submit("samira", "/assignments", section="all", person=dora)
    assert "The items of the section are assigned." in after.text
    names = holders(users.negotiation, "samira")
    assert names.pop("M1") == "henrik"
    assert names == dict.fromkeys(("M3", "M4", "M6", "M7", "M8", "M9", "M10"), "dora")
    refused = users.submit("samira", "/assignments", section="all", person=dora)
    assert refused.title.startswith("Problem: ")
    assert "With that choice, there's nothing left to assign in this section" in refused.text
    users.submit("samira", "/assignments", section="all", person=dora, also_held="y")
    assert set(holders(users.negotiation, "samira").values()) == {"dora"}


# My work


def test_my_work_lists_items_assigned_to_me_and_by_me(users: Users) -> None:
    later = clock.today() + DAY
    for code in ("M1", "M7"):
        assign(users.negotiation, "samira", code, "dora", due_on=later)
    work = users.browser("dora").page("/")
    label = "Do 2 items assigned to you"
    assert states(work)[label].startswith("Due on")
    assert work.links()[label] == f"{users.address}?filter=mine"
    assert "Joint monitoring of police custody: Agreed terms" in work.text
    given = users.browser("samira").page("/")
    assert states(given)["2 items that you assigned to Dora Lund"].startswith("Due on")
    for first in ("henrik", "ilena", "joana", "ada"):
        text = users.browser(first).page("/").text
        assert "assigned" not in text
        assert "Dora Lund" not in text
    users.negotiation.save("henrik", "M1")
    assert "Do 1 item assigned to you" in states(users.browser("dora").page("/"))


def test_the_line_of_a_checklist_says_until_when_its_first_item_is_assigned(
    users: Users, frozen_time: Time
) -> None:
    frozen_time(NOON - DAY)
    assign(users.negotiation, "samira", "M1", "dora", due_on=clock.today() + 9 * DAY)
    assign(users.negotiation, "samira", "M7", "henrik", due_on=clock.today() + DAY)
    page = users.browser("samira").page("/")
    assert states(page)["Agreed terms"] == f"Due on {DAY_IN_WORDS}"
    assert f"The first is due on {DAY_IN_WORDS}." in page.text
    assert "Due on" not in states(users.browser("ilena").page("/"))["Agreed terms"]


def test_items_of_somebody_who_left_come_back_to_the_coordinators(users: Users) -> None:
    assign(users.negotiation, "samira", "M1", "dora")
    take_out(users.negotiation)
    users.negotiation.session.commit()
    words = "Was assigned to Dora Lund, who can't work on this any more."
    assert own_side(users.page("samira"), "M1").startswith(words)
    label = "Assign 1 item to somebody else"
    work = users.browser("samira").page("/")
    assert states(work)[label] == "Waiting for you"
    assert "Dora Lund can't work on this any more." in work.text
    assert label not in states(users.browser("henrik").page("/"))
    press(users, "henrik", "Assign to me: Item M1")
    assert label not in states(users.browser("samira").page("/"))


# Many


def test_a_list_with_everything_assigned_takes_as_many_queries_as_with_one(
    app: Flask, session: Session, statements: Statements
) -> None:
    codes = [f"M{n}" for n in range(1, 25)]
    negotiation = set_out(
        session, template=a_template(*(an_item(code, a_field()) for code in codes))
    )
    users = Users(app, negotiation)
    firsts = ("dora", "henrik", "samira")

    def counts() -> list[int]:
        counts = []
        for address in (users.address, f"{users.address}/assignments", "/"):
            session.commit()
            users.browser("samira").open(address, read=False)
            with statements() as sent:
                assert users.browser("samira").open(address, read=False).status_code == 200
            counts.append(len(sent))
        return counts

    assign(negotiation, "samira", "M1", "dora")
    few = counts()
    for number, code in enumerate(codes):
        assign(negotiation, "samira", code, firsts[number % 3])
    assert counts() == few
