"""Pages for outside second readers: invite, withdraw; and what the reader sees and does."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import pages as checklist_pages
from tracker.checklists import policy as checklist_policy
from tracker.checklists.editing import back, checklist_page, get_or_404, item_of, load_localized
from tracker.checklists.forms import FlagForm, HintForm
from tracker.checklists.heads import lock
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist, OutsideReading
from tracker.checklists.negotiation import hints, safeguards, warnings
from tracker.checklists.negotiation.text_digest import item_digest_in, item_token, text_digest
from tracker.checklists.outside_reading import pages, policy, queries, service
from tracker.checklists.outside_reading.forms import ConfirmForm, ReaderForm
from tracker.checklists.outside_reading.service import NewReader
from tracker.core.errors import StaleError
from tracker.guidance.queries import passages_for
from tracker.signoff import proof_fields, shown
from tracker.signoff.proof_fields import Given
from tracker.ui import locale
from tracker.ui.form_base import Form
from tracker.ui.perform import perform, require_for

blueprint = Blueprint("readings", __name__)

TEXT = "/checklists/<uuid:checklist_id>/outside-reader"
READING = "/readings/<uuid:reading_id>"


# The NPM's side ---------------------------------------------------------------------------------


@blueprint.route(TEXT, methods=["GET", "POST"])
@signed_in
def ask(checklist_id: UUID) -> str | Response:
    """Invite somebody to read the terms as outside second reader, if the NPM has nobody else."""
    actor = current_actor()
    checklist = _terms_or_404(actor, checklist_id)
    loaded = load_localized(checklist)
    require(policy.can_ask(actor, loaded.own_party(actor)))
    require(checklist_policy.is_open(checklist.state, None, "M5"))
    why_not = pages.why_nobody_is_asked(loaded)
    if request.method == "POST" and (loaded.checklist.reading or loaded.review or why_not):
        # The page says why, without a form.
        return redirect(url_for("readings.ask", checklist_id=checklist_id), 303)
    form = ReaderForm(data={"language": locale.language()})
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.ask(
            actor,
            checklist,
            NewReader(
                name=form["name"].data or "",
                function=form.function.data or "",
                email=form.email.data or "",
                until_on=found_or_404(form.until_on.data),
                reason=form.reason.data or "",
                language=form.language.data or "",
            ),
        ),
        success=_("The invitation is sent. All parties see who is asked, and until when."),
        next=redirect(url_for("readings.ask", checklist_id=checklist_id), 303),
    )
    if done:
        return done
    if form.is_submitted():
        checklist = _terms_or_404(actor, checklist_id)
        loaded = load_localized(checklist)
    return checklist_page(
        "readings/ask.html",
        loaded,
        reading=loaded.checklist.reading,
        is_read=loaded.review is not None,
        why_not=why_not,
        form=form,
    )


@blueprint.post(f"{TEXT}/take-back")
@signed_in
def take_back(checklist_id: UUID) -> Response:
    """Withdraw the invitation; the reader can't open the text any more."""
    actor = current_actor()
    checklist = _terms_or_404(actor, checklist_id)
    return perform(
        None,
        lambda: service.take_back(actor, checklist),
        success=_("The invitation is revoked. The reader can't open the text any more."),
        next=back(checklist_id),
    )


# The reader's side ------------------------------------------------------------------------------


@blueprint.route(READING, methods=["GET", "POST"])
@signed_in
def show(reading_id: UUID) -> str | Response:
    """Read the text as outside second reader, and confirm it with a proof of identity (G3)."""
    actor = current_actor()
    reading, loaded = _reading_or_404(actor, reading_id)
    sentence, digest = pages.sentence(reading), text_digest(loaded, reading)
    form = ConfirmForm()
    ways = proof_fields.ways(actor)
    form.ask_for(app=ways.has_app, passkey=ways.has_passkey)

    def prove_and_confirm() -> None:
        page = shown.page_of(actor, form.page_token.data)
        identity = proof_fields.prove(
            actor, Given(**form.given), page, document_digest=digest, sentence=sentence
        )
        service.confirm(actor, reading_id, page=page, method=identity.method.value)

    def show_again(error: StaleError) -> Response:
        flash(str(error), "error")
        return redirect(url_for("readings.show", reading_id=reading_id), 303)

    done = form.validate_on_submit() and perform(
        form,
        prove_and_confirm,
        success=_("Thank you. You confirmed the review, and your access to the text has ended."),
        next=redirect(url_for("dashboard.my_work"), 303),
        conflict=show_again,
    )
    if done:
        return done
    if form.is_submitted():
        reading, loaded = _reading_or_404(actor, reading_id)
    offer = proof_fields.offer(actor, shown.page_with(digest), sentence)
    form.page_token.data = offer.token
    views = pages.item_views(loaded, actor)
    return render_template(
        "readings/show.html",
        reading=reading,
        loaded=loaded,
        cooperation=loaded.cooperation,
        sections=checklist_pages.by_section(loaded, views),
        asked_on=[view.item.label for view in views if view.has_question],
        is_complete=loaded.standing().is_complete,
        form=form,
        sentence_words=sentence,
        has_second_factor=actor.has_second_factor,
        offer=offer,
    )


