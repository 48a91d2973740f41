"""Full-text search over guidance and class K8 only: index, remove, find.

Results are keys; the feature that indexed a document runs its own scoped query before showing it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa
from markupsafe import Markup

from tracker.core.db import db
from tracker.search import postgres, sqlite
from tracker.search.words import Question, ask, mark, snippet

# The table of words, with which the names of SQLite's own tables for it begin.
WORDS = "search_words"
_DOCUMENT = sa.table(
    "search_document",
    sa.column("id", sa.Integer),
    sa.column("kind", sa.String),
    sa.column("key", sa.String),
    sa.column("language", sa.String),
    sa.column("title", sa.Text),
    sa.column("text", sa.Text),
)


class _Words(Protocol):
    """What each database does in its own way."""

    def put_words(self, document_id: int, title: str, text: str) -> None: ...
    def drop_words(self, document_id: int) -> None: ...
    def answering(self, question: Question) -> sa.Subquery: ...


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that contains every search word; a higher rank is a better match."""

    kind: str
    key: str
    language: str
    rank: float
    title: str
    text: str
    question: Question

    @property
    def marked_title(self) -> Markup:
        """The title as safe HTML with the search words marked."""
        return mark(self.title, self.question)

    @property
    def snippet(self) -> Markup:
        """The best matching part of the text, as safe HTML with the search words marked."""
        return snippet(self.text, self.question)


def put(kind: str, key: str, language: str, title: str, text: str) -> bool:
    """Index a document, replacing the one with the same kind, key and language.

    Returns whether anything changed. Each line of the text is a paragraph of its own.
    """
    title, text = _storable(title), _storable(text)
    document = db.session.execute(
        sa.select(_DOCUMENT.c.id, _DOCUMENT.c.title, _DOCUMENT.c.text).where(
            _is(kind, key, language)
        )
    ).one_or_none()
    if document is not None and (document.title, document.text) == (title, text):
        return False
    if document is not None:
        db.session.execute(
            sa.update(_DOCUMENT).where(_DOCUMENT.c.id == document.id).values(title=title, text=text)
        )
        document_id = document.id
    else:
        document_id = db.session.execute(
            sa.insert(_DOCUMENT)
            .values(kind=kind, key=key, language=language, title=title, text=text)
            .returning(_DOCUMENT.c.id)
        ).scalar_one()
    _words().put_words(document_id, title, text)
    return True


def remove(kind: str, key: str, language: str | None = None) -> None:
    """Remove a document from the index, in one language or in all."""
    condition = _is(kind, key, language)
    for document_id in db.session.scalars(sa.select(_DOCUMENT.c.id).where(condition)).all():
        _words().drop_words(document_id)
    db.session.execute(sa.delete(_DOCUMENT).where(condition))


def index_again() -> None:
    """Index the words of all documents, which a backup doesn't contain."""
    for document in db.session.execute(sa.select(_DOCUMENT)).all():
        _words().put_words(document.id, document.title, document.text)


def find(
    wanted: str | Question,
    kinds: Sequence[str],
    *,
    language: str | None = None,
    limit: int = 50,
) -> list[Hit]:
    """Return the documents of these kinds that contain every search word, the best first.

    Case, accents and punctuation make no difference; a word of three letters or more matches every
    word that begins with it. There are no operators. Without any word nothing is found.
    """
    question = ask(wanted) if isinstance(wanted, str) else wanted
    if not question:
        return []
    answering = _words().answering(question)
    query = (
        sa.select(
            _DOCUMENT.c.kind,
            _DOCUMENT.c.key,
            _DOCUMENT.c.language,
            answering.c.rank,
            _DOCUMENT.c.title,
            _DOCUMENT.c.text,
        )
        .join(answering, answering.c.document_id == _DOCUMENT.c.id)
        .where(_DOCUMENT.c.kind.in_(kinds))
        .order_by(answering.c.rank.desc(), _DOCUMENT.c.kind, _DOCUMENT.c.key)
        .limit(limit)
    )
    if language is not None:
        query = query.where(_DOCUMENT.c.language == language)
    return [Hit(*row, question=question) for row in db.session.execute(query)]


def _words() -> _Words:
    """Return the implementation for this database: the only place where the two differ."""
    return sqlite if db.engine.dialect.name == "sqlite" else postgres


def _is(kind: str, key: str, language: str | None) -> sa.ColumnElement[bool]:
    condition = sa.and_(_DOCUMENT.c.kind == kind, _DOCUMENT.c.key == key)
    return condition if language is None else condition & (_DOCUMENT.c.language == language)


def _storable(text: str) -> str:
    """Remove what PostgreSQL can't store in a text."""
    return text.replace("\x00", "")
