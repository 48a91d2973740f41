"""The one way through a form: run a verb, commit, say so and redirect, or show why not."""

from collections.abc import Callable
from typing import TypeVar, overload

from flask import flash
from werkzeug.wrappers import Response

from tracker.access.decision import Decision
from tracker.access.gate import respond_as_refused
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError
from tracker.ui.form_base import Form

T = TypeVar("T")
# What is flashed: a message, or a message and its category if it isn't "success".
Message = str | tuple[str, str]
Answer = str | Response


@overload
def perform(
    form: None,
    action: Callable[[], T],
    *,
    success: Message | Callable[[T], Message] | None,
    next: Response | Callable[[T | None], Response],
) -> Response: ...


@overload
def perform(
    form: Form,
    action: Callable[[], T],
    *,
    success: Message | Callable[[T], Message] | None,
    next: Response | Callable[[T], Response],
) -> Response | None: ...


@overload
def perform(
    form: Form,
    action: Callable[[], T],
    *,
    success: Message | Callable[[T], Message] | None,
    next: Response | Callable[[T], Response],
    conflict: Callable[[StaleError], Answer],
) -> Answer | None: ...


def perform(
    form: Form | None,
    action: Callable[[], T],
    *,
    success: Message | Callable[[T], Message] | None,
    next: Response | Callable[..., Response],  # noqa: A002 -- what a view is asked for: where next?
    conflict: Callable[[StaleError], Answer] | None = None,
) -> Answer | None:
    """Run an action and commit; return the redirect to next, or None when a rule is broken.

    To be called once the form is valid:

        done = form.validate_on_submit() and perform(form, action, success=..., next=...)
        return done or render_template(...)

    success is flashed. success and next may be functions of what the action returned; they are
    called before the commit, while it can still be read without another query.

    RuleBrokenError and ContentError roll everything back. The form then has the message beside its
    field and keeps what was typed; objects that the page shows may have to be read again. A button
    without fields has no form: the message is flashed, and next is returned (a function is called
    with None). conflict answers a StaleError in place of all this, after the rollback: somebody
    else saved meanwhile. RefusedError does the same to a form in which something was typed, and its
    page has status 403. Any other error is left to the error pages.
    """
    try:
        result = action()
        message = success(result) if callable(success) else success
        answer = next if isinstance(next, Response) else next(result)
        db.session.commit()
    except (RuleBrokenError, ContentError) as error:
        db.session.rollback()
        if conflict is not None and isinstance(error, StaleError):
            return conflict(error)
        if form is not None:
            form.refuse(error)
            return None
        flash(str(error), "error")
        return next if isinstance(next, Response) else next(None)
    except RefusedError as error:
        if form is None or not form.has_words:
            raise
        db.session.rollback()
        _refuse(form, error.reason)
        return None
    if message:
        flash(*((message, "success") if isinstance(message, str) else message))
    return answer


def require_for(form: Form, *allowed: Decision) -> None:
    """Raise RefusedError unless the policy allows what a form is for, as access.gate.require does.

    But if something was typed, it stays on the page, with the reason above and status 403: things
    may have changed while the person wrote. The form is then invalid, so that the view shows it
    again. Call it where a person may see everything that the page shows besides the form.
    """
    for decision in allowed:
        try:
            decision.require()
        except RefusedError as error:
            if not (form.is_submitted() and form.has_words):
                raise
            _refuse(form, error.reason)
            return


def _refuse(form: Form, reason: object) -> None:
    form.is_refused = True
    form.refuse(RuleBrokenError(reason))
    respond_as_refused()
