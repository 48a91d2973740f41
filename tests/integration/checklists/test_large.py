"""A checklist of 200 items, 5 parties and 2,000 comments: as many queries as for a small one."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.bulk import large
from tests.factories.bulk.large import LARGE, SMALL, Crowd
from tests.pages import Page
from tests.stopwatch import measured
from tracker.checklists.models import Answer, ChecklistParty, Position
from tracker.comments.models import Comment

Statements = Callable[[], AbstractContextManager[list[str]]]
# CPU time: a page takes well below a second. make bench measures smaller differences; this notices
# only if something grows with the square of the rows.
SECONDS = 5.0


@pytest.fixture
def crowds(session: Session) -> tuple[Crowd, Crowd]:
    """A small checklist and the large one."""
    sizes = (large.make(session, SMALL), large.make(session, LARGE))
    session.commit()
    return sizes


def browser(app: Flask, crowd: Crowd) -> CheckedClient:
    return crowd.country.browser(app, "writer0x0")


def test_a_large_checklist_opens_quickly_and_with_as_many_queries_as_a_small_one(
    app: Flask,
    session: Session,
    crowds: tuple[Crowd, Crowd],
    statements: Statements,
    record_property: Callable[..., None],
) -> None:
    small, big = crowds
    counted = [
        session.scalar(
            sa.select(sa.func.count()).select_from(table).where(table.checklist_id == big.terms.id)
        )
        for table in (Answer, ChecklistParty, Position, Comment)
    ]
    assert counted == [200, 5, 1000, 2000]

    def count(crowd: Crowd, size: str) -> dict[str, int]:
        client, sent = browser(app, crowd), {}
        client.get("/account", read=False)
        for name, address in crowd.addresses().items():
            with statements() as seen, measured() as taken:
                response = client.get(address, read=False)
            sent[name] = len(seen)
            assert response.status_code == 200
            Page.of(response).check()
            record_property(f"{name}, {size}", f"{taken.seconds:.2f} s")
            assert taken.seconds < SECONDS, name
        return sent

    session.commit()
    # Once before, for what the process remembers.
    count(small, "small, first time")
    assert count(big, "large") == count(small, "small")
