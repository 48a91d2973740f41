"""Tables of checklist templates, and of their translations."""

import datetime as dt
import enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.cooperations.models import (
    ChecklistKind as ChecklistKind,  # noqa: PLC0414 -- higher packages import it from here
)
from tracker.core.db import Base, Identified


class AnswerScope(enum.StrEnum):
    """Whose answer it is: one for all, one for each party, one for each person."""

    SHARED = "shared"
    PARTY = "party"
    PERSON = "person"


class TemplateOrigin(enum.StrEnum):
    """Where a version of a checklist comes from: shipped, or derived in this instance."""

    SHIPPED = "shipped"
    DERIVED = "derived"


class TemplateState(enum.StrEnum):
    """Whether new checklists may start on a version."""

    WAITING = "waiting"
    PUBLISHED = "published"
    RETIRED = "retired"


class WordsOrigin(enum.StrEnum):
    """Where a translation comes from: shipped, copied from another version, or this instance's."""

    SHIPPED = "shipped"
    CARRIED = "carried"
    OWN = "own"


class ChecklistTemplate(Identified, Base):
    """A version of a checklist's content, which never changes (adr 21).

    New checklists start on the latest published one. A shipped version that arrives after a derived
    one waits until an administrator publishes it.
    """

    __tablename__ = "checklist_template"
    __table_args__ = (sa.UniqueConstraint("kind", "version"),)

    kind: Mapped[ChecklistKind]
    version: Mapped[int]
    # Large, and parsed once per process (library.parsed), so loaded only on request.
    content: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    digest: Mapped[str] = mapped_column(sa.String(64))
    loaded_at: Mapped[dt.datetime]
    origin: Mapped[TemplateOrigin] = mapped_column(default=TemplateOrigin.SHIPPED)
    # The number in its shipped file, if that differs from its own.
    shipped_version: Mapped[int | None]
    published_at: Mapped[dt.datetime | None]
    retired_at: Mapped[dt.datetime | None]

    @property
    def state(self) -> TemplateState:
        """Whether new checklists may start on it."""
        if self.retired_at is not None:
            return TemplateState.RETIRED
        return TemplateState.WAITING if self.published_at is None else TemplateState.PUBLISHED


class TemplateWords(Identified, Base):
    """The translation of a version into another language; the database refuses changes.

    A correction is another row with the next number. This instance's own take precedence over
    shipped ones; of each, the newest is in use (adr 38).
    """

    __tablename__ = "checklist_words"
    __table_args__ = (sa.UniqueConstraint("template_id", "language", "number"),)

    template_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist_template.id"))
    language: Mapped[str] = mapped_column(sa.String(10))
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(sa.String(64))
    origin: Mapped[WordsOrigin]
    loaded_at: Mapped[dt.datetime]
