"""Pages for the model texts that a body of the NPM keeps: list them, read one, retire it."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import policy, queries
from tracker.checklists.reuse import own_text_pages, own_texts
from tracker.ui import locale
from tracker.ui.form_base import Form
from tracker.ui.perform import perform

blueprint = Blueprint("own_texts", __name__, url_prefix="/model-texts")


@blueprint.get("")
@signed_in
def listed() -> str:
    """List the model texts that the person's body of the NPM keeps, by checklist."""
    actor = current_actor()
    require(policy.can_use_own_texts(actor))
    kinds = list(ChecklistKind)
    rows = sorted(queries.own_texts(actor), key=lambda row: kinds.index(row.kind))
    return render_template(
        "checklists/reuse/own_texts.html", texts=own_text_pages.views(actor, rows)
    )


@blueprint.get("/<uuid:own_text_id>")
@signed_in
def show(own_text_id: UUID) -> str:
    """Show what a model text says and where it is from, with a link to retire it."""
    actor = current_actor()
    row = found_or_404(queries.own_text(actor, own_text_id))
    (view,) = own_text_pages.views(actor, [row])
    return render_template(
        "checklists/reuse/own_text.html",
        text=view,
        items=own_text_pages.content(actor, row, locale.language()),
    )


@blueprint.route("/<uuid:own_text_id>/retire", methods=["GET", "POST"])
@signed_in
def retire(own_text_id: UUID) -> str | Response:
    """Ask whether to retire a model text; retire it: its content is deleted, it's not offered."""
    actor = current_actor()
    row = found_or_404(queries.own_text(actor, own_text_id))
    (view,) = own_text_pages.views(actor, [row])
    form = Form()
    done = form.validate_on_submit() and perform(
        form,
        lambda: own_texts.retire(actor, own_text_id),
        success=_("The model text is retired. Texts begun with it stay as they are."),
        next=redirect(url_for("own_texts.listed"), 303),
    )
    return done or render_template("checklists/reuse/own_text_retire.html", form=form, text=view)
