"""Queries for the guidance, which is public (class K0) and so not scoped to an actor."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from tracker.core.db import db
from tracker.core.localized import LocalizedStr
from tracker.guidance.models import (
    DEFAULT_LANGUAGE,
    Article,
    Passage,
    PassageUse,
    Statement,
    TaxonomyKind,
    TaxonomyTerm,
)


class RevisionRef(NamedTuple):
    """A revision of an article, with the digest of its text."""

    slug: str
    language: str
    revision: int
    digest: str


@dataclass(frozen=True, slots=True)
class Use:
    """A use of a passage: the kind of checklist, the item's code and label."""

    passage: str
    used_by: str
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class PassageShown:
    """A passage of the current guidance, to show beside an item based on it."""

    ref: str
    slug: str
    key: str
    number: int
    title: str
    markdown: str
    article_question: str
    language: str
    statements: tuple[str, ...]
    # The items of the checklists that it concerns most.
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The names of categories and topics by slug, in the source's order.

    A name knows its language: the one asked for, or its own if it isn't translated.
    """

    categories: dict[str, str]
    topics: dict[str, str]


@dataclass(frozen=True, slots=True)
class RevisionLine:
    """One revision of an article among the others."""

    language: str
    revision: int
    revised_on: dt.date
    is_current: bool


@dataclass(frozen=True, slots=True)
class ArticleRead:
    """A revision of an article with its passages and where they are used, by their keys."""

    article: Article
    passages: list[Passage]
    uses: dict[str, list[Use]]
    # All revisions in all languages, the newest of each first, without those awaiting a decision.
    revisions: list[RevisionLine]


def taxonomy(language: str = DEFAULT_LANGUAGE) -> Taxonomy:
    """Return all categories and topics, named in a language where they have a name in it."""
    rows = db.session.scalars(sa.select(TaxonomyTerm).order_by(TaxonomyTerm.position)).all()
    return Taxonomy(
        {
            row.slug: in_language(row.name, row.names, language)
            for row in rows
            if row.kind is TaxonomyKind.CATEGORY
        },
        {
            row.slug: in_language(row.name, row.names, language)
            for row in rows
            if row.kind is TaxonomyKind.TOPIC
        },
    )


def in_language(own: str, others: Mapping[str, str], language: str) -> LocalizedStr:
    """Return words of the content in a language, or in their own if not translated."""
    if language in others:
        return LocalizedStr(others[language], language)
    return LocalizedStr(own, DEFAULT_LANGUAGE)


def current_articles(language: str) -> list[Article]:
    """Return each current article, in this language if it has it; without passages."""
    by_slug: dict[str, Article] = {}
    rows = db.session.scalars(sa.select(Article).where(Article.is_current).order_by(Article.slug))
    for row in rows:
        by_slug[row.slug] = _nearer(by_slug.get(row.slug), row, language)
    return list(by_slug.values())


def article(slug: str, language: str, revision: int | None = None) -> ArticleRead | None:
    """Return an article with its passages: the current revision, or an older one by its number.

    If it doesn't exist in this language, it is returned in English, or in any other. A shipped
    revision awaiting a decision is not shown to readers.
    """
    lines: list[RevisionLine] = []
    chosen: Article | None = None
    rows = db.session.scalars(
        sa.select(Article)
        .where(Article.slug == slug, ~Article.waits)
        .order_by(Article.language, Article.revision.desc())
    )
    for row in rows:
        lines.append(RevisionLine(row.language, row.revision, row.revised_on, row.is_current))
        if row.is_current if revision is None else row.revision == revision:
            chosen = _nearer(chosen, row, language)
    return None if chosen is None else ArticleRead(chosen, *_with_uses(chosen, language), lines)


def _with_uses(article: Article, language: str) -> tuple[list[Passage], dict[str, list[Use]]]:
    """Return the passages of an article, and by their keys where they are used.

    Items are based on the current text, so an older one is used nowhere.
    """
    ref = sa.literal(f"{article.slug}/") + Passage.key
    query = (
        sa.select(Passage, PassageUse)
        .outerjoin(PassageUse, sa.and_(PassageUse.passage == ref, sa.literal(article.is_current)))
        .where(Passage.article_id == article.id)
        .order_by(Passage.number)
    )
    rows: Sequence[Any] = db.session.execute(query).all()
    used_by_key: dict[str, list[PassageUse]] = {}
    for passage, use in rows:
        used_by_key.setdefault(passage.key, []).extend([] if use is None else [use])
    return (
        list(dict.fromkeys(passage for passage, _use in rows)),
        {key: _uses(used, language) for key, used in used_by_key.items()},
    )


def uses_of(article: Article, language: str) -> dict[str, list[Use]]:
    """Return where the passages of a current revision are used, by their keys, in one query.

    The article is loaded with its passages.
    """
    refs = [f"{article.slug}/{passage.key}" for passage in article.passages]
    rows = db.session.scalars(sa.select(PassageUse).where(PassageUse.passage.in_(refs)))
    by_key: dict[str, list[PassageUse]] = {}
    for row in rows:
        by_key.setdefault(row.passage.split("/", 1)[1], []).append(row)
    return {key: _uses(used, language) for key, used in by_key.items()}


def passages_of(articles: Iterable[Article]) -> dict[str, list[Passage]]:
    """Return the passages of some articles by slug, in one query."""
    slugs = {row.id: row.slug for row in articles}
    passages: dict[str, list[Passage]] = {slug: [] for slug in slugs.values()}
    rows = db.session.scalars(
        sa.select(Passage).where(Passage.article_id.in_(slugs)).order_by(Passage.number)
    )
    for row in rows:
        passages[slugs[row.article_id]].append(row)
    return passages


def statements(codes: Iterable[str]) -> dict[str, Statement]:
    """Return statements by their codes."""
    rows = db.session.scalars(sa.select(Statement).where(Statement.code.in_(set(codes))))
    return {row.code: row for row in rows}


def _uses(rows: Iterable[PassageUse], language: str) -> list[Use]:
    """Return uses in the order of the codes, with labels in a language that has them."""
    return [
        Use(row.passage, row.used_by, row.code, in_language(row.label, row.labels, language))
        for row in sorted(rows, key=lambda row: (row.code[0], len(row.code), row.code))
    ]


def count_uses() -> dict[str, int]:
    """Return by slug how many items of checklists are based on an article."""
    items: dict[str, set[tuple[str, str]]] = {}
    rows = db.session.execute(sa.select(PassageUse.passage, PassageUse.used_by, PassageUse.code))
    for passage, used_by, code in rows:
        items.setdefault(passage.split("/")[0], set()).add((used_by, code))
    return {slug: len(articles) for slug, articles in items.items()}


def passages_for(
    refs: Sequence[str], language: str = DEFAULT_LANGUAGE, items: str = ""
) -> dict[str, PassageShown]:
    """Return current passages by "article/key", in one query; missing ones are left out.

    items is the letter of a checklist: passages that name one of its items are included. No query
    if there is nothing to find.
    """
    pairs = [tuple(ref.split("/", 1)) for ref in refs if "/" in ref]
    if not pairs and not items:
        return {}
    wanted: sa.ColumnElement[bool] = sa.tuple_(Article.slug, Passage.key).in_(pairs)
    if items:
        wanted = sa.or_(wanted, sa.cast(Passage.items, sa.Text).contains(f'"{items}'))
    rows = db.session.scalars(
        sa.select(Passage)
        .join(Passage.article)
        .options(contains_eager(Passage.article))
        .where(Article.is_current, wanted)
        .order_by(Article.slug, Article.language, Passage.number)
    )
    nearest: dict[str, Passage] = {}
    for row in rows:
        ref = f"{row.article.slug}/{row.key}"
        passage = nearest.get(ref)
        if passage is None or _nearer(passage.article, row.article, language) is row.article:
            nearest[ref] = row
    return {ref: _shown(ref, row) for ref, row in nearest.items()}


def current_revisions() -> list[RevisionRef]:
    """Return the current revisions in a fixed order, for frozen texts to name."""
    rows = db.session.execute(
        sa.select(Article.slug, Article.language, Article.revision, Article.digest)
        .where(Article.is_current)
        .order_by(Article.slug, Article.language)
    )
    return [RevisionRef(*row) for row in rows]


def revision_of(slug: str, revision: int, language: str = DEFAULT_LANGUAGE) -> RevisionRef | None:
    """Return one revision of an article, current or not."""
    row = db.session.execute(
        sa.select(Article.slug, Article.language, Article.revision, Article.digest).where(
            Article.slug == slug, Article.revision == revision, Article.language == language
        )
    ).one_or_none()
    return RevisionRef(*row) if row else None


def _nearer(current: Article | None, other: Article, language: str) -> Article:
    """Choose between two languages of an article: the requested one, English, the first found."""
    if current is None:
        return other
    order = (language, DEFAULT_LANGUAGE)
    ranks = [
        order.index(article.language) if article.language in order else 2
        for article in (current, other)
    ]
    return current if ranks[0] <= ranks[1] else other


def _shown(ref: str, row: Passage) -> PassageShown:
    return PassageShown(
        ref=ref,
        slug=row.article.slug,
        key=row.key,
        number=row.number,
        title=row.title,
        markdown=row.markdown,
        article_question=row.article.question,
        language=row.article.language,
        statements=tuple(row.statements),
        items=tuple(row.items),
    )
