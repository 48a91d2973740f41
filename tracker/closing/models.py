"""Tables of the closing of a cooperation (P7): what each person returned, and its completion."""

import datetime as dt
import enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.accounts.models import User
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation


class ReturnState(enum.StrEnum):
    """The state of a request to return or destroy material."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    # The NPM recorded why the person's confirmation is missing.
    EXCEPTED = "excepted"
    # The person was cleared again before they answered.
    CANCELLED = "cancelled"


class Disposal(enum.StrEnum):
    """What a person did with their copies (C17)."""

    RETURNED = "returned"
    DESTROYED = "destroyed"
    BOTH = "both"
    NONE = "none"


class RecordedHow(enum.StrEnum):
    """How a person without an account confirmed to the NPM what became of their copies."""

    IN_PERSON = "in_person"
    ON_PAPER = "on_paper"


class MaterialReturn(Identified, Base):
    """A request to one person to confirm that copies were returned or destroyed (C17).

    It is created when an undertaking that had given access ends. An answered one is kept as
    history: after a later undertaking the person is asked again.
    """

    __tablename__ = "material_return"
    __table_args__ = (
        sa.Index(
            "uq_material_return_open",
            "cooperation_id",
            "user_id",
            unique=True,
            sqlite_where=sa.text("state = 'requested'"),
            postgresql_where=sa.text("state = 'requested'"),
        ),
        sa.Index("ix_material_return_own", "user_id", "state", "requested_at", "id"),
        sa.Index("ix_material_return_due", "state", "reminded_on", "due_on"),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    # The undertaking that promised it.
    undertaking_id: Mapped[UUID] = mapped_column(sa.ForeignKey("undertaking.id"))
    state: Mapped[ReturnState] = mapped_column(default=ReturnState.REQUESTED)
    requested_at: Mapped[dt.datetime]
    # The day by which the terms require it; None if they name none.
    due_on: Mapped[dt.date | None]
    reminded_on: Mapped[dt.date | None]
    answered_at: Mapped[dt.datetime | None]
    answered_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    disposal: Mapped[Disposal | None]
    # Set if the NPM recorded it for a person without an account; None if the person confirmed it.
    recorded_how: Mapped[RecordedHow | None]
    # What the person added, what the NPM noted for them, or why it records an exception; encrypted
    # with the cooperation's key, since it may name material.
    sealed_words: Mapped[bytes | None] = mapped_column(sa.LargeBinary())

    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise")
    answered_by: Mapped[User | None] = relationship(foreign_keys=[answered_by_id], lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")


class Closing(Identified, Base):
    """The closing of a cooperation: begun when it ended, completed by the NPM (G7)."""

    __tablename__ = "closing"
    __table_args__ = (sa.Index("ix_closing_completed", "completed_at", "begun_at"),)

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"), unique=True)
    begun_at: Mapped[dt.datetime]
    # What the parties learned, for the record (K8).
    lessons: Mapped[str] = mapped_column(default="")
    completed_at: Mapped[dt.datetime | None]
    completed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
