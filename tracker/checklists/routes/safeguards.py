"""Pages for the NPM's safeguards: flag, explain, answer hints, review as second reader."""

from functools import partial
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.checklists import pages, policy
from tracker.checklists.editing import (
    act_with_reason,
    back,
    checklist_page,
    get_item_or_404,
    get_or_404,
    item_of,
    load_localized,
    may_go_on,
    reason_page,
    show_item,
)
from tracker.checklists.forms import (
    AS_AUTHOR,
    AS_READER,
    FlagForm,
    HintForm,
    ReasonOnTextForm,
    ReviewAloneForm,
    ReviewForm,
)
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist, Flag
from tracker.checklists.negotiation import hints, safeguards, warnings
from tracker.checklists.negotiation.text_digest import item_digest_in, item_token, text_digest
from tracker.core.errors import StaleError
from tracker.guidance.queries import passages_for
from tracker.signoff import shown
from tracker.ui import locale
from tracker.ui.form_base import Form
from tracker.ui.perform import perform, require_for

Answered = str | Response | tuple[str, int]

blueprint = Blueprint("safeguards", __name__, url_prefix="/checklists/<uuid:checklist_id>")

# The topics most important to independence and flexibility (S6, S7), for the second reader.
READ_FIRST = ("M5", "M6", "M10", "M12", "M20", "M21")


@blueprint.route("/items/<code>/flag", methods=["GET", "POST"])
@signed_in
def flag(checklist_id: UUID, code: str) -> Answered:
    """Flag a term as limiting the NPM (S6, S7)."""
    actor = current_actor()
    checklist, loaded, item = get_item_or_404(
        actor, checklist_id, code, "flag", policy.can_take_part
    )
    acts = pages.acts(loaded, actor, item)
    form = FlagForm()
    form.offer(pages.rows_of_parties(loaded, item))
    if not form.is_submitted():
        form.seen.data = item_token(loaded, actor, item)
    words = {
        "title": _("Flag a term: “%(item)s”", item=item.label),
        "lede": _("Does it let another body decide, delay or veto what the NPM does? Say how."),
    }
    page = partial(reason_page, loaded, item, form, **words)
    button = _("Flag the term")
    if not may_go_on(form, acts.flag, acts.why_not, _("There's nothing here to flag.")):
        return page(button=button), HTTPStatus.FORBIDDEN

    def changed(error: StaleError) -> str:
        """Show the current answers, with what was typed."""
        form.refuse(error)
        _checklist, again, now = get_item_or_404(actor, checklist_id, code, "flag")
        form.seen.data = item_token(again, actor, now)
        return reason_page(again, now, form, **words, button=button)

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
        next=back(checklist_id, code),
        conflict=changed,
    )
    return done or page(button=button)


