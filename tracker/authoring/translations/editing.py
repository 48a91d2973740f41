"""The translation that a page changes, found for the person or 404."""

from flask import abort

from tracker.access.gate import current_actor, found_or_404, require
from tracker.authoring import policy, queries
from tracker.checklist_templates import library, translations
from tracker.checklist_templates.languages import ChecklistWords
from tracker.checklist_templates.models import ChecklistKind, ChecklistTemplate, TemplateWords
from tracker.settings import KNOWN_LANGUAGES


def get_or_404(
    kind: str, number: int, language: str
) -> tuple[ChecklistTemplate, TemplateWords | None]:
    """Return a version with its translation into a language, or abort with 404."""
    actor = current_actor()
    require(policy.can_look_after_checklists(actor))
    try:
        row = found_or_404(queries.version(actor, ChecklistKind(kind), number))
    except ValueError:
        abort(404)
    if language not in KNOWN_LANGUAGES or language == library.parsed(row).language:
        abort(404)
    return row, translations.current(row.id).get(language)


def words_in_use(
    row: ChecklistTemplate, words_row: TemplateWords | None, language: str
) -> ChecklistWords:
    """Return the translation in use, or none yet."""
    if words_row is not None:
        return translations.parsed(words_row)
    return ChecklistWords(kind=row.kind, language=language, version=row.version)
