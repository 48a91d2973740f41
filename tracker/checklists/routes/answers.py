"""Pages for filling in a checklist: the list of items, an answer, omission, the template.

In one file: the pages of one blueprint, which all lead back to the list.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.access.page_tokens import NotShownError
from tracker.activity.stale import recompute
from tracker.checklist_templates import library
from tracker.checklist_templates.labels import REQUIRED
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.checklists import (
    encryption,
    labels,
    localized_values,
    obstacles,
    own_rows,
    pages,
    policy,
    queries,
    service,
)
from tracker.checklists.assignments import service as assignments
from tracker.checklists.beside import comments_beside, text_on_page
from tracker.checklists.deciding import left_to_decide
from tracker.checklists.editing import (
    Writing,
    back,
    begin_writing,
    checklist_page,
    current_of,
    from_record,
    get_item_or_404,
    get_or_404,
    guidance_beside,
    handle_conflict,
    is_sent,
    item_of,
    load_localized,
    may_go_on,
    on_page,
    open_form,
    proposal_page,
    record_url,
    search_ahead,
    seen_version,
    show_item,
    show_question,
    uuid_or_nil,
    values_now,
)
from tracker.checklists.forms import (
    LeaveOutForm,
    ProposalForm,
    answer_form,
    as_typed,
    name_of,
    values_of,
)
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist, ChecklistState, DraftKind, ModelAnswer
from tracker.checklists.negotiation import discussions, hints, safeguards, undoing
from tracker.checklists.negotiation.text_digest import require_question_shown
from tracker.checklists.people_lists import PeopleLists
from tracker.checklists.reuse import (
    beginning,
    copies,
    known_facts,
    model_answers,
    template_upgrade,
)
from tracker.checklists.routes.left_to_decide import page_after
from tracker.checklists.routes.telephones import Numbers
from tracker.checklists.rules import completeness
from tracker.checklists.rules.facts import Filled
from tracker.checklists.rules.values import Fit
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.ui import locale
from tracker.ui.filters import chosen_or_404, filter_links
from tracker.ui.form_base import Form
from tracker.ui.perform import perform

Answered = str | Response | tuple[str, int]

# How long the words of a search may be.
MOST_WORDS = 200

blueprint = Blueprint("checklists", __name__, url_prefix="/checklists")


@blueprint.get("/<uuid:checklist_id>")
@signed_in
def show(checklist_id: UUID) -> str:
    """Show every item with its answer, positions and guidance; filters narrow the list."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "checklist")
    loaded = load_localized(checklist)
    standing = loaded.standing()
    goes_on, text = loaded.goes_on(), text_on_page(checklist)
    is_in_draft = checklist.state is ChecklistState.DRAFTING
    is_drafted = is_in_draft and bool(goes_on)
    assigned = assignments.of_side(actor, checklist) if is_drafted else None
    outlines = pages.outlines(loaded, actor, assigned)
    offered = pages.filters(loaded, assigned)
    chosen = chosen_or_404("filter", labels.FILTERS)
    if chosen not in offered:  # such as the items assigned to me, once the text is sent
        chosen = ""
    counts = {
        name: sum(pages.keep(outline, name, actor.organisation_id) for outline in outlines)
        for name in offered
    }
    words = request.args.get("words", "").strip()[:MOST_WORDS]
    chosen_outlines = [
        outline
        for outline in outlines
        if pages.keep(outline, chosen, actor.organisation_id)
        and (not words or pages.has_words(loaded, outline, words))
    ]
    shown = pages.item_views(loaded, actor, chosen_outlines, discussions.ended(loaded))
    if not counts["copied"] and chosen != "copied":
        offered.remove("copied")
    party = loaded.own_party(actor)
    may_begin = bool(beginning.may_choose(actor, loaded))
    undoable = undoing.undoable(loaded, actor)
    return checklist_page(
        "checklists/show.html",
        loaded,
        loaded=loaded,
        views=shown,
        undoable=undoable,
        open_names=obstacles.item_names(loaded, loaded.checklist.open_items or ()),
        is_joining=party is not None and party.is_joining,
        newcomers=locale.listed(fact.name for fact in loaded.parties if fact.is_joining),
        undoable_names=obstacles.item_names(loaded, undoable),
        chosen=chosen,
        words=words,
        unfolded=pages.unfolded(
            chosen_outlines, request.args.getlist("open"), narrowed=bool(chosen or words)
        ),
        sections=pages.by_section(loaded, shown),
        narrowed=chosen if chosen == "copied" else "",
        unread=sum(bool(outline.to_read) for outline in outlines),
        to_decide=left_to_decide.count(loaded, actor) if is_drafted else 0,
        may_begin=may_begin,
        has_earlier_checklists=not may_begin
        and bool(policy.can_copy(actor, party, checklist.state, goes_on=goes_on))
        and bool(queries.earlier_checklists(actor, checklist, limit=1)[0]),
        has_models=bool(policy.can_use_models(actor)) and not encryption.is_restricted(checklist),
        is_blank=not loaded.sheet.answers,
        section_links=pages.section_links(
            loaded,
            standing,
            {view.item.code for view in shown},
            unfiltered=url_for("checklists.show", checklist_id=checklist.id),
        ),
        standing=standing,
        threads=comments_beside(actor, checklist),
        waiting_links=pages.waiting_links(loaded, standing, actor.organisation_id),
        unknown=pages.unknown_count(standing),
        has_assignments=assigned is not None,
        links=filter_links(
            "filter", [(choice, labels.FILTERS[choice]) for choice in offered], counts
        ),
        text=text,
        is_ended=loaded.visit_is_stopped
        or (not goes_on and checklist.state is ChecklistState.DRAFTING),
        # An open amendment leaves the text that was signed before it.
        ended_words=labels.ENDED_WITH_VISIT[0]
        if loaded.visit_is_stopped
        else text.words or labels.UNSIGNED_AT_THE_END,
        obstacles=pages.send_obstacles(loaded),
        may_send=policy.can_send(actor, party, checklist.state, goes_on=goes_on),
        may_amend=policy.can_amend(actor, party, checklist.state, goes_on=goes_on),
        may_call_off=policy.can_call_off_amendment(
            actor,
            party,
            checklist,
            is_restricted=encryption.is_restricted(checklist),
            has_newcomer=loaded.has_newcomer,
        ),
        may_record_prior_agreement=bool(
            goes_on and policy.can_record_prior_agreement(actor, party, checklist)
        ),
        newer=template_upgrade.newer(checklist)
        if policy.can_move(actor, party, checklist.state, goes_on=goes_on)
        else None,
        may_review=safeguards.may_review(actor, loaded),
        may_ask_reader=safeguards.may_ask_outside(actor, loaded),
        reason=encryption.reason_of(checklist.cooperation_id, checklist),
        number=labels.NUMBERS[checklist.kind],
        is_restricted=encryption.is_restricted(checklist),
    )


