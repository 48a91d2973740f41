"""Pages of signing on paper: upload, compare, confirm, refuse; who sees the scan, and how."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories import paper as scans
from tests.factories.accounts import take_app
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import table_of
from tests.integration.agreements.test_signing_pages import WaitingTerms
from tests.integration.signoff.test_written_by_hand import REFUSED, write
from tests.pages import Form, Page
from tests.services import put, replaced
from tracker.access.actor import Role
from tracker.accounts.factors.credentials import COMPULSORY_ROLES
from tracker.accounts.models import User
from tracker.checklists.models import ChecklistState
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.transport import from_url
from tracker.signoff.paper_models import PaperDecision, PaperRecord
from tracker.signoff.scans import MAX_BYTES, MAX_REQUEST_BYTES
from tracker.ui import malware
from tracker.worker import failures, health, jobs
from tracker.worker.one_by_one import each

HTML = b"<!doctype html><script>alert(1)</script>"
Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def waiting_terms(app: Flask, session: Session, demonstration: Demonstration) -> WaitingTerms:
    """The demonstration's terms that are waiting only for Lantern's signature."""
    return WaitingTerms(app, session, demonstration)


def send(
    waiting_terms: WaitingTerms, key: str, scan: bytes, name: str = "scan.pdf", **fields: Any
) -> TestResponse:
    """Fill in the form of the page as a person would, with a file of any name."""
    browser = waiting_terms.browser(key)
    address = f"{waiting_terms.address}/paper"
    form = browser.page(address).form()
    return post(
        browser, address, form, scan, name, **{"signed_on": clock.today().isoformat()} | fields
    )


def post(
    browser: CheckedClient, address: str, form: Form, scan: bytes, name: str, **fields: Any
) -> TestResponse:
    """Send a page's form that is open, with a file of any name."""
    body, kind = scans.as_sent(form.filled_in(**fields), scan, name)
    return browser.open(
        address,
        method="POST",
        data=body,
        content_type=kind,
        csrf=False,
        follow_redirects=True,
    )


def recorded(waiting_terms: WaitingTerms, scan: bytes = b"", **fields: Any) -> str:
    """Record a scan for Lantern; return the address of its page."""
    assert send(waiting_terms, "joana", scan or scans.pdf(), **fields).status_code == 200
    record_id = newest(waiting_terms)
    return f"{waiting_terms.address}/papers/{record_id}"


def newest(waiting_terms: WaitingTerms) -> UUID:
    """Return the scan that was recorded last."""
    record_ids = waiting_terms.session.scalars(
        sa.select(PaperRecord.id).order_by(PaperRecord.recorded_at.desc())
    ).first()
    waiting_terms.session.rollback()
    assert record_ids is not None
    return record_ids


def count(waiting_terms: WaitingTerms) -> int:
    others = sa.select(sa.func.count()).where(PaperRecord.id != waiting_terms.demonstration.paper)
    total = waiting_terms.session.scalar(others) or 0
    waiting_terms.session.rollback()
    return total


def test_a_coordinator_finds_the_way_and_records_a_scan(waiting_terms: WaitingTerms) -> None:
    for key in ("otto", "ilena", "tomas", "greta"):
        waiting_terms.page(key, "/paper", 403)
    page = waiting_terms.page("joana", "/record")
    assert page.links()["Record a signature on paper"] == f"{waiting_terms.address}/paper"
    page = waiting_terms.page("joana", "/paper")
    assert page.h1 == "Record a signature on paper"
    page = Page.of(send(waiting_terms, "joana", scans.pdf()))
    assert "The scan is recorded. Another party now has to confirm it." in page.text
    assert "Paper recorded by Lantern Health Network" in page.text
    assert "Waiting to be confirmed" in page.text
    assert "Record a signature on paper" not in page.links()


def test_whoever_has_only_a_password_neither_records_nor_confirms_a_scan(
    app: Flask, waiting_terms: WaitingTerms
) -> None:
    """A scan stands for signatures, which nobody gives with a password alone."""
    scan = recorded(waiting_terms)
    put(app, COMPULSORY_ROLES.holding(frozenset({Role.SIGNATORY})))
    for key in ("joana", "ilena"):
        take_app(waiting_terms.demonstration.users[key])
    joana, ilena = waiting_terms.browser("joana"), waiting_terms.browser("ilena")
    for browser, address in (
        (joana, f"{waiting_terms.address}/paper"),
        (joana, f"{waiting_terms.address}/former"),
        (ilena, scan),
    ):
        page = browser.page(address)
        assert page.where == "/account/second-factor/needed", address
        assert "Signing needs more than a password" in page.text, address
        sent = browser.open(address, method="POST")
        assert (sent.status_code, sent.request.path) == (303, address)
    of_scan = sa.select(PaperDecision).where(PaperDecision.record_id == UUID(scan.split("/")[-1]))
    assert waiting_terms.session.scalars(of_scan).all() == []


