"""Pages for negotiation: accept, ask to discuss, suggest a change, respond to one.

In one file: the pages of one item lead to each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import no
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item
from tracker.checklists import (
    encryption,
    pages,
    policy,
    queries,
)
from tracker.checklists.editing import (
    Writing,
    act_with_reason,
    back,
    begin_writing,
    from_record,
    get_item_or_404,
    get_or_404,
    handle_conflict,
    is_sent,
    item_of,
    load_localized,
    may_go_on,
    proposal_page,
    reason_page,
    search_ahead,
    seen_version,
    show_item,
    show_question,
    show_version,
    shows_anew,
    uuid_or_nil,
    values_now,
)
from tracker.checklists.forms import (
    DiscussForm,
    ProposalForm,
    ReasonOnTextForm,
    SettleDiscussionForm,
    answer_form,
    name_of,
    values_of,
)
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist, DraftKind, Proposal, Stance
from tracker.checklists.negotiation import positions, undoing
from tracker.checklists.obstacles import item_names
from tracker.checklists.people_lists import PeopleLists
from tracker.checklists.reuse import known_facts
from tracker.checklists.routes.telephones import Numbers
from tracker.checklists.rules.facts import Filled
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.ui.form_base import Form
from tracker.ui.perform import perform, require_for

Answered = str | Response | tuple[str, int]

blueprint = Blueprint("positions", __name__, url_prefix="/checklists/<uuid:checklist_id>")


@blueprint.post("/items/<code>/accept")
@signed_in
def accept(checklist_id: UUID, code: str) -> Response:
    """Accept exactly what was on the page."""
    actor = current_actor()
    checklist, _loaded, item = get_item_or_404(actor, checklist_id, code, "accept")

    def act() -> None:
        try:
            positions.accept_as_shown(actor, checklist, code, token=_page_token())
        except RuleBrokenError as error:  # shown at the top of a page with many items
            raise RuleBrokenError(f"{item.label}: {error}") from error

    return perform(
        None,
        act,
        success=_(
            "You accepted “%(item)s” for %(party)s.",
            item=item.label,
            party=actor.organisation_name,
        ),
        next=back(checklist_id, code),
    )


@blueprint.post("/undo")
@signed_in
def undo(checklist_id: UUID) -> Response:
    """Take back what the person accepted within the last minute."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "undo")
    codes = request.form.getlist("item")
    return perform(
        None,
        lambda: undoing.undo_accepting(actor, checklist, codes),
        success=lambda items: _(
            "No longer accepted for %(party)s: %(items)s.",
            party=actor.organisation_name,
            items=item_names(load_localized(checklist), items),
        ),
        next=back(checklist_id),
    )


@blueprint.route("/items/<code>/talk", methods=["GET", "POST"])
@signed_in
def talk(checklist_id: UUID, code: str) -> Answered:
    """Ask to discuss an answer."""
    actor = current_actor()
    checklist, loaded, item = get_item_or_404(
        actor, checklist_id, code, "talk", policy.can_take_part
    )
    acts = pages.acts(loaded, actor, item)
    form = DiscussForm()
    form.offer(pages.rows_to_discuss(loaded, actor, item))
    if not form.is_submitted():
        show_item(form, actor, loaded, item)
    words = {
        "title": _("Ask to discuss “%(item)s”", item=item.label),
        "lede": _("The other parties read your reason."),
    }
    page = partial(reason_page, loaded, item, form, **words)
    button, refusal = _("Ask to discuss"), _("There's nothing here for you to accept.")
    if not may_go_on(form, acts.talk, acts.why_not, refusal):
        return page(button=button), HTTPStatus.FORBIDDEN

    def changed(error: StaleError) -> str:
        """Show the current item, with what was typed."""
        form.refuse(error)
        _checklist, again, now = get_item_or_404(actor, checklist_id, code, "talk")
        show_item(form, actor, again, now)
        return reason_page(again, now, form, **words, button=button)

    def act(reason: str, *, token: str) -> None:
        positions.require_shown(actor, checklist, code, token=token)
        positions.take_position(
            actor,
            checklist,
            code,
            Stance.WANTS_TALK,
            answer_id=_answer_id(loaded, code),
            reason=reason,
            row_of=form.chosen_row,
        )

    done = act_with_reason(
        form,
        act,
        success=_("The others see that you want to discuss “%(item)s”.", item=item.label),
        next=back(checklist_id, code),
        conflict=changed,
    )
    return done or page(button=button)


