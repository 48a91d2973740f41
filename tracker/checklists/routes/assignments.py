"""Pages for assigning items to people on your own side, to yourself, or to nobody."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import YES, no
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.checklists import (
    pages,
    policy,
    queries,
)
from tracker.checklists.assignments import pages as views
from tracker.checklists.assignments import service as assignments
from tracker.checklists.assignments.service import Assigned
from tracker.checklists.editing import (
    back,
    checklist_page,
    get_or_404,
    item_of,
    load_localized,
    uuid_or_nil,
)
from tracker.checklists.forms import AssignForm, AssignSectionForm
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist, ChecklistState
from tracker.ui.perform import perform

blueprint = Blueprint("assignments", __name__, url_prefix="/checklists/<uuid:checklist_id>")


@dataclass(frozen=True, slots=True)
class _AssignmentPage:
    """A checklist that the person works on, with their side's assignments."""

    actor: Actor
    checklist: Checklist
    loaded: LoadedChecklist
    assigned: Assigned

    def parts(self) -> list[views.Part]:
        """Return the sections with their assignments."""
        return views.parts_of(self.assigned, self.loaded, self.actor)


def _assignment_page(checklist_id: UUID) -> _AssignmentPage:
    """Return a checklist the person works on, or abort with 404; log opening class K2."""
    actor = current_actor()
    if not queries.works_on(actor, checklist_id):
        abort(404)
    return _read(actor, get_or_404(actor, checklist_id, "assignments"))


def _read(actor: Actor, checklist: Checklist) -> _AssignmentPage:
    assigned = found_or_404(assignments.of_side(actor, checklist))
    return _AssignmentPage(actor, checklist, load_localized(checklist), assigned)


@blueprint.route("/assignments", methods=["GET", "POST"])
@signed_in
def listed(checklist_id: UUID) -> str | Response:
    """Show the assignments on your own side; a coordinator can assign a whole section."""
    page = _assignment_page(checklist_id)
    sections = {part.key: part.title for part in page.parts() if part.is_assignable}
    form = AssignSectionForm()
    form.offer(sections, page.assigned.able)
    if request.method == "POST":
        require(policy.can_assign(page.actor, page.loaded.own_party(page.actor)))
        require(page.loaded.goes_on())
        require(YES if sections else no(_("You can't assign anything on this checklist now.")))
    done = form.validate_on_submit() and perform(
        form,
        lambda: assignments.assign_section(
            page.actor,
            page.checklist,
            form.section.data or "",
            to=uuid_or_nil(form.person.data or ""),
            due_on=form.due_on.data,
            also_held=bool(form.also_held.data),
            seen=assignments.seen_in(page.actor, page.checklist, form.seen.data),
        ),
        success=_("The items of the section are assigned."),
        next=redirect(url_for("assignments.listed", checklist_id=checklist_id), 303),
    )
    if done:
        return done
    now = _as_it_stands(page)
    form.seen.data = assignments.token_of(page.actor, page.checklist, now.assigned.seen())
    return checklist_page(
        "checklists/assignments/assignments.html",
        now.loaded,
        parts=now.parts(),
        form=form if sections else None,
        is_drafted=now.checklist.state is ChecklistState.DRAFTING,
        is_ended=now.loaded.visit_is_stopped,
    )


@blueprint.route("/items/<code>/assign", methods=["GET", "POST"])
@signed_in
def assign(checklist_id: UUID, code: str) -> str | Response:
    """Assign an item to somebody on your own side, or to nobody."""
    page = _assignment_page(checklist_id)
    item = item_of(page.loaded, code)
    require(policy.can_assign(page.actor, page.loaded.own_party(page.actor)))
    require(assignments.assignable(page.loaded, item, page.assigned.organisation_id))
    holding = page.assigned.holdings.get(code)
    form = AssignForm(
        data={"person": str(holding.user_id), "due_on": holding.due_on} if holding else None
    )
    form.offer(page.assigned.able)
    done = form.validate_on_submit() and perform(
        form,
        lambda: assignments.assign(
            page.actor,
            page.checklist,
            code,
            to=uuid_or_nil(form.person.data or ""),
            due_on=form.due_on.data,
            seen=assignments.seen_in(page.actor, page.checklist, form.seen.data),
        ),
        success=_("“%(item)s” is assigned.", item=item.label),
        next=back(checklist_id, code),
    )
    if done:
        return done
    now = _as_it_stands(page)
    form.seen.data = assignments.token_of(page.actor, page.checklist, now.assigned.seen(code))
    status = now.loaded.standing().items.get(code)
    return checklist_page(
        "checklists/assignments/assign.html",
        now.loaded,
        item=item,
        answers=pages.answers_of(now.loaded, item),
        view=views.view_of(now.assigned, now.loaded, now.actor, item, status),
        form=form,
    )


@blueprint.post("/items/<code>/assign/me")
@signed_in
def take(checklist_id: UUID, code: str) -> Response:
    """Assign an unassigned item to yourself."""
    page = _assignment_page(checklist_id)
    item = item_of(page.loaded, code)
    return perform(
        None,
        lambda: assignments.take(page.actor, page.checklist, code),
        success=_("“%(item)s” is assigned to you.", item=item.label),
        next=back(checklist_id, code),
    )


@blueprint.post("/items/<code>/assign/back")
@signed_in
def give_back(checklist_id: UUID, code: str) -> Response:
    """Unassign an item."""
    page = _assignment_page(checklist_id)
    item = item_of(page.loaded, code)
    seen = assignments.seen_in(page.actor, page.checklist, request.form.get("seen"))
    return perform(
        None,
        lambda: assignments.give_back(page.actor, page.checklist, code, seen=seen),
        success=_("“%(item)s” is no longer assigned.", item=item.label),
        next=back(checklist_id, code),
    )


def _as_it_stands(page: _AssignmentPage) -> _AssignmentPage:
    """Return what the page shows, read again after a form was refused."""
    if request.method != "POST":
        return page
    return _read(page.actor, found_or_404(queries.find(page.actor, page.checklist.id)))
