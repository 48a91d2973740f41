"""Pages for comments: the thread of an item or a checklist, and actions on one comment."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, redirect, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, note_reading, signed_in
from tracker.activity import service as trail
from tracker.checklist_templates import library
from tracker.checklist_templates.schema import Item
from tracker.checklists import queries as checklists
from tracker.checklists.editing import item_or_gone, may_go_on
from tracker.checklists.encryption import is_restricted
from tracker.checklists.labels import KINDS
from tracker.checklists.models import Checklist
from tracker.comments import labels, pages, policy, queries, service
from tracker.comments.facts import fact_of
from tracker.comments.forms import CommentForm, EditForm, SettleForm, TaskForm
from tracker.comments.models import Comment, CommentAudience
from tracker.comments.people import of_audience
from tracker.core import clock
from tracker.ui import locale
from tracker.ui.filters import chosen_or_404, filter_links
from tracker.ui.form_base import Form
from tracker.ui.locale import with_commas
from tracker.ui.paging import SIZE, Page, asked_number, offset
from tracker.ui.perform import perform, require_for

Answered = str | Response | tuple[str, int]

blueprint = Blueprint("comments", __name__)


@blueprint.route("/checklists/<uuid:checklist_id>/comments", methods=["GET", "POST"])
@signed_in
def on_checklist(checklist_id: UUID) -> Answered:
    """Show the comments on a checklist as a whole, and add one."""
    actor = current_actor()
    checklist = _get_or_404(actor, checklist_id)
    return _thread(actor, checklist, None)


@blueprint.route("/checklists/<uuid:checklist_id>/items/<code>/comments", methods=["GET", "POST"])
@signed_in
def on_item(checklist_id: UUID, code: str) -> Answered:
    """Show the comments on an item, and add one."""
    actor = current_actor()
    checklist = _get_or_404(actor, checklist_id)
    return _thread(actor, checklist, item_or_gone(_item(checklist, code), checklist, code))


@blueprint.get("/comments/<uuid:comment_id>")
@signed_in
def show(comment_id: UUID) -> Response:
    """Redirect to a comment in its thread; emails and My work link here."""
    actor = current_actor()
    return _to(actor, found_or_404(queries.find(actor, comment_id)))


@blueprint.route("/comments/<uuid:comment_id>/edit", methods=["GET", "POST"])
@signed_in
def edit(comment_id: UUID) -> Answered:
    """Edit your own comment, within 15 minutes."""
    actor = current_actor()
    comment = _opened_comment(actor, comment_id)
    form = EditForm()
    if not form.is_submitted():
        form.text.data = pages.view(actor, comment.checklist, comment).text
    allowed = policy.can_edit(actor, fact_of(comment), clock.now())
    page = partial(_comment_page, "comments/edit.html", actor, comment, form)
    if not may_go_on(form, allowed, allowed.reason, ""):
        return page(), HTTPStatus.FORBIDDEN
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.edit(actor, comment_id, form.text.data or ""),
        success=_("Your comment is changed."),
        next=lambda _none: _to_id(actor, comment_id),
    )
    return done or page()


@blueprint.route("/comments/<uuid:comment_id>/withdraw", methods=["GET", "POST"])
@signed_in
def withdraw(comment_id: UUID) -> Answered:
    """Withdraw your own comment."""
    actor = current_actor()
    comment = _opened_comment(actor, comment_id)
    policy.can_withdraw(actor, fact_of(comment)).require()
    form = Form()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.withdraw(actor, comment_id),
        success=_("Your comment is withdrawn, and its words are erased."),
        next=lambda _none: _to_id(actor, comment_id),
    )
    return done or _comment_page("comments/withdraw.html", actor, comment, form)


@blueprint.route("/comments/<uuid:comment_id>/settle", methods=["GET", "POST"])
@signed_in
def settle(comment_id: UUID) -> Answered:
    """Settle a comment, saying in a sentence what came of it."""
    actor = current_actor()
    comment = _opened_comment(actor, comment_id)
    form = SettleForm()
    require_for(form, policy.can_settle(fact_of(comment)))
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.settle(actor, comment_id, form.outcome.data or ""),
        success=_("The comment is settled."),
        next=lambda _none: _to_id(actor, comment_id),
    )
    return done or _comment_page("comments/settle.html", actor, comment, form)


@blueprint.post("/comments/<uuid:comment_id>/reopen")
@signed_in
def reopen(comment_id: UUID) -> Response:
    """Reopen a settled comment."""
    return _done(comment_id, service.reopen, _("The comment is open again."))


@blueprint.post("/comments/<uuid:comment_id>/seen")
@signed_in
def seen(comment_id: UUID) -> Response:
    """Mark a mention as seen."""
    return _done(comment_id, service.mark_seen, _("You have marked the comment as seen."))


@blueprint.route("/comments/<uuid:comment_id>/task", methods=["GET", "POST"])
@signed_in
def task(comment_id: UUID) -> Answered:
    """Make a task from a comment, for a person who may read it."""
    actor = current_actor()
    comment = _opened_comment(actor, comment_id)
    able = of_audience(
        checklists.writers(comment.checklist), comment.audience, comment.organisation_id
    )
    form = TaskForm()
    form.offer(pages.offered(able))
    may = policy.can_make_task(fact_of(comment), goes_on=checklists.goes_on(comment.checklist))
    require_for(form, may)
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.make_task(
            actor, comment_id, UUID(form.person.data), form.due_on.data or clock.today()
        ),
        success=_("The task is shown beside the comment."),
        next=lambda _none: _to_id(actor, comment_id),
    )
    return done or _comment_page("comments/task.html", actor, comment, form)


@blueprint.post("/comments/<uuid:comment_id>/task/done")
@signed_in
def task_done(comment_id: UUID) -> Response:
    """Mark the task of a comment as done."""
    return _done(comment_id, service.finish_task, _("The task is done."))


def _get_or_404(actor: Actor, checklist_id: UUID) -> Checklist:
    """Return a checklist whose comments the person can read, or abort with 404; log reads of K2."""
    checklist = found_or_404(queries.find_checklist(actor, checklist_id))
    _note_reading(actor, checklist)
    return checklist


def _opened_comment(actor: Actor, comment_id: UUID) -> Comment:
    comment = found_or_404(queries.find(actor, comment_id))
    _note_reading(actor, comment.checklist)
    return comment


def _note_reading(actor: Actor, checklist: Checklist) -> None:
    if is_restricted(checklist):
        log = partial(
            trail.log_read,
            actor,
            cooperation_id=checklist.cooperation_id,
            subject_type="checklist",
            subject_id=checklist.id,
            page="comments",
        )
        note_reading(log, f"comments {checklist.id}")


def _item(checklist: Checklist, code: str | None) -> Item | None:
    return library.localized(checklist.template, locale.language()).item(code) if code else None


def _thread(actor: Actor, checklist: Checklist, item: Item | None) -> Answered:
    code = item.code if item else None
    people = checklists.writers(checklist)
    form = CommentForm()
    form.offer(
        with_commas(dict.fromkeys(party.name for party in queries.parties(checklist))),
        _("People who act for %(organisation)s", organisation=actor.organisation_name),
        pages.offered(people, without=actor.user_id),
    )
    if not form.is_submitted() and queries.last_audience(actor, checklist, code) is (
        CommentAudience.OWN
    ):
        form.audience.data = CommentAudience.OWN.value
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.write(
            actor,
            checklist,
            code,
            text=form.text.data or "",
            audience=CommentAudience(form.audience.data),
            mentions=[UUID(chosen) for chosen in form.mentions.data or ()],
        ),
        success=_("Your comment is saved."),
        next=lambda comment: _to_id(actor, comment.id),
    )
    if done:
        return done
    return _thread_page(
        actor, found_or_404(queries.find_checklist(actor, checklist.id)), item, form
    )


def _thread_page(actor: Actor, checklist: Checklist, item: Item | None, form: Form) -> str:
    code = item.code if item else None
    known = [value for value, _words in labels.FILTERS]
    state = chosen_or_404("state", known)
    number = asked_number()
    counts, comments = queries.thread(
        actor, checklist, code, state=state, offset=offset(number), limit=SIZE
    )
    return render_template(
        "comments/thread.html",
        checklist=checklist,
        cooperation=checklists.cooperation_of(checklist),
        kind_words=KINDS[checklist.kind],
        is_restricted=is_restricted(checklist),
        item=item,
        form=form,
        links=filter_links("state", labels.FILTERS, counts),
        page=Page(pages.views(actor, checklist, comments), number, SIZE, counts[state]),
    )


def _comment_page(template: str, actor: Actor, comment: Comment, form: Form) -> str:
    """Show a page about one comment; after a refusal it is loaded again."""
    comment = found_or_404(queries.find(actor, comment.id))
    checklist = comment.checklist
    item = _item(checklist, comment.item)
    return render_template(
        template,
        comment=pages.view(actor, checklist, comment),
        checklist=checklist,
        cooperation=checklists.cooperation_of(checklist),
        kind_words=KINDS[checklist.kind],
        item=item,
        form=form,
        back=pages.thread_url(checklist.id, comment.item, _anchor=f"c-{comment.id}"),
    )


def _done(comment_id: UUID, act: Callable[[Actor, UUID], None], words: str) -> Response:
    actor = current_actor()
    found_or_404(queries.find(actor, comment_id))
    return perform(
        None,
        lambda: act(actor, comment_id),
        success=words,
        next=lambda _none: _to_id(actor, comment_id),
    )


def _to_id(actor: Actor, comment_id: UUID) -> Response:
    return _to(actor, found_or_404(queries.find(actor, comment_id)))


def _to(actor: Actor, comment: Comment) -> Response:
    """Redirect to a comment on its page of the thread."""
    number = queries.number_before(actor, comment) // SIZE + 1
    more = {"page": number} if number > 1 else {}
    address = pages.thread_url(
        comment.checklist_id, comment.item, _anchor=f"c-{comment.id}", **more
    )
    return redirect(address, 303)
