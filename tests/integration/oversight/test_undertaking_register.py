"""The register of undertakings: who sees which lines, how they are filtered, paged and exported.

In one file: each section tests the same register from another side.
"""

import csv
import datetime as dt
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import chain, product
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories import undertakings
from tests.factories import undertakings_on_paper as on_paper
from tests.factories.evidence.tampering import hands, table_of
from tests.factories.undertakings import TOLD, Clearing
from tests.services import put
from tracker.access.actor import Actor, OrganisationKind
from tracker.activity import queries as trail
from tracker.activity.models import ReadLogEntry
from tracker.activity.stale import recompute
from tracker.cooperations.models import Clearance, CooperationEntry, Party
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.errors import RefusedError
from tracker.demo.people import DemoPeople
from tracker.organisations import service as organisations
from tracker.organisations.models import Organisation
from tracker.oversight.export import CsvFile
from tracker.oversight.undertaking_register import pages, queries, service
from tracker.oversight.undertaking_register.facts import Access, Filters, TextVersion
from tracker.signoff.models import Method
from tracker.undertakings import adding
from tracker.undertakings import service as withdrawing
from tracker.undertakings.models import (
    InterestsDecision,
    Reach,
    Undertaking,
    UndertakingEnd,
)
from tracker.undertakings.places import Places
from tracker.undertakings.queries import VISIT_READER, VisitChoice

pytestmark = pytest.mark.some_on_postgresql(5)

REGISTER = "/register/undertakings"
READERS = ("ilena", "milan", "greta")
REFUSED = ("tomas", "nadia", "marek", "samira", "henrik", "dina", "leyla", "celia", "iris")
DAY = dt.timedelta(days=1)
# People whose lines have no link to an undertaking.
SOMEBODY = Actor(uuid4(), "Somebody")
Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def app(worker_app: Flask) -> Flask:
    """The application on a database with a cooperation in which everybody listed was asked."""
    undertakings.start(worker_app)
    return worker_app


@pytest.fixture
def clearing(session: Session) -> Clearing:
    """The cooperation in which everybody listed was asked."""
    return undertakings.existing()


@pytest.fixture
def demo_people(session: Session) -> DemoPeople:
    """Everybody in the fictional country, for opening further cooperations."""
    return undertakings.everybody()


def lines(actor: Actor, **filters: object) -> list[queries.RegisteredUndertaking]:
    """Return all lines, after comparing page, batches and counts with each other."""
    recompute()
    wanted = Filters(**filters)  # type: ignore[arg-type] # the fields of the filters
    page = queries.page(actor, wanted, limit=1_000)
    assert not page.has_more
    assert ids(page.lines) == ids(chain(*queries.all_lines(actor, wanted)))
    assert queries.counts(actor, wanted)[wanted.access or ""] == len(page.lines)
    return page.lines


def ids(some: object) -> list[UUID]:
    return [line.line.undertaking.id for line in some]  # type: ignore[attr-defined] # lines


def names(some: list[queries.RegisteredUndertaking]) -> set[str]:
    return {line.line.undertaking.user.name for line in some}


def line_of(clearing: Clearing, key: str, reader: str = "milan") -> queries.RegisteredUndertaking:
    name = clearing.demo_people.users[key].name
    return next(
        line for line in lines(clearing.actor(reader)) if line.line.undertaking.user.name == name
    )


def state_of(line: queries.RegisteredUndertaking) -> str:
    return str(pages.view(SOMEBODY, line).state[0])


def table(response: TestResponse) -> list[dict[str, str]]:
    assert response.status_code == 200
    text = response.get_data().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def change(model: type[Undertaking | Clearance], row_id: UUID, **values: object) -> None:
    """Change a row in the database, but no event."""
    db.session.commit()
    with hands() as connection:
        rows = table_of(model)
        connection.execute(sa.update(rows).where(rows.c.id == row_id).values(**values))
    db.session.expire_all()


