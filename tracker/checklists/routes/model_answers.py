"""Pages for an organisation's own model answers: save, list, rename and delete."""

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item
from tracker.checklists import (
    encryption,
    labels,
    pages,
    policy,
    queries,
)
from tracker.checklists.editing import (
    back,
    checklist_page,
    get_item_or_404,
    seen_version,
    uuid_or_nil,
)
from tracker.checklists.forms import KeepForm, RenameForm
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import ModelAnswer
from tracker.checklists.reuse import copies, model_answers
from tracker.checklists.rules.facts import Filled
from tracker.ui.form_base import Form
from tracker.ui.perform import perform

blueprint = Blueprint("model_answers", __name__)


@blueprint.get("/model-answers")
@signed_in
def listed() -> str:
    """List the model answers of the organisation that the person acts for."""
    actor = current_actor()
    require(policy.can_use_models(actor))
    return render_template(
        "checklists/reuse/models.html",
        groups=copies.by_kind(copies.model_views(queries.model_answers(actor))),
        kinds=labels.KINDS,
        may_keep=policy.can_keep_models(actor),
    )


@blueprint.route("/model-answers/<uuid:model_id>/rename", methods=["GET", "POST"])
@signed_in
def rename(model_id: UUID) -> str | Response:
    """Change the title of a model answer, or the note about when it suits."""
    actor = current_actor()
    model = _get_or_404(actor, model_id)
    form = RenameForm(
        data={"title": model.title, "note": model.note, "base_version": model.version}
    )

    done = form.validate_on_submit() and perform(
        form,
        lambda: model_answers.rename(
            actor,
            model_id,
            title=form.title.data or "",
            note=form.note.data or "",
            seen_version=seen_version(form),
        ),
        success=_("The model answer is changed."),
        next=redirect(url_for("model_answers.listed"), 303),
    )
    return done or render_template(
        "checklists/reuse/model_rename.html", form=form, model=_view(model)
    )


@blueprint.route("/model-answers/<uuid:model_id>/delete", methods=["GET", "POST"])
@signed_in
def delete(model_id: UUID) -> str | Response:
    """Ask whether to delete a model answer, and delete it."""
    actor = current_actor()
    model = _get_or_404(actor, model_id)
    form = Form()
    done = form.validate_on_submit() and perform(
        form,
        lambda: model_answers.delete(actor, model_id),
        success=_("The model answer is deleted."),
        next=redirect(url_for("model_answers.listed"), 303),
    )
    return done or render_template(
        "checklists/reuse/model_delete.html", form=form, model=_view(model)
    )


def _get_or_404(actor: Actor, model_id: UUID) -> ModelAnswer:
    """Return a model answer that the person may change, or abort with 404 or 403."""
    model = found_or_404(queries.model_answer(actor, model_id))
    require(policy.can_keep_models(actor))
    return model


def _view(model: ModelAnswer) -> copies.ModelView:
    (view,) = copies.model_views([model])
    return view


@blueprint.route(
    "/checklists/<uuid:checklist_id>/items/<code>/keep-as-model", methods=["GET", "POST"]
)
@signed_in
def keep(checklist_id: UUID, code: str) -> str | Response | tuple[str, int]:
    """Save an answer as a model answer of the actor's organisation."""
    actor = current_actor()
    checklist, loaded, item = get_item_or_404(actor, checklist_id, code, "keep_as_model")
    scope = _scope(item)
    restricted = encryption.is_restricted(checklist)
    require(policy.can_keep_as_model(actor, loaded.own_party(actor), is_restricted=restricted))
    answer = found_or_404(model_answers.to_keep(actor, loaded, item, scope))
    form = KeepForm(data={"title": item.label[:200], "answer": str(answer.answer_id)})
    if form.validate_on_submit():
        done = perform(
            form,
            lambda: model_answers.keep(
                actor,
                checklist,
                code,
                scope,
                answer_id=uuid_or_nil(form.answer.data or ""),
                title=form.title.data or "",
                note=form.note.data or "",
            ),
            success=_("The answer is kept as a model answer of your organisation."),
            next=back(checklist_id, code),
        )
        if done:
            return done
        form.answer.data = str(answer.answer_id)
    return _keep_page(loaded, item, scope, answer, form)


def _keep_page(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, answer: Filled, form: Form
) -> str:
    values = model_answers.without_names(item.fields_of(scope), answer.values)
    return checklist_page(
        "checklists/reuse/model_keep.html",
        loaded,
        item=item,
        form=form,
        parts=pages.parts(item.fields_of(scope), values.values, loaded),
        left_out=copies.left_out(item, values.left_out),
    )


def _scope(item: Item) -> AnswerScope:
    try:
        scope = AnswerScope(request.args.get("for", AnswerScope.SHARED.value))
    except ValueError:
        abort(HTTPStatus.NOT_FOUND)
    if scope not in item.scopes:
        abort(HTTPStatus.NOT_FOUND)
    return scope