@blueprint.route("/items/<code>/settle", methods=["GET", "POST"])
@signed_in
def settle(checklist_id: UUID, code: str) -> Answered:
    """Accept an answer that the reader's party wanted to discuss, and say what came of it."""
    actor = current_actor()
    checklist, loaded, item = get_item_or_404(
        actor, checklist_id, code, "settle", policy.can_take_part
    )
    acts = pages.acts(loaded, actor, item)
    form = SettleDiscussionForm()
    if not form.is_submitted():
        show_item(form, actor, loaded, item)
    words = {
        "title": _("Settle the discussion of “%(item)s”", item=item.label),
        "lede": _(
            "You accept the answer as it is now. The discussion is folded away, and what you write "
            "here stays visible."
        ),
        "button": _("Settle and accept"),
    }
    page = partial(reason_page, loaded, item, form, **words)
    refusal = _("Your organisation has no discussion here to settle.")
    if not may_go_on(form, acts.settle, acts.why_not, refusal):
        return page(), HTTPStatus.FORBIDDEN

    def changed(error: StaleError) -> str:
        """Show the current item, with what was typed."""
        form.refuse(error)
        _checklist, again, now = get_item_or_404(actor, checklist_id, code, "settle")
        show_item(form, actor, again, now)
        return reason_page(again, now, form, **words)

    done = form.validate_on_submit() and perform(
        form,
        lambda: positions.accept_as_shown(
            actor,
            checklist,
            code,
            token=form.page_token.data or "",
            outcome=form.outcome.data or "",
        ),
        success=_(
            "You accepted “%(item)s” for %(party)s.",
            item=item.label,
            party=actor.organisation_name,
        ),
        next=back(checklist_id, code),
        conflict=changed,
    )
    return done or page()


def _answer_id(loaded: LoadedChecklist, code: str) -> UUID:
    current = loaded.sheet.shared(code)
    return current.answer_id if current else UUID(int=0)


@blueprint.route("/items/<code>/propose", methods=["GET", "POST"])
@signed_in
def propose(checklist_id: UUID, code: str) -> Answered:
    """Propose a change with the reason."""
    actor = search_ahead(current_actor(), checklist_id)
    checklist, loaded, item = get_item_or_404(
        actor, checklist_id, code, "propose", policy.can_take_part
    )
    current = loaded.sheet.shared(code)
    acts = pages.acts(loaded, actor, item)
    if current is None or current.is_empty:
        return _without_answer(actor, loaded, item, acts)
    fields = item.fields_of(AnswerScope.SHARED)
    replies_to = _replies_to()
    writing = begin_writing(actor, loaded, item, DraftKind.SHARED, current)
    record = from_record(actor, loaded, item, current) if writing.typed is None else None
    first = record.values if record else _values_to_begin_with(loaded, item, current, replies_to)
    values = known_facts.with_joined(loaded, item, AnswerScope.SHARED, first)
    lists = PeopleLists(loaded, actor, item)
    numbers = Numbers(item, fields, lists, actor)
    with_numbers = numbers.begin(values, writing)
    form = answer_form(ProposalForm, fields, lists, with_numbers, writing.typed)
    show_version(form, current)
    if shows_anew(form):
        show_item(form, actor, loaded, item)
    not_ours, is_draft = _("Your organisation has suggested nothing here."), writing.is_filled
    if not may_go_on(form, acts.propose, acts.why_not, not_ours, is_draft=is_draft):
        return _propose_page(loaded, item, form, writing), HTTPStatus.FORBIDDEN

    def act() -> None:
        _require_seen(form, current)
        positions.require_shown(actor, checklist, code, token=form["page_token"].data or "")
        positions.propose(
            actor,
            checklist,
            code,
            values_of(form, fields),
            answer_id=current.answer_id,
            reason=form["reason"].data or "",
            replies_to=replies_to,
        )
        writing.finish()

    def show_both(error: StaleError) -> str:
        now, conflicting_writing = handle_conflict(actor, writing, form, show_item)
        if not conflicting_writing.has_conflict:  # the question has changed, not the answer
            form.refuse(error)
            conflicting_writing = replace(conflicting_writing, theirs=None)
        return _propose_page(now, item_of(now, code), form, conflicting_writing)

    is_whole = is_sent(form) and not numbers.fill(form)
    done = is_whole and perform(
        form,
        act,
        success=_("The other parties can now see your suggestion for “%(item)s”.", item=item.label),
        next=back(checklist_id, code),
        conflict=show_both,
    )
    return done or _propose_page(loaded, item, form, writing, is_from_record=record is not None)


