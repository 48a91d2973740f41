"""Tables of checklists being drafted in this instance, and of organisations' own articles."""

import datetime as dt
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.accounts.models import User
from tracker.checklist_templates.models import ChecklistKind, ChecklistTemplate
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation


class TemplateDraft(Identified, Base):
    """A changed checklist that is not published: its text as uploaded, and parsed."""

    __tablename__ = "template_draft"

    kind: Mapped[ChecklistKind]
    # The version it was derived from.
    base_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist_template.id"))
    text: Mapped[str]
    content: Mapped[dict[str, Any]]
    # Incremented with each change, so that one save can't silently overwrite another.
    version: Mapped[int] = mapped_column(default=1)
    author_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    changed_at: Mapped[dt.datetime]

    base: Mapped[ChecklistTemplate] = relationship(lazy="raise")
    author: Mapped[User] = relationship(lazy="raise")


class OwnArticle(Identified, Base):
    """An organisation's own guidance, for its people and, if it says so, its partners."""

    __tablename__ = "own_article"

    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    language: Mapped[str] = mapped_column(sa.String(10))
    question: Mapped[str]
    summary: Mapped[str]
    category: Mapped[str] = mapped_column(sa.String(80))
    topics: Mapped[list[str]]
    # The Markdown as it was written; lead and passages are parsed from it.
    body: Mapped[str]
    lead: Mapped[str] = mapped_column(default="")
    for_partners: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    # None: imported by a command.
    author_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    changed_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    author: Mapped[User | None] = relationship(lazy="raise")
    passages: Mapped[list["OwnPassage"]] = relationship(
        back_populates="article", order_by="OwnPassage.number", lazy="raise"
    )


class OwnPassage(Identified, Base):
    """A passage of an organisation's own article, with the items it is paired with."""

    __tablename__ = "own_passage"
    __table_args__ = (sa.UniqueConstraint("article_id", "key"),)

    article_id: Mapped[UUID] = mapped_column(sa.ForeignKey("own_article.id"))
    key: Mapped[str] = mapped_column(sa.String(60))
    number: Mapped[int]
    title: Mapped[str]
    markdown: Mapped[str]
    items: Mapped[list[str]]

    article: Mapped[OwnArticle] = relationship(back_populates="passages", lazy="raise")
