"""Comments to one's own side: others look for them in every way, and find nothing."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from itertools import cycle, islice
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
from tracker.activity.models import Event, EventDetail
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.models import OutboxMessage


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return SIDES[request.param]


@pytest.fixture
def written(app: Flask, demonstration: Demonstration, side: Side) -> Written:
    """What the side has written to itself, before the test begins."""
    name = next(name for name, known in SIDES.items() if known is side)
    return starting_points.of(app).use(
        f"{name}_wrote",
        lambda: post(JointVisit(db.session(), demonstration), side),
        on="demonstration",
    )


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
    for method, rest in ways:
        nothing = uuid4()
        # A message waiting to be shown (a session ended) is on one page only.
        ask(browser, method, f"/comments/{nothing}{rest}", str(nothing))
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
    for key in others(side):
        browser = demonstration.browser(app, key)
        for page in ("/guidance", "/cooperations", "/register", "/people"):
            nothing = found_by(browser, page, plain)
            for word in words[::5]:
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
    joint_visit: JointVisit,
    side: Side,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    moment = clock.now()

    def pages() -> list[str]:
        shown = []
        # Pages say in which zone times are, which differs once the clocks have changed.
        frozen_time(moment)
        # The walks over all pages compare what links lead to.
        for key in ("celia", *ELSEWHERE):
            browser = demonstration.browser(app, key)
            for cooperation, kind in side.comments:
                checklist_id = demonstration.checklists[cooperation, kind]
                for rest in ("", "/comments", f"/items/{ITEMS[kind]}/comments"):
                    for state in ("", "?state=open", "?state=settled"):
                        address = f"/checklists/{checklist_id}{rest}{state}"
                        response = browser.open(address, read=False)
                        text = without_tokens(response.get_data(as_text=True))
                        shown.append(f"{key} {address} {response.status} {text}")
        frozen_time(None)
        return shown

    before = pages()
    post(joint_visit, side)
    assert pages() == before


def test_mails_contain_no_text_and_nobody_else_gets_one(
    joint_visit: JointVisit, side: Side
) -> None:
    before = {mail.id for mail in joint_visit.mails()}
    written = post(joint_visit, side)
    mails = list(joint_visit.session.scalars(sa.select(OutboxMessage)))
    fresh = [mail for mail in mails if mail.id not in before]
    readers = {
        joint_visit.demo_people.users[reader].email for _writer, reader in side.comments.values()
    }
    assert {mail.recipient for mail in fresh} == readers
    assert {mail.kind for mail in fresh} == {"comment_mention", "comment_task_due"}
    words = [word for secrets in written.everything() for word in secrets.words]
    for mail in mails:
        assert [word for word in words if word in mail.subject + mail.body] == []


def test_the_trail_contains_nothing_about_them(joint_visit: JointVisit, side: Side) -> None:
    query = sa.select(sa.func.count()).select_from(Event)
    before = joint_visit.session.scalar(query)
    written = post(joint_visit, side)
    assert joint_visit.session.scalar(query) == before
    for content in joint_visit.session.scalars(sa.select(EventDetail.content)):
        assert written.in_text(str(content)) == []


def _with_one_more_event(output: str) -> str:
    """Return what the audit prints the next time: it has recorded that it ran."""
    return re.sub(
        r"(events|details) (\d+)", lambda words: f"{words[1]} {int(words[2]) + 1}", output, count=2
    )


def test_commands_print_nothing_about_them(
    app: Flask, demonstration: Demonstration, joint_visit: JointVisit, side: Side
) -> None:
    runner = app.test_cli_runner()

    def run(*words: str) -> str:
        db.session.rollback()
        done = runner.invoke(args=list(words))
        assert done.exit_code == 0, done.output
        return done.output

    before = run("audit", "verify")
    written = post(joint_visit, side)
    assert run("audit", "verify") == _with_one_more_event(before)
    assert written.in_text(run("outbox", "list")) == []
