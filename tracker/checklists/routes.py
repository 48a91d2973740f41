"""Pages of a checklist being filled in: the list of items, an answer, leaving out, the template."""

from functools import partial
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found, signed_in
from tracker.checklists import (
    labels,
    library,
    pages,
    policy,
    queries,
    safeguards,
    sealing,
    service,
)
from tracker.checklists.facts import Filled
from tracker.checklists.forms import (
    AnswerForm,
    LeaveOutForm,
    ProposalForm,
    answer_form,
    name_of,
    values_of,
)
from tracker.checklists.loading import Filling, comments_beside, fill
from tracker.checklists.models import AnswerScope, Checklist, ChecklistKind
from tracker.checklists.opening import (
    back,
    guidance_beside,
    has_words,
    may_go_on,
    opened,
    opened_item,
    proposal_page,
    reason_page,
    seen_version,
    tried,
)
from tracker.checklists.template import Item
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.guidance.queries import passages_for
from tracker.ui.filters import filter_links
from tracker.ui.form_base import Form

Answered = str | Response | tuple[str, int]

blueprint = Blueprint("checklists", __name__, url_prefix="/checklists")


@blueprint.get("/<uuid:checklist_id>")
@signed_in
def show(checklist_id: UUID) -> str:
    """Show every item with its answer, positions and guidance; filters narrow the list."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "checklist")
    filling = fill(checklist)
    standing = filling.standing()
    views = pages.item_views(filling, actor)
    chosen = request.args.get("filter", "")
    if chosen not in pages.FILTERS:
        chosen = ""
    names = {
        "": _("All items"),
        "us": _("Waiting for us"),
        "others": _("Waiting for others"),
        "differs": _("Open differences"),
        "flagged": _("Flagged"),
        "open": _("Not started"),
    }
    counts = {
        name: sum(pages.keep(view, name, actor.organisation_id) for view in views)
        for name in pages.FILTERS
    }
    shown = [view for view in views if pages.keep(view, chosen, actor.organisation_id)]
    party = filling.own_party(actor)
    return render_template(
        "checklists/show.html",
        checklist=checklist,
        filling=filling,
        cooperation=filling.cooperation,
        views=shown,
        section_links=pages.section_links(
            filling,
            standing,
            {view.item.code for view in shown},
            unfiltered=url_for("checklists.show", checklist_id=checklist.id),
        ),
        standing=standing,
        threads=comments_beside(actor, checklist),
        waiting_links=pages.waiting_links(filling, standing, actor.organisation_id),
        unknown=pages.unknown_count(standing),
        links=filter_links("filter", list(names.items()), counts),
        obstacles=pages.send_obstacles(filling),
        may_send=policy.can_send(actor, party, checklist.state),
        may_amend=policy.can_amend(actor, party, checklist.state),
        may_review=policy.can_review(
            actor, safeguards.second_reader_of(filling), filling.sheet.authors
        ),
        reason=sealing.reason_of(checklist.cooperation_id, checklist),
        kind_words=labels.KINDS[checklist.kind],
        number=labels.NUMBERS[checklist.kind],
        is_restricted=sealing.is_restricted(checklist),
    )


@blueprint.route("/<uuid:checklist_id>/items/<code>/answer", methods=["GET", "POST"])
@signed_in
def answer(checklist_id: UUID, code: str) -> Answered:
    """Write an answer; a later save by somebody else is shown beside the own one (4.6)."""
    actor = current_actor()
    checklist, filling, item = opened_item(actor, checklist_id, code, "answer")
    scope = _scope(item)
    fields = item.fields_of(scope)
    acts = pages.acts(filling, actor, item)
    if scope is AnswerScope.SHARED and scope not in acts.answer and acts.propose:
        return _to_proposal(filling, item)
    current = _current(filling, actor, item, scope)
    values = {} if current is None or current.not_applicable else current.values
    form = answer_form(AnswerForm, fields, filling, values)
    if not form.is_submitted():
        form["base_version"].data = current.version if current else 0
    not_ours = _("Your organisation does not write this answer.")
    if not may_go_on(form, scope in acts.answer, acts.why_not, not_ours):
        return _answer_page(filling, item, scope, form, None), HTTPStatus.FORBIDDEN
    theirs = None
    if form.is_submitted() and not form.changed_rows() and form.validate():
        try:
            service.save_answer(
                actor,
                checklist,
                item.code,
                scope,
                values_of(form, fields),
                base_version=seen_version(form),
            )
            db.session.commit()
            _say_saved(checklist, actor, item)
            return back(checklist, code)
        except StaleError:
            db.session.rollback()
            filling = fill(found(queries.find(actor, checklist_id)))
            theirs = _current(filling, actor, item, scope)
            form["base_version"].data = theirs.version if theirs else 0
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
    return _answer_page(filling, item, scope, form, theirs)


def _to_proposal(filling: Filling, item: Item) -> Answered:
    """Lead to a proposal, since another party has accepted the answer; typed words come along."""
    address = url_for("positions.propose", checklist_id=filling.checklist.id, code=item.code)
    fields = item.fields_of(AnswerScope.SHARED)
    current = filling.sheet.shared(item.code)
    form = answer_form(ProposalForm, fields, filling, current.values if current else {})
    if not (form.is_submitted() and has_words(form)):
        return redirect(address, 303)
    form.refuse(
        RuleBrokenError(
            _(
                "Another party accepted the answer while you were writing. Your words stand below: "
                "give the reason and send them as a proposal."
            )
        )
    )
    return proposal_page(
        filling, item, form, [form[name_of(field)] for field in fields], action=address
    )


def _current(filling: Filling, actor: Actor, item: Item, scope: AnswerScope) -> Filled | None:
    if scope is AnswerScope.PARTY and actor.organisation_id:
        return filling.sheet.of_party(item.code, actor.organisation_id)
    return filling.sheet.shared(item.code)


def _answer_page(
    filling: Filling, item: Item, scope: AnswerScope, form: Form, theirs: Filled | None
) -> str:
    fields = item.fields_of(scope)
    return render_template(
        "checklists/answer.html",
        checklist=filling.checklist,
        cooperation=filling.cooperation,
        item=item,
        scope=scope,
        form=form,
        fields=[form[name_of(field)] for field in fields],
        theirs=theirs,
        their_parts=pages.answer_parts(filling, item, scope, theirs) if theirs else [],
        own_parts=pages.parts(fields, values_of(form, fields), filling) if theirs else [],
        guidance=guidance_beside(item),
        kind_words=labels.KINDS[filling.checklist.kind],
        may_leave_out=scope is AnswerScope.SHARED
        and not filling.standing().items[item.code].required,
    )


def _say_saved(checklist: Checklist, actor: Actor, item: Item) -> None:
    filling = fill(found(queries.find(actor, checklist.id)))
    one = filling.standing().items.get(item.code)
    if one is not None and one.problems:
        words = _(
            "%(code)s is saved. Not complete yet: %(problem)s",
            code=item.code,
            problem=one.problems[0].message,
        )
        flash(words, "wait")
    else:
        flash(_("%(code)s is saved.", code=item.code), "held")


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
    """Say why an item that is not required does not apply (4.2)."""
    actor = current_actor()
    checklist, filling, item = opened_item(actor, checklist_id, code, "leave_out")
    acts = pages.acts(filling, actor, item)
    current = filling.sheet.shared(code)
    form = LeaveOutForm(data={"base_version": current.version if current else 0})
    page = partial(reason_page, filling, item, form, title=_("Leave out %(code)s", code=code))
    button, refusal = _("Leave out"), _("This item can't be left out by you now.")
    if not may_go_on(form, acts.leave_out, acts.why_not, refusal):
        return page(button=button), HTTPStatus.FORBIDDEN

    def act() -> None:
        service.save_answer(
            actor,
            checklist,
            code,
            AnswerScope.SHARED,
            {},
            base_version=seen_version(form),
            not_applicable_because=form.reason.data or "",
        )

    if tried(form, act, _("%(code)s is left out.", code=code)):
        return back(checklist, code)
    return page(button=button)


@blueprint.get("/templates/<kind>")
@signed_in
def template(kind: str) -> str:
    """Show a checklist's newest template: what is asked, and on what each item rests."""
    try:
        row = library.newest(ChecklistKind(kind))
    except (ValueError, LookupError):
        abort(404)
    parsed = library.parsed(row)
    refs = sorted({ref for item in parsed.items for ref in item.rests_on.passages})
    return render_template(
        "checklists/template.html",
        template=parsed,
        passages=passages_for(refs),
        required=labels.REQUIRED,
        number=labels.NUMBERS[parsed.kind],
    )
