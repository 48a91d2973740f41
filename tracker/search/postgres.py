"""Full-text search on PostgreSQL: a tsvector for each document."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from tracker.core.db import db
from tracker.search.words import WHOLE_UP_TO, Question, split

_WORDS = sa.table(
    "search_words", sa.column("document_id", sa.Integer), sa.column("words", TSVECTOR)
)
# The highest position of a word in a PostgreSQL document.
_FARTHEST = 16383


def put_words(document_id: int, title: str, text: str) -> None:
    """Index a document's words, replacing those it had."""
    drop_words(document_id)
    vector = sa.cast(sa.literal(_vector(title, text)), TSVECTOR)
    db.session.execute(sa.insert(_WORDS).values(document_id=document_id, words=vector))


def drop_words(document_id: int) -> None:
    """Remove a document's words."""
    db.session.execute(sa.delete(_WORDS).where(_WORDS.c.document_id == document_id))


def answering(question: Question) -> sa.Subquery:
    """Return the documents that contain every search word: document_id, rank (higher is better)."""
    query = sa.cast(sa.literal(_expression(question)), TSQUERY)
    return (
        sa.select(_WORDS.c.document_id, sa.func.ts_rank(_WORDS.c.words, query).label("rank"))
        .where(_WORDS.c.words.op("@@")(query))
        .subquery("answering")
    )


def _vector(title: str, text: str) -> str:
    """Write a tsvector.

    The words are already folded, so no configuration may split or stem them again. Words of the
    title weigh ten times those of the text (A and D of ts_rank).
    """
    return " ".join([*_placed(title, "A"), *_placed(text, "D")])


def _placed(text: str, weight: str) -> Iterable[str]:
    for number, word in enumerate(split(text), start=1):
        yield f"'{word.folded}':{min(number, _FARTHEST)}{weight}"


def _expression(question: Question) -> str:
    """Write a tsquery. A word has letters and digits only, so nothing needs escaping."""
    return " & ".join(
        f"'{word}':*" if len(word) > WHOLE_UP_TO else f"'{word}'" for word in question.words
    )
