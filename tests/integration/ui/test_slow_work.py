"""Slow work that a request turns out to need is done before it, and the request begins again."""

from collections.abc import Iterator
from functools import partial
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask, after_this_request, flash, g, get_flashed_messages, request
from flask import session as cookie
from flask.globals import request_ctx
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tests.writing import write_elsewhere
from tracker.accounts.models import Attempt
from tracker.core import clock, slow_work
from tracker.core.db import apart, db
from tracker.ui import errors


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The session of a request that uploads a file."""
    data = {"scan": (BytesIO(b"All of it"), "scan.pdf")}
    with app.test_request_context("/", method="POST", data=data):
        yield db.session()


def attempts(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Attempt)) or 0


def nothing() -> None:
    pass


class Act:
    """Saves something, and needs slow work for it."""

    def __init__(self, session: Session, *names: str) -> None:
        self.session, self.names, self.runs = session, names or ("phrases",), 0
        self.worked: list[str] = []

    def __call__(self) -> int:
        self.runs += 1
        self.session.add(Attempt(key="a", at=clock.now()))
        self.session.flush()
        with self.session.begin_nested():  # a savepoint is no commit
            self.session.add(Attempt(key="b", at=clock.now()))
        for name in self.names:
            slow_work.do_first(name, partial(self.work, name))
        self.session.commit()
        return self.runs

    def work(self, name: str) -> None:
        write_elsewhere()
        self.worked.append(name)


def test_slow_work_is_done_while_others_can_write_and_what_needs_it_is_saved_once(
    session: Session,
) -> None:
    before, act = attempts(session), Act(session)
    assert slow_work.run_again_after(act, nothing) == 2
    assert act.worked == ["phrases"]
    assert attempts(session) == before + 2


def test_each_slow_work_is_done_once(session: Session) -> None:
    act = Act(session, "phrases", "others", "phrases")
    assert slow_work.run_again_after(act, nothing) == 3
    assert act.worked == ["phrases", "others"]


def test_an_act_that_needs_very_much_slow_work_runs_again_only_a_few_times(
    session: Session,
) -> None:
    act = Act(session, *(f"text {number}" for number in range(40)))
    assert slow_work.run_again_after(act, nothing) == slow_work.MOST_AGAIN + 1
    assert act.worked == [f"text {number}" for number in range(slow_work.MOST_AGAIN)]


def test_nothing_runs_again_after_something_was_committed(session: Session) -> None:
    def act() -> None:
        with apart() as own:
            own.add(Attempt(key="a", at=clock.now()))
        assert not slow_work.can_be_first()
        slow_work.do_first("phrases", fail)

    def fail() -> None:
        raise AssertionError

    before = attempts(session)
    session.rollback()
    slow_work.run_again_after(act, nothing)
    assert attempts(session) == before + 1


def test_outside_a_run_nothing_is_done_first(session: Session) -> None:
    assert not slow_work.can_be_first()
    slow_work.do_first("phrases", lambda: 1 / 0)


def test_a_request_that_begins_again_is_as_it_was_before_its_view(session: Session) -> None:
    flash("Before.")
    cookie["page"] = "first"
    g.known = "before"
    waiting = [*request_ctx._after_request_functions]
    beginning = errors._Beginning()

    @after_this_request
    def _log(response: Response) -> Response:
        return response

    flash("By the view.")
    cookie.update(page="second", code="used")
    g.known, g.sent_forms, g.actor = "later", ["form"], None
    assert request.files["scan"].read() == b"All of it"
    beginning.restore()
    assert request.files["scan"].read() == b"All of it"
    assert (g.known, "sent_forms" in g, "actor" in g) == ("before", False, False)
    assert (cookie["page"], "code" in cookie) == ("first", False)
    assert get_flashed_messages() == ["Before."]
    assert request_ctx._after_request_functions == waiting


def test_what_a_page_that_was_not_finished_has_shown_is_shown_once_by_the_finished_one(
    session: Session,
) -> None:
    flash("Before.")
    beginning = errors._Beginning()
    flash("By the view.")
    assert get_flashed_messages() == ["Before.", "By the view."]
    beginning.restore()
    flash("By the view.")
    assert get_flashed_messages() == ["Before.", "By the view."]
    assert "_flashes" not in cookie
