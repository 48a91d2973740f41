"""An undertaking whose row was moved to another cooperation, or deleted, by SQL."""

import csv
import io

import sqlalchemy as sa
from flask import Flask

from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import hands, table_of
from tracker.core.db import db
from tracker.evidence import disagreements
from tracker.undertakings.models import Undertaking
from tracker.worker import jobs


def test_pages_of_an_undertaking_that_was_moved_or_deleted_say_so_in_words(
    app: Flask, demonstration: Demonstration
) -> None:
    leyla, tomas = (demonstration.browser(app, key) for key in ("leyla", "tomas"))
    rows = table_of(Undertaking)
    of_leyla = sa.and_(
        rows.c.user_id == demonstration.users["leyla"],
        rows.c.cooperation_id == demonstration.cooperations["complete"],
    )
    with app.app_context():
        own = db.session.scalars(sa.select(rows.c.id).where(of_leyla)).one()
        db.session.rollback()
    elsewhere = demonstration.cooperations["waiting"]
    with app.app_context(), hands() as connection:
        is_own = rows.c.id == own
        connection.execute(sa.update(rows).where(is_own).values(cooperation_id=elsewhere))
    of_npm = f"/cooperations/{demonstration.references['waiting']}/undertakings/{own}"
    for browser, address in (
        (leyla, f"/undertakings/{own}"),
        (leyla, f"/undertakings/{own}/sign"),
        (tomas, of_npm),
    ):
        text = browser.page(address, 403).text
        assert "differs from the signatures and the history" in text, address
    # A deleted one is an address at which nothing is, and each list says that it's missing.
    with app.app_context(), hands() as connection:
        connection.execute(sa.delete(rows).where(rows.c.id == own))
    leyla.page(f"/undertakings/{own}", 404)
    own_list = leyla.page("/undertakings").text
    assert "Leyla Marchetti was asked for an undertaking, but it's missing here." in own_list
    assert "Nobody has asked you" not in own_list
    missing = "asked, but their undertakings are missing here: Leyla Marchetti"
    with app.app_context():
        jobs.compare_texts()
        known = {(text.reference, text.subject_type) for text in disagreements.known()}
        db.session.rollback()
    reference = demonstration.references["complete"]
    assert (reference, "undertaking") in known
    milan = demonstration.browser(app, "milan")
    register = "/register/undertakings"
    assert f"{missing}, {reference}" in milan.page(f"{register}?person=henrik").text
    exported = milan.submit(register, action=f"{register}/export").data.decode("utf-8-sig")
    theirs = [row for row in csv.DictReader(io.StringIO(exported)) if row["Reference"] == reference]
    assert [row["Access"] for row in theirs if row["Person"] == "Leyla Marchetti"] == [
        "Doesn't match its signatures"
    ]