@blueprint.route("/flags/<uuid:flag_id>/explain", methods=["GET", "POST"])
@signed_in
def explain(checklist_id: UUID, flag_id: UUID) -> str | Response:
    """Close a flag by explaining why the term does not limit the NPM."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "explain")
    loaded = load_localized(checklist)
    raised = found_or_404(_open_flag(loaded, flag_id))
    form = ReasonOnTextForm()
    if not form.is_submitted():
        show_item(form, actor, loaded, item_of(loaded, raised.item))
    require_for(form, policy.can_close_flag(actor, loaded.own_party(actor)))
    require_for(form, loaded.goes_on())

    def changed(error: StaleError) -> str:
        """Show the flag with the current term, and what was typed."""
        again = load_localized(get_or_404(actor, checklist_id, "explain"))
        still_open = found_or_404(_open_flag(again, flag_id))
        form.refuse(error)
        show_item(form, actor, again, item_of(again, still_open.item))
        return _explain_page(actor, again, still_open, form)

    done = act_with_reason(
        form,
        partial(safeguards.explain_flag_as_shown, actor, checklist, flag_id),
        success=_("The flag is closed with your explanation."),
        next=back(checklist_id, raised.item),
        conflict=changed,
    )
    return done or _explain_page(actor, loaded, raised, form)


def _open_flag(loaded: LoadedChecklist, flag_id: UUID) -> Flag | None:
    return next((flag for flag in loaded.flags if flag.id == flag_id), None)


def _explain_page(actor: Actor, loaded: LoadedChecklist, raised: Flag, form: Form) -> str:
    passage = warnings.content_of(loaded, raised).passage
    return reason_page(
        loaded,
        item_of(loaded, raised.item),
        form,
        title=_("Explain the flagged term"),
        button=_("Save explanation"),
        lede=_(
            "Your name is shown beside the explanation. To change the term instead, save another "
            "answer."
        ),
        about=warnings.flag_view(
            loaded,
            actor,
            raised,
            passages_for([passage] if passage else [], locale.language()),
        ),
    )


@blueprint.route("/items/<code>/hints/<mark>", methods=["GET", "POST"])
@signed_in
def answer_hint(checklist_id: UUID, code: str, mark: str) -> str | Response:
    """Answer whether a phrase limits the NPM: as the side that wrote it, or as second reader."""
    actor = current_actor()
    checklist, loaded, item = get_item_or_404(actor, checklist_id, code, "hint")
    on_item = hints.on_item(loaded, item)
    hint = next((hint for hint in on_item if hint.mark == mark and hint.is_asked), None)
    chosen = request.args.get("limits")
    form = HintForm(data={"limits": chosen if chosen in {"yes", "no"} else None})
    if hint is None and request.method == "POST":
        form.refuse(safeguards.words_changed())
        return _hint_page(loaded, item, form, None)
    hint = found_or_404(hint)
    as_reader = safeguards.is_second_reader(actor, loaded)
    require(
        policy.can_answer_hint(
            actor, loaded.own_party(actor), hint.organisation_id, is_reader=as_reader
        )
    )
    require_for(form, loaded.goes_on())
    require_for(form, policy.is_open(checklist.state, None, code))
    done = form.validate_on_submit() and perform(
        form,
        lambda: safeguards.answer_hint(
            actor,
            checklist,
            code,
            mark,
            limits=form.limits.data == "yes",
            reason=form.reason.data or "",
            as_reader=form.asks.data == AS_READER,
        ),
        success=_("Your answer about “%(item)s” is saved.", item=item.label),
        next=redirect(url_for("safeguards.review", checklist_id=checklist_id), 303)
        if as_reader
        else back(checklist_id, code),
    )
    passages = passages_for([hint.hint.passage], locale.language())
    view = warnings.hint_on_answer(loaded, actor, hint, passages, as_reader=as_reader)
    form.asks.data = AS_READER if as_reader else AS_AUTHOR
    return done or _hint_page(loaded, item, form, view)


def _hint_page(
    loaded: LoadedChecklist, item: Item, form: HintForm, hint: warnings.HintView | None
) -> str:
    """Show the question with the item as it is now; hint is None if its words are gone."""
    return checklist_page(
        "checklists/hint.html",
        loaded,
        item=item,
        form=form,
        hint=hint,
        answers=pages.answers_of(loaded, item),
    )


@blueprint.route("/review", methods=["GET", "POST"])
@signed_in
def review(checklist_id: UUID) -> str | Response:
    """Confirm, as second reader, that the terms keep the NPM independent and flexible (G3)."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "review")
    if checklist.kind is not ChecklistKind.TERMS:
        abort(404)
    loaded = _readable(actor, checklist)
    is_alone = safeguards.reads_alone(actor, loaded)
    form = ReviewAloneForm() if is_alone else ReviewForm()

    def changed(error: StaleError) -> str:
        """Show the current text, with what was typed."""
        form.refuse(error)
        again = _readable(actor, get_or_404(actor, checklist_id, "review"))
        return _review_page(actor, again, form, is_alone=is_alone, is_new=True)

    done = form.validate_on_submit() and perform(
        form,
        lambda: safeguards.confirm_review(
            actor,
            checklist,
            (form["reason"].data or "") if is_alone else "",
            page=shown.page_of(actor, form.page_token.data),
        ),
        success=_("You confirmed the review of independence and flexibility."),
        next=back(checklist_id),
        conflict=changed,
    )
    if done:
        return done
    if form.is_submitted():
        loaded = _readable(actor, get_or_404(actor, checklist_id, "review"))
    return _review_page(actor, loaded, form, is_alone=is_alone, is_new=not form.is_submitted())


def _readable(actor: Actor, checklist: Checklist) -> LoadedChecklist:
    loaded = load_localized(checklist)
    require(safeguards.may_review(actor, loaded))
    require(policy.is_open(checklist.state, None, "M5"))
    return loaded


def _review_page(
    actor: Actor, loaded: LoadedChecklist, form: ReviewForm, *, is_alone: bool, is_new: bool
) -> str:
    """Show the text to its second reader.

    is_new says that they know they are seeing the current text. Otherwise the form keeps its token:
    if the text has changed, they have to be told before they confirm.
    """
    if is_new:
        page = shown.page_with(text_digest(loaded))
        form.page_token.data = shown.token_of(actor, page)
    views = [
        view
        for view in pages.item_views(loaded, actor)
        if view.standing is not None and view.standing.shown is Truth.TRUE
    ]
    asked_on = [view.item for view in views if view.has_question]
    first = {*READ_FIRST, *(item.code for item in asked_on)}
    return checklist_page(
        "checklists/review.html",
        loaded,
        form=form,
        is_alone=is_alone,
        views=[view for view in views if view.item.code in first],
        others=[view for view in views if view.item.code not in first],
        asked_on=[item.label for item in asked_on],
    )