# What a line says ---------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_each_person_is_listed_with_text_method_and_access(app: Flask, clearing: Clearing) -> None:
    clearance = clearing.clear("leyla")
    clearing.sign("otto")
    cleared, signed, asked_only = (line_of(clearing, key) for key in ("leyla", "otto", "dina"))
    assert (cleared.revision, cleared.is_current) == (1, True)
    assert cleared.until_on == clearance.until_on
    assert state_of(cleared).startswith("Cleared until")
    assert state_of(signed) == "Signed, waiting for the NPM"
    assert signed.until_on is None
    assert state_of(asked_only) == "Not signed yet"
    assert asked_only.method is None
    page = clearing.browser(app, "milan").page(REGISTER)
    assert page.h1 == "Register of undertakings"
    for words in (
        "Leyla Marchetti",
        "Lantern Health Network, Physician",
        "Password with code from an app",
        "All work",
        "Revision 1",
        "One gives access today.",
    ):
        assert words in page.text


def test_a_closed_line_says_why_and_when(clearing: Clearing) -> None:
    clearing.clear("leyla")
    clearing.amend()
    earlier = [line for line in lines(clearing.actor("milan")) if not line.is_current]
    assert "Closed: new confidentiality terms are in force" in {state_of(line) for line in earlier}
    view = pages.view(SOMEBODY, earlier[0])
    assert view.closed_at is not None
    assert view.revision == 1
    assert {line.revision for line in lines(clearing.actor("milan")) if line.is_current} == {2}


def test_a_scan_that_waits_gives_no_access_yet_and_a_confirmed_one_reads_paper(
    clearing: Clearing,
) -> None:
    on_paper.bring_in(clearing)
    on_paper.record(clearing)
    db.session.commit()

    def driver(**filters: object) -> list[queries.RegisteredUndertaking]:
        found_lines = lines(clearing.actor("milan"), **filters)
        return [line for line in found_lines if line.line.undertaking.user.name == on_paper.NAME]

    assert len(driver(access=Access.NOT_YET)) == 1
    assert driver(access=Access.CLOSED) == []
    on_paper.confirm(clearing)
    db.session.commit()
    (confirmed,) = driver(access=Access.NOT_YET)
    assert confirmed.method is Method.PAPER


def test_paused_work_is_shown_as_closed_and_no_interest_is_shown(
    app: Flask, clearing: Clearing
) -> None:
    clearing.clear("leyla", TOLD)
    text = "My brother works for the Quillfen guards since May."
    adding.add(clearing.actor("leyla"), clearing.undertaking("leyla").id, text, Places(Reach.ALL))
    assert "Leyla Marchetti" in names(lines(clearing.actor("milan"), access=Access.CLOSED))
    for reader in READERS:
        browser = clearing.browser(app, reader)
        for response in (browser.get(REGISTER), browser.post(f"{REGISTER}/export")):
            shown = response.get_data(as_text=True)
            assert "Leyla Marchetti" in shown
            assert TOLD not in shown
            assert text not in shown
            assert "Interests wait" not in shown


def test_only_those_who_decide_read_that_an_interest_closes_some_places(clearing: Clearing) -> None:
    clearing.clear("leyla")
    before = state_of(line_of(clearing, "leyla"))

    def others_read() -> set[str]:
        on_page = {state_of(line_of(clearing, "leyla", reader)) for reader in ("ilena", "greta")}
        return on_page | {str(pages.export_row(line_of(clearing, "leyla"))[13])}

    interest = adding.add(
        clearing.actor("leyla"),
        clearing.undertaking("leyla").id,
        "My brother works for the police.",
        Places(Reach.KIND, kind="police"),
    )
    assert state_of(line_of(clearing, "leyla")) == "Partly paused until the NPM decides"
    assert others_read() == {before}
    adding.decide(
        clearing.actor("tomas"),
        clearing.undertaking("leyla").id,
        interest.id,
        InterestsDecision.LIMIT,
        "Never with the police.",
        Places(Reach.KIND, kind="police"),
        seen=adding.mark(interest),
    )
    assert state_of(line_of(clearing, "leyla")) == f"{before}, with a limit"
    assert others_read() == {before}


