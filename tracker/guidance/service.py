"""Service functions for the guidance: load the content folder, record where passages are used."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity.verbs import CONTENT_LOADED, CONTENT_WITHDRAWN
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.localized import LocalizedText, language_of, pick_language
from tracker.core.mistakes import ContentError, Mistake
from tracker.guidance.library import ArticleText, Library, PassageText
from tracker.guidance.models import (
    DEFAULT_LANGUAGE,
    Article,
    ArticleOrigin,
    Passage,
    PassageUse,
    Statement,
    TaxonomyKind,
    TaxonomyTerm,
)
from tracker.search import service as search

# The kind of articles in the search index.
ARTICLE = "article"
Held = dict[tuple[str, str], list[Article]]


def load(library: Library, actor: Actor | None = None) -> list[str]:
    """Load the guidance into the database; return what changed, a line each.

    A changed text becomes a new revision, and the earlier ones stay. If the current text was edited
    here, it waits until an administrator decides (adr 21). Raises ContentError, changing nothing,
    if a text has changed under a revision number that is already loaded. An article whose file is
    gone is withdrawn, unless it was edited here: its revisions stay, none is current.
    """
    rows_by_identity = _stored_rows()
    _check_revisions(library, rows_by_identity)
    changes = _load_taxonomy(library, actor) + _load_statements(library, actor)
    for text in library.articles:
        changes += _load_article(text, rows_by_identity.get(text.identity, []), actor)
    identities = {text.identity for text in library.articles}
    for identity, revisions in rows_by_identity.items():
        if identity not in identities:
            changes += _withdraw(revisions, actor)
    return changes


def set_uses(used_by: str, uses: Sequence[tuple[str, str, LocalizedText]]) -> None:
    """Replace the record of where one kind of checklist uses passages.

    used_by is the kind of checklist; each use is (passage as "article/key", the item's code, its
    label).
    """
    wanted = {(passage, code): _labels(label) for passage, code, label in uses}
    rows = db.session.scalars(sa.select(PassageUse).where(PassageUse.used_by == used_by)).all()
    labels = {(row.passage, row.code): (row.label, row.labels) for row in rows}
    if labels == wanted:
        return
    db.session.execute(sa.delete(PassageUse).where(PassageUse.used_by == used_by))
    db.session.add_all(
        PassageUse(passage=passage, used_by=used_by, code=code, label=label, labels=labels)
        for (passage, code), (label, labels) in wanted.items()
    )
    db.session.flush()


def _labels(label: LocalizedText) -> tuple[str, dict[str, str]]:
    """Return a label in the guidance's first language, if available, and in the others."""
    if isinstance(label, str):
        return label, {}
    own = pick_language(label, DEFAULT_LANGUAGE)
    others = {code: text for code, text in label.items() if code != language_of(own)}
    return str(own), others


def _stored_rows() -> Held:
    """Return the revisions of each article and language, the oldest first."""
    rows_by_identity: Held = {}
    for row in db.session.scalars(sa.select(Article).order_by(Article.revision)):
        rows_by_identity.setdefault((row.slug, row.language), []).append(row)
    return rows_by_identity


def _check_revisions(library: Library, rows_by_identity: Held) -> None:
    mistakes = [
        Mistake(text.file, text.revision_line, message)
        for text in library.articles
        if (message := _unfit_revision(text, rows_by_identity.get(text.identity, [])))
    ]
    if mistakes:
        raise ContentError(mistakes)


def _unfit_revision(text: ArticleText, revisions: Sequence[Article]) -> str | None:
    newest = _newest_shipped(revisions)
    revision = text.head.revision
    if newest is None or newest.shipped_revision is None or revision > newest.shipped_revision:
        return None
    if revision < newest.shipped_revision:
        return f"revision {newest.shipped_revision} is loaded already; {revision} is older"
    if text.digest != newest.digest:
        return f"the text differs from revision {revision} as it is loaded; raise the revision"
    return None


def _newest_shipped(revisions: Sequence[Article]) -> Article | None:
    shipped = [row for row in revisions if row.shipped_revision is not None]
    return max(shipped, key=lambda row: row.shipped_revision or 0, default=None)


def _load_taxonomy(library: Library, actor: Actor | None) -> list[str]:
    wanted = [
        {**term.model_dump(), "kind": kind, "position": position}
        for kind, terms in (
            (TaxonomyKind.CATEGORY, library.categories),
            (TaxonomyKind.TOPIC, library.topics),
        )
        for position, term in enumerate(terms, start=1)
    ]
    is_new = _replace(TaxonomyTerm, wanted, "taxonomy", actor)
    return [f"{len(wanted)} categories and topics"] if is_new else []


