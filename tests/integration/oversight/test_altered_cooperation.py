"""The row of a cooperation, changed by SQL: each page that shows it says so."""

import json

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import hands, table_of
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.evidence import disagreements
from tracker.worker import jobs

COOPERATIONS = table_of(Cooperation)
# A column, what somebody writes there, and what pages would make of it.
CHANGES = {
    "review_on": ("2031-05-05", "2031"),
    "title": ("A cooperation with the ministry", ""),
    "modes": (json.dumps(["visit", "unknown"]), ""),
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_cooperation_whose_row_was_altered_is_marked_on_every_page_that_shows_it(
    app: Flask, demonstration: Demonstration, column: str
) -> None:
    reference = demonstration.references["complete"]
    row_id = demonstration.cooperations["complete"]
    value, claimed = CHANGES[column]
    addresses = (
        "/register",
        "/cooperations",
        f"/cooperations/{reference}",
        f"/cooperations/{reference}/reviews",
        f"/register/{demonstration.checklists['complete', 'terms']}",
    )
    greta = demonstration.browser(app, "greta")
    assert not any("match its signatures" in greta.page(page).text for page in addresses)
    with app.app_context(), hands() as connection:
        connection.execute(
            sa.update(COOPERATIONS)
            .where(COOPERATIONS.c.id == row_id)
            .values({column: sa.literal_column(f"'{value}'")})
        )
    for address in addresses:
        text = greta.page(address).text
        assert "match its signatures" in text, address
        assert not claimed or claimed not in text or address == f"/cooperations/{reference}"
    with app.app_context():
        jobs.compare_texts()
        assert reference in {text.reference for text in disagreements.known()}
        db.session.rollback()