def test_neither_number_nor_day_of_a_visit_is_shown(
    app: Flask, clearing: Clearing, demo_people: DemoPeople
) -> None:
    visit = VisitChoice(uuid4(), 7)
    put(app, VISIT_READER.holding(lambda _cooperation_id: [visit]))
    until = clock.today() + 20 * DAY
    second = undertakings.clearing(
        demo_people, covers={"scope": "one_visit", "which": "Harbour", "until": until.isoformat()}
    )
    second.sign("leyla")
    second.countersign("leyla", visit_id=visit.id)
    reference = second.cooperation.reference
    open_line = next(
        line
        for line in lines(clearing.actor("milan"), cooperation=reference, access=Access.OPEN)
        if line.is_for_one_visit
    )
    assert open_line.until_on is None
    assert state_of(open_line) == "Cleared for one visit"
    assert lines(clearing.actor("milan"), cooperation=reference, ends_within=90) == []
    browser = clearing.browser(app, "milan")
    row = next(
        row
        for row in table(browser.post(f"{REGISTER}/export", data={"cooperation": reference}))
        if row["Person"] == "Leyla Marchetti"
    )
    assert (row["Covers"], row["Until"], row["Closed on"]) == ("One joint visit", "", "")
    assert "Harbour" not in browser.page(f"{REGISTER}?cooperation={reference}").text
    withdrawing.withdraw(second.actor("leyla"), second.undertaking("leyla").id)
    closed = line_of_reference(clearing, reference)
    assert pages.view(SOMEBODY, closed).closed_at is None


def line_of_reference(clearing: Clearing, reference: str) -> queries.RegisteredUndertaking:
    return next(
        line
        for line in lines(clearing.actor("milan"), cooperation=reference, person="leyla")
        if line.is_for_one_visit
    )


# Who sees it --------------------------------------------------------------------------------------


def test_managers_coordinators_and_the_auditor_see_all_people(clearing: Clearing) -> None:
    everybody = set(db.session.scalars(sa.select(Undertaking.id)))
    assert everybody
    for key in READERS:
        assert set(ids(lines(clearing.actor(key)))) == everybody, key


def test_nobody_else_sees_or_exports_it(app: Flask, clearing: Clearing) -> None:
    clearing.clear("leyla")
    for key in REFUSED:
        browser = clearing.browser(app, key)
        for address in (REGISTER, f"{REGISTER}?person=leyla", f"{REGISTER}?page={uuid4()}"):
            page = browser.page(address, status=403)
            assert "Only the NPM's managers and coordinators" in page.text, key
            assert "Otto Brandis" not in page.text, key
        assert browser.post(f"{REGISTER}/export").status_code == 403, key
        assert REGISTER not in browser.page("/").links().values(), key
        actor = clearing.actor(key)
        assert queries.page(actor, Filters()).lines == [], key
        assert queries.counts(actor, Filters())[""] == 0, key
        file = CsvFile([])
        with pytest.raises(RefusedError):
            service.export(actor, Filters(), file, pages.export_row, pages.gone_row)
        assert (file.rows, len(list(file.sent()))) == (0, 1), key


def test_strangers_are_led_to_the_sign_in(app: Flask, clearing: Clearing) -> None:
    db.session.commit()
    response = app.test_client().get(REGISTER)
    assert response.status_code == 302
    assert "/sign-in" in response.location


def other_npm() -> Organisation:
    return organisations.add(
        None, OrganisationKind.NPM, organisations.Details(name="Inspectorate of the North")
    )


def elsewhere(actor: Actor, npm: Organisation, *, audits: bool) -> Actor:
    """Return a person with the same roles in or over another NPM."""
    memberships = tuple(
        replace(membership, audits_id=npm.id)
        if audits
        else replace(membership, organisation_id=npm.id)
        for membership in actor.memberships
    )
    home = actor.organisation_id if audits else npm.id
    return replace(actor, memberships=memberships, organisation_id=home)


