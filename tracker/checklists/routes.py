"""Pages of a checklist being filled in: the list of items, answers, positions, proposals, flags."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import no
from tracker.access.gate import current_actor, found, require, signed_in
from tracker.activity import service as trail
from tracker.checklists import labels, library, pages, policy, queries, sealing, service
from tracker.checklists.forms import (
    AnswerForm,
    LeaveOutForm,
    ProposalForm,
    ReasonForm,
    answer_form,
    name_of,
    values_of,
)
from tracker.checklists.loading import Filling, fill
from tracker.checklists.models import AnswerScope, Checklist, ChecklistKind, Stance
from tracker.checklists.template import Item
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.guidance.queries import passages_for
from tracker.ui.filters import filter_links
from tracker.ui.form_base import Form

blueprint = Blueprint("checklists", __name__, url_prefix="/checklists")


def opened(actor: Actor, checklist_id: UUID, page: str) -> Checklist:
    """Return a checklist the person may open, or answer 404; opening class K2 is noted."""
    checklist = found(queries.find(actor, checklist_id))
    if sealing.is_restricted(checklist) and request.method == "GET":
        trail.log_read(
            actor,
            cooperation_id=checklist.cooperation_id,
            subject_type="checklist",
            subject_id=checklist.id,
            page=page,
        )
    return checklist


def _item(filling: Filling, code: str) -> Item:
    return found(filling.template.item(code))


def _back(checklist: Checklist, code: str = "") -> Response:
    return redirect(
        url_for("checklists.show", checklist_id=checklist.id, _anchor=code.lower() or None), 303
    )


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
        "flagged": _("Flagged"),
        "open": _("Not started"),
    }
    counts = {
        name: sum(pages.keep(view, name, actor.organisation_id) for view in views)
        for name in pages.FILTERS
    }
    party = filling.party(actor.organisation_id) if actor.organisation_id else None
    return render_template(
        "checklists/show.html",
        checklist=checklist,
        filling=filling,
        cooperation=filling.cooperation,
        views=[view for view in views if pages.keep(view, chosen, actor.organisation_id)],
        section_links=pages.section_links(filling, standing),
        standing=standing,
        progress_by_party=pages.party_progress(filling, standing),
        unknown=pages.unknown_count(standing),
        links=filter_links("filter", list(names.items()), counts),
        obstacles=pages.send_obstacles(filling),
        may_send=policy.can_send(actor, party, checklist.state),
        may_amend=policy.can_amend(actor, party, checklist.state),
        may_review=policy.can_review(
            actor, service.second_reader_of(filling), filling.sheet.authors
        ),
        accept_form=ReasonForm(),
        kind_words=labels.KINDS[checklist.kind],
        number=labels.NUMBERS[checklist.kind],
        is_restricted=sealing.is_restricted(checklist),
    )


@blueprint.route("/<uuid:checklist_id>/items/<code>/answer", methods=["GET", "POST"])
@signed_in
def answer(checklist_id: UUID, code: str) -> str | Response:
    """Write an answer; a later save by somebody else is shown beside the own one (4.6)."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "answer")
    filling = fill(checklist)
    item = _item(filling, code)
    scope = _scope(item)
    acts = next(v for v in pages.item_views(filling, actor) if v.item.code == code).acts
    if scope not in acts.answer:
        if scope is AnswerScope.SHARED and acts.propose:
            return redirect(url_for(".propose", checklist_id=checklist.id, code=code), 303)
        require(no(acts.why_not or _("Your organisation does not write this answer.")))
    current = filling.sheet.answers.get((item.code, scope, _owner(actor, checklist, scope)))
    fields = item.fields_of(scope)
    values = {} if current is None or current.not_applicable else current.values
    form = answer_form(AnswerForm, fields, filling, values)
    if not form.is_submitted():
        form["base_version"].data = current.version if current else 0
    theirs = None
    if form.is_submitted() and not form.changed_rows() and form.validate():
        try:
            service.save_answer(
                actor,
                checklist,
                item.code,
                scope,
                values_of(form, fields),
                base_version=_seen(form),
            )
            db.session.commit()
            _say_saved(checklist, actor, item)
            return _back(checklist, code)
        except StaleError:
            db.session.rollback()
            filling = fill(found(queries.find(actor, checklist_id)))
            theirs = filling.sheet.answers.get((item.code, scope, _owner(actor, checklist, scope)))
            form["base_version"].data = theirs.version if theirs else 0
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
    return _answer_page(filling, item, scope, form, theirs)