def test_another_party_confirms_and_the_text_is_in_force(waiting_terms: WaitingTerms) -> None:
    address = recorded(waiting_terms, signed_on=clock.today().isoformat())
    page = waiting_terms.browser("ilena").page("/")
    label = "Confirm the signature on paper: Agreed terms"
    assert page.links()[label] == address
    page = waiting_terms.browser("ilena").page(address)
    assert "Otto Brandis" in page.text
    assert "Joana Pires recorded the scan (SHA-256" in page.text
    page = Page.of(waiting_terms.browser("ilena").submit(address))
    assert "Tick the box to confirm" in page.text
    assert waiting_terms.state is ChecklistState.SENT
    page = Page.of(waiting_terms.browser("ilena").submit(address, compared="y"))
    assert "You confirmed it. All parties have now signed. The record says when" in page.text
    assert (waiting_terms.state, waiting_terms.signatures()) == (ChecklistState.IN_FORCE, 2)
    assert "Scan recorded by Joana Pires, Lantern Health Network, confirmed by" in page.text
    assert label not in waiting_terms.browser("ilena").page("/").links()


def test_after_the_last_day_the_page_says_so_and_offers_nothing_to_confirm(
    waiting_terms: WaitingTerms, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    address = recorded(waiting_terms, signed_on=clock.today().isoformat())
    assert "Confirm it for your organisation" in waiting_terms.browser("ilena").page(address).text
    frozen_time(clock.now() + dt.timedelta(days=60))
    for key in ("ilena", "joana"):
        page = waiting_terms.browser(key).page(address)
        assert "The time to sign this text has run out." in page.text
        assert "Confirm it for your organisation" not in page.text
        assert "can do this" not in page.text


def test_the_page_names_no_role_of_a_confirmer_that_was_changed_by_hand(
    waiting_terms: WaitingTerms,
) -> None:
    address = recorded(waiting_terms)
    ilena = waiting_terms.demonstration.users["ilena"]
    write(User, table_of(User).c.id == ilena, name="Ilena Brandt")
    page = waiting_terms.browser("ilena").page(address, 403)
    assert REFUSED in page.text
    assert "This sentence is kept with the signature" not in page.text
    # Whoever isn't asked to confirm it still reads what was recorded.
    assert "Lantern Health Network" in waiting_terms.browser("joana").page(address).text


def test_another_party_refuses_with_a_reason_that_all_read(waiting_terms: WaitingTerms) -> None:
    address = recorded(waiting_terms)
    page = Page.of(waiting_terms.browser("ilena").submit(f"{address}/refuse", reason="  "))
    assert "Enter an answer" in page.text
    page = Page.of(
        waiting_terms.browser("ilena").submit(f"{address}/refuse", reason="Page 3 is missing.")
    )
    assert "You refused the scan." in page.text
    page = waiting_terms.page("otto", "/record")
    assert "Refused" in page.text
    assert "Page 3 is missing." in page.text
    assert waiting_terms.state is ChecklistState.SENT
    assert "Record a signature on paper" in waiting_terms.page("joana", "/record").links()


def test_a_hostile_file_or_a_wrong_day_is_refused_beside_its_field(
    waiting_terms: WaitingTerms,
) -> None:
    joana, address = waiting_terms.browser("joana"), f"{waiting_terms.address}/paper"
    form = joana.page(address).form()

    today = clock.today().isoformat()
    incomplete = "isn't a complete PDF, JPEG or PNG"
    for case, scan, name, day, words in (
        ("html", HTML, "scan.pdf", today, incomplete),
        ("polyglot head", b"%PDF-1.4\n" + HTML, "scan.pdf", today, incomplete),
        ("polyglot tail", scans.pdf() + HTML, "scan.pdf", today, incomplete),
        ("two in one", scans.png() + scans.pdf(), "scan.png", today, incomplete),
        ("empty", b"", "scan.pdf", today, "is empty"),
        ("none", b"", "", today, "Choose the file of the scan"),
        ("too large", scans.pdf("x" * MAX_BYTES), "scan.pdf", today, "at most 10 MB"),
        ("far", scans.pdf(), "scan.pdf", "2999-01-01", "Enter a year from 1900 to 2199"),
        ("future", scans.pdf(), "scan.pdf", "2198-01-01", "can't be in the future"),
        ("past", scans.pdf(), "scan.pdf", "1999-01-01", "nobody could sign it then"),
    ):
        page = Page.of(post(joana, address, form, scan, name, signed_on=day))
        assert words in page.text, case
        assert page.h1 == "Record a signature on paper", case
        assert count(waiting_terms) == 0, case
    # A file that is far too large is not read.
    huge = scans.pdf("x" * MAX_REQUEST_BYTES)
    assert post(joana, address, form, huge, "scan.pdf", signed_on=today).status_code == 413
    assert count(waiting_terms) == 0
    # Only these pages take large files.
    answer = joana.post(f"{waiting_terms.address}/decline", data={"reason": "x" * 2 * 1024 * 1024})
    assert answer.status_code == 413


def test_a_file_that_the_command_refuses_is_not_stored(
    app: Flask, waiting_terms: WaitingTerms
) -> None:
    """Its file here is larger than the system takes in for a program that reads nothing."""
    with replaced(app, malware.COMMAND.holding(("/bin/false",))):
        page = Page.of(send(waiting_terms, "joana", scans.pdf("x" * 100_000)))
    assert "The file may contain a virus, so it wasn't stored." in page.text
    assert count(waiting_terms) == 0
    with replaced(app, malware.COMMAND.holding(("/bin/true",))):
        assert recorded(waiting_terms)
    assert count(waiting_terms) == 1


def test_others_can_write_while_a_file_is_checked(
    app: Flask, waiting_terms: WaitingTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_transaction = []

    def check(_command: tuple[str, ...], _data: bytes) -> bool:
        in_transaction.append(db.session().in_transaction())
        return True

    monkeypatch.setattr(malware, "check", check)
    with replaced(app, malware.COMMAND.holding(("/bin/true",))):
        assert recorded(waiting_terms)
    assert in_transaction == [False]


def test_no_file_is_stored_while_the_command_fails_and_health_says_so(
    app: Flask,
    waiting_terms: WaitingTerms,
    frozen_time: Callable[[dt.datetime], None],
    tmp_path: Path,
) -> None:
    with replaced(app, malware.COMMAND.holding(("/nowhere/clamdscan", "-"))):
        send(waiting_terms, "joana", scans.pdf())
        page = Page.of(send(waiting_terms, "joana", scans.pdf()))
        assert "The file couldn't be checked for viruses" in page.text
        assert count(waiting_terms) == 0
        assert health.look().jobs == "some could not be done"
        [failure] = failures.known()
        assert (failure.object, failure.tries) == ("TRACKER_MALWARE_COMMAND", 1)
        assert failure.error == "can't be started: FileNotFoundError"
        frozen_time(clock.now() + failures.WAITS[0])
        each(jobs.RETRY_MALWARE_COMMAND, clock.today())
        assert health.look().jobs == "some could not be done"
    with replaced(app, malware.COMMAND.holding(("/bin/true",))):
        frozen_time(clock.now() + failures.WAITS[1])
        jobs.run_once(from_url(f"file://{tmp_path}"), with_dates=True)
    assert health.look().jobs == "well"


def test_a_scans_type_is_read_from_its_content_and_it_is_served_as_a_download(
    waiting_terms: WaitingTerms,
) -> None:
    joana, ilena = waiting_terms.browser("joana"), waiting_terms.browser("ilena")
    for name in ("<script>.html", "../../etc/passwd", "x.exe"):
        assert send(waiting_terms, "joana", scans.png(), name).status_code == 200
        address = f"{waiting_terms.address}/papers/{newest(waiting_terms)}"
        answer = ilena.get(f"{address}/scan")
        assert answer.data == scans.png()
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="terms-1-paper.png"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        # A coordinator of the same side withdraws it.
        assert "Confirm" not in joana.page(address).text.split("Recorded")[0]
        page = Page.of(joana.submit(f"{address}/withdraw", reason="The wrong file."))
        assert "The scan is withdrawn." in page.text
        joana.page(f"{address}/withdraw", 403)


def test_only_people_who_may_read_the_text_download_the_scan_and_another_party_answers(
    app: Flask, waiting_terms: WaitingTerms
) -> None:
    address = recorded(waiting_terms)
    # The NPM's auditor reads its terms (class K8), and so their scan.
    readers = ("joana", "otto", "ilena", "tomas", "greta")
    statuses = dict.fromkeys(readers, 200) | dict.fromkeys(("samira", "vera", "iris"), 404)
    for key, status in statuses.items():
        browser = waiting_terms.browser(key)
        assert browser.get(f"{address}/scan").status_code == status, key
        response = browser.get(address)
        assert response.status_code == status, key
        if key in {"joana", "otto", "greta"}:
            assert "Confirm it for your organisation" not in Page.of(response).text, key
            assert browser.post(address, data={"compared": "y"}).status_code == 403, key
            refused = browser.post(f"{address}/refuse", data={"reason": "No."})
            assert refused.status_code == 403, key
    query = sa.select(sa.func.count()).where(PaperDecision.record_id == newest(waiting_terms))
    left = waiting_terms.session.scalar(query)
    waiting_terms.session.rollback()
    assert left == 0
    # A stranger is sent to the sign-in.
    assert app.test_client().get(f"{address}/scan").status_code in {302, 303}
    # The scan is found under its own text only.
    record_id = address.rsplit("/", 1)[1]
    other = waiting_terms.demonstration.checklists["complete", "terms"]
    for rest in ("", "/scan", "/refuse", "/withdraw"):
        waiting_terms.browser("ilena").page(f"/checklists/{other}/papers/{record_id}{rest}", 404)


def test_reading_the_record_takes_no_more_queries_for_more_scans(
    waiting_terms: WaitingTerms, statements: Statements
) -> None:
    def queries() -> tuple[int, int]:
        browser = waiting_terms.browser("ilena")
        counts = []
        for address in (f"{waiting_terms.address}/record", "/"):
            browser.page(address)
            with statements() as sent:
                browser.page(address)
            counts.append(len(sent))
        return counts[0], counts[1]

    address = recorded(waiting_terms)
    first = queries()
    waiting_terms.browser("joana").submit(f"{address}/withdraw", reason="The wrong file.")
    for _number in range(2):
        assert send(waiting_terms, "joana", scans.pdf()).status_code == 200
        last = newest(waiting_terms)
        if _number == 0:
            waiting_terms.browser("joana").submit(
                f"{waiting_terms.address}/papers/{last}/withdraw", reason="The wrong file."
            )
    assert queries() == first


# Prior agreements


def test_an_agreement_made_before_is_recorded_and_confirmed_by_pages(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    checklist_id = demonstration.checklists["differing", "terms"]
    address = f"/checklists/{checklist_id}"
    ilena = demonstration.browser(app, "ilena")
    page = ilena.page(address)
    assert page.links()["Record an earlier agreement on paper"] == f"{address}/former"
    page = ilena.page(f"{address}/former")
    assert "will be shown as not known" in page.text
    form = page.form()
    signers = {name: "Ada Former, Head\nBo Earlier" for name in form.names if "signers" in name}
    data = form.filled_in(signed_on="2021-03-09", ends_on="", **signers)
    body, kind = scans.as_sent(data, scans.jpeg(), "x.jpg")
    answer = ilena.open(
        f"{address}/former",
        method="POST",
        data=body,
        content_type=kind,
        csrf=False,
        follow_redirects=True,
    )
    page = Page.of(answer)
    assert page.h1 == "Earlier agreement on paper"
    assert "Ada Former; Bo Earlier, Head, for" in page.text
    samira = demonstration.browser(app, "samira")
    links = [
        link for link in samira.page("/").links().items() if "agreement made before" in link[0]
    ]
    page = Page.of(samira.submit(links[0][1], compared="y"))
    assert "You confirmed it. The text is waiting for others." in page.text
    page = Page.of(demonstration.browser(app, "celia").submit(links[0][1], compared="y"))
    assert "All parties have now signed." in page.text
    assert "Made on paper on" in page.text
    assert "No second reader reviewed it here, and it wasn't signed electronically" in page.text
    assert "Made before this tool was in use, not signed electronically. Recorded by" in page.text
    register = demonstration.browser(app, "milan").page("/register")
    assert "not reviewed here, not signed electronically" in register.text
    assert " of 0" not in register.text
