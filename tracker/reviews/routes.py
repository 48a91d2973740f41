"""The pages of reviews: all of a cooperation, one record, write, confirm, conclude, call off."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.agreements.frozen_text import FrozenText
from tracker.checklists.models import Checklist, ChecklistState
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.errors import StaleError
from tracker.lifecycle import bound
from tracker.reviews import labels, pages, policy, queries, records, service
from tracker.reviews.forms import (
    BeginForm,
    CallOffForm,
    ConcludeForm,
    ConfirmRecordForm,
    RecordForm,
    record_form,
)
from tracker.reviews.models import Outcome, Review
from tracker.reviews.records import Record
from tracker.signoff import shown
from tracker.signoff.labels import DIFFERS, DISAGREES
from tracker.ui import locale
from tracker.ui.locale import with_semicolons
from tracker.ui.perform import perform, require_for

blueprint = Blueprint("reviews", __name__, url_prefix="/cooperations/<reference>/reviews")


@blueprint.app_template_filter("review_outcome_words")
def _outcome_words(outcome: str) -> object:
    return labels.OUTCOMES[Outcome(outcome)]


@blueprint.get("")
@signed_in
def listed(reference: str) -> str:
    """Show all reviews of a cooperation, and whether one can begin."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    terms = queries.terms_of(cooperation)
    reviews = queries.reviews(cooperation)
    current = next((review for review in reviews if review.is_open), None)
    fact = queries.fact(cooperation, terms, current)
    agrees = bound.is_as_recorded(cooperation)
    return render_template(
        "reviews/listed.html",
        cooperation=cooperation,
        lines=pages.lines(reviews),
        current=current,
        ahead=pages.ahead(cooperation, clock.today()) if agrees else "",
        disagreement="" if agrees else DISAGREES[0],
        differs=DIFFERS,
        awaits_notice=fact.awaits_notice,
        may_begin=policy.can_begin(actor, fact),
        may_give_notice=policy.can_give_notice(actor, fact, clock.today()),
        terms=terms,
        form=BeginForm(),
    )


@blueprint.post("/begin")
@signed_in
def begin(reference: str) -> Response:
    """Begin a review."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    return perform(
        None,
        lambda: service.begin(actor, cooperation),
        success=_("The review has started. Write its record here."),
        next=lambda review: (
            _to_record(reference, review.number)
            if review
            else redirect(url_for("reviews.listed", reference=reference), 303)
        ),
    )


@blueprint.get("/<int:number>")
@signed_in
def show(reference: str, number: int) -> str:
    """Show a review: the promises, what came of them, the outcome, and who has confirmed."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    return _record_page(actor, cooperation, _review(cooperation, number))


@blueprint.route("/<int:number>/write", methods=["GET", "POST"])
@signed_in
def write(reference: str, number: int) -> str | Response:
    """Write the record of a review, as a draft that all parties see."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    review = _review(cooperation, number)
    terms = found_or_404(queries.terms_of(cooperation))
    saved, text = _saved(review), pages.text_of(terms, locale.language(), review)
    record_fact = queries.record_fact(cooperation, terms, review)
    codes = tuple(record_fact.promises)
    form = record_form(codes, saved, review.version, asks_start=record_fact.latest_start is None)
    require_for(form, policy.can_write(actor, queries.fact(cooperation, terms, review)))
    form.offer(
        pages.participants(saved, cooperation.id),
        pages.parties(saved, cooperation),
        pages.items(text),
    )
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.save(
            actor, cooperation, number, form.record(codes), version=form.version.data
        ),
        success=lambda changed: _("The record is saved.") if changed else _("Nothing was changed."),
        next=_to_record(reference, number),
        conflict=lambda error: _conflict(actor, reference, number, form, error),
    )
    if done:
        return done
    if form.errors or form.form_errors:
        cooperation = _cooperation(actor, reference)
        terms = found_or_404(queries.terms_of(cooperation))
        review = _review(cooperation, number)
    return _write_page(cooperation, review, terms, form)


@blueprint.post("/<int:number>/confirm")
@signed_in
def confirm(reference: str, number: int) -> str | Response:
    """Confirm the record that was on the screen, for your party."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    _review(cooperation, number)
    form = ConfirmRecordForm()
    page = shown.page_of(actor, form.page.data)

    def changed(error: StaleError) -> str:
        again = _cooperation(actor, reference)
        return _record_page(actor, again, _review(again, number), str(error))

    done = form.validate_on_submit() and perform(
        form,
        lambda: service.confirm(actor, cooperation, number, page=page),
        success=lambda review: (
            _("All parties have confirmed the record.")
            if review.concluded_at
            else _("You have confirmed the record for your organisation.")
        ),
        next=_to_record(reference, number),
        conflict=changed,
    )
    if done:
        return done
    cooperation = _cooperation(actor, reference)
    problems = with_semicolons(message for _field, message in form.summary_errors)
    return _record_page(actor, cooperation, _review(cooperation, number), problems)