def _answer_page(filling: Filling, item: Item, scope: AnswerScope, form: Form, theirs: Any) -> str:
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
        their_parts=pages.parts(fields, theirs.values, filling) if theirs else [],
        own_parts=pages.parts(fields, values_of(form, fields), filling) if theirs else [],
        passages=list(passages_for(list(item.rests_on.passages)).values()),
        kind_words=labels.KINDS[filling.checklist.kind],
        may_leave_out=scope is AnswerScope.SHARED
        and not filling.standing().items[item.code].required,
    )


def _say_saved(checklist: Checklist, actor: Actor, item: Item) -> None:
    filling = fill(found(queries.find(actor, checklist.id)))
    one = filling.standing().items.get(item.code)
    if one is not None and one.problems:
        flash(
            _(
                "%(code)s is saved. Not complete yet: %(problem)s",
                code=item.code,
                problem=one.problems[0].message,
            ),
            "wait",
        )
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


def _owner(actor: Actor, checklist: Checklist, scope: AnswerScope) -> UUID:
    if scope is AnswerScope.PARTY and actor.organisation_id:
        return actor.organisation_id
    return actor.user_id if scope is AnswerScope.PERSON else checklist.id


def _seen(form: Form) -> int:
    """Return the version the person saw; one that can't be read counts as an old one."""
    seen = form["base_version"].data
    return seen if isinstance(seen, int) else -1


@blueprint.route("/<uuid:checklist_id>/items/<code>/leave-out", methods=["GET", "POST"])
@signed_in
def leave_out(checklist_id: UUID, code: str) -> str | Response:
    """Say why an item that is not required does not apply (4.2)."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "leave_out")
    filling = fill(checklist)
    item = _item(filling, code)
    current = filling.sheet.shared(code)
    form = LeaveOutForm(data={"base_version": current.version if current else 0})

    def act() -> None:
        service.save_answer(
            actor,
            checklist,
            code,
            AnswerScope.SHARED,
            {},
            base_version=_seen(form),
            not_applicable_because=form.reason.data or "",
        )

    done = _tried(form, act, _("%(code)s is left out.", code=code))
    return (
        _back(checklist, code)
        if done
        else _reason_page(
            filling, item, form, _("Leave out %(code)s", code=code), _("Leave out"), ""
        )
    )


@blueprint.post("/<uuid:checklist_id>/items/<code>/accept")
@signed_in
def accept(checklist_id: UUID, code: str) -> Response:
    """Accept exactly the version that was on the page."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "accept")
    _item(fill(checklist), code)
    seen = request.form.get("answer", "")
    try:
        service.take_position(actor, checklist, code, Stance.ACCEPTS, answer_id=_uuid(seen))
        db.session.commit()
        flash(
            _("You accepted %(code)s for %(party)s.", code=code, party=actor.organisation_name),
            "held",
        )
    except RuleBrokenError as error:
        db.session.rollback()
        flash(f"{code}: {error}", "stop")
    return _back(checklist, code)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


