"""Comments to one's own side: others look for them in every way, and find nothing."""

import datetime as dt
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import effort, starting_points
from tests.client import CheckedClient
from tests.factories.demonstration import Demonstration
from tests.factories.own_side import ELSEWHERE, ITEMS, SIDES, STANDING, VISIT, Side, Written, post
from tests.factories.visits import JointVisit
from tests.pages import without_tokens
from tracker.accounts.models import User
from tracker.activity.models import Event, EventDetail
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.models import OutboxMessage


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return SIDES[request.param]


@pytest.fixture
def after(app: Flask, demonstration: Demonstration) -> Callable[[Side], Written]:
    """A function that resets the database to the moment after a side has written to itself."""

    def written(side: Side) -> Written:
        name = next(name for name, known in SIDES.items() if known is side)
        return starting_points.of(app).use(
            f"{name}_wrote",
            lambda: post(JointVisit(db.session(), demonstration), side),
            on="demonstration",
        )

    return written


@pytest.fixture
def written(after: Callable[[Side], Written], side: Side) -> Written:
    """What the side has written to itself, before the test begins."""
    return after(side)


def others(side: Side) -> tuple[str | None, ...]:
    """Return people to whom what a side wrote does not exist; in the short form some of them."""
    return tuple(side.others[:: effort.tries(3, 1)])


def answers(
    browser: CheckedClient, written: Written, *classes: str, first: int = 0
) -> Iterator[str]:
    """Request comments by their URLs in every way; yield where one doesn't look nonexistent.

    There are five comments of different kinds at each place: every third one covers each kind and
    place. In the short form each way is tried with a few of them in turn, beginning with the first
    named.
    """
    wanted = [comment_id for name in classes for comment_id in written.comments[name].comments][::3]
    few = effort.tries(2, len(wanted))
    in_turn = islice(cycle(wanted), first, None)
    ways = [("GET", rest) for rest in ("", "/edit", "/settle", "/withdraw", "/task")]
    ways += [
        ("POST", rest)
        for rest in ("/edit", "/withdraw", "/task", "/settle", "/reopen", "/seen", "/task/done")
    ]
    nothing = uuid4()
    # A message waiting to be shown (a session ended) is on one page only.
    ask(browser, "GET", f"/comments/{nothing}", str(nothing))
    for method, rest in ways:
        plain = ask(browser, method, f"/comments/{nothing}{rest}", str(nothing))
        for comment_id in islice(in_turn, few):
            if ask(browser, method, f"/comments/{comment_id}{rest}", str(comment_id)) != plain:
                yield f"{method} {rest}"


def ask(browser: CheckedClient, method: str, address: str, comment_id: str) -> tuple[int, str]:
    response = browser.open(
        address, method=method, data={"text": "x"} if method == "POST" else None, read=False
    )
    text = response.get_data(as_text=True) + (response.location or "")
    return response.status_code, without_tokens(text).replace(comment_id, "")


def test_a_person_without_clearance_gets_404_for_a_comment_on_a_visits_roles(
    app: Flask, demonstration: Demonstration, side: Side, written: Written
) -> None:
    for key in side.uncleared:
        assert list(answers(demonstration.browser(app, key), written, VISIT)) == [], key


def test_by_its_address_a_comment_is_to_everybody_else_as_if_it_was_not_there(
    app: Flask, demonstration: Demonstration, side: Side, written: Written
) -> None:
    for number, key in enumerate(others(side)):
        browser = demonstration.browser(app, key)
        assert list(answers(browser, written, STANDING, VISIT, first=number)) == [], key


