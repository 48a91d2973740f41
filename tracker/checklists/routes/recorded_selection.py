"""The page that leads from the recorded selection of partners to the item M1 of the terms."""

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import heads, loading
from tracker.checklists.editing import RECORDED, item_of, values_now
from tracker.checklists.reuse import recorded_selection
from tracker.cooperations import queries as cooperations
from tracker.cooperations.selection import policy

blueprint = Blueprint("recorded_selection", __name__)


@blueprint.get("/cooperations/<reference>/selection/use")
@signed_in
def use(reference: str) -> Response:
    """Open the form of M1 filled with what was recorded; nothing is saved yet."""
    actor = current_actor()
    cooperation = found_or_404(cooperations.find(actor, reference))
    found_or_404(policy.readable(actor, cooperations.fact(cooperation)) or None)
    own = heads.of_cooperation(cooperation.id)
    terms = found_or_404(next((row for row in own if row.kind is ChecklistKind.TERMS), None))
    loaded = loading.load(terms)
    item = item_of(loaded, recorded_selection.ITEM)
    current = loaded.sheet.shared(item.code)
    if recorded_selection.fitted(actor, loaded, item, values_now(current)) is None:
        flash(
            _("There's nothing to fill in: nothing is recorded, or these terms don't ask for it."),
            "warning",
        )
        return redirect(url_for("selection.show", reference=reference), 303)
    return redirect(
        url_for("checklists.answer", checklist_id=terms.id, code=item.code, recorded=RECORDED),
        303,
    )