@blueprint.route("/<uuid:checklist_id>/items/<code>/talk", methods=["GET", "POST"])
@signed_in
def talk(checklist_id: UUID, code: str) -> str | Response:
    """Ask to talk about an answer."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "talk")
    filling = fill(checklist)
    item = _item(filling, code)
    current = filling.sheet.shared(code)
    form = ReasonForm()

    def act() -> None:
        service.take_position(
            actor,
            checklist,
            code,
            Stance.WANTS_TALK,
            answer_id=current.answer_id if current else UUID(int=0),
            reason=form.reason.data or "",
        )

    done = _tried(form, act, _("The others see that you want to talk about %(code)s.", code=code))
    return (
        _back(checklist, code)
        if done
        else _reason_page(
            filling, item, form, _("Ask to talk about %(code)s", code=code), _("Ask to talk"), ""
        )
    )


@blueprint.route("/<uuid:checklist_id>/items/<code>/propose", methods=["GET", "POST"])
@signed_in
def propose(checklist_id: UUID, code: str) -> str | Response:
    """Propose another value with the reason."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "propose")
    filling = fill(checklist)
    item = _item(filling, code)
    current = filling.sheet.shared(code)
    if current is None or current.is_empty:
        return redirect(url_for(".answer", checklist_id=checklist.id, code=code), 303)
    require(policy.can_take_part(actor, _own_party(actor, filling)))
    require(policy.is_open(checklist.state, checklist.open_items, code))
    fields = item.fields_of(AnswerScope.SHARED)
    form = answer_form(ProposalForm, fields, filling, current.values)
    if not form.is_submitted():
        form["base_version"].data = current.version
    if form.is_submitted() and not form.changed_rows() and form.validate():
        try:
            if _seen(form) != current.version:
                raise StaleError(_("The answer changed while you were writing. Compare both."))
            service.propose(
                actor,
                checklist,
                code,
                values_of(form, fields),
                answer_id=current.answer_id,
                reason=form["reason"].data or "",
            )
            db.session.commit()
            flash(_("The others see your proposal for %(code)s.", code=code), "held")
            return _back(checklist, code)
        except RuleBrokenError as error:
            db.session.rollback()
            form["base_version"].data = current.version
            form.refuse(error)
    return render_template(
        "checklists/propose.html",
        checklist=checklist,
        cooperation=filling.cooperation,
        item=item,
        form=form,
        fields=[form[name_of(field)] for field in fields],
        current=pages.parts(fields, current.values, filling),
        passages=list(passages_for(list(item.rests_on.passages)).values()),
        kind_words=labels.KINDS[checklist.kind],
    )


@blueprint.post("/<uuid:checklist_id>/proposals/<uuid:proposal_id>/accept")
@signed_in
def accept_proposal(checklist_id: UUID, proposal_id: UUID) -> Response:
    """Make a proposal the answer."""
    return _answer_proposal(
        checklist_id,
        lambda actor, checklist: service.accept_proposal(actor, checklist, proposal_id),
        _("The proposal is the answer now. The other parties are asked again."),
    )


@blueprint.post("/<uuid:checklist_id>/proposals/<uuid:proposal_id>/withdraw")
@signed_in
def withdraw_proposal(checklist_id: UUID, proposal_id: UUID) -> Response:
    """Take an own proposal back."""
    return _answer_proposal(
        checklist_id,
        lambda actor, checklist: service.withdraw_proposal(actor, checklist, proposal_id),
        _("The proposal is taken back."),
    )


def _answer_proposal(
    checklist_id: UUID, act: Callable[[Actor, Checklist], object], words: str
) -> Response:
    actor = current_actor()
    checklist = opened(actor, checklist_id, "proposal")
    try:
        act(actor, checklist)
        db.session.commit()
        flash(words, "held")
    except RuleBrokenError as error:
        db.session.rollback()
        flash(str(error), "stop")
    return _back(checklist)