@blueprint.route("/<uuid:checklist_id>/items/<code>/answer", methods=["GET", "POST"])
@signed_in
def answer(checklist_id: UUID, code: str) -> Answered:
    """Write an answer; if somebody saved meanwhile, both texts are shown (4.6)."""
    actor = search_ahead(current_actor(), checklist_id)
    checklist, loaded, item = get_item_or_404(actor, checklist_id, code, "answer")
    scope = _scope(item)
    fields = own_rows.fields_to_write(loaded, actor, item, scope)
    acts = pages.acts(loaded, actor, item)
    if scope is AnswerScope.SHARED and acts.propose and not _may_write(acts):
        return _to_proposal(actor, loaded, item)
    if scope is AnswerScope.PERSON:
        require(policy.can_write(actor, loaded.own_party(actor), item, scope))
    current = current_of(loaded, actor, item, scope)
    writing = begin_writing(actor, loaded, item, DraftKind(scope.value), current)
    model = _model_of(actor, loaded, item, scope)
    begun = _begun_from(model, loaded, item, writing) or _begun_from_record(
        actor, loaded, item, scope, current, writing
    )
    known = known_facts.begun(loaded, actor, item, scope)
    first = begun.fit.values if begun else {**known, **values_now(current)}
    with_team = known_facts.with_joined(loaded, item, scope, first)
    values = own_rows.values_to_write(loaded, actor, item, scope, with_team)
    lists = PeopleLists(loaded, actor, item)
    numbers = Numbers(item, fields, lists, actor)
    with_numbers = numbers.begin(values, writing)
    form = answer_form(numbers.form_class, fields, lists, with_numbers, writing.typed)
    open_form(form, actor, loaded, item, current)
    not_ours, is_draft = _("Your organisation doesn't write this answer."), writing.is_filled
    if not may_go_on(form, scope in acts.answer, acts.why_not, not_ours, is_draft=is_draft):
        return _answer_page(loaded, item, scope, form, writing), HTTPStatus.FORBIDDEN

    def save() -> None:
        require_question_shown(loaded, actor, item, form["page_token"].data or "")
        service.save_answer(
            actor,
            checklist,
            item.code,
            scope,
            _written(loaded, item, scope, form),
            base_version=seen_version(form),
            loaded_from=model_answers.fitted(model, loaded, item).values if model else None,
        )
        numbers.keep_own(form)
        writing.finish()
        recompute()  # the message says whether the item is complete

    def show_both(error: StaleError) -> str | Response:
        now, conflicting_writing = handle_conflict(actor, writing, form, show_question)
        if isinstance(error, NotShownError):
            return _asked_anew(now, code, scope, form, conflicting_writing, error)
        if not _changes(now, item, scope, form, conflicting_writing.theirs):
            return _saved_already(conflicting_writing, item)
        return _answer_page(now, item, scope, form, conflicting_writing, current, begun=begun)

    is_whole = is_sent(form) and not numbers.fill(form)
    done = is_whole and perform(
        form,
        save,
        success=lambda _none: _saved(actor, checklist, item),
        next=lambda _none: _onward(loaded, actor, code),
        conflict=show_both,
    )
    is_known = not begun and bool(
        known
        or with_team != first
        or with_numbers != values
        or own_rows.is_row_known(loaded, actor, item, scope, values)
    )
    return done or _answer_page(
        loaded,
        item,
        scope,
        form,
        writing,
        current,
        begun=begun,
        is_known=is_known,
    )


