"""Values in the database that can't be read any more: other lines and pages are still shown."""

import sqlalchemy as sa
from flask import Flask

from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import hands, table_of
from tracker.core.db import db
from tracker.visits.models import Visit
from tracker.worker import failures, jobs

VISITS = table_of(Visit)


def test_lists_go_on_and_mark_a_visit_whose_plan_cannot_be_read_and_its_page_says_so(
    app: Flask, demonstration: Demonstration
) -> None:
    reference = demonstration.references["complete"]
    with app.app_context(), hands() as connection:
        connection.execute(sa.update(VISITS).values(sealed_plan=b"\0"))
    for key in ("samira", "tomas"):
        assert "match its signatures" in demonstration.browser(app, key).page("/").text, key
    for key in ("ilena", "leyla"):
        browser = demonstration.browser(app, key)
        for address in ("/", f"/cooperations/{reference}", f"/cooperations/{reference}/visits"):
            assert "match its signatures" in browser.page(address).text, (key, address)
        page = browser.page(f"/cooperations/{reference}/visits/1", status=500)
        assert page.title.startswith("This can't be read"), key
    with app.app_context():
        jobs.judge_visits()
        assert {failure.job for failure in failures.known()} == {"judge visit"}
        db.session.rollback()
