"""Undertakings on paper have the date of the paper; the scan's confirmation is shown separately."""

import csv
import datetime as dt
import io
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import undertakings_on_paper as on_paper
from tests.factories.evidence.certificates import make_all, words_of
from tests.factories.evidence.tampering import hands, table_of
from tests.factories.undertakings import Clearing
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tests.starting_points import noon_in
from tracker.activity.stale import recompute
from tracker.core.db import db
from tracker.signoff.models import Signature
from tracker.ui.locale import as_date, as_datetime
from tracker.undertakings import lists, waiting
from tracker.undertakings.waiting import TaskKind

Clock = Callable[[dt.datetime | None], None]
REGISTER = "/register/undertakings"
PAPER, CONFIRMED, COUNTERSIGNED = noon_in(2).date(), noon_in(5), noon_in(7)


@pytest.fixture
def confirmed(app: Flask, clearing: Clearing, frozen_time: Clock) -> Clearing:
    """A driver signed on paper two days after being asked; confirmed three days after that."""
    on_paper.with_driver(app, clearing)
    frozen_time(CONFIRMED)
    draft = on_paper.filled_in(clearing, briefed_on=PAPER)
    on_paper.record(clearing, draft=draft, signed_on=PAPER)
    on_paper.confirm(clearing)
    db.session.commit()
    frozen_time(COUNTERSIGNED)
    return clearing


def check_of(clearing: Clearing) -> str:
    reference = clearing.cooperation.reference
    return f"/cooperations/{reference}/undertakings/{clearing.undertaking(DRIVER).id}"


def test_the_page_that_is_countersigned_gives_the_date_of_the_paper(
    confirmed: Clearing, app: Flask
) -> None:
    page = confirmed.browser(app, "tomas").page(confirmed.countersigning(DRIVER))
    assert f"What {NAME} signed on paper on {as_date(PAPER)}." in page.text
    assert f"Scan confirmed on {as_datetime(CONFIRMED)}" in page.text
    assert f"signed on {as_datetime(CONFIRMED)}" not in page.text


def test_the_page_that_is_countersigned_gives_the_time_of_an_electronic_signature(
    clearing: Clearing, app: Flask, frozen_time: Clock
) -> None:
    frozen_time(CONFIRMED)
    clearing.sign("leyla")
    page = clearing.browser(app, "tomas").page(clearing.countersigning("leyla"))
    assert f"What Leyla Marchetti signed on {as_datetime(CONFIRMED)}." in page.text
    assert "Scan confirmed" not in page.text


def test_the_page_to_check_it_gives_the_date_of_the_paper_and_names_the_other_moment(
    confirmed: Clearing, app: Flask
) -> None:
    page = confirmed.browser(app, "tomas").page(check_of(confirmed))
    assert f"Signed on paper on {as_date(PAPER)}" in page.text
    assert f"Scan confirmed on {as_datetime(CONFIRMED)}" in page.text
    assert "Scan recorded by Ilena Dorvath" in page.text
    # Then the text was frozen too.
    assert page.text.count(as_datetime(CONFIRMED)) == 2


def test_lists_give_the_date_of_the_paper(confirmed: Clearing, app: Flask) -> None:
    where = f"/cooperations/{confirmed.cooperation.reference}/undertakings"
    page = confirmed.browser(app, "ilena").page(where)
    words = f"Signed on paper on {as_date(PAPER)}. Scan confirmed on {as_date(CONFIRMED)}."
    assert words in page.text
    (line,) = (line for line, _where in lists.mine(on_paper.as_actor(confirmed)).lines)
    assert line.signed is not None
    assert (line.signed.on, line.signed.at) == (PAPER, CONFIRMED)


def test_a_signature_whose_paper_was_changed_by_hand_gives_no_date_and_breaks_no_list(
    confirmed: Clearing, app: Flask
) -> None:
    db.session.commit()
    with hands() as connection:
        rows = table_of(Signature)
        changed = sa.update(rows).where(rows.c.method == "paper")
        connection.execute(changed.values(paper={"signed_on": "any day", "made": "here"}))
    db.session.expire_all()
    where = f"/cooperations/{confirmed.cooperation.reference}/undertakings"
    text = confirmed.browser(app, "ilena").page(where).text
    assert NAME in text
    assert "Signed on" not in text
    assert confirmed.browser(app, "milan").page(REGISTER).text


def test_the_register_and_its_export_give_the_date_of_the_paper(
    confirmed: Clearing, app: Flask
) -> None:
    recompute()
    browser = confirmed.browser(app, "milan")
    page = browser.page(REGISTER)
    assert as_date(PAPER, "medium") in page.text
    assert f"Scan confirmed on {as_date(CONFIRMED, 'medium')}" in page.text
    text = browser.post(f"{REGISTER}/export", data={}).get_data().decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    (row,) = (row for row in rows if row["Person"] == NAME)
    assert (row["Signed on"], row["Method of signing"]) == (PAPER.isoformat(), "On paper")


def test_history_says_that_it_was_signed_on_paper_and_claims_no_proof_of_identity(
    confirmed: Clearing, app: Flask
) -> None:
    where = f"/cooperations/{confirmed.cooperation.reference}/history"
    text = confirmed.browser(app, "ilena").page(where).text
    assert "signed a personal undertaking on paper; the scan is confirmed." in text
    assert "Proof of identity: On paper" not in text


def test_the_certificate_gives_the_date_of_the_paper_as_the_date_of_signing(
    confirmed: Clearing,
) -> None:
    revision_id = confirmed.undertaking(DRIVER).revision_id
    assert revision_id is not None
    confirmed.countersign(DRIVER)
    db.session.commit()
    by_language = {row.language: words_of(row) for row in make_all()[revision_id]}
    words = " ".join(by_language["en"].split())
    # In the block of signatures, and where the proof is described.
    assert words.count(f"Signed on paper on {as_date(PAPER)}") == 2
    assert words.count(f"Scan confirmed on {as_datetime(CONFIRMED)}") == 2
    assert as_datetime(COUNTERSIGNED) in words


def test_it_waits_for_the_npm_since_the_scan_was_confirmed(confirmed: Clearing) -> None:
    tasks = waiting.tasks(confirmed.actor("tomas")).mine
    (task,) = (task for task in tasks if task.kind is TaskKind.COUNTERSIGN)
    assert task.since == CONFIRMED
