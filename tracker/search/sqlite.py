"""Full-text search on SQLite: an FTS5 table beside the documents."""

import sqlalchemy as sa

from tracker.core.db import db
from tracker.search.words import WHOLE_UP_TO, Question, folded

# Created by migration 0003. The words are already folded, so the plainest tokenizer is enough.
_WORDS = sa.table(
    "search_words",
    sa.column("rowid", sa.Integer),
    sa.column("title", sa.Text),
    sa.column("text", sa.Text),
    sa.column("search_words"),
)
_TITLE_WEIGHT, _TEXT_WEIGHT = 10.0, 1.0


def put_words(document_id: int, title: str, text: str) -> None:
    """Index a document's words, replacing those it had."""
    drop_words(document_id)
    db.session.execute(
        sa.insert(_WORDS).values(rowid=document_id, title=folded(title), text=folded(text))
    )


def drop_words(document_id: int) -> None:
    """Remove a document's words."""
    db.session.execute(sa.delete(_WORDS).where(_WORDS.c.rowid == document_id))


def answering(question: Question) -> sa.Subquery:
    """Return the documents that contain every search word: document_id, rank (higher is better)."""
    matches = _WORDS.c.search_words.op("MATCH")(_expression(question))
    better = -sa.func.bm25(sa.literal_column("search_words"), _TITLE_WEIGHT, _TEXT_WEIGHT)
    return (
        sa.select(_WORDS.c.rowid.label("document_id"), better.label("rank"))
        .where(matches)
        .subquery("answering")
    )


def _expression(question: Question) -> str:
    """Write an FTS5 query.

    A word has letters and digits only, so nothing needs escaping. Each is quoted all the same, so
    that NEAR and NOT are words.
    """
    return " AND ".join(
        f'"{word}" *' if len(word) > WHOLE_UP_TO else f'"{word}"' for word in question.words
    )
