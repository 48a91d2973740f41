"""Queries for organisations' own articles, scoped to the actor's organisation and partners."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, selectinload

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.authoring.models import OwnArticle, OwnPassage
from tracker.authoring.own_guidance.scope import changeable, visible
from tracker.checklists.beside import OwnPassageBeside
from tracker.cooperations.models import Party
from tracker.cooperations.scope import has_not_left
from tracker.core import clock
from tracker.core.db import db, load_joined
from tracker.guidance import library, markdown
from tracker.guidance.library import PassageText
from tracker.guidance.own import OwnPassageText, OwnText
from tracker.organisations.models import Organisation
from tracker.search.words import Question, split


def find(actor: Actor, article_id: UUID) -> OwnArticle | None:
    """Return an article that the person may read, or None.

    People who may change it also see it withdrawn.
    """
    return db.session.scalar(
        sa.select(OwnArticle)
        .where(OwnArticle.id == article_id, sa.or_(visible(actor), changeable(actor)))
        .options(
            load_joined(OwnArticle.organisation, Organisation.name),
            load_joined(OwnArticle.author, User.name),
            selectinload(OwnArticle.passages),
        )
        .execution_options(populate_existing=True)
    )


def own(actor: Actor) -> list[OwnArticle]:
    """Return all articles that the person may change, withdrawn ones last, without their texts."""
    return list(
        db.session.scalars(
            sa.select(OwnArticle)
            .where(changeable(actor))
            .options(
                load_joined(OwnArticle.author, User.name),
                selectinload(OwnArticle.passages),
            )
            .order_by(OwnArticle.withdrawn_at.is_not(None), OwnArticle.question, OwnArticle.id)
        )
    )


def locked(article_id: UUID) -> OwnArticle | None:
    """Lock and return an article; the caller checks whose it is."""
    return db.session.scalar(
        sa.select(OwnArticle)
        .where(OwnArticle.id == article_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def has_one(organisation_id: UUID, language: str, question: str) -> bool:
    """Return whether an organisation has an article with a question; for the command line."""
    query = sa.select(OwnArticle.id).where(
        OwnArticle.organisation_id == organisation_id,
        OwnArticle.language == language,
        OwnArticle.question == question,
    )
    return db.session.scalar(query.limit(1)) is not None


def in_library(actor: Actor, question: Question) -> Sequence[OwnText]:
    """Return the readable articles, those with the search words in their question first.

    Each records whether it contains every word of the search. For the library of the guidance.
    """
    rows = db.session.scalars(
        sa.select(OwnArticle)
        .where(visible(actor))
        .options(
            load_joined(OwnArticle.organisation, Organisation.name),
            selectinload(OwnArticle.passages),
        )
        .order_by(OwnArticle.question, OwnArticle.id)
    )
    ordered = sorted(rows, key=lambda row: -question.count_held(row.question))
    return [_in_library(row, question) for row in ordered]


def _holds(row: OwnArticle, question: Question) -> bool:
    if not question:
        return True
    words = {word.folded for word in split(f"{row.question}\n{row.summary}")}
    return question.count_among(words | _words_of(row.body)) == len(question.words)


@lru_cache(maxsize=512)
def _words_of(body: str) -> frozenset[str]:
    return frozenset(word.folded for word in split(markdown.plain(body)))


def _in_library(row: OwnArticle, question: Question) -> OwnText:
    matches = _holds(row, question)
    texts = [
        PassageText(passage.number, passage.key, passage.title, (), passage.markdown)
        for passage in row.passages
    ]
    return OwnText(
        id=row.id,
        organisation=row.organisation.name,
        language=row.language,
        question=row.question,
        summary=row.summary,
        category=row.category,
        topics=tuple(row.topics),
        uses=len({code for passage in row.passages for code in passage.items}),
        matches=matches,
        text=library.plain_text(row.summary, row.lead, texts) if question and matches else "",
        passages=tuple(
            OwnPassageText(text.key, text.number, text.title, text.markdown) for text in texts
        ),
    )


def beside(actor: Actor, cooperation_id: UUID) -> Mapping[str, Sequence[OwnPassageBeside]]:
    """Return, by item, the passages that the person may read beside it, in one query.

    Only passages by parties of the cooperation, not by partners in other cooperations.
    """
    parties = sa.select(Party.organisation_id).where(
        Party.cooperation_id == cooperation_id, has_not_left(clock.today())
    )
    rows = db.session.scalars(
        sa.select(OwnPassage)
        .join(OwnPassage.article)
        .join(OwnArticle.organisation)
        .where(visible(actor), OwnArticle.organisation_id.in_(parties))
        .options(contains_eager(OwnPassage.article).contains_eager(OwnArticle.organisation))
        .order_by(Organisation.name, OwnArticle.question, OwnArticle.id, OwnPassage.number)
    )
    passages: dict[str, list[OwnPassageBeside]] = {}
    for row in rows:
        passage = OwnPassageBeside(
            article_id=row.article.id,
            organisation=row.article.organisation.name,
            key=row.key,
            title=row.title,
            language=row.article.language,
            markdown=row.markdown,
        )
        for code in row.items:
            passages.setdefault(code, []).append(passage)
    return passages
