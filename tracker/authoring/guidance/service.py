"""Service functions for this instance's guidance: publish an edit, decide on a shipped text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.authoring import queries
from tracker.authoring.checklists.service import tidy_reason
from tracker.authoring.facts import ArticleParts, ArticleWords, parted
from tracker.authoring.guidance import article_validation, required_content
from tracker.authoring.guidance.required_content import Rest
from tracker.checklist_templates import library as checklists
from tracker.checklist_templates import risky_phrases
from tracker.checklist_templates.models import ChecklistKind
from tracker.core import clock
from tracker.core.db import db, let_others_write
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError, Mistake
from tracker.guidance import library, markdown, policy, service
from tracker.guidance.library import FrontMatter, PassageText, SourceText
from tracker.guidance.models import Article, ArticleOrigin, Passage

# The name of an uploaded file in mistakes; that of a text in a form is "text".
FILE = "file"


def words_of(row: Article) -> ArticleWords:
    """Return a revision, loaded with its passages, as its author writes it."""
    return ArticleWords(
        question=row.question,
        summary=row.summary,
        category=row.category,
        topics=tuple(row.topics),
        body=library.as_body(row.lead, row.passages).strip(),
    )


def parts_of(row: Article) -> ArticleParts:
    """Return a revision, loaded with its passages, for comparison."""
    return parted(words_of(row), row.lead, map(_as_text, row.passages))


def _as_text(row: Passage) -> PassageText:
    return PassageText(
        row.number, row.key, row.title, tuple(row.statements), row.markdown, tuple(row.items)
    )


def file_of(row: Article) -> str:
    """Return a revision, loaded with its passages, as a file that can be changed and uploaded."""
    return _file(row, library.as_body(row.lead, row.passages))


def _file(row: Article, body: str) -> str:
    head = FrontMatter(
        slug=row.slug,
        question=row.question,
        summary=row.summary,
        category=row.category,
        topics=tuple(row.topics),
        language=row.language,
        revision=row.revision,
        revised_on=row.revised_on,
        source=SourceText(title=row.source_title, url=row.source_url),
    )
    return library.as_file(head, body)


def words_from_file(text: str, row: Article) -> ArticleWords:
    """Parse a file that was downloaded and changed; without a head it is only the text.

    Revision, day and source in the head are ignored: publishing sets them. Others can write in the
    meantime. Raise ContentError with all mistakes.
    """
    name = FILE
    if len(text) > article_validation.MAX_FILE:
        message = _("the file is longer than %(most)s characters", most=article_validation.MAX_FILE)
        raise ContentError([Mistake(name, 1, message, _("Shorten it."))])
    words, own = words_of(row), (row.slug, row.language)
    let_others_write()
    head, body = library.read_file(text, name)
    if head is None:
        return replace(words, body=body)
    if (head.slug, head.language) != own:
        message = _(
            "this is the file of %(slug)s (%(language)s)", slug=head.slug, language=head.language
        )
        advice = _("Choose the file of %(slug)s (%(language)s).", slug=own[0], language=own[1])
        raise ContentError([Mistake(name, 2, message, advice)])
    return ArticleWords(head.question, head.summary, head.category, head.topics, body)


@dataclass(frozen=True, slots=True)
class ReadText:
    """An edited article, parsed: its parts, the lines of its headings, its words for the search."""

    parts: ArticleParts
    lines: tuple[int, ...]
    plain: str


def read(words: ArticleWords, slug: str) -> ReadText:
    """Parse an edited article as strictly as a file.

    A long text takes seconds, during which others can write: anything read before may be out of
    date. Raise ContentError with all mistakes by line, and RuleBrokenError if question, summary or
    place are invalid.
    """
    article_validation.require_head(words, needs_summary=True)
    article_validation.require_length(words)
    statements, items = queries.statements_by_article(), checklists.item_codes()
    let_others_write()
    lead, passages = library.read_body(words.body, slug, statements, items)
    return ReadText(
        parted(words, lead, passages),
        tuple(_lines(words.body)),
        library.plain_text(words.summary, lead, passages),
    )


def check(text: ReadText, revisions: Sequence[Article]) -> None:
    """Raise ContentError, with mistakes by line, if an edited article lost what must stay.

    Of all revisions, loaded with their passages, the current and the latest shipped one count.
    """
    mistakes = list(_lost(revisions, text.parts.passages, text.lines))
    if mistakes:
        raise ContentError(mistakes)


def _lost(
    revisions: Sequence[Article], passages: Sequence[PassageText], lines: Sequence[int]
) -> Iterator[Mistake]:
    resting = _resting(revisions[0].slug)
    musts = queries.musts()
    places = {passage.key: line for passage, line in zip(passages, lines, strict=True)}
    current, shipped = current_of(revisions), newest_shipped(revisions)
    for row in {
        revision.id: revision for revision in (current, shipped) if revision is not None
    }.values():
        before = [_as_text(passage) for passage in row.passages]
        for problem in required_content.lost(before, passages, resting, musts):
            advice = _("Put it back as the current revision has it.")
            yield Mistake("text", places.get(problem.key, 1), problem.message, advice)


def _lines(body: str) -> list[int]:
    """Return the line of each passage's heading, counted from 1."""
    return [
        heading.line + 1
        for heading in markdown.headings(body)
        if heading.rank == markdown.PASSAGE_RANK
    ]


