"""Tables of comments on checklists and items, mentions, and tasks made from comments."""

import datetime as dt
import enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from tracker.accounts.models import User
from tracker.checklists.models import Checklist
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation


class CommentAudience(enum.StrEnum):
    """Who can read a comment: every party, or only the author's organisation."""

    ALL = "all"
    OWN = "own"


class Comment(Identified, Base):
    """A comment on one item of a checklist, or on the whole of it.

    A withdrawn one keeps its author and time, and no text.
    """

    __tablename__ = "comment"
    __table_args__ = (
        sa.Index("ix_comment_checklist_item_made", "checklist_id", "item", "made_at"),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    # None: the checklist as a whole.
    item: Mapped[str | None] = mapped_column(sa.String(10))
    audience: Mapped[CommentAudience]
    # Plain for class K8; for class K2 None, and encrypted in sealed. Both None once withdrawn.
    text: Mapped[str | None]
    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    author_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    made_at: Mapped[dt.datetime]
    edited_at: Mapped[dt.datetime | None]
    settled_at: Mapped[dt.datetime | None]
    settled_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    # What came of it, in a sentence, stored like the text; both None while it is open, once it is
    # withdrawn, and if it was settled before outcomes were asked for.
    outcome: Mapped[str | None]
    sealed_outcome: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    # The last time it was reopened; for a comment to the author's own side, no event says so.
    reopened_at: Mapped[dt.datetime | None]
    reopened_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    withdrawn_at: Mapped[dt.datetime | None]

    checklist: Mapped[Checklist] = relationship(lazy="raise")
    author: Mapped[User] = relationship(foreign_keys=[author_id], lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    settled_by: Mapped[User | None] = relationship(foreign_keys=[settled_by_id], lazy="raise")
    mentions: Mapped[list["CommentMention"]] = relationship(back_populates="comment", lazy="raise")
    tasks: Mapped[list["CommentTask"]] = relationship(
        back_populates="comment", order_by="CommentTask.made_at", lazy="raise"
    )

    @validates("audience")
    def _never_wider(self, _key: str, audience: CommentAudience) -> CommentAudience:
        if self.audience is CommentAudience.OWN and audience is not CommentAudience.OWN:
            message = "A comment to one's own side is never opened to others."
            raise ValueError(message)
        return audience


class CommentMention(Base):
    """A person mentioned in a comment; listed in their My work until they have seen it."""

    __tablename__ = "comment_mention"
    __table_args__ = (
        # In the order of My work.
        sa.Index(
            "ix_comment_mention_not_seen",
            "user_id",
            "mentioned_at",
            "comment_id",
            sqlite_where=sa.text("seen_at IS NULL"),
            postgresql_where=sa.text("seen_at IS NULL"),
        ),
    )

    comment_id: Mapped[UUID] = mapped_column(sa.ForeignKey("comment.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    mentioned_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime | None]

    comment: Mapped[Comment] = relationship(back_populates="mentions", lazy="raise")
    user: Mapped[User] = relationship(lazy="raise")


class CommentTask(Identified, Base):
    """What a comment asks one person to do, by a day."""

    __tablename__ = "comment_task"
    __table_args__ = (
        # The index for the worker's query.
        sa.Index(
            "ix_comment_task_not_reminded",
            "due_on",
            sqlite_where=sa.text("done_at IS NULL AND ended_at IS NULL AND reminded_at IS NULL"),
            postgresql_where=sa.text(
                "done_at IS NULL AND ended_at IS NULL AND reminded_at IS NULL"
            ),
        ),
        # In the order of My work: whose it is, and who gave it.
        *(
            sa.Index(
                f"ix_comment_task_open_of_{whose}",
                column,
                "due_on",
                "id",
                sqlite_where=sa.text("done_at IS NULL AND ended_at IS NULL"),
                postgresql_where=sa.text("done_at IS NULL AND ended_at IS NULL"),
            )
            for whose, column in (("person", "user_id"), ("giver", "made_by_id"))
        ),
    )

    comment_id: Mapped[UUID] = mapped_column(sa.ForeignKey("comment.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    made_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    due_on: Mapped[dt.date]
    made_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]
    done_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    # Ended without being done: the comment was withdrawn.
    ended_at: Mapped[dt.datetime | None]
    # When its one reminder was sent.
    reminded_at: Mapped[dt.datetime | None]

    comment: Mapped[Comment] = relationship(back_populates="tasks", lazy="raise")
    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise")
    made_by: Mapped[User] = relationship(foreign_keys=[made_by_id], lazy="raise")

    @property
    def is_open(self) -> bool:
        """Whether it still has to be done."""
        return self.done_at is None and self.ended_at is None
