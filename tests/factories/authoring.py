"""Changed checklists and articles as people upload them: a text with some words replaced."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from tests.factories import templates
from tracker.access.actor import Actor
from tracker.authoring.facts import ArticleWords
from tracker.authoring.guidance import service as guidance_editing
from tracker.authoring.models import OwnArticle
from tracker.authoring.own_guidance import service as own_guidance
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Template
from tracker.core.db import db
from tracker.core.paths import CONTENT
from tracker.guidance import library as texts
from tracker.guidance import service as guidance
from tracker.guidance.models import Article

TERMS = ChecklistKind.TERMS
# One that a draft may loosen, two with a condition, and one that the source requires.
SHORT = ("M1", "M2", "M3", "M5")
# The text of each version by digest, since writing one takes long.
_TEXTS: dict[str, str] = {}


def text_of(kind: ChecklistKind = TERMS) -> str:
    """Return the newest version's text."""
    newest = library.newest(kind)
    if newest.digest not in _TEXTS:
        _TEXTS[newest.digest] = library.as_text(library.parsed(newest))
    return _TEXTS[newest.digest]


def changed(old: str, new: str, kind: ChecklistKind = TERMS) -> str:
    """Return the newest version's text with some words replaced; they must be there."""
    text = text_of(kind)
    assert old in text, f"{old!r} is not in the text"
    return text.replace(old, new, 1)


def without(code: str, kind: ChecklistKind = TERMS) -> str:
    """Return the newest version's text without an item."""
    template = library.parsed(library.newest(kind))
    return written(template, items={code: None})


def written(template: Template, *, items: dict[str, dict[str, object] | None]) -> str:
    """Return a template's text with items changed by code; None removes an item."""
    return library.as_text(rewritten(template, items=items))


def rewritten(template: Template, *, items: dict[str, dict[str, object] | None]) -> Template:
    """Return a template with items changed by code; None removes an item."""
    content = library.content_of(template)
    for section in content["sections"]:
        items_left = []
        for item in section["items"]:
            if item["code"] not in items:
                items_left.append(item)
                continue
            update = items[item["code"]]
            if update is not None:
                items_left.append({**item, **update})
        section["items"] = items_left
    content["sections"] = [section for section in content["sections"] if section["items"]]
    return Template.model_validate(content)


def publish_short_terms() -> None:
    """Publish terms of four items: a text of all 21 takes long to read, to write and to compare."""
    template = library.parsed(library.newest(TERMS))
    left_out = [item.code for item in template.items if item.code not in SHORT]
    short = rewritten(template, items=dict.fromkeys(left_out))
    templates.publish(short.model_copy(update={"version": short.version + 1}))


# Articles of the guidance ----------------------------------------------------------------------

ARTICLE = "settling-terms"


def revisions_of() -> list[Article]:
    """Return an article's revisions with their passages, the newest first."""
    return list(
        db.session.scalars(
            sa.select(Article)
            .where(Article.slug == ARTICLE, Article.language == "en")
            .options(selectinload(Article.passages))
            .order_by(Article.revision.desc())
            .execution_options(populate_existing=True)
        )
    )


def current_of() -> Article:
    """Return an article's current revision with its passages."""
    return next(row for row in revisions_of() if row.is_current)


def edited(old: str, new: str, **head: Any) -> ArticleWords:
    """Return the current text of an article with some words replaced; they must be there."""
    words = guidance_editing.words_of(current_of())
    assert old in words.body, f"{old!r} is not in the text"
    return replace(words, body=words.body.replace(old, new, 1), **head)


def publish_edited(actor: Actor, old: str, new: str) -> Article:
    """Publish the current text with some words replaced, and commit."""
    row = guidance_editing.publish(
        actor,
        ARTICLE,
        "en",
        edited(old, new),
        seen_revision=current_of().revision,
        reason="Local practice",
    )
    db.session.commit()
    return row


def shipped_content(folder: Path, revision: int, old: str = "", new: str = "") -> Path:
    """Return a copy of the shipped content in which one article has another revision and text."""
    if not folder.exists():
        shutil.copytree(CONTENT, folder)
    path = folder / "guidance" / "en" / f"{ARTICLE}.md"
    text = re.sub(r"^revision: \d+$", f"revision: {revision}", path.read_text(), flags=re.MULTILINE)
    assert old in text, f"{old!r} is not in the text"
    path.write_text(text.replace(old, new, 1))
    return folder


def ship(folder: Path) -> list[str]:
    """Load the guidance of a content folder as an update does, and commit."""
    changes = guidance.load(texts.read(folder))
    db.session.commit()
    return changes


# Own articles ----------------------------------------------------------------------------------

BODY = "## Send it within a day {#within M1}\n\nWrite it down on the same day."


def own_words(body: str = BODY, **head: Any) -> ArticleWords:
    """Return an own article as somebody would write it."""
    words = ArticleWords(
        question="How do we pass on what we see?",
        summary="What we write down, and when.",
        category="engaging-with-others",
        topics=("engaging-with-civil-society",),
        body=body,
    )
    return replace(words, **head)


def own_article(
    actor: Actor, body: str = BODY, *, for_partners: bool = False, **head: Any
) -> OwnArticle:
    """Add an own article for the organisation that somebody acts for, and commit."""
    row = own_guidance.add(actor, own_words(body, **head), language="en", for_partners=for_partners)
    db.session.commit()
    return row
