"""Pages of the closing: its record, what people confirm, exceptions, completion."""

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.access.gate import as_uuid, current_actor, found_or_404, note_reading, signed_in
from tracker.accounts.models import User
from tracker.activity import service as trail
from tracker.closing import encryption, labels, pages, policy, queries, service
from tracker.closing.forms import (
    CompleteForm,
    ConfirmReturnForm,
    ExceptionForm,
    RecordReturnForm,
)
from tracker.closing.models import MaterialReturn, ReturnState
from tracker.closing.policy import ReturnFact
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.ui import locale
from tracker.ui.form_base import Form
from tracker.ui.perform import perform, require_for
from tracker.undertakings.pages import nobody_decides
from tracker.undertakings.policy import decides_for

blueprint = Blueprint("closing", __name__)


@blueprint.route("/returns/<return_id>", methods=["GET", "POST"])
@signed_in
def confirm(return_id: str) -> str | Response:
    """Confirm what became of your own copies; once answered, show the answer."""
    actor = current_actor()
    request = found_or_404(queries.find_own(actor, as_uuid(return_id)))
    cooperation = db.session.get_one(Cooperation, request.cooperation_id)
    form = ConfirmReturnForm()
    is_typed = form.is_submitted() and form.has_words
    if request.state is not ReturnState.REQUESTED and not is_typed:
        return render_template(
            "closing/confirmed.html",
            request_row=request,
            cooperation=cooperation,
            words=encryption.words_of(request),
            state=labels.STATES[request.state],
            disposed=labels.DISPOSED,
        )
    require_for(form, policy.can_confirm(actor, queries.fact(request)))
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.confirm(actor, request.id, form.disposal.data, form.words.data or ""),
        success=_("Thank you. What you confirmed is on record."),
        next=redirect(url_for("closing.confirm", return_id=request.id), 303),
    )
    return done or render_template(
        "closing/confirm.html",
        form=form,
        request_row=request,
        cooperation=cooperation,
    )


@blueprint.route("/cooperations/<reference>/closing", methods=["GET", "POST"])
@signed_in
def show(reference: str) -> str | Response:
    """Show what was returned, which duties continue, and the lessons; complete the closing."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    form = CompleteForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.complete(actor, cooperation, form.lessons.data or ""),
        success=_("The closing is complete."),
        next=redirect(url_for("closing.show", reference=reference), 303),
    )
    return done or _show(actor, _cooperation(actor, reference), form)


@blueprint.route("/cooperations/<reference>/closing/<return_id>/record", methods=["GET", "POST"])
@signed_in
def record_confirmation(reference: str, return_id: str) -> str | Response:
    """Record for the NPM what a person without an account confirms about their copies."""
    form = RecordReturnForm()
    return _record(
        reference,
        return_id,
        form,
        policy.can_record,
        lambda actor, request_id: service.record_confirmation(
            actor, request_id, form.disposal.data, form.how.data, form.words.data or ""
        ),
        success=_("What they confirmed is on record."),
        template="closing/record.html",
    )


@blueprint.route("/cooperations/<reference>/closing/<return_id>/exception", methods=["GET", "POST"])
@signed_in
def record_exception(reference: str, return_id: str) -> str | Response:
    """Record for the NPM why a person's confirmation is missing."""
    form = ExceptionForm()
    return _record(
        reference,
        return_id,
        form,
        policy.can_except,
        lambda actor, request_id: service.record_exception(
            actor, request_id, form.reason.data or ""
        ),
        success=_("The exception is recorded."),
        template="closing/exception.html",
    )


def _record(
    reference: str,
    return_id: str,
    form: Form,
    may: Callable[[Actor, ReturnFact, dt.date], Decision],
    record: Callable[[Actor, UUID], object],
    *,
    success: str,
    template: str,
) -> str | Response:
    """Show the form by which the NPM records something about a person's copies, or save it."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    request = _for_npm(actor, cooperation, return_id)
    require_for(form, may(actor, queries.fact(request), clock.today()))
    done = form.validate_on_submit() and perform(
        form,
        lambda: record(actor, request.id),
        success=success,
        next=redirect(url_for("closing.show", reference=reference), 303),
    )
    return done or render_template(
        template,
        form=form,
        cooperation=cooperation,
        request_row=_for_npm(actor, cooperation, return_id),
    )


def _show(actor: Actor, cooperation: Cooperation, form: CompleteForm) -> str:
    closing = queries.closing_of(cooperation.id)
    closing_fact = queries.closing_fact(cooperation.id, closing)
    parties = queries.by_party(actor, cooperation)
    decides = decides_for(actor, closing_fact.npm_ids, clock.today())
    shown = [request for party in parties for request in party.requests] if decides else []
    words = {request.id: encryption.words_of(request) for request in shown}
    _note_reading(actor, [request for request in shown if words[request.id]])
    completed_by = (
        db.session.get_one(User, closing.completed_by_id).name
        if closing is not None and closing.completed_by_id
        else ""
    )
    return render_template(
        "closing/show.html",
        cooperation=cooperation,
        closing=closing,
        parties=parties,
        states=labels.STATES,
        disposed=labels.DISPOSED,
        numbers=pages.numbers,
        recorded_words=pages.recorded_words,
        decides=decides,
        nobody_decides=nobody_decides(
            actor,
            cooperation.id,
            closing_fact.npm_ids,
            waits=closing_fact.is_begun and not closing_fact.is_completed,
        ),
        words=words,
        may_complete=policy.can_complete(actor, closing_fact, clock.today()),
        lasting=pages.lasting_duties(cooperation, closing, locale.language()) if closing else None,
        completed_by=completed_by,
        form=form,
        actor=actor,
    )


def _note_reading(actor: Actor, requests: Sequence[MaterialReturn]) -> None:
    """Log who reads what people wrote about their copies: an entry for each of these people.

    It names the person's undertaking, in which they promised what they write about.
    """
    if not requests:
        return
    log = partial(
        trail.log_reads,
        actor,
        cooperation_id=requests[0].cooperation_id,
        subject_type="undertaking",
        subject_ids=sorted({request.undertaking_id for request in requests}),
        page="closing",
    )
    note_reading(log, f"closing {requests[0].cooperation_id}")


def _cooperation(actor: Actor, reference: str) -> Cooperation:
    return found_or_404(cooperations.find(actor, reference))


def _for_npm(actor: Actor, cooperation: Cooperation, return_id: str) -> MaterialReturn:
    return found_or_404(queries.find_for_npm(actor, cooperation.id, as_uuid(return_id)))
