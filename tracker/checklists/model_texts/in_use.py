"""The model text in use: the product's, with the items that administrators changed.

An update of the product changes an item only while nobody changed it here (adr 114).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.strict import Key, with_parts
from tracker.checklists.model_texts import library
from tracker.checklists.model_texts.schema import FieldText, ModelTextContent
from tracker.checklists.models import ModelTextRevision
from tracker.core import canonical
from tracker.core.db import db

ItemText = Mapping[str, FieldText]
_ITEM: TypeAdapter[dict[str, FieldText]] = TypeAdapter(dict[Key, FieldText])


def contents(kind: ChecklistKind, languages: Collection[str]) -> dict[str, ModelTextContent]:
    """Return the model text in use for all ways of working, in each of some languages."""
    rows = current_rows(kind, languages)
    return {language: content_with(kind, language, rows) for language in languages}


def content_with(
    kind: ChecklistKind, language: str, rows: Iterable[ModelTextRevision]
) -> ModelTextContent:
    """Return the product's model text with the items that revisions say otherwise."""
    product = library.content_in(kind, language)
    changed = {
        row.item: item_from(row.content)
        for row in rows
        if row.content is not None
        and row.language == product.language
        and row.item in product.items
    }
    return with_items(product, changed)


def with_items(content: ModelTextContent, items: Mapping[str, ItemText]) -> ModelTextContent:
    """Return a model text with some items replaced."""
    return with_parts(content, items={**content.items, **items}) if items else content


def current_rows(
    kind: ChecklistKind, languages: Collection[str], *, to_change: bool = False
) -> Sequence[ModelTextRevision]:
    """Return the current revision of each item that administrators changed, in some languages."""
    query = sa.select(ModelTextRevision).where(
        ModelTextRevision.kind == kind,
        ModelTextRevision.language.in_(sorted(languages)),
        ModelTextRevision.is_current,
    )
    if to_change:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(query).all()


def item_from(content: Any) -> ItemText:
    """Return an item's model text as it was stored; raise ValidationError if it isn't one."""
    return _ITEM.validate_python(content)


def as_stored(item: ItemText) -> dict[str, Any]:
    """Return an item's model text as plain values."""
    return {
        key: text.model_dump(mode="json", exclude_defaults=True)
        for key, text in sorted(item.items())
    }


def digest_of(item: ItemText) -> str:
    """Return a value that changes with anything in an item's model text."""
    return canonical.digest_of(as_stored(item))
