"""Pages for the history of an answer, for revisions, and for comparing two of them."""

from uuid import UUID

from flask import Blueprint, request
from flask_babel import gettext as _

from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.agreements import evidence, revisions
from tracker.checklist_templates.schema import Part
from tracker.checklists.editing import checklist_page, get_item_or_404, get_or_404, load_localized
from tracker.checklists.encryption import is_restricted
from tracker.checklists.history import item_timeline
from tracker.checklists.history.item_events import item_events
from tracker.ui import locale

blueprint = Blueprint("history", __name__, url_prefix="/checklists/<uuid:checklist_id>")


@blueprint.get("/items/<code>/history")
@signed_in
def item(checklist_id: UUID, code: str) -> str:
    """Show the history of an item's answer, as a conversation with differences."""
    actor = current_actor()
    checklist, loaded, item = get_item_or_404(actor, checklist_id, code, "item_history")
    found_or_404(item if item.part is not Part.PERSON else None)
    return checklist_page(
        "checklists/item_history.html",
        loaded,
        item=item,
        entries=item_timeline.tell(loaded, item, item_events(checklist, item.code)),
    )


@blueprint.get("/revisions")
@signed_in
def all_revisions(checklist_id: UUID) -> str:
    """Show the revisions of a checklist, and how two of them, or the draft, differ."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "revisions")
    loaded = load_localized(checklist)
    compared = evidence.look(checklist)
    versions = revisions.versions(loaded, compared)
    known = {version.key: version for version in versions}
    keys = list(known)
    newer = request.args.get("new", keys[0])
    older = request.args.get("old", keys[min(1, len(keys) - 1)])
    old, new = found_or_404(known.get(older)), found_or_404(known.get(newer))
    return checklist_page(
        "agreements/revisions.html",
        loaded,
        agrees=compared.agrees,
        versions=versions,
        codes=loaded.template.by_code,
        old=old,
        new=new,
        changes=revisions.compared(loaded, old, new, locale.language()) if old is not new else [],
        is_restricted=is_restricted(checklist),
        title_words=_("Revisions of %(checklist)s", checklist=loaded.template.title),
    )