def _onward(loaded: LoadedChecklist, actor: Actor, code: str) -> Response:
    """Redirect to the next item if the person wants to go on, otherwise back to the list."""
    if request.args.get("then") == "read":  # from the page with what is left to decide
        return redirect(page_after(load_localized(loaded.checklist), actor), 303)
    wanted = request.form.get("then") == "next"
    following = pages.next_to_write(loaded, actor, code) if wanted else None
    if following is None:
        return back(loaded.checklist.id, code)
    item, scope = following
    address = url_for("checklists.answer", checklist_id=loaded.checklist.id, code=item.code)
    query = {"for": scope.value, "filter": request.args.get("filter", "")}
    address = f"{address}?{urlencode({key: value for key, value in query.items() if value})}"
    return redirect(address, 303)


def _may_write(acts: pages.Acts) -> bool:
    """Return whether the shared answer can be written here; the record fills more than a row."""
    fills_rest = request.args.get("recorded") is not None and acts.own_row
    return AnswerScope.SHARED in acts.answer and not fills_rest


def _asked_anew(
    loaded: LoadedChecklist,
    code: str,
    scope: AnswerScope,
    form: Form,
    writing: Writing,
    error: NotShownError,
) -> str:
    """Show the question as it is now, with what was typed in answer to another."""
    form.refuse(error)
    if not writing.has_conflict:
        writing = replace(writing, theirs=None)
    return _answer_page(loaded, item_of(loaded, code), scope, form, writing)


@dataclass(frozen=True, slots=True)
class _Begun:
    """Values that fill a form from a model answer: its title, what fits, what was left out.

    Without a title they come from what was recorded before the terms (P0).
    """

    title: str
    fit: Fit
    left_out: str


def _model_of(
    actor: Actor, loaded: LoadedChecklist, item: Item, scope: AnswerScope
) -> ModelAnswer | None:
    """Return the model answer that the URL names, if any.

    Abort with 404 if it isn't their organisation's, or belongs to another item.
    """
    model_id = request.args.get("model")
    if model_id is None:
        return None
    models = queries.models_for(actor, loaded.checklist.kind, item.code, scope)
    return found_or_404(
        next((model for model in models if model.id == uuid_or_nil(model_id)), None)
    )


def _begun_from(
    model: ModelAnswer | None, loaded: LoadedChecklist, item: Item, writing: Writing
) -> _Begun | None:
    """Return the values the form begins with: a model answer, unless something was typed."""
    if model is None or writing.typed is not None:
        return None
    fitting = model_answers.fitted(model, loaded, item)
    return _Begun(model.title, fitting, copies.left_out(item, fitting.left_out))


def _begun_from_record(
    actor: Actor,
    loaded: LoadedChecklist,
    item: Item,
    scope: AnswerScope,
    current: Filled | None,
    writing: Writing,
) -> _Begun | None:
    """Return the values the form begins with: the record, unless something was typed."""
    if writing.typed is not None or scope is not AnswerScope.SHARED:
        return None
    fitting = from_record(actor, loaded, item, current)
    if fitting is None:
        return None
    return _Begun("", fitting, copies.left_out(item, fitting.left_out))