def _load_statements(library: Library, actor: Actor | None) -> list[str]:
    wanted = [
        {**statement.model_dump(), "position": position}
        for position, statement in enumerate(library.statements, start=1)
    ]
    is_new = _replace(Statement, wanted, "statements", actor)
    return [f"{len(wanted)} statements"] if is_new else []


def _replace(
    model: type[TaxonomyTerm | Statement],
    wanted: list[dict[str, Any]],
    name: str,
    actor: Actor | None,
) -> bool:
    """Replace all rows with these; return whether they differed."""
    keys = list(wanted[0])
    rows = db.session.scalars(sa.select(model)).all()
    row_values = [{key: getattr(row, key) for key in keys} for row in rows]
    if _digest(row_values) == _digest(wanted):
        return False
    db.session.execute(sa.delete(model))
    db.session.add_all(model(**values) for values in wanted)
    trail.record(
        CONTENT_LOADED,
        actor=actor,
        subject_type="guidance",
        subject_id=uuid5(NAMESPACE_OID, f"tracker.guidance.{name}"),
        evidence=_digest(wanted),
        kind=name,
        name=name,
        digest=_digest(wanted),
    )
    return True


def _digest(rows: Iterable[dict[str, Any]]) -> str:
    """Return one digest of rows in any order."""
    return canonical.digest_of(sorted(rows, key=canonical.to_bytes))


def _load_article(
    text: ArticleText, revisions: Sequence[Article], actor: Actor | None
) -> list[str]:
    current = next((row for row in revisions if row.is_current), None)
    is_edited = current is not None and current.origin is ArticleOrigin.EDITED
    shipped = _newest_shipped(revisions)
    if shipped is not None and shipped.shipped_revision == text.head.revision:
        if is_edited:
            return []
        _index(text)
        if shipped.is_current:
            return []
        shipped.is_current = True
        return [_loaded(shipped, actor)]
    for row in revisions:
        row.is_current = row.is_current and is_edited
        row.waits = False
    row = _new_revision(text, _free_number(text.head.revision, revisions), waits=is_edited)
    if not is_edited:
        _index(text)
    return [_loaded(row, actor)]


def _free_number(wanted: int, revisions: Sequence[Article]) -> int:
    """Return the number of a new revision: its own if that is free, else the next."""
    taken = max((row.revision for row in revisions), default=0)
    return wanted if wanted > taken else taken + 1


def _index(text: ArticleText) -> None:
    search.put(ARTICLE, text.head.slug, text.head.language, text.head.question, text.plain_text)


def _new_revision(text: ArticleText, number: int, *, waits: bool) -> Article:
    head = text.head
    row = Article(
        id=uuid4(),
        slug=head.slug,
        language=head.language,
        revision=number,
        is_current=not waits,
        question=head.question,
        summary=head.summary,
        lead=text.lead,
        category=head.category,
        topics=list(head.topics),
        source_title=head.source.title,
        source_url=head.source.url,
        revised_on=head.revised_on,
        digest=text.digest,
        loaded_at=clock.now(),
        origin=ArticleOrigin.SHIPPED,
        shipped_revision=head.revision,
        waits=waits,
        reason="",
        author="",
    )
    return add_revision(row, text.passages)


def index(row: Article, text: str) -> None:
    """Index an article by the plain text of a revision, replacing the words it had."""
    search.put(ARTICLE, row.slug, row.language, row.question, text)


def add_revision(row: Article, passages: Iterable[PassageText]) -> Article:
    """Store a revision with its passages."""
    db.session.add(row)
    db.session.add_all(
        Passage(
            article_id=row.id,
            key=passage.key,
            number=passage.number,
            title=passage.title,
            markdown=passage.markdown,
            statements=list(passage.statements),
            items=list(passage.items),
        )
        for passage in passages
    )
    db.session.flush()
    return row


def _loaded(row: Article, actor: Actor | None) -> str:
    trail.record(
        CONTENT_LOADED,
        actor=actor,
        subject_type="article",
        subject_id=row.id,
        evidence=row.digest,
        kind="article",
        name=f"{row.slug} ({row.language})",
        version=row.revision,
        digest=row.digest,
    )
    words = "; it waits, since the article was edited here" if row.waits else ""
    return f"article {row.slug} ({row.language}), revision {row.revision}{words}"


def _withdraw(revisions: Sequence[Article], actor: Actor | None) -> list[str]:
    newest = next((row for row in revisions if row.is_current), None)
    if newest is None or newest.origin is ArticleOrigin.EDITED:
        return []
    newest.is_current = False
    search.remove(ARTICLE, newest.slug, newest.language)
    trail.record(
        CONTENT_WITHDRAWN,
        actor=actor,
        subject_type="article",
        subject_id=newest.id,
        kind="article",
        name=f"{newest.slug} ({newest.language})",
        version=newest.revision,
    )
    return [f"article {newest.slug} ({newest.language}), withdrawn"]
