"""The button on the record of a signed text that keeps it as a model text of the NPM."""

from uuid import UUID

from flask import Blueprint, redirect, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response

from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.agreements import evidence, keeping
from tracker.agreements.service import SUBJECT
from tracker.checklists.editing import get_or_404, load_localized
from tracker.checklists.models import OwnModelText
from tracker.signoff import queries as signoff
from tracker.ui import locale
from tracker.ui.perform import perform

blueprint = Blueprint("keeping", __name__, url_prefix="/checklists/<uuid:checklist_id>")


@blueprint.post("/record/<int:number>/keep")
@signed_in
def keep(checklist_id: UUID, number: int) -> Response:
    """Keep a signed revision as a model text of the actor's body of the NPM, in one step."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "keep_text")
    rows = signoff.revisions_of(SUBJECT, checklist.id)
    revision = found_or_404(next((row for row, _request in rows if row.number == number), None))
    compared = evidence.look(checklist)
    require(keeping.can_keep(actor, load_localized(checklist), compared, revision.id))
    record = url_for("signing.record_of", checklist_id=checklist_id, number=number)

    def next_page(row: OwnModelText | None) -> Response:
        text = row and url_for("own_texts.show", own_text_id=row.id)
        return redirect(text or record, 303)

    return perform(
        None,
        lambda: keeping.keep(actor, checklist, revision, locale.language()),
        success=lambda row: _kept_words(row.item_count),
        next=next_page,
    )


def _kept_words(count: int) -> str:
    words: str = ngettext(
        "Kept as a model text, with %(num)s item.",
        "Kept as a model text, with %(num)s items.",
        count,
    )
    return words
