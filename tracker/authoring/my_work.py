"""Shipped texts that await an administrator's decision, for My work."""

from collections.abc import Sequence

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.authoring import queries
from tracker.authoring.model_texts import queries as model_texts
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.guidance.models import Article
from tracker.ui import locale
from tracker.ui.tasks import YOURS, Task, TaskHeading, Tasks


def shipped_texts(actor: Actor) -> Tasks:
    """Return tasks for shipped revisions that await a decision. A source for My work."""
    return Tasks(
        mine=(
            *(_task(row) for row in queries.waiting_articles(actor)),
            *_of_model_texts(model_texts.with_newer_product_text(actor)),
        )
    )


def _of_model_texts(items: Sequence[tuple[ChecklistKind, str, str]]) -> list[Task]:
    shown = {
        kind: library.localized(library.newest(kind), locale.language())
        for kind in {kind for kind, _language, _code in items}
    }
    return [
        _of_model_text(kind, language, code, item.label if item else code)
        for kind, language, code in items
        for item in [shown[kind].item(code)]
    ]


def _of_model_text(kind: ChecklistKind, language: str, code: str, label: str) -> Task:
    return Task(
        label=_(
            "Look at the model text of “%(item)s” (%(language)s)",
            item=label,
            language=locale.name_of(language),
        ),
        state=_l("Waiting for your decision"),
        s=YOURS,
        url=url_for("model_texts.change", kind=kind.value, language=language, code=code),
        why=_l(
            "An update changed the product's text of this item, which was changed here before. "
            "Yours stays in use until you decide."
        ),
        act=_l("Decide"),
        under=TaskHeading("model-texts", _l("Model texts")),
    )


def _task(row: Article) -> Task:
    return Task(
        label=_("Decide on a shipped revision of “%(question)s”", question=row.question),
        state=_l("Waiting for your decision"),
        s=YOURS,
        url=url_for(
            "guidance_editing.revision", slug=row.slug, language=row.language, number=row.revision
        ),
        why=_l(
            "It came with an update after the article had been edited here. The "
            "edited text stays until you decide."
        ),
        act=_l("Decide"),
        under=TaskHeading("guidance", _l("Guidance")),
    )
