"""Tables of organisations: NPMs, civil society organisations and other bodies."""

import datetime as dt
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.access.actor import OrganisationKind
from tracker.core.db import Base, Identified


class Organisation(Identified, Base):
    """A body that can be a party of a cooperation, or audit one."""

    __tablename__ = "organisation"

    kind: Mapped[OrganisationKind]
    name: Mapped[str] = mapped_column(sa.Text(), unique=True)
    short_name: Mapped[str] = mapped_column(sa.String(60))
    mark: Mapped[str] = mapped_column(sa.String(3))
    country: Mapped[str] = mapped_column(sa.String(80), default="")
    languages: Mapped[list[str]] = mapped_column(default=list)
    mandate: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    # For a CSO (S62 to S72): several types, "other" in free text, and what the type doesn't say.
    types: Mapped[list[str]] = mapped_column(default=list)
    other_type: Mapped[str] = mapped_column(default="")
    expertise: Mapped[str] = mapped_column(default="")
    litigates: Mapped[bool] = mapped_column(default=False)
    represents_persons: Mapped[bool] = mapped_column(default=False)
    represents_staff: Mapped[bool] = mapped_column(default=False)
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]
    # Counts the changes, so that one save can't silently overwrite another.
    version: Mapped[int] = mapped_column(default=1)


class Succession(Identified, Base):
    """The replacement of a body by another (N13); the database refuses changes and deletion."""

    __tablename__ = "succession"

    former_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"), unique=True)
    former_name: Mapped[str]
    successor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    successor_name: Mapped[str]
    # The day it was replaced, and by which act.
    since: Mapped[dt.date]
    source: Mapped[str]
    recorded_at: Mapped[dt.datetime]
    recorded_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    # SHA-256 of all the above in canonical form; an event of the instance binds it.
    digest: Mapped[str] = mapped_column(sa.String(64))

    def content(self) -> dict[str, Any]:
        """Return what the digest of this row binds."""
        return {
            "id": str(self.id),
            "former": str(self.former_id),
            "former_name": self.former_name,
            "successor": str(self.successor_id),
            "successor_name": self.successor_name,
            "since": self.since.isoformat(),
            "source": self.source,
            "recorded_at": self.recorded_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "recorded_by": str(self.recorded_by_id),
        }
