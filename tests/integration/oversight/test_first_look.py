"""The register's first look: what is counted, in which order agreements come, who checked last.

In one file: counts, order and filters of one page have to agree.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import agreements
from tests.factories.checklists import decline_text, flag_term
from tests.factories.cooperations import Country, open_one
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import EVENTS, Tampering, hands
from tests.factories.visits import JointVisit, override, without_credential_of
from tests.pages import Page
from tracker.access.actor import Role
from tracker.activity.models import Event
from tracker.activity.stale import recompute
from tracker.activity.verbs import INTEGRITY_CHECKED
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, Flag
from tracker.checklists.negotiation import safeguards
from tracker.cooperations.models import Cooperation, Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.oversight import queries
from tracker.oversight.facts import AgreementState, Narrowing, Question, RegisterLine
from tracker.oversight.last_check import last_check
from tracker.oversight.models import RegisterEntry
from tracker.oversight.undertaking_register import queries as undertakings
from tracker.oversight.undertaking_register.facts import Access, Filters

DAY = dt.timedelta(days=1)
PAIR = {"npm": "tomas", "door": "henrik"}
WHO = ("milan", "henrik", "greta")
COUNTED = (
    "Declined",
    "Review overdue",
    "Waiting for signatures",
    "Open flags",
    "Ends within 90 days",
    "With an override",
)


def rows(page: Page) -> int:
    return sum(len(list(body.iter("tr"))) for body in page.root.iter("tbody"))


def counted(page: Page) -> Iterator[tuple[str, int, str]]:
    """Yield each count of the first look: its label, the number, its link or nothing."""
    for navigation in page.root.iter("nav"):
        if navigation.attrib.get("aria-label") != "Needs attention":
            continue
        for entry in navigation.iter("li"):
            link = entry.find("a")
            words = " ".join("".join(entry.itertext()).split())
            label, number = words.rsplit(" ", 1)
            yield label, int(number), "" if link is None else link.attrib["href"]


def in_force(country: Country, terms: Checklist, begins: int, ends: int, review: int = 0) -> None:
    today = clock.today()
    review_on = today + review * DAY if review else None
    term = agreements.term(today + begins * DAY, today + ends * DAY, review_on)
    agreements.answer(country, terms, "M19", **term)
    agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "tomas", "henrik")


def flagged(country: Country, terms: Checklist) -> Flag:
    today = clock.today()
    agreements.answer(country, terms, "M19", **agreements.term(today, today + 300 * DAY))
    return flag_term(country.actor("ilena"), terms, "M19", "A ministry decides.")


@pytest.fixture
def cooperation(country: Country) -> Cooperation:
    return open_one(country, "door", modes=(Mode.VISIT,))


@pytest.fixture
def terms(cooperation: Cooperation) -> Checklist:
    return agreements.checklist_of(cooperation, ChecklistKind.TERMS)


def lines(country: Country, first: str = "nadia", **filters: object) -> list[RegisterLine]:
    question = Question(**filters)  # type: ignore[arg-type] # the fields of a query
    recompute()
    page = queries.lines(country.actor(first), question, limit=1_000)
    overview = queries.overview(country.actor(first), question)
    assert overview.counts[question.narrowing or ""] == len(page) == sum(overview.needs.values())
    return page


# Counts


@pytest.mark.both_databases
def test_each_count_leads_to_exactly_these_agreements(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    joint_visit = JointVisit(session, demonstration)
    override(joint_visit.actor("milan"), without_credential_of(joint_visit, "ruth"))
    flag_term(
        joint_visit.actor("samira"),
        session.get_one(Checklist, demonstration.checklists["differing", "terms"]),
        "M9",
        "A ministry would decide.",
    )
    session.commit()
    for who in WHO:
        browser = demonstration.browser(app, who)
        for narrowed in ("", "?q=police", "?kind=terms&party=lantern"):
            first_look = list(counted(browser.page(f"/register{narrowed}")))
            agreement_counts = [entry for entry in first_look if "Undertakings" not in entry[0]]
            labels = [label.split(",")[0] for label, _n, _url in agreement_counts]
            assert labels == list(COUNTED), (who, narrowed)
            for label, number, url in agreement_counts:
                assert bool(url) == (number > 0), (who, narrowed, label)
                if url:
                    page = browser.page(url)
                    assert rows(page) == number, (who, narrowed, label)
                    assert (label, number, url) in list(counted(page)), (who, narrowed)
            if not narrowed:
                numbers = {label.split(",")[0]: number for label, number, _url in first_look}
                assert numbers["Open flags"] == 1, who
                assert numbers["With an override"] == 1, who
                assert numbers["Waiting for signatures"] == (0 if who == "henrik" else 1), who


def test_undertakings_are_counted_for_whoever_sees_their_register_beside_filters_they_have(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    browser = demonstration.browser(app, "milan")
    entry = next(
        entry for entry in counted(browser.page("/register")) if "Undertakings" in entry[0]
    )
    label, number, url = entry
    joint_visit = JointVisit(session, demonstration)
    expected = undertakings.counts(joint_visit.actor("milan"), Filters())[Access.NOT_YET]
    assert (label, number) == ("Undertakings without access yet", expected)
    if url:
        assert rows(browser.page(url)) == number
    for question in ("kind=terms", "mode=VISIT", "from=2026-01-01"):
        entries = counted(browser.page(f"/register?{question}"))
        assert not [label for label, _n, _url in entries if "Undertakings" in label], question
    # A CSO has no such register.
    assert "Undertakings" not in demonstration.browser(app, "henrik").page("/register").text


def test_since_when_is_that_of_the_text_sent_first(
    country: Country, terms: Checklist, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    today = clock.today()
    agreements.send(country, terms, PAIR)
    other = agreements.checklist_of(open_one(country, "door", title="Another"), ChecklistKind.TERMS)
    db.session.commit()
    frozen_time(clock.now() + 3 * DAY)
    agreements.send(country, other, PAIR)
    recompute()
    nadia = country.actor("nadia")
    assert queries.overview(nadia, Question()).waiting_since == today
    assert queries.overview(nadia, Question("Another")).waiting_since == today + 3 * DAY
    agreements.sign(country, terms, "tomas", "henrik")
    recompute()
    assert queries.overview(nadia, Question()).waiting_since == today + 3 * DAY


def test_since_when_is_not_that_of_a_text_that_nobody_can_sign_any_more(
    country: Country, terms: Checklist, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    today, nadia = clock.today(), country.actor("nadia")
    agreements.send(country, terms, PAIR, until=today + 5 * DAY)
    other = agreements.checklist_of(open_one(country, "door", title="Another"), ChecklistKind.TERMS)
    db.session.commit()
    frozen_time(clock.now() + 3 * DAY)
    agreements.send(country, other, PAIR)
    recompute()
    frozen_time(clock.now() + 2 * DAY)
    assert queries.overview(nadia, Question()).waiting_since == today
    frozen_time(clock.now() + DAY)
    overview = queries.overview(nadia, Question())
    assert overview.counts[Narrowing.LACKS_SIGNATURES] == 1
    assert overview.waiting_since == today + 3 * DAY


def test_no_day_and_no_flag_of_a_visits_text_is_in_an_entry(
    session: Session, demonstration: Demonstration
) -> None:
    """What is answered about a visit, and when its texts were sent, is planning (K2)."""
    joint_visit = JointVisit(session, demonstration)
    of_visits = (
        sa.select(RegisterEntry)
        .join(Checklist, Checklist.id == RegisterEntry.checklist_id)
        .where(Checklist.visit_id.is_not(None))
    )
    entries = session.scalars(of_visits).all()
    assert entries
    assert {(entry.is_flagged, entry.sent_on, entry.from_on) for entry in entries} == {
        (False, None, None)
    }
    milan = joint_visit.actor("milan")
    for question in (Question(from_on=dt.date.min), Question(until_on=dt.date.max)):
        dated = queries.lines(milan, question, limit=1_000)
        assert dated
        assert [line for line in dated if line.visit] == []


def test_a_flag_counts_until_it_is_explained(country: Country, terms: Checklist) -> None:
    flag = flagged(country, terms)
    ilena = country.actor("ilena")
    assert [line.checklist_id for line in lines(country, narrowing=Narrowing.FLAGGED)] == [terms.id]
    assert lines(country)[0].is_flagged
    safeguards.explain_flag(ilena, terms, flag.id, "The NPM decides.")
    assert lines(country, narrowing=Narrowing.FLAGGED) == []


# Order


@pytest.mark.both_databases
def test_what_needs_a_manager_most_comes_first_and_drafts_last(country: Country) -> None:
    cooperations = [
        open_one(country, "door", title=title)
        for title in ("In force", "Overdue", "Sent", "Declined", "Ending", "Ended", "Flagged")
    ]
    of = {
        cooperation.title: agreements.checklist_of(cooperation, ChecklistKind.TERMS)
        for cooperation in cooperations
    }
    in_force(country, of["In force"], -10, 300, 100)
    in_force(country, of["Overdue"], -300, 300, -1)
    in_force(country, of["Ending"], -10, 90, 30)
    in_force(country, of["Ended"], -300, -1, -100)
    for title in ("Sent", "Declined"):
        agreements.send(country, of[title], PAIR)
    decline_text(country.actor("henrik"), of["Declined"], reason="Too long.", items=["M19"])
    flagged(country, of["Flagged"])
    recompute()
    nadia = country.actor("nadia")
    whole = lines(country)
    assert [line.title for line in whole][:7] == [
        "Declined",
        "Overdue",
        "Sent",
        "Flagged",
        "Ending",
        "In force",
        "Ended",
    ]
    assert {line.state for line in whole[7:]} == {AgreementState.DRAFTING}
    for size in (1, 3, 4):
        shown = [
            line
            for offset in range(0, len(whole) + size, size)
            for line in queries.lines(nadia, Question(), offset=offset, limit=size)
        ]
        assert shown == whole
    exported = [line for some in queries.all_lines(nadia, Question()) for line in some]
    assert exported == whole


def test_drafts_are_folded_below_other_agreements(
    app: Flask, country: Country, terms: Checklist, session: Session
) -> None:
    session.commit()
    browser = country.browser(app, "nadia")
    assert "drafts</summary>" not in browser.page("/register").html
    in_force(country, terms, -10, 300)
    session.commit()
    page = browser.page("/register")
    before, folded = page.html.split("1 draft</summary>")
    assert str(terms.id) in before
    assert "Joint monitoring of police custody" in folded
    assert "draft</summary>" not in browser.page("/register?state=drafting").html


# Filters


@pytest.mark.both_databases
def test_a_party_is_found_by_its_name_alone(country: Country) -> None:
    door = open_one(country, "door", title="Lantern is in the title")
    other = open_one(country, "lantern", title="Another")
    assert {line.reference for line in lines(country, party="lantern")} == {other.reference}
    assert {line.reference for line in lines(country, party="legal DOOR")} == {door.reference}
    assert lines(country, party="lantern door") == []
    assert lines(country, party="%") == []


def test_a_kind_is_found_alone(country: Country, cooperation: Cooperation) -> None:
    for kind in (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY):
        assert [line.kind for line in lines(country, kind=kind)] == [kind]
    assert lines(country, kind=ChecklistKind.VISIT_ROLES) == []


# The first and the last of some days, from today, and whether they find terms from -10 to 30.
DAYS = {
    (None, None): True,
    (-10, None): True,
    (30, None): True,
    (31, None): False,
    (None, -11): False,
    (None, -10): True,
    (-100, -11): False,
    (5, 6): True,
    (31, 40): False,
}


@pytest.mark.both_databases
def test_dates_find_what_is_valid_on_one_of_the_days(country: Country, terms: Checklist) -> None:
    in_force(country, terms, -10, 30)
    today = clock.today()
    for (first, last), is_found in DAYS.items():
        days: dict[str, Any] = {
            name: today + days * DAY
            for name, days in (("from_on", first), ("until_on", last))
            if days is not None
        }
        listed = lines(country, **days)
        of_terms = [line.checklist_id for line in listed if line.kind is ChecklistKind.TERMS]
        assert of_terms == ([terms.id] if is_found else []), (first, last)
        if days:  # a draft has no days
            assert all(line.kind is ChecklistKind.TERMS for line in listed), (first, last)


def test_undertakings_are_a_kind_that_leads_to_their_register(
    app: Flask, demonstration: Demonstration
) -> None:
    browser = demonstration.browser(app, "milan")
    assert "Personal undertakings" in browser.page("/register").html
    answer = browser.get("/register?kind=undertakings&q=police&party=lantern")
    assert answer.status_code == 303
    assert answer.location == "/register/undertakings?cooperation=police+lantern"
    # For whoever may not see them there is no such kind.
    cso = demonstration.browser(app, "henrik")
    assert cso.get("/register?kind=undertakings").status_code == 404
    assert "Personal undertakings" not in cso.page("/register").html


def test_filters_stay_in_links_fields_and_export(app: Flask, demonstration: Demonstration) -> None:
    browser = demonstration.browser(app, "milan")
    chosen = {"kind": "terms", "party": "lantern", "from": "2020-01-01", "until": "2030-12-31"}
    query = "&".join(f"{name}={value}" for name, value in chosen.items())
    page = browser.page(f"/register?{query}&q=custody&state=in_force")
    for form in (page.form("/register/export"), page.form("")):
        filled = form.filled_in()
        for name, value in {**chosen, "q": "custody", "state": "in_force"}.items():
            assert filled[name] == [value], name
    for _label, _number, url in counted(page):
        assert not url or all(f"{name}={value}" in url for name, value in chosen.items())
    export = browser.post("/register/export", data=chosen | {"q": "", "state": ""})
    assert export.get_data(as_text=True).count("\n") == 1 + rows(browser.page(f"/register?{query}"))


def test_a_date_that_cannot_be_read_stays_in_its_field_with_a_message_and_nothing_is_listed(
    app: Flask, demonstration: Demonstration
) -> None:
    browser = demonstration.browser(app, "milan")
    for value in ("2026-02-30", "yesterday", "31.12.2026", "99999-01-01", "1066-01-01", "x" * 40):
        for name in ("from", "until"):
            page = browser.page(f"/register?{name}={value}&q=custody")
            assert "There is a problem" in page.text
            assert "Enter a date" in page.text or "Enter a year" in page.text
            assert "Correct the date to see agreements." in page.text
            assert page.form("").filled_in()[name] == [value]
            assert page.form("").filled_in()["q"] == ["custody"]
            assert rows(page) == 0
            assert not page.forms("/register/export")
            exported = browser.post("/register/export", data={name: value})
            assert exported.status_code == 404, value


def test_the_states_of_the_register_add_up_to_all_agreements(
    app: Flask, demonstration: Demonstration
) -> None:
    page = demonstration.browser(app, "milan").page("/register")
    states = ("Begins later", "In force", "Waiting for signatures", "Declined", "Draft")
    counts = {}
    for label in ("All", *states):
        (number,) = {
            int(words.removeprefix(label))
            for words in page.links()
            if re.fullmatch(rf"{label} \d+", words)
        }
        counts[label] = number
    assert counts["All"] == sum(counts[label] for label in states)
    assert all(counts.values())


# The last check


def test_the_register_names_who_checked_last_and_when(
    app: Flask, demonstration: Demonstration
) -> None:
    manager, auditor = (demonstration.browser(app, who) for who in ("milan", "greta"))
    nothing = "Nobody has checked yet whether anything was altered."
    assert nothing in manager.page("/register").text
    manager.submit("/register", action="/register/check")
    for browser in (manager, auditor):
        text = browser.page("/register").text
        assert "Nothing was altered: last checked on" in text
        assert "by Milan" in text
    # A partner's register was not checked by that.
    assert nothing in demonstration.browser(app, "henrik").page("/register").text
    auditor.submit("/register", action="/register/check")
    assert "by Greta" in manager.page("/register").text


def test_a_check_by_the_command_counts_for_every_register(
    app: Flask, demonstration: Demonstration
) -> None:
    result = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert result.exit_code == 0, result.output
    for who in WHO:
        text = demonstration.browser(app, who).page("/register").text
        assert "Nothing was altered: the whole instance was last checked on" in text


def test_a_check_that_finds_something_altered_is_not_recorded(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    with app.app_context(), hands() as connection:
        other = Tampering(connection, demonstration.cooperations["waiting"])
        other.update(EVENTS, other.event_id(3), verb="signed")
    answer = demonstration.browser(app, "milan").post("/register/check")
    assert "Something was altered." in answer.get_data(as_text=True)
    assert app.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 1
    recorded = sa.select(sa.func.count()).where(Event.verb == INTEGRITY_CHECKED.name)
    assert session.scalar(recorded) == 0
    assert last_check(JointVisit(session, demonstration).actor("milan")) is None


def test_a_manager_of_a_partner_records_a_check_of_its_own_register_only(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    demonstration.browser(app, "henrik").post("/register/check")
    joint_visit = JointVisit(session, demonstration)
    line = last_check(joint_visit.actor("henrik"))
    assert line is not None
    assert line.who == joint_visit.actor("henrik").name
    assert joint_visit.actor("henrik").has(Role.MANAGER)
    assert last_check(joint_visit.actor("milan")) is None
