"""Service functions for an organisation's own guidance: add, change, withdraw, restore, import."""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.authoring import policy
from tracker.authoring.facts import ArticleParts, ArticleWords, parted
from tracker.authoring.guidance import article_validation
from tracker.authoring.models import OwnArticle, OwnPassage
from tracker.authoring.own_guidance import queries
from tracker.checklist_templates import library as checklists
from tracker.core import canonical, clock
from tracker.core.db import db, let_others_write
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.guidance import library
from tracker.guidance.library import PassageText
from tracker.organisations.models import Organisation


def words_of(row: OwnArticle) -> ArticleWords:
    """Return an organisation's own article as its author wrote it."""
    return ArticleWords(row.question, row.summary, row.category, tuple(row.topics), row.body)


def parts_of(row: OwnArticle) -> ArticleParts:
    """Return an organisation's own article, loaded with its passages, for comparison."""
    passages = (
        PassageText(
            passage.number, passage.key, passage.title, tuple(passage.items), passage.markdown
        )
        for passage in row.passages
    )
    return parted(words_of(row), row.lead, passages)


def check(words: ArticleWords) -> ArticleParts:
    """Check an organisation's own article and return its parts.

    A long text takes seconds, during which others can write: anything read before may be out of
    date. Raise ContentError with all mistakes by line, and RuleBrokenError if the head is invalid.
    """
    article_validation.require_head(words, needs_summary=False)
    article_validation.require_length(words)
    codes = checklists.item_codes()
    let_others_write()
    lead, passages = library.read_own_body(words.body, codes)
    return parted(words, lead, passages)


def add(actor: Actor, words: ArticleWords, *, language: str, for_partners: bool) -> OwnArticle:
    """Add an article to the guidance of the organisation that the person is acting for.

    Raises RefusedError, ContentError or RuleBrokenError.
    """
    policy.can_write_own(actor).require()
    row = _new(actor.organisation_id, actor, words, language, for_partners=for_partners)
    _record(verbs.OWN_ARTICLE_ADDED, actor, row, digest=_digest(row))
    return row


def import_article(
    organisation: Organisation, words: ArticleWords, *, language: str, for_partners: bool
) -> OwnArticle:
    """Add an article to an organisation's guidance, for the command line.

    Raises ContentError, or RuleBrokenError, also if the organisation already has such an article.
    """
    if queries.has_one(organisation.id, language, words.question):
        raise RuleBrokenError(
            _l(
                "%(name)s has an article with this question: change that one, or give another "
                "question.",
                name=organisation.name,
            )
        )
    row = _new(organisation.id, None, words, language, for_partners=for_partners)
    _record(verbs.OWN_ARTICLE_ADDED, None, row, digest=_digest(row))
    return row


def change(
    actor: Actor,
    article_id: UUID,
    words: ArticleWords,
    *,
    language: str,
    for_partners: bool,
    seen_version: int | None,
) -> OwnArticle:
    """Change an article of the organisation that the person is acting for.

    Raises RefusedError, ContentError, RuleBrokenError, or StaleError if somebody changed it since
    the person saw seen_version.
    """
    parts = check(words)
    row = _locked(actor, article_id)
    if row.version != seen_version:
        raise StaleError(
            _l("Somebody else changed this article in the meantime. Compare, then save again.")
        )
    if (words, language, for_partners) == (words_of(row), row.language, row.for_partners):
        raise RuleBrokenError(_l("Nothing is different from what is saved. Change something."))
    _fill(row, words, parts, language, for_partners=for_partners)
    row.version += 1
    row.author_id = actor.user_id
    row.changed_at = clock.now()
    db.session.execute(sa.delete(OwnPassage).where(OwnPassage.article_id == row.id))
    _add_passages(row, parts)
    _record(verbs.OWN_ARTICLE_CHANGED, actor, row, digest=_digest(row))
    return row


def withdraw(actor: Actor, article_id: UUID) -> OwnArticle:
    """Withdraw an organisation's own article: nobody sees it, but it can be restored."""
    row = _locked(actor, article_id)
    if row.withdrawn_at is not None:
        raise RuleBrokenError(_l("This article has already been withdrawn."))
    row.withdrawn_at = clock.now()
    db.session.flush()
    _record(verbs.OWN_ARTICLE_WITHDRAWN, actor, row)
    return row


def restore(actor: Actor, article_id: UUID) -> OwnArticle:
    """Restore a withdrawn article, for the same readers as before."""
    row = _locked(actor, article_id)
    if row.withdrawn_at is None:
        raise RuleBrokenError(_l("This article is not withdrawn."))
    row.withdrawn_at = None
    db.session.flush()
    _record(verbs.OWN_ARTICLE_RESTORED, actor, row)
    return row


def _new(
    organisation_id: UUID | None,
    actor: Actor | None,
    words: ArticleWords,
    language: str,
    *,
    for_partners: bool,
) -> OwnArticle:
    parts = check(words)
    row = OwnArticle(
        id=uuid4(),
        organisation_id=organisation_id,
        version=1,
        author_id=actor.user_id if actor else None,
        changed_at=clock.now(),
        withdrawn_at=None,
    )
    _fill(row, words, parts, language, for_partners=for_partners)
    db.session.add(row)
    db.session.flush()
    _add_passages(row, parts)
    return row


def _fill(
    row: OwnArticle,
    words: ArticleWords,
    parts: ArticleParts,
    language: str,
    *,
    for_partners: bool,
) -> None:
    row.language = language
    row.question = words.question
    row.summary = words.summary
    row.category = words.category
    row.topics = list(words.topics)
    row.body = words.body
    row.lead = parts.lead
    row.for_partners = for_partners


def _add_passages(row: OwnArticle, parts: ArticleParts) -> None:
    db.session.add_all(
        OwnPassage(
            article_id=row.id,
            key=passage.key,
            number=passage.number,
            title=passage.title,
            markdown=passage.markdown,
            items=list(passage.statements),
        )
        for passage in parts.passages
    )
    db.session.flush()


def _locked(actor: Actor, article_id: UUID) -> OwnArticle:
    """Lock an article that the person may change; raise RefusedError if they may not."""
    policy.can_write_own(actor).require()
    row = queries.locked(article_id)
    if row is None:
        raise StaleError(_l("That article doesn't exist."))
    policy.can_change_own(actor, row.organisation_id).require()
    return row


def _digest(row: OwnArticle) -> str:
    """Return a digest of an article's text and its audience."""
    return canonical.digest_of(
        {
            "language": row.language,
            "question": row.question,
            "summary": row.summary,
            "category": row.category,
            "topics": list(row.topics),
            "body": row.body,
            "for_partners": row.for_partners,
        }
    )


def _record(verb: verbs.Verb, actor: Actor | None, row: OwnArticle, **details: Any) -> None:
    name = db.session.scalar(
        sa.select(Organisation.name).where(Organisation.id == row.organisation_id)
    )
    trail.record(
        verb,
        actor=actor,
        subject_type="own_article",
        subject_id=row.id,
        evidence=details.get("digest"),
        organisation=name,
        version=row.version,
        **details,
    )
