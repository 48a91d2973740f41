"""Tables of reviews, of the versions of their records, and of who confirmed them."""

import datetime as dt
import enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.access.actor import Role
from tracker.accounts.models import User
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation
from tracker.signoff.models import Revision

_IS_OPEN = sa.text("concluded_at IS NULL AND called_off_at IS NULL")


class Verdict(enum.StrEnum):
    """What became of a promise."""

    KEPT = "kept"
    PARTLY = "partly"
    NOT_KEPT = "not_kept"
    NO_LONGER_NEEDED = "no_longer_needed"


class Outcome(enum.StrEnum):
    """How the parties continue after a review (G6)."""

    GO_ON = "go_on"
    RENEW = "renew"
    AMEND = "amend"
    END = "end"


# The subject type of its events.
SUBJECT = "review"


class Review(Identified, Base):
    """A review of a cooperation on the text of the terms in force when it began (P5)."""

    __tablename__ = "review"
    __table_args__ = (
        sa.UniqueConstraint("cooperation_id", "number"),
        sa.Index(
            "ix_review_open",
            "cooperation_id",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    number: Mapped[int]
    revision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("revision.id"))
    begun_at: Mapped[dt.datetime]
    begun_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    # The number of the last version of the record; 0 before the first is saved.
    version: Mapped[int] = mapped_column(default=0)
    concluded_at: Mapped[dt.datetime | None]
    # Once all parties have confirmed the record: when it was held, and how they continue.
    held_on: Mapped[dt.date | None]
    outcome: Mapped[Outcome | None]
    called_off_at: Mapped[dt.datetime | None]
    # None: by the application, since the terms were suspended or ended.
    called_off_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    called_off_reason: Mapped[str] = mapped_column(default="")

    begun_by: Mapped[User] = relationship(foreign_keys=[begun_by_id], lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    revision: Mapped[Revision] = relationship(lazy="raise")
    versions: Mapped[list["ReviewVersion"]] = relationship(
        order_by="ReviewVersion.number", lazy="raise"
    )
    confirmations: Mapped[list["ReviewConfirmation"]] = relationship(
        order_by="ReviewConfirmation.confirmed_at", lazy="raise"
    )

    @property
    def is_open(self) -> bool:
        """Whether it is neither concluded nor called off."""
        return self.concluded_at is None and self.called_off_at is None


class ReviewVersion(Identified, Base):
    """A saved version of a review's record. It never changes, so nothing that was saved is lost."""

    __tablename__ = "review_version"
    __table_args__ = (sa.UniqueConstraint("review_id", "number"),)

    review_id: Mapped[UUID] = mapped_column(sa.ForeignKey("review.id"))
    number: Mapped[int]
    # The record as plain values: see records.Record.
    content: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(sa.String(64))
    # Whether the record was complete when it was saved.
    is_complete: Mapped[bool]
    saved_at: Mapped[dt.datetime]
    saved_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))

    saved_by: Mapped[User] = relationship(lazy="raise")


class ReviewConfirmation(Identified, Base):
    """A party's confirmation of one version of the record."""

    __tablename__ = "review_confirmation"
    __table_args__ = (sa.UniqueConstraint("review_id", "version", "organisation_id"),)

    review_id: Mapped[UUID] = mapped_column(sa.ForeignKey("review.id"))
    version: Mapped[int]
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    role: Mapped[Role]
    # The digest of the version that was on the screen.
    digest: Mapped[str] = mapped_column(sa.String(64))
    confirmed_at: Mapped[dt.datetime]

    user: Mapped[User] = relationship(lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")
