"""The history of a cooperation: milestones, days, acts, names of items, and values on opening."""

import datetime as dt
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import plans
from tests.bench import growth
from tests.bench.growth import GrowingPage
from tests.factories import agreements
from tests.factories.checklists import whole
from tests.factories.cooperations import Country, copied_country, open_one
from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit
from tests.pages import Page
from tracker.activity import queries as trail
from tracker.activity import verbs
from tracker.activity.kinds import VERBS_OF, EventKind
from tracker.activity.queries import HistoryLine
from tracker.activity.service import record
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db

pytestmark = pytest.mark.some_on_postgresql(5)

DAY = dt.timedelta(days=1)
MINUTES = dt.timedelta(minutes=38)
LINK = re.compile(r'href="([^"]*open=[^"]*)#e-')
CODE = re.compile(r"\b[MCVU]\d{1,2}\b")


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def cooperation(country: Country) -> Cooperation:
    return open_one(country, "door")


@pytest.fixture
def terms(cooperation: Cooperation) -> Checklist:
    return agreements.checklist_of(cooperation, ChecklistKind.TERMS)


def address(cooperation: Cooperation, query: str = "") -> str:
    return f"/cooperations/{cooperation.reference}/history{query}"


def milestones(page: Page) -> str:
    """Return the part of a page with the milestones, or nothing."""
    begins = page.html.find('id="milestones-h"')
    return "" if begins < 0 else page.html[begins : page.html.index('class="filters"')]


# Milestones, days and acts


def test_milestones_come_first_and_only_on_the_first_page_of_everything(
    app: Flask, demonstration: Demonstration
) -> None:
    browser = demonstration.browser(app, "milan")
    history = f"/cooperations/{demonstration.references['complete']}/history"
    page = browser.page(history)
    first = milestones(page)
    assert "all have signed" in first
    assert "was answered" not in first
    assert page.html.index("milestones-h") < page.html.index("items accepted")
    assert milestones(browser.page(page.links()["Next"])) == ""
    assert milestones(browser.page(f"{history}?kind=signing")) == ""
    every = browser.page(page.links()["All milestones"])
    assert "was opened between" in every.text
    assert "items accepted" not in every.text