def _to_proposal(actor: Actor, loaded: LoadedChecklist, item: Item) -> Answered:
    """Redirect to a proposal, since another party has accepted the answer; keep typed text."""
    address = url_for(
        "positions.propose",
        checklist_id=loaded.checklist.id,
        code=item.code,
        recorded=request.args.get("recorded"),
    )
    fields = item.fields_of(AnswerScope.SHARED)
    current = loaded.sheet.shared(item.code)
    values = current.values if current else {}
    form = answer_form(ProposalForm, fields, PeopleLists(loaded, actor, item), values)
    if not (form.is_submitted() and form.has_words):
        return redirect(address, 303)
    writing = begin_writing(actor, loaded, item, DraftKind.SHARED, current)
    if seen_version(form) != (current.version if current else 0):
        loaded, writing = handle_conflict(actor, writing, form, show_item)
        if not _changes(loaded, item, AnswerScope.SHARED, form, writing.theirs):
            return _saved_already(writing, item)
    else:
        show_item(form, actor, loaded, item)
        form.refuse(
            RuleBrokenError(
                _(
                    "Another party accepted the answer while you were writing. Your text is "
                    "below: give a reason and send it as a suggestion."
                )
            )
        )
    shown = [form[name_of(field)] for field in fields]
    own = _own_parts(loaded, item, AnswerScope.SHARED, form)
    return proposal_page(loaded, item, form, shown, writing, action=address, own=own)


def _saved_already(writing: Writing, item: Item) -> Response:
    """Respond as after saving, since the same values were saved by a form that was sent twice."""
    return perform(
        None,
        writing.finish,
        success=_("“%(item)s” is saved.", item=item.label),
        next=back(writing.checklist.id, item.code),
    )


def _own_parts(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, form: Form
) -> list[localized_values.Part_]:
    return pages.parts(item.fields_of(scope), _written(loaded, item, scope, form), loaded)


def _written(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, form: Form
) -> Mapping[str, Any]:
    """Return the whole answer as it would be with what is typed."""
    typed = values_of(form, tuple(f for f in item.fields_of(scope) if name_of(f) in form))
    return own_rows.together(loaded, current_actor(), item, scope, typed)


def _their_parts(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, theirs: Filled | None
) -> list[localized_values.Part_]:
    return pages.answer_parts(loaded, item, scope, theirs) if theirs else []


def _changes(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, form: Form, answer: Filled | None
) -> list[localized_values.PartDifference]:
    """Return how the text on the form differs from the current answer."""
    theirs = _their_parts(loaded, item, scope, answer)
    return localized_values.differences(theirs, _own_parts(loaded, item, scope, form))


def _answer_page(
    loaded: LoadedChecklist,
    item: Item,
    scope: AnswerScope,
    form: Form,
    writing: Writing,
    current: Filled | None = None,
    *,
    begun: _Begun | None = None,
    is_known: bool = False,
) -> str:
    """Show the page; a draft is shown with its differences from the current answer."""
    if request.method != "POST":  # a form that was refused has locked the checklist
        hints.search_all(loaded)
    actor, newer_answer = current_actor(), writing.theirs
    compared = newer_answer or (current if writing.is_filled else None)
    return checklist_page(
        "checklists/answer.html",
        loaded,
        item=item,
        scope=scope,
        form=form,
        fields=[form[name_of(f)] for f in item.fields_of(scope) if name_of(f) in form],
        others=pages.parts(
            item.fields_of(scope), own_rows.accepted_by_others(loaded, actor, item, scope), loaded
        ),
        draft=on_page(writing),
        theirs=newer_answer,
        their_parts=_their_parts(loaded, item, scope, newer_answer),
        own_parts=_own_parts(loaded, item, scope, form) if newer_answer else [],
        changes=_changes(loaded, item, scope, form, compared) if compared else [],
        guidance=guidance_beside(loaded, item),
        place=pages.place_of(loaded, item),
        models=queries.models_for(actor, loaded.checklist.kind, item.code, scope),
        begun=begun,
        is_known=is_known,
        recorded_url="" if begun else record_url(actor, loaded, item, current),
        has_draft=writing.typed is not None,
        may_leave_out=scope is AnswerScope.SHARED
        and completeness.may_be_left_out(item, loaded.sheet, loaded.surroundings),
    )