def test_another_npm_and_its_auditor_find_nothing(clearing: Clearing) -> None:
    npm = other_npm()
    for key in READERS:
        actor = elsewhere(clearing.actor(key), npm, audits=key == "greta")
        assert lines(actor) == []
        file = CsvFile(pages.export_heads())
        service.export(actor, Filters(), file, pages.export_row, pages.gone_row)
        assert (file.rows, len(list(file.sent()))) == (0, 1)


def test_an_outside_expert_with_a_role_of_the_npm_finds_nothing(clearing: Clearing) -> None:
    actor = clearing.actor("ilena")
    memberships = tuple(
        replace(membership, outside_expert=True) for membership in actor.memberships
    )
    assert lines(replace(actor, memberships=memberships)) == []


def test_a_coordinator_of_a_cso_who_audits_the_npm_elsewhere_sees_only_as_what_they_act(
    clearing: Clearing,
) -> None:
    audit = clearing.actor("greta").memberships[0]
    samira = clearing.actor("samira")
    both = replace(samira, memberships=(*samira.memberships, audit))
    assert lines(both) == []
    assert lines(replace(both, organisation_id=audit.organisation_id))


@pytest.mark.both_databases
def test_an_npm_that_left_sees_no_more_of_it_and_its_auditor_still_does(clearing: Clearing) -> None:
    yesterday = clock.today() - DAY
    for model in (Party, CooperationEntry):
        db.session.execute(
            sa.update(model)
            .where(model.organisation_id == clearing.demo_people.bodies["npm"].id)
            .values(left_on=yesterday)
        )
    assert lines(clearing.actor("milan")) == []
    assert lines(clearing.actor("greta"))


@pytest.mark.both_databases
def test_a_cooperation_seen_for_two_npms_is_listed_once(clearing: Clearing) -> None:
    npm = other_npm()
    own = sa.select(CooperationEntry).where(
        CooperationEntry.organisation_id == clearing.demo_people.bodies["npm"].id
    )
    for entry in db.session.scalars(own).all():
        values = {
            column.name: getattr(entry, column.name)
            for column in CooperationEntry.__table__.columns
        }
        db.session.execute(
            sa.insert(CooperationEntry).values({**values, "organisation_id": npm.id})
        )
    greta = clearing.actor("greta")
    again = replace(greta.memberships[0], audits_id=npm.id)
    both = replace(greta, memberships=(*greta.memberships, again))
    assert ids(lines(both)) == ids(lines(greta))


def test_an_entry_changed_by_hand_opens_nothing_to_another_npm(clearing: Clearing) -> None:
    npm = other_npm()
    db.session.execute(
        sa.update(CooperationEntry)
        .where(CooperationEntry.organisation_id == clearing.demo_people.bodies["npm"].id)
        .values(organisation_id=npm.id)
    )
    for key in READERS:
        actor = elsewhere(clearing.actor(key), npm, audits=key == "greta")
        assert queries.page(actor, Filters()).lines == []


def test_navigation_leads_there(app: Flask, clearing: Clearing) -> None:
    assert clearing.browser(app, "ilena").page("/").links()["Undertakings"] == REGISTER
    for key in ("milan", "greta"):
        browser = clearing.browser(app, key)
        assert browser.page("/register").links()["Register of undertakings"] == REGISTER
    henrik = clearing.browser(app, "henrik").page("/register")
    assert "Register of undertakings" not in henrik.text


def test_names_lead_deciders_to_the_undertaking_and_nobody_else(
    app: Flask, clearing: Clearing
) -> None:
    undertaking_id = str(clearing.undertaking("leyla").id)
    assert undertaking_id in clearing.browser(app, "milan").page(REGISTER).html
    for key in ("ilena", "greta"):
        browser = clearing.browser(app, key)
        page = browser.page(REGISTER)
        assert undertaking_id not in "".join(page.links().values())
        assert (
            browser.get(f"/cooperations/{clearing.cooperation.reference}/undertakings").status_code
            == 200
        )


# Filters ------------------------------------------------------------------------------------------