@blueprint.route(f"{READING}/items/<code>/flag", methods=["GET", "POST"])
@signed_in
def flag(reading_id: UUID, code: str) -> str | Response:
    """Flag a term as limiting the NPM (S6, S7)."""
    actor = current_actor()
    reading, loaded = _reading_or_404(actor, reading_id, locks=request.method == "POST")
    item, checklist = item_of(loaded, code), loaded.checklist
    form = FlagForm()
    form.offer(checklist_pages.rows_of_parties(loaded, item))
    require_for(form, checklist_policy.can_flag(actor, None, item, is_outside=True))
    if not form.is_submitted():
        form.seen.data = item_token(loaded, actor, item)

    def changed(error: StaleError) -> str:
        """Show the current answers, with what was typed."""
        form.refuse(error)
        again, now = _reading_or_404(actor, reading_id)
        form.seen.data = item_token(now, actor, item_of(now, code))
        return _item_page("readings/flag.html", again, now, code, form)

    done = form.validate_on_submit() and perform(
        form,
        lambda: safeguards.raise_flag(
            actor,
            checklist,
            code,
            form.reason.data or "",
            seen=item_digest_in(actor, form.seen.data),
            row_of=form.chosen_row,
        ),
        success=_(
            "“%(item)s” is flagged. It can't be signed until the flag is answered.",
            item=item.label,
        ),
        next=_back(reading_id, code),
        conflict=changed,
    )
    return done or _item_page("readings/flag.html", reading, loaded, code, form)


@blueprint.route(f"{READING}/items/<code>/hints/<mark>", methods=["GET", "POST"])
@signed_in
def answer_hint(reading_id: UUID, code: str, mark: str) -> str | Response:
    """Accept a phrase that may limit the NPM, or flag it."""
    actor = current_actor()
    reading, loaded = _reading_or_404(actor, reading_id)
    item, checklist = item_of(loaded, code), loaded.checklist
    on_item = hints.on_item(loaded, item)
    hint = next((hint for hint in on_item if hint.mark == mark and hint.is_asked), None)
    chosen = request.args.get("limits")
    form = HintForm(data={"limits": chosen if chosen in {"yes", "no"} else None})
    if hint is None and request.method == "POST":
        form.refuse(safeguards.words_changed())
        return _item_page("readings/hint.html", reading, loaded, code, form)
    hint = found_or_404(hint)
    done = form.validate_on_submit() and perform(
        form,
        lambda: safeguards.answer_hint(
            actor,
            checklist,
            code,
            mark,
            limits=form.limits.data == "yes",
            reason=form.reason.data or "",
            as_reader=True,
        ),
        success=_("Your answer about “%(item)s” is saved.", item=item.label),
        next=_back(reading_id, code),
    )
    if done:
        return done
    view = warnings.hint_on_answer(
        loaded,
        pages.of_no_party(actor),
        hint,
        passages_for([hint.hint.passage], locale.language()),
        as_reader=True,
        is_outside=True,
    )
    return _item_page("readings/hint.html", reading, loaded, code, form, hint=view)


# Parts ------------------------------------------------------------------------------------------


def _terms_or_404(actor: Actor, checklist_id: UUID) -> Checklist:
    checklist = get_or_404(actor, checklist_id, "outside_reader")
    if checklist.kind is not ChecklistKind.TERMS:
        abort(404)
    return checklist


def _reading_or_404(
    actor: Actor, reading_id: UUID, *, locks: bool = False
) -> tuple[OutsideReading, LoadedChecklist]:
    """Return what a person reads; with locks, locked as a verb would lock it."""
    reading = found_or_404(queries.find(actor, reading_id))
    # Locking reads the invitation again, without its text.
    checklist = reading.checklist
    if locks:
        lock(checklist)
    return reading, load_localized(checklist)


def _back(reading_id: UUID, code: str) -> Response:
    return redirect(url_for("readings.show", reading_id=reading_id, _anchor=code.lower()), 303)


def _item_page(
    template: str,
    reading: OutsideReading,
    loaded: LoadedChecklist,
    code: str,
    form: Form,
    *,
    hint: warnings.HintView | None = None,
) -> str:
    item = item_of(loaded, code)
    return render_template(
        template,
        reading=reading,
        cooperation=loaded.cooperation,
        item=item,
        answers=checklist_pages.answers_of(loaded, item),
        form=form,
        hint=hint,
    )
