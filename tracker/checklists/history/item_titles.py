"""Titles of items for the sentences of the history, whose events name items by their codes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from tracker.activity.queries import HistoryLine
from tracker.checklist_templates import library, translations
from tracker.checklist_templates.models import ChecklistTemplate
from tracker.checklists.models import Checklist
from tracker.core.db import db
from tracker.ui.locale import with_commas

# The details that name items by their codes.
_LISTS = ("items", "new", "changed", "gone")

# The titles of items by kind of checklist and code.
Titles = Mapping[str, Mapping[str, object]]


def titles_in(cooperation_id: UUID, language: str) -> dict[str, dict[str, str]]:
    """Return the titles of a cooperation's items by kind of checklist and code, in two queries.

    Not scoped: what a checklist asks is no secret. Of several versions the newest names an item.
    """
    rows = db.session.scalars(
        sa.select(ChecklistTemplate)
        .where(
            ChecklistTemplate.id.in_(
                sa.select(Checklist.template_id).where(Checklist.cooperation_id == cooperation_id)
            )
        )
        .order_by(ChecklistTemplate.version)
    ).all()
    words = translations.words_by_template([row.id for row in rows])
    titles: dict[str, dict[str, str]] = {}
    for row in rows:
        template = library.localized_by(row, words.get(row.id, {}).get(language))
        titles.setdefault(row.kind, {}).update(
            {code: item.label for code, item in template.by_code.items()}
        )
    return titles


def with_titles(line: HistoryLine, titles: Titles, kind: str = "") -> HistoryLine:
    """Return an event with its items named by their titles, as far as these are known.

    kind is that of the checklist whose events they are, for those that don't name it.
    """
    of_kind = titles.get(line.details.get("kind", kind), {})
    named: dict[str, object] = {
        key: [title_of(of_kind, code) for code in line.details[key]]
        for key in _LISTS
        if isinstance(line.details.get(key), list)
    }
    if isinstance(line.details.get("item"), str):
        named["item"] = title_of(of_kind, line.details["item"])
    return replace(line, details={**line.details, **named}) if named else line


def names_of(titles: Mapping[str, object], codes: Iterable[str]) -> str:
    """Return the titles of items with commas between them."""
    return with_commas(title_of(titles, code) for code in codes)


def title_of(titles: Mapping[str, object], code: str) -> str:
    """Return the title of an item in quotation marks, since titles have commas; else its code."""
    return str(_("“%(item)s”", item=titles[code])) if code in titles else code