def test_search_exports_and_errors_reveal_them_to_nobody_else(
    app: Flask, demonstration: Demonstration, side: Side, written: Written
) -> None:
    words = [word for secrets in written.everything() for word in secrets.words]
    plain = "0123456789abcdef"
    pages = ("/guidance", "/cooperations", "/register", "/people")
    few = effort.tries(len(pages), 1)
    for number, key in enumerate(others(side)):
        browser = demonstration.browser(app, key)
        for first, page in enumerate(pages, number):
            nothing = found_by(browser, page, plain)
            # In the short form the pages share the words, each person's in another way.
            for word in words[::5][first % few :: few]:
                assert found_by(browser, page, word) == nothing, (key, page)
        for method, address in (
            ("POST", "/register/export"),
            ("GET", f"/checklists/{uuid4()}/comments"),
            ("PUT", "/comments/x"),
            ("GET", "/comments/x"),
        ):
            response = browser.open(address, method=method, read=False)
            assert written.in_text(response.get_data(as_text=True)) == [], (key, address)


def found_by(browser: CheckedClient, page: str, word: str) -> str:
    """Return a page's response to a search word, with the word itself removed."""
    response = browser.open(f"{page}?q={word}&words={word}", read=False)
    return without_tokens(response.get_data(as_text=True)).replace(word, "")


def test_by_their_addresses_threads_and_lists_stay_to_outsiders_as_they_were(
    app: Flask,
    demonstration: Demonstration,
    after: Callable[[Side], Written],
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    # Pages say in which zone times are, which differs once the clocks have changed.
    frozen_time(clock.now())
    checklists = {each for side in SIDES.values() for each in side.comments}

    def pages() -> list[str]:
        shown = []
        # The walks over all pages compare what links lead to.
        for key in ("celia", *ELSEWHERE):
            browser = demonstration.browser(app, key)
            for cooperation, kind in sorted(checklists):
                checklist_id = demonstration.checklists[cooperation, kind]
                lists = ("/comments", f"/items/{ITEMS[kind]}/comments")
                states = ("", "?state=open", "?state=settled")
                for rest in ("", *(each + state for each in lists for state in states)):
                    address = f"/checklists/{checklist_id}{rest}"
                    response = browser.open(address, read=False)
                    text = without_tokens(response.get_data(as_text=True))
                    shown.append(f"{key} {address} {response.status} {text}")
        return shown

    before = pages()
    for side in SIDES.values():
        after(side)
        assert pages() == before


def read(app: Flask, *columns: "sa.orm.InstrumentedAttribute[Any]") -> list[Any]:
    """Return these columns of each row that the database has now, in the order of the first."""
    with app.app_context():
        return list(db.session.execute(sa.select(*columns).order_by(columns[0])))


def test_mails_contain_no_text_and_nobody_else_gets_one(
    app: Flask, demonstration: Demonstration, after: Callable[[Side], Written], side: Side
) -> None:
    before = {row.id for row in read(app, OutboxMessage.id)}
    written = after(side)
    addresses = {person.id: person.email for person in read(app, User.id, User.email)}
    readers = {addresses[demonstration.users[reader]] for _writer, reader in side.comments.values()}
    words = [word for secrets in written.everything() for word in secrets.words]
    with app.app_context():
        mails = list(db.session.scalars(sa.select(OutboxMessage)))
        fresh = [mail for mail in mails if mail.id not in before]
        assert {mail.recipient for mail in fresh} == readers
        assert {mail.kind for mail in fresh} == {"comment_mention", "comment_task_due"}
        for mail in mails:
            assert [word for word in words if word in mail.subject + mail.body] == []


def test_the_trail_and_what_commands_print_contain_nothing_about_them(
    app: Flask, demonstration: Demonstration, after: Callable[[Side], Written], side: Side
) -> None:
    runner = app.test_cli_runner()

    def run(*words: str) -> str:
        done = runner.invoke(args=list(words))
        assert done.exit_code == 0, done.output
        return done.output

    events = read(app, Event.id, Event.digest)
    audit = run("audit", "verify")
    written = after(side)
    assert read(app, Event.id, Event.digest) == events
    for _id, content in read(app, EventDetail.event_id, EventDetail.content):
        assert written.in_text(str(content)) == []
    assert run("audit", "verify") == audit
    assert written.in_text(run("outbox", "list")) == []
