"""The register: which agreements it lists, with which status and dates.

In one file: states, filters and pages of one list.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import due
from tests.factories import agreements
from tests.factories.checklists import decline_text
from tests.factories.cooperations import Country, open_one
from tests.pages import Page
from tracker.access.actor import OrganisationKind, Role
from tracker.activity import queries as trail
from tracker.activity.stale import recompute
from tracker.agreements import notices
from tracker.agreements import service as agreements_service
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, NoticeKind
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import FEW_LETTERS, Cooperation, CooperationEntry, Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.oversight import entries, queries
from tracker.oversight.facts import AgreementState, Narrowing, Question, RegisterLine
from tracker.oversight.models import EntryState, RegisterEntry
from tracker.worker import recheck

DAY = dt.timedelta(days=1)
PAIR = {"npm": "tomas", "door": "henrik"}


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
    assert queries.counts(country.actor(first), question)[question.narrowing or ""] == len(page)
    assert [
        line for some in queries.all_lines(country.actor(first), question) for line in some
    ] == page
    return page


def line(country: Country, kind: ChecklistKind, first: str = "nadia") -> RegisterLine:
    return next(line for line in lines(country, first) if line.kind is kind and line.visit is None)


def in_force(country: Country, terms: Checklist, begins: int, ends: int, review: int = 0) -> None:
    """Sign terms that run from and until this many days from today."""
    today = clock.today()
    agreements.answer(
        country,
        terms,
        "M19",
        **agreements.term(
            today + begins * DAY, today + ends * DAY, today + review * DAY if review else None
        ),
    )
    agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "tomas", "henrik")


# States and dates


def test_a_draft_has_no_dates_and_no_signatures(country: Country, terms: Checklist) -> None:
    today = clock.today()
    agreements.answer(country, terms, "M19", **agreements.term(today, today + 300 * DAY))
    result = line(country, ChecklistKind.TERMS)
    assert result.state is AgreementState.DRAFTING
    assert (result.signed, result.to_sign, result.revision) == (None, None, None)
    assert (result.from_on, result.until_on, result.form) == (None, None, "")
    assert [name for _id, name in result.parties] == [
        "Office of the People's Advocate",
        "Open Door Legal Aid",
    ]


def test_a_sent_text_lists_those_who_have_yet_to_sign_until_it_is_called_back(
    country: Country, terms: Checklist
) -> None:
    agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "tomas")
    result = line(country, ChecklistKind.TERMS)
    assert result.state is AgreementState.WAITING
    assert (result.signed, result.to_sign, result.revision) == (1, 2, 1)
    assert result.waiting_for == ("Open Door Legal Aid",)
    agreements_service.call_back(country.actor("ilena"), terms, reason="A word is missing.")
    assert line(country, ChecklistKind.TERMS).state is AgreementState.DRAFTING


def test_a_declined_text_says_so_until_it_is_sent_again(country: Country, terms: Checklist) -> None:
    agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "tomas")
    decline_text(
        country.actor("henrik"),
        terms,
        reason="Too long a term.",
        items=["M19"],
    )
    result = line(country, ChecklistKind.TERMS)
    assert result.state is AgreementState.DECLINED
    assert (result.signed, result.to_sign) == (1, 2)
    assert [line.kind for line in lines(country, narrowing=Narrowing.DECLINED)] == [
        ChecklistKind.TERMS
    ]
    agreements.send(country, terms, PAIR)
    assert line(country, ChecklistKind.TERMS).state is AgreementState.WAITING
    assert lines(country, narrowing=Narrowing.DECLINED) == []


IN_FORCE = Narrowing.IN_FORCE
# From when, until when and with which review, in days from today; what the register says of it, and
# the filters that find it.
DATES = {
    (1, 300, 100): (AgreementState.BEGINS_LATER, {Narrowing.BEGINS_LATER}),
    (1, 40, 30): (AgreementState.BEGINS_LATER, {Narrowing.BEGINS_LATER}),
    (0, 300, 100): (AgreementState.IN_FORCE, {IN_FORCE}),
    (-10, 91, 30): (AgreementState.IN_FORCE, {IN_FORCE}),
    (-10, 90, 30): (AgreementState.ENDS_SOON, {IN_FORCE, Narrowing.ENDS_SOON}),
    (-10, 1, 0): (AgreementState.ENDS_SOON, {IN_FORCE, Narrowing.ENDS_SOON}),
    (-300, 300, -1): (AgreementState.REVIEW_OVERDUE, {IN_FORCE, Narrowing.REVIEW_OVERDUE}),
    (-300, -1, -100): (AgreementState.ENDED, {Narrowing.ENDED}),
}


@pytest.mark.both_databases
def test_dates_decide_the_state_of_signed_terms_and_by_which_filters_they_are_found(
    country: Country,
) -> None:
    signed = {}
    for dates in DATES:
        opened = open_one(country, "door", modes=(Mode.VISIT,), title=f"Visits, {dates}")
        signed[dates] = agreements.checklist_of(opened, ChecklistKind.TERMS)
        in_force(country, signed[dates], *dates)
    by_id = {line.checklist_id: line for line in lines(country)}
    listed = {
        narrowing: {line.checklist_id for line in lines(country, narrowing=narrowing)}
        for narrowing in Narrowing
    }
    for dates, (state, filters) in DATES.items():
        (begins, ends, _review), terms = dates, signed[dates]
        result = by_id[terms.id]
        assert result.state is state, dates
        assert (result.from_on, result.until_on) == (
            clock.today() + begins * DAY,
            clock.today() + ends * DAY,
        ), dates
        assert (result.signed, result.to_sign) == (2, 2), dates
        assert {narrowing for narrowing in Narrowing if terms.id in listed[narrowing]} == filters, (
            dates
        )


def test_the_last_day_is_included(
    country: Country, terms: Checklist, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    in_force(country, terms, -10, 1)
    now = clock.now()
    frozen_time(now + DAY)
    assert terms.id in {line.checklist_id for line in lines(country, narrowing=Narrowing.IN_FORCE)}
    assert lines(country, narrowing=Narrowing.ENDED) == []
    frozen_time(now + 2 * DAY)
    assert lines(country, narrowing=Narrowing.IN_FORCE) == []
    assert [line.state for line in lines(country, narrowing=Narrowing.ENDED)] == [
        AgreementState.ENDED
    ]


def test_an_amendment_keeps_the_dates_of_the_text_in_force(
    country: Country, terms: Checklist
) -> None:
    in_force(country, terms, -10, 300, 100)
    before = line(country, ChecklistKind.TERMS)
    agreements_service.amend(country.actor("ilena"), terms, reason="A longer term.", items=["M19"])
    today = clock.today()
    current = agreements.current(terms, "M19")
    agreements.change(
        country,
        terms,
        "M19",
        current,
        **agreements.term(today, today + 700 * DAY, today + 300 * DAY),
    )
    drafted = line(country, ChecklistKind.TERMS)
    assert drafted.is_amended
    assert (drafted.state, drafted.from_on, drafted.until_on) == (
        AgreementState.IN_FORCE,
        before.from_on,
        before.until_on,
    )
    agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "henrik")
    sent = line(country, ChecklistKind.TERMS)
    assert (sent.is_amended, sent.until_on, sent.signed) == (True, before.until_on, 2)
    assert sent.waiting_for == ("Office of the People's Advocate",)
    assert [line.kind for line in lines(country, narrowing=Narrowing.LACKS_SIGNATURES)] == [
        ChecklistKind.TERMS
    ]
    agreements.sign(country, terms, "tomas")
    after = line(country, ChecklistKind.TERMS)
    assert (after.is_amended, after.until_on, after.revision) == (False, today + 700 * DAY, 2)


@pytest.mark.parametrize(
    ("kind", "state", "narrowing"),
    [
        (NoticeKind.SUSPENDED, AgreementState.SUSPENDED, Narrowing.SUSPENDED),
        (NoticeKind.ENDED, AgreementState.ENDED, Narrowing.ENDED),
    ],
)
def test_a_suspended_or_ended_text_is_shown_with_its_signatures(
    country: Country,
    terms: Checklist,
    kind: NoticeKind,
    state: AgreementState,
    narrowing: Narrowing,
) -> None:
    in_force(country, terms, -10, 300, 100)
    before = line(country, ChecklistKind.TERMS)
    # A text that has ended had its last day before the notice.
    last = clock.today() - DAY if kind is NoticeKind.ENDED else before.until_on
    notices.give_notice(country.actor("henrik"), terms, kind, reason="Not safe.")
    result = line(country, ChecklistKind.TERMS)
    assert (result.state, result.is_amended) == (state, False)
    assert (result.revision, result.until_on) == (before.revision, last)
    assert (result.signed, result.to_sign) == (2, 2)
    assert [line.kind for line in lines(country, narrowing=narrowing)] == [ChecklistKind.TERMS]
    for other in (Narrowing.IN_FORCE, Narrowing.DRAFTING, Narrowing.DECLINED):
        assert ChecklistKind.TERMS not in [line.kind for line in lines(country, narrowing=other)]


def test_a_renewal_moves_the_last_day(
    app: Flask,
    country: Country,
    terms: Checklist,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    today = clock.today()
    dates = agreements.term(today - 10 * DAY, today + 9 * DAY) | {"renewal": "automatic"}
    agreements.answer(country, terms, "M19", **dates)
    agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "tomas", "henrik")
    frozen_time(clock.now() + 10 * DAY)
    assert line(country, ChecklistKind.TERMS).state is AgreementState.ENDED
    assert due.renew_due(clock.today()) == 1
    result = line(country, ChecklistKind.TERMS)
    # The review that nobody has held stays due.
    assert (result.state, result.until_on) == (AgreementState.REVIEW_OVERDUE, today + 29 * DAY)
    db.session.commit()
    page = country.browser(app, "nadia").page(f"/register/{result.checklist_id}")
    assert "No new visit until it's held" in page.text
    reviews = f"/cooperations/{result.reference}/reviews"
    assert page.links()["Go to the review"] == reviews


def test_a_party_of_several_is_waited_for_until_enough_have_signed(
    country: Country, terms: Checklist
) -> None:
    country.person("Milan Orsk", "npm", Role.SIGNATORY, power="Decision of the board")
    agreements.send(country, terms, PAIR, also={"npm": ("milan",)})
    db.session.commit()
    agreements.sign(country, terms, "milan", "henrik")
    result = line(country, ChecklistKind.TERMS)
    assert (result.state, result.signed, result.to_sign) == (AgreementState.WAITING, 2, 3)
    assert result.waiting_for == ("Office of the People's Advocate",)
    agreements.sign(country, terms, "tomas")
    assert line(country, ChecklistKind.TERMS).waiting_for == ()


def test_confidentiality_runs_until_the_day_of_c1(
    country: Country, cooperation: Cooperation
) -> None:
    today = clock.today()
    checklist = agreements.checklist_of(cooperation, ChecklistKind.CONFIDENTIALITY)
    until = today + 40 * DAY
    agreements.answer(country, checklist, "C1", scope="all_until", until=until.isoformat())
    agreements.send(country, checklist, PAIR)
    agreements.sign(country, checklist, "tomas", "henrik")
    result = line(country, ChecklistKind.CONFIDENTIALITY)
    assert (result.from_on, result.until_on) == (today, until)
    assert result.state is AgreementState.ENDS_SOON
    assert [line.kind for line in lines(country, narrowing=Narrowing.ENDS_SOON)] == [
        ChecklistKind.CONFIDENTIALITY
    ]


def test_the_form_comes_from_m3(country: Country, terms: Checklist) -> None:
    agreements.answer(
        country,
        terms,
        "M3",
        in_scope=["VISIT"],
        in_words="Joint visits to police stations.",
        out_of_scope="Nothing else.",
        form="contract",
    )
    assert line(country, ChecklistKind.TERMS).form == ""
    agreements.send(country, terms, PAIR)
    assert line(country, ChecklistKind.TERMS).form == "contract"


# Narrowing


@pytest.mark.both_databases
def test_each_way_of_narrowing_keeps_as_many_as_it_counts(
    country: Country, cooperation: Cooperation, terms: Checklist
) -> None:
    in_force(country, terms, -10, 30)
    other = open_one(country, "lantern", modes=(Mode.COAL,), title="Advocacy on transport")
    agreements.send(
        country,
        agreements.checklist_of(other, ChecklistKind.TERMS),
        {"npm": "tomas", "lantern": "joana"},
    )
    for question in (Question(), Question("transport"), Question(mode=Mode.VISIT)):
        counts = queries.counts(country.actor("nadia"), question)
        for key, count in counts.items():
            narrowed = Question(question.words, question.mode, Narrowing(key) if key else None)
            assert len(queries.lines(country.actor("nadia"), narrowed, limit=1_000)) == count, (
                question,
                key,
            )
    assert queries.counts(country.actor("nadia"), Question())[Narrowing.ENDS_SOON] == 1


def test_terms_that_begin_later_are_found_in_force_from_their_first_day_on(
    app: Flask,
    country: Country,
    terms: Checklist,
    session: Session,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    in_force(country, terms, 2, 300, 100)
    session.commit()
    client = country.browser(app, "nadia")
    page = client.page("/register?state=begins_later")
    assert "Begins later 1" in page.text
    assert "In force 0" in page.text
    assert "Signed by all, begins on" in page.text
    frozen_time(clock.now() + 2 * DAY)
    page = country.browser(app, "nadia").page("/register?state=in_force")
    assert "In force 1" in page.text
    assert "Begins later" not in page.text


@pytest.mark.both_databases
def test_every_word_has_to_occur_in_title_reference_or_a_party(
    country: Country, cooperation: Cooperation
) -> None:
    open_one(country, "lantern", modes=(Mode.COAL,), title="Advocacy on transport")
    expected: dict[str, set[str]] = {
        "police": {"C-0001"},
        "POLICE custody": {"C-0001"},
        "custody transport": set(),
        "lantern": {"C-0002"},
        "open door": {"C-0001"},
        "people's advocate": {"C-0001", "C-0002"},
        "-0002": {"C-0002"},
        "%": set(),
        "_": set(),
        "": {"C-0001", "C-0002"},
        "x " * 500: set(),
    }
    listed = {
        words: {f"C-{line.reference[-4:]}" for line in lines(country, words=words)}
        for words in expected
    }
    assert listed == expected


@pytest.mark.both_databases
def test_entries_with_more_letters_than_an_index_takes_are_found_in_order(
    country: Country, session: Session
) -> None:
    opened = [open_one(country, "door", title=f"Visits, year {year}") for year in (1, 2, 3)]
    session.flush()
    session.execute(
        sa.update(CooperationEntry)
        .where(CooperationEntry.cooperation_id.in_([opened[0].id, opened[2].id]))
        .values(words=CooperationEntry.words + " weiter" * FEW_LETTERS)
    )
    newest_first = [cooperation.title for cooperation in reversed(opened)]
    manager = country.actor("ilena")
    listing = cooperations.listing(manager, words="year visits")
    assert [cooperation.title for cooperation in listing.cooperations] == newest_first
    assert listing.total == cooperations.state_counts(manager, "visits")[""] == 3
    longer = cooperations.listing(manager, words="visits weiter").cooperations
    assert [cooperation.title for cooperation in longer] == [newest_first[0], newest_first[2]]
    assert {line.title for line in lines(country, words="year visits")} == {*newest_first}


def test_a_way_of_working_matches_only_itself(country: Country) -> None:
    open_one(country, "door", modes=(Mode.INFO_F, Mode.EXP), title="First")
    open_one(country, "lantern", modes=(Mode.INFO_A,), title="Second")
    assert {line.title for line in lines(country, mode=Mode.INFO_F)} == {"First"}
    assert {line.title for line in lines(country, mode=Mode.INFO_A)} == {"Second"}
    assert lines(country, mode=Mode.VISIT) == []


# Who sees what


def test_a_manager_sees_only_their_own_organisations_agreements(
    country: Country, cooperation: Cooperation
) -> None:
    country.person("Sol Anders", "door", Role.MANAGER)
    country.person("Mira Quell", "lantern", Role.MANAGER)
    country.person("Ode Harrow", "other_npm", Role.MANAGER)
    other = open_one(country, "lantern", title="Another")
    assert {line.reference for line in lines(country, "sol")} == {cooperation.reference}
    assert {line.reference for line in lines(country, "mira")} == {other.reference}
    assert lines(country, "ode") == []
    assert {line.reference for line in lines(country)} == {cooperation.reference, other.reference}


def test_an_auditor_sees_the_agreements_of_the_npm_they_audit(
    country: Country, cooperation: Cooperation
) -> None:
    country.organisation("watch", "Court of Tressia", OrganisationKind.OTHER)
    country.person("Edda Brun", "watch", Role.AUDITOR, audits_id=country.id("other_npm"))
    assert {line.reference for line in lines(country, "ada")} == {cooperation.reference}
    assert lines(country, "edda") == []


def test_nobody_else_finds_anything_even_past_the_page(country: Country, terms: Checklist) -> None:
    for first in ("ilena", "tomas", "oren", "samira", "henrik", "root"):
        actor = country.actor(first)
        assert queries.lines(actor, Question()) == [], first
        assert queries.counts(actor, Question())[""] == 0, first
        assert queries.find(actor, terms.id) is None, first


# The page


def test_the_page_describes_each_agreement(
    app: Flask, country: Country, terms: Checklist, session: Session
) -> None:
    in_force(country, terms, -10, 30)
    session.commit()
    page = country.browser(app, "nadia").page("/register")
    assert page.h1 == "Agreement register"
    assert "2 agreements." in page.text
    assert "Ends within 90 days 1" in page.text
    assert "In force, ends soon" in page.text
    assert "Signed: 2 of 2" in page.text
    assert "With: Open Door Legal Aid" in page.text


def test_the_page_without_agreements_says_why(
    app: Flask, country: Country, session: Session
) -> None:
    session.commit()
    text = country.browser(app, "nadia").page("/register").text
    assert "There are no agreements yet." in text


HOSTILE = [
    "state=in_force&state=declined",
    "mode=VISIT&mode=EXP",
    "page=9999",
    "page=0",
    "page=-1",
    "page=%C2%B2",
    "page=" + "9" * 400,
    "q=" + "x" * 5000,
    "q=%00",
    "q=a%00b%1F%E2%80%AE",
    "q=%FF%FE",
    "q=%25_%5C",
    "q=%27%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "q=" + "%20".join(["word"] * 300),
    "page=%00",
    "q=%C2%90&party=%EF%BF%BE",
    "from=%C2%90&until=%00",
    "from=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&until=" + "x" * 7000,
]


def test_odd_questions_are_answered_in_plain_words(
    app: Flask, country: Country, cooperation: Cooperation, session: Session
) -> None:
    session.commit()
    client = country.browser(app, "nadia")
    for question in HOSTILE:
        page = client.page(f"/register?{question}")
        assert page.h1 == "Agreement register", question
        assert "<script>alert" not in page.html, question


def test_an_unknown_filter_lists_and_exports_nothing(
    app: Flask, country: Country, cooperation: Cooperation, session: Session
) -> None:
    session.commit()
    client = country.browser(app, "nadia")
    chosen = [(name, value) for name in ("state", "mode", "kind") for value in ("x", "\0")]
    for name, value in chosen:
        assert client.get("/register", query_string={name: value}).status_code == 404, name
        assert client.post("/register/export", data={name: value}).status_code == 404, name


def test_the_page_keeps_its_filters_prints_them_and_leads_back_from_a_page_beyond_the_last(
    app: Flask, country: Country, cooperation: Cooperation, session: Session
) -> None:
    session.commit()
    browser = country.browser(app, "nadia")
    assert "This list doesn't have that page." in browser.page("/register?page=9999").text
    form = browser.page("/register?q=police+custody&mode=VISIT&state=drafting").form(
        "/register/export"
    )
    assert form.filled_in()["q"] == ["police custody"]
    assert form.filled_in()["mode"] == ["VISIT"]
    assert form.filled_in()["state"] == ["drafting"]
    # Printed, it says of which day it is and what was left out.
    assert browser.page("/register").only_on_paper.split()[-1] == f"{clock.today().year}."
    address = "/register?q=police+custody&party=door&kind=terms&state=drafting&from=2026-01-01"
    assert browser.page(address).only_on_paper.endswith(
        "Only part of the register: “police custody”; Draft; Party: door; Agreed terms; "
        "in force on or after 1 January 2026."
    )


def _agree_with_a_partner_of_its_own(country: Country, number: int) -> None:
    """Open a cooperation with its own partner, people and signatures."""
    key = f"partner{number}"
    country.organisation(key, f"Partner {number}", OrganisationKind.CSO)
    country.person(f"Signer{number} Hale", key, Role.SIGNATORY, power="Statutes")
    cooperation = open_one(country, key, modes=(Mode.VISIT,), title=f"Cooperation {number}")
    for kind in (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY):
        checklist = agreements.checklist_of(cooperation, kind)
        agreements.send(country, checklist, {"npm": "tomas", key: f"signer{number}"})
        agreements.sign(country, checklist, "tomas")


@pytest.mark.both_databases
def test_more_agreements_take_no_more_queries(
    app: Flask,
    country: Country,
    session: Session,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    _agree_with_a_partner_of_its_own(country, 1)
    session.commit()
    browser = country.browser(app, "nadia")
    browser.get("/register")
    with statements() as few:
        browser.get("/register")
    for number in range(2, 9):
        _agree_with_a_partner_of_its_own(country, number)
    session.commit()
    with statements() as many:
        page = browser.page("/register")
    assert "16 agreements" in page.text
    assert len(many) == len(few)
    with statements() as exported:
        browser.post("/register/export")
    assert len(exported) < len(few) + 10


def test_a_long_register_is_shown_a_page_at_a_time(
    app: Flask, country: Country, session: Session
) -> None:
    for number in range(14):
        open_one(country, "door", modes=(Mode.VISIT,), title=f"Cooperation {number}")
    session.commit()
    browser = country.browser(app, "nadia")
    first, second = browser.page("/register"), browser.page("/register?page=2")
    assert "1 to 25 of 28" in first.text
    assert "26 to 28 of 28" in second.text
    assert _titles(first).isdisjoint(_titles(second))


def _titles(page: Page) -> set[str]:
    return {words for words in page.links() if words.startswith("Cooperation ")}


# The history of one agreement


def test_the_history_shows_revisions_signatures_declines_and_events(
    app: Flask, country: Country, terms: Checklist, session: Session
) -> None:
    agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "tomas")
    decline_text(
        country.actor("henrik"),
        terms,
        reason="Too long a term.",
        items=["M19"],
    )
    agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "henrik", "tomas")
    session.commit()
    page = country.browser(app, "nadia").page(f"/register/{terms.id}")
    assert page.h1 == "Agreed terms: Joint monitoring of police custody"
    text = page.text
    assert text.index("Revision 2") < text.index("Revision 1")
    assert "Too long a term." in text
    assert "To be changed: “Term, review, renewal”." in text
    assert text.count("Tomas BeridanSignatory, for Office of the People's Advocate") == 2
    for words in ("was signed for Open Door Legal Aid", "declined to sign revision 1"):
        assert words in text
    assert page.links()["Revision 1"] == f"/checklists/{terms.id}/record/1"


def test_the_history_of_a_draft_says_that_nothing_was_frozen(
    app: Flask, country: Country, terms: Checklist, session: Session
) -> None:
    session.commit()
    text = country.browser(app, "ada").page(f"/register/{terms.id}").text
    assert "Nothing has been frozen for signature yet." in text
    assert trail.subject_history(terms.cooperation_id, [terms.id])[0].verb == "checklist_started"


# Its entries


def test_missing_entries_are_created_at_the_start(
    country: Country, session: Session, terms: Checklist
) -> None:
    in_force(country, terms, -10, 30)
    before = lines(country)
    session.commit()
    session.execute(sa.delete(RegisterEntry))
    session.commit()
    assert queries.lines(country.actor("nadia"), Question()) == []
    assert entries.fill_missing() == 1
    assert lines(country) == before
    assert entries.fill_missing() == 0


def test_an_entry_changed_by_hand_is_named_and_put_right_by_a_recheck(
    country: Country, session: Session, cooperation: Cooperation, terms: Checklist
) -> None:
    in_force(country, terms, -10, 30)
    session.commit()
    assert recheck.recheck(cooperation.id) == []
    session.execute(sa.update(RegisterEntry).values(state=EntryState.DRAFTING))
    session.commit()
    assert {mismatch.kind for mismatch in recheck.recheck(cooperation.id)} == {"register entry"}
    assert len(lines(country, narrowing=Narrowing.ENDS_SOON)) == 1


def test_a_person_who_sees_an_agreement_in_two_roles_finds_it_once(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    country.person("Una Marl", "npm", Role.MANAGER)
    both = country.actor("una")
    audit = country.actor("ada").memberships[0]
    both = replace(both, memberships=(*both.memberships, audit))
    recompute()
    register_lines = queries.lines(both, Question())
    assert len(register_lines) == len({line.checklist_id for line in register_lines}) == 2
    assert queries.counts(both, Question())[""] == 2
