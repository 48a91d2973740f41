"""The export of the register: the same agreements, safe to open, and recorded."""

import csv
import io

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories import agreements
from tests.factories.checklists import decline_text
from tests.factories.cooperations import Country, open_one
from tracker.activity import queries as trail
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations.models import Cooperation, Mode
from tracker.core import canonical, clock
from tracker.oversight import queries
from tracker.oversight.facts import Question
from tracker.ui.locale import as_date


@pytest.fixture
def cooperation(country: Country, session: Session) -> Cooperation:
    cooperation = open_one(country, "door", modes=(Mode.VISIT,))
    terms = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
    agreements.send(country, terms, {"npm": "tomas", "door": "henrik"})
    agreements.sign(country, terms, "tomas")
    session.commit()
    return cooperation


def today(app: Flask) -> str:
    with app.test_request_context():
        return as_date(clock.today(), "medium")


def export(browser: CheckedClient, **filters: str) -> TestResponse:
    return browser.post("/register/export", data=filters)


def table(response: TestResponse) -> list[dict[str, str]]:
    assert response.status_code == 200
    text = response.get_data().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.both_databases
def test_it_holds_what_the_page_shows(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    rows = table(export(country.browser(app, "nadia")))
    assert [row["Agreement"] for row in rows] == ["Agreed terms", "Confidentiality"]
    terms = rows[0]
    assert terms["Reference"] == cooperation.reference
    assert terms["Title"] == "Joint monitoring of police custody"
    assert terms["Parties"] == "Office of the People's Advocate; Open Door Legal Aid"
    assert terms["Ways of working"] == "Joint monitoring visit"
    assert terms["State"] == "Waiting for signatures"
    assert terms["Remarks"] == f"Waiting for Open Door Legal Aid since {today(app)}"
    assert (terms["Revision"], terms["Signed"], terms["To sign"]) == ("1", "1", "2")
    assert (rows[1]["Revision"], rows[1]["Signed"], rows[1]["From"]) == ("", "", "")


def test_a_declined_text_says_since_when_and_what_comes_next(
    app: Flask, country: Country, cooperation: Cooperation, session: Session
) -> None:
    terms = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
    decline_text(country.actor("henrik"), terms, reason="Too long.", items=["M19"])
    session.commit()
    row = table(export(country.browser(app, "nadia")))[0]
    assert row["State"] == "Declined"
    assert row["Remarks"] == f"Since {today(app)}. To be changed, then sent again"


def test_it_is_a_file_with_a_name_that_nobody_keeps(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    response = export(country.browser(app, "nadia"))
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="register-{clock.today().isoformat()}.csv"'
    )
    assert response.headers["Cache-Control"] == "no-store"
    data = response.get_data()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\n") == data.count(b"\r\n") == 3


def test_it_is_narrowed_as_the_page_is(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    browser = country.browser(app, "nadia")
    assert len(table(export(browser, state="lacks_signatures"))) == 1
    assert len(table(export(browser, q="custody"))) == 2
    assert table(export(browser, q="nowhere")) == []
    assert table(export(browser, mode="EXP")) == []


def test_it_is_asked_for_by_the_form_of_the_page(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    response = country.browser(app, "nadia").submit(
        "/register?state=lacks_signatures", action="/register/export"
    )
    assert len(table(response)) == 1


@pytest.mark.parametrize(
    "title",
    [
        '=HYPERLINK("http://a.example","b")',
        "+1+1",
        "-2+3",
        "@SUM(1)",
        "\uff1d1+1",
    ],
)
def test_a_formula_stays_text(app: Flask, country: Country, session: Session, title: str) -> None:
    open_one(country, "door", modes=(Mode.VISIT,), title=title)
    session.commit()
    rows = table(export(country.browser(app, "nadia")))
    assert {row["Title"] for row in rows} == {f"'{title}"}


def test_commas_quotes_and_lines_stay_in_their_cell(
    app: Flask, country: Country, session: Session
) -> None:
    title = 'A "first", then; a second\nand ünïcödé عربي'
    open_one(country, "door", modes=(Mode.VISIT,), title=title)
    session.commit()
    assert {row["Title"] for row in table(export(country.browser(app, "nadia")))} == {title}


def test_taking_it_out_is_recorded_with_who_and_how_much(
    app: Flask, country: Country, session: Session, cooperation: Cooperation
) -> None:
    export(country.browser(app, "ada"), state="lacks_signatures")
    line = trail.instance_history()[1][0]
    assert (line.verb, line.who) == ("register_exported", "Ada Quist")
    assert line.details == {"rows": 1, "format": "csv"}


def test_the_public_check_knows_the_file_and_no_other(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    data = export(country.browser(app, "ada")).data
    stranger = app.test_client()
    answer = stranger.get(f"/verify?file={canonical.digest(data)}").get_data(as_text=True)
    assert "A genuine list." in answer
    assert "Who signed" not in answer
    changed = stranger.get(f"/verify?file={canonical.digest(data + b' ')}")
    assert "Unknown." in changed.get_data(as_text=True)


def test_a_link_cannot_export_it(app: Flask, country: Country, cooperation: Cooperation) -> None:
    browser = country.browser(app, "nadia")
    assert browser.get("/register/export").status_code == 405


def test_a_form_from_elsewhere_takes_nothing_out(
    app: Flask, country: Country, session: Session, cooperation: Cooperation
) -> None:
    before = trail.instance_history()[0]
    response = country.browser(app, "nadia").open(
        "/register/export", method="POST", data={}, csrf=False
    )
    assert response.status_code == 400
    assert trail.instance_history()[0] == before


@pytest.mark.both_databases
def test_it_holds_all_pages_in_their_order_however_few_are_read_at_a_time(
    app: Flask, country: Country, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "AT_A_TIME", 3)
    for number in range(14):
        open_one(country, "door", modes=(Mode.VISIT,), title=f"Cooperation {number}")
    session.commit()
    total = queries.counts(country.actor("nadia"), Question())[""]
    rows = table(export(country.browser(app, "nadia")))
    assert len(rows) == total == 28
    shown = queries.lines(country.actor("nadia"), Question(), limit=total)
    assert [row["Reference"] for row in rows] == [line.reference for line in shown]
    assert [row["Agreement"] for row in rows[:2]] == ["Agreed terms", "Confidentiality"]