def _resting(slug: str) -> list[Rest]:
    """Return what is based on an article.

    Items of every version, since some checklists use old ones, and the hints about risky phrases.
    """
    resting = [
        rest
        for kind in ChecklistKind
        for row in checklists.versions(kind)
        for rest in required_content.rests(checklists.parsed(row), slug)
    ]
    keys = [ref.split("/", 1)[1] for ref in risky_phrases.passages() if ref.startswith(f"{slug}/")]
    return [*resting, *(Rest("hints at words", (key,)) for key in sorted(keys))]


def current_of(revisions: Sequence[Article]) -> Article | None:
    """Return the current revision, or None if the article was withdrawn."""
    return next((row for row in revisions if row.is_current), None)


def newest_shipped(revisions: Sequence[Article]) -> Article | None:
    """Return the latest shipped revision."""
    shipped = [row for row in revisions if row.shipped_revision is not None]
    return max(shipped, key=lambda row: row.shipped_revision or 0, default=None)


def publish(
    actor: Actor,
    slug: str,
    language: str,
    words: ArticleWords,
    *,
    seen_revision: int | None,
    made_from: int | None = None,
    reason: str,
) -> Article:
    """Make an edited text the current revision; the earlier ones stay.

    One based on a shipped revision awaiting a decision also decides on that. Raises RefusedError,
    ContentError, RuleBrokenError, or StaleError if another revision became current since the person
    saw seen_revision.
    """
    policy.can_edit(actor).require()
    text = read(words, slug)
    revisions = _locked(slug, language)
    current = current_of(revisions)
    if current is None or current.revision != seen_revision:
        raise StaleError(
            _l("Another revision became current while you were writing. Compare, then publish.")
        )
    parts = text.parts
    check(text, revisions)
    if parts == parts_of(current):
        raise RuleBrokenError(
            _l("This says the same as revision %(number)s. Change something.", number=seen_revision)
        )
    reason = tidy_reason(reason)
    row = _edited(actor, current, parts, revisions[0].revision + 1, reason)
    current.is_current = False
    for revision in revisions:
        revision.waits = revision.waits and revision.revision != made_from
    try:
        with db.session.begin_nested():
            service.add_revision(row, parts.passages)
    except IntegrityError as error:
        raise StaleError(
            _l("Another revision was published at the same moment. Try again.")
        ) from error
    service.index(row, text.plain)
    checklists.say_all_uses()
    _record(verbs.ARTICLE_PUBLISHED, actor, row, base=current.revision, reason=reason)
    return row


def _edited(actor: Actor, base: Article, parts: ArticleParts, number: int, reason: str) -> Article:
    row = Article(
        id=uuid4(),
        slug=base.slug,
        language=base.language,
        revision=number,
        is_current=True,
        question=parts.question,
        summary=parts.summary,
        lead=parts.lead,
        category=parts.category,
        topics=list(parts.topics),
        source_title=base.source_title,
        source_url=base.source_url,
        revised_on=clock.today(),
        loaded_at=clock.now(),
        origin=ArticleOrigin.EDITED,
        shipped_revision=None,
        waits=False,
        reason=reason,
        author=actor.name,
    )
    row.digest = library.digest_of(_file(row, library.as_body(parts.lead, parts.passages)))
    return row


def use_shipped(actor: Actor, slug: str, language: str, number: int, *, reason: str) -> Article:
    """Make the latest shipped revision current in place of the edited one, which stays.

    Raises RefusedError, or ContentError if items are based on something it does not contain.
    """
    revisions = _locked(slug, language)
    row = _numbered(revisions, number)
    policy.can_use_shipped(
        actor, is_newest_shipped=row is newest_shipped(revisions), is_current=row.is_current
    ).require()
    current = current_of(revisions)
    if current is None:
        raise RuleBrokenError(_l("This article was withdrawn because its file is gone."))
    mistakes = list(
        _lost(revisions, [_as_text(passage) for passage in row.passages], [1] * len(row.passages))
    )
    if mistakes:
        raise ContentError(mistakes)
    _decide(actor, row, reason)
    current.is_current = False
    row.is_current = True
    db.session.flush()
    service.index(row, library.plain_text(row.summary, row.lead, row.passages))
    checklists.say_all_uses()
    _record(verbs.ARTICLE_PUBLISHED, actor, row, base=None, reason=row.reason)
    return row


def pass_over(actor: Actor, slug: str, language: str, number: int, *, reason: str) -> Article:
    """Keep the edited text instead of a shipped one, until a newer one is shipped."""
    row = _numbered(_locked(slug, language), number)
    policy.can_pass_over(actor, waits=row.waits).require()
    _decide(actor, row, reason)
    db.session.flush()
    _record(verbs.ARTICLE_PASSED_OVER, actor, row, reason=row.reason)
    return row


def _decide(actor: Actor, row: Article, reason: str) -> None:
    row.reason = tidy_reason(reason)
    row.author = actor.name
    row.waits = False


def _numbered(revisions: Sequence[Article], number: int) -> Article:
    row = next((revision for revision in revisions if revision.revision == number), None)
    if row is None:
        raise RuleBrokenError(_l("That revision doesn't exist."))
    return row


def _locked(slug: str, language: str) -> list[Article]:
    """Lock all revisions of an article, the newest first, so that only one becomes current."""
    return list(
        db.session.scalars(
            sa.select(Article)
            .where(Article.slug == slug, Article.language == language)
            .options(selectinload(Article.passages))
            .order_by(Article.revision.desc())
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _record(verb: verbs.Verb, actor: Actor, row: Article, **details: Any) -> None:
    trail.record(
        verb,
        actor=actor,
        subject_type="article",
        subject_id=row.id,
        evidence=row.digest,
        name=f"{row.slug} ({row.language})",
        version=row.revision,
        digest=row.digest,
        **details,
    )
