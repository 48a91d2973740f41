"""The page on which a checklist is upgraded to a newer version of its template."""

from functools import partial
from uuid import UUID

from flask import Blueprint, flash
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.gate import current_actor, require, signed_in
from tracker.checklists import policy
from tracker.checklists.editing import back, checklist_page, get_or_404, require_ahead, uuid_or_nil
from tracker.checklists.forms import MoveForm
from tracker.checklists.loading import load
from tracker.checklists.obstacles import item_names
from tracker.checklists.reuse import template_upgrade
from tracker.ui.perform import perform

blueprint = Blueprint("moving", __name__, url_prefix="/checklists/<uuid:checklist_id>")


@blueprint.route("/move", methods=["GET", "POST"])
@signed_in
def move(checklist_id: UUID) -> str | Response:
    """Show what an upgrade would change, and carry it out."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "move")
    require_ahead(actor, checklist, policy.can_ever_move)
    loaded = load(checklist)
    require(
        policy.can_move(
            actor,
            loaded.own_party(actor),
            checklist.state,
            goes_on=loaded.goes_on(),
        )
    )
    to = template_upgrade.newer(checklist)
    if to is None:
        flash(_("The checklist is already on the newest version."), "success")
        return back(checklist_id)
    form = MoveForm(data={"to": str(to.id)})
    seen = uuid_or_nil(form.to.data or "")
    done = form.validate_on_submit() and perform(
        form,
        lambda: template_upgrade.move(actor, checklist, seen),
        success=_("The checklist is now on version %(number)s.", number=to.version),
        next=back(checklist_id),
    )
    if done:
        return done
    form.to.data = str(to.id)
    return checklist_page(
        "checklists/reuse/move.html",
        loaded,
        form=form,
        before=loaded.template.version,
        move=template_upgrade.preview(loaded, to),
        names_of=partial(item_names, loaded),
    )