def _without_answer(
    actor: Actor, loaded: LoadedChecklist, item: Item, acts: pages.Acts
) -> Answered:
    """Lead to the form for the answer, since there is none to change; typed text is kept.

    The answer existed when it was typed: the checklist was upgraded to a version it doesn't fit.
    """
    address = url_for("checklists.answer", checklist_id=loaded.checklist.id, code=item.code)
    lists = PeopleLists(loaded, actor, item)
    form = answer_form(ProposalForm, item.fields_of(AnswerScope.SHARED), lists, {})
    if not (form.is_submitted() and form.has_words):
        return redirect(address, 303)
    writing = begin_writing(actor, loaded, item, DraftKind.SHARED, loaded.sheet.shared(item.code))
    not_ours = _("Your organisation doesn't write this answer.")
    if not may_go_on(form, AnswerScope.SHARED in acts.answer, acts.why_not, not_ours):
        return _propose_page(loaded, item, form, writing), HTTPStatus.FORBIDDEN
    now, kept_writing = handle_conflict(actor, writing, form, show_question)
    form.refuse(
        RuleBrokenError(
            _(
                "The answer is empty now, so there's nothing to suggest a change to. Your text is "
                "below: save it as the answer."
            )
        )
    )
    kept_writing = replace(kept_writing, theirs=None)
    return _propose_page(now, item_of(now, item.code), form, kept_writing, action=address)


def _require_seen(form: Form, current: Filled) -> None:
    if seen_version(form) != current.version:
        raise StaleError(_("The answer changed while you were writing. Compare both."))


def _propose_page(
    loaded: LoadedChecklist,
    item: Item,
    form: Form,
    writing: Writing,
    *,
    action: str = "",
    is_from_record: bool = False,
) -> str:
    fields = item.fields_of(AnswerScope.SHARED)
    own = pages.parts(fields, values_of(form, fields), loaded)
    shown = [form[name_of(field)] for field in fields]
    return proposal_page(
        loaded,
        item,
        form,
        shown,
        writing,
        action=action,
        own=own,
        is_from_record=is_from_record,
    )


def _page_token() -> str:
    """Return the token of the page on which a button without fields was pressed."""
    return request.form.get("page_token", "")


def _replies_to() -> UUID | None:
    """Return the proposal named in the URL, to which this one replies."""
    given = request.args.get("replies_to")
    return None if given is None else uuid_or_nil(given)


def _values_to_begin_with(
    loaded: LoadedChecklist, item: Item, current: Filled, replies_to: UUID | None
) -> Mapping[str, Any]:
    """Return the values the form begins with: the answer, or the proposal that is replied to.

    Abort with 404 if the URL names no open proposal; what was typed in a reply is not lost if the
    proposal has ended meanwhile: propose() handles that.
    """
    if replies_to is None:
        return values_now(current)
    replied = next((p for p in loaded.proposals if p.id == replies_to), None)
    if request.method == "POST" and replied is None:
        return values_now(current)
    fitting = found_or_404(replied if replied and replied.item == item.code else None)
    return encryption.values_of(loaded.checklist.cooperation_id, fitting)


