"""The page on which a person chooses how an empty checklist begins: with a text, or without one."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from flask import Blueprint, current_app, redirect, request, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, note_reading, require, signed_in
from tracker.activity import service as trail
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import encryption, localized_values, queries
from tracker.checklists.editing import (
    checklist_page,
    get_or_404,
    load_localized,
    uuid_or_nil,
)
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.model_texts import library
from tracker.checklists.model_texts.schema import Task
from tracker.checklists.models import Checklist, OwnModelText
from tracker.checklists.reuse import beginning, own_text_pages, visit_tasks
from tracker.checklists.reuse.beginning import Beginning
from tracker.cooperations.modes import MODE_LABELS
from tracker.ui import locale
from tracker.ui.perform import perform

# The page, in the read log, where what was kept from another visit is read.
MODEL_TEXT = "model_text"

blueprint = Blueprint("beginning", __name__, url_prefix="/checklists/<uuid:checklist_id>")


@blueprint.route("/begin", methods=["GET", "POST"])
@signed_in
def choose(checklist_id: UUID) -> str | Response:
    """Offer the ways in which an empty checklist can begin, and begin it with a model text."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "begin")
    loaded = load_localized(checklist)
    require(beginning.may_choose(actor, loaded))
    if request.method == "POST":
        return perform(
            None,
            lambda: _begin(actor, checklist),
            success=lambda items: (_begun_words(len(items)), "warning"),
            next=lambda items: redirect(_after(checklist, begun=bool(items)), 303),
        )
    allowed = beginning.may_begin(actor, loaded)
    languages = _languages(checklist)
    own, texts = beginning.all_beginnings(actor, loaded, languages) if allowed else ((), ())
    rows = [text.own for text in own if text.own]
    _note_reading(actor, rows)
    views = own_text_pages.views(actor, rows)
    return checklist_page(
        "checklists/reuse/begin.html",
        loaded,
        own=[(view, text, _preview(loaded, text)) for view, text in zip(views, own, strict=True)],
        texts=texts,
        preview=_preview(loaded, texts[0]) if texts else [],
        why_not=allowed.reason,
        modes=[label for mode, label in MODE_LABELS.items() if mode in loaded.surroundings.modes],
        tasks=visit_tasks.to_give(loaded) if allowed else (),
        has_earlier=bool(queries.earlier_checklists(actor, checklist, limit=1)[0]),
        is_restricted=encryption.is_restricted(checklist),
    )


def _begin(actor: Actor, checklist: Checklist) -> tuple[str, ...]:
    """Begin with the text that was chosen: one that the NPM keeps, or the product's."""
    own = request.form.get("own")
    seen: str | None
    chosen = {task.value: request.form.get(task.value, "") for task in Task}
    if own is not None:
        seen = request.form.get("seen", "")
        return beginning.begin_with_own(
            actor, checklist, uuid_or_nil(own), seen=seen, chosen=chosen
        )
    language = request.form.get("language", "")
    seen = request.form.get(f"seen_{language}", "")
    if request.form.get("read") == "later" and language in _languages(checklist):
        seen = None  # the record of the terms shows no text to choose from (adr 125)
    return beginning.begin(actor, checklist, language, seen=seen, chosen=chosen)


def _note_reading(actor: Actor, rows: Iterable[OwnModelText]) -> None:
    """Log that a person reads what was kept from visits' checklists (K2), by cooperation."""
    read: dict[UUID, list[UUID]] = {}
    for row in rows:
        if row.is_of_visit:
            read.setdefault(row.cooperation_id, []).append(row.checklist_id)
    for cooperation_id, checklist_ids in read.items():
        log = partial(
            trail.log_reads,
            actor,
            cooperation_id=cooperation_id,
            subject_type="checklist",
            subject_ids=checklist_ids,
            page=MODEL_TEXT,
        )
        note_reading(log, f"{MODEL_TEXT} {cooperation_id}")


def _languages(checklist: Checklist) -> list[str]:
    """Return the languages of this instance that have the model text, the reader's first."""
    offered: tuple[str, ...] = current_app.extensions["settings"].languages
    written = [code for code in library.languages(checklist.kind) if code in offered]
    return sorted(written, key=lambda code: code != locale.language())


def _preview(
    loaded: LoadedChecklist, text: Beginning
) -> list[tuple[object, list[localized_values.Part_]]]:
    """Return the answers of the model text for display, with the label of each item."""
    return [
        (
            item.label,
            localized_values.parts(item.fields_of(AnswerScope.SHARED), values, loaded.names),
        )
        for item, values in text.answers
    ]


def _begun_words(count: int) -> str:
    words: str = ngettext(
        "%(num)s item has the model text now. It doesn't count as agreed until every party has "
        "read it.",
        "%(num)s items have the model text now. They don't count as agreed until every party has "
        "read them.",
        count,
    )
    return words


def _after(checklist: Checklist, *, begun: bool) -> str:
    """Return where to go on: to what the text leaves to decide, or back to choosing."""
    page = "deciding.decide" if begun else "beginning.choose"
    return url_for(page, checklist_id=checklist.id)
