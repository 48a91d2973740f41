"""Checks of the shipped articles against the checklists, and of their translations. Pure.

An article in another language than English is a translation: it has the same passages in the same
order, each with the same statements and items, and names the revision of the original that it
translates.
"""

from collections.abc import Iterable, Iterator, Mapping

from tracker.checklist_templates.schema import Template
from tracker.core.mistakes import Mistake
from tracker.guidance.library import ArticleText, Library, PassageText
from tracker.guidance.models import DEFAULT_LANGUAGE


def mistakes(library: Library, templates: Iterable[Template]) -> Iterator[Mistake]:
    """Yield where articles don't fit the checklists, or the article they translate."""
    statements = {
        item.code: set(item.rests_on.statements)
        for template in templates
        for item in template.items
    }
    originals = {
        article.head.slug: article
        for article in library.articles
        if article.head.language == DEFAULT_LANGUAGE
    }
    for article in library.articles:
        messages = [*_items(article, statements), *_translation(article, originals)]
        yield from (Mistake(article.file, article.revision_line, message) for message in messages)


def _items(article: ArticleText, statements: Mapping[str, set[str]]) -> Iterator[str]:
    for passage in article.passages:
        for code in passage.items:
            if code not in statements:
                yield f"passage {passage.key} names {code}: not there"
            elif not statements[code] & set(passage.statements):
                yield f"passage {passage.key} carries nothing that {code} rests on"


def _translation(article: ArticleText, originals: Mapping[str, ArticleText]) -> Iterator[str]:
    original = originals.get(article.head.slug)
    if original is None or original is article:
        return
    ours, theirs = article.head, original.head
    if ours.translates != theirs.revision:
        yield (
            f"it translates revision {ours.translates or 'none'} of {original.file}, which is at "
            f"{theirs.revision}: compare them, then say translates: {theirs.revision}"
        )
    for name in ("category", "topics", "source"):
        if getattr(ours, name) != getattr(theirs, name):
            yield f"{name} isn't that of {original.file}"
    if list(map(_frame, article.passages)) != list(map(_frame, original.passages)):
        yield f"its passages, their statements and items aren't those of {original.file}"


def _frame(passage: PassageText) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return passage.key, passage.statements, passage.items
