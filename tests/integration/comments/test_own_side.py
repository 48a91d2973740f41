"""Secrets that one side writes to itself: read everything as everybody else, and find none."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.comments import Secrets
from tests.factories.demonstration import Demonstration
from tests.factories.visits import Scene
from tests.integration.access.crawl import Found, crawl
from tracker.activity.models import Event, EventDetail
from tracker.checklists.models import Checklist
from tracker.comments import service
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.models import OutboxMessage

# Items of single pages are opened where their number leaves this over when divided by five.
SHARE, SHARES, ITEMS = 3, 5, {"terms": "M18", "visit_roles": "V8"}
# Of a form against forgery, of who opened a page on which somebody writes, of a visit to come.
TOKEN = re.compile(r'(name="(?:csrf_token|draft_page|visit_id)"[^>]*? value=")[^"]+')
# What other pages than comments tell of reading and of mail, whoever wrote what: the log of reads
# notes this test's own reading; the administrator's list of mail has a line for each mail, of which
# the words are the same whoever may read the comment (tested with the verbs).
TELLS_OF_READING = re.compile(r"/reads(\?|$)|\A/administration/mail(\?|$)")
STANDING, VISIT = "standing", "visit"


@dataclass(frozen=True)
class Side:
    """Who writes for a side on each checklist, who else of it reads, and everybody else."""

    # cooperation, kind of checklist -> writer, reader
    people: dict[tuple[str, str], tuple[str, str]]
    others: tuple[str | None, ...]
    # Of the same side, without a clearance or a place on the list.
    uncleared: tuple[str, ...]


NOBODY_SIGNED_IN = None
ELSEWHERE = ("greta", "iris", "vera", "noor", NOBODY_SIGNED_IN)
SIDES = {
    "npm": Side(
        people={
            ("differing", "terms"): ("pavo", "ilena"),
            ("complete", "terms"): ("ilena", "milan"),
            ("complete", "visit_roles"): ("pavo", "ilena"),
        },
        others=("samira", "henrik", "dina", "joana", "leyla", "celia", *ELSEWHERE),
        uncleared=("nadia", "milan"),
    ),
    "cso": Side(
        people={
            ("differing", "terms"): ("samira", "henrik"),
            ("complete", "terms"): ("dina", "samira"),
            ("complete", "visit_roles"): ("samira", "henrik"),
        },
        others=("ilena", "tomas", "milan", "pavo", "nadia", "joana", "leyla", "anton", *ELSEWHERE),
        uncleared=("dina",),
    ),
}


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return SIDES[request.param]


@dataclass
class Posted:
    """What a side wrote: on checklists without planning of a visit, and on a visit's roles."""

    by_class: dict[str, Secrets]

    def everything(self) -> list[Secrets]:
        return list(self.by_class.values())

    def in_text(self, text: str, *classes: str) -> list[str]:
        """Return which words or ids of these classes, or of all, a text holds."""
        wanted = classes or tuple(self.by_class)
        return [one for name in wanted for one in self.by_class[name].in_text(text)]

    @property
    def comments(self) -> list[str]:
        return [str(one) for made in self.everything() for one in made.comments]


def post(scene: Scene, side: Side) -> Posted:
    """Have a side write on items and on the whole of each checklist, and be reminded."""
    posted = Posted({STANDING: Secrets(), VISIT: Secrets()})
    for (cooperation, kind), (writer, reader) in side.people.items():
        checklist_id = scene.demonstration.checklists[cooperation, kind]
        checklist = scene.session.get_one(Checklist, checklist_id)
        made = posted.by_class[VISIT if kind == "visit_roles" else STANDING]
        for item in (ITEMS[kind], None):
            made.post(scene.actor(writer), scene.actor(reader), checklist, item)
    assert service.remind_due(clock.today()) == 2 * len(side.people)
    scene.session.commit()
    return posted


def read_all(app: Flask, demonstration: Demonstration, key: str | None) -> Found:
    """Return all that a person comes by who follows every link."""
    start = "/" if key else "/guidance"
    browser = demonstration.browser(app, key)
    return crawl(browser, share=SHARE, shares=SHARES, start=start, read=False)


def comparable(found: Found) -> dict[str, tuple[int, str]]:
    """Return what stood at each address, byte by byte save for the tokens of forms."""
    return {
        address: (status, TOKEN.sub(r"\1", found.texts.get(address, "")))
        for address, status in found.statuses.items()
        if not TELLS_OF_READING.search(address)
    }