@pytest.fixture
def two(clearing: Clearing, demo_people: DemoPeople) -> Clearing:
    """A second cooperation with one partner, newer than the first, in which Leyla is cleared."""
    second = undertakings.clearing(demo_people, "lh")
    clearing.clear("otto")
    second.clear("leyla")
    return second


@pytest.mark.both_databases
def test_each_filter_keeps_what_it_names_and_the_newest_cooperation_comes_first(
    clearing: Clearing, two: Clearing
) -> None:
    milan = clearing.actor("milan")
    reference = two.cooperation.reference
    assert {line.reference for line in lines(milan, cooperation=reference)} == {reference}
    assert {line.reference for line in lines(milan, cooperation="open door")} == {
        clearing.cooperation.reference
    }
    of_lantern = lines(milan, organisation="LANTERN")
    assert {line.line.undertaking.organisation.name for line in of_lantern} == {
        "Lantern Health Network"
    }
    assert names(lines(milan, person="marchetti LEYLA")) == {"Leyla Marchetti"}
    assert names(lines(milan, access=Access.OPEN)) == {"Leyla Marchetti", "Otto Brandis"}
    assert names(lines(milan, access=Access.OPEN, cooperation=reference)) == {"Leyla Marchetti"}
    shown = [line.reference for line in lines(milan)]
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == reference
    total = len(shown)
    groups = [len(lines(milan, access=group)) for group in Access]
    assert sum(groups) == total


def test_a_printed_register_says_what_was_left_out(app: Flask, clearing: Clearing) -> None:
    page = clearing.browser(app, "milan").page(
        f"{REGISTER}?person=otto&access=open&version=in_force&ends=30"
    )
    assert page.only_on_paper.endswith(
        "Only part of the register: Person: otto; With access; Terms: The terms in force; "
        "Access ends: Within 30 days."
    )


@pytest.mark.both_databases
def test_access_that_ends_soon_is_found_by_its_last_day(clearing: Clearing) -> None:
    milan = clearing.actor("milan")
    clearing.clear("otto")
    clearing.sign("leyla")
    clearing.countersign("leyla", until=clock.today() + 30 * DAY)
    assert names(lines(milan, ends_within=30)) == {"Leyla Marchetti"}
    clearing.sign("dina")
    clearing.decide("dina")
    clearing.countersign("dina", until=clock.today() + 31 * DAY)
    assert names(lines(milan, ends_within=30)) == {"Leyla Marchetti"}
    assert names(lines(milan, ends_within=60)) == {"Leyla Marchetti", "Dina Faro"}


@pytest.mark.both_databases
def test_earlier_terms_are_distinguished_from_those_in_force(clearing: Clearing) -> None:
    milan = clearing.actor("milan")
    before = set(ids(lines(milan)))
    assert lines(milan, version=TextVersion.EARLIER) == []
    clearing.amend()
    assert set(ids(lines(milan, version=TextVersion.EARLIER))) == before
    assert set(ids(lines(milan, version=TextVersion.IN_FORCE))).isdisjoint(before)


HOSTILE = [
    "page=9999",
    "page=00000000-0000-0000-0000-000000000000",
    "page=" + "9" * 400,
    "person=" + "x" * 5000,
    "person=%00a%1F%E2%80%AE",
    "person=%FF%FE&organisation=%25_%5C",
    "cooperation=%27%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "organisation=" + "%20".join(["word"] * 300),
]


@pytest.mark.both_databases
def test_values_that_do_not_exist_are_answered_in_plain_words(
    app: Flask, clearing: Clearing
) -> None:
    browser = clearing.browser(app, "milan")
    for question in HOSTILE:
        page = browser.page(f"{REGISTER}?{question}")
        assert page.h1 == "Register of undertakings", question
        assert "<script>alert" not in page.html, question


@pytest.mark.both_databases
def test_unknown_choices_list_and_export_nothing_and_unknown_words_find_nothing(
    app: Flask, clearing: Clearing
) -> None:
    browser = clearing.browser(app, "milan")
    for name, value in product(("access", "ends", "version"), ("x", "7", "-1", "9" * 400, "\0")):
        assert browser.get(REGISTER, query_string={name: value}).status_code == 404, (name, value)
        assert browser.post(f"{REGISTER}/export", data={name: value}).status_code == 404
    assert "No undertakings found." in browser.page(f"{REGISTER}?person=nobody").text
    assert "No undertakings found." in browser.page(f"{REGISTER}?cooperation=C-1999-0001").text


