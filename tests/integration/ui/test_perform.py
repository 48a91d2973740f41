"""ui.perform: everything is saved and a message shown, or nothing is and the page says why."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa
from flask import Flask, get_flashed_messages, redirect
from flask import session as cookie
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker.access.decision import YES, no
from tracker.accounts.models import Attempt
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError, Mistake
from tracker.ui.fields import LineField, TextField
from tracker.ui.form_base import Form
from tracker.ui.perform import perform, require_for
from tracker.ui.validators import Required

TYPED = {"title": "Joint work", "reason": "It ends in May."}
DONE = "It is saved."
SOMETHING = ("success", DONE)


class Proposal(Form):
    title = LineField("Title", [Required()])
    reason = TextField("Reason", [Required()])


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The session of a request that sends a form."""
    with app.test_request_context("/", method="POST", data=TYPED):
        yield db.session()


@pytest.fixture
def form(session: Session) -> Proposal:
    """The form that was sent, which is valid."""
    proposal = Proposal(meta={"csrf": False})
    assert proposal.validate_on_submit()
    return proposal


@pytest.fixture
def commits(session: Session) -> Iterator[list[bool]]:
    """One entry for each commit, which says whether anything had been flashed by then."""
    seen: list[bool] = []

    def note(_session: Session) -> None:
        seen.append(bool(flashes()))

    event.listen(session, "after_commit", note)
    yield seen
    event.remove(session, "after_commit", note)


def save(key: str = "a row") -> Attempt:
    """Save a row of a table without rules."""
    row = Attempt(key=key, at=clock.now())
    db.session.add(row)
    db.session.flush()
    return row


def save_then(error: Exception) -> Callable[[], NoReturn]:
    """Return an action that saves a row, and only then finds that it can't be done."""

    def act() -> NoReturn:
        save()
        raise error

    return act


def saved() -> list[str]:
    """Return what others see in the database, whatever this session still holds."""
    db.session.rollback()
    return list(db.session.scalars(sa.select(Attempt.key)))


def flashes() -> list[Any]:
    """Return what was flashed so far, without removing it."""
    return list(cookie.get("_flashes", ()))


def lead_on() -> Response:
    return redirect("/onward", 303)


# What goes well ----------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_an_action_is_committed_once_flashed_and_redirected(
    form: Proposal, commits: list[bool]
) -> None:
    done = perform(form, save, success=DONE, next=lead_on())
    assert done is not None
    assert (done.status_code, done.location) == (303, "/onward")
    assert flashes() == [SOMETHING]
    assert commits == [False], "committed once, and before anything was said of it"
    assert saved() == ["a row"]


def test_message_and_redirect_can_depend_on_what_the_action_returned(
    form: Proposal, commits: list[bool], statements: Callable[..., Any]
) -> None:
    with statements() as sent:
        done = perform(
            form,
            save,
            success=lambda row: f"{row.key} is saved.",
            next=lambda row: redirect(f"/rows/{row.id}"),
        )
    assert done is not None
    assert flashes() == [("success", "a row is saved.")]
    assert done.location == f"/rows/{db.session.scalar(sa.select(Attempt.id))}"
    assert [statement for statement in sent if statement.startswith("SELECT")] == [], (
        "nothing was read again"
    )
    assert commits == [False]


def test_the_message_can_have_a_category_or_be_empty(form: Proposal) -> None:
    perform(form, save, success=("It waits.", "warning"), next=lead_on())
    perform(form, save, success=lambda _row: (DONE, "warning"), next=lead_on())
    perform(form, save, success=None, next=lead_on())
    messages = get_flashed_messages(with_categories=True)
    assert messages == [("warning", "It waits."), ("warning", DONE)]


# What can't be done so ---------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_broken_rule_is_shown_beside_its_field_and_nothing_is_saved_or_lost(
    form: Proposal, commits: list[bool]
) -> None:
    action = save_then(RuleBrokenError("There is one of that title.", "title"))
    assert perform(form, action, success=DONE, next=lead_on()) is None
    assert form.title.errors == ["There is one of that title."]
    assert not form.reason.errors
    assert form.summary_errors == [("title", "There is one of that title.")]
    assert {name: form[name].data for name in TYPED} == TYPED
    assert (saved(), commits, flashes()) == ([], [], [])


@pytest.mark.parametrize("field", [None, "no_such_field"])
def test_a_broken_rule_without_a_field_is_shown_above_the_form(
    form: Proposal, field: str | None
) -> None:
    action = save_then(RuleBrokenError("The text was sent for signature.", field))
    assert perform(form, action, success=DONE, next=lead_on()) is None
    assert form.summary_errors == [("", "The text was sent for signature.")]
    assert {name: form[name].data for name in TYPED} == TYPED
    assert (saved(), flashes()) == ([], [])


def test_mistakes_in_a_text_are_shown_above_a_form_without_it(form: Proposal) -> None:
    error = ContentError(
        [Mistake("terms.yaml", 3, "No such item."), Mistake("terms.yaml", 9, "No label.")]
    )
    assert perform(form, save_then(error), success=DONE, next=lead_on()) is None
    assert form.summary_errors == [("", "No such item."), ("", "No label.")]
    assert (saved(), flashes()) == ([], [])


