"""Service functions for one passage of an organisation's own article: change, add, move, remove.

Each saves the whole article and leaves the other passages as they are. If somebody else has saved
the article since, nothing is overwritten, since such an article keeps no earlier revisions.
"""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.authoring.facts import ArticleParts
from tracker.authoring.models import OwnArticle, OwnPassage
from tracker.authoring.own_guidance import queries
from tracker.authoring.own_guidance import service as own_guidance
from tracker.authoring.passages import splicing
from tracker.authoring.passages.service import in_passage
from tracker.authoring.passages.splicing import PassageWords
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError


def passage_of(row: OwnArticle, number: int) -> OwnPassage | None:
    """Return a passage by its number, or None."""
    return next((passage for passage in row.passages if passage.number == number), None)


def changed_body(row: OwnArticle, number: int, words: PassageWords) -> str:
    """Return an article's text with one passage changed; its items stay as they are.

    Raise RuleBrokenError, StaleError if the passage is gone, or ContentError.
    """
    _require(row, number)
    return splicing.changed(row.body, number, words)


def added_body(row: OwnArticle, words: PassageWords, *, after: int, item: str) -> str:
    """Return an article's text with a new passage after another one; 0 puts it first.

    item is the code of the checklist item beside which it's shown, or nothing.
    """
    if after:
        _require(row, after)
    return splicing.added(row.body, after, words, f"{{{item}}}" if item else "")


def read(row: OwnArticle, body: str, number: int, text: str) -> ArticleParts:
    """Parse and check a changed text; mistakes have the lines of the passage with this number."""
    try:
        return own_guidance.check(replace(own_guidance.words_of(row), body=body))
    except ContentError as error:
        raise in_passage(error, body, number, text) from error


def change(
    actor: Actor, article_id: UUID, number: int, words: PassageWords, *, seen_version: int | None
) -> OwnArticle:
    """Save an article with one passage changed.

    Raises RefusedError, ContentError, RuleBrokenError, or StaleError if somebody changed the
    article since the person saw seen_version.
    """
    return _save(
        actor,
        article_id,
        lambda row: changed_body(row, number, words),
        seen_version,
        (number, words.text),
    )


def add(
    actor: Actor,
    article_id: UUID,
    words: PassageWords,
    *,
    after: int,
    item: str,
    seen_version: int | None,
) -> OwnArticle:
    """Save an article with a new passage after another one; 0 puts it first."""
    return _save(
        actor,
        article_id,
        lambda row: added_body(row, words, after=after, item=item),
        seen_version,
        (after + 1, words.text),
    )


def move(
    actor: Actor, article_id: UUID, number: int, by: int, *, seen_version: int | None
) -> OwnArticle:
    """Save an article with a passage moved up (-1) or down (1)."""

    def body_of(row: OwnArticle) -> str:
        _require(row, number)
        if not 1 <= number + by <= len(row.passages):
            raise StaleError(_l("This passage is already at the end of the article."))
        return splicing.moved(row.body, number, by)

    return _save(actor, article_id, body_of, seen_version)


def remove(actor: Actor, article_id: UUID, number: int, *, seen_version: int | None) -> OwnArticle:
    """Save an article without a passage."""

    def body_of(row: OwnArticle) -> str:
        _require(row, number)
        if len(row.passages) == 1:
            raise RuleBrokenError(_l("An article needs at least one passage."))
        return splicing.removed(row.body, number)

    return _save(actor, article_id, body_of, seen_version)


def _save(
    actor: Actor,
    article_id: UUID,
    body_of: Callable[[OwnArticle], str],
    seen_version: int | None,
    passage: tuple[int, str] | None = None,
) -> OwnArticle:
    row = queries.find(actor, article_id)
    if row is None or row.version != seen_version:
        raise StaleError(
            _l("Somebody else changed this article in the meantime. Compare, then save again.")
        )
    body = body_of(row)
    try:
        return own_guidance.change(
            actor,
            article_id,
            replace(own_guidance.words_of(row), body=body),
            language=row.language,
            for_partners=row.for_partners,
            seen_version=seen_version,
        )
    except ContentError as error:
        if passage is None:
            raise
        raise in_passage(error, body, *passage) from error


def _require(row: OwnArticle, number: int) -> None:
    if passage_of(row, number) is None:
        raise StaleError(_l("Somebody else removed this passage in the meantime."))