def test_for_everybody_else_not_a_byte_of_any_page_changes(
    app: Flask,
    demonstration: Demonstration,
    scene: Scene,
    side: Side,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    frozen_time(clock.now())  # what can be edited or done for a while only can be all the time
    before = {key: read_all(app, demonstration, key) for key in side.others}
    posted = post(scene, side)
    for key, earlier in before.items():
        found = read_all(app, demonstration, key)
        assert found.faults == []
        old, new = comparable(earlier), comparable(found)
        assert old.keys() == new.keys(), key
        changed = [address for address in old if old[address] != new[address]]
        assert changed == [], key
        told = {
            address: held
            for address, text in found.texts.items()
            if (held := posted.in_text(text)) or posted.in_text(address)
        }
        assert told == {}, key


def test_the_own_side_reads_them_and_on_a_visits_roles_the_cleared_alone(
    app: Flask, demonstration: Demonstration, scene: Scene, side: Side
) -> None:
    posted = post(scene, side)
    standing, visit = (posted.by_class[name] for name in (STANDING, VISIT))
    reader = side.people["complete", "visit_roles"][1]
    text = "\n".join(read_all(app, demonstration, reader).texts.values())
    assert [word for word in (*standing.standing, *visit.standing) if word not in text] == []
    assert [word for word in (*standing.withdrawn, *visit.withdrawn) if word in text] == []
    for key in side.uncleared:
        found = read_all(app, demonstration, key)
        text = "\n".join(found.texts.values())
        assert [word for word in standing.standing if word in text]
        assert posted.in_text(text, VISIT) == [], key
        assert [one for one in found.statuses if posted.in_text(one, VISIT)] == []
        assert list(answers(demonstration.browser(app, key), posted, VISIT)) == []


def answers(browser: CheckedClient, posted: Posted, *classes: str) -> Iterator[str]:
    """Ask for each comment by its address in every way; yield what isn't as if it was not there."""
    wanted = [one for name in classes for one in posted.by_class[name].comments]
    ways = [("GET", rest) for rest in ("", "/edit", "/withdraw", "/task")]
    ways += [
        ("POST", rest)
        for rest in ("/edit", "/withdraw", "/task", "/settle", "/reopen", "/seen", "/task/done")
    ]
    for method, rest in ways:
        nothing = uuid4()
        # A word that waits to be shown (a session ended) stands on one page only.
        ask(browser, method, f"/comments/{nothing}{rest}", str(nothing))
        plain = ask(browser, method, f"/comments/{nothing}{rest}", str(nothing))
        for one in wanted:
            if ask(browser, method, f"/comments/{one}{rest}", str(one)) != plain:
                yield f"{method} {rest}"


def ask(browser: CheckedClient, method: str, address: str, comment_id: str) -> tuple[int, str]:
    response = browser.open(
        address, method=method, data={"text": "x"} if method == "POST" else None, read=False
    )
    text = response.get_data(as_text=True) + (response.location or "")
    return response.status_code, TOKEN.sub(r"\1", text).replace(comment_id, "")


def test_by_its_address_a_comment_is_to_everybody_else_as_if_it_was_not_there(
    app: Flask, demonstration: Demonstration, scene: Scene, side: Side
) -> None:
    posted = post(scene, side)
    for key in side.others:
        browser = demonstration.browser(app, key)
        assert list(answers(browser, posted, STANDING, VISIT)) == [], key


def test_searching_exporting_and_errors_tell_nobody_else(
    app: Flask, demonstration: Demonstration, scene: Scene, side: Side
) -> None:
    posted = post(scene, side)
    words = [word for made in posted.everything() for word in made.words]
    plain = "0123456789abcdef"
    for key in side.others:
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
            assert posted.in_text(response.get_data(as_text=True)) == [], (key, address)


def found_by(browser: CheckedClient, page: str, word: str) -> str:
    """Return what a page answers to a word, the word itself taken out."""
    response = browser.open(f"{page}?q={word}&words={word}", read=False)
    return TOKEN.sub(r"\1", response.get_data(as_text=True)).replace(word, "")


def test_threads_and_lists_count_nothing_of_them(
    app: Flask, demonstration: Demonstration, scene: Scene, side: Side
) -> None:
    def pages() -> list[str]:
        shown = []
        for key in side.others:
            browser = demonstration.browser(app, key)
            for cooperation, kind in side.people:
                checklist_id = demonstration.checklists[cooperation, kind]
                for rest in ("", "/comments", f"/items/{ITEMS[kind]}/comments"):
                    for state in ("", "?state=open", "?state=settled"):
                        address = f"/checklists/{checklist_id}{rest}{state}"
                        response = browser.open(address, read=False)
                        text = TOKEN.sub(r"\1", response.get_data(as_text=True))
                        shown.append(f"{key} {address} {response.status} {text}")
        return shown

    before = pages()
    post(scene, side)
    assert pages() == before


def test_no_mail_holds_a_word_and_nobody_else_gets_one(scene: Scene, side: Side) -> None:
    before = {mail.id for mail in scene.mails()}
    posted = post(scene, side)
    mails = list(scene.session.scalars(sa.select(OutboxMessage)))
    fresh = [mail for mail in mails if mail.id not in before]
    readers = {scene.cast.users[reader].email for _writer, reader in side.people.values()}
    assert {mail.recipient for mail in fresh} == readers
    assert {mail.kind for mail in fresh} == {"comment_mention", "comment_task_due"}
    words = [word for made in posted.everything() for word in made.words]
    for mail in mails:
        assert [word for word in words if word in mail.subject + mail.body] == []


def test_the_trail_holds_nothing_of_them(scene: Scene, side: Side) -> None:
    asked = sa.select(sa.func.count()).select_from(Event)
    before = scene.session.scalar(asked)
    posted = post(scene, side)
    assert scene.session.scalar(asked) == before
    for content in scene.session.scalars(sa.select(EventDetail.content)):
        assert posted.in_text(str(content)) == []


def test_commands_print_nothing_of_them(
    app: Flask, demonstration: Demonstration, scene: Scene, side: Side
) -> None:
    runner = app.test_cli_runner()

    def run(*words: str) -> str:
        db.session.rollback()
        done = runner.invoke(args=list(words))
        assert done.exit_code == 0, done.output
        return done.output

    before = run("audit", "verify")
    posted = post(scene, side)
    assert run("audit", "verify") == before
    assert posted.in_text(run("outbox", "list")) == []
