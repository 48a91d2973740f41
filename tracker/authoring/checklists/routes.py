"""Pages for this instance's checklists: versions, drafts, test area, publishing, retiring.

In one file: the pages of one version, from draft to retirement, under one blueprint.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import (
    Blueprint,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.authoring import labels, policy, queries
from tracker.authoring.checklists import preview, service
from tracker.authoring.forms import DraftForm, PublishForm, RetireForm, UploadForm
from tracker.authoring.model_texts import queries as model_texts
from tracker.authoring.models import TemplateDraft
from tracker.checklist_templates import (
    compare as checklist_templates_compare,
)
from tracker.checklist_templates import (
    languages,
    library,
    translations,
    value_differences,
)
from tracker.checklist_templates.languages import ChecklistWords
from tracker.checklist_templates.models import (
    AnswerScope,
    ChecklistKind,
    ChecklistTemplate,
    TemplateState,
    TemplateWords,
)
from tracker.checklist_templates.schema import Item, Template
from tracker.checklists import pages
from tracker.checklists.forms import AnswerForm, answer_form, name_of, values_of
from tracker.checklists.labels import KINDS, NUMBERS
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.people_lists import PeopleLists
from tracker.checklists.rules import completeness
from tracker.checklists.rules.values import check_types
from tracker.cooperations.models import Mode
from tracker.cooperations.modes import MODE_LABELS
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.settings import KNOWN_LANGUAGES
from tracker.ui import locale
from tracker.ui.perform import perform

blueprint = Blueprint("authoring", __name__, url_prefix="/administration/checklists")

Answered = str | Response


def _administrator() -> Actor:
    actor = current_actor()
    require(policy.can_look_after_checklists(actor))
    return actor


@blueprint.get("")
@signed_in
def versions() -> str:
    """List all checklists with their versions, and unpublished drafts."""
    actor = _administrator()
    rows = queries.versions(actor)
    newest = {kind: library.newest(kind).id for kind in {row.row.kind for row in rows}}
    return render_template(
        "authoring/versions.html",
        kinds=[(kind, [row for row in rows if row.row.kind is kind]) for kind in ChecklistKind],
        newest=newest,
        drafts=queries.drafts(actor),
        kind_words=KINDS,
        numbers=NUMBERS,
        model_texts={kind: model_texts.languages_of(kind) for kind in ChecklistKind},
        states=labels.STATES,
        origins=labels.ORIGINS,
    )


def _version(actor: Actor, kind: str, number: int) -> ChecklistTemplate:
    try:
        wanted = ChecklistKind(kind)
    except ValueError:
        abort(404)
    return found_or_404(queries.version(actor, wanted, number))


@blueprint.get("/<kind>/<int(max=999999):number>")
@signed_in
def version(kind: str, number: int) -> str:
    """Show one version, and how it differs from the previous one or from a chosen one."""
    actor = _administrator()
    row = _version(actor, kind, number)
    versions = library.versions(row.kind)
    others = [other for other in versions if other.id != row.id]
    earlier = [other for other in others if other.version < row.version]
    chosen = request.args.get("with", "")
    other = next(
        (other for other in others if str(other.version) == chosen), earlier[0] if earlier else None
    )
    counts = {version.row.id: version.running for version in queries.versions(actor)}
    published = sum(version.state is TemplateState.PUBLISHED for version in versions)
    return render_template(
        "authoring/version.html",
        row=row,
        template=library.parsed(row),
        form_of={
            item.code: url_for(
                "checklist_items.of_version", kind=kind, number=number, code=item.code
            )
            for item in library.parsed(row).items
        },
        kind_words=KINDS[row.kind],
        state=labels.STATES[row.state],
        origin=labels.ORIGINS[row.origin],
        running=counts.get(row.id, 0),
        is_newest=library.newest(row.kind).id == row.id,
        translations=_translations(row),
        others=others,
        other=other,
        difference=checklist_templates_compare.between(library.parsed(other), library.parsed(row))
        if other
        else None,
        may_retire=policy.can_retire(actor, row.state, published),
        may_publish=policy.can_publish(actor, row.state),
    )


@dataclass(frozen=True, slots=True)
class TranslationLine:
    """A translation of a version: its language, the number of translated items, and the row."""

    code: str
    done: int
    words: TemplateWords | None


def _translations(row: ChecklistTemplate) -> list[TranslationLine]:
    own, words = library.parsed(row), translations.current(row.id)
    return [
        TranslationLine(
            code,
            len(translations.parsed(words[code]).items) if code in words else 0,
            words.get(code),
        )
        for code in KNOWN_LANGUAGES
        if code != own.language
    ]


@blueprint.get("/<kind>/<int(max=999999):number>/file")
@signed_in
def download(kind: str, number: int) -> Response:
    """Return a version as a YAML file that can be changed and uploaded."""
    row = _version(_administrator(), kind, number)
    return _as_file(library.as_text(library.parsed(row)), f"{row.kind.value}-{row.version}.yaml")


def _as_file(text: str, name: str) -> Response:
    response = make_response(text)
    response.headers["Content-Type"] = "application/yaml; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.route("/<kind>/<int(max=999999):number>/retire", methods=["GET", "POST"])
@signed_in
def retire(kind: str, number: int) -> Answered:
    """Retire a version, so that new checklists no longer use it."""
    actor = _administrator()
    row = _version(actor, kind, number)
    published = sum(
        version.state is TemplateState.PUBLISHED for version in library.versions(row.kind)
    )
    require(policy.can_retire(actor, row.state, published))
    form = RetireForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.retire(actor, row.id, reason=form.reason.data or ""),
        success=_("Version %(number)s is retired.", number=row.version),
        next=redirect(url_for("authoring.version", kind=kind, number=number), 303),
    )
    return done or render_template(
        "authoring/decide.html",
        form=form,
        **_above(row),
        title_words=_("Retire version %(number)s", number=row.version),
        lede_words=_(
            "New checklists can no longer use it. Running ones continue, and can be moved to a "
            "newer version."
        ),
        button=_("Retire this version"),
    )


@blueprint.route("/<kind>/<int(max=999999):number>/publish", methods=["GET", "POST"])
@signed_in
def publish_shipped(kind: str, number: int) -> Answered:
    """Publish a shipped version that awaits a decision."""
    actor = _administrator()
    row = _version(actor, kind, number)
    require(policy.can_publish(actor, row.state))
    form = RetireForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.publish_shipped(actor, row.id, reason=form.reason.data or ""),
        success=_(
            "Version %(number)s is published. New checklists start on it.", number=row.version
        ),
        next=redirect(url_for("authoring.version", kind=kind, number=number), 303),
    )
    return done or render_template(
        "authoring/decide.html",
        form=form,
        **_above(row),
        title_words=_("Publish version %(number)s", number=row.version),
        lede_words=_(
            "From then on, new checklists use it instead of the version derived "
            "here. It doesn't contain the changes made to that version."
        ),
        button=_("Publish this version"),
    )


def _above(row: ChecklistTemplate) -> dict[str, Any]:
    """Return the breadcrumb of the pages about a version."""
    return {
        "above": [(url_for("authoring.versions"), _("Checklists"))],
        "back": url_for("authoring.version", kind=row.kind.value, number=row.version),
        "back_words": KINDS[row.kind],
    }


# Drafts ------------------------------------------------------------------------------------------


@blueprint.route("/upload", methods=["GET", "POST"])
@signed_in
def upload() -> Answered:
    """Upload a changed checklist; mistakes are shown beside it, and nothing typed is lost."""
    actor = _administrator()
    form = UploadForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.take_in(actor, form.sent_text()),
        success=_("The checklist is saved as a draft. It isn't published yet."),
        next=lambda draft: redirect(url_for("authoring.draft", draft_id=draft.id), 303),
    )
    return done or render_template("authoring/upload.html", form=form)


@blueprint.get("/drafts/<uuid:draft_id>")
@signed_in
def draft(draft_id: UUID) -> str:
    """Show a draft: what it changes, and what can be done with it."""
    row = found_or_404(queries.draft(_administrator(), draft_id))
    template, difference = _template_of(row), _difference(row)
    return render_template(
        "authoring/draft.html",
        draft=row,
        kind_words=KINDS[row.kind],
        template=template,
        form_of={
            item.code: url_for("checklist_items.of_draft", draft_id=draft_id, code=item.code)
            for item in template.items
        },
        status_of={item.code: labels.CHANGED_ITEM for item in difference.changed}
        | {item.code: labels.NEW_ITEM for item in difference.new},
        falling_back=[
            (code, languages.lacking(words, template)) for code, words in _carried(row).items()
        ],
        difference=difference,
    )


def _carried(row: TemplateDraft) -> dict[str, ChecklistWords]:
    """Return the translations a draft would keep once published: of unchanged items."""
    base, new = library.parsed(row.base), _template_of(row)
    return {
        code: languages.carried(translations.parsed(words), base, new)
        for code, words in translations.current(row.base_id).items()
    }


def _template_of(row: TemplateDraft) -> Template:
    return Template.model_validate(row.content)


def _difference(row: TemplateDraft) -> checklist_templates_compare.TemplateDifference:
    return checklist_templates_compare.between(library.parsed(row.base), _template_of(row))


@blueprint.get("/drafts/<uuid:draft_id>/file")
@signed_in
def download_draft(draft_id: UUID) -> Response:
    """Return a draft as it was uploaded."""
    row = found_or_404(queries.draft(_administrator(), draft_id))
    return _as_file(row.text, f"{row.kind.value}-draft.yaml")


@blueprint.route("/drafts/<uuid:draft_id>/change", methods=["GET", "POST"])
@signed_in
def change(draft_id: UUID) -> Answered:
    """Change a draft's text; if somebody else saved first, both are shown."""
    actor = _administrator()
    row = found_or_404(queries.draft(actor, draft_id))
    form = DraftForm(data={"text": row.text, "version": row.version})

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        theirs = found_or_404(queries.draft(actor, draft_id))
        form.version.data = theirs.version
        return _change_page(form, row, theirs)

    done = form.validate_on_submit() and perform(
        form,
        lambda: service.change(actor, draft_id, form.sent_text(), seen_version=form.version.data),
        success=_("The draft is changed."),
        next=redirect(url_for("authoring.draft", draft_id=draft_id), 303),
        conflict=handle_conflict,
    )
    return done or _change_page(form, row)