def test_a_rule_found_broken_only_at_the_commit_is_shown_like_any_other(
    form: Proposal, session: Session
) -> None:
    def recompute(_session: Session) -> None:
        raise RuleBrokenError("This makes the visit impossible.", "reason")

    event.listen(session, "before_commit", recompute)
    try:
        assert perform(form, save, success=DONE, next=lead_on()) is None
    finally:
        event.remove(session, "before_commit", recompute)
    assert form.reason.errors == ["This makes the visit impossible."]
    assert (saved(), flashes()) == ([], [])


@pytest.mark.both_databases
def test_a_commit_that_fails_saves_nothing_and_says_nothing(
    form: Proposal, session: Session
) -> None:
    def fail(_session: Session) -> None:
        raise OperationalError("COMMIT", {}, Exception("the disk is full"))

    event.listen(session, "before_commit", fail)
    try:
        with pytest.raises(OperationalError):
            perform(form, save, success=DONE, next=lead_on())
    finally:
        event.remove(session, "before_commit", fail)
    assert (saved(), flashes()) == ([], [])


def test_nothing_is_saved_when_what_to_say_can_not_be_made(form: Proposal) -> None:
    with pytest.raises(ZeroDivisionError):
        perform(form, save, success=lambda _row: f"{1 / 0}", next=lead_on())
    assert (saved(), flashes()) == ([], [])


def test_a_refusal_saves_nothing_and_keeps_what_was_typed(app: Flask, form: Proposal) -> None:
    refusing = save_then(RefusedError("Only the NPM."))
    assert perform(form, refusing, success=DONE, next=lead_on()) is None
    assert form.summary_errors == [("", "Only the NPM.")]
    assert (form.title.data, form.reason.data) == tuple(TYPED.values())
    assert app.process_response(app.make_response("The page")).status_code == 403
    assert (saved(), flashes()) == ([], [])


def test_where_nothing_was_typed_a_refusal_is_left_to_the_error_pages(app: Flask) -> None:
    with app.test_request_context("/", method="POST", data={}):
        empty = Proposal(meta={"csrf": False})
        refusing = save_then(RefusedError("Only the NPM."))
        with pytest.raises(RefusedError):
            perform(empty, refusing, success=DONE, next=lead_on())
        with pytest.raises(RefusedError):
            require_for(empty, no("Only the NPM."))
        assert (saved(), flashes()) == ([], [])


def test_a_form_refused_beforehand_is_not_valid_and_keeps_what_was_typed(
    app: Flask, form: Proposal
) -> None:
    require_for(form, YES)
    assert form.validate_on_submit()
    require_for(form, YES, no("Only the NPM."), no("Not now."))
    assert not form.validate_on_submit()
    assert form.summary_errors == [("", "Only the NPM.")]
    assert app.process_response(app.make_response("The page")).status_code == 403


# Somebody else saved meanwhile -------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_conflict_is_answered_by_the_view_after_the_rollback(
    form: Proposal, commits: list[bool]
) -> None:
    conflicts: list[object] = []

    def handle_conflict(error: StaleError) -> str:
        conflicts.extend([error, list(db.session.scalars(sa.select(Attempt.key)))])
        return "both texts"

    error = StaleError("Somebody else saved.", "title")
    answer = perform(form, save_then(error), success=DONE, next=lead_on(), conflict=handle_conflict)
    assert answer == "both texts"
    assert conflicts == [error, []]
    assert not form.summary_errors, "the view says it as it likes"
    assert {name: form[name].data for name in TYPED} == TYPED
    assert (saved(), commits, flashes()) == ([], [], [])


def test_a_conflict_that_the_view_does_not_answer_is_a_broken_rule(form: Proposal) -> None:
    action = save_then(StaleError("Somebody else saved."))
    assert perform(form, action, success=DONE, next=lead_on()) is None
    assert form.summary_errors == [("", "Somebody else saved.")]


def test_a_broken_rule_is_no_conflict(form: Proposal) -> None:
    def handle_conflict(_error: StaleError) -> NoReturn:
        raise AssertionError

    action = save_then(RuleBrokenError("Too long.", "title"))
    assert perform(form, action, success=DONE, next=lead_on(), conflict=handle_conflict) is None
    assert form.title.errors == ["Too long."]


# A button without fields -------------------------------------------------------------------------


def test_a_button_without_a_form_says_why_not_and_leads_on_all_the_same(
    session: Session, commits: list[bool]
) -> None:
    action = save_then(RuleBrokenError("It was withdrawn.", "title"))
    done = perform(None, action, success=DONE, next=lead_on())
    assert done.location == "/onward"
    assert flashes() == [("error", "It was withdrawn.")]
    assert (saved(), commits) == ([], [])


def test_the_way_on_is_asked_with_nothing_where_the_action_returned_nothing(
    session: Session,
) -> None:
    def onward(row: Attempt | None) -> Response:
        return redirect("/none" if row is None else f"/{row.key}")

    refused = perform(None, save_then(RuleBrokenError("No.")), success=DONE, next=onward)
    assert refused.location == "/none"
    assert perform(None, save, success=DONE, next=onward).location == "/a row"