def test_an_empty_register_says_when_people_appear(app: Flask, clearing: Clearing) -> None:
    db.session.execute(sa.update(CooperationEntry).values(is_of_npm=False))
    page = clearing.browser(app, "milan").page(REGISTER)
    assert "Nobody has been asked for an undertaking yet." in page.text


# Pages --------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_row_added_meanwhile_neither_hides_nor_repeats_any(
    clearing: Clearing, two: Clearing, demo_people: DemoPeople
) -> None:
    milan = clearing.actor("milan")
    everybody = ids(lines(milan))
    first = queries.page(milan, Filters(), limit=2)
    assert first.has_more
    undertakings.clearing(demo_people, "od")
    recompute()
    seen, after = ids(first.lines), ids(first.lines)[-1]
    while True:
        page = queries.page(milan, Filters(), after=after, limit=2)
        seen += ids(page.lines)
        if not page.has_more:
            break
        after = ids(page.lines)[-1]
    assert seen == everybody


@pytest.mark.both_databases
def test_pages_lead_on_and_back_and_keep_the_filters(
    app: Flask, clearing: Clearing, two: Clearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.ui.paging.SIZE", 2)
    browser = clearing.browser(app, "milan")
    first = browser.page(f"{REGISTER}?organisation=lantern")
    onward = first.links()["Next"]
    assert "organisation=lantern" in onward
    second = browser.page(onward)
    assert second.links()["First page"] == f"{REGISTER}?organisation=lantern"
    assert "First page" not in first.links()
    # A filter chosen on a later page begins at the first.
    assert "page=" not in second.links()["With access 2"]


@pytest.mark.both_databases
def test_more_lines_take_no_more_statements(
    app: Flask, clearing: Clearing, demo_people: DemoPeople, statements: Statements
) -> None:
    browser = clearing.browser(app, "milan")
    browser.get(REGISTER)
    with statements() as few:
        browser.get(REGISTER)
    second = undertakings.clearing(demo_people)
    for key in ("leyla", "otto", "dina"):
        second.clear(key)
    db.session.commit()
    with statements() as many:
        browser.get(REGISTER)
    assert len(many) == len(few) <= 20
    with statements() as exported:
        browser.post(f"{REGISTER}/export")
    assert len(exported) < len(few) + 10


# The export ---------------------------------------------------------------------------------------


def export(browser: CheckedClient, **filters: str) -> TestResponse:
    return browser.post(f"{REGISTER}/export", data=filters)


@pytest.mark.both_databases
def test_the_export_holds_exactly_the_lines_found_and_is_sent_by_the_form_of_the_page(
    app: Flask, clearing: Clearing, two: Clearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "AT_A_TIME", 2)
    milan = clearing.actor("milan")
    everybody = lines(milan)
    shown = [(line.reference, line.line.undertaking.user.name) for line in everybody]
    browser = clearing.browser(app, "milan")
    assert [(row["Reference"], row["Person"]) for row in table(export(browser))] == shown
    rows = table(export(browser, access="open", organisation="lantern"))
    assert {row["Person"] for row in rows} == {"Leyla Marchetti", "Otto Brandis"}
    row = rows[0]
    assert row["Reference"] == two.cooperation.reference
    assert (row["Covers"], row["Revision of the terms"]) == ("All work", "1")
    assert row["Method of signing"] == "Password with code from an app"
    assert row["Signed on"] == row["Countersigned on"] == clock.today().isoformat()
    assert row["Until"] > row["Signed on"]
    assert table(export(browser, person="nobody")) == []
    # The form sends the filters of its page.
    browser = clearing.browser(app, "greta")
    response = browser.submit(
        f"{REGISTER}?access=open&person=leyla&ends=30", action=f"{REGISTER}/export"
    )
    assert table(response) == []
    response = browser.submit(f"{REGISTER}?access=open&person=leyla", action=f"{REGISTER}/export")
    assert [row["Person"] for row in table(response)] == ["Leyla Marchetti"]
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="undertakings-{clock.today().isoformat()}.csv"'
    )