def _change_page(form: DraftForm, row: TemplateDraft, theirs: TemplateDraft | None = None) -> str:
    return render_template(
        "authoring/change.html",
        form=form,
        draft=row,
        kind_words=KINDS[row.kind],
        theirs=theirs,
        between=value_differences.lines(theirs.text, form.text.data or "") if theirs else [],
    )


@blueprint.route("/drafts/<uuid:draft_id>/publish", methods=["GET", "POST"])
@signed_in
def publish(draft_id: UUID) -> Answered:
    """Publish a draft under the next number, with the reason, after its changes were read."""
    actor = _administrator()
    row = found_or_404(queries.draft(actor, draft_id))
    form = PublishForm(data={"version": row.version})
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.publish(
            actor, draft_id, seen_version=form.version.data, reason=form.reason.data or ""
        ),
        success=lambda version: _(
            "Version %(number)s is published. New checklists start on it.", number=version.version
        ),
        next=lambda version: redirect(
            url_for("authoring.version", kind=version.kind.value, number=version.version), 303
        ),
    )
    return done or render_template(
        "authoring/publish.html",
        form=form,
        draft=row,
        kind_words=KINDS[row.kind],
        number=library.versions(row.kind)[0].version + 1,
        difference=_difference(row),
    )


@blueprint.route("/drafts/<uuid:draft_id>/discard", methods=["POST"])
@signed_in
def discard(draft_id: UUID) -> Response:
    """Discard a draft."""
    actor = _administrator()
    found_or_404(queries.draft(actor, draft_id))
    return perform(
        None,
        lambda: service.discard(actor, draft_id),
        success=_("The draft is discarded."),
        next=redirect(url_for("authoring.versions"), 303),
    )