@blueprint.route(
    "/<uuid:checklist_id>/proposals/<uuid:proposal_id>/turn-down", methods=["GET", "POST"]
)
@signed_in
def turn_down(checklist_id: UUID, proposal_id: UUID) -> str | Response:
    """Turn a proposal down with a reason."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "turn_down")
    filling = fill(checklist)
    proposal = found(next((p for p in filling.proposals if p.id == proposal_id), None))
    form = ReasonForm()
    done = _tried(
        form,
        lambda: service.turn_down_proposal(actor, checklist, proposal_id, form.reason.data or ""),
        _("You turned the proposal down."),
    )
    return (
        _back(checklist, proposal.item)
        if done
        else _reason_page(
            filling,
            _item(filling, proposal.item),
            form,
            _("Turn down the proposal"),
            _("Turn down"),
            _("The party that proposed it reads your reason."),
        )
    )


@blueprint.route("/<uuid:checklist_id>/items/<code>/flag", methods=["GET", "POST"])
@signed_in
def flag(checklist_id: UUID, code: str) -> str | Response:
    """Flag a term as limiting the NPM (S6, S7)."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "flag")
    filling = fill(checklist)
    item = _item(filling, code)
    form = ReasonForm()
    done = _tried(
        form,
        lambda: service.raise_flag(actor, checklist, code, form.reason.data or ""),
        _("%(code)s is flagged. It can't be signed until the flag is answered.", code=code),
    )
    return (
        _back(checklist, code)
        if done
        else _reason_page(
            filling,
            item,
            form,
            _("Flag a term: %(code)s", code=code),
            _("Flag the term"),
            _("Does it let another body decide, delay or veto what the NPM does? Say how."),
        )
    )


@blueprint.route("/<uuid:checklist_id>/flags/<uuid:flag_id>/explain", methods=["GET", "POST"])
@signed_in
def explain(checklist_id: UUID, flag_id: UUID) -> str | Response:
    """Close a flag by explaining why the term does not limit the NPM."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "explain")
    filling = fill(checklist)
    raised = found(next((one for one in filling.flags if one.id == flag_id), None))
    require(policy.can_close_flag(actor, _own_party(actor, filling)))
    form = ReasonForm()
    done = _tried(
        form,
        lambda: service.explain_flag(actor, checklist, flag_id, form.reason.data or ""),
        _("The flag is closed with your explanation."),
    )
    return (
        _back(checklist, raised.item)
        if done
        else _reason_page(
            filling,
            _item(filling, raised.item),
            form,
            _("Explain the flagged term"),
            _("Close the flag"),
            _(
                "Your name stands beside the explanation. To change the term instead, save another answer."
            ),
        )
    )


@blueprint.route("/<uuid:checklist_id>/review", methods=["GET", "POST"])
@signed_in
def review(checklist_id: UUID) -> str | Response:
    """Confirm, as second reader, that the terms keep the NPM independent and flexible (G3)."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "review")
    if checklist.kind is not ChecklistKind.TERMS:
        abort(404)
    filling = fill(checklist)
    require(policy.can_review(actor, service.second_reader_of(filling), filling.sheet.authors))
    form = Form()
    done = _tried(
        form,
        lambda: service.confirm_review(actor, checklist),
        _("You confirmed the review of independence and flexibility."),
    )
    if done:
        return _back(checklist)
    wanted = ("M5", "M6", "M10", "M12", "M20")
    views = pages.item_views(filling, actor)
    return render_template(
        "checklists/review.html",
        checklist=checklist,
        cooperation=filling.cooperation,
        form=form,
        views=[view for view in views if view.item.code in wanted],
        kind_words=labels.KINDS[checklist.kind],
    )


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


def _own_party(actor: Actor, filling: Filling) -> Any:
    return filling.party(actor.organisation_id) if actor.organisation_id else None


def _tried(form: Form, act: Callable[[], object], words: str) -> bool:
    """Do an act when its form was sent and is right; keep the form with the reason when not."""
    if not form.validate_on_submit():
        return False
    try:
        act()
        db.session.commit()
    except RuleBrokenError as error:
        db.session.rollback()
        form.refuse(error)
        return False
    flash(words, "held")
    return True


def _reason_page(
    filling: Filling, item: Item, form: Form, title: str, button: str, lede: str
) -> str:
    return render_template(
        "checklists/reason.html",
        checklist=filling.checklist,
        cooperation=filling.cooperation,
        item=item,
        form=form,
        title_words=title,
        button=button,
        lede_words=lede,
        answers=pages.answers_of(filling, item),
        kind_words=labels.KINDS[filling.checklist.kind],
    )