@blueprint.route("/<int:number>/conclude", methods=["GET", "POST"])
@signed_in
def conclude(reference: str, number: int) -> str | Response:
    """Conclude a review for the NPM without the parties that haven't confirmed its record."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    review = _review(cooperation, number)
    form = ConcludeForm()
    fact = queries.fact(cooperation, queries.terms_of(cooperation), review)
    require_for(
        form,
        policy.can_conclude_without(
            actor, fact.for_conclusion(actor.organisation_id), clock.today()
        ),
    )
    page = shown.page_of(actor, form.page.data)

    def changed(error: StaleError) -> str:
        form.refuse(error)
        return _conclude_page(actor, reference, number, form)

    done = form.validate_on_submit() and perform(
        form,
        lambda: service.conclude_without(
            actor, cooperation, number, reason=form.reason.data or "", page=page
        ),
        success=_("The review is concluded."),
        next=_to_record(reference, number),
        conflict=changed,
    )
    return done or _conclude_page(actor, reference, number, form)


@blueprint.route("/<int:number>/call-off", methods=["GET", "POST"])
@signed_in
def call_off(reference: str, number: int) -> str | Response:
    """Call a review off, with a reason."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    review = _review(cooperation, number)
    form = CallOffForm()
    require_for(
        form,
        policy.can_call_off(
            actor, queries.fact(cooperation, queries.terms_of(cooperation), review)
        ),
    )
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.call_off(actor, cooperation, number, reason=form.reason.data or ""),
        success=_("The review is cancelled."),
        next=redirect(url_for("reviews.listed", reference=reference), 303),
    )
    return done or render_template(
        "reviews/call_off.html",
        cooperation=_cooperation(actor, reference),
        number=number,
        form=form,
    )


def _cooperation(actor: Actor, reference: str) -> Cooperation:
    return found_or_404(cooperations.find(actor, reference))


def _review(cooperation: Cooperation, number: int) -> Review:
    return found_or_404(queries.find(cooperation, number))


def _saved(review: Review) -> Record:
    version = queries.last_version(review)
    return records.read(version.content) if version else Record()


def _to_record(reference: str, number: int) -> Response:
    return redirect(pages.record_url(reference, number), 303)


def _record_page(actor: Actor, cooperation: Cooperation, review: Review, problem: str = "") -> str:
    terms = found_or_404(queries.terms_of(cooperation))
    fact = queries.fact(cooperation, terms, review)
    record = _saved(review)
    text = pages.text_of(terms, locale.language(), review)
    form = ConfirmRecordForm(formdata=None)
    form.page.data = shown.token_of(actor, service.page_with(review))
    without = pages.concluded_without(review)
    return render_template(
        "reviews/show.html",
        cooperation=cooperation,
        review=review,
        version=queries.last_version(review),
        **_record_words(cooperation, text, record),
        parties=pages.party_lines(cooperation, review, without),
        without=without,
        missing=locale.listed(fact.missing),
        ends_waiting_on=fact.ends_waiting_on,
        today=clock.today(),
        lacks=_lacks(cooperation, terms, review, record),
        may_write=policy.can_write(actor, fact),
        may_confirm=policy.can_confirm(actor, fact, clock.today()),
        may_conclude=policy.can_conclude_without(
            actor, fact.for_conclusion(actor.organisation_id), clock.today()
        ),
        may_call_off=policy.can_call_off(actor, fact),
        form=form,
        problem=problem,
        may_give_notice=review.outcome is Outcome.END
        and policy.can_give_notice(actor, fact, clock.today())
        and queries.is_last(review),
        terms=terms,
        opens_amendment=review.outcome in {Outcome.RENEW, Outcome.AMEND}
        and terms.state in {ChecklistState.DRAFTING, ChecklistState.SENT}
        and queries.is_last(review),
    )


def _conclude_page(actor: Actor, reference: str, number: int, form: ConcludeForm) -> str:
    """Show the record as stored now, which parties haven't confirmed it, and what follows."""
    cooperation = _cooperation(actor, reference)
    review = _review(cooperation, number)
    terms = found_or_404(queries.terms_of(cooperation))
    fact = queries.fact(cooperation, terms, review)
    record = _saved(review)
    text = pages.text_of(terms, locale.language(), review)
    form.page.data = shown.token_of(actor, service.page_with(review))
    return render_template(
        "reviews/conclude.html",
        cooperation=cooperation,
        review=review,
        **_record_words(cooperation, text, record),
        missing=fact.missing,
        names=locale.listed(fact.missing),
        asked_on=fact.asked_on,
        lacks=_lacks(cooperation, terms, review, record),
        form=form,
    )


def _lacks(
    cooperation: Cooperation, terms: Checklist, review: Review, record: Record
) -> list[object]:
    """Return what the record of an open review lacks before it can take effect."""
    if not review.is_open:
        return []
    fact = queries.record_fact(cooperation, terms, review, locale.language())
    return [message for _field, message in policy.problems(record, fact)]


def _record_words(cooperation: Cooperation, text: FrozenText, record: Record) -> dict[str, Any]:
    """Return what templates/reviews/_record.html shows."""
    return {
        "record": record,
        "text": text,
        "promises": pages.promises(text, record),
        "facts": pages.dates(record, text),
        "absent": pages.absent(record, cooperation),
    }


def _write_page(
    cooperation: Cooperation,
    review: Review,
    terms: Checklist,
    form: RecordForm,
    *,
    other: Review | None = None,
) -> str:
    text = pages.text_of(terms, locale.language(), review)
    return render_template(
        "reviews/write.html",
        cooperation=cooperation,
        review=review,
        form=form,
        text=text,
        promises=pages.promises(text, _saved(review)),
        other=pages.saved_values(_saved(other), text, cooperation) if other else [],
        other_version=queries.last_version(other) if other else None,
    )


def _conflict(
    actor: Actor, reference: str, number: int, form: RecordForm, error: StaleError
) -> str:
    """Show both: what was typed stays in the form and is saved over the other only on request."""
    cooperation = _cooperation(actor, reference)
    review = _review(cooperation, number)
    form.refuse(error)
    form.version.data = review.version
    terms = found_or_404(queries.terms_of(cooperation))
    return _write_page(cooperation, review, terms, form, other=review)
