"""Pages for translations of a checklist version: download them, replace them."""

from flask import Blueprint, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.gate import current_actor, signed_in
from tracker.authoring import labels
from tracker.authoring.checklists import service
from tracker.authoring.forms import WordsForm
from tracker.authoring.translations.editing import get_or_404, words_in_use
from tracker.checklist_templates import languages, library, translations
from tracker.checklists.labels import KINDS
from tracker.ui import locale
from tracker.ui.perform import perform

blueprint = Blueprint(
    "words",
    __name__,
    url_prefix="/administration/checklists/<kind>/<int(max=999999):number>/words/<language>",
)


@blueprint.route("", methods=["GET", "POST"])
@signed_in
def change(kind: str, number: int, language: str) -> str | Response:
    """Show the translation in use, and replace it; mistakes are shown beside it."""
    row, words_row = get_or_404(kind, number, language)
    form = WordsForm(data={"version": words_row.number if words_row else 0})
    seen = form.version.data
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.change_words(
            current_actor(),
            row.id,
            language,
            form.sent_text(),
            seen_number=seen if isinstance(seen, int) else -1,
            reason=form.reason.data or "",
        ),
        success=_("The wording is changed. Pages show it from now on."),
        next=redirect(url_for("authoring.version", kind=kind, number=number), 303),
    )
    return done or render_template(
        "authoring/words.html",
        form=form,
        row=row,
        held=words_row,
        language_code=language,
        language_words=locale.name_of(language),
        items=[
            (
                item,
                url_for(
                    "item_words.change", kind=kind, number=number, language=language, code=item.code
                ),
            )
            for item in library.parsed(row).items
        ],
        origin=labels.WORDS_ORIGINS[words_row.origin] if words_row else "",
        lacking=languages.lacking(words_in_use(row, words_row, language), library.parsed(row)),
        kind_words=KINDS[row.kind],
    )


@blueprint.get("/file")
@signed_in
def download(kind: str, number: int, language: str) -> Response:
    """Return the translation as a YAML file that also contains what is still untranslated."""
    row, words_row = get_or_404(kind, number, language)
    text = translations.as_text(words_in_use(row, words_row, language), library.parsed(row))
    response = make_response(text)
    response.headers["Content-Type"] = "application/yaml; charset=utf-8"
    name = f"{row.kind.value}-{row.version}-{language}.yaml"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
