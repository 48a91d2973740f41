"""The history of a cooperation costs the same for a few events as for a full page of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.cooperations import bring_in, load_checklists, make_country, open_one
from tracker.core.db import db

pytestmark = pytest.mark.both_databases


def test_the_history_sends_as_many_queries_for_many_events_by_many_people(
    app: Flask,
    session: Session,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    load_checklists()
    country = make_country(session)
    cooperation = open_one(country, "door", "lantern", "bridge")
    session.commit()
    address = f"/cooperations/{cooperation.reference}/history"

    def cost() -> tuple[int, int]:
        client = country.browser(app, "ilena")
        client.page(address)
        with statements() as sent:
            page = client.page(address)
        return len(sent), page.html.count("<li>")

    queries, lines = cost()
    # Each by the coordinator of another organisation, about another person.
    for first in ("dora", "henrik", "leyla", "oren", "petra", "tomas", "nadia"):
        bring_in(country, db.session.merge(cooperation), first)
        session.commit()
    more_queries, more_lines = cost()
    assert more_lines >= lines + 7
    assert more_queries == queries
