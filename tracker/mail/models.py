"""The outbox table: messages written in the transaction they report on, and sent later."""

import datetime as dt
import enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.core import crypto
from tracker.core.db import Base, Identified


class MessageState(enum.StrEnum):
    """The status of a message."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


def body_context(message_id: UUID) -> str:
    """Return the context that a message's text is encrypted for."""
    return f"outbox_message|{message_id}"


class OutboxMessage(Identified, Base):
    """One message to one address: a neutral sentence and a link, never content or a visit's date.

    Links give access, so the text is encrypted while it is queued and deleted once it is sent: a
    stolen copy of the database contains no working link.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (sa.Index("ix_outbox_message_due", "state", "next_try_at"),)

    recipient: Mapped[str]
    subject: Mapped[str]
    sealed_body: Mapped[bytes | None]
    language: Mapped[str] = mapped_column(sa.String(10))
    kind: Mapped[str] = mapped_column(sa.String(60))
    state: Mapped[MessageState] = mapped_column(default=MessageState.WAITING)
    created_at: Mapped[dt.datetime]
    next_try_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]

    @property
    def body(self) -> str:
        """The text; empty once the message has been sent."""
        if self.sealed_body is None:
            return ""
        return crypto.unseal_field(self.sealed_body, self._place).decode()

    def seal_body(self, text: str) -> None:
        """Encrypt the text for this row; the id must be set."""
        self.sealed_body = crypto.seal_field(text.encode(), self._place)

    @property
    def _place(self) -> str:
        return body_context(self.id)
