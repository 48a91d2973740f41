"""Queries for the pages of model texts: what administrators changed, and the product's updates."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.authoring import policy
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.model_texts import in_use, library
from tracker.checklists.model_texts.in_use import ItemText
from tracker.checklists.models import ModelTextRevision
from tracker.core.db import db
from tracker.ui import locale

# How many revisions of an item its page lists.
MOST_REVISIONS = 20


@dataclass(frozen=True, slots=True)
class ItemState:
    """An item's model text: the product's, the current revision if there is one, what is used."""

    code: str
    product: ItemText
    row: ModelTextRevision | None

    @property
    def is_changed(self) -> bool:
        """Whether a text of this instance is used."""
        return self.row is not None and self.row.content is not None

    @property
    def text(self) -> ItemText:
        """The text in use."""
        if self.row is None or self.row.content is None:
            return self.product
        return in_use.item_from(self.row.content)

    @property
    def number(self) -> int:
        """The number of the current revision; 0 if nobody changed it yet."""
        return self.row.number if self.row else 0

    @property
    def has_newer_product_text(self) -> bool:
        """Whether the product has had another text since this instance's was published."""
        return (
            self.row is not None
            and self.row.content is not None
            and self.row.product_digest != in_use.digest_of(self.product)
        )


def languages_of(kind: ChecklistKind) -> list[str]:
    """Return the languages of this instance that have a checklist's model text."""
    offered = {language.code for language in locale.languages()}
    return [language for language in library.languages(kind) if language in offered]


def states(actor: Actor, kind: ChecklistKind, language: str) -> list[ItemState]:
    """Return every item of a model text in a language, in its order; none for other people."""
    if not policy.can_look_after_checklists(actor):
        return []
    rows = {row.item: row for row in in_use.current_rows(kind, [language])}
    return [
        ItemState(code, product, rows.get(code))
        for code, product in library.content_in(kind, language).items.items()
    ]


def revisions(kind: ChecklistKind, language: str, code: str) -> Sequence[ModelTextRevision]:
    """Return the latest revisions of an item, the newest first, without their texts."""
    return db.session.scalars(
        sa.select(ModelTextRevision)
        .where(
            ModelTextRevision.kind == kind,
            ModelTextRevision.language == language,
            ModelTextRevision.item == code,
        )
        .order_by(ModelTextRevision.number.desc())
        .limit(MOST_REVISIONS)
    ).all()


def with_newer_product_text(actor: Actor) -> list[tuple[ChecklistKind, str, str]]:
    """Return the items changed here whose text in the product was updated since, for My work."""
    if not policy.can_look_after_checklists(actor):
        return []
    rows = db.session.scalars(
        sa.select(ModelTextRevision)
        .where(ModelTextRevision.is_current)
        .order_by(ModelTextRevision.kind, ModelTextRevision.language, ModelTextRevision.item)
    )
    return [
        (row.kind, row.language, row.item)
        for row in rows
        if (product := library.content_in(row.kind, row.language).items.get(row.item)) is not None
        and ItemState(row.item, product, row).has_newer_product_text
    ]
