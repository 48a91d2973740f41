"""Queries for administrators: checklists with their drafts, and articles of the guidance."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.authoring.models import TemplateDraft
from tracker.authoring.policy import can_look_after_checklists
from tracker.checklist_templates.models import ChecklistKind, ChecklistTemplate
from tracker.checklists.models import Checklist
from tracker.core.db import db, load_joined
from tracker.guidance.models import Article, Force, Statement
from tracker.guidance.policy import can_edit


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a checklist, with the number of checklists that use it."""

    row: ChecklistTemplate
    running: int


def versions(actor: Actor) -> list[Version]:
    """Return all versions of all kinds, in the order of the kinds, the newest first."""
    if not can_look_after_checklists(actor):
        return []
    running = (
        sa.select(Checklist.template_id, sa.func.count().label("running"))
        .group_by(Checklist.template_id)
        .subquery()
    )
    rows = db.session.execute(
        sa.select(ChecklistTemplate, sa.func.coalesce(running.c.running, 0))
        .outerjoin(running, running.c.template_id == ChecklistTemplate.id)
        .order_by(ChecklistTemplate.version.desc())
    ).all()
    order = list(ChecklistKind)
    versions = [Version(row, count) for row, count in rows]
    return sorted(versions, key=lambda line: order.index(line.row.kind))


def version(actor: Actor, kind: ChecklistKind, number: int) -> ChecklistTemplate | None:
    """Return one version of a checklist, or None."""
    if not can_look_after_checklists(actor):
        return None
    return db.session.scalar(
        sa.select(ChecklistTemplate).where(
            ChecklistTemplate.kind == kind, ChecklistTemplate.version == number
        )
    )


def drafts(actor: Actor) -> list[TemplateDraft]:
    """Return all drafts, the last changed first."""
    if not can_look_after_checklists(actor):
        return []
    return list(
        db.session.scalars(
            sa.select(TemplateDraft)
            .options(
                joinedload(TemplateDraft.base),
                load_joined(TemplateDraft.author, User.name),
            )
            .order_by(TemplateDraft.changed_at.desc())
        )
    )


def draft(actor: Actor, draft_id: UUID) -> TemplateDraft | None:
    """Return a draft with the version it was derived from, or None."""
    if not can_look_after_checklists(actor):
        return None
    return db.session.scalar(
        sa.select(TemplateDraft)
        .where(TemplateDraft.id == draft_id)
        .options(joinedload(TemplateDraft.base), load_joined(TemplateDraft.author, User.name))
    )


def template(actor: Actor, template_id: UUID) -> ChecklistTemplate | None:
    """Return a version by its id, or None."""
    if not can_look_after_checklists(actor):
        return None
    return db.session.get(ChecklistTemplate, template_id)


@dataclass(frozen=True, slots=True)
class ArticleLine:
    """An article in one language: its current revision, and one awaiting a decision, if any."""

    current: Article | None
    waiting: Article | None
    newest: Article

    @property
    def shown(self) -> Article:
        """The revision to show: the current one, else the newest."""
        return self.current or self.newest


def articles(actor: Actor) -> list[ArticleLine]:
    """Return all articles of the guidance, one per language, by their questions."""
    if not can_edit(actor):
        return []
    revisions: dict[tuple[str, str], list[Article]] = {}
    for row in db.session.scalars(sa.select(Article).order_by(Article.revision)):
        revisions.setdefault((row.slug, row.language), []).append(row)
    lines = [
        ArticleLine(
            current=next((row for row in rows if row.is_current), None),
            waiting=next((row for row in rows if row.waits), None),
            newest=rows[-1],
        )
        for rows in revisions.values()
    ]
    return sorted(lines, key=lambda line: (line.shown.question.casefold(), line.shown.language))


def revisions(actor: Actor, slug: str, language: str) -> list[Article]:
    """Return all revisions of an article in one language with their passages, the newest first."""
    if not can_edit(actor):
        return []
    return list(
        db.session.scalars(
            sa.select(Article)
            .where(Article.slug == slug, Article.language == language)
            .options(selectinload(Article.passages))
            .order_by(Article.revision.desc())
        )
    )


def current_in_other_languages(actor: Actor, row: Article) -> list[Article]:
    """Return the current revisions of an article in other languages, with their passages."""
    if not can_edit(actor):
        return []
    return list(
        db.session.scalars(
            sa.select(Article)
            .where(Article.slug == row.slug, Article.language != row.language, Article.is_current)
            .options(selectinload(Article.passages))
            .order_by(Article.language)
        )
    )


def waiting_articles(actor: Actor) -> list[Article]:
    """Return the shipped revisions that await a decision, without passages."""
    if not can_edit(actor):
        return []
    return list(
        db.session.scalars(
            sa.select(Article).where(Article.waits).order_by(Article.slug, Article.language)
        )
    )


def statements_by_article() -> dict[str, str]:
    """Return the code of each statement with its article's slug; class K0, so public."""
    return dict(db.session.execute(sa.select(Statement.code, Statement.article)).all())


def musts() -> frozenset[str]:
    """Return the codes of the statements whose force is must; class K0, so public."""
    return frozenset(
        db.session.scalars(sa.select(Statement.code).where(Statement.force == Force.MUST))
    )


def statement_codes() -> frozenset[str]:
    """Return the codes of all statements; class K0, so public."""
    return frozenset(db.session.scalars(sa.select(Statement.code)))
