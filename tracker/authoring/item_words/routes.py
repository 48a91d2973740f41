"""Pages for the translation of one item: a form with each of its texts beside the original."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.authoring.checklists import service
from tracker.authoring.forms import item_words_form
from tracker.authoring.translations.editing import get_or_404, words_in_use
from tracker.authoring.translations.item_texts import (
    ItemText,
    TextPath,
    carried_texts,
    texts_of,
    words_from,
)
from tracker.checklist_templates import library, translations, value_differences
from tracker.checklist_templates.compare import Change
from tracker.checklist_templates.languages import ChecklistWords, ItemWords, words_of
from tracker.checklist_templates.models import ChecklistTemplate
from tracker.checklists.labels import KINDS
from tracker.core.errors import StaleError
from tracker.ui import locale
from tracker.ui.perform import perform

blueprint = Blueprint(
    "item_words",
    __name__,
    url_prefix=(
        "/administration/checklists/<kind>/<int(max=999999):number>/words/<language>/items/<code>"
    ),
)


@blueprint.route("", methods=["GET", "POST"])
@signed_in
def change(kind: str, number: int, language: str, code: str) -> str | Response:
    """Translate one item; if somebody else saved first, both are shown."""
    row, words_row = get_or_404(kind, number, language)
    template = library.parsed(row)
    item = found_or_404(template.item(code))
    words = words_in_use(row, words_row, language)
    texts = texts_of(words_of(item))
    form = item_words_form(
        texts,
        template.language,
        _shown(row, language, code, words),
        version=words_row.number if words_row else 0,
    )
    seen = form.version.data
    conflict: list[Change] = []

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        row, words_row = get_or_404(kind, number, language)
        form.version.data = words_row.number if words_row else 0
        now = words_in_use(row, words_row, language).items.get(code)
        conflict.extend(_differences(texts, now, form.texts(texts)))
        return page()

    def page() -> str:
        return render_template(
            "authoring/item_words.html",
            form=form,
            fields=[form[text.field_name] for text in texts],
            row=row,
            item=item,
            is_translated=code in words.items,
            conflict=conflict,
            language_code=language,
            language_words=locale.name_of(language),
            kind_words=KINDS[row.kind],
        )

    done = form.validate_on_submit() and perform(
        form,
        lambda: service.change_words(
            current_actor(),
            row.id,
            language,
            translations.as_text(_with_item(words, code, form.texts(texts)), template),
            seen_number=seen if isinstance(seen, int) else -1,
            reason=form.reason.data or "",
        ),
        success=_("The wording is changed. Pages show it from now on."),
        next=redirect(url_for("words.change", kind=kind, number=number, language=language), 303),
        conflict=handle_conflict,
    )
    return done or page()


def _with_item(words: ChecklistWords, code: str, texts: Mapping[TextPath, str]) -> ChecklistWords:
    item = ItemWords.model_validate(words_from(texts))
    return words.model_copy(update={"items": {**words.items, code: item}})


def _shown(
    row: ChecklistTemplate, language: str, code: str, words: ChecklistWords
) -> dict[TextPath, str]:
    """Return the translation of an item, or what an earlier version says where nothing changed."""
    translated = words.items.get(code)
    if translated is not None:
        return {text.path: text.words for text in texts_of(translated)}
    own = words_of(library.parsed(row).by_code[code])
    earlier = [other for other in library.versions(row.kind) if other.version < row.version]
    by_version = translations.words_by_template(other.id for other in earlier)
    for other in earlier:
        known_row = by_version.get(other.id, {}).get(language)
        old = library.parsed(other).item(code)
        if known_row is not None and old is not None:
            known = translations.parsed(known_row).items.get(code)
            if known is not None:
                return carried_texts(own, words_of(old), known)
    return {}


def _differences(
    texts: list[ItemText], now: ItemWords | None, typed: Mapping[TextPath, str]
) -> list[Change]:
    """Return how the texts that were typed differ from those in use."""
    used: dict[TextPath, Any] = (
        {text.path: text.words for text in texts_of(now)} if now is not None else {}
    )
    return [
        Change(
            text.name,
            value_differences.words(used.get(text.path, ""), typed[text.path]),
            text.words,
        )
        for text in texts
        if used.get(text.path, "") != typed[text.path]
    ]
