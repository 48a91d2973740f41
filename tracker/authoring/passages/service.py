"""Service functions for one passage of the guidance: each publishes the article's next revision.

The rest of the article stays byte for byte, also what somebody else changed in other passages since
the person saw the article.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.authoring import queries
from tracker.authoring.facts import ArticleParts
from tracker.authoring.guidance import service as guidance_editing
from tracker.authoring.passages import splicing
from tracker.authoring.passages.splicing import PassageWords
from tracker.core.db import let_others_write
from tracker.core.errors import StaleError
from tracker.core.mistakes import ContentError
from tracker.guidance import policy
from tracker.guidance.models import Article, Passage

# A changed text, and the number and the text of the passage that its mistakes are in.
Spliced = tuple[str, tuple[int, str] | None]


def number_of(row: Article, key: str) -> int | None:
    """Return the number of a passage, counted from 1 in the article's order; None if it's gone."""
    keys = [passage.key for passage in row.passages]
    return keys.index(key) + 1 if key in keys else None


def passage_of(row: Article | None, key: str) -> Passage | None:
    """Return a passage of a revision by its key, or None."""
    passages = row.passages if row is not None else []
    return next((passage for passage in passages if passage.key == key), None)


def changed_body(row: Article, key: str, words: PassageWords) -> str:
    """Return a revision's text with one passage changed.

    Others can write in the meantime. Raise RuleBrokenError, StaleError if the passage is gone, or
    ContentError by the lines of the passage's own text.
    """
    body, number = guidance_editing.words_of(row).body, _number(row, key)
    let_others_write()
    return splicing.changed(body, number, words)


def read(
    revisions: Sequence[Article], row: Article, body: str, number: int, text: str
) -> ArticleParts:
    """Parse and check a changed text; mistakes have the lines of the passage with this number.

    Others can write in the meantime.
    """
    words = replace(guidance_editing.words_of(row), body=body)
    try:
        parsed = guidance_editing.read(words, row.slug)
        guidance_editing.check(parsed, revisions)
    except ContentError as error:
        raise in_passage(error, body, number, text) from error
    return parsed.parts


def in_passage(error: ContentError, body: str, number: int, text: str) -> ContentError:
    """Return an article's mistakes by the lines of one of its passages."""
    let_others_write()
    before = splicing.lines_before_text(body, number)
    return splicing.in_text(error, before, text.count("\n") + 1)


def change(
    actor: Actor,
    slug: str,
    language: str,
    key: str,
    words: PassageWords,
    *,
    seen_revision: int | None,
    reason: str,
) -> Article:
    """Publish an article with one passage changed.

    Raises RefusedError, ContentError, RuleBrokenError, or StaleError if somebody changed or removed
    this passage since the person saw seen_revision. Changes to other passages stay.
    """

    def body_of(current: Article, seen: Article | None) -> Spliced:
        if _content(passage_of(current, key)) != _content(passage_of(seen, key)):
            raise StaleError(
                _l("Somebody else changed this passage in the meantime. Compare, then publish.")
            )
        passage = _number(current, key), words.text
        return changed_body(current, key, words), passage

    return _publish(actor, slug, language, body_of, seen_revision=seen_revision, reason=reason)


def add(
    actor: Actor,
    slug: str,
    language: str,
    words: PassageWords,
    *,
    after: str,
    key: str = "",
    codes: Sequence[str] = (),
    reason: str,
) -> Article:
    """Publish an article with a new passage after the one with a key, or first.

    A passage that translates one of another language has the same key and codes.
    """

    def body_of(current: Article, _seen: Article | None) -> Spliced:
        heading = " ".join([f"#{key or key_for(current, words)}", *codes])
        passage = (_number(current, after) if after else 0) + 1, words.text
        return added_body(current, words, after=after, heading=heading), passage

    return _publish(actor, slug, language, body_of, seen_revision=None, reason=reason)


def key_for(row: Article, words: PassageWords) -> str:
    """Return the key of a new passage, made from its title."""
    return splicing.new_key(words.title, {passage.key for passage in row.passages})


def added_body(row: Article, words: PassageWords, *, after: str, heading: str) -> str:
    """Return a revision's text with a new passage; heading is its key and its codes.

    Others can write in the meantime.
    """
    body = guidance_editing.words_of(row).body
    place = _number(row, after) if after else 0
    let_others_write()
    return splicing.added(body, place, words, f"{{{heading}}}")


def move(
    actor: Actor,
    slug: str,
    language: str,
    key: str,
    by: int,
    *,
    seen_revision: int | None,
    reason: str,
) -> Article:
    """Publish an article with a passage moved up (-1) or down (1)."""

    def body_of(current: Article, seen: Article | None) -> Spliced:
        _require_same_order(current, seen)
        number = _number(current, key)
        if not 1 <= number + by <= len(current.passages):
            raise StaleError(_l("This passage is already at the end of the article."))
        body = guidance_editing.words_of(current).body
        let_others_write()
        return splicing.moved(body, number, by), None

    return _publish(actor, slug, language, body_of, seen_revision=seen_revision, reason=reason)


def remove(
    actor: Actor,
    slug: str,
    language: str,
    key: str,
    *,
    seen_revision: int | None,
    reason: str,
) -> Article:
    """Publish an article without a passage; one that items are based on can't be removed."""

    def body_of(current: Article, seen: Article | None) -> Spliced:
        if _content(passage_of(current, key)) != _content(passage_of(seen, key)):
            raise StaleError(_l("Somebody else changed this passage in the meantime. Look again."))
        body, number = guidance_editing.words_of(current).body, _number(current, key)
        let_others_write()
        return splicing.removed(body, number), None

    return _publish(actor, slug, language, body_of, seen_revision=seen_revision, reason=reason)


def _publish(
    actor: Actor,
    slug: str,
    language: str,
    body_of: Callable[[Article, Article | None], Spliced],
    *,
    seen_revision: int | None,
    reason: str,
) -> Article:
    policy.can_edit(actor).require()
    revisions = queries.revisions(actor, slug, language)
    current = guidance_editing.current_of(revisions)
    if current is None:
        raise StaleError(_l("This article was withdrawn because its file is gone."))
    seen = next((row for row in revisions if row.revision == seen_revision), None)
    words, number = guidance_editing.words_of(current), current.revision
    body, passage = body_of(current, seen)
    try:
        return guidance_editing.publish(
            actor,
            slug,
            language,
            replace(words, body=body),
            seen_revision=number,
            reason=reason,
        )
    except ContentError as error:
        if passage is None:
            raise
        raise in_passage(error, body, *passage) from error


def _require_same_order(current: Article, seen: Article | None) -> None:
    keys, seen_keys = (
        [passage.key for passage in row.passages] if row else None for row in (current, seen)
    )
    if keys != seen_keys:
        raise StaleError(_l("Somebody else changed the passages in the meantime. Look again."))


def _number(row: Article, key: str) -> int:
    number = number_of(row, key)
    if number is None:
        raise StaleError(_l("Somebody else removed this passage in the meantime."))
    return number


def _content(passage: Passage | None) -> tuple[str, str, list[str], list[str]] | None:
    if passage is None:
        return None
    return passage.title, passage.markdown, list(passage.statements), list(passage.items)