def _saved(actor: Actor, checklist: Checklist, item: Item) -> tuple[str, str]:
    """Return the message and its category for an item that is being saved."""
    loaded, name = load_localized(checklist), item.label
    status = loaded.standing().items.get(item.code)
    if status is not None and status.problems:
        words = _(
            "“%(item)s” is saved. It isn't complete yet: %(problem)s",
            item=name,
            problem=status.problems[0].message,
        )
        return words, "warning"
    if _is_asked(loaded, actor, item):
        words = _(
            "“%(item)s” is saved. Some words may limit the NPM: answer the question beside them.",
            item=name,
        )
        return words, "warning"
    return _("“%(item)s” is saved.", item=name), "success"


def _is_asked(loaded: LoadedChecklist, actor: Actor, item: Item) -> bool:
    """Return whether a person's side is asked if a phrase in an item limits the NPM."""
    return any(
        hint.waits_for_author and hint.organisation_id == actor.organisation_id
        for hint in hints.on_item(loaded, item)
    )


def _scope(item: Item) -> AnswerScope:
    try:
        scope = AnswerScope(request.args.get("for", item.scopes[0].value))
    except ValueError:
        abort(404)
    if scope not in item.scopes:
        abort(404)
    return scope


@blueprint.route("/<uuid:checklist_id>/items/<code>/leave-out", methods=["GET", "POST"])
@signed_in
def leave_out(checklist_id: UUID, code: str) -> Answered:
    """Record why an item that is not required does not apply (4.2)."""
    actor = current_actor()
    checklist, loaded, item = get_item_or_404(
        actor, checklist_id, code, "leave_out", policy.can_take_part
    )
    acts = pages.acts(loaded, actor, item)
    current = loaded.sheet.shared(code)
    writing = begin_writing(actor, loaded, item, DraftKind.LEFT_OUT, current)
    form = LeaveOutForm() if writing.typed is None else as_typed(LeaveOutForm, writing.typed)
    open_form(form, actor, loaded, item, current)
    refusal, is_draft = _("You can't leave this item out now."), writing.is_filled
    if not may_go_on(form, acts.leave_out, acts.why_not, refusal, is_draft=is_draft):
        return _leave_out_page(loaded, item, form, writing), HTTPStatus.FORBIDDEN

    def act() -> None:
        require_question_shown(loaded, actor, item, form.page_token.data or "")
        service.save_answer(
            actor,
            checklist,
            code,
            AnswerScope.SHARED,
            {},
            base_version=seen_version(form),
            not_applicable_because=form["reason"].data or "",
        )
        writing.finish()

    def show_both(error: StaleError) -> str:
        now, conflicting_writing = handle_conflict(actor, writing, form, show_question)
        if isinstance(error, NotShownError):
            form.refuse(error)
        if not conflicting_writing.has_conflict:
            conflicting_writing = replace(conflicting_writing, theirs=None)
        return _leave_out_page(now, item_of(now, code), form, conflicting_writing)

    done = is_sent(form) and perform(
        form,
        act,
        success=_("“%(item)s” is left out.", item=item.label),
        next=back(checklist_id, code),
        conflict=show_both,
    )
    return done or _leave_out_page(loaded, item, form, writing)


def _leave_out_page(loaded: LoadedChecklist, item: Item, form: Form, writing: Writing) -> str:
    reason = str(form["reason"].data or "")
    own = localized_values.left_out(reason)
    theirs = _their_parts(loaded, item, AnswerScope.SHARED, writing.theirs)
    return checklist_page(
        "checklists/leave_out.html",
        loaded,
        item=item,
        form=form,
        draft=on_page(writing),
        theirs=writing.theirs,
        their_parts=theirs,
        own_parts=own,
        answers=pages.answers_of(loaded, item),
    )


@blueprint.get("/templates/<kind>")
@signed_in
def template(kind: str) -> str:
    """Show the newest template of a checklist: its questions, and what each item is based on."""
    try:
        row = library.newest(ChecklistKind(kind))
    except (ValueError, LookupError):
        abort(404)
    parsed = library.localized(row, locale.language())
    passages = pages.passages_beside(parsed.items)
    return render_template(
        "checklists/template.html",
        template=parsed,
        passages={item.code: library.beside_item(item, passages) for item in parsed.items},
        required=REQUIRED,
        number=labels.NUMBERS[parsed.kind],
    )