# The test area -----------------------------------------------------------------------------------


def _tried_out(text_id: UUID) -> tuple[Template, str]:
    """Return a version or a draft to try, and the page it belongs to; or abort with 404."""
    actor = _administrator()
    draft = queries.draft(actor, text_id)
    language = locale.language()
    if draft is not None:
        template = languages.localize(_template_of(draft), _carried(draft).get(language))
        return template, url_for("authoring.draft", draft_id=draft.id)
    row = found_or_404(queries.template(actor, text_id))
    back = url_for("authoring.version", kind=row.kind.value, number=row.version)
    return library.localized(row, language), back


def _chosen_modes() -> tuple[Mode, ...]:
    chosen = request.args.get("mode", "")
    if not chosen:
        return tuple(Mode)
    if chosen not in set(Mode):
        abort(404)
    return (Mode(chosen),)


@blueprint.get("/test/<uuid:text_id>")
@signed_in
def test_area(text_id: UUID) -> str:
    """Show a checklist empty, as people will see it; nothing here is stored."""
    template, back = _tried_out(text_id)
    loaded, actor = preview.area(template, _chosen_modes())
    standing = loaded.standing()
    return render_template(
        "authoring/test_area.html",
        text_id=text_id,
        back=back,
        loaded=loaded,
        template=template,
        views=pages.item_views(loaded, actor),
        standing=standing,
        modes=MODE_LABELS,
        chosen=request.args.get("mode", ""),
        kind_words=KINDS[template.kind],
    )


@blueprint.route("/test/<uuid:text_id>/<code>", methods=["GET", "POST"])
@signed_in
def try_item(text_id: UUID, code: str) -> str:
    """Try the fields of an item with its real done-tests; nothing is saved."""
    template, back = _tried_out(text_id)
    loaded, _actor = preview.area(template, tuple(Mode))
    item = found_or_404(template.item(code))
    scope = _scope(item)
    fields = item.fields_of(scope)
    form = answer_form(AnswerForm, fields, PeopleLists(loaded, None, item), {})
    problems: list[object] | None = None
    if form.validate_on_submit():
        try:
            problems = _problems(loaded, item, scope, values_of(form, fields))
        except RuleBrokenError as error:
            form.refuse(error)
    return render_template(
        "authoring/try_item.html",
        text_id=text_id,
        back=back,
        template=template,
        item=item,
        scope=scope,
        form=form,
        fields=[form[name_of(field)] for field in fields],
        problems=problems,
        guidance=pages.guide_of(item, pages.passages_beside([item])),
    )


def _problems(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, values: dict[str, object]
) -> list[object]:
    check_types(item.fields_of(scope), values, loaded.surroundings)
    found_wrong = completeness.value_problems(
        item, scope, values, loaded.sheet, loaded.surroundings
    )
    return [problem.message for problem in found_wrong]


def _scope(item: Item) -> AnswerScope:
    scope_name = request.args.get("for", item.scopes[0].value)
    if scope_name not in {scope.value for scope in item.scopes}:
        abort(404)
    return AnswerScope(scope_name)
