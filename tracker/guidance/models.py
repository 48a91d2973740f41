"""Tables of guidance articles, their taxonomy, statements of the source, and their uses."""

import datetime as dt
import enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.core.db import Base, Identified

# The language of content that exists only in one, and the default for missing translations.
DEFAULT_LANGUAGE = "en"


class TaxonomyKind(enum.StrEnum):
    """The two ways in which the source sorts its articles."""

    CATEGORY = "category"
    TOPIC = "topic"


class Force(enum.StrEnum):
    """How strongly the source puts a statement (domain.md, section 0)."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"
    FACT = "fact"
    WARN = "warn"


class ArticleOrigin(enum.StrEnum):
    """Where a revision comes from: shipped, or edited in this instance."""

    SHIPPED = "shipped"
    EDITED = "edited"


class TaxonomyTerm(Identified, Base):
    """A category or a topic, with its name and place in the source's order."""

    __tablename__ = "taxonomy_term"
    __table_args__ = (sa.UniqueConstraint("kind", "slug"),)

    kind: Mapped[TaxonomyKind]
    slug: Mapped[str] = mapped_column(sa.String(80))
    name: Mapped[str]
    # The name in other languages, by language.
    names: Mapped[dict[str, str]] = mapped_column(default=dict)
    position: Mapped[int]


class Statement(Identified, Base):
    """A statement of the source, S1 to S72, in our own words."""

    __tablename__ = "statement"

    code: Mapped[str] = mapped_column(sa.String(10), unique=True)
    article: Mapped[str] = mapped_column(sa.String(60))
    force: Mapped[Force]
    # Who the statement concerns, if somebody in particular.
    subject: Mapped[str | None] = mapped_column(sa.String(40))
    text: Mapped[str]
    # The text in other languages, by language.
    texts: Mapped[dict[str, str]] = mapped_column(default=dict)
    position: Mapped[int]


class Article(Identified, Base):
    """A revision of a guidance article in one language; one of them is current."""

    __tablename__ = "article"
    __table_args__ = (sa.UniqueConstraint("slug", "language", "revision"),)

    slug: Mapped[str] = mapped_column(sa.String(60), index=True)
    language: Mapped[str] = mapped_column(sa.String(10))
    revision: Mapped[int]
    is_current: Mapped[bool] = mapped_column(default=True)
    question: Mapped[str]
    summary: Mapped[str]
    lead: Mapped[str] = mapped_column(default="")
    category: Mapped[str] = mapped_column(sa.String(80))
    topics: Mapped[list[str]]
    source_title: Mapped[str]
    source_url: Mapped[str]
    revised_on: Mapped[dt.date]
    # SHA-256 of the file's text, named by frozen revisions of checklists.
    digest: Mapped[str] = mapped_column(sa.String(64))
    loaded_at: Mapped[dt.datetime]
    origin: Mapped[ArticleOrigin] = mapped_column(default=ArticleOrigin.SHIPPED)
    # The revision in its shipped file, if that differs from its own.
    shipped_revision: Mapped[int | None]
    # Shipped after an edited one, and awaiting an administrator's decision.
    waits: Mapped[bool] = mapped_column(default=False)
    # Why it was edited, or what was decided about it, and by whom.
    reason: Mapped[str] = mapped_column(default="")
    author: Mapped[str] = mapped_column(default="")

    passages: Mapped[list["Passage"]] = relationship(
        back_populates="article", order_by="Passage.number", lazy="raise"
    )


class Passage(Identified, Base):
    """A numbered passage of an article, with the statements of the source it carries."""

    __tablename__ = "passage"
    __table_args__ = (sa.UniqueConstraint("article_id", "key"),)

    article_id: Mapped[UUID] = mapped_column(sa.ForeignKey("article.id"))
    key: Mapped[str] = mapped_column(sa.String(60), index=True)
    number: Mapped[int]
    title: Mapped[str]
    markdown: Mapped[str]
    statements: Mapped[list[str]]
    # The items of the checklists that the passage concerns most, by code (items.py).
    items: Mapped[list[str]] = mapped_column(default=list)

    article: Mapped[Article] = relationship(back_populates="passages", lazy="raise")


class PassageUse(Identified, Base):
    """Where a passage is used: filled in by checklists, shown beside the passage."""

    __tablename__ = "passage_use"
    __table_args__ = (sa.UniqueConstraint("passage", "used_by", "code"),)

    # "article-slug/passage-key"
    passage: Mapped[str] = mapped_column(sa.String(130), index=True)
    # The kind of checklist, the item's code and its label.
    used_by: Mapped[str] = mapped_column(sa.String(40))
    code: Mapped[str] = mapped_column(sa.String(10))
    label: Mapped[str]
    # The label in other languages, by language.
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)