def test_the_export_is_recorded_and_known_to_the_public_check(
    app: Flask, clearing: Clearing
) -> None:
    total = len(lines(clearing.actor("milan")))
    data = export(clearing.browser(app, "ilena")).data
    line = trail.instance_history()[1][0]
    assert (line.verb, line.who) == ("undertakings_exported", "Ilena Dorvath")
    assert line.details == {"rows": total, "format": "csv"}
    stranger = app.test_client()
    answer = stranger.get(f"/verify?file={canonical.digest(data)}").get_data(as_text=True)
    assert "A genuine list." in answer
    changed = stranger.get(f"/verify?file={canonical.digest(data + b' ')}")
    assert "Unknown." in changed.get_data(as_text=True)
    # Nothing in it is of class K2 to K7, so the read log has no entry.
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ReadLogEntry)) == 0


def test_a_link_or_a_form_from_elsewhere_exports_nothing(app: Flask, clearing: Clearing) -> None:
    browser = clearing.browser(app, "milan")
    before = trail.instance_history()[0]
    assert browser.get(f"{REGISTER}/export").status_code == 405
    response = browser.open(f"{REGISTER}/export", method="POST", data={}, csrf=False)
    assert response.status_code == 400
    assert trail.instance_history()[0] == before


# Rows against signatures and events ---------------------------------------------------------------


def test_an_undertaking_closed_for_another_reason_disagrees(clearing: Clearing) -> None:
    clearing.clear("leyla")
    clearing.amend()
    line = next(line for line in lines(clearing.actor("milan")) if not line.is_current)
    change(Undertaking, line.line.undertaking.id, closed_reason=UndertakingEnd.WITHDRAWN.value)
    assert disagreeing(clearing) == [line.line.undertaking.id]


CHANGES: list[dict[str, object]] = [
    {"until_on": dt.date(2099, 12, 31)},
    {"scope": "project"},
    {"closed_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "closed_reason": "left"},
]


@pytest.mark.both_databases
def test_a_clearance_changed_or_deleted_by_hand_disagrees(app: Flask, clearing: Clearing) -> None:
    clearance = clearing.clear("leyla")
    undertaking_id, row_id = clearance.undertaking_id, clearance.id
    before = {name: getattr(clearance, name) for values in CHANGES for name in values}
    browser = clearing.browser(app, "milan")
    for values in CHANGES:
        assert disagreeing(clearing) == []
        change(Clearance, row_id, **values)
        assert disagreeing(clearing) == [undertaking_id], values
        page = browser.page(REGISTER)
        assert "1 undertaking on this page doesn't match its signatures." in page.text, values
        row = next(row for row in table(export(browser)) if row["Person"] == "Leyla Marchetti")
        assert row["Access"] == "Doesn't match its signatures", values
        columns = ("Covers", "Method of signing", "Signed on", "Until")
        assert [row[column] for column in columns] == [""] * len(columns), values
        change(Clearance, row_id, **before)
    assert disagreeing(clearing) == []
    db.session.commit()
    with hands() as connection:
        rows = table_of(Clearance)
        connection.execute(sa.delete(rows).where(rows.c.id == row_id))
    db.session.expire_all()
    assert disagreeing(clearing) == [undertaking_id]


def test_an_undertaking_signed_by_hand_disagrees(clearing: Clearing) -> None:
    undertaking_id = clearing.undertaking("otto").id
    change(Undertaking, undertaking_id, state="signed", signed_at=clock.now())
    assert disagreeing(clearing) == [undertaking_id]


def disagreeing(clearing: Clearing) -> list[UUID]:
    page = queries.page(clearing.actor("milan"), Filters())
    return [line.line.undertaking.id for line in page.lines if not line.line.agrees]
