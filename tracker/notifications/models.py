"""Tables of notifications, and of how often each person wants emails about them."""

import datetime as dt
import enum
import json
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from tracker.core import crypto
from tracker.core.db import Base, Identified

# From this number on, the page head only says that there are more.
MOST_COUNTED = 100


class Delivery(enum.StrEnum):
    """Whether a notification was mailed, or waits for a digest."""

    MAILED = "mailed"
    DAILY = "daily"
    WEEKLY = "weekly"
    NOT_MAILED = "not_mailed"


WAITING = (Delivery.DAILY, Delivery.WEEKLY)


@dataclass(frozen=True, slots=True)
class Words:
    """What a notification says, and the path of the page that it leads to."""

    subject: str
    sentences: tuple[str, ...]
    path: str


def words_context(notification_id: UUID) -> str:
    """Return the context that a notification's words are encrypted for."""
    return f"notification|{notification_id}"


class Notification(Identified, Base):
    """One neutral message to one person, in the language they had when it was written.

    Its words and its link are encrypted: a stolen copy of the database says who got a notification
    of which kind and when, but not about which cooperation or visit. about_id is the id of a text,
    review or undertaking for which the person's task is stored elsewhere too, never that of a
    visit.
    """

    __tablename__ = "notification"

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    kind: Mapped[str] = mapped_column(sa.String(60))
    sealed_words: Mapped[bytes]
    language: Mapped[str] = mapped_column(sa.String(10))
    about_id: Mapped[UUID | None]
    created_at: Mapped[dt.datetime]
    read_at: Mapped[dt.datetime | None]
    delivery: Mapped[Delivery]

    __table_args__ = (
        sa.Index("ix_notification_person", "user_id", "created_at", "id"),
        sa.Index(
            "ix_notification_unread",
            "user_id",
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        ),
        sa.Index(
            "ix_notification_about",
            "about_id",
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        ),
        sa.Index(
            "ix_notification_digest",
            "delivery",
            "created_at",
            "user_id",
            sqlite_where=sa.text("delivery = 'daily' OR delivery = 'weekly'"),
            postgresql_where=sa.text("delivery = 'daily' OR delivery = 'weekly'"),
        ),
        sa.Index(
            "ix_notification_read",
            "read_at",
            sqlite_where=sa.text("read_at IS NOT NULL"),
            postgresql_where=sa.text("read_at IS NOT NULL"),
        ),
        sa.Index("ix_notification_created", "created_at"),
    )

    @property
    def words(self) -> Words:
        """What it says."""
        content = json.loads(crypto.unseal_field(self.sealed_words, words_context(self.id)))
        return Words(content["subject"], tuple(content["sentences"]), content["path"])

    def seal_words(self, words: Words) -> None:
        """Encrypt what it says for this row; the id must be set."""
        content = {
            "subject": words.subject,
            "sentences": list(words.sentences),
            "path": words.path,
        }
        self.sealed_words = crypto.seal_field(
            json.dumps(content, ensure_ascii=False).encode(), words_context(self.id)
        )


class NotificationChoices(Base):
    """How often a person wants emails about each group of kinds; no row means immediately."""

    __tablename__ = "notification_choices"

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    # As kinds.choices_text() returns it.
    choices: Mapped[str]


def unread_of(user_id: InstrumentedAttribute[UUID]) -> sa.ScalarSelect[int]:
    """Return the number of a person's unread notifications, as a column of their own query.

    It stops at MOST_COUNTED, so that it costs the same for whoever never reads them.
    """
    some = (
        sa.select(sa.literal(1).label("unread"))
        .select_from(Notification)
        .where(Notification.user_id == user_id, Notification.read_at.is_(None))
        .limit(MOST_COUNTED)
        .correlate(user_id.class_)
        .subquery()
    )
    return sa.select(sa.func.count()).select_from(some).scalar_subquery()


def choices_of(user_id: sa.SQLColumnExpression[UUID]) -> sa.ScalarSelect[str]:
    """Return a person's choices as a column of their own query; null for none."""
    return (
        sa.select(NotificationChoices.choices)
        .where(NotificationChoices.user_id == user_id)
        .correlate_except(NotificationChoices)
        .scalar_subquery()
    )
