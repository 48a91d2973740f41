"""Pages for one item of a checklist: its form, for a version or for a draft of one."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.authoring import policy, queries
from tracker.authoring.checklists import item_editing, strictness
from tracker.authoring.forms import ItemForm
from tracker.authoring.models import TemplateDraft
from tracker.checklist_templates import compare, library
from tracker.checklist_templates.labels import REQUIRED
from tracker.checklist_templates.models import ChecklistKind, ChecklistTemplate
from tracker.checklist_templates.schema import Item, Required, Template
from tracker.checklists.labels import KINDS
from tracker.core.errors import StaleError
from tracker.ui.fields import Option
from tracker.ui.perform import perform

blueprint = Blueprint("checklist_items", __name__, url_prefix="/administration/checklists")

Answered = str | Response

_HINTS: dict[Required, object] = {
    Required.ALWAYS: _l("It must be done before the checklist can be signed."),
    Required.CONDITIONAL: _l("The condition stays as it is. You can change it in the YAML."),
    Required.OPTIONAL: _l("If it's left empty, nothing is agreed there."),
}


def _administrator() -> Actor:
    actor = current_actor()
    require(policy.can_look_after_checklists(actor))
    return actor


@blueprint.route("/<kind>/<int(max=999999):number>/items/<code>", methods=["GET", "POST"])
@signed_in
def of_version(kind: str, number: int, code: str) -> Answered:
    """Change an item of a version; saving begins a draft."""
    actor = _administrator()
    if kind not in set(ChecklistKind):
        abort(404)
    row = found_or_404(queries.version(actor, ChecklistKind(kind), number))
    item = found_or_404(library.parsed(row).item(code))
    form = _form(row, item, item)
    done = form.validate_on_submit() and perform(
        form,
        lambda: item_editing.begin_draft(actor, row.id, code, form.change()),
        success=_("Saved as a draft. It isn't published yet."),
        next=lambda draft: redirect(_draft_page(draft.id, code), 303),
    )
    return done or _page(
        form,
        row,
        item,
        back=url_for("authoring.version", kind=kind, number=number, _anchor=f"item-{code}"),
        drafts=[draft for draft in queries.drafts(actor) if draft.base_id == row.id],
    )


@blueprint.route("/drafts/<uuid:draft_id>/items/<code>", methods=["GET", "POST"])
@signed_in
def of_draft(draft_id: UUID, code: str) -> Answered:
    """Change an item of a draft; if somebody else saved first, both are shown."""
    actor = _administrator()
    draft = found_or_404(queries.draft(actor, draft_id))
    base = library.parsed(draft.base).item(code)
    item = Template.model_validate(draft.content).item(code)
    if request.method == "POST":
        # Somebody may have removed it since; what was typed is kept.
        item = item or base
    item = found_or_404(item)
    form = _form(draft.base, item, base, version=draft.version)

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        theirs = found_or_404(queries.draft(actor, draft_id))
        form.version.data = theirs.version
        now = Template.model_validate(theirs.content).item(code)
        return _draft_form(form, theirs, now or item, base, theirs=theirs if now else None)

    done = form.validate_on_submit() and perform(
        form,
        lambda: item_editing.change_draft(
            actor, draft_id, code, form.change(), seen_version=form.version.data
        ),
        success=_("The draft is changed."),
        next=redirect(_draft_page(draft_id, code), 303),
        conflict=handle_conflict,
    )
    if not done and form.is_submitted():
        # A refused change rolls back what was read before.
        draft = found_or_404(queries.draft(actor, draft_id))
    return done or _draft_form(form, draft, item, base)


def _draft_page(draft_id: UUID, code: str) -> str:
    return url_for("authoring.draft", draft_id=draft_id, _anchor=f"item-{code}")


def _draft_form(
    form: ItemForm,
    draft: TemplateDraft,
    item: Item,
    base: Item | None,
    *,
    theirs: TemplateDraft | None = None,
) -> str:
    """Return the form; theirs is the draft that somebody saved in the meantime."""
    return _page(
        form,
        draft.base,
        item,
        back=_draft_page(draft.id, code=item.code),
        draft=draft,
        theirs=theirs,
        conflict=compare.between_items(item, item_editing.applied(form.change(), item, base))
        if theirs
        else None,
        difference=compare.between_items(base, item) if base else None,
    )


def _form(
    row: ChecklistTemplate, item: Item, base: Item | None, *, version: int | None = None
) -> ItemForm:
    change = item_editing.change_of(item)
    return ItemForm(
        _offered(row, item, base),
        data={
            "label": change.label,
            "prompt": change.prompt,
            "help": change.help,
            "required": change.required.value,
            "version": version,
        },
    )


def _offered(row: ChecklistTemplate, item: Item, base: Item | None) -> Iterator[Option]:
    """Yield how an item may be required; what the source rules out can't be chosen."""
    least = item_editing.least_of(row, item.code, queries.musts())
    for required in (
        Required.ALWAYS,
        Required.CONDITIONAL,
        Required.RECOMMENDED,
        Required.OPTIONAL,
    ):
        if required is Required.CONDITIONAL and not any(
            part.required_when for part in (item, base) if part
        ):
            continue
        ruled_out = strictness.is_less(required, least)
        hint = _("The source or the application needs more.") if ruled_out else None
        yield Option(
            required.value,
            REQUIRED[required],
            hint or _HINTS.get(required, ""),
            disabled=ruled_out,
        )


def _page(form: ItemForm, row: ChecklistTemplate, item: Item, **context: Any) -> str:
    return render_template(
        "authoring/item.html", form=form, row=row, item=item, kind_words=KINDS[row.kind], **context
    )