@blueprint.post("/proposals/<uuid:proposal_id>/accept")
@signed_in
def accept_proposal(checklist_id: UUID, proposal_id: UUID) -> Response:
    """Make a proposal the answer."""
    return _answer_proposal(
        checklist_id,
        proposal_id,
        lambda actor, checklist: positions.accept_proposal_as_shown(
            actor, checklist, proposal_id, token=_page_token()
        ),
        _("Change accepted. The other parties need to accept it too."),
    )


@blueprint.post("/proposals/<uuid:proposal_id>/withdraw")
@signed_in
def withdraw_proposal(checklist_id: UUID, proposal_id: UUID) -> Response:
    """Withdraw your own proposal."""
    return _answer_proposal(
        checklist_id,
        proposal_id,
        lambda actor, checklist: positions.withdraw_proposal(actor, checklist, proposal_id),
        _("The suggestion is withdrawn."),
    )


def _answer_proposal(
    checklist_id: UUID,
    proposal_id: UUID,
    act: Callable[[Actor, Checklist], object],
    words: str,
) -> Response:
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "proposal")
    found_or_404(queries.proposal_of(checklist, proposal_id))
    return perform(None, lambda: act(actor, checklist), success=words, next=back(checklist_id))


@blueprint.route("/proposals/<uuid:proposal_id>/turn-down", methods=["GET", "POST"])
@signed_in
def turn_down(checklist_id: UUID, proposal_id: UUID) -> str | Response:
    """Decline a proposal with a reason."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "turn_down")
    loaded = load_localized(checklist)
    proposal = next((p for p in loaded.proposals if p.id == proposal_id), None)
    form = ReasonOnTextForm()
    if proposal is None and form.is_submitted():
        return _turned_down_too_late(actor, loaded, proposal_id, form)
    proposal = found_or_404(proposal)
    item = item_of(loaded, proposal.item)
    if not form.is_submitted():
        show_item(form, actor, loaded, item)
    require_for(form, policy.can_take_part(actor, loaded.own_party(actor)))
    if proposal.organisation_id == actor.organisation_id:
        require(no(_("This is your own suggestion; the other side has to answer it.")))

    def page(loaded: LoadedChecklist, item: Item, proposal: Proposal) -> str:
        return reason_page(
            loaded,
            item,
            form,
            title=_("Decline the suggestion"),
            button=_("Decline"),
            lede=_("The party that suggested it will read your reason."),
            about=pages.proposal_view(loaded, actor, item, proposal),
        )

    def changed(error: StaleError) -> str:
        """Show the proposal with the current item, and what was typed."""
        again = load_localized(get_or_404(actor, checklist_id, "turn_down"))
        still_open = next((p for p in again.proposals if p.id == proposal_id), None)
        if still_open is None:
            return _turned_down_too_late(actor, again, proposal_id, form)
        form.refuse(error)
        now = item_of(again, still_open.item)
        show_item(form, actor, again, now)
        return page(again, now, still_open)

    done = act_with_reason(
        form,
        partial(positions.turn_down_proposal_as_shown, actor, checklist, proposal_id),
        success=_("You declined the suggestion."),
        next=back(checklist_id, item.code),
        conflict=changed,
    )
    return done or page(loaded, item, proposal)


def _turned_down_too_late(
    actor: Actor, loaded: LoadedChecklist, proposal_id: UUID, form: ReasonOnTextForm
) -> str:
    """Show the current item with the reason typed, since the proposal has ended meanwhile."""
    over = found_or_404(queries.proposal_of(loaded.checklist, proposal_id))
    require(policy.can_take_part(actor, loaded.own_party(actor)))
    form.refuse(
        RuleBrokenError(_("This suggestion is no longer open, so nothing was done. See the item."))
    )
    return reason_page(
        loaded,
        item_of(loaded, over.item),
        form,
        title=_("Decline the suggestion"),
        button=_("Decline"),
    )