def test_similar_acts_of_a_day_are_one_line_with_their_times(
    app: Flask,
    country: Country,
    session: Session,
    cooperation: Cooperation,
    terms: Checklist,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    first_day = dt.datetime(2031, 3, 4, 14, 2, tzinfo=dt.UTC)
    for code, when in (("M18", first_day), ("M9", first_day + MINUTES), ("M17", first_day + DAY)):
        frozen_time(when)
        agreements.answer(country, terms, code, **whole(load(terms), code))
    session.commit()
    page = country.browser(app, "ilena").page(address(cooperation))
    text = page.text
    assert "4 March 2031" in text
    assert "5 March 2031" in text
    assert "14:02 to 14:40 2 items answered; Agreed terms; Office of the People's" in text
    assert "14:02 Open Door Legal Aid accepts “Disagreement”, version 1." in text
    assert text.index("5 March 2031") < text.index("4 March 2031")


@pytest.mark.both_databases
def test_items_are_called_by_their_names(app: Flask, demonstration: Demonstration) -> None:
    for who in ("ilena", "samira", "milan"):
        reference = demonstration.references["differing"]
        page = demonstration.browser(app, who).page(f"/cooperations/{reference}/history")
        shown = page.html[page.html.index("<main") :]
        assert "“Disagreement” was answered, version 1." in shown
        assert CODE.findall(re.sub(r"<[^>]+>", " ", shown)) == []


# Values


@pytest.mark.both_databases
def test_values_before_and_after_are_shown_on_opening(
    app: Flask, country: Country, session: Session, cooperation: Cooperation, terms: Checklist
) -> None:
    today = clock.today()
    agreements.answer(country, terms, "M19", **agreements.term(today, today + 300 * DAY))
    before = agreements.current(terms, "M19")
    agreements.change(country, terms, "M19", before, **agreements.term(today, today + 400 * DAY))
    session.commit()
    for who in ("ilena", "samira", "nadia", "ada"):
        browser = country.browser(app, who)
        page = browser.page(address(cooperation))
        newest = LINK.findall(page.html)[0].replace("&amp;", "&")
        opened = browser.page(newest)
        assert "What changed since version 1:" in opened.text
        assert "What changed since version 1:" not in page.text
        assert "<ins" in opened.html


@pytest.mark.both_databases
def test_values_of_a_visits_texts_and_of_other_cooperations_are_not_shown(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    joint_visit = JointVisit(session, demonstration)
    saved = trail.story(
        demonstration.cooperations["complete"],
        joint_visit.actor("leyla"),
        of=VERBS_OF[EventKind.ANSWERS],
        limit=1_000,
    )[0]
    of_visit = [
        line
        for line in saved
        if line.verb == "answer_saved" and line.details["kind"] == "visit_roles"
    ]
    assert of_visit
    # Leyla may open the visit's texts, where opening them is recorded; not here.
    browser = demonstration.browser(app, "leyla")
    history = f"/cooperations/{demonstration.references['complete']}/history"
    for line in of_visit:
        page = browser.page(f"{history}?kind=answers&open={line.event_id}")
        assert f"#e-{line.event_id}" not in page.html
        assert "What changed since" not in page.text
    elsewhere = trail.story(
        demonstration.cooperations["differing"], joint_visit.actor("ilena"), limit=1_000
    )[0]
    answered = next(line for line in elsewhere if line.verb == "answer_saved")
    other = demonstration.browser(app, "milan").page(f"{history}?open={answered.event_id}")
    assert 'class="answer"' not in other.html


def test_odd_parameters_are_answered_in_plain_words(
    app: Flask, demonstration: Demonstration
) -> None:
    browser = demonstration.browser(app, "milan")
    history = f"/cooperations/{demonstration.references['complete']}/history"
    for question in (
        "open=%00",
        "open=x",
        "page=-1",
        "page=%FF",
        "page=2",
    ):
        page = browser.page(f"{history}?{question}")
        assert page.h1 == "History", question
        assert "was opened" in page.text or "Next" in page.links(), question
    assert "There's nothing more here." in browser.page(f"{history}?page={uuid4()}").text
    for question in ("kind=unknown", "kind=%00"):
        assert browser.get(f"{history}?{question}").status_code == 404, question


def test_people_of_other_cooperations_find_no_history(
    app: Flask, demonstration: Demonstration
) -> None:
    waiting = f"/cooperations/{demonstration.references['waiting']}/history"
    for who in ("samira", "henrik", "vera", "iris"):
        assert demonstration.browser(app, who).get(waiting).status_code == 404, who


# Kinds and pages


@pytest.mark.both_databases
@pytest.mark.parametrize("who", ["milan", "samira", "leyla", "greta"])
def test_each_event_is_found_by_its_kind_and_none_that_the_person_may_not_see(
    session: Session, demonstration: Demonstration, who: str
) -> None:
    actor = JointVisit(session, demonstration).actor(who)
    cooperation_id = demonstration.cooperations["complete"]
    _total, whole = trail.history(cooperation_id, reader=actor, limit=10_000)
    assert trail.story(cooperation_id, actor, limit=10_000) == (whole, False)
    of_kinds = [
        line.event_id
        for kind in EventKind
        if kind is not EventKind.MILESTONES
        for line in trail.story(cooperation_id, actor, of=VERBS_OF[kind], limit=10_000)[0]
    ]
    assert sorted(map(str, of_kinds)) == sorted(str(line.event_id) for line in whole)


@pytest.mark.both_databases
def test_pages_follow_each_other_also_when_something_happens_meanwhile(
    session: Session, demonstration: Demonstration
) -> None:
    joint_visit = JointVisit(session, demonstration)
    actor, cooperation_id = joint_visit.actor("milan"), demonstration.cooperations["complete"]
    whole = trail.story(cooperation_id, actor, limit=10_000)[0]
    seen: list[HistoryLine] = []
    after: UUID | None = None
    has_more = True
    while has_more:
        lines, has_more = trail.story(cooperation_id, actor, after=after, limit=40)
        seen += lines
        after = lines[-1].event_id
        if len(seen) == 40:
            add_an_event(joint_visit)
    assert [line.event_id for line in seen] == [line.event_id for line in whole]


def add_an_event(joint_visit: JointVisit) -> None:
    """Let something happen in the cooperation."""
    record(
        verbs.OUTSIDE_BODY_ADDED,
        actor=joint_visit.actor("ilena"),
        subject_type="cooperation",
        subject_id=joint_visit.demonstration.cooperations["complete"],
        cooperation_id=joint_visit.demonstration.cooperations["complete"],
        name="Ministry of Justice",
        kind="authority",
    )


@pytest.mark.both_databases
def test_a_page_counts_nothing_and_finds_milestones_by_an_index(
    app: Flask,
    demonstration: Demonstration,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    browser = demonstration.browser(app, "milan")
    history = f"/cooperations/{demonstration.references['complete']}/history"
    with statements() as sent:
        browser.get(history)
    assert not [statement for statement in sent if statement.startswith("SELECT count")]
    taken = growth.ask(app, browser, GrowingPage("history", "milan", f"{history}?kind=milestones"))
    with app.app_context():
        if db.engine.dialect.name == "sqlite":  # the other reads few rows without an index
            assert "ix_event_verb" in plans.indexes(db.session.connection(), taken.statements)
